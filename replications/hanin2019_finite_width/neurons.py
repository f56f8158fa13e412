"""Networks of one hidden layer as sums over neurons, f = sum_i w_i phi(sqrt(c) u_i) / sqrt(n).

u and w hold the first and the second layer of many networks, (networks, n), float64; q = 1.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.dynamics.tower import tower

CHUNK = 2**15  # neurons that are differentiated at once: one shape, compiled once
LEAK = {"relu": 0.0, "leaky": 0.25}  # slope of an inactive neuron; c = 2 for both


def draw(stream: np.random.Generator, networks: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """u and w, entries N(0, 1)."""
    return stream.standard_normal((2, networks, width))


@functools.cache
def _neuron_tower(orders: int) -> Callable:
    derivatives = tower(lambda neuron: neuron[1] * jnp.tanh(neuron[0]), orders)
    return jax.jit(jax.vmap(derivatives, in_axes=1, out_axes=1))


def tanh_tower(u: np.ndarray, w: np.ndarray, orders: int) -> np.ndarray:
    """O_1 .. O_orders of tanh networks (c = 1), (orders, networks).

    f is a sum over neurons and no parameter is shared, hence O_s = n^(-s/2) sum_i T_s(u_i, w_i)
    with T_s the derivatives of one neuron w tanh(u). Computed in float32, summed in float64.
    """
    flat = np.zeros((2, -(-u.size // CHUNK) * CHUNK), np.float32)
    flat[:, : u.size] = u.ravel(), w.ravel()
    derivatives = _neuron_tower(orders)
    parts = [np.asarray(derivatives(part)) for part in np.split(flat, flat.shape[1] // CHUNK, 1)]
    found = np.concatenate(parts, axis=1)[:, : u.size].astype(np.float64).reshape(orders, *u.shape)
    powers = u.shape[1] ** (-np.arange(1, orders + 1) / 2)
    return powers[:, None] * found.sum(axis=2)


def tanh_flow(
    u: np.ndarray, w: np.ndarray, labels: np.ndarray, time: float, steps: int
) -> np.ndarray:
    """f(time) under gradient flow on (f - y)^2 / 2, labels y and result (networks,)."""
    root = np.sqrt(u.shape[1])

    def rate(state):
        phi = np.tanh(state[0])
        pull = (labels - (state[1] * phi).sum(axis=1) / root)[:, None] / root
        return np.stack([pull * state[1] * (1 - phi**2), pull * phi])

    end = runge_kutta(rate, np.stack([u, w]), time, steps)
    return (end[1] * np.tanh(end[0])).sum(axis=1) / root


def truncated_flow(
    orders: np.ndarray, kept: int, labels: np.ndarray, time: float, steps: int
) -> np.ndarray:
    """f(time) of the hierarchy that ends with O_kept, (networks,); kept = 2 freezes the kernel.

    df/ds = O_2 + s O_3 + s^2 / 2 O_4 + .. up to O_kept, and ds/dt = -(f - y).
    """
    factorials = np.cumprod(np.maximum(np.arange(kept), 1.0))
    coefficients = orders[:kept] / factorials[:, None]

    def output(s):
        return sum(c * s**power for power, c in enumerate(coefficients))

    start = np.zeros(orders.shape[1])
    return output(runge_kutta(lambda s: labels - output(s), start, time, steps))


def runge_kutta(rate: Callable, state: np.ndarray, time: float, steps: int) -> np.ndarray:
    """State after `time` in `steps` classical Runge-Kutta steps of dstate/dt = rate(state)."""
    step = time / steps
    for _ in range(steps):
        first = rate(state)
        second = rate(state + step / 2 * first)
        third = rate(state + step / 2 * second)
        fourth = rate(state + step * third)
        state = state + step / 6 * (first + 2 * second + 2 * third + fourth)
    return state


def first_step(
    u: np.ndarray, w: np.ndarray, activation: str, label: float, rate: float
) -> dict[str, np.ndarray]:
    """One step of gradient descent on (f - y)^2 / 2, per unit of the rate, arrays (networks,).

    held      change of Theta with every gate as it was, divided by the rate
    switched  what the gates that switch add to it, divided by the rate
    predicted -(2 sqrt(2) / pi) (1 + 8 rate / n) |f - y| / sqrt(n) of relu, the mean of `switched`
              but for the square of the rate
    """
    n, leak = u.shape[1], LEAK[activation]
    slope = np.where(u > 0, 1.0, leak)
    z = np.sqrt(2) * u
    single = w * slope * z / np.sqrt(n)
    error = single.sum(axis=1, keepdims=True) - label
    after_z = z - rate * error * 2 * w * slope / np.sqrt(n)
    after_w = w - rate * error * slope * z / np.sqrt(n)
    before, held, after = (
        (gate**2 * (z**2 + 2 * w**2)).mean(axis=1)
        for gate, z, w in (
            (slope, z, w),
            (slope, after_z, after_w),
            (np.where(after_z > 0, 1.0, leak), after_z, after_w),
        )
    )
    # A neuron at its kink adds nothing to f: the error that it sees is that of the others. What it
    # adds a little off the kink moves the edge z = 2 rate |w| (error + w z / sqrt(n)) / sqrt(n) of
    # those that switch by 1 + 2 rate w^2 / n, and E |w|^5 / E |w|^3 = 4.
    others = np.abs(error - single).mean(axis=1)
    return {
        "held": (held - before) / rate,
        "switched": (after - held) / rate,
        "predicted": -2 * np.sqrt(2) / np.pi * others / np.sqrt(n) * (1 + 8 * rate / n),
    }
