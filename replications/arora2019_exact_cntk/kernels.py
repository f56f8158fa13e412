"""Limit kernels of the three read-outs by `widenets.ntk`, and regression with them."""

from functools import cache

import numpy as np

from widenets.ntk.architecture import (
    Architecture,
    conv,
    dense,
    flatten,
    global_average_pool,
    relu,
    serial,
)

READ_OUTS = {"gap": global_average_pool, "v": flatten}
JITTER = 1e-10  # of the mean of the diagonal; the paper has no ridge


@cache
def network(read_out: str, convs: int, width: int = 1) -> Architecture:
    """gap, v: `convs` 3x3 convolutions with zero padding, c_sigma = 2; fc: as many dense layers.

    width: channels or neurons of a finite one; the kernel has none.
    All layers are trained; the authors' program leaves out the first and the last by default.
    """
    if read_out == "fc":
        return serial(*[dense(width, 2.0), relu()] * convs, dense(1))
    hidden = [conv(width, weight_variance=2.0), relu()] * convs
    return serial(*hidden, READ_OUTS[read_out](), dense(1))


def kernels(read_out: str, x: np.ndarray, convs: int, train: int | None = None):
    """(nngp, ntk) between images x (N, ...) and the first `train` of them (default: all)."""
    x = x.reshape(len(x), -1) if read_out == "fc" else x
    net = network(read_out, convs)
    if train is None:
        found = net.kernel(x)
        return np.asarray(found.nngp), np.asarray(found.ntk)
    square, rest = net.kernel(x[:train]), net.kernel(x[train:], x[:train])
    return tuple(
        np.concatenate([np.asarray(getattr(part, name)) for part in (square, rest)])
        for name in ("nngp", "ntk")
    )


def regression(kernel: np.ndarray, labels: np.ndarray, train: int) -> np.ndarray:
    """Classes told to the tests (N - train,); kernel (N, train), targets one-hot - .1, argmax."""
    targets = np.eye(labels.max() + 1)[labels[:train]] - 0.1
    square = kernel[:train]
    ridge = JITTER * np.trace(square) / train * np.eye(train)
    return (kernel[train:] @ np.linalg.solve(square + ridge, targets)).argmax(axis=1)


def accuracy(kernel: np.ndarray, labels: np.ndarray, train: int) -> float:
    """Share of the tests that kernel regression tells right."""
    return float(np.mean(regression(kernel, labels, train) == labels[train:]))


def dense_limit(x1: np.ndarray, x2: np.ndarray, layers: int) -> np.ndarray:
    """NTK of `layers` hidden ReLU layers and a linear read-out on vectors."""
    return np.asarray(network("fc", layers).kernel(x1, x2).ntk)
