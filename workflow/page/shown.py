"""What ties a claim to its figures, to the constants behind it and to its arms, from the sources.

A claim's columns are those that its estimator names; what a panel draws, the figure says itself
(`workflow.draw.panels`). What an arm is, is what the docstring of its part says of it, or that of
the module.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

import pandas as pd

from workflow.base.tree import ROOT
from workflow.page.sources import claim_node

ESTIMATORS = ROOT / "shared" / "widenets" / "evidence" / "estimators"
LONGEST = 240  # characters of a constant's value, and of what is said of an arm


class Read(NamedTuple):
    """What a claim's estimator reads of the table."""

    words: frozenset[str] = frozenset()  # columns
    held: tuple[tuple[str, tuple], ...] = ()  # (parameter, values that it is given)


class Used(NamedTuple):
    """What a node uses, itself or through its own module."""

    words: frozenset[str] = frozenset()  # strings and keywords
    names: frozenset[str] = frozenset()
    constants: tuple[tuple[str, str], ...] = ()  # (name, value as it is written)


def links(folder: Path, claims: list[dict], figures: list[dict], reads: dict[str, Read]) -> dict:
    """{claim: [(figure, letter of the panel)]} that show it; reads: of each claim, what it reads.

    Best are panels that draw the numbers of the claim's columns, of its arm and control, and of no
    other value of a parameter that the claim fixes. Where a figure uses the columns but draws what
    it derives from them, these are its panels without numbers of the table, or the figure as a
    whole ("").
    """
    drawn = {one["name"]: used(folder / "figures.py", one["name"]).words for one in figures}
    found = {}
    for claim in claims:
        own = [one for one in figures if claim["part"] in one["parts"]]
        read = reads.get(claim["claim"], Read())
        scores = {
            (one["name"], panel["letter"]): _score(panel, claim, read)
            for one in own
            for panel in one["panels"]
            if not panel["empty"]
        }
        most = max(scores.values(), default=())
        best = [place for place, score in scores.items() if score == most and score[0]]
        found[claim["claim"]] = best or list(_deriving(own, claim, read.words, drawn))
    return found


def unpictured(claim: dict, table: pd.DataFrame | None) -> str:
    """Why no figure shows a claim, from its rows; each has its own drawing beside it."""
    own = table[table["part"] == claim["part"]] if table is not None else None
    own = own[own["arm"] == claim["arm"]] if own is not None else None
    if own is None or own.empty:
        return "in no figure: not measured in this tier"
    if claim["estimate"] is None:
        return "in no figure"
    if len(own) == own["seed"].nunique():
        return "one number of each seed: the drawing beside it is its figure"
    if claim["kind"] == "identity":
        return "an identity: the drawing beside it has its largest deviation"
    return f"in no figure: {len(own)} rows become the number drawn beside it"


def _deriving(figures: list[dict], claim: dict, words: frozenset, drawn: dict) -> Iterator[tuple]:
    """Where what a claim says may be derived: its columns are used, and drawn nowhere."""
    arms = {claim["arm"], claim["control_arm"]}
    shared = {
        one["name"]: (len(words & drawn[one["name"]]), len(arms & drawn[one["name"]]))
        for one in figures
    }
    most = max(shared.values(), default=(0, 0))
    for one in (one for one in figures if most[0] and shared[one["name"]] == most):
        derived = [p["letter"] for p in one["panels"] if not p["shows"] and not p["empty"]]
        yield from ((one["name"], letter) for letter in derived or [""])


def _score(panel: dict, claim: dict, read: Read) -> tuple[int, int, int]:
    """(columns that a panel draws of a claim's, minus parameters with other values, arms)."""
    own = [
        one
        for one in panel["shows"]
        if one["part"] == claim["part"]
        and one["column"] in read.words
        and claim["arm"] in one["arms"]
    ]
    held = dict(read.held)
    pairs = [pair for one in own for pair in one["held"].items()]
    other = {key for key, value in pairs if value not in held.get(key, [value])}
    arms = {arm for one in own for arm in one["arms"]} & {claim["arm"], claim["control_arm"]}
    return len({one["column"] for one in own}), -len(other), len(arms)


def read_by(estimator: object, columns: set[str]) -> Read:
    """Of an estimator: the columns that it reads, and the values of parameters that it fixes.

    They are looked for in what its function holds: closures, partial arguments, constants and,
    of a paper's own functions, what they use of their module.
    """
    words: set[str] = set()
    held: dict[str, list] = {}
    waiting, seen = [estimator], []
    while waiting:
        one = waiting.pop()
        if any(one is known for known in seen):
            continue
        seen.append(one)
        if isinstance(one, str):
            words.add(one)
        elif isinstance(one, dict):
            for key, value in one.items():
                held.setdefault(str(key), []).extend(_values(value))
            waiting += [*one, *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += one
        elif isinstance(one, partial):
            waiting += [one.func, one.args, one.keywords]
        elif isinstance(one, FunctionType):
            waiting += _held_by(one)
    told = ((key, tuple(values)) for key, values in held.items() if key in columns and values)
    return Read(frozenset(words & columns), tuple(told))


def _held_by(function: FunctionType) -> list:
    """What a function holds; its constants and names only where it is no function of a library."""
    found = [cell.cell_contents for cell in function.__closure__ or ()]
    found += [function.__defaults__ or (), function.__kwdefaults__ or {}]
    if not function.__module__.startswith("widenets."):
        code = function.__code__
        found += [value for value in code.co_consts[1:] if isinstance(value, str | tuple)]
        own = (function.__globals__.get(name) for name in code.co_names)
        found += [o for o in own if isinstance(o, FunctionType | dict | str | list | tuple)]
    return found


def _values(value: object) -> list:
    several = value if isinstance(value, list | tuple | set) else [value]
    return [one for one in several if isinstance(one, str | int | float)]


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
