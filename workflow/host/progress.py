"""How far a run is, and about how long it will still take, from what the same jobs took before."""

import json
import threading
from pathlib import Path
from typing import NamedTuple

from workflow.base.environment import CPU
from workflow.base.files import write_json
from workflow.base.records import device_of, read_facts
from workflow.base.tree import ROOT, Results
from workflow.host.terminal import announce


class Job(NamedTuple):
    """One measuring job of a run; `seconds` is what it took last time, if that is known."""

    replication: str
    shard: str
    code: str
    cells: str
    seconds: float | None
    device: str = CPU


class Cost(NamedTuple):
    """What a shard took before: seconds, and the largest memory in MB."""

    seconds: float
    memory_mb: float


def begin(results: Results, jobs: list[Job], at_once: int) -> None:
    """Note what this run is to measure, and how many jobs may run at once: cores, or jobs in a
    cluster's queue."""
    content = {"at_once": at_once, "jobs": [job._asdict() for job in jobs]}
    write_json(results.folder / "plan.json", content)


def watch(results: Results, every: float = 15.0) -> None:
    """Say on this terminal how far the run is, whenever that changes, until the process ends: for
    jobs whose own words end in a log of the machine that runs them."""

    def look() -> None:
        said = remaining(results)
        while not ended.wait(every):
            now = remaining(results)
            if now.partition(",")[0] != said.partition(",")[0]:
                announce(now)
            said = now

    ended = threading.Event()
    threading.Thread(target=look, daemon=True, name="progress").start()


def costs_before(
    results: Results, root: Path = ROOT, *, reference: bool = True
) -> dict[tuple[str, str], Cost]:
    """What each shard took in the reference, if that is to be asked, and, where there is one, in
    this folder's last run."""
    path = root / "results" / "reference" / results.tier / "provenance.json"
    asked = reference and path.exists()
    known = json.loads(path.read_text(encoding="utf-8"))["records"] if asked else []
    known += [facts for path in results.folder.glob("records/*/*.json") if (facts := _facts(path))]
    return {
        (facts["replication"], facts["shard"]): Cost(facts["seconds"], facts["max_rss_mb"])
        for facts in known
    }


def remaining(results: Results) -> str:
    """`7 of 20 jobs measured, about 3 min left`; empty outside a planned run."""
    path = results.folder / "plan.json"
    if not path.exists():
        return ""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        jobs, at_once = [Job(**job) for job in plan["jobs"]], int(plan["at_once"])
    except (ValueError, KeyError, TypeError):
        return f"{path.name} is damaged, so the rest is not known"
    left = [job for job in jobs if not _done(results, job)]
    said = f"{len(jobs) - len(left)} of {len(jobs)} jobs measured"
    if not left or any(job.seconds is None for job in left):
        return said
    seconds = max(sum(job.seconds for job in left) / at_once, max(j.seconds for j in left))
    return f"{said}, about {duration(seconds)} left"


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _done(results: Results, job: Job) -> bool:
    facts = _facts(results.record(job.replication, job.shard).with_suffix(".json"))
    return (
        bool(facts)
        and (facts["code"], facts["cells"]) == (job.code, job.cells)
        and device_of(facts) == job.device
    )


def _facts(path: Path) -> dict | None:
    """Facts beside a record; None where there are none that can be read (the gate names those)."""
    try:
        facts = read_facts(path)
    except (OSError, ValueError):
        return None
    return (
        facts
        if {"replication", "shard", "seconds", "max_rss_mb", "code", "cells"} <= set(facts)
        else None
    )
