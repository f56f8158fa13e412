"""Deep networks of the sequel (Du et al. 2019): their limit, layer by layer, and the finite ones.

Arms: fully_connected (cos: smooth, analytic, chi = c_sigma E sigma'^2 = tanh 1 = 0.76), relu (fully
connected, chi = 1), residual (cos; x + V sigma(W x) / H, where V, the only addition to the paper's
block, keeps the branch uncorrelated with the skip), residual_root (the same with 1 / sqrt(H)).
"""

import bisect
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from replications.du2018_convergence.problem import limit_kernels
from widenets.ntk.architecture import Architecture, cos, dense, relu, repeat, residual, serial
from widenets.ntk.data import sphere
from widenets.ntk.empirical import layer_ntk
from widenets.ntk.random import generator

# exponent of H in the variance of a residual branch: branches of size 1/H, 1/sqrt(H)
BRANCHES = {"residual": -2.0, "residual_root": -1.0}
# 1 / E sigma(z)^2: the weight variance c_sigma that keeps unit variance through the layers
PRESERVING = {"relu": 2.0, "cos": 2 / (1 + np.exp(-2.0))}


def deep_limit(arm: str, depth: int, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K^(H), tangent kernel of the whole network), both (count, count), for `depth` layers."""
    if depth == 1:
        activation = "relu" if arm == "relu" else "cos"
        first, readout = limit_kernels(inputs, activation)
        return PRESERVING[activation] * first, PRESERVING[activation] * (first + readout)
    last, tangent = np.asarray(_limits(arm, depth, np.sqrt(inputs.shape[1]) * inputs))
    return last, tangent


@partial(jax.jit, static_argnums=0)
def _limits(arm: str, depth, inputs):
    """Of the last hidden layer alone and of all; one compilation for every depth from 2 on."""

    def ntk(others):
        return deep_network(arm, depth, 1, others).limit(inputs, None).ntk

    return jax.vmap(ntk)(jnp.array([0.0, 1.0]))


def deep_network(arm: str, depth: int, width: int, others=1.0) -> Architecture:
    """At least two hidden layers (traced: the limit alone); features of the residual network are
    scaled by c_sigma where they are read. others: whether all but the last one's W are trained.
    """
    sigma = relu() if arm == "relu" else cos()
    variance = PRESERVING["relu" if arm == "relu" else "cos"]

    def block(trained):
        inner = serial(dense(width, variance, trained=trained), sigma)
        if arm not in BRANCHES:
            return inner
        return residual(serial(inner, dense(width, depth ** BRANCHES[arm], trained=others)))

    below = block(others)
    below = [below] * (depth - 2) if isinstance(depth, int) else [repeat(below, depth - 2)]
    return serial(
        dense(width, trained=others), sigma, *below, block(True), dense(1, variance, trained=others)
    )


def finite_gram(
    arm: str, depth: int, width: int, inputs: np.ndarray, draw: np.random.Generator
) -> np.ndarray:
    """K^(H) of one finite network at initialization, (count, count): <df/dW_i, df/dW_j> for the
    weights W of the last hidden layer; its expectation tends to `deep_limit`. float64."""
    gain = np.sqrt(PRESERVING["relu" if arm == "relu" else "cos"] / width)
    value = (lambda h: np.maximum(h, 0)) if arm == "relu" else np.cos
    slope = (lambda h: h > 0) if arm == "relu" else (lambda h: -np.sin(h))
    read, back = inputs, 1.0
    hidden = read @ draw.standard_normal((inputs.shape[1], width))
    features = value(hidden)
    for _ in range(depth - 1):
        read = gain * features
        hidden = read @ draw.standard_normal((width, width))
        if arm == "residual":
            back = draw.standard_normal((width, width)) / (depth * np.sqrt(width))
            features = features + value(hidden) @ back
        else:
            features = value(hidden)
    signal = back @ draw.standard_normal(width) if np.ndim(back) else draw.standard_normal(width)
    deltas = gain * slope(hidden) * signal
    return layer_ntk(read @ read.T, deltas)


def deep_data(arm: str, seed: int, count: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    draw = generator(seed, "du", arm, "deep", count, dimension)
    return sphere(draw, count, dimension), draw.standard_normal(count)


def steps_to(target: float, contraction: np.ndarray, parts: np.ndarray) -> int:
    """First step at which sum parts contraction^(2 step) is at most `target` of its start."""

    def reached(step: int) -> bool:
        return contraction ** (2 * step) @ parts <= target * np.sum(parts)

    late = 1
    while not reached(late):
        late *= 2
        if late > 2**40:
            raise ValueError(f"no descent to {target} of the loss within {late} steps")
    return bisect.bisect_left(range(late), True, key=reached)
