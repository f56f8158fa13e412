"""Exact moments of the tangent kernel of networks at finite width, at one input with q = 1.

z^l = sqrt(c / n_(l-1)) W^l x^(l-1), all weights N(0, 1), no bias, hidden widths n_1 .. n_(d-1), one
output; a neuron's gate is open with probability p: c = 2, p = 1/2 (relu), c = p = 1 (linear).
Derivations are in the README, sections 1 to 4. Everything is float64.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from scipy.special import gammaln

OPEN = {"relu": 0.5, "linear": 1.0}  # probability p of an open gate; c = 1 / p


def exponent_constant(activation: str) -> float:
    """3 / p - 1: 5 for relu, 2 for linear networks; what 1 / n_l is multiplied by."""
    return 3 / OPEN[activation] - 1


def growth(widths: Sequence[int], activation: str) -> float:
    """E A_d^2 = prod_l (1 + (3 / p - 1) / n_l), where A_d = |x^(d-1)|^2 / n_(d-1) and E A_d = 1."""
    return float(np.prod([1 + exponent_constant(activation) / n for n in widths]))


def kernel_second_moment(widths: Sequence[int], activation: str) -> float:
    """E Theta(x, x)^2; E Theta = d at every width.

    Theta = sum_l c_l A_l B_l has d terms of mean square `growth`; the product of the terms l < m
    shares the layers between, whose matrix P has F = E |P|_F^4 and G = E tr (P P')^2.
    """
    p, depth = OPEN[activation], len(widths) + 1
    factors = 1 + exponent_constant(activation) / np.asarray(widths, float)
    below = np.concatenate([[1.0], np.cumprod(factors)])  # of the layers 1 .. l
    total = depth * below[-1]
    for low in range(1, depth):
        for high, fourth in enumerate(_fourth_moments(widths[low - 1 :], p), start=low + 1):
            outside = below[low - 1] * below[-1] / below[high - 1]
            total += 2 * outside * fourth / (p * widths[high - 2]) ** 2
    return float(total)


def _fourth_moments(widths: Sequence[int], p: float) -> Iterator[float]:
    """E |P|_F^4 after one, two, ... of these layers, beginning with the gates of the first."""
    n = widths[0]
    frobenius, trace = n * p + n * (n - 1) * p**2, n * p
    yield frobenius
    for before, n in pairwise(widths):
        same, other = n * p / (p * before) ** 2, n * (n - 1) * p**2 / (p * before) ** 2
        frobenius, trace = (
            same * (frobenius + 2 * trace) + other * frobenius,
            same * (frobenius + 2 * trace) + other * trace,
        )
        yield frobenius


def relative_variance(widths: Sequence[int], activation: str) -> float:
    """Var Theta / (E Theta)^2."""
    return kernel_second_moment(widths, activation) / (len(widths) + 1) ** 2 - 1


def velocity(widths: Sequence[int], activation: str) -> float:
    """E[f O_3] = d^2 growth - E Theta^2 = -E dTheta/dt under gradient flow, whatever the label."""
    depth = len(widths) + 1
    return depth**2 * growth(widths, activation) - kernel_second_moment(widths, activation)


def relative_variance_limit(beta: float, activation: str) -> float:
    """Limit of `relative_variance` for d, n -> infinity at fixed beta = sum 1 / n_l > 0.

    2 int_0^1 (1 - s) e^(k beta (1 - s)) F(beta s) ds - 1 with k = 3 / p - 1 and
    F(t) = (e^(k t) + 2 e^-t) / 3.
    """
    k = exponent_constant(activation)
    rest = beta / (k + 1) + np.expm1(-(k + 1) * beta) / (k + 1) ** 2
    return float(np.exp(k * beta) / 3 * (1 + 4 * rest / beta**2) - 1)


def opposite_kernel_mean(width: int) -> float:
    """E Theta(x, -x) of relu networks with two hidden layers, the first of this width.

    (2 / (pi n)) sum_k Bin(n, 1/2)(k) E chi_k E chi_(n-k); 1 / pi in the limit.
    """
    k = np.arange(width + 1)
    chance = np.exp(gammaln(width + 1) - gammaln(k + 1) - gammaln(width - k + 1)) / 2.0**width
    half = np.maximum(k, 1) / 2
    chi = np.where(k > 0, np.sqrt(2) * np.exp(gammaln(half + 0.5) - gammaln(half)), 0.0)
    return float(2 / (np.pi * width) * np.sum(chance * chi * chi[::-1]))
