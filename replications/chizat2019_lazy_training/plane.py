"""Figure 1(a, b): relu networks with two inputs learn three neurons on the circle."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from replications.chizat2019_lazy_training.model import TEACHER_NEURONS, two_layer
from widenets.ntk import data, random
from widenets.ntk.dynamics import gradient_descent, squared_error


@functools.lru_cache(maxsize=8)
def histories(tau, target_scale, neurons, points, step, steps, seeds):
    """States (a_1, a_2, b) of every neuron (S, R, m, 3), the teachers, the recorded steps."""
    inputs, targets, teachers, starts = [], [], [], []
    for seed in seeds:
        generator = random.generator(seed, "chizat2019", "plane")
        teacher = data.two_layer_teacher(generator, 2, TEACHER_NEURONS)
        x = data.circle(generator.uniform(0, 2 * np.pi, points))
        half_a = data.sphere(generator, neurons // 2, 2)
        half_b = generator.uniform(0, 1, neurons // 2)
        inputs.append(x)
        targets.append(target_scale * teacher(x)[:, None])
        teachers.append(teacher)
        a, b = np.concatenate([half_a, half_a]), np.concatenate([half_b, -half_b])
        starts.append(({"weight": tau * a.T}, {"weight": tau * b[:, None]}))
    record = np.unique(np.concatenate([[0], np.geomspace(1, steps, 20).astype(int)]))
    start = jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts)
    x, y = jnp.asarray(np.stack(inputs)), jnp.asarray(np.stack(targets))
    trained = _descend_and_keep(start, x, y, step, record)
    hidden, readout = (layer["weight"] for layer in trained.observed)
    states = np.concatenate([np.moveaxis(np.asarray(hidden), -2, -1), np.asarray(readout)], axis=-1)
    return states, teachers, record


def _keep(params, _):
    return params


def _descend_and_keep(start, x, y, step, record):
    return gradient_descent(
        two_layer("relu"),
        start,
        x,
        y,
        loss=squared_error("mean"),
        learning_rate=step,
        record=record,
        observe=_keep,
        seeds=True,
        shared_data=False,
    )


def aligned_mass(neurons, teacher) -> float:
    """Share of sum |a_j| |b_j| within 10 degrees of a teacher neuron of the same output sign."""
    a, b = neurons[:, :2], neurons[:, 2]
    mass = np.linalg.norm(a, axis=1) * np.abs(b)
    cosines = a @ teacher.directions.T / np.linalg.norm(a, axis=1, keepdims=True)
    near = (cosines > np.cos(np.deg2rad(10))) & (np.sign(b)[:, None] == teacher.outputs)
    return float(mass[near.any(axis=1)].sum() / mass.sum())
