"""Kernels of finite networks: NTK from parameter gradients and NNGP from last hidden features.

    Theta[i, j, o, p] = sum_theta  df_o(x_i)/dtheta  df_p(x'_j)/dtheta

`empirical_ntk` takes any apply(params, x) and contracts Jacobians in blocks; `dense_kernels` is for
chains of dense layers and builds no Jacobian: the layerwise Gram formula is cheaper by a factor of
the width.  `kind` says which part of Theta is wanted:

    "full"      (N1, N2, O, O)
    "diagonal"  (N1, N2, O)     the entries o = p, one kernel per output
    "trace"     (N1, N2)        their MEAN over outputs, as in neural-tangents

One output alone: wrap apply so that it returns this output.  Everything is traceable (jit, vmap
over seeds, differentiation) and stays in the dtype of its arguments.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

Kind = Literal["full", "diagonal", "trace"]
_KINDS = ("full", "diagonal", "trace")


class EmpiricalKernels(NamedTuple):
    """nngp: (N1, N2), covariance of f over readouts, hidden layers given; ntk: as `kind` says."""

    nngp: jax.Array
    ntk: jax.Array


def empirical_ntk(
    apply: Callable,
    params: Any,
    x1,
    x2=None,
    *,
    kind: Kind = "trace",
    memory_mb: float = 256.0,
) -> jax.Array:
    """NTK of any network without batch coupling; x2=None means x2 = x1.

    memory_mb bounds what the call needs beyond its arguments and result, nearly all of it Jacobians
    (samples times outputs times parameters); within it the largest blocks are taken, and N need not
    divide anything.  An x2 of more than one block is differentiated once per block of x1.
    """
    _check_kind(kind)
    same = x2 is None
    x2 = x1 if same else x2
    if x1.shape[0] == 0 or x2.shape[0] == 0 or x1.shape[1:] != x2.shape[1:]:
        raise ValueError(f"cannot pair inputs of shapes {x1.shape} and {x2.shape}")
    outputs = jax.eval_shape(apply, params, x1[:1])
    if len(outputs.shape) != 2:
        raise ValueError(f"apply gives shape {outputs.shape} for one input, wanted (1, outputs)")
    row_bytes = outputs.shape[1] * sum(p.size * p.dtype.itemsize for p in jax.tree.leaves(params))
    needed = 5 * row_bytes / 1e6  # blocks of x1 and x2, copies of both, and activations
    rows = int(memory_mb // needed)
    if rows == 0:
        raise ValueError(f"one pair of samples needs {needed:.3g} MB, memory_mb is {memory_mb}")

    def jacobian(x):  # pytree of (O, *parameter) for one sample
        return jax.jacrev(lambda p: apply(p, x[None])[0])(params)

    def block(x):  # pytree of (rows, O, P)
        stacked = jax.vmap(jacobian)(x)
        return [leaf.reshape(*leaf.shape[:2], -1) for leaf in jax.tree.leaves(stacked)]

    def pair(one, two):
        return sum(_contract(a, b, kind) for a, b in zip(one, two, strict=True))

    if x2.shape[0] <= rows:
        fixed = block(x2)
        if same:
            return pair(fixed, fixed)
        return _in_blocks(lambda x: pair(block(x), fixed), x1, rows)

    def all_columns(x):
        one = block(x)
        return jnp.swapaxes(
            _in_blocks(lambda z: jnp.swapaxes(pair(one, block(z)), 0, 1), x2, rows), 0, 1
        )

    return _in_blocks(all_columns, x1, rows)


def dense_layers(params: Sequence) -> list[dict]:
    """The dense layers (dicts with weight and perhaps bias) in a tuple of layers' parameters."""
    layers = [layer for layer in params if isinstance(layer, dict) and "weight" in layer]
    if not layers or len(layers) != sum(layer != () for layer in params):
        raise ValueError("params is not a chain of dense layers and parameter-free activations")
    return layers


def dense_kernels(
    params: Sequence,
    x1,
    x2=None,
    *,
    activation: Callable,
    weight_variance=1.0,
    bias_variance=0.0,
    readout_weight_variance=None,
    readout_bias_variance=None,
    parameterization: Literal["ntk", "standard"] = "ntk",
    kind: Kind = "trace",
) -> EmpiricalKernels:
    """Empirical NNGP and NTK of a dense network, without Jacobians.

    h_l = sw/sqrt(n) phi_{l-1} W_l + sb b_l, phi_l = activation(h_l) elementwise, f = h_{L+1};
    the arguments are those of `fully_connected`; the readout has its own variances if given.

        Theta[i,j,o,p] = sum_l <d_l^o(x_i), d_l^p(x'_j)> G_l[i,j]
        G_l[i,j] = sw^2/n <phi_{l-1}(x_i), phi_{l-1}(x'_j)> + sb^2

    with d_l^o = df_o/dh_l from one backward pass.  nngp is the G_l of the readout.  In standard
    parameterization h_l = phi_{l-1} W_l + b_l whatever the variances are, and both factors are 1.
    """
    _check_kind(kind)
    if parameterization not in ("ntk", "standard"):
        raise ValueError(f"parameterization {parameterization!r} is neither 'ntk' nor 'standard'")
    layers = dense_layers(params)
    chain = [(layer["weight"], layer.get("bias")) for layer in layers]
    inner = (weight_variance, bias_variance)
    last = (
        weight_variance if readout_weight_variance is None else readout_weight_variance,
        bias_variance if readout_bias_variance is None else readout_bias_variance,
    )
    factors = [
        _factors(*layer, *both, parameterization)
        for layer, both in zip(chain, [inner] * (len(chain) - 1) + [last], strict=True)
    ]
    outputs = chain[-1][0].shape[1]
    one = _features_and_deltas(chain, factors, activation, x1)
    if x2 is None:
        parts = [
            jax.tree.map(lambda array, rows=rows: array[rows], one)
            for rows in _samples_in_blocks(len(x1), outputs if kind == "full" else 1)
        ]
        blocks = {
            (i, j): _gram_sum(parts[i], parts[j], factors, outputs, kind)
            for j in range(len(parts))
            for i in range(j + 1)
        }
        nngp, ntk = (_symmetric({pair: both[k] for pair, both in blocks.items()}) for k in (0, 1))
    else:
        two = _features_and_deltas(chain, factors, activation, x2)
        nngp, ntk = _gram_sum(one, two, factors, outputs, kind)
    if kind == "full":
        ntk = ntk.reshape(len(x1), outputs, -1, outputs).transpose(0, 2, 1, 3)
    elif kind == "diagonal":
        ntk = jnp.moveaxis(ntk, 0, -1)
    return EmpiricalKernels(nngp, ntk)


def layer_ntk(gram, deltas_1, deltas_2=None):
    """The part of Theta from one dense layer, (N1, N2): <d(x_i), d(x'_j)> gram[i, j].

    gram (N1, N2): inner products of what the layer reads, and its bias; deltas (N, n): derivatives
    of one output by the layer's n preactivations. deltas_2=None means deltas_1. The arrays are all
    numpy's or all jax's, and so is the result.
    """
    return _product(deltas_1, (deltas_1 if deltas_2 is None else deltas_2).T) * gram


def _factors(weight, bias, weight_variance, bias_variance, parameterization):
    """(c, b) of h = c W x + b bias; b = 0 without a bias."""
    if parameterization == "standard":
        return 1.0, 0.0 if bias is None else 1.0
    variances = (weight_variance / weight.shape[0], 0.0 if bias is None else bias_variance)
    return tuple(jnp.sqrt(jnp.asarray(variance, weight.dtype)) for variance in variances)


def _features_and_deltas(chain, factors, activation, x):
    """[(phi_{l-1} (N, n_{l-1}), d_l (N, O, n_l))] per layer; the readout has None for d = I."""
    features, slopes = [x], []
    for (weight, bias), (weight_factor, bias_factor) in zip(chain[:-1], factors[:-1], strict=True):
        h = _product(features[-1], weight) * weight_factor
        if bias is not None:
            h = h + bias_factor * bias
        phi, slope = jax.jvp(activation, (h,), (jnp.ones_like(h),))
        features.append(phi)
        slopes.append(slope)
    deltas = [None]
    for index in reversed(range(1, len(chain))):
        weight, above = chain[index][0], deltas[0]
        back = weight.T[None] if above is None else _product(above, weight.T)
        deltas.insert(0, back * factors[index][0] * slopes[index - 1][:, None, :])
    return list(zip(features, deltas, strict=True))


def _gram_sum(one, two, factors, outputs: int, kind: Kind):
    """(nngp, ntk) of two blocks of samples; ntk is (N1 O, N2 O), (O, N1, N2) or (N1, N2)."""
    grams = [
        _product(features_1, features_2.T) * weight_factor**2 + bias_factor**2
        for (features_1, _), (features_2, _), (weight_factor, bias_factor) in zip(
            one, two, factors, strict=True
        )
    ]
    ntk = _readout(grams[-1], outputs, kind)
    for (_, deltas_1), (_, deltas_2), gram in zip(one[:-1], two[:-1], grams[:-1], strict=True):
        ntk = ntk + _weighted(deltas_1, deltas_2, gram, kind)
    return grams[-1], ntk


def _readout(gram, outputs: int, kind: Kind):
    if kind == "trace":
        return gram
    if kind == "diagonal":
        return jnp.broadcast_to(gram, (outputs, *gram.shape))
    return jnp.kron(gram, jnp.eye(outputs, dtype=gram.dtype))


def _weighted(deltas_1, deltas_2, gram, kind: Kind):
    """<d^o(a), d^p(b)> times gram, shaped as `_gram_sum` says."""
    if kind == "diagonal":
        return jnp.einsum("aon,bon->oab", deltas_1, deltas_2, precision="highest") * gram
    outputs, width = deltas_1.shape[1:]
    if kind == "trace":
        wide = (-1, outputs * width)
        return layer_ntk(gram / outputs, deltas_1.reshape(wide), deltas_2.reshape(wide))
    inner = _product(deltas_1.reshape(-1, width), deltas_2.reshape(-1, width).T)
    pairs = inner.reshape(len(deltas_1), outputs, len(deltas_2), outputs)
    return (pairs * gram[:, None, :, None]).reshape(inner.shape)


def _samples_in_blocks(samples: int, rows_each: int) -> list[slice]:
    """At most 8 slices of samples, 160 rows of Theta or more each, below which products are slow.

    The products of the blocks i <= j alone cost little more than half of the whole.
    """
    count = min(8, max(1, samples * rows_each // 160))
    length = -(-samples // count)
    return [slice(start, min(start + length, samples)) for start in range(0, samples, length)]


def _symmetric(blocks: dict):
    """The symmetric matrix (last two axes) of the given blocks (i, j), i <= j."""
    places = range(1 + max(j for _, j in blocks))
    rows = [
        [blocks[i, j] if i <= j else jnp.swapaxes(blocks[j, i], -1, -2) for j in places]
        for i in places
    ]
    return jnp.concatenate([jnp.concatenate(row, axis=-1) for row in rows], axis=-2)


def _contract(a, b, kind: Kind):
    """Two blocks of Jacobians (rows, O, P) to their part of Theta."""
    if kind == "full":
        return jnp.einsum("aip,bjp->abij", a, b, precision="highest")
    per_output = jnp.einsum("aip,bip->abi", a, b, precision="highest")
    return per_output.mean(-1) if kind == "trace" else per_output


def _in_blocks(function: Callable, x, rows: int):
    """function over blocks of at most `rows` rows, results joined along the first axis."""
    size = x.shape[0]
    if size <= rows:
        return function(x)
    whole = size // rows * rows
    stacked = x[:whole].reshape(size // rows, rows, *x.shape[1:])
    result = jax.lax.map(function, stacked)
    result = result.reshape(whole, *result.shape[2:])
    return result if whole == size else jnp.concatenate([result, function(x[whole:])])


def _product(a, b):
    with jax.default_matmul_precision("highest"):  # no TF32 where a kernel is measured
        return a @ b


def _check_kind(kind: str) -> None:
    if kind not in _KINDS:
        raise ValueError(f"kind {kind!r} is none of {_KINDS}")
