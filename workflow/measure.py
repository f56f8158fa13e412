"""`python -m workflow.measure`: run the cells of one shard and write its record."""

import argparse
import inspect
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from widenets.ntk.data import DataError
from workflow.base.clock import compile_clock
from workflow.base.environment import use_one_thread
from workflow.base.files import UserError, announce, exit_code
from workflow.base.grid import Cell, Seeds, shard_digest, shards
from workflow.base.machine import host, peak_memory_mb
from workflow.base.modules import load
from workflow.base.progress import remaining
from workflow.base.records import experiment_digest, write_record
from workflow.base.tree import ROOT, Results, known, tier_folder

LIBRARIES = ("jax", "jaxlib", "torch", "numpy", "scipy", "scikit-learn", "pandas", "snakemake")


def main() -> None:
    arguments = _parser().parse_args()
    results, replication = tier_folder(arguments.results), known(arguments.replication)
    if arguments.code not in ("", experiment_digest(replication)):
        raise UserError(f"{replication}: its code changed while it waited; run again")
    use_one_thread()
    seeds = Seeds(arguments.seed, arguments.seeds_at_most)
    facts = measure(results, replication, arguments.shard, seeds, arguments.data_dir)
    name = f"{replication}/{arguments.shard}"
    announce(f"{name}: {facts['seconds']:.0f} s; {remaining(results)}".rstrip("; "))


def measure(
    results: Results,
    replication: str,
    shard: str,
    seeds: Seeds,
    data_dir: Path | None = None,
    spent: float = 0.0,
) -> dict:
    """Run the cells of a shard, write its record and return its facts.

    spent: CPU seconds that this process used for something else before.
    """
    cells, code = _cells_of(replication, results.tier, shard, seeds), experiment_digest(replication)
    started, clock = datetime.now(UTC), time.perf_counter()
    experiment = load(replication, "experiment")
    started_up, compiling = time.process_time(), compile_clock()
    report = progress_of(f"{replication}/{shard}", len(cells))
    try:
        rows = table_of(measured_rows(experiment, cells, data_dir, report))
    except DataError as error:
        raise UserError(str(error)) from error
    usage = resource.getrusage(resource.RUSAGE_SELF)
    facts = {
        "replication": replication,
        "tier": results.tier,
        "shard": shard,
        "code": code,
        "cells": shard_digest(cells),
        "seeds": sorted({seed for cell in cells for seed in cell.seeds}),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 2),
        "start_seconds": round(started_up - spent, 2),
        "compile_seconds": round(compiling(), 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime - spent, 2),
        "max_rss_mb": peak_memory_mb(),
        "data": _data_checksums(),
        **_provenance(),
    }
    write_record(results.record(replication, shard), rows, facts)
    return facts


def _cells_of(replication: str, tier: str, shard: str, seeds: Seeds) -> list[Cell]:
    present = shards(replication, tier, seeds)
    if shard not in present:
        raise UserError(
            f"{replication}: {tier}: unknown shard {shard!r}; the grid has {', '.join(present)}"
        )
    return present[shard]


def measured_rows(
    experiment: object, cells: Iterable[Cell], data_dir: Path | None, report: Callable[[int], None]
) -> Iterator[dict]:
    """Rows of all cells: what was varied, then what was measured."""
    for number, cell in enumerate(cells):
        report(number)
        part = getattr(experiment, cell.part)
        extra = {"data_dir": data_dir} if "data_dir" in inspect.signature(part).parameters else {}
        held = {"part": cell.part, "arm": cell.arm, **cell.parameters}
        where = f"{experiment.__name__.replace('.', '/')}.py: {cell.part}"
        counted = set()
        for row in part(arm=cell.arm, **cell.parameters, seeds=cell.seeds, **extra):
            repeated = sorted(set(row) & set(held))
            if repeated or "seed" not in row:
                raise UserError(
                    f"{where}: a row must have a seed and must not repeat the cell's keys; "
                    f"found {', '.join(sorted(row))}"
                )
            counted.add(row["seed"])
            yield {**held, **row}
        if counted != set(cell.seeds):
            raise UserError(
                f"{where}: measured the seeds {_few(counted)}, wanted {_few(cell.seeds)}; {held}"
            )


def _few(seeds: Iterable[int]) -> str:
    listed = sorted(seeds)
    return ", ".join(map(str, listed[:6])) + (", ..." if len(listed) > 6 else "")


def table_of(rows: Iterable[dict]):
    """A data frame of plain Python values, columns in order of first appearance."""
    import pandas as pd

    plain = [
        {key: _plain(f"part {row['part']}, column {key}", value) for key, value in row.items()}
        for row in rows
    ]
    return pd.DataFrame(plain)


def _plain(where: str, value: object) -> object:
    """Scalars of numpy, jax and torch as Python numbers; an array is an error."""
    if isinstance(value, list | tuple):
        return str(value)
    if getattr(value, "shape", ()) != ():
        raise UserError(f"{where}: found an array of shape {value.shape}, wanted a number")
    return value.item() if hasattr(value, "item") else value


def progress_of(name: str, total: int) -> Callable[[int], None]:
    """Say how far a job is, at most every five seconds."""
    start, last = time.perf_counter(), [0.0]

    def report(done: int) -> None:
        now = time.perf_counter()
        if done and now - last[0] >= 5:
            left = (now - start) / done * (total - done)
            spent = f"{now - start:.0f} s, about {left:.0f} s left"
            announce(f"{name}: cell {done + 1} of {total}, {spent}")
            last[0] = now

    return report


def _data_checksums() -> dict[str, str]:
    """Checksums of the data files that the job has read (`widenets.ntk.data` keeps them)."""
    data = sys.modules.get("widenets.ntk.data")
    return dict(getattr(data, "checksums_read", {}))


def _provenance() -> dict:
    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "absent"

    return {
        "versions": {name: installed(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "host": host(),
        "git": git_revision(),
    }


def git_revision() -> str:
    """The commit this code is from, marked where the tree differs from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown (git is not installed)"
    return found.stdout.strip() or "unknown (not a git checkout)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--results", type=Path, required=True, help="folder results/TIER")
    parser.add_argument("--replication", required=True)
    parser.add_argument("--shard", default="main")
    parser.add_argument("--seed", type=int, default=0, help="added to every seed")
    parser.add_argument("--seeds-at-most", type=int, default=0, help="of each block; 0 for all")
    parser.add_argument("--code", default="", help="digest of the code that was planned")
    parser.add_argument("--data-dir", type=Path, default=None)
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
