"""Small projects with the real workflow in a folder of their own, to be disturbed and thrown away.

Used by the tests and by `workflow.trust.torture`. A project holds copies of the workflow and of
either the two toy papers of tests/workflow/toys, which take a second, or of real replications.
"""

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from workflow.base.files import UserError, meant
from workflow.base.tree import ROOT, replications

TOYS = ROOT / "tests" / "workflow" / "toys"
TOY_PAPERS = ("alpha2000_toy", "beta2001_toy")
PARTS = ("Snakefile", "workflow", "profiles", "shared", "environment.yml")
MUST_AGREE = ("records/**/*.csv", "tables/*", "checks/*.csv", "checks.csv", "figures/**/*.*")
PATIENCE = 600  # seconds for one command: only what hangs takes as long

# What a shell starts in the background ignores SIGINT, and so do its children. (A preexec_fn would
# fork this process, which may run the threads of jax.)
LISTENING = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Run(NamedTuple):
    code: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """Rule name -> number of jobs, from snakemake's own table."""
        lines = iter(self.output.splitlines())
        counts = {}
        for line in lines:
            if line.startswith("job ") and line.split() == ["job", "count"]:
                next(lines)
                for row in lines:
                    name, _, count = row.partition(" ")
                    if name in ("total", ""):
                        return counts
                    counts[name] = int(count)
        return counts


def environment(folder: Path) -> dict[str, str]:
    """In which Python imports the packages of a copied tree."""
    return {**os.environ, "PYTHONPATH": str(folder)}


# SIGXCPU ends what computes for longer, however busy the machine is.
LIMITED = ("sh", "-c", 'ulimit -S -t "$0" && exec "$@"')


def run_module(
    folder: Path, *words: str, cpu_seconds: float | None = None, **settings
) -> subprocess.CompletedProcess:
    """`python -m words` in a copied tree and on its code, with both outputs as one text."""
    limited = () if cpu_seconds is None else (*LIMITED, str(math.ceil(cpu_seconds)))
    return subprocess.run(
        [*limited, sys.executable, "-m", *words],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **settings,
    )


def copy_parts(folder: Path, names: Sequence[str]) -> None:
    """Today's files and folders of these names, below the root, dates included: with them Python
    knows compiled code for that of its source, and compiles only what is changed afterwards."""
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder / name)


class Project(NamedTuple):
    folder: Path

    def call(self, *words: str, timeout: float = PATIENCE, **settings) -> Run:
        done = run_module(self.folder, *words, timeout=timeout, **settings)
        return Run(done.returncode, done.stdout)

    def snakemake(self, *words: str, tier: str = "smoke", cores: int = 2, **settings) -> Run:
        given = ("--cores", str(cores), *words, "--config", f"tier={tier}")
        return self.call("snakemake", *given, **settings)

    def start(self) -> subprocess.Popen:
        """A run of the smoke tier in a session of its own; its output goes to run.log."""
        with self.path("run.log").open("w", encoding="utf-8") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-c", LISTENING, sys.executable, "-m", "snakemake"),
                    *("--cores", "2", "--config", "tier=smoke"),
                ],
                cwd=self.folder,
                env=environment(self.folder),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self, process: subprocess.Popen, timeout: float = PATIENCE) -> Run:
        """What a started run came to."""
        code = process.wait(timeout=timeout)
        return Run(code, self.path("run.log").read_text(encoding="utf-8"))

    def gate(self, tier: str = "smoke", jobs: int = 1) -> Run:
        return self.call("workflow.gate", f"results/{tier}", "--jobs", str(jobs))

    def path(self, name: str) -> Path:
        return self.folder / name

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name}: does not hold {old!r}")
        self.path(name).write_text(text.replace(old, new), encoding="utf-8")

    def tables(self, tier: str = "smoke") -> dict[str, bytes]:
        """All that must be the same bytes however a run went."""
        folder = self.path(f"results/{tier}")
        found = [path for kind in MUST_AGREE for path in folder.glob(kind)]
        kept = (path for path in found if not path.name.endswith(".part"))
        return {str(path.relative_to(folder)): path.read_bytes() for path in kept}

    def copy(self, folder: Path) -> "Project":
        shutil.copytree(self.folder, folder)
        return Project(folder)


def fresh_project(folder: Path, papers: Sequence[str] = TOY_PAPERS) -> Project:
    """A project in which nothing has run; `papers` are toys, or replications of this repository."""
    known = dict.fromkeys((*TOY_PAPERS, *replications()))
    for paper in papers:
        if paper not in known:
            raise UserError(f"--papers: unknown {paper!r}{meant(paper, known)}")
    folder.mkdir()
    copy_parts(folder, PARTS)
    (folder / "replications").mkdir()
    (folder / "replications" / "__init__.py").touch()
    for paper in papers:
        if paper in TOY_PAPERS:
            shutil.copytree(TOYS / paper, folder / "replications" / paper)
        else:
            copy_parts(folder, [f"replications/{paper}"])
    for module in ("toy.py", "toy_two.py"):
        shutil.copy(TOYS / "toy.py", folder / "shared" / "widenets" / "ntk" / module)
    return Project(folder)
