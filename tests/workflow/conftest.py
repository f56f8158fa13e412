"""A small project of two toy papers with the real workflow, run once and copied for each test."""

from pathlib import Path

import pytest

from workflow.trust.scratch import Project, fresh_project


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
    return green.copy(tmp_path / "moved")


@pytest.fixture
def untouched(tmp_path: Path) -> Project:
    """A project in which nothing has run."""
    return fresh_project(tmp_path / "fresh")
