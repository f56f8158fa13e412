"""Estimators: right numbers on data whose answer is known, and a reason where there is none."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from widenets.evidence import (
    asymptotic,
    corrected_slope,
    difference,
    exact,
    extrapolated,
    jackknife,
    largest_deviation,
    last_doubling,
    loglog_slope,
    ordering,
    paired_difference,
    per_seed,
    proportion,
    ratio,
    rms_deviation,
    worst,
    worst_ratio,
)
from widenets.evidence.intervals import (
    around,
    clopper_pearson,
    sign_test,
    student_t,
    welch_satterthwaite,
)


def grid(values: np.ndarray, widths=(64, 128, 256)) -> pd.DataFrame:
    """Rows seed x width with column y."""
    return pd.DataFrame(
        [
            {"seed": seed, "width": width, "y": values[seed, place]}
            for seed in range(len(values))
            for place, width in enumerate(widths)
        ]
    )


def noisy(seeds: int = 6, exponent: float = -0.5, widths=(64, 128, 256)) -> pd.DataFrame:
    noise = np.random.default_rng(1).standard_normal((seeds, len(widths)))
    return grid(np.asarray(widths, float) ** exponent * np.exp(0.1 * noise), widths)


def test_student_t_is_the_one_sample_interval():
    values = np.array([1.0, 2.0, 4.0, 8.0])
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.99)
    assert student_t(values)[1:] == pytest.approx(expected)


def test_sign_test_needs_eight_values_and_brackets_the_median():
    assert sign_test(np.arange(7)) is None
    assert sign_test(np.arange(8)) == (3.5, 0, 7)
    low, high = sign_test(np.arange(20))[1:]
    k = int(low) + 1
    assert high == 20 - k
    assert 2 * stats.binom.cdf(k - 1, 20, 0.5) <= 0.01 < 2 * stats.binom.cdf(k, 20, 0.5)


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_clopper_pearson_agrees_with_statsmodels(counts):
    successes, trials = counts
    expected = proportion_confint(successes, trials, alpha=0.01, method="beta")
    assert clopper_pearson(successes, trials)[1:] == pytest.approx(expected, abs=1e-9)


def test_quantiles_are_those_of_scipy_stats():
    """The evidence takes them from scipy.special, which is faster to import."""
    for degrees in (1, 2, 3, 7, 31, 1000, 1.37, 5.5, 211.3, np.inf):
        quantile = stats.t.ppf(0.995, degrees)
        assert around(2.0, 0.5, degrees).high == pytest.approx(2 + quantile / 2, rel=1e-12)
    for trials in (1, 2, 16, 25, 400):
        for k in range(0, trials + 1, max(1, trials // 7)):
            _, low, high = clopper_pearson(k, trials)
            ends = (
                stats.beta.ppf(0.005, k, trials - k + 1),
                stats.beta.isf(0.005, k + 1, trials - k),
            )
            expected = (ends[0] if k else 0.0, ends[1] if k < trials else 1.0)
            assert (low, high) == pytest.approx(expected, rel=1e-12)
    for n in (*range(1, 400), 1000, 4001):
        k = int(stats.binom.ppf(0.005, n, 0.5))
        assert sign_test(np.arange(n)) == (((n - 1) / 2, k - 1, n - k) if k else None)


@pytest.mark.parametrize(
    "counts, message",
    [
        ((3, 2), "successes: found 3, wanted 0 to 2"),
        ((-1, 4), "successes: found -1, wanted 0 to 4"),
        ((0, 0), "trials: found 0, wanted at least 1"),
    ],
)
def test_clopper_pearson_refuses_impossible_counts(counts, message):
    with pytest.raises(ValueError, match=message):
        clopper_pearson(*counts)


def test_welch_satterthwaite_agrees_with_the_two_sample_test():
    first, second = np.array([1.0, 3.0, 4.0]), np.array([2.0, 9.0, 1.0, 4.0, 4.0])
    variances = np.array([values.var(ddof=1) / values.size for values in (first, second)])
    expected = stats.ttest_ind(first, second, equal_var=False).df
    assert welch_satterthwaite(variances, np.array([2, 4])) == pytest.approx(expected)


def test_per_seed_mean_is_student_t_over_seeds():
    rows = noisy()
    found = per_seed("y", where={"width": 64})(rows)
    assert (found.value, found.low, found.high) == pytest.approx(
        student_t(rows["y"][rows["width"] == 64])
    )
    assert found.n_seeds == 6


def test_per_seed_geometric_is_invariant_under_inversion():
    rows = noisy().assign(inverse=lambda table: 1 / table["y"])
    up = per_seed("y", where={"width": 64}, center="geometric")(rows)
    down = per_seed("inverse", where={"width": 64}, center="geometric")(rows)
    assert (1 / down.value, 1 / down.high, 1 / down.low) == pytest.approx(
        (up.value, up.low, up.high)
    )


def test_per_seed_median_says_that_few_seeds_are_not_enough():
    found = per_seed("y", where={"width": 64}, center="median")(noisy(7))
    assert math.isnan(found.value)
    assert "8 seeds" in found.note
    assert math.isfinite(per_seed("y", where={"width": 64}, center="median")(noisy(8)).low)


def test_a_column_with_several_rows_per_seed_must_be_reduced():
    with pytest.raises(ValueError, match="has 3 rows for seed 0"):
        per_seed("y")(noisy())


@pytest.mark.parametrize(
    "wanted, widths", [(64, [64]), ((64, 256), [64, 256]), (lambda w: w > 64, [128, 256])]
)
def test_where_takes_a_value_several_or_a_function(wanted, widths):
    seen = []
    per_seed(lambda rows: seen.append(rows["width"].tolist()) or 0.0, where={"width": wanted})(
        noisy()
    )
    assert seen == [widths] * 6


def test_paired_statistics():
    rows = noisy().assign(twice=lambda table: 2 * table["y"], more=lambda table: table["y"] + 3)
    found = per_seed(ratio("twice", "y"))(rows)
    assert (found.low, found.value, found.high) == pytest.approx((2, 2, 2))
    found = per_seed(difference("more", "y"))(rows)
    assert (found.low, found.value, found.high) == pytest.approx((3, 3, 3))


def test_worst_ratio_is_the_range_over_seeds_of_the_largest_ratio():
    rows = grid(np.array([[1.0, 2.0, 3.0], [5.0, 1.0, 1.0]])).assign(bound=10.0)
    found = worst_ratio("y", "bound")(rows)
    assert (found.value, found.low, found.high, found.n_seeds) == (0.5, 0.3, 0.5, 2)
    assert worst(lambda seed: seed["y"].max())(rows).value == 5.0
    unbounded = worst_ratio("y", "bound")(rows.assign(bound=0.0))
    assert math.isnan(unbounded.value)


def test_ordering_counts_the_seeds_in_which_it_is_strict():
    rows = grid(np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 2.0], [3.0, 2.0, 1.0]]))
    found = ordering("y", by="width", increasing=False)(rows.sample(frac=1, random_state=0))
    assert found.value == pytest.approx(2 / 3)
    assert ordering("y", by="width", increasing=True)(rows).value == 0
    assert found.note == "2 of 3 seeds"


def test_proportion_of_all_successes_is_limited_by_the_seeds():
    for seeds in (4, 8, 16):
        found = proportion(lambda rows: True)(noisy(seeds))
        assert (found.low, found.high) == pytest.approx((0.005 ** (1 / seeds), 1))


@pytest.mark.parametrize("summary", [None, "mean", "rms", "geometric"])
def test_slopes_of_an_exact_power_law(summary):
    widths = (64, 128, 512, 4096)
    rows = grid(np.tile(3 * np.asarray(widths, float) ** -0.7, (4, 1)), widths)
    found = loglog_slope("y", "width", summary=summary)(rows)
    assert (found.low, found.value, found.high) == pytest.approx((-0.7,) * 3)


def test_the_crossed_slope_is_the_mean_of_least_squares_slopes():
    rows = noisy()
    design = sm.add_constant(np.log([64, 128, 256]))
    slopes = [
        sm.OLS(np.log(seed["y"]), design).fit().params.iloc[1] for _, seed in rows.groupby("seed")
    ]
    found = loglog_slope("y", "width")(rows)
    assert (found.value, found.low, found.high) == pytest.approx(student_t(np.array(slopes)))


def test_the_nested_slope_agrees_with_the_crossed_one_where_both_apply():
    rows = noisy(40)
    crossed = loglog_slope("y", "width")(rows)
    nested = loglog_slope("y", "width", summary="geometric")(rows)
    assert nested.value == pytest.approx(crossed.value)
    assert nested.high - nested.low == pytest.approx(crossed.high - crossed.low, rel=0.2)


def test_the_nested_slope_takes_more_seeds_at_small_widths():
    rows = noisy(12)
    nested = rows[(rows["width"] < 256) | (rows["seed"] < 4)]
    assert "missing" in loglog_slope("y", "width")(nested).note
    assert math.isfinite(loglog_slope("y", "width", summary="rms")(nested).low)
    too_few = rows[(rows["width"] < 256) | (rows["seed"] < 1)]
    assert "two seeds" in loglog_slope("y", "width", summary="rms")(too_few).note


@pytest.mark.parametrize("reduce, expected", [("mean", 2.0), ("max", 3.0), ("rms", 5**0.5)])
def test_repeated_rows_are_reduced_before_the_slope(reduce, expected):
    widths = (1.0, 2.0, 4.0)
    rows = pd.concat(
        [
            grid(np.array([[1.0, 1.0, 1.0]] * 2), widths),
            grid(np.array([[3.0, 3.0, 3.0]] * 2), widths),
        ]
    )
    flat = loglog_slope("y", "width", reduce=reduce)(rows)
    assert flat.value == pytest.approx(0, abs=1e-12)
    one = grid(np.array([[expected, 1.0, 1.0]] * 2), widths)
    rows.loc[rows["width"] > 1, "y"] = 1.0
    found = loglog_slope("y", "width", reduce=reduce)(rows)
    assert found.value == pytest.approx(loglog_slope("y", "width")(one).value)


@pytest.mark.parametrize(
    "change, note",
    [
        (lambda rows: rows.assign(y=-rows["y"]), "positive"),
        (lambda rows: rows.assign(y=0.0), "positive"),
        (lambda rows: rows[rows["width"] < 256], "three values"),
        (lambda rows: rows[rows["seed"] == 0], "single seed"),
        (lambda rows: rows.iloc[1:], "missing for seeds 0"),
        (lambda rows: rows.assign(y=rows["y"].where(rows["seed"] != 3)), "seeds 3"),
        (lambda rows: rows.iloc[:0], "no rows"),
    ],
)
def test_a_slope_says_why_there_is_none(change, note):
    found = loglog_slope("y", "width")(change(noisy()))
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert note in found.note


def test_the_jackknife_of_a_mean_is_student_t():
    rows = noisy()
    found = jackknife(lambda rows: rows["y"].mean(), where={"width": 64})(rows)
    expected = student_t(rows["y"][rows["width"] == 64])
    assert (found.value, found.low, found.high) == pytest.approx(expected)


def test_the_jackknife_removes_the_bias_of_a_square():
    """E mean^2 = mu^2 + variance / n; the jackknife subtracts exactly the unbiased s^2 / n."""
    y = np.array([1.0, 4.0, 2.0, 7.0, 7.0])
    rows = pd.DataFrame({"seed": range(5), "y": y})
    found = jackknife(lambda rows: rows["y"].mean() ** 2)(rows)
    assert found.value == pytest.approx(y.mean() ** 2 - y.var(ddof=1) / 5)


def test_exact_needs_no_seeds_but_rows_that_agree():
    rows = pd.DataFrame({"seed": [0, 0, 1], "y": [1.0, 1.0 + 1e-10, 1.0]})
    found = exact("y", resolution=1e-9)(rows)
    assert (found.value, found.n_seeds) == (1.0, 0)
    assert found.high - found.low == pytest.approx(2e-9)
    assert "rows differ" in exact("y", resolution=1e-12)(rows).note
    assert "not finite" in exact("y", resolution=1.0)(rows.assign(y=[1.0, np.nan, 1.0])).note
    assert exact(lambda seed: len(seed), resolution=2)(rows).value == 1.5
    with pytest.raises(ValueError, match="resolution"):
        exact("y", resolution=math.nan)


def test_a_diverged_value_cannot_be_averaged_away():
    """Means and maxima of a data frame skip NaN; the estimators must not."""
    rows = noisy().assign(bound=1.0)
    rows.loc[4, "y"] = np.nan
    for estimator in (
        per_seed(lambda seed: seed["y"].mean()),
        per_seed(ratio("y", "bound")),
        worst(lambda seed: seed["y"].max()),
        worst_ratio("y", "bound"),
        proportion(lambda seed: not (seed["y"] > 1).any()),
        ordering("y", by="width", increasing=False),
        jackknife(lambda seed: seed["y"].mean()),
        exact(lambda seed: seed["bound"].mean(), resolution=1.0),
    ):
        found = estimator(rows)
        assert math.isnan(found.value)
        assert found.note == "y is not finite for seeds 1"


def test_columns_restrict_what_is_read_and_checked():
    rows = noisy().assign(other=np.nan, label=None)
    count = per_seed(lambda seed: len(seed.columns), columns=("width", "y"))
    assert count(rows).value == 3
    assert "other" in per_seed(lambda seed: len(seed))(rows).note
    assert "label" in per_seed(lambda seed: len(seed), columns=("label",))(rows).note
    with pytest.raises(KeyError):
        per_seed(lambda seed: seed["other"].mean(), columns=("y",))(rows)


def test_a_missing_flag_is_not_a_success():
    rows = pd.DataFrame({"seed": [0, 1, 2], "holds": [True, None, True]})
    assert "holds" in proportion(lambda seed: not (seed["holds"] == False).any())(rows).note  # noqa: E712


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: per_seed("y", center="mode"), "center: found 'mode'"),
        (lambda: loglog_slope("y", "x", reduce="sum"), "reduce: found 'sum'"),
        (lambda: loglog_slope("y", "x", summary="median"), "summary: found 'median'"),
        (lambda: corrected_slope("y", "x", order=0), "order: found 0"),
        (lambda: corrected_slope("y", "x", order=1, reduce="sum"), "reduce: found 'sum'"),
        (lambda: last_doubling("y", "x", sizes=(64, 256)), r"sizes: found \(64, 256\)"),
        (lambda: extrapolated("y", "x", orders=()), "orders: found none"),
        (lambda: asymptotic("y", "x", terms=()), "terms: found none"),
        (lambda: asymptotic("y", "x", terms=((0, 1),)), "order: found 0"),
        (lambda: asymptotic("y", "x", terms=((1, 3),)), "terms: found the power 3"),
        (lambda: asymptotic("y", "x", terms=((1, 0),), law="root"), "law: found 'root'"),
        (lambda: asymptotic(len, "x", terms=((1, 0),)), "columns: found none"),
        (lambda: extrapolated("y", "x", orders=(1, math.nan)), "order: found nan"),
        (lambda: extrapolated("y", "x", summary="rms"), "summary: found 'rms'"),
        (lambda: paired_difference("y", by="x", pair=(1, 1)), "pair: found 1 twice"),
    ],
)
def test_unknown_options_are_refused_at_once(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@given(st.floats(-2, 2), st.floats(0.01, 100), st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_slopes_do_not_depend_on_units(exponent, unit, seeds):
    rows = noisy(seeds, exponent)
    for summary in (None, "mean", "rms", "geometric"):
        slope = loglog_slope("y", "width", summary=summary)
        plain = slope(rows)
        scaled = slope(rows.assign(y=rows["y"] * unit, width=rows["width"] * unit))
        assert (scaled.value, scaled.low) == pytest.approx((plain.value, plain.low), abs=1e-9)


SIZES = (64, 128, 256, 512, 1024)
ONE = {"width": 64}


def of_sizes(law, seeds=4, sizes=SIZES) -> pd.DataFrame:
    """Rows without noise, of a law in the size."""
    return grid(np.tile(law(np.asarray(sizes, float)), (seeds, 1)), sizes)


def numbers_of(found) -> tuple[float, float, float]:
    return (found.low, found.value, found.high)


@pytest.mark.parametrize("summary", [None, "mean", "rms", "geometric"])
@pytest.mark.parametrize("order", [0.5, 1.0, 2.0])
def test_a_correction_of_the_stated_order_is_taken_out_of_the_slope(summary, order):
    rows = of_sizes(lambda n: 3 * n**-0.5 * np.exp(2 * n**-order))
    found = corrected_slope("y", "width", order=order, summary=summary)(rows)
    assert numbers_of(found) == pytest.approx((-0.5,) * 3)
    assert abs(loglog_slope("y", "width")(rows).value + 0.5) > 1e-5


@pytest.mark.parametrize("b", [-4.0, 4.0])
def test_what_is_left_of_a_correction_is_of_second_order(b):
    rows = of_sizes(lambda n: n**-0.5 * (1 + b / n))
    left = corrected_slope("y", "width", order=1)(rows).value + 0.5
    plain = loglog_slope("y", "width")(rows).value + 0.5
    assert abs(left) < 0.1 * abs(plain)
    assert abs(left) < (b / 64) ** 2


def test_the_last_doubling_is_the_local_slope_and_bounds_a_correction():
    rows = of_sizes(lambda n: n**-0.5 * (1 + 8 / n))
    found = last_doubling("y", "width", sizes=(512, 1024))(rows)
    assert found.value == pytest.approx(-0.5 + np.log2((1 + 8 / 1024) / (1 + 8 / 512)))
    assert abs(found.value + 0.5) < 8 / 512 < abs(loglog_slope("y", "width")(rows).value + 0.5)
    assert "two values" in last_doubling("y", "width", sizes=(1024, 2048))(rows).note


@pytest.mark.parametrize("summary", [None, "mean"])
@pytest.mark.parametrize("orders", [(1.0,), (0.5,), (0.5, 1.0)])
def test_a_limit_is_read_off_behind_its_corrections(orders, summary):
    rows = of_sizes(lambda n: -2 + sum(5 * n**-order for order in orders))
    found = extrapolated("y", "width", orders=orders, summary=summary)(rows)
    assert numbers_of(found) == pytest.approx((-2.0,) * 3)


def test_an_extrapolation_has_one_size_more_than_terms_and_every_seed_at_each():
    rows = of_sizes(lambda n: 1 + 1 / n)
    assert (
        "four values" in extrapolated("y", "width", orders=(0.5, 1))(rows[rows["width"] < 500]).note
    )
    assert "four values" in corrected_slope("y", "width", order=1)(rows[rows["width"] < 500]).note
    assert "missing for seeds 0" in extrapolated("y", "width")(rows.iloc[1:]).note
    assert "positive y" not in extrapolated("y", "width")(rows.assign(y=-1.0)).note
    assert (
        "positive width and y" in corrected_slope("y", "width", order=1)(rows.assign(y=-1.0)).note
    )


def test_corrected_estimates_are_those_of_least_squares():
    rows = noisy(widths=SIZES)
    sizes = np.array(SIZES, float)
    design = np.stack([np.ones(5), np.log(sizes), 1 / sizes], axis=1)
    slopes, limits = [], []
    for _, seed in rows.groupby("seed"):
        slopes.append(sm.OLS(np.log(seed["y"].to_numpy()), design).fit().params[1])
        limits.append(sm.OLS(seed["y"].to_numpy(), design[:, [0, 2]]).fit().params[0])
    found = corrected_slope("y", "width", order=1)(rows)
    assert (found.value, found.low, found.high) == pytest.approx(student_t(np.array(slopes)))
    found = extrapolated("y", "width")(rows)
    assert (found.value, found.low, found.high) == pytest.approx(student_t(np.array(limits)))


DOUBLINGS = 2.0 ** np.arange(5, 12)


def sequence(values, sizes=DOUBLINGS, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"seed": seed, "n": sizes, "y": values(sizes)})


@pytest.mark.parametrize("law, truth", [("limit", 2.0), ("power", -0.5), ("logarithm", 3.0)])
@pytest.mark.parametrize("terms", [((1, 0),), ((0.5, 0), (1, 0)), ((1, 1), (1, 0))])
def test_a_sequence_of_the_stated_terms_arrives_at_once(law, truth, terms):
    def values(n):
        rest = sum(3 * n**-order * np.log(n) ** logs for order, logs in terms)
        return {
            "limit": 2 + rest,
            "power": np.exp(4 - 0.5 * np.log(n) + rest),
            "logarithm": 7 + 3 * np.log(n) + rest,
        }[law]

    found = asymptotic("y", "n", terms=terms, law=law)(sequence(values).sample(frac=1))
    assert numbers_of(found) == pytest.approx((truth,) * 3, abs=1e-7)
    assert (found.n_seeds, found.interval) == (0, "its own truncation")


@settings(max_examples=200, deadline=None)
@given(
    order=st.sampled_from([0.5, 1.0, 2.0]),
    first=st.floats(-5, 5),
    second=st.floats(-20, 20),
    law=st.sampled_from(["limit", "power"]),
)
def test_the_truncation_covers_the_next_order(order, first, second, law):
    """a + b n^-p + c n^-2p, fitted without c; three sizes suffice for a limit."""

    def values(n):
        rest = first * n**-order + second * n ** (-2 * order)
        return 2 + rest if law == "limit" else np.exp(2 * np.log(n) + rest)

    sizes = DOUBLINGS[-3:] if law == "limit" else DOUBLINGS[-4:]
    found = asymptotic("y", "n", terms=((order, 0),), law=law)(sequence(values, sizes))
    assert found.low - 1e-9 <= 2 <= found.high + 1e-9


def test_the_truncation_falls_with_the_sizes_and_with_the_terms():
    def width(sizes, terms):
        found = asymptotic("y", "n", terms=terms)(
            sequence(lambda n: 1 + 4 / n - 3 / n**2 + 5 / n**3, sizes)
        )
        assert found.low <= 1 <= found.high
        return found.high - found.low

    one, two = ((1, 0),), ((1, 0), (2, 0))
    assert width(DOUBLINGS, one) < 0.1 * width(DOUBLINGS[:-2], one)
    assert width(DOUBLINGS, two) < 0.1 * width(DOUBLINGS, one)


def test_sequences_of_all_starts_lie_in_the_interval():
    rows = pd.concat(
        sequence(lambda n, b=b: 1 + b / n**2, seed=seed).assign(arm=arm)
        for seed, arm, b in ((0, "a", 9.0), (0, "b", -9.0), (1, "a", 1.0), (1, "b", 3.0))
    )
    found = asymptotic("y", "n", terms=((1, 0),), each=("arm",))(rows)
    single = [asymptotic("y", "n", terms=((1, 0),))(some) for _, some in rows.groupby("arm")]
    assert (found.low, found.high) == (min(s.low for s in single), max(s.high for s in single))
    assert "several values at one size" in asymptotic("y", "n", terms=((1, 0),))(rows).note


def test_a_sequence_may_be_computed_from_its_rows():
    rows = sequence(lambda n: (5 + 2 / n) / n).rename(columns={"n": "inverse"})
    rows["inverse"] = 1 / rows["inverse"]
    found = asymptotic(
        lambda rows: rows["y"] / rows["inverse"],
        lambda rows: 1 / rows["inverse"],
        terms=((1, 0),),
        columns=("y", "inverse"),
    )(rows)
    assert found.value == pytest.approx(5)


@pytest.mark.parametrize(
    "change, note",
    [
        (lambda rows: rows.iloc[:2], "needs 3 sizes"),
        (lambda rows: rows.iloc[:0], "no rows"),
        (lambda rows: rows.assign(y=np.nan), "y is not finite"),
        (lambda rows: rows.assign(n=-rows["n"]), "needs positive sizes"),
    ],
)
def test_what_is_no_sequence_has_no_limit(change, note):
    rows = change(sequence(lambda n: 1 + 1 / n))
    assert note in asymptotic("y", "n", terms=((1, 0),))(rows).note


def test_a_power_law_of_a_sequence_needs_positive_values():
    rows = sequence(lambda n: 1 / n - 0.01)
    assert (
        "positive sizes and values" in asymptotic("y", "n", terms=((1, 0),), law="power")(rows).note
    )


def test_the_paired_difference_cancels_what_both_share():
    rng = np.random.default_rng(3)
    shared = rng.standard_normal(6)
    rows = grid(shared[:, None] + [0.5, 0.2, 9.0] + 1e-3 * rng.standard_normal((6, 3)))
    found = paired_difference("y", by="width", pair=(64, 128))(rows)
    assert found.value == pytest.approx(0.3, abs=2e-3)
    assert found.high - found.low < 0.01
    back = paired_difference("y", by="width", pair=(128, 64))(rows)
    assert numbers_of(back) == pytest.approx(tuple(-number for number in numbers_of(found)[::-1]))
    assert "not every seed has both" in paired_difference("y", by="width", pair=(64, 32))(rows).note
    assert "missing" in paired_difference("y", by="width", pair=(64, 128))(rows.iloc[1:]).note


def cells(deviations: np.ndarray) -> pd.DataFrame:
    return grid(1 + deviations, tuple(range(deviations.shape[1])))


def test_the_rms_over_cells_is_the_jackknife_of_its_square():
    rng = np.random.default_rng(1)
    rows = cells(0.3 + 0.1 * rng.standard_normal((6, 4)))

    def square(rows):
        return float(((rows.groupby("width")["y"].mean() - 1) ** 2).mean())

    found = rms_deviation("y", cells=["width"], target=1.0)(rows)
    expected = jackknife(square)(rows)
    assert numbers_of(found) == pytest.approx(tuple(np.sqrt(numbers_of(expected))))


def test_the_rms_of_noise_alone_reaches_down_to_0_and_not_below():
    rng = np.random.default_rng(2)
    for _ in range(20):
        found = rms_deviation("y", cells=["width"], target=1.0)(
            cells(0.1 * rng.standard_normal((8, 6)))
        )
        assert found.low == 0 <= found.value <= found.high < 0.2


def test_the_largest_deviation_lies_between_ends_of_simultaneous_intervals():
    rng = np.random.default_rng(4)
    rows = cells(np.array([0.1, -0.5, 0.0]) + 0.01 * rng.standard_normal((8, 3)))
    found = largest_deviation("y", cells=["width"], target=1.0)(rows)
    assert found.low < 0.5 < found.high < 0.52
    by_column = largest_deviation("y", cells=["width"], target="theory")(rows.assign(theory=1.0))
    assert numbers_of(by_column) == numbers_of(found)
    one = rows[rows["width"] == 1]
    alone = largest_deviation("y", cells=["width"], target=1.0)(one)
    assert alone.high == pytest.approx(-(student_t(one["y"].to_numpy()).low - 1))
    assert alone.high - alone.low < found.high - found.low


def test_estimators_over_cells_need_the_same_cells_of_every_seed():
    rows = cells(np.ones((4, 3)))
    moved = rows.assign(width=rows["width"].where(rows.index != 0, 7))
    for build in (rms_deviation, largest_deviation):
        assert "missing for seeds 0" in build("y", cells=["width"])(rows.iloc[1:]).note
        assert "different cells" in build("y", cells=["width"])(moved).note


def test_a_floor_cuts_the_interval_and_refuses_what_lies_below():
    rows = pd.DataFrame({"seed": range(4), "y": [0.0, 0.0, 0.1, 1.0]})
    assert per_seed("y")(rows).low < 0
    found = per_seed("y", floor=0.0)(rows)
    assert (found.low, found.high) == (0.0, per_seed("y")(rows).high)
    assert "below the floor 0" in per_seed("y", floor=0.0)(rows.assign(y=rows["y"] - 0.1)).note
    whole = jackknife(lambda rows: rows["y"].mean(), floor=0.0)(rows)
    assert whole.low == 0
    below = jackknife(lambda rows: rows["y"].mean(), floor=9.0)(rows)
    assert "lies below 9" in below.note
    tiny = exact("y", resolution=1e-3, floor=0.0)(rows.assign(y=1e-4))
    assert (tiny.low, tiny.high) == pytest.approx((0.0, 1.1e-3))


@pytest.mark.parametrize(
    "estimator, interval",
    [
        (per_seed("y", where=ONE), "t over seeds"),
        (per_seed("y", where=ONE, center="geometric"), "t over logarithms of seeds"),
        (per_seed("y", where=ONE, center="median"), "order statistics of seeds"),
        (per_seed("one", where=ONE), "the same number for every seed"),
        (worst("y", where=ONE), "range of seeds"),
        (worst_ratio("y", "one"), "range of seeds"),
        (proportion(lambda rows: True), "Clopper-Pearson"),
        (ordering("y", by="width", increasing=True), "Clopper-Pearson"),
        (jackknife(lambda rows: rows["y"].mean()), "jackknife"),
        (exact("one", resolution=0.1), "exact (deterministic)"),
        (loglog_slope("y", "width"), "t over seeds"),
        (loglog_slope("y", "width", summary="rms"), "delta method, seeds nested in sizes"),
        (corrected_slope("y", "width", order=1), "t over seeds"),
        (last_doubling("y", "width", sizes=(256, 512)), "t over seeds"),
        (extrapolated("y", "width"), "t over seeds"),
        (paired_difference("y", by="width", pair=(64, 128)), "t over paired seeds"),
        (asymptotic("y", "width", terms=((1, 0),)), "its own truncation"),
        (rms_deviation("y", cells=["width"]), "jackknife of the mean square, its root"),
        (largest_deviation("y", cells=["width"]), "t over seeds, 5 at once (Bonferroni)"),
    ],
)
def test_every_estimate_says_what_kind_of_interval_it_has(estimator, interval):
    rows = noisy(8, widths=SIZES)
    rows["one"] = 1.0
    assert estimator(rows).interval == interval


def test_no_estimate_has_no_kind_of_interval():
    assert per_seed("y")(noisy().iloc[:0]).interval == ""
