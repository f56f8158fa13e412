"""Verdicts and estimates of runs at other master seeds, kept in results/reference/stability.

A table for each of KINDS and each replication: {tier}, the final verdicts at master seeds by which
the grids' seeds were chosen; {tier}_fresh, those at other ones; {tier}_estimates and
{tier}_control_estimates, what was found at all of them. A row for each claim that was judged,
ABOUT, then a column for each master seed.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from widenets.evidence.alarms import LOGARITHMS
from workflow.base.digest import cells_digest, code_digest
from workflow.base.files import UserError
from workflow.base.grid import shard_digest, shards
from workflow.base.records import experiment_digest, read_table, write_table
from workflow.base.tree import ROOT

FRESH = "_fresh"
ESTIMATES = ("estimate", "control_estimate")  # columns of checks.csv
ABOUT = ["replication", "claim", "expected", "git", "digest"]


def digest_of(replication: str, tier: str) -> str:
    """Of the code, the cells and the claims that a replication's verdicts come from."""
    cells = [shard_digest(cells) for cells in shards(replication, tier).values()]
    claims = code_digest(f"replications.{replication}.claims", "widenets.evidence.judge")
    return cells_digest([experiment_digest(replication), claims, *cells])


def by_seed(runs: list[pd.DataFrame], column: str = "final") -> pd.DataFrame:
    """A row per claim that is judged, a column per master seed with what `column` has there."""
    every = pd.concat(runs, ignore_index=True).assign(git=runs[-1]["git"].iloc[0])
    for name, digests in every.groupby("replication")["digest"].unique().items():
        if len(digests) > 1:
            raise UserError(f"{name}: its code has changed between the runs: give them once more")
    judged = every[every["final"] != "not judged"]
    wide = judged.pivot(index=ABOUT, columns="seed", values=column)
    wide.columns = [str(seed) for seed in wide.columns]
    if column != "final":
        wide = wide.map(lambda value: float(f"{value:.6g}"))  # enough for a mean
    order = judged[ABOUT].drop_duplicates()  # the order of the claims, which a pivot sorts away
    return order.merge(wide.reset_index(), on=ABOUT).reset_index(drop=True)


def add(table: pd.DataFrame, kind: str, root: Path = ROOT) -> None:
    """Keep these seeds beside those kept of the same code; what other code gave is replaced."""
    folder = _folder(kind, root)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in table.groupby("replication", sort=False):
        path = folder / f"{name}.csv"
        write_table(path, _joined(read_table(path), rows) if path.exists() else rows)


def kept(kind: str, root: Path = ROOT) -> pd.DataFrame:
    """All that is kept in the tables of one kind; an empty table where there is nothing."""
    found = [read_table(path) for path in sorted(_folder(kind, root).glob("*.csv"))]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=ABOUT)


def centered(checks: pd.DataFrame, tier: str, root: Path = ROOT) -> pd.DataFrame:
    """Checks with the intervals of both arms moved to the mean of their estimates and those kept
    of other master seeds, of today's code; their widths are what they were."""
    for column in ESTIMATES:
        others = kept(f"{tier}_{column}s", root)
        current = {name: digest_of(name, tier) for name in others["replication"].unique()}
        others = others[others["digest"] == others["replication"].map(current)]
        names = ["replication", "claim"]
        draws = others.drop(columns=ABOUT[2:]).set_index(names)
        checks = _moved(checks, column, draws.reindex(pd.MultiIndex.from_frame(checks[names])))
    return checks


def _moved(checks: pd.DataFrame, column: str, draws: pd.DataFrame) -> pd.DataFrame:
    """Ends of one arm, moved from today's estimate to the mean of all: along logarithms where the
    interval is one of logarithms. An estimate that is no number stays."""
    prefix = column.removesuffix("estimate")
    ends = [column, f"{prefix}ci_low", f"{prefix}ci_high"]
    found = checks[ends].astype(float)
    every = draws.assign(today=found[column].to_numpy()).set_axis(checks.index)
    in_logarithms = (checks["interval"] == LOGARITHMS) & (every.min(axis="columns") > 0)
    factor = np.exp(np.log(every.where(every > 0)).mean(axis="columns")) / found[column]
    summand = every.mean(axis="columns") - found[column]
    moved = found.mul(factor, axis=0).where(in_logarithms, found.add(summand, axis=0))
    return checks.assign(**moved.where(np.isfinite(moved), found))


def _joined(earlier: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The new rows with the earlier seeds beside theirs, if both are of the same code."""
    if set(earlier["digest"]) != set(rows["digest"]):
        return rows
    others = [column for column in earlier if column not in rows]
    both = rows.merge(earlier[["claim", *others]], on="claim")
    return both[ABOUT + sorted(both.columns.drop(ABOUT), key=int)]


def _folder(kind: str, root: Path) -> Path:
    return root / "results" / "reference" / "stability" / kind
