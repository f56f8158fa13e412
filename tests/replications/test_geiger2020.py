"""Geiger et al. 2020: the flow against its definition, the statistics on curves of known law."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from replications.geiger2020_scale_transition import collapse, experiment
from replications.geiger2020_scale_transition.flow import flow, soft_hinge
from replications.geiger2020_scale_transition.network import (
    Model,
    add,
    apply,
    initial_weights,
    kernel,
    kernel_flow,
    softplus,
    train,
    velocity,
)
from shared.ntk.empirical import empirical_ntk

MODEL = Model()


def problem(points=8, dimension=3, width=12, depth=2):
    weights = jax.tree.map(lambda leaf: leaf[0], initial_weights((0,), depth, width, dimension))
    generator = np.random.default_rng(0)
    x = generator.standard_normal((points, dimension))
    return weights, jnp.asarray(x), jnp.asarray(np.sign(x[:, 0] * x[:, 1]))


def test_activation_is_scaled_softplus_with_its_slope_and_unit_second_moment():
    z = jnp.linspace(-4, 4, 401)
    ratio = softplus(z) / (jax.nn.softplus(5 * z) / 5)
    np.testing.assert_allclose(ratio, ratio[200], rtol=1e-13)
    slope = jax.vmap(jax.grad(softplus))(z)
    np.testing.assert_allclose(slope, ratio[200] * jax.nn.sigmoid(5 * z), rtol=1e-13)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    density = np.exp(-((10 * nodes) ** 2) / 2) / np.sqrt(2 * np.pi)
    moment = 10 * np.sum(weights * density * np.asarray(softplus(jnp.asarray(10 * nodes))) ** 2)
    assert abs(moment - 1) < 1e-10


@pytest.mark.parametrize("subtract", [True, False])
def test_velocity_is_minus_the_gradient_of_the_loss(subtract):
    weights, x, y = problem()
    alpha, start = 0.7, apply(weights, x)

    def loss(u):
        f = apply(add(weights, u), x) - (start if subtract else 0.0)
        return soft_hinge(y * alpha * f).mean() / alpha**2

    u = jax.tree.map(lambda leaf: 0.1 * leaf**2, weights)
    outputs, direction = velocity(Model(subtract=subtract), weights, x, y, alpha)(u)
    expected = jax.grad(loss)(u)
    for found, wanted in zip(jax.tree.leaves(direction), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(found, -wanted, rtol=1e-10, atol=1e-14)
    assert outputs.shape == y.shape


def test_kernel_is_the_gram_of_the_jacobian():
    weights, x, _ = problem()
    wanted = empirical_ntk(lambda w, z: apply(w, z)[:, None], weights, x)
    np.testing.assert_allclose(kernel(MODEL, weights, x), wanted, rtol=1e-12)


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
    model = Model(train="readout")
    _, direction = velocity(model, weights, x, y, 1.0)(jax.tree.map(jnp.zeros_like, weights))
    norms = [float(jnp.linalg.norm(layer["weight"])) for layer in direction]
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
    table = curves(lambda width, alpha: 10 / (1 + width**exponent * alpha) ** 1.5)
    one = table[table["seed"] == 0]
    assert abs(collapse.crossover_exponent(1.0)(one) + exponent) < 0.06
    assert abs(collapse.collapse_exponent("kernel_change")(table) - exponent) < 0.03
    if exponent == 0.5:
        assert collapse.misfit_excess("kernel_change", 0.0)(table) > 0.1
        assert collapse.misfit_excess("kernel_change", 1.0)(table) > 0.1


def test_error_crossover_finds_the_exponent_with_plateaus_of_each_width():
    def law(width, alpha):
        middle = np.log(5 / np.sqrt(width))
        low, high = 0.1 + 1 / width, 0.2 + 2 / width
        return collapse.logistic(np.log(alpha), low, high, middle, 1.3)

    found = collapse.error_crossover_exponent(curves(law, noise=0.0))
    assert abs(found + 0.5) < 1e-4


def test_a_level_that_is_never_crossed_gives_no_number():
    table = curves(lambda width, alpha: 1e-3 / (1 + alpha))
    assert np.isnan(collapse.crossover_exponent(1.0)(table))


def test_variance_and_ensemble_follow_their_definitions():
    outputs = np.random.default_rng(0).standard_normal((6, 50))
    targets = np.where(np.random.default_rng(1).random(50) > 0.5, 1.0, -1.0)
    shares = experiment._variance_shares(outputs)
    np.testing.assert_allclose(shares.mean(), outputs.var(axis=0, ddof=1).mean())
    pseudo = experiment._ensemble_pseudo_values(outputs, targets)
    errors = [np.mean(np.delete(outputs, i, 0).mean(0) * targets <= 0) for i in range(6)]
    whole = np.mean(outputs.mean(0) * targets <= 0)
    np.testing.assert_allclose(pseudo.mean(), 6 * whole - 5 * np.mean(errors))


@pytest.mark.parametrize("name", ["xnor10", "stripe20", "digits_pca", "digits_pixels"])
def test_tasks_have_rows_of_norm_root_d_and_signs_as_targets(name):
    task = experiment._task(name, 40, 30, None)
    assert (len(task.x), len(task.test_x)) == (40, 30)
    dimension = task.x.shape[1]
    np.testing.assert_allclose(np.linalg.norm(task.x, axis=1), np.sqrt(dimension), rtol=1e-12)
    assert set(task.y) == set(task.test_y) == {-1.0, 1.0}


def test_draws_of_the_training_set_share_the_test_set():
    one, two = (experiment._task("xnor10", 20, 10, None, draw) for draw in (1, 2))
    np.testing.assert_array_equal(one.test_x, two.test_x)
    assert not np.any(one.x == two.x)


def test_unknown_task_says_what_was_wanted():
    with pytest.raises(ValueError, match="found 'letters_pca', wanted"):
        experiment._task("letters_pca", 20, 10, None)
