"""`python -m workflow.gate results/TIER`: do the results hold, and are they today's?

It trusts no file for what it can derive: see `workflow/audit.py`.

Exit code 0: every verdict is the expected one (a run with reduced seeds has none); 1: a verdict
differs; 2: something is missing, stale or damaged; 3: only inconclusive verdicts differ. The first
that applies of 2, 1, 3, 0. A run of some claims says so of these; of a variation nothing is
expected, so that it ends with 0 or 2. Of a reader's own network (results/NAME/TIER) a claim is
expected to be what the file says under `expected`; of the others each verdict is an answer, but 3
also stands for an undecided diagnosis.
"""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from widenets.evidence.claim import ASKED
from workflow.assemble import (
    Outcome,
    facts_of,
    outcomes_of,
    provenance,
    provenance_of,
    remember_derived,
    results_folder,
    was_derived,
)
from workflow.audit import altered, bad_data, chosen_seeds
from workflow.base import selection
from workflow.base.digest import forget
from workflow.base.files import broken
from workflow.base.grid import Seeds
from workflow.base.subject import ANSWER
from workflow.base.tree import Results, replications
from workflow.draw import KINDS, figures
from workflow.host.terminal import INCOMPLETE, announce, exit_code
from workflow.reader.answer import UNDECIDED, answer

DIFFERS, ONLY_INCONCLUSIVE = 1, 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="results/TIER")
    parser.add_argument("--jobs", type=int, default=1, help="processes that audit papers")
    arguments = parser.parse_args()
    results = results_folder(arguments.folder)
    made = provenance(results)
    seeds = chosen_seeds(made["settings"])
    outcomes, problems = examined(results, made, arguments.jobs)
    if not problems:
        remember_derived(made)
    checks = pd.concat([o.checks for o in outcomes], ignore_index=True)
    found = answer(results, outcomes[0], seeds) if seeds.subject else None
    if found and not problems and found != _written(results):
        problems.append(f"{results.folder / ANSWER}: does not agree with the checks and the table")
    for line in [*summary(checks), *(f"error: {text}" for text in problems)]:
        announce(line)
    taken = selection.told(seeds.claims, seeds.changes)
    if taken:
        announce(f"{taken}; no verdict of the suite")
    if seeds.at_most:
        announce(f"reduced run, at most {seeds.at_most} seeds of each block: nothing is judged")
        return INCOMPLETE if problems else 0
    if problems:
        return INCOMPLETE
    if seeds.changes:
        return 0
    for line in [found["sentence"], *found["faults"]] if found else ():
        announce(line)
    code = verdict_code(checks)
    return ONLY_INCONCLUSIVE if not code and found and found["diagnosis"] == UNDECIDED else code


def _written(results: Results) -> object:
    """What diagnosis.json says; None where it cannot be read."""
    try:
        return json.loads((results.folder / ANSWER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def examined(results: Results, made: dict, jobs: int = 1) -> tuple[list[Outcome], list[str]]:
    """Outcomes of all replications that the provenance `made` names, and all that is wrong.

    Everything is derived again from the records, unless it was before, by the report or a gate:
    from the same files, which provenance lists with their checksums, by the same sources, byte by
    byte. What the code is, and whether the records are its, is then read from these sources (two
    seconds), not from the digests kept beside them; always so of a reader's file, which lies
    elsewhere.
    """
    changed = altered(results, made)
    known = not changed and was_derived(made)
    names, seeds = made["settings"]["replications"], chosen_seeds(made["settings"])
    if seeds.subject or not known:
        forget()
    gone = [name for name in names if name not in replications()]
    problems = [f"{name}: no such replication any more" for name in gone]
    there = [name for name in names if name not in gone]
    outcomes = outcomes_of(results, there, seeds, jobs=jobs, derived=known)
    problems += [f"{o.replication}: {text}" for o in outcomes for text in o.problems]
    # Of the others the first fault is told.
    problems += bad_figures(results, [o.replication for o in outcomes if not o.problems], seeds)
    if not problems:
        problems += stale_summary(results, [o.replication for o in outcomes])
    if not problems and not known:
        problems += [text for name in names for text in bad_data(results, name, seeds)]
    if not problems:
        problems += bad_provenance(results, made)
    said = "\n".join(problems)
    unsaid = [path for path in changed if not said or (path.is_file() and path.name not in said)]
    problems += [f"{path}: altered since the report was made" for path in unsaid]
    return outcomes, problems


def bad_provenance(results: Results, made: dict) -> list[str]:
    """Provenance must say what the records beside it say."""
    settings = made["settings"]
    names, seeds = settings["replications"], chosen_seeds(settings)
    facts = {name: facts_of(results, name, seeds) for name in names}
    again = provenance_of(settings, facts)
    wrong = sorted(key for key in again if made.get(key) != again[key])
    if settings["tier"] != results.tier:
        wrong.append(f"the tier {settings['tier']}")
    text = f"{results.provenance}: does not agree with the records: {', '.join(wrong)}"
    return [text] if wrong else []


def verdict_code(checks: pd.DataFrame) -> int:
    """0, 1 or 3 from the columns final and expected."""
    judged = checks[checks["final"] != "not judged"]
    differing = checks[_differs(checks)]
    if differing.empty:
        return 0 if len(judged) else INCOMPLETE
    return ONLY_INCONCLUSIVE if (differing["final"] == "inconclusive").all() else DIFFERS


def _differs(checks: pd.DataFrame) -> pd.Series:
    """Which claims have a verdict other than the expected one, where one is expected."""
    expects = (checks["final"] != "not judged") & (checks["expected"] != ASKED)
    return expects & (checks["final"] != checks["expected"])


def bad_figures(results: Results, names: list[str], seeds: Seeds) -> list[str]:
    wanted = (
        results.figures(name) / f"{figure.name}.{kind}"
        for name in names
        for figure in figures(name, results.tier, seeds)
        for kind in KINDS
    )
    seals = [results.figures_seal(name) for name in names]
    missing = [path for path in (*wanted, *seals) if not path.exists()]
    damaged = [path for seal in seals for path in broken(seal)]
    return [f"{path}: missing" for path in missing] + [f"{path}: damaged" for path in damaged]


def stale_summary(results: Results, names: list[str]) -> list[str]:
    """The joined checks.csv must say what the replications' own checks say."""
    joined = results.all_checks
    if not joined.exists():
        return [f"{joined}: missing"]
    parts = [results.checks(name).read_bytes().partition(b"\n") for name in names]
    if joined.read_bytes() != parts[0][0] + b"\n" + b"".join(rows for _, _, rows in parts):
        return [f"{joined}: does not agree with the checks it was joined from"]
    return []


def summary(checks: pd.DataFrame) -> list[str]:
    """A table for the end of a run: one line per replication, then every verdict that differs."""
    columns = ("pass", "fail", "inconclusive", "not judged")
    width = max(map(len, checks["replication"]), default=11)
    lines = [f"{'replication':{width}}  {'  '.join(columns)}  unexpected"]
    for name, rows in checks.groupby("replication", sort=False):
        counts = [f"{(rows['final'] == column).sum():>{len(column)}}" for column in columns]
        differ = _differs(rows)
        lines.append(f"{name:{width}}  {'  '.join(counts)}  {differ.sum():>10}")
    for row in checks[_differs(checks)].itertuples():
        lines.append(
            f"{row.replication}: {row.claim}: {row.final}, expected {row.expected}: "
            f"{row.estimate:.4g} [{row.ci_low:.4g}, {row.ci_high:.4g}] against {row.region}"
            + (f" ({row.reason})" if isinstance(row.reason, str) and row.reason else "")
        )
    return lines


if __name__ == "__main__":
    sys.exit(exit_code(main))
