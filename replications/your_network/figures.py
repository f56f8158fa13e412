"""Figures of diagnosis, evolution and widths; of one subject, or of all built-in ones."""

from pathlib import PurePath

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from replications.your_network.exponents import (
    DEPTHS,
    HALF_GAP,
    QUANTITIES,
    QUARTER_GAP,
    Quantity,
    off,
    tensors,
)
from widenets.evidence import style

LOOKS = {"run": (0, ""), "frozen, own rate": (1, "frozen_"), "frozen, the run's rate": (2, "same_")}


def figure_1(diagnosis: DataFrame) -> Figure:
    """The network, and what it would be with frozen features

    Loss in units of the best constant's against the step, mean over seeds and their range: the run
    as it is, its frozen counterparts at their own rate and at the run's, and (dashed) the lazy
    control, which has to lie on the latter. Dotted: what the kernel's own solution, or the frozen
    arm after 16 times the steps, reaches (for classes, its error). Of a single subject (a) on the
    training labels, (b) on test data; of several, each on test data.
    """
    subjects = sorted(diagnosis["subject"].unique())
    if len(subjects) == 1:
        panels = [(subjects[0], "train"), (subjects[0], "test")]
        titles = ["(a) training labels", "(b) test data"]
    else:
        panels = [(subject, "test") for subject in subjects]
        titles = [f"({'abcdefghijkl'[k]}) {_called(name)}" for k, name in enumerate(subjects)]
    columns = min(3, len(panels))
    figure, grid = style.panels(columns, -(-len(panels) // columns))
    for axes, (subject, split), title in zip(grid.flat, panels, titles, strict=False):
        _losses(axes, diagnosis[diagnosis["subject"] == subject], split)
        axes.set(xlabel="step", ylabel="loss / that of the best constant", title=title)
        style.logarithmic(axes, "xy")
        low, high = axes.get_ylim()
        if high < 3 * low:  # no tick of a logarithmic axis but one would have a label
            axes.set_yscale("linear")
    for axes in list(grid.flat)[len(panels) :]:
        axes.remove()  # an empty one would be told as not measured
    style.legend_below(figure, columns=3)
    return figure


def _called(subject: str) -> str:
    """A built-in subject's name, or that of a reader's file, wherever it lies."""
    return PurePath(subject).stem.replace("_", " ")


def _losses(axes: Axes, rows: DataFrame, split: str) -> None:
    rows = rows[rows["step"] > 0]
    own = rows[rows["arm"].isin(["theory", "dead"])]
    for label, (index, prefix) in LOOKS.items():
        style.curve_over_seeds(
            axes, own, x="step", y=f"{prefix}{split}", label=label, index=index, geometric=True
        )
    lazy = rows[rows["arm"] == "lazy"]
    if len(lazy):
        style.curve_over_seeds(
            axes, lazy, x="step", y=split, label="lazy (alpha = 1000)", control=True, geometric=True
        )
    if split == "test":
        fixed = own.groupby("seed")["fixed"].first().mean()
        steps = [own["step"].min(), own["step"].max()]
        label = (
            "kernel's solution" if (own["no_kernel"] == "-").all() else "frozen, 16 times the steps"
        )
        style.theory_line(axes, steps, [fixed, fixed], label=label, linestyle=":")


def figure_2(evolution: DataFrame) -> Figure:
    """How the kernel moves, and from when on it may be frozen

    Of held-out points: (a) distance 1 - cos(K_0, K_t) of the tangent kernels, (b) alignment of the
    centred kernel with the targets, (c) test loss at the end of training if features are frozen at
    a step; the lazy control (dashed) does not move. Seeds faint, mean with its 99 % interval; the
    start stands at step 1/2.
    """
    figure, (axes,) = style.panels(3)
    looks = {
        "distance": "kernel distance",
        "alignment": "alignment with the targets",
        "frozen_test": "test loss at the end",
    }
    titles = ("(a) the kernel moves", "(b) to the target", "(c) frozen from a step on")
    shown = evolution.assign(step=evolution["step"].clip(lower=0.5))
    for axis, (column, label), title in zip(axes, looks.items(), titles, strict=True):
        for index, subject in enumerate(sorted(shown["subject"].unique())):
            for arm, control in (("theory", False), ("lazy", True)):
                rows = shown[(shown["subject"] == subject) & (shown["arm"] == arm)]
                if column in rows and rows[column].notna().any():
                    name = _called(subject) + (", lazy" if control else "")
                    look = {"label": name, "index": index, "control": control}
                    style.seeds_and_mean(axis, rows, x="step", y=column, **look)
        axis.set(xlabel="step", ylabel=label, title=title)
        style.logarithmic(axis, "x")
    style.legend_below(figure)
    return figure


def figure_3(scaling: DataFrame) -> Figure:
    """What width does to every tensor

    Exponents in width, mean over seeds with the 99 % interval of each alone: of a tensor's own
    effect after three steps, of what its module passes on at the start (of outputs and attention
    logits, whose exponent should be -1/2 or less), of weight decay (of which 0 and the rate's are
    right); gray: what is accepted where muP wants 0. Outlined: decided to be off, all tensors of a
    quantity at once.
    """
    of = {name: of for name, of in QUANTITIES.items() if name not in ("epsilon", "shape")}
    return _of_tensors(scaling, of, HALF_GAP, "exponent in width")


def figure_4(depth: DataFrame) -> Figure:
    """What depth does to every tensor of a residual network

    Exponents in the number of blocks, as in the figure of widths: of the sum of all branches at the
    start (0 at most), of what one step moves and gains, of gradients over epsilon; gray: what is
    accepted where 0 is wanted.
    """
    return _of_tensors(depth, DEPTHS, QUARTER_GAP, "exponent in depth")


def _of_tensors(rows: DataFrame, of: dict[str, Quantity], gap: float, label: str) -> Figure:
    rows = rows[rows["arm"] == "theory"].fillna({"tensor": ""})
    subjects = sorted(rows["subject"].unique())
    named = rows.groupby("subject")["tensor"].agg(frozenset)
    figure, (axes,) = style.panels(len(subjects), height=5.2, share_y=named.nunique() == 1)
    for axis, subject in zip(axes, subjects, strict=True):
        _exponents(axis, rows[rows["subject"] == subject], of, gap)
        axis.set(xlabel=label, title=_called(subject).rpartition(":")[2])
    style.legend_below(figure)
    return figure


def _exponents(axes: Axes, rows: DataFrame, of: dict[str, Quantity], gap: float) -> None:
    of_all = {name: tensors(rows, name) for name in of}
    names = sorted({name for found in of_all.values() for name in found.index}, reverse=True)
    places = {name: place for place, name in enumerate(names)}
    for index, (quantity, found) in enumerate(of_all.items()):
        if found.empty:
            continue
        y = [places[name] for name in found.index]
        bars = [found["found"] - found["low"], found["high"] - found["found"]]
        look = style.arm_style(index) | {"linestyle": "none", "markersize": 3}
        label = quantity.replace("_", " ")
        axes.errorbar(found["found"], y, xerr=bars, elinewidth=0.7, label=label, **look)
        wrong = off(found, of[quantity])
        y = [places[name] for name in wrong.index]
        axes.plot(wrong["found"], y, "o", color="black", fillstyle="none", markersize=8)
    axes.set_yticks(
        list(places.values()),
        [name or "whole network" for name in names],
        fontsize=min(7, 180 / len(names)),
    )
    axes.set_ylim(-1, len(names))
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -0.8), max(high, 0.6))
    style.accepted_band(axes, -gap, gap, vertical=True)
