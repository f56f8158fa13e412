"""Random erf networks of finite width, without their weight matrices.

A Gaussian matrix W is seen by one pass only through products. Given W u = z, its rows are
otherwise free: W^T g = u (g.z) / |u|^2 + |g| (1 - u u^T / |u|^2) eta with a new eta ~ N(0, 1), and
(W u, W v) are Gaussian with the covariance of (u, v). So n numbers per layer give the exact law of
what n^2 weights would give.
"""

import numpy as np
from scipy.special import erf


def erf_slope(z: np.ndarray) -> np.ndarray:
    return 2 / np.sqrt(np.pi) * np.exp(-(z**2))


def gradient_growth(
    stream: np.random.Generator, *, networks: int, width: int, layers: int, weights: float,
    biases: float, variance: float,
) -> np.ndarray:  # fmt: skip
    """|g^0|^2 / |g^L|^2 (networks,) of the gradients by pre-activations, g^L a random direction.

    z^0 ~ N(0, variance), z^{l+1} = sqrt(weights / n) W erf(z^l) + sqrt(biases) b.
    """
    shape = (networks, width)
    z = np.sqrt(variance) * stream.standard_normal(shape)
    seen = []  # (z^l, W erf(z^l)) of every layer
    for _ in range(layers):
        u = erf(z)
        product = np.linalg.norm(u, axis=1, keepdims=True) * stream.standard_normal(shape)
        seen.append((z, u, product))
        noise = stream.standard_normal(shape)
        z = np.sqrt(weights / width) * product + np.sqrt(biases) * noise
    g = stream.standard_normal(shape)
    start = np.sum(g**2, axis=1)
    for z, u, product in reversed(seen):
        square = np.sum(u**2, axis=1, keepdims=True)
        eta = stream.standard_normal(shape) * np.linalg.norm(g, axis=1, keepdims=True)
        along = np.sum(g * product, axis=1, keepdims=True) - np.sum(u * eta, axis=1, keepdims=True)
        g = np.sqrt(weights / width) * erf_slope(z) * (eta + u * along / square)
    return np.sum(g**2, axis=1) / start


def correlations(
    stream: np.random.Generator, *, width: int, layers: int, gap: float, weights: float,
    biases: float, variance: float,
) -> np.ndarray:  # fmt: skip
    """Correlation z_1.z_2 / (|z_1| |z_2|) of two inputs at layers 0..L, (layers + 1,).

    At layer 0 the two are Gaussian of this variance with correlation 1 - gap.
    """
    covariance = variance * np.array([[1, 1 - gap], [1 - gap, 1]])
    bias, found = 0.0, []
    for _ in range(layers + 1):
        z = np.linalg.cholesky(covariance) @ stream.standard_normal((2, width)) + bias
        norms = np.linalg.norm(z, axis=1)
        found.append(z[0] @ z[1] / (norms[0] * norms[1]))
        features = erf(z)
        covariance = weights / width * (features @ features.T)
        bias = np.sqrt(biases) * stream.standard_normal(width)
    return np.array(found)
