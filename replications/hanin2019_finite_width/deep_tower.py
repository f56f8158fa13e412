"""The tower of tanh networks with two hidden layers, by nested derivatives in float32."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.dynamics.tower import tower


@functools.cache
def _derivatives(orders: int) -> Callable:
    """Parameters of many networks -> (networks, orders); compiled once per shape."""

    def output(params):
        first, second, readout = params
        hidden = jnp.tanh(second @ jnp.tanh(first) / jnp.sqrt(len(first)))
        return readout @ hidden / jnp.sqrt(len(hidden))

    return jax.jit(jax.vmap(tower(output, orders)))


def tanh_tower(stream: np.random.Generator, networks: int, width: int, orders: int) -> np.ndarray:
    """O_1 .. O_orders of `networks` networks with q = 1, (orders, networks)."""
    shapes = ((networks, width), (networks, width, width), (networks, width))
    params = tuple(stream.standard_normal(shape, np.float32) for shape in shapes)
    return np.asarray(_derivatives(orders)(params), np.float64).T
