"""What is claimed of the limit with feature learning, what is popularly said, and its checks.

BP22, BP23: Bordelon & Pehlevan 2022, 2023; ABP: Atanasov, Bordelon & Pehlevan 2021; TP4: Yang & Hu
2021. Of these the abstracts and the authors' notebook on linear networks were at hand, so that
numbers of theorems are not given. "Ours" is derived in the README. Numbers of the limit have no
noise (`exact`); those of networks are blocks of networks, less the noise that is known.
"""

import numpy as np
from pandas import DataFrame

from widenets.evidence import (
    Claim,
    Rival,
    at_least,
    at_most,
    exact,
    extrapolated,
    jackknife,
    loglog_slope,
    near,
    per_seed,
    worst,
)

BP22 = "Bordelon & Pehlevan 2022"
BP23 = "Bordelon & Pehlevan 2023"
ABP = "Atanasov, Bordelon & Pehlevan 2021"
NOTEBOOK = "the notebook on linear networks that BP22's authors publish"
DIRECTIONS = (
    "(d1 = K_x v v' K_x, d2 = K_x (V + V') K_x, d3 = (v' K_x v) K_x, d4 = 2 tr(K_x V) K_x with v = "
    "int Delta, V = int Delta v')"
)


def furthest(column: str, value: float = 1.0):
    """Of all cells, the number that is furthest from `value`."""

    def statistic(rows: DataFrame) -> float:
        found = rows[column].to_numpy(float)
        return float(found[np.argmax(np.abs(found - value))])

    return statistic


def of_limit(statistic, *columns: str, where=None):
    return exact(statistic, resolution=1e-9, where=where, columns=columns)


def slope(x: str, y: str):
    """Local exponent over the two largest x."""

    def statistic(rows: DataFrame) -> float:
        last = rows.sort_values(x)[[x, y]].to_numpy(float)[-2:]
        return float(np.diff(np.log(last[:, 1]))[0] / np.diff(np.log(last[:, 0]))[0])

    return statistic


def smallest_rates(rows: DataFrame) -> float:
    """Local exponent of the gap over the two smallest rates."""
    first = rows.sort_values("rate")[["rate", "gap"]].to_numpy(float)[:2]
    return float(np.diff(np.log(first[:, 1]))[0] / np.diff(np.log(first[:, 0]))[0])


def _bias_over_wide(rows: DataFrame) -> float:
    return float(rows["bias"].mean() ** 2 / rows["square"].mean())


def _gone_over_formula(rows: DataFrame) -> float:
    """1 - sqrt(loss left) over 11.32 / (s + 10.35), s = g0 |y|, which left / ratio, the loss
    (1 - 11.32 / s)^2, tells."""
    root = np.sqrt(rows["left"] / rows["ratio"])
    first = np.where(rows["richness"] > 100, 1 - root, 1 + root)  # 11.32 / s
    formula = first / (1 + 10.35 / 11.32 * first)
    return float(((1 - np.sqrt(rows["left"])) / formula).mean())


def _largest_misfit(rows: DataFrame) -> float:
    return float(rows[["kernel", "features"]].to_numpy(float).max())


def network_limit(column: str):
    """N -> infinity with the orders 1/N and 1/N^2."""
    return extrapolated(column, "width", orders=(1.0, 2.0), summary="mean")


EXACT = [
    Claim(
        name="D1_final_kernel",
        statement="One linear hidden layer, one sample with |x| = y = 1: training at richness g0 "
        "ends at Phi = sqrt(1 + g0^2), for g0 from 1/2 to 4",
        formula=r"$\Phi_\infty=\sqrt{1+g_0^2y^2},\ K_\infty=2\Phi_\infty$",
        source=f"{BP22} (closed form of two-layer linear networks); derived again in the README, 1",
        part="final",
        estimator=of_limit(furthest("ratio"), "ratio"),
        region=near(1, 0.002),
        why="exact in the flow. The control keeps Phi of the start. Correction: second order in "
        "the rate, which two rates leave: 3e-4",
        control="frozen",
        kind="level",
        rival=Rival(1.00623, "who stops at the order g0^2: (1 + g0^2/2) / q at g0 = 1/2"),
    ),
    Claim(
        name="D2_leading_kernel",
        statement="The kernel of a linear network with L hidden layers and one sample changes by "
        "the share [L(L+2) / (3(L+1))] g0^2 f^2 at small g0, L = 2, 3, 4",
        formula=r"$K/K_0=1+\frac{L(L+2)}{3(L+1)}g_0^2f^2$",
        source="ours (README, 2)",
        part="first_order",
        estimator=of_limit(furthest("coefficient"), "coefficient", where={"depth": (2, 3, 4)}),
        region=near(1, 0.005),
        why="measured over formula at g0 = .02. Correction: g0^2 = 4e-4, times a number below one",
        control="no_responses",
        kind="level",
        rival=Rival(0.5, "who leaves responses out: 6 / ((L+1)(L+2)) of it, 1/2 at L = 2"),
    ),
    Claim(
        name="D2_any_data",
        statement="For three dependent samples the whole matrix K - K_0 is g0^2 L(L+1)^2(L+2)/12 "
        "times (d1 + d2 + d3 + d4), and Phi^l - K_x of each layer a known sum of d1 and d2, L = 1 "
        "to 4 " + DIRECTIONS,
        formula=r"$\Delta K=g_0^2\frac{L(L+1)^2(L+2)}{12}\sum_i d_i,\ "
        r"\Delta\Phi^l=g_0^2\sum_{k\leq l}[k^2d_1+k(L+1-k)d_2]$",
        source="ours (README, 2)",
        part="first_order",
        estimator=of_limit(_largest_misfit, "kernel", "features"),
        region=at_most(0.005),
        why="largest entry of the difference over the largest of the change; the next order is "
        "4e-4. Without responses it is at least a half from L = 2 on",
        control="no_responses",
    ),
    Claim(
        name="D2_first_layer_moves_least",
        statement="Layers do not move alike: at L = 3 the kernel of the first hidden layer changes "
        "by a sixth of that of the last",
        formula=r"$(\Phi^1-1)/(\Phi^L-1)=2/(L(L+1))$",
        source="ours (README, 2)",
        part="first_order",
        estimator=of_limit("first_layer", "first_layer", where={"depth": 3}),
        region=near(1 / 6, 0.002),
        why="Phi^l - 1 is as l(l+1). Correction: g0^2 at g0 = .02, 1e-4 of the ratio",
        control="no_responses",
        kind="level",
        rival=Rival(1 / 3, "who leaves responses out, so that Phi^l - 1 is as l"),
    ),
    Claim(
        name="D3_order_without_responses",
        statement="The leading change of the kernel of L linear layers is that of independent "
        "gradients, g0^2 L(L+1)/2 (d1 + d2 + d3 + d4), L = 2, 3, 4 " + DIRECTIONS,
        source="the prefactor of `perturb_theory` in " + NOTEBOOK + "; its V has a plus where int "
        "Delta v' has a minus, put right here, and its own output differs. The paper's text was "
        "not at hand",
        part="first_order",
        estimator=of_limit(furthest("over_bare"), "over_bare", where={"depth": (2, 3, 4)}),
        region=near(1, 0.1),
        why="measured over formula; it is exact for the limit without responses",
        control="no_responses",
        expected="fail",
        reason="it leaves the responses A and B out: short by (L+1)(L+2)/6, which is 2, 10/3 and 5",
        kind="level",
        rival=Rival(2.0, "with responses, at L = 2"),
    ),
    Claim(
        name="D4_small_richness",
        statement="The output of L linear layers trained on one sample differs from the frozen "
        "kernel's by a known multiple of g0^2, at K_0 t = 2, L = 1, 2, 3",
        formula=r"$f-f_{NTK}=g_0^2\,c\,e^{-\tau}(\tau-3/2+2e^{-\tau}-e^{-2\tau}/2)$",
        source="ours (README, 3)",
        part="output",
        estimator=of_limit(furthest("ratio"), "ratio"),
        region=near(1, 0.01),
        why="the first order in g0^2, at g0 = .1; the control leaves responses out. Correction: "
        "g0^2 = .01 times a number below one half",
        control="no_responses",
        kind="level",
        rival=Rival(0.5, "who leaves responses out, at L = 2"),
    ),
    Claim(
        name="D5_lazy_exponent",
        statement="The feature kernel of the second layer of two tanh layers (Phi^2: an index, not "
        "a square) leaves its frozen value like g0^2",
        source=f"{BP22} (perturbation at small richness)",
        part="small",
        estimator=of_limit(slope("richness", "features"), "richness", "features"),
        region=near(2, 0.05),
        why="g0 -> -g0 is a change of the readout's sign, so that the next order is g0^4. The "
        "control has g0 = 1, 2. Correction: g0^2 of the change, times -.15: -.002 in the exponent. "
        "The 2048 sampled points leave another -.02",
        control="rich",
        kind="exponent",
        rival=Rival(1.0, "who takes the 1/alpha of lazy training without a symmetric start"),
    ),
    *(
        Claim(
            name=f"D6_rich_exponent_{depth}",
            statement=f"At large g0 the kernel of {words} linear layers grows like "
            f"g0^(2L/(L+1)), with L = {depth}",
            formula=r"$K_\infty\to(L+1)\,g_0^{2L/(L+1)}$",
            source="balanced networks of Saxe et al. 2014 and " + ABP + "; README, 4",
            part="large",
            estimator=of_limit(
                slope("richness", "change"), "richness", "change", where={"depth": depth}
            ),
            region=near(2 * depth / (depth + 1), 0.02),
            why="all L+1 matrices end with the same norm; the control has g0 = .05, .1. "
            "Correction: relatively g0^(-2/(L+1)) at g0 = 128, 256: up to -.006 in the exponent",
            control="small",
            kind="exponent",
            rival=Rival(other, f"who takes the law of L = {nearest}"),
        )
        for depth, words, other, nearest in ((2, "two", 1.5, 3), (3, "three", 1.6, 4))
    ),
    Claim(
        name="D6_popular_square",
        statement="Richness moves the kernel like g0^2, at g0 = 128 to 256 with two layers too",
        source="popular reading of the perturbation at small richness",
        part="large",
        estimator=of_limit(slope("richness", "change"), "richness", "change", where={"depth": 2}),
        region=near(2, 0.1),
        why="what would follow, and does at g0 = .05 to .1",
        control="small",
        expected="fail",
        reason="weights balance: three factors share what f = y asks for, so that K goes as "
        "g0^(4/3). (The same number as in D6_rich_exponent_2, read against 2.)",
        kind="exponent",
        rival=Rival(4 / 3, "balanced layers: 2L / (L+1)"),
    ),
    Claim(
        name="D9_flow_is_not_the_step",
        statement="The equation of flow taken step by step, df = eta K Delta, misses the limit of "
        "descent by O(eta)",
        source=f"ours, against {NOTEBOOK}",
        part="flow_form",
        estimator=of_limit(smallest_rates, "rate", "gap"),
        region=near(1, 0.1),
        why="a step changes w.phi by a product of two changes as well, eta^2 for each of 1/eta "
        "steps. Correction: one order in eta more, of which two rates leave less than .01 in the "
        "exponent",
        control="extrapolated",
        kind="exponent",
        rival=Rival(2.0, "who takes it for a scheme of second order"),
    ),
    *(
        Claim(
            name=f"D10_readout_needs_responses_{depth}",
            statement=f"Without responses <z phi> / g0 gets {words} of the first step of {depth} "
            "linear layers",
            formula=r"$f_1=\frac{2}{L+1}\,\eta K_0y$",
            source="ours (README, 5)",
            part="first_step",
            estimator=of_limit("ratio", "ratio", where={"depth": depth}),
            region=near(2 / (depth + 1), 0.002),
            why="exact at g0 -> 0: of L + 1 equal terms of K_0 the readout's and the last layer's "
            "are left",
            control="with_responses",
            kind="level",
            rival=Rival(1.0, "who takes responses for a correction of higher order"),
        )
        for depth, words in ((2, "two thirds"), (3, "half"))
    ),
    Claim(
        name="D11_popular_mild",
        statement="Gradient independence is a mild approximation: without responses K_11 of three "
        "tanh layers moves the same way, g0 = 1",
        source=f"popular; {BP22} report that it breaks",
        part="sign",
        estimator=of_limit("ratio", "ratio"),
        region=at_least(0),
        why="the change of K_11 without them over that with them; positive where the sign is "
        "right, as with one layer (control), which has no responses",
        control="one_layer",
        expected="fail",
        reason="without responses K_11 grows by a quarter, with them it falls by 3 %",
    ),
    Claim(
        name="D17_change_has_rank_one",
        statement="In a linear network on white data the change of each Phi^l is of rank one, "
        "whatever the labels; measured on Phi^2 of two hidden layers, g0 = 1",
        source=f"{BP22}; {ABP}",
        part="rank",
        estimator=worst("ratio"),
        region=at_most(1e-12),
        why="all moves along the labels; second over first eigenvalue, rounding alone",
        control="anisotropic",
        kind="identity",
    ),
    Claim(
        name="D18_alignment_is_silent_at_small_init",
        statement="One linear hidden layer, three white samples, g0 = 1000: when the kernel's "
        "alignment with y y' has gone 90 % of its way, f has gone only 11.32 / (g0 |y|) of its own",
        formula=r"$f/|y|=11.32/(s+10.35),\ s=g_0|y|$",
        source=f"{ABP}; constant: ours (README, 6)",
        part="silent",
        estimator=per_seed(_gone_over_formula, columns=("left", "ratio", "richness")),
        region=near(1, 0.01),
        why="what has gone of |y - f| over 11.32 / (s + 10.35), whose second order is that of the "
        "end's own alignment, which stops short of its limit; the flow's own law is .1 % from it "
        "at s = 40 and nearer above. Correction: of second order in the step, in which weights "
        "grow by 4 %. The control is g0 = 1, where s is no large number",
        control="rich",
        kind="level",
        rival=Rival(0.276, "who asks for 90 % of the last alignment and not of the way to it"),
    ),
    Claim(
        name="D19_popular_machine",
        statement="That a network's f is the regression with its final kernel is evidence of "
        "silent alignment: it does not hold in linear networks at g0 = 1 and 4, on dependent data",
        source="popular reading of " + ABP,
        part="machine",
        estimator=of_limit(lambda rows: float(rows["gap"].max()), "gap"),
        region=at_least(0.01),
        why="what would follow; at a test point out of the span of the training points, where a "
        "kernel x' M x with a random M, the control, misses by more than a tenth",
        control="any_kernel",
        expected="fail",
        reason="in the limit of linear networks K maps the span of the data to itself and the "
        "weights stay in it, so that f = K K^-1 f_train at every time and richness; the kernel of "
        "the start obeys it too",
    ),
    Claim(
        name="D22_threshold",
        statement="Descent of the limit, one linear layer with g0 >= 1, converges at eta g0 y = "
        ".99 and not at 1.01",
        source="ours (README, 7)",
        part="edge",
        estimator=of_limit(lambda rows: float(rows["divides"].min()), "divides"),
        region=at_least(0.5),
        why="1 if it is so at each g0 from 1 to 8, 0 if not: every minimum has K >= 2 g0 y. The "
        "control divides at the flow's minimum, eta g0 = g0 "
        "/ sqrt(1 + g0^2)",
        control="minimum",
    ),
    Claim(
        name="D22_ends_at_the_floor",
        statement="At eta g0 y = .97 descent ends at the least kernel of all minima, K = 2 g0 y, "
        "g0 = 1 to 8",
        source="ours (README, 7), measured first",
        part="floor",
        estimator=of_limit(furthest("ratio"), "ratio"),
        region=near(1, 0.01),
        why="oscillation multiplies K^2 - 4 f^2 by (1 - c^2)^2 a step until it is below 2 / eta; "
        "the control, eta g0 = .3, does not oscillate. Correction: what is left of f at the last "
        "step that oscillates, second order: K is above its floor by less than .1 %",
        control="slow",
        kind="level",
        rival=Rival(1.0309, "who has it end at the edge of stability: K = 2 / eta"),
    ),
    Claim(
        name="D22_catapult",
        statement="At g0 = 1/2 the limit converges at rates where the frozen kernel diverges, to "
        "half as much again",
        source=f"{BP23} (edge of stability and catapults); bound: ours",
        part="catapult",
        estimator=of_limit("rate", "rate"),
        region=at_least(1.5),
        why="the first failing rate; the frozen kernel K = 2 diverges from eta = 1 on; at g0 = 2 "
        "(control) it is 1/2. Descriptive threshold",
        control="rich",
    ),
    Claim(
        name="D23_popular_faster",
        statement="Richer networks (g0 = 4) reach .9 y no later than the frozen kernel, in units "
        "of their own largest stable step",
        source="popular: feature learning speeds training up",
        part="speed",
        estimator=of_limit(
            lambda rows: float(rows["ratio"].min()), "ratio", where={"richness": 4.0}
        ),
        region=at_most(1),
        why="time x K_max / ln 10; at a fixed rate (control, with K of the start) it is true",
        control="fixed",
        expected="fail",
        reason="the kernel, and with it the sharpness, is largest at the end, and small at first",
    ),
]

NETWORKS = [
    Claim(
        name="D7_tanh_output",
        statement="Networks of two tanh layers tend to the limit: the output f_2 at the second "
        "training point after six steps (two points, y = 1, -1/2), g0 = 1",
        source=f"{BP22}; Yang & Hu 2021",
        part="nets",
        estimator=network_limit("f2"),
        region=near(1, 0.03),
        why="over the limit, in 1/N and 1/N^2 from N = 16 to 128; 1/N^3 is .002. The control is "
        "held against the limit without responses",
        control="no_responses",
        kind="level",
        rival=Rival(0.778, "who leaves responses out; the frozen kernel has .516"),
    ),
    Claim(
        name="D7_tanh_kernel",
        statement="Networks of two tanh layers tend to the limit: the kernel K_11 at the first "
        "training point after six steps (two points, y = 1, -1/2), g0 = 1",
        source=f"{BP22}; Yang & Hu 2021",
        part="nets",
        estimator=network_limit("kernel"),
        region=near(1, 0.02),
        why="as for f_2",
        control="no_responses",
        kind="level",
        rival=Rival(1.0615, "who leaves responses out"),
    ),
    Claim(
        name="D7_tanh_first_output",
        statement="Networks of two tanh layers tend to the limit: the output f_1 at the first "
        "training point after six steps (two points, y = 1, -1/2), to half a percent",
        source=f"{BP22}; Yang & Hu 2021",
        part="nets",
        estimator=network_limit("f1"),
        region=near(1, 0.005),
        why="half of the way to the limit without responses; the limit itself is known to 3e-4. "
        "The control is held against the frozen kernel",
        control="frozen",
        kind="level",
        rival=Rival(0.989, "who leaves responses out"),
        tier="laptop",
    ),
    Claim(
        name="D7_linear_output",
        statement="Networks of two linear layers tend to the limit of descent: the output f_1 at "
        "the first training point after five steps (two points, y = 1, -1/2), to half a percent",
        source=f"{BP22}; Yang & Hu 2021",
        part="nets",
        arm="linear",
        estimator=network_limit("f1"),
        region=near(1, 0.005),
        why="half of the way to the equation of flow taken at these steps, .6501 for .6569. The "
        "control is held against the limit without responses",
        control="linear_no_responses",
        kind="level",
        rival=Rival(0.9897, "who takes df = eta K Delta at real steps (D9)"),
        tier="laptop",
    ),
    Claim(
        name="D7_linear_kernel",
        statement="Networks of two linear layers tend to the limit: the kernel K_11 at the first "
        "training point after five steps (two points, y = 1, -1/2)",
        source=f"{BP22}; Yang & Hu 2021",
        part="nets",
        arm="linear",
        estimator=network_limit("kernel"),
        region=near(1, 0.02),
        why="in 1/N and 1/N^2; the control is held against the limit without responses",
        control="linear_no_responses",
        kind="level",
        rival=Rival(0.847, "who leaves responses out"),
        tier="laptop",
    ),
    Claim(
        name="D8_deviation",
        statement="Single networks of two tanh layers deviate from the limit by N^(-1/2)",
        source=BP23,
        part="nets",
        estimator=loglog_slope("deviation", "width", summary="rms"),
        region=near(-0.5, 0.05),
        why="rms over networks and three points of f less the limit; the squared bias of 1/N^2 "
        "adds 3 % at N = 16, .01 in the exponent. Against the frozen kernel it tends to a constant "
        "(slope -.21 here)",
        control="frozen",
        kind="exponent",
        rival=Rival(-1.0, "who takes the order of the bias"),
        tier="laptop",
    ),
    Claim(
        name="D12_exact_final_kernel",
        statement="With one linear hidden layer and one sample, |x| = y = 1, the kernel of every "
        "network of width 32 is known at every time from X, Y at its start; read after 40 steps",
        formula=r"$K^2=4g_0^2f^2+4XY\prod_t(1-c_t^2)^2$",
        source="ours (README, 1)",
        part="exact_kernel",
        estimator=worst(lambda rows: float(rows["error"].max()), columns=("error",)),
        region=at_most(1e-9),
        why="an identity; X, Y = |w +- u|^2 / (2N), c = eta g0 Delta. The control leaves the "
        "product out, as the flow would",
        control="no_product",
        kind="identity",
    ),
    Claim(
        name="D13_noise_of_the_kernel",
        statement="With one linear hidden layer and one sample, |x| = y = 1, the noise of the "
        "final kernel falls with richness: N Var K = 4 / (1 + g0^2), at g0 = 4",
        source=f"{BP23} (richness reduces fluctuations); constant: ours (README, 1)",
        part="kernel_noise",
        estimator=per_seed("variance", where={"richness": 4.0}),
        region=near(1, 0.03),
        why="measured over formula at N = 256: the next order is 1/N, .004. At g0 = 1 every power "
        "of g0 would pass. The control is K at the start, which lazy training keeps",
        control="start",
        kind="level",
        rival=Rival(3.4, "who reads 4 / (1 + g0)"),
    ),
    Claim(
        name="D13_bias_of_the_kernel",
        statement="Networks with one linear hidden layer of finite width, one sample with |x| = y "
        "= 1, end with a smaller kernel: N (E K - K_inf) = -1 / (1 + g0^2)^(3/2), at g0 = 1",
        source="ours (README, 1)",
        part="kernel_noise",
        estimator=per_seed("bias", where={"richness": 1.0}),
        region=near(1, 0.05),
        why="second derivative of 2 sqrt(g0^2 + X Y); next order 1/N. At g0 = 1 every power of g0 "
        "would pass, which D13_noise_of_the_kernel tells apart; at g0 = 2 draws scatter three "
        "times as much. At the start there is no bias",
        control="start",
        kind="level",
        rival=Rival(0.0, "who has the mean of K be that of the limit, as at the start"),
    ),
    Claim(
        name="D14_popular_noise_falls",
        statement="Feature learning reduces the variance of predictions, at an input perpendicular "
        "to the data too; one linear hidden layer, one sample with |x| = y = 1, g0 = 1",
        source=f"popular reading of {BP23}",
        part="prediction_noise",
        estimator=per_seed("growth", where={"richness": 1.0}),
        region=at_most(1),
        why="variance at the end over that at the start; at the training point (control) it "
        "vanishes",
        control="trained",
        expected="fail",
        reason="the readout grows along the data, and the weights of that input never move: the "
        "variance grows by sqrt(1 + g0^2)",
    ),
    Claim(
        name="D14_noise_grows",
        statement="With one linear hidden layer and one sample, |x| = y = 1, the variance of f at "
        "an input perpendicular to the data grows by sqrt(1 + g0^2), at g0 = 2",
        source="ours (README, 1)",
        part="prediction_noise",
        estimator=per_seed("over_formula", where={"richness": 2.0}),
        region=near(1, 0.03),
        why="f is w.u' / (g0 N), |w|^2 / N -> sqrt(1 + g0^2). At g0 = 1 every power of g0 would "
        "pass. Correction: steps of finite size, -.004; 1/N is below .001 at N = 64",
        control="trained",
        kind="level",
        rival=Rival(0.775, "who reads sqrt(1 + g0)"),
    ),
    Claim(
        name="D16_ensembles_keep_the_bias",
        statement="Infinitely many networks of width 16 together err by more than one network of "
        "width 256, in f at a training point; linear, two hidden layers, g0 = 1, five steps",
        source="after Vyas et al. 2023 (bias across widths); ours (README, 8)",
        part="ensemble",
        estimator=jackknife(_bias_over_wide, columns=("bias", "square")),
        region=at_least(1),
        why="squared bias at 16 over mean square error at 256, both measured. At an input "
        "perpendicular to the data (control) there is no bias, and the ensemble wins",
        control="perpendicular",
    ),
    Claim(
        name="D24_is_maximal_update",
        statement="The feature-learning limit is muP's: input, hidden and output weights at the "
        "rates eta g0^2 N, eta g0^2, eta / N, beside outputs of size 1 / (g0 N), give the same "
        "run, network by network; checked at g0 = 1",
        source="Yang & Hu 2021; `maximal_update`",
        part="same_run",
        estimator=worst("difference"),
        region=at_most(1e-12),
        why="the same updates, written with other multipliers; float64. The control has the NTK's "
        "exponents",
        control="ntk",
        kind="identity",
    ),
    Claim(
        name="D24_three_scales_are_two",
        statement="In linear networks the size of the initial weights is no third parameter: "
        "(sigma, g0, eta) is (1, g0 / sigma^(L+1), eta sigma^(2L))",
        source="ours (README, 9)",
        part="rescaled",
        estimator=worst("difference"),
        region=at_most(1e-12),
        why="f is homogeneous of degree L + 1 in the weights, which tanh (control) is not",
        control="tanh",
        kind="identity",
    ),
    Claim(
        name="D25_one_sample_a_step",
        statement="With one sample a step the limit is the same recursion with masked errors: the "
        "output f_2 at the second training point of two tanh layers after ten steps (two points, y "
        "= 1, -1/2)",
        source="Yang & Hu 2021 (their limits are of one sample a step)",
        part="nets",
        arm="one_sample",
        estimator=network_limit("f2"),
        region=near(1, 0.03),
        why="in 1/N and 1/N^2; the control is held against full batches at the same mean rate",
        control="full_batch",
        kind="level",
        rival=Rival(0.922, "who takes full batches at the mean rate"),
        tier="laptop",
    ),
    Claim(
        name="D25_one_sample_a_step_linear",
        statement="With one sample a step the limit is the same recursion with masked errors: the "
        "output f_1 at the first training point of two linear layers after nine steps (two points, "
        "y = 1, -1/2)",
        source="Yang & Hu 2021 (their limits are of one sample a step)",
        part="nets",
        arm="one_sample_linear",
        estimator=network_limit("f1"),
        region=near(1, 0.03),
        why="in 1/N and 1/N^2; the control is held against full batches at the same mean rate",
        control="full_batch_linear",
        kind="level",
        rival=Rival(0.883, "who takes full batches at the mean rate"),
        tier="laptop",
    ),
]

CLAIMS = [*EXACT, *NETWORKS]
