"""The dictionary's formulas against their definitions and against the library."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from replications.architecture_dictionary import finite, kernels, linear, normalisation
from widenets.ntk.architecture import (
    conv,
    dense,
    flatten,
    global_average_pool,
    relu,
    serial,
)


def stream(seed=0):
    return np.random.default_rng(seed)


def relu_by_formula(angle, depth):
    """cos t' = (sin t + (pi - t) cos t) / pi, Theta' = cos t' + Theta (1 - t / pi)."""
    t, tangent = angle, np.cos(angle)
    for _ in range(depth):
        slope = 1 - t / np.pi
        covariance = np.sin(t) / np.pi + slope * np.cos(t)
        tangent = covariance + tangent * slope
        t = np.arccos(np.minimum(covariance, 1))
    return covariance, tangent


@pytest.mark.parametrize("depth", [1, 3])
def test_relu_kernels_are_the_formulas(depth):
    angle = np.array([[1e-3, 0.5], [2.0, np.pi]])
    expected = relu_by_formula(angle, depth)
    np.testing.assert_allclose(kernels.relu_of_angle(angle, depth), expected, atol=1e-7)
    x = np.array([[2.0, 0.0], [3 * np.cos(0.5), 3 * np.sin(0.5)]])
    found = kernels.pair(kernels.relu_network(2, depth), x)
    np.testing.assert_allclose([k[0, 1] / 6 for k in found], np.array(expected)[:, 0, 1], rtol=1e-9)


def erf_by_formula(inner, depth, weights, biases):
    """V = (2 / pi) arcsin(2 S / r), V' = (4 / pi) / sqrt(r^2 - 4 S^2), r^2 = (1 + 2q)(1 + 2q')."""
    sigma = tangent = weights * inner + biases
    for _ in range(depth):
        q = 1 + 2 * np.diagonal(sigma)
        r = np.sqrt(np.outer(q, q))
        slope = 4 / np.pi / np.sqrt(r**2 - 4 * sigma**2)
        sigma = weights * 2 / np.pi * np.arcsin(2 * sigma / r) + biases
        tangent = sigma + weights * tangent * slope
    return sigma, tangent


def test_erf_kernels_are_the_formulas():
    x = stream().standard_normal((4, 3))
    found = kernels.pair(kernels.erf_network(3, 2, 0.7, 0.3), x)
    np.testing.assert_allclose(found, erf_by_formula(x @ x.T, 2, 0.7, 0.3), rtol=1e-9)
    inner = np.array([[1, np.cos(0.4)], [np.cos(0.4), 1]])
    expected = [k[0, 1] / k[0, 0] for k in erf_by_formula(inner, 2, 1.0, 0.0)]
    over_zero = np.ravel(kernels.erf_of_angle(np.array([0.4]), 2))
    np.testing.assert_allclose(over_zero, expected, rtol=1e-9)


@pytest.mark.parametrize("pooled", [True, False])
def test_convolution_is_that_of_the_library(pooled):
    x = stream().standard_normal((2, 3, 3))
    end = global_average_pool() if pooled else flatten()
    network = serial(conv(4, 3, padding="CIRCULAR"), relu(), end, dense(1))
    expected = np.asarray(network.kernel(x[..., None]).ntk)
    found = kernels.convolution(x, x, pooled=pooled)
    np.testing.assert_allclose(found / found[0, 0], expected / expected[0, 0], rtol=1e-6)


def test_instance_norm_has_the_mean_that_draws_have():
    eigenvalues = np.array([5.0, 2.0, 1.0, 0.5])
    g = stream().standard_normal((200_000, 4)) ** 2 * eigenvalues
    drawn = (g / g.sum(axis=1, keepdims=True)).mean(axis=0)
    found = normalisation.normalised(eigenvalues)
    assert found.sum() == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(found, drawn, atol=4e-3)


def test_two_positions_have_a_closed_form():
    """E[l g^2 / (l g^2 + m h^2)] = sqrt(l) / (sqrt(l) + sqrt(m))."""
    found = normalisation.normalised(np.array([4.0, 1.0]))
    np.testing.assert_allclose(found, [2 / 3, 1 / 3], atol=1e-9)
    by_scipy = integrate.quad(
        lambda t: 0.8 / (1 + 1.6 * t) / np.sqrt((1 + 1.6 * t) * (1 + 0.4 * t)), 0, np.inf
    )[0]
    assert by_scipy == pytest.approx(2 / 3)


def test_diagonal_and_saliency_are_those_of_automatic_differentiation():
    network = finite.draw(stream(), 1, 7, 3)
    x = stream(1).standard_normal((2, 3))
    for name, phi in (("relu", lambda z: jnp.sqrt(2) * jax.nn.relu(z)), ("erf", jax.lax.erf)):

        def output(parameters, point, phi=phi):
            weights, readout = parameters
            return readout @ phi(weights @ point / jnp.sqrt(3)) / jnp.sqrt(7)

        parameters = (network.weights[0], network.readout[0])
        theta, gradient = [], []
        for point in x:
            of_weights, of_point = jax.grad(output, (0, 1))(parameters, point)
            theta.append(sum(jnp.sum(g**2) for g in of_weights))
            gradient.append(jnp.linalg.norm(of_point))
        np.testing.assert_allclose(finite.diagonal(network, x, name)[0], theta, rtol=1e-4)
        np.testing.assert_allclose(finite.saliency(network, x, name)[0], gradient, rtol=1e-4)


def test_the_kernel_under_masks_is_that_of_automatic_differentiation():
    network, x = finite.draw(stream(), 1, 6, 3), stream(1).standard_normal((2, 3))
    masks = stream(2).random((2, 2, 6))

    def output(parameters, point, mask):
        weights, readout = parameters
        h = jnp.sqrt(2) * jax.nn.relu(weights @ point / jnp.sqrt(3))
        return readout @ (mask * h) / jnp.sqrt(6)

    parameters = (network.weights[0], network.readout[0])
    first, second = (
        [jax.grad(output)(parameters, point, m) for point, m in zip(x, mask, strict=True)]
        for mask in masks
    )
    expected = [
        [sum(jnp.sum(a * b) for a, b in zip(one, two, strict=True)) for two in second]
        for one in first
    ]
    found = finite.masked_kernel(network, x, *masks)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_allclose(
        np.diag(finite.masked_kernel(network, x)), finite.diagonal(network, x, "relu")[0]
    )


def test_sensitivity_is_the_diagonal_for_many_draws():
    network, x = finite.draw(stream(), 1, 8, 3), stream(1).standard_normal((2, 3))
    found = finite.sensitivity(stream(2), network, x, "erf", 1e-4, 20000)
    np.testing.assert_allclose(found, finite.diagonal(network, x, "erf")[0], rtol=0.05)


@pytest.mark.parametrize("through_branch", [True, False])
def test_the_residual_kernel_is_that_of_automatic_differentiation(through_branch):
    n, x = 5, np.array([[1.0, 0.5], [-0.3, 1.2]])
    found = finite.residual_kernel(stream(4), 1, n, x, through_branch)
    draw = stream(4)
    shapes = ((n, 2), (n, n), (n, n))
    matrices = tuple(draw.standard_normal(shape) for shape in shapes)
    v = draw.standard_normal(n) / np.sqrt(n)

    def output(matrices, point):
        stem, inner, outer = (w / jnp.sqrt(w.shape[1]) for w in matrices)
        h = stem @ point
        into = h if through_branch else jax.lax.stop_gradient(h)
        return v @ (h + outer @ (jnp.sqrt(2) * jax.nn.relu(inner @ into)))

    one, two = (jax.grad(output)(matrices, point) for point in x)
    expected = sum(jnp.sum(a * b) for a, b in zip(one, two, strict=True))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_rates_of_least_squares_are_exact_for_any_step():
    x = stream().standard_normal((30, 2)) @ np.diag([1.0, 2.0])
    moment = x.T @ x / 30
    values, axes = np.linalg.eigh(moment)
    solution = np.array([1.0, -2.0])
    course = linear.regression(x, x @ solution, 0.05, 20)
    np.testing.assert_allclose(linear.decay_rates(course, solution, axes, 0.05), values, rtol=1e-9)


def test_half_times_of_one_layer_are_those_of_an_exponential():
    variances, targets = np.array([2.0, 1.0]), np.array([0.1, 3.0])
    found = linear.half_times(
        stream(), variances, targets, hidden=4, size=1.0, rate=1e-3, steps=2000, layers=1
    )
    np.testing.assert_allclose(found, np.log(2) / variances, rtol=5e-3)


def test_two_layers_learn_as_a_logistic_function_of_the_correlation():
    """From u = A B small: u' = 2 u (s - l u) per component, Saxe et al., t = ln(...) / (2 s)."""
    variances, targets = np.array([1.0, 1.0]), np.array([2.0, 1.0])
    found = linear.half_times(
        stream(), variances, targets, hidden=64, size=1e-4, rate=1e-3, steps=30000, layers=2
    )
    assert found[1] / found[0] == pytest.approx(2, rel=0.1)


def test_the_interpolant_goes_through_its_data():
    x = np.linspace(-1, 1, 5)
    labels = np.array([1.0, -1.0, 0.5, 2.0, 0.0])
    for name in ("relu", "erf", "spline"):
        kernel = kernels.on_a_line(x, x, name)
        np.testing.assert_allclose(kernel, kernel.T, atol=1e-12)
        assert np.linalg.eigvalsh(kernel)[0] > 0
        stacked = np.vstack([np.hstack([kernel, kernel]), np.hstack([kernel, kernel])])
        np.testing.assert_allclose(kernels.interpolate(stacked, 5, labels), labels, atol=1e-6)
