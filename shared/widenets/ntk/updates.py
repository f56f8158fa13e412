"""Laws of a weight matrix and of its steps: largest singular value, sign and polar steps, decay.

W is out x in, r = out / in, |W| its largest singular value; everything in float64. The sizes of a
step are those on an input h: rms(dW h), and rms(h) = |h| / sqrt(in).
"""

import numpy as np

TRACY_WIDOM_MEAN = -1.2065335745820  # of the law for real matrices (beta = 1)
QUINTIC = (3.4445, -4.7750, 2.0315)  # Muon's iteration, Jordan et al. 2024
CUBIC = (1.5, -0.5, 0.0)  # Newton-Schulz: converges to 1


def largest_singular_value(fan_out: int, fan_in: int, std: float) -> float:
    """E |W| of a Gaussian matrix, sqrt(mu + sigma E TW) std, up to O(in^(-4/3)) relative.

    mu = (sqrt(in - 1) + sqrt(out))^2 and sigma = sqrt(mu) (1/sqrt(in - 1) + 1/sqrt(out))^(1/3):
    Johnstone 2001. At its edge alone, std (sqrt(in) + sqrt(out)), it is 1 % larger for 256 x 256.
    """
    first, second = np.sqrt(fan_in - 1), np.sqrt(fan_out)
    sigma = (first + second) * (1 / first + 1 / second) ** (1 / 3)
    return float(std * np.sqrt((first + second) ** 2 + sigma * TRACY_WIDOM_MEAN))


def polar_factor(matrix: np.ndarray, tolerance: float = 1e-10) -> np.ndarray:
    """U V^T of the singular value decomposition (out, in): a partial isometry.

    Directions whose singular value is below `tolerance` times the largest are left out: they are
    rounding, and in a matrix of lower rank they have no direction of their own.
    """
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    kept = values > tolerance * values[0]
    return left[:, kept] @ right[kept]


def singular_value_map(values: np.ndarray, steps: int, coefficients=QUINTIC) -> np.ndarray:
    """What steps of X <- a X + b X X^T X + c X (X^T X)^2 make of singular values (any shape)."""
    a, b, c = coefficients
    for _ in range(steps):
        values = values * (a + values**2 * (b + values**2 * c))
    return values


def sign_alignment(second_moments: np.ndarray) -> float:
    """E rms(S h)^2 / (n^2 E rms(h)^2) of the sign of a gradient of very many samples, fresh input.

    second_moments: E h h^T (n, n), also of features that are not centred. The entries (i, j) and
    (i, k) of the gradient correlate like h_j and h_k, so that E S_ij S_ik = (2/pi) arcsin(rho_jk).
    1/n for white features, (2/pi)/R and more for those of rank R.
    """
    size = np.sqrt(np.diag(second_moments))
    signs = np.arcsin(np.clip(second_moments / np.outer(size, size), -1, 1)) * 2 / np.pi
    return float(np.sum(signs * second_moments) / (len(size) * np.sum(size**2)))


def seen_sign_alignment(width: int, batch: int) -> float:
    """The same for one of the `batch` Gaussian samples of the gradient, exact for all sizes.

    2 / (pi B) (1 - 1/n) + 1/n: the n entries of a row agree with the sign of g_i1 h_1 as far as
    g_i1^2 is a part of sum_b g_ib^2, 1/B on average.
    """
    return 2 / (np.pi * batch) * (1 - 1 / width) + 1 / width


def equilibrium_rms(rate: float, decay: float, momentum: float) -> float:
    """rms of a weight under AdamW on white noise, in units of sqrt(rate / (2 decay)).

    w <- a w - rate u, a = 1 - rate decay, with u the moving average of unit noise: the square is
    (1-b)(1+ab) / [(1+b)(1-ab)(1 - rate decay / 2)], b the momentum; exact (a linear process) but
    for the noise of Adam's second moment.
    """
    a, b = 1 - rate * decay, momentum
    square = (1 - b) * (1 + a * b) / ((1 + b) * (1 - a * b) * (1 - rate * decay / 2))
    return float(np.sqrt(square))


def equilibrium_memory(rate: float, decay: float, momentum: float, lag: int) -> float:
    """Correlation of that weight with itself `lag` steps later.

    [(1-b^2) a^(k+1) - (1-a^2) b^(k+1)] / [(a-b)(1+ab)].
    """
    a, b = 1 - rate * decay, momentum
    ahead = (1 - b**2) * a ** (lag + 1) - (1 - a**2) * b ** (lag + 1)
    return float(ahead / ((a - b) * (1 + a * b)))


def update_rms(momentum: float) -> float:
    """rms of Adam's update on white noise, sqrt((1-b)/(1+b)), its second moment at rest."""
    return float(np.sqrt((1 - momentum) / (1 + momentum)))
