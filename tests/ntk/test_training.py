"""Gradient descent against explicit loops; seeds, layer-wise rates, losses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.dynamics import cross_entropy, gradient_descent, logistic, squared_error


def apply(params, x):
    return jnp.tanh(x @ params["hidden"]) @ params["readout"]


def init(key):
    first, second = jax.random.split(key)
    return {
        "hidden": jax.random.normal(first, (3, 5), jnp.float64),
        "readout": jax.random.normal(second, (5, 2), jnp.float64),
    }


@pytest.fixture
def data():
    first, second = jax.random.split(jax.random.key(1))
    return jax.random.normal(first, (4, 3), jnp.float64), jax.random.normal(
        second, (4, 2), jnp.float64
    )


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_equals_an_explicit_loop(data, momentum):
    x, y = data
    params, record = init(jax.random.key(0)), [0, 1, 4, 9]
    loss = squared_error("mean")
    result = gradient_descent(
        apply,
        params,
        x,
        y,
        loss=loss,
        learning_rate=0.3,
        momentum=momentum,
        record=record,
        observe=lambda p, initial: (apply(p, x), p["hidden"] - initial["hidden"]),
    )
    current, velocity = params, jax.tree.map(jnp.zeros_like, params)
    slope = jax.jit(jax.grad(lambda p: loss(apply(p, x), y)))
    for step in range(10):
        if step in record:
            index = record.index(step)
            outputs = np.asarray(apply(current, x))
            by_hand = ((outputs - np.asarray(y)) ** 2).sum() / 8
            np.testing.assert_allclose(result.loss[index], by_hand, rtol=1e-12)
            np.testing.assert_allclose(result.observed[0][index], outputs, atol=1e-12)
            moved = current["hidden"] - params["hidden"]
            np.testing.assert_allclose(result.observed[1][index], moved, atol=1e-12)
        if step == record[-1]:
            break
        gradient = slope(current)
        velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, gradient)
        current = jax.tree.map(lambda p, v: p - 0.3 * v, current, velocity)
    for name, value in current.items():
        np.testing.assert_allclose(result.params[name], value, atol=1e-12)


def test_seeds_side_by_side_equal_seeds_one_by_one(data):
    x, y = data
    keys = jax.random.split(jax.random.key(2), 3)
    many = jax.vmap(init)(keys)
    rates = jnp.array([0.1, 0.2, 0.3])
    options = {"loss": squared_error("sum"), "record": [0, 7]}
    inputs = jnp.stack([x, 2 * x, 3 * x])
    targets = jnp.stack([y, -y, y])
    shared = gradient_descent(apply, many, x, y, learning_rate=rates, seeds=True, **options)
    own = gradient_descent(
        apply,
        many,
        inputs,
        targets,
        learning_rate=0.1,
        seeds=True,
        shared_data=False,
        observe=lambda p, initial, points: apply(p, points),
        context=inputs + 1,
        **options,
    )
    for index, key in enumerate(keys):
        one = gradient_descent(apply, init(key), x, y, learning_rate=rates[index], **options)
        np.testing.assert_allclose(shared.loss[index], one.loss, rtol=1e-12)
        one = gradient_descent(
            apply, init(key), inputs[index], targets[index], learning_rate=0.1, **options
        )
        np.testing.assert_allclose(own.loss[index], one.loss, rtol=1e-12)
        seen = apply(one.params, inputs[index] + 1)
        np.testing.assert_allclose(own.observed[index, -1], seen, rtol=1e-12)


def test_rates_by_layer_freeze_and_move(data):
    x, y = data
    params = init(jax.random.key(0))
    options = {"loss": squared_error("sum"), "record": [6]}
    frozen = gradient_descent(
        apply, params, x, y, learning_rate={"hidden": 0.0, "readout": 0.05}, **options
    )
    np.testing.assert_array_equal(frozen.params["hidden"], params["hidden"])
    features = np.tanh(np.asarray(x) @ np.asarray(params["hidden"]))
    weights = np.asarray(params["readout"])
    for _ in range(6):
        weights = weights - 0.05 * features.T @ (features @ weights - np.asarray(y))
    np.testing.assert_allclose(frozen.params["readout"], weights, atol=1e-12)


def test_losses_by_definition():
    outputs = jnp.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]], jnp.float64)
    labels = jnp.array([2, 1])
    probabilities = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    expected = -np.log(probabilities[[0, 1], labels]).sum()
    np.testing.assert_allclose(cross_entropy("sum")(outputs, labels), expected, rtol=1e-12)
    np.testing.assert_allclose(cross_entropy("mean")(outputs, labels), expected / 2, rtol=1e-12)
    np.testing.assert_allclose(
        cross_entropy("sum")(outputs, jnp.eye(3)[labels]), expected, rtol=1e-12
    )
    signs = jnp.array([[1.0], [-1.0]], jnp.float64)
    margins = np.asarray(signs * outputs[:, :1])
    expected = np.log1p(np.exp(-margins)).sum()
    np.testing.assert_allclose(logistic("sum")(outputs[:, :1], signs), expected, rtol=1e-12)
    np.testing.assert_allclose(squared_error("mean_entries")(outputs, 0 * outputs), 15.25 / 12)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_precision_is_that_of_the_parameters(data, dtype):
    x, y, params = jax.tree.map(lambda a: a.astype(dtype), (*data, init(jax.random.key(0))))
    result = gradient_descent(
        apply, params, x, y, loss=squared_error("sum"), learning_rate=0.01, record=[3], momentum=0.5
    )
    assert result.loss.dtype == result.params["hidden"].dtype == dtype


@pytest.mark.parametrize(
    "change, message",
    [
        ({"record": []}, "non-empty"),
        ({"record": [3, 2]}, "increasing"),
        ({"record": [0.5]}, "integers"),
        ({"learning_rate": {"hidden": 0.1}}, "pytree like params"),
        ({"params": ()}, "no arrays"),
        ({"y": jnp.ones(4)}, "targets"),
    ],
)
def test_bad_input_is_named(data, change, message):
    arguments = {"params": init(jax.random.key(0)), "x": data[0], "y": data[1]}
    arguments |= {"loss": squared_error("sum"), "learning_rate": 0.1, "record": [1]} | change
    with pytest.raises(ValueError, match=message):
        gradient_descent(apply, **arguments)
