"""The paper's figures, redrawn from the tables; "Figure" and "Section" are those of the paper."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from replications.jacot2018_frozen_kernel.setting import FOUR_ANGLES, target
from widenets.evidence.style import (
    COLORS,
    CONTROL,
    THEORY,
    arms_against,
    curve_over_seeds,
    guide_slope,
    logarithmic,
    panels,
    seeds_and_mean,
    theory_line,
)

GAMMA = r"angle $\gamma$ of $x=(\cos\gamma, \sin\gamma)$"


def figure_1(kernel_profile: DataFrame) -> Figure:
    """The kernel at initialization and after training, two widths

    Redraws Figure 1: the NTK of single networks, one thin line each, at t = 0 and after training.
    Wide networks scatter less around the limit (black), and training moves their kernel less; the
    narrow ones inflate.
    """
    figure, axes = panels(2, height=2.6, share_y=True)
    for panel, step in zip(axes[0], sorted(kernel_profile["step"].unique()), strict=True):
        now = kernel_profile[kernel_profile["step"] == step]
        for index, (width, rows) in enumerate(now.groupby("width")):
            for seed, line in rows.groupby("seed"):
                label = f"n = {width:g}" if seed == rows["seed"].min() else None
                color = COLORS[1 - index % 2]
                panel.plot(line["gamma"], line["ntk"], color=color, lw=0.6, alpha=0.7, label=label)
        limit = now.groupby("gamma")["ntk_limit"].first()
        theory_line(panel, limit.index, limit, label=r"$\Theta_\infty$")
        panel.set(title=f"t = {step:g}", xlabel=GAMMA)
        panel.legend()
    axes[0, 0].set_ylabel(r"$\Theta(x_0, x)$, $x_0 = (1, 0)$")
    return figure


def figure_width_scaling(initial_kernel: DataFrame, training: DataFrame) -> Figure:
    """Convergence of the kernel with the width

    Redraws the panel of the authors' poster: relative distance of the initial kernel from its
    limit (slope -1/2, with the central limit theorem) and its drift during training (slope -1).
    Dashed: the same distances from the last layer's kernel alone, and the drift at mean-field
    scale, which do not shrink.
    """
    figure, axes = panels(2, height=2.8)
    left, right = axes[0]
    start = initial_kernel[
        (initial_kernel["outputs"] == 1) & (initial_kernel["activation"] == "relu")
    ]
    options = {"x": "width", "geometric": True}
    seeds_and_mean(
        left, _arm(start), y="distance", label=r"$\Theta(0)$ to $\Theta_\infty$", **options
    )
    control = _arm(start, "readout_kernel")
    seeds_and_mean(left, control, y="distance", label="last layer alone", control=True, **options)
    _guide(left, _arm(start), "distance", -0.5, r"$n^{-1/2}$")
    left.set(ylabel="relative Frobenius distance", xlabel="width n", title="initialization")

    late = training[training["step"] == training["step"].max()]
    for index, (activation, rows) in enumerate(_arm(late).groupby("activation", sort=False)):
        label = rf"$\Theta(0)$ to $\Theta({late['step'].max():g})$, {activation}"
        seeds_and_mean(right, rows, y="drift", label=label, index=index, **options)
    control = _arm(late, "mean_field")
    control = control[control["activation"] == "relu"]
    seeds_and_mean(right, control, y="drift", label="mean-field scale", control=True, **options)
    _guide(right, _arm(late), "drift", -1.0, r"$n^{-1}$")
    right.set(xlabel="width n", title="training")
    for panel, rows in ((left, _arm(start)), (right, _arm(late))):
        logarithmic(panel, ticks=sorted(rows["width"].unique()))
        panel.legend()
    return figure


def figure_inflation(training: DataFrame) -> Figure:
    """Inflation of the kernel, times the width

    Section 6.1 reports that the kernel grows in training, less for wide networks. Its trace grows
    by C/n: n times the growth is flat; at mean-field scale (dashed) it is the growth itself that
    does not depend on the width.
    """
    figure, axes = panels(1, height=2.6)
    panel, column = axes[0, 0], "scaled_inflation"
    late = training[training["step"] == training["step"].max()]
    for index, (activation, rows) in enumerate(_arm(late).groupby("activation", sort=False)):
        seeds_and_mean(panel, rows, x="width", y=column, label=activation, index=index)
    control = _arm(late, "mean_field")
    control = control[control["activation"] == "relu"]
    label = "mean-field scale"
    seeds_and_mean(panel, control, x="width", y=column, label=label, control=True)
    logarithmic(panel, "x", ticks=sorted(_arm(late)["width"].unique()))
    panel.axhline(0, color=THEORY, lw=0.7)
    panel.set_ylim(-20, 3 * _arm(late).groupby(["activation", "width"])[column].mean().max())
    above = control.groupby("width")[column].mean()
    above = above[above > panel.get_ylim()[1]]
    if len(above):
        said = {"xy": (above.index[0], 0.98), "ha": "center", "va": "top", "color": CONTROL}
        told = f"{above.iloc[0]:.0f}" + (f" to {above.iloc[-1]:.0f}" if len(above) > 1 else "")
        panel.annotate(f"↑ {told}", xycoords=("data", "axes fraction"), fontsize=7, **said)
    panel.set(xlabel="width n", ylabel=r"$n\,(\mathrm{tr}\,\Theta(t)/\mathrm{tr}\,\Theta(0) - 1)$")
    panel.set_title(f"t = {late['step'].max():g}")
    panel.legend(loc="upper right", bbox_to_anchor=(1, 0.92))
    return figure


def figure_2(limit_functions: DataFrame) -> Figure:
    """Networks after training and the predicted Gaussian

    Redraws Figure 2: ten trained networks per width, median (solid) and 10th and 90th percentile
    (dashed) of the limit. Wide networks scatter inside the band and pass through the data (black
    dots).
    """
    rows = _arm(limit_functions)
    widths = sorted(rows["width"].unique())
    figure, axes = panels(len(widths), height=2.6, share_y=True)
    for index, (panel, width) in enumerate(zip(axes[0], widths, strict=True)):
        now = rows[rows["width"] == width].sort_values("gamma")
        for seed in sorted(now["seed"].unique())[:10]:
            line = now[now["seed"] == seed]
            label = "ten networks" if seed == now["seed"].min() else None
            panel.plot(
                line["gamma"], line["f"], color=COLORS[index], lw=0.6, alpha=0.8, label=label
            )
        law = now.groupby("gamma")[["p50", "p90_minus_p50"]].first()
        theory_line(panel, law.index, law["p50"], label="P50 of the limit")
        for sign, label in ((-1, "P10 and P90"), (1, None)):
            edge = law["p50"] + sign * law["p90_minus_p50"]
            theory_line(panel, law.index, edge, label=label, linestyle="--")
        data = np.stack([np.cos(FOUR_ANGLES), np.sin(FOUR_ANGLES)], axis=-1)
        panel.plot(FOUR_ANGLES, target(data), "o", color=THEORY, ms=4, zorder=6)
        panel.set(xlabel=GAMMA, title=f"n = {width:g}")
        panel.legend()
    axes[0, 0].set_ylabel("f after training")
    return figure


def figure_law(limit_law: DataFrame) -> Figure:
    """The law after training: its spread and its mean

    Left: share of networks between the predicted P10 and P90 (ReLU); the deficit falls as 1/n, for
    the posterior of Bayesian regression (dashed) it does not. Right: the mean between ridgeless
    regression with the limit of Θ, 0, and with that of Σ, 1: smooth networks (erf) are at 0, ReLU
    networks come down to it slowly. Bars: 99 % intervals.
    """
    figure, axes = panels(2, height=2.6)
    ticks = sorted(limit_law["width"].unique())
    arms = (("theory", "", "-"), ("nngp_posterior", ", Bayesian law", "--"))
    for panel, column, activations in zip(
        axes[0], ("inside", "position"), (["relu"], ["relu", "erf"]), strict=True
    ):
        for arm, suffix, line in arms if column == "inside" else arms[:1]:
            for index, activation in enumerate(activations):
                rows = _arm(limit_law, arm)
                found = rows[rows["activation"] == activation].groupby("width")[column]
                if not len(found):  # of a larger tier
                    continue
                mean, error = found.mean(), 2.58 * found.sem()
                style = {"color": COLORS[index], "linestyle": line, "marker": "os"[index], "ms": 4}
                panel.errorbar(mean.index, mean, error, label=f"{activation}{suffix}", **style)
        panel.axhline(0.8 if column == "inside" else 0.0, color=THEORY, lw=0.8)
        logarithmic(panel, "x", ticks=ticks)
        panel.set_xlabel("width n")
        panel.legend()
    axes[0, 0].set(ylabel="share inside", title="between P10 and P90", ylim=(0.6, 0.85))
    axes[0, 1].set(ylabel="position", title="mean", ylim=(-0.1, 0.6))
    return figure


def figure_3(plane: DataFrame, component: DataFrame) -> Figure:
    """Descent along the second principal component

    Redraws Figure 3: (a) the images in the plane of the second and third component, each drawn as
    its digit; (b) how far the path leaves the straight line, less for wide networks; (c) what is
    left to learn along the line, against the limit's exponential (black). Where
    several widths are drawn, the smaller one is the faster at this amplitude.
    """
    figure, axes = panels(3, height=2.5)
    for _, image in plane.iterrows():
        color = COLORS[int(image["label"]) % len(COLORS)]
        place = (image["second"], image["third"])
        axes[0, 0].text(*place, f"{image['label']:g}", color=color, ha="center", va="center")
    for limits, column in ((axes[0, 0].set_xlim, "second"), (axes[0, 0].set_ylim, "third")):
        limits(1.1 * plane[column].min(), 1.1 * plane[column].max())
    axes[0, 0].set(xlabel=r"$f^{(2)}(x)$", ylabel=r"$f^{(3)}(x)$", title="(a) images")

    rows = _arm(component)
    rows = rows[rows["amplitude"] == rows["amplitude"].max()]
    for index, (width, of_width) in enumerate(rows.groupby("width")):
        for panel, column in zip(axes[0, 1:], ("h", "g"), strict=True):
            curve_over_seeds(
                panel, of_width, x="time", y=column, label=f"n = {width:g}", index=index
            )
    time = np.linspace(0, rows["time"].max(), 200)
    theory_line(axes[0, 2], time, np.exp(-time), label=r"$e^{-\lambda_2 t}$")
    axes[0, 1].set(ylabel=r"$|h_t|$ / amplitude", title="(b) off the line")
    axes[0, 2].set(ylabel=r"$g_t$ / amplitude", title="(c) along the line")
    for panel in axes[0, 1:]:
        panel.set_xlabel(r"time $\lambda_2 t$")
        panel.legend()
    return figure


def figure_spectrum(spectrum: DataFrame) -> Figure:
    """Spectrum of the limiting kernel on images, beta = 0.1 and 1

    Footnote 3: a larger beta widens the gap between the first eigenvalue (the constant) and the
    others about tenfold. Means over draws of the images.
    """
    figure, axes = panels(1, height=2.6)
    panel = axes[0, 0]
    rows = _arm(spectrum).groupby("rank").mean(numeric_only=True)
    for index, (column, beta) in enumerate((("eigenvalue", 1.0), ("eigenvalue_reference", 0.1))):
        share = rows[column] / rows[column].iloc[0]
        style = {"color": COLORS[index], "marker": "os"[index], "ms": 3}
        panel.plot(rows.index, share, label=rf"$\beta$ = {beta:g}", **style)
    logarithmic(panel, ticks=(1, 2, 3, 10, 30))
    panel.set(xlabel="index i", ylabel=r"$\lambda_i / \lambda_1$")
    panel.legend()
    return figure


def _arm(rows: DataFrame, arm: str = "theory") -> DataFrame:
    return rows[rows["arm"] == arm]


def _guide(panel, rows: DataFrame, column: str, slope: float, label: str) -> None:
    """A line of the predicted slope through the geometric mean at the largest width."""
    last = rows[rows["width"] == rows["width"].max()]
    through = (last["width"].iloc[0], float(np.exp(np.log(last[column]).mean())))
    guide_slope(panel, rows["width"].unique(), slope=slope, through=through, label=label)


def figure_moments(initial_moments: DataFrame, random_functions: DataFrame) -> Figure:
    """Moments of the kernel at initialization, and the kernel of random functions

    (a) Mean of the kernel on the diagonal over its limit (black: 1), by depth; dashed: a read-out
    that starts n^-1/2 smaller. (b) Bias of its mean off the diagonal, three hidden layers: 1/n
    (dotted). (c) Distance of the kernel of P random functions from their covariance, P^-1/2
    (dotted); dashed: functions that share a part.
    """
    figure, axes = panels(3, height=2.6)
    deep = initial_moments[initial_moments["hidden_layers"] == 3]
    for index, (layers, rows) in enumerate(_arm(initial_moments).groupby("hidden_layers")):
        label = f"{layers:g} hidden layer{'s' * (layers > 1)}"
        seeds_and_mean(axes[0, 0], rows, x="width", y="mean", label=label, index=index)
    control = _arm(deep, "small_readout")
    if len(control):
        seeds_and_mean(
            axes[0, 0], control, x="width", y="mean", label="small read-out", control=True
        )
    axes[0, 0].axhline(1, color=THEORY, lw=0.8)
    logarithmic(axes[0, 0], "x", ticks=sorted(initial_moments["width"].unique()))
    axes[0, 0].set(ylabel=r"mean $\Theta(x,x)$ / limit", ylim=(0, 1.2), title="(a) diagonal")
    axes[0, 0].legend(loc="lower right")
    if len(deep):
        arms = {"theory": "usual", "small_readout": "small read-out"}
        look = {"control": "small_readout", "slope": -1, "law": r"$n^{-1}$"}
        arms_against(axes[0, 1], deep, "width", "shape_bias", arms, **look)
    axes[0, 1].set(ylabel="bias", title="(b) off the diagonal")
    arms = {"theory": "independent", "shared_part": "shared part"}
    look = {"control": "shared_part", "slope": -0.5, "law": r"$P^{-1/2}$"}
    arms_against(axes[0, 2], random_functions, "functions", "distance", arms, **look)
    axes[0, 2].set(xlabel="functions P", ylabel="relative distance", title="(c) random functions")
    for panel in axes[0, :2]:
        panel.set_xlabel("width n")
    return figure


def figure_weights(weights: DataFrame) -> Figure:
    """How far parameters move, in norm and each

    (a) Norm of the motion: of order 1 in the NTK parameterization, n^-1/2 (dashed) in the classical
    one with a rate of order 1/n. (b) Root mean square over all parameters: 1/n (dotted) with hidden
    layers between, n^-1/2 (dashed) with one hidden layer.
    """
    figure, axes = panels(2, height=2.6)
    arms = {"theory": "NTK parameterization", "classical": "classical, rate ~ 1/n"}
    arms_against(axes[0, 0], weights, "width", "distance", arms, control="classical")
    axes[0, 0].set(ylabel=r"$\|\theta_t-\theta_0\|$", title="(a) norm")
    arms = {"theory": "deeper", "one_hidden_layer": "one hidden layer"}
    look = {"control": "one_hidden_layer", "slope": -1, "law": r"$n^{-1}$"}
    arms_against(axes[0, 1], weights, "width", "rms", arms, **look)
    axes[0, 1].set(ylabel="rms over parameters", title="(b) each")
    for panel in axes[0]:
        panel.set_xlabel("width n")
    return figure
