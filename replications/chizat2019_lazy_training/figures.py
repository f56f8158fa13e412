"""Figures of Chizat et al. 2019, named after the paper's, and two new ones."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas import DataFrame

from widenets.evidence.style import (
    COLORS,
    accepted_band,
    arm_style,
    guide_slope,
    legend_below,
    logarithmic,
    panels,
    seeds_and_mean,
    theory_line,
)

TAU = r"scale of initialisation $\tau$"


def figure_1ab(paths: DataFrame) -> Figure:
    """Figure 1(a, b): neurons in the plane

    Paths a_j |b_j| of the neurons of a relu network with two inputs in the course of training, one
    seed; colours are the sign of the output, dots the end, arrows the teacher's neurons, in grey
    the unit circle. At small scale the neurons start in the middle, travel many times their own
    length and gather along the teacher's. At large scale they start in pairs of opposite sign,
    which part by a fraction of their length, a short neuron by all of it, and do not gather. What
    is drawn is a product of two weights, and moves more than they do, of which the claims speak.
    """
    scales = sorted(paths["tau"].unique())
    figure, ((*axes,),) = panels(len(scales))
    for panel, tau in zip(axes, scales, strict=True):
        rows = paths[(paths["tau"] == tau) & (paths["seed"] == paths["seed"].min())]
        _plane(panel, rows)
        panel.set_title(rf"$\tau$ = {tau:g}")
    handles = [
        Line2D([], [], color=COLORS[1], marker="o", markersize=3, label="output > 0"),
        Line2D([], [], color=COLORS[0], marker="o", markersize=3, label="output < 0"),
        Line2D([], [], color="#404040", linestyle="--", label="teacher"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def figure_1c(overparameterized: DataFrame) -> Figure:
    """Figure 1(c): over-parameterized, test loss against scale

    Test loss after full-batch descent on 1000 points with 50 neurons in 100 dimensions, at the end
    and at the best moment. It grows with the scale and settles where training is lazy.
    """
    figure, ((axes,),) = panels(1)
    rows = overparameterized.drop_duplicates(["tau", "seed"])
    for index, (column, label) in enumerate((("test", "at the end"), ("best", "best on the way"))):
        seeds_and_mean(axes, rows, x="tau", y=column, label=label, index=index, geometric=True)
    logarithmic(axes)
    axes.set(xlabel=TAU, ylabel="test loss", title="n = 1000, m = 50, d = 100")
    axes.legend()
    return figure


def figure_1d(population: DataFrame) -> Figure:
    """Figures 1(d), 2(b, c): population loss against scale

    Stochastic descent with fresh samples; loss over that of the zero function. Between the rich
    and the lazy scales lies a zone where descent has not converged after the paper's number of
    steps (hatched, 0.15 to 0.5 in the authors' program). New: the line is the least loss of the
    linearized model, band up to 1.2 of it, where the lazy network ends.
    """
    figure, ((axes,),) = panels(1)
    rows = population.drop_duplicates(["tau", "seed"])
    label = "m = 50, fresh samples"
    seeds_and_mean(axes, rows, x="tau", y="loss", label=label, geometric=True)
    floor = np.exp(np.log(rows["floor"]).mean())
    ends = np.array([rows["tau"].min(), rows["tau"].max()])
    theory_line(axes, ends, np.full(2, floor), label="linearized minimum")
    logarithmic(axes)
    accepted_band(axes, floor, 1.2 * floor)
    hatched = {"facecolor": "none", "edgecolor": "#A0A0A0", "hatch": "///", "linewidth": 0}
    axes.axvspan(0.15, 0.5, label="not yet converged", **hatched)
    axes.set(xlabel=TAU, ylabel="loss / loss of zero", title="population loss")
    legend_below(figure, columns=2)
    return figure


def figure_2a(widths: DataFrame) -> Figure:
    """Figure 2(a): test loss against the number of neurons

    For alpha(m) = m^(-1/2), which becomes lazy with m, and 1/m, which does not.
    """
    figure, ((axes,),) = panels(1)
    names = {-0.5: r"$\alpha(m) = 1/\sqrt{m}$", -1.0: r"$\alpha(m) = 1/m$"}
    for index, (exponent, rows) in enumerate(widths.groupby("exponent")):
        label = names[exponent]
        seeds_and_mean(axes, rows, x="neurons", y="test", label=label, index=index, geometric=True)
    logarithmic(axes, ticks=sorted(widths["neurons"].unique()))
    axes.set(xlabel="number of neurons m", ylabel="test loss", title="n = 1000, d = 100")
    axes.legend()
    return figure


def figure_3a(convolution: DataFrame) -> Figure:
    """Figure 3(a): a convolutional network against alpha

    Left: accuracy of the network on training and test images, and of its linearization on test
    images (dashed). Right: share of units whose sign training has not changed. On the digits as a
    stand-in for CIFAR-10: large alpha is stable, linear and less accurate.
    """
    rows = convolution[convolution["arm"] == "theory"]
    figure, ((left, right),) = panels(2)
    seeds_and_mean(left, rows, x="alpha", y="train_accuracy", label="network, training", index=1)
    seeds_and_mean(left, rows, x="alpha", y="accuracy", label="network, test")
    label = "linearization, test"
    seeds_and_mean(left, rows, x="alpha", y="linear_accuracy", label=label, control=True)
    seeds_and_mean(right, rows, x="alpha", y="stability", label="unchanged signs", index=2)
    for axes, label in ((left, "accuracy"), (right, "stability of activations")):
        logarithmic(axes, "x")
        axes.set(xlabel=r"scale $\alpha$", ylabel=label)
    left.legend(loc="center right", bbox_to_anchor=(1.0, 0.7))
    right.legend()
    return figure


def figure_exponents(scaling: DataFrame) -> Figure:
    """Rates in alpha of Theorems 2.2 and 2.4

    New: distance from initialisation, distance from the linearized path, gap of the outputs and
    change of the tangent kernel against alpha, with the theorem's exponents as guides. Dashed:
    h(w_0) is not zero, and nothing is lazy. With the paired initialisation the gap of the outputs
    and the kernel fall faster, since opposite neurons cancel the second order. The logistic loss
    has the exponents of the square loss.
    """
    measures = (
        ("distance", r"$\sup_t |w_\alpha - w_0|$", -1),
        ("path_gap", r"$\sup_t |w_\alpha - \bar w_\alpha|$", -2),
        ("output_gap", r"$\sup_t |\alpha h - \alpha \bar h|$", -1),
        ("kernel_change", r"$|\Delta K| / |K_0|$", -1),
    )
    figure, grid = panels(2, 2)
    for axes, (measure, label, slope) in zip(grid.flat, measures, strict=True):
        for index, (arm, name) in enumerate(
            (("theory", "softplus"), ("paired", "paired"), ("logistic", "logistic"))
        ):
            rows = scaling[scaling["arm"] == arm]
            seeds_and_mean(
                axes, rows, x="alpha", y=measure, label=name, index=index, geometric=True
            )
        control = scaling[scaling["arm"] == "not_centred"]
        seeds_and_mean(
            axes, control, x="alpha", y=measure, label="not centred", control=True, geometric=True
        )
        rows = scaling[scaling["arm"] == "theory"]
        places = np.sort(rows["alpha"].unique())
        first = rows[rows["alpha"] == places[0]][measure].mean()
        through = (places[0], 1.6 * first)
        guide_slope(axes, places, slope=slope, through=through, label=f"slope {slope}")
        logarithmic(axes)
        axes.set(xlabel=r"scale $\alpha$", ylabel=label)
    grid[0, 0].legend()
    grid[0, 1].legend()
    return figure


def figure_criterion(criterion: DataFrame) -> Figure:
    """The criterion kappa against the number of neurons and against alpha

    New: kappa at initialisation for alpha(m) = m^(-1/2), 1/m and 1, and against alpha with and
    without h(w_0) = 0. Width makes a network lazy only through the scale.
    """
    figure, ((left, right),) = panels(2)
    arms = (
        ("inverse_root", r"$\alpha(m) = 1/\sqrt{m}$", -0.5),
        ("inverse", r"$\alpha(m) = 1/m$", 0.0),
        ("one", r"$\alpha(m) = 1$", -1.0),
    )
    for index, (arm, label, slope) in enumerate(arms):
        rows = criterion[criterion["arm"] == arm]
        seeds_and_mean(left, rows, x="neurons", y="kappa", label=label, index=index, geometric=True)
        places = np.sort(rows["neurons"].unique())
        first = rows[rows["neurons"] == places[0]]["kappa"].mean()
        theory_line(
            left,
            places,
            first * (places / places[0]) ** slope,
            label="predicted slopes" if index == 0 else None,
            linestyle=":",
        )
    paired = criterion[criterion["arm"] == "alpha_paired"]
    other = criterion[criterion["arm"] == "alpha_not_paired"]
    seeds_and_mean(
        right, paired, x="alpha", y="kappa", label=r"$h(w_0) = 0$", index=3, geometric=True
    )
    label = r"$h(w_0) \neq 0$"
    seeds_and_mean(right, other, x="alpha", y="kappa", label=label, control=True, geometric=True)
    logarithmic(left, ticks=sorted(criterion[criterion["arm"] == "one"]["neurons"].unique()))
    logarithmic(right)
    left.set(xlabel="number of neurons m", ylabel=r"$\kappa$")
    right.set(xlabel=r"scale $\alpha$", ylabel=r"$\kappa$")
    legend_below(figure, columns=3)
    return figure


def figure_laziness(laziness: DataFrame) -> Figure:
    """The criterion kappa as a prediction of laziness

    New: relative change of the tangent kernel in training against kappa at initialisation, 3
    scales and 3 numbers of neurons, one point per seed. With outputs of one sign the change is
    proportional to kappa (dotted); with both signs it falls faster with the number of neurons.
    """
    figure, axes_of = panels(2, share_y=True)
    for axes, arm, title in (
        (axes_of[0, 0], "theory", "outputs $b_j > 0$"),
        (axes_of[0, 1], "standard", r"outputs $b_j \sim N(0, 1)$"),
    ):
        rows = laziness[laziness["arm"] == arm]
        for index, (neurons, of_width) in enumerate(rows.groupby("neurons")):
            axes.plot(
                of_width["kappa"],
                of_width["kernel_change"],
                linestyle="",
                markersize=4,
                label=f"m = {neurons:g}",
                **arm_style(index),
            )
        ends = np.array([rows["kappa"].min(), rows["kappa"].max()])
        middle = tuple(np.exp(np.log(rows[["kappa", "kernel_change"]]).mean()))
        guide_slope(axes, ends, slope=1, through=middle, label="slope 1")
        logarithmic(axes)
        axes.set(xlabel=r"$\kappa$", ylabel=r"$|\Delta K| / |K_0|$", title=title)
    axes_of[0, 0].legend()
    return figure


def figure_underparameterized(underparameterized: DataFrame) -> Figure:
    """Fewer parameters than data

    New: late rate of the gradient flow over the smallest eigenvalue of Dh^T Dh, distance of the
    minimum from initialisation, and relative distance from the minimum of the linearized model,
    against alpha / |J^+ y|. Dashed: h(w_0) is not zero.
    """
    figure, ((first, second, third),) = panels(3)
    rows = underparameterized[underparameterized["arm"] == "theory"]
    control = underparameterized[underparameterized["arm"] == "not_centred"]
    places = np.sort(rows["relative_alpha"].unique())
    for axes, column, label, slope in (
        (first, "rate_ratio", r"late rate / $\sigma_{\min}^2$", None),
        (second, "distance", r"$|w_\infty - w_0|$", -1),
        (third, "minimum_gap", r"$|z_\infty - J^+ y| / |J^+ y|$", -1),
    ):
        how = {"x": "relative_alpha", "y": column, "geometric": True}
        seeds_and_mean(axes, rows, label="p = 20, n = 60", **how)
        seeds_and_mean(axes, control, label="not centred", control=True, **how)
        if slope is not None:
            through = (
                places[0],
                1.6 * np.exp(np.log(rows[column]).groupby(rows["relative_alpha"]).mean().iloc[0]),
            )
            guide_slope(axes, places, slope=slope, through=through, label=f"slope {slope}")
        logarithmic(axes, ticks=places)
        axes.set(xlabel=r"$\alpha / |J^+ y|$", ylabel=label)
    theory_line(first, places, np.ones_like(places), label="theory")
    accepted_band(first, 0.97, 1.03)
    first.legend()
    second.legend()
    return figure


def _plane(axes: Axes, rows: DataFrame) -> None:
    angles = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angles), np.sin(angles), color="#B0B0B0", linewidth=0.8)
    students = rows[rows["kind"] == "student"].sort_values("step_number")
    for _, path in students.groupby("neuron"):
        color = COLORS[1] if path["sign"].iloc[0] > 0 else COLORS[0]
        axes.plot(path["x1"], path["x2"], color=color, linewidth=1.0)
        axes.plot(path["x1"].iloc[-1], path["x2"].iloc[-1], color=color, marker="o", markersize=3)
    for teacher in rows[rows["kind"] == "teacher"].itertuples():
        color = COLORS[1] if teacher.sign > 0 else COLORS[0]
        axes.annotate(
            "",
            (teacher.x1, teacher.x2),
            (0, 0),
            arrowprops={"arrowstyle": "->", "color": color, "linestyle": "--"},
        )
    axes.set_aspect("equal")
    axes.set(xlabel=r"$a_1 |b|$", ylabel=r"$a_2 |b|$")
