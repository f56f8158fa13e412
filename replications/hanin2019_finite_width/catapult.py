"""Gradient descent at large rates: the two-layer linear network of Lewkowycz et al., relu networks.

f = v.u / sqrt(n) at one datum x = 1, y = 0, loss f^2 / 2, lambda = (|u|^2 + |v|^2) / n.
"""

from typing import NamedTuple

import numpy as np

DIVERGED = 1e6  # |f| / sqrt(n) beyond which a start has diverged; the peak is below 1


class Course(NamedTuple):
    """What becomes of each start, arrays (starts,)."""

    converged: np.ndarray  # |f| fell below the tolerance
    finite: np.ndarray  # |f| stayed below DIVERGED sqrt(n)
    grew: np.ndarray  # the first step raised the loss
    peak: np.ndarray  # largest |f|
    peak_step: np.ndarray  # when it was reached
    curvature_at_peak: np.ndarray  # eta lambda one step before the peak
    curvature: np.ndarray  # eta lambda in the end
    relative: np.ndarray  # lambda / lambda_0 - 1 in the end


def starts(stream: np.random.Generator, width: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """f_0 and lambda_0 of `count` networks with entries N(0, 1), without drawing the entries.

    f = (a - b) / (2 sqrt(n)) and lambda = (a + b) / n, where a = |u + v|^2 / 2 and b =
    |u - v|^2 / 2 are independent and chi-square with n degrees of freedom.
    """
    a, b = stream.chisquare(width, (2, count))
    return (a - b) / (2 * np.sqrt(width)), (a + b) / width


def recursion(
    f: np.ndarray, curvature: np.ndarray, rate: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """One step of (f, lambda): f' = (1 - eta lambda + eta^2 f^2 / n) f and
    lambda' = lambda + (eta f^2 / n) (eta lambda - 4)."""
    drive = rate * f**2 / width
    return (
        (1 - rate * curvature + rate * drive) * f,
        curvature + drive * (rate * curvature - 4),
    )


def descent(
    u: np.ndarray, v: np.ndarray, rate: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """f and lambda of networks trained by gradient descent on all their weights.

    u, v: (starts, n); both results (steps + 1, starts).
    """
    n, fs, curvatures = u.shape[1], [], []
    for step in range(steps + 1):
        f = np.einsum("bi,bi->b", u, v) / np.sqrt(n)
        fs.append(f)
        curvatures.append((np.einsum("bi,bi->b", u, u) + np.einsum("bi,bi->b", v, v)) / n)
        if step < steps:
            pull = (rate * f / np.sqrt(n))[:, None]
            u, v = u - pull * v, v - pull * u
    return np.array(fs), np.array(curvatures)


def course(
    f: np.ndarray, curvature: np.ndarray, rate: np.ndarray, width: int, steps: int, tolerance: float
) -> Course:
    """Follow the recursion until every start has converged or diverged, at most `steps` steps."""
    start, first = curvature, np.abs(f)
    peak, peak_step, at_peak = first.copy(), np.zeros(f.size), rate * curvature
    grew = None
    for step in range(1, steps + 1):
        before = rate * curvature
        alive = np.abs(f) < DIVERGED * np.sqrt(width)
        f, curvature = (
            np.where(alive, new, old)
            for new, old in zip(recursion(f, curvature, rate, width), (f, curvature), strict=True)
        )
        grew = np.abs(f) > first if grew is None else grew
        higher = np.abs(f) > peak
        peak, peak_step = np.where(higher, np.abs(f), peak), np.where(higher, step, peak_step)
        at_peak = np.where(higher, before, at_peak)
        if np.all(~alive | (np.abs(f) < tolerance)):
            break
    return Course(
        np.abs(f) < tolerance, alive, grew, peak, peak_step, at_peak, rate * curvature,
        curvature / start - 1,
    )  # fmt: skip


def relu_descent(
    u: np.ndarray, w: np.ndarray, inputs: np.ndarray, labels: np.ndarray, factor: float, steps: int
) -> np.ndarray:
    """Loss sum (f - y)^2 / 2 of relu networks of one hidden layer after `steps`, (networks,).

    Each has data of its own: u (networks, d, n), w (networks, n), inputs (networks, N, d), labels
    (networks, N); f = w.relu(z) / sqrt(n) with z = sqrt(2 / d) x.u. The rate is factor / lambda_0,
    lambda_0 the largest eigenvalue of the network's kernel at the start; inf where it diverged.
    """
    d, n = u.shape[1:]
    x = np.sqrt(2 / d) * inputs
    rate = factor / _largest_eigenvalue(x, u, w)
    finite = np.ones(len(u), bool)
    for _ in range(steps):
        z = x @ u
        active = np.maximum(z, 0)
        error = np.einsum("bkn,bn->bk", active, w) / np.sqrt(n) - labels
        finite &= (error**2).sum(axis=1) < DIVERGED
        pull = (finite * rate)[:, None] * error / np.sqrt(n)
        back = pull[:, :, None] * (z > 0) * w[:, None, :]
        w = w - np.einsum("bkn,bk->bn", active, pull)
        u = u - x.swapaxes(1, 2) @ back
    outputs = np.einsum("bkn,bn->bk", np.maximum(x @ u, 0), w) / np.sqrt(n)
    return np.where(finite, ((outputs - labels) ** 2).sum(axis=1) / 2, np.inf)


def _largest_eigenvalue(x: np.ndarray, u: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Largest eigenvalue of the tangent kernel on the scaled inputs x, (networks,)."""
    z = x @ u
    active, gated = np.maximum(z, 0), (z > 0) * w[:, None, :]
    kernel = active @ active.swapaxes(1, 2)
    kernel += (x @ x.swapaxes(1, 2)) * (gated @ gated.swapaxes(1, 2))
    return np.linalg.eigvalsh(kernel / w.shape[1])[:, -1]
