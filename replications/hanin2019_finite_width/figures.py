"""Finite-width corrections drawn from the tables alone; Hanin & Nica 2019 has no experiments."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style
from widenets.evidence.intervals import student_t


def _bars(axes, points: list[tuple], *, label: str, index: int, control: bool = False) -> None:
    """(x, values of the blocks) as means with their 99 % bars."""
    centers = [student_t(np.asarray(values, float)) for _, values in points]
    look = {"color": style.CONTROL, "marker": "x"} if control else style.arm_style(index)
    middle = np.array([center.value for center in centers])
    bars = [(c.value - c.low, c.high - c.value) for c in centers]
    places = [x for x, _ in points]
    axes.errorbar(
        places, middle, np.array(bars).T, linestyle="none", capsize=2, label=label, **look
    )


def fluctuations(moments: DataFrame, law: DataFrame, velocity: DataFrame) -> Figure:
    """The kernel's variance and velocity are exact functions of depth and width, not e^(5 beta)

    (a) Relative variance of Theta(x, x) against beta, the sum of 1/n over hidden layers: blocks of
    networks, the exact law for n = 64 (line), its limit at fixed beta (dotted), and e^(5 beta) - 1
    (gray, dashed), which is the law of the squared activations at depth two and of nothing in the
    kernel. Linear networks lie below. (b) Velocity E[f O_3] over (E Theta)^2, with the first order
    (4/3) beta (dotted). (c) E Theta^2 over the relu law, with its accepted band; linear networks,
    the control, have another law.
    """
    figure, (axes,) = style.panels(3, height=2.9)
    beta = np.geomspace(0.015, 0.55, 100)
    exact = {arm: law[law["arm"] == arm] for arm in ("curve", "curve_linear")}
    for axis, quantity in zip(axes[:2], ("variance", "velocity"), strict=True):
        for arm, look in (("curve", "-"), ("curve_linear", "-.")):
            rows = exact[arm][exact[arm]["quantity"] == quantity].sort_values("beta")
            label = f"exact, n = 64, {'linear' if 'linear' in arm else 'relu'}"
            style.theory_line(axis, rows["beta"], rows["value"], label=label, linestyle=look)
    rows = exact["curve"][exact["curve"]["quantity"] == "variance"].sort_values("beta")
    axes[0].plot(rows["beta"], rows["limit"], color="#404040", linestyle=":", label="limit")
    axes[0].plot(
        beta, np.expm1(5 * beta), color=style.CONTROL, linestyle="--", label=r"$e^{5\beta}-1$"
    )
    axes[1].plot(beta, 4 / 3 * beta, color="#404040", linestyle=":", label=r"$4\beta/3$")
    arms = {"theory": "relu", "unequal": "relu, n = 8, 32, 8", "linear": "linear networks"}
    for index, (arm, label) in enumerate(arms.items()):
        rows, control = moments[moments["arm"] == arm], arm == "linear"
        if rows.empty:
            continue
        points = [
            (x, group["square"] / group["mean"].mean() ** 2 - 1)
            for x, group in rows.groupby("beta")
        ]
        _bars(axes[0], points, label=label, index=index, control=control)
        ratios = [(x, g["square"] / g["exact"]) for x, g in rows.groupby("beta")]
        _bars(axes[2], ratios, label=label, index=index, control=control)
        rows = velocity[velocity["arm"] == arm]
        if len(rows):
            points = [(x, g["product"] / g["depth"] ** 2) for x, g in rows.groupby("beta")]
            _bars(axes[1], points, label=label, index=index, control=control)
    axes[0].set(ylabel=r"Var $\Theta$ / (E $\Theta$)$^2$", title="(a) fluctuation")
    axes[1].set(ylabel=r"E[$f\,O_3$] / (E $\Theta$)$^2$", title="(b) velocity")
    axes[2].set(
        ylim=(0.6, 1.15), ylabel=r"E $\Theta^2$, measured / exact", title="(c) second moment"
    )
    style.accepted_band(axes[2], 0.955, 1.045)
    style.theory_line(axes[2], [0.013, 0.6], [1, 1], label=None)
    for axis in axes:
        axis.set(xlabel=r"$\beta=\sum_l 1/n_l$", xlim=(0.013, 0.6))
        style.logarithmic(axis, "x", ticks=[0.02, 0.05, 0.1, 0.2, 0.5])
    for axis in axes[:2]:
        axis.set(ylim=(0.008, 12))
        style.logarithmic(axis, "y")
    style.legend_below(figure, columns=5)
    return figure


def first_step(step: DataFrame) -> Figure:
    """One step of descent moves a relu kernel by n^-1/2, because neurons switch off

    Fall of Theta at the training point per unit of the rate, against the width: in all, with the
    gates held (control; 8/n, dotted), and what neurons that switch add, on its law (line).
    """
    figure, ((axis,),) = style.panels(1)
    names = {"total": "in all", "theory": "neurons that switch", "held": "gates held"}
    for index, (arm, label) in enumerate(names.items()):
        rows = step[step["arm"] == arm]
        look = {"label": label, "index": index, "control": arm == "held", "geometric": False}
        style.seeds_and_mean(axis, rows, x="width", y="fall", **look)
    law = step[step["arm"] == "theory"].groupby("width")["predicted"].mean()
    label = r"$2\sqrt{2}\,\mathrm{E}|f-y|/(\pi\sqrt{n})$"
    style.theory_line(axis, law.index, law, label=label)
    widths = sorted(step.loc[step["arm"] == "held", "width"].unique())
    start = (widths[0], 8 / widths[0])
    style.guide_slope(axis, widths, slope=-1, through=start, label=r"$8/n$")
    axis.set(xlabel="width n", ylabel=r"$-\Delta\Theta/\eta$")
    style.logarithmic(axis, "xy", ticks=widths)
    axis.legend()
    return figure


def correlation_functions(tower: DataFrame, hierarchy: DataFrame) -> Figure:
    """Correlation functions fall as the conjecture counts, and the hierarchy closes in steps of 1/n

    (a) Sizes of O_3, O_4 (mean) and O_5 of tanh networks with one hidden layer and the conjectured
    powers (dotted); dashed, the deviation of O_2, n^(-1/2). (b) Error of the output at t = 1 with
    the kernel frozen, with O_3 kept, and with O_3 and O_4 kept, against the width: the first
    derivative alone gains no order.
    """
    figure, (axes,) = style.panels(2, height=2.9)
    rows = tower[tower["arm"] == "theory_one"]
    widths = sorted(rows["width"].unique())
    names = {
        "third": (r"rms $O_3$, $n^{-1}$", -1), "fourth": (r"$-$E $O_4$, $n^{-1}$", -1),
        "fifth": (r"rms $O_5$, $n^{-2}$", -2),
    }  # fmt: skip
    for index, (column, (label, power)) in enumerate(names.items()):
        style.seeds_and_mean(axes[0], rows, x="width", y=column, label=label, index=index)
        start = (widths[0], rows.loc[rows["width"] == widths[0], column].mean())
        style.guide_slope(axes[0], widths, slope=power, through=start, label="conjecture")
    other = tower[tower["arm"] == "other_one"]
    label = r"deviation of $O_2$, $n^{-1/2}$"
    style.seeds_and_mean(axes[0], other, x="width", y="third", label=label, control=True)
    kept = {"frozen": "kernel frozen", "third": r"$O_3$ kept", "fourth": r"$O_3$, $O_4$ kept"}
    for index, (arm, label) in enumerate(kept.items()):
        rows = hierarchy[hierarchy["arm"] == arm]
        look = {"label": label, "index": index + 3, "geometric": True}
        style.seeds_and_mean(axes[1], rows, x="width", y="error", **look)
    sizes = sorted(hierarchy["width"].unique())
    for arm, power in (("frozen", -1), ("fourth", -2)):
        rows = hierarchy[(hierarchy["arm"] == arm) & (hierarchy["width"] == sizes[0])]
        start = (sizes[0], rows["error"].mean())
        style.guide_slope(axes[1], sizes, slope=power, through=start, label=f"$n^{{{power}}}$")
    axes[0].set(xlabel="width n", ylabel="correlation function", title="(a) tower")
    axes[1].set(xlabel="width n", ylabel=r"rms $|f(1)-f_{kept}(1)|$", title="(b) hierarchy cut off")
    style.logarithmic(axes[0], "xy", ticks=widths)
    style.logarithmic(axes[1], "xy", ticks=sizes)
    style.legend_below(figure, columns=5)
    return figure


def lewkowycz_figure_1(course: DataFrame, catapult: DataFrame) -> Figure:
    """Three phases: lazy below 2, a catapult to flatter minima between 2 and 4, divergence above

    (a) Loss of one start against the step, for three widths at eta lambda_0 = 1.5, 3 and 4.5: the
    catapult peaks at order n after (1/2) ln n / ln 2 steps. (b) Its curvature. (c) Curvature in the
    end against the rate, blocks of starts at n = 2^20 and their means: on the mirror law
    (line) near 2, down to nearly 0 at 3.1, and up again.
    """
    figure, (axes,) = style.panels(3, height=2.9)
    looks = {"lazy": "1.5", "catapult": "3", "diverges": "4.5"}
    for index, (arm, factor) in enumerate(looks.items()):
        rows = course[course["arm"] == arm]
        for style_of, (log2_width, group) in zip(
            (":", "--", "-"), rows.groupby("log2_width"), strict=True
        ):
            label = rf"$\eta\lambda_0$ = {factor}, $n=2^{{{log2_width:g}}}$"
            look = {"color": style.COLORS[index], "linestyle": style_of}
            axes[0].plot(group["step"], group["loss"], label=label, **look)
            if arm != "diverges":
                axes[1].plot(group["step"], group["curvature"], **look)
    axes[0].set(
        xlabel="step", ylabel=r"loss $f^2/2$", ylim=(1e-6, 1e8), xlim=(0, 45), title="(a) loss"
    )
    style.logarithmic(axes[0], "y")
    axes[1].axhline(2, color="#404040", linestyle=":", linewidth=1)
    axes[1].set(xlabel="step", ylabel=r"$\eta\lambda$", xlim=(0, 45), title="(b) curvature")
    ends = catapult[catapult["arm"].isin(("rates", "scan"))].assign(
        end=lambda rows: rows["flatness"] * rows["factor"]
    )
    look = {"label": r"$\eta\lambda_\infty$", "index": 1}
    style.seeds_and_mean(axes[2], ends, x="factor", y="end", **look)
    rates = np.array([2.0, 4.0])
    style.theory_line(axes[2], rates, 4 - rates, label="mirror law")
    axes[2].plot(rates, rates, color=style.CONTROL, linestyle="--", label="kernel as it began")
    axes[2].axvline(2, color="#404040", linestyle=":", linewidth=1, label=r"2 and 4")
    axes[2].axvline(4, color="#404040", linestyle=":", linewidth=1)
    axes[2].set(
        xlabel=r"$\eta\lambda_0$", ylabel=r"$\eta\lambda_\infty$", ylim=(0, 2.6), title="(c) end"
    )
    style.legend_below(figure, columns=4)
    return figure


def relu_limit(relu: DataFrame) -> Figure:
    """How large a rate relu networks bear depends on the data, not on a number 12

    Share of networks with one hidden layer that converge (loss below a tenth of the number of
    points) against eta lambda_0, on points of the sphere and on images of two digits; dashed, the
    share that stays finite. Vertical lines: 4, where linear networks diverge, and the reported 12.
    """
    figure, ((axis,),) = style.panels(1)
    for index, arm in enumerate(("sphere", "digits")):
        shares = relu[relu["arm"] == arm].groupby("factor")[["converged", "finite"]].mean()
        look = style.arm_style(index)
        axis.plot(shares.index, shares["converged"], label=f"{arm}, converged", **look)
        look = {"color": look["color"], "linestyle": "--", "linewidth": 0.9}
        axis.plot(shares.index, shares["finite"], label=f"{arm}, finite", **look)
    axis.axvline(4, color="#404040", linestyle=":", linewidth=1, label="4 and 12")
    axis.axvline(12, color="#404040", linestyle=":", linewidth=1)
    axis.set(xlabel=r"$\eta\lambda_0$", ylabel="share of networks", ylim=(-0.05, 1.08))
    axis.legend()
    return figure


def orders_of_width(opposite: DataFrame, catapult: DataFrame) -> Figure:
    """Orders of the width: a mean that misses its limit by 1/n, and the catapult's sizes

    (a) Relative distance of E Theta(x, -x) from its limit; dashed: the deviation of single kernels.
    (b) Largest output on the way at eta lambda_0 = 3, n^1/2 (dotted); dashed: at 1.9, where nothing
    grows. (c) How far the curvature moves at 1.9, 1/n; dashed: at 3.
    """
    figure, (axes,) = style.panels(3, height=2.8)
    arms = {"theory": "of the mean", "deviation": "of single kernels"}
    look = {"control": "deviation", "slope": -1, "law": r"$n^{-1}$"}
    style.arms_against(axes[0], opposite, "width", "excess", arms, **look)
    axes[0].set(ylabel="distance from the limit", title="(a) opposite points")
    arms = {"theory": "3", "lazy": "1.9"}
    look = {"control": "lazy", "slope": 0.5, "law": r"$n^{1/2}$"}
    style.arms_against(axes[1], catapult, "width", "peak", arms, **look)
    axes[1].set(ylabel="largest |f|", title=r"(b) peak, by $\eta\lambda_0$")
    arms = {"lazy": "1.9", "theory": "3"}
    look = {"control": "theory", "slope": -1, "law": r"$n^{-1}$"}
    style.arms_against(axes[2], catapult, "width", "relative", arms, **look)
    axes[2].set(ylabel="relative change", title=r"(c) curvature, by $\eta\lambda_0$")
    widths = catapult.loc[catapult["arm"] == "theory", "width"].unique()
    for axis in axes[1:]:
        shown = sorted(widths)[:: max(1, len(widths) // 3)]
        labels = [rf"$2^{{{np.log2(n):.0f}}}$" for n in shown]
        axis.set_xticks(shown, labels=labels)
    for axis in axes:
        axis.set_xlabel("width n")
    return figure
