"""Tiles of large kernels: what the compiled loops of `fused` need, from an architecture's steps.

Dense layers and piecewise linear activations on vectors; on images these, convolutions (SAME,
stride 1, odd windows) and, once, global average pooling. All else is left to jax.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.architecture import Kernels
from widenets.ntk.architecture.base import directions, widened
from widenets.ntk.engine.chord import (
    CLOSE,
    arc_polynomials,
    half_angles,
    pooled_chords,
    safe_ratio,
    safe_sqrt,
)
from widenets.ntk.engine.fused import (
    POLYNOMIAL,
    Affine,
    Box,
    PiecewiseLinear,
    Pool,
    affine,
    compiled,
    piecewise_linear,
)

KINDS = [Affine, PiecewiseLinear, Box]  # their numbers in the compiled loops


def engine(steps: tuple | None, rank: int) -> Callable | None:
    """`vectors` or `images` if one of them covers these steps on inputs of this rank, else None."""
    kinds = [type(step) for step in steps or ()]
    if rank == 2 and kinds and Box not in kinds and Pool not in kinds:
        return vectors
    if rank == 4 and kinds.count(Pool) == 1 and Box not in kinds[kinds.index(Pool) :]:
        return images
    return None


def _table(steps, dtype) -> np.ndarray:
    """The steps as rows of numbers: their kind, then what they consist of."""
    table = np.zeros((len(steps), 5), dtype)
    for row, step in zip(table, steps, strict=True):
        numbers = (*step, 1 / step.rows, 1 / step.columns) if isinstance(step, Box) else step
        row[0], row[1 : 1 + len(numbers)] = KINDS.index(type(step)), numbers
    return table


def _numpy(arrays) -> list[np.ndarray]:
    return [np.asarray(array) for array in arrays]


def vectors(steps, which: str, x1, x2) -> Callable:
    """(i, j) -> the kernel of the vectors x1[i] and x2[j], by `fused.stack`."""
    dtype = x1.dtype
    one = _numpy(_of_vectors(steps, x1))
    two = one if x2 is None else _numpy(_of_vectors(steps, x2))
    layers = _table(steps, dtype)
    stack, polynomials = compiled("stack", dtype.name), arc_polynomials(dtype.name)
    close, kind = dtype.type(1 - CLOSE[dtype.name]), int(which == "ntk")

    def compute(i: slice, j: slice) -> np.ndarray:
        symmetric = x2 is None and i == j
        (units, roots, fields), (others, columns, of_others) = one, two
        units, others = units[i], others[j]
        tile = units @ others.T
        fields = np.ascontiguousarray(fields[..., i]), np.ascontiguousarray(of_others[..., j])
        stack(
            tile, symmetric, close, units, others, (roots[i], columns[j]), fields, layers,
            *polynomials, kind,
        )  # fmt: skip
        return tile

    return compute


@partial(jax.jit, static_argnums=0)
def _of_vectors(steps, x):
    """Unit rows, deviations sqrt(q) (N,) and what the steps need of each input, (steps, 2, N)."""
    units, norms = directions(x)
    roots = norms[:, 0] / jnp.sqrt(jnp.asarray(x.shape[1], x.dtype))
    q, fields = norms[:, 0] ** 2 / x.shape[1], []
    for step in steps:
        fields.append(jnp.stack([*(jnp.broadcast_to(f, q.shape) for f in step.of_one(q)), q][:2]))
        q = step.variance(q)
    return units, roots, jnp.stack(fields)


def images(steps, which: str, x1, x2) -> Callable:
    """(i, j) -> the kernel of the images x1[i] and x2[j], by `fused.displaced_stack`."""
    dtype, pool = x1.dtype, [type(step) for step in steps].index(Pool)
    before, after = steps[:pool], steps[pool + 1 :]
    if any(isinstance(step, PiecewiseLinear) for step in after):  # they read angles of sums
        x1, x2 = widened(x1), None if x2 is None else widened(x2)
    inside = _inside(before, x1.shape[1:3], x1.dtype)
    table, polynomials = _table(before, x1.dtype), arc_polynomials(x1.dtype.name)

    def pooled(one, two, wanted):
        """K and Theta (n1, n2, 2), means over all pairs of positions, where wanted."""
        sums = np.zeros((*wanted.shape, 2, inside.size))
        compiled("displaced_stack", x1.dtype.name)(
            wanted, inside.shape, inside.ravel(), one[0], two[0], (one[1], two[1]),
            (one[2], two[2]), table, *polynomials, sums,
        )  # fmt: skip
        return (sums.sum(axis=-1) / prod(x1.shape[1:3]) ** 2).astype(x1.dtype)

    def of_images(x):
        arrays, one = _numpy(_of_images(before, inside, x)), np.ones((1, 1), bool)
        each = ([array[k : k + 1] for array in arrays] for k in range(len(x)))
        return *arrays, np.concatenate([pooled(image, image, one)[0] for image in each])

    ones = of_images(x1)
    twos = ones if x2 is None else of_images(x2)

    def compute(i: slice, j: slice) -> np.ndarray:
        one, two = [array[i] for array in ones], [array[j] for array in twos]
        symmetric = x2 is None and i == j
        same = np.eye(len(one[0]), len(two[0]), dtype=bool) & symmetric
        wanted = np.triu(~same) if symmetric else ~same
        sums = pooled(one, two, wanted)
        if symmetric:
            sums = sums + np.swapaxes(sums, 0, 1)
            sums[same] = one[3]
        kernels = _after_pool(after, sums[..., 0], sums[..., 1], one[3][:, :1], two[3][:, :1].T)
        return np.asarray(getattr(kernels, which)).astype(dtype, copy=False)

    return compute


def _inside(steps, extent, dtype) -> np.ndarray:
    """1 at positions of the image; a margin of 0 as wide as the largest window reaches."""
    sizes = [(1, 1), *(step for step in steps if isinstance(step, Box))]
    margins = [(0, max(size) // 2) for size in zip(*sizes, strict=True)]
    return np.pad(np.ones(extent, dtype), margins)


@partial(jax.jit, static_argnums=0)
def _of_images(steps, inside, x):
    """Unit vectors, deviations and fields of images, (N, ., positions of the torus)."""
    margins = [(0, n - m) for n, m in zip(inside.shape, x.shape[1:3], strict=True)]
    x = jnp.pad(jnp.moveaxis(x, 3, 1), [(0, 0), (0, 0), *margins])
    norms = safe_sqrt(jnp.sum(x**2, axis=1, keepdims=True))
    units, q, fields = safe_ratio(x, norms), norms[:, 0] ** 2 / x.shape[1], []
    roots = norms[:, 0] / jnp.sqrt(jnp.asarray(x.shape[1], x.dtype))
    for step in steps:
        if isinstance(step, Box):
            for axis, size in ((1, step.rows), (2, step.columns)):
                taps = [jnp.roll(q / size, a, axis) for a in range(size // 2, -(size // 2) - 1, -1)]
                fields += [f for pair in half_angles([safe_sqrt(t) for t in taps]) for f in pair]
                q = sum(taps)
            q = q * inside
        else:
            fields += step.of_one(q)
            q = step.variance(q) * inside
    fields = jnp.stack([jnp.broadcast_to(field, q.shape) for field in fields], axis=1)
    return tuple(a.reshape(*a.shape[:-2], -1) for a in (units, roots, fields))


@partial(jax.jit, static_argnums=0)
def _after_pool(steps, covariance, ntk, q1, q2) -> Kernels:
    """The steps on pooled vectors: K and Theta (n1, n2) with variances (n1, 1) and (1, n2)."""
    pairs = *pooled_chords(covariance, q1, q2), ntk
    for step in steps:
        numbers = (jnp.asarray(number, ntk.dtype) for number in step)
        fields = *step.of_one(q1), *step.of_one(q2)
        if isinstance(step, Affine):
            pairs = affine(*pairs, *fields, *numbers)
        else:
            name = ntk.dtype.name
            polynomials = *arc_polynomials(name), POLYNOMIAL[name]
            pairs = piecewise_linear(*pairs, *fields, *numbers, *polynomials, safe_sqrt, jnp.where)
        q1, q2 = step.variance(q1), step.variance(q2)
    return Kernels((pairs[1] - pairs[0]) / 2, pairs[2])
