"""How verdicts over master seeds are counted."""

import re
from math import log

import pandas as pd
import pytest

from workflow.base.files import UserError
from workflow.base.records import read_table, write_table
from workflow.base.tree import ROOT
from workflow.trust import draws
from workflow.trust.draws import FOUND, by_seed, typical
from workflow.trust.scratch import fresh_project
from workflow.trust.stability import LOOKED_AT, counts, publish, whole_runs


@pytest.fixture
def root(tmp_path):
    """A repository without references, whose README has the markers."""
    marked = "# T\n<!-- stability: begin (made) -->\n<!-- stability: end -->\n"
    (tmp_path / "README.md").write_text(marked, encoding="utf-8")
    return tmp_path


def checks(seed, *verdicts, digest="d", estimate=1.0, half=0.2):
    claims = [f"C{i}" for i in range(len(verdicts))]
    about = {"replication": "paper", "expected": "pass", "git": "abc", "digest": digest}
    found = {"estimate": estimate, "control_estimate": 3.0 * estimate}
    found |= {"half_width": half, "control_half_width": 3.0 * half}
    return pd.DataFrame({**about, **found, "claim": claims, "final": verdicts, "seed": seed})


def tables(runs):
    return {column: by_seed(runs, column) for column in ("final", *FOUND)}


RUNS = [checks(1000, "pass", "pass", "not judged"), checks(2000, "pass", "fail", "not judged")]


def test_counts_per_claim_and_names_the_other_verdicts():
    table = counts(by_seed(RUNS))
    assert table["claim"].tolist() == ["C0", "C1"]
    assert table["runs"].tolist() == [2, 2]
    assert table["as_expected"].tolist() == [2, 1]
    assert table["others"].tolist() == ["", "1 fail"]


def test_a_run_is_as_expected_if_all_its_claims_are():
    table = pd.concat([by_seed(RUNS), by_seed([checks(1000, "pass").assign(replication="other")])])
    assert whole_runs(by_seed(RUNS)) == (2, 1)
    assert whole_runs(table.reset_index(drop=True)) == (1, 1)  # the other paper has one seed


def test_claims_keep_their_order():
    runs = [run.assign(claim=["Z", "A", "M"]) for run in RUNS]
    assert by_seed(runs)["claim"].tolist() == ["Z", "A"]


def test_a_commit_between_two_runs_makes_no_second_row_but_other_code_is_refused():
    assert len(by_seed([RUNS[0], RUNS[1].assign(git="def")])) == 2
    with pytest.raises(UserError, match="paper: its code has changed between the runs"):
        by_seed([RUNS[0], RUNS[1].assign(digest="other")])


def test_page_names_every_stray_claim_and_keeps_other_replications(root):
    publish(tables([run.assign(replication="other") for run in RUNS]), "smoke", root)
    publish(tables(RUNS), "smoke", root)
    page = (root / "docs" / "stability.md").read_text()
    assert "75.00% of 8 (claim, seed) pairs" in page
    assert "| paper | C1 | 1 of 2 | 1 fail |" in page
    assert "| other | C1 | 1 of 2 | 1 fail |" in page
    assert "| paper | C0 |" not in page


def test_seeds_of_the_same_code_add_up_and_others_are_replaced(root):
    publish(tables(RUNS), "smoke", root)
    publish(tables([checks(10000, "pass", "pass", "not judged")]), "smoke", root)
    kept = root / "results" / "reference" / "stability" / "smoke" / "paper.csv"
    assert pd.read_csv(kept).columns[-3:].tolist() == ["1000", "2000", "10000"]
    publish(tables([checks(1000, "pass", "fail", digest="new")]), "smoke", root)
    assert pd.read_csv(kept).columns[-2:].tolist() == ["digest", "1000"]


def test_a_digest_of_decimal_digits_alone_stays_that_of_todays_code(tmp_path):
    row = {"git": "012345678901", "digest": "0123456789012345", "0": "pass"}
    write_table(tmp_path / "kept.csv", pd.DataFrame([row]))
    assert read_table(tmp_path / "kept.csv").to_dict("records") == [row]


def test_master_seeds_that_no_grid_was_chosen_by_have_a_table_of_their_own(root):
    seed = LOOKED_AT["laptop"] + 1000
    fresh = checks(seed, "pass", "pass", "not judged")
    publish(tables([*RUNS, fresh]), "laptop", root)
    kept = root / "results" / "reference" / "stability"
    assert pd.read_csv(kept / "laptop" / "paper.csv").columns[-2:].tolist() == ["1000", "2000"]
    assert pd.read_csv(kept / "laptop_fresh" / "paper.csv").columns[-1] == str(seed)
    page = (root / "docs" / "stability.md").read_text()
    assert page.index("## laptop\n") < page.index("## laptop, fresh master seeds\n")
    assert "75.00% of 4 (claim" in page
    assert "100.00% of 2 (claim" in page


def judged(estimate, half, interval="t over seeds"):
    """A row of checks.csv for claim C0, and one for C1, of which nothing is kept."""
    ends = {"estimate": estimate, "ci_low": estimate - half, "ci_high": estimate + half}
    control = {f"control_{key}": 3 * end for key, end in ends.items()}
    row = {"replication": "paper", "interval": interval, **ends, **control}
    return pd.DataFrame([{**row, "claim": "C0"}, {**row, "claim": "C1"}])


def test_a_chance_is_reckoned_from_all_draws_of_todays_code(root, monkeypatch):
    monkeypatch.setattr(draws, "digest_of", lambda name, tier: {"smoke": "d"}[tier])
    runs = [checks(1000, "pass", estimate=1.3, half=0.4), checks(11000, "pass")]
    publish(tables(runs), "smoke", root)
    first, _, today = typical(judged(1.0, 0.2), "smoke", root)
    assert not today["lacking"].any()
    assert today["draws"].tolist() == [3, 1]
    wide = first.iloc[0]
    assert wide["estimate"] == pytest.approx(1.1)  # of 1, 1.3 and 1
    assert (wide["ci_low"], wide["ci_high"]) == pytest.approx((0.7, 1.5))
    assert wide["control_estimate"] == pytest.approx(3.3)
    assert wide["control_ci_high"] == pytest.approx(3.3 + 3 * 0.4)
    assert today.iloc[0]["ci_high"] == pytest.approx(1.3)
    monkeypatch.setattr(draws, "digest_of", lambda name, tier: "of other code")
    (alone,) = [draw for draw in typical(judged(1.0, 0.2), "smoke", root) if len(draw)]
    assert alone["draws"].tolist() == [1, 1]
    pd.testing.assert_frame_equal(alone.drop(columns=["lacking", "draws"]), judged(1.0, 0.2))


def test_a_tail_that_one_draw_shows_counts_as_one_draw(root, monkeypatch):
    monkeypatch.setattr(draws, "digest_of", lambda name, tier: "d")
    runs = [checks(1000 * k, "pass", half=0.01) for k in (1, 2, 3)]
    publish(tables([*runs, checks(4000, "pass", half=9.0)]), "smoke", root)
    edges = {"region_low": 0.5, "region_high": 1.5, "rival": float("nan"), "n_seeds": 8}
    rows = judged(1.0, 0.01).assign(**edges, of_seeds=None, control_of_seeds=None)
    rows = rows.assign(final="pass", expected="pass").iloc[:1]
    found = draws.of_a_run(rows, "smoke", root)
    assert found.claims["alarm"].tolist() == [pytest.approx(0.2, abs=0.01)]
    assert found.as_expected == pytest.approx(0.8, abs=0.01)
    assert found.draws == 5


@pytest.mark.parametrize("column", ["estimate", "control_estimate"])
def test_a_draw_without_a_number_is_an_alarm_and_claims_fail_in_it_together(
    root, monkeypatch, column
):
    monkeypatch.setattr(draws, "digest_of", lambda name, tier: "d")
    runs = [checks(1000 * k, "pass", "pass", "pass", half=0.01) for k in (1, 2, 3, 4)]
    runs[3].loc[:1, column] = float("nan")  # of C0 and C1; C2 has its number
    publish(tables(runs), "smoke", root)
    edges = {"region_low": 0.5, "region_high": 1.5, "rival": float("nan"), "n_seeds": 8}
    rows = judged(1.0, 0.01).assign(**edges, of_seeds=None, control_of_seeds=None)
    rows = pd.concat([rows, rows.iloc[:1].assign(claim="C2")], ignore_index=True)
    found = draws.of_a_run(rows.assign(final="pass", expected="pass"), "smoke", root)
    assert found.claims["alarm"].tolist() == pytest.approx([0.2, 0.2, 0.0], abs=1e-6)
    assert found.as_expected == pytest.approx(0.8)  # and not .8^2
    assert found.draws == 5


def test_what_is_judged_by_logarithms_is_typical_along_them(root, monkeypatch):
    monkeypatch.setattr(draws, "digest_of", lambda name, tier: "d")
    publish(tables([checks(1000, "pass", estimate=4.0, half=0.5 * log(3))]), "smoke", root)
    rows = judged(1.0, 0.5, "t over logarithms of seeds")  # from 1/2 to 3/2, half of it log(3) / 2
    first = typical(rows, "smoke", root)[0].iloc[0]
    assert first["estimate"] == pytest.approx(2.0)
    assert (first["ci_low"], first["ci_high"]) == pytest.approx((1.0, 3.0))
    endless = rows.assign(estimate=float("inf"))
    assert typical(endless, "smoke", root)[0].iloc[0]["estimate"] == float("inf")


def test_the_lines_in_the_readme_are_those_of_the_page():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "stability.md").read_text(encoding="utf-8")
    lines = re.search("stability: begin.*?-->\n(.*?)<!-- stability: end", text, re.DOTALL)[1]
    rates = re.findall(r"(\d+)% in the `(\w+)` tier", lines)
    assert [tier for _, tier in rates] == ["smoke", "laptop"]
    for rate, tier in rates:
        told = page.split(f"## A run of the {tier} tier")[1]
        found = re.search(r"come out as expected in ([\d.]+)% of runs", told)[1]
        assert round(float(found)) == pytest.approx(int(rate), abs=1)


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
