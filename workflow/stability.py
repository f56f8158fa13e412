"""`python -m workflow.stability`: how often does a final verdict change with the master seed?

Runs a tier with `seed` = 1000, 2000, ... (all weights and data new), each in a folder of its own,
and writes per claim in how many runs its final verdict was the expected one.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from workflow.files import UserError, announce, exit_code
from workflow.records import write_table
from workflow.tree import ROOT, TIERS, Results

STEP = 1000  # between master seeds: more than any grid has seeds, so that no draw is shared


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tier", choices=TIERS, default="smoke")
    parser.add_argument("--seeds", type=int, default=20, help="how many master seeds")
    parser.add_argument("--replications", default="all")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=Path, required=True, help="keeps the runs; resumes there")
    parser.add_argument("--output", type=Path, required=True, help="CSV, one row per claim")
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
    write_table(arguments.output, table)
    share = table["as_expected"].sum() / table["runs"].sum()
    announce(f"{share:.2%} of {table['runs'].sum()} (claim, seed) pairs are as expected")
    for row in table[table["as_expected"] < table["runs"]].itertuples():
        announce(f"{row.replication}: {row.claim}: {row.as_expected} of {row.runs}: {row.others}")
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
    path = Results(folder / "results" / settings[0].removeprefix("tier=")).all_checks
    if not path.exists():
        raise UserError(f"{log}: the run made no checks")
    checks = pd.read_csv(path, keep_default_na=False)
    if checks["reason"].str.startswith("withheld").any():
        raise UserError(f"{log}: the run is not complete")
    return checks


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
            "others": " ".join(sorted(found["final"][found["final"] != found["expected"]])),
        }
        for (replication, claim), found in judged.groupby(["replication", "claim"], sort=False)
    ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
