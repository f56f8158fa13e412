"""Gradient flow by explicit Euler steps whose length follows the curvature (Geiger et al. 2020).

A step dt from a state with velocity v to a state with velocity v' is accepted if

    |v - v'|^2 / (|v| |v'|) < tolerance        and        max |F' - F| < 0.1

and dt then grows by 1.1; otherwise dt shrinks by 10 and the step is tried again. A step shorter
than `smallest_move` times the distance gone need not meet the first condition: across the kinks of
relu no step does. The loss is the soft hinge l(u) = softplus_20(1 - u) of the margin u = y F, and
training stops when every margin has reached 1. Time is that of dw/dt = -grad L,
L = mean l(y F) / alpha^2.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

HINGE_SHARPNESS = 20.0  # beta of the soft hinge
LARGEST_CHANGE = 0.1  # of any training output within one step, in the paper
GROW, SHRINK = 1.1, 0.1
FIRST_MOVE = 1e-3  # distance that the first step goes
# Levels of the mean soft hinge (1 at the start) whose first passage is timed.
LOSS_LEVELS = (0.99, 0.97, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0.05, 0.02)

Velocity = Callable[[Any], tuple[jax.Array, Any]]


class Flowed(NamedTuple):
    """The state at the end; `times` (levels,) of first passage, NaN where never reached."""

    state: Any
    outputs: jax.Array  # F on the training points, (P,)
    time: jax.Array
    times: jax.Array
    steps: jax.Array  # tried, accepted or not
    converged: jax.Array  # every margin reached 1 before `max_steps`


def soft_hinge(margin: jax.Array) -> jax.Array:
    """l(u) = log(1 + exp(beta (1 - u))) / beta, elementwise."""
    return jax.nn.softplus(HINGE_SHARPNESS * (1 - margin)) / HINGE_SHARPNESS


def soft_hinge_slope(margin: jax.Array) -> jax.Array:
    """l'(u) = -sigmoid(beta (1 - u))."""
    return -jax.nn.sigmoid(HINGE_SHARPNESS * (1 - margin))


def flow(
    velocity: Velocity,
    state,
    targets: jax.Array,
    *,
    tolerance,
    max_steps: int,
    largest_change=LARGEST_CHANGE,
    smallest_move=0.0,
    end_time=jnp.inf,
) -> Flowed:
    """Follow d state/dt = velocity(state) until every margin targets * F is at least 1, or until
    the first step that ends after `end_time`.

    velocity(state) -> (F on the training points (P,), d state/dt like state). Traceable: vmap over
    networks freezes each one when it has converged.
    """
    dtype = targets.dtype
    levels = jnp.asarray(LOSS_LEVELS, dtype)
    # A first step of length zero finds the velocity at the start: it is compiled only once.
    start = {
        "state": state,
        "outputs": jnp.zeros_like(targets),
        "v": jax.tree.map(jnp.zeros_like, state),
        "dt": jnp.zeros((), dtype),
        "time": jnp.zeros((), dtype),
        "loss": jnp.asarray(jnp.finfo(dtype).max, dtype),
        "times": jnp.full(levels.shape, jnp.nan, dtype),
        "steps": jnp.zeros((), jnp.int32),
    }

    def unfinished(s):
        going = (s["steps"] < max_steps) & (s["time"] < end_time)
        return (jnp.min(targets * s["outputs"]) < 1) & going

    def step(s):
        return _step(s, velocity, targets, tolerance, largest_change, smallest_move)

    end = jax.lax.while_loop(unfinished, step, start)
    reached = jnp.min(targets * end["outputs"]) >= 1
    return Flowed(end["state"], end["outputs"], end["time"], end["times"], end["steps"], reached)


def _step(s: dict, velocity: Velocity, targets, tolerance, largest_change, smallest_move) -> dict:
    """One step tried: the carried values after it, or with a shorter step where it is refused."""
    levels = jnp.asarray(LOSS_LEVELS, targets.dtype)
    first = s["steps"] == 0
    trial = jax.tree.map(lambda p, q: p + s["dt"] * q, s["state"], s["v"])
    outputs, v = velocity(trial)
    turn = jax.tree.map(jnp.subtract, v, s["v"])
    bent = _dot(turn, turn) / jnp.sqrt(_dot(v, v) * _dot(s["v"], s["v"]))
    jump = jnp.max(jnp.abs(outputs - s["outputs"]))
    move = s["dt"] * jnp.sqrt(_dot(s["v"], s["v"]))
    short = move < smallest_move * jnp.sqrt(_dot(s["state"], s["state"]))
    good = first | (((bent < tolerance) | short) & (jump < largest_change))
    loss = soft_hinge(targets * outputs).mean()
    # Linear in time within a step, which changes no output by much.
    share = (s["loss"] - levels) / (s["loss"] - loss)
    passed = jnp.isnan(s["times"]) & (loss <= levels)
    accepted = {
        "state": trial,
        "outputs": outputs,
        "v": v,
        "dt": jnp.where(first, FIRST_MOVE / jnp.sqrt(_dot(v, v)), s["dt"] * GROW),
        "time": s["time"] + s["dt"],
        "loss": loss,
        "times": jnp.where(passed, s["time"] + share * s["dt"], s["times"]),
        "steps": s["steps"] + 1,
    }
    refused = s | {"dt": s["dt"] * SHRINK, "steps": s["steps"] + 1}
    return jax.tree.map(lambda a, b: jnp.where(good, a, b), accepted, refused)


def _dot(a, b) -> jax.Array:
    products = jax.tree.map(lambda x, y: jnp.vdot(x, y), a, b)
    return sum(jax.tree.leaves(products))
