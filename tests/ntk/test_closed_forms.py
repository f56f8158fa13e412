"""Closed forms of further activations against numerical integrals of the functions themselves."""

from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from widenets.ntk.architecture import dense, layer_norm, relu, serial
from widenets.ntk.closed_forms import (
    exp,
    gabor,
    gaussian,
    hermite,
    rbf,
    rectified_monomial,
    sigmoid_like,
)

SMOOTH = {
    "exp": exp(0.7),
    "rbf": rbf(0.8),
    "gaussian": gaussian(0.6),
    "gabor": gabor(),
    "sigmoid_like": sigmoid_like(),
    "hermite": hermite(3),
}
X = np.random.default_rng(0).normal(size=(4, 3)) * np.array([[0.6], [1.0], [1.4], [0.9]])
X[3] = -X[0] + 1e-3  # nearly opposite
K = X @ X.T / X.shape[1]
Q = np.diag(K)


def moment(one, two, i, j):
    """E[one(u) two(v)] of inputs i and j by the trapezoid rule, which is exact to rounding here."""
    z = np.arange(-13, 13, 0.125)
    weights = np.exp(-(z**2) / 2) * 0.125 / np.sqrt(2 * np.pi)
    rho = min(max(K[i, j] / np.sqrt(Q[i] * Q[j]), -1.0), 1.0)
    u = np.sqrt(Q[i]) * z[:, None]
    v = np.sqrt(Q[j]) * (rho * z[:, None] + np.sqrt(1 - rho**2) * z)
    return weights @ (np.asarray(one(u)) * np.asarray(two(v))) @ weights


def slope(phi):
    return lambda u: jax.jvp(phi, (jnp.asarray(u),), (jnp.ones_like(u),))[1]


def table(function):
    return np.array([[function(i, j) for j in range(len(X))] for i in range(len(X))])


@pytest.mark.parametrize("name", SMOOTH)
def test_both_kernels_are_the_integrals(name):
    """1e-12 of the largest entry in float64, 2e-6 in float32."""
    phi = SMOOTH[name].form
    s = table(lambda i, j: moment(phi, phi, i, j))
    wanted = s, s + K * table(lambda i, j: moment(slope(phi), slope(phi), i, j))
    network = serial(dense(1), SMOOTH[name], dense(1))
    for dtype, bound in ((np.float64, 1e-12), (np.float32, 2e-6)):
        for found, right in zip(network.kernel(X.astype(dtype)), wanted, strict=True):
            assert found.dtype == dtype
            assert np.abs(found - right).max() < bound * np.abs(right).max()


@pytest.mark.parametrize("name", [*SMOOTH, "rectified_monomial"])
def test_mean_is_what_layer_norm_takes_off(name):
    layer = SMOOTH.get(name, rectified_monomial(2))
    means = [moment(layer.form, np.ones_like, i, i) for i in range(len(X))]
    plain = serial(dense(1), layer, dense(1)).kernel(X).nngp - np.outer(means, means)
    wanted = plain / np.sqrt(np.outer(np.diag(plain), np.diag(plain)))
    found = serial(dense(1), layer, layer_norm(0.0), dense(1)).kernel(X).nngp
    # The trapezoid rule meets the kink of the second derivative: 1e-6 of it is left.
    np.testing.assert_allclose(found, wanted, atol=1e-10 if name in SMOOTH else 1e-4)


@pytest.mark.parametrize("degree", [2, 3, 4, 7])
def test_rectified_monomials_are_the_integrals(degree):
    """In polar coordinates: E[r^2n] = 2^n n! times a mean over angles; 1e-12 of the largest."""

    def rectified(n, i, j):
        theta = np.arccos(min(max(K[i, j] / np.sqrt(Q[i] * Q[j]), -1.0), 1.0))

        def density(angle):
            return (np.cos(angle) * np.cos(angle - theta)) ** n

        whole = quad(density, theta - np.pi / 2, np.pi / 2, epsabs=1e-15, epsrel=1e-13)[0]
        return (2 * np.sqrt(Q[i] * Q[j])) ** n * factorial(n) * whole / (2 * np.pi)

    s = table(lambda i, j: rectified(degree, i, j))
    d = degree**2 * table(lambda i, j: rectified(degree - 1, i, j))
    found = serial(dense(1), rectified_monomial(degree), dense(1)).kernel(X)
    for kernel, wanted in ((found.nngp, s), (found.ntk, s + K * d)):
        assert np.abs(kernel - wanted).max() < 1e-12 * wanted.max()
    u = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(
        rectified_monomial(degree).form(u), np.where(u > 0, u, 0) ** degree, rtol=1e-6
    )


def test_near_inputs_keep_their_digits():
    """1 - S of inputs 1e-7 apart is gamma |x - x'|^2 / d, to 1e-6 of itself and not of 1."""
    near = np.stack([X[0], X[0] + 1e-7 * X[1]])
    state = serial(dense(1), rbf(0.8), dense(1), rbf(0.5)).kernel(near).nngp
    distance = 0.8 * np.sum((near[0] - near[1]) ** 2) / 3
    assert state[0, 0] == state[1, 1] == 1.0
    once = 1 - serial(dense(1), rbf(0.8)).kernel(near).nngp[0, 1]
    assert abs(once - distance) < 1e-15 + 2.3e-16


def test_names_of_the_first_degree():
    np.testing.assert_array_equal(
        serial(dense(1), rectified_monomial(1), dense(1)).kernel(X).ntk,
        serial(dense(1), relu(), dense(1)).kernel(X).ntk,
    )
    np.testing.assert_allclose(serial(dense(1), hermite(1), dense(1)).kernel(X).nngp, K)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: rbf(0), "gamma must be positive, found 0.0"),
        (lambda: gaussian(-1), "rate must be positive, found -1.0"),
        (lambda: gaussian("1"), "rate must be a number, found '1'"),
        (lambda: exp(np.inf), "rate must be finite, found inf"),
        (lambda: hermite(0), "degree must be a positive integer, found 0"),
        (lambda: rectified_monomial(1.5), "degree must be a positive integer, found 1.5"),
        (lambda: serial(rbf()).kernel(X), "rbf after the inputs themselves"),
        (lambda: serial(dense(1), exp(), exp()), "exp after exp: its input is not Gaussian"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_hyperparameters_may_be_traced():
    """The derivative of the Gaussian kernel in gamma, against its formula."""
    found = jax.grad(lambda g: serial(dense(1), rbf(g), dense(1)).kernel(X).nngp[0, 1])(0.5)
    distance = Q[0] + Q[1] - 2 * K[0, 1]
    np.testing.assert_allclose(found, -distance * np.exp(-0.5 * distance), rtol=1e-12)
