"""What the page prints against what holds, drawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def printed_and_run(printed: DataFrame, variation: DataFrame, drift: DataFrame) -> Figure:
    """The numbers in the text are not those of the code beside it

    (a) Distance of two initial kernels against the width: printed (gray, dashed), what the code
    prints (one draw each), blocks of draws, and the exact law. The printed ones lie within the
    spread of single draws, but are others than the code's. (b) How far training moves the kernel:
    printed, what the code prints, and blocks of 20 neurons with and without a bias.
    """
    figure, (axes,) = style.panels(2, height=2.9)
    for axis, name in zip(axes, ("variation", "drift"), strict=True):
        rows = printed[printed["arm"] == f"page_{name}"]
        look = {"color": style.CONTROL, "linestyle": "--", "marker": "x"}
        axis.plot(rows["size"], rows["printed"], label="printed in the text", **look)
        look = style.arm_style(1)
        axis.plot(rows["size"], rows["here"], linestyle="none", label="its code", **look)
        axis.set(xlabel="width m")
        style.logarithmic(axis, "xy", ticks=sorted(rows["size"]))
    rows = variation[variation["arm"] == "theory"]
    style.seeds_and_mean(axes[0], rows, x="width", y="spread", label="blocks of draws, rms")
    law = rows.groupby("width")["exact"].mean()
    style.theory_line(axes[0], law.index, law, label=r"exact, $\sqrt{10/m}$")
    for index, (arm, label) in enumerate({"page": "no bias", "bias": "with a bias"}.items(), 2):
        rows = drift[drift["arm"] == arm]
        look = {"label": f"20 neurons, {label}", "index": index}
        style.seeds_and_mean(axes[1], rows, x="width", y="drift", **look)
    axes[0].set(ylabel=r"$|K_1-K_2|/|K|$", title="(a) two draws")
    axes[1].set(ylabel=r"$|\Delta K|/|K|$", title="(b) training")
    style.legend_below(figure, columns=4)
    return figure


def kernels_on_a_line(growth: DataFrame, spectrum: DataFrame) -> Figure:
    """The kernel grows by a conserved quantity, and its least eigenvalue stops growing

    (a) What training on f = 2x adds to the square of the kernel against the width, with its law
    (line), and with f divided by m (mean field, dashed). (b) Least eigenvalue over that of the
    limit on points of a circle, with the accepted band of its limit; dashed, a kernel not divided
    by m, over the smallest of its widths.
    """
    figure, (axes,) = style.panels(2, height=2.9)
    rows = growth[growth["arm"] == "theory"]
    style.seeds_and_mean(axes[0], rows, x="width", y="square", label="page", geometric=True)
    field = growth[growth["arm"] == "mean_field"]
    look = {"label": "f divided by m", "control": True, "geometric": True}
    style.seeds_and_mean(axes[0], field, x="width", y="square", **look)
    widths = np.array(sorted(rows["width"].unique()))
    style.theory_line(axes[0], widths, 4 * (4 - 1 / widths) / widths, label=r"$4(4-1/m)/m$")
    rows = spectrum[spectrum["arm"] == "circle"]
    style.seeds_and_mean(axes[1], rows, x="width", y="least", label="divided by m", index=2)
    free = spectrum[spectrum["arm"] == "undivided"].copy()
    free["least"] /= free["width"].min()
    look = {"label": "not divided by m", "control": True}
    style.seeds_and_mean(axes[1], free, x="width", y="least", **look)
    axes[1].set(ylim=(0, 2.4))
    style.accepted_band(axes[1], 0.96, 1.04)
    style.theory_line(axes[1], [rows["width"].min(), rows["width"].max()], [1, 1], label="limit")
    axes[0].set(xlabel="width m", ylabel=r"$S^2-S_0^2$", title="(a) training, f = 2x")
    axes[1].set(xlabel="width m", ylabel=r"$\lambda_{min}/\lambda_{min,\infty}$")
    axes[1].set_title("(b) least eigenvalue")
    style.logarithmic(axes[0], "xy", ticks=sorted({*widths, *field["width"]}))
    style.logarithmic(axes[1], "x", ticks=sorted(rows["width"].unique()))
    style.legend_below(figure, columns=4)
    return figure


def depth_and_distance(depth: DataFrame, angles: DataFrame) -> Figure:
    """Near inputs separate with depth, far ones come together: all end at a quarter

    (a) Diagonal over mean of the kernel for the page's inputs, on a circle and on a quarter of one
    (dashed), with the limit of the page's inputs (line). (b) Kernel between two directions over its
    diagonal against the depth, for four angles, with 1/4 (line); dashed, the covariance.
    """
    figure, (axes,) = style.panels(2, height=2.9)
    names = {"page": "the page's line", "circle": "circle", "arc": "quarter circle"}
    for index, (arm, label) in enumerate(names.items()):
        rows, look = depth[depth["arm"] == arm], style.arm_style(index)
        look = {"color": style.CONTROL, "marker": "x", "linestyle": "--"} if arm == "arc" else look
        axes[0].plot(rows["depth"], rows["ratio"], label=label, **look)
    ends = [depth["depth"].min(), depth["depth"].max()]
    style.theory_line(axes[0], ends, [2.128, 2.128], label="limit on the line")
    names = {
        "near": r"$0.1$", "half": r"$0.5$", "right_angle": r"$\pi/2$", "opposite": r"$\pi$",
    }  # fmt: skip
    for index, (arm, label) in enumerate(names.items(), 3):
        rows = angles[angles["arm"] == arm]
        axes[1].plot(rows["depth"], rows["share"], label=f"angle {label}", **style.arm_style(index))
    rows = angles[angles["arm"] == "covariance"]
    look = {"color": style.CONTROL, "marker": "x", "linestyle": "--"}
    axes[1].plot(rows["depth"], rows["share"], label=r"covariance, $\pi$", **look)
    style.theory_line(axes[1], ends, [0.25, 0.25], label="1/4")
    axes[0].set(xlabel="hidden layers", ylabel="diagonal / mean", title="(a) locality")
    axes[1].set(
        xlabel="hidden layers", ylabel=r"$\Theta(x,x')/\Theta(x,x)$", title="(b) two inputs"
    )
    for axis in axes:
        style.logarithmic(axis, "x")
    style.legend_below(figure, columns=5)
    return figure


def double_descent(double_descent: DataFrame) -> Figure:
    """The peak is where features equal data, with and without noise, and a ridge takes it away

    Test error of least squares on random relu features against their number, 60 data (vertical
    line): medians of the draws, quartiles shaded.
    """
    figure, ((axis,),) = style.panels(1)
    names = {
        "theory": "noise .5", "noiseless": "no noise", "ridge": "noise .5, ridge",
        "noiseless_ridge": "no noise, ridge",
    }  # fmt: skip
    for index, (arm, label) in enumerate(names.items()):
        rows = double_descent[double_descent["arm"] == arm]
        found = rows.groupby("features")["error"].quantile([0.25, 0.5, 0.75]).unstack()
        look = style.arm_style(index) | {"linestyle": "--" if "ridge" in arm else "-"}
        axis.plot(found.index, found[0.5], label=label, **look)
        axis.fill_between(
            found.index, found[0.25], found[0.75], color=look["color"], alpha=0.15, linewidth=0
        )
    axis.axvline(60, color="#404040", linestyle=":", linewidth=1, label="features = data")
    axis.set(xlabel="random features", ylabel="test error / variance of labels")
    style.logarithmic(axis, "xy", ticks=[15, 30, 60, 120, 240, 960])
    axis.legend()
    return figure
