"""Tiles of kernels: what the compiled loops of `engine.fused` need, from an architecture's steps.

Dense layers and piecewise linear activations on vectors; on images these, convolutions (SAME,
stride 1, odd windows), average pooling in windows side by side, and flatten or global average
pooling at their end. All else is left to jax.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import ceil, prod
from typing import NamedTuple

import jax
import numpy as np

from widenets.ntk.architecture.state import Kernels, widened
from widenets.ntk.engine.chord import CLOSE, arc_polynomials
from widenets.ntk.engine.fused import (
    SNAPPED,
    Affine,
    Box,
    Flat,
    Means,
    PiecewiseLinear,
    Pool,
    compiled,
    pooled_deficit,
)

KINDS = [Affine, PiecewiseLinear, Box]  # their numbers in the compiled loops
ENDS = (Means, Pool, Flat)
POOLED_MB = 32.0  # of kernels between all positions after a pooling, at a time


def engine(steps: tuple | None, rank: int) -> Callable | None:
    """`vectors` or `images` if one of them covers these steps on inputs of this rank, else None."""
    kinds = [type(step) for step in steps or ()]
    whole = [k for k, kind in enumerate(kinds) if kind in (Pool, Flat)]
    if rank == 2 and kinds and not {Box, *ENDS} & set(kinds):
        return vectors
    if rank < 3 or len(whole) != 1 or {Box, Means} & set(kinds[whole[0] :]):
        return None
    if rank == 4:
        return images
    windows = [step for step in steps if isinstance(step, Box | Means)]
    return sequences if all(w.rows in (1, w.columns) for w in windows) else None


def sequences(steps, x1, x2) -> Callable:
    """`images` of one row, on which windows have one row."""
    one_row = [s._replace(rows=1) if isinstance(s, Box | Means) else s for s in steps]
    return images(tuple(one_row), x1[:, None], None if x2 is None else x2[:, None])


def default_block(features: tuple[int, ...]) -> int:
    """512 vectors; as many images as keep one displacement of all pairs at about 2^18 numbers."""
    return max(1, int(512 / prod(features[:-1]) ** 0.5))


def blocks_of(x: np.ndarray, block: int) -> list[slice]:
    """Slices of nearly equal length, so that padding the last one wastes little."""
    length = ceil(len(x) / ceil(len(x) / block))
    return [slice(start, min(start + length, len(x))) for start in range(0, len(x), length)]


def pairs_of(x1, x2, block: int) -> list[tuple[slice, slice]]:
    """The blocks of a kernel in their order; without x2 those on and above the diagonal."""
    rows, columns = blocks_of(x1, block), blocks_of(x1 if x2 is None else x2, block)
    return [(i, j) for i in rows for j in columns if x2 is not None or i.start <= j.start]


def place(out: np.ndarray, tile: np.ndarray, pair: tuple[slice, slice], symmetric: bool) -> None:
    """Writes the tile, and its mirror image."""
    i, j = pair
    out[i, j] = tile
    if symmetric and i != j:
        out[j, i] = tile.T


def assembled(compute: Callable, x1, x2) -> Kernels:
    """Both kernels from their tiles."""
    shape = len(x1), len(x1 if x2 is None else x2)
    pairs = pairs_of(x1, x2, default_block(x1.shape[1:]))
    if len(pairs) == 1:
        return compute(*pairs[0])
    kernels = Kernels(*(np.empty(shape, x1.dtype) for _ in Kernels._fields))
    for pair in pairs:
        for out, tile in zip(kernels, compute(*pair), strict=True):
            place(out, tile, pair, x2 is None)
    return kernels


def _table(steps, dtype) -> np.ndarray:
    """The steps as rows of numbers: their kind, then what they consist of."""
    table = np.zeros((len(steps), 5), dtype)
    for row, step in zip(table, steps, strict=True):
        numbers = (*step, 1 / step.rows, 1 / step.columns) if isinstance(step, Box) else step
        row[0], row[1 : 1 + len(numbers)] = KINDS.index(type(step)), numbers
    return table


def _fields(steps, q, shape, inside) -> tuple[np.ndarray, np.ndarray]:
    """What the steps need of each input, (N, ., positions), and the variances after them."""
    counts = {Affine: 2, PiecewiseLinear: 1}
    count = sum(counts.get(type(step)) or 2 * (step.rows - 1 + step.columns - 1) for step in steps)
    fields, q = np.empty((len(q), count, q.shape[1]), q.dtype), q.copy()
    compiled("fields_of", q.dtype.name)(q, shape, inside, _table(steps, q.dtype), fields)
    return fields, q


def _fields_of_vectors(steps, q) -> np.ndarray:
    """`_fields` of vectors with variances q (N,), (., N)."""
    fields, _ = _fields(steps, q[:, None], (1, 1), np.ones(2, q.dtype))
    return np.ascontiguousarray(fields[:, :, 0].T)


def _directions(x, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along the axis (zeros stay zeros) and lengths."""
    norms = np.sqrt(np.sum(x * x, axis=axis, keepdims=True))
    return x / np.where(norms > 0, norms, 1), np.squeeze(norms, axis)


def vectors(steps, x1, x2) -> Callable:
    """(i, j) -> the kernels of the vectors x1[i] and x2[j], by `fused.stack`."""
    dtype = x1.dtype

    def side(x):
        units, norms = _directions(x, 1)
        q = norms**2 / dtype.type(x.shape[1])
        return units, norms / np.sqrt(dtype.type(x.shape[1])), _fields_of_vectors(steps, q)

    one = side(x1)
    two = one if x2 is None else side(x2)
    layers, polynomials = _table(steps, dtype), arc_polynomials(dtype.name)
    close = dtype.type(1 - CLOSE[dtype.name])

    def compute(i: slice, j: slice) -> Kernels:
        symmetric = x2 is None and i == j
        (units, roots, fields), (others, columns, of_others) = one, two
        units, others = units[i], others[j]
        tile = units @ others.T
        tangent = np.empty_like(tile)
        fields = np.ascontiguousarray(fields[:, i]), np.ascontiguousarray(of_others[:, j])
        compiled("stack", dtype.name)(
            tile, tangent, symmetric, close, units, others, (roots[i], columns[j]), fields, layers,
            *polynomials,
        )  # fmt: skip
        return Kernels(tile, tangent)

    return compute


class Part(NamedTuple):
    """The layers up to one pooling, on positions in rows with a margin (`displaced_stack`)."""

    steps: tuple
    end: Means | Pool | Flat
    extent: tuple[int, int]  # of the images
    shape: tuple[int, int]  # with the margin
    margin: int  # zeros around the row of positions, as far as a window reaches
    inside: np.ndarray  # (2 positions,) 1 in the image, else 0
    cells: np.ndarray  # (2 positions,) the position of the next part, or none at all

    @property
    def shifts(self) -> int:
        return 1 if isinstance(self.end, Flat) else prod(self.shape)

    def placed(self, images: np.ndarray) -> np.ndarray:
        """images (N, ..., height, width) in rows of positions, (N, ..., positions)."""
        rows = np.zeros((*images.shape[:-2], *self.shape), images.dtype)
        rows[..., : self.extent[0], : self.extent[1]] = images
        return rows.reshape(*images.shape[:-2], -1)


def _parts(steps, extent, dtype) -> tuple[list[Part], tuple]:
    """The steps cut after every pooling, and those on vectors at the end."""
    cuts = [k for k, step in enumerate(steps) if isinstance(step, ENDS)]
    starts = [0, *(cut + 1 for cut in cuts)]
    parts = []
    for start, cut in zip(starts, cuts, strict=False):
        own, end = tuple(steps[start:cut]), steps[cut]
        reach = [
            max(size) // 2
            for size in zip((1, 1), *(s for s in own if isinstance(s, Box)), strict=True)
        ]
        shape = extent[0] + reach[0], extent[1] + reach[1]
        part = Part(own, end, extent, shape, reach[0] * shape[1] + reach[1], None, None)
        inside = part.placed(np.ones((1, *extent), dtype))
        parts.append(part._replace(inside=np.concatenate([inside[0]] * 2), cells=np.empty(0, int)))
        if isinstance(end, Means):
            extent = extent[0] // end.rows, extent[1] // end.columns
    for k, (part, after) in enumerate(pairwise(parts)):
        parts[k] = part._replace(cells=_cells(part, after))
    return parts, tuple(steps[starts[-1] :])


def _cells(part: Part, after: Part) -> np.ndarray:
    """To which position of the next part each one belongs; -1: to none."""
    window, cells = part.end, np.full(part.extent, -1)
    rows, columns = after.extent
    y, x = np.ogrid[: rows * window.rows, : columns * window.columns]
    cells[: len(y), : x.shape[1]] = y // window.rows * after.shape[1] + x // window.columns
    flat = np.full(part.shape, -1)
    flat[: part.extent[0], : part.extent[1]] = cells
    return np.concatenate([flat.ravel()] * 2)


class Side(NamedTuple):
    """What one part needs of each image."""

    units: np.ndarray
    variances: np.ndarray
    roots: np.ndarray
    fields: np.ndarray

    def twice(self) -> Side:
        return Side(*(np.concatenate([array, array], axis=-1) for array in self))


def _side(part: Part, units, q) -> tuple[Side, np.ndarray]:
    fields, after = _fields(part.steps, q, part.shape, part.inside)
    return Side(units, q, np.sqrt(q), fields), after


def _displaced(part: Part, after: Part | None, pairs, same, before, one: Side, two: Side):
    """Sums (k, 3) over pairs of positions, or K and Theta of the next part (k, 2, shift, p)."""
    dtype = one.variances.dtype
    sums = np.zeros((len(pairs), 3))
    count = 0 if after is None else prod(after.shape)
    pooled = np.zeros((len(pairs) if count else 0, 2, count, count), dtype)
    compiled("displaced_stack", dtype.name)(
        pairs, same, part.shifts, dtype.type(SNAPPED * np.finfo(dtype).eps), part.shape,
        part.margin, part.inside, one.units, two.units, before, (one.variances, two.variances),
        (one.roots, two.roots), (one.fields, two.fields), _table(part.steps, dtype),
        *arc_polynomials(dtype.name), part.cells, pooled, sums,
    )  # fmt: skip
    if after is None:
        return sums
    window = part.end
    if not window.total:
        pooled /= dtype.type((window.rows * window.columns) ** 2)
    return pooled


class Alone(NamedTuple):
    """Of every image: what its own pair gives."""

    units: np.ndarray  # of the first part
    variances: list[np.ndarray]  # of what each part reads, (N, positions)
    last: np.ndarray  # after the last part, (N, positions): sums over positions are of it
    sums: np.ndarray  # (N, 3) of the last part, see `_displaced`


def images(steps, x1, x2) -> Callable:
    """(i, j) -> the kernels of the images x1[i] and x2[j], by `fused.displaced_stack`."""
    dtype, pools = x1.dtype, [k for k, s in enumerate(steps) if isinstance(s, Means | Pool)]
    if pools and any(isinstance(step, PiecewiseLinear) for step in steps[pools[0] :]):
        x1, x2 = widened(x1), None if x2 is None else widened(x2)  # they read angles of sums
    parts, later = _parts(steps, x1.shape[1:3], x1.dtype)
    ones = _alone(parts, x1)
    twos = ones if x2 is None else _alone(parts, x2)

    def compute(i: slice, j: slice) -> Kernels:
        symmetric = x2 is None and i == j
        one, two = (_taken(alone, part) for alone, part in ((ones, i), (twos, j)))
        shape = len(one.last), len(two.last)
        sums, wanted = np.zeros((*shape, 3)), np.ones(shape, bool)
        pairs = np.argwhere(np.triu(wanted, 1) if symmetric else wanted)
        sums[pairs[:, 0], pairs[:, 1]] = _sums(parts, pairs, one, two)
        if symmetric:
            sums = sums + np.swapaxes(sums, 0, 1)
            sums[np.arange(shape[0]), np.arange(shape[0])] = one.sums
        kernels = _after(parts[-1], later, sums, one, two, symmetric)
        return Kernels(*(kernel.astype(dtype, copy=False) for kernel in kernels))

    return compute


def _taken(alone: Alone, part: slice) -> Alone:
    return jax.tree.map(lambda array: array[part], alone)


def _alone(parts: list[Part], x) -> Alone:
    """The pairs of every image with itself, part after part: they give the variances."""
    units, norms = _directions(np.moveaxis(x, 3, 1), 1)
    units, q = parts[0].placed(units), parts[0].placed(norms**2 / x.dtype.type(x.shape[3]))
    size = max(1, int(POOLED_MB * 1e6 / max(1, _pooled_bytes(parts, x.dtype))))
    chunks = [
        _chunk_alone(parts, units[k : k + size], q[k : k + size]) for k in range(0, len(x), size)
    ]
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *chunks)


def _pooled_bytes(parts, dtype) -> int:
    return max((2 * prod(part.shape) ** 2 * dtype.itemsize for part in parts[1:]), default=0)


def _chunk_alone(parts, units, q) -> Alone:
    first, variances = units, []
    pairs, before = (
        np.repeat(np.arange(len(q))[:, None], 2, axis=1),
        np.empty((0, 0, 0, 0), q.dtype),
    )
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        variances.append(q)
        side, q = _side(part, units, q)
        before = _displaced(part, after, pairs, True, before, side, side.twice())
        if after is not None:
            q = np.ascontiguousarray(before[:, 0, 0])
            units = np.empty((len(q), 0, q.shape[1]), q.dtype)
    return Alone(first, variances, q, before)


def _sums(parts, pairs, one: Alone, two: Alone) -> np.ndarray:
    """(k, 3) of the last part, see `_displaced`."""
    sides = []
    for k, part in enumerate(parts):
        both = []
        for alone in (one, two):
            q = alone.variances[k]
            units = alone.units if k == 0 else np.empty((len(q), 0, q.shape[1]), q.dtype)
            both.append(_side(part, units, q)[0])
        sides.append((both[0], both[1].twice()))
    dtype, sums = one.last.dtype, np.zeros((len(pairs), 3))
    size = max(1, int(POOLED_MB * 1e6 / max(1, _pooled_bytes(parts, dtype))))
    for start in range(0, len(pairs), size):
        chunk, before = pairs[start : start + size], np.empty((0, 0, 0, 0), dtype)
        for part, after, both in zip(parts, [*parts[1:], None], sides, strict=True):
            before = _displaced(part, after, chunk, False, before, *both)
        sums[start : start + size] = before
    return sums


def _after(part: Part, steps, sums, one: Alone, two: Alone, symmetric: bool) -> Kernels:
    """The steps on vectors, after the sums (n1, n2, 3) of the last part."""
    dtype, positions = one.last.dtype, prod(part.extent)
    if isinstance(part.end, Flat):
        deficit, surplus, tangent = np.moveaxis(sums / positions, -1, 0)
        gap = _flat_gap(one.last, two.last) / positions
        deficit, surplus = deficit + gap, surplus + gap
        q1, q2 = (alone.last.sum(axis=1) / dtype.type(positions) for alone in (one, two))
    else:
        count = 1 if part.end.total else positions**2
        means, q1, q2 = (
            sums / count,
            *(((a.sums[:, 1] - a.sums[:, 0]) / 2 / count).astype(dtype) for a in (one, two)),
        )
        tangent = means[..., 2]
        covariance = ((means[..., 1] - means[..., 0]) / 2).astype(dtype)
        roots, q = (np.sqrt(q1)[:, None], np.sqrt(q2)), (q1[:, None], q2)
        snapped, numbers = dtype.type(SNAPPED * np.finfo(dtype).eps), (dtype.type(0), dtype.type(1))
        deficit = pooled_deficit(covariance, *q, *roots, snapped, *numbers, np.where)
        surplus = 2 * roots[0] * roots[1] - deficit
    arrays = [np.ascontiguousarray(a, dtype) for a in (deficit, surplus, tangent)]
    fields = tuple(_fields_of_vectors(steps, q) for q in (q1, q2))
    compiled("later_stack", dtype.name)(
        *arrays, fields, _table(steps, dtype), *arc_polynomials(dtype.name)
    )
    return Kernels(arrays[0], arrays[2])


def _flat_gap(q1, q2) -> np.ndarray:
    """sqrt(sum q sum q') - sum sqrt(q q') over positions, from the distances of unit vectors."""
    (units, lengths), (others, columns) = (_directions(np.sqrt(q), 1) for q in (q1, q2))
    return np.stack(
        [
            length * columns * ((unit - others) ** 2).sum(axis=1) / 2
            for unit, length in zip(units, lengths, strict=True)
        ]
    )
