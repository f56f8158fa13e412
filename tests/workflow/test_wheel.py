"""The library alone, as `pip install .` installs it."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import widenets
from workflow.base.tree import ROOT
from workflow.trust.scratch import copy_parts

WITHOUT = """
import sys
from importlib.abc import MetaPathFinder
class Blocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"blocked: {{name}}", name=name)
sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built in a copy of the tree, because setuptools leaves files there."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    names = ["pyproject.toml", "README.md", "LICENSE", "shared", "workflow", "replications"]
    copy_parts(source, names)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", f"--wheel-dir={folder}", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Python of an environment with the wheel, in which this one's other packages are found."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "env" / "lib" / version / "site-packages"
    (packages / "those.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*command, "--no-deps", "--no-index", str(wheel)], check=True)
    return python


def run(python: Path, folder: Path, program: str) -> str:
    """What a program says that is started in `folder`, with no path but the environment's own."""
    command = [str(python), "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={}, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_holds_the_library_and_no_other_name(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    info = f"widenets-{widenets.__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"widenets", info}
    inside = {name for name in names if name.startswith("widenets/")}
    sources = {
        path.relative_to(ROOT / "shared").as_posix()
        for path in (ROOT / "shared" / "widenets").rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    assert inside == sources
    assert "widenets/py.typed" in inside


def test_it_is_imported_beside_a_folder_called_shared(installed, tmp_path):
    for name in ("shared", "shared/ntk", "shared/widenets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('of the user')\n")
    program = (
        "from widenets.ntk.architecture import fully_connected\n"
        "import widenets; from importlib.metadata import version\n"
        "print(widenets.__version__, version('widenets'), widenets.__file__)"
    )
    ours, theirs, place = run(installed, tmp_path, program).split()
    assert ours == theirs == widenets.__version__
    assert Path(place).is_relative_to(installed.parents[1])


@pytest.mark.parametrize("name", ["workflow", "shared", "replications", "benchmarks", "tests"])
def test_nothing_else_can_be_imported(installed, tmp_path, name):
    program = f"import importlib.util; print(importlib.util.find_spec({name!r}))"
    assert run(installed, tmp_path, program) == "None"


@pytest.mark.parametrize(
    "module, blocked",
    [
        ("widenets", ["jax", "torch", "numpy"]),
        ("widenets.evidence", ["jax", "jaxlib", "torch"]),
        ("widenets.ntk", ["torch"]),
        ("widenets.ntk.architecture", ["torch"]),
    ],
)
def test_a_part_does_without_what_it_does_not_use(installed, tmp_path, module, blocked):
    program = WITHOUT.format(names=set(blocked)) + f"import {module}; print('imported')"
    assert run(installed, tmp_path, program) == "imported"
    assert "blocked" in subprocess.run(
        [str(installed), "-c", WITHOUT.format(names=set(blocked)) + f"import {blocked[0]}"],
        capture_output=True, text=True, check=False,
    ).stderr  # fmt: skip
