"""The limit with feature learning against closed forms, exact algebra and wide networks."""

import numpy as np
import pytest

from widenets.ntk.architecture import erf, fully_connected, relu
from widenets.ntk.feature_learning_limit import ACTIVATIONS, Smooth
from widenets.ntk.feature_learning_limit import feature_learning_limit as limit_of

X = np.array([[1.0, 0.0], [0.6, 0.8], [-0.6, 0.8]])
GRAM, Y, TRAIN = X @ X.T, np.array([1.0, -0.5, 0.0]), np.array([1.0, 1.0, 0.0])
ONE = ([[1.0]], [1.0])


@pytest.mark.parametrize("richness, rate", [(0.5, 0.3), (2.0, 0.1), (4.0, 0.05)])
def test_one_linear_layer_is_a_map_of_two_numbers(richness, rate):
    """q = <h^2>, M = <z h>, c = eta g0 Delta: q' = (1+c^2) q + 2 c M, M' = (1+c^2) M + 2 c q."""
    found = limit_of(*ONE, 1, "linear", richness, rate, 30)
    q, m = 1.0, 0.0
    for step in range(31):
        values = found.prediction[step, 0], found.features[0][step, 0, step, 0]
        np.testing.assert_allclose(values, (m / richness, q), atol=1e-12)
        np.testing.assert_allclose(found.tangent[step], 2 * q, atol=1e-12)
        c = rate * richness * (1 - m / richness)
        q, m = (1 + c**2) * q + 2 * c * m, (1 + c**2) * m + 2 * c * q


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_leading_order_of_deep_linear_networks(depth):
    """K / K0 = 1 + [L(L+2)/(3(L+1))] g0^2 f^2, Phi^l = 1 + [l(l+1)/(2(L+1))] g0^2 f^2, in flow."""
    richness, rates = 0.02, (0.02, 0.01)
    kernels, layers = [], []
    for rate in rates:
        steps = round(4 / rate / (depth + 1))
        found = limit_of(*ONE, depth, "linear", richness, rate, steps)
        scale = (richness * found.prediction[-1, 0]) ** 2
        kernels.append((found.tangent[-1, 0, 0] / (depth + 1) - 1) / scale)
        layers.append([(phi[-1, 0, -1, 0] - 1) / scale for phi in found.features])
    kernel, features = (2 * np.array(a[1]) - np.array(a[0]) for a in (kernels, layers))
    np.testing.assert_allclose(kernel, depth * (depth + 2) / (3 * (depth + 1)), rtol=2e-3)
    order = np.arange(1, depth + 1)
    np.testing.assert_allclose(features, order * (order + 1) / (2 * (depth + 1)), rtol=2e-3)


@pytest.mark.parametrize("name, depth", [("erf", 2), ("erf", 3), ("relu", 1)])
def test_little_richness_is_descent_with_the_tangent_kernel(name, depth):
    layer = {"erf": erf, "relu": relu}[name]()
    network = fully_connected(depth=depth, width=1, weight_variance=1.0, activation=layer)
    # the network's first layer divides by its fan-in
    kernel = np.asarray(network.kernel(X * np.sqrt(2)).ntk, float)
    found = limit_of(GRAM, Y, depth, name, 1e-3, 0.2, 4, mask=TRAIN)
    np.testing.assert_allclose(found.tangent[0], kernel, atol=6e-3)
    frozen = np.zeros(3)
    for step in range(5):
        np.testing.assert_allclose(found.prediction[step], frozen, atol=4e-3)
        frozen = frozen + 0.2 * kernel @ (TRAIN * (Y - frozen))


def test_samples_of_the_identity_are_the_exact_algebra(monkeypatch):
    """Responses and Gaussian fields that are continued, by another way; moments are exact there."""
    monkeypatch.setitem(ACTIVATIONS, "identity", Smooth(lambda x: x, np.ones_like, np.zeros_like))
    setting = {"depth": 3, "richness": 1.0, "rate": 0.1, "steps": 6, "mask": TRAIN}
    exact = limit_of(GRAM, Y, activation="linear", **setting)
    found = limit_of(GRAM, Y, activation="identity", samples=256, **setting)
    np.testing.assert_allclose(found.prediction, exact.prediction, atol=1e-6)
    np.testing.assert_allclose(found.tangent, exact.tangent, rtol=1e-6)
    pairs = zip(found.features + found.gradients, exact.features + exact.gradients, strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert not exact.standard_error.any()


def test_the_standard_error_is_the_error():
    setting = {"depth": 2, "activation": "tanh", "richness": 1.0, "rate": 0.3, "steps": 6}
    fine = limit_of(GRAM, Y, **setting, mask=TRAIN, seed=5)
    coarse = [limit_of(GRAM, Y, **setting, mask=TRAIN, samples=256, seed=s) for s in range(6)]
    errors = np.array([found.prediction - fine.prediction for found in coarse])[:, 1:]
    told = np.array([found.standard_error for found in coarse])[:, 1:]
    ratio = np.sqrt(np.mean(errors**2) / np.mean(told**2))
    assert 0.6 < ratio < 1.6
    assert fine.standard_error.max() < 0.3 * told.mean()


def wide(activation, depth, richness, rate, weights, width, pairs):
    """Mean f (T, P) over networks (w, W) and (-w, W) of one width, by their own gradients."""
    phi, slope = {
        "linear": (lambda h: h, np.ones_like),
        "tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2),
        "relu": (lambda h: np.maximum(h, 0), lambda h: (h > 0) * 1.0),
    }[activation]
    draw, total = np.random.default_rng(3), 0
    for sign in np.tile([1, -1], pairs):
        if sign > 0:
            start = [draw.standard_normal((width, n)) for n in (2, *[width] * (depth - 1))]
            readout = draw.standard_normal(width)
        matrices, w, outputs = [m.copy() for m in start], sign * readout, []
        for drive in [*weights, None]:
            fields, inputs = [], [X.T]
            for index, matrix in enumerate(matrices):
                fields.append(matrix @ inputs[-1] / (np.sqrt(width) if index else 1.0))
                inputs.append(phi(fields[-1]))
            outputs.append(w @ inputs[-1] / (richness * width))
            if drive is None:
                break
            error, back = drive * (Y - outputs[-1]), w[:, None] * slope(fields[-1])
            step, back_w = rate * richness, inputs[-1] @ (drive * (Y - outputs[-1]))
            for index in reversed(range(depth)):
                scale = np.sqrt(width) if index else 1.0
                change = step * (back * error) @ inputs[index].T / scale
                if index:
                    below = matrices[index].T @ back / scale * slope(fields[index - 1])
                    back, matrices[index] = below, matrices[index] + change
                else:
                    matrices[index] = matrices[index] + change
            w = w + step * back_w
        total = total + np.array(outputs)
    return total / (2 * pairs)


@pytest.mark.parametrize(
    "activation, depth, rate", [("linear", 2, 0.1), ("tanh", 2, 0.3), ("relu", 1, 0.2)]
)
def test_wide_networks_are_near(activation, depth, rate):
    """One sample a step, test point included: 24 networks of width 300."""
    weights = np.tile([[2.0, 0, 0], [0, 2.0, 0]], (3, 1))
    found = limit_of(GRAM, Y, depth, activation, 1.0, rate, 6, mask=weights, samples=512)
    nets = wide(activation, depth, 1.0, rate, weights, 300, 12)
    np.testing.assert_allclose(nets, found.prediction, atol=0.03)
    assert np.abs(found.prediction[-1]).max() > 0.5


def test_responses_matter_beyond_one_layer_alone():
    """Without them <z phi> / g0 is [2 / (L + 1)] eta K0 y after one step."""
    for depth in (1, 2, 3):
        setting = {"depth": depth, "activation": "linear", "richness": 0.5, "rate": 0.01}
        bare = limit_of(*ONE, **setting, steps=1, responses=False, follow_kernel=False)
        ratio = bare.prediction[1, 0] / (0.01 * (depth + 1))
        np.testing.assert_allclose(ratio, 2 / (depth + 1), rtol=1e-6)
        whole = limit_of(*ONE, **setting, steps=1)
        assert abs(whole.prediction[1, 0] / (0.01 * (depth + 1)) - 1) < 1e-3
    follows = limit_of(*ONE, **setting, steps=1, responses=False)
    np.testing.assert_allclose(follows.prediction[1, 0], 0.01 * 4)


def test_schedule_and_mask_weigh_the_error():
    factors = [1.0, 0.0, 0.5]
    by_schedule = limit_of(GRAM, Y, 2, "linear", 1.0, 0.1, 3, mask=TRAIN, schedule=factors)
    by_mask = limit_of(GRAM, Y, 2, "linear", 1.0, 0.1, 3, mask=np.outer(factors, TRAIN))
    np.testing.assert_array_equal(by_schedule.prediction, by_mask.prediction)
    np.testing.assert_allclose(by_schedule.prediction[1], by_schedule.prediction[2], atol=1e-14)
    assert by_schedule.prediction.shape == (4, 3)
    assert by_schedule.tangent.shape == (4, 3, 3)
    assert by_schedule.features[0].shape == by_schedule.gradients[1].shape == (4, 3, 4, 3)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_derivatives(name):
    at, step = np.array([-2.0, -0.3, 0.2, 1.7]), 1e-5
    value, slope, second = ACTIVATIONS[name]
    for function, derivative in ((value, slope), (slope, second)):
        difference = (function(at + step) - function(at - step)) / (2 * step)
        np.testing.assert_allclose(derivative(at), difference, atol=1e-8)


def test_sampled_limits_repeat_and_start_at_zero():
    one, two = (limit_of(GRAM, Y, 2, "tanh", 1.0, 0.3, 2, samples=64) for _ in range(2))
    np.testing.assert_array_equal(one.prediction, two.prediction)
    other = limit_of(GRAM, Y, 2, "tanh", 1.0, 0.3, 2, samples=64, seed=1)
    assert 0 < np.abs(one.prediction - other.prediction).max() < 0.1
    np.testing.assert_allclose(one.prediction[0], 0, atol=1e-14)


@pytest.mark.parametrize(
    "change, says",
    [
        ({"activation": "relu"}, "relu needs depth 1.*second derivative.*gelu or tanh"),
        ({"activation": "swish"}, "activation must be one of linear, tanh"),
        ({"gram": np.ones((2, 3))}, r"gram must be finite numbers of shape \(P, P\)"),
        ({"gram": [[1, 0.5], [0.4, 1]], "targets": [1, 1]}, "gram must be symmetric"),
        ({"targets": [1.0]}, "targets must be 3 finite numbers"),
        ({"richness": 0}, "richness must be positive"),
        ({"depth": 0}, "depth must be a positive integer"),
        ({"steps": -1}, "steps must be a non-negative integer"),
        ({"mask": [1.0]}, r"mask must have shape \(3,\) or \(4, 3\)"),
        ({"schedule": [1.0]}, "schedule must be 4 factors"),
        ({"samples": 7}, "samples must be even"),
        ({}, "samples must be more, 128 are enough"),
        ({"gram": np.eye(200), "targets": np.ones(200), "steps": 60}, "at most 10600"),
    ],
)
def test_what_does_not_fit_is_named(change, says):
    setting = {
        "gram": GRAM, "targets": Y, "depth": 2, "activation": "tanh", "richness": 1.0,
        "rate": 0.1, "steps": 4, "samples": 16,
    }  # fmt: skip
    with pytest.raises(ValueError, match=says):
        limit_of(**setting | change)
