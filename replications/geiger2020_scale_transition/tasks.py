"""The tasks: xnor and stripe in Gaussian data, parity of images, all with rows of norm sqrt(d)."""

import functools
from typing import NamedTuple

import numpy as np

from widenets.ntk import data, random

PCA = 10
SYNTHETIC = {"xnor10": (data.xnor, 10), "stripe20": (data.stripe, 20)}


class Task(NamedTuple):
    """x (P, d), y (P,) to train on; test points likewise; float64."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray


class Split(NamedTuple):
    """Which points of a task: `train` and `test` are the seeds that draw them."""

    name: str
    points: int
    test_points: int
    data_dir: str | None
    train: int
    test: int


@functools.lru_cache(maxsize=128)
def task_of(split: Split) -> Task:
    """The points. Digits are split by the seed `train`; of MNIST the first ones are taken."""
    name, points, test_points, data_dir, *seeds = split
    if name in SYNTHETIC:
        make, dimension = SYNTHETIC[name]
        streams = (
            random.generator(seed, "geiger2020", name, part)
            for seed, part in zip(seeds, ("train", "test"), strict=True)
        )
        (train, y), (test, test_y) = (
            make(stream, count, dimension)
            for stream, count in zip(streams, (points, test_points), strict=True)
        )
        targets = np.concatenate([y, test_y])
    else:
        train, test, targets = _images(name, points, test_points, data_dir, split.train)
    norm = np.sqrt(train.shape[1])
    train, test = data.normalize_rows(train, norm), data.normalize_rows(test, norm)
    return Task(train, targets[:points], test, targets[points:])


def _images(name, points, test_points, data_dir, seed):
    """Images by parity of their class: pixels centred by the training mean, or 10 components."""
    source, _, form = name.partition("_")
    if source == "digits":
        images, labels = data.digits()
        order = random.generator(seed, "geiger2020", name).permutation(len(labels))
        images, labels = images[order], labels[order]
        both = [(images[:points], labels[:points]), (images[points:], labels[points:])]
    elif source in ("mnist", "fashion"):
        load = data.mnist if source == "mnist" else data.fashion_mnist
        counts = (("train", points), ("test", test_points))
        both = [load(split, data_dir=data_dir, count=count) for split, count in counts]
    else:
        raise ValueError(f"task: found {name!r}, wanted xnor, stripe, digits, mnist or fashion")
    (x, y), (test_x, test_y) = both
    x, test_x = data.flatten_images(x[:points]), data.flatten_images(test_x[:test_points])
    if form == "pca":
        x, test_x = data.principal_components(x, PCA, test_x)
    else:
        mean = x.mean(axis=0)
        x, test_x = x - mean, test_x - mean
    labels = np.concatenate([y[:points], test_y[:test_points]])
    return x, test_x, data.parity(labels)
