"""Figures of Schoenholz et al. 2017 and its successors, redrawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style

PHASES = ("ordered", "erf", "relu", "chaotic")
NAMES = {"erf": "edge, erf", "relu": "edge, ReLU"}


def figure_phases(boundary: DataFrame, scales: DataFrame, divergence: DataFrame) -> Figure:
    """Order and chaos: where equal inputs stay equal, and over how many layers

    Redraws the phase diagram and the depth scales of Poole et al. and Schoenholz et al. for erf.
    (a) correlation after 3000 layers; chi_1 = 1 (black) is where it leaves 1, Xavier's rule
    (dashed) is not. (b) distance from the fixed point in units of the first, and exp(-l / xi)
    (black); dashed: over the wrong scale. (c) depth scale on both sides of the edge, and
    1 / |chi_1 - 1| (black).
    """
    figure, (axes,) = style.panels(3)
    _plane(figure, axes[0], boundary[boundary["arm"] == "theory"])
    _decay(axes[1], scales)
    for index, arm in enumerate(("below", "above")):
        rows = divergence[divergence["arm"] == arm]
        style.seeds_and_mean(
            axes[2], rows, x="offset", y="scale", label=f"{arm} the edge", index=index
        )
        theory = rows.groupby("offset")["away"].mean()
        style.theory_line(
            axes[2], theory.index, 1 / theory, label=None if index else r"$1/|\chi_1-1|$"
        )
    style.seeds_and_mean(
        axes[2], divergence[divergence["arm"] == "variance"], x="offset", y="scale",
        label="variance", control=True,
    )  # fmt: skip
    axes[2].set(xlabel=r"$|\sigma_w^2/\sigma_{w,c}^2-1|$", ylabel=r"depth scale $\xi$ (layers)")
    axes[2].set_title("(c) divergence")
    style.logarithmic(axes[2])
    for axis in axes[:2]:
        axis.legend()
    axes[2].legend(loc="lower left", bbox_to_anchor=(0, 0.1))  # between the curve and the control
    return figure


def figure_critical(critical: DataFrame) -> Figure:
    """At the edge of chaos: power laws, and what deep kernels tend to

    (a) l^2 (1 - c) of ReLU networks and of blocks h + W relu(h) over their constants, (b)
    l (1 - c) C''/2 of erf; shaded, what the claims accept of the limit; dashed: sw2 a thousandth
    off the edge. (c) Theta_ab / Theta_aa of one pair of inputs per seed, and 1/3 + B ln(l) / l,
    1/4 + 3 ln(l) / (8 l) (black), with the 1 / l that the start decides taken from the last depth.
    """
    figure, (axes,) = style.panels(3)
    rows = critical[critical["depth"] > 0].copy()
    rows["squared"] = (rows["depth"] * rows["rate"]) ** 2 * rows["gap"]
    rows["linear"] = rows["depth"] * rows["rate"] * rows["gap"]
    relu = rows[rows["arm"] == "relu"]
    style.curve_over_seeds(axes[0], relu, x="depth", y="squared", label="ReLU")
    for index, (skip, of_skip) in enumerate(rows[rows["arm"] == "blocks"].groupby("skip"), 1):
        look = {"label": f"blocks, a = {skip:g}", "index": index}
        style.curve_over_seeds(axes[0], of_skip, x="depth", y="squared", **look)
    look = {"x": "depth", "y": "linear"}
    style.curve_over_seeds(axes[1], rows[rows["arm"] == "erf"], label="erf", **look)
    style.curve_over_seeds(
        axes[1], rows[rows["arm"] == "erf_off"], label="off the edge", control=True, **look
    )
    for axis, name in ((axes[0], "(a) ReLU"), (axes[1], "(b) erf")):
        axis.set(ylabel=r"$1-c^l$ over its law", ylim=(0, 1.3), title=name)
        style.accepted_band(axis, 0.99, 1.01)
        style.theory_line(axis, [8, 8192], [1, 1], label="limit")
    for index, (arm, limit) in enumerate((("erf", 1 / 3), ("relu", 1 / 4))):
        of_arm = rows[rows["arm"] == arm]
        label = {"erf": "erf", "relu": "ReLU"}[arm]
        style.curve_over_seeds(axes[2], of_arm, x="depth", y="share", label=label, index=index)
        layers = of_arm["depth"].unique().astype(float)
        coefficient, end = of_arm["logarithm"].iloc[0], layers[-1]
        last = of_arm.loc[of_arm["depth"] == end, "share"].mean() - limit
        law = limit + (coefficient * np.log(layers / end) + last * end) / layers
        deep = layers >= 64
        style.theory_line(axes[2], layers[deep], law[deep], label=None if index else "law")
    axes[2].set(ylabel=r"$\Theta_{ab}/\Theta_{aa}$", ylim=(0.1, 0.6), title="(c) kernel")
    for axis in axes:
        axis.set_xlabel("depth l (layers)")
        style.logarithmic(axis, "x")
        axis.legend(loc="upper right" if axis is axes[2] else "lower right")
    return figure


def figure_spectrum(spectrum: DataFrame) -> Figure:
    """Conditioning and prediction in the three phases

    Redraws Figures 1 to 3 of Xiao et al. as reported, for digits: (a) least and largest eigenvalue,
    (b) condition number with (m + 2) / 2 and (m + 3) / 3, (c) Theta_ab with q* c* / (1 - chi_c),
    (d) mean predictor on other images of the ordered, critical and chaotic kernel. Mean and range
    of the draws; black: asymptotic laws.
    """
    figure, (axes,) = style.panels(4, height=3.0)
    rows = spectrum[spectrum["arm"].isin(PHASES)]
    samples = rows["samples"].max()
    for index, arm in enumerate(PHASES):
        of_arm, label = rows[rows["arm"] == arm], NAMES.get(arm, arm)
        columns = ("smallest", "condition", "off_diagonal", "predictor")
        for axis, column in zip(axes, columns, strict=True):
            look = {"label": label, "index": index, "geometric": True}
            style.curve_over_seeds(axis, of_arm, x="depth", y=column, **look)
        depths = of_arm["depth"].to_numpy(float)
        if arm in NAMES:
            limit = {"erf": (samples + 2) / 2, "relu": (samples + 3) / 3}[arm]
            style.theory_line(axes[1], depths[[0, -1]], [limit] * 2, label=None)
        else:
            limit = of_arm["limit"].iloc[0]
            label = "theory" if arm == "ordered" else None
            style.theory_line(axes[2], depths[[0, -1]], [limit] * 2, label=label)
        _laws(axes, of_arm, arm)
    titles = (r"(a) $\lambda_{\min}$", r"(b) $\kappa=\lambda_{\max}/\lambda_{\min}$")
    titles += (r"(c) mean $\Theta_{ab}$", r"(d) $|\Theta(x,X)\Theta^{-1}y|$, rms")
    for axis, title in zip(axes, titles, strict=True):
        axis.set(xlabel="depth l (layers)", title=title)
        style.logarithmic(axis)
    axes[3].set_ylim(bottom=1e-9)
    axes[1].set_ylim(top=1e6)
    style.legend_below(figure, columns=5)
    return figure


def figure_training(training: DataFrame, accuracy: DataFrame) -> Figure:
    """How deep a network trains is the logarithm of how long

    Redraws the heat map of Schoenholz et al. (Figure 5, as reported) and the notebook's last
    figures for the limit on digits. (a) R^2 on the training images after 512 steps over sw2 and
    depth, with 6 xi_1 (dashed). (b) depth at which R^2 = 1/2 in units of xi_1 against the steps:
    one unit per factor e (black), where six scales for any number of steps would lie in the shaded
    band. (c) accuracy at 8 scales (train) and 24 (test): centred labels are sorted where R^2 is
    nearly 0, raw ones are not.
    """
    figure, (axes,) = style.panels(3, height=2.8)
    theory = training[training["arm"] == "theory"]
    _heat(figure, axes[0], theory[theory["steps"] == 512])
    found = _thresholds(theory)
    for index, (ratio, rows) in enumerate(found.groupby("ratio")):
        label = rf"$\sigma_w^2/\sigma_{{w,c}}^2$ = {ratio:g}"
        style.curve_over_seeds(axes[1], rows, x="steps", y="scales", label=label, index=index)
    middle = found[found["ratio"] == 0.8].groupby("steps")["scales"].mean()
    constant = middle.iloc[-1] - np.log(middle.iloc[-1] * middle.index[-1])
    law = np.linspace(middle.iloc[0], middle.iloc[-1])
    style.theory_line(axes[1], np.exp(law - constant) / law, law, label=r"$\ln t+\ln(l/\xi_1)+C$")
    style.accepted_band(axes[1], 5, 7, label="six scales")
    axes[1].set(xlabel="steps t", ylabel=r"trainable depth / $\xi_1$", title="(b) threshold")
    style.logarithmic(axes[1], "x")
    names = {
        "ordered": "train,\ncentred",
        "ordered_raw": "train,\nraw",
        "chaotic": "test,\ncentred",
    }
    names["chaotic_r2"] = r"test, $R^2$"
    for index, arm in enumerate(names):
        rows = accuracy[accuracy["arm"] == arm].assign(place=index)
        control = arm in ("ordered_raw", "chaotic_r2")
        style.seeds_and_mean(
            axes[2], rows, x="place", y="value", label="", index=index, control=control
        )
    axes[2].set_xticks(range(len(names)), list(names.values()))
    axes[2].set(ylabel=r"accuracy or $R^2$", ylim=(-0.05, 1.05), title="(c) what is sorted")
    style.legend_below(figure, columns=4)
    return figure


def figure_residual(explosion: DataFrame, stable: DataFrame, far: DataFrame) -> Figure:
    """Skip connections: gradients still grow, and inputs still meet

    After Yang and Schoenholz and Hayou et al. 2021. (a) ln |g^0|^2 / |g^l|^2 of tanh blocks with
    the slope (8/3) sw2 / sqrt(2 pi (sw2 + sb2)) (black), without the bias (dashed). (b) correlation
    of inputs after L blocks with branches divided by sqrt(L), the solution of the equation (black),
    and undivided branches (dashed). (c) 1 - c after 4096 layers.
    """
    figure, (axes,) = style.panels(3)
    tanh = explosion[explosion["arm"] == "tanh"].assign(root=lambda rows: np.sqrt(rows["depth"]))
    axes[0].plot(tanh["root"], tanh["log"], **style.arm_style(0), linestyle="none", label="tanh")
    for arm, look in (("tanh", {}), ("tanh_without_bias", {"color": style.CONTROL, "ls": "--"})):
        slope = explosion.loc[explosion["arm"] == arm, "predicted"].iloc[0]
        law = slope * (tanh["root"] - tanh["root"].iloc[-1]) + tanh["log"].iloc[-1]
        if arm == "tanh":
            style.theory_line(axes[0], tanh["root"], law, label="theory of tanh")
        else:
            axes[0].plot(tanh["root"], law, label="without bias", **look)
    axes[0].set(xlabel=r"$\sqrt{l}$", ylabel=r"$\ln|g^0|^2/|g^l|^2$", title="(a) gradients")
    for index, (seed, rows) in enumerate(stable[stable["arm"] == "theory"].groupby("seed")):
        look = {"label": f"inputs {index + 1}", **style.arm_style(index)}
        axes[1].plot(rows["depth"], rows["correlation"], **look)
        style.theory_line(
            axes[1], rows["depth"], rows["equation"], label=None if index else "equation"
        )
        control = stable[(stable["arm"] == "constant") & (stable["seed"] == seed)]
        axes[1].plot(
            control["depth"], control["correlation"], "x--", color=style.CONTROL,
            label=None if index else "undivided",
        )  # fmt: skip
    axes[1].set(xlabel="blocks L", ylabel=r"$c_L$", title="(b) divided branches")
    style.logarithmic(axes[1], "x")
    names = {"blocks": "blocks", "blocks_scaled": "divided", "relu_above": "ReLU\n2.5"}
    names["erf_above"] = "erf\nchaotic"
    for index, arm in enumerate(names):
        rows = far[far["arm"] == arm].assign(place=index)
        control = arm in ("blocks_scaled", "erf_above")
        look = {"label": "", "index": index, "control": control, "geometric": True}
        style.seeds_and_mean(axes[2], rows, x="place", y="gap", **look)
    style.logarithmic(axes[2], "y")
    axes[2].set_ylim(1e-6, 3)
    style.accepted_band(axes[2], 0.01, np.inf, label="kept apart")
    axes[2].set_xticks(range(len(names)), list(names.values()))
    axes[2].set(ylabel=r"$1-c$ at l = 4096", title="(c) far away")
    style.legend_below(figure, columns=5)
    return figure


def figure_dropout(dropout: DataFrame, wide: DataFrame) -> Figure:
    """Dropout takes the edge away; networks of finite width scatter around the recursion

    (a) largest depth scale over sw2 against 1 - keep, its law (black), and the scale at one sw2 in
    the ordered phase (dashed). (b) correlation of two inputs in networks of width n, after Poole et
    al.: two standard deviations around the mean, and the recursion (black).
    """
    figure, (axes,) = style.panels(2)
    theory, held = (dropout[dropout["arm"] == arm] for arm in ("theory", "held"))
    axes[0].plot(theory["drop"], theory["deepest"], **style.arm_style(0), label="largest")
    style.theory_line(axes[0], theory["drop"], theory["predicted"], label=r"$1/\sqrt{2C''d}$")
    axes[0].plot(held["drop"], held["deepest"], "x--", color=style.CONTROL, label="held")
    axes[0].set(xlabel="1 - keep", ylabel=r"$\xi_c$ (layers)", title="(a) dropout")
    style.logarithmic(axes[0])
    rows = wide[wide["arm"] == "theory"]
    for index, (width, of_width) in enumerate(rows.groupby("width")):
        groups = of_width.groupby("layer")["correlation"]
        mean, spread = groups.mean(), 2 * groups.std()
        axes[1].errorbar(
            mean.index + 0.15 * (index - 1), mean, yerr=spread, capsize=2, linestyle="none",
            label=f"n = {width:g}", **style.arm_style(index),
        )  # fmt: skip
    limit = rows.groupby("layer")["predicted"].first()
    style.theory_line(axes[1], limit.index, limit, label="recursion")
    axes[1].set(xlabel="layer", ylabel="correlation", title="(b) random networks", ylim=(-0.5, 1.6))
    for axis in axes:
        axis.legend()
    return figure


def _plane(figure, axis, rows: DataFrame) -> None:
    """c after many layers over (sw2, sb2), with the line chi_1 = 1."""
    table = rows.pivot(index="sb2", columns="sw2", values="gap")
    chi = rows.pivot(index="sb2", columns="sw2", values="chi_1")
    shown = axis.pcolormesh(
        table.columns, table.index, 1 - table, cmap="cividis", shading="nearest", rasterized=True
    )
    figure.colorbar(shown, ax=axis, label=r"$c$ at l = 3000")
    axis.contour(table.columns, table.index, chi, levels=[1.0], colors=style.THEORY)
    axis.plot([], [], color=style.THEORY, label=r"$\chi_1=1$")
    axis.axvline(np.pi / 4, color=style.CONTROL, linestyle="--", label="Xavier")
    axis.set(xlabel=r"$\sigma_w^2$", ylabel=r"$\sigma_b^2$", title="(a) phases")


def _decay(axis, scales: DataFrame) -> None:
    """Distance from the fixed point, over the predicted exponential."""
    arms = {"ordered": "ordered", "chaotic": "chaotic", "variance": "variance"}
    for index, (arm, label) in enumerate(arms.items()):
        rows = scales[scales["arm"] == arm].copy()
        rows["relative"] = rows["distance"] / rows.groupby("seed")["distance"].transform("first")
        rows = rows[rows["relative"] > 1e-8]
        style.curve_over_seeds(
            axis, rows, x="depth", y="relative", label=label, index=index, geometric=True
        )
        law = _through_last(rows, rows["predicted"].iloc[0])
        style.theory_line(axis, *law, label=None if index else r"$e^{-l/\xi}$")
        if arm == "chaotic":
            wrong = scales.loc[scales["arm"] == "chaotic_by_xi_1", "predicted"].iloc[0]
            axis.plot(*_through_last(rows, wrong), "--", color=style.CONTROL, label=r"over $\xi_1$")
    axis.set(xlabel="depth l (layers)", ylabel="distance from the fixed point", title="(b) decay")
    style.logarithmic(axis, "y")
    axis.set_ylim(1e-9, 1e2)


def _through_last(rows: DataFrame, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """exp(-l / scale) through the last depth of the mean curve."""
    mean = np.exp(np.log(rows["relative"]).groupby(rows["depth"]).mean())
    depths = mean.index.to_numpy(float)
    return depths, mean.iloc[-1] * np.exp((depths[-1] - depths) / scale)


def _laws(axes, rows: DataFrame, arm: str) -> None:
    """l chi_1^l for the least eigenvalue, l (chi_c / chi_1)^l for the chaotic predictor."""
    last = rows[rows["depth"] == rows["depth"].max()]
    depths = np.unique(rows.loc[rows["depth"] >= 16, "depth"]).astype(float)
    chi, ratio, end = rows["chi_1"].iloc[0], (rows["chi_c"] / rows["chi_1"]).iloc[0], depths[-1]
    geometric = {name: np.exp(np.log(last[name]).mean()) for name in ("smallest", "predictor")}
    if arm == "ordered":
        law = geometric["smallest"] * depths / end * chi ** (depths - end)
        style.theory_line(axes[0], depths, law, label=None)
    if arm == "chaotic":
        law = geometric["predictor"] * depths / end * ratio ** (depths - end)
        style.theory_line(axes[3], depths, law, label=None)
    if arm in NAMES:
        style.theory_line(axes[3], depths, geometric["predictor"] * end / depths, label=None)


def _heat(figure, axis, rows: DataFrame) -> None:
    """Mean R^2 over (ratio, depth / xi_1)."""
    rows = rows.assign(units=(2 * rows["depth"] / rows["xi"]).round() / 2)
    table = rows.pivot_table(index="units", columns="ratio", values="r2").interpolate()
    shown = axis.pcolormesh(
        range(table.shape[1]), table.index, table, cmap="cividis", vmin=0, vmax=1,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    figure.colorbar(shown, ax=axis, label=r"$R^2$")
    axis.axhline(6, color="white", linestyle="--", linewidth=1.0)
    axis.set_xticks(range(table.shape[1]), [f"{ratio:g}" for ratio in table.columns])
    axis.set(xlabel=r"$\sigma_w^2/\sigma_{w,c}^2$", ylabel=r"depth / $\xi_1$", ylim=(1, 16))
    axis.set_title("(a) 512 steps, 6 scales dashed")
    axis.grid(visible=False)


def _thresholds(rows: DataFrame) -> DataFrame:
    """Depth / xi_1 at which R^2 falls through 1/2, for each ratio, steps and seed."""
    found = []
    for (ratio, steps, seed), curve in rows.groupby(["ratio", "steps", "seed"]):
        curve = curve.sort_values("depth")
        scales = np.interp(-0.5, -curve["r2"], curve["depth"]) / curve["xi"].iloc[0]
        found.append({"ratio": ratio, "steps": steps, "seed": seed, "scales": scales})
    return DataFrame(found)


def gradient_growth(gradients: DataFrame) -> Figure:
    """Mean squared gradients change by chi_1 per layer in both phases

    Growth of the mean |gradient|^2 over 20 layers against the width, and chi_1 to their power
    (black), towards which it tends as 1/N; dashed: the power for another depth scale, that of the
    variance or of correlations.
    """
    figure, (axes,) = style.panels(2)
    for axis, phase, scale in zip(axes, ("ordered", "chaotic"), ("q", "c"), strict=True):
        rows = gradients[gradients["arm"] == phase]
        look = {"x": "width", "y": "growth", "label": "networks", "geometric": True}
        style.seeds_and_mean(axis, rows, **look)
        ends = [rows["width"].min(), rows["width"].max()]
        law = np.exp(rows["predicted"].mean())
        style.theory_line(axis, ends, [law] * 2, label=r"$\chi_1$ per layer")
        other = gradients[gradients["arm"] == f"{phase}_other"]["predicted"].mean()
        look = {"color": style.CONTROL, "linestyle": "--", "label": rf"by the scale $\xi_{scale}$"}
        axis.plot(ends, [np.exp(other)] * 2, **look)
        style.logarithmic(axis, ticks=sorted(rows["width"].unique()))
        axis.set(xlabel="width N", ylabel="growth over 20 layers", title=f"{phase} phase")
        axis.legend()
    return figure
