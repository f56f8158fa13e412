"""What is measured: closed forms in float64, networks in float32. Seeds draw data and weights."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from widenets.ntk import data
from widenets.ntk.architecture import fully_connected
from widenets.ntk.dynamics import eigensystem, gradient_descent, loss_curve, squared_error
from widenets.ntk.random import generator, key
from widenets.ntk.spectra import legendre, multiplicities, two_layer_relu_eigenvalues

LIMIT = fully_connected(depth=1, width=1)
SETS = {"digits": lambda data_dir: data.digits(), "mnist": data.mnist, "cifar10": data.cifar10}
TEST, DIMENSION = 180, 4  # test points of every task; dimension of the linear one
REDRAWS = 32  # draws of the random labels for one draw of the data
EXTREMES = {"worst": 0, "best": -1}  # which eigenvector, of rising eigenvalues


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
    permuted: bool = False, flipped: bool = False, images: str = "digits",
    data_dir: str | None = None,
) -> Iterator[dict]:  # fmt: skip
    """Bound sqrt(2 y'H^-1 y / n), test losses of the kernel's interpolant, energy of the top tenth.

    A fraction p of the labels is replaced by coins, nested in p on purpose, REDRAWS times: bound
    and test losses are those of the first draw, the others are means over draws. complexity: mean
    y'H^-1 y over its expectation, y'H^-1 y of the clean labels for a share (1 - p)^2 and tr H^-1
    for the rest. permuted: test labels of other points; flipped: the opposite label for the coin.
    """
    for seed in seeds:
        inputs, clean, stream = task(arm, seed, samples, labels, images, data_dir)
        coins = stream.choice([-1.0, 1.0], (REDRAWS, len(clean)))
        uniform = stream.random((REDRAWS, len(clean)))
        shuffled = stream.permutation(TEST) if permuted else np.arange(TEST)
        whole = kernel(inputs)
        system = eigensystem(whole[:samples, :samples])
        ends = (
            np.sum((clean[:samples] @ system.vectors) ** 2 / system.values),
            np.sum(1 / system.values),
        )
        for fraction in fractions:
            targets = np.where(uniform < fraction, -clean if flipped else coins, clean)
            y, test = targets[:, :samples], targets[0, -TEST:][shuffled]
            modes = y @ system.vectors
            norms = np.sum(modes**2 / system.values, axis=1)
            found = whole[-TEST:, :samples] @ system.vectors @ (modes[0] / system.values)
            kept = (1 - fraction) ** 2
            yield {
                "seed": seed,
                "fraction": fraction,
                "bound": np.sqrt(2 * norms[0] / samples),
                "complexity": norms.mean() / (kept * ends[0] + (1 - kept) * ends[1]),
                "loss": np.minimum(np.abs(found - test), 1).mean(),
                "error": np.mean(found * test <= 0),
                "top_tenth": np.sum(modes[:, -(samples // 10) :] ** 2) / np.sum(y**2),
            }


def powers(
    *, arm: str, degree: int, dimension: int, samples: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """sqrt(y'H^-1 y) of y = (beta.x)^degree with |beta| = 1 on the sphere, and what is said of it.

    bound: 3 degree (Theorem 6.1). norm: that of the function in the kernel's space, sum_k a_k^2 /
    N_k mu_k with (beta.x)^degree = sum_k a_k P_k(beta.x), to which the first tends from below; inf
    where a degree has mu_k = 0. Arm taylor: the inverse Taylor coefficient of H instead, 4 or
    2 pi (degree - 1) (degree - 2)!! / (degree - 3)!!, which is what the paper's proof gives.
    """
    for seed in seeds:
        stream = generator(seed, "arora", arm, degree, "powers")
        inputs = data.sphere(stream, samples, dimension)
        teacher = data.linear_teacher(stream, dimension)
        y = (inputs @ teacher / np.linalg.norm(teacher)) ** degree
        system = eigensystem(kernel(inputs))
        square = inverse_taylor(degree) if arm == "taylor" else norm_of_power(degree, dimension)
        yield {
            "seed": seed,
            "complexity": np.sqrt(np.sum((system.vectors.T @ y) ** 2 / system.values)),
            "bound": 3.0 * degree,
            "norm": np.sqrt(square),
        }


def norm_of_power(degree: int, dimension: int) -> float:
    """|(beta.x)^degree|^2 in the space of H on the sphere of R^dimension, |beta| = 1."""
    places = np.cos(np.linspace(0.1, 3.0, degree + 1))
    polynomials = np.array(legendre(dimension, degree, places))
    parts = np.linalg.solve(polynomials.T, places**degree)
    eigenvalues = two_layer_relu_eigenvalues(dimension, degree, first_layer=1.0, readout=0.0)
    weights = eigenvalues * np.array(multiplicities(dimension, degree))
    there = np.abs(parts) > 1e-9
    if np.any(weights[there] < 1e-12):
        return np.inf
    return float(np.sum(parts[there] ** 2 / weights[there]))


def inverse_taylor(degree: int) -> float:
    """1 / c_p of t (pi - arccos t) / 2 pi = t / 4 + t arcsin(t) / 2 pi; p = 1 or even."""
    if degree == 1:
        return 4.0
    odd = np.prod(np.arange(1, degree - 2, 2))
    return float(2 * np.pi * (degree - 1) * np.prod(np.arange(2, degree - 1, 2)) / odd)


def descent(
    *, arm: str, labels: str, samples: int, width: int, steps: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """|y - u(k)| / sqrt(n) of a network with fixed a_r = +-1, beside the curves of Theorem 4.1 for
    H_inf (predicted) and for its own kernel at the start (frozen).

    labels worst, best: the last and the first eigenvector of H_inf, of length sqrt(n).
    """
    network = fully_connected(depth=1, width=width)
    record = np.unique(np.geomspace(1, steps, 24).round().astype(int))
    signs = jnp.where(jnp.arange(width) < width // 2, 1.0, -1.0).astype(jnp.float32)[:, None]
    for seed in seeds:
        inputs, targets, _ = task(arm, seed, samples, labels, "digits", None)
        x, y = inputs[:samples], targets[:samples]
        limit = eigensystem(kernel(inputs)[:samples, :samples])
        if labels in EXTREMES:
            y = np.sqrt(samples) * limit.vectors[:, EXTREMES[labels]]
        # Neurons in pairs of opposite sign: u(0) = 0, what a small kappa is for.
        hidden, _, _ = network.init(key(seed, "arora", arm, "weights", width), x.shape[1:])
        half = hidden["weight"][:, : width // 2]
        active = (x @ np.asarray(half) > 0).astype(float)
        start = x @ x.T * (active @ active.T) / (width // 2)
        frozen = eigensystem(start)
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
