"""A figure per phenomenon, drawn from the tables alone; frozen arms are dashed grey."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style
from widenets.evidence.intervals import student_t

UNIGRAM, CHANCE, POLYGON = 7 / 36, 1 / 17, 2 / 3


def _arms(axes, rows: DataFrame, column: str, labels: dict[str, str], frozen: set[str]) -> None:
    """Every seed and the mean with its 99 % interval, an arm a place; arms of `frozen` in grey."""
    shown = [arm for arm in labels if (rows["arm"] == arm).any()]
    for place, arm in enumerate(shown):
        values = rows.loc[rows["arm"] == arm, column].to_numpy(float)
        look = {"color": style.CONTROL, "marker": "x"} if arm in frozen else style.arm_style(0)
        axes.plot(np.full(values.size, place), values, linestyle="none", alpha=0.3,
                  markersize=2.5, **look)  # fmt: skip
        found = student_t(values)
        reach = [[found.value - found.low], [found.high - found.value]]
        axes.errorbar([place], [found.value], yerr=reach, capsize=3, linestyle="none", **look)
    axes.set_xticks(range(len(shown)), labels=[labels[arm] for arm in shown])
    axes.set_xlim(-0.5, len(shown) - 0.5)


def _last(rows: DataFrame) -> DataFrame:
    return rows[rows["step"] == rows["step"].max()]


def _excess_by_heads(axes, regression: DataFrame, title: str) -> None:
    """Regression in context: excess of frozen and trained layers against the number of heads."""
    frozen = regression[regression["arm"].isin(["frozen", "one_head"])]
    look = {"x": "heads", "y": "excess", "geometric": True}
    style.seeds_and_mean(axes, frozen, label="frozen", control=True, **look)
    trained = regression[regression["arm"] == "theory"]
    if len(trained):
        style.seeds_and_mean(axes, trained, label="trained", **look)
    axes.axvline(4, linestyle=":", color=style.GUIDE, label="heads = d")
    style.logarithmic(axes, "xy", ticks=sorted(regression["heads"].unique()))
    style.accepted_band(axes, 0, 0.009)
    axes.set(xlabel="heads", ylabel="excess / variance", title=title)
    axes.legend()


def _loss_beyond(axes, edge: DataFrame, title: str) -> None:
    """Loss in time at 3.5 / lambda_max of the start, of the network and of its linearization."""
    high = edge[edge["factor"] == 3.5]
    for arm, label in (("theory", "network"), ("frozen", "frozen")):
        style.curve_over_seeds(axes, high[high["arm"] == arm], x="step", y="decades", label=label,
                               control=arm == "frozen")  # fmt: skip
    axes.set(xlabel="steps", ylabel="loss, decades", title=title, ylim=(-7, 6))
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(left=0)
    axes.legend()


def figure_counterexamples(regression: DataFrame, edge: DataFrame) -> Figure:
    """Two counterexamples: a capability that frozen features have, an optimization they have not

    (a) Linear regression in context, d = 4: excess over the best one-step predictor, over the
    variance, of frozen features (dashed) against heads, and of a trained layer; dotted: heads = d;
    shaded: what counts as the optimum. (b) Loss over that at the start in powers of ten at
    3.5 / lambda_max; dashed: linearized, which leaves the panel.
    """
    figure, (axes,) = style.panels(2)
    _excess_by_heads(axes[0], regression, "(a) a capability")
    _loss_beyond(axes[1], edge, "(b) an optimization")
    return figure


def figure_copying(copying: DataFrame) -> Figure:
    """Copying the successor of an earlier token: two layers do it, frozen they do not

    (a) Accuracy on new sequences against steps; black: what is known without the order. (b) At the
    end: one layer; frozen features of the start, the best of all rates and of the solution; the
    same linearization made after training. Shaded: what counts as copying; dotted: half of the way
    to it, up to which frozen features are said not to copy.
    """
    figure, (axes,) = style.panels(2)
    whole = copying[copying["arm"] == "theory"]
    style.curve_over_seeds(axes[0], whole, x="step", y="accuracy", label="two layers")
    style.theory_line(axes[0], [0, whole["step"].max()], [UNIGRAM] * 2, label="order not known")
    axes[0].set(xlabel="steps", ylabel="accuracy", title="(a) in time", ylim=(0, 1.03))
    axes[0].legend()
    best = copying.groupby(["arm", "seed"], as_index=False)["accuracy"].max()
    ends = _last(copying[copying["arm"].isin(["theory", "one_layer", "half", "formed"])])
    of = ends[["arm", "seed", "accuracy"]], best[best["arm"].isin(["frozen", "late"])]
    every = DataFrame({k: np.concatenate([part[k] for part in of]) for k in of[0]})
    labels = {"theory": "whole", "one_layer": "one\nlayer", "frozen": "start", "half": "at 50",
              "formed": "at 200", "late": "at the\nend"}  # fmt: skip
    _arms(axes[1], every, "accuracy", labels, {"one_layer", "frozen", "half", "formed", "late"})
    axes[1].set(ylabel="accuracy", title="(b) at the end", ylim=(0, 1.03))
    style.theory_line(axes[1], axes[1].get_xlim(), [UNIGRAM] * 2, label="order not known")
    half = [(UNIGRAM + 0.9) / 2] * 2
    style.theory_line(axes[1], axes[1].get_xlim(), half, label="half way", linestyle=":")
    style.accepted_band(axes[1], 0.9, np.inf)
    axes[1].legend(loc="center", bbox_to_anchor=(0.2, 0.72))
    return figure


def figure_regression(regression: DataFrame, span: DataFrame) -> Figure:
    """Linear regression in context: frozen features are enough from d heads on

    (a) Excess over the best one-step predictor, over the variance, for d = 4: frozen features
    (dashed) against heads, and a trained layer of one head; dotted: heads = d; shaded: what counts
    as the optimum. (b) Distance of
    that predictor from the span of frozen features: rounding with d heads, a share with d - 1.
    """
    figure, (axes,) = style.panels(2)
    _excess_by_heads(axes[0], regression, "(a) on new prompts")
    for index, (arm, label) in enumerate((("theory", "d heads"), ("fewer", "d - 1 heads"))):
        rows = span[span["arm"] == arm]
        style.seeds_and_mean(axes[1], rows, x="dimension", y="residual", label=label,
                             control=bool(index), geometric=True)  # fmt: skip
    style.logarithmic(axes[1], "y")
    axes[1].set_xticks(sorted(span["dimension"].unique()))
    axes[1].set(xlabel="dimension d", ylabel="relative residual", title="(b) span")
    axes[1].legend(loc="center right")
    return figure


def figure_addition(addition: DataFrame, grokking: DataFrame) -> Figure:
    """Addition modulo 17: the network generalizes late, frozen features do worse than chance

    (a) Accuracy on seen pairs and on others, of the network and of its frozen counterpart (dashed);
    black: chance. (b) On others, of kernels at the best of all ridges: of infinite width, the
    network's at the start, the network's after 500 steps.
    """
    figure, (axes,) = style.panels(2)
    whole = grokking[grokking["arm"] == "theory"]
    frozen = grokking[(grokking["arm"] == "frozen") & (grokking["factor"] == 1)]
    for index, (column, label) in enumerate((("seen", "seen pairs"), ("others", "other pairs"))):
        style.curve_over_seeds(axes[0], whole, x="step", y=column, label=label, index=index)
    style.curve_over_seeds(axes[0], frozen, x="step", y="others", label="others, frozen",
                           control=True)  # fmt: skip
    axes[0].set(xlabel="steps", ylabel="accuracy", title="(a) in time", ylim=(-0.03, 1.03))
    axes[0].set_xscale("symlog", linthresh=10)
    axes[0].set_xlim(left=0)
    labels = {"theory": "infinite\nwidth", "own": "start", "trained": "step 500"}
    _arms(axes[1], addition, "best", labels, {"theory", "own"})
    axes[1].set(ylabel="accuracy, others", title="(b) kernels", ylim=(-0.03, 1.03))
    for axis in axes:
        style.theory_line(axis, axis.get_xlim(), [CHANCE] * 2, label="chance")
    style.legend_below(figure)
    return figure


def figure_forgetting(forgetting: DataFrame) -> Figure:
    """A linear model generalizes long after it fits, the later the weaker the decay

    Steps until training targets, and until other targets, are explained; dotted: 1 / decay. Dashed:
    from a start at zero.
    """
    figure, ((axes,),) = style.panels()
    whole = forgetting[forgetting["arm"] == "theory"]
    for index, (column, label) in enumerate((("general", "others"), ("fitted", "training"))):
        style.seeds_and_mean(axes, whole, x="decay", y=column, label=label, index=index,
                             geometric=True)  # fmt: skip
    zero = forgetting[forgetting["arm"] == "zero"]
    style.seeds_and_mean(axes, zero, x="decay", y="general", label="others, from zero",
                         control=True, geometric=True)  # fmt: skip
    decays = sorted(whole["decay"].unique())
    first = whole[whole["decay"] == decays[0]]["general"].mean()
    style.guide_slope(axes, decays, slope=-1, through=(decays[0], first), label="1 / decay")
    style.logarithmic(axes, "xy", ticks=decays)
    axes.set(xlabel="decay", ylabel="steps")
    axes.legend(loc="center", bbox_to_anchor=(0.5, 0.26))
    return figure


def figure_dial(dial: DataFrame) -> Figure:
    """Without decay the delay grows with the scale of the output

    Steps to generalize over steps to fit, against the scale; dashed: sums permuted, where there is
    nothing to generalize (10000 stands for never).
    """
    figure, ((axes,),) = style.panels()
    for index, (arm, label) in enumerate((("theory", "sums"), ("shuffled", "permuted"))):
        style.seeds_and_mean(axes, dial[dial["arm"] == arm], x="alpha", y="delay", label=label,
                             control=bool(index), geometric=True)  # fmt: skip
    style.logarithmic(axes, "xy", ticks=sorted(dial["alpha"].unique()))
    axes.set(xlabel="scale of the output", ylabel="delay (factor)")
    axes.legend()
    return figure


def figure_transfer(transfer: DataFrame) -> Figure:
    """Features moved by a first task help with a second one that shares its coordinates

    Error on 80 examples of the second task less that of the best frozen features, over its
    variance. Lazy features have not moved; the unrelated task shares no coordinate. Shaded: what
    counts as help.
    """
    figure, ((axes,),) = style.panels()
    labels = {"theory": "related", "unrelated": "unrelated", "lazy": "lazy",
              "shuffled": "first\nshuffled"}  # fmt: skip
    rows = transfer[transfer["samples"] == 80]
    _arms(axes, rows, "gain", labels, {"lazy", "unrelated", "shuffled"})
    style.theory_line(axes, axes.get_xlim(), [0, 0], label="no gain")
    style.accepted_band(axes, -np.inf, -0.05)
    axes.set(ylabel="error - best frozen, / variance")
    axes.legend(loc="lower right")
    return figure


def figure_direction(direction: DataFrame) -> Figure:
    """A quadratic function of one direction: below what any n fixed functions can reach

    Error against n over the dimension N of the family. Black: 1 - n / N, which no frozen feature
    can beat on average; grey: frozen features, and the kernel that was told the degree.
    """
    figure, ((axes,),) = style.panels()
    rows = direction.assign(
        share=direction["samples"] / (direction["dimension"] * (direction["dimension"] + 1) / 2 - 1)
    )
    moved = rows[rows["arm"].isin(["theory", "few", "enough"])]
    for index, (dimension, of) in enumerate(moved.groupby("dimension")):
        style.seeds_and_mean(axes, of, x="share", y="error", label=f"network, d = {dimension:g}",
                             index=index)  # fmt: skip
    for arm, marker, label in (("frozen", "x", "frozen"), ("told", "+", "told the degree")):
        of = rows[rows["arm"] == arm].groupby("share")["error"].mean()
        axes.plot(of.index, of, linestyle="none", marker=marker, color=style.CONTROL, label=label)
    style.theory_line(axes, [0, 1], [1, 0], label="1 - n / N")
    axes.set(xlabel="n / N", ylabel="error", xlim=(0, 1))
    axes.legend()
    return figure


def figure_stairs(stairs: DataFrame) -> Figure:
    """A staircase leads the network to a product of three, frozen features see no stairs

    Coefficient of x1 x2 x3 over the true one, 256 samples in 24 dimensions: learned beside its
    stairs, by the network and frozen; and alone. Shaded: what counts as found.
    """
    figure, ((axes,),) = style.panels()
    labels = {"theory": "stairs", "frozen": "stairs,\nfrozen", "lazy": "stairs,\nlazy",
              "parity": "alone", "parity_frozen": "alone,\nfrozen"}  # fmt: skip
    rows = stairs[stairs["samples"] == 256]
    _arms(axes, rows, "triple", labels, {"frozen", "lazy", "parity_frozen"})
    axes.set(ylabel="coefficient / true one", ylim=(-0.1, 1.1))
    style.accepted_band(axes, 0.5, np.inf)
    axes.legend()
    return figure


def figure_stretch(stretch: DataFrame) -> Figure:
    """Inputs stretched along the direction that matters close the gap

    Error of the best frozen features less the network's, against the factor by which inputs are
    stretched along the direction of the target, or (dashed) along another one. Shaded: closed.
    """
    figure, ((axes,),) = style.panels()
    for index, (arm, label) in enumerate((("theory", "along"), ("across", "across"))):
        style.seeds_and_mean(axes, stretch[stretch["arm"] == arm], x="stretch", y="gap",
                             label=label, control=bool(index))  # fmt: skip
    style.logarithmic(axes, "x", ticks=sorted(stretch["stretch"].unique()))
    style.accepted_band(axes, -np.inf, 0.1)
    axes.set(xlabel="stretched by", ylabel="frozen - network")
    axes.legend()
    return figure


def figure_edge(edge: DataFrame) -> Figure:
    """Rates beyond 2 / lambda_max train the network and not its linearization

    (a) Loss over that at the start in powers of ten at 3.5 / lambda_max; dashed: linearized, which
    leaves the panel. (b) Rate times largest eigenvalue at the end against where it started; black:
    2; shaded: accepted; dashed: linearized.
    """
    figure, (axes,) = style.panels(2)
    _loss_beyond(axes[0], edge, "(a) in time")
    for arm, label in (("theory", "network"), ("frozen", "frozen")):
        rows = _last(edge[(edge["arm"] == arm) & (edge["factor"] > 2)])
        style.seeds_and_mean(axes[1], rows, x="factor", y="product", label=label,
                             control=arm == "frozen")  # fmt: skip
    style.theory_line(axes[1], axes[1].get_xlim(), [2, 2], label="2")
    axes[1].set_ylim(1.5, 4)  # one that diverged stands at 300
    style.accepted_band(axes[1], -np.inf, 2.05)
    product = r"$\eta\lambda_{\max}$"
    axes[1].set(xlabel=f"{product} at the start", ylabel=f"{product} at the end")
    axes[1].set_title("(b) largest eigenvalue")
    axes[1].legend()
    return figure


def figure_peaks(peaks: DataFrame) -> Figure:
    """Double descent at the same place, with very different heights

    Median test error against parameters over samples: network and frozen features, without and
    (dashed) with a ridge; black: as many parameters as samples.
    """
    figure, ((axes,),) = style.panels()
    for index, column in enumerate(("network", "frozen")):
        for arm in ("theory", "ridge"):
            of = peaks[peaks["arm"] == arm].groupby("over")[column].median()
            ridge = arm == "ridge"
            look = style.arm_style(index) | ({"alpha": 0.5} if ridge else {})
            label = f"{column}, ridge" if ridge else column
            axes.plot(of.index, of, "--" if ridge else "-", label=label, **look)
    axes.axvline(1, color=style.THEORY, linewidth=1, label="p = n")
    style.logarithmic(axes, "xy", ticks=sorted(peaks["over"].unique()))
    axes.tick_params(axis="x", labelrotation=45)
    axes.set(xlabel="parameters / samples", ylabel="excess error")
    axes.legend()
    return figure


def figure_labels(labels: DataFrame) -> Figure:
    """Random labels are fitted in the kernel's time by wide networks, sooner by narrow ones

    log2 of the frozen network's steps over the network's, to a hundredth of the loss; at least,
    where a narrow frozen one has not fitted after 800. No mean where some network has not. Shaded:
    the accepted region of the widest.
    """
    figure, ((axes,),) = style.panels()
    style.seeds_and_mean(axes, labels, x="width", y="octaves", label="random labels")
    style.theory_line(axes, [labels["width"].min(), labels["width"].max()], [0, 0], label="kernel")
    style.accepted_band(axes, -0.25, 0.25)
    style.logarithmic(axes, "x", ticks=sorted(labels["width"].unique()))
    axes.set(xlabel="width", ylabel="octaves sooner than frozen")
    axes.legend()
    return figure


def figure_noise(noise: DataFrame) -> Figure:
    """Noisy labels: both the network and its frozen features are best long before the end

    Excess error against steps, geometric means; dashed: frozen; below: the same without noise in
    the labels.
    """
    figure, ((axes,),) = style.panels()
    for index, (arm, name) in enumerate((("theory", "noisy"), ("clean", "clean"))):
        rows = noise[noise["arm"] == arm]
        style.curve_over_seeds(axes, rows, x="step", y="network", label=f"network, {name}",
                               index=index, geometric=True)  # fmt: skip
        mean = np.exp(np.log(rows["frozen"]).groupby(rows["step"]).mean())
        axes.plot(mean.index, mean, "--", color=(style.CONTROL, "#B0B0B0")[index],
                  label=f"frozen, {name}")  # fmt: skip
    style.logarithmic(axes, "xy")
    axes.set(xlabel="steps", ylabel="excess error / variance")
    axes.legend()
    return figure


def figure_tempered(tempered: DataFrame) -> Figure:
    """Noise that is interpolated on a circle costs two thirds of its variance

    Mean square on new points of an interpolant of noise of variance 1, against samples: kernel of
    relu at infinite width, a network's at the start; dashed: a kernel with all derivatives. Black:
    a polygon, 2/3, with the band that is accepted of the kernel.
    """
    figure, ((axes,),) = style.panels()
    for index, (arm, label) in enumerate(
        (("theory", "infinite width"), ("frozen", "frozen network"))
    ):
        rows = tempered[tempered["arm"] == arm]
        style.seeds_and_mean(axes, rows, x="samples", y="excess", label=label, index=index)
    smooth = tempered[tempered["arm"] == "smooth"]
    style.seeds_and_mean(axes, smooth, x="samples", y="excess", label="smooth", control=True,
                         geometric=True)  # fmt: skip
    sizes = sorted(tempered["samples"].unique())
    style.theory_line(axes, [sizes[0], sizes[-1]], [POLYGON] * 2, label="2/3")
    style.accepted_band(axes, POLYGON - 0.02, POLYGON + 0.02)
    style.logarithmic(axes, "xy", ticks=sizes)
    axes.set(xlabel="samples", ylabel="error / variance of the noise")
    axes.legend()
    return figure


def figure_completion(completion: DataFrame) -> Figure:
    """A matrix of rank 1 is completed from a small start, not from a large or a frozen one

    Relative error on hidden entries. Shaded: what counts as completed.
    """
    figure, ((axes,),) = style.panels()
    labels = {"theory": "start .01", "larger": "start .1", "large": "start 3", "frozen": "frozen"}
    _arms(axes, completion, "hidden", labels, {"large", "frozen"})
    style.accepted_band(axes, -np.inf, 0.1)
    axes.set(ylabel="error, hidden entries")
    axes.legend()
    return figure


def figure_frequencies(frequencies: DataFrame) -> Figure:
    """Low frequencies are learned first, with features moving or frozen

    Steps until half of a frequency is learned: network, its frozen features, kernel of infinite
    width (black); dashed: inputs that hold the highest frequency.
    """
    figure, ((axes,),) = style.panels()
    whole = frequencies[frequencies["arm"] == "theory"]
    look = {"x": "frequency", "geometric": True}
    style.seeds_and_mean(axes, whole, y="network", label="network", **look)
    style.seeds_and_mean(axes, whole, y="frozen", label="frozen", index=1, **look)
    limit = whole.groupby("frequency")["limit"].mean()
    style.theory_line(axes, limit.index, limit, label="infinite width")
    encoded = frequencies[frequencies["arm"] == "encoded"]
    style.seeds_and_mean(axes, encoded, y="network", label="encoded", control=True, **look)
    style.logarithmic(axes, "xy", ticks=sorted(whole["frequency"].unique()))
    axes.set(xlabel="frequency", ylabel="steps to one half")
    axes.legend()
    return figure
