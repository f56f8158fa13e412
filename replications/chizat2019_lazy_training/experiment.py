"""Measurements of Chizat et al. 2019: what the scale alpha of a model does to its training.

A seed draws data, teacher and weights. Where a sweep compares scales of one problem (alpha, tau,
the two scalings in m) the problem of a seed is the same for all of them, as in the paper's figures.
Arms of `scaling`, `laziness` and `criterion` are independent of one another; arms of the other
parts look at the same problems on purpose: they differ in the scale, or only in what is claimed.
"""

from collections.abc import Iterator

import numpy as np

from replications.chizat2019_lazy_training import convnet, fresh_samples, lazy_limit, regression
from replications.chizat2019_lazy_training.curvature import (
    ascent_starts,
    linear_criterion,
    threshold,
)
from replications.chizat2019_lazy_training.curvature import criterion as kappa_of
from replications.chizat2019_lazy_training.plane import aligned_mass, histories
from replications.chizat2019_lazy_training.underparameterized import late_flows

# Parts whose arms share draws, and why.
PAIRED = {
    "rate": "the same descents, of which lambda_max claims another rate, and the same problems at "
    "other scales",
    "criterion": "only the directions from which the ascent to |D^2 h| starts",
    "neurons_in_the_plane": "one problem at several scales, as in figure 1",
    "paths": "the networks of neurons_in_the_plane",
    "underparameterized": "one problem, with h(w_0) subtracted or not",
}
LATE = (6.0, 12.0)  # times sigma_min^2 t between which the late rate is read off


def scaling(
    *,
    arm: str,
    activation: str,
    centre: str,
    loss: str,
    alpha: float,
    dimension: int,
    neurons: int,
    points: int,
    steps: int,
    seeds,
) -> Iterator[dict]:
    """Gradient descent on F_alpha and on its linearization, step for step with one step size.

    centre: how h(w_0) = 0 is reached: `frozen_copy` subtracts h(w_0), `paired` starts from pairs
    of opposite neurons, `none` leaves it nonzero. loss: `square`, or `logistic` for targets +-1.
    Suprema over time of the distances, the change of the tangent kernel at the end, and the share
    of (neuron, input) pairs whose activation changed sign.
    """
    # A relu network's gap is a sum of rare random flips: their rms over draws is compared across
    # alpha, so these draws are independent from one alpha to the next.
    names = ("scaling", arm, alpha) if activation == "relu" else ("scaling", arm)
    doubled, copies = centre == "paired", float(centre == "frozen_copy")
    problem = lazy_limit.drawn(names, dimension, neurons, points, seeds, doubled=doubled)
    yield from _rows(seeds, lazy_limit.suprema(problem, activation, alpha, copies, steps, loss))


def laziness(
    *,
    arm: str,
    readout: str,
    alpha: float,
    dimension: int,
    neurons: int,
    points: int,
    steps: int,
    seeds,
) -> Iterator[dict]:
    """kappa at initialisation beside what training does, over alpha and neurons; softplus.

    h(w_0) is subtracted. readout: b_j ~ N(0, 1) (`gaussian`) or their absolute values (`positive`).
    """
    names = ("laziness", arm)
    problem = lazy_limit.drawn(names, dimension, neurons, points, seeds, readout=readout)
    found = lazy_limit.suprema(problem, "softplus", alpha, 1.0, steps)
    factor, starts = alpha * neurons**-0.5, ascent_starts(seeds)
    kappa = kappa_of("softplus", problem, factor, 0.0 * problem.y, starts)
    kept = {name: found[name] for name in ("distance", "relative_distance", "kernel_change")}
    yield from _rows(seeds, {"kappa": kappa, **kept})


def rate(
    *, arm: str, alpha: float, dimension: int, neurons: int, points: int, steps: int, seeds
) -> Iterator[dict]:
    """Decay of |alpha h - y*| and the bound |y*| exp(-rate t / 4) of Theorem 2.4; softplus.

    The theory's rate is sigma_min(Dh(w_0))^2. Arms claim another one for the same runs: the
    largest eigenvalue (`lambda_max`), the second smallest (`second`), or 8 sigma_min^2, whose
    quarter is the rate at which the loss falls (`loss_rate`). (The bound's factor, the root of the
    condition number of the loss, is one.)
    `left` is the share of the residual when the claimed rate times t is 12.
    """
    found = lazy_limit.decay(alpha, dimension, neurons, points, steps, seeds)
    starts = ascent_starts(seeds)
    thresholds = threshold(found.problem, neurons**-0.5, found.eigenvalues, starts)
    for index, seed in enumerate(seeds):
        slowest, largest = found.eigenvalues[index, 0], found.eigenvalues[index, -1]
        seen = slowest * found.time[index] <= LATE[1]  # beyond it the residual is rounding
        time = found.time[index, seen]
        log_left = np.log(found.residual[index, seen] / found.residual[index, 0])
        late = slowest * time >= LATE[0]
        slope = -np.polyfit(time[late], log_left[late], 1)[0]
        rates = {"lambda_max": largest, "second": found.eigenvalues[index, 1]}
        rates["loss_rate"] = 8 * slowest
        claimed = rates.get(arm, slowest)
        yield {
            "seed": seed,
            "rate_ratio": float(slope / claimed),
            "log_over_bound": float((log_left + claimed * time / 4)[1:].max()),
            "left": float(np.exp(log_left[claimed * time <= LATE[1]][-1])),
            "threshold": float(thresholds[index]),
            "threshold_over_alpha": float(thresholds[index] / alpha),
            "condition": float(largest / slowest),
            "covered": float(slowest * found.time[index, -1]),
        }


def underparameterized(
    *,
    arm: str,
    centre: str,
    relative_alpha: float,
    dimension: int,
    neurons: int,
    points: int,
    seeds,
) -> Iterator[dict]:
    """Gradient flow of a tanh network with fewer parameters than data; centre as in `scaling`.

    Late rate over sigma_min^2, distance of the minimum from w_0 and, relative, from the minimum of
    the linearized model. alpha = relative_alpha |J^+ y|.
    """
    rows = late_flows(centre, relative_alpha, dimension, neurons, points, seeds)
    for seed, row in zip(seeds, rows, strict=True):
        yield {"seed": seed, **row}


def criterion(
    *,
    arm: str,
    activation: str,
    doubled: bool,
    exponent: float,
    alpha: float,
    neurons: int,
    points: int,
    seeds,
) -> Iterator[dict]:
    """kappa of alpha h_m, h_m = m^exponent sum_j b_j sigma(a_j . x) with b_j = +-1, d = 5.

    `over_linear` is kappa over the closed form of a linear network of the same weights.
    """
    how = {"doubled": doubled, "readout": "sign"}
    problem = lazy_limit.drawn(("criterion", arm), 5, neurons, points, seeds, **how)
    factor = alpha * float(neurons) ** exponent
    outputs = factor * lazy_limit.first_outputs(activation, problem)
    kappa = kappa_of(activation, problem, factor, outputs, ascent_starts(seeds))
    linear = linear_criterion(problem, factor, outputs)
    yield from _rows(seeds, {"kappa": kappa, "over_linear": kappa / linear})


def neurons_in_the_plane(
    *,
    arm: str,
    tau: float,
    target_scale: float,
    neurons: int,
    points: int,
    step: float,
    steps: int,
    seeds,
) -> Iterator[dict]:
    """Figure 1(a, b): a relu network of scale tau learns three neurons on the circle.

    target_scale multiplies the teacher's outputs.
    """
    states, teacher, _ = histories(tau, target_scale, neurons, points, step, steps, seeds)
    for index, seed in enumerate(seeds):
        begin, end = states[index, 0], states[index, -1]
        moved = np.linalg.norm(end - begin, axis=-1) / np.linalg.norm(begin, axis=-1)
        yield {
            "seed": seed,
            "displacement": float(moved.mean()),
            "aligned_mass": aligned_mass(end, teacher[index]),
        }


def paths(
    *, arm: str, tau: float, neurons: int, points: int, step: float, steps: int, seeds
) -> Iterator[dict]:
    """Where the neurons a_j |b_j| of `neurons_in_the_plane` are in the course of training."""
    states, teacher, record = histories(tau, 1.0, neurons, points, step, steps, seeds)
    for index, seed in enumerate(seeds):
        for place in range(len(record)):
            for neuron, (a1, a2, b) in enumerate(states[index, place]):
                yield {
                    "seed": seed,
                    "step_number": int(record[place]),
                    "neuron": neuron,
                    "kind": "student",
                    "x1": a1 * abs(b),
                    "x2": a2 * abs(b),
                    "sign": float(np.sign(b)),
                }
        for neuron, (direction, output) in enumerate(zip(*teacher[index], strict=True)):
            yield {
                "seed": seed,
                "step_number": 0,
                "neuron": neuron,
                "kind": "teacher",
                "x1": direction[0],
                "x2": direction[1],
                "sign": output,
            }


def overparameterized(
    *, arm: str, tau: float, dimension: int, neurons: int, points: int, steps: int, seeds
) -> Iterator[dict]:
    """Figure 1(c): full-batch descent of a paired relu network of scale tau, test loss, float32.

    The step is min(10, 0.1 / tau^2); `best` is the least test loss met on the way. Both also over
    the loss of the best affine function.
    """
    train, test = regression.scales(tau, dimension, neurons, points, steps, seeds)
    floor = regression.affine_floors(dimension, seeds)
    columns = {"test": test[:, -1], "best": test.min(axis=1), "train": train[:, -1]}
    columns |= {f"{name}_over_affine": columns[name] / floor for name in ("test", "best")}
    yield from _rows(seeds, columns)


def population(
    *, arm: str, tau: float, dimension: int, neurons: int, batch: int, steps: int, seeds
) -> Iterator[dict]:
    """Figures 1(d), 2(b, c): stochastic descent on the population loss, a fresh batch each step.

    h is the mean over neurons, the teacher is divided by 200, the step is min(0.25 / tau^2, 25)
    and the hidden layer's gradient is multiplied by d, as in the authors' program. `loss` is the
    mean over the last tenth of the steps, divided by that of the zero function; float32. `floor`
    is the least loss of the linearized model, divided likewise.
    """
    loss = fresh_samples.late_losses(tau, dimension, neurons, batch, steps, seeds)
    floor = fresh_samples.linear_floors(dimension, neurons, seeds)
    yield from _rows(seeds, {"loss": loss, "floor": floor, "over_floor": loss / floor})


def widths(
    *, arm: str, exponent: float, dimension: int, neurons: int, points: int, steps: int, seeds
) -> Iterator[dict]:
    """Figure 2(a): test loss against the number m of neurons for alpha(m) = m^exponent.

    The step is 1/m for the exponent -1/2 and 0.05/m for -1, as in the authors' program.
    """
    step = {-0.5: 1.0, -1.0: 0.05}[exponent]
    found = regression.scalings(exponent, step / neurons, dimension, neurons, points, steps, seeds)
    yield from _rows(seeds, {"test": found})


def convolution(
    *,
    arm: str,
    task: str,
    activation: str,
    alpha: float,
    points: int,
    steps: int,
    learning_rate: float,
    seeds,
    data_dir=None,
) -> Iterator[dict]:
    """Figure 3(a): a convolutional network at scale alpha and its linearization; float32.

    `disagreement` and `gate_disagreement`: share of test images that the linearization puts into
    another class than the network does, or than the network's weights with the gates of w_0.
    `stability`: share of units and test images whose preactivation keeps its sign.
    """
    for seed in seeds:
        labelled = convnet.images(task, seed, points, data_dir)
        how = (task, seed, points, steps, learning_rate, data_dir)
        network = convnet.trained(activation, False, alpha, *how)
        linear = convnet.trained(activation, True, 1.0, *how)
        unstable = convnet.instability(activation, network, labelled.test_x)
        right = convnet.accuracy(network.outputs, labelled.test_labels)
        row = {
            "seed": seed,
            "accuracy": right,
            "train_accuracy": network.train_accuracy,
            "linear_accuracy": convnet.accuracy(linear.outputs, labelled.test_labels),
            "error": 1 - right,
            "disagreement": convnet.disagreement(network.outputs, linear.outputs),
            "output_gap": float(np.sqrt(np.mean((network.outputs - linear.outputs) ** 2))),
            "stability": 1 - unstable,
            "unstable": unstable,
            "distance": network.distance,
            "train_loss": network.loss,
        }
        if activation == "relu":
            frozen = convnet.with_initial_gates(network, labelled.test_x)
            row["gate_disagreement"] = convnet.disagreement(frozen, linear.outputs)
        yield row


def _rows(seeds, columns) -> Iterator[dict]:
    """One row per seed of columns (S,)."""
    for index, seed in enumerate(seeds):
        yield {"seed": seed, **{name: float(column[index]) for name, column in columns.items()}}
