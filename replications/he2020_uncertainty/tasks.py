"""Points and functions that are learned."""

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from widenets.ntk import data

DIMENSION = 5


class Digits(NamedTuple):
    points: np.ndarray  # (P, 64), rows of norm sqrt(64)
    labels: np.ndarray  # (P,)
    one_hot: np.ndarray  # (P, 10)


class KnownAndNew(NamedTuple):
    points: np.ndarray  # (train + 3 test, 64), training points first
    targets: np.ndarray  # (train, 5), one-hot of the digits 0 to 4 less 1/5
    truth: np.ndarray  # (3 test, 5) the same for test points; the digits 5 to 9 have no entry 1
    groups: list[str]  # (3 test,): same, near, far


def sphere_points(stream: np.random.Generator, count: int) -> np.ndarray:
    """(count, 5) of norm sqrt(5)."""
    return data.sphere(stream, count, DIMENSION, radius=np.sqrt(DIMENSION))


def task(
    stream: np.random.Generator, name: str, count: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Points, and the function's values (count, 1); None for a function that a law draws."""
    if name == "parity":
        of = digits(stream, count)
        return of.points, data.parity(of.labels)[:, None]
    points = sphere_points(stream, count)
    functions = {
        "linear": lambda x: x @ data.linear_teacher(stream, DIMENSION),
        "product": lambda x: x[:, 0] * x[:, 1],
        "oscillating": lambda x: np.sin(5 * x[:, 0]),
    }
    return points, functions[name](points)[:, None] if name in functions else None


def digits(stream: np.random.Generator, count: int) -> Digits:
    """`count` of the 8 x 8 digits without replacement."""
    images = data.digits()
    chosen = stream.permutation(len(images.labels))[:count]
    labels = np.asarray(images.labels[chosen])
    return Digits(_rows(images.images[chosen]), labels, np.eye(10)[labels])


def _rows(images: np.ndarray) -> np.ndarray:
    rows = data.flatten_images(images)
    return data.normalize_rows(rows, np.sqrt(rows.shape[1]))


def known_and_new(stream: np.random.Generator, train: int, test: int) -> KnownAndNew:
    """Digits 0 to 4 to learn and to test, 5 to 9 as near strangers, permuted pixels as far ones."""
    of = digits(stream, len(data.digits().labels))
    known, new = np.flatnonzero(of.labels < 5), np.flatnonzero(of.labels >= 5)[:test]
    learned, same = known[:train], known[train : train + test]
    far = of.points[same][:, stream.permutation(of.points.shape[1])]
    points = np.concatenate([of.points[learned], of.points[same], of.points[new], far])
    one_hot = of.one_hot[:, :5] - 1 / 5
    return KnownAndNew(
        points,
        one_hot[learned],
        np.concatenate([one_hot[same], one_hot[new], one_hot[same]]),
        ["same"] * test + ["near"] * test + ["far"] * test,
    )


def temperature(kernel: np.ndarray, targets: np.ndarray) -> float:
    """The T at which softmax(m_i / T) is likeliest, m_i the regression at point i without point i.

    m_i = y_i - [K^-1 y]_i / [K^-1]_ii, exactly; T on a grid with steps of 5 %.
    """
    inverse = np.linalg.inv(kernel)
    left_out = targets - (inverse @ targets) / np.diag(inverse)[:, None]
    tried = 1.05 ** np.arange(-120, 21)
    labels = targets.argmax(axis=1)
    likelihood = [
        log_softmax(left_out / t, axis=1)[np.arange(len(labels)), labels].mean() for t in tried
    ]
    return float(tried[int(np.argmax(likelihood))])
