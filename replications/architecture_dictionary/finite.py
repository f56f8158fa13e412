"""Finite networks of one hidden layer, and with a residual block: kernels, saliency, masks.

Entries are N(0, 1) in the NTK parameterization; arrays (networks, ...), float64.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import erf

SQRT2 = np.sqrt(2)


def activation(name: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """phi(z) and its derivative: sqrt(2) relu, whose square has the mean of z^2, or erf."""
    if name == "relu":
        return SQRT2 * np.maximum(z, 0), SQRT2 * (z > 0)
    return erf(z), 2 / np.sqrt(np.pi) * np.exp(-(z**2))


class TwoLayer(NamedTuple):
    """f = a.phi(W x / sqrt(d)) / sqrt(n): W (networks, n, d), a (networks, n)."""

    weights: np.ndarray
    readout: np.ndarray


def draw(stream: np.random.Generator, count: int, width: int, features: int) -> TwoLayer:
    return TwoLayer(
        stream.standard_normal((count, width, features)), stream.standard_normal((count, width))
    )


def units(network: TwoLayer, x: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """phi and phi' of the hidden units, (networks, N, n) each."""
    z = x @ network.weights.swapaxes(1, 2) / np.sqrt(x.shape[1])
    return activation(name, z)


def output(network: TwoLayer, x: np.ndarray, name: str) -> np.ndarray:
    """f, (networks, N)."""
    h, _ = units(network, x, name)
    return np.einsum("bni,bi->bn", h, network.readout) / np.sqrt(network.readout.shape[1])


def diagonal(network: TwoLayer, x: np.ndarray, name: str) -> np.ndarray:
    """Theta(x, x), (networks, N)."""
    h, slope = units(network, x, name)
    first = np.einsum("bni,bi->bn", slope**2, network.readout**2) * (x**2).mean(axis=1)
    return ((h**2).sum(axis=2) + first) / network.readout.shape[1]


def masked_kernel(
    network: TwoLayer,
    x: np.ndarray,
    first: np.ndarray | float = 1.0,
    second: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Theta of one relu network whose units are multiplied by masks (N, n): the first at the
    inputs of the rows, the second at those of the columns; (N, N)."""
    h, slope = (of[0] for of in units(network, x, "relu"))
    back = slope * network.readout[0]
    inner = x @ x.T / x.shape[1]
    total = (first * h) @ (second * h).T + inner * ((first * back) @ (second * back).T)
    return total / network.readout.shape[1]


def saliency(network: TwoLayer, x: np.ndarray, name: str) -> np.ndarray:
    """|df/dx|, (networks, N)."""
    _, slope = units(network, x, name)
    scale = np.sqrt(network.readout.shape[1] * x.shape[1])
    gradient = (slope * network.readout[:, None, :]) @ network.weights / scale
    return np.linalg.norm(gradient, axis=2)


def sensitivity(
    stream: np.random.Generator, network: TwoLayer, x: np.ndarray, name: str, size: float,
    draws: int,
) -> np.ndarray:  # fmt: skip
    """Var of f under noise of the given size on all parameters, over size^2, for one network."""
    before = output(network, x, name)
    noisy = TwoLayer(
        network.weights + size * stream.standard_normal((draws, *network.weights.shape[1:])),
        network.readout + size * stream.standard_normal((draws, *network.readout.shape[1:])),
    )
    return ((output(noisy, x, name) - before) ** 2).mean(axis=0) / size**2


def residual_kernel(
    stream: np.random.Generator, count: int, width: int, x: np.ndarray, through_branch: bool
) -> float:
    """Theta of x_1 and x_2, the mean over networks with a block: f = v.g, g = h + B phi(A h).

    h = W x is a trained stem, v a fixed read-out; every matrix is divided by the root of its number
    of columns. through_branch: W gets the gradient that comes back through the branch too.
    """
    n, total = width, 0.0
    for _ in range(count):
        stem, inner, outer = (
            stream.standard_normal((n, m)) / np.sqrt(m) for m in (x.shape[1], n, n)
        )
        v = stream.standard_normal(n) / np.sqrt(n)
        h = x @ stem.T
        units_, slope = activation("relu", h @ inner.T)
        back = slope * (outer.T @ v)  # (2, n): derivative by the units of A h
        into = np.tile(v, (2, 1)) + through_branch * (back @ inner)  # by h
        total += (
            (v @ v) * (units_[0] @ units_[1]) / n
            + (back[0] @ back[1]) * (h[0] @ h[1]) / n
            + (into[0] @ into[1]) * (x[0] @ x[1]) / x.shape[1]
        )
    return total / count
