"""Measurements of Geiger et al. 2020: nets of width h at output scale alpha, s = sqrt(h) alpha.

Data are fixed per task as in the paper, so every interval is over initialisations. A seed has the
same initial weights at every scale (the paper compares scales of one net, and the crossover of a
seed is read off its own curve); nets of different width or depth are independent.
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from replications.geiger2020_scale_transition.flow import LARGEST_CHANGE, LOSS_LEVELS
from replications.geiger2020_scale_transition.network import (
    Model,
    add,
    apply,
    initial_weights,
    kernel,
    kernel_flow,
    preactivations,
    train,
    velocity,
)
from shared.ntk import data, random

TOLERANCE = 1e-2  # of the Euler steps; part `sanity` holds it against 1e-4
MAX_STEPS = 100_000
KERNEL_POINTS = 512  # the kernel is compared on the first so many training points
PCA = 10
SYNTHETIC = {"xnor10": (data.xnor, 10), "stripe20": (data.stripe, 20)}

MODELS = {
    "theory": Model(),
    "not_subtracted": Model(subtract=False),
    "readout_only": Model(train="readout"),
}
RELABELLED = {"alpha_times_root_h": 0.5, "alpha_over_root_h": -0.5}


class Task(NamedTuple):
    """x (P, d), y (P,) to train on; test points likewise; float64, rows of norm sqrt(d)."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray


class Run(NamedTuple):
    """One value per seed, first axis; NaN in every measure of a net that did not converge."""

    kernel_change: np.ndarray
    weight_change: np.ndarray
    weight_distance: np.ndarray
    final_time: np.ndarray
    times: np.ndarray  # (seeds, levels of the loss)
    outputs: np.ndarray  # F on the test points, (seeds, T)
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
    seeds,
    data_dir=None,
) -> Iterator[dict]:
    """Nets at one scale s = sqrt(h) alpha.

    The arms alpha_times_root_h and alpha_over_root_h show the theory's own nets with alpha
    relabelled, `copies` counts one net as an ensemble; in `data_draws` each seed has training
    points of its own (and the test points of all). Arms of the images are named after them.
    """
    reading = arm.removeprefix("fashion_")
    model = MODELS.get(reading, MODELS["theory"])
    split = (task, points, test_points, data_dir)
    measured = _run_on_own_data if arm == "data_draws" else _run
    run = measured(model, split, depth, width, s / np.sqrt(width), seeds)
    test_y = _task(*split).test_y
    variance = _variance_shares(run.outputs)
    ensemble = _ensemble_pseudo_values(run.outputs, test_y)
    for index, seed in enumerate(seeds):
        row = {
            "seed": seed,
            "alpha": s / np.sqrt(width) * width ** RELABELLED.get(reading, 0.0),
            "kernel_change": run.kernel_change[index],
            "weight_change": run.weight_change[index],
            "weight_distance": run.weight_distance[index],
            "t1": run.times[index, LOSS_LEVELS.index(0.5)],
            "final_time": run.final_time[index],
            "error": _error(run.outputs[index], test_y),
            "variance": variance[index],
            "ensemble_error": _error(run.outputs[index], test_y)
            if arm == "copies"
            else ensemble[index],
            "steps": run.steps[index],
        }
        yield row | {
            f"time_{level:g}": run.times[index, place] for place, level in enumerate(LOSS_LEVELS)
        }


def subtraction(
    *,
    arm: str,
    task: str,
    points: int,
    test_points: int,
    depth: int,
    width: int,
    s: float,
    seeds,
) -> Iterator[dict]:
    """F = alpha (f - f_0), arm `subtracted`, against F = alpha f, arm `not_subtracted`."""
    split = (task, points, test_points, None)
    model = Model(subtract=arm == "subtracted")
    run = _run(model, split, depth, width, s / np.sqrt(width), seeds)
    for index, seed in enumerate(seeds):
        yield {
            "seed": seed,
            "alpha": s / np.sqrt(width),
            "kernel_change": run.kernel_change[index],
            "error": _error(run.outputs[index], _task(*split).test_y),
        }


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
    data_dir=None,
) -> Iterator[dict]:
    """As `scan`, for arms that name a window of s and a depth: exponents in s at fixed width."""
    found = scan(
        arm=model,
        task=task,
        points=points,
        test_points=test_points,
        depth=depth,
        width=width,
        s=s,
        seeds=seeds,
        data_dir=data_dir,
    )
    wanted = ("seed", "kernel_change", "weight_change", "t1", "error")
    for row in found:
        yield {key: row[key] for key in wanted}


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
    seeds,
) -> Iterator[dict]:
    """One measure against width while `hold` (alpha or s) is held at the value `at`."""
    if hold not in ("alpha", "s"):
        raise ValueError(f"hold must be alpha or s, found {hold!r}")
    alpha = at if hold == "alpha" else at / np.sqrt(width)
    run = _run(MODELS["theory"], (task, points, test_points, None), depth, width, alpha, seeds)
    for seed, value in zip(seeds, getattr(run, measure), strict=True):
        yield {"seed": seed, "value": value, "scale": alpha * np.sqrt(width)}


def frozen(
    *, arm: str, task: str, points: int, test_points: int, depth: int, width: int, s: float, seeds
) -> Iterator[dict]:
    """The network against flows whose kernel is frozen at its initial and at its final value.

    `deviation` is |F - F_kernel| / |F| on the test points and `excess_error` the error of the
    kernel minus that of the net; arms `final_kernel` take the kernel after training.
    """
    split = _task(task, points, test_points, None)
    weights = initial_weights(seeds, depth, width, split.x.shape[1])
    when = "final" if arm == "final_kernel" else "initial"
    outputs, kernel_outputs = _frozen(
        MODELS["theory"], when, weights, *map(jnp.asarray, split[:3]), s / np.sqrt(width)
    )
    for index, seed in enumerate(seeds):
        net, held = np.asarray(outputs[index]), np.asarray(kernel_outputs[index])
        yield {
            "seed": seed,
            "deviation": float(np.linalg.norm(net - held) / np.linalg.norm(net)),
            "excess_error": _error(held, split.test_y) - _error(net, split.test_y),
            "error": _error(net, split.test_y),
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
    split = (task, points, test_points, None)
    alpha = s / np.sqrt(width)
    coarse = _run(MODELS["theory"], split, depth, width, alpha, seeds, tolerance, largest_change)
    fine = _run(MODELS["theory"], split, depth, width, alpha, seeds, reference)
    for index, seed in enumerate(seeds):
        kernels = np.log(coarse.kernel_change[index] / fine.kernel_change[index])
        moved = np.linalg.norm(coarse.outputs[index] - fine.outputs[index])
        yield {
            "seed": seed,
            "kernel_shift": abs(float(kernels)),
            "output_shift": float(moved / np.linalg.norm(fine.outputs[index])),
            "steps": coarse.steps[index],
            "steps_reference": fine.steps[index],
        }


def speed(
    *, arm: str, task: str, points: int, depth: int, width: int, alpha_exponent: float, seeds
) -> Iterator[dict]:
    """Root mean square of dz_l/dt at t = 0 over units and data, alpha = h^alpha_exponent."""
    split = _task(task, points, 1, None)
    weights = initial_weights(seeds, depth, width, split.x.shape[1])
    alpha = float(width) ** alpha_exponent
    speeds = np.asarray(
        _preactivation_speeds(MODELS["theory"], weights, *map(jnp.asarray, split[:2]), alpha)
    )
    for index, seed in enumerate(seeds):
        for layer in range(depth):
            yield {"seed": seed, "layer": layer + 1, "speed": speeds[index, layer]}


# Data


@functools.cache
def _task(name: str, points: int, test_points: int, data_dir, draw: int = 0) -> Task:
    """The data of a task, rows scaled to norm sqrt(d); `draw` numbers its training points."""
    if name in SYNTHETIC:
        make, dimension = SYNTHETIC[name]
        train, y = make(random.generator(draw, "geiger2020", name, "train"), points, dimension)
        test, test_y = make(random.generator(0, "geiger2020", name, "test"), test_points, dimension)
        targets = np.concatenate([y, test_y])
    else:
        generator = random.generator(0, "geiger2020", name)
        train, test, targets = _images(name, points, test_points, data_dir, generator)
    norm = np.sqrt(train.shape[1])
    train, test = data.normalize_rows(train, norm), data.normalize_rows(test, norm)
    return Task(train, targets[:points], test, targets[points:])


def _images(name, points, test_points, data_dir, generator):
    """Images by parity of their class: pixels centred by the training mean, or 10 components."""
    source, _, form = name.partition("_")
    if source == "digits":
        images, labels = data.digits()
        order = generator.permutation(len(labels))
        images, labels = images[order], labels[order]
        both = [(images[:points], labels[:points]), (images[points:], labels[points:])]
    elif source in ("mnist", "fashion"):
        load = data.mnist if source == "mnist" else data.fashion_mnist
        counts = (("train", points), ("test", test_points))
        both = [load(split, data_dir=data_dir, count=count) for split, count in counts]
    else:
        raise ValueError(f"task: found {name!r}, wanted xnor, stripe, digits, mnist or fashion")
    (x, y), (test_x, test_y) = both
    x, test_x = data.flatten_images(x[:points]), data.flatten_images(test_x[:test_points])
    if form == "pca":
        x, test_x = data.principal_components(x, PCA, test_x)
    else:
        mean = x.mean(axis=0)
        x, test_x = x - mean, test_x - mean
    labels = np.concatenate([y[:points], test_y[:test_points]])
    return x, test_x, data.parity(labels)


# Training


@functools.lru_cache(maxsize=512)
def _run(
    model, split, depth, width, alpha, seeds, tolerance=TOLERANCE, largest_change=LARGEST_CHANGE
) -> Run:
    task = _task(*split)
    weights = initial_weights(seeds, depth, width, task.x.shape[1])
    arrays = map(jnp.asarray, task[:3])
    control = (tolerance, largest_change)
    return Run(*map(np.asarray, _train_and_measure(model, weights, *arrays, alpha, *control)))


def _run_on_own_data(model, split, depth, width, alpha, seeds) -> Run:
    """As `_run`, each seed with training points of its own."""
    found = []
    for seed in seeds:
        task = _task(*split, draw=seed + 1)
        weights = initial_weights((seed,), depth, width, task.x.shape[1])
        arrays = map(jnp.asarray, task[:3])
        control = (TOLERANCE, LARGEST_CHANGE)
        found.append(_train_and_measure(model, weights, *arrays, alpha, *control))
    return Run(*(np.concatenate(values) for values in zip(*found, strict=True)))


@functools.partial(jax.jit, static_argnums=0)
def _train_and_measure(model, weights, x, y, test_x, alpha, tolerance, largest_change) -> Run:
    control = {"tolerance": tolerance, "max_steps": MAX_STEPS, "largest_change": largest_change}
    points = x[:KERNEL_POINTS]

    def one(start):
        end = train(model, start, x, y, alpha, **control)
        # A map over both moments compiles the kernel and the test outputs once.
        both = jax.tree.map(lambda w, u: jnp.stack([w, w + u]), start, end.state)
        kernels, f = jax.lax.map(lambda w: (kernel(model, w, points), apply(w, test_x)), both)
        found = Run(
            kernel_change=_norm(kernels[1] - kernels[0]) / _norm(kernels[0]),
            weight_change=_norm(end.state) / _norm(start),
            weight_distance=_norm(end.state),
            final_time=end.time,
            times=end.times,
            outputs=alpha * (f[1] - f[0] if model.subtract else f[1]),
            steps=end.steps.astype(x.dtype),
        )
        return jax.tree.map(lambda a: jnp.where(end.converged, a, jnp.nan), found)

    # One net after the other: their adaptive steps differ, and a batch would wait for the slowest.
    return jax.lax.map(one, weights)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _frozen(model, when, weights, x, y, test_x, alpha):
    everything = jnp.concatenate([x, test_x])

    def one(start):
        end = train(model, start, x, y, alpha, tolerance=TOLERANCE, max_steps=MAX_STEPS)
        final = add(start, end.state)
        held = kernel(model, final if when == "final" else start, everything, x)
        outputs = alpha * (apply(final, test_x) - apply(start, test_x))
        flowed = kernel_flow(held, y, tolerance=TOLERANCE, max_steps=MAX_STEPS)
        good = end.converged & flowed.converged
        return jnp.where(good, outputs, jnp.nan), flowed.state[x.shape[0] :]

    return jax.lax.map(one, weights)


@functools.partial(jax.jit, static_argnums=0)
def _preactivation_speeds(model, weights, x, y, alpha):
    def one(start):
        zero = jax.tree.map(jnp.zeros_like, start)
        _, direction = velocity(model, start, x, y, alpha)(zero)
        _, moved = jax.jvp(lambda w: preactivations(w, x), (start,), (direction,))
        return jnp.stack([jnp.sqrt(jnp.mean(z**2)) for z in moved])

    return jax.lax.map(one, weights)


def _norm(tree):
    return jnp.sqrt(sum(jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(tree)))


# From outputs to rows


def _error(outputs, targets) -> float:
    """Share of wrong signs; NaN for a net that did not converge."""
    return float(np.mean(outputs * targets <= 0)) if np.isfinite(outputs).all() else np.nan


def _variance_shares(outputs) -> np.ndarray:
    """Each seed's share of Var F: their mean over seeds is the unbiased variance."""
    count = len(outputs)
    deviations = np.mean((outputs - outputs.mean(axis=0)) ** 2, axis=1)
    return deviations * count / max(count - 1, 1)


def _ensemble_pseudo_values(outputs, targets) -> np.ndarray:
    """Jackknife pseudo-values of the error of the averaged F: n e - (n - 1) e_without."""
    count = len(outputs)
    if count == 1:
        return np.full(1, np.nan)
    whole = _error(outputs.mean(axis=0), targets)
    total = outputs.sum(axis=0)
    without = np.array([_error((total - one) / (count - 1), targets) for one in outputs])
    return count * whole - (count - 1) * without
