"""The rule of judgement, with emphasis on what must never come out as "pass"."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.exceptions import RankWarning

from widenets.evidence import (
    Claim,
    Estimate,
    Judgement,
    Rival,
    Verdict,
    at_least,
    at_most,
    between,
    compare,
    judge,
    loglog_slope,
    near,
    per_seed,
)

CONTRACT = """
    replication claim statement source region region_low region_high estimate ci_low ci_high
    n_seeds verdict control_arm control_estimate control_ci_low control_ci_high control_verdict
    final expected reason kind rival resolves_below resolves_above agrees
""".split()  # noqa: SIM905

INSIDE = (-0.51, -0.50, -0.49, -0.505, -0.495)
OUTSIDE = (0.01, 0.0, -0.01, 0.005, -0.005)
WIDE = (-0.6, -0.4, -0.55, -0.45, -0.5)


def claim(**changes) -> Claim:
    given = {
        "name": "X1_slope",
        "statement": "the exponent is -1/2",
        "source": "Theorem 1",
        "part": "drift",
        "estimator": per_seed("slope"),
        "region": near(-0.5, 0.05),
        "why": "central limit theorem",
        "control": "control",
    }
    return Claim(**{**given, **changes})


def table(theory=INSIDE, control=OUTSIDE) -> pd.DataFrame:
    rows = [
        {"part": "drift", "arm": arm, "seed": seed, "slope": value, "other_part": np.nan}
        for arm, values in (("theory", theory), ("control", control))
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["part", "arm", "seed", "slope", "other_part"])


def test_the_columns_are_those_of_the_contract():
    assert [field.name for field in fields(Judgement)][: len(CONTRACT)] == CONTRACT


def test_inside_with_a_failing_control_passes():
    found = judge(claim(), table(), "smoke", replication="paper")
    assert (found.replication, found.verdict, found.control_verdict) == ("paper", "pass", "fail")
    assert (found.final, found.reason, found.n_seeds) == ("pass", "", 5)
    assert found.region_low <= found.ci_low <= found.estimate <= found.ci_high <= found.region_high


def test_what_is_asked_has_two_answers_and_a_pass_needs_its_control():
    asked = claim(expected="asked")
    assert judge(asked, table(), "smoke").final == "pass"
    assert judge(asked, table(OUTSIDE, INSIDE), "smoke").final == "fail"
    assert judge(asked, table(OUTSIDE), "smoke").final == "fail"
    assert judge(asked, table(INSIDE, INSIDE), "smoke").final == "inconclusive"
    assert judge(asked, table(WIDE), "smoke").final == "inconclusive"
    assert judge(asked, table(), "smoke").expected == "asked"


def test_disjoint_fails_whatever_the_control_does():
    assert judge(claim(), table(theory=OUTSIDE), "smoke").final == "fail"
    assert judge(claim(), table(theory=OUTSIDE, control=INSIDE), "smoke").final == "fail"


def test_an_interval_across_the_edge_is_inconclusive():
    found = judge(claim(), table(theory=WIDE), "smoke")
    assert (found.final, found.reason) == (
        "inconclusive",
        "the interval crosses the edge of the accepted region",
    )


@pytest.mark.parametrize("control", [INSIDE, WIDE, (0.0, np.nan), (0.0,), ()])
def test_a_pass_does_not_count_unless_the_control_fails(control):
    found = judge(claim(), table(control=control), "smoke")
    assert found.verdict == "pass"
    assert found.final == "inconclusive"
    assert "could not have come out as fail" in found.reason


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_never_passes(bad):
    found = judge(claim(), table(theory=(*INSIDE, bad)), "smoke")
    assert found.final == "inconclusive"
    assert found.reason == "slope is not finite for seeds 5"


@pytest.mark.parametrize("ends", [(2, 1, np.inf), (np.inf, 1, np.inf), (2, np.nan, 3)])
def test_an_estimate_that_is_not_finite_is_inconclusive(ends):
    """Also where the infinite end would lie inside a one-sided region."""
    verdict, reason = compare(Estimate(*ends, 5), at_least(0))
    assert verdict == "inconclusive"
    assert reason == "the estimate or its interval is not finite"


def test_a_value_missing_in_every_row_never_passes_and_never_raises():
    found = judge(claim(), table((np.nan,) * 3, (np.nan,) * 3), "smoke")
    assert (found.final, found.reason) == ("inconclusive", "column 'slope' holds no value")


def test_one_seed_never_passes():
    found = judge(claim(), table(theory=INSIDE[:1]), "smoke")
    assert (found.final, found.reason) == ("inconclusive", "a single seed has no interval")
    own_estimator = claim(estimator=lambda rows: Estimate(-0.5, -0.5, -0.5, 1))
    assert judge(own_estimator, table(), "smoke").final == "inconclusive"


def test_a_missing_arm_is_inconclusive_with_its_reason():
    found = judge(claim(arm="residual"), table(), "smoke")
    assert found.final == "inconclusive"
    assert found.reason == "no rows for arm 'residual' of part 'drift'"
    assert judge(claim(part="other"), table(), "smoke").final == "inconclusive"


def test_a_missing_cell_never_passes():
    rows = pd.DataFrame(
        [
            {"part": "drift", "arm": arm, "seed": seed, "width": width, "y": width**power}
            for arm, power in (("theory", -0.5), ("control", 0.0))
            for seed in range(4)
            for width in (64, 128, 256)
        ]
    )
    slope = claim(estimator=loglog_slope("y", "width"))
    assert judge(slope, rows, "smoke").final == "pass"
    cut = rows[~((rows["arm"] == "theory") & (rows["seed"] == 2) & (rows["width"] == 128))]
    found = judge(slope, cut, "smoke")
    assert (found.final, found.reason) == ("inconclusive", "cells missing for seeds 2")


def test_a_refuted_statement_needs_an_arm_on_which_the_check_passes():
    refuted = claim(expected="fail", reason="known to be wrong")
    found = judge(refuted, table(OUTSIDE, INSIDE), "smoke")
    assert (found.final, found.expected, found.reason) == ("fail", "fail", "known to be wrong")
    for control in (OUTSIDE, WIDE, ()):
        found = judge(refuted, table(OUTSIDE, control), "smoke")
        assert found.final == "inconclusive"
        assert "could not have come out as pass" in found.reason
    assert judge(refuted, table(INSIDE, INSIDE), "smoke").final == "pass"  # and so not expected


def test_below_its_tier_a_claim_is_not_judged_but_keeps_its_estimate():
    found = judge(claim(tier="laptop"), table(), "smoke")
    assert (found.final, found.verdict, found.control_verdict) == ("not judged",) * 3
    assert found.estimate == pytest.approx(-0.5)
    assert found.reason == "needs the laptop tier"
    for tier in ("laptop", "paper"):
        assert judge(claim(tier="laptop"), table(), tier).final == "pass"
    absent = judge(claim(tier="laptop", part="elsewhere"), table(), "smoke")
    assert absent.final == "not judged"
    assert np.isnan(absent.estimate)


def test_an_unknown_tier_is_refused():
    with pytest.raises(ValueError, match="'tiny'"):
        judge(claim(), table(), "tiny")


def test_programming_errors_are_not_swallowed():
    with pytest.raises(KeyError, match=r"X1_slope.*'theory'.*'sloppe'"):
        judge(claim(estimator=per_seed("sloppe")), table(), "smoke")
    with pytest.raises(TypeError, match="no Estimate"):
        judge(claim(estimator=lambda rows: 0.5), table(), "smoke")
    with pytest.raises(ValueError, match="outside its interval"):
        judge(claim(estimator=lambda rows: Estimate(2, 0, 1, 5)), table(), "smoke")


def test_a_fit_through_too_few_points_is_no_estimate():
    """numpy gives it a number and warns; in a claim it stops the run, wherever that is judged."""

    def slope(rows):
        return float(np.polyfit(np.log(rows["width"]), np.log(rows["value"]), 1)[0])

    rows = pd.DataFrame({"arm": "theory", "part": "drift", "seed": [0, 1], "width": 64, "value": 2})
    with pytest.raises(RankWarning) as raised:
        judge(claim(estimator=per_seed(slope)), rows, "laptop", replication="paper")
    assert "X1_slope" in raised.value.__notes__[0]


def test_columns_of_other_parts_do_not_disturb():
    found = judge(claim(estimator=per_seed(lambda rows: rows["slope"].mean())), table(), "smoke")
    assert found.final == "pass"


finite = st.floats(-10, 10)


@given(st.tuples(finite, finite, finite), st.tuples(finite, finite), st.integers(0, 20))
def test_verdicts_agree_with_interval_arithmetic(ends, region, n_seeds):
    low, value, high = sorted(ends)
    bottom, top = min(region), max(region) + 1e-3
    verdict, reason = compare(Estimate(value, low, high, n_seeds), between(bottom, top))
    inside = bottom <= low and high <= top
    disjoint = high < bottom or low > top
    if n_seeds == 1 or not (inside or disjoint):
        assert verdict == Verdict.INCONCLUSIVE
        assert reason
    else:
        assert verdict == (Verdict.PASS if inside else Verdict.FAIL)


values = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=6)


# Seeds as far apart as floats can be have a spread that is not finite, and so no verdict.
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@given(values, values)
@example(theory=[], control=[1.7976931348623157e308, -9.9792015476736e291])
@settings(max_examples=50, deadline=None)
def test_a_final_pass_always_stands_on_a_failed_control(theory, control):
    found = judge(claim(region=at_most(0.0)), table(theory, control), "smoke")
    if found.final == "pass":
        assert found.control_verdict == "fail"
        assert np.isfinite(theory).all()
        assert len(theory) > 1
        assert found.ci_high <= 0.0 < found.control_ci_low


def test_resolving_power_is_the_shift_at_which_the_same_numbers_cross_the_edge():
    found = judge(claim(), table(), "smoke")
    assert found.resolves_below == pytest.approx(found.region_high - found.ci_high)
    assert found.resolves_above == pytest.approx(found.ci_low - found.region_low)
    for shift, resolved in ((-1, found.resolves_below), (1, found.resolves_above)):
        for factor, verdict in ((0.999, "pass"), (1.001, "inconclusive")):
            moved = claim(region=near(-0.5 + factor * shift * resolved, 0.05))
            assert judge(moved, table(), "smoke").verdict == verdict


def test_a_bound_resolves_in_the_one_direction_that_it_closes():
    found = judge(claim(region=at_most(-0.4)), table(), "smoke")
    assert found.resolves_below == pytest.approx(-0.4 - found.ci_high)
    assert np.isnan(found.resolves_above)
    found = judge(claim(region=at_least(-0.6)), table(control=(-0.9, -0.91, -0.92)), "smoke")
    assert found.resolves_above == pytest.approx(found.ci_low + 0.6)
    assert np.isnan(found.resolves_below)
    assert (found.kind, found.agrees) == ("bound", "")


@pytest.mark.parametrize(
    "changes, rows",
    [
        ({}, {"theory": WIDE}),
        ({}, {"theory": OUTSIDE}),
        ({}, {"control": INSIDE}),
        ({"tier": "laptop"}, {}),
        ({"expected": "fail", "reason": "r"}, {"theory": OUTSIDE, "control": INSIDE}),
        ({"expected": "fail", "reason": "r"}, {"theory": INSIDE}),
    ],
)
def test_nothing_but_an_expected_pass_resolves(changes, rows):
    found = judge(claim(**changes), table(**rows), "smoke")
    assert np.isnan([found.resolves_below, found.resolves_above]).all()


def test_agreement_is_told_from_a_pass_within_the_margin():
    assert judge(claim(), table(), "smoke").agrees == "yes"
    away = judge(claim(), table(theory=np.subtract(INSIDE, 0.02)), "smoke")
    assert (away.final, away.agrees, away.prediction) == ("pass", "no", -0.5)
    assert judge(claim(), table(theory=()), "smoke").agrees == ""
    assert judge(claim(region=between(-0.6, -0.4)), table(), "smoke").agrees == ""
    refuted = claim(expected="fail", reason="r")
    assert judge(refuted, table(OUTSIDE, INSIDE), "smoke").agrees == "no"


def test_an_identity_agrees_up_to_the_rounding_that_its_region_allows():
    exactly = claim(region=near(-0.5, 1e-9), kind="identity")
    rounded = np.full(5, -0.5) + 1e-15
    assert judge(exactly, table(theory=rounded), "smoke").agrees == "yes"
    assert judge(exactly, table(theory=rounded + 1e-6), "smoke").agrees == "no"


def test_the_rival_is_told_with_its_holder():
    found = judge(claim(rival=Rival(-1 / 3, "other depth")), table(), "smoke")
    assert (found.rival, found.rival_who) == (-1 / 3, "other depth")
    assert np.isnan(judge(claim(), table(), "smoke").rival)
