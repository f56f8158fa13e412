"""Gradient flow dz/dt = -grad F(z) of a stiff loss, by an exponential integrator; float64.

Exponential Rosenbrock-Euler with the third-order correction of Hochbruck and Ostermann (Acta
Numerica 2010, section 2.4). With H the Hessian at z, g the gradient and n(v) = grad F(v) - H v,

    u  = z - h phi_1(-h H) g
    z' = u - 2 h phi_3(-h H) (n(u) - n(z)),      phi_1(x) = (e^x - 1) / x,
                                                 phi_3(x) = (e^x - 1 - x - x^2 / 2) / x^3.

H is symmetric, so that its eigenvectors give both functions exactly. Linear flows are exact for
any step; the step is chosen so that |z' - u| stays below tolerance |z'|. Stiffness costs nothing.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

TOLERANCE, ATTEMPTS = 1e-7, 20_000


class Flow(NamedTuple):
    """z at the wanted times, (T, p), and the number of steps that were tried on the way."""

    z: jax.Array
    attempts: jax.Array


@functools.partial(jax.jit, static_argnums=0)
def gradient_flow(loss: Callable[[jax.Array, Any], jax.Array], z, problem, times) -> Flow:
    """From z (p,) at time 0 to increasing `times` (T,); loss(z, problem) is F.

    NaN from where more than ATTEMPTS steps would be needed.
    """
    gradient, hessian = jax.grad(loss), jax.hessian(loss)

    def attempt(state, end):
        time, z, step, attempts = state
        here = jnp.minimum(step, end - time)
        eigenvalues, vectors = jnp.linalg.eigh(hessian(z, problem))
        exponents = -here * eigenvalues
        slope = gradient(z, problem)
        change = -here * vectors @ (phi_1(exponents) * (vectors.T @ slope))
        curved = (
            gradient(z + change, problem) - slope - vectors @ (eigenvalues * (vectors.T @ change))
        )
        correction = -2 * here * vectors @ (phi_3(exponents) * (vectors.T @ curved))
        moved = z + change + correction
        error = jnp.linalg.norm(correction) / (TOLERANCE * jnp.linalg.norm(moved))
        good = error <= 1
        growth = jnp.clip(0.9 * jnp.maximum(error, 1e-12) ** (-1 / 3), 0.2, 5.0)
        growth = jnp.where(jnp.isfinite(growth), growth, 0.2)
        # A last short step to a wanted time says nothing against the longer one before it.
        next_step = jnp.where(good, jnp.maximum(step, growth * here), growth * here)
        return (
            jnp.where(good, time + here, time),
            jnp.where(good, moved, z),
            jnp.where(good & (here == step), growth * here, next_step),
            attempts + 1,
        )

    def advance(state, end):
        def unfinished(state):
            return (state[0] < end) & (state[3] < ATTEMPTS)

        state = jax.lax.while_loop(unfinished, lambda s: attempt(s, end), state)
        return state, jnp.where(state[0] >= end, state[1], jnp.nan)

    first = 1e-3 / jnp.linalg.norm(hessian(z, problem))
    state = (jnp.zeros_like(times[0]), z, first, jnp.zeros((), jnp.int32))
    state, path = jax.lax.scan(advance, state, times)
    return Flow(path, state[3])


def phi_1(x):
    return jnp.where(x == 0, 1.0, jnp.expm1(x) / jnp.where(x == 0, 1.0, x))


def phi_3(x):
    """By its series where the closed form would cancel."""
    small = jnp.abs(x) < 0.5
    inside, outside = jnp.where(small, x, 0.0), jnp.where(small, 1.0, x)
    series = 1 / 6 * jnp.ones_like(x)
    term = series
    for k in range(4, 14):
        term = term * inside / k
        series = series + term
    return jnp.where(small, series, (jnp.expm1(outside) - outside - outside**2 / 2) / outside**3)
