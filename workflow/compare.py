"""`python -m workflow.compare NEW [OLD]`: what has changed between two folders of results.

OLD is the committed reference of NEW's tier if it is not given. Reported are: a verdict that
changed; a claim added or removed; an estimate, of the claim's arm or of its control, that moved by
more than is explained by

  the seeds, where the draws differ: Welch's t-test from the two 99 % intervals, at a level such
      that a suite of unchanged claims raises a false alarm in at most 1 % of comparisons
      (Bonferroni; exact for means over seeds; Fisher's exact test for shares of seeds; else
      approximate: of an asymmetric interval the half that faces the other estimate counts);
  rounding, where code, cells and seeds are the same: a tenth of the interval's half-width;
  the stated resolution, where the number is deterministic;

and a job whose cost rose: CPU time by a factor of 2 and 5 s, or memory by a factor of 1.5 and
200 MB. Exit code 0: nothing of that; 1: claims differ; 2: a folder cannot be read; 3: only costs.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

from workflow.base.files import UserError, write_text
from workflow.base.records import read_table
from workflow.base.terminal import announce, exit_code
from workflow.drift import Interval, difference, kind_of
from workflow.page import view
from workflow.page.content import number, state
from workflow.reference import folder_of

FALSE_ALARMS = 0.01  # of a whole comparison, were nothing changed but the seeds
COSTS = {"cpu_seconds": (2.0, 5.0, "CPU s"), "max_rss_mb": (1.5, 200.0, "MB")}
CLAIMS_DIFFER, ONLY_COSTS = 1, 3
KINDS = tuple(view.KINDS)
COUNT = ("verdict changed", "moved", "removed", "added")  # these set the exit code


class Kept(NamedTuple):
    """What a folder of results, or a reference, says."""

    name: str
    tier: str
    git: str
    checks: dict[tuple[str, str], dict]
    records: dict[tuple[str, str], dict]

    def draws(self, replication: str) -> list[tuple]:
        """What decides which numbers are drawn, and how they are used."""
        return sorted(
            (shard, record["code"], record["cells"], tuple(record["seeds"]))
            for (paper, shard), record in self.records.items()
            if paper == replication
        )


class Change(NamedTuple):
    """One claim in both folders; `old` or `new` is None where it is only in the other."""

    kind: str
    replication: str
    claim: str
    old: dict | None
    new: dict | None
    text: str


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("new", type=Path, help="a folder of results, results/TIER")
    parser.add_argument("old", type=Path, nargs="?", help="another, or a reference (the default)")
    parser.add_argument("--html", type=Path, help="write a page that shows both")
    arguments = parser.parse_args()
    new = read(arguments.new)
    old = read(arguments.old or folder_of(new.tier))
    if old.tier != new.tier:
        raise UserError(f"{old.name} is of the {old.tier} tier, {new.name} of the {new.tier} tier")
    changes, costs = compare(new, old)
    for line in lines(changes, costs):
        announce(line)
    if arguments.html:
        write_text(
            arguments.html, view.comparison(new, old, changes, costs, summary(changes), __doc__)
        )
    if any(change.kind in COUNT for change in changes):
        return CLAIMS_DIFFER
    return ONLY_COSTS if costs else 0


def read(folder: Path) -> Kept:
    try:
        checks = read_table(folder / "checks.csv")
        made = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        rows = checks.astype(object).where(checks.notna(), None).to_dict("records")
        kept = Kept(
            str(folder),
            made["settings"]["tier"],
            made["git"],
            {(row["replication"], row["claim"]): _named(row) for row in rows},
            {(record["replication"], record["shard"]): record for record in made["records"]},
        )
        reduced = made["settings"].get("seeds_at_most")
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: missing; is {folder} a folder of results?") from None
    except (ValueError, KeyError, TypeError):  # pandas raises ValueErrors at a bad CSV
        raise UserError(f"{folder}: checks.csv or provenance.json is damaged") from None
    if reduced:
        raise UserError(f"{folder}: a run with reduced seeds has no verdicts to compare")
    return kept


def _named(row: dict) -> dict:
    """A row with its state; open ends of its region are None."""
    withheld = str(row["reason"]).startswith("withheld:")
    ends = {key: number(row[key]) for key in ("region_low", "region_high")}
    return {**row, **ends, "state": state(row, withheld)}


def compare(new: Kept, old: Kept) -> tuple[list[Change], list[str]]:
    """Changes of the claims, those that matter most first, and jobs whose cost rose.

    Only replications that the new folder has are looked at: a run may be restricted to some.
    """
    present = {replication for replication, _ in new.checks}
    keys = list(new.checks) + [k for k in old.checks if k not in new.checks and k[0] in present]
    both = sum(key in new.checks and key in old.checks for key in keys)
    level = FALSE_ALARMS / max(1, 2 * both)  # two estimates for each claim
    same_draws = {name for name in present if new.draws(name) == old.draws(name)}
    changes = [
        change(key, old.checks.get(key), new.checks.get(key), level, key[0] in same_draws)
        for key in keys
    ]
    changes.sort(key=lambda one: KINDS.index(one.kind))
    return changes, dearer(new, old)


def change(
    key: tuple[str, str], old: dict | None, new: dict | None, level: float, same_draws: bool
) -> Change:
    if old is None or new is None:
        return Change("added" if old is None else "removed", *key, old, new, "")
    arms = [
        difference(_interval(old, prefix), _interval(new, prefix), level, same_draws)
        for prefix in ("", "control_")
    ]
    texts = [
        f"{name}: {text}" if name else text
        for name, (_, text) in zip(("", "control"), arms, strict=True)
        if text
    ]
    if new["region"] != old["region"]:
        texts.insert(0, f"accepted region was {old['region']}, is {new['region']}")
    if old["state"] != new["state"]:
        kind = "verdict changed"
        texts.insert(0, f"{old['state']} → {new['state']}")
    else:
        kind = min((kind for kind, _ in arms), key=KINDS.index)
    return Change(kind, *key, old, new, "; ".join(texts))


def _interval(row: dict, prefix: str) -> Interval:
    """The estimate of one arm; both arms have the same number of seeds."""
    numbers = (row[f"{prefix}estimate"], row[f"{prefix}ci_low"], row[f"{prefix}ci_high"])
    return Interval(*numbers, int(row["n_seeds"] or 0), kind_of(row.get("note") or ""))


def dearer(new: Kept, old: Kept) -> list[str]:
    """Jobs in both folders that cost more than before by a factor and by an amount."""
    found = []
    for key in new.records.keys() & old.records.keys():
        for what, (factor, amount, unit) in COSTS.items():
            was, now = old.records[key][what], new.records[key][what]
            if now > factor * was and now > was + amount:
                found.append(f"{'/'.join(key)}: {was:.4g} → {now:.4g} {unit}")
    return sorted(found)


def summary(changes: list[Change]) -> str:
    counts = {kind: sum(one.kind == kind for one in changes) for kind in KINDS}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def lines(changes: list[Change], costs: list[str]) -> list[str]:
    """For the terminal: the summary, then what changed."""
    found = [summary(changes) or "no claims"]
    found += [
        f"{one.kind}: {one.replication}: {one.claim}" + (f": {one.text}" if one.text else "")
        for one in changes
        if one.kind != "same"
    ]
    return found + [f"cost up: {line}" for line in costs]


if __name__ == "__main__":
    sys.exit(exit_code(main))
