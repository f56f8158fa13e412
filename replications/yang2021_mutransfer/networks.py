"""The two networks of the replication and their training, many runs side by side.

Every weight carries a leading run axis R (seeds times hyperparameters): a sweep of learning rates
is one batched matrix product per layer. A network is a table of weights with their roles; all that
depends on the parameterization comes from `widenets.ntk.parameterization` and is data to the
compiled step, so that arms share a program.
"""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from widenets.ntk.parameterization import attention_scale, initial_std, scales
from widenets.ntk.random import generator

BLOCKS, HEADS = 2, 4
NORM_EPSILON = 1e-5
ADAM_BETAS, ADAM_EPSILON = (0.9, 0.98), 1e-15  # negligible beside gradients that shrink as 1/n


class Weight(NamedTuple):
    """Role and shape (without the run axis) of one weight; std gain/sqrt(fan_in) at base width.

    fan_in None: not random, every entry starts at `gain` (gains of LayerNorm).
    """

    role: str
    shape: tuple[int, ...]
    fan_in: int | None
    gain: float = 1.0


@dataclass(frozen=True, eq=False)
class Network:
    """`forward(weights, inputs, attention)` returns named activations, the logits as "f".

    attention: the factor of q.k. Made once for each set of arguments, which keeps its programs.
    """

    weights: dict[str, Weight]
    forward: Callable[[dict[str, Array], Array, float], dict[str, Array]]
    width: int
    base_width: int


class Run(NamedTuple):
    """One training run: its draw of weights and batches, and its hyperparameters."""

    seed: int
    log2_rate: float
    output_multiplier: float = 1.0
    initial_scale: float = 1.0
    schedule: str = "constant"
    weight_decay: float = 0.0


class Step(NamedTuple):
    """State before the update number `number`: weights, and the loss of each run on its batch."""

    number: int
    weights: dict[str, Array]
    loss: np.ndarray


def all_runs(seeds, log2_rates, **others) -> list[Run]:
    """Every combination; `others` names further fields of `Run` with their lists of values."""
    return [
        Run(seed, rate, **dict(zip(others, values, strict=True)))
        for seed, rate, *values in product(seeds, log2_rates, *others.values())
    ]


# -- networks ---------------------------------------------------------------------------------


@functools.cache
def mlp(inputs, width, base_width, outputs, *, depth=2, readout_gain=0.0, bias_gain=None):
    """f = W_out relu(W_2 relu(W_1 x)), `depth` hidden layers; inputs (R, B, inputs).

    W_1 ~ N(0, 1) for inputs with mean |x|^2 = 1: then the input layer, whose tangent kernel is
    |x|^2, does not dominate the parts that depend on width. bias_gain None: no biases.
    """
    fan_ins = {"w1": (inputs, 1), **{f"w{i}": (width, width) for i in range(2, depth + 1)}}
    weights = {
        name: Weight("input" if name == "w1" else "hidden", (rows, width), fan_in)
        for name, (rows, fan_in) in fan_ins.items()
    }
    weights["out"] = Weight("output", (width, outputs), width, readout_gain)
    if bias_gain is not None:
        weights |= {f"b{i}": Weight("input", (1, width), 1, bias_gain) for i in range(1, depth + 1)}
        weights["b_out"] = Weight("scalar", (1, outputs), 1, bias_gain)

    def forward(w, x, _):
        found = {}
        for i in range(1, depth + 1):
            h = x @ w[f"w{i}"]
            found[f"h{i}"] = h + w[f"b{i}"] if f"b{i}" in w else h
            x = jax.nn.relu(found[f"h{i}"])
        f = x @ w["out"]
        return {**found, "f": f + w["b_out"] if "b_out" in w else f}

    return Network(weights, forward, width, base_width)


@functools.cache
def transformer(symbols, length, width, base_width, *, readout_gain=0.0, query_gain=0.0):
    """Pre-LayerNorm causal transformer of two blocks with four heads; tokens (R, B, length).

    Embeddings, learned positions and LayerNorm gains are input-like, no biases, d_ffn = 4 width.
    """
    inner = 4 * width
    weights = {
        "token": Weight("input", (symbols, width), 1),
        "position": Weight("input", (length, width), 1),
    }
    for b in range(BLOCKS):
        weights |= {
            f"norm1.{b}": Weight("input", (1, width), None),
            f"query.{b}": Weight("hidden", (width, width), width, query_gain),
            f"key.{b}": Weight("hidden", (width, width), width),
            f"value.{b}": Weight("hidden", (width, width), width),
            f"mix.{b}": Weight("hidden", (width, width), width),
            f"norm2.{b}": Weight("input", (1, width), None),
            f"up.{b}": Weight("hidden", (width, inner), width),
            f"down.{b}": Weight("hidden", (inner, width), inner),
        }
    weights["norm"] = Weight("input", (1, width), None)
    weights["out"] = Weight("output", (width, symbols), width, readout_gain)
    future = np.triu(np.full((length, length), -np.inf, np.float32), 1)

    def norm(x, gain):
        centred = x - x.mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + NORM_EPSILON) * gain

    def heads(x):  # (R, B*T, n) -> (R*B, H, T, d)
        return x.reshape(-1, length, HEADS, width // HEADS).swapaxes(1, 2)

    def attend(x, w, b, factor):
        q, k, v = (heads(x @ w[f"{name}.{b}"]) for name in ("query", "key", "value"))
        logits = (factor * q) @ k.swapaxes(-1, -2)
        mixed = jax.nn.softmax(logits + future) @ v
        return logits, mixed.swapaxes(1, 2).reshape(x.shape) @ w[f"mix.{b}"]

    def forward(w, tokens, factor):
        runs, batch, _ = tokens.shape
        one_hot = jax.nn.one_hot(tokens.reshape(runs, -1), symbols, dtype=w["token"].dtype)
        embedding = one_hot @ w["token"]
        x = embedding + jnp.tile(w["position"], (1, batch, 1))
        for b in range(BLOCKS):
            attention, mixed = attend(norm(x, w[f"norm1.{b}"]), w, b, factor)
            x = x + mixed
            up = jax.nn.relu(norm(x, w[f"norm2.{b}"]) @ w[f"up.{b}"])
            x = x + up @ w[f"down.{b}"]
        f = norm(x, w["norm"]) @ w["out"]
        return {"embedding": embedding, "attention": attention, "f": f}

    return Network(weights, forward, width, base_width)


# -- training ---------------------------------------------------------------------------------


def initial_weights(network, rule, runs, dtype=np.float32) -> dict[str, Array]:
    """Weights of all runs, each (R, ...). A seed's draw depends on the width and on no rule, so
    that two parameterizations are the same run at base width."""
    scale = _column([run.initial_scale for run in runs], dtype)
    return {
        name: jnp.asarray(_initial(network, rule, name, weight, runs, scale), dtype)
        for name, weight in network.weights.items()
    }


def _initial(network, rule, name, weight, runs, scale):
    if weight.fan_in is None or weight.gain == 0:
        return np.full((len(runs), *weight.shape), weight.gain)
    std = initial_std(rule, weight.role, weight.fan_in, network.width, network.base_width)
    draws = {
        seed: generator(seed, "weights", network.width, name).standard_normal(weight.shape)
        for seed in {run.seed for run in runs}
    }
    return weight.gain * std * scale * np.stack([draws[run.seed] for run in runs])


class _Factors(NamedTuple):
    """What the rule says to a program: multipliers and learning-rate factors of the weights, the
    factor of q.k. A multiplier of one is None and costs nothing."""

    multipliers: dict[str, float | None]
    rates: dict[str, float]
    attention: float


def _factors(network, rule) -> _Factors:
    of = {
        name: scales(rule, weight.role, network.width, network.base_width)
        for name, weight in network.weights.items()
    }
    return _Factors(
        {name: None if s.multiplier == 1.0 else s.multiplier for name, s in of.items()},
        {name: s.learning_rate for name, s in of.items()},
        attention_scale(rule, network.width // HEADS, network.base_width // HEADS),
    )


def activations(network, rule, runs, weights, inputs) -> dict[str, Array]:
    """Forward pass with the multipliers of the rule and the runs' output multipliers."""
    return _activations(network, _factors(network, rule), _alphas(runs, weights), weights, inputs)


def _alphas(runs, weights):
    return _column([run.output_multiplier for run in runs], next(iter(weights.values())).dtype)


@functools.partial(jax.jit, static_argnums=0)
def _activations(network, factors, alphas, weights, inputs):
    effective = {
        name: value if (multiplier := factors.multipliers[name]) is None else multiplier * value
        for name, value in weights.items()
    }
    found = network.forward(effective, inputs, factors.attention)
    return {**found, "f": alphas * found["f"]}


@jax.jit
def cross_entropy(logits, targets) -> Array:
    """Mean over all but the run axis; logits (R, N, C), targets (R, ...) with N entries a run."""
    classes = logits.shape[-1]
    chosen = jax.nn.one_hot(targets.reshape(len(logits), -1), classes, dtype=logits.dtype)
    return -jnp.sum(jax.nn.log_softmax(logits) * chosen, axis=-1).mean(1)


def descend(
    network, rule, runs, batches, steps, *, dtype=np.float32, scaled_decay=True
) -> Iterator[Step]:
    """Train all runs by the rule's optimizer; yields the state before each update and at the end.

    batches(step) -> (inputs, targets), each with the run axis first. Weight decay is decoupled from
    the gradient: w shrinks by decay times its own layer's rate, or, if not `scaled_decay`, times
    the rate of the base width.
    """
    weights, factors = initial_weights(network, rule, runs, dtype), _factors(network, rule)
    moments = ()
    if rule.optimizer == "adam":
        # of numpy, because jax compiles its zeros for every shape
        moments = jax.tree.map(lambda w: np.zeros(w.shape, w.dtype), (weights, weights))
    decays = _column([run.weight_decay for run in runs], dtype)
    alphas = _alphas(runs, weights)
    for t in range(steps + 1):
        rates = [2.0**run.log2_rate * decay(run.schedule, t / steps) for run in runs]
        rates = _column(rates, dtype)
        shrinking = None
        if decays.any():
            shrinking = {
                name: (factor if scaled_decay else 1.0) * rates * decays
                for name, factor in factors.rates.items()
            }
        # After the last step too, for the loss: one more program would take longer to compile.
        loss, *following = _update(
            network, factors, alphas, weights, moments, *batches(t), t + 1, rates, shrinking
        )
        yield Step(t, weights, np.asarray(loss))
        weights, moments = following


@functools.partial(jax.jit, static_argnums=0)
def _update(network, factors, alphas, weights, moments, inputs, targets, t, rates, shrinking):
    """Losses (R,), and weights and moments after update number t: SGD's without moments, else
    Adam's. shrinking: share of each weight that decays, or None."""

    def total(weights):
        f = _activations(network, factors, alphas, weights, inputs)["f"]
        losses = cross_entropy(f, targets)
        return losses.sum(), losses

    directions, losses = jax.grad(total, has_aux=True)(weights)
    if moments:
        found = {name: _adam(*(m[name] for m in moments), g, t) for name, g in directions.items()}
        *moments, directions = ({name: of[i] for name, of in found.items()} for i in range(3))
    following = {}
    for name, w in weights.items():
        change = factors.rates[name] * rates * directions[name]
        following[name] = w - (change if shrinking is None else change + shrinking[name] * w)
    return losses, following, tuple(moments)


def _adam(first, second, gradient, t):
    """Both moments after step t, and Adam's direction."""
    beta1, beta2 = ADAM_BETAS
    first = beta1 * first + (1 - beta1) * gradient
    second = beta2 * second + (1 - beta2) * gradient**2
    root = jnp.sqrt(second) * (1 - beta2**t) ** -0.5 + ADAM_EPSILON
    return first, second, first / root / (1 - beta1**t)


def decay(schedule: str, progress: float) -> float:
    """Learning-rate factor after a share `progress` in [0, 1] of the steps."""
    factors = {
        "constant": 1.0,
        "linear": 1.0 - progress,
        "cosine": (1.0 + math.cos(math.pi * progress)) / 2.0,
        "step": 0.1 ** (int(progress >= 0.5) + int(progress >= 0.75)),
        "inverse_sqrt": (1.0 + 8.0 * progress) ** -0.5,
    }
    if schedule not in factors:
        raise ValueError(f"schedule {schedule!r}: want one of {sorted(factors)}")
    return factors[schedule]


def _column(values, dtype) -> np.ndarray:
    return np.reshape(np.asarray(values, dtype), (-1, 1, 1))
