"""What the parts of the experiment share: data, networks, linearizations of trained networks.

A seed draws its own training and test digits, the same for all widths of the seed, and its own
weights, independent for every network.  Networks are trained in float32, kernels at initialisation
and everything linear are float64.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from shared.ntk import architecture, data, random
from shared.ntk.dynamics import eigensystem, kernel_flow
from shared.ntk.empirical import dense_kernels

ACTIVATIONS = {
    "relu": architecture.relu(),
    "relu_without_bias": architecture.relu(),
    "erf": architecture.erf(),
}
VARIANCES = {  # sigma_w^2, sigma_b^2 as in the paper's experiments with this nonlinearity
    "relu": {"weight_variance": 2.0, "bias_variance": 0.1},
    "relu_without_bias": {"weight_variance": 2.0, "bias_variance": 0.0},
    "erf": {"weight_variance": 1.5, "bias_variance": 0.0},
}
PIXELS = 64
STEP = 0.5  # learning rate in units of eta_critical


class Problem(NamedTuple):
    """points (seeds, N + M, d) of norm sqrt(d), training points first; targets (seeds, N, 1)."""

    points: np.ndarray
    targets: np.ndarray

    @property
    def train(self) -> np.ndarray:
        return self.points[:, : self.targets.shape[1]]


class Start(NamedTuple):
    """Networks before training and their kernels, first axis seeds, float64 but the weights.

    kernel: (seeds, N + M, N) empirical NTK between all points and the training points, or (...,
    O, O) with all outputs; nngp: likewise; outputs: (seeds, N + M, O); spectrum: (seeds, N O)
    ascending eigenvalues on the training points; rate: (seeds,) the learning rate.
    """

    params: tuple
    kernel: np.ndarray
    nngp: np.ndarray
    outputs: np.ndarray
    spectrum: np.ndarray
    rate: np.ndarray


def digits(seeds: tuple[int, ...], train: int, test: int) -> Problem:
    """Digits scaled to |x|^2 = d = 64, labels +1 (even) and -1 (odd), drawn anew for each seed."""
    images = data.digits()
    rows = data.normalize_rows(data.flatten_images(images.images), np.sqrt(PIXELS))
    labels = data.parity(images.labels)
    chosen = [
        random.generator(seed, "lee2019", "digits").permutation(len(rows))[: train + test]
        for seed in seeds
    ]
    targets = np.stack([labels[picked[:train], None] for picked in chosen])
    return Problem(np.stack([rows[picked] for picked in chosen]), targets)


class Model(NamedTuple):
    """A family of networks, hashable: what is compiled once."""

    activation: str
    depth: int
    width: int
    outputs: int = 1
    parameterization: str = "ntk"


@functools.cache
def network(model: Model) -> architecture.Architecture:
    """`depth` hidden layers (equation 1 of the paper, or its standard parameterization)."""
    return architecture.fully_connected(
        depth=model.depth,
        width=model.width,
        outputs=model.outputs,
        activation=ACTIVATIONS[model.activation],
        parameterization=model.parameterization,
        **VARIANCES[model.activation],
    )


@functools.cache
def apply(model: Model):
    """(params, x) -> scale * network; the scale is stored with the layers but never trained.

    It is 1, or 1/sqrt(width) for networks at mean-field scale, which share the compiled program.
    """
    net = network(model)
    return lambda params, x: params["scale"] * net.apply(params["layers"], x)


def kernels(model: Model, params, x1, x2=None, kind: str = "trace"):
    """Empirical (nngp, ntk) of one network."""
    measured = dense_kernels(
        params["layers"],
        x1,
        x2,
        activation=functools.partial(ACTIVATIONS[model.activation].apply, ()),
        parameterization=model.parameterization,
        kind=kind,
        **VARIANCES[model.activation],
    )
    return jax.tree.map(lambda kernel: params["scale"] ** 2 * kernel, measured)


@functools.cache
def before_training(model: Model, kind: str = "trace"):
    """(params, x1, x2) -> (kernels, outputs at x1) in the dtype of x, one seed after the other."""

    def measure(seed):
        params, x1, x2 = seed
        params = jax.tree.map(lambda leaf: leaf.astype(x1.dtype), params)
        return kernels(model, params, x1, x2, kind), apply(model)(params, x1)

    return jax.jit(lambda params, x1, x2: jax.lax.map(measure, (params, x1, x2)))


def weights(model: Model, input_shape, seeds: tuple[int, ...], *names, mean_field: bool = False):
    """Parameters of one network per seed, drawn by NumPy into the shapes of its `init`.

    That saves compiling `init` for every width. In NTK parameterization every entry is N(0, 1);
    in standard parameterization its standard deviation is sigma / sqrt(fan_in), of biases sigma_b.
    """
    net = network(model)
    one = jax.eval_shape(lambda key: net.init(key, input_shape), jax.random.key(0))
    stream = ("lee2019", "weights", *names, *model, mean_field)
    generators = [random.generator(seed, *stream) for seed in seeds]

    def draw(path, leaf):
        deviation = 1.0
        if model.parameterization == "standard":
            name = path[-1].key
            variance = VARIANCES[model.activation][f"{name}_variance"]
            deviation = np.sqrt(variance / leaf.shape[0] if name == "weight" else variance)
        drawn = [g.standard_normal(leaf.shape, np.float32) for g in generators]
        return np.stack(drawn) * np.float32(deviation)

    scale = 1 / np.sqrt(model.width) if mean_field else 1.0
    return {
        "layers": jax.tree_util.tree_map_with_path(draw, one),
        "scale": np.full(len(seeds), scale, np.float32),
    }


def rates(params, rate):
    """The learning rate of every leaf: `rate` for all weights and biases, 0 for the scale."""
    return {"layers": jax.tree.map(lambda _: rate, params["layers"]), "scale": 0.0}


def start(
    model: Model,
    problem: Problem,
    seeds: tuple[int, ...],
    *,
    kind: str = "trace",
    mean_field: bool = False,
) -> Start:
    """Draw the networks of all seeds; rate = STEP * 2 / (l_min + l_max) of each one's own kernel.

    The paper's eta_critical is that of the limit kernel; taking the empirical one keeps narrow
    networks, whose largest eigenvalue fluctuates by tens of per cent, below it as well.
    """
    params = weights(model, problem.points.shape[2:], seeds, mean_field=mean_field)
    measured, outputs = before_training(model, kind)(params, problem.points, problem.train)
    kernel = np.asarray(measured.ntk)
    train = kernel[:, : problem.train.shape[1]]
    if kind == "full":
        size = train.shape[1] * train.shape[3]
        train = np.swapaxes(train, 2, 3).reshape(len(seeds), size, size)
    spectrum = np.linalg.eigvalsh(train)
    rate = STEP * 2 / (spectrum[:, 0] + spectrum[:, -1])
    return Start(params, kernel, np.asarray(measured.nngp), np.asarray(outputs), spectrum, rate)


def limit_kernels(activation: str, depth: int, points: np.ndarray):
    """Analytic (nngp, ntk) between all points of each seed, (seeds, N + M, N + M)."""
    net = network(Model(activation, depth, width=1))
    both = [net.kernel(x) for x in points]
    return tuple(np.stack([np.asarray(k) for k in kind]) for kind in zip(*both, strict=True))


def linear_outputs(kernel, outputs, targets, steps, rate) -> np.ndarray:
    """f_lin after each of `steps` of gradient descent on 1/2 sum r^2: (seeds, T, N + M).

    f_t = f_0 - Theta(., X) Theta^{-1} (1 - (1 - rate Theta)^t) (f_0 - y): the discrete form of
    equations 8-11, exact for descent (exponentials would add an error of the size of the step).
    """
    train = kernel.shape[-1]
    result = []
    for k, f, y, eta in zip(kernel, outputs, targets, rate, strict=True):
        flow = kernel_flow(
            eigensystem(k[:train]),
            y,
            steps,
            normalization="sum",
            learning_rate=eta,
            method="descent",
            initial=f[:train],
            kernel_test=k,
            initial_test=f,
        )
        result.append(flow.test[..., 0])
    return np.stack(result)


def log_steps(last: int, count: int) -> np.ndarray:
    """Step 0 and about `count` others up to `last`, evenly spaced in the logarithm."""
    return np.unique(np.append(0, np.rint(np.geomspace(1, last, count)).astype(int)))


def rms(array, axis=-1):
    return np.sqrt(np.mean(np.square(array), axis=axis))


def relative(change, before) -> float:
    """Frobenius norm of a change in units of the norm before."""
    return float(np.linalg.norm(change) / np.linalg.norm(before))


def distance(params, initial):
    """Euclidean distance in parameter space, one number."""
    squares = jax.tree.map(lambda p, q: jnp.sum((p - q) ** 2), params, initial)
    return jnp.sqrt(sum(jax.tree.leaves(squares)))
