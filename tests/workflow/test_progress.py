"""What a run says about how far it is."""

from workflow.base.files import write_json
from workflow.base.tree import Results
from workflow.host.progress import Job, begin, duration, remaining, seconds_before
from workflow.plan import Plan


def jobs(results, known=(10.0, 30.0, 50.0)):
    return [Job("paper", f"s{i}", "code", "cells", s) for i, s in enumerate(known)]


def measured(results, shard, code="code"):
    facts = {"replication": "paper", "shard": shard, "code": code, "cells": "cells", "seconds": 7.0}
    write_json(results.record("paper", shard).with_suffix(".json"), facts)


def test_counts_what_is_measured_and_estimates_the_rest(tmp_path):
    results = Results(tmp_path / "smoke")
    begin(results, jobs(results), cores=2)
    measured(results, "s0")
    assert remaining(results) == "1 of 3 jobs measured, about 50 s left"


def test_a_stale_record_is_not_counted(tmp_path):
    results = Results(tmp_path / "smoke")
    begin(results, jobs(results), cores=1)
    measured(results, "s0", code="older")
    assert remaining(results) == "0 of 3 jobs measured, about 90 s left".replace("90 s", "2 min")


def test_says_no_time_where_none_is_known(tmp_path):
    results = Results(tmp_path / "smoke")
    begin(results, jobs(results, (1.0, None)), cores=1)
    assert remaining(results) == "0 of 2 jobs measured"
    assert remaining(Results(tmp_path / "elsewhere")) == ""


def test_the_last_run_here_counts_more_than_the_reference(tmp_path):
    results = Results(tmp_path / "results" / "smoke")
    reference = tmp_path / "results" / "reference" / "smoke" / "provenance.json"
    old = {"replication": "paper", "shard": "s0", "seconds": 99.0}
    write_json(reference, {"records": [old, {**old, "shard": "s1"}]})
    measured(results, "s0")
    assert seconds_before(results, tmp_path) == {("paper", "s0"): 7.0, ("paper", "s1"): 99.0}


def test_the_longest_jobs_start_first_after_those_never_run(monkeypatch):
    monkeypatch.setattr(Plan, "took", {("paper", "long"): 90.0, ("paper", "short"): 5.0})
    plan = Plan.__new__(Plan)
    order = sorted(("short", "new", "long"), key=lambda shard: -plan.priority("paper", shard))
    assert order == ["new", "long", "short"]


def test_durations_read_well():
    assert [duration(s) for s in (3.2, 89, 150)] == ["3 s", "89 s", "2 min"]
