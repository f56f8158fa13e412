"""What is measured. float64 throughout, but float32 for the training curves at the paper's scale.

Seeds are draws of data, weights and output signs; every arm draws its own.
"""

from collections.abc import Iterator

import jax
import numpy as np

from replications.du2018_convergence.convolution import conv_limit
from replications.du2018_convergence.deep import (
    deep_data,
    deep_limit,
    deep_network,
    finite_gram,
    steps_to,
)
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
from replications.du2018_convergence.observables import against_bounds, motion, train, worst_margin
from replications.du2018_convergence.problem import (
    Setting,
    least_eigenvalue,
    limit_kernels,
    make_problem,
    make_start,
)
from widenets.ntk.data import sphere
from widenets.ntk.dynamics import gradient_descent, squared_error
from widenets.ntk.random import generator, keys


def closed_form(
    *,
    arm: str,
    count: int,
    dimension: int,
    width: int,
    seeds: tuple[int, ...],
    reference: float = 1.0,
) -> Iterator[dict]:
    """scale: the factor with which reference * H_inf fits H(0) best over pairs of inputs, weighted
    by the variances of single pairs; its expectation is 1 / reference if H_inf is exact.
    shape: the same of t arcsin(t) / 2 pi, the part of H_inf beside t / 4, and what H(0) has beside
    t / 4, for cosines t: 1 if H_inf is exact; even in t, so that it hardly enters scale.

    Arm independent_patterns: the patterns of x_i and x_j come from two draws of the weights.
    """
    setting = Setting(count, dimension)
    for seed in seeds:
        problem = make_problem(setting, arm, seed)
        start = make_start(problem, setting, arm, seed, width)
        pairs = np.triu_indices(count, 1)
        cosines, kernel = start.gram[pairs], problem.first_layer[pairs]
        probability = kernel / cosines
        weights = 1 / (cosines**2 * probability * (1 - probability))
        gram = gram_of_gradients(start, start.preactivations)
        if arm == "independent_patterns":
            other = make_start(problem, setting, f"{arm}_of_the_other", seed, width)
            gram = _gram_of_two_draws(start, other)
        found, claimed = gram[pairs], reference * kernel
        rest = cosines * np.arcsin(cosines) / (2 * np.pi)
        yield {
            "seed": seed,
            "scale": float(weights * claimed @ found / (weights * claimed @ claimed)),
            "shape": float(weights * rest @ (found - cosines / 4) / (weights * rest @ rest)),
        }


def _gram_of_two_draws(start: Start, other: Start) -> np.ndarray:
    """x_i.x_j times the share of neurons r with w_r.x_i > 0 and w'_r.x_j > 0, symmetrised."""
    active, of_other = ((s.preactivations > 0).astype(float) for s in (start, other))
    shares = active @ of_other.T / active.shape[1]
    return start.gram * (shares + shares.T) / 2


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
    """Least eigenvalue of H_inf against the edge of a free sum over degrees (our overlay).

    Arms degree_one and degree_one_more_points: the parts beyond degree one replaced by their
    diagonal.
    """
    predicted = least_eigenvalue(count, dimension, 1 if arm.startswith("degree_one") else 8)
    for seed in seeds:
        draw = generator(seed, "du", arm, "sphere", count, dimension)
        eigenvalues = np.linalg.eigvalsh(limit_kernels(sphere(draw, count, dimension))[0])
        yield {
            "seed": seed,
            "smallest_ratio": float(eigenvalues[0] / predicted),
            "smallest": float(eigenvalues[0]),
            "largest": float(eigenvalues[-1]),
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
        losses, last, initial = train(start, steps, target)
        yield {
            "seed": seed,
            "smallest": problem.smallest,
            "rate": problem.rate,
            "steps_taken": last.step,
            "final": losses[-1] / losses[0],
            **against_bounds(losses, problem, initial),
            **motion(start, last, initial, problem),
        }


def labels(
    *, arm: str, count: int, dimension: int, width: int, scale: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Pattern changes against the scale c of the labels; f(0) = 0, so that only c matters."""
    setting = Setting(count, dimension, label_scale=scale, mirrored=True)
    for seed in seeds:
        problem = make_problem(setting, arm, seed)
        start = make_start(problem, setting, arm, seed, width)
        _, last, _ = train(start, 600, 1e-6)
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
    H_inf, the initial residual and the initial patterns, and no free parameter. least: lambda_min
    of H(k) at the last epoch over lambda_0. In arm `limit` loss and least eigenvalue are those of
    the infinitely wide network from the same start.
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
                changes = first_order_changes(start, pushes, max(8, 10000 // count))
            if state.step not in shown:
                continue
            place = shown.index(state.step)
            limit = float(np.sum((decays[:, place] * parts) ** 2)) / first
            loss = limit if arm == "limit" else state.loss / first
            least = np.nan
            if state.step == max(shown):
                least = 1.0 if arm == "limit" else _least(start, state) / problem.smallest
            yield {
                "seed": seed,
                "epoch": state.step,
                "loss": loss,
                "loss_limit": limit,
                "loss_excess": loss / limit,
                "log_excess": float(np.log(loss / limit)),
                "least": least,
                "loss_bound": (1 - problem.rate * problem.smallest / 2) ** state.step,
                "changes": pattern_changes(start, state),
                "changes_limit": changes[place],
                "distance": weight_norms(start, state).max(),
                "distance_limit": first_order_norms(start, pushes[:, place]).max(),
            }


def _least(start: Start, state: State) -> float:
    """lambda_min(H(k))."""
    gram = gram_of_gradients(start, state.preactivations).astype(np.float64)
    return float(np.linalg.eigvalsh(gram)[0])


def deep_kernel(
    *, arm: str, count: int, dimension: int, depth: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """H hidden layers in the limit (Du et al. 2019): lambda_min of K^(H), the Gram matrix of the
    last hidden layer's gradients, and the steps of 1 / lambda_max to 1 % of the loss."""
    for seed in seeds:
        inputs, labels = deep_data(arm, seed, count, dimension)
        last, tangent = deep_limit(arm, depth, inputs)
        eigenvalues, basis = np.linalg.eigh(tangent)
        parts = (basis.T @ labels) ** 2
        yield {
            "seed": seed,
            "smallest_last": float(np.linalg.eigvalsh(last)[0]),
            "condition": float(eigenvalues[-1] / eigenvalues[0]),
            "steps_needed": steps_to(0.01, 1 - eigenvalues / eigenvalues[-1], parts),
        }


def conv_kernel(
    *, arm: str, count: int, side: int, channels: int, depth: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """lambda_min of K^(H) in the limit for images of independent random unit pixels, H = depth."""
    for seed in seeds:
        draw = generator(seed, "du", arm, "images", count, side)
        pixels = sphere(draw, count * side**2, channels)
        kernel = conv_limit(arm, depth, pixels.reshape(count, side, side, channels))
        yield {"seed": seed, "smallest_last": float(np.linalg.eigvalsh(kernel)[0])}


def deep_gram(
    *,
    arm: str,
    network: str,
    count: int,
    dimension: int,
    depth: int,
    width: int,
    seeds: tuple[int, ...],
) -> Iterator[dict]:
    """K^(H) of a finite network against its limit; error: spectral distance over lambda_min of the
    limit (below 1/4 the proofs start). Arm other_limit: against the limit with one layer."""
    for seed in seeds:
        inputs, _ = deep_data(arm, seed, count, dimension)
        draw = generator(seed, "du", arm, "deep_gram", depth, width)
        limit, _ = deep_limit(network, 1 if arm == "other_limit" else depth, inputs)
        gap = finite_gram(network, depth, width, inputs, draw) - limit
        yield {
            "seed": seed,
            "error": float(np.linalg.norm(gap, 2) / np.linalg.eigvalsh(limit)[0]),
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
    data = [deep_data(arm, seed, count, dimension) for seed in seeds]
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
        bound = np.log1p(-rate * low / 2)
        yield {"seed": seed, "margin": worst_margin(losses, bound), "final": losses[-1] / losses[0]}
