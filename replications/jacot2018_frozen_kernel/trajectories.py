"""Training as in Figure 1, with everything that is watched on the way.

Ten inputs x ~ N(0, I_2), target x_1 x_2, full-batch gradient descent of the mean squared cost with
rate 1, float32. A seed draws weights and inputs; the inputs are the same at every width.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from replications.jacot2018_frozen_kernel.network import COST, batches, draw, network
from replications.jacot2018_frozen_kernel.setting import ANGLES, SAMPLES, target
from widenets.ntk.data import circle, gaussian
from widenets.ntk.dynamics import gradient_descent, linearized
from widenets.ntk.empirical import empirical_ntk
from widenets.ntk.random import generator

CIRCLE = circle(ANGLES)


class Watched(NamedTuple):
    """What is observed at each of T recorded steps."""

    ntk: np.ndarray  # Theta on the circle, (T, 32, 32)
    nngp: np.ndarray  # Sigma^(L) of the finite network: Theta's part from the last layer
    outputs: np.ndarray  # f on the training inputs, (T, 10)
    activation_change: np.ndarray  # rms over neurons and circle of a^(L-1)(t) - a^(L-1)(0), (T,)
    hidden_change: np.ndarray  # rms over the weights between hidden layers, (T,)


class Run(NamedTuple):
    seed: int
    inputs: np.ndarray  # (10, 2)
    targets: np.ndarray  # (10,)
    watched: Watched


def training_inputs(seeds: Sequence[int], *names) -> np.ndarray:
    """The ten inputs of each seed, (seeds, 10, 2) float64."""
    return np.stack([gaussian(generator(s, "inputs", *names), SAMPLES, 2) for s in seeds])


def train(
    *,
    arm: str,
    activation: str,
    width: int,
    steps: Sequence[int],
    seeds: tuple[int, ...],
    amplitude: float = 1.0,
) -> Iterator[Run]:
    """One Run per seed. arm: readout_only trains the last layer alone, linearized the network's
    Taylor expansion at its initialization, any other the network; amplitude multiplies targets.
    """
    linear = arm == "linearized"
    for batch in batches(seeds, width):
        x = training_inputs(batch, arm)
        y = amplitude * target(x)
        params = draw(network(activation, width), 2, batch, "training", arm, activation, width)
        rates = jax.tree.map(lambda _: 0.0 if arm == "readout_only" else 1.0, params)
        rates = (*rates[:-1], jax.tree.map(lambda _: 1.0, params[-1]))
        result = gradient_descent(
            _apply(activation, width, linear),
            (params, params) if linear else params,
            x.astype(np.float32),
            y[..., None].astype(np.float32),
            loss=COST,
            learning_rate=(rates, rates) if linear else rates,
            record=list(steps),
            observe=_observer(activation, width, linear),
            context=x.astype(np.float32),
            seeds=True,
            shared_data=False,
        )
        watched = [np.asarray(values, np.float64) for values in result.observed]
        for k, seed in enumerate(batch):
            yield Run(seed, x[k], y[k], Watched(*(values[k] for values in watched)))


@cache
def _apply(activation: str, width: int, linear: bool):
    apply = network(activation, width).whole.apply
    return linearized(apply) if linear else apply


@cache
def _observer(activation: str, width: int, linear: bool):
    net, apply = network(activation, width), _apply(activation, width, linear)
    hidden = [2 * layer for layer in range(1, net.hidden_layers)]

    def observe(state, initial, inputs) -> Watched:
        now, start = (pair[1] if linear else pair for pair in (state, initial))
        points = jnp.asarray(CIRCLE, jnp.float32)
        kernels = net.kernels(now, points)
        ntk = empirical_ntk(apply, state, points) if linear else kernels.ntk
        features = [net.trunk.apply(params[:-1], points) for params in (now, start)]
        moved = [(now[layer]["weight"] - start[layer]["weight"]).ravel() for layer in hidden]
        return Watched(
            ntk=ntk,
            nngp=kernels.nngp,
            outputs=apply(state, inputs)[:, 0],
            activation_change=_rms(features[0] - features[1]),
            hidden_change=_rms(jnp.concatenate(moved)),
        )

    return observe


@cache
def outputs_on_circle(width: int, parameterization: str = "ntk"):
    """Outputs on the circle, as an observer that is compiled once."""
    apply = network("relu", width, parameterization=parameterization).whole.apply
    return lambda params, _: apply(params, jnp.asarray(CIRCLE, params[0]["weight"].dtype))[:, 0]


def _rms(values):
    return jnp.sqrt(jnp.mean(values**2))
