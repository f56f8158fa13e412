"""Spherical harmonics on S^(d-1), d the ambient dimension: multiplicities, Legendre polynomials,
quadrature in the angle, and projections on a degree.

Everything rests on the addition theorem, sum_m Y_km(x) Y_km(x') = N(d, k) P_k(<x, x'>) for the
uniform probability measure, so no harmonic is ever written down; see Müller, Spherical Harmonics
(1966), and Atkinson & Han (2012), chapter 2.
"""

from math import comb

import numpy as np
from scipy.special import roots_legendre

__all__ = [
    "angular_quadrature",
    "degree_power",
    "degree_projector",
    "legendre",
    "multiplicities",
    "multiplicity",
    "sphere_grid",
]


def multiplicity(dimension: int, degree: int) -> int:
    """N(d, k) = C(k+d-1, k) - C(k+d-3, k-2), the number of harmonics of one degree."""
    _check(dimension, degree)
    below = comb(degree + dimension - 3, degree - 2) if degree >= 2 else 0
    return comb(degree + dimension - 1, degree) - below


def multiplicities(dimension: int, max_degree: int) -> np.ndarray:
    """N(d, 0..max_degree) as floats (they overflow integers quickly), shape (max_degree+1,)."""
    return np.array([float(multiplicity(dimension, k)) for k in range(max_degree + 1)])


def legendre(dimension: int, max_degree: int, t) -> np.ndarray:
    """P_0..P_max(t) of dimension d with P_k(1) = 1, shape (max_degree+1, *t.shape), float64.

    (k+d-2) P_{k+1} = (2k+d-2) t P_k - k P_{k-1}: stable on [-1, 1], where |P_k| <= 1. For d = 2
    these are the Chebyshev polynomials, for d = 3 the Legendre polynomials.
    """
    _check(dimension, max_degree)
    t = np.asarray(t, dtype=np.float64)
    values = np.ones((max_degree + 1, *t.shape))
    if max_degree >= 1:
        values[1] = t
    for k in range(1, max_degree):
        ahead, behind = 2 * k + dimension - 2, k
        values[k + 1] = (ahead * t * values[k] - behind * values[k - 1]) / (k + dimension - 2)
    return values


def angular_quadrature(dimension: int, nodes: int = 1200) -> tuple[np.ndarray, np.ndarray]:
    """Angles in (0, pi) and weights of the law of the angle between two uniform points.

    Gauss-Legendre in theta with the density sin^(d-2): kernels with sqrt(1-t) singularities at
    the poles (all ReLU kernels) are smooth in the angle, and only there. The weights sum to 1.
    """
    _check(dimension, 0)
    roots, weights = roots_legendre(nodes)
    angles = 0.5 * np.pi * (roots + 1)
    weights = weights * np.sin(angles) ** (dimension - 2)
    return angles, weights / weights.sum()


def sphere_grid(latitudes: int, longitudes: int) -> tuple[np.ndarray, np.ndarray]:
    """Product grid on S^2: points (latitudes*longitudes, 3) and weights that sum to 1.

    Gauss-Legendre in the height, equidistant in longitude: exact for all polynomials of degree
    up to min(2*latitudes, longitudes) - 1. An even number of longitudes makes the grid antipodal.
    """
    heights, weights = roots_legendre(latitudes)
    longitude = 2 * np.pi * np.arange(longitudes) / longitudes
    radius = np.sqrt(1 - heights**2)[:, None]
    points = np.stack(
        [
            radius * np.cos(longitude),
            radius * np.sin(longitude),
            np.broadcast_to(heights[:, None], (latitudes, longitudes)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    return points, np.repeat(weights / (2 * longitudes), longitudes)


def degree_projector(points, weights, degree: int) -> np.ndarray:
    """Pi_k in the sqrt(weight) basis: N sqrt(w_i) P_k(<x_i, x_j>) sqrt(w_j), shape (n, n).

    Symmetric; on a quadrature exact to degree 2k it is the orthogonal projector of rank N(d, k).
    `points` are unit vectors (n, d), `weights` sum to 1.
    """
    points, root = np.asarray(points, np.float64), np.sqrt(np.asarray(weights, np.float64))
    dimension = points.shape[1]
    cosines = np.clip(points @ points.T, -1, 1)
    zonal = legendre(dimension, degree, cosines)[degree]
    return multiplicity(dimension, degree) * root[:, None] * zonal * root[None, :]


def degree_power(values, points, weights, degree: int) -> np.ndarray:
    """Squared norm of the degree-k part of functions on a quadrature: (..., n) -> (...)."""
    scaled = np.asarray(values, np.float64) * np.sqrt(np.asarray(weights, np.float64))
    return np.einsum("...i,...i->...", scaled @ degree_projector(points, weights, degree), scaled)


def _check(dimension: int, degree: int) -> None:
    if dimension < 2:
        raise ValueError(f"the sphere needs an ambient dimension of at least 2, found {dimension}")
    if degree < 0:
        raise ValueError(f"degrees are non-negative, found {degree}")
