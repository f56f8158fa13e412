"""Provenance names the commit of this tree, and of no repository around it."""

import subprocess

import pytest

from workflow.host.revision import git, git_revision

NONE = "unknown (not a git checkout)"


def repository(folder):
    """A repository with one commit; its abbreviated name."""
    folder.mkdir()
    (folder / "file").write_text("x", encoding="utf-8")
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init",), ("add", "file"), (*author, "commit", "-m", "one")):
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)
    return git(folder, "rev-parse", "--short=12", "HEAD")


def test_the_commit_of_a_checkout_is_its_own(tmp_path):
    commit = repository(tmp_path / "outer")
    assert commit
    assert git_revision(tmp_path / "outer") == commit
    (tmp_path / "outer" / "file").write_text("y", encoding="utf-8")
    assert git_revision(tmp_path / "outer") == f"{commit}-dirty"


def test_a_tree_inside_another_repository_has_no_commit(tmp_path):
    repository(tmp_path / "outer")
    inner = tmp_path / "outer" / "inner" / "tree"
    inner.mkdir(parents=True)
    assert git_revision(inner) == NONE


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"])
def test_another_repository_in_the_environment_is_not_asked(tmp_path, monkeypatch, variable):
    repository(tmp_path / "outer")
    commit = repository(tmp_path / "own")
    (tmp_path / "bare").mkdir()
    monkeypatch.setenv(variable, str(tmp_path / "outer" / ".git"))
    assert git_revision(tmp_path / "bare") == NONE
    assert git_revision(tmp_path / "own") == commit
