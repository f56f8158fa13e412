"""`python -m workflow.stability`: how often does a final verdict change with the master seed?

Runs a tier with `seed` = 1000, 2000, ... (all weights and data new), each in a folder of its own,
and writes per claim in how many runs its final verdict was the expected one. `--publish` puts these
rows in the place of the earlier ones of the same replications in results/reference/stability and
renews docs/stability.md from all that is there.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from workflow.assemble import provenance
from workflow.files import UserError, announce, exit_code, write_text
from workflow.records import read_table, write_table
from workflow.tree import ROOT, TIERS, Results

STEP = 1000  # between master seeds: more than any grid has seeds, so that no draw is shared

INTRODUCTION = (
    "Each run takes another master seed: all weights, data and trainings are new, the regions are",
    "the same. Counted are the claims that the tier decides. Made by",
    "`python -m workflow.stability --tier TIER --seeds N --folder FOLDER --publish`.",
)
PAPERS = (
    "| replication | claims | master seeds | pairs | as expected | measured at |",
    "|-|-:|-:|-:|-:|-|",
)
STRAYS = (
    "Claims that were not as expected at every seed:",
    "",
    "| replication | claim | as expected | otherwise |",
    "|-|-|-:|-|",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tier", choices=TIERS, default="smoke")
    parser.add_argument("--seeds", type=int, default=20, help="how many master seeds")
    parser.add_argument("--replications", default="all")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=Path, required=True, help="keeps the runs; resumes there")
    parser.add_argument("--publish", action="store_true", help="keep the table as the reference")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        raise UserError(f"--seeds: found {arguments.seeds}, wanted at least 1")
    runs = []
    for number in range(1, arguments.seeds + 1):
        settings = [
            f"tier={arguments.tier}",
            f"seed={STEP * number}",
            f"replications={arguments.replications}",
        ]
        runs.append(checks_of(arguments.folder / str(STEP * number), settings, arguments.cores))
        announce(f"{number} of {arguments.seeds} runs")
    table = agreement(runs)
    write_table(arguments.folder / "agreement.csv", table)
    announce(summary(table))
    for row in strays(table).itertuples():
        announce(f"{row.replication}: {row.claim}: {row.as_expected} of {row.runs}: {row.others}")
    if arguments.publish:
        publish(table, arguments.tier)
    return 0


def checks_of(folder: Path, settings: list[str], cores: int) -> pd.DataFrame:
    """Checks of one run in its own folder; a run that is not complete is an error."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    words += ["--profile", str(ROOT / "profiles" / "default"), "--cores", str(cores)]
    log = folder / "run.log"
    with log.open("w", encoding="utf-8") as output:
        subprocess.run(
            [sys.executable, "-m", "snakemake", *words, "--config", *settings],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    results = Results(folder / "results" / settings[0].removeprefix("tier="))
    if not results.all_checks.exists():
        raise UserError(f"{log}: the run made no checks")
    checks = pd.read_csv(results.all_checks, keep_default_na=False)
    if checks["reason"].str.startswith("withheld").any():
        raise UserError(f"{log}: the run is not complete")
    return checks.assign(git=provenance(results)["git"])


def agreement(runs: list[pd.DataFrame]) -> pd.DataFrame:
    """Per claim: runs that judged it, runs as expected, and the other verdicts met."""
    every = pd.concat(runs, ignore_index=True)
    judged = every[every["final"] != "not judged"]
    rows = [
        {
            "replication": replication,
            "claim": claim,
            "runs": len(found),
            "as_expected": int((found["final"] == found["expected"]).sum()),
            "others": counted(found["final"][found["final"] != found["expected"]]),
            "git": " ".join(found["git"].unique()),
        }
        for (replication, claim), found in judged.groupby(["replication", "claim"], sort=False)
    ]
    return pd.DataFrame(rows)


def counted(finals: pd.Series) -> str:
    """3 inconclusive, 1 fail"""
    return ", ".join(f"{count} {final}" for final, count in finals.value_counts().items())


def summary(table: pd.DataFrame) -> str:
    pairs = table["runs"].sum()
    return (
        f"{table['as_expected'].sum() / pairs:.2%} of {pairs} (claim, seed) pairs are as expected"
    )


def strays(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["as_expected"] < table["runs"]]


def publish(table: pd.DataFrame, tier: str, root: Path = ROOT) -> None:
    """Rows of other replications stay as they are; the page is made anew from every tier's rows."""
    path = root / "results" / "reference" / "stability" / f"{tier}.csv"
    if path.exists():
        kept = read_table(path)
        table = pd.concat([kept[~kept["replication"].isin(table["replication"])], table])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(path, table.sort_values("replication", kind="stable"))
    tables = {tier: path.with_name(f"{tier}.csv") for tier in TIERS}
    found = {tier: read_table(path) for tier, path in tables.items() if path.exists()}
    write_text(root / "docs" / "stability.md", page(found))


def page(tables: dict[str, pd.DataFrame]) -> str:
    """docs/stability.md: share of runs as expected per tier and paper, and every stray claim."""
    lines = ["# Stability: does a verdict depend on the master seed?", "", *INTRODUCTION]
    for tier, table in tables.items():
        lines += ["", f"## {tier}", "", summary(table) + ".", "", *PAPERS]
        for name, rows in table.groupby("replication", sort=False):
            pairs, agreed = rows["runs"].sum(), rows["as_expected"].sum()
            commits = ", ".join(
                f"`{commit[:7]}`" for commit in rows["git"].str.split().explode().unique()
            )
            cells = (name, len(rows), rows["runs"].max(), pairs, f"{agreed / pairs:.2%}", commits)
            lines.append(f"| {' | '.join(map(str, cells))} |")
        if len(strays(table)):
            lines += ["", *STRAYS]
        for row in strays(table).itertuples():
            seen = f"{row.as_expected} of {row.runs}"
            lines.append(f"| {row.replication} | {row.claim} | {seen} | {row.others} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
