"""What a job depends on, computed: digests of the import closure and of the grid's cells.

A digest of source code is taken over the syntax trees of a module and of everything that it
imports from this repository, without comments and docstrings, so that an edit re-runs exactly the
jobs whose numbers it can change, and a touch, a comment or a moved folder re-runs nothing. What is
imported from elsewhere has its versions in `outside.py`.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from workflow.base.modules import parsed
from workflow.base.tree import ROOT


@cache
def code_digest(*modules: str, root: Path = ROOT, without: tuple[str, ...] = ()) -> str:
    """Digest of `modules` and of all that they import, directly or not, from below `root`;
    `without` what their top level assigns to these names."""
    total = hashlib.sha256()
    for path in import_closure(*modules, root=root):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        total.update(_read(path, root, without).meaning.encode())
    return total.hexdigest()[:16]


def cells_digest(cells: Iterable[object]) -> str:
    """Digest of what a shard is asked to measure; `cells` are plain values, order included."""
    text = json.dumps(list(cells), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def import_closure(*modules: str, root: Path = ROOT) -> list[Path]:
    """Files below `root` that importing `modules` runs: their own, their parents, their imports."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        for path in _files(waiting.pop(), root):
            if path not in found:
                found.add(path)
                waiting.extend(_read(path, root).imports)
    return sorted(found)


def foreign_imports(*modules: str, root: Path = ROOT) -> list[str]:
    """Top-level names that the closure of `modules` imports from outside `root`, sorted."""
    names = {name.partition(".")[0] for name in import_names(*modules, root=root)}
    return sorted(name for name in names if not any(_places(name, root)))


def import_names(*modules: str, root: Path = ROOT) -> list[str]:
    """All names that the closure of `modules` imports, from wherever, sorted."""
    closure = import_closure(*modules, root=root)
    return sorted({name for path in closure for name in _read(path, root).imports})


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
