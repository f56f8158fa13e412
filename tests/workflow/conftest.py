"""A small project of two toy papers with the real workflow, run once and copied for each test."""

import fcntl
import os
from pathlib import Path

import pytest

from workflow.trust.scratch import Project, fresh_project


@pytest.fixture(scope="session")
def green(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project after a green run of its smoke tier; not to be changed. All workers of pytest-xdist
    share it: whichever needs it first makes it, the others wait."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # of all workers of this run
    with (place / "green.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made, log = Project(place / "green"), place / "green.log"
        if not log.exists():
            run = fresh_project(made.folder).snakemake()
            assert run.code == 0, run.output
            log.write_text(run.output, encoding="utf-8")
    return made


@pytest.fixture
def project(green: Project, tmp_path: Path) -> Project:
    """A copy of the green project in another place: nothing may depend on where it lies."""
    return green.copy(tmp_path / "moved")


@pytest.fixture
def untouched(tmp_path: Path) -> Project:
    """A project in which nothing has run."""
    return fresh_project(tmp_path / "fresh")


@pytest.fixture
def alone(tmp_path: Path) -> Project:
    """The same with one paper, in which half as many jobs run."""
    return fresh_project(tmp_path / "fresh", ["alpha2000_toy"])
