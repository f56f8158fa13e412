"""Figures of depth, drawn from the tables alone."""

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from widenets.evidence import style


def _against_depth(axes, rows: DataFrame, y: str, arms: dict[str, str], control: str = "") -> None:
    for index, (arm, label) in enumerate(arms.items()):
        of_arm = rows[rows["arm"] == arm]
        if len(of_arm):
            style.seeds_and_mean(
                axes, of_arm, x="depth", y=y, label=label, index=index, geometric=True,
                control=arm == control,
            )  # fmt: skip
    depths = sorted(rows[rows["arm"].isin(arms)]["depth"].unique())
    style.logarithmic(axes, "xy", ticks=depths)
    axes.set_xlabel("layers or blocks L")


def figure_movement(movement: DataFrame, law: DataFrame) -> Figure:
    """How far one step moves the last features, per unit of the rate, to first order

    (a) Networks of width 32 (points) and the exact law of this width (black): plain ReLU and linear
    networks, residual ones with weights of variance 1/(nL), with the multiplier L^-1/2 and with
    1/L. (b) The law of infinitely wide networks over its power of L: (2/3) for ReLU and 1/3 for
    linear plain networks, 5/3 for residual ones with L^-1/2.
    """
    figure, (axes,) = style.panels(2, height=3.0)
    arms = {
        "relu": "plain ReLU",
        "linear": "plain linear",
        "residual_weights": "residual, var. 1/(nL)",
        "residual": r"residual, $L^{-1/2}$",
        "residual_one": "residual, 1/L",
    }
    _against_depth(axes[0], movement, "moved", arms)
    for number, arm in enumerate(arms):
        curve = movement[movement["arm"] == arm].groupby("depth")["moved_law"].mean()
        style.theory_line(axes[0], curve.index, curve, label=None if number else "exact law")
    axes[0].set_xticks([4, 8, 16, 32], labels=["4", "8", "16", "32"])
    axes[0].set(ylabel="rms |dz| / |d|", title="(a) moves at n = 32")
    _against_depth(
        axes[1], law, "constant",
        {"relu": "plain ReLU", "linear": "plain linear", "residual": r"residual, $L^{-1/2}$"},
    )  # fmt: skip
    for number, value in enumerate((2 / 3, 1 / 3, 5 / 3)):
        style.theory_line(
            axes[1], [4, 256], [value, value], label=None if number else "limit", linestyle="--"
        )
    axes[1].set(ylabel=r"$|dz|^2$ over $L^3$ (plain), over $(d\cdot dz)^2$", title="(b) constants")
    style.legend_below(figure, columns=4)
    return figure


def figure_laziness(steps: DataFrame) -> Figure:
    """The share of a change that its linearization misses, of blocks and of the network

    One step of Adam on two-layer GELU blocks. (a) Of blocks: like L^-1/2 (dotted) with the
    multiplier L^-1/2, constant with 1/L. (b) Of the last features of the network: constant with
    L^-1/2, falling with 1/L. (c) Blocks with the multiplier L^-1/2 by activation: ReLU like L^-1/4
    (dotted), GELU like L^-1/2.
    """
    figure, (axes,) = style.panels(3, height=3.0)
    labels = {"half": r"m = $L^{-1/2}$", "one": "m = 1/L"}
    _against_depth(axes[0], steps, "share", labels)
    networks = {f"{arm}_network": label for arm, label in labels.items()}
    _against_depth(axes[1], steps, "share", networks)
    kinds = {
        "gelu_deep": "two layers, GELU",
        "relu_two": "two layers, ReLU",
        "relu_one": "one, ReLU",
    }
    _against_depth(axes[2], steps, "share", kinds)
    for axis, arm, exponent, said in (
        (axes[0], "half", -0.5, r"$L^{-1/2}$"),
        (axes[2], "relu_two", -0.25, r"$L^{-1/4}$"),
        (axes[2], "gelu_deep", -0.5, r"$L^{-1/2}$"),
    ):
        curve = steps[steps["arm"] == arm].groupby("depth")["share"].mean()
        if len(curve):
            through = (curve.index[0], curve.iloc[0])
            style.guide_slope(axis, curve.index, slope=exponent, through=through, label=said)
    axes[0].set(ylabel="share beyond the linearization", title="(a) of a block")
    axes[1].set(title="(b) of the network")
    axes[2].set(title="(c) of a block, by activation")
    style.legend_below(figure, columns=4)
    return figure


def figure_rules(rules: DataFrame) -> Figure:
    """Adam's first step group by group, over that of the shallowest network

    (a) First-order gain of the loss with the multiplier L^-1/2 and the rule for rates; dashed:
    hidden weights without it. (b) Size of the update g / (|g| + eps) with eps of blocks like
    L^-1/2; dashed: hidden weights with a fixed eps. All would lie on the black line.
    """
    figure, (axes,) = style.panels(2, height=3.0)
    groups = ("hidden", "gain", "bias", "embedding", "final")
    shown = [("half", group, group, False) for group in groups]
    shown.append(("half_flat", "hidden", "hidden, no rule", True))
    for axis, kind in zip(axes, ("gain", "update"), strict=True):
        for index, (arm, group, label, control) in enumerate(shown):
            rows = rules[rules["arm"] == arm]
            column = f"{kind}_{group}"
            first = rows[rows["depth"] == rows["depth"].min()].set_index("seed")[column]
            rows = rows.assign(relative=rows[column] / rows["seed"].map(first))
            style.seeds_and_mean(
                axis, rows, x="depth", y="relative", label=label, index=index, control=control,
                geometric=True,
            )  # fmt: skip
        style.logarithmic(axis, "xy", ticks=sorted(rules["depth"].unique()))
        style.theory_line(axis, [4, 32], [1, 1], label="the same at any depth")
        style.limits_by_means(axis)
        axis.set_xlabel("blocks L")
    axes[0].set(ylabel="over that at L = 4", title=r"(a) $\eta\,|g|_1$, gain of the loss")
    axes[1].set(title=r"(b) rms of $g/(|g|+\epsilon)$")
    style.legend_below(figure, columns=4)
    return figure


def figure_moments(moments: DataFrame, streams: DataFrame) -> Figure:
    """Moments of the stream over their exact laws, and branches that add up coherently

    (a) Mean over a block of networks h + m W |h|, m = L^-1/2, of |h_L|^2, of the blocks' kernel and
    of |h_L|^4, over the exact laws, at three sizes n x L, with the band of the first two claims.
    (b) rms(h_L) at n = 16: branches of zero mean keep it, one-layer ReLU branches (dashed) explode.
    """
    figure, (axes,) = style.panels(2, height=3.0)
    rows = moments[moments["arm"] == "theory"]
    rows = rows.assign(place=np.select([rows["depth"] == 4, rows["depth"] == 16], [0, 1], 2))
    names = {"square": r"$|h_L|^2$", "kernel": "kernel", "fourth": r"$|h_L|^4$"}
    for index, (column, label) in enumerate(names.items()):
        shifted = rows.assign(place=rows["place"] + 0.15 * (index - 1))
        style.seeds_and_mean(axes[0], shifted, x="place", y=column, label=label, index=index)
    style.theory_line(axes[0], [-0.3, 2.3], [1, 1], label="exact law")
    axes[0].set_ylim(0.8, 1.3)
    style.accepted_band(axes[0], 0.97, 1.03)
    axes[0].set_xticks(range(3), labels=["8 × 4", "16 × 16", "8 × 64"])
    axes[0].set(xlabel="width × blocks", ylabel="mean over its law", title="(a) moments")
    axes[0].legend(ncols=2, loc="upper center")
    arms = {
        "two_gelu": "two-layer GELU",
        "inc_relu": "one-layer ReLU less mean",
        "in_tanh": "one-layer tanh",
        "in_relu": "one-layer ReLU",
    }
    _against_depth(axes[1], streams, "rms", arms, "in_relu")
    axes[1].set(ylabel=r"rms($h_L$)", title=r"(b) m = $L^{-1/2}$")
    axes[1].legend()
    return figure


def figure_diversity(diversity: DataFrame) -> Figure:
    """Exponents of increments along 256 blocks

    With the multiplier L^-1/2: the stream before and after training and what training adds, for
    increments over 1 to 4 blocks, and the last for 8 to 32 blocks (coarse); with 1/L the stream
    after training and what training adds for 1 to 4 blocks, the last for 8 to 32 too. Gray:
    controls, with the start of one-layer ReLU blocks. Lines: a random walk, 1/2, and a smooth
    stream, 1.
    """
    figure, ((axes,),) = style.panels(1, height=2.8)
    arms = {
        "half_init": "start",
        "half_trained": "trained",
        "half_learned": "learned",
        "half_coarse": "coarse",
        "half_in_relu": "ReLU",
        "one_trained": "trained, 1/L",
        "one_learned_fine": "learned, 1/L",
        "one_learned": "coarse, 1/L",
    }
    controls = ("half_coarse", "half_in_relu", "one_trained", "one_learned_fine")
    for place, arm in enumerate(arms):
        rows = diversity[diversity["arm"] == arm].assign(place=place)
        if len(rows):
            style.seeds_and_mean(
                axes, rows, x="place", y="exponent", label=None, index=int(arm == "one_learned"),
                control=arm in controls,
            )  # fmt: skip
    for number, value in enumerate((0.5, 1.0)):
        style.theory_line(
            axes, [-0.4, len(arms) - 0.6], [value, value], label=None if number else "1/2 and 1"
        )
    axes.set_xticks(range(len(arms)), labels=arms.values(), rotation=45)
    axes.set(ylabel=r"exponent p of $u^p$ (TP6: $1-\kappa$)", ylim=(0.4, 1.1))
    axes.legend(loc="upper left")
    return figure


def figure_transfer(transfer: DataFrame, multipliers: DataFrame) -> Figure:
    """What training leaves of the test loss, against the rate of blocks and against the multiplier

    ln of the mean square error on test points over that of f = 0, by the number L of blocks; mean
    over seeds and their range. (a) With m ~ L^-1/2 against the rate of blocks in units of the rule
    L^(a-1). (b) The same with m = 1 at any depth and no rule. (c) Against the multiplier of
    two-layer GELU blocks, at one rate per m L. (d) Of one-layer ReLU branches, which add up.
    """
    figure, axes = style.panels(2, 2, height=2.8)
    middle = sorted(multipliers["rate"].unique())[1]
    at_one_rate = multipliers[multipliers["rate"] == middle]
    for panel, rows, arm, x, said in (
        (axes[0][0], transfer, "half", "rate", r"(a) m $\sim L^{-1/2}$, with its rule"),
        (axes[0][1], transfer, "unscaled", "rate", "(b) m = 1, no rule"),
        (axes[1][0], at_one_rate, "two_gelu", "factor", "(c) two-layer GELU blocks"),
        (axes[1][1], at_one_rate, "coherent", "factor", "(d) one-layer ReLU blocks"),
    ):
        of_arm = rows[rows["arm"] == arm]
        for index, (depth, some) in enumerate(of_arm.groupby("depth")):
            style.curve_over_seeds(
                panel, some, x=x, y="log_loss", label=f"L = {depth:g}", index=index
            )  # fmt: skip
        style.logarithmic(panel, "x")
        panel.set(xlabel="rate of blocks" if x == "rate" else "multiplier m", title=said)
        panel.legend()
    for row in axes:
        row[0].set_ylabel("ln test loss")
    return figure


def figure_commute(fluctuations: DataFrame) -> Figure:
    """With as many blocks as neurons the stream still fluctuates by n^-1/2

    Deviation of log |h_L|^2 over networks with L = n, and the exact law (broad); dashed: plain
    networks, in which depth over width decides.
    """
    figure, ((axes,),) = style.panels(1)
    arms = {"theory": r"residual, $L^{-1/2}$", "plain": "plain"}
    style.arms_against(axes, fluctuations, "width", "deviation", arms, control="plain")
    for number, arm in enumerate(arms):
        law = fluctuations[fluctuations["arm"] == arm].groupby("width")["law"].mean()
        style.theory_line(axes, law.index, law, label=None if number else "exact law", below=True)
    axes.set(xlabel="width n = blocks L", ylabel=r"deviation of $\log\,|h_L|^2$")
    axes.legend()
    return figure
