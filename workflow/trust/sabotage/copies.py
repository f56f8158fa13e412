"""A copy of the tree with something changed in it, and its own results of the smoke tier."""

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from workflow.base import selection
from workflow.base.files import UserError, sha256, write_text
from workflow.base.grid import Seeds, shards
from workflow.base.records import claims_digest, problem
from workflow.base.tree import ROOT, Results
from workflow.trust.scratch import copy_parts, run_module

FOLDERS = ("workflow", "profiles", "shared", "replications", "tests", "results/reference")
FILES = (
    "Snakefile",
    "conftest.py",
    "pyproject.toml",
    "requirements.lock",
    "environment.yml",
    "README.md",
)
IDLE = 20  # times the seconds of computing that a stage may take by the clock


class Copy(NamedTuple):
    """A tree below `folder`; its results outlive a renewal as far as they are still today's.

    claims: PAPER.CLAIM that alone are judged, from the parts that they read; all if there is none.
    """

    folder: Path
    claims: tuple[str, ...] = ()

    @property
    def results(self) -> Results:
        some = selection.folder_name(self.claims, ()) if self.claims else ""
        return Results(self.folder / "results" / some / "smoke")

    @property
    def seeds(self) -> Seeds:
        return Seeds(claims=self.claims)

    def shards(self, name: str) -> list[str]:
        return list(shards(name, "smoke", self.seeds, self.folder))

    def renew(self, changed: dict[str, str]) -> None:
        """Today's sources, with other texts for some files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in FOLDERS:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        copy_parts(self.folder, [name for name in (*FOLDERS, *FILES) if (ROOT / name).exists()])
        for name, text in changed.items():
            write_text(self.folder / name, text)

    def stale(self, name: str) -> list[str]:
        """Shards of a replication whose records are missing or not today's."""
        given = self.results, name
        return [s for s in self.shards(name) if problem(*given, s, self.seeds, self.folder)]

    def borrow(self, other: Results, name: str) -> None:
        """Take another's records for the stale ones; those of other code or cells stay stale."""
        for shard in self.stale(name):
            source, target = other.record(name, shard), self.results.record(name, shard)
            for kind in (".csv", ".json"):
                if source.with_suffix(kind).exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(source.with_suffix(kind), target.with_suffix(kind))

    def broken(self, name: str, seconds: float | None = None) -> str:
        """Measure what is stale, gather and judge; how that broke, empty where it did not.

        seconds: of computing, after which a stage does not finish.
        """
        stale = self.stale(name)
        if not stale and self.judged(name):
            return ""
        self.results.table(name).unlink(missing_ok=True)
        stages = [("measure", "--shard", shard) for shard in stale]
        for stage, *words in [*stages, ("gather",), ("judge",)]:
            try:
                done = self.stage(stage, name, *words, seconds=seconds)
            except subprocess.TimeoutExpired:
                return "not finished"
            if done.returncode == -signal.SIGXCPU:
                return "not finished"
            if done.returncode < 0:  # killed from outside, which says nothing about the change
                raise UserError(f"{name}: {stage}: {signal.Signals(-done.returncode).name}")
            if done.returncode:
                last = done.stdout.strip().splitlines()[-1]
                return f"error: {last}"[:120]
        return ""

    def judged(self, name: str) -> bool:
        """Whether the checks are those of today's claims on the table that lies there."""
        table, facts = self.results.table(name), self.results.checks(name).with_suffix(".json")
        if not table.exists() or not facts.exists():
            return False
        found = json.loads(facts.read_text(encoding="utf-8"))
        today = claims_digest(name, root=self.folder), sha256(table)
        return (found["claims"], found["table"]) == today

    def finals(self, name: str) -> dict[str, tuple[str, str]]:
        """Claim -> (final, expected) of all claims that the tier judges."""
        checks = pd.read_csv(self.results.checks(name), keep_default_na=False)
        judged = checks[checks["final"] != "not judged"]
        return {row.claim: (row.final, row.expected) for row in judged.itertuples()}

    def test(self, test: str) -> str:
        """ "pass" or "fail" of a test file or of one of its tests."""
        words = (test, "-x", "-q", "-p", "no:xdist", "-p", "no:cacheprovider")
        done = run_module(self.folder, "pytest", *words)
        if done.returncode not in (0, 1):  # anything else ran no test at all
            raise UserError(f"{test} cannot be run: {done.stdout.strip()[-300:]}")
        return "fail" if done.returncode else "pass"

    def stage(self, stage: str, name: str, *words: str, seconds: float | None = None):
        """One stage of the workflow, here, for a replication."""
        given = ["--results", str(self.results.folder), "--replication", name]
        given += selection.as_options(self.claims, ())
        waiting = None if seconds is None else IDLE * seconds
        limits = {"cpu_seconds": seconds, "timeout": waiting}
        return run_module(self.folder, f"workflow.{stage}", *words, *given, **limits)
