"""Stochastic descent on given batches against loops and against the linearized network.

Where a loop written here is compared, both sides are the same float64 sums in another order: 1e-10
leaves 1e5 eps to the 20 steps and less.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.architecture import dense, fully_connected, relu, serial
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


def test_checkpoints_of_one_sample_steps_with_a_rate_per_neuron():
    """Unequal widths, one sample a step: a plain loop, kept at steps that no period divides."""
    network = serial(dense(8), relu(), dense(3), relu(), dense(1))
    x, y, _, _ = problem()
    start = jax.vmap(lambda key: network.init(key, (3,), jnp.float64))(keys((0, 1), "weights"))
    order = np.stack([generator(s, "order").integers(0, 12, (1, 20, 1)) for s in (0, 1)])
    rates = jax.tree.map(lambda leaf: 0.1 + 0.05 * np.arange(leaf.shape[-1]), start)
    rates[2]["weight"] = 0.0  # frozen
    options = {"loss": LOSS, "learning_rate": rates, "momentum": 0.5}
    path = stochastic_descent(network.apply, start, x, y, order, record=[1, 5, 18], **options)

    @jax.jit
    def slope(params, sample):
        point, target = jnp.asarray(x)[1, sample], jnp.asarray(y)[1, sample]
        return jax.grad(lambda p: LOSS(network.apply(p, point), target))(params)

    params = jax.tree.map(lambda leaf: leaf[1], start)
    velocity, kept = jax.tree.map(jnp.zeros_like, params), []
    for step, sample in enumerate(order[1, 0], start=1):
        velocity = jax.tree.map(lambda v, g: 0.5 * v + g, velocity, slope(params, sample))
        params = jax.tree.map(lambda p, r, v: p - r * v, params, rates, velocity)
        if step in (1, 5, 18):
            kept.append(params)
    for index, wanted in enumerate(kept):
        found = jax.tree.map(lambda leaf, index=index: leaf[1, index], path)
        for one, other in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
    np.testing.assert_array_equal(path[2]["weight"][:, -1], start[2]["weight"])
    assert np.abs(path[0]["weight"][:, -1] - start[0]["weight"]).min() > 0


def test_a_rate_per_neuron_in_full_batches():
    """The first step of a neuron is that of rate 1 times its own rate; layers of rate 0 stand
    still; of networks trained together alike."""
    x, y, start, _ = problem(tests=0, seeds=(0,))
    rates = jax.tree.map(lambda leaf: np.zeros(leaf.shape[-1:]), start)
    rates[0]["weight"] = np.arange(8.0)
    one = jax.tree.map(lambda leaf: leaf[0], start)
    options = {"loss": squared_error("mean"), "record": [1]}
    found = gradient_descent(NETWORK.apply, one, x[0], y[0], learning_rate=rates, **options)
    plain = gradient_descent(NETWORK.apply, one, x[0], y[0], learning_rate=1.0, **options)
    moved, unit = (p.params[0]["weight"] - one[0]["weight"] for p in (found, plain))
    np.testing.assert_allclose(moved, unit * np.arange(8.0), rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(found.params[2]["weight"], one[2]["weight"])
    seeds = gradient_descent(
        NETWORK.apply, start, x[0], y[0], seeds=True, **options,
        learning_rate=jax.tree.map(lambda rate: rate[None], rates),
    )  # fmt: skip
    np.testing.assert_allclose(seeds.params[0]["weight"][0], found.params[0]["weight"], rtol=1e-12)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"record": [3, 2]}, r"record must be increasing steps in 0\.\.15, found \[3, 2\]"),
        ({"record": [0, 16]}, r"record must be increasing steps in 0\.\.15"),
        ({"record": [0.5]}, r"record must be increasing steps"),
        ({"record": []}, r"record must be increasing steps"),
        ({"learning_rate": [0.1]}, "neither a number nor a pytree like params"),
        ({"learning_rate": ({"weight": np.ones(3)}, (), {"weight": 1.0})},
         r"learning_rate\[0\]\['weight'\] has shape \(3,\), wanted what broadcasts to \(3, 8\)"),
    ],
)  # fmt: skip
def test_wrong_records_and_rates_are_named(change, message):
    x, y, start, order = problem()
    with pytest.raises(ValueError, match=message):
        stochastic_descent(NETWORK.apply, start, x, y, order, **{"loss": LOSS, **RATES, **change})


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
