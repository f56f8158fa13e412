"""Which compositions have a limit that is exact: refusals by name, neighbours by sampling.

Refused compositions were computed as if the activation read Gaussian units; on inputs of variance 1
their diagonals were .68 for 1.24 (relu, relu), .22 for .417 (relu on the inputs), .105 for .205
(pooling in between), 2.23 for 3.07 (dense, residual(relu), dense).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

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
    global_average_pool,
    identity,
    layer_norm,
    leaky_relu,
    monomial,
    pointwise,
    polynomial,
    relu,
    repeat,
    residual,
    serial,
    smooth,
)
from widenets.ntk.kernels import kernel_in_blocks

GAUSSIAN = "its input is not Gaussian at infinite width; put a dense or conv between them"
X = np.random.default_rng(2).normal(size=(3, 6))
X /= np.sqrt((X**2).mean(axis=1, keepdims=True))
IMAGES = np.random.default_rng(3).normal(size=(2, 4, 4, 2))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: serial(dense(9), relu(), relu(), dense(1)), f"relu after relu: {GAUSSIAN}"),
        (lambda: serial(dense(9), relu(), cos(), dense(1)), "cos after relu: "),
        (lambda: serial(serial(dense(9), erf()), serial(abs_())), "abs_ after erf: "),
        (lambda: serial(dense(9), smooth(jnp.tanh), relu()), "relu after tanh: "),
        (
            lambda: serial(conv(9), relu(), average_pool(), relu()),
            r"relu after relu \(average_pool",
        ),
        (lambda: serial(conv(9), relu(), global_average_pool(), relu()), r"\(global_average_pool"),
        (lambda: serial(conv(9), relu(), flatten(), relu()), r"relu after relu \(flatten"),
        (lambda: serial(conv(9), flatten(), relu()), "relu after flatten: "),
        (lambda: serial(dense(9), relu(), layer_norm(), relu()), r"relu after relu \(layer_norm"),
        (lambda: serial(dense(9), relu(), identity(), relu()), "relu after relu: "),
        (lambda: serial(dense(9), leaky_relu(), monomial(2)), "polynomial after leaky_relu: "),
        (lambda: repeat(relu(), 2), "relu after relu: "),
        (lambda: repeat(serial(relu(), dense(9), relu()), 6), "relu after relu: "),
        (
            lambda: fully_connected(depth=1, width=9, activation=serial(relu(), relu())),
            "relu after",
        ),
        (lambda: serial(dense(9), residual(relu())), "functions of the same units"),
        (lambda: residual(layer_norm()), "functions of the same units"),
        (lambda: residual(average_pool(3, 1, "SAME")), "functions of the same units"),
        (lambda: residual(identity()), "functions of the same units"),
        (lambda: residual(residual(serial(relu(), dense(9)))), "functions of the same units"),
        (
            lambda: serial(dense(9), residual(serial(dense(9), relu())), relu()),
            r"\(residual in betw",
        ),
        (lambda: repeat(residual(serial(dense(9), relu())), 2), "must end in an affine layer"),
        (lambda: residual(serial(dense(9), erf()), erf()), "must end in an affine layer"),
        (lambda: serial(dense(9), pointwise(jnp.abs), relu()), "relu after pointwise: "),
    ],
)
def test_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "network, message",
    [
        (serial(relu(), dense(1)), f"relu after the inputs themselves: {GAUSSIAN}"),
        (serial(average_pool(), relu(), flatten(), dense(1)), r"inputs themselves \(average_pool"),
        (serial(residual(dense(6)), relu()), r"relu after the inputs themselves \(residual"),
        (serial(layer_norm(), dense(1)), "layer_norm after the inputs themselves: their mean"),
        (residual(serial(dense(6), relu())), "must end in an affine layer"),
        (relu(), "relu after the inputs themselves"),
    ],
)
def test_refused_when_a_kernel_is_asked_of_inputs(network, message):
    """As a branch, and as a finite network, the same chain is what it was."""
    x = IMAGES if "average_pool" in message else X
    for call in (network.kernel, lambda x: network.limit(jnp.asarray(x), None)):
        with pytest.raises(ValueError, match=message):
            call(x)
    with pytest.raises(ValueError, match=message):
        kernel_in_blocks(network, x)
    params = network.init(jax.random.key(0), x.shape[1:], jnp.float64)
    assert np.isfinite(network.apply(params, jnp.asarray(x))).all()


def test_masks_are_no_gaussians():
    """Without masks dropout is nothing; with them an activation cannot follow it."""
    network = serial(dense(9), dropout(0.5), relu(), dense(1))
    plain = serial(dense(9), relu(), dense(1)).kernel(X)
    np.testing.assert_allclose(network.kernel(X).ntk, plain.ntk, rtol=1e-14)
    with pytest.raises(ValueError, match=f"relu after dropout: {GAUSSIAN}"):
        network.kernel(X, masks=True)
    with pytest.raises(ValueError, match="dropout after the inputs themselves: masks"):
        serial(dropout(0.5), dense(1)).kernel(X, masks=True)


def test_traced_depth_counts_none_and_two():
    """0 layers leave what was there, 2 meet themselves."""

    def limit(*layers):
        return jax.jit(lambda n: serial(*(layer(n) for layer in layers)).limit(X, None))(2)

    def twice(layer):
        return lambda n: repeat(layer, n)

    with pytest.raises(ValueError, match="relu after relu"):
        limit(lambda _: dense(9), twice(relu()))
    with pytest.raises(ValueError, match="relu after the inputs themselves"):
        limit(twice(dense(6)), lambda _: relu())


WIDE, SEEDS = 192, 300
ALLOWED = {
    "pre-activation block": serial(
        dense(WIDE), residual(serial(relu(), dense(WIDE, 1.5))), relu(), dense(1)
    ),
    "affine after affine": serial(dense(WIDE, 2.0), dense(WIDE, 1.5), relu(), dense(1)),
    "linear after an activation": serial(
        dense(WIDE),
        relu(),
        polynomial([0, 2]),
        leaky_relu(1.0),
        layer_norm(),
        dense(WIDE),
        relu(),
        dense(1),
    ),
    "scaled before an activation": serial(dense(WIDE), polynomial([0, 2]), cos(), dense(1)),
    "new weights beside an activation": serial(
        dense(WIDE), relu(), residual(dense(WIDE, 1.5)), dense(WIDE), relu(), dense(1)
    ),
    "centred beside not centred": serial(
        dense(WIDE), residual(serial(dense(WIDE), relu())), dense(WIDE), cos(), dense(1)
    ),
    "pooled Gaussian": serial(
        conv(WIDE, 2, 1, "VALID"), average_pool(2, 1), relu(), flatten(), dense(1)
    ),
    "pooled twice": serial(
        conv(WIDE, 1),
        relu(),
        average_pool(2),
        conv(WIDE, 1),
        global_average_pool(),
        relu(),
        dense(1),
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed_neighbours_against_finite_networks(name):
    """Read-out features of 300 wide networks: |z| < 4.5 for their mean square and products."""
    network = ALLOWED[name]
    x = jnp.asarray(IMAGES if "pooled" in name else X, jnp.float32)
    params = jax.eval_shape(lambda key: network.init(key, x.shape[1:]), jax.random.key(0))
    below = serial(*network.form[:-1])
    fan_in = params[-1]["weight"].shape[0]

    def products(key):
        f = below.apply(below.init(key, x.shape[1:]), x)
        return jnp.matmul(f, f[0], precision="highest") / fan_in

    keys = jax.random.split(jax.random.key(5), SEEDS)
    samples = np.asarray(jax.jit(lambda keys: jax.lax.map(products, keys))(keys), float)
    error = samples.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    wanted = np.asarray(network.kernel(np.asarray(x, np.float64)).nngp)[0]
    bias = 3 / WIDE * np.abs(wanted).max()  # of finite width
    assert (np.abs(samples.mean(axis=0) - wanted) < 4.5 * error + bias).all()
