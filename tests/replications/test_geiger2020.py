"""Geiger et al. 2020: the flow against its definition, the statistics on curves of known law."""

import math

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from replications.geiger2020_scale_transition import claims, collapse, experiment
from replications.geiger2020_scale_transition.flow import flow, soft_hinge
from replications.geiger2020_scale_transition.network import (
    RELU,
    Model,
    activation,
    apply,
    initial_weights,
    kernel,
    kernel_flow,
    moved,
    train,
    velocity,
)
from replications.geiger2020_scale_transition.tasks import Split, task_of
from widenets.ntk.empirical import empirical_ntk
from workflow.base.grid import shards

MODEL = Model()


def problem(points=8, dimension=3, width=12, depth=2, bias=False):
    weights = initial_weights(0, depth, width, dimension, bias=bias)
    generator = np.random.default_rng(0)
    x = generator.standard_normal((points, dimension))
    return weights, jnp.asarray(x), jnp.asarray(np.sign(x[:, 0] * x[:, 1]))


def test_activation_is_scaled_softplus_with_its_slope_and_unit_second_moment():
    softplus, z = activation(MODEL), jnp.linspace(-4, 4, 401)
    scale = softplus(0.0) / (np.log(2) / 5)
    np.testing.assert_allclose(softplus(z), scale * jax.nn.softplus(5 * z) / 5, atol=4e-15)
    slope = jax.vmap(jax.grad(softplus))(z)
    np.testing.assert_allclose(slope, scale * jax.nn.sigmoid(5 * z), atol=1e-15)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    density = np.exp(-((10 * nodes) ** 2) / 2) / np.sqrt(2 * np.pi)
    moment = 10 * np.sum(weights * density * np.asarray(softplus(jnp.asarray(10 * nodes))) ** 2)
    assert abs(moment - 1) < 1e-10


def test_relu_is_the_sharp_limit():
    z = jnp.linspace(-4, 4, 400)
    np.testing.assert_allclose(activation(RELU)(z), np.sqrt(2) * np.maximum(z, 0), atol=1e-11)
    slope = jax.vmap(jax.grad(activation(RELU)))(z)
    np.testing.assert_array_equal(slope, np.sqrt(2) * (z > 0))


@pytest.mark.parametrize("bias", [False, True])
def test_nets_of_one_hidden_layer_are_the_parts_of_a_wider_one(bias):
    x = jnp.asarray(np.random.default_rng(0).standard_normal((5, 3)))
    model = Model(bias=bias)
    whole = initial_weights(0, 1, 64, 3, bias=bias)
    parts = [initial_weights(0, 1, 16, 3, net=net, bias=bias) for net in range(4)]
    outputs, kernels = (
        [of(model, weights, x) for weights in (whole, *parts)] for of in (apply, kernel)
    )
    np.testing.assert_allclose(outputs[0], sum(outputs[1:]) / 2, rtol=1e-12)  # sqrt(4)
    np.testing.assert_allclose(kernels[0], np.mean(kernels[1:], axis=0), rtol=1e-12)


def test_deeper_nets_of_different_width_share_nothing():
    whole, part = (initial_weights(0, 2, width, 3)[0]["weight"] for width in (16, 8))
    assert not np.isin(part, whole).any()


@pytest.mark.parametrize("model", [Model(), Model(subtract=0.0), Model(bias=True)])
def test_velocity_is_minus_the_gradient_of_the_loss(model):
    weights, x, y = problem(bias=model.bias)
    alpha, start = 0.7, apply(model, weights, x)

    def loss(u):
        f = apply(model, moved(weights, u), x) - model.subtract * start
        return soft_hinge(y * alpha * f).mean() / alpha**2

    u = 0.1 * jax.flatten_util.ravel_pytree(weights)[0] ** 2
    outputs, direction = velocity(model, weights, x, y, alpha)(u)
    np.testing.assert_allclose(direction, -jax.grad(loss)(u), rtol=1e-10, atol=1e-14)
    assert outputs.shape == y.shape


@pytest.mark.parametrize("bias", [False, True])
def test_kernel_is_the_gram_of_the_jacobian_of_what_trains(bias):
    weights, x, _ = problem(bias=bias)
    wanted = empirical_ntk(lambda w, z: apply(MODEL, w, z)[:, None], weights, x)
    np.testing.assert_allclose(kernel(MODEL, weights, x), wanted, rtol=1e-12)
    of_readout = empirical_ntk(
        lambda w, z: apply(MODEL, (*weights[:-1], w), z)[:, None], weights[-1], x
    )
    np.testing.assert_allclose(kernel(Model(hidden=0.0), weights, x), of_readout, rtol=1e-12)


def test_flow_follows_the_exponential_and_times_its_passages():
    # dF/dt = 2 - F from 0 with targets 1: F = 2 (1 - exp(-t)) reaches 1 at t = log 2.
    ends = [
        flow(
            lambda f: (f, 2.0 - f), jnp.zeros(3), jnp.ones(3), tolerance=tolerance, max_steps=100000
        )
        for tolerance in (1e-2, 1e-6)
    ]
    errors = [abs(float(end.time) - np.log(2.0)) for end in ends]
    assert errors[1] < 1e-3
    assert bool(ends[1].converged)
    half = float(ends[1].times[5])  # mean hinge 1/2 at F = 1/2
    assert abs(half - np.log(4 / 3)) < 5e-3


def test_flow_stops_at_its_end_time():
    def to(end_time):
        control = {"tolerance": 1e-2, "max_steps": 100_000, "end_time": end_time}
        return flow(lambda f: (f, 2.0 - f), jnp.zeros(3), jnp.ones(3), **control)

    end = to(0.1)
    assert 0.1 <= float(end.time) < 0.11
    assert not bool(end.converged)
    np.testing.assert_allclose(end.outputs, 2 * (1 - np.exp(-float(end.time))), rtol=0.05)
    assert bool(to(np.inf).converged)


def test_flow_passes_a_jump_of_the_velocity_where_short_steps_are_allowed():
    def velocity_of(u):  # turns by a right angle where u_0 passes 1/2
        return u, jnp.where(u[0] < 0.5, jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0]))

    control = {"tolerance": 1e-2, "max_steps": 4000}
    start, targets = jnp.array([1e-3, 0.0]), jnp.array([2.0, 1.0])
    stuck = flow(velocity_of, start, targets, **control)
    assert float(stuck.state[0]) <= 0.5
    assert float(stuck.state[1]) == 0.0
    passed = flow(velocity_of, start, targets, smallest_move=1e-2, **control)
    assert bool(passed.converged)
    assert abs(float(passed.state[0]) - 0.5) < 1e-2


def test_flow_says_so_when_it_does_not_arrive():
    end = flow(lambda f: (f, 0.5 - f), jnp.zeros(2), jnp.ones(2), tolerance=1e-2, max_steps=200)
    assert not bool(end.converged)


def test_a_lazy_network_follows_the_flow_of_its_initial_kernel():
    weights, x, y = problem(width=40)
    control = {"tolerance": 1e-4, "max_steps": 100_000}
    held = kernel_flow(kernel(MODEL, weights, x), y, **control)
    gaps = []
    for alpha in (1e2, 1e4):
        end = train(MODEL, weights, x, y, alpha, **control)
        gaps.append(float(jnp.max(jnp.abs(end.outputs - held.outputs))))
    assert gaps[1] < 1e-2 * 1.5
    assert gaps[1] <= gaps[0]


def test_readout_training_leaves_the_hidden_layers():
    weights, x, y = problem()
    _, unflatten = jax.flatten_util.ravel_pytree(weights)
    _, direction = velocity(Model(hidden=0.0), weights, x, y, 1.0)(
        jnp.zeros(sum(layer["weight"].size for layer in weights))
    )
    norms = [float(jnp.linalg.norm(layer["weight"])) for layer in unflatten(direction)]
    assert norms[:2] == [0.0, 0.0]
    assert norms[2] > 0


def curves(law, widths=(16, 64, 256), seeds=5, noise=0.02):
    """Rows whose kernel_change, t1 and error are law(width, alpha) times a seed's own factor."""
    generator = np.random.default_rng(1)
    rows = []
    for width in widths:
        for seed in range(seeds):
            factor = np.exp(noise * generator.standard_normal())
            for s in np.geomspace(0.1, 1e3, 13):
                alpha = s / np.sqrt(width)
                value = law(width, alpha) * factor
                rows.append({"seed": seed, "width": width, "alpha": alpha, "s": s, "y": value})
    table = pd.DataFrame(rows)
    return table.assign(kernel_change=table["y"], error=table["y"], t1=table["y"])


@pytest.mark.parametrize("exponent", [0.0, 0.3, 0.5, 1.0])
def test_crossover_and_collapse_find_the_exponent_of_the_law(exponent):
    def law(width, alpha):
        return 10 / (1 + width**exponent * alpha) ** 1.5

    table = curves(law)
    for _, one in curves(law, noise=0.005).groupby("seed"):
        assert abs(collapse.crossover_exponent(1.0)(one) + exponent) < 0.06
    assert abs(collapse.collapse_exponent("kernel_change")(table) - exponent) < 0.03
    if exponent == 0.5:
        assert collapse.misfit_excess("kernel_change", 0.0)(table) > 0.5
        assert collapse.misfit_excess("kernel_change", 1.0)(table) > 0.5


def test_every_crossover_has_the_three_widths_that_its_correction_needs():
    name = "geiger2020_scale_transition"
    found = [claim for claim in claims.CLAIMS if "crossover" in claim.name]
    assert len(found) >= 4
    for claim in found:
        cells = [c for some in shards(name, claim.tier).values() for c in some]
        for arm in (claim.arm, claim.control):
            of_arm = [c for c in cells if (c.part, c.arm) == (claim.part, arm)]
            widths = {cell.parameters["width"] for cell in of_arm}
            assert len(widths) >= 3, (claim.name, arm)


@pytest.mark.parametrize("tier", ["smoke", "laptop", "paper"])
def test_feature_learning_is_measured_where_networks_are_wider_than_their_data(tier):
    """At h = P one in a hundred comes to rest with a point on which no unit is active."""
    every = [
        cell for cells in shards("geiger2020_scale_transition", tier).values() for cell in cells
    ]
    rich = [cell for cell in every if cell.arm in ("depth_1", "depth_2", "depth_3")]
    assert {cell.arm for cell in rich} == {"depth_1", "depth_2", "depth_3"}
    assert all(cell.parameters["width"] >= 2 * cell.parameters["points"] for cell in rich)


def test_a_correction_of_order_one_over_the_width_is_taken_out():
    """alpha* = h^(-1/2) / (1 + 8 / h): .14 in the plain slope from 16 to 256."""
    scale = {width: np.sqrt(width) * (1 + 8 / width) for width in (16, 64, 256)}
    table = curves(lambda width, alpha: 10 / (1 + scale[width] * alpha) ** 1.5, noise=0.0)
    assert abs(collapse.crossover_exponent(1.0)(table) + 0.5) < 0.03
    assert abs(collapse.corrected_collapse("kernel_change")(table) - 0.5) < 0.03
    assert abs(collapse.collapse_exponent("kernel_change")(table) - 0.5) > 0.06
    of_two = table[table["width"] > 16]
    assert np.isnan(collapse.crossover_exponent(1.0)(of_two))
    assert np.isnan(collapse.corrected_collapse("kernel_change")(of_two))


def test_exponents_of_growth_are_those_of_the_typical_network():
    """One of twenty that is held up at the smallest scale changes neither G5 nor G6."""
    inverse = np.array([1e2, 1e3, 1e4, 1e5])
    rows = pd.DataFrame(
        {"part": "slopes", "seed": seed, "inverse_s": inverse, "weight_change": change}
        for seed in range(20)
        for change in [3 * inverse ** (1 / 3) * np.exp(-0.4 * inverse ** (-1 / 3))]
    ).explode(["inverse_s", "weight_change"])
    rows = rows.astype({"inverse_s": float, "weight_change": float}).reset_index(drop=True)
    of_one = collapse.growth_exponent("weight_change", 1 / 3)
    assert of_one(rows[rows["seed"] == 0]) == pytest.approx(1 / 3, abs=1e-9)
    held_up = (rows["seed"] == 2) & (rows["inverse_s"] == 1e5)
    rows.loc[held_up, "weight_change"] *= 2
    assert of_one(rows[rows["seed"] == 2]) > 0.4
    (claim,) = [one for one in claims.CLAIMS if one.name == "G6_feature_weights_depth_2"]
    found = claim.estimator(rows)
    assert (found.low, found.high) == pytest.approx((1 / 3, 1 / 3), abs=1e-9)


def test_mean_exponent_is_that_of_the_mean_over_nets():
    rows = [
        {"width": width, "variance": share / width}
        for width in (16, 64, 256)
        for share in (0.5, 1.0, 1.5)
    ]
    assert abs(collapse.mean_exponent("variance")(pd.DataFrame(rows)) + 1) < 1e-12


@pytest.mark.parametrize("exponent", [-2.0, -0.5, 0.7])
def test_the_excess_of_a_misfit_is_one_for_every_power_law(exponent):
    table = curves(lambda width, alpha: (np.sqrt(width) * alpha) ** exponent, noise=0.0)
    for kappa in (0.0, 1.0):
        assert abs(collapse.misfit_excess("kernel_change", kappa)(table) - 1) < 1e-9


@pytest.mark.parametrize("width", [3, 50, 64, 100, 129, 512, 1000, 1024])
def test_points_where_two_curves_end_together_count(width):
    """At kappa = 1/2 two grids of the same s are one up to rounding, which must not choose."""
    first, second = np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])  # apart at one end
    s = np.log([0.4, 1.6, 25.6])
    grids = {one: (s - np.log(one) / 2, y) for one, y in ((width, first), (7, second))}
    spread = np.std(np.concatenate([first, second]))
    found = collapse._misfits(grids, np.array([0.5]))[0]
    assert abs(found - math.sqrt(1 / 3) / spread) < 1e-6


def test_halfway_exponent_takes_the_plateaus_of_each_width():
    def law(width, alpha):
        share = 1 / (1 + (5 / (np.sqrt(width) * alpha)) ** 1.3)
        return 0.1 + 1 / width + (0.1 + 1 / width) * share

    table = curves(law, noise=0.0)
    assert abs(collapse.halfway_exponent("error")(table) + 0.5) < 1e-9


def test_the_bend_of_a_logarithm_is_zero_and_that_of_a_power_is_not():
    s = np.array([1e-4, 1e-3, 1e-2])
    logarithm = pd.DataFrame({"s": s, "t1": s * (3 - 2 * np.log(s))})
    power = pd.DataFrame({"s": s, "t1": s**0.9})
    assert abs(collapse.logarithm_bend(logarithm)) < 1e-12
    assert collapse.logarithm_bend(power) > 0.1


def test_a_level_that_is_never_crossed_gives_no_number():
    table = curves(lambda width, alpha: 1e-3 / (1 + alpha))
    assert np.isnan(collapse.crossover_exponent(1.0)(table))


def test_variance_and_ensemble_follow_their_definitions():
    outputs = np.random.default_rng(0).standard_normal((6, 50))
    targets = np.where(np.random.default_rng(1).random(50) > 0.5, 1.0, -1.0)
    shares = experiment._variance_shares(outputs)
    np.testing.assert_allclose(shares.mean(), outputs.var(axis=0, ddof=1).mean())
    nets = outputs.reshape(3, 2, 50)  # three seeds of two nets
    error = lambda average: np.mean(average * targets <= 0)  # noqa: E731
    pseudo = experiment._of_average(nets, error)
    errors = [error(np.delete(nets, i, 0).mean((0, 1))) for i in range(3)]
    np.testing.assert_allclose(pseudo.mean(), 3 * error(outputs.mean(0)) - 2 * np.mean(errors))


@pytest.mark.parametrize("name", ["xnor10", "stripe20", "digits_pca", "digits_pixels"])
def test_tasks_have_rows_of_norm_root_d_and_signs_as_targets(name):
    task = task_of(Split(name, 40, 30, None, 0, 0))
    assert (len(task.x), len(task.test_x)) == (40, 30)
    dimension = task.x.shape[1]
    np.testing.assert_allclose(np.linalg.norm(task.x, axis=1), np.sqrt(dimension), rtol=1e-12)
    assert set(task.y) == set(task.test_y) == {-1.0, 1.0}


def test_draws_of_the_training_set_share_the_test_set():
    one, two = (task_of(Split("xnor10", 20, 10, None, draw, 0)) for draw in (1, 2))
    np.testing.assert_array_equal(one.test_x, two.test_x)
    assert not np.any(one.x == two.x)


def test_unknown_task_says_what_was_wanted():
    with pytest.raises(ValueError, match="found 'letters_pca', wanted"):
        task_of(Split("letters_pca", 20, 10, None, 0, 0))
