"""`python -m workflow.draw`: draw a replication's figures from its table, with their data beside.

A figure is a public function of `figures.py`; its parameters name the parts it draws, so that the
rows behind it are known without running it. Its docstring is the caption.

What a panel shows is told by the numbers in it: they are looked for in the table, single ones and
means over seeds, so that a figure declares nothing and what is told is what is drawn. Numbers that
a figure derives (a fitted exponent, a histogram) are in no column: such a panel names none.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workflow.base import selection
from workflow.base.files import UserError, meant, replacing, write_seal
from workflow.base.grid import ALL, Seeds, part_signatures, parts
from workflow.base.modules import load, parsed
from workflow.base.records import read_sealed, write_table
from workflow.base.tree import ROOT, known, tier_folder
from workflow.host.terminal import exit_code

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

KINDS = ("svg", "pdf", "csv")
DIGITS = 9  # significant, by which a drawn number is known again
MOST_VALUES = 4000  # of a panel that are looked for
SHARE = 0.3  # of the most frequent column's numbers that another column of a panel needs
OF_ARMS = 0.02  # the same of arms, whose numbers are seldom the same by chance
MANY = 20  # different places along a panel that are measured ones, not sizes of a grid
FIXED = ("part", "arm", "seed")
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
    selection.options(parser)
    arguments = parser.parse_args()
    results, replication = tier_folder(arguments.results), known(arguments.replication)
    table = read_sealed(results.table(replication))
    module = load(replication, "figures")
    folder = results.figures(replication)
    seeds = Seeds(subject=arguments.subject, **selection.given(arguments))
    chosen = figures(replication, results.tier, seeds)
    for figure in chosen:
        _draw(getattr(module, figure.name), figure, table, folder)
    drawn = (folder / f"{figure.name}.{kind}" for figure in chosen for kind in KINDS)
    write_seal(results.figures_seal(replication), drawn)


def figures(replication: str, tier: str, seeds: Seeds = ALL, root: Path = ROOT) -> list[Figure]:
    """The figures whose parts the tier measures, read from the source without importing it. They
    look for the grid's own values, so that a run with changes in it has none."""
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
        if set(needed) <= present and not seeds.changes:
            found.append(Figure(node.name, needed, title, " ".join(caption.split())))
    return found


def data_of(table: pd.DataFrame, figure: Figure) -> pd.DataFrame:
    """The rows behind a figure, without the columns that they do not use."""
    return table[table["part"].isin(figure.parts)].dropna(axis="columns", how="all")


def _draw(function, figure: Figure, table, folder: Path) -> None:
    import matplotlib

    from widenets.evidence.rows import rows_of
    from widenets.evidence.style import mark_unmeasured, open_narrow_axes

    matplotlib.use("agg")
    rows = data_of(table, figure)
    drawn = function(**{name: rows_of(rows, name) for name in figure.parts})
    if not hasattr(drawn, "savefig"):
        where = function.__module__.replace(".", "/")
        raise UserError(f"{where}.py: {figure.name}: returned {drawn!r}, wanted a Figure")
    dpi = drawn.dpi
    open_narrow_axes(drawn)
    bare = mark_unmeasured(drawn, NOT_HERE)
    said = NOTHING if bare and all(bare) else NOT_ALL if any(bare) else ""
    shown = [json.dumps(one, ensure_ascii=False) for one in panels(drawn, rows, bare)]
    told = {"Date": None, "Description": said, "Keywords": shown}
    with matplotlib.rc_context({"svg.hashsalt": figure.name}):  # the same bytes on every run
        formats = {"svg": told, "pdf": {"CreationDate": None}}
        _write(drawn, folder / figure.name, formats, dpi)
    write_table(folder / f"{figure.name}.csv", rows)


def _write(figure: Drawing, path: Path, told: dict[str, dict], dpi: float) -> None:
    """A figure that is laid out in each format of `told`, with what it says of itself. Not by
    `savefig`, which draws everything twice: the first time to lay it out."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    printing = {
        "svg": lambda: FigureCanvasSVG(figure).print_svg,
        "pdf": lambda: FigureCanvasPdf(figure).print_pdf,
    }
    for kind, metadata in told.items():
        figure.set_dpi(dpi)  # of images; both formats set it to 72 for the rest
        with replacing(path.with_name(f"{path.name}.{kind}")) as temporary:
            printing[kind]()(temporary, metadata=metadata)


def _lay_out(figure: Drawing) -> None:
    """Once and for both formats, with texts as wide as the SVG sets them. From here on one renderer
    measures the figure, which remembers the texts it has met."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG

    canvas = FigureCanvasSVG(figure)
    figure.set_dpi(canvas.fixed_dpi)
    measuring = RendererSVG(*figure.bbox.size, io.StringIO())
    canvas.get_renderer = lambda: measuring
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def panels(figure: Drawing, rows: pd.DataFrame, bare: list[bool]) -> list[dict]:
    """{title, box, empty, shows, scales} of each panel, as it is read: from the left, row by row.

    box: left, top, width and height as shares of the picture; shows: a list of {part, column,
    arms, held}, where `held` are the parameters that have one value there and several in the part;
    scales: see `widenets.evidence.scales`.
    """
    from widenets.evidence.scales import scales

    _lay_out(figure)
    places = {part: _places(some) for part, some in rows.groupby("part", sort=False)}
    found: list[dict] = []
    for axes, empty in zip(figure.axes, bare, strict=True):
        if axes.get_label() == "<colorbar>":
            continue
        box = _box(axes, figure)
        shows = [] if empty else [one for p in places.values() for one in _shown(axes, p)]
        twin = next((one for one in found if one["axes"] == _corner(axes)), None)
        if twin:  # a second axis over the same panel
            twin["shows"] += shows
            continue
        title = axes.get_title() or axes.get_title("left") or axes.get_ylabel()
        told = {"title": " ".join(title.split()), "box": box, "empty": empty, "shows": shows}
        found.append({**told, "scales": scales(axes), "axes": _corner(axes)})
    return [{key: one[key] for key in one if key != "axes"} for one in found]


def _corner(axes: Axes) -> tuple[float, ...]:
    return tuple(np.round(axes.get_position().bounds, 4))


def _box(axes: Axes, figure: Drawing) -> list[float]:
    """Where a panel with its labels lies in the picture, from its upper left corner."""
    inside = axes.get_tightbbox().transformed(figure.transFigure.inverted())
    left, low = max(0.0, inside.x0), max(0.0, inside.y0)
    right, high = min(1.0, inside.x1), min(1.0, inside.y1)
    return [round(float(x), 4) for x in (left, 1 - high, right - left, high - low)]


def _places(rows: pd.DataFrame) -> list[tuple[str, pd.Series, pd.DataFrame]]:
    """(column, its numbers rounded, the rows they are of): single ones, and means over seeds."""
    numeric = rows.select_dtypes("number").dropna(axis="columns", how="all")
    measured = [c for c in numeric if c not in FIXED and not _few(numeric[c])]
    keys = [c for c in rows if c not in ("seed", *measured) and rows[c].notna().any()]
    found = [(column, _digits(rows[column]), rows[keys]) for column in measured]
    groups = rows.groupby(keys, dropna=False, sort=False)[measured]
    for mean in (groups.mean(), np.exp(_logarithms(rows, keys, measured))):
        cells = mean.index.to_frame(index=False)
        found += [(column, _digits(mean[column].reset_index(drop=True)), cells) for column in mean]
    return found


def _logarithms(rows: pd.DataFrame, keys: list[str], measured: list[str]) -> pd.DataFrame:
    positive = rows[measured].where(rows[measured] > 0)
    logs = np.log(positive)
    return logs.groupby([rows[key] for key in keys], dropna=False, sort=False).mean()


def _few(values: pd.Series) -> bool:
    """Whether a column is a parameter or a count: whole numbers, or few different ones."""
    known = values.dropna()
    return bool((known % 1 == 0).all()) or known.nunique() <= min(6, len(known) // 20)


def _digits(values: pd.Series) -> pd.Series:
    """Numbers as integers of DIGITS digits and a power, comparable exactly; not finite: 0."""
    x = np.asarray(values, float)
    x = np.where(np.isfinite(x), x, 0.0)
    power = np.floor(np.log10(np.where(x == 0, 1.0, np.abs(x))))
    return np.round(x / 10.0**power, DIGITS - 1) * 1e4 + power


def _shown(axes: Axes, place: list) -> list[dict]:
    """What of a part's table a panel draws: upwards, or else (bars that lie) along."""
    along, upwards = _numbers(axes)
    told = _found(upwards, place)
    return told or (_found(along, place) if along.size > MANY else [])


def _found(drawn: np.ndarray, place: list) -> list[dict]:
    """The columns in which numbers are, each with its arms and the parameters held."""
    best: dict[str, tuple[int, np.ndarray, pd.DataFrame]] = {}
    for column, numbers, rows in place:
        hit = np.isin(numbers, drawn)
        count = len(np.unique(np.asarray(numbers)[hit]))
        if count > best.get(column, (0,))[0]:
            best[column] = (count, hit, rows)
    most = max((count for count, *_ in best.values()), default=0)
    enough = max(1, SHARE * most)
    kept = {c: one for c, one in best.items() if one[0] >= enough}
    return [_told(column, rows, hit) for column, (_, hit, rows) in kept.items()]


def _told(column: str, rows: pd.DataFrame, hit: np.ndarray) -> dict:
    own = rows[hit]
    arms = own["arm"].value_counts()
    held = {}
    for key in rows.columns.difference(FIXED):
        values = own[key].dropna().unique()
        if len(values) == 1 and rows[key].nunique() > 1:
            held[key] = values[0].item() if hasattr(values[0], "item") else values[0]
    return {
        "part": str(own["part"].iloc[0]),
        "column": column,
        "arms": sorted(map(str, arms[arms >= OF_ARMS * arms.max()].index)),
        "held": held,
    }


def _numbers(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that a panel draws along and upwards (or as colours), of theory and guides none."""
    from widenets.evidence.style import GUIDE, THEORY

    along, upwards = [np.empty(0)], [np.empty(0)]
    for line in axes.lines:
        if line.get_color() not in (THEORY, GUIDE, "black", "k"):
            along.append(_finite(line.get_xdata()))
            upwards.append(_finite(line.get_ydata()))
    for one in axes.collections:
        places = np.asarray(one.get_offsets(), float).reshape(-1, 2)
        along.append(_finite(places[:, 0]))
        upwards.append(_finite(places[:, 1]))
        if one.get_array() is not None:
            upwards.append(_finite(one.get_array()))
        if not hasattr(one, "get_segments"):  # areas: the range over seeds
            upwards += [_finite(path.vertices[:, 1]) for path in one.get_paths()]
    bars = [patch for patch in axes.patches if hasattr(patch, "get_height")]
    along += [_finite([bar.get_width() for bar in bars])]
    upwards += [_finite([bar.get_height() for bar in bars])]
    upwards += [_finite(image.get_array()) for image in axes.images]
    return _known(along), _known(upwards)


def _known(pieces: list[np.ndarray]) -> np.ndarray:
    """Numbers by their digits, without whole ones, which are counts and sizes."""
    values = np.unique(np.concatenate(pieces))
    values = values[values % 1 != 0]
    step = max(1, len(values) // MOST_VALUES)
    return np.unique(_digits(values[::step]))


def _finite(values: object) -> np.ndarray:
    flat = np.asarray(np.ma.filled(np.ma.asarray(values, dtype=float), np.nan), float).ravel()
    return flat[np.isfinite(flat)]


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
