"""How far a run is, and about how long it will still take, from what the same jobs took before."""

import json
from pathlib import Path
from typing import NamedTuple

from workflow.base.files import write_json
from workflow.base.records import read_facts
from workflow.base.tree import ROOT, Results


class Job(NamedTuple):
    """One measuring job of a run; `seconds` is what it took last time, if that is known."""

    replication: str
    shard: str
    code: str
    cells: str
    seconds: float | None


def begin(results: Results, jobs: list[Job], cores: int) -> None:
    """Note what this run is to measure."""
    content = {"cores": cores, "jobs": [job._asdict() for job in jobs]}
    write_json(results.folder / "plan.json", content)


def seconds_before(results: Results, root: Path = ROOT) -> dict[tuple[str, str], float]:
    """What each shard took in the reference and, where there is one, in this folder's last run."""
    reference = root / "results" / "reference" / results.tier / "provenance.json"
    known = (
        json.loads(reference.read_text(encoding="utf-8"))["records"] if reference.exists() else []
    )
    known += [facts for path in results.folder.glob("records/*/*.json") if (facts := _facts(path))]
    return {(facts["replication"], facts["shard"]): facts["seconds"] for facts in known}


def remaining(results: Results) -> str:
    """`7 of 20 jobs measured, about 3 min left`; empty outside a planned run."""
    path = results.folder / "plan.json"
    if not path.exists():
        return ""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        jobs = [Job(**job) for job in plan["jobs"]]
    except (ValueError, KeyError, TypeError):
        return f"{path.name} is damaged, so the rest is not known"
    left = [job for job in jobs if not _done(results, job)]
    said = f"{len(jobs) - len(left)} of {len(jobs)} jobs measured"
    if not left or any(job.seconds is None for job in left):
        return said
    seconds = max(sum(job.seconds for job in left) / plan["cores"], max(j.seconds for j in left))
    return f"{said}, about {duration(seconds)} left"


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _done(results: Results, job: Job) -> bool:
    facts = _facts(results.record(job.replication, job.shard).with_suffix(".json"))
    return bool(facts) and (facts["code"], facts["cells"]) == (job.code, job.cells)


def _facts(path: Path) -> dict | None:
    """Facts beside a record; None where there are none that can be read (the gate names those)."""
    try:
        facts = read_facts(path)
    except (OSError, ValueError):
        return None
    return facts if {"replication", "shard", "seconds", "code", "cells"} <= set(facts) else None
