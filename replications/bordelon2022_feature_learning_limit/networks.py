"""Finite networks with two hidden layers, many at once, beside their limit.

h^1 = W^0 x, h^2 = W^1 phi(h^1) / sqrt N, f = w . phi(h^2) / (g0 N), weights N(0, 1), trained at the
rate eta g0^2 N on (1/2) sum (y - f)^2. Networks come in pairs (W, w), (W, -w). float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from widenets.ntk.feature_learning_limit import Limit, feature_learning_limit
from widenets.ntk.parameterization import Parameterization, scales

INPUTS = np.array([[1, 0, 0], [0.6, 0.8, 0], [-0.6, 0.8, 0], [0, 0, 1]])
TARGETS = np.array([1, -0.5, 0, 0])
TRAINED = np.array([1.0, 1, 0, 0])  # a test point, and one perpendicular to all others
CHUNK = 2_000_000  # hidden weights at a time


@dataclass(frozen=True)
class Training:
    """Two hidden layers. one_sample: the two points in turn, each with twice the error."""

    activation: str
    rate: float
    steps: int
    one_sample: bool = False
    richness: float = 1.0

    @property
    def weights(self) -> np.ndarray:
        """(steps, P): by how much each error drives each step."""
        if not self.one_sample:
            return np.tile(TRAINED, (self.steps, 1))
        turns = np.tile([[2.0, 0, 0, 0], [0, 2.0, 0, 0]], (self.steps, 1))
        return turns[: self.steps]

    @property
    def gram(self) -> np.ndarray:
        return INPUTS @ INPUTS.T

    def limit(self, **options) -> Limit:
        return feature_learning_limit(
            self.gram, TARGETS, 2, self.activation, self.richness, self.rate, self.steps,
            mask=self.weights, **options,
        )  # fmt: skip


class Found(NamedTuple):
    """Of each pair: means over its two networks, and what is known to have mean 0."""

    outputs: np.ndarray  # (R, P), f at the end
    squares: np.ndarray  # (R, P), f^2 at the end
    kernel: np.ndarray  # (R,), K_11 at the end
    centred: np.ndarray  # (R, C)


def activated(name: str, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """phi(h), phi'(h)."""
    if name == "linear":
        return fields, np.ones_like(fields)
    value = np.tanh(fields)
    return value, 1 - value**2


def pairs(stream: np.random.Generator, training: Training, width: int, count: int) -> Found:
    """`count` pairs of networks of one width."""
    found, chunk = [], max(1, CHUNK // width**2)
    for start in range(0, count, chunk):
        size = min(chunk, count - start)
        inner = stream.standard_normal((size, width, 3), dtype=np.float32)
        hidden = stream.standard_normal((size, width, width), dtype=np.float32)
        outer = stream.standard_normal((size, width), dtype=np.float32)
        both = [trained(training, inner, hidden, sign * outer) for sign in (1, -1)]
        outputs = np.stack([one[0] for one in both])
        kernel = np.mean([one[1] for one in both], axis=0)
        centred = _centred(training.activation, inner, hidden, outer)
        found.append(Found(outputs.mean(0), (outputs**2).mean(0), kernel, centred))
    return Found(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def trained(training: Training, inner, hidden, outer) -> tuple[np.ndarray, np.ndarray]:
    """f (R, P) and K_11 (R,) after all steps, in the precision of the weights."""
    kind, width = inner.dtype, outer.shape[1]
    x, y = INPUTS.T.astype(kind), TARGETS.astype(kind)
    root, strength = kind.type(np.sqrt(width)), kind.type(training.rate * training.richness)
    for weights in [*training.weights.astype(kind), None]:
        phi1, slope1 = activated(training.activation, inner @ x)
        phi2, slope2 = activated(training.activation, hidden @ phi1 / root)
        f = np.einsum("rn,rnp->rp", outer, phi2) / x.dtype.type(training.richness * width)
        g2 = outer[:, :, None] * slope2
        g1 = (hidden.transpose(0, 2, 1) @ g2) / root * slope1
        if weights is None:
            break
        error = (strength * weights * (y - f))[:, None, :]
        outer = outer + (phi2 * error).sum(axis=2)
        hidden = hidden + (g2 * error) @ phi1.transpose(0, 2, 1) / root
        inner = inner + (g1 * error) @ x.T
    first = (_square(phi2), _square(g2) * _square(phi1), _square(g1))
    return f, sum(first)


def trained_by_rule(rule: Parameterization, training: Training, *draws) -> np.ndarray:
    """f (R, P) after all steps at richness 1, in an abc-parameterization, from draws N(0, 1)."""
    width, x = draws[2].shape[1], INPUTS.T
    layers = [scales(rule, role, width) for role in ("input", "hidden", "output")]
    inner, hidden, outer = (
        layer.initial_std * draw for layer, draw in zip(layers, draws, strict=True)
    )
    m, rates = zip(
        *((at.multiplier, training.rate * at.learning_rate) for at in layers), strict=True
    )
    for weights in [*training.weights, None]:
        phi1, slope1 = activated(training.activation, m[0] * inner @ x)
        phi2, slope2 = activated(training.activation, m[1] * hidden @ phi1)
        f = m[2] * np.einsum("rn,rnp->rp", outer, phi2)
        if weights is None:
            return f
        error = (weights * (TARGETS - f))[:, None, :]
        back2 = m[2] * outer[:, :, None] * slope2 * error
        back1 = m[1] * (hidden.transpose(0, 2, 1) @ back2) * slope1
        outer = outer + rates[2] * m[2] * (phi2 * error).sum(axis=2)
        hidden = hidden + rates[1] * m[1] * back2 @ phi1.transpose(0, 2, 1)
        inner = inner + rates[0] * m[0] * back1 @ x.T


def _square(values: np.ndarray) -> np.ndarray:
    return np.mean(values[:, :, 0] ** 2, axis=1)


def _centred(activation: str, inner, hidden, outer) -> np.ndarray:
    """Averages at the start less their exact means at any width (R, C).

    |w|^2 / N, |W|^2 / N^2, |W' w|^2 / N^2, and of the two trained inputs and the test point the
    products <h^1 h^1>, <phi^1 phi^1>, and <h^2 h^2> less <phi^1 phi^1>.
    """
    x, width = INPUTS[:3].T.astype(np.float32), outer.shape[1]
    h1 = inner @ x
    phi1 = activated(activation, h1)[0]
    h2 = hidden @ phi1 / np.float32(np.sqrt(width))
    back = (outer[:, None, :] @ hidden)[:, 0]
    upper = np.triu_indices(3)
    grams = [np.einsum("rnp,rnq->rpq", a, a)[:, *upper] / width for a in (h1, phi1, h2)]
    exact = (INPUTS @ INPUTS.T)[:3, :3][upper]
    scalars = [
        (outer**2).mean(1) - 1,
        (hidden**2).mean((1, 2)) - 1,
        (back**2).mean(1) / width - 1,
    ]
    products = [grams[0] - exact, grams[2] - grams[1]]
    if activation == "tanh":
        mean = mean_product(INPUTS[:3] @ INPUTS[:3].T)[upper]
        products.append(grams[1] - mean)
    return np.column_stack([*scalars, *products]).astype(float)


def mean_product(gram: np.ndarray, points: int = 60) -> np.ndarray:
    """E tanh(u_i) tanh(u_j), u ~ N(0, gram), by Gauss and Hermite's quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    weights = weights / weights.sum()
    found = np.empty_like(gram)
    for i, j in np.ndindex(gram.shape):
        c = gram[i, j] / np.sqrt(gram[i, i] * gram[j, j])
        one = np.sqrt(gram[i, i]) * nodes[:, None]
        two = np.sqrt(gram[j, j]) * (c * nodes[:, None] + np.sqrt(max(0, 1 - c**2)) * nodes)
        found[i, j] = weights @ (np.tanh(one) * np.tanh(two)) @ weights
    return found


def without_known_noise(values: np.ndarray, centred: np.ndarray) -> float:
    """The mean of `values` (R,) less its regression on what has mean 0 (R, C)."""
    design = np.column_stack([np.ones(len(values)), centred])
    return float(np.linalg.lstsq(design, values.astype(float), rcond=None)[0][0])
