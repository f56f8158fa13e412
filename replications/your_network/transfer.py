"""Part `transfer`: loss against learning rate at every width, from which P6 reads the best rate."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from replications.your_network.asked_diagnosis import DIVERGED
from widenets.ntk.subject.arms import Stand
from widenets.ntk.subject.contract import Subject, load
from widenets.ntk.subject.frozen import NETWORK, Run
from widenets.ntk.subject.problem import problem

STEPS, BATCH = 40, 16  # of a file that has none
OCTAVES = range(-6, 6)  # of the factor of every rate; an octave apart, as the locator wants
LOOKS = 4  # in the second half of training
TRAIN = 0


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


def _at(of: Subject, width: int, scale: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    narrow = replace(
        of,
        model=partial(of.model, width=width),
        steps=of.steps or STEPS,
        batch=of.batch or BATCH,
    )
    stand = Stand(narrow, tuple(problem(narrow, seed) for seed in seeds))
    runs = [Run(p, scale * 2.0**octave) for octave in OCTAVES for p in stand.problems]
    looks = np.linspace(narrow.steps / 2, narrow.steps, LOOKS + 1)[1:].round().astype(int)
    looks = np.unique(looks)
    curves = stand.curves(NETWORK, runs, narrow.steps, looks)
    loss = curves.loss[..., TRAIN].reshape(len(OCTAVES), len(seeds), len(looks))
    for (row, octave), (column, seed) in (
        (one, other) for one in enumerate(OCTAVES) for other in enumerate(seeds)
    ):
        unit = stand.problems[column].unit_of_loss
        for step, value in zip(looks, loss[row, column], strict=True):
            value = value / unit
            yield {
                "seed": seed,
                "width": width,
                "log2_rate": octave,
                "share": step / narrow.steps,
                "loss": min(value, DIVERGED) if np.isfinite(value) else DIVERGED,
            }
