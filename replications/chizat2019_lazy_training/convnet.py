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
from jax.flatten_util import ravel_pytree

from widenets.ntk import data, random
from widenets.ntk.architecture import conv, dense, flatten, serial
from widenets.ntk.dynamics import gradient_descent, squared_error
from widenets.ntk.softplus import softplus

CLASSES, MOMENTUM, TEST_POINTS = 10, 0.9, 1000
SIZE, STRIDE = 3, 2  # of the kernels; of the second convolution
CHANNELS = (8, 16)


class Images(NamedTuple):
    """x (N, H, W, C) and one-hot y (N, 10) to train on; test images and their labels."""

    x: jax.Array
    y: jax.Array
    test_x: jax.Array
    test_labels: np.ndarray


class Network(NamedTuple):
    """init(key, image shape) and outputs(params, x, gates=None).

    With gates, the weights of a relu network whose units open where those of `gates` do.
    """

    init: Callable
    preactivations: Callable
    outputs: Callable


@functools.cache
def network(activation: str) -> Network:
    """relu, or softplus as its smooth counterpart.

    The layers are those of `widenets.ntk`; on a CPU a convolution is faster as a product with the
    patches of the image, which are the same numbers in another order.
    """
    function = {"relu": lambda z: jnp.maximum(z, 0), "softplus": softplus()}[activation]
    first, second = CHANNELS
    layers = (
        conv(first, SIZE, padding="SAME"),
        conv(second, SIZE, stride=STRIDE, padding="SAME"),
        serial(flatten(), dense(CLASSES)),
    )

    def init(key, shape):
        keys = jax.random.split(key, 3)
        height, wide, _ = shape
        shapes = (shape, (height, wide, first), (height // STRIDE, wide // STRIDE, second))
        return tuple(
            layer.init(part, shape, jnp.float32)
            for layer, part, shape in zip(layers, keys, shapes, strict=True)
        )

    def features(params, x, act):
        """Both preactivations, and what the read-out reads."""
        one = convolution(params[0]["weight"], x, 1)
        two = convolution(params[1]["weight"], act(0, one), STRIDE)
        return (one, two), act(1, two)

    def preactivations(params, x):
        return features(params, x, lambda _, z: function(z))[0]

    def outputs(params, x, gates=None):
        def act(layer, z):
            return function(z) if gates is None else jnp.where(gates[layer] > 0, z, 0)

        return layers[2].apply(params[2], features(params, x, act)[1])

    return Network(init, preactivations, outputs)


def convolution(weight, x, stride):
    """sum over patches / sqrt(fan-in), zeros outside; weight (rows, columns, read, channels)."""
    size, _, read, channels = weight.shape
    windows = [-(-length // stride) for length in x.shape[1:3]]
    totals = [
        max((count - 1) * stride + size - length, 0)
        for count, length in zip(windows, x.shape[1:3], strict=True)
    ]
    pads = [(0, 0), *((total // 2, total - total // 2) for total in totals), (0, 0)]
    padded = jnp.pad(x, pads)
    rows, columns = (stride * (count - 1) + 1 for count in windows)
    patches = [
        padded[:, a : a + rows : stride, b : b + columns : stride]
        for a in range(size)
        for b in range(size)
    ]
    product = jnp.concatenate(patches, axis=-1) @ weight.reshape(-1, channels)
    return product / np.float32(np.sqrt(size**2 * read))


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


class Frozen(NamedTuple):
    """What training in z leaves alone: images, w_0, alpha, and f(w_0) on the images."""

    x: jax.Array
    start: tuple
    alpha: jax.Array
    copy: jax.Array


@functools.cache
def model(activation: str, linear: bool):
    """alpha (f(w_0 + z / alpha) - f(w_0)), or the model linear in z."""
    apply = network(activation).outputs

    def outputs(z, frozen):
        if linear:
            return jax.jvp(lambda w: apply(w, frozen.x), (frozen.start,), (z,))[1]
        here = moved(frozen.start, z, frozen.alpha)
        return frozen.alpha * (apply(here, frozen.x) - frozen.copy)

    return outputs


def moved(start, z, alpha):
    return jax.tree.map(lambda w, u: w + u / alpha, start, z)


class Trained(NamedTuple):
    """w_0, the end, |w - w_0|, test outputs (N, 10), and loss and accuracy in training."""

    start: tuple
    end: tuple
    distance: float
    outputs: np.ndarray
    loss: float
    train_accuracy: float


@functools.cache
def trained(
    activation, linear, alpha, task, seed, points, steps, learning_rate, data_dir
) -> Trained:
    images_ = images(task, seed, points, data_dir)
    net = network(activation)
    key = random.key(seed, "chizat2019", "convolution", activation)
    start = net.init(key, images_.x.shape[1:])
    alpha = jnp.float32(alpha)
    frozen, test = (
        Frozen(x, start, alpha, _outputs(activation, start, x)) for x in (images_.x, images_.test_x)
    )
    apply = model(activation, linear)
    found = gradient_descent(
        apply,
        jax.tree.map(jnp.zeros_like, start),
        frozen,
        images_.y,
        loss=squared_error("mean_entries"),
        learning_rate=learning_rate,
        momentum=MOMENTUM,
        record=[steps],
    )
    outputs = np.asarray(apply(found.params, test))
    distance = float(jnp.linalg.norm(ravel_pytree(found.params)[0]) / alpha)
    end = moved(start, found.params, alpha)
    right = accuracy(np.asarray(apply(found.params, frozen)), np.argmax(images_.y, axis=1))
    return Trained(start, end, distance, outputs, float(found.loss[-1]), right)


@functools.partial(jax.jit, static_argnums=0)
def _outputs(activation, params, x):
    return network(activation).outputs(params, x)


def accuracy(outputs, labels) -> float:
    return float(np.mean(np.argmax(outputs, axis=1) == labels))


def disagreement(one, two) -> float:
    """Share of images that two models put into different classes."""
    return float(np.mean(one.argmax(axis=1) != two.argmax(axis=1)))


def instability(activation: str, found: Trained, x) -> float:
    """Share of the units' signs on the test images that training has changed."""
    both = [network(activation).preactivations(w, x) for w in (found.start, found.end)]
    changed = [np.sign(a) != np.sign(b) for a, b in zip(*both, strict=True)]
    return float(np.concatenate([flips.ravel() for flips in changed]).mean())


def with_initial_gates(found: Trained, x) -> np.ndarray:
    """Outputs of a relu network with the trained weights and the units open as at the start.

    f(w_0) is subtracted: what the authors' program takes for the lazy model.
    """
    net = network("relu")
    gates = net.preactivations(found.start, x)
    return np.asarray(net.outputs(found.end, x, gates) - net.outputs(found.start, x))
