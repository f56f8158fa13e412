"""The two networks of the replication and their training, many runs side by side.

Every weight carries a leading run axis R (seeds times hyperparameters): a sweep of learning rates
is one batched matrix product per layer. A network is a table of weights with their roles; all that
depends on the parameterization comes from `shared.ntk.parameterization`.
"""

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from shared.ntk.parameterization import (
    Parameterization,
    attention_scale,
    initial_std,
    scales,
)
from shared.ntk.random import generator

BLOCKS, HEADS = 2, 4
ADAM_BETAS, ADAM_EPSILON = (0.9, 0.98), 1e-15  # negligible beside gradients that shrink as 1/n


class Weight(NamedTuple):
    """Role and shape (without the run axis) of one weight; std gain/sqrt(fan_in) at base width.

    fan_in None: not random, every entry starts at `gain` (gains of LayerNorm).
    """

    role: str
    shape: tuple[int, ...]
    fan_in: int | None
    gain: float = 1.0


class Network(NamedTuple):
    """`forward(weights, inputs, rule)` returns named activations, the logits as "f"."""

    weights: dict[str, Weight]
    forward: Callable[[dict[str, Tensor], Tensor, Parameterization], dict[str, Tensor]]
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
    weights: dict[str, Tensor]
    loss: Tensor


def all_runs(seeds, log2_rates, **others) -> list[Run]:
    """Every combination; `others` names further fields of `Run` with their lists of values."""
    return [
        Run(seed, rate, **dict(zip(others, values, strict=True)))
        for seed, rate, *values in product(seeds, log2_rates, *others.values())
    ]


# -- networks ---------------------------------------------------------------------------------


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

    def forward(w, x, rule):
        found = {}
        for i in range(1, depth + 1):
            h = x @ w[f"w{i}"]
            found[f"h{i}"] = h + w[f"b{i}"] if f"b{i}" in w else h
            x = torch.relu(found[f"h{i}"])
        f = x @ w["out"]
        return {**found, "f": f + w["b_out"] if "b_out" in w else f}

    return Network(weights, forward, width, base_width)


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
    future = torch.full((length, length), -math.inf).triu(1)

    def norm(x, gain):
        return functional.layer_norm(x, x.shape[-1:]) * gain

    def heads(x, runs):  # (R, B*T, n) -> (R*B, H, T, d)
        return x.view(-1, length, HEADS, width // HEADS).transpose(1, 2)

    def attend(x, w, b, factor):
        q, k, v = (heads(x @ w[f"{name}.{b}"], len(x)) for name in ("query", "key", "value"))
        logits = (factor * q) @ k.transpose(-1, -2)
        mixed = torch.softmax(logits + future.to(x.dtype), dim=-1) @ v
        return logits, mixed.transpose(1, 2).reshape(x.shape) @ w[f"mix.{b}"]

    def forward(w, tokens, rule):
        runs, batch, _ = tokens.shape
        factor = attention_scale(rule, width // HEADS, base_width // HEADS)
        one_hot = functional.one_hot(tokens.reshape(runs, -1), symbols).to(w["token"].dtype)
        embedding = one_hot @ w["token"]
        x = embedding + w["position"].repeat(1, batch, 1)
        for b in range(BLOCKS):
            attention, mixed = attend(norm(x, w[f"norm1.{b}"]), w, b, factor)
            x = x + mixed
            up = (norm(x, w[f"norm2.{b}"]) @ w[f"up.{b}"]).relu_()
            x = x + up @ w[f"down.{b}"]
        f = norm(x, w["norm"]) @ w["out"]
        return {"embedding": embedding, "attention": attention, "f": f}

    return Network(weights, forward, width, base_width)


# -- training ---------------------------------------------------------------------------------


def initial_weights(network, rule, runs, dtype=torch.float32) -> dict[str, Tensor]:
    """Weights of all runs, each (R, ...). A seed's draw depends on the width and on no rule, so
    that two parameterizations are the same run at base width."""
    scale = _column([run.initial_scale for run in runs], dtype)
    return {
        name: _initial(network, rule, name, weight, runs, dtype)
        * (scale if weight.fan_in is not None else 1.0)
        for name, weight in network.weights.items()
    }


def _initial(network, rule, name, weight, runs, dtype):
    if weight.fan_in is None or weight.gain == 0:
        return torch.full((len(runs), *weight.shape), weight.gain, dtype=dtype)
    std = initial_std(rule, weight.role, weight.fan_in, network.width, network.base_width)
    draws = {
        seed: generator(seed, "weights", network.width, name).standard_normal(weight.shape)
        for seed in {run.seed for run in runs}
    }
    stacked = np.stack([draws[run.seed] for run in runs])
    return weight.gain * std * torch.from_numpy(stacked).to(dtype)


def activations(network, rule, runs, weights, inputs) -> dict[str, Tensor]:
    """Forward pass with the multipliers of the rule and the runs' output multipliers."""
    effective = {}
    for name, value in weights.items():
        multiplier = scales(
            rule, network.weights[name].role, network.width, network.base_width
        ).multiplier
        effective[name] = value if multiplier == 1.0 else multiplier * value
    found = network.forward(effective, inputs, rule)
    alpha = _column([run.output_multiplier for run in runs], found["f"].dtype)
    return {**found, "f": alpha * found["f"]}


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over all but the run axis; logits (R, N, C), targets (R, ...) with N entries a run."""
    flat = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return flat.view(len(logits), -1).mean(1)


def descend(
    network, rule, runs, batches, steps, *, dtype=torch.float32, scaled_decay=True
) -> Iterator[Step]:
    """Train all runs by the rule's optimizer; yields the state before each update and at the end.

    batches(step) -> (inputs, targets), each with the run axis first. Weight decay is decoupled from
    the gradient: w shrinks by decay times its own layer's rate, or, if not `scaled_decay`, times
    the rate of the base width.
    """
    shrinking = _column([run.weight_decay for run in runs], dtype)
    decaying = bool(shrinking.any())
    weights = initial_weights(network, rule, runs, dtype)
    moments = [{name: torch.zeros_like(w) for name, w in weights.items()} for _ in range(2)]
    rates = {
        name: scales(rule, weight.role, network.width, network.base_width).learning_rate
        for name, weight in network.weights.items()
    }
    for t in range(steps + 1):
        inputs, targets = batches(t)
        for w in weights.values():
            w.requires_grad_(t < steps)
        found = activations(network, rule, runs, weights, inputs)
        loss = cross_entropy(found["f"], targets)
        detached = {name: w.detach() for name, w in weights.items()}
        yield Step(t, detached, loss.detach())
        if t == steps:
            return
        gradients = torch.autograd.grad(loss.sum(), list(weights.values()))
        rate = _column([2.0**run.log2_rate * decay(run.schedule, t / steps) for run in runs], dtype)
        with torch.no_grad():
            for name, gradient in zip(weights, gradients, strict=True):
                if rule.optimizer == "adam":
                    gradient = _adam(*(moment[name] for moment in moments), gradient, t + 1)
                direction = gradient.mul_(rates[name] * rate)
                if decaying:
                    of_decay = rates[name] * rate if scaled_decay else rate
                    direction += of_decay * shrinking * detached[name]
                detached[name].sub_(direction)


def _adam(first: Tensor, second: Tensor, gradient: Tensor, t: int) -> Tensor:
    """Adam's direction; both moments are updated in place."""
    beta1, beta2 = ADAM_BETAS
    first.mul_(beta1).add_(gradient, alpha=1 - beta1)
    second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    root = second.sqrt().mul_((1 - beta2**t) ** -0.5).add_(ADAM_EPSILON)
    return torch.div(first, root, out=root).mul_(1 / (1 - beta1**t))


def decay(schedule: str, progress: float) -> float:
    """Learning-rate factor after a share `progress` in [0, 1) of the steps."""
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


def _column(values, dtype) -> Tensor:
    return torch.tensor(values, dtype=dtype).view(-1, 1, 1)
