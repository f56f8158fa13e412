"""Positional encodings: their limit written out, finite networks, what attention makes of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.ntk.finite import sample, standard_error
from widenets.ntk.architecture import (
    conv,
    dense,
    flatten,
    global_average_pool,
    relu,
    self_attention,
    serial,
)
from widenets.ntk.positions import positional_encoding

X = np.random.default_rng(7).normal(size=(3, 4, 5))
STEPS = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
R = np.exp(-(STEPS**2) / 2)
RHO = 0.6


def fields(x):
    """K of all pairs of positions (N, N, T, T) after a token-wise dense layer."""
    return np.einsum("itc,jsc->ijts", x, x) / x.shape[-1]


@pytest.mark.parametrize("covariance", [R, None])
@pytest.mark.parametrize("trained", [True, False])
def test_the_limit_is_the_sum(covariance, trained):
    """K + rho R and Theta + rho R, at one position each and summed over all pairs; 1e-12."""
    k, code = fields(X), RHO * (np.eye(4) if covariance is None else covariance)
    for end, taken in (
        (flatten, lambda f: np.einsum("ijtt->ij", f) / 4),
        (global_average_pool, lambda f: f.mean((2, 3))),
    ):
        network = serial(dense(1), positional_encoding(covariance, RHO, trained), end(), dense(1))
        for x2, part in ((None, np.s_[:, :]), (X[1:], np.s_[:, 1:])):
            found = network.kernel(X, x2)
            nngp, below = taken(k + code), taken(k + trained * code)
            np.testing.assert_allclose(found.nngp, nngp[part], rtol=1e-12)
            np.testing.assert_allclose(found.ntk, (nngp + below)[part], rtol=1e-12)


def test_images_and_strides():
    """Positions row after row, on a torus larger than the image; 1e-12."""
    images = np.random.default_rng(8).normal(size=(2, 3, 3, 2))
    covariance = np.diag(np.arange(1.0, 10.0))
    after = serial(conv(1, 1), positional_encoding(covariance), conv(1, 1, 2), flatten(), dense(1))
    plain = serial(conv(1, 1), conv(1, 1, 2), flatten(), dense(1))
    read = covariance.diagonal().reshape(3, 3)[::2, ::2].mean()
    np.testing.assert_allclose(after.kernel(images).nngp, plain.kernel(images).nngp + read)


def test_finite_networks_average_to_the_kernel():
    """Within 4.5 standard errors and 2 / width of the largest entry, with relu after the codes;
    not so without them, and not with codes that are not trained."""
    width = 64

    def network(*code):
        return serial(dense(width), *code, relu(), global_average_pool(), dense(1))

    samples = sample(network(positional_encoding(R, RHO)), X.astype(np.float32), 300)
    limits = {
        name: network(*code).kernel(X)
        for name, code in {
            "right": [positional_encoding(R, RHO)],
            "none": [],
            "fixed": [positional_encoding(R, RHO, trained=False)],
        }.items()
    }

    def apart(found, wanted):
        allowed = 4.5 * standard_error(found) + 2 / width * np.abs(wanted).max()
        return np.max(np.abs(found.mean(axis=0) - wanted) / allowed)

    for found, name in zip(samples, ("nngp", "ntk"), strict=True):
        assert apart(found, np.asarray(getattr(limits["right"], name))[0]) < 1
        assert apart(found, np.asarray(getattr(limits["none"], name))[0]) > 1
    assert apart(samples[1], np.asarray(limits["fixed"].ntk)[0]) > 1


def test_order_matters_with_encodings_alone():
    for code, moved in (([], False), ([positional_encoding(R, RHO)], True)):
        network = serial(
            dense(1), *code, self_attention(1), dense(1), relu(), global_average_pool(), dense(1)
        )
        one, two = (network.kernel(X, x).ntk for x in (X, X[:, ::-1].copy()))
        same = np.allclose(one, two, rtol=1e-12)
        assert same != moved


def test_codes_are_shared_and_have_the_covariance():
    """Of 20 000 channels, 5 standard errors; float32 stays."""
    layer = positional_encoding(R, RHO)
    params = layer.init(jax.random.key(0), (4, 20_000))
    x = jnp.zeros((2, 4, 20_000), jnp.float32)
    added = layer.apply(params, x)
    assert added.dtype == np.float32
    np.testing.assert_array_equal(added[0], added[1])
    found = np.asarray(added[0]) @ np.asarray(added[0]).T / 20_000
    assert np.abs(found - RHO * R).max() < 5 * RHO * np.sqrt(2 / 20_000)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: positional_encoding(np.ones(3)), r"covariance must be \(positions, positions\)"),
        (lambda: positional_encoding(np.triu(R)), "covariance must be finite and symmetric"),
        (lambda: positional_encoding(R - np.eye(4)), "must be positive semi-definite"),
        (lambda: positional_encoding(R, -1), "variance must be finite and not negative"),
        (lambda: positional_encoding(R, trained="no"), "trained must be True or False"),
        (
            lambda: serial(dense(1), positional_encoding(R), flatten(), dense(1)).kernel(X[:, :3]),
            "covariance is of 4 positions, found inputs with 3",
        ),
        (
            lambda: positional_encoding(R).init(jax.random.key(0), (3, 5)),
            "covariance is of 4 positions, found inputs with 3",
        ),
        (
            lambda: positional_encoding().init(jax.random.key(0), (5,)),
            r"needs \(positions, channels\) or",
        ),
        (
            lambda: serial(dense(1), positional_encoding(), dense(1)).kernel(X[:, 0]),
            "positional_encoding needs images .* or sequences",
        ),
        (
            lambda: serial(positional_encoding(R), self_attention(1)).kernel(X),
            "positional_encoding after the inputs themselves: encodings of so few channels",
        ),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
