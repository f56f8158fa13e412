"""`python -m workflow.sabotage`: does the suite notice faults? Apply each to a copy and look.

`workflow/faults.yaml` lists deliberate, plausible faults as replacements in one file. Each is
applied to a copy of the tree; the replications whose code it changes run in the smoke tier, and the
tests named with it. A fault is caught if a verdict leaves what is expected or a test fails; one
that is not caught says that a claim is idle.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from workflow.digest import code_digest
from workflow.files import UserError, announce, exit_code
from workflow.records import write_table
from workflow.tree import ROOT, Results, replications

FAULTS = ROOT / "workflow" / "faults.yaml"
COPIED = ("Snakefile", "workflow", "profiles", "shared", "replications", "tests")
COPIED_FILES = ("environment.yml", "pyproject.toml", "requirements.lock")


class Fault(NamedTuple):
    """Replace `old`, which stands once in `file`, by `new`; `tests` is what else may notice."""

    name: str
    why: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="names of faults, separated by commas")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=None, help="CSV of fault x claim")
    arguments = parser.parse_args()
    chosen = selected(faults(), arguments.only)
    rows, missed = [], []
    with tempfile.TemporaryDirectory(prefix="sabotage-") as scratch:
        for number, fault in enumerate(chosen, start=1):
            found = effects(fault, Path(scratch) / fault.name, arguments.cores)
            rows += found
            caught = [row["claim"] for row in found if row["caught"]]
            missed += [] if caught else [fault.name]
            said = ", ".join(caught[:6]) + (" ..." if len(caught) > 6 else "")
            announce(f"{number} of {len(chosen)}: {fault.name}: {said or 'NOT NOTICED'}")
    if arguments.output:
        write_table(arguments.output, pd.DataFrame(rows))
    announce(f"{len(chosen) - len(missed)} of {len(chosen)} faults noticed")
    return 1 if missed else 0


def faults(path: Path = FAULTS) -> list[Fault]:
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Fault(**{**entry, "tests": tuple(entry.get("tests", ()))}) for entry in listed]


def selected(every: list[Fault], names: str) -> list[Fault]:
    if not names:
        return every
    known = {fault.name: fault for fault in every}
    for name in names.split(","):
        if name not in known:
            raise UserError(f"--only: unknown fault {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def sabotaged(text: str, fault: Fault) -> str:
    """The source with the fault in it; the place must be there exactly once."""
    if text.count(fault.old) != 1:
        raise UserError(
            f"faults.yaml: {fault.name}: old stands {text.count(fault.old)} times in {fault.file}, "
            "wanted once"
        )
    return text.replace(fault.old, fault.new)


def effects(fault: Fault, folder: Path, cores: int) -> list[dict]:
    """Rows (fault, claim, final, expected, caught) of the claims and tests it reaches."""
    copy_tree(folder)
    path = folder / fault.file
    path.write_text(sabotaged(path.read_text(encoding="utf-8"), fault), encoding="utf-8")
    touched = [name for name in replications() if changed(name, folder)]
    rows = claims_after(fault, folder, touched, cores) if touched else []
    return rows + [test_after(fault, folder, test) for test in fault.tests]


def copy_tree(folder: Path) -> None:
    folder.mkdir()
    for name in COPIED:
        source, ignored = ROOT / name, shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    for name in COPIED_FILES:
        shutil.copy(ROOT / name, folder / name)


def changed(name: str, folder: Path) -> bool:
    """Whether the fault is in the code that measures or judges a replication."""
    modules = (f"replications.{name}.experiment", f"replications.{name}.claims")
    return any(code_digest(module, folder) != code_digest(module) for module in modules)


def claims_after(fault: Fault, folder: Path, names: list[str], cores: int) -> list[dict]:
    words = ["snakemake", "--cores", str(cores), "--config", "tier=smoke"]
    run(folder, *words, f"replications={','.join(names)}")
    checks = pd.read_csv(Results(folder / "results" / "smoke").all_checks, keep_default_na=False)
    judged = checks[checks["final"] != "not judged"]
    return [
        {
            "fault": fault.name,
            "replication": row.replication,
            "claim": row.claim,
            "final": row.final,
            "expected": row.expected,
            "caught": row.final != row.expected,
        }
        for row in judged.itertuples()
    ]


def test_after(fault: Fault, folder: Path, test: str) -> dict:
    done = run(folder, "pytest", test, "-x", "-q", "-p", "no:xdist")
    if done.returncode not in (0, 1):  # anything else ran no test at all
        raise UserError(f"faults.yaml: {fault.name}: {test} cannot be run: {done.stdout[-300:]}")
    final = "fail" if done.returncode else "pass"
    return {
        "fault": fault.name,
        "replication": "tests",
        "claim": test,
        "final": final,
        "expected": "pass",
        "caught": final == "fail",
    }


def run(folder: Path, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
