"""What the parameters do in 16 epochs, by arm. All arms of a seed start from the same weights.

theory      SGD on the task
shuffled    the same on permuted training labels: as much to learn, nothing of the task
lazy        the function 100 (u - u_0): its kernel stays, its rate is 100^-2 of one that is stable
cooled      from epoch 10 on at a thirtieth of the rate
steady      no training: every layer walks at random, as far in every epoch as in the mean of SGD's
elsewhere   no training: every layer is as far from its start as SGD's, in a random direction
"""

import functools
from typing import NamedTuple

import jax
import numpy as np

from replications.fort2020_kernel_learning.setting import (
    EPOCHS,
    LOSS,
    MOMENTUM,
    NETWORK,
    PAPER,
    RATE,
    Task,
    at,
    batches,
    descended,
    outputs,
    task_of,
    weights,
)
from widenets.ntk import random
from widenets.ntk.dynamics.batches import stochastic_descent

LAZY_SCALE, LAZY_RATE = 100.0, 0.03  # the network's own rate is beyond the edge of stability here
COOL_FROM, COOL = 10, 1 / 30


class Run(NamedTuple):
    """The runs of one cell; part names the streams."""

    arm: str
    task: str
    samples: int
    seeds: tuple[int, ...]
    part: str


class Path(NamedTuple):
    """params: leaves (seeds, epochs + 1, ...); labels (seeds, N, 1): those that were trained on;
    rate: of the learning, in units of the kernel of the network that is not scaled."""

    task: Task
    params: object
    batches: np.ndarray
    labels: np.ndarray
    rate: float
    lazy: bool

    def values(self, epoch: int) -> np.ndarray:
        """The trained function at all points, (seeds, N + tests, 1)."""
        now = outputs(at(self.params, epoch), self.task.x)
        if not self.lazy:
            return np.asarray(now)
        return LAZY_SCALE * np.asarray(now - outputs(at(self.params, 0), self.task.x))


@functools.lru_cache(maxsize=2)
def path_of(run: Run) -> Path:
    """The path of an arm."""
    task = task_of(run.task, run.samples, run.seeds, run.part)
    order = batches(run.seeds, run.samples, run.part, "batches")
    start = weights(run.seeds, task.x.shape[-1], run.part, "weights")
    labels = _shuffled(run, task) if run.arm == "shuffled" else task.train[1]
    data = (task.train[0], labels, order)
    if run.arm in ("theory", "shuffled"):
        params = descended(start, *data)
    elif run.arm == "lazy":
        params = _lazily(start, *data)
    elif run.arm == "cooled":
        params = _cooled(start, *data)
    elif run.arm in ("steady", "elsewhere"):
        params = _undirected(run, path_of(run._replace(arm="theory")).params)
    else:
        raise ValueError(f"arm: found {run.arm!r}, wanted one of this module's")
    lazy = run.arm == "lazy"
    return Path(task, params, order, labels, LAZY_RATE if lazy else RATE, lazy)


def _shuffled(run: Run, task: Task) -> np.ndarray:
    streams = [random.generator(seed, PAPER, run.part, "shuffle") for seed in run.seeds]
    order = np.stack([stream.permutation(task.samples) for stream in streams])
    return np.take_along_axis(task.train[1], order[..., None], axis=1)


def scaled(pair, x):
    """LAZY_SCALE (u - u_0) of (start, params); the gradient with respect to the start is zero."""
    start, params = pair
    return LAZY_SCALE * (NETWORK.apply(params, x) - NETWORK.apply(jax.lax.stop_gradient(start), x))


def _lazily(start, x, y, order):
    rate = LAZY_RATE / LAZY_SCALE**2
    with_momentum = {"learning_rate": rate, "momentum": MOMENTUM}
    return stochastic_descent(scaled, (start, start), x, y, order, loss=LOSS, **with_momentum)[1]


def _cooled(start, x, y, order):
    """Epochs that are left come first, so that one compiled program has both legs."""
    warm = descended(start, x, y, order)
    left = np.roll(order, -COOL_FROM, axis=1)
    cool = descended(at(warm, COOL_FROM), x, y, left, rate=COOL * RATE)
    return jax.tree.map(
        lambda first, rest: np.concatenate(
            [first[:, :COOL_FROM], rest[:, : EPOCHS + 1 - COOL_FROM]], axis=1
        ),
        warm,
        cool,
    )


def _undirected(run: Run, of_sgd):
    """steady and elsewhere: directions of their own, lengths of SGD, layer by layer."""
    leaves, tree = jax.tree.flatten(of_sgd)
    move = _steady if run.arm == "steady" else _elsewhere
    moved = []
    for index, leaf in enumerate(map(np.asarray, leaves)):
        streams = [random.generator(s, PAPER, run.part, run.arm, index) for s in run.seeds]
        moved.append(np.stack([move(*both) for both in zip(streams, leaf, strict=True)]))
    return jax.tree.unflatten(tree, moved)


def _steady(stream: np.random.Generator, leaf: np.ndarray) -> np.ndarray:
    """(epochs + 1, ...): steps of one length, the root mean square of SGD's epochs."""
    length = np.sqrt(np.mean(_lengths(np.diff(leaf, axis=0)) ** 2))
    steps = stream.standard_normal(leaf[1:].shape)
    steps *= length / _lengths(steps)
    walk = leaf[:1] + np.cumsum(steps, axis=0)
    return np.concatenate([leaf[:1], walk]).astype(leaf.dtype)


def _elsewhere(stream: np.random.Generator, leaf: np.ndarray) -> np.ndarray:
    """(epochs + 1, ...): one direction, at every epoch as far from the start as SGD."""
    direction = stream.standard_normal(leaf[:1].shape)
    away = _lengths(leaf - leaf[:1]) / _lengths(direction)
    return (leaf[:1] + away * direction).astype(leaf.dtype)


def _lengths(leaf: np.ndarray) -> np.ndarray:
    """Norm of each entry of the first axis, kept for broadcasting."""
    return np.sqrt(np.sum(leaf**2, axis=tuple(range(1, leaf.ndim)), keepdims=True))
