"""Layers that were added for those who come from other libraries: limits, finite networks, refusals.

Each limit stands beside finite networks here (`test_finite_networks_average_to_the_kernel`), with a
neighbour that the same interval must exclude, and beside neural-tangents' numbers in
`test_kernel_reference`.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.architecture import (
    average_pool,
    concatenate,
    conv,
    cos,
    dense,
    flatten,
    fully_connected,
    global_average_pool,
    global_sum_pool,
    identity,
    layer_norm,
    relu,
    residual,
    serial,
    sum_pool,
)
from widenets.ntk.empirical import dense_kernels

RANDOM = np.random.default_rng(12)
X = RANDOM.normal(size=(3, 5))
WIDE, SEEDS = 128, 300


def averages(network, x, seeds=SEEDS):
    """Products f(x_0) f(x) and tangent kernels Theta(x_0, x), one row per draw of the weights."""
    x = jnp.asarray(x, jnp.float32)

    def one(key):
        params = network.init(key, x.shape[1:], x.dtype)

        def output(p):
            return network.apply(p, x)[:, 0]

        rows = [j.reshape(len(x), -1) for j in jax.tree.leaves(jax.jacrev(output)(params))]
        f = output(params)
        return f[0] * f, sum(jnp.matmul(r, r[0], precision="highest") for r in rows)

    keys = jax.random.split(jax.random.key(17), seeds)
    return [np.asarray(a, float) for a in jax.jit(lambda k: jax.lax.map(one, k))(keys)]


def agrees(samples, wanted, width):
    """Whether the means lie within 4.5 standard errors and 2 / width of the largest entry."""
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    wanted = np.asarray(wanted)
    allowed = 4.5 * error + 2 / width * np.abs(wanted).max()
    return bool((np.abs(samples.mean(axis=0) - wanted) < allowed).all())


def biased(readout=True):
    """Hidden layers and read-out whose biases start at 0, or only the hidden ones."""
    hidden = [dense(WIDE, 1.5, zero_bias=True), relu(), dense(WIDE, 1.5, zero_bias=True), relu()]
    return serial(*hidden, dense(1, zero_bias=readout))


def joined(first, second):
    """A branch with an activation beside its own input, widths as told; then another activation."""
    branches = serial(dense(first, 3.0), cos()), serial(dense(second, 0.5), relu())
    return serial(dense(WIDE), concatenate(*branches), dense(WIDE), relu(), dense(1))


# name: (network, inputs, a neighbour with another tangent kernel)
FINITE = {
    "zero_bias": (biased(), X, biased(readout=False)),
    "concatenate": (joined(WIDE, 3 * WIDE), X, joined(WIDE, WIDE)),
}


@pytest.mark.parametrize("name", FINITE)
def test_finite_networks_average_to_the_kernel(name):
    network, x, neighbour = FINITE[name]
    products, tangents = averages(network, x)
    kernel = network.kernel(x)
    assert agrees(products, kernel.nngp[0], WIDE)
    assert agrees(tangents, kernel.ntk[0], WIDE)
    assert not agrees(tangents, neighbour.kernel(x).ntk[0], WIDE)


@pytest.mark.parametrize("name", FINITE)
def test_kernels_are_symmetric_and_positive(name):
    network, x, _ = FINITE[name]
    for kernel in network.kernel(np.concatenate([x, 0.3 * x[:1] - x[1:2]])):
        np.testing.assert_allclose(kernel, kernel.T, rtol=1e-13)
        assert np.linalg.eigvalsh(kernel)[0] > -1e-13 * np.trace(kernel)
    cross = network.kernel(x, x[1:])
    for whole, part in zip(network.kernel(x), cross, strict=True):
        np.testing.assert_allclose(part, whole[:, 1:], rtol=1e-11)


# --- a bias that starts at 0 ---------------------------------------------------------------------


def test_a_zero_bias_adds_one_to_theta_in_either_parameterization():
    """Theta' = K' + 1 + weights Theta; K as without a bias."""
    for parameterization, slope in (("ntk", 1.7 / 5), ("standard", 1.0)):
        nngp, ntk = dense(1, 1.7, parameterization=parameterization, zero_bias=True).kernel(X)
        np.testing.assert_allclose(nngp, 1.7 * X @ X.T / 5, rtol=1e-13)
        np.testing.assert_allclose(ntk, slope * X @ X.T + 1, rtol=1e-12)
    options = {"depth": 2, "width": 9, "weight_variance": 2.0, "parameterization": "standard"}
    trick = fully_connected(**options, bias_variance=1e-300).kernel(X)
    for found, wanted in zip(fully_connected(**options, zero_bias=True).kernel(X), trick):
        np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_a_zero_bias_of_images_by_loops_and_traced():
    images = RANDOM.normal(size=(2, 4, 3, 2))
    network = serial(conv(1, zero_bias=True), relu(), flatten(), dense(1, zero_bias=True))
    for loop, traced in zip(network.kernel(images), network.limit(images, None), strict=True):
        np.testing.assert_allclose(loop, traced, rtol=1e-12)


def test_a_zero_bias_starts_at_zero_and_is_trained():
    network = fully_connected(depth=1, width=4, zero_bias=True)
    params = network.init(jax.random.key(0), (5,))
    assert all(not np.any(p["bias"]) for p in params if p)
    slopes = jax.grad(lambda p: network.apply(p, X.astype(np.float32)).sum())(params)
    assert all(np.any(p["bias"]) for p in slopes if p)
    rows = jax.jacrev(lambda p: network.apply(p, X.astype(np.float32))[:, 0])(params)
    flat = np.concatenate([np.reshape(a, (3, -1)) for a in jax.tree.leaves(rows)], axis=1)
    found = dense_kernels(network, params, jnp.asarray(X, jnp.float32)).ntk
    np.testing.assert_allclose(np.squeeze(found), flat @ flat.T, rtol=1e-5)


def test_a_zero_bias_is_refused_beside_a_variance():
    for make in (dense, conv):
        with pytest.raises(ValueError, match="bias_variance must be 0, found 0.1"):
            make(3, bias_variance=0.1, zero_bias=True)
        with pytest.raises(ValueError, match="zero_bias must be True or False, found 'yes'"):
            make(3, zero_bias="yes")


# --- branches side by side -----------------------------------------------------------------------


def test_concatenation_is_the_mean_by_shares_of_width():
    """sum s_i K_i and sum s_i Theta_i to 1e-12; a branch may be the inputs themselves."""
    one, two = serial(dense(3, 1.5), relu()), serial(dense(1, 0.5), cos())
    found = concatenate(one, two).kernel(X)
    for whole, first, second in zip(found, one.kernel(X), two.kernel(X), strict=True):
        np.testing.assert_allclose(whole, 0.75 * first + 0.25 * second, rtol=1e-12)
    found = concatenate(identity(), dense(15)).kernel(X)  # 5 features beside 15 units
    np.testing.assert_allclose(found.nngp, X @ X.T / 5, rtol=1e-12)
    np.testing.assert_allclose(found.ntk, 0.75 * X @ X.T / 5, rtol=1e-12)


def test_concatenation_of_images_and_inside_of_others():
    """Positions stay apart; norms, skips and a second concatenation read all units."""
    images = RANDOM.normal(size=(2, 2, 3, 2))
    branch = serial(conv(4, 1), relu(), conv(2, (1, 3)))
    network = serial(concatenate(identity(), branch), flatten(), dense(1))
    parts = [serial(b, flatten(), dense(1)).kernel(images) for b in (identity(), branch)]
    (skip, _), (inner, tangent) = parts
    nngp, ntk = network.kernel(images, images)
    np.testing.assert_allclose(nngp, (skip + inner) / 2, rtol=1e-11)
    np.testing.assert_allclose(ntk, (skip + tangent) / 2, rtol=1e-11)
    nested = serial(dense(6), concatenate(identity(), concatenate(identity(), dense(6))))
    plain = serial(dense(6), concatenate(identity(), identity(), dense(6)))
    for a, b in zip(nested.kernel(X), plain.kernel(X), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    normed = serial(dense(1), concatenate(serial(dense(1), relu()), dense(1)), layer_norm(1e-9))
    np.testing.assert_allclose(np.diag(normed.kernel(X).nngp), 1, rtol=1e-7)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: concatenate(dense(2)), "at least two branches, found 1"),
        (lambda: concatenate(dense(2), relu), "branch 1 of concatenate must be a layer, found the"),
        (
            lambda: serial(dense(2), concatenate(dense(2), dense(3)), relu()),
            "relu after concatenate: its input is not Gaussian",
        ),
        (
            lambda: serial(dense(2), residual(concatenate(identity(), relu()))),
            "functions of the same units",
        ),
        (
            lambda: concatenate(conv(2), conv(2, stride=2)),
            r"equal strides, found \[\(1, 1\), \(2, 2\)\]",
        ),
        (
            lambda: serial(concatenate(conv(2), conv(2, padding="VALID")), flatten()).kernel(
                np.ones((1, 3, 3, 1))
            ),
            r"all but the last axis, found \[\(3, 3\), \(1, 1\)\]",
        ),
        (
            lambda: serial(concatenate(flatten(), conv(2)), dense(1)).init(
                jax.random.key(0), (3, 3, 1)
            ),
            r"all but the last axis, found \[\(9,\), \(3, 3, 2\)\]",
        ),
    ],
)
def test_what_concatenate_refuses(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


# --- sums instead of means -----------------------------------------------------------------------

IMAGES = RANDOM.normal(size=(2, 5, 4, 2))
PAIRS = [(average_pool, sum_pool, 6), (global_average_pool, global_sum_pool, 20)]


@pytest.mark.parametrize("mean, total, count", PAIRS)
@pytest.mark.parametrize("activation", [relu, cos])
def test_sums_are_means_times_the_count(mean, total, count, activation):
    """K and Theta times count^2, by the loops (relu) and traced (cos); apply times count."""
    size = {"window": (2, 3)} if mean is average_pool else {}

    def network(pool):
        ends = (dense(1, 1.3),) if mean is global_average_pool else (flatten(), dense(1, 1.3))
        return serial(conv(3, bias_variance=0.1), activation(), pool(**size), *ends)

    for one, many in zip(network(mean).kernel(IMAGES), network(total).kernel(IMAGES), strict=True):
        np.testing.assert_allclose(many, count**2 * np.asarray(one), rtol=1e-12)
    x = jnp.asarray(IMAGES, jnp.float32)
    outputs = [pool(**size).apply((), x) for pool in (mean, total)]
    np.testing.assert_allclose(outputs[1], count * outputs[0], rtol=1e-5)


def test_a_norm_after_a_sum_takes_its_mean_off():
    """Means of units grow with the count too: a norm makes sums and means one."""

    def network(pool):
        return serial(conv(3), relu(), pool(2), layer_norm(0), global_average_pool(), dense(1))

    for one, many in zip(
        network(average_pool).kernel(IMAGES[:1]), network(sum_pool).kernel(IMAGES[:1]), strict=True
    ):
        np.testing.assert_allclose(one, many, rtol=1e-10)


def test_sums_refuse_vectors():
    for layer in (sum_pool(), global_sum_pool()):
        with pytest.raises(ValueError, match=f"{layer.name} needs images"):
            serial(dense(2), layer).kernel(X)
