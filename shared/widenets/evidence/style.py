"""One figure style for all replications; every figures.py draws through these helpers.

Measured arms have a colour and a marker each (Okabe-Ito, readable without colour), theory is a
solid black line, guides are dotted, the accepted band is shaded, controls are dashed grey. Sizes
are those of a two-column page; `SETTINGS` makes the written files reproducible.
"""

from collections.abc import Iterable, Sequence
from functools import partial

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from pandas import DataFrame

from widenets.evidence.intervals import Interval, student_t

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5C00", "#5E3C99")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
THEORY = "#000000"
CONTROL = "#808080"
BAND = "#D9D9D9"
GUIDE = "#404040"
ALIKE = 1e-6  # relative: numbers that differ by less are one, seen in a figure
COLUMN_WIDTH, PAGE_WIDTH = 3.4, 7.0  # inches

SETTINGS = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "svg.hashsalt": "wide-network-replications",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#ECECEC",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 6.5,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.handlelength": 2.2,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
}


def panels(
    columns: int = 1, rows: int = 1, *, height: float = 2.6, share_y: bool = False
) -> tuple[Figure, np.ndarray]:
    """New figure with a (rows, columns) array of axes; height in inches per row.

    One panel is one text column wide, more panels fill the page.
    """
    matplotlib.rcParams.update(SETTINGS)
    width = COLUMN_WIDTH if columns == 1 else PAGE_WIDTH
    figure = Figure(figsize=(width, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=share_y)


def arm_style(index: int) -> dict:
    """Colour and marker of the measured arm number `index`."""
    return {"color": COLORS[index % len(COLORS)], "marker": MARKERS[index % len(MARKERS)]}


def seeds_and_mean(
    axes: Axes,
    rows: DataFrame,
    *,
    x: str,
    y: str,
    label: str,
    index: int = 0,
    control: bool = False,
    geometric: bool = False,
) -> None:
    """Every seed as a faint point; the mean over seeds with its 99 % Student-t bar, joined.

    Several rows of one seed at one x are averaged first. geometric: mean of logarithms, for
    logarithmic axes. A group of one seed gets no bar.
    """
    style = {"color": CONTROL, "marker": "x"} if control else arm_style(index)
    of_seed = rows.groupby([x, "seed"], as_index=False)[y].mean()
    axes.plot(of_seed[x], of_seed[y], linestyle="none", alpha=0.25, markersize=2.5, **style)
    groups = [(place, group.to_numpy(float)) for place, group in of_seed.groupby(x)[y]]
    places = np.array([place for place, _ in groups])
    centers = [_center(values, geometric) for _, values in groups]
    middle = np.array([center.value for center in centers])
    bars = np.array([(c.value - c.low, c.high - c.value) for c in centers]).T
    axes.errorbar(
        places,
        middle,
        yerr=bars,
        capsize=2,
        elinewidth=0.8,
        linestyle="--" if control else "-",
        label=label,
        **style,
    )


def arms_against(
    axes: Axes,
    rows: DataFrame,
    x: str,
    y: str,
    arms: dict[str, str],
    *,
    control: str = "",
    slope: float | None = None,
    law: str = "",
) -> None:
    """{arm: label} against a size, both axes logarithmic, the control dashed; arms without rows
    are left out. slope: the claimed power `law`, dotted, through the first arm's largest size."""
    of_arms = rows[rows["arm"].isin(arms)]
    for index, (arm, label) in enumerate(arms.items()):
        own = of_arms[of_arms["arm"] == arm]
        if len(own):
            is_control = arm == control
            look = {"label": label, "index": index, "control": is_control, "geometric": True}
            seeds_and_mean(axes, own, x=x, y=y, **look)
    first = of_arms[of_arms["arm"] == next(iter(arms))]
    if slope is not None and len(first):
        last = first[first[x] == first[x].max()]
        through = (float(last[x].iloc[0]), float(np.exp(np.log(last[y]).mean())))
        guide_slope(axes, first[x].unique(), slope=slope, through=through, label=law)
    logarithmic(axes, ticks=sorted(of_arms[x].unique()))
    axes.legend()


def curve_over_seeds(
    axes: Axes,
    rows: DataFrame,
    *,
    x: str,
    y: str,
    label: str,
    index: int = 0,
    control: bool = False,
    geometric: bool = False,
) -> None:
    """Mean curve over seeds with their range shaded (a control's: hatched); for time courses."""
    color = CONTROL if control else COLORS[index % len(COLORS)]
    table = rows.pivot_table(index=x, columns="seed", values=y)
    places, values = table.index.to_numpy(float), table.to_numpy(float)
    mean = np.exp(np.mean(np.log(values), axis=1)) if geometric else values.mean(axis=1)
    every = max(1, len(places) // 8)
    axes.plot(
        places,
        mean,
        color=color,
        linestyle="--" if control else "-",
        marker="x" if control else MARKERS[index % len(MARKERS)],
        markevery=(index % every, every),
        label=label,
    )
    if values.shape[1] > 1:
        low, high = values.min(axis=1), values.max(axis=1)
        # The control's range is hatched: plain gray areas are accepted bands.
        shade = {"color": color, "alpha": 0.15, "linewidth": 0}
        hatched = {"facecolor": "none", "edgecolor": color, "hatch": "////", "alpha": 0.35}
        axes.fill_between(places, low, high, **({**hatched, "linewidth": 0} if control else shade))


def theory_line(
    axes: Axes,
    x: Iterable,
    y: Iterable,
    *,
    label: str | None,
    linestyle: str = "-",
    below: bool = False,
) -> None:
    """A prediction without free parameters: black, above the data; where these lie on it so
    closely that it would cover them: broad and below."""
    look = {"linewidth": 2.4, "zorder": 1.5, "alpha": 0.55} if below else {"linewidth": 1.0}
    look = {"zorder": 5, **look}
    axes.plot(x, y, color=THEORY, linestyle=linestyle, label=label, **look)


def guide_slope(
    axes: Axes, x: Sequence[float], *, slope: float, through: tuple[float, float], label: str
) -> None:
    """Dotted line y ~ x^slope through one point; it shows an exponent and is fitted to nothing."""
    x = np.asarray(sorted(x), dtype=float)
    y = through[1] * (x / through[0]) ** slope
    axes.plot(x, y, color=GUIDE, linestyle=":", linewidth=1.0, label=label, zorder=4)


def accepted_band(
    axes: Axes, low: float, high: float, *, label: str | None = "accepted", vertical: bool = False
) -> None:
    """Shade the accepted region; an infinite end reaches to the edge of the panel as it is now."""
    edges = axes.get_xlim() if vertical else axes.get_ylim()
    low, high = max(low, min(edges)), min(high, max(edges))
    span = axes.axvspan if vertical else axes.axhspan
    span(low, high, color=BAND, alpha=0.6, linewidth=0, zorder=0, label=label)


def open_narrow_axes(figure: Figure) -> None:
    """A factor of two around numbers that are the same but for rounding, on logarithmic axes.

    matplotlib's own view of them has no ticks, and its frame lies beside the panel.
    """
    for axes in figure.axes:
        for name in "xy":
            low, high = sorted(getattr(axes, f"get_{name}lim")())
            if getattr(axes, f"get_{name}scale")() == "log" and high < low * (1 + ALIKE):
                getattr(axes, f"set_{name}lim")(low / 2, 2 * high)


def mark_unmeasured(figure: Figure, said: str) -> list[bool]:
    """Empty each panel that shows nothing measured and write `said` there; True for such panels.

    Theory and guides alone are no measurement: a panel of them would seem to confirm itself.
    """
    empty = [not _measured(axes) for axes in figure.axes]
    for axes, bare in zip(figure.axes, empty, strict=True):
        if bare:
            drawn = (*axes.lines, *axes.collections, *axes.patches, *axes.texts)
            for artist in (*drawn, *filter(None, [axes.get_legend()])):
                artist.remove()  # not clear(): that would reset the axes which others share
            axes.set_axis_off()
            axes.text(0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center")
    return empty


def _measured(axes: Axes) -> bool:
    """Whether there is an image, an area, a bar or a line with data that is no theory or guide."""
    if axes.images or any(patch.get_visible() for patch in axes.containers and axes.patches):
        return True
    if axes.get_label() == "<colorbar>" or len(axes.texts) > 3:  # digits set as text are data
        return True
    lines = (line for line in axes.lines if line.get_color() not in (THEORY, GUIDE, "black", "k"))
    if any(_has_data(line.get_xdata(), line.get_ydata()) for line in lines):
        return True
    offsets = (np.asarray(c.get_offsets(), float) for c in axes.collections)
    return any(o.size and np.isfinite(o).all(axis=1).any() and (o != 0).any() for o in offsets)


def _has_data(x: Iterable, y: Iterable) -> bool:
    x, y = np.asarray(x, float), np.asarray(y, float)
    return x.size == y.size and bool((np.isfinite(x) & np.isfinite(y)).any())


def limits_by_means(axes: Axes) -> None:
    """Vertical limits that show the means and seeds' centre, however long single bars are."""
    means = [np.asarray(bars[0].get_ydata(), float) for bars in axes.containers]
    values = np.concatenate(means) if means else np.array([])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return
    low, high = values.min(), values.max()
    if axes.get_yscale() == "log":
        reach = max(np.log10(high / low), 0.3)
        axes.set_ylim(low / 10 ** (0.25 * reach), high * 10 ** (0.25 * reach))
    else:
        reach = max(high - low, 1e-12)
        axes.set_ylim(low - 0.35 * reach, high + 0.35 * reach)


def legend_below(figure: Figure, *, columns: int | None = None) -> None:
    """One legend below all panels, each label once; for panels that have no room of their own."""
    columns = columns or (2 if figure.get_figwidth() < PAGE_WIDTH else 6)
    found = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=columns)


def logarithmic(axes: Axes, which: str = "xy", *, ticks: Sequence[float] | None = None) -> None:
    """Logarithmic axes; `ticks` (widths, ...) are printed as plain numbers.

    Where less than two powers of ten are in view, 2, 3 and 5 times one have labels as well.
    """
    for name in which:
        getattr(axes, f"set_{name}scale")("log")
        axis = getattr(axes, f"{name}axis")
        axis.set_minor_formatter(partial(_between_powers, axis))
        if name == "x" and ticks is not None:
            axis.set_minor_locator(NullLocator())
            axis.set_ticks(list(ticks), labels=[f"{tick:g}" for tick in ticks])


def _between_powers(axis: Axis, value: float, _) -> str:
    """Label of a minor tick. matplotlib's own, 2 x 10^1 and so on, overlap on our narrow panels."""
    low, high = np.log10(np.sort(axis.get_view_interval()))
    powers = np.floor(high) - np.ceil(low) + 1
    leading = value / 10 ** np.floor(np.log10(value))
    return f"{value:g}" if powers < 2 and round(leading, 6) in (2, 3, 5) else ""


def _center(values: np.ndarray, geometric: bool) -> Interval:
    if values.size == 1:
        return Interval(values[0], values[0], values[0])
    if geometric:
        return Interval(*np.exp(student_t(np.log(values))))
    return student_t(values)
