"""Before a run: what lies damaged is removed, and records count by what they say themselves.

A damaged file has a checksum other than the one beside it; it counts for nothing (the gate says
so), but snakemake, which knows dates alone, would keep it or build on it.

Snakemake keeps notes on files in its own folder. They are wrong about a record whose job outlived
its snakemake, which is complete and noted as begun; and they may be missing, so that code which
has changed since is not seen.

Records that are kept in the repository (results/reference/paper) are put where a run has none: what
one machine has measured no other needs to.
"""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

from workflow.assemble import provenance
from workflow.audit import altered
from workflow.base.files import UserError, broken, sha256
from workflow.base.grid import Seeds
from workflow.base.records import damage, problem, read_facts, write_record
from workflow.base.tree import ROOT, Results
from workflow.gate import stale_summary
from workflow.host.terminal import announce
from workflow.host.unfinished import unfinished_path

DAMAGED = "damaged"
UNSEEN = "not as the last report saw it"  # forged, or of a run that ended before its own report


def remove_damaged(results: Results, shards: dict[str, list[str]]) -> None:
    """Remove what is damaged or altered of these replications and shards, and say so."""
    made = _made(results)
    changed = set(altered(results, made))
    for name, of_paper in shards.items():
        found = []
        for shard in of_paper:
            pair = _pair(results.record(name, shard))
            whole = all(file.exists() for file in pair)
            forged = not changed.isdisjoint(pair) and _is_known(pair[0], made)
            found += pair if whole and (damage(pair[0]) or forged) else ()
        found += broken(results.table(name).with_suffix(".json"))
        found += broken(results.figures_seal(name))
        checks = _pair(results.checks(name))
        if checks[0].exists() and _sealed(checks[1]) != sha256(checks[0]):
            found += checks
        derived = [*_pair(results.table(name)), *checks, *results.figures(name).glob("*.*")]
        whys = {path: UNSEEN for path in derived if path in changed} | dict.fromkeys(found, DAMAGED)
        for path, why in whys.items():
            _remove(path, why)
    if results.provenance.exists() and not _summary_is_whole(results, made, changed):
        _remove(results.provenance, f"{DAMAGED}, or the report beside it")


def correct_notes(
    results: Results, shards: dict[str, list[str]], seeds: Seeds, state: Path
) -> None:
    """Trust records more than snakemake's notes in `state` (`.snakemake`).

    A record of today's code and cells is not measured again, though noted as begun. One of other
    code or cells, of which nothing is noted, is removed, because snakemake would keep it. Cells
    that a job kept until its record was there, and was killed then, go.
    """
    for name, of_paper in shards.items():
        for shard in of_paper:
            path = results.record(name, shard)
            pair = (path, path.with_suffix(".json"))
            kept = unfinished_path(path)
            if kept.exists() and not problem(results, name, shard, seeds):
                kept.unlink()
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


def kept_record(kept: Path, replication: str, shard: str) -> Path:
    """Packed rows of a record that is kept in the reference `kept`."""
    return kept / "records" / replication / f"{shard}.csv.xz"


def kept_facts(packed: Path) -> Path:
    """The facts beside them."""
    return packed.with_suffix("").with_suffix(".json")


def take_over(
    results: Results, shards: dict[str, list[str]], seeds: Seeds, state: Path, kept: Path
) -> None:
    """Put records that the reference `kept` has where this run has none, if they are of today's
    code, libraries and cells; the others are left alone, in a line."""
    taken, left = [], []
    for name, of_paper in shards.items():
        for shard in of_paper:
            pair = _pair(results.record(name, shard))
            if not kept_record(kept, name, shard).exists() or all(path.exists() for path in pair):
                continue
            trouble = unfit(results.tier, name, shard, seeds, kept)
            if trouble:
                left.append(f"{name}: {trouble}")
                continue
            _put(pair[0], *read_kept(kept_record(kept, name, shard)))
            for path in pair:  # what snakemake noted of another record
                _note(state / "metadata", path).unlink(missing_ok=True)
            taken.append(shard)
    if taken:
        announce(f"{results.folder}: {_counted(len(taken))} taken over from {_named(kept)}")
    if left:
        more = f", and {len(left) - 1} others" if len(left) > 1 else ""
        announce(f"{_named(kept)}: not taken over: {left[0]}{more}")


def unfit(tier: str, name: str, shard: str, seeds: Seeds, kept: Path) -> str:
    """Why a kept record does not count today; empty where it does."""
    with TemporaryDirectory() as folder:
        there = Results(Path(folder) / tier)
        try:
            _put(there.record(name, shard), *read_kept(kept_record(kept, name, shard)))
        except ImportError as error:
            return f"record {shard}: {error}: this Python cannot unpack it"
        except (OSError, ValueError, TypeError):
            return f"record {shard} is damaged: it cannot be unpacked"
        return problem(there, name, shard, seeds)


def read_kept(packed: Path) -> tuple[str, dict]:
    """(rows, facts) of a kept record, as they are written there."""
    import lzma  # a Python can be built without it

    facts = json.loads(kept_facts(packed).read_text(encoding="utf-8"))
    try:
        rows = lzma.decompress(packed.read_bytes())
    except lzma.LZMAError as error:
        raise ValueError(f"{packed}: {error}") from error
    return rows.decode("utf-8"), dict(facts)


def _put(path: Path, text: str, facts: dict) -> None:
    """Write a kept record; refused where its rows are not those that its facts tell of."""
    write_record(path, text, facts)
    if facts["sha256"] != sha256(path):
        path.with_suffix(".json").unlink()
        raise ValueError(f"{path}: does not have its recorded checksum")


def _counted(number: int) -> str:
    return f"{number} record{'s' if number > 1 else ''}"


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def _note(folder: Path, file: Path) -> Path:
    return folder / urlsafe_b64encode(str(file).encode()).decode()


def _sealed(facts: Path) -> str:
    """Checksum of the checks; empty where their facts cannot be read."""
    try:
        return json.loads(facts.read_text(encoding="utf-8"))["checks"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _made(results: Results) -> dict:
    """Provenance of the last run; one without any file where it cannot be read."""
    try:
        return provenance(results)
    except UserError:
        return {"records": [], "checksums": {}, "settings": {"replications": []}}


def _pair(path: Path) -> tuple[Path, Path]:
    return path, path.with_suffix(".json")


def _is_known(record: Path, made: dict) -> bool:
    """Whether a record calls itself a measurement that the provenance knows. (It may also be a new
    one, of a run that ended before its report.)"""
    try:
        facts = read_facts(record)
    except (OSError, ValueError):
        return False
    keys = ("replication", "shard", "started")
    return any(all(facts.get(key) == known[key] for key in keys) for known in made["records"])


def _summary_is_whole(results: Results, made: dict, changed: set[Path]) -> bool:
    """Whether provenance.json can be read, and what the report wrote is what it says.

    All of it is written by the report, which runs again if provenance.json is gone.
    """
    if not made["checksums"] or any(results.report in path.parents for path in changed):
        return False
    names = made["settings"]["replications"]
    if not all(results.checks(name).exists() for name in names):
        return True  # the report runs again in any case
    return not stale_summary(results, names)


def _remove(path: Path, why: str) -> None:
    path.unlink(missing_ok=True)
    announce(f"{path}: {why}; removed, to be made again")
