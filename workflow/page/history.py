"""What the kept references of a tier said, commit by commit: which verdicts and claims changed.

Told from git alone, so that a copy of the tree without its history has none.
"""

import csv
import io
from pathlib import Path

from workflow.host.revision import git

SEPARATOR = "\t"


def kept(root: Path, tier: str) -> list[dict]:
    """The references of a tier, the newest first: {revision, date, says, claims, passes, refuted,
    others, added, removed, changed}, the last three lists of claims; changed: (claim, before, now).
    """
    path = f"results/reference/{tier}/checks.csv"
    lines = git(root, "log", f"--format=%H{SEPARATOR}%cs{SEPARATOR}%s", "--", path).splitlines()
    found, before = [], None
    for line in reversed(lines):
        commit, date, says = line.split(SEPARATOR, 2)
        text = git(root, "show", f"{commit}:{path}")
        if not text:  # taken away, until there were new ones
            continue
        now = verdicts(text)
        told = {"revision": commit[:12], "date": date, "says": says}
        found.append({**told, **_counts(now), **_changes(before, now)})
        before = now
    return found[::-1]


def verdicts(text: str) -> dict[str, tuple[str, str]]:
    """{claim with its paper: (final verdict, expected)} of a checks.csv."""
    rows = csv.DictReader(io.StringIO(text))
    return {f"{r['replication']}.{r['claim']}": (r["final"], r["expected"]) for r in rows}


def _counts(now: dict[str, tuple[str, str]]) -> dict[str, int]:
    pairs = list(now.values())
    passes, refuted = pairs.count(("pass", "pass")), pairs.count(("fail", "fail"))
    counted = {"claims": len(pairs), "passes": passes, "refuted": refuted}
    return {**counted, "others": len(pairs) - passes - refuted}


def _changes(before: dict | None, now: dict) -> dict[str, list]:
    if before is None:
        return {"added": [], "removed": [], "changed": []}
    both = sorted(before.keys() & now.keys())
    return {
        "added": sorted(now.keys() - before.keys()),
        "removed": sorted(before.keys() - now.keys()),
        "changed": [(c, before[c][0], now[c][0]) for c in both if before[c][0] != now[c][0]],
    }
