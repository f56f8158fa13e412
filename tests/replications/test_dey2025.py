"""Closed forms of depth against limits and networks by hand; derivatives; rivals of claims."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special

from replications.dey2025_depth import chains, claims, experiment, laws, networks


def test_growth_by_one_block_of_its_definition():
    """E of 1 + 2 m g / sqrt(n) + m^2 chi^2_n / n and of its square, from the moments of chi^2."""
    n, m = 8, 0.5
    chi, chi_square = n, n * (n + 2)
    assert laws.growth(1, m) == pytest.approx(1 + m**2 * chi / n)
    square = 1 + 4 * m**2 / n + m**4 * chi_square / n**2 + 2 * m**2 * chi / n
    assert laws.growth_of_square(n, 1, m) == pytest.approx(square)
    assert laws.growth_of_square(n, 7, m) == pytest.approx(square**7)


def test_limits_of_the_moments():
    assert laws.growth(10**6, 1e-3) == pytest.approx(np.e, rel=1e-5)
    relative = laws.growth_of_square(16, 10**6, 1e-3) / np.e**2
    assert relative == pytest.approx(np.exp(4 / 16), rel=1e-5)
    assert 10**6 * laws.block_kernel(10**6, 1e-3) == pytest.approx(np.e, rel=1e-5)


def test_power_of_gelu():
    def square(z):
        return 2 * (z * special.ndtr(z)) ** 2 * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

    assert integrate.quad(square, -12, 12)[0] == pytest.approx(laws.GELU_POWER, rel=1e-6)


def test_variance_of_logarithms_is_that_of_draws():
    draws = np.random.default_rng(0)
    g, chi = draws.standard_normal(10**6), draws.chisquare(7, 10**6)
    factor = (1 + 0.5 * g / np.sqrt(8)) ** 2 + 0.25 * chi / 8
    assert laws.log_variance(8, 3, 0.5) == pytest.approx(3 * np.log(factor).var(), rel=5e-3)
    plain = draws.chisquare(8, 10**6)
    assert laws.plain_log_variance(8, 3) == pytest.approx(3 * np.log(plain).var(), rel=5e-3)


@pytest.mark.parametrize(("kind", "v"), [("relu", 2), ("linear", 1)])
def test_moves_of_wide_plain_networks(kind, v):
    for depth in (1, 2, 5, 16):
        expected = depth**2 + v * depth * (depth - 1) * (2 * depth - 1) / 6
        assert laws.movement(kind, np.inf, depth) == pytest.approx(expected)


def test_moves_of_wide_residual_networks():
    for depth, m in ((2, 0.5), (16, 0.25), (4, 1.0)):
        v = (2 * m**2 + m**4) / (1 + m**2) ** 2
        expected = depth**2 + v * depth * (depth - 1) * (2 * depth - 1) / 6
        expected *= m**4 * (1 + m**2) ** (2 * depth - 2)
        assert laws.movement("abs", np.inf, depth, m) == pytest.approx(expected)
    unit = laws.coherent_movement("abs", 10**3, 10**-1.5) ** 2
    assert laws.movement("abs", np.inf, 10**3, 10**-1.5) / unit == pytest.approx(5 / 3, abs=3e-3)


@pytest.mark.parametrize("kind", ["relu", "linear", "abs"])
def test_moves_of_narrow_networks_are_those_of_draws(kind):
    factor = 0.5 if kind == "abs" else 1.0
    chain = chains.Chain(kind, 4, 3, factor)
    found = chains.passes(chain, np.random.default_rng(1), 200_000)
    inputs = [laws.growth(layer, factor) if kind == "abs" else 1.0 for layer in range(3)]
    square = np.sum(chains.moves(chain, found, inputs) ** 2, axis=1)
    sizes = np.sum(found.backward[-1] ** 2, axis=1)
    ratio = square / sizes
    error = ratio.std() / len(ratio) ** 0.5
    assert abs(ratio.mean() - laws.movement(kind, 4, 3, factor)) < 4.5 * error
    assert error < 0.02 * ratio.mean()


@pytest.mark.parametrize("kind", ["relu", "linear", "abs"])
def test_a_move_is_the_derivative_of_a_step_of_gradient_descent(kind):
    """-dz of a step on d . z by automatic differentiation of the same network."""
    chain = chains.Chain(kind, 5, 3, 0.7 if kind == "abs" else 1.0)
    stream = np.random.default_rng(2)
    start = np.random.default_rng(2).standard_normal((1, 5))[0]
    found = chains.passes(chain, stream, 1)
    weights = [jnp.asarray(w[0]) for w in found.weights]

    def last(weights):
        values = jnp.asarray(start)
        for number, w in enumerate(weights):
            if kind == "abs":
                values = values + chain.factor * w @ jnp.abs(values)
            else:
                gated = jax.nn.relu(values) if kind == "relu" and number else values
                values = w @ gated
        return values

    cotangent = jnp.asarray(found.backward[-1][0])
    gradient = jax.grad(lambda w: last(w) @ cotangent)(weights)
    moved = jax.jvp(last, (weights,), (gradient,))[1]
    ours = chains.moves(chain, found, found.inputs * np.sum(start**2))[0]
    np.testing.assert_allclose(ours, moved, rtol=1e-10)


def test_coherent_branches_by_wide_networks():
    drawn = chains.branch_stream("in_relu", np.random.default_rng(3), 8, 512, 8, 8**-0.5)
    assert np.sqrt(drawn.mean()) == pytest.approx(laws.coherent_rms(8, 8**-0.5), rel=0.05)


def test_a_shallow_network_is_the_first_blocks_of_the_deepest():
    shape = networks.Shape("two_gelu", 6, 4, 3)
    parameters, inputs, _ = shape.draw((0,), "test")
    one = {key: value[0] for key, value in parameters.items()}
    (factor,) = networks.factors((2,), 4, 0.5)
    padded, _ = networks.features("two_gelu", one, factor, inputs[0])
    values = inputs[0] @ one["embedding"]
    for number in range(2):
        block = {key: one[key][number] for key in networks.BLOCKS}
        values = values + 2**-0.5 * networks.branch("two_gelu", block, values)
    np.testing.assert_allclose(padded, values, rtol=1e-12)


def test_first_step_of_adam_is_a_sign_and_sgd_the_gradient():
    shape = networks.Shape("two_gelu", 6, 2, 3)
    parameters, *data = shape.draw((0,), "test")
    one, *data = jax.tree.map(lambda leaf: leaf[0], (parameters, *data))
    (factor,) = networks.factors((2,), 2, 0.5)
    gradient = jax.grad(lambda p: networks.loss("two_gelu", p, factor, *data))(one)
    for adam in (True, False):
        moved = networks.hidden_steps("two_gelu", one, factor, data, 0.1, 1, adam)
        for key in networks.HIDDEN:
            step = jnp.sign(gradient[key]) if adam else gradient[key]
            np.testing.assert_allclose(moved[key], one[key] - 0.1 * step, rtol=1e-9, atol=1e-12)


def test_share_beyond_the_linearization_of_a_relu_gate():
    """share^2 = 4 s / (3 pi) for z and its change s independent Gaussians (README, 5)."""
    draws = np.random.default_rng(4)
    z, s = draws.standard_normal(4 * 10**6), 0.05 * draws.standard_normal(4 * 10**6)
    change = np.maximum(z + s, 0) - np.maximum(z, 0)
    share = np.mean((change - (z > 0) * s) ** 2) / np.mean(((z > 0) * s) ** 2)
    assert share == pytest.approx(4 * 0.05 / (3 * np.pi), rel=0.02)


def test_factors_of_depth_by_groups():
    """Halved at four times the depth at a = 1/2, in blocks alone under `depth`."""
    cell = {"branch": "two_gelu", "width": 6, "depths": (2, 8), "batch": 3, "seeds": (0,)}
    by_rule = {}
    for rule in ("depth", "flat", "everywhere"):
        rows = list(experiment.rules(arm="test", power=0.5, rate_rule=rule, **cell))
        by_rule[rule] = {row["depth"]: row for row in rows}
    for group in networks.GROUPS:
        column = f"gain_{group}"
        flat, depth, everywhere = (
            by_rule[rule][8][column] / by_rule[rule][2][column]
            for rule in ("flat", "depth", "everywhere")
        )
        inside = group not in ("embedding", "final")
        assert depth / flat == pytest.approx(0.5 if inside else 1.0)
        assert everywhere / flat == pytest.approx(0.5)


PLAIN, RESIDUAL = (4, 8, 16), (8, 16, 32)


def _moved(kind, depths, power=0.0, unscaled=False):
    factors = [depth**-power for depth in depths]
    roots = [laws.movement(kind, 32, L, m) ** 0.5 for L, m in zip(depths, factors, strict=True)]
    return laws.local_slope(np.array(roots) / np.array(factors) ** (2 * unscaled), depths)


def _spread(kind, depth):
    return laws.movement(kind, 32, depth) / depth**2


def _residual_spread(depth):
    unit = laws.coherent_movement("abs", depth, depth**-0.5) ** 2
    return laws.movement("abs", 32, depth, depth**-0.5) / unit


def _coherent_increments(lags=(1, 2, 4), depth=256, m=1 / 16):
    """Exponent of the stream's increments of h + m relu(W h) for n -> infinity (README, 6)."""
    mean, square, pushes, squares = 0.0, 1.0, [], []
    for _ in range(depth):
        pushes.append(np.sqrt(square / (2 * np.pi)))
        squares.append(square)
        square += 2 * m * mean * pushes[-1] + m**2 * square / 2
        mean += m * pushes[-1]
    free = np.array(squares) * (1 / 2 - 1 / (2 * np.pi))
    found = [
        np.mean(np.convolve(pushes, np.ones(lag), "valid") ** 2)
        + np.mean(np.convolve(free, np.ones(lag), "valid"))
        for lag in lags
    ]
    return laws.local_slope(found, lags) / 2


RIVALS = {
    "D1_forward_growth": np.mean([laws.growth(L, L**-0.5) / np.e for L in (4, 16, 64)]),
    "D2_block_kernel": np.mean([L * laws.block_kernel(L, L**-0.5) / np.e for L in (4, 16, 64)]),
    "D2_block_kernel_at_one": laws.block_kernel(4, 0.25) / laws.block_kernel(4, 0.5),
    "D2_every_block_alike": laws.growth(3, 0.5),
    "D3_fourth_moment": np.mean(
        [
            laws.growth(L, L**-0.5) ** 2 / laws.growth_of_square(n, L, L**-0.5)
            for n, L in ((8, 4), (16, 16))
        ]
    ),
    "D3_width_and_depth_commute": laws.local_slope(
        [laws.plain_log_variance(n, n) ** 0.5 for n in (8, 16, 32)], (8, 16, 32)
    ),
    "D4_growth": 1 / laws.GELU_POWER,
    "D4_growth_half": 1 / laws.GELU_POWER,
    "D5_coherent_branch": 32 * np.log(1 + 1 / 128) / np.log(laws.coherent_rms(64, 1 / 8)),
    "D6_moves_relu": np.mean([_spread("linear", L) / _spread("relu", L) for L in (4, 8)]),
    "D6_moves_linear": np.mean([_spread("relu", L) / _spread("linear", L) for L in PLAIN]),
    "D18_init": _coherent_increments(),
    "D6_constant": 1 / 3,
    "D6_real_step": (laws.movement("linear", np.inf, 4) - 16)
    / (laws.movement("relu", np.inf, 4) - 16),
    "D8_function_moves_like_depth": np.mean([_spread("relu", L) ** 0.5 for L in (4, 8)]),
    "D10_residual_constant": np.mean([1 / _residual_spread(L) for L in RESIDUAL]),
}
PREDICTED = {
    "D3_width_and_depth_commute": laws.local_slope(
        [laws.log_variance(n, n, n**-0.5) ** 0.5 for n in (8, 16, 32)], (8, 16, 32)
    ),
    "D6_constant": 2 / 3,
    "D7_networks": _moved("linear", PLAIN),
    "D9_residual_weights": _moved("abs", RESIDUAL, 0.5, unscaled=True),
    "D9_residual_one": _moved("abs", RESIDUAL, 1.0),
}


def _claim(name):
    (found,) = [claim for claim in claims.CLAIMS if claim.name == name]
    return found


@pytest.mark.parametrize("name", RIVALS)
def test_rivals_are_what_their_theories_give_at_the_sizes_of_the_grid(name):
    assert _claim(name).rival.value == pytest.approx(RIVALS[name], rel=5e-3)


@pytest.mark.parametrize("name", PREDICTED)
def test_predictions_are_what_the_laws_give_at_the_sizes_of_the_grid(name):
    assert _claim(name).predicted == pytest.approx(PREDICTED[name], abs=1e-3)


def test_numbers_that_texts_give():
    wide = [laws.movement("linear", np.inf, L) ** 0.5 for L in PLAIN]
    assert laws.local_slope(wide, PLAIN) == pytest.approx(1.410, abs=5e-4)
    spreads = [_residual_spread(L) for L in RESIDUAL]
    assert (min(spreads), max(spreads)) == pytest.approx((1.48, 1.64), abs=5e-3)
    assert np.log(laws.coherent_rms(64, 1 / 8)) == pytest.approx(2.55, abs=5e-3)
    local = {
        (n, depths): laws.local_slope(
            [laws.movement("linear", n, L) ** 0.5 for L in depths], depths
        )
        for n in (32, np.inf)
        for depths in ((16, 64), (64, 256))
    }
    assert list(local.values()) == pytest.approx([1.78, 4.27, 1.48, 1.49], abs=5e-3)


TRAINED = {"branch": "two_gelu", "width": 6, "depth": 2, "deepest": 4, "batch": 5, "steps": 3}


def test_multiplier_and_rate_by_the_rule_are_those_of_the_transfer():
    """m = (L / L0)^-a and rate (L / L0)^(a-1) / n of one part are a cell of the other."""
    power, base, rate, seeds = 0.5, 8, 0.2, (0, 1)
    cell = {**TRAINED, "arm": "test", "seeds": seeds}
    found = experiment.transfer(power=power, base=base, rates=(rate,), **cell)
    factor = (2 / base) ** -power
    by_rule = rate * (2 / base) ** (power - 1) * factor * 2
    other = experiment.multipliers(factors=(factor,), rates=(by_rule,), **cell)
    for one, two in zip(found, other, strict=True):
        assert one["log_loss"] == pytest.approx(two["log_loss"], rel=1e-10)


def test_training_is_steps_of_adam_on_fresh_batches():
    """Three steps by hand with jax.grad, batch by batch, then the loss on the tested points."""
    (row,) = experiment.transfer(arm="test", power=0.5, base=2, rates=(0.3,), seeds=(0,), **TRAINED)
    shape = networks.Shape("two_gelu", 6, 4, 5)
    parameters, *_ = jax.tree.map(lambda leaf: leaf[0], shape.draw((0,), "training", "weights"))
    parameters |= {key: parameters[key][:2] for key in networks.BLOCKS}
    batches = experiment._tasks((0,), "batches", 3, 5)
    first = second = dict.fromkeys(networks.HIDDEN, 0.0)
    for number in range(3):
        data = [part[0, number] for part in batches]
        found = jax.grad(networks.loss, argnums=1)("two_gelu", parameters, np.ones(2), *data)
        for key in networks.HIDDEN:
            first = {**first, key: 0.9 * first[key] + 0.1 * found[key]}
            second = {**second, key: 0.999 * second[key] + 0.001 * found[key] ** 2}
            mean = first[key] / (1 - 0.9 ** (number + 1))
            size = jnp.sqrt(second[key] / (1 - 0.999 ** (number + 1)))
            parameters[key] = parameters[key] - 0.3 / 6 * mean / size
    inputs, targets = (part[0] for part in experiment._tasks((0,), "tested", experiment.TESTED))
    left = 2 * networks.loss("two_gelu", parameters, np.ones(2), inputs, targets)
    expected = min(float(jnp.log(left / np.mean(targets**2))), 0.0)
    assert row["log_loss"] == pytest.approx(expected, rel=1e-8)


def test_diverged_runs_are_no_better_than_zero():
    rows = experiment.transfer(arm="test", power=0.5, base=2, rates=(1e200,), seeds=(0,), **TRAINED)
    assert [row["log_loss"] for row in rows] == [0.0]


def _curves(exponent, values):
    """Losses that are lowest at L^exponent and steeper below, on a grid with another centre."""
    return pd.DataFrame(
        {"seed": 0, "depth": depth, "factor": value, "rate": value,
         "log_loss": -2 + 0.3 * away**2 - 0.02 * away**3}
        for depth in (2, 8, 32) for value in values
        for away in [np.log(value) - exponent * np.log(depth)]
    )  # fmt: skip


@pytest.mark.parametrize("exponent", [0.0, -0.5, -1.0])
def test_exponents_of_the_best_are_not_drawn_to_the_grid(exponent):
    rows = _curves(exponent, 2.0 ** np.arange(-7, 3))
    for estimate in (claims.exponent_of_best_rate, claims.exponent_of_best_multiplier):
        assert estimate(rows) == pytest.approx(exponent, abs=0.03)
        assert np.isnan(estimate(rows[rows["rate"] >= 1.0]))


def test_a_plateau_below_the_best_multiplier_does_not_move_it():
    """Copies of one curve, flat below its lowest point and steep above, each at half the multiplier
    of the last: -1, where a fit that weighs the plateau in finds -.67."""
    rows = pd.DataFrame(
        {"seed": 0, "depth": depth, "factor": factor, "rate": 1.0,
         "log_loss": -1.7 - 0.07 * np.exp(-(away**2) / 4) + 0.05 * max(away, 0.0) ** 2}
        for depth in (8, 16, 32, 64) for factor in 2.0 ** np.arange(-7, 2)
        for away in [np.log2(factor * depth / 2)]
    )  # fmt: skip
    assert claims.exponent_of_best_multiplier(rows) == pytest.approx(-1)
    places = {
        depth: claims.lowest(of.set_index("factor")["log_loss"])
        for depth, of in rows.groupby("depth")
    }
    assert claims.exponent_of(pd.Series(places)) == pytest.approx(-0.67, abs=0.01)


def test_a_against_its_half_at_32_blocks():
    rows = pd.DataFrame(
        {"factor": factor, "rate": rate, "log_loss": loss}
        for factor, rate, loss in (
            (1 / 16, 1, -1.0), (1 / 16, 2, -2.0), (1 / 4, 1, -2.5), (1 / 4, 2, -1.5), (1, 1, -9),
        )
    )  # fmt: skip
    assert claims.one_less_half(rows) == pytest.approx(0.5)
