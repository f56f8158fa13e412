"""Tangent kernels of finite networks with attention, and their limits, by `widenets`.

tokens -> dense(n) -> attention with H heads and d = n -> mean over positions -> dense(1), and a
transformer block. Params are drawn with NumPy: compiling JAX's generator costs more than all else.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import softmax

from widenets.ntk.architecture import (
    Architecture,
    conv,
    dense,
    global_average_pool,
    layer_norm,
    relu,
    residual,
    self_attention,
    serial,
)


def attention_network(width: int, heads: int, scaling: str) -> Architecture:
    return serial(
        conv(width, 1), self_attention(width, heads, None, scaling), global_average_pool(), dense(1)
    )


def transformer_block(width: int, skip: bool = True) -> Architecture:
    """Attention at 1/d, layer norm, perceptron, layer norm; skips around both, or the second."""
    attention = self_attention(width)
    perceptron = serial(conv(width, 1), relu(), conv(width, 1, weight_variance=2.0))
    return serial(
        conv(width, 1),
        residual(attention) if skip else attention,
        layer_norm(),
        residual(perceptron),
        layer_norm(),
        global_average_pool(),
        dense(1),
    )


@cache
def limit(kind: str, skip: bool = True) -> Architecture:
    """The network whose `kernel` is the limit: compiled once. kind: a scaling, or block."""
    return transformer_block(1, skip) if kind == "block" else attention_network(1, 1, kind)


@cache
def _shapes(network: Architecture, shape: tuple[int, ...]):
    """Of the params for inputs of this shape."""
    return jax.eval_shape(lambda: network.init(jax.random.key(0), shape))


def draw(stream: np.random.Generator, network: Architecture, shape: tuple[int, ...], count: int):
    """`count` networks, N(0, 1), float32, for inputs of this shape."""
    return jax.tree.map(
        lambda leaf: stream.standard_normal((count, *leaf.shape), dtype=np.float32),
        _shapes(network, shape),
    )


def narrowed(params, width: int, widest: int, scaling: str):
    """Params of a wide network that is one of `width` (and d = width): masked and rescaled.

    Of the 1 / sqrt(n) of the layers that read n units, and of d^-s in the scores, the wide network
    has those of `widest`: what is missing goes into the params. Gradients with respect to those
    before are then the narrow network's, so that one compilation serves all widths.
    """
    stem, attention, pool, readout = params
    on = jnp.arange(widest) < width
    gain = jnp.sqrt(widest / width)
    of_scores = gain ** (2 if scaling == "1/d" else 1.5)

    def inner(name, factor):
        return attention[name] * on[:, None] * on * factor

    changed = {name: inner(name, of_scores) for name in attention if name in ("query", "key")}
    heads = attention["query"].shape[0]
    rows = jnp.tile(on, heads)
    changed["value"] = inner("value", gain)
    changed["output"] = attention["output"] * rows[:, None] * on * gain
    return (
        {"weight": stem["weight"] * on},
        changed,
        pool,
        {"weight": readout["weight"] * on[:, None] * gain},
    )


@cache
def _kernels_by_matrix(kind: str, widest: int, heads: int):
    """Compiled: (params of many networks, x, width) -> (networks, matrices, N, N)."""
    block = kind == "block"
    network = transformer_block(widest) if block else attention_network(widest, heads, kind)

    def one(params, x, width):
        def output(raw):
            used = raw if block else narrowed(raw, width, widest, kind)
            return network.apply(used, x)[:, 0]

        rows = jax.tree.leaves(jax.jacrev(output)(params))
        flat = (row.reshape(len(x), -1) for row in rows)
        return jnp.stack([jnp.matmul(row, row.T, precision="highest") for row in flat])

    def many(params, x, width):
        return jax.lax.map(lambda each: one(each, x, width), params)

    return network, jax.jit(many)


def names(kind: str, heads: int) -> list[str]:
    """Of the matrices, in the order of `kernels_by_matrix`."""
    shapes = _shapes(attention_network(1, heads, kind), (1, 1, 1))
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(shapes)]
    ends = {0: "stem", 3: "readout"}
    return [ends.get(path[0].idx, path[-1].key) for path in paths]


def kernels_by_matrix(
    stream: np.random.Generator, kind: str, x: np.ndarray, width: int, widest: int, heads: int,
    count: int,
) -> np.ndarray:  # fmt: skip
    """What each matrix adds to Theta of `count` networks, (count, matrices, N, N), float64.

    x (N, 1, T, features). Of kind block width = widest.
    """
    network, compiled = _kernels_by_matrix(kind, widest, heads)
    params = draw(stream, network, x.shape[1:], count)
    return np.asarray(compiled(params, jnp.asarray(x, jnp.float32), width), np.float64)


def query_constant(kernel: np.ndarray, both_sides: bool = True) -> float:
    """lim d E Theta_Q(x, x) at 1/d, of the network above with K (T, T) before the attention.

    f = (1/T) sum_pq A_pq y_q with y ~ N(0, K), df/dG = B, B_pq = A_pq (y_q - sum_r A_pr y_r) / T,
    and G = x Q Q^T x^T / (n d) gives |df/dQ|^2 = tr[S K S^T K] / d, S = B + B^T; without
    both_sides S = B, as if queries alone learned.
    """
    tokens = len(kernel)
    weights = softmax(kernel, axis=1)
    # by_value[p, q, r]: of B_pq, per unit of y_r
    by_value = weights[:, :, None] * (np.eye(tokens) - weights[:, None, :]) / tokens
    felt = by_value + by_value.transpose(1, 0, 2) if both_sides else by_value
    return float(np.einsum("pqr,rs,abs,qb,ap->", felt, kernel, felt, kernel, kernel, optimize=True))
