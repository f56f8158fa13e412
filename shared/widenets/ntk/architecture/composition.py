"""Networks made of layers: serial, repeat, residual, concatenate, fully_connected."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import jax
import jax.numpy as jnp
from jax import lax, random

from widenets.ntk.architecture import law
from widenets.ntk.architecture.activations import identity, relu
from widenets.ntk.architecture.affine import dense
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs, State, alike, merge, remember, scale, shifted
from widenets.ntk.checks import checked_count, checked_key, checked_keywords, checked_shape
from widenets.ntk.engine.chord import safe_sqrt


def output_shape(layer: Architecture, params, input_shape, dtype) -> tuple[int, ...]:
    """Shape of the layer's output for one input, without computing it."""
    x = jax.ShapeDtypeStruct((1, *input_shape), dtype)
    return jax.eval_shape(layer.apply, params, x).shape[1:]


def checked_layer(layer, place: str) -> Architecture:
    """layer, if it is one."""
    if isinstance(layer, Architecture):
        return layer
    name = getattr(layer, "__name__", None)
    if not callable(layer) or name is None:
        raise ValueError(f"{place} must be a layer such as relu(), found {layer!r}")
    if getattr(layer, "__module__", "").startswith("widenets."):
        raise ValueError(f"{place} must be a layer, found the function {name}: write {name}(...)")
    raise ValueError(
        f"{place} must be a layer, found the function {name}: take the activation of that name "
        f"here, such as relu(), or smooth({name}) if it is analytic"
    )


def serial(*layers: Architecture) -> Architecture:
    """Composition, first layer first. params: a tuple of the layers' params, () for those without.

    A serial inside a serial stays nested, and so do its params.
    ValueError: an activation after an activation, say: see `law`.
    """
    if not layers:
        raise ValueError("serial needs at least one layer, found none")
    for index, layer in enumerate(layers):
        checked_layer(layer, f"layer {index} of serial")

    def init(key, input_shape, dtype=jnp.float32):
        params, input_shape = [], checked_shape(input_shape)
        keys = random.split(checked_key(key), len(layers))
        for layer, layer_key in zip(layers, keys, strict=True):
            params.append(layer.init(layer_key, input_shape, dtype))
            input_shape = output_shape(layer, params[-1], input_shape, dtype)
        return tuple(params)

    def apply(params, x, key=None):
        keys = [None] * len(layers) if key is None else random.split(key, len(layers))
        for layer, layer_params, layer_key in zip(layers, params, keys, strict=True):
            x = layer.apply(layer_params, x, key=layer_key)
        return x

    def propagate(state: State) -> State:
        for layer in layers:
            state = layer.propagate(state)
        return state

    def law_of(of_units: law.Law) -> law.Law:
        for layer in layers:
            of_units = layer.law(of_units)
        return of_units

    stride = tuple(prod(layer.stride[axis] for layer in layers) for axis in (0, 1))
    parts = [layer.steps for layer in layers]
    steps = None if None in parts else tuple(step for part in parts for step in part)
    return Architecture(init, apply, propagate, law_of, "serial", stride, steps, layers)


UNROLLED = 4  # layers written out: a loop of so few compiles no faster


def repeat(layer: Architecture, times) -> Architecture:
    """serial(*[layer] * times), whose limit is compiled once for all layers.

    times may be traced (jit), so that one compilation serves every depth, 0 included. Then there
    is the limit alone, and the layer must give back what it reads: as many units, images as large,
    no pooling in it, and an activation at its end if and only if there is one in front of it.
    """
    checked_layer(layer, "the layer of repeat")
    if isinstance(times, jax.core.Tracer):
        return _repeat_traced(layer, times)
    times = checked_count(times, "times")

    def propagate(state: State) -> State:
        state = layer.propagate(state)  # the first one may read fewer units than it gives
        if times > UNROLLED and _obstacle(layer, state) is None:
            return alike(lambda state: _looped(layer, times - 1, state))(state)
        for _ in range(times - 1):
            state = layer.propagate(state)
        return state

    return replace(serial(*[layer] * times), propagate=propagate)


def _repeat_traced(layer: Architecture, times) -> Architecture:
    def finite(*_, **__):
        raise ValueError("a finite network needs a number of layers, found a traced one")

    def propagate(state: State) -> State:
        obstacle = _obstacle(layer, state)
        if obstacle is not None:
            raise ValueError(obstacle)
        return _looped(layer, times, state)

    def law_of(before: law.Law) -> law.Law:
        return law.either(before, layer.law(layer.law(before)))

    return Architecture(finite, finite, alike(propagate), law_of, "repeat")


class _Elsewhere(ValueError):
    """A layer asked for another displacement than its own."""


def _obstacle(layer: Architecture, state: State) -> str | None:
    """Why the layer cannot be applied in a loop that starts from `state`; None: it can."""
    origin, found = (0,) * len(state.extent), []

    def once(arrays):
        found.append(layer.propagate(_with_arrays(state, origin, arrays)))
        return _arrays(found[-1], origin)

    before = _arrays(state, origin)
    try:
        after = jax.eval_shape(once, before)
    except _Elsewhere as error:
        return str(error)
    if (found[-1].fan_in, found[-1].extent) != (state.fan_in, state.extent):
        return (
            f"a repeated layer must give as many units as it reads, found {found[-1].fan_in} "
            f"of {state.fan_in}, and images as large"
        )
    if [a.shape for a in before] != [a.shape for a in after]:
        return "a repeated layer must end in an activation if and only if one is in front of it"
    return None


def _looped(layer: Architecture, times, state: State) -> State:
    """The state after so many layers, in a loop: one for each displacement that is asked for."""

    def after(displacement) -> tuple:
        def once(_, arrays):
            before = _with_arrays(state, displacement, arrays)
            return _arrays(layer.propagate(before), displacement)

        return lax.fori_loop(0, times, once, _arrays(state, displacement))

    origin = (0,) * len(state.extent)
    at_origin = after(origin)

    def pairs(displacement):
        return Pairs(*(at_origin if _equal(displacement, origin) else after(displacement))[4:])

    return _with_numbers(state, at_origin)._replace(pairs=remember(pairs))


def _arrays(state: State, displacement) -> tuple:
    """The numbers of a state at one displacement."""
    means = (jnp.asarray(mean, state.variance1.dtype) for mean in state.means)
    return state.variance1, state.variance2, *means, *state.pairs(displacement)


def _with_numbers(state: State, arrays) -> State:
    names = ("variance1", "variance2", "mean1", "mean2")
    return state._replace(**dict(zip(names, arrays[:4], strict=True)))


def _equal(one, two) -> bool:
    """Whether two displacements are the same: traced numbers are, if they are one object."""
    traced = any(isinstance(d, jax.core.Tracer) for d in (*one, *two))
    return all(a is b for a, b in zip(one, two, strict=True)) if traced else one == two


def _with_arrays(state: State, displacement, arrays) -> State:
    """`state` with these numbers, known at this displacement alone."""

    def pairs(asked):
        if not _equal(asked, displacement):
            raise _Elsewhere("a layer that pools cannot be repeated a traced number of times")
        return Pairs(*arrays[4:])

    return _with_numbers(state, arrays)._replace(pairs=pairs, selves=())


def residual(branch: Architecture, shortcut: Architecture | None = None) -> Architecture:
    """shortcut(x) + branch(x) with independent parameters; the default shortcut is identity().

    K = K_shortcut + K_branch, Theta = Theta_shortcut + Theta_branch. One of the two must have
    weights of its own, else they are not independent, and one must end in an affine layer.
    params: (shortcut params, branch params).
    """
    checked_layer(branch, "branch of residual")
    shortcut = identity() if shortcut is None else checked_layer(shortcut, "shortcut of residual")
    if shortcut.stride != branch.stride:
        raise ValueError(
            f"branch and shortcut must have equal strides, found {branch.stride} "
            f"and {shortcut.stride}"
        )

    def init(key, input_shape, dtype=jnp.float32):
        shortcut_key, branch_key = random.split(checked_key(key))
        return (
            shortcut.init(shortcut_key, input_shape, dtype),
            branch.init(branch_key, input_shape, dtype),
        )

    def apply(params, x, key=None):
        keys = (None, None) if key is None else random.split(key)
        outputs = shortcut.apply(params[0], x, key=keys[0]), branch.apply(params[1], x, key=keys[1])
        if outputs[0].shape != outputs[1].shape:
            raise ValueError(
                "branch and shortcut must give one shape, found "
                f"{outputs[1].shape[1:]} and {outputs[0].shape[1:]}"
            )
        return outputs[0] + outputs[1]

    def propagate(state: State) -> State:
        return _sum(shortcut.propagate(state), branch.propagate(state))

    def law_of(before: law.Law) -> law.Law:
        return law.total("residual", shortcut.law(before), branch.law(before))

    return Architecture(init, apply, propagate, law_of, "residual", branch.stride)


def _sum(one: State, two: State) -> State:
    """Sum of two independent processes on the same inputs."""
    if one.extent != two.extent:
        raise ValueError(
            f"branch and shortcut must give one shape, found {two.extent} and {one.extent}"
        )

    def pairs(displacement):
        q1 = one.variance1, two.variance1
        q2 = (shifted(state.variance2, displacement) for state in (one, two))
        parts = one.pairs(displacement), two.pairs(displacement)
        return merge(parts, [safe_sqrt(q) for q in q1], [safe_sqrt(q) for q in q2])

    return two._replace(
        variance1=one.variance1 + two.variance1,
        variance2=one.variance2 + two.variance2,
        pairs=remember(pairs),
        mean1=one.mean1 + two.mean1,
        mean2=one.mean2 + two.mean2,
        selves=tuple(_sum(*both) for both in zip(one.selves, two.selves, strict=True)),
    )


def concatenate(*branches: Architecture) -> Architecture:
    """The outputs of all branches side by side in the last axis (channels), as in DenseNet.

    With n_i units of branch i, a share s_i = n_i / sum n of all, it is K = sum s_i K_i and
    Theta = sum s_i Theta_i: only shares of the widths matter. Branches may depend on each other.
    An affine layer must follow before the next activation, as units of two laws are no Gaussians.
    params: a tuple of the branches' params.
    """
    if len(branches) < 2:
        raise ValueError(f"concatenate needs at least two branches, found {len(branches)}")
    for index, branch in enumerate(branches):
        checked_layer(branch, f"branch {index} of concatenate")
    strides = [branch.stride for branch in branches]
    if len(set(strides)) > 1:
        raise ValueError(f"branches of concatenate must have equal strides, found {strides}")

    def init(key, input_shape, dtype=jnp.float32):
        keys = random.split(checked_key(key), len(branches))
        return tuple(
            branch.init(branch_key, input_shape, dtype)
            for branch, branch_key in zip(branches, keys, strict=True)
        )

    def apply(params, x, key=None):
        keys = [None] * len(branches) if key is None else random.split(key, len(branches))
        outputs = [
            branch.apply(own, x, key=branch_key)
            for branch, own, branch_key in zip(branches, params, keys, strict=True)
        ]
        shapes = [output.shape[1:] for output in outputs]
        if len({shape[:-1] for shape in shapes}) > 1:
            raise ValueError(
                f"branches of concatenate must agree in all but the last axis, found {shapes}"
            )
        return jnp.concatenate(outputs, axis=-1)

    def propagate(state: State) -> State:
        return _side_by_side([branch.propagate(state) for branch in branches])

    def law_of(before: law.Law) -> law.Law:
        return law.side_by_side("concatenate", [branch.law(before) for branch in branches])

    return Architecture(init, apply, propagate, law_of, "concatenate", strides[0])


def _side_by_side(states: list[State]) -> State:
    """Mean over the units of all these processes on the same inputs."""
    extents = [state.extent for state in states]
    if len(set(extents)) > 1:
        raise ValueError(
            f"branches of concatenate must agree in all but the last axis, found {extents}"
        )
    units = sum(state.fan_in for state in states)
    shares = [state.fan_in / units for state in states]

    def mean(name):
        return sum(s * getattr(one, name) for s, one in zip(shares, states, strict=True))

    def pairs(displacement):
        parts = [scale(o.pairs(displacement), s) for s, o in zip(shares, states, strict=True)]
        roots, others = (
            [safe_sqrt(s * q) for s, q in zip(shares, qs, strict=True)]
            for qs in (
                [o.variance1 for o in states],
                [shifted(o.variance2, displacement) for o in states],
            )
        )
        return merge(parts, roots, others)

    fields = {name: mean(name) for name in ("variance1", "variance2", "mean1", "mean2")}
    selves = tuple(
        _side_by_side(list(ones)) for ones in zip(*(s.selves for s in states), strict=True)
    )
    return states[0]._replace(pairs=remember(pairs), fan_in=units, selves=selves, **fields)


@checked_keywords
def fully_connected(
    *,
    depth: int,
    width: int,
    outputs: int = 1,
    activation: Architecture | None = None,
    weight_variance=1.0,
    bias_variance=0.0,
    readout_weight_variance=None,
    readout_bias_variance=None,
    parameterization: str = "ntk",
    zero_bias: bool = False,
) -> Architecture:
    """serial(dense, activation, ..., dense) with `depth` hidden layers of this width.

    depth 0 is linear. The readout's variances default to the hidden layers'; activation: relu().
    zero_bias: of every layer, see `dense`.
    params: tuple of 2 depth + 1 entries, dense params at even places, () at odd ones.
    """
    depth = checked_count(depth, "depth", least=0)
    activation = relu() if activation is None else checked_layer(activation, "activation")
    weights = weight_variance if readout_weight_variance is None else readout_weight_variance
    biases = bias_variance if readout_bias_variance is None else readout_bias_variance
    hidden = (
        dense(width, weight_variance, bias_variance, parameterization, zero_bias=zero_bias),
        activation,
    )
    readout = dense(outputs, weights, biases, parameterization, zero_bias=zero_bias)
    network = serial(*hidden * depth, readout)
    if depth == 0:
        return network
    return replace(network, propagate=serial(repeat(serial(*hidden), depth), readout).propagate)
