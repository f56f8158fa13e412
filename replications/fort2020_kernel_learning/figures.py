"""Figures of Fort et al. redrawn from the tables alone."""

import math

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style

NAMES = {
    "theory": "network",
    "shuffled": "shuffled labels",
    "elsewhere": "random direction, as far",
    "cooled": "rate / 30 from epoch 10",
    "steady": "random walk",
}


def figure_kernel_distance(trajectory: DataFrame) -> Figure:
    """The kernel moves fast at first and never stops; shuffled labels move it as far

    After Figures 2 and 3 (as reported). (a) Kernel distance from the start; below the black line a
    kernel is closer to its start than that of another initialisation. (b) Distance from the kernel
    three epochs before: it falls, and stays where SGD's noise keeps it. (c) Alignment with the true
    labels, which shuffled labels do not raise. Weights that walk at random: dashed.
    """
    figure, (axes,) = style.panels(3)
    panels = (
        ("distance", "1 - cos from the start", "(a) distance"),
        ("of_span", "1 - cos from 3 epochs before", "(b) velocity"),
        ("alignment", "alignment with labels", "(c) alignment"),
    )
    for axis, (column, label, title) in zip(axes, panels, strict=True):
        for index, (arm, name) in enumerate(NAMES.items()):
            rows = trajectory[trajectory["arm"] == arm]
            if column == "of_span":
                rows = rows[rows["epoch"] >= 3]
            look = {"x": "epoch", "y": column, "label": name, "index": index}
            style.curve_over_seeds(axis, rows, control=arm == "steady", **look)
        axis.set(xlabel="epoch", ylabel=label, title=title, xticks=[0, 4, 8, 12, 16])
    unit = trajectory["unit"].mean()
    style.theory_line(axes[0], [0, 16], [unit, unit], label="two initialisations")
    style.logarithmic(axes[1], "y")
    style.legend_below(figure, columns=3)
    return figure


def figure_errors(learning: DataFrame) -> Figure:
    """A kernel that has seen three epochs is worth more than one that has seen none

    After Figures 5 and 6 (as reported). Test error against the epoch t: of the network at t, of its
    kernel at t from zero, and at the end of training where it is linearized at t. (a) True labels.
    (b) Networks that are trained on shuffled labels; their kernels learn true ones, and get worse.
    (c) A lazy network, which starts at 0 (off the panel), is its own linearization, and its kernel
    stays.
    """
    figure, (axes,) = style.panels(3, share_y=True)
    titles = {"theory": "(a) labels", "shuffled": "(b) shuffled labels", "lazy": "(c) lazy"}
    names = {
        "network": "network",
        "kernel": "kernel, from zero",
        "linear": "linearized from here on",
    }
    for axis, (arm, title) in zip(axes, titles.items(), strict=True):
        rows = learning[(learning["arm"] == arm) & (learning["samples"] == 512)]
        for index, (column, label) in enumerate(names.items()):
            look = {"x": "epoch", "y": column, "label": label, "index": index}
            style.seeds_and_mean(axis, rows, **look)
        axis.set(xlabel="epoch t", title=title)
    axes[0].set(ylabel="test error", ylim=(0, 0.6))
    style.legend_below(figure, columns=4)
    return figure


def figure_early(early: DataFrame) -> Figure:
    """Kernel and network agree early, to first order in time

    (a) Distance of the network from its linearization over the way it has gone: t (dotted). (b)
    Kernel distance: t squared. Parameters that walk at random (dashed) have the root of either.
    """
    figure, (axes,) = style.panels(2)
    panels = (
        ("apart", 1, r"$|f-f^{lin}|/|f-f_0|$", "(a) linearization"),
        ("distance", 2, "1 - cos from the start", "(b) kernel"),
    )
    arms = {"theory": "erf", "relu": "ReLU", "walk": "erf, random walk"}
    of_erf, of_relu = (
        sorted(early[early["arm"] == arm]["time"].unique()) for arm in ("theory", "relu")
    )
    ticks = [*of_erf, *of_relu[1::2]]  # the first of ReLU would cover the last of erf
    for axis, (column, slope, label, title) in zip(axes, panels, strict=True):
        for index, (arm, name) in enumerate(arms.items()):
            rows = early[early["arm"] == arm]
            if rows.empty:
                continue
            look = {"x": "time", "y": column, "label": name, "index": index, "geometric": True}
            style.seeds_and_mean(axis, rows, control=arm == "walk", **look)
        rows = early[early["arm"] == "theory"]
        times = sorted(rows["time"].unique())
        first = math.exp(np.log(rows[rows["time"] == times[0]][column]).mean())
        guide = {"slope": slope, "through": (times[0], first), "label": f"slope {slope}"}
        style.guide_slope(axis, times, **guide)
        axis.set(xlabel="steps", ylabel=label, title=title)
        style.logarithmic(axis, "xy", ticks=ticks)
        axis.legend()
    return figure


def figure_basins(children: DataFrame) -> Figure:
    """Children of one network are in one basin and are not one function

    Error barrier on the line between two networks against the share of test points on which they
    differ, a point a pair. Below the band's edge networks count as connected.
    """
    figure, ((axis,),) = style.panels(1)
    arms = {"theory": "children of epoch 3", "at_start": "children of the start"}
    points = {"linestyle": "none", "alpha": 0.6}
    for index, (arm, name) in enumerate(arms.items()):
        rows = children[children["arm"] == arm]
        look = points | style.arm_style(index)
        axis.plot(rows["disagreement"], rows["barrier"], label=name, **look)
    rows = children[children["arm"] == "independent"]
    look = points | {"color": style.CONTROL, "marker": "x", "label": "two initialisations"}
    axis.plot(rows["disagreement"], rows["barrier"], **look)
    axis.set(xlabel="share of test points that differ", ylabel="error barrier")
    style.accepted_band(axis, -math.inf, 0.02, label="connected")
    axis.legend()
    return figure


def figure_pairs(pairs: DataFrame) -> Figure:
    """Kernel distance between all pairs of epochs

    After Figure 2 (as reported), mean over seeds: a transient, then a block that goes on moving
    slowly. (b) On shuffled labels there is no such block.
    """
    figure, (axes,) = style.panels(2)
    high = pairs.groupby(["arm", "epoch", "other_epoch"])["distance"].mean().max()
    titles = {"theory": "(a) labels", "shuffled": "(b) shuffled labels"}
    for axis, (arm, title) in zip(axes, titles.items(), strict=True):
        rows = pairs[pairs["arm"] == arm]
        table = rows.pivot_table(index="epoch", columns="other_epoch", values="distance")
        look = {"cmap": "viridis", "vmin": 0, "vmax": high, "origin": "lower"}
        image = axis.imshow(table.to_numpy(float), **look)
        axis.set(xlabel="epoch", ylabel="epoch", title=title)
        axis.grid(visible=False)
    figure.colorbar(image, ax=axes, label="1 - cos")
    return figure


def figure_width(width: DataFrame) -> Figure:
    """In NTK parameterization the kernel of wide networks stands still

    (a) Kernel distance and (b) relative change of the kernel until a fixed time against the width;
    dotted: n to the power -2 and -1, the orders of a smooth network. Mean-field scaling: dashed.
    """
    figure, (axes,) = style.panels(2)
    panels = (("distance", -2, "1 - cos"), ("drift", -1, r"$\|K_T-K_0\|/\|K_0\|$"))
    for axis, (column, slope, label) in zip(axes, panels, strict=True):
        for arm, name in (("theory", "NTK"), ("mean_field", "mean field")):
            rows = width[width["arm"] == arm]
            look = {"x": "width", "y": column, "label": name, "geometric": True}
            style.seeds_and_mean(axis, rows, control=arm == "mean_field", **look)
        rows = width[width["arm"] == "theory"]
        widths = sorted(rows["width"].unique())
        first = math.exp(np.log(rows[rows["width"] == widths[0]][column]).mean())
        guide = {"slope": slope, "through": (widths[0], first), "label": f"slope {slope}"}
        style.guide_slope(axis, widths, **guide)
        axis.set(
            xlabel="width n", ylabel=label, title="(a) distance" if slope == -2 else "(b) drift"
        )
        style.logarithmic(axis, "xy", ticks=widths)
        axis.legend()
    return figure
