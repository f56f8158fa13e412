"""The paper's network: dense layers in NTK parameterization, normalised activation.

    z_1 = x W_1 / sqrt(d),   z_{l+1} = sigma(z_l) W_{l+1} / sqrt(h),   f = z_{L+1},   W ~ N(0, 1)
    F = alpha (f - f_0)

sigma is softplus (sharpness 5) times the constant that gives E sigma(N(0,1))^2 = 1. The
displacement u = w - w_0 is what is trained. All of it is float64: F is alpha times a difference.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.integrate import quad

from replications.geiger2020_scale_transition.flow import Flowed, flow, soft_hinge_slope
from widenets.ntk import random
from widenets.ntk.architecture import dense, pointwise, serial
from widenets.ntk.empirical import dense_kernels
from widenets.ntk.softplus import softplus

SHARPNESS = 5.0  # beta of the softplus activation


def _unit_second_moment(function) -> float:
    """c with E (c function(z))^2 = 1 for z ~ N(0, 1)."""
    density = lambda z: function(z) ** 2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)  # noqa: E731
    return 1 / np.sqrt(quad(density, -12, 12, points=[0.0], epsabs=1e-13, limit=200)[0])


SOFTPLUS_SCALE = _unit_second_moment(lambda z: np.logaddexp(0, SHARPNESS * z) / SHARPNESS)


class Model(NamedTuple):
    """What is trained and how F is made of it; numbers, so that one program serves all models."""

    subtract: float = 1.0  # F = alpha (f - subtract f_0)
    hidden: float = 1.0  # factor on the speed of the hidden layers: 0 trains the read-out alone
    bias: bool = False  # hidden layers have biases, N(0, 1) at the start and trained
    sharpness: float = SHARPNESS
    scale: float = SOFTPLUS_SCALE
    smallest_move: float = 0.0  # of a step, relative to the distance gone (`flow`)


# Relu is a softplus that is sharper than any |z| met. No step is short enough to see its kinks as
# smooth, so the shortest ones pass them: at 3e-3 instead of 1e-2 the kernel's change is the same
# within 2 %.
RELU = Model(sharpness=1e12, scale=float(np.sqrt(2)), smallest_move=1e-2)


def activation(model: Model):
    """sigma: scale times softplus, elementwise."""
    return softplus(model.sharpness, model.scale)


def initial_weights(seed: int, depth: int, width: int, dimension: int, *, net=0, bias=False):
    """Weights of net number `net` of a seed: a tuple of layers dict(weight=(fan_in, fan_out)),
    with bias=(fan_out,) in the hidden ones if they have biases; float64.

    One hidden layer: a seed has one endless row of neurons, and its nets of width h are
    consecutive blocks of h. The first k of them together are its first net of width k h, and
    f_kh = sum f_h / sqrt(k): what is linear in the fluctuations is the same for the nets of width h
    on average as for the one of width k h, and leaves no noise in a comparison of widths.
    """
    names = ("geiger2020", "weights", depth)
    if depth == 1:
        draw, size = random.generator(seed, *names), dimension + 1 + bias
        neurons = draw.standard_normal(((net + 1) * width, size))[net * width :]
        hidden = {"weight": neurons[:, :dimension].T.copy()}
        if bias:
            hidden["bias"] = neurons[:, -1].copy()
        return hidden, {"weight": neurons[:, dimension, None].copy()}
    draw = random.generator(seed, *names, width, net)
    sizes = itertools.pairwise((dimension, *[width] * depth, 1))
    weights = tuple({"weight": draw.standard_normal(shape)} for shape in sizes)
    if bias:
        hidden = [layer | {"bias": draw.standard_normal(width)} for layer in weights[:-1]]
        weights = (*hidden, weights[-1])
    return weights


def apply(model, weights, x):
    """f at inputs x (N, d), shape (N,)."""
    for layer in weights[:-1]:
        x = activation(model)(_dense(layer, x))
    return _dense(weights[-1], x)[:, 0]


def _dense(layer, x):
    z = x @ layer["weight"] / jnp.sqrt(jnp.asarray(layer["weight"].shape[0], x.dtype))
    return z + layer["bias"] if "bias" in layer else z


def preactivations(model, weights, x) -> list:
    """z_1, ..., z_L at inputs x, each (N, h)."""
    found = []
    for layer in weights[:-1]:
        found.append(_dense(layer, x))
        x = activation(model)(found[-1])
    return found


def velocity(model: Model, weights, x, targets, alpha):
    """The function u -> (F, du/dt) of gradient flow on L = mean l(y F) / alpha^2.

    u is the displacement of all weights as one vector: few large operations compile fast.
    """
    start, unflatten = ravel_pytree(weights)
    f_0 = model.subtract * apply(model, weights, x)
    readout = weights[-1]["weight"].size
    trained = jnp.ones_like(start).at[:-readout].set(model.hidden)

    def of(displacement):
        f, pull_back = jax.vjp(lambda u: apply(model, unflatten(start + u), x), displacement)
        outputs = alpha * (f - f_0)
        slope = soft_hinge_slope(targets * outputs) * targets / (alpha * targets.size)
        (gradient,) = pull_back(slope)
        return outputs, -trained * gradient

    return of


def train(model: Model, weights, x, targets, alpha, **control) -> Flowed:
    """Gradient flow of one network from `weights`; its state is the displacement, a vector.

    control: tolerance, max_steps, largest_change and end_time of the Euler steps (`flow`).
    """
    start = jnp.zeros_like(ravel_pytree(weights)[0])
    velocity_of = velocity(model, weights, x, targets, alpha)
    return flow(velocity_of, start, targets, smallest_move=model.smallest_move, **control)


def moved(weights, displacement):
    """The weights after a displacement that is given as one vector."""
    start, unflatten = ravel_pytree(weights)
    return unflatten(start + displacement)


def kernel(model: Model, weights, x1, x2=None):
    """Tangent kernel of f in the weights that train: of the read-out, and of the hidden layers."""
    hidden, sigma = dense(1, 1.0, 1.0), pointwise(activation(model))
    network = serial(*[hidden, sigma] * (len(weights) - 1), dense(1))
    params = [own for layer in weights[:-1] for own in (layer, ())]
    kernels = dense_kernels(network, (*params, weights[-1]), x1, x2)
    return kernels.nngp + model.hidden * (kernels.ntk - kernels.nngp)


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
