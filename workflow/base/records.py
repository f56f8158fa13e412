"""Records: the measured rows of one shard as a table, and the facts that make them trustworthy.

A record is `{shard}.csv` and, written after it, `{shard}.json` with the digests of the code and of
the cells it was measured with, its seeds, its checksum, its cost and the versions of the libraries.
Nothing downstream trusts a file's date: `problem` compares a record with today's code and grid.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.base.digest import cells_digest, code_digest, foreign_imports
from workflow.base.environment import CPU
from workflow.base.files import UserError, broken, sha256, write_json, write_seal, write_text
from workflow.base.grid import ALL, Seeds, shard_digest, shards
from workflow.base.outside import differences, identities
from workflow.base.rows import table_text
from workflow.base.subject import expected_of, outside_of
from workflow.base.tree import ROOT, Results

if TYPE_CHECKING:
    import pandas as pd  # half a second that planning a run does not need


class Missing(str):
    """Said of a record that is only not there (yet): its class tells it from whatever else may be
    wrong with one, which is a plain text."""

    __slots__ = ()


def measuring(replication: str) -> tuple[str, ...]:
    """The modules whose closure computes a record."""
    return (f"replications.{replication}.experiment", "workflow.base.rows")


def experiment_digest(replication: str, root: Path = ROOT) -> str:
    """Digest of all code of this repository that makes the rows of `replication`."""
    return code_digest(*measuring(replication), root=root)


def experiment_outside(replication: str, subject: str = "", root: Path = ROOT) -> dict[str, str]:
    """Versions or digests of all code outside this repository that these rows rest on."""
    found = identities(*foreign_imports(*measuring(replication), root=root))
    return {**found, **outside_of(subject)} if subject else found


def claims_digest(replication: str, subject: str = "", root: Path = ROOT) -> str:
    """Digest of the claims, of the code that judges them, and of what a reader's file expects."""
    code = code_digest(f"replications.{replication}.claims", "workflow.judge", root=root)
    return cells_digest([code, expected_of(subject)]) if subject else code


def write_record(path: Path, text: str, facts: dict) -> None:
    """Rows first, facts last: a record without facts does not count."""
    path.with_suffix(".json").unlink(missing_ok=True)
    write_text(path, text)
    write_json(path.with_suffix(".json"), {**facts, "sha256": sha256(path)})


def write_table(path: Path, rows: pd.DataFrame) -> None:
    write_text(path, table_text(rows))


def read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(
        path,
        float_precision="round_trip",
        keep_default_na=False,
        na_values=["", "nan", "NaN"],
        # A grid may name arms by numbers, and a digest may have decimal digits alone.
        dtype={"part": str, "arm": str, "git": str, "digest": str},
        low_memory=False,  # else a long column may get other types in other chunks
    )


def write_sealed(path: Path, rows: pd.DataFrame) -> None:
    """A table with its checksum beside it, as `.json`."""
    path.with_suffix(".json").unlink(missing_ok=True)
    write_table(path, rows)
    write_seal(path.with_suffix(".json"), [path])


def read_sealed(path: Path) -> pd.DataFrame:
    """A table of `write_sealed`, if it still is what was written."""
    if not (path.exists() and path.with_suffix(".json").exists()):
        raise UserError(f"{path}: missing; run snakemake")
    if broken(path.with_suffix(".json")):
        raise UserError(f"{path}: damaged, it does not have its checksum; run snakemake again")
    return read_table(path)


def read_facts(path: Path) -> dict:
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def problem(
    results: Results, replication: str, shard: str, seeds: Seeds = ALL, root: Path = ROOT
) -> str:
    """Why the record of a shard does not count today, `Missing` if it is not there; empty where it
    does."""
    path = results.record(replication, shard)
    cells = shards(replication, results.tier, seeds, root)[shard]
    if not path.exists() or not path.with_suffix(".json").exists():
        return Missing(f"record {shard} is missing")
    fault = damage(path)
    if fault:
        return f"record {shard} is damaged: {fault}"
    facts = read_facts(path)
    if facts["code"] != experiment_digest(replication, root):
        return f"record {shard} is stale: the code it was measured with has changed"
    if device_of(facts) != seeds.device:
        return f"record {shard} is stale: measured on {device_of(facts)}, wanted {seeds.device}"
    moved = differences(facts["outside"], experiment_outside(replication, seeds.subject, root))
    if moved:
        return f"record {shard} is stale: {moved}"
    if facts["cells"] != shard_digest(cells):
        return f"record {shard} is stale: the grid or the seeds have changed"
    return ""


def device_of(facts: dict) -> str:
    """The word for what a record was measured on, of `cuda: NAME OF THE GPU` or `cpu`."""
    return facts.get("device", CPU).partition(":")[0]


def damage(path: Path) -> str:
    """How a record differs from what was written; empty where it does not."""
    try:
        facts = read_facts(path)
        checksum = [facts[key] for key in ("code", "outside", "cells", "sha256")][-1]
    except (ValueError, KeyError, TypeError):
        return f"{path.with_suffix('.json').name} cannot be read"
    return "" if checksum == sha256(path) else f"{path.name} does not have its recorded checksum"


def problems(
    results: Results, replication: str, seeds: Seeds = ALL, root: Path = ROOT
) -> list[str]:
    """What is wrong with the records of a replication; all that are missing share one line."""
    found = {
        shard: problem(results, replication, shard, seeds, root)
        for shard in shards(replication, results.tier, seeds, root)
    }
    missing = [shard for shard, text in found.items() if isinstance(text, Missing)]
    if len(missing) < 2:
        return [text for text in found.values() if text]
    others = [text for shard, text in found.items() if text and shard not in missing]
    return [Missing(f"records {', '.join(missing)} are missing"), *others]
