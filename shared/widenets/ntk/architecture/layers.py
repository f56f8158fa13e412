"""Layers on vectors and on channels: dense, serial, residual, layer_norm, dropout."""

from __future__ import annotations

from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from widenets.ntk.architecture.activations import identity, parameter_free, relu
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs, State, alike, merge, remember, scale, shifted
from widenets.ntk.engine import fused
from widenets.ntk.engine.chord import cauchy_gap, safe_sqrt

PARAMETERIZATIONS = ("ntk", "standard")


def checked_variance(value, name: str):
    """A non-negative number; traced values pass as they are."""
    if isinstance(value, jax.core.Tracer):
        return value
    value = float(value)
    if not (value >= 0 and np.isfinite(value)):
        raise ValueError(f"{name} must be finite and not negative, found {value}")
    return value


def checked_count(value, name: str) -> int:
    """A positive integer."""
    if int(value) != value or value < 1:
        raise ValueError(f"{name} must be a positive integer, found {value}")
    return int(value)


def checked_parameterization(parameterization: str) -> str:
    """One of PARAMETERIZATIONS."""
    if parameterization not in PARAMETERIZATIONS:
        raise ValueError(
            f"parameterization must be one of {PARAMETERIZATIONS}, found {parameterization!r}"
        )
    return parameterization


def has_bias(bias_variance) -> bool:
    """Whether the layer has a bias at all: unless its variance is the number 0."""
    return isinstance(bias_variance, jax.core.Tracer) or bias_variance > 0


def affine_step(weights, biases, fan_in, standard, trained) -> fused.Affine:
    """K' = weights K + biases. NTK parameterization: Theta' = K' + weights Theta. Standard
    parameterization: Theta' = fan_in K + 1 (if there is a bias) + weights Theta. Not trained:
    Theta' = weights Theta."""
    slope, constant = (fan_in, float(has_bias(biases))) if standard else (weights, biases)
    return fused.Affine(weights, biases, trained * slope / 2, trained * constant)


def affine(state: State, mixed, variances, step: fused.Affine, width: int) -> State:
    """W h + b at infinite width, after `mixed` and `variances` averaged h over one fan-in."""
    one, two = (step.of_one(q) for q in variances)

    def pairs(displacement):
        before = mixed(displacement)
        numbers = (jnp.asarray(v, before.ntk.dtype) for v in step)
        others = (shifted(field, displacement) for field in two)
        return Pairs(*fused.affine(*before, *one, *others, *numbers))

    return state._replace(
        variance1=step.variance(variances[0]),
        variance2=step.variance(variances[1]),
        pairs=remember(pairs),
        fan_in=width,
        mean1=0.0,
        mean2=0.0,
    )


def affine_parameters(key, shape, fan_in, weights, biases, standard, dtype):
    """dict(weight, bias): weight of this shape, bias along its last axis (none if variance 0)."""
    weight_key, bias_key = random.split(key)
    # Drawn in one row: the same numbers, from a program that compiles in a half to a quarter.
    params = {"weight": random.normal(weight_key, (prod(shape),), dtype).reshape(shape)}
    if has_bias(biases):
        params["bias"] = random.normal(bias_key, shape[-1:], dtype)
    if not standard:
        return params
    deviations = {"weight": weights / fan_in, "bias": biases}
    return {name: jnp.sqrt(jnp.asarray(deviations[name], dtype)) * params[name] for name in params}


def kept(params, trained: bool):
    """The parameters as training sees them: constants of a layer that is not trained."""
    return params if trained else lax.stop_gradient(params)


def affine_output(params, product, fan_in, weights, biases, standard):
    """product (of inputs and weights) scaled by its parameterization, plus the bias."""
    if standard:
        return product + params["bias"] if "bias" in params else product
    output = jnp.sqrt(jnp.asarray(weights, product.dtype) / fan_in) * product
    if "bias" in params:
        output = output + jnp.sqrt(jnp.asarray(biases, product.dtype)) * params["bias"]
    return output


def dense(
    width: int,
    weight_variance=1.0,
    bias_variance=0.0,
    parameterization: str = "ntk",
    trained: bool = True,
) -> Architecture:
    """Affine map of the last axis: all entries of W, b ~ N(0, 1) and trained,

        h = sqrt(weight_variance / fan_in) W x + sqrt(bias_variance) b        ("ntk")
        h = W x + b,  W ~ N(0, weight_variance / fan_in), b ~ N(0, bias_variance)   ("standard")

    params: dict(weight=(fan_in, width), bias=(width,)), no bias if bias_variance is 0.
    At infinite width K' = weight_variance K + bias_variance with K = <x, x'> / fan_in at first.
    trained=False: W and b stay as drawn; they have no part in Theta and no gradient in `apply`.
    """
    width = checked_count(width, "width")
    weights = checked_variance(weight_variance, "weight_variance")
    biases = checked_variance(bias_variance, "bias_variance")
    standard = checked_parameterization(parameterization) == "standard"

    def init(key, input_shape, dtype=jnp.float32):
        fan_in = input_shape[-1]
        return affine_parameters(key, (fan_in, width), fan_in, weights, biases, standard, dtype)

    def apply(params, x, key=None):
        params = kept(params, trained)
        product = jnp.matmul(x, params["weight"], precision=lax.Precision.HIGHEST)
        return affine_output(params, product, x.shape[-1], weights, biases, standard)

    def propagate(state: State) -> State:
        variances = (state.variance1, state.variance2)
        step = affine_step(weights, biases, state.fan_in, standard, trained)
        return affine(state, state.pairs, variances, step, width)

    traced = any(isinstance(v, jax.core.Tracer) for v in (weights, biases, trained))
    steps = None if standard or traced else (affine_step(weights, biases, 0, standard, trained),)
    return Architecture(init, apply, alike(propagate), steps=steps)


def output_shape(layer: Architecture, params, input_shape, dtype) -> tuple[int, ...]:
    """Shape of the layer's output for one input, without computing it."""
    x = jax.ShapeDtypeStruct((1, *input_shape), dtype)
    return jax.eval_shape(layer.apply, params, x).shape[1:]


def serial(*layers: Architecture) -> Architecture:
    """Composition, first layer first. params: a tuple of the layers' params, () for those without.

    A serial inside a serial stays nested, and so do its params.
    """
    if not layers:
        raise ValueError("serial needs at least one layer, found none")

    def init(key, input_shape, dtype=jnp.float32):
        params = []
        for layer, layer_key in zip(layers, random.split(key, len(layers)), strict=True):
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

    stride = tuple(prod(layer.stride[axis] for layer in layers) for axis in (0, 1))
    parts = [layer.steps for layer in layers]
    steps = None if None in parts else tuple(step for part in parts for step in part)
    return Architecture(init, apply, propagate, stride, steps)


def repeat(layer: Architecture, times) -> Architecture:
    """serial(*[layer] * times).

    times may be traced (jit), so that one compilation serves every depth, 0 included. Then there
    is the limit alone, of vectors and of images that `flatten` reads (no pooling), and the layer
    must give back what it reads: as many units, images as large, and an activation at its end if
    and only if there is one in front of it.
    """
    if not isinstance(times, jax.core.Tracer):
        return serial(*[layer] * checked_count(times, "times"))

    def finite(*_, **__):
        raise ValueError("a finite network needs a number of layers, found a traced one")

    def propagate(state: State) -> State:
        def arrays(state: State):
            means = (jnp.asarray(mean, state.variance1.dtype) for mean in state.means)
            origin = (0,) * len(state.extent)
            return state.variance1, state.variance2, *means, *state.pairs(origin)

        def with_arrays(variance1, variance2, mean1, mean2, *pairs) -> State:
            def at_origin(displacement):
                if any(isinstance(d, jax.core.Tracer) or d != 0 for d in displacement):
                    raise ValueError("a traced number of layers cannot be pooled, only flattened")
                return Pairs(*pairs)

            return state._replace(
                variance1=variance1,
                variance2=variance2,
                mean1=mean1,
                mean2=mean2,
                pairs=at_origin,
                selves=(),
            )

        def once(_, before):
            after = layer.propagate(with_arrays(*before))
            if (after.fan_in, after.extent) != (state.fan_in, state.extent):
                raise ValueError(
                    f"a repeated layer must give as many units as it reads, found {after.fan_in} "
                    f"of {state.fan_in}, and images as large"
                )
            return arrays(after)

        return with_arrays(*lax.fori_loop(0, times, once, arrays(state)))

    return Architecture(finite, finite, alike(propagate))


def residual(branch: Architecture, shortcut: Architecture | None = None) -> Architecture:
    """shortcut(x) + branch(x) with independent parameters; the default shortcut is identity().

    K = K_shortcut + K_branch, Theta = Theta_shortcut + Theta_branch. One of the two must end in
    an affine layer, else they are not independent. params: (shortcut params, branch params).
    """
    shortcut = identity() if shortcut is None else shortcut
    if shortcut.stride != branch.stride:
        raise ValueError(
            f"branch and shortcut must have equal strides, found {branch.stride} "
            f"and {shortcut.stride}"
        )

    def init(key, input_shape, dtype=jnp.float32):
        shortcut_key, branch_key = random.split(key)
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

    return Architecture(init, apply, propagate, branch.stride)


def _sum(one: State, two: State) -> State:
    """Sum of two independent processes on the same inputs."""
    if one.extent != two.extent:
        raise ValueError(
            f"branch and shortcut must give one shape, found {two.extent} and {one.extent}"
        )
    if jnp.ndim(one.mean1) and jnp.ndim(two.mean1):
        raise ValueError(
            "branch or shortcut must end in an affine layer, else the two are not independent: "
            "found an activation at the end of both"
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


def layer_norm(epsilon: float = 1e-5) -> Architecture:
    """(h - mean) / sqrt(variance + epsilon) over the units (channels) of each position.

    At infinite width the mean and the variance of the units are not random: K and Theta are
    those of the centred units divided by sqrt((q + epsilon) (q' + epsilon)). No trained gain.
    """
    epsilon = checked_variance(epsilon, "epsilon")

    def normalise(x):
        centred = x - jnp.mean(x, axis=-1, keepdims=True)
        variance = jnp.mean(centred**2, axis=-1, keepdims=True)
        return centred / jnp.sqrt(variance + jnp.asarray(epsilon, x.dtype))

    def propagate(state: State) -> State:
        variance1, variance2 = (
            jnp.maximum(q - mean**2, 0)
            for q, mean in ((state.variance1, state.mean1), (state.variance2, state.mean2))
        )

        def pairs(displacement):
            before = state.pairs(displacement)
            mean1, q1 = state.mean1, variance1
            mean2 = (
                state.mean2 if jnp.ndim(state.mean2) == 0 else shifted(state.mean2, displacement)
            )
            q2 = shifted(variance2, displacement)
            # The mean is a rank-one part of the covariance: what `merge` would add, taken off.
            gap = cauchy_gap((safe_sqrt(q1), jnp.abs(mean1)), (safe_sqrt(q2), jnp.abs(mean2)))
            product = mean1 * mean2
            deficit = before.deficit - gap - (jnp.abs(product) - product)
            surplus = before.surplus - gap - (jnp.abs(product) + product)
            centred = Pairs(jnp.maximum(deficit, 0), jnp.maximum(surplus, 0), before.ntk)
            return scale(centred, 1 / jnp.sqrt((q1 + epsilon) * (q2 + epsilon)))

        return state._replace(
            variance1=variance1 / (variance1 + epsilon),
            variance2=variance2 / (variance2 + epsilon),
            pairs=remember(pairs),
            mean1=0.0,
            mean2=0.0,
        )

    return parameter_free(normalise, alike(propagate))


def dropout(keep: float) -> Architecture:
    """Units set to 0 with probability 1 - keep and else divided by keep.

    apply draws the masks from its `key`; without a key there are none. `kernel(..., masks=True)`
    is the limit with independent masks for every input: variances grow by 1 / keep, while the
    covariance of different inputs, or of different positions, stays.
    """
    keep = float(keep)
    if not 0 < keep <= 1:
        raise ValueError(f"keep must lie in (0, 1], found {keep}")

    def apply(params, x, key=None):
        if key is None:
            return x
        return jnp.where(random.bernoulli(key, keep, x.shape), x / keep, 0)

    def propagate(state: State) -> State:
        if not state.masks:
            return state

        def pairs(displacement):
            before = state.pairs(displacement)
            # sqrt(q q') grows by 1 / keep: on one and the same unit K and Theta do too.
            extra = (before.deficit + before.surplus) / 2 * (1 / keep - 1)
            other = Pairs(before.deficit + extra, before.surplus + extra, before.ntk)
            if state.same is None:
                return other
            unit = state.same & jnp.all(jnp.asarray(displacement) == 0)
            return Pairs(
                *(jnp.where(unit, a / keep, b) for a, b in zip(before, other, strict=True))
            )

        return state._replace(
            variance1=state.variance1 / keep,
            variance2=state.variance2 / keep,
            pairs=remember(pairs),
        )

    return Architecture(lambda key, input_shape, dtype=jnp.float32: (), apply, alike(propagate))


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
) -> Architecture:
    """serial(dense, activation, ..., dense) with `depth` hidden layers of this width.

    depth 0 is linear. The readout's variances default to the hidden layers'; activation: relu().
    params: tuple of 2 depth + 1 entries, dense params at even places, () at odd ones.
    """
    if int(depth) != depth or depth < 0:
        raise ValueError(f"depth must be a non-negative integer, found {depth}")
    activation = relu() if activation is None else activation
    weights = weight_variance if readout_weight_variance is None else readout_weight_variance
    biases = bias_variance if readout_bias_variance is None else readout_bias_variance
    layers = []
    for _ in range(int(depth)):
        layers += [dense(width, weight_variance, bias_variance, parameterization), activation]
    return serial(*layers, dense(outputs, weights, biases, parameterization))
