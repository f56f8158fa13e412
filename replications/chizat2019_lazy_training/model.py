"""Two-layer networks and the scaled models of Chizat et al. 2019.

    h(w, x) = factor * sum_j b_j sigma(a_j . x),   w = (a_j, b_j)
    F_alpha(w) = R(alpha h(w)) / alpha^2,   R(y) = |y - y*|^2 / 2

Parameters are ({"weight": a of shape (d, m)}, {"weight": b of shape (m, 1)}). The scaled model is
written in z = alpha (w - w_0), whose gradient flow dz/dt = -Dh(w)^T (alpha h(w) - y*) has a limit;
w is recovered as w_0 + z / alpha without loss of digits.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.softplus import softplus

TEACHER_NEURONS = 3
ACTIVATIONS: dict[str, Callable] = {
    "softplus": softplus(),
    "tanh": jnp.tanh,
    "relu": lambda z: jnp.maximum(z, 0),
    "linear": lambda z: z,
}


@functools.cache
def two_layer(activation: str) -> Callable:
    """apply(params, x) -> (N, 1): the sum over neurons, without any factor."""
    sigma = ACTIVATIONS[activation]

    def apply(params, x):
        hidden, readout = params
        return sigma(x @ hidden["weight"]) @ readout["weight"]

    return apply


def initial(generator, dimension: int, neurons: int, *, doubled: bool, dtype=np.float64):
    """a_j, b_j ~ N(0, 1); doubled: the second half repeats a and has -b, so that h(w_0) = 0."""
    count = neurons // 2 if doubled else neurons
    a = generator.standard_normal((dimension, count)).astype(dtype)
    b = generator.standard_normal((count, 1)).astype(dtype)
    if doubled:
        a, b = np.concatenate([a, a], axis=1), np.concatenate([b, -b])
    return {"weight": a}, {"weight": b}


def stacked(starts):
    """Parameters of several seeds as one pytree with a leading axis of seeds."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *starts)


def scaled(params, factor):
    return jax.tree.map(lambda leaf: factor * leaf, params)


class Frozen(NamedTuple):
    """What training in z leaves alone: inputs, w_0, two numbers, and c h(w_0, x) of shape (N, 1).

    c is 1 where a frozen copy is subtracted and 0 where it is not.
    """

    x: jax.Array
    start: tuple
    alpha: jax.Array
    factor: jax.Array
    copy: jax.Array


@functools.cache
def scaled_model(activation: str) -> Callable:
    """outputs(z, frozen) = alpha (h(w_0 + z / alpha) - c h(w_0)), (N, 1)."""
    apply = two_layer(activation)

    def outputs(z, frozen):
        w = jax.tree.map(lambda start, leaf: start + leaf / frozen.alpha, frozen.start, z)
        return frozen.alpha * frozen.factor * (apply(w, frozen.x) - frozen.copy)

    return outputs


@functools.partial(jax.jit, static_argnums=0)
def value_and_slope(activation: str, z):
    """sigma(z) and sigma'(z)."""
    return jax.jvp(ACTIVATIONS[activation], (z,), (jnp.ones_like(z),))


def jacobian(activation: str, params, x) -> np.ndarray:
    """D h(w) of seeds, (S, N, d m + m), for factor 1: first by a (d-major), then by b.

    params have a leading axis of seeds, x is (S, N, d). Analytic: a derivative of N outputs by
    automatic differentiation would take a program for every number of neurons.
    """
    a, b = (np.asarray(layer["weight"]) for layer in params)
    value, slope = map(np.asarray, value_and_slope(activation, x @ a))
    by_a = x[..., None] * (slope * np.swapaxes(b, -1, -2))[..., None, :]
    return np.concatenate([by_a.reshape(*x.shape[:-1], -1), value], axis=-1)


def gram(derivative) -> np.ndarray:
    """The tangent kernel Dh Dh^T, (S, N, N)."""
    return derivative @ np.swapaxes(derivative, -1, -2)
