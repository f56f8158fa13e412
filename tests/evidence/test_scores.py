"""Scores of predictions: known values, other implementations, and right answers on known truth."""

import numpy as np
import pytest
from pandas import DataFrame
from scipy import stats

from widenets.evidence import (
    area_under_roc,
    coverage,
    expected_calibration_error,
    negative_log_likelihood,
    per_seed,
    rank_correlation,
)

SEEDS, PREDICTIONS = 8, 200


def held(score, tables, truth, columns) -> int:
    """How many 99 % intervals over seeds hold the true value of the score."""
    found = [per_seed(score, columns=columns)(table) for table in tables]
    return sum(one.low <= truth <= one.high for one in found)


def tables(make, count=120):
    """`count` tables of SEEDS seeds with PREDICTIONS rows each, from columns drawn by `make`."""
    rng = np.random.default_rng(7)
    seed = np.repeat(np.arange(SEEDS), PREDICTIONS)
    return [DataFrame({"seed": seed, **make(rng, len(seed))}) for _ in range(count)]


def gaussian(spread):
    """Errors `spread` times as large as the stated deviations."""

    def make(rng, size):
        deviation = np.exp(rng.standard_normal(size))
        return {"error": spread * deviation * rng.standard_normal(size), "deviation": deviation}

    return make


@pytest.mark.parametrize("spread", [0.8, 1.0, 2.0])
def test_coverage_is_that_of_the_normal_distribution(spread):
    truth = 2 * stats.norm.cdf(stats.norm.ppf(0.975) / spread) - 1
    score = coverage("error", "deviation")
    assert held(score, tables(gaussian(spread)), truth, ("error", "deviation")) >= 114


def confident(gap):
    """Confidences from .5 on whose chance of being right is less by `gap`."""

    def make(rng, size):
        said = rng.uniform(0.5, 1.0, size)
        return {"confidence": said, "correct": (rng.random(size) < said - gap).astype(int)}

    return make


def test_calibration_error_is_the_gap_of_who_is_too_sure():
    """Where all bins err in one direction noise cancels, up to bins that it turns."""
    score = expected_calibration_error("confidence", "correct", bins=5)
    found = [per_seed(score)(table).value for table in tables(confident(0.3), 30)]
    assert np.mean(found) == pytest.approx(0.3, abs=0.01)


def test_calibrated_predictions_have_the_error_of_noisy_bins():
    score = expected_calibration_error("confidence", "correct")
    (table,) = tables(confident(0.0), 1)
    middles = np.array([0.55, 0.65, 0.75, 0.85, 0.95])
    expected = np.sqrt(2 * middles * (1 - middles) / (np.pi * PREDICTIONS / 5)).mean()
    found = [score(rows) for t in tables(confident(0.0), 30) for _, rows in t.groupby("seed")]
    assert np.mean(found) == pytest.approx(expected, rel=0.1)
    assert score(table) < expected  # all seeds together


def test_calibration_error_by_hand_and_at_the_ends():
    rows = DataFrame({"confidence": [0.0, 1.0, 0.62, 0.68], "correct": [0, 1, 1, 0]})
    assert expected_calibration_error("confidence", "correct")(rows) == pytest.approx(0.3 / 4)
    with pytest.raises(ValueError, match="confidence"):
        expected_calibration_error("confidence", "correct")(rows.assign(confidence=1.2))


def chances(rng, size):
    chance = rng.uniform(0.2, 0.9, size)
    happened = rng.random(size) < chance
    return {"likelihood": np.where(happened, chance, 1 - chance)}


def test_negative_log_likelihood_is_the_entropy_of_true_chances():
    p = np.linspace(0.2, 0.9, 20001)
    truth = np.mean(-p * np.log(p) - (1 - p) * np.log(1 - p))
    score = negative_log_likelihood("likelihood")
    assert held(score, tables(chances), truth, ("likelihood",)) >= 114
    assert negative_log_likelihood("likelihood")(DataFrame({"likelihood": [0.0]})) == np.inf


def shifted(rng, size):
    kind = (rng.random(size) < 0.3).astype(int)
    return {"score": rng.standard_normal(size) + kind, "positive": kind}


def test_area_is_the_chance_that_a_positive_is_larger():
    truth = stats.norm.cdf(1 / np.sqrt(2))
    score = area_under_roc("score", "positive")
    assert held(score, tables(shifted), truth, ("score", "positive")) >= 114


def test_area_is_mann_and_whitneys_with_ties_at_one_half():
    rng = np.random.default_rng(1)
    rows = DataFrame({"score": rng.integers(4, size=60), "positive": rng.integers(2, size=60)})
    ones, zeros = (rows["score"][rows["positive"] == kind] for kind in (1, 0))
    expected = stats.mannwhitneyu(ones, zeros).statistic / (len(ones) * len(zeros))
    assert area_under_roc("score", "positive")(rows) == pytest.approx(expected)
    assert np.isnan(area_under_roc("score", "positive")(rows.assign(positive=1)))


def test_rank_correlation_is_spearmans():
    rng = np.random.default_rng(2)
    rows = DataFrame({"a": rng.integers(9, size=50), "b": rng.standard_normal(50)})
    expected = stats.spearmanr(rows["a"], rows["b"]).statistic
    assert rank_correlation("a", lambda r: np.exp(r["b"]))(rows) == pytest.approx(expected)
    assert np.isnan(rank_correlation("a", "b")(rows.assign(a=1)))


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: coverage("a", "b", level=1.0), "level"),
        (lambda: expected_calibration_error("a", "b", bins=0), "bins"),
    ],
)
def test_wrong_arguments_are_named(make, name):
    with pytest.raises(ValueError, match=name):
        make()
