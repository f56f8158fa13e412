"""Where in the sources something is: the lines of a claim, a part, a figure; the repository; and
whose a claim is, by what it says of its source."""

import ast
import re
from functools import cache
from pathlib import Path

from workflow.base.tree import ROOT
from workflow.host.revision import git

PAPER, PAGE, OURS = "paper", "page", "ours"
# Words of a claim's source that say that the value, all of it or a part, was derived here ...
DERIVED = re.compile(
    r"\bours\b|\bderived (?:here|again|in)\b|\bthis replication\b|\bREADME\b|\bread as a law\b"
    r"|\bcomputation\b|\bcorollary\b|\bconsequence\b|\bsharpening\b|^explains\b"
    r"|^outside the theorems"
    r"|\brate: central limit theorem\b|^law of large numbers|\bexact (?:law|at|by)\b|\bexactly\b"
    r"|\bdelta method\b|^textbook|^definition|\bclosed forms?\b|\btrace identity\b|\bsquared$"
    r"|^the linear recursion|^independent decay|\bmade quantitative\b|\bcarry two factors\b"
)
# ... and that it is said where nothing is proved: on pages, in posts, as readings of papers.
POPULAR = re.compile(
    r"\bpopular|\bwidely read\b|\bpublic threads?\b|\bdocumentation\b|\busual practice\b"
)


def origin(source: str) -> str:
    """Who says a claim: a popular page or reading, this suite (wholly or in part), or a paper (with
    its authors' code)."""
    if POPULAR.search(source):
        return PAGE
    return OURS if is_derived(source) else PAPER


def is_derived(source: str) -> bool:
    """Whether the value that a claim predicts was derived here, wholly or in part."""
    return bool(DERIVED.search(source))


def claim_lines(path: Path, name: str, root: Path = ROOT) -> dict:
    """The call that makes the claim `name`; the whole file where it cannot be told."""
    return _excerpt(path, claim_node(path, name), root)


def claim_node(path: Path, name: str) -> ast.Call | None:
    """The call that makes the claim `name`, None where it cannot be told."""
    found = [
        (len(pattern.replace(".+", "")), node)
        for pattern, node in _named_calls(path)
        if re.fullmatch(pattern, name)
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def function_lines(path: Path, name: str, root: Path = ROOT) -> dict:
    """The function `name` of a module."""
    for node in _tree(path).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _excerpt(path, node, root)
    return _excerpt(path, None, root)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@cache
def _named_calls(path: Path) -> list[tuple[str, ast.Call]]:
    """Calls with a name: (pattern of the names they can have, call).

    The name is the keyword `name` or the first argument; in an f-string what is filled in may be
    anything, so that a literal name, which has the longer pattern of its own, is preferred.
    """
    found = []
    for node in ast.walk(_tree(path)):
        if not isinstance(node, ast.Call):
            continue
        named = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
        for value in (named or node.args)[:1]:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.append((re.escape(value.value), node))
            elif isinstance(value, ast.JoinedStr):
                pieces = (p.value if isinstance(p, ast.Constant) else None for p in value.values)
                found.append(("".join(".+" if p is None else re.escape(p) for p in pieces), node))
    return found


def _excerpt(path: Path, node: ast.AST | None, root: Path) -> dict:
    lines = _lines(path)
    decorators = [d.lineno for d in getattr(node, "decorator_list", [])]
    first = min([node.lineno, *decorators]) if node else 1
    last = node.end_lineno if node else len(lines)
    text = "\n".join(lines[first - 1 : last]) if node else ""
    return {
        "path": path.relative_to(root).as_posix(),
        "first": first,
        "last": last,
        "text": text,
    }


def repository_url(root: Path = ROOT) -> str:
    """Address of the repository's files at this commit on the web; empty where there is none."""
    try:
        address = git(root, "remote", "get-url", "origin")
        commit = git(root, "rev-parse", "HEAD")
    except FileNotFoundError:  # git is not installed
        return ""
    found = re.fullmatch(
        r"(?:https?://(?:[^@/]+@)?|(?:ssh://)?git@)([\w.-]+\.\w+)[:/](.+?)(?:\.git)?/?", address
    )
    return f"https://{found[1]}/{found[2]}/blob/{commit}" if found and commit else ""
