"""A small project of two toy papers with the real workflow, run once and copied for each test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOYS = Path(__file__).parent / "toys"
PARTS = ("Snakefile", "workflow", "profiles", "shared", "environment.yml")


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


class Project(NamedTuple):
    folder: Path

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", *words]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.folder)}

    def call(self, *words: str) -> Run:
        done = subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def snakemake(self, *words: str, tier: str = "smoke", cores: int = 2) -> Run:
        return self.call("snakemake", "--cores", str(cores), *words, "--config", f"tier={tier}")

    def gate(self, tier: str = "smoke") -> Run:
        return self.call("workflow.gate", f"results/{tier}")

    def path(self, name: str) -> Path:
        return self.folder / name

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_text(encoding="utf-8")
        assert old in text
        self.path(name).write_text(text.replace(old, new), encoding="utf-8")

    def tables(self, tier: str = "smoke") -> dict[str, bytes]:
        """All that must be the same bytes however a run went."""
        folder = self.path(f"results/{tier}")
        kinds = ("records/**/*.csv", "tables/*", "checks/*.csv", "checks.csv", "figures/**/*.*")
        found = [path for kind in kinds for path in folder.glob(kind)]
        return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def fresh_project(folder: Path) -> Project:
    folder.mkdir()
    for name in PARTS:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    (folder / "replications").mkdir()
    (folder / "replications" / "__init__.py").touch()
    for toy in ("alpha2000_toy", "beta2001_toy"):
        shutil.copytree(TOYS / toy, folder / "replications" / toy)
    for module in ("toy.py", "toy_two.py"):
        shutil.copy(TOYS / "toy.py", folder / "shared" / "ntk" / module)
    return Project(folder)


@pytest.fixture(scope="session")
def green(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project after a green run of its smoke tier; not to be changed."""
    project = fresh_project(tmp_path_factory.mktemp("green") / "project")
    run = project.snakemake()
    assert run.code == 0, run.output
    return project


@pytest.fixture
def project(green: Project, tmp_path: Path) -> Project:
    """A copy of the green project in another place: nothing may depend on where it lies."""
    shutil.copytree(green.folder, tmp_path / "moved")
    return Project(tmp_path / "moved")


@pytest.fixture
def untouched(tmp_path: Path) -> Project:
    """A project in which nothing has run."""
    return fresh_project(tmp_path / "fresh")
