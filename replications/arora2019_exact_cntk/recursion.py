"""The CNTK's recursion between all pairs of positions, written out (section 4, as reported).

K[p, q] = sqrt(2/9)^2 sum over the 9 neighbours at the same displacement; ReLU of c_sigma = 2 gives
K <- norm (c (pi - arccos c) + sqrt(1 - c^2)) / 2 pi and Theta <- Theta (pi - arccos c) / 2 pi.
`widenets.ntk` has circular padding traced by jax, 8 s of compilation for each shape; here it costs
milliseconds (a test holds both together).
"""

import numpy as np

NEIGHBOURS = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
PADDINGS = ("SAME", "CIRCULAR")


def _convolved(field: np.ndarray, padding: str, images: int) -> np.ndarray:
    """2/9 of the sum over neighbours p + a, or (p + a, q + a); field
    (..., H, W) or (..., H, W, H, W).

    images: 1 or 2, how many pairs of axes are positions. Zeros from outside, or the other side.
    """
    extent = field.shape[-2 * images :]
    around = [(0, 0)] * (field.ndim - 2 * images) + [(1, 1)] * (2 * images)
    wide = np.pad(field, around, mode="wrap" if padding == "CIRCULAR" else "constant")
    return sum(
        wide[..., *(slice(1 + a, 1 + a + n) for a, n in zip(step * images, extent, strict=True))]
        for step in NEIGHBOURS
    ) * (2 / 9)


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
            _convolved(pairs, padding, 2),
            _convolved(q1, padding, 1),
            _convolved(q2, padding, 1),
        )
        tangents = pairs + _convolved(tangents, padding, 2)
        norms = np.sqrt(q1[:, None, :, :, None, None] * q2[None, :, None, None])
        cosine = np.clip(pairs / np.where(norms > 0, norms, 1), -1, 1)
        angle = np.pi - np.arccos(cosine)
        tangents = tangents * angle / (2 * np.pi)
        pairs = norms * (cosine * angle + np.sqrt(1 - cosine**2)) / (2 * np.pi)
        q1, q2 = q1 / 2, q2 / 2
    return pairs, tangents


def pooled_and_vanilla(x1: np.ndarray, x2: np.ndarray, convs: int, padding: str) -> tuple:
    """(CNTK-GAP, CNTK-V), each (N1, N2), read-out trained: means over all pairs of positions, and
    over equal positions."""
    pairs, tangents = all_positions(x1, x2, convs, padding)
    size = x1.shape[1] * x1.shape[2]
    whole = (pairs + tangents).reshape(len(x1), len(x2), size, size)
    return whole.mean(axis=(2, 3)), np.trace(whole, axis1=2, axis2=3) / size


def rolled(x: np.ndarray, step: tuple[int, int]) -> np.ndarray:
    """Images moved around the torus by `step`."""
    return np.roll(x, step, (1, 2))
