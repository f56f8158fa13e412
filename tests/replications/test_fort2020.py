"""Fort et al.: each part of the replication against its definition."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from replications.fort2020_kernel_learning import basins, early, kernel_machines, width
from replications.fort2020_kernel_learning.paths import Run, path_of
from replications.fort2020_kernel_learning.setting import (
    DIMENSION,
    EPOCHS,
    NETWORK,
    at,
    error,
    he,
    kernels,
    normals,
    outputs,
    task_of,
    weights,
)
from widenets.ntk.dynamics import gradient_descent
from widenets.ntk.empirical import dense_kernels

RUN = Run("theory", "xnor", 64, (0, 1), "test")


def lengths(leaf):
    return np.sqrt(np.sum(np.asarray(leaf) ** 2, axis=tuple(range(2, leaf.ndim))))


def leaves(arm):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(path_of(RUN._replace(arm=arm)).params)]


def test_weights_have_the_law_of_the_network_of_the_library():
    drawn = he(normals(NETWORK, tuple(range(40)), DIMENSION, "law"))
    like = jax.vmap(lambda key: NETWORK.init(key, (DIMENSION,)))(
        jax.random.split(jax.random.key(0), 40)
    )
    assert jax.tree.structure(drawn) == jax.tree.structure(like)
    for found, wanted in zip(*map(jax.tree.leaves, (drawn, like)), strict=True):
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_allclose(found.std(), wanted.std(), rtol=0.06)
        np.testing.assert_allclose(found.mean(), 0, atol=0.1 * float(wanted.std()))


def test_shuffled_labels_are_the_labels_in_another_order():
    labels, shuffled = (path_of(RUN._replace(arm=arm)).labels for arm in ("theory", "shuffled"))
    np.testing.assert_array_equal(np.sort(labels, axis=1), np.sort(shuffled, axis=1))
    assert np.mean(labels != shuffled) > 0.3


def test_elsewhere_is_as_far_from_the_start_in_every_layer():
    for sgd, other in zip(leaves("theory"), leaves("elsewhere"), strict=True):
        np.testing.assert_allclose(
            lengths(other - other[:, :1]), lengths(sgd - sgd[:, :1]), rtol=1e-3, atol=1e-4
        )
        assert lengths(other - sgd)[:, -1].min() > 0.5 * lengths(sgd - sgd[:, :1])[:, -1].min()


def test_steady_steps_have_the_mean_square_of_those_of_sgd():
    for sgd, other in zip(leaves("theory"), leaves("steady"), strict=True):
        steps, walked = (lengths(np.diff(leaf, axis=1)) for leaf in (sgd, other))
        np.testing.assert_allclose(walked, walked[:, :1].repeat(EPOCHS, axis=1), rtol=1e-3)
        np.testing.assert_allclose(np.mean(walked**2, 1), np.mean(steps**2, 1), rtol=1e-3)


def test_cooled_is_sgd_until_it_is_cooled():
    for sgd, other in zip(leaves("theory"), leaves("cooled"), strict=True):
        assert other.shape == sgd.shape
        np.testing.assert_array_equal(other[:, :11], sgd[:, :11])
        assert (
            lengths(np.diff(other, axis=1))[:, -1].max()
            < 0.5 * lengths(np.diff(sgd, axis=1))[:, -1].min()
        )


def test_the_lazy_network_starts_at_zero_and_is_its_linearization():
    run = RUN._replace(arm="lazy")
    assert not path_of(run).values(0).any()
    _, values = kernel_machines.network(run, EPOCHS)
    linear = kernel_machines.frozen(run, 0).values
    assert np.linalg.norm(values - linear) < 0.1 * np.linalg.norm(values)


def test_linearized_at_the_end_is_the_network():
    found = kernel_machines.frozen(RUN, EPOCHS)
    wrong, values = kernel_machines.network(RUN, EPOCHS)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.linear, wrong)


def test_linearized_late_sees_the_batches_that_are_left():
    """Heavy-ball steps on coefficients, batch by batch, from the network of two epochs before."""
    path, epoch = path_of(RUN), EPOCHS - 2
    kernel = np.asarray(kernels(at(path.params, epoch), path.task.x, 64), float)[1]
    start = np.float64(path.values(epoch)[1])
    a, v = np.zeros((64, 1)), np.zeros((64, 1))
    for batch in path.batches[1, epoch:].reshape(-1, 32):
        outputs_there, y = start[batch] + kernel[batch] @ a, path.labels[1, batch]
        slope = -y / (1 + np.exp(y * outputs_there)) / 32
        v *= 0.9
        v[batch] += slope
        a -= 0.1 * v
    found = kernel_machines.frozen(RUN, epoch).values[1]
    np.testing.assert_allclose(found, (start + kernel @ a)[64:], rtol=1e-3, atol=1e-3)


def test_regression_from_zero_is_that_of_its_formula():
    task = task_of("xnor", 20, (3,), "regression")
    kernel = kernels(weights((3,), DIMENSION, "regression"), task.x, 20)
    found = kernel_machines._regressed(kernel, task.train[1])
    exact = np.asarray(kernel[0], float)
    ridge = 1e-3 * np.mean(np.diag(exact[:20])) * np.eye(20)
    wanted = exact[20:] @ np.linalg.solve(exact[:20] + ridge, task.train[1][0])
    # The float32 kernel is symmetric to rounding, and Cholesky reads one half of it.
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4, atol=1e-5)


def test_error_counts_wrong_signs():
    values = np.array([[[0.2], [-0.1], [3.0], [-2.0]]])
    labels = np.array([[[1.0], [1.0], [1.0], [-1.0]]])
    np.testing.assert_allclose(error(values, labels), [0.25])


def test_children_of_the_end_are_twins_and_of_the_start_are_not():
    twins, children = (basins.pair_of((0, 1), 64, epoch) for epoch in (EPOCHS, 0))
    assert not twins.barrier.any()
    assert not twins.disagreement.any()
    assert children.disagreement.min() > 0


def test_a_barrier_is_measured_from_the_chord_between_the_ends():
    """f and -f: half of the points wrong in sum, and no sign at all between them."""
    x = task_of("xnor", 4, (0,), "barrier").test[0][:, :200]
    ones = weights((0,), DIMENSION, "barrier")
    y = np.sign(np.asarray(outputs(ones, x)))
    opposite = (*ones[:-1], {"weight": -ones[-1]["weight"]})
    found = basins._between([ones, opposite], x, y)
    # Readouts mix to a multiple of the same function: right on one half of the line, wrong on the
    # other, of no sign in its middle; the chord falls from 1 to 0.
    np.testing.assert_allclose(found.barrier, 0.5, atol=0.11)
    np.testing.assert_allclose(found.disagreement, 1.0)


def test_of_a_walk_the_linearization_is_that_of_its_own_steps():
    """Close to the network, and the kernel farther away after four times as many steps."""
    assert np.all(early.departures("walk", "relu", (16, 64), (0, 1, 2, 3))[0] < 0.1)
    apart, moved = early.departures("walk", "erf", (16, 64), (0, 1, 2, 3))
    assert np.all(apart < 0.1)
    assert np.all(moved[:, 1] > moved[:, 0])


def test_descent_and_its_linearization_start_together():
    apart, moved = early.departures("theory", "erf", (8, 16), (0, 1))
    np.testing.assert_allclose(apart[:, 1] / apart[:, 0], 2, rtol=0.05)
    np.testing.assert_allclose(moved[:, 1] / moved[:, 0], 4, rtol=0.05)


def test_the_mean_field_scaling_is_descent_on_longer_labels():
    """f / sqrt(n) at n times the rate, trained as such."""
    found = width.kernels_around("mean_field", 16, (0,))[0, 1]
    net = width.network(16)
    x, y = (jnp.asarray(a[0]) for a in width.points("mean_field", (0,)))
    start = jax.tree.map(
        lambda leaf: jnp.asarray(leaf[0]),
        normals(net, (0,), DIMENSION, "width", "mean_field", "weights", 16),
    )
    run = gradient_descent(
        lambda params, x: net.apply(params, x) / math.sqrt(16),
        start,
        x,
        y,
        loss=width.MEAN,
        learning_rate=16 * width.LEARNING_RATE,
        record=[width.STEPS],
    )
    wanted = dense_kernels(net, run.params, x).ntk
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_an_unknown_arm_is_refused():
    with pytest.raises(ValueError, match="arm: found 'lazyy'"):
        path_of(RUN._replace(arm="lazyy"))
