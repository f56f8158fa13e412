"""Self-attention over all positions of sequences (N, positions, channels), or of images.

Two limits have closed forms (Hron et al. 2020): 1/d scaling with one matrix for queries and keys,
with softmax and any number of heads, and 1/sqrt(d) scaling with independent matrices, without
softmax and with infinitely many heads. Attention reads all pairs of positions at once: memory is
O(pairs of inputs x positions^2), unlike that of convolutions.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax, random

from widenets.ntk.architecture import law
from widenets.ntk.architecture.affine import has_bias
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs, State, remember, shifted
from widenets.ntk.architecture.windows import images
from widenets.ntk.checks import (
    checked_count,
    checked_key,
    checked_keywords,
    checked_number,
    checked_shape,
)
from widenets.ntk.engine.fused import pooled_chords

SCALINGS = ("1/d", "1/sqrt(d)")


@checked_keywords
def self_attention(
    channels: int,
    heads: int = 1,
    key_channels: int | None = None,
    scaling: str = "1/d",
    score_variance=1.0,
    weight_variance=1.0,
    bias_variance=0.0,
) -> Architecture:
    """out = concat_h[zeta(G_h) x V_h] O sqrt(weight_variance / (H d n)) + sqrt(bias_variance) b,

        G_h = sqrt(score_variance) (x Q_h)(x K_h)^T / (n d^s)

    with x (positions, n), d = key_channels (`channels` by default), all entries N(0, 1) and
    trained. "1/d": s = 1, K_h = Q_h, zeta the softmax over positions. "1/sqrt(d)": s = 1/2, K_h of
    its own, zeta the identity; its limit is that of infinitely many heads.
    params: dict(query=(H, n, d), key=, value=(H, n, d), output=(H d, channels), bias=(channels,)),
    no key with "1/d", no bias if bias_variance is 0. At infinite width, of position pairs [p, p'],
    with C = weight_variance, A = softmax(sqrt(score_variance) K(x, x)) and A' that of x':

        "1/d":       S = C A K A'^T,           Theta' = C A Theta A'^T + 2 S
        "1/sqrt(d)": S = score_variance C <K, K> K,
                     Theta' = score_variance C (2 <K, Theta> K + <K, K> (Theta + 4 K))

    and K' = S + bias_variance, Theta' + bias_variance; <., .> sums over all pairs of positions.
    """
    channels, heads = checked_count(channels, "channels"), checked_count(heads, "heads")
    inner = channels if key_channels is None else checked_count(key_channels, "key_channels")
    if scaling not in SCALINGS:
        raise ValueError(f"scaling must be one of {SCALINGS}, found {scaling!r}")
    tied = scaling == "1/d"
    scores = checked_number(score_variance, "score_variance", least=0)
    weights = checked_number(weight_variance, "weight_variance", least=0)
    biases = checked_number(bias_variance, "bias_variance", least=0)

    def init(key, input_shape, dtype=jnp.float32):
        if len(checked_shape(input_shape)) not in (2, 3):
            raise ValueError(
                "self_attention needs (positions, channels) or (height, width, channels), found "
                f"{tuple(input_shape)}"
            )
        keys = iter(random.split(checked_key(key), 5))
        names = ("query", "value") if tied else ("query", "key", "value")
        each = (heads, input_shape[-1], inner)
        params = {name: random.normal(next(keys), each, dtype) for name in names}
        params["output"] = random.normal(next(keys), (heads * inner, channels), dtype)
        if has_bias(biases):
            params["bias"] = random.normal(next(keys), (channels,), dtype)
        return params

    def apply(params, x, key=None):
        fan_in, tokens = x.shape[-1], x.reshape(len(x), -1, x.shape[-1])

        def of_heads(name):
            return jnp.einsum("ntc,hcd->nhtd", tokens, params[name], precision="highest")

        query, keys = of_heads("query"), of_heads("query" if tied else "key")
        product = jnp.einsum("nhtd,nhsd->nhts", query, keys, precision="highest")
        deviation = jnp.sqrt(jnp.asarray(scores, x.dtype))
        score = product * deviation / (fan_in * inner ** (1 if tied else 0.5))
        score = jax.nn.softmax(score, axis=-1) if tied else score
        mixed = jnp.einsum("nhts,nhsd->nthd", score, of_heads("value"), precision="highest")
        flat = mixed.reshape(*tokens.shape[:2], heads * inner)
        output = jnp.matmul(flat, params["output"], precision="highest")
        output = output * jnp.sqrt(jnp.asarray(weights, x.dtype) / (heads * inner * fan_in))
        if "bias" in params:
            output = output + jnp.sqrt(jnp.asarray(biases, x.dtype)) * params["bias"]
        return output.reshape(*x.shape[:-1], channels)

    def outer(k, theta, own1, own2):
        """(K', Theta') of [..., p, p'] from K, Theta and K(x, x), K(x', x')."""
        if tied:
            one, two = (jax.nn.softmax(jnp.sqrt(scores) * own, axis=-1) for own in (own1, own2))

            def mixed(field):
                left = jnp.matmul(one, field, precision="highest")
                return weights * jnp.matmul(left, jnp.swapaxes(two, -1, -2), precision="highest")

            s = mixed(k)
            return s + biases, mixed(theta) + 2 * s + biases
        square, cross = (jnp.sum(k * field, axis=(-2, -1), keepdims=True) for field in (k, theta))
        factor = scores * weights
        tangent = factor * (2 * cross * k + square * (theta + 4 * k))
        return factor * square * k + biases, tangent + biases

    def propagate(state: State) -> State:
        state = images(state, "self_attention")
        selves = tuple(propagate(one) for one in state.selves)
        k, theta = _matrices(state)
        k, theta = outer(k, theta, *_own(state, k))
        if selves:
            variance1, variance2 = selves[0].variance1, selves[1].variance2
        else:
            variance1, variance2 = (_on_positions(q, state) for q in _variances(state, k))

        def pairs(displacement):
            covariance, tangent = (_displaced(field, displacement, state) for field in (k, theta))
            others = shifted(variance2, displacement)
            return Pairs(*pooled_chords(covariance, variance1, others), tangent)

        return state._replace(
            variance1=variance1,
            variance2=variance2,
            pairs=remember(pairs),
            fan_in=channels,
            mean1=0.0,
            mean2=0.0,
            selves=selves,
        )

    return Architecture(init, apply, propagate, law.affine, "self_attention")


def _indices(state: State):
    """Index of position p + displacement for every (p, p'): which displacement p' - p is."""
    rows, columns = state.extent
    y, x = jnp.divmod(jnp.arange(rows * columns), columns)
    return (y[None] - y[:, None]) % rows * columns + (x[None] - x[:, None]) % columns


def _matrices(state: State):
    """K and Theta as (N1, N2, positions, positions)."""
    if state.variance1.shape[:2] != tuple(state.extent):
        raise ValueError(
            f"self_attention on {state.shape}, which a stride left with VALID padding of images "
            "that are no multiple of it: take SAME, or put self_attention before that layer"
        )
    rows, columns = state.extent
    steps = jnp.stack(jnp.divmod(jnp.arange(rows * columns), columns), axis=1)

    def at(displacement):
        pairs = state.pairs((displacement[0], displacement[1]))
        return tuple(f.reshape(rows * columns, *f.shape[2:]) for f in (pairs.nngp, pairs.ntk))

    p = jnp.arange(rows * columns)[:, None]
    fields = lax.map(at, steps)  # (displacement, p, N1, N2)
    return tuple(jnp.moveaxis(f[_indices(state), p], (0, 1), (-2, -1)) for f in fields)


def _own(state: State, k):
    """K(x, x) and K(x', x') as (N1, 1, positions, positions) and (1, N2, ...)."""
    if state.selves:
        return tuple(_matrices(one)[0] for one in state.selves)
    if jnp.ndim(state.same) == 2:
        diagonal = jnp.moveaxis(jnp.diagonal(k, axis1=0, axis2=1), -1, 0)
        return diagonal[:, None], diagonal[None]
    return k, k


def _variances(state: State, k):
    """K'(x, x)[p, p] and K'(x', x')[p, p] of a state that pairs inputs with themselves."""
    q = jnp.diagonal(k, axis1=-2, axis2=-1)
    if jnp.ndim(state.same) == 2:
        q = jnp.moveaxis(jnp.diagonal(q, axis1=0, axis2=1), -1, 0)
        return q[:, None], q[None]
    return q, q


def _on_positions(field, state: State):
    """(N1, N2, positions) -> (rows, columns, N1, N2)."""
    return jnp.moveaxis(field, -1, 0).reshape(*state.extent, *field.shape[:-1])


def _displaced(field, displacement, state: State):
    """field[..., p, p + displacement] as (rows, columns, N1, N2)."""
    rows, columns = state.extent
    y, x = jnp.divmod(jnp.arange(rows * columns), columns)
    other = (y + displacement[0]) % rows * columns + (x + displacement[1]) % columns
    taken = jnp.take_along_axis(field, other[(None,) * (field.ndim - 2)][..., None], axis=-1)
    return _on_positions(taken[..., 0], state)
