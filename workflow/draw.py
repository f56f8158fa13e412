"""`python -m workflow.draw`: draw a replication's figures from its table, with their data beside.

A figure is a public function of `figures.py`; its parameters name the parts it draws, so that the
rows behind it are known without running it. Its docstring is the caption.
"""

from __future__ import annotations

import argparse
import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workflow.base.files import UserError, meant, replacing, write_seal
from workflow.base.grid import ALL, Seeds, part_signatures, parts
from workflow.base.modules import load, parsed
from workflow.base.records import read_sealed, write_table
from workflow.base.tree import ROOT, known, tier_folder
from workflow.host.terminal import exit_code

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("svg", "pdf", "csv")
NOT_HERE = "not measured in this tier"
# What an SVG says of itself where its tier measures less than the figure can show.
NOTHING = "Nothing of this figure is measured in this tier."
NOT_ALL = "Empty panels are not measured in this tier."


class Figure(NamedTuple):
    name: str
    parts: tuple[str, ...]
    title: str
    caption: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--results", type=Path, required=True, help="folder results/TIER")
    parser.add_argument("--replication", required=True)
    parser.add_argument("--subject", default="", help="a reader's file, for your_network")
    arguments = parser.parse_args()
    results, replication = tier_folder(arguments.results), known(arguments.replication)
    table = read_sealed(results.table(replication))
    module = load(replication, "figures")
    folder = results.figures(replication)
    chosen = figures(replication, results.tier, Seeds(subject=arguments.subject))
    for figure in chosen:
        _draw(getattr(module, figure.name), figure, table, folder)
    drawn = (folder / f"{figure.name}.{kind}" for figure in chosen for kind in KINDS)
    write_seal(results.figures_seal(replication), drawn)


def figures(replication: str, tier: str, seeds: Seeds = ALL, root: Path = ROOT) -> list[Figure]:
    """The figures whose parts the tier measures, read from the source without importing it."""
    path = root / "replications" / replication / "figures.py"
    present = parts(replication, tier, seeds, root)
    found = []
    known_parts = part_signatures(path.with_name("experiment.py"), root)
    for node in parsed(path, root).body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        needed = tuple(argument.arg for argument in node.args.args)
        for name in needed:
            if name not in known_parts:
                where = f"{path.relative_to(root).as_posix()}: {node.name}"
                raise UserError(f"{where}: unknown part {name!r}{meant(name, known_parts)}")
        title, _, caption = inspect.cleandoc(ast.get_docstring(node) or node.name).partition("\n")
        if set(needed) <= present:
            found.append(Figure(node.name, needed, title, " ".join(caption.split())))
    return found


def data_of(table: pd.DataFrame, figure: Figure) -> pd.DataFrame:
    """The rows behind a figure, without the columns that they do not use."""
    return table[table["part"].isin(figure.parts)].dropna(axis="columns", how="all")


def _draw(function, figure: Figure, table, folder: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    from widenets.evidence.rows import rows_of
    from widenets.evidence.style import mark_unmeasured

    rows = data_of(table, figure)
    drawn = function(**{name: rows_of(rows, name) for name in figure.parts})
    if not hasattr(drawn, "savefig"):
        where = function.__module__.replace(".", "/")
        raise UserError(f"{where}.py: {figure.name}: returned {drawn!r}, wanted a Figure")
    bare = mark_unmeasured(drawn, NOT_HERE)
    said = NOTHING if bare and all(bare) else NOT_ALL if any(bare) else ""
    told = {"svg": {"Date": None, "Description": said}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context({"svg.hashsalt": figure.name}):  # the same bytes on every run
        for kind, undated in told.items():
            with replacing(folder / f"{figure.name}.{kind}") as temporary:
                drawn.savefig(temporary, format=kind, metadata=undated)
            drawn.set_layout_engine("none")  # laid out once; the second format takes it over
    pyplot.close(drawn)
    write_table(folder / f"{figure.name}.csv", rows)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
