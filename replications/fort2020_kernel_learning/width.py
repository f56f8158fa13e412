"""How far the kernel moves until a fixed time, against the width.

Networks in NTK parameterization, erf, three hidden layers, full batches, float64. The mean-field
scaling f / sqrt(n) at n times the rate is the same descent on labels sqrt(n) y:
d theta = -rate (f - sqrt(n) y) grad f. So one program serves both.
"""

import functools
import math

import numpy as np

from replications.fort2020_kernel_learning.setting import DIMENSION, PAPER, normals
from widenets.ntk import random
from widenets.ntk.architecture import erf, fully_connected
from widenets.ntk.data import normalize_rows, xnor
from widenets.ntk.dynamics import gradient_descent, squared_error
from widenets.ntk.empirical import dense_kernels

POINTS, LEARNING_RATE, STEPS = 8, 0.5, 16
MEAN = squared_error("mean")


@functools.cache
def network(width: int):
    return fully_connected(depth=3, width=width, weight_variance=2.0, activation=erf())


@functools.cache
def _kernel_of(width: int):
    return lambda params, start, x: dense_kernels(network(width), params, x).ntk


def points(arm: str, seeds: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """x (seeds, N, d) of length sqrt(d) and labels y (seeds, N, 1), the same at every width."""
    streams = (random.generator(seed, PAPER, "width", arm, "data") for seed in seeds)
    tasks = [xnor(stream, POINTS, DIMENSION) for stream in streams]
    x = [normalize_rows(task.inputs, math.sqrt(DIMENSION)) for task in tasks]
    return np.stack(x), np.stack([task.targets for task in tasks])[..., None]


def kernels_around(arm: str, width: int, seeds: tuple[int, ...]) -> np.ndarray:
    """(seeds, 2, N, N): tangent kernels at the start and after STEPS."""
    (x, y), net = points(arm, seeds), network(width)
    run = gradient_descent(
        net.apply,
        normals(net, seeds, DIMENSION, "width", arm, "weights", width),
        x,
        math.sqrt(width) * y if arm == "mean_field" else y,
        loss=MEAN,
        learning_rate=LEARNING_RATE,
        record=[0, STEPS],
        observe=_kernel_of(width),
        context=x,
        seeds=True,
        shared_data=False,
    )
    return np.asarray(run.observed)
