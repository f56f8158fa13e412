"""Kernel principal components of images (Section 6.3)."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from replications.jacot2018_frozen_kernel.network import network
from replications.jacot2018_frozen_kernel.setting import BETA
from widenets.ntk.data import digits, flatten_images, mnist
from widenets.ntk.dynamics import eigensystem
from widenets.ntk.random import generator


class Components(NamedTuple):
    """Kernel principal components of N images, Theta_infinity = sum lambda_i f^(i) f^(i)^T."""

    x: np.ndarray  # (N, d), pixels in [0, 1], not centred
    labels: np.ndarray  # (N,)
    eigenvalues: np.ndarray  # lambda_i, (N,), descending
    vectors: np.ndarray  # (N, N), column i is f^(i+1), |f^(i)|_pin = 1


def components(
    seed: int, arm: str, dataset: str, images: int, beta: float = BETA, data_dir=None
) -> Components:
    """Of `images` images of the data set, drawn by the seed for each arm anew."""
    data = digits() if dataset == "digits" else mnist(data_dir=data_dir)
    stream = generator(seed, "images", arm, dataset)
    chosen = stream.permutation(len(data.labels))[:images]
    return principal_components(flatten_images(data.images[chosen]), data.labels[chosen], beta)


def principal_components(x: np.ndarray, labels: np.ndarray, beta: float = BETA) -> Components:
    """Of the inputs x (N, d). The sign of f^(i), which an eigenvector leaves open and processors
    choose differently, makes its largest entry positive."""
    count = len(x)
    system = eigensystem(network("relu", beta=beta).limit(x).ntk)
    vectors = system.vectors[:, ::-1]
    largest = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(count)]
    vectors = vectors * (np.sign(largest) * np.sqrt(count))
    return Components(x, labels, system.values[::-1] / count, vectors)


@cache
def outputs_at(activation: str, width: int):
    """Outputs of a network at points, its context, as an observer that is compiled once."""
    return lambda params, _, x: network(activation, width).whole.apply(params, x)[:, 0]


@cache
def start_on_images(width: int):
    """(params, x, v) -> f_0 (networks, N) and <v, Theta(0) v> in the pin product, (networks,).

    Many networks, each on its own images, compiled once. <v, Theta v> = |J^T v|^2 / N^2.
    """
    outputs = outputs_at("relu", width)

    def start(params, x, v):
        f, pull = jax.vjp(lambda params: outputs(params, params, x), params)
        return f, sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(pull(v / len(x))))

    return jax.jit(jax.vmap(start))
