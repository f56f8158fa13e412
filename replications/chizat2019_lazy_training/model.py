"""Two-layer networks and the scaled models of Chizat et al. 2019.

    h(w, x) = factor * sum_j b_j sigma(a_j . x),   w = (a_j, b_j)
    F_alpha(w) = R(alpha h(w)) / alpha^2,   R(y) = |y - y*|^2 / 2

Parameters are ({"weight": a of shape (d, m)}, {"weight": b of shape (m, 1)}). The scaled model is
written in z = alpha (w - w_0), whose gradient flow dz/dt = -Dh(w)^T (alpha h(w) - y*) has a limit;
w is recovered as w_0 + z / alpha without loss of digits.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from shared.ntk.empirical import dense_kernels

ACTIVATIONS: dict[str, Callable] = {
    "softplus": jax.nn.softplus,
    "tanh": jnp.tanh,
    "relu": lambda z: jnp.maximum(z, 0),
}


@functools.cache
def two_layer(activation: str) -> Callable:
    """apply(params, x) -> (N, 1): the sum over neurons, without any factor."""
    sigma = ACTIVATIONS[activation]

    def apply(params, x):
        hidden, readout = params
        return sigma(x @ hidden["weight"]) @ readout["weight"]

    return apply


def initial(key, dimension: int, neurons: int, *, doubled: bool, dtype=jnp.float64):
    """a_j, b_j ~ N(0, 1); doubled: the second half repeats a and has -b, so that h(w_0) = 0."""
    count = neurons // 2 if doubled else neurons
    key_a, key_b = jax.random.split(key)
    a = jax.random.normal(key_a, (dimension, count), dtype)
    b = jax.random.normal(key_b, (count, 1), dtype)
    if doubled:
        a, b = jnp.concatenate([a, a], axis=1), jnp.concatenate([b, -b])
    return {"weight": a}, {"weight": b}


def scaled(params, factor):
    return jax.tree.map(lambda leaf: factor * leaf, params)


@functools.cache
def scaled_model(activation: str, linear: bool) -> Callable:
    """alpha (h(w_0 + z / alpha) - offset h(w_0)), or its linearization, of a state (z, fixed).

    fixed = (w_0, alpha, factor, offset) is not trained: its gradient is zero.
    """
    apply = two_layer(activation)

    def apply_scaled(state, x):
        z, fixed = state
        start, alpha, factor, offset = jax.lax.stop_gradient(fixed)
        shift = jax.tree.map(lambda leaf: leaf / alpha, z)
        if linear:
            value, change = jax.jvp(lambda w: apply(w, x), (start,), (shift,))
            return alpha * factor * ((1 - offset) * value + change)
        here = apply(jax.tree.map(jnp.add, start, shift), x)
        return alpha * factor * (here - offset * apply(start, x))

    return apply_scaled


def state_of(start, alpha, factor, offset):
    """The state (z, fixed) at initialisation."""
    dtype = start[0]["weight"].dtype
    fixed = (start, *(jnp.asarray(value, dtype) for value in (alpha, factor, offset)))
    return jax.tree.map(jnp.zeros_like, start), fixed


def tangent_kernel(activation: str, params, x, factor):
    """Dh Dh^T at params, (N, N)."""
    dimension, neurons = params[0]["weight"].shape
    # dense_kernels divides by the fan-in; these variances undo that.
    kernels = dense_kernels(
        params,
        x,
        activation=ACTIVATIONS[activation],
        weight_variance=float(dimension),
        readout_weight_variance=float(neurons),
    )
    return factor**2 * kernels.ntk
