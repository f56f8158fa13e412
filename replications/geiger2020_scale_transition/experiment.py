"""Measurements of Geiger et al. 2020: nets of width h at output scale alpha, s = sqrt(h) alpha.

A seed draws data and initial weights, the same at every scale (the paper compares scales of one
net, and the crossover of a seed is read off its own curve). In part `scan`, which is on the average
over initialisations and their variance, all seeds share the data of the first one, as in the paper:
its intervals are over initialisations. A seed can stand for several independent `nets`: narrow ones
fluctuate more, Var F ~ 1/h, and cost less. With one hidden layer nets of different width share
neurons (`initial_weights`), so that widths are compared without the noise that they have in common;
with more layers they are independent.
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from replications.geiger2020_scale_transition.flow import (
    LARGEST_CHANGE,
    LOSS_LEVELS,
)
from replications.geiger2020_scale_transition.network import (
    RELU,
    Model,
    apply,
    initial_weights,
    kernel,
    kernel_flow,
    moved,
    preactivations,
    train,
    velocity,
)
from replications.geiger2020_scale_transition.tasks import Split, task_of

TOLERANCE = 1e-2  # of the Euler steps; part `sanity` holds it against 1e-4
CONTROL = (TOLERANCE, LARGEST_CHANGE)
MAX_STEPS = 100_000
KERNEL_POINTS = 512  # the kernel is compared on the first so many training points

# Parts whose arms share draws, and why.
PAIRED = {
    "scan": "arms relabel alpha of the same nets, or train the same start otherwise",
    "speed": "the same nets at another alpha",
    "slopes": "windows of s and depths of the same seed, on its data",
    "sanity": "one net under several controls of the steps",
    "frozen": "one net at two scales, and its kernel before and after training",
}
MODELS = {
    "not_subtracted": Model(subtract=0.0),
    "readout_only": Model(hidden=0.0),
    "relu": RELU,
    "bias": Model(bias=True),
    "bias_alpha_times_root_h": Model(bias=True),
}


class Start(NamedTuple):
    """A net, its kernel (on at most KERNEL_POINTS points) and f on the test points."""

    weights: tuple
    kernel: np.ndarray
    f: np.ndarray


class Run(NamedTuple):
    """One value per net, first axis; NaN in every measure of a net that did not converge."""

    kernel_change: np.ndarray
    weight_change: np.ndarray
    weight_distance: np.ndarray
    final_time: np.ndarray
    times: np.ndarray  # (nets, levels of the loss)
    outputs: np.ndarray  # F on the test points, (nets, T)
    steps: np.ndarray


def scan(
    *,
    arm: str,
    task: str,
    points: int,
    test_points: int,
    depth: int,
    width: int,
    s: float,
    nets: int = 1,
    seeds,
    data_dir=None,
) -> Iterator[dict]:
    """Nets at one scale s = sqrt(h) alpha, a row for each of the `nets` of a seed.

    The data are those of the first seed. Arms that end in alpha_times_root_h or alpha_over_root_h
    show the same nets as without with alpha relabelled, `copies` counts one net as an ensemble; in
    `data_draws` each seed has training points of its own (and the test points of all). Arms of the
    images are named after them.
    """
    alpha = s / np.sqrt(width)
    own = arm == "data_draws"
    splits = tuple(
        Split(task, points, test_points, data_dir, seed if own else seeds[0], seeds[0])
        for seed in seeds
    )
    run = _run(MODELS.get(arm, Model()), splits, depth, width, alpha, seeds, nets)
    power = arm.endswith("alpha_times_root_h") / 2 - arm.endswith("alpha_over_root_h") / 2
    test_y, of_seeds = task_of(splits[0]).test_y, run.outputs.reshape(len(seeds), nets, -1)
    variance = _variance_shares(run.outputs)
    ensembles = {
        "ensemble_error": _of_average(of_seeds, lambda outputs: _error(outputs, test_y)),
        "ensemble_loss": _of_average(of_seeds, lambda outputs: _loss(outputs, test_y)),
    }
    for index, row in enumerate(_single(run, splits, alpha * width**power, seeds, nets)):
        average = {name: values[index // nets] for name, values in ensembles.items()}
        if arm == "copies":
            average = {f"ensemble_{name}": row[name] for name in ("error", "loss")}
        yield row | average | {"variance": variance[index]}


def _single(run, splits, alpha, seeds, nets=1) -> Iterator[dict]:
    """What is measured of each net by itself."""
    for index, outputs in enumerate(run.outputs):
        test_y = task_of(splits[index // nets]).test_y
        row = {
            "seed": seeds[index // nets],
            "alpha": alpha,
            "kernel_change": run.kernel_change[index],
            "weight_change": run.weight_change[index],
            "weight_distance": run.weight_distance[index],
            "t1": run.times[index, LOSS_LEVELS.index(0.5)],
            "final_time": run.final_time[index],
            "steps": run.steps[index],
            "error": _error(outputs, test_y),
            "loss": _loss(outputs, test_y),
        }
        levels = zip(LOSS_LEVELS, run.times[index], strict=True)
        yield row | {f"time_{level:g}": time for level, time in levels}


def subtraction(
    *, arm: str, task: str, points: int, test_points: int, depth: int, width: int, s: float, seeds
) -> Iterator[dict]:
    """F = alpha (f - f_0), arm `subtracted`, against F = alpha f, arm `not_subtracted`."""
    splits, alpha = _splits(task, points, test_points, seeds), s / np.sqrt(width)
    run = _run(MODELS.get(arm, Model()), splits, depth, width, alpha, seeds)
    yield from _single(run, splits, alpha, seeds)


def slopes(
    *,
    arm: str,
    task: str,
    points: int,
    test_points: int,
    depth: int,
    width: int,
    s: float,
    model: str,
    seeds,
) -> Iterator[dict]:
    """Arms that name a window of s and a depth: exponents in s at fixed width."""
    splits, alpha = _splits(task, points, test_points, seeds), s / np.sqrt(width)
    run = _run(MODELS.get(model, Model()), splits, depth, width, alpha, seeds)
    for row in _single(run, splits, alpha, seeds):
        yield row | {"inverse_s": 1 / s}


def widths(
    *,
    arm: str,
    task: str,
    points: int,
    test_points: int,
    depth: int,
    width: int,
    hold: str,
    at: float,
    measure: str,
    nets: int,
    seeds,
) -> Iterator[dict]:
    """One measure against width while `hold` (alpha or s) is held at the value `at`.

    `value` is the geometric mean over the `nets` of a seed.
    """
    if hold not in ("alpha", "s"):
        raise ValueError(f"hold must be alpha or s, found {hold!r}")
    alpha = at if hold == "alpha" else at / np.sqrt(width)
    splits = _splits(task, points, test_points, seeds)
    run = _run(Model(), splits, depth, width, alpha, seeds, nets)
    logarithms = np.log(getattr(run, measure)).reshape(len(seeds), nets)
    for seed, value in zip(seeds, np.exp(logarithms.mean(axis=1)), strict=True):
        yield {"seed": seed, "value": value, "scale": alpha * np.sqrt(width)}


def frozen(
    *, arm: str, task: str, points: int, test_points: int, depth: int, width: int, s: float, seeds
) -> Iterator[dict]:
    """The network against flows whose kernel is frozen at its initial and at its final value.

    `deviation` is |F - F_kernel| / |F| on the test points, `excess_error` the error of the kernel
    minus that of the net and `time_ratio` the net's t1 over the kernel's; arms `final_kernel` take
    the kernel after training.
    """
    splits, alpha = _splits(task, points, test_points, seeds), s / np.sqrt(width)
    run = _run(Model(), splits, depth, width, alpha, seeds)
    half = LOSS_LEVELS.index(0.5)
    for net, times, seed, split in zip(run.outputs, run.times, seeds, splits, strict=True):
        x, y, test_x, test_y = task_of(split)
        weights = _start(Model(), split, depth, width, seed).weights
        if arm == "final_kernel":
            weights = _train(Model(), weights, x, y, alpha, *CONTROL)[1]
        held, held_times = map(np.asarray, _frozen_flow(weights, x, y, test_x))
        yield {
            "seed": seed,
            "deviation": float(np.linalg.norm(net - held) / np.linalg.norm(net)),
            "time_ratio": float(times[half] / held_times[half]),
            "excess_error": _error(held, test_y) - _error(net, test_y),
            "error": _error(net, test_y),
        }


def early(
    *, arm: str, task: str, points: int, depth: int, width: int, s: float, share: float, seeds
) -> Iterator[dict]:
    """Change of the kernel at `share` of the time t1 at which the loss is halved.

    The last step ends up to a tenth of the time too late, as steps grow by a tenth at most.
    """
    alpha = s / np.sqrt(width)
    for seed, split in zip(seeds, _splits(task, points, 1, seeds), strict=True):
        x, y, *_ = task_of(split)
        start = _start(Model(), split, depth, width, seed)
        whole, _ = _train(Model(), start.weights, x, y, alpha, *CONTROL)
        t1 = whole.times[LOSS_LEVELS.index(0.5)]
        _, weights = _train(Model(), start.weights, x, y, alpha, *CONTROL, share * t1)
        change = np.asarray(_kernel(Model(), weights, x)) - start.kernel
        yield {
            "seed": seed,
            "kernel_change": float(np.linalg.norm(change) / np.linalg.norm(start.kernel)),
            "t1": float(t1),
        }


def sanity(
    *,
    arm: str,
    task: str,
    points: int,
    test_points: int,
    depth: int,
    width: int,
    s: float,
    tolerance: float,
    largest_change: float,
    reference: float,
    seeds,
) -> Iterator[dict]:
    """How far a coarser control of the Euler steps moves the answer of the finer one."""
    splits = _splits(task, points, test_points, seeds)
    net = (Model(), splits, depth, width, s / np.sqrt(width), seeds)
    coarse = _run(*net, control=(tolerance, largest_change))
    fine = _run(*net, control=(reference, LARGEST_CHANGE))
    for index, seed in enumerate(seeds):
        kernels = np.log(coarse.kernel_change[index] / fine.kernel_change[index])
        shift = np.linalg.norm(coarse.outputs[index] - fine.outputs[index])
        yield {
            "seed": seed,
            "kernel_shift": abs(float(kernels)),
            "output_shift": float(shift / np.linalg.norm(fine.outputs[index])),
            "steps": coarse.steps[index],
            "steps_reference": fine.steps[index],
        }


def speed(
    *, arm: str, task: str, points: int, depth: int, width: int, alpha_exponent: float, seeds
) -> Iterator[dict]:
    """Root mean square of dz_l/dt at t = 0 over units and data, alpha = h^alpha_exponent."""
    for seed, split in zip(seeds, _splits(task, points, 1, seeds), strict=True):
        x, y, *_ = task_of(split)
        weights = _weights(seed, depth, width, x.shape[1])
        speeds = np.asarray(_preactivation_speeds(weights, x, y, float(width) ** alpha_exponent))
        for layer, of_layer in enumerate(speeds, start=1):
            yield {"seed": seed, "layer": layer, "speed": of_layer}


# Training: one net after the other, since their adaptive steps differ; one compile per shape


def _splits(task: str, points: int, test_points: int, seeds) -> tuple[Split, ...]:
    """Points of its own for each seed."""
    return tuple(Split(task, points, test_points, None, seed, seed) for seed in seeds)


_weights = functools.lru_cache(maxsize=64)(initial_weights)


@functools.lru_cache(maxsize=64)
def _run(model, splits, depth, width, alpha, seeds, nets=1, *, control=CONTROL) -> Run:
    """All nets of all seeds, a seed each with its data."""
    found = []
    for seed, split in zip(seeds, splits, strict=True):
        for net in range(nets):
            start = _start(model, split, depth, width, seed, net)
            found.append(_trained(model, start, task_of(split), alpha, control))
    return Run(*map(np.stack, zip(*found, strict=True)))


@functools.lru_cache(maxsize=256)
def _start(model, split, depth, width, seed, net=0) -> Start:
    task = task_of(split)
    weights = initial_weights(seed, depth, width, task.x.shape[1], net=net, bias=model.bias)
    return _state(model, weights, task)


def _state(model, weights, task) -> Start:
    kernels = _kernel(model, weights, task.x[:KERNEL_POINTS])
    return Start(weights, np.asarray(kernels), np.asarray(_apply(model, weights, task.test_x)))


def _trained(model, start, task, alpha, control) -> Run:
    end, weights = _train(model, start.weights, task.x, task.y, alpha, *control)
    final = _state(model, weights, task)
    distance = np.linalg.norm(end.state)
    norm = np.sqrt(sum(np.sum(leaf**2) for leaf in jax.tree.leaves(start.weights)))
    found = Run(
        kernel_change=np.linalg.norm(final.kernel - start.kernel) / np.linalg.norm(start.kernel),
        weight_change=distance / norm,
        weight_distance=distance,
        final_time=np.asarray(end.time),
        times=np.asarray(end.times),
        outputs=alpha * (final.f - model.subtract * start.f),
        steps=np.asarray(end.steps, float),
    )
    return found if end.converged else Run(*(np.full(np.shape(a), np.nan) for a in found))


@jax.jit
def _train(model, weights, x, y, alpha, tolerance, largest_change, end_time=np.inf):
    """The end of training (`Flowed`) and the weights there."""
    end = train(
        model,
        weights,
        x,
        y,
        alpha,
        tolerance=tolerance,
        max_steps=MAX_STEPS,
        largest_change=largest_change,
        end_time=end_time,
    )
    return end, moved(weights, end.state)


_kernel, _apply = jax.jit(kernel), jax.jit(apply)


@jax.jit
def _frozen_flow(weights, x, y, test_x):
    """F on the test points of the flow whose kernel is held at that of the weights, and its times
    of passage."""
    held = kernel(Model(), weights, jnp.concatenate([x, test_x]), x)
    flowed = kernel_flow(held, y, tolerance=TOLERANCE, max_steps=MAX_STEPS)
    return jnp.where(flowed.converged, flowed.state[x.shape[0] :], jnp.nan), flowed.times


@jax.jit
def _preactivation_speeds(weights, x, y, alpha):
    """(L,) root mean squares of dz_l/dt."""
    rest = jnp.zeros_like(ravel_pytree(weights)[0])
    _, direction = velocity(Model(), weights, x, y, alpha)(rest)
    z_of = lambda u: preactivations(Model(), moved(weights, u), x)  # noqa: E731
    _, along = jax.jvp(z_of, (rest,), (direction,))
    return jnp.stack([jnp.sqrt(jnp.mean(z**2)) for z in along])


# From outputs to rows


def _error(outputs, targets) -> float:
    """Share of wrong signs; NaN for a net that did not converge."""
    return float(np.mean(outputs * targets <= 0)) if np.isfinite(outputs).all() else np.nan


def _loss(outputs, targets) -> float:
    """Mean hinge max(0, 1 - y F), the limit of infinite sharpness of the loss trained with."""
    return float(np.maximum(0.0, 1 - outputs * targets).mean())


def _variance_shares(outputs) -> np.ndarray:
    """Each net's share of Var F: their mean over all nets is the unbiased variance."""
    count = len(outputs)
    deviations = np.mean((outputs - outputs.mean(axis=0)) ** 2, axis=1)
    return deviations * count / max(count - 1, 1)


def _of_average(outputs, measure) -> np.ndarray:
    """Jackknife pseudo-values n m - (n - 1) m_without of a measure of the average F of all nets,
    one for each seed; outputs (seeds, nets, T)."""
    count, of_seeds = len(outputs), outputs.mean(axis=1)
    if count == 1:
        return np.full(1, np.nan)
    whole, total = measure(of_seeds.mean(axis=0)), of_seeds.sum(axis=0)
    without = np.array([measure((total - one) / (count - 1)) for one in of_seeds])
    return count * whole - (count - 1) * without
