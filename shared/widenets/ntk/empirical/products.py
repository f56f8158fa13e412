"""Products of the empirical NTK with vectors: the kernel itself is never formed.

    (Theta v)[i, o] = sum_{j, p} Theta[i, j, o, p] v[j, p] = J(x1) (J(x2)^T v)

One pull (vjp) through the network at x2 and one push (jvp) at x1, for iterative solvers and extreme
eigenvalues. The twin for torch modules is `empirical.torch.kernel_vector_product`.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.checks import checked_count
from widenets.ntk.empirical.jax import check_inputs


def kernel_vector_product(
    apply: Callable, params: Any, x1, x2=None, *, block: int | None = None
) -> Callable:
    """v (N2, ...) -> Theta(x1, x2) v (N1, ...), both shaped as the outputs; x2=None means x2 = x1.

    apply, params, x1, x2: as in `empirical_ntk`, Theta that of kind "full". v has the shape and the
    dtype of apply(params, x2); numpy or jax, traceable (jit, vmap over many v).
    block: inputs at a time, None for all. Time: about five forward passes. Memory beyond arguments
    and result: two copies of params, and what a backward pass through one block keeps.
    Compiled at the first product: make it once and use it often.
    ValueError: inputs and params as in `empirical_ntk`; another shape or dtype of v.
    """
    check_inputs(params, x1, x2)
    x2 = x1 if x2 is None else x2
    sizes = [len(jax.tree.leaves(x)[0]) for x in (x1, x2)]
    block = max(sizes) if block is None else checked_count(block, "block")
    like = jax.eval_shape(apply, params, x2)
    if like.shape[:1] != (sizes[1],):
        raise ValueError(f"apply gives shape {like.shape} for {sizes[1]} inputs")

    @jax.jit
    def pull(params, x, v):
        return jax.vjp(lambda p: apply(p, x), params)[1](v)[0]

    @jax.jit
    def push(params, x, direction):
        return jax.jvp(lambda p: apply(p, x), (params,), (direction,))[1]

    def product(v) -> jax.Array:
        check_vector(v, like)
        with jax.default_matmul_precision("highest"):  # no TF32 where a kernel is measured
            direction = None
            for rows in _blocks(sizes[1], block):
                part = pull(params, _rows(x2, rows), jnp.asarray(v[rows]))
                direction = part if direction is None else jax.tree.map(jnp.add, direction, part)
            parts = [push(params, _rows(x1, rows), direction) for rows in _blocks(sizes[0], block)]
        return jnp.concatenate(parts)

    return product


def check_vector(v, like) -> None:
    """ValueError: v has not the shape and dtype of the outputs `like`."""
    found = tuple(np.shape(v)), str(getattr(v, "dtype", None))
    if found != (tuple(like.shape), str(like.dtype)):
        raise ValueError(
            f"v has shape {found[0]} and dtype {found[1]}, wanted those of the outputs, "
            f"{tuple(like.shape)} and {like.dtype}"
        )


def _blocks(size: int, block: int) -> list[slice]:
    return [slice(start, start + block) for start in range(0, size, block)]


def _rows(x, rows: slice):
    return jax.tree.map(lambda array: array[rows], x)
