"""What is installed, and what a clone holds, is what was pinned."""

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from workflow.base.tree import ROOT
from workflow.trust.scratch import copy_parts

RUN, SLURM, TEST, CPU, CUDA = (
    ROOT / f"requirements{kind}.lock" for kind in ("", "-slurm", "-test", "-cpu", "-cuda")
)
PIN = re.compile(r"^([A-Za-z][\w.-]*)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.M)


def pins(path):
    return {canonicalize_name(name): version for name, version, _ in PIN.findall(path.read_text())}


@pytest.mark.parametrize("path", [RUN, SLURM, TEST, CPU, CUDA], ids=lambda path: path.name)
def test_every_pin_has_checksums(path):
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    read = "\n".join("".join(match) for match in PIN.findall(text))
    assert len(PIN.findall(text)) == sum("==" in line for line in lines) > 0
    assert read.count("--hash") == sum("--hash" in line for line in lines)


def closure(wanted):
    """Names of all that is needed here, as installed."""
    found, todo = set(), [Requirement(text) for text in wanted]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        found.add(name)
        for needed in map(Requirement, distribution(name).requires or []):
            extras = requirement.extras | {""}
            if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in extras):
                todo.append(needed)
    return found


def test_the_run_lock_holds_what_a_run_needs_and_nothing_for_tests_alone():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = closure([*project["dependencies"], *extras["suite"]])
    run, test, cuda = (set(pins(path)) for path in (RUN, TEST, CUDA))
    assert needed - cuda <= run
    assert closure(extras["test"]) <= run | test
    assert not run & test
    assert not (run | test) & set(pins(SLURM))
    assert not (run | test) & cuda
    assert not {"statsmodels", "pytest", "ruff", "snakefmt", "mup", "pre-commit"} & run


def test_the_build_of_torch_for_cpus_is_a_file_of_the_same_release():
    """Only then does pip take both locks together."""
    ((name, version, checksums),) = PIN.findall(CPU.read_text(encoding="utf-8"))
    ours = {pinned: (v, allowed) for pinned, v, allowed in PIN.findall(RUN.read_text())}
    assert version == f"{ours[name][0]}+cpu"
    assert set(checksums.split()) < set(ours[name][1].split())


def test_what_is_installed_is_what_is_pinned():
    for path in (RUN, TEST):
        for name, version in pins(path).items():
            assert distribution(name).version.partition("+")[0] == version, name


def test_actions_are_pinned_by_their_digest():
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
        assert used
        for action in used:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_clone_with_line_ends_of_windows_keeps_ours(tmp_path):
    source, clone = tmp_path / "source", tmp_path / "clone"
    source.mkdir()
    copy_parts(source, [".gitattributes", ".ci", "Makefile"])
    me = ["-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], [*me, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(source), *words], check=True)
    command = ["git", "clone", "-q", "-c", "core.autocrlf=true", str(source), str(clone)]
    subprocess.run(command, check=True)
    for name in (".ci/run", "Makefile"):
        assert (clone / name).read_bytes() == (ROOT / name).read_bytes()
        assert b"\r" not in (clone / name).read_bytes()
