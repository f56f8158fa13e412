"""The Python files of a replication: parsed or imported, and what is wrong in one as one line."""

import ast
import importlib
import traceback
from pathlib import Path
from types import ModuleType

from workflow.base.files import UserError
from workflow.base.tree import ROOT


def parsed(path: Path, root: Path = ROOT) -> ast.Module:
    """Syntax tree of a file below `root`, without running it."""
    name = path.relative_to(root).as_posix()
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except FileNotFoundError:
        raise UserError(f"{name}: missing") from None
    except SyntaxError as error:
        raise UserError(f"{name}, line {error.lineno}: {error.msg}") from None
    except ValueError as error:  # not UTF-8, or with null bytes
        raise UserError(f"{name}: not Python: {error}") from None


def load(replication: str, name: str) -> ModuleType:
    """`replications.{replication}.{name}`, imported."""
    path = ROOT / "replications" / replication / f"{name}.py"
    parsed(path)
    try:
        return importlib.import_module(f"replications.{replication}.{name}")
    except Exception as error:
        raise UserError(f"{_place(error, path)}: {type(error).__name__}: {error}") from error


def _place(error: Exception, path: Path) -> str:
    """The line of the replication's own code that an import stumbled over."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).is_relative_to(path.parent)]
    if not own:
        return path.relative_to(ROOT).as_posix()
    return f"{Path(own[-1].filename).relative_to(ROOT).as_posix()}, line {own[-1].lineno}"
