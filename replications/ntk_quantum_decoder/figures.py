"""Figures on a wide network as decoder, drawn from the tables alone; all are ours."""

from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def figure_shots(shots: DataFrame) -> Figure:
    """What is learned of the code with d = 3 under depolarizing noise, against the number of shots

    Failure rate in excess of maximum likelihood at p = .1, exact for every draw of shots. Labels
    relative to matching and a ridge never do much worse than matching (black); dashed: the kernel
    of hashed syndromes, which knows no neighbours.
    """
    figure, ((axis,),) = style.panels(1, height=3.0)
    rows = shots[(shots["distance"] == 3) & (shots["noise"] == "depolarizing")]
    theory = rows[rows["arm"] == "theory"]
    ridge = rows[rows["arm"] == "residual_ridge"]
    look = {"x": "count", "geometric": False}
    style.seeds_and_mean(axis, theory, y="excess", label="NTK, raw classes", index=0, **look)
    label = "NTK, relative to matching, ridge"
    style.seeds_and_mean(axis, ridge, y="excess", label=label, index=1, **look)
    style.seeds_and_mean(axis, theory, y="lookup", label="lookup table", index=2, **look)
    style.seeds_and_mean(axis, theory, y="hashed", label="NTK, hashed", control=True, **look)
    ends = [theory["count"].min(), theory["count"].max()]
    style.theory_line(axis, ends, [rows["matching"].mean()] * 2, label="matching")
    axis.set(xlabel="shots", ylabel="failure rate - that of maximum likelihood")
    style.logarithmic(axis, "xy", ticks=sorted(theory["count"].unique()))
    axis.set_ylim(bottom=1e-4)
    axis.legend()
    return figure


def figure_rates(rates: DataFrame, crossing: DataFrame) -> Figure:
    """Failure rates of two codes under bit flips, exact

    (a) Maximum likelihood for d = 3 and 5, which cross where the gray line is, in the band that is
    accepted; matching (open) can hardly be told from it. Dashed: a bare qubit. (b) Far below the
    crossing they fall as p^2 and p^3 (dotted); dashed: without decoding.
    """
    figure, (axes,) = style.panels(2)
    axis = axes[0]
    for index, (arm, name) in enumerate({"bitflip": "d = 3", "bitflip_five": "d = 5"}.items()):
        rows = rates[rates["arm"] == arm].sort_values("p")
        axis.plot(rows["p"], rows["likelihood"], label=name, **style.arm_style(index))
        look = style.arm_style(index) | {"fillstyle": "none", "linestyle": "none", "markersize": 7}
        axis.plot(rows["p"], rows["matching"], label=f"{name}, matching", **look)
    ends = [rows["p"].min(), rows["p"].max()]
    axis.plot(ends, ends, color=style.CONTROL, linestyle="--", label="bare qubit")
    where = crossing[crossing["arm"] == "theory"]["p"].iloc[0]
    axis.axvline(where, color=style.CONTROL, linewidth=0.8, label=f"crossing, p = {where:.3f}")
    style.accepted_band(axis, 0.08, 0.109, vertical=True)
    axis.set(xlabel="flips per qubit p", ylabel="failure rate", title="(a) crossing")
    style.logarithmic(axis, "xy", ticks=sorted(rows["p"].unique()))
    axis.set_ylim(top=6)
    axis.legend(ncols=2, loc="upper left")
    _small_rates(axes[1], rates)
    return figure


def _small_rates(axis, rates: DataFrame) -> None:
    for index, (arm, power) in enumerate((("three", 2), ("five", 3), ("trivial", None))):
        rows = rates[rates["arm"] == arm].sort_values("p")
        label = {"three": "d = 3", "five": "d = 5", "trivial": "no decoding"}[arm]
        look = style.arm_style(index)
        if power is None:
            look = {"color": style.CONTROL, "marker": "x", "linestyle": "--"}
        axis.plot(rows["p"], rows["rate"], label=label, **look)
        if power:
            through = (rows["p"].iloc[-1], rows["rate"].iloc[-1])
            law = f"$p^{power}$"
            style.guide_slope(axis, rows["p"], slope=power, through=through, label=law)
    style.logarithmic(axis, "xy", ticks=sorted(rows["p"].unique()))
    axis.set(xlabel="flips per qubit p", ylim=(1e-10, 10), title="(b) powers")
    axis.legend(ncols=2, loc="upper left")


def figure_widths(widths: DataFrame) -> Figure:
    """Trained networks tend to the flow of the limit's kernel as m^(-1/2)

    Distance of outputs on all 16 syndromes (d = 3, bit flips) after 300 steps, relative to the
    flow's. Dashed: distance from the flow of the NNGP kernel, which stays.
    """
    figure, ((axis,),) = style.panels(1)
    theory = widths[widths["arm"] == "theory"]
    look = {"x": "width", "y": "gap", "geometric": True}
    style.seeds_and_mean(axis, theory, label="from the NTK's flow", **look)
    readout = widths[widths["arm"] == "readout"]
    style.seeds_and_mean(axis, readout, label="from the NNGP's flow", control=True, **look)
    places = sorted(theory["width"].unique())
    first = theory[theory["width"] == places[0]]["gap"].median()
    style.guide_slope(axis, places, slope=-0.5, through=(places[0], first), label=r"$m^{-1/2}$")
    axis.set(xlabel="width m", ylabel="relative distance")
    style.logarithmic(axis, "xy", ticks=places)
    axis.legend()
    return figure


def figure_spectrum(parities: DataFrame, learning: DataFrame) -> Figure:
    """One eigenvalue for each degree of parity, and networks learn at these rates

    (a) Eigenvalues of the NTK on 256 syndromes by degree: with one hidden layer degree 3 lies below
    4; without bias (dashed) odd degrees above 1 are missing. (b) Rate at which networks of
    width 2048 learn a parity of 4 bits over its eigenvalue; black: 1; band: accepted for the mean
    over degrees 0 to 2.
    """
    figure, (axes,) = style.panels(2)
    names = {"theory": "1 hidden layer", "deep": "3 hidden layers", "no_bias": "1, no bias"}
    for index, (arm, label) in enumerate(names.items()):
        rows = parities[(parities["arm"] == arm) & (parities["share"] > 1e-12)]
        look = style.arm_style(index)
        if arm == "no_bias":
            look = {"color": style.CONTROL, "linestyle": "--", "marker": "x"}
        axes[0].plot(rows["degree"], rows["eigenvalue"], label=label, **look)
    axes[0].set(xlabel="degree k", ylabel=r"$\mu_k$", title="(a) eigenvalues")
    style.logarithmic(axes[0], "y")
    rows = learning[learning["arm"] == "theory"]
    style.seeds_and_mean(axes[1], rows, x="degree", y="ratio", label="networks")
    degrees = sorted(rows["degree"].unique())
    style.theory_line(axes[1], [degrees[0], degrees[-1]], [1, 1], label="eigenvalue")
    style.accepted_band(axes[1], 0.97, 1.03)
    axes[1].set(xlabel="degree k", ylabel=r"rate / $\mu_k$", title="(b) trained networks")
    axes[1].set_xticks(degrees)
    for axis in axes:
        axis.legend()
    return figure


def figure_times(times: DataFrame) -> Figure:
    """Frequency, not degree, orders what is learned under physical noise

    Time at which half of the residual of a syndrome is left against its rarity, for all 256
    syndromes of d = 3 at p = .1: weighted by their chance, and all alike (crosses, the control).
    """
    figure, (axes,) = style.panels(2)
    panels = (("theory", "(a) physical noise"), ("uniform", "(b) all syndromes alike"))
    for axis, (arm, title) in zip(axes, panels, strict=True):
        rows = times[times["arm"] == arm]
        look = style.arm_style(0) if arm == "theory" else {"color": style.CONTROL, "marker": "x"}
        axis.plot(rows["rarity"], rows["log_time"], linestyle="none", alpha=0.6, **look)
        axis.set(xlabel=r"rarity $-\ln P(s)$", ylabel="ln of the half-time", title=title)
    return figure
