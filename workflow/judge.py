"""`python -m workflow.judge`: hold one replication's table against its claims."""

import argparse
import importlib
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from shared.evidence.claim import Verdict
from shared.evidence.judge import Judgement, judge
from workflow.files import exit_code, sha256, write_json
from workflow.records import claims_digest, read_table, write_table
from workflow.tree import Results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder results/TIER")
    parser.add_argument("--replication", required=True)
    parser.add_argument("--seeds-at-most", type=int, default=0, help="of a run that judges nothing")
    arguments = parser.parse_args()
    results = Results(arguments.results)
    table_path = results.table(arguments.replication)
    at_most = arguments.seeds_at_most
    checks = judged(arguments.replication, read_table(table_path), results.tier, at_most)
    path = results.checks(arguments.replication)
    write_table(path, checks)
    facts = {
        "claims": claims_digest(arguments.replication),
        "table": sha256(table_path),
        "checks": sha256(path),
        "seeds_at_most": at_most,
    }
    write_json(path.with_suffix(".json"), facts)


def claims_of(replication: str) -> list:
    return importlib.import_module(f"replications.{replication}.claims").CLAIMS


def judged(
    replication: str, table: pd.DataFrame, tier: str, seeds_at_most: int = 0
) -> pd.DataFrame:
    """One row per claim: the columns of checks.csv."""
    rows = [judge(claim, table, tier, replication=replication) for claim in claims_of(replication)]
    if seeds_at_most:
        rows = [unjudged(row, seeds_at_most) for row in rows]
    return pd.DataFrame([asdict(row) for row in rows])


def unjudged(row: Judgement, seeds_at_most: int) -> Judgement:
    """A claim in a run with fewer seeds than its tier has: its estimate, but no verdict."""
    none = str(Verdict.NOT_JUDGED)
    reason = f"reduced run: at most {seeds_at_most} seeds of each block"
    return replace(row, verdict=none, control_verdict=none, final=none, reason=reason)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
