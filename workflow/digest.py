"""What a job depends on, computed: digests of the import closure and of the grid's cells.

A digest of source code is taken over the syntax trees of a module and of everything that it
imports from this repository, without comments and docstrings, so that an edit re-runs exactly the
jobs whose numbers it can change, and a touch, a comment or a moved folder re-runs nothing.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from workflow.tree import ROOT


@cache
def code_digest(module: str, root: Path = ROOT) -> str:
    """Digest of `module` and of all that it imports, directly or not, from below `root`."""
    total = hashlib.sha256()
    for path in import_closure(module, root):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        total.update(_meaning(path).encode())
    return total.hexdigest()[:16]


def cells_digest(cells: Iterable[object]) -> str:
    """Digest of what a shard is asked to measure; `cells` are plain values, order included."""
    text = json.dumps(list(cells), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def import_closure(module: str, root: Path = ROOT) -> list[Path]:
    """Files below `root` that importing `module` runs: itself, its parents, its imports."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        for path in _files(waiting.pop(), root):
            if path not in found:
                found.add(path)
                waiting.extend(_imported_names(path, root))
    return sorted(found)


def _files(module: str, root: Path) -> Iterator[Path]:
    """The module's own file and the `__init__.py` of each of its parents, where they exist."""
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:depth])
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                yield path


def _imported_names(path: Path, root: Path) -> Iterator[str]:
    package = path.relative_to(root).parent.parts
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{name.name}" for name in node.names)  # `from a import module`


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _meaning(path: Path) -> str:
    """The syntax tree as text, docstrings left out (comments are not in it anyway)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return ast.dump(tree)
