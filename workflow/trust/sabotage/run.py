"""`python -m workflow.trust.sabotage`: does the suite notice faults? Apply each to a copy and look.

`faults.yaml` lists deliberate, plausible faults, each a replacement in one file. A fault
is applied to a copy of the tree; the replications whose measurement runs the changed lines, or
whose judgement does, are measured and judged again in the smoke tier, and the tests named with the
fault run. What catches it are all claims whose verdict leaves the expected one, and all tests that
fails, if they are as expected without it. Exit code 1: a fault was not noticed.

What is done lies in the folder: the same command goes on where it was killed, and does again only
what the sources have changed since. `--brief` is enough to know that every fault is noticed, by its
tests if they can; the whole matrix takes longer. `--write` joins what is there to the committed
matrix, and makes the page anew: a fault that has run in the folder replaces its earlier rows, those
of the others stay as long as the fault is the same, each with the commit at which it was run.
"""

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from workflow.base.files import UserError, write_text
from workflow.base.records import write_table
from workflow.base.tree import ROOT
from workflow.host.lock import hold
from workflow.host.progress import duration
from workflow.host.revision import git_revision
from workflow.host.terminal import announce
from workflow.trust.sabotage.copies import Copy
from workflow.trust.sabotage.effects import Task, Tried, finished, read
from workflow.trust.sabotage.faults import Fault, faults, sabotaged, selected
from workflow.trust.sabotage.page import page
from workflow.trust.sabotage.unchanged import Unchanged

MATRIX = ROOT / "results" / "reference" / "sabotage.csv"
PAGE = ROOT / "docs" / "sabotage.md"
COMMIT = re.compile("[0-9a-f]{12,}")  # without -dirty


class Work(NamedTuple):
    """Where and how: ci, only where the faults say so; brief, until a fault is noticed; commit,
    of the tree that is copied."""

    folder: Path
    cores: int
    ci: bool
    brief: bool
    commit: str

    def tried(self, fault: Fault) -> Tried:
        unchanged = Unchanged(Copy(ROOT if self.ci else self.folder / "unchanged"), self.ci)
        kept = self.folder / f"{fault.name}{'.ci' if self.ci else ''}.csv"
        copy = Copy(self.folder / fault.name, fault.claims if self.ci else ())
        return Tried(fault, copy, unchanged, kept, self.commit)

    def effects(self, tried: Tried, tasks: list[Task], reached: int | str = "") -> list[dict]:
        return tried.effects(tasks, self.brief, reached)

    def of_all(self, found: Callable[[Tried], object], every: list[Tried]) -> Iterator:
        """What is found of each fault, in order, as many at once as there are cores."""
        with ThreadPoolExecutor(self.cores) as pool:
            yield from pool.map(found, every)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--folder", type=Path, default=ROOT / "results" / "sabotage")
    parser.add_argument("--only", default="", help="names of faults, separated by commas")
    parser.add_argument("--ci", action="store_true", help="the faults marked so, where marked")
    parser.add_argument("--brief", action="store_true", help="go on once something notices it")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--write", action="store_true", help="matrix and page of what has run")
    arguments = parser.parse_args()
    every = faults()
    chosen = selected(every, arguments.only, arguments.ci)
    how = arguments.cores, arguments.ci, arguments.brief, git_revision()
    work = Work(arguments.folder.resolve(), *how)
    if arguments.write:
        return write(work.folder, every)
    missed = run(work, chosen)
    announce(f"{len(chosen) - len(missed)} of {len(chosen)} faults noticed")
    return 1 if missed else 0


def run(work: Work, chosen: list[Fault]) -> list[str]:
    """Names of the faults that nothing noticed."""
    every = begin(work, chosen)
    if work.brief:
        noticed = work.of_all(lambda tried: noticed_by_tests(work, tried), every)
        every = [tried for tried, by_tests in zip(every, noticed, strict=True) if not by_tests]
    if not every:
        return []
    names = {name for tried in every for name in tried.unchanged.candidates(tried.fault)}
    every[0].unchanged.prepare(sorted(names), work.cores)
    return missed(work, every)


def begin(work: Work, chosen: list[Fault]) -> list[Tried]:
    """Today's tree once for each fault, with the fault in it, and (but in CI) once without."""
    work.folder.mkdir(parents=True, exist_ok=True)
    hold(work.folder)
    every = [work.tried(fault) for fault in chosen]
    if not work.ci:
        every[0].unchanged.copy.renew({})
    for fault, copy, *_ in every:
        text = (ROOT / fault.file).read_text(encoding="utf-8")
        copy.renew({fault.file: sabotaged(text, fault)})
    return every


def noticed_by_tests(work: Work, tried: Tried) -> bool:
    rows = work.effects(tried, tried.tests())
    if any(row["caught"] for row in rows):
        announce(f"{tried.fault.name}: {named(rows)}")
        return True
    return False


def missed(work: Work, every: list[Tried]) -> list[str]:
    """Try all faults, those that take least first."""
    reached = {tried.fault.name: tried.replications() for tried in every}
    tasks = {tried.fault.name: tried.tests() + reached[tried.fault.name] for tried in every}
    for name, some in tasks.items():
        if not some:
            raise UserError(f"faults.yaml: {name}: it reaches no claim and names no test")
    cost = {tried.fault.name: tried.cost(tasks[tried.fault.name]) for tried in every}
    every = sorted(every, key=lambda tried: cost[tried.fault.name])

    def effects(tried: Tried) -> list[dict]:
        name = tried.fault.name
        return work.effects(tried, tasks[name], len(reached[name]))

    results = work.of_all(effects, every)
    found, started, done = [], time.monotonic(), 0.0
    for number, (tried, rows) in enumerate(zip(every, results, strict=True), start=1):
        name = tried.fault.name
        found += [] if any(row["caught"] for row in rows) else [name]
        done += cost[name]
        left = duration((time.monotonic() - started) / done * max(sum(cost.values()) - done, 0))
        announce(f"{number} of {len(every)}: {name}: {named(rows)}; about {left} left")
    return found


def named(rows: list[dict]) -> str:
    """What caught a fault."""
    caught = [row["claim"] for row in rows if row["caught"]]
    return ", ".join(caught[:6]) + (" ..." if len(caught) > 6 else "") or "NOT NOTICED"


def write(folder: Path, every: list[Fault]) -> int:
    """The matrix and the page, of all faults that have run in a folder or are kept from before; the
    others are listed as not run."""
    before, rows, refused = read(MATRIX), [], []
    for fault in every:
        here = read(folder / f"{fault.name}.csv")
        taken = of(fault, here)
        refused += [fault.name] if here and not taken else []
        rows += taken or of(fault, before)
    if refused:
        why = "changed since, not committed, or not tried everywhere yet"
        announce(f"{folder}: not taken, {why}: {', '.join(refused)}")
    if not rows:
        raise UserError(f"{folder}: no fault has run there, of a tree that is committed")
    matrix = pd.DataFrame(rows).drop(columns="code", errors="ignore")
    write_table(MATRIX, matrix)
    write_text(PAGE, page(every, matrix))
    run = matrix["fault"].nunique()
    announce(f"{MATRIX.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}: {run} faults")
    return 0


def of(fault: Fault, rows: list[dict]) -> list[dict]:
    """Those rows that are of a fault as it is today, wherever its lines have moved to, and of a
    tree that was committed; none while it is neither noticed nor tried wherever it could be."""
    own = (row for row in rows if (row["fault"], row["change"]) == (fault.name, fault.change))
    known = [row for row in own if COMMIT.fullmatch(row["commit"])]
    return known if finished(known) else []
