"""Linear networks in training: the order in which principal components are learned."""

import numpy as np


def regression(x: np.ndarray, labels: np.ndarray, rate: float, steps: int) -> np.ndarray:
    """Weights at every step of gradient descent on |x w - labels|^2 / (2 N), (steps + 1, d)."""
    w, found = np.zeros(x.shape[1]), [np.zeros(x.shape[1])]
    for _ in range(steps):
        w = w - rate * x.T @ (x @ w - labels) / len(x)
        found.append(w)
    return np.array(found)


def decay_rates(course: np.ndarray, solution: np.ndarray, axes: np.ndarray, rate: float):
    """Rate of each mode of w - solution along the columns of `axes` over the course, (d,).

    -log(c_t / c_0) / t, turned from steps to time: (1 - rate l)^t = e^(-t log(1 / (1 - rate l))).
    """
    steps = len(course) - 1
    modes = (course - solution) @ axes
    per_step = np.abs(modes[-1] / modes[0]) ** (1 / steps)
    return (1 - per_step) / rate


def half_times(
    stream: np.random.Generator, variances: np.ndarray, targets: np.ndarray, *,
    hidden: int, size: float, rate: float, steps: int, layers: int,
) -> np.ndarray:  # fmt: skip
    """Time at which each direction has learned half of its target, (d,); nan: it never did.

    y = diag(targets) x with x ~ N(0, diag(variances)), gradient flow on the expected square, in
    Euler steps. layers 1: y = W x from W = 0; 2: y = B A x from entries N(0, size^2).
    """
    d, correlation = len(variances), variances * targets
    if layers == 1:
        first, second = np.zeros((d, d)), np.eye(d)
    else:
        first, second = (
            size * stream.standard_normal(shape) for shape in ((hidden, d), (d, hidden))
        )
    found = np.full(d, np.nan)
    for step in range(1, steps + 1):
        error = np.diag(correlation) - (second @ first) * variances
        down = second.T @ error
        second = second + (rate * error @ first.T if layers == 2 else 0)
        first = first + rate * down
        learned = np.diagonal(second @ first) / targets
        found = np.where(np.isnan(found) & (learned >= 0.5), step * rate, found)
        if not np.isnan(found).any():
            break
    return found
