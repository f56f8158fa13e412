"""Residual networks with a final layer normalisation, and their steps under SGD and Adam.

h_0 = x U, h_{l+1} = h_l + m F_l(h_l), f = (LN(h_L) * g) v / n. Weights of all depths are those of
the deepest network: block l of a shallower one is the same, and blocks that it lacks have m = 0,
so that one compilation serves all depths. Arrays are float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.random import generator

INPUTS = 8  # dimension of inputs, which have the norm 1
HIDDEN = ("inner", "outer")  # the weights that `hidden` steps move
BLOCKS = (*HIDDEN, "gain", "bias")  # all that lies in blocks
GROUPS = ("hidden", "gain", "bias", "embedding", "final")
SEEDS_AT_ONCE = 6  # one compilation serves any multiple of it; 12 take 1.1 GB at 64 blocks
TINY = 1e-300  # Adam's epsilon where it shall have none: 0 / TINY is the 0 of an absent block

PHI: dict[str, Callable] = {
    "gelu": partial(jax.nn.gelu, approximate=False),
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
}


@dataclass(frozen=True)
class Shape:
    """Blocks of one place and activation, e.g. two_gelu: W2 phi(W1 (LN(h) * gain + bias)).

    in_tanh: phi(W1 h); inc_relu: phi(W1 h) less its mean over coordinates; out_tanh: W1 phi(h).
    """

    branch: str
    width: int
    deepest: int
    batch: int

    def draw(self, seeds: tuple[int, ...], *names) -> tuple[dict, jax.Array, jax.Array]:
        """Parameters, inputs (seeds, batch, INPUTS) and targets (seeds, batch) of each seed."""
        drawn = [self._draw(generator(seed, "depth", *names)) for seed in seeds]
        return jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *drawn)

    def _draw(self, stream: np.random.Generator) -> tuple[dict, np.ndarray, np.ndarray]:
        n, blocks = self.width, self.deepest
        inputs = stream.standard_normal((self.batch, INPUTS))
        parameters = {
            "embedding": stream.standard_normal((INPUTS, n)),
            "read_out": stream.standard_normal(n),
            "final": np.ones(n),
            "gain": np.ones((blocks, n)),
            "bias": np.zeros((blocks, n)),
            "inner": stream.standard_normal((blocks, n, n)) / np.sqrt(n),
            "outer": stream.standard_normal((blocks, n, n)) * np.sqrt(2 / n),
        }
        targets = stream.standard_normal(self.batch)
        return parameters, inputs / np.linalg.norm(inputs, axis=1, keepdims=True), targets


def task(stream: np.random.Generator, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs z / sqrt(INPUTS), (*shape, INPUTS), of Gaussian z; targets (z_1 z_2 + tanh 2 z_3) / 4.

    Outputs |LN(h) v / n| are at most about 1, which targets hardly ever exceed.
    """
    z = stream.standard_normal((*shape, INPUTS))
    return z / np.sqrt(INPUTS), (z[..., 0] * z[..., 1] + np.tanh(2 * z[..., 2])) / 4


def factors(depths: tuple[int, ...], deepest: int, power: float) -> np.ndarray:
    """m of each block, (depths, deepest): L^-power, and 0 from L on."""
    there = np.arange(deepest) < np.array(depths)[:, None]
    return there * np.array(depths, float)[:, None] ** -power


def normalised(values: jax.Array) -> jax.Array:
    """Layer normalisation over the last axis, without its epsilon."""
    centred = values - values.mean(axis=-1, keepdims=True)
    return centred / jnp.sqrt(jnp.mean(centred**2, axis=-1, keepdims=True))


def branch(name: str, block: dict, values: jax.Array) -> jax.Array:
    """F(h) of one block; values (batch, n)."""
    place, activation = name.split("_")
    phi = PHI[activation]
    if place == "two":
        read = normalised(values) * block["gain"] + block["bias"]
        return phi(read @ block["inner"].T) @ block["outer"].T
    if place == "out":
        return phi(values) @ block["inner"].T
    made = phi(values @ block["inner"].T)
    return made - made.mean(axis=-1, keepdims=True) if place == "inc" else made


def features(
    name: str, parameters: dict, factor: jax.Array, inputs: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """h_L, (batch, n), and h_0 to h_{L-1}, (deepest, batch, n)."""

    def block(values, of_block):
        weights, m = of_block
        return values + m * branch(name, weights, values), values

    blocks = {key: parameters[key] for key in BLOCKS}
    return jax.lax.scan(block, inputs @ parameters["embedding"], (blocks, factor))


def loss(
    name: str, parameters: dict, factor: jax.Array, inputs: jax.Array, targets: jax.Array
) -> jax.Array:
    """Half the mean square of f - y."""
    last, _ = features(name, parameters, factor, inputs)
    outputs = (normalised(last) * parameters["final"]) @ parameters["read_out"]
    return jnp.mean((outputs / last.shape[-1] - targets) ** 2) / 2


def with_hidden(parameters: dict, hidden: dict) -> dict:
    return {**parameters, **hidden}


def hidden_steps(
    name: str, parameters: dict, factor: jax.Array, data: tuple, rate: jax.Array,
    steps: jax.Array, adam: jax.Array, fresh: bool = False,
) -> dict:  # fmt: skip
    """The hidden weights after so many steps of Adam (.9, .999, no epsilon), or of SGD.

    rate: of one depth, with all its factors. The first step of Adam is the sign of the gradient.
    fresh: inputs and targets have an axis of steps in front, a batch for each.
    """
    start = {key: parameters[key] for key in HIDDEN}
    gradient = jax.grad(lambda h, data: loss(name, with_hidden(parameters, h), factor, *data))

    def step(number, state):
        hidden, first, second = state
        found = gradient(hidden, tuple(part[number] for part in data) if fresh else data)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, found)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, second, found)
        ahead = number + 1.0

        def moved(w, m, v, g):
            by_adam = m / (1 - 0.9**ahead) / (jnp.sqrt(v / (1 - 0.999**ahead)) + TINY)
            return w - rate * jnp.where(adam, by_adam, g)

        return jax.tree.map(moved, hidden, first, second, found), first, second

    zeros = jax.tree.map(jnp.zeros_like, start)
    return jax.lax.fori_loop(0, steps, step, (start, zeros, zeros))[0]


def rms(values: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.mean(values**2))


def changes(name: str, parameters: dict, factor: jax.Array, data: tuple, trained: dict) -> dict:
    """What new hidden weights change, and how much of it their linearization misses.

    total: rms change of h_L. block: rms change of a branch m F at its old input, over blocks.
    network_share, block_share: rms of what the tangent at the old weights misses, over the rms
    of the change; of h_L, and of branches (squares are pooled over blocks, inputs, coordinates).
    """
    inputs, _ = data
    start = {key: parameters[key] for key in HIDDEN}
    step = jax.tree.map(jnp.subtract, trained, start)

    def last(hidden):
        return features(name, with_hidden(parameters, hidden), factor, inputs)

    (old, held), (tangent, _) = jax.jvp(last, (start,), (step,))
    total = last(trained)[0] - old
    fixed = {key: parameters[key] for key in ("gain", "bias")}

    def of_block(_, given):
        weights, towards, kept, m, values = given

        def made(hidden):
            return m * branch(name, {**kept, **hidden}, values)

        new = made({key: weights[key] + towards[key] for key in HIDDEN})
        before, linear = jax.jvp(made, (weights,), (towards,))
        change = new - before
        return None, (jnp.mean(change**2), jnp.mean((change - linear) ** 2))

    _, (square, missed) = jax.lax.scan(of_block, None, (start, step, fixed, factor, held))
    there = jnp.sum(factor > 0)
    return {
        "total": rms(total),
        "block": jnp.sqrt(square.sum() / there),
        "network_share": rms(total - tangent) / rms(total),
        "block_share": jnp.sqrt(missed.sum() / square.sum()),
    }


@partial(jax.jit, static_argnames="name")
def trained_changes(name, parameters, factor, data, rate, steps, adam):
    """`changes` by `hidden_steps`; seeds in front of parameters and data, depths in front of factor
    and rate; (depths, seeds)."""

    def one(parameters, data, factor, rate):
        trained = hidden_steps(name, parameters, factor, data, rate, steps, adam)
        return changes(name, parameters, factor, data, trained)

    over_seeds = jax.vmap(one, in_axes=(0, 0, None, None))
    return jax.vmap(over_seeds, in_axes=(None, None, 0, 0))(parameters, data, factor, rate)


@partial(jax.jit, static_argnames="name")
def gradients(name, parameters, factor, data):
    """Gradient of the loss by parameters, (depths, seeds, ...) in front; (rms of h_L, gradient)."""

    def one(parameters, data, factor):
        found = jax.grad(lambda p: loss(name, p, factor, *data))(parameters)
        return rms(features(name, parameters, factor, data[0])[0]), found

    over_seeds = jax.vmap(one, in_axes=(0, 0, None))
    return jax.vmap(over_seeds, in_axes=(None, None, 0))(parameters, data, factor)


@partial(jax.jit, static_argnames="name")
def trained_streams(name, parameters, factor, data, rate, steps):
    """h_0 to h_L before and after `hidden_steps` of Adam, each (seeds, L + 1, batch, n)."""

    def stream(parameters, inputs):
        last, held = features(name, parameters, factor, inputs)
        return jnp.concatenate([held, last[None]])

    def one(parameters, data):
        trained = hidden_steps(name, parameters, factor, data, rate, steps, True)
        return stream(parameters, data[0]), stream(with_hidden(parameters, trained), data[0])

    return jax.vmap(one)(parameters, data)


@partial(jax.jit, static_argnames="name")
def log_losses_left(name, parameters, factor, batches, tested, rate):
    """ln of the mean square of f - y on the points `tested` over that of y, after a step of Adam on
    the hidden weights for each of the fresh `batches`; (settings, seeds).

    Seeds in front of parameters, batches and points; settings in front of factor and rate. What
    is no better than f = 0, diverged runs included, counts as 0: f = 0 is there without training.
    """
    steps = batches[1].shape[1]

    def one(parameters, batches, tested, factor, rate):
        trained = hidden_steps(name, parameters, factor, batches, rate, steps, True, fresh=True)
        left = loss(name, with_hidden(parameters, trained), factor, *tested)
        found = jnp.log(2 * left / jnp.mean(tested[1] ** 2))
        return jnp.where(found < 0, found, 0.0)  # also where it is not a number

    over_seeds = jax.vmap(one, in_axes=(0, 0, 0, None, None))
    return jax.lax.map(
        lambda setting: over_seeds(parameters, batches, tested, *setting), (factor, rate)
    )
