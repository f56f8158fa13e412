"""What is measured, all in float64: kernels of the limit at many depths, networks of finite width.

h^{l+1} = sqrt(sw2 / n) W phi(h^l) + sqrt(sb2) b. `ratio` is sw2 over its value at the edge of chaos
for SB2; `assumed` is the ratio for which the theory beside a measurement is computed (default: the
same), so that a theory of slightly other weights is a control. Seeds draw inputs and weights.
"""

from collections.abc import Iterator
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from replications.schoenholz2017_signal_propagation import curves
from replications.schoenholz2017_signal_propagation import images as sets
from replications.schoenholz2017_signal_propagation import networks as random_networks
from widenets.ntk.architecture import dense, erf, layer_norm, relu, residual, serial
from widenets.ntk.dynamics import eigensystem, kernel_flow
from widenets.ntk.random import generator
from widenets.ntk.signal import (
    FixedPoint,
    Signal,
    at_depths,
    edge_of_chaos,
    fixed_point,
)

SB2 = 0.05  # Schoenholz et al.
# Arms of these parts are the same start, image or network, held against another prediction.
PAIRED = {
    "scales": "the recursion from the same two starting values, held against two depth scales",
    "critical": "the recursion from the same starting values, at other points of the phase diagram",
    "divergence": "one path of the recursion, held against the laws of all three exponents",
    "spectrum": "kernels of the same images in other phases and against other prefactors",
    "training": "the same images, held against several predictions of the trainable depth",
    "accuracy": "the same images with and without their mean, in two phases",
    "far": "the same starting correlations in several architectures",
    "stable": "the same starting correlation with other branches",
    "wide": "networks of the same draws with weights of another variance",
}
PHI = {"erf": erf(), "relu": relu()}
ERF = PHI["erf"]


@partial(jax.jit, static_argnums=(0, 1))
def _limit(phi: str, skip: bool, weights, biases, start: Signal, depths) -> Signal:
    layer = serial(PHI[phi], dense(1, weights, biases))
    layer = residual(layer) if skip else layer
    return at_depths(serial(layer, layer_norm(0.0)) if phi == "relu" else layer, start, depths)


def limit(phi: str, skip: bool, weights, biases, start: Signal, depths) -> Signal:
    """The signal at these depths in plain layers, or in blocks h + W phi(h) + b; numpy arrays.

    ReLU networks have a variance of 1 restored after every layer: they are homogeneous, so that
    correlations stay as they are, and at sw2 = 2 nothing is changed at all.
    """
    # Small calls are filled up to one shape, and the list of depths too: one compilation for all.
    shape = np.broadcast_shapes(*map(np.shape, (weights, biases, *start)))
    size = max(64, np.prod(shape, dtype=int))
    columns = [
        np.resize(np.broadcast_to(np.asarray(column, float), shape), size)
        for column in (weights, biases, *start)
    ]
    listed = np.concatenate([depths, np.full(40 - len(depths), depths[-1])])
    found = _limit(phi, skip, *columns[:2], Signal(*columns[2:]), listed)
    count = np.prod(shape, dtype=int)
    return Signal(*(np.asarray(a)[: len(depths), :count].reshape(-1, *shape) for a in found))


@partial(jax.jit, static_argnums=0)
def gain(phi: str, weights, start: Signal, depths) -> Signal:
    """Blocks h + W phi(h) whose weights are not trained: `ntk` is the growth of |gradient|^2."""
    block = residual(serial(PHI[phi], dense(1, weights, 0.0, trained=False)))
    return at_depths(block, start, depths)


def rest_point(weights, biases, keep=1.0) -> FixedPoint:
    """The fixed points of erf, numpy arrays of the broadcast shape of the arguments."""
    shape = np.broadcast_shapes(*map(np.shape, (weights, biases, keep)))
    # Filled up to one shape, as in `limit`.
    columns = [
        np.resize(np.broadcast_to(np.asarray(column, float), shape), 1024)
        for column in (weights, biases, keep)
    ]
    count = np.prod(shape, dtype=int)
    return FixedPoint(*(np.asarray(a)[:count].reshape(shape) for a in fixed_point(ERF, *columns)))


@cache
def phase(ratio: float) -> tuple[float, FixedPoint]:
    """sw2 and the fixed point of erf at this multiple of the critical sw2."""
    weights = ratio * float(edge_of_chaos(ERF, SB2))
    return weights, FixedPoint(*map(float, rest_point(weights, SB2)))


def scale(slope: float) -> float:
    """xi = -1 / ln(slope): the depth over which a perturbation falls by e; |.|, so that growing
    ones have a scale as well."""
    return abs(1 / np.log(slope))


def scales(
    *, arm: str, quantity: str, ratio: float, law: str, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """|c^l - c*| or |q^l - q*| over l in units of the scale of the theory.

    law: xi_c, xi_1, xi_q, or xi_q_first (from the first term chi_1 of dQ/dq alone).
    """
    weights, rest = phase(ratio)
    own = scale(rest.variance_slope if quantity == "variance" else rest.chi_c)
    slopes = {"xi_c": rest.chi_c, "xi_1": rest.chi_1, "xi_q": rest.variance_slope}
    predicted = scale({**slopes, "xi_q_first": rest.chi_1}[law])
    depths = np.unique(np.round(np.arange(37) / 2 * own).astype(int))
    draws = np.array([generator(seed, "signal", "start").random(2) for seed in seeds])
    start = Signal(rest.variance * (0.5 + 0.3 * draws[:, 0]), 0.3 + 0.7 * draws[:, 1], 0.0)
    if quantity == "correlation":
        start = start._replace(variance=rest.variance)
    found = limit("erf", False, weights, SB2, start, depths)
    distance = found.variance - rest.variance if quantity == "variance" else found.gap - rest.gap
    for depth, row in zip(depths, np.abs(distance), strict=True):
        for seed, value in zip(seeds, row, strict=True):
            yield {
                "seed": seed,
                "depth": depth,
                "distance": value,
                "predicted": predicted,
                "own": own,
            }


def boundary(*, arm: str, rule: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """1 - c^l at l = 3000 over the plane of sw2 and sb2, and whether a rule calls it chaotic.

    rule: chi_1 > 1, or `weights_alone`: that at sb2 = 0, sw2 phi'(0)^2 > 1 (Xavier's rule).
    """
    weights, biases = np.meshgrid(np.linspace(0.5, 3.5, 31), np.linspace(0.02, 0.5, 13))
    rest = rest_point(weights, biases)
    half = 0.5
    found = limit(
        "erf", False, weights, biases, Signal(rest.variance, half, half), np.array([3000])
    )
    chaotic = rest.chi_1 > 1 if rule == "chi_1" else weights * 4 / np.pi > 1
    columns = (weights, biases, found.gap[0], rest.chi_1, chaotic)
    for seed in seeds:
        for w, b, gap, chi, called in zip(*(np.ravel(c) for c in columns), strict=True):
            yield {"seed": seed, "sw2": w, "sb2": b, "gap": gap, "chi_1": chi, "chaotic": called}


@cache
def scales_near_edge(quantity: str, ratio: float, seeds: tuple[int, ...]) -> np.ndarray:
    """Measured depth scales (seeds,), between 8 and 12 predicted ones.

    The next term of the expansion is exp(-8) there, and rounding, which many layers add up, less.
    """
    weights, rest = phase(ratio)
    draws = 0.3 + 0.7 * np.array([generator(seed, "signal", "edge").random() for seed in seeds])
    if quantity == "correlation":
        own, start = scale(rest.chi_c), Signal(rest.variance, draws, 0.0)
    else:
        own, start = scale(rest.variance_slope), Signal(rest.variance * draws, 0.5, 0.0)
    depths = np.array([round(8 * own), round(12 * own)])
    found = limit("erf", False, weights, SB2, start, depths)
    gone = found.gap - rest.gap if quantity == "correlation" else found.variance - rest.variance
    return (depths[1] - depths[0]) / np.log(np.abs(gone[0] / gone[1]))


def divergence(
    *, arm: str, quantity: str, side: int, seeds: tuple[int, ...], law: str = "chi_1"
) -> Iterator[dict]:
    """Measured depth scale of the correlation (or the variance) close to the edge of chaos.

    law: `away` is |chi_1 - 1|, or `weights`: |sw2 / sw2_c - 1|, which is `offset`.
    """
    for offset in (0.064, 0.016, 0.004, 0.002, 0.001):
        ratio = 1 + side * offset
        away = abs(phase(ratio)[1].chi_1 - 1) if law == "chi_1" else offset
        for seed, found in zip(seeds, scales_near_edge(quantity, ratio, seeds), strict=True):
            yield {"seed": seed, "offset": offset, "scale": found, "away": away}


def edge(*, arm: str, bias: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The critical sw2 of erf for this sb2."""
    for seed in seeds:
        yield {"seed": seed, "critical": float(edge_of_chaos(ERF, bias))}


def critical(
    *, arm: str, phi: str, law: str, seeds: tuple[int, ...], skip: float = 0.0, ratio: float = 1.0,
    against: str = "limit",
) -> Iterator[dict]:  # fmt: skip
    """Two pairs of inputs per seed at the edge of chaos: 1 - c and Theta_ab / Theta_aa over depth.

    skip: the variance a = sw2 / 2 of the branch relative to that of the block, 0 for plain layers.
    apart: that share less its limit, 1/3 or 1/4, or (against: pair) less that of the other pair.
    Gaps start at .25 to 1.2, a distance of l_0 = 2 / (C'' gap) <= 23 layers from the law of erf.
    law: plain, skip or first_power, the constant of l^2 (1 - c) beside the measurement; erf has
    the rate of 1 / (1 - c) per layer, C''(1) / 2.
    """
    weights, rest = phase(ratio) if phi == "erf" else (2 * skip if skip else 2.0, None)
    depths = np.array([0, *2 ** np.arange(3, 15)])
    draws = np.array([generator(seed, "signal", "pair").random(2) for seed in seeds])
    gaps = np.append(0.25 + 0.95 * draws, np.zeros((len(seeds), 1)), axis=1)  # 0: (x, x)
    variance = rest.variance if rest else 1.0
    start = Signal(variance, gaps, variance * (1 - gaps))
    found = limit(phi, skip > 0, weights, SB2 if rest else 0.0, start, depths)
    theory = {"rate": rest.second / 2 if rest else curves.relu_rate(skip, law)}
    theory["logarithm"] = curves.smooth_logarithm(rest) if rest else curves.RELU_LOGARITHM
    for depth, gap, ntk in zip(depths, found.gap, found.ntk, strict=True):
        for seed, e, theta in zip(seeds, gap, ntk, strict=True):
            first, second = theta[:2] / theta[2]
            apart = first - ((1 / 3 if rest else 1 / 4) if against == "limit" else second)
            both = {"share": first, "apart": apart, **theory}
            yield {"seed": seed, "depth": depth, "gap": e[0], **both}


def kernels(phi, weights, rest: FixedPoint | None, tasks, samples: int, depths) -> np.ndarray:
    """Theta at these depths on the pairs of `images.pairs`, (depths, seeds, P).

    The images are the first pre-activations, normalised to q* (to 1 for ReLU): Theta^1 = K^1.
    """
    gaps = sets.pairs([task.inputs for task in tasks], samples)
    variance = rest.variance if rest else 1.0
    start = Signal(variance, gaps, variance * (1 - gaps))
    return limit(phi, False, weights, SB2 if rest else 0.0, start, depths).ntk


def spectrum(
    *, arm: str, phi: str, ratio: float, seeds: tuple[int, ...], depths: tuple[int, ...],
    samples: int, assumed: float | None = None, prefactor: int = 1, images: str = "digits",
    data_dir: str | None = None,
) -> Iterator[dict]:  # fmt: skip
    """Eigenvalues of the kernel of `samples` images, and |Theta(x, X) Theta^-1 y| on others.

    y: one-hot labels without their mean over the samples. prefactor: the power of l in the laws.
    """
    weights, rest = phase(ratio) if phi == "erf" else (2.0, None)
    tasks = [sets.task(seed, samples, samples, images, data_dir) for seed in seeds]
    found = kernels(phi, weights, rest, tasks, samples, np.array(depths))
    chis = {"chi_1": 1.0, "chi_c": 1.0, "limit": np.inf}
    if rest:
        theory = phase(assumed or ratio)[1]
        chis = {"chi_1": theory.chi_1, "chi_c": theory.chi_c}
        chis["limit"] = curves.off_diagonal_limit(theory)
    for depth, ntk in zip(depths, found, strict=True):
        for seed, task, theta in zip(seeds, tasks, ntk, strict=True):
            train, test = sets.matrices(theta, samples)
            values = np.linalg.eigvalsh(train)
            mean = test @ np.linalg.solve(train, task.labels[:samples])
            yield {
                "seed": seed,
                "depth": depth,
                "largest": values[-1],
                "smallest": values[0],
                "condition": values[-1] / values[0],
                "diagonal": train[0, 0],
                "off_diagonal": train[np.triu_indices(samples, 1)].mean(),
                "predictor": np.sqrt(np.mean(mean**2)),
                **chis,
            }


@cache
def trained(ratio: float, powers: tuple, samples: int, seeds: tuple) -> tuple[np.ndarray, ...]:
    """Depths (D,) and R^2 (seeds, powers, D) of `training`."""
    weights, rest = phase(ratio)
    depths = np.unique(np.round(np.arange(2, 41) / 2 * scale(rest.chi_1)).astype(int))
    tasks = [sets.task(seed, samples, samples, "digits", None) for seed in seeds]
    found = kernels("erf", weights, rest, tasks, samples, depths)
    left = []
    for number, task in enumerate(tasks):
        values, vectors = np.linalg.eigh(sets.matrices(found[:, number], samples)[0])
        modes = np.sum((np.swapaxes(vectors, 1, 2) @ task.labels[:samples]) ** 2, axis=2)
        rates = 2 * np.maximum(values, 0) / values[:, -1:]
        decays = [np.exp(-2.0 * 8**power * rates) for power in powers]
        left.append([np.sum(modes * e, axis=1) / np.sum(modes, axis=1) for e in decays])
    return depths, 1 - np.array(left)


def training(
    *, arm: str, ratio: float, powers: tuple[int, ...], seeds: tuple[int, ...], samples: int = 24,
    prefactor: int = 1, law: str = "xi_1",
) -> Iterator[dict]:  # fmt: skip
    """R^2 of the limit on its training images after t steps at eta = 2 / lambda_max, over depth.

    Gradient flow; t = 8^powers; depths are multiples of xi_1 / 2. prefactor: the power of l in the
    law of the smallest eigenvalue. law: the scale that `xi` is, xi_1 or xi_q.
    """
    rest = phase(ratio)[1]
    xi = scale(rest.chi_1 if law == "xi_1" else rest.variance_slope)
    depths, scores = trained(ratio, tuple(powers), samples, tuple(seeds))
    for seed, of_seed in zip(seeds, scores, strict=True):
        for power, of_power in zip(powers, of_seed, strict=True):
            for depth, r2 in zip(depths, of_power, strict=True):
                yield {"seed": seed, "steps": 8**power, "depth": depth, "r2": r2, "xi": xi}


def accuracy(
    *, arm: str, ratio: float, observable: str, multiple: float, seeds: tuple[int, ...],
    samples: int = 80, raw: bool = False, score: str = "accuracy",
) -> Iterator[dict]:  # fmt: skip
    """Accuracy (of the argmax of f) or R^2 of the limit at a depth of `multiple` scales.

    observable: train (images of the training set after 64 steps at eta = 2 / lambda_max; the scale
    is xi_1) or test (40 others, mean predictor; the scale is 1 / ln(chi_1 / chi_c)). raw: labels
    are one-hot as they are, their mean over the training images is not taken off.
    """
    weights, rest = phase(ratio)
    train = observable == "train"
    xi = scale(rest.chi_1 if train else rest.chi_c / rest.chi_1)
    tasks = [sets.task(seed, samples, 40, "digits", None) for seed in seeds]
    found = kernels("erf", weights, rest, tasks, samples, np.array([round(multiple * xi)]))
    for seed, task, theta in zip(seeds, tasks, found[0], strict=True):
        kernel, kernel_test = sets.matrices(theta, samples)
        system = eigensystem(kernel)
        flow = kernel_flow(
            system,
            (task.labels + raw * task.mean)[:samples],
            [64.0 if train else np.inf],
            normalization="sum",
            learning_rate=2 / system.values[-1],
            kernel_test=kernel_test,
        )
        outputs = (flow.train if train else flow.test)[0]
        of = slice(0, samples) if train else slice(samples, None)
        missed = outputs - raw * task.mean - task.labels[of]
        scores = {
            "accuracy": np.mean(np.argmax(outputs, axis=1) == task.classes[of]),
            "r2": 1 - np.sum(missed**2) / np.sum(task.labels[of] ** 2),
        }
        yield {"seed": seed, "value": scores[score]}


def dropout(*, arm: str, held: bool, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The largest xi_c over sw2 with dropout, each input with its own mask, against 1 - keep.

    held: at the one sw2 of ratio .9 instead. predicted: 1 / sqrt(2 C''(1) d), d = 1 - C(1),
    at the edge of chaos without dropout.
    """
    edge_weights, rest = phase(1.0)
    # The peak over sw2 is sqrt(d) wide and lies at the edge for small d.
    grid = np.concatenate([np.linspace(0.6, 1.4, 401), np.linspace(0.95, 1.05, 601)])
    weights = edge_weights * (0.9 if held else grid)
    for drop in (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.1, 0.5):
        # 1 - C(1) = (1 / keep - 1) sw2 E[phi^2] / q, and sw2 E[phi^2] = q* - sb2 without dropout.
        extra = (1 / (1 - drop) - 1) * (rest.variance - SB2)
        d = extra / (rest.variance + extra)
        deepest = scale(np.max(rest_point(weights, SB2, 1 - drop).chi_c))
        for seed in seeds:
            row = {"seed": seed, "drop": drop, "deepest": deepest}
            yield {**row, "predicted": 1 / np.sqrt(2 * rest.second * d)}


def far(
    *, arm: str, phi: str, blocks: bool, weights: float, scaled: bool, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """1 - c^L at L = 4096; scaled: the branch's variance is divided by L."""
    depth = 4096
    starts = 0.1 + 0.9 * np.array([generator(seed, "signal", "far").random() for seed in seeds])
    share = weights / depth if scaled else weights
    variance = phase(1.5)[1].variance if phi == "erf" else 1.0
    biases = SB2 if phi == "erf" else 0.0
    found = limit(phi, blocks, share, biases, Signal(variance, starts, 0.0), np.array([depth]))
    for seed, gap in zip(seeds, found.gap[0], strict=True):
        yield {"seed": seed, "gap": gap}


def stable(
    *, arm: str, a: float, power: float, seeds: tuple[int, ...], assumed: float | None = None
) -> Iterator[dict]:
    """c_L with the variance of branches divided by L^power, and the solution of the equation for
    a (or the assumed one)."""
    depths = 2 ** np.arange(3, 10)
    starts = 2 * np.array([generator(seed, "signal", "stable").random() for seed in seeds]) - 1
    weights = 2 * a / depths[:, None] ** power
    found = limit("relu", True, weights, 0.0, Signal(1.0, 1 - starts[None], 0.0), depths).gap
    ends = curves.scaled_branches(starts, assumed or a)
    for number, depth in enumerate(depths):
        for seed, gap, end in zip(seeds, found[number, number], ends, strict=True):
            row = {"seed": seed, "depth": depth, "correlation": 1 - gap, "equation": end}
            yield {**row, "error": abs(1 - gap - end)}


def explosion(
    *, arm: str, phi: str, weights: float, seeds: tuple[int, ...], scaled: bool = False,
    biases: float = 0.0, law: str = "with_bias",
) -> Iterator[dict]:  # fmt: skip
    """ln of |g^0|^2 over |g^l|^2 along residual blocks. predicted: its slope in sqrt(l) for tanh.

    scaled: the branch's variance is divided by the 1000 layers. law: without_bias leaves sb2 out.
    """
    depths = np.array([50, 100, 200, 400, 1000])
    if phi == "tanh":
        depths = np.array([100, 300, 500, 1000, 2000, 3000, 6000, 12000])
        found = curves.tanh_blocks(weights, biases, depths)
    else:
        share = weights / depths[-1] if scaled else weights
        found = np.log(gain(phi, share, Signal(1.0, jnp.zeros(()), 1.0), depths).ntk)
    grown = weights + (biases if law == "with_bias" else 0.0)
    predicted = 8 / 3 * weights / np.sqrt(2 * np.pi * grown)
    for seed in seeds:
        for depth, value in zip(depths, found, strict=True):
            yield {"seed": seed, "depth": depth, "log": float(value), "predicted": predicted}


def gradients(
    *, arm: str, ratio: float, width: int, layers: int, networks: int, seeds: tuple[int, ...],
    law: str = "xi_1",
) -> Iterator[dict]:  # fmt: skip
    """Mean of |g^0|^2 / |g^L|^2 over networks of finite width, beside the logarithm of the law."""
    weights, rest = phase(ratio)
    predicted = {"xi_1": rest.chi_1, "xi_c": 1 / rest.chi_c, "xi_q": rest.variance_slope}[law]
    for seed in seeds:
        growth = random_networks.gradient_growth(
            generator(seed, "signal", "gradient", width),
            networks=networks, width=width, layers=layers,
            weights=weights, biases=SB2, variance=rest.variance,
        )  # fmt: skip
        row = {"growth": growth.mean(), "typical": np.exp(np.log(growth).mean())}
        yield {"seed": seed, **row, "predicted": layers * np.log(predicted)}


def wide(
    *, arm: str, ratio: float, width: int, seeds: tuple[int, ...], assumed: float | None = None
) -> Iterator[dict]:
    """Correlation of two inputs in one random network per seed, layer by layer, and its limit."""
    layers, gap = 5, 0.8
    weights, rest = phase(ratio)
    other_weights, other = phase(assumed or ratio)
    start = Signal(other.variance, np.array([gap]), 0.0)
    limits = limit("erf", False, other_weights, SB2, start, np.arange(layers + 1)).gap[:, 0]
    for seed in seeds:
        found = random_networks.correlations(
            generator(seed, "signal", "wide", width),
            width=width, layers=layers, gap=gap,
            weights=weights, biases=SB2, variance=rest.variance,
        )  # fmt: skip
        for layer, c, e in zip(range(layers + 1), found, limits, strict=True):
            row = {"seed": seed, "layer": layer, "correlation": c, "predicted": 1 - e}
            yield {**row, "deviation": abs(c - 1 + e)}
