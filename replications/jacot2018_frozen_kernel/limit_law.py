"""The Gaussian law of the outputs after training (Section 5), and its popular substitutes."""

import numpy as np

from replications.jacot2018_frozen_kernel.network import network
from widenets.ntk.dynamics import ensemble_flow, gaussian_process_posterior


def gaussian_law(
    arm: str, x: np.ndarray, y: np.ndarray, test: np.ndarray, *, steps: int, learning_rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of f at the points `test`, networks trained on (x, y).

    arm: theory (descent with Theta_infinity from f_0 ~ N(0, Sigma)); nngp_posterior and
    ntk_posterior (a Gaussian process with covariance Sigma or Theta_infinity, given f(x) = y).
    """
    count = len(x)
    nngp, ntk = network("relu").limit(np.concatenate([x, test]))
    if arm == "theory":
        law = ensemble_flow(
            ntk[:count, :count],
            nngp[:count, :count],
            y,
            [steps],
            ntk_test=ntk[count:, :count],
            nngp_test=nngp[count:, :count],
            nngp_test_test=nngp[count:, count:],
            normalization="mean",
            learning_rate=learning_rate,
            method="descent",
        )
        mean, covariance = law.mean[0, :, 0], law.covariance[0]
    else:
        kernel = {"nngp_posterior": nngp, "ntk_posterior": ntk}[arm]
        law = gaussian_process_posterior(
            kernel[:count, :count], kernel[count:, :count], kernel[count:, count:], y
        )
        mean, covariance = law.mean[:, 0], law.covariance
    return mean, np.sqrt(np.maximum(np.diag(covariance), 0.0))
