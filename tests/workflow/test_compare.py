"""The comparison: what it reports, how often it is wrong by chance, and the reference it uses."""

import json

import numpy as np
import pytest
from scipy import stats

from widenets.evidence.intervals import Interval as Estimated
from widenets.evidence.intervals import clopper_pearson, student_t
from workflow import compare, drift, reference
from workflow.base.files import UserError
from workflow.base.tree import ROOT
from workflow.drift import Interval

ALPHA = ("alpha2000_toy", "T1_scatter")


def row(value=1.0, half=0.1, n_seeds=8, control=5.0, **others):
    made = {
        **{"estimate": value, "ci_low": value - half, "ci_high": value + half},
        **{"control_estimate": control, "control_ci_low": control, "control_ci_high": control},
        **{"n_seeds": n_seeds, "region": "1 ± 0.5", "state": "pass"},
    }
    return {**made, **others}


def kept(rows, seeds=(0, 1), code="c", cpu=10.0, memory=500.0):
    record = {"code": code, "cells": "d", "seeds": list(seeds)}
    record |= {"cpu_seconds": cpu, "max_rss_mb": memory}
    return compare.Kept("x", "smoke", "git", rows, {("a", "main"): record})


def one(old, new, **settings):
    changes, _ = compare.compare(kept({("a", "K"): new}, **settings), kept({("a", "K"): old}))
    return changes[0]


OTHER = {"seeds": (7, 8)}  # other draws


@pytest.mark.parametrize(
    "old, new, settings, kind",
    [
        (row(), row(), {}, "same"),
        (row(), row(1.005), {}, "shifted"),
        (row(), row(1.02), {}, "moved"),
        (row(), row(1.02), {"code": "other"}, "shifted"),
        (row(), row(1.1), OTHER, "shifted"),
        (row(), row(1.5), OTHER, "moved"),
        (row(), row(1.5, half=1.0), OTHER, "shifted"),
        (row(), row(control=6.0), OTHER, "moved"),
        (row(n_seeds=0), row(1.19, n_seeds=0), OTHER, "shifted"),
        (row(n_seeds=0), row(1.21, n_seeds=0), OTHER, "moved"),
        (row(), row(state="fail"), {}, "verdict changed"),
        (row(), row(1.5, state="fail"), OTHER, "verdict changed"),
    ],
)
def test_kinds_of_change(old, new, settings, kind):
    assert one(old, new, **settings).kind == kind


def test_an_estimate_that_vanished_has_moved():
    gone = row() | {"estimate": None, "ci_low": None, "ci_high": None}
    assert one(row(), gone, **OTHER).kind == "moved"
    assert one(gone, gone, **OTHER).kind == "same"


def test_claims_added_and_removed_but_not_those_of_papers_that_did_not_run():
    new = kept({("a", "new"): row()})
    old = kept({("a", "old"): row(), ("b", "other"): row()})
    changes, _ = compare.compare(new, old)
    assert [(c.kind, c.claim) for c in changes] == [("removed", "old"), ("added", "new")]


def test_a_changed_region_is_named():
    assert "was 1 ± 0.5, is 1 ± 2" in one(row(), row(1.001, region="1 ± 2")).text


@pytest.mark.parametrize(
    "cpu, memory, lines",
    [
        (19.9, 500.0, 0),  # not twice as much
        (20.1, 500.0, 1),
        (30.0, 760.0, 2),
        (10.0, 690.0, 0),
    ],
)
def test_costs(cpu, memory, lines):
    assert len(compare.dearer(kept({}, cpu=cpu, memory=memory), kept({}))) == lines


def test_small_jobs_may_double():
    assert compare.dearer(kept({}, cpu=4.0), kept({}, cpu=1.0)) == []


def alarms(draw, n_seeds, level, repetitions=2000):
    """Share of pairs of runs of unchanged code, with other seeds, that would count as moved."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(repetitions):
        pair = [Interval(*draw(rng, n_seeds), n_seeds) for _ in range(2)]
        found += drift.difference(*pair, level, same_draws=False)[0] == "moved"
    return found / repetitions


def normal(rng, n):
    return student_t(rng.standard_normal(n))


def geometric(rng, n):
    return Estimated(*np.exp(student_t(0.5 * rng.standard_normal(n))))


@pytest.mark.parametrize(
    "draw, n_seeds, most", [(normal, 8, 0.0165), (normal, 4, 0.0165), (geometric, 8, 0.0165)]
)
def test_false_alarms_by_chance_are_as_rare_as_stated(draw, n_seeds, most):
    """At a level of 1 %; 2000 pairs of a true 1 % exceed 1.65 % in two of a thousand tries."""
    assert alarms(draw, n_seeds, 0.01) <= most


@pytest.mark.parametrize("n_seeds", [3, 4, 8, 16])
def test_false_alarms_of_shares_are_rare_with_few_seeds_too(n_seeds):
    """Exact. (Welch's test of the two intervals gave 22 % with three seeds.)"""
    found = [Interval(*clopper_pearson(k, n_seeds), n_seeds, "share") for k in range(n_seeds + 1)]
    for share in (0.2, 0.5, 0.8):
        chances = stats.binom.pmf(range(n_seeds + 1), n_seeds, share)
        wrong = sum(
            chances[i] * chances[j]
            for i, old in enumerate(found)
            for j, new in enumerate(found)
            if drift.difference(old, new, 0.01, same_draws=False)[0] == "moved"
        )
        assert wrong <= 0.01


@pytest.mark.parametrize("n_seeds", [2, 3, 8])
def test_false_alarms_of_extremes_are_rare_with_few_seeds_too(n_seeds):
    """2000 pairs. (Welch's test gave 33 % with two seeds.)"""
    draws = np.random.default_rng(3).standard_normal((2000, 2, n_seeds))
    wrong = 0
    for pair in draws:
        both = [Interval(v.max(), v.min(), v.max(), n_seeds, "range") for v in pair]
        wrong += drift.difference(*both, 0.01, same_draws=False)[0] == "moved"
    assert wrong <= 33


def test_an_extreme_that_grew_by_orders_of_magnitude_has_moved():
    old, new = Interval(3e-13, 1e-13, 3e-13, 4, "range"), Interval(1.1, 1.08, 1.1, 4, "range")
    assert drift.difference(old, new, 0.01 / 600, same_draws=False)[0] == "moved"


@pytest.mark.parametrize(
    "note, kind",
    [
        ("3 of 4 seeds", "share"),
        ("largest of 4 seeds, interval = their range; 99 % sure of at least 32 %", "range"),
        ("slope of the rms over seeds", "mean"),
        ("", "mean"),
    ],
)
def test_the_kind_of_an_interval_is_read_from_its_note(note, kind):
    assert drift.kind_of(note) == kind


def test_the_suite_raises_a_false_alarm_in_at_most_one_comparison_of_a_hundred():
    """Bonferroni: 100 suites of 20 claims with two arms each."""
    rng = np.random.default_rng(1)
    names = [("a", f"K{number}") for number in range(20)]

    def suite(seeds):
        rows = {}
        for name in names:
            value, low, high = normal(rng, 8)
            control = dict(zip(("estimate", "ci_low", "ci_high"), normal(rng, 8), strict=True))
            control = {f"control_{key}": number for key, number in control.items()}
            rows[name] = row(value) | {"ci_low": low, "ci_high": high} | control
        return kept(rows, seeds)

    pairs = [compare.compare(suite((0,)), suite((1,)))[0] for _ in range(100)]
    wrong = sum(any(change.kind == "moved" for change in changes) for changes in pairs)
    assert wrong <= 5  # a true 1 % exceeds it in one of two thousand tries


def test_a_shift_of_three_half_widths_is_found_among_two_hundred_claims():
    old, new = Interval(0.0, -1.0, 1.0, 8), Interval(3.0, 2.0, 4.0, 8)
    assert drift.difference(old, new, 0.01 / 400, same_draws=False)[0] == "moved"


# on real results ------------------------------------------------------------------------------


def test_a_broken_kernel_is_named_and_nothing_else(project):
    shown = project.call("workflow.reference", "results/smoke")
    assert shown.code == 2  # no README.md with markers here
    assert "README.md" in shown.output
    assert project.call("workflow.compare", "results/smoke").code == 0
    project.edit("shared/widenets/ntk/toy.py", "return generator", "return count**0.2 * generator")
    assert project.snakemake().code == 1
    run = project.call("workflow.compare", "results/smoke", "--html", "both.html")
    assert run.code == 1
    assert "verdict changed: alpha2000_toy: T1_scatter: pass → fail" in run.output
    assert "beta2001_toy" not in run.output
    page = project.path("both.html").read_text(encoding="utf-8")
    assert "Verdict changed (1)" in page
    assert "The same (1)" in page


def test_the_reference_is_small_and_says_nothing_of_the_machine(green):
    made = json.loads(green.path("results/smoke/provenance.json").read_text(encoding="utf-8"))
    host = made["records"][0]["host"]
    redacted = reference.redacted(made | {"data": {"/elsewhere/digits.csv": "abc"}})
    assert all("host" not in record for record in redacted["records"])
    assert redacted["data"] == {"digits.csv": "abc"}
    assert "/elsewhere" not in json.dumps(redacted)
    assert host


def test_no_reference_is_made_of_results_that_are_not_todays(project):
    project.edit("replications/alpha2000_toy/grid.yaml", "seed: 6", "seed: 7")
    run = project.call("workflow.reference", "results/smoke")
    assert run.code == 2
    assert "no reference: alpha2000_toy: record main is stale" in run.output
    assert not project.path("results/reference").exists()


def test_the_table_in_the_readme_is_that_of_the_reference():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    if not (ROOT / "results" / "reference").exists():
        pytest.skip("no reference has been committed yet")
    assert reference.with_table(page, reference.verdict_table()) == page


def test_a_readme_without_markers_is_refused():
    with pytest.raises(UserError, match="markers"):
        reference.with_table("# Title", "table")
    page = "a\n<!-- verdicts: begin (by x) -->\nold\n<!-- verdicts: end -->\nb"
    changed = reference.with_table(page, "new\n")
    assert changed == page.replace("old", "new")
    assert reference.with_table(changed, "new\n") == changed
