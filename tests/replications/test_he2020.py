"""Uncertainty of infinite networks: each formula against the library's or its definition."""

import numpy as np
import pytest

from replications.he2020_uncertainty import experiment, laws, networks, tasks
from widenets.ntk.dynamics import ensemble_flow, gaussian_process_posterior
from widenets.ntk.random import generator


@pytest.fixture(scope="module")
def problem():
    return networks.problem(0, "test")


def test_the_ensemble_is_the_flow_at_infinite_time(problem):
    of = problem
    found = laws.ensemble(of.ntk, of.nngp, of.targets[:, None])
    flow = ensemble_flow(
        of.ntk.train,
        of.nngp.train,
        of.targets,
        [np.inf],
        ntk_test=of.ntk.cross,
        nngp_test=of.nngp.cross,
        nngp_test_test=of.nngp.test,
        normalization="sum",
    )
    np.testing.assert_allclose(found.mean, flow.mean[0], atol=1e-10)
    np.testing.assert_allclose(found.covariance, flow.covariance[0], atol=1e-10)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_posterior_is_the_librarys(problem, noise):
    of = problem
    found = laws.posterior(of.ntk, of.targets[:, None], noise=noise)
    other = gaussian_process_posterior(*of.ntk, of.targets, noise=noise)
    np.testing.assert_allclose(found.mean, other.mean, atol=1e-9)
    np.testing.assert_allclose(found.covariance, other.covariance, atol=1e-9)


def test_a_start_with_the_tangent_kernel_gives_its_posterior(problem):
    """J(Theta) = Theta_** - A Theta_X*, and a posterior with noise has noise A A' besides."""
    of, noise = problem, 0.1
    targets = of.targets[:, None]
    one, other = laws.ensemble(of.ntk, of.ntk, targets), laws.posterior(of.ntk, targets)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-10)
    a = laws.gain(of.ntk, noise)
    one = laws.ensemble(of.ntk, of.ntk, targets, noise=noise)
    other = laws.posterior(of.ntk, targets, noise=noise)
    np.testing.assert_allclose(one.covariance + noise * a @ a.T, other.covariance, atol=1e-10)


def test_the_type_two_scale_is_the_likeliest(problem):
    train, targets = problem.ntk.train, problem.targets[:, None]

    def likelihood(c):
        covariance = c * (train + 0.1 * np.eye(len(train)))
        weights = np.linalg.solve(covariance, targets)
        return -float(np.sum(targets * weights)) - np.linalg.slogdet(covariance)[1]

    scale = laws.type_two_scale(train, targets, 0.1)
    assert likelihood(scale) > max(likelihood(0.97 * scale), likelihood(1.03 * scale))


def test_coverage_of_too_narrow_intervals():
    drawn = np.random.default_rng(0).standard_normal(200_000)
    expected = np.mean(np.abs(drawn) <= 1.959964 * np.sqrt(0.25))
    found = laws.expected_coverage(np.array([0.25]), np.array([1.0]))
    assert found == pytest.approx(expected, abs=0.004)
    assert laws.expected_coverage(np.ones(3), np.ones(3)) == pytest.approx(0.95)


def test_the_chance_of_being_largest_is_that_of_draws():
    mean, variance = np.array([[0.3, 0.0, -0.2]]), np.array([0.04])
    drawn = mean + 0.2 * np.random.default_rng(0).standard_normal((200_000, 3))
    expected = np.bincount(drawn.argmax(axis=1), minlength=3) / len(drawn)
    np.testing.assert_allclose(laws.chance_of_largest(mean, variance)[0], expected, atol=0.005)


@pytest.mark.parametrize("kind", networks.KINDS)
def test_starts_have_their_covariance(problem, kind):
    """64000 draws know the mean variance to .006; a correction 5 % too large adds .048."""
    found = networks.starts(kind, 0, 16, 64_000, problem)[:, networks.TRAIN :]
    expected = np.diag(networks.start_of(kind, problem).test)
    np.testing.assert_allclose(found.var(axis=0).mean(), expected.mean(), rtol=0.02)


def test_members_of_the_limit_have_its_law(problem):
    """The control variate: starts of known covariance under the limit's kernel."""
    law = networks.law_at("deep", problem.nngp, problem)
    joint = np.block(
        [[problem.nngp.train, problem.nngp.cross.T], [problem.nngp.cross, problem.nngp.test]]
    )
    root = np.linalg.cholesky(joint + 1e-12 * np.eye(len(joint)))
    start = generator(0, "test").standard_normal((20_000, len(joint))) @ root.T
    found = networks.linear("deep", start, problem)
    np.testing.assert_allclose(found.var(axis=0), law.variance, rtol=0.06)
    np.testing.assert_allclose(found.mean(axis=0), law.mean[:, 0], atol=0.03)


def test_the_readout_alone_is_trained(problem):
    """Trained read-outs of wide networks move outputs as the NNGP kernel does."""
    found = networks.block("readout", 0, 1024, 4, problem)
    law = networks.law_at("readout", problem.nngp, problem)
    off = found.trained[:, networks.TRAIN :] - found.linear
    assert np.abs(off).mean() < 0.3 * np.sqrt(law.variance.mean())


def test_left_out_predictions_are_those_without_the_point():
    """The temperature is found from regression without each point; one of them by hand."""
    of = tasks.digits(generator(0, "test"), 40)
    kernel = of.points @ of.points.T / 64 + np.eye(40)
    targets = of.one_hot - 0.1
    rest = np.arange(1, 40)
    expected = kernel[0, rest] @ np.linalg.solve(kernel[np.ix_(rest, rest)], targets[rest])
    inverse = np.linalg.inv(kernel)
    found = targets - (inverse @ targets) / np.diag(inverse)[:, None]
    np.testing.assert_allclose(found[0], expected, atol=1e-10)
    assert 1.05**-120 < tasks.temperature(kernel, targets) < 1


def test_images_that_are_learned_are_not_tested():
    of = tasks.known_and_new(generator(0, "test"), 60, 20)
    learned, same, new = of.points[:60], of.points[60:80], of.points[80:100]
    for others in (same, new):
        gaps = np.linalg.norm(learned[:, None] - others[None], axis=2)
        assert gaps.min() > 1e-3
    assert of.groups == ["same"] * 20 + ["near"] * 20 + ["far"] * 20
    np.testing.assert_allclose(np.sort(of.points[100:], axis=1), np.sort(same, axis=1))
    assert (of.truth[:20].max(axis=1) > 0).all()
    assert (of.truth[20:40].max(axis=1) < 0).all()


def test_deep_kernels_are_the_networks():
    points = tasks.digits(generator(0, "test"), 12).points
    found = experiment.deep_nngp(points, np.array([1.4]), 0.05, 3, 8)[0]
    network = experiment.fully_connected(
        depth=3, width=8, activation=experiment.erf(), weight_variance=1.4, bias_variance=0.05
    )
    np.testing.assert_allclose(found, network.kernel(points)[0][:8], rtol=1e-12)
