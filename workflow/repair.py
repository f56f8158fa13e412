"""What lies damaged in a folder of results is removed before a run, so that the run makes it anew.

A damaged file has a checksum other than the one beside it; it counts for nothing (the gate says
so), but snakemake, which knows dates alone, would keep it or build on it.
"""

import json
from pathlib import Path

from workflow.assemble import provenance
from workflow.files import UserError, announce, broken, sha256
from workflow.gate import stale_summary
from workflow.records import damage
from workflow.tree import Results


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
