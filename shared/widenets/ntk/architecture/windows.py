"""Windows of convolutions and pooling: which positions an output reads, on a torus."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from widenets.ntk.architecture.state import State
from widenets.ntk.checks import checked_pair_of_counts

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


def windows_of(sizes, strides, padding: str, name: str) -> tuple[Window, Window]:
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {PADDINGS}, found {padding!r}")
    sizes, strides = checked_pair_of_counts(sizes, name), checked_pair_of_counts(strides, "stride")
    return tuple(Window(size, stride, padding) for size, stride in zip(sizes, strides, strict=True))


def along_positions(windows, layer: str) -> tuple[Window, Window]:
    """The windows on sequences: of images of height 1."""
    rows, columns = windows
    one = Window(1, 1, rows.padding)
    if rows not in (one, columns):
        raise ValueError(
            f"{layer} on sequences takes one number or (1, number) for its window and its stride, "
            f"found {(rows.size, columns.size)} and {(rows.stride, columns.stride)}"
        )
    return one, columns


def windows_on(windows, rank: int, layer: str) -> tuple[Window, ...]:
    """One window per axis of positions, of inputs (N, positions, channels) or of images."""
    if rank not in (3, 4):
        raise ValueError(
            f"{layer} needs (positions, channels) or (height, width, channels), found {rank - 1} "
            "axes"
        )
    return windows if rank == 4 else along_positions(windows, layer)[1:]


def read(array, tap: int, window: Window, inside, axis: int):
    """array, continued by `continued`, at positions stride P + tap of one axis; 0 outside."""
    taken = lax.slice_in_dim(
        array, tap, tap + window.stride * (len(inside) - 1) + 1, window.stride, axis
    )
    shape = [1] * taken.ndim
    shape[axis] = -1
    return jnp.where(inside.reshape(shape), taken, 0)


def continued(array, window: Window, length: int, axis: int):
    """array continued along the torus, so that all taps of a window are slices of it."""
    pads = [(0, 0)] * array.ndim
    pads[axis] = (window.low(length), window.size)
    return jnp.pad(array, pads, mode="wrap")


def images(state: State, layer: str) -> State:
    if not state.extent:
        raise ValueError(
            f"{layer} needs images (inputs, height, width, channels) or sequences (inputs, "
            "positions, channels), found vectors"
        )
    return state


def strided(displacement, windows):
    # The same object where nothing changes: layers know a displacement that is traced by that.
    return tuple(
        d if w.stride == 1 else w.stride * d for w, d in zip(windows, displacement, strict=True)
    )


def box_variance(variance, extent, windows):
    """Mean over each window (zeros outside) of a field on the torus."""
    for axis, window in enumerate(windows):
        taps = window.taps(extent[axis], variance.shape[axis], 0)
        field = continued(variance, window, extent[axis], axis)
        variance = sum(read(field, a, window, one, axis) for a, (one, _) in enumerate(taps))
    return variance / (windows[0].size * windows[1].size)


def wrapped(x, windows):
    """x continued periodically, so that a VALID window gives the CIRCULAR one."""
    pads = [w.paddings(length) for w, length in zip(windows, x.shape[1:-1], strict=True)]
    return jnp.pad(x, [(0, 0), *pads, (0, 0)], mode="wrap")


def outputs_of(extent, windows):
    return tuple(w.outputs(length) for w, length in zip(windows, extent, strict=True))
