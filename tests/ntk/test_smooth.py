"""Hermite sums are right or refused: kinks, jumps, variances too large."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from widenets.ntk.architecture import dense, fully_connected, serial, smooth, softplus, tanh
from widenets.ntk.kernels import kernel_in_blocks

X = np.random.default_rng(0).normal(size=(4, 6))


@pytest.mark.parametrize("phi", [jax.nn.relu, jnp.sign, jnp.abs, jax.nn.elu, jnp.floor])
def test_kinks_and_jumps_are_refused_at_once(phi):
    """1.3 % of relu's slope and 2 % of sign were missing without a word."""
    with pytest.raises(ValueError, match=r"Hermite terms miss .* of E.phi\^2. .* variance 0.0001"):
        smooth(phi)


@pytest.mark.parametrize(
    "layer, variance",
    [(tanh(), 1e4), (smooth(lambda u: jnp.maximum(u - 1, 0)), 1.0), (softplus(), 1e6)],
)
def test_what_the_sum_misses_at_large_variances_is_refused(layer, variance):
    """By name and variance, in one line, alone and in blocks; inside a compilation there is nan."""
    network = serial(dense(1, variance), layer, dense(1))
    for call in (network.kernel, lambda x: kernel_in_blocks(network, x)):
        with pytest.raises(ValueError, match=r"Hermite terms miss .* at variance \d") as error:
            call(X)
        assert "\n" not in str(error.value)
    assert np.isnan(jax.jit(lambda x: network.limit(x, None).ntk)(jnp.asarray(X))).all()


def diagonal(phi, slope, q):
    """E phi^2 + q E phi'^2: the kernel of one hidden layer on the diagonal, for odd phi."""

    def mean(function):
        def density(u):
            return function(u) ** 2 * np.exp(-(u**2) / 2 / q) / np.sqrt(2 * np.pi * q)

        ends = np.sqrt(q) * np.array([0, 0.001, 0.01, 0.1, 1, 3, 40])
        parts = itertools.pairwise(ends)
        return 2 * sum(quad(density, *part, limit=500, epsabs=1e-14)[0] for part in parts)

    return mean(phi) + q * mean(slope)


@pytest.mark.parametrize("q", [0.01, 1.0, 9.0, 25.0, 35.0, 100.0])
def test_tanh_is_right_to_1e_6_or_refused(q):
    """On the diagonal, where the sum converges last; the check is not blind to what is left."""
    network = serial(dense(1, q), tanh(), dense(1))
    wanted = diagonal(np.tanh, lambda u: 1 / np.cosh(np.clip(u, -300, 300)) ** 2, q)
    x = np.ones((1, 3))
    if q > 30:
        with pytest.raises(ValueError, match="tanh: 1000 Hermite terms miss"):
            network.kernel(x)
    else:
        np.testing.assert_allclose(network.kernel(x).ntk[0, 0], wanted, rtol=1e-6)


def test_float32_has_its_own_rounding():
    network = fully_connected(depth=2, width=1, activation=tanh(), weight_variance=4.0)
    single, double = (network.kernel(X.astype(dtype)).ntk for dtype in (np.float32, np.float64))
    np.testing.assert_allclose(single, double, rtol=2e-5)


def test_variances_that_overflow_are_refused():
    """Not only of sums: a kernel that is not finite is none."""
    network = serial(dense(1, 1e200), smooth(lambda u: u**2), dense(1))
    with pytest.raises(ValueError, match=r"Hermite terms miss|variances overflow"):
        network.kernel(X)
