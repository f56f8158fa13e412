"""What is measured. Laws in float64, networks in float32; a seed is one draw of data or a block."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import softmax

from replications.he2020_uncertainty import networks, tasks
from replications.he2020_uncertainty.laws import (
    LAWS,
    Joint,
    Law,
    chance_of_largest,
    ensemble,
    expected_coverage,
    kernels_of,
    law,
    posterior,
    type_two_scale,
)
from widenets.ntk.architecture import dense, erf, fully_connected, relu, serial
from widenets.ntk.random import generator
from widenets.ntk.signal import Signal, at_depths, edge_of_chaos

PAIRED = {
    "classes": "the same digits under other links and scales",
    "depth": "the same digits through one layer and through fifty, with labels centred or not",
    "ranking": "the same variances, in their order and shuffled",
}
ACTIVATIONS = {"relu": (relu, 2.0, 0.1), "erf": (erf, 2.25, 0.0025)}


@functools.cache  # one object, one compilation
def limit(activation: str, depth: int):
    """Kernels of He et al.'s settings (erf), or of ReLU at criticality."""
    kind, weights, biases = ACTIVATIONS[activation]
    return fully_connected(
        depth=depth, width=8, activation=kind(), weight_variance=weights, bias_variance=biases
    )


def order(
    *, arm: str, activation: str, depth: int, train: int, test: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Least eigenvalues of NTKGP - deep ensemble and of deep ensemble - NNGP posterior, in units of
    the largest NTKGP variance, and the ratios of mean variances.

    arms: theory; half: K/2, too small a prior, takes the place of Theta there; readout: training
    of the last layer alone takes the place of the ensemble, and the NTKGP's that of the NNGP's.
    """
    for seed in seeds:
        stream = generator(seed, "uncertainty", "order", arm, activation, depth)
        points = tasks.sphere_points(stream, train + test)
        nngp, ntk = kernels_of(limit(activation, depth), points, train)
        targets = np.zeros((train, 1))  # variances do not depend on them
        found = {name: law(name, nngp, ntk, targets) for name in LAWS}
        if arm == "half":
            found["ntkgp"] = ensemble(ntk, nngp.scaled(0.5), targets)
        if arm == "readout":
            found["deep"] = found["nngp"]
        below, middle, above = (found[name].covariance for name in ("nngp", "deep", "ntkgp"))
        if arm == "readout":
            below = found["ntkgp"].covariance
        largest = found["ntkgp"].variance.max()
        yield {
            "seed": seed,
            "above": np.linalg.eigvalsh(above - middle)[0] / largest,
            "below": np.linalg.eigvalsh(middle - below)[0] / largest,
            "deep_over_ntkgp": found["deep"].variance.mean() / found["ntkgp"].variance.mean(),
            "nngp_over_deep": found["nngp"].variance.mean() / found["deep"].variance.mean(),
        }


def start(*, arm: str, width: int, members: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Mean variance of f_0 + delta over members and points, over that of the GP with prior Theta,
    and at test points of what the limit's kernel makes of it in STEPS, over that of four laws.

    arms: theory (the read-out's gradient left out of delta), whole_tangent (left in), deep and
    readout (no delta), prior_function (a second network).
    """
    kind = {"theory": "corrected"}.get(arm, arm)
    for seed in seeds:
        of = networks.problem(seed, f"start {arm}")
        found = networks.starts(kind, seed, width, members, of)
        prior = np.concatenate([np.diag(of.ntk.train), np.diag(of.ntk.test)])
        end = networks.linear(kind, found, of).var(axis=0, ddof=1).mean()
        yield {
            "seed": seed,
            "over_ntk": found.var(axis=0, ddof=1).mean() / prior.mean(),
            **{name: end / law.variance.mean() for name, law in _held_against(of).items()},
        }


HELD_AGAINST = {
    "over_ntkgp": ("corrected", "corrected"),
    "over_deep": ("deep", "deep"),
    "over_double": ("deep", "prior_function"),
    "over_nngp": ("readout", "deep"),
}


def _held_against(of: networks.Problem) -> dict[str, Law]:
    return {
        name: networks.law_at(law, networks.start_of(prior, of), of)
        for name, (law, prior) in HELD_AGAINST.items()
    }


def trained(*, arm: str, width: int, members: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Variance of trained members over that of four laws, and where their mean lies.

    arms: theory (corrected ensemble), deep, prior_function, readout, whole_tangent. Ratios are
    geometric means over test points, divided by what the block's own draw does to the same ratio
    of members that the limit's kernel trains: the variance of those is known. `along` / `size` is
    the mean's place on the way from NTK regression (0) to NNGP regression (1), draw taken out.
    """
    kind = {"theory": "corrected"}.get(arm, arm)
    for seed in seeds:
        of = networks.problem(seed, arm)
        found = networks.block(kind, seed, width, members, of)
        own = networks.law_at(kind, networks.start_of(kind, of), of)
        kept = own.variance > 0.05 * own.variance.max()  # 0 / 0 at a training point

        def over(values: np.ndarray, variance: np.ndarray, kept=kept) -> float:
            ratios = values.var(axis=0, ddof=1)[kept] / variance[kept]
            return float(np.exp(np.mean(np.log(ratios))))

        drawn = over(found.linear, own.variance)
        outputs = found.trained[:, networks.TRAIN :]
        against = {name: over(outputs, law.variance) for name, law in _held_against(of).items()}
        ntk, nngp = (networks.law_at(k, of.nngp, of).mean[:, 0] for k in ("deep", "readout"))
        mean = own.mean[:, 0] + (outputs - found.linear).mean(axis=0)
        yield {
            "seed": seed,
            **{name: value / drawn for name, value in against.items()},
            "along": (mean - ntk) @ (nngp - ntk),
            "size": (nngp - ntk) @ (nngp - ntk),
        }


def intervals(
    *, arm: str, train: int, test: int, draws: int, noise: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Errors at test points and the deviations that three laws state for them; a row is one point.

    arms: theory, larger, nngp_truth: truths drawn from GP(0, Theta), GP(0, 1.7 Theta), GP(0, K),
    `draws` of them at the same points; linear, product, oscillating, parity: given functions.
    scale_*: the type-II deviation factor. claimed: coverage that deep ensembles must have if
    Theta is right.
    """
    for seed in seeds:
        stream = generator(seed, "uncertainty", "intervals", arm)
        points, function = tasks.task(stream, arm, train + test)
        nngp, ntk = kernels_of(limit("relu", 3), points, train)
        values = function if function is not None else _drawn(stream, arm, nngp, ntk, draws)
        targets = values[:train] + np.sqrt(noise) * stream.standard_normal(values[:train].shape)
        found = {name: law(name, nngp, ntk, targets, noise=noise) for name in LAWS}
        claimed = expected_coverage(found["deep"].variance, found["ntkgp"].variance)
        for draw in range(values.shape[1]):
            of_draw = targets[:, draw : draw + 1]
            scales = {
                f"scale_{name}": np.sqrt(type_two_scale(kernel.train, of_draw, noise))
                for name, kernel in (("nngp", nngp), ("ntkgp", ntk))
            }
            for point in range(test):
                truth = values[train + point, draw]
                row = {
                    "error_ntk": found["deep"].mean[point, draw] - truth,
                    "error_nngp": found["nngp"].mean[point, draw] - truth,
                    **{f"sd_{name}": np.sqrt(of.variance[point]) for name, of in found.items()},
                    **scales,
                    "claimed": claimed,
                }
                # There are many rows: six digits are enough.
                yield {"seed": seed, **{name: round(float(x), 6) for name, x in row.items()}}


def _drawn(stream, arm: str, nngp: Joint, ntk: Joint, draws: int) -> np.ndarray:
    """Functions at all points from the Gaussian process that the arm says, (N + M, draws)."""
    prior = nngp if arm == "nngp_truth" else ntk.scaled(1.7 if arm == "larger" else 1.0)
    covariance = np.block([[prior.train, prior.cross.T], [prior.cross, prior.test]])
    jitter = 1e-10 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    root = np.linalg.cholesky(covariance + jitter)
    return root @ stream.standard_normal((len(covariance), draws))


def classes(
    *, arm: str, method: str, train: int, test: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Chances of ten classes of digits from one regression on one-hot labels; a row an image.

    arms: theory (chance of being the largest, type-II scale), unit (the same at scale 1), softmax
    (of the mean), temperature (softmax of the mean over the temperature that is best left-one-out).
    """
    for seed in seeds:
        of = tasks.digits(generator(seed, "uncertainty", "digits"), train + test)
        nngp, ntk = kernels_of(limit("relu", 3), of.points, train)
        targets = of.one_hot[:train] - 1 / of.one_hot.shape[1]
        found = law(method, nngp, ntk, targets)
        prior = ntk if method == "ntkgp" else nngp  # a deep ensemble starts from the latter
        if arm in ("theory", "unit"):
            factor = type_two_scale(prior.train, targets) if arm == "theory" else 1.0
            chances = chance_of_largest(found.mean, factor * found.variance)
        else:
            cold = 1.0 if arm == "softmax" else tasks.temperature(prior.train, targets)
            chances = softmax(found.mean / cold, axis=1)
        labels = of.labels[train:]
        said = chances.argmax(axis=1)
        for point, label in enumerate(labels):
            yield {
                "seed": seed,
                "confidence": min(chances[point, said[point]], 1.0),
                "correct": int(said[point] == label),
                "likelihood": chances[point, label],
            }


def ranking(*, arm: str, train: int, test: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Posterior variances and squared errors of a regression on the digits 0 to 4; a row an image.

    group: same (digits 0 to 4), near (digits 5 to 9), far (the first with their pixels permuted).
    arms: theory; shuffled: the variances of all images in another order.
    """
    for seed in seeds:
        stream = generator(seed, "uncertainty", "digits")
        of = tasks.known_and_new(stream, train, test)
        nngp, ntk = kernels_of(limit("relu", 3), of.points, train)
        found = {"nngp": posterior(nngp, of.targets), "ntkgp": posterior(ntk, of.targets)}
        turn = np.arange(len(of.groups))
        if arm == "shuffled":
            turn = generator(seed, "uncertainty", "shuffle").permutation(len(of.groups))
        for point, group in enumerate(of.groups):
            yield {
                "seed": seed,
                "group": group,
                "new": int(group != "same"),
                **{
                    f"variance_{name}": of_law.variance[turn[point]]
                    for name, of_law in found.items()
                },
                "square": np.sum((found["ntkgp"].mean[point] - of.truth[point]) ** 2),
            }


def depth(
    *, arm: str, layers: int, relative: tuple[float, ...], biases: float, train: int, test: int,
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """Accuracy of the NNGP of an erf network on digits at weight variances `relative` to the
    critical one. Labels are one-hot less 1/10.

    arms: theory; shallow (another number of layers); centred: labels less their mean over the
    training images, so that the kernel's constant part acts on nothing.
    """
    critical = float(edge_of_chaos(erf(), biases))
    weights = critical * np.array(relative)
    for seed in seeds:
        of = tasks.digits(generator(seed, "uncertainty", "digits"), train + test)
        classes = of.one_hot[:train]
        targets = classes - (classes.mean(axis=0) if arm == "centred" else 1 / classes.shape[1])
        for share, kernel in zip(
            relative, deep_nngp(of.points, weights, biases, layers, train), strict=True
        ):
            square, cross = kernel[:, :train], kernel[:, train:].T
            noise = 1e-6 * square[0, 0] * np.eye(train)
            mean = np.linalg.solve(square + noise, cross.T).T @ targets
            right = mean.argmax(axis=1) == of.labels[train:]
            yield {
                "seed": seed,
                "share": share,
                "weights": critical * share,
                "accuracy": right.mean(),
            }


@jax.jit
def _at(gaps, weights, biases, layers):
    layer = serial(erf(), dense(1, weights[:, None], biases))
    variance = weights[:, None] + biases
    first = Signal(variance, weights[:, None] * gaps / variance, 0 * gaps)
    last = at_depths(layer, first, layers[None])
    return last.variance[0] * (1 - last.gap[0])


def deep_nngp(
    points: np.ndarray, weights: np.ndarray, biases: float, layers: int, train: int
) -> np.ndarray:
    """NNGP kernels (weights, train, P) between the first points and all, after `layers` hidden erf
    layers; rows of norm sqrt(d)."""
    rows, columns = np.triu_indices(train, m=len(points))
    gaps = np.sum((points[rows] - points[columns]) ** 2, axis=1) / 2 / points.shape[1]
    found = np.asarray(_at(jnp.asarray(gaps), jnp.asarray(weights), biases, jnp.asarray(layers)))
    kernels = np.zeros((len(weights), train, len(points)))
    kernels[:, rows, columns] = found
    inner = columns < train
    kernels[:, columns[inner], rows[inner]] = found[:, inner]
    return kernels
