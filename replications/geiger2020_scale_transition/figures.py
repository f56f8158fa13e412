"""Figures of Geiger et al. 2020, named after their files in the authors' plotting notebook."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence.style import (
    BAND,
    accepted_band,
    arm_style,
    arms_against,
    guide_slope,
    logarithmic,
    panels,
    seeds_and_mean,
    theory_line,
)

S_LABEL = r"$\sqrt{h}\,\alpha$"
ALPHA_LABEL = r"scale $\alpha$"
LAZY_CHANGE = 0.05  # of the kernel, below which a net counts as lazy here
KERNEL_LABEL = r"$\|\Delta\Theta\| / \|\Theta_0\|$"


def test_error(scan: DataFrame, frozen: DataFrame) -> Figure:
    """Test error and the phase diagram

    Redraws `test_error`: (a) where the kernel changes by as much as itself (points) and the line
    alpha = c h^-1/2 between the feature regime below and the lazy regime above; (b) error against
    width at fixed scale, with that of the initial kernel held (black); (c) error against alpha, one
    curve per width; (d) test loss of the average over initialisations, from 0 to 1 for each width,
    against sqrt(h) alpha. In (d) the curves fall on one another; in (c) they do not.
    """
    rows = scan[scan["arm"] == "theory"]
    figure, ((phase, by_width), (by_alpha, collapsed)) = panels(2, 2)
    _phase_diagram(phase, rows)
    shared = _scales_of_all_widths(rows)
    complete = [s for s in shared if set(rows[rows["s"] == s]["seed"]) == set(rows["seed"])]
    for index, s in enumerate(shared[:: max(1, len(shared) // 4)][:4]):
        label = f"{S_LABEL} = {s:g}"
        seeds_and_mean(
            by_width, rows[rows["s"] == s], x="width", y="error", label=label, index=index
        )
    held = frozen[frozen["arm"] == "lazy"]
    error = held["error"] + held["excess_error"]
    style = {"marker": "*", "color": "black", "linestyle": "none"}
    by_width.plot(held["width"].iloc[0], error.mean(), label="initial kernel", **style)
    logarithmic(by_width, "x", ticks=sorted(rows["width"].unique()))
    by_width.set(xlabel="width h", ylabel="test error", title="(b) error against width")
    by_width.margins(y=0.5)  # room for the legend above the curves
    by_width.legend(ncols=2, loc="upper right")
    for index, (width, of_width) in enumerate(rows.groupby("width")):
        seeds_and_mean(by_alpha, of_width, x="alpha", y="error", label=f"h = {width}", index=index)
        mean = of_width[of_width["s"].isin(complete)].groupby("s")["ensemble_loss"].mean()
        scaled = (mean - mean.min()) / (mean.max() - mean.min())
        collapsed.plot(mean.index, scaled, linestyle="-", label=f"h = {width}", **arm_style(index))
    logarithmic(by_alpha, "x")
    logarithmic(collapsed, "x")
    by_alpha.set(xlabel=ALPHA_LABEL, ylabel="test error", title="(c) error against the scale")
    collapsed.set(xlabel=S_LABEL, ylabel="(loss - min) / (max - min)", title="(d) rescaled")
    by_alpha.legend()
    collapsed.legend()
    return figure


def time_dynamics(scan: DataFrame) -> Figure:
    """Change of the kernel, loss against time, and the time scale

    Redraws `time_dynamics`, on the left against alpha, on the right against sqrt(h) alpha: (a, b)
    change of the kernel with guides of slope -1 (lazy) and -2L/(L+1) (feature); (c, d) mean soft
    hinge loss against time at the widest network, coloured by scale; (e, f) the time t1 at which it
    has fallen to one half. On the right the widths agree around the transition; deep in the lazy
    regime the curves of (b) split, as they must (see `lazy_law`).
    """
    rows = scan[scan["arm"] == "theory"].assign(rescaled=lambda r: r["t1"] / r["s"])
    depth = int(rows["depth"].iloc[0])
    figure, grid = panels(2, 3)
    highest = rows[rows["width"] == rows["width"].min()]  # the curve that the guides lie above
    for axes, x, label, letter in zip(
        grid[0], ("alpha", "s"), (ALPHA_LABEL, S_LABEL), "ab", strict=True
    ):
        _by_width(axes, rows, x, "kernel_change")
        places = np.sort(highest[x].unique())
        mean = highest.groupby(x)["kernel_change"].mean()
        for slope, name, place in (
            (-1.0, "slope -1", places[-2]),
            (-2 * depth / (depth + 1), f"slope -{2 * depth / (depth + 1):.3g}", places[1]),
        ):
            near = places[(places > place / 8) & (places < place * 8)]
            if len(near) > 1:
                through = (place, 2.5 * mean[place])
                named = name if name not in axes.get_legend_handles_labels()[1] else None
                guide_slope(axes, near, slope=slope, through=through, label=named)
        axes.axhline(1.0, color="#404040", linestyle="--", linewidth=0.7)
        logarithmic(axes)
        axes.set(xlabel=label, ylabel=KERNEL_LABEL, title=f"({letter}) kernel, L = {depth}")
        axes.legend()
    _loss_curves(grid[1], rows[rows["width"] == rows["width"].max()])
    for axes, x, label, letter in zip(
        grid[2], ("alpha", "s"), (ALPHA_LABEL, S_LABEL), "ef", strict=True
    ):
        _by_width(axes, rows, x, "rescaled")
        logarithmic(axes)
        places = np.sort(rows[x].unique())[-5:]
        last = rows[rows[x] == places[-1]]["rescaled"].mean()
        guide_slope(axes, places, slope=-1.0, through=(places[-1], 2 * last), label="slope -1")
        axes.set(xlabel=label, ylabel=r"$t_1 / (\sqrt{h}\,\alpha)$", title=f"({letter}) time scale")
        axes.legend()
    return figure


def var_ens(scan: DataFrame) -> Figure:
    """Fluctuations over initialisations and ensembles

    Redraws `var_ens`: (a) variance of F against width at fixed scale, guide of slope -1; (b) h
    times the variance against sqrt(h) alpha; (c, d) test error of single networks (solid, with 99 %
    intervals) and of their average (dashed: one number for all seeds) against scale and width.
    Curves of (b) agree where h is well above the number of training points.
    """
    rows = scan[scan["arm"] == "theory"]
    rows = rows.assign(scaled=rows["variance"] * rows["width"])
    figure, ((by_width, by_s), (error_s, error_width)) = panels(2, 2)
    shared = _scales_of_all_widths(rows)
    chosen = shared[:: max(1, len(shared) // 3)][:4]
    widths = sorted(rows["width"].unique())
    for index, s in enumerate(chosen):
        of_scale = rows[rows["s"] == s]
        label = f"{S_LABEL} = {s:g}"
        seeds_and_mean(by_width, of_scale, x="width", y="variance", label=label, index=index)
        seeds_and_mean(error_width, of_scale, x="width", y="error", label=label, index=index)
        mean = of_scale.groupby("width")["ensemble_error"].mean()
        error_width.plot(mean.index, mean, linestyle="--", **arm_style(index))
    top = rows[rows["s"] == chosen[-1]].groupby("width")["variance"].mean()
    through = (widths[0], 1.5 * top.iloc[0])
    guide_slope(by_width, widths, slope=-1.0, through=through, label="slope -1")
    _by_width(by_s, rows, "s", "scaled", geometric=False)
    for index, (width, of_width) in enumerate(rows.groupby("width")):
        seeds_and_mean(error_s, of_width, x="s", y="error", label=f"h = {width}", index=index)
        mean = of_width.groupby("s")["ensemble_error"].mean()
        error_s.plot(mean.index, mean, linestyle="--", **arm_style(index))
    logarithmic(by_width, ticks=widths)
    logarithmic(by_s)
    logarithmic(error_s, "x")
    logarithmic(error_width, "x", ticks=widths)
    by_width.set(xlabel="width h", ylabel="Var F", title="(a) variance against width")
    by_s.set(xlabel=S_LABEL, ylabel="h Var F", title="(b) rescaled variance")
    error_s.set(xlabel=S_LABEL, ylabel="test error", title="(c) single (solid), average (dashed)")
    error_width.set(xlabel="width h", ylabel="test error", title="(d) the same against width")
    for axes in (by_width, error_width):
        axes.margins(y=0.45)  # room for the legend above the curves
        axes.legend(ncols=2, loc="upper right")
    for axes in (by_s, error_s):
        axes.legend()
    return figure


def weights_scalings(scan: DataFrame, slopes: DataFrame) -> Figure:
    """Motion of the weights

    Redraws `weights_scalings`: (a, b) relative motion of the weights of one hidden layer against
    alpha and against sqrt(h) alpha, with a guide of slope -1; (c) in the feature regime for one,
    two and three hidden layers, with guides of slope -1/(L+1).
    """
    rows = scan[scan["arm"] == "theory"]
    figure, ((left, middle, right),) = panels(3)
    for axes, x, label in ((left, "alpha", ALPHA_LABEL), (middle, "s", S_LABEL)):
        _by_width(axes, rows, x, "weight_change")
        places = np.sort(rows[x].unique())[-4:]
        last = rows[rows[x] == places[-1]]["weight_change"].mean()
        guide_slope(axes, places, slope=-1.0, through=(places[-1], 2 * last), label="slope -1")
        logarithmic(axes)
        axes.set(xlabel=label, ylabel=r"$\|\Delta w\| / \|w_0\|$")
        axes.legend()
    left.set_title("(a)")
    middle.set_title("(b)")
    _depths(right, slopes, "weight_change", lambda depth: -1 / (depth + 1), "slopes -1/(L+1)")
    right.set(title="(c) feature regime", ylabel=r"$\|\Delta w\| / \|w_0\|$")
    return figure


def feature_exponents(slopes: DataFrame) -> Figure:
    """Exponents of the feature regime for one, two and three hidden layers

    New: change of the kernel (left) and time t1 (right) against sqrt(h) alpha. The dotted guides
    have the slopes -2L/(L+1) that homogeneity gives, and +1. The paper's guide for three layers,
    -4/3 (dash-dotted), is too flat. With one hidden layer t1 bends, because of a logarithm.
    """
    figure, ((left, right),) = panels(2)
    _depths(
        left, slopes, "kernel_change", lambda depth: -2 * depth / (depth + 1), "slopes -2L/(L+1)"
    )
    _depths(right, slopes, "t1", lambda depth: 1.0, "slope 1")
    _guide_of_the_paper(left, slopes[slopes["arm"] == "depth_3"])
    left.legend(ncols=2, loc="upper center")
    left.set(title="change of the kernel", ylabel=KERNEL_LABEL)
    right.set(title="time to halve the loss", ylabel=r"$t_1$")
    return figure


def early_times(early: DataFrame) -> Figure:
    """The kernel before the time t1

    New, to point (iv) of the abstract: change of the kernel of two hidden layers in the feature
    regime against time in units of t1, at which the loss is halved. Up to a small part of t1 the
    dynamics is linear; accepted is a change of at most 0.1 at 0.03 t1.
    """
    figure, ((axes,),) = panels(1)
    label = f"L = 2, {S_LABEL} = {early['s'].iloc[0]:g}"
    seeds_and_mean(axes, early, x="share", y="kernel_change", label=label, geometric=True)
    logarithmic(axes)
    axes.axhline(1.0, color="#404040", linestyle="--", linewidth=0.7)
    axes.plot([0.03, 0.03], [1e-3, 0.1], color=BAND, linewidth=6, zorder=0, label="accepted")
    axes.set(xlabel=r"$t / t_1$", ylabel=KERNEL_LABEL)
    axes.legend()
    return figure


def relu_th(slopes: DataFrame) -> Figure:
    """Relu in the feature and in the lazy regime

    Redraws `relu_th`: (a) change of the kernel of relu with five hidden layers in the feature
    regime, guide of slope -2L/(L+1) = -5/3; (b) one hidden layer in the lazy regime: softplus
    follows slope -1, relu (dashed) does not, because its slopes jump; guide of slope -1/2.
    """
    figure, ((left, right),) = panels(2)
    panels_of = {
        left: (("relu_depth_5", "relu, L = 5", -5 / 3),),
        right: (("lazy_smooth", "softplus, L = 1", -1.0), ("lazy_relu", "relu, L = 1", -0.5)),
    }
    for axes, arms in panels_of.items():
        for arm, name, slope in arms:
            rows = slopes[slopes["arm"] == arm]
            if rows.empty:
                break
            how = {"x": "s", "y": "kernel_change", "geometric": True}
            seeds_and_mean(axes, rows, label=name, control=arm == "lazy_relu", **how)
            places = np.sort(rows["s"].unique())
            through = (places[1], 1.6 * rows[rows["s"] == places[1]]["kernel_change"].mean())
            guide_slope(axes, places, slope=slope, through=through, label=f"slope {slope:.3g}")
        else:
            logarithmic(axes)
            axes.legend()
        axes.set(xlabel=S_LABEL, ylabel=KERNEL_LABEL)
    left.set_title("(a) feature regime")
    right.set_title("(b) lazy regime")
    return figure


def other(slopes: DataFrame) -> Figure:
    """Which regime generalises better

    Redraws `other` for fully connected networks: test error of the same nets at a small scale
    (feature) and at a large one (lazy). Lazy training wins on images, feature learning where two
    hidden directions (xnor) or one (stripe) matter.
    """
    figure, ((axes,),) = panels(1)
    tasks = [("digits_pca", "digits, 10 components"), ("xnor", "xnor"), ("stripe", "stripe")]
    tasks = [(arm, name) for arm, name in tasks if (slopes["arm"] == arm).any()]
    for index, (arm, name) in enumerate(tasks):
        of_arm = slopes[slopes["arm"] == arm]
        place = (of_arm["s"] == of_arm["s"].max()).astype(float)
        of_arm = of_arm.assign(place=place)
        seeds_and_mean(axes, of_arm, x="place", y="error", label=name, index=index)
    axes.set_xticks([0, 1], ["feature", "lazy"])
    axes.set(ylabel="test error", xlim=(-0.5, 1.5))
    if tasks:
        axes.legend()
    return figure


def alphaf(subtraction: DataFrame) -> Figure:
    """The control: F = alpha f against F = alpha (f - f0)

    Redraws `alphaf`: change of the kernel (left) and test error (right). Without subtracting the
    initial output (dashed) a large scale is not lazy and generalises badly.
    """
    rows, width = subtraction, int(subtraction["width"].iloc[0])
    figure, ((left, right),) = panels(2)
    for axes, measure, label in (
        (left, "kernel_change", KERNEL_LABEL),
        (right, "error", "test error"),
    ):
        for arm, name in (("subtracted", r"$\alpha (f - f_0)$"), ("not_subtracted", r"$\alpha f$")):
            of_arm = rows[rows["arm"] == arm]
            how = {"control": arm == "not_subtracted", "geometric": measure == "kernel_change"}
            seeds_and_mean(axes, of_arm, x="alpha", y=measure, label=name, **how)
        axes.set(xlabel=ALPHA_LABEL, ylabel=label, title=f"h = {width}")
        axes.legend()
    logarithmic(left)
    logarithmic(right, "x")
    return figure


def dot_z(speed: DataFrame) -> Figure:
    """Speed of the preactivations at the start

    Redraws `dot_z`: root mean square of dz/dt over units and data against width for each layer at
    fixed alpha, with the guide h^-1/2; dashed the control at fixed sqrt(h) alpha, where it does
    not fall.
    """
    figure, ((axes,),) = panels(1)
    widths = sorted(speed["width"].unique())
    theory = speed[speed["arm"] == "theory"]
    for index, (layer, of_layer) in enumerate(theory.groupby("layer")):
        label = f"layer {layer:g}"
        how = {"x": "width", "y": "speed", "geometric": True}
        seeds_and_mean(axes, of_layer, label=label, index=index, **how)
    control = speed[(speed["arm"] != "theory") & (speed["layer"] == 1)]
    label = "layer 1 at fixed scale"
    seeds_and_mean(axes, control, label=label, control=True, **how)
    first = theory[theory["width"] == widths[0]]["speed"].mean()
    guide_slope(axes, widths, slope=-0.5, through=(widths[0], 1.4 * first), label="slope -1/2")
    logarithmic(axes, ticks=widths)
    axes.set(xlabel="width h", ylabel=r"rms $\dot z$ at $t = 0$")
    low, high = axes.get_ylim()
    axes.set_ylim(low / (high / low) ** 0.5, high)  # room for the legend below the curves
    axes.legend(loc="lower left", ncols=2)
    return figure


def kernel_dyn(frozen: DataFrame) -> Figure:
    """The network against frozen kernels

    Redraws `kernel_dyn` (c, d) as one panel: test error of a frozen kernel minus that of the
    network, for the initial kernel in the lazy and in the feature regime and for the kernel at the
    end of feature training. Accepted: at most 0.02.
    """
    figure, ((axes,),) = panels(1)
    arms = [
        ("lazy", "initial kernel,\nlazy"),
        ("final_kernel", "final kernel,\nfeature"),
        ("feature", "initial kernel,\nfeature"),
    ]
    arms = [(arm, name) for arm, name in arms if (frozen["arm"] == arm).any()]
    for index, (arm, _) in enumerate(arms):
        of_arm = frozen[frozen["arm"] == arm].assign(place=index)
        seeds_and_mean(axes, of_arm, x="place", y="excess_error", label="", index=index)
    axes.set_xticks(range(len(arms)), [name for _, name in arms])
    accepted_band(axes, -np.inf, 0.02)
    axes.set(ylabel="error of the kernel - error of the net", xlim=(-0.5, len(arms) - 0.5))
    return figure


def lazy_law(scan: DataFrame) -> Figure:
    """Deep in the lazy regime: a law in h and alpha, not in their product

    New: (a) h times the change of the kernel against alpha with the law
    sqrt((A/alpha)^2 + (B/alpha^2)^2), A and B fitted; (b) the change itself against
    sqrt(h) alpha, where the widths split. Points where the change is below 0.05.
    """
    rows = scan[scan["arm"] == "theory"]
    small = rows.groupby(["width", "s"])["kernel_change"].transform("max") < LAZY_CHANGE
    rows = rows[small]
    figure, ((left, right),) = panels(2)
    left.set(xlabel=ALPHA_LABEL, ylabel=r"$h\,\|\Delta\Theta\| / \|\Theta_0\|$", title="(a)")
    right.set(xlabel=S_LABEL, ylabel=KERNEL_LABEL, title="(b)")
    if rows.empty:  # no scale of this tier is lazy enough
        return figure
    rows = rows.assign(scaled=rows["kernel_change"] * rows["width"])
    _by_width(left, rows, "alpha", "scaled")
    _by_width(right, rows, "s", "kernel_change")
    alpha = rows["alpha"].to_numpy()
    # (h dTheta)^2 = A^2 alpha^-2 + B^2 alpha^-4, least squares with every point weighted alike
    features = np.stack([alpha**-2.0, alpha**-4.0], axis=1) / rows[["scaled"]].to_numpy() ** 2
    squares = np.clip(np.linalg.lstsq(features, np.ones(len(rows)), rcond=None)[0], 0, None)
    line = np.geomspace(alpha.min(), alpha.max(), 100)
    law = np.sqrt(squares[0] * line**-2.0 + squares[1] * line**-4.0)
    label = f"A = {np.sqrt(squares[0]):.3g}, B = {np.sqrt(squares[1]):.3g}"
    theory_line(left, line, law, label=label, linestyle=":")
    for axes in (left, right):
        logarithmic(axes)
        axes.legend()
    return figure


def _by_width(axes: Axes, rows: DataFrame, x: str, y: str, geometric: bool = True) -> None:
    for index, (width, of_width) in enumerate(rows.groupby("width")):
        label = f"h = {width}"
        seeds_and_mean(axes, of_width, x=x, y=y, label=label, index=index, geometric=geometric)


def _scales_of_all_widths(rows: DataFrame) -> list[float]:
    counts = rows.groupby("s")["width"].nunique()
    return sorted(counts.index[counts == rows["width"].nunique()])


def _phase_diagram(axes: Axes, rows: DataFrame) -> None:
    widths, places = [], []
    for width, of_width in rows.groupby("width"):
        change = of_width.groupby("alpha")["kernel_change"].mean().sort_index(ascending=False)
        widths.append(width)
        places.append(np.exp(np.interp(0.0, np.log(change.to_numpy()), np.log(change.index))))
    axes.plot(
        widths, places, linestyle="none", label="change as large as the kernel", **arm_style(0)
    )
    line = np.geomspace(min(widths) / 2, max(widths) * 2, 50)
    constant = np.exp(np.mean(np.log(np.array(places) * np.sqrt(widths))))
    theory_line(axes, line, constant / np.sqrt(line), label=rf"${constant:.3g}\, h^{{-1/2}}$")
    axes.text(widths[0], 4 * max(places), "lazy", ha="center")
    axes.text(widths[0], min(places) / 6, "feature", ha="center")
    logarithmic(axes, ticks=widths)
    axes.set(xlabel="width h", ylabel=ALPHA_LABEL, title="(a) phase diagram")
    axes.set_ylim(min(places) / 10, 10 * max(places))
    axes.legend()


def _loss_curves(pair, rows: DataFrame) -> None:
    """Loss at the times of first passage through fixed levels, mean over seeds."""
    levels = [column for column in rows.columns if column.startswith("time_")]
    heights = [float(column.removeprefix("time_")) for column in levels]
    scales = sorted(rows["s"].unique())
    colors = _gradient(len(scales))
    for scale, color in zip(scales, colors, strict=True):
        times = rows[rows["s"] == scale][levels].mean().to_numpy()
        shown = f"{scale:g}" if len(scales) <= 8 or scale in scales[::3] else None
        pair[0].plot(times, heights, color=color, marker=".", markersize=3, label=shown)
        pair[1].plot(times / scale, heights, color=color, marker=".", markersize=3, label=shown)
    for axes, label, letter in zip(pair, ("t", r"$t / (\sqrt{h}\,\alpha)$"), "cd", strict=True):
        logarithmic(axes, "x")
        axes.set(xlabel=label, ylabel=r"$\alpha^2$ loss", title=f"({letter}) loss against time")
        axes.legend(title=S_LABEL)


def _gradient(count: int) -> list[tuple]:
    import matplotlib

    return [matplotlib.colormaps["viridis"](place) for place in np.linspace(0, 0.9, count)]


def _depths(axes: Axes, slopes: DataFrame, measure: str, exponent, guides: str) -> None:
    """A curve for each number of layers, with a guide of slope exponent(L); `guides` names them."""
    arms = [arm for arm in sorted(slopes["arm"].unique()) if arm.startswith("depth_")]
    for index, arm in enumerate(arms):
        of_arm = slopes[slopes["arm"] == arm]
        depth = int(arm.removeprefix("depth_"))
        label = f"L = {depth}"
        seeds_and_mean(axes, of_arm, x="s", y=measure, label=label, index=index, geometric=True)
        places = np.sort(of_arm["s"].unique())
        middle = of_arm[of_arm["s"] == places[1]][measure].mean()
        label = guides if index == 0 else None
        through = (places[1], 1.3 * middle)
        guide_slope(axes, places, slope=exponent(depth), through=through, label=label)
    logarithmic(axes)
    axes.set_xlabel(S_LABEL)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.6)  # room for the legend above the curves
    axes.legend(ncols=2, loc="upper center")


def _guide_of_the_paper(axes: Axes, rows: DataFrame) -> None:
    """Slope -4/3 through the middle of the curve of three layers."""
    places = np.sort(rows["s"].unique())
    middle = np.exp(np.log(rows["kernel_change"]).groupby(rows["s"]).mean()).loc[places[1]]
    line = middle * (places / places[1]) ** (-4 / 3)
    label = "the paper's guide, L = 3: -4/3"
    axes.plot(places, line, color="#404040", linestyle="-.", linewidth=1.0, label=label, zorder=6)


def fixed_alpha_or_fixed_s(widths: DataFrame) -> Figure:
    """What is held while the width grows decides how the motion falls

    (a) Relative change of the kernel of lazy networks of one hidden layer: 1/h (dotted) at fixed
    alpha; dashed: at fixed s = alpha h^1/2. (b) Motion of the weights over their norm falls as
    h^-1/2 (dotted), the motion itself (dashed) not at all.
    """
    figure, axes = panels(2, height=2.6)
    arms = {"kernel_at_fixed_alpha": r"fixed $\alpha$", "kernel_at_fixed_s": "fixed s"}
    look = {"control": "kernel_at_fixed_s", "slope": -1, "law": "$h^{-1}$"}
    arms_against(axes[0, 0], widths, "width", "value", arms, **look)
    axes[0, 0].set(ylabel=r"$\|\Delta\Theta\|/\|\Theta_0\|$", title="(a) kernel")
    arms = {"weights_relative": "over their norm", "weights_total": "itself"}
    look = {"control": "weights_total", "slope": -0.5, "law": "$h^{-1/2}$"}
    arms_against(axes[0, 1], widths, "width", "value", arms, **look)
    axes[0, 1].set(ylabel="motion of the weights", title="(b) weights")
    for panel in axes[0]:
        panel.set_xlabel("width h")
    return figure
