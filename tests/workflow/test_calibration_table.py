"""The published calibration: every estimator of a claim is in it, and pages show their tables."""

import pytest

from widenets.evidence import asymptotic, exact, loglog_slope, ordering, per_seed, worst_ratio
from widenets.evidence.calibration import KINDS
from workflow.base.records import read_table
from workflow.base.tree import ROOT, replications
from workflow.judge import claims_of
from workflow.trust.calibration.page import page
from workflow.trust.calibration.run import BY_FALSE_NAMES, DETERMINISTIC, EXACT, kind_of
from workflow.trust.torture import run as torture

REFERENCE = ROOT / "results" / "reference"
TABLES = ("pairs", "rates", "own_noise", "whole_rule", "comparison")


def test_every_estimator_of_a_claim_is_calibrated():
    kinds = {kind_of(claim.estimator) for name in replications() for claim in claims_of(name)}
    assert kinds <= {*KINDS, *EXACT, *DETERMINISTIC, *BY_FALSE_NAMES}


@pytest.mark.parametrize(
    "estimator, kind",
    [
        (per_seed("value"), "per_seed mean"),
        (per_seed("value", center="geometric"), "per_seed geometric"),
        (loglog_slope("y", "x", reduce="max"), "loglog_slope max"),
        (loglog_slope("y", "x", summary="rms"), "loglog_slope nested rms"),
        (ordering("y", by="x", increasing=True), "proportion"),
        (worst_ratio("y", "x"), "worst"),
        (exact("y", resolution=0.1), "exact"),
        (asymptotic("y", "x", terms=((1, 0),)), "asymptotic"),
    ],
)
def test_the_kind_of_an_estimator_is_its_constructor_and_setting(estimator, kind):
    assert kind_of(estimator) == kind


def test_the_page_of_the_calibration_shows_its_tables():
    tables = {name: read_table(REFERENCE / "calibration" / f"{name}.csv") for name in TABLES}
    assert page(tables) == (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")


def test_the_page_of_the_faults_shows_its_table():
    found = read_table(REFERENCE / "faults.csv").fillna("")
    assert torture.page(found) == (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
