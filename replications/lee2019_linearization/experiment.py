"""Measurements of Lee et al. 2019: wide networks against their linearizations.

Gradient descent is full batch on 1/2 sum r^2 unless a part says otherwise; a step is STEP times
eta_critical.  Every part says what one row is.
"""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from replications.lee2019_linearization import setting
from replications.lee2019_linearization.laws import digits_on_a_line, laws, remains_of_start
from replications.lee2019_linearization.linearization import (
    before_training,
    compare_weights,
    dual_weights,
    limit_distance,
    limit_kernels,
    linear_descent,
    linear_outputs,
    slowed,
    start,
)
from replications.lee2019_linearization.networks import (
    Model,
    apply,
    keep_neurons,
    learning_rates,
    watch_distance,
    watch_drift,
    watch_kinks,
    watch_outputs,
    weights,
)
from replications.lee2019_linearization.setting import few_at_once, in_groups_of
from widenets.ntk import data, random
from widenets.ntk.dynamics import cross_entropy, gradient_descent, squared_error

TRAIN, TEST = 16, 16
# Parts whose arms share draws, and why.
PAIRED = {
    "drift": "a seed's digits are those of all its networks; weights are their own",
    "any_depth": "a seed's digits are those of all its networks; weights are their own",
    "monte_carlo": "the same networks, held against the right and the exchanged limit",
    "ensemble": "the digits on the line; of full and readout the weights are their own",
    "step_size": "the same networks at several rates, beside several bounds",
}
ON_LINE = (0, 3, 5, 6, 7, 8, 9, 10, 12, 15)  # of the 16 inputs on the line, those in the table
RECORDS = 16  # recorded steps of a training, besides step 0
HALF_SUM = squared_error("sum")


@few_at_once
def drift(
    *, arm: str, activation: str, depth: int, width: int, steps: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """One network trained; a row is one recorded step.

    gap_*: RMSE between network and linearization (of its own kernel; gap_test_limit: of the limit
    kernel); *_change: relative Frobenius change since step 0; weight_l: the same of layer l's
    weights; distance = |theta_t - theta_0|; fitted: the distance that an infinitely wide network
    moves from the same f_0 in all these steps.
    Arms named mean_field... divide outputs by another sqrt(width).
    """
    model, mean_field = Model(activation, depth, width), arm.startswith("mean_field")
    problem = setting.digits(seeds, TRAIN, TEST)
    begin = start(model, problem, seeds, mean_field=mean_field)
    limit = limit_kernels(activation, depth, problem.points)[1][:, :, :TRAIN]
    of_width = limit / width if mean_field else limit
    begin = slowed(begin, of_width)
    recorded = setting.log_steps(steps, RECORDS)
    rate = begin.rate / 4 if mean_field else begin.rate  # their kernel grows several times
    path = _descend(model, problem, begin.params, rate, recorded, watch_drift(model, TRAIN))
    outputs, ntk, nngp, layers, distance = (np.asarray(a, np.float64) for a in path.observed)
    linear, of_limit = (
        linear_outputs(kernel, begin.outputs, problem.targets, recorded, rate)
        for kernel in (begin.kernel, of_width)
    )
    start_residual = (begin.outputs[:, :TRAIN] - problem.targets)[..., 0]
    times = steps * rate / (width if mean_field else 1)
    fitted = limit_distance(limit[:, :TRAIN], start_residual, times)
    residual = np.linalg.norm(outputs[:, :, :TRAIN] - problem.targets[:, None, :, 0], axis=-1)
    for s, seed in enumerate(seeds):
        for r, step in enumerate(recorded):
            gap, gap_limit = outputs[s, r] - linear[s, r], outputs[s, r] - of_limit[s, r]
            yield {
                "seed": seed,
                "step": step,
                "loss": residual[s, r] ** 2 / 2,
                "gap_train": setting.rms(gap[:TRAIN]),
                "gap_test": setting.rms(gap[TRAIN:]),
                "gap_test_limit": setting.rms(gap_limit[TRAIN:]),
                "ntk_change": setting.relative(ntk[s, r] - ntk[s, 0], ntk[s, 0]),
                "nngp_change": setting.relative(nngp[s, r] - nngp[s, 0], nngp[s, 0]),
                "distance": distance[s, r],
                "distance_by_root_width": distance[s, r] / np.sqrt(width),
                "fitted": fitted[s],
                **{f"weight_{n + 1}": layers[s, r, n] for n in range(depth + 1)},
            }


@few_at_once
def any_depth(*, arm: str, depth: int, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row is one erf network of `depth` hidden layers after 32 steps on 8 digits.

    gap: RMSE on 8 test digits to its linearization, the largest over steps; fitted: as in `drift`.
    Arm mean_field divides outputs by another sqrt(width).
    """
    model, mean_field = Model("erf", depth, width), arm == "mean_field"
    problem = setting.digits(seeds, 8, 8)
    begin = start(model, problem, seeds, mean_field=mean_field)
    rate = begin.rate / 4 if mean_field else begin.rate  # their kernel grows several times
    recorded = setting.log_steps(32, RECORDS)
    path = _descend(model, problem, begin.params, rate, recorded, watch_outputs(model))
    linear = linear_outputs(begin.kernel, begin.outputs, problem.targets, recorded, rate)
    gaps = setting.rms((np.asarray(path.observed, np.float64) - linear)[:, :, 8:]).max(axis=1)
    limit = limit_kernels("erf", depth, problem.train)[1]
    residual = (begin.outputs[:, :8] - problem.targets)[..., 0]
    times = recorded[-1] * rate / (width if mean_field else 1)
    fitted = limit_distance(limit, residual, times)
    for seed, gap, distance in zip(seeds, gaps, fitted, strict=True):
        yield {"seed": seed, "gap": gap, "fitted": distance}


@few_at_once
def step_size(
    *, arm: str, activation: str, width: int, train: int, factor: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """A row is one network after 256 steps of factor * 2 / l_max; gap is the largest over steps.

    growth = log10(last loss / first loss), of the network or, in arms named linear..., of the
    linearization.  obeys: whether |g_t| <= (1 - rate l_min / 3)^t |g_0| at all recorded steps, or
    in arm twice_as_fast the same with (1 - 2 rate l_min)^t.
    """
    model = Model(activation, 3, width)
    problem = setting.digits(seeds, train, TRAIN + TEST - train)  # as many points as elsewhere
    begin = start(model, problem, seeds)
    rate = factor * 2 / begin.spectrum[:, -1]
    recorded = setting.log_steps(256, RECORDS)
    watch, copies = watch_drift(model, TRAIN), TRAIN // train  # the compiled program of `drift`
    path = _descend(model, problem, begin.params, rate, recorded, watch, copies)
    outputs = np.asarray(path.observed[0], np.float64)
    linear = linear_outputs(begin.kernel, begin.outputs, problem.targets, recorded, rate)
    of_arm = linear if arm.startswith("linear") else outputs
    loss = ((of_arm[:, :, :train] - problem.targets[:, None, :, 0]) ** 2).sum(-1) / 2
    for s, seed in enumerate(seeds):
        gap = setting.rms((outputs - linear)[s, :, train:])
        growth = np.log10(max(loss[s, -1] / loss[s, 0], 1e-14))  # where float32 ends
        spectrum = begin.spectrum[s]
        residual = np.linalg.norm(outputs[s, :, :train] - problem.targets[s, :, 0], axis=-1)
        slowest = rate[s] * spectrum[0] * (2 if arm == "twice_as_fast" else 1 / 3)
        # float32 weights cannot follow the bound below 1e-5 of the start
        allowed = np.maximum((1 - slowest) ** recorded, 1e-5) * residual[0]
        yield {
            "seed": seed,
            "gap": gap.max(),
            "growth": growth,
            "obeys": bool((residual <= allowed * (1 + 1e-5)).all()),
            "rate_by_critical": rate[s] * (spectrum[0] + spectrum[-1]) / 2,
        }


def monte_carlo(
    *, arm: str, depth: int, width: int, networks: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """A row is a group of fresh ReLU networks: relative error of the group's mean kernels.

    Arm theory compares with the limits; exchanged compares each mean with the other one's limit.
    """
    model = Model("relu", depth, width)
    for chunk in (seeds[first : first + 32] for first in range(0, len(seeds), 32)):  # for memory
        points = setting.digits(chunk, 8, 0).points
        total_nngp = total_ntk = 0.0
        for member in range(networks):
            params = weights(model, (setting.PIXELS,), chunk, "group", networks, member)
            measured, _ = before_training(model, "trace")(params, points.astype(np.float32))
            total_nngp = total_nngp + np.asarray(measured.nngp, np.float64) / networks
            total_ntk = total_ntk + np.asarray(measured.ntk, np.float64) / networks
        nngp, ntk = limit_kernels("relu", depth, points)
        if arm == "exchanged":
            nngp, ntk = ntk, nngp
        for s, seed in enumerate(chunk):
            yield {
                "seed": seed,
                "nngp_error": setting.relative(total_nngp[s] - nngp[s], nngp[s]),
                "ntk_error": setting.relative(total_ntk[s] - ntk[s], ntk[s]),
            }


def ensemble(*, arm: str, activation: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row is the output of one network at one input of the line x(alpha) at one recorded step.

    All networks share one training set, as in the paper: that of the first seed. Arm full trains
    all layers; readout the last one alone, which is linear, so that each network has a closed form;
    centred is full with without_start for its output. without_start: the output less what equations
    14-15 say remains of the network's own f_0. ntk_mean, ntk_sd: the law that equations 14-15 give
    for full training at this step; nngp_mean, nngp_sd: the one of readout training. from_mean:
    without_start - ntk_mean in units of the deviation at step 0; shared, shared_predicted: how the
    output varies with those at the other inputs, and how it does by equation 15
    (`Law.shared_with_others`).
    """
    yield from _ensemble(arm=arm, activation=activation, width=width, data=seeds[0], seeds=seeds)


@few_at_once
def _ensemble(*, arm, activation, width, data: int, seeds) -> Iterator[dict]:
    """Rows of `ensemble` on the line of the seed `data`."""
    model, shown = Model(activation, 3, width), (0, 8, 64)
    line = digits_on_a_line(data, TRAIN, TEST)
    both = laws(activation, 3, data, TRAIN, TEST, shown)
    law = both["nngp" if arm == "readout" else "ntk"]
    params = weights(model, (setting.PIXELS,), seeds, "ensemble", arm)
    copies = (np.repeat(a[None], len(seeds), 0) for a in (line.points, line.targets))
    problem, rate = setting.Problem(*copies), np.full(len(seeds), law.rate)
    if arm == "readout":
        measured, begin = before_training(model, "trace")(params, problem.points)
        kernel = np.asarray(measured.nngp)[:, :, :TRAIN]
        everywhere = linear_outputs(kernel, np.asarray(begin), problem.targets, shown, rate)
    else:
        # records and observer of `drift`, for its compiled program
        recorded = setting.log_steps(max(shown), RECORDS)
        path = _descend(model, problem, params, rate, recorded, watch_drift(model, TRAIN))
        outputs = np.asarray(path.observed[0], np.float64)
        everywhere = outputs[:, np.searchsorted(recorded, shown)]
    outputs = everywhere[:, :, TRAIN:]
    without_start = outputs - remains_of_start(law, everywhere[:, 0], shown)
    if arm == "centred":
        outputs = without_start
    equations = both["ntk"]
    from_mean = (without_start - equations.mean) / equations.deviation[0]
    shared, shared_predicted = equations.shared_with_others(outputs)
    for s, seed in enumerate(seeds):
        for r, step in enumerate(shown):
            for a in ON_LINE:
                yield {
                    "seed": seed,
                    "step": step,
                    "alpha": line.alphas[a],
                    "output": outputs[s, r, a],
                    "without_start": without_start[s, r, a],
                    "from_mean": from_mean[s, r, a],
                    "shared": shared[s, r, a],
                    "shared_predicted": shared_predicted[r, a],
                    **{f"{name}_mean": one.mean[r, a] for name, one in both.items()},
                    **{f"{name}_sd": one.deviation[r, a] for name, one in both.items()},
                }


def tracking(*, arm: str, width: int, train: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row is one recorded step of a ReLU network of five hidden layers and its linearization.

    rmse_*: between network and linearization, with the network's own kernel (in arm other_kernel
    that of another seed's network) and with the limit kernel (_limit); weight_correlation and
    weight_error: between the changes of the weights, over all layers (equation 8); network_*,
    linear_*: outputs at two training and two test points, and changes of three hidden weights.
    """
    model, mean_field = Model("relu", 5, width), arm.startswith("mean_field")
    problem = setting.digits(seeds, train, TEST)
    begin = start(model, problem, seeds, mean_field=mean_field)
    limit = limit_kernels("relu", 5, problem.points)[1][:, :, :train]
    own = np.roll(begin.kernel, 1, axis=0) if arm == "other_kernel" else begin.kernel
    kernels = {"": own, "_limit": limit / width if mean_field else limit}
    begin = slowed(begin, *kernels.values())
    recorded = np.unique(np.rint(np.geomspace(1, 256, 9)).astype(int))
    linear = {
        name: linear_outputs(kernel, begin.outputs, problem.targets, recorded, begin.rate)
        for name, kernel in kernels.items()
    }
    shown = [0, 1, train, train + 1]
    params = begin.params
    for r, step in enumerate(recorded):
        gap = step - (recorded[r - 1] if r else 0)
        path = _descend(model, problem, params, begin.rate, [gap], watch_outputs(model))
        params = path.params
        outputs = np.asarray(path.observed, np.float64)[:, 0]
        dual = dual_weights(begin, problem, step).astype(np.float32)
        x = problem.train.astype(np.float32)
        correlation, error, changes = compare_weights(model)(begin.params, params, x, dual)
        errors = {
            f"rmse_{kind}{name}": setting.rms((outputs - values[:, r])[:, where])
            for name, values in linear.items()
            for kind, where in (("train", slice(train)), ("test", slice(train, None)))
        }
        target = problem.targets[..., 0]
        losses = {
            "loss_network": ((outputs[:, :train] - target) ** 2).sum(1) / 2,
            "loss_linear": ((linear[""][:, r, :train] - target) ** 2).sum(1) / 2,
        }
        for s, seed in enumerate(seeds):
            yield {
                "seed": seed,
                "step": step,
                **{name: values[s] for name, values in (errors | losses).items()},
                "weight_correlation": float(correlation[s]),
                "weight_error": float(error[s]),
                **{f"network_{i}": outputs[s, n] for i, n in enumerate(shown)},
                **{f"linear_{i}": linear[""][s, r, n] for i, n in enumerate(shown)},
                **{f"network_weight_{i}": float(changes[0][s, i]) for i in range(3)},
                **{f"linear_weight_{i}": float(changes[1][s, i]) for i in range(3)},
            }


@few_at_once
def other_training(*, arm: str, method: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row is one erf network after 60 steps of `method`: momentum or cross_entropy (2 classes).

    gap: RMSE on test points to the linearization under the same training, or in arm plain under
    gradient descent on squared error.
    """
    classes, heavy = (1, 0.9) if method == "momentum" else (2, 0.0)
    model = Model("erf", 3, width, outputs=classes)
    problem = setting.digits(seeds, TRAIN, TEST)
    begin = start(model, problem, seeds, kind="trace" if classes == 1 else "full")
    labels = (problem.targets[..., 0] > 0).astype(np.int32)
    signs = problem.targets if classes == 1 else np.eye(2)[labels]
    targets = problem.targets if classes == 1 else labels
    loss = HALF_SUM if classes == 1 else cross_entropy("sum")
    rate = begin.rate * (0.2 if classes == 1 else 1.0)
    path = gradient_descent(
        apply(model),
        begin.params,
        problem.train.astype(np.float32),
        targets.astype(np.float32) if classes == 1 else targets,
        loss=loss,
        learning_rate=learning_rates(begin.params, rate),
        momentum=heavy,
        record=[60],
        observe=watch_outputs(model),
        context=problem.points.astype(np.float32),
        seeds=True,
        shared_data=False,
    )
    if arm == "plain":
        loss, heavy, targets = HALF_SUM, 0.0, signs
    linear = linear_descent(loss, heavy, 60)(begin.kernel, begin.outputs, targets, rate)
    network = np.asarray(path.observed, np.float64)[:, 0].reshape(linear.shape)
    for s, seed in enumerate(seeds):
        gap = setting.rms((network[s] - np.asarray(linear[s]))[TRAIN:], axis=None)
        yield {"seed": seed, "gap": gap}


@few_at_once
def parameterizations(*, arm: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row is one erf network on points of the sphere in R^4, after 256 steps.

    Arm standard: standard parameterization, whose kernel grows like the width and whose rate must
    fall like 1/width; ntk: NTK parameterization; standard_above: 1.1 times 2 / l_max.
    """
    parameterization = "ntk" if arm == "ntk" else "standard"
    model = Model("erf", 3, width, parameterization=parameterization)
    dimension = 4  # << width: the input layer must weigh nothing in the kernel
    points = np.stack(
        [
            data.sphere(random.generator(s, "lee2019", "sphere"), 12, dimension, dimension**0.5)
            for s in seeds
        ]
    )
    targets = points[:, :6, :1]
    problem = setting.Problem(points, targets)
    begin = start(model, problem, seeds)
    rate = 1.1 * 2 / begin.spectrum[:, -1] if arm == "standard_above" else begin.rate
    recorded = setting.log_steps(256, RECORDS)
    path = _descend(model, problem, begin.params, rate, recorded, watch_distance(model))
    outputs, distance = (np.asarray(a, np.float64) for a in path.observed)
    linear = linear_outputs(begin.kernel, begin.outputs, targets, recorded, rate)
    for s, seed in enumerate(seeds):
        yield {
            "seed": seed,
            "trace": np.trace(begin.kernel[s, :6]) / 6,
            "distance": distance[s].max(),
            "gap": setting.rms((outputs - linear)[s, :, 6:]).max(),
        }


@few_at_once
def kinks(*, arm: str, activation: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row is one network of one hidden layer trained for 64 steps on 8 digits.

    change_train, change_other: relative Frobenius change of the NTK on the training points and on
    8 other ones; flips: share of (neuron, training point) pairs whose preactivation changed sign.
    """
    model = Model(activation, 1, width)
    problem = setting.digits(seeds, 8, 8)
    begin = start(model, problem, seeds)
    path = _descend(model, problem, begin.params, begin.rate, [0, 64], watch_kinks(model))
    kernel, signs = (np.asarray(a) for a in path.observed)
    for s, seed in enumerate(seeds):
        before, after = (kernel[s, t].astype(np.float64) for t in (0, 1))
        yield {
            "seed": seed,
            "change_train": setting.relative((after - before)[:8, :8], before[:8, :8]),
            "change_other": setting.relative((after - before)[8:, 8:], before[8:, 8:]),
            "flips": np.mean(signs[s, 0] != signs[s, 1]),
        }


@in_groups_of(100)  # of thousands: for memory
def flips(*, arm: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row is one ReLU network of one hidden layer (no bias) trained on a single point.

    change: what switched neurons contribute to the change of Theta(x, x) at the trained point, or
    in arm other_point at a point at 60 degrees to it; predicted: -(2/pi) |f_0 - y| / sqrt(width).
    """
    dimension = 4
    x = np.zeros((2, dimension), np.float32)
    x[0, 0] = np.sqrt(dimension)
    x[1, :2] = np.sqrt(dimension) * np.array([0.5, np.sqrt(0.75)])
    model = Model("relu_without_bias", 1, width)
    params = weights(model, (dimension,), seeds, "flips", arm)
    path = gradient_descent(
        apply(model),
        params,
        x[:1],
        np.ones((1, 1), np.float32),
        loss=HALF_SUM,
        learning_rate=learning_rates(params, 0.05),  # Theta = 4 there: eta Theta = 0.2
        record=[80],
        seeds=True,
    )
    (hidden, _, readout), last = params["layers"], np.asarray(path.params["layers"][0]["weight"])
    first, last = (
        np.sqrt(2 / dimension) * np.einsum("pd,sdn->spn", x, matrix)
        for matrix in (hidden["weight"], last)
    )
    readout = readout["weight"][..., 0]
    point = 1 if arm == "other_point" else 0
    switched = (last > 0).astype(float) - (first > 0)
    change = 4 / width * (readout**2 * switched[:, point]).sum(-1)
    before = np.sqrt(2 / width) * (readout * np.maximum(first[:, 0], 0)).sum(-1)
    for s, seed in enumerate(seeds):
        predicted = -2 / np.pi * abs(before[s] - 1) / np.sqrt(width)
        yield {"seed": seed, "change": change[s], "predicted": predicted}


def gaussianity(
    *, arm: str, width: int, neurons: int, networks: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """A row is a group of erf networks of one hidden layer at one step, four points to learn.

    kurtosis: excess kurtosis of the outputs over the group, mean over 8 other points; all points
    lie on the sphere in R^4, drawn for each group. neurons: how many of `width` there are; the
    others are zero.
    """
    model, dimension = Model("erf", 1, width), 4
    rate = 0.13  # 1 / trace of the limit kernel on the four points: below 1 / l_max
    for seed in seeds:
        stream = random.generator(seed, "lee2019", "gaussianity", arm)
        x = data.sphere(stream, 12, dimension, dimension**0.5)
        y = np.sign(x[:4, :1])
        drawn = weights(model, (dimension,), (seed,), "gaussianity", arm, networks=networks)
        params = keep_neurons(drawn, neurons)
        path = gradient_descent(
            apply(model),
            params,
            x[:4].astype(np.float32),
            y.astype(np.float32),
            loss=HALF_SUM,
            learning_rate=learning_rates(params, rate),
            record=[0, 64],
            observe=watch_outputs(model),
            context=x[4:].astype(np.float32),
            seeds=True,
        )
        outputs = np.asarray(path.observed, np.float64)
        for r, step in enumerate((0, 64)):
            excess = stats.kurtosis(outputs[:, r], axis=0, bias=False)
            yield {"seed": seed, "step": step, "kurtosis": excess.mean()}


def _descend(model: Model, problem, params, rate, recorded, observe, copies: int = 1):
    """Full-batch descent of every seed's network on its own digits, in float32.

    copies of every training point, with a rate that much smaller, are the same descent, in the
    compiled program of as many points.
    """
    train, targets = (
        np.repeat(array, copies, axis=1).astype(np.float32)
        for array in (problem.train, problem.targets)
    )
    return gradient_descent(
        apply(model),
        params,
        train,
        targets,
        loss=HALF_SUM,
        learning_rate=learning_rates(params, rate / copies),
        record=recorded,
        observe=observe,
        context=problem.points.astype(np.float32),
        seeds=True,
        shared_data=False,
    )
