"""Kernels of finite networks: NTK from parameter gradients and NNGP from last hidden features.

    Theta[i, j, o, p] = sum_theta  df_o(x_i)/dtheta  df_p(x'_j)/dtheta

`empirical_ntk` takes any apply(params, x); `dense_kernels` is for chains of dense layers and gives
the NNGP as well. Neither builds Jacobians of the weights of dense layers: the layerwise Gram
formula is cheaper by a factor of the width.  `kind` says which part of Theta is wanted:

    "full"        (N1, N2, O, O)
    "per_output"  (N1, N2, O)     the entries o = p, one kernel per output
    "trace"       (N1, N2)        their MEAN over outputs, as in neural-tangents
    "diagonal"    (N, O)          the entries i = j, o = p of x1 alone: nothing is N x N

Inputs of both are checked (ValueError: shapes that do not fit, no inputs, nan or inf, a dtype other
than that of params).  One output alone: wrap apply so that it returns this output.  Everything is
traceable (jit, vmap over seeds, differentiation) and stays in the dtype of its arguments.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.checks import checked_parameters
from widenets.ntk.empirical import junctions
from widenets.ntk.empirical.chain import DenseLayer, dense_chain

Kind = Literal["full", "per_output", "trace", "diagonal"]
KINDS = ("full", "per_output", "trace", "diagonal")


class EmpiricalKernels(NamedTuple):
    """nngp: (N1, N2), covariance of f over readouts, hidden layers given; ntk: as `kind` says.

    Of the kind "diagonal" nngp is (N,).
    """

    nngp: jax.Array
    ntk: jax.Array


def empirical_ntk(
    apply: Callable,
    params: Any,
    x1,
    x2=None,
    *,
    kind: Kind = "trace",
    memory_mb: float = 1000.0,
) -> jax.Array:
    """NTK of any network without batch coupling; x2=None means x2 = x1.

    x1, x2: arrays (N, ...), floating or integer (tokens), or dicts, tuples and lists of arrays with
    one N. Outputs of any shape per input: (N,) is O = 1, (N, T, C) is O = T C in its order.
    params: a pytree of floating arrays, all of them parameters; what is none (running statistics,
    counters, functions) stays in apply. ValueError: found in params.

    Weights of matrix products and convolutions and rows of tables that are read once need no
    Jacobian (`junctions`); all other parameters are contracted by theirs.
    memory_mb bounds what the call needs beyond its arguments, copies of params and its result;
    within it the largest blocks are taken, and N need not divide anything.  An x2 of more than one
    block is differentiated once per block of x1.
    """
    check_kind(kind, x2)
    check_inputs(params, x1, x2)
    places, leaves = junctions.found(apply, params, _taken(x1, 0, 1)), jax.tree.leaves(params)
    shape = jax.eval_shape(apply, params, _taken(x1, 0, 1)).shape
    if shape[:1] != (1,):
        raise ValueError(f"apply gives shape {shape} for one input, wanted (1, ...)")
    outputs, full = math.prod(shape[1:]), kind == "full"
    linear, square = junctions.numbers_of(places, leaves, outputs, full)
    size = jax.dtypes.result_type(*leaves).itemsize
    rows = rows_in_memory(memory_mb, 4 * size * linear, size * square)  # blocks, copies of both

    def block(x):
        return junctions.parts_of(places, leaves, jax.tree.leaves(x))

    def pair(one, two):
        theta = 0
        for parts in zip(one.features, one.deltas, two.features, two.deltas, strict=True):
            theta = theta + junctions.contracted(*parts, full)
        for left, right in zip(one.rest, two.rest, strict=True):
            theta = theta + junctions.rest_contracted(left, right, full)
        return theta.mean(-1) if kind == "trace" else theta

    if kind == "diagonal":
        return _each(lambda x: junctions.diagonal(block(x)), x1, rows)
    samples = _count(x1)
    if x2 is not None or rows < samples:
        return _all_pairs(block, pair, x1, x2, rows)
    return _mirrored(block(x1), pair, samples, kind)


def _mirrored(one, pair: Callable, samples: int, kind: Kind):
    """All pairs of one block, from the pairs of its parts i <= j."""
    length = -(-samples // min(8, max(1, samples // 4)))
    parts = [
        jax.tree.map(lambda array, k=k: array[k : k + length], one)
        for k in range(0, samples, length)
    ]
    rows = []
    for i, left in enumerate(parts):
        row = [pair(left, right) for right in parts[i:]]
        below = [_swapped(rows[k][i], kind) for k in range(i)]
        rows.append([*below, *row])
    return jnp.concatenate([jnp.concatenate(row, axis=1) for row in rows], axis=0)


def _swapped(theta, kind: Kind):
    """Theta of (x', x) from that of (x, x')."""
    return theta.transpose(1, 0, 3, 2) if kind == "full" else jnp.swapaxes(theta, 0, 1)


def dense_kernels(
    network,
    params,
    x1,
    x2=None,
    *,
    kind: Kind = "trace",
    memory_mb: float | None = None,
) -> EmpiricalKernels:
    """Empirical NNGP and NTK of a dense network, without Jacobians.

    network: an Architecture of dense layers with elementwise functions between them
    (`fully_connected`, or `serial` of dense(...) and relu() and the like), which has all variances;
    params: of this network, as its `init` gives them.

        h_l = sw/sqrt(n) phi_{l-1} W_l + sb b_l,   phi_l = activation(h_l),   f = h_{L+1}
        Theta[i,j,o,p] = sum_l <d_l^o(x_i), d_l^p(x'_j)> G_l[i,j]
        G_l[i,j] = sw^2/n <phi_{l-1}(x_i), phi_{l-1}(x'_j)> + sb^2

    with d_l^o = df_o/dh_l from one backward pass; layers that are not trained have no part in the
    sum.  nngp is the G_l of the readout.  In standard parameterization h_l = phi_{l-1} W_l + b_l
    whatever the variances are, and both factors are 1.
    memory_mb bounds what the call needs beyond its arguments and result, as in `empirical_ntk`:
    features and derivatives, for as many inputs at a time as it allows. None: for all at once.
    ValueError: other layers, params of another network, inputs as in `empirical_ntk`.
    """
    check_kind(kind, x2)
    check_inputs(params, x1, x2)
    chain = dense_chain(network, params)
    if x1.ndim != 2 or x1.shape[1] != chain[0].weight.shape[0]:
        raise ValueError(
            f"inputs have shape {x1.shape}, wanted (inputs, {chain[0].weight.shape[0]})"
        )
    outputs = chain[-1].weight.shape[1]

    def block(x):
        return _features_and_deltas(chain, x)

    def pair(one, two):
        nngp, ntk = _gram_sum(one, two, chain, outputs, kind)
        return EmpiricalKernels(nngp, _samples_first(ntk, outputs, kind))

    rows = max(len(x1), 0 if x2 is None else len(x2))
    if memory_mb is not None:
        rows = min(rows, _rows(chain, outputs, kind, memory_mb))
    if kind == "diagonal":
        return _each(lambda x: _diagonal_sum(block(x), chain, outputs), x1, rows)
    if x2 is not None or rows < len(x1):
        return _all_pairs(block, pair, x1, x2, rows)
    return _upper_triangle(block(x1), chain, outputs, kind)


def _upper_triangle(one, chain, outputs: int, kind: Kind) -> EmpiricalKernels:
    """All pairs of the inputs of one block, from the pairs of its parts i <= j."""
    parts = [
        jax.tree.map(lambda array, rows=rows: array[rows], one)
        for rows in _samples_in_blocks(len(one[0][0]), outputs if kind == "full" else 1)
    ]
    blocks = {
        (i, j): _gram_sum(parts[i], parts[j], chain, outputs, kind)
        for j in range(len(parts))
        for i in range(j + 1)
    }
    nngp, ntk = (_symmetric({pair: both[k] for pair, both in blocks.items()}) for k in (0, 1))
    return EmpiricalKernels(nngp, _samples_first(ntk, outputs, kind))


def _samples_first(ntk, outputs: int, kind: Kind):
    """What `_gram_sum` gives, in the order of axes of the result."""
    if kind == "full":
        return ntk.reshape(ntk.shape[0] // outputs, outputs, -1, outputs).transpose(0, 2, 1, 3)
    return jnp.moveaxis(ntk, 0, -1) if kind == "per_output" else ntk


def _diagonal_sum(one, chain, outputs: int) -> EmpiricalKernels:
    """(nngp (N,), ntk (N, O)) of a block of samples with themselves."""
    grams = [
        (features**2).sum(axis=1) * layer.weight_factor**2 + layer.bias_factor**2
        for (features, _), layer in zip(one, chain, strict=True)
    ]
    ntk = jnp.repeat(_share(chain[-1], grams[-1])[:, None], outputs, axis=1)
    for (_, deltas), gram, layer in zip(one[:-1], grams[:-1], chain[:-1], strict=True):
        ntk = ntk + (deltas**2).sum(axis=2) * _share(layer, gram)[:, None]
    return EmpiricalKernels(grams[-1], ntk)


def _share(layer: DenseLayer, gram):
    """gram, or 0 of a layer that is not trained."""
    return gram if layer.trained is True else gram * layer.trained


def _rows(chain, outputs: int, kind: Kind, memory_mb: float) -> int:
    """The largest number of samples per block whose pair of blocks fits into memory_mb."""
    weight = chain[0].weight
    numbers = weight.shape[0] + sum((3 + outputs) * layer.weight.shape[1] for layer in chain)
    pair_numbers = {"full": outputs**2, "per_output": outputs, "trace": 1, "diagonal": 0}[kind]
    size = 3 * weight.dtype.itemsize  # two blocks and half of a copy, three results of a pair
    return rows_in_memory(memory_mb, size * numbers, size * (pair_numbers + 1))


def rows_in_memory(memory_mb: float, linear: float, square: float = 0) -> int:
    """The largest r with square r^2 + linear r bytes within memory_mb: samples per block.

    ValueError: there is not room for one.
    """
    bound = 1e6 * memory_mb
    rows = int(2 * bound / (linear + (linear**2 + 4 * square * bound) ** 0.5))
    if rows == 0:
        needed = (square + linear) / 1e6
        raise ValueError(f"one pair of samples needs {needed:.3g} MB, memory_mb is {memory_mb}")
    return rows


def layer_ntk(gram, deltas_1, deltas_2=None):
    """The part of Theta from one dense layer, (N1, N2): <d(x_i), d(x'_j)> gram[i, j].

    gram (N1, N2): inner products of what the layer reads, and its bias; deltas (N, n): derivatives
    of one output by the layer's n preactivations. deltas_2=None means deltas_1. The arrays are all
    numpy's or all jax's, and so is the result.
    """
    return _product(deltas_1, (deltas_1 if deltas_2 is None else deltas_2).T) * gram


def _features_and_deltas(chain, x):
    """[(phi_{l-1} (N, n_{l-1}), d_l (N, O, n_l))] per layer; the readout has None for d = I."""
    features, slopes = [x], []
    for layer in chain[:-1]:
        h = _product(features[-1], layer.weight) * layer.weight_factor
        if layer.bias is not None:
            h = h + layer.bias_factor * layer.bias
        phi, slope = jax.jvp(layer.phi, (h,), (jnp.ones_like(h),))
        features.append(phi)
        slopes.append(slope)
    deltas = [None]
    for index in reversed(range(1, len(chain))):
        weight, above = chain[index].weight, deltas[0]
        back = weight.T[None] if above is None else _product(above, weight.T)
        deltas.insert(0, back * chain[index].weight_factor * slopes[index - 1][:, None, :])
    return list(zip(features, deltas, strict=True))


def _gram_sum(one, two, chain, outputs: int, kind: Kind):
    """(nngp, ntk) of two blocks of samples; ntk is (N1 O, N2 O), (O, N1, N2) or (N1, N2)."""
    grams = [
        _product(features_1, features_2.T) * layer.weight_factor**2 + layer.bias_factor**2
        for (features_1, _), (features_2, _), layer in zip(one, two, chain, strict=True)
    ]
    ntk = _readout(_share(chain[-1], grams[-1]), outputs, kind)
    parts = zip(one[:-1], two[:-1], grams[:-1], chain[:-1], strict=True)
    for (_, deltas_1), (_, deltas_2), gram, layer in parts:
        ntk = ntk + _weighted(deltas_1, deltas_2, _share(layer, gram), kind)
    return grams[-1], ntk


def _readout(gram, outputs: int, kind: Kind):
    if kind == "trace":
        return gram
    if kind == "per_output":
        return jnp.broadcast_to(gram, (outputs, *gram.shape))
    return jnp.kron(gram, jnp.eye(outputs, dtype=gram.dtype))


def _weighted(deltas_1, deltas_2, gram, kind: Kind):
    """<d^o(a), d^p(b)> times gram, shaped as `_gram_sum` says."""
    if kind == "per_output":
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


def _all_pairs(block: Callable, pair: Callable, x1, x2, rows: int):
    """pair(block(x1), block(x2)), at most `rows` samples at a time; an x2 of one block is kept."""
    same = x2 is None
    x2 = x1 if same else x2
    kept = block(x2) if _count(x2) <= rows else None
    if kept is not None and _count(x1) <= rows:
        return pair(kept if same else block(x1), kept)

    def strip(i, results):
        one = block(_taken(x1, i, rows))

        def tile(j, results):
            two = block(_taken(x2, j, rows)) if kept is None else kept
            return _placed(results, pair(one, two), i, j)

        return _for_starts(_count(x2), rows, tile, results)

    return _for_starts(_count(x1), rows, strip, _room(lambda: pair(block(x1), block(x2))))


def _each(function: Callable, x, rows: int):
    """function(x), at most `rows` samples at a time."""

    def part(i, results):
        return _placed(results, function(_taken(x, i, rows)), i)

    return _for_starts(_count(x), rows, part, _room(lambda: function(x)))


def _for_starts(size: int, rows: int, body: Callable, results):
    """body(start, results) for blocks of `rows` of `size` samples; the last one may overlap."""
    starts = jnp.minimum(jnp.arange(0, size, rows), max(size - rows, 0))
    return jax.lax.fori_loop(0, len(starts), lambda k, results: body(starts[k], results), results)


def _taken(x, start, rows: int):
    rows = min(rows, _count(x))
    return jax.tree.map(lambda array: jax.lax.dynamic_slice_in_dim(array, start, rows), x)


def _count(x) -> int:
    """The number of inputs."""
    return len(jax.tree.leaves(x)[0])


def _room(function: Callable):
    """Arrays for its result, which is not computed."""
    return jax.tree.map(lambda like: jnp.zeros(like.shape, like.dtype), jax.eval_shape(function))


def _placed(results, parts, *starts):
    """results with parts written into them, in place where jax can."""

    def place(whole, part):
        places = *starts, *[0] * (part.ndim - len(starts))
        return jax.lax.dynamic_update_slice(whole, part, places)

    return jax.tree.map(place, results, parts)


def _product(a, b):
    with jax.default_matmul_precision("highest"):  # no TF32 where a kernel is measured
        return a @ b


def check_kind(kind: str, x2) -> None:
    """ValueError: none of KINDS, or a diagonal between two sets of inputs."""
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {KINDS}")
    if kind == "diagonal" and x2 is not None:
        raise ValueError("kind 'diagonal' pairs every input with itself: found an x2, wanted None")


def check_inputs(params, x1, x2) -> None:
    """ValueError: inputs that do not fit to each other or to params."""
    inputs = {"x1": x1} if x2 is None else {"x1": x1, "x2": x2}
    dtypes = {leaf.dtype for leaf in checked_parameters(params)}
    arrays = {name: jax.tree.leaves_with_path(x) for name, x in inputs.items()}
    shapes = [[a.shape for _, a in leaves] for leaves in arrays.values()]
    if any(jax.tree.structure(x) != jax.tree.structure(x1) for x in inputs.values()):
        raise ValueError("x1 and x2 must be built alike, found other keys or lengths in them")
    for (name, leaves), sizes in zip(arrays.items(), shapes, strict=True):
        same = [size[1:] for size in sizes] == [size[1:] for size in shapes[0]]
        scalars = len(leaves) == 1 and len(sizes[0]) < 2 and not _whole(leaves[0][1])
        uneven = any(not s or 0 in s or s[0] != sizes[0][0] for s in sizes)
        if not sizes or not same or scalars or uneven:
            found = [one[0] if len(one) == 1 else one for one in shapes]
            raise ValueError(f"cannot pair inputs of shapes {found}")
        for path, x in leaves:
            place = name + jax.tree_util.keystr(path)
            if not _whole(x) and {x.dtype} != dtypes:
                found = sorted(str(dtype) for dtype in dtypes)
                raise ValueError(
                    f"{place} has dtype {x.dtype}, params {found}: wanted one and the same"
                )
            if not isinstance(x, jax.core.Tracer) and not np.isfinite(np.asarray(x)).all():
                raise ValueError(f"{place} must be finite, found nan or inf")


def _whole(x) -> bool:
    """Whether an array holds whole numbers: tokens, masks."""
    return jnp.issubdtype(x.dtype, jnp.integer) or x.dtype == bool
