"""Stochastic descent on given batches against loops and against the linearized network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.architecture import fully_connected
from widenets.ntk.dynamics import gradient_descent, linearized, logistic, squared_error
from widenets.ntk.dynamics.batches import epochs, stochastic_descent, stochastic_tangent_descent
from widenets.ntk.empirical import dense_kernels
from widenets.ntk.random import generator, keys

LOSS = logistic("mean")
NETWORK = fully_connected(depth=1, width=8)
RATES = {"learning_rate": 0.3, "momentum": 0.9}


def problem(samples=12, tests=3, seeds=(0, 1)):
    x = np.stack([generator(s, "x").standard_normal((samples + tests, 3)) for s in seeds])
    y = np.sign(x[..., :1])
    start = jax.vmap(lambda key: NETWORK.init(key, (3,), jnp.float64))(keys(seeds, "weights"))
    order = np.stack([epochs(generator(s, "order"), samples, 4, 5) for s in seeds])
    return x, y, start, order


def test_an_epoch_has_every_sample_once():
    found = epochs(generator(0, "order"), 14, 4, 3)
    assert found.shape == (3, 3, 4)
    assert all(np.unique(of_epoch).size == 12 for of_epoch in found)
    assert not np.array_equal(found[0], found[1])


def test_a_batch_that_is_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match=r"batch must be in 1\.\.3, found 4"):
        epochs(generator(0, "order"), 3, 4, 1)


def test_descent_is_a_plain_loop_of_heavy_ball_steps():
    x, y, start, order = problem()
    path = stochastic_descent(NETWORK.apply, start, x, y, order, loss=LOSS, **RATES)
    params = jax.tree.map(lambda leaf: leaf[1], start)
    velocity = jax.tree.map(jnp.zeros_like, params)
    for batch in order[1].reshape(-1, 4):
        slope = jax.grad(lambda p, b=batch: LOSS(NETWORK.apply(p, x[1, b]), y[1, b]))(params)
        velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, slope)
        params = jax.tree.map(lambda p, v: p - 0.3 * v, params, velocity)
    for found, first, last in zip(*map(jax.tree.leaves, (path, start, params)), strict=True):
        assert found.shape[:2] == (2, 6)
        np.testing.assert_array_equal(found[:, 0], first)
        np.testing.assert_allclose(found[1, -1], last, rtol=1e-10, atol=1e-13)


def test_full_batches_are_gradient_descent():
    x, y, start, _ = problem(tests=0)
    order = np.tile(np.arange(12), (2, 1, 7, 1))
    loss = squared_error("mean")
    path = stochastic_descent(NETWORK.apply, start, x, y, order, loss=loss, learning_rate=0.2)
    whole = gradient_descent(
        NETWORK.apply, start, x, y, loss=loss, learning_rate=0.2, record=[7], seeds=True,
        shared_data=False,
    )  # fmt: skip
    for found, wanted in zip(*map(jax.tree.leaves, (path, whole.params)), strict=True):
        np.testing.assert_allclose(found[:, -1], wanted, rtol=1e-10, atol=1e-13)


def test_coefficients_of_the_tangent_do_what_its_parameters_do():
    x, y, start, order = problem()
    tangent = linearized(NETWORK.apply)
    path = stochastic_descent(tangent, (start, start), x, y, order, loss=LOSS, **RATES)
    last = jax.tree.map(lambda leaf: leaf[:, -1], path)
    wanted = jax.vmap(tangent)(last, jnp.asarray(x))
    kernel = jax.vmap(lambda p, x: dense_kernels(NETWORK, p, x, x[:12]).ntk)(start, x)
    initial = jax.vmap(NETWORK.apply)(start, x)
    found = stochastic_tangent_descent(kernel, initial, y[:, :12], order, loss=LOSS, **RATES)
    assert found.shape == (2, 6, 15, 1)
    np.testing.assert_allclose(found[:, 0], initial, rtol=1e-12)
    np.testing.assert_allclose(found[:, -1], wanted, rtol=1e-9, atol=1e-11)


def test_shapes_that_do_not_fit_are_refused():
    x, y, start, order = problem()
    with pytest.raises(ValueError, match=r"batches have shape \(5, 3, 4\), wanted \(2, periods"):
        stochastic_descent(NETWORK.apply, start, x, y, order[0], loss=LOSS, **RATES)
    kernel, initial = jnp.ones((2, 3, 4)), jnp.ones((2, 3, 1))
    with pytest.raises(ValueError, match=r"kernel has shape \(2, 3, 4\)"):
        stochastic_tangent_descent(kernel, initial, y[:, :4], order, loss=LOSS, **RATES)
