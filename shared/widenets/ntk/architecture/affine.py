"""Affine layers: what `dense` and `conv` share, and `dense`."""

from __future__ import annotations

from math import prod

import jax
import jax.numpy as jnp
from jax import lax, random

from widenets.ntk.architecture import law
from widenets.ntk.architecture.base import Architecture, Scales
from widenets.ntk.architecture.state import Pairs, State, alike, remember, shifted
from widenets.ntk.checks import (
    checked_count,
    checked_key,
    checked_keywords,
    checked_number,
    checked_shape,
    checked_switch,
)
from widenets.ntk.engine import fused

PARAMETERIZATIONS = ("ntk", "standard")


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


def scales_of(weight_variance, bias_variance, parameterization, trained, zero_bias) -> Scales:
    """The checked arguments of `dense` and `conv`."""
    weights = checked_number(weight_variance, "weight_variance", least=0)
    biases = checked_number(bias_variance, "bias_variance", least=0)
    standard = checked_parameterization(parameterization) == "standard"
    trained = checked_switch(trained, "trained")
    if not isinstance(zero_bias, bool):
        raise ValueError(f"zero_bias must be True or False, found {zero_bias!r}")
    if zero_bias and has_bias(biases):
        raise ValueError(
            f"zero_bias is a bias that starts at 0: bias_variance must be 0, found {biases}"
        )
    return Scales(weights, 1.0 if zero_bias else biases, standard, trained, zero_bias)


def affine_step(scales: Scales, fan_in) -> fused.Affine:
    """K' = weights K + biases. NTK parameterization: Theta' = K' + weights Theta. Standard
    parameterization: Theta' = fan_in K + 1 (if there is a bias) + weights Theta. A bias that starts
    at 0: nothing in K', 1 in Theta'. Not trained: Theta' = weights Theta."""
    weights, biases, standard, trained, zero_bias = scales
    slope, constant = (fan_in, float(has_bias(biases))) if standard else (weights, biases)
    return fused.Affine(
        weights, 0.0 if zero_bias else biases, trained * slope / 2, trained * constant
    )


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


def affine_parameters(key, shape, fan_in, scales: Scales, dtype):
    """dict(weight, bias): weight of this shape, bias along its last axis (none if variance 0)."""
    weight_key, bias_key = random.split(checked_key(key))
    # Drawn in one row: the same numbers, from a program that compiles in a half to a quarter.
    params = {"weight": random.normal(weight_key, (prod(shape),), dtype).reshape(shape)}
    if scales.zero_bias:
        params["bias"] = jnp.zeros(shape[-1:], dtype)
    elif has_bias(scales.bias_variance):
        params["bias"] = random.normal(bias_key, shape[-1:], dtype)
    if not scales.standard:
        return params
    deviations = {"weight": scales.weight_variance / fan_in, "bias": scales.bias_variance}
    return {name: jnp.sqrt(jnp.asarray(deviations[name], dtype)) * params[name] for name in params}


def kept(params, trained: bool):
    """The parameters as training sees them: constants of a layer that is not trained."""
    return params if trained else lax.stop_gradient(params)


def affine_output(params, product, fan_in, scales: Scales):
    """product (of inputs and weights) scaled by its parameterization, plus the bias."""
    if scales.standard:
        return product + params["bias"] if "bias" in params else product
    output = jnp.sqrt(jnp.asarray(scales.weight_variance, product.dtype) / fan_in) * product
    if "bias" in params:
        factor = jnp.sqrt(jnp.asarray(scales.bias_variance, product.dtype))
        output = output + factor * params["bias"]
    return output


@checked_keywords
def dense(
    width: int,
    weight_variance=1.0,
    bias_variance=0.0,
    parameterization: str = "ntk",
    trained: bool = True,
    zero_bias: bool = False,
) -> Architecture:
    """Affine map of the last axis: all entries of W, b ~ N(0, 1) and trained,

        h = sqrt(weight_variance / fan_in) W x + sqrt(bias_variance) b        ("ntk")
        h = W x + b,  W ~ N(0, weight_variance / fan_in), b ~ N(0, bias_variance)   ("standard")

    params: dict(weight=(fan_in, width), bias=(width,)), no bias if bias_variance is 0.
    At infinite width K' = weight_variance K + bias_variance with K = <x, x'> / fan_in at first.
    trained=False: W and b stay as drawn; they have no part in Theta and no gradient in `apply`.
    zero_bias=True, as flax's Dense: + b as such, b = 0 at first and trained like W: nothing in K',
    1 in Theta', with either parameterization. ValueError: with a bias_variance beside it.
    """
    width = checked_count(width, "width")
    scales = scales_of(weight_variance, bias_variance, parameterization, trained, zero_bias)

    def init(key, input_shape, dtype=jnp.float32):
        fan_in = checked_shape(input_shape)[-1]
        return affine_parameters(key, (fan_in, width), fan_in, scales, dtype)

    def apply(params, x, key=None):
        params = kept(params, scales.trained)
        product = jnp.matmul(x, params["weight"], precision=lax.Precision.HIGHEST)
        return affine_output(params, product, x.shape[-1], scales)

    def propagate(state: State) -> State:
        variances = (state.variance1, state.variance2)
        return affine(state, state.pairs, variances, affine_step(scales, state.fan_in), width)

    traced = any(isinstance(v, jax.core.Tracer) for v in scales)
    steps = None if scales.standard or traced else (affine_step(scales, 0),)
    return Architecture(
        init, apply, alike(propagate), law.affine, "dense", steps=steps, form=scales
    )
