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
