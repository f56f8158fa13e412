"""The ReLU kernels against 50-digit values where the arccosine loses half of the digits."""

from functools import cache

import mpmath
import numpy as np
import pytest

from widenets.ntk.architecture import Kernels, fully_connected
from widenets.ntk.kernels import kernel_in_blocks

WEIGHTS = 2.0


def hard_inputs(dimension):
    """Duplicates, antipodes, collinear points and 1e-4 / 1e-6 neighbours."""
    x = np.random.default_rng(3).normal(size=(9, dimension))
    x[1], x[2], x[3] = x[0], -x[0], 3 * x[0]
    x[5] = x[4] + 1e-4 * x[5]
    x[6] = x[4] + 1e-6 * x[6]
    x[7] = -x[4] + 1e-4 * x[7]
    return x


def exact(x, depth, bias):
    """The recursion of the definition in 50 digits."""
    with mpmath.workdps(50):
        rows = [[mpmath.mpf(float(v)) for v in row] for row in x]
        n, d = x.shape
        weights, bias = mpmath.mpf(WEIGHTS), mpmath.mpf(float(bias))
        k = {
            (i, j): weights * mpmath.fdot(rows[i], rows[j]) / d + bias
            for i in range(n)
            for j in range(n)
        }
        theta = dict(k)
        for _ in range(depth):
            after_k, after_theta = {}, {}
            for i, j in k:
                m = mpmath.sqrt(k[i, i] * k[j, j])
                cosine = max(min(k[i, j] / m, mpmath.mpf(1)), mpmath.mpf(-1))
                angle = mpmath.acos(cosine)
                s = m * (mpmath.sin(angle) + (mpmath.pi - angle) * cosine) / (2 * mpmath.pi)
                slope = (mpmath.pi - angle) / (2 * mpmath.pi)
                after_k[i, j] = weights * s + bias
                after_theta[i, j] = after_k[i, j] + weights * slope * theta[i, j]
            k, theta = after_k, after_theta
        return tuple(
            np.array([[float(a[i, j]) for j in range(n)] for i in range(n)]) for a in (k, theta)
        )


def arccosine_form(x, depth, bias):
    """What other codes do, in the precision of x: the control that must miss both bounds."""
    one, two = x.dtype.type(1), x.dtype.type(2)
    pi = x.dtype.type(np.pi)
    k = theta = two * (x @ x.T) / x.dtype.type(x.shape[1]) + x.dtype.type(bias)
    for _ in range(depth):
        m = np.sqrt(np.outer(np.diag(k), np.diag(k)))
        cosine = np.clip(k / m, -one, one)
        angle = np.arccos(cosine)
        k = m * (np.sin(angle) + (pi - angle) * cosine) / pi + x.dtype.type(bias)
        theta = k + (pi - angle) / pi * theta
    return k, theta


def worst(found, wanted):
    return max(
        np.abs(np.asarray(a, float) - b).max() / np.abs(b).max()
        for a, b in zip(found, wanted, strict=True)
    )


BOUNDS = {np.float64: 1e-12, np.float32: 2e-6}


@cache
def network(depth, bias):
    """One object, so that its kernel is compiled once per shape of inputs."""
    return fully_connected(depth=depth, width=1, weight_variance=WEIGHTS, bias_variance=bias)


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("dimension, depth, bias", [(1, 3, 0.25), (3, 1, 0.0), (40, 3, 0.0)])
def test_hard_inputs_to_full_precision(dtype, dimension, depth, bias):
    """float64 within 1e-12 and float32 within 2e-6 of the largest entry; traced and in loops."""
    x, net = hard_inputs(dimension).astype(dtype), network(depth, bias)
    wanted = exact(x, depth, bias)
    kernels = [
        Kernels(*(kernel_in_blocks(net, x, x2, which=which) for which in Kernels._fields))
        for x2 in (None, x)
    ]
    for found in (net.kernel(x), net.kernel(x, x), *kernels):
        assert found.ntk.dtype == found.nngp.dtype == dtype
        assert worst(found, wanted) < BOUNDS[dtype]


def test_many_close_pairs_are_repaired():
    """Clusters, where most pairs are too close for the product, and one of close pairs alone."""
    x = np.random.default_rng(5).normal(size=(1, 40)) + np.zeros((30, 1))
    x = (x + 1e-4 * np.random.default_rng(6).normal(size=x.shape)).astype(np.float64)
    x[0] = np.random.default_rng(7).normal(size=40)
    net = network(2, 0.1)
    for inputs in (x, x[:2], x[:4]):
        wanted = exact(inputs, 2, 0.1)
        nngp, ntk = net.kernel(inputs)
        assert worst((nngp, ntk), wanted) < 1e-14
        assert worst((nngp, kernel_in_blocks(net, inputs)), wanted) < 1e-14


@pytest.mark.parametrize("dtype", BOUNDS)
def test_arccosine_form_misses_both_bounds(dtype):
    """Control: in 40 dimensions the usual form is wrong by more than either bound."""
    x = hard_inputs(40).astype(dtype)
    assert worst(arccosine_form(x, 3, 0.0), exact(x, 3, 0.0)) > BOUNDS[dtype]


def test_duplicates_are_exactly_singular():
    """Equal inputs give equal rows to the last bit or so, also where x2 repeats x1."""
    x, net = hard_inputs(40), network(3, 0.1)
    for kernel in (*net.kernel(x), *net.kernel(x, x)):
        np.testing.assert_allclose(kernel[0], kernel[1], rtol=1e-15)
        assert abs(np.linalg.det(kernel[:2, :2])) < 1e-14 * kernel[0, 0] ** 2
