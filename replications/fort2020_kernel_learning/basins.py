"""Error along the straight line between two networks that were trained on the same data."""

from typing import NamedTuple

import jax
import numpy as np

from replications.fort2020_kernel_learning.setting import (
    DIMENSION,
    at,
    batches,
    descended,
    error,
    outputs,
    task_of,
    weights,
)

SHARES = np.linspace(0, 1, 11)  # alpha of alpha theta_1 + (1 - alpha) theta_2


class Pair(NamedTuple):
    """barrier: by how much the error on the line exceeds, at most, the chord between the errors of
    its ends; disagreement: share of test points on which the ends differ; each (seeds,)."""

    barrier: np.ndarray
    disagreement: np.ndarray


def pair_of(seeds: tuple[int, ...], samples: int, epoch: int | None) -> Pair:
    """Two children of one network, spawned after `epoch` (0: of one initialisation), which then see
    batches of their own; None: two initialisations. Trained until the same epoch."""
    kind = "independent" if epoch is None else f"children_{epoch}"
    task = task_of("xnor", samples, seeds, kind)
    twin = "weights" if epoch is not None else "other weights"
    starts = [weights(seeds, DIMENSION, kind, name) for name in ("weights", twin)]
    orders = [batches(seeds, samples, kind, "batches", child) for child in ("one", "other")]
    if epoch is not None:
        orders[1][:, :epoch] = orders[0][:, :epoch]
    ends = [
        at(descended(start, *task.train, order), -1)
        for start, order in zip(starts, orders, strict=True)
    ]
    return _between(ends, *task.test)


def _between(ends, x, y) -> Pair:
    values = [
        np.asarray(outputs(jax.tree.map(lambda a, b, s=s: s * a + (1 - s) * b, *ends), x))
        for s in SHARES.astype(np.float32)
    ]
    errors = np.stack([error(value, y) for value in values])
    chord = errors[:1] + SHARES[:, None] * (errors[-1:] - errors[:1])
    barrier = np.max(errors - chord, axis=0)
    return Pair(barrier, error(values[0], np.sign(values[-1])))
