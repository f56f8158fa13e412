"""What a verdict rules out: rivals obey the rule, the published table is right."""

import math

import pandas as pd
import pytest

from widenets.evidence import Claim, Rival, at_most, near, per_seed
from workflow.base.files import UserError
from workflow.base.records import read_table, write_table
from workflow.base.tree import ROOT, Results, replications
from workflow.judge import claims_of
from workflow.trust import sharpness

GOOD = {
    "name": "X1_level",
    "statement": "the level is 2",
    "source": "Theorem 1",
    "part": "drift",
    "estimator": per_seed("level"),
    "region": near(2.0, 0.1),
    "why": "the limit is 2",
    "control": "other",
    "kind": "level",
    "rival": Rival(2.5, "who forgets the factor 5/4"),
}
ROW = {
    **{"replication": "paper", "claim": "X1_level", "region": "2 ± 0.1", "final": "pass"},
    **{"expected": "pass", "estimate": 2.01, "ci_low": 1.98, "ci_high": 2.04, "n_seeds": 8},
}


@pytest.mark.parametrize("replication", replications())
def test_the_rival_of_every_claim_lies_outside_and_at_least_twice_as_far_as_the_edge(replication):
    """Checked when a claim is made; here from the outside, by the numbers alone."""
    for claim in claims_of(replication):
        if claim.rival is None:
            continue
        low, high, rival = claim.region.low, claim.region.high, claim.rival.value
        assert rival < low or rival > high, claim.name
        if claim.region.two_sided and claim.predicted is not None:
            half = (high - low) / 2
            assert half <= abs(rival - claim.predicted) / 2 * (1 + 1e-6), claim.name


def one(claim=None, **changes) -> dict:
    return sharpness.one({**ROW, **changes}, claim or Claim(**GOOD), "smoke")


def test_a_level_resolves_in_percent_of_its_prediction():
    found = one()
    assert (found["resolves_below"], found["resolves_above"]) == pytest.approx((0.06, 0.08))
    assert (found["unit"], found["agrees"], found["rival"]) == (2.0, "yes", 2.5)
    rows = pd.DataFrame([found])
    for shift, both, either in ((0.05, True, True), (0.035, False, True), (0.025, False, False)):
        assert [bool(which.iloc[0]) for which in sharpness.noticed(rows, shift)] == [both, either]


def test_a_level_of_0_resolves_in_percent_of_its_scale():
    zero = {**GOOD, "region": near(0.0, 0.1), "scale": 4.0, "rival": Rival(1.0, "who")}
    found = one(Claim(**zero), estimate=0.0, ci_low=-0.02, ci_high=0.02)
    assert found["unit"] == 4.0
    assert bool(sharpness.noticed(pd.DataFrame([found]), 0.03)[0].iloc[0])


def test_what_does_not_pass_resolves_nothing():
    for changes in ({"final": "inconclusive"}, {"final": "fail", "expected": "fail"}):
        assert math.isnan(one(**changes)["resolves_below"])


def test_the_summary_counts_kinds_and_agreement_apart():
    bound = {**GOOD, "name": "X2", "region": at_most(3.0), "kind": "", "rival": None}
    plain = {**GOOD, "name": "X3", "kind": "", "rival": None}
    rows = pd.DataFrame(
        [
            one(),
            one(estimate=2.06, ci_low=2.05, ci_high=2.07),
            one(Claim(**bound)),
            one(Claim(**plain)),
            one(final="fail"),
        ]
    )
    text = sharpness.summary(rows)
    for line in (
        "| levels: notice 5% in both directions | 2 | 1 | 50 % |",
        "| levels: notice 3% in one direction at least | 2 | 1 | 50 % |",
        "| two-sided passes: the interval contains the prediction | 3 | 2 | 67 % |",
        "| of kind unclassified: the interval contains the prediction | 1 | 1 | 100% |",
        "| two-sided passes: name a rival | 3 | 2 | 67 % |",
        "| level | 3 | 2 | 2 |",
        "| bound | 1 | 1 | 0 |",
        "| unclassified | 1 | 1 | 1 |",
    ):
        assert line in text


def checks(folder, **changes) -> Results:
    """A folder with the checks of one claim of today."""
    name = replications()[0]
    claim = claims_of(name)[0]
    ends = {"region_low": claim.region.low, "region_high": claim.region.high}
    row = {**ROW, "replication": name, "claim": claim.name, **ends, **changes}
    write_table(folder / "smoke" / "checks.csv", pd.DataFrame([row]))
    return Results(folder / "smoke")


def test_only_checks_of_the_claims_of_today_are_read(tmp_path):
    assert len(sharpness.sharpness(checks(tmp_path))) == 1
    assert len(sharpness.sharpness(checks(tmp_path, final="not judged"))) == 0
    for changes in ({"claim": "X0_gone"}, {"region_high": 12345.0}):
        with pytest.raises(UserError, match="not a claim of today") as raised:
            sharpness.sharpness(checks(tmp_path, **changes))
        assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match=r"checks.csv: missing"):
        sharpness.sharpness(Results(tmp_path / "laptop"))


def test_the_page_shows_the_published_table():
    rows = read_table(ROOT / "results" / "reference" / "sharpness.csv")
    found = (ROOT / "docs" / "sharpness.md").read_text(encoding="utf-8")
    assert sharpness.page(rows) == found


@pytest.mark.parametrize("tier", ["smoke", "laptop"])
def test_a_pass_within_the_margin_names_its_correction_and_the_order_of_it(tier):
    """Chance alone puts one interval of a hundred beside its prediction, and one of ten thousand
    so far that it would not hold it if it were half as long again."""
    checks = read_table(ROOT / "results" / "reference" / tier / "checks.csv")
    passes = checks[(checks["final"] == checks["expected"]) & (checks["expected"] == "pass")]
    unnamed = []
    for row in passes[passes["agrees"] == "no"].itertuples():
        claim = {claim.name: claim for claim in claims_of(row.replication)}.get(row.claim)
        if claim is None or not claim.region.two_sided:
            continue
        half = 1.5 * (row.ci_high - row.ci_low) / 2
        if abs(claim.predicted - row.estimate) > half and not sharpness.correction(claim.why):
            unnamed.append(f"{row.replication}.{row.claim}")
    assert unnamed == []


def test_a_correction_is_named_with_its_order():
    assert sharpness.correction("exact. Correction: 1/n, 2 % at 64") == "1/n, 2 % at 64"
    for why in ("exact", "a correction of order 1/n", "exact. Correction: it is small"):
        assert sharpness.correction(why) == ""
