"""The convolutional network of section 3.2 at small size, its scaled model and linearization.

Two convolutions (the second of stride 2) and one dense layer, NTK parameterization, on the 8x8
digits or on CIFAR-10; outputs alpha (f(w_0 + z / alpha) - f(w_0)) against one-hot targets, mean
squared error, full batch with momentum 0.9. float32 is enough for the scales up to 300 used here.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from shared.ntk import data, random
from shared.ntk.architecture import Architecture, conv, dense, flatten, serial
from shared.ntk.training import gradient_descent, squared_error

CLASSES, MOMENTUM, TEST_POINTS = 10, 0.9, 1000
CHANNELS = {"digits": (8, 16), "cifar10": (32, 64)}


class Images(NamedTuple):
    """x (N, H, W, C) and one-hot y (N, 10) to train on; test images and their labels."""

    x: jax.Array
    y: jax.Array
    test_x: jax.Array
    test_labels: np.ndarray


class Network(NamedTuple):
    """apply(params, x), init(key, image shape) and the two arrays that meet the activation."""

    apply: Callable
    init: Callable
    preactivations: Callable


@functools.cache
def network(activation: str, task: str) -> Network:
    """relu, or softplus as its smooth counterpart."""
    function = {"relu": lambda z: jnp.maximum(z, 0), "softplus": jax.nn.softplus}[activation]
    channels = CHANNELS[task]
    layers = _layers(channels)

    def preactivations(params, x):
        first = layers[0].apply(params[0], x)
        return first, layers[1].apply(params[1], function(first))

    def apply(params, x):
        return layers[2].apply(params[2], function(preactivations(params, x)[1]))

    def init(key, shape):
        keys = jax.random.split(key, 3)
        height, wide, _ = shape
        shapes = (shape, (height, wide, channels[0]), (height // 2, wide // 2, channels[1]))
        return tuple(
            layer.init(part, shape, jnp.float32)
            for layer, part, shape in zip(layers, keys, shapes, strict=True)
        )

    return Network(apply, init, preactivations)


def _layers(channels) -> tuple[Architecture, ...]:
    return (
        conv(channels[0], 3, padding="SAME"),
        conv(channels[1], 3, stride=2, padding="SAME"),
        serial(flatten(), dense(CLASSES)),
    )


@functools.cache
def images(task: str, seed: int, points: int, data_dir=None) -> Images:
    """A seed's draw of `points` training and 1000 test images of digits or CIFAR-10."""
    order = functools.partial(_order, task, seed)
    if task == "digits":
        x, labels = data.digits()
        chosen = order(len(labels))
        train, test = chosen[:points], chosen[points : points + TEST_POINTS]
        return _images(x[train], labels[train], x[test], labels[test])
    train = data.cifar10("train", data_dir=data_dir, count=4000)
    test = data.cifar10("test", data_dir=data_dir, count=TEST_POINTS)
    chosen = order(len(train.labels))[:points]
    return _images(train.images[chosen], train.labels[chosen], test.images, test.labels)


def _order(task, seed, count):
    return random.generator(seed, "chizat2019", task).permutation(count)


def _images(x, labels, test_x, test_labels) -> Images:
    mean = x.mean(axis=(0, 1, 2))
    targets = jnp.eye(CLASSES, dtype=jnp.float32)[labels]
    return Images(jnp.asarray(x - mean), targets, jnp.asarray(test_x - mean), test_labels)


@functools.cache
def model(activation: str, task: str, linear: bool):
    """Outputs of a state (z, (w_0, alpha)), or of the model linear in z."""
    apply = network(activation, task).apply

    def outputs(state, x):
        z, fixed = state
        start, alpha = jax.lax.stop_gradient(fixed)
        if linear:
            return jax.jvp(lambda w: apply(w, x), (start,), (z,))[1]
        here = jax.tree.map(lambda w, u: w + u / alpha, start, z)
        return alpha * (apply(here, x) - apply(start, x))

    return outputs


@functools.cache
def trained(activation, linear, alpha, task, seed, points, steps, learning_rate, data_dir):
    """The state after `steps` steps, its outputs on the test images and the training loss."""
    images_ = images(task, seed, points, data_dir)
    key = random.key(seed, "chizat2019", "convolution", activation)
    start = network(activation, task).init(key, images_.x.shape[1:])
    state = (jax.tree.map(jnp.zeros_like, start), (start, jnp.float32(alpha)))
    apply = model(activation, task, linear)
    found = gradient_descent(
        apply,
        state,
        images_.x,
        images_.y,
        loss=squared_error("mean_entries"),
        learning_rate=learning_rate,
        momentum=MOMENTUM,
        record=[steps],
    )
    outputs = np.asarray(apply(found.params, images_.test_x))
    return found.params, outputs, float(found.loss[-1])


def accuracy(outputs, labels) -> float:
    return float(np.mean(np.argmax(outputs, axis=1) == labels))


def instability(activation: str, task: str, state, x) -> float:
    """Share of the units' signs on the test images that training has changed."""
    z, (start, alpha) = state
    end = jax.tree.map(lambda w, u: w + u / alpha, start, z)
    both = [network(activation, task).preactivations(w, x) for w in (start, end)]
    changed = [np.sign(a) != np.sign(b) for a, b in zip(*both, strict=True)]
    return float(np.concatenate([flips.ravel() for flips in changed]).mean())
