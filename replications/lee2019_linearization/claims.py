"""What Lee et al. 2019 claim, and what is often said in their name.

Regions of exponents: neighbouring exponents of the theory, 0, -1/2 and -1, are 1/2 apart. Weights
have +-0.09, three times the correction seen at first; the change of kernels and outputs has +-0.2,
because between 64 and 512 neurons it still shows the next order. An upper bound O(n^-1/2) is stated
as a slope of at most -1/2.
"""

import numpy as np
from pandas import DataFrame

from widenets.evidence.claim import Claim, Rival, at_least, at_most, near
from widenets.evidence.estimators import (
    jackknife,
    loglog_slope,
    per_seed,
    proportion,
    ratio,
    rms_deviation,
)

THEOREM = "Lee et al. 2019, Theorem 2.1"
FIGURE_1 = "Lee et al. 2019, Figure 1"
TRAINED = {"step": lambda step: step > 0}
WIDE = TRAINED | {"width": lambda width: width >= 128}
BOUND = at_most(-0.5)
HALF, ONE = near(-0.5, 0.09), near(-1.0, 0.09)
ONE_FUNCTION = near(-1.0, 0.2)
STAYS = Rival(0.0, "who says that networks of any width learn features (mean-field scale)")
TAKES_HALF = Rival(-0.5, "who takes the upper bound of theorem 2.1 for the rate")

WHY_BOUND = "O(n^-1/2) means that the exponent is at most -1/2"
WHY_ATTAINED = (
    "O(n^-1/2) means at most -1/2. The theorem's appendix, as reported, asks for a Lipschitz "
    "derivative, which relu lacks: its order follows from the share n^-1/2 of neurons that switch "
    "(claim K3), and the exponent tends to -1/2 from below: the smooth part of the gap falls faster"
)
WHY_SMOOTH = (
    "for smooth nonlinearities one more order of perturbation theory gives n^-1 (Dyer and Gur-Ari "
    "2020, Huang and Yau 2020); the bound -1/2 and the mean-field value 0 lie outside. What "
    "flattens the slopes of narrow networks by .05 to .13 is not derived. Correction: relatively "
    "1/n by perturbation theory; what is seen is larger"
)


def over_width(column: str, **where) -> object:
    """Exponent in the width of the largest value over training, one slope per seed."""
    return loglog_slope(column, "width", reduce="max", where=TRAINED | where)


def per_fitted(column: str, *, where=TRAINED) -> object:
    """The same of the value per unit of the column `fitted`.

    Its law has a limit, so that the exponent is the same; how far the draw of f_0 lies from the
    labels, which is most of the noise, divides out.
    """

    def statistic(rows: DataFrame) -> float:
        of_width = rows.groupby("width")
        values = of_width[column].max() / of_width["fitted"].first()
        return float(np.polyfit(np.log(values.index.to_numpy(float)), np.log(values), 1)[0])

    return per_seed(statistic, where=where, columns=("width", column, "fitted"))


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


ONE_EVERYWHERE = Rival(-1.0, "who says of all layers what holds of the hidden ones")


def _weight_claims(arm: str, tier: str, where: dict, shared: dict) -> list[Claim]:
    """The relative change of every layer's weights."""
    weights = [
        ("hidden", "weight_2", ONE, "n^-1"),
        ("input", "weight_1", HALF, "n^-1/2"),
        ("second_hidden", "weight_3", ONE, "n^-1"),
        ("output", "weight_4", HALF, "n^-1/2"),
    ]
    why_weights = (
        "every entry moves by O(n^-1/2) of itself in the outer layers and O(n^-1) in hidden ones, "
        "where two factors n^-1/2 meet; at mean-field scale the exponents are 0 and -1/2. "
        "Correction: relatively 1/n for erf and n^-1/2 for relu, .01 to .02 in the slope"
    )
    return [
        claim(
            f"L4_{layer}_weights_{arm}",
            f"Relative change of the {layer.replace('_', ' ')} weights of {arm} networks falls "
            f"like {law}.",
            source=f"{FIGURE_1} (b)",
            estimator=per_fitted(column, where=where),
            region=region,
            why=why_weights,
            tier=tier,
            kind="exponent",
            rival=TAKES_HALF if region is ONE else ONE_EVERYWHERE,
            **shared,
        )
        for layer, column, region, law in weights
    ]


def drift_claims(arm: str, tier: str) -> list[Claim]:
    """The claims on weights and on the bound, which are the same for every nonlinearity."""
    shared = {"part": "drift", "arm": arm, "control": f"mean_field_{arm}"}
    one = "an" if arm == "erf" else "a"
    where = TRAINED if arm == "erf" else WIDE  # kinks: the next order is relatively n^-1/2
    return [
        claim(
            f"L1_gap_bound_{arm}",
            f"The largest gap over training between {one} {arm} network and its linearization is "
            "O(n^-1/2) on test points.",
            source=THEOREM,
            estimator=per_fitted("gap_test", where=where),
            region=BOUND,
            why=WHY_BOUND if arm == "erf" else WHY_ATTAINED,
            tier=tier,
            rival=STAYS,
            formula=r"\sup_t |f_t(x) - f^{lin}_t(x)| = O(n^{-1/2})",
            **shared,
        ),
        claim(
            f"L2_distance_{arm}",
            f"Parameters of {one} {arm} network move by O(1) in all, n^-1/2 in units of sqrt(n).",
            source=THEOREM,
            estimator=per_fitted("distance_by_root_width", where=where),
            region=HALF,
            kind="exponent",
            rival=Rival(-1.0, "who says that parameters in all move by O(n^-1/2)"),
            why="the bound is attained: fitting O(1) labels with an O(1) kernel takes an O(1) step",
            tier=tier,
            formula=r"\sup_t |\theta_t - \theta_0|_2 / \sqrt{n} = O(n^{-1/2})",
            **shared,
        ),
        claim(
            f"L3_kernel_bound_{arm}",
            f"The empirical NTK of {one} {arm} network changes by O(n^-1/2).",
            source=THEOREM
            + ("" if arm == "erf" else " (stated for smooth nonlinearities; for relu not covered)"),
            estimator=over_width("ntk_change", **where),
            region=BOUND,
            why=WHY_BOUND,
            tier=tier,
            rival=STAYS,
            formula=r"\sup_t |\hat\Theta_t - \hat\Theta_0|_F = O(n^{-1/2})",
            **shared,
        ),
        *_weight_claims(arm, tier, where, shared),
        claim(
            f"L3b_nngp_rate_{arm}",
            f"The empirical NNGP kernel of {one} {arm} network changes like n^-1.",
            source=f"{FIGURE_1} (d)",
            estimator=over_width("nngp_change", **where),
            region=ONE_FUNCTION,
            kind="exponent",
            rival=TAKES_HALF,
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
        "For the smooth erf the exponent of the gap to the linearization is nearer to -1, the rate "
        "of smooth networks, than to the bound -1/2 (the number of L1_gap_bound_erf, read against "
        "the rate).",
        source="corollary of Lee et al. 2019, Figure 3, with later proofs for smooth networks",
        part="drift",
        arm="erf",
        control="relu",
        estimator=per_fitted("gap_test"),
        region=ONE_FUNCTION,
        why=WHY_SMOOTH + " (from 256 to 512 it is -.93 ± .09 in the laptop tier)",
        tier="laptop",
        kind="exponent",
        rival=Rival(-0.5, "who takes the bound for the rate, which kinks attain"),
    ),
    *(
        claim(
            f"L1_gap_depth_{depth}",
            f"With {layers} the gap between an erf network and its linearization is O(n^-1/2).",
            source=f'{THEOREM}, and the title\'s "of any depth"',
            part="any_depth",
            control="mean_field",
            estimator=per_fitted("gap", where={"depth": depth}),
            region=BOUND,
            why=WHY_BOUND + ", at every depth; the constant may grow with it",
            tier="smoke" if depth <= 2 else "laptop",
            rival=Rival(0.0, "who takes linearization for a property of shallow networks"),
        )
        for depth, layers in (
            (1, "one hidden layer"),
            (2, "two hidden layers"),
            (5, "five hidden layers"),
            (10, "ten hidden layers"),
        )
    ),
    claim(
        "L1b_gap_to_limit_erf",
        "Against the limit kernel the gap is n^-1/2: the fluctuation of the kernel at step 0.",
        source="corollary of Lee et al. 2019, Theorem 2.1",
        part="drift",
        arm="erf",
        control="mean_field_erf",
        estimator=per_fitted("gap_test_limit", where=WIDE),
        region=near(-0.5, 0.15),
        why="the empirical kernel deviates from its limit by n^-1/2 (central limit theorem). "
        "Correction: the next order, relatively n^-1/2 to 1/n, flatter by .05 from 128 to 512 as "
        "seen",
        tier="laptop",
        kind="exponent",
        rival=Rival(-1.0, "who takes the rate against the network's own kernel"),
    ),
    claim(
        "L3_kernel_rate_erf",
        "For the smooth erf the change of the NTK is close to n^-1 (the number of "
        "L3_kernel_bound_erf, read against the rate).",
        source=f"{FIGURE_1} (c) and its text",
        part="drift",
        arm="erf",
        control="mean_field_erf",
        estimator=over_width("ntk_change"),
        region=ONE_FUNCTION,
        why=WHY_SMOOTH,
        tier="laptop",
        kind="exponent",
        rival=TAKES_HALF,
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
        rival=Rival(1.0, "who says that kernels of all widths move alike (mean-field scale)"),
    ),
]

STEPS = [
    claim(
        "L6_below_critical",
        "At 0.9 of 2/l_max, below the theorem's threshold 2/(l_min + l_max), the gap to the "
        "linearization falls at least like n^-1/2.",
        source=THEOREM,
        part="step_size",
        arm="below",
        control="above",
        estimator=in_width("gap", train=16),
        region=BOUND,
        rival=Rival(0.0, "who asks for steps much smaller than 2/l_max"),
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
        rival=Rival(0.0, "who takes eta_critical for the edge of linearization"),
        tier="paper",
    ),
    claim(
        "L6_popular_divergence",
        "Just above the critical learning rate (1.1 x 2/l_max) the training of a wide network "
        "diverges.",
        source="a popular reading of Lee et al. 2019, Theorem 2.1: above eta_critical training "
        "diverges",
        part="step_size",
        arm="above",
        control="linear_above",
        estimator=per_seed("growth", where={"train": 4}),
        region=at_least(0.0),
        why="divergence means that the loss at the end exceeds the loss at the start",
        rival=Rival(-14.0, "what holds: the loss of the network goes to zero"),
        expected="fail",
        reason="only the linearization diverges; the network's largest eigenvalue falls until the "
        "step is stable again (the catapult), and its loss goes to zero (Lewkowycz et al. 2020; "
        "far above, from about 4/l_max on, networks can diverge too)",
    ),
    claim(
        "L7_contraction",
        "The residual stays below (1 - eta l_min / 3)^t times its start at every step (the "
        "network's own l_min; NTK parameterization).",
        source="reported as Theorem G.1 of Lee et al. 2019, which has a constant R_0 in place of "
        "the start and standard parameterization",
        part="step_size",
        arm="theory",
        control="twice_as_fast",
        estimator=proportion(lambda rows: bool(rows["obeys"].all()), columns=("obeys",)),
        region=at_least(0.8),
        why="the theorem holds with high probability over draws; 32 of 32 would show 0.85",
        rival=Rival(0.0, "who bounds the residual by twice the slowest rate, (1 - 2 eta l_min)^t"),
    ),
]

LAWS = [
    claim(
        "L8_ensemble_mean",
        "The mean of trained networks follows equation 14 during training.",
        source="Lee et al. 2019, equation 14 and Figure 2",
        part="ensemble",
        arm="full",
        control="readout",
        estimator=position("ntk", "nngp"),
        region=near(0.0, 0.12),
        why="0 where the mean of equation 14 holds, 1 at that of training the readout alone. "
        "Correction: 1/n in the mean of smooth networks, .04 to .11 at n = 128 by the draw of the "
        "training set and half of it at 256",
        kind="level",
        scale=1.0,
        rival=Rival(0.25, "who is a quarter of the way to the NNGP posterior"),
        tier="laptop",
    ),
    claim(
        "L8_mean_at_every_input",
        "At every input of the line and every step the mean of trained networks is that of "
        "equation 14: rms difference in standard deviations at the start.",
        source="Lee et al. 2019, equation 14 and Figure 2",
        part="ensemble",
        arm="full",
        control="readout",
        estimator=rms_deviation("from_mean", cells=("step", "alpha"), where=TRAINED),
        region=near(0.0, 0.05),
        why="noise is taken out; the NNGP posterior is 0.2 away. Correction: 1/n, a prototype's "
        "5/n = 0.04 of what a network moves, about one deviation",
        kind="level",
        scale=1.0,
        rival=Rival(0.2, "who takes the NNGP posterior for the law of trained networks"),
    ),
    claim(
        "L8_ensemble_deviation",
        "The standard deviation of networks follows equation 15 before and during training.",
        source="Lee et al. 2019, equation 15 and Figure 2",
        part="ensemble",
        arm="full",
        control="centred",
        estimator=jackknife(deviation_ratio, columns=("step", "alpha", "output", "ntk_sd")),
        region=near(1.0, 0.08),
        why="ratio 1 up to corrections of order 1/n in the variance with a coefficient of order 5, "
        "2 % at n = 128, 1 % at 256; without what remains of f_0 it is 0.2",
        kind="level",
        rival=Rival(
            1.16, "who forgets that training shrinks the spread beside the data, by a sixth"
        ),
    ),
    claim(
        "L8_covariances",
        "The covariances between outputs at different inputs follow equation 15 during training.",
        source="Lee et al. 2019, equation 15",
        part="ensemble",
        arm="full",
        control="centred",
        estimator=per_seed(
            ratio("shared", "shared_predicted"),
            where=TRAINED,
            columns=("shared", "shared_predicted"),
        ),
        region=near(1.0, 0.2),
        why="projection of what networks share on equation 15's covariances, off the diagonal: 1, "
        "with corrections of order 1/n; noise is what the region leaves room for",
        kind="level",
        rival=Rival(2.0, "who keeps the covariances of the start, twice those of equation 15"),
    ),
    claim(
        "L9_readout_is_bayesian",
        "The mean of networks of which the readout alone is trained follows, at steps 8 and 64, "
        "the law that ends at the NNGP posterior.",
        source="Lee et al. 2019, section 2.3 and equation 13",
        part="ensemble",
        arm="readout",
        control="full",
        estimator=position("nngp", "ntk"),
        region=near(0.0, 0.2),
        why="0 where the mean of training the readout holds, 1 at equation 14's; the network's own "
        "kernel of rank n adds a bias of order N/n, 16/512 times a coefficient",
        kind="level",
        scale=1.0,
        rival=Rival(1.0, "who says that the readout's training too follows equation 14"),
    ),
    claim(
        "L9_popular_bayes",
        "Gradient descent on all layers of a wide network samples the NNGP posterior.",
        source="a popular statement (trained wide networks are Gaussian processes); Lee et al. "
        "2019, section 2.3 say the opposite",
        part="ensemble",
        arm="full",
        control="readout",
        estimator=position("nngp", "ntk"),
        region=near(0.0, 0.2),
        why="what the statement says: the mean of the NNGP posterior's law",
        kind="level",
        scale=1.0,
        rival=Rival(1.0, "what holds: equation 14"),
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
            why="at n = 2 it is about 1; noise forbids less. Correction: excess kurtosis is C/n "
            "with C of order 2 to 8: at n = 128 at most 0.06",
            kind="level",
            scale=1.0,
            rival=Rival(0.5, "who takes networks of two neurons for Gaussian: as much as there"),
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
            region=near(-0.5, 0.09),
            kind="exponent",
            rival=Rival(-1.0, "who takes the order of biases, 1/n, for that of fluctuations"),
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
            estimator=rms_slope(
                f"{kernel}_error", "networks", depth=1, width=32, networks=lambda m: m > 1
            ),
            region=near(-0.5, 0.09),
            kind="exponent",
            rival=Rival(0.0, "who says that the mean over networks keeps a bias of narrow ones"),
            why="independent networks; with one hidden layer there is no bias at finite "
            "width. Single networks have seeds of another number and are left out",
        )
        for kernel in ("nngp", "ntk")
    ),
]

KINKS = [
    claim(
        "K1_kernel_rate_at_kinks",
        "With one hidden layer the kink of ReLU slows the change of the NTK at untrained points to "
        "n^-3/4.",
        source="ours; Lee et al. 2019, Figure 1 (c), three hidden layers, has -0.76 read by eye",
        part="kinks",
        arm="relu",
        control="erf",
        estimator=in_width("change_other"),
        region=near(-0.75, 0.12),
        why="a share n^-1/2 of neurons switches with random signs: n^-1/2 / n^(1/4); half of the "
        "distance to -1 is 0.125",
        tier="laptop",
        kind="exponent",
        rival=Rival(-1.0, "who takes the rate of smooth nonlinearities"),
    ),
    claim(
        "K2_popular_one_over_n",
        "With one hidden layer the NTK of a ReLU network changes like 1/n at untrained points.",
        source='a popular reading of the text on Lee et al. 2019, Figure 1 (c), "closer to 1/n" '
        "(the number of K1_kernel_rate_at_kinks, read against it)",
        part="kinks",
        arm="relu",
        control="erf",
        estimator=in_width("change_other"),
        region=near(-1.0, 0.12),
        why="1/n is the rate of smooth nonlinearities",
        kind="exponent",
        rival=Rival(-0.75, "what holds: switching neurons"),
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
        region=near(1.0, 0.1),
        why="measured over predicted is 1 up to n^-1/2 = 0.016 times a coefficient, and "
        "the size of a step; at an untrained point switches cancel and the ratio is 0",
        kind="level",
        rival=Rival(np.pi / 4, "who has 1/2 for 2/pi"),
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
        region=at_least(np.sqrt(0.5)),
        why="at the root of 1/2 the linearization explains half of the variance of the changes: it "
        "is nearer to them than no change at all; at mean-field scale it explains next to nothing",
        rival=Rival(0.15, "who says that outputs agree though weights go other ways"),
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
        rival=Rival(0.4, "who takes the kernel of any network for better than the limit"),
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
            rival=Rival(0.0, "who takes the dynamics of plain descent on squared error for these"),
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
        region=near(1.0, 0.11),
        why="every layer but the first adds its fan-in; inputs of dimension 4 << n; the "
        "region leaves room for what they add",
        kind="exponent",
        rival=Rival(0.0, "who carries the limit of the NTK parameterization over"),
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
        region=near(-0.5, 0.15),
        kind="exponent",
        why="an O(1) change of outputs through a kernel of size n takes a step of n^-1/2",
        rival=Rival(0.0, "who takes the distance in the NTK parameterization"),
        tier="laptop",
    ),
    claim(
        "L14_popular_distance",
        "Parameters of a wide network move by O(n^-1/2) in Euclidean norm.",
        source="a popular reading of Lee et al. 2019, Theorem 2.1",
        part="parameterizations",
        arm="ntk",
        control="standard",
        estimator=in_width("distance"),
        region=near(-0.5, 0.15),
        kind="exponent",
        why="the statement as it is quoted, without the division by sqrt(n)",
        rival=Rival(0.0, "what holds in the NTK parameterization"),
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
        rival=Rival(0.0, "who says that standard parameterization learns features"),
        tier="laptop",
    ),
]

CLAIMS = [*DRIFT, *STEPS, *LAWS, *KERNELS, *KINKS, *TRAINING]
