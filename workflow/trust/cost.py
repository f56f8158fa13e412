"""`python -m workflow.trust.cost results/TIER ...`: where the time of runs goes (docs/cost.md).

Measuring jobs note what they spent up to their first cell and in XLA's compiler; snakemake notes
what the other jobs spent. All of it is CPU time, so that runs count that were made piece by piece
or beside other work: the page is made from the facts of any finished run.

`--plan TIER` says instead, before anything runs, what each shard of a tier will take, from what
cells took in smaller tiers (`forecast.py`); with `--publish` it goes to docs/cost_TIER.md.
"""

import argparse
import json
import os
import subprocess
import sys
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

Made by `python -m workflow.trust.cost {folders}` from the provenance of finished
runs. CPU seconds of jobs that each run on one thread; what a run takes by the clock is
their sum over the number of cores, and a few minutes at its end, when no job is left for some.
*Start-up*: Python, imports, the grid. *Compilation*: what jax gives to XLA (its tracing counts as
computing), taken by the clock, times the share of the clock in which the job had a core.
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
    rows = [
        *(row(short_title(name), one) for name, one in costs.items()),
        row("all papers", total),
        {"paper": "report", "jobs": 1, "sum": f"{report:.0f}"},
    ]
    shown = pd.DataFrame(rows, dtype=object).fillna("")
    lines = [
        f"## {results.tier}",
        "",
        f"{(total.total + report) / 60:.1f} min of one core ({machine(made)}); `index.html` has",
        f"{page_size(results):.1f} MB. With nothing left to do `snakemake -n` takes",
        f"{dry_run(made['settings']):.1f} s.",
        "",
        markdown(shown, right=list(shown.columns[1:])),
    ]
    return "\n".join(lines)


def cost(results: Results, made: dict, name: str) -> Cost:
    records = [record for record in made["records"] if record["replication"] == name]
    started = sum(record["start_seconds"] for record in records)
    compiled = sum(map(compiling, records))
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


def compiling(record: dict) -> float:
    """CPU seconds in XLA's compiler, of which a record knows those by the clock."""
    with_a_core = (record["cpu_seconds"] - record["start_seconds"]) / record["seconds"]
    return record["compile_seconds"] * min(1.0, with_a_core)


def benchmark(path: Path) -> float:
    """CPU seconds of a job's last run, as snakemake noted them."""
    if not path.exists():
        raise UserError(f"{path}: missing; the run is not complete")
    found = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["cpu_time"]
    if not isinstance(found, int | float):
        raise UserError(f"{path}: cpu_time: found {found!r}, wanted seconds; run that job again")
    return found


def dry_run(settings: dict) -> float:
    """CPU seconds of `snakemake -n`, the least of three."""
    chosen = f"tier={settings['tier']}", f"replications={','.join(settings['replications'])}"
    command = [sys.executable, "-m", "snakemake", "-n", "--config", *chosen]
    best = float("inf")
    for _ in range(3):
        before = os.times()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        after = os.times()
        spent = after.children_user + after.children_system
        best = min(best, spent - before.children_user - before.children_system)
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
