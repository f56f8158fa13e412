"""The paper's network: dense layers in NTK parameterization, no bias, normalised activation.

    z_1 = x W_1 / sqrt(d),   z_{l+1} = sigma(z_l) W_{l+1} / sqrt(h),   f = z_{L+1},   W ~ N(0, 1)
    F = alpha (f - f_0)

sigma is softplus (sharpness 5) times the constant that gives E sigma(N(0,1))^2 = 1. The
displacement u = w - w_0 is what is trained. All of it is float64: F is alpha times a difference.
"""

import functools
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import quad

from replications.geiger2020_scale_transition.flow import Flowed, flow, soft_hinge_slope
from shared.ntk import random
from shared.ntk.empirical import dense_kernels

SHARPNESS = 5.0  # beta of the softplus activation


def _unit_second_moment(function) -> float:
    """c with E (c function(z))^2 = 1 for z ~ N(0, 1)."""
    density = lambda z: function(z) ** 2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)  # noqa: E731
    return 1 / np.sqrt(quad(density, -12, 12, points=[0.0], epsabs=1e-13, limit=200)[0])


SOFTPLUS_SCALE = _unit_second_moment(lambda z: np.logaddexp(0, SHARPNESS * z) / SHARPNESS)


@jax.custom_jvp
def softplus(z):
    """c softplus_5(z), value and slope from one exponential."""
    return _softplus_and_slope(z)[0]


@softplus.defjvp
def _softplus_jvp(primals, tangents):
    value, slope = _softplus_and_slope(primals[0])
    return value, slope * tangents[0]


def _softplus_and_slope(z):
    e = jnp.exp(-SHARPNESS * jnp.abs(z))
    inverse = 1 / (1 + e)
    value = SOFTPLUS_SCALE * (jnp.maximum(z, 0) + _log1p(e) / SHARPNESS)
    return value, SOFTPLUS_SCALE * jnp.where(z >= 0, inverse, e * inverse)


def _log1p(e):
    """log(1 + e) for 0 <= e <= 1 as 2 artanh(e / (2 + e)); three times as fast as jnp.log1p.

    The series in t = e / (2 + e) <= 1/3 is cut where t^32 is below double precision.
    """
    t = e / (2 + e)
    square, total = t * t, jnp.zeros_like(t)
    for power in range(31, 0, -2):
        total = total * square + 1 / power
    return 2 * t * total


class Model(NamedTuple):
    """What is trained and how F is made of it."""

    subtract: bool = True  # F = alpha (f - f_0), else F = alpha f
    train: str = "all"  # or "readout": the hidden layers stay at their initial values


def initial_weights(seeds, depth: int, width: int, dimension: int) -> tuple:
    """Weights of every seed: a tuple of layers dict(weight=(seeds, fan_in, fan_out)), float64."""
    keys = random.keys(seeds, "geiger2020", "weights", depth, width)
    return _draw(keys, (dimension, *[width] * depth, 1))


@functools.partial(jax.jit, static_argnums=1)
def _draw(keys, sizes):
    def draw(key, index, shape):
        return jax.random.normal(jax.random.fold_in(key, index), shape, jnp.float64)

    return tuple(
        {"weight": jax.vmap(functools.partial(draw, index=index, shape=shape))(keys)}
        for index, shape in enumerate(itertools.pairwise(sizes))
    )


def apply(weights, x):
    """f at inputs x (N, d), shape (N,)."""
    for layer in weights[:-1]:
        x = softplus(_dense(layer, x))
    return _dense(weights[-1], x)[:, 0]


def _dense(layer, x):
    return x @ layer["weight"] / jnp.sqrt(jnp.asarray(layer["weight"].shape[0], x.dtype))


def preactivations(weights, x) -> list:
    """z_1, ..., z_L at inputs x, each (N, h)."""
    found = []
    for layer in weights[:-1]:
        found.append(_dense(layer, x))
        x = softplus(found[-1])
    return found


def add(weights, displacement):
    return jax.tree.map(jnp.add, weights, displacement)


def velocity(model: Model, weights, x, targets, alpha):
    """The function u -> (F, du/dt) of gradient flow on L = mean l(y F) / alpha^2."""
    f_0 = apply(weights, x) if model.subtract else jnp.zeros(x.shape[0], x.dtype)

    def of(displacement):
        f, pull_back = jax.vjp(lambda u: apply(add(weights, u), x), displacement)
        outputs = alpha * (f - f_0)
        slope = soft_hinge_slope(targets * outputs) * targets / (alpha * targets.size)
        (direction,) = pull_back(-slope)
        if model.train == "readout":
            frozen = [jax.tree.map(jnp.zeros_like, layer) for layer in direction[:-1]]
            direction = (*frozen, direction[-1])
        return outputs, direction

    return of


def train(model: Model, weights, x, targets, alpha, **control) -> Flowed:
    """Gradient flow of one network from `weights`; the state is the displacement w - w_0.

    control: tolerance, max_steps and largest_change of the Euler steps (`flow`).
    """
    start = jax.tree.map(jnp.zeros_like, weights)
    return flow(
        velocity(model, weights, x, targets, alpha),
        start,
        targets,
        **control,
    )


def kernel(model: Model, weights, x1, x2=None):
    """Tangent kernel of f; of the read-out weights alone if only they train."""
    kernels = dense_kernels(weights, x1, x2, activation=softplus)
    return kernels.nngp if model.train == "readout" else kernels.ntk


def kernel_flow(frozen, targets, *, tolerance, max_steps: int) -> Flowed:
    """The same flow with the kernel held: dF/dt = -Theta(., X) l'(y F) y / P; F on all points.

    frozen: Theta of shape (N, P), the training points first.
    """
    size = targets.size

    def of(outputs):
        train_outputs = outputs[:size]
        slope = soft_hinge_slope(targets * train_outputs) * targets / size
        return train_outputs, -(frozen @ slope)

    start = jnp.zeros(frozen.shape[0], targets.dtype)
    return flow(of, start, targets, tolerance=tolerance, max_steps=max_steps)
