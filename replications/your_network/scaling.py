"""Parts `scaling` and `mistakes`: exponents of every tensor in width (`coordinates`).

Parts `kernel` and `wrong_kernels`: a reader's kernel(x1, x2) against ours (`conformance`).
"""

from collections.abc import Callable, Iterator

from torch import nn

from widenets.ntk.subject.conformance import FAULTS, Difference, architecture_of, differences
from widenets.ntk.subject.contract import Subject, load
from widenets.ntk.subject.coordinates import CONTROLS, Trial, WidthError, coordinates
from widenets.ntk.subject.problem import Problem, problem

# With many examples an update is not aligned with what enters its module at small width.
PLACES = 64
SCALED = 1 + 1e-4  # the control: a seventh of what arccos in float32 costs, the smallest fault


def scaling_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed, tensor and quantity, with its exponent `found` in width.

    arm: theory = as it is; rates = every rate times n/n0, weights = all weights at the start times
    sqrt(n/n0), epsilon = 1 in place of the optimizer's: what each of these moves.
    """
    if arm not in ("theory", *CONTROLS):
        raise ValueError(f"arm {arm!r}: want one of theory, {', '.join(CONTROLS)}")
    of = load(subject)
    control = "" if arm == "theory" else arm
    for seed in seeds:
        try:
            with of.blamed("trained at several widths"):
                found = list(coordinates(trial(problem(of, seed)), of.widths, control))
        except WidthError as error:
            raise of.error(str(error)) from None
        yield from ({"seed": seed, **coordinate._asdict()} for coordinate in found)


def mistake_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The same of the built-in transformer; arm: right, tied, or one of its mistakes."""
    variant = "plain" if arm == "right" else arm
    yield from scaling_rows("theory", f"{subject}:{variant}", seeds)


def trial(of: Problem) -> Trial:
    """One seed of a subject with as many of its first examples as have PLACES targets in all."""
    subject, training = of.subject, of.of("train")
    targets = of.targets[training]
    each = targets[0].numel() if of.classes else 1
    count = max(2, PLACES // each)
    inputs, targets = of.inputs[training][:count], targets[:count]
    return Trial(_model(subject, of), subject.optimizer, subject.loss, inputs, targets)


def _model(subject: Subject, of: Problem):
    def model(width: int) -> nn.Module:
        module = of.network(width=width)
        if not isinstance(module, nn.Module):
            raise subject.error(
                f"model(width) must give a torch module for the check of widths, found {module!r}"
            )
        return module

    return model


def kernel_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed, block of pairs and kernel: the largest relative error there.

    arm: theory = the kernel as it is, scaled = times 1.0001. ratio: the error in units of what the
    kernel's dtype allows; fault: what makes the same numbers, in words.
    """
    if arm not in ("theory", "scaled"):
        raise ValueError(f"arm {arm!r}: want theory or scaled")
    of = load(subject)
    kernel = of.kernel if arm == "theory" else _scaled(of.kernel)
    for seed in seeds:
        for difference in _differences(of, kernel, seed):
            fault = FAULTS.get(difference.fault, "")
            ratio = difference.error / difference.tolerance
            yield {"seed": seed, **difference._asdict(), "fault": fault, "ratio": ratio}


def wrong_kernel_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed: whether the fault of a built-in kernel is named, and nothing else.

    arm: right, or one of FAULTS.
    """
    if arm not in ("right", *FAULTS):
        raise ValueError(f"arm {arm!r}: want right, {', '.join(FAULTS)}")
    of = load(f"{subject}:{arm}")
    for seed in seeds:
        found = _differences(of, of.kernel, seed)
        named = {
            difference.fault for difference in found if difference.error > difference.tolerance
        }
        error = max(difference.error for difference in found)
        yield {"seed": seed, "named": int(named == {arm}), "error": error}


def _scaled(kernel: Callable) -> Callable:
    return lambda x1, x2: tuple(SCALED * values for values in kernel(x1, x2))


def _differences(of: Subject, kernel: Callable, seed: int) -> list[Difference]:
    with of.blamed("kernel()"):
        return differences(kernel, architecture_of(of.architecture), seed)
