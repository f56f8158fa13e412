"""Part `transfer`: loss against learning rate at every width, from which P6 reads the best rate."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np

from replications.your_network.asked_diagnosis import DIVERGED
from widenets.ntk.subject.arms import Stand
from widenets.ntk.subject.contract import Subject, load
from widenets.ntk.subject.cost import Cost
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
