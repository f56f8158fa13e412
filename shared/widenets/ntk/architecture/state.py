"""What one layer hands to the next in the limit of infinite width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from widenets.ntk.engine.chord import cauchy_gap

Array = jax.Array


class Kernels(NamedTuple):
    """Covariance and tangent kernel of one output unit, each (N1, N2)."""

    nngp: Array
    ntk: Array


def widened(x):
    """x in float64 if jax has it."""
    return x.astype(np.float64) if jax.config.jax_enable_x64 else x


Displacement = tuple  # () for vectors, (dy, dx) for images


class Pairs(NamedTuple):
    """Covariances of pairs of inputs; arrays of shape (*positions, N1, N2)."""

    deficit: Array  # sqrt(q q') - K
    surplus: Array  # sqrt(q q') + K
    ntk: Array  # Theta

    @property
    def nngp(self) -> Array:
        return (self.surplus - self.deficit) / 2


class State(NamedTuple):
    """Gaussian process of one layer's units, together with its tangent kernel.

    Every array ends in batch axes that broadcast: variance1 (*positions, N1, 1) and variance2
    (*positions, 1, N2), so that a formula written for one pair serves all pairs. Positions of
    images lie on a torus at least as large as the image; only those inside `extent` count.
    """

    variance1: Array  # q(x) = K(x, x) at each position
    variance2: Array
    pairs: Callable[[Displacement], Pairs]  # position p of x with position p + displacement of x'
    same: Array | None  # (N1, N2) true where x and x' are one and the same input; None: nowhere
    fan_in: int  # units (channels) per position that the next layer reads
    extent: tuple[int, ...] = ()  # (height, width) of images, () for vectors
    sequence: bool = False  # images of height 1 that are sequences (N, positions, channels)
    mean1: Array | float = 0.0  # mean over the units, nonzero after an activation
    mean2: Array | float = 0.0
    masks: bool = False  # whether dropout draws masks, independently for every input
    selves: tuple[State, ...] = ()  # images with an x2: the pairs (x, x) and (x', x')

    @property
    def shape(self) -> str:
        """What the inputs of the next layer are called."""
        if not self.extent:
            return "vectors"
        return f"sequences of {self.extent[1]}" if self.sequence else f"images of {self.extent}"

    @property
    def means(self) -> tuple[Array | float, Array | float]:
        return self.mean1, self.mean2


def alike(layer: Callable[[State], State]) -> Callable[[State], State]:
    """The layer applied to the state and to its `selves`."""

    def propagate(state: State) -> State:
        return layer(state)._replace(selves=tuple(propagate(one) for one in state.selves))

    return propagate


def shifted(array: Array, displacement: Displacement) -> Array:
    """The field at position + displacement (cyclic), for every position."""
    return jnp.roll(array, [-d for d in displacement], axis=(0, 1)) if displacement else array


def remember(pairs: Callable[[Displacement], Pairs]) -> Callable[[Displacement], Pairs]:
    """`pairs` that computes each displacement once, however many branches read it."""
    known: dict[int, tuple[Displacement, Pairs]] = {}

    def remembered(displacement: Displacement) -> Pairs:
        # Displacements may be traced and so not hashable: keyed by identity, kept alive by storing.
        if id(displacement) not in known:
            known[id(displacement)] = (displacement, pairs(displacement))
        return known[id(displacement)][1]

    return remembered


def apart(state: State, function: Callable, *arguments):
    """function(*arguments), of images compiled as a computation of its own.

    Left to itself XLA fuses a layer into the next one and evaluates it again at every tap of the
    window. It does not fuse across a conditional whose predicate it cannot foresee: here whether
    a variance is a number, and if it is not, neither is the result.
    """
    if not state.extent:
        return function(*arguments)
    shapes = jax.eval_shape(function, *arguments)
    number = state.variance1.reshape(-1)[0] >= 0

    def undefined(*_):
        return jax.tree.map(lambda like: jnp.full(like.shape, jnp.nan, like.dtype), shapes)

    return lax.cond(number, function, undefined, *arguments)


def elementwise(function, variance, of_one=lambda q: (q,)) -> Callable[[State], State]:
    """Map of states: function(pairs, *of_one(q), *of_one(q')) and variance(q)."""

    def propagate(state: State) -> State:
        one, two = of_one(state.variance1), of_one(state.variance2)

        def pairs(displacement):
            others = (shifted(field, displacement) for field in two)
            return apart(state, function, state.pairs(displacement), *one, *others)

        return state._replace(
            variance1=variance(state.variance1),
            variance2=variance(state.variance2),
            pairs=remember(pairs),
        )

    return propagate


def merge(parts: Sequence[Pairs], roots, others) -> Pairs:
    """Sum of independent processes with standard deviations `roots` (of x) and `others` (of x')."""
    gap = cauchy_gap(roots, others)
    deficit, surplus, ntk = (sum(arrays) for arrays in zip(*parts, strict=True))
    return Pairs(deficit + gap, surplus + gap, ntk)


def scale(pairs: Pairs, factor) -> Pairs:
    """Both kernels times a factor (a number, or an array that broadcasts)."""
    return Pairs(*(factor * array for array in pairs))
