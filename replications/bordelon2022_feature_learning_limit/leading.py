"""Deep linear networks at little richness: the order g0^2 of the limit, in closed form.

With Delta = exp(-(L+1) K_x t) y the error of the frozen kernel, v = int Delta, V = int Delta v':

    K = (L+1) K_x + g0^2 [L (L+1)^2 (L+2) / 12] (d1 + d2 + d3 + d4),
    Phi^l = K_x + g0^2 sum_{k<=l} [k^2 d1 + k (L+1-k) d2],

    d1 = K_x v v' K_x,   d2 = K_x (V + V') K_x,   d3 = (v' K_x v) K_x,   d4 = 2 tr(K_x V) K_x.

Without the responses k^2 and k (L+1-k) become 1: L (L+1) / 2 stands in the place of the bracket.
"""

from __future__ import annotations

import numpy as np

GRAM = np.array([[1.0, 0.6, -0.2], [0.6, 1.2, 0.3], [-0.2, 0.3, 0.8]])
TARGETS = np.array([1.0, -0.5, 0.7])


def integrals(gram, targets, depth: int, time: float) -> tuple[np.ndarray, np.ndarray]:
    """v (P,) and V (P, P) at `time`."""
    values, vectors = np.linalg.eigh(gram)
    rates, y = (depth + 1) * values, vectors.T @ targets
    gone = -np.expm1(-rates * time)
    v = gone / rates * y
    both = rates[:, None] + rates
    inner = gone[:, None] / rates[:, None] + np.expm1(-both * time) / both
    return vectors @ v, vectors @ (np.outer(y, y / rates) * inner) @ vectors.T


def directions(gram, targets, depth: int, time: float) -> tuple[np.ndarray, ...]:
    """d1, d2, d3, d4."""
    v, big = integrals(gram, targets, depth, time)
    moved = gram @ v
    return (
        np.outer(moved, moved),
        gram @ (big + big.T) @ gram,
        (v @ moved) * gram,
        2 * np.trace(gram @ big) * gram,
    )


def kernel_change(gram, targets, depth: int, time: float) -> np.ndarray:
    """(K - K_0) / g0^2."""
    factor = depth * (depth + 1) ** 2 * (depth + 2) / 12
    return factor * sum(directions(gram, targets, depth, time))


def kernel_change_without_responses(gram, targets, depth: int, time: float) -> np.ndarray:
    """The same where A and B are left out."""
    return depth * (depth + 1) / 2 * sum(directions(gram, targets, depth, time))


def feature_change(gram, targets, depth: int, time: float, layer: int) -> np.ndarray:
    """(Phi^l - K_x) / g0^2."""
    d1, d2, _, _ = directions(gram, targets, depth, time)
    k = np.arange(1, layer + 1)
    return (k**2).sum() * d1 + (k * (depth + 1 - k)).sum() * d2


def coefficient(depth: int) -> float:
    """c of K / K_0 = 1 + c g0^2 f^2 with one sample."""
    return depth * (depth + 2) / (3 * (depth + 1))


def output_change(depth: int, tau: float) -> float:
    """(f - f_frozen) / g0^2 of one sample, |x| = y = 1, at tau = K_0 t."""
    decayed = np.exp(-tau)
    return coefficient(depth) * decayed * (tau - 1.5 + 2 * decayed - decayed**2 / 2)
