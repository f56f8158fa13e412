"""Stochastic gradient descent with momentum on given batches: of networks, and of their tangents.

    v <- momentum v + dL_B/dtheta,   theta <- theta - learning_rate v

Batches are drawn by the caller, so that two runs can be given the same; seeds are a leading axis of
everything. The state is kept after every period (an epoch, say), the start included, or after the
steps of `record`. One sample a step is a batch of one; unequal widths need nothing.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.dynamics.training import Loss, learning_rates

Params = Any


def epochs(generator: np.random.Generator, samples: int, batch: int, count: int) -> np.ndarray:
    """Batches (epochs, samples // batch, batch) without replacement within an epoch, int32."""
    if not 1 <= batch <= samples:
        raise ValueError(f"batch must be in 1..{samples}, found {batch}")
    steps = samples // batch
    orders = generator.permuted(np.tile(np.arange(samples), (count, 1)), axis=1)
    return orders[:, : steps * batch].reshape(count, steps, batch).astype(np.int32)


def stochastic_descent(
    apply: Callable,
    params: Params,
    x,
    y,
    batches,
    *,
    loss: Loss,
    learning_rate,
    momentum=0.0,
    record: Sequence[int] | None = None,
) -> Params:
    """params of every seed at the start and after every period: leaves (seeds, periods + 1, ...).

    apply(params, x) -> outputs; loss(outputs, y), which for a batch is that of a mean; params,
    x (seeds, N, ...), y (seeds, N, ...), batches (seeds, periods, steps, batch) of integers.
    learning_rate: a number, or a pytree like params of what broadcasts to the leaf of one seed: a
    number per layer (0 freezes it), or (width,) for the weights (fan_in, width) and biases of each
    neuron.
    record: checkpoints instead of every period, increasing counts of steps from 0 to periods x
    steps: leaves (seeds, len(record), ...).
    Keep apply and loss the same objects between calls: new ones are compiled anew.
    ValueError: batches, record or rates of another form.
    """
    _check(batches, len(jax.tree.leaves(params)[0]))
    dtype = jnp.result_type(*jax.tree.leaves(params))
    rates = learning_rates(learning_rate, params, dtype)
    jax.tree_util.tree_map_with_path(_check_rate, rates, params)
    steps = _recorded(batches, record)
    momentum = jnp.asarray(momentum, dtype)
    return _descended(apply, loss, params, x, y, batches, rates, momentum, steps)


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
    steps = _recorded(batches, None)
    return _tangent_descended(loss, kernel, initial, targets, batches, *rates, steps)


def _check(batches, seeds: int) -> None:
    if np.ndim(batches) != 4 or len(batches) != seeds:
        raise ValueError(
            f"batches have shape {np.shape(batches)}, wanted ({seeds}, periods, steps, batch)"
        )


def _check_rate(path, rate, leaf) -> None:
    """ValueError: a rate does not broadcast to the leaf of one seed."""
    shape, free = leaf.shape[1:], leaf.ndim - 1 - rate.ndim
    fits = free >= 0 and all(r in (1, n) for r, n in zip(rate.shape, shape[free:], strict=True))
    if not fits:
        place = "learning_rate" + jax.tree_util.keystr(path)
        raise ValueError(f"{place} has shape {rate.shape}, wanted what broadcasts to {shape}")


def _recorded(batches, record: Sequence[int] | None) -> jax.Array:
    """The steps after which the state is kept; None: of every period, and of the start."""
    _, periods, each, _ = np.shape(batches)
    steps = np.arange(periods + 1) * each if record is None else np.asarray(record)
    integers = steps.ndim == 1 and steps.size > 0 and np.issubdtype(steps.dtype, np.integer)
    if not integers or steps[0] < 0 or (np.diff(steps) <= 0).any() or steps[-1] > periods * each:
        raise ValueError(f"record must be increasing steps in 0..{periods * each}, found {record}")
    return jnp.asarray(steps, jnp.int32)


def _momentum_steps(gradient: Callable, move: Callable, start, batches, steps):
    """The state after each of these counts of steps.

    gradient(state, velocity, batch) -> velocity; move(state, velocity) -> state.
    """
    batches = batches.reshape(-1, batches.shape[-1])

    def step(index, carry):
        state, velocity = carry
        velocity = gradient(state, velocity, batches[index])
        return move(state, velocity), velocity

    def to_next_record(carry, ends):
        carry = jax.lax.fori_loop(*ends, step, carry)
        return carry, carry[0]

    at_rest = jax.tree.map(jnp.zeros_like, start)
    starts = jnp.concatenate([jnp.zeros(1, steps.dtype), steps[:-1]])
    return jax.lax.scan(to_next_record, (start, at_rest), (starts, steps))[1]


@functools.partial(jax.jit, static_argnums=(0, 1))
def _descended(apply, loss, params, x, y, batches, rates, momentum, steps):
    def one(params, x, y, batches):
        def velocity_after(params, velocity, batch):
            slope = jax.grad(lambda p: loss(apply(p, x[batch]), y[batch]))(params)
            return jax.tree.map(lambda v, g: momentum * v + g, velocity, slope)

        def move(params, velocity):
            return jax.tree.map(lambda p, r, v: p - r * v, params, rates, velocity)

        return _momentum_steps(velocity_after, move, params, batches, steps)

    return jax.vmap(one)(params, x, y, batches)


@functools.partial(jax.jit, static_argnums=0)
def _tangent_descended(loss, kernel, initial, targets, batches, rate, momentum, steps):
    def one(kernel, initial, targets, batches):
        samples = kernel.shape[1]

        def velocity_after(coefficients, velocity, batch):
            outputs = initial[batch] + jnp.matmul(kernel[batch], coefficients, precision="highest")
            slope = jax.grad(loss)(outputs, targets[batch])
            return (momentum * velocity).at[batch].add(slope)

        def move(coefficients, velocity):
            return coefficients - rate * velocity

        start = jnp.zeros((samples, initial.shape[1]), initial.dtype)
        kept = _momentum_steps(velocity_after, move, start, batches, steps)
        moved = jnp.einsum("mn,kno->kmo", kernel, kept, precision="highest")
        return initial + moved

    return jax.vmap(one)(kernel, initial, targets, batches)
