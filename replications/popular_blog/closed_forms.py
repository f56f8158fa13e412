"""Exact laws of the page's networks, and its recursion over depth.

On the line without a bias a relu sees the sign of x alone: f = c_+ x for x > 0 and c_- x for x < 0,
with c = scale a.W over the neurons of that sign, and K(x, x') = S x x' with S = (|W|^2 + |a|^2) / m
within one sign, 0 across.
"""

import numpy as np

from widenets.ntk.architecture import Kernels, dense, relu, repeat, serial

TEXT, CODE = 2.0, 1.0  # variance of the weights in the page's formula, and in its code


def variation(width: int) -> float:
    """Root of E |K_1 - K_2|^2 / |K_limit|^2 over two draws of the page's network.

    2 Var S / (E S)^2 with E S = 1 in the limit and, for a ~ N(0, 1/m),
    m Var S = E[W^4] / 2 + ... - (1 + 1/(2m))^2 = 5 + 1/m + 5/(4 m^2).
    """
    return float(np.sqrt(2 * (5 + 1 / width + 1.25 / width**2) / width))


def growth(strength: np.ndarray, start: np.ndarray, end: np.ndarray, width: int) -> np.ndarray:
    """S / S_0 - 1 after gradient flow has taken c from `start` to `end`, at the scale m^-1/2.

    da = -g W dt and dW = -g a dt keep (|W|^2 + |a|^2)^2 - 4 (a.W)^2 constant, so that
    S^2 = S_0^2 + 4 (c^2 - c_0^2) / m.
    """
    return np.sqrt(1 + 4 * (end**2 - start**2) / (width * strength**2)) - 1


def floor(x: np.ndarray, y: np.ndarray) -> float:
    """Least sum of (c_+- x - y)^2 / 2: what no width, no depth and no time can go below."""
    halves = np.hstack([np.maximum(x, 0), np.minimum(x, 0)])
    solution = np.linalg.lstsq(halves, y, rcond=None)[0]
    return float(((halves @ solution - y) ** 2).sum() / 2)


def recursion(x: np.ndarray, depth: int, variance: float) -> Kernels:
    """Covariance and tangent kernel after `depth` hidden relu layers; x (N, d).

    Sigma' = variance / (2 pi) |x| |x'| (sin t + (pi - t) cos t), with t the angle in Sigma, and
    Theta' = Sigma' + Theta variance (pi - t) / (2 pi); both begin with x.x', whatever d is.
    """
    layers = repeat(serial(relu(), dense(1, variance)), depth)
    return Kernels(*map(np.asarray, serial(dense(1, x.shape[1]), layers).kernel(x)))


def concentration(kernel: np.ndarray) -> float:
    """Mean of the diagonal over the mean of |K|: what the page calls locality."""
    return float(np.diagonal(kernel).mean() / np.abs(kernel).mean())
