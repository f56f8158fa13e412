"""How verdicts over master seeds are counted."""

import pandas as pd
import pytest

from workflow.base.files import UserError
from workflow.trust.scratch import fresh_project
from workflow.trust.stability import counts, finals, publish, whole_runs


def checks(seed, *verdicts, digest="d"):
    claims = [f"C{i}" for i in range(len(verdicts))]
    about = {"replication": "paper", "expected": "pass", "git": "abc", "digest": digest}
    return pd.DataFrame({**about, "claim": claims, "final": verdicts, "seed": seed})


RUNS = [checks(1000, "pass", "pass", "not judged"), checks(2000, "pass", "fail", "not judged")]


def test_counts_per_claim_and_names_the_other_verdicts():
    table = counts(finals(RUNS))
    assert table["claim"].tolist() == ["C0", "C1"]
    assert table["runs"].tolist() == [2, 2]
    assert table["as_expected"].tolist() == [2, 1]
    assert table["others"].tolist() == ["", "1 fail"]


def test_a_run_is_as_expected_if_all_its_claims_are():
    table = pd.concat([finals(RUNS), finals([checks(1000, "pass").assign(replication="other")])])
    assert whole_runs(finals(RUNS)) == (2, 1)
    assert whole_runs(table.reset_index(drop=True)) == (1, 1)  # the other paper has one seed


def test_claims_keep_their_order():
    runs = [run.assign(claim=["Z", "A", "M"]) for run in RUNS]
    assert finals(runs)["claim"].tolist() == ["Z", "A"]


def test_a_commit_between_two_runs_makes_no_second_row_but_other_code_is_refused():
    assert len(finals([RUNS[0], RUNS[1].assign(git="def")])) == 2
    with pytest.raises(UserError, match="paper: its code has changed between the runs"):
        finals([RUNS[0], RUNS[1].assign(digest="other")])


def test_page_names_every_stray_claim_and_keeps_other_replications(tmp_path):
    first = finals(RUNS)
    publish(first.assign(replication="other"), "smoke", tmp_path)
    publish(first, "smoke", tmp_path)
    page = (tmp_path / "docs" / "stability.md").read_text()
    assert "75.00% of 8 (claim, seed) pairs" in page
    assert "| paper | C1 | 1 of 2 | 1 fail |" in page
    assert "| other | C1 | 1 of 2 | 1 fail |" in page
    assert "| paper | C0 |" not in page


def test_seeds_of_the_same_code_add_up_and_others_are_replaced(tmp_path):
    publish(finals(RUNS), "smoke", tmp_path)
    publish(finals([checks(10000, "pass", "pass", "not judged")]), "smoke", tmp_path)
    kept = tmp_path / "results" / "reference" / "stability" / "smoke" / "paper.csv"
    assert pd.read_csv(kept).columns[-3:].tolist() == ["1000", "2000", "10000"]
    publish(finals([checks(1000, "pass", "fail", digest="new")]), "smoke", tmp_path)
    assert pd.read_csv(kept).columns[-2:].tolist() == ["digest", "1000"]


def test_master_seeds_that_no_grid_was_chosen_by_have_a_table_of_their_own(tmp_path):
    fresh = checks(11000, "pass", "pass", "not judged")
    publish(finals([*RUNS, fresh]), "laptop", tmp_path)
    kept = tmp_path / "results" / "reference" / "stability"
    assert pd.read_csv(kept / "laptop" / "paper.csv").columns[-2:].tolist() == ["1000", "2000"]
    assert pd.read_csv(kept / "laptop_fresh" / "paper.csv").columns[-1] == "11000"
    page = (tmp_path / "docs" / "stability.md").read_text()
    assert page.index("## laptop\n") < page.index("## laptop, fresh master seeds\n")
    assert "75.00% of 4 (claim" in page
    assert "100.00% of 2 (claim" in page


def test_runs_are_those_of_snakemake_and_are_not_measured_twice(tmp_path):
    untouched = fresh_project(tmp_path / "fresh", ["alpha2000_toy"])
    words = ("--seeds", "2", "--folder", "runs", "--cores", "2")
    first = untouched.call("workflow.trust.stability", *words)
    assert first.code == 0, first.output
    assert "100.00% of 2 (claim, seed) pairs are as expected" in first.output
    record = "results/smoke/records/alpha2000_toy/main"
    kept = untouched.path(f"runs/2000/{record}.json")
    written = kept.stat().st_mtime_ns
    assert untouched.call("workflow.trust.stability", *words).code == 0
    assert kept.stat().st_mtime_ns == written
    run = untouched.call("snakemake", "--cores", "2", "--config", "tier=smoke", "seed=2000")
    assert run.code == 0, run.output
    once = untouched.path(f"{record}.csv").read_bytes()
    assert untouched.path(f"runs/2000/{record}.csv").read_bytes() == once
