"""Chizat et al. 2019: identities of section 1 and the quantities that the criterion is made of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from replications.chizat2019_lazy_training import experiment
from replications.chizat2019_lazy_training.curvature import second_derivative_norm
from replications.chizat2019_lazy_training.model import (
    initial,
    scaled,
    scaled_model,
    state_of,
    tangent_kernel,
    two_layer,
)
from shared.ntk import random
from shared.ntk.empirical import empirical_ntk
from shared.ntk.training import gradient_descent, squared_error


def problem(neurons=6, dimension=3, points=5, doubled=False):
    params = initial(random.key(0, "test"), dimension, neurons, doubled=doubled)
    generator = np.random.default_rng(0)
    x = jnp.asarray(generator.standard_normal((points, dimension)))
    return params, x, jnp.asarray(generator.standard_normal((points, 1)))


def test_paired_initialisation_gives_zero_and_twice_the_kernel():
    params, x, _ = problem(doubled=True)
    np.testing.assert_allclose(two_layer("softplus")(params, x), 0.0, atol=1e-15)
    half = ({"weight": params[0]["weight"][:, :3]}, {"weight": params[1]["weight"][:3]})
    whole, single = (tangent_kernel("softplus", p, x, 1.0) for p in (params, half))
    np.testing.assert_allclose(whole, 2 * single, rtol=1e-13)


@pytest.mark.parametrize("activation", ["softplus", "tanh", "relu"])
def test_tangent_kernel_is_the_gram_of_the_jacobian(activation):
    params, x, _ = problem()
    wanted = empirical_ntk(two_layer(activation), params, x)
    found = tangent_kernel(activation, params, x, 0.5)
    np.testing.assert_allclose(found, 0.25 * wanted, rtol=1e-12)


def test_scale_of_initialisation_is_the_scale_of_the_model():
    # h(tau w) = tau^2 h(w): descent from tau w_0 is tau times descent on F_alpha, alpha = tau^2.
    params, x, y = problem()
    tau, step = 3.0, 1e-3
    big = scaled(params, tau)
    run = {"loss": squared_error("sum"), "record": [30]}
    direct = gradient_descent(two_layer("relu"), big, x, y, learning_rate=step, **run)
    # w' = w - step / alpha grad becomes z' = z - step_z grad with z = alpha (w - w_0).
    lifted = gradient_descent(
        scaled_model("relu", False),
        state_of(params, tau**2, 1.0, 0.0),
        x,
        y,
        learning_rate=step * tau**2,
        **run,
    )
    z = lifted.params[0]
    recovered = jax.tree.map(lambda w, u: tau * (w + u / tau**2), params, z)
    for one, two in zip(jax.tree.leaves(direct.params), jax.tree.leaves(recovered), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-10)


@pytest.mark.parametrize(("offset", "zero"), [(1.0, True), (0.0, False)])
def test_the_frozen_copy_is_subtracted_from_model_and_linearization(offset, zero):
    params, x, _ = problem()
    state = state_of(params, 7.0, 0.5, offset)
    for linear in (False, True):
        outputs = scaled_model("softplus", linear)(state, x)
        assert bool(np.allclose(outputs, 0.0)) is zero


def test_linearized_descent_has_its_closed_form():
    params, x, y = problem(neurons=40)
    kernel = np.asarray(tangent_kernel("softplus", params, x, 1.0))
    step = 0.5 / np.linalg.eigvalsh(kernel)[-1]
    found = gradient_descent(
        scaled_model("softplus", True),
        state_of(params, 5.0, 1.0, 1.0),
        x,
        y,
        loss=squared_error("sum"),
        learning_rate=step,
        record=[50],
    )
    outputs = scaled_model("softplus", True)(found.params, x)
    decay = np.linalg.matrix_power(np.eye(5) - step * kernel, 50)
    np.testing.assert_allclose(outputs - y, -decay @ y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("activation", ["softplus", "tanh"])
def test_second_derivative_norm_is_the_largest_curvature_for_one_input(activation):
    params, x, _ = problem(neurons=4, points=1)
    sigma = {"softplus": jax.nn.softplus, "tanh": jnp.tanh}[activation]
    found = second_derivative_norm(sigma, params, x, random.key(1, "starts"))
    largest = 0.0
    for a, b in zip(params[0]["weight"].T, params[1]["weight"][:, 0], strict=True):
        hessian = jax.hessian(lambda w: w[-1] * sigma(x[0] @ w[:-1]))(jnp.append(a, b))
        largest = max(largest, float(jnp.max(jnp.abs(jnp.linalg.eigvalsh(hessian)))))
    assert float(found) == pytest.approx(largest, rel=1e-5)


def test_second_derivative_norm_is_not_below_random_directions():
    params, x, _ = problem(neurons=3, points=6)
    found = second_derivative_norm(jax.nn.softplus, params, x, random.key(1, "starts"))
    point = jnp.append(params[0]["weight"][:, 0], params[1]["weight"][0])
    values = lambda w: w[-1] * jax.nn.softplus(x @ w[:-1])  # noqa: E731
    hessians = jax.jacfwd(jax.jacfwd(values))(point)
    directions = np.random.default_rng(0).standard_normal((500, 4))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    quadratic = np.einsum("ki,nij,kj->kn", directions, hessians, directions)
    assert np.linalg.norm(quadratic, axis=1).max() <= float(found) * (1 + 1e-9)


def test_aligned_mass_counts_neurons_near_a_teacher_of_the_same_sign():
    from shared.ntk.data import TwoLayerTeacher

    teacher = TwoLayerTeacher(np.array([[1.0, 0.0]]), np.array([1.0]))
    neurons = np.array([[2.0, 0.1, 1.0], [2.0, 0.1, -1.0], [0.0, 1.0, 2.0]])
    mass = np.array([np.hypot(2, 0.1), np.hypot(2, 0.1), 2.0])
    found = experiment._aligned_mass(neurons, teacher)
    assert found == pytest.approx(mass[0] / mass.sum())
