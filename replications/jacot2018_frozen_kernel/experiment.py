"""What is run: every part of the replication of Jacot, Gabriel & Hongler (2018).

One function per table. Rows carry the theory's prediction beside the measurement. Arms share no
randomness: the arm's name is part of the name of every stream (closed forms are deterministic and
share their points). Widths of one seed share their data, never their weights, so that slopes over
the width compare equal tasks.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np
from scipy.stats import norm

from replications.jacot2018_frozen_kernel.images import (
    Components,
    components,
    outputs_at,
    start_on_images,
)
from replications.jacot2018_frozen_kernel.initial_law import (
    draw_kernels,
    draw_networks,
    relu_excess_kurtosis,
)
from replications.jacot2018_frozen_kernel.limit_law import Law, gaussian_law
from replications.jacot2018_frozen_kernel.network import (
    ACTIVATIONS,
    COST,
    batches,
    classical_scales,
    draw,
    network,
)
from replications.jacot2018_frozen_kernel.setting import (
    ANGLES,
    BETA,
    FOUR_ANGLES,
    HIDDEN_LAYERS,
    target,
)
from replications.jacot2018_frozen_kernel.trajectories import (
    CIRCLE,
    outputs_on_circle,
    train,
    training_inputs,
)
from widenets.ntk.architecture import dense, residual, serial
from widenets.ntk.data import circle, sphere
from widenets.ntk.dynamics import (
    critical_learning_rate,
    eigensystem,
    gradient_descent,
    kernel_flow,
    mode_decay,
)
from widenets.ntk.random import generator

INITIAL_POINTS = circle(np.linspace(-np.pi, np.pi, 8, endpoint=False) + 0.3)
# Parts whose arms share draws, and why.
PAIRED = {
    "definiteness": "closed forms of several kernels at the same points",
    "skip_connection": "closed forms of several kernels at the same points",
}
P90 = norm.ppf(0.9)  # in units of the standard deviation


# -- initialization: Proposition 1 and Theorem 1 ---------------------------------------------


def output_law(*, arm: str, activation: str, width: int, draws: int, seeds: tuple[int, ...]):
    """Covariance and fourth moment of f at initialization against the Gaussian limit (Prop. 1).

    E f^4 = 3 E q^2, with q the variance of f given the last hidden layer: exact, and less noisy.
    arms: theory; no_bias: the covariance without the biases; shallower: the fourth moment of one
    hidden layer fewer.
    """
    x = INITIAL_POINTS[:4]
    limit = network(activation, beta=0.0 if arm == "no_bias" else BETA).limit(x)
    precision = np.linalg.inv(limit.nngp)
    first = (x @ x.T / 2 + BETA**2)[0, 0]
    predicted = relu_excess_kurtosis(width, HIDDEN_LAYERS - (arm == "shallower"), first)
    for seed in seeds:
        stream = generator(seed, "output_law", arm, activation, width)
        drawn = draw_networks(stream, x, activation=activation, width=width, draws=draws)
        f, q = drawn.outputs[:, 0], np.einsum("sii->si", drawn.grams[-1])
        yield {
            "seed": seed,
            "covariance": np.einsum("si,ij,sj->", f, precision, f) / f.size,
            "excess_kurtosis": 3 * (np.mean(q**2) / np.mean(q) ** 2 - 1),
            "excess_predicted": predicted,
        }


def initial_kernel(
    *, arm: str, activation: str, width: int, outputs: int, draws: int, seeds: tuple[int, ...]
):
    """Distance of Theta at initialization from its limit, `draws` networks per seed (Theorem 1).

    arms: theory; readout_kernel: the limit of the last layer's part alone (Sigma^(L)); coupled: the
    limit without the factor Id between outputs; two_percent: the limit times 1.02; classical:
    derivatives of the classical parameterization, W ~ N(0, 1/n), b ~ N(0, beta^2).
    projection: <mean of Theta, limit> / |limit|^2, linear in Theta.
    """
    x = INITIAL_POINTS[::2]  # right angles: less alike than the others, which cost twice as much
    limits = network(activation).limit(x)
    limit = limits.nngp if arm == "readout_kernel" else limits.ntk
    between = np.ones((outputs, outputs)) if arm == "coupled" else np.eye(outputs)
    limit = np.einsum("op,ij->oipj", between, limit) * (1.02 if arm == "two_percent" else 1.0)
    size = np.linalg.norm(limit)
    for seed in seeds:
        stream = generator(seed, "initial_kernel", arm, activation, width, outputs)
        drawn = draw_kernels(
            stream, x, activation=activation, width=width, draws=draws, outputs=outputs
        )
        kernels = np.concatenate(
            [k.classical(x.shape[1], width) if arm == "classical" else k.total for k in drawn]
        )
        scatter = np.var(kernels, axis=0, ddof=1).sum()
        yield {
            "seed": seed,
            "distance": np.sqrt(np.mean(np.sum((kernels - limit) ** 2, axis=(1, 2, 3, 4)))) / size,
            "fluctuation": np.sqrt(scatter) / size,
            "projection": np.sum(kernels.mean(axis=0) * limit) / size**2,
            "trace": np.einsum("soioi->", kernels) / (draws * np.einsum("oioi->", limit)),
        }


def initial_moments(
    *,
    arm: str,
    activation: str,
    hidden_layers: int,
    width: int,
    draws: int,
    seeds: tuple[int, ...],
):
    """Mean and variance of Theta at initialization, where they are known in closed form.

    arms: theory; small_readout: readout weights ~ N(0, 1/n) on top of the factor 1/sqrt(n), a
    popular double scaling.
    """
    x = INITIAL_POINTS[:4]
    limit = network(activation, hidden_layers=hidden_layers).limit(x).ntk
    first = (x @ x.T / 2 + BETA**2)[0, 0]
    shape = limit / limit[0, 0]
    neighbours = np.arange(len(x) - 1), np.arange(1, len(x))  # biases of wide angles change sign
    for seed in seeds:
        stream = generator(seed, "initial_moments", arm, activation, hidden_layers, width)
        drawn = draw_kernels(
            stream, x, activation=activation, width=width, draws=draws, hidden_layers=hidden_layers
        )
        kernels = np.concatenate(
            [k.small_readout(width) if arm == "small_readout" else k.total for k in drawn]
        )[:, 0, :, 0]
        diagonal = np.einsum("sii->si", kernels)
        # Theta(x, x) is unbiased for ReLU and correlated with Theta(x, x'): it removes noise.
        common = (diagonal[:, :, None] + diagonal[:, None, :]) / 2
        bias = np.mean(kernels - shape * common, axis=0)[neighbours] / limit[0, 0]
        yield {
            "seed": seed,
            "mean": diagonal.mean() / limit[0, 0],
            "scaled_variance": width * diagonal.var(axis=0, ddof=1).mean() / (3 * first**2),
            "shape_bias": np.abs(bias.mean()),
        }


# -- training: Theorem 2, Figure 1, Section 5, Remark 4 ---------------------------------------


def training(
    *, arm: str, activation: str, width: int, steps: tuple[int, ...], seeds: tuple[int, ...]
):
    """The kernel, the residuals and the weights in the course of training (see trajectories.py).

    arms: theory; mean_field: targets times sqrt(width / 64), which is what a network scaled by
    1/sqrt(n) and trained with a rate ~ n amounts to; readout_only: only the last layer trains;
    readout_kernel: residuals held against the flow of Sigma^(L); linearized: the Taylor expansion.
    fitted: how far the parameters of an infinitely wide network move from the same f_0, per unit of
    the amplitude.
    """
    amplitude = np.sqrt(width / 64) if arm == "mean_field" else 1.0
    runs = train(
        arm=arm, activation=activation, width=width, steps=steps, seeds=seeds, amplitude=amplitude
    )
    for run in runs:
        limit = network(activation).limit(np.concatenate([CIRCLE, run.inputs]))
        start = jax.tree.map(lambda values: values[0], run.watched)
        of_flow = limit.nngp if arm == "readout_kernel" else limit.ntk
        error = _flow_error(run, steps, of_flow[32:, 32:])
        fitted = _fitted(run, steps, limit.ntk[32:, 32:]) / amplitude
        trained = start.nngp if arm == "readout_only" else start.ntk
        ntk_limit, nngp_limit = (kernel[:32, :32] for kernel in (limit.ntk, limit.nngp))
        for k, step in enumerate(steps):
            now = jax.tree.map(lambda values, k=k: values[k], run.watched)
            inflation = np.trace(now.ntk) / np.trace(start.ntk) - 1
            yield {
                "seed": run.seed,
                "step": step,
                "drift": _relative(now.ntk, start.ntk),
                "distance": _relative(now.ntk, ntk_limit),
                "inflation": inflation,
                "scaled_inflation": width * inflation,
                "lower_share": _lower_share(trained, start.nngp),
                "lower_share_limit": _lower_share(ntk_limit, nngp_limit),
                "activation_change": now.activation_change,
                "hidden_change": now.hidden_change,
                "flow_error": error[k],
                "fitted": fitted[k],
            }


def kernel_profile(
    *, arm: str, activation: str, width: int, steps: tuple[int, ...], seeds: tuple[int, ...]
):
    """Theta(x_0, x) around the circle, x_0 = (1, 0), at `steps` of training (Figure 1)."""
    center = int(np.argmin(np.abs(ANGLES)))
    limit = network(activation).limit(CIRCLE).ntk[center]
    for run in train(arm=arm, activation=activation, width=width, steps=steps, seeds=seeds):
        for k, step in enumerate(steps):
            for point, gamma in enumerate(ANGLES):
                yield {
                    "seed": run.seed,
                    "step": step,
                    "gamma": gamma,
                    "ntk": run.watched.ntk[k, center, point],
                    "ntk_limit": limit[point],
                }


def _relative(kernel: np.ndarray, reference: np.ndarray) -> float:
    return float(np.linalg.norm(kernel - reference) / np.linalg.norm(reference))


def _lower_share(ntk: np.ndarray, nngp: np.ndarray) -> float:
    """Share of the layers below the readout in the trace of Theta."""
    return 1 - float(np.trace(nngp) / np.trace(ntk))


def _flow_error(run, steps, kernel: np.ndarray) -> np.ndarray:
    """|r_t - (1 - kernel/N)^t r_0| / |r_0| on the training inputs, at each step (Section 5)."""
    outputs, start = run.watched.outputs, run.watched.outputs[0]
    flow = kernel_flow(
        kernel, run.targets, steps, normalization="mean", method="descent", initial=start
    ).train[:, :, 0]
    return np.linalg.norm(outputs - flow, axis=1) / np.linalg.norm(start - run.targets)


def _fitted(run, steps, kernel: np.ndarray) -> np.ndarray:
    """|theta_t - theta_0| of the linear model of a kernel, (T,): its square is
    r_0^T (1 - (1 - kernel/N)^t)^2 kernel^-1 r_0."""
    system = eigensystem(kernel)
    parts = system.vectors.T @ (run.watched.outputs[0] - run.targets)
    left, response = mode_decay(system.values, steps, 1 / len(kernel), "descent")
    return np.sqrt(((1 - left) * response) @ parts**2)


def weights(*, arm: str, width: int, steps: int, seeds: tuple[int, ...]):
    """How far the parameters move in the training of Figure 1.

    arms: theory; one_hidden_layer; classical: W ~ N(0, 1/n), trained with the rate 1/width.
    """
    classical = arm == "classical"
    hidden_layers = 1 if arm == "one_hidden_layer" else HIDDEN_LAYERS
    style = "standard" if classical else "ntk"
    net = network("relu", width, hidden_layers, parameterization=style)
    for batch in batches(seeds, width):
        x = training_inputs(batch, "weights", arm).astype(np.float32)
        params = draw(net, 2, batch, "weights", arm, width)
        if classical:
            params = _times(params, classical_scales(params))
        result = gradient_descent(
            net.whole.apply,
            params,
            x,
            target(x)[..., None],
            loss=COST,
            learning_rate=1 / width if classical else 1.0,
            record=[steps],
            seeds=True,
            shared_data=False,
        )
        moved = jax.tree.leaves(jax.tree.map(np.subtract, result.params, params))
        count = sum(change[0].size for change in moved)
        for k, seed in enumerate(batch):
            distance = np.sqrt(sum(np.sum(change[k] ** 2, dtype=np.float64) for change in moved))
            yield {"seed": seed, "distance": distance, "rms": distance / np.sqrt(count)}


def parameterizations(*, arm: str, width: int, steps: int, seeds: tuple[int, ...]):
    """The same networks trained in both parameterizations, in float64 (Remark 1).

    arms: theory: in classical coordinates each tensor has the rate 1 times the square of its
    factor, 1/sqrt(n_l) or beta; single_rate: all have the rate 1/width.
    """
    x = training_inputs(seeds, "parameterizations", arm)
    params = draw(network("relu", width), 2, seeds, "parameterizations", arm, dtype=np.float64)
    scales = classical_scales(params)
    rates = jax.tree.map(lambda s: s**2 if arm == "theory" else 1 / width, scales)

    def outputs(style, start, rate):
        run = gradient_descent(
            network("relu", width, parameterization=style).whole.apply,
            start,
            x,
            target(x)[..., None],
            loss=COST,
            learning_rate=rate,
            record=[steps],
            observe=outputs_on_circle(width, style),
            seeds=True,
            shared_data=False,
        )
        return np.asarray(run.observed)[:, 0]

    new = outputs("ntk", params, 1.0)
    classical = outputs("standard", _times(params, scales), rates)
    for k, seed in enumerate(seeds):
        gap = np.max(np.abs(new[k] - classical[k])) / np.sqrt(np.mean(new[k] ** 2))
        yield {"seed": seed, "difference": gap}


def _times(params, scales):
    return jax.tree.map(lambda leaf, scale: (scale * leaf).astype(leaf.dtype), params, scales)


def descent(*, arm: str, width: int, steps: int, seeds: tuple[int, ...]):
    """Steps at which the cost rises (Section 3: along the flow it strictly decreases).

    The rate is a quarter of the largest at which the limit is stable. arms: theory; too_fast: twice
    that largest rate. erf and not relu: where a relu network settles on a kink it crosses it to and
    fro, and the cost rises by up to .3 % at steps of every size.
    """
    net = network("erf", width)
    for batch in batches(seeds, width):
        x = training_inputs(batch, "descent", arm)
        critical = [
            critical_learning_rate(network("erf").limit(of_seed).ntk, normalization="mean")
            for of_seed in x
        ]
        params = draw(net, 2, batch, "descent", arm, width)
        rate = (2.0 if arm == "too_fast" else 0.25) * np.array(critical)
        result = gradient_descent(
            net.whole.apply,
            params,
            x.astype(np.float32),
            target(x)[..., None].astype(np.float32),
            loss=COST,
            learning_rate=jax.tree.map(lambda _, rate=rate: rate, params),
            record=range(steps + 1),
            seeds=True,
            shared_data=False,
        )
        rises = np.asarray(result.loss[:, 1:] > result.loss[:, :-1])
        for k, seed in enumerate(batch):
            yield {"seed": seed, "rises": int(rises[k].sum())}


def limit_law(
    *,
    arm: str,
    activation: str,
    width: int,
    learning_rate: float,
    steps: int,
    seeds: tuple[int, ...],
):
    """Networks trained on four points of the circle against the Gaussian of Section 5 (Figure 2).

    inside: the share of the circle's points at which f lies between the predicted P10 and P90.
    position: where f, less what remains of its own f_0 (of mean zero), lies on the way from the
    mean m of the arm's law (0) to that of the other regression (m', 1): sum (f - m)(m' - m) / sum
    (m' - m)^2 over the circle; linear in f. left: (f - m)^2 over the prior's variance, mean over
    the four points, or in the arm off_data over the circle.
    arms: theory and off_data: mean P_t f*, covariance of f_0 - P_t f_0; nngp_posterior: the
    posterior of a Gaussian process with covariance Sigma^(L).
    """
    training = {"activation": activation, "learning_rate": learning_rate, "steps": steps}
    law = _law_on_circle(arm, **training)
    way = law.other_mean - law.mean
    for trained in _trained_on_four("limit_law", arm, width=width, seeds=seeds, **training):
        f = trained.outputs
        position = (f - law.remains @ trained.start - law.mean) @ way / (way @ way)
        on_circle = np.mean((f - law.mean) ** 2 / law.prior)
        yield {
            "seed": trained.seed,
            "inside": np.mean(np.abs(f - law.mean) <= P90 * law.deviation),
            "position": position,
            "left": on_circle if arm == "off_data" else 2 * trained.loss / law.prior_at_data,
        }


def limit_functions(
    *, arm: str, width: int, learning_rate: float, steps: int, seeds: tuple[int, ...]
):
    """The functions of a few networks trained as in `limit_law`, with the predicted band."""
    training = {"activation": "relu", "learning_rate": learning_rate, "steps": steps}
    law = _law_on_circle(arm, **training)
    for trained in _trained_on_four("limit_functions", arm, width=width, seeds=seeds, **training):
        for point, gamma in enumerate(ANGLES):
            yield {
                "seed": trained.seed,
                "gamma": gamma,
                "f": trained.outputs[point],
                "p50": law.mean[point],
                "p90_minus_p50": P90 * law.deviation[point],
            }


def _law_on_circle(arm: str, **training) -> Law:
    """The law on the circle after training on the four points."""
    x = circle(FOUR_ANGLES)
    return gaussian_law(arm, x, target(x), CIRCLE, **training)


class TrainedOnFour(NamedTuple):
    """One network: f_0 on the circle and the data, (36,); f on the circle after training, (32,);
    its cost."""

    seed: int
    start: np.ndarray
    outputs: np.ndarray
    loss: float


def _trained_on_four(
    part: str, arm: str, *, activation: str, width: int, learning_rate: float, steps: int, seeds
) -> Iterator[TrainedOnFour]:
    x = circle(FOUR_ANGLES)
    net = network(activation, width)
    for batch in batches(seeds, width):
        result = gradient_descent(
            net.whole.apply,
            draw(net, 2, batch, part, arm, activation, width),
            x.astype(np.float32),
            target(x)[:, None].astype(np.float32),
            loss=COST,
            learning_rate=learning_rate,
            record=[0, steps],
            observe=outputs_at(activation, width),
            context=np.concatenate([CIRCLE, x]).astype(np.float32),
            seeds=True,
        )
        start, last = np.moveaxis(np.asarray(result.observed, np.float64), 1, 0)
        losses = np.asarray(result.loss, np.float64)[:, -1]
        for seed, *of_seed, loss in zip(batch, start, last[:, :-4], losses, strict=True):
            yield TrainedOnFour(seed, *of_seed, float(loss))


# -- principal components: Section 6.3, Figure 3 ----------------------------------------------


def spectrum(
    *, arm: str, dataset: str, images: int, beta: float, seeds: tuple[int, ...], data_dir=None
):
    """Eigenvalues of Theta_infinity on images, beside those at beta = 0.1 (footnote 3)."""
    for seed in seeds:
        here, reference = (
            components(seed, arm, dataset, images, bias, data_dir).eigenvalues
            for bias in (beta, BETA)
        )
        for rank in range(30):
            yield {
                "seed": seed,
                "rank": rank + 1,
                "eigenvalue": here[rank],
                "eigenvalue_reference": reference[rank],
            }


def plane(*, arm: str, dataset: str, images: int, seeds: tuple[int, ...], data_dir=None):
    """The images in the plane of the second and third component (Figure 3a)."""
    for seed in seeds:
        found = components(seed, arm, dataset, images, BETA, data_dir)
        for label, second, third in zip(found.labels, *found.vectors.T[1:3], strict=True):
            yield {"seed": seed, "label": label, "second": second, "third": third}


def component(
    *,
    arm: str,
    dataset: str,
    images: int,
    width: int,
    amplitude: float,
    steps_per_decay: int,
    times: tuple[float, ...],
    seeds: tuple[int, ...],
    data_dir=None,
):
    """Descent to f* = f_0 + amplitude f^(2), at `times` in units of 1/lambda_2 (Figure 3b, c).

    A seed draws its images and its networks; the learning rate is (1 - e^(-1/steps_per_decay)) /
    lambda_2 of its images, so that the limit's component f^(2) falls by e in steps_per_decay steps.
    g is the component along f^(2) of what is still to be learned, h what has left that line, both
    in units of the amplitude. own_rate: <direction, Theta(0) direction> of the network's own kernel
    over lambda_2; its mean is 1 but for a bias of order 1/n. arms: theory; not_a_component: (f^(2)
    + f^(10)) / sqrt 2 instead of f^(2); mean_field: the amplitude grows as sqrt(width / 64);
    small_target: as theory, named apart because its amplitude is small.
    """
    scale = amplitude * (np.sqrt(width / 64) if arm == "mean_field" else 1.0)
    left = np.exp(-1 / steps_per_decay)  # of f^(2) after one step in the limit
    steps = [round(time * steps_per_decay) for time in times]
    for batch in batches(seeds, width):
        drawn = [components(seed, arm, dataset, images, BETA, data_dir) for seed in batch]
        directions = np.stack([_direction(arm, found) for found in drawn])
        of_seeds, own = _learned(
            arm, width, amplitude, batch, drawn, scale * directions, left, steps
        )
        of_batch = zip(batch, of_seeds / scale, directions, own / scale**2, strict=True)
        for seed, to_learn, direction, own_rate in of_batch:
            g = to_learn @ direction / images
            h = np.sqrt(np.mean((to_learn - g[:, None] * direction) ** 2, axis=-1))
            for r, step in enumerate(steps):
                yield {
                    "seed": seed,
                    "step": step,
                    "time": times[r],
                    "g": g[r],
                    "g_limit": left**step,
                    "h": h[r],
                    "rate": np.log(np.abs(g[r])) / (step * np.log(left)) if step else 1.0,
                    "own_rate": own_rate,
                }


def _direction(arm: str, found: Components) -> np.ndarray:
    """The function to be learned, (N,), of norm 1."""
    if arm == "not_a_component":
        return (found.vectors[:, 1] + found.vectors[:, 9]) / np.sqrt(2)
    return found.vectors[:, 1]


def _learned(
    arm, width, amplitude, batch, drawn, targets, left, steps
) -> tuple[np.ndarray, np.ndarray]:
    """f* - f at the recorded steps, (seeds, steps, N), in training to f* = f_0 + targets; and
    <targets, Theta(0) targets> over lambda_2, (seeds,)."""
    net = network("relu", width)
    x = np.stack([found.x for found in drawn]).astype(np.float32)
    lambda_2 = np.array([found.eigenvalues[1] for found in drawn])
    params = draw(net, x.shape[2], batch, "component", arm, width, amplitude)
    start, squares = start_on_images(width)(params, x, targets.astype(np.float32))
    goal = np.asarray(start, np.float64) + targets
    result = gradient_descent(
        net.whole.apply,
        params,
        x,
        goal[..., None].astype(np.float32),
        loss=COST,
        learning_rate=jax.tree.map(lambda _: (1 - left) / lambda_2, params),
        record=steps,
        observe=outputs_at("relu", width),
        context=x,
        seeds=True,
        shared_data=False,
    )
    own = np.asarray(squares, np.float64) / lambda_2
    return goal[:, None] - np.asarray(result.observed, np.float64), own


# -- closed forms and the random-function model: Proposition 2, Section 3.1 --------------------


def definiteness(*, arm: str, activation: str, points: int, seeds: tuple[int, ...]):
    """Rank of Theta_infinity^(2) on the sphere S^2 (Proposition 2), beta = 0.1.

    arms: theory; no_hidden_layer: L = 1; square: sigma(x) = x^2, a polynomial;
    antipodal_with_bias: points in pairs x, -x; antipodal: the same with beta = 0.
    """
    for seed in seeds:
        x = sphere(generator(seed, "definiteness"), points, 3)
        x = np.concatenate([x[::2], -x[::2]]) if arm.startswith("antipodal") else x
        kernel = network(
            "square" if arm == "square" else activation,
            hidden_layers=0 if arm == "no_hidden_layer" else 1,
            beta=0.0 if arm == "antipodal" else BETA,
        ).limit(x)
        values = np.linalg.eigvalsh(kernel.ntk)
        rank = int(np.sum(values > 1e-12 * values[-1]))
        yield {"seed": seed, "missing_rank": points - rank, "condition": values[0] / values[-1]}


def random_functions(*, arm: str, functions: int, draws: int, seeds: tuple[int, ...]):
    """The model f = P^-1/2 sum theta_p f^(p), f^(p) ~ GP(0, K) (Section 3.1).

    Its tangent kernel is sum_p f^(p) f^(p)^T / P. arms: theory; shared_part: each f^(p) has the
    covariance K, but half of it comes from one function that all share.
    """
    kernel = network("relu").limit(INITIAL_POINTS).ntk
    root = np.linalg.cholesky(kernel)
    for seed in seeds:
        stream = generator(seed, "random_functions", arm, functions)
        f = stream.standard_normal((draws, functions, len(kernel)))
        if arm == "shared_part":
            f = (f + stream.standard_normal((draws, 1, len(kernel)))) / np.sqrt(2)
        f = f @ root.T
        found = np.swapaxes(f, 1, 2) @ f / functions
        squares = np.sum((found - kernel) ** 2, axis=(1, 2))
        yield {"seed": seed, "distance": np.sqrt(np.mean(squares)) / np.linalg.norm(kernel)}


def skip_connection(*, arm: str, activation: str, points: int, seeds: tuple[int, ...]):
    """NTK of h + branch(h), h = one dense layer, minus the branch's, against a rule for the rest.

    arms: theory: the skip adds the kernel of what it carries; inner_product: it adds <x, x'>/d.
    """
    width = 1  # plays no part in the limit
    stem = dense(width, 1.0, BETA**2)
    branch = serial(ACTIVATIONS[activation], dense(width, 1.0, BETA**2))
    for seed in seeds:
        x = sphere(generator(seed, "skip_connection"), points, 3)
        whole = serial(stem, residual(branch)).kernel(x).ntk
        added = np.asarray(whole - serial(stem, branch).kernel(x).ntk)
        rule = np.asarray(stem.kernel(x).ntk) if arm == "theory" else x @ x.T / x.shape[1]
        yield {"seed": seed, "error": np.max(np.abs(added - rule)) / np.max(np.abs(added))}
