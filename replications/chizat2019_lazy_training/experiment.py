"""Measurements of Chizat et al. 2019: what the scale alpha of a model does to its training.

A seed draws data, teacher and weights. Where a sweep compares scales of one problem (alpha, tau,
the two scalings in m) the problem of a seed is the same for all of them, as in the paper's figures;
arms are independent of one another.
"""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp

from replications.chizat2019_lazy_training.convnet import accuracy, images, instability, trained
from replications.chizat2019_lazy_training.curvature import second_derivative_norm
from replications.chizat2019_lazy_training.model import (
    ACTIVATIONS,
    initial,
    scaled,
    scaled_model,
    state_of,
    tangent_kernel,
    two_layer,
)
from shared.ntk import data, random
from shared.ntk.training import gradient_descent, squared_error

LATE = (6.0, 12.0)  # times sigma_min^2 t between which the late rate is read off
TEACHER_NEURONS = 3


def scaling(
    *,
    arm: str,
    activation: str,
    centre: str,
    alpha: float,
    dimension: int,
    neurons: int,
    points: int,
    steps: int,
    seeds,
) -> Iterator[dict]:
    """Gradient descent on F_alpha and on its linearization, step for step with one step size.

    centre: how h(w_0) = 0 is reached: `frozen_copy` subtracts h(w_0), `paired` starts from pairs
    of opposite neurons, `none` leaves it nonzero.
    Suprema over time of the distances, the change of the tangent kernel at the end, and the share
    of (neuron, input) pairs whose activation changed sign.
    """
    found = _scaling(activation, centre, alpha, dimension, neurons, points, steps, arm, seeds)
    for index, seed in enumerate(seeds):
        yield {"seed": seed, **{name: float(value[index]) for name, value in found.items()}}


def rate(
    *, arm: str, alpha: float, dimension: int, neurons: int, points: int, steps: int, seeds
) -> Iterator[dict]:
    """Late rate of |alpha h - y*| over the rate of the arm, and the bound of Theorem 2.4.

    The theory's rate is sigma_min(Dh(w_0))^2, that of arm `lambda_max` the largest eigenvalue. The
    bound is sqrt(cond) |y*| exp(-rate t / 4).
    """
    start, x, y = _problems("rate", arm, dimension, neurons, points, False, seeds)
    factor = neurons**-0.5
    eigenvalues = np.linalg.eigvalsh(_kernels("softplus", start, x, factor))
    step = 0.5 / eigenvalues[:, -1]
    record = np.arange(0, steps + 1, 10)
    outputs = _train("softplus", False, start, alpha, factor, 1.0, x, y, step, record).observed[0]
    residual = np.linalg.norm(np.asarray(outputs) - y[:, None, :, 0], axis=-1)
    for index, seed in enumerate(seeds):
        slowest, largest = eigenvalues[index, 0], eigenvalues[index, -1]
        time = record * step[index]
        late = (slowest * time >= LATE[0]) & (slowest * time <= LATE[1])
        slope = -np.polyfit(time[late], np.log(residual[index, late]), 1)[0]
        claimed = largest if arm == "lambda_max" else slowest
        condition = largest / slowest
        seen = slowest * time <= LATE[1]  # beyond it the residual is rounding
        start_log = 0.5 * np.log(condition) + np.log(residual[index, 0])
        excess = np.log(residual[index, seen]) - (start_log - claimed * time[seen] / 4)
        yield {
            "seed": seed,
            "rate_ratio": slope / claimed,
            "log_over_bound": float(excess.max()),
            "condition": condition,
            "covered": float(slowest * time[-1]),
        }


def underparameterized(
    *, arm: str, relative_alpha: float, dimension: int, neurons: int, points: int, seeds
) -> Iterator[dict]:
    """Gradient flow with fewer parameters than data, h(w) - h(w_0) of a tanh network.

    alpha = relative_alpha |J^+ y|. The flow of z is integrated as a stiff equation until
    sigma_min^2 t = 16; the linear problem is solved exactly.
    """
    for seed in seeds:
        yield {
            "seed": seed,
            **_underparameterized(seed, relative_alpha, dimension, neurons, points),
        }


def criterion(
    *, arm: str, doubled: bool, exponent: float, alpha: float, neurons: int, points: int, seeds
) -> Iterator[dict]:
    """kappa of alpha h_m, h_m = m^exponent sum_j b_j softplus(a_j . x) with b_j = +-1, d = 5."""
    start, x, y = _problems("criterion", arm, 5, neurons, points, doubled, seeds)
    start = (start[0], {"weight": np.sign(start[1]["weight"])})
    keys = random.keys(seeds, "chizat2019", "starts")
    factor = alpha * float(neurons) ** exponent
    values = _criterion(start, x, y, keys, factor)
    for seed, value in zip(seeds, np.asarray(values), strict=True):
        yield {"seed": seed, "kappa": value}


def neurons_in_the_plane(
    *, arm: str, tau: float, neurons: int, points: int, step: float, steps: int, seeds
) -> Iterator[dict]:
    """Figure 1(a, b): a relu network of scale tau learns three neurons on the circle."""
    states, teacher, _ = _plane(tau, neurons, points, step, steps, seeds)
    for index, seed in enumerate(seeds):
        begin, end = states[index, 0], states[index, -1]
        moved = np.linalg.norm(end - begin, axis=-1) / np.linalg.norm(begin, axis=-1)
        yield {
            "seed": seed,
            "displacement": float(moved.mean()),
            "aligned_mass": _aligned_mass(end, teacher[index]),
        }


def paths(
    *, arm: str, tau: float, neurons: int, points: int, step: float, steps: int, seeds
) -> Iterator[dict]:
    """Where the neurons a_j |b_j| of `neurons_in_the_plane` are in the course of training."""
    states, teacher, record = _plane(tau, neurons, points, step, steps, seeds)
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

    The step is min(10, 0.1 / tau^2); `best` is the least test loss met on the way.
    """
    found = _overparameterized(tau, dimension, neurons, points, steps, seeds)
    for index, seed in enumerate(seeds):
        yield {
            "seed": seed,
            "test": float(found[1][index, -1]),
            "best": float(found[1][index].min()),
            "train": float(found[0][index, -1]),
        }


def population(
    *, arm: str, tau: float, dimension: int, neurons: int, batch: int, steps: int, seeds
) -> Iterator[dict]:
    """Figures 1(d), 2(b, c): stochastic descent on the population loss, a fresh batch each step.

    h is the mean over neurons, the teacher is divided by 200, the step is min(0.25 / tau^2, 25)
    and the hidden layer's gradient is multiplied by d, as in the authors' program. `loss` is the
    mean over the last tenth of the steps, divided by that of the zero function; float32.
    """
    losses = _population(tau, dimension, neurons, batch, steps, seeds)
    for seed, value in zip(seeds, np.asarray(losses), strict=True):
        yield {"seed": seed, "loss": float(value)}


def widths(
    *, arm: str, exponent: float, dimension: int, neurons: int, points: int, steps: int, seeds
) -> Iterator[dict]:
    """Figure 2(a): test loss against the number m of neurons for alpha(m) = m^exponent.

    The step is 1/m for the exponent -1/2 and 0.05/m for -1, as in the authors' program.
    """
    step = {-0.5: 1.0, -1.0: 0.05}[exponent]
    found = _widths(exponent, step / neurons, dimension, neurons, points, steps, seeds)
    for seed, value in zip(seeds, np.asarray(found), strict=True):
        yield {"seed": seed, "test": float(value)}


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
    """Figure 3(a): a convolutional network at scale alpha and its linearization.

    `disagreement` is the share of test images that the two put into different classes; `stability`
    the share of units and test images whose preactivation keeps its sign. float32.
    """
    for seed in seeds:
        labelled = images(task, seed, points, data_dir)
        how = (task, seed, points, steps, learning_rate, data_dir)
        state, outputs, loss = trained(activation, False, alpha, *how)
        _, linear, _ = trained(activation, True, 1.0, *how)
        right = accuracy(outputs, labelled.test_labels)
        yield {
            "seed": seed,
            "accuracy": right,
            "linear_accuracy": accuracy(linear, labelled.test_labels),
            "error": 1 - right,
            "disagreement": float(np.mean(outputs.argmax(axis=1) != linear.argmax(axis=1))),
            "output_gap": float(np.sqrt(np.mean((outputs - linear) ** 2))),
            "stability": 1 - instability(activation, task, state, labelled.test_x),
            "train_loss": loss,
        }


# Theory: section 2


@functools.lru_cache(maxsize=64)
def _scaling(activation, centre, alpha, dimension, neurons, points, steps, arm, seeds) -> dict:
    # A relu network's gap is a sum of rare random flips: their rms over draws is compared across
    # alpha, so these draws are independent from one alpha to the next.
    names = (arm, alpha) if activation == "relu" else (arm,)
    paired = centre == "paired"
    start, x, y = _problems("scaling", names, dimension, neurons, points, paired, seeds)
    factor = neurons**-0.5
    kernels = _kernels(activation, start, x, factor)
    step = 0.5 / np.linalg.eigvalsh(kernels)[:, -1]
    record = np.unique(np.geomspace(1, steps, 60).astype(int))
    offset = float(centre == "frozen_copy")
    arguments = (start, alpha, factor, offset, x, y, step, record)
    f, z = _as_numpy(_train(activation, False, *arguments).observed)
    linear_f, linear_z = _as_numpy(_train(activation, True, *arguments).observed)
    end = jax.tree.map(lambda w, u: np.asarray(w) + u[:, -1] / alpha, start, z)
    after = _kernels(activation, end, x, factor)
    size = functools.partial(np.linalg.norm, axis=(-2, -1))
    hidden = [np.einsum("snd,sdm->snm", x, layers[0]["weight"]) for layers in (start, end)]
    return {
        "distance": _largest(z) / alpha,
        "path_gap": _largest(jax.tree.map(np.subtract, z, linear_z)) / alpha,
        "output_gap": np.max(np.linalg.norm(f - linear_f, axis=-1), axis=-1),
        "kernel_change": size(after - kernels) / size(kernels),
        "flips": np.mean(np.sign(hidden[0]) != np.sign(hidden[1]), axis=(1, 2)),
    }


def _problems(part, arm, dimension, neurons, points, doubled, seeds):
    """Weights, inputs on the sphere (S, N, d) and targets (S, N, 1) of |y*| = sqrt(N), float64."""
    names = arm if isinstance(arm, tuple) else (arm,)
    keys = random.keys(seeds, "chizat2019", part, "weights", *names, neurons)
    start = _draw(keys, dimension, neurons, doubled)
    generators = [random.generator(seed, "chizat2019", part, "data", *names) for seed in seeds]
    x = np.stack([data.sphere(generator, points, dimension) for generator in generators])
    y = np.stack([generator.choice([-1.0, 1.0], (points, 1)) for generator in generators])
    return start, x, y


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _draw(keys, dimension, neurons, doubled):
    return jax.vmap(lambda key: initial(key, dimension, neurons, doubled=doubled))(keys)


def _kernels(activation, start, x, factor) -> np.ndarray:
    return np.asarray(_tangent_kernels(activation, start, x, factor))


@functools.partial(jax.jit, static_argnums=0)
def _tangent_kernels(activation, start, x, factor):
    return jax.vmap(lambda w, inputs: tangent_kernel(activation, w, inputs, factor))(start, x)


@functools.cache
def _watchers(activation, linear):
    model = scaled_model(activation, linear)
    return lambda state, _, x: (model(state, x)[:, 0], state[0])


def _train(activation, linear, start, alpha, factor, offset, x, y, step, record):
    count = len(step)
    state = state_of(start, *(jnp.full(count, value) for value in (alpha, factor, offset)))
    return gradient_descent(
        scaled_model(activation, linear),
        state,
        jnp.asarray(x),
        jnp.asarray(y),
        loss=squared_error("sum"),
        learning_rate=jnp.asarray(step),
        record=record,
        observe=_watchers(activation, linear),
        context=jnp.asarray(x),
        seeds=True,
        shared_data=False,
    )


def _largest(z) -> np.ndarray:
    """sup over time of |z|, (seeds,), of leaves (seeds, times, ...)."""
    squares = sum(np.sum(leaf**2, axis=(-2, -1)) for leaf in jax.tree.leaves(z))
    return np.sqrt(squares).max(axis=1)


def _as_numpy(tree):
    return jax.tree.map(np.asarray, tree)


@functools.lru_cache(maxsize=64)
def _underparameterized(seed, relative_alpha, dimension, neurons, points) -> dict:
    key = random.key(seed, "chizat2019", "underparameterized", "weights")
    generator = random.generator(seed, "chizat2019", "underparameterized", "data")
    x = jnp.asarray(data.sphere(generator, points, dimension))
    y = generator.choice([-1.0, 1.0], points)
    start, _ = ravel_pytree(initial(key, dimension, neurons, doubled=False))
    value, jacobian = _flat_functions(dimension, neurons)
    first = np.asarray(jacobian(start, x))
    left, singular, right = np.linalg.svd(first, full_matrices=False)
    coefficients = left.T @ y / singular
    alpha = relative_alpha * np.linalg.norm(coefficients)
    offset = np.asarray(value(start, x))

    def outputs(z):
        return alpha * (np.asarray(value(start + z / alpha, x)) - offset)

    def slope(_, z):
        return -np.asarray(jacobian(start + z / alpha, x)).T @ (outputs(z) - y)

    def curvature(_, z):
        here = np.asarray(jacobian(start + z / alpha, x))
        return -here.T @ here

    slowest = singular[-1] ** 2
    times = np.linspace(0, 16 / slowest, 81)
    flow = solve_ivp(
        slope,
        (0, times[-1]),
        np.zeros(start.size),
        method="BDF",
        jac=curvature,
        t_eval=times,
        rtol=1e-9,
        atol=1e-9 * float(np.linalg.norm(coefficients)),
    )
    final = flow.y[:, -1]
    linear = first @ (right.T @ coefficients)
    late = (slowest * times >= LATE[0]) & (slowest * times <= LATE[1])
    distance = np.linalg.norm(flow.y[:, late] - final[:, None], axis=0)
    late_rate = -np.polyfit(times[late], np.log(distance), 1)[0]
    residual, linear_residual = np.linalg.norm(outputs(final) - y), np.linalg.norm(linear - y)
    return {
        "alpha": alpha,
        "rate_ratio": late_rate / slowest,
        "rate_of_largest": late_rate / singular[0] ** 2,
        "distance": float(np.linalg.norm(final) / alpha),
        "residual_gap": float(abs(residual - linear_residual) / linear_residual),
        "condition": float(singular[0] / singular[-1]),
        "integrated": bool(flow.success),
    }


@functools.cache
def _flat_functions(dimension, neurons):
    template = initial(jax.random.key(0), dimension, neurons, doubled=False)
    _, unravel = ravel_pytree(template)

    def value(flat, x):
        return two_layer("tanh")(unravel(flat), x)[:, 0] / np.sqrt(neurons)

    return jax.jit(value), jax.jit(jax.jacrev(value))


@jax.jit
def _criterion(start, x, y, keys, factor):
    def one(params, inputs, targets, key):
        gap = jnp.linalg.norm(factor * two_layer("softplus")(params, inputs) - targets)
        first = jnp.linalg.eigvalsh(tangent_kernel("softplus", params, inputs, factor))[-1]
        second = second_derivative_norm(ACTIVATIONS["softplus"], params, inputs, key)
        return gap * factor * second / first

    return jax.vmap(one)(start, x, y, keys)


# Experiments: section 3


@functools.lru_cache(maxsize=8)
def _plane(tau, neurons, points, step, steps, seeds):
    """States (a_1, a_2, b) of every neuron (S, R, m, 3), the teachers, the recorded steps."""
    inputs, targets, teachers, starts = [], [], [], []
    for seed in seeds:
        generator = random.generator(seed, "chizat2019", "plane")
        teacher = data.two_layer_teacher(generator, 2, TEACHER_NEURONS)
        x = data.circle(generator.uniform(0, 2 * np.pi, points))
        half_a = data.sphere(generator, neurons // 2, 2)
        half_b = generator.uniform(0, 1, neurons // 2)
        inputs.append(x)
        targets.append(teacher(x)[:, None])
        teachers.append(teacher)
        a, b = np.concatenate([half_a, half_a]), np.concatenate([half_b, -half_b])
        starts.append(({"weight": tau * a.T}, {"weight": tau * b[:, None]}))
    record = np.unique(np.concatenate([[0], np.geomspace(1, steps, 20).astype(int)]))
    start = jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts)
    x, y = jnp.asarray(np.stack(inputs)), jnp.asarray(np.stack(targets))
    trained = _descend_and_keep(start, x, y, step, record)
    hidden, readout = (layer["weight"] for layer in trained.observed)
    states = np.concatenate([np.moveaxis(np.asarray(hidden), -2, -1), np.asarray(readout)], axis=-1)
    return states, teachers, record


def _keep(params, _):
    return params


def _descend_and_keep(start, x, y, step, record):
    return gradient_descent(
        two_layer("relu"),
        start,
        x,
        y,
        loss=squared_error("mean"),
        learning_rate=step,
        record=record,
        observe=_keep,
        seeds=True,
        shared_data=False,
    )


def _aligned_mass(neurons, teacher) -> float:
    """Share of sum |a_j| |b_j| within 10 degrees of a teacher neuron of the same output sign."""
    a, b = neurons[:, :2], neurons[:, 2]
    mass = np.linalg.norm(a, axis=1) * np.abs(b)
    cosines = a @ teacher.directions.T / np.linalg.norm(a, axis=1, keepdims=True)
    near = (cosines > np.cos(np.deg2rad(10))) & (np.sign(b)[:, None] == teacher.outputs)
    return float(mass[near.any(axis=1)].sum() / mass.sum())


def _regression(part, dimension, points, seeds, factor=1.0):
    """Inputs on the sphere for training and test and their teacher's targets, float32."""
    drawn = []
    for seed in seeds:
        generator = random.generator(seed, "chizat2019", part, "data")
        teacher = data.two_layer_teacher(generator, dimension, TEACHER_NEURONS)
        x = data.sphere(generator, 2 * points, dimension)
        y = factor * teacher(x)[:, None]
        drawn.append((x[:points], y[:points], x[points:], y[points:]))
    return [jnp.asarray(np.stack(arrays), jnp.float32) for arrays in zip(*drawn, strict=True)]


@functools.lru_cache(maxsize=64)
def _overparameterized(tau, dimension, neurons, points, steps, seeds):
    x, y, test_x, test_y = _regression("overparameterized", dimension, points, seeds)
    keys = random.keys(seeds, "chizat2019", "overparameterized", "weights")

    def draw(key):
        hidden, readout = initial(key, dimension, neurons, doubled=True, dtype=jnp.float32)
        half = jnp.abs(readout["weight"][: neurons // 2])
        return scaled((hidden, {"weight": jnp.concatenate([half, -half])}), jnp.float32(tau))

    trained = gradient_descent(
        two_layer("relu"),
        jax.vmap(draw)(keys),
        x,
        y,
        loss=squared_error("mean"),
        learning_rate=min(10.0, 0.1 / tau**2),
        record=np.arange(0, steps + 1, max(1, steps // 50)),
        observe=_test_loss,
        context=(test_x, test_y),
        seeds=True,
        shared_data=False,
    )
    return np.asarray(trained.loss), np.asarray(trained.observed)


def _test_loss(params, _, test):
    return squared_error("mean")(two_layer("relu")(params, test[0]), test[1])


@functools.lru_cache(maxsize=64)
def _population(tau, dimension, neurons, batch, steps, seeds):
    teachers = [
        data.two_layer_teacher(
            random.generator(seed, "chizat2019", "population"), dimension, TEACHER_NEURONS
        )
        for seed in seeds
    ]
    directions, outputs = (
        jnp.asarray(np.stack(values), jnp.float32) for values in zip(*teachers, strict=True)
    )
    keys = random.keys(seeds, "chizat2019", "population", "weights")
    step = jnp.float32(min(0.25 / tau**2, 25.0))
    sizes = (dimension, neurons, batch, steps)
    return _population_descent(sizes, keys, directions, outputs, jnp.float32(tau), step)


@functools.partial(jax.jit, static_argnums=0)
def _population_descent(sizes, keys, directions, outputs, tau, step):
    dimension, neurons, batch, steps = sizes
    apply = two_layer("relu")

    def one(key, direction, output):
        start = initial(key, dimension, neurons, doubled=True, dtype=jnp.float32)

        def loss(params, x):
            target = jnp.maximum(x @ direction.T, 0) @ output[:, None] / 200
            return 0.5 * jnp.mean((apply(params, x) / neurons - target) ** 2)

        def update(number, carried):
            params, total, scale = carried
            x = jax.random.normal(jax.random.fold_in(key, number), (batch, dimension), jnp.float32)
            x = x / jnp.linalg.norm(x, axis=1, keepdims=True)
            value, (hidden, readout) = jax.value_and_grad(loss)(params, x)
            # Per neuron: the mean over neurons is undone, as in the mean-field time scale.
            rates = (step * neurons * dimension, step * neurons)
            params = (
                {"weight": params[0]["weight"] - rates[0] * hidden["weight"]},
                {"weight": params[1]["weight"] - rates[1] * readout["weight"]},
            )
            late = number >= steps - steps // 10
            zero = jax.tree.map(jnp.zeros_like, params)
            return params, total + late * value, scale + late * loss(zero, x)

        zeros = jnp.zeros((), jnp.float32)
        _, total, scale = jax.lax.fori_loop(0, steps, update, (scaled(start, tau), zeros, zeros))
        return total / scale

    return jax.vmap(one)(keys, directions, outputs)


@functools.lru_cache(maxsize=64)
def _widths(exponent, step, dimension, neurons, points, steps, seeds):
    x, y, test_x, test_y = _regression("widths", dimension, points, seeds, factor=100.0)
    keys = random.keys(seeds, "chizat2019", "widths", "weights", neurons)
    start = jax.vmap(
        lambda key: initial(key, dimension, neurons, doubled=False, dtype=jnp.float32)
    )(keys)
    # alpha sum_j phi_j learns y as sum_j phi_j learns y / alpha, and F_alpha is its loss.
    alpha = float(neurons) ** exponent
    trained = gradient_descent(
        two_layer("relu"),
        start,
        x,
        y / alpha,
        loss=squared_error("mean"),
        learning_rate=step,
        record=[steps],
        observe=_test_loss,
        context=(test_x, test_y / alpha),
        seeds=True,
        shared_data=False,
    )
    return np.asarray(trained.observed)[:, -1] * alpha**2
