"""`python -m workflow.compare NEW [OLD]`: what has changed between two folders of results.

OLD is the committed reference of NEW's tier if it is not given (a network of your own has none: OLD
is then an earlier copy of its folder, or that of another network). Named are: a verdict that
changed; a claim added or removed; an estimate, of the claim's arm or of its control, that moved by
more than is explained by

  rounding, on any processor: 1e-11 of the estimate, or of one where it is smaller; the precision
      of single numbers, 1.2e-7 of the estimate, where seeds are trained; the edge of the accepted
      region where that is itself an allowance for rounding (at most 1e-6). What agrees so far, its
      interval too, is the same;
  rounding amplified by training, where code, cells and seeds are the same: a tenth of the
      interval's half-width, or what changes the single seeds up and down by chance (Student's
      t-test of the seeds' changes, at the level below);
  the stated resolution, where the number is deterministic;
  the seeds, where the draws differ: Welch's t-test from the two 99 % intervals, at a level such
      that a suite of unchanged claims raises a false alarm in at most 1 % of comparisons
      (Bonferroni; exact for means over seeds; Fisher's exact test for shares of seeds; else
      approximate: of an asymmetric interval the half that faces the other estimate counts).

Remarks, which concern the machine and no claim: libraries of another version, and a job whose cost
rose, CPU time by a factor of 2 and 5 s, or memory by a factor of 1.5 and 200 MB. Exit code 0: no
claim differs; 1: claims differ; 2: a folder cannot be read.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

from workflow.assemble import is_unmeasured, provenance_digest, refuse_part
from workflow.base.drift import Interval, difference, kind_of, residue_of
from workflow.base.environment import CPU
from workflow.base.files import UserError, sha256, write_text
from workflow.base.records import read_table
from workflow.base.tree import ROOT
from workflow.host.terminal import announce, exit_code
from workflow.page import view
from workflow.page.content import number, state
from workflow.reference import folder_of

FALSE_ALARMS = 0.01  # of a whole comparison, were nothing changed but the seeds
COSTS = {"cpu_seconds": (2.0, 5.0, "CPU s"), "max_rss_mb": (1.5, 200.0, "MB")}
CLAIMS_DIFFER = 1
KINDS = tuple(view.KINDS)
COLUMNS = (  # of checks.csv; a reference of another day may lack or have others
    *("replication", "claim", "statement", "source", "region", "region_low", "region_high"),
    *("estimate", "ci_low", "ci_high", "n_seeds", "note", "of_seeds"),
    *("control_estimate", "control_ci_low", "control_ci_high", "control_of_seeds"),
    *("final", "expected", "reason"),
)
COUNT = ("verdict changed", "moved", "removed", "added")  # these set the exit code


class Kept(NamedTuple):
    """What a folder of results, or a reference, says."""

    name: str
    tier: str
    subject: str  # name of the reader's file, empty of the replications
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
    if new.subject and not arguments.old:
        raise UserError(
            f"{new.name}: of a network of your own, {new.subject}, which has no reference: copy "
            "the folder before an edit and name it as the second"
        )
    old = read(arguments.old or reference_of(new.tier))
    if old.tier != new.tier:
        raise UserError(f"{old.name} is of the {old.tier} tier, {new.name} of the {new.tier} tier")
    if bool(old.subject) != bool(new.subject):
        other, own = sorted((old, new), key=lambda kept: kept.subject)
        raise UserError(f"{own.name} is of {own.subject}, {other.name} of the replications")
    changes, remarks = compare(new, old)
    for line in lines(changes, remarks):
        announce(line)
    if arguments.html:
        write_text(
            arguments.html, view.comparison(new, old, changes, remarks, summary(changes), __doc__)
        )
    return CLAIMS_DIFFER if any(change.kind in COUNT for change in changes) else 0


def reference_of(tier: str) -> Path:
    """The folder of the committed reference of a tier."""
    folder = folder_of(tier)
    if not folder.is_dir():
        raise UserError(
            f"{folder.relative_to(ROOT)}: the {tier} tier has no reference; name a second folder "
            f"of results, or keep a complete run by python -m workflow.reference results/{tier}"
        )
    return folder


def read(folder: Path) -> Kept:
    try:
        checks = read_table(folder / "checks.csv")[list(COLUMNS)]
        made = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        sealed = "sha256" in made and (made.pop("sha256"), made["checksums"]["checks.csv"])
        rows = checks.astype(object).where(checks.notna(), None).to_dict("records")
        kept = Kept(
            str(folder),
            made["settings"]["tier"],
            Path(made["settings"].get("subject", "")).name,
            made["git"],
            {(row["replication"], row["claim"]): _named(row) for row in rows},
            {(record["replication"], record["shard"]): record for record in made["records"]},
        )
        settings = made["settings"]
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: missing; is {folder} a folder of results?") from None
    except (ValueError, KeyError, TypeError):  # pandas raises ValueErrors at a bad CSV
        raise UserError(f"{folder}: checks.csv or provenance.json is damaged") from None
    refuse_part(folder, settings, "nothing to compare with the suite")
    # A reference has no checksums: it lies in git.
    if sealed and sealed != (provenance_digest(made), sha256(folder / "checks.csv")):
        raise UserError(f"{folder}: checks.csv or provenance.json was altered since the report")
    if settings.get("seeds_at_most"):
        raise UserError(f"{folder}: a run with reduced seeds has no verdicts to compare")
    return kept


def _named(row: dict) -> dict:
    """A row with its state and the numbers of its seeds; open ends of its region are None."""
    ends = {key: number(row[key]) for key in ("region_low", "region_high")}
    kept = ("of_seeds", "control_of_seeds")
    seeds = {key: tuple(map(float, str(row[key] or "").split())) for key in kept}
    return {**row, **ends, **seeds, "state": state(row)}


def compare(new: Kept, old: Kept) -> tuple[list[Change], list[str]]:
    """Changes of the claims, those that matter most first, and remarks on the machine.

    Only replications that the new folder has are looked at: a run may be restricted to some. An
    old one that is not complete says nothing of the claims whose parts it has not measured.
    """
    unmeasured = {key for key, row in old.checks.items() if is_unmeasured(row.get("reason"))}
    remarks = not_complete(old, len(unmeasured)) + other_libraries(new, old) + dearer(new, old)
    present = {replication for replication, _ in new.checks}
    keys = list(new.checks) + [k for k in old.checks if k not in new.checks and k[0] in present]
    both = sum(key in new.checks and key in old.checks for key in keys)
    level = FALSE_ALARMS / max(1, 2 * both)  # two estimates for each claim
    same_draws = {name for name in present if new.draws(name) == old.draws(name)}
    changes = [
        change(key, old.checks.get(key), new.checks.get(key), level, key[0] in same_draws)
        for key in keys
        if key not in unmeasured
    ]
    changes.sort(key=lambda one: KINDS.index(one.kind))
    return changes, remarks


def not_complete(old: Kept, unmeasured: int) -> list[str]:
    """That claims of an incomplete run are not compared."""
    claims = "1 claim of it has" if unmeasured == 1 else f"{unmeasured} claims of it have"
    return [f"{old.name} is not complete: {claims} nothing to compare"] if unmeasured else []


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
    kind, residue = kind_of(row["note"] or ""), residue_of(row["region_low"], row["region_high"])
    return Interval(*numbers, int(row["n_seeds"] or 0), kind, residue, row[f"{prefix}of_seeds"])


def other_libraries(new: Kept, old: Kept) -> list[str]:
    """Libraries of which the jobs in both folders used other versions."""
    found = {
        f"{library}: {was} → {now}"
        for key in new.records.keys() & old.records.keys()
        for library, now in new.records[key]["versions"].items()
        if (was := old.records[key]["versions"].get(library, "absent")) != now
    }
    return [f"another version of {line}" for line in sorted(found)] + other_devices(new, old)


def other_devices(new: Kept, old: Kept) -> list[str]:
    """Devices of the jobs in both folders, where they differ: they round otherwise, as another
    processor does, and as much is granted to them."""
    both = new.records.keys() & old.records.keys()
    pairs = {tuple(kept.records[key].get("device", CPU) for kept in (old, new)) for key in both}
    return [f"another device: {was} → {now}" for was, now in sorted(pairs) if was != now]


def dearer(new: Kept, old: Kept) -> list[str]:
    """Jobs in both folders that cost more than before by a factor and by an amount."""
    found = []
    for key in new.records.keys() & old.records.keys():
        for what, (factor, amount, unit) in COSTS.items():
            was, now = old.records[key][what], new.records[key][what]
            if now > factor * was and now > was + amount:
                found.append(f"cost up: {'/'.join(key)}: {was:.4g} → {now:.4g} {unit}")
    return sorted(found)


def summary(changes: list[Change]) -> str:
    counts = {kind: sum(one.kind == kind for one in changes) for kind in KINDS}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def lines(changes: list[Change], remarks: list[str]) -> list[str]:
    """For the terminal: the summary, what changed, then the remarks."""
    found = [summary(changes) or "no claims"]
    found += [
        f"{one.kind}: {one.replication}: {one.claim}" + (f": {one.text}" if one.text else "")
        for one in changes
        if one.kind != "same"
    ]
    return found + remarks


if __name__ == "__main__":
    sys.exit(exit_code(main))
