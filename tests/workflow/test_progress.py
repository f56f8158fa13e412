"""What a run says about how far it is, and what its jobs ask for."""

import time

from workflow.base.files import write_json
from workflow.base.tree import Results
from workflow.host.progress import Cost, Job, begin, costs_before, duration, remaining, watch
from workflow.plan import Plan


def jobs(results, known=(10.0, 30.0, 50.0)):
    return [Job("paper", f"s{i}", "code", "cells", s) for i, s in enumerate(known)]


def measured(results, shard, code="code"):
    facts = {"replication": "paper", "shard": shard, "code": code, "cells": "cells", "seconds": 7.0}
    facts["max_rss_mb"] = 500.0
    write_json(results.record("paper", shard).with_suffix(".json"), facts)


def test_counts_what_is_measured_and_estimates_the_rest(tmp_path):
    results = Results(tmp_path / "smoke")
    begin(results, jobs(results), at_once=2)
    measured(results, "s0")
    assert remaining(results) == "1 of 3 jobs measured, about 50 s left"


def test_a_stale_record_is_not_counted(tmp_path):
    results = Results(tmp_path / "smoke")
    begin(results, jobs(results), at_once=1)
    measured(results, "s0", code="older")
    assert remaining(results) == "0 of 3 jobs measured, about 90 s left".replace("90 s", "2 min")


def test_says_no_time_where_none_is_known(tmp_path):
    results = Results(tmp_path / "smoke")
    begin(results, jobs(results, (1.0, None)), at_once=1)
    assert remaining(results) == "0 of 2 jobs measured"
    assert remaining(Results(tmp_path / "elsewhere")) == ""


def test_the_last_run_here_counts_more_than_the_reference(tmp_path):
    results = Results(tmp_path / "results" / "smoke")
    reference = tmp_path / "results" / "reference" / "smoke" / "provenance.json"
    old = {"replication": "paper", "shard": "s0", "seconds": 99.0, "max_rss_mb": 2000.0}
    write_json(reference, {"records": [old, {**old, "shard": "s1"}]})
    measured(results, "s0")
    found = costs_before(results, tmp_path)
    assert found == {("paper", "s0"): Cost(7.0, 500.0), ("paper", "s1"): Cost(99.0, 2000.0)}


def test_the_longest_jobs_start_first_after_those_never_run(monkeypatch):
    costs = {("paper", "long"): Cost(90.0, 500.0), ("paper", "short"): Cost(5.0, 500.0)}
    monkeypatch.setattr(Plan, "took", costs)
    plan = Plan.__new__(Plan)
    order = sorted(("short", "new", "long"), key=lambda shard: -plan.priority("paper", shard))
    assert order == ["new", "long", "short"]


def test_a_job_asks_for_what_it_took_with_head_room_and_for_more_when_tried_again(monkeypatch):
    monkeypatch.setattr(Plan, "took", {("paper", "known"): Cost(120.0, 1000.0)})
    given = {"tier": "paper", "replications": "arora2019_generalization", "seed": 0}
    plan = Plan({**given, "seeds_at_most": 0, "data_dir": "", "subject": ""})
    assert [plan.memory_mb("paper", "known", attempt) for attempt in (1, 2)] == [1600, 3200]
    assert [plan.minutes("paper", "known", attempt) for attempt in (1, 2)] == [11, 22]
    assert [plan.memory_mb("paper", "new", attempt) for attempt in (1, 2)] == [8000, 16000]
    assert plan.minutes("paper", "new", 1) == 24 * 60


def test_what_others_measure_is_said_here_once(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("workflow.host.progress.announce", said.append)
    results = Results(tmp_path / "smoke")
    begin(results, jobs(results), at_once=8)
    watch(results, every=0.02)
    time.sleep(0.2)
    assert said == []
    measured(results, "s0")
    until = time.monotonic() + 10
    while not said and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)
    assert said == ["1 of 3 jobs measured, about 50 s left"]


def test_durations_read_well():
    assert [duration(s) for s in (3.2, 89, 150)] == ["3 s", "89 s", "2 min"]
