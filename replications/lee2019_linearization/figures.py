"""Figures of Lee et al. 2019 redrawn from the tidy tables, and four of our own."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence.style import (
    COLORS,
    CONTROL,
    THEORY,
    curve_over_seeds,
    guide_slope,
    legend_below,
    logarithmic,
    panels,
    seeds_and_mean,
)

EXPONENTS = {-0.5: "-1/2", -0.75: "-3/4", -1.0: "-1"}


def figure_1(drift: DataFrame) -> Figure:
    """Weights and kernels freeze as networks widen.

    Redraws Figure 1, one row per nonlinearity (the paper's is ReLU, three hidden layers). (a),
    below it (e): change of the empirical NTK during training, one curve per width, mean and range
    over seeds: curves fall with the width at all times. (b), (f): largest relative change of the
    weights: outer layers like n^-1/2, hidden ones like n^-1. (c, d), (g, h): largest change of the
    NTK and of the NNGP kernel; erf follows n^-1, the NTK of ReLU is slower. Dashed grey: mean-field
    scale, where kernels move.
    """
    arms = [arm for arm in drift["arm"].unique() if not arm.startswith("mean_field")]
    figure, axes = panels(4, len(arms), height=2.5)
    for number, (row, arm) in enumerate(zip(axes, arms, strict=True)):
        first, second, third, fourth = "abcdefgh"[4 * number : 4 * number + 4]
        trained = drift[(drift["arm"] == arm) & (drift["step"] > 0)]
        control = drift[(drift["arm"] == f"mean_field_{arm}") & (drift["step"] > 0)]
        largest, largest_control = _largest(trained), _largest(control)
        for index, (width, rows) in enumerate(trained.groupby("width")):
            label = f"n = {width:g}"
            curve_over_seeds(
                row[0], rows, x="step", y="ntk_change", label=label, index=index, geometric=True
            )
        logarithmic(row[0])
        row[0].set(xlabel="step", ylabel="relative change of the NTK", title=f"({first}) {arm}")
        layers = [name for name in drift if name.startswith("weight_")]
        for index, name in enumerate(layers):
            label = f"layer {name[-1]}"
            seeds_and_mean(
                row[1], largest, x="width", y=name, label=label, index=index, geometric=True
            )
        _over_width(row[1], largest, "weight_1", "relative change of weights", slopes=(-0.5,))
        _guides(row[1], largest, "weight_2", (-1.0,))
        row[1].set_title(f"({second}) weights")
        for axis, name, title in (
            (row[2], "ntk_change", f"({third}) NTK"),
            (row[3], "nngp_change", f"({fourth}) NNGP"),
        ):
            seeds_and_mean(axis, largest, x="width", y=name, label=arm, geometric=True)
            if not control.empty:
                seeds_and_mean(
                    axis,
                    largest_control,
                    x="width",
                    y=name,
                    label="mean field",
                    control=True,
                    geometric=True,
                )
            _over_width(axis, largest, name, "largest relative change")
            axis.set_title(title)
        for axis in row:
            room = 60 if axis is row[1] else 8  # below the curves, for the legend
            axis.set_ylim(bottom=axis.get_ylim()[0] / room)
            axis.legend(loc="lower left")
    return figure


def figure_2(ensemble: DataFrame) -> Figure:
    """An ensemble of networks and its Gaussian law during training.

    Redraws Figure 2 (erf instead of tanh; all networks share 16 training digits): outputs along the
    line x(alpha) through two training points. Dotted: mean and two standard deviations of trained
    networks; blue: equations 14-15; red in the last panel: the NNGP posterior, which only networks
    with a trained readout follow (grey dashed: their mean).
    """
    steps = sorted(ensemble["step"].unique())
    figure, axes = panels(len(steps), height=2.6, share_y=True)
    targets = {1.0: 1.0, 0.0: -1.0}
    for axis, step in zip(axes[0], steps, strict=True):
        now = ensemble[ensemble["step"] == step]
        full = now[now["arm"] == "full"].groupby("alpha")
        alpha, mean = np.array(list(full.groups)), full["output"].mean().to_numpy()
        _band(axis, alpha, full, "ntk", COLORS[0], "equations 14-15")
        if step == steps[-1]:
            _band(axis, alpha, full, "nngp", COLORS[1], "NNGP posterior")
            readout = now[now["arm"] == "readout"].groupby("alpha")["output"].mean()
            axis.plot(alpha, readout, color=CONTROL, linestyle="--", label="readout only, mean")
        spread = 2 * full["output"].std().to_numpy()
        axis.plot(alpha, mean, color=THEORY, label="networks, mean")
        for sign, label in ((1, r"networks, $\pm 2$ sd"), (-1, None)):
            axis.plot(alpha, mean + sign * spread, color=THEORY, linestyle=":", label=label)
        if step > 0:
            axis.plot(
                targets.keys(), targets.values(), "o", color=COLORS[4], label="training points"
            )
        axis.set(title=f"step {step:g}", xlabel=r"$\alpha$")
    axes[0, 0].set_ylabel(r"output at $\alpha x_1 + (1 - \alpha) x_2$")
    axes[0, -1].legend(loc="upper left")
    axes[0, 0].set_ylim(top=axes[0, 0].get_ylim()[1] * 1.9)
    return figure


def figure_3(tracking: DataFrame) -> Figure:
    """One deep network and its linearization, step by step.

    Redraws Figure 3 (five hidden ReLU layers, digits): one seed of the widest network. Solid:
    network; dashed: linearization. Outputs at two training and two test points, changes of three
    hidden weights, training loss (mean and range over seeds), and RMSE on test points with the
    network's own kernel and with the limit kernel, which is worse.
    """
    theory = tracking[tracking["arm"] == "theory"]
    widest = theory[theory["width"] == theory["width"].max()]
    one = widest[widest["seed"] == widest["seed"].min()]
    figure, axes = panels(4, height=2.6)
    for index, label in enumerate(("train 1", "train 2", "test 1", "test 2")):
        _pair(axes[0, 0], one, f"network_{index}", f"linear_{index}", index, label)
    for index in range(3):
        names = f"network_weight_{index}", f"linear_weight_{index}"
        _pair(axes[0, 1], one, *names, index, f"weight {index + 1}")
    curve_over_seeds(axes[0, 2], widest, x="step", y="loss_network", label="network", index=0)
    curve_over_seeds(axes[0, 2], widest, x="step", y="loss_linear", label="linear", control=True)
    for index, (name, label) in enumerate(
        {"rmse_test": "own kernel", "rmse_test_limit": "limit kernel"}.items()
    ):
        curve_over_seeds(axes[0, 3], widest, x="step", y=name, label=label, index=index)
    titles = ("output", "change of a weight", "training loss", "RMSE, test points")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set(title=title, xlabel=f"step (n = {widest['width'].max():g})")
        logarithmic(axis, "x")
    axes[0, 0].set_ylim(bottom=axes[0, 0].get_ylim()[0] - 1.2)  # below the curves, for the legend
    for axis in axes[0]:
        axis.legend()
    axes[0, 2].set_yscale("log")
    return figure


def figure_monte_carlo(monte_carlo: DataFrame) -> Figure:
    """Empirical kernels approach their limits.

    Redraws what is reported as Figures S9 and S10 as lines: relative error of the mean kernel over
    M networks against the closed form, over the width (M = 1) and over M (n = 32). Both fall like
    the inverse root. The NTK is moved to the right by 6 % to be seen beside
    the NNGP. Dashed grey: the same against the other kernel's limit.
    """
    figure, axes = panels(2, height=2.9)
    averaged = monte_carlo.groupby("depth")["networks"].transform("nunique") > 1
    narrow = monte_carlo["width"] == monte_carlo["width"].min()
    for axis, x, where in (
        (axes[0, 0], "width", monte_carlo["networks"] == 1),
        (axes[0, 1], "networks", averaged & narrow),
    ):
        index = 0
        for (arm, depth), rows in monte_carlo[where].groupby(["arm", "depth"], sort=False):
            for kernel in ("nngp", "ntk"):
                control = arm == "exchanged"
                if control and (depth > 1 or kernel == "ntk"):
                    continue
                label = "wrong limit" if control else f"{kernel.upper()}, depth {depth:g}"
                beside = rows.assign(**{x: rows[x] * (1.06 if kernel == "ntk" else 1.0)})
                seeds_and_mean(
                    axis,
                    beside,
                    x=x,
                    y=f"{kernel}_error",
                    label=label,
                    index=index,
                    control=control,
                    geometric=True,
                )
                index += 1
        rows = monte_carlo[where & (monte_carlo["arm"] == "theory")]
        _over_width(axis, rows, "ntk_error", "relative error", slopes=(-0.5,), x=x)
        axis.set_xlabel("width n" if x == "width" else "networks M")
    legend_below(figure, columns=4)
    return figure


def figure_gap(drift: DataFrame, any_depth: DataFrame) -> Figure:
    """The gap between network and linearization against the width.

    Largest RMSE over training on test points. Against the linearization with the network's own
    kernel the smooth erf gains a whole power of n, ReLU less; against the limit kernel exactly half
    a power, the fluctuation at initialization. Right: erf networks of several depths, per unit of
    the distance that an infinitely wide network moves; the exponent is the same, the constant grows
    with the depth. Dashed grey: mean-field scale, where the gap stays.
    Gaps above 10 are out of view: there the step is too long for the linearization of that network.
    """
    arms = [arm for arm in drift["arm"].unique() if not arm.startswith("mean_field")]
    figure, axes = panels(3, height=2.9, share_y=True)
    for axis, name, title in (
        (axes[0, 0], "gap_test", "own kernel"),
        (axes[0, 1], "gap_test_limit", "limit kernel"),
    ):
        for index, arm in enumerate(arms):
            largest = _largest(drift[drift["arm"] == arm])
            seeds_and_mean(axis, largest, x="width", y=name, label=arm, index=index, geometric=True)
            control = _largest(drift[drift["arm"] == f"mean_field_{arm}"])
            if not control.empty:
                label = f"{arm}, mean field"
                seeds_and_mean(
                    axis, control, x="width", y=name, label=label, control=True, geometric=True
                )
        _over_width(axis, _largest(drift[drift["arm"] == arms[0]]), name, "largest gap (RMSE)")
        axis.set(title=title, ylim=(1e-3, 10))
    rows = any_depth.assign(per_fitted=any_depth["gap"] / any_depth["fitted"])
    deepest = rows["depth"].max()
    for index, (depth, of_depth) in enumerate(rows.groupby("depth")):
        for arm, label in (("theory", f"L = {depth:g}"), ("mean_field", "mean field")):
            if arm == "theory" or depth == deepest:
                seeds_and_mean(
                    axes[0, 2],
                    of_depth[of_depth["arm"] == arm],
                    x="width",
                    y="per_fitted",
                    label=label,
                    index=index + len(arms),
                    control=arm == "mean_field",
                    geometric=True,
                )
    theory = rows[(rows["arm"] == "theory") & (rows["depth"] == deepest)]
    _over_width(axes[0, 2], theory, "per_fitted", "gap per distance", slopes=(-1.0,))
    axes[0, 2].set(title="hidden layers L (erf)")
    legend_below(figure, columns=4)
    return figure


def figure_step_size(step_size: DataFrame) -> Figure:
    """Critical learning rates: what diverges is the linearization.

    Left: largest gap on test points for steps below 2/lambda_max and between eta_critical and
    2/lambda_max; dotted: the bound n^-1/2, from any start. Middle (dashed grey): the same above
    2/lambda_max. Right: growth of the loss above, in powers of ten, for every seed: the
    linearization diverges, the network converges.
    """
    figure, axes = panels(3, height=2.9)
    names = {
        "below": r"0.9 of $2/\lambda_{\max}$",
        "between": r"0.95 of $2/\lambda_{\max}$, two points",
        "theory": r"0.5 of $2/\lambda_{\max}$, four points",
        "above": r"1.1 of $2/\lambda_{\max}$",
        "above_pair": r"1.1 of $2/\lambda_{\max}$, two points",
    }
    widths = sorted(step_size["width"].unique())
    for index, (arm, label) in enumerate(names.items()):
        rows = step_size[step_size["arm"] == arm]
        if not rows.empty:
            seeds_and_mean(
                axes[0, int(arm.startswith("above"))],
                rows.groupby(["width", "seed"], as_index=False)["gap"].max(),
                x="width",
                y="gap",
                label=label,
                index=index,
                control=arm.startswith("above"),
                geometric=True,
            )
    below = step_size.loc[step_size["arm"] == "below", "gap"]
    if not below.empty:
        start = (widths[0], 2 * below.max())
        guide_slope(axes[0, 0], widths, slope=-0.5, through=start, label=r"$\propto n^{-1/2}$")
    for axis, title in ((axes[0, 0], "steps that converge"), (axes[0, 1], "steps too large")):
        logarithmic(axis, ticks=widths)
        axis.set(xlabel="width n", ylabel="largest gap (RMSE)", title=title)
    above = {"above": "network", "linear_above": "linearization"}
    for index, (arm, label) in enumerate(above.items()):
        growth = step_size.loc[(step_size["arm"] == arm) & (step_size["train"] == 4), "growth"]
        axes[0, 2].plot(np.full(len(growth), index), growth, "o", color=COLORS[index], alpha=0.4)
        axes[0, 2].annotate(
            label, (index, growth.max()), (0, 6), textcoords="offset points", ha="center"
        )
    axes[0, 2].axhline(0.0, color=THEORY, linewidth=0.8)
    axes[0, 2].set(
        xlim=(-0.6, 1.6),
        xticks=[],
        ylabel=r"$\log_{10}$ (last loss / first loss)",
        title=r"steps of $1.1 \times 2/\lambda_{\max}$",
    )
    axes[0, 2].margins(y=0.15)
    legend_below(figure, columns=3)
    return figure


def figure_kinks(kinks: DataFrame) -> Figure:
    """Why the NTK of ReLU networks moves more slowly than n^-1.

    One hidden layer, change of the NTK at points that were not trained and at those that were, and
    share of (neuron, point) pairs that switched. erf follows n^-1; ReLU n^-3/4 at untrained points
    because a share n^-1/2 of neurons switches.
    """
    figure, axes = panels(3, height=2.7)
    columns = {
        "change_other": "NTK, untrained points",
        "change_train": "NTK, trained points",
        "flips": "share of switched signs",
    }
    slopes = {"change_other": (-0.75, -1.0), "change_train": (-0.5, -1.0), "flips": (-0.5,)}
    for axis, (name, title) in zip(axes[0], columns.items(), strict=True):
        for index, arm in enumerate(("relu", "erf")):
            rows = kinks[kinks["arm"] == arm]
            seeds_and_mean(axis, rows, x="width", y=name, label=arm, index=index, geometric=True)
        relu = kinks[kinks["arm"] == "relu"]
        _over_width(axis, relu, name, "relative change", slopes=slopes[name])
        axis.set_title(title)
        axis.legend()
    axes[0, 2].set_ylabel("share")
    return figure


def figure_training(other_training: DataFrame, parameterizations: DataFrame) -> Figure:
    """Other training and the standard parameterization.

    Left: gap to the linearization under the same training after 60 steps (dashed grey: under plain
    gradient descent on squared error). Right: distance moved in parameter space; in standard
    parameterization n^-1/2, in NTK parameterization (dashed grey) constant.
    """
    figure, axes = panels(2, height=2.9)
    methods = other_training["method"].unique()
    for index, method in enumerate(methods):
        for arm, control in (("theory", False), ("plain", True)):
            chosen = (other_training["method"] == method) & (other_training["arm"] == arm)
            label = method.replace("_", "-") + (", plain" if control else "")
            seeds_and_mean(
                axes[0, 0],
                other_training[chosen],
                x="width",
                y="gap",
                label=label,
                index=index,
                control=control,
                geometric=True,
            )
    theory = other_training[other_training["arm"] == "theory"]
    _over_width(axes[0, 0], theory, "gap", "gap (RMSE) at step 60")
    for arm, label in (("standard", "standard"), ("ntk", "NTK parameterization")):
        rows = parameterizations[parameterizations["arm"] == arm]
        seeds_and_mean(
            axes[0, 1],
            rows,
            x="width",
            y="distance",
            label=label,
            control=arm == "ntk",
            geometric=True,
        )
    standard = parameterizations[parameterizations["arm"] == "standard"]
    name = r"$\|\theta_t - \theta_0\|_2$"
    _over_width(axes[0, 1], standard, "distance", name, slopes=(-0.5,))
    legend_below(figure, columns=4)
    return figure


def _largest(rows: DataFrame) -> DataFrame:
    """Largest value over training of every column, one row per width and seed."""
    numbers = rows.select_dtypes("number").columns.difference(["width", "seed"])
    return rows.groupby(["width", "seed"], as_index=False)[list(numbers)].max()


def _over_width(
    axes: Axes, rows: DataFrame, y: str, label: str, *, slopes=(-0.5, -1.0), x: str = "width"
) -> None:
    """Logarithmic axes with dotted guides through the mean at the largest abscissa."""
    _guides(axes, rows, y, slopes, x)
    logarithmic(axes, ticks=sorted(rows[x].unique()))
    axes.set(xlabel="width n", ylabel=label)


def _guides(axes: Axes, rows: DataFrame, y: str, slopes, x: str = "width") -> None:
    places, variable = sorted(rows[x].unique()), "M" if x == "networks" else "n"
    end = float(np.exp(np.log(rows.loc[rows[x] == places[-1], y]).mean()))
    names = ", ".join(f"{variable}^{{{EXPONENTS[slope]}}}" for slope in slopes)
    for index, slope in enumerate(slopes):
        label = rf"$\propto {names}$" if index == 0 else None
        guide_slope(axes, places, slope=slope, through=(places[-1], end), label=label)


def _band(axes: Axes, alpha, groups, law: str, color: str, label: str) -> None:
    mean, deviation = (groups[f"{law}_{kind}"].first().to_numpy() for kind in ("mean", "sd"))
    axes.fill_between(
        alpha, mean - 2 * deviation, mean + 2 * deviation, color=color, alpha=0.2, linewidth=0
    )
    axes.plot(alpha, mean, color=color, label=label)


def _pair(axes: Axes, rows: DataFrame, solid: str, dashed: str, index: int, label: str) -> None:
    axes.plot(rows["step"], rows[solid], color=COLORS[index], label=label)
    axes.plot(rows["step"], rows[dashed], color=COLORS[index], linestyle="--")
