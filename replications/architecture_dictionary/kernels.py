"""Kernels between given inputs, and what regression with them does; numpy, float64.

Relu layers have He's variance 2 / fan-in and no bias, unless one is a feature of the input: a
covariance keeps its diagonal from layer to layer. Of the first layer it is x.x', whatever the
dimension, which the library divides by: its weight variance is the dimension times the others'.
"""

from functools import partial

import jax
import numpy as np

from widenets.ntk import architecture
from widenets.ntk.architecture import Architecture, dense, repeat, serial

Pair = tuple[np.ndarray, np.ndarray]  # covariance and tangent kernel


def relu_network(dimension: int, depth: int) -> Architecture:
    """So many hidden relu layers."""
    layer = serial(architecture.relu(), dense(1, 2.0))
    return serial(dense(1, dimension), repeat(layer, depth))


def erf_network(dimension: int, depth: int, weights: float, biases: float) -> Architecture:
    """So many hidden erf layers, with these variances in every layer."""
    layer = serial(architecture.erf(), dense(1, weights, biases))
    return serial(dense(1, weights * dimension, biases), repeat(layer, depth))


def pair(network: Architecture, *inputs: np.ndarray) -> Pair:
    """Both kernels between inputs (N, d), or those of two sets."""
    covariance, tangent = network.kernel(*inputs)
    return np.asarray(covariance), np.asarray(tangent)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _of_any_depth(dimension: int, weights: float, biases: float, depth: int, *inputs: np.ndarray):
    return tuple(erf_network(dimension, depth, weights, biases).kernel(*inputs))


def erf_pair(
    dimension: int, depth: int, weights: float, biases: float, *inputs: np.ndarray
) -> Pair:
    """`pair` of an `erf_network`, compiled once for all depths."""
    covariance, tangent = _of_any_depth(dimension, weights, biases, depth, *inputs)
    return np.asarray(covariance), np.asarray(tangent)


def _turned(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A unit vector, and those at these angles to it, a row each."""
    t = np.ravel(angle)
    return np.array([[1.0, 0.0]]), np.stack([np.cos(t), np.sin(t)], axis=1)


def relu_of_angle(angle: np.ndarray, depth: int) -> Pair:
    """Both kernels between unit vectors at the given angles."""
    covariance, tangent = pair(relu_network(2, depth), *_turned(angle))
    return covariance.reshape(np.shape(angle)), tangent.reshape(np.shape(angle))


def erf_of_angle(angle: np.ndarray, depth: int) -> Pair:
    """Both kernels between unit vectors at the given angles, over those at 0, unit variances."""
    with_zero = np.append(np.ravel(angle), 0.0)
    covariance, tangent = (
        (of[0, :-1] / of[0, -1]).reshape(np.shape(angle))
        for of in erf_pair(2, depth, 1.0, 0.0, *_turned(with_zero))
    )
    return covariance, tangent


def on_a_line(places: np.ndarray, data: np.ndarray, name: str) -> np.ndarray:
    """Kernel between places and data on [-1, 1], (places, data).

    relu, erf: tangent kernels of one hidden layer on (x, 1); spline: min(x + 2, x' + 2).
    """
    if name == "spline":
        return np.minimum(places[:, None], data) + 2
    inputs = (np.stack([points, np.ones_like(points)], axis=1) for points in (places, data))
    if name == "relu":
        return pair(relu_network(2, 1), *inputs)[1]
    return erf_pair(2, 1, 1.0, 0.0, *inputs)[1]


def convolution(one: np.ndarray, two: np.ndarray, *, pooled: bool) -> np.ndarray:
    """Tangent kernel of a circular 3 x 3 convolution, relu and a dense read-out, (N1, N2).

    one, two: images (N, rows, columns). Each position sees its patch as a dense network sees an
    input; the read-out takes the mean over all pairs of positions if pooled, else over equal ones.
    """
    patches = []
    for images in (one, two):
        shifts = [np.roll(images, (i, j), axis=(1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        patches.append(np.stack(shifts, axis=-1).reshape(-1, len(shifts)) / 3)
    positions = one[0].size
    pairs = pair(relu_network(patches[0].shape[1], 1), *patches)[1]
    pairs = pairs.reshape(len(one), positions, len(two), positions)
    return pairs.mean(axis=(1, 3)) if pooled else np.einsum("ipjp->ij", pairs) / positions


def condition(kernel: np.ndarray) -> float:
    """Largest over smallest eigenvalue."""
    values = np.linalg.eigvalsh(kernel)
    return float(values[-1] / values[0])


def interpolate(kernel: np.ndarray, train: int, labels: np.ndarray) -> np.ndarray:
    """Values of the interpolant of least norm at the points after the first `train`."""
    solution = np.linalg.lstsq(kernel[:train, :train], labels, rcond=1e-12)[0]
    return kernel[train:, :train] @ solution
