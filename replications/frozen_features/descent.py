"""Descent itself: rates beyond 2 / lambda_max, random labels, noisy labels, completion of a matrix.

Frozen descent on the mean square error / 2 is known in closed form: with the eigenvalues lambda of
K / n its residual along each is multiplied by 1 - eta lambda in a step.
"""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from replications.frozen_features.two_layer import (
    VALIDATION,
    Task,
    kernels,
    split,
    start,
    train,
)
from widenets.ntk.data import sphere
from widenets.ntk.dynamics import descend
from widenets.ntk.random import generator

# -- rates ----------------------------------------------------------------------------------------

EDGE_DIMENSION, EDGE_SAMPLES, EDGE_WIDTH = 8, 32, 128
EDGE_RECORD = np.array([0, 1, 2, 3, 5, 8, 13, 20, 40, 100, 200, 400, 700, 1000])
DIVERGED = 300.0  # stands for the decades and the product of a network that left floating point


def edge_rows(arm: str, factor: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Losses in decades, and rate * lambda_max at the end; see `experiment.edge`."""
    tasks, starts = [], []
    for seed in seeds:
        stream = generator(seed, "edge")
        x = sphere(stream, EDGE_SAMPLES, EDGE_DIMENSION, np.sqrt(EDGE_DIMENSION))
        tasks.append(split(x, stream.choice([-1.0, 1.0], EDGE_SAMPLES), EDGE_SAMPLES))
        starts.append(start(stream, EDGE_DIMENSION, EDGE_WIDTH))
    pairs = list(zip(starts, tasks, strict=True))
    rates = factor / np.array([_eigensystem(*pair)[0][-1] for pair in pairs])
    if arm in ("frozen", "stable"):
        decades = [frozen_decades(*pair, rate) for pair, rate in zip(pairs, rates, strict=True)]
        products = np.full(len(seeds), factor)
    else:
        record = EDGE_RECORD
        found = train(tasks, starts, scale=1.0, rate=rates, record=record, activation="tanh")
        stays = np.isfinite(found.loss)
        share = np.where(stays, found.loss, 1.0) / found.loss[:, :1]
        decades = np.where(stays, np.log10(share), DIVERGED)
        ends = [{k: v[i] for k, v in found.params.items()} for i in range(len(seeds))]
        trained = zip(stays[:, -1], rates, ends, tasks, strict=True)
        products = [r * _eigensystem(*pair)[0][-1] if ok else DIVERGED for ok, r, *pair in trained]
    for seed, losses, product in zip(seeds, decades, products, strict=True):
        for step, loss in zip(EDGE_RECORD, losses, strict=True):
            yield {"seed": seed, "step": int(step), "decades": loss, "product": product}


def _eigensystem(params: dict, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and vectors of K / n for tanh."""
    return np.linalg.eigh(kernels(params, task.x, task.x, "tanh")[0] / len(task.y))


def frozen_decades(params: dict, task: Task, rate: float) -> np.ndarray:
    """log10 of the loss of f_lin at EDGE_RECORD over that of f = 0, the mean over eigenvectors v of
    (1 - eta lambda)^(2 t) (v . y)^2, by logarithms: it outgrows floating point."""
    values, vectors = _eigensystem(params, task)
    shares = (vectors.T @ task.y) ** 2 / np.sum(task.y**2)
    powers = 2 * EDGE_RECORD[:, None] * np.log(np.maximum(np.abs(1 - rate * values), 1e-300))
    return logsumexp(powers, b=shares, axis=1) / np.log(10)


# -- random labels --------------------------------------------------------------------------------

LABELS_DIMENSION, LABELS_SAMPLES, LABELS_RATE, LABELS_STEPS = 16, 32, 1.0, 800
FITTED = 0.01


def labels_rows(arm: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Steps until the loss on random labels is .01 of that of f = 0; see `experiment.labels`."""
    tasks, starts = [], []
    for seed in seeds:
        stream = generator(seed, "labels", width)
        x = sphere(stream, LABELS_SAMPLES, LABELS_DIMENSION, np.sqrt(LABELS_DIMENSION))
        tasks.append(split(x, stream.choice([-1.0, 1.0], LABELS_SAMPLES), LABELS_SAMPLES))
        starts.append(start(stream, LABELS_DIMENSION, width))
    record = np.arange(LABELS_STEPS + 1)
    found = train(tasks, starts, scale=1.0, rate=LABELS_RATE, record=record)
    for seed, task, params, losses in zip(seeds, tasks, starts, found.loss, strict=True):
        kernel = kernels(params, task.x, task.x)[0] / LABELS_SAMPLES
        values, vectors = np.linalg.eigh(kernel)
        modes = (vectors.T @ task.y) ** 2 / np.sum(task.y**2)
        frozen = np.abs(1 - LABELS_RATE * values) ** (2 * record[:, None]) @ modes
        ours, other = crossing(losses / losses[0]), crossing(frozen)
        # A frozen network that has not fitted by the end takes at least all of these steps.
        sooner = np.log2(np.nan_to_num(other, nan=LABELS_STEPS) / ours)
        yield {"seed": seed, "network": ours, "frozen": other, "octaves": sooner}


def crossing(losses: np.ndarray, level: float = FITTED) -> float:
    """Step, between two by their logarithms, at which losses (steps,) first fall to a level."""
    below = np.flatnonzero(losses <= level)
    if not below.size:
        return np.nan
    k = below[0]
    before, after = np.log(losses[k - 1] / level), np.log(losses[k] / level)
    return float(k - 1 + before / (before - after))


# -- noisy labels, late ---------------------------------------------------------------------------

NOISE_DIMENSION, NOISE_SAMPLES, NOISE_WIDTH, NOISE_RATE = 10, 100, 512, 1.0
NOISE_RECORD = np.unique(np.geomspace(1, 6000, 40).round().astype(int))


def noise_rows(arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Excess error of a linear target learned from noisy labels; see `experiment.noise`."""
    tasks, starts = [], []
    for seed in seeds:
        stream = generator(seed, "noise")
        x = stream.standard_normal((NOISE_SAMPLES + 2000, NOISE_DIMENSION))
        y = x @ sphere(stream, 1, NOISE_DIMENSION)[0]
        task = split(x, y, NOISE_SAMPLES)
        noise = 0.0 if arm == "clean" else stream.standard_normal(NOISE_SAMPLES)
        tasks.append(task._replace(y=task.y + noise))
        starts.append(start(stream, NOISE_DIMENSION, NOISE_WIDTH))
    found = train(tasks, starts, scale=1.0, rate=NOISE_RATE, record=NOISE_RECORD)
    for index, seed in enumerate(seeds):
        task = tasks[index]
        frozen = frozen_outputs(starts[index], task, NOISE_RATE, NOISE_RECORD)
        of_network, of_frozen = (_excess(of, task) for of in (found.outputs[index], frozen))
        for step, one, other in zip(NOISE_RECORD, of_network, of_frozen, strict=True):
            yield {
                "seed": seed,
                "step": int(step),
                "validation": one[0],
                "network": one[1],
                "frozen_validation": other[0],
                "frozen": other[1],
            }


def _excess(outputs: np.ndarray, task: Task) -> np.ndarray:
    """Mean square distance from the target on validation and on test points, (records, 2)."""
    squares = (outputs - task.held_y) ** 2
    return np.stack([squares[:, :VALIDATION].mean(1), squares[:, VALIDATION:].mean(1)], axis=1)


def frozen_outputs(params: dict, task: Task, rate: float, record: np.ndarray) -> np.ndarray:
    """Outputs (records, P) of descent on f_lin, on held-out points, in closed form."""
    samples = len(task.y)
    values, vectors = np.linalg.eigh(kernels(params, task.x, task.x)[0] / samples)
    values = np.maximum(values, 1e-14)
    learned = -np.expm1(record[:, None] * np.log1p(-rate * values)) / values
    across = kernels(params, task.held_x, task.x)[0] @ vectors / samples
    return (learned * (vectors.T @ task.y)) @ across.T


# -- completion of a matrix -----------------------------------------------------------------------

SIZE, RANK, SHOWN, COMPLETION_STEPS = 16, 1, 0.5, 6000
COMPLETION_RATE = 0.02


def completion_rows(arm: str, scale: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Error of U V' on the entries that were not shown; see `experiment.completion`."""
    truths, masks = [], []
    for seed in seeds:
        stream = generator(seed, "completion", scale)
        left, right = stream.standard_normal((2, SIZE, RANK))
        truths.append(left @ right.T / np.sqrt(RANK))
        masks.append(stream.random((SIZE, SIZE)) < SHOWN)
    found = _completed(
        np.stack(truths), np.stack(masks).astype(float), scale, frozen=arm == "frozen"
    )
    for seed, truth, mask, matrix in zip(seeds, truths, masks, np.asarray(found), strict=True):
        hidden, size = (matrix - truth)[~mask], np.linalg.norm(truth[~mask])
        shown = np.linalg.norm((matrix - truth)[mask]) / np.linalg.norm(truth[mask])
        yield {"seed": seed, "hidden": (np.linalg.norm(hidden) / size) ** 2, "shown": shown**2}


@functools.partial(jax.jit, static_argnames="frozen")
def _completed(truths, masks, scale, frozen: bool):
    """U V' less where it started, from U = V = scale * 1, after descent on the shown entries, or
    its linearization; float64. The rate falls with the scale's square, which multiplies the
    linearization's own."""

    def one(truth, mask):
        first = scale * jnp.eye(SIZE)

        def product(pair):
            left, right = pair
            if frozen:
                return first @ (right - first).T + (left - first) @ first.T
            return left @ right.T - first @ first.T

        def loss(pair):
            return jnp.sum(mask * (product(pair) - truth) ** 2) / 2

        rate = COMPLETION_RATE / jnp.maximum(1.0, scale**2)
        steps = jnp.array([COMPLETION_STEPS])
        found, _, _ = descend(
            loss, jax.grad(loss), (first, first), (rate, rate), None, steps, lambda p, q: ()
        )
        return product(found)

    return jax.vmap(one)(truths, masks)
