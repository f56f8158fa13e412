"""Gradient descent on the first layer of f(x) = s sum_r a_r sigma(w_r.x), in the span of the data.

Every update of w_r is a combination of the inputs, so the preactivations Z = X W' (count, width)
and the coefficients C with W - W(0) = C' X are the whole state: the input dimension disappears,
a step is one product of the Gram matrix G = X X' of the inputs with (count, width) (Du et al.
2018, gradient (3), loss sum_i (f - y)^2 / 2). The rest of a step is bound by memory: compiled,
it passes over each array once, and the arrays of a step become those of the next.
"""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.empirical import layer_ntk


class Activation(NamedTuple):
    """sigma and its derivative, elementwise."""

    value: Callable
    slope: Callable


ACTIVATIONS = {
    "relu": Activation(lambda z: jnp.maximum(z, 0), lambda z: (z > 0).astype(z.dtype)),
    "erf": Activation(jax.lax.erf, lambda z: 2 / np.sqrt(np.pi) * jnp.exp(-z * z)),
}


class Start(NamedTuple):
    """A network at initialization and its data.

    gram (count, count), labels (count,), preactivations (count, width), signs (width,): a_r.
    scale: s, m^(-1/2) in the paper. learning_rate: of the weights, such that the tangent kernel
    moves the outputs as eta H does in the paper (eta m^(2q-1) for s = m^-q).
    """

    gram: np.ndarray
    labels: np.ndarray
    preactivations: np.ndarray
    signs: np.ndarray
    scale: float
    learning_rate: float
    activation: str = "relu"
    readout: bool = False  # whether the a_r are trained too


class State(NamedTuple):
    """After `step` steps; `preactivations` and `motion` are gone with the next step."""

    step: int
    residual: np.ndarray  # y - u, (count,)
    preactivations: jax.Array  # (count, width)
    motion: jax.Array  # (count, width), C

    @property
    def loss(self) -> float:
        """|y - u|^2, in double precision."""
        return float(np.sum(np.square(self.residual, dtype=np.float64)))


def descend(start: Start, steps: int) -> Iterator[State]:
    """The states 0..steps of full-batch gradient descent."""
    z0, a = jnp.asarray(start.preactivations), jnp.asarray(start.signs)
    z, motion = jnp.copy(z0), jnp.zeros_like(z0)
    gram, labels = jnp.asarray(start.gram), jnp.asarray(start.labels)
    residual = _residual(start.activation, z, a, labels, start.scale)
    yield State(0, np.asarray(residual), z, motion)
    for step in range(1, steps + 1):
        z, motion, a, residual = _step(
            start.activation, start.readout, z, motion, a, residual, z0, gram, labels, start.scale,
            start.learning_rate,
        )  # fmt: skip
        yield State(step, np.asarray(residual), z, motion)


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 3))
def _step(activation, readout, z, motion, a, residual, z0, gram, labels, scale, learning_rate):
    """(Z, C, a, y - u) of the next state."""
    sigma, pull = ACTIVATIONS[activation], learning_rate * scale * residual
    motion = motion + sigma.slope(z) * pull[:, None] * a
    increment = pull @ sigma.value(z) if readout else 0.0
    z, a = z0 + gram @ motion, a + increment
    return z, motion, a, _residual(activation, z, a, labels, scale)


@functools.partial(jax.jit, static_argnums=0)
def _residual(activation, z, a, labels, scale):
    return labels - scale * (ACTIVATIONS[activation].value(z) @ a)


def weight_norms(start: Start, state: State) -> np.ndarray:
    """|w_r(k) - w_r(0)| of every neuron, (width,)."""
    motion = np.asarray(state.motion)
    products = np.einsum("ir,ir->r", motion, start.gram @ motion, dtype=np.float64)
    return np.sqrt(np.maximum(products, 0))


def pattern_changes(start: Start, state: State) -> float:
    """Share of the (neuron, sample) pairs whose preactivation has changed sign."""
    now = np.asarray(state.preactivations)
    return float(np.mean((now > 0) != (start.preactivations > 0)))


def gram_of_gradients(start: Start, preactivations) -> np.ndarray:
    """H_ij = x_i.x_j (1/m) sum_r sigma'(z_ri) sigma'(z_rj), equation (6) for ReLU."""
    slopes = _slopes(start, np.asarray(preactivations))
    return layer_ntk(start.gram, slopes) / slopes.shape[1]


def first_order_norms(start: Start, push: np.ndarray) -> np.ndarray:
    """|w_r(k) - w_r(0)| if no pattern changed, (width,).

    push (count,): sum over steps of eta times the residual, in the limit H^-1 (1 - (1-eta H)^k) r.
    """
    slopes = _slopes(start, start.preactivations)
    pushes = slopes * push.astype(slopes.dtype)[:, None]
    squares = np.einsum("ir,ir->r", start.gram @ pushes, pushes, dtype=np.float64)
    return np.sqrt(np.maximum(squares / slopes.shape[1], 0))


def _slopes(start: Start, preactivations: np.ndarray) -> np.ndarray:
    return np.asarray(ACTIVATIONS[start.activation].slope(preactivations))


def first_order_changes(start: Start, pushes: np.ndarray, neurons: int) -> np.ndarray:
    """Expected share of pattern changes to first order in m^(-1/2), for each column of `pushes`.

    phi(0) / (2 sqrt m) E[S], S = |s_off| + |s_on|, with s_off and s_on the integrated pushes on
    z_ri at z_ri = 0 without and with sample i itself. Where they oppose each other, a neuron that
    reaches its kink sticks to it and is off for a share |s_on| / (|s_off| + |s_on|) of the time, so
    that S = (s_off^2 + s_on^2) / (|s_off| + |s_on|) there. The average is over samples i and over
    `neurons` patterns made from the given ones by conditioning on z_ri = 0.
    """
    z, gram = start.preactivations[:, :neurons].T, start.gram
    total = np.zeros(pushes.shape[1])
    for i, row in enumerate(gram):
        active = (z - np.outer(z[:, i], row / row[i])) > 0
        active[:, i] = False
        off = active.astype(gram.dtype) @ (row[:, None] * pushes)
        on = off + row[i] * pushes[i]
        reach = np.abs(off) + np.abs(on)
        stuck = (off**2 + on**2) / np.where(reach > 0, reach, 1.0)
        total += np.mean(np.where(off * on < 0, stuck, reach), axis=0)
    density = 1 / np.sqrt(2 * np.pi)
    return density * total / len(gram) / (2 * np.sqrt(len(start.signs)))


def followed_changes(start: Start, pushes: np.ndarray) -> float:
    """Share of pattern changes to first order: each preactivation follows given pushes.

    pushes (steps, count): learning rate times residual. What neuron r hears of the other samples
    keeps its pattern of the start; of sample i itself it hears while z_ri > 0, so that it may stick
    to its kink. Against a real descent two things are missing, both of order m^(-1/2): the changes
    of other samples' patterns, and the network's own residuals, if those of the limit are given.
    """
    z0, gram = start.preactivations, start.gram
    own = np.diag(gram)[:, None]
    active, pull = (z0 > 0).astype(z0.dtype), start.scale * start.signs
    z = np.array(z0)
    for push in pushes[:, :, None]:
        others = gram @ (active * push) - own * active * push
        z += pull * (others + own * push * (z > 0))
    return float(np.mean((z > 0) != (z0 > 0)))
