"""The firewall between the packages, the picture of them in README, and pins that agree."""

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
# In `widenets.ntk`, whoever stands lower imports nothing that stands above.
ROOMS = ("positions", "closed_forms", "signal", "kernels", "architecture", "engine", "checks")
MOST_MODULES = 14  # in one folder


def sources(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def below(module, package):
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_workflow_to_replications_to_the_library(package):
    wrong = []
    for path in sources(package):
        if path.name == "test_conformance.py":
            continue
        for module in imported(path):
            ours = module.split(".")[0] in ("widenets", "replications", "workflow", "tests")
            if ours and not any(below(module, allowed) for allowed in ALLOWED[package]):
                wrong.append((path.relative_to(ROOT).as_posix(), module))
    assert wrong == []


FLOORS = {"workflow.trust": 0, "workflow.host": 2, "workflow.base": 3}


def floor(module):
    """0 for what tests the suite, 1 for the stages and the page, then what these share."""
    return next((level for package, level in FLOORS.items() if below(module, package)), 1)


def test_imports_in_the_workflow_run_downwards():
    wrong = []
    for path in sources("workflow"):
        own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for module in imported(path):
            if below(module, "workflow") and floor(module) < floor(own):
                wrong.append((own, module))
    assert wrong == []


def test_rooms_of_the_numerics_import_downwards():
    wrong = []
    library = ROOT / "shared" / "widenets" / "ntk"
    for path in library.rglob("*.py"):
        own = path.relative_to(library).parts[0].removesuffix(".py")
        for module in imported(path):
            room = module.split(".")[2] if module.count(".") >= 2 else ""
            if not below(module, "widenets.ntk") or room == own:
                continue
            ordered = own in ROOMS and room in ROOMS and ROOMS.index(own) < ROOMS.index(room)
            good = ordered or room == "checks" or own == "subject"  # which stands on all others
            if not good:
                wrong.append((path.relative_to(library).as_posix(), module))
    assert wrong == []


def test_public_names_of_the_numerics_come_from_its_doors():
    """Replications and benchmarks import rooms, not what stands in them."""
    doors = (
        r"widenets\.ntk(\.\w+|\.empirical\.torch|\.dynamics\.(batches|particles|tower)"
        r"|\.subject\.\w+)?"
    )
    modules = {
        m for folder in ("replications", "benchmarks") for p in sources(folder) for m in imported(p)
    }
    inside = {m for m in modules if below(m, "widenets.ntk") and not re.fullmatch(doors, m)}
    assert inside == set()


def test_no_folder_is_a_corridor():
    folders = [ROOT / top for top in ("workflow", "replications", "shared")]
    full = {
        folder.relative_to(ROOT).as_posix(): len(list(folder.glob("*.py")))
        for top in folders
        for folder in (top, *(path for path in top.rglob("*") if path.is_dir()))
    }
    assert {name: count for name, count in full.items() if count > MOST_MODULES} == {}


def test_readme_shows_the_packages_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    picture = text.split("## Layout")[1].split("```")[1]
    shown, parents = set(), {}
    for line in filter(None, picture.splitlines()):
        found = re.match(r"([│ ]*)(?:[├└]── )?([\w/]+)/  ", line)
        if not found:
            continue
        depth = 0 if line[0] not in "│├└ " else 1 + len(found[1]) // 4
        parents[depth] = f"{parents[depth - 1]}/{found[2]}" if depth else found[2]
        shown.add(parents[depth])
    packages = {
        path.parent.relative_to(ROOT).as_posix()
        for top in ("workflow", "shared")
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert shown - {"replications", "workflow/rules", "tests"} == packages


def test_judgement_never_imports_a_numerical_framework():
    for path in sources("shared/widenets/evidence"):
        assert not {m.split(".")[0] for m in imported(path)} & {"jax", "torch"}, path.name


def pins(text):
    return dict(re.findall(r"^\s*-?\s*([A-Za-z][\w.-]*)==([\w.]+)\s*\\?\s*$", text, re.MULTILINE))


def test_conda_and_pip_name_the_same_versions():
    lock = pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    named = pins("\n".join(listed))
    assert named
    assert {name: lock.get(name) for name in named} == named


def test_every_direct_dependency_is_pinned_in_both():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    blocks = re.findall(r"^(?:dependencies|suite) = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    direct = {name.lower() for block in blocks for name in re.findall(r'"([A-Za-z][\w-]*)', block)}
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert direct <= {name.lower() for name in pins(conda)}
