"""The CNTK's recursion, finite networks and splits, held against the library and by hand."""

import jax
import numpy as np
import pytest

from replications.arora2019_exact_cntk import claims, finite, images, kernels, recursion
from widenets.ntk.architecture import (
    conv,
    dense,
    flatten,
    global_average_pool,
    relu,
    serial,
)
from widenets.ntk.empirical import empirical_ntk

DRAWS = np.random.default_rng(0)
X = DRAWS.standard_normal((3, 4, 4, 2))
READ_OUTS = {"gap": (0, global_average_pool), "v": (1, flatten)}  # which of the recursion's


@pytest.mark.parametrize("read_out", READ_OUTS)
@pytest.mark.parametrize("padding", recursion.PADDINGS)
def test_recursion_is_the_kernel_of_the_library(read_out, padding):
    which, end = READ_OUTS[read_out]
    layers = [conv(1, padding=padding, weight_variance=2.0), relu()] * 2
    expected = serial(*layers, end(), dense(1)).kernel(X).ntk
    found = recursion.pooled_and_vanilla(X, X, 2, padding)[which]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("read_out", READ_OUTS)
def test_kernels_of_the_library_are_those_of_the_recursion(read_out):
    _, ntk = kernels.kernels(read_out, X, 3)
    expected = recursion.pooled_and_vanilla(X, X, 3, "SAME")[READ_OUTS[read_out][0]]
    np.testing.assert_allclose(ntk, expected, rtol=1e-6)


def test_one_pixel_by_hand():
    """One pixel, one convolution: the middle tap alone, K = 2/9 x x', through one ReLU."""
    x, y = np.full((1, 1, 1, 1), 2.0), np.full((1, 1, 1, 1), 3.0)
    for kernel in recursion.pooled_and_vanilla(x, y, 1, "SAME"):
        assert kernel[0, 0] == pytest.approx(2 * 2 / 9 * 6 / 2)
    for kernel in recursion.pooled_and_vanilla(x, -y, 1, "SAME"):
        assert kernel[0, 0] == pytest.approx(0)


def test_refuses_other_paddings():
    with pytest.raises(ValueError, match="padding: found 'VALID', wanted one of SAME, CIRCULAR"):
        recursion.pooled_and_vanilla(X, X, 1, "VALID")


@pytest.mark.parametrize("read_out", READ_OUTS)
def test_kernel_of_a_finite_convolutional_network(read_out):
    stream = np.random.default_rng(1)
    weights = finite.draw(stream, 5, 2, 2)
    readout = stream.standard_normal((5,) if read_out == "gap" else (16, 5))
    layers = [conv(5, weight_variance=2.0), relu(), conv(5, weight_variance=2.0), relu()]
    net = serial(*layers, READ_OUTS[read_out][1](), dense(1))
    params = net.init(jax.random.key(0), X.shape[1:], np.float64)
    leaves, tree = jax.tree.flatten(params)
    ours = [weights[0].reshape(3, 3, 2, 5), weights[1].reshape(3, 3, 5, 5), readout.reshape(-1, 1)]
    places = iter(ours)
    new = [next(places) if leaf.ndim > 1 else leaf for leaf in leaves]
    assert [leaf.shape for leaf in new] == [leaf.shape for leaf in leaves]
    expected = empirical_ntk(net.apply, jax.tree.unflatten(tree, new), X)
    found = finite.conv_ntk(weights, readout, X)
    np.testing.assert_allclose(found, np.reshape(expected, found.shape), rtol=1e-9)


def test_kernel_of_a_wide_dense_network():
    x = np.random.default_rng(2).standard_normal((3, 8))
    found = finite.dense_ntk(np.random.default_rng(3), 4000, x)
    np.testing.assert_allclose(found, kernels.dense_limit(x, x, 2), rtol=0.15)


def test_training_ends_at_the_labels_and_a_small_kappa_at_kernel_regression():
    stream = np.random.default_rng(4)
    x = stream.standard_normal((7, 8))
    y = np.array([1.0, -1.0, 1.0, 1.0])
    ntk = kernels.dense_limit(x, x[:4], 1)
    run = finite.train(stream, 20_000, 0.02, x, y, ntk[:4], 200)
    assert run.residual < 1e-3
    np.testing.assert_allclose(run.end[4:], ntk[4:] @ np.linalg.solve(ntk[:4], y), atol=0.15)


def test_regression_tells_training_images_their_own_class():
    labels = np.array([0, 1, 2, 1, 0, 2])
    _, ntk = kernels.kernels("gap", DRAWS.standard_normal((6, 4, 4, 1)), 2)
    again = np.concatenate([ntk, ntk])
    assert kernels.accuracy(again, np.concatenate([labels, labels]), 6) == 1


def test_classes_of_textures_differ_in_the_order_of_their_values_alone(monkeypatch):
    monkeypatch.setattr(images, "NOISE", 0.0)
    x, labels = images.pictures(np.random.default_rng(5), "textures", 40, 6)
    values = np.sort(x.reshape(40, -1))
    np.testing.assert_allclose(values, values[[0]].repeat(40, 0))
    assert len(np.unique(labels)) == 4


def test_places_are_where_their_class_says_and_off_the_borders(monkeypatch):
    monkeypatch.setattr(images, "NOISE", 0.0)
    x, labels = images.pictures(np.random.default_rng(6), "places", 40, 8)
    for image, label in zip(x[..., 0], labels, strict=True):
        corner = np.argwhere(image).min(axis=0)
        np.testing.assert_array_equal((corner - 1) // 2, np.divmod(label, 2))
    assert not x[:, [0, 7]].any()
    assert not x[:, :, [0, 7]].any()


def test_averages_of_pixels_by_hand():
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(images.averaged(x, 2)[0, :, :, 0], [[2.5, 4.5], [10.5, 12.5]])
    with pytest.raises(ValueError, match="side: found 3, wanted a divisor of 4"):
        images.averaged(x, 3)


@pytest.mark.parametrize("permuted", [False, True])
def test_splits_share_no_image(permuted):
    task = images.split(np.random.default_rng(7), "digits", 50, 150, 8, permuted)
    flat = task.x.reshape(200, -1)
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), 1)
    assert np.min(((flat[50:, None] - flat[None, :50]) ** 2).sum(axis=2)) > 1e-4


def _even_light_with_borders(side):
    """Mean over an evenly lit image of two convolutions with zero padding, over circular ones."""
    line = sum(np.eye(side, k=k) for k in (-1, 0, 1)) / 3
    return (line @ line @ np.ones(side)).mean() ** 2


RIVALS = {
    "K6_finite_kernel_gap": -1 / 4,
    "K6_finite_kernel_v": -1 / 4,
    "K7_no_bias_without_pooling": _even_light_with_borders(4),
    "K8_rate_of_theorem_3_1": -1 / 4,
    "K9_trained_network_with_kappa": -1 / 2,
    "K10_popular_without_kappa": 0.0,  # the start is of the order of the labels at any width
    "K11_what_survives_training": 0.0,
    **dict.fromkeys(("K13_pooling_on_textures", "K14_pooling_against_dense"), 0.0),
    "K16_few_random_features": 0.0,
}


def test_every_rival_is_pinned():
    assert {claim.name for claim in claims.CLAIMS if claim.rival} == set(RIVALS)


@pytest.mark.parametrize("name", RIVALS)
def test_rivals_are_what_their_theories_give_at_the_sizes_of_the_grid(name):
    (claim,) = [claim for claim in claims.CLAIMS if claim.name == name]
    assert claim.rival.value == pytest.approx(RIVALS[name], abs=1e-4)
