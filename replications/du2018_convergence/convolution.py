"""Deep convolutional networks of the sequel in the limit of infinitely many channels.

Square images on a torus, windows of 3 x 3, cos, and the output a dense map of all positions, so
that only covariances at one and the same position of two images matter: arrays (rows, columns,
count, count). Arms and the form of residual blocks are those of `deep`.
"""

import numpy as np

from replications.du2018_convergence.deep import PRESERVING

WINDOW = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]


def conv_limit(arm: str, depth: int, images: np.ndarray) -> np.ndarray:
    """K^(H) (count, count) of images (count, rows, columns, channels) with unit vectors as pixels:
    the Gram matrix of the gradients of the last convolution's weights, a mean over positions."""
    reads = window_mean(np.einsum("iabc,jabc->abij", images, images))
    features, gain = cos_layer(reads)
    last = gain * reads
    for _ in range(depth - 1):
        reads = window_mean(features)
        outputs, gain = cos_layer(reads)
        last = gain * reads
        if arm == "residual":
            last, outputs = last / depth**2, features + outputs / depth**2
        features = outputs
    return last.mean((0, 1))


def window_mean(pairs: np.ndarray) -> np.ndarray:
    """What a convolution makes of the covariance at a position: its mean over the window."""
    return sum(np.roll(pairs, shift, axis=(0, 1)) for shift in WINDOW) / len(WINDOW)


def cos_layer(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(c E cos u cos v, c E sin u sin v) of Gaussian pairs with these covariances (Mehler):
    exp(-(q + q') / 2) times cosh and sinh of the covariance; c keeps unit variances."""
    variances = np.diagonal(pairs, axis1=2, axis2=3)
    decay = np.exp(-(variances[..., :, None] + variances[..., None, :]) / 2)
    return tuple(PRESERVING["cos"] * decay * f(pairs) for f in (np.cosh, np.sinh))
