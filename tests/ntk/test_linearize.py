"""The linearized network: definition, agreement of weight space, output space and closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.dynamics import (
    cross_entropy,
    gradient_descent,
    kernel_flow,
    linearize,
    linearized,
    linearized_outputs,
    logistic,
    squared_error,
)
from widenets.ntk.empirical import empirical_ntk

RECORD = [0, 1, 2, 30]


def apply(params, x):
    hidden = jnp.tanh(x @ params["hidden"] + params["bias"])
    return jnp.tanh(hidden @ params["middle"]) @ params["readout"]


def init(key, outputs=2):
    keys = jax.random.split(key, 4)
    shapes = {"hidden": (3, 6), "bias": (6,), "middle": (6, 6), "readout": (6, outputs)}
    return {
        name: jax.random.normal(k, shape, jnp.float64) / 2
        for k, (name, shape) in zip(keys, shapes.items(), strict=True)
    }


@pytest.fixture
def inputs():
    return jax.random.normal(jax.random.key(5), (7, 3), jnp.float64)


def test_is_the_first_order_expansion(inputs):
    """Equal to f at params_0; elsewhere f - f_lin shrinks fourfold when the step is halved."""
    params_0 = init(jax.random.key(0))
    direction = init(jax.random.key(1))
    linear = linearize(apply, params_0)
    np.testing.assert_array_equal(linear(params_0, inputs), apply(params_0, inputs))

    def error(size):
        params = jax.tree.map(lambda p, d: p + size * d, params_0, direction)
        return float(jnp.abs(apply(params, inputs) - linear(params, inputs)).max())

    assert 3.5 < error(1e-2) / error(5e-3) < 4.5


def test_jacobian_by_finite_differences(inputs):
    params_0 = init(jax.random.key(0))
    direction = init(jax.random.key(1))
    plus, minus = (
        jax.tree.map(lambda p, d, s=sign: p + s * 1e-5 * d, params_0, direction) for sign in (1, -1)
    )
    slope = (apply(plus, inputs) - apply(minus, inputs)) / 2e-5
    moved = jax.tree.map(jnp.add, params_0, direction)
    change = linearize(apply, params_0)(moved, inputs) - apply(params_0, inputs)
    np.testing.assert_allclose(change, slope, atol=1e-8)


@pytest.mark.parametrize(
    "kind, momentum", [("squared", 0.9), ("cross_entropy", 0.9), ("logistic", 0.0)]
)
def test_weight_space_equals_output_space(inputs, kind, momentum):
    """Any loss, any momentum, many seeds: training f_lin's weights is the kernel's recursion."""
    loss, targets = {
        "squared": (squared_error("mean"), jnp.sin(inputs[:4, :2])),
        "cross_entropy": (cross_entropy("sum"), jnp.array([0, 1, 1, 0])),
        "logistic": (logistic("mean"), jnp.sign(inputs[:4, :2])),
    }[kind]
    many = jax.vmap(init)(jax.random.split(jax.random.key(3), 2))
    linear = linearized(apply)
    options = {"loss": loss, "learning_rate": 0.05, "record": RECORD, "momentum": momentum}
    weights = gradient_descent(
        linear,
        (many, many),
        inputs[:4],
        targets,
        observe=lambda pair, _: linear(pair, inputs),
        seeds=True,
        **options,
    )

    def outputs(params):
        kernel = empirical_ntk(apply, params, inputs, inputs[:4], kind="full")
        return linearized_outputs(kernel, apply(params, inputs), targets, **options)[2:]

    in_outputs = jax.jit(jax.vmap(outputs))(many)
    np.testing.assert_allclose(weights.loss, in_outputs[0], atol=1e-11)
    np.testing.assert_allclose(weights.observed, in_outputs[1], atol=1e-11)
    for name in many:
        np.testing.assert_array_equal(weights.params[0][name], many[name])  # params_0 stay


def test_closed_form_equals_explicit_descent_of_the_linear_model(inputs):
    """(1 - rate T)^t against gradient descent on the weights of f_lin, train and test, to 1e-10."""
    params = init(jax.random.key(7), outputs=1)
    targets = jnp.sin(3 * inputs[:4, :1])
    linear = linearized(apply)
    record = [0, 1, 5, 60, 400]
    path = gradient_descent(
        linear,
        (params, params),
        inputs[:4],
        targets,
        loss=squared_error("sum"),
        learning_rate=0.05,
        record=record,
        observe=lambda pair, _: linear(pair, inputs),
    )
    kernel = jax.jit(lambda p, x: empirical_ntk(apply, p, x))(params, inputs)
    initial = apply(params, inputs)
    flow = kernel_flow(
        kernel[:4, :4],
        targets,
        record,
        normalization="sum",
        learning_rate=0.05,
        method="descent",
        initial=initial[:4],
        initial_test=initial[4:],
        kernel_test=kernel[4:, :4],
    )
    np.testing.assert_allclose(path.loss, flow.loss, atol=1e-10)
    np.testing.assert_allclose(path.observed[:, :4], flow.train, atol=1e-10)
    np.testing.assert_allclose(path.observed[:, 4:], flow.test, atol=1e-10)


def test_bad_input_is_named():
    options = {"loss": squared_error("sum"), "learning_rate": 0.1, "record": [1]}
    with pytest.raises(ValueError, match="kernel has shape"):
        linearized_outputs(jnp.ones((2, 3)), jnp.ones((2, 1)), jnp.ones((3, 1)), **options)
    with pytest.raises(ValueError, match="initial has shape"):
        linearized_outputs(jnp.ones((3, 2)), jnp.ones((2, 1)), jnp.ones((2, 1)), **options)
