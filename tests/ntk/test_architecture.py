"""Finite networks and their limits: known values, invariances, Monte Carlo, bad input."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from tests.ntk.finite import sample, standard_error
from widenets.ntk.architecture import (
    abs_,
    average_pool,
    conv,
    cos,
    dense,
    dropout,
    erf,
    flatten,
    fully_connected,
    gelu,
    global_average_pool,
    layer_norm,
    leaky_relu,
    monomial,
    polynomial,
    relu,
    repeat,
    residual,
    serial,
    silu,
    sin,
    softplus,
    tanh,
)
from widenets.ntk.kernels import kernel_in_blocks

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(6, 5))


@cache
def jacot_network(depth=3):
    """One object, so that its kernel is compiled once per shape of inputs."""
    return fully_connected(depth=depth, width=1, weight_variance=1.0, bias_variance=0.01)


# --- known values -------------------------------------------------------------------------------


def test_known_values_of_jacot():
    """Theta(x, x) = 0.2825 for four affine maps, beta = 0.1, |x| = 1, two inputs; antipode."""
    ntk = jacot_network().kernel([[1.0, 0.0], [-1.0, 0.0]]).ntk
    np.testing.assert_allclose(np.diag(ntk), 0.2825, rtol=1e-12)
    np.testing.assert_allclose(ntk[0, 1], 0.06435377, rtol=1e-6)


def test_arccosine_at_zero_right_and_straight_angle():
    """kappa_1 = 1, 1/pi, 0 and kappa_0 = 1, 1/2, 0 (Cho and Saul 2009)."""
    x = np.sqrt(2.0) * np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    nngp, ntk = serial(dense(1), relu()).kernel(x[:1], x)  # K = <x, x'> / 2, S = kappa_1 / 2
    np.testing.assert_allclose(nngp, [[0.5, 0.5 / np.pi, 0.0]], atol=1e-12)
    np.testing.assert_allclose(ntk, [[0.5, 0.0, 0.0]], atol=1e-12)
    biased = serial(dense(1), relu(), dense(1)).kernel(x[:1], x).ntk
    np.testing.assert_allclose(biased, [[1.0, 0.5 / np.pi, 0.0]], atol=1e-12)


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_diagonal_without_bias(depth):
    """Theta(x, x) = (depth + 1) |x|^2 / d times the readout's 1/2 * 2 at weight_variance 2."""
    network = fully_connected(depth=depth, width=1, weight_variance=2.0)
    wanted = 2 * (depth + 1) * np.sum(X**2, axis=1) / X.shape[1]
    np.testing.assert_allclose(np.diag(network.kernel(X).ntk), wanted, rtol=1e-12)


# --- definition: duals against two-dimensional quadrature ---------------------------------------

STEP = 0.05
Z = np.arange(-11, 11 + STEP / 2, STEP)
WEIGHT = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * STEP


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


SMOOTH = {
    "tanh": (tanh(), np.tanh, lambda u: 1 - np.tanh(u) ** 2),
    "silu": (silu(), lambda u: u * sigmoid(u), lambda u: sigmoid(u) * (1 + u * sigmoid(-u))),
    "softplus": (softplus(), lambda u: np.logaddexp(0, u), sigmoid),
    "gelu": (gelu(), lambda u: u * norm.cdf(u), lambda u: norm.cdf(u) + u * norm.pdf(u)),
    "sin": (sin(), np.sin, np.cos),
    "cos": (cos(), np.cos, lambda u: -np.sin(u)),
    "cube": (monomial(3), lambda u: u**3, lambda u: 3 * u**2),
    "polynomial": (
        polynomial([0.3, 1, 0.2]),
        lambda u: 0.3 + u + 0.2 * u**2,
        lambda u: 1 + 0.4 * u,
    ),
    "erf": (
        erf(),
        lambda u: 2 * norm.cdf(np.sqrt(2) * u) - 1,
        lambda u: 2 / np.sqrt(np.pi) * np.exp(-(u**2)),
    ),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_dual_is_the_gaussian_expectation(name):
    """E[phi phi] and E[phi' phi'] by the trapezoid rule in two dimensions, to 1e-10."""
    layer, phi, slope = SMOOTH[name]
    x = np.concatenate([X[:3] / 2, -X[:1] / 2, X[:1] / 2 + 1e-4])
    x[1] *= 3 * np.sqrt(x.shape[1]) / np.linalg.norm(x[1])  # variance 9
    k = x @ x.T / x.shape[1]
    found = serial(dense(1), layer).kernel(x)
    for i in range(len(x)):
        for j in range(len(x)):
            q1, q2 = np.sqrt(k[i, i]), np.sqrt(k[j, j])
            rho = np.clip(k[i, j] / (q1 * q2), -1, 1)
            u, v = q1 * Z[:, None], q2 * (rho * Z[:, None] + np.sqrt(1 - rho**2) * Z)
            s, d = (WEIGHT @ (f(u) * f(v)) @ WEIGHT for f in (phi, slope))
            size = max(1.0, abs(s), abs(d * k[i, j]))
            assert abs(found.nngp[i, j] - s) < 1e-10 * size
            assert abs(found.ntk[i, j] - d * k[i, j]) < 1e-10 * size


# --- limits: Monte Carlo of finite networks -----------------------------------------------------

WIDE = 256


def z_scores(samples, wanted):
    return (samples.mean(axis=0) - np.asarray(wanted)) / standard_error(samples)


def stack(weight_variance, parameterization="ntk"):
    last = dense(WIDE, weight_variance, 0.1, parameterization)
    return serial(
        dense(WIDE, weight_variance, 0.1, parameterization),
        leaky_relu(0.2),
        residual(serial(dense(WIDE, weight_variance, 0.1, parameterization), abs_(), last)),
        layer_norm(),
        dense(1, weight_variance, 0.1, parameterization),
    )


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
def test_finite_networks_average_to_the_kernel(parameterization):
    """|z| < 4.5 at every point; one layer stack with residual and normalisation."""
    network = stack(1.5, parameterization)
    products, tangents = sample(network, X[:3], 200)
    kernel = network.kernel(X[:3])
    bias = 3 / WIDE  # relative, of finite width: below the standard error of the products
    assert np.abs(z_scores(products, kernel.nngp[0])).max() < 4.5
    np.testing.assert_allclose(tangents.mean(axis=0), kernel.ntk[0], rtol=bias)


def test_three_percent_of_weight_variance_are_caught():
    """The z-test passes with the right kernel and fails with weight_variance off by 3 %."""

    def network(weights):
        return fully_connected(depth=2, width=WIDE, weight_variance=weights)

    _, tangents = sample(network(2.0), X[:3], 200)
    assert np.abs(z_scores(tangents, network(2.0).kernel(X[:3]).ntk[0])).max() < 4.5
    assert np.abs(z_scores(tangents, network(2.06).kernel(X[:3]).ntk[0])).max() > 4.5


def test_dropout_masks_scale_the_diagonal():
    """Inverted dropout: diagonal 1 / keep, the rest unchanged; the next layer reads both."""
    layers = dense(WIDE, 2.0), relu(), dropout(0.5), dense(WIDE, 2.0), relu()
    network = serial(*layers, dense(1))
    before, theta = serial(*layers[:2]).kernel(X)
    k, theta = (2 * np.asarray(a) * (1 + np.eye(6)) for a in (before, theta))
    theta = theta + k
    m = np.sqrt(np.outer(np.diag(k), np.diag(k)))
    angle = np.arccos(np.clip(k / m, -1, 1))
    s = m * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    nngp, ntk = network.kernel(X, masks=True)
    np.testing.assert_allclose(nngp, s, rtol=1e-12)
    np.testing.assert_allclose(ntk, s + theta * (np.pi - angle) / (2 * np.pi), rtol=1e-7)  # arccos
    params = network.init(jax.random.key(0), (5,), jnp.float64)
    f = network.apply(params, jnp.asarray(X))
    g = network.apply(params, jnp.asarray(X), key=jax.random.key(1))
    assert f.shape == g.shape == (6, 1)
    assert not np.allclose(f, g)


IMAGES = RANDOM.normal(size=(3, 4, 3, 2))


# --- layers that are not trained, layers repeated -----------------------------------------------


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
def test_theta_is_a_sum_over_the_layers_that_are_trained(parameterization):
    """Each layer alone, the others as drawn: the parts add up, and the read-out's is K."""

    def network(trained):
        first, second, last = (
            dense(width, 1.5, 0.1, parameterization, on)
            for width, on in zip((7, 7, 1), trained, strict=True)
        )
        return serial(first, relu(), second, relu(), last)

    every = jax.jit(jax.vmap(lambda trained: network(trained).limit(X, None)))
    nngp, ntk = every(jnp.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]))
    assert np.abs(ntk[:4]).max(axis=(1, 2)).min() > 0.05
    np.testing.assert_allclose(ntk[0], ntk[1:4].sum(axis=0), rtol=1e-13)
    if parameterization == "ntk":
        np.testing.assert_allclose(ntk[3], nngp[3], rtol=1e-14)
    assert not np.any(ntk[4])


def test_layers_that_are_not_trained_have_no_gradient():
    """And leave that of the others as it is; in the limit only the read-out's part, K, remains."""

    def network(*trained):
        layers = conv(3, 1, trained=trained[0]), relu(), conv(3, 1, trained=trained[1])
        return serial(*layers, relu(), global_average_pool(), dense(1))

    x = jnp.asarray(IMAGES[:1, :2, :2, :1])
    params = network(True, True).init(jax.random.key(0), (2, 2, 1), jnp.float64)

    def slopes(net):
        return jax.jit(jax.grad(lambda p: net.apply(p, x).sum()))(params)

    whole, second = slopes(network(True, True)), slopes(network(False, True))
    assert not np.any(second[0]["weight"])
    assert np.any(whole[0]["weight"])
    for layer in (2, 5):
        np.testing.assert_allclose(second[layer]["weight"], whole[layer]["weight"], rtol=1e-14)
    frozen = network(False, False)
    nngp, ntk = (kernel_in_blocks(frozen, IMAGES, which=which) for which in ("nngp", "ntk"))
    assert np.array_equal(nngp, ntk)


def test_a_traced_number_of_layers():
    """One compilation, the kernel of every depth."""
    first = serial(dense(7, 2.0, 0.1, "standard"), relu())
    block = residual(serial(dense(7, 2.0, 0.1, "standard"), dropout(0.5)))

    def network(*blocks):
        return serial(first, *blocks, layer_norm())

    compiled = jax.jit(lambda n: network(repeat(block, n)).limit(X, None, True))
    for times in (0, 2):
        for found, wanted in zip(
            compiled(times), network(*[block] * times).kernel(X, masks=True), strict=True
        ):
            np.testing.assert_allclose(found, wanted, rtol=1e-13)
    assert compiled._cache_size() == 1
    params = repeat(block, 2).init(jax.random.key(0), (7,))
    assert len(params) == 2


@pytest.mark.parametrize("x2", [None, IMAGES[:1] + 0.5])
def test_a_traced_number_of_convolutions_is_so_many(x2):
    block = residual(serial(relu(), conv(2, (3, 1), bias_variance=0.1)))

    def network(*blocks):
        return serial(conv(2, 1), *blocks, flatten(), dense(1))

    compiled = jax.jit(lambda n: network(repeat(block, n)).limit(IMAGES, x2))
    expected = network(block, block).kernel(IMAGES, x2)
    for found, wanted in zip(compiled(2), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


# --- invariances, gradients, blocks -------------------------------------------------------------


def test_invariances():
    """Symmetry, rotation, permutation, x2 = x1, homogeneity without bias, positive spectrum."""
    kernel = jacot_network(1).kernel
    ntk = kernel(X).ntk
    np.testing.assert_allclose(ntk, ntk.T, rtol=1e-14)
    rotation = np.linalg.qr(RANDOM.normal(size=(5, 5)))[0]
    np.testing.assert_allclose(kernel(X @ rotation).ntk, ntk, rtol=1e-12)
    order = RANDOM.permutation(len(X))
    np.testing.assert_allclose(kernel(X[order]).ntk, ntk[order][:, order])
    np.testing.assert_allclose(kernel(X, X).ntk, ntk, rtol=1e-13)
    assert np.linalg.eigvalsh(ntk)[0] > 0
    unbiased = fully_connected(depth=1, width=1)
    np.testing.assert_allclose(unbiased.kernel(3 * X, X).ntk, 3 * unbiased.kernel(X, X).ntk)


def test_gradients_are_finite_at_coinciding_inputs():
    """theta = 0 and pi, and a zero input: no nan, no infinity; elsewhere finite differences."""
    x = jnp.asarray(np.concatenate([X[:2], X[:1], -X[:1], np.zeros((1, 5))]))

    def total(x, other, weights, network):
        return (weights * network.limit(x, other).ntk).sum()

    compiled = jax.jit(jax.value_and_grad(total), static_argnums=3)
    symmetric = compiled(x, None, 1.0, jacot_network(1))[1]
    unbiased = fully_connected(depth=1, width=1)
    everywhere = compiled(x, x, jnp.ones((5, 5)), unbiased)[1]
    assert np.isfinite(symmetric).all()
    assert np.isfinite(everywhere).all()
    one = jnp.zeros((5, 5)).at[0, 1].set(1.0)  # a pair at an angle
    ends = [compiled(x + shift, x, one, unbiased)[0] for shift in (1e-5, -1e-5)]
    slope = compiled(x, x, one, unbiased)[1].sum()
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-5, rtol=1e-7)


@pytest.mark.parametrize("which", ["nngp", "ntk"])
def test_blocks_give_the_same_kernel(which, tmp_path):
    """Any N, upper triangle mirrored, into a file, with progress; symmetric and rectangular."""
    x = np.random.default_rng(0).normal(size=(23, 40))
    network = jacot_network(1)
    whole = np.asarray(getattr(network.kernel(x), which))
    out = np.memmap(tmp_path / "kernel", np.float64, "w+", shape=(23, 23))
    calls = []
    found = kernel_in_blocks(
        network, x, which=which, out=out, block=7, progress=lambda *done: calls.append(done)
    )
    assert found is out
    assert calls[0] == (1, 10)
    assert calls[-1] == (10, 10)
    np.testing.assert_allclose(out, whole, rtol=1e-13)
    assert np.array_equal(out, out.T)
    rectangle = kernel_in_blocks(network, x, x[:9], which=which, block=7)
    np.testing.assert_allclose(rectangle, whole[:, :9], rtol=1e-13)


def test_finite_network_shapes_and_precision():
    """Parameters as documented; float32 stays float32; no bias where its variance is zero."""
    network = fully_connected(depth=1, width=7, outputs=3)
    params = network.init(jax.random.key(0), (5,))
    assert [p["weight"].shape if p else p for p in params] == [(5, 7), (), (7, 3)]
    assert all(set(p) == {"weight"} for p in params if p)
    assert network.apply(params, jnp.asarray(X, jnp.float32)).dtype == jnp.float32
    assert network.kernel(X.astype(np.float32)).ntk.dtype == jnp.float32
    assert jacot_network(1).kernel(X).ntk.dtype == jnp.float64


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x1, x2, message",
    [
        (X[0], None, "x1 must be .* found shape"),
        (X[:0], None, "at least one input"),
        (X, X[:, :3], "same features, found"),
        (X, X.astype(np.float32), "share a dtype, found"),
        (np.where(X > 1, np.nan, X), None, "x1 must be finite"),
        (X, np.full((1, 5), np.inf), "x2 must be finite"),
        (X.astype(complex), None, "float32 or float64 numbers, found complex128"),
        (IMAGES, None, "images of .* are left"),
    ],
)
def test_bad_inputs(x1, x2, message):
    with pytest.raises(ValueError, match=message):
        jacot_network().kernel(x1, x2)


def traced(layer, x):
    return jax.jit(lambda n: repeat(layer, n).limit(x, None))(2)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: dense(3, -1.0), "weight_variance must be finite and not negative, found -1.0"),
        (lambda: dense(3, 1.0, float("nan")), "bias_variance must be finite"),
        (lambda: dense(0), "width must be a positive integer, found 0"),
        (lambda: dense(3, parameterization="mup"), "parameterization must be one of"),
        (lambda: conv(3, padding="FULL"), "padding must be one of"),
        (lambda: conv(3, stride=0), "stride must be a positive integer, found 0"),
        (lambda: serial(), "at least one layer"),
        (lambda: monomial(0), "positive integer, found 0"),
        (lambda: polynomial([]), "at least one coefficient"),
        (lambda: dropout(0.0), "keep must lie in"),
        (lambda: fully_connected(depth=-1, width=2), "non-negative integer, found -1"),
        (lambda: residual(conv(3, stride=2)), "equal strides"),
        (lambda: residual(serial(dense(5), relu()), relu()), "must end in an affine layer"),
        (lambda: serial(conv(3)).kernel(X), "conv needs images"),
        (lambda: repeat(relu(), 0), "times must be a positive integer, found 0"),
        (lambda: traced(dense(3), X), "as many units as it reads, found 3 of 5"),
        (lambda: traced(conv(2, padding="VALID"), IMAGES), "and images as large"),
        (
            lambda: traced(average_pool(3, 1, "SAME"), IMAGES),
            "a layer that pools cannot be repeated",
        ),
        (lambda: kernel_in_blocks(jacot_network(), X, which="all"), "'ntk', 'nngp' or 'both'"),
        (lambda: kernel_in_blocks(jacot_network(), X, out=np.empty((2, 2))), "out must be"),
    ],
)
def test_bad_descriptions(make, message):
    with pytest.raises(ValueError, match=message):
        make()
