"""Self-consistent theory of the generalization error of kernel regression.

Bordelon, Canatar & Pehlevan (2020), arXiv 2002.02561; with label noise Canatar, Bordelon &
Pehlevan (2021). Kernel sum_r lambda_r phi_r phi_r', fit (K + ridge I)^-1 y on p samples, target
sum_r v_r phi_r, label noise of variance sigma^2:

    kappa = ridge + kappa sum_r lambda_r / (p lambda_r + kappa)
    L_r   = p lambda_r / (p lambda_r + kappa),      gamma = (1/p) sum_r L_r^2
    E_r   = v_r^2 (1 - L_r)^2 / (1 - gamma),        E_g = sum_r E_r + sigma^2 gamma / (1 - gamma)

Sums run over all eigenfunctions; modes that share an eigenvalue are listed once, with their
multiplicity (`Spectrum`). The tail of a spectrum acts as further ridge, which is exact as long as
p lambda << kappa there.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from widenets.ntk.spectra.spectrum import Spectrum

__all__ = ["FixedPoint", "fixed_point", "output_errors", "target_errors", "total_error"]


class FixedPoint(NamedTuple):
    """Solution of the implicit equation at one sample size."""

    samples: float  # p
    kappa: float  # effective ridge
    learnability: np.ndarray  # L_r of each listed mode, (modes,)
    gamma: float  # overfitting: errors are amplified by 1 / (1 - gamma)


def fixed_point(spectrum: Spectrum, samples: float, ridge: float = 0.0) -> FixedPoint:
    """Solve the implicit equation for kappa (unique and positive, found in log kappa).

    Without ridge and tail and with fewer modes than samples, kappa = 0: every mode is learned
    and gamma = (number of modes)/p. At p = number of modes the error diverges: refused.
    """
    values = np.asarray(spectrum.eigenvalues, dtype=np.float64)
    counts = np.asarray(spectrum.multiplicities, dtype=np.float64)
    ridge = ridge + spectrum.tail
    if not (samples > 0 and ridge >= 0 and values.min() >= 0):  # nan is none of them
        raise ValueError(
            f"wanted samples > 0, ridge >= 0 and eigenvalues >= 0, found samples = {samples}, "
            f"ridge = {ridge}, smallest eigenvalue = {values.min()}"
        )
    rank = counts[values > 0].sum()
    if ridge == 0 and rank == samples:
        raise ValueError(f"without ridge the error diverges at p = {rank:g}, the rank: move p")
    if ridge == 0 and rank < samples:
        return FixedPoint(samples, 0.0, (values > 0).astype(np.float64), float(rank / samples))

    def excess(log_kappa):
        kappa = np.exp(log_kappa)
        return ridge / kappa + counts @ (values / (samples * values + kappa)) - 1

    high = np.log(ridge + counts @ values) + 1e-9
    low = high - 1.0
    while excess(low) <= 0:
        low -= 2 * (high - low)
    kappa = float(np.exp(brentq(excess, low, high, xtol=1e-15, rtol=1e-14)))
    learned = samples * values / (samples * values + kappa)
    return FixedPoint(samples, kappa, learned, float(counts @ learned**2 / samples))


def target_errors(point: FixedPoint, power) -> np.ndarray:
    """E_r = v_r^2 (1 - L_r)^2 / (1 - gamma): what each TARGET mode adds to the total error.

    `power` is v_r^2 summed over the functions of each listed mode, shape (modes,).
    """
    return np.asarray(power) * (1 - point.learnability) ** 2 / (1 - point.gamma)


def total_error(point: FixedPoint, power, noise: float = 0.0) -> float:
    """E_g: all target modes and the label noise of variance `noise` (test labels are clean)."""
    return float(target_errors(point, power).sum() + noise * point.gamma / (1 - point.gamma))


def output_errors(point: FixedPoint, power, counts, noise: float = 0.0) -> np.ndarray:
    """Error found in each OUTPUT mode: v_r^2 (1 - L_r)^2 + N_r L_r^2 (E_g + noise)/p.

    It differs from `target_errors`, since unlearned modes leak into the learned ones; both sum
    to E_g (without a tail). `counts` are the multiplicities of the listed modes.
    """
    learned = point.learnability
    leak = np.asarray(counts) * learned**2 / point.samples
    total = total_error(point, power, noise)
    return np.asarray(power) * (1 - learned) ** 2 + leak * (total + noise)
