"""What a record rests on outside this repository: versions of libraries, digests of other code.

A library from a package index is known by its version. Any other code (a file on PYTHONPATH, an
editable or a local installation, such as of a library under test) may change without a new
version: it is known by a digest of its files, and so is what it imports in turn. Nothing is
imported to find this out.
"""

import hashlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from importlib.metadata import Distribution
from pathlib import Path
from typing import NamedTuple

# Libraries that compute behind another one's name, which alone is imported.
BEHIND = {"jax": ("jaxlib",), "numba": ("llvmlite",)}
INSTALLED = ("site-packages", "dist-packages")
CODE = (".py", *EXTENSION_SUFFIXES)
# Good enough for other people's code, and quick: a sentence of a docstring that looks like an
# import only adds a name that is nowhere found.
IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+(\w+)|import[ \t]+(\w+))", re.MULTILINE)


@cache
def identities(*names: str) -> dict[str, str]:
    """What the top-level `names` are today: library -> version, or name -> digest of its files.

    A name that is nowhere found is `absent`. The standard library is one entry, `python`.
    """
    found = {"python": "{}.{}".format(*sys.version_info)}
    waiting, seen = list(names), set(sys.stdlib_module_names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        identity = _identity(name)
        found |= identity.known_as
        waiting += [*identity.imports, *BEHIND.get(name, ())]
    return dict(sorted(found.items()))


def differences(then: dict[str, str], now: dict[str, str]) -> str:
    """What became of the libraries since; empty where they are the same."""
    changed = [
        f"{name} was {then.get(name, 'not imported')}, is {now.get(name, 'not imported')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
    return "; ".join(changed)


class Identity(NamedTuple):
    """How a top-level name is known, and the names that it imports where its files say so."""

    known_as: dict[str, str]
    imports: tuple[str, ...] = ()


@cache
def _identity(name: str) -> Identity:
    spec = _spec(name)
    if spec is None:
        return Identity({name: "absent"})
    if spec.origin in ("built-in", "frozen"):
        return Identity({})
    places = [Path(place) for place in spec.submodule_search_locations or [spec.origin]]
    owners = {
        _plain(owner.name).replace("_", "-"): owner
        for place in places
        for owner in _owners(name, place.parent)
    }
    if owners and not any(_is_local(owner) for owner in owners.values()):
        return Identity({key: owner.version for key, owner in sorted(owners.items())})
    files = {file: place.parent for place in places for file in _files(place)}
    total, imports = hashlib.sha256(), set()
    for file, folder in sorted(files.items()):
        content = file.read_bytes()
        total.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
        if file.suffix == ".py":
            imports |= {(one or other).decode() for one, other in IMPORT.findall(content)}
    return Identity({name: f"files {total.hexdigest()[:16]}"}, tuple(sorted(imports - {name})))


def _spec(name: str) -> ModuleSpec | None:
    """Where a job would find a top-level name: it also looks into its working folder."""
    try:
        spec = PathFinder.find_spec(name, [str(Path.cwd()), *sys.path])
        return spec or importlib.util.find_spec(name)  # which asks the hooks of editables too
    except (ImportError, ValueError):  # a module that was made by hand
        return None


def _files(place: Path) -> Iterator[Path]:
    """The files of code of a module or a package."""
    inside = place.rglob("*") if place.is_dir() else [place]
    return (path for path in inside if path.name.endswith(CODE) and path.is_file())


def _owners(name: str, folder: Path) -> list[Distribution]:
    """The distributions in a folder that a top-level name of that folder belongs to."""
    wheels = sorted(folder.glob("*.dist-info"))
    eggs = sorted(folder.glob("*.egg-info")) if folder.name in INSTALLED else []
    alike = [info for info in (*wheels, *eggs) if _plain(info.name.partition("-")[0]) == name]
    owning = alike or [info for info in (*wheels, *eggs) if _lists(info, name)]
    return [Distribution.at(info) for info in owning]


def _lists(info: Path, name: str) -> bool:
    """Whether a distribution says that it holds the top-level `name`."""
    record, top = info / "RECORD", info / "top_level.txt"
    if record.is_file():
        starts = (f"\n{name}/", f"\n{name}.")
        return any(start.encode() in b"\n" + record.read_bytes() for start in starts)
    return top.is_file() and name in top.read_text(encoding="utf-8").split()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _is_local(distribution: Distribution) -> bool:
    """Whether it was installed from a folder, a file or a repository, not from an index.

    conda's packages name the folder that they were built in, on another machine.
    """
    source = distribution.read_text("direct_url.json")
    installer = (distribution.read_text("INSTALLER") or "").strip()
    return source is not None and bool(json.loads(source)) and installer != "conda"
