"""Code outside the repository that a record rests on: its versions, or its content."""

import os

import pytest

from workflow.base import outside
from workflow.base.outside import differences, identities

PAPER = "replications/alpha2000_toy"


@pytest.fixture(autouse=True)
def _fresh():
    """Each name is looked up once in a process; here it changes meanwhile."""
    yield
    forget()


def forget():
    identities.cache_clear()
    outside._identity.cache_clear()


def today(*names):
    forget()
    return {name: value for name, value in identities(*names).items() if name != "python"}


def installed(site, name, module, version="1.0", **files):
    """A distribution in a folder of installed packages, as an installer leaves it."""
    (site / module).mkdir(parents=True, exist_ok=True)
    (site / module / "__init__.py").write_text("VALUE = 1\n", encoding="utf-8")
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    content = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "RECORD": f"{module}/__init__.py,,\n",
        "INSTALLER": "pip\n",
        **files,
    }
    for file, text in content.items():
        (info / file).write_text(text, encoding="utf-8")
    return site / module / "__init__.py"


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_libraries_from_an_index_are_known_by_their_versions():
    found = today("jax", "numpy", "sklearn", "json", "nowhere_to_be_found")
    assert set(found) == {"jax", "jaxlib", "numpy", "scikit-learn", "nowhere_to_be_found"}
    assert found["nowhere_to_be_found"] == "absent"
    import numpy

    assert found["numpy"] == numpy.__version__


@pytest.mark.parametrize("module", ["some_lib", "other_name"])
def test_a_library_of_another_version_is_another(site, module):
    file = installed(site, "some-lib".replace("-", "_"), module)
    assert today(module) == {"some-lib": "1.0"}
    file.write_text("VALUE = 2\n", encoding="utf-8")
    assert today(module) == {"some-lib": "1.0"}
    (site / "some_lib-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: some_lib\nVersion: 1.1\n", encoding="utf-8"
    )
    assert today(module) == {"some-lib": "1.1"}


def test_a_local_installation_is_known_by_its_content(site):
    file = installed(
        site, "some_lib", "some_lib", **{"direct_url.json": '{"url": "file:///x", "dir_info": {}}'}
    )
    before = today("some_lib")
    assert before["some_lib"].startswith("files ")
    file.write_text("VALUE = 2\n", encoding="utf-8")
    assert today("some_lib") != before


def test_a_conda_package_is_not_local(site):
    direct = {"direct_url.json": '{"url": "file:///built/there"}', "INSTALLER": "conda"}
    installed(site, "some_lib", "some_lib", **direct)
    assert today("some_lib") == {"some-lib": "1.0"}


def test_an_editable_library_and_what_it_imports_are_known_by_content(tmp_path, monkeypatch):
    """The egg-info that lies beside a source tree is no version of it."""
    source = tmp_path / "src"
    (source / "mine" / "deep").mkdir(parents=True)
    (source / "mine.egg-info").mkdir()
    (source / "mine" / "__init__.py").write_text("import helper_of_mine\n", encoding="utf-8")
    inner = source / "mine" / "deep" / "kernel.py"
    inner.write_text("VALUE = 1\n", encoding="utf-8")
    other = source / "helper_of_mine.py"
    other.write_text("import numpy as np\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(source))
    first = today("mine")
    assert set(first) == {"mine", "helper_of_mine", "numpy"}
    os.utime(inner)
    (source / "mine" / "notes.txt").write_text("not code", encoding="utf-8")
    assert today("mine") == first
    inner.write_text("VALUE = 2\n", encoding="utf-8")
    second = today("mine")
    assert {key for key in first if first[key] != second[key]} == {"mine"}
    other.write_text("import numpy\n", encoding="utf-8")
    assert {key for key in first if today("mine")[key] != second[key]} == {"helper_of_mine"}


def test_differences_name_the_library():
    assert differences({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == ""
    assert differences({"a": "1", "b": "2"}, {"a": "3"}) == (
        "a was 1, is 3; b was 2, is not imported"
    )


def test_a_changed_module_on_the_path_measures_again(project, tmp_path, monkeypatch):
    """And until then the gate says that the record is stale, and by which library."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    module = folder / "law_of_mine.py"
    module.write_text("SCALE = 1.0\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{project.folder}{os.pathsep}{folder}"}
    monkeypatch.setattr("workflow.trust.scratch.environment", lambda _: environment)
    path = project.path(f"{PAPER}/experiment.py")
    text = path.read_text(encoding="utf-8").replace("draws**2", "law_of_mine.SCALE * draws**2")
    path.write_text(text.replace("import numpy", "import law_of_mine\nimport numpy"), "utf-8")
    assert project.snakemake().code == 0
    assert project.snakemake("-n").jobs == {"gate": 1}
    module.write_text("SCALE = 4.0\n", encoding="utf-8")
    gate = project.gate()
    assert gate.code == 2
    assert "record main is stale: law_of_mine was files " in gate.output
    assert project.snakemake("-n").jobs["measure"] == 1
    assert project.snakemake().code == 0
    assert project.gate().code == 0


def test_another_version_of_a_library_makes_records_stale(project):
    """The version in a record is edited as if the library had been another then."""
    import numpy

    name = "results/smoke/records/alpha2000_toy/main.json"
    project.edit(name, f'"numpy": "{numpy.__version__}"', '"numpy": "1.0"')
    gate = project.gate()
    assert gate.code == 2
    assert f"record main is stale: numpy was 1.0, is {numpy.__version__}" in gate.output
