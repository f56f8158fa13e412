"""What is measured. A seed is a block of networks: single kernels have heavy tails.

Networks, closed forms and recursions are float64; the derivatives of neurons (`tower`) are computed
in float32 and summed in float64.
"""

from collections.abc import Iterator

import numpy as np

from replications.hanin2019_finite_width import catapult as large_rates
from replications.hanin2019_finite_width import deep_tower, networks, neurons
from replications.hanin2019_finite_width import moments as laws
from widenets.ntk import data
from widenets.ntk.random import generator

FLOW_STEPS = 8  # Runge-Kutta steps of every flow, the same for the network and its truncations


def moments(
    *, arm: str, activation: str, widths: tuple[int, ...], networks_per_seed: int,
    seeds: tuple[int, ...], observable: str = "kernel", read_as: str = "relu",
    alive: bool = False,
) -> Iterator[dict]:  # fmt: skip
    """Mean and mean square of Theta(x, x) / d or of A_d, beside the exact mean square.

    observable: kernel, or activity, A_d = |x^(d-1)|^2 / n_(d-1). read_as: whose formula stands in
    `exact`. alive: means over the networks whose kernel is not 0. claimed: e^(5 beta).
    """
    depth, beta = len(widths) + 1, sum(1 / n for n in widths)
    exact = {
        "kernel": laws.kernel_second_moment(widths, read_as) / depth**2,
        "activity": laws.growth(widths, read_as),
    }[observable]
    for seed in seeds:
        stream = generator(seed, "hanin", "moments", arm, *widths)
        found = networks.passes(networks.draw(stream, widths, networks_per_seed), activation)
        if observable == "kernel":
            values = networks.kernel(found, found) / depth
        else:
            values = (found.inputs[-1] ** 2).mean(axis=1)
        values = values[values > 0] if alive else values
        yield {
            "seed": seed,
            "depth": depth,
            "width": widths[0],
            "beta": beta,
            "mean": values.mean(),
            "square": (values**2).mean(),
            "exact": exact,
            "claimed": np.exp(laws.exponent_constant(read_as) * beta),
        }


def opposite(
    *, arm: str, width: int, networks_per_seed: int, seeds: tuple[int, ...],
    observable: str = "mean", read_as: str = "closed_form",
) -> Iterator[dict]:  # fmt: skip
    """Theta(x, -x) of relu networks with two hidden layers, beside its exact mean or its limit.

    excess: of the limit 1 / pi over the mean, or the standard deviation, in units of the limit.
    """
    predicted = laws.opposite_kernel_mean(width) if read_as == "closed_form" else 1 / np.pi
    for seed in seeds:
        stream = generator(seed, "hanin", "opposite", arm, width)
        weights = networks.draw(stream, (width, width), networks_per_seed)
        values = networks.kernel(
            networks.passes(weights, "relu"), networks.passes(weights, "relu", -1.0)
        )
        deviation, gap = np.pi * values.std(), 1 - np.pi * values.mean()
        excess = deviation if observable == "deviation" else gap
        yield {
            "seed": seed,
            "mean": values.mean(),
            "predicted": predicted,
            "excess": excess,
        }


def law(
    *, arm: str, activation: str, layers: int, width: int, quantity: str, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """The closed forms at `layers` hidden layers of one width, relative to powers of E Theta = d.

    quantity: variance, Var Theta / (E Theta)^2; deviation, its root; square, E Theta^2 / (E
    Theta)^2; velocity, E[f O_3] / (E Theta)^2; speed, E[f O_3] / E Theta. limit: of the variance
    for d and n to infinity at this beta.
    """
    widths = (width,) * layers
    variance = laws.relative_variance(widths, activation)
    velocity = laws.velocity(widths, activation) / (layers + 1) ** 2
    value = {
        "variance": variance,
        "deviation": np.sqrt(variance),
        "square": 1 + variance,
        "velocity": velocity,
        "speed": velocity * (layers + 1),
    }[quantity]
    for seed in seeds:
        yield {
            "seed": seed,
            "depth": layers + 1,
            "beta": layers / width,
            "value": value,
            "limit": laws.relative_variance_limit(layers / width, activation),
        }


def velocity(
    *, arm: str, activation: str, widths: tuple[int, ...], networks_per_seed: int,
    seeds: tuple[int, ...], read_as: str = "relu",
) -> Iterator[dict]:  # fmt: skip
    """Mean of f O_3 beside its exact value, and the largest misfit of O_3 = 4 c f / n_1.

    misfit: max |O_3 - 4 c f / n_1| / max |O_3| over the networks of the block; 0 at d = 2.
    """
    constant = 4 / laws.OPEN[read_as] / widths[0]
    for seed in seeds:
        stream = generator(seed, "hanin", "velocity", arm, *widths)
        weights = networks.draw(stream, widths, networks_per_seed)
        found = networks.passes(weights, activation)
        third = networks.kernel_derivative(weights, found)
        yield {
            "seed": seed,
            "depth": len(widths) + 1,
            "beta": sum(1 / n for n in widths),
            "product": (found.output * third).mean(),
            "exact": laws.velocity(widths, read_as),
            "misfit": np.abs(third - constant * found.output).max() / np.abs(third).max(),
        }


def step(
    *, arm: str, activation: str, width: int, label: float, rate: float, networks_per_seed: int,
    observable: str, seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """How far one step of gradient descent lowers Theta, per unit of the rate, at d = 2.

    observable: switched, what gates that switch add; held, the rest; total.
    """
    for seed in seeds:
        stream = generator(seed, "hanin", "step", arm, width)
        u, w = neurons.draw(stream, networks_per_seed, width)
        found = neurons.first_step(u, w, activation, label, rate)
        found["total"] = found["held"] + found["switched"]
        yield {
            "seed": seed,
            "fall": -found[observable].mean(),
            "predicted": -found["predicted"].mean(),
        }


def tower(
    *, arm: str, layers: int, width: int, networks_per_seed: int, seeds: tuple[int, ...],
    observable: str = "own",
) -> Iterator[dict]:  # fmt: skip
    """Correlation functions of O_1 = f, .., of tanh networks, means over the networks of a block.

    observable: own; other: in `third` stands the deviation of O_2, in `fifth` the root mean square
    of O_3, in `fourth` that of O_5, with two layers the deviation of O_2. With two hidden layers
    the tower ends with O_4.
    """
    orders = 5 if layers == 1 else 4
    for seed in seeds:
        stream = generator(seed, "hanin", "tower", arm, layers, width)
        if layers == 1:
            found = neurons.tanh_tower(*neurons.draw(stream, networks_per_seed, width), orders)
        else:
            found = deep_tower.tanh_tower(stream, networks_per_seed, width, orders)
        deviation, fourth = found[1].std(ddof=1), -found[3].mean()
        third, *fifth = (np.sqrt((of**2).mean()) for of in found[2::2])  # no fifth: two layers
        if observable == "other":
            fourth = fifth[0] if fifth else deviation
            third, fifth = deviation, [third for _ in fifth]
        yield {
            "seed": seed,
            "kernel": found[1].mean(),
            "kernel_deviation": deviation,
            "product": -(found[0] * found[2]).mean(),
            "third": third,
            "fourth": fourth,
            **dict(zip(("fifth",), fifth, strict=False)),
        }


def hierarchy(
    *, arm: str, kept: int, width: int, time: float, networks_per_seed: int,
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """f(t) - f_kept(t) of tanh networks and of the hierarchy that ends with O_kept.

    error: root mean square over the networks of a block; shift: size of the mean.

    The label of every network is f_0 + 1, so that no draw of f_0 blurs how far it has to go.
    """
    for seed in seeds:
        stream = generator(seed, "hanin", "hierarchy", arm, width)
        u, w = neurons.draw(stream, networks_per_seed, width)
        orders = neurons.tanh_tower(u, w, 4)
        output = (w * np.tanh(u)).sum(axis=1) / np.sqrt(width)
        # O_1 of the tower is single precision; a start that differs would be seen as an error.
        orders[0] = output
        flows = (
            neurons.tanh_flow(u, w, output + 1, time, FLOW_STEPS),
            neurons.truncated_flow(orders, kept, output + 1, time, FLOW_STEPS),
        )
        errors = flows[0] - flows[1]
        yield {
            "seed": seed,
            "error": np.sqrt(np.mean(errors**2)),
            "shift": abs(errors.mean()),
        }


def recursion(
    *, arm: str, width: int, factor: float, steps: int, seeds: tuple[int, ...],
    feedback: bool = True,
) -> Iterator[dict]:  # fmt: skip
    """Largest distance over `steps` between a trained linear network and the recursion.

    feedback: with the term eta^2 f^2 / n in the step of f.
    """
    for seed in seeds:
        u, v = generator(seed, "hanin", "recursion", arm).standard_normal((2, 8, width))
        rate = factor / ((u**2).sum(axis=1) + (v**2).sum(axis=1)) * width
        outputs, curvatures = large_rates.descent(u, v, rate, steps)
        f, curvature, distance = outputs[0], curvatures[0], 0.0
        for step in range(1, steps + 1):
            plain = (1 - rate * curvature) * f
            f, curvature = large_rates.recursion(f, curvature, rate, width)
            f = f if feedback else plain
            apart = np.abs(f - outputs[step]).max(), np.abs(curvature - curvatures[step]).max()
            distance = max(distance, *apart)
        yield {"seed": seed, "distance": distance}


def catapult(
    *, arm: str, factor: float, log2_width: int, starts: int, steps: int, seeds: tuple[int, ...],
    read_as: float = 0.0, moment: str = "end",
) -> Iterator[dict]:  # fmt: skip
    """What becomes of starts at eta = factor / lambda_0, over the starts of a block.

    moment: `curvature` is that of the end or that of the last step that raises |f| (peak).
    read_as: the factor whose predicted times stand in `clock` (0: its own).
    """
    width = 2**log2_width
    delta = factor - 2
    for seed in seeds:
        stream = generator(seed, "hanin", "catapult", arm, factor, log2_width)
        f, curvature = large_rates.starts(stream, width, starts)
        rate = factor / curvature
        found = large_rates.course(f, curvature, rate, width, steps, 1e-6)
        settled = found.converged
        height = 2 * rate**2 * found.peak**2 / (width * delta**2)
        yield {
            "seed": seed,
            "width": width,
            "converged": settled.mean(),
            "finite": found.finite.mean(),
            "grew": found.grew.mean(),
            "peak": np.sqrt((found.peak**2).mean()),
            "peak_step": found.peak_step.mean(),
            "clock": 2 * np.log(abs((read_as or factor) - 1)),
            "curvature": (found.curvature if moment == "end" else found.curvature_at_peak).max(),
            "relative": np.abs(found.relative).mean(),
            "flatness": 1 + found.relative.mean(),
            "mirror": (2 - found.curvature).mean() / delta,
            "height": height.mean(),
        }


def course(
    *, arm: str, factor: float, log2_width: int, steps: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """f^2 and eta lambda of one start at every step, until f^2 has fallen below 1e-6."""
    width = 2**log2_width
    for seed in seeds:
        f, curvature = large_rates.starts(generator(seed, "hanin", "course", arm), width, 1)
        rate = factor / curvature
        for step in range(steps + 1):
            loss = float(f[0] ** 2 / 2)
            yield {"seed": seed, "step": step, "loss": loss, "curvature": (rate * curvature)[0]}
            if not 1e-6 < loss < large_rates.DIVERGED * width:
                break
            f, curvature = large_rates.recursion(f, curvature, rate, width)


def relu(
    *, arm: str, images: str, factor: float, points: int, width: int, steps: int,
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """Whether a relu network at eta = factor / lambda_0 converged and whether it stayed finite.

    images: sphere, points and signs at random in 8 dimensions; digits, the classes 0 and 1.
    converged: a loss sum (f - y)^2 / 2 below N / 10; f = 0 has N / 2.
    """
    tasks = [_task(images, points, generator(seed, "hanin", "relu", arm, "data")) for seed in seeds]
    inputs, labels = (np.stack(values) for values in zip(*tasks, strict=True))
    streams = [generator(seed, "hanin", "relu", arm, "weights") for seed in seeds]
    u = np.stack([stream.standard_normal((inputs.shape[2], width)) for stream in streams])
    w = np.stack([stream.standard_normal(width) for stream in streams])
    losses = large_rates.relu_descent(u, w, inputs, labels, factor, steps)
    for seed, loss in zip(seeds, losses, strict=True):
        yield {"seed": seed, "converged": float(loss < points / 10), "finite": float(loss < np.inf)}


def _task(images: str, points: int, stream: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of norm sqrt(d), (points, d), and labels of +-1."""
    if images == "sphere":
        inputs = data.sphere(stream, points, 8)
        return np.sqrt(8) * inputs, stream.choice([-1.0, 1.0], points)
    pixels, classes = data.digits()
    chosen = stream.permutation(np.flatnonzero(classes < 2))[:points]
    inputs = data.flatten_images(pixels[chosen])
    return data.normalize_rows(inputs, np.sqrt(inputs.shape[1])), 2.0 * classes[chosen] - 1
