"""Closed forms against quadrature, against the Taylor series and against known values."""

import functools

import numpy as np
import pytest

from widenets.ntk.architecture import fully_connected
from widenets.ntk.spectra import (
    arc_cosine_eigenvalues,
    eigenvalues_from_taylor,
    legendre,
    multiplicities,
    sphere_spectrum,
    taylor_coefficients,
    two_layer_relu_eigenvalues,
    zonal_eigenvalues,
    zonal_kernel,
)

CAO = {"first_layer": 1.0, "readout": 2.0}


@functools.cache  # one compilation per depth
def relu_network(depth, output="ntk"):
    """He scaling: the NTK is depth + 1 on the diagonal of the sphere."""
    kernel = fully_connected(
        depth=depth, width=1, weight_variance=2.0, readout_weight_variance=1.0
    ).kernel
    return zonal_kernel(lambda a, b: getattr(kernel(a, b), output) / kernel(a[:1], a[:1]).nngp)


@pytest.mark.parametrize("dimension", [2, 3, 10, 50])
def test_closed_forms_agree_with_quadrature(dimension):
    def step(angle):
        return (np.pi - angle) / (2 * np.pi)

    def relu(angle):
        return (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)

    def cao_with_bias(angle):
        return np.cos(angle) * step(angle) + 2 * relu(angle) + step(angle)

    with_bias = two_layer_relu_eigenvalues(dimension, 20, **CAO, bias=1.0)
    for closed, kernel in [
        (arc_cosine_eigenvalues(dimension, 20, 0), step),
        (arc_cosine_eigenvalues(dimension, 20, 1), relu),
        (with_bias, cao_with_bias),
    ]:
        np.testing.assert_allclose(closed, zonal_eigenvalues(kernel, dimension, 20), atol=1e-13)


def test_values_of_cao_in_three_and_ten_dimensions():
    three = two_layer_relu_eigenvalues(3, 8, **CAO)
    np.testing.assert_allclose(three[[0, 1]], [0.4375, 0.25], atol=1e-15)
    np.testing.assert_allclose(
        three[[2, 4, 6, 8]], [5.0781e-2, 2.9297e-3, 7.4768e-4, 3.0136e-4], rtol=2e-5
    )
    ten = two_layer_relu_eigenvalues(10, 8, **CAO)
    np.testing.assert_allclose(
        ten[[0, 1, 2, 4, 6, 8]],
        [0.35133, 0.075, 5.6689e-3, 5.6452e-5, 3.4362e-6, 4.2181e-7],
        rtol=2e-5,
    )
    bias = two_layer_relu_eigenvalues(3, 5, **CAO, bias=1.0)
    np.testing.assert_allclose(bias[[3, 5]], [1 / 256, 1 / 1024], atol=1e-16)


def test_values_on_the_circle():
    """Even k: 4/(pi^2 (k^2-1)^2) for the NNGP, 2 (k^2+3)/(pi^2 (k^2-1)^2) for the NTK."""
    k = np.arange(2, 30, 2)
    denominator = np.pi**2 * (k**2 - 1) ** 2
    nngp = 2 * arc_cosine_eigenvalues(2, 30, 1)
    ntk = two_layer_relu_eigenvalues(2, 30, first_layer=2.0, readout=2.0)
    np.testing.assert_allclose(nngp[k], 4 / denominator, rtol=1e-12)
    np.testing.assert_allclose(ntk[k], 2 * (k**2 + 3) / denominator, rtol=1e-12)
    np.testing.assert_allclose([nngp[1], ntk[1]], [0.25, 0.5], rtol=1e-14)


@pytest.mark.parametrize("dimension", [2, 3, 10, 50])
def test_odd_degrees_vanish_without_a_bias_and_open_with_it(dimension):
    odd = slice(3, None, 2)
    assert np.all(two_layer_relu_eigenvalues(dimension, 31, **CAO)[odd] == 0)
    assert np.all(two_layer_relu_eigenvalues(dimension, 31, **CAO, bias=1.0)[odd] > 0)


@pytest.mark.parametrize("dimension", [3, 10])
def test_trace_is_the_kernel_at_one(dimension):
    mu = two_layer_relu_eigenvalues(dimension, 4000, **CAO)
    counts = multiplicities(dimension, 4000)
    sums = np.cumsum(counts * mu)[[1000, 2000, 4000]]
    # The tail falls like 1/k: extrapolate it away.
    assert 2 * sums[2] - sums[1] == pytest.approx(1.5, abs=1e-6)
    assert np.all(sums < 1.5)


def test_one_hidden_layer_of_the_architecture_is_the_closed_form():
    closed = two_layer_relu_eigenvalues(10, 12, first_layer=2.0, readout=2.0)
    measured = zonal_eigenvalues(relu_network(1), 10, 12)
    np.testing.assert_allclose(measured, closed, atol=1e-14)
    assert relu_network(3)(np.zeros(1))[0] == pytest.approx(4.0, abs=1e-13)


def deep_relu_ntk(depth):
    """The recursion of the definition for complex cosines, normalised to kappa_1(1) = 1."""

    def kernel(z):
        correlation, tangent = z, z
        for _ in range(depth):
            angle = np.arccos(correlation)
            slope = 1 - angle / np.pi
            correlation = (np.sqrt(1 - correlation**2) + np.pi * slope * correlation) / np.pi
            tangent = correlation + slope * tangent
        return tangent

    return kernel


@pytest.mark.parametrize("dimension, depth", [(10, 1), (10, 3), (100, 2)])
def test_taylor_route_agrees_with_quadrature(dimension, depth):
    order = 1 << 14
    coefficients = taylor_coefficients(deep_relu_ntk(depth), order, np.exp(-20 / order))
    taylor = eigenvalues_from_taylor(coefficients, dimension, 30)
    quadrature = zonal_eigenvalues(relu_network(depth), dimension, 6)
    np.testing.assert_allclose(taylor[:7], quadrature, rtol=2e-9, atol=1e-15)


def test_taylor_route_keeps_relative_precision_at_high_degree():
    """Quadrature drowns at d = 100, k = 30, where mu_k is 1e-31; the closed form does not."""
    order = 1 << 15
    coefficients = taylor_coefficients(deep_relu_ntk(1), order, np.exp(-35 / (4 * order)))
    taylor = eigenvalues_from_taylor(coefficients, 100, 30)
    closed = two_layer_relu_eigenvalues(100, 30, first_layer=2.0, readout=2.0)
    even = np.arange(0, 31, 2)
    np.testing.assert_allclose(taylor[even], closed[even], rtol=1e-8)
    quadrature = zonal_eigenvalues(relu_network(1), 100, 30)
    assert abs(quadrature[30] / closed[30] - 1) > 10


def test_taylor_coefficients_of_the_exponential():
    from scipy.special import factorial

    found = taylor_coefficients(np.exp, 12, 0.9)
    np.testing.assert_allclose(found, 1 / factorial(np.arange(13)), atol=1e-15)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_exponent_is_minus_dimension_at_every_depth(depth):
    k = np.arange(48, 97, 2)
    mu = zonal_eigenvalues(relu_network(depth), 3, 96)[k]
    assert np.polyfit(np.log(k), np.log(mu), 1)[0] == pytest.approx(-3, abs=0.05)


@pytest.mark.parametrize("dimension", [3, 10, 100])
def test_sphere_spectrum_rebuilds_kernel_and_trace(dimension):
    kernel = relu_network(2)
    spectrum = sphere_spectrum(kernel, dimension, 60)
    listed = spectrum.multiplicities @ spectrum.eigenvalues
    assert listed + spectrum.tail == pytest.approx(3.0, abs=1e-8)
    degree = spectrum.eigenvalues.size - 1
    angles = np.array([0.8, 1.5, 2.2])
    series = (spectrum.multiplicities * spectrum.eigenvalues) @ legendre(
        dimension, degree, np.cos(angles)
    )
    assert np.all(np.abs(series - kernel(angles)) <= spectrum.tail + 1e-7)


def test_unknown_order_is_refused():
    with pytest.raises(ValueError, match="found 2"):
        arc_cosine_eigenvalues(3, 4, order=2)


def test_indefinite_kernels_have_no_spectrum():
    """Row A3: cos(2 angle) - 1/2 has trace 1/2 and a negative mean; nothing is clipped."""
    with pytest.raises(ValueError, match="indefinite: its eigenvalue of degree 0 is -"):
        sphere_spectrum(lambda angle: np.cos(2 * angle) - 0.5, 3, 4)
    with pytest.raises(ValueError, match=r"add up to .* more than k"):
        sphere_spectrum(lambda angle: np.where(angle == 0, 0.5, 1 + np.cos(angle)), 3, 4)
