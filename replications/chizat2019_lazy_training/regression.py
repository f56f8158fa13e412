"""Figures 1(c) and 2(a): teachers learned from 1000 points, full batch, float32."""

import functools

import jax.numpy as jnp
import numpy as np
from scipy.special import gammaln

from replications.chizat2019_lazy_training.model import (
    TEACHER_NEURONS,
    initial,
    scaled,
    stacked,
    two_layer,
)
from widenets.ntk import data, random
from widenets.ntk.dynamics import gradient_descent, squared_error


def _teacher(part, dimension, seed):
    """A seed's teacher, and the generator that goes on to draw the inputs."""
    generator = random.generator(seed, "chizat2019", part, "data")
    return data.two_layer_teacher(generator, dimension, TEACHER_NEURONS), generator


def _regression(part, dimension, points, seeds, factor=1.0):
    """Inputs on the sphere for training and test and their teacher's targets, float32."""
    drawn = []
    for seed in seeds:
        teacher, generator = _teacher(part, dimension, seed)
        x = data.sphere(generator, 2 * points, dimension)
        y = factor * teacher(x)[:, None]
        drawn.append((x[:points], y[:points], x[points:], y[points:]))
    return [jnp.asarray(np.stack(arrays), jnp.float32) for arrays in zip(*drawn, strict=True)]


@functools.lru_cache(maxsize=64)
def scales(tau, dimension, neurons, points, steps, seeds):
    x, y, test_x, test_y = _regression("overparameterized", dimension, points, seeds)
    starts = []
    for seed in seeds:
        generator = random.generator(seed, "chizat2019", "overparameterized", "weights")
        hidden, readout = initial(generator, dimension, neurons, doubled=True, dtype=np.float32)
        half = np.abs(readout["weight"][: neurons // 2])
        starts.append((hidden, {"weight": np.concatenate([half, -half])}))
    trained = gradient_descent(
        two_layer("relu"),
        scaled(stacked(starts), np.float32(tau)),
        x,
        y,
        loss=squared_error("mean"),
        learning_rate=min(10.0, 0.1 / tau**2),
        record=np.arange(0, steps + 1, max(1, steps // 50)),
        observe=_test_loss,
        context=(test_x, test_y),
        seeds=True,
        shared_data=False,
    )
    return np.asarray(trained.loss), np.asarray(trained.observed)


def affine_floors(dimension, seeds) -> np.ndarray:
    """Least population loss of affine functions for the teachers of `scales`, (S,)."""
    teachers = (_teacher("overparameterized", dimension, seed)[0] for seed in seeds)
    return np.array([affine_floor(teacher, dimension) for teacher in teachers])


def affine_floor(teacher, dimension) -> float:
    """min over affine g of E (g - f*)^2 / 2 on the unit sphere, f* = sum_j c_j relu(t_j . x).

    relu(s) = s/2 + |s|/2: the odd part is linear, and what no affine function has is the even part
    without its mean, E |t . x| |u . x| / 4 - (E |t . x|)^2 / 4 with
    E |t . x| |u . x| = 2 (sin theta + (pi/2 - theta) cos theta) / (pi d), theta the angle, and
    E |t . x| = Gamma(d/2) / (sqrt(pi) Gamma((d + 1)/2)).
    """
    directions, outputs = teacher
    cosines = np.clip(directions @ directions.T, -1, 1)
    theta = np.arccos(cosines)
    products = 2 * (np.sin(theta) + (np.pi / 2 - theta) * cosines) / (np.pi * dimension)
    mean = np.exp(gammaln(dimension / 2) - gammaln((dimension + 1) / 2)) / np.sqrt(np.pi)
    return float(outputs @ (products - mean**2) @ outputs) / 8


def _test_loss(params, _, test):
    return squared_error("mean")(two_layer("relu")(params, test[0]), test[1])


@functools.lru_cache(maxsize=64)
def scalings(exponent, step, dimension, neurons, points, steps, seeds):
    x, y, test_x, test_y = _regression("widths", dimension, points, seeds, factor=100.0)
    generators = [
        random.generator(seed, "chizat2019", "widths", "weights", neurons) for seed in seeds
    ]
    starts = [initial(g, dimension, neurons, doubled=False, dtype=np.float32) for g in generators]
    # alpha sum_j phi_j learns y as sum_j phi_j learns y / alpha, and F_alpha is its loss.
    alpha = float(neurons) ** exponent
    trained = gradient_descent(
        two_layer("relu"),
        stacked(starts),
        x,
        y / alpha,
        loss=squared_error("mean"),
        learning_rate=step,
        record=[steps],
        observe=_test_loss,
        context=(test_x, test_y / alpha),
        seeds=True,
        shared_data=False,
    )
    return np.asarray(trained.observed)[:, -1] * alpha**2
