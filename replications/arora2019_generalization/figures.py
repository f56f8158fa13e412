"""Figures of Arora et al. 2019 redrawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def figure_1(descent: DataFrame) -> Figure:
    """Random labels take gradient descent longer, the worst case longest

    Redraws Figure 1 (a) for the digits 0 and 1: residual of wide networks, range of the seeds
    shaded, on the curve of Theorem 4.1 (black). The worst case is the last eigenvector of
    H_inf. A narrow network (dashed, its range hatched) leaves its curve, and so does a wide
    one that learns coins: its kernel moves. Kept at its start it would have followed the dotted
    curve.
    """
    figure, ((axis,),) = style.panels(1)
    names = {"theory": "true", "random": "random", "narrow": "true", "race": "worst"}
    for index, (arm, name) in enumerate(names.items()):
        rows, narrow = descent[descent["arm"] == arm], arm == "narrow"
        if arm == "race":
            rows = rows[rows["labels"] == "worst"]
        label = f"{name} labels, m = {rows['width'].max():g}"
        look = {"label": label, "index": index, "control": narrow}
        style.curve_over_seeds(axis, rows, x="step", y="residual", **look)
        limit = rows.groupby("step")["predicted"].mean()
        style.theory_line(axis, limit.index, limit, label=None if index else "Theorem 4.1")
        if arm == "random":
            frozen = rows.groupby("step")["frozen"].mean()
            label = "kernel of the start"
            style.theory_line(axis, frozen.index, frozen, label=label, linestyle=":")
    axis.set(xlabel="step k", ylabel=r"$\|y-u(k)\|/\sqrt{n}$")
    style.logarithmic(axis, "x")
    style.legend_below(figure, columns=2)
    return figure


def figure_2(complexity: DataFrame) -> Figure:
    """The bound follows the test loss as labels get random, far above it

    Redraws Figure 2: (a) bound, test loss and 0-1 test error against the share of random labels,
    and the law of the bound (black); shaded, where the bound says something. (b) bound against
    n: it falls like n^(-1/2) (dotted) for a linear function, and more slowly for digits.
    """
    figure, (axes,) = style.panels(2)
    true = complexity[complexity["arm"] == "theory"]
    noisy = true[true["samples"] == true["samples"].max()]
    names = {"bound": "bound", "loss": "loss min(1, |f - y|)", "error": "0-1 error"}
    for index, (column, label) in enumerate(names.items()):
        style.seeds_and_mean(axes[0], noisy, x="fraction", y=column, label=label, index=index)
    ends = (noisy[noisy["fraction"] == share]["bound"] ** 2 for share in (0, 1))
    clean, coins = (float(squares.mean()) for squares in ends)
    shares = np.linspace(0, 1, 41)
    law = np.sqrt(coins - (1 - shares) ** 2 * (coins - clean))
    style.theory_line(axes[0], shares, law, label=r"$(1-p)^2$ law")
    style.accepted_band(axes[0], 0, 1, label="bound says something")
    axes[0].set(xlabel="share of random labels", ylabel="loss or bound", title="(a) two digits")
    for index, arm in enumerate(("theory", "linear")):
        rows = complexity[(complexity["arm"] == arm) & (complexity["fraction"] == 0)]
        look = {"label": {"theory": "digits"}.get(arm, arm), "index": index, "geometric": True}
        style.seeds_and_mean(axes[1], rows, x="samples", y="bound", **look)
    sizes = sorted(rows["samples"].unique())
    start = (sizes[0], rows.loc[rows["samples"] == sizes[0], "bound"].mean())
    style.guide_slope(axes[1], sizes, slope=-0.5, through=start, label=r"$n^{-1/2}$")
    axes[1].set(xlabel="n", ylabel="bound", title="(b) more data")
    style.logarithmic(axes[1], "xy", ticks=sizes)
    for axis in axes:
        axis.legend()
    return figure


def figure_powers(powers: DataFrame) -> Figure:
    """Even powers have a finite complexity, odd ones from three on have none

    Complexity sqrt(y'H^-1 y) of y = (beta.x)^p on the sphere of R^3 against p, p = 3 in grey. The
    bound 3 p of Theorem 6.1 is dashed; the norm in the kernel's space, to which p = 1 and even
    powers tend, is the black line.
    """
    figure, ((axis,),) = style.panels(1)
    theory = powers[powers["arm"] == "theory"].sort_values("degree")
    for arm, label in (("theory", "p = 1, 2, 4"), ("odd", "p = 3")):
        rows, control = powers[powers["arm"] == arm], arm == "odd"
        look = {"label": label, "index": 0, "control": control}
        style.seeds_and_mean(axis, rows, x="degree", y="complexity", **look)
    degrees = np.array([1.0, 4.0])
    style.theory_line(axis, degrees, 3 * degrees, label="3 p", linestyle="--")
    norms = theory.groupby("degree")["norm"].first()
    style.theory_line(axis, norms.index, norms, label="norm")
    axis.set(xlabel="power p", ylabel=r"$(y^\top H^{-1}y)^{1/2}$")
    axis.legend()
    return figure
