"""What is claimed. "Theorem", "Section", "Remark" and "Figure" are those of Jacot et al. 2018 (v4).

The paper's theorems are limits and state no rate. Where a rate is tested, the source names the work
that proves it: the central limit theorem at initialization, Lee et al. 2019 (Theorem 2.1, an upper
bound n^-1/2), Dyer & Gur-Ari 2019 and Huang & Yau 2019 (n^-1 in training, smooth activations).
"""

import numpy as np
from pandas import DataFrame

from widenets.evidence import (
    Claim,
    at_least,
    at_most,
    between,
    exact,
    jackknife,
    loglog_slope,
    near,
    per_seed,
    ratio,
    worst,
)

T100 = {"step": 100}  # the time of the poster's width-scaling figure
TRAINED = {"step": lambda step: step > 0, "width": lambda width: width <= 512}
LIMIT_WINDOW = {"outputs": 1, "width": lambda width: width <= 16384}
SLOPE_AT_START = (
    "-1/2; corrections, relatively of order 10/n in the variance, shift the slope by about 0.01 "
    "from n = 64 on"
)
SLOPE_IN_TRAINING = (
    "half of the distance between neighbouring exponents of the theory, multiples of 1/2, is 1/4: "
    "0.15 tells them apart and leaves room for corrections, as large as the drift itself"
)
ACTIVATION = {name: {"activation": name} for name in ("relu", "erf")}


def mean_of(column: str):
    return lambda rows: float(rows[column].mean())


def slope_of_mean(rows: DataFrame) -> float:
    """Log-log slope over the width of the inflation's mean over seeds (one seed's may be < 0)."""
    means = rows.groupby("width")["inflation"].mean()
    return float(np.polyfit(np.log(means.index.to_numpy(float)), np.log(means.to_numpy()), 1)[0])


def per_fitted(column: str):
    """Log-log slope over the width, at t = 100, of a column per unit of the column `fitted`."""

    def slope(rows: DataFrame) -> float:
        values = np.log(rows[column] / rows["fitted"])
        return float(np.polyfit(np.log(rows["width"]), values, 1)[0])

    where = {**TRAINED, **T100, **ACTIVATION["relu"]}
    return per_seed(slope, where=where, columns=("width", column, "fitted"))


def gap_ratio(rows: DataFrame) -> float:
    """lambda_1/lambda_2 of this kernel over lambda_1/lambda_2 at beta = 0.1."""
    top = rows.set_index("rank").loc[[1, 2]]
    now, reference = (top[name] for name in ("eigenvalue", "eigenvalue_reference"))
    return float((now[1] / now[2]) / (reference[1] / reference[2]))


INITIALIZATION = [
    Claim(
        name="J1_covariance",
        statement="At initialization the outputs have the covariance Σ^(L)",
        formula="E f^T Σ^(L)^{-1} f / N = 1",
        source="Proposition 1",
        part="output_law",
        estimator=per_seed("covariance"),
        region=near(1, 0.05),
        why="exact for the variances at every width; covariances carry a bias of order 1/n = 3 %",
        control="tangent",
    ),
    Claim(
        name="J1_fourth_moment",
        statement="The outputs become Gaussian: the excess kurtosis falls as 1/n with the "
        "coefficient that the width fixes",
        formula="3 (E q² / (E q)² - 1), E(q'-β²)² = (1 + 5/n) E q²/4",
        source="Proposition 1 states the limit; the coefficient at finite width is ours, exact",
        part="output_law",
        estimator=per_seed(ratio("excess_kurtosis", "excess_predicted")),
        region=near(1, 0.1),
        why="the prediction is exact for ReLU at every width, 0.1 is for noise alone",
        control="shallower",
    ),
    Claim(
        name="J2_limit_relu",
        statement="Θ at initialization converges to Θ_∞, at the rate of the central limit theorem",
        formula="|Θ - Θ_∞|_F ~ n^{-1/2}",
        source="Theorem 1 (the limit); rate: central limit theorem over neurons",
        part="initial_kernel",
        estimator=loglog_slope("distance", "width", where={**LIMIT_WINDOW, **ACTIVATION["relu"]}),
        region=near(-0.5, 0.05),
        why=SLOPE_AT_START,
        control="readout_kernel",
    ),
    Claim(
        name="J2_limit_erf",
        statement="Θ at initialization converges to Θ_∞ for a smooth activation",
        formula="|Θ - Θ_∞|_F ~ n^{-1/2}",
        source="Theorem 1 (the limit); rate: central limit theorem over neurons",
        part="initial_kernel",
        estimator=loglog_slope("distance", "width", where={**LIMIT_WINDOW, **ACTIVATION["erf"]}),
        region=near(-0.5, 0.05),
        why=SLOPE_AT_START,
        control="readout_kernel",
        tier="laptop",
    ),
    Claim(
        name="J2a_mean",
        statement="With one hidden ReLU layer the mean of Θ(x, x) is Θ_∞(x, x) at every width",
        source="Theorem 1; exact at finite width by direct calculation",
        part="initial_moments",
        estimator=per_seed("mean", where={"hidden_layers": 1}),
        region=near(1, 0.02),
        why="an identity: the tolerance is for noise alone",
        control="small_readout",
    ),
    Claim(
        name="J2a_variance",
        statement="With one hidden ReLU layer the variance of Θ(x, x) is 3 Σ^(1)(x, x)² / n",
        formula="n Var Θ(x, x) = 3 q²: E(σ(h)² + v² σ'(h)² q)² - q² = (3/2 + 3/2 + 1 - 1) q²",
        source="Theorem 1; exact at finite width by direct calculation",
        part="initial_moments",
        estimator=per_seed("scaled_variance", where={"hidden_layers": 1}),
        region=near(1, 0.05),
        why="an identity: the tolerance is for noise alone",
        control="small_readout",
    ),
    Claim(
        name="J2b_fluctuation",
        statement="The scatter of Θ over initializations vanishes as n^{-1/2}",
        source="Theorem 1; Section 6.1; rate: central limit theorem over neurons",
        part="initial_kernel",
        estimator=loglog_slope(
            "fluctuation", "width", where={**LIMIT_WINDOW, **ACTIVATION["relu"]}
        ),
        region=near(-0.5, 0.05),
        why=SLOPE_AT_START,
        control="classical",
    ),
    Claim(
        name="J2c_diagonal",
        statement="For ReLU the mean of Θ(x, x) is Θ_∞(x, x) at every width and depth",
        source='Section 6.1, "very close for both widths"; exact by induction over the layers',
        part="initial_moments",
        estimator=per_seed("mean", where={"hidden_layers": 3, "width": 8}),
        region=near(1, 0.02),
        why="σ'(h) is independent of |h|, so each step of the recursion holds in expectation",
        control="small_readout",
        tier="laptop",
    ),
    Claim(
        name="J2c_bias",
        statement="Off the diagonal the mean of Θ differs from Θ_∞ by a bias of order 1/n",
        source='Section 6.1, "very close for both widths"; rate: second order of the delta method',
        part="initial_moments",
        estimator=loglog_slope("shape_bias", "width", where={"hidden_layers": 3}),
        region=near(-1, 0.2),
        why="next order is relatively 5/n per layer as in E q²: at n = 8..64 it moves the slope "
        "by at most 0.2",
        control="small_readout",
        tier="laptop",
    ),
    Claim(
        name="J11_outputs",
        statement="Outputs decouple: Θ converges to Θ_∞ ⊗ Id",
        formula="|Θ - Θ_∞ ⊗ Id|_F ~ n^{-1/2}, two outputs",
        source="Theorem 1 (the limit); rate: central limit theorem over neurons",
        part="initial_kernel",
        estimator=loglog_slope("distance", "width", where={"outputs": 2}),
        region=near(-0.5, 0.05),
        why=SLOPE_AT_START,
        control="coupled",
    ),
    Claim(
        name="J12_random_functions",
        statement="The kernel of P random functions converges to their covariance as P^{-1/2}",
        source="Section 3.1 (law of large numbers); E|K_P - K|² = C/P exactly",
        part="random_functions",
        estimator=loglog_slope("distance", "functions"),
        region=near(-0.5, 0.05),
        why="-1/2 exactly at every P",
        control="shared_part",
    ),
]

TRAINING = [
    Claim(
        name="J3_constant_relu",
        statement="Θ stays constant in training, uniformly on [0, 100]: its drift vanishes "
        "at least as fast as n^{-1/2} (ReLU, which the theorem excludes and the figures use)",
        formula="sup_t |Θ(t) - Θ(0)|_F / |Θ(0)|_F",
        source="Theorem 2 (the limit), Figure 1; tested: the upper bound n^{-1/2} of "
        "Lee et al. 2019, Theorem 2.1",
        part="training",
        estimator=loglog_slope(
            "drift", "width", where={**TRAINED, **ACTIVATION["relu"]}, reduce="max"
        ),
        region=at_most(-0.5),
        why="the theorem's exponent is an upper bound",
        control="mean_field",
    ),
    Claim(
        name="J3_rate_erf",
        statement="For a smooth activation the drift is of order 1/n",
        formula="sup_t |Θ(t) - Θ(0)|_F / |Θ(0)|_F ~ n^{-1}",
        source="Theorem 2 (the limit); tested: the rate of Dyer & Gur-Ari 2019, Huang & Yau 2019",
        part="training",
        estimator=loglog_slope(
            "drift", "width", where={**TRAINED, **ACTIVATION["erf"]}, reduce="max"
        ),
        region=near(-1, 0.15),
        why=SLOPE_IN_TRAINING,
        control="mean_field",
        tier="laptop",
    ),
    Claim(
        name="J3b_inflation",
        statement='The kernel "inflates" in training: its trace grows',
        formula="n (tr Θ(100)/tr Θ(0) - 1) > 0",
        source="Sections 6.1 and 6.3",
        part="training",
        estimator=per_seed(
            mean_of("scaled_inflation"),
            where={**T100, **ACTIVATION["relu"], "width": 64},
            columns=("scaled_inflation",),
        ),
        region=at_least(1e-3),
        why="any positive amount; 1e-3 is above what float32 rounds, 1e-6 per entry times n",
        control="linearized",
        tier="laptop",
    ),
    Claim(
        name="J3b_less_when_wide",
        statement="The inflation is smaller for wider networks, of order 1/n",
        source="Section 6.1 (the ordering); tested: the rate of Dyer & Gur-Ari 2019",
        part="training",
        estimator=jackknife(
            slope_of_mean,
            where={**TRAINED, **T100, **ACTIVATION["relu"]},
            columns=("width", "inflation"),
        ),
        region=near(-1, 0.15),
        why=SLOPE_IN_TRAINING,
        control="mean_field",
        tier="laptop",
    ),
    Claim(
        name="J5_flow",
        statement="Residuals follow the flow of the constant kernel Θ_∞ along all principal "
        "components, uniformly in time, with an error that vanishes with the width",
        formula="sup_t |r_t - (1 - Θ_∞/N)^t r_0| / |r_0| → 0",
        source="Section 5 (the limit); Θ(0) - Θ_∞ ~ n^{-1/2} is the largest error",
        part="training",
        estimator=loglog_slope(
            "flow_error", "width", where={**TRAINED, **ACTIVATION["relu"]}, reduce="max"
        ),
        region=at_most(-0.25),
        why="-1/2 in theory and 0 for a wrong kernel: the middle separates the two at widths where "
        "the drift of order 1/n is not yet small",
        control="readout_kernel",
        tier="laptop",
    ),
    Claim(
        name="J10_activations",
        statement="Each activation moves less and less in wide networks, as n^{-1/2}",
        source="Remark 4 (the statement); proof of Theorem 2 (the rate, up to T)",
        part="training",
        estimator=per_fitted("activation_change"),
        region=near(-0.5, 0.15),
        why=SLOPE_IN_TRAINING,
        control="mean_field",
    ),
    Claim(
        name="J10_hidden_weights",
        statement="A weight between hidden layers moves by order 1/n",
        source="Remark 4; gradients carry two factors n^{-1/2}",
        part="training",
        estimator=per_fitted("hidden_change"),
        region=near(-1, 0.15),
        why=SLOPE_IN_TRAINING,
        control="mean_field",
    ),
    Claim(
        name="J10_lower_layers",
        statement="Collectively the lower layers keep learning: their share of Θ has a limit > 0",
        formula="1 - tr Σ^(L) / tr Θ",
        source="Remark 4",
        part="training",
        estimator=per_seed(
            lambda rows: float((rows["lower_share"] - rows["lower_share_limit"]).mean()),
            where={"step": 0, "width": (64, 128), **ACTIVATION["relu"]},
            columns=("lower_share", "lower_share_limit"),
        ),
        region=near(0, 0.05),
        why="the limit's share, 0.71; both traces are unbiased, their ratio is to order 1/n < 0.05",
        control="readout_only",
    ),
    Claim(
        name="J13_descent",
        statement="The cost decreases in every step (erf)",
        source="Sections 3 and 5, for gradient flow; tested at a quarter of the stable rate",
        part="descent",
        estimator=worst(
            lambda rows: float(rows["rises"].max()),
            where={"width": lambda width: width >= 256},
            columns=("rises",),
        ),
        region=at_most(0),
        why="far below 2 / λ_max every step of a smooth network decreases the cost, unless the "
        "kernel grows fourfold, which from n = 256 on (inflation of order 40/n) no draw comes "
        "near; the theorems assume smooth nonlinearities, steps of relu cross kinks to and fro",
        control="too_fast",
        tier="laptop",
    ),
]

PREDICTIONS = [
    Claim(
        name="J6_gaussian",
        statement="After training f is Gaussian with the mean of kernel regression: 80 % of the "
        "networks lie between the predicted P10 and P90",
        source="Section 5 and Figure 2",
        part="limit_law",
        estimator=per_seed("inside", where={"width": lambda width: width >= 128}),
        region=near(0.8, 0.05),
        why="0.8 by definition of the band; corrections of order 1/n from n = 128 on",
        control="nngp_posterior",
    ),
    Claim(
        name="J6_not_a_posterior",
        statement="The law after training is not the posterior of a Gaussian process with "
        "covariance Θ_∞",
        source="Section 5 (covariance of f_∞); Lee et al. 2019, Section 2.3",
        part="limit_law",
        estimator=per_seed("inside", where={"width": lambda width: width >= 128}),
        region=near(0.8, 0.05),
        why="0.8 by definition of the band; corrections of order 1/n from n = 128 on",
        control="ntk_posterior",
        tier="laptop",
    ),
    Claim(
        name="J7a_straight_line",
        statement="The path of f_t leaves the straight line along f^(2) less in wide networks",
        formula="sup_t |h_t|_pin → 0",
        source="Section 6.3 and Figure 3b",
        part="component",
        estimator=loglog_slope(
            "h",
            "width",
            where={"amplitude": 0.5, "step": lambda step: step > 0},
            reduce="max",
        ),
        region=at_most(-0.25),
        why="-1/2 in theory (f^(2) is a component of the limit) and 0 for a target that is none: "
        "the middle separates the two at widths where the drift is not yet small",
        control="not_a_component",
        tier="laptop",
    ),
    Claim(
        name="J7b_rate",
        statement="Along the second principal component f_t converges at the rate λ_2",
        formula="g_t = e^{-λ_2 t}, discretely (1 - η λ_2)^t, at λ_2 t = 2",
        source="Section 5 and Figure 3c",
        part="component",
        estimator=per_seed("rate", where={"amplitude": 0.2, "width": 512, "time": 2.0}),
        region=near(1, 0.1),
        why="1 in the limit; corrections are of order 1/n, one from the drift and quadratic in the "
        "amplitude, which is therefore 0.2 here and not 0.5",
        control="mean_field",
        tier="laptop",
    ),
    Claim(
        name="J7c_small_is_faster",
        statement="Smaller networks converge faster than the limit",
        formula="rate / λ_2 > 1 at n = 64, amplitude 0.5",
        source="Section 6.3 and Figure 3c (explained there by the inflation of the kernel)",
        part="component",
        estimator=per_seed("rate", where={"width": 64, "time": 2.0}),
        region=at_least(1),
        why="a kernel that grows speeds up its components",
        control="small_target",
    ),
    Claim(
        name="J7c_whatever_the_target",
        statement="Smaller networks converge faster whatever the size of the target",
        source="popular reading of Figure 3c",
        part="component",
        estimator=per_seed("rate", where={"width": 64, "time": 2.0}),
        region=at_least(1),
        why="what the statement says",
        arm="small_target",
        control="theory",
        expected="fail",
        reason="the kernel grows by the square of the target; for a small target (0.05) it stays "
        "what it was, and the residual spreads over slower components (Jensen: slower, not faster)",
        tags=("popular",),
    ),
    Claim(
        name="J8_bias_and_gap",
        statement="beta = 1 instead of 0.1 makes the gap between the first two eigenvalues about "
        "ten times larger",
        formula="λ_1/λ_2 at β = 1 over λ_1/λ_2 at β = 0.1",
        source="footnote 3 (read as a ratio)",
        part="spectrum",
        estimator=per_seed(gap_ratio, columns=("rank", "eigenvalue", "eigenvalue_reference")),
        region=between(5, 20),
        why='"about ten times", to a factor of two',
        control="same_beta",
        tier="laptop",
    ),
    *(
        Claim(
            name=f"J4_{name}",
            statement=statement,
            formula="rank of the Gram matrix of 40 points on S² = 40",
            source="Proposition 2",
            part="definiteness",
            estimator=exact("missing_rank", resolution=0, where=ACTIVATION[activation]),
            region=at_most(0),
            why="positive definite: full rank, eigenvalues above 1e-12 of the largest",
            control=control,
            tier="smoke" if name == "depth" else "laptop",
        )
        for name, activation, control, statement in (
            ("depth", "relu", "no_hidden_layer", "Θ_∞ is positive definite on the sphere if L ≥ 2"),
            ("activation", "erf", "square", "... for activations that are not polynomial"),
            ("bias", "relu", "antipodal", "... with a bias (else odd or even parts are missing)"),
        )
    ),
]

PARAMETERIZATION = [
    Claim(
        name="J9_equivalence",
        statement="The NTK parameterization is the classical one with each tensor's learning rate "
        "times the square of its factor",
        source="Remark 1",
        part="parameterizations",
        estimator=worst("difference"),
        region=at_most(1e-10),
        why="an identity: float64 rounding over 50 steps",
        control="single_rate",
    ),
    Claim(
        name="J9_single_rate",
        statement="A single classical learning rate 1/n gives the training of the NTK "
        "parameterization with rate 1",
        source="popular reading of Remark 1 (rate 1 corresponds to 0.01 at width 100)",
        part="parameterizations",
        estimator=worst("difference"),
        region=at_most(1e-10),
        why="what the statement says",
        arm="single_rate",
        control="theory",
        expected="fail",
        reason="only weights between hidden layers and the readout's have the factor n^{-1/2}: "
        "input weights and biases would need other rates",
        tags=("popular",),
    ),
    Claim(
        name="J9_growth",
        statement="In the classical parameterization Θ grows in proportion to the width",
        formula="tr Θ ~ n",
        source="Remark 1",
        part="initial_kernel",
        estimator=loglog_slope(
            "trace",
            "width",
            where={
                "outputs": 1,
                **ACTIVATION["relu"],
                "width": lambda width: (width >= 1024) & (width <= 16384),
            },
        ),
        region=near(1, 0.05),
        why="the input layer and the biases add a constant of about 20/n of the trace: from "
        "n = 1024 on it moves the slope by less than 0.02",
        arm="classical",
        control="theory",
        tier="laptop",
    ),
    Claim(
        name="J9_parameter_distance",
        statement="The parameters move by |θ_t - θ_0| = O(n^{-1/2})",
        source="popular statement",
        part="weights",
        estimator=loglog_slope("distance", "width"),
        region=near(-0.5, 0.15),
        why="what the statement says; " + SLOPE_IN_TRAINING,
        control="classical",
        expected="fail",
        reason="in the NTK parameterization the distance is of order 1; the statement is true of "
        "the classical one with a rate ~ 1/n",
        tier="laptop",
        tags=("popular",),
    ),
    Claim(
        name="J10_every_weight",
        statement="Every parameter moves by O(n^{-1/2}), typically",
        formula="rms over all parameters ~ n^{-1/2}",
        source="popular statement",
        part="weights",
        estimator=loglog_slope("rms", "width"),
        region=near(-0.5, 0.15),
        why="what the statement says; " + SLOPE_IN_TRAINING,
        control="one_hidden_layer",
        expected="fail",
        reason="true with one hidden layer; deeper, almost all weights lie between hidden layers "
        "and move by order 1/n",
        tier="laptop",
        tags=("popular",),
    ),
    Claim(
        name="J5_skip_connection",
        statement="A skip connection adds <x, x'>/d to the NTK of its branch",
        source="popular statement",
        part="skip_connection",
        estimator=exact("error", resolution=1e-12),
        region=at_most(1e-10),
        why="what the statement says, up to rounding",
        arm="inner_product",
        control="theory",
        expected="fail",
        reason="it adds the NTK of what it carries, which after a trained layer has its bias too",
        tier="laptop",
        tags=("popular",),
    ),
]

CLAIMS = [*INITIALIZATION, *TRAINING, *PREDICTIONS, *PARAMETERIZATION]
