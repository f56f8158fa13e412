"""Images as inputs of a deep limit: a kernel is computed on its pairs and put together again."""

from typing import NamedTuple

import numpy as np

from widenets.ntk import data
from widenets.ntk.random import generator

SETS = {"digits": lambda data_dir: data.digits(), "mnist": data.mnist, "cifar10": data.cifar10}
CLASSES = 10


class Task(NamedTuple):
    inputs: np.ndarray  # (train + test, d), unit rows, the training images first
    labels: np.ndarray  # (train + test, 10), one-hot without the mean over the training images
    classes: np.ndarray  # (train + test,)
    mean: np.ndarray  # (10,) that mean


def task(seed: int, train: int, test: int, images: str, data_dir: str | None) -> Task:
    """Images drawn without replacement; equal images are left out."""
    count = {} if images == "digits" else {"count": 4000}
    pixels, classes = SETS[images](data_dir=data_dir, **count)
    chosen = generator(seed, "signal", "images").permutation(len(classes))[: train + test]
    inputs = data.normalize_rows(data.flatten_images(pixels[chosen]).astype(np.float64), 1.0)
    labels = np.eye(CLASSES)[classes[chosen]]
    mean = labels[:train].mean(axis=0)
    return Task(inputs, labels - mean, classes[chosen], mean)


def pairs(inputs: list[np.ndarray], train: int) -> np.ndarray:
    """1 - x.x' (seeds, P): an image with itself, i < j of the training set, test with training."""
    upper = np.triu_indices(train, 1)
    rows = []
    for x in inputs:
        gaps = np.sum((x[:, None] - x[None, :train]) ** 2, axis=2) / 2  # no cancellation
        rows.append(np.concatenate([[0.0], gaps[:train][upper], gaps[train:].ravel()]))
    return np.array(rows)


def matrices(kernel: np.ndarray, train: int) -> tuple[np.ndarray, np.ndarray]:
    """(..., P) of `pairs` as the kernel (..., train, train) and (..., test, train)."""
    upper = np.triu_indices(train, 1)
    square = np.zeros((*kernel.shape[:-1], train, train))
    count = 1 + len(upper[0])
    square[..., upper[0], upper[1]] = kernel[..., 1:count]
    square += np.swapaxes(square, -1, -2)
    square[..., np.arange(train), np.arange(train)] = kernel[..., :1]
    return square, kernel[..., count:].reshape(*kernel.shape[:-1], -1, train)
