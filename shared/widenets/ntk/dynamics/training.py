"""Full-batch gradient descent, many networks at once.

One compiled program per (architecture, loss, observer, shapes): seeds are a vmapped leading axis of
the parameters, learning rate, momentum and the recorded steps are traced.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.checks import checked_parameters
from widenets.ntk.dynamics.flow import Normalization, loss_divisor

Params = Any
Loss = Callable[[jax.Array, jax.Array], jax.Array]


class Trajectory(NamedTuple):
    """What training left behind; with seeds every array has the seeds as its leading axis.

    Step t means: t updates have been made; step 0 is the initialisation.
    """

    params: Params  # after the last recorded step
    steps: np.ndarray  # (R,) the recorded steps
    loss: jax.Array  # (R,) or (seeds, R)
    observed: Any  # pytree of observe's results, each (R, ...) or (seeds, R, ...)


@functools.cache
def squared_error(normalization: Normalization) -> Loss:
    """L = 1/(2c) sum (f - y)^2; the c of each normalization stands in `dynamics`."""

    def loss(outputs, targets):
        if outputs.shape != targets.shape:
            raise ValueError(f"outputs are {outputs.shape} but targets are {targets.shape}")
        return jnp.sum((outputs - targets) ** 2) / (
            2 * loss_divisor(normalization, *_two(outputs.shape))
        )

    return loss


@functools.cache
def cross_entropy(normalization: Normalization) -> Loss:
    """L = -1/c sum_i log softmax(f(x_i))[y_i]; y (N,) integers or (N, classes) probabilities."""

    def loss(outputs, targets):
        if jnp.issubdtype(targets.dtype, jnp.integer):
            targets = jax.nn.one_hot(targets, outputs.shape[-1], dtype=outputs.dtype)
        if outputs.shape != targets.shape:
            raise ValueError(f"outputs are {outputs.shape} but targets are {targets.shape}")
        total = -jnp.sum(targets * jax.nn.log_softmax(outputs, axis=-1))
        return total / loss_divisor(normalization, outputs.shape[0], 1)

    return loss


@functools.cache
def logistic(normalization: Normalization) -> Loss:
    """L = 1/c sum_i log(1 + exp(-y_i f(x_i))) for labels of +-1."""

    def loss(outputs, targets):
        if outputs.shape != targets.shape:
            raise ValueError(f"outputs are {outputs.shape} but targets are {targets.shape}")
        total = jnp.sum(jax.nn.softplus(-targets * outputs))
        return total / loss_divisor(normalization, *_two(outputs.shape))

    return loss


def gradient_descent(
    apply: Callable[[Params, jax.Array], jax.Array],
    params: Params,
    x,
    y,
    *,
    loss: Loss,
    learning_rate,
    record: Sequence[int],
    momentum: float = 0.0,
    observe: Callable[..., Any] | None = None,
    context: Any = None,
    seeds: bool = False,
    shared_data: bool = True,
) -> Trajectory:
    """Train by p <- p - learning_rate * v, v <- momentum * v + gradient, and watch at given steps.

    apply(params, x) -> outputs; loss(outputs, y) -> number; record: increasing steps >= 0, the last
    one ends the training.  observe(params, initial_params) is called at each; default nothing.
    context: arrays that observe wants besides (test points, ...), its third argument if given.
    learning_rate: a number, or a pytree like params with one number per leaf (0 freezes a layer) or
    an array that broadcasts to the leaf, such as (width,) with a rate per neuron.
    seeds=True: every leaf of params has a leading axis of networks, trained together; numbers in
    learning_rate may then be vectors (seeds,), and arrays have that axis in front; with
    shared_data=False x, y and context have that axis too.
    Rates are cast to the dtype of the parameters, which is the precision of the whole run.
    Keep apply, loss and observe the same objects between calls: new ones are compiled anew.
    """
    steps = np.asarray(record)
    if steps.ndim != 1 or steps.size == 0 or not np.issubdtype(steps.dtype, np.integer):
        raise ValueError(f"record must be a non-empty list of integers, found {record!r}")
    if steps[0] < 0 or (np.diff(steps) <= 0).any():
        raise ValueError(f"record must be increasing and >= 0, found {record!r}")
    dtype = jnp.result_type(*checked_parameters(params))
    rates = learning_rates(learning_rate, params, dtype)
    train = functools.partial(
        _train, apply, loss, observe or _nothing, seeds, shared_data, momentum != 0.0
    )
    final, losses, observed = train(
        params, x, y, context, rates, jnp.asarray(momentum, dtype), jnp.asarray(steps, jnp.int32)
    )
    return Trajectory(final, steps, losses, observed)


def descend(value, gradient, params, rates, momentum, steps, observe):
    """Gradient descent on any state, traceable: `gradient(params)` is the direction to subtract.

    Returns the last state, value(params) at each recorded step, and observe(params, initial) there.
    momentum is None for none (then no velocity is stored).
    """

    def update(_, state):
        params, velocity = state
        direction = gradient(params)
        if momentum is not None:
            velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, direction)
            direction = velocity
        return jax.tree.map(lambda p, e, v: p - e * v, params, rates, direction), velocity

    def to_next_record(state, gap):
        state = jax.lax.fori_loop(0, gap, update, state)
        return state, (value(state[0]), observe(state[0], params))

    velocity = None if momentum is None else jax.tree.map(jnp.zeros_like, params)
    gaps = jnp.diff(steps, prepend=jnp.zeros(1, steps.dtype))
    (final, _), (values, observed) = jax.lax.scan(to_next_record, (params, velocity), gaps)
    return final, values, observed


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4, 5))
def _train(
    apply,
    loss,
    observe,
    seeds,
    shared_data,
    with_momentum,
    params,
    x,
    y,
    context,
    rates,
    momentum,
    steps,
):
    def one(params, x, y, context, rates):
        def objective(p):
            return loss(apply(p, x), y)

        gradient = jax.grad(objective)
        heavy = momentum if with_momentum else None
        extra = () if context is None else (context,)

        def watch(params, initial):
            return observe(params, initial, *extra)

        return descend(objective, gradient, params, rates, heavy, steps, watch)

    if not seeds:
        return one(params, x, y, context, rates)
    data_axis = None if shared_data else 0
    rate_axes = jax.tree.map(lambda rate: 0 if rate.ndim else None, rates)
    axes = (0, data_axis, data_axis, data_axis, rate_axes)
    return jax.vmap(one, in_axes=axes)(params, x, y, context, rates)


def learning_rates(learning_rate, params, dtype):
    """A pytree like params of learning rates, from one number or from such a pytree."""
    if jax.tree.structure(learning_rate) == jax.tree.structure(0):
        return jax.tree.map(lambda _: jnp.asarray(learning_rate, dtype), params)
    if jax.tree.structure(learning_rate) != jax.tree.structure(params):
        raise ValueError("learning_rate is neither a number nor a pytree like params")
    return jax.tree.map(lambda rate: jnp.asarray(rate, dtype), learning_rate)


def _two(shape) -> tuple[int, int]:
    return shape[0], int(np.prod(shape[1:]))


def _nothing(params, initial):
    return ()
