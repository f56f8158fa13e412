"""Figures of Du et al. 2018 redrawn, and what they leave open. Drawn from the tables alone."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def figure_1(epochs: DataFrame) -> Figure:
    """Training error, pattern changes and largest distance over the epochs

    Redraws Figure 1 (a, b, c): n = d points on the sphere, labels N(0, 1), full-batch gradient
    descent on the first layer for widths m. The black lines are first-order theory without a free
    parameter: the infinitely wide network (dash-dotted) in (a), initial patterns and integrated
    residuals in (b) and (c). The wider the network, the faster the loss falls, the fewer patterns
    change and the less the neurons move. The step of the paper is not known to us, so that the time
    scale may differ; the levels at the end do not depend on it. The bound of the theorem is dashed.
    """
    arm = "paper_scale" if (epochs["arm"] == "paper_scale").any() else "theory"
    rows = epochs[epochs["arm"] == arm]
    first, count = rows.groupby("width")["seed"].transform("min"), rows["count"].iloc[0]
    rows = rows[rows["seed"] == first]
    figure, axes = style.panels(3, height=2.5)
    measured = ("loss", "changes", "distance")
    titles = ("(a) training error", "(b) pattern changes", "(c) largest distance")
    units = (
        r"$\|y-u(k)\|^2/\|y-u(0)\|^2$",
        "share of patterns changed [%]",
        r"$\max_r\,\|w_r(k)-w_r(0)\|_2$",
    )
    for axis, column, title, unit in zip(axes[0], measured, titles, units, strict=True):
        factor = 100 if column == "changes" else 1
        for index, (width, curve) in enumerate(rows.groupby("width")):
            axis.plot(
                curve["epoch"],
                factor * curve[column],
                label=f"m = {width:g}",
                linestyle="-",
                **style.arm_style(index),
            )
            if column != "loss":
                label = "first order" if index == 0 else None
                style.theory_line(
                    axis, curve["epoch"], factor * curve[f"{column}_limit"], label=label
                )
        axis.set(xlabel="epoch k", ylabel=unit, title=f"{title}, n = {count:g}")
    curve = rows[rows["width"] == rows["width"].max()]
    style.theory_line(
        axes[0, 0], curve["epoch"], curve["loss_limit"], label="infinite width", linestyle="-."
    )
    style.theory_line(
        axes[0, 0], curve["epoch"], curve["loss_bound"], label="bound (Thm 4.1)", linestyle="--"
    )
    style.logarithmic(axes[0, 0], "y")
    style.legend_below(figure, columns=7)
    return figure


def figure_width_scaling(descent: DataFrame) -> Figure:
    """What moves in training, and how much less in wide networks

    Trained to the end; points are seeds, bars 99 % intervals of the mean over seeds. The
    largest distance of a neuron (a) and the share of changed patterns (c) fall like m^(-1/2), the
    distance of all weights together (b) does not fall at all. Black: first-order theory without
    a free parameter, for n = d. The change of the Gram matrix (d) is bounded by m^(-1/2) and
    falls faster where the random output signs cancel. With the output scaled by 1/m instead of
    m^(-1/2) (grey, the mean-field control) nothing of this holds.
    """
    figure, axes = style.panels(2, 2, height=2.5)
    columns = ("distance", "drift", "changes", "kernel_change")
    labels = (
        r"$\max_r\,\|w_r-w_r(0)\|_2$",
        r"$\|W-W(0)\|_F$",
        "share of patterns changed",
        r"$\|H-H(0)\|_2$",
    )
    for axis, column, label, letter in zip(axes.flat, columns, labels, "abcd", strict=True):
        _arms(axis, descent, column, {"theory": "n = d", "correlated": "n = 5d"}, "mean_field")
        theory = descent[descent["arm"] == "theory"]
        widths = np.sort(theory["width"].unique())
        if column != "kernel_change":
            limit = theory.groupby("width")[f"{column}_limit"].apply(_geometric_mean)
            style.theory_line(axis, limit.index, limit, label="first order, n = d")
        else:
            start = _geometric_mean(theory.loc[theory["width"] == widths[0], column])
            for slope, name in ((-0.5, "slopes -1/2, -3/4"), (-0.75, None)):
                style.guide_slope(axis, widths, slope=slope, through=(widths[0], start), label=name)
        style.logarithmic(axis, ticks=widths)
        axis.set(xlabel="width m", title=f"({letter}) {label}")
    style.legend_below(figure)
    return figure


def figure_kernel_change(descent: DataFrame) -> Figure:
    """How fast the Gram matrix stops moving depends on activation and data

    The theorem's m^(-1/2) is an upper bound. Smooth activations (erf) reach 1/m. For ReLU with
    nearly orthogonal inputs, where a sample changes only its own patterns, the rate is m^(-1/2);
    with n = 5d the random signs of the output weights cancel much of it, and the fluctuations of
    m^(-3/4) that remain steepen the slope. Dotted lines are guides.
    """
    figure, axes = style.panels(height=3.4)
    axis = axes[0, 0]
    names = {
        "theory": "ReLU, n = d",
        "correlated": "ReLU, n = 5d",
        "orthogonal": "ReLU, n << d",
        "smooth": "erf, n = d",
    }
    _arms(axis, descent, "kernel_change", names, "mean_field")
    widths = np.sort(descent.loc[descent["arm"] == "theory", "width"].unique())
    top = _geometric_mean(
        descent.loc[(descent["arm"] == "theory") & (descent["width"] == widths[0]), "kernel_change"]
    )
    for slope, name in ((-0.5, "slopes -1/2, -1"), (-1.0, None)):
        style.guide_slope(axis, widths, slope=slope, through=(widths[0], top), label=name)
    style.logarithmic(axis, ticks=widths)
    axis.set(xlabel="width m", ylabel=r"$\|H(\mathrm{end})-H(0)\|_2$")
    style.legend_below(figure, columns=2)
    return figure


def figure_margin(descent: DataFrame) -> Figure:
    """Where the bound of the theorem holds at every step, and where it breaks

    Largest logarithm of loss over bound along a training run, one point per seed; below zero
    (shaded) the bound holds at every step. Left: it holds from widths of the order of n on, and not
    from n^6. Right: labels and the training of both layers do not matter; contradictory labels at
    one input, steps of 2.1/lambda_max and networks of two neurons break it.
    """
    figure, axes = style.panels(2, height=2.8)
    by_width = descent[descent["arm"].isin(["narrow", "width_scan", "theory"])]
    axis = axes[0, 0]
    axis.plot(
        by_width["width"], by_width["margin"], linestyle="none", alpha=0.6, **style.arm_style(0)
    )
    axis.set_xscale("log", base=2)
    axis.set(xlabel="width m", ylabel=r"$\max_k\,\log(\mathrm{loss}/\mathrm{bound})$")
    names = {
        "theory": "random labels",
        "linear_labels": "linear labels",
        "both_layers": "both layers",
        "nearly_unstable": r"$\eta=1.8/\lambda_{\max}$",
        "unstable": r"$\eta=2.1/\lambda_{\max}$",
        "conflict": "contradictory labels",
        "narrow": "m = 2",
    }
    present = [arm for arm in names if (descent["arm"] == arm).any()]
    for place, arm in enumerate(present):
        rows = descent[descent["arm"] == arm]
        look = style.arm_style(0) if (rows["margin"] <= 0).all() else style.arm_style(1)
        axes[0, 1].plot(
            rows["margin"], np.full(len(rows), place), linestyle="none", alpha=0.6, **look
        )
    axes[0, 1].set_yticks(range(len(present)), [names[arm] for arm in present])
    axes[0, 1].invert_yaxis()
    axes[0, 1].set(xlabel=r"$\max_k\,\log(\mathrm{loss}/\mathrm{bound})$")
    ticks = (-1, 0, 1, 10, 100)
    for axis, along in ((axes[0, 0], "y"), (axes[0, 1], "x")):
        getattr(axis, f"set_{along}scale")("symlog", linthresh=1)
        getattr(axis, f"set_{along}lim")(-3, 300)
        getattr(axis, f"set_{along}ticks")(ticks, [f"{tick:g}" for tick in ticks])
        style.accepted_band(axis, -np.inf, 0, label="bound holds", vertical=along == "x")
    style.legend_below(figure)
    return figure


def figure_late_rate(descent: DataFrame) -> Figure:
    """The theorem bounds the rate; the least eigenvalue sets it

    Late contraction of the loss over that of the limit kernel in the same steps, which is its least
    eigenvalue's within 3 %. The first layer alone, small steps (gradient flow) and both layers,
    each with its own kernel, tend to 1; the theorem's exponent, read as a rate, would be 1/4
    (dotted). A network with half the output (grey) has a quarter of the kernel and falls there.
    Shaded: accepted region.
    """
    figure, axes = style.panels()
    axis = axes[0, 0]
    arms = {"theory": "first layer", "small_steps": "gradient flow", "both_layers": "both layers"}
    index = 0
    for arm, name in arms.items():
        column = "late_rate_joint" if arm == "both_layers" else "late_rate"
        if column not in descent:  # no run of this tier is long enough
            continue
        rows = descent[(descent["arm"] == arm) & descent[column].notna()]
        if len(rows):
            style.seeds_and_mean(axis, rows, x="width", y=column, label=name, index=index)
            index += 1
    control = descent[(descent["arm"] == "half_output") & descent["late_rate"].notna()]
    style.seeds_and_mean(axis, control, x="width", y="late_rate", label="half output", control=True)
    measured = descent.loc[descent["arm"].isin(arms) & descent["late_rate"].notna(), "width"]
    widths = (measured.min() / 2, measured.max() * 2)
    style.theory_line(axis, widths, (1, 1), label="limit kernel")
    style.guide_slope(
        axis, widths, slope=0, through=(widths[0], 0.25), label=r"$1-\eta\lambda_0/2$ (bound)"
    )
    axis.set_ylim(0, 1.3)
    axis.set_xscale("log", base=2)
    style.accepted_band(axis, 0.98, 1.02)
    axis.set(xlabel="width m", ylabel="late rate / limit")
    style.legend_below(figure, columns=3)
    return figure


def figure_concentration(concentration: DataFrame) -> Figure:
    """The initial Gram matrix concentrates around its limit

    Left: spectral distance, which falls like m^(-1/2); the distance to a limit that is 2 %
    larger (grey) does not. Right: least eigenvalue of H(0) over that of the limit. The three
    quarters that the proof needs (shaded) are kept at all of these widths, far below n^2 /
    lambda_0^2.
    """
    figure, axes = style.panels(2, height=2.5)
    names = {"theory": "n = d", "correlated": "n = 5d"}
    _arms(axes[0, 0], concentration, "distance", names, "two_percent")
    theory = concentration[concentration["arm"] == "theory"]
    widths = np.sort(theory["width"].unique())
    top = _geometric_mean(theory.loc[theory["width"] == widths[0], "distance"])
    style.guide_slope(axes[0, 0], widths, slope=-0.5, through=(widths[0], top), label="slope -1/2")
    style.logarithmic(axes[0, 0], ticks=widths)
    axes[0, 0].set(xlabel="width m", title=r"$\|H(0)-H^\infty\|_2$")
    for index, (arm, name) in enumerate(names.items()):
        rows = concentration[concentration["arm"] == arm]
        if len(rows):
            style.seeds_and_mean(
                axes[0, 1], rows, x="width", y="smallest_ratio", label=name, index=index
            )
    style.logarithmic(axes[0, 1], "x", ticks=widths)
    axes[0, 1].set(xlabel="width m", title=r"$\lambda_{\min}(H(0))/\lambda_0$", ylim=(0.65, 1.1))
    style.accepted_band(axes[0, 1], 0.75, np.inf, label="at least 3/4")
    for axis in axes[0]:
        axis.legend()
    return figure


def figure_least_eigenvalue(epochs: DataFrame) -> Figure:
    """Wider networks keep a larger least eigenvalue, and that makes them faster

    Left: least eigenvalue of the Gram matrix after 100 epochs over that of the limit. Right: loss
    over that of the infinitely wide network at the same time, which tends to 1 like
    exp(c m^(-1/2)). Points are seeds, bars 99 % intervals of the mean over seeds.
    """
    figure, axes = style.panels(2, height=2.5)
    rows = epochs[(epochs["arm"] == "theory") & (epochs["epoch"] == 100)]
    widths = np.sort(rows["width"].unique())
    names = {
        "least": r"$\lambda_{\min}(H(100))/\lambda_0$",
        "loss_excess": "loss / infinite width",
    }
    for axis, (column, name) in zip(axes[0], names.items(), strict=True):
        geometric = column == "loss_excess"
        style.seeds_and_mean(
            axis, rows, x="width", y=column, label="n = d", index=0, geometric=geometric
        )
        style.theory_line(axis, widths, np.ones(len(widths)), label="limit")
        style.logarithmic(axis, "xy" if geometric else "x", ticks=widths)
        axis.set(xlabel="width m", title=name)
        axis.legend()
    return figure


def figure_labels(labels: DataFrame) -> Figure:
    """Label scale and width enter as c / sqrt(m)

    Share of patterns changed by training on labels of scale c. Along c proportional to sqrt(m)
    it is constant, at fixed c (grey) it falls like m^(-1/2).
    """
    figure, axes = style.panels()
    axis = axes[0, 0]
    _arms(axis, labels, "changes", {"theory": r"$c\propto\sqrt{m}$"}, "fixed_labels")
    fixed = labels[labels["arm"] == "fixed_labels"]
    widths = np.sort(fixed["width"].unique())
    top = _geometric_mean(fixed.loc[fixed["width"] == widths[0], "changes"])
    for slope, name in ((0, None), (-0.5, "slopes 0 and -1/2")):
        style.guide_slope(axis, widths, slope=slope, through=(widths[0], top), label=name)
    style.logarithmic(axis, ticks=widths)
    axis.set(xlabel="width m", ylabel="share of patterns changed", ylim=(2e-3, 0.2))
    axis.legend()
    return figure


def figure_two_points(two_points: DataFrame) -> Figure:
    """The least eigenvalue opens with the angle between the closest inputs

    Two inputs at an angle: proportional to the angle for the first layer's kernel, whose
    derivative jumps at the kink, and to its square for the kernel of the output weights (grey).
    """
    figure, axes = style.panels()
    axis = axes[0, 0]
    for arm, control in (("theory", False), ("output_weights", True)):
        rows = two_points[two_points["arm"] == arm]
        name = "output weights" if control else "first layer"
        style.seeds_and_mean(
            axis, rows, x="angle", y="smallest", label=name, control=control, geometric=True
        )
    theory = two_points[two_points["arm"] == "theory"].sort_values("angle")
    style.theory_line(axis, theory["angle"], theory["predicted"], label="closed form")
    style.logarithmic(axis)
    axis.set(xlabel=r"angle $\varphi$ [rad]", ylabel=r"$\lambda_{\min}$")
    axis.legend()
    return figure


def figure_depth(deep_kernel: DataFrame) -> Figure:
    """Depth hurts fully connected smooth networks, not residual ones

    Left: least eigenvalue of the last hidden layer's Gram matrix K^(H) against depth, infinite
    width: exponential for a smooth activation (dotted: tanh(1)^H), a power for ReLU, H^(-2) with
    residual branches of size 1/H. Right: gradient steps of 1/lambda_max to 1 % of the loss.
    """
    figure, axes = style.panels(2, height=2.5)
    names = {"fully_connected": "fully connected, cos", "residual": "residual, cos", "relu": "ReLU"}
    for axis, column in zip(axes[0], ("smallest_last", "steps_needed"), strict=True):
        for index, (arm, name) in enumerate(names.items()):
            rows = deep_kernel[deep_kernel["arm"] == arm]
            style.seeds_and_mean(
                axis, rows, x="depth", y=column, label=name, index=index, geometric=True
            )
        axis.set_xlabel("hidden layers H")
        style.logarithmic(axis, ticks=np.sort(deep_kernel["depth"].unique()))
    rows = deep_kernel[deep_kernel["arm"] == "fully_connected"]
    depths = np.linspace(4, rows["depth"].max(), 50)
    deepest = rows.loc[rows["depth"] == rows["depth"].max(), "smallest_last"]
    decay = _geometric_mean(deepest) * np.tanh(1) ** (depths - depths[-1])
    style.theory_line(axes[0, 0], depths, decay, label=r"$\propto\tanh(1)^H$", linestyle=":")
    rows = deep_kernel[deep_kernel["arm"] == "residual"]
    through = _geometric_mean(rows.loc[rows["depth"] == 8, "smallest_last"])
    style.guide_slope(axes[0, 0], depths, slope=-2, through=(8, through), label="slope -2")
    axes[0, 0].set_title(r"$\lambda_{\min}(K^{(H)})$")
    axes[0, 1].set_title("steps to 1 % of the loss")
    axes[0, 0].set_ylim(bottom=axes[0, 0].get_ylim()[0] / 100)  # below the curves, for the legend
    for axis in axes[0]:
        axis.legend()
    return figure


def figure_conv_depth(conv_kernel: DataFrame) -> Figure:
    """Residual branches spare convolutional networks the exponential too

    Least eigenvalue of K^(H), the Gram matrix of the last convolution's gradients, for many
    channels, against depth: H^(-2) with residual branches of size 1/H and 1/H with branches of size
    1/sqrt(H) (grey), exponential without (grey too, the lowest).
    """
    figure, ((axis,),) = style.panels(1)
    names = {"residual": "1/H", "residual_root": "1/sqrt(H)", "plain": "no skip"}
    for arm, name in names.items():
        rows, control = conv_kernel[conv_kernel["arm"] == arm], arm != "residual"
        style.seeds_and_mean(
            axis, rows, x="depth", y="smallest_last", label=name, control=control, geometric=True
        )
    rows = conv_kernel[conv_kernel["arm"] == "residual"]
    depths = np.sort(rows["depth"].unique())
    through = _geometric_mean(rows.loc[rows["depth"] == 8, "smallest_last"])
    style.guide_slope(axis, depths, slope=-2, through=(8, through), label="slope -2")
    style.logarithmic(axis, ticks=depths)
    axis.set(xlabel="convolutions H", ylabel=r"$\lambda_{\min}(K^{(H)})$")
    axis.legend()
    return figure


def _arms(axis: Axes, table: DataFrame, column: str, names: dict[str, str], control: str) -> None:
    """Every arm that was measured, with a marker of its own, and the control."""
    for index, (arm, name) in enumerate(names.items()):
        rows = table[table["arm"] == arm]
        if len(rows):
            style.seeds_and_mean(
                axis, rows, x="width", y=column, label=name, index=index, geometric=True
            )
    rows = table[table["arm"] == control]
    name = control.replace("_", " ") + " (control)"
    style.seeds_and_mean(axis, rows, x="width", y=column, label=name, control=True, geometric=True)


def _geometric_mean(values) -> float:
    return float(np.exp(np.mean(np.log(values))))


def deep_concentration(deep_gram: DataFrame) -> Figure:
    """The last Gram matrix of deep networks concentrates, and depth makes it harder

    Error of the Gram matrix over lambda_min. (a) Three hidden layers against the width: m^-1/2
    (dotted); dashed: distance from another limit, which stays. (b) Against the depth at m = 256:
    it grows for fully connected networks, not for residual ones.
    """
    figure, (axes,) = style.panels(2)
    three = deep_gram[deep_gram["depth"] == 3]
    arms = {"fully_connected": "fully connected", "other_limit": "another limit"}
    look = {"control": "other_limit", "slope": -0.5, "law": r"$m^{-1/2}$"}
    style.arms_against(axes[0], three, "width", "error", arms, **look)
    axes[0].set(xlabel="width m", title="(a) width")
    one = deep_gram[deep_gram["width"] == 256]
    arms = {"fully_connected": "fully connected", "residual": "residual"}
    style.arms_against(axes[1], one, "depth", "error", arms)
    axes[1].set(xlabel="hidden layers H", title="(b) depth")
    for axis in axes:
        axis.set_ylabel(r"$\|K_m-K\|\,/\,\lambda_{\min}$")
    return figure
