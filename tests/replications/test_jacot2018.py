"""Jacot et al. 2018: the exact-law sampler, the limits and the trainings behind the claims."""

from functools import partial

import jax
import numpy as np
import pytest

from replications.jacot2018_frozen_kernel import experiment
from replications.jacot2018_frozen_kernel.images import components
from replications.jacot2018_frozen_kernel.initial_law import (
    draw_kernels,
    draw_networks,
    relu_excess_kurtosis,
)
from replications.jacot2018_frozen_kernel.limit_law import gaussian_law
from replications.jacot2018_frozen_kernel.network import batches, classical_scales, draw, network
from replications.jacot2018_frozen_kernel.setting import BETA, FOUR_ANGLES, HIDDEN_LAYERS, target
from replications.jacot2018_frozen_kernel.trajectories import CIRCLE, train
from widenets.ntk.data import circle
from widenets.ntk.empirical import dense_kernels
from widenets.ntk.random import generator

X = circle(np.array([0.3, 1.2, 2.9]))
DRAWS, WIDTH, LAYERS = 4000, 12, 2


def sampled_kernels(activation):
    drawn = draw_kernels(
        generator(0, "sampled", activation),
        X,
        activation=activation,
        width=WIDTH,
        draws=DRAWS,
        hidden_layers=LAYERS,
        outputs=1,
    )
    return list(drawn)


def direct_kernels(activation, parameterization="ntk"):
    net = network(activation, WIDTH, LAYERS)
    params = draw(net, 2, range(DRAWS), "direct", dtype=np.float64)
    if parameterization == "ntk":
        return np.asarray(jax.vmap(lambda p: net.kernels(p, X).ntk)(params))
    scales = classical_scales(params)
    standard = network(activation, WIDTH, LAYERS, parameterization="standard")

    def of_one(p):
        p = jax.tree.map(lambda leaf, scale: scale * leaf, p, scales)
        return dense_kernels(standard.whole, p, X).ntk

    return np.asarray(jax.vmap(of_one)(params))


def assert_same_law(one, two):
    """Means and variances of each entry agree within five standard errors."""
    error = np.sqrt((one.var(0) + two.var(0)) / DRAWS)
    assert np.all(np.abs(one.mean(0) - two.mean(0)) < 5 * error)
    spread = [np.std((a - a.mean(0)) ** 2, axis=0) for a in (one, two)]
    assert np.all(np.abs(one.var(0) - two.var(0)) < 5 * np.hypot(*spread) / np.sqrt(DRAWS))


def test_streams_of_weights_have_names():
    """Networks of another arm or width share no weight, though they share their shape."""
    net = network("relu", WIDTH)
    one, two = (draw(net, 2, (0,), "part", arm)[0]["weight"] for arm in ("theory", "control"))
    assert not np.any(one == two)


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_sampler_has_the_law_of_direct_networks(activation):
    sampled = np.concatenate([k.total for k in sampled_kernels(activation)])[:, 0, :, 0]
    direct = direct_kernels(activation)
    assert_same_law(sampled, direct)
    # The same comparison sees a kernel that is off by a tenth.
    with pytest.raises(AssertionError):
        assert_same_law(1.1 * sampled, direct)


def test_classical_kernel_has_the_law_of_direct_networks():
    sampled = np.concatenate([k.classical(2, WIDTH) for k in sampled_kernels("relu")])[:, 0, :, 0]
    assert_same_law(sampled, direct_kernels("relu", "standard"))


def test_two_outputs_share_their_law_and_are_uncorrelated_in_the_mean():
    drawn = draw_kernels(
        generator(1, "outputs"), X, activation="relu", width=64, draws=2000, outputs=2
    )
    kernels = np.concatenate([k.total for k in drawn])
    limit = network("relu").limit(X).ntk
    error = kernels.std(0) / np.sqrt(len(kernels))
    for output in range(2):
        gap = kernels[:, output, :, output].mean(0) - limit
        assert np.all(np.abs(gap) < 5 * error[output, :, output] + 0.02 * limit.max())
    assert np.all(np.abs(kernels[:, 0, :, 1].mean(0)) < 5 * error[0, :, 1])


def test_excess_kurtosis_is_exact_for_relu():
    drawn = draw_networks(
        generator(2, "kurtosis"), X[:1], activation="relu", width=8, draws=200_000
    )
    q = drawn.grams[-1][:, 0, 0]
    moments = np.array([np.mean(q), np.mean(q**2)])
    predicted = relu_excess_kurtosis(8, 3, 0.5 + BETA**2)
    error = 5 * 3 * np.std(q**2) / np.sqrt(q.size) / moments[0] ** 2
    assert abs(3 * (moments[1] / moments[0] ** 2 - 1) - predicted) < error
    assert relu_excess_kurtosis(10**6, 3, 0.51) == pytest.approx(0, abs=1e-4)


def test_limit_at_the_values_of_figure_1():
    limit = network("relu").limit(circle(np.array([0.0, np.pi]))).ntk
    assert limit[0, 0] == pytest.approx(0.2825, abs=1e-12)  # .51, .52, .4025, .2825 by layer
    assert limit[0, 1] == pytest.approx(0.06435, abs=1e-5)


def test_filling_up_rows_does_not_change_the_limit():
    net = network("erf", hidden_layers=1)
    np.testing.assert_array_equal(net.limit(CIRCLE[:5]).ntk, net.limit(CIRCLE).ntk[:5, :5])
    np.testing.assert_allclose(net.limit(X).nngp, net.whole.kernel(X).nngp, rtol=1e-13)


def test_one_description_is_one_object():
    """However it is spelled: else what is compiled for it would not be found again."""
    assert network("relu") is network("relu", hidden_layers=3, beta=BETA)
    assert network("relu") is not network("relu", beta=1.0)


def test_both_parameterizations_are_one_function():
    net, other = (network("relu", 16, parameterization=p) for p in ("ntk", "standard"))
    params = draw(net, 2, (0, 1), "functions", dtype=np.float64)
    rescaled = jax.tree.map(np.multiply, params, classical_scales(params))
    for k in range(2):
        mine, theirs = (jax.tree.map(lambda leaf, k=k: leaf[k], p) for p in (params, rescaled))
        np.testing.assert_allclose(
            net.whole.apply(mine, X), other.whole.apply(theirs, X), rtol=1e-12
        )


@pytest.mark.parametrize("count, width", [(48, 64), (48, 512), (7, 1024), (1, 4096)])
def test_batches_are_equal_and_cover_all_seeds(count, width):
    groups = list(batches(tuple(range(count)), width))
    assert sum(groups, ()) == tuple(range(count))
    assert len({len(group) for group in groups}) == 1
    assert len(groups[0]) == 1 or len(groups[0]) * width**2 <= 2**20


def run(arm):
    (result,) = train(arm=arm, activation="relu", width=32, steps=(0, 20), seeds=(3,))
    return result.watched


def test_what_is_frozen_does_not_move():
    network_, readout, linear = (run(arm) for arm in ("theory", "readout_only", "linearized"))
    assert network_.hidden_change[1] > 0
    assert readout.hidden_change[1] == 0
    assert not np.array_equal(readout.outputs[0], readout.outputs[1])  # the last layer trains
    assert np.array_equal(linear.ntk[0], linear.ntk[1])
    assert not np.array_equal(network_.ntk[0], network_.ntk[1])
    np.testing.assert_allclose(linear.ntk[0].diagonal().mean(), 0.2825, rtol=0.8)


def test_law_before_and_after_training():
    y = target(X)
    law = partial(gaussian_law, x=X, y=y, test=X, activation="relu")
    prior = law("theory", steps=0, learning_rate=1.0)
    np.testing.assert_allclose(prior.mean, 0, atol=1e-14)
    np.testing.assert_allclose(prior.deviation**2, prior.prior, rtol=1e-12)
    np.testing.assert_allclose(prior.prior, np.diag(network("relu").limit(X).nngp), rtol=1e-12)
    trained = law("theory", steps=3000, learning_rate=4.0)
    np.testing.assert_allclose(trained.mean, y, atol=1e-6)
    np.testing.assert_allclose(trained.deviation, 0, atol=1e-6)


def test_remains_of_the_start_have_the_spread_of_the_law():
    """The law's covariance is that of (1, -P_t) f_0, f_0 ~ N(0, Sigma); means change places."""
    test = circle(np.array([0.3, 1.4, 2.9]))
    both = [
        gaussian_law(arm, X, target(X), test, activation="erf", steps=7, learning_rate=1.0)
        for arm in ("theory", "nngp_posterior")
    ]
    nngp = network("erf").limit(np.concatenate([test, X])).nngp
    spread = both[0].remains @ nngp @ both[0].remains.T
    np.testing.assert_allclose(both[0].deviation ** 2, np.diag(spread), rtol=1e-9)
    np.testing.assert_array_equal(both[0].mean, both[1].other_mean)
    np.testing.assert_array_equal(both[1].mean, both[0].other_mean)


def test_components_diagonalize_the_kernel():
    found = components(0, "theory", "digits", 16)
    limit = network("relu").limit(found.x).ntk
    rebuilt = (found.vectors * found.eigenvalues) @ found.vectors.T
    np.testing.assert_allclose(rebuilt, limit, atol=1e-12)
    np.testing.assert_allclose(np.mean(found.vectors**2, axis=0), 1, rtol=1e-12)
    assert np.all(np.diff(found.eigenvalues) <= 0)


def test_one_step_of_figure_2_moves_by_the_whole_kernel():
    """f_1 - f_0 = -(rate / N) Theta (f_0 - y): the readout trains too (its part is .3 of Theta)."""
    cell = {"part": "step", "arm": "theory", "activation": "relu", "width": 4096, "seeds": (0,)}
    (run,) = experiment._trained_on_four(learning_rate=0.1, steps=1, **cell)
    x = circle(FOUR_ANGLES)
    limit = network("relu").limit(np.concatenate([CIRCLE, x])).ntk[32:, :32].T
    residual = run.start[32:] - target(x)
    expected = -0.1 / 4 * limit @ residual
    moved = run.outputs - run.start[:32]
    assert np.linalg.norm(moved - expected) < 0.1 * np.linalg.norm(expected)


def test_share_of_the_lower_layers_is_that_of_the_networks_own_depth():
    """ReLU: q -> q / 2 + beta^2 and Theta -> Theta / 2 + q, from q = Theta = 1 / 2 + beta^2."""
    (row,) = experiment.training(arm="theory", activation="relu", width=8, steps=(0,), seeds=(0,))
    q = ntk = 1 / 2 + BETA**2
    for _ in range(HIDDEN_LAYERS):
        q = q / 2 + BETA**2
        ntk = ntk / 2 + q
    assert row["lower_share_limit"] == pytest.approx(1 - q / ntk)
