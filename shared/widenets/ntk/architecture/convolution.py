"""Layers on images (N, height, width, channels): conv, pooling, flatten.

Pairs of positions are taken displacement by displacement: at displacement D all positions p of x
are paired with p + D of x', as if x' had been shifted. A convolution then never mixes different
displacements, `flatten` reads D = 0 only, and pooling sums over D, so that the memory is
O(pairs of images x positions) and not O(pairs x positions^2). Positions lie on a torus, where
every pair of positions occurs exactly once; a tap that leaves the image on either side is masked.

Every window, stride and padding is exact here, traced by jax. `kernel_in_blocks` has a loop that is
several times faster for SAME, stride 1, odd windows and one global pooling (`tiles.images`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from widenets.ntk.architecture import law
from widenets.ntk.architecture.activations import parameter_free
from widenets.ntk.architecture.affine import (
    affine,
    affine_output,
    affine_parameters,
    affine_step,
    checked_parameterization,
    kept,
)
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import (
    Pairs,
    State,
    alike,
    apart,
    merge,
    remember,
    scale,
    shifted,
)
from widenets.ntk.checks import (
    checked_count,
    checked_keywords,
    checked_number,
    checked_pair_of_counts,
    checked_shape,
    checked_switch,
)
from widenets.ntk.engine.chord import pooled_chords, safe_sqrt
from widenets.ntk.engine.fused import Box, Pool

PADDINGS = ("SAME", "VALID", "CIRCULAR")


class Window(NamedTuple):
    """Positions stride P + a - low, a = 0 .. size - 1, of one axis are read by output P."""

    size: int
    stride: int
    padding: str

    def low(self, length: int) -> int:
        """Padding before the first position."""
        return self.paddings(length)[0]

    def paddings(self, length: int) -> tuple[int, int]:
        """Padding before and after, as lax does it."""
        if self.padding == "VALID":
            return 0, 0
        total = max((self.outputs(length) - 1) * self.stride + self.size - length, 0)
        return total // 2, total - total // 2

    def outputs(self, length: int) -> int:
        """Number of output positions."""
        if self.padding == "VALID":
            if length < self.size:
                raise ValueError(f"a window of {self.size} does not fit into {length} positions")
            return (length - self.size) // self.stride + 1
        if self.padding == "CIRCULAR" and length % self.stride:
            raise ValueError(
                f"CIRCULAR padding needs a length divisible by the stride {self.stride}, "
                f"found {length}"
            )
        return -(-length // self.stride)

    def taps(self, length: int, torus: int, displacement):
        """For each a: whether x and whether x' reads inside at each output position."""
        outputs = jnp.arange(torus // self.stride)
        others = (outputs + displacement) % len(outputs)
        if self.padding == "CIRCULAR":
            if torus != length:
                raise ValueError(
                    "CIRCULAR padding needs a length divisible by all strides that follow, "
                    f"found {length}"
                )
            inside = jnp.ones(len(outputs), bool)
            return [(inside, inside)] * self.size
        valid, taps = self.outputs(length), []
        for start in (a - self.low(length) for a in range(self.size)):
            one, two = (
                (p < valid) & (self.stride * p + start >= 0) & (self.stride * p + start < length)
                for p in (outputs, others)
            )
            taps.append((one, two))
        return taps


def _windows(sizes, strides, padding: str, name: str) -> tuple[Window, Window]:
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {PADDINGS}, found {padding!r}")
    sizes, strides = checked_pair_of_counts(sizes, name), checked_pair_of_counts(strides, "stride")
    return tuple(Window(size, stride, padding) for size, stride in zip(sizes, strides, strict=True))


def _read(array, tap: int, window: Window, inside, axis: int):
    """array, continued by `_continued`, at positions stride P + tap of one axis; 0 outside."""
    taken = lax.slice_in_dim(
        array, tap, tap + window.stride * (len(inside) - 1) + 1, window.stride, axis
    )
    shape = [1] * taken.ndim
    shape[axis] = -1
    return jnp.where(inside.reshape(shape), taken, 0)


def _continued(array, window: Window, length: int, axis: int):
    """array continued along the torus, so that all taps of a window are slices of it."""
    pads = [(0, 0)] * array.ndim
    pads[axis] = (window.low(length), window.size)
    return jnp.pad(array, pads, mode="wrap")


def _images(state: State, layer: str) -> State:
    if not state.extent:
        raise ValueError(f"{layer} needs images (inputs, height, width, channels), found vectors")
    return state


def _strided(displacement, windows):
    # The same object where nothing changes: layers know a displacement that is traced by that.
    return tuple(
        d if w.stride == 1 else w.stride * d for w, d in zip(windows, displacement, strict=True)
    )


def _box_variance(variance, extent, windows):
    """Mean over each window (zeros outside) of a field on the torus."""
    for axis, window in enumerate(windows):
        taps = window.taps(extent[axis], variance.shape[axis], 0)
        field = _continued(variance, window, extent[axis], axis)
        variance = sum(_read(field, a, window, one, axis) for a, (one, _) in enumerate(taps))
    return variance / (windows[0].size * windows[1].size)


def _box_pairs(state: State, windows, displacement) -> Pairs:
    """Mean over one window of pairs, tap by tap at the same place on both sides."""
    before = _strided(displacement, windows)
    fields = (*state.pairs(before), state.variance1, shifted(state.variance2, before))
    for axis, window in enumerate(windows):
        length = state.extent[axis]
        taps = window.taps(length, fields[3].shape[axis], displacement[axis])

        def along(*fields, axis=axis, window=window, taps=taps):
            def read(field, insides):
                return [_read(field, a, window, inside, axis) for a, inside in enumerate(insides)]

            ones, twos = zip(*taps, strict=True)
            both = [one & two for one, two in taps]
            parts = zip(*(read(field, both) for field in fields[:3]), strict=True)
            q1, q2 = read(fields[3], ones), read(fields[4], twos)
            roots, others = ([safe_sqrt(q) for q in qs] for qs in (q1, q2))
            return *merge([Pairs(*part) for part in parts], roots, others), sum(q1), sum(q2)

        def continued(*fields, axis=axis, window=window, length=length):
            return tuple(_continued(field, window, length, axis) for field in fields)

        fields = apart(state, along, *apart(state, continued, *fields))
    return scale(Pairs(*fields[:3]), 1 / (windows[0].size * windows[1].size))


def _wrapped(x, windows):
    """x continued periodically, so that a VALID window gives the CIRCULAR one."""
    pads = [w.paddings(length) for w, length in zip(windows, x.shape[1:3], strict=True)]
    return jnp.pad(x, [(0, 0), *pads, (0, 0)], mode="wrap")


@checked_keywords
def conv(
    channels: int,
    kernel_size=3,
    stride=1,
    padding: str = "SAME",
    weight_variance=1.0,
    bias_variance=0.0,
    parameterization: str = "ntk",
    trained: bool = True,
) -> Architecture:
    """Convolution; as `dense` with fan_in = channels read x kernel_size^2 at every position.

    kernel_size, stride: a number or (rows, columns). padding: "SAME" and "VALID" as in lax,
    zeros outside; "CIRCULAR" wraps around. fan_in counts the zeros at the borders too.
    params: dict(weight=(rows, columns, channels read, channels), bias=(channels,)).
    K'[p, p'] = weight_variance / kernel_size^2 sum_a K[p + a, p' + a] + bias_variance.
    """
    channels = checked_count(channels, "channels")
    windows = _windows(kernel_size, stride, padding, "kernel_size")
    weights = checked_number(weight_variance, "weight_variance", least=0)
    biases = checked_number(bias_variance, "bias_variance", least=0)
    standard = checked_parameterization(parameterization) == "standard"
    trained = checked_switch(trained, "trained")
    taps = windows[0].size * windows[1].size

    def init(key, input_shape, dtype=jnp.float32):
        if len(checked_shape(input_shape)) != 3:
            raise ValueError(f"conv needs (height, width, channels), found {input_shape}")
        shape = (windows[0].size, windows[1].size, input_shape[-1], channels)
        return affine_parameters(
            key, shape, taps * input_shape[-1], weights, biases, standard, dtype
        )

    def apply(params, x, key=None):
        params = kept(params, trained)
        circular = padding == "CIRCULAR"
        output = lax.conv_general_dilated(
            _wrapped(x, windows) if circular else x,
            params["weight"],
            window_strides=[w.stride for w in windows],
            padding="VALID" if circular else padding,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            precision=lax.Precision.HIGHEST,
        )
        return affine_output(params, output, taps * x.shape[-1], weights, biases, standard)

    def propagate(state: State) -> State:
        state = _images(state, "conv")
        variances = tuple(
            _box_variance(q, state.extent, windows) for q in (state.variance1, state.variance2)
        )
        mixed = remember(lambda displacement: _box_pairs(state, windows, displacement))
        step = affine_step(weights, biases, taps * state.fan_in, standard, trained)
        after = affine(state, mixed, variances, step, channels)
        return after._replace(extent=_outputs(state.extent, windows))

    plain = padding == "SAME" and all(w.stride == 1 and w.size % 2 for w in windows)
    traced = any(isinstance(v, jax.core.Tracer) for v in (weights, biases))
    steps = None
    if plain and not standard and not traced:
        step = affine_step(weights, biases, 0, standard, trained)
        steps = (Box(windows[0].size, windows[1].size), step)
    strides = tuple(w.stride for w in windows)
    return Architecture(init, apply, alike(propagate), law.affine, "conv", strides, steps)


def _outputs(extent, windows):
    return tuple(w.outputs(length) for w, length in zip(windows, extent, strict=True))


@checked_keywords
def average_pool(window=2, stride=None, padding: str = "VALID") -> Architecture:
    """Mean over each window (zeros outside counted); the stride defaults to the window.

    K'[p, p'] = mean over a, b of K[p + a, p' + b]: reads (2 window - 1)^2 displacements.
    """
    windows = _windows(window, window if stride is None else stride, padding, "window")
    count = windows[0].size * windows[1].size

    def apply(x):
        circular = padding == "CIRCULAR"
        total = lax.reduce_window(
            _wrapped(x, windows) if circular else x,
            x.dtype.type(0),  # a number known while tracing: only then is it differentiable
            lax.add,
            (1, *(w.size for w in windows), 1),
            (1, *(w.stride for w in windows), 1),
            "VALID" if circular else padding,
        )
        return total / count

    def pairs_sum(state: State, displacement) -> tuple:
        """Sums of K and Theta over both windows independently: one offset b - a at a time."""
        before = _strided(displacement, windows)
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
                    read = (b >= 0) & (b < w.size)
                    insides.append(one & twos[axis][jnp.clip(b, 0, w.size - 1)] & read)
                fields = [_continued(field, w, state.extent[axis], axis) for field in fields]
                fields = [
                    sum(_read(field, a, w, inside, axis) for a, inside in enumerate(insides))
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
        state = _images(state, "average_pool")
        after = _pooled(
            state,
            lambda displacement: pairs_sum(state, displacement),
            selves=tuple(propagate(one) for one in state.selves),
            extent=_outputs(state.extent, windows),
            origin=(0, 0),
        )
        means = (
            mean if jnp.ndim(mean) == 0 else _box_variance(mean, state.extent, windows)
            for mean in (state.mean1, state.mean2)
        )
        return after._replace(**dict(zip(("mean1", "mean2"), means, strict=True)))

    return Architecture(
        lambda key, input_shape, dtype=jnp.float32: (),
        lambda params, x, key=None: apply(x),
        propagate,
        law.linear("average_pool"),
        "average_pool",
        tuple(w.stride for w in windows),
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
    """Mean over all positions: (N, height, width, channels) -> (N, channels).

    K' = mean over all p, p' of K[p, p']: one displacement at a time.
    """

    def propagate(state: State) -> State:
        state = _images(state, "global_average_pool")
        rows, columns = state.variance1.shape[:2]

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
            return tuple(total / (state.extent[0] * state.extent[1]) ** 2 for total in totals)

        after = _pooled(
            state,
            remember(sums),
            selves=tuple(propagate(one) for one in state.selves),
            extent=(),
            origin=(),
        )
        means = (m if jnp.ndim(m) == 0 else _position_mean(m, state) for m in state.means)
        return after._replace(selves=(), **dict(zip(("mean1", "mean2"), means, strict=True)))

    name = "global_average_pool"
    layer = parameter_free(name, lambda x: jnp.mean(x, axis=(1, 2)), propagate, law.linear(name))
    return replace(layer, steps=(Pool(),))


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
    """(N, height, width, channels) -> (N, height width channels).

    K' = mean over positions of K[p, p]: only displacement 0 is ever computed.
    """

    def propagate(state: State) -> State:
        state = _images(state, "flatten")
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

    return parameter_free(
        "flatten", lambda x: x.reshape(len(x), -1), propagate, law.spoiling("flatten")
    )
