"""Part `scaling`: exponents of every tensor in width (`widenets.ntk.subject.coordinates`)."""

from collections.abc import Iterator

from torch import nn

from widenets.ntk.subject.contract import Subject, load
from widenets.ntk.subject.coordinates import CONTROLS, Trial, WidthError, coordinates
from widenets.ntk.subject.problem import Problem, problem

# With many examples an update is not aligned with what enters its module at small width.
PLACES = 64


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


def mistake_rows(arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The same of the built-in transformer; arm: right, tied, or one of its mistakes."""
    variant = "plain" if arm == "right" else arm
    yield from scaling_rows("theory", f"mup_transformer:{variant}", seeds)


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
