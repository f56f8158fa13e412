"""Everything that one tier's report and gate say, read from its results and today's sources.

A claim whose record is missing, stale or damaged has no verdict, whatever an old table says.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from workflow.audit import altered, audit
from workflow.base import selection
from workflow.base.files import UserError, broken, sha256, sha256_of, write_json
from workflow.base.grid import Seeds, shards
from workflow.base.records import claims_digest, problems, read_facts, read_table
from workflow.base.tree import Results, tier_folder
from workflow.judge import judged

WITHHELD = {
    "estimate": float("nan"),
    "ci_low": float("nan"),
    "ci_high": float("nan"),
    "n_seeds": 0,
    "verdict": "inconclusive",
    "control_estimate": float("nan"),
    "control_ci_low": float("nan"),
    "control_ci_high": float("nan"),
    "control_verdict": "inconclusive",
}


class Outcome(NamedTuple):
    """One replication's part of the results: its checks, and what is wrong with what lies there."""

    replication: str
    checks: pd.DataFrame
    problems: list[str]


def outcome(results: Results, replication: str, seeds: Seeds, *, derived: bool = False) -> Outcome:
    """Checks of a replication as far as they can be trusted today.

    derived: these very files were derived again before, and need not be once more.
    """
    found = problems(results, replication, seeds)
    found = found or _problems_downstream(results, replication, seeds)
    if not derived:
        found = found or audit(results, replication, seeds)
    if not found:
        return Outcome(replication, read_table(results.checks(replication)), [])
    nothing = pd.DataFrame(columns=["part", "arm", "seed"])
    expected = judged(replication, nothing, results.tier, seeds)
    decided = expected["final"] != "not judged"
    for column, value in WITHHELD.items():
        expected[column] = value
    expected.loc[decided, "final"] = "inconclusive"
    expected.loc[decided, "reason"] = f"withheld: {'; '.join(found)}"
    return Outcome(replication, expected, found)


def _problems_downstream(results: Results, replication: str, seeds: Seeds) -> list[str]:
    """What is wrong with the table and the checks that were made from good records."""
    table, checks = results.table(replication), results.checks(replication)
    for path in (table, checks):
        for file in (path, path.with_suffix(".json")):
            if not file.exists():
                return [f"{file.relative_to(results.folder)} is missing"]
    if broken(table.with_suffix(".json")):
        return [f"{table.relative_to(results.folder)} is damaged"]
    try:
        facts = json.loads(checks.with_suffix(".json").read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        return [f"{checks.with_suffix('.json').name} cannot be read"]
    if facts.get("claims") != claims_digest(replication, seeds.subject):
        return ["the checks are stale: the claims have changed"]
    if facts.get("table") != sha256(table):
        return ["the checks are stale: the table has changed"]
    if facts.get("seeds_at_most", 0) != seeds.at_most:
        return ["the checks are stale: they are of a run with other seeds"]
    if facts.get("checks") != sha256(checks):
        return [f"{checks.relative_to(results.folder)} is damaged"]
    return []


def facts_of(results: Results, replication: str, seeds: Seeds) -> list[dict]:
    """Facts of all readable records of a replication: cost, versions, seeds, checksums."""
    found = []
    for shard in shards(replication, results.tier, seeds):
        try:
            found.append(read_facts(results.record(replication, shard)))
        except (OSError, json.JSONDecodeError, UnicodeDecodeError):
            continue  # named by `problems`, which every reader of the report sees
    return found


def provenance_of(settings: dict, facts: dict[str, list[dict]]) -> dict:
    """Settings of the run; per record its cost, seeds, versions and checksum; their sums."""
    records = [record for name in settings["replications"] for record in facts[name]]
    return {
        "settings": settings,
        "cpu_seconds": round(sum(record["cpu_seconds"] for record in records), 1),
        "max_rss_mb": max((record["max_rss_mb"] for record in records), default=0),
        "started": min((record["started"] for record in records), default=""),
        "data": {name: value for record in records for name, value in record["data"].items()},
        "records": records,
    }


def write_provenance(results: Results, made: dict) -> None:
    """With a checksum of itself, the last file of a run."""
    write_json(results.provenance, {**made, "sha256": provenance_digest(made)})


def provenance_digest(made: dict) -> str:
    return sha256_of(json.dumps(made, sort_keys=True, ensure_ascii=False))


def provenance(results: Results) -> dict:
    """What the results were made with; the report writes it, the gate needs its settings."""
    try:
        made = json.loads(results.provenance.read_text(encoding="utf-8"))
        if made.pop("sha256") == provenance_digest(made):
            return made
    except FileNotFoundError:
        raise UserError(f"{results.provenance}: missing: no finished run in this folder") from None
    except (ValueError, KeyError, TypeError):
        pass  # said below
    raise UserError(f"{results.provenance}: damaged: run snakemake again")


def refuse_altered(folder: Path) -> None:
    """Whoever shows what a report says shows what it said when it ended."""
    results = results_folder(folder)
    for path in altered(results, provenance(results)):
        raise UserError(f"{path}: altered since the report was made; run snakemake again")


def results_folder(path: Path) -> Results:
    results = tier_folder(path)
    if not path.is_dir():
        raise UserError(f"{path}: no such folder; run snakemake first")
    return results


def refuse_subject(folder: Path, made: dict, what: str) -> None:
    """Results of a reader's own network are none of the suite's; made: their provenance."""
    subject = made["settings"].get("subject")
    if subject:
        raise UserError(f"{folder}: of a network of your own, {Path(subject).name}: {what}")
    refuse_part(folder, made["settings"], what)


def refuse_part(folder: Path, settings: dict, what: str) -> None:
    """Neither are those of some claims alone, or of another grid."""
    told = selection.told(*(settings.get(key, ()) for key in ("claims", "set")))
    if told:
        raise UserError(f"{folder}: {told}: {what}")
