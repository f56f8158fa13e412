"""Closed forms of residual and plain networks at every width n and depth L (README, 1 to 4).

A residual network is h_{l+1} = h_l + m W_l |h_l| with entries of W_l of variance 1/n ("abs"), a
plain one z_{l+1} = W_{l+1} phi(z_l) with entries of variance 2/n (relu) or 1/n (linear).
"""

import numpy as np
from scipy import special

GELU_POWER = 0.8504432  # 2 E gelu(z)^2 of a standard Gaussian z
RELU_POWER = 1.0  # 2 E relu(z)^2


def multiplier(depth: float, power: float) -> float:
    """m = L^-a, the factor in front of each branch; the depth L0 of base is 1."""
    return float(depth) ** -power


def growth(depth: int, factor: float) -> float:
    """E |h_L|^2 / |h_0|^2 = (1 + m^2)^L, at every width."""
    return (1 + factor**2) ** depth


def growth_of_square(width: int, depth: int, factor: float) -> float:
    """E |h_L|^4 / |h_0|^4 = [(1 + m^2)^2 + (4 m^2 + 2 m^4) / n]^L."""
    one_block = (1 + factor**2) ** 2 + (4 * factor**2 + 2 * factor**4) / width
    return one_block**depth


def block_kernel(depth: int, factor: float) -> float:
    """Mean part of one block in the tangent kernel, m^2 (1 + m^2)^(L-1), at every width."""
    return factor**2 * (1 + factor**2) ** (depth - 1)


def log_variance(width: int, depth: int, factor: float) -> float:
    """Variance of ln |h_L|^2: L times that of one factor |h_{l+1}|^2 / |h_l|^2.

    The factor is (1 + m g / sqrt(n))^2 + m^2 chi^2_{n-1} / n, a Gaussian and a chi-square that are
    independent; Gauss-Hermite and Gauss-Laguerre quadrature.
    """
    gauss, by_gauss = np.polynomial.hermite_e.hermegauss(40)
    half_square, by_square = special.roots_genlaguerre(40, (width - 3) / 2)
    weights = np.outer(by_gauss / by_gauss.sum(), by_square / by_square.sum())
    along = (1 + factor * gauss / np.sqrt(width)) ** 2
    values = np.log(along[:, None] + factor**2 * 2 * half_square / width)
    mean = np.sum(weights * values)
    return depth * float(np.sum(weights * (values - mean) ** 2))


def plain_log_variance(width: int, depth: int) -> float:
    """The same of z_{l+1} = W |z_l|: L times the variance of ln chi^2_n."""
    return depth * float(special.polygamma(1, width / 2))


def coherent_rms(depth: int, factor: float) -> float:
    """rms(h_L) of h + m relu(W h), entries of W of variance 1/n, for n -> infinity.

    The mean mu and the mean square q of coordinates follow mu' = mu + m c, q' = q + 2 m mu c +
    m^2 q / 2 with c = sqrt(q / 2 pi), the mean of relu; mu = 0 and q = 1 at first.
    """
    mean, square = 0.0, 1.0
    for _ in range(depth):
        pushed = np.sqrt(square / (2 * np.pi))
        square += 2 * factor * mean * pushed + factor**2 * square / 2
        mean += factor * pushed
    return float(np.sqrt(square))


def movement(kind: str, width: float, depth: int, factor: float = 1.0) -> float:
    """E |dz|^2 / |d|^2 of the move dz = sum_l s_l J_l J_l^T d of the last features.

    kind: relu or linear (plain), abs (residual). J_l is the derivative of the last features by
    those that weight l makes, s_l the mean square of its input, times m^2 for `abs`. Exact at
    every width, `width` = inf included: L^2 + v L (L-1)(2L-1) / 6, times the squares of s there.
    """
    moments = _second_moments(kind, width, depth, factor)
    gain = 1 + factor**2 if kind == "abs" else 1.0
    scale = factor**2 if kind == "abs" else 1.0
    total = 0.0
    for a in range(depth):
        for b in range(depth):
            layers, more = min(a, b), abs(a - b)
            of_inputs = scale**2 * gain ** (2 * depth - 2 - a - b)
            total += of_inputs * gain**more * moments[layers]
    return total


def _second_moments(kind: str, width: float, depth: int, factor: float) -> list[float]:
    """E tr((J J^T)^2) / n of products of 0, 1, ..., L-1 layers; tr A^2 / n and (tr A / n)^2."""
    square = mean = diagonal = 1.0
    found = [1.0]
    for _ in range(1, depth):
        if kind == "relu":  # D A D with half of the gates open, then W of variance 2/n
            opened = mean / 4 + diagonal / (4 * width)
            kept = square / 4 + diagonal / 4
            diagonal = 4 * (opened + 2 * kept / width)
            mean = 4 * (opened + 2 * kept / width**2)
            square = 4 * (opened + kept + kept / width)
        elif kind == "linear":
            mean, square = mean + 2 * square / width**2, mean + square * (1 + 1 / width)
        else:
            mean, square = _residual_step(mean, square, factor**2, width)
        found.append(square)
    return found


def _residual_step(mean: float, square: float, m2: float, width: float) -> tuple[float, float]:
    """A -> M A M^T with M = 1 + m W D, signs D: the mean of (tr A / n)^2 and of tr A^2 / n."""
    next_mean = (1 + m2) ** 2 * mean + (4 * m2 + 2 * m2**2) * square / width**2
    next_square = (
        square * (1 + m2 * (2 + 2 / width)) + 2 * m2 * mean
        + m2**2 * (mean + square * (1 + 1 / width))
    )  # fmt: skip
    return next_mean, next_square


def coherent_movement(kind: str, depth: int, factor: float = 1.0) -> float:
    """E d . dz / |d|^2: L for plain networks, L m^2 (1 + m^2)^(L-1) for residual ones."""
    return depth * (block_kernel(depth, factor) if kind == "abs" else 1.0)


def local_slope(values, sizes) -> float:
    """Least squares slope of log values on log sizes: an exact law's exponent over a window."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])
