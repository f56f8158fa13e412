"""A ReLU network that learns another one, and the best that one sign of outputs can do. float64.

f(x) = (1/m) sum_i a_i relu(w_i.x), balanced at the start: |a_i| = |w_i| = 1. Gradient flow keeps
|a_i|^2 - |w_i|^2 (Chizat & Bach, arXiv:1805.09545), so that no a_i can change its sign. The step is
small enough for descent to keep that too.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import nnls

from widenets.ntk import data

DIMENSION, SAMPLES, NEURONS = 5, 120, 6
STEP = 0.1
CONE = 0.05  # spread of directions around one


def problem(stream: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of N(0, I) and what a teacher of six unit neurons, half of them negative, says."""
    inputs = stream.standard_normal((SAMPLES, DIMENSION))
    directions = data.sphere(stream, NEURONS, DIMENSION)
    signs = np.where(np.arange(NEURONS) % 2, -1.0, 1.0)
    return inputs, np.maximum(inputs @ directions.T, 0) @ signs


def start(stream: np.random.Generator, width: int, arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and unit directions: of both signs, `positive`, or in one narrow `cone`."""
    outputs = np.where(np.arange(width) % 2, -1.0, 1.0)
    directions = data.sphere(stream, width, DIMENSION)
    if arm == "positive":
        outputs = np.ones(width)
    if arm == "cone":
        directions = data.normalize_rows(directions[:1] + CONE * directions, 1.0)
    return outputs, directions


def best_nonnegative(inputs: np.ndarray, targets: np.ndarray, candidates: np.ndarray) -> float:
    """Loss of the best nonnegative mixture of relu(c.x) over candidate directions."""
    hidden = np.maximum(inputs @ candidates.T, 0)
    return float(nnls(hidden, targets)[1] ** 2 / (2 * len(targets)))


def loss(params, inputs, targets):
    outputs, directions = params
    values = jax.nn.relu(inputs @ directions.T) @ outputs / outputs.size
    return jnp.mean((values - targets) ** 2) / 2


@functools.partial(jax.jit, static_argnames="steps")
def train(outputs, directions, inputs, targets, steps: int):
    """Last weights and losses (networks,) of descent at the rate STEP m."""

    def one(outputs, directions, inputs, targets):
        gradient = jax.grad(loss)

        def update(_, params):
            along = gradient(params, inputs, targets)
            return jax.tree.map(lambda p, g: p - STEP * outputs.size * g, params, along)

        found = jax.lax.fori_loop(0, steps, update, (outputs, directions))
        return *found, loss(found, inputs, targets)

    return jax.vmap(one)(outputs, directions, inputs, targets)
