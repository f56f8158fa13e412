"""What frozen kernels learn: from zero, and as the linearization of a network at some epoch."""

import functools
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from replications.fort2020_kernel_learning.paths import Path, Run, path_of
from replications.fort2020_kernel_learning.setting import (
    EPOCHS,
    LOSS,
    MOMENTUM,
    at,
    error,
    kernels,
)
from widenets.ntk.dynamics.batches import stochastic_tangent_descent

RIDGE = 1e-3  # in units of the mean of the kernel's diagonal


class Frozen(NamedTuple):
    """Test errors (seeds,) with the kernel K_t of an epoch.

    kernel: K_t (K_t + ridge)^-1 y from zero, of the true labels whatever the arm was trained on:
    the features alone, without the head start of f_t. linear: f_t + J_t (theta - theta_t) goes on
    with the loss, the labels and the batches that the network has after that epoch, at rest first.
    values: of the latter at the test points at the end, (seeds, tests, 1).
    """

    kernel: np.ndarray
    linear: np.ndarray
    values: np.ndarray


@functools.lru_cache(maxsize=64)
def frozen(run: Run, epoch: int) -> Frozen:
    """What is learned with the kernel of an epoch."""
    path = path_of(run)
    task = path.task
    kernel = kernels(at(path.params, epoch), task.x, task.samples)
    regressed = _regressed(kernel, task.train[1])
    values = _linearized(path, kernel, epoch)
    labels = task.test[1]
    return Frozen(error(regressed, labels), error(values, labels), values)


@functools.lru_cache(maxsize=64)
def network(run: Run, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """(test errors (seeds,), values at the test points) of the network after an epoch."""
    path = path_of(run)
    values = path.values(epoch)[:, path.task.samples :]
    return error(values, path.task.test[1]), values


def _regressed(kernel, y: np.ndarray) -> np.ndarray:
    """Kernel ridge regression in float64 at the test points, (seeds, tests, 1)."""
    samples = kernel.shape[2]
    found = []
    for of_seed, labels in zip(np.asarray(kernel), np.asarray(y, float), strict=True):
        square = of_seed[:samples].astype(float)
        ridge = RIDGE * np.trace(square) / samples * np.eye(samples)
        found.append(of_seed[samples:] @ cho_solve(cho_factor(square + ridge, lower=True), labels))
    return np.stack(found)


def _linearized(path: Path, kernel, epoch: int) -> np.ndarray:
    """Outputs of the linearization at the test points at the end, (seeds, tests, 1).

    Epochs that are left come first, so that one compiled program has all of them; what it does
    beyond the end is not read.
    """
    found = stochastic_tangent_descent(
        kernel,
        path.values(epoch),
        path.labels,
        np.roll(path.batches, -epoch, axis=1),
        loss=LOSS,
        learning_rate=path.rate,
        momentum=MOMENTUM,
    )
    return np.asarray(found[:, EPOCHS - epoch, path.task.samples :])
