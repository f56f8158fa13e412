"""The tree without a fault: what it measures and how long that takes, which lines it runs and so
which faults reach it, and which tests pass in it."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

from workflow.base.digest import import_closure
from workflow.base.files import UserError
from workflow.base.records import problems, read_facts
from workflow.base.selection import papers_of
from workflow.base.tree import replications
from workflow.host.terminal import announce
from workflow.host.unfinished import unfinished_path
from workflow.trust.sabotage.copies import Copy
from workflow.trust.sabotage.faults import Fault
from workflow.trust.sabotage.reach import are_of, lines_of, read_lines

JUDGES = ("widenets.evidence.judge", "workflow.gather", "workflow.judge")


class Unchanged(NamedTuple):
    """ci: the tree is this one with its results/smoke, and a fault reaches what it says itself."""

    copy: Copy
    ci: bool = False

    def prepare(self, names: list[str], cores: int) -> None:
        """Measure and judge and, outside of CI, note the lines that are run."""
        with ThreadPoolExecutor(cores) as pool:
            broken = dict(zip(names, pool.map(self._prepare, names), strict=True))
        for name in names:
            if broken[name]:
                raise UserError(f"{name}: without a fault: {broken[name]}")
            for claim, (final, expected) in self.copy.finals(name).items():
                if final != expected:
                    announce(f"{name}: {claim}: {final} without a fault: it cannot catch any")

    def _prepare(self, name: str) -> str:
        if self.ci:
            found = problems(self.copy.results, name) or (
                [] if self.copy.judged(name) else ["its checks are not today's"]
            )
            return f"{found[0]}; run `make run TIER=smoke`" if found else ""
        stale = self.copy.stale(name)
        for shard in self.copy.shards(name):
            lines = self._lines(name, shard)
            if shard in stale or not are_of(lines, self.copy.folder):
                # What a killed job kept of its cells would be taken over, without their lines.
                for old in (lines, unfinished_path(self.copy.results.record(name, shard))):
                    old.unlink(missing_ok=True)
                stage = "trust.sabotage.reach"
                done = self.copy.stage(stage, name, str(lines), "--shard", shard)
                if done.returncode:
                    return done.stdout[-300:]
        return self.copy.broken(name)

    def _lines(self, name: str, shard: str) -> Path:
        return self.copy.folder / "ran" / name / f"{shard}.json"

    def seconds(self, name: str) -> float:
        """What the measurement of a replication takes."""
        records = (self.copy.results.record(name, shard) for shard in self.copy.shards(name))
        facts = map(read_facts, records)
        return sum(found["seconds"] for found in facts)

    def candidates(self, fault: Fault) -> list[str]:
        """Replications that import the file of a fault, or are judged by it."""
        if self.ci:
            return papers_of(fault.claims, ())
        return [name for name in replications() if self._imports(fault, name)]

    def _imports(self, fault: Fault, name: str) -> bool:
        if not fault.file.endswith(".py"):  # a grid
            return fault.file.startswith(f"replications/{name}/")
        modules = (f"replications.{name}.experiment", "workflow.measure")
        return self.only_judged(fault, name) or self._closure_holds(fault, modules)

    def reached(self, fault: Fault) -> list[str]:
        """Prepared replications whose cells, judgement or measurement the fault changes."""
        return [name for name in self.candidates(fault) if self.ci or self._runs(fault, name)]

    def _runs(self, fault: Fault, name: str) -> bool:
        if not fault.file.endswith(".py") or self.only_judged(fault, name):
            return True
        text = (self.copy.folder / fault.file).read_text(encoding="utf-8")
        changed = lines_of(text, fault.old)
        every = (read_lines(self._lines(name, shard)) for shard in self.copy.shards(name))
        return any(changed & lines.get(fault.file, set()) for lines in every)

    def only_judged(self, fault: Fault, name: str) -> bool:
        """Whether the fault is in what judges a replication, so that no measurement changes."""
        return self._closure_holds(fault, (f"replications.{name}.claims", *JUDGES))

    def _closure_holds(self, fault: Fault, modules: tuple[str, ...]) -> bool:
        root = self.copy.folder
        return any(root / fault.file in import_closure(module, root=root) for module in modules)

    def passes(self, test: str) -> bool:
        return self.ci or _passes(self.copy, test)  # in CI all tests have just passed


@cache
def _passes(copy: Copy, test: str) -> bool:
    return copy.test(test) == "pass"
