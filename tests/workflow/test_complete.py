"""A claim is judged as soon as the arms that it reads are measured in full."""

import csv
import json
import shutil
import sys

import pytest

from workflow import assemble, reference
from workflow.base import records
from workflow.base.files import write_json
from workflow.base.grid import ALL
from workflow.base.records import read_table, write_table
from workflow.base.tree import ROOT, Results
from workflow.repair import unfit

ALPHA = "replications/alpha2000_toy"
# A second part, and the first one in two shards; one job of the larger fails while a file is there.
# An arm of the second part, which no claim reads, lies in that shard too.
EXPERIMENT = """

def second(*, arm: str, width: int, seeds: tuple[int, ...]):
    yield from scatter(arm=arm, width=width, seeds=seeds)
"""
BROKEN = """    if width == 256 and Path("broken").exists():
        raise RuntimeError("out of order")
    for seed in seeds:"""
GRID = """
paper:
  - {part: scatter, arm: [theory, control], width: [4, 16, 64], seed: 8}
  - {part: scatter, arm: [theory, control], width: [256], seed: 8, shard: large}
  - {part: second, arm: [theory, control], width: [4, 16, 64], seed: 8}
  - {part: second, arm: unread, width: [256], seed: 8, shard: large}
"""


@pytest.fixture
def stopped(untouched):
    """A project whose paper tier lacks a shard, after a run that failed."""
    source = f"{ALPHA}/experiment.py"
    untouched.edit(source, "import numpy", "from pathlib import Path\n\nimport numpy")
    untouched.edit(source, "    for seed in seeds:", BROKEN)
    path = untouched.path(source)
    path.write_text(path.read_text(encoding="utf-8") + EXPERIMENT, encoding="utf-8")
    path = untouched.path(f"{ALPHA}/grid.yaml")
    smaller = path.read_text(encoding="utf-8").partition("paper:")[0]
    path.write_text(smaller + GRID, encoding="utf-8")
    path = untouched.path(f"{ALPHA}/claims.py")
    claim = path.read_text(encoding="utf-8").partition("CLAIMS = [\n")[2].removesuffix("]\n")
    other = claim.replace("T1_scatter", "T2_second").replace('"scatter"', '"second"')
    untouched.edit(f"{ALPHA}/claims.py", claim, claim + other)
    untouched.path("broken").touch()
    run = untouched.snakemake(tier="paper")
    assert run.code != 0
    assert "out of order" in run.output
    return untouched


def rows(project) -> dict[str, dict]:
    with project.path("results/paper/checks.csv").open(encoding="utf-8") as file:
        found = [row for row in csv.DictReader(file) if row["replication"] == "alpha2000_toy"]
    return {row["claim"]: row for row in found}


def provenance(project) -> dict:
    return json.loads(project.path("results/paper/provenance.json").read_text(encoding="utf-8"))


def test_what_is_complete_is_judged_and_the_rest_says_what_is_missing(stopped):
    found = rows(stopped)
    unmeasured = "part scatter, arms theory and control: 1 of 2 shards measured"
    assert [found[c]["final"] for c in ("T1_scatter", "T2_second")] == ["not judged", "pass"]
    assert found["T1_scatter"]["reason"] == unmeasured
    assert found["T1_scatter"]["estimate"] == ""
    lacking = {part: f"part {part}: 1 of 2 shards measured" for part in ("scatter", "second")}
    assert provenance(stopped)["incomplete"] == {"alpha2000_toy": lacking}
    gate = stopped.gate("paper")
    assert gate.code == 2
    assert "error: alpha2000_toy: record large is missing" in gate.output
    folder = stopped.path("results/paper/report")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["problems"] == ["alpha2000_toy: record large is missing"]
    assert not report["as_expected"]
    assert report["states"]["withheld"] == 0
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "Incomplete: 2 of 3 claims have a verdict" in page
    assert "1 claim whose arms are not measured in full" in page
    assert not (folder / "data/alpha2000_toy/scatter.csv").exists()
    measured = read_table(folder / "data/alpha2000_toy/second.csv")
    assert set(measured["arm"]) == {"theory", "control"}
    (second,) = (c for c in report["papers"][0]["claims"] if c["claim"] == "T2_second")
    assert (second["shards"], second["rows"]) == (["main"], "data/alpha2000_toy/second.csv")
    # By itself, at any time, the same again; then the rest, with the same verdict of the first.
    before = stopped.path("results/paper/checks.csv").read_bytes()
    again = stopped.call("workflow.report", "--results", "results/paper")
    assert again.code == 0, again.output
    assert stopped.path("results/paper/checks.csv").read_bytes() == before
    stopped.path("broken").unlink()
    whole = stopped.snakemake(tier="paper")
    assert whole.code == 0, whole.output
    assert whole.jobs["measure"] == 1
    finished = rows(stopped)
    assert finished["T1_scatter"]["final"] == "pass"
    assert finished["T2_second"] == found["T2_second"]
    assert "incomplete" not in provenance(stopped)


def test_an_incomplete_run_is_taken_for_a_whole_one_by_nothing(stopped, tmp_path):
    for command in ("workflow.reference", "workflow.page.site"):
        refused = stopped.call(command, "results/paper")
        assert refused.code == 2, refused.output
        assert "record large is missing" in refused.output or "not complete" in refused.output
    kept = stopped.path("results/old/paper")
    kept.parent.mkdir()
    stopped.path("results/paper").rename(kept)
    stopped.path("broken").unlink()
    assert stopped.snakemake(tier="paper").code == 0
    back = stopped.call("workflow.compare", "results/old/paper", "results/paper")
    assert back.code == 1
    assert "verdict changed: alpha2000_toy: T1_scatter: pass → not judged" in back.output
    forth = stopped.call("workflow.compare", "results/paper", "results/old/paper")
    assert forth.code == 0, forth.output
    assert "results/old/paper is not complete: 1 claim of it has nothing to compare" in forth.output


def test_a_record_that_does_not_count_withholds_its_parts_alone(stopped):
    stopped.path("broken").unlink()
    assert stopped.snakemake(tier="paper").code == 0
    path = stopped.path("results/paper/records/alpha2000_toy/large.csv")
    path.write_bytes(path.read_bytes()[:-20])
    assert stopped.call("workflow.report", "--results", "results/paper").code == 0
    found = rows(stopped)
    assert found["T1_scatter"]["final"] == "inconclusive"
    assert found["T1_scatter"]["reason"].startswith("withheld: record large is damaged")
    assert found["T2_second"]["final"] == "pass"
    assert stopped.gate("paper").code == 2


def test_a_part_is_whole_only_with_all_its_shards():
    parts = {"a": ["x", "y", "z"], "b": ["z"], "c": ["w"]}
    wrong = {name: records.Missing(f"record {name} is missing") for name in ("x", "y")}
    lacking = assemble.lacking_parts(parts, wrong)
    assert lacking == {"a": "part a: 1 of 3 shards measured"}
    assert assemble.is_unmeasured(lacking["a"])
    wrong["z"] = "record z is stale: the code it was measured with has changed"
    lacking = assemble.lacking_parts(parts, wrong)
    assert set(lacking) == {"a", "b"}
    assert lacking["a"] == lacking["b"] == f"withheld: {wrong['z']}"
    assert assemble.is_withheld(lacking["b"])
    assert not assemble.is_unmeasured(lacking["b"])


def test_a_record_that_is_not_there_is_told_from_one_that_is_wrong(untouched):
    results, name = Results(untouched.path("results/laptop")), "alpha2000_toy"
    root = untouched.folder
    for found in (
        [records.problem(results, name, "small", root=root)],
        records.problems(results, name, root=root),  # of both shards in one line
    ):
        assert [type(text) for text in found] == [records.Missing]
    assert found == ["records small, large are missing"]
    path = results.record(name, "small")
    facts = {"code": "", "outside": {}, "cells": "", "device": "cpu: x is missing"}
    records.write_record(path, "part,arm,seed\n", facts)
    stale, missing = sorted(records.problems(results, name, root=root), key=str, reverse=True)
    assert stale.startswith("record small is stale")
    assert not isinstance(stale, records.Missing)
    assert isinstance(missing, records.Missing)
    assert missing == "record large is missing"


def test_a_message_is_no_kind():
    """A record called "main is missing" that is damaged is no record that is not there."""
    parts = {"a": ["main"]}
    lacking = assemble.lacking_parts(parts, {"main": "record main is missing"})
    assert assemble.is_withheld(lacking["a"])


# records that are kept in the repository ------------------------------------------------------

MARKED = "# T\n<!-- verdicts: begin (made) -->\n<!-- verdicts: end -->\n"
KEPT = "results/reference/paper/records/alpha2000_toy"


def kept(project, *words):
    return project.call("workflow.reference", "results/paper", *words)


def taken_over(project):
    """A run of a fresh clone."""
    for name in ("results/paper", ".snakemake"):
        shutil.rmtree(project.path(name))
    return project.snakemake(tier="paper")


def test_a_paper_tier_goes_on_from_what_is_kept_of_it(stopped):
    stopped.path("README.md").write_text(MARKED, encoding="utf-8")
    assert kept(stopped).code == 2  # only where it is said to be a part
    done = kept(stopped, "--partial")
    assert done.code == 0, done.output
    made = json.loads(stopped.path("results/reference/paper/provenance.json").read_text("utf-8"))
    assert set(made["incomplete"]) == {"alpha2000_toy"}
    assert sorted(path.name for path in stopped.path(KEPT).iterdir()) == [
        "main.csv.xz",
        "main.json",
    ]
    facts = json.loads(stopped.path(f"{KEPT}/main.json").read_text(encoding="utf-8"))
    assert facts["host"] == ""
    record = stopped.path("results/paper/records/alpha2000_toy/main.csv").read_bytes()
    stopped.path("broken").unlink()
    run = taken_over(stopped)
    assert run.code == 0, run.output
    assert "results/paper: 2 records taken over from results/reference/paper" in run.output
    assert run.jobs["measure"] == 1
    assert stopped.path("results/paper/records/alpha2000_toy/main.csv").read_bytes() == record
    assert set(stopped.snakemake(tier="paper").jobs) <= {"gate"}
    # Of a complete paper tier nothing is said to be a part.
    assert kept(stopped).code == 0
    assert (stopped.path(KEPT) / "large.csv.xz").exists()
    assert "`paper` tier, 3 claims" in stopped.path("README.md").read_text(encoding="utf-8")


def test_kept_records_of_other_code_or_damaged_ones_are_left_alone(stopped):
    stopped.path("README.md").write_text(MARKED, encoding="utf-8")
    assert kept(stopped, "--partial").code == 0
    stopped.path("broken").unlink()
    stopped.edit(f"{ALPHA}/experiment.py", "64 * width", "65 * width")
    packed = stopped.path(KEPT.replace("alpha", "beta").replace("2000", "2001")) / "main.csv.xz"
    packed.write_bytes(packed.read_bytes()[:-9])
    run = taken_over(stopped)
    assert run.code == 0, run.output
    assert "taken over from" not in run.output
    said = "not taken over: alpha2000_toy: record main is stale: the code it was measured with has"
    assert said in run.output
    assert "and 1 others" in run.output
    assert run.jobs["measure"] == 3


def test_a_python_that_cannot_unpack_says_so(monkeypatch, tmp_path):
    """It does not call the record damaged."""
    monkeypatch.setitem(sys.modules, "lzma", None)
    why = unfit("paper", "popular_blog", "growth", ALL, tmp_path)
    assert why.startswith("record growth: import of lzma")
    assert why.endswith("this Python cannot unpack it")


def test_what_is_kept_is_neither_lost_nor_replaced_by_what_is_wrong(stopped):
    stopped.path("README.md").write_text(MARKED, encoding="utf-8")
    assert kept(stopped, "--partial").code == 0
    assert stopped.call("workflow.reference", "results/smoke", "--partial").code == 2
    path = stopped.path("results/paper/records/alpha2000_toy/main.csv")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"theory", b"theorx", 1))
    altered = kept(stopped, "--partial")
    assert altered.code == 2
    assert "record main is damaged" in altered.output
    path.unlink()
    missing = kept(stopped, "--partial")
    assert missing.code == 2, missing.output
    assert stopped.call("workflow.report", "--results", "results/paper").code == 0
    lost = kept(stopped, "--partial")
    assert lost.code == 2
    assert "lacks the record alpha2000_toy/main, which is kept in" in lost.output
    assert (stopped.path(KEPT) / "main.csv.xz").exists()


def test_the_table_of_verdicts_tells_a_partial_tier_beside_a_whole_one(tmp_path):
    checks = read_table(ROOT / "results" / "reference" / "laptop" / "checks.csv")
    part = checks.copy()
    of_one = part["replication"] == part["replication"].iloc[0]
    part.loc[~of_one, "final"] = "not judged"
    for tier, rows, made in (("laptop", checks, {}), ("paper", part, {"incomplete": {"a": {}}})):
        folder = reference.folder_of(tier, tmp_path)
        write_table(folder / "checks.csv", rows)
        write_json(folder / "provenance.json", made)
    lines = reference.verdict_table(tmp_path).splitlines()
    assert lines[0].startswith(f"`laptop` tier, {len(checks)} claims")
    head = next(number for number, line in enumerate(lines) if line.startswith("| paper |"))
    assert lines[head].endswith("| `paper` tier so far |")
    judged = (part[of_one]["final"] != "not judged").sum()
    assert lines[head + 2].endswith(f"| {judged} of {of_one.sum()} judged |")
    assert all(line.endswith("|  |") for line in lines[head + 3 :])
    part["final"] = "not judged"
    write_table(reference.folder_of("paper", tmp_path) / "checks.csv", part)
    assert "`paper` tier" not in reference.verdict_table(tmp_path)  # as long as nothing is judged
