"""muTransfer: the networks against torch and against the `mup` package; the locator of optima."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from pandas import DataFrame

from replications.yang2021_mutransfer import experiment, networks, optimum
from replications.yang2021_mutransfer.claims import CLAIMS
from replications.yang2021_mutransfer.text import SYMBOLS, synthetic_text
from widenets.evidence import optimum as locator
from widenets.ntk.parameterization import (
    attention_scale,
    feature_exponent,
    maximal_update,
    maximal_update_table,
    parameterization,
    regime,
)

CLASSES, INPUTS, BASE_WIDTH, WIDTH = 3, 5, 8, 24


def image_batches(runs, steps=6):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((steps + 1, 16, INPUTS))
    y = rng.integers(CLASSES, size=(steps + 1, 16))
    return lambda t: (np.stack([x[t]] * runs), np.stack([y[t]] * runs))


def trained(network, rule, runs, batches, steps=6):
    *_, last = networks.descend(network, rule, runs, batches, steps, dtype=np.float64)
    return np.asarray(networks.activations(network, rule, runs, last.weights, batches(0)[0])["f"])


def small_mlp(width=WIDTH):
    return networks.mlp(INPUTS, width, BASE_WIDTH, CLASSES, readout_gain=1.0, bias_gain=0.5)


# -- the `mup` package: same weights, same data ---------------------------------------------------


def mup_network(mup, start):
    """The MLP in mup's own classes, shapes set by its base and delta models, weights `start`."""

    class Mlp(torch.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.first = torch.nn.Linear(INPUTS, width)
            self.second = torch.nn.Linear(width, width)
            self.out = mup.MuReadout(width, CLASSES)

        def forward(self, x):
            return self.out(torch.relu(self.second(torch.relu(self.first(x)))))

    model = Mlp(WIDTH).double()
    mup.set_base_shapes(model, Mlp(BASE_WIDTH), delta=Mlp(2 * BASE_WIDTH))
    with torch.no_grad():
        for layer, name in ((model.first, "1"), (model.second, "2"), (model.out, "_out")):
            weight = start["out" if name == "_out" else f"w{name}"]
            layer.weight.copy_(torch.tensor(np.asarray(weight[0].T)))
            layer.bias.copy_(torch.tensor(np.asarray(start[f"b{name}"][0, 0])))
    return model


@pytest.mark.parametrize("optimizer, tolerance", [("sgd", 1e-12), ("adam", 1e-9)])
def test_equals_the_mup_package(optimizer, tolerance):
    mup = pytest.importorskip("mup", reason="it is in requirements-test.lock")
    # The package writes muP as Table 8: the read-out divided by width / base width.
    rule = maximal_update_table(8, optimizer)
    network, runs, batches = small_mlp(), [networks.Run(0, -4.0)], image_batches(1)
    start = networks.initial_weights(network, rule, runs, np.float64)
    model = mup_network(mup, start)
    if optimizer == "sgd":
        descent = mup.MuSGD(model.parameters(), lr=2.0**-4)
    else:
        beta, epsilon = networks.ADAM_BETAS, networks.ADAM_EPSILON
        descent = mup.MuAdam(model.parameters(), lr=2.0**-4, betas=beta, eps=epsilon)
    for t in range(6):
        x, y = map(torch.from_numpy, batches(t))
        descent.zero_grad()
        torch.nn.functional.cross_entropy(model(x[0]), y[0]).backward()
        descent.step()
    found = trained(network, rule, runs, batches)[0]
    expected = model(torch.from_numpy(batches(0)[0][0])).detach()
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    other = trained(network, parameterization("standard", optimizer), runs, batches)[0]
    assert np.abs(other - found).max() > 0.05  # the standard rule would not have passed


# -- the networks ---------------------------------------------------------------------------------


def reference_transformer(w, tokens, scale, width):
    """The transformer for one run and one sequence, written from its definition, loops and all."""
    length, size = len(tokens), width // networks.HEADS
    x = w["token"][tokens] + w["position"]
    for b in range(networks.BLOCKS):
        normed = torch.nn.functional.layer_norm(x, (width,)) * w[f"norm1.{b}"]
        q, k, v = (normed @ w[f"{name}.{b}"] for name in ("query", "key", "value"))
        mixed = torch.zeros_like(x)
        for h in range(networks.HEADS):
            of_head = slice(h * size, (h + 1) * size)
            for i in range(length):
                logits = scale * k[: i + 1, of_head] @ q[i, of_head]
                mixed[i, of_head] = torch.softmax(logits, 0) @ v[: i + 1, of_head]
        x = x + mixed @ w[f"mix.{b}"]
        normed = torch.nn.functional.layer_norm(x, (width,)) * w[f"norm2.{b}"]
        x = x + torch.relu(normed @ w[f"up.{b}"]) @ w[f"down.{b}"]
    return torch.nn.functional.layer_norm(x, (width,)) * w["norm"] @ w["out"]


@pytest.mark.parametrize("name", ["standard", "maximal_update"])
def test_transformer_equals_its_definition(name):
    symbols, length, width, base_width = 7, 6, 16, 8
    network = networks.transformer(
        symbols, length, width, base_width, readout_gain=1.0, query_gain=1.0
    )
    rule = parameterization(name, "adam")
    runs = [networks.Run(seed, 0.0) for seed in (0, 1)]
    weights = networks.initial_weights(network, rule, runs, np.float64)
    tokens = np.random.default_rng(0).integers(symbols, size=(2, 3, length))
    found = networks.activations(network, rule, runs, weights, tokens)["f"]
    scale = attention_scale(rule, width // networks.HEADS, base_width // networks.HEADS)
    for r in range(2):
        one = {key: torch.tensor(np.asarray(value[r])) for key, value in weights.items()}
        for s in range(3):
            expected = reference_transformer(one, torch.from_numpy(tokens[r, s]), scale, width)
            np.testing.assert_allclose(found[r, s * length : (s + 1) * length], expected, rtol=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_batched_runs_equal_single_runs(optimizer):
    network, rule = small_mlp(), parameterization("ntk", optimizer)
    runs = networks.all_runs((0, 1), (-5.0, -3.0), schedule=("constant", "cosine"))
    together = trained(network, rule, runs, image_batches(len(runs)))
    for i, run in enumerate(runs):
        alone = trained(network, rule, [run], image_batches(1))[0]
        np.testing.assert_allclose(together[i], alone, rtol=1e-12, atol=1e-12)
    assert len({tuple(f.ravel()) for f in together}) == len(runs)


def test_adam_equals_torch_adam():
    start = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 4, 3)))
    peer = start.clone().requires_grad_()
    beta, epsilon = networks.ADAM_BETAS, networks.ADAM_EPSILON
    descent = torch.optim.Adam([peer], lr=0.1, betas=beta, eps=epsilon)
    found, first, second = start.numpy(), 0.0, 0.0
    for t in range(1, 6):
        gradient = torch.cos(peer.detach() * t)
        peer.grad = gradient.clone()
        first, second, direction = networks._adam(first, second, gradient.numpy(), t)
        found = found - 0.1 * direction
        descent.step()
    np.testing.assert_allclose(found, peer.detach(), rtol=1e-13, atol=1e-13)


def test_arms_are_one_run_at_base_width_and_differ_beyond():
    runs, batches = [networks.Run(0, -3.0)], image_batches(1)
    for width, same in ((BASE_WIDTH, True), (WIDTH, False)):
        results = [
            trained(small_mlp(width), parameterization(name, "adam"), runs, batches)
            for name in ("standard", "ntk", "maximal_update")
        ]
        for other in results[1:]:
            assert np.allclose(results[0], other, rtol=0, atol=1e-10) == same


def test_initial_scale_spares_gains_and_output_multiplier_scales_logits():
    network = networks.transformer(7, 6, 16, 8, readout_gain=1.0)
    rule = maximal_update("adam")
    runs = [networks.Run(0, 0.0), networks.Run(0, 0.0, output_multiplier=4.0, initial_scale=0.5)]
    weights = networks.initial_weights(network, rule, runs)
    np.testing.assert_array_equal(weights["norm"][0], weights["norm"][1])
    np.testing.assert_array_equal(weights["key.0"][0] * 0.5, weights["key.0"][1])
    tokens = np.zeros((2, 1, 6), dtype=int)
    same = {name: w[np.array([0, 0])] for name, w in weights.items()}
    f = networks.activations(network, rule, runs, same, tokens)["f"]
    np.testing.assert_array_equal(4.0 * f[0], f[1])


def test_the_rule_between_is_a_kernel_limit_whose_features_freeze_slowly():
    rule = experiment.halfway()
    assert rule.output == (0.0, 0.75, 1.0)
    assert rule.input.c == -0.5
    assert rule.hidden == (0.0, 0.5, 0.5)
    assert feature_exponent(rule) == 0.25
    assert regime(rule) == "kernel"


def test_networks_of_two_widths_share_their_batches_but_no_weight(monkeypatch):
    seen = []

    def outputs(network, rule, runs, batches, steps, inputs):
        weights = networks.initial_weights(network, rule, runs)["w1"]
        seen.append((network.width, batches(0)[1], np.asarray(weights)[:, :, :8]))
        return np.full((len(runs), len(inputs), 10), float(network.width))

    monkeypatch.setattr(experiment, "_outputs", outputs)
    found = list(experiment.limit(arm="ntk", width=8, log2_rate=-3.0, base_width=8, seeds=(0, 1)))
    assert [row["distance"] for row in found] == [8.0, 8.0]
    (narrow, of_narrow, first), (wide, of_wide, second) = seen
    assert (narrow, wide) == (8, 16)
    np.testing.assert_array_equal(of_narrow, of_wide)
    assert not np.isclose(first, second).any()


def test_the_penalty_of_a_setting_is_that_of_the_best_on_the_average():
    """Each seed's own best setting of the narrow network is the other one in a seed of two."""
    losses = {16: {0.0: (1.0, 1.6), 1.0: (1.2, 1.0)}, 64: {0.0: (0.8, 0.8), 1.0: (0.5, 0.6)}}
    rows = [
        {"seed": seed, "width": width, "place": place, "loss": loss}
        for width, curve in losses.items()
        for place, of_seeds in curve.items()
        for seed, loss in enumerate(of_seeds)
    ]
    assert optimum.setting_penalty(DataFrame(rows)) == 0
    alone = [optimum.setting_penalty(DataFrame(rows[seed::2])) for seed in (0, 1)]
    assert np.allclose(alone, [0.3, 0.0])


def test_a_wrong_rule_changes_the_run():
    rule = maximal_update("adam")
    wrong = replace(rule, attention=0.5)
    network = networks.transformer(7, 6, 16, 8, readout_gain=1.0, query_gain=1.0)
    runs = [networks.Run(0, 0.0)]
    weights = networks.initial_weights(network, rule, runs)
    tokens = np.arange(6).reshape(1, 1, 6)
    f = [networks.activations(network, r, runs, weights, tokens)["f"] for r in (rule, wrong)]
    assert np.abs(f[0] - f[1]).max() > 1e-3


def test_schedules_start_at_one_and_unknown_ones_are_named():
    for name in ("constant", "linear", "cosine", "step", "inverse_sqrt"):
        values = [networks.decay(name, share) for share in np.linspace(0, 0.99, 50)]
        assert values[0] == 1.0
        assert all(a >= b > 0 for a, b in itertools.pairwise(values))
    with pytest.raises(ValueError, match="schedule 'warmup'"):
        networks.decay("warmup", 0.0)


# -- text and optima ------------------------------------------------------------------------------


def test_text_is_deterministic_and_has_topics():
    text = synthetic_text(20_000)
    assert np.array_equal(text, synthetic_text(20_000))
    assert set(text) == set(range(len(SYMBOLS)))
    assert len(SYMBOLS) == 23
    words = "".join(SYMBOLS[code] for code in text).split(" ")
    names, codes, counts = np.unique(words, return_inverse=True, return_counts=True)
    assert len(names) <= 800
    top = np.sort(counts)[::-1]
    assert top[0] / top[9] == pytest.approx(10, rel=0.5)  # Zipf
    # the next word is not independent of this one: more repeats than chance gives
    repeats, chance = np.mean(codes[1:] == codes[:-1]), np.sum((counts / len(words)) ** 2)
    assert repeats > 1.2 * chance


def sweep_rows(exponent, curvature=0.05, noise=0.0, seed=0):
    """Synthetic sweeps whose optimum is 2^-5 (width/16)^exponent."""
    rng = np.random.default_rng(seed)
    rows = []
    for width in (16, 32, 64, 128):
        best = -5.0 + exponent * math.log2(width / 16)
        rates = np.concatenate([np.arange(-10.0, 0.0), np.arange(-9.5, -0.5)])
        losses = 1.5 * np.exp(curvature * (rates - best) ** 2 + noise * rng.standard_normal(19))
        rows += [
            {"width": width, "log2_rate": r, "share": 1.0, "loss": v, "seed": seed}
            for r, v in zip(rates, losses, strict=True)
        ]
    return DataFrame(rows)


@pytest.mark.parametrize("exponent", [0.0, -1.0, 0.5, -0.37])
def test_locator_is_exact_on_parabolas(exponent):
    assert locator.rate_exponent(sweep_rows(exponent)) == pytest.approx(exponent, abs=1e-9)


def test_locator_refuses_an_optimum_at_the_end_of_the_grid():
    assert math.isnan(locator.rate_exponent(sweep_rows(-2.0)))


@pytest.mark.parametrize("apart", [0, 2])
def test_penalty_across_steps_is_what_the_late_curve_loses_at_the_early_optimum(apart):
    """Of the narrow network the second half counts for nothing, of the wide one the first."""
    rates = np.arange(-8.0, -1.0)
    best = {(1, 0.5): -5, (1, 1.0): -3, (2, 0.5): -3, (2, 1.0): -5 + apart}
    rows = [
        {"width": width, "share": share, "log2_rate": rate, "loss": np.exp((rate - place) ** 2)}
        for (width, share), place in best.items()
        for rate in rates
    ]
    assert optimum.penalty_across_steps(DataFrame(rows)) == pytest.approx(np.exp(apart**2) - 1)


def test_interval_of_the_exponent_covers_the_truth():
    """Noise that moves an optimum by a quarter octave; 99 % intervals over five seeds."""
    from widenets.evidence import per_seed

    estimator = per_seed(locator.rate_exponent, columns=("width", "log2_rate", "share", "loss"))
    tables = [
        DataFrame(
            [
                row
                for s in range(5)
                for row in sweep_rows(-0.5, noise=0.03, seed=5 * i + s).to_dict("records")
            ]
        )
        for i in range(60)
    ]
    found = [estimator(table) for table in tables]
    covered = sum(e.low <= -0.5 <= e.high for e in found)
    assert covered >= 56  # 60 at 99 %: fewer than 56 has probability below 1e-3
    assert 0.02 < np.median([e.high - e.low for e in found]) < 1.0


def test_one_network_with_a_second_minimum_does_not_decide_adams_rate():
    """Eleven networks at -1 and one that is lucky far above its best rate, as seen of Adam."""
    rows = pd.concat(
        sweep_rows(0.0 if seed == 7 else -1.0, noise=0.02, seed=seed) for seed in range(12)
    )
    claims = {c.name: c for c in CLAIMS}
    adam, sgd = (
        claims[name].estimator(rows.assign(optimizer=optimizer))
        for name, optimizer in (("M4_standard_adam", "adam"), ("M3_standard_sgd", "sgd"))
    )
    assert adam.low > -1.1
    assert adam.high < -0.9
    assert sgd.high > -0.75  # the mean


def test_penalties_of_known_curves():
    rows = sweep_rows(-1.0, curvature=0.02)
    expected = 1.5 * (math.exp(0.02 * 9.0) - 1.0)  # three octaves off at width 128
    assert optimum.transfer_penalty(rows) == pytest.approx(expected, rel=1e-6)
    assert optimum.transfer_penalty(sweep_rows(0.0)) == pytest.approx(0.0, abs=1e-9)
    assert optimum.worst_trend(sweep_rows(0.0), (-6.0, -5.0)) == pytest.approx(0.0, abs=1e-12)
    assert optimum.worst_trend(rows, (-9.0, -8.0)) < 0 < optimum.worst_trend(rows, (-9.0, -5.0))
    assert optimum.worst_trend_in_time(rows, -5.0) > 0
    assert optimum.good_when_slow_bad_when_fast(rows, -9.0, -5.0) > 0
    assert optimum.good_when_slow_bad_when_fast(sweep_rows(0.0), -9.0, -5.0) == pytest.approx(0.0)
