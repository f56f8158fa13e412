"""Everything that one tier's report and gate say, read from its results and today's sources.

A claim reads two arms of one part, its own and the control, whose cells may lie in several shards,
each with a record of its own. It is judged as soon as all of these are there, whatever other arms
and parts lack. Where one is missing, stale or damaged it has no verdict, whatever an old table
says.
"""

import io
import json
import re
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from workflow.audit import altered, audit, faults_of_record
from workflow.base import selection
from workflow.base.files import UserError, broken, sha256, sha256_of, write_json
from workflow.base.grid import Seeds, shards
from workflow.base.records import (
    Missing,
    claims_digest,
    problem,
    problems,
    read_facts,
    read_table,
)
from workflow.base.rows import table_text
from workflow.base.tree import ROOT, Results, tier_folder
from workflow.judge import judged

# Which results were derived again, so that the gate behind a report need not do it once more: a key
# is of all files of a folder, by the checksums in its provenance, and of all sources, byte by byte.
# The memory lies beside the code, so that nothing in a folder of results vouches for it.
MEMORY = Path(__file__).with_name("__pycache__") / "derived.json"
REMEMBERED = 100  # folders of results
SOURCES = ("workflow", "shared", "replications")

# How the reason of a claim begins whose records are there and do not count.
WITHHELD = "withheld: "
_UNMEASURED = re.compile(r"part \w+(, arms? .+)?: \d+ of \d+ shards measured")
NO_VERDICT = {
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
    """One replication's part of the results: its checks, and what is wrong with what lies there.

    lacking  why there is no verdict, by part, of parts whose records are not all there
    rows     of the arms that are whole, where the replication's table cannot be made; else None
    """

    replication: str
    checks: pd.DataFrame
    problems: list[str]
    lacking: dict[str, str] = {}  # noqa: RUF012  never written to
    rows: pd.DataFrame | None = None


def outcomes_of(
    results: Results, names: list[str], seeds: Seeds, *, jobs: int = 1, derived: bool = False
) -> list[Outcome]:
    """`outcome` of each replication; by `jobs` processes what takes longest, the audits.

    derived: these very files were derived again before, and need not be once more.
    """
    audits: dict[str, list[str]] = {name: [] for name in names} if derived else {}
    if jobs > 1 and not derived:
        whole = [name for name in names if not problems(results, name, seeds)]
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            found = pool.map(partial(audit, results, seeds=seeds), whole)
            audits = dict(zip(whole, found, strict=True))
    return [outcome(results, name, seeds, audits.get(name)) for name in names]


def outcome(
    results: Results, replication: str, seeds: Seeds, audited: list[str] | None = None
) -> Outcome:
    """Checks of a replication as far as they can be trusted today; audited: what its audit found,
    if there was one."""
    found = problems(results, replication, seeds)
    if found:
        return _incomplete(results, replication, seeds, found)
    found = _problems_downstream(results, replication, seeds)
    if not found:
        found = audit(results, replication, seeds) if audited is None else audited
    if not found:
        return Outcome(replication, read_table(results.checks(replication)), [])
    checks = judged(replication, _nothing(), results.tier, seeds)
    reason = WITHHELD + "; ".join(found)
    return Outcome(replication, _without_verdict(checks, [reason] * len(checks)), found)


def _incomplete(results: Results, replication: str, seeds: Seeds, found: list[str]) -> Outcome:
    """The verdicts of claims whose arms are measured in full, from their records; found: what is
    wrong with the others."""
    wrong = faults(results, replication, seeds)
    tables = []
    for shard, cells in shards(replication, results.tier, seeds).items():
        if shard in wrong:
            continue
        rows = read_table(results.record(replication, shard))
        said = faults_of_record(results, replication, shard, rows, cells)
        if said:
            wrong[shard] = said[0]
            found = [*found, said[0]]
        else:
            tables.append(rows)
    lacking = lacking_parts(shards_of_parts(replication, results.tier, seeds), wrong)
    arms = shards_of_arms(replication, results.tier, seeds)
    whole = [arm for arm, names in arms.items() if not wrong.keys() & names]
    rows = _joined(tables)
    there = [pair in whole for pair in zip(rows["part"], rows["arm"], strict=True)]
    rows = rows[np.array(there, dtype=bool)]
    rows = rows.reset_index(drop=True)
    checks = judged(replication, rows, results.tier, seeds)
    read = checks[["part", "arm", "control_arm"]].itertuples(index=False)
    reasons = [_lacking_arms(*of_claim, arms, wrong) for of_claim in read]
    return Outcome(replication, _without_verdict(checks, reasons), found, lacking, rows)


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Records one below the other, read as `gather` writes them and the judge reads them."""
    if not tables:
        return _nothing()
    return read_table(io.StringIO(table_text(pd.concat(tables, ignore_index=True))))


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(columns=["part", "arm", "seed"])


def _without_verdict(checks: pd.DataFrame, reasons: list[str]) -> pd.DataFrame:
    """Checks in which the claims with a reason have no numbers: not judged where their arms are not
    measured, inconclusive where something is wrong with what was. A claim that this tier does not
    decide keeps its own reason."""
    said = pd.Series(reasons, index=checks.index, dtype=object)
    decided = (said != "") & (checks["final"] != "not judged")
    waiting = decided & said.map(is_unmeasured)
    for column, value in NO_VERDICT.items():
        checks.loc[said != "", column] = value
    checks.loc[decided, "final"] = "inconclusive"
    checks.loc[waiting, ["verdict", "control_verdict", "final"]] = "not judged"
    checks.loc[decided, "reason"] = said[decided]
    return checks


def shards_of_parts(replication: str, tier: str, seeds: Seeds) -> dict[str, list[str]]:
    """Of each part of a tier the shards that its cells lie in, in the order of the grid."""
    found: dict[str, dict[str, None]] = {}
    for (part, _), names in shards_of_arms(replication, tier, seeds).items():
        found.setdefault(part, {}).update(names)
    order = list(shards(replication, tier, seeds))
    return {part: sorted(names, key=order.index) for part, names in found.items()}


def shards_of_arms(
    replication: str, tier: str, seeds: Seeds
) -> dict[tuple[str, str], dict[str, None]]:
    """The same of each part and arm; of several arms they join as sets do, in order."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for shard, cells in shards(replication, tier, seeds).items():
        for cell in cells:
            found.setdefault((cell.part, cell.arm), {})[shard] = None
    return found


def faults(results: Results, replication: str, seeds: Seeds) -> dict[str, str]:
    """Why the record of a shard does not count today, of those of which it does not."""
    names = shards(replication, results.tier, seeds)
    found = {shard: problem(results, replication, shard, seeds) for shard in names}
    return {shard: text for shard, text in found.items() if text}


def lacking_parts(parts: dict[str, list[str]], wrong: dict[str, str]) -> dict[str, str]:
    """Why what reads a part has no verdict, of parts that are not whole.

    parts: their shards; wrong: why the records of some shards do not count. Shards whose records
    are only `Missing` are counted; a record that is stale or damaged is named.
    """
    found = {part: _lacking(f"part {part}", names, wrong) for part, names in parts.items()}
    return {part: reason for part, reason in found.items() if reason}


def _lacking_arms(
    part: str,
    arm: str,
    control: str,
    arms: dict[tuple[str, str], dict[str, None]],
    wrong: dict[str, str],
) -> str:
    """Why what reads an arm of a part and its control has no verdict; empty where they are whole,
    or where the tier has no such arm."""
    read = list(dict.fromkeys((arm, control)))
    names = {shard: None for one in read for shard in arms.get((part, one), ())}
    said = f"arms {' and '.join(read)}" if len(read) > 1 else f"arm {arm}"
    return _lacking(f"part {part}, {said}", list(names), wrong)


def _lacking(what: str, names: list[str], wrong: dict[str, str]) -> str:
    bad = [wrong[shard] for shard in names if shard in wrong]
    named = [text for text in bad if not isinstance(text, Missing)]
    if named:
        return WITHHELD + "; ".join(named)
    measured = len(names) - len(bad)
    return f"{what}: {measured} of {len(names)} shards measured" if bad else ""


def is_unmeasured(reason: object) -> bool:
    """Whether the reason of a claim is that its arms are not measured in full."""
    return isinstance(reason, str) and bool(_UNMEASURED.fullmatch(reason))


def is_withheld(reason: object) -> bool:
    """Whether the reason of a claim is that something is wrong with what it reads."""
    return isinstance(reason, str) and reason.startswith(WITHHELD)


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
        path = results.record(replication, shard)
        try:
            found += [read_facts(path)] if path.exists() else []
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


def refuse_incomplete(folder: Path, what: str) -> None:
    """Results that lack records are shown by their own report alone."""
    names = provenance(results_folder(folder)).get("incomplete")
    if names:
        raise UserError(f"{folder}: not complete ({', '.join(sorted(names))}): {what}")


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


def was_derived(made: dict) -> bool:
    """Whether results of this provenance were derived by these sources, and nothing was wrong."""
    return _key(made) in _remembered()


def remember_derived(made: dict) -> None:
    """For who found nothing wrong, without trusting a digest that is kept of a source."""
    key = _key(made)
    kept = [*(other for other in _remembered() if other != key), key][-REMEMBERED:]
    with suppress(OSError):  # a tree that cannot be written to has no memory
        write_json(MEMORY, kept)


def _key(made: dict) -> str:
    places = sorted(path for name in SOURCES for path in (ROOT / name).rglob("*"))
    files = [path for path in places if path.suffix in (".py", ".yaml") and path.is_file()]
    read = [f"{path.relative_to(ROOT).as_posix()} {sha256(path)}" for path in files]
    return sha256_of("\n".join([provenance_digest(made), *read]))


def _remembered() -> list[str]:
    """Keys of what was derived before; none where that cannot be read: then all is derived."""
    with suppress(OSError, ValueError, TypeError):
        return list(json.loads(MEMORY.read_text(encoding="utf-8")))
    return []
