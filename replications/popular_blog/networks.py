"""The page's networks f = scale a.relu(W x) with their tangent kernels and full-batch descent.

W ~ N(0, 2), inputs of d features without a bias (a bias is a feature that is 1), scale = m^-1/2.
The page draws the read-out a ~ N(0, 1/m), so that it is divided by sqrt(m) twice; a ~ N(0, 1) is
what its formulas are about. Arrays: W (networks, m, d), a (networks, m), x (N, d), y (N,); float64.
"""

from typing import NamedTuple

import numpy as np

PAGE, UNIT = "page", "unit"  # a ~ N(0, 1/m), a ~ N(0, 1)


class Networks(NamedTuple):
    weights: np.ndarray
    readout: np.ndarray

    @property
    def width(self) -> int:
        return self.readout.shape[1]


def legacy(seed: int, width: int) -> Networks:
    """The one network that the page's code has for this seed, on the line.

    NumPy promises that the legacy stream never changes; that is why no named stream is used here:
    what a program printed depends on the numbers that it drew.
    """
    stream = np.random.RandomState(seed)
    weights = np.sqrt(2) * stream.randn(width, 1)
    return Networks(weights[None], (stream.randn(width) / np.sqrt(width))[None])


def draw(
    stream: np.random.Generator, count: int, width: int, features: int, readout: str
) -> Networks:
    """`count` independent networks."""
    weights = np.sqrt(2) * stream.standard_normal((count, width, features))
    size = {PAGE: 1 / np.sqrt(width), UNIT: 1.0}[readout]
    return Networks(weights, size * stream.standard_normal((count, width)))


def line(points: int, end: float = 2.0, bias: bool = False) -> np.ndarray:
    """Equidistant inputs on [-end, end], (points, 1), or (points, 2) with a second feature 1."""
    x = np.linspace(-end, end, points)[:, None]
    return np.hstack([x, np.ones_like(x)]) if bias else x


def hidden(networks: Networks, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """relu(W x) and its slope, (networks, N, m) each."""
    z = x @ networks.weights.swapaxes(1, 2)
    return np.maximum(z, 0), (z > 0).astype(float)


def outputs(networks: Networks, x: np.ndarray, scale: float) -> np.ndarray:
    """f, (networks, N)."""
    return scale * (hidden(networks, x)[0] @ networks.readout[:, :, None])[:, :, 0]


def kernel(networks: Networks, x: np.ndarray, first_layer: float = 1.0) -> np.ndarray:
    """(h h' + c k k' (x.x')) / m with h = relu(W x), k = a 1[W x > 0], (networks, N, N).

    first_layer: c, 1 for gradients by W, 2 for gradients by W / sqrt(2), whose entries are N(0, 1).
    """
    h, gates = hidden(networks, x)
    k = gates * networks.readout[:, None, :]
    inner = h @ h.swapaxes(1, 2) + first_layer * (k @ k.swapaxes(1, 2)) * (x @ x.T)
    return inner / networks.width


def descend(
    networks: Networks, x: np.ndarray, y: np.ndarray, rates: np.ndarray, steps: int,
    *, scale: float, readout_only: bool = False,
) -> Networks:  # fmt: skip
    """Gradient descent on the sum of (f - y)^2 / 2, at one rate per network."""
    weights, readout = networks
    for _ in range(steps):
        h, gates = hidden(Networks(weights, readout), x)
        error = scale * (h @ readout[:, :, None])[:, :, 0] - y
        pull = (scale * rates[:, None] * error)[:, :, None]
        step = ((gates * readout[:, None, :]).swapaxes(1, 2)) @ (pull * x)
        readout = readout - (h * pull).sum(axis=1)
        weights = weights if readout_only else weights - step
    return Networks(weights, readout)


def loss(networks: Networks, x: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
    """Sum of (f - y)^2 / 2, (networks,)."""
    return ((outputs(networks, x, scale) - y) ** 2).sum(axis=1) / 2


def moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """|K_after - K_before| / |K_before| in the Frobenius norm, (networks,)."""
    return np.linalg.norm(after - before, axis=(1, 2)) / np.linalg.norm(before, axis=(1, 2))
