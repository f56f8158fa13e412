"""The comparison: what it reports, how often it is wrong by chance, and the reference it uses."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from widenets.evidence.intervals import Interval as Estimated
from widenets.evidence.intervals import clopper_pearson, student_t
from workflow import compare, reference
from workflow.base import drift
from workflow.base.drift import Interval
from workflow.base.files import UserError
from workflow.base.records import read_table
from workflow.base.tree import ROOT, TIERS, replications

ALPHA = ("alpha2000_toy", "T1_scatter")


def row(value=1.0, half=0.1, n_seeds=8, control=5.0, **others):
    ends = {"region_low": 0.5, "region_high": 1.5, "note": None}
    of_seeds = tuple(value + half * np.linspace(-1, 1, n_seeds))
    ends |= {"of_seeds": of_seeds, "control_of_seeds": ()}
    made = {
        **ends,
        **{"estimate": value, "ci_low": value - half, "ci_high": value + half},
        **{"control_estimate": control, "control_ci_low": control, "control_ci_high": control},
        **{"n_seeds": n_seeds, "region": "1 ± 0.5", "state": "pass"},
    }
    return {**made, **others}


def kept(rows, seeds=(0, 1), code="c", cpu=10.0, memory=500.0, jax="0.10"):
    record = {"code": code, "cells": "d", "seeds": list(seeds), "versions": {"jax": jax}}
    record |= {"cpu_seconds": cpu, "max_rss_mb": memory}
    return compare.Kept("x", "smoke", "", "git", rows, {("a", "main"): record})


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


def test_libraries_of_another_version_are_remarked():
    _, remarks = compare.compare(kept({}, jax="0.11"), kept({}))
    assert remarks == ["another version of jax: 0.10 → 0.11"]
    assert compare.compare(kept({}), kept({}))[1] == []


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


# rounding -------------------------------------------------------------------------------------

NUMBERS = ("estimate", "ci_low", "ci_high")
ALL_NUMBERS = (*NUMBERS, *(f"control_{name}" for name in NUMBERS))


def reference_rows():
    return compare.read(ROOT / "results" / "reference" / "laptop")


def changed(old, change_of_row):
    """The same results with other rows; a row that is left alone is the same object."""
    return old._replace(checks={key: change_of_row(key, row) for key, row in old.checks.items()})


def moved_by(row, amount, names=ALL_NUMBERS):
    """A row whose numbers, also those of single seeds, have moved by amount(number)."""
    of_seeds = tuple(float(f"{number + amount(number):.6g}") for number in row["of_seeds"])
    moved = {name: row[name] + amount(row[name]) for name in names if row[name] is not None}
    return row | moved | {"of_seeds": of_seeds}


@pytest.mark.parametrize(
    "amount",
    [
        lambda number: 1e-12 * number,
        lambda number: -1e-12 * number,
        lambda number: 1e-12,  # of the scale of the quantity, one: a residue of -2.3e-16 has none
        lambda number: -1e-12,
    ],
    ids=["up", "down", "absolute up", "absolute down"],
)
def test_every_claim_of_the_reference_is_the_same_after_rounding(amount):
    old = reference_rows()
    new = changed(old, lambda _, row: moved_by(row, amount))
    changes, remarks = compare.compare(new, old)
    assert len(changes) == len(old.checks)
    assert {change.kind for change in changes} == {"same"}
    assert remarks == []


@pytest.mark.parametrize(
    "old, new",
    [
        ((0.009071, 0.009071 - 2e-14, 0.009071), (0.009071 + 8e-14, 0.009071, 0.009071 + 8e-14)),
        ((-2.3e-16, -2.4e-16, -2.2e-16), (-2.2e-16, -2.3e-16, -2.1e-16)),
        ((0.0, 0.0, 0.0), (1e-16, -1e-16, 3e-16)),
    ],
)
def test_an_interval_of_rounding_is_no_measure_of_rounding(old, new):
    pair = (Interval(*numbers, 8) for numbers in (old, new))
    assert drift.difference(*pair, 1e-5, same_draws=True) == ("same", "")


def test_a_claim_that_allows_rounding_says_how_much():
    assert drift.residue_of(None, 1e-7) == 1e-7
    assert drift.residue_of(1e-10, None) == 1e-10
    assert drift.residue_of(0.0, None) == drift.residue_of(None, 0.08) == 0.0
    assert drift.residue_of(-1e-12, 0.5) == 0.0
    old = Interval(9e-12, 1e-12, 9e-12, 4, "range", 1e-7)
    grown = old._replace(value=6e-11, high=6e-11)
    assert drift.difference(old, grown, 1e-5, same_draws=True) == ("same", "")
    assert not drift.same_but_for_rounding(old, old._replace(value=3e-7, low=2e-7, high=3e-7))


def with_one_moved(old, key, amount):
    return changed(old, lambda k, row: moved_by(row, amount, NUMBERS) if k == key else row)


def test_a_closed_form_that_moves_in_its_seventh_digit_has_moved():
    old = reference_rows()
    key = ("cao2019_spectral_bias", "C6_learned_degrees")
    assert old.checks[key]["n_seeds"] == 0
    assert old.checks[key]["ci_high"] - old.checks[key]["ci_low"] < 1e-8
    changes, _ = compare.compare(with_one_moved(old, key, lambda number: 1e-6 * number), old)
    found = [change[:3] for change in changes if change.kind != "same"]
    assert found == [("moved", *key)]


def test_a_half_width_with_the_same_draws_is_named():
    old = reference_rows()
    key = ("jacot2018_frozen_kernel", "J2_limit_relu")
    half = (old.checks[key]["ci_high"] - old.checks[key]["ci_low"]) / 2
    found = compare.lines(*compare.compare(with_one_moved(old, key, lambda _: half), old))
    assert len(found) == 2
    assert found[1].startswith("moved: jacot2018_frozen_kernel: J2_limit_relu: ")
    assert ", seed by seed (level" in found[1]


def chaotic_pairs(n_seeds, change, repetitions):
    """Runs of the same seeds on two processors: each seed changes by itself."""
    rng = np.random.default_rng(5)
    for _ in range(repetitions):
        seeds = rng.standard_normal(n_seeds)
        again = seeds + change * rng.standard_normal(n_seeds)
        yield [Interval(*student_t(v), n_seeds, of_seeds=tuple(v)) for v in (seeds, again)]


@pytest.mark.parametrize("n_seeds, change", [(2, 0.5), (4, 0.5), (8, 0.5), (8, 1.4), (80, 0.3)])
def test_seeds_that_change_by_themselves_are_within_noise(n_seeds, change):
    """2000 pairs at a level of 1 %, as above."""
    found = [
        drift.difference(*pair, 0.01, same_draws=True)[0]
        for pair in chaotic_pairs(n_seeds, change, 2000)
    ]
    assert found.count("moved") <= 33


def test_seeds_that_all_change_alike_have_moved():
    for old, _ in chaotic_pairs(8, 0.0, 100):
        half = old.high - old.value
        numbers = tuple(value + half / 5 for value in old.of_seeds)
        new = Interval(*student_t(np.array(numbers)), 8, of_seeds=numbers)
        assert drift.difference(old, new, 0.01 / 684, same_draws=True)[0] == "moved"
        assert drift.difference(old, new, 0.01 / 684, same_draws=False)[0] == "shifted"


def test_single_precision_rounds_what_is_trained_and_no_closed_form():
    pair = [Interval(v, v - 2e-8, v + 2e-8, 12) for v in (-1.0, -1.0 + 7e-9)]
    assert drift.difference(*pair, 1e-5, same_draws=True)[0] == "same"
    exact = [Interval(v, v - 1e-10, v + 1e-10, 0) for v in (-1.0, -1.0 + 7e-9)]
    assert drift.difference(*exact, 1e-5, same_draws=True)[0] == "moved"


def test_a_flipped_verdict_is_named():
    old = reference_rows()
    key = next(key for key, row in old.checks.items() if row["state"] == "pass")
    new = changed(old, lambda k, row: row | {"state": "fail"} if k == key else row)
    found = compare.lines(*compare.compare(new, old))
    assert found == [
        f"1 verdict changed, {len(old.checks) - 1} same",
        f"verdict changed: {': '.join(key)}: pass → fail",
    ]


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
    assert 'class="remarks"' not in page
    assert "Verdict changed (1)" in page
    assert "The same (1)" in page


def test_a_machine_that_costs_more_is_remarked_and_not_red(project):
    project.call("workflow.reference", "results/smoke")
    kept = project.path("results/reference/smoke/provenance.json")
    text = kept.read_text(encoding="utf-8")
    assert not any(line.strip(" ,").isdigit() for line in text.splitlines())  # no list by lines
    made = json.loads(text)
    for record in made["records"]:
        record["cpu_seconds"] -= 100.0
        record["versions"]["jax"] = "0.1"
    kept.write_text(json.dumps(made), encoding="utf-8")
    run = project.call("workflow.compare", "results/smoke", "--html", "both.html")
    assert run.code == 0, run.output
    assert "another version of jax: 0.1 → " in run.output
    assert "cost up: alpha2000_toy/main: " in run.output
    page = project.path("both.html").read_text(encoding="utf-8")
    assert '<section class="remarks"' in page
    assert 'class="problems"' not in page


def test_a_tier_without_a_reference_is_named(project):
    run = project.call("workflow.compare", "results/smoke")
    assert run.code == 2
    assert "error: results/reference/smoke: the smoke tier has no reference; name a second" in (
        run.output
    )


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


def papers_with_estimates():
    pages = {name: ROOT / "replications" / name / "README.md" for name in replications()}
    return [n for n, p in pages.items() if reference.ESTIMATE.search(p.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("paper", papers_with_estimates())
def test_the_estimates_in_the_readme_of_a_paper_are_those_of_the_reference(paper):
    checks = reference.folder_of(reference.ESTIMATES_OF, ROOT) / "checks.csv"
    if not checks.exists():
        pytest.skip("no reference has been committed yet")
    page = (ROOT / "replications" / paper / "README.md").read_text(encoding="utf-8")
    assert reference.with_estimates(page, paper, read_table(checks)) == page


def test_estimates_are_written_as_sharply_as_they_are_known():
    checks = pd.DataFrame(
        [
            ("toy", "A_wide", 0.99246, 0.97609, 1.00911),
            ("toy", "B_exact", -0.5, -0.5, -0.5),
            ("toy", "C_tiny", 4.06512e-12, 8.66e-15, 4.06512e-12),
            ("toy", "D_huge", 1.5e8, 1.4e8, 1.6e8),
            ("other", "A_wide", 7.0, 6.0, 8.0),
        ],
        columns=["replication", "claim", "estimate", "ci_low", "ci_high"],
    )
    page = (
        "| A_wide | 1 | 0 to 2 | x |\n| B_exact (fail) | 1 | .1 to 2 |\n| C_tiny | 1 | 1 to 1 |\n"
        "| D_huge | 1e+08 | 1e+08 to 2e+08 |\n"
    )
    assert reference.with_estimates(page, "toy", checks) == (
        "| A_wide | .992 | .976 to 1.009 | x |\n"
        "| B_exact (fail) | -.5 | -.5 to -.5 |\n"
        "| C_tiny | 4.1e-12 | 0 to 4.1e-12 |\n"
        "| D_huge | 1.5e+08 | 1.4e+08 to 1.6e+08 |\n"
    )
    with pytest.raises(UserError, match="Z_gone: no claim of this paper"):
        reference.with_estimates("| Z_gone | 1 | 0 to 2 |\n", "toy", checks)


@pytest.mark.parametrize("tier", TIERS)
def test_every_claim_that_a_reference_judges_has_its_numbers(tier):
    """A grid whose sizes have different seeds, or one that lacks a size, gives none."""
    if not reference.is_kept(tier, ROOT, whole=False):
        pytest.skip("no reference has been committed yet")
    checks = read_table(reference.folder_of(tier, ROOT) / "checks.csv")
    judged = checks[checks["final"] != "not judged"]
    lacking = judged[judged[["estimate", "control_estimate"]].isna().any(axis="columns")]
    assert lacking["claim"].tolist() == []


def test_a_readme_without_markers_is_refused():
    with pytest.raises(UserError, match="markers"):
        reference.with_table("# Title", "table")
    page = "a\n<!-- verdicts: begin (by x) -->\nold\n<!-- verdicts: end -->\nb"
    changed = reference.with_table(page, "new\n")
    assert changed == page.replace("old", "new")
    assert reference.with_table(changed, "new\n") == changed
