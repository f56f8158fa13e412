"""Instance normalisation of Gaussian maps: what its kernel over positions is, exactly.

One channel h ~ N(0, C) over P positions becomes z = sqrt(P) (h - mean) / |h - mean|. With
infinitely many channels the kernel over positions is E[z z'], which has the eigenvectors of the
centred covariance but not its eigenvalues: the deviation of a channel is a random number.
"""

import numpy as np

NODES = 400  # of the quadrature: errors are below 1e-10 for the spectra here


def two_levels(positions: int) -> np.ndarray:
    """Spectrum of P eigenvalues, a quarter of them 4 and the rest 1."""
    return np.where(np.arange(positions) < positions // 4, 4.0, 1.0)


def one_strong(positions: int) -> np.ndarray:
    """Spectrum of P eigenvalues, one of them as large as all the others together."""
    return np.where(np.arange(positions) == 0, positions - 1.0, 1.0)


def equal(positions: int) -> np.ndarray:
    """White noise."""
    return np.ones(positions)


SPECTRA = {"two_levels": two_levels, "one_strong": one_strong, "equal": equal}


def normalised(eigenvalues: np.ndarray) -> np.ndarray:
    """E[l_i g_i^2 / sum_j l_j g_j^2] of independent g ~ N(0, 1), (P,); they add up to 1.

    The integral over t > 0 of l_i / (1 + 2 l_i t) prod_j (1 + 2 l_j t)^(-1/2), with t = e^u.
    """
    relative = eigenvalues / eigenvalues.sum()
    u = np.linspace(-25, 25, NODES * 4 + 1)
    t = np.exp(u)
    factors = 1 + 2 * relative[:, None] * t
    integrand = np.exp(-np.log(factors).sum(axis=0) / 2) * t
    return (relative[:, None] / factors * integrand).sum(axis=1) * (u[1] - u[0])


def shape_error(eigenvalues: np.ndarray) -> float:
    """Relative Frobenius distance of E[z z'] / P from the centred covariance over its trace.

    To the first order in 1/r, with r = (sum l)^2 / sum l^2: 2 |p (1/r - p)| / |p|, p = l / sum l.
    """
    relative = eigenvalues / eigenvalues.sum()
    return float(np.linalg.norm(normalised(eigenvalues) - relative) / np.linalg.norm(relative))


def instance_norm(maps: np.ndarray) -> np.ndarray:
    """(x - mean) / deviation over the positions, maps (channels, rows, columns)."""
    centred = maps - maps.mean(axis=(1, 2), keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=(1, 2), keepdims=True))


def layer_norm(maps: np.ndarray) -> np.ndarray:
    """(x - mean) / deviation over the channels of each position."""
    centred = maps - maps.mean(axis=0)
    return centred / np.sqrt((centred**2).mean(axis=0))


def over_positions(maps: np.ndarray) -> np.ndarray:
    """Kernel between positions, the mean over channels, (rows columns, rows columns)."""
    flat = maps.reshape(len(maps), -1)
    return flat.T @ flat / len(maps)
