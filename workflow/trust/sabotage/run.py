"""`python -m workflow.trust.sabotage`: does the suite notice faults? Apply each to a copy and look.

`faults.yaml` lists deliberate, plausible faults, each a replacement in one file. A fault
is applied to a copy of the tree; the replications whose measurement runs the changed lines, or
whose judgement does, are measured and judged again in the smoke tier, and the tests named with the
fault run. It is caught by every claim whose verdict leaves the expected one and by every test that
fails, if they are as expected without it. Exit code 1: a fault was not noticed.

What is done lies in the folder: the same command goes on where it was killed, and does again only
what the sources have changed since. `--brief` is enough to know that every fault is noticed; the
whole matrix takes longer. `--write` makes the committed matrix and page from what is there.
"""

import argparse
import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from workflow.base.digest import code_digest, import_closure
from workflow.base.files import UserError, write_text
from workflow.base.grid import shard_digest, shards
from workflow.base.lock import hold
from workflow.base.progress import duration
from workflow.base.records import claims_digest, experiment_digest, read_facts, write_table
from workflow.base.revision import git_revision
from workflow.base.terminal import announce
from workflow.base.tree import ROOT, Results, replications
from workflow.trust.sabotage.copies import Copy
from workflow.trust.sabotage.page import page
from workflow.trust.sabotage.reach import lines_of

FAULTS = Path(__file__).with_name("faults.yaml")
MATRIX = ROOT / "results" / "reference" / "sabotage.csv"
PAGE = ROOT / "docs" / "sabotage.md"
TESTS = "tests"  # stands for the tests in the column `replication`
OVERHEAD = 5.0  # seconds that starting, gathering and judging take, or a test
PATIENCE = 8  # what takes as many times longer than without the fault does not finish


class Fault(NamedTuple):
    """Replace `old`, which stands once in `file`, by `new`.

    tests: what may notice it besides the claims. ci: the replications, or "tests", that are enough
    to notice it; the faults that say so are tried with every change of the suite.
    """

    name: str
    why: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    ci: tuple[str, ...] = ()

    @property
    def change(self) -> str:
        """Digest of the replacement, wherever it is made."""
        return hashlib.sha256(f"{self.old}\0{self.new}".encode()).hexdigest()[:16]


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
    suite = Suite(arguments.folder.resolve(), arguments.cores, arguments.ci, arguments.brief)
    if arguments.write:
        return write(suite, every)  # a matrix of some would lose the rows of the others
    missed = suite.run(chosen)
    announce(f"{len(chosen) - len(missed)} of {len(chosen)} faults noticed")
    return 1 if missed else 0


def faults(path: Path = FAULTS) -> list[Fault]:
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    lists = ("tests", "ci")
    return [
        Fault(**{**entry, **{key: tuple(entry.get(key, ())) for key in lists}}) for entry in listed
    ]


def selected(every: list[Fault], names: str, ci: bool = False) -> list[Fault]:
    known = {fault.name: fault for fault in every}
    for name in filter(None, names.split(",")):
        if name not in known:
            raise UserError(f"--only: unknown fault {name!r}; there are {', '.join(known)}")
    chosen = [known[name] for name in names.split(",")] if names else every
    return [fault for fault in chosen if fault.ci or not ci]


def sabotaged(text: str, fault: Fault) -> str:
    """The source with the fault in it; the place must be there exactly once."""
    if text.count(fault.old) != 1:
        raise UserError(
            f"faults.yaml: {fault.name}: old stands {text.count(fault.old)} times in {fault.file}, "
            "wanted once"
        )
    return text.replace(fault.old, fault.new)


class Suite:
    """Copies with a fault each and one without, and what was found in them, in one folder.

    ci: only where the faults say so; brief: a fault's cheapest replication first, until it is
    noticed.
    """

    def __init__(self, folder: Path, cores: int = 1, ci: bool = False, brief: bool = False):
        self.folder, self.cores, self.ci, self.brief = folder, cores, ci, brief
        self.unchanged = Copy(folder / "unchanged")
        self.sound: dict[str, bool] = {}  # tests that pass without a fault

    def run(self, chosen: list[Fault]) -> list[str]:
        """Names of the faults that nothing noticed; the cheapest are tried first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        hold(self.folder)
        copies = {fault.name: Copy(self.folder / fault.name) for fault in chosen}
        self.unchanged.renew({})
        for fault in chosen:
            text = (ROOT / fault.file).read_text(encoding="utf-8")
            copies[fault.name].renew({fault.file: sabotaged(text, fault)})
        self.prepare([name for name in replications() if not self.ci or used(chosen, name)])
        reached = {fault.name: sorted(self.reached(fault), key=self.seconds) for fault in chosen}
        cost = {fault.name: self.cost(fault, reached[fault.name]) for fault in chosen}
        missed, spent, done = [], 0.0, 0.0
        for number, fault in enumerate(sorted(chosen, key=lambda f: cost[f.name]), start=1):
            started = time.monotonic()
            rows = self.effects(fault, copies[fault.name], reached[fault.name])
            caught = [row["claim"] for row in rows if row["caught"]]
            missed += [] if caught else [fault.name]
            spent, done = spent + time.monotonic() - started, done + cost[fault.name]
            left = duration(spent / done * max(sum(cost.values()) - done, 0))
            said = ", ".join(caught[:6]) + (" ..." if len(caught) > 6 else "") or "NOT NOTICED"
            announce(f"{number} of {len(chosen)}: {fault.name}: {said}; about {left} left")
        return missed

    def prepare(self, names: list[str]) -> None:
        """Measure and judge without a fault and, outside of CI, note the lines that are run."""
        with ThreadPoolExecutor(self.cores) as pool:
            broken = dict(zip(names, pool.map(self._prepare, names), strict=True))
        for name in names:
            if broken[name]:
                raise UserError(f"{name}: without a fault: {broken[name]}")
            for claim, (final, expected) in self.unchanged.finals(name).items():
                if final != expected:
                    announce(f"{name}: {claim}: {final} without a fault: it cannot catch any")

    def _prepare(self, name: str) -> str:
        if self.ci:
            self.unchanged.borrow(Results(ROOT / "results" / "smoke"), name)
            return self.unchanged.broken(name)
        stale = self.unchanged.stale(name)
        for shard in shards(name, "smoke", root=self.unchanged.folder):
            lines = self._lines(name, shard)
            if shard in stale or not lines.exists():
                stage = "trust.sabotage.reach"
                done = self.unchanged.stage(stage, name, str(lines), "--shard", shard)
                if done.returncode:
                    return done.stdout[-300:]
        return self.unchanged.broken(name)

    def _lines(self, name: str, shard: str) -> Path:
        return self.unchanged.folder / "lines" / name / f"{shard}.json"

    def cost(self, fault: Fault, names: list[str]) -> float:
        """About the seconds that a fault takes."""
        measured = [name for name in names if not self._only_judged(fault, name)]
        judged = OVERHEAD * (len(names) + len(fault.tests))
        return judged + sum(map(self.seconds, measured))

    def seconds(self, name: str) -> float:
        """What the measurement of a replication takes without a fault."""
        every = shards(name, "smoke", root=self.unchanged.folder)
        facts = [read_facts(self.unchanged.results.record(name, shard)) for shard in every]
        return sum(found["seconds"] for found in facts)

    def reached(self, fault: Fault) -> list[str]:
        """Replications whose cells, judgement or measurement the fault changes."""
        if self.ci:
            return [name for name in fault.ci if name != TESTS]
        return [name for name in replications() if self._reaches(fault, name)]

    def _reaches(self, fault: Fault, name: str) -> bool:
        if not fault.file.endswith(".py"):  # a grid
            return fault.file.startswith(f"replications/{name}/")
        if self._only_judged(fault, name):
            return True
        text = (self.unchanged.folder / fault.file).read_text(encoding="utf-8")
        changed = lines_of(text, fault.old)
        every = shards(name, "smoke", root=self.unchanged.folder)
        ran = (json.loads(self._lines(name, shard).read_text("utf-8")) for shard in every)
        return any(changed & set(lines.get(fault.file, ())) for lines in ran)

    def _only_judged(self, fault: Fault, name: str) -> bool:
        """Whether the fault is in what judges a replication, so that no measurement changes."""
        root = self.unchanged.folder
        modules = (f"replications.{name}.claims", "widenets.evidence.judge")
        return any(root / fault.file in import_closure(module, root=root) for module in modules)

    def effects(self, fault: Fault, copy: Copy, names: list[str]) -> list[dict]:
        """Rows (fault, replication, claim, final, expected, caught, reached, code, change,
        commit), kept as CSV after every replication; those of today's code are not made again."""
        tests = fault.tests if not self.ci or TESTS in fault.ci else ()
        tasks = [*((name, "") for name in names), *((TESTS, test) for test in tests)]
        if not tasks:
            raise UserError(f"faults.yaml: {fault.name}: it reaches no claim and names no test")
        path, codes = self.found(fault), [self._code(fault, copy, *task) for task in tasks]
        known = pd.read_csv(path, keep_default_na=False).to_dict("records") if path.exists() else []
        rows = [row for row in known if row["code"] in codes]
        done = {row["code"] for row in rows}
        left = [task for task, code in zip(tasks, codes, strict=True) if code not in done]
        for batch in batches(left, 1 if self.brief else self.cores):
            if self.brief and any(row["caught"] for row in rows):
                break
            with ThreadPoolExecutor(self.cores) as pool:
                found = pool.map(partial(self._effects_of, fault, copy), batch)
                rows += [{**row, "reached": len(names)} for some in found for row in some]
            write_table(path, pd.DataFrame(rows))
        return rows

    def _effects_of(self, fault: Fault, copy: Copy, task: tuple[str, str]) -> list[dict]:
        """Rows of one replication or of one test."""
        name, test = task
        found = [self._test(copy, test)] if test else self._claims(copy, name)
        code = self._code(fault, copy, *task)
        held = {"code": code, "change": fault.change, "commit": git_revision()}
        return [{"fault": fault.name, **row, **held} for row in found]

    def found(self, fault: Fault) -> Path:
        return self.folder / f"{fault.name}{'.ci' if self.ci else ''}.csv"

    def _code(self, fault: Fault, copy: Copy, name: str, test: str) -> str:
        """Digest of all that the rows of a replication or a test depend on."""
        parts = [fault.file, fault.old, fault.new, name, test]
        if test:
            module = test.partition("::")[0].removesuffix(".py").replace("/", ".")
            parts.append(code_digest(module, root=copy.folder))
        else:
            for root in (copy.folder, self.unchanged.folder):
                parts += [experiment_digest(name, root), claims_digest(name, root)]
                parts += cells_digests(name, root)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _claims(self, copy: Copy, name: str) -> list[dict]:
        copy.borrow(self.unchanged.results, name)
        before = self.unchanged.finals(name)
        broken = copy.broken(name, seconds=PATIENCE * (OVERHEAD + self.seconds(name)))
        if broken:
            return [_row(name, "(the run itself)", broken, "complete")]
        return [
            _row(name, claim, final, expected, before.get(claim) == (expected, expected))
            for claim, (final, expected) in copy.finals(name).items()
        ]

    def _test(self, copy: Copy, test: str) -> dict:
        if test not in self.sound:  # in CI all tests have just passed
            self.sound[test] = self.ci or self.unchanged.test(test) == "pass"
        return _row(TESTS, test, copy.test(test), "pass", self.sound[test])


def _row(replication: str, claim: str, final: str, expected: str, counts: bool = True) -> dict:
    return {
        "replication": replication,
        "claim": claim,
        "final": final,
        "expected": expected,
        "caught": bool(counts and final != expected),
    }


def batches(items: list, size: int) -> list[list]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def used(chosen: list[Fault], name: str) -> bool:
    return any(name in fault.ci for fault in chosen)


def cells_digests(name: str, root: Path) -> list[str]:
    return [shard_digest(cells) for cells in shards(name, "smoke", root=root).values()]


def write(suite: Suite, chosen: list[Fault]) -> int:
    """The matrix and the page, of all faults that have run here or are kept from before; the others
    are listed as not run."""
    kept = pd.read_csv(MATRIX, keep_default_na=False) if MATRIX.exists() else None
    found = []
    for fault in chosen:
        path = suite.found(fault)
        rows = pd.read_csv(path, keep_default_na=False) if path.exists() else kept
        if rows is not None:
            found.append(rows[(rows["fault"] == fault.name) & (rows["change"] == fault.change)])
    if not any(map(len, found)):
        raise UserError(f"{suite.folder}: no fault has run there")
    matrix = pd.concat(found).drop(columns="code", errors="ignore")
    write_table(MATRIX, matrix)
    write_text(PAGE, page(chosen, matrix))
    run = matrix["fault"].nunique()
    announce(f"{MATRIX.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}: {run} faults")
    return 0
