"""Deep convolutional networks of the sequel in the limit of infinitely many channels.

Square images on a torus, windows of 3 x 3, cos, and the output a dense map of all positions. Arms
residual and residual_root, and the form of their blocks, are those of `deep`; plain has no skip.
"""

from functools import partial

import jax
import numpy as np

from replications.du2018_convergence.deep import BRANCHES, PRESERVING
from widenets.ntk.architecture import (
    Architecture,
    conv,
    cos,
    dense,
    flatten,
    repeat,
    residual,
    serial,
)


def conv_limit(arm: str, depth: int, images: np.ndarray) -> np.ndarray:
    """K^(H) (count, count) of images (count, rows, columns, channels) with unit vectors as pixels:
    the Gram matrix of the gradients of the last convolution's weights, a mean over positions."""
    return np.asarray(_limit(arm, depth, np.sqrt(images.shape[-1]) * images))


# compiling costs more than running: not optimised, it takes half as long
@partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
def _limit(arm: str, depth, images):
    """One compilation for every depth from 2 on."""
    return conv_network(arm, depth).limit(images, None).ntk


def conv_network(arm: str, depth) -> Architecture:
    """Convolutions 1 to depth, of which the last alone is trained, and a fixed readout."""
    gain = PRESERVING["cos"]

    def block(trained: bool):
        inner = serial(conv(1, 3, 1, "CIRCULAR", gain, trained=trained), cos())
        if arm == "plain":
            return inner
        return residual(serial(inner, conv(1, 1, 1, "SAME", depth ** BRANCHES[arm], trained=False)))

    first = serial(conv(1, 3, 1, "CIRCULAR", trained=False), cos())
    readout = serial(flatten(), dense(1, gain, trained=False))
    return serial(first, repeat(block(False), depth - 2), block(True), readout)
