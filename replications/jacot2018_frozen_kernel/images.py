"""Kernel principal components of images (Section 6.3)."""

from functools import cache
from typing import NamedTuple

import jax
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


@cache
def components(dataset: str, images: int, beta: float = BETA, data_dir=None) -> Components:
    """Of a fixed sample of the data set, as in the paper: seeds draw networks only."""
    data = digits() if dataset == "digits" else mnist(data_dir=data_dir)
    chosen = generator(0, "images", dataset).permutation(len(data.labels))[:images]
    x = flatten_images(data.images[chosen])
    system = eigensystem(network("relu", beta=beta).limit(x).ntk)
    vectors = system.vectors[:, ::-1] * np.sqrt(images)
    return Components(x, data.labels[chosen], system.values[::-1] / images, vectors)


@cache
def outputs_on_images(dataset: str, images: int, width: int, data_dir):
    """Outputs on the images, as an observer that is compiled once per width."""
    x = components(dataset, images, BETA, data_dir).x.astype(np.float32)
    return lambda params, _: network("relu", width).whole.apply(params, x)[:, 0]


@cache
def start_on_images(dataset: str, images: int, width: int, data_dir):
    """f_0 of many networks on the images, compiled once per width: params -> (networks, N)."""
    outputs = outputs_on_images(dataset, images, width, data_dir)
    return jax.jit(jax.vmap(lambda params: outputs(params, params)))
