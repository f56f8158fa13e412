"""Inputs and targets of the experiments: distributions, teachers and tasks.

Distributions take a NumPy generator (`widenets.ntk.random.generator`), so the caller names the
stream and two arms can be given the same data on purpose. Inputs are float64 of shape (N, d),
targets float64 of shape (N,). Real sets are in `datasets`.
"""

from typing import NamedTuple

import numpy as np

STRIPE = (-0.3, 1.18549)  # the standard normal puts one half between the two


class Task(NamedTuple):
    """inputs (N, d) float64 and targets (N,) float64, -1 or +1."""

    inputs: np.ndarray
    targets: np.ndarray


class TwoLayerTeacher(NamedTuple):
    """y(x) = sum_j outputs_j relu(directions_j . x); directions (m0, d), outputs (m0,)."""

    directions: np.ndarray
    outputs: np.ndarray

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Targets (N,) at inputs (N, d)."""
        return np.maximum(inputs @ self.directions.T, 0.0) @ self.outputs


def gaussian(generator: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    """x ~ N(0, I_d), shape (count, dimension)."""
    _positive(count=count, dimension=dimension)
    return generator.standard_normal((count, dimension))


def sphere(generator, count: int, dimension: int, radius: float = 1.0) -> np.ndarray:
    """x uniform on the sphere |x| = radius in R^d, shape (count, dimension)."""
    return normalize_rows(gaussian(generator, count, dimension), radius)


def circle(angles) -> np.ndarray:
    """(cos, sin) of the angles in radians, shape (len(angles), 2)."""
    angles = np.asarray(angles, dtype=np.float64)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def linear_teacher(generator, dimension: int) -> np.ndarray:
    """A unit vector beta uniform on the sphere, shape (dimension,): y = x @ beta."""
    return sphere(generator, 1, dimension)[0]


def two_layer_teacher(generator, dimension: int, neurons: int) -> TwoLayerTeacher:
    """Unit directions uniform on the sphere and outputs -1 or +1 with equal probability."""
    directions = sphere(generator, neurons, dimension)
    return TwoLayerTeacher(directions, generator.choice([-1.0, 1.0], size=neurons))


def xnor(generator, count: int, dimension: int) -> Task:
    """y = sign(x_1 x_2) for x ~ N(0, I_d): two of the d directions matter."""
    if dimension < 2:
        raise ValueError(f"xnor needs dimension >= 2, found {dimension}")
    inputs = gaussian(generator, count, dimension)
    return Task(inputs, np.where(inputs[:, 0] * inputs[:, 1] > 0, 1.0, -1.0))


def stripe(generator, count: int, dimension: int) -> Task:
    """y = -1 where -0.3 < x_1 < 1.18549, else +1, for x ~ N(0, I_d): one direction matters."""
    inputs = gaussian(generator, count, dimension)
    inside = (inputs[:, 0] > STRIPE[0]) & (inputs[:, 0] < STRIPE[1])
    return Task(inputs, np.where(inside, -1.0, 1.0))


def parity(labels: np.ndarray) -> np.ndarray:
    """+1 for even and -1 for odd class labels, float64."""
    return np.where(np.asarray(labels) % 2 == 0, 1.0, -1.0)


def flatten_images(images: np.ndarray) -> np.ndarray:
    """(N, height, width, channels) to (N, height * width * channels), float64."""
    return images.reshape(len(images), -1).astype(np.float64)


def normalize_rows(rows: np.ndarray, norm: float) -> np.ndarray:
    """Each row scaled to Euclidean norm `norm`; a zero row is an error."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise ValueError(f"row {int(np.argmin(lengths))} has norm 0, wanted a positive norm")
    return rows * (norm / lengths)


def principal_components(train: np.ndarray, count: int, *others: np.ndarray) -> list[np.ndarray]:
    """`train` and `others` on the first `count` principal axes of `train`, each (N, count).

    All are centred by the mean of `train`; the variances of the components are kept. The sign of
    an axis is fixed by its largest entry, so that the result is the same on every machine.
    """
    if not 1 <= count <= min(train.shape):
        raise ValueError(f"count must be in 1..{min(train.shape)}, found {count}")
    mean = train.mean(axis=0)
    centred = train - mean
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :count]
    largest = axes[np.argmax(np.abs(axes), axis=0), np.arange(count)]
    return [(rows - mean) @ (axes * np.sign(largest)) for rows in (train, *others)]


def _positive(**sizes) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, found {size}")
