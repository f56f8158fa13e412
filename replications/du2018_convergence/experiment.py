"""What is measured. float64 throughout, but float32 for the training curves at the paper's scale.

Seeds are draws of data, weights and output signs; every arm draws its own.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np

from replications.du2018_convergence.descent import (
    Start,
    State,
    descend,
    first_order_changes,
    first_order_norms,
    gram_of_gradients,
    pattern_changes,
    weight_norms,
)
from shared.ntk.architecture import (
    Architecture,
    cos,
    dense,
    erf,
    fully_connected,
    relu,
    residual,
    serial,
)
from shared.ntk.data import linear_teacher, sphere
from shared.ntk.random import generator, keys
from shared.ntk.training import gradient_descent, squared_error

LIMITS = {
    "relu": fully_connected(depth=1, width=1, activation=relu()),
    "erf": fully_connected(depth=1, width=1, activation=erf()),
    "cos": fully_connected(depth=1, width=1, activation=cos()),
}
# 1 / E sigma(z)^2: the weight variance c_sigma that keeps unit variance through the layers
PRESERVING = {"relu": 2.0, "cos": 2 / (1 + np.exp(-2.0))}
LATE = (1e-20, 1e-9)  # relative losses between which the late rate is read
FLOOR = 1e-24  # relative loss below which float64 residuals are round-off


def limit_kernels(inputs: np.ndarray, activation: str = "relu") -> tuple[np.ndarray, np.ndarray]:
    """(H_inf of the first layer, kernel of the output weights), both (count, count) float64.

    The paper's preactivations are w.x without 1/sqrt(d), hence the factor; the tangent kernel of
    the whole network is the sum of both.
    """
    nngp, ntk = LIMITS[activation].kernel(np.sqrt(inputs.shape[1]) * inputs)
    return np.asarray(ntk) - np.asarray(nngp), np.asarray(nngp)


class Setting(NamedTuple):
    """One cell of training: what the arms differ in.

    step: eta in units of 1 / lambda_max of the trained kernel. output_exponent q, factor c: outputs
    c m^-q sum_r a_r sigma(w_r.x). labels: gaussian, linear. conflict: the last two inputs are equal
    and their labels opposite. mirrored: neurons in pairs of opposite sign, so that f(0) = 0.
    """

    count: int
    dimension: int
    step: float = 0.5
    output_exponent: float = 0.5
    factor: float = 1.0
    activation: str = "relu"
    labels: str = "gaussian"
    label_scale: float = 1.0
    conflict: bool = False
    mirrored: bool = False
    readout: bool = False


class Problem(NamedTuple):
    inputs: np.ndarray
    labels: np.ndarray
    first_layer: np.ndarray  # H_inf
    smallest: float  # lambda_min of H_inf over distinct inputs: the theorem's lambda_0
    both_layers: np.ndarray  # H_inf + E sigma sigma
    rate: float  # eta


def make_problem(setting: Setting, arm: str, seed: int) -> Problem:
    """Inputs on the sphere with labels, and their limit kernels."""
    draw = generator(seed, "du", arm, "data", setting.count, setting.dimension)
    inputs = sphere(draw, setting.count, setting.dimension)
    labels = draw.standard_normal(setting.count)
    if setting.labels == "linear":
        teacher = np.sqrt(setting.dimension) * linear_teacher(draw, setting.dimension)
        labels = inputs @ teacher
    distinct = setting.count
    if setting.conflict:
        inputs[-1], labels[-1] = inputs[-2], -labels[-2]
        distinct -= 1
    first, second = limit_kernels(inputs, setting.activation)
    smallest = np.linalg.eigvalsh(first[:distinct, :distinct])[0]
    trained = first + second if setting.readout else first
    rate = setting.step / np.linalg.eigvalsh(trained)[-1]
    return Problem(
        inputs, setting.label_scale * labels, first, float(smallest), first + second, float(rate)
    )


def make_start(
    problem: Problem, setting: Setting, arm: str, seed: int, width: int, dtype=np.float64
) -> Start:
    """W ~ N(0, 1), a = +-1 uniform; the step keeps the first-order motion of the outputs."""
    draw = generator(seed, "du", arm, "weights", width)
    pairs = 2 if setting.mirrored else 1
    weights = draw.standard_normal((width // pairs, setting.dimension))
    signs = draw.choice([-1.0, 1.0], size=width // pairs)
    preactivations = np.tile(weights @ problem.inputs.T, (pairs, 1))
    signs = np.concatenate([signs, -signs]) if setting.mirrored else signs
    return Start(
        gram=(problem.inputs @ problem.inputs.T).astype(dtype),
        labels=problem.labels.astype(dtype),
        preactivations=preactivations.astype(dtype),
        signs=signs.astype(dtype),
        scale=float(setting.factor * width**-setting.output_exponent),
        learning_rate=float(problem.rate * width ** (2 * setting.output_exponent - 1)),
        activation=setting.activation,
        readout=setting.readout,
    )


def descent(
    *,
    arm: str,
    count: int,
    dimension: int,
    width: int,
    seeds: tuple[int, ...],
    steps: int = 600,
    target: float = 1e-20,
    step: float = 0.5,
    output_exponent: float = 0.5,
    factor: float = 1.0,
    activation: str = "relu",
    labels: str = "gaussian",
    conflict: bool = False,
    mirrored: bool = False,
    readout: bool = False,
) -> Iterator[dict]:
    """Train until the loss has fallen by `target`: drift, pattern changes, bounds and rates."""
    setting = Setting(
        count=count,
        dimension=dimension,
        step=step,
        output_exponent=output_exponent,
        factor=factor,
        activation=activation,
        labels=labels,
        conflict=conflict,
        mirrored=mirrored,
        readout=readout,
    )
    for seed in seeds:
        problem = make_problem(setting, arm, seed)
        start = make_start(problem, setting, arm, seed, width)
        losses, last, initial = _train(start, steps, target)
        yield {
            "seed": seed,
            "smallest": problem.smallest,
            "rate": problem.rate,
            "steps_taken": last.step,
            "final": losses[-1] / losses[0],
            **_against_bounds(losses, problem),
            **_motion(start, last, initial, problem),
        }


def labels(
    *, arm: str, count: int, dimension: int, width: int, scale: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Pattern changes against the scale c of the labels; f(0) = 0, so that only c matters."""
    setting = Setting(count, dimension, label_scale=scale, mirrored=True)
    for seed in seeds:
        problem = make_problem(setting, arm, seed)
        start = make_start(problem, setting, arm, seed, width)
        _, last, _ = _train(start, 600, 1e-6)
        yield {"seed": seed, "changes": pattern_changes(start, last)}


def epochs(
    *,
    arm: str,
    count: int,
    dimension: int,
    width: int,
    seeds: tuple[int, ...],
    shown: tuple[int, ...],
    output_exponent: float = 0.5,
) -> Iterator[dict]:
    """Figure 1: loss, pattern changes and largest distance over the epochs, with their theory.

    float32 as a network of this size is trained; step 0.5 / lambda_max(H_inf). The predictions use
    H_inf, the initial residual and the initial patterns, and no free parameter. In arm `limit` the
    loss is that of the infinitely wide network from the same start.
    """
    setting = Setting(count, dimension, output_exponent=output_exponent)
    for seed in seeds:
        problem = make_problem(setting, arm, seed)
        start = make_start(problem, setting, arm, seed, width, dtype=np.float32)
        eigenvalues, basis = np.linalg.eigh(problem.first_layer)
        decays = (1 - problem.rate * eigenvalues[:, None]) ** np.array(shown)
        for state in descend(start, max(shown)):
            if state.step == 0:
                first = state.loss
                parts = basis.T @ state.residual.astype(np.float64)
                pushes = basis @ ((1 - decays) / eigenvalues[:, None] * parts[:, None])
                changes = first_order_changes(start, pushes, max(8, 20000 // count))
            if state.step not in shown:
                continue
            place = shown.index(state.step)
            limit = float(np.sum((decays[:, place] * parts) ** 2)) / first
            loss = limit if arm == "limit" else state.loss / first
            yield {
                "seed": seed,
                "epoch": state.step,
                "loss": loss,
                "loss_limit": limit,
                "loss_excess": loss / limit,
                "loss_bound": (1 - problem.rate * problem.smallest / 2) ** state.step,
                "changes": pattern_changes(start, state),
                "changes_limit": changes[place],
                "distance": weight_norms(start, state).max(),
                "distance_limit": first_order_norms(start, pushes[:, place]).max(),
            }


def concentration(
    *,
    arm: str,
    count: int,
    dimension: int,
    width: int,
    seeds: tuple[int, ...],
    copies: int = 1,
    reference: float = 1.0,
) -> Iterator[dict]:
    """H(0) against reference * H_inf; `copies` of every neuron make width / copies independent."""
    setting = Setting(count, dimension)
    for seed in seeds:
        problem = make_problem(setting, arm, seed)
        start = make_start(problem, setting, arm, seed, max(1, width // copies))
        empirical = gram_of_gradients(start, start.preactivations)
        gap = empirical - reference * problem.first_layer
        smallest = np.linalg.eigvalsh(empirical)[0]
        yield {
            "seed": seed,
            "distance": float(np.linalg.norm(gap, 2)),
            "smallest_ratio": float(smallest / problem.smallest),
            "sufficient_width": count**2 / problem.smallest**2,
        }


def closed_form(
    *, arm: str, count: int, dimension: int, width: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Mean squared z-score of H(0) against H_inf over pairs of inputs: 1 if H_inf is exact."""
    setting = Setting(count, dimension)
    for seed in seeds:
        problem = make_problem(setting, arm, seed)
        start = make_start(problem, setting, arm, seed, width)
        pairs = np.triu_indices(count, 1)
        cosines, kernel = start.gram[pairs], problem.first_layer[pairs]
        probability = kernel / cosines
        error = np.abs(cosines) * np.sqrt(probability * (1 - probability) / width)
        found = gram_of_gradients(start, start.preactivations)[pairs]
        claimed = probability if arm == "without_product" else kernel
        yield {"seed": seed, "squared_score": float(np.mean(((found - claimed) / error) ** 2))}


def two_points(*, arm: str, angle: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """lambda_min for two inputs at an angle; arm output_weights: of the output weights' kernel."""
    inputs = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    kernel = limit_kernels(inputs)[1 if arm == "output_weights" else 0]
    closed_form = 0.5 - np.cos(angle) * (np.pi - angle) / (2 * np.pi)
    for seed in seeds:
        yield {
            "seed": seed,
            "smallest": float(np.linalg.eigvalsh(kernel)[0]),
            "predicted": float(closed_form),
        }


def parallel(
    *, arm: str, count: int, dimension: int, pairs: int, sign: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """lambda_min of H_inf for `count` random inputs and `pairs` random pairs (x, sign x)."""
    for seed in seeds:
        draw = generator(seed, "du", arm, "parallel", count, pairs)
        half = sphere(draw, pairs, dimension) if pairs else np.empty((0, dimension))
        single = sphere(draw, count, dimension) if count else np.empty((0, dimension))
        kernel, _ = limit_kernels(np.concatenate([single, half, sign * half]))
        yield {"seed": seed, "smallest": float(np.linalg.eigvalsh(kernel)[0])}


def sphere_spectrum(
    *, arm: str, count: int, dimension: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Extreme eigenvalues of H_inf against those of I/4 + G/4 with Marchenko-Pastur edges.

    lambda_min is approximately 1/4 + (1 - sqrt(n/d))^2 / 4 - 1/(2 pi d) for n <= d, its second
    term 0 for n > d (our overlay; the last term is the part of the diagonal beyond degree one).
    """
    ratio = np.sqrt(count / dimension)
    low = max(0.0, 1 - ratio) ** 2
    for seed in seeds:
        draw = generator(seed, "du", arm, "sphere", count, dimension)
        eigenvalues = np.linalg.eigvalsh(limit_kernels(sphere(draw, count, dimension))[0])
        predicted = 0.25 + low / 4 - 1 / (2 * np.pi * dimension)
        yield {
            "seed": seed,
            "smallest_ratio": float(eigenvalues[0] / predicted),
            "smallest": float(eigenvalues[0]),
            "largest": float(eigenvalues[-1]),
        }


def deep_kernel(
    *, arm: str, count: int, dimension: int, depth: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """H hidden layers in the limit (Du et al. 2019): lambda_min of K^(H), the Gram matrix of the
    last hidden layer's gradients, and the gradient steps of 1 / lambda_max to 1 % of the loss.

    Arms: fully_connected (cos: smooth, analytic, chi = c_sigma E sigma'^2 = 0.76), relu (fully
    connected, chi = 1), residual (cos; x + V sigma(W x) / H, where V, the only addition to the
    paper's block, keeps the branch uncorrelated with the skip).
    """
    for seed in seeds:
        inputs, labels = _deep_data(arm, seed, count, dimension)
        last, tangent = deep_limit(arm, depth, inputs)
        eigenvalues, basis = np.linalg.eigh(tangent)
        parts = (basis.T @ labels) ** 2
        yield {
            "seed": seed,
            "smallest_last": float(np.linalg.eigvalsh(last)[0]),
            "condition": float(eigenvalues[-1] / eigenvalues[0]),
            "steps_needed": _steps_to(0.01, 1 - eigenvalues / eigenvalues[-1], parts),
        }


def deep_descent(
    *,
    arm: str,
    network: str,
    count: int,
    dimension: int,
    depth: int,
    width: int,
    step: float,
    steps: int,
    seeds: tuple[int, ...],
) -> Iterator[dict]:
    """Train all layers of a finite deep network (an arm of `deep_kernel`); worst margin of the
    loss over (1 - eta lambda_min(K^(H)) / 2)^k. step: eta in units of 1 / lambda_max of the
    limiting tangent kernel. float64."""
    architecture = deep_network(network, depth, width)
    data = [_deep_data(arm, seed, count, dimension) for seed in seeds]
    limits = [deep_limit(network, depth, inputs) for inputs, _ in data]
    rates = np.array([step / np.linalg.eigvalsh(tangent)[-1] for _, tangent in limits])
    smallest = np.array([np.linalg.eigvalsh(last)[0] for last, _ in limits])
    params = jax.vmap(lambda key: architecture.init(key, (dimension,), np.float64))(
        keys(seeds, "du", arm, "weights", depth, width)
    )
    trained = gradient_descent(
        architecture.apply,
        params,
        np.sqrt(dimension) * np.stack([inputs for inputs, _ in data]),
        np.stack([labels[:, None] for _, labels in data]),
        loss=squared_error("sum"),
        learning_rate=rates,
        record=range(steps + 1),
        seeds=True,
        shared_data=False,
    )
    for seed, losses, rate, low in zip(
        seeds, np.asarray(trained.loss), rates, smallest, strict=True
    ):
        within = np.isfinite(losses) & (losses < 1e12 * losses[0])
        stop = int(np.argmin(within)) if not within.all() else len(losses)
        relative, k = losses[:stop] / losses[0], np.arange(stop)
        usable = (k >= 1) & (relative > FLOOR)
        margins = np.log(relative[usable]) - k[usable] * np.log1p(-rate * low / 2)
        yield {"seed": seed, "margin": float(margins.max()), "final": float(relative[-1])}


def deep_network(arm: str, depth: int, width: int) -> Architecture:
    """The finite network whose limit `deep_limit` is; features of the residual one are scaled by
    c_sigma where they are read."""
    sigma = relu() if arm == "relu" else cos()
    variance = PRESERVING["relu" if arm == "relu" else "cos"]
    block = serial(dense(width, variance), sigma)
    if arm == "residual":
        block = residual(serial(block, dense(width, 1 / depth**2)))
    return serial(dense(width), sigma, *[block] * (depth - 1), dense(1, variance))


def _deep_data(arm: str, seed: int, count: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    draw = generator(seed, "du", arm, "deep", count, dimension)
    return sphere(draw, count, dimension), draw.standard_normal(count)


def deep_limit(arm: str, depth: int, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K^(H), tangent kernel of the whole network), both (count, count), for `depth` layers."""
    activation = "relu" if arm == "relu" else "cos"
    features, gain = one_layer(inputs @ inputs.T, activation)
    last = tangent = gain * (inputs @ inputs.T)
    for _ in range(depth - 1):
        outputs, gain = one_layer(features, activation)
        last, moved = gain * features, gain * (features + tangent)
        if arm == "residual":
            last = last / depth**2
            outputs = features + outputs / depth**2
            moved = tangent + (outputs - features) + moved / depth**2
        features, tangent = outputs, moved
    return last, features + tangent


def one_layer(gram: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """(c E sigma sigma, c E sigma' sigma') for Gaussian preactivations of covariance `gram`,
    none of whose entries may vanish; c keeps unit variances."""
    values, vectors = np.linalg.eigh(gram)
    slopes, outputs = limit_kernels(vectors * np.sqrt(np.maximum(values, 0)), activation)
    return PRESERVING[activation] * outputs, PRESERVING[activation] * slopes / gram


def _steps_to(target: float, contraction: np.ndarray, parts: np.ndarray) -> int:
    """First step at which sum parts contraction^(2 step) is below `target` of its start."""
    for step in range(10**6):
        if contraction ** (2 * step) @ parts < target * np.sum(parts):
            return step
    raise ValueError(f"no descent to {target} of the loss within 10^6 steps")


def _train(start: Start, steps: int, target: float) -> tuple[list[float], State, np.ndarray]:
    """Losses of all steps, the last state and the initial residual; stops at `target` or when
    the loss has grown beyond 10^12 times its start."""
    losses: list[float] = []
    for state in descend(start, steps):
        losses.append(state.loss)
        if state.step == 0:
            initial = state.residual.copy()
        if not target * losses[0] < state.loss < 1e12 * losses[0]:
            break
    return losses, state, initial


def _against_bounds(losses: Sequence[float], problem: Problem) -> dict:
    """Margins log(|r_k|^2 / |r_0|^2) - log(bound), their maximum over k >= 1 (positive: broken).

    bound: (1 - eta lambda_0 / 2)^k (Theorem 4.1); flow: exp(-lambda_0 eta k) (Theorem 3.2).
    The late rates are log contractions per step over those of the limit kernel's smallest
    eigenvalue, (1 - eta lambda_0)^2, for the first layer's and for both layers' kernel.
    """
    relative = np.array(losses) / losses[0]
    steps = np.arange(len(relative))
    usable = (steps >= 1) & (relative > FLOOR)
    log_loss = np.log(relative[usable])
    shrinking = problem.rate * problem.smallest
    found = {
        "margin": float(np.max(log_loss - steps[usable] * np.log1p(-shrinking / 2))),
        "margin_flow": float(np.max(log_loss + steps[usable] * shrinking)),
        "late_rate": np.nan,
        "late_rate_joint": np.nan,
    }
    late = np.flatnonzero((relative > LATE[0]) & (relative < LATE[1]))
    if len(late) >= 10 and relative[-1] <= LATE[0]:
        slope = np.log(relative[late[-1]] / relative[late[0]]) / (late[-1] - late[0])
        joint = problem.rate * np.linalg.eigvalsh(problem.both_layers)[0]
        found["late_rate"] = float(slope / (2 * np.log(abs(1 - shrinking))))
        found["late_rate_joint"] = float(slope / (2 * np.log(abs(1 - joint))))
    return found


def _motion(start: Start, last: State, residual: np.ndarray, problem: Problem) -> dict:
    """Weights, patterns and kernel between start and end, beside bound and first-order theory."""
    width, count = start.preactivations.shape
    norms = weight_norms(start, last)
    push = np.linalg.lstsq(problem.first_layer, residual, rcond=1e-12)[0]
    change = gram_of_gradients(start, last.preactivations)
    change -= gram_of_gradients(start, start.preactivations)
    bound = np.sqrt(count) * np.linalg.norm(residual) / (np.sqrt(width) * problem.smallest)
    expected = first_order_norms(start, push)
    return {
        "distance": float(norms.max()),
        "distance_bound": float(bound),
        "distance_limit": float(expected.max()),
        "drift": float(np.linalg.norm(norms)),
        "drift_limit": float(np.sqrt(residual @ push)),
        "changes": pattern_changes(start, last),
        "changes_limit": float(first_order_changes(start, push[:, None], 256)[0]),
        "kernel_change": float(np.linalg.norm(change, 2)),
        "kernel_change_diagonal": float(np.abs(np.diag(change)).max()),
    }
