"""One layer of finite attention, drawn in NumPy, and the exact laws of one of its outputs.

Tokens x (T, n), K = x x^T / n (T, T). A head has the scores G = (x Q)(x K)^T / (n d^s), the weights
A = zeta(G) and the mixed values A x V / sqrt(n); Q, K, V (n, d) are N(0, 1), and K = Q if tied.
Given these an output sum_h A_h x V_h O_h / sqrt(n d H) is Gaussian, so that its law is that of its
conditional variance v: excess kurtosis = 3 (E v^2 / (E v)^2 - 1). `widenets.self_attention` has
the two cases that have a limit kernel; here are all of them, and the tests compare.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import roots_genlaguerre, softmax

NODES = 14  # of the quadrature over scores, per dimension: 1e-3 of the law, 3e-2 at most
LENGTHS = 6  # of that over lengths of queries
GROUPS = 16  # of draws, for the jackknife


@dataclass(frozen=True)
class Attention:
    """How a head weighs tokens.

    zeta      softmax or identity
    power     s, of d in the scores
    tied      queries and keys are one matrix
    shared    all heads have the scores of the first
    hot       scores are multiplied by sqrt(d): a temperature
    """

    zeta: str
    power: float
    tied: bool = False
    shared: bool = False
    hot: bool = False


def draw(stream: np.random.Generator, *shape: int) -> np.ndarray:
    return stream.standard_normal(shape, dtype=np.float32)


def attention_weights(
    stream: np.random.Generator, kind: Attention, tokens: np.ndarray, heads: int, d: int,
    count: int, rows: int,
) -> np.ndarray:  # fmt: skip
    """A of the first `rows` tokens over all tokens, (count, heads, rows, T), of drawn Q and K."""
    x = (tokens / np.sqrt(tokens.shape[1])).astype(np.float32)
    drawn = 1 if kind.shared else heads
    matrix = draw(stream, count, drawn, x.shape[1], d)
    keys = x @ matrix
    queries = keys[..., :rows, :] if kind.tied else x[:rows] @ draw(stream, *matrix.shape)
    scores = queries @ np.swapaxes(keys, -1, -2) / np.float32(d**kind.power)
    scores = scores * np.float32(np.sqrt(d)) if kind.hot else scores
    weights = softmax(scores, axis=-1) if kind.zeta == "softmax" else scores
    return np.broadcast_to(weights, (count, heads, rows, len(x)))


def conditional_variance(
    stream: np.random.Generator, kind: Attention, tokens: np.ndarray, heads: int, d: int, count: int
) -> np.ndarray:
    """v of the first token, given all matrices but the last, (count,), float64."""
    weights = attention_weights(stream, kind, tokens, heads, d, count, 1)
    x = (tokens / np.sqrt(tokens.shape[1])).astype(np.float32)
    mixed = (weights @ x) @ draw(stream, count, heads, x.shape[1], d)
    return np.square(mixed, dtype=np.float64).sum(axis=(1, 2, 3)) / (heads * d)


def excess_kurtosis(variance: np.ndarray) -> float:
    """3 (E v^2 / (E v)^2 - 1) from draws of v, a multiple of `GROUPS` of them.

    By the jackknife over groups: tails are heavy, so that the plain ratio is 10 % too small for
    1000 draws.
    """
    means = np.stack([variance, variance**2]).reshape(2, GROUPS, -1).mean(axis=2)
    without = (means.sum(axis=1, keepdims=True) - means) / (GROUPS - 1)

    def excess(first, second):
        return 3 * (second / first**2 - 1)

    return float(GROUPS * excess(*means.mean(axis=1)) - (GROUPS - 1) * excess(*without).mean())


def participation(kernel: np.ndarray) -> float:
    """tr K^4 / (tr K^2)^2, between 1/T and 1."""
    square = kernel @ kernel
    return float(np.sum(square * square) / np.trace(square) ** 2)


def identity_law(kernel: np.ndarray, d: float, heads: int) -> float:
    """Excess kurtosis at 1/sqrt(d) without softmax: 3 [(1 + 2/d)^2 (1 + 2 r) - 1] / H, exact.

    r = `participation`; d may be infinite.
    """
    return 3 * ((1 + 2 / d) ** 2 * (1 + 2 * participation(kernel)) - 1) / heads


def softmax_law(kernel: np.ndarray, d: float, heads: int) -> float:
    """The same with softmax: 3 [(1 + 2/d) E s^2 / (E s)^2 - 1] / H, s = a^T K a, a = softmax(g).

    g is N(0, K_00 w K) given d w, which is chi-square with d degrees of freedom (w = 1 for an
    infinite d; finite ones up to 300). A shift of all scores changes nothing, so that T - 1
    dimensions are integrated.
    """
    tokens = len(kernel)
    against_last = np.eye(tokens)[:-1] - np.eye(tokens)[-1]
    root = np.linalg.cholesky(against_last @ kernel @ against_last.T)
    z, of_z = np.polynomial.hermite_e.hermegauss(NODES)
    grid = np.stack(np.meshgrid(*[z] * (tokens - 1), indexing="ij"), -1).reshape(-1, tokens - 1)
    mass = np.prod(np.meshgrid(*[of_z / of_z.sum()] * (tokens - 1), indexing="ij"), axis=0).ravel()
    differences = np.pad(grid @ root.T, ((0, 0), (0, 1)))
    w, of_w = np.ones(1), np.ones(1)
    if np.isfinite(d):
        w, of_w = roots_genlaguerre(LENGTHS, d / 2 - 1)
        w, of_w = w * 2 / d, of_w / of_w.sum()
    scores = np.sqrt(kernel[0, 0] * w)[:, None, None] * differences
    weights = softmax(scores, axis=-1)
    s = np.sum(weights @ kernel * weights, axis=-1)
    first, second = (of_w @ power @ mass for power in (s, s**2))
    return float(3 * ((1 + 2 / d) * second / first**2 - 1) / heads)


def tied_constant(kernel: np.ndarray) -> float:
    """lim d (excess kurtosis) of one head with softmax, 1/d scaling and K = Q.

    6 of the values, and 3 d Var s / (E s)^2 of the scores, whose covariance over q, r is
    (K_00 K_qr + K_0q K_0r) / d, by the gradient ds/dg = 2 a (K a - s).
    """
    weights = softmax(kernel[0])
    s = weights @ kernel @ weights
    gradient = 2 * weights * (kernel @ weights - s)
    covariance = kernel[0, 0] * kernel + np.outer(kernel[0], kernel[0])
    return float(6 + 3 * gradient @ covariance @ gradient / s**2)
