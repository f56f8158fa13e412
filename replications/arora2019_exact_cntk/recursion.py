"""The CNTK's recursion between all pairs of positions, written out (section 4, as reported).

K[p, q] = sqrt(2/9)^2 sum over the 9 neighbours at the same displacement; ReLU of c_sigma = 2 gives
K <- norm (c (pi - arccos c) + sqrt(1 - c^2)) / 2 pi and Theta <- Theta (pi - arccos c) / 2 pi.
The loops of `widenets.ntk` know zero padding alone; here circular padding costs no compilation.
"""

import numpy as np

NEIGHBOURS = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
PADDINGS = ("SAME", "CIRCULAR")


def _moved(field: np.ndarray, step: tuple[int, int], axes: tuple[int, int], padding: str):
    """field[p + step] along two axes; zeros from outside, or what lies on the other side."""
    if padding == "CIRCULAR":
        return np.roll(field, (-step[0], -step[1]), axes)
    for size, axis in zip(step, axes, strict=True):
        pad, cut = [(0, 0)] * field.ndim, [slice(None)] * field.ndim
        pad[axis] = (max(-size, 0), max(size, 0))
        cut[axis] = slice(max(size, 0), field.shape[axis] + max(size, 0))
        field = np.pad(field, pad)[tuple(cut)]
    return field


def _convolved(pairs: np.ndarray, padding: str) -> np.ndarray:
    """2/9 of the sum over neighbours p + a, q + a; pairs (..., H, W, H, W)."""
    total = np.zeros_like(pairs)
    for step in NEIGHBOURS:
        total += _moved(_moved(pairs, step, (-4, -3), padding), step, (-2, -1), padding)
    return total * 2 / 9


def _convolved_variances(variances: np.ndarray, padding: str) -> np.ndarray:
    """The same of K[p, p] (..., H, W)."""
    return sum(_moved(variances, step, (-2, -1), padding) for step in NEIGHBOURS) * 2 / 9


def all_positions(x1: np.ndarray, x2: np.ndarray, convs: int, padding: str) -> tuple:
    """(K, Theta), each (N1, N2, H, W, H, W), of features after `convs` convolutions and ReLUs.

    x1, x2 (N, H, W, channels). The convolutions are trained, no read-out yet.
    """
    if padding not in PADDINGS:
        raise ValueError(f"padding: found {padding!r}, wanted one of {', '.join(PADDINGS)}")
    pairs = np.einsum("ihwc,jyxc->ijhwyx", x1, x2) / x1.shape[-1]
    tangents = np.zeros_like(pairs)
    q1, q2 = ((x**2).mean(axis=-1) for x in (x1, x2))
    for _ in range(convs):
        pairs, q1, q2 = (
            _convolved(pairs, padding),
            _convolved_variances(q1, padding),
            _convolved_variances(q2, padding),
        )
        tangents = pairs + _convolved(tangents, padding)
        norms = np.sqrt(q1[:, None, :, :, None, None] * q2[None, :, None, None])
        cosine = np.clip(pairs / np.where(norms > 0, norms, 1), -1, 1)
        angle = np.pi - np.arccos(cosine)
        tangents = tangents * angle / (2 * np.pi)
        pairs = norms * (cosine * angle + np.sqrt(1 - cosine**2)) / (2 * np.pi)
        q1, q2 = q1 / 2, q2 / 2
    return pairs, tangents


def pooled(x1: np.ndarray, x2: np.ndarray, convs: int, padding: str) -> np.ndarray:
    """CNTK-GAP (N1, N2): the mean over all pairs of positions, read-out trained."""
    pairs, tangents = all_positions(x1, x2, convs, padding)
    return (pairs + tangents).mean(axis=(2, 3, 4, 5))


def vanilla(x1: np.ndarray, x2: np.ndarray, convs: int, padding: str) -> np.ndarray:
    """CNTK-V (N1, N2): the mean over equal positions."""
    pairs, tangents = all_positions(x1, x2, convs, padding)
    size = x1.shape[1] * x1.shape[2]
    flat = (pairs + tangents).reshape(len(x1), len(x2), size, size)
    return np.trace(flat, axis1=2, axis2=3) / size


def rolled(x: np.ndarray, step: tuple[int, int]) -> np.ndarray:
    """Images moved around the torus by `step`."""
    return np.roll(x, step, (1, 2))
