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
    conv,
    cos,
    dense,
    erf,
    flatten,
    gelu,
    global_average_pool,
    leaky_relu,
    monomial,
    relu,
    residual,
    serial,
    sin,
)

REFERENCE = np.load(Path(__file__).with_name("reference") / "neural_tangents.npz")
WIDTH = 64  # enters the standard parameterization


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


@pytest.mark.parametrize("name", [*VECTORS, *IMAGES])
def test_agrees_with_neural_tangents(name):
    """neural-tangents 0.6.5: 1e-7 relative, the accuracy of its own diagonal."""
    network = {**VECTORS, **IMAGES}[name]
    x = REFERENCE["images" if name in IMAGES else "vectors"]
    nngp, ntk = network.kernel(x)
    np.testing.assert_allclose(nngp, REFERENCE[f"{name}_nngp"], rtol=1e-7)
    np.testing.assert_allclose(ntk, REFERENCE[f"{name}_ntk"], rtol=1e-7)
