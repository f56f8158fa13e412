"""Figures of Tensor Programs V redrawn, and two of our own that tie its parts together."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame, concat

from replications.yang2021_mutransfer.optimum import rate_exponent
from widenets.evidence import optimum as locator
from widenets.evidence.intervals import student_t
from widenets.evidence.style import (
    THEORY,
    arm_style,
    guide_slope,
    limits_by_means,
    logarithmic,
    panels,
    seeds_and_mean,
    theory_line,
)

NAMES = {
    "maximal_update": "muP",
    "standard": "SP",
    "ntk": "NTK param.",
    "standard_over_n": "SP, rate 1/n",
    "halfway": "half-way, muP to NTK",
}
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}
ARMS = tuple(NAMES)  # fixes an arm's colour and marker in all figures
LINES = ("-", "--", ":", "-.")  # of the prediction for an arm
RATE = r"$\log_2$ learning rate"


def figure_1(transformer: DataFrame) -> Figure:
    """Training loss against learning rate, transformer with Adam

    Redraws Figure 1 of arXiv:2203.03466: one curve per width, SP left, muP right. Under SP the
    minimum moves left by an octave per doubling of the width; under muP it stays. Dashed: the best
    loss that SP reaches at any width. Mean over seeds of the loss in the second half of training.
    """
    figure, axes = panels(2, share_y=True, height=3.0)
    _rate_curves(axes[0], transformer, ("standard", "maximal_update"))
    losses = _late(transformer[transformer["arm"] == "standard"])
    best = losses.groupby(["width", "log2_rate"])["loss"].mean().min()
    for panel in axes[0]:
        panel.axhline(best, color=THEORY, linestyle="--", linewidth=0.8, label="best of SP")
    axes[0, 0].set_ylabel("training loss (nats)")
    axes[0, 0].legend()
    return figure


def figure_3(mlp: DataFrame) -> Figure:
    """Training loss against learning rate, MLP

    Redraws Figure 3 of arXiv:2203.03466 (SGD; Adam below it where measured) and adds the NTK
    parameterization. Under SP the minimum moves left with the width, under the NTK parameterization
    right for SGD and left for Adam; under muP it stays.
    """
    optimizers = [name for name in OPTIMIZERS if name in set(mlp["optimizer"])]
    figure, axes = panels(3, len(optimizers), share_y=True)
    for row, optimizer in zip(axes, optimizers, strict=True):
        rows = mlp[mlp["optimizer"] == optimizer]
        arms = ("standard", "ntk", "maximal_update")
        _rate_curves(row, rows, arms, f", {OPTIMIZERS[optimizer]}", geometric=True)
        row[0].set_ylabel("training loss (nats)")
        row[0].set_yscale("log")
        limits_by_means(min(row, key=_lowest_mean))
    axes[0, 0].legend()
    return figure


def figure_4(hyperparameter: DataFrame) -> Figure:
    """Loss against other hyperparameters at a fixed learning rate, transformer with Adam

    Redraws the width row of Figure 4 of arXiv:2203.03466: output multiplier, initial scale and
    learning-rate schedule; muP above, SP below. Under muP the best value is the same for both
    widths, up to the flat bottom of the curve; under SP it moves.
    """
    names = ("output_multiplier", "initial_scale", "schedule")
    figure, axes = panels(3, 2, height=2.4)
    for row, arm in zip(axes, ("maximal_update", "standard"), strict=True):
        for panel, name in zip(row, names, strict=True):
            rows = hyperparameter[(hyperparameter["arm"] == arm) & (hyperparameter["name"] == name)]
            for index, (width, of_width) in enumerate(rows.groupby("width")):
                seeds_and_mean(
                    panel, of_width, x="place", y="loss", label=f"n = {width:g}", index=index
                )
            label = name.replace("_", " ")
            panel.set_title(f"{NAMES[arm]}: {label}")
            panel.set_xlabel(label if name == "schedule" else rf"$\log_2$ {label}")
        settings = rows.drop_duplicates("place").sort_values("place")
        panel.set_xticks(settings["place"], settings["setting"], rotation=30)
        row[0].set_ylabel("training loss (nats)")
    axes[0, 0].legend()
    return figure


def figure_5(transformer_coordinates: DataFrame) -> Figure:
    """Coordinate check of the transformer: change since initialization against width

    Redraws Figure 5 of arXiv:2203.03466: root mean square of x_t - x_0 after t steps of Adam for
    logits, attention logits and word embedding; SP above, muP below. Under SP the logits grow with
    the width and the embedding does not; under muP nothing grows. Numbers: exponents at t = 1.
    """
    titles = {"f": "logits", "attention": "attention logits", "embedding": "word embedding"}
    figure, axes = panels(3, 2, height=2.2)
    for row, arm in zip(axes, ("standard", "maximal_update"), strict=True):
        rows = transformer_coordinates[transformer_coordinates["arm"] == arm]
        for panel, (layer, title) in zip(row, titles.items(), strict=True):
            of_layer = rows[rows["layer"] == layer]
            for step, of_step in of_layer[of_layer["step"] > 0].groupby("step"):
                look = {"label": f"t = {step:g}", "index": int(step)}
                seeds_and_mean(panel, of_step, x="width", y="change", **look)
            exponent = round(_exponent(of_layer[of_layer["step"] == 1], "change"), 2) + 0.0
            panel.set_title(f"{NAMES[arm]}: {title}, $n^{{{exponent:.2f}}}$")
            panel.set_xlabel("width n")
            logarithmic(panel, "x", ticks=sorted(of_layer["width"].unique()))
        row[0].set_ylabel(r"rms of $x_t - x_0$")
    for column in axes.T:  # the same scale above and below
        highest = max(panel.get_ylim()[1] for panel in column)
        for panel in column:
            panel.set_ylim(0, highest)
    axes[0, 0].legend()
    return figure


def figure_7(transformer: DataFrame) -> Figure:
    """Training curves by width at one fixed learning rate

    Redraws Figure 7 of arXiv:2203.03466. muP at the best rate of the base width: wider is better at
    every time. SP at a small rate: better, until the falling optimum has passed the rate. SP at a
    large rate: worse from a small width on. Mean over seeds in six windows of training.
    """
    shown = (("maximal_update", -5.0), ("standard", -7.0), ("standard", -5.0))
    figure, axes = panels(3, share_y=True, height=2.8)
    for panel, (arm, rate) in zip(axes[0], shown, strict=True):
        rows = transformer[(transformer["arm"] == arm) & (transformer["log2_rate"] == rate)]
        for index, (width, of_width) in enumerate(rows.groupby("width")):
            mean = of_width.groupby("share")["loss"].mean()
            panel.plot(mean.index, mean.to_numpy(), label=f"n = {width:g}", **arm_style(index))
        panel.set_title(f"{NAMES[arm]}, rate $2^{{{rate:g}}}$")
        panel.set_xlabel("share of training")
    axes[0, 0].set_ylabel("training loss (nats)")
    axes[0, 0].legend()
    return figure


def figure_coordinate_check(coordinates: DataFrame) -> Figure:
    """Coordinate check of the MLP after one step, all parameterizations

    The check of the mup package's documentation: root mean square change of the preactivations h1,
    h2 and the output f after one step, against width. Dotted: the exponents that follow from Tensor
    Programs IV. Only muP is flat in all layers.
    """
    optimizers = [name for name in OPTIMIZERS if name in set(coordinates["optimizer"])]
    figure, axes = panels(3, len(optimizers))
    first = coordinates[coordinates["step"] == 1]
    for row, optimizer in zip(axes, optimizers, strict=True):
        for panel, layer in zip(row, ("h1", "h2", "f"), strict=True):
            chosen = first[(first["optimizer"] == optimizer) & (first["layer"] == layer)]
            for arm, rows in chosen.groupby("arm", sort=False):
                seeds_and_mean(
                    panel, rows, x="width", y="change", label=NAMES[arm], index=ARMS.index(arm),
                    geometric=True,
                )  # fmt: skip
                widths = sorted(rows["width"].unique())
                start = np.exp(np.log(rows[rows["width"] == widths[0]]["change"]).mean())
                slope = rows["predicted"].iloc[0]
                guide_slope(panel, widths, slope=slope, through=(widths[0], start), label=None)
            logarithmic(panel, ticks=widths)
            panel.set_title(f"{OPTIMIZERS[optimizer]}: {layer}")
            panel.set_xlabel("width n")
        row[0].set_ylabel(r"rms of $x_1 - x_0$")
    axes[0, 0].legend()
    return figure


def figure_optimal_rate_transformer(transformer: DataFrame) -> Figure:
    """Optimal learning rate of the transformer against width

    Each seed's optimum (faint) and the mean with its 99 % interval. Lines: the predicted exponents,
    0 for muP and -1 for SP, through the common value at base width.
    """
    figure, axes = panels(1, height=3.0)
    _optimal_rates(axes[0, 0], transformer)
    axes[0, 0].set_title("transformer, Adam")
    axes[0, 0].legend()
    return figure


def figure_optimal_rate_mlp(mlp: DataFrame) -> Figure:
    """Optimal learning rate of the MLP against width

    Each seed's optimum (faint) and the mean with its 99 % interval. Lines: the predicted exponents
    through the common value at base width: SGD 0 (muP), -1/2 (SP), +1/2 (NTK parameterization);
    Adam 0, -1, -1/2. A bar may be longer than the panel.
    """
    optimizers = [name for name in OPTIMIZERS if name in set(mlp["optimizer"])]
    figure, axes = panels(len(optimizers), height=3.0)
    for panel, optimizer in zip(axes[0], optimizers, strict=True):
        _optimal_rates(panel, mlp[mlp["optimizer"] == optimizer])
        panel.set_title(f"MLP, {OPTIMIZERS[optimizer]}")
    axes[0, 0].legend()
    return figure


def figure_rule(mlp: DataFrame, coordinates: DataFrame) -> Figure:
    """The exponent of the optimal rate is minus that of the hidden layer's first step

    Ours. Each point is one parameterization and optimizer: horizontal the coordinate check's slope
    of h2 at t = 1, vertical the exponent of the optimal rate, both with 99 % intervals over seeds.
    Open markers: Adam, its rates the median network's. Line: y = -x, without free parameters.
    """
    figure, axes = panels(1, height=3.2)
    panel, first = axes[0, 0], coordinates.query("step == 1 and layer == 'h2'")
    for (arm, optimizer), rows in mlp.groupby(["arm", "optimizer"], sort=False):
        check = first[(first["arm"] == arm) & (first["optimizer"] == optimizer)]
        if check.empty:
            continue
        x = student_t(_per_seed(check, lambda of_seed: _exponent(of_seed, "change")))
        y = rate_exponent(optimizer)(rows)
        look = {**arm_style(ARMS.index(arm)), "markersize": 7, "markeredgewidth": 1.5}
        if optimizer == "adam":
            look["markerfacecolor"] = "white"
        panel.errorbar(
            x.value, y.value, xerr=[[x.value - x.low], [x.high - x.value]],
            yerr=[[y.value - y.low], [y.high - y.value]], linestyle="none", elinewidth=1,
            label=f"{NAMES[arm]}, {OPTIMIZERS[optimizer]}", **look,
        )  # fmt: skip
    theory_line(panel, [-0.7, 1.1], [0.7, -1.1], label="y = -x")
    panel.set_ylim(-1.4, 1.4)  # an interval may be longer
    panel.set_xlabel("exponent of the first step of $h_2$")
    panel.set_ylabel("exponent of the optimal rate")
    panel.legend()
    return figure


def figure_features(features: DataFrame) -> Figure:
    """Movement of features and of their kernel in training, against width

    The Dynamical Dichotomy of arXiv:2011.14522: under muP the hidden features and their kernel move
    alike at all widths; under the NTK parameterization and, where drawn, under SP with rate 1/n
    features move as n^-1/2 and the kernel freezes; those two are nearly one curve. A rule half-way
    between muP and the NTK parameterization has n^-1/4. Solid lines: no free exponent.
    """
    figure, axes = panels(2, height=2.8)
    titles = {"feature_change": "features", "kernel_change": "kernel of the features"}
    for panel, (column, title) in zip(axes[0], titles.items(), strict=True):
        for arm, rows in features.groupby("arm", sort=False):
            seeds_and_mean(
                panel, rows, x="width", y=column, label=NAMES[arm], index=ARMS.index(arm),
                geometric=True,
            )  # fmt: skip
        widths = np.array(sorted(features["width"].unique()), dtype=float)
        start = np.exp(np.log(features[features["width"] == widths[0]][column]).mean())
        for slope in sorted(features["predicted"].unique()) if column == "feature_change" else ():
            label = rf"predicted $n^{{{slope:g}}}$"
            theory_line(panel, widths, start * (widths / widths[0]) ** slope, label=label)
        logarithmic(panel, ticks=widths)
        panel.set_title(title)
        panel.set_xlabel("width n")
    axes[0, 0].set_ylabel("relative change in training")
    axes[0, 0].legend()
    return figure


def figure_limit(limit: DataFrame) -> Figure:
    """Distance of networks of widths n and 2n after the same training

    Root mean square difference of their logits, each seed (faint), mean and 99 % interval. In muP
    it falls as n^-1/2 (line): there is one limit. In the NTK parameterization the outputs keep
    their draw, a sample of a Gaussian process.
    """
    figure, axes = panels(1, height=2.8)
    panel, widths = axes[0, 0], np.array(sorted(limit["width"].unique()), dtype=float)
    for arm, rows in limit.groupby("arm", sort=False):
        seeds_and_mean(
            panel, rows, x="width", y="distance", label=NAMES[arm], index=ARMS.index(arm),
            geometric=True,
        )  # fmt: skip
    first = limit[(limit["width"] == widths[0]) & (limit["arm"] == "maximal_update")]["distance"]
    start = np.exp(np.log(first).mean())
    theory_line(panel, widths, start * (widths / widths[0]) ** -0.5, label=r"predicted $n^{-1/2}$")
    logarithmic(panel, ticks=widths)
    panel.set_xlabel("width n")
    panel.set_ylabel("rms of $f_n - f_{2n}$")
    panel.legend()
    return figure


def _late(rows: DataFrame) -> DataFrame:
    """Loss in the second half of training; columns arm, width, seed, log2_rate, loss."""
    late = rows[rows["share"] > 0.5]
    return late.groupby(["arm", "width", "seed", "log2_rate"], as_index=False)["loss"].mean()


def _rate_curves(axes, rows: DataFrame, arms, suffix: str = "", geometric: bool = False) -> None:
    losses = _late(rows)
    for panel, arm in zip(axes, arms, strict=True):
        for index, (width, of_width) in enumerate(losses[losses["arm"] == arm].groupby("width")):
            seeds_and_mean(
                panel, of_width, x="log2_rate", y="loss", label=f"n = {width:g}", index=index,
                geometric=geometric,
            )  # fmt: skip
        panel.set_title(NAMES[arm] + suffix)
        panel.set_xlabel(RATE)


def _optimal_rates(panel, rows: DataFrame) -> None:
    """Points per seed, mean and interval over widths, predicted lines from the base width."""
    for arm, of_arm in rows.groupby("arm", sort=False):
        found = concat(
            locator.optima(of_seed).assign(seed=seed) for seed, of_seed in of_arm.groupby("seed")
        )
        seeds_and_mean(
            panel, found, x="width", y="log2_rate", label=NAMES[arm], index=ARMS.index(arm)
        )
        widths = np.array(sorted(found["width"].unique()), dtype=float)
        start = found[found["width"] == widths[0]]["log2_rate"].mean()
        exponent = of_arm["predicted"].iloc[0]
        theory_line(
            panel, widths, start + exponent * np.log2(widths / widths[0]),
            label=f"predicted, {NAMES[arm]}", linestyle=LINES[ARMS.index(arm)],
        )  # fmt: skip
    limits_by_means(panel)
    logarithmic(panel, "x", ticks=widths)
    panel.set_xlabel("width n")
    panel.set_ylabel(r"$\log_2$ of the optimal learning rate")


def _lowest_mean(panel) -> float:
    """Of the panels of a row, which share an axis: the one with the deepest minimum."""
    return min(np.nanmin(bars[0].get_ydata()) for bars in panel.containers)


def _exponent(rows: DataFrame, column: str) -> float:
    logs = np.log(rows.groupby("width")[column].mean())
    return float(np.polyfit(np.log(logs.index), logs, 1)[0])


def _per_seed(rows: DataFrame, statistic) -> np.ndarray:
    return np.array([statistic(of_seed) for _, of_seed in rows.groupby("seed")])


def figure_weight_decay(weight_decay: DataFrame) -> Figure:
    """The best weight decay does not transfer

    Test loss under muP with AdamW against the weight decay, one curve per width: (a) decay
    times the rates of muP, of which the best grows with the width; (b) decay that does not pass
    through the rates, the control, with a best that stays.
    """
    figure, axes = panels(2, share_y=True, height=2.8)
    arms = (("scaled", "(a) through the rates"), ("independent", "(b) independent of the rates"))
    for panel, (arm, title) in zip(axes[0], arms, strict=True):
        rows = weight_decay[weight_decay["arm"] == arm]
        for index, (width, of_width) in enumerate(rows.groupby("width")):
            label = f"n = {width:g}"
            seeds_and_mean(panel, of_width, x="place", y="loss", label=label, index=index)
        panel.set(xlabel=r"$\log_2$ weight decay", title=title)
    axes[0, 0].set_ylabel("test loss (nats)")
    axes[0, 1].legend()
    return figure
