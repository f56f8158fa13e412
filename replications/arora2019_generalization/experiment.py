"""What is measured: closed forms in float64, networks in float32. Seeds draw data and weights."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from widenets.ntk import data
from widenets.ntk.architecture import fully_connected
from widenets.ntk.dynamics import eigensystem, gradient_descent, loss_curve, squared_error
from widenets.ntk.random import generator, key

LIMIT = fully_connected(depth=1, width=1)
SETS = {"digits": lambda data_dir: data.digits(), "mnist": data.mnist, "cifar10": data.cifar10}
TEST, DIMENSION = 180, 4  # test points of every task; dimension of the linear one


def kernel(inputs: np.ndarray) -> np.ndarray:
    """H_ij = x_i.x_j (pi - arccos x_i.x_j) / (2 pi), (N, N): the first layer's tangent kernel."""
    # The paper's preactivations are w.x without 1 / sqrt(d), hence the factor.
    nngp, ntk = LIMIT.kernel(np.sqrt(inputs.shape[1]) * inputs)
    return np.asarray(ntk) - np.asarray(nngp)


def task(
    arm: str, seed: int, samples: int, labels: str, images: str, data_dir: str | None
) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Unit inputs and labels, `samples` for training first, TEST for testing last, and the stream.

    Small samples have as many points, so that their kernels share one compilation.
    labels: classes 0 and 1 as -1 and +1; coins; linear: beta.x on the sphere with |beta| = 1.
    """
    stream, count = generator(seed, "arora", arm, samples, "data"), max(samples, TEST) + TEST
    if labels == "linear":
        inputs = data.sphere(stream, count, DIMENSION)
        return inputs, inputs @ data.linear_teacher(stream, DIMENSION), stream
    pixels, classes = SETS[images](data_dir=data_dir)
    chosen = stream.permutation(np.flatnonzero(classes < 2))[:count]
    inputs = data.normalize_rows(data.flatten_images(pixels[chosen]), 1.0)
    coins = stream.choice([-1.0, 1.0], len(chosen))
    return inputs, coins if labels == "coins" else 2.0 * classes[chosen] - 1.0, stream


def complexity(
    *, arm: str, labels: str, samples: int, fractions: tuple[float, ...], seeds: tuple[int, ...],
    permuted: bool = False, images: str = "digits", data_dir: str | None = None,
) -> Iterator[dict]:  # fmt: skip
    """Bound sqrt(2 y'H^-1 y / n), test loss of the kernel's interpolant, energy of the top tenth.

    A fraction p of the labels is replaced by coins, nested in p on purpose. permuted: test labels
    of other points.
    """
    for seed in seeds:
        inputs, clean, stream = task(arm, seed, samples, labels, images, data_dir)
        coins, uniform = stream.choice([-1.0, 1.0], len(clean)), stream.random(len(clean))
        shuffled = stream.permutation(TEST) if permuted else np.arange(TEST)
        whole = kernel(inputs)
        system = eigensystem(whole[:samples, :samples])
        for fraction in fractions:
            targets = np.where(uniform < fraction, coins, clean)
            y, test = targets[:samples], targets[-TEST:][shuffled]
            modes = system.vectors.T @ y
            found = whole[-TEST:, :samples] @ system.vectors @ (modes / system.values)
            yield {
                "seed": seed,
                "fraction": fraction,
                "bound": np.sqrt(2 * np.sum(modes**2 / system.values) / samples),
                "loss": np.minimum(np.abs(found - test), 1).mean(),
                "top_tenth": np.sum(modes[-(samples // 10) :] ** 2) / (y @ y),
            }


def descent(
    *, arm: str, labels: str, samples: int, width: int, steps: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """|y - u(k)| / sqrt(n) of a network with fixed a_r = +-1, beside the curves of Theorem 4.1 for
    H_inf (predicted) and for its own kernel at the start (frozen)."""
    network = fully_connected(depth=1, width=width)
    record = np.unique(np.geomspace(1, steps, 24).round().astype(int))
    signs = jnp.where(jnp.arange(width) < width // 2, 1.0, -1.0).astype(jnp.float32)[:, None]
    for seed in seeds:
        inputs, targets, _ = task(arm, seed, samples, labels, "digits", None)
        x, y = inputs[:samples], targets[:samples]
        # Neurons in pairs of opposite sign: u(0) = 0, what a small kappa is for.
        hidden, _, _ = network.init(key(seed, "arora", arm, "weights", width), x.shape[1:])
        half = hidden["weight"][:, : width // 2]
        active = (x @ np.asarray(half) > 0).astype(float)
        start = x @ x.T * (active @ active.T) / (width // 2)
        limit, frozen = map(eigensystem, (kernel(inputs)[:samples, :samples], start))
        rate = 0.5 / limit.values[-1]
        losses = gradient_descent(
            network.apply,
            ({"weight": jnp.concatenate([half, half], axis=1)}, (), {"weight": signs}),
            (np.sqrt(x.shape[1]) * x).astype(np.float32),
            y[:, None].astype(np.float32),
            loss=squared_error("sum"),
            learning_rate=({"weight": rate}, (), {"weight": 0.0}),
            record=record,
        ).loss
        curves = [
            loss_curve(system, y, record, normalization="sum", learning_rate=rate, method="descent")
            for system in (limit, frozen)
        ]
        for step, *of_step in zip(record, np.asarray(losses), *curves, strict=True):
            names = ("residual", "predicted", "frozen")
            residuals = zip(names, np.sqrt(2 * np.array(of_step) / samples), strict=True)
            yield {"seed": seed, "step": step, **dict(residuals)}
