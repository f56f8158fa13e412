"""Pieces of the replication of Schoenholz et al. 2017 that its claims rest on."""

import jax.numpy as jnp
import numpy as np
import pytest
from pandas import DataFrame
from scipy.optimize import brentq
from scipy.special import erf

from replications.schoenholz2017_signal_propagation import (
    claims,
    curves,
    experiment,
    images,
    networks,
)
from widenets.ntk.architecture import dense, residual, serial, tanh
from widenets.ntk.signal import FixedPoint, Signal, at_depths

DEPTHS = np.array([1024, 2048, 4096, 8192])


def rest_point(**fields) -> FixedPoint:
    return FixedPoint(**{**dict.fromkeys(FixedPoint._fields, 0.5), **fields})


def test_relu_rate_is_that_of_the_expanded_map():
    """s -> s - rate s^2 for s = sqrt(1 - c), in plain layers and in blocks."""
    s = 1e-3
    plain = s - np.sqrt(1 - curves.first_arc_cosine(1 - s**2))
    assert plain / s**2 == pytest.approx(curves.relu_rate(0.0, "plain"), rel=1e-2)
    a = 0.5
    mixed = (1 - s**2 + a * curves.first_arc_cosine(1 - s**2)) / (1 + a)
    assert (s - np.sqrt(1 - mixed)) / s**2 == pytest.approx(curves.relu_rate(a, "skip"), rel=1e-2)


@pytest.mark.parametrize("third", [0.0, 0.7])
def test_logarithm_is_that_of_the_iterated_maps(third):
    """T' = 1 - e + chi(e) T with e' = e - C'' e^2 / 2 + C''' e^3 / 6, from the definition."""
    second, gap, theta, found = 0.35, 0.3, 0.5, {}
    for depth in range(1, 2**16 + 1):
        slope = 1 - second * gap + third * gap**2 / 2
        theta = 1 - gap + slope * theta
        gap = gap - second * gap**2 / 2 + third * gap**3 / 6
        found[depth] = theta - depth / 3
    steps = [(found[2**k] - found[2 ** (k - 1)]) / np.log(2) for k in (15, 16)]
    predicted = curves.smooth_logarithm(rest_point(second=second, third=third))
    assert 2 * steps[1] - steps[0] == pytest.approx(predicted, rel=5e-3, abs=1e-3)


def test_off_diagonal_limit_is_a_fixed_point():
    rest = rest_point(variance=0.9, gap=0.6, chi_c=0.8)
    limit = curves.off_diagonal_limit(rest)
    assert limit == pytest.approx(0.9 * 0.4 + 0.8 * limit)
    assert curves.off_diagonal_limit(rest_point(chi_c=1.0)) == np.inf


def test_equation_of_divided_branches_is_the_limit_of_many():
    c, blocks = 0.1, 20000
    for _ in range(blocks):
        c = (c + curves.first_arc_cosine(c) / blocks) / (1 + 1 / blocks)
    assert curves.scaled_branches(np.array([0.1]), 1.0)[0] == pytest.approx(c, abs=1e-4)


def test_tanh_blocks_are_the_residual_networks_of_the_library():
    weights, biases, depths = 1.0, 0.2, np.array([1, 4])
    frozen = residual(serial(tanh(), dense(1, weights, biases, trained=False)))
    one = jnp.asarray(1.0)
    theta = at_depths(frozen, Signal(one, jnp.asarray(0.0), one), depths).ntk
    found = curves.tanh_blocks(weights, biases, depths)
    np.testing.assert_allclose(found, np.log(theta), rtol=1e-6)


def test_pairs_and_matrices_are_inverse():
    x = np.random.default_rng(0).normal(size=(5, 4))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    train, test = images.matrices(1 - images.pairs([x], 3), 3)
    np.testing.assert_allclose(train[0], x[:3] @ x[:3].T, atol=1e-14)
    np.testing.assert_allclose(test[0], x[3:] @ x[:3].T, atol=1e-14)


def test_labels_have_no_mean_over_the_training_images():
    task = images.task(0, 30, 10, "digits", None)
    np.testing.assert_allclose(task.labels[:30].sum(axis=0), 0, atol=1e-12)
    assert (np.argmax(task.labels + task.mean, axis=1) == task.classes).all()


def dense_growth(stream, count, width, layers, weights, biases, variance):
    """The same as `gradient_growth` with weight matrices."""
    found = []
    for _ in range(count):
        z, seen = np.sqrt(variance) * stream.standard_normal(width), []
        for _ in range(layers):
            matrix = np.sqrt(weights / width) * stream.standard_normal((width, width))
            seen.append((z, matrix))
            z = matrix @ erf(z) + np.sqrt(biases) * stream.standard_normal(width)
        g = stream.standard_normal(width)
        start = g @ g
        for z, matrix in reversed(seen):
            g = networks.erf_slope(z) * (matrix.T @ g)
        found.append(g @ g / start)
    return np.array(found)


def test_networks_without_matrices_have_the_law_of_those_with():
    setting = {"width": 8, "layers": 4, "weights": 2.0, "biases": 0.1, "variance": 0.8}
    stream = np.random.default_rng(1)
    lazy = networks.gradient_growth(stream, networks=8000, **setting)
    full = dense_growth(np.random.default_rng(2), 3000, **setting)
    for moment in (np.log, np.sqrt, lambda growth: np.log(growth) ** 2):
        one, two = moment(lazy), moment(full)
        error = np.hypot(one.std() / np.sqrt(one.size), two.std() / np.sqrt(two.size))
        assert abs(one.mean() - two.mean()) < 4 * error


def test_correlations_of_wide_networks_follow_the_recursion():
    start = Signal(0.8, np.array([0.7]), 0.0)
    weights, rest = experiment.phase(1.5)
    start = start._replace(variance=rest.variance)
    limit = 1 - experiment.limit("erf", False, weights, 0.05, start, np.arange(4)).gap[:, 0]
    found = networks.correlations(
        np.random.default_rng(0), width=200000, layers=3, gap=0.7,
        weights=weights, biases=0.05, variance=rest.variance,
    )  # fmt: skip
    np.testing.assert_allclose(found, limit, atol=0.015)


def test_filled_up_calls_give_the_same_signal():
    gaps = np.array([[0.1, 0.5], [0.9, 1.2]])
    whole = experiment.limit("erf", False, 1.2, 0.05, Signal(0.4, gaps, 0.4), np.array([1, 3]))
    one = experiment.limit("erf", False, 1.2, 0.05, Signal(0.4, gaps[1, 0], 0.4), np.array([3]))
    assert whole.gap.shape == (2, 2, 2)
    assert whole.gap[1, 1, 0] == pytest.approx(float(one.gap[0]), rel=1e-13)


def test_statistics_find_the_constants_of_exact_laws():
    layers = DEPTHS + 1.0
    rows = DataFrame({"seed": 0, "depth": DEPTHS, "rate": 0.2})
    share = 1 / 3 + (2 * np.log(layers) - 5) / layers
    shares = claims.at_the_edge(y="share", columns=("depth",))(rows.assign(share=share))
    assert shares.value == pytest.approx(1 / 3)
    gap = 1 / (0.2 * layers + 3 * np.log(layers) + 7) ** 2
    assert claims.closing(0.5)(rows.assign(gap=gap)).value == pytest.approx(1)
    assert claims.closing(0.5)(rows.assign(gap=1.02 * gap)).high < 0.991


def test_threshold_is_read_between_points_and_grows_by_a_scale_per_log():
    depths, rows = np.arange(4.0, 200.0, 4.0), []
    for power in range(2, 8):
        left = np.exp(-2e-2 * 8**power * depths * np.exp(-depths / 8))
        of = {"ratio": 0.7, "steps": 8**power, "depth": depths, "r2": 1 - left}
        rows.append(DataFrame({**of, "xi": 8.0, "prefactor": 1}))
    whole = DataFrame({key: np.concatenate([part[key] for part in rows]) for key in rows[0]})
    assert claims.depth_per_log_steps(whole) == pytest.approx(1, abs=0.01)
    assert claims.depth_per_log_steps(whole.assign(prefactor=0)) > 1.05


def test_edge_of_erf_is_the_root_of_one_equation():
    """chi_1 = 4 sw2 / (pi sqrt(1 + 4 q)) = 1 put into Q(q) = q."""

    def weights(q):
        return np.pi * np.sqrt(1 + 4 * q) / 4

    def rest(q):
        return 2 / np.pi * weights(q) * np.arcsin(2 * q / (1 + 2 * q)) + 0.18 - q

    (claim,) = [claim for claim in claims.CLAIMS if claim.name == "D5_critical_weights"]
    assert weights(brentq(rest, 1e-6, 10)) == pytest.approx(claim.region.center, abs=1e-6)
