"""Kernels of any size, block by block: into memory here, into a file in `kernels.file`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

import jax
import numpy as np

from widenets.ntk.architecture import Architecture, Kernels, tiles
from widenets.ntk.architecture.base import checked_inputs, checked_pair
from widenets.ntk.checks import checked_count

Progress = Callable[[int, int], None]
WHICH = {"ntk": ("ntk",), "nngp": ("nngp",), "both": Kernels._fields}


def kernel_in_blocks(
    architecture: Architecture,
    x1,
    x2=None,
    *,
    which: str = "ntk",
    out=None,
    block: int | None = None,
    progress: Progress | None = None,
    threads: int = 1,
):
    """One kernel ("ntk" or "nngp"), (N1, N2) in the dtype of the inputs, for any N1 and N2.

    The formulas of `architecture.kernel`, block by block: what `tiles.engine` covers in loops
    compiled by numba, all else by jax, compiled once per shape of a block. x2 = None computes the
    upper triangle and mirrors it. Memory beyond `out`: a few blocks and the inputs once more.
    which="both": Kernels of both in one pass. threads: blocks computed side by side, each by one
    thread; the numbers are the same to the last bit.
    out: array to write into, for instance an np.memmap (of both: two arrays). progress(done, total)
    is called after each block. block: rows per block.
    ValueError: as `kernel`, an unknown `which`, an `out` of another shape or dtype, traced inputs
    or variances.
    """
    blocks = in_blocks(architecture, x1, x2, which, block)
    shape, dtype = blocks.shape, blocks.x1.dtype
    outs = [np.empty(shape, dtype) for _ in WHICH[which]] if out is None else out
    outs = outs if isinstance(outs, tuple | list) else (outs,)
    if [(o.shape, o.dtype) for o in outs] != [(shape, dtype)] * len(WHICH[which]):
        found = ", ".join(f"{o.shape} of {o.dtype}" for o in outs)
        raise ValueError(f"out must be {shape} of {dtype}, found {found}")
    for done, (pair, parts) in enumerate(blocks.computed(threads), start=1):
        for whole, part in zip(outs, parts, strict=True):
            tiles.place(whole, part, pair, blocks.x2 is None)
        if progress is not None:
            progress(done, len(blocks.pairs))
    return Kernels(*outs) if which == "both" else outs[0]


class Blocks(NamedTuple):
    """The blocks of a kernel, in the order in which they are computed."""

    compute: Callable  # (slice of x1, slice of x2) -> the kernels there, in a tuple
    pairs: list[tuple[slice, slice]]
    x1: np.ndarray
    x2: np.ndarray | None

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.x1), len(self.x1 if self.x2 is None else self.x2)

    def computed(self, threads: int = 1, start: int = 0) -> Iterator[tuple]:
        """(pair, kernels there) for the pairs from `start` on, in their order.

        With threads, BLAS keeps to one within each: its sums may not depend on their count.
        """
        threads, pairs = checked_count(threads, "threads"), self.pairs[start:]
        if threads == 1:
            for pair in pairs:
                yield pair, self.compute(*pair)
            return
        from threadpoolctl import threadpool_limits

        with ExitStack() as stack:
            stack.enter_context(threadpool_limits(1))
            pool = stack.enter_context(ThreadPoolExecutor(threads))
            waiting = deque()
            for pair in pairs:
                waiting.append((pair, pool.submit(self.compute, *pair)))
                if len(waiting) > 2 * threads:
                    ready, future = waiting.popleft()
                    yield ready, future.result()
            for ready, future in waiting:
                yield ready, future.result()


TRACED = (
    "kernels in blocks are numbers without derivatives, found a traced input or variance: inside "
    "of jit, grad and vmap call network.kernel"
)


def in_blocks(architecture: Architecture, x1, x2, which: str, block: int | None) -> Blocks:
    """The checked arguments of `kernel_in_blocks`, cut into blocks."""
    if which not in WHICH:
        raise ValueError(f"which must be 'ntk', 'nngp' or 'both', found {which!r}")
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((x1, x2))):
        raise ValueError(TRACED)
    x1 = np.asarray(checked_inputs(x1, "x1"))
    x2 = None if x2 is None else np.asarray(checked_pair(x1, checked_inputs(x2, "x2")))
    if block is not None and block < 1:
        raise ValueError(f"block must be a positive integer, found {block}")
    architecture.check_on_inputs()
    block = tiles.default_block(x1.shape[1:]) if block is None else int(block)
    engine = tiles.engine(architecture.steps, x1.ndim)
    if engine is None:
        compute = _traced(architecture, which, x1, x2, block)
    else:
        both = engine(architecture.steps, x1, x2)

        def compute(i: slice, j: slice) -> tuple:
            kernels = both(i, j)
            return tuple(getattr(kernels, name) for name in WHICH[which])

    return Blocks(compute, tiles.pairs_of(x1, x2, block), x1, x2)


def _traced(architecture: Architecture, which: str, x1, x2, block: int) -> Callable:
    """(i, j) -> the kernels of x1[i] and x2[j] in a tuple, compiled by jax."""
    other = x1 if x2 is None else x2
    height, width = (tiles.blocks_of(x, block)[0].stop for x in (x1, other))

    def kernels(left, right) -> tuple:
        if which == "both":
            return architecture.both_kernels(left, right)
        return (architecture.one_kernel[which](left, right),)

    def compute(i: slice, j: slice) -> tuple:
        right = None if x2 is None and i == j else _padded(other[j], width)
        found = kernels(_padded(x1[i], height), right)
        if isinstance(found[0], jax.core.Tracer):
            raise ValueError(TRACED)
        parts = tuple(np.asarray(part)[: len(x1[i]), : len(other[j])] for part in found)
        for name, part in zip(WHICH[which], parts, strict=True):
            architecture.check_finite(part, name, x1[i], other[j])
        return parts

    return compute


def _padded(x: np.ndarray, length: int) -> np.ndarray:
    """Rows of zeros appended so that every block has one shape (and one compilation)."""
    missing = length - len(x)
    return np.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1)) if missing else x
