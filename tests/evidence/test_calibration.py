"""The intervals hold what they promise, and the rule is rarely wrong, on data of known truth."""

import numpy as np
import pytest
from scipy import stats

from shared.evidence.calibration import cases, coverage, power_law, rates
from shared.evidence.estimators import loglog_slope, per_seed, proportion
from shared.evidence.intervals import clopper_pearson, sign_test, student_t


def not_below(held: int, draws: int, level: float) -> bool:
    """Is a coverage of `level` compatible with `held` of `draws`? (wrong once in 10^4)"""
    return stats.binom.cdf(held, draws, level) > 1e-4


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


@pytest.mark.parametrize("errors", ["normal", "lognormal", "heavy"])
@pytest.mark.parametrize("seeds", [3, 16])
@pytest.mark.parametrize("name", ["loglog_slope (crossed)", "loglog_slope (summary=geometric)"])
def test_slopes_cover_under_skewed_and_heavy_tailed_errors(name, seeds, errors):
    held, missed, none = coverage(*cases()[name], seeds=seeds, errors=errors, draws=150)
    assert none == 0
    assert not_below(held, held + missed, 0.985)


@pytest.mark.parametrize("summary", ["mean", "rms"])
@pytest.mark.parametrize("errors, level", [("normal", 0.985), ("lognormal", 0.95)])
def test_slopes_of_summaries_cover_less_where_the_errors_are_skewed(summary, errors, level):
    name = f"loglog_slope (summary={summary})"
    for seeds in (3, 8):
        held, missed, _ = coverage(*cases()[name], seeds=seeds, errors=errors, draws=120)
        assert not_below(held, held + missed, level)


def test_the_nested_slope_covers_with_more_seeds_at_small_widths():
    rng = np.random.default_rng(5)
    slope = loglog_slope("value", "width", summary="mean")
    found = [slope(power_law(rng, (16, 8, 4, 3))) for _ in range(150)]
    assert not_below(sum(one.low <= -0.5 <= one.high for one in found), 150, 0.985)


@pytest.mark.parametrize("seeds", [3, 8])
def test_the_jackknife_covers(seeds):
    case = cases()["jackknife (log of ratio of means)"]
    held, missed, _ = coverage(*case, seeds=seeds, errors="normal", draws=80)
    assert not_below(held, held + missed, 0.985)


def test_far_from_the_edge_the_rule_is_decisive_and_right():
    assert rates(offset=0.0, seeds=8, noise=0.25, draws=40)["pass"] == 1
    assert rates(offset=3.0, seeds=8, noise=0.25, draws=40)["fail"] == 1


@pytest.mark.parametrize("seeds", [3, 16])
@pytest.mark.parametrize("noise", [0.25, 1.0])
def test_at_the_edge_and_outside_a_pass_is_rarer_than_half_a_percent(seeds, noise):
    at_edge = rates(offset=1.0, seeds=seeds, noise=noise, draws=150)
    assert not_below(round(150 * (1 - at_edge["pass"])), 150, 0.995)
    assert not_below(round(150 * (1 - at_edge["fail"])), 150, 0.995)
    assert rates(offset=2.0, seeds=seeds, noise=noise, draws=60)["pass"] == 0


def test_more_seeds_decide_more():
    shares = [rates(offset=0.5, seeds=n, noise=0.25, draws=60)["pass"] for n in (3, 5, 16)]
    assert shares == sorted(shares)
    assert shares[0] < 0.5 < shares[-1]


def test_a_control_that_cannot_fail_makes_every_pass_inconclusive():
    found = rates(offset=0.0, seeds=8, noise=0.25, draws=30, control=-0.5)
    assert (found["pass"], found["inconclusive"]) == (0, 1)


@pytest.mark.parametrize("seeds", range(2, 6))
def test_a_proportion_from_few_seeds_cannot_show_a_majority(seeds):
    always = proportion(lambda rows: True)(power_law(np.random.default_rng(0), seeds))
    assert always.value == 1
    assert always.low < 0.5


def test_per_seed_keeps_its_level_with_unequal_numbers_of_rows_refused():
    rows = power_law(np.random.default_rng(0), (4, 3, 3, 3))
    assert "missing" in per_seed(lambda seed: seed["value"].mean())(rows).note
