"""Finite networks: kernels of convolutional and dense ones, training of the latter.

All are NumPy, of the same networks as `kernels.network` (tests hold them against its init and
apply): a compilation for every number of channels or width would cost more than the measurement.
"""

from typing import NamedTuple

import numpy as np

from replications.arora2019_exact_cntk.recursion import NEIGHBOURS


def _patches(a: np.ndarray) -> np.ndarray:
    """(N, H, W, C) -> (N, H W, 9 C), zeros outside."""
    count, rows, columns, channels = a.shape
    wide = np.zeros((count, rows + 2, columns + 2, channels))
    wide[:, 1:-1, 1:-1] = a
    parts = [wide[:, 1 + i : 1 + i + rows, 1 + j : 1 + j + columns] for i, j in NEIGHBOURS]
    return np.concatenate(parts, axis=-1).reshape(count, rows * columns, 9 * channels)


def _back(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Adjoint of `_patches`: (N, H W, 9 C) -> shape = (N, H, W, C)."""
    count, rows, columns, channels = shape
    parts = gradient.reshape(count, rows, columns, 9, channels)
    wide = np.zeros((count, rows + 2, columns + 2, channels))
    for k, (i, j) in enumerate(NEIGHBOURS):
        wide[:, 1 + i : 1 + i + rows, 1 + j : 1 + j + columns] += parts[..., k, :]
    return wide[:, 1:-1, 1:-1]


def draw(stream: np.random.Generator, channels: int, convs: int, inputs: int) -> list[np.ndarray]:
    """Weights (9 channels read, channels) of each convolution, entries N(0, 1)."""
    read = [inputs] + [channels] * (convs - 1)
    return [stream.standard_normal((9 * count, channels)) for count in read]


def conv_ntk(weights: list[np.ndarray], readout: np.ndarray, x: np.ndarray) -> np.ndarray:
    """NTK (N, N) of one network on images x.

    readout (channels,): behind global average pooling; (H W, channels): behind flatten.
    """
    pooled, count = readout.ndim == 1, len(x)
    a, layers = x, []
    for weight in weights:
        read = _patches(a)
        scale = np.sqrt(2 / len(weight))
        h = scale * (read @ weight)
        layers.append((read, scale, h, a.shape))
        a = np.maximum(h, 0).reshape(*x.shape[:3], -1)
    positions, channels = h.shape[1:]
    features = h.clip(0).mean(axis=1) if pooled else h.clip(0).reshape(count, -1)
    kernel = features @ features.T / features.shape[1]
    signal = readout / np.sqrt(channels) / positions if pooled else readout / np.sqrt(readout.size)
    gradient = np.broadcast_to(signal, h.shape)
    for weight, (read, scale, h, shape) in zip(weights[::-1], layers[::-1], strict=True):
        delta = gradient * (h > 0)
        steps = scale * (read.swapaxes(1, 2) @ delta).reshape(count, -1)
        kernel = kernel + steps @ steps.T
        gradient = _back(scale * (delta @ weight.T), shape).reshape(count, positions, -1)
    return kernel


def dense_ntk(stream: np.random.Generator, width: int, x: np.ndarray) -> np.ndarray:
    """NTK (N, N) of a drawn network with two hidden ReLU layers on x (N, d).

    What a layer adds is the Gram matrix of what it reads times that of its gradients.
    """
    first = stream.standard_normal((x.shape[1], width))
    second = stream.standard_normal((width, width))
    readout = stream.standard_normal((width, 1))
    inner, outer = np.sqrt(2 / x.shape[1]), np.sqrt(2 / width)
    h1 = inner * x @ first
    h2 = outer * h1.clip(0) @ second
    g2 = (h2 > 0) * readout[:, 0] / np.sqrt(width)
    g1 = (h1 > 0) * (outer * g2 @ second.T)
    a1, a2 = h1.clip(0), h2.clip(0)
    of_first, of_second = (inner * x, g1), (outer * a1, g2)
    kernel = a2 @ a2.T / width
    for read, gradient in (of_first, of_second):
        kernel = kernel + (read @ read.T) * (gradient @ gradient.T)
    return kernel


class Trained(NamedTuple):
    """Outputs f at all points before training, and kappa f after it; the largest residual left."""

    start: np.ndarray
    end: np.ndarray
    residual: float


def train(
    stream: np.random.Generator, width: int, kappa: float, x: np.ndarray, y: np.ndarray,
    kernel: np.ndarray, steps: int,
) -> Trained:  # fmt: skip
    """kappa f of one hidden ReLU layer, both layers trained, on the first len(y) points of x.

    Gradient descent on |kappa f - y|^2 / 2 with the rate 1 / (kappa^2 lambda_max) of the limit
    `kernel` (train, train); at infinite width its end is kernel regression plus kappa times what
    is left of f(theta(0)).
    """
    first = stream.standard_normal((x.shape[1], width))
    readout = stream.standard_normal(width)
    inner, outer, n = np.sqrt(2 / x.shape[1]), 1 / np.sqrt(width), len(y)
    rate = 1 / (kappa**2 * np.linalg.eigvalsh(kernel)[-1])

    def outputs(x):
        return outer * (inner * x @ first).clip(0) @ readout

    start = outputs(x)
    # The first layer moves within the span of x[:n]: steps are taken of z = inner x W itself.
    gram, z = inner**2 * x[:n] @ x[:n].T, inner * x[:n] @ first
    moved = np.zeros_like(z)
    for _ in range(steps):
        active = z.clip(0)
        pull = rate * kappa * outer * (kappa * (outer * active @ readout) - y)
        change = (z > 0) * readout * pull[:, None]
        readout = readout - pull @ active
        z = z - gram @ change
        moved += change
    first = first - inner * x[:n].T @ moved
    end = kappa * outputs(x)
    return Trained(start, end, float(np.abs(end[:n] - y).max()))
