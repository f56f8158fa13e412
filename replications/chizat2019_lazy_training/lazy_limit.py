"""Theorems 2.2 and 2.4: descent on F_alpha beside the linearized path, seeds together, float64.

Model and linearization take the same steps, 1/2 over the largest eigenvalue of the tangent kernel.
The linearized steps have a closed form: with Dh Dh^T = U diag(lambda) U^T and f_0 = alpha h(w_0),

    y - f(t) = U (1 - step lambda)^t U^T (y - f_0)
    z(t)     = Dh^T U [1 - (1 - step lambda)^t] / lambda  U^T (y - f_0).
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from replications.chizat2019_lazy_training.model import (
    Frozen,
    gram,
    initial,
    jacobian,
    scaled_model,
    stacked,
    two_layer,
)
from widenets.ntk import data, random
from widenets.ntk.dynamics import gradient_descent, logistic, squared_error

RECORDS = 60
# Seeds whose paths are held at once, each in several copies: RECORDS times all weights, or as many
# times as a decay is looked at.
TOGETHER, DECAYS_TOGETHER = 32, 8
LOSSES = {"square": squared_error("sum"), "logistic": logistic("sum")}
READOUTS = {"gaussian": np.positive, "positive": np.abs, "sign": np.sign}


class Problem(NamedTuple):
    """Weights with a leading axis of seeds, inputs (S, N, d), targets (S, N) of |y*| = sqrt(N)."""

    start: tuple
    x: np.ndarray
    y: np.ndarray


def drawn(names, dimension, neurons, points, seeds, *, doubled=False, readout="gaussian"):
    """A draw of weights and of data per seed, from the streams `names`; sign: b_j = +-1."""
    starts, inputs, targets = [], [], []
    for seed in seeds:
        weights = random.generator(seed, "chizat2019", *names, "weights", neurons)
        hidden, last = initial(weights, dimension, neurons, doubled=doubled)
        starts.append((hidden, {"weight": READOUTS[readout](last["weight"])}))
        generator = random.generator(seed, "chizat2019", *names, "data")
        inputs.append(data.sphere(generator, points, dimension))
        targets.append(generator.choice([-1.0, 1.0], points))
    return Problem(stacked(starts), np.stack(inputs), np.stack(targets))


def descended(activation, problem, alpha, factor, copies, step, record, loss="square"):
    """f (S, R, N) and z (S, R, p) at the recorded steps, and w at the last one.

    copies: 1 where h(w_0) is subtracted, 0 where it is not.
    """
    count = len(problem.y)
    frozen = Frozen(
        jnp.asarray(problem.x),
        jax.tree.map(jnp.asarray, problem.start),
        jnp.full(count, alpha),
        jnp.full(count, factor),
        jnp.asarray(copies * first_outputs(activation, problem)[..., None]),
    )
    found = gradient_descent(
        scaled_model(activation),
        jax.tree.map(jnp.zeros_like, frozen.start),
        frozen,
        jnp.asarray(problem.y[..., None]),
        loss=LOSSES[loss],
        learning_rate=jnp.asarray(step),
        record=record,
        observe=_watcher(activation),
        context=frozen,
        seeds=True,
        shared_data=False,
    )
    f, z = jax.tree.map(np.asarray, found.observed)
    end = jax.tree.map(lambda start, leaf: start + leaf[:, -1] / alpha, problem.start, z)
    flat = [leaf.reshape(*leaf.shape[:2], -1) for leaf in jax.tree.leaves(z)]
    return f, np.concatenate(flat, axis=-1), end


@functools.cache
def _watcher(activation):
    model = scaled_model(activation)
    return lambda z, _, frozen: (model(z, frozen)[:, 0], z)


def first_outputs(activation, problem) -> np.ndarray:
    """sum_j b_j sigma(a_j . x), (S, N)."""
    return np.asarray(_apply(activation, problem.start, problem.x))


@functools.partial(jax.jit, static_argnums=0)
def _apply(activation, start, x):
    return jax.vmap(two_layer(activation))(start, x)[..., 0]


def linearized(derivative, y, first, step, record):
    """f (S, R, N) and z (S, R, p) of the linearized model from alpha h(w_0) = first (S, N).

    derivative: Dh(w_0), (S, N, p), of full rank N.
    """
    eigenvalues, vectors = np.linalg.eigh(gram(derivative))
    decay = np.log1p(-step[:, None] * eigenvalues)[:, None, :] * np.asarray(record)[:, None]
    parts = np.einsum("snk,sn->sk", vectors, y - first)[:, None, :]
    turned_back = np.swapaxes(vectors, -1, -2)
    f = y[:, None, :] - (np.exp(decay) * parts) @ turned_back
    z = (-np.expm1(decay) / eigenvalues[:, None, :] * parts) @ turned_back @ derivative
    return f, z


def linear_descent(derivative, y, first, step, record, loss):
    """As `linearized`, step for step, for a loss without closed form."""
    found = gradient_descent(
        _linear,
        jnp.zeros((len(y), derivative.shape[-1])),
        (jnp.asarray(derivative), jnp.asarray(first)),
        jnp.asarray(y[..., None]),
        loss=LOSSES[loss],
        learning_rate=jnp.asarray(step),
        record=record,
        observe=_position,
        seeds=True,
        shared_data=False,
    )
    z = np.asarray(found.observed)
    return first[:, None] + z @ np.swapaxes(derivative, -1, -2), z


def _linear(z, model):
    derivative, first = model
    return (first + derivative @ z)[:, None]


def _position(z, _):
    return z


def suprema(problem, activation, alpha, copies, steps, loss="square") -> dict[str, np.ndarray]:
    """Largest distances on the way and changes at the end for h / sqrt(m), (S,) each.

    Seeds go by in blocks, so that memory does not grow with their number.
    """
    found = [
        _suprema(block, activation, alpha, copies, steps, loss)
        for block in _blocks(problem, TOGETHER)
    ]
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def _blocks(arrays, together: int) -> Iterator:
    """A few seeds at a time of arrays with a leading axis of seeds."""
    for first in range(0, len(jax.tree.leaves(arrays)[0]), together):
        yield jax.tree.map(lambda leaf, i=first: leaf[i : i + together], arrays)


def _suprema(problem, activation, alpha, copies, steps, loss) -> dict[str, np.ndarray]:
    factor = problem.start[1]["weight"].shape[1] ** -0.5
    derivative = factor * jacobian(activation, problem.start, problem.x)
    kernel = gram(derivative)
    step = 0.5 / np.linalg.eigvalsh(kernel)[:, -1]
    record = np.unique(np.geomspace(1, steps, RECORDS).astype(int))
    f, z, end = descended(activation, problem, alpha, factor, copies, step, record, loss)
    first = alpha * factor * (1 - copies) * first_outputs(activation, problem)
    if loss == "square":
        linear_f, linear_z = linearized(derivative, problem.y, first, step, record)
    else:
        linear_f, linear_z = linear_descent(derivative, problem.y, first, step, record, loss)
    change = gram(factor * jacobian(activation, end, problem.x)) - kernel
    hidden = [problem.x @ layers[0]["weight"] for layers in (problem.start, end)]
    distance = _supremum(z) / alpha
    return {
        "distance": distance,
        "relative_distance": distance / _length(problem.start),
        "path_gap": _supremum(z - linear_z) / alpha,
        "output_gap": _supremum(f - linear_f),
        "kernel_change": _size(change) / _size(kernel),
        "flips": np.mean(np.sign(hidden[0]) != np.sign(hidden[1]), axis=(1, 2)),
    }


class Decay(NamedTuple):
    """|f - y*| (S, R) at times (S, R), and the eigenvalues of the first kernel (S, N), rising."""

    problem: Problem
    eigenvalues: np.ndarray
    time: np.ndarray
    residual: np.ndarray


@functools.lru_cache(maxsize=8)
def decay(alpha, dimension, neurons, points, steps, seeds) -> Decay:
    """Descent of a softplus network, every tenth step."""
    problem = drawn(("rate",), dimension, neurons, points, seeds)
    factor = neurons**-0.5
    derivative = factor * jacobian("softplus", problem.start, problem.x)
    eigenvalues = np.linalg.eigvalsh(gram(derivative))
    step = 0.5 / eigenvalues[:, -1]
    record = np.arange(0, steps + 1, 10)
    blocks = _blocks((problem, step), DECAYS_TOGETHER)
    paths = [
        descended("softplus", block, alpha, factor, 1.0, some, record)[0] for block, some in blocks
    ]
    residual = np.linalg.norm(np.concatenate(paths) - problem.y[:, None, :], axis=-1)
    return Decay(problem, eigenvalues, record * step[:, None], residual)


def _supremum(path) -> np.ndarray:
    """sup over time of the norm, (S,), of (S, R, p)."""
    return np.linalg.norm(path, axis=-1).max(axis=1)


def _length(params) -> np.ndarray:
    """|w| of every seed, (S,)."""
    leaves = jax.tree.leaves(params)
    return np.sqrt(sum(np.sum(leaf**2, axis=tuple(range(1, leaf.ndim))) for leaf in leaves))


def _size(matrix) -> np.ndarray:
    return np.linalg.norm(matrix, axis=(-2, -1))
