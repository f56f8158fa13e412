"""What a fault does: the verdicts and the tests that it changes, kept as they are found."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from workflow.base.digest import code_digest
from workflow.base.grid import shard_digest, shards
from workflow.base.records import claims_digest, experiment_digest, write_table
from workflow.trust.sabotage.copies import Copy
from workflow.trust.sabotage.faults import TESTS, Fault
from workflow.trust.sabotage.unchanged import Unchanged

OVERHEAD = 5.0  # seconds that starting, gathering and judging take, or a test
PATIENCE = 8  # what takes as many times longer than without the fault does not finish
RUNNER = ("workflow.measure", "workflow.gather", "workflow.judge", "workflow.gate")

Task = tuple[str, str]  # a replication and "", or TESTS and a test


class Tried(NamedTuple):
    """A fault in its copy, beside the tree without it; `kept` is the table of what was found, of
    the tree of `commit`."""

    fault: Fault
    copy: Copy
    unchanged: Unchanged
    kept: Path
    commit: str

    def tests(self) -> list[Task]:
        run = not self.unchanged.ci or TESTS in self.fault.ci
        return [(TESTS, test) for test in self.fault.tests] if run else []

    def replications(self) -> list[Task]:
        """Those that the fault reaches, the quickest first; they must be prepared."""
        reached = self.unchanged.reached(self.fault)
        return [(name, "") for name in sorted(reached, key=self.unchanged.seconds)]

    def cost(self, tasks: list[Task]) -> float:
        """About the seconds that these take."""
        measured = [
            name
            for name, test in tasks
            if not test and not self.unchanged.only_judged(self.fault, name)
        ]
        return OVERHEAD * len(tasks) + sum(map(self.unchanged.seconds, measured))

    def effects(self, tasks: list[Task], brief: bool, reached: int | str = "") -> list[dict]:
        """Rows (fault, replication, claim, final, expected, caught, reached, code, change,
        commit), kept as CSV after every task; those of today's code are not made again.

        brief: until the fault is noticed. reached: in how many replications it could be, as far as
        that is known.
        """
        codes = [self._code(*task) for task in tasks]
        rows = [row for row in read(self.kept) if row["code"] in codes]
        done = {row["code"] for row in rows}
        left = [task for task, code in zip(tasks, codes, strict=True) if code not in done]
        self._keep(rows, reached)
        for task in left:
            if brief and any(row["caught"] for row in rows):
                break
            rows += self._effects_of(task)
            self._keep(rows, reached)
        return rows

    def _keep(self, rows: list[dict], reached: int | str) -> None:
        if rows:
            write_table(self.kept, pd.DataFrame(rows).assign(reached=reached))

    def _effects_of(self, task: Task) -> list[dict]:
        """Rows of one replication or of one test."""
        name, test = task
        found = [self._test(test)] if test else self._claims(name)
        held = {"code": self._code(*task), "change": self.fault.change, "commit": self.commit}
        return [{"fault": self.fault.name, **row, **held} for row in found]

    def _code(self, name: str, test: str) -> str:
        """Digest of all that the rows of a replication or a test depend on."""
        fault, roots = self.fault, (self.copy.folder, self.unchanged.copy.folder)
        parts = [fault.file, fault.old, fault.new, name, test, *self.copy.claims]
        if fault.file.startswith("workflow/"):
            parts += [code_digest(module, root=roots[0]) for module in RUNNER]
        if test:
            module = test.partition("::")[0].removesuffix(".py").replace("/", ".")
            parts.append(code_digest(module, root=roots[0]))
        for root in () if test else roots:
            parts += [experiment_digest(name, root), claims_digest(name, root=root)]
            parts += map(shard_digest, shards(name, "smoke", root=root).values())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _claims(self, name: str) -> list[dict]:
        if not self.copy.claims:  # the record of some claims is another
            self.copy.borrow(self.unchanged.copy.results, name)
        before = self.unchanged.copy.finals(name)
        seconds = PATIENCE * (OVERHEAD + self.unchanged.seconds(name))
        broken = self.copy.broken(name, seconds=seconds)
        if broken:
            return [_row(name, "(the run itself)", broken, "complete")]
        return [
            _row(name, claim, final, expected, before.get(claim) == (expected, expected))
            for claim, (final, expected) in self.copy.finals(name).items()
        ]

    def _test(self, test: str) -> dict:
        counts = self.unchanged.passes(test)
        return _row(TESTS, test, self.copy.test(test), "pass", counts)


def finished(rows: list[dict]) -> bool:
    """Whether a fault is noticed, or was tried wherever it could be."""
    tried = {row["replication"] for row in rows} - {TESTS}
    return any(row["caught"] or str(row["reached"]) == str(len(tried)) for row in rows)


def read(kept: Path) -> list[dict]:
    """The rows of a table; a digest is text also where all its digits are decimal."""
    text = dict.fromkeys(("code", "change", "commit", "reached"), str)
    if not kept.exists():
        return []
    return pd.read_csv(kept, keep_default_na=False, dtype=text).to_dict("records")


def _row(replication: str, claim: str, final: str, expected: str, counts: bool = True) -> dict:
    return {
        "replication": replication,
        "claim": claim,
        "final": final,
        "expected": expected,
        "caught": bool(counts and final != expected),
    }
