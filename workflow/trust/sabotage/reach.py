"""`python -m workflow.trust.sabotage.reach LINES ...`: `workflow.measure ...`, noting what it runs.

A line that a measurement never runs cannot change it, so that a fault there need not be measured.
Functions that jax compiles count as well: Python runs their lines when they are traced. Those that
numba compiles do not: whoever measures with them must let this module see their lines.
"""

import argparse
import ast
import sys
from collections import defaultdict
from pathlib import Path

from workflow import measure
from workflow.base.files import write_json
from workflow.base.terminal import exit_code
from workflow.base.tree import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("lines", type=Path, help="JSON: file -> line numbers")
    own, for_measure = parser.parse_known_args()
    sys.argv[1:] = for_measure
    found: dict[str, set[int]] = defaultdict(set)
    sys.settrace(_tracer(str(ROOT) + "/", found))
    try:
        measure.main()
    finally:
        sys.settrace(None)
    write_json(own.lines, {name: sorted(lines) for name, lines in sorted(found.items())})


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
