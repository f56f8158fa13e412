"""What a job depends on, computed: digests of the import closure and of the grid's cells.

A digest of source code is taken over the syntax trees of a module and of everything that it
imports from this repository, without comments and docstrings, so that an edit re-runs exactly the
jobs whose numbers it can change, and a touch, a comment or a moved folder re-runs nothing. What is
imported from elsewhere has its versions in `outside.py`.

Parsing is most of what a run with nothing to do costs, and every job would do it again. What was
found is kept in a file beside the compiled code, by the content of the files that it was found in:
an edit makes another key, so that nothing kept can be out of date. It could be forged, though: who
trusts no file calls `forget` first.
"""

import ast
import atexit
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from workflow.base import modules as reading
from workflow.base.files import sha256, sha256_of, write_text
from workflow.base.modules import parsed
from workflow.base.tree import ROOT

MEMORY = Path(__file__).with_name("__pycache__") / "digests.json"
REMEMBERED = 4000  # entries of the memory, a few trees' worth


@cache
def code_digest(*modules: str, root: Path = ROOT, without: tuple[str, ...] = ()) -> str:
    """Digest of `modules` and of all that they import, directly or not, from below `root`;
    `without` what their top level assigns to these names."""
    files = {p.relative_to(root).as_posix(): p for p in import_closure(*modules, root=root)}

    def digest() -> str:
        total = hashlib.sha256()
        for name, path in files.items():
            total.update(f"{name}\n".encode())
            total.update(_read(path, root, without).meaning.encode())
        return total.hexdigest()[:16]

    contents = {name: _content(path) for name, path in files.items()}
    return _remembered(["digest", without, contents], digest)


def cells_digest(cells: Iterable[object]) -> str:
    """Digest of what a shard is asked to measure; `cells` are plain values, order included."""
    text = json.dumps(list(cells), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def import_closure(*modules: str, root: Path = ROOT) -> list[Path]:
    """Files below `root` that importing `modules` runs: their own, their parents, their imports."""
    return list(_closure(modules, root))


@cache
def _closure(modules: tuple[str, ...], root: Path) -> tuple[Path, ...]:
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        for path in _files(waiting.pop(), root):
            if path not in found:
                found.add(path)
                waiting.extend(_imports(path, root))
    return tuple(sorted(found))


def foreign_imports(*modules: str, root: Path = ROOT) -> list[str]:
    """Top-level names that the closure of `modules` imports from outside `root`, sorted."""
    names = {name.partition(".")[0] for name in import_names(*modules, root=root)}
    return sorted(name for name in names if not any(_places(name, root)))


def import_names(*modules: str, root: Path = ROOT) -> list[str]:
    """All names that the closure of `modules` imports, from wherever, sorted."""
    closure = import_closure(*modules, root=root)
    return sorted({name for path in closure for name in _imports(path, root)})


def _places(top: str, root: Path) -> list[Path]:
    """Where a top-level name stands for a file or a folder of this repository."""
    bases = [source / top for source in (root, root / "shared")]
    return [base for base in bases if base.is_dir() or base.with_suffix(".py").is_file()]


@cache
def _files(module: str, root: Path) -> list[Path]:
    """The module's own file and the `__init__.py` of each of its parents, where they exist."""
    parts = module.split(".")
    sources = (root, root / "shared")  # the latter holds the library, widenets
    bases = [top.joinpath(*parts[:depth]) for top in sources for depth in range(1, len(parts) + 1)]
    possible = [path for base in bases for path in (base.with_suffix(".py"), base / "__init__.py")]
    return [path for path in possible if path.is_file()]


@cache
def _content(path: Path) -> str:
    """Checksum of a source file, read once."""
    return sha256(path)


@cache
def _imports(path: Path, root: Path) -> tuple[str, ...]:
    """What a file may import."""
    place = ["imports", path.relative_to(root).as_posix(), _content(path)]
    return tuple(_remembered(place, lambda: _read(path, root).imports))


def forget() -> None:
    """From here on this process finds out by itself whatever was kept, and keeps that instead."""
    for kept in (code_digest, _closure, _imports):
        kept.cache_clear()
    _memory().clear()


def _remembered(key: list, found: Callable[[], object]) -> object:
    """What `found()` gives, which the key determines: from the memory where it is there."""
    digest = sha256_of(json.dumps(key))
    memory = _memory()
    if digest not in memory:
        memory[digest] = found()
        _remember_at_exit()
    return memory[digest]


@cache
def _memory() -> dict[str, object]:
    """What was found before, by this code and this Python."""
    with suppress(OSError, ValueError, KeyError, TypeError):  # it is then found out once more
        kept = json.loads(MEMORY.read_text(encoding="utf-8"))
        if kept["by"] == _maker():
            return dict(kept["found"])
    return {}


@cache
def _remember_at_exit() -> None:
    """Once: when the process ends, write what it has found beside what others have meanwhile."""

    def write() -> None:
        found = dict(_memory())
        _memory.cache_clear()
        kept = list({**_memory(), **found}.items())[-REMEMBERED:]
        with suppress(OSError):  # a tree that cannot be written to has no memory
            write_text(MEMORY, json.dumps({"by": _maker(), "found": dict(kept)}))

    atexit.register(write)


@cache
def _maker() -> str:
    """Of all that reads sources here; the syntax tree's text differs between Pythons."""
    return sha256_of(sys.version + "".join(sha256(Path(m)) for m in (__file__, reading.__file__)))


class Source(NamedTuple):
    """What a file may import, and what it does."""

    imports: tuple[str, ...]
    meaning: str


@cache
def _read(path: Path, root: Path, without: tuple[str, ...] = ()) -> Source:
    """A file's imports, and its syntax tree as text, docstrings left out (comments are not in it
    anyway). Every file is parsed once for all that depends on it."""
    tree = parsed(path, root)
    tree.body = [node for node in tree.body if _runs(node) and not _assigns(node, without)]
    library = root / "shared"
    top = library if path.is_relative_to(library) else root
    package = path.relative_to(top).parent.parts
    imports: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*start, *([node.module] if node.module else [])])
            imports.append(base)
            imports += [f"{base}.{name.name}" for name in node.names]  # `from a import module`
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
    return Source(tuple(imports), ast.dump(tree))


def _runs(statement: ast.stmt) -> bool:
    """Whether it is more than what a type checker alone reads."""
    test = getattr(statement, "test", None)
    return not (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING")


def _assigns(statement: ast.stmt, names: tuple[str, ...]) -> bool:
    """Whether it assigns to these names alone."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return bool(targets) and all(isinstance(t, ast.Name) and t.id in names for t in targets)


def _drop_docstring(node: ast.AST) -> None:
    first = node.body[0] if node.body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        node.body = node.body[1:]
