"""The paper's network (Section 2), its limit and its training, for many seeds at once.

    h^(l+1) = W a^(l) / sqrt(n_l) + beta b,   a^(l) = sigma(h^(l)),   all entries of W, b ~ N(0, 1)

The paper counts affine maps: L = hidden_layers + 1. Networks train in float32; limits are float64.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import jax
import numpy as np

from replications.jacot2018_frozen_kernel.setting import BETA, HIDDEN_LAYERS
from widenets.ntk.architecture import (
    Architecture,
    Kernels,
    dense,
    erf,
    identity,
    monomial,
    relu,
    serial,
)
from widenets.ntk.dynamics import squared_error
from widenets.ntk.empirical import EmpiricalKernels, dense_kernels
from widenets.ntk.random import generator

ACTIVATIONS = {"relu": relu(), "erf": erf(), "square": monomial(2)}

COST = squared_error("mean")  # C(f) = 1/2 |f - f*|^2 in the empirical measure of the inputs


class Network(NamedTuple):
    whole: Architecture  # f
    trunk: Architecture  # a^(L-1), the last hidden activations, as a network of its own
    activation: Architecture
    hidden_layers: int
    beta: float

    def kernels(self, params, x) -> EmpiricalKernels:
        """Sigma^(L) and Theta^(L) of the finite network with these parameters, each (N, N)."""
        return dense_kernels(self.whole, params, x)

    def limit(self, x) -> Kernels:
        """Sigma^(L) and Theta_infinity^(L) at x (N, d), (N, N) float64 numpy arrays.

        Rows are filled up to a multiple of 64, columns of 4, so that few shapes are ever compiled;
        <x, x'>/d, all that the limit knows of inputs, stays what it is.
        """
        x = np.asarray(x, np.float64)
        count, inputs = x.shape
        filled = np.zeros((count + -count % 64, inputs + -inputs % 4))
        filled[:, :inputs] = np.concatenate([x, np.repeat(x[:1], -count % 64, axis=0)])
        filled *= np.sqrt(filled.shape[1] / inputs)
        return Kernels(*(np.asarray(k)[:count, :count] for k in self.whole.kernel(filled)))


def network(
    activation: str,
    width: int = 1,
    hidden_layers: int = HIDDEN_LAYERS,
    beta: float = BETA,
    parameterization: str = "ntk",
) -> Network:
    """One object per description, so that what is compiled for it is found again."""
    return _network(activation, width, hidden_layers, beta, parameterization)


@cache
def _network(activation, width, hidden_layers, beta, parameterization) -> Network:
    layers = [dense(width, 1.0, beta**2, parameterization), ACTIVATIONS[activation]]
    trunk = layers * hidden_layers
    whole = serial(*trunk, dense(1, 1.0, beta**2, parameterization))
    below = serial(*trunk) if trunk else identity()
    return Network(whole, below, ACTIVATIONS[activation], hidden_layers, beta)


def draw(description: Network, inputs: int, seeds, *names, dtype=np.float32):
    """Parameters of one network per seed, stacked along the first axis; all entries are N(0, 1)."""
    leaves, structure = jax.tree.flatten(_shapes(description, inputs, dtype))
    generators = [generator(seed, "weights", *names) for seed in seeds]
    stacked = [
        np.stack([g.standard_normal(leaf.shape, dtype) for g in generators]) for leaf in leaves
    ]
    return jax.tree.unflatten(structure, stacked)


@cache
def _shapes(description: Network, inputs: int, dtype):
    return jax.eval_shape(
        lambda key: description.whole.init(key, (inputs,), dtype), jax.random.key(0)
    )


def classical_scales(params):
    """Factors 1/sqrt(n_l) and beta that turn these parameters into classical ones (Remark 1)."""

    def of_layer(layer):
        return {"weight": layer["weight"].shape[-2] ** -0.5, "bias": BETA} if layer else ()

    return tuple(of_layer(layer) for layer in params)


def batches(seeds: tuple[int, ...], width: int) -> Iterator[tuple[int, ...]]:
    """Equal groups of seeds whose hidden matrices fit into a processor's cache together.

    At most 16, so that arms with 16, 32, ... seeds share one compiled program.
    """
    largest = max(1, min(16, 2**20 // width**2))
    size = max(
        size for size in range(1, len(seeds) + 1) if len(seeds) % size == 0 and size <= largest
    )
    for start in range(0, len(seeds), size):
        yield seeds[start : start + size]
