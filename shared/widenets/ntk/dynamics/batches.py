"""Stochastic gradient descent with momentum on given batches: of networks, and of their tangents.

    v <- momentum v + dL_B/dtheta,   theta <- theta - learning_rate v

Batches are drawn by the caller, so that two runs can be given the same; seeds are a leading axis of
everything. The state is kept after every period (an epoch, say), the start included.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.dynamics.training import Loss

Params = Any


def epochs(generator: np.random.Generator, samples: int, batch: int, count: int) -> np.ndarray:
    """Batches (epochs, samples // batch, batch) without replacement within an epoch, int32."""
    if not 1 <= batch <= samples:
        raise ValueError(f"batch must be in 1..{samples}, found {batch}")
    steps = samples // batch
    orders = generator.permuted(np.tile(np.arange(samples), (count, 1)), axis=1)
    return orders[:, : steps * batch].reshape(count, steps, batch).astype(np.int32)


def stochastic_descent(
    apply: Callable, params: Params, x, y, batches, *, loss: Loss, learning_rate, momentum=0.0
) -> Params:
    """params of every seed at the start and after every period: leaves (seeds, periods + 1, ...).

    apply(params, x) -> outputs; loss(outputs, y), which for a batch is that of a mean; params,
    x (seeds, N, ...), y (seeds, N, ...), batches (seeds, periods, steps, batch) of integers.
    Keep apply and loss the same objects between calls: new ones are compiled anew.
    """
    _check(batches, len(jax.tree.leaves(params)[0]))
    dtype = jnp.result_type(*jax.tree.leaves(params))
    rates = (jnp.asarray(number, dtype) for number in (learning_rate, momentum))
    return _descended(apply, loss, params, x, y, batches, *rates)


def stochastic_tangent_descent(
    kernel, initial, targets, batches, *, loss: Loss, learning_rate, momentum=0.0
) -> jax.Array:
    """Outputs of the linearized network on the same batches, (seeds, periods + 1, M, outputs).

    f_lin = f_0 + K(., X) a: SGD on the parameters of f_lin does to it what

        v <- momentum v + dL_B/df (0 outside of the batch),   a <- a - learning_rate v

    does to the coefficients, at O(batch N) a step and with no network at all.
    kernel (seeds, M, N): the first N rows are the training points; initial (seeds, M, outputs);
    targets (seeds, N, outputs); batches as in `stochastic_descent`, without repetition in a batch.
    """
    if kernel.ndim != 3 or kernel.shape[1] < kernel.shape[2]:
        raise ValueError(f"kernel has shape {kernel.shape}, wanted (seeds, M, N), M >= N")
    _check(batches, len(kernel))
    rates = (jnp.asarray(number, kernel.dtype) for number in (learning_rate, momentum))
    return _tangent_descended(loss, kernel, initial, targets, batches, *rates)


def _check(batches, seeds: int) -> None:
    if np.ndim(batches) != 4 or len(batches) != seeds:
        raise ValueError(
            f"batches have shape {np.shape(batches)}, wanted ({seeds}, periods, steps, batch)"
        )


def _momentum_steps(gradient: Callable, move: Callable, start, batches):
    """The state at the start and after every period.

    gradient(state, velocity, batch) -> velocity; move(state, velocity) -> state.
    """

    def step(carry, batch):
        state, velocity = carry
        velocity = gradient(state, velocity, batch)
        return (move(state, velocity), velocity), None

    def period(carry, of_period):
        carry, _ = jax.lax.scan(step, carry, of_period)
        return carry, carry[0]

    at_rest = jax.tree.map(jnp.zeros_like, start)
    _, kept = jax.lax.scan(period, (start, at_rest), batches)
    return jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), start, kept)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _descended(apply, loss, params, x, y, batches, rate, momentum):
    def one(params, x, y, batches):
        def velocity_after(params, velocity, batch):
            slope = jax.grad(lambda p: loss(apply(p, x[batch]), y[batch]))(params)
            return jax.tree.map(lambda v, g: momentum * v + g, velocity, slope)

        def move(params, velocity):
            return jax.tree.map(lambda p, v: p - rate * v, params, velocity)

        return _momentum_steps(velocity_after, move, params, batches)

    return jax.vmap(one)(params, x, y, batches)


@functools.partial(jax.jit, static_argnums=0)
def _tangent_descended(loss, kernel, initial, targets, batches, rate, momentum):
    def one(kernel, initial, targets, batches):
        samples = kernel.shape[1]

        def velocity_after(coefficients, velocity, batch):
            outputs = initial[batch] + jnp.matmul(kernel[batch], coefficients, precision="highest")
            slope = jax.grad(loss)(outputs, targets[batch])
            return (momentum * velocity).at[batch].add(slope)

        def move(coefficients, velocity):
            return coefficients - rate * velocity

        start = jnp.zeros((samples, initial.shape[1]), initial.dtype)
        kept = _momentum_steps(velocity_after, move, start, batches)
        moved = jnp.einsum("mn,kno->kmo", kernel, kept, precision="highest")
        return initial + moved

    return jax.vmap(one)(kernel, initial, targets, batches)
