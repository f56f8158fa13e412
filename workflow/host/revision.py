"""Which commit this tree is: asked of the tree's own repository, of no other."""

import os
import subprocess
from pathlib import Path

from workflow.base.tree import ROOT


def git_revision(root: Path = ROOT) -> str:
    """The commit that `root` is a checkout of, marked where the tree differs from it."""
    try:
        found = git(root, "describe", "--always", "--dirty", "--abbrev=12")
    except FileNotFoundError:
        return "unknown (git is not installed)"
    return found or "unknown (not a git checkout)"


def git(root: Path, *arguments: str) -> str:
    """Output of a git command about the checkout `root`; empty where it is none.

    A tree without `.git` may lie inside another repository, and GIT_DIR may name a third: neither
    is asked.
    """
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    found = subprocess.run(
        ["git", "-C", str(root), *arguments],
        env={**inherited, "GIT_CEILING_DIRECTORIES": str(root.resolve().parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else ""
