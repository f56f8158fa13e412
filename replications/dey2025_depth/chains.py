"""Random networks without training, many at a time: growth, gradients, first-order moves.

Arrays are float64 with the networks first, (networks, n); weights are drawn where they are used.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Chain:
    """Layers of one kind: abs (residual, h + m W |h|), relu or linear (plain, W phi(h))."""

    kind: str
    width: int
    depth: int
    factor: float = 1.0

    def draw(self, stream: np.random.Generator, networks: int) -> np.ndarray:
        """Weights of one layer, (networks, n, n), of variance 1/n, 2/n for relu."""
        size = np.sqrt((2 if self.kind == "relu" else 1) / self.width)
        return size * stream.standard_normal((networks, self.width, self.width))

    def slopes(self, values: np.ndarray) -> np.ndarray:
        """phi' at the input of a layer."""
        if self.kind == "abs":
            return np.sign(values)
        return (values > 0) * 1.0 if self.kind == "relu" else np.ones_like(values)

    def onwards(self, weights: np.ndarray, slopes: np.ndarray, values: np.ndarray) -> np.ndarray:
        """A vector through one layer whose gates are `slopes`; its input itself, or a tangent."""
        product = np.einsum("bij,bj->bi", weights, slopes * values)
        return values + self.factor * product if self.kind == "abs" else product

    def back(self, weights: np.ndarray, slopes: np.ndarray, values: np.ndarray) -> np.ndarray:
        """The transposed of `onwards`."""
        product = slopes * np.einsum("bij,bi->bj", weights, values)
        return values + self.factor * product if self.kind == "abs" else product


def squares(chain: Chain, stream: np.random.Generator, networks: int) -> np.ndarray:
    """|h_L|^2 / |h_0|^2 of each network."""
    values = stream.standard_normal((networks, chain.width))
    first = np.sum(values**2, axis=1)
    for _ in range(chain.depth):
        weights = chain.draw(stream, networks)
        values = chain.onwards(weights, chain.slopes(values), values)
    return np.sum(values**2, axis=1) / first


@dataclass(frozen=True)
class Pass:
    """One forward and one backward pass.

    squares   |h_L|^2 / |h_0|^2, (networks,)
    inputs    |input of layer l|^2 over that of the first, (L, networks)
    backward  J_l^T d, (L, networks, n), the last is d
    weights, slopes   of each layer
    """

    squares: np.ndarray
    inputs: np.ndarray
    backward: np.ndarray
    weights: list[np.ndarray]
    slopes: list[np.ndarray]


def passes(chain: Chain, stream: np.random.Generator, networks: int) -> Pass:
    """A random input and a random cotangent d of the last features; the first layer has no gate."""
    values = stream.standard_normal((networks, chain.width))
    first = np.sum(values**2, axis=1)
    weights, slopes, inputs = [], [], []
    for number in range(chain.depth):
        gates = chain.slopes(values) if number or chain.kind == "abs" else np.ones_like(values)
        weights.append(chain.draw(stream, networks))
        slopes.append(gates)
        inputs.append(np.sum((gates * values) ** 2, axis=1))
        values = chain.onwards(weights[-1], gates, values)
    backward = [stream.standard_normal(values.shape)]
    for number in range(chain.depth - 1, 0, -1):
        backward.append(chain.back(weights[number], slopes[number], backward[-1]))
    grown = np.sum(values**2, axis=1) / first
    return Pass(grown, np.array(inputs) / first, np.array(backward[::-1]), weights, slopes)


def block_kernels(chain: Chain, found: Pass) -> np.ndarray:
    """Squared gradient norm of each layer's weights over |d|^2 |h_0|^2, (L, networks)."""
    scale = chain.factor**2 if chain.kind == "abs" else 1.0
    backward = np.sum(found.backward**2, axis=2)
    return scale * found.inputs * backward / backward[-1]


def moves(chain: Chain, found: Pass, inputs: np.ndarray) -> np.ndarray:
    """dz = sum_l s_l J_l J_l^T d to first order, (networks, n); `inputs` are the s_l without m^2.

    A step of gradient descent has s_l = |input of layer l|^2.
    """
    scale = chain.factor**2 if chain.kind == "abs" else 1.0
    total = np.zeros_like(found.backward[0])
    for number in range(chain.depth):
        if number:
            total = chain.onwards(found.weights[number], found.slopes[number], total)
        total = total + scale * np.reshape(inputs[number], (-1, 1)) * found.backward[number]
    return total


def branch_stream(
    kind: str, stream: np.random.Generator, networks: int, width: int, depth: int, factor: float
) -> np.ndarray:
    """|h_L|^2 / n of h + m F(h) from |h_0|^2 = n, for branches of every kind, each net once.

    two_gelu, two_relu: W2 phi(W1 LN(h)), W2 of variance 2/n; in_relu, in_tanh: phi(W h);
    inc_relu: relu(W h) less its mean over coordinates. Other variances are 1/n.
    """
    values = stream.standard_normal((networks, width))
    values *= np.sqrt(width) / np.linalg.norm(values, axis=1, keepdims=True)
    place, name = kind.split("_")
    for _ in range(depth):
        inner = stream.standard_normal((networks, width, width)) / np.sqrt(width)
        read = normalised(values) if place == "two" else values
        branch = PHI[name](np.einsum("bij,bj->bi", inner, read))
        if place == "two":
            outer = stream.standard_normal((networks, width, width)) * np.sqrt(2 / width)
            branch = np.einsum("bij,bj->bi", outer, branch)
        if place == "inc":
            branch = branch - branch.mean(axis=1, keepdims=True)
        values = values + factor * branch
    return np.mean(values**2, axis=1)


def normalised(values: np.ndarray) -> np.ndarray:
    """Layer normalisation without its epsilon."""
    centred = values - values.mean(axis=1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=1, keepdims=True))


PHI = {
    "gelu": lambda z: z * special.ndtr(z),
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
}
