"""`python -m workflow.trust.sharpness results/TIER`: what does each verdict rule out?

For every claim that a run has judged: the smallest shift of its prediction, in each direction, at
which the same numbers would no longer pass; whether its interval contains the prediction; its
nearest rival. Nothing is measured: interval and verdict come from checks.csv, kind, prediction and
rival from today's claims, whose regions must be those of the run.
`--publish` keeps the table as results/reference/sharpness.csv and renews docs/sharpness.md.
"""

import argparse
import math
import re
from pathlib import Path

import pandas as pd

from widenets.evidence.claim import KINDS, UNCLASSIFIED, Claim, Estimate
from widenets.evidence.judge import agreement, resolution
from workflow.assemble import results_folder
from workflow.base.files import UserError, write_text
from workflow.base.records import read_table, write_table
from workflow.base.tree import ROOT, TIERS, Results, replications
from workflow.host.terminal import announce, exit_code
from workflow.judge import claims_of
from workflow.page.content import unit
from workflow.page.strip import short
from workflow.page.texts import resolution as told
from workflow.trust.document import percent, table

SHIFTS = {"level": (0.05, 0.03), "exponent": (0.1, 0.05)}  # relative; in units of the exponent
EVERY = (*KINDS, UNCLASSIFIED)
CORRECTION = re.compile(r"\bCorrection: (?P<named>.*[\d^/%].*)", re.DOTALL)
COLUMNS = (
    *("replication", "claim", "tier", "kind", "prediction", "scale", "region", "two_sided"),
    *("final", "expected", "estimate", "ci_low", "ci_high", "n_seeds", "interval"),
    *("resolves_below", "resolves_above", "unit", "agrees", "rival", "rival_who"),
)
INTRODUCTION = """\
Made by `python -m workflow.trust.sharpness results/TIER --publish`; all rows lie in
[`results/reference/sharpness.csv`](../results/reference/sharpness.csv).

*Notices*: the smallest shift of the prediction, its region with it, towards smaller and larger
values, at which the same interval would no longer pass; in the unit of the estimate, for levels
also in percent of the prediction (of the stated scale where that is 0). What does not pass, or is
refuted as expected, notices nothing. The control is left out. *Agrees*: the interval contains the
prediction; a pass that does not is one within the margin, and if chance does not explain that, its
claim names after *Correction:*, where it says why it has its region, what is left and of which
order that is. *Rival*: the nearest wrong theory, with who would hold it; a two-sided region reaches
at most half of the way to it. A claim that does not say its kind is *unclassified*; a one-sided
region is a bound by itself.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="results/TIER, or a reference")
    parser.add_argument("--publish", action="store_true", help="keep the table as the reference")
    arguments = parser.parse_args()
    rows = sharpness(results_folder(arguments.folder))
    if arguments.publish:
        publish(rows)
    announce(summary(rows))


def publish(rows: pd.DataFrame, root: Path = ROOT) -> None:
    path = root / "results" / "reference" / "sharpness.csv"
    write_table(path, rows)
    write_text(root / "docs" / "sharpness.md", page(read_table(path)))


def sharpness(results: Results) -> pd.DataFrame:
    """A row of `COLUMNS` per judged claim."""
    path = results.all_checks
    if not path.exists():
        raise UserError(f"{path}: missing; is {results.folder} a folder of results?")
    claims = {(name, claim.name): claim for name in replications() for claim in claims_of(name)}
    rows = []
    for row in read_table(path).to_dict("records"):
        claim = claims.get((row["replication"], row["claim"]))
        if claim is None or (claim.region.low, claim.region.high) != _region(row):
            raise UserError(
                f"{path}: {row['replication']}: {row['claim']}: not a claim of today with the "
                f"region {row['region']}; run the {results.tier} tier again"
            )
        if row["final"] != "not judged":
            rows.append(one(row, claim, results.tier))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def one(row: dict, claim: Claim, tier: str) -> dict:
    """What one row of checks.csv rules out, seen with today's claim."""
    numbers = (float(row[key]) for key in ("estimate", "ci_low", "ci_high"))
    estimate = Estimate(*numbers, int(row["n_seeds"]))
    passes = row["final"] == row["expected"] == "pass"
    below, above = resolution(estimate, claim.region) if passes else (math.nan, math.nan)
    found = {
        **{key: row[key] for key in ("replication", "claim", "region", "final", "expected")},
        **{key: row[key] for key in ("estimate", "ci_low", "ci_high", "n_seeds")},
        "tier": tier,
        "kind": claim.classification,
        "two_sided": claim.region.two_sided,
        "prediction": math.nan if claim.predicted is None else claim.predicted,
        "scale": math.nan if claim.scale is None else claim.scale,
        "interval": row.get("interval", ""),
        "resolves_below": below,
        "resolves_above": above,
        "agrees": agreement(estimate, claim),
        "rival": claim.rival.value if claim.rival else math.nan,
        "rival_who": claim.rival.who if claim.rival else "",
    }
    of_level = unit(found)
    return {**found, "unit": math.nan if of_level is None else of_level}


def correction(why: str) -> str:
    """What a claim's `why` names after "Correction:", an order or a size in it; "" if nothing."""
    found = CORRECTION.search(why)
    return found["named"] if found else ""


def noticed(rows: pd.DataFrame, shift: float) -> tuple[pd.Series, pd.Series]:
    """Which passes notice a shift: in both directions, in one at least; relative for levels."""
    scale = rows["unit"].fillna(1.0)
    below = rows["resolves_below"] < shift * scale
    above = rows["resolves_above"] < shift * scale
    return below & above, below | above


def summary(rows: pd.DataFrame) -> str:
    """Markdown: how sharp the two-sided passes are, and what all claims are of."""
    passes = rows[(rows["final"] == "pass") & (rows["expected"] == "pass")]
    two_sided = passes[passes["two_sided"].astype(bool)]
    lines = []
    for kind, shifts in SHIFTS.items():
        of_kind = two_sided[two_sided["kind"] == kind]
        for shift in shifts:
            by = f"{shift:.0%}" if kind == "level" else f"{shift:g}"
            both, either = noticed(of_kind, shift)
            lines.append((f"{kind}s: notice {by} in both directions", both))
            lines.append((f"{kind}s: notice {by} in one direction at least", either))
    for name, of_kind in (("two-sided passes", two_sided), *_by_kind(two_sided)):
        predicted = of_kind[of_kind["prediction"].notna()]
        lines.append(
            (f"{name}: the interval contains the prediction", predicted["agrees"] == "yes")
        )
    lines.append(("two-sided passes: name a rival", two_sided["rival"].notna()))
    shares = pd.DataFrame([_counted(what, which) for what, which in lines])
    counts = [
        {"kind": kind, "judged": int((rows["kind"] == kind).sum())}
        | {"pass": int((passes["kind"] == kind).sum())}
        | {"pass, two-sided": int((two_sided["kind"] == kind).sum())}
        for kind in EVERY
    ]
    return f"{table(shares)}\n{table(pd.DataFrame(counts))}"


def page(rows: pd.DataFrame) -> str:
    """docs/sharpness.md."""
    words = ["agrees", "rival_who", "interval"]
    rows = rows.assign(**rows[words].astype(object).fillna(""))
    tiers = [tier for tier in TIERS if tier in set(rows["tier"])]
    lines = ["# Sharpness: what a verdict rules out", "", INTRODUCTION]
    lines += [f"## Summary ({', '.join(tiers)} tier)", "", summary(rows)]
    for name, of_paper in rows.groupby("replication", sort=False):
        shown = pd.DataFrame([_shown(row) for row in of_paper.to_dict("records")])
        lines += [f"## {name}", "", table(shown)]
    return "\n".join(lines)


def _shown(row: dict) -> dict[str, str]:
    """One claim of the page."""
    numbers = ("unit", "resolves_below", "resolves_above")
    known = {key: None if math.isnan(row[key]) else row[key] for key in numbers}
    refuted = row["final"] == row["expected"] == "fail"
    interval = f"{_number(row['estimate'])} [{_number(row['ci_low'])}, {_number(row['ci_high'])}]"
    return {
        "claim": f"`{row['claim']}`",
        "verdict": "refuted" if refuted else row["final"],
        "kind": row["kind"],
        "prediction": _number(row["prediction"]),
        "accepted": row["region"],
        "estimate": "none" if math.isnan(row["estimate"]) else interval,
        "interval": row["interval"],
        "agrees": row["agrees"],
        "notices": told(known),
        "rival": f"{_number(row['rival'])}: {row['rival_who']}" if row["rival_who"] else "",
    }


def _number(value: float) -> str:
    return "" if math.isnan(value) else short(value, 3)


def _by_kind(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(f"of kind {kind}", rows[rows["kind"] == kind]) for kind in EVERY]


def _counted(what: str, which: pd.Series) -> dict:
    share = percent(which.mean()) if len(which) else ""
    return {"what": what, "claims": len(which), "of them": int(which.sum()), "share": share}


def _region(row: dict) -> tuple[float, float]:
    return float(row["region_low"]), float(row["region_high"])


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
