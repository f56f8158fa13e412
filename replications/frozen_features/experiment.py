"""What is measured: a phenomenon a part, each with its frozen arm; most bodies are beside.

Frozen arms of torch networks are those of `widenets.ntk.subject.frozen`; of two-layer networks all
that descent on their linearization can reach (`two_layer`); elsewhere closed forms.
"""

from collections.abc import Iterator

import numpy as np

from replications.frozen_features import descent, in_context, induction, modular, targets
from replications.frozen_features.circle import frequency_rows, tempered_rows
from replications.frozen_features.peaks import peak_rows
from widenets.ntk.random import generator
from widenets.ntk.subject.frozen import NETWORK, TANGENT, Form, Run

PAIRED = {
    "copying": "arms of a seed see the same sequences in the same order, from the same weights",
    "regression": "heads of the smaller layers are among those of the larger one; same prompts",
    "addition": "the kernel, the frozen arm and the network see the same part of the same table",
    "grokking": "the frozen network starts from the weights of the other, with the same pairs",
    "dial": "networks differ in the scale of their outputs alone",
    "forgetting": "the same inputs, target and start at every decay, and for a start at zero",
    "transfer": "the same first task and start, whatever follows",
    "direction": "the same target, points and weights at the start for all predictors",
    "stretch": "the same directions and weights, stretched differently",
    "stairs": "the same points and coordinates for the network and its frozen features",
    "edge": "one network and its linearization, at the same rate",
    "noise": "the same points with and without noise in the labels",
    "peaks": "the same points and weights with and without a ridge",
    "tempered": "the same points and noise for every interpolant",
}

# -- capabilities ---------------------------------------------------------------------------------


def copying(
    *,
    arm: str,
    heads: int,
    steps: int,
    every: int,
    factors: tuple[float, ...],
    seeds: tuple[int, ...],
) -> Iterator[dict]:
    """Accuracy on sequences whose last token was seen before, a row per recorded step and factor.

    arms: theory: two layers; one_layer; frozen: the linearization at the start, trained alike at
    the rates `factors`, and (factor 0) its least-squares solution; late: the solution of the
    linearization after training; half, formed:
    trained until `every`, before and after heads have formed, then frozen to the end. `prefix` is
    the attention of the last token on the right one, in the best head of the last layer (0 where it
    is not looked at).
    """
    of = induction.problems(1 if arm == "one_layer" else 2, heads, steps, seeds)
    runs = [Run(problem) for problem in of]
    if arm in ("theory", "one_layer"):
        record = range(0, steps + 1, every)
        found, kept = induction.followed(NETWORK, runs, steps, record, keep=(0, steps))
        for index, seed in enumerate(seeds):
            prefix = {
                step: induction.attention_on_successor(of[index], parameters[index])
                for step, parameters in kept.items()
            }
            for step, accuracy in zip(record, found[index], strict=True):
                row = {"step": step, "factor": 1.0, "prefix": prefix.get(step, 0.0)}
                yield {"seed": seed, "accuracy": accuracy, **row}
        return
    if arm in ("half", "formed"):
        _, kept = induction.followed(NETWORK, runs, every, (every,), keep=(every,))
        found, _ = induction.followed(
            TANGENT, runs, steps, (every, steps), starts=kept[every], first=every
        )
        for index, seed in enumerate(seeds):
            for step, accuracy in zip((every, steps), found[index], strict=True):
                yield _copied(seed, accuracy, step, 1.0)
        return
    starts = [problem.start() for problem in of]
    if arm == "late":
        _, kept = induction.followed(NETWORK, runs, steps, (steps,), keep=(steps,))
        starts = kept[steps]
    for factor in factors:
        scaled = [Run(problem, factor) for problem in of]
        found, _ = induction.followed(TANGENT, scaled, steps, (steps,))
        for seed, accuracy in zip(seeds, found[:, 0], strict=True):
            yield _copied(seed, accuracy, steps, factor)
    for seed, problem, parameters in zip(seeds, of, starts, strict=True):
        yield _copied(seed, induction.solved(problem, parameters), steps, 0.0)


def _copied(seed: int, accuracy: float, step: int, factor: float) -> dict:
    return {"seed": seed, "accuracy": accuracy, "step": step, "factor": factor, "prefix": 0.0}


def regression(
    *, arm: str, dimension: int, heads: int, prompts: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Excess loss of linear regression in context over the best one-step predictor, / var y.

    arms: frozen: least squares on the frozen features of a layer; theory: the layer trained by
    descent; one_head: as frozen.
    """
    for seed in seeds:
        of_heads = generator(seed, "regression", "heads", dimension)
        of_prompts = generator(seed, "regression", "prompts", dimension)
        layer = in_context.heads(of_heads, heads, dimension)
        found = in_context.excess(of_prompts, layer, prompts, trained=arm == "theory")
        yield {"seed": seed, **found}


def span(*, arm: str, dimension: int, heads: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Relative distance of the best one-step predictor from the span of frozen features.

    arms: theory (heads = d), fewer (d - 1); no noise but that of the heads.
    """
    for seed in seeds:
        layer = in_context.heads(generator(seed, "span", arm, dimension), heads, dimension)
        yield {"seed": seed, "residual": in_context.distance_from_span(*layer)}


RECORD = np.unique([*range(0, 300, 4), *range(300, 501, 20)])


def addition(*, arm: str, setting: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Accuracy on pairs that were not seen, of the best of all ridges on these very pairs.

    arms: theory: the kernel of infinite width; own: the network's own kernel at the start; trained:
    the network's kernel after 500 steps; shuffled: infinite width, sums permuted among seen pairs.
    """
    if arm in ("own", "trained"):
        step = 0 if arm == "own" else 500
        *_, problems, kept = modular.curves(
            NETWORK, setting, step, np.array([step]), seeds, keep=(step,)
        )
        for index, (seed, problem) in enumerate(zip(seeds, problems, strict=True)):
            inner, outer = (kept[step][index][k].double().numpy() for k in ("inner", "outer"))
            x, y, seen = problem.inputs.double().numpy(), problem.targets.numpy(), problem.sizes[0]
            own, across = (modular.tangent_kernel(inner, outer, part, x[:seen])
                           for part in (x[:seen], x[seen:]))  # fmt: skip
            yield _added(seed, own, across, y, seen)
        return
    for seed in seeds:
        share = modular.SETTINGS[setting][0]
        stream = generator(seed, "addition", setting)
        x, y, seen = modular.table(stream, share, shuffled=arm == "shuffled")
        own, across = (modular.infinite_kernel(part, x[:seen]) for part in (x[:seen], x[seen:]))
        yield _added(seed, own, across, y, seen)


def _added(seed: int, own, across, y, seen: int) -> dict:
    found = modular.ridge_accuracies(own, across, y[:seen], y[seen:])
    return {"seed": seed, "best": found.max(), "accuracy": found.mean()}


def grokking(*, arm: str, factor: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Accuracies on seen and on other pairs, a row per recorded step, and the delay in decades.

    arms: theory; frozen: the linearization at the start, at the rate times `factor`; shuffled: sums
    permuted among the seen pairs; small_start: a small start, more pairs and no decay. The delay is
    from the first step with .95 on seen pairs to that with .9 on others, 1000 where none has.
    """
    form = TANGENT if arm == "frozen" else NETWORK
    setting = "dial" if arm == "small_start" else "grokking"
    seen, others, _, _ = modular.curves(
        form, setting, 500, RECORD, seeds, factor, shuffled=arm == "shuffled"
    )
    for index, seed in enumerate(seeds):
        steps = [
            modular.first_step(of[index], RECORD, level)
            for of, level in ((seen, modular.FITTED), (others, modular.GENERAL))
        ]
        fitted, general = np.nan_to_num(steps, nan=1000.0)
        for step, one, other in zip(RECORD, seen[index], others[index], strict=True):
            row = {"step": int(step), "seen": one, "others": other}
            yield {"seed": seed, **row, "delay": np.log10(general / fitted)}


DIAL_RECORD = np.unique([*range(0, 400, 5), *range(400, 1501, 20)])


def dial(*, arm: str, alpha: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Steps until a network of output scale alpha fits, and generalizes, without any decay.

    arms: theory; shuffled: sums permuted (nothing to generalize). 10000 where it never does.
    """
    seen, others, _, _ = modular.curves(
        Form(alpha), "dial", 1500, DIAL_RECORD, seeds, alpha**0.5, shuffled=arm == "shuffled"
    )
    for index, seed in enumerate(seeds):
        fitted = modular.first_step(seen[index], DIAL_RECORD, modular.FITTED)
        general = modular.first_step(others[index], DIAL_RECORD, modular.GENERAL)
        general = 10000.0 if np.isnan(general) else general
        yield {"seed": seed, "fitted": fitted, "general": general, "delay": general / fitted}


def forgetting(*, arm: str, decay: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Steps until a linear model fits, and until it generalizes, from a large start.

    arms: theory; zero: from zero.
    """
    for seed in seeds:
        stream = generator(seed, "forgetting")
        initial = 0.0 if arm == "zero" else modular.LINEAR_START
        fitted, general = modular.linear_steps(stream, decay, initial)
        delay = np.log10(general / fitted)
        yield {"seed": seed, "fitted": fitted, "general": general, "delay": delay}


def transfer(*, arm: str, samples: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Error on a second task from features moved by the first, less that of the best frozen ones.

    Frozen: kernels at the start, of the read-out, of infinite width, and that at the start around
    what was learned of the first task. arms: theory; lazy: features moved by a lazy network;
    unrelated: the second task has nothing of the first; shuffled: labels of the first are permuted.
    """
    yield from targets.transfer_rows(arm, samples, seeds)


# -- learning -------------------------------------------------------------------------------------


def direction(*, arm: str, dimension: int, samples: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Error on a degree-2 harmonic of a direction, its bound 1 - n / N, and by how much it is over.

    arms: theory: a rich network, few and enough the same; frozen: its best frozen features; told:
    the kernel of degree 2 alone.
    """
    yield from targets.direction_rows(arm, dimension, samples, seeds)


def stretch(
    *, arm: str, dimension: int, samples: int, stretch: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Errors of network and frozen features, inputs stretched along the target's direction (theory)
    or along another one (across)."""
    yield from targets.stretch_rows(arm, dimension, samples, stretch, seeds)


def stairs(*, arm: str, dimension: int, samples: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Coefficient of x1 x2 x3 over the true one, error, and by how much it is over the bound.

    arms: theory, lazy: a network on x1 + x1 x2 + x1 x2 x3; frozen: its best frozen features;
    parity, parity_frozen: the same on x1 x2 x3 alone.
    """
    yield from targets.stairs_rows(arm, dimension, samples, seeds)


def edge(*, arm: str, factor: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Loss in decades, over that of f = 0, at the rate factor / lambda_max of the start; and rate *
    lambda_max at the end. arms: theory: the network; frozen, stable: its linearization."""
    yield from descent.edge_rows(arm, factor, seeds)


def peaks(*, arm: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Excess error of a network and of its frozen counterpart, with p parameters for n points;
    `over` = p / n. arms: theory; ridge."""
    yield from peak_rows(arm, width, seeds)


def labels(*, arm: str, width: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Steps to fit random labels, of the network and frozen, and log2 of their ratio. arms: theory
    (wide), narrow, of the widths in between for a figure."""
    yield from descent.labels_rows(arm, width, seeds)


def noise(*, arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Excess error against time where labels are as noisy as the signal is large, of the network
    and frozen, on validation and test points. arms: theory; clean: no noise."""
    yield from descent.noise_rows(arm, seeds)


def completion(*, arm: str, scale: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Relative error of a factorized matrix of rank 1, less its start, on hidden and shown entries.

    arms: theory: from a small multiple `scale` of the identity, and larger; frozen: its
    linearization at the identity; large: from a scale at which it is lazy.
    """
    yield from descent.completion_rows(arm, scale, seeds)


def frequencies(*, arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Steps until half of each frequency is learned: by the network, frozen, by the limit's kernel.

    arms: theory; encoded: inputs that hold the highest frequency.
    """
    yield from frequency_rows(arm, seeds)


def tempered(*, arm: str, samples: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Mean square, on test points and over the noise, of an interpolant of noise of variance 1.

    arms: theory: relu's kernel at infinite width; frozen: a network's at the start; smooth: a
    kernel with all derivatives; ridge: as theory, with a ridge.
    """
    yield from tempered_rows(arm, samples, seeds)
