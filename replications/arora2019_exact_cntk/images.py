"""Images and tables, each seed with splits of its own: drawn by us, carried by scikit-learn, real.

textures: a class is an order of nine random values in a 3x3 pattern that stands anywhere on the
torus, with noise, so that the values alone, without their order, tell nothing. places: one pattern
for all classes, which stands where its class says, off the borders. Pixels of real images are
averaged to the wanted side. Mean image of the training set removed, then images of unit norm.
"""

from typing import NamedTuple

import numpy as np

from widenets.ntk import data
from widenets.ntk.random import generator

PATTERN, NOISE = 3, 0.25
DRAWN = ("textures", "places")
REAL = {"mnist": data.mnist, "fashion": data.fashion_mnist, "cifar10": data.cifar10}
POOL = 4000  # of real images: what the cut of CIFAR-10 holds


class Split(NamedTuple):
    """x (train + test, H, W, channels) of unit norm, training images first; labels of all."""

    x: np.ndarray
    labels: np.ndarray
    train: int


def pictures(
    stream: np.random.Generator, kind: str, count: int, side: int, classes: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """(count, side, side, 1) float64 and labels, of `textures` or `places`."""
    labels = stream.integers(classes, size=count)
    values = stream.standard_normal(PATTERN**2)
    values /= np.linalg.norm(values)
    patterns = [stream.permutation(values).reshape(PATTERN, PATTERN) for _ in range(classes)]
    x = NOISE * stream.standard_normal((count, side, side, 1)) / PATTERN
    corners = stream.integers(side, size=(count, 2))
    if kind == "places":  # one pixel of freedom within each quarter
        corners = 1 + 2 * np.stack(np.divmod(labels, 2), 1) + corners % 2
    for image, label, corner in zip(x, labels, corners, strict=True):
        pattern = patterns[label if kind == "textures" else 0]
        whole = np.zeros((side, side))
        whole[:PATTERN, :PATTERN] = pattern
        image[..., 0] += np.roll(whole, tuple(corner), (0, 1))
    return x, labels


def averaged(x: np.ndarray, side: int) -> np.ndarray:
    """Means over squares of pixels, to (N, side, side, channels)."""
    size = x.shape[1]
    if size % side:
        raise ValueError(f"side: found {side}, wanted a divisor of {size}")
    step = size // side
    return x.reshape(len(x), side, step, side, step, -1).mean(axis=(2, 4))


def normalized(x: np.ndarray, train: int) -> np.ndarray:
    """Without the mean training image, of unit norm."""
    x = x - x[:train].mean(axis=0)
    flat = data.normalize_rows(x.reshape(len(x), -1), 1.0)
    return flat.reshape(x.shape)


def split(
    stream: np.random.Generator, kind: str, train: int, test: int, side: int,
    permuted: bool = False, data_dir: str | None = None,
) -> Split:  # fmt: skip
    """Drawn without replacement by `stream`; permuted: one order of pixels for all images."""
    if kind in DRAWN:
        x, labels = pictures(stream, kind, train + test, side)
    else:
        real = kind != "digits"
        whole = REAL[kind]("train", data_dir=data_dir, count=POOL) if real else data.digits()
        chosen = stream.permutation(len(whole.labels))[: train + test]
        x, labels = whole.images[chosen].astype(np.float64), whole.labels[chosen]
        x = averaged(x, side)
    x = normalized(x, train)
    if permuted:
        order = stream.permutation(side * side)
        x = x.reshape(len(x), side * side, -1)[:, order].reshape(x.shape)
    return Split(x, labels, train)


def first(kind: str, train: int, test: int, side: int, data_dir: str | None) -> Split:
    """The first images of the official training and test sets, as the paper's table has them."""
    parts = [
        REAL[kind](name, data_dir=data_dir, count=count)
        for name, count in (("train", train), ("test", test))
    ]
    x = np.concatenate([part.images for part in parts]).astype(np.float64)
    labels = np.concatenate([part.labels for part in parts])
    return Split(normalized(averaged(x, side), train), labels, train)


TABLES = ("iris", "wine", "breast_cancer", "digits")


def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (N, d) and labels of a small table that scikit-learn carries."""
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")(return_X_y=True)


def seed_stream(seed: int, *names) -> np.random.Generator:
    return generator(seed, "arora2019_exact_cntk", *names)
