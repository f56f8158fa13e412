"""Kernels between given inputs, and what regression with them does; numpy, float64.

Relu layers have He's variance 2 / fan-in and no bias, unless one is a feature of the input: a
covariance keeps its diagonal from layer to layer.
"""

from collections.abc import Iterator

import numpy as np


def relu(inner: np.ndarray, depth: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Covariance and tangent kernel after 1, .., depth hidden relu layers of the inputs' x.x'.

    Sigma' = |x| |x'| (sin t + (pi - t) cos t) / pi, Theta' = Sigma' + Theta (1 - t / pi).
    """
    covariance = tangent = inner
    for _ in range(depth):
        size = np.sqrt(np.diagonal(covariance))
        product = np.outer(size, size)
        cosine = np.clip(covariance / product, -1, 1)
        np.fill_diagonal(cosine, 1)
        angle = np.arccos(cosine)
        slope = 1 - angle / np.pi
        covariance = product * (np.sin(angle) / np.pi + slope * cosine)
        tangent = covariance + tangent * slope
        yield covariance, tangent


def relu_of_angle(angle: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """The same between unit vectors at the given angles, by the angle itself: exact for small ones.

    sin t'/2 follows from 1 - cos t' = (1 - cos t) - (sin t - t cos t) / pi.
    """
    t, tangent = np.asarray(angle, float), np.cos(angle)
    for _ in range(depth):
        lack = 2 * np.sin(t / 2) ** 2 - (np.sin(t) - t * np.cos(t)) / np.pi
        slope = 1 - t / np.pi
        tangent = (1 - lack) + tangent * slope
        t = 2 * np.arcsin(np.sqrt(np.maximum(lack, 0) / 2))
    return np.cos(t), tangent


def erf(
    inner: np.ndarray, depth: int, weights: float, biases: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Covariance and tangent kernel after 1, .., depth hidden erf layers of the inputs' x.x'.

    Affine: Sigma = weights V + biases, Theta = Sigma + weights Theta V', with V and V' the means of
    phi phi and phi' phi': (2 / pi) arcsin(2 Sigma / r) and (4 / pi) / sqrt(r^2 - 4 Sigma^2), where
    r^2 = (1 + 2 q)(1 + 2 q').
    """
    sigma = weights * inner + biases
    tangent = sigma
    for _ in range(depth):
        q = 1 + 2 * np.diagonal(sigma)
        r = np.sqrt(np.outer(q, q))
        slope = 4 / np.pi / np.sqrt(r**2 - 4 * sigma**2)
        sigma = weights * 2 / np.pi * np.arcsin(2 * sigma / r) + biases
        tangent = sigma + weights * tangent * slope
        yield sigma, tangent


def erf_of_angle(angle: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Both kernels between unit vectors at the given angles, over those at 0, unit variances."""
    found = []
    for t in angle:
        inner = np.array([[1.0, np.cos(t)], [np.cos(t), 1.0]])
        *_, pair = erf(inner, depth, 1.0, 0.0)
        found.append([kernel[0, 1] / kernel[0, 0] for kernel in pair])
    covariance, tangent = np.array(found).T
    return covariance, tangent


def on_a_line(places: np.ndarray, data: np.ndarray, name: str) -> np.ndarray:
    """Kernel between places and data on [-1, 1], (places, data).

    relu, erf: tangent kernels of one hidden layer on (x, 1); spline: min(x + 2, x' + 2).
    """
    if name == "spline":
        return np.minimum(places[:, None], data) + 2
    points = np.concatenate([places, data])
    inner = np.outer(points, points) + 1
    ((_, tangent),) = relu(inner, 1) if name == "relu" else erf(inner, 1, 1.0, 0.0)
    return tangent[: len(places), len(places) :]


def convolution(one: np.ndarray, two: np.ndarray, *, pooled: bool) -> np.ndarray:
    """Tangent kernel of a circular 3 x 3 convolution, relu and a dense read-out, (N1, N2).

    one, two: images (N, rows, columns). Each position sees its patch as a dense network sees an
    input; the read-out takes the mean over all pairs of positions if pooled, else over equal ones.
    """
    patches = []
    for images in (one, two):
        shifts = [np.roll(images, (i, j), axis=(1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        patches.append(np.stack(shifts, axis=-1).reshape(-1, len(shifts)) / 3)
    stacked = np.concatenate(patches)
    ((_, tangent),) = relu(stacked @ stacked.T, 1)
    positions = one[0].size
    pairs = tangent[: len(patches[0]), len(patches[0]) :]
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
