"""Pieces of the replication of Lee et al. 2019 that its claims rest on."""

import jax
import numpy as np
import pandas as pd
import pytest

from replications.lee2019_linearization import claims, experiment, linearization, networks, setting
from replications.lee2019_linearization.laws import laws, remains_of_start
from replications.lee2019_linearization.networks import Model
from widenets.ntk.random import generator


def test_linear_outputs_are_explicit_descent():
    """Train and test outputs of the linear model, step by step, with each seed's own rate."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((2, 7, 9)) / 3
    kernel = features @ np.swapaxes(features, 1, 2)[:, :, :4]
    outputs, targets = rng.standard_normal((2, 7, 1)), rng.standard_normal((2, 4, 1))
    steps, rates = [0, 3, 20], np.array([0.1, 0.3])
    result = linearization.linear_outputs(kernel, outputs, targets, steps, rates)
    for seed in range(2):
        current = outputs[seed].copy()
        for step in range(steps[-1] + 1):
            if step in steps:
                expected = result[seed, steps.index(step)]
                np.testing.assert_allclose(expected, current[:, 0], atol=1e-12)
            current = current - rates[seed] * kernel[seed] @ (current[:4] - targets[seed])


def test_limit_distance_is_that_of_the_linear_model_under_gradient_flow():
    rng = np.random.default_rng(0)
    features, residual = rng.standard_normal((2, 4, 9)), rng.standard_normal((2, 4))
    kernel, times = features @ np.swapaxes(features, 1, 2), np.array([0.1, 0.4])
    found = linearization.limit_distance(kernel, residual, times)
    for seed in range(2):
        steps = 20_000
        moved, left = np.zeros(9), residual[seed].copy()
        for _ in range(steps):
            moved = moved - times[seed] / steps * features[seed].T @ left
            left = residual[seed] + features[seed] @ moved
        assert found[seed] == pytest.approx(np.linalg.norm(moved), rel=1e-3)


def test_exponents_per_fitted_distance_leave_out_its_draw():
    rows = [
        {"seed": seed, "step": step, "width": width, "gap": draw / width * step, "fitted": draw}
        for seed in range(4)
        for width, draw in zip(
            (64, 128, 256), np.random.default_rng(seed).uniform(1, 9, 3), strict=True
        )
        for step in (0, 1, 2)
    ]
    estimate = claims.per_fitted("gap")(pd.DataFrame(rows))
    assert estimate.value == pytest.approx(-1)
    assert estimate.high - estimate.low < 1e-9


@pytest.mark.parametrize("parameterization", ["ntk", "standard"])
def test_drawn_weights_have_the_shapes_and_deviations_of_init(parameterization):
    model = Model("relu", 2, 300, parameterization=parameterization)
    drawn = networks.weights(model, (40,), (0, 1))["layers"]
    reference = networks.network(model).init(jax.random.key(0), (40,))
    assert jax.tree.structure(drawn) == jax.tree.structure(reference)
    for ours, theirs in zip(jax.tree.leaves(drawn), jax.tree.leaves(reference), strict=True):
        assert ours.shape == (2, *theirs.shape)
        if theirs.size > 200:
            assert ours.std() == pytest.approx(float(theirs.std()), rel=0.2)
    assert not np.array_equal(drawn[0]["weight"][0], drawn[0]["weight"][1])


def test_mean_field_networks_are_scaled_and_their_scale_stays():
    model = Model("erf", 1, 16)
    params = networks.weights(model, (8,), (0,), mean_field=True)
    assert params["scale"] == pytest.approx(0.25)
    one = jax.tree.map(lambda leaf: leaf[0], params)
    x = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    plain = networks.network(model).apply(one["layers"], x)
    np.testing.assert_allclose(networks.apply(model)(one, x), plain / 4, rtol=1e-6)
    unscaled = networks.kernels(model, one | {"scale": 1.0}, x)
    np.testing.assert_allclose(networks.kernels(model, one, x).ntk, unscaled.ntk / 16, rtol=1e-6)
    assert networks.learning_rates(params, 0.3)["scale"] == 0


def test_kept_neurons_are_a_narrow_network_and_train_as_one():
    drawn = networks.weights(Model("erf", 1, 16), (4,), (0,))
    kept = jax.tree.map(lambda leaf: leaf[0], networks.keep_neurons(drawn, 2))
    narrow = jax.tree.map(lambda leaf: leaf[0], drawn)
    narrow = {"layers": jax.tree.map(lambda w: w[..., :2], narrow["layers"][:1]), "scale": 1.0}
    readout = {"weight": drawn["layers"][2]["weight"][0, :2]}
    narrow["layers"] = (*narrow["layers"], (), readout)
    x = np.random.default_rng(0).standard_normal((3, 4))
    ends = []
    for width, params in ((16, kept), (2, narrow)):
        outputs = networks.apply(Model("erf", 1, width))
        slope = jax.grad(lambda p, f=outputs: ((f(p, x) - 1) ** 2).sum() / 2)(params)
        step = jax.tree.map(lambda w, g: w - 0.2 * g, params["layers"], slope["layers"])
        ends.append(outputs({**params, "layers": step}, x))
    np.testing.assert_allclose(*ends, rtol=1e-5)


def test_copies_of_the_points_are_the_same_descent():
    model, problem = Model("erf", 1, 8), setting.digits((0,), 4, 4)
    params, rate = networks.weights(model, (64,), (0,)), np.array([0.01])
    ends = [
        experiment._descend(
            model, problem, params, rate, [5], networks.watch_outputs(model), copies
        )
        for copies in (1, 4)
    ]
    np.testing.assert_allclose(*(end.observed for end in ends), rtol=1e-5)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_position_between_two_laws(share):
    """0 for networks around the one law and 1 around the other, on synthetic outputs."""
    rng = np.random.default_rng(1)
    alphas = np.linspace(-1, 1, 5)
    rows = [
        {
            "seed": seed,
            "step": 64,
            "alpha": alpha,
            "ntk_mean": alpha,
            "nngp_mean": -alpha,
            "without_start": alpha * (1 - 2 * share) + 0.1 * rng.standard_normal(),
        }
        for seed in range(50)
        for alpha in alphas
    ]
    estimate = claims.position("ntk", "nngp")(pd.DataFrame(rows))
    assert estimate.low < share < estimate.high
    assert estimate.high - estimate.low < 0.2


def test_trained_readouts_are_their_closed_form():
    """Descent on the readout alone, step by step, ends where the part `ensemble` says."""
    cell = {"activation": "erf", "width": 32}
    rows = pd.DataFrame(experiment.ensemble(arm="readout", **cell, seeds=(3,)))
    line = experiment.digits_on_a_line(3, 16, 16)
    law = experiment.laws("erf", 3, 3, 16, 16, (0, 8, 64))["nngp"]
    model = Model("erf", 3, 32)
    drawn = networks.weights(model, (64,), (3,), "ensemble", "readout")
    params = jax.tree.map(lambda leaf: leaf[0].astype(np.float64), drawn)
    outputs = networks.apply(model)

    def loss(readout):
        layers = (*params["layers"][:-1], {"weight": readout})
        found = outputs({**params, "layers": layers}, line.points)
        return ((found[:16] - line.targets) ** 2).sum() / 2, found

    readout = params["layers"][-1]["weight"]
    slope = jax.jit(jax.grad(loss, has_aux=True))
    for step in range(65):
        gradient, found = slope(readout)
        if step in (0, 8, 64):
            expected = rows.loc[rows["step"] == step, "output"]
            on_line = found[16:, 0][np.array(experiment.ON_LINE)]
            np.testing.assert_allclose(expected, on_line, atol=1e-10)
        readout = readout - law.rate * gradient


def test_outputs_with_the_covariances_of_the_law_vary_together_as_predicted():
    """The mean of what is found is what is predicted; of independent outputs it is 0."""
    law = experiment.laws("erf", 3, 3, 16, 16, (0, 8, 64))["ntk"]
    rng = np.random.default_rng(0)
    normals = rng.standard_normal((20_000, *law.mean.shape))
    roots = np.stack([np.linalg.cholesky(c + 1e-9 * np.eye(16)) for c in law.covariance])
    together = law.mean + np.einsum("rab,srb->sra", roots, normals)
    found, predicted = law.shared_with_others(together)
    np.testing.assert_allclose(found.mean((0, 2)), predicted.mean(1), rtol=0.06)
    apart, _ = law.shared_with_others(law.mean + law.deviation * normals)
    assert np.all(np.abs(apart.mean((0, 2))) < 0.06 * predicted.mean(1))


def test_rows_do_not_depend_on_how_seeds_are_grouped():
    cell = {"arm": "erf", "activation": "erf", "depth": 1, "width": 8, "steps": 16}
    seeds = tuple(range(setting.TOGETHER + 1))
    together = pd.DataFrame(experiment.drift(**cell, seeds=seeds))
    assert sorted(together["seed"].unique()) == list(seeds)
    alone = pd.DataFrame(experiment.drift(**cell, seeds=seeds[-1:]))
    of_last = together[together["seed"] == seeds[-1]].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_last, alone, rtol=1e-5)


def test_what_remains_of_the_start_is_a_descent_to_zero():
    """Equation 14's second part, step by step: f <- f - rate Theta(., X) f(X)."""
    law = laws("erf", 3, 0, 8, 4, (0, 3, 8))["ntk"]
    start = generator(0, "test").standard_normal((2, 12))
    found = remains_of_start(law, start, (0, 3, 8))
    now = start
    for step in range(9):
        if step in (0, 3, 8):
            np.testing.assert_allclose(found[:, (0, 3, 8).index(step)], now[:, 8:], atol=1e-10)
        now = now - law.rate * now[:, :8] @ law.kernel.T
