"""The dictionary as two pages of small panels, from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style

CONTROLS = ("norm", "ridge", "deeper", "many")  # arms of single points


def _line(axis, rows: DataFrame, x: str, y: str, label: str, index: int, control=False) -> None:
    look = {"color": style.CONTROL, "marker": "x", "linestyle": "--"}
    look = look if control else style.arm_style(index)
    means = rows.groupby(x)[y].mean()
    axis.plot(means.index, means, label=label, **look)


def parts_of_a_network(
    smoothness: DataFrame, condition: DataFrame, instance: DataFrame, dropout: DataFrame
) -> Figure:
    """Kinks, depth, instance normalization and dropout: what each does to the kernel

    (a) 1 - K(t)/K(0) against the angle, one hidden layer: the tangent kernel of relu leaves with t
    / (2 pi) (line), its covariance and erf with the square. (b) Condition number over (N + 3) / 3
    against depth: the relu tangent kernel comes to it (line), its covariance (dashed) degenerates.
    (c) Distance of the kernel of instance normalization from the centred covariance against the
    number of positions, with its guide; dashed, one direction as strong as all others. (d) Factor
    by which dropout with p = .8 multiplies the kernel, blocks of units, over p: raw masks on the
    diagonal and between two inputs, one shared mask, and masks divided by p; the lines are the
    values in theory.
    """
    figure, axes = style.panels(2, 2, height=2.6)
    (one, two), (three, four) = axes
    shallow = smoothness[smoothness["depth"] == 1].assign(
        angle=lambda rows: 1 / rows["inverse_angle"]
    )
    names = {"relu": "relu, tangent kernel", "nngp": "relu, covariance", "erf": "erf"}
    for index, (arm, label) in enumerate(names.items()):
        _line(one, shallow[shallow["arm"] == arm], "angle", "lack", label, index)
    angle = np.array(sorted(shallow["angle"].unique()))
    style.theory_line(one, angle, angle / (2 * np.pi), label=r"$t/(2\pi)$")
    one.set(xlabel="angle t", ylabel=r"$1-K(t)/K(0)$", title="(a) activations")
    _line(two, condition[condition["arm"] == "relu"], "depth", "condition", "tangent kernel", 3)
    rows = condition[condition["arm"] == "covariance"]
    _line(two, rows, "depth", "condition", "covariance", 0, control=True)
    style.theory_line(two, [1, condition["depth"].max()], [1, 1], label="limit")
    two.set(xlabel="hidden layers", ylabel=r"$\kappa\cdot 3/(N+3)$", title="(b) no skips")
    _line(three, instance[instance["arm"] == "two_levels"], "positions", "error", "two levels", 4)
    rows = instance[instance["arm"] == "one_strong"]
    _line(three, rows, "positions", "error", "one strong direction", 0, control=True)
    places = sorted(instance["positions"].unique())
    last = instance[(instance["arm"] == "two_levels") & (instance["positions"] == places[-1])]
    through = (places[-1], last["error"].iloc[0])
    style.guide_slope(three, places, slope=-1, through=through, label="slope -1")
    three.set(xlabel="positions", ylabel="relative distance", title="(c) instance norm")
    arms = {
        "diagonal": 1.0,
        "other": 0.8,
        "shared": 1.0,
        "inverted": 1.5625,
        "inverted_other": 1.25,
    }
    for index, (arm, law) in enumerate(arms.items()):
        rows = dropout[dropout["arm"] == arm]
        look = style.arm_style(index) | {"linestyle": "none", "alpha": 0.4}
        four.plot(np.full(len(rows), index), rows["over_keep"], **look)
        style.theory_line(four, [index - 0.3, index + 0.3], [law, law], label=None)
    labels = ["K(x, x)", "K(x, x')", "shared,\nK(x, x')", "K(x, x),\nover p", "K(x, x'),\nover p"]
    four.set_xticks(range(len(arms)), labels=labels)
    four.set(ylabel="factor / p", ylim=(0.7, 1.7), title="(d) dropout, p = .8")
    ticks = ([0.002, 0.004, 0.008, 0.016, 0.032], None, places)
    for axis, of_axis in zip((one, two, three), ticks, strict=True):
        style.logarithmic(axis, "xy", ticks=of_axis)
        axis.legend()
    return figure


def learning(
    order: DataFrame, saliency: DataFrame, universality: DataFrame, skip: DataFrame
) -> Figure:
    """What is learned first, what the diagonal says, and what is never learned

    (a) Half times of four components against their variance: one layer (kernel regime) with ln 2
    over the variance (line); two layers from small weights with the same targets, which learn in
    the reverse order, and with equal targets. (b) Spearman's correlation of Theta(x, x) with the
    input gradient, a point per network, and with |x| (gray, the control). (c) Relative test error
    on cos 3t from 256 points and cos 5t from 16, beside two layers and 256 points (gray). (d)
    Smallest relative gain of an eigenvalue from a skip (x.x', rank 10) and from the same trace
    added as a multiple of 1.
    """
    figure, axes = style.panels(2, 2, height=2.6)
    (one, two), (three, four) = axes
    names = {
        "one_layer": "one layer", "two_layers": "two layers, small weights",
        "equal_targets": "the same, equal targets",
    }  # fmt: skip
    for index, (arm, label) in enumerate(names.items()):
        rows = order[order["arm"] == arm]
        look = {"label": label, "index": index, "geometric": True}
        style.seeds_and_mean(one, rows, x="variance", y="half_time", **look)
    variances = np.array(sorted(order["variance"].unique()))
    style.theory_line(one, variances, np.log(2) / variances, label=r"$\ln 2/\lambda$")
    one.set(xlabel="variance", ylabel="half time", ylim=(0.02, 40), title="(a) components")
    style.logarithmic(one, "xy", ticks=variances)
    one.legend()
    _points(two, saliency, "correlation", {"relu": "relu", "erf": "erf", "norm": "relu, |x|"})
    two.axhline(0, color="#404040", linestyle=":", linewidth=1)
    two.set(ylabel="rank correlation", ylim=(-1.1, 1.1), title="(b) saliency")
    labels = {
        "plain": "1 layer\nk=3, N=256", "deeper": "2 layers\nk=3, N=256",
        "few": "2 layers\nk=5, N=16", "many": "2 layers\nk=5, N=256",
    }  # fmt: skip
    _points(three, universality, "error", labels)
    three.set(ylabel="test error / variance", title="(c) cos kt")
    style.logarithmic(three, "y")
    _points(four, skip, "least", {"skip": "skip, x.x'", "ridge": "multiple of 1"})
    four.set(ylabel="smallest relative gain", title="(d) skip")
    style.logarithmic(four, "y")
    return figure


def _points(axis, table: DataFrame, column: str, labels: dict[str, str]) -> None:
    """A point per seed for each arm, side by side; controls are gray crosses."""
    for index, arm in enumerate(labels):
        values = table.loc[table["arm"] == arm, column]
        control = {"color": style.CONTROL, "marker": "x"}
        look = control if arm in CONTROLS else style.arm_style(index)
        axis.plot(np.full(len(values), index), values, linestyle="none", alpha=0.5, **look)
    axis.set_xticks(range(len(labels)), labels=list(labels.values()))
    axis.set_xlim(-0.5, len(labels) - 0.5)
