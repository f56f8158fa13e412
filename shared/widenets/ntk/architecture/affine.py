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
    weight_key, bias_key = random.split(checked_key(key))
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


@checked_keywords
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
    weights = checked_number(weight_variance, "weight_variance", least=0)
    biases = checked_number(bias_variance, "bias_variance", least=0)
    standard = checked_parameterization(parameterization) == "standard"
    trained = checked_switch(trained, "trained")

    def init(key, input_shape, dtype=jnp.float32):
        fan_in = checked_shape(input_shape)[-1]
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
    return Architecture(
        init,
        apply,
        alike(propagate),
        law.affine,
        "dense",
        steps=steps,
        form=Scales(weights, biases, standard, trained),
    )
