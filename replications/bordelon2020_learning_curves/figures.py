"""Figures of Bordelon et al. (2020) on an absolute scale, and four of our own."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence.style import (
    CONTROL,
    accepted_band,
    arm_style,
    guide_slope,
    logarithmic,
    panels,
    seeds_and_mean,
    theory_line,
)


def figure_theory(modes: DataFrame) -> Figure:
    """Errors per degree: varying degree, dimension and depth.

    Redraws the panels on fixed d and L (left), fixed degree 1 (middle) and fixed d, degree 1 with L
    hidden layers (right). Lines: self-consistent theory; points: kernel regression, mean over draws
    with 99 % bars. No curve is rescaled: what is learned falls, what is not rises above 1 first.
    """
    figure, axes = panels(3, share_y=True)
    rows = modes[modes["arm"].isin(["theory", "deep", "never_learned"]) & (modes["degree"] > 0)]
    widest = rows[rows["dimension"] == rows["dimension"].max()]
    _curves(axes[0, 0], widest, "degree", "k = {:g}")
    first = rows[rows["degree"] == 1]
    shallow = first.groupby("dimension")["depth"].transform("min") == first["depth"]
    _curves(axes[0, 1], first[shallow], "dimension", "d = {:g}")
    same = first[first["dimension"] == _most_depths(first)]
    _curves(axes[0, 2], same, "depth", "L = {:g}")
    titles = ("varying degree", "varying dimension, k = 1", "varying depth, k = 1")
    for panel, title in zip(axes[0], titles, strict=True):
        panel.set(title=title, xlabel="samples p", ylim=(1e-4, 3))
        panel.legend()
    axes[0, 0].set_ylabel(r"$E_k(p) / E_k(0)$")
    return figure


def figure_kernel_regression(modes: DataFrame) -> Figure:
    """Kernel regression against theory in low, middle and high dimension, and with a ridge.

    Redraws the figure on kernel regression with degree 0 included, which does not average over
    many functions and scatters. At d = 5 the theory is too low by a factor that does not depend
    on p; a ridge (last panel) keeps every degree from the steep fall.
    """
    shown = [
        ("low_dimension", "d = 5, no ridge"),
        ("theory", "no ridge"),
        ("ridge_panel", "ridge 5"),
    ]
    shown = [(arm, text) for arm, text in shown if (modes["arm"] == arm).any()]
    figure, axes = panels(len(shown), share_y=True)
    for panel, (arm, text) in zip(axes[0], shown, strict=True):
        rows = modes[modes["arm"] == arm]
        smallest = 5 if arm == "low_dimension" else rows["dimension"].min()
        rows = rows[rows["dimension"] == smallest]
        rows = rows[rows["depth"] == rows["depth"].max()]
        _curves(panel, rows, "degree", "k = {:g}")
        title = text if arm == "low_dimension" else f"d = {rows['dimension'].iloc[0]:g}, {text}"
        panel.set(title=title, xlabel="samples p", ylim=(1e-7, 3))
        panel.legend()
    axes[0, 0].set_ylabel(r"$E_k(p) / E_k(0)$")
    return figure


def figure_networks(networks: DataFrame) -> Figure:
    """Trained networks, their kernel and the theory.

    Redraws the figures on networks trained on pure degrees (two layers, d = 20), with the ratio
    panels that the paper lacks. Left: errors for degrees 1, 2, 4 (circles networks, crosses the
    kernel on the same draws, lines theory). Middle: their ratio. Right: the ratio at p = 40 against
    width, accepted band shaded; narrow networks are worse.
    """
    figure, axes = panels(3)
    left, middle, right = axes[0]
    curves = networks[networks["arm"] == "curves"]
    for index, (degree, group) in enumerate(curves.groupby("degree")):
        mean = group.groupby("samples")[["kernel", "theory"]].mean()
        theory_line(left, mean.index, mean["theory"], label="theory" if index == 0 else None)
        left.plot(mean.index, mean["kernel"], "x", color=CONTROL,
                  label="kernel" if index == 0 else None)  # fmt: skip
        seeds_and_mean(left, group, x="samples", y="network", label=f"k = {degree:g}", index=index)
        seeds_and_mean(middle, group, x="samples", y="ratio", label=f"k = {degree:g}", index=index)
    widths = networks[networks["arm"].isin(["theory", "narrow"])]
    seeds_and_mean(right, widths, x="width", y="ratio", label="k = 1, p = 40", geometric=True)
    copies = networks[networks["arm"] == "duplicated"]
    if not copies.empty:
        seeds_and_mean(right, copies, x="width", y="ratio", label="64 neurons, copied",
                       control=True, geometric=True)  # fmt: skip
    for panel in (middle, right):
        panel.axhline(1.0, color="black", linewidth=1, label="kernel")
        accepted_band(panel, 0.95, 1.05)
    for panel in axes[0]:
        logarithmic(panel, "x")
        panel.legend()
    if curves.empty:  # measured from the laptop tier on
        left.set_axis_off()
        middle.set_axis_off()
    left.set(xlabel="samples p", ylabel="error")
    middle.set(xlabel="samples p", ylabel="network / kernel")
    right.set(xlabel="width m", ylabel="network / kernel")
    return figure


def figure_images(images: DataFrame) -> Figure:
    """Real images: total error and groups of eigenfunctions.

    Redraws the figures on MNIST. Left: error over the pool relative to its start, theory from the
    empirical eigensystem (line); permuted labels (dashed) are not learned. Right: residual power
    found in the eigenfunctions 1-10, 11-100 and the rest; solid lines the output-mode formula,
    dotted lines E_rho, drawn by the paper: the error caused by a mode, not found there.
    """
    figure, axes = panels(2)
    left, right = axes[0]
    rows = images[images["arm"] == "theory"]
    total = rows[rows["group"] == 1]
    predicted = total["total"] / total["total_ratio"]
    curve = predicted.groupby(total["p"]).mean()
    theory_line(left, curve.index, curve, label="theory")
    seeds_and_mean(left, total, x="p", y="total", label="kernel regression")
    permuted = images[(images["arm"] == "permuted") & (images["group"] == 1)]
    seeds_and_mean(left, permuted, x="p", y="total", label="permuted labels", control=True)
    for index, (group, name) in enumerate(((1, "1-10"), (2, "11-100"), (3, "the rest"))):
        part = rows[rows["group"] == group]
        mean = part.groupby("p")[["output", "target"]].mean()
        theory_line(right, mean.index, mean["output"], label="output modes" if index == 0 else None)
        theory_line(right, mean.index, mean["target"], linestyle=":",
                    label=r"$E_\rho$ (paper)" if index == 0 else None)  # fmt: skip
        seeds_and_mean(right, part, x="p", y="error", label=f"functions {name}", index=index)
    for panel in axes[0]:
        logarithmic(panel)
        panel.set_xlabel("samples p")
        panel.legend()
    left.set_ylabel("error / error of f = 0")
    right.set_ylabel("residual power in group")
    return figure


def figure_collapse(modes: DataFrame) -> Figure:
    """All degrees, dimensions, depths and sample sizes on one curve.

    (1 - gamma) E_k/E_k(0) against x = p mu_k/kappa(p) for d >= 10; the line is (1 + x)^-2. This is
    the sense in which learning curves have an envelope: the power in p itself follows from kappa(p)
    and is 2 with a ridge, 2b without, and neither during a stage.
    """
    figure, axes = panels(1, height=3.0)
    panel = axes[0, 0]
    rows = modes[(modes["arm"] == "theory") & (modes["degree"] > 0) & (modes["x"] > 0)]
    for index, (degree, group) in enumerate(rows.groupby("degree")):
        cells = group.groupby(["dimension", "depth", "p"])[["x", "collapsed"]].mean()
        panel.plot(cells["x"], cells["collapsed"] / (1 + cells["x"]) ** 2, linestyle="none",
                   label=f"k = {degree:g}", **arm_style(index))  # fmt: skip
    x = np.geomspace(rows["x"].min(), rows["x"].max(), 200)
    theory_line(panel, x, (1 + x) ** -2, label=r"$(1+x)^{-2}$")
    logarithmic(panel)
    panel.set(xlabel=r"$x = p \mu_k / \kappa(p)$", ylabel=r"$(1-\gamma)\, E_k / E_k(0)$")
    panel.legend()
    return figure


def figure_stages(stages: DataFrame, stage_formula: DataFrame) -> Figure:
    """Learning stages.

    Left: sample size at which degree k is half learned over N(d, k); lines are theory. Middle: the
    same against d, dotted the exponent k that is quoted, reached for d >> k^2 only. Right: closed
    form of one stage (line) on the solver at d = 2000 (points).
    """
    figure, axes = panels(3)
    left, middle, right = axes[0]
    rows = stages[stages["arm"] == "theory"]
    for index, (degree, group) in enumerate(rows.groupby("degree")):
        mean = group.groupby("dimension")[["theory", "count", "p_half"]].mean()
        theory_line(left, mean.index, mean["theory"] / mean["count"], label=None)
        theory_line(middle, mean.index, mean["theory"], label=None)
        label = f"k = {degree:g}"
        seeds_and_mean(left, group, x="dimension", y="over_count", label=label, index=index)
        seeds_and_mean(middle, group, x="dimension", y="p_half", label=label, index=index)
        start = (mean.index[0], mean["p_half"].iloc[0])
        guide_slope(middle, mean.index, slope=degree, through=start,
                    label=r"$d^k$" if index == 0 else None)  # fmt: skip
    formula = stage_formula[stage_formula["arm"] == "theory"].sort_values("a")
    formula = formula[formula["dimension"] == formula["dimension"].max()]
    theory_line(right, formula["a"], formula["formula"], label="closed form")
    right.plot(formula["a"], formula["solver"], "o", color=arm_style(0)["color"], label="solver")
    logarithmic(left, "x")
    logarithmic(middle)
    left.set(xlabel="d", ylabel=r"$p_{1/2} / N(d, k)$")
    middle.set(xlabel="d", ylabel=r"$p_{1/2}$")
    right.set(xlabel=r"$p / N(d, 1)$", ylabel=r"$E_1 / E_1(0)$")
    for panel in axes[0]:
        panel.legend()
    return figure


def figure_asymptotics(asymptotics: DataFrame) -> Figure:
    """Exponents at large p.

    Left: degree 1, d = 5, with a ridge (p^-2) and without (p^-2b, b = d/(d-1)). Right: E_g, d = 3,
    for target power rho^-a: p^-(a-1) until it saturates at p^-2b. Lines are theory, dotted guides
    the asymptotic exponents. At d = 3 the theory is low by a factor of up to 2, its slope is right.
    """
    figure, axes = panels(2)
    groups = (
        (axes[0, 0], {"ridge": -2, "ridgeless": -2.5}),
        (axes[0, 1], {"power_2": -1, "power_3": -2, "power_6": -3}),
    )
    for panel, slopes in groups:
        for index, (arm, slope) in enumerate(slopes.items()):
            rows = asymptotics[asymptotics["arm"] == arm]
            if rows.empty:
                continue
            curve = rows.groupby("p")["theory"].mean()
            theory_line(panel, curve.index, curve, label=None)
            label = arm.replace("power_", "a = ")
            seeds_and_mean(panel, rows, x="p", y="error", label=label, index=index, geometric=True)
            last = (curve.index[-1], rows.groupby("p")["error"].mean().iloc[-1])
            guide_slope(panel, curve.index, slope=slope, through=last, label=f"$p^{{{slope:g}}}$")
        logarithmic(panel)
        panel.set(xlabel="samples p")
        if panel.get_legend_handles_labels()[0]:
            panel.legend()
        else:  # the power-law targets are measured from the laptop tier on
            panel.set_axis_off()
    axes[0, 0].set_ylabel("error")
    return figure


def figure_teacher(teacher: DataFrame) -> Figure:
    """A target made of the kernel: total error.

    Redraws the panel of E_g in the figure on kernel regression, d = 20, L = 2. Line: theory; dashed
    the theory without the amplification 1/(1 - gamma), as if degrees were learned one by one.
    """
    figure, axes = panels(1)
    panel = axes[0, 0]
    rows = teacher[teacher["arm"] == "theory"]
    names = {"theory": ("theory", "-"), "unamplified": (r"without $1/(1-\gamma)$", "--")}
    for arm, (label, style) in names.items():
        curve = teacher[teacher["arm"] == arm].groupby("p")["theory"].mean()
        theory_line(panel, curve.index, curve, label=label, linestyle=style)
    seeds_and_mean(panel, rows, x="p", y="error", label="kernel regression", geometric=True)
    logarithmic(panel, ticks=sorted(rows["p"].unique()))
    panel.set(xlabel="samples p", ylabel=r"$E_g(p) / E_g(0)$")
    panel.legend()
    return figure


def figure_noise(noise: DataFrame) -> Figure:
    """Where label noise hurts most.

    Error from label noise of unit variance against p/N(d, 1), d = 40; lines are theory. A kernel of
    finite rank without ridge diverges at p = N; the NTK has a finite peak near (1 + l~) N.
    """
    figure, axes = panels(1)
    panel = axes[0, 0]
    names = {"finite_peak": "rank d, no ridge", "peak": "NTK, L = 1", "theory": "NTK, L = 2"}
    for index, (arm, label) in enumerate(names.items()):
        rows = noise[noise["arm"] == arm]
        curve = rows.groupby("over_count")["theory"].mean()
        theory_line(panel, curve.index, curve, label=None)
        seeds_and_mean(panel, rows, x="over_count", y="noise", label=label, index=index,
                       geometric=True)  # fmt: skip
    panel.axvline(1.0, color="#404040", linestyle=":", linewidth=1)
    logarithmic(panel, ticks=(0.5, 1, 2, 4))
    logarithmic(panel, "y")
    panel.set(xlabel=r"$p / N(d, 1)$", ylabel=r"error / $\sigma^2$")
    panel.legend()
    return figure


def _curves(panel, rows, by, label):
    """Theory line and draws of each value of `by`, logarithmic axes."""
    for index, (value, group) in enumerate(rows.groupby(by)):
        curve = group.groupby("p")["theory"].mean()
        theory_line(panel, curve.index, curve, label=None, below=True)
        seeds_and_mean(panel, group, x="p", y="error", label=label.format(value), index=index)
    logarithmic(panel)


def _most_depths(rows):
    """The dimension that was run at most depths."""
    return rows.groupby("dimension")["depth"].nunique().sort_values().index[-1]
