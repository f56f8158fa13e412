"""Closed-form training: limits, composition, explicit steps, singular kernels, ensembles."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from widenets.ntk import dynamics
from widenets.ntk.dynamics import ensemble_flow, kernel_flow

INFINITY = np.inf


@pytest.fixture
def problem():
    """A joint kernel of 6 training and 4 test points, two outputs, and initial outputs."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((10, 12))
    joint = features @ features.T / 12
    return {
        "kernel": joint[:6, :6],
        "kernel_test": joint[6:, :6],
        "targets": rng.standard_normal((6, 2)),
        "initial": rng.standard_normal((6, 2)),
        "initial_test": rng.standard_normal((4, 2)),
    }


@pytest.mark.parametrize("normalization, divisor", [("sum", 1), ("mean", 6), ("mean_entries", 12)])
def test_descent_equals_explicit_steps(problem, normalization, divisor):
    """The definition: f <- f - rate/c T(., X) (f(X) - y), one step after the other."""
    times, rate = [0, 1, 2, 7, 200], 0.3 * divisor
    flow = kernel_flow(
        **problem, times=times, normalization=normalization, learning_rate=rate, method="descent"
    )
    train, test = problem["initial"].copy(), problem["initial_test"].copy()
    for step in range(max(times) + 1):
        if step in times:
            index = times.index(step)
            np.testing.assert_allclose(flow.train[index], train, atol=1e-12)
            np.testing.assert_allclose(flow.test[index], test, atol=1e-12)
            loss = ((train - problem["targets"]) ** 2).sum() / (2 * divisor)
            np.testing.assert_allclose(flow.loss[index], loss, atol=1e-12)
        residual = train - problem["targets"]
        train = train - rate / divisor * problem["kernel"] @ residual
        test = test - rate / divisor * problem["kernel_test"] @ residual


def test_unstable_descent_still_equals_explicit_steps(problem):
    """Steps above 1 flip signs and above 2 diverge; the closed form follows."""
    rate = 2.7 / np.linalg.eigvalsh(problem["kernel"])[-1]
    flow = kernel_flow(
        **problem, times=range(12), normalization="sum", learning_rate=rate, method="descent"
    )
    train = problem["initial"].copy()
    for step in range(12):
        np.testing.assert_allclose(flow.train[step], train, rtol=1e-10, atol=1e-10)
        train = train - rate * problem["kernel"] @ (train - problem["targets"])


def test_flow_solves_its_differential_equation(problem):
    """df/dt = -T (f - y) by central differences, and descent with small steps approaches it."""
    step = 1e-4
    flow = kernel_flow(**problem, times=[0.7 - step, 0.7, 0.7 + step], normalization="sum")
    residual = flow.train[1] - problem["targets"]
    for path, kernel in [(flow.train, problem["kernel"]), (flow.test, problem["kernel_test"])]:
        np.testing.assert_allclose(
            (path[2] - path[0]) / (2 * step), -kernel @ residual, rtol=1e-6, atol=1e-8
        )
    fine = kernel_flow(
        **problem, times=[700_000], normalization="sum", learning_rate=1e-6, method="descent"
    )
    np.testing.assert_allclose(fine.train[0], flow.train[1], atol=1e-5)


def test_ends_of_training(problem):
    flow = kernel_flow(**problem, times=[0, INFINITY], normalization="sum")
    np.testing.assert_allclose(flow.train[0], problem["initial"], atol=1e-13)
    np.testing.assert_array_equal(flow.test[0], problem["initial_test"])
    np.testing.assert_allclose(flow.train[1], problem["targets"], atol=1e-13)
    solved = np.linalg.solve(problem["kernel"], problem["initial"] - problem["targets"])
    expected = problem["initial_test"] - problem["kernel_test"] @ solved
    np.testing.assert_allclose(flow.test[1], expected, atol=1e-10)
    assert flow.loss[1] == 0
    late = kernel_flow(**problem, times=[1e6], normalization="sum")
    np.testing.assert_allclose(late.test[0], flow.test[1], atol=1e-10)


@pytest.mark.parametrize("method", ["flow", "descent"])
def test_times_compose(problem, method):
    """Training for s and then for t is training for s + t."""
    common = {"normalization": "mean", "learning_rate": 0.8, "method": method}
    first = kernel_flow(**problem, times=[3], **common)
    second = dict(problem, initial=first.train[0], initial_test=first.test[0])
    composed = kernel_flow(**second, times=[5], **common)
    direct = kernel_flow(**problem, times=[8], **common)
    np.testing.assert_allclose(composed.train, direct.train, atol=1e-13)
    np.testing.assert_allclose(composed.test, direct.test, atol=1e-13)


@pytest.mark.parametrize("method", ["flow", "descent"])
@pytest.mark.parametrize("time", [0, 1, 1000, 10**9, INFINITY])
def test_duplicates_with_different_targets(method, time):
    """Two copies of one input: their mean is learned, their difference never moves; no NaN."""
    inputs = np.array([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]])
    query = np.array([[1.0, 0.0], [0.0, 1.0]])
    flow = kernel_flow(
        inputs @ inputs.T,
        np.array([1.0, 2.0, 0.5]),
        [time],
        normalization="sum",
        learning_rate=0.5,
        method=method,
        initial=np.array([0.25, 0.0, 0.0]),
        kernel_test=query @ inputs.T,
    )
    assert np.isfinite(flow.train).all()
    assert np.isfinite(flow.test).all()
    np.testing.assert_allclose(flow.train[0, 0] - flow.train[0, 1], 0.25, atol=1e-12)
    if time >= 1000:  # residuals of the copies start at -.75 and -2 and end at their difference
        np.testing.assert_allclose(flow.train[0, :2, 0], [1.625, 1.375], atol=1e-9)
        np.testing.assert_allclose(flow.test[0, 0, 0], 1.375, atol=1e-6)


def test_zero_eigenvalue_responds_linearly_in_time():
    """r_t = (1 - e_t)/l -> rate * t at l = 0, and small l join it without cancellation."""
    values = np.array([0.0, 1e-14, 1e-6])
    left, response = dynamics.mode_decay(values, [5.0], 2.0)
    np.testing.assert_allclose(response[0], 10.0, rtol=1e-4)
    np.testing.assert_allclose(response[0, 1], 10.0, rtol=1e-12)
    np.testing.assert_allclose(left[0], 1.0, rtol=1e-4)
    naive = (1 - np.exp(-10.0 * 1e-14)) / 1e-14
    assert abs(naive - 10.0) > 1e-3  # what the textbook formula gives instead


def test_negative_rounding_is_clipped_and_reported():
    """Of the dtype that the kernel comes in."""
    kernel = np.diag([1.0, -1e-15])
    flow = kernel_flow(kernel, np.ones(2), [INFINITY], normalization="sum")
    assert flow.most_negative == -1e-15
    np.testing.assert_allclose(flow.train[0, :, 0], [1.0, 0.0])
    assert kernel_flow(np.eye(2), np.ones(2), [1.0], normalization="sum").most_negative == 0
    single = np.diag([1.0, -1e-6]).astype(np.float32)
    assert dynamics.eigensystem(single).most_negative == pytest.approx(-1e-6)
    with pytest.raises(ValueError, match="indefinite"):
        dynamics.eigensystem(single.astype(np.float64))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_singular_kernels_pass_with_their_rounding(dtype):
    """400 points of a line in 3 dimensions, 100 of them twice: rank 1 and a rounding of its own."""
    x = np.random.default_rng(0).normal(size=(400, 1)) * np.ones(3)
    x = np.concatenate([x, x[:100]]).astype(dtype)
    system = dynamics.eigensystem(x @ x.T)
    assert system.most_negative < 0
    network = np.maximum(x @ np.random.default_rng(1).normal(size=(3, 50)).astype(dtype), 0)
    assert dynamics.eigensystem(network @ network.T).most_negative < 0


INDEFINITE = np.diag([1.0, 2.0, -3.0])
DEFINITE, CROSS = np.diag([1.0, 2.0, 3.0]), np.ones((1, 3))


def ensemble_of(ntk, nngp, nngp_test=0 * CROSS, last=1.0):
    return ensemble_flow(
        ntk, nngp, np.ones(3), [1.0], ntk_test=CROSS, nngp_test=nngp_test,
        nngp_test_test=last * np.eye(1), normalization="sum",
    )  # fmt: skip


@pytest.mark.parametrize(
    "call",
    [
        lambda: dynamics.eigensystem(INDEFINITE),
        lambda: dynamics.eigensystem(np.stack([DEFINITE, INDEFINITE])),
        lambda: kernel_flow(INDEFINITE, np.ones(3), [1.0], normalization="sum"),
        lambda: dynamics.critical_learning_rate(INDEFINITE, normalization="sum"),
        lambda: ensemble_of(INDEFINITE, DEFINITE),
        lambda: ensemble_of(DEFINITE, INDEFINITE),
        lambda: ensemble_of(DEFINITE, DEFINITE, last=-3.0),
        lambda: ensemble_of(DEFINITE, DEFINITE, nngp_test=5 * CROSS),
        lambda: dynamics.gaussian_process_posterior(
            INDEFINITE, CROSS, np.eye(1), np.ones(3), noise=4.0
        ),
        lambda: dynamics.gaussian_process_posterior(DEFINITE, 5 * CROSS, np.eye(1), np.ones(3)),
        lambda: dynamics.linearized_outputs(
            jnp.asarray(INDEFINITE),
            jnp.zeros((3, 1)),
            jnp.ones((3, 1)),
            loss=dynamics.squared_error("sum"),
            learning_rate=0.1,
            record=[1],
        ),
    ],
)
def test_indefinite_kernels_are_refused(call):
    """Row A3: beyond rounding, wherever a kernel or a covariance enters; by how much is said."""
    with pytest.raises(ValueError, match=r"indefinite: its smallest eigenvalue is -\d.* explains"):
        call()


def test_negative_eigenvalues_have_no_decay():
    with pytest.raises(ValueError, match="eigenvalues >= 0, found -1"):
        dynamics.mode_decay([1.0, -1.0], [1.0], 1.0)


def test_stacks_equal_single_problems(problem):
    stack = {name: np.stack([value, 2 * value]) for name, value in problem.items()}
    both = kernel_flow(**stack, times=[0, 2, INFINITY], normalization="mean")
    for index, factor in enumerate([1, 2]):
        single = {name: factor * value for name, value in problem.items()}
        one = kernel_flow(**single, times=[0, 2, INFINITY], normalization="mean")
        for left, right in zip(both, one, strict=True):
            np.testing.assert_allclose(left[index], right, atol=1e-12)


def test_loss_curve_is_the_loss_of_the_flow(problem):
    times = np.linspace(0, 50, 7)
    flow = kernel_flow(**problem, times=times, normalization="mean", learning_rate=0.2)
    curve = dynamics.loss_curve(
        dynamics.eigensystem(problem["kernel"]),
        problem["initial"] - problem["targets"],
        times,
        normalization="mean",
        learning_rate=0.2,
    )
    np.testing.assert_allclose(curve, flow.loss, rtol=1e-12)
    residual = flow.train - problem["targets"]
    np.testing.assert_allclose(curve, (residual**2).sum((1, 2)) / 12, rtol=1e-9)


@pytest.fixture
def kernels(problem):
    rng = np.random.default_rng(1)
    features = rng.standard_normal((10, 15))
    nngp = features @ features.T / 15
    return {
        "ntk": problem["kernel"],
        "ntk_test": problem["kernel_test"],
        "nngp": nngp[:6, :6],
        "nngp_test": nngp[6:, :6],
        "nngp_test_test": nngp[6:, 6:],
        "targets": problem["targets"],
    }


@pytest.mark.parametrize("method, time", [("flow", 0.0), ("flow", 1.7), ("descent", 40)])
def test_ensemble_is_the_law_of_single_networks(kernels, method, time):
    """f_t is affine in f_0: its mean and covariance follow from the map of unit vectors alone."""
    common = {"normalization": "mean", "learning_rate": 0.4, "method": method, "times": [time]}
    law = ensemble_flow(**kernels, **common)
    single = {"kernel": kernels["ntk"], "kernel_test": kernels["ntk_test"]}

    def outputs(initial, targets):
        flow = kernel_flow(
            **single, targets=targets, initial=initial[:6], initial_test=initial[6:], **common
        )
        return np.concatenate([flow.train[0], flow.test[0]])

    mean = outputs(np.zeros((10, 2)), kernels["targets"])
    linear = outputs(np.eye(10), np.zeros((6, 10)))
    prior = np.block(
        [
            [kernels["nngp"], kernels["nngp_test"].T],
            [kernels["nngp_test"], kernels["nngp_test_test"]],
        ]
    )
    covariance = linear @ prior @ linear.T
    np.testing.assert_allclose(law.train_mean[0], mean[:6], atol=1e-12)
    np.testing.assert_allclose(law.mean[0], mean[6:], atol=1e-12)
    np.testing.assert_allclose(law.train_covariance[0], covariance[:6, :6], atol=1e-12)
    np.testing.assert_allclose(law.covariance[0], covariance[6:, 6:], atol=1e-12)
    assert np.linalg.eigvalsh(law.covariance[0])[0] > -1e-12


def test_readout_training_ends_in_the_bayesian_posterior(kernels):
    """T = K at t = infinity is the posterior of GP(0, K); the NTK ensemble is not any posterior."""
    readout = dict(kernels, ntk=kernels["nngp"], ntk_test=kernels["nngp_test"])
    law = ensemble_flow(**readout, times=[0.3, INFINITY], normalization="sum")
    prior = kernels["nngp"], kernels["nngp_test"], kernels["nngp_test_test"]
    posterior = dynamics.gaussian_process_posterior(*prior, kernels["targets"])
    np.testing.assert_allclose(law.mean[1], posterior.mean, atol=1e-9)
    np.testing.assert_allclose(law.covariance[1], posterior.covariance, atol=1e-9)
    values, vectors = np.linalg.eigh(kernels["nngp"])
    shrunk = vectors @ np.diag(-np.expm1(-2 * 0.3 * values) / values) @ vectors.T
    expected = prior[2] - prior[1] @ shrunk @ prior[1].T
    np.testing.assert_allclose(law.covariance[0], expected, atol=1e-12)
    trained = ensemble_flow(**kernels, times=[INFINITY], normalization="sum")
    assert np.abs(trained.mean[0] - posterior.mean).max() > 0.1


def test_posterior_with_noise_and_with_duplicates(kernels):
    prior = kernels["nngp"], kernels["nngp_test"], kernels["nngp_test_test"]
    noisy = dynamics.gaussian_process_posterior(*prior, kernels["targets"], noise=0.3)
    inverse = np.linalg.inv(prior[0] + 0.3 * np.eye(6))
    np.testing.assert_allclose(noisy.mean, prior[1] @ inverse @ kernels["targets"], atol=1e-12)
    expected = prior[2] - prior[1] @ inverse @ prior[1].T
    np.testing.assert_allclose(noisy.covariance, expected, atol=1e-12)
    queries = np.array([[1.0, 0.5], [0.5, 1.0]])
    twice = np.ones((2, 2)), np.array([[1.0, 1.0], [0.5, 0.5]]), queries
    averaged = dynamics.gaussian_process_posterior(*twice, np.array([1.0, 2.0]))
    np.testing.assert_allclose(averaged.mean[:, 0], [1.5, 0.75], atol=1e-12)


def test_critical_learning_rate(problem):
    """Just below it descent converges, just above it diverges; momentum m allows a factor 1 + m."""
    critical = dynamics.critical_learning_rate(problem["kernel"], normalization="mean")
    assert critical == pytest.approx(12 / np.linalg.eigvalsh(problem["kernel"])[-1])
    for factor, grows in [(0.99, False), (1.01, True)]:
        flow = kernel_flow(
            **problem,
            times=[0, 4000],
            normalization="mean",
            learning_rate=factor * critical,
            method="descent",
        )
        assert (flow.loss[1] > flow.loss[0]) == grows
    heavy = dynamics.critical_learning_rate(problem["kernel"], normalization="mean", momentum=0.9)
    assert heavy == pytest.approx(1.9 * critical)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kernel": np.ones((2, 3))}, "shape"),
        ({"kernel": np.full((6, 6), np.nan)}, "non-finite"),
        ({"kernel": np.triu(np.ones((6, 6)))}, "not symmetric"),
        ({"targets": np.ones((5, 1))}, "targets have shape"),
        ({"targets": np.full((6, 2), np.inf)}, "targets have non-finite"),
        ({"initial": np.ones((5, 2))}, "initial outputs have shape"),
        ({"kernel_test": np.full((4, 6), np.nan)}, "kernel_test has non-finite"),
        ({"kernel_test": np.ones((0, 6))}, "kernel_test has shape"),
        ({"times": [-1.0]}, "times"),
        ({"times": [0.5], "method": "descent"}, "integer"),
        ({"method": "newton"}, "method"),
        ({"normalization": "average"}, "normalization"),
        ({"kernel_test": np.ones((4, 5))}, "kernel_test"),
        ({"method": "descent", "learning_rate": 50.0, "times": [INFINITY]}, "no limit"),
        ({"method": "descent", "ridge": 200.0, "times": [INFINITY]}, "no limit"),
        ({"ridge": -1.0}, "ridge must be finite and not negative, found -1"),
        ({"ridge": [1.0, 2.0]}, "ridge must be a number"),
        ({"coupled": True}, r"kernel has shape \(6, 6\), wanted \(..., N, M, 2, 2\)"),
        ({"coupled": True, "kernel": np.ones((6, 6, 3, 3))}, "wanted .* for these targets"),
        (
            {"coupled": True, "kernel": np.ones((6, 6, 2, 2))},
            r"kernel_test has shape \(4, 6\), wanted",
        ),
        (
            {"coupled": True, "kernel": np.ones((5, 5, 2, 2)), "kernel_test": None},
            r"targets have .*, wanted \(5, out",
        ),
        (
            {"coupled": True, "kernel": dynamics.eigensystem(np.eye(7)), "kernel_test": None},
            "targets have 2 outputs, the kernel couples 7 rows",
        ),
    ],
)
def test_bad_input_is_named(problem, change, message):
    arguments = dict(problem, times=[1.0], normalization="sum") | change
    with pytest.raises(ValueError, match=message):
        kernel_flow(**arguments)


def regularised_steps(kernel, kernel_test, targets, initial, initial_test, ridge, rate, steps):
    """Descent on the parameters of f = f_0 + J (theta - theta_0), with the penalty, step by step.

    J is any root of the joint kernel: its rows are the points, training points first.
    """
    joint = np.block([[kernel, kernel_test.T], [kernel_test, np.zeros((4, 4))]])
    cross = np.linalg.solve(kernel, kernel_test.T)
    joint[6:, 6:] = kernel_test @ cross + np.eye(4)
    jacobian = np.linalg.cholesky(joint)
    moved = np.zeros((10, targets.shape[1]))
    start = np.concatenate([initial, initial_test])
    for _ in range(steps):
        residual = (start + jacobian @ moved)[:6] - targets
        moved = moved - rate * (jacobian[:6].T @ residual + ridge * moved)
    outputs = start + jacobian @ moved
    return outputs[:6], outputs[6:]


@pytest.mark.parametrize("ridge", [0.0, 0.3, 5.0])
@pytest.mark.parametrize("normalization, divisor", [("sum", 1), ("mean", 6), ("mean_entries", 12)])
def test_ridge_is_the_penalised_problem_in_parameters(problem, ridge, normalization, divisor):
    """Against gradient steps on 1/(2c) (|f - y|^2 + q |theta - theta_0|^2) for theta itself."""
    flow = kernel_flow(
        **problem,
        times=[0, 1, 40],
        normalization=normalization,
        learning_rate=0.1 * divisor,
        method="descent",
        ridge=ridge,
    )
    for index, steps in enumerate([0, 1, 40]):
        train, test = regularised_steps(**problem, ridge=ridge, rate=0.1, steps=steps)
        np.testing.assert_allclose(flow.train[index], train, atol=1e-12)
        np.testing.assert_allclose(flow.test[index], test, atol=1e-12)
        loss = ((train - problem["targets"]) ** 2).sum() / (2 * divisor)
        np.testing.assert_allclose(flow.loss[index], loss, rtol=1e-11)


def test_flow_with_ridge_solves_its_equation_and_ends_in_ridge_regression(problem):
    """da/dt = y - f_0 - (T + q) a by central differences; a -> (T + q)^-1 (y - f_0)."""
    ridge, step = 0.4, 1e-4
    times = [0.7 - step, 0.7, 0.7 + step, 1e5, INFINITY]
    flow = kernel_flow(**problem, times=times, normalization="sum", ridge=ridge)
    kernel, change = problem["kernel"], problem["targets"] - problem["initial"]
    coefficients = np.linalg.solve(kernel, flow.train - problem["initial"])
    speed = (coefficients[2] - coefficients[0]) / (2 * step)
    expected = change - (kernel + ridge * np.eye(6)) @ coefficients[1]
    np.testing.assert_allclose(speed, expected, rtol=1e-5, atol=1e-7)
    solved = np.linalg.solve(kernel + ridge * np.eye(6), change)
    for index in (3, 4):
        for found, start, matrix in (
            (flow.train, problem["initial"], kernel),
            (flow.test, problem["initial_test"], problem["kernel_test"]),
        ):
            np.testing.assert_allclose(found[index], start + matrix @ solved, atol=1e-12)
    assert np.abs(flow.train[4] - problem["targets"]).max() > 0.1  # no interpolation


def test_ridge_of_losses_ensembles_and_singular_kernels(problem, kernels):
    times = [0.0, 2.0, INFINITY]
    common = {"normalization": "mean", "ridge": 0.2}
    flow = kernel_flow(**problem, times=times, **common)
    curve = dynamics.loss_curve(
        dynamics.eigensystem(problem["kernel"]),
        problem["initial"] - problem["targets"],
        times,
        **common,
    )
    np.testing.assert_allclose(curve, flow.loss, rtol=1e-12)
    law = ensemble_flow(**kernels, times=times, **common)
    flow = kernel_flow(
        kernels["ntk"], kernels["targets"], times, kernel_test=kernels["ntk_test"], **common
    )
    np.testing.assert_allclose(law.train_mean, flow.train, atol=1e-12)
    np.testing.assert_allclose(law.mean, flow.test, atol=1e-12)
    # T = K at the end: the mean of a posterior with noise; two copies, of which no inverse is left
    duplicates = np.ones((2, 2))
    flow = kernel_flow(duplicates, np.array([1.0, 2.0]), times, normalization="sum", ridge=0.5)
    np.testing.assert_allclose(flow.train[2, :, 0], 3 / 2.5, atol=1e-14)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("method", ["flow", "descent"])
def test_coupled_outputs(ridge, method):
    """(N, N, O, O) against one problem of N O samples; the outputs do speak to each other."""
    rng = np.random.default_rng(2)
    jacobian = rng.standard_normal((7, 2, 30)) / np.sqrt(30)  # points, outputs, parameters
    theta = np.einsum("iok,jpk->ijop", jacobian, jacobian)
    targets, start = rng.standard_normal((5, 2)), rng.standard_normal((7, 2))
    times = [0, 3, 50]
    common = {"learning_rate": 0.2 * 5, "method": method, "ridge": ridge}
    flow = kernel_flow(
        theta[:5, :5],
        targets,
        times,
        normalization="mean",
        initial=start[:5],
        initial_test=start[5:],
        kernel_test=theta[5:, :5],
        coupled=True,
        **common,
    )
    flat = jacobian.reshape(14, 30) @ jacobian.reshape(14, 30).T  # rows (sample, output)
    np.testing.assert_allclose(dynamics.coupled_matrix(theta), flat, atol=1e-14)
    one = kernel_flow(
        flat[:10, :10],
        targets.ravel(),
        times,
        normalization="sum",
        initial=start[:5].ravel(),
        initial_test=start[5:].ravel(),
        kernel_test=flat[10:, :10],
        **common | {"learning_rate": 0.2},
    )
    np.testing.assert_allclose(flow.train, one.train.reshape(3, 5, 2), atol=1e-12)
    np.testing.assert_allclose(flow.test, one.test.reshape(3, 2, 2), atol=1e-12)
    np.testing.assert_allclose(flow.loss, one.loss / 5, rtol=1e-12)
    again = kernel_flow(
        dynamics.eigensystem(dynamics.coupled_matrix(theta[:5, :5])),
        targets,
        times,
        normalization="mean",
        initial=start[:5],
        coupled=True,
        **common,
    )
    np.testing.assert_array_equal(again.train, flow.train)
    apart = kernel_flow(
        theta[:5, :5, 0, 0], targets, times, normalization="mean", initial=start[:5], **common
    )
    assert np.abs(apart.train[1] - flow.train[1]).max() > 0.05


def test_kernels_of_torch_and_of_float32_are_read():
    """As `empirical.torch` gives them, with the rounding of their dtype."""
    theta = torch.from_numpy(np.diag([1.0, 0.5, 0.25, -1e-8]).astype(np.float32))
    theta = theta.reshape(2, 2, 2, 2).swapaxes(1, 2)  # (N, N, O, O)
    flow = kernel_flow(theta, np.ones((2, 2)), [INFINITY], normalization="sum", coupled=True)
    np.testing.assert_allclose(flow.train[0], [[1, 1], [1, 0]], atol=1e-12)


def test_bad_covariances_are_named(kernels):
    """Every matrix of an ensemble and of a posterior: another shape, a nan."""
    names = ("nngp", "ntk_test", "nngp_test", "nngp_test_test")
    good = {name: value for name, value in kernels.items() if name in (*names, "ntk", "targets")}
    for name in names:
        cut, broken = (
            good[name][:, :-1],
            np.where(np.eye(*good[name].shape) > 0, np.nan, good[name]),
        )
        for bad, message in ((cut, f"{name} has shape"), (broken, f"{name} has non-finite")):
            with pytest.raises(ValueError, match=message):
                ensemble_flow(**good | {name: bad}, times=[1.0], normalization="sum")
    posterior = dynamics.gaussian_process_posterior
    one = np.ones((1, 1))
    for arguments, message in [
        ((np.ones((2, 1)), one, one, one), "kernel has shape"),
        ((one, np.ones((1, 2)), one, one), "kernel_test has shape"),
        ((one, one, np.ones((2, 2)), one), "kernel_test_test has shape"),
        ((one, one * np.nan, one, one), "kernel_test has non-finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            posterior(*arguments)
    with pytest.raises(ValueError, match="noise variance is nan"):
        posterior(one, one, one, one, noise=np.nan)
