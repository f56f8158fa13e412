"""Measurements: learning-rate sweeps, coordinate checks, feature movement, exact equalities.

Float32 training as in the papers, float64 where equality is asked for. A seed is a draw of initial
weights and of batches; all arms and learning rates of one seed share it on purpose (paired), widths
share the batches only.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from replications.yang2021_mutransfer.batches import (
    LENGTH,
    image_batches,
    load_images,
    load_tokens,
    noisy_split,
    sequence_batches,
)
from replications.yang2021_mutransfer.networks import (
    Network,
    Run,
    activations,
    all_runs,
    cross_entropy,
    descend,
)
from replications.yang2021_mutransfer.networks import mlp as mlp_network
from replications.yang2021_mutransfer.networks import transformer as transformer_network
from widenets.ntk.parameterization import (
    ROLES,
    Exponents,
    Parameterization,
    feature_exponent,
    first_step_exponents,
    maximal_update,
    maximal_update_table,
    mean_field,
    multiplier_free,
    ntk,
    optimal_rate_exponent,
    parameterization,
)

SAME_RUN = "at base width all rules are one run: a seed's weights and batches are shared"
# Parts whose arms share draws, and why.
PAIRED = {
    "mlp": SAME_RUN,
    "coordinates": SAME_RUN,
    "transformer_coordinates": SAME_RUN,
    "features": SAME_RUN,
    "limit": SAME_RUN,
    "identity": "the same run written in two ways",
}
WINDOWS = 6  # time windows in which the training loss is averaged
PROBE = 64  # inputs on which activations are compared
TRANSFORMERS = 2  # trained at a time; the activations of more of them leave the cache
NETWORKS = 4  # relu networks whose activations are compared, at a time


# -- learning-rate sweeps ---------------------------------------------------------------------


def transformer(
    *,
    arm: str,
    width: int,
    log2_rates: tuple[float, ...],
    base_width: int = 16,
    steps: int = 60,
    batch: int = 16,
    text: str = "synthetic",
    seeds,
    data_dir=None,
):
    """Training loss of a language model under Adam, per learning rate and time window.

    The half octaves around the best of the given rates (mean over seeds) are added to them.
    """
    tokens, symbols = load_tokens(text, data_dir)
    network = transformer_network(symbols, LENGTH, width, base_width)
    batches = sequence_batches(tokens, batch, steps)
    rule = parameterization(arm, "adam")
    yield from _sweep(network, rule, seeds, log2_rates, batches, steps, symbols, most=TRANSFORMERS)


def mlp(
    *,
    arm: str,
    optimizer: str,
    width: int,
    log2_rates: tuple[float, ...],
    base_width: int = 64,
    steps: int = 100,
    data: str = "digits",
    seeds,
    data_dir=None,
):
    """The same for a relu network with two hidden layers on images, by SGD or Adam."""
    images, labels = load_images(data, data_dir)
    network = mlp_network(images.shape[1], width, base_width, 10)
    batches = partial(image_batches, images, labels, steps=steps)
    rule = parameterization(arm, optimizer)
    most = max(4, 4096 // width)
    yield from _sweep(network, rule, seeds, log2_rates, batches, steps, 10, most=most)


def _sweep(network, rule, seeds, log2_rates, batches_of, steps, classes, *, most):
    """Rows of the given rates, then of the half octaves around the best of them."""

    def measure(rates):
        runs = all_runs(seeds, rates)
        losses = _losses(network, rule, runs, batches_of, steps, most=most)
        return runs, _clipped(losses[:, :steps], classes)

    sweep = measure(log2_rates)
    late = np.log(sweep[1][:, steps // 2 :].mean(1)).reshape(len(seeds), -1).mean(0)
    best = log2_rates[int(np.argmin(late))]
    around = [best + half for half in (-0.5, 0.5)]
    inside = [rate for rate in around if min(log2_rates) < rate < max(log2_rates)]
    predicted = optimal_rate_exponent(rule)
    for runs, losses in (sweep, measure(inside)):
        for run, curve in zip(runs, losses, strict=True):
            for number, window in enumerate(np.array_split(curve, WINDOWS), start=1):
                yield {
                    "seed": run.seed,
                    "log2_rate": run.log2_rate,
                    "share": number / WINDOWS,
                    "loss": float(window.mean()),
                    "predicted": predicted,
                }


# -- other hyperparameters --------------------------------------------------------------------


def hyperparameter(
    *,
    arm: str,
    name: str,
    values: tuple,
    width: int,
    log2_rate: float = -5.0,
    base_width: int = 16,
    steps: int = 60,
    batch: int = 16,
    seeds,
):
    """Loss of the language model at a fixed learning rate over one other hyperparameter: powers of
    two of `output_multiplier` or `initial_scale`, or the names of learning-rate schedules."""
    tokens, symbols = load_tokens("synthetic", None)
    network = transformer_network(symbols, LENGTH, width, base_width)
    rule = parameterization(arm, "adam")
    settings = values if name == "schedule" else [2.0**value for value in values]
    runs = all_runs(seeds, [log2_rate], **{name: settings})
    batches = sequence_batches(tokens, batch, steps)
    losses = _losses(network, rule, runs, batches, steps, most=TRANSFORMERS)
    late = _clipped(losses[:, :steps], symbols)[:, steps // 2 :].mean(1)
    for run, loss in zip(runs, late, strict=True):
        place = settings.index(getattr(run, name))
        yield {
            "seed": run.seed,
            "setting": str(values[place]),
            "place": float(place if name == "schedule" else values[place]),
            "loss": float(loss),
        }


def weight_decay(
    *,
    arm: str,
    width: int,
    log2_decays: tuple[float, ...],
    log2_rate: float = -6.0,
    base_width: int = 32,
    steps: int = 200,
    examples: int = 128,
    noise: float = 0.3,
    seeds,
):
    """Test loss of the relu network after many passes over a few, partly mislabelled images, in muP
    with Adam and decoupled weight decay: arm `scaled` decays by decay times the layer's own rate
    (as AdamW does), arm `independent` by decay times the base width's rate.
    """
    if arm not in ("scaled", "independent"):
        raise ValueError(f"arm {arm!r}: want scaled or independent")
    images, labels = load_images("digits", None)
    network = mlp_network(images.shape[1], width, base_width, 10)
    rule = parameterization("maximal_update", "adam")
    runs = all_runs(seeds, [log2_rate], weight_decay=[2.0**value for value in log2_decays])
    train, test = noisy_split(labels, runs, examples, noise)
    *_, last = descend(
        network, rule, runs, lambda _: (images[train[0]], train[1]), steps,
        scaled_decay=arm == "scaled",
    )  # fmt: skip
    f = activations(network, rule, runs, last.weights, images[test[0]])["f"]
    losses = _clipped(np.asarray(cross_entropy(f, test[1])), 10)
    for run, loss in zip(runs, losses, strict=True):
        yield {"seed": run.seed, "place": math.log2(run.weight_decay), "loss": float(loss)}


# -- coordinate checks and features -----------------------------------------------------------


def coordinates(
    *,
    arm: str,
    optimizer: str,
    width: int,
    log2_rate: float,
    base_width: int = 64,
    steps: int = 4,
    seeds,
):
    """Root mean square of the change of each preactivation since initialization; MLP, random
    read-out, one row per layer and step."""
    images, labels = load_images("digits", None)
    network = mlp_network(images.shape[1], width, base_width, 10, readout_gain=1.0)
    rule = parameterization(arm, optimizer)
    predicted = dict(zip(("h1", "h2", "f"), first_step_exponents(rule).values(), strict=True))
    for runs in _chunks(all_runs(seeds, [log2_rate]), NETWORKS):
        batches = image_batches(images, labels, runs, steps=steps)
        probe = np.broadcast_to(images[:PROBE], (len(runs), PROBE, images.shape[1]))
        for row in _changes(network, rule, runs, batches, steps, probe, tuple(predicted)):
            yield {**row, "predicted": predicted[row["layer"]]}


def transformer_coordinates(
    *, arm: str, width: int, log2_rate: float, base_width: int = 32, steps: int = 4, seeds
):
    """The same for logits, attention logits and word embedding of the transformer under Adam."""
    tokens, symbols = load_tokens("synthetic", None)
    network = transformer_network(
        symbols, LENGTH, width, base_width, readout_gain=1.0, query_gain=1.0
    )
    runs = all_runs(seeds, [log2_rate])
    sequences = sequence_batches(tokens, 4, steps)(runs)
    probe = sequences(0)[0]
    rule = parameterization(arm, "adam")
    yield from _changes(
        network, rule, runs, sequences, steps, probe, ("f", "attention", "embedding")
    )


def _changes(network, rule, runs, batches, steps, probe, layers) -> Iterator[dict]:
    start = None
    for step in descend(network, rule, runs, batches, steps):
        now = activations(network, rule, runs, step.weights, probe)
        now = {layer: np.asarray(now[layer]).reshape(len(runs), -1) for layer in layers}
        start = start or now
        for layer in layers:
            change = np.sqrt(np.square(now[layer] - start[layer]).mean(1))
            for run, value in zip(runs, change, strict=True):
                yield {
                    "seed": run.seed,
                    "step": step.number,
                    "layer": layer,
                    "change": float(value),
                }


def features(
    *,
    arm: str,
    width: int,
    log2_rate: float,
    base_width: int = 64,
    steps: int = 50,
    seeds,
):
    """Relative change of the last hidden features and of their kernel after training by SGD."""
    images, labels = load_images("digits", None)
    network = mlp_network(images.shape[1], width, base_width, 10, readout_gain=1.0)
    rule = halfway() if arm == "halfway" else parameterization(arm, "sgd")
    for runs in _chunks(all_runs(seeds, [log2_rate]), NETWORKS):
        probe = np.broadcast_to(images[:PROBE], (len(runs), PROBE, images.shape[1]))
        batches = image_batches(images, labels, runs, steps=steps)
        yield from _moved_features(network, rule, runs, batches, steps, probe)


def halfway() -> Parameterization:
    """Of muP and the NTK parameterization, written without multipliers, the mean exponents."""
    rules = [multiplier_free(rule("sgd")) for rule in (maximal_update, ntk)]
    rows = (zip(*(rule.exponents(role) for rule in rules), strict=True) for role in ROLES)
    return Parameterization("halfway", "sgd", *(Exponents(*map(_mean, row)) for row in rows))


def _mean(pair: tuple[float, float]) -> float:
    return sum(pair) / 2


def _moved_features(network, rule, runs, batches, steps, probe) -> Iterator[dict]:
    """Rows of `features`, a run each."""
    ends = []
    for step in descend(network, rule, runs, batches, steps):
        if step.number in (0, steps):
            found = activations(network, rule, runs, step.weights, probe)
            ends.append((np.asarray(found["h2"], np.float64), step.loss))
    (h0, loss0), (h1, loss1) = ends
    k0, k1 = (x @ x.swapaxes(1, 2) / network.width for x in (np.maximum(h0, 0), np.maximum(h1, 0)))
    moved, kernel = (
        np.linalg.norm(new - old, axis=(1, 2)) / np.linalg.norm(old, axis=(1, 2))
        for old, new in ((h0, h1), (k0, k1))
    )
    for i, run in enumerate(runs):
        yield {
            "seed": run.seed,
            "feature_change": float(moved[i]),
            "kernel_change": float(kernel[i]),
            "first_loss": float(loss0[i]),
            "last_loss": float(loss1[i]),
            "predicted": 0.0 - feature_exponent(rule),
        }


def limit(
    *,
    arm: str,
    width: int,
    log2_rate: float,
    base_width: int = 64,
    steps: int = 20,
    seeds,
):
    """Distance of the outputs of two networks, of widths n and 2n, after the same batches of SGD:
    root mean square over the logits of the probe. Each has a draw of its own."""
    images, labels = load_images("digits", None)
    rule = parameterization(arm, "sgd")
    for runs in _chunks(all_runs(seeds, [log2_rate]), NETWORKS):
        batches = image_batches(images, labels, runs, steps=steps)
        narrow, wide = (
            _outputs(
                mlp_network(images.shape[1], n, base_width, 10, readout_gain=1.0),
                rule, runs, batches, steps, images[:PROBE],
            )
            for n in (width, 2 * width)
        )  # fmt: skip
        distance = np.sqrt(np.square(narrow - wide).mean(axis=(1, 2)))
        for run, value in zip(runs, distance, strict=True):
            yield {"seed": run.seed, "distance": float(value)}


def _outputs(network, rule, runs, batches, steps, inputs) -> np.ndarray:
    """Logits of each run after its last update, (R, len(inputs), classes)."""
    *_, last = descend(network, rule, runs, batches, steps)
    probe = np.broadcast_to(inputs, (len(runs), *inputs.shape))
    return np.asarray(activations(network, rule, runs, last.weights, probe)["f"], np.float64)


# -- equalities -------------------------------------------------------------------------------


def identity(*, arm: str, optimizer: str, form: str, width: int = 96, steps: int = 8, seeds):
    """Largest difference of logits between muP as in Table 3 and the same training run written
    otherwise: form `table_8`, `table_9`, `mean_field` (one hidden layer, SGD) or `standard` (at
    base width). The arm `forgotten` drops the width factor of the read-out's learning rate, or,
    for `standard`, goes away from base width. Float64.
    """
    depth = 1 if form == "mean_field" else 2
    base_width = width if (form, arm) == ("standard", "theory") else width // 3
    images, labels = load_images("digits", None)
    images = images.astype(np.float64)
    network = mlp_network(
        images.shape[1], width, base_width, 10, depth=depth, readout_gain=1.0, bias_gain=0.5
    )
    runs = all_runs(seeds, [-5.0 if optimizer == "adam" else -1.0])
    batches = image_batches(images, labels, runs, steps=steps)
    probe = np.broadcast_to(images[:PROBE], (len(runs), PROBE, images.shape[1]))

    def logits(rule):
        *_, last = descend(network, rule, runs, batches, steps, dtype=np.float64)
        return np.asarray(activations(network, rule, runs, last.weights, probe)["f"])

    other = _written_otherwise(form, optimizer)
    if arm == "forgotten" and form != "standard":
        c = other.output.c - maximal_update(optimizer).output.c
        other = replace(other, output=other.output._replace(c=c))
    reference = logits(maximal_update(optimizer))
    difference = np.abs(logits(other) - reference).max((1, 2))
    size = np.sqrt(np.square(reference).mean((1, 2)))
    for i, run in enumerate(runs):
        yield {"seed": run.seed, "difference": float(difference[i]), "size": float(size[i])}


def _written_otherwise(form: str, optimizer: str) -> Parameterization:
    if form.startswith("table_"):
        return maximal_update_table(int(form.removeprefix("table_")), optimizer)
    return mean_field() if form == "mean_field" else parameterization(form, optimizer)


# -- runs ---------------------------------------------------------------------------------------


def _losses(network: Network, rule, runs, batches_of, steps: int, *, most: int) -> np.ndarray:
    """Loss on each batch, (R, steps + 1)."""
    found = []
    for part in _chunks(runs, most):
        path = descend(network, rule, part, batches_of(part), steps)
        found.append(np.stack([step.loss for step in path], axis=1))
    return np.concatenate(found)


def _chunks(runs: list[Run], most: int) -> Iterator[list[Run]]:
    """A few runs at a time: enough to fill the matrix products, few enough to stay in cache. Their
    number divides that of the seeds, so that all chunks share one program."""
    seeds = len({run.seed for run in runs})
    size = max(n for n in range(1, most + 1) if seeds % n == 0)
    for first in range(0, len(runs), size):
        yield runs[first : first + size]


def _clipped(losses: np.ndarray, classes: int) -> np.ndarray:
    """At most the loss of guessing, ln(classes); a run that has blown up counts as guessing."""
    chance = math.log(classes)
    return np.minimum(np.nan_to_num(losses.astype(np.float64), nan=chance), chance)
