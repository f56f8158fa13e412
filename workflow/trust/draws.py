"""Verdicts and estimates of runs at other master seeds, kept in results/reference/stability.

A table for each kind and each replication: {tier}, the final verdicts at master seeds by which the
grids' seeds were chosen; {tier}_fresh, those at other ones; {tier}_estimate, {tier}_half_width and
the same of the control arm, what was found at all of them. A row for each claim that was judged,
ABOUT, then a column for each master seed.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from widenets.evidence.alarms import LOGARITHMS, chances
from workflow.base.digest import cells_digest, code_digest
from workflow.base.files import UserError
from workflow.base.grid import shard_digest, shards
from workflow.base.records import experiment_digest, read_table, write_table
from workflow.base.tree import ROOT

FRESH = "_fresh"
ARMS = ("", "control_")
FOUND = tuple(f"{arm}{what}" for arm in ARMS for what in ("estimate", "half_width"))
ABOUT = ["replication", "claim", "expected", "git", "digest"]


def digest_of(replication: str, tier: str) -> str:
    """Of the code, the cells and the claims that a replication's verdicts come from."""
    cells = [shard_digest(cells) for cells in shards(replication, tier).values()]
    claims = code_digest(f"replications.{replication}.claims", "widenets.evidence.judge")
    return cells_digest([experiment_digest(replication), claims, *cells])


def with_half_widths(checks: pd.DataFrame) -> pd.DataFrame:
    """Checks with half of the length of both arms' intervals: that of logarithms where the interval
    is one of logarithms."""
    for arm in ARMS:
        low, high = (checks[f"{arm}ci_{end}"].astype(float) for end in ("low", "high"))
        logs = (checks["interval"] == LOGARITHMS) & (low > 0)
        length = (np.log(high.where(logs)) - np.log(low.where(logs))).where(logs, high - low)
        checks = checks.assign(**{f"{arm}half_width": length / 2})
    return checks


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


class OfARun(NamedTuple):
    """What may be expected of a run at another master seed: the chances of each claim, that all
    come out as expected, and from how many draws of each paper, at least, both are computed."""

    claims: pd.DataFrame
    as_expected: float
    draws: int


def of_a_run(checks: pd.DataFrame, tier: str, root: Path = ROOT) -> OfARun:
    """From today's draw and all that are kept of today's code, which count alike: a tail that one
    draw in ten shows counts a tenth. Papers draw apart and are independent; claims of one paper are
    so within a draw alone, since a network that fails may take several with it."""
    found = [chances_of(draw) for draw in typical(checks, tier, root)]
    every = pd.concat(found, keys=range(len(found)), names=["draw"])
    claims = every.groupby(["replication", "claim"], sort=False).mean().reset_index()
    kept_of = (1 - every["alarm"].fillna(0.0)).groupby([every["replication"], "draw"]).prod()
    papers = kept_of.groupby("replication")
    return OfARun(claims, float(papers.mean().prod()), int(papers.size().min()))


def chances_of(draw: pd.DataFrame) -> pd.DataFrame:
    """`chances` of the claims, an alarm for certain where the draw had no number."""
    found = chances(draw)
    lacking = draw.set_index(["replication", "claim"])["lacking"]
    without = lacking.reindex(pd.MultiIndex.from_frame(found[["replication", "claim"]])).to_numpy()
    return found.assign(alarm=found["alarm"].mask(without, 1.0))


def typical(checks: pd.DataFrame, tier: str, root: Path = ROOT) -> list[pd.DataFrame]:
    """Checks of a run whose intervals are as long as those of a draw, about the mean of all; for
    each draw the claims of papers of which it is kept. lacking: the draw had no number where today
    has one; draws: of how many the mean is."""
    checks = with_half_widths(checks)
    of_arms = {
        arm: [_draws(checks, tier, f"{arm}{what}", root) for what in ("estimate", "half_width")]
        for arm in ARMS
    }
    found = []
    count = of_arms[""][0].notna().sum(axis="columns").clip(lower=1)
    for seed in of_arms[""][0]:
        draw = checks.assign(lacking=False, draws=count)
        for arm, (estimates, halves) in of_arms.items():
            longer = halves[seed] / halves["today"]
            draw = _about_the_mean(draw, arm, estimates, longer.to_numpy())
            draw["lacking"] |= estimates[seed].isna() & estimates["today"].notna()
        numbers = of_arms[""][0][seed].notna()
        there = numbers.groupby(checks["replication"]).transform("any") | (seed == "today")
        found.append(draw[there].drop(columns=[f"{arm}half_width" for arm in ARMS]))
    return found


def _draws(checks: pd.DataFrame, tier: str, column: str, root: Path) -> pd.DataFrame:
    """What `column` was at the master seeds kept of today's code, and today; a row per check."""
    names = ["replication", "claim"]
    others = kept(f"{tier}_{column}", root)
    current = {name: digest_of(name, tier) for name in others["replication"].unique()}
    others = others[others["digest"] == others["replication"].map(current)]
    draws = others.drop(columns=ABOUT[2:]).set_index(names)
    draws = draws.reindex(pd.MultiIndex.from_frame(checks[names])).set_axis(checks.index)
    return draws.assign(today=checks[column].astype(float))


def _about_the_mean(checks, arm: str, estimates: pd.DataFrame, longer) -> pd.DataFrame:
    """The ends of one arm about the mean of the estimates, `longer` times as far from it as today's
    are from theirs. Along logarithms where they are of logarithms; what is no number stays."""
    ends = [f"{arm}{end}" for end in ("estimate", "ci_low", "ci_high")]
    today, every = checks[ends].to_numpy(float), estimates.to_numpy(float)
    logs = (checks["interval"] == LOGARITHMS).to_numpy()
    logs = logs & (estimates.min(axis="columns") > 0).to_numpy() & (today > 0).all(axis=1)
    logs = logs[:, None]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        every, of_today = (np.where(logs, np.log(one), one) for one in (every, today))
        away = (of_today - of_today[:, :1]) * np.where(np.isfinite(longer), longer, 1.0)[:, None]
        moved = pd.DataFrame(every).mean(axis="columns").to_numpy()[:, None] + away
        moved = np.where(logs, np.exp(moved), moved)
    moved = np.where(np.isfinite(moved), moved, today)
    return checks.assign(**dict(zip(ends, moved.T, strict=True)))


def _joined(earlier: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The new rows with the earlier seeds beside theirs, if both are of the same code."""
    if set(earlier["digest"]) != set(rows["digest"]):
        return rows
    others = [column for column in earlier if column not in rows]
    both = rows.merge(earlier[["claim", *others]], on="claim")
    return both[ABOUT + sorted(both.columns.drop(ABOUT), key=int)]


def _folder(kind: str, root: Path) -> Path:
    return root / "results" / "reference" / "stability" / kind
