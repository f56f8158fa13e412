"""Signal propagation: the kernels of a deep network at many depths in one pass, and what they tend
to.

For inputs of one variance a layer h -> W phi(h) + b, W_ij ~ N(0, sw2 / n), b ~ N(0, sb2), is a map
of three numbers of a pair of inputs (Poole et al. 2016; Schoenholz et al. 2017):

    variance   q' = Q(q) = sw2 E[phi(u)^2] + sb2
    gap        1 - c, with c' = C(c) = (sw2 E[phi(u) phi(v)] + sb2) / Q(q) the correlation
    ntk        Theta' = q' c' + sw2 E[phi'(u) phi'(v)] Theta

over (u, v) ~ N(0, q [[1, c], [c, 1]]). The gap is carried, not c: no digits are lost near c = 1.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs, State

BISECTIONS = 64  # halvings of a bracket: to the last bit of float64


class Signal(NamedTuple):
    """Pairs of inputs of equal variance; arrays of one shape (of any rank)."""

    variance: Array  # q
    gap: Array  # 1 - c
    ntk: Array  # Theta


class FixedPoint(NamedTuple):
    """Where the maps Q and C come to rest, and their slopes there; arrays of one shape."""

    variance: Array  # q* = Q(q*)
    gap: Array  # 1 - c*, the stable fixed point of C at q = q*
    variance_slope: Array  # Q'(q*)
    chi_1: Array  # C'(1) = sw2 E[phi'^2]
    chi_c: Array  # C'(c*)
    second: Array  # C''(1) = sw2 q* E[phi''^2]
    third: Array  # C'''(1) = sw2 q*^2 E[phi'''^2]


def state_of(signal: Signal) -> State:
    """The signal as a state of `widenets.ntk.architecture`, each pair of two different inputs."""
    pairs = Pairs(signal.variance * signal.gap, signal.variance * (2 - signal.gap), signal.ntk)
    return State(signal.variance, signal.variance, lambda _: pairs, None, 1)


def signal_of(state: State) -> Signal:
    """Back from a state; its inputs still have one variance."""
    pairs = state.pairs(())
    return Signal(state.variance1, pairs.deficit / state.variance1, pairs.ntk)


def at_depths(layer: Architecture, start: Signal, depths) -> Signal:
    """The signal after the layer has been applied depths[0] < depths[1] < ... times.

    depths: (D,) integers >= 0, may be traced; every array of the result is (D, *shape of start).
    `layer` maps pre-activations to pre-activations, such as serial(erf(), dense(1, sw2, sb2)); its
    variances may be traced arrays that broadcast against `start`. For use inside jit. Cost: one
    evaluation per layer up to the last depth, memory for the listed depths only.
    """
    shape = jnp.broadcast_shapes(*map(jnp.shape, start))
    start = Signal(*(jnp.broadcast_to(array, shape) for array in start))
    steps = jnp.diff(jnp.asarray(depths), prepend=0)

    def once(_, signal: Signal) -> Signal:
        return signal_of(layer.propagate(state_of(signal)))

    def to_next(signal: Signal, count) -> tuple[Signal, Signal]:
        signal = lax.fori_loop(0, count, once, signal)
        return signal, signal

    return lax.scan(to_next, start, steps)[1]


def correlation_map(activation: Architecture, weights, biases, keep, variance, gap):
    """(1 - C(c), C'(c)) at the fixed variance q*, from the gap 1 - c.

    keep < 1: each input has its own dropout mask, kept units are divided by `keep`. Then
    1 - C = sw2 (deficit + (1 / keep - 1) E[phi^2]) / q*, positive even at c = 1.
    """
    after = activation.propagate(state_of(Signal(variance, gap, jnp.ones_like(gap))))
    pairs = after.pairs(())
    deficit = pairs.deficit + (1 / keep - 1) * after.variance1
    return weights * deficit / (weights * after.variance1 / keep + biases), weights * pairs.ntk


def moments(activation: Architecture, variance) -> tuple[Array, Array]:
    """E[phi(u)^2] and E[phi'(u)^2] for u ~ N(0, variance)."""
    zero = jnp.zeros_like(variance)
    after = activation.propagate(state_of(Signal(variance, zero, zero + 1)))
    return after.variance1, after.pairs(()).ntk


@partial(jax.jit, static_argnums=0)
def edge_of_chaos(activation: Architecture, bias_variance) -> Array:
    """The sw2 at which chi_1 = 1, for phi smooth and bounded and sb2 > 0.

    On the edge q* = q determines both sw2 = 1 / E[phi'^2] and sb2 = q - sw2 E[phi^2], which grows
    with q: bisection in q.
    """
    bias_variance = jnp.asarray(bias_variance, float)

    def biases(q):
        square, slope = moments(activation, q)
        return q - square / slope

    # q - sb2 = E[phi^2] / E[phi'^2] is positive, and O(sqrt q) for large q.
    low, high = jnp.log(bias_variance), jnp.log(bias_variance + 1) + 12
    logarithm = _bisect(lambda at: biases(jnp.exp(at)) < bias_variance, low, high)
    return 1 / moments(activation, jnp.exp(logarithm))[1]


@partial(jax.jit, static_argnums=0)
def fixed_point(activation: Architecture, weight_variance, bias_variance, keep=1.0) -> FixedPoint:
    """q*, c* and the slopes there for h -> W phi(h) + b; arguments broadcast.

    phi is smooth (with a kink C'' does not exist) and Q(q) < q from some q < 2^40 on; sb2 > 0, or
    q* is 0 where sw2 phi'(0)^2 < 1. keep: see `correlation_map`; with keep < 1 c* < 1 always.
    Bisection, so that critical points cost no more than others.
    """
    arguments = (jnp.asarray(value, float) for value in (weight_variance, bias_variance, keep))
    weights, biases, keep = jnp.broadcast_arrays(*arguments)

    def variance_map(q):
        return weights / keep * moments(activation, q)[0] + biases

    def maps(gap):
        return correlation_map(activation, weights, biases, keep, variance, gap)

    largest = 2.0 ** jnp.arange(-20, 41)
    grows = jax.vmap(lambda q: variance_map(q * jnp.ones_like(weights)) > q)(largest)
    top = 2 * jnp.max(jnp.where(grows, largest.reshape(-1, *[1] * weights.ndim), 2.0**-21), axis=0)
    variance = _bisect(lambda q: variance_map(q) > q, jnp.zeros_like(top), top)
    slope = jax.jvp(variance_map, (variance,), (jnp.ones_like(variance),))[1]
    one = jnp.zeros_like(variance)
    chi_1, second, third = _derivatives(lambda gap: maps(gap)[1], one)
    # The gap grows from 0 where c = 1 is unstable (or no fixed point), and shrinks beyond 1 - c*.
    unstable = (chi_1 > 1) | (maps(one)[0] > 0)
    gap = _bisect(lambda gap: maps(gap)[0] > gap, one, one + 1)
    gap = jnp.where(unstable, gap, 0)
    return FixedPoint(variance, gap, slope, chi_1, maps(gap)[1], second, third)


def _bisect(below, low, high):
    """The place between low and high where `below` turns from true to false."""

    def halve(_, ends):
        middle = (ends[0] + ends[1]) / 2
        keep = below(middle)
        return jnp.where(keep, middle, ends[0]), jnp.where(keep, ends[1], middle)

    low, high = lax.fori_loop(0, BISECTIONS, halve, (low, high))
    return (low + high) / 2


def _derivatives(slope, gap):
    """C', C'', C''' at this gap, from gap -> C'; d/dc = -d/dgap."""

    def along(function):
        return lambda at: -jax.jvp(function, (at,), (jnp.ones_like(at),))[1]

    return slope(gap), along(slope)(gap), along(along(slope))(gap)
