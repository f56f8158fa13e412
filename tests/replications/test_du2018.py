"""Du et al. 2018: descent in the span of the data is descent on the weights, and its theory."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from replications.du2018_convergence import claims, convolution, deep, descent, figures, observables
from replications.du2018_convergence.problem import (
    Setting,
    least_eigenvalue,
    limit_kernels,
    make_problem,
    make_start,
)
from widenets.ntk.data import sphere
from widenets.ntk.empirical import empirical_ntk

SETTING = Setting(count=6, dimension=9)


def problem_and_start(setting=SETTING, width=40, seed=0):
    problem = make_problem(setting, "test", seed)
    return problem, make_start(problem, setting, "test", seed, width)


def last_of(start, steps):
    *_, state = descent.descend(start, steps)
    return state


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("readout", [False, True])
def test_descent_in_the_span_is_descent_on_the_weights(activation, readout):
    setting = SETTING._replace(activation=activation, readout=readout)
    problem, start = problem_and_start(setting)
    sigma = {"relu": jax.nn.relu, "erf": jax.scipy.special.erf}[activation]
    # any W with the same preactivations: the part outside the span of the inputs does not move
    weights = jnp.asarray(np.linalg.lstsq(problem.inputs, start.preactivations)[0].T)
    params = (weights, jnp.asarray(start.signs))

    def residual(params):
        outputs = start.scale * params[1] @ sigma(params[0] @ problem.inputs.T)
        return start.labels - outputs

    gradient = jax.jit(jax.grad(lambda params: jnp.sum(residual(params) ** 2) / 2))
    for _ in range(20):
        slope = gradient(params)
        trained = params[1] - start.learning_rate * slope[1] if readout else params[1]
        params = (params[0] - start.learning_rate * slope[0], trained)
    state = last_of(start, 20)
    np.testing.assert_allclose(state.residual, residual(params), atol=1e-12)
    distances = np.linalg.norm(np.asarray(params[0]) - np.asarray(weights), axis=1)
    np.testing.assert_allclose(descent.weight_norms(start, state), distances, atol=1e-12)


def test_the_closed_form_is_that_of_the_paper():
    problem, _ = problem_and_start()
    cosines = np.clip(problem.inputs @ problem.inputs.T, -1, 1)
    np.fill_diagonal(cosines, 1.0)
    expected = cosines * (np.pi - np.arccos(cosines)) / (2 * np.pi)
    np.testing.assert_allclose(problem.first_layer, expected, atol=1e-14)


def test_the_initial_gram_matrix_is_unbiased():
    problem, start = problem_and_start(width=200_000)
    empirical = descent.gram_of_gradients(start, start.preactivations)
    assert np.abs(empirical - problem.first_layer).max() < 5 * 0.5 / np.sqrt(200_000)


def test_outputs_scaled_by_c_have_a_kernel_scaled_by_c_squared():
    """Half the output moves the residual by a quarter in the first step."""
    _, whole = problem_and_start(width=100_000)
    _, half = problem_and_start(SETTING._replace(factor=0.5), width=100_000)
    moves = []
    for start in (whole, half):
        states = descent.descend(start._replace(labels=np.ones(6)), 1)
        first = next(states).residual
        moves.append((first - next(states).residual) / np.linalg.norm(first))
    assert np.linalg.norm(moves[1]) / np.linalg.norm(moves[0]) == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_the_step_keeps_the_first_motion_of_the_outputs(exponent):
    setting = SETTING._replace(output_exponent=exponent, mirrored=True, step=1e-3)
    problem, start = problem_and_start(setting, width=50_000)
    states = descent.descend(start, 1)
    first = next(states).residual
    moved = first - next(states).residual
    expected = problem.rate * problem.first_layer @ first
    np.testing.assert_allclose(moved, expected, atol=0.05 * np.linalg.norm(expected))


def test_first_order_theory_becomes_exact_with_width():
    errors = {}
    for width in (500, 32_000):
        found = {"distance": [], "changes": []}
        for seed in range(4):
            problem, start = problem_and_start(width=width, seed=seed)
            state = last_of(start, 200)
            push = np.linalg.solve(problem.first_layer, start.labels - outputs(start))
            expected = descent.first_order_norms(start, push).max()
            found["distance"].append(descent.weight_norms(start, state).max() / expected)
            share = descent.first_order_changes(start, push[:, None], 400)[0]
            found["changes"].append(descent.pattern_changes(start, state) / share)
        errors[width] = {name: abs(np.mean(ratios) - 1) for name, ratios in found.items()}
    assert errors[32_000]["distance"] < min(0.02, errors[500]["distance"])
    assert errors[32_000]["changes"] < 0.1


def outputs(start):
    return start.scale * np.maximum(start.preactivations, 0) @ start.signs


def test_a_sample_alone_flips_the_active_neurons_within_its_reach():
    """One input: a neuron moves only while it is active, towards its kink for one sign of a_r."""
    width = 100_000
    places = np.repeat((np.arange(width // 2) + 0.5) / (width // 2), 2)
    signs = np.tile([1.0, -1.0], width // 2)
    start = descent.Start(
        np.eye(1), np.ones(1), stats.norm.ppf(places)[None], signs, width**-0.5, 1.0
    )
    push = np.array([[2.0]])  # residual 1 over H = 1/2
    state = last_of(start, 60)
    assert abs(state.residual[0]) < 1e-9
    share = descent.first_order_changes(start, push, 10)[0]
    assert share == pytest.approx(2 / np.sqrt(2 * np.pi) / (2 * np.sqrt(width)))
    assert descent.pattern_changes(start, state) == pytest.approx(share, rel=0.03)


def test_margins_tell_a_kept_bound_from_a_broken_one():
    problem, _ = problem_and_start()
    rate, residual = problem.rate * problem.smallest, problem.labels
    kept = [(1 - rate) ** (2 * k) for k in range(400)]
    found = observables.against_bounds(kept, problem, residual)
    assert found["margin"] == pytest.approx(2 * np.log1p(-rate) - np.log1p(-rate / 2))
    assert found["margin_flow"] < 0
    broken = [(1 - rate / 8) ** k for k in range(400)]
    found = observables.against_bounds(broken, problem, residual)
    assert found["margin"] > 0
    assert np.isnan(found["late_rate"])


@pytest.mark.parametrize("kernel", ["first_layer", "both_layers"])
def test_late_rate_is_that_of_the_limit_kernel_in_the_same_steps(kernel):
    problem, start = problem_and_start()
    residual = start.labels - outputs(start)
    eigenvalues, basis = np.linalg.eigh(getattr(problem, kernel))
    factors = (1 - problem.rate * eigenvalues) ** np.arange(4000)[:, None]
    limit = np.sum((factors * (basis.T @ residual)) ** 2, axis=1)
    losses = np.maximum(limit, 1e-21 * limit[0])
    found = observables.against_bounds(losses, problem, residual)
    name = {"first_layer": "late_rate", "both_layers": "late_rate_joint"}[kernel]
    assert found[name] == pytest.approx(1)
    late = np.flatnonzero(losses < 1e-19 * losses[0])[0]
    contraction = losses[late] / losses[late - 1]
    assert contraction == pytest.approx((1 - problem.rate * eigenvalues[0]) ** 2, rel=1e-3)


def test_a_kernel_whose_own_descent_diverges_has_no_late_rate():
    problem, start = problem_and_start()
    residual = start.labels - outputs(start)
    problem = problem._replace(rate=2.1 / np.linalg.eigvalsh(problem.both_layers)[-1])
    found = observables.against_bounds(0.5 ** np.arange(80.0), problem, residual)
    assert np.isfinite(found["late_rate"])
    assert np.isnan(found["late_rate_joint"])


@pytest.mark.parametrize("arm", ["fully_connected", "residual"])
def test_the_deep_limit_is_that_of_the_finite_network(arm):
    inputs, _ = deep.deep_data(arm, 0, 5, 4)
    kernel = deep.deep_network(arm, 2, 8).kernel(np.sqrt(4) * inputs).ntk
    np.testing.assert_allclose(deep.deep_limit(arm, 2, inputs)[1], kernel, atol=1e-12)


@pytest.mark.parametrize(("arm", "depth"), [("fully_connected", 3), ("residual", 3), ("relu", 2)])
def test_finite_gram_matrices_have_their_limit(arm, depth):
    """Twice the neurons, half of the squared distance; at 1024 it is small."""
    inputs, _ = deep.deep_data(arm, 0, 4, 4)
    limit, _ = deep.deep_limit(arm, depth, inputs)
    draw = np.random.default_rng(0)
    found = [deep.finite_gram(arm, depth, 1024, inputs, draw) for _ in range(12)]
    assert np.linalg.norm(np.mean(found, 0) - limit) < 0.05 * np.linalg.norm(limit)
    narrow = [deep.finite_gram(arm, depth, 64, inputs, draw) for _ in range(24)]
    wide, small = (np.mean([np.sum((g - limit) ** 2) for g in each]) for each in (found, narrow))
    assert 6 < small / wide < 40


def window_mean(pairs):
    """What a convolution makes of covariances at one position (rows, columns, count, count)."""
    window = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
    return sum(np.roll(pairs, shift, axis=(0, 1)) for shift in window) / 9


def cos_layer(pairs):
    """(c E cos u cos v, c E sin u sin v), by Mehler's formula; c keeps unit variances."""
    variances = np.diagonal(pairs, axis1=2, axis2=3)
    decay = np.exp(-(variances[..., :, None] + variances[..., None, :]) / 2)
    return tuple(deep.PRESERVING["cos"] * decay * f(pairs) for f in (np.cosh, np.sinh))


@pytest.mark.parametrize("arm", ["plain", "residual"])
@pytest.mark.parametrize("depth", [2, 5])
def test_convolutional_limits_are_those_of_the_recursion_by_hand(arm, depth):
    count, side, channels = 3, 4, 5
    pixels = sphere(np.random.default_rng(0), count * side**2, channels)
    images = pixels.reshape(count, side, side, channels)
    features, _ = cos_layer(window_mean(np.einsum("iabc,jabc->abij", images, images)))
    for _ in range(depth - 1):
        reads = window_mean(features)
        outputs, gain = cos_layer(reads)
        expected = gain * reads
        if arm == "residual":
            expected, outputs = expected / depth**2, features + outputs / depth**2
        features = outputs
    found = convolution.conv_limit(arm, depth, images)
    np.testing.assert_allclose(found, expected.mean((0, 1)), rtol=1e-12)


@pytest.mark.parametrize("arm", ["fully_connected", "residual", "relu"])
def test_finite_gram_is_that_of_the_finite_network(arm):
    """The same draws as weights of the architecture, all but the last hidden layer's W fixed."""
    depth, width = 3, 6
    inputs, _ = deep.deep_data(arm, 0, 4, 4)
    network = deep.deep_network(arm, depth, width, False)
    draw, params = np.random.default_rng(0), network.init(jax.random.key(0), (4,), np.float64)
    leaves, structure = jax.tree.flatten(params)
    params = jax.tree.unflatten(structure, [draw.standard_normal(leaf.shape) for leaf in leaves])
    compiled = jax.jit(lambda params, x: empirical_ntk(network.apply, params, x))
    kernel = compiled(params, jnp.asarray(2 * inputs))
    found = deep.finite_gram(arm, depth, width, inputs, np.random.default_rng(0))
    np.testing.assert_allclose(found, kernel, rtol=1e-12)


def test_contradictory_labels_share_one_input():
    problem, _ = problem_and_start(SETTING._replace(conflict=True))
    assert np.array_equal(problem.inputs[-1], problem.inputs[-2])
    assert list(problem.labels[-2:]) == [1, -1]
    assert problem.smallest > 0.05
    assert abs(np.linalg.eigvalsh(problem.first_layer)[0]) < 1e-14


def test_steps_are_counted_to_the_first_that_reaches_the_target():
    parts, contraction = np.array([3.0, 1.0]), np.array([0.5, 0.999])
    found = deep.steps_to(0.01, contraction, parts)
    losses = [np.sum(parts * contraction ** (2 * step)) for step in (found - 1, found)]
    assert losses[1] <= 0.04 < losses[0]
    with pytest.raises(ValueError, match="no descent"):
        deep.steps_to(0.01, np.array([1.0]), np.array([1.0]))


def test_the_late_rate_figure_does_without_a_rate_that_no_run_has():
    rows = [
        {"arm": arm, "width": width, "seed": seed, "late_rate": 1 + 0.01 * seed}
        for arm in ("theory", "half_output")
        for width in (256, 512)
        for seed in range(3)
    ]
    assert figures.figure_late_rate(pd.DataFrame(rows)).axes


def test_followed_pushes_change_the_patterns_that_descent_changes():
    """On average: neurons that stick to their kink end on either side of it."""
    found = expected = 0.0
    for seed in range(12):
        problem, start = problem_and_start(width=40_000, seed=seed)
        residual = start.labels - outputs(start)
        expected += observables.changes_in_the_limit(start, residual, problem)
        found += descent.pattern_changes(start, last_of(start, 120))
    assert found == pytest.approx(expected, rel=0.03)


def test_the_radius_is_that_of_the_lemma():
    problem, start = problem_and_start()
    residual = start.labels - outputs(start)
    found = observables.motion(start, last_of(start, 1), residual, problem)
    radius = np.sqrt(6 / 40) * np.linalg.norm(residual) / problem.smallest
    assert found["distance_bound"] == pytest.approx(radius)


@pytest.mark.parametrize(("count", "dimension"), [(400, 400), (400, 60)])
def test_the_edge_of_the_free_sum_is_the_least_eigenvalue(count, dimension):
    inputs = sphere(np.random.default_rng(0), count, dimension)
    smallest = np.linalg.eigvalsh(limit_kernels(inputs)[0])[0]
    assert least_eigenvalue(count, dimension, 8) == pytest.approx(smallest, rel=0.02)


def test_the_limit_of_a_ratio_weighs_each_width_by_its_scatter():
    """1 + .7 m^(-1/2) has the limit 1; a narrow width that is off moves it the less, the faster the
    scatter falls with the width."""
    width = np.array([256.0, 512.0, 1024.0, 2048.0, 4096.0])
    exact = 1 + 0.7 * width**-0.5
    off = exact + np.where(width == 256, 0.05, 0.0)

    def limit(ratio, scatter):
        rows = [
            pd.DataFrame({"seed": seed, "width": width, "ratio": ratio + 1e-9 * seed})
            for seed in range(3)
        ]
        return claims._limit_where_scatter_falls("ratio", scatter)(pd.concat(rows)).value

    assert limit(exact, 0.5) == pytest.approx(1, abs=1e-7)
    equal, counts, largest = (abs(limit(off, scatter) - 1) for scatter in (0.0, 0.25, 0.5))
    assert largest < counts < equal
