"""Data of the experiments and the batches of a run: one stream per seed, whatever else it has."""

import math
from collections.abc import Callable

import numpy as np

from replications.yang2021_mutransfer.networks import Run
from replications.yang2021_mutransfer.text import SYMBOLS, synthetic_text
from widenets.ntk.data import digits, flatten_images, mnist, tiny_shakespeare
from widenets.ntk.random import generator

LENGTH = 32  # characters per sequence
MLP_BATCH = 64


def load_tokens(text: str, data_dir) -> tuple[np.ndarray, int]:
    """Character codes and the number of symbols."""
    if text == "shakespeare":
        found = tiny_shakespeare(data_dir=data_dir)
        return found.tokens, len(found.vocabulary)
    if text != "synthetic":
        raise ValueError(f"text {text!r}: want synthetic or shakespeare")
    return synthetic_text(), len(SYMBOLS)


def load_images(data: str, data_dir) -> tuple[np.ndarray, np.ndarray]:
    """Centred images scaled to mean |x|^2 = 1, float32 (N, d), and their labels."""
    if data not in ("digits", "mnist"):
        raise ValueError(f"data {data!r}: want digits or mnist")
    images, labels = digits() if data == "digits" else mnist(data_dir=data_dir)
    x = flatten_images(images)
    x -= x.mean(axis=0)
    x /= math.sqrt(np.mean(np.sum(x**2, axis=1)))
    return x.astype(np.float32), labels


def sequence_batches(tokens: np.ndarray, batch: int, steps: int) -> Callable:
    """For some runs, the function step -> (inputs, next characters), each (R, batch, LENGTH)."""

    def of(runs):
        starts = _positions(runs, len(tokens) - LENGTH, steps, batch)

        def at(step):
            windows = tokens[starts[:, step, :, None] + np.arange(LENGTH + 1)]
            return windows[..., :-1], windows[..., 1:]

        return at

    return of


def image_batches(
    images: np.ndarray, labels: np.ndarray, runs: list[Run], *, steps: int
) -> Callable:
    """The function step -> (inputs, labels), (R, MLP_BATCH, d) and (R, MLP_BATCH)."""
    chosen = _positions(runs, len(images), steps, MLP_BATCH)
    return lambda step: (images[chosen[:, step]], labels[chosen[:, step]])


def _positions(runs: list[Run], below: int, steps: int, batch: int) -> np.ndarray:
    """Places in the data, (R, steps + 1, batch): a stream per seed, whatever else a run has."""
    draws = {
        seed: generator(seed, "batches").integers(below, size=(steps + 1, batch))
        for seed in {run.seed for run in runs}
    }
    return np.stack([draws[run.seed] for run in runs])


def noisy_split(labels: np.ndarray, runs: list[Run], examples: int, noise: float):
    """(places, labels) of the training images, a share of whose labels is redrawn, and of the 512
    test images; each (R, count), a stream per seed."""
    split = {}
    for seed in {run.seed for run in runs}:
        draw = generator(seed, "split")
        order = draw.permutation(len(labels))
        train, test = order[:examples], order[examples : examples + 512]
        redrawn = draw.random(examples) < noise
        wrong = draw.integers(10, size=examples)
        split[seed] = (train, np.where(redrawn, wrong, labels[train]), test, labels[test])
    columns = [np.stack(column) for column in zip(*(split[r.seed] for r in runs), strict=True)]
    return columns[:2], columns[2:]
