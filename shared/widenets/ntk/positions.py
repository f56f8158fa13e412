"""Positional encodings: what tells the positions of a sequence or of an image apart.

    from widenets.ntk.positions import positional_encoding

    serial(dense(n), positional_encoding(R), self_attention(n), ...)

Without them attention and global pooling ignore the order of the positions (Hron et al. 2020).
"""

from __future__ import annotations

from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from widenets.ntk.architecture import law
from widenets.ntk.architecture.affine import kept
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs, State, alike, merge, remember, shifted
from widenets.ntk.architecture.windows import images
from widenets.ntk.checks import checked_key, checked_number, checked_shape, checked_switch
from widenets.ntk.engine.chord import safe_sqrt

NAME = "positional_encoding"


def positional_encoding(covariance=None, variance=1.0, trained: bool = True) -> Architecture:
    """x + sqrt(variance) E: the same E (positions, channels) for every input, its channels
    independent, each Gaussian over the positions with `covariance`.

    covariance: R (positions, positions), positive semi-definite, of the rows of an image one after
    the other; None: the identity, one code for each position. E = R^{1/2} Z, params Z ~ N(0, 1),
    trained unless trained=False. At infinite width, of position pairs [p, p'],

        K' = K + variance R        Theta' = Theta + variance R (trained; else Theta)

    neural-tangents: GlobalSelfAttention(pos_emb_type="SUM", val_pos_emb=True) after this K, with
    variance = W_pos_emb_std^2 and R = pos_emb_decay_fn(sum over axes |p - p'|^pos_emb_p_norm).
    ValueError: R not symmetric, not positive, of another size; directly on the inputs, of which
    too few channels leave a random covariance.
    """
    root = None if covariance is None else _root(covariance)
    covariance = None if covariance is None else np.asarray(covariance, np.float64)
    variance = checked_number(variance, "variance", least=0)
    trained = checked_switch(trained, "trained")

    def init(key, input_shape, dtype=jnp.float32):
        shape = checked_shape(input_shape)
        if len(shape) not in (2, 3):
            raise ValueError(
                f"{NAME} needs (positions, channels) or (height, width, channels), found {shape}"
            )
        _check_size(covariance, prod(shape[:-1]))
        return random.normal(checked_key(key), (prod(shape[:-1]), shape[-1]), dtype)

    def apply(params, x, key=None):
        codes = kept(params, trained)
        if root is not None:
            codes = jnp.matmul(jnp.asarray(root, x.dtype), codes, precision="highest")
        return x + jnp.sqrt(jnp.asarray(variance, x.dtype)) * codes.reshape(x.shape[1:])

    def propagate(state: State) -> State:
        field = _on_torus(covariance, images(state, NAME))

        def of_encoding(displacement):
            """variance R[p, p + displacement] as (rows, columns, 1, 1)."""
            return variance * _displaced(field, displacement).astype(state.variance1.dtype)

        own = of_encoding((0, 0))

        def pairs(displacement):
            code, others = of_encoding(displacement), shifted(state.variance2, displacement)
            root1, root2 = safe_sqrt(own), safe_sqrt(shifted(own, displacement))
            product = root1 * root2
            encoding = Pairs(jnp.maximum(product - code, 0), product + code, trained * code)
            return merge(
                [state.pairs(displacement), encoding],
                (safe_sqrt(state.variance1), root1),
                (safe_sqrt(others), root2),
            )

        return state._replace(
            variance1=state.variance1 + own,
            variance2=state.variance2 + own,
            pairs=remember(pairs),
        )

    return Architecture(init, apply, alike(propagate), _law, NAME)


def _law(before: law.Law) -> law.Law:
    """A sum with Gaussian units of its own."""
    if before.spoiled == law.INPUTS:
        raise ValueError(
            f"{NAME} after {before.cause}: encodings of so few channels leave a random covariance; "
            f"{law.REMEDY}"
        )
    return law.total(NAME, before, law.gaussian(before.masks))


def _root(covariance) -> np.ndarray:
    """The symmetric square root of a checked covariance (P, P)."""
    if isinstance(covariance, jax.core.Tracer):
        raise ValueError("covariance must be numbers, found a traced array")
    matrix = np.asarray(covariance, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"covariance must be (positions, positions), found {matrix.shape}")
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0):
        raise ValueError("covariance must be finite and symmetric, found one that is not")
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-12 * max(values[-1], 0.0):
        raise ValueError(
            f"covariance must be positive semi-definite, found the eigenvalue {values[0]:.3g}"
        )
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _check_size(covariance, positions: int) -> None:
    if covariance is not None and len(covariance) != positions:
        raise ValueError(
            f"covariance is of {len(covariance)} positions, found inputs with {positions}"
        )


def _on_torus(covariance, state: State):
    """R (rows, columns, rows, columns) of the torus, 0 beyond the image."""
    rows, columns = state.extent
    _check_size(covariance, rows * columns)
    matrix = np.eye(rows * columns) if covariance is None else covariance
    beyond = [
        (0, there - here)
        for there, here in zip(state.variance1.shape[:2], state.extent, strict=True)
    ]
    return jnp.asarray(np.pad(matrix.reshape(rows, columns, rows, columns), beyond * 2))


def _displaced(field, displacement):
    """R[p, p + displacement] as (rows, columns, 1, 1)."""
    rows, columns = field.shape[:2]
    y, x = jnp.arange(rows)[:, None], jnp.arange(columns)[None]
    taken = field[y, x, (y + displacement[0]) % rows, (x + displacement[1]) % columns]
    return taken[..., None, None]
