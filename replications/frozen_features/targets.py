"""Targets that few samples tell: a direction, a staircase, a task that resembles another one.

No predictor in the span of n fixed functions explains on average more than n / N of a target drawn
uniformly from an irreducible family of dimension N, whatever the functions, ridge, rate or width:
the projections of the family's functions onto the span have squares that sum to n at most. So

    E error >= 1 - n / N

for every frozen model, also one that was told the family. Degree-2 harmonics on the sphere:
N = d (d + 1) / 2 - 1; products of k signs: N = C(d, k).
"""

from collections.abc import Iterator
from math import comb

import numpy as np

from replications.frozen_features.two_layer import (
    VALIDATION,
    Task,
    best_frozen,
    best_of,
    best_trained,
    error_on_test,
    frozen_of,
    kernels,
    split,
    start,
    train,
    with_bias,
)
from widenets.ntk.data import sphere
from widenets.ntk.random import generator

WIDTH, HELD = 128, 2000
RICH, RATE, STEPS = 0.01, 0.1, 1500
LAZY = 300.0
RECORD = np.unique(np.geomspace(1, STEPS, 24).round().astype(int))


def harmonics(dimension: int) -> int:
    """Dimension of the degree-2 harmonics."""
    return dimension * (dimension + 1) // 2 - 1


def second_harmonic(inner: np.ndarray, dimension: int) -> np.ndarray:
    """(z^2 - 1) over its standard deviation, z = u . x for x uniform on the sphere of sqrt(d)."""
    return (inner**2 - 1) / np.sqrt(2 * (dimension - 1) / (dimension + 2))


def direction(stream, dimension: int, samples: int, stretch: float = 1.0, along: bool = True):
    """A degree-2 harmonic of a random direction; inputs stretched along or across it.

    Returns the task with biases, and the inputs as they were, in which the kernel of degree 2 is.
    """
    x = sphere(stream, samples + HELD, dimension, np.sqrt(dimension))
    basis = np.linalg.qr(stream.standard_normal((dimension, 2)))[0].T
    y = second_harmonic(x @ basis[0], dimension)
    way = basis[0] if along else basis[1]
    seen = x + (stretch - 1) * np.outer(x @ way, way)
    return split(with_bias(seen), y, samples), split(x, y, samples)


def told(task: Task, dimension: int) -> np.ndarray:
    """Prediction of the kernel of degree 2, which was told the family."""

    def kernel(x1, x2):
        return (x1 @ x2.T / dimension) ** 2 - 1 / dimension

    pair = kernel(task.x, task.x), kernel(task.held_x, task.x)
    return best_frozen([pair], task)


def direction_rows(
    arm: str, dimension: int, samples: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Error on test points and the bound; see `experiment.direction`."""
    streams = [generator(seed, "direction", dimension, samples) for seed in seeds]
    made = [direction(stream, dimension, samples) for stream in streams]
    tasks, plain = [pair[0] for pair in made], [pair[1] for pair in made]
    starts = [start(stream, dimension + 1, WIDTH) for stream in streams]
    if arm == "told":
        found = [told(task, dimension) for task in plain]
    else:
        found = _predicted(arm, tasks, starts)
    bound = max(0.0, 1 - samples / harmonics(dimension))
    for seed, task, prediction in zip(seeds, tasks, found, strict=True):
        error = error_on_test(prediction, task)
        yield {"seed": seed, "error": error, "bound": bound, "over": error - bound}


def _predicted(arm: str, tasks: list[Task], starts: list[dict]) -> list[np.ndarray]:
    """Of trained networks at the best step, rich or lazy, or of the best frozen features."""
    if arm == "frozen":
        return [frozen_of(params, task) for params, task in zip(starts, tasks, strict=True)]
    scale, rate = (LAZY, 10 * RATE) if arm == "lazy" else (RICH, RATE)
    outputs = train(tasks, starts, scale=scale, rate=rate, record=RECORD).outputs
    return [best_trained(of, task) for of, task in zip(outputs, tasks, strict=True)]


def stretch_rows(
    arm: str, dimension: int, samples: int, stretch: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Errors of the network and of the best frozen features; see `experiment.stretch`."""
    streams = [generator(seed, "stretch", dimension, samples) for seed in seeds]
    tasks = [
        direction(stream, dimension, samples, stretch, along=arm == "theory")[0]
        for stream in streams
    ]
    starts = [start(stream, dimension + 1, WIDTH) for stream in streams]
    size = np.sqrt(np.mean([np.mean(task.x**2) for task in tasks]))  # what the rate must allow for
    outputs = train(tasks, starts, scale=RICH, rate=RATE / size**4, record=RECORD).outputs
    for seed, task, of, params in zip(seeds, tasks, outputs, starts, strict=True):
        network = error_on_test(best_trained(of, task), task)
        frozen = error_on_test(frozen_of(params, task), task)
        yield {"seed": seed, "network": network, "frozen": frozen, "gap": frozen - network}


# -- staircases and parities ----------------------------------------------------------------------


def stairs(stream, dimension: int, samples: int, parity: bool) -> tuple[Task, np.ndarray]:
    """(x1 + x1 x2 + x1 x2 x3) / sqrt(3), or x1 x2 x3 alone, of coordinates chosen by the seed; and
    the product of the three on the held-out points. In the staircase each coordinate has a sign of
    its own: without signs its degrees, which share coordinates, are correlated."""
    x = stream.choice([-1.0, 1.0], (samples + HELD, dimension))
    chosen = stream.permutation(dimension)[:3]
    signs = np.ones(3) if parity else stream.choice([-1.0, 1.0], 3)
    one, two, three = (sign * x[:, k] for sign, k in zip(signs, chosen, strict=True))
    triple = one * two * three
    y = triple if parity else (one + one * two + triple) / np.sqrt(3)
    return split(with_bias(x), y, samples), triple[samples:]


def stairs_bound(dimension: int, samples: int, parity: bool) -> float:
    """Least error of n fixed functions on average over the coordinates and their signs: the n go to
    the families in which each explains most."""
    sizes = [comb(dimension, 3)] if parity else [comb(dimension, k) for k in (1, 2, 3)]
    left, explained = samples, 0.0
    for size in sizes:  # small families first: a function explains 1 / size of its own
        explained += min(left, size) / size / len(sizes)
        left = max(0, left - size)
    return 1 - explained


def stairs_rows(arm: str, dimension: int, samples: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Coefficient of the triple over the true one, error, bound; see `experiment.stairs`."""
    parity = arm.startswith("parity")
    streams = [generator(seed, "stairs", dimension, samples, parity) for seed in seeds]
    made = [stairs(stream, dimension, samples, parity) for stream in streams]
    tasks = [task for task, _ in made]
    starts = [start(stream, dimension + 1, WIDTH) for stream in streams]
    found = _predicted("frozen" if arm.endswith("frozen") else arm, tasks, starts)
    bound = stairs_bound(dimension, samples, parity)
    true = 1.0 if parity else 1 / np.sqrt(3)
    for seed, (task, triple), prediction in zip(seeds, made, found, strict=True):
        error = error_on_test(prediction, task)
        coefficient = np.mean((prediction * triple)[VALIDATION:]) / true
        yield {"seed": seed, "triple": coefficient, "error": error, "over": error - bound}


# -- what a task leaves for another one -----------------------------------------------------------

FIRST_SAMPLES, SECOND_DIMENSION = 800, 20


def transfer_rows(arm: str, samples: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Errors on a second task with few samples; see `experiment.transfer`.

    A = (x0 x1 + x2 x3 + x4 x5) / sqrt 3 from 800 points, B = (x0 x1 - x2 x3) / sqrt 2, which is
    uncorrelated with A, or the same of two other pairs.
    """
    streams = [generator(seed, "transfer", samples) for seed in seeds]
    firsts, seconds, starts = [], [], []
    for stream in streams:
        x = stream.choice([-1.0, 1.0], (FIRST_SAMPLES + samples + HELD, SECOND_DIMENSION))
        first, second = _two_tasks(x, other=arm == "unrelated")
        if arm == "shuffled":
            first[:FIRST_SAMPLES] = stream.permutation(first[:FIRST_SAMPLES])
        inputs = with_bias(x)
        firsts.append(Task(inputs[:FIRST_SAMPLES], first[:FIRST_SAMPLES], inputs[FIRST_SAMPLES:],
                           first[FIRST_SAMPLES:]))  # fmt: skip
        seconds.append(split(inputs[FIRST_SAMPLES:], second[FIRST_SAMPLES:], samples))
        starts.append(start(stream, SECOND_DIMENSION + 1, WIDTH))
    scale, rate = (LAZY, 10 * RATE) if arm == "lazy" else (RICH, RATE)
    moved = train(firsts, starts, scale=scale, rate=rate, record=[0, STEPS // 2])
    for index, seed in enumerate(seeds):
        task, before = seconds[index], starts[index]
        after = {name: value[index] for name, value in moved.params.items()}
        offset = moved.outputs[index, -1]  # f_A on all that follows its training points
        found = error_on_test(best_frozen(_own(after, task), task), task)
        frozen = error_on_test(
            best_of([frozen_of(before, task), _with_offset(before, task, offset)], task), task
        )
        unit = float(np.var(task.held_y[VALIDATION:]))
        yield {"seed": seed, "moved": found, "frozen": frozen, "gain": (found - frozen) / unit}


def _own(params: dict, task: Task) -> list[tuple[np.ndarray, np.ndarray]]:
    """The kernels of both layers and of the read-out, each (N, N) and (P, N)."""
    of_training = kernels(params, task.x, task.x)
    return list(zip(of_training, kernels(params, task.held_x, task.x), strict=True))


def _with_offset(params: dict, task: Task, offset: np.ndarray) -> np.ndarray:
    """Frozen features that start from f_A: all that lazy training on A leaves."""
    samples = len(task.y)
    rest = Task(task.x, task.y - offset[:samples], task.held_x, task.held_y - offset[samples:])
    return offset[samples:] + best_frozen(_own(params, task), rest)


def _two_tasks(x: np.ndarray, other: bool) -> tuple[np.ndarray, np.ndarray]:
    products = x[:, 0::2] * x[:, 1::2]
    first = products[:, :3].sum(axis=1) / np.sqrt(3)
    one, two = (5, 6) if other else (0, 1)
    return first, (products[:, one] - products[:, two]) / np.sqrt(2)
