"""Figures of Cao et al. (2019), redrawn from the tidy tables, and four of our own."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence.style import (
    accepted_band,
    arm_style,
    arms_against,
    curve_over_seeds,
    guide_slope,
    legend_below,
    logarithmic,
    panels,
    seeds_and_mean,
    theory_line,
)

AMPLITUDES = ("[1, 1, 1]", "[1, 3, 5]")


def figure_1(projections: DataFrame) -> Figure:
    """Projections during training, linear axes.

    Redraws Figure 1: length of the residual along P_1, P_2, P_4 against time (steps times step
    size), relative to its start, for equal and different amplitudes. Solid: networks, mean and
    range over seeds; dashed: gradient descent with the limit kernel on the same samples; dotted:
    exp(-mu_k t). Degree 4 follows the sample's kernel, not its eigenvalue mu_4.
    """
    return _amplitude_panels(projections, log=False)


def figure_2(projections: DataFrame) -> Figure:
    """Projections during training, logarithmic axis.

    Redraws Figure 2: as Figure 1 with a logarithmic ordinate. Degrees 1 and 2 are straight at the
    eigenvalue's rate until leakage from other degrees takes over at the floor; degree 4 is a sum
    of exponentials.
    """
    return _amplitude_panels(projections, log=True)


def figure_3(projections: DataFrame) -> Figure:
    """Targets with all frequencies: a sum of cosines and an even polynomial.

    Redraws Figure 3 (own choice of frequencies): projections on degrees 2, 4, 6 of one direction;
    dashed the limit kernel on the sample. For the cosines degree 2 comes first, and 4 and 6 are
    hard to tell apart; for the polynomial the tiny degree-6 part is fed by leakage first, so its
    curve is no decay at all.
    """
    return _density_panels(projections, ("cosine", "polynomial"))


def figure_4_to_6(projections: DataFrame) -> Figure:
    """Inputs that are not uniform.

    Redraws Figures 4 to 6 (own choice of densities): half-spheres with weights 9:1, a non-isotropic
    Gaussian and a mixture of two Gaussians, both normalized. Harmonics are no eigenfunctions here,
    so curves may start non-monotonically; the order at the end remains.
    """
    return _density_panels(projections, ("piecewise", "anisotropic", "mixture"))


def figure_fresh_points(projections: DataFrame) -> Figure:
    """Training points and fresh points.

    Redraws the figure of Appendix F: the same projections on the training set (left) and on 2000
    fresh points (right), relative to the start. A degree that falls on the training set and stays
    on fresh points has been memorised, not learned.
    """
    figure, axes = panels(2, share_y=True)
    shown = [a for a in AMPLITUDES if not _of(projections, "theory", a).empty]
    rows = _of(projections, "theory", shown[-1])
    for panel, column, title in zip(
        axes[0], ("remaining", "fresh"), ("training points", "fresh points"), strict=True
    ):
        for index, (degree, group) in enumerate(rows.groupby("degree")):
            curve_over_seeds(
                panel, group, x="time", y=column, label=f"degree {degree:g}", index=index
            )
        panel.set(title=title, xlabel=r"time $\eta T$")
        _time_axis(panel)
    highest = max(rows.groupby(["degree", "time"])[c].mean().max() for c in ("remaining", "fresh"))
    axes[0, 0].set_ylim(-0.03, 1.1 * highest)
    axes[0, 0].set_ylabel(r"$|v_k^\top r| / |v_k^\top r_0|$")
    axes[0, 1].legend()
    return figure


def figure_spectroscopy(spectrum: DataFrame, network: DataFrame, decay: DataFrame) -> Figure:
    """Eigenvalues per degree, four ways, and the local exponent.

    Left: closed form (lines) and quadrature (rings) for D = 3 and 10, and traces of finite
    networks' kernels on S^2 with 99 % bars (D = 3; odd degrees only where a bias is trained, else
    they are exactly zero). Right: local exponent over [k, 2k]; the asymptotic k^-D (dotted) is
    reached only far above the degrees that are ever learned.
    """
    figure, axes = panels(2)
    left, right = axes[0]
    theory = spectrum[(spectrum["arm"] == "theory") & (spectrum["closed_form"] > 1e-13)]
    for index, (dimension, rows) in enumerate(theory[theory["degree"] > 0].groupby("dimension")):
        theory_line(left, rows["degree"], rows["closed_form"], label=None)
        style = arm_style(index)
        left.plot(rows["degree"], rows["eigenvalue"], linestyle="none", markerfacecolor="none",
                  label=f"quadrature, D = {dimension:g}", **style)  # fmt: skip
    for index, (arm, label) in enumerate(
        (("theory", "networks"), ("bias", "networks, trained bias")), start=2
    ):
        rows = network[(network["arm"] == arm) & (network["width"] == network["width"].max())]
        if not rows.empty:
            _points(left, rows, "degree", "trace", label, index)
    logarithmic(left, ticks=(1, 2, 3, 4, 6, 8, 12))
    left.set(xlabel="degree k", ylabel=r"eigenvalue $\mu_k$")
    left.legend()
    for index, (dimension, rows) in enumerate(decay[decay["arm"] == "theory"].groupby("dimension")):
        right.plot(rows["degree"], rows["slope"], label=f"D = {dimension:g}", **arm_style(index))
        right.axhline(-dimension, color="#404040", linestyle=":", linewidth=1)
    control = decay[(decay["arm"] == "readout_only") & (decay["dimension"] == 3)]
    right.plot(control["degree"], control["slope"], "x--", color="#808080",
               label="readout only, D = 3")  # fmt: skip
    logarithmic(right, "x")
    right.set(xlabel="degree k", ylabel=r"local exponent of $\mu_k$ over [k, 2k]")
    right.legend()
    return figure


def figure_dimension(dimension_order: DataFrame) -> Figure:
    """Eigenvalues against the dimension at fixed degree.

    Left: mu_k d^k becomes constant, so mu_k ~ d^-k. Right: mu_k d^(k-1), which the printed order
    Omega(d^(-k+1)) needs to stay away from 0, falls like 1/d (dotted). The trace identity
    sum_k N mu_k = 3/2 allows nothing else.
    """
    figure, axes = panels(2)
    rows = dimension_order[dimension_order["arm"] == "theory"]
    for index, (degree, group) in enumerate(rows.groupby("degree")):
        d, value = group["d"].to_numpy(float), group["eigenvalue"].to_numpy(float)
        axes[0, 0].plot(d, value * d**degree, label=f"k = {degree:g}", **arm_style(index))
        axes[0, 1].plot(d, value * d ** (degree - 1.0), label=f"k = {degree:g}", **arm_style(index))
    guide_slope(axes[0, 1], d, slope=-1, through=(64, 0.02), label=r"$d^{-1}$")
    for panel, label in zip(axes[0], (r"$\mu_k d^k$", r"$\mu_k d^{k-1}$"), strict=True):
        logarithmic(panel)
        panel.set(xlabel="d = D - 1", ylabel=label)
        panel.legend()
    return figure


def figure_collapse(rates: DataFrame) -> Figure:
    """Decay rates against eigenvalues, and the collapse on mu_k t.

    Left: fitted rate over mu_k per degree and width, shaded what is accepted of the limit of wide
    networks; the frozen limit kernel (dashed) is at 1, narrow networks fall short at high degree.
    Right: time at which degree k has fallen to a level, in units of 1/mu_k, at the largest width,
    on exp(-x).
    """
    figure, axes = panels(2)
    left, right = axes[0]
    first = rates[rates["level"] == rates["level"].max()]
    widths = first[first["arm"].isin(["theory", "narrow"])]
    for index, (width, rows) in enumerate(widths.groupby("width")):
        _points(left, rows, "degree", "rate_over_eigenvalue", f"m = {width:g}", index)
    limit = first[first["arm"] == "limit"]
    if not limit.empty:
        mean = limit.groupby("degree")["rate_over_eigenvalue"].mean()
        left.plot(mean.index, mean, "x--", color="#808080", label="limit kernel")
    accepted_band(left, 0.95, 1.05)
    left.set(xlabel="degree k", ylabel=r"rate / $\mu_k$")
    left.legend()
    rows = rates[(rates["arm"] == "theory") & (rates["width"] == widths["width"].max())]
    for index, (degree, group) in enumerate(rows.groupby("degree")):
        style = arm_style(index)
        right.plot(group["scaled_time"], group["level"], linestyle="none", alpha=0.6,
                   label=f"degree {degree:g}", **style)  # fmt: skip
    x = np.linspace(0, 1.3, 50)
    theory_line(right, x, np.exp(-x), label=r"$e^{-x}$")
    right.set(xlabel=r"$\mu_k\, t$", ylabel=r"$A_k(t) / A_k(0)$")
    right.legend()
    return figure


def figure_laziness(rates: DataFrame) -> Figure:
    """Rates of networks that are not lazy.

    Rate over that of the kernel at initialization against laziness |f*|_H / sqrt(m). High degrees,
    whose norm in the kernel's space is largest per unit of amplitude, leave the kernel's dynamics
    first.
    """
    figure, axes = panels(1)
    rows = rates[rates["arm"].isin(["rich", "theory"]) & (rates["level"] == rates["level"].max())]
    for index, (degree, group) in enumerate(rows.groupby("degree")):
        _points(axes[0, 0], group, "laziness", "rate_over_frozen", f"degree {degree:g}", index)
    axes[0, 0].axhline(1.0, color="black", linewidth=1)
    logarithmic(axes[0, 0], "x")
    axes[0, 0].set(xlabel=r"laziness $\|f^*\|_H / \sqrt{m}$", ylabel=r"rate / rate of $K_0$")
    axes[0, 0].legend()
    return figure


def figure_samples(samples_needed: DataFrame) -> Figure:
    """Samples that each degree needs.

    Part of degree k that ridgeless regression with the limit kernel leaves unlearned on fresh
    points, D = 10; lines are the self-consistent prediction without fit. Degrees are learned one
    after the other, at n ~ N(10, k).
    """
    figure, axes = panels(1)
    panel = axes[0, 0]
    rows = samples_needed[samples_needed["arm"] == "theory"]
    for index, (degree, group) in enumerate(rows.groupby("degree")):
        curve = group.groupby("samples")["predicted"].mean()
        theory_line(panel, curve.index, curve, label="prediction" if index == 0 else None)
        _points(panel, group, "samples", "unlearned", f"degree {degree:g}", index)
    logarithmic(panel, "x")
    panel.set(xlabel="samples n", ylabel="unlearned part of degree k")
    panel.legend()
    return figure


def _time_axis(panel):
    """Linear up to 10, logarithmic after: the rates of the degrees differ a thousandfold."""
    panel.set_xscale("symlog", linthresh=10)
    panel.set_xlim(left=0)
    panel.set_xticks([0, 10, 100, 1000], labels=["0", "10", "100", "1000"])


def _points(axes, rows, x, y, label, index):
    """Mean over seeds with its 99 % bar, not joined."""
    seeds_and_mean(axes, rows, x=x, y=y, label=label, index=index)


def _of(projections, arm, amplitudes):
    return projections[(projections["arm"] == arm) & (projections["amplitudes"] == amplitudes)]


def _amplitude_panels(projections, *, log):
    shown = [a for a in AMPLITUDES if not _of(projections, "theory", a).empty]
    figure, axes = panels(len(shown), share_y=True)
    for panel, amplitudes in zip(axes[0], shown, strict=True):
        rows = _of(projections, "theory", amplitudes)
        for index, (degree, group) in enumerate(rows.groupby("degree")):
            curve_over_seeds(
                panel, group, x="time", y="remaining", label=f"k = {degree:g}", index=index
            )
            linear = group.groupby("time")["linear"].mean()
            color = arm_style(index)["color"]
            theory_line(panel, linear.index, linear, linestyle="--",
                        label="limit kernel on the sample" if index == 0 else None)  # fmt: skip
            time = np.linspace(0, linear.index.max(), 2000)
            panel.plot(time, np.exp(-group["eigenvalue"].iloc[0] * time), ":", color=color,
                       label=r"$e^{-\mu_k t}$" if index == 0 else None)  # fmt: skip
        panel.set(title=f"amplitudes {amplitudes}", xlabel=r"time $\eta T$")
        if log:
            panel.set(yscale="log", ylim=(1e-4, 1.5))
        else:
            curves = projections[projections["arm"] == "theory"]
            curves = curves.groupby(["amplitudes", "degree", "time"])[["remaining", "linear"]]
            panel.set(ylim=(-0.03, 1.1 * curves.mean().max().max()))
        _time_axis(panel)
    axes[0, 0].set_ylabel(r"$|v_k^\top r| / |v_k^\top r_0|$")
    legend_below(figure)
    return figure


def _density_panels(projections, arms):
    figure, axes = panels(len(arms), share_y=True)
    for panel, arm in zip(axes[0], arms, strict=True):
        rows = projections[projections["arm"] == arm]
        if rows.empty:
            panel.set_axis_off()
            continue
        for index, (degree, group) in enumerate(rows.groupby("degree")):
            curve_over_seeds(
                panel, group, x="time", y="remaining", label=f"k = {degree:g}", index=index
            )
            linear = group.groupby("time")["linear"].mean()
            theory_line(panel, linear.index, linear, linestyle="--",
                        label="limit kernel" if index == 0 else None)  # fmt: skip
        panel.set(title=arm, xlabel=r"time $\eta T$", yscale="log", ylim=(1e-4, 20))
        _time_axis(panel)
        panel.legend()
    axes[0, 0].set_ylabel(r"$|v_k^\top r| / |v_k^\top r_0|$")
    return figure


def finite_sample(concentration: DataFrame, sampled: DataFrame) -> Figure:
    """Harmonics and eigenvalues on random points

    (a) Largest deviation of the harmonics' Gram matrix from the identity: n^-1/2 (dotted); dashed:
    every point taken twice. (b) Eigenvalues from random pairs of points over the closed form
    (black: 1) on S^2; dashed: over those of the kernel of the standard parameterization.
    """
    figure, axes = panels(2)
    arms = {"theory": "independent points", "duplicated": "every point twice"}
    look = {"control": "duplicated", "slope": -0.5, "law": "$n^{-1/2}$"}
    arms_against(axes[0, 0], concentration, "samples", "deviation", arms, **look)
    axes[0, 0].set(xlabel="points n", ylabel="largest deviation", title="(a) harmonics")
    sphere = sampled[sampled["dimension"] == sampled["dimension"].min()]
    for arm, label in (("theory", "over the closed form"), ("standard", "over another kernel's")):
        rows = sphere[sphere["arm"] == arm]
        look = {"x": "degree", "y": "ratio", "label": label, "control": arm == "standard"}
        seeds_and_mean(axes[0, 1], rows, **look)
    degrees = sorted(sphere["degree"].unique())
    theory_line(axes[0, 1], degrees, [1] * len(degrees), label="law")
    axes[0, 1].set_xticks(degrees, labels=[f"{k:g}" for k in degrees])
    axes[0, 1].set(xlabel="degree k", ylabel="estimate / eigenvalue", title="(b) random pairs")
    axes[0, 1].legend()
    return figure
