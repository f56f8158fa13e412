"""The fast softplus is softplus, with its derivatives, in both precisions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.softplus import softplus

Z = np.concatenate([np.linspace(-40, 40, 1601), [-1e3, 1e3]])


def derivatives(function, z):
    first = jax.grad(function)
    return [jax.vmap(f)(z) for f in (function, first, jax.grad(first))]


@pytest.mark.parametrize(("dtype", "atol"), [("float64", 4e-15), ("float32", 4e-7)])
@pytest.mark.parametrize(("sharpness", "scale"), [(1.0, 1.0), (5.0, 0.7)])
def test_value_slope_and_curvature_are_those_of_softplus(dtype, atol, sharpness, scale):
    z = jnp.asarray(Z, dtype)
    exact = lambda z: scale * jax.nn.softplus(sharpness * z) / sharpness  # noqa: E731
    found = derivatives(softplus(sharpness, scale), z)
    expected = derivatives(exact, jnp.asarray(Z))
    for order, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one.dtype == dtype
        # rounding of z itself at 1000
        np.testing.assert_allclose(one, other, atol=atol * sharpness**order, rtol=2 * atol)


def test_sharpness_may_be_traced():
    values = jax.jit(jax.vmap(lambda sharpness: softplus(sharpness)(0.3)))(jnp.array([1.0, 1e12]))
    np.testing.assert_allclose(values, [np.log1p(np.exp(0.3)), 0.3], rtol=1e-15)
