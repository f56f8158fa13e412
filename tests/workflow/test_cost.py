"""The table of costs, from made-up facts of one run."""

import json

import pytest

from workflow.assemble import write_provenance
from workflow.base.files import UserError, write_text
from workflow.base.tree import Results
from workflow.trust import cost

RECORD = {
    "replication": "paper",
    "shard": "main",
    "seconds": 8.0,
    "start_seconds": 2.0,
    "compile_seconds": 3.0,
    "cpu_seconds": 10.0,
    "machine": "Linux x86_64, 2 cores",
}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A finished run with one measuring job."""
    found = Results(tmp_path / "smoke")
    monkeypatch.setattr(cost, "dry_run", lambda settings: 1.5)
    made = {"settings": {"replications": ["paper"]}, "records": [RECORD]}
    write_provenance(found, made)
    write_text(found.report / "index.html", "x" * 1_500_000)
    for name, seconds in (
        ("gather/paper", 1.0),
        ("judge/paper", 2.0),
        ("draw/paper", 4.0),
        ("report", 5.0),
    ):
        path = found.folder / "benchmarks" / f"{name}.jsonl"
        write_text(path, "".join(json.dumps({"cpu_time": s}) + "\n" for s in (99.0, seconds)))
    return found


def test_every_second_of_the_jobs_is_accounted_for(results):
    text = cost.section(results)
    assert "0.4 min of one core (Linux x86_64, 2 cores); `index.html` has\n1.5 MB." in text
    assert "1.5 s." in text
    assert "| all papers | 4 | 2 | 3 | 5 | 3 | 4 | 17 |" in text
    assert text.splitlines()[-1].endswith("| 5 |")


def test_compilation_beside_other_work_counts_what_was_spent():
    """A job that had a core half of the time was half as long in the compiler as by the clock."""
    assert cost.compiling(RECORD) == 3.0
    assert cost.compiling(RECORD | {"seconds": 16.0}) == 1.5


def test_a_job_without_cpu_time_is_named(results):
    path = results.folder / "benchmarks" / "report.jsonl"
    path.write_text('{"s": 1.0, "cpu_time": "NA"}\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"report\.jsonl: cpu_time: found 'NA', wanted seconds"):
        cost.section(results)


def test_an_unfinished_run_has_no_time(results):
    (results.folder / "benchmarks" / "report.jsonl").unlink()
    with pytest.raises(UserError, match=r"report\.jsonl: missing"):
        cost.section(results)
