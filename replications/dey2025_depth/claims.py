"""What is claimed of depth: moments, moves of features, laziness, rules by groups, diversity.

TP6: Yang, Yu, Zhu & Hayou 2023; BP: Bordelon et al. 2023; CP: Dey et al. 2025; JH: Jelassi, Hanin
et al. 2023; WU: Wu et al. 2026; HY: Hayou & Yang 2023. Abstracts, public code and sections 7 to
10 of TP6 were at hand: numbers of theorems and figures are "reported as". "Ours" is derived in the
README.
"""

import numpy as np
from pandas import DataFrame, Series

from widenets.evidence import (
    Claim,
    Rival,
    asymptotic,
    at_most,
    corrected_slope,
    extrapolated,
    jackknife,
    loglog_slope,
    near,
    per_seed,
    worst,
)
from widenets.evidence.optimum import optimal_log2_rate

OURS = "ours, derived in the README"
TP6 = "Yang, Yu, Zhu & Hayou 2023"
CP = "Dey et al. 2025"
JH = "Jelassi, Hanin et al. 2023"
CODE = "public code of Dey et al. 2025, as reported"


def over(column: str, law: str, **fields):
    """Mean over a seed's cells of a measurement over its prediction."""
    return per_seed(
        lambda rows: float((rows[column] / rows[law]).mean()), columns=(column, law), **fields
    )


def mean(column: str, **fields):
    """Mean over a seed's cells."""
    return per_seed(lambda rows: float(rows[column].mean()), columns=(column,), **fields)


def claim(name: str, statement: str, **fields) -> Claim:
    return Claim(name=name, statement=statement, **fields)


MOMENTS = [
    claim(
        "D1_forward_growth",
        "The square of the stream of h + m W |h|, entries of W of variance 1/n, grows by "
        "(1 + m^2)^L in the mean, at every width and depth",
        formula=r"$\mathbb{E}|h_L|^2/|h_0|^2=(1+m^2)^L$",
        source=f"{OURS}, 1; {TP6} recommend |.| as reported",
        part="moments",
        estimator=mean("square"),
        region=near(1, 0.023),
        why="exact at every n and L (8 x 4, 16 x 16, 8 x 64, a = 1/2): noise alone; half of "
        "the way to the rival",
        control="limit",
        kind="level",
        rival=Rival(0.954, "who takes the limit e, mean over L = 4, 16, 64"),
    ),
    claim(
        "D2_block_kernel",
        "The tangent kernel of all blocks h + m W |h|, entries of W of variance 1/n, is "
        "L m^2 (1 + m^2)^(L-1) in the mean, at every width and depth",
        formula=r"$\mathbb{E}\,\Theta=L\,m^2(1+m^2)^{L-1}|h_0|^2|d|^2$",
        source=f"{OURS}, 1",
        part="moments",
        estimator=mean("kernel"),
        region=near(1, 0.03),
        why="exact at every n and L (8 x 4, 16 x 16, 8 x 64, a = 1/2): noise alone; a quarter of "
        "the way to the rival",
        control="limit",
        kind="level",
        rival=Rival(0.870, "who takes the limit e, mean over L = 4, 16, 64"),
    ),
    claim(
        "D2_block_kernel_at_one",
        "With the multiplier 1/L the tangent kernel of all blocks h + m W |h|, entries of W of "
        "variance 1/n, is L m^2 (1 + m^2)^(L-1) too, so that it falls like 1/L",
        source=f"{OURS}, 1",
        part="moments",
        arm="one",
        estimator=mean("kernel"),
        region=near(1, 0.03),
        why="exact at every n and L; read with the law of L^-1/2 it is .154 at L = 4",
        control="half_of_one",
        kind="level",
        rival=Rival(0.154, "who takes the kernel to be that of the multiplier L^-1/2, at L = 4"),
    ),
    claim(
        "D2_every_block_alike",
        "Every block h + m W |h|, entries of W of variance 1/n, has the same gradient norm in the "
        "mean: what the stream grows forward the gradient grows backward",
        source=f"{OURS}, 1",
        part="moments",
        estimator=mean("first_over_last"),
        region=near(1, 0.03),
        why="m^2 (1 + m^2)^(L-1) has no index of a block; the ratio of means over a seed's "
        "networks is biased by the share .001 of their variance",
        control="backward",
        kind="level",
        rival=Rival(1.953, "who looks at the backward vectors alone: (1 + m^2)^(L-1), at L = 4"),
    ),
    claim(
        "D3_fourth_moment",
        "Fluctuations of the stream of h + m W |h|, entries of W of variance 1/n, are exact too, "
        "and for the multiplier L^-1/2 set by the width alone: relative variance e^(4/n) - 1 in "
        "the limit of depth",
        formula=r"$\mathbb{E}|h_L|^4/|h_0|^4=[(1+m^2)^2+(4m^2+2m^4)/n]^L$",
        source=f"Hayou & Yang 2023, as reported, that the limits commute; the constant: {OURS}, 1",
        part="moments",
        estimator=mean("fourth", where={"depth": lambda depth: depth <= 16}),
        region=near(1, 0.05),
        why="exact at every n and L (8 x 4, 16 x 16): noise alone; a fifth of the way to the rival",
        control="no_fluctuations",
        kind="level",
        rival=Rival(0.753, "who squares the mean: (1 + m^2)^(2L) over the law, mean of both sizes"),
    ),
    claim(
        "D3_width_and_depth_commute",
        "With as many blocks as neurons the logarithm of the stream of h + L^-1/2 W |h|, entries "
        "of W of variance 1/n, still fluctuates by n^-1/2",
        source="Hayou & Yang 2023, as reported",
        part="fluctuations",
        estimator=loglog_slope("deviation", "width", summary="rms"),
        region=near(-0.471, 0.08),
        why="the exponent of the exact law at n = L = 8, 16, 32, for -1/2; a plain network at "
        "n = L has -.034",
        control="plain",
        kind="exponent",
        rival=Rival(-0.0344, "who expects depth over width, as in plain networks"),
        tier="laptop",
    ),
    *(
        claim(
            f"D4_{arm}",
            "The mean square |h|^2 / n of the stream of pre-normalised two-layer GELU blocks grows "
            "by b m^2 per block (last weights of variance 2/n) at every width and depth, "
            f"b = .8504, here {said}",
            formula=r"$(\mathbb{E}|h_L|^2-|h_0|^2)/n=b\,m^2L,\ b=2\,E\,\mathrm{gelu}(z)^2$",
            source=f"{OURS}, 2",
            part="streams",
            arm=arm,
            estimator=per_seed("growth"),
            region=near(1, 0.04),
            why="normalised inputs of blocks are exactly standard Gaussians and their last weights "
            "fresh: noise alone at n = L = 8; a quarter of the way to the rival",
            control="growth_relu",
            kind="level",
            rival=Rival(1.176, "who takes b = 1, that of ReLU"),
        )
        for arm, said in (("growth", "without a multiplier"), ("growth_half", "with L^-1/2"))
    ),
    *(
        claim(
            f"D5_zero_mean_{arm}",
            f"With the multiplier L^-1/2 the stream keeps its size at any depth for {said}",
            source=f"{TP6}, as reported, who subtract the mean",
            part="streams",
            arm=arm,
            estimator=loglog_slope("rms", "depth", summary="rms"),
            region=near(0, 0.1),
            why="contributions of zero mean add up like a random walk of L steps of variance 1/L; "
            "the correction is c / L, .01 in the slope from L = 16 on. The rival is the least "
            "that a coherent sum of L^-1/2 gives",
            control="in_relu",
            kind="exponent",
            rival=Rival(0.5, "who adds up branches with a mean, and forgets that they feed back"),
        )
        for arm, said in (
            ("two_gelu", "two-layer blocks"),
            ("inc_relu", "one-layer ReLU blocks less their mean over coordinates"),
            ("in_tanh", "one-layer tanh blocks"),
        )
    ),
    claim(
        "D5_coherent_branch",
        "One-layer ReLU blocks with their mean add up coherently: with the multiplier L^-1/2 the "
        "stream explodes by a law of two numbers, the mean mu and the mean square q of its "
        "coordinates",
        formula=r"$\mu'=\mu+mc,\ q'=q+2m\mu c+\frac{m^2}2q,\ c=\sqrt{q/2\pi}$",
        source=f"{OURS}, 3",
        part="streams",
        arm="wide",
        estimator=per_seed("coherent"),
        region=near(1, 0.05),
        why="ln rms(h_L) over its law for n -> inf, at n = L = 64. Correction: the logarithm's "
        "mean is lower by a quarter of its relative variance 4/n, .006 of 2.55, and the start's "
        "mean adds as much",
        control="wide_inc",
        kind="level",
        rival=Rival(0.098, "who has no coherent sum: (1 + m^2 / 2)^(L/2)"),
    ),
]

MOVES = [
    *(
        claim(
            f"D6_moves_{arm}",
            f"The square of the first-order move of the last features of a plain {arm} network by "
            f"one step of gradient descent is L^2 + v L (L-1)(2L-1) / 6, v = {v}, times that of "
            "one layer, with exact corrections at finite width",
            formula=r"$|dz|^2/|d|^2\to\eta^2[L^2+\frac v6L(L-1)(2L-1)]$",
            source=f"{JH}, as reported, for the exponent; the constant: {OURS}, 4",
            part="movement",
            arm=arm,
            estimator=over("spread", "spread_law"),
            region=near(1, 0.05),
            why="to first order in the step, squares of the layers' inputs at their mean, exact at "
            "every n (here 32): noise alone. The ratio of two means is biased by the share of "
            "their variance, .001",
            control=control,
            kind="level",
            rival=Rival(rival, who),
        )
        for arm, v, control, rival, who in (
            ("relu", 2, "relu_as_linear", 0.584, "who takes v = 1, mean over L = 4 and 8"),
            ("linear", 1, "linear_as_relu", 2.053, "who takes v = 2, mean over L = 4, 8, 16"),
        )
    ),
    claim(
        "D6_real_step",
        "With the inputs that each network has, ReLU networks of four layers come to the same "
        "constant as they get wider: what moves across the gradient over what moves along it",
        formula=r"$T=|dz|^2|d|^2/(d\cdot dz)^2-1\to v\,(L-1)(2L-1)/6L$",
        source=f"{JH}, as reported, for the exponent; the constant: {OURS}, 4",
        part="movement",
        arm="relu_own",
        estimator=extrapolated("excess", "width", summary="mean"),
        region=near(1, 0.08),
        why="network by network, extrapolated in 1/n from n = 32, 64, 128; (L/n)^2 is .016 at 32",
        control="relu_own_as_linear",
        kind="level",
        rival=Rival(0.5, "who takes v = 1"),
        tier="laptop",
    ),
    claim(
        "D6_constant",
        "The first-order move of the last features of infinitely wide plain ReLU networks by one "
        "step of gradient descent has the square (2/3) L^3 in units of one layer's: the largest "
        "rate that keeps it of order 1 is sqrt(3/2) L^-3/2 in those units",
        source=f"{JH}, as reported, for the exponent; the constant: {OURS}, 4",
        part="law",
        arm="relu",
        estimator=asymptotic("constant", "depth", terms=[(2.0, 0), (4.0, 0)]),
        region=near(2 / 3, 0.005),
        why="the closed form of D6 over L^3, whose only other term is 1/(3 L^2); extrapolated",
        control="linear",
        kind="level",
        rival=Rival(1 / 3, "who takes the gates' factor for 1, as in linear networks"),
    ),
    claim(
        "D7_three_halves",
        "The largest rate that keeps the first move of the last features of a plain network of "
        "order 1 falls like L^-3/2",
        source=f"{JH}, as reported",
        part="law",
        arm="relu",
        estimator=asymptotic("moved", "depth", terms=[(2.0, 0), (4.0, 0)], law="power"),
        region=near(1.5, 0.02),
        why="the exponent of the root of D6's closed form, extrapolated with its orders L^-2, L^-4",
        control="residual",
        kind="exponent",
        rival=Rival(1.0, "who has the rate of the kernel, which grows like L"),
    ),
    claim(
        "D7_networks",
        "Over 4 to 16 layers the rms first-order move of the last features of linear networks of "
        "width 32 grows with the exact law's exponent there, 1.451 (1.410 at infinite width, whose "
        "limit is 3/2; deeper networks of width 32 leave every power law)",
        source=f"{OURS}, 4",
        part="movement",
        arm="linear",
        estimator=loglog_slope("moved", "depth", summary="rms"),
        region=near(1.4515, 0.08),
        why="the exponent of the exact law at n = 32 and L = 4, 8, 16. At fixed n its square grows "
        "exponentially in L / n: the local exponent is 1.78 over 16 to 64 layers (1.48 at n = inf) "
        "and 4.27 over 64 to 256 (1.49)",
        control="residual_weights",
        kind="exponent",
        rival=Rival(1.0, "who has the rate of the kernel, which grows like L"),
    ),
    claim(
        "D8_function_moves_like_depth",
        "The function moves like L only: along the gradient the features of a plain ReLU network "
        "move by L, at every width",
        formula=r"$\mathbb{E}\,d\cdot dz/|d|^2=\eta L$",
        source=f"{OURS}, 4",
        part="movement",
        arm="relu",
        estimator=mean("coherent"),
        region=near(1, 0.05),
        why="each layer's part is the same in the mean, exactly: noise alone; a step of linear "
        "networks has it too, one of the features' own size misses by the root of D6",
        control="relu_features",
        kind="level",
        rival=Rival(
            2.134,
            "who takes the features' move, the root of D6, mean over L = 4 and 8; the "
            "control has the mean length, which is less than its rms",
        ),
    ),
    claim(
        "D9_popular_three_halves",
        "Under a stabilizing initialization (weights of variance 1/(nL), one layer per block) the "
        "largest rate of a residual network falls like L^-3/2 in its effective depth, here L, as "
        "in plain networks",
        source="Wu et al. 2026, abstract, as reported: CNNs, ResNets and Transformers alike; "
        "judged by the features' first move",
        part="movement",
        arm="residual_weights",
        estimator=loglog_slope("moved", "depth", summary="rms"),
        region=near(1.5, 0.25),
        why="half of the way to the exponent that holds: for L = 8, 16, 32",
        control="linear",
        expected="fail",
        reason="v = O(1/L) in a residual network whose stream keeps its size: the same formula "
        "gives L^1 with 1/(nL) as the weights' variance, L^0 with m = L^-1/2, L^-1 with 1/L; "
        "plain networks pass. (The number of D9_residual_weights, read against this statement.)",
        kind="exponent",
        rival=Rival(1.0, "the same formula with v = O(1/L)"),
    ),
    *(
        claim(
            f"D9_{arm}",
            "One formula gives the exponent of the rms first-order move of the last features of a "
            f"residual network too: {value:+.3f} over 8 to 32 blocks with {said}",
            source=f"{OURS}, 4",
            part="movement",
            arm=arm,
            estimator=loglog_slope("moved", "depth", summary="rms"),
            region=near(value, 0.08),
            why="the exponent of the exact law at n = 32 and these depths; the limits are 1 and -1",
            control=control,
            kind="exponent",
            rival=Rival(rival, who),
        )
        for arm, value, said, control, rival, who in (
            (
                "residual_weights",
                1.1299,
                "weights of variance 1/(nL)",
                "linear",
                1.5,
                "who takes L^-3/2 for residual networks too",
            ),
            (
                "residual_one",
                -1.0732,
                "the multiplier 1/L",
                "residual",
                0.0,
                "who takes the exponent of the multiplier L^-1/2",
            ),
        )
    ),
    claim(
        "D10_residual_constant",
        "In residual networks with the multiplier L^-1/2 features move by (5/3)^1/2 of what the "
        "kernel moves along the gradient, and not by much more as in plain ones",
        formula=r"$|dz|^2/(d\cdot dz/|d|)^2\to1+\frac v{6L}(L-1)(2L-1),\ v=\frac{2m^2+m^4}"
        r"{(1+m^2)^2}$",
        source=f"{OURS}, 4",
        part="movement",
        arm="residual",
        estimator=over("spread", "spread_law"),
        region=near(1, 0.03),
        why="exact at n = 32 and L = 8, 16, 32 (1.48 to 1.64): noise alone",
        control="residual_coherent",
        kind="level",
        rival=Rival(0.641, "who leaves the part across the gradient out, mean over the depths"),
    ),
]


def slope(column: str, **fields):
    return loglog_slope(column, "depth", **fields)


NO_RULE = "who leaves the rate as it is"
RULE_OF_HALF = "who gives it the factor L^-1/2 of the multiplier L^-1/2"
FIRST_STEP = "In the first step of Adam at the rate L^(a-1)"
BLOCKS_LAZY = (
    f"{TP6}, reported as claim 7.6 and section 9.2; {CP}, as reported; the exponent of the share: "
    f"{OURS}, 5"
)

STEPS = [
    *(
        claim(
            f"D11_features_{arm}",
            f"Under the depth rule of Adam's rate one step of the blocks changes the last features "
            f"by the same at any depth, with {said}",
            formula=r"$\eta\sim L^{a-1}$",
            source=f"{TP6}; {CP}, Table 1, as reported",
            part="steps",
            arm=arm,
            estimator=estimator,
            region=near(0, 0.1),
            why="L changes of order 1/L that agree; with 1/L the stream grows by b/L, which is "
            "fitted there. Correction: L^-2 is left, -.04 in the slope",
            control=control,
            kind="exponent",
            rival=Rival(left, who),
        )
        for arm, said, estimator, control, left, who in (
            ("half", "the multiplier L^-1/2", slope("total"), "half_flat", 0.5, NO_RULE),
            (
                "one",
                "the multiplier 1/L",
                corrected_slope("total", "depth", order=1.0),
                "one_half",
                -0.5,
                RULE_OF_HALF,
            ),
        )
    ),
    *(
        claim(
            f"D11_block_{arm}",
            "Under the depth rule of Adam's rate each block's own change falls like 1/L, with "
            f"{said}",
            source=f"{TP6}; {CP}, as reported",
            part="steps",
            arm=arm,
            estimator=slope("block"),
            region=near(-1, 0.05),
            why="L^-a times the rate's L^(a-1), without a correction",
            control=control,
            kind="exponent",
            rival=Rival(left, who),
        )
        for arm, said, control, left, who in (
            ("half", "the multiplier L^-1/2", "half_flat", -0.5, NO_RULE),
            ("one", "the multiplier 1/L", "one_half", -1.5, RULE_OF_HALF),
        )
    ),
    claim(
        "D12_blocks_lazy_at_half",
        f"{FIRST_STEP}, with the multiplier L^-1/2, GELU blocks train lazily: the share of a "
        "block's change that its linearization misses falls like L^-1/2",
        formula=r"share $\sim L^{a-1}$",
        source=BLOCKS_LAZY,
        part="steps",
        arm="half",
        estimator=slope("share"),
        region=near(-0.5, 0.08),
        why="a change s = L^(a-1) of what enters a smooth activation leaves s^2; the next order "
        "is s^2 of .02 in all",
        control="one",
        kind="exponent",
        rival=Rival(-0.25, "the law of ReLU blocks (D13)"),
    ),
    claim(
        "D12_blocks_not_lazy_at_one",
        f"{FIRST_STEP}, with the multiplier 1/L, GELU blocks do not train lazily: the share of a "
        "block's change that its linearization misses stays",
        source=BLOCKS_LAZY,
        part="steps",
        arm="one",
        estimator=slope("share"),
        region=near(0, 0.08),
        why="weights inside blocks change by the same at any depth",
        control="half",
        kind="exponent",
        rival=Rival(-0.5, "who has the law of L^-1/2 for every multiplier"),
    ),
    *(
        claim(
            f"D13_relu_{name}",
            f"{FIRST_STEP}, with the multiplier L^-1/2, {said} are lazy like L^-1/4 only: a "
            "change s of what enters flips a share s of the gates, each for an error s",
            formula=r"rms remainder $\sim s^{3/2}$, share $\sim s^{1/2}=L^{(a-1)/2}$",
            source=f"{OURS}, 5",
            part="steps",
            arm=f"relu_{name}",
            estimator=slope("share"),
            region=near(-0.25, 0.1),
            why="of Gaussian z and s: share^2 = 4 s / (3 pi); the product of both weights' changes "
            "adds s^2 to it in two layers. Less than half of the way to the rival",
            control="gelu_deep",
            kind="exponent",
            rival=Rival(-0.5, "who has the law of smooth activations"),
            tier="laptop",
        )
        for name, said in (
            ("two", "two-layer ReLU blocks"),
            ("one", "one-layer ReLU blocks less their mean"),
        )
    ),
    claim(
        "D14_linear_in_weights",
        "Blocks W phi(h) have no laziness of their own at any multiplier: they are linear in their "
        "weights",
        source=f"{OURS}, 5",
        part="steps",
        arm="out_tanh",
        estimator=worst(lambda rows: rows["share"].max(), columns=("share",)),
        region=at_most(1e-8),
        why="rounding; one-layer blocks with phi outside miss .003 and more",
        control="in_tanh",
        kind="identity",
        tier="laptop",
    ),
    claim(
        "D15_network_not_lazy_at_half",
        f"{FIRST_STEP}, the network as a whole is not lazy with the multiplier L^-1/2: the share "
        "of its features' change that the linearization misses stays",
        source=f"{TP6}, reported as section 7.2: layerwise, not global linearization; the share's "
        f"exponent: {OURS}, 5",
        part="steps",
        arm="half_network",
        estimator=slope("share"),
        region=near(0, 0.15),
        why="the change of the stream turns the derivative of each later block by m times a "
        "number of random sign; L of them with m = L^-1/2 make O(1)",
        control="half",
        kind="exponent",
        rival=Rival(-0.5, "who reads the laziness of blocks for the network's"),
        tier="laptop",
    ),
    claim(
        "D15_popular_lazy_at_half",
        f"{FIRST_STEP}, with the multiplier L^-1/2, the network trains lazily: what its "
        "linearization misses vanishes like L^-1/2",
        source=f"popular reading of {CP} ('a = 1/2 trains lazily, a = 1 does not') for the network",
        part="steps",
        arm="half_network",
        estimator=slope("share"),
        region=near(-0.5, 0.2),
        why="the blocks' own exponent, less than half of the way to 0; blocks pass",
        control="half",
        expected="fail",
        reason="laziness of blocks is one per layer; blocks turn each other's derivatives by O(1). "
        "TP6, section 7.2, says so itself. (The number of D15_network_not_lazy_at_half, read "
        "against this statement.)",
        kind="exponent",
        rival=Rival(0.0, "random turns of L derivatives, each by L^-1/2"),
        tier="laptop",
    ),
    claim(
        "D15_popular_rich_at_one",
        "After the first step of Adam, with the multiplier 1/L, the share of its features' change "
        "that the network's linearization misses is the same at any depth",
        source=f"popular reading of {CP} ('a = 1/2 trains lazily, a = 1 does not') for the network",
        part="steps",
        arm="one_network",
        estimator=slope("share"),
        region=near(0, 0.15),
        why="less than half of the way to remainders of blocks of random signs; blocks pass",
        control="one",
        expected="fail",
        reason="it is a = 1 whose share falls: remainders of blocks of 1/L each have nearly random "
        "signs, so that they add up to L^-1/2 and not to 1. After more steps it falls by less "
        "(README)",
        kind="exponent",
        rival=Rival(-0.5, "remainders of blocks that add up like a random walk"),
        tier="laptop",
    ),
]


def along(name: str, statement: str, arm: str, column: str, **fields) -> Claim:
    return claim(
        name,
        statement,
        part="diversity",
        arm=arm,
        estimator=per_seed(column),
        kind="exponent",
        tier="laptop",
        **fields,
    )


DIVERSITY = [
    *(
        along(
            f"D18_{reading}",
            f"With the multiplier L^-1/2 {said} changes over a share u of the depth like u^1/2",
            f"half_{reading}",
            "exponent",
            source=f"{TP6}, as reported: feature diversity 1/2",
            region=near(0.5, margin),
            why=why,
            control=control,
            rival=Rival(rival, who),
        )
        for reading, said, margin, why, control, rival, who in (
            (
                "init",
                "the stream of blocks W tanh(h) at the start",
                0.1,
                "independent branches add up like a random walk, with 1/L too (.50): it tells "
                "branches without a mean, not the multiplier. Less than half of the way to the "
                "rival",
                "half_in_relu",
                0.719,
                "who has it for branches with a mean, one-layer ReLU",
            ),
            (
                "trained",
                "the stream of blocks W tanh(h) after four steps of Adam",
                0.07,
                "the walk outweighs what is learned. Half of the way to the rival",
                "one_trained",
                0.64,
                "who has the same of 1/L, where what is learned is as large as the walk",
            ),
            (
                "learned",
                "what four steps of Adam add to the stream of blocks W tanh(h)",
                0.1,
                "each block's share has a random part of its own. Correction: what is smooth adds "
                "A u^2 to B u, .67 at u = 1/32 to 1/8 and less at 1/256: + .03. Less than a "
                "quarter of the way to the rival",
                "one_learned_fine",
                0.965,
                "who has the same of 1/L, where what is learned is smooth",
            ),
        )
    ),
    along(
        "D19_learned_is_smooth_at_one",
        "With the multiplier 1/L what four steps of Adam add to the stream of blocks W tanh(h) "
        "changes over a share u of the depth (1/32 to 1/8) like u",
        "one_learned",
        "exponent",
        source=f"{TP6}, as reported; the correction: {OURS}, 6",
        formula=r"$D^2(u)=Au^2+Bu/L$",
        region=near(1, 0.1),
        why="a smooth part of order 1. Correction: the walk's share of D^2 falls like 1/(u L), "
        "-.005 in the exponent. Less than a third of the way to the rival",
        control="half_coarse",
        rival=Rival(0.667, "the multiplier L^-1/2 over the same u"),
    ),
]


IN_BLOCKS = {
    "hidden": "hidden weights",
    "gain": "gains of normalisations in blocks",
    "bias": "biases in blocks",
}
OUTSIDE = {"embedding": "the embedding", "final": "the gain of the last normalisation"}


def rule(name: str, statement: str, column: str, arm: str, control: str, rival: Rival, **fields):
    return claim(
        name,
        statement,
        part="rules",
        arm=arm,
        estimator=slope(column),
        control=control,
        kind="exponent",
        rival=rival,
        **{"region": near(0, 0.08), "source": f"{CP} and {CODE}", **fields},
    )


RULES = [
    *(
        rule(
            f"D16_{group}",
            f"With the multiplier L^-1/2 Adam's rate of {said} goes like L^(a-1): their part of "
            "the loss's first decrease is the same at any depth",
            f"gain_{group}",
            "half",
            "half_flat",
            Rival(0.5, NO_RULE),
            why="gradients of L blocks of order L^-a each; paired over depths. Correction: "
            "relatively 1/L, .02 in the slope",
            region=near(0, 0.08 if group == "hidden" else 0.1),
        )
        for group, said in IN_BLOCKS.items()
    ),
    *(
        rule(
            f"D16_{group}",
            f"Adam's rate of {said} has no factor of depth, with the multiplier L^-1/2 either",
            f"gain_{group}",
            "half",
            "half_everywhere",
            Rival(-0.5, "who gives it the factor of blocks"),
            why="stream and gradients of order 1 at any depth; paired over depths",
        )
        for group, said in OUTSIDE.items()
    ),
    rule(
        "D16_no_rule_at_one",
        "With the multiplier 1/L the rate of hidden weights needs no factor of depth",
        "gain_hidden",
        "one",
        "half_flat",
        Rival(0.5, "who says that every multiplier needs its factor"),
        why="L^(a-1) is 1. Correction: the stream's growth by b/L, .04 in the slope",
    ),
    *(
        rule(
            f"D17_eps_{arm}",
            f"Adam's epsilon of blocks must shrink like L^-a, the multiplier being {said}",
            "update_hidden",
            arm,
            f"{arm}_flat",
            Rival(-power, "who leaves epsilon as it is"),
            why="gradients of blocks do. Correction: 1/30, the rms of gradients over epsilon, "
            "where it is read, and relatively 1/L: .02 in the slope",
        )
        for arm, power, said in (("half", 0.5, "L^-1/2"), ("one", 1.0, "1/L"))
    ),
    rule(
        "D17_eps_of_the_embedding",
        "The epsilon of the embedding must not have the factor of depth",
        "update_embedding",
        "half",
        "half_everywhere",
        Rival(0.5, f"an earlier state of the {CODE}: L^-a for all groups"),
        why="its gradient is of order 1 at any depth",
    ),
]

SOFTNESS = 0.1  # of ln loss: what lies so far above the lowest value counts e times less


def lowest(curve) -> float:
    """ln of where the mean ln loss is lowest, against a grid of settings (a Series over it).

    The vertex of a parabola in ln, each value weighted by exp(-(loss - least) / SOFTNESS), so that
    the fit is local and has no preferred place; nan where the grid does not bracket it.
    """
    places, values = np.log(curve.index.to_numpy(float)), curve.to_numpy(float)
    weights = np.exp(-(values - values.min()) / SOFTNESS)
    bend, slope, _ = np.polyfit(places, values, 2, w=np.sqrt(np.maximum(weights, 1e-9)))
    vertex = -slope / (2 * bend) if bend > 0 else np.nan
    return float(vertex) if places[0] < vertex < places[-1] else np.nan


def exponent_of(places) -> float:
    """Slope of the logarithms `places` on ln L (a Series over L)."""
    return float(np.polyfit(np.log(places.index.to_numpy(float)), places, 1)[0])


def exponent_of_best_rate(rows: DataFrame) -> float:
    losses = rows.groupby(["depth", "rate"])["log_loss"].mean()
    return exponent_of(losses.groupby("depth").apply(lambda of: lowest(of.droplevel("depth"))))


def exponent_of_best_multiplier(rows: DataFrame) -> float:
    """Each multiplier at the best of its rates, in the mean over seeds, located within two octaves:
    small multipliers leave a plateau as wide as the grid, which would draw `lowest` to itself."""
    losses = rows.groupby(["depth", "factor", "rate"])["log_loss"].mean()
    best = losses.groupby(["depth", "factor"]).min().reset_index("factor")
    found = {
        depth: optimal_log2_rate(np.log2(of["factor"]), np.exp(of["log_loss"]))
        for depth, of in best.groupby("depth")
    }
    return exponent_of(Series(found) * np.log(2))


def one_less_half(rows: DataFrame) -> float:
    """ln loss at m = (32 / 2)^-1 less that at (32 / 2)^(-1/2), each at its best rate."""
    best = rows.groupby(["factor", "rate"])["log_loss"].mean().groupby("factor").min()
    return float(best[1 / 16] - best[1 / 4])


TRANSFER = [
    *(
        claim(
            f"D20_rate_transfers_{arm}",
            f"With the multiplier {said} the best rate of the blocks, in units of the rule "
            "L^(a-1), is the same at 2, 8 and 32 blocks",
            source=source,
            part="transfer",
            arm=arm,
            estimator=jackknife(exponent_of_best_rate, columns=("depth", "rate", "log_loss")),
            region=near(0, 0.25),
            why="the same change of the function per step at any depth; half of the way to the "
            "exponent that is left if a = 1/2 and 1 exchange their rules",
            control="unscaled",
            kind="exponent",
            rival=Rival(rival, who),
            tier="paper",
        )
        for arm, said, rival, who, source in (
            (
                "half",
                "L^-1/2",
                -0.5,
                NO_RULE,
                f"{TP6} for one layer per block; it reports shifts for two (section 9.1). For "
                "these blocks: ours, untested",
            ),
            ("one", "1/L", 0.5, RULE_OF_HALF, f"{CP}, as reported"),
        )
    ),
    claim(
        "D21_popular_best_multiplier",
        "The best multiplier of residual branches falls like 1/L: a = 1 is the best exponent",
        source=f"popular reading of {CP}, as reported; at n = 32, 160 steps, without attention",
        part="multipliers",
        arm="two_gelu",
        estimator=jackknife(
            exponent_of_best_multiplier, columns=("depth", "factor", "rate", "log_loss")
        ),
        region=near(-1, 0.2),
        why="less than half of the way to the multiplier that keeps the stream's own growth O(1) "
        "with branches of independent directions; branches of one direction pass",
        control="coherent",
        expected="fail",
        reason="branches of independent weights add up like sqrt(L) m at the start, and the best "
        "multiplier keeps that O(1); only branches that agree, as one-layer ReLU branches do "
        "through their mean (D5), add up like L m",
        kind="exponent",
        rival=Rival(-0.5, "independent branches: sqrt(L) m of order 1"),
        tier="paper",
    ),
    claim(
        "D22_popular_one_beats_half",
        "At 32 blocks a = 1 leaves no more of the loss than a = 1/2, each at its best rate and "
        "with two blocks as depth of base",
        source=f"popular reading of {CP}, as reported; at n = 32, 160 steps, without attention",
        part="multipliers",
        arm="two_gelu",
        estimator=jackknife(
            one_less_half, where={"depth": 32}, columns=("factor", "rate", "log_loss")
        ),
        region=at_most(0),
        why="what it says; branches of one direction, whose best multiplier falls like 1/L, pass",
        control="coherent",
        expected="fail",
        reason="1/16 is below the best multiplier of independent branches, 1/4 is near it (D21); "
        "gains of a = 1 are reported at 1e8 parameters with attention and decay, not at this size",
        tier="paper",
    ),
]

CLAIMS = [*MOMENTS, *MOVES, *STEPS, *DIVERSITY, *RULES, *TRANSFER]
