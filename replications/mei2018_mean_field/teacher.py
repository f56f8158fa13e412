"""A ReLU network that learns another one, and the best that one sign of outputs can do. float64.

f(x) = (1/m) sum_i a_i relu(w_i.x) from a balanced start, |a_i| = |w_i| = 1. Gradient flow keeps
|a_i|^2 - |w_i|^2 = 0 (Chizat & Bach, arXiv:1805.09545), so that a_i = s_i r_i and w_i = r_i u_i
with a fixed sign, a length and a direction, which move by

    dr/dt = -s r (u.g)     du/dt = -s (g - (u.g) u)     g = mean_j (f(x_j) - y_j) relu'(u.x_j) x_j

Descent in r and u keeps the sign exactly; descent in a and w lets it flip where r gets small.
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
STARTS, ROUNDS = 100, 40  # of the ascent that looks for a direction
TURNS = 100  # of adding directions, at most
LEAST = 1e-4  # of sum_j r_j relu(u.x_j), for a direction u to be added


def problem(stream: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of N(0, I) and what a teacher of six unit neurons, half of them negative, says."""
    inputs = stream.standard_normal((SAMPLES, DIMENSION))
    directions = data.sphere(stream, NEURONS, DIMENSION)
    signs = np.where(np.arange(NEURONS) % 2, -1.0, 1.0)
    return inputs, np.maximum(inputs @ directions.T, 0) @ signs


def start(stream: np.random.Generator, width: int, arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Signs and unit directions: of both signs, `positive`, or in one narrow `cone`."""
    signs = np.where(np.arange(width) % 2, -1.0, 1.0)
    directions = data.sphere(stream, width, DIMENSION)
    if arm == "positive":
        signs = np.ones(width)
    if arm == "cone":
        directions = data.normalize_rows(directions[:1] + CONE * directions, 1.0)
    return signs, directions


def best_nonnegative(inputs, targets, directions, starts) -> float:
    """Loss of the best nonnegative mixture of relu(u.x) over all directions u, by Frank & Wolfe.

    `directions` (m, d) are the first ones; those that ascent of sum_j r_j relu(u.x_j), r = y - f of
    the mixture, finds from `starts` (s, d) join them, until it is below `LEAST` at each; an
    ArithmeticError where that takes more than `TURNS`.
    """
    for _ in range(TURNS):
        masses = nnls(np.maximum(inputs @ directions.T, 0), targets)[0]
        directions, masses = directions[masses > 0], masses[masses > 0]
        residual = targets - np.maximum(inputs @ directions.T, 0) @ masses
        found, gain = _steepest(inputs, residual, np.concatenate([starts, directions]))
        if gain.max() <= LEAST:
            return float(np.mean(residual**2) / 2)
        directions = np.concatenate([directions, found[np.argsort(gain)[-8:]]])
    raise ArithmeticError(f"a direction still gains {gain.max():.1e} after {TURNS} turns")


def _steepest(inputs, residual, directions) -> tuple[np.ndarray, np.ndarray]:
    """Directions (s, d) that ascent reaches, and sum_j r_j relu(u.x_j) there (s,)."""
    best, most = directions, np.maximum(inputs @ directions.T, 0).T @ residual
    for turn in 0.5 * 0.85 ** np.arange(ROUNDS):
        slope = ((inputs @ directions.T > 0) * residual[:, None]).T @ inputs
        size = np.linalg.norm(slope, axis=1, keepdims=True)
        directions = data.normalize_rows(directions + turn * slope / np.maximum(size, 1e-12), 1.0)
        gain = np.maximum(inputs @ directions.T, 0).T @ residual
        best = np.where((gain > most)[:, None], directions, best)
        most = np.maximum(gain, most)
    return best, most


@functools.partial(jax.jit, static_argnames="steps")
def train(signs, directions, inputs, targets, steps: int):
    """Last directions (starts, m, d) and losses (starts,); all arguments have a leading axis."""

    def one(signs, directions, inputs, targets):
        def residual(lengths, directions):
            masses = signs * lengths**2 / signs.size
            return jax.nn.relu(inputs @ directions.T) @ masses - targets

        def update(_, state):
            lengths, directions = state
            error = residual(lengths, directions) / len(targets)
            pull = signs[:, None] * (((inputs @ directions.T > 0) * error[:, None]).T @ inputs)
            along = jnp.sum(pull * directions, axis=1, keepdims=True)
            turned = directions - STEP * (pull - along * directions)
            turned /= jnp.linalg.norm(turned, axis=1, keepdims=True)
            return lengths * jnp.exp(-STEP * along[:, 0]), turned

        found = jax.lax.fori_loop(0, steps, update, (jnp.ones_like(signs), directions))
        return found[1], jnp.mean(residual(*found) ** 2) / 2

    return jax.vmap(one)(signs, directions, inputs, targets)
