"""What is measured. float64 throughout; seeds are blocks of networks, or single problems."""

import functools
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from replications.mei2018_mean_field import circle, gaussians, spikes, teacher
from replications.mei2018_mean_field.circle import EPS, POINTS, SAMPLES, TASK
from widenets.ntk import data
from widenets.ntk.dynamics import gradient_descent, squared_error
from widenets.ntk.dynamics.particles import Neurons, one_sample_shares, padded
from widenets.ntk.parameterization import Parameterization, maximal_update, mean_field, ntk, scales
from widenets.ntk.random import generator, key

POINT = 3  # x_4, whose bias is the largest


def chaos(
    *, arm: str, width: int, networks: int, times: tuple[float, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Networks of N neurons against the limit: errors, N Var, its prediction, covariances, risk.

    arms: theory; interpolating, the same at late times; frozen: against the limit's linearization,
    its curve and its central limit theorem; late: against the limit at 3/2 of the time;
    independent: networks put together at time t from N independent draws of rho_t; stratified:
    neurons spread evenly at the start; ntk: masses N^-1/2 instead of 1/N; unfinished: as theory.
    """
    scale = np.sqrt(width) if arm == "ntk" else 1.0  # of the masses; the rate is EPS / scale
    masses = np.full(width, scale / width)
    for seed in seeds:
        stream = generator(seed, "mei", "chaos", arm, width)
        draw = circle.stratified_neurons if arm == "stratified" else circle.neurons
        start = state = draw(stream, networks, width)
        elapsed = 0
        for time in times:
            limit = circle.limit(1.5 * time if arm == "late" else time, frozen=arm == "frozen")
            if arm == "independent":
                state = drawn_from(circle.limit(time), stream, networks, width)
            else:
                steps = circle.steps_until(time) - elapsed
                state = circle.train(state, masses, EPS / scale, steps)
                elapsed += steps
            found = _against_the_limit(state, masses, limit)
            if arm in ("theory", "frozen"):
                found |= _controlled(found, width, circle.first_order(limit, start), limit)
            yield {"seed": seed, "time": time, **found}


def drawn_from(
    limit: circle.Limit, stream: np.random.Generator, networks: int, width: int
) -> Neurons:
    """Networks of independent neurons of the law rho_t, drawn from its nodes."""
    chosen = stream.choice(len(limit.weights), (networks, width), p=limit.weights)
    return Neurons(limit.state.outputs[chosen], limit.state.inputs[chosen])


def _controlled(found: dict, width: int, first: np.ndarray, limit: circle.Limit) -> dict:
    """N Var and N Cov less what the draw of the block does to N Var of the first order.

    That one's mean is `clt` at every N, and most of the scatter of N Var is its.
    """
    excess = width * first.var(axis=0, ddof=1).mean() - limit.clt.mean()
    return {key: found[key] - excess for key in ("n_variance", "n_covariance")}


def _against_the_limit(state: Neurons, masses: np.ndarray, limit: circle.Limit) -> dict:
    """Columns of `chaos`, averaged over the points; N Var is that over the block's networks."""
    values = circle.outputs(state, masses)
    width = state.outputs.shape[1]
    psi = width * masses[0] * state.outputs[..., None] * np.tanh(state.inputs @ POINTS.T)
    n_variance = width * values.var(axis=0, ddof=1)
    within = psi.var(axis=1, ddof=1).mean(axis=0)
    error = values - limit.outputs
    second = np.mean(state.outputs * state.inputs[..., 1], axis=1)
    of_limit = limit.weights @ (limit.state.outputs * limit.state.inputs[:, 1])
    risks = circle.risk(values)
    return {
        "error": np.sqrt(np.mean(error**2)),
        "mean_square": np.mean(error**2),
        "n_variance": n_variance.mean(),
        "clt": limit.clt.mean(),
        "independent": limit.independent.mean(),
        "n_covariance": (n_variance - within).mean(),
        "clt_covariance": (limit.clt - limit.independent).mean(),
        "n_variance_test": n_variance[SAMPLES:].mean(),
        "n_variance_train": n_variance[:SAMPLES].mean(),
        "neuron": np.sqrt(np.mean((second - of_limit) ** 2)),
        "risk_excess": risks.mean() - circle.risk(limit.outputs),
    }


def bias(
    *, arm: str, width: int, networks: int, time: float, predicted_at: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """N E (f_N - f_inf) at x_4 and N E (R_N - R_inf), in units of what is predicted for them.

    What is of first order in the neurons' draws has mean 0 and is subtracted (a control variate).
    arms: theory; early: measured before the time for which the prediction is made.
    """
    limit, constant = circle.limit(time), circle.bias(predicted_at)
    of_risk = circle.risk_bias(circle.limit(predicted_at), constant)
    residual = limit.outputs[:SAMPLES] - TASK.y
    masses = np.full(width, 1 / width)
    for seed in seeds:
        start = circle.neurons(generator(seed, "mei", "bias", arm, width), networks, width)
        state = circle.train(start, masses, EPS, circle.steps_until(time))
        error = circle.outputs(state, masses) - limit.outputs
        first = circle.first_order(limit, start)
        risks = circle.risk(limit.outputs + error) - circle.risk(limit.outputs)
        risks -= np.mean(residual * first[:, :SAMPLES], axis=1)
        yield {
            "seed": seed,
            "bias": width * (error - first)[:, POINT].mean() / constant[POINT],
            "risk": width * risks.mean() / of_risk,
        }


def fluctuations(*, arm: str, times: tuple[float, ...], seeds: tuple[int, ...]) -> Iterator[dict]:
    """N Var of the limit against time at x_1, on average over points, and the loss. No draws.

    The influence D_t gives it; arms differ in the times alone.
    """
    for seed in seeds:
        for time in times:
            limit = circle.limit(time)
            yield {
                "seed": seed,
                "time": time,
                "first": limit.clt[0],
                "clt": limit.clt.mean(),
                "independent": limit.independent.mean(),
                "loss": circle.risk(limit.outputs),
            }


def drift(
    *, arm: str, width: int, networks: int, time: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """|Theta_t - Theta_0| / |Theta_0| and the distance of f_t from the network's linearization.

    arms: theory (masses 1/N); ntk (masses N^-1/2). Beside them what the limit does; late: theory
    beside the limit at 3/2 of the time.
    """
    scale = np.sqrt(width) if arm == "ntk" else 1.0
    masses, rate = np.full(width, scale / width), EPS / scale
    change, distance = circle.of_limit(1.5 * time if arm == "late" else time)
    for seed in seeds:
        start = circle.neurons(generator(seed, "mei", "drift", arm, width), networks, width)
        found = circle.train(start, masses, rate, circle.steps_until(time))
        tangent = circle.tangent(start, masses, rate, circle.shares_until(time))
        gap = circle.outputs(found, masses) - tangent
        gap = np.sqrt(np.mean(gap**2))
        yield {
            "seed": seed,
            "drift": circle.kernel_change(start, found, masses).mean(),
            "drift_limit": change,
            "distance": gap,
            "distance_limit": distance,
            "relative": gap / distance,
        }


def lazy(*, arm: str, alpha: float, time: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Kernel drift of the limit with output alpha (f - f_0) at the rate 1 / alpha^2. No draws.

    arms: symmetric: rho_0 = N(0, I_2); shifted: rho_0 = N((1, 1/2), I_2), so that (a, w) and
    (-a, w) are not equally likely.
    """
    start, weights = circle.nodes()
    if arm == "shifted":
        start = Neurons(start.outputs, start.inputs + np.array([1.0, 0.5]))
    for seed in seeds:
        yield {"seed": seed, "drift": circle.lazy_drift(start, weights, alpha, time)}


def rate(
    *, arm: str, width: int, networks: int, time: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Root mean square motion of w at rates eps N (theory), eps sqrt N (root), eps (constant)."""
    masses = np.full(width, 1 / width)
    step = EPS * width ** {"theory": 0.0, "root": -0.5, "constant": -1.0}[arm]
    for seed in seeds:
        start = circle.neurons(generator(seed, "mei", "rate", arm, width), networks, width)
        found = circle.train(start, masses, step, circle.steps_until(time))
        yield {"seed": seed, "moved": np.sqrt(np.mean((found.inputs - start.inputs) ** 2))}


RULES = {"theory": maximal_update("sgd"), "ntk": ntk("sgd")}


def equivalence(*, arm: str, width: int, steps: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Largest |f - f'| of a network in the mean-field parameterization and in another one.

    The same draws, each scaled by its own rule; arms: theory (muP), ntk.
    """
    for seed in seeds:
        found = circle.neurons(generator(seed, "mei", "equivalence", arm, width), 1, width)
        w, a = found.inputs[0].T, found.outputs[0][:, None]
        one, other = (_trajectory(rule, w, a, steps) for rule in (mean_field(), RULES[arm]))
        yield {"seed": seed, "difference": float(np.abs(one - other).max())}


@functools.cache
def _network_of(rule: Parameterization, width: int):
    """apply(params, x) -> (N, 1) and the scales of both layers; cached for one compilation each."""
    inner, outer = (scales(rule, role, width) for role in ("input", "output"))

    def apply(params, x):
        hidden = jnp.tanh(x @ (inner.multiplier * params["inner"]))
        return hidden @ (outer.multiplier * params["outer"])

    return apply, lambda found, _, x: apply(found, x), inner, outer


def _trajectory(rule: Parameterization, w: np.ndarray, a: np.ndarray, steps: int) -> np.ndarray:
    """Outputs on the training points at every step, from weights w (2, N) and a (N, 1)."""
    apply, watch, inner, outer = _network_of(rule, len(a))
    trained = gradient_descent(
        apply,
        {"inner": inner.initial_std * w, "outer": outer.initial_std * a},
        TASK.x,
        TASK.y[:, None],
        loss=squared_error("mean"),
        learning_rate={"inner": EPS * inner.learning_rate, "outer": EPS * outer.learning_rate},
        record=np.arange(steps + 1),
        observe=watch,
        context=TASK.x,
    )
    return np.asarray(trained.observed)


def noise(
    *, arm: str, width: int, networks: int, eps: float, time: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Root mean square of SGD minus descent of the same network, and of SGD minus the limit.

    arms: theory, coupled (eps = c / N; the same measurement): in each step one sample for all
    neurons; own_samples: one for each neuron; discretization: descent minus that in steps eps / 8,
    in float64, because it is as small as the rounding of so many steps.
    """
    masses = np.full(width, 1 / width)
    limit = circle.outputs_of_limit(time, eps)
    steps = circle.steps_until(time, eps)
    for seed in seeds:
        stream = generator(seed, "mei", "noise", arm, width, eps)
        start = circle.neurons(stream, networks, width)
        if arm == "discretization":
            start = Neurons(*(leaf.astype(np.float64) for leaf in start))
        smooth = circle.outputs(circle.train(start, masses, eps, steps, fill=1), masses)
        if arm == "discretization":
            found = circle.train(start, masses, eps / 8, 8 * steps, fill=1)
        elif arm == "own_samples":
            samples = stream.integers(SAMPLES, size=(steps, networks, width)).astype(np.int8)
            found = circle.train_own(start, masses, eps, samples)
        else:
            shares = [one_sample_shares(stream, steps, SAMPLES) for _ in range(networks)]
            shares = padded(np.float32(shares), 320)
            found = circle.train_stochastic(start, masses, eps, shares)
        rough = circle.outputs(found, masses)
        yield {
            "seed": seed,
            "noise": np.sqrt(np.mean((rough - smooth) ** 2)),
            "total": np.sqrt(np.mean((rough - limit) ** 2)),
        }


def deconvolution(
    *, arm: str, particles: int, steps: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """J in units of the optimum after descent of many particles, one start a seed.

    arms: theory, few, some (places uniform, signs alternate; numbers differ); arc: places in an arc
    of length 0.1; positive: one sign, held against the best nonnegative measure.
    """
    best, best_positive = spikes.optimum(positive=False), spikes.optimum(positive=True)
    signs = particle_signs(arm, particles)
    starts = []
    for seed in seeds:
        stream = generator(seed, "mei", "deconvolution", arm, particles)
        length = spikes.ARC if arm == "arc" else 1.0
        starts.append(stream.random() + length * stream.random(particles))
    found = spikes.descend(
        np.tile(signs, (len(seeds), 1)), np.stack(starts), spikes.observed(), steps
    )
    for seed, value in zip(seeds, np.asarray(found), strict=True):
        yield {
            "seed": seed,
            "excess": value / best - 1,
            "ratio_positive": value / best_positive,
        }


def particle_signs(arm: str, particles: int) -> np.ndarray:
    """One sign for the arm `positive`, alternating ones for the others."""
    return np.ones(particles) if arm == "positive" else np.where(np.arange(particles) % 2, -1.0, 1)


def relu_teacher(*, arm: str, width: int, steps: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Loss of a student in units of the start's, and of the best nonnegative mixture (not cone).

    arms: theory (both signs, all directions), positive (one sign), cone (both, one direction).
    """
    made = []
    for seed in seeds:
        stream = generator(seed, "mei", "teacher", arm, width)
        inputs, targets = teacher.problem(stream)
        made.append((*teacher.start(stream, width, arm), inputs, targets, stream))
    stacked = [np.stack(some) for some in list(zip(*made, strict=True))[:4]]
    directions, losses = map(np.asarray, teacher.train(*stacked, steps))
    for index, seed in enumerate(seeds):
        inputs, targets, stream = made[index][2:]
        row = {"seed": seed, "loss": losses[index] / np.mean(targets**2 / 2)}
        if arm != "cone":
            starts = data.sphere(stream, teacher.STARTS, teacher.DIMENSION)
            best = teacher.best_nonnegative(inputs, targets, directions[index], starts)
            row["over_nonnegative"] = losses[index] / best
        yield row


def paths(
    *, arm: str, particles: int, record: tuple[int, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Places and signed masses of all particles in some starts of `deconvolution`, for a figure."""
    signs = particle_signs(arm, particles)
    for seed in seeds:
        places = generator(seed, "mei", "paths", arm, particles).random(particles)
        for step, found in zip(record, spikes.path(signs, places, record), strict=True):
            for particle, (place, mass) in enumerate(found.T):
                row = {"particle": particle, "place": float(place) % 1.0, "mass": float(mass)}
                yield {"seed": seed, "step": step, **row}


def radii(
    *, arm: str, dimension: int, width: int, batch: int, eps: float, times: tuple[float, ...],
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """Mean |w| of two Gaussians' network against the reduced dynamics from the same lengths.

    arms differ in their numbers alone: theory, one_dimension (d = 40), one_sample (batch 1 at the
    same step).
    """
    for seed in seeds:
        stream = generator(seed, "mei", "radii", arm, dimension, width)
        start = stream.standard_normal((width, dimension)) * gaussians.LENGTH / np.sqrt(dimension)
        weights, predicted, elapsed = start, jnp.linalg.norm(start, axis=1), 0
        for time in times:
            steps = round(time / eps) - elapsed
            samples = key(seed, "mei", "radii", arm, dimension, "samples", time)
            weights = gaussians.stochastic(weights, samples, batch, steps, eps)
            predicted = gaussians.reduced(predicted, steps, eps)
            elapsed += steps
            radius = float(jnp.linalg.norm(weights, axis=1).mean())
            yield {
                "seed": seed,
                "time": time,
                "radius": radius,
                "predicted": float(predicted.mean()),
            }
