"""What is claimed of the tangent kernel at finite width, and what is popularly said of it.

Papers: HN, Hanin & Nica 2019; DG, Dyer & Gur-Ari 2019; HY, Huang & Yau 2019; LB, Lewkowycz et al.
2020. Their texts were not at hand: theorem, equation and figure numbers are "reported as". "Ours"
is derived in the README. Rows are blocks of networks; levels are ratios to exact finite-width laws,
so that no region has to leave room for corrections in 1/n.
"""

import numpy as np
from pandas import DataFrame

from widenets.evidence import (
    Claim,
    Rival,
    asymptotic,
    at_least,
    at_most,
    corrected_slope,
    jackknife,
    loglog_slope,
    near,
    ordering,
    per_seed,
    proportion,
    ratio,
    worst,
)


def slope(x, y) -> float:
    """Least-squares slope of log y on log x."""
    return float(np.polyfit(np.log(np.asarray(x, float)), np.log(np.asarray(y, float)), 1)[0])


def _per_layer(rows: DataFrame) -> float:
    """k of a mean square (1 + k / n)^(d - 1)."""
    layers, n = rows["depth"].iloc[0] - 1, rows["width"].iloc[0]
    return float(n * (rows["square"].mean() ** (1 / layers) - 1))


def _against_claimed(rows: DataFrame) -> float:
    variance = rows["square"].mean() / rows["mean"].mean() ** 2 - 1
    return float(variance / (rows["claimed"].mean() - 1))


def _variance_along_the_ray(rows: DataFrame) -> float:
    of_width = rows.groupby("width")[["square", "mean"]].mean()
    return slope(of_width.index, of_width["square"] / of_width["mean"] ** 2 - 1)


def _rate(rows: DataFrame):
    """n (exp(log value / layers) - 1): the rate per unit of beta, once layers are many."""
    layers = rows["depth"] - 1
    return layers / rows["beta"] * np.expm1(np.log(rows["value"]) / layers)


def law_exponent(x: str):
    """Exponent of a closed form in its own limit, the next order 1 / x fitted too."""
    return asymptotic("value", x, law="power", terms=((1, 0),))


def law_per_beta():
    """Limit of value / beta in d at beta -> 0, with two orders in 1 / layers."""
    return asymptotic(
        lambda rows: rows["value"] / rows["beta"],
        lambda rows: rows["depth"] - 1,
        terms=((1, 0), (2, 0)),
        columns=("depth", "value", "beta"),
    )


def _to_threshold(column: str):
    """2 r(delta) - r(2 delta) at the two rates 2 + delta and 2 + 2 delta of the arm."""

    def statistic(rows: DataFrame) -> float:
        small, large = rows.sort_values("factor")[column]
        return float(2 * small - large)

    return per_seed(statistic, columns=("factor", column))


def _clock(rows: DataFrame) -> float:
    steps = np.polyfit(np.log(rows["width"]), rows["peak_step"], 1)[0]
    return float(steps * rows["clock"].iloc[0])


HN = "reported as Theorem 1 of Hanin & Nica 2019"
OURS = "ours (README, {}), for the quantity of the reported Theorem 1 of Hanin & Nica 2019"
BETA = r"$\beta=\sum_l 1/n_l$"

MOMENTS = [
    Claim(
        name="W1_mean_is_exact",
        statement="At width four and depth three the mean of the relu kernel Theta(x, x) is that "
        "of infinite width: it has no correction at all",
        formula=r"$\mathbb{E}\,\Theta(x,x) = d\,|x|^2/n_0$",
        source="Hanin & Nica 2019, their E K_N; Guillen et al. 2025, abstract; README, 1",
        part="moments",
        arm="narrow",
        estimator=per_seed("mean"),
        region=near(1, 0.04),
        why="the ratio is 1 at every width because gates are fair coins; in the mean over the "
        "networks that do not vanish it is 1 / (1 - 2^-4)^2 = 1.138",
        control="alive",
        kind="level",
        rival=Rival(1.138, "who leaves out dead networks, as every mean of log Theta does"),
    ),
    Claim(
        name="W1b_opposite_points",
        statement="Between opposite points the mean of the relu kernel with two hidden layers of "
        "width eight follows a sum over binomial and chi laws, a fifth below its limit",
        formula=r"$\mathbb{E}\,\Theta(x,-x)=\frac{2}{\pi n}\sum_k \binom{n}{k}2^{-n}"
        r"\,\mathbb{E}\chi_k\,\mathbb{E}\chi_{n-k}$",
        source="ours (README, 4)",
        part="opposite",
        estimator=per_seed(
            ratio("mean", "predicted"), where={"width": 8}, columns=("mean", "predicted")
        ),
        region=near(1, 0.04),
        why="measured over exact; over the limit 1 / pi the same mean is .806",
        control="limit",
        kind="level",
        rival=Rival(0.806, "who takes the diagonal's lack of corrections for that of the kernel"),
    ),
    Claim(
        name="W1b_order",
        statement="Between opposite points the mean of the relu kernel misses its limit by 1/n",
        source="ours (README, 4)",
        part="opposite",
        estimator=loglog_slope("excess", "width", summary="mean"),
        region=near(-1, 0.1),
        why="the exact sum has the slope -1.010 over n = 4, 8, 16; fluctuations have -1/2",
        control="deviation",
        kind="exponent",
        rival=Rival(-0.5, "who takes the size of fluctuations for that of the mean's correction"),
    ),
    Claim(
        name="W2_second_moment",
        statement="The mean square of the relu kernel at depth four and width 16 is that of an "
        "exact recursion over the layers",
        source=OURS.format(2),
        part="moments",
        estimator=per_seed(
            ratio("square", "exact"), where={"depth": 4, "width": 16}, columns=("square", "exact")
        ),
        region=near(1, 0.03),
        why="measured over exact; the law of infinite depth is 1.148 of it, e^(5 beta) 1.42, "
        "linear networks have .692",
        control="linear",
        kind="level",
        rival=Rival(0.94, "who takes 1 + (11/3) beta"),
    ),
    Claim(
        name="W2_unequal_widths",
        statement="The mean square of the relu kernel of unequal widths 8, 32, 8, where the sum of "
        "1/n_l does not say all, is that of the exact recursion over the layers",
        source=OURS.format(2),
        part="moments",
        arm="unequal",
        estimator=per_seed(ratio("square", "exact"), columns=("square", "exact")),
        region=near(1, 0.055),
        why="measured over exact; the law of infinite depth is 1.313 of it, linear networks of "
        "these widths have .602",
        control="unequal_linear",
        kind="level",
        rival=Rival(0.881, "who takes 1 + (11/3) beta"),
        tier="laptop",
    ),
    Claim(
        name="W2_deep",
        statement="At depth nine and width 64, too, the mean square of the relu kernel is that "
        "of the exact recursion over the layers",
        source=OURS.format(2),
        part="moments",
        arm="ray",
        estimator=per_seed(
            ratio("square", "exact"), where={"depth": 9}, columns=("square", "exact")
        ),
        region=near(1, 0.045),
        why="measured over exact, 176 blocks of 512 networks leave .02; linear networks have .754, "
        "1 + (11/3) beta is .938 of it. The law of infinite depth, 1.034 of it, would pass: "
        "W2_second_moment excludes that",
        control="linear",
        tier="laptop",
        kind="level",
        rival=Rival(1.202, "who reads E Theta^2 = (E Theta)^2 e^(5 beta) as an equality"),
    ),
    Claim(
        name="W3_five",
        statement="The 5 of e^(5 beta) stands in the second moment of activations: each layer "
        "multiplies it by 1 + 5/n",
        formula=r"$\mathbb{E}A_d^2=\prod_l(1+5/n_l)$",
        source=HN + ", its exponent; README, 2",
        part="moments",
        arm="activity",
        estimator=per_seed(_per_layer, where={"depth": 3}, columns=("depth", "width", "square")),
        region=near(5, 0.3),
        why="E (relu z)^4 / (E (relu z)^2)^2 - 1 = 6 - 1; the kernel of the same networks has "
        "3.28, linear networks 2",
        control="theory",
        kind="level",
        rival=Rival(6, "who takes the fourth moment itself and forgets the square of the mean"),
    ),
    Claim(
        name="W3_five_in_the_kernel",
        statement="For large depth over width beta the second moment of the relu kernel grows like "
        "e^(5 beta), as that of activations does",
        formula=r"$\lim\ \beta^{-1}\ln\,\mathbb{E}\Theta^2/(\mathbb{E}\Theta)^2=5$",
        source=HN,
        part="law",
        arm="rate",
        estimator=asymptotic(
            _rate,
            lambda rows: rows["depth"] - 1,
            terms=((1, 0), (2, 0), (3, 0)),
            columns=("depth", "value", "beta"),
        ),
        region=near(5, 0.05),
        why="exact law at n = 16, 32 to 128 hidden layers; pairs of layers have (e^(5t) + 2 e^-t) "
        "/ 3, whose corrections are powers of 1/beta: three are fitted",
        control="rate_linear",
        kind="level",
        rival=Rival(11 / 3, "who extends the variance at small beta"),
    ),
    Claim(
        name="W4_depth_over_width",
        statement="At fixed depth over width the relative variance of the kernel neither grows nor "
        "falls as both grow",
        source="Hanin & Nica 2019, abstract; exact law, README, 2",
        part="law",
        arm="ray",
        estimator=law_exponent("width"),
        region=near(0, 0.02),
        why="exact law at beta = 1/8, 16 to 128 hidden layers; corrections of 1/d are fitted, left "
        "is 1/d^2; with the depth held the exponent is -1",
        control="fixed_depth",
        kind="exponent",
        rival=Rival(-1, "who says that corrections are of order 1/n"),
    ),
    Claim(
        name="W4_measured",
        statement="Of networks with 2, 4, 8 hidden layers of width 16, 32, 64 the relative "
        "variance grows by the power .148 of the width, on its way to a limit",
        source="ours (exact laws, README, 2); that depth over width is in charge: Hanin & Nica "
        "2019, abstract",
        part="moments",
        arm="ray",
        estimator=jackknife(_variance_along_the_ray, columns=("width", "square", "mean")),
        region=near(0.148, 0.07),
        why="the slope of the exact laws .452, .513, .555, whose limit is .607; half of the way to "
        "that limit's 0. With two hidden layers throughout it is -1.06",
        control="fixed_depth",
        tier="laptop",
        kind="exponent",
        rival=Rival(0, "who takes the law of the limit for that of these widths"),
    ),
    Claim(
        name="W4_constant",
        statement="The relative variance of deep relu kernels is (11/3) beta for small beta",
        formula=r"$\mathrm{Var}\,\Theta/(\mathbb{E}\Theta)^2\to\frac{11}{3}\beta$",
        source=OURS.format(2),
        part="law",
        arm="constant",
        estimator=law_per_beta(),
        region=near(11 / 3, 0.02),
        why="exact law at n = 10^8, up to 128 hidden layers; left is 1/layers^3; linear networks "
        "have 4/3, depth two has 3",
        control="constant_linear",
        kind="level",
        rival=Rival(3, "who takes depth two for all depths"),
    ),
    Claim(
        name="W5_popular_five_beta",
        statement="The relative variance of the kernel is e^(5 beta) - 1",
        source="popular reading of Hanin & Nica 2019 (their '~' as '='), as on pages about "
        "finite-width fluctuations",
        part="moments",
        arm="theory",
        estimator=per_seed(
            _against_claimed,
            where={"depth": 2, "width": 64},
            columns=("square", "mean", "claimed"),
        ),
        region=near(1, 0.2),
        why="measured over claimed, at depth two and width 64, where 5/n and e^(5/n) - 1 agree; "
        "for the square of activations it is .96",
        control="activity",
        expected="fail",
        reason="only activations have 5/n: of the kernel's two terms one has no fluctuation of its "
        "own gates in common with the other, which leaves 3/n at depth two and (11/3) beta in the "
        "limit",
        kind="level",
        rival=Rival(0.577, "3/n, the exact law at depth two"),
    ),
]

VELOCITY = [
    Claim(
        name="W6_velocity",
        statement="The mean velocity of the relu kernel at depth four and width 16 is exactly "
        "known, negative whatever the label, gates held",
        formula=r"$\mathbb{E}[f\,O_3]=d^2\prod_l(1+5/n_l)-\mathbb{E}\Theta^2$",
        source="ours (README, 3), for the quantity of the reported Theorem 2 of Hanin & Nica 2019",
        part="velocity",
        estimator=per_seed(
            ratio("product", "exact"),
            where={"depth": 4, "beta": 3 / 16},
            columns=("product", "exact"),
        ),
        region=near(1, 0.045),
        why="measured over exact; linear networks have .39, the leading order (4/3) beta is .54, "
        "the law of infinite depth 1.058, which lies outside too",
        control="linear",
        kind="level",
        rival=Rival(0.537, "who takes the leading order in depth over width at beta = .19"),
        tier="laptop",
    ),
    Claim(
        name="W7_depth_squared",
        statement="The mean velocity of the kernel at the start, relative to the kernel, grows "
        "like depth squared at fixed width",
        formula=r"$\mathbb{E}[f\,O_3]/\mathbb{E}\Theta\propto d\,\beta = d^2/n$",
        source="reported as Theorem 2 of Hanin & Nica 2019; exact law, README, 3",
        part="law",
        arm="speed",
        estimator=law_exponent("depth"),
        region=near(2, 0.02),
        why="exact law at n = 10^8, depth 17 to 129, the next order 1/d fitted too; fluctuations "
        "grow like depth",
        control="variance",
        kind="exponent",
        rival=Rival(1, "who carries over the depth over width of fluctuations"),
    ),
    Claim(
        name="W7_one_over_width",
        statement="At fixed depth the mean velocity of the relu kernel falls like 1/n",
        source="reported as Theorem 2 of Hanin & Nica 2019; exact law, README, 3",
        part="law",
        arm="widths",
        estimator=law_exponent("width"),
        region=near(-1, 0.02),
        why="exact law at depth four, n = 128 to 1024, the next order 1/n fitted too; the standard "
        "deviation of the kernel has -1/2",
        control="widths_deviation",
        kind="exponent",
        rival=Rival(-0.5, "who takes the size of fluctuations for that of the drift"),
    ),
    Claim(
        name="W7_constant",
        statement="The constant of the velocity is 4/3: relative to the square of the kernel it "
        "tends to (4/3) beta",
        formula=r"$\mathbb{E}[f\,O_3]/(\mathbb{E}\Theta)^2\to\frac{4}{3}\beta$",
        source="ours (README, 3)",
        part="law",
        arm="velocity",
        estimator=law_per_beta(),
        region=near(4 / 3, 0.01),
        why="5 - 11/3; exact law at n = 10^8, up to 128 hidden layers; linear networks have 2 - "
        "4/3 = 2/3",
        control="velocity_linear",
        kind="level",
        rival=Rival(1, "who reads the paper's d beta e^(5 beta) E K as an equality"),
    ),
    Claim(
        name="W8_proportional",
        statement="With one hidden relu layer the kernel's velocity is 8/n times the output, "
        "network by network",
        formula=r"$O_3 = 8\,q f/n$",
        source="ours (README, 3); the hierarchy of Huang & Yau 2019 closes there",
        part="velocity",
        estimator=worst("misfit", where={"depth": 2}),
        region=at_most(1e-9),
        why="rounding; linear networks have 4/n and miss by 1",
        control="linear",
        kind="identity",
    ),
    Claim(
        name="W9_kinks",
        statement="A step of gradient descent lowers the relu kernel at its training point by a "
        "further 2 sqrt(2) |f - y| / (pi sqrt(n)) per unit of the rate, because neurons switch off "
        "and none switches on",
        formula=r"$\mathbb{E}\,\Delta\Theta/\eta=-\frac{8}{n}-\frac{2\sqrt2}{\pi\sqrt n}"
        r"\,\mathbb{E}|f-y|$",
        source="ours (README, 5); explains the n^-1/2 that Lee et al. 2019 bound",
        part="step",
        estimator=per_seed(
            ratio("fall", "predicted"), where={"width": 16}, columns=("fall", "predicted")
        ),
        region=near(1, 0.05),
        why="measured over predicted at n = 16, with the next order 8 rate / n = .025 of the rate "
        ".05, whose square is left; a neuron that keeps a slope a when it is off gives "
        "(1 - a^2)(1 - a), .70 at a = 1/4",
        control="leaky",
        kind="level",
        rival=Rival(0.703, "who would say the same of leaky relu"),
        tier="laptop",
    ),
    Claim(
        name="W9_order",
        statement="What relu neurons that switch off add to the kernel's change in a first step "
        "falls like n^-1/2",
        source="ours (README, 5)",
        part="step",
        estimator=corrected_slope("fall", "width", order=1.0, summary="mean"),
        region=near(-0.5, 0.08),
        why="n neurons, a share n^-1/2 of which is in reach, each 1/n of the kernel; the next "
        "order, 8 rate / n at n = 16, would take .006 off the slope and is fitted; gates held it "
        "is -1",
        control="held",
        tier="laptop",
        kind="exponent",
        rival=Rival(-1, "who knows the smooth correction only"),
    ),
    Claim(
        name="W9b_popular_one_over_n",
        statement="The first step of gradient descent moves a relu kernel by 1/n in the mean",
        source="popular reading of Hanin & Nica 2019 and of Huang & Yau 2019 for relu",
        part="step",
        arm="total",
        estimator=loglog_slope("fall", "width", summary="mean"),
        region=near(-1, 0.2),
        why="8/n is the law with gates held, which is what automatic differentiation gives",
        control="held",
        expected="fail",
        reason="neurons that switch off add n^-1/2, the larger part already at n = 64",
        kind="exponent",
        rival=Rival(-0.5, "the order of the term that neurons add when they switch off"),
    ),
]

DG = "reported as Conjecture 1 of Dyer & Gur-Ari 2019, proved in part by Aitken & Gur-Ari 2020"


def correlation(
    order: str, column: str, law: float, tolerance: float, rival: Rival, layers: int, **fields
) -> Claim:
    """Exponent of the size of one O_s."""
    name = {1: "one", 2: "two"}[layers]
    size = "mean" if column == "fourth" else "root mean square"
    return Claim(
        name=f"W10_{column}_{name}",
        statement=f"The {size} of {order} of tanh networks with {name} hidden "
        f"layer{'s' if layers > 1 else ''} falls like n^{law:g}",
        source=DG,
        formula=r"$n^{\,n_{even}+(n_{odd}-m)/2}$",
        part="tower",
        arm=f"theory_{name}",
        estimator=loglog_slope(column, "width", summary="mean" if column == "fourth" else "rms"),
        region=near(law, tolerance),
        control=f"other_{name}",
        kind="exponent",
        rival=rival,
        **fields,
    )


HALF_PER_ORDER = "who counts n^-1/2 for each further derivative"
TOWER = [
    *(
        correlation(
            "O_3", "third", -1, tolerance, Rival(-0.5, HALF_PER_ORDER), layers, tier=tier,
            why="its square ties two clusters of odd order, s = -2: half of it; the deviation of "
            "O_2, "
            "the control, has -1/2" + more,
        )
        for layers, tier, tolerance, more in (
            (1, "smoke", 0.08, ". Correction: 1/n of it, .01 in the slope from n = 16 on"),
            (2, "laptop", 0.08, ". Correction: 4/n of it, .03 in the slope from n = 64 on"),
        )
    ),
    *(
        correlation(
            "O_4", "fourth", -1, tolerance, Rival(-1.5, "who continues 0, -1/2, -1 of O_2 to O_4 "
            "by the size "
            "of O_3"), layers, tier=tier,
            why="one cluster of even order; the control is " + more,
        )
        for layers, tier, tolerance, more in (
            (1, "smoke", 0.08, "the size of O_5, -2. Correction: 1/n of it, .01 in the slope from "
            "n = 16 on"),
            (2, "laptop", 0.08, "the deviation of O_2, -1/2. Correction: 4/n of it, .03 in the "
            "slope from n = 64 on"),
        )
    ),
    correlation(
        "O_5", "fifth", -2, 0.1, Rival(-1.5, HALF_PER_ORDER), 1,
        why="two clusters of odd order in n^-4, half of it; the size of O_3, the control, has -1",
    ),
]  # fmt: skip


def truncation(
    arm: str,
    keeps: str,
    law: float,
    tolerance: float,
    rival: Rival,
    column: str = "error",
    sizes: dict | None = None,
    **fields,
) -> Claim:
    output = {"error": "output", "shift": "mean output"}[column]
    return Claim(
        name=f"W11_{arm}",
        statement=f"With {keeps} the {output} of a tanh network differs by n^{law:g}; one hidden "
        f"layer, label f_0 + 1, t = 1",
        part="hierarchy",
        arm=arm,
        estimator=loglog_slope(column, "width", summary="rms", where=sizes),
        region=near(law, tolerance),
        kind="exponent",
        rival=rival,
        **fields,
    )


HIERARCHY = [
    truncation(
        "frozen", "a frozen kernel", -1, 0.1,
        Rival(-0.5, "who takes the bound n^-1/2 for the size"),
        source="reported as section 3.1 of Dyer & Gur-Ari 2019",
        why="s^2 O_3 / 2 and s^3 O_4 / 6 are both n^-1, with 1/n of it next; with both kept it is "
        "n^-2",
        control="fourth",
    ),
    truncation(
        "third", "the kernel's first derivative kept", -1, 0.1,
        Rival(-1.5, "who gains n^-1/2 per equation that is kept"), "shift",
        source="reported as the truncated hierarchy of Huang & Yau 2019; README, 6",
        why="the mean of O_4 is n^-1 too; in the root mean square its fluctuation n^-3/2 would "
        "still show at n = 256; O_4 kept it is n^-2",
        control="fourth",
    ),
    truncation(
        "fourth", "two derivatives of the kernel kept", -2, 0.1,
        Rival(-1.5, "who gains n^-1/2 per equation that is kept"),
        source="reported as the truncated hierarchy of Huang & Yau 2019; README, 6",
        why="O_5 and O_6 are both n^-2; without O_4 it is n^-1; from n = 512 on the next order is "
        ".02 in the slope",
        control="third",
        tier="laptop",
        sizes={"width": lambda width: width >= 512},
    ),
    Claim(
        name="W12_popular_first_derivative",
        statement="The 1/n correction of a trained network's output is the term of O_3, the "
        "kernel's first derivative: with it the rest falls faster than 1/n",
        source="popular reading of Huang & Yau 2019 ('the first correction is the third-order "
        "kernel')",
        part="hierarchy",
        arm="third",
        estimator=loglog_slope("error", "width", summary="rms"),
        region=at_most(-1.5),
        why="midway between the orders -1 and -2, which alone are there",
        control="fourth",
        expected="fail",
        reason="O_4 has a mean of order 1/n: the correction needs both",
        rival=Rival(-1, "what O_4 leaves"),
    ),
]  # fmt: skip

LB = "reported as {} of Lewkowycz et al. 2020"
CATAPULT = [
    Claim(
        name="W13_recursion",
        statement="A linear network with one hidden layer, trained on one point with target 0, "
        "follows a recursion of two numbers; checked at eta lambda_0 = 1.5 and 3",
        formula=r"$f'=(1-\eta\lambda+\eta^2f^2/n)f,\ "
        r"\lambda'=\lambda+\frac{\eta f^2}{n}(\eta\lambda-4)$",
        source=LB.format("equations 4 and 5") + "; derived in the README, 7",
        part="recursion",
        estimator=worst(lambda rows: rows["distance"].max(), columns=("distance",)),
        region=at_most(1e-10),
        why="rounding; without the term eta^2 f^2 / n it is off by 1/n",
        control="without_feedback",
        kind="identity",
    ),
    Claim(
        name="W14_converges_below_four",
        statement="At eta lambda_0 = 3.95 descent of a linear network with one hidden layer "
        "converges, although it starts above 2",
        source=LB.format("section 2"),
        part="catapult",
        arm="below_four",
        estimator=per_seed("converged"),
        region=at_least(0.95),
        why="all do, but about 3 in 200 end so flat, eta lambda < .01, that 2000 steps do not "
        "show it; at 4.05 none does",
        control="above_four",
    ),
    Claim(
        name="W14_grows_above_two",
        statement="At eta lambda_0 = 2.05 the first step raises the loss of a linear network "
        "with one hidden layer",
        source=LB.format("section 2"),
        part="catapult",
        arm="above_two",
        estimator=per_seed("grew"),
        region=at_least(0.99),
        why="|1 - eta lambda| > 1; f^2 / n cannot undo it at n = 2^14; at 1.95 none does",
        control="below_two",
    ),
    Claim(
        name="W15_peak",
        statement="At eta lambda_0 = 3 the loss of a linear network with one hidden layer peaks at "
        "order n: |f| at n^1/2",
        source=LB.format("Figure 1 and section 2"),
        part="catapult",
        estimator=loglog_slope("peak", "width", summary="rms"),
        region=near(0.5, 0.03),
        why="growth ends when eta^2 f^2 / n is of order 1; below 2 there is no peak",
        control="lazy",
        kind="exponent",
        rival=Rival(0.25, "who says that the loss peaks at n^1/2"),
    ),
    Claim(
        name="W15_clock",
        statement="At eta lambda_0 = 3 the step at which the loss of a linear network peaks grows "
        "by 1 / (2 ln(eta lambda_0 - 1)) per unit of ln n",
        source=LB.format("section 2, t ~ log n") + "; the constant is ours (README, 7)",
        part="catapult",
        estimator=per_seed(_clock, columns=("width", "peak_step", "clock")),
        region=near(1, 0.05),
        why="|f| grows by eta lambda_0 - 1 a step from order 1 to n^1/2; read with the rate 3 "
        "networks at 3.5 have .756",
        control="other_clock",
        kind="level",
        rival=Rival(0.631, "who lets |f| grow by eta lambda_0 a step"),
        tier="laptop",
    ),
    Claim(
        name="W16_ends_flat",
        statement="Every linear network that began at eta lambda_0 between 2 and 4 ends at a "
        "curvature below 2 / eta",
        source=LB.format("section 2 and Figure 1 (b)"),
        part="catapult",
        arm="ends",
        estimator=worst(lambda rows: rows["curvature"].max(), columns=("curvature",)),
        region=at_most(2),
        why="above 2 the loss grows; at the last step that raises it the curvature still is above",
        control="at_the_peak",
    ),
    Claim(
        name="W17_mirror",
        statement="Near the threshold eta lambda_0 = 2 of the catapult the curvature ends as "
        "far below 2 / eta as it began above",
        formula=r"$(2-\eta\lambda_\infty)/(\eta\lambda_0-2)\to1$",
        source="ours (README, 7)",
        part="catapult",
        arm="threshold",
        estimator=_to_threshold("mirror"),
        region=near(1, 0.02),
        why="x = eta lambda - 2 and u = f^2 / n conserve x^2 / 2 + eta^2 u; extrapolated from "
        "2.025 and 2.05 to 2, where from 2.5 and 3 it is 1.09. Correction: the square of .05 is "
        "left, a quarter of it at most, negative",
        control="far",
        kind="level",
        rival=Rival(1.071, "who reads the law off at eta lambda_0 = 2.1"),
    ),
    Claim(
        name="W17_height",
        statement="Near the threshold eta lambda_0 = 2 of the catapult the peak of f^2 is n "
        "(eta lambda_0 - 2)^2 / (2 eta^2)",
        source="ours (README, 7)",
        part="catapult",
        arm="threshold",
        estimator=_to_threshold("height"),
        region=near(1, 0.02),
        why="the same conserved quantity, at x = 0. Correction: the square of .05 is left here "
        "too, a tenth of it",
        control="far",
        kind="level",
        rival=Rival(1.068, "who reads the law off at eta lambda_0 = 2.1"),
    ),
    Claim(
        name="W18_popular_larger_is_flatter",
        statement="The larger the rate, the flatter the minimum",
        source="popular reading of Lewkowycz et al. 2020",
        part="catapult",
        arm="rates",
        estimator=ordering("flatness", by="factor", increasing=False),
        region=at_least(0.5),
        why="lambda_inf / lambda_0 falls with the rate in most blocks of starts, eta lambda_0 from "
        "2.2 to 3.7",
        control="lower_rates",
        expected="fail",
        reason="it falls to nearly 0 at 3.1 and grows again: larger rates throw f beyond the flat "
        "region and the last step back lands anywhere",
    ),
    Claim(
        name="W19_popular_twelve",
        statement="Relu networks converge up to eta lambda_0 = 12, so at 8 in any case",
        source="popular reading of Lewkowycz et al. 2020 (reported: eta_max about 12 / lambda_0 "
        "for their relu networks on images)",
        part="relu",
        arm="sphere",
        estimator=proportion(
            lambda rows: rows["converged"].iloc[0] == 1,
            where={"factor": 8.0},
            columns=("converged",),
        ),
        region=at_least(0.5),
        why="most draws of 8 points on the sphere and of a network of width 256; 16 images of "
        "digits do converge",
        control="digits",
        expected="fail",
        reason="the 12 is an observation about images, whose kernel has one large eigenvalue; on "
        "the sphere the limit is near the 4 of linear networks",
    ),
    Claim(
        name="W20_lazy_below_two",
        statement="Below eta lambda_0 = 2 the curvature of a linear network with one hidden "
        "layer moves by 1/n only",
        source=LB.format("section 2") + "; the drift of Dyer & Gur-Ari 2019",
        part="catapult",
        arm="lazy",
        estimator=loglog_slope(
            "relative", "width", summary="mean", where={"width": lambda width: width >= 2**14}
        ),
        region=near(-1, 0.05),
        why="a sum of eta f^2 / n over a geometric series; at 1.9 the next order is 100/n of it, "
        ".002 in the slope from 2^14 on; above 2 it is 0",
        control="theory",
        kind="exponent",
        rival=Rival(-0.5, "who takes the bound n^-1/2 of Lee et al. 2019 for the size"),
    ),
]

CLAIMS = [*MOMENTS, *VELOCITY, *TOWER, *HIERARCHY, *CATAPULT]
