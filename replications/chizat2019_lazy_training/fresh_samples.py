"""Figures 1(d) and 2(b, c): descent with fresh samples, and the linear problem of its lazy limit.

The descent is float32, the linear problem float64 and exact: no samples.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

from replications.chizat2019_lazy_training.model import (
    TEACHER_NEURONS,
    initial,
    stacked,
    two_layer,
)
from widenets.ntk import data, random


@functools.lru_cache(maxsize=64)
def late_losses(tau, dimension, neurons, batch, steps, seeds) -> np.ndarray:
    """Mean loss over the last tenth of the steps over that of the zero function, (S,)."""
    starts, teachers = _problems(dimension, neurons, seeds)
    directions, outputs = (
        jnp.asarray(np.stack(values), jnp.float32) for values in zip(*teachers, strict=True)
    )
    start = jax.tree.map(lambda leaf: tau * leaf.astype(np.float32), stacked(starts))
    keys = random.keys(seeds, "chizat2019", "population", "batches")
    step = jnp.float32(min(0.25 / tau**2, 25.0))
    return np.asarray(_descend((batch, steps), keys, start, directions, outputs, step))


def _problems(dimension, neurons, seeds):
    """Paired starts, float64, and teachers, one of each per seed."""
    starts, teachers = [], []
    for seed in seeds:
        generator = random.generator(seed, "chizat2019", "population")
        teachers.append(data.two_layer_teacher(generator, dimension, TEACHER_NEURONS))
        weights = random.generator(seed, "chizat2019", "population", "weights")
        starts.append(initial(weights, dimension, neurons, doubled=True))
    return starts, teachers


@functools.partial(jax.jit, static_argnums=0)
def _descend(sizes, keys, start, directions, outputs, step):
    batch, steps = sizes
    dimension, neurons = start[0]["weight"].shape[1:]
    apply = two_layer("relu")
    # Per neuron: the mean over neurons is undone, as in the mean-field time scale.
    rates = ({"weight": step * neurons * dimension}, {"weight": step * neurons})

    def one(key, start, direction, output):
        def loss(params, x, target):
            return 0.5 * jnp.mean((apply(params, x) / neurons - target) ** 2)

        def update(number, carried):
            params, total, scale = carried
            x = jax.random.normal(jax.random.fold_in(key, number), (batch, dimension), jnp.float32)
            x = x / jnp.linalg.norm(x, axis=1, keepdims=True)
            target = jnp.maximum(x @ direction.T, 0) @ output[:, None] / 200
            value, gradient = jax.value_and_grad(loss)(params, x, target)
            params = jax.tree.map(lambda p, rate, g: p - rate * g, params, rates, gradient)
            late = number >= steps - steps // 10
            return params, total + late * value, scale + late * 0.5 * jnp.mean(target**2)

        zeros = jnp.zeros((), jnp.float32)
        _, total, scale = jax.lax.fori_loop(0, steps, update, (start, zeros, zeros))
        return total / scale

    return jax.vmap(one)(keys, start, directions, outputs)


@functools.lru_cache(maxsize=8)
def linear_floors(dimension, neurons, seeds) -> np.ndarray:
    """Least population loss of the linearized model over that of the zero function, (S,)."""
    pairs = zip(*_problems(dimension, neurons, seeds), strict=True)
    return np.array([linear_floor(start[0]["weight"].T, teacher) for start, teacher in pairs])


def linear_floor(hidden, teacher) -> float:
    """min over functions linear in the weights of E (f - f*)^2, over E f*^2; hidden (m, d).

    Around a relu network the linearized functions are the span of 1[a_j . x > 0] x_k: paired
    neurons give the same ones, and b_j's derivative a_j . x 1[a_j . x > 0] is among them. All are
    homogeneous of degree one, as the teacher is, so that the sphere's ratio is the Gaussian's and
    every moment is one of `half_space_moment`.
    """
    units = np.unique(hidden / np.linalg.norm(hidden, axis=1, keepdims=True), axis=0)
    directions, outputs = teacher
    gram = np.block([[half_space_moment(a, b) for b in units] for a in units])
    overlap = np.concatenate(
        [
            sum(c * half_space_moment(a, t) @ t for t, c in zip(directions, outputs, strict=True))
            for a in units
        ]
    )
    energy = sum(
        c * e * t @ half_space_moment(t, u) @ u
        for t, c in zip(directions, outputs, strict=True)
        for u, e in zip(directions, outputs, strict=True)
    )
    explained = overlap @ scipy.linalg.solve(gram, overlap, assume_a="pos")
    return float(1 - explained / energy)


def half_space_moment(u, v) -> np.ndarray:
    """E 1[u . x > 0] 1[v . x > 0] x x^T for x ~ N(0, I) and unit vectors, (d, d).

    With theta their angle, and p and q the unit vectors along u + v and u - v,
    [(pi - theta) I + sin(theta) (p p^T - q q^T)] / (2 pi).
    """
    along, across = u + v, u - v
    theta = 2 * np.arctan2(np.linalg.norm(across), np.linalg.norm(along))
    moment = (np.pi - theta) * np.eye(len(u))
    if 0 < theta < np.pi:
        ratio = np.sin(theta)
        moment += ratio * np.outer(along, along) / (along @ along)
        moment -= ratio * np.outer(across, across) / (across @ across)
    return moment / (2 * np.pi)
