"""Data, networks and kernels that all parts share. Seeds are the leading axis of every array.

The network is d-48-48-48-1 with ReLU, He's initialisation, standard parameterization and no biases,
trained in float32 by SGD with momentum on the logistic loss, 16 epochs in batches of 32.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk import random
from widenets.ntk.architecture import fully_connected
from widenets.ntk.data import digits, flatten_images, parity, xnor
from widenets.ntk.dynamics import logistic
from widenets.ntk.dynamics.batches import epochs, stochastic_descent
from widenets.ntk.empirical import dense_kernels

PAPER = "fort2020"
DIMENSION, TESTS = 8, 1000
BATCH, RATE, MOMENTUM, EPOCHS = 32, 0.1, 0.9, 16
LOSS = logistic("mean")
NETWORK = fully_connected(depth=3, width=48, weight_variance=2.0, parameterization="standard")


class Task(NamedTuple):
    """x (seeds, N + tests, d) and labels y (seeds, N + tests, 1), float32; N are trained on."""

    x: np.ndarray
    y: np.ndarray
    samples: int

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        return self.x[:, : self.samples], self.y[:, : self.samples]

    @property
    def test(self) -> tuple[np.ndarray, np.ndarray]:
        return self.x[:, self.samples :], self.y[:, self.samples :]


def task_of(name: str, samples: int, seeds: tuple[int, ...], part: str) -> Task:
    """xnor: y = sign(x_1 x_2) for x ~ N(0, I_8). digits: odd or even, as long on average."""
    draw = {"xnor": _xnor, "digits": _digits}[name]
    drawn = [draw(random.generator(seed, PAPER, part, "data"), samples) for seed in seeds]
    x, y = (np.stack(values).astype(np.float32) for values in zip(*drawn, strict=True))
    return Task(x, y[..., None], samples)


def _xnor(generator: np.random.Generator, samples: int):
    return xnor(generator, samples + TESTS, DIMENSION)


def _digits(generator: np.random.Generator, samples: int):
    images, labels = digits()[:2]
    chosen = generator.permutation(len(images))[: samples + TESTS]
    x = flatten_images(images[chosen])
    x = x - x[:samples].mean(axis=0)
    return x * np.sqrt(DIMENSION / np.mean(np.sum(x**2, axis=1))), parity(labels[chosen])


def normals(network, seeds: tuple[int, ...], dimension: int, *names: str):
    """Parameters of a network, leaves (seeds, fan in, width) of standard normals, float64.

    By numpy: compiling the draw of jax costs more than all the training here.
    """
    like = jax.eval_shape(lambda: network.init(jax.random.key(0), (dimension,)))  # draws nothing
    streams = [random.generator(seed, PAPER, *names) for seed in seeds]
    return jax.tree.map(
        lambda leaf: np.stack([stream.standard_normal(leaf.shape) for stream in streams]), like
    )


def he(of_normals, dtype=np.float32):
    """He's initialisation: variance 2 / fan in, so that ReLU keeps the size of a signal."""
    return jax.tree.map(lambda leaf: (leaf * np.sqrt(2 / leaf.shape[-2])).astype(dtype), of_normals)


def weights(seeds: tuple[int, ...], dimension: int, *names: str):
    """Initial parameters of the network of each seed, float32."""
    return he(normals(NETWORK, seeds, dimension, *names))


def batches(seeds: tuple[int, ...], samples: int, *names: str) -> np.ndarray:
    """(seeds, epochs, steps, batch), without replacement within an epoch."""
    streams = (random.generator(seed, PAPER, *names) for seed in seeds)
    return np.stack([epochs(stream, samples, BATCH, EPOCHS) for stream in streams])


def descended(params, x, y, of_batches, rate: float = RATE):
    """Parameters at the start and after every epoch, leaves (seeds, epochs + 1, ...)."""
    return stochastic_descent(
        NETWORK.apply, params, x, y, of_batches, loss=LOSS, learning_rate=rate, momentum=MOMENTUM
    )


def at(path, epoch: int):
    """The parameters of all seeds after an epoch."""
    return jax.tree.map(lambda leaf: leaf[:, epoch], path)


@jax.jit
def outputs(params, x):
    """(seeds, N, 1) of networks (seeds, ...)."""
    return jax.vmap(NETWORK.apply)(params, x)


def error(values, labels) -> np.ndarray:
    """Share of points with the wrong sign, (..., N, 1) -> (...)."""
    return np.mean(np.sign(np.asarray(values)) != labels, axis=(-2, -1))


@functools.partial(jax.jit, static_argnums=2)
def kernels(params, x, samples: int | None = None):
    """Tangent kernels (seeds, N, N), or (seeds, N, samples) of all points with the first ones."""

    def one(both):
        params, x = both
        return dense_kernels(NETWORK, params, x, None if samples is None else x[:samples]).ntk

    return jax.lax.map(one, (params, x))


def in_float64(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), tree)
