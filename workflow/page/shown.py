"""What ties a claim to its figures, to the constants behind it and to its arms, from the sources.

A claim and a figure share a part of the table, and columns of it: those whose names occur in the
call that makes the claim, or in the function that draws, or in what either uses of its module. A
claim is linked to the figures that share most with it. What an arm is, is what the docstring of its
part says of it, or that of the module.
"""

import ast
import inspect
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from workflow.base.tree import ROOT
from workflow.page.sources import claim_node

ESTIMATORS = ROOT / "shared" / "widenets" / "evidence" / "estimators"
LONGEST = 240  # characters of a constant's value, and of what is said of an arm


class Used(NamedTuple):
    """What a node uses, itself or through its own module."""

    words: frozenset[str] = frozenset()  # strings and keywords
    names: frozenset[str] = frozenset()
    constants: tuple[tuple[str, str], ...] = ()  # (name, value as it is written)


def links(folder: Path, claims: list[dict], figures: list[dict], columns: set[str]) -> dict:
    """{claim: names of the figures that show it}; columns: those of the replication's table."""
    drawn = {one["name"]: used(folder / "figures.py", one["name"]).words for one in figures}
    found: dict[str, list[str]] = {}
    for claim in claims:
        words = used_by_claim(folder / "claims.py", claim["claim"]).words & columns
        arms = {claim["arm"], claim["control_arm"]}
        shared = {
            one["name"]: (len(words & drawn[one["name"]]), len(arms & drawn[one["name"]]))
            for one in figures
            if claim["part"] in one["parts"]
        }
        most = max(shared.values(), default=())
        found[claim["claim"]] = [name for name, count in shared.items() if count == most]
    return found


def estimators(names: frozenset[str]) -> list[dict[str, str]]:
    """Of the estimators among some names: name, path, and the first line of the docstring."""
    known = _estimators()
    return [known[name] for name in sorted(names & set(known))]


def said_of_arm(folder: Path, part: str, arm: str) -> str:
    """The sentence on an arm in the docstring of its part or of the module; empty without one."""
    tree = _tree(folder / "experiment.py")
    texts = [ast.get_docstring(node) for node in tree.body if getattr(node, "name", "") == part]
    name = re.compile(rf"(?<![\w.]){re.escape(arm)}(?!\w)")
    for text in (*texts, ast.get_docstring(tree)):
        sentences = re.split(r"(?<=[.;])\s+|\n\s*\n", inspect.cleandoc(text or ""))
        for sentence in sentences:
            said = " ".join(sentence.split()).rstrip(".;")
            if name.search(said) and len(arm) + 8 < len(said) <= LONGEST:
                return said.removeprefix(f"{arm}: ")
    return ""


@cache
def used_by_claim(path: Path, name: str) -> Used:
    node = claim_node(path, name)
    return _used(path, node) if node else Used()


@cache
def used(path: Path, name: str) -> Used:
    node = _definitions(path).get(name)
    return _used(path, node) if node else Used()


def _used(path: Path, start: ast.AST) -> Used:
    definitions, names, words, constants = _definitions(path), set(), set(), []
    waiting = [start]
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                words.add(node.arg)
            elif isinstance(node, ast.Name) and node.id not in names:
                names.add(node.id)
                defined = definitions.get(node.id)
                if defined is not None:
                    waiting.append(defined)
                if isinstance(defined, ast.Assign):
                    constants.append((node.id, " ".join(ast.unparse(defined.value).split())))
    short = {name: text for name, text in constants if len(text) <= LONGEST}
    said = ("'", '"', "Rival(")  # texts, which are quoted where they belong
    values = sorted(pair for pair in short.items() if not pair[1].startswith(said))
    return Used(frozenset(words), frozenset(names), tuple(values))


@cache
def _definitions(path: Path) -> dict[str, ast.AST]:
    """Functions and constants of a module by their names."""
    found: dict[str, ast.AST] = {}
    for node in _tree(path).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            found |= dict.fromkeys((name for name in names if name != "CLAIMS"), node)
    return found


@cache
def _estimators() -> dict[str, dict[str, str]]:
    found = {}
    for path in sorted(ESTIMATORS.glob("*.py")):
        for node in _tree(path).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                text = inspect.cleandoc(ast.get_docstring(node) or "").partition("\n\n")[0]
                place = path.relative_to(ROOT).as_posix()
                told = {"name": node.name, "path": place, "first": node.lineno}
                found[node.name] = {**told, "last": node.end_lineno, "says": " ".join(text.split())}
    return found


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
