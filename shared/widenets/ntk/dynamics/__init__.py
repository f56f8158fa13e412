"""Training: in closed form for a fixed kernel (`flow`), of networks (`training`), of their tangent
(`tangent`); and the evidence of a Gaussian process (`likelihood`)."""

from widenets.ntk.dynamics.flow import (
    Eigensystem,
    Ensemble,
    Flow,
    Method,
    Normalization,
    Posterior,
    coupled_matrix,
    critical_learning_rate,
    eigensystem,
    ensemble_flow,
    gaussian_process_posterior,
    kernel_flow,
    loss_curve,
    loss_divisor,
    mode_decay,
)
from widenets.ntk.dynamics.likelihood import log_marginal_likelihood
from widenets.ntk.dynamics.tangent import linearize, linearized, linearized_outputs
from widenets.ntk.dynamics.training import (
    Loss,
    Params,
    Trajectory,
    cross_entropy,
    descend,
    gradient_descent,
    logistic,
    squared_error,
)

__all__ = [
    "Eigensystem", "Ensemble", "Flow", "Loss", "Method", "Normalization", "Params", "Posterior",
    "Trajectory", "coupled_matrix", "critical_learning_rate", "cross_entropy", "descend",
    "eigensystem", "ensemble_flow", "gaussian_process_posterior", "gradient_descent", "kernel_flow",
    "linearize", "linearized", "linearized_outputs", "log_marginal_likelihood", "logistic",
    "loss_curve", "loss_divisor", "mode_decay", "squared_error",
]  # fmt: skip
