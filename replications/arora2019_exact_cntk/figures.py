"""Figures of the CNTK, drawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style

KERNELS = {"fc": "dense", "v": "V", "gap": "GAP"}


def _against(axes, rows: DataFrame, x: str, y: str, arms: dict[str, str], controls) -> None:
    for index, (arm, label) in enumerate(arms.items()):
        style.seeds_and_mean(
            axes, rows[rows["arm"] == arm], x=x, y=y, label=label, index=index,
            control=arm in controls, geometric=True,
        )  # fmt: skip
    style.logarithmic(axes, "xy", ticks=sorted(rows[rows["arm"].isin(arms)][x].unique()))
    axes.tick_params(axis="x", labelrotation=45)


def _guide(axes, rows: DataFrame, x: str, y: str, slope: float, label: str) -> None:
    centre = np.exp(np.log(rows[y]).groupby(rows[x]).mean())
    if len(centre):
        through = (centre.index[0], 0.7 * centre.iloc[0])
        style.guide_slope(axes, centre.index, slope=slope, through=through, label=label)


def figure_finite(channels: DataFrame, dense: DataFrame, trained: DataFrame) -> Figure:
    """Finite networks on their way to the exact kernel, and to kernel regression

    (a) Relative error of a finite network's kernel against channels, with and without pooling;
    dashed: held against the other read-out's limit. (b) The same of a dense network; dashed: the
    limit of one layer more. (c) Trained networks kappa f against kernel regression: with
    kappa = m^(-1/4), and (dashed) without. Dotted: the predicted exponents.
    """
    figure, (axes,) = style.panels(3, height=2.9)
    arms = {"gap": "GAP", "v": "V", "gap_of_v": "GAP, limit of V"}
    _against(axes[0], channels, "channels", "error", arms, ("gap_of_v",))
    _guide(axes[0], channels[channels["arm"] == "v"], "channels", "error", -0.5, r"$c^{-1/2}$")
    axes[0].set(xlabel="channels c", ylabel="relative error", title="(a) convolutional")
    arms = {"dense": "two layers", "one_layer_more": "limit of three"}
    _against(axes[1], dense, "width", "error", arms, ("one_layer_more",))
    _guide(axes[1], dense[dense["arm"] == "dense"], "width", "error", -0.5, r"$m^{-1/2}$")
    axes[1].set(xlabel="width m", ylabel="relative error", title="(b) dense")
    arms = {"kappa": r"$\kappa=m^{-1/4}$", "plain": r"$\kappa=1$"}
    _against(axes[2], trained, "width", "gap", arms, ("plain",))
    _guide(axes[2], trained[trained["arm"] == "kappa"], "width", "gap", -0.25, r"$m^{-1/4}$")
    axes[2].set(xlabel="width m", ylabel="rms distance", title="(c) trained")
    for axis in axes:
        axis.legend(fontsize="x-small")
    return figure


def _bars(axes, rows: DataFrame, columns: dict[str, str], labels: dict[str, str]) -> None:
    """Mean of each column per arm, 2.6 standard errors; arms that were not run are left out."""
    arms = [arm for arm in labels if (rows["arm"] == arm).any()]
    for index, (column, label) in enumerate(columns.items()):
        places = np.arange(len(arms)) + 0.25 * (index - (len(columns) - 1) / 2)
        means = [rows[rows["arm"] == arm][column].mean() for arm in arms]
        errors = [2.6 * rows[rows["arm"] == arm][column].sem() for arm in arms]
        look = style.arm_style(index)
        axes.errorbar(places, means, errors, linestyle="none", label=label, **look)
    axes.set_xticks(range(len(arms)), labels=[labels[arm] for arm in arms], rotation=20)


def figure_accuracies(accuracies: DataFrame, random_features: DataFrame) -> Figure:
    """Accuracies of kernel regression on the same splits: dense, without pooling, with pooling

    (a) Means over splits with 2.6 standard errors: patterns anywhere; with one other order of
    pixels (control); patterns whose place is the class; real sets in larger tiers. (b) The exact
    kernel with pooling and that of one finite network, few and many channels.
    """
    figure, (axes,) = style.panels(2, height=3.0)
    labels = {
        "textures": "textures", "textures_permuted": "permuted", "places": "places",
        "digits": "digits", "digits_permuted": "permuted d.", "cifar10": "CIFAR-10",
        "cifar10_permuted": "permuted C.", "mnist": "MNIST", "fashion": "Fashion",
    }  # fmt: skip
    _bars(axes[0], accuracies, KERNELS, labels)
    axes[0].set(ylabel="accuracy", title="(a) three kernels", ylim=(0, 1.05))
    labels = {
        "few_channels": "2 channels",
        "averaged": "mean of 32",
        "many_channels": "64 channels",
    }
    _bars(axes[1], random_features, {"exact": "exact", "random": "finite network"}, labels)
    axes[1].set(ylabel="accuracy", title="(b) random features", ylim=(0, 1.05))
    for axis in axes:
        axis.legend(loc="lower right")
    return figure


def figure_shifts(shifts: DataFrame) -> Figure:
    """What padding does to invariance under shifts

    (a) Share of test images that are told another class once all are shifted by (2, 2), GAP and V,
    with circular and with zero padding, with 2.6 standard errors. (b) Largest difference between
    GAP and the mean of V over all shifts, relative: rounding with circular padding. Shaded: what
    is accepted.
    """
    figure, (axes,) = style.panels(2)
    labels = {"circular": "circular", "zero": "zero padding"}
    _bars(axes[0], shifts, {"changed": "GAP", "v_changed": "V"}, labels)
    style.accepted_band(axes[0], -0.02, 0.02)
    axes[0].set(ylabel="share of changed classes", title="(a) shifted images", ylim=(-0.05, 1))
    axes[0].legend(loc="upper left")
    for index, arm in enumerate(labels):
        values = shifts[shifts["arm"] == arm]["average"]
        look = style.arm_style(index)
        axes[1].plot([index] * len(values), values, linestyle="none", label=labels[arm], **look)
    axes[1].set(yscale="log", ylabel="relative difference", title="(b) GAP and shifted V")
    style.accepted_band(axes[1], 1e-17, 1e-12)
    axes[1].set_xticks([0, 1], labels=list(labels.values()))
    axes[1].set_xlim(-0.5, 1.5)
    axes[1].legend(loc="center left")
    return figure


def figure_learning(accuracies: DataFrame) -> Figure:
    """Accuracy against the number of training images, on textures

    Kernel regression with the dense kernel, without pooling (V) and with pooling (GAP), all on the
    same splits; a quarter (dotted) is chance.
    """
    figure, (axes,) = style.panels(1, height=3.0)
    rows = accuracies[accuracies["arm"] == "learning"]
    for index, (column, label) in enumerate(KERNELS.items()):
        style.seeds_and_mean(axes[0], rows, x="train", y=column, label=label, index=index)
    sizes = sorted(rows["train"].unique())
    if sizes:
        axes[0].plot([sizes[0], sizes[-1]], [0.25, 0.25], ":", color=style.CONTROL, label="chance")
        style.logarithmic(axes[0], "x", ticks=sizes)
    axes[0].set(xlabel="training images", ylabel="accuracy", ylim=(0, 1.05))
    axes[0].legend(loc="upper left")
    return figure
