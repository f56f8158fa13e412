"""What is particular to the replication of Bordelon et al. (2020)."""

import numpy as np
import pytest

from replications.bordelon2020_learning_curves import experiment, training
from widenets.ntk.architecture import fully_connected
from widenets.ntk.data import sphere
from widenets.ntk.random import generator
from widenets.ntk.spectra import fixed_point, legendre, multiplicity, target_errors


def test_interpolated_kernel_is_that_of_the_architecture():
    x = sphere(generator(0, "test"), 30, 7)
    network = fully_connected(depth=2, width=1, weight_variance=2.0, readout_weight_variance=1)
    exact = np.asarray(network.kernel(np.sqrt(7.0) * x).ntk)
    cosines = np.clip(x @ x.T, -1, 1)
    np.fill_diagonal(cosines, 1.0)
    np.testing.assert_allclose(experiment._on_cosines(2)(cosines), exact, atol=1e-11)


def test_exact_average_over_targets_is_the_average_over_targets():
    """Draws of targets and 20000 test points against the three sums, within 4 standard errors."""
    dimension, degree, samples = 6, 2, 12
    stream = generator(1, "test")
    x, fresh = sphere(stream, samples, dimension), sphere(stream, 20_000, dimension)
    cosines = np.clip(x @ x.T, -1, 1)
    np.fill_diagonal(cosines, 1.0)
    exact = experiment._Draw(cosines, 2, dimension, (degree,)).errors(samples, 0.1)[degree]
    kernel = experiment._on_cosines(2)
    fit = kernel(fresh @ x.T) @ np.linalg.inv(kernel(cosines) + 0.1 * np.eye(samples))
    scale = np.sqrt(multiplicity(dimension, degree))
    axes = sphere(stream, 400, dimension)
    y = scale * legendre(dimension, degree, x @ axes.T)[degree]
    truth = scale * legendre(dimension, degree, fresh @ axes.T)[degree]
    errors = np.mean((fit @ y - truth) ** 2, axis=0)
    assert abs(errors.mean() - exact) < 4 * errors.std() / np.sqrt(errors.size) + 0.01


def test_series_is_the_sum_it_stands_for():
    """Few degrees are summed, 80 interpolated, more splined: all three against the sum."""
    cosines = np.cos(np.linspace(0, np.pi, 997))[:, None]
    for dimension in (3, 5, 20):
        spectrum = experiment._spectrum(2, dimension)
        size = spectrum.eigenvalues.size
        for values in (np.eye(size)[1], spectrum.eigenvalues**2):
            exact = np.tensordot(
                spectrum.multiplicities * values, legendre(dimension, size - 1, cosines), axes=1
            )
            found = experiment._series(spectrum, values, dimension)(cosines)
            np.testing.assert_allclose(found, exact, rtol=0, atol=1e-11 * np.abs(exact).max())


def test_error_at_p_is_the_mean_over_disjoint_sets():
    dimension, mu = 5, experiment._spectrum(2, 5).eigenvalues[1]
    cosines = experiment._cosines(generator(2, "test"), 13, dimension)
    mean = experiment._Draw(cosines, 2, dimension, ()).mean_error(
        6, 0.1, 1.0, cosines, mu * cosines
    )
    parts = [cosines[:6, :6], cosines[6:12, 6:12]]
    errors = [experiment._Draw(part, 2, dimension, (1,)).errors(6, 0.1)[1] for part in parts]
    assert mean == pytest.approx(np.mean(errors), rel=1e-12)


def test_error_of_a_kernel_teacher_is_the_sum_over_its_degrees():
    (row,) = experiment.teacher(arm="theory", dimension=12, depth=2, samples=(9,), seeds=(0,))
    spectrum = experiment._spectrum(2, 12)
    power = spectrum.multiplicities * spectrum.eigenvalues**2
    degrees = tuple(range(power.size))
    cosines = experiment._cosines(generator(0, "teacher", "theory", 12, 2), 9, 12)
    errors = experiment._Draw(cosines, 2, 12, degrees).errors(9, 0.0)
    expected = sum(power[k] * errors[k] for k in degrees) / power.sum()
    assert row["error"] == pytest.approx(expected, rel=1e-9)


def test_groups_of_modes_hold_the_whole_residual():
    """The last group is what the others leave: against all 400 eigenfunctions, one by one."""
    rows = experiment.images(
        arm="theory", data="digits", pool=400, depth=1, samples=(20,), seeds=(0,)
    )
    found = [row["error"] for row in rows]
    kernel, _, vectors, labels = experiment._pool("digits", 400, 1, None)
    chosen = generator(0, "images", "theory", "digits").choice(400, 20, replace=False)
    fit = np.linalg.solve(kernel[np.ix_(chosen, chosen)] + 1e-10 * np.eye(20), labels[chosen])
    modes = np.sum((vectors.T @ (labels - kernel[:, chosen] @ fit)) ** 2, axis=1) / 400
    total = np.sum(labels**2) / 400
    expected = [modes[:10].sum(), modes[10:100].sum(), modes[100:].sum()]
    np.testing.assert_allclose(found, np.array(expected) / total, rtol=1e-9)


def test_one_sample_is_exact():
    """At p = 1: E_k = 1 - 2 mu_k/T + sum_j N_j mu_j^2/T^2, T the trace."""
    dimension = 10
    spectrum = experiment._spectrum(2, dimension)
    errors = experiment._Draw(np.ones((1, 1)), 2, dimension, (1, 3)).errors(1, 0.0)
    trace = 3.0
    spread = spectrum.multiplicities @ spectrum.eigenvalues**2 / trace**2
    for degree in (1, 3):
        expected = 1 - 2 * spectrum.eigenvalues[degree] / trace + spread
        assert errors[degree] == pytest.approx(expected, rel=1e-9)


def test_half_learned_is_half():
    spectrum = experiment._spectrum(2, 12)
    half = experiment._half(spectrum, 2)
    errors = target_errors(fixed_point(spectrum, half), np.ones(spectrum.eigenvalues.size))
    assert errors[2] == pytest.approx(0.5, abs=1e-9)


def test_training_reaches_the_kernel_solution_when_wide():
    rows = experiment.networks(
        arm="theory", width=4096, dimension=8, degree=1, samples=12, seeds=(0,)
    )
    row = next(rows)
    assert row["train_loss"] < 1e-4
    assert row["ratio"] == pytest.approx(1, abs=0.1)


def test_untrained_networks_have_learned_nothing():
    """What counts is f - f_0, of which the kernel speaks."""
    x, fresh = sphere(generator(0, "x"), 5, 4), sphere(generator(1, "x"), 7, 4)
    found, loss = training.train(generator(2, "w"), x, np.ones(5), fresh, 16, 0.1, 0, 16)
    np.testing.assert_array_equal(found, np.zeros(7))
    assert loss == pytest.approx(1, rel=1e-6)
