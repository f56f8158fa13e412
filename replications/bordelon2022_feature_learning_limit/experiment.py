"""What is measured: the limit itself, without draws, and finite networks beside it.

Rows of the limit have one seed. "flow" is descent at two rates, extrapolated to rate 0. float64;
networks of two hidden layers are float32.
"""

import functools
from collections.abc import Iterator

import numpy as np

from replications.bordelon2022_feature_learning_limit import leading, networks, one_layer
from replications.bordelon2022_feature_learning_limit.networks import INPUTS, Training
from widenets.ntk.feature_learning_limit import Limit, feature_learning_limit
from widenets.ntk.parameterization import maximal_update, ntk
from widenets.ntk.random import generator

ONE = ([[1.0]], [1.0])  # one sample of length one, y = 1
SAMPLES = 4096
OUT_OF_THE_SPAN = (-0.6, 0.48, 0.64)  # of the two training points of `networks`
RULES = {"theory": maximal_update("sgd"), "ntk": ntk("sgd")}


def flow(quantity, rate: float, steps: int):
    """quantity(rate, steps), arrays, extrapolated to rate 0 at the same time."""
    return 2 * quantity(rate / 2, 2 * steps) - quantity(rate, steps)


def linear(gram, targets, depth: int, richness: float, rate: float, steps: int, **options) -> Limit:
    """The exact limit of a linear network."""
    return feature_learning_limit(gram, targets, depth, "linear", richness, rate, steps, **options)


def final(*, arm: str, richness: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Phi at the end of training of one linear hidden layer, over sqrt(1 + g0^2).

    arms: theory; frozen: Phi of the start.
    """
    q = np.hypot(1, richness)

    def at_end(rate: float, steps: int) -> np.ndarray:
        return linear(*ONE, 1, richness, rate, steps).features[0][-1, 0, -1]

    found = flow(at_end, 0.08 / q, 90) if arm == "theory" else np.ones(1)
    for seed in seeds:
        yield {"seed": seed, "ratio": found[0] / q, "leading": (1 + richness**2 / 2) / q}


def first_order(*, arm: str, depth: int, richness: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The change of kernels at little richness, over the orders g0^2 of `leading`.

    coefficient: of one sample, K; first_layer: (Phi^1 - 1) / (Phi^L - 1) of one sample; kernel,
    features: largest |measured - predicted| over the largest predicted, three samples; over_bare:
    that kernel's change (its trace) over the one without responses. arms: theory; no_responses.
    """
    responses = arm == "theory"
    rate, steps = 0.05 / (depth + 1), 40

    def changes(gram, targets):
        def quantity(rate: float, steps: int) -> np.ndarray:
            found = linear(gram, targets, depth, richness, rate, steps, responses=responses)
            kernel = found.tangent[-1] - found.tangent[0]
            features = [phi[-1, :, -1] - phi[0, :, 0] for phi in found.features]
            return np.array([kernel, *features]) / richness**2

        return flow(quantity, rate, steps)

    one, three = changes(*map(np.array, ONE)), changes(leading.GRAM, leading.TARGETS)
    here = (leading.GRAM, leading.TARGETS, depth, rate * steps)
    kernel = leading.kernel_change(*here)
    features = np.array([leading.feature_change(*here, layer + 1) for layer in range(depth)])
    squared = -np.expm1(-(depth + 1) * rate * steps)  # f of the frozen kernel
    for seed in seeds:
        yield {
            "seed": seed,
            "coefficient": one[0, 0, 0] / (depth + 1) / squared**2 / leading.coefficient(depth),
            "first_layer": one[1, 0, 0] / one[-1, 0, 0],
            "kernel": np.abs(three[0] - kernel).max() / np.abs(kernel).max(),
            "features": np.abs(three[1:] - features).max() / np.abs(features).max(),
            "over_bare": np.trace(three[0])
            / np.trace(leading.kernel_change_without_responses(*here)),
        }


def output(*, arm: str, depth: int, richness: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """f less that of the frozen kernel at K_0 t = 2, over its order g0^2.

    arms: theory; no_responses; rich: at a large richness.
    """
    rate, steps = 0.02 / (depth + 1), 100

    def quantity(rate: float, steps: int) -> float:
        options = {"responses": arm != "no_responses"}
        found = linear(*ONE, depth, richness, rate, steps, **options)
        frozen = 1 - (1 - rate * (depth + 1)) ** steps
        return (found.prediction[-1, 0] - frozen) / richness**2

    found = flow(quantity, rate, steps) / leading.output_change(depth, 2.0)
    for seed in seeds:
        yield {"seed": seed, "ratio": found}


@functools.cache
def _tanh(richness: float) -> Limit:
    """Two tanh layers on the task of `networks`."""
    return Training("tanh", 0.3, 6, richness=richness).limit(samples=2048)


def small(*, arm: str, richness: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """How far Phi^2_11 of two tanh layers is from that of the frozen kernel, after six steps.

    arms: theory; rich: at large richness. The same points of integration at every richness.
    """
    found, frozen = (_tanh(g).features[1][-1, 0, -1, 0] for g in (richness, 1e-3))
    for seed in seeds:
        yield {"seed": seed, "features": abs(found - frozen)}


def large(*, arm: str, depth: int, richness: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """K - K_0 of deep linear networks, one sample, once f is y; arms: theory; small richness."""
    scale = richness ** (2 * depth / (depth + 1))
    rate = 0.1 / (depth + 1) / (1 + scale)
    # until time 1 / (2 g0) in steps that move weights by 3 % at most at first, then ten per 1 / K
    early = 0.03 / max(richness, 1)
    factors = np.concatenate([np.full(16, early / rate), np.ones(260)])
    found = linear(*ONE, depth, richness, rate, len(factors), schedule=factors)
    for seed in seeds:
        yield {
            "seed": seed,
            "change": found.tangent[-1, 0, 0] - (depth + 1),
            "spikes": found.tangent[-1, 0, 0] / (depth + 1) / scale,
            "left": abs(1 - found.prediction[-1, 0]),
        }


def sign(*, arm: str, depth: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The change of K_11 of tanh layers without the responses, over that with them, 12 steps.

    On the task of `networks`. arms: theory; one_layer, which has none.
    """

    def change(responses: bool) -> float:
        kernel = feature_learning_limit(
            INPUTS[:3] @ INPUTS[:3].T, networks.TARGETS[:3], depth, "tanh", 1.0, 0.3, 12,
            mask=networks.TRAINED[:3], samples=1024, responses=responses,
        ).tangent[:, 0, 0]  # fmt: skip
        return kernel[-1] - kernel[0]

    with_them, without = change(True), change(False)
    for seed in seeds:
        yield {"seed": seed, "change": with_them, "without": without, "ratio": without / with_them}


@functools.cache
def _predicted(training: Training, read_as: str) -> tuple[np.ndarray, float]:
    """f (P,) and K_11 at the end; read_as: limit, no_responses, frozen."""
    if read_as == "frozen":
        lazy = Training(
            training.activation, training.rate, training.steps, training.one_sample, 1e-3
        )
        found = lazy.limit(samples=SAMPLES)
    elif read_as == "full_batch":
        found = Training(training.activation, training.rate, training.steps).limit(samples=SAMPLES)
    else:
        found = training.limit(samples=SAMPLES, responses=read_as == "limit")
    return found.prediction[-1], found.tangent[-1, 0, 0]


def nets(
    *, arm: str, activation: str, width: int, pairs: int, seeds: tuple[int, ...],
    read_as: str = "limit", one_sample: bool = False,
) -> Iterator[dict]:  # fmt: skip
    """Means of f_1, f_2, f_test and K_11 over networks, less known noise, over what is predicted.

    deviation: root mean square over networks and the three points of f less the prediction.
    bias: N (mean f_1 - prediction). arms: theory, linear, one_sample, one_sample_linear, against
    the limit; no_responses, linear_no_responses, frozen, full_batch: against that.
    """
    rate, steps = {"tanh": (0.3, 6), "linear": (0.1, 5)}[activation]
    training = Training(activation, rate, steps + 4 * one_sample, one_sample)
    predicted, kernel = _predicted(training, read_as)
    for seed in seeds:
        stream = generator(seed, "bordelon2022", "nets", arm, width)
        found = networks.pairs(stream, training, width, pairs)
        means = [
            networks.without_known_noise(found.outputs[:, point], found.centred)
            for point in range(3)
        ]
        spread = found.squares - 2 * found.outputs * predicted + predicted**2
        yield {
            "seed": seed,
            **{f"f{point + 1}": means[point] / predicted[point] for point in range(3)},
            "kernel": networks.without_known_noise(found.kernel, found.centred) / kernel,
            "deviation": np.sqrt(spread[:, :3].mean()),
            "bias": width * (means[0] - predicted[0]),
        }


def ensemble(
    *, arm: str, point: int, width: int, wide: int, pairs: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """The squared bias of narrow linear networks over the mean square error of one wide network.

    What infinitely many networks of `width` together still err by, in f at one point. The wide
    network's error is variance and squared bias. arms: theory (first training point);
    perpendicular (an input perpendicular to all others, where there is no bias).
    """
    training = Training("linear", 0.1, 5)
    predicted, _ = _predicted(training, "limit")
    for seed in seeds:
        biases, squares = [], []
        for size, count in ((width, pairs), (wide, max(60, pairs * width // wide))):
            stream = generator(seed, "bordelon2022", "ensemble", arm, size)
            found = networks.pairs(stream, training, size, count)
            error = found.outputs[:, point] - predicted[point]
            biases.append(networks.without_known_noise(error, found.centred))
            square = found.squares[:, point] - 2 * error * predicted[point] - predicted[point] ** 2
            squares.append(square.mean())
        yield {"seed": seed, "bias": biases[0], "square": squares[1], "narrow": squares[0]}


def flow_form(*, arm: str, rate: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """|f_1 of df = eta K Delta - f_1 of the limit| at one time of linear networks.

    arms: theory; extrapolated: the limit itself less the one extrapolated to rate 0 of two rates.
    """
    steps = round(0.48 / rate)

    def f(rate: float, steps: int, follow: bool = False) -> float:
        found = linear(
            INPUTS @ INPUTS.T, networks.TARGETS, 2, 1.0, rate, steps, mask=networks.TRAINED,
            follow_kernel=follow,
        )  # fmt: skip
        return found.prediction[-1, 0]

    if arm == "theory":
        gap = f(rate, steps, True) - f(rate, steps)
    else:
        gap = flow(f, rate, steps) - flow(f, rate / 2, 2 * steps)
    for seed in seeds:
        yield {"seed": seed, "gap": abs(gap)}


def first_step(*, arm: str, depth: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """<z phi> / g0 after one step of linear networks, over eta K_0 y, at g0 -> 0.

    arms: theory: A and B left out; with_responses.
    """
    options = {"responses": arm != "theory", "follow_kernel": False}
    found = linear(*ONE, depth, 1e-3, 0.01, 1, **options).prediction[1, 0]
    for seed in seeds:
        yield {"seed": seed, "ratio": found / (0.01 * (depth + 1))}


def exact_kernel(
    *, arm: str, richness: float, width: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """K^2 of networks with one linear hidden layer against 4 g0^2 f^2 + 4 X Y prod (1 - c^2)^2.

    Trained by their gradients, weight by weight. arms: theory; no_product: without it.
    """
    rate = 0.1 / np.hypot(1, richness)
    for seed in seeds:
        stream = generator(seed, "bordelon2022", "exact", arm, richness)
        w, u = stream.standard_normal((2, 20, width))
        start = ((w + u) ** 2).sum(1) * ((w - u) ** 2).sum(1) / (2 * width) ** 2
        for _ in range(40):
            c = rate * richness * (1 - (w * u).sum(1) / (richness * width))
            w, u = w + c[:, None] * u, u + c[:, None] * w
            start = start * ((1 - c**2) ** 2 if arm == "theory" else 1.0)
        kernel = ((w**2).sum(1) + (u**2).sum(1)) / width
        f = (w * u).sum(1) / (richness * width)
        error = np.abs(kernel**2 / (4 * richness**2 * f**2 + 4 * start) - 1)
        yield {"seed": seed, "error": error.max()}


def kernel_noise(
    *, arm: str, richness: float, width: int, networks_per_seed: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """N Var K and N times the bias of K at the end of training in flow, one linear hidden layer.

    Over 4 / q^2 and -1 / q^3, q^2 = 1 + g0^2: the delta method for K = 2 sqrt(g0^2 + X Y). What is
    of first order in the draws has mean 0 and is taken out of the bias. arms: theory; start: K
    before training.
    """
    q = np.hypot(1, richness)
    for seed in seeds:
        stream = generator(seed, "bordelon2022", "noise", arm, richness)
        x, y = stream.chisquare(width, (2, networks_per_seed)) / width

        def at_end(rate: float, steps: int, x=x, y=y) -> np.ndarray:
            return one_layer.descend(x, y, richness, rate, steps).kernel

        if arm == "start":
            kernel, slope, center = x + y, 1.0, 2.0
        else:
            kernel, slope = flow(at_end, 0.06 / q, 100), 1 / q
            center = flow(lambda *at: at_end(*at, x=1.0, y=1.0), 0.06 / q, 100)
        bias = np.mean(kernel - center - slope * (x + y - 2))
        yield {
            "seed": seed,
            "variance": width * kernel.var(ddof=1) / (4 / q**2),
            "bias": width * bias / (-1 / q**3),
            "n_variance": width * kernel.var(ddof=1),
        }


def prediction_noise(
    *, arm: str, richness: float, width: int, networks_per_seed: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Var f at the end over Var f at the start, one linear hidden layer.

    growth: at an input perpendicular to the data (theory) or at the training point (trained);
    over_formula: that over sqrt(1 + g0^2).
    """
    q = np.hypot(1, richness)
    for seed in seeds:
        stream = generator(seed, "bordelon2022", "perpendicular", arm, richness)
        w, u, other = stream.standard_normal((3, networks_per_seed, width))
        x, y = (((w + sign * u) ** 2).sum(1) / (2 * width) for sign in (1, -1))
        path = one_layer.descend(x, y, richness, 0.05 / q, 200)
        moved = (path.grown[:, None] * (w + u) + path.shrunk[:, None] * (w - u)) / 2
        start, end = ((a * other).sum(1) for a in (w, moved))
        if arm == "trained":
            start, end = (w * u).sum(1), path.output(richness) * richness * width
        growth = end.var(ddof=1) / start.var(ddof=1)
        yield {"seed": seed, "growth": growth, "over_formula": growth / q}


def rank(*, arm: str, singular: tuple[float, ...], seeds: tuple[int, ...]) -> Iterator[dict]:
    """Second over first eigenvalue of Phi^2 - Phi^2(0), two linear layers, g0 = 1.

    arms: theory: white data, random labels; anisotropic.
    """
    for seed in seeds:
        y = generator(seed, "bordelon2022", "rank", arm).standard_normal(3)
        gram = np.diag(np.square(singular))
        found = linear(gram, y, 2, 1.0, 0.05, 40).features[1]
        values = np.abs(np.linalg.eigvalsh(found[-1, :, -1] - found[0, :, 0]))
        yield {"seed": seed, "ratio": np.sort(values)[-2] / values.max()}


def silent(*, arm: str, richness: float, singular: tuple[float, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:  # fmt: skip
    """The loss that is left when K's alignment with y y' is 90 % of its way to the end.

    One linear hidden layer, three samples; over (1 - 11.32 / (g0 |y|))^2, which holds for white
    data and g0 |y| >> 1. arms: theory; rich: g0 = 1; anisotropic.
    """
    for seed in seeds:
        y = generator(seed, "bordelon2022", "silent", arm).standard_normal(3)
        gram = np.diag(np.square(singular))
        top = richness * np.linalg.norm(y)
        # weights grow by 4 % a step at most, then K falls short of 2 / eta ten times
        slow = 0.2 / (2 * np.hypot(1, top)) / max(singular) ** 2
        early = min(0.04 / max(top, 1), slow)
        steps = np.concatenate([np.full(62, early), np.full(62, slow)])
        found = linear(gram, y, 1, richness, 1.0, len(steps), schedule=steps)
        norms = np.linalg.norm(found.tangent, axis=(1, 2))
        alignment = (found.tangent @ y) @ y / norms / (y @ y)
        loss = ((y - found.prediction) ** 2).sum(1) / (y @ y)
        share = (alignment - alignment[0]) / (alignment[-1] - alignment[0])
        at = int(np.argmax(share >= 0.9))
        between = (0.9 - share[at - 1]) / (share[at] - share[at - 1])
        left = loss[at - 1] + between * (loss[at] - loss[at - 1])
        yield {"seed": seed, "left": left, "ratio": left / (1 - 11.32 / top) ** 2}


def machine(*, arm: str, depth: int, richness: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The largest |f_test - K K^-1 f_train| / |f_train| over time, for the kernel K of that time.

    On the training points of `networks` and a test point out of their span: in it every kernel
    x' M x would do. arms: theory (linear networks); any_kernel: x' M x of a random M for K.
    """
    inputs = np.array([*INPUTS[:2], OUT_OF_THE_SPAN])
    found = feature_learning_limit(
        inputs @ inputs.T, networks.TARGETS[:3], depth, "linear", richness,
        0.1 / max(1, richness), 12, mask=networks.TRAINED[:3],
    )  # fmt: skip
    for seed in seeds:
        kernels = found.tangent
        if arm == "any_kernel":
            root = inputs @ generator(seed, "bordelon2022", "machine").standard_normal((3, 3))
            kernels = np.broadcast_to(root @ root.T, kernels.shape)
        gaps = []
        for kernel, f in zip(kernels[1:], found.prediction[1:], strict=True):
            by_kernel = kernel[2, :2] @ np.linalg.solve(kernel[:2, :2], f[:2])
            gaps.append(abs(f[2] - by_kernel) / np.linalg.norm(f[:2]))
        yield {"seed": seed, "gap": max(gaps)}


def edge(*, arm: str, richness: float, threshold: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Whether the limit converges 1 % below the rate eta g0 = threshold and not 1 % above it.

    One linear hidden layer, y = 1. arms: theory (threshold 1); minimum: the flow's minimum loses
    its stability at eta g0 = g0 / sqrt(1 + g0^2).
    """
    if arm == "minimum":
        threshold = richness / np.hypot(1, richness)
    rates = np.array([0.99, 1.01]) * threshold / richness
    below, above = one_layer.converges(richness, rates)
    for seed in seeds:
        yield {"seed": seed, "divides": float(below and not above)}


def floor(*, arm: str, richness: float, rate: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """eta K at the end over 2 eta g0, for eta g0 = rate; arms: theory (.97), slow (.3)."""
    found = one_layer.descend(1.0, 1.0, richness, rate / richness, 4000)
    for seed in seeds:
        yield {"seed": seed, "ratio": float(found.kernel) / (2 * richness)}


def catapult(*, arm: str, richness: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The first eta at which the limit fails to converge, in steps of .01; arms: theory, rich."""
    rates = np.arange(0.4, 3, 0.0101)  # never 1/2, where one step lands on y
    found = rates[np.argmin(one_layer.converges(richness, rates))]
    for seed in seeds:
        yield {"seed": seed, "rate": found}


def speed(*, arm: str, depth: int, richness: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Time to f = .9 y times K / ln 10 of linear networks, flow.

    arms: theory: with the largest K until f = y, per unit of 1 / K_max; fixed: with K of the
    start, at a fixed rate.
    """
    scale = (depth + 1) * (1 + richness ** (2 * depth / (depth + 1)))
    rate, steps = 0.04 / scale, round(3.2 * scale / (depth + 1) / 0.04)
    steps = min(steps, 420)
    found = linear(*ONE, depth, richness, rate, steps)
    f = found.prediction[:, 0]
    at = int(np.argmax(f >= 0.9))
    time = rate * (at - 1 + (0.9 - f[at - 1]) / (f[at] - f[at - 1]))
    kernel = found.tangent[:, 0, 0].max() if arm == "theory" else depth + 1
    for seed in seeds:
        yield {"seed": seed, "ratio": time * kernel / np.log(10)}


def same_run(*, arm: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Largest difference of f between two ways to write one training run, network by network.

    arms: theory: of this limit and of muP (`maximal_update`) from the same draws; ntk: of it and
    of the NTK's exponents.
    """
    training = Training("tanh", 0.3, 6)
    for seed in seeds:
        stream = generator(seed, "bordelon2022", "same", arm, width)
        weights = [
            stream.standard_normal(s) for s in ((8, width, 3), (8, width, width), (8, width))
        ]
        here = networks.trained(training, *weights)[0]
        there = networks.trained_by_rule(RULES[arm], training, *weights)
        yield {"seed": seed, "difference": np.abs(here - there).max()}


def rescaled(*, arm: str, activation: str, sigma: float, width: int, seeds: tuple[int, ...]
) -> Iterator[dict]:  # fmt: skip
    """Largest difference of f from weights N(0, sigma^2) at (g0, eta) and from N(0, 1) at
    (g0 / sigma^{L+1}, eta sigma^{2L}); arms: theory (linear, homogeneous), tanh."""
    for seed in seeds:
        stream = generator(seed, "bordelon2022", "rescaled", arm, width)
        weights = [
            stream.standard_normal(s) for s in ((8, width, 3), (8, width, width), (8, width))
        ]
        one = Training(activation, 0.05, 6, richness=2.0)
        other = Training(activation, 0.05 * sigma**4, 6, richness=2.0 / sigma**3)
        scaled = networks.trained(one, *(sigma * w for w in weights))[0]
        plain = networks.trained(other, *weights)[0]
        yield {"seed": seed, "difference": np.abs(scaled - plain).max()}
