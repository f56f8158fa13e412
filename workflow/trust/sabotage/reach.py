"""`python -m workflow.trust.sabotage.reach LINES ...`: `workflow.measure ...`, noting what it runs.

A line that a measurement never runs cannot change it, so that a fault there need not be measured.
Functions that jax compiles count as well: Python runs their lines when they are traced. Those that
numba compiles do not: whoever measures with them must let this module see their lines.
"""

import argparse
import ast
import json
import sys
from collections import defaultdict
from pathlib import Path

from workflow import measure
from workflow.base.files import sha256, write_json
from workflow.base.tree import ROOT
from workflow.host.terminal import exit_code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("lines", type=Path, help="JSON: file -> checksum, line numbers")
    own, for_measure = parser.parse_known_args()
    sys.argv[1:] = for_measure
    found: dict[str, set[int]] = defaultdict(set)
    sys.settrace(_tracer(str(ROOT) + "/", found))
    try:
        measure.main()
    finally:
        sys.settrace(None)
    ran = {name: [sha256(ROOT / name), sorted(lines)] for name, lines in sorted(found.items())}
    write_json(own.lines, ran)


def are_of(path: Path, root: Path) -> bool:
    """Whether lines were noted, and of files that are byte by byte those of a tree: where a comment
    moves them no record is stale."""
    if not path.exists():
        return False
    noted = json.loads(path.read_text(encoding="utf-8"))
    return all(
        (root / name).exists() and sha256(root / name) == checksum
        for name, (checksum, _) in noted.items()
    )


def read_lines(path: Path) -> dict[str, set[int]]:
    """File -> numbers of the lines that a measurement ran."""
    noted = json.loads(path.read_text(encoding="utf-8"))
    return {name: set(lines) for name, (_, lines) in noted.items()}


def _tracer(below: str, found: dict[str, set[int]]):
    """A trace function that notes the lines of files below a folder."""
    ours: dict[str, str] = {}

    def enter(frame, event, _):
        name = frame.f_code.co_filename
        if name not in ours:
            ours[name] = name.removeprefix(below) if name.startswith(below) else ""
        if not ours[name]:
            return None
        seen = found[ours[name]]

        def follow(frame, event, _):
            if event == "line":
                seen.add(frame.f_lineno)
            return follow

        return follow

    return enter


def lines_of(text: str, old: str) -> set[int]:
    """Lines of the statement that holds `old` (of a block's head: those that `old` is on)."""
    start = text.index(old) + len(old) - len(old.lstrip())
    first = text.count("\n", 0, start) + 1
    last = first + old.strip().count("\n")
    around = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt) and node.lineno <= first <= node.end_lineno
    )
    inmost = min(around, key=lambda node: node.end_lineno - node.lineno, default=None)
    if inmost is None or hasattr(inmost, "body"):
        return set(range(first, last + 1))
    return set(range(inmost.lineno, max(inmost.end_lineno, last) + 1))


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
