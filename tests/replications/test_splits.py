"""Points that a paper tests on are none of those that it trains on."""

import numpy as np
import pandas as pd
import pytest

from replications.arora2019_generalization import experiment as arora
from replications.bordelon2020_learning_curves import experiment as bordelon
from replications.cao2019_spectral_bias.tasks import draw_samples
from replications.chizat2019_lazy_training import convnet, regression
from replications.fort2020_kernel_learning.setting import task_of as fort_task
from replications.geiger2020_scale_transition.tasks import Split, task_of
from replications.jacot2018_frozen_kernel.setting import ANGLES, FOUR_ANGLES
from replications.jacot2018_frozen_kernel.trajectories import CIRCLE, training_inputs
from replications.lee2019_linearization import experiment as lee
from replications.lee2019_linearization import setting
from replications.yang2021_mutransfer.batches import load_images, noisy_split
from replications.yang2021_mutransfer.networks import all_runs
from widenets.ntk.data import circle
from widenets.ntk.random import generator


def nearest(test, train) -> float:
    """Smallest distance of a test point from the training points, in units of their norm."""
    test, train = (np.reshape(np.asarray(a, float), (len(a), -1)) for a in (test, train))
    squares = (test**2).sum(1)[:, None] + (train**2).sum(1) - 2 * test @ train.T
    return float(np.sqrt(max(squares.min(), 0) / (train**2).sum(1).mean()))


def test_the_distance_above_is_zero_for_a_point_of_both():
    x = np.random.default_rng(0).standard_normal((9, 4))
    assert nearest(x[5:], x) < 1e-7 < 1e-2 < nearest(x[5:], x[:5])


@pytest.mark.parametrize("labels", ["classes", "linear"])
@pytest.mark.parametrize("samples", [45, 180])
def test_arora(labels, samples):
    """The interpolant's loss is 0 on the training points alone; test points are the last ones."""
    inputs, _, _ = arora.task("theory", 0, samples, labels, "digits", None)
    assert nearest(inputs[-arora.TEST :], inputs[:samples]) > 1e-3
    (row,) = arora.complexity(
        arm="random", labels="coins", samples=samples, fractions=(0.0,), seeds=(0,)
    )
    assert row["loss"] > 0.4


def test_bordelon():
    """The interpolant has no error on its own points, a network trained to zero loss hardly any."""
    cell = {"width": 256, "dimension": 6, "degree": 2, "samples": 10}
    (row,) = bordelon.networks(arm="theory", seeds=(0,), **cell)
    assert row["train_loss"] < 1e-3
    assert min(row["kernel"], row["network"]) > 0.1


def test_bordelon_holds_out_what_is_not_trained_on():
    """In a pool of 200 digits the error outside of 20 is the theory's; in them it would be 0."""
    row, *_ = bordelon.images(
        arm="theory", data="digits", pool=200, depth=1, samples=(20,), seeds=(0,)
    )
    assert 0.5 < row["held_out_ratio"] < 2


def test_cao():
    seen, fresh = draw_samples(
        generator(0, "test"), (20, 30), 4, "uniform", "legendre", (1, 2), (1.0, 1.0)
    )
    assert nearest(fresh.inputs, seen.inputs) > 1e-3


def test_chizat():
    x, _, test_x, _ = regression._regression("widths", 5, 30, (0,))
    assert nearest(test_x[0], x[0]) > 1e-3
    images = convnet.images("digits", 0, 100)
    assert nearest(images.test_x, images.x) > 1e-3


@pytest.mark.parametrize("name", ["xnor", "digits"])
def test_fort(name):
    task = fort_task(name, 60, (0,), "test")
    assert nearest(task.test[0][0], task.train[0][0]) > 1e-3


@pytest.mark.parametrize("name", ["xnor10", "stripe20", "digits_pixels", "digits_pca"])
def test_geiger(name):
    task = task_of(Split(name, 40, 60, None, 0, 0))
    assert nearest(task.test_x, task.x) > 1e-3


def test_geiger_draws_data_for_each_seed():
    one, two = (task_of(Split("xnor10", 20, 30, None, seed, seed)) for seed in (0, 1))
    assert min(nearest(one.x, two.x), nearest(one.test_x, two.test_x)) > 1e-3


def test_jacot():
    (inputs,) = training_inputs((0,), "theory")
    assert nearest(CIRCLE, inputs) > 1e-3
    assert nearest(circle(ANGLES), circle(FOUR_ANGLES)) > 1e-2


def test_lee():
    problem = setting.digits((0,), 16, 16)
    assert nearest(problem.points[0, 16:], problem.train[0]) > 1e-3


def test_lee_draws_the_points_of_every_group():
    cell = {"width": 4, "neurons": 4, "networks": 8}
    rows = pd.DataFrame(lee.gaussianity(arm="theory", **cell, seeds=(0, 1)))
    assert rows["kurtosis"].nunique() == len(rows)


def test_yang():
    images, labels = load_images("digits", None)
    (train, _), (test, _) = noisy_split(labels, all_runs((0,), [0.0]), 128, 0.3)
    assert not set(train[0]) & set(test[0])
    assert nearest(images[test[0]], images[train[0]]) > 1e-3
