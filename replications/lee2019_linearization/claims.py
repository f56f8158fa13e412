"""What Lee et al. 2019 claim, and what is often said in their name.

Regions of exponents: half of the distance between neighbouring exponents of the theory, 0, -1/2 and
-1, is 1/4, so +-0.15 (weights) and +-0.2 (outputs and kernels, where networks of 64 to 512 neurons
still show the next order) tell them apart. An upper bound O(n^-1/2) is stated as a slope of at most
-1/2.
"""

import numpy as np
from pandas import DataFrame

from widenets.evidence.claim import Claim, at_least, at_most, near
from widenets.evidence.estimators import jackknife, loglog_slope, per_seed, proportion

THEOREM = "Lee et al. 2019, Theorem 2.1"
FIGURE_1 = "Lee et al. 2019, Figure 1"
TRAINED = {"step": lambda step: step > 0}
BOUND = at_most(-0.5)
HALF, ONE = near(-0.5, 0.15), near(-1.0, 0.15)
ONE_FUNCTION = near(-1.0, 0.2)
CLOSER = near(0.0, 0.5)  # nearer to the mean of one law than to that of the other

WHY_BOUND = "O(n^-1/2) for every nonlinearity means that the exponent is at most -1/2"
WHY_ATTAINED = (
    "O(n^-1/2) for every nonlinearity means at most -1/2; at kinks the bound is attained (claim "
    "K3), and the exponent tends to -1/2 from below: the smooth part of the gap falls faster"
)
WHY_SMOOTH = (
    "for smooth nonlinearities one more order of perturbation theory gives n^-1 (Dyer and Gur-Ari "
    "2020, Huang and Yau 2020); the bound -1/2 and the mean-field value 0 lie outside"
)
WHY_CLOSER = (
    "0 where the mean of this law holds and 1 where that of the other one does; the point midway "
    "between the two is where they are told apart"
)


def over_width(column: str, **where) -> object:
    """Exponent in the width of the largest value over training, one slope per seed."""
    return loglog_slope(column, "width", reduce="max", where=TRAINED | where)


def per_fitted(column: str) -> object:
    """The same of the value per unit of the column `fitted`.

    Its law has a limit, so that the exponent is the same; how far the draw of f_0 lies from the
    labels, which is most of the noise, divides out.
    """

    def statistic(rows: DataFrame) -> float:
        of_width = rows.groupby("width")
        values = of_width[column].max() / of_width["fitted"].first()
        return float(np.polyfit(np.log(values.index.to_numpy(float)), np.log(values), 1)[0])

    return per_seed(statistic, where=TRAINED, columns=("width", column, "fitted"))


def in_width(column: str, **where) -> object:
    return loglog_slope(column, "width", where=where)


def rms_slope(column: str, x: str, **where):
    """Exponent of the rms over groups: n^-1/2 is a law of variances, not of mean logarithms."""

    def statistic(rows: DataFrame) -> float:
        rms = np.sqrt((rows[column] ** 2).groupby(rows[x]).mean())
        return float(np.polyfit(np.log(rms.index.to_numpy(float)), np.log(rms.to_numpy()), 1)[0])

    return jackknife(statistic, where=where, columns=(x, column))


def position(law: str, other: str):
    """Where a network lies on the way from the mean of one law to that of the other.

    sum (f - m)(m' - m) / sum (m' - m)^2 over inputs and steps: 0 in the mean if the law m holds,
    1 if m' does; linear in the outputs, so that the mean over networks has no bias.
    """

    def statistic(rows: DataFrame) -> float:
        start, way = rows[f"{law}_mean"], rows[f"{other}_mean"] - rows[f"{law}_mean"]
        return float(((rows["without_start"] - start) * way).sum() / (way**2).sum())

    columns = ("step", "without_start", f"{law}_mean", f"{other}_mean")
    return per_seed(statistic, where=TRAINED, columns=columns)


def deviation_ratio(rows: DataFrame) -> float:
    by_point = rows.groupby(["step", "alpha"])
    return float(np.sqrt(by_point["output"].var().sum() / (by_point["ntk_sd"].first() ** 2).sum()))


def least_lead_of_narrow(rows: DataFrame) -> float:
    """Smallest ratio over training of the change at width 64 to that at width 256."""
    curves = rows.pivot(index="step", columns="width", values="ntk_change")
    return float((curves[64] / curves[256]).min())


def flip_ratio(rows: DataFrame) -> float:
    return float(rows["change"].mean() / rows["predicted"].mean())


def claim(name: str, statement: str, **fields) -> Claim:
    return Claim(name=name, statement=statement, **fields)


def drift_claims(arm: str, tier: str) -> list[Claim]:
    """The claims on weights and on the bound, which are the same for every nonlinearity."""
    shared = {"part": "drift", "arm": arm, "control": f"mean_field_{arm}"}
    weights = [
        ("hidden", "weight_2", ONE, "n^-1", tier),
        ("input", "weight_1", HALF, "n^-1/2", tier),
        ("second_hidden", "weight_3", ONE, "n^-1", tier),
        ("output", "weight_4", HALF, "n^-1/2", tier),
    ]
    why_weights = (
        "every entry moves by O(n^-1/2) of itself in the outer layers and O(n^-1) in hidden ones, "
        "where two factors n^-1/2 meet; at mean-field scale the exponents are 0 and -1/2"
    )
    return [
        claim(
            f"L1_gap_bound_{arm}",
            f"The largest gap over training between a {arm} network and its linearization is "
            "O(n^-1/2) on test points.",
            source=THEOREM,
            estimator=per_fitted("gap_test"),
            region=BOUND,
            why=WHY_BOUND if arm == "erf" else WHY_ATTAINED,
            tier=tier,
            formula=r"\sup_t |f_t(x) - f^{lin}_t(x)| = O(n^{-1/2})",
            **shared,
        ),
        claim(
            f"L2_distance_{arm}",
            f"Parameters of a {arm} network move by O(1) in all, n^-1/2 in units of sqrt(n).",
            source=THEOREM,
            estimator=per_fitted("distance_by_root_width"),
            region=HALF,
            why="the bound is attained: fitting O(1) labels with an O(1) kernel takes an O(1) step",
            tier=tier,
            formula=r"\sup_t |\theta_t - \theta_0|_2 / \sqrt{n} = O(n^{-1/2})",
            **shared,
        ),
        claim(
            f"L3_kernel_bound_{arm}",
            f"The empirical NTK of a {arm} network changes by O(n^-1/2).",
            source=THEOREM,
            estimator=over_width("ntk_change"),
            region=BOUND,
            why=WHY_BOUND,
            tier=tier,
            formula=r"\sup_t |\hat\Theta_t - \hat\Theta_0|_F = O(n^{-1/2})",
            **shared,
        ),
        *(
            claim(
                f"L4_{layer}_weights_{arm}",
                f"Relative change of the {layer.replace('_', ' ')} weights of {arm} networks falls "
                f"like {law}.",
                source=f"{FIGURE_1} (b)",
                estimator=per_fitted(column),
                region=region,
                why=why_weights,
                tier=level,
                **shared,
            )
            for layer, column, region, law, level in weights
        ),
        claim(
            f"L3b_nngp_rate_{arm}",
            f"The empirical NNGP kernel of a {arm} network changes like n^-1.",
            source=f"{FIGURE_1} (d)",
            estimator=over_width("nngp_change"),
            region=ONE_FUNCTION,
            why="it holds no derivative of the nonlinearity, so that kinks do not slow it down: "
            + WHY_SMOOTH,
            tier="laptop",
            **shared,
        ),
    ]


# What differs between nonlinearities, or is the paper's own setting; the rest repeats erf.
RELU = {f"{name}_relu" for name in ("L1_gap_bound", "L3_kernel_bound", "L4_hidden_weights")}

DRIFT = [
    *drift_claims("erf", "smoke"),
    *(c for c in drift_claims("relu", "laptop") if c.name in RELU),
    claim(
        "L1_gap_rate_erf",
        "For the smooth erf the gap to the linearization falls like n^-1, faster than the bound.",
        source="corollary of Lee et al. 2019, Figure 3, with later proofs for smooth networks",
        part="drift",
        arm="erf",
        control="mean_field_erf",
        estimator=per_fitted("gap_test"),
        region=ONE_FUNCTION,
        why=WHY_SMOOTH,
        tier="laptop",
    ),
    claim(
        "L1b_gap_to_limit_erf",
        "Against the limit kernel the gap is n^-1/2: the fluctuation of the kernel at step 0.",
        source="corollary of Lee et al. 2019, Theorem 2.1",
        part="drift",
        arm="erf",
        control="mean_field_erf",
        estimator=per_fitted("gap_test_limit"),
        region=HALF,
        why="the empirical kernel deviates from its limit by n^-1/2 (central limit theorem)",
        tier="laptop",
    ),
    claim(
        "L3_kernel_rate_erf",
        "For the smooth erf the change of the NTK is close to n^-1.",
        source=f"{FIGURE_1} (c) and its text",
        part="drift",
        arm="erf",
        control="mean_field_erf",
        estimator=over_width("ntk_change"),
        region=ONE_FUNCTION,
        why=WHY_SMOOTH,
        tier="laptop",
    ),
    claim(
        "L5_ordered_by_width",
        "At all times of training the NTK of the narrow network (64) has changed more than that of "
        "the wide one (256): mean over networks of the smallest ratio.",
        source=f"{FIGURE_1} (a)",
        part="drift",
        arm="erf",
        control="mean_field_erf",
        estimator=per_seed(
            least_lead_of_narrow,
            where=TRAINED | {"width": (64, 256)},
            columns=("width", "step", "ntk_change"),
            center="geometric",
        ),
        region=at_least(np.sqrt(2)),
        why="at four times the width the bound n^-1/2 is 2 times smaller (n^-1: 4 times), without "
        "linearization once; the middle of the two in the logarithm tells them apart",
    ),
]

STEPS = [
    claim(
        "L6_below_critical",
        "Below 2/l_max the gap to the linearization falls at least like n^-1/2.",
        source=THEOREM,
        part="step_size",
        arm="below",
        control="above",
        estimator=in_width("gap", train=16),
        region=BOUND,
        why=WHY_BOUND + "; above 2/l_max the linearization diverges whatever the width",
        tier="laptop",
    ),
    claim(
        "L6b_critical_is_sufficient_only",
        "Between eta_critical = 2/(l_min + l_max) and 2/l_max networks linearize all the same.",
        source="sharpening of Lee et al. 2019, Theorem 2.1 (two training points)",
        part="step_size",
        arm="between",
        control="above_pair",
        estimator=in_width("gap"),
        region=at_most(-0.25),
        why="the linear model is stable up to 2/l_max and nothing else enters the argument: the "
        "exponent is -1/2 or less, and 0 above 2/l_max; -1/4 is midway",
        tier="paper",
    ),
    claim(
        "L6_popular_divergence",
        "Above the critical learning rate the training of a wide network diverges.",
        source="popular statement about Lee et al. 2019, Theorem 2.1",
        part="step_size",
        arm="above",
        control="linear_above",
        estimator=per_seed("growth", where={"train": 4}),
        region=at_least(0.0),
        why="divergence means that the loss at the end exceeds the loss at the start",
        expected="fail",
        reason="only the linearization diverges; the network's largest eigenvalue falls until the "
        "step is stable again (the catapult), and its loss goes to zero",
    ),
    claim(
        "L7_contraction",
        "The residual stays below (1 - eta l_min / 3)^t times its start at every step.",
        source="reported as Theorem G.1 of Lee et al. 2019",
        part="step_size",
        arm="theory",
        control="twice_as_fast",
        estimator=proportion(lambda rows: bool(rows["obeys"].all()), columns=("obeys",)),
        region=at_least(0.8),
        why="the theorem holds with high probability over draws; 32 of 32 would show 0.85",
    ),
]

LAWS = [
    claim(
        "L8_start_deviation",
        "At step 0 outputs have the standard deviation of the NNGP prior.",
        source="Lee et al. 2019, section 2.2 and Figure 2 (first panel)",
        part="ensemble",
        arm="readout",
        control="centred",
        estimator=jackknife(
            deviation_ratio, where={"step": 0}, columns=("step", "alpha", "output", "ntk_sd")
        ),
        region=near(1.0, 0.15),
        why="the readout is centred, so that the variance is the mean empirical NNGP kernel, which "
        "is its limit up to order 1/n; without the network's own f_0 nothing is left",
    ),
    claim(
        "L8_ensemble_mean",
        "The mean of trained networks follows equation 14 during training.",
        source="Lee et al. 2019, equation 14 and Figure 2",
        part="ensemble",
        arm="full",
        control="readout",
        estimator=position("ntk", "nngp"),
        region=CLOSER,
        why=WHY_CLOSER,
    ),
    claim(
        "L8_ensemble_deviation",
        "The standard deviation of trained networks follows equation 15 during training.",
        source="Lee et al. 2019, equation 15 and Figure 2",
        part="ensemble",
        arm="full",
        control="centred",
        estimator=jackknife(
            deviation_ratio, where=TRAINED, columns=("step", "alpha", "output", "ntk_sd")
        ),
        region=near(1.0, 0.15),
        why="ratio 1 up to corrections of order 1/n with a coefficient of order 5: 4 % at n = 128",
        tier="laptop",
    ),
    claim(
        "L9_readout_is_bayesian",
        "Training the readout alone gives the law whose end is the NNGP posterior.",
        source="Lee et al. 2019, section 2.3 and equation 13",
        part="ensemble",
        arm="readout",
        control="full",
        estimator=position("nngp", "ntk"),
        region=CLOSER,
        why=WHY_CLOSER,
    ),
    claim(
        "L9_popular_bayes",
        "Gradient descent on all layers of a wide network samples the NNGP posterior.",
        source="popular statement; Lee et al. 2019, section 2.3 say the opposite",
        part="ensemble",
        arm="full",
        control="readout",
        estimator=position("nngp", "ntk"),
        region=CLOSER,
        why=WHY_CLOSER,
        expected="fail",
        reason="the mean of fully trained networks is that of equation 14, and no posterior of "
        "any Gaussian process",
    ),
    *(
        claim(
            f"L16_gaussian_{when}",
            f"Outputs over initialisations are Gaussian {text}.",
            source="Lee et al. 2019, section 2.3",
            part="gaussianity",
            arm="theory",
            control="narrow",
            estimator=per_seed("kurtosis", where={"step": step}),
            region=near(0.0, 0.15),
            why="excess kurtosis is C/n with C of order 2 to 8: at n = 128 at most 0.06, at n = 2 "
            "about 1",
        )
        for when, text, step in (("start", "at step 0", 0), ("trained", "after training", 64))
    ),
]

KERNELS = [
    *(
        claim(
            f"L12_{kernel}_width_depth{depth}",
            f"The empirical {kernel.upper()} at depth {depth} approaches its limit like n^-1/2.",
            source="reported as Figures S9 and S10 of Lee et al. 2019",
            part="monte_carlo",
            control="exchanged",
            estimator=in_width(f"{kernel}_error", depth=depth, networks=1),
            region=near(-0.5, 0.1),
            why="central limit theorem over neurons; against a wrong limit the error stays",
            tier=tier,
        )
        for kernel, depth, tier in (("nngp", 1, "smoke"), ("ntk", 1, "smoke"), ("ntk", 3, "laptop"))
    ),
    *(
        claim(
            f"L12_{kernel}_networks",
            f"The mean {kernel.upper()} over M networks approaches the limit like M^-1/2.",
            source="reported as Figures S9 and S10 of Lee et al. 2019",
            part="monte_carlo",
            control="exchanged",
            estimator=rms_slope(f"{kernel}_error", "networks", depth=1, width=32),
            region=near(-0.5, 0.1),
            why="independent networks; with one hidden layer there is no bias at finite width",
        )
        for kernel in ("nngp", "ntk")
    ),
]

KINKS = [
    claim(
        "K1_kernel_rate_at_kinks",
        "The kink of ReLU slows the change of the NTK at untrained points to n^-3/4.",
        source="explains the slope -0.76 read off Lee et al. 2019, Figure 1 (c)",
        part="kinks",
        arm="relu",
        control="erf",
        estimator=in_width("change_other"),
        region=near(-0.75, 0.12),
        why="a share n^-1/2 of neurons switches with random signs: n^-1/2 / n^(1/4); half of the "
        "distance to -1 is 0.125",
        tier="laptop",
    ),
    claim(
        "K2_popular_one_over_n",
        "The NTK of a ReLU network changes like 1/n.",
        source="popular reading of Lee et al. 2019, Figure 1 (c)",
        part="kinks",
        arm="relu",
        control="erf",
        estimator=in_width("change_other"),
        region=near(-1.0, 0.12),
        why="1/n is the rate of smooth nonlinearities",
        expected="fail",
        reason="switching neurons give n^-3/4 at untrained points and n^-1/2 at trained ones",
        tier="laptop",
    ),
    claim(
        "K3_bound_is_attained",
        "At a single trained point switching ReLU neurons change the NTK by "
        "-(2/pi) |f_0 - y| / sqrt(n) in the mean: the bound n^-1/2 is attained.",
        source="first-order computation; Lee et al. 2019, Theorem 2.1",
        part="flips",
        control="other_point",
        estimator=jackknife(flip_ratio, columns=("change", "predicted")),
        region=near(1.0, 0.2),
        why="measured over predicted is 1 up to n^-1/2 and the size of a step; at an untrained "
        "point switches cancel and the ratio is 0",
        formula=r"E[\Delta\Theta] = -\frac{2}{\pi} |f_0 - y| / \sqrt{n}",
    ),
]

LAST = {"step": 256}
TRAINING = [
    claim(
        "L10_weights_track",
        "Changes of the weights of a deep ReLU network (n = 512) track those of the linearization.",
        source="Lee et al. 2019, equation 8 and Figure 3",
        part="tracking",
        control="mean_field",
        estimator=per_seed("weight_correlation", where=LAST | {"width": 512}),
        region=at_least(0.7),
        why="descriptive: at 0.7 half of the variance of the changes is shared",
        tier="laptop",
    ),
    claim(
        "L11_own_kernel_is_better",
        "The empirical kernel predicts test outputs better than the limit kernel (n = 128).",
        source="Lee et al. 2019, Figure 3 (d)",
        part="tracking",
        control="other_kernel",
        estimator=per_seed(
            lambda rows: float(rows["rmse_test_limit"].max() / rows["rmse_test"].max()),
            where={"width": 128},
            columns=("rmse_test_limit", "rmse_test"),
            center="geometric",
        ),
        region=at_least(1.0),
        why="it holds the fluctuation at step 0, which the limit lacks; a ratio of 1 is a tie",
        tier="laptop",
    ),
    *(
        claim(
            f"L13_{method}",
            f"Networks trained with {text} follow their linearization under the same training.",
            source="Lee et al. 2019, section 2.4",
            part="other_training",
            control="plain",
            estimator=in_width("gap", method=method),
            region=BOUND,
            why=WHY_BOUND + ", at a fixed step; against other training the gap stays",
            tier="laptop",
        )
        for method, text in (("momentum", "momentum"), ("cross_entropy", "cross-entropy"))
    ),
    claim(
        "L14_standard_kernel",
        "In standard parameterization the NTK grows like the width.",
        source="reported as section G of the supplement of Lee et al. 2019",
        part="parameterizations",
        arm="standard",
        control="ntk",
        estimator=in_width("trace"),
        region=near(1.0, 0.15),
        why="every layer but the first adds its fan-in; inputs of dimension 4 << n",
        tier="laptop",
    ),
    claim(
        "L14_standard_distance",
        "In standard parameterization with a rate of eta_0/n parameters move by n^-1/2.",
        source="reported as section G of the supplement of Lee et al. 2019",
        part="parameterizations",
        arm="standard",
        control="ntk",
        estimator=in_width("distance"),
        region=HALF,
        why="an O(1) change of outputs through a kernel of size n takes a step of n^-1/2",
        tier="laptop",
    ),
    claim(
        "L14_popular_distance",
        "Parameters of a wide network move by O(n^-1/2) in Euclidean norm.",
        source="popular reading of Lee et al. 2019, Theorem 2.1",
        part="parameterizations",
        arm="ntk",
        control="standard",
        estimator=in_width("distance"),
        region=HALF,
        why="the statement as it is quoted, without the division by sqrt(n)",
        expected="fail",
        reason="it holds in standard parameterization with a rate of eta_0/n; in the paper's own "
        "NTK parameterization the distance is O(1)",
        tier="laptop",
    ),
    claim(
        "L14_standard_gap",
        "In standard parameterization with a rate of eta_0/n networks linearize too.",
        source="reported as section G of the supplement of Lee et al. 2019",
        part="parameterizations",
        arm="standard",
        control="standard_above",
        estimator=in_width("gap"),
        region=BOUND,
        why=WHY_BOUND,
        tier="laptop",
    ),
]

CLAIMS = [*DRIFT, *STEPS, *LAWS, *KERNELS, *KINKS, *TRAINING]
