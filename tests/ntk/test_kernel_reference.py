"""Kernels against another implementation: frozen numbers of neural-tangents 0.6.5.

reference/neural_tangents.npz is written by reference/make_neural_tangents.py in the environment of
benchmarks/make_peer_environment.sh (Python 3.11, jax 0.4.30). Its ReLU diagonal is itself wrong by
up to 3e-8 (acos near 1), hence the tolerance.
"""

from pathlib import Path

import numpy as np
import pytest

from widenets.ntk.architecture import (
    abs_,
    average_pool,
    concatenate,
    conv,
    cos,
    dense,
    erf,
    flatten,
    gelu,
    global_average_pool,
    global_sum_pool,
    layer_norm,
    leaky_relu,
    monomial,
    relu,
    residual,
    self_attention,
    serial,
    sign,
    sin,
    sum_pool,
)
from widenets.ntk.closed_forms import (
    exp,
    gabor,
    gaussian,
    hermite,
    rbf,
    rectified_monomial,
    sigmoid_like,
)
from widenets.ntk.kernels import kernel_in_blocks
from widenets.ntk.positions import positional_encoding

REFERENCE = np.load(Path(__file__).with_name("reference") / "neural_tangents.npz")
WIDTH = 64  # enters the standard parameterization

STEPS = np.subtract.outer(np.arange(4), np.arange(4))
CODES = np.exp(-(STEPS**2) / 2)  # covariance of the encodings of four positions


def fully_connected(activation, parameterization="ntk"):
    hidden = [dense(WIDTH, 1.7, 0.1, parameterization), activation] * 2
    return serial(*hidden, dense(1, 1.3, 0.2, parameterization))


def convolutional(stride, padding, readout):
    first, second = conv(8, 3, stride, padding, 1.7, 0.1), conv(8, 3, 1, "SAME", 1.7, 0.1)
    return serial(first, relu(), second, relu(), readout, dense(1, 1.3, 0.2))


VECTORS = {
    "relu": fully_connected(relu()),
    "leaky_relu": fully_connected(leaky_relu(0.3)),
    "abs": fully_connected(abs_()),
    "erf": fully_connected(erf()),
    "gelu": fully_connected(gelu()),
    "sin": fully_connected(sin()),
    "cos": fully_connected(cos()),
    "square": fully_connected(monomial(2)),
    "standard": fully_connected(relu(), "standard"),
    "residual": serial(
        dense(WIDTH, 1.7, 0.1),
        residual(serial(relu(), dense(WIDTH, 1.7, 0.1))),
        relu(),
        dense(1, 1.3, 0.2),
    ),
}
IMAGES = {
    "image_stride_flatten": convolutional(2, "SAME", flatten()),
    "image_stride_pool": convolutional(2, "SAME", global_average_pool()),
    "image_valid_pool": convolutional(1, "VALID", global_average_pool()),
    "image_average_pool": serial(
        conv(8, 3, 1, "SAME", 1.7, 0.1),
        relu(),
        average_pool(2),
        conv(8, 3, 1, "SAME", 1.7, 0.1),
        relu(),
        flatten(),
        dense(1, 1.3, 0.2),
    ),
}


def after_relu(activation):
    first, second = (dense(WIDTH, 1.7, 0.1) for _ in range(2))
    return serial(first, relu(), second, activation, dense(1, 1.3, 0.2))


def attentive(scaling, *code):
    attention = self_attention(8, 1, None, scaling, 1.3, 1.7, 0.2)
    ends = relu(), global_average_pool(), dense(1, 1.3, 0.2)
    return serial(dense(WIDTH, 1.7, 0.1), *code, attention, dense(1), *ends)


LATER = {
    "exp": after_relu(exp(0.4)),
    "gabor": after_relu(gabor()),
    "gaussian": after_relu(gaussian(0.6)),
    "rbf": after_relu(rbf(0.4)),
    "sigmoid_like": after_relu(sigmoid_like()),
    "rectified_square": after_relu(rectified_monomial(2)),
    "hermite": serial(dense(WIDTH, 1.7, 0.1), layer_norm(1e-12), hermite(3), dense(1, 1.3, 0.2)),
    "zero_bias": serial(
        *[dense(WIDTH, 1.7, parameterization="standard", zero_bias=True), relu()],
        dense(1, 1.7, parameterization="standard", zero_bias=True),
    ),
    "concatenate": serial(
        dense(WIDTH, 1.7, 0.1),
        concatenate(serial(relu(), dense(WIDTH, 1.7, 0.1)), dense(32)),
        dense(1),
        erf(),
        dense(1, 1.3, 0.2),
    ),
    "image_sum_pool": serial(
        *[conv(8, 3, 1, "SAME", 1.7, 0.1), relu(), sum_pool(2)],
        *[conv(8, 3, 1, "SAME", 1.7, 0.1), relu(), global_sum_pool()],
        dense(1, 1.3, 0.2),
    ),
    "sequence_conv": serial(conv(8, 3, 1, "SAME", 1.7, 0.1), erf(), flatten(), dense(1, 1.3, 0.2)),
    "sequence_softmax": attentive("1/d"),
    "sequence_identity": attentive("1/sqrt(d)"),
    "sequence_softmax_positions": attentive("1/d", positional_encoding(CODES, 0.6)),
    "sequence_identity_positions": attentive("1/sqrt(d)", positional_encoding(CODES, 0.6)),
}


@pytest.mark.parametrize("name", LATER)
def test_layers_that_came_later_agree(name):
    """1e-7 relative on the diagonal, which their acos has wrong, and 1e-12 beside it. Of
    `rectified_square` they have nan on the diagonal."""
    x = REFERENCE.get(f"{name.partition('_')[0]}s", REFERENCE["vectors"])
    apart = ~np.eye(len(x), dtype=bool)
    for kernel, found in LATER[name].kernel(x)._asdict().items():
        wanted = REFERENCE[f"{name}_{kernel}"]
        np.testing.assert_allclose(found[apart], wanted[apart], rtol=1e-12)
        if name != "rectified_square":
            np.testing.assert_allclose(found, wanted, rtol=1e-7)


def test_sign_agrees():
    """The NNGP; for Theta they put 0 below the layer. 1e-7 (theta is small on the diagonal)."""
    found = kernel_in_blocks(after_relu(sign()), REFERENCE["vectors"], which="nngp")
    np.testing.assert_allclose(found, REFERENCE["sign_nngp"], rtol=1e-7)


@pytest.mark.parametrize("name", [*VECTORS, *IMAGES])
def test_agrees_with_neural_tangents(name):
    """neural-tangents 0.6.5: 1e-7 relative, the accuracy of its own diagonal."""
    network = {**VECTORS, **IMAGES}[name]
    x = REFERENCE["images" if name in IMAGES else "vectors"]
    nngp, ntk = network.kernel(x)
    np.testing.assert_allclose(nngp, REFERENCE[f"{name}_nngp"], rtol=1e-7)
    np.testing.assert_allclose(ntk, REFERENCE[f"{name}_ntk"], rtol=1e-7)
