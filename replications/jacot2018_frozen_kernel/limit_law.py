"""The Gaussian law of the outputs after training (Section 5), and its popular substitute."""

from typing import NamedTuple

import numpy as np

from replications.jacot2018_frozen_kernel.network import network
from widenets.ntk.dynamics import ensemble_flow, gaussian_process_posterior, kernel_flow


class Law(NamedTuple):
    """Of f at M test points, networks trained on N data points; arrays of float64.

    mean, deviation: (M,) of the law; other_mean: (M,) that of the other regression; remains: (M, M
    + N) what Theta_infinity leaves of f_0 (at the test points, then the data) after training; its
    product with f_0 has mean zero. prior: (M,) variance of f_0; prior_at_data: its mean on the N.
    """

    mean: np.ndarray
    deviation: np.ndarray
    other_mean: np.ndarray
    remains: np.ndarray
    prior: np.ndarray
    prior_at_data: float


def gaussian_law(
    arm: str,
    x: np.ndarray,
    y: np.ndarray,
    test: np.ndarray,
    *,
    activation: str,
    steps: int,
    learning_rate: float,
) -> Law:
    """The law of f at the points `test` (M, d), networks trained on x (N, d), y (N,).

    arm: nngp_posterior (a Gaussian process with covariance Sigma, given f(x) = y), or any other:
    descent with Theta_infinity from f_0 ~ N(0, Sigma).
    """
    count = len(x)
    nngp, ntk = network(activation).limit(np.concatenate([x, test]))
    descent = {"normalization": "mean", "learning_rate": learning_rate, "method": "descent"}
    blocks = nngp[:count, :count], nngp[count:, :count], nngp[count:, count:]
    trained = ensemble_flow(
        ntk[:count, :count],
        blocks[0],
        y,
        [steps],
        ntk_test=ntk[count:, :count],
        nngp_test=blocks[1],
        nngp_test_test=blocks[2],
        **descent,
    )
    bayes = gaussian_process_posterior(*blocks, y)
    means, covariances = (trained.mean[0], bayes.mean), (trained.covariance[0], bayes.covariance)
    chosen = int(arm == "nngp_posterior")
    gain = kernel_flow(
        ntk[:count, :count], np.eye(count), [steps], kernel_test=ntk[count:, :count], **descent
    ).test[0]
    return Law(
        mean=means[chosen][:, 0],
        deviation=np.sqrt(np.maximum(np.diag(covariances[chosen]), 0.0)),
        other_mean=means[1 - chosen][:, 0],
        remains=np.hstack([np.eye(len(test)), -gain]),
        prior=np.diag(blocks[2]),
        prior_at_data=float(np.trace(blocks[0]) / count),
    )
