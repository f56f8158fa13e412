"""What trained ensembles and Gaussian processes say at test points, in closed form.

With A = T_*X (T_XX + noise I)^-1 of the tangent kernel T and a start f_0 ~ GP(0, M), outputs after
training are Gaussian with mean A y and covariance J(M) = [-A, I] M [-A, I]^T (Lee et al. 2019,
equations 14 and 15). M = K, the NNGP kernel: a deep ensemble. M = T: the posterior of the Gaussian
process with prior T. J is linear and monotone in M.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from widenets.ntk.architecture import Architecture

LAWS = ("nngp", "deep", "ntkgp")


class Joint(NamedTuple):
    """A kernel on training and test points together, cut up."""

    train: np.ndarray  # (N, N)
    cross: np.ndarray  # (M, N)
    test: np.ndarray  # (M, M)

    def scaled(self, factor: float) -> "Joint":
        return Joint(*(factor * block for block in self))

    def plus(self, other: "Joint") -> "Joint":
        return Joint(*(one + two for one, two in zip(self, other, strict=True)))


class Law(NamedTuple):
    """A Gaussian law of the outputs at M test points."""

    mean: np.ndarray  # (M, O)
    covariance: np.ndarray  # (M, M)

    @property
    def variance(self) -> np.ndarray:
        return np.diag(self.covariance)


def cut(kernel: np.ndarray, train: int) -> Joint:
    """(N + M, N + M) with the N training points first."""
    return Joint(kernel[:train, :train], kernel[train:, :train], kernel[train:, train:])


def kernels_of(network: Architecture, points: np.ndarray, train: int) -> tuple[Joint, Joint]:
    """(NNGP, NTK) on these points, float64."""
    nngp, ntk = network.kernel(points)
    return cut(np.asarray(nngp), train), cut(np.asarray(ntk), train)


def gain(kernel: Joint, noise: float) -> np.ndarray:
    """A = T_*X (T_XX + noise I)^-1, (M, N)."""
    return np.linalg.solve(kernel.train + noise * np.eye(len(kernel.train)), kernel.cross.T).T


def ensemble(tangent: Joint, start: Joint, targets: np.ndarray, *, noise: float = 0.0) -> Law:
    """Networks trained until t = infinity from f_0 ~ GP(0, start), all on the same targets (N, O).

    noise > 0 is the ridge of training with a penalty on the distance from the start.
    """
    a = gain(tangent, noise)
    cross = a @ start.cross.T
    return Law(a @ targets, start.test + a @ start.train @ a.T - cross - cross.T)


def posterior(prior: Joint, targets: np.ndarray, *, noise: float = 0.0) -> Law:
    """Of the Gaussian process with this prior from observations (N, O) of this noise variance."""
    a = gain(prior, noise)
    return Law(a @ targets, prior.test - a @ prior.cross.T)


def law(name: str, nngp: Joint, ntk: Joint, targets: np.ndarray, *, noise: float = 0.0) -> Law:
    """nngp: NNGP posterior; deep: deep ensemble; ntkgp: NTKGP posterior, in their Loewner order."""
    if name == "deep":
        return ensemble(ntk, nngp, targets, noise=noise)
    return posterior({"nngp": nngp, "ntkgp": ntk}[name], targets, noise=noise)


def type_two_scale(train: np.ndarray, targets: np.ndarray, noise: float = 0.0) -> float:
    """The c that makes N(0, c (kernel + noise I)) likeliest:
    tr(y' (kernel + noise I)^-1 y) / (N O).

    train: (N, N); targets: (N, O), columns independent.
    """
    weights = np.linalg.solve(train + noise * np.eye(len(train)), targets)
    return float(np.sum(targets * weights) / targets.size)


def expected_coverage(claimed: np.ndarray, true: np.ndarray, level: float = 0.95) -> float:
    """Mean coverage of central intervals of variance `claimed` around the mean of errors with
    variance `true`: E 2 Phi(z sqrt(claimed / true)) - 1, arrays (M,)."""
    z = norm.ppf((1 + level) / 2)
    return float(np.mean(2 * norm.cdf(z * np.sqrt(claimed / true)) - 1))


def chance_of_largest(mean: np.ndarray, variance: np.ndarray, nodes: int = 60) -> np.ndarray:
    """P(class k has the largest value), (M, O), for independent N(mean_k, variance) at each point.

    int phi(z) prod_{j != k} Phi(z + (m_k - m_j) / s) dz, by Gauss-Hermite quadrature; normalised,
    because the quadrature leaves 1e-6.
    """
    z, weights = np.polynomial.hermite_e.hermegauss(nodes)
    gaps = (mean[:, :, None] - mean[:, None, :]) / np.sqrt(variance)[:, None, None]
    below = ndtr(gaps[..., None] + z)  # (M, k, j, nodes)
    classes = np.arange(mean.shape[1])
    below[:, classes, classes] = 1.0
    chances = np.prod(below, axis=2) @ weights
    return chances / chances.sum(axis=1, keepdims=True)
