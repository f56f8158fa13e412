"""Two-layer networks with a scale that freezes them, and what their frozen features can do.

    f(x) = alpha m^(-1/2) sum_i a_i phi(w_i . x / sqrt(d)),     descent at the rate eta / alpha^2

a_i and w_i start standard normal and come in pairs (w, a), (w, -a), so that f_0 = 0 (Chizat et al.
2019). In the time eta * steps descent on f_lin does not depend on alpha: 1 is the NTK's scaling,
.01 a rich network, 300 a lazy one. Training is in float32, kernels are in float64.

"Frozen features" are all that descent on f_lin reaches at any rate and any time, any ridge, any
read-out: every filter of the eigenvalues of the tangent kernel at the start, of its read-out's
part, and of the kernel of infinite width. The best on validation points is what is tested.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.architecture import fully_connected
from widenets.ntk.dynamics import gradient_descent, squared_error

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}
TIMES = 10.0 ** np.arange(-1.0, 5.1, 0.5)  # of gradient flow, in units of samples / mean diagonal
RIDGES = 10.0 ** np.arange(-6.0, 2.1, 0.5)  # in units of the mean diagonal
_LIMIT = fully_connected(depth=1, width=1)
VALIDATION = 500  # held-out points on which rates, times and ridges are chosen


class Task(NamedTuple):
    """Training and held-out points of one seed, inputs (P, d) and targets (P,), float64."""

    x: np.ndarray
    y: np.ndarray
    held_x: np.ndarray  # the first VALIDATION for choices, the others for tests
    held_y: np.ndarray


def with_bias(x: np.ndarray) -> np.ndarray:
    """The inputs and a constant coordinate sqrt(d): biases that start standard normal."""
    return np.concatenate([x, np.full((len(x), 1), np.sqrt(x.shape[1]))], axis=1)


def split(x: np.ndarray, y: np.ndarray, samples: int) -> Task:
    return Task(x[:samples], y[:samples], x[samples:], y[samples:])


def start(stream: np.random.Generator, dimension: int, width: int) -> dict[str, np.ndarray]:
    """w (d, m) and a (m,), float32, in pairs."""
    w = stream.standard_normal((dimension, width // 2))
    a = stream.standard_normal(width // 2)
    return {
        "w": np.float32(np.concatenate([w, w], axis=1)),
        "a": np.float32(np.concatenate([a, -a])),
    }


@functools.cache
def network(activation: str):
    """apply(params, x (P, d)) -> outputs (P,); params: w, a and the scale alpha."""
    phi = ACTIVATIONS[activation]

    def apply(params, x):
        dimension, width = params["w"].shape
        hidden = phi(x @ params["w"] / jnp.sqrt(jnp.asarray(dimension, x.dtype)))
        return params["scale"] * (hidden @ params["a"]) / jnp.sqrt(jnp.asarray(width, x.dtype))

    return apply


@functools.cache
def _watching(activation: str):
    apply = network(activation)
    return lambda params, _, x: apply(params, x)


class Trained(NamedTuple):
    """outputs (seeds, records, P) on held-out points, loss (seeds, records) = mean square / 2 on
    training points, w and a (seeds, ...) at the end."""

    outputs: np.ndarray
    loss: np.ndarray
    params: dict[str, np.ndarray]


def train(
    tasks: Sequence[Task],
    starts: Sequence[dict],
    *,
    scale: float,
    rate: float | np.ndarray,
    record: Sequence[int],
    activation: str = "relu",
) -> Trained:
    """Full-batch descent of one network per task at the rate eta / alpha^2; rate: eta."""
    seeds = len(tasks)
    params = {name: np.stack([of[name] for of in starts]) for name in starts[0]}
    params["scale"] = np.full(seeds, scale, np.float32)
    moving = np.float32(np.broadcast_to(np.asarray(rate), seeds) / scale**2)
    x, y, held = (np.float32(np.stack([task[k] for task in tasks])) for k in (0, 1, 2))
    found = gradient_descent(
        network(activation),
        params,
        x,
        y,
        loss=squared_error("mean"),
        learning_rate={"w": moving, "a": moving, "scale": np.zeros_like(moving)},
        record=record,
        observe=_watching(activation),
        context=held,
        seeds=True,
        shared_data=False,
    )
    return Trained(
        np.asarray(found.observed, float),
        np.asarray(found.loss, float),
        {name: np.asarray(found.params[name], float) for name in ("w", "a")},
    )


# -- kernels, alpha = 1 ---------------------------------------------------------------------------


def hidden(params: dict, x: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """phi(z) and phi'(z), (P, m), float64."""
    z = x @ np.asarray(params["w"], float) / np.sqrt(x.shape[1])
    if activation == "relu":
        return np.maximum(z, 0.0), (z > 0).astype(float)
    return np.tanh(z), 1 - np.tanh(z) ** 2


def kernels(params: dict, x1: np.ndarray, x2: np.ndarray, activation: str = "relu"):
    """(tangent kernel of both layers, that of the read-out alone), (P1, P2)."""
    (h1, g1), (h2, g2) = hidden(params, x1, activation), hidden(params, x2, activation)
    read_out = h1 @ h2.T / h1.shape[1]
    inner = (g1 * np.asarray(params["a"], float) ** 2) @ g2.T / h1.shape[1]
    return read_out + inner * (x1 @ x2.T) / x1.shape[1], read_out


def infinite_kernel(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """Theta of relu at infinite width, (P1, P2)."""
    return np.asarray(_LIMIT.kernel(x1, x2).ntk, float)


# -- the best of frozen features ------------------------------------------------------------------


def filtered(kernel: np.ndarray, held: np.ndarray, y: np.ndarray) -> Iterable[np.ndarray]:
    """Predictions (P,) on held-out points by every filter of a kernel (N, N) and held (P, N)."""
    values, vectors = np.linalg.eigh(kernel)
    values = np.maximum(values, 0.0)
    unit = values.mean()
    modes, across = vectors.T @ y, held @ vectors
    floor = 1e-12 * values[-1]
    for time in TIMES / unit:
        learned = -np.expm1(-values * time) / np.maximum(values, floor)
        yield across @ (np.where(values > floor, learned, time) * modes)
    for ridge in RIDGES * unit:
        yield across @ (modes / (values + ridge))


def best_frozen(pairs: Iterable[tuple[np.ndarray, np.ndarray]], task: Task) -> np.ndarray:
    """Predictions of the best of several kernels, as pairs (N, N), (P, N); chosen on validation."""
    every = (of for kernel, held in pairs for of in filtered(kernel, held, task.y))
    return best_of(every, task)


def best_of(predictions: Iterable[np.ndarray], task: Task) -> np.ndarray:
    """The prediction of least validation error."""
    return min(predictions, key=lambda of: np.mean((of - task.held_y)[:VALIDATION] ** 2))


def error_on_test(prediction: np.ndarray, task: Task) -> float:
    return float(np.mean((prediction - task.held_y)[VALIDATION:] ** 2))


def best_trained(outputs: np.ndarray, task: Task) -> np.ndarray:
    """Of outputs (records, P), those at the step of least validation error."""
    errors = np.mean((outputs - task.held_y)[:, :VALIDATION] ** 2, axis=1)
    if not np.isfinite(errors).any():
        raise ValueError("train: no recorded step has finite outputs; wanted a smaller rate")
    return outputs[np.nanargmin(errors)]


def frozen_of(params: dict, task: Task) -> np.ndarray:
    """The best of the features of a relu network at `params`: both layers, the read-out alone, and
    infinite width."""

    def pairs():
        own = kernels(params, task.x, task.x)
        yield from zip(own, kernels(params, task.held_x, task.x), strict=True)
        yield infinite_kernel(task.x, task.x), infinite_kernel(task.held_x, task.x)

    return best_frozen(pairs(), task)
