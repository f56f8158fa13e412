"""Gradient descent on the first layer of f(x) = s sum_r a_r sigma(w_r.x), in the span of the data.

Every update of w_r is a combination of the inputs, so the preactivations Z = W X' (width, count)
and the coefficients C with W - W(0) = learning_rate * s * C X are the whole state: the input
dimension disappears, a step is one product of (width, count) with the Gram matrix G = X X' of
the inputs (Du et al. 2018, gradient (3), loss sum_i (f - y)^2 / 2). All arrays are preallocated.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import erf

from shared.ntk.empirical import layer_ntk


class Activation(NamedTuple):
    """sigma and its derivative, both written into `out`."""

    value: Callable[..., np.ndarray]
    slope: Callable[..., np.ndarray]


def _relu(z, out):
    return np.maximum(z, 0, out=out)


def _step(z, out):
    return np.greater(z, 0, out=out, casting="unsafe")


def _erf_slope(z, out):
    np.multiply(z, z, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    return np.multiply(out, 2 / np.sqrt(np.pi), out=out)


ACTIVATIONS = {
    "relu": Activation(_relu, _step),
    "erf": Activation(lambda z, out: erf(z, out=out), _erf_slope),
}


class Start(NamedTuple):
    """A network at initialization and its data.

    gram (count, count), labels (count,), preactivations (width, count), signs (width,): a_r.
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
    """After `step` steps; the arrays are the working buffers and change with the next step."""

    step: int
    residual: np.ndarray  # y - u, (count,)
    preactivations: np.ndarray  # (width, count)
    motion: np.ndarray  # (width, count), C
    shift: np.ndarray  # (width, count), Z - Z(0)

    @property
    def loss(self) -> float:
        """|y - u|^2, in double precision."""
        return float(np.sum(np.square(self.residual, dtype=np.float64)))


def descend(start: Start, steps: int) -> Iterator[State]:
    """The states 0..steps of full-batch gradient descent."""
    sigma = ACTIVATIONS[start.activation]
    z, z0, a = start.preactivations.copy(), start.preactivations, start.signs.copy()
    motion, shift, work = np.zeros_like(z), np.zeros_like(z), np.empty_like(z)
    factor = start.learning_rate * start.scale
    for step in range(steps + 1):
        residual = start.labels - start.scale * (a @ sigma.value(z, out=work))
        yield State(step, residual, z, motion, shift)
        if step == steps:
            return
        increment = factor * (work @ residual) if start.readout else 0.0
        sigma.slope(z, out=work)
        work *= residual
        work *= a[:, None]
        motion += work
        np.matmul(motion, start.gram, out=shift)
        shift *= factor
        np.add(z0, shift, out=z)
        a = a + increment


def weight_norms(start: Start, state: State) -> np.ndarray:
    """|w_r(k) - w_r(0)| of every neuron, (width,)."""
    products = np.einsum("ri,ri->r", state.motion, state.shift, dtype=np.float64)
    return np.sqrt(np.maximum(products * start.learning_rate * start.scale, 0))


def pattern_changes(start: Start, state: State) -> float:
    """Share of the (neuron, sample) pairs whose preactivation has changed sign."""
    return float(np.mean((state.preactivations > 0) != (start.preactivations > 0)))


def gram_of_gradients(start: Start, preactivations: np.ndarray) -> np.ndarray:
    """H_ij = x_i.x_j (1/m) sum_r sigma'(z_ri) sigma'(z_rj), equation (6) for ReLU."""
    slopes = ACTIVATIONS[start.activation].slope(preactivations, out=np.empty_like(preactivations))
    return layer_ntk(start.gram, slopes.T) / len(slopes)


def first_order_norms(start: Start, push: np.ndarray) -> np.ndarray:
    """|w_r(k) - w_r(0)| if no pattern changed, (width,).

    push (count,): sum over steps of eta times the residual, in the limit H^-1 (1 - (1-eta H)^k) r.
    """
    slopes = ACTIVATIONS[start.activation].slope(
        start.preactivations, out=np.empty_like(start.preactivations)
    )
    slopes *= push.astype(slopes.dtype)
    squares = np.einsum("ri,ri->r", slopes @ start.gram, slopes, dtype=np.float64)
    return np.sqrt(np.maximum(squares / len(slopes), 0))


def first_order_changes(start: Start, pushes: np.ndarray, neurons: int) -> np.ndarray:
    """Expected share of pattern changes to first order in m^(-1/2), for each column of `pushes`.

    phi(0) / (2 sqrt m) E[S], S = |s_off| + |s_on|, with s_off and s_on the integrated pushes on
    z_ri at z_ri = 0 without and with sample i itself. Where they oppose each other, a neuron that
    reaches its kink sticks to it and is off for a share |s_on| / (|s_off| + |s_on|) of the time, so
    that S = (s_off^2 + s_on^2) / (|s_off| + |s_on|) there. The average is over samples i and over
    `neurons` patterns made from the given ones by conditioning on z_ri = 0.
    """
    z, gram = start.preactivations[:neurons], start.gram
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
