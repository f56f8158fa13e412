"""Figures of depth, drawn from the tables alone."""

from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def figure_laziness(steps: DataFrame) -> Figure:
    """The share of a change that its linearization misses, of blocks and of the network

    (a) Of blocks: L^-1/2 with the multiplier L^-1/2, constant with 1/L. (b) Of the last features
    of the network: constant with L^-1/2, falling with 1/L. One step of Adam, GELU.
    """
    figure, (axes,) = style.panels(2)
    for axis, suffix in zip(axes, ("", "_network"), strict=True):
        for index, (arm, label) in enumerate((("half", "m = L^-1/2"), ("one", "m = 1/L"))):
            rows = steps[steps["arm"] == arm + suffix]
            style.seeds_and_mean(
                axis, rows, x="depth", y="share", label=label, index=index, geometric=True
            )
        style.logarithmic(axis, "xy", ticks=(4, 8, 16, 32))
        axis.set_xlabel("blocks L")
        axis.legend()
    axes[0].set(ylabel="share beyond the linearization", title="(a) of a block")
    axes[1].set(title="(b) of the network")
    return figure
