"""Figures of attention at infinite width, drawn from the tables alone."""

from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def _curves(axes, rows: DataFrame, x: str, y: str, arms: dict[str, str], control: str = "") -> None:
    """Arms against x, logarithmic both ways; nothing where a tier has none of them."""
    measured = sorted(rows[rows["arm"].isin(arms)][x].unique())
    if not measured:
        return
    for index, (arm, label) in enumerate(arms.items()):
        style.seeds_and_mean(
            axes, rows[rows["arm"] == arm], x=x, y=y, label=label, index=index,
            control=arm == control, geometric=True,
        )  # fmt: skip
    style.logarithmic(axes, "xy", ticks=measured)


def _guide(axes, rows: DataFrame, x: str, y: str, arm: str, slope: float, label: str) -> None:
    """The power law through the mean of the arm at its smallest x, where it is measured."""
    mean = rows[rows["arm"] == arm].groupby(x)[y].mean()
    if mean.empty:
        return
    through = (mean.index[0], mean.iloc[0])
    style.guide_slope(axes, mean.index, slope=slope, through=through, label=label)
    axes.legend()


def figure_heads(heads: DataFrame, sequence: DataFrame) -> Figure:
    """When an output of attention is Gaussian: excess kurtosis over networks

    (a) One head without softmax over its limit 6 tr K^4/(tr K^2)^2 (black), with the band accepted
    for the value it tends to: at 1/sqrt(d) it stays, at 1/d (dashed) it vanishes. (b) One head with
    softmax: at 1/d with queries that are keys it falls like 1/d (dotted), at 1/sqrt(d) (dashed) it
    stays. (c) By the number of heads, d = 8: 1/H (dotted); dashed: all heads share one matrix of
    scores. (d) One head by the number of orthogonal tokens, 6/T (black); dashed: tokens that are
    all alike.
    """
    figure, (axes,) = style.panels(4, height=2.8)
    arms = {"large_d": r"$1/\sqrt{d}$", "tied_identity": "1/d"}
    _curves(axes[0], heads, "d", "at_infinity", arms, "tied_identity")
    axes[0].set(xlabel="d", ylabel="excess kurtosis over its limit", title="(a) no softmax")
    sizes = sorted(heads[heads["arm"] == "large_d"]["d"].unique())
    if sizes:
        style.theory_line(axes[0], [sizes[0], sizes[-1]], [1, 1], label="limit")
        style.accepted_band(axes[0], 0.85, 1.15)
        axes[0].legend()
    arms = {"tied": "1/d", "softmax_rate": r"$1/\sqrt{d}$"}
    _curves(axes[1], heads, "d", "excess", arms, "softmax_rate")
    axes[1].set(xlabel="d", ylabel="excess kurtosis", title="(b) softmax")
    _guide(axes[1], heads, "d", "excess", "tied", -1, r"$d^{-1}$")
    arms = {"many": "independent", "shared": "shared scores"}
    _curves(axes[2], heads, "heads", "excess", arms, "shared")
    axes[2].set(xlabel="heads H", ylabel="excess kurtosis", title="(c) heads")
    _guide(axes[2], heads, "heads", "excess", "many", -1, r"$H^{-1}$")
    axes[2].set_ylim(bottom=0.08)  # room for the legend
    arms = {"orthogonal": "orthogonal", "alike": "all alike"}
    _curves(axes[3], sequence, "tokens", "of_scores", arms, "alike")
    lengths = sorted(sequence["tokens"].unique())
    style.theory_line(axes[3], lengths, [6 / length for length in lengths], label="6/T")
    axes[3].set(xlabel="tokens T", ylabel="excess kurtosis of scores", title="(d) tokens")
    axes[3].legend()
    return figure


def figure_kernels(kernels: DataFrame) -> Figure:
    """Tangent kernels of networks with attention beside their limits

    (a) Distance from the limit, relative: n^-1/2 (dotted) for one head at 1/d; dashed: from a limit
    in which queries learn. (b) Mean trace over the limit's (black), with the band that is accepted
    at 1/d for the value it tends to; the same dashed. (c) Share of queries and keys in the trace,
    n^-1 (dotted) at 1/d. Other curves, where a tier has them, are those of 1/sqrt(d) without
    softmax, whose share tends to 1/4.
    """
    figure, (axes,) = style.panels(3, height=2.8)
    present = set(kernels["arm"])
    known = {
        "closed": "1/d, H = 1",
        "equal": r"$1/\sqrt{d}$, H = 8",
        "one_root": r"$1/\sqrt{d}$, H = 1",
        "with_scores": "1/d, limit + 2 K",
    }
    shown = {arm: label for arm, label in known.items() if arm in present}
    _curves(axes[0], kernels, "width", "deviation", shown, "with_scores")
    axes[0].set(xlabel="width n", ylabel="|Θₙ − Θ| / |Θ|", title="(a) single networks")
    _guide(axes[0], kernels, "width", "deviation", "closed", -0.5, r"$n^{-1/2}$")
    axes[0].set_ylim(bottom=0.05)
    axes[0].legend(loc="lower left")
    means = {arm: label for arm, label in shown.items() if arm != "one_root"}
    _curves(axes[1], kernels, "width", "total", means, "with_scores")
    widths = sorted(kernels[kernels["arm"].isin(means)]["width"].unique())
    style.theory_line(axes[1], [widths[0], widths[-1]], [1, 1], label="limit")
    style.accepted_band(axes[1], 0.95, 1.05)
    style.logarithmic(axes[1], "x", ticks=widths)
    axes[1].set(xlabel="width n", ylabel="mean trace over the limit's", title="(b) mean")
    axes[1].set_yscale("linear")
    axes[1].set_ylim(top=1.95)
    axes[1].legend(loc="upper right")
    shares = {arm: label for arm, label in shown.items() if arm in ("closed", "equal")}
    _curves(axes[2], kernels, "width", "share", shares)
    if "equal" in shares:
        style.theory_line(axes[2], [widths[0], widths[-1]], [0.25, 0.25], label="1/4")
    axes[2].set(xlabel="width n", ylabel="share of queries and keys", title="(c) who learns")
    _guide(axes[2], kernels, "width", "share", "closed", -1, r"$n^{-1}$")
    return figure


def figure_tokens(collapse: DataFrame, mixing: DataFrame) -> Figure:
    """What a layer of attention at 1/d does to its tokens

    (a) Distance of tokens, relative to their length, after one layer against their spread before
    it: cubed (dotted); dashed: with a skip. (b) What one layer with a skip keeps of its square,
    against d: 1/2 (black) with the accepted band; lengths grow, differences stay. (c) Distance of
    the weights from 1/T: independent queries and keys, d^-1/2 (dotted); dashed: queries that are
    keys.
    """
    figure, (axes,) = style.panels(3)
    arms = {"attention": "attention", "with_skip": "with a skip"}
    _curves(axes[0], collapse, "spread", "after", arms, "with_skip")
    axes[0].set(xlabel="spread before", ylabel="relative distance after", title="(a) collapse")
    _guide(axes[0], collapse, "spread", "after", "attention", 3, "cubes")
    halves = collapse[collapse["arm"] == "halves"]
    style.seeds_and_mean(axes[1], halves, x="d", y="kept", label="with a skip")
    sizes = sorted(halves["d"].unique())
    style.theory_line(axes[1], [sizes[0], sizes[-1]], [0.5, 0.5], label="1/2")
    style.accepted_band(axes[1], 0.48, 0.52)
    style.logarithmic(axes[1], "x", ticks=sizes)
    axes[1].set(xlabel="d", ylabel="squared relative distance kept", title="(b) with a skip")
    axes[1].set_ylim(bottom=0.47)
    axes[1].legend()
    arms = {"independent": "Q, K independent", "tied": "K = Q"}
    _curves(axes[2], mixing, "d", "deviation", arms, "tied")
    axes[2].set(xlabel="d", ylabel="rms of A − 1/T", title="(c) weights")
    _guide(axes[2], mixing, "d", "deviation", "independent", -0.5, r"$d^{-1/2}$")
    return figure


def figure_block(block: DataFrame) -> Figure:
    """The tangent kernel of a transformer block

    (a) Distance from its limit, relative, n^-1/2 (dotted); dashed: from the limit without the skip
    around attention. (b) Mean trace over the limit's (black) with the accepted band.
    """
    figure, (axes,) = style.panels(2)
    arms = {"block": "networks", "no_skip": "over one without a skip"}
    _curves(axes[0], block, "width", "deviation", arms, "no_skip")
    axes[0].set(xlabel="width n", ylabel="|Θₙ − Θ| / |Θ|", title="(a) single networks")
    _guide(axes[0], block, "width", "deviation", "block", -0.5, r"$n^{-1/2}$")
    _curves(axes[1], block, "width", "total", arms, "no_skip")
    widths = sorted(block["width"].unique())
    style.theory_line(axes[1], [widths[0], widths[-1]], [1, 1], label="limit")
    style.accepted_band(axes[1], 0.95, 1.05)
    style.logarithmic(axes[1], "x", ticks=widths)
    axes[1].set_yscale("linear")
    axes[1].set(xlabel="width n", ylabel="mean trace over the limit's", title="(b) mean")
    axes[1].legend()
    return figure
