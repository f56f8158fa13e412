"""Kernels as means over draws: unbiased where theory says so, with errors that can be trusted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.architecture import fully_connected
from widenets.ntk.empirical import empirical_ntk, monte_carlo_kernel

X1, X2 = (np.random.default_rng(n).normal(size=(n, 4)) for n in (3, 2))
KEY = jax.random.key(3)


def network(weight_variance=2.0, outputs=8):
    return fully_connected(
        depth=1, width=16, outputs=outputs, weight_variance=weight_variance, bias_variance=0.1
    )


def kernels_of(net, x1, x2, samples, **options):
    init = jax.tree_util.Partial(net.init, input_shape=(4,), dtype=jnp.float64)
    return monte_carlo_kernel(init, net.apply, KEY, x1, x2, samples=samples, **options)


@pytest.mark.parametrize("x2", [None, X2])
def test_one_hidden_layer_is_unbiased_at_any_width(x2):
    """Both means are the limit's exactly; 5 standard errors leave 1e-5 for the largest of 18.

    Weights of another variance lie outside of them.
    """
    found = kernels_of(network(), X1, x2, 600)
    for weight_variance, inside in ((2.0, True), (2.5, False)):
        limit = network(weight_variance).kernel(X1, x2)
        for name in ("nngp", "ntk"):
            error = getattr(found, f"{name}_error")
            away = np.abs(getattr(found, name) - getattr(limit, name)) / error
            assert (away.max() < 5) == inside


def test_means_and_errors_are_those_of_the_draws():
    """Draw by draw; the keys are those of a split."""
    net, samples = network(), 7

    @jax.jit
    def of_key(key):
        params = net.init(key, (4,), jnp.float64)
        outputs = [net.apply(params, x) for x in (X1, X2)]
        return outputs[0] @ outputs[1].T / 8, empirical_ntk(net.apply, params, X1, X2)

    nngp, ntk = zip(*map(of_key, jax.random.split(KEY, samples)), strict=True)
    found = kernels_of(net, X1, X2, samples, memory_mb=0.5)
    for name, draws in (("nngp", nngp), ("ntk", ntk)):
        np.testing.assert_allclose(getattr(found, name), np.mean(draws, axis=0), rtol=1e-12)
        error = np.std(draws, axis=0, ddof=1) / np.sqrt(samples)
        np.testing.assert_allclose(getattr(found, f"{name}_error"), error, rtol=1e-10)


def test_any_init_and_apply_with_outputs_of_any_shape():
    """Outputs (N,) and dicts of float32: the linear function, whose kernels are <x, x'>."""
    x = {"x": X1.astype(np.float32)}
    found = monte_carlo_kernel(
        lambda key: {"w": jax.random.normal(key, (4,), jnp.float32)},
        lambda params, x: x["x"] @ params["w"],
        KEY,
        x,
        samples=4,
    )
    np.testing.assert_allclose(found.ntk, X1 @ X1.T, rtol=1e-5)
    assert found.ntk.dtype == np.float64
    assert found.ntk_error.max() == 0 < found.nngp_error.min()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"samples": 1}, "samples must be an integer of at least 2, found 1"),
        ({"key": 0}, "key must be a random key"),
        ({"x1": X1 * np.nan}, "x1 must be finite"),
        ({"x1": X1.astype(np.float32)}, "x1 has dtype float32, params .*float64"),
        ({"init": lambda key: {"w": jnp.full((4, 1), jnp.inf)}}, "draw 0 of 3 gives kernels that"),
        ({"init": lambda key: {}}, "params has no arrays"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    good = {
        "init": lambda key: {"w": jax.random.normal(key, (4, 1), jnp.float64)},
        "apply": lambda params, x: x @ params["w"],
        "key": KEY,
        "x1": X1,
        "samples": 3,
    }
    with pytest.raises(ValueError, match=message) as error:
        monte_carlo_kernel(**good | change)
    assert "\n" not in str(error.value)
