"""Many small networks at once in NumPy, float64, at the one input x with n_0 = 1, x = 1 (q = 1).

The law of everything here depends on the input only through q = |x|^2 / n_0, and on q as a power.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from replications.hanin2019_finite_width.moments import OPEN


class Passes(NamedTuple):
    """What one forward and one backward pass leave, per layer l = 1 .. d, arrays (networks, n)."""

    scales: list[float]  # sqrt(c_l / n_(l-1))
    gates: list[np.ndarray]  # of the hidden layers
    inputs: list[np.ndarray]  # x^(l-1)
    deltas: list[np.ndarray]  # df / dz^l
    output: np.ndarray  # (networks,)


def draw(stream: np.random.Generator, widths: Sequence[int], networks: int) -> list[np.ndarray]:
    """W^1 .. W^d, one input to one output, entries N(0, 1), each (networks, n_l, n_(l-1))."""
    sizes = (1, *widths, 1)
    return [stream.standard_normal((networks, after, before)) for before, after in pairwise(sizes)]


def passes(weights: list[np.ndarray], activation: str, sign: float = 1.0) -> Passes:
    """Forward and backward pass at the input `sign`."""
    depth, networks = len(weights), len(weights[0])
    gain = [1 / OPEN[activation]] * (depth - 1) + [1.0]
    scales = [np.sqrt(c / w.shape[2]) for c, w in zip(gain, weights, strict=True)]
    inputs, gates = [np.full((networks, 1), sign)], []
    for weight, scale in zip(weights[:-1], scales[:-1], strict=True):
        z = scale * _times(weight, inputs[-1])
        gates.append(z > 0 if activation == "relu" else np.ones_like(z, bool))
        inputs.append(gates[-1] * z)
    output = scales[-1] * _times(weights[-1], inputs[-1])[:, 0]
    deltas = [np.ones((networks, 1))]
    for weight, scale, gate in zip(weights[:0:-1], scales[:0:-1], gates[::-1], strict=True):
        deltas.append(gate * scale * _times_transposed(weight, deltas[-1]))
    return Passes(scales, gates, inputs, deltas[::-1], output)


def kernel(first: Passes, second: Passes) -> np.ndarray:
    """Theta(x, x') = sum_l c_l / n_(l-1) <x^(l-1), x'^(l-1)> <delta_l, delta'_l>, (networks,)."""
    layers = zip(
        first.scales, first.inputs, second.inputs, first.deltas, second.deltas, strict=True
    )
    return sum(scale**2 * _dot(x, y) * _dot(a, b) for scale, x, y, a, b in layers)


def kernel_derivative(weights: list[np.ndarray], found: Passes) -> np.ndarray:
    """O_3 = grad Theta . grad f at one input, gates held, (networks,).

    Along grad f the weights move by dW^l = s_l delta_l x^(l-1)'; no such matrix is formed.
    """
    scales, gates, inputs, deltas, _ = found
    moved = [np.zeros_like(inputs[0])]
    for layer, weight in enumerate(weights[:-1]):
        own = scales[layer] * deltas[layer] * _dot(inputs[layer], inputs[layer])[:, None]
        moved.append(gates[layer] * scales[layer] * (own + _times(weight, moved[-1])))
    bent = [np.zeros_like(deltas[-1])]
    for layer in range(len(weights) - 1, 0, -1):
        own = scales[layer] * inputs[layer] * _dot(deltas[layer], deltas[layer])[:, None]
        change = own + _times_transposed(weights[layer], bent[-1])
        bent.append(gates[layer - 1] * scales[layer] * change)
    layers = zip(scales, inputs, moved, deltas, bent[::-1], strict=True)
    return sum(
        2 * scale**2 * (_dot(x, dx) * _dot(a, a) + _dot(x, x) * _dot(a, da))
        for scale, x, dx, a, da in layers
    )


def _times(weight: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.einsum("bij,bj->bi", weight, vector)


def _times_transposed(weight: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.einsum("bij,bi->bj", weight, vector)


def _dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.einsum("bi,bi->b", first, second)
