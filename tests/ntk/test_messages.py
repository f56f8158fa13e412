"""What wrong arguments are told: one line that names the argument and what it takes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk import architecture
from widenets.ntk.architecture import (
    average_pool,
    conv,
    dense,
    dropout,
    fully_connected,
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

X = np.ones((2, 6))
KEY = jax.random.key(0)
NETWORK = fully_connected(depth=1, width=3)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: jax.jit(lambda slope: leaky_relu(slope) and slope)(0.1),
            "slope must be a number, found .*Tracer",
        ),
        (
            lambda: jax.jit(lambda keep: dropout(keep) and keep)(0.1),
            "keep must be a number, found .*Tracer",
        ),
        (
            lambda: jax.jit(lambda size: conv(4, size) and size)(3),
            "kernel_size must be a positive integer, found .*Tracer",
        ),
        (
            lambda: serial(dense(8), relu),
            "layer 1 of serial .*function relu: write relu",
        ),
        (
            lambda: serial(dense(8), jax.nn.relu),
            "layer 1 of serial .*function relu: take",
        ),
        (
            lambda: serial(dense(8), "relu"),
            "layer 1 of serial must be .*, found 'relu'",
        ),
        (lambda: residual(dense), "branch of residual must be a layer, found the function dense"),
        (lambda: residual(dense(2), relu), "shortcut of residual must be a layer"),
        (lambda: repeat(relu, 3), "the layer of repeat must be a layer"),
        (lambda: fully_connected(depth=1, width=2, activation=relu), "activation must be a layer"),
        (lambda: dense("8"), "width must be a positive integer, found '8'"),
        (lambda: dense(8.5), "width must be a positive integer, found 8.5"),
        (lambda: dense(True), "width must be a positive integer, found True"),
        (lambda: dense(8, "2"), "weight_variance must be a number, found '2'"),
        (lambda: dense(8, None), "weight_variance must be a number, found None"),
        (lambda: dense(8, trained="no"), "trained must be True or False, found 'no'"),
        (
            lambda: fully_connected(depth="2", width=3),
            "depth must be a non-neg.*found '2'",
        ),
        (lambda: conv(8, kernel_size=(3, 3, 3)), "kernel_size must be a positive integer or two"),
        (lambda: conv(8, kernel_size="3"), "kernel_size must be a positive integer, found '3'"),
        (lambda: average_pool((2, 0)), "window must be a positive integer, found 0"),
        (lambda: repeat(relu(), "3"), "times must be a positive integer, found '3'"),
        (lambda: dropout("0.5"), "keep must be a number, found '0.5'"),
        (lambda: layer_norm(-1), "epsilon must be finite and not negative, found -1"),
        (lambda: leaky_relu("0.1"), "slope must be a number"),
        (lambda: monomial("2"), "degree must be a positive integer, found '2'"),
        (lambda: polynomial("12"), "coefficients must be numbers"),
        (lambda: polynomial(["1"]), "each of the coefficients must be a number, found '1'"),
        (lambda: smooth("tanh"), "phi must be a function of arrays such as jax.numpy.tanh"),
        (lambda: smooth(jnp.tanh, 1), "terms must be an integer of at least 2, found 1"),
        (lambda: pointwise(3), "phi must be a function of arrays"),
        (lambda: NETWORK.init(KEY, 6), r"input_shape must be .* such as \(6,\), found 6"),
        (lambda: dense(8).init(KEY, 6), r"input_shape must be .* such as \(6,\), found 6"),
        (lambda: conv(8).init(KEY, (6,)), r"conv needs \(height, width, channels\)"),
        (
            lambda: NETWORK.init(0, (6,)),
            "key must be a random key .*, found 0",
        ),
        (lambda: serial(pointwise(jnp.tanh)).kernel(X), "pointwise after the inputs"),
        (
            lambda: serial(dense(2), pointwise(jnp.tanh)).kernel(X),
            "pointwise has no infinite-width",
        ),
        (lambda: NETWORK.kernel(X, "ntk"), "x2 must hold float32 or float64 numbers"),
    ],
)
def test_values(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: dense(8, W_std=1.5),
            r"dense has no argument W_std: pass .* = W_std\*\*2",
        ),
        (
            lambda: conv(8, b_std=0.1),
            r"conv has no argument b_std: pass .* = b_std\*\*2",
        ),
        (lambda: conv(8, filter_shape=3), "no argument filter_shape: pass kernel_size"),
        (
            lambda: average_pool(window_shape=3),
            "no argument window_shape: pass window",
        ),
        (
            lambda: fully_connected(depth=1, widths=3),
            "no argument widths: it takes depth, width",
        ),
        (lambda: NETWORK.kernel(X, None, "ntk"), "third argument 'ntk': it returns both kernels"),
        (lambda: NETWORK.kernel(X, masks="no"), "masks must be True or False, found 'no'"),
    ],
)
def test_arguments_that_there_are_not(call, message):
    with pytest.raises(TypeError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_pairs_may_be_lists():
    assert conv(8, kernel_size=[3, 3]).init(KEY, (5, 5, 2))["weight"].shape == (3, 3, 2, 8)


def test_every_public_layer_has_a_name_for_messages():
    made = [getattr(architecture, name) for name in ("relu", "tanh", "flatten", "dropout", "abs_")]
    for maker in made:
        layer = maker(0.5) if maker is dropout else maker()
        assert layer.name == maker.__name__
