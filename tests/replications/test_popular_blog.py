"""Our program of the page's recipes, and the exact laws of its networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from replications.popular_blog import closed_forms, experiment, networks
from replications.popular_blog.random_features import errors


def stream(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("table", ["variation", "drift"])
def test_our_program_prints_what_the_pages_code_printed(table):
    rows = list(experiment.printed(arm="any", table=table, said="recorded", seeds=(0,)))
    assert [round(row["here"], 4) for row in rows] == [row["printed"] for row in rows]


def test_the_ratios_over_depth_are_those_that_the_pages_code_printed():
    rows = experiment.depth(arm="page", depths=(1, 2, 5), seeds=(0,))
    assert [round(row["ratio"], 3) for row in rows] == [2.660, 2.405, 2.148]


def test_two_of_twenty_rows_have_their_largest_entry_on_the_diagonal():
    (row,) = experiment.largest(arm="page", seeds=(0,))
    assert row["share"] == pytest.approx(2 / 20)


@pytest.mark.parametrize("first_layer", [1.0, 2.0])
def test_the_kernel_is_that_of_automatic_differentiation(first_layer):
    drawn = networks.draw(stream(), 2, 6, 2, networks.UNIT)
    x = stream(1).standard_normal((3, 2))
    gain = np.sqrt(first_layer)

    def output(parameters, point):
        weights, readout = parameters
        return readout @ jax.nn.relu(gain * weights @ point) / jnp.sqrt(6)

    for index in range(2):
        parameters = (drawn.weights[index] / gain, drawn.readout[index])
        gradients = [jnp.hstack([g.ravel() for g in jax.grad(output)(parameters, p)]) for p in x]
        expected = jnp.stack(gradients) @ jnp.stack(gradients).T
        found = networks.kernel(drawn, x, first_layer)[index]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_one_step_of_descent_is_a_gradient_step():
    drawn, x, rate = (
        networks.draw(stream(), 1, 5, 2, networks.UNIT),
        networks.line(4, bias=True),
        0.1,
    )
    y = np.array([1.0, -1.0, 0.5, 2.0])

    def loss(parameters):
        weights, readout = parameters
        f = 0.3 * jax.nn.relu(x @ weights.T) @ readout
        return jnp.sum((f - y) ** 2) / 2

    start = (drawn.weights[0], drawn.readout[0])
    down = jax.grad(loss)(start)
    after = networks.descend(drawn, x, y, np.array([rate]), 1, scale=0.3)
    np.testing.assert_allclose(after.weights[0], start[0] - rate * down[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after.readout[0], start[1] - rate * down[1], rtol=1e-5, atol=1e-6)
    held = networks.descend(drawn, x, y, np.array([rate]), 1, scale=0.3, readout_only=True)
    np.testing.assert_array_equal(held.weights, drawn.weights)


def by_formula(inner, depth, constant):
    """The page's recursion as printed: Sigma' = constant |x| |x'| (sin t + (pi - t) cos t)."""
    covariance = tangent = inner
    for _ in range(depth):
        size = np.sqrt(np.diagonal(covariance))
        product = np.outer(size, size)
        angle = np.arccos(np.clip(covariance / np.where(product > 0, product, 1), -1, 1))
        slope = constant * (np.pi - angle)
        covariance = constant * product * np.sin(angle) + slope * covariance
        tangent = covariance + tangent * slope
    return covariance, tangent


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize(
    ("variance", "constant"),
    [(closed_forms.TEXT, 1 / np.pi), (closed_forms.CODE, 1 / (2 * np.pi))],
)
@pytest.mark.parametrize("x", [np.random.default_rng(0).standard_normal((4, 3)), networks.line(5)])
def test_the_recursion_is_that_of_the_page(depth, variance, constant, x):
    """On the line, with the input 0, too; an angle by arccos is known to 1e-8."""
    found = closed_forms.recursion(x, depth, variance)
    np.testing.assert_allclose(found, by_formula(x @ x.T, depth, constant), atol=2e-7)


@pytest.mark.parametrize("width", [1, 4])
def test_variation_is_that_of_the_moments_of_a_neuron(width):
    """Var of 1[w > 0](w^2 + a^2), its moments by Gauss-Hermite sums."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    term = 2 * nodes[:, None] ** 2 + nodes**2 / width
    first, second = (weights @ term**power @ weights / 2 for power in (1, 2))
    expected = np.sqrt(2 * (second - first**2) / width)
    assert closed_forms.variation(width) == pytest.approx(expected)


def test_growth_is_that_of_fine_gradient_descent():
    x = np.array([[0.5], [1.0]])
    drawn = networks.draw(stream(3), 1, 400, 1, networks.PAGE)
    scale = 1 / 20
    before = networks.kernel(drawn, x)
    start = networks.outputs(drawn, x, scale)[:, 1]
    after = networks.descend(drawn, x, 3 * x[:, 0], np.array([0.002]), 8000, scale=scale)
    found = networks.kernel(after, x)[:, 1, 1] / before[:, 1, 1] - 1
    expected = closed_forms.growth(before[:, 1, 1], start, 3.0, 400)
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_the_floor_is_the_rest_of_a_projection():
    x = networks.line(15)
    y = experiment._noisy_target(x)
    halves = [np.maximum(x[:, 0], 0), np.minimum(x[:, 0], 0)]
    learned = sum((h @ y) ** 2 / (h @ h) for h in halves)
    assert closed_forms.floor(x, y) == pytest.approx((y @ y - learned) / 2)
    assert closed_forms.floor(x, y) == pytest.approx(3.6451, abs=5e-5)


def test_least_squares_on_features_interpolates_where_it_can():
    """Without a ridge and noise, a target that is a feature's span is found beyond the peak."""
    found = errors(stream(), 40, 0.0, 0.0, (20, 2000))
    assert found[2000] < 0.05 < found[20]
