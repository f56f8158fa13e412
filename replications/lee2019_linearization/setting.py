"""Data and small measures that the parts share, and how many seeds they treat at once.

A seed draws its own training and test digits, the same for all widths of the seed, and its own
weights, independent for every network.
"""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from widenets.ntk import data, random

PIXELS = 64
TOGETHER = 8  # networks trained at once: their weights stay in cache, and 1 GB is enough


class Problem(NamedTuple):
    """points (seeds, N + M, d) of norm sqrt(d), training points first; targets (seeds, N, 1)."""

    points: np.ndarray
    targets: np.ndarray

    @property
    def train(self) -> np.ndarray:
        return self.points[:, : self.targets.shape[1]]


def digits(seeds: tuple[int, ...], train: int, test: int) -> Problem:
    """Digits scaled to |x|^2 = d = 64, labels +1 (even) and -1 (odd), drawn anew for each seed."""
    rows, labels = _images()
    chosen = [
        random.generator(seed, "lee2019", "digits").permutation(len(rows))[: train + test]
        for seed in seeds
    ]
    targets = np.stack([labels[picked[:train], None] for picked in chosen])
    return Problem(np.stack([rows[picked] for picked in chosen]), targets)


@functools.cache
def _images() -> tuple[np.ndarray, np.ndarray]:
    """All digits (1797, d) and their labels, read once."""
    images = data.digits()
    rows = data.normalize_rows(data.flatten_images(images.images), np.sqrt(PIXELS))
    return rows, data.parity(images.labels)


def log_steps(last: int, count: int) -> np.ndarray:
    """Step 0 and `count` others up to `last`, about evenly in the logarithm.

    Their number does not depend on `last`, so that trainings of all lengths are one program.
    """
    if last < count:
        raise ValueError(f"found {last} steps, wanted at least {count}")
    steps = [0]
    for wanted in np.rint(np.geomspace(1, last, count)).astype(int):
        steps.append(max(wanted, steps[-1] + 1))
    return np.array(steps)


def rms(array, axis=-1):
    return np.sqrt(np.mean(np.square(array), axis=axis))


def relative(change, before) -> float:
    """Frobenius norm of a change in units of the norm before."""
    return float(np.linalg.norm(change) / np.linalg.norm(before))


def in_groups_of(together: int) -> Callable:
    """Decorator of a part: it measures its seeds in groups, one compiled program for all.

    The seeds of a group see nothing of each other, so that the rows do not depend on the groups.
    """

    def decorated(part: Callable[..., Iterator[dict]]) -> Callable[..., Iterator[dict]]:
        @functools.wraps(part)
        def in_groups(*, seeds: tuple[int, ...], **cell) -> Iterator[dict]:
            for first in range(0, len(seeds), together):
                yield from part(seeds=seeds[first : first + together], **cell)

        return in_groups

    return decorated


few_at_once = in_groups_of(TOGETHER)
