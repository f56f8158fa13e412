"""Closed forms of the limit with feature learning, and the numbers that its claims quote."""

import numpy as np
import pytest
from pandas import DataFrame
from scipy.optimize import brentq

from replications.bordelon2022_feature_learning_limit import (
    claims,
    experiment,
    leading,
    networks,
    one_layer,
)
from replications.bordelon2022_feature_learning_limit.networks import Training
from widenets.ntk.feature_learning_limit import feature_learning_limit


def test_integrals_of_the_frozen_flow_by_sums():
    """v = int Delta and V = int Delta v' by the trapezoidal rule."""
    times = np.linspace(0, 0.7, 4001)
    values, vectors = np.linalg.eigh(leading.GRAM)
    decay = np.exp(-3 * values * times[:, None])
    delta = (vectors * decay[:, None, :]) @ (vectors.T @ leading.TARGETS)
    step = times[1] - times[0]
    v = np.concatenate([np.zeros((1, 3)), np.cumsum((delta[1:] + delta[:-1]) / 2, axis=0)]) * step
    products = delta[:, :, None] * v[:, None, :]
    big = ((products[1:] + products[:-1]) / 2).sum(axis=0) * step
    found = leading.integrals(leading.GRAM, leading.TARGETS, 2, 0.7)
    np.testing.assert_allclose(found[0], v[-1], rtol=1e-6)
    np.testing.assert_allclose(found[1], big, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_one_sample_is_the_same_law(depth):
    one = (np.ones((1, 1)), np.ones(1), depth, 0.4)
    squared = np.expm1(-(depth + 1) * 0.4) ** 2
    change = leading.kernel_change(*one)[0, 0] / (depth + 1)
    np.testing.assert_allclose(change, leading.coefficient(depth) * squared, rtol=1e-12)
    bare = leading.kernel_change_without_responses(*one)[0, 0] / (depth + 1)
    np.testing.assert_allclose(change / bare, (depth + 1) * (depth + 2) / 6, rtol=1e-12)


def test_order_of_the_output_solves_its_equation():
    """f1' = -f1 + c f0^2 (1 - f0) in units of K_0 t, f0 = 1 - exp(-tau)."""
    tau, step = np.linspace(0, 3, 61), 1e-5
    f0 = -np.expm1(-tau)
    rise = (leading.output_change(2, tau + step) - leading.output_change(2, tau - step)) / step / 2
    right = -leading.output_change(2, tau) + leading.coefficient(2) * f0**2 * (1 - f0)
    np.testing.assert_allclose(rise, right, atol=1e-8)
    assert leading.output_change(2, 0.0) == 0


def test_two_numbers_are_the_limit_of_one_layer():
    found = feature_learning_limit([[1.0]], [1.0], 1, "linear", 1.7, 0.2, 12)
    path = one_layer.descend(1.0, 1.0, 1.7, 0.2, 12)
    np.testing.assert_allclose(path.output(1.7), found.prediction[-1, 0])
    np.testing.assert_allclose(path.kernel, found.tangent[-1, 0, 0])
    np.testing.assert_allclose(path.x * path.y, (path.grown * path.shrunk) ** 2)


@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_networks_descend_by_their_gradients(activation):
    """K_11 and one step of f against differences of f in every weight."""
    draw = np.random.default_rng(0)
    weights = [draw.standard_normal(s) for s in ((1, 5, 3), (1, 5, 5), (1, 5))]
    size, sizes = 5, [w.size for w in weights]
    flat = np.concatenate([w.ravel() for w in weights])

    def output(flat):
        split = np.split(flat, np.cumsum(sizes)[:-1])
        shaped = [part.reshape(w.shape) for part, w in zip(split, weights, strict=True)]
        return networks.trained(Training(activation, 0.3, 0, richness=0.7), *shaped)[0][0]

    step = 1e-5
    gradient = np.array([
        (output(flat + step * e) - output(flat - step * e)) / (2 * step) for e in np.eye(len(flat))
    ])  # fmt: skip
    kernel = networks.trained(Training(activation, 0.3, 0, richness=0.7), *weights)[1][0]
    np.testing.assert_allclose(0.7**2 * size * gradient[:, 0] @ gradient[:, 0], kernel, rtol=1e-7)
    error = networks.TRAINED * (networks.TARGETS - output(flat))
    moved = output(flat + 0.3 * 0.7**2 * size * gradient @ error)
    once = networks.trained(Training(activation, 0.3, 1, richness=0.7), *weights)[0][0]
    np.testing.assert_allclose(once, moved, rtol=1e-6)


@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_what_is_said_to_have_mean_zero_has(activation):
    found = networks.pairs(np.random.default_rng(1), Training(activation, 0.1, 0), 8, 20_000)
    mean = found.centred.mean(axis=0)
    error = found.centred.std(axis=0) / np.sqrt(len(found.centred))
    assert np.abs(mean / error).max() < 4.5


def test_mean_products_of_tanh():
    draws = np.tanh(
        np.random.default_rng(2).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 10**6)
    )
    found = networks.mean_product(np.array([[1, 0.6], [0.6, 1.0]]))
    np.testing.assert_allclose(found, draws.T @ draws / 1e6, atol=2e-3)


def _predicted(activation, rate, steps, read_as, point, one_sample=False):
    training = Training(activation, rate, steps, one_sample)
    outputs, kernel = experiment._predicted(training, read_as)
    of_limit, kernel_of_limit = experiment._predicted(training, "limit")
    return kernel / kernel_of_limit if point is None else outputs[point] / of_limit[point]


def _flow_form():
    training = Training("linear", 0.1, 5)
    taken, limit = (
        training.limit(follow_kernel=follow).prediction[-1, 0] for follow in (True, False)
    )
    return taken / limit


def _first_layer(depth, responses):
    """Phi^1 - 1 over Phi^L - 1 of one sample, from k^2 d1 + k (L+1-k) d2, or from d1 + d2."""
    one = (np.ones((1, 1)), np.ones(1), depth, 0.4)
    if not responses:
        return 1 / depth
    first, last = (leading.feature_change(*one, layer)[0, 0] for layer in (1, depth))
    return first / last


def _with_over_without(depth):
    one = (np.ones((1, 1)), np.ones(1), depth, 0.4)
    bare = leading.kernel_change_without_responses(*one)
    return (leading.kernel_change(*one) / bare)[0, 0]


def _output_at(alignment):
    """g0 f where 2q / sqrt(4q^2 + 2(1+q)^2) is so large, q = sqrt(1 + (g0 f)^2)."""
    ratio = np.sqrt(2 * (alignment**-2 - 1))  # (1 + q) / q
    return np.sqrt((ratio - 1) ** -2 - 1)


def _rich_exponent(depth):
    """L + 1 factors of equal norm whose product is g0: K is a product of L of them squared."""
    return 2 * depth / (depth + 1)


RIVALS = {
    "D1_final_kernel": lambda: (1 + 1 / 8) / np.sqrt(5 / 4),
    "D2_leading_kernel": lambda: 6 / (3 * 4),
    "D2_first_layer_moves_least": lambda: _first_layer(3, responses=False),
    "D3_order_without_responses": lambda: 3 * 4 / 6,
    "D4_small_richness": lambda: 1 / _with_over_without(2),
    "D5_lazy_exponent": lambda: 1,  # 1 / alpha = g0
    "D6_rich_exponent_2": lambda: _rich_exponent(3),
    "D6_rich_exponent_3": lambda: _rich_exponent(4),
    "D6_popular_square": lambda: _rich_exponent(2),
    "D8_deviation": lambda: -1,
    "D9_flow_is_not_the_step": lambda: 2,
    "D10_readout_needs_responses_2": lambda: 1,
    "D10_readout_needs_responses_3": lambda: 1,
    "D7_tanh_output": lambda: _predicted("tanh", 0.3, 6, "no_responses", 1),
    "D7_tanh_kernel": lambda: _predicted("tanh", 0.3, 6, "no_responses", None),
    "D7_tanh_first_output": lambda: _predicted("tanh", 0.3, 6, "no_responses", 0),
    "D7_linear_output": _flow_form,
    "D7_linear_kernel": lambda: _predicted("linear", 0.1, 5, "no_responses", None),
    "D13_noise_of_the_kernel": lambda: 4 / (1 + 4) / (4 / (1 + 4**2)),
    "D13_bias_of_the_kernel": lambda: 0,
    "D14_noise_grows": lambda: np.sqrt(1 + 2) / np.sqrt(1 + 2**2),
    "D18_alignment_is_silent_at_small_init": lambda: _output_at(0.9 * np.sqrt(2 / 3)) / 11.32,
    "D22_ends_at_the_floor": lambda: 1 / 0.97,
    "D25_one_sample_a_step": lambda: _predicted("tanh", 0.3, 10, "full_batch", 1, True),
    "D25_one_sample_a_step_linear": lambda: _predicted("linear", 0.1, 9, "full_batch", 0, True),
}


@pytest.mark.parametrize("name", RIVALS)
def test_rivals_are_what_their_theories_give_at_the_sizes_of_the_grid(name):
    (claim,) = [claim for claim in claims.CLAIMS if claim.name == name]
    assert claim.rival.value == pytest.approx(RIVALS[name](), rel=2e-3)


def test_the_formula_of_silent_alignment_follows_the_flow_at_every_size_it_is_asked_at():
    """An expansion cut off after its second order was 2 % off at a label that a draw had."""
    for top in (40.0, 100.0, 1000.0):
        q = np.hypot(1, top)
        start, end = np.sqrt(1 / 3), 2 * q / np.sqrt(4 * q**2 + 2 * (1 + q) ** 2)
        gone = _output_at(start + 0.9 * (end - start)) / top
        assert gone == pytest.approx(11.32 / (top + 10.35), rel=1.2e-3)
        left = (1 - gone) ** 2
        ratio = left / (1 - 11.32 / top) ** 2
        rows = DataFrame({"left": [left], "ratio": ratio, "richness": 1000.0})
        assert claims._gone_over_formula(rows) == pytest.approx(1, abs=1.2e-3)


def test_numbers_that_texts_give():
    assert _first_layer(3, responses=True) == pytest.approx(1 / 6)
    assert _predicted("tanh", 0.3, 6, "frozen", 1) == pytest.approx(0.516, abs=2e-3)
    outputs = [
        Training("linear", 0.1, 5).limit(follow_kernel=follow).prediction[-1, 0]
        for follow in (True, False)
    ]
    assert outputs == pytest.approx([0.6501, 0.6569], abs=1e-4)
    (row,) = experiment.machine(arm="any_kernel", depth=2, richness=1.0, seeds=(0,))
    assert row["gap"] > 0.1


def test_responses_turn_the_sign_of_the_kernels_change():
    (row,) = experiment.sign(arm="theory", depth=3, seeds=(0,))
    start = feature_learning_limit(
        networks.INPUTS[:3] @ networks.INPUTS[:3].T, networks.TARGETS[:3], 3, "tanh", 1.0, 0.3, 0,
        samples=1024,
    ).tangent[0, 0, 0]  # fmt: skip
    assert row["change"] / start == pytest.approx(-0.03, abs=5e-3)
    assert row["without"] / start == pytest.approx(0.25, abs=0.03)


def test_alignment_has_gone_most_of_its_way_at_the_constant():
    """A = 2q / sqrt(4 q^2 + 2 (1+q)^2) of K, and g0 f = sqrt(q^2 - 1)."""

    def alignment(q):
        return 2 * q / np.sqrt(4 * q**2 + 2 * (1 + q) ** 2)

    def gone(s):
        """g0 |f| at 90 % of the way to the end, where g0 |f| = s."""
        first, last = alignment(1.0), alignment(np.hypot(1, s))
        q = brentq(lambda q: alignment(q) - first - 0.9 * (last - first), 1, 1e3)
        return np.sqrt(q**2 - 1)

    assert (round(alignment(1.0), 3), round(alignment(1e9), 3)) == (0.577, 0.816)
    assert gone(1e9) == pytest.approx(11.32, rel=1e-3)
    assert 1e4 * (1 - gone(1e4) / gone(1e9)) == pytest.approx(10.35, rel=1e-3)
    assert gone(300.0) == pytest.approx(11.32 * (1 - 10.35 / 300), rel=2e-3)


def test_the_edge_by_hand():
    assert list(one_layer.converges(2.0, np.array([0.49, 0.51]))) == [True, False]
    assert float(one_layer.descend(1.0, 1.0, 2.0, 0.485, 4000).kernel) == pytest.approx(4, rel=2e-3)
