"""Parts `scaling` and `mistakes`: exponents of every tensor in width (`coordinates`); `depth` and
`deep_mistakes`: in depth (`deep`).

Part `transfer`: loss against learning rate at every width, from which P6 reads the best rate.
Parts `kernel` and `wrong_kernels`: a reader's kernel(x1, x2) against ours (`conformance`).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
from torch import nn

from replications.your_network.asked_diagnosis import DIVERGED
from widenets.ntk.subject.arms import Stand
from widenets.ntk.subject.conformance import FAULTS, Difference, architecture_of, differences
from widenets.ntk.subject.contract import Subject, load
from widenets.ntk.subject.coordinates import CONTROLS, Trial, WidthError, coordinates
from widenets.ntk.subject.cost import Cost
from widenets.ntk.subject.deep import CONTROLS as DEPTH_CONTROLS
from widenets.ntk.subject.deep import DepthError, deep_coordinates
from widenets.ntk.subject.frozen import NETWORK, Run
from widenets.ntk.subject.optimizers import optimizer_of
from widenets.ntk.subject.problem import Problem, problem

STEPS, BATCH = 40, 16  # of a file that has none
OCTAVES = range(-6, 6)  # of the factor of every rate; an octave apart, as the locator wants
LOOKS = 4  # in the second half of training
TRAIN = 0
RIGHT = {"mup_transformer": "plain", "muon_transformer": "original", "deep_residual": "half"}
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


def depth_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed, tensor and quantity, with its exponent `found` in depth.

    arm: theory = as it is; branches = every branch times L/L0, rates = every rate times L/L0,
    epsilon = 1 in place of the optimizer's: what each of these moves.
    """
    if arm not in ("theory", *DEPTH_CONTROLS):
        raise ValueError(f"arm {arm!r}: want one of theory, {', '.join(DEPTH_CONTROLS)}")
    of = load(subject)
    control = "" if arm == "theory" else arm
    for seed in seeds:
        try:
            with of.blamed("trained at several depths"):
                of_depth = trial(problem(of, seed), "depth")
                found = list(deep_coordinates(of_depth, of.depths, control, of.depth_exponent))
        except DepthError as error:
            raise of.error(str(error)) from None
        yield from ({"seed": seed, **coordinate._asdict()} for coordinate in found)


def mistake_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The same of a built-in transformer; arm: right, or one of its variants and mistakes."""
    variant = RIGHT[subject] if arm == "right" else arm
    yield from scaling_rows("theory", f"{subject}:{variant}", seeds)


def deep_mistake_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """`depth_rows` of the built-in residual network; arm: right, eps_right (its epsilon is felt),
    or one of its mistakes."""
    yield from depth_rows("theory", f"{subject}:{RIGHT[subject] if arm == 'right' else arm}", seeds)


def trial(of: Problem, axis: str = "width") -> Trial:
    """One seed of a subject, whose model takes a width or a depth (`axis`), with as many of its
    first examples as have PLACES targets in all."""
    subject, training = of.subject, of.of("train")
    targets = of.targets[training]
    each = targets[0].numel() if of.classes else 1
    count = max(2, PLACES // each)
    inputs, targets = of.inputs[training][:count], targets[:count]
    moves = partial(optimizer_of, subject)
    return Trial(_model(subject, of, axis), moves, subject.loss, inputs, targets, subject.decay)


def _model(subject: Subject, of: Problem, axis: str):
    def model(size: int) -> nn.Module:
        module = of.network(**{axis: size})
        if not isinstance(module, nn.Module):
            raise subject.error(
                f"model({axis}) must give a torch module for the check of {axis}s, found {module!r}"
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


def transfer_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed, width, factor 2^log2_rate of every rate, and look in the second half.

    arm: theory = as it is, rates = every rate also times n/n0, whose best factor falls as 1/n where
    the network's own stays. loss: on the training data, in units of the best constant's on test
    data, at most DIVERGED. share: of training that is over.
    """
    if arm not in ("theory", "rates"):
        raise ValueError(f"arm {arm!r}: want theory or rates")
    of = load(subject)
    widths = sorted(of.widths)
    for width in widths:
        scale = width / widths[0] if arm == "rates" else 1.0
        yield from _at(of, width, scale, seeds)


def predicted(of: Subject, seeds: tuple[int, ...], arms: int) -> Cost:
    """What the part will cost: two steps more of the widest network, for all rates of one seed."""
    widths, stand = sorted(of.widths), _stand(of, max(of.widths), seeds[:1])
    spent = []
    for steps in (1, 1, 3):  # the first call sets things up
        start = time.process_time()
        stand.curves(NETWORK, _runs(stand, 1.0), steps, [steps])
        spent.append(time.process_time() - start)
    step, look = max(spent[2] - spent[1], 0.0) / 2, spent[1]
    of_widest = len(seeds) * arms * (stand.subject.steps * step + LOOKS * look)
    trainings = len(OCTAVES) * len(widths) * len(seeds) * arms
    return Cost(trainings, stand.subject.steps, of_widest * sum(widths) / widths[-1])


def _stand(of: Subject, width: int, seeds: tuple[int, ...]) -> Stand:
    """The subject at one width."""
    model = partial(of.model, width=width)
    steps, batch = of.steps or STEPS, of.batch or BATCH
    narrow = replace(of, model=model, steps=steps, batch=batch)
    return Stand(narrow, tuple(problem(narrow, seed) for seed in seeds))


def _runs(stand: Stand, scale: float) -> list[Run]:
    return [Run(p, scale * 2.0**octave) for octave in OCTAVES for p in stand.problems]


def _at(of: Subject, width: int, scale: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    stand = _stand(of, width, seeds)
    steps = stand.subject.steps
    looks = np.unique(np.linspace(steps / 2, steps, LOOKS + 1)[1:].round().astype(int))
    curves = stand.curves(NETWORK, _runs(stand, scale), steps, looks)
    loss = curves.loss[..., TRAIN].reshape(len(OCTAVES), len(seeds), len(looks))
    for (row, octave), (column, seed) in product(enumerate(OCTAVES), enumerate(seeds)):
        unit = stand.problems[column].unit_of_loss
        for step, value in zip(looks, loss[row, column], strict=True):
            value = value / unit
            yield {
                "seed": seed,
                "width": width,
                "log2_rate": octave,
                "share": step / steps,
                "loss": min(value, DIVERGED) if np.isfinite(value) else DIVERGED,
            }
