"""Networks of equation 1 with a scale in front, their kernels, and what is watched in training."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk import architecture, random
from widenets.ntk.empirical import dense_kernels

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


def kernels(model: Model, params, x, kind: str = "trace"):
    """Empirical (nngp, ntk) of one network, between all rows of x."""
    measured = dense_kernels(network(model), params["layers"], x, kind=kind)
    return jax.tree.map(lambda kernel: params["scale"] ** 2 * kernel, measured)


@functools.cache
def _shapes(model: Model, input_shape: tuple[int, ...]):
    net = network(model)
    return jax.eval_shape(lambda key: net.init(key, input_shape), jax.random.key(0))


def weights(
    model: Model,
    input_shape,
    seeds: tuple[int, ...],
    *names,
    mean_field: bool = False,
    networks: int = 1,
):
    """Parameters of `networks` networks per seed (seeds times networks, those of a seed together),
    drawn by NumPy into the shapes of its `init`.

    That saves compiling `init` for every width. In NTK parameterization every entry is N(0, 1);
    in standard parameterization its standard deviation is sigma / sqrt(fan_in), of biases sigma_b.
    """
    one = _shapes(model, tuple(input_shape))
    stream = ("lee2019", "weights", *names, *model, mean_field)
    generators = [random.generator(seed, *stream) for seed in seeds]

    def draw(path, leaf):
        deviation = 1.0
        if model.parameterization == "standard":
            name = path[-1].key
            variance = VARIANCES[model.activation][f"{name}_variance"]
            deviation = np.sqrt(variance / leaf.shape[0] if name == "weight" else variance)
        shape = (networks, *leaf.shape)
        drawn = [g.standard_normal(shape, np.float32) for g in generators]
        return np.concatenate(drawn) * np.float32(deviation)

    scale = 1 / np.sqrt(model.width) if mean_field else 1.0
    return {
        "layers": jax.tree_util.tree_map_with_path(draw, one),
        "scale": np.full(len(seeds) * networks, scale, np.float32),
    }


def keep_neurons(params, neurons: int):
    """Networks of one hidden layer with `neurons` neurons, in the arrays of wider ones.

    For odd nonlinearities without biases: neurons whose weights are zero add nothing to f, and
    their gradients are zero. So narrow networks are trained in the compiled program of wide ones.
    """
    hidden, activation, readout = params["layers"]
    width = readout["weight"].shape[1]
    kept = np.arange(width) < neurons
    layers = (
        {"weight": hidden["weight"] * kept},
        activation,
        {"weight": readout["weight"] * kept[:, None]},
    )
    return {"layers": layers, "scale": params["scale"] * np.float32(np.sqrt(width / neurons))}


def learning_rates(params, rate):
    """The learning rate of every leaf: `rate` for all weights and biases, 0 for the scale."""
    return {"layers": jax.tree.map(lambda _: rate, params["layers"]), "scale": 0.0}


def distance(params, initial):
    """Euclidean distance in parameter space, one number."""
    squares = jax.tree.map(lambda p, q: jnp.sum((p - q) ** 2), params, initial)
    return jnp.sqrt(sum(jax.tree.leaves(squares)))


@functools.cache
def watch_outputs(model: Model):
    outputs = apply(model)
    return lambda params, _, points: jnp.squeeze(outputs(params, points))


@functools.cache
def watch_distance(model: Model):
    outputs = apply(model)
    return lambda params, initial, points: (
        outputs(params, points)[:, 0],
        distance(params, initial),
    )


@functools.cache
def watch_kinks(model: Model):
    def observe(params, _, points):
        layer, sigma = params["layers"][0], VARIANCES[model.activation]
        h = np.sqrt(sigma["weight_variance"] / points.shape[1]) * points[:8] @ layer["weight"]
        if "bias" in layer:
            h = h + np.sqrt(sigma["bias_variance"]) * layer["bias"]
        return kernels(model, params, points).ntk, h > 0

    return observe


@functools.cache
def watch_drift(model: Model, train: int):
    outputs = apply(model)

    def observe(params, initial, points):
        measured = kernels(model, params, points[:train])
        moved = [
            jnp.linalg.norm(now["weight"] - before["weight"]) / jnp.linalg.norm(before["weight"])
            for now, before in zip(params["layers"][::2], initial["layers"][::2], strict=True)
        ]
        far = distance(params, initial)
        return outputs(params, points)[:, 0], *measured, jnp.stack(moved), far

    return observe
