"""`python -m workflow.trust.cost results/TIER ...`: where the time of runs goes (docs/cost.md).

Measuring jobs note what they spent up to their first cell and in XLA's compiler; snakemake times
the other jobs. A run's time is that from its plan to its gate, so that it must have been made in
one go: `rm -rf results/TIER; snakemake --cores 2 --config tier=TIER`, on an idle machine.

`--plan TIER` says instead, before anything runs, what each shard of a tier will take, from what
cells took in smaller tiers (`forecast.py`); with `--publish` it goes to docs/cost_TIER.md.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from workflow.assemble import provenance, refuse_subject, results_folder
from workflow.base.files import UserError, write_text
from workflow.base.tree import ROOT, TIERS, Results, known, replications
from workflow.host.terminal import announce, exit_code
from workflow.page.content import readme
from workflow.trust.document import table as markdown
from workflow.trust.forecast import page

COLUMNS = ("start-up", "compilation", "computing", "gather, judge", "draw", "sum")
HEAD = """\
# What a run costs

Made by `python -m workflow.trust.cost {folders}` after `snakemake --cores N --config tier=TIER`
into empty folders. Seconds of jobs that each run on one thread: measuring jobs in CPU time, the
others by the clock. *Start-up*: Python, imports, the grid. *Compilation*: what jax gives to XLA
(its tracing counts as computing). *Around the jobs*: cores in no job: snakemake's planning
and bookkeeping, the start of shells and interpreters, and the end, when no job is left.
"""
BOUNDS = """\
## What bounds the rest

* Computing: the seeds and sizes that the 99 % intervals need. One thread per job is the price of
  results that are byte-identical for every number of cores; jobs run side by side instead.
* Compilation: one program per shape. The shapes are those of the grids; seeds and rates share one.
* Start-up: one interpreter with jax (torch where it is used) per job. Fewer, longer jobs would save
  it and leave cores idle at the end; the longest jobs start first.
* Drawing: every figure is laid out once and written twice, as SVG and as PDF.
* An unchanged tree: snakemake's own imports and its graph of jobs; the digests of all sources are
  computed anew, because no date of a file is trusted.
"""


class Cost(NamedTuple):
    """Seconds of one replication in one run."""

    jobs: int
    start_up: float
    compiling: float
    computing: float
    judging: float
    drawing: float

    @property
    def total(self) -> float:
        return sum(self[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folders", type=Path, nargs="*", help="results/TIER")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "cost.md")
    parser.add_argument("--plan", choices=TIERS, help="what this tier will cost")
    parser.add_argument("--results", type=Path, default=Path("results"), help="for --plan: tiers")
    parser.add_argument("--replications", default="", help="for --plan: names, by commas; all")
    parser.add_argument("--publish", action="store_true", help="for --plan: docs/cost_TIER.md")
    arguments = parser.parse_args()
    if bool(arguments.plan) == bool(arguments.folders):
        raise UserError("wanted either folders results/TIER or --plan TIER")
    if arguments.plan:
        _plan(arguments)
        return
    runs = [results_folder(folder) for folder in arguments.folders]
    names = " ".join(f"results/{results.tier}" for results in runs)
    sections = [HEAD.format(folders=names), *(section(results) for results in runs), BOUNDS]
    write_text(arguments.output, "\n".join(sections))
    announce(f"{arguments.output}: written")


def _plan(arguments: argparse.Namespace) -> None:
    chosen = arguments.replications
    names = [known(name) for name in chosen.split(",")] if chosen else replications()
    text = page(arguments.plan, arguments.results, names)
    print(text)
    if arguments.publish:
        path = ROOT / "docs" / f"cost_{arguments.plan}.md"
        write_text(path, text)
        announce(f"{path}: written")


def section(results: Results) -> str:
    """The table of one run with a line about the whole."""
    made = provenance(results)
    refuse_subject(results.folder, made, "no cost of the suite")
    costs = {name: cost(results, made, name) for name in made["settings"]["replications"]}
    report = benchmark(results.folder / "benchmarks" / "report.jsonl")
    total = Cost(*(sum(column) for column in zip(*costs.values(), strict=True)))
    cores, seconds = run_of(results, made)
    whole, named = cores * seconds, f"{cores} core{'s' if cores > 1 else ''}"
    rows = [
        *(row(short_title(name), one) for name, one in costs.items()),
        row("all papers", total),
        {"paper": "report", "jobs": 1, "sum": f"{report:.0f}"},
        {"paper": "around the jobs", "sum": f"{whole - total.total - report:.0f}"},
        {"paper": f"{named}, whole run", "sum": f"{whole:.0f}"},
    ]
    shown = pd.DataFrame(rows, dtype=object).fillna("")
    lines = [
        f"## {results.tier}",
        "",
        f"{seconds / 60:.1f} min on {named} ({machine(made)}); `index.html` has",
        f"{page_size(results):.1f} MB. With nothing left to do `snakemake -n` takes",
        f"{dry_run(made['settings']):.1f} s.",
        "",
        markdown(shown, right=list(shown.columns[1:])),
    ]
    return "\n".join(lines)


def cost(results: Results, made: dict, name: str) -> Cost:
    records = [record for record in made["records"] if record["replication"] == name]
    started = sum(record["start_seconds"] for record in records)
    compiled = sum(record["compile_seconds"] for record in records)
    folder = results.folder / "benchmarks"
    judging = sum(benchmark(folder / stage / f"{name}.jsonl") for stage in ("gather", "judge"))
    return Cost(
        jobs=len(records) + 3,
        start_up=started,
        compiling=compiled,
        computing=sum(record["cpu_seconds"] for record in records) - started - compiled,
        judging=judging,
        drawing=benchmark(folder / "draw" / f"{name}.jsonl"),
    )


def benchmark(path: Path) -> float:
    """Seconds by the clock of a job's last run, as snakemake noted them."""
    if not path.exists():
        raise UserError(f"{path}: missing; the run is not complete")
    return json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["s"]


def run_of(results: Results, made: dict) -> tuple[int, float]:
    """(cores, seconds) of the run that made these results."""
    plan, gate = results.folder / "plan.json", results.folder / "logs" / "gate.log"
    if not plan.exists() or not gate.exists():
        raise UserError(f"{results.folder}: holds no finished run of snakemake")
    planned = json.loads(plan.read_text(encoding="utf-8"))
    if any(record["taken_over"]["cells"] for record in made["records"]):
        raise UserError(f"{results.folder}: not made in one go: a job went on where one was killed")
    begun = plan.stat().st_mtime
    first = min(datetime.fromisoformat(record["started"]) for record in made["records"])
    if begun > first.timestamp() + 1:  # records note whole seconds
        raise UserError(f"{results.folder}: not made in one go; remove it and run the tier once")
    return planned["at_once"], gate.stat().st_mtime - begun


def dry_run(settings: dict) -> float:
    """Seconds of `snakemake -n`, the best of three."""
    chosen = f"tier={settings['tier']}", f"replications={','.join(settings['replications'])}"
    command = [sys.executable, "-m", "snakemake", "-n", "--config", *chosen]
    best = float("inf")
    for _ in range(3):
        clock = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        best = min(best, time.perf_counter() - clock)
    return best


def page_size(results: Results) -> float:
    return (results.report / "index.html").stat().st_size / 1e6


def machine(made: dict) -> str:
    return " and ".join(sorted({record["machine"] for record in made["records"]}))


def short_title(name: str) -> str:
    return readme(ROOT / "replications" / name / "README.md")[0].partition(":")[0] or name


def row(title: str, one: Cost) -> dict[str, object]:
    values = (f"{value:.0f}" for value in (*one[1:], one.total))
    return {"paper": title, "jobs": one.jobs, **dict(zip(COLUMNS, values, strict=True))}


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
