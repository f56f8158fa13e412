"""Chizat et al. 2019: identities of section 1 and the quantities that the claims are made of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from replications.chizat2019_lazy_training import convnet, experiment, lazy_limit
from replications.chizat2019_lazy_training.curvature import (
    ascent_starts,
    criterion,
    linear_criterion,
    second_derivative_norm,
    threshold,
)
from replications.chizat2019_lazy_training.flow import gradient_flow, phi_1, phi_3
from replications.chizat2019_lazy_training.fresh_samples import half_space_moment, linear_floor
from replications.chizat2019_lazy_training.model import (
    Frozen,
    gram,
    jacobian,
    scaled,
    scaled_model,
    two_layer,
)
from replications.chizat2019_lazy_training.plane import aligned_mass, histories
from replications.chizat2019_lazy_training.regression import affine_floor
from widenets.ntk.architecture import conv
from widenets.ntk.data import TwoLayerTeacher, sphere, two_layer_teacher
from widenets.ntk.dynamics import gradient_descent, squared_error
from widenets.ntk.empirical import empirical_ntk


def problem(neurons=6, dimension=3, points=5, **how):
    return lazy_limit.drawn(("test",), dimension, neurons, points, (0, 1), **how)


def of_seed(tree, seed=0):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf[seed]), tree)


def frozen(given, alpha, factor=1.0, copies=0.0, activation="softplus"):
    start, x = of_seed(given.start), jnp.asarray(given.x[0])
    copy = copies * two_layer(activation)(start, x)
    return Frozen(x, start, jnp.asarray(alpha), jnp.asarray(factor), copy)


def test_paired_initialisation_gives_zero_and_twice_the_kernel():
    given = problem(doubled=True)
    np.testing.assert_allclose(lazy_limit.first_outputs("softplus", given), 0.0, atol=1e-15)
    half = (
        {"weight": given.start[0]["weight"][..., :3]},
        {"weight": given.start[1]["weight"][:, :3]},
    )
    whole, single = (gram(jacobian("softplus", w, given.x)) for w in (given.start, half))
    np.testing.assert_allclose(whole, 2 * single, rtol=1e-13)


@pytest.mark.parametrize("activation", ["softplus", "tanh", "relu"])
def test_jacobian_is_that_of_automatic_differentiation(activation):
    given = problem()
    start, x = of_seed(given.start), jnp.asarray(given.x[0])
    found = jacobian(activation, given.start, given.x)[0]
    layers = jax.jacrev(lambda w: two_layer(activation)(w, x)[:, 0])(start)
    wanted = [np.asarray(leaf).reshape(5, -1) for leaf in jax.tree.leaves(layers)]
    np.testing.assert_allclose(found, np.concatenate(wanted, axis=1), rtol=1e-12, atol=1e-14)
    kernel = empirical_ntk(two_layer(activation), start, x)
    np.testing.assert_allclose(gram(found), kernel, rtol=1e-12)


def test_scale_of_initialisation_is_the_scale_of_the_model():
    # h(tau w) = tau^2 h(w): descent from tau w_0 is tau times descent on F_alpha, alpha = tau^2.
    given = problem()
    start, x, y = of_seed(given.start), jnp.asarray(given.x[0]), jnp.asarray(given.y[0])[:, None]
    tau, step = 3.0, 1e-3
    run = {"loss": squared_error("sum"), "record": [30]}
    direct = gradient_descent(
        two_layer("relu"), scaled(start, tau), x, y, learning_rate=step, **run
    )
    # w' = w - step / alpha grad becomes z' = z - step_z grad with z = alpha (w - w_0).
    lifted = gradient_descent(
        scaled_model("relu"),
        jax.tree.map(jnp.zeros_like, start),
        frozen(given, tau**2),
        y,
        learning_rate=step * tau**2,
        **run,
    )
    recovered = jax.tree.map(lambda w, u: tau * (w + u / tau**2), start, lifted.params)
    for one, two in zip(jax.tree.leaves(direct.params), jax.tree.leaves(recovered), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-10)


def test_scale_of_the_targets_undoes_the_scale_of_initialisation():
    # tau^2 over the scale of the targets, and step times tau^2, are what matters.
    small, _, _ = histories(0.1, 1.0, 4, 5, 0.005, 500, (0,))
    large, _, _ = histories(2.0, 400.0, 4, 5, 0.005 / 400, 500, (0,))
    np.testing.assert_allclose(small / 0.1, large / 2.0, rtol=1e-9)


@pytest.mark.parametrize("copies", [0.0, 1.0])
def test_linearized_path_is_explicit_descent_on_the_linear_model(copies):
    given = problem(neurons=40)
    derivative = 0.5 * jacobian("softplus", given.start, given.x)
    first = 7.0 * 0.5 * (1 - copies) * lazy_limit.first_outputs("softplus", given)
    step = 0.5 / np.linalg.eigvalsh(gram(derivative))[:, -1]
    f, z = lazy_limit.linearized(derivative, given.y, first, step, [0, 1, 50])
    for seed in (0, 1):
        moved = np.zeros(derivative.shape[-1])
        for count in range(51):
            outputs = first[seed] + derivative[seed] @ moved
            if count in (0, 1, 50):
                place = [0, 1, 50].index(count)
                np.testing.assert_allclose(f[seed, place], outputs, rtol=1e-9, atol=1e-11)
                np.testing.assert_allclose(z[seed, place], moved, rtol=1e-9, atol=1e-11)
            moved = moved - step[seed] * derivative[seed].T @ (outputs - given.y[seed])


@pytest.mark.parametrize(("copies", "zero"), [(1.0, True), (0.0, False)])
def test_frozen_copy_makes_the_first_outputs_zero(copies, zero):
    fixed = frozen(problem(), 7.0, 0.5, copies)
    outputs = scaled_model("softplus")(jax.tree.map(jnp.zeros_like, fixed.start), fixed)
    assert bool(np.allclose(outputs, 0.0)) is zero


def test_relative_distance_is_in_units_of_the_length_of_the_weights():
    given = problem(neurons=40)
    found = lazy_limit.suprema(given, "softplus", 5.0, 1.0, 50)
    leaves = [leaf.reshape(2, -1) for leaf in jax.tree.leaves(given.start)]
    length = np.linalg.norm(np.concatenate(leaves, axis=1), axis=1)
    np.testing.assert_allclose(found["relative_distance"] * length, found["distance"], rtol=1e-12)


def test_huge_scale_descends_along_the_linearized_path():
    given = problem(neurons=40)
    derivative = jacobian("softplus", given.start, given.x)
    step = 0.5 / np.linalg.eigvalsh(gram(derivative))[:, -1]
    record = np.array([1, 20])
    f, z, _ = lazy_limit.descended("softplus", given, 1e7, 1.0, 1.0, step, record)
    linear_f, linear_z = lazy_limit.linearized(derivative, given.y, 0 * given.y, step, record)
    np.testing.assert_allclose(f, linear_f, atol=1e-5)
    np.testing.assert_allclose(z, linear_z, atol=1e-5)


@pytest.mark.parametrize("activation", ["softplus", "tanh"])
def test_second_derivative_norm_is_the_largest_curvature_for_one_input(activation):
    given = problem(neurons=4, points=1)
    sigma = {"softplus": jax.nn.softplus, "tanh": jnp.tanh}[activation]
    found = second_derivative_norm(activation, given.start, given.x, ascent_starts((0, 1)))
    hidden, readout = of_seed(given.start)
    largest = 0.0
    for a, b in zip(hidden["weight"].T, readout["weight"][:, 0], strict=True):
        hessian = jax.hessian(lambda w: w[-1] * sigma(given.x[0, 0] @ w[:-1]))(jnp.append(a, b))
        largest = max(largest, float(jnp.max(jnp.abs(jnp.linalg.eigvalsh(hessian)))))
    assert float(found[0]) == pytest.approx(largest, rel=1e-5)


def test_second_derivative_norm_sees_every_block_of_neurons():
    given = problem(neurons=40)  # more than one block, and not a multiple of it
    whole = second_derivative_norm("softplus", given.start, given.x, ascent_starts((0, 1)))
    single = [
        second_derivative_norm(
            "softplus",
            _neuron(given.start, j),
            given.x,
            ascent_starts((0, 1)),
        )
        for j in range(40)
    ]
    np.testing.assert_allclose(whole, np.max(single, axis=0), rtol=1e-6)


def _neuron(start, j):
    return {"weight": start[0]["weight"][..., j : j + 1]}, {
        "weight": start[1]["weight"][:, j : j + 1]
    }


def test_second_derivative_norm_is_the_maximum_found_by_alternating_eigenvectors():
    # max |q(u)| = max over unit v of the largest eigenvalue of sum_i v_i H_i: rises by turns.
    given = problem(neurons=1)
    found = second_derivative_norm("softplus", given.start, given.x, ascent_starts((0, 1)))
    generator = np.random.default_rng(0)
    for seed in (0, 1):
        hidden, readout = of_seed(given.start, seed)
        point = jnp.append(hidden["weight"][:, 0], readout["weight"][0])
        values = lambda w, x: w[-1] * jax.nn.softplus(x @ w[:-1])  # noqa: E731
        hessians = np.asarray(jax.jacfwd(jax.jacfwd(values))(point, given.x[seed]))
        largest = 0.0
        for direction in generator.standard_normal((20, 5)):
            for _ in range(50):
                _, vectors = np.linalg.eigh(np.tensordot(direction, hessians, 1))
                direction = np.einsum("ijk,j,k->i", hessians, vectors[:, -1], vectors[:, -1])
            largest = max(largest, float(np.linalg.norm(direction)))
        assert float(found[seed]) == pytest.approx(largest, rel=1e-6)


def test_criterion_and_threshold_scale_as_their_formulas():
    given = problem(neurons=8)
    zero = 0.0 * given.y
    one, four = (
        criterion("softplus", given, factor, zero, ascent_starts((0, 1))) for factor in (1.0, 4.0)
    )
    np.testing.assert_allclose(one, 4 * four, rtol=1e-12)
    eigenvalues = np.linalg.eigvalsh(gram(jacobian("softplus", given.start, given.x)))
    bound = threshold(given, 1.0, eigenvalues, ascent_starts((0, 1)))
    # kappa = |y| L / |Dh|^2, |y| / C_0 = 32 |y| L |Dh| / sigma_min^3
    np.testing.assert_allclose(bound, 32 * one * (eigenvalues[:, -1] / eigenvalues[:, 0]) ** 1.5)


def test_criterion_of_a_linear_network_has_a_closed_form():
    given = problem(neurons=40)
    found = criterion("linear", given, 0.3, 0.0 * given.y, ascent_starts((0, 1)))
    exact = linear_criterion(given, 0.3, 0.0 * given.y)
    np.testing.assert_allclose(found, exact, rtol=1e-3)


def test_best_affine_function_is_that_of_least_squares():
    """The closed form against least squares on 400000 points, within 2 %."""
    generator = np.random.default_rng(0)
    dimension = 5
    teacher = two_layer_teacher(generator, dimension, 3)
    x = sphere(generator, 400_000, dimension)
    design = np.column_stack([np.ones(len(x)), x])
    residual = teacher(x) - design @ np.linalg.lstsq(design, teacher(x), rcond=None)[0]
    assert affine_floor(teacher, dimension) == pytest.approx(np.mean(residual**2) / 2, rel=0.02)


def test_linearized_steps_are_the_closed_form_where_there_is_one():
    given = problem(neurons=20)
    derivative = jacobian("softplus", given.start, given.x)
    step = 0.5 / np.linalg.eigvalsh(gram(derivative))[:, -1]
    record, first = np.array([1, 30]), 0.3 * given.y
    exact = lazy_limit.linearized(derivative, given.y, first, step, record)
    found = lazy_limit.linear_descent(derivative, given.y, first, step, record, "square")
    for one, other in zip(found, exact, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


def test_phi_functions_join_their_series():
    x = np.array([-40.0, -1.0, -0.5, -0.49, -1e-9, 0.0, 0.3, 0.7])
    with np.errstate(all="ignore"):
        wanted = np.where(np.abs(x) > 1e-3, np.expm1(x) / x, 1 + x / 2)
    np.testing.assert_allclose(phi_1(jnp.asarray(x)), wanted, rtol=1e-12)
    series = [sum(v**k / np.prod(np.arange(1.0, k + 4)) for k in range(25)) for v in x[1:]]
    np.testing.assert_allclose(phi_3(jnp.asarray(x[1:])), series, rtol=1e-11)
    assert float(phi_3(jnp.asarray(-40.0))) == pytest.approx((-1 + 40 - 800) / -64000, rel=1e-12)


def quadratic(z, problem):
    matrix, y = problem
    return 0.5 * jnp.sum((matrix @ z - y) ** 2)


def quartic(z, stiffness):
    return 0.5 * jnp.sum(stiffness * z**2) + 0.25 * jnp.sum(z) ** 4 - jnp.sum(z)


def test_flow_is_exact_on_a_stiff_linear_problem():
    generator = np.random.default_rng(0)
    matrix, y = generator.standard_normal((6, 3)) * [1.0, 1e-2, 1e-4], generator.standard_normal(6)
    times = np.array([1.0, 1e3, 1e9])
    found = gradient_flow(
        quadratic, jnp.zeros(3), (jnp.asarray(matrix), jnp.asarray(y)), jnp.asarray(times)
    )
    eigenvalues, vectors = np.linalg.eigh(matrix.T @ matrix)
    parts = vectors.T @ matrix.T @ y
    wanted = [vectors @ (-np.expm1(-t * eigenvalues) / eigenvalues * parts) for t in times]
    np.testing.assert_allclose(found.z, wanted, rtol=1e-6)
    assert int(found.attempts) < 100


def test_flow_follows_a_nonlinear_problem():
    stiffness = np.array([1.0, 30.0, 1000.0])
    times = [0.01, 0.1, 1.0, 10.0]
    found = gradient_flow(quartic, jnp.ones(3), jnp.asarray(stiffness), jnp.asarray(times))
    slope = lambda t, z: -(stiffness * z + np.sum(z) ** 3 - 1)  # noqa: E731
    wanted = solve_ivp(slope, (0, 10), np.ones(3), "Radau", times, rtol=1e-10, atol=1e-12).y.T
    np.testing.assert_allclose(found.z, wanted, rtol=1e-5)


def test_half_space_moment_and_linear_floor_are_those_of_samples():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((200_000, 3))
    units = generator.standard_normal((3, 3))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    both = x * ((x @ units[0] > 0) & (x @ units[1] > 0))[:, None]
    np.testing.assert_allclose(
        half_space_moment(units[0], units[1]), both.T @ both / 2e5, atol=0.01
    )
    np.testing.assert_allclose(half_space_moment(units[0], units[0]), np.eye(3) / 2, atol=1e-12)
    teacher = TwoLayerTeacher(units[2:], np.array([1.0]))
    features = np.concatenate([x * (x @ unit > 0)[:, None] for unit in units[:2]], axis=1)
    y = teacher(x)
    fitted = features @ np.linalg.lstsq(features, y, rcond=None)[0]
    sampled = np.mean((fitted - y) ** 2) / np.mean(y**2)
    found = linear_floor(2.0 * np.concatenate([units[:2], units[:2]]), teacher)  # pairs, any length
    assert found == pytest.approx(sampled, rel=0.03)


@pytest.mark.parametrize(("length", "stride"), [(8, 1), (8, 2), (7, 2)])
def test_convolution_by_patches_is_the_layer(length, stride):
    layer = conv(4, convnet.SIZE, stride=stride, padding="SAME")
    params = layer.init(jax.random.key(0), (length, length, 2), jnp.float32)
    x = jnp.asarray(np.random.default_rng(0).standard_normal((3, length, length, 2)), jnp.float32)
    found = convnet.convolution(params["weight"], x, stride)
    np.testing.assert_allclose(found, layer.apply(params, x), rtol=1e-5, atol=1e-5)


def test_initial_gates_leave_an_untrained_network_alone():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((3, 8, 8, 1)), jnp.float32)
    net = convnet.network("relu")
    start, end = (net.init(jax.random.key(seed), (8, 8, 1)) for seed in (0, 1))
    same = convnet.Trained(start, start, 0.0, np.zeros((3, 10)), 0.0, 0.0)
    np.testing.assert_allclose(convnet.with_initial_gates(same, x), 0.0, atol=1e-6)
    moved = convnet.Trained(start, end, 1.0, np.zeros((3, 10)), 0.0, 0.0)
    gated = convnet.with_initial_gates(moved, x) + np.asarray(net.outputs(start, x))
    assert not np.allclose(gated, net.outputs(end, x), atol=1e-3)


def test_aligned_mass_counts_neurons_near_a_teacher_of_the_same_sign():
    teacher = TwoLayerTeacher(np.array([[1.0, 0.0]]), np.array([1.0]))
    neurons = np.array([[2.0, 0.1, 1.0], [2.0, 0.1, -1.0], [0.0, 1.0, 2.0]])
    mass = np.array([np.hypot(2, 0.1), np.hypot(2, 0.1), 2.0])
    assert aligned_mass(neurons, teacher) == pytest.approx(mass[0] / mass.sum())


def test_the_late_rate_is_the_smallest_eigenvalue_when_the_scale_is_large():
    """Up to the finite step, rate lambda / 2 = .0034 here."""
    rows = experiment.rate(
        arm="theory", alpha=256.0, dimension=10, neurons=100, points=10, steps=8000, seeds=(0, 1)
    )
    ratios = [row["rate_ratio"] for row in rows]
    np.testing.assert_allclose(ratios, 1, rtol=0.005)
