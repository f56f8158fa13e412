"""Layers that take the positions of images together: pooling and flatten.

Pooling sums over displacements (see `convolution`), `flatten` reads displacement 0 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import prod

import jax
import jax.numpy as jnp
from jax import lax

from widenets.ntk.architecture import law
from widenets.ntk.architecture.activations import parameter_free
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs, State, merge, remember, shifted
from widenets.ntk.architecture.windows import (
    along_positions,
    box_variance,
    continued,
    images,
    outputs_of,
    read,
    strided,
    windows_of,
    windows_on,
    wrapped,
)
from widenets.ntk.checks import checked_keywords
from widenets.ntk.engine.chord import safe_sqrt
from widenets.ntk.engine.fused import Flat, Means, Pool, pooled_chords


@checked_keywords
def average_pool(window=2, stride=None, padding: str = "VALID") -> Architecture:
    """Mean over each window (zeros outside counted); the stride defaults to the window.

    On sequences (N, positions, channels) a number is the window along the positions.

    K'[p, p'] = mean over a, b of K[p + a, p' + b]: reads (2 window - 1)^2 displacements.
    """
    return _window_pool("average_pool", window, stride, padding, total=False)


@checked_keywords
def sum_pool(window=2, stride=None, padding: str = "VALID") -> Architecture:
    """Sum over each window: `average_pool` times the count of its positions.

    K'[p, p'] = sum over a, b of K[p + a, p' + b], and Theta' likewise.
    """
    return _window_pool("sum_pool", window, stride, padding, total=True)


def _window_pool(name: str, window, stride, padding: str, total: bool) -> Architecture:
    windows = windows_of(window, window if stride is None else stride, padding, "window")

    def apply(x):
        circular, own = padding == "CIRCULAR", windows_on(windows, x.ndim, name)
        sums = lax.reduce_window(
            wrapped(x, own) if circular else x,
            x.dtype.type(0),  # a number known while tracing: only then is it differentiable
            lax.add,
            (1, *(w.size for w in own), 1),
            (1, *(w.stride for w in own), 1),
            "VALID" if circular else padding,
        )
        return sums if total else sums / prod(w.size for w in own)

    def pairs_sum(state: State, windows, count: int, displacement) -> tuple:
        """Sums of K and Theta over both windows independently: one offset b - a at a time."""
        before = strided(displacement, windows)
        taps = [
            w.taps(state.extent[axis], state.variance1.shape[axis], displacement[axis])
            for axis, w in enumerate(windows)
        ]
        twos = [jnp.stack([two for _, two in axis_taps]) for axis_taps in taps]

        def part(offset):
            pairs = state.pairs(tuple(d + o for d, o in zip(before, offset, strict=True)))
            fields = [pairs.nngp, pairs.ntk]
            for axis, w in enumerate(windows):
                insides = []
                for a, (one, _) in enumerate(taps[axis]):
                    b = a + offset[axis]
                    within = (b >= 0) & (b < w.size)
                    insides.append(one & twos[axis][jnp.clip(b, 0, w.size - 1)] & within)
                fields = [continued(field, w, state.extent[axis], axis) for field in fields]
                fields = [
                    sum(read(field, a, w, inside, axis) for a, inside in enumerate(insides))
                    for field in fields
                ]
            return tuple(field / count**2 for field in fields)

        offsets = jnp.array(list(product(*(range(1 - w.size, w.size) for w in windows))))
        shapes = jax.eval_shape(part, tuple(offsets[0]))
        sums, _ = lax.scan(
            lambda sums, offset: (jax.tree.map(jnp.add, sums, part(tuple(offset))), None),
            jax.tree.map(lambda like: jnp.zeros(like.shape, like.dtype), shapes),
            offsets,
        )
        return sums

    def propagate(state: State) -> State:
        state = images(state, name)
        own = along_positions(windows, name) if state.sequence else windows
        positions = own[0].size * own[1].size
        count = 1 if total else positions
        after = _pooled(
            state,
            lambda displacement: pairs_sum(state, own, count, displacement),
            selves=tuple(propagate(one) for one in state.selves),
            extent=outputs_of(state.extent, own),
            origin=(0, 0),
        )
        means = (
            mean if jnp.ndim(mean) == 0 else box_variance(mean, state.extent, own)
            for mean in (state.mean1, state.mean2)
        )
        means = (mean * (positions / count) for mean in means)
        return after._replace(**dict(zip(("mean1", "mean2"), means, strict=True)))

    apart = padding == "VALID" and all(w.stride == w.size for w in windows)
    return Architecture(
        lambda key, input_shape, dtype=jnp.float32: (),
        lambda params, x, key=None: apply(x),
        propagate,
        law.linear(name),
        name,
        tuple(w.stride for w in windows),
        steps=(Means(*(w.size for w in windows), total),) if apart else None,
    )


def _pooled(state: State, sums: Callable, selves, extent, origin) -> State:
    """State with K and Theta = sums(displacement), whose variances are K(x, x) of the `selves`."""
    if selves:
        variance1, variance2 = selves[0].variance1, selves[1].variance2
    else:
        variance1 = variance2 = sums(origin)[0]
        if jnp.ndim(state.same) == 2:  # all pairs of one batch: K(x, x) is on the diagonal
            diagonal = jnp.diagonal(variance1, axis1=-2, axis2=-1)
            variance1, variance2 = diagonal[..., :, None], diagonal[..., None, :]

    def pairs(displacement):
        covariance, ntk = sums(displacement)
        return Pairs(*pooled_chords(covariance, variance1, shifted(variance2, displacement)), ntk)

    return state._replace(
        variance1=variance1,
        variance2=variance2,
        pairs=remember(pairs),
        extent=extent,
        selves=selves,
    )


def global_average_pool() -> Architecture:
    """Mean over all positions: (N, height, width, channels) -> (N, channels); of sequences too.

    K' = mean over all p, p' of K[p, p']: one displacement at a time.
    """
    return _global_pool("global_average_pool", jnp.mean, total=False)


def global_sum_pool() -> Architecture:
    """Sum over all positions: `global_average_pool` times their count, K' times its square."""
    return _global_pool("global_sum_pool", jnp.sum, total=True)


def _global_pool(name: str, function: Callable, total: bool) -> Architecture:
    def propagate(state: State) -> State:
        state = images(state, name)
        rows, columns = state.variance1.shape[:2]
        positions = state.extent[0] * state.extent[1]
        count = 1 if total else positions

        def sums(_):
            steps = jnp.stack(jnp.divmod(jnp.arange(rows * columns), columns), axis=1)
            shape = jax.eval_shape(lambda: state.pairs(tuple(steps[0])).ntk).shape[2:]
            zero = jnp.zeros(shape, state.variance1.dtype)

            def add(totals, displacement):
                displacement = (displacement[0], displacement[1])
                pairs = state.pairs(displacement)
                inside = _inside(state, displacement)
                fields = (
                    jnp.sum(jnp.where(inside, field, 0), axis=(0, 1))
                    for field in (pairs.nngp, pairs.ntk)
                )
                return tuple(t + f for t, f in zip(totals, fields, strict=True)), None

            totals, _ = lax.scan(add, (zero, zero), steps)
            return tuple(total / count**2 for total in totals)

        after = _pooled(
            state,
            remember(sums),
            selves=tuple(propagate(one) for one in state.selves),
            extent=(),
            origin=(),
        )
        means = (m if jnp.ndim(m) == 0 else _position_mean(m, state) for m in state.means)
        means = (mean * (positions / count) for mean in means)
        return after._replace(selves=(), **dict(zip(("mean1", "mean2"), means, strict=True)))

    def apply(x):
        if x.ndim not in (3, 4):
            raise ValueError(f"{name} needs images or sequences, found shape {x.shape}")
        return function(x, axis=tuple(range(1, x.ndim - 1)))

    layer = parameter_free(name, apply, propagate, law.linear(name))
    return replace(layer, steps=(Pool(total),))


def _inside(state: State, displacement):
    """Whether positions p and p + displacement both lie in the image, (rows, columns, 1, 1)."""
    insides = []
    for axis in (0, 1):
        size = state.variance1.shape[axis]
        positions = jnp.arange(size)
        both = (positions < state.extent[axis]) & (
            (positions + displacement[axis]) % size < state.extent[axis]
        )
        shape = [1] * state.variance1.ndim
        shape[axis] = -1
        insides.append(both.reshape(shape))
    return insides[0] & insides[1]


def _position_mean(field, state: State):
    inside = _inside(state, (0, 0))
    return jnp.sum(jnp.where(inside, field, 0), axis=(0, 1)) / (state.extent[0] * state.extent[1])


def flatten() -> Architecture:
    """(N, height, width, channels) -> (N, height width channels); of sequences too.

    K' = mean over positions of K[p, p]: only displacement 0 is ever computed.
    """

    def propagate(state: State) -> State:
        state = images(state, "flatten")
        positions = state.extent[0] * state.extent[1]

        def listed(field):
            """Field inside the image, positions in one axis."""
            field = field[: state.extent[0], : state.extent[1]]
            return field.reshape(positions, *field.shape[2:])

        def pairs(_):
            parts = Pairs(*(listed(field) for field in state.pairs((0, 0))))
            q1, q2 = listed(state.variance1), listed(state.variance2)
            while len(q1) > 1:  # a tree, so that few terms merge at a time
                half, odd = divmod(len(q1), 2)
                folded = [
                    [array[:half], array[half : 2 * half], array[2 * half :]]
                    for array in (*parts, q1, q2)
                ]
                one, two, rest = zip(*folded, strict=True)
                both = merge(
                    (Pairs(*one[:3]), Pairs(*two[:3])),
                    (safe_sqrt(one[3]), safe_sqrt(two[3])),
                    (safe_sqrt(one[4]), safe_sqrt(two[4])),
                )
                merged = (*both, one[3] + two[3], one[4] + two[4])
                if odd:
                    merged = tuple(
                        jnp.concatenate([a, b]) for a, b in zip(merged, rest, strict=True)
                    )
                parts, q1, q2 = Pairs(*merged[:3]), merged[3], merged[4]
            return Pairs(*(field[0] / positions for field in parts))

        means = (m if jnp.ndim(m) == 0 else _position_mean(m, state) for m in state.means)
        return state._replace(
            variance1=_position_mean(state.variance1, state),
            variance2=_position_mean(state.variance2, state),
            pairs=remember(pairs),
            fan_in=state.fan_in * positions,
            extent=(),
            selves=(),
            **dict(zip(("mean1", "mean2"), means, strict=True)),
        )

    layer = parameter_free(
        "flatten", lambda x: x.reshape(len(x), -1), propagate, law.spoiling("flatten")
    )
    return replace(layer, steps=(Flat(),))
