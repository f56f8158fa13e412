"""Pieces of the replication of Arora et al. 2019 that its claims rest on."""

import numpy as np
import pytest

from replications.arora2019_generalization import experiment
from shared.ntk.data import sphere

ONE = {"arm": "test", "samples": 12, "seeds": (0,)}


def test_kernel_is_the_closed_form():
    inputs = sphere(np.random.default_rng(0), 9, 5)
    cosines = np.clip(inputs @ inputs.T, -1, 1)
    expected = cosines * (np.pi - np.arccos(cosines)) / (2 * np.pi)
    np.testing.assert_allclose(experiment.kernel(inputs), expected, atol=1e-9)


def test_mean_of_the_bound_over_corruptions():
    """The closed form against 3000 draws of the coins, with the inputs and clean labels fixed."""
    inputs, clean, _ = experiment.task("test", 0, 12, "classes", "digits", None)
    inverse = np.linalg.inv(experiment.kernel(inputs[:12]))
    rng, p = np.random.default_rng(1), 0.4
    shape = (3000, 12)
    labels = np.where(rng.random(shape) < p, rng.choice([-1.0, 1.0], shape), clean[:12])
    squares = np.einsum("si,ij,sj->s", labels, inverse, labels) / 6
    (row,) = experiment.complexity(**ONE, labels="classes", fractions=(p,))
    error = squares.std() / np.sqrt(len(squares))
    assert row["expected"] ** 2 == pytest.approx(squares.mean(), abs=4 * error)


def test_bound_without_corruption_and_with_coins_alone():
    inputs, clean, _ = experiment.task("test", 0, 12, "classes", "digits", None)
    inverse = np.linalg.inv(experiment.kernel(inputs[:12]))
    none, all_ = experiment.complexity(**ONE, labels="classes", fractions=(0.0, 1.0))
    assert none["bound"] == none["expected"]
    assert none["bound"] ** 2 == pytest.approx(clean[:12] @ inverse @ clean[:12] / 6)
    assert all_["expected"] ** 2 == pytest.approx(np.trace(inverse) / 6)
    assert all_["expected"] >= 2


def test_networks_start_at_zero_and_train_the_first_layer_alone():
    """One small step from u(0) = 0 leaves y - eta H(0) y: first order in eta, for any width."""
    (row,) = experiment.descent(**ONE, labels="classes", width=4096, steps=1)
    assert row["step"] == 1
    assert row["residual"] == pytest.approx(row["predicted"], rel=0.03)
    assert row["predicted"] < 1
