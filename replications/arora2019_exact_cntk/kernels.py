"""Limit kernels of the three read-outs by `widenets.ntk`, and regression with them."""

from functools import cache

import numpy as np

from widenets.ntk.architecture import (
    Architecture,
    conv,
    dense,
    flatten,
    global_average_pool,
    identity,
    relu,
    serial,
)

READ_OUTS = {"gap": global_average_pool, "v": flatten}
JITTER = 1e-10  # of the mean of the diagonal; the paper has no ridge


@cache
def network(read_out: str, convs: int, fixed: bool = False, activation: str = "relu"):
    """gap, v: `convs` 3x3 convolutions with zero padding, c_sigma = 2; fc: as many dense layers.

    fixed: first and last layer are not trained, the default of the authors' program.
    """
    function = {"relu": relu, "identity": identity}[activation]
    variance = 2.0 if activation == "relu" else 1.0
    layers: list[Architecture] = []
    for layer in range(convs):
        trained = not (fixed and layer == 0)
        if read_out == "fc":
            layers += [dense(1, variance, trained=trained), function()]
        else:
            layers += [conv(1, weight_variance=variance, trained=trained), function()]
    if read_out != "fc":
        layers.append(READ_OUTS[read_out]())
    return serial(*layers, dense(1, trained=not fixed))


def kernels(read_out: str, x: np.ndarray, convs: int, train: int | None = None, **options):
    """(nngp, ntk) between images x (N, ...) and the first `train` of them (default: all)."""
    x = x.reshape(len(x), -1) if read_out == "fc" else x
    net = network(read_out, convs, **options)
    if train is None:
        found = net.kernel(x)
        return np.asarray(found.nngp), np.asarray(found.ntk)
    square, rest = net.kernel(x[:train]), net.kernel(x[train:], x[:train])
    return tuple(
        np.concatenate([np.asarray(getattr(part, name)) for part in (square, rest)])
        for name in ("nngp", "ntk")
    )


def accuracy(kernel: np.ndarray, labels: np.ndarray, train: int) -> float:
    """Of kernel regression; kernel (N, train), targets one-hot - .1, argmax."""
    classes = labels.max() + 1
    targets = np.eye(classes)[labels[:train]] - 0.1
    square = kernel[:train]
    ridge = JITTER * np.trace(square) / train * np.eye(train)
    values = kernel[train:] @ np.linalg.solve(square + ridge, targets)
    return float(np.mean(values.argmax(axis=1) == labels[train:]))


def dense_limit(x1: np.ndarray, x2: np.ndarray, layers: int):
    """(nngp, ntk) of `layers` hidden ReLU layers and a linear read-out on vectors."""
    found = network("fc", layers).kernel(x1, x2)
    return np.asarray(found.nngp), np.asarray(found.ntk)
