"""What is read off training curves: what remains of a degree, when it is gone, how fast."""

import numpy as np

from widenets.ntk.dynamics import mode_decay


def remaining(residuals: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """|v_k' r| over its value at the start, (times, degrees)."""
    lengths = np.abs(residuals @ (basis / np.linalg.norm(basis, axis=0)))
    return lengths / lengths[0]


def linear_curves(system, values, basis, rate, steps) -> np.ndarray:
    """`remaining` of gradient descent with a fixed kernel, (steps+1, degrees), in blocks."""
    modes = (system.vectors.T @ values)[:, None] * (system.vectors.T @ basis)
    blocks = np.array_split(np.arange(steps + 1), steps // 100 + 1)
    left = [mode_decay(system.values, block, rate, "descent")[0] @ modes for block in blocks]
    lengths = np.abs(np.concatenate(left))
    return lengths / lengths[0]


def crossing(curve: np.ndarray, level: float) -> float:
    """Steps until a curve first falls to level times its start, log-linear between; else NaN."""
    log = np.log(np.maximum(curve / curve[0], 1e-300)) - np.log(level)
    below = np.flatnonzero(log <= 0)
    if below.size == 0:
        return np.nan
    after = below[0]
    return after - log[after] / (log[after] - log[after - 1])


def speed_of(curve: np.ndarray, step_size: float) -> float:
    half = crossing(curve, 0.5)
    return 0.0 if np.isnan(half) else np.log(2) / (step_size * half)


def window_rate(curve: np.ndarray, step_size: float) -> float:
    """(1 - e^slope)/eta over .9 >= A/A_0 >= .35; a curve that hardly moves is fitted as a whole."""
    left = curve / curve[0]
    below = np.flatnonzero(left < 0.35)
    end = below[0] if below.size else left.size
    inside = np.flatnonzero(left[:end] <= 0.9)
    start = inside[0] if inside.size and end - inside[0] >= 3 else 0
    slope = np.polyfit(np.arange(start, end), np.log(left[start:end]), 1)[0]
    return (1 - np.exp(slope)) / step_size
