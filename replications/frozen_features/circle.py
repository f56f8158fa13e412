"""On the circle: which frequencies are learned first, and how much interpolated noise costs.

A point at the angle t is (cos t, sin t, sqrt 2): a relu network with biases. Its kernel at infinite
width is a function of the angle between two points, so that frequencies are its eigenfunctions, and
has a kink at angle 0: eigenvalues fall as k^-2, and its interpolant is nearly a polygon. A polygon
through pure noise of variance 1 has the mean square

    E ((1 - u) e_1 + u e_2)^2 = 1 - 2 E u (1 - u) = 2/3,    u uniform

between its points, whatever their number: tempered overfitting with a constant of its own.
"""

from collections.abc import Iterator

import numpy as np

from replications.frozen_features.descent import crossing
from replications.frozen_features.two_layer import (
    Task,
    infinite_kernel,
    kernels,
    start,
    train,
    with_bias,
)
from widenets.ntk.data import circle
from widenets.ntk.random import generator

# -- frequencies in time --------------------------------------------------------------------------

POINTS, WIDTH, FREQUENCIES = 64, 512, (1, 2, 4)
RATE, STEPS = 0.5, 20000
RECORD = np.unique(np.geomspace(1, STEPS, 250).round().astype(int))
ENCODED = 4  # the frequency that the encoding adds


def embedded(angles: np.ndarray, encoded: bool) -> np.ndarray:
    """Inputs with biases; encoded: with 3 (cos k t, sin k t), k = ENCODED, beside them."""
    x = with_bias(circle(angles))
    if not encoded:
        return x
    return np.concatenate([x, 3 * circle(ENCODED * angles)], axis=1)


def frequency_rows(arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Half times of frequencies; see `experiment.frequencies`."""
    tasks, waves, starts = [], [], []
    for seed in seeds:
        stream = generator(seed, "frequencies", arm)
        angles = 2 * np.pi * (np.arange(POINTS) + stream.random()) / POINTS
        phases = 2 * np.pi * stream.random(len(FREQUENCIES))
        of = np.stack([np.cos(k * angles + p) for k, p in zip(FREQUENCIES, phases, strict=True)])
        x = embedded(angles, encoded=arm == "encoded")
        tasks.append(Task(x, of.sum(axis=0), x, of.sum(axis=0)))
        waves.append(of / np.sum(of**2, axis=1, keepdims=True))
        starts.append(start(stream, x.shape[1], WIDTH))
    rate = RATE * 4 / np.sum(tasks[0].x[0] ** 2)  # of a point, whose length is that of all
    found = train(tasks, starts, scale=1.0, rate=rate, record=RECORD)
    for index, seed in enumerate(seeds):
        task, of = tasks[index], waves[index]
        own = kernels(starts[index], task.x, task.x)[0] / POINTS
        limit = infinite_kernel(task.x, task.x) / POINTS
        frozen = _followed(own, task.y, rate)
        exact = _followed(limit, task.y, rate)
        for row, frequency in enumerate(FREQUENCIES):
            times = {
                name: _half_time(outputs @ of[row])
                for name, outputs in (
                    ("network", found.outputs[index]),
                    ("frozen", frozen),
                    ("limit", exact),
                )
            }
            yield {"seed": seed, "frequency": frequency, **times}


def _followed(kernel: np.ndarray, y: np.ndarray, rate: float) -> np.ndarray:
    """Outputs (records, P) of descent on f_lin from 0."""
    values, vectors = np.linalg.eigh(kernel)
    learned = 1 - (1 - rate * values) ** RECORD[:, None]
    return (learned * (vectors.T @ y)) @ vectors.T


def _half_time(learned: np.ndarray) -> float:
    """Step at which half of a frequency's amplitude is learned; NaN if it never is."""
    at = crossing(np.concatenate([[1.0], np.abs(1 - learned)]), 0.5)
    steps = np.concatenate([[0], RECORD])
    return float(np.interp(at, np.arange(len(steps)), steps)) if np.isfinite(at) else np.nan


# -- interpolated noise ---------------------------------------------------------------------------

TESTED = 400
NEURONS = 64  # per training point, of the frozen network
RIDGE = 1.0  # added to the kernel, whose diagonal is 3
SHARPNESS = 64.0  # of the smooth kernel exp(64 (cos t - 1))


def tempered_rows(arm: str, samples: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Mean square of interpolated noise, in closed form over the noise: of the outputs A e, where
    A (tested, samples) is the interpolant of unit vectors, it is |A|^2 / tested."""
    for seed in seeds:
        stream = generator(seed, "tempered", samples)
        angles, tested = (
            2 * np.pi * (np.arange(count) + stream.random(count)) / count
            for count in (samples, TESTED)
        )
        own, across = _kernel(arm, angles, tested, stream)
        own = own + RIDGE * np.eye(samples) if arm == "ridge" else own
        interpolant = across @ np.linalg.pinv(own, rcond=1e-13, hermitian=True)
        yield {"seed": seed, "excess": float(np.sum(interpolant**2) / TESTED)}


def _kernel(arm: str, angles, tested, stream) -> tuple[np.ndarray, np.ndarray]:
    """The kernel between training points, and from test points to them."""
    if arm == "smooth":  # every derivative exists
        differences = angles[:, None] - angles, tested[:, None] - angles
        own, across = (np.exp(SHARPNESS * (np.cos(d) - 1)) for d in differences)
        return own, across
    x, held = with_bias(circle(angles)), with_bias(circle(tested))
    if arm == "frozen":
        params = start(stream, 3, NEURONS * len(angles))
        return kernels(params, x, x)[0], kernels(params, held, x)[0]
    return infinite_kernel(x, x), infinite_kernel(held, x)
