"""Pieces of the replication of Arora et al. 2019 that its claims rest on."""

import numpy as np
import pytest

from replications.arora2019_generalization import experiment
from widenets.ntk.data import sphere

ONE = {"arm": "test", "samples": 12, "seeds": (0,)}


def test_kernel_is_the_closed_form():
    inputs = sphere(np.random.default_rng(0), 9, 5)
    cosines = np.clip(inputs @ inputs.T, -1, 1)
    expected = cosines * (np.pi - np.arccos(cosines)) / (2 * np.pi)
    np.testing.assert_allclose(experiment.kernel(inputs), expected, atol=1e-9)


def test_bound_is_that_of_the_inverse_kernel_and_coins_have_at_least_two():
    inputs, clean, _ = experiment.task("test", 0, 12, "classes", "digits", None)
    inverse = np.linalg.inv(experiment.kernel(inputs[:12]))
    (row,) = experiment.complexity(**ONE, labels="classes", fractions=(0.0,))
    assert row["bound"] ** 2 == pytest.approx(clean[:12] @ inverse @ clean[:12] / 6)
    assert np.trace(inverse) / 6 >= 4  # the mean square over coins


def test_networks_start_at_zero_and_train_the_first_layer_alone():
    """One small step from u(0) = 0 leaves y - eta H(0) y: first order in eta, for any width."""
    (row,) = experiment.descent(**ONE, labels="classes", width=4096, steps=1)
    assert row["step"] == 1
    assert row["residual"] == pytest.approx(row["predicted"], rel=0.03)
    assert row["residual"] == pytest.approx(row["frozen"], rel=0.003)
    assert row["predicted"] < 1


def test_norms_of_powers():
    """On the sphere of R^d: 4 for a linear function; for even powers below the Taylor bound."""
    assert experiment.norm_of_power(1, 7) == pytest.approx(4)
    assert experiment.norm_of_power(3, 7) == np.inf
    taylor = [experiment.inverse_taylor(degree) for degree in (1, 2, 4, 6)]
    assert taylor == pytest.approx([4, 2 * np.pi, 12 * np.pi, 80 * np.pi / 3])
    for degree, bound in zip((2, 4, 6), taylor[1:], strict=True):
        assert experiment.norm_of_power(degree, 3) < experiment.norm_of_power(degree, 500) < bound
    assert experiment.norm_of_power(2, 5000) == pytest.approx(2 * np.pi, rel=0.01)


def test_the_square_of_the_bound_is_a_mean_over_true_and_random_labels():
    rows = list(experiment.complexity(**ONE, labels="classes", fractions=(0.0, 0.5)))
    assert rows[0]["complexity"] == pytest.approx(1)
    assert rows[1]["complexity"] == pytest.approx(1, rel=0.2)


def test_the_worst_labels_are_the_slowest_of_all():
    last = {
        labels: list(experiment.descent(**ONE, labels=labels, width=512, steps=8))[-1]["predicted"]
        for labels in ("best", "classes", "coins", "worst")
    }
    assert last["best"] < last["classes"] < last["coins"] < last["worst"]
