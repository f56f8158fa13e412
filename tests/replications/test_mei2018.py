"""Mean field: each formula of the replication against its definition."""

import jax
import jax.numpy as jnp
import numpy as np

from replications.mei2018_mean_field import circle, gaussians, spikes, teacher
from widenets.ntk.dynamics.particles import Neurons
from widenets.ntk.random import generator


def test_the_influence_is_the_derivative_by_the_initial_law():
    """f_t for rho_0 with a little mass moved to one node, by finite differences."""
    limit = circle.limit(4.0)
    start, weights = circle.nodes()
    node, amount = 1234, 1e-5
    moved = weights * (1 - amount)
    moved[node] += amount
    state = circle.train(
        Neurons(*(leaf[None] for leaf in start)), moved, circle.EPS, circle.steps_until(4.0)
    )
    found = (np.asarray(circle.outputs(state, moved))[0] - limit.outputs) / amount
    expected = limit.influence[node] - weights @ limit.influence
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_at_the_start_the_two_variances_agree():
    limit = circle.limit(0.0)
    np.testing.assert_allclose(limit.clt, limit.independent, rtol=1e-10)


def test_the_first_order_part_is_exact_at_the_start():
    start = circle.neurons(generator(0, "test"), 3, 50)
    values = np.asarray(circle.outputs(start, jnp.full(50, 1 / 50)))
    np.testing.assert_allclose(circle.first_order(circle.limit(0.0), start), values, atol=1e-4)


def test_the_first_order_part_has_the_variance_of_the_central_limit():
    limit = circle.limit(4.0)
    first = circle.first_order(limit, circle.neurons(generator(0, "test"), 20000, 4))
    np.testing.assert_allclose(4 * first.var(axis=0), limit.clt, rtol=0.04)


def test_massless_neurons_change_nothing():
    start, masses = circle.neurons(generator(0, "test"), 2, 50), np.full(50, 1 / 50)
    found = circle.train(start, masses, circle.EPS, 16)
    alone = circle._train(start, masses, circle.EPS, 16)
    np.testing.assert_allclose(found.inputs, alone.inputs, rtol=1e-5, atol=1e-6)
    assert circle.outputs(found, masses).shape == (2, 8)


def test_legs_are_one_descent():
    start, weights = circle.nodes(4, 8)
    shares = circle.shares_until(24.0)
    _, influence, _ = circle._with_influence(weights, start, shares)
    whole = jax.jacrev(lambda p: circle._outputs(p, start, shares))(weights)
    np.testing.assert_allclose(influence, whole, rtol=1e-9, atol=1e-12)


def test_the_bias_vanishes_where_f_is_linear_in_the_law():
    np.testing.assert_allclose(circle.bias(0.0), 0.0, atol=1e-12)


def test_stratified_neurons_have_the_law_of_the_plane():
    found = circle.stratified_neurons(generator(0, "test"), 400, 16).inputs
    np.testing.assert_allclose(np.mean(found**2, axis=(0, 1)), 1.0, atol=0.02)
    np.testing.assert_allclose(np.mean(found, axis=(0, 1)), 0.0, atol=0.02)


def test_features_have_norm_one_and_repeat_after_one_turn():
    places = jnp.array([0.0, 0.3, 0.99])
    np.testing.assert_allclose(jnp.sum(spikes.features(places) ** 2, axis=-1), 1.0)
    np.testing.assert_allclose(spikes.features(places), spikes.features(places + 1), atol=1e-12)


def test_no_measure_on_the_grid_is_better_than_the_optimum():
    """The best of many measures comes close from above: duality has no gap."""
    b, places = spikes.observed(), np.array([p for p, _ in spikes.SPIKES])
    masses = np.array([m for _, m in spikes.SPIKES])
    sizes = np.linspace(0.9, 1.0, 41)
    values = [
        float(spikes.objective(np.sign(masses), np.sqrt(3 * s * abs(masses)), places, b))
        for s in sizes
    ]
    best = spikes.optimum(positive=False)
    assert best <= min(values) < 1.02 * best
    assert best < spikes.optimum(positive=True) < b @ b / 2


def test_a_single_particle_descends_along_the_cone():
    """A step is the gradient in the metric dr^2 + r^2 dtheta^2."""
    signs, radius, theta, b = np.ones(1), np.array([0.7]), np.array([0.2]), spikes.observed()
    gradient = jax.grad(spikes.objective, argnums=(1, 2))(signs, radius, theta, b)
    found = spikes._advance(signs, radius, theta, b, 1)
    np.testing.assert_allclose(radius - found[0], spikes.RADIUS_STEP * gradient[0], rtol=1e-12)
    turn = spikes.PLACE_STEP * gradient[1] / 0.49
    np.testing.assert_allclose(theta - found[1], turn, rtol=1e-12)


def test_lengths_and_directions_follow_the_balanced_network():
    """A small step in (r, u) is one in (a, w), to first order."""
    stream = generator(0, "test")
    inputs, targets = teacher.problem(stream)
    signs, directions = teacher.start(stream, 4, "theory")

    def loss(params):
        outputs, weights = params
        return jnp.mean((jax.nn.relu(inputs @ weights.T) @ outputs / 4 - targets) ** 2) / 2

    step = teacher.STEP
    start = (signs, directions)
    moved = jax.tree.map(lambda p, g: p - 4e-4 * step * g, start, jax.grad(loss)(start))
    before, after = loss(start), loss(moved)
    teacher_loss = teacher.train(*(leaf[None] for leaf in (signs, directions, inputs, targets)), 1)
    rate = (before - after) / 1e-4
    np.testing.assert_allclose(before - teacher_loss[1][0], rate, rtol=0.15)


def test_q_is_the_mean_of_sigma():
    draws = np.random.default_rng(0).standard_normal(400_000)
    for scale in (0.2, 1.0, 3.0):
        expected = np.mean(gaussians.sigma(scale * draws))
        np.testing.assert_allclose(gaussians.mean_of_sigma(scale), expected, atol=0.02)


def test_the_reduced_dynamics_descend_the_reduced_risk():
    """dr/dt is minus the derivative of E_y (y - int q)^2, times the number of neurons."""

    def risk(radius):
        signs = jnp.array([1.0, -1.0])
        means = gaussians.mean_of_sigma((1 + gaussians.DELTA * signs[:, None]) * radius).mean(1)
        return jnp.mean((signs - means) ** 2)

    radius = jnp.array([0.3, 0.5, 0.9])
    found = (gaussians.reduced(radius, 1, 1e-3) - radius) / 1e-3
    np.testing.assert_allclose(found, -3 * jax.grad(risk)(radius), rtol=1e-10)
