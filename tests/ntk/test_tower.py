"""Derivatives along the gradient, against closed forms and against gradient flow itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.dynamics.tower import tower


def test_of_a_quadratic_form_they_are_powers_of_its_matrix():
    """f = x'Ax / 2: grad f = A x, so O_s = 2^(s-2) x' A^s x for s >= 2."""
    matrix = jnp.asarray([[2.0, 0.5], [0.5, -1.0]])
    x = jnp.asarray([0.3, -0.7])
    found = tower(lambda x: x @ matrix @ x / 2, 5)(x)
    power = [x @ np.linalg.matrix_power(np.asarray(matrix), s) @ x for s in range(1, 6)]
    expected = [power[0] / 2, *(2.0 ** (s - 2) * power[s - 1] for s in range(2, 6))]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_they_are_the_taylor_coefficients_of_the_flow_along_the_gradient():
    params = {"first": jnp.asarray([0.4, -0.9, 1.3]), "second": jnp.asarray([0.8, 0.5, -0.6])}

    def function(params):
        return params["second"] @ jnp.tanh(params["first"])

    step, steps = 2e-3, 50
    now = params
    for _ in range(steps):  # the midpoint rule
        half = jax.tree.map(lambda p, g: p + step / 2 * g, now, jax.grad(function)(now))
        now = jax.tree.map(lambda p, g: p + step * g, now, jax.grad(function)(half))
    s = step * steps
    series = np.polyval(np.asarray(tower(function, 5)(params))[::-1] / [24, 6, 2, 1, 1], s)
    assert function(now) == pytest.approx(float(series), abs=2e-6)
    # The third order is seen: without its term the series misses by more than that.
    assert abs(tower(function, 5)(params)[3]) * s**3 / 6 > 2e-5


def test_orders_below_one_are_refused():
    with pytest.raises(ValueError, match="orders: found 0, wanted at least 1"):
        tower(lambda x: x, 0)
