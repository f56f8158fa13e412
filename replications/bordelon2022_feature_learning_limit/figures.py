"""Figures of the limit with feature learning, drawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def figure_order(first_order: DataFrame, output: DataFrame) -> Figure:
    """The order g0^2 of deep linear networks, with and without responses

    (a) Change of the kernel over that of independent gradients, g0^2 L(L+1)/2 (d1 + d2 + d3 + d4),
    against the depth: (L+1)(L+2)/6 (black). The limit without responses (dashed) obeys it. (b) f
    less that of the frozen kernel at K_0 t = 2, over its order g0^2; without responses dashed,
    gray: the accepted band.
    """
    figure, (axes,) = style.panels(2)
    for axis, rows, column in ((axes[0], first_order, "over_bare"), (axes[1], output, "ratio")):
        for arm, label in (("theory", "limit"), ("no_responses", "without responses")):
            chosen = rows[rows["arm"] == arm]
            look = {"x": "depth", "y": column, "label": label, "control": arm != "theory"}
            style.seeds_and_mean(axis, chosen, **look)
        axis.set(xlabel="hidden layers L")
        axis.set_xticks(sorted(rows["depth"].unique()))
    depth = np.linspace(1, 4, 50)
    style.theory_line(axes[0], depth, (depth + 1) * (depth + 2) / 6, label="(L+1)(L+2)/6")
    style.theory_line(axes[1], [1, 3], [1, 1], label=r"order $g_0^2$")
    axes[0].set(ylabel=r"$\Delta K$ / order without responses", title="(a) kernel")
    axes[1].set(ylabel=r"$(f-f_{NTK})$ / formula", title="(b) output")
    style.accepted_band(axes[1], 0.99, 1.01)
    for axis in axes:
        axis.legend()
    return figure


def figure_richness(final: DataFrame, large: DataFrame, small: DataFrame) -> Figure:
    """How far the kernel moves: g0^2 at small richness, balanced layers at large

    (a) Phi at the end of training with one linear layer over sqrt(1 + g0^2), beside the order g0^2
    (dotted) and Phi of the start (dashed). (b) K - K_0 at the end against g0: dotted, g0^2 at small
    richness and g0^(2L/(L+1)) at large. (c) Phi^2 of two tanh layers less the frozen one.
    """
    figure, (axes,) = style.panels(3)
    for arm, label in (("theory", "limit"), ("frozen", "start")):
        rows = final[final["arm"] == arm]
        look = {"x": "richness", "y": "ratio", "label": label, "control": arm != "theory"}
        style.seeds_and_mean(axes[0], rows, **look)
    rows = final[final["arm"] == "theory"].groupby("richness")["leading"].mean()
    style.theory_line(axes[0], rows.index, rows, label=r"order $g_0^2$", linestyle=":")
    axes[0].set(xlabel=r"richness $g_0$", ylabel=r"$\Phi_\infty/\sqrt{1+g_0^2}$", title="(a) L = 1")
    style.logarithmic(axes[0], "xy", ticks=sorted(final["richness"].unique()))
    axes[0].set_yscale("linear")
    for index, (depth, rows) in enumerate(large.groupby("depth")):
        look = {"x": "richness", "y": "change", "label": f"L = {depth:g}", "index": index}
        style.seeds_and_mean(axes[1], rows, **look)
        for place, power in ((0.1, 2.0), (256.0, 2 * depth / (depth + 1))):
            value = rows[rows["richness"] == place]["change"].mean()
            ends = [place / 8, place * 8] if place < 1 else [place / 64, place]
            style.guide_slope(axes[1], ends, slope=power, through=(place, value), label="")
    axes[1].set(xlabel=r"richness $g_0$", ylabel=r"$K_\infty-K_0$", title="(b) linear")
    style.logarithmic(axes[1], "xy")
    style.seeds_and_mean(axes[2], small, x="richness", y="features", label="L = 2")
    first = small[small["richness"] == 0.05]["features"].mean()
    style.guide_slope(axes[2], [0.05, 0.5], slope=2, through=(0.05, first), label=r"$g_0^2$")
    axes[2].set(xlabel=r"richness $g_0$", ylabel=r"$\Phi^2-\Phi^2_{NTK}$", title="(c) tanh")
    style.logarithmic(axes[2], "xy")
    for axis in axes:
        axis.legend()
    return figure


def figure_networks(nets: DataFrame) -> Figure:
    """Finite networks tend to the limit, and not to what leaves responses out

    (a) f_2 and (b) K_11 of two tanh layers over the limit, against 1/N (blocks less known
    noise); the same networks' numbers over the limit without responses (dashed). Gray: accepted at
    1/N = 0. (c) Deviation of single networks against N: N^(-1/2) (dotted).
    """
    figure, (axes,) = style.panels(3)
    rows = nets.assign(inverse=1 / nets["width"])
    panels = (("f2", "(a) output", 0.03), ("kernel", "(b) kernel", 0.02))
    for axis, (column, title, half) in zip(axes[:2], panels, strict=True):
        for arm, label in (("theory", "over the limit"), ("no_responses", "without responses")):
            look = {"x": "inverse", "y": column, "label": label, "control": arm != "theory"}
            style.seeds_and_mean(axis, rows[rows["arm"] == arm], **look)
        style.theory_line(axis, [0, 1 / 16], [1, 1], label="limit")
        axis.set(xlabel="1/N", ylabel="networks / theory", title=title)
        style.accepted_band(axis, 1 - half, 1 + half)
    theory = rows[rows["arm"] == "theory"]
    look = {"x": "width", "y": "deviation", "label": "networks", "geometric": True}
    style.seeds_and_mean(axes[2], theory, **look)
    widths = sorted(theory["width"].unique())
    first = theory[theory["width"] == widths[0]]["deviation"].mean()
    style.guide_slope(axes[2], widths, slope=-0.5, through=(widths[0], first), label=r"$N^{-1/2}$")
    axes[2].set(xlabel="width N", ylabel=r"rms of $f_N-f_\infty$", title="(c) deviation")
    style.logarithmic(axes[2], "xy", ticks=widths)
    style.legend_below(figure)
    return figure


def figure_noise(kernel_noise: DataFrame, prediction_noise: DataFrame) -> Figure:
    """Richness quietens the kernel and not the predictions

    One linear hidden layer. (a) N Var K at the end against g0, 4 / (1 + g0^2) (black), and at the
    start (dashed). (b) Variance of f at an input perpendicular to the data, end over start:
    sqrt(1 + g0^2) (black).
    """
    figure, (axes,) = style.panels(2)
    for arm, label in (("theory", "end"), ("start", "start")):
        rows = kernel_noise[kernel_noise["arm"] == arm]
        look = {"x": "richness", "y": "n_variance", "label": label, "control": arm != "theory"}
        style.seeds_and_mean(axes[0], rows, **look)
    places = np.linspace(1, 4, 50)
    style.theory_line(axes[0], places, 4 / (1 + places**2), label=r"$4/(1+g_0^2)$")
    rows = prediction_noise[prediction_noise["arm"] == "theory"]
    style.seeds_and_mean(axes[1], rows, x="richness", y="growth", label="perpendicular input")
    style.theory_line(axes[1], places, np.sqrt(1 + places**2), label=r"$\sqrt{1+g_0^2}$")
    axes[0].set(xlabel=r"richness $g_0$", ylabel=r"$N\,\mathrm{Var}\,K$", title="(a) kernel")
    axes[1].set(xlabel=r"richness $g_0$", ylabel="variance, end / start", title="(b) prediction")
    for axis in axes:
        axis.legend()
    return figure


def figure_edge(floor: DataFrame, speed: DataFrame) -> Figure:
    """Where descent of the limit ends, and what richness costs in steps

    (a) K at the end over its least value at any minimum, 2 g0, for eta g0 = .97 and .3 (dashed; the
    flow's end is q / g0); K = 2 / eta would be 1.031 (dotted). (b) Time to f = .9 y against g0: in
    units of 1 / K_max with K_max the largest kernel, and of 1 / K_0 (dashed; L = 2 is the lower).
    """
    figure, (axes,) = style.panels(2)
    for arm, label in (("theory", r"$\eta g_0=0.97$"), ("slow", r"$\eta g_0=0.3$")):
        rows = floor[floor["arm"] == arm]
        look = {"x": "richness", "y": "ratio", "label": label, "control": arm != "theory"}
        style.seeds_and_mean(axes[0], rows, **look)
    style.theory_line(axes[0], [1, 8], [1, 1], label="floor")
    style.theory_line(axes[0], [1, 8], [1 / 0.97] * 2, label=r"$2/\eta$", linestyle=":")
    for index, depth in enumerate(sorted(speed["depth"].unique())):
        for arm, label in (("theory", "1/largest K"), ("fixed", "1/first K")):
            rows = speed[(speed["depth"] == depth) & (speed["arm"] == arm)]
            look = {"label": f"L = {depth:g}, {label}", "index": index, "control": arm != "theory"}
            if look["control"]:  # all in the controls' one look
                look["label"] = None if index else f"{label}, both L"
            style.seeds_and_mean(axes[1], rows, x="richness", y="ratio", **look)
    style.theory_line(axes[1], [0.1, 4], [1, 1], label="frozen kernel")
    axes[0].set(xlabel=r"richness $g_0$", ylabel=r"$K_\infty/(2g_0)$", title="(a) end of descent")
    axes[1].set(xlabel=r"richness $g_0$", ylabel="time to 90 %", title="(b) speed")
    style.logarithmic(axes[1], "x", ticks=sorted(speed["richness"].unique()))
    for axis in axes:
        axis.legend()
    return figure


def figure_silent(silent: DataFrame) -> Figure:
    """At small initial weights the kernel aligns while the loss waits; not at richness 1

    Loss left, over that of the start, against the share of its way that the alignment of K with
    y y' has gone, one linear hidden layer. Points: where 90 % are gone, by data sets; lines: the
    flow on three white samples, q = sqrt(1 + (g0 f)^2) and alignment 2q / sqrt(4q^2 + 2(1+q)^2), at
    |y| = sqrt(3). Crosses: samples of unequal size, where the loss of the largest goes first.
    """
    figure, ((axes,),) = style.panels(1, height=2.8)
    kinds = (("theory", "g0 = 1000"), ("rich", "g0 = 1"), ("anisotropic", "g0 = 1000, unequal"))
    for index, (arm, label) in enumerate(kinds):
        rows = silent[silent["arm"] == arm]
        if rows.empty:
            continue
        look = style.arm_style(index) | (
            {"color": style.CONTROL, "marker": "x"} if index > 1 else {}
        )
        axes.plot([0.9] * len(rows), rows["left"], linestyle="none", label=label, **look)
        if arm != "anisotropic":
            share, left = _white_alignment(float(rows["richness"].iloc[0]) * np.sqrt(3))
            style.theory_line(axes, share, left, label=None if index else "flow, white data")
    axes.set(xlabel="share of the alignment's way", ylabel="loss left", ylim=(-0.05, 1.1))
    axes.legend(loc="center right", bbox_to_anchor=(0.96, 0.64))
    return figure


def _white_alignment(top: float) -> tuple[np.ndarray, np.ndarray]:
    """Share of the alignment's way and loss left along the flow; top = g0 |y|."""
    reached = np.concatenate([[0.0], np.geomspace(1e-6, 1, 400)])  # f / |y|
    q = np.hypot(1, top * reached)
    alignment = 2 * q / np.sqrt(4 * q**2 + 2 * (1 + q) ** 2)
    share = (alignment - alignment[0]) / (alignment[-1] - alignment[0])
    return share, (1 - reached) ** 2
