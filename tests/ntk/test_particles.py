"""Particles: each formula against its definition, the limit against its own invariances."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.dynamics.particles import (
    Neurons,
    Task,
    descent,
    frozen_outputs,
    gaussian_plane,
    network,
    one_sample_shares,
    padded,
    step,
    tangent_kernel,
    whole_batch_descent,
    whole_batch_shares,
)

STREAM = np.random.default_rng(3)
NEURONS = Neurons(STREAM.standard_normal(5), STREAM.standard_normal((5, 3)))
MASSES = STREAM.random(5)
TASK = Task(STREAM.standard_normal((4, 3)), STREAM.standard_normal(4))


def loss(neurons, share):
    return jnp.sum(share * (network(neurons, MASSES, TASK.x) - TASK.y) ** 2) / 2


def test_a_step_is_gradient_descent_at_the_rate_over_the_mass():
    share = np.array([0.4, 0.3, 0.2, 0.1])
    gradient = jax.grad(loss)(NEURONS, share)
    found = step(NEURONS, MASSES, TASK, 0.3, share)
    np.testing.assert_allclose(found.outputs, NEURONS.outputs - 0.3 * gradient.outputs / MASSES)
    expected = NEURONS.inputs - 0.3 * gradient.inputs / MASSES[:, None]
    np.testing.assert_allclose(found.inputs, expected)


def test_the_tangent_kernel_is_what_a_small_step_does_to_the_outputs():
    share = np.full(4, 0.25)
    before = network(NEURONS, MASSES, TASK.x)
    after = network(step(NEURONS, MASSES, TASK, 1e-6, share), MASSES, TASK.x)
    kernel = tangent_kernel(NEURONS, MASSES, TASK.x)
    expected = -kernel @ (share * (before - TASK.y))
    np.testing.assert_allclose((after - before) / 1e-6, expected, rtol=1e-4)


def test_descents_agree_and_padding_rests():
    shares = whole_batch_shares(7, 4)
    one = descent(NEURONS, MASSES, TASK, 0.1, shares)
    for other in (
        whole_batch_descent(NEURONS, MASSES, TASK, 0.1, 7),
        descent(NEURONS, MASSES, TASK, 0.1, padded(shares, 5)),
    ):
        np.testing.assert_allclose(other.inputs, one.inputs, rtol=1e-13)
    assert padded(shares, 5).shape == (10, 4)


def test_the_frozen_network_is_the_network_while_nothing_has_moved_far():
    shares = whole_batch_shares(3, 4)
    moved = network(descent(NEURONS, MASSES, TASK, 1e-5, shares), MASSES, TASK.x)
    frozen = frozen_outputs(NEURONS, MASSES, TASK, TASK.x, 1e-5, shares)
    still = network(NEURONS, MASSES, TASK.x)
    assert np.abs(moved - frozen).max() < 1e-4 * np.abs(moved - still).max()


def test_one_sample_shares_take_each_sample_equally_often():
    shares = one_sample_shares(np.random.default_rng(0), 6000, 3)
    assert (shares.sum(axis=1) == 1).all()
    np.testing.assert_allclose(shares.mean(axis=0), 1 / 3, atol=0.03)


@pytest.mark.parametrize("power, expected", [(0, 1.0), (2, 1.0), (4, 3.0), (6, 15.0)])
def test_the_plane_has_the_moments_of_a_gaussian(power, expected):
    nodes, weights = gaussian_plane(32, 128)
    np.testing.assert_allclose(weights @ nodes[:, 0] ** power, expected, rtol=1e-5)


def test_the_limit_does_not_depend_on_the_quadrature():
    turn = np.array([0.1, 0.8, 1.3, 2.6])
    task = Task(np.stack([np.cos(turn), np.sin(turn)], axis=1), TASK.y / 2)
    found = []
    for radii, angles in ((32, 128), (40, 160)):
        nodes, weights = gaussian_plane(radii, angles)
        start = Neurons(np.ones(len(weights)), nodes)
        state = whole_batch_descent(start, weights, task, 0.25, 16)
        found.append(network(state, weights, task.x))
    np.testing.assert_allclose(*found, atol=1e-6)
