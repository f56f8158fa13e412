"""The Gaussian laws that an ensemble of networks follows during training (equations 13-15)."""

import functools
from typing import NamedTuple

import numpy as np

from replications.lee2019_linearization.linearization import STEP, limit_kernels
from replications.lee2019_linearization.setting import digits
from widenets.ntk.dynamics import critical_learning_rate, ensemble_flow, kernel_flow


class Line(NamedTuple):
    """One training set for all networks, and the line x(alpha) through two of its points."""

    points: np.ndarray  # (N + M, d), training points first
    targets: np.ndarray  # (N, 1)
    alphas: np.ndarray  # (M,)


class Law(NamedTuple):
    """mean (steps, M), covariance (steps, M, M): of outputs on the line; kernel (N + M, N): what
    drives them; rate: the learning rate."""

    mean: np.ndarray
    covariance: np.ndarray
    kernel: np.ndarray
    rate: float

    @property
    def deviation(self) -> np.ndarray:
        """(steps, M)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    def shared_with_others(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How outputs (seeds, steps, M) vary together with those at other points: found, (seeds,
        steps, M), and predicted, (steps, M), its mean if equation 15 holds.

        d_a sum_b C_ab d_b and sum_b C_ab^2 over b != a, with deviations d from the mean and the
        covariances C of equation 15: linear in what it tests, the mean of d_a d_b.
        """
        away = outputs - self.mean
        between = self.covariance * (1 - np.eye(self.covariance.shape[-1]))
        found = away * np.einsum("rab,srb->sra", between, away)
        return found, np.sum(between**2, axis=-1)


def digits_on_a_line(seed: int, train: int, count: int) -> Line:
    """x(alpha) = alpha x_1 + (1 - alpha) x_2 between an even and an odd one of the seed's digits,
    alpha in [-2, 3]."""
    problem = digits((seed,), train, 0)
    x, y = problem.points[0], problem.targets[0]
    first, second = x[np.argmax(y[:, 0])], x[np.argmin(y[:, 0])]
    alphas = np.linspace(-2, 3, count)
    line = alphas[:, None] * first + (1 - alphas[:, None]) * second
    return Line(np.vstack([x, line]), y, alphas)


@functools.cache
def laws(
    activation: str, depth: int, seed: int, train: int, count: int, recorded: tuple[int, ...]
) -> dict[str, Law]:
    """Equations 14-15 for training of all layers (ntk), and of the readout alone (nngp), whose end
    is the NNGP posterior, equation 13; on the seed's line."""
    line = digits_on_a_line(seed, train, count)
    nngp, ntk = (kernel[0] for kernel in limit_kernels(activation, depth, line.points[None]))
    found = {}
    for name, kernel in (("ntk", ntk), ("nngp", nngp)):
        rate = STEP * critical_learning_rate(kernel[:train, :train], normalization="sum")
        flow = ensemble_flow(
            kernel[:train, :train],
            nngp[:train, :train],
            line.targets,
            recorded,
            ntk_test=kernel[train:, :train],
            nngp_test=nngp[train:, :train],
            nngp_test_test=nngp[train:, train:],
            normalization="sum",
            learning_rate=float(rate),
            method="descent",
        )
        found[name] = Law(flow.mean[..., 0], flow.covariance, kernel[:, :train], float(rate))
    return found


def remains_of_start(law: Law, start: np.ndarray, recorded: tuple[int, ...]) -> np.ndarray:
    """What a law leaves of the networks' own f_0 (seeds, N + M) on the line: (seeds, steps, M).

    Its mean over networks is exactly zero: without it outputs have the same mean and less spread.
    """
    train = law.kernel.shape[1]
    return kernel_flow(
        law.kernel[:train],
        np.zeros((train, 1)),
        recorded,
        normalization="sum",
        learning_rate=law.rate,
        method="descent",
        initial=start[:, :train, None],
        kernel_test=law.kernel[train:],
        initial_test=start[:, train:, None],
    ).test[..., 0]
