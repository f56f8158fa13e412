"""Figures on infinite networks as Bayesian models, drawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import coverage, expected_calibration_error, style

METHODS = {"nngp": "NNGP posterior", "deep": "deep ensemble", "ntkgp": "NTKGP posterior"}
MEMBERS = {
    "theory": "corrected",
    "whole_tangent": "whole tangent",
    "prior_function": "prior function",
    "deep": "deep ensemble",
    "readout": "read-out",
}


def figure_ensembles(trained: DataFrame) -> Figure:
    """A deep ensemble has a quarter of the posterior's variance; one added function repairs it

    The comparison of He et al.'s Figure 1 (as reported) as one number per block of trained
    networks: the variance of members over that of the NTKGP posterior. Black: the posterior; band:
    what is accepted. Crosses: the tangent by all parameters added, the near miss.
    """
    figure, ((axis,),) = style.panels(1)
    shown = [arm for arm in MEMBERS if (trained["arm"] == arm).any()]
    for place, arm in enumerate(shown):
        rows = trained[trained["arm"] == arm].assign(place=place)
        control = arm == "whole_tangent"
        look = {"x": "place", "y": "over_ntkgp", "geometric": True, "control": control}
        style.seeds_and_mean(axis, rows, label=MEMBERS[arm], index=place, **look)
    style.theory_line(axis, [-0.4, len(shown) - 0.6], [1, 1], label="NTKGP posterior")
    style.accepted_band(axis, 0.96, 1.04)
    axis.set(ylabel="variance / posterior's", xlabel="what members are")
    axis.set_xticks(range(len(shown)), [MEMBERS[arm] for arm in shown], rotation=20)
    style.logarithmic(axis, "y")
    style.legend_below(figure, columns=3)
    return figure


def figure_coverage(intervals: DataFrame) -> Figure:
    """Coverage of 95 % intervals is a matter of the prior and of its scale

    Share of truths held against the scale c of the prior's variance, (a) NTKGP, (b) NNGP; black:
    95 %, band: what is accepted. Dashed: functions drawn from the prior itself, which
    are covered right at c = 1. Points at the right: every function at its type-II scale.
    """
    figure, (axes,) = style.panels(2, share_y=True)
    names = {"linear": "linear", "product": r"$x_0x_1$", "oscillating": r"$\sin 5x_0$",
             "parity": "parity of digits"}  # fmt: skip
    scales = np.geomspace(0.01, 100, 17)
    panels = (("ntkgp", "error_ntk", "theory"), ("nngp", "error_nngp", "nngp_truth"))
    for axis, (law, error, own) in zip(axes, panels, strict=True):
        for index, (arm, label) in enumerate({**names, own: "drawn from the prior"}.items()):
            rows = intervals[intervals["arm"] == arm]
            deviation = rows[f"sd_{law}"]
            held = [
                coverage(error, "scaled")(rows.assign(scaled=deviation * np.sqrt(c)))
                for c in scales
            ]
            control = arm == own
            look = style.arm_style(index) | {"markevery": 4}
            if control:
                look = {"color": style.CONTROL, "linestyle": "--"}
            axis.plot(scales, held, label=label, **look)
            if not control:
                best = rows.assign(scaled=deviation * rows[f"scale_{law}"])
                at_best = coverage(error, "scaled")(best)
                axis.plot(300 * 1.3**index, at_best, linestyle="none", **style.arm_style(index))
        style.theory_line(axis, [0.01, 1000], [0.95, 0.95], label="95 %")
        style.accepted_band(axis, 0.925, 0.975)
        axis.set(
            xlabel="scale c of the prior (right: type-II)",
            title=f"({'ab'[law == 'nngp']}) {METHODS[law]}",
        )
        style.logarithmic(axis, "x", ticks=[0.01, 0.1, 1, 10, 100])
    axes[0].set(ylabel="share of truths that are held")
    axes[1].legend()
    return figure


def figure_reliability(classes: DataFrame) -> Figure:
    """Calibration is a matter of the link and of the scale

    Accuracy in ten bins of the stated confidence, over all splits; black: calibrated. (a)
    Links of the NNGP: softmax of the mean (dashed) is far too modest. (b) Three laws at the scale
    of initialisation. The legend has the expected calibration error of all splits together, which
    is less than the mean of single splits that is judged: their bins are noisier.
    """
    figure, (axes,) = style.panels(2, share_y=True)
    links = {
        ("theory", "nngp"): "largest, type-II",
        ("temperature", "nngp"): "softmax, temperature",
        ("softmax", "nngp"): "softmax",
    }
    scales = {("unit", law): METHODS[law] for law in METHODS}
    for axis, lines in zip(axes, (links, scales), strict=True):
        for index, ((arm, law), label) in enumerate(lines.items()):
            rows = classes[(classes["arm"] == arm) & (classes["method"] == law)]
            error = expected_calibration_error("confidence", "correct")(rows)
            bins = rows.groupby((rows["confidence"] * 10).astype(int).clip(upper=9))
            means = bins[["confidence", "correct"]].mean()[bins.size() >= 10]
            look = style.arm_style(index)
            if arm == "softmax":
                look = {"color": style.CONTROL, "linestyle": "--", "marker": "x"}
            name = f"{label}: ECE {error:.2f}"
            axis.plot(means["confidence"], means["correct"], label=name, **look)
        style.theory_line(axis, [0, 1], [0, 1], label="calibrated")
        axis.set(xlabel="stated confidence")
        axis.legend(loc="lower right")
    axes[0].set(ylabel="accuracy", title="(a) links")
    axes[1].set(title="(b) scale of initialisation")
    return figure


def figure_depth(depth: DataFrame) -> Figure:
    """Fifty layers remember their input at criticality alone, unless labels are centred

    Accuracy of the NNGP of erf networks on digits against the weight variance, in units of the
    critical one (black line). Dashed: one hidden layer, to which it does not matter.
    """
    figure, ((axis,),) = style.panels(1)
    lines = {"theory": "50 layers", "centred": "50 layers, labels centred", "shallow": "1 layer"}
    for index, (arm, label) in enumerate(lines.items()):
        rows = depth[depth["arm"] == arm]
        look = {"x": "share", "y": "accuracy", "label": label, "control": arm == "shallow"}
        style.seeds_and_mean(axis, rows, index=index, **look)
    style.theory_line(axis, [1, 1], [0, 1], label="critical")
    axis.set(xlabel="weight variance / critical one", ylabel="accuracy")
    style.logarithmic(axis, "x", ticks=sorted(depth["share"].unique()))
    style.legend_below(figure, columns=2)
    return figure


def figure_order(order: DataFrame) -> Figure:
    """Predictive variances are ordered: NNGP below a deep ensemble below NTKGP

    Ratios of mean variances, all below 1 (black). Crosses: an NTKGP with the prior K/2, too small,
    in place of Theta; and training of the read-out alone, which makes the ensemble the NNGP.
    """
    figure, (axes,) = style.panels(2)
    measured = set(zip(order["activation"], order["depth"], strict=True))
    sizes = [s for s in (("relu", 1), ("relu", 3), ("erf", 1), ("erf", 3)) if s in measured]
    cases = (
        ("deep_over_ntkgp", "ensemble / NTKGP", "half", "prior K/2"),
        ("nngp_over_deep", "NNGP / ensemble", "readout", "read-out alone"),
    )
    for axis, (column, title, control, said) in zip(axes, cases, strict=True):
        for arm in ("theory", control):
            rows = order[order["arm"] == arm]
            pairs = list(zip(rows["activation"], rows["depth"], strict=True))
            rows = rows.assign(place=[sizes.index((a, int(d))) for a, d in pairs])
            look = {"x": "place", "y": column, "control": arm == control}
            label = "measured" if arm == "theory" else said
            style.seeds_and_mean(axis, rows, label=label, **look)
            axis.containers[-1][0].set_linestyle("none")
        style.theory_line(axis, [-0.3, len(sizes) - 0.7], [1, 1], label="equal")
        axis.set_xticks(range(len(sizes)), labels=[f"{a}, {d}" for a, d in sizes])
        axis.set(xlabel="activation, hidden layers", ylabel="ratio of variances", title=title)
        axis.legend(loc="center", bbox_to_anchor=(0.75, 0.7 if control == "half" else 0.15))
    return figure
