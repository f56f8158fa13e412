"""Figures of the spectral condition, drawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from pandas import DataFrame

from widenets.evidence import style
from widenets.ntk.updates import QUINTIC, singular_value_map


def _against_width(axes, rows: DataFrame, y: str, arms: dict[str, str], control: str) -> None:
    for index, (arm, label) in enumerate(arms.items()):
        of_arm = rows[rows["arm"] == arm]
        if len(of_arm):  # else the legend would name what a tier does not measure
            style.seeds_and_mean(
                axes, of_arm, x="width", y=y, label=label, index=index,
                control=arm == control, geometric=True,
            )  # fmt: skip
    style.logarithmic(axes, "xy", ticks=sorted(rows[rows["arm"].isin(arms)]["width"].unique()))
    axes.set_xlabel("width n")
    if axes.lines:
        axes.legend()


def figure_scales(polar: DataFrame) -> Figure:
    """Muon's step over the size of its features: which scale moves every layer alike

    (a) By shape, n = 64: sqrt(out/in) gives 1 (black) everywhere, sqrt(max(1, out/in)) twice that
    at n x 4n. (b) Against width: hidden layer with sqrt(max(out, in)), read-out with
    sqrt(max(1, out/in)), both n^1/2; dashed: hidden layer with sqrt(out/in). (c) A token of an
    embedding with sqrt(out/in), which stops to grow once n exceeds the 256 tokens. (d) Frobenius
    norm of the polar factor: sqrt(rank); dashed: gradients of rank 16.
    """
    figure, (axes,) = style.panels(4, height=2.8)
    shapes = ["input", "square", "up", "down"]
    for index, (arm, label) in enumerate(
        (("unit", r"$\sqrt{out/in}$"), ("shape_scaling", r"$\sqrt{\max(1,out/in)}$"))
    ):
        of_arm = polar[polar["arm"] == arm].groupby("shape")["moved"].mean().reindex(shapes)
        look = style.arm_style(index) | ({"color": style.CONTROL} if index else {})
        axes[0].plot(range(4), of_arm, linestyle="--" if index else "none", label=label, **look)
    style.theory_line(axes[0], [0, 3], [1, 1], label="wanted")
    axes[0].set_xticks(range(4), labels=["16→n", "n→n", "n→4n", "4n→n"])
    axes[0].set(ylabel="rms(dW h) / rms(h)", ylim=(0, 3.2), title="(a) shapes, in → out")
    axes[0].legend(loc="upper left")
    arms = {
        "hidden_spectral": "hidden, spectral",
        "last_layer": "read-out, shape",
        "hidden_unit": "hidden, unit",
    }
    _against_width(axes[1], polar, "moved", arms, "hidden_unit")
    axes[1].set(ylabel="rms(dW h) / rms(h)", title="(b) layers")
    arms = {"embedding": "n < V = 256", "wide_embedding": "n ≥ V"}
    _against_width(axes[2], polar, "moved", arms, "wide_embedding")
    axes[2].set(ylabel="rms(dW e) / rms(e)", title="(c) embedding")
    _against_width(
        axes[3], polar, "frobenius", {"full_rank": "full rank", "rank_16": "rank 16"}, "rank_16"
    )
    axes[3].set(ylabel=r"$\|O\|_F$", title="(d) size of the update")
    for axis in axes[1:]:
        axis.tick_params(axis="x", labelrotation=45)
    return figure


def figure_alignment(alignment: DataFrame, norms: DataFrame) -> Figure:
    """How far a sign step moves features, and norms of Gaussian weights

    (a) rms(S h) / rms(h) at B = n (n^1/2, dotted) and at B = 4 (dashed, n). (b) Measured over
    predicted alignment, with the band of the widest claim: samples of the gradient, ReLU features
    and those of rank 16 on fresh inputs; crosses: held against the law of another kind of features.
    (c) |W| over its law for three shapes; crosses: without the shift of the edge.
    """
    figure, (axes,) = style.panels(3)
    arms = {"large_batch": "B = n", "small_batch": "B = 4"}
    _against_width(axes[0], alignment, "moved", arms, "small_batch")
    mean = alignment[alignment["arm"] == "large_batch"].groupby("width")["moved"].mean()
    through = (mean.index[0], mean.iloc[0])
    style.guide_slope(axes[0], mean.index, slope=0.5, through=through, label=r"$n^{1/2}$")
    axes[0].set(ylabel="rms(S h) / rms(h)", title="(a) a sign step")
    axes[0].legend()
    controls = {"seen": "fresh", "relu": "relu_independent", "low_rank": "other_rank"}
    said = {"seen": "seen, B = n", "relu": "ReLU", "low_rank": "rank 16"}
    measured = [arm for arm in controls if (alignment["arm"] == arm).any()]
    _ratios(axes[1], alignment, "aligned", [(arm, controls[arm]) for arm in measured], 0.05)
    axes[1].set_xticks(range(len(measured)), labels=[said[arm] for arm in measured])
    axes[1].set(ylabel="alignment over its law", title="(b) constants", yscale="log")
    axes[1].legend()
    for index, arm in enumerate(("gaussian", "bare_edge")):
        of_arm = norms[norms["arm"] == arm]
        ratio = (of_arm["norm"] / of_arm["predicted"]).groupby(of_arm["shape"]).mean()
        look = {"color": style.CONTROL, "marker": "x"} if index else style.arm_style(0)
        label = "bare edge" if index else "with its shift"
        axes[2].plot(
            range(3),
            ratio.reindex(["square", "up", "down"]),
            "--" if index else "",
            label=label,
            **look,
        )
    style.theory_line(axes[2], [0, 2], [1, 1], label="law")
    axes[2].set_xticks(range(3), labels=["n→n", "n→4n", "4n→n"])
    axes[2].set_ylim(0.97, 1.02)
    style.accepted_band(axes[2], 0.994, 1.006)
    axes[2].set(ylabel="|W| over its law", title="(c) Gaussian weights")
    axes[2].legend()
    return figure


def _ratios(axes, rows: DataFrame, column: str, pairs, reach: float) -> None:
    """Means over a law per arm, with its control as a cross."""
    for index, pair in enumerate(pairs):
        for number, arm in enumerate(pair):
            of_arm = rows[rows["arm"] == arm]
            value = float((of_arm[column] / of_arm["predicted"]).mean())
            look = {"color": style.CONTROL, "marker": "x"} if number else style.arm_style(0)
            label = ("measured", "control")[number] if index == 0 else None
            axes.plot([index], [value], linestyle="none", label=label, **look)
    style.theory_line(axes, [-0.3, len(pairs) - 0.7], [1, 1], label="law")
    style.accepted_band(axes, 1 - reach, 1 + reach)


def figure_decay(decay: DataFrame, matrices: DataFrame) -> Figure:
    """What decay does to weights of noise and of signal

    (a) rms of Adam's update against momentum, sqrt((1-b)/(1+b)) (black) and the popular .2
    (dotted). (b) |W| at rest under muP's rate: decay fixed or like n^1/2 (dashed), and of a signal
    with decay like n. (c) Turn per step: decay like n, and like n^1/2 (dashed). (d) Top singular
    value at a fixed rate: noise, and (dashed) a mixture whose local exponent is .75 here; dotted:
    n^.75 through the noise.
    """
    figure, (axes,) = style.panels(4, height=2.8)
    rows = decay[decay["arm"].isin(["update", "mostly", "twelve_thirteenths"])]
    style.seeds_and_mean(axes[0], rows, x="momentum", y="update", label="AdamW on noise")
    b = np.linspace(0.4, 0.97, 50)
    style.theory_line(axes[0], b, np.sqrt((1 - b) / (1 + b)), label=r"$\sqrt{(1-b)/(1+b)}$")
    axes[0].axhline(0.2, linestyle=":", color=style.CONTROL, label="popular: .2")
    axes[0].set(xlabel="momentum b", ylabel="rms of the update", title="(a) update")
    axes[0].set_ylim(0.1, 1.0)
    axes[0].legend(loc="upper right")
    arms = {
        "fixed_decay": "noise, fixed decay",
        "signal": "signal, decay ~ n",
        "root_decay": r"noise, ~ $n^{1/2}$",
    }
    _against_width(axes[1], matrices, "norm", arms, "root_decay")
    axes[1].set(ylabel="|W|", title="(b) norm at rest")
    arms = {"linear_decay": "decay ~ n", "turn_root_decay": r"decay ~ $n^{1/2}$"}
    _against_width(axes[2], matrices, "turn", arms, "turn_root_decay")
    axes[2].set(ylabel="|dW| / |W| per step", title="(c) turn")
    top = {"noise_top": "noise", "mixed_top": "mixture"}
    _against_width(axes[3], matrices, "norm", top, "mixed_top")
    mean = matrices[matrices["arm"] == "noise_top"].groupby("width")["norm"].mean()
    if len(mean):
        start = (mean.index[0], mean.iloc[0])
        style.guide_slope(axes[3], mean.index, slope=0.75, through=start, label=r"$n^{.75}$")
        axes[3].legend()
    axes[3].set(ylabel="|W|", title="(d) top singular value")
    for axis in axes[2:]:  # less than one power of ten: few of the usual labels would be in view
        axis.yaxis.set_major_locator(MaxNLocator(5))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_locator(NullLocator())
    return figure


def figure_steps(read_out: DataFrame, relative: DataFrame, iteration: DataFrame) -> Figure:
    """Steps of a read-out, steps of hidden features with decay, and Muon's iteration

    (a) One step of Adam moves outputs alike at every width with the multiplier 1/n alone; dashed:
    with the rate 1/n as well. (b) An epsilon above the gradient makes the step fall like 1/n
    (dotted); dashed: epsilon like 1/n. (c) Change of features per step over their size with the
    decays that keep it; dashed: decay like n^1/2 for an aligned update. (d) Extreme singular values
    after steps of the quintic iteration, from the smallest that it has to lift, and what is derived
    (broad); gray line: 1.
    """
    figure, (axes,) = style.panels(4, height=2.8)
    arms = {"multiplier": "multiplier 1/n", "multiplier_and_rate": "and rate 1/n"}
    style.arms_against(axes[0], read_out, "width", "moved", arms, control="multiplier_and_rate")
    axes[0].set(ylabel="change of the output", title="(a) read-out")
    arms = {"eps": r"$\epsilon=1$", "scaled_eps": r"$\epsilon\sim 1/n$"}
    look = {"control": "scaled_eps", "slope": -1, "law": r"$n^{-1}$"}
    style.arms_against(axes[1], read_out, "width", "change", arms, **look)
    axes[1].set(ylabel="change of the output", title="(b) epsilon")
    arms = {
        "aligned": "aligned, fixed",
        "both_noise": "noise, ~ n",
        "both_signal": "signal, ~ n",
        "aligned_root": r"aligned, ~ $n^{1/2}$",
    }
    style.arms_against(axes[2], relative, "width", "change", arms, control="aligned_root")
    axes[2].set(ylabel="rms(dW h) / rms(W h)", ylim=(0.45, 12), title="(c) with decay")
    for axis in axes[:3]:
        axis.set_xlabel("width n")
        axis.tick_params(axis="x", labelrotation=45)
    rows = iteration[iteration["arm"] == "quintic"]
    for index, column in enumerate(("highest", "lowest")):
        axes[3].plot(rows["steps"], rows[column], label=column, **style.arm_style(index))
    for level, label in ((1.2024, "derived"), (0.6819, None)):  # O12_iteration_highest, _lowest
        style.theory_line(axes[3], rows["steps"], [level] * len(rows), label=label, below=True)
    axes[3].axhline(1, color=style.GUIDE, linewidth=0.7)
    axes[3].set(xlabel="steps k", ylabel="singular value", ylim=(0.5, 1.3), title="(d) iteration")
    axes[3].legend()
    return figure


def figure_muon(muon: DataFrame) -> Figure:
    """Muon with decay keeps the norm of square weights at every width

    Norm at rest over sqrt(2 rate / decay) sqrt(1 - rate decay / 2), the shift of the edge taken
    out (black: 1); dashed: with the scale sqrt(max(out, in)).
    """
    figure, ((axes,),) = style.panels(1)
    arms = {"muon": "sqrt(out/in)", "muon_spectral": "sqrt(max(out, in))"}
    style.arms_against(axes, muon, "width", "corrected", arms, control="muon_spectral")
    style.theory_line(axes, [16, 64], [1, 1], label="law")
    axes.set(xlabel="width n", ylabel="norm over its law")
    axes.legend()
    return figure


def figure_iteration(iteration: DataFrame) -> Figure:
    """Muon's iteration brings singular values into a band, and no further

    Singular value after k steps of the quintic against that before them. Points: from there,
    .75 / 3.4445^k, on the value lies in the derived band, .6818 to 1.2024 (gray), where more steps
    keep it; dashed: the band as reported, .7 to 1.2, which it leaves on both sides. Black: what
    a polar factor makes of all.
    """
    figure, ((axes,),) = style.panels(1, height=2.8)
    axes.set_ylim(0, 1.4)
    rows = iteration[iteration["arm"] == "quintic"]
    places = np.geomspace(1e-4, 1, 4000)
    for index, steps in enumerate(sorted(rows["steps"].astype(int).unique())):
        start = 0.75 / QUINTIC[0] ** steps
        look = style.arm_style(index)
        axes.plot(
            places, singular_value_map(places, steps), color=look["color"], label=f"k = {steps}"
        )
        axes.plot([start], singular_value_map(np.array([start]), steps), **look)
    style.accepted_band(axes, rows["lowest"].min(), rows["highest"].max(), label="derived")
    for index, level in enumerate((0.7, 1.2)):
        look = {"linestyle": "--", "color": style.CONTROL, "label": None if index else "printed"}
        axes.axhline(level, linewidth=0.9, **look)
    style.theory_line(axes, [1e-4, 1], [1, 1], label="polar factor")
    axes.set(xlabel="singular value before", ylabel="after k steps")
    axes.set_xscale("log")
    style.legend_below(figure, columns=4)
    return figure
