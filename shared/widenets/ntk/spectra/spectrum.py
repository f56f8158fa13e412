"""Mercer spectra of dot-product kernels on the sphere S^(d-1) with the uniform measure.

k(<x, x'>) = sum_k mu_k N(d, k) P_k(<x, x'>): the eigenfunctions are the harmonics of degree k,
the eigenvalue is mu_k with multiplicity N(d, k) (Funk-Hecke), and sum_k N mu_k = k(1).
All in float64. d is the AMBIENT dimension throughout.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from widenets.ntk.spectra.harmonics import angular_quadrature, legendre, multiplicities

__all__ = [
    "Spectrum",
    "arc_cosine_eigenvalues",
    "eigenvalues_from_taylor",
    "sphere_spectrum",
    "taylor_coefficients",
    "two_layer_relu_eigenvalues",
    "zonal_eigenvalues",
    "zonal_kernel",
]


class Spectrum(NamedTuple):
    """Distinct eigenvalues, how often each occurs, and the trace that is left beyond them."""

    eigenvalues: np.ndarray  # (modes,)
    multiplicities: np.ndarray  # (modes,)
    tail: float = 0.0  # sum of the eigenvalues that are not listed


def step_coefficients(dimension: int, max_degree: int) -> np.ndarray:
    """Funk-Hecke coefficients s_k = E[1(t>0) P_k(t)] of the step function, k = 0..max_degree.

    s_0 = 1/2, s_k = 0 for even k >= 2, and for odd k
    s_k = (-1)^((k-1)/2) Gamma(d/2) Gamma(k) / (sqrt(pi) 2^k Gamma((k+1)/2) Gamma((k+d)/2)).
    """
    odd = np.arange(1, max_degree + 1, 2)
    size = gammaln(dimension / 2) + gammaln(odd) - 0.5 * np.log(np.pi) - odd * np.log(2)
    size -= gammaln((odd + 1) / 2) + gammaln((odd + dimension) / 2)
    coefficients = np.zeros(max_degree + 1)
    coefficients[0] = 0.5
    coefficients[odd] = (-1.0) ** ((odd - 1) // 2) * np.exp(size)
    return coefficients


def arc_cosine_eigenvalues(dimension: int, max_degree: int, order: int) -> np.ndarray:
    """mu_0..mu_max of E[phi(<w,x>) phi(<w,x'>)], w ~ N(0, I), phi = step (order 0), ReLU (1).

    Order 0: s_k^2. Order 1: d r_k^2 with r_k = E[t 1(t>0) P_k(t)]. Cho & Saul (2009) have twice
    these kernels; here kappa_0(1) = kappa_1(1) = 1/2.
    """
    step, down, up = _step_and_neighbours(dimension, max_degree)
    if order == 0:
        return step[1:-1] ** 2
    if order == 1:
        return dimension * (up * step[2:] + down * step[:-2]) ** 2
    raise ValueError(f"closed forms exist for order 0 (step) and 1 (ReLU), found {order}")


def two_layer_relu_eigenvalues(
    dimension: int, max_degree: int, *, first_layer: float, readout: float, bias: float = 0.0
) -> np.ndarray:
    """mu_0..mu_max of first_layer t kappa_0(t) + readout kappa_1(t) + bias kappa_0(t).

    The neural tangent kernel of one hidden ReLU layer on unit vectors. Cao et al. (2019) have
    first_layer = 1, readout = 2 (so kappa(1) = 3/2); He scaling in the NTK parameterization has
    2 and 2; a trained bias of the first layer adds bias = 1 in Cao's scaling. Without it all odd
    degrees from 3 on are exactly 0. mu_k[t kappa_0] = (k s_{k-1}^2 + (k+d-2) s_{k+1}^2)/(2k+d-2).
    """
    step, down, up = _step_and_neighbours(dimension, max_degree)
    features = first_layer * (down * step[:-2] ** 2 + up * step[2:] ** 2)
    features += readout * arc_cosine_eigenvalues(dimension, max_degree, order=1)
    return features + bias * arc_cosine_eigenvalues(dimension, max_degree, order=0)


def _step_and_neighbours(dimension, max_degree):
    """s_{-1} = 0, s_0, ..., s_{max+1}, and the weights of t P_k = down P_{k-1} + up P_{k+1}."""
    step = np.concatenate([[0.0], step_coefficients(dimension, max_degree + 1)])
    k = np.arange(max_degree + 1)
    down = np.divide(k, 2 * k + dimension - 2, out=np.zeros(k.size), where=k > 0)
    return step, down, 1 - down


def zonal_kernel(kernel: Callable) -> Callable[[np.ndarray], np.ndarray]:
    """The kernel as a function of the angle, for inputs with <x, x>/d = 1.

    `kernel(x1, x2)` returns one matrix, e.g. `lambda a, b: network.kernel(a, b).ntk`. It must
    depend on <x, x'>/d and the norms alone, as those of fully connected networks do; two input
    dimensions then show all angles, whatever the d of the sphere is.
    """

    def of_angle(angles: np.ndarray) -> np.ndarray:
        circle = np.sqrt(2.0) * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        pole = np.array([[np.sqrt(2.0), 0.0]])
        return np.asarray(kernel(pole, circle), dtype=np.float64)[0]

    return of_angle


def zonal_eigenvalues(
    kernel_of_angle: Callable, dimension: int, max_degree: int, nodes: int = 1200
) -> np.ndarray:
    """mu_k = E[k(theta) P_k(cos theta)] by Gauss-Legendre in the angle, k = 0..max_degree.

    The absolute error is that of the rule's weights, 1e-14 k(0) and less in high dimension:
    relative accuracy is lost once mu_k N falls to 1e-15 sqrt(N), at high degree in high dimension
    (`eigenvalues_from_taylor` keeps it there).
    """
    angles, weights = angular_quadrature(dimension, nodes)
    return legendre(dimension, max_degree, np.cos(angles)) @ (weights * kernel_of_angle(angles))


def sphere_spectrum(
    kernel_of_angle: Callable, dimension: int, max_degree: int, *, accuracy: float = 1e-9
) -> Spectrum:
    """Spectrum with multiplicities up to max_degree, the rest of the trace k(0) as the tail.

    Degrees at which rounding, 1e-15 k(0) sqrt(N(d, k)), would exceed accuracy * k(0) of the
    trace are left to the tail as well. ValueError: negative eigenvalues, or more than the trace,
    beyond accuracy * k(0): not a positive kernel, or one that the quadrature does not resolve.
    """
    counts = multiplicities(dimension, max_degree)
    kept = 1e-15 * np.sqrt(counts) < accuracy
    counts = counts[: kept.size if kept.all() else int(np.argmin(kept))]
    found = zonal_eigenvalues(kernel_of_angle, dimension, counts.size - 1)
    trace = float(kernel_of_angle(np.zeros(1))[0])
    parts = counts * found / trace
    worst = int(np.argmin(parts))
    if not (trace > 0 and parts[worst] >= -accuracy):
        raise ValueError(
            f"the kernel is indefinite: its eigenvalue of degree {worst} is {found[worst]:.3g}, "
            f"{parts[worst]:.2g} of the trace {trace:.3g}, and accuracy is {accuracy:.0e}"
        )
    values = np.maximum(found, 0.0)
    if not np.sum(counts * values) <= trace * (1 + accuracy):
        raise ValueError(
            f"the eigenvalues add up to {np.sum(counts * values):.6g}, more than k(0) = {trace:.6g}"
        )
    return Spectrum(values, counts, max(trace - float(counts @ values), 0.0))


def taylor_coefficients(function: Callable, order: int, radius: float) -> np.ndarray:
    """a_0..a_order of an analytic f(z) = sum a_m z^m by the FFT of f on |z| = radius < 1.

    `function` takes complex arrays. Aliasing is radius^points with points a power of 2 of at
    least 4 (order + 1); rounding is 1e-16 max|f| radius^-m, so take radius close to 1.
    """
    points = 1 << int(np.ceil(np.log2(4 * (order + 1))))
    circle = radius * np.exp(2j * np.pi * np.arange(points) / points)
    values = np.fft.fft(function(circle))[: order + 1].real / points
    return values / radius ** np.arange(order + 1)


def eigenvalues_from_taylor(coefficients, dimension: int, max_degree: int) -> np.ndarray:
    """mu_k = sum_m a_m E[t^m P_k(t)] for k(t) = sum_m a_m t^m, k = 0..max_degree.

    E[t^m P_k] = Gamma(d/2) m! / (2^m ((m-k)/2)! Gamma((m+k+d)/2)) for m >= k of equal parity and
    0 else: all terms are positive where the kernel is (Schoenberg), so that every mu_k keeps
    full relative precision, however small.
    """
    coefficients = np.asarray(coefficients, dtype=np.float64)
    eigenvalues = np.zeros(max_degree + 1)
    for k in range(max_degree + 1):
        m = np.arange(k, coefficients.size, 2)
        size = gammaln(dimension / 2) + gammaln(m + 1) - m * np.log(2)
        size -= gammaln((m - k) / 2 + 1) + gammaln((m + k + dimension) / 2)
        eigenvalues[k] = coefficients[m] @ np.exp(size)
    return eigenvalues
