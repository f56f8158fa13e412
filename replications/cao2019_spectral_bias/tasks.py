"""Inputs, targets and harmonics."""

from typing import NamedTuple

import numpy as np

from widenets.ntk.data import gaussian, normalize_rows, sphere
from widenets.ntk.random import generator
from widenets.ntk.spectra import degree_projector, legendre


class Sample(NamedTuple):
    """Points with the target and the functions that it is held against."""

    inputs: np.ndarray  # (n, D)
    basis: np.ndarray  # (n, degrees): v_k = P_k(<z_k, x>)
    values: np.ndarray  # (n,)


def draw_samples(
    stream, counts, dimension: int, density: str, target: str, degrees, amplitudes
) -> list[Sample]:
    """One sample per count, of the same target with the same random directions z_k."""
    points = [draw_inputs(stream, count, dimension, density) for count in counts]
    one = target != "legendre"  # a function of one <z, x>
    axes = sphere(stream, 1 if one else len(degrees), dimension)
    found = []
    for inputs in points:
        cosines = inputs @ axes.T
        if one:
            cosines = cosines @ np.ones((1, len(degrees)))
        columns = [legendre(dimension, k, cosines[:, i])[k] for i, k in enumerate(degrees)]
        basis = np.stack(columns, axis=1)
        sum_of_degrees = basis @ np.asarray(amplitudes, float)
        values = target_values(target, cosines[:, 0], sum_of_degrees)
        found.append(Sample(inputs, basis, values))
    return found


def random_harmonics(seed, x, weights, degrees) -> np.ndarray:
    """One random function of norm 1 in each degree, summed, on the points of a quadrature."""
    root, total = np.sqrt(weights), np.zeros(len(x))
    for degree in degrees:
        noise = generator(seed, "harmonics", degree).standard_normal(len(x))
        part = degree_projector(x, weights, degree) @ noise
        total += part / np.linalg.norm(part) / root
    return total


def low_harmonics(x: np.ndarray) -> np.ndarray:
    """Orthonormal harmonics of degree 0, 1, 2 at unit vectors, shape (n, 1 + D + (D+2)(D-1)/2)."""
    n, dimension = x.shape
    row, column = np.triu_indices(dimension, 1)
    mixed = np.sqrt(dimension * (dimension + 2)) * x[:, row] * x[:, column]
    squares = np.sqrt(dimension * (dimension + 2) / 2) * x**2 @ _contrasts(dimension)
    return np.concatenate([np.ones((n, 1)), np.sqrt(dimension) * x, mixed, squares], axis=1)


def _contrasts(dimension: int) -> np.ndarray:
    """Orthonormal vectors of sum zero, columns of (D, D-1): entry i against the mean of those below
    it. Written down, because the maximum over harmonics depends on the basis of their degree."""
    columns = np.zeros((dimension, dimension - 1))
    for i in range(dimension - 1):
        below = dimension - 1 - i
        columns[i, i], columns[i + 1 :, i] = 1.0, -1 / below
        columns[:, i] *= np.sqrt(below / (below + 1))
    return columns


def random_rotation(stream, dimension: int) -> np.ndarray:
    """Orthogonal, (D, D), uniform (Haar): Gram-Schmidt of Gaussian columns.

    The signs that a QR leaves open, and libraries choose, are those of the diagonal of R: made
    positive.
    """
    orthogonal, upper = np.linalg.qr(stream.standard_normal((dimension, dimension)))
    return orthogonal * np.sign(np.diag(upper))


def draw_inputs(stream, count: int, dimension: int, density: str) -> np.ndarray:
    """Unit vectors: uniform, piecewise uniform (9:1 between half-spheres), two normalized laws."""
    raw = gaussian(stream, count, dimension)
    if density == "piecewise":
        raw[:, 0] = np.abs(raw[:, 0]) * np.where(stream.random(count) < 0.9, 1, -1)
    elif density == "anisotropic":
        raw *= np.linspace(0.5, 1.5, dimension)
    elif density == "mixture":
        raw[:, 0] += np.where(stream.random(count) < 0.5, 1.5, -1.5)
        raw[:, 1] += 0.75
    elif density != "uniform":
        raise ValueError(f"density {density!r}: want uniform, piecewise, anisotropic or mixture")
    return normalize_rows(raw, 1.0)


def target_values(name: str, cosine: np.ndarray, legendre_sum: np.ndarray) -> np.ndarray:
    if name == "legendre":
        return legendre_sum
    if name == "cosine":
        return 0.2 * (np.cos(4 * cosine) + np.cos(8 * cosine) + np.cos(12 * cosine))
    if name == "polynomial":
        return 0.2 * (cosine**2 + (2 * cosine) ** 4 + (3 * cosine) ** 6)
    raise ValueError(f"target {name!r}: want legendre, cosine or polynomial")
