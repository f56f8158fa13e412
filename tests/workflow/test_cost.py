"""The table of costs, from made-up facts of one run."""

import json
import os

import pytest

from workflow.assemble import write_provenance
from workflow.base.files import UserError, write_json, write_text
from workflow.base.tree import Results
from workflow.trust import cost

STARTED = "2024-01-01T00:00:10+00:00"  # 1704067210
RECORD = {
    "replication": "paper",
    "shard": "main",
    "started": STARTED,
    "start_seconds": 2.0,
    "compile_seconds": 3.0,
    "cpu_seconds": 10.0,
    "machine": "Linux x86_64, 2 cores",
    "taken_over": {"cells": 0, "cpu_seconds": 0.0, "hosts": []},
}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A run of 60 s on two cores, planned 5 s before its only measuring job."""
    found = Results(tmp_path / "smoke")
    monkeypatch.setattr(cost, "dry_run", lambda settings: 1.5)
    made = {"settings": {"replications": ["paper"]}, "records": [RECORD]}
    write_provenance(found, made)
    write_json(found.folder / "plan.json", {"at_once": 2, "jobs": []})
    write_text(found.folder / "logs" / "gate.log", "")
    write_text(found.report / "index.html", "x" * 1_500_000)
    for name, seconds in (
        ("gather/paper", 1.0),
        ("judge/paper", 2.0),
        ("draw/paper", 4.0),
        ("report", 5.0),
    ):
        path = found.folder / "benchmarks" / f"{name}.jsonl"
        write_text(path, json.dumps({"s": 99.0}) + "\n" + json.dumps({"s": seconds}) + "\n")
    os.utime(found.folder / "plan.json", (1704067205, 1704067205))
    os.utime(found.folder / "logs" / "gate.log", (1704067265, 1704067265))
    return found


def test_every_second_of_the_cores_is_accounted_for(results):
    text = cost.section(results)
    assert "1.0 min on 2 cores (Linux x86_64, 2 cores); `index.html` has\n1.5 MB." in text
    assert "1.5 s." in text
    assert "| all papers | 4 | 2 | 3 | 5 | 3 | 4 | 17 |" in text
    assert text.splitlines()[-3].endswith("| 5 |")
    assert text.splitlines()[-2].endswith(f"| {2 * 60 - 17 - 5} |")
    assert text.splitlines()[-1].endswith("| 120 |")


def test_a_run_in_pieces_has_no_time(results):
    os.utime(results.folder / "plan.json", (1704067250, 1704067250))
    with pytest.raises(UserError, match="not made in one go"):
        cost.section(results)


def test_a_run_with_cells_of_a_killed_job_has_no_time(results):
    made = {"records": [RECORD | {"taken_over": {"cells": 1}}]}
    with pytest.raises(UserError, match="went on where one was killed"):
        cost.run_of(results, made)


def test_an_unfinished_run_has_no_time(results):
    (results.folder / "benchmarks" / "report.jsonl").unlink()
    with pytest.raises(UserError, match=r"report\.jsonl: missing"):
        cost.section(results)
