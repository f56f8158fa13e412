"""Convolution of images (N, height, width, channels), and of sequences (N, positions, channels).

Pairs of positions are taken displacement by displacement: at displacement D all positions p of x
are paired with p + D of x', as if x' had been shifted. A convolution then never mixes different
displacements, `flatten` reads D = 0 only, and pooling sums over D, so that the memory is
O(pairs of images x positions) and not O(pairs x positions^2). Positions lie on a torus, where
every pair of positions occurs exactly once; a tap that leaves the image on either side is masked.
A sequence is an image of one row, on which windows have one row too.

Every window, stride and padding is exact here, traced by jax. `kernel_in_blocks` has a loop that is
several times faster for SAME, stride 1, odd windows and one global pooling (`tiles.images`).
"""

from __future__ import annotations

from math import prod

import jax
import jax.numpy as jnp
from jax import lax

from widenets.ntk.architecture import law
from widenets.ntk.architecture.affine import (
    affine,
    affine_output,
    affine_parameters,
    affine_step,
    kept,
    scales_of,
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
from widenets.ntk.checks import (
    checked_count,
    checked_keywords,
    checked_shape,
)
from widenets.ntk.engine.chord import safe_sqrt
from widenets.ntk.engine.fused import Box


def _box_pairs(state: State, windows, displacement) -> Pairs:
    """Mean over one window of pairs, tap by tap at the same place on both sides."""
    before = strided(displacement, windows)
    fields = (*state.pairs(before), state.variance1, shifted(state.variance2, before))
    for axis, window in enumerate(windows):
        length = state.extent[axis]
        taps = window.taps(length, fields[3].shape[axis], displacement[axis])

        def along(*fields, axis=axis, window=window, taps=taps):
            def taken(field, insides):
                return [read(field, a, window, inside, axis) for a, inside in enumerate(insides)]

            ones, twos = zip(*taps, strict=True)
            both = [one & two for one, two in taps]
            parts = zip(*(taken(field, both) for field in fields[:3]), strict=True)
            q1, q2 = taken(fields[3], ones), taken(fields[4], twos)
            roots, others = ([safe_sqrt(q) for q in qs] for qs in (q1, q2))
            return *merge([Pairs(*part) for part in parts], roots, others), sum(q1), sum(q2)

        def along_torus(*fields, axis=axis, window=window, length=length):
            return tuple(continued(field, window, length, axis) for field in fields)

        fields = apart(state, along, *apart(state, along_torus, *fields))
    return scale(Pairs(*fields[:3]), 1 / (windows[0].size * windows[1].size))


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
    zero_bias: bool = False,
) -> Architecture:
    """Convolution; as `dense` with fan_in = channels read x kernel_size^2 at every position.

    kernel_size, stride: a number or (rows, columns). padding: "SAME" and "VALID" as in lax,
    zeros outside; "CIRCULAR" wraps around. fan_in counts the zeros at the borders too.
    On sequences a number is the window along the positions, and the weight has no axis of rows.
    params: dict(weight=(rows, columns, channels read, channels), bias=(channels,)).
    K'[p, p'] = weight_variance / kernel_size^2 sum_a K[p + a, p' + a] + bias_variance.
    """
    channels = checked_count(channels, "channels")
    windows = windows_of(kernel_size, stride, padding, "kernel_size")
    scales = scales_of(weight_variance, bias_variance, parameterization, trained, zero_bias)

    def init(key, input_shape, dtype=jnp.float32):
        if len(checked_shape(input_shape)) not in (2, 3):
            raise ValueError(
                "conv needs (height, width, channels) or (positions, channels), found "
                f"{tuple(input_shape)}"
            )
        sizes = [w.size for w in windows_on(windows, len(input_shape) + 1, "conv")]
        shape = (*sizes, input_shape[-1], channels)
        return affine_parameters(key, shape, prod(shape[:-1]), scales, dtype)

    def apply(params, x, key=None):
        params = kept(params, scales.trained)
        circular, own = padding == "CIRCULAR", windows_on(windows, x.ndim, "conv")
        output = lax.conv_general_dilated(
            wrapped(x, own) if circular else x,
            params["weight"],
            window_strides=[w.stride for w in own],
            padding="VALID" if circular else padding,
            dimension_numbers=("NHWC", "HWIO", "NHWC") if x.ndim == 4 else ("NWC", "WIO", "NWC"),
            precision=lax.Precision.HIGHEST,
        )
        return affine_output(params, output, prod(params["weight"].shape[:-1]), scales)

    def propagate(state: State) -> State:
        state = images(state, "conv")
        own = along_positions(windows, "conv") if state.sequence else windows
        variances = tuple(
            box_variance(q, state.extent, own) for q in (state.variance1, state.variance2)
        )
        mixed = remember(lambda displacement: _box_pairs(state, own, displacement))
        step = affine_step(scales, own[0].size * own[1].size * state.fan_in)
        after = affine(state, mixed, variances, step, channels)
        return after._replace(extent=outputs_of(state.extent, own))

    plain = padding == "SAME" and all(w.stride == 1 and w.size % 2 for w in windows)
    traced = any(isinstance(v, jax.core.Tracer) for v in scales)
    steps = None
    if plain and not scales.standard and not traced:
        steps = (Box(windows[0].size, windows[1].size), affine_step(scales, 0))
    strides = tuple(w.stride for w in windows)
    return Architecture(init, apply, alike(propagate), law.affine, "conv", strides, steps)
