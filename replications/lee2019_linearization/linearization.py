"""The start of networks and their linearizations, in closed form.

Networks are trained in float32; kernels at initialization and everything linear are float64.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from replications.lee2019_linearization.networks import Model, apply, kernels, network, weights
from replications.lee2019_linearization.setting import Problem
from widenets.ntk.dynamics import eigensystem, kernel_flow, linearized_outputs, mode_decay

STEP = 0.5  # learning rate in units of eta_critical


class Start(NamedTuple):
    """Networks before training and their kernels, first axis seeds, float64 but the weights.

    kernel: (seeds, N + M, N) empirical NTK between all points and the training points, or (...,
    O, O) with all outputs; outputs: (seeds, N + M, O); spectrum: (seeds, N O) ascending eigenvalues
    on the training points; rate: (seeds,) the learning rate.
    """

    params: tuple
    kernel: np.ndarray
    outputs: np.ndarray
    spectrum: np.ndarray
    rate: np.ndarray


@functools.cache
def before_training(model: Model, kind: str):
    """(params, x) -> (kernels, outputs) at x in the dtype of x, one seed after the other."""

    def measure(seed):
        params, x = seed
        params = jax.tree.map(lambda leaf: leaf.astype(x.dtype), params)
        return kernels(model, params, x, kind), apply(model)(params, x)

    return jax.jit(lambda params, x: jax.lax.map(measure, (params, x)))


def start(
    model: Model,
    problem: Problem,
    seeds: tuple[int, ...],
    *,
    kind: str = "trace",
    mean_field: bool = False,
) -> Start:
    """Draw the networks of all seeds; rate = STEP eta_critical of each one's own kernel.

    The paper's eta_critical is that of the limit kernel; taking the empirical one keeps narrow
    networks, whose largest eigenvalue fluctuates by tens of per cent, below it as well.
    """
    params = weights(model, problem.points.shape[2:], seeds, mean_field=mean_field)
    measured, outputs = before_training(model, kind)(params, problem.points)
    size = problem.train.shape[1]
    kernel = np.asarray(measured.ntk)[:, :, :size]
    train = kernel[:, :size]
    if kind == "full":
        size = train.shape[1] * train.shape[3]
        train = np.swapaxes(train, 2, 3).reshape(len(seeds), size, size)
    spectrum = np.linalg.eigvalsh(train)
    rate = STEP * critical_rate(spectrum)
    return Start(params, kernel, np.asarray(outputs), spectrum, rate)


def critical_rate(spectrum: np.ndarray) -> np.ndarray:
    """eta_critical = 2 / (l_min + l_max) of Theorem 2.1, (seeds,), of ascending eigenvalues."""
    return 2 / (spectrum[:, 0] + spectrum[:, -1])


def slowed(begin: Start, *kernels: np.ndarray) -> Start:
    """The same start, with rates of at most STEP eta_critical of these kernels (seeds, ., N) too.

    Without it the linear model of the limit kernel blows up beside every narrow network whose own
    largest eigenvalue is less than half of the limit's (one of 25 at width 128, five layers).
    """
    train = begin.spectrum.shape[1]
    limits = [STEP * critical_rate(np.linalg.eigvalsh(kernel[:, :train])) for kernel in kernels]
    return begin._replace(rate=np.min([begin.rate, *limits], axis=0))


def limit_kernels(activation: str, depth: int, points: np.ndarray):
    """Analytic (nngp, ntk) between all points of each seed, (seeds, N + M, N + M)."""
    net = network(Model(activation, depth, width=1))
    both = [net.kernel(x) for x in points]
    return tuple(np.stack([np.asarray(k) for k in kind]) for kind in zip(*both, strict=True))


def limit_distance(kernel, residual, times) -> np.ndarray:
    """|theta_t - theta_0| of the linear model of a kernel (seeds, N, N) after times (seeds,).

    |Theta^(-1/2) (1 - exp(-Theta t)) r| of residuals (seeds, N): by gradient flow, which has no
    largest step (that of a narrow network may be too long for the limit kernel).
    """
    values, vectors = np.linalg.eigh(kernel)
    parts = np.einsum("sik,si->sk", vectors, residual)
    gone = -np.expm1(-values * times[:, None])
    return np.sqrt(np.sum((gone * parts) ** 2 / values, axis=1))


def linear_outputs(kernel, outputs, targets, steps, rate) -> np.ndarray:
    """f_lin after each of `steps` of gradient descent on 1/2 sum r^2: (seeds, T, N + M).

    f_t = f_0 - Theta(., X) Theta^{-1} (1 - (1 - rate Theta)^t) (f_0 - y): the discrete form of
    equations 8-11, exact for descent (exponentials would add an error of the size of the step).
    """
    train = kernel.shape[-1]
    result = []
    for k, f, y, eta in zip(kernel, outputs, targets, rate, strict=True):
        flow = kernel_flow(
            eigensystem(k[:train]),
            y,
            steps,
            normalization="sum",
            learning_rate=eta,
            method="descent",
            initial=f[:train],
            kernel_test=k,
            initial_test=f,
        )
        result.append(flow.test[..., 0])
    return np.stack(result)


@functools.cache
def linear_descent(loss, momentum: float, steps: int):
    """(kernel, outputs, targets, rate) -> f_lin after `steps` of descent on any loss, all seeds."""

    def train(kernel, outputs, targets, rate):
        trained = linearized_outputs(
            kernel,
            outputs,
            targets,
            loss=loss,
            learning_rate=rate,
            record=[steps],
            momentum=momentum,
        )
        return trained.params

    return jax.jit(jax.vmap(train))


def dual_weights(begin: Start, problem: Problem, step: int) -> np.ndarray:
    """c with omega_t - omega_0 = -J(X)^T c: c = Theta^{-1} (1 - (1 - rate Theta)^t) (f_0 - y)."""
    train = problem.train.shape[1]
    result = []
    for kernel, outputs, y, rate in zip(
        begin.kernel, begin.outputs, problem.targets, begin.rate, strict=True
    ):
        system = eigensystem(kernel[:train])
        _, response = mode_decay(system.values, [step], rate, "descent")
        result.append(
            system.vectors @ (response[0][:, None] * (system.vectors.T @ (outputs[:train] - y)))
        )
    return np.stack(result)


@functools.cache
def compare_weights(model: Model):
    """(params_0, params_t, x, dual) -> correlation and relative error of the weights' changes."""
    outputs = apply(model)

    def compare(initial, params, x, dual):
        _, pull = jax.vjp(lambda p: outputs(p, x), initial)
        linear = jax.tree.map(jnp.negative, pull(dual)[0])
        moved = jax.tree.map(jnp.subtract, params, initial)
        a, b = (
            jnp.concatenate([jnp.ravel(layer["weight"]) for layer in tree["layers"][::2]])
            for tree in (moved, linear)
        )
        error = jnp.linalg.norm(a - b) / jnp.linalg.norm(b)
        shown = [tree["layers"][2]["weight"][:3, 0] for tree in (moved, linear)]
        return jnp.corrcoef(a, b)[0, 1], error, shown

    return jax.jit(jax.vmap(compare))
