"""The firewall between the packages, and pins that agree."""

import ast
import re

import pytest
import yaml

from workflow.base.tree import ROOT

ALLOWED = {
    "shared/widenets/ntk": {"widenets.ntk"},
    "shared/widenets/evidence": {"widenets.evidence"},
    "replications": {"widenets", "replications"},
    "workflow": {"workflow", "replications", "widenets"},
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_workflow_to_replications_to_the_library(package):
    wrong = []
    for path in (ROOT / package).rglob("*.py"):
        if path.name == "test_conformance.py":
            continue
        for module in imported(path):
            ours = module.split(".")[0] in ("widenets", "replications", "workflow", "tests")
            good = any(module == a or module.startswith(f"{a}.") for a in ALLOWED[package])
            if ours and not good:
                wrong.append((path.relative_to(ROOT).as_posix(), module))
    assert wrong == []


def test_judgement_never_imports_a_numerical_framework():
    for path in (ROOT / "shared" / "widenets" / "evidence").rglob("*.py"):
        assert not {m.split(".")[0] for m in imported(path)} & {"jax", "torch"}, path.name


def pins(text):
    return dict(re.findall(r"^\s*-?\s*([A-Za-z][\w.-]*)==([\w.]+)\s*\\?$", text, re.MULTILINE))


def test_conda_and_pip_name_the_same_versions():
    lock = pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    named = pins("\n".join(listed))
    assert named
    assert {name: lock.get(name) for name in named} == named


def test_every_direct_dependency_is_pinned_in_both():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL).group(1)
    direct = {name.lower() for name in re.findall(r'"([A-Za-z][\w-]*)', block)}
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert direct <= {name.lower() for name in pins(conda)}
