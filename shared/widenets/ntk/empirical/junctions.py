"""Where parameters meet the data in a jax function: the structure that Jacobians do not use.

Most parameters are read once per evaluation, as the weight of a matrix product or a convolution, or
as a table of rows. With h (T, F) what such a place reads and d (O, T, E) the derivative of the
outputs by what it gives (T positions), the Jacobian is sum_t h_t (x) d_t, and its part of the NTK
of two inputs is

    sum_{t, t'} <h_t, h'_t'> <d_t^o, d'_t'^p>

which needs no Jacobian. `found` finds these places in the program that jax traces; all parameters
that are read in another way are left to their Jacobians.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

INLINED = {"pjit", "jit", "closed_call", "core_call"}  # programs that are opened
MOVES = {"reshape", "transpose", "squeeze", "copy"}  # of a parameter: the same numbers


class Junction(NamedTuple):
    """One place: which equation of the program, which parameter, and how h and d are read."""

    place: tuple[int, ...]  # index of the equation, within those that are opened
    leaf: int  # of the parameters
    shape: tuple[int, ...]  # of what the equation gives, for one input
    dtype: Any
    positions: int  # T
    inputs: int  # F, or 1 for rows of a table
    units: int  # E
    features: Callable  # what the equation reads -> h (T, F); indices of rows: (T,)
    deltas: Callable  # (O, *shape) -> d (O, T, E)


class Places(NamedTuple):
    """A function of (parameters, one input) taken apart."""

    program: Any  # closed jaxpr of (leaves of the parameters, leaves of the input)
    junctions: tuple[Junction, ...]
    rest: tuple[int, ...]  # leaves that are read in any other way


def found(apply: Callable, params, x) -> Places:
    """The places of apply(params, x), x a batch of one input."""
    leaves, of_params = jax.tree.flatten(params)
    inputs, of_x = jax.tree.flatten(x)

    def flat(leaves, inputs):
        return apply(jax.tree.unflatten(of_params, leaves), jax.tree.unflatten(of_x, inputs))

    program = jax.make_jaxpr(flat)(leaves, inputs)
    origin = {var: k for k, var in enumerate(program.jaxpr.invars[: len(leaves)])}
    uses: list[list[Junction | None]] = [[] for _ in leaves]
    _collect(program.jaxpr, origin, uses, ())
    whole = [u[0] if len(u) == 1 else None for u in uses]
    junctions = tuple(junction for junction in whole if junction is not None)
    return Places(program, junctions, tuple(k for k, one in enumerate(whole) if one is None))


def _collect(jaxpr, origin: dict, uses: list, path: tuple[int, ...]) -> None:
    """Every use of every parameter, in a program and those that it opens."""

    def leaf_of(atom):
        return None if hasattr(atom, "val") else origin.get(atom)

    for index, equation in enumerate(jaxpr.eqns):
        read = [leaf_of(atom) for atom in equation.invars]
        leaves = {leaf for leaf in read if leaf is not None}
        if not leaves:
            continue
        name = equation.primitive.name
        if name in MOVES and len(equation.invars) == 1:
            origin[equation.outvars[0]] = read[0]
        elif name in INLINED:
            inner = equation.params["jaxpr"].jaxpr
            pairs = zip(inner.invars, read, strict=True)
            inside = {var: leaf for var, leaf in pairs if leaf is not None}
            _collect(inner, inside, uses, (*path, index))
            for outer, own in zip(equation.outvars, inner.outvars, strict=True):
                if not hasattr(own, "val") and own in inside:
                    origin[outer] = inside[own]
        else:
            for leaf in leaves:
                rule = RULES.get(name) if read.count(leaf) == 1 and len(leaves) == 1 else None
                how = rule and rule(equation, read.index(leaf))
                out = equation.outvars[0].aval
                place = (*path, index), leaf, out.shape, out.dtype
                uses[leaf].append(Junction(*place, *how) if how else None)
    for atom in jaxpr.outvars:
        if not path and leaf_of(atom) is not None:
            uses[origin[atom]].append(None)


def _product_rule(equation, operand: int):
    """h W or W h of a matrix product without batch axes."""
    (contracted, batch) = equation.params["dimension_numbers"]
    if batch[0]:
        return None
    other = 1 - operand
    axes, rank = contracted[other], len(equation.invars[other].aval.shape)
    free = [axis for axis in range(rank) if axis not in axes]
    count = int(np.prod([equation.invars[other].aval.shape[axis] for axis in free], dtype=int))

    def features(*read):
        h = jnp.transpose(read[other], [*free, *axes])
        return h.reshape(count, -1)

    def deltas(d):  # y has the free axes of the left factor first
        if operand == 1:
            return d.reshape(len(d), count, -1)
        return jnp.swapaxes(d.reshape(len(d), -1, count), 1, 2)

    inputs = int(np.prod([equation.invars[other].aval.shape[axis] for axis in axes], dtype=int))
    units = int(np.prod(equation.invars[operand].aval.shape, dtype=int)) // max(inputs, 1)
    return count, inputs, units, features, deltas


def _convolution_rule(equation, operand: int):
    """A convolution with this kernel, ungrouped: h are its patches."""
    params, kernel = equation.params, equation.invars[1].aval
    grouped = params["feature_group_count"] != 1 or params["batch_group_count"] != 1
    if operand != 1 or grouped or any(step != 1 for step in params["lhs_dilation"]):
        return None
    numbers, out = params["dimension_numbers"], equation.outvars[0].aval.shape
    sizes = [kernel.shape[axis] for axis in numbers.rhs_spec[2:]]
    outputs = [out[axis] for axis in numbers.out_spec[2:]]
    steps, holes = params["window_strides"], params["rhs_dilation"]

    def features(*read):
        h = jnp.transpose(
            read[0], [numbers.lhs_spec[0], *numbers.lhs_spec[2:], numbers.lhs_spec[1]]
        )
        pads = [(0, 0, 0), *((low, high, 0) for low, high in params["padding"]), (0, 0, 0)]
        h = lax.pad(h, jnp.zeros((), h.dtype), pads)
        taps = []
        for tap in np.ndindex(*sizes):
            starts = [t * hole for t, hole in zip(tap, holes, strict=True)]
            ends = [
                start + (count - 1) * step + 1
                for start, count, step in zip(starts, outputs, steps, strict=True)
            ]
            shape = (h.shape[0], *ends, h.shape[-1])
            taps.append(lax.slice(h, (0, *starts, 0), shape, (1, *steps, 1)))
        return jnp.stack(taps, axis=-2).reshape(len(h) * int(np.prod(outputs)), -1)

    def deltas(d):
        axes = [numbers.out_spec[0], *numbers.out_spec[2:], numbers.out_spec[1]]
        d = jnp.transpose(d, [0, *(1 + axis for axis in axes)])
        return d.reshape(len(d), -1, d.shape[-1])

    inputs = kernel.size // kernel.shape[numbers.rhs_spec[0]]
    positions = out[numbers.out_spec[0]] * int(np.prod(outputs))
    return positions, inputs, kernel.size // inputs, features, deltas


def _table_rule(equation, operand: int):
    """Rows of a table, as jnp.take along axis 0 and W[tokens] give them."""
    table, indices = (atom.aval for atom in equation.invars[:2])
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    rows = numbers.collapsed_slice_dims == (0,) and numbers.start_index_map == (0,)
    last = numbers.offset_dims == (len(equation.outvars[0].aval.shape) - 1,)
    plain = table.ndim == 2 and tuple(sizes) == (1, table.shape[1]) and rows and last
    if operand != 0 or not plain or getattr(numbers, "operand_batching_dims", ()):
        return None

    def features(_, tokens):
        return jnp.clip(tokens.reshape(-1), 0, table.shape[0] - 1)

    def deltas(d):
        return d.reshape(len(d), indices.size, -1)

    return indices.size, 1, table.shape[1], features, deltas


RULES = {
    "dot_general": _product_rule,
    "conv_general_dilated": _convolution_rule,
    "gather": _table_rule,
}


def evaluated(places: Places, leaves, inputs, probes):
    """(outputs, [h of every junction]); a probe is added to what its junction gives."""
    at = {junction.place: k for k, junction in enumerate(places.junctions)}
    features: list = [None] * len(at)

    def run(jaxpr, constants, arguments, path):
        known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *arguments), strict=True))

        def value(atom):
            return atom.val if hasattr(atom, "val") else known[atom]

        for index, equation in enumerate(jaxpr.eqns):
            read, place = [value(atom) for atom in equation.invars], (*path, index)
            if equation.primitive.name in INLINED:
                inner = equation.params["jaxpr"]
                results = run(inner.jaxpr, inner.consts, read, place)
            else:
                params = equation.primitive.get_bind_params(equation.params)
                with equation.ctx.manager:
                    results = equation.primitive.bind(*read, **params)
                results = results if equation.primitive.multiple_results else [results]
            if place in at:
                k = at[place]
                features[k] = places.junctions[k].features(*read)
                results = [results[0] + probes[k]]
            known.update(zip(equation.outvars, results, strict=True))
        return [value(atom) for atom in jaxpr.outvars]

    (outputs,) = run(places.program.jaxpr, places.program.consts, (*leaves, *inputs), ())
    return outputs, features


class Parts(NamedTuple):
    """What the NTK of a block of inputs needs."""

    features: list  # per junction (N, T, F), or (N, T) indices of rows
    deltas: list  # per junction (N, O, T, E)
    rest: list  # per other leaf (N, O, P)


def parts_of(places: Places, leaves, x) -> Parts:
    """Of a batch x, a list of arrays (N, ...): one backward pass for all outputs."""

    def single(inputs):
        probes = [jnp.zeros(j.shape, j.dtype) for j in places.junctions]
        rest = [leaves[k] for k in places.rest]

        def function(probes, rest):
            whole = list(leaves)
            for k, leaf in zip(places.rest, rest, strict=True):
                whole[k] = leaf
            outputs, features = evaluated(places, whole, [a[None] for a in inputs], probes)
            return outputs.reshape(-1), features

        outputs, pull, features = jax.vjp(function, probes, rest, has_aux=True)
        deltas, slopes = jax.vmap(pull)(jnp.eye(len(outputs), dtype=outputs.dtype))
        deltas = [j.deltas(d) for j, d in zip(places.junctions, deltas, strict=True)]
        return Parts(features, deltas, [s.reshape(len(outputs), -1) for s in slopes])

    return jax.vmap(single)(x)


def by_jacobian(positions: int, inputs: int, units: int, outputs: int, samples: int, full: bool):
    """Whether products of Jacobians (F E numbers per output) are cheaper than the Gram formula.

    Multiplications per pair of inputs: O^2 F E, and O T F E for one input's Jacobian (shared by the
    pairs), against T^2 (F + O E) + O^2 T E; without the pairs of outputs O in place of O^2.
    """
    pairs = outputs**2 if full else outputs
    jacobian = pairs * inputs * units + 2 * outputs * positions * inputs * units / samples
    gram = positions**2 * (inputs + outputs * units) + pairs * positions * units
    return positions > 1 and jacobian < gram


def sizes(h, d) -> tuple[int, int, int, int]:
    """T, F, E and O of what a vectorised junction gave; no features for rows of a table."""
    return h.shape[1], h.shape[2] if h.ndim == 3 else 0, d.shape[3], d.shape[1]


def numbers(positions: int, inputs: int, units: int, outputs: int, full: bool) -> int:
    """Numbers that one input needs at one junction: h, d, what is mixed of them, Jacobians."""
    found = positions * inputs + 3 * outputs * positions * units
    if by_jacobian(positions, inputs, units, outputs, 10**9, full):
        found += outputs * inputs * units
    return found


def contracted(h1, d1, h2, d2, full: bool):
    """The part of Theta of one junction: (N1, N2, O, O), or (N1, N2, O) of equal outputs."""
    if h1.ndim == 3 and by_jacobian(*sizes(h1, d1), max(len(h1), len(h2)), full):
        one, two = (
            jnp.einsum("ntf,note->nofe", h, d, precision="highest") for h, d in ((h1, d1), (h2, d2))
        )
        one, two = (g.reshape(*g.shape[:2], -1) for g in (one, two))
        subscripts = "iok,jpk->ijop" if full else "iok,jok->ijo"
        return jnp.einsum(subscripts, one, two, precision="highest")
    if h1.ndim == 2:
        gram = (h1[:, :, None, None] == h2[None, None]).astype(d1.dtype)
    else:
        gram = jnp.einsum("itf,jsf->itjs", h1, h2, precision="highest")
    if gram.shape[1] == 1:
        return _of_vectors(gram[:, 0, :, 0], d1[:, :, 0], d2[:, :, 0], full)

    def with_one(arguments):  # the pairs with one input of the second block
        weights, two = arguments
        mixed = jnp.einsum("its,pse->itpe", weights, two, precision="highest")
        subscripts = "iote,itpe->iop" if full else "iote,itoe->io"
        return jnp.einsum(subscripts, d1, mixed, precision="highest")

    return jnp.moveaxis(lax.map(with_one, (jnp.moveaxis(gram, 2, 0), d2)), 0, 1)


def _of_vectors(gram, d1, d2, full: bool):
    if not full:
        return jnp.einsum("ioe,joe->ijo", d1, d2, precision="highest") * gram[..., None]
    inner = jnp.einsum("ioe,jpe->iojp", d1, d2, precision="highest")
    return (inner * gram[:, None, :, None]).transpose(0, 2, 1, 3)


def rest_contracted(one, two, full: bool):
    """The part of Theta of one Jacobian (N, O, P)."""
    subscripts = "iok,jpk->ijop" if full else "iok,jok->ijo"
    return jnp.einsum(subscripts, one, two, precision="highest")


def diagonal(parts: Parts):
    """Theta[i, i, o, o], (N, O)."""
    total = sum((leaf**2).sum(axis=2) for leaf in parts.rest)
    for h, d in zip(parts.features, parts.deltas, strict=True):
        gram = (
            (h[:, :, None] == h[:, None]).astype(d.dtype)
            if h.ndim == 2
            else jnp.einsum("itf,isf->its", h, h, precision="highest")
        )
        total = total + jnp.einsum("iote,its,iose->io", d, gram, d, precision="highest")
    return total


def numbers_of(places: Places, leaves, outputs: int, full: bool) -> tuple[int, int]:
    """Numbers that one input needs, and that one pair needs besides its result."""
    linear = sum(outputs * leaves[k].size for k in places.rest)
    square = 2 * (outputs**2 if full else outputs)
    for j in places.junctions:
        linear += numbers(j.positions, j.inputs, j.units, outputs, full)
    return linear, square + max((j.positions**2 for j in places.junctions), default=0)
