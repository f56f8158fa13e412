"""Kernels of any size, block by block: into memory or into a file larger than memory."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, prod

import numpy as np

from shared.ntk.base import Architecture, checked_inputs, checked_pair


def kernel_in_blocks(
    architecture: Architecture,
    x1,
    x2=None,
    *,
    which: str = "ntk",
    out: np.ndarray | None = None,
    block: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """One kernel ("ntk" or "nngp"), (N1, N2) in the dtype of the inputs, for any N1 and N2.

    The same function as `architecture.kernel`, compiled once per shape of a block and called for
    each block; x2 = None computes the upper triangle and mirrors it. Memory beyond `out`: a few
    blocks. out: array to write into, for instance an np.memmap. progress(done, total) is called
    after each block. block: rows per block; the default suits the level-2 cache.
    ValueError: as `kernel`, an unknown `which`, an `out` of another shape or dtype.
    """
    if which not in ("ntk", "nngp"):
        raise ValueError(f"which must be 'ntk' or 'nngp', found {which!r}")
    x1 = np.asarray(checked_inputs(x1, "x1"))
    x2 = None if x2 is None else np.asarray(checked_pair(x1, checked_inputs(x2, "x2")))
    shape = (len(x1), len(x1 if x2 is None else x2))
    out = np.empty(shape, x1.dtype) if out is None else out
    if out.shape != shape or out.dtype != x1.dtype:
        raise ValueError(f"out must be {shape} of {x1.dtype}, found {out.shape} of {out.dtype}")
    block = default_block(x1.shape[1:]) if block is None else int(block)
    if block < 1:
        raise ValueError(f"block must be a positive integer, found {block}")

    compute = architecture.one_kernel[which]
    rows, columns = _blocks(x1, block), _blocks(x1 if x2 is None else x2, block)
    pairs = [(i, j) for i in rows for j in columns if x2 is not None or i.start <= j.start]
    for done, (i, j) in enumerate(pairs, start=1):
        symmetric = x2 is None and i == j
        left = _padded(x1[i], rows[0])
        right = None if symmetric else _padded((x1 if x2 is None else x2)[j], columns[0])
        tile = np.asarray(compute(left, right))[: i.stop - i.start, : j.stop - j.start]
        out[i, j] = tile
        if x2 is None and not symmetric:
            out[j, i] = tile.T
        if progress is not None:
            progress(done, len(pairs))
    return out


def default_block(features: tuple[int, ...]) -> int:
    """256 vectors; as many images as keep one displacement of all pairs at about 2^16 numbers."""
    positions = prod(features[:-1])
    return max(1, int(256 / positions**0.5))


def _blocks(x: np.ndarray, block: int) -> list[slice]:
    """Slices of nearly equal length, so that padding the last one wastes little."""
    length = ceil(len(x) / ceil(len(x) / block))
    return [slice(start, min(start + length, len(x))) for start in range(0, len(x), length)]


def _padded(x: np.ndarray, full: slice) -> np.ndarray:
    """Rows of zeros appended so that every block has one shape (and one compilation)."""
    missing = full.stop - len(x)
    return np.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1)) if missing else x
