"""Decoders that learn from shots: the tangent kernel of a wide network, and a lookup table.

On the cube {-1, 1}^n a kernel of a fully connected network is a function of the Hamming distance,
so that n + 1 numbers give all of it.
"""

import functools

import numpy as np

from replications.ntk_quantum_decoder.codes import signs
from widenets.ntk.architecture import fully_connected, relu


@functools.cache
def network(depth: int, bias: float):
    return fully_connected(
        depth=depth, width=8, activation=relu(), weight_variance=2.0, bias_variance=bias
    )


@functools.cache
def by_distance(checks: int, depth: int = 1, bias: float = 0.1) -> np.ndarray:
    """NTK and NNGP at Hamming distances 0..n, (2, n + 1)."""
    flipped = 1.0 - 2.0 * np.tril(np.ones((checks + 1, checks)), -1)
    nngp, ntk = network(depth, bias).kernel(flipped[:1], flipped)
    return np.stack([np.asarray(ntk)[0], np.asarray(nngp)[0]])


def distances(checks: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Hamming distances of syndromes given as integers, (len(first), len(second))."""
    points = signs(checks)
    return np.rint((checks - points[first] @ points[second].T) / 2).astype(int)


def kernel_decisions(
    checks: int, counts: np.ndarray, *, names: np.ndarray | None = None, ridge: float = 0.0
) -> np.ndarray:
    """Classes (2^checks,) that the NTK flow ends in, from counts (2^checks, classes) of shots.

    A syndrome seen n_s times is one row with its class frequencies; ridge: K + ridge K(x, x)
    diag(1 / n_s), 0 interpolates. names: the syndrome that stands for each (a hashing), or None.
    """
    total = counts.sum(axis=1)
    seen = np.flatnonzero(total)
    names = np.arange(len(counts)) if names is None else names
    values = by_distance(checks)[0]
    target = counts[seen] / total[seen, None] - 1 / counts.shape[1]
    kernel = values[distances(checks, names[seen], names[seen])]
    kernel = kernel + np.diag(ridge * values[0] / total[seen])
    weights = np.linalg.solve(kernel, target)
    return (values[distances(checks, names, names[seen])] @ weights).argmax(axis=1)


def lookup_decisions(counts: np.ndarray) -> np.ndarray:
    """The most frequent class of syndromes seen; the trivial one of others, and in ties."""
    return counts.argmax(axis=1)


def in_gauge(table: np.ndarray, gauge: np.ndarray) -> np.ndarray:
    """(syndromes, classes) with class c of syndrome s at c xor gauge(s); its own inverse."""
    classes = np.arange(table.shape[1])
    return np.take_along_axis(table, classes[None] ^ gauge[:, None], axis=1)


def walsh(values: np.ndarray) -> np.ndarray:
    """sum_x chi_S(x) values(x) along the first axis of length 2^n; S as integers."""
    values = np.array(values, dtype=float)
    step = 1
    while step < len(values):
        pairs = values.reshape(-1, 2, step, *values.shape[1:])
        values = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1)
        values = values.reshape(-1, *pairs.shape[3:])
        step *= 2
    return values


def degrees(checks: int) -> np.ndarray:
    """Number of factors of each parity, (2^n,)."""
    return ((signs(checks) < 0).sum(axis=1)).astype(int)


def eigenvalues(checks: int, values: np.ndarray) -> np.ndarray:
    """mu_0..mu_n of the kernel with these values at distances 0..n, on all 2^n points."""
    of_degree = degrees(checks)
    spectrum = walsh(values[of_degree])  # the distance from the first point is its degree
    return np.array([spectrum[of_degree == k][0] for k in range(checks + 1)])
