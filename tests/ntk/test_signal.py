"""Signal propagation: depths in one pass, fixed points and the edge of chaos."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf as error_function

from widenets.ntk.architecture import dense, dropout, erf, relu, repeat, serial
from widenets.ntk.signal import (
    Signal,
    at_depths,
    correlation_map,
    edge_of_chaos,
    fixed_point,
    moments,
)

ERF, WEIGHTS, BIASES = erf(), 1.7, 0.1
Z = np.linspace(-12, 12, 4801)
NORMAL = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * (Z[1] - Z[0])


@jax.jit
def erf_depths(start, depths):
    return at_depths(serial(ERF, dense(1, WEIGHTS, BIASES)), start, depths)


@pytest.mark.parametrize("depths", [(0, 1, 2, 5), (2, 5)])
def test_all_depths_of_one_pass_are_those_of_networks_of_each_depth(depths):
    inputs = np.sqrt(3) * np.array([[1.0, 0, 0], [0.6, 0.8, 0], [-0.8, 0, 0.6]])
    first = inputs @ inputs.T / 3  # both kernels of the first layer, of variance 1
    start = Signal(jnp.ones((3, 3)), 1 - first, jnp.asarray(first))
    found = erf_depths(start, np.array(depths))
    for number, depth in enumerate(depths):
        block = serial(ERF, dense(1, WEIGHTS, BIASES))
        network = serial(dense(1), *([repeat(block, depth)] if depth else []))
        nngp, ntk = network.kernel(inputs)
        covariance = found.variance * (1 - found.gap)
        np.testing.assert_allclose(covariance[number], nngp, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found.ntk[number], ntk, rtol=1e-12, atol=1e-14)


def test_variances_may_be_arrays():
    start = Signal(jnp.ones(2), jnp.full(2, 0.3), jnp.zeros(2))

    @jax.jit
    def last(weights):
        return at_depths(serial(ERF, dense(1, weights, 0.1)), start, np.array([4])).gap[0]

    both = last(jnp.array([0.8, 1.7]))
    alone = [last(jnp.full(2, weights))[0] for weights in (0.8, 1.7)]
    np.testing.assert_allclose(both, alone, rtol=1e-13)


def test_moments_are_integrals():
    variance = jnp.asarray(0.7)
    u = np.sqrt(0.7) * Z
    square, slope = moments(ERF, variance)
    assert square == pytest.approx(NORMAL @ error_function(u) ** 2, rel=1e-10)
    assert slope == pytest.approx(NORMAL @ (4 / np.pi * np.exp(-2 * u**2)), rel=1e-10)


@pytest.mark.parametrize("weights", [0.9, 2.5])
def test_fixed_point_is_where_the_recursion_ends(weights):
    rest = fixed_point(ERF, weights, BIASES)
    start = Signal(jnp.asarray(2.0), jnp.asarray(0.9), jnp.asarray(0.0))
    layer = serial(ERF, dense(1, weights, BIASES))
    end = jax.jit(lambda: at_depths(layer, start, np.array([600])))()
    assert end.variance[0] == pytest.approx(float(rest.variance), rel=1e-12)
    assert end.gap[0] == pytest.approx(float(rest.gap), abs=1e-12)
    assert (float(rest.gap) > 0.01) == (float(rest.chi_1) > 1)


def test_slopes_and_curvatures_are_those_of_the_maps():
    rest = fixed_point(ERF, 2.5, BIASES)
    step = 1e-4

    def gap_after(gap):
        return float(correlation_map(ERF, 2.5, BIASES, 1.0, rest.variance, jnp.asarray(gap))[0])

    there = float(rest.gap)
    central = (gap_after(there + step) - gap_after(there - step)) / (2 * step)
    assert central == pytest.approx(float(rest.chi_c), rel=1e-6)
    q = float(rest.variance)
    variances = [2.5 * float(moments(ERF, jnp.asarray(q + s))[0]) for s in (-step, step)]
    slope = (variances[1] - variances[0]) / (2 * step)
    assert slope == pytest.approx(float(rest.variance_slope), rel=1e-6)
    u = np.sqrt(q) * Z
    second = -4 * u / np.sqrt(np.pi) * np.exp(-(u**2))
    third = (8 * u**2 - 4) / np.sqrt(np.pi) * np.exp(-(u**2))
    assert float(rest.second) == pytest.approx(2.5 * q * (NORMAL @ second**2), rel=1e-8)
    assert float(rest.third) == pytest.approx(2.5 * q**2 * (NORMAL @ third**2), rel=1e-8)


def test_dropout_is_that_of_masked_networks_and_comes_to_rest():
    """Independent masks: one layer of the library's network, then the fixed point of that map."""
    network = serial(dense(1), ERF, dropout(0.8), dense(1, 1.4, BIASES))
    x = np.array([[1.0, 0.5], [1.0, -0.5]])  # variance 5/8, 1 - c = 2/5
    covariance = network.kernel(x[:1], x[1:], masks=True).nngp[0, 0]
    variance = network.kernel(x[:1], masks=True).nngp[0, 0]
    one_layer = correlation_map(ERF, 1.4, BIASES, 0.8, jnp.asarray(0.625), jnp.asarray(0.4))[0]
    assert 1 - covariance / variance == pytest.approx(float(one_layer), rel=1e-12)
    rest = fixed_point(ERF, 1.4, BIASES, 0.8)
    q = float(1.4 / 0.8 * moments(ERF, rest.variance)[0] + BIASES)
    assert q == pytest.approx(float(rest.variance), rel=1e-12)
    after = correlation_map(ERF, 1.4, BIASES, 0.8, rest.variance, rest.gap)[0]
    assert float(after) == pytest.approx(float(rest.gap), rel=1e-12)
    assert float(rest.gap) > 0.01


def test_edge_of_chaos_is_where_chi_1_is_one():
    biases = np.array([0.05, 0.18])
    edge = edge_of_chaos(ERF, biases)
    np.testing.assert_allclose(fixed_point(ERF, edge, biases).chi_1, 1, rtol=1e-10)
    # Closed form: (4 / pi) sw2 = sqrt(1 + 4 q*) for erf.
    q = np.asarray(fixed_point(ERF, edge, biases).variance)
    np.testing.assert_allclose(edge, np.pi / 4 * np.sqrt(1 + 4 * q), rtol=1e-10)


def test_small_gaps_keep_their_digits():
    """ReLU at sw2 = 2: 1 - c' = e - (2 sqrt 2 / (3 pi)) e^(3/2) for a gap of 1e-12."""
    start = Signal(jnp.asarray(1.0), jnp.asarray(1e-12), jnp.asarray(0.0))
    layer = serial(relu(), dense(1, 2.0))
    after = jax.jit(lambda: at_depths(layer, start, np.array([1])))().gap[0]
    assert (1e-12 - after) / 1e-18 == pytest.approx(2 * np.sqrt(2) / (3 * np.pi), rel=1e-3)
