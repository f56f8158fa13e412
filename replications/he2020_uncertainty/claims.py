"""What is claimed of infinite networks as Bayesian models, and how it is checked.

Numbers of propositions and figures are as they are usually cited; only abstracts were at hand. What
no paper prints says that it is ours.
"""

import numpy as np

from widenets.evidence import (
    Claim,
    Rival,
    area_under_roc,
    at_least,
    at_most,
    coverage,
    expected_calibration_error,
    jackknife,
    near,
    negative_log_likelihood,
    per_seed,
    rank_correlation,
    worst,
)

HE = "He, Lakshminarayanan & Teh 2020"
ADLAM = "Adlam et al. 2020"
LEE18 = "Lee et al. 2018"
LEE19 = "Lee et al. 2019"


def _intervals(law: str, scale: float | str = 1.0, level: float = 0.95):
    """Coverage of the intervals of one law; scale: of its deviations, a number or a column."""
    error = "error_nngp" if law == "nngp" else "error_ntk"
    deviation = f"sd_{law}"

    def scaled(rows):
        return rows[deviation] * (rows[scale] if isinstance(scale, str) else scale)

    columns = (error, deviation, *((scale,) if isinstance(scale, str) else ()))
    return {"statistic": coverage(error, scaled, level=level), "columns": columns}


def _measured_over_claimed(rows):
    return coverage("error_ntk", "sd_deep")(rows) / rows["claimed"].iloc[0]


def _spread_of_coverage(rows):
    """Coverage of prior deviations ten times as large less that of ten times as small ones."""
    wide, narrow = (_intervals("nngp", np.sqrt(c))["statistic"](rows) for c in (10.0, 0.1))
    return wide - narrow


def _calibration_gap(rows):
    """ECE of the NTKGP less that of the deep ensemble, on the same images."""
    score = expected_calibration_error("confidence", "correct")
    return score(rows[rows["method"] == "ntkgp"]) - score(rows[rows["method"] == "deep"])


def _margin_at_criticality(rows):
    accuracy = rows.set_index("share")["accuracy"]
    return float(accuracy[1.0] - max(accuracy[0.25], accuracy[4.0]))


ECE = {"columns": ("confidence", "correct")}
EVERY_NETWORK = ("deep_over_ntkgp", "nngp_over_deep")

CLAIMS = [
    Claim(
        name="U1_ensemble_below_ntkgp",
        statement="The NTKGP posterior covariance exceeds that of a deep ensemble in every "
        "direction",
        formula=r"$J(\Theta)-J(K)\succeq 0$",
        source=f"{HE}, reported as the proposition that Bayesian ensembles are more conservative",
        part="order",
        estimator=worst(lambda rows: -rows["above"].min(), columns=("above",)),
        region=at_most(1e-10),
        why="Theta - K is positive and J is linear and monotone: rounding of float64 is left. In "
        "the "
        "control K/2 takes the place of Theta",
        rival=Rival(1.6, "who has the order the other way round: measured, at least"),
        control="half",
        kind="bound",
    ),
    Claim(
        name="U2_nngp_below_ensemble",
        statement="The covariance of a deep ensemble exceeds the NNGP posterior's in every "
        "direction",
        formula=r"$J_\Theta(K)-J_K(K)\succeq 0$",
        source="ours: the posterior minimises [-A, I] K [-A, I]' over A",
        part="order",
        estimator=worst(lambda rows: -rows["below"].min(), columns=("below",)),
        region=at_most(1e-10),
        why="the posterior is the best linear predictor. The control puts the NTKGP in its place",
        rival=Rival(0.027, "who has the order the other way round: measured, at least"),
        control="readout",
        kind="bound",
    ),
    Claim(
        name="U3_order_is_strict",
        statement="On average the NNGP posterior's variance is strictly below that of a deep "
        "ensemble, and that strictly below the NTKGP's: ratios of mean variances below .99",
        source=f"{HE} (underconfidence of deep ensembles against the posterior); ours",
        part="order",
        estimator=worst(
            lambda rows: rows[list(EVERY_NETWORK)].to_numpy().max(), columns=EVERY_NETWORK
        ),
        region=at_most(0.99),
        why="strict unless Theta_*X Theta_XX^-1 = K_*X K_XX^-1, as for the read-out alone, where "
        "the ratio is 1: the control",
        rival=Rival(1.0, "who has the three laws alike, as for the read-out alone"),
        control="readout",
        kind="bound",
    ),
    Claim(
        name="U4_corrected_start",
        statement="A network plus its hidden-layer tangent along a second draw has the variance of "
        "the NTK's prior",
        formula=r"$\mathrm{Var}(f_0+\langle\nabla_{hidden}f_0,\tilde\theta\rangle)=\Theta$",
        source=f"{HE}, main construction (NTKGP-param)",
        part="start",
        estimator=per_seed("over_ntk"),
        region=near(1, 0.04),
        why="exact at every width with one hidden layer: E f f' = K and the hidden part of E of "
        "the "
        "tangent kernel is Theta - K. The control leaves the read-out's gradient in",
        control="whole_tangent",
        kind="level",
        rival=Rival(1.53, "who takes the gradient by all parameters: 1 + K / Theta"),
    ),
    Claim(
        name="U4_corrected_ensemble",
        statement="Members of an ensemble that are trained with their hidden-layer tangent along a "
        "second draw added, never trained itself, have the NTKGP posterior's variance",
        formula=r"$\mathrm{Var} f_t/J(\Theta)\to 1$",
        source=f"{HE}, main result",
        part="trained",
        estimator=per_seed("over_ntkgp", center="geometric"),
        region=near(1, 0.04),
        why="widths of 2048 or more leave about 10/m; what the draw of a block does to the ratio "
        "is known from members that the limit's kernel trains, and taken out, and with it the law "
        "of the start (U4_corrected_start): judged is the training. The control leaves the "
        "read-out's gradient in",
        control="whole_tangent",
        tier="laptop",
        kind="level",
        rival=Rival(1.24, "who takes the gradient by all parameters: J(K + Theta) / J(Theta)"),
    ),
    Claim(
        name="U4_popular_ensemble_is_posterior",
        statement="Members of a deep ensemble are samples of the posterior of a Gaussian process "
        "with the NTK as prior",
        formula=r"$\mathrm{Var} f_t/J(\Theta)=1$",
        source="popular reading of the equality of the means (tutorials on deep ensembles)",
        part="trained",
        arm="deep",
        estimator=per_seed("over_ntkgp", center="geometric"),
        region=near(1, 0.04),
        why="what would follow, and does for the corrected ensemble",
        control="theory",
        tier="laptop",
        expected="fail",
        reason="their start has the covariance K, not Theta: a quarter of the variance",
        kind="level",
        rival=Rival(0.25, "Lee et al. 2019, equation 15: J(K) / J(Theta) on these problems"),
    ),
    Claim(
        name="U5_deep_ensemble",
        statement="Members of a deep ensemble have the variance of Lee et al.'s equation 15",
        formula=r"$\mathrm{Var} f_t/J_\Theta(K)\to 1$",
        source=f"{LEE19}, equation 15",
        part="trained",
        arm="deep",
        estimator=per_seed("over_deep", center="geometric"),
        region=near(1, 0.04),
        why="as for U4_corrected_ensemble; the start is U5_start's. The control trains the "
        "read-out alone, and has J_K(K). Correction: what 1/m leaves once it is taken out, m^-2 "
        "and the last of training, under 1 %",
        control="readout",
        tier="laptop",
        kind="level",
        rival=Rival(
            0.915,
            "who takes the read-out's law at the same step; the NNGP posterior itself has .83",
        ),
    ),
    Claim(
        name="U5_start",
        statement="Networks start with the covariance K: the NTK's linear training makes the "
        "variance of Lee et al.'s equation 15 of it",
        formula=r"$\mathrm{Var} f_0=K\to J_\Theta(K)$",
        source=f"{LEE19}, equation 15; that a start is taken from finite networks: ours",
        part="start",
        arm="deep",
        estimator=per_seed("over_deep"),
        region=near(1, 0.04),
        why="exact at every width with one hidden layer: E f_0 f_0' = K. The control is trained "
        "with K, the read-out's kernel",
        control="readout",
        kind="level",
        rival=Rival(0.915, "who takes the read-out's law at the same step"),
    ),
    Claim(
        name="U6_prior_function",
        statement="Members trained with a second untrained network added have the variance of a "
        "deep ensemble with twice the start's covariance",
        formula=r"$\mathrm{Var} f_t/J_\Theta(2K)\to 1$",
        source="randomised prior functions (Osband et al. 2018, He et al.'s RP-fn); the factor: "
        "ours",
        part="trained",
        arm="prior_function",
        estimator=per_seed("over_double", center="geometric"),
        region=near(1, 0.04),
        why="J is linear; as for U4_corrected_ensemble the start's law cancels, so that the factor "
        "2 is U6_start's. The control has one network, 1/2. Correction: 1/m, about 10/m, .5 % at "
        "2048",
        control="deep",
        tier="laptop",
        kind="level",
        rival=Rival(0.915, "who takes twice the read-out's law at the same step: J_K(K) / J(K)"),
    ),
    Claim(
        name="U6_start",
        statement="A second untrained network added to each member doubles the variance that the "
        "NTK's linear training makes of a deep ensemble's start",
        formula=r"$\mathrm{Var} f_0=2K\to J_\Theta(2K)$",
        source="randomised prior functions (Osband et al. 2018, He et al.'s RP-fn); the factor: "
        "ours",
        part="start",
        arm="prior_function",
        estimator=per_seed("over_double"),
        region=near(1, 0.04),
        why="exact at every width with one hidden layer: two independent draws of E f_0 f_0' = K. "
        "The control has one network",
        control="deep",
        kind="level",
        rival=Rival(0.5, "who has the second network cancel in the difference to the targets"),
    ),
    Claim(
        name="U6_popular_prior_function_is_posterior",
        statement="Randomised prior functions give samples of the NTKGP posterior",
        formula=r"$\mathrm{Var} f_t/J(\Theta)=1$",
        source="popular reading of Osband et al. 2018, exact there for linear models",
        part="trained",
        arm="prior_function",
        estimator=per_seed("over_ntkgp", center="geometric"),
        region=near(1, 0.04),
        why="what would follow, and does for He et al.'s correction",
        control="theory",
        tier="laptop",
        expected="fail",
        reason="the start has covariance 2 K, and Theta is larger: half of the variance",
        kind="level",
        rival=Rival(0.495, "J(2 K) / J(Theta) on these problems"),
    ),
    Claim(
        name="U7_readout_ensemble",
        statement="Networks of which the read-out alone is trained have the variance that NNGP "
        "gradient descent has at the same step; at infinite time that is the NNGP posterior's, "
        "here 9 % lower",
        formula=r"$\mathrm{Var} f_t/J_{K,t}(K)\to 1$",
        source=f"{LEE19}, section 2.3 as reported; Matthews et al. 2017",
        part="trained",
        arm="readout",
        estimator=per_seed("over_nngp", center="geometric"),
        region=near(1, 0.04),
        why="linear training, so that K's fluctuation of 1/m is left; the start is U7_start's. The "
        "control trains all layers",
        control="deep",
        tier="laptop",
        kind="level",
        rival=Rival(1.09, "who takes the law of the ensemble that trains all layers"),
    ),
    Claim(
        name="U7_start",
        statement="Networks start with the covariance K: the linear training of the read-out makes "
        "the variance of NNGP gradient descent at the same step of it",
        formula=r"$\mathrm{Var} f_0=K\to J_{K,t}(K)$",
        source=f"{LEE19}, section 2.3 as reported; that a start is taken from finite networks: "
        "ours",
        part="start",
        arm="readout",
        estimator=per_seed("over_nngp"),
        region=near(1, 0.04),
        why="as for U5_start. The control is trained with Theta, the kernel of all layers",
        control="deep",
        kind="level",
        rival=Rival(1.09, "who takes the law of the ensemble that trains all layers"),
    ),
    Claim(
        name="U8_same_mean",
        statement="The mean of a deep ensemble is NTK regression and not NNGP regression",
        formula=r"$\mathbb{E}f_t=P_t\,y$",
        source=f"{HE}; {LEE19}, equation 14",
        part="trained",
        arm="deep",
        estimator=jackknife(
            lambda rows: rows["along"].sum() / rows["size"].sum(), columns=("along", "size")
        ),
        region=near(0, 0.1),
        why="the start has mean 0; on the way from NTK (0) to NNGP regression (1), both at "
        "this step, where the read-out's training is. Correction: a bias of finite width that "
        "falls about like m^-1/2: .2, .09 and .06 at 128, 512 and 2048",
        control="readout",
        tier="laptop",
        kind="level",
        scale=1.0,
        rival=Rival(0.25, "who has training go a quarter of the way to the other law"),
    ),
    Claim(
        name="U9_coverage_if_the_prior_is_right",
        statement="95 % intervals of the NTKGP posterior hold 95 % of truths drawn from GP(0, "
        "Theta)",
        source="definition of a posterior",
        part="intervals",
        estimator=per_seed(**_intervals("ntkgp")),
        region=near(0.95, 0.025),
        why="exact on average; thousands of predictions leave .01. In the control truths have 1.7 "
        "times the variance",
        control="larger",
        kind="level",
        rival=Rival(0.867, "who takes the variance 1.7 times as large: 2 Phi(1.96 / 1.3) - 1"),
    ),
    Claim(
        name="U9_coverage_if_the_nngp_is_right",
        statement="95 % intervals of the NNGP posterior hold 95 % of truths drawn from GP(0, K)",
        source="definition of a posterior",
        part="intervals",
        arm="nngp_truth",
        estimator=per_seed(**_intervals("nngp")),
        region=near(0.95, 0.025),
        why="exact on average. In the control truths come from GP(0, Theta)",
        control="theory",
        kind="level",
        rival=Rival(0.3, "who keeps the NNGP where the tangent kernel is the prior"),
    ),
    Claim(
        name="U9_ensemble_covers_too_little",
        statement="Where the NTKGP is right, intervals of a deep ensemble hold the computed share "
        "of "
        "truths, less than half",
        formula=r"$\mathbb{E}\,2\Phi(1.96\sqrt{J(K)/J(\Theta)})-1$",
        source="ours: the means agree, so that the errors have the NTKGP's variance",
        part="intervals",
        estimator=per_seed(_measured_over_claimed, columns=("error_ntk", "sd_deep", "claimed")),
        region=near(1, 0.08),
        why="measured over computed, exact on average; a share of .33 is noisier than one of .95. "
        "In "
        "the control truths have the variance of GP(0, K)",
        control="nngp_truth",
        tier="laptop",
        kind="level",
        rival=Rival(2.88, "who takes the ensemble for a posterior: .95 over the share"),
    ),
    Claim(
        name="U9_popular_ensembles_are_calibrated",
        statement="95 % intervals of a deep ensemble's members hold 95 % of truths",
        source="a library's documentation on deep ensembles (uncertainty from the members' spread)",
        part="intervals",
        estimator=per_seed(**_intervals("deep")),
        region=near(0.95, 0.025),
        why="what would follow; it nearly does where truths come from GP(0, K)",
        control="nngp_truth",
        expected="fail",
        reason="if Theta is the right prior, J(K) is a twentieth of the error's variance",
        kind="level",
        rival=Rival(0.33, "ours: the share computed in U9_ensemble_covers_too_little"),
    ),
    Claim(
        name="U10_popular_ntk_is_calibrated",
        statement="NTK regression gives calibrated 95 % intervals at the scale that initialisation "
        "gives, here for the function x_0 x_1",
        source="a popular page: 'GP and NTK regression provides calibrated uncertainty estimates'",
        part="intervals",
        arm="product",
        estimator=per_seed(**_intervals("ntkgp")),
        region=near(0.95, 0.025),
        why="what would follow, and does where truths are drawn from the prior",
        control="theory",
        expected="fail",
        reason="a posterior is calibrated for its own prior: this one is 11 times too wide "
        "(type-II scale .09), and the function smoother than it thinks (at that scale intervals "
        "still hold .99)",
        kind="level",
        rival=Rival(1.0, "ours: the prior is too wide, the function smoother than it"),
    ),
    Claim(
        name="U10_popular_oscillating",
        statement="Deep ensembles give calibrated 95 % intervals, here for sin(5 x_0)",
        source="a library's documentation on deep ensembles, as in "
        "U9_popular_ensembles_are_calibrated",
        part="intervals",
        arm="oscillating",
        estimator=per_seed(**_intervals("deep")),
        region=near(0.95, 0.025),
        why="what would follow; it nearly does where truths come from GP(0, K)",
        control="nngp_truth",
        expected="fail",
        reason="the function is rougher than the prior: its weight lies in degrees that it thinks "
        "small",
        kind="level",
        rival=Rival(0.52, "ours: measured; .43 on the points looked at first"),
    ),
    Claim(
        name="U11_coverage_is_the_scale",
        statement="Coverage of the NNGP's intervals is set by the scale of prior and noise "
        "together, which leaves every mean as it is: from c = .1 to 10 that of digits' parity "
        "moves by more than .3",
        formula=r"$J(cM)=c\,J(M),\ A_{c\Theta,c\sigma^2}=A_{\Theta,\sigma^2}$",
        source="ours",
        part="intervals",
        arm="parity",
        estimator=per_seed(_spread_of_coverage, columns=("error_nngp", "sd_nngp")),
        region=at_least(0.3),
        why="deviations change tenfold between them, means not at all. For a linear function, the "
        "control, all intervals are too wide at any of these scales",
        rival=Rival(0.0, "who has coverage follow the means, which no scale moves"),
        control="linear",
        kind="bound",
    ),
    Claim(
        name="U12_type_two_scale",
        statement="With the scale of prior and noise of largest marginal likelihood the NTKGP "
        "covers the parity of digits as it says",
        formula=r"$c=y^\top(\Theta_{XX}+\sigma^2)^{-1}y/N$",
        source="textbook (empirical Bayes)",
        part="intervals",
        arm="parity",
        estimator=per_seed(**_intervals("ntkgp", "scale_ntkgp")),
        region=near(0.95, 0.025),
        why="the scale makes the average error right, if the spectrum is. For a linear function, "
        "the control, no scale repairs a wrong spectrum. Correction: labels of +-1 have tails "
        "lighter than a Gaussian's, order 1 of their fourth moment: + .01 of coverage",
        control="linear",
        tier="laptop",
        kind="level",
        rival=Rival(1.0, "who keeps the default scale"),
    ),
    Claim(
        name="U13_softmax_is_underconfident",
        statement="Softmax of the kernel regression's mean is less sure of its digit than it "
        "is right by more than half, on average over test digits",
        source=f"{ADLAM} (heuristics for probabilities from regression); the bound: ours",
        part="classes",
        arm="softmax",
        estimator=per_seed(
            expected_calibration_error("confidence", "correct"), where={"method": "nngp"}, **ECE
        ),
        region=at_least(0.5),
        why="means lie between -.1 and .9: softmax gives at most .23, accuracy is .95",
        rival=Rival(0.0, "who takes the softmax of means for chances"),
        control="theory",
        kind="bound",
    ),
    Claim(
        name="U13_chance_of_largest_is_calibrated",
        statement="The posterior chance of being the largest output, at the type-II scale, is "
        "calibrated within .05 on digits",
        source=f"{ADLAM} (heuristics); the scale: ours",
        part="classes",
        estimator=per_seed(
            expected_calibration_error("confidence", "correct"), where={"method": "nngp"}, **ECE
        ),
        region=at_most(0.05),
        why="descriptive; calibrated predictions would have .026 from 200 images. The control is "
        "the "
        "same at scale 1",
        rival=Rival(0.086, "who keeps the scale that initialisation gives"),
        control="unit",
        kind="bound",
    ),
    Claim(
        name="U13_likelihood",
        statement="The posterior chance of each digit to be the largest output, at the type-"
        "II scale, has a negative log-likelihood below .4 nats on test digits",
        source="ours",
        part="classes",
        estimator=per_seed(
            negative_log_likelihood("likelihood"), where={"method": "nngp"}, columns=("likelihood",)
        ),
        region=at_most(0.4),
        why="descriptive; a tenth of log 10 would be .23. Softmax, the control, has at least "
        "log(1 + 9 "
        "/ e) = 1.46",
        rival=Rival(1.46, "softmax of the means, log(1 + 9 / e) at least"),
        control="softmax",
        kind="bound",
    ),
    Claim(
        name="U14_temperature_does_as_well",
        statement="Softmax of the kernel regression of digits, at a temperature fitted by "
        "leave-one-out, is calibrated within .05",
        source="ours; temperature scaling: Guo et al. 2017",
        part="classes",
        arm="temperature",
        estimator=per_seed(
            expected_calibration_error("confidence", "correct"), where={"method": "nngp"}, **ECE
        ),
        region=at_most(0.05),
        why="one number makes confidences right on average. The control has the temperature 1",
        rival=Rival(0.75, "who keeps the softmax at temperature 1"),
        control="softmax",
        kind="bound",
    ),
    Claim(
        name="U14_popular_posterior_calibrates_better",
        statement="The NTKGP posterior is no worse calibrated than the deep ensemble at the scale "
        "that initialisation gives: on test digits, in distribution",
        source=f"popular reading of {HE}, who report gains out of distribution",
        part="classes",
        arm="unit",
        estimator=per_seed(_calibration_gap, columns=("method", "confidence", "correct")),
        region=at_most(0.05),
        why="what would follow, and holds at the type-II scale, where the two are alike",
        rival=Rival(0.58, "ours: an error of .72 against .13"),
        control="theory",
        expected="fail",
        reason="in distribution its prior is far too wide: expected calibration error .72 against "
        ".13",
        kind="bound",
    ),
    Claim(
        name="U15_variance_ranks_errors",
        statement="The posterior variance ranks the squared errors of single images, rank "
        "correlation "
        "above .3",
        source=f"{LEE18}, reported as the figure of error against uncertainty",
        part="ranking",
        estimator=per_seed(
            rank_correlation("variance_ntkgp", "square"),
            where={"group": "same"},
            columns=("variance_ntkgp", "square"),
        ),
        region=at_least(0.3),
        why="descriptive; 0 would be no information: the control shuffles the variances",
        rival=Rival(0.0, "who has variances say nothing of errors"),
        control="shuffled",
        kind="bound",
    ),
    Claim(
        name="U16_strangers",
        statement="The posterior variance of a kernel regression on the digits 0 to 4 tells "
        "them with their pixels permuted from new ones, area under the curve above .9",
        source=f"{ADLAM}, {HE} (detection out of distribution)",
        part="ranking",
        estimator=per_seed(
            area_under_roc("variance_ntkgp", "new"),
            where={"group": ("same", "far")},
            columns=("variance_ntkgp", "new"),
        ),
        region=at_least(0.9),
        why="descriptive; 1/2 would be no information: the control shuffles the variances",
        rival=Rival(0.5, "who has variances say nothing of strangers"),
        control="shuffled",
        kind="bound",
    ),
    Claim(
        name="U16_near_strangers",
        statement="The posterior variance of a kernel regression on the digits 0 to 4 tells "
        "the digits 5 to 9 from them, area under the curve above .7",
        source=f"{HE} (detection out of distribution); digits: ours",
        part="ranking",
        estimator=per_seed(
            area_under_roc("variance_ntkgp", "new"),
            where={"group": ("same", "near")},
            columns=("variance_ntkgp", "new"),
        ),
        region=at_least(0.7),
        why="descriptive, half of the way from no information, 1/2, to what is asked of far "
        "strangers, .9",
        rival=Rival(0.5, "who has variances say nothing of strangers"),
        control="shuffled",
        kind="bound",
    ),
    Claim(
        name="U18_depth_needs_criticality",
        statement="With 50 hidden layers and labels one-hot less 1/10 the NNGP classifies digits "
        "at the critical weight variance and not at a quarter or four times of it: .5 better",
        source=f"{LEE18}, reported as the figure of accuracy against the phase diagram; "
        "Schoenholz et al. 2017",
        part="depth",
        estimator=per_seed(_margin_at_criticality, columns=("share", "accuracy")),
        region=at_least(0.5),
        why="at a quarter rounding takes what the images say; at four times the constant part of "
        "the kernel outweighs it for labels that are not centred (U18_popular_chaos_forgets). With "
        "one hidden layer, the control, nothing is forgotten",
        rival=Rival(0.0, "who has all weight variances alike"),
        control="shallow",
        kind="bound",
        tier="laptop",
    ),
    Claim(
        name="U18_popular_chaos_forgets",
        statement="At four times the critical weight variance 50 hidden layers leave nothing of "
        "the images: at most twice the accuracy of chance",
        source=f"popular reading of {LEE18} and Schoenholz et al. 2017",
        part="depth",
        arm="centred",
        estimator=per_seed("accuracy", where={"share": 4.0}),
        region=at_most(0.2),
        why="what would follow, and does as long as the labels are not centred",
        rival=Rival(0.88, "ours: what regression on centred labels still reads"),
        control="theory",
        expected="fail",
        reason="off its diagonal the kernel is a constant plus 1e-4 of it that the images say. "
        "Labels that are not centred meet the constant, which then answers with the commonest "
        "class; of centred ones regression reads the rest, whose scale no argmax notices. At a "
        "quarter of the critical variance rounding takes it",
        kind="bound",
        tier="laptop",
    ),
]
