"""Asymptotic laws in closed form, and two recursions that need no kernel. numpy, float64."""

import numpy as np

from widenets.ntk.signal import FixedPoint

RELU_LOGARITHM = 3 / 8  # of ln(l) / l in Theta_ab / Theta_aa = 1/4 + ..., derived in the README
GRID = np.arange(-30, 30.01, 0.05)  # of u in integrals of tanh'(u)^2 and 1 - tanh(u)^2


def relu_rate(skip: float, law: str) -> float:
    """Growth per layer of (1 - c)^(-1/2): sqrt(2) / (3 pi), times a / (1 + a) in blocks x + W relu.

    law: plain, skip, or first_power (1 - c itself, not its root, grows by (1 + a) / a).
    """
    power = {"plain": 0.0, "skip": 1.0, "first_power": 0.5}[law]
    share = skip / (1 + skip) if skip else 1.0
    return np.sqrt(2) / (3 * np.pi) * share**power


def smooth_logarithm(rest: FixedPoint) -> float:
    """The coefficient of ln(l) / l in Theta_ab / Theta_aa - 1/3: (1 - 2 C''' / (3 C''^2)) / 3."""
    return (1 - 2 * rest.third / (3 * rest.second**2)) / 3


def off_diagonal_limit(rest: FixedPoint) -> float:
    """q* c* / (1 - chi_c), where Theta_ab goes in both phases; it has no limit at the edge."""
    if rest.chi_c >= 1:
        return np.inf
    return rest.variance * (1 - rest.gap) / (1 - rest.chi_c)


def first_arc_cosine(c):
    """kappa_1(c) = (sin th + (pi - th) cos th) / pi, cos th = c: correlation after a ReLU layer."""
    angle = np.arccos(np.clip(c, -1, 1))
    return (np.sin(angle) + (np.pi - angle) * c) / np.pi


def scaled_branches(c: np.ndarray, a: float, steps: int = 500) -> np.ndarray:
    """c(1) for dc/dt = a (kappa_1(c) - c), c(0) = c, by the classical Runge-Kutta rule."""

    def slope(at):
        return a * (first_arc_cosine(at) - at) / steps

    for _ in range(steps):
        one = slope(c)
        two = slope(c + one / 2)
        three = slope(c + two / 2)
        c = c + (one + 2 * two + 2 * three + slope(c + three)) / 6
    return c


def tanh_blocks(weights: float, biases: float, depths) -> np.ndarray:
    """ln E|g^0|^2 / |g^l|^2 of h + W tanh(h) + b at these depths, from q = 1 on; shape of depths.

    q' = q + sw2 E[tanh^2] + sb2 and |g|^2 grows by 1 + sw2 E[tanh'^2] per layer. Trapezoid sums
    in u, not in u / sqrt(q): tanh' is as narrow as ever when q is large.
    """
    slope = 1 - np.tanh(GRID) ** 2
    variance, total, found = 1.0, 0.0, []
    for depth in range(max(depths) + 1):
        if depth in depths:
            found.append(total)
        density = np.exp(-(GRID**2) / (2 * variance)) * 0.05 / np.sqrt(2 * np.pi * variance)
        total += np.log1p(weights * (density @ slope**2))
        variance += weights * (1 - density @ slope) + biases
    return np.array(found)
