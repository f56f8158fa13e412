"""Dense layers read out of an Architecture, each with its parameters and the function above it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class DenseLayer(NamedTuple):
    """h = weight_factor phi(below) W + bias_factor b, and what is read above it."""

    weight: jax.Array
    bias: jax.Array | None
    weight_factor: Any
    bias_factor: Any
    trained: Any
    phi: Callable | None  # elementwise, of h; None for the read-out


def dense_chain(network, params) -> list[DenseLayer]:
    """The dense layers of a network, each with its parameters and the function that follows."""
    if not hasattr(network, "form"):
        raise ValueError(
            "network must be an Architecture such as fully_connected(...), found "
            f"{type(network).__name__}"
        )
    chain: list[DenseLayer] = []
    for layer, own in _layers(network, params):
        if callable(layer.form) and chain:
            below, phi = chain[-1].phi, layer.form
            both = phi if below is None else functools.partial(_composed, phi, below)
            chain[-1] = chain[-1]._replace(phi=both)
        elif hasattr(layer.form, "weight_variance"):
            chain.append(_dense_layer(layer.form, own, chain))
        else:
            raise ValueError(
                "dense_kernels takes dense layers and functions of single units after them, found "
                f"{layer.name}: use empirical_ntk"
            )
    if not chain or chain[-1].phi is not None:
        raise ValueError("dense_kernels takes a network that ends in a dense layer")
    if any(layer.phi is None for layer in chain[:-1]):
        chain = [layer._replace(phi=layer.phi or _same) for layer in chain[:-1]] + chain[-1:]
    return chain


def _layers(network, params):
    """(layer, its params) in their order, chains inside of chains opened."""
    if not isinstance(network.form, tuple) or hasattr(network.form, "weight_variance"):
        return [(network, params)]
    if not isinstance(params, tuple | list) or len(params) != len(network.form):
        found = len(params) if isinstance(params, tuple | list) else type(params).__name__
        raise ValueError(
            f"params must be those of the network, {len(network.form)} entries, found {found}"
        )
    pairs = zip(network.form, params, strict=True)
    return [one for layer, own in pairs for one in _layers(layer, own)]


def _dense_layer(scales, params, below) -> DenseLayer:
    if not isinstance(params, dict) or not {"weight"} <= set(params) <= {"weight", "bias"}:
        found = sorted(params) if isinstance(params, dict) else params
        raise ValueError(f"params of a dense layer must be weight and perhaps bias, found {found}")
    weight, bias = params["weight"], params.get("bias")
    if below and below[-1].weight.shape[1] != weight.shape[0]:
        raise ValueError(
            f"params are no chain: a layer of {below[-1].weight.shape[1]} units before a weight of "
            f"shape {weight.shape}"
        )
    if scales.standard:
        factors = 1.0, 0.0 if bias is None else 1.0
    else:
        variances = (
            scales.weight_variance / weight.shape[0],
            0.0 if bias is None else scales.bias_variance,
        )
        factors = tuple(jnp.sqrt(jnp.asarray(variance, weight.dtype)) for variance in variances)
    return DenseLayer(weight, bias, *factors, scales.trained, None)


def _composed(phi, below, h):
    return phi(below(h))


def _same(h):
    return h
