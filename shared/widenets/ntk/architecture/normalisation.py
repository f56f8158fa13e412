"""Layers on all units of a position at once, without parameters: layer_norm and dropout."""

from __future__ import annotations

import jax.numpy as jnp
from jax import random

from widenets.ntk.architecture import law
from widenets.ntk.architecture.activations import parameter_free
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs, State, alike, remember, scale, shifted
from widenets.ntk.checks import checked_number
from widenets.ntk.engine.chord import cauchy_gap, safe_sqrt


def layer_norm(epsilon: float = 1e-5) -> Architecture:
    """(h - mean) / sqrt(variance + epsilon) over the units (channels) of each position.

    At infinite width the mean and the variance of the units are not random: K and Theta are
    those of the centred units divided by sqrt((q + epsilon) (q' + epsilon)). No trained gain.
    """
    epsilon = checked_number(epsilon, "epsilon", least=0)

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

    return parameter_free("layer_norm", normalise, alike(propagate), law.normalising("layer_norm"))


def dropout(keep: float) -> Architecture:
    """Units set to 0 with probability 1 - keep and else divided by keep.

    apply draws the masks from its `key`; without a key there are none. `kernel(..., masks=True)`
    is the limit with independent masks for every input: variances grow by 1 / keep, while the
    covariance of different inputs, or of different positions, stays. Put it after an activation:
    masked units are not Gaussian, so that with masks no activation can follow.
    """
    keep = checked_number(keep, "keep", traced=False)
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

    return Architecture(
        lambda key, input_shape, dtype=jnp.float32: (),
        apply,
        alike(propagate),
        law.masking("dropout"),
        "dropout",
        form=lambda x: x,
    )
