"""The first moments of training: full batches, float64, steps far below 1 / largest eigenvalue."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from replications.fort2020_kernel_learning.setting import DIMENSION, PAPER, he, normals
from widenets.ntk import random
from widenets.ntk.architecture import erf, fully_connected, relu
from widenets.ntk.data import xnor
from widenets.ntk.dynamics import gradient_descent, kernel_flow, linearize, squared_error
from widenets.ntk.empirical import dense_kernels
from widenets.ntk.similarity import distance

POINTS, STEP = 64, 1e-5  # learning rate in units of the points over the largest eigenvalue
MEAN = squared_error("mean")
ACTIVATIONS = {"erf": erf, "relu": relu}


@functools.cache
def network(activation: str):
    return fully_connected(
        depth=3,
        width=48,
        weight_variance=2.0,
        activation=ACTIVATIONS[activation](),
        parameterization="standard",
    )


def departures(arm: str, activation: str, times, seeds: tuple[int, ...]):
    """(D, S), each (seeds, times).

    D = |f - f_lin| / |f - f_0| on the points, S = 1 - cos(K_0, K). arms: theory, gradient descent
    and its linearization; walk: every parameter walks at random, and f_lin is f_0 + J dtheta.
    """
    names = (PAPER, "early", arm, activation)
    tasks = [xnor(random.generator(seed, *names, "data"), POINTS, DIMENSION) for seed in seeds]
    x, y = (np.stack(part) for part in zip(*tasks, strict=True))
    start = he(normals(network(activation), seeds, DIMENSION, *names[1:], "weights"), np.float64)
    # As often as there are times: one compiled program for the start and the path.
    still = jax.tree.map(lambda leaf: jnp.repeat(leaf[:, None], len(times), axis=1), start)
    first, kernel = _observed(still, x, activation)
    if arm == "theory":
        path, lines = _descent(activation, start, (first, kernel), x, y[..., None], times)
    else:
        path = _walk(start, times, [random.generator(seed, *names, "steps") for seed in seeds])
        lines = _tangents(start, path, x, activation)
    values, kernels = _observed(path, x, activation)
    return _norm(values - lines) / _norm(values - first), distance(kernel, kernels)


@functools.partial(jax.jit, static_argnums=2)
def _each(path, x, activation: str):
    net = network(activation)

    def one(params, x):
        return jax.lax.map(lambda p: (net.apply(p, x), dense_kernels(net, p, x).ntk), params)

    return jax.lax.map(lambda both: one(*both), (path, x))


def _observed(path, x, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (seeds, times, N, 1) and kernels (seeds, times, N, N) along a path."""
    return tuple(map(np.asarray, _each(path, x, activation)))


@functools.partial(jax.jit, static_argnums=3)
def _tangents(start, path, x, activation: str):
    """f_0 + J (theta - theta_0) along a path, (seeds, times, N, 1)."""

    def one(start, path, x):
        linear = linearize(network(activation).apply, start)
        return jax.vmap(lambda params: linear(params, x))(path)

    return jax.vmap(one)(start, path, x)


def _parameters(params, _):
    return params


def _descent(activation, start, at_start, x, y, times):
    """The path of gradient descent, and the linearization's outputs in closed form."""
    (first, kernel), steps = at_start, list(times)
    rates = STEP * POINTS / np.linalg.eigvalsh(kernel[:, 0])[:, -1]
    run = gradient_descent(
        network(activation).apply,
        start,
        x,
        y,
        loss=MEAN,
        learning_rate=jax.tree.map(lambda _: rates, start),
        record=steps,
        observe=_parameters,
        seeds=True,
        shared_data=False,
    )
    lines = [
        kernel_flow(
            kernel[index, 0],
            y[index],
            steps,
            normalization="mean",
            learning_rate=rate,
            method="descent",
            initial=first[index, 0],
        ).train
        for index, rate in enumerate(rates)
    ]
    return run.observed, np.stack(lines)


def _walk(start, times, streams):
    """A normal step of every parameter per unit of time, leaves (seeds, times, ...)."""
    gaps = np.sqrt(np.diff([0, *times]))

    def walked(leaf):
        leaf = np.asarray(leaf)
        shape = (len(times), *leaf.shape[1:])
        steps = np.stack([stream.standard_normal(shape) for stream in streams])
        lengths = STEP * gaps.reshape(1, -1, *[1] * (leaf.ndim - 1))
        return leaf[:, None] + np.cumsum(lengths * steps, axis=1)

    return jax.tree.map(walked, start)


def _norm(values) -> np.ndarray:
    return np.linalg.norm(np.asarray(values), axis=(-2, -1))
