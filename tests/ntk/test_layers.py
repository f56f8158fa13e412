"""Layers for those who come from other libraries: limits, finite networks, refusals.

Each limit stands beside finite networks here (`test_finite_networks_average_to_the_kernel`; for
attention in `test_attention`), with a neighbour that the same interval must exclude. Beside those
of neural-tangents they stand in `benchmarks.architectures`, outside of the tests.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.ntk.finite import sample, standard_error
from widenets.ntk.architecture import (
    average_pool,
    concatenate,
    conv,
    cos,
    dense,
    erf,
    flatten,
    fully_connected,
    global_average_pool,
    global_sum_pool,
    identity,
    layer_norm,
    relu,
    residual,
    self_attention,
    serial,
    sign,
    sum_pool,
)
from widenets.ntk.empirical import dense_kernels
from widenets.ntk.kernels import kernel_in_blocks

RANDOM = np.random.default_rng(12)
X = RANDOM.normal(size=(3, 5))
WIDE, SEEDS = 128, 300


def agrees(samples, wanted):
    """Whether the means lie within 4.5 standard errors and 2 / WIDE of the largest entry.

    4.5 leave 7e-6 for an entry of a Gaussian. The means are those of finite networks: layers read
    covariances K that are means over WIDE units, so that E S(K) - S(E K), half the variance of K
    times S'', is of order 1 / WIDE. Of `biased` it is 0.4 / WIDE for E[f f'] and for the part of
    Theta in the middle layer (40 000 draws of the first layer, all above it in closed form).
    """
    wanted = np.asarray(wanted)
    allowed = 4.5 * standard_error(samples) + 2 / WIDE * np.abs(wanted).max()
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
    products, tangents = sample(network, x.astype(np.float32), SEEDS)
    kernel = network.kernel(x)
    assert agrees(products, kernel.nngp[0])
    assert agrees(tangents, kernel.ntk[0])
    assert not agrees(tangents, neighbour.kernel(x).ntk[0])


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
    for found, wanted in zip(
        fully_connected(**options, zero_bias=True).kernel(X), trick, strict=True
    ):
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
        with pytest.raises(ValueError, match=r"bias_variance must be 0, found 0\.1"):
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
        (lambda: concatenate(dense(2), relu), "branch 1 of concatenate must be"),
        (
            lambda: serial(dense(2), concatenate(dense(2), dense(3)), relu()),
            "relu after concatenate: its input",
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
        with pytest.raises(
            ValueError,
            match=rf"{layer.name} needs images \(inputs, height, width, channels\) or sequences",
        ):
            serial(dense(2), layer).kernel(X)


# --- sequences -----------------------------------------------------------------------------------

TOKENS = RANDOM.normal(size=(3, 6, 2))


def convolved(pool, global_pool, window=3):
    """Positions: 6, 4 (6 for a window of 1), half as many, all together."""
    layers = [conv(WIDE, window, padding="VALID", bias_variance=0.1), relu(), pool(2)]
    return serial(*layers, conv(WIDE, window), relu(), global_pool(), dense(1))


for kind, pools in {
    "sequences": (average_pool, global_average_pool),
    "sums": (sum_pool, global_sum_pool),
}.items():
    FINITE[kind] = (convolved(*pools), TOKENS, convolved(*pools, window=1))


def window(number, rows):
    """As sequences and as images of one row are told."""
    return number if rows is None else (rows, number)


SEQUENCES = {
    "loops": (
        lambda r: serial(conv(2, window(3, r)), relu(), average_pool(window(2, r)), conv(2, 1)),
        6,
    ),
    "strides": (lambda r: conv(2, window(3, r), window(2, r), bias_variance=0.2), 6),
    "circular": (lambda r: conv(2, window(3, r), padding="CIRCULAR"), 6),
    "sum": (
        lambda r: serial(conv(2, window(2, r)), erf(), sum_pool(window(2, r))),
        4,
    ),
    "attention": (lambda r: serial(dense(2), self_attention(2)), 3),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_are_images_of_one_row(name):
    """A window of n reads n positions: what an image of one row gives to a window (1, n), 1e-13."""
    body, length = SEQUENCES[name]
    x = TOKENS[:, :length]
    ends = serial(conv(1, 1), cos(), flatten()) if name == "circular" else global_average_pool()
    with jax.disable_jit():  # compiling each costs more than all of its steps
        sequence = serial(body(None), ends, dense(1)).kernel(x, x[:2])
        rows = serial(body(1), ends, dense(1)).kernel(x[:, None], x[:2, None])
    for found, wanted in zip(sequence, rows, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_weights_of_sequences_have_no_rows():
    network = serial(conv(4, 3, 2, "CIRCULAR"), relu(), sum_pool(3), flatten(), dense(2))
    params = network.init(jax.random.key(0), (6, 2))
    assert params[0]["weight"].shape == (3, 2, 4)
    x = jnp.asarray(TOKENS, jnp.float32)
    assert network.apply(params, x).shape == (3, 2)
    image = [{**params[0], "weight": params[0]["weight"][None]}, *params[1:]]
    rows = serial(conv(4, (1, 3), (1, 2), "CIRCULAR"), relu(), sum_pool((1, 3)), flatten())
    wanted = rows.apply(image[:-1], x[:, None])
    found = serial(*network.form[:-1]).apply(params[:-1], x)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: serial(dense(2), conv(2)).kernel(TOKENS), "sequences of 6 are left at the output"),
        (lambda: serial(conv(2, (5, 3)), flatten()).kernel(TOKENS), r"found \(5, 3\) and \(1, 1"),
        (
            lambda: conv(2, (5, 3)).init(jax.random.key(0), (6, 2)),
            "conv on sequences takes one num",
        ),
        (lambda: conv(2).init(jax.random.key(0), (6,)), r"or \(positions, channels\), found \(6,"),
        (lambda: average_pool().apply((), jnp.ones((2, 6))), "average_pool needs .*found 1 axes"),
        (lambda: global_sum_pool().apply((), jnp.ones((2, 6))), r"sequences, found shape \(2, 6"),
        (lambda: dense(2).kernel(TOKENS[None, None]), r"\(inputs, positions, channels\) or"),
        (lambda: serial(conv(2), flatten()).kernel(TOKENS, TOKENS[:, :5]), "the same features, fo"),
    ],
)
def test_what_sequences_are_told(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


# --- sign ----------------------------------------------------------------------------------------


def signs(trained, weights=1.5):
    hidden = dense(WIDE, 2.0, 0.1, trained=trained), sign(), dense(WIDE, weights), relu()
    return serial(*hidden, dense(1))


FINITE["sign"] = (signs(trained=False), X, signs(trained=False, weights=2.0))


def test_sign_is_the_arcsine_and_the_limit_of_steep_erf():
    """(2 / pi) asin(correlation) to 1e-12, duplicates, antipodes and 0 included.

    numpy's arcsin and the steep erf lose half of the digits at 1, on the diagonal: sqrt(2 eps).
    """
    x = np.concatenate([X, X[:1], -X[:1], 0 * X[:1]])
    network = serial(dense(1, 1.7, trained=False), sign())
    nngp, ntk = network.kernel(x)
    length = np.sqrt((x**2).sum(1)) + (x == 0).all(1)
    correlation = np.clip(x @ x.T / np.outer(length, length), -1, 1)
    np.testing.assert_allclose(nngp[:3, :3], 2 / np.pi * np.arcsin(correlation)[:3, :3], atol=2e-8)
    off = ~np.eye(3, dtype=bool)
    wanted = (2 / np.pi * np.arcsin(correlation))[:3, :3][off]
    np.testing.assert_allclose(np.asarray(nngp)[:3, :3][off], wanted, rtol=1e-12)
    np.testing.assert_array_equal(np.diag(nngp), [1, 1, 1, 1, 1, 0])
    assert nngp[0, 3] == 1
    assert nngp[0, 4] == -1
    assert not np.any(nngp[5])
    assert not np.any(ntk)
    steep = serial(dense(1, 1e16), erf()).kernel(X).nngp
    np.testing.assert_allclose(nngp[:3, :3], steep, atol=3e-8)


def test_theta_through_sign_is_refused_and_its_nngp_is_not():
    message = "sign has no tangent kernel.* trained=False .*which='nngp'"
    with pytest.raises(ValueError, match=message) as error:
        signs(trained=True).kernel(X)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=message):
        kernel_in_blocks(signs(trained=True), X)
    alone = kernel_in_blocks(signs(trained=True), X, which="nngp")
    np.testing.assert_allclose(alone, signs(trained=False).kernel(X).nngp, rtol=1e-13)
    inside = jax.jit(lambda x: signs(trained=True).limit(x, None).ntk)(X)
    assert np.isnan(inside).all()
