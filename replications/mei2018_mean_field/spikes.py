"""Sparse deconvolution on the circle, and its optimum (Chizat & Bach, arXiv:1805.09545).

    J(mu) = |int phi dmu - b|^2 / 2 + lambda |mu|,   mu = (1/m) sum_i s_i r_i^2 delta(theta_i)

phi(theta) has the 2 F + 1 Fourier modes up to F and norm 1. Signs s_i are fixed: a mass that starts
positive stays so. (r, theta) is a point of a cone, whose metric dr^2 + r^2 dtheta^2 makes J descend
along -dJ/dr and -(dJ/dtheta) / r^2. float64.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import nnls

MODES, PENALTY = 6, 0.02
SPIKES = ((0.15, 1.0), (0.45, -0.8), (0.8, 0.6))
START, RADIUS_STEP, PLACE_STEP = 0.3, 0.05, 0.0025
ARC = 0.1


def features(theta):
    """phi(theta), (..., 2 F + 1)."""
    turns = 2 * jnp.pi * jnp.arange(1, MODES + 1) * theta[..., None]
    waves = jnp.sqrt(2) * jnp.concatenate([jnp.cos(turns), jnp.sin(turns)], axis=-1)
    return jnp.concatenate([jnp.ones_like(theta)[..., None], waves], -1) / np.sqrt(2 * MODES + 1)


def observed() -> np.ndarray:
    places, masses = np.array(SPIKES).T
    return masses @ np.asarray(features(jnp.asarray(places)))


def objective(signs, radius, theta, b):
    masses = signs * radius**2 / radius.size
    return jnp.sum((masses @ features(theta) - b) ** 2) / 2 + PENALTY * jnp.abs(masses).sum()


def _advance(signs, radius, theta, b, steps):
    """Radii and places after `steps` (which may be traced)."""
    gradient = jax.grad(lambda r, t: objective(signs, r, t, b), argnums=(0, 1))

    def update(_, state):
        (radius, theta), m = state, signs.size
        along_radius, along_theta = gradient(radius, theta)
        turn = along_theta / radius**2  # steepest descent in the metric of the cone
        # The rates grow with m, as those of neurons do.
        return radius - RADIUS_STEP * m * along_radius, theta - PLACE_STEP * m * turn

    return jax.lax.fori_loop(0, steps, update, (radius, theta))


@functools.partial(jax.jit, static_argnames="steps")
def descend(signs, theta, b, steps: int) -> jax.Array:
    """J after `steps` of descent from radius START; signs and theta (starts, m)."""

    def one(signs, theta):
        found = _advance(signs, jnp.full_like(theta, START), theta, b, steps)
        return objective(signs, *found, b)

    return jax.vmap(one)(signs, theta)


def path(signs, theta, record) -> np.ndarray:
    """(places, signed masses) of m particles at each recorded step, (records, 2, m)."""
    advance, b = jax.jit(_advance), observed()
    radius, last, found = np.full_like(theta, START), 0, []
    for step in record:
        radius, theta = advance(signs, radius, theta, b, step - last)
        found.append((np.asarray(theta), signs * np.asarray(radius) ** 2 / signs.size))
        last = step
    return np.array(found)


def optimum(positive: bool, grid: int = 1000) -> float:
    """Smallest J over (nonnegative) measures on a grid.

    By duality it is (|b|^2 - min |z|^2) / 2 with z = q - b and phi(theta).q <= lambda everywhere
    (|phi(theta).q| <= lambda for signed measures): the shortest vector of a polyhedron, which
    nonnegative least squares finds (Lawson & Hanson 1974, chapter 23).
    """
    atoms = np.asarray(features(jnp.arange(grid) / grid))
    atoms = atoms if positive else np.concatenate([atoms, -atoms])
    b = observed()
    # G z >= h with G = -atoms and h = atoms.b - lambda: min |E u - e| over u >= 0, E = (G'; h').
    system = np.concatenate([-atoms.T, (atoms @ b - PENALTY)[None]])
    last = np.zeros(len(system))
    last[-1] = 1.0
    residual = system @ nnls(system, last)[0] - last
    shortest = -residual[:-1] / residual[-1]
    return float(b @ b - shortest @ shortest) / 2
