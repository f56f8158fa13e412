"""`python -m workflow.measure`: run the cells of one shard and write its record."""

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from widenets.ntk.subject.contract import SubjectError
from workflow.base import selection
from workflow.base.files import UserError
from workflow.base.grid import Cell, Seeds, shard_digest, shards
from workflow.base.records import experiment_digest, experiment_outside, write_record
from workflow.base.rows import experiment_of, measured
from workflow.base.tree import Results, known, tier_folder
from workflow.host.clock import compile_clock
from workflow.host.device import needed, ready
from workflow.host.machine import give_back_memory, host, peak_memory_mb
from workflow.host.progress import remaining
from workflow.host.revision import git_revision
from workflow.host.terminal import announce, exit_code
from workflow.host.unfinished import (
    Cost,
    Unfinished,
    checksums_read,
    keys_of,
    unfinished_path,
)

LIBRARIES = ("jax", "jaxlib", "torch", "numpy", "scipy", "scikit-learn", "pandas", "snakemake")


def main() -> None:
    arguments = _parser().parse_args()
    results, replication = tier_folder(arguments.results), known(arguments.replication)
    if arguments.code not in ("", experiment_digest(replication)):
        raise UserError(f"{replication}: its code changed while it waited; run again")
    seeds = Seeds(
        arguments.seed,
        arguments.seeds_at_most,
        arguments.subject,
        **selection.given(arguments),
    )
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
    cells = _cells_of(replication, results.tier, shard, seeds)
    outside = experiment_outside(replication, seeds.subject)
    rests_on = {"code": experiment_digest(replication), "outside": outside}
    started, path = datetime.now(UTC), results.record(replication, shard)
    clock = time.perf_counter()
    device = ready(seeds.device, needed([replication]))
    experiment = experiment_of(replication, seeds.device)
    started_up, compiling = time.process_time(), compile_clock()

    def now() -> Cost:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu_seconds = usage.ru_utime + usage.ru_stime - spent
        return Cost(cpu_seconds, compiling(), time.perf_counter() - clock, peak_memory_mb())

    known = Unfinished(unfinished_path(path), keys_of(cells, {**rests_on, "device": device}), now)
    text, count = _measured(experiment, cells, data_dir, known, f"{replication}/{shard}")
    facts = {
        "replication": replication,
        "tier": results.tier,
        "shard": shard,
        **rests_on,
        "cells": shard_digest(cells),
        "rows": count,
        "seeds": sorted({seed for cell in cells for seed in cell.seeds}),
        "started": started.isoformat(timespec="seconds"),
        "start_seconds": round(started_up - spent, 2),
        **_costs(known, now()),
        "data": {**known.data, **checksums_read()},
        "device": device,
        **_provenance(),
    }
    write_record(path, text, facts)
    known.path.unlink(missing_ok=True)
    return facts


def _costs(known: Unfinished, here: Cost) -> dict:
    """What the record cost: this process, and the cells that it took over from jobs that did not
    end, without what those lost. Per cell, in the grid's order, for `trust.cost --plan`."""
    every, taken = known.costs(sorted(known)), known.costs(known.taken)
    return {
        "seconds": round(here.seconds + sum(one.seconds for one in taken), 2),
        "compile_seconds": round(sum(one.compile_seconds for one in (here, *taken)), 2),
        "cpu_seconds": round(here.cpu_seconds + sum(one.cpu_seconds for one in taken), 2),
        "max_rss_mb": max(one.max_rss_mb for one in (here, *taken)),
        "taken_over": {
            "cells": len(taken),
            "cpu_seconds": round(sum(one.cpu_seconds for one in taken), 2),
            "hosts": sorted({known.kept[number].host for number in known.taken}),
        },
        "per_cell": {
            key: [getattr(one, key) for one in every]
            for key in ("cpu_seconds", "compile_seconds", "max_rss_mb")
        },
    }


def _measured(
    experiment: ModuleType,
    cells: list[Cell],
    data_dir: Path | None,
    known: Unfinished,
    name: str,
) -> tuple[str, int]:
    from widenets.ntk.data import DataError  # only now: it loads numpy

    if known.damaged:
        announce(f"{name}: {known.damaged} damaged lines in {known.path.name}: measured again")
    tell = progress_of(name, len(cells), known.taken)

    def begins(number: int) -> None:
        give_back_memory()
        tell(number)
        known.begin()

    try:
        return measured(experiment, cells, data_dir, begins, known)
    except (DataError, SubjectError) as error:
        raise UserError(str(error)) from error


def _cells_of(replication: str, tier: str, shard: str, seeds: Seeds) -> list[Cell]:
    present = shards(replication, tier, seeds)
    if shard not in present:
        raise UserError(
            f"{replication}: {tier}: unknown shard {shard!r}; the grid has {', '.join(present)}"
        )
    return present[shard]


def progress_of(name: str, total: int, taken: Sequence[int] = ()) -> Callable[[int], None]:
    """Say how far a job is, at most every five seconds, and at once how many of its cells are
    `taken` over from a job that did not end."""
    start, last = time.perf_counter(), [0.0]
    over = f"{len(taken)} taken over, " if taken else ""
    if taken:
        announce(f"{name}: {len(taken)} of {total} cells taken over from a job that did not end")

    def report(number: int) -> None:
        now = time.perf_counter()
        done = number - sum(one < number for one in taken)  # by this job
        if done and now - last[0] >= 5:
            left = (now - start) / done * (total - len(taken) - done)
            spent = f"{now - start:.0f} s, about {left:.0f} s left"
            announce(f"{name}: cell {number + 1} of {total}, {over}{spent}")
            last[0] = now

    return report


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--results", type=Path, required=True, help="folder results/TIER")
    parser.add_argument("--replication", required=True)
    parser.add_argument("--shard", default="main")
    parser.add_argument("--seed", type=int, default=0, help="added to every seed")
    parser.add_argument("--seeds-at-most", type=int, default=0, help="of each block; 0 for all")
    parser.add_argument("--subject", default="", help="a reader's file, for your_network")
    selection.options(parser)
    parser.add_argument("--code", default="", help="digest of the code that was planned")
    parser.add_argument("--data-dir", type=Path, default=None)
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
