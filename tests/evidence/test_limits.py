"""What must not count, however good the rest is; and how wide the interval of a slope is."""

import math

import numpy as np
import pandas as pd
import pytest

from widenets.evidence import loglog_slope, near, per_seed
from widenets.evidence.claim import Estimate, Verdict
from widenets.evidence.intervals import around, welch_satterthwaite
from widenets.evidence.judge import compare


def rows(seeds, widths=(16, 64, 256)):
    draws = np.exp(0.3 * np.random.default_rng(2).standard_normal((seeds, len(widths))))
    return pd.DataFrame(
        {"seed": seed, "width": width, "y": draws[seed, place] / width}
        for seed in range(seeds)
        for place, width in enumerate(widths)
    )


def test_a_single_draw_is_judged_by_nobody():
    """Even where an estimator gave it an interval."""
    verdict, reason = compare(Estimate(1.0, 0.9, 1.1, 1), near(1.0, 0.5))
    assert (verdict, reason) == (Verdict.INCONCLUSIVE, "a single seed has no interval")
    assert compare(Estimate(1.0, 0.9, 1.1, 2), near(1.0, 0.5))[0] == Verdict.PASS


def test_one_cell_that_a_seed_lacks_is_enough_for_no_estimate():
    table = rows(4)
    estimator = per_seed(lambda of_seed: of_seed["y"].mean(), columns=("width", "y"))
    assert math.isfinite(estimator(table).value)
    lacking = estimator(table.drop(index=[4]))  # of three cells of seed 1
    assert math.isnan(lacking.value)
    assert lacking.note == "cells missing for seeds 1"


def test_the_interval_of_a_nested_slope_is_that_of_a_weighted_sum():
    """Slope c . m with independent means m of log y: variance sum c^2 s^2 / n."""
    table = rows(8)
    logs = np.log(table.pivot(index="width", columns="seed", values="y").to_numpy())
    x = np.log([16, 64, 256])
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    variances = weights**2 * logs.var(axis=1, ddof=1) / 8
    degrees = welch_satterthwaite(variances, np.full(3, 7))
    expected = around(weights @ logs.mean(axis=1), math.sqrt(variances.sum()), degrees)
    found = loglog_slope("y", "width", summary="geometric")(table)
    assert (found.value, found.low, found.high) == pytest.approx(expected)
