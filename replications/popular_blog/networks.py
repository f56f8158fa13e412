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
    steps_of = _steps_on_the_line if x.shape[1] == 1 else _steps
    next_steps = steps_of(x, y, scale, rates[:, None])
    for _ in range(steps):
        step, of_readout = next_steps(weights, readout)
        readout = readout - of_readout
        weights = weights if readout_only else weights - step
    return Networks(weights, readout)


def _steps(x: np.ndarray, y: np.ndarray, scale: float, rates: np.ndarray):
    """(W, a) -> what one step takes off W and off a."""

    def of(weights: np.ndarray, readout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        h, gates = hidden(Networks(weights, readout), x)
        error = scale * (h @ readout[:, :, None])[:, :, 0] - y
        pull = (scale * rates * error)[:, :, None]
        step = ((gates * readout[:, None, :]).swapaxes(1, 2)) @ (pull * x)
        return step, (h * pull).sum(axis=1)

    return of


def _steps_on_the_line(x: np.ndarray, y: np.ndarray, scale: float, rates: np.ndarray):
    """`_steps` for inputs of one feature, without a loop over them.

    A neuron sees the inputs of its own sign, on which f = c x: what they pull at it together is
    scale rate (c sum x^2 - sum x y), times a for W and times W for a.
    """
    halves = [x[:, 0] > 0, x[:, 0] < 0]
    squares, products = ([float(x[of, 0] @ z[of]) for of in halves] for z in (x[:, 0], y))

    def of(weights: np.ndarray, readout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w = weights[:, :, 0]
        each, pull = w * readout, 0.0
        for sign, square, product in zip((w > 0, w < 0), squares, products, strict=True):
            slope = scale * (each * sign).sum(axis=1, keepdims=True)
            pull = pull + sign * (scale * rates * (slope * square - product))
        return (readout * pull)[:, :, None], w * pull

    return of


def loss(networks: Networks, x: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
    """Sum of (f - y)^2 / 2, (networks,)."""
    return ((outputs(networks, x, scale) - y) ** 2).sum(axis=1) / 2


def moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """|K_after - K_before| / |K_before| in the Frobenius norm, (networks,)."""
    return np.linalg.norm(after - before, axis=(1, 2)) / np.linalg.norm(before, axis=(1, 2))
