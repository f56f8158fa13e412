"""How alike two kernels are, or a kernel and labels: cosines of Gram matrices (..., N, N).

    distance   1 - <K, K'>_F / (|K|_F |K'|_F)          (Fort et al. 2020, kernel distance)
    alignment  cosine of the centred kernels H K H and H Y Y^T H, H = 1 - 11^T / N

Both are blind to a factor of the kernel, and the distance is of second order: of K + E it is
half of |E_perp|^2 / |K|^2, E_perp being the part of E across K. numpy, float64.
"""

import numpy as np


def cosine(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """<K, K'>_F / (|K|_F |K'|_F) over the last two axes; the others broadcast."""
    one, other = _grams(one), _grams(other)
    lengths = np.linalg.norm(one, axis=(-2, -1)) * np.linalg.norm(other, axis=(-2, -1))
    return np.sum(one * other, axis=(-2, -1)) / lengths


def distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 - cosine, from the difference of the kernels at length 1: exact where they are close."""
    one, other = (
        k / np.linalg.norm(k, axis=(-2, -1), keepdims=True) for k in map(_grams, (one, other))
    )
    return np.sum((one - other) ** 2, axis=(-2, -1)) / 2


def drift(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """|K' - K|_F / |K|_F, which sees a factor too."""
    one, other = _grams(one), _grams(other)
    return np.linalg.norm(other - one, axis=(-2, -1)) / np.linalg.norm(one, axis=(-2, -1))


def alignment(kernel: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Cosine of the centred kernels of the network and of the targets (..., N, O)."""
    targets = np.asarray(targets, dtype=np.float64)
    return cosine(centred(kernel), centred(targets @ np.swapaxes(targets, -1, -2)))


def centred(kernel: np.ndarray) -> np.ndarray:
    """H K H: the mean over rows and over columns taken out."""
    kernel = _grams(kernel)
    kernel = kernel - kernel.mean(axis=-2, keepdims=True)
    return kernel - kernel.mean(axis=-1, keepdims=True)


def _grams(kernel: np.ndarray) -> np.ndarray:
    kernel = np.asarray(kernel, dtype=np.float64)
    if kernel.ndim < 2 or kernel.shape[-1] != kernel.shape[-2]:
        raise ValueError(f"kernel has shape {kernel.shape}, wanted (..., N, N)")
    return kernel
