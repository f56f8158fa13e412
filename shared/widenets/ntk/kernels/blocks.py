"""Kernels of any size, block by block: into memory here, into a file in `kernel_file`."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, prod
from typing import NamedTuple

import numpy as np

from widenets.ntk.architecture import Architecture
from widenets.ntk.architecture.base import checked_inputs, checked_pair
from widenets.ntk.kernels import tiles

Progress = Callable[[int, int], None]


def kernel_in_blocks(
    architecture: Architecture,
    x1,
    x2=None,
    *,
    which: str = "ntk",
    out: np.ndarray | None = None,
    block: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """One kernel ("ntk" or "nngp"), (N1, N2) in the dtype of the inputs, for any N1 and N2.

    The formulas of `architecture.kernel`, block by block: what `tiles.engine` covers in loops
    compiled by numba, all else by jax, compiled once per shape of a block. x2 = None computes the
    upper triangle and mirrors it. Memory beyond `out`: a few blocks and the inputs once more.
    out: array to write into, for instance an np.memmap. progress(done, total) is called after
    each block. block: rows per block.
    ValueError: as `kernel`, an unknown `which`, an `out` of another shape or dtype.
    """
    blocks = in_blocks(architecture, x1, x2, which, block)
    shape, dtype = blocks.shape, blocks.x1.dtype
    out = np.empty(shape, dtype) if out is None else out
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(f"out must be {shape} of {dtype}, found {out.shape} of {out.dtype}")
    for done, pair in enumerate(blocks.pairs, start=1):
        blocks.write(out, pair)
        if progress is not None:
            progress(done, len(blocks.pairs))
    return out


class Blocks(NamedTuple):
    """The blocks of a kernel, in the order in which they are computed."""

    compute: Callable  # (slice of x1, slice of x2) -> the kernel there
    pairs: list[tuple[slice, slice]]
    x1: np.ndarray
    x2: np.ndarray | None

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.x1), len(self.x1 if self.x2 is None else self.x2)

    def write(self, out: np.ndarray, pair: tuple[slice, slice]) -> None:
        i, j = pair
        tile = self.compute(i, j)
        out[i, j] = tile
        if self.x2 is None and i != j:
            out[j, i] = tile.T


def in_blocks(architecture: Architecture, x1, x2, which: str, block: int | None) -> Blocks:
    """The checked arguments of `kernel_in_blocks`, cut into blocks."""
    if which not in ("ntk", "nngp"):
        raise ValueError(f"which must be 'ntk' or 'nngp', found {which!r}")
    x1 = np.asarray(checked_inputs(x1, "x1"))
    x2 = None if x2 is None else np.asarray(checked_pair(x1, checked_inputs(x2, "x2")))
    if block is not None and block < 1:
        raise ValueError(f"block must be a positive integer, found {block}")
    architecture.check_on_inputs()
    block = default_block(x1.shape[1:]) if block is None else int(block)
    engine = tiles.engine(architecture.steps, x1.ndim)
    if engine is None:
        compute = _traced(architecture, which, x1, x2, block)
    else:
        compute = engine(architecture.steps, which, x1, x2)
    rows, columns = _blocks(x1, block), _blocks(x1 if x2 is None else x2, block)
    pairs = [(i, j) for i in rows for j in columns if x2 is not None or i.start <= j.start]
    return Blocks(compute, pairs, x1, x2)


def default_block(features: tuple[int, ...]) -> int:
    """512 vectors; as many images as keep one displacement of all pairs at about 2^18 numbers."""
    return max(1, int(512 / prod(features[:-1]) ** 0.5))


def _traced(architecture: Architecture, which: str, x1, x2, block: int) -> Callable:
    """(i, j) -> the kernel of x1[i] and x2[j], compiled by jax."""
    kernel, other = architecture.one_kernel[which], x1 if x2 is None else x2
    height, width = (_blocks(x, block)[0].stop for x in (x1, other))

    def compute(i: slice, j: slice) -> np.ndarray:
        right = None if x2 is None and i == j else _padded(other[j], width)
        tile = np.asarray(kernel(_padded(x1[i], height), right))[: len(x1[i]), : len(other[j])]
        architecture.check_finite(tile, which, x1[i], other[j])
        return tile

    return compute


def _blocks(x: np.ndarray, block: int) -> list[slice]:
    """Slices of nearly equal length, so that padding the last one wastes little."""
    length = ceil(len(x) / ceil(len(x) / block))
    return [slice(start, min(start + length, len(x))) for start in range(0, len(x), length)]


def _padded(x: np.ndarray, length: int) -> np.ndarray:
    """Rows of zeros appended so that every block has one shape (and one compilation)."""
    missing = length - len(x)
    return np.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1)) if missing else x
