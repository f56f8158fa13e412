"""Before a run: what lies damaged is removed, and records count by what they say themselves.

A damaged file has a checksum other than the one beside it; it counts for nothing (the gate says
so), but snakemake, which knows dates alone, would keep it or build on it.

Snakemake keeps notes on files in its own folder. They are wrong about a record whose job outlived
its snakemake, which is complete and noted as begun; and they may be missing, so that code which
has changed since is not seen.
"""

import json
from base64 import urlsafe_b64encode
from pathlib import Path

from workflow.assemble import provenance
from workflow.base.files import UserError, announce, broken, sha256
from workflow.base.grid import Seeds
from workflow.base.records import damage, problem
from workflow.base.tree import Results
from workflow.gate import stale_summary


def remove_damaged(results: Results, shards: dict[str, list[str]]) -> None:
    """Remove what is damaged of these replications and shards, and say so."""
    for name, of_paper in shards.items():
        found = []
        for shard in of_paper:
            path = results.record(name, shard)
            pair = (path, path.with_suffix(".json"))
            found += pair if all(file.exists() for file in pair) and damage(path) else ()
        found += broken(results.table(name).with_suffix(".json"))
        found += broken(results.figures_seal(name))
        checks = results.checks(name)
        if checks.exists() and _sealed(checks.with_suffix(".json")) != sha256(checks):
            found += [checks, checks.with_suffix(".json")]
        for path in found:
            _remove(path)
    if results.provenance.exists() and not _summary_is_whole(results):
        _remove(results.provenance)


def correct_notes(
    results: Results, shards: dict[str, list[str]], seeds: Seeds, state: Path
) -> None:
    """Trust records more than snakemake's notes in `state` (`.snakemake`).

    A record of today's code and cells is not measured again, though noted as begun. One of other
    code or cells, of which nothing is noted, is removed, because snakemake would keep it.
    """
    for name, of_paper in shards.items():
        for shard in of_paper:
            path = results.record(name, shard)
            pair = (path, path.with_suffix(".json"))
            begun = [_note(state / "incomplete", file) for file in pair]
            noted = all(_note(state / "metadata", file).exists() for file in pair)
            if noted and not any(note.exists() for note in begun):
                continue  # as nearly always: no digest needs to be made
            trouble = problem(results, name, shard, seeds)
            if not trouble:
                for note in begun:
                    note.unlink(missing_ok=True)
            elif path.exists() and not noted:
                path.unlink()
                announce(f"{path}: {trouble}; removed, to be measured again")


def _note(folder: Path, file: Path) -> Path:
    return folder / urlsafe_b64encode(str(file).encode()).decode()


def _sealed(facts: Path) -> str:
    """Checksum of the checks; empty where their facts cannot be read."""
    try:
        return json.loads(facts.read_text(encoding="utf-8"))["checks"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _summary_is_whole(results: Results) -> bool:
    """Whether provenance.json can be read and checks.csv says what it was joined from.

    Both are written by the report, which runs again if one of them is gone.
    """
    try:
        names = provenance(results)["settings"]["replications"]
    except UserError:
        return False
    if not all(results.checks(name).exists() for name in names):
        return True  # the report runs again in any case
    return not stale_summary(results, names)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    announce(f"{path}: damaged; removed, to be made again")
