"""The evidence against scipy's density, its gradients against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from widenets.ntk.architecture import (
    conv,
    dense,
    erf,
    flatten,
    fully_connected,
    global_average_pool,
    layer_norm,
    relu,
    residual,
    serial,
)
from widenets.ntk.dynamics import log_marginal_likelihood
from widenets.ntk.kernels import kernel_in_blocks, kernel_to_file

RANDOM = np.random.default_rng(0)
X, IMAGES = RANDOM.normal(size=(6, 4)), RANDOM.normal(size=(4, 2, 2, 2))
Y = RANDOM.normal(size=(6, 3))
KERNEL = np.cov(RANDOM.normal(size=(6, 20)))


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_is_the_density_of_the_targets(noise, dtype, rtol):
    """rtol: about 1e3 eps of either dtype or more; the kernel's condition is 4."""
    covariance = KERNEL + noise * np.eye(6)
    expected = sum(multivariate_normal(np.zeros(6), covariance).logpdf(y) for y in Y.T)
    found = log_marginal_likelihood(KERNEL.astype(dtype), Y, noise=noise)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=rtol)
    one = log_marginal_likelihood(KERNEL, Y[:, 0], noise=noise)
    np.testing.assert_allclose(one, multivariate_normal(np.zeros(6), covariance).logpdf(Y[:, 0]))


NETWORKS = {
    "relu": lambda w, b: fully_connected(depth=2, width=1, weight_variance=w, bias_variance=b),
    "many layers": lambda w, b: fully_connected(
        depth=7, width=1, weight_variance=w, bias_variance=b, parameterization="standard"
    ),
    "erf": lambda w, b: serial(dense(1, w, b), erf(), dense(1)),
    "residual": lambda w, b: serial(
        dense(1, w), residual(serial(relu(), dense(1, w, b))), layer_norm(), dense(1)
    ),
    "flatten": lambda w, b: serial(conv(1, 3, 1, "SAME", w, b), relu(), flatten(), dense(1, w)),
    "pools": lambda w, b: serial(
        conv(1, 3, 1, "SAME", w, b), relu(), global_average_pool(), dense(1, w)
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_in_variances_and_noise(name):
    """Central differences of the value against jax's derivatives; for numbers the value comes from
    the compiled loops, where there are any, and is the same.

    Rounding of the value leaves 1e-15 of it over the step, 1e-5: 1e-9 for values of about 10, and
    1e-7 leaves 100 for the kernel's condition. What differences cut off is a step squared, 1e-10.
    """
    x = IMAGES if name in ("flatten", "pools") else X

    def evidence(parameters):
        network = NETWORKS[name](*parameters[:2])
        kernel = network.kernel(x).nngp
        return log_marginal_likelihood(kernel, Y[: len(x)], noise=parameters[2])

    at, value = np.array([1.7, 0.3, 0.2]), jax.jit(evidence)
    slopes = jax.jit(jax.grad(evidence))(at)
    np.testing.assert_allclose(value(at), evidence(at), rtol=1e-10)
    for index, slope in enumerate(slopes):
        step = 1e-5 * np.eye(3)[index]
        difference = (value(at + step) - value(at - step)) / 2e-5
        np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-7)
        assert abs(slope) > 1e-2


def test_singular_kernels_inside_of_compilations_are_nan():
    value = jax.jit(lambda noise: log_marginal_likelihood(-np.eye(2), np.ones(2), noise=noise))
    assert jnp.isnan(value(0.5))
    assert jnp.isfinite(value(1.5))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kernel": KERNEL[:, :5]}, r"kernel has shape \(6, 5\), wanted \(N, N\)"),
        ({"kernel": np.eye(6, dtype=int)}, "kernel must hold float32 or float64 numbers"),
        ({"kernel": KERNEL * np.nan}, "kernel must be finite"),
        ({"targets": Y[:5]}, r"targets have shape \(5, 3\), wanted \(6,\) or \(6, outputs\)"),
        ({"targets": Y * np.inf}, "targets must be finite"),
        ({"noise": -0.1}, "noise must be finite and not negative, found -0.1"),
        ({"noise": [0.1]}, "noise must be a number"),
        ({"kernel": np.ones((6, 6)), "noise": 0.0}, "not positive definite with noise 0.0"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message) as error:
        log_marginal_likelihood(**{"kernel": KERNEL, "targets": Y, "noise": 0.1} | change)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: kernel_in_blocks(NETWORKS["relu"](s, 0.1), X).sum(),
        lambda s: kernel_in_blocks(NETWORKS["erf"](1.0, s), X, block=4).sum(),
        lambda s: kernel_in_blocks(NETWORKS["relu"](1.0, 0.1), s * jnp.asarray(X)).sum(),
        lambda s: kernel_to_file(NETWORKS["erf"](s, 0.1), X, path="never.npy").sum(),
    ],
)
def test_blocks_refuse_to_be_differentiated(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"without derivatives, .* call network\.kernel") as error:
        jax.grad(call)(0.5)
    assert "\n" not in str(error.value)
