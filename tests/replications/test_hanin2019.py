"""Formulas of the finite-width replication against their definitions."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from replications.hanin2019_finite_width import (
    catapult,
    deep_tower,
    experiment,
    moments,
    networks,
    neurons,
)
from widenets.ntk.dynamics.tower import tower


def stream(seed=0):
    return np.random.default_rng(seed)


def output(weights, activation, x=1.0):
    """f of one network, from its definition."""
    hidden = jnp.asarray([x])
    for weight in weights[:-1]:
        gain = 2.0 if activation == "relu" else 1.0
        hidden = jnp.sqrt(gain / weight.shape[1]) * weight @ hidden
        hidden = jax.nn.relu(hidden) if activation == "relu" else hidden
    return (weights[-1] @ hidden / jnp.sqrt(weights[-1].shape[1]))[0]


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_kernel_and_its_derivative_are_those_of_automatic_differentiation(activation):
    many = networks.draw(stream(), (4, 3, 5), 3)
    found = networks.passes(many, activation)
    opposite = networks.kernel(found, networks.passes(many, activation, -1.0))
    values = found.output, networks.kernel(found, found), networks.kernel_derivative(many, found)
    for index in range(3):
        weights = tuple(jnp.asarray(weight[index]) for weight in many)
        expected = tower(lambda w: output(w, activation), 3)(weights)
        np.testing.assert_allclose([value[index] for value in values], expected, rtol=1e-4)
        gradients = [jax.grad(output)(weights, activation, x) for x in (1.0, -1.0)]
        between = sum(jnp.sum(a * b) for a, b in zip(*gradients, strict=True))
        np.testing.assert_allclose(opposite[index], between, rtol=1e-4, atol=1e-6)


def test_mean_squares_of_small_linear_networks_follow_from_wicks_theorem():
    """d = 2, c = 1: Theta = (|w|^2 + |u|^2) / n, a chi-square with 2 n degrees of freedom / n."""
    assert moments.kernel_second_moment((7,), "linear") == pytest.approx(4 + 4 / 7)
    assert moments.growth((7, 3), "linear") == pytest.approx((1 + 2 / 7) * (1 + 2 / 3))


def test_relu_mean_square_at_depth_two_is_a_sum_over_gates():
    """Given k open gates Theta = (2 / n) (chi^2_k + chi^2_k)."""
    n = 5
    open_gates = [sum(gates) for gates in itertools.product((0, 1), repeat=n)]
    mean_square = np.mean([(2 / n) ** 2 * ((2 * k) ** 2 + 4 * k) for k in open_gates])
    assert moments.kernel_second_moment((n,), "relu") == pytest.approx(mean_square)
    assert moments.relative_variance((n,), "relu") == pytest.approx(3 / n)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_deep_moments_are_those_of_networks(activation):
    widths = (12, 20, 9)
    many = networks.draw(stream(), widths, 120_000)
    found = networks.passes(many, activation)
    theta = networks.kernel(found, found)
    product = found.output * networks.kernel_derivative(many, found)
    activity = (found.inputs[-1] ** 2).mean(axis=1)
    for values, exact in (
        (theta, 4.0),
        (theta**2, moments.kernel_second_moment(widths, activation)),
        (activity**2, moments.growth(widths, activation)),
        (product, moments.velocity(widths, activation)),
    ):
        error = values.std() / np.sqrt(values.size)
        assert abs(values.mean() - exact) < 4 * error
        assert error < 0.03 * exact


def test_limit_at_fixed_depth_over_width():
    for activation, constant in (("relu", 11 / 3), ("linear", 4 / 3)):
        limit = moments.relative_variance_limit(0.25, activation)
        near = [moments.relative_variance((4 * d,) * d, activation) for d in (64, 128)]
        assert 2 * near[1] - near[0] == pytest.approx(limit, rel=2e-3)
        small = moments.relative_variance_limit(1e-3, activation)
        assert small / 1e-3 == pytest.approx(constant, rel=0.01)


def test_opposite_points_at_width_one_and_in_the_limit():
    """n = 1: one of the two patterns is empty, so the kernel is 0."""
    assert moments.opposite_kernel_mean(1) == 0
    # n = 2: half of the draws have one neuron each, E |N(0, 1)|^2 = 2 / pi.
    assert moments.opposite_kernel_mean(2) == pytest.approx(1 / np.pi * 0.5 * 2 / np.pi)
    assert moments.opposite_kernel_mean(900) == pytest.approx(1 / np.pi, rel=2e-3)


def test_one_step_is_that_of_automatic_differentiation_and_held_is_its_derivative():
    u, w = neurons.draw(stream(3), 4, 6)

    def kernel(params):
        return jnp.sum(jnp.square(jnp.stack(jax.grad(function)(params))))

    def function(params):
        z = jnp.sqrt(2.0) * params[0]
        return params[1] @ jnp.where(z > 0, z, 0.25 * z) / jnp.sqrt(6.0)

    found = neurons.first_step(u, w, "leaky", 2.0, 0.05)
    for index in range(4):
        params = (jnp.asarray(u[index]), jnp.asarray(w[index]))
        error = function(params) - 2.0
        after = tuple(
            p - 0.05 * error * g for p, g in zip(params, jax.grad(function)(params), strict=True)
        )
        change = (kernel(after) - kernel(params)) / 0.05
        total = found["held"][index] + found["switched"][index]
        assert total == pytest.approx(float(change), abs=1e-3)
    small = neurons.first_step(u, w, "leaky", 2.0, 1e-7)
    derivative = [
        -(function((a, b)) - 2.0) * tower(function, 3)((jnp.asarray(a), jnp.asarray(b)))[2]
        for a, b in zip(u, w, strict=True)
    ]
    np.testing.assert_allclose(small["held"], derivative, rtol=1e-3)


def test_leaky_neurons_switch_both_ways():
    """(1 - a^2)(1 - a) of what relu neurons lose, .703 at a = 1/4."""
    shares = []
    for seed in range(8):
        u, w = neurons.draw(stream(seed), 40_000, 16)
        found = neurons.first_step(u, w, "leaky", 2.0, 0.02)
        shares.append(found["switched"].mean() / found["predicted"].mean())
    error = np.std(shares, ddof=1) / np.sqrt(8)
    assert abs(np.mean(shares) - 0.703) < 4 * error
    assert error < 0.03


def test_a_network_is_the_sum_of_its_neurons_towers():
    u, w = neurons.draw(stream(1), 3, 5)
    found = neurons.tanh_tower(u, w, 5)
    for index in range(3):
        expected = tower(lambda p: p[1] @ jnp.tanh(p[0]) / jnp.sqrt(5.0), 5)
        params = (jnp.asarray(u[index]), jnp.asarray(w[index]))
        np.testing.assert_allclose(found[:, index], expected(params), rtol=2e-3, atol=1e-5)


def test_two_hidden_layers_have_the_kernel_of_their_gradient():
    found = deep_tower.tanh_tower(stream(2), 2, 4, 3)
    again = stream(2)
    shapes = ((2, 4), (2, 4, 4), (2, 4))
    params = [again.standard_normal(shape, np.float32) for shape in shapes]

    def function(params):
        return params[2] @ jnp.tanh(params[1] @ jnp.tanh(params[0]) / 2) / 2

    first = tuple(jnp.asarray(p[0]) for p in params)
    squares = sum(jnp.sum(g**2) for g in jax.grad(function)(first))
    np.testing.assert_allclose(found[:2, 0], [function(first), squares], rtol=1e-5)


def test_flows_solve_their_equations():
    """Frozen kernel: f = y + (f_0 - y) e^(-Theta t); steps enough: doubling changes nothing."""
    u, w = neurons.draw(stream(4), 6, 32)
    orders = neurons.tanh_tower(u, w, 4)
    labels = orders[0] + 1
    frozen = neurons.truncated_flow(orders, 2, labels, 1.0, 32)
    np.testing.assert_allclose(frozen, labels - np.exp(-orders[1]), atol=1e-6)
    coarse, fine = (neurons.tanh_flow(u, w, labels, 1.0, steps) for steps in (16, 64))
    np.testing.assert_allclose(coarse, fine, atol=1e-6)
    errors = [
        np.abs(fine - neurons.truncated_flow(orders, kept, labels, 1.0, 64)).mean()
        for kept in (2, 3, 4)
    ]
    assert errors[0] > 2 * errors[1] > 4 * errors[2] > 0


def test_steps_of_the_flow_do_not_show_in_the_errors():
    u, w = neurons.draw(stream(5), 16, 2048)
    orders = neurons.tanh_tower(u, w, 4)
    orders[0] = (w * np.tanh(u)).sum(axis=1) / np.sqrt(2048)
    labels = orders[0] + 1
    errors = [
        neurons.tanh_flow(u, w, labels, 1.0, steps)
        - neurons.truncated_flow(orders, 4, labels, 1.0, steps)
        for steps in (experiment.FLOW_STEPS, 64)
    ]
    assert np.abs(errors[0] - errors[1]).max() < 0.05 * np.sqrt(np.mean(errors[1] ** 2))


def test_starts_have_the_law_of_networks():
    """E f^2 = 1, E lambda = 2, Var lambda = 4 / n; E f^2 lambda = 2 + 4 / n."""
    n = 10
    drawn = catapult.starts(stream(), n, 400_000)
    u, v = stream(1).standard_normal((2, 400_000, n))
    real = (u * v).sum(axis=1) / np.sqrt(n), ((u**2).sum(axis=1) + (v**2).sum(axis=1)) / n
    for f, curvature in (drawn, real):
        assert np.mean(f**2) == pytest.approx(1, rel=0.02)
        assert curvature.mean() == pytest.approx(2, rel=0.01)
        assert curvature.var() == pytest.approx(4 / n, rel=0.02)
        assert np.mean(f**2 * curvature) == pytest.approx(2 + 4 / n, rel=0.02)


def test_course_ends_where_the_recursion_ends():
    f, curvature = catapult.starts(stream(), 4096, 5)
    rate = 3 / curvature
    found = catapult.course(f, curvature, rate, 4096, 400, 1e-6)
    path, now, start = [f], curvature, curvature
    for _ in range(400):
        f, now = catapult.recursion(f, now, rate, 4096)
        path.append(f)
    for flags in (found.converged, found.finite, found.grew):
        assert flags.all()
    np.testing.assert_allclose(found.curvature, rate * now, rtol=1e-6)
    np.testing.assert_allclose(found.relative, now / start - 1, rtol=1e-6)
    np.testing.assert_allclose(found.peak, np.abs(path).max(axis=0))
    np.testing.assert_array_equal(found.peak_step, np.abs(path).argmax(axis=0))


def test_a_catapult_grows_from_order_one_to_the_root_of_the_width():
    """By eta lambda_0 - 1 = 2 a step: from n = 2^8 to 2^16 it takes ln(2^8) / (2 ln 2) = 4 more."""
    cell = {"factor": 3.0, "starts": 200, "steps": 200, "seeds": (0,)}
    (narrow,), (wide,) = (
        list(experiment.catapult(arm="theory", log2_width=k, **cell)) for k in (8, 16)
    )
    assert wide["peak_step"] - narrow["peak_step"] == pytest.approx(4, abs=0.4)
    assert wide["clock"] == pytest.approx(8 * np.log(2) / 4)


def test_relu_descent_follows_its_kernel_at_small_rates_and_diverges_at_large_ones():
    x = stream(1).standard_normal((2, 3, 4))
    y = np.array([[1.0, -1.0, 1.0], [0.5, 1.0, -1.0]])
    u, w = stream(2).standard_normal((2, 4, 4000)), stream(3).standard_normal((2, 4000))

    def function(params, inputs):
        hidden = jax.nn.relu(np.sqrt(2 / 4) * inputs @ params[0])
        return hidden @ params[1] / np.sqrt(4000)

    losses = catapult.relu_descent(u, w, x, y, 0.05, 1)
    for index in range(2):
        params = (jnp.asarray(u[index]), jnp.asarray(w[index]))
        jacobian = jax.jacobian(function)(params, x[index])
        flat = np.concatenate([np.asarray(part).reshape(3, -1) for part in jacobian], axis=1)
        kernel = flat @ flat.T
        error = np.asarray(function(params, x[index])) - y[index]
        after = error - 0.05 / np.linalg.eigvalsh(kernel)[-1] * kernel @ error
        assert losses[index] == pytest.approx((after**2).sum() / 2, rel=2e-3)
    assert np.all(catapult.relu_descent(u, w, x, y, 40.0, 60) == np.inf)
