"""The intervals hold what they promise, and the rule is rarely wrong, on data of known truth."""

import numpy as np
import pytest
from scipy import stats

from widenets.evidence.calibration import (
    CORRECTION,
    KINDS,
    MEDIAN,
    NOISES,
    POSITIONS,
    deviations,
    intervals,
    power_law,
    proportion_rates,
    rates,
    whole_rule,
    worst_rates,
)
from widenets.evidence.estimators import corrected_slope, loglog_slope, per_seed, proportion
from widenets.evidence.intervals import clopper_pearson, sign_test, student_t


def not_below(held: int, draws: int, level: float) -> bool:
    """Is a coverage of `level` compatible with `held` of `draws`? (wrong once in 10^4)"""
    return stats.binom.cdf(held, draws, level) > 1e-4


def coverage(kind, *, seeds, errors, draws):
    truth = KINDS[kind].truth(errors)
    found = intervals(kind, seeds=seeds, errors=errors, draws=draws)
    assert all(np.isfinite(one.low) for one in found)
    return sum(one.low <= truth <= one.high for one in found)


@pytest.mark.parametrize("seeds", [3, 5, 8, 16])
def test_student_t_covers_99_percent(seeds):
    draws = np.random.default_rng(seeds).standard_normal((4000, seeds))
    held = sum(low <= 0 <= high for _, low, high in map(student_t, draws))
    assert abs(held - 3960) < 4 * np.sqrt(4000 * 0.99 * 0.01)


@pytest.mark.parametrize("seeds", [8, 11, 16])
def test_the_median_covers_99_percent_whatever_the_distribution(seeds):
    draws = np.random.default_rng(seeds).standard_cauchy((3000, seeds))
    held = sum(low <= 0 <= high for _, low, high in map(sign_test, draws))
    assert not_below(held, 3000, 0.99)


@pytest.mark.parametrize("seeds", [3, 8, 16])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_clopper_pearson_covers_at_least_99_percent(seeds, share):
    counts = np.arange(seeds + 1)
    held = [low <= share <= high for _, low, high in (clopper_pearson(k, seeds) for k in counts)]
    assert stats.binom.pmf(counts, seeds, share)[held].sum() >= 0.99


@pytest.mark.parametrize("errors", NOISES)
def test_the_stated_means_of_the_noises_are_theirs(errors):
    noise = NOISES[errors]
    draws = noise.draw(np.random.default_rng(7), (200_000,))
    assert np.median(draws) == pytest.approx(MEDIAN, rel=0.01)
    for values, mean in ((draws, noise.mean), (np.log(draws), noise.mean_log)):
        assert abs(values.mean() - mean) < 5 * values.std() / np.sqrt(values.size)


@pytest.mark.parametrize("errors", NOISES)
@pytest.mark.parametrize("seeds", [3, 16])
@pytest.mark.parametrize(
    "kind", ["per_seed geometric", "loglog_slope mean", "loglog_slope nested geometric"]
)
def test_intervals_of_logarithms_cover_under_skewed_and_heavy_tailed_noise(kind, seeds, errors):
    assert not_below(coverage(kind, seeds=seeds, errors=errors, draws=150), 150, 0.98)


@pytest.mark.parametrize("kind", ["loglog_slope nested mean", "loglog_slope nested rms"])
@pytest.mark.parametrize("errors, level", [("normal", 0.985), ("skewed", 0.95)])
def test_slopes_of_summaries_cover_less_where_the_noise_is_skewed(kind, errors, level):
    for seeds in (3, 8):
        assert not_below(coverage(kind, seeds=seeds, errors=errors, draws=120), 120, level)


def test_the_nested_slope_covers_with_more_seeds_at_small_widths():
    rng = np.random.default_rng(5)
    slope = loglog_slope("value", "width", summary="mean")
    found = [slope(power_law(rng, (16, 8, 4, 3))) for _ in range(150)]
    assert not_below(sum(one.low <= -0.5 <= one.high for one in found), 150, 0.985)


@pytest.mark.parametrize("seeds", [3, 8])
def test_the_jackknife_covers(seeds):
    assert not_below(coverage("jackknife", seeds=seeds, errors="normal", draws=80), 80, 0.985)


NEW = (
    *("corrected_slope mean", "corrected_slope nested mean", "last_doubling mean"),
    *("extrapolated mean", "extrapolated nested mean", "paired_difference"),
    *("rms_deviation", "largest_deviation"),
)


@pytest.mark.parametrize("seeds", [4, 8])
@pytest.mark.parametrize("kind", NEW)
def test_estimators_that_take_out_a_correction_cover(kind, seeds):
    assert not_below(coverage(kind, seeds=seeds, errors="normal", draws=100), 100, 0.985)


@pytest.mark.parametrize("seeds", [3, 8, 32])
def test_an_rms_covers_where_nothing_deviates(seeds):
    rng = np.random.default_rng(seeds)
    estimator = KINDS["rms_deviation"].estimator
    found = [estimator(deviations(rng, seeds, errors="normal", offset=0.0)) for _ in range(150)]
    assert not_below(sum(one.low == 0 for one in found), 150, 0.99)
    assert all(np.isfinite(one.high) for one in found)


def test_a_corrected_slope_tells_the_exponent_where_a_plain_one_is_sure_of_a_wrong_one():
    rng = np.random.default_rng(11)
    tables = [power_law(rng, 8, logarithmic=True, correction=CORRECTION) for _ in range(40)]
    plain = [loglog_slope("value", "width")(table) for table in tables]
    corrected = [corrected_slope("value", "width", order=1)(table) for table in tables]
    assert sum(one.low <= -0.5 <= one.high for one in plain) <= 8
    assert sum(one.low <= -0.5 <= one.high for one in corrected) >= 37
    widths = [np.median([one.high - one.low for one in found]) for found in (plain, corrected)]
    assert 3 < widths[1] / widths[0] < 4.2  # the price: 3.5 for these four widths


@pytest.mark.parametrize("kind", ["per_seed mean", "loglog_slope mean"])
def test_a_pass_at_the_edge_is_rarer_than_half_a_percent(kind):
    found = intervals(kind, seeds=8, errors="normal", draws=200)
    for row in rates(found, KINDS[kind].truth("normal")):
        wrong = row["pass"] if POSITIONS[row["position"]] <= 0 else row["fail"]
        assert not_below(200 - wrong, 200, 0.995), row
        if row["position"] == "far outside":
            assert row["fail"] >= 198
        if row["position"] == "well inside":
            assert row["pass"] >= 198


@pytest.mark.parametrize("seeds", [3, 8, 24])
def test_verdicts_on_shares_are_exact(seeds):
    for position, offset in POSITIONS.items():
        chances = proportion_rates(seeds, position)
        assert sum(chances.values()) == pytest.approx(1)
        assert chances["pass"] <= 0.005 or offset > 0


def test_a_bound_for_every_draw_passes_if_all_seeds_obey():
    chances = worst_rates(4, 0.5)
    assert chances == pytest.approx({"pass": 1 / 16, "fail": 1 / 16, "inconclusive": 7 / 8})


def test_far_from_the_edge_the_rule_is_decisive_and_right():
    assert whole_rule(offset=0.0, seeds=8, noise=0.25, draws=40)["pass"] == 40
    assert whole_rule(offset=3.0, seeds=8, noise=0.25, draws=40)["fail"] == 40


def test_more_seeds_decide_more():
    passes = [
        whole_rule(offset=0.5, seeds=n, noise=0.25, draws=60)["pass"] / 60 for n in (3, 5, 16)
    ]
    assert passes == sorted(passes)
    assert passes[0] < 0.5 < passes[-1]


def test_a_control_that_cannot_fail_makes_every_pass_inconclusive():
    found = whole_rule(offset=0.0, seeds=8, noise=0.25, draws=30, control=-0.5)
    assert (found["pass"], found["inconclusive"]) == (0, 30)


@pytest.mark.parametrize("seeds", range(2, 6))
def test_a_proportion_from_few_seeds_cannot_show_a_majority(seeds):
    always = proportion(lambda rows: True)(power_law(np.random.default_rng(0), seeds))
    assert always.value == 1
    assert always.low < 0.5


def test_per_seed_keeps_its_level_with_unequal_numbers_of_rows_refused():
    rows = power_law(np.random.default_rng(0), (4, 3, 3, 3))
    assert "missing" in per_seed(lambda seed: seed["value"].mean())(rows).note
