"""The claims of Chizat et al. 2019. Numbers of theorems are those of arXiv version 5; figures are
those of the paper and of the authors' programs."""

from collections.abc import Callable
from functools import partial

import numpy as np
from pandas import DataFrame

from widenets.evidence import (
    Claim,
    Rival,
    at_least,
    at_most,
    between,
    corrected_slope,
    loglog_slope,
    near,
    per_seed,
    worst,
)


def _at_the_smallest(value: str, by: str) -> Callable[[DataFrame], float]:
    """value at the smallest `by`, of one seed."""
    return lambda rows: float(rows.sort_values(by)[value].iloc[0])


def _largest_over_smallest(value: str, by: str) -> Callable[[DataFrame], float]:
    """value at the largest `by` over value at the smallest, of one seed."""

    def statistic(rows: DataFrame) -> float:
        ordered = rows.sort_values(by)[value]
        return float(ordered.iloc[-1] / ordered.iloc[0])

    return statistic


def _rate_in_alpha(
    name: str,
    measure: str,
    exponent: float,
    tolerance: float,
    statement: str,
    source: str,
    rival: Rival,
    *,
    arm: str = "theory",
    control: str = "not_centred",
    why: str = "the theorem's bound is attained: the second derivative of h does not vanish",
    tier: str = "smoke",
    expected: str = "pass",
    reason: str = "",
    summary: str | None = None,
    where: dict | None = None,
    order: float | None = None,
) -> Claim:
    """order: of the next term in 1/alpha, if it is fitted."""
    slope = loglog_slope if order is None else partial(corrected_slope, order=order)
    return Claim(
        name=name,
        statement=statement,
        source=source,
        part="scaling",
        arm=arm,
        estimator=slope(measure, "alpha", summary=summary, where=where),
        region=near(exponent, tolerance),
        why=why,
        control=control,
        tier=tier,
        expected=expected,
        reason=reason,
        kind="exponent",
        rival=rival,
    )


def _slope_on_kappa(rows: DataFrame) -> float:
    """Least-squares slope of log kernel_change on log kappa, of one seed."""
    return float(np.polyfit(np.log(rows["kappa"]), np.log(rows["kernel_change"]), 1)[0])


RELU = "outside the theorems: the derivative of a relu network is not continuous"
FLIPS = "a sum of about 1/alpha random flips of activations"
THEOREMS = (
    "Theorem 2.2; uniformly in time Theorem 2.4, whose condition is met from alpha of some "
    "thousands on (B2)"
)
ANY_MODEL = Rival(0.0, "who trains a model with h(w_0) = 0 violated, and expects it to be lazy")
SECOND_ORDER = Rival(-2.0, "who pairs opposite neurons, whose leading terms cancel")
FIRST_ORDER = Rival(-1.0, "who takes the theorem's bound for the rate")
SMOOTH = "who applies the theorems to relu, for which they do not speak"

CLAIMS = [
    _rate_in_alpha(
        "A1_distance",
        "distance",
        -1.0,
        0.05,
        "If h(w_0) = 0, the largest distance from initialisation on the way falls as 1/alpha.",
        THEOREMS,
        ANY_MODEL,
    ),
    _rate_in_alpha(
        "A2_path_gap",
        "path_gap",
        -2.0,
        0.05,
        "If h(w_0) = 0, the largest distance from the path of the linearized model falls as "
        "1/alpha^2.",
        f"{THEOREMS}, up to a factor log alpha",
        Rival(-1.78, "who takes the factor log alpha of the uniform bound for real"),
        why="the bound is attained; a factor log alpha would give -1.78 in this window",
    ),
    _rate_in_alpha(
        "A3_output_gap",
        "output_gap",
        -1.0,
        0.05,
        "If h(w_0) = 0, the largest distance between the outputs alpha h of model and "
        "linearization falls as 1/alpha.",
        THEOREMS,
        Rival(-0.5, "who takes the law of relu networks"),
        control="paired",
    ),
    _rate_in_alpha(
        "A4_kernel_change",
        "kernel_change",
        -1.0,
        0.05,
        "If h(w_0) = 0, the relative change of the tangent kernel falls as 1/alpha.",
        "consequence of Theorem 2.2",
        SECOND_ORDER,
        control="paired",
    ),
    _rate_in_alpha(
        "A3_output_gap_tanh",
        "output_gap",
        -1.0,
        0.05,
        "If h(w_0) = 0, the largest distance between the outputs of model and linearization falls "
        "as 1/alpha for tanh too.",
        THEOREMS,
        SECOND_ORDER,
        arm="tanh",
        control="tanh_paired",
        tier="laptop",
    ),
    _rate_in_alpha(
        "A3_paired_second_order",
        "output_gap",
        -2.0,
        0.05,
        "With the paired initialisation the gap of the outputs falls as 1/alpha^2.",
        "derived here from the symmetry of the pairs",
        FIRST_ORDER,
        arm="paired",
        control="theory",
        why="opposite neurons move oppositely in a, alike in b: the second-order terms cancel; "
        "the next order, relatively alpha^-2, would be .0005 in the exponent and is fitted",
        order=2.0,
    ),
    _rate_in_alpha(
        "A4_paired_second_order",
        "kernel_change",
        -2.0,
        0.05,
        "With the paired initialisation the tangent kernel changes as 1/alpha^2.",
        "derived here from the symmetry of the pairs",
        FIRST_ORDER,
        arm="paired",
        control="theory",
        why="opposite neurons move oppositely in a, alike in b: the first-order terms cancel; "
        "the next order, relatively alpha^-2, would be .0005 in the exponent and is fitted",
        order=2.0,
    ),
    _rate_in_alpha(
        "A5_relu_distance",
        "distance",
        -1.0,
        0.05,
        "For relu the distance from initialisation still falls as 1/alpha.",
        RELU,
        ANY_MODEL,
        arm="relu",
        why="the flow of z has a limit",
        tier="laptop",
        summary="rms",
    ),
    _rate_in_alpha(
        "A5_relu_path_gap",
        "path_gap",
        -1.5,
        0.1,
        "For relu the distance from the linearized path falls as alpha^(-3/2).",
        RELU,
        Rival(-2.0, SMOOTH),
        arm="relu",
        control="theory",
        why=FLIPS + ", each of which turns the gradient at once",
        tier="laptop",
        summary="rms",
    ),
    _rate_in_alpha(
        "A5_relu_output_gap",
        "output_gap",
        -0.5,
        0.1,
        "For relu the gap of the outputs falls as alpha^(-1/2).",
        RELU,
        Rival(-1.0, SMOOTH),
        arm="relu",
        control="theory",
        why=FLIPS,
        tier="laptop",
        summary="rms",
    ),
    *(
        _rate_in_alpha(
            name,
            measure,
            -1.0,
            0.05,
            f"With the logistic loss, for a fixed time, the {what} as 1/alpha.",
            "Theorem 2.2, which asks of the loss a Lipschitz gradient and no more",
            SECOND_ORDER,
            arm="logistic",
            control="logistic_paired",
            why="the bound is attained as for the square loss; the linearized model descends on "
            "the "
            "same loss, step for step; corrections are of relative order 1/alpha, from alpha = "
            "64 on a "
            "percent or two",
        )
        for name, measure, what in (
            ("A6_logistic_output_gap", "output_gap", "gap of the outputs falls"),
            ("A6_logistic_kernel_change", "kernel_change", "tangent kernel changes"),
        )
    ),
    _rate_in_alpha(
        "A6_logistic_path_gap",
        "path_gap",
        -2.0,
        0.05,
        "With the logistic loss, for a fixed time, the distance from the path of the linearized "
        "model falls as 1/alpha^2.",
        "Theorem 2.2, which asks of the loss a Lipschitz gradient and no more",
        Rival(-1.82, "who takes the factor log alpha of Theorem 2.4 for real"),
        arm="logistic",
        control="logistic_not_centred",
        why="as A2_path_gap; the theorem of a fixed time has no factor log alpha",
    ),
    _rate_in_alpha(
        "A1_popular_any_model",
        "distance",
        -1.0,
        0.05,
        "A large scale makes any model lazy, wherever it starts.",
        "popular summaries of the paper, in substance: any model becomes lazy when its output is "
        "scaled up",
        Rival(0.0, "who counts the weights' way from an output of order alpha to the targets"),
        arm="not_centred",
        control="theory",
        expected="fail",
        reason="alpha h(w_0) is then as large as alpha: undoing it moves the weights by order one",
    ),
    Claim(
        name="B1_late_rate",
        statement="At large alpha the residual decays in the end at the rate of the smallest "
        "eigenvalue of the initial tangent kernel.",
        source="consequence of the linearization; Theorem 2.4 bounds it by a quarter of this rate",
        part="rate",
        estimator=per_seed("rate_ratio", center="median"),
        region=near(1.0, 0.03),
        why="median, since a draw whose targets are nearly orthogonal to the slowest eigenvector "
        "is still on its way there. Correction: 1/alpha at alpha = 256, a kernel that has changed "
        "by less than a percent",
        control="second",
        kind="level",
        rival=Rival(0.25, "who takes the rate of the theorem's bound for the rate"),
        tier="laptop",
    ),
    Claim(
        name="B1_bound",
        statement="At alpha = 256, a tenth of the threshold of Theorem 2.4 (B2), the residual "
        "stays below the theorem's bound |y*| exp(-sigma_min^2 t / 4) all the same.",
        source="Theorem 2.4, below the scale that it asks for",
        part="rate",
        estimator=worst("log_over_bound"),
        region=at_most(0.0),
        why="log(residual / bound) at its worst over time and seeds",
        control="loss_rate",
        rival=Rival(12.0, "who gives the residual the rate of the loss, 2 sigma_min^2"),
    ),
    Claim(
        name="B2_below_the_threshold",
        statement="At alpha = 1 the scale is below the threshold |y*| / C_0 of Theorem 2.4.",
        source="Theorem 2.4",
        part="rate",
        arm="below",
        estimator=per_seed("threshold_over_alpha", center="geometric"),
        region=at_least(1.0),
        why="threshold over alpha; with Lip(Dh) at w_0 the threshold is a lower bound of its own",
        control="above",
        rival=Rival(0.5, "who takes the theorem to speak of alpha = 1"),
    ),
    Claim(
        name="B2_sufficient_only",
        statement="At alpha = 1, a three-thousandth of the threshold of Theorem 2.4, descent "
        "converges all "
        "the same: less than a hundredth of the residual is left at sigma_min^2 t = 12.",
        source="ours; the theorem's condition is sufficient",
        part="rate",
        arm="below",
        estimator=per_seed("left", floor=0.0),
        region=at_most(0.01),
        why="the rate sigma_min^2 leaves 6e-6, half of it 2e-3, the theorem's quarter 5e-2",
        control="lambda_max",
        rival=Rival(0.05, "who takes the rate of the theorem's bound for the rate"),
    ),
    Claim(
        name="U1_rate",
        statement="With fewer parameters than data the flow converges geometrically, for alpha "
        "from 64 |J^+ y| on at the rate of the smallest eigenvalue of Dh(w_0)^T Dh(w_0).",
        source="reported as Theorem 2.5",
        part="underparameterized",
        estimator=per_seed(lambda rows: rows["rate_ratio"].mean(), columns=("rate_ratio",)),
        region=near(1.0, 0.03),
        why="late rate over the smallest eigenvalue of Dh^T Dh, alpha >= 64 |J^+ y|, "
        "where the weights move by 1/64 at most, and the rate by a percent",
        control="not_centred",
        kind="level",
        rival=Rival(2.0, "who takes the rate of the loss for that of the weights"),
    ),
    Claim(
        name="U2_distance",
        statement="With fewer parameters than data the minimum reached is at distance 1/alpha.",
        source="reported as Theorem 2.5",
        part="underparameterized",
        estimator=loglog_slope("distance", "relative_alpha"),
        region=near(-1.0, 0.05),
        why="z tends to the linear least-squares solution",
        control="not_centred",
        kind="exponent",
        rival=ANY_MODEL,
    ),
    Claim(
        name="U2_minimum",
        statement="With fewer parameters than data the minimum reached tends to the linearized "
        "least-squares solution as 1/alpha.",
        source="reported as Theorem 2.5",
        part="underparameterized",
        estimator=loglog_slope("minimum_gap", "relative_alpha"),
        region=near(-1.0, 0.05),
        why="relative distance in z; the next order of the expansion in 1/alpha",
        control="not_centred",
        kind="exponent",
        rival=Rival(-2.0, "who counts the first-order term as zero"),
    ),
    Claim(
        name="K1_inverse_root",
        statement="kappa falls as m^(-1/2) for alpha(m) = m^(-1/2).",
        source="section 1.2",
        part="criterion",
        arm="inverse_root",
        estimator=loglog_slope("kappa", "neurons", where={"neurons": lambda m: m >= 128}),
        region=near(-0.5, 0.05),
        why="m^(-1/2) + 1/(m alpha(m)), from m = 128 on. Correction: the largest of m curvatures "
        "still grows there, + .02 in the exponent",
        control="inverse",
        kind="exponent",
        rival=Rival(-1.0, "who takes the law of alpha(m) = 1"),
    ),
    Claim(
        name="K1_inverse",
        statement="kappa does not fall with m for alpha(m) = 1/m.",
        source="section 1.2",
        part="criterion",
        arm="inverse",
        estimator=loglog_slope("kappa", "neurons", where={"neurons": lambda m: m >= 128}),
        region=near(0.0, 0.05),
        why="m^(-1/2) + 1/(m alpha(m)), of order 1; from m = 128 on. Correction: the largest of m "
        "curvatures still grows there, + .02 in the exponent",
        control="inverse_root",
        kind="exponent",
        rival=Rival(-0.5, "who holds that wide is lazy, whatever the scale"),
    ),
    Claim(
        name="K1_one",
        statement="kappa falls as 1/m for alpha(m) = 1 and h(w_0) = 0.",
        source="section 1.2",
        part="criterion",
        arm="one",
        estimator=loglog_slope("kappa", "neurons", where={"neurons": lambda m: m >= 128}),
        region=near(-1.0, 0.05),
        why="1/(m alpha(m)); from m = 128 on. Correction: the largest of m curvatures still grows "
        "there, + .02 in the exponent",
        control="inverse_root",
        kind="exponent",
        rival=Rival(-0.5, "who takes the law of alpha(m) = m^(-1/2)"),
    ),
    Claim(
        name="K1_popular_wide_is_lazy",
        statement="Wide networks are lazy: kappa falls with m for alpha(m) = 1/m too.",
        source="a popular encyclopedia page on the tangent kernel, in substance: networks that are "
        "wide enough train as linear models",
        part="criterion",
        arm="inverse",
        estimator=loglog_slope("kappa", "neurons", where={"neurons": lambda m: m >= 128}),
        region=at_most(-0.45),
        why="at least as fast as for alpha(m) = m^(-1/2), whose accepted exponents begin at -0.45",
        control="inverse_root",
        expected="fail",
        reason="the number of K1_inverse, read against this statement: laziness is a matter of "
        "the scale alpha(m), not of the number of neurons",
        rival=Rival(0.0, "who computes m^(-1/2) + 1/(m alpha(m))"),
    ),
    Claim(
        name="K4_popular_weights_move_less",
        statement="In wide networks the weights move by O(m^(-1/2)) as a whole.",
        source="popular posts on wide networks, in substance: the parameters move by O(m^(-1/2)); "
        "for alpha(m) = m^(-1/2)",
        part="laziness",
        arm="standard",
        estimator=loglog_slope("distance", "neurons", reduce="geometric"),
        region=near(-0.5, 0.1),
        why="the stated exponent, a fifth of the way to what holds",
        control="one",
        tier="laptop",
        expected="fail",
        reason="|w - w_0| = |J^+ y| does not depend on m; only relative to |w_0|, or for each "
        "neuron, does it fall as m^(-1/2)",
        kind="exponent",
        rival=Rival(0.0, "who computes |J^+ y|"),
    ),
    Claim(
        name="K4_relative",
        statement="Relative to their length the weights move by O(m^(-1/2)).",
        source="section 1.2, for alpha(m) = m^(-1/2)",
        part="laziness",
        arm="standard",
        estimator=loglog_slope("relative_distance", "neurons", reduce="geometric"),
        region=near(-0.5, 0.05),
        why="|w - w_0| = |J^+ y| does not depend on m and |w_0| grows as m^(1/2); the tolerance of "
        "K1",
        control="one",
        tier="laptop",
        kind="exponent",
        rival=Rival(-1.0, "who takes the law of alpha(m) = 1"),
    ),
    Claim(
        name="K4_popular_kernel_drift",
        statement="The tangent kernel changes in training by an amount of order m^(-1/2), as it "
        "fluctuates at initialisation.",
        source="the bound O(m^(-1/2)) of Lee et al. (2019) on the change in training, read as its "
        "rate; for alpha(m) = m^(-1/2)",
        part="laziness",
        arm="standard",
        estimator=loglog_slope("kernel_change", "neurons", reduce="geometric"),
        region=near(-0.5, 0.15),
        why="the stated exponent; where it holds, for read-out weights of one sign, it is -.56 at "
        "these m",
        control="theory",
        tier="laptop",
        expected="fail",
        reason="the first-order change is odd in b_j, so that it averages out over neurons of "
        "both signs and falls nearly as 1/m; with b_j > 0 only it does fall as m^(-1/2)",
        kind="exponent",
        rival=Rival(-1.0, "who lets the first order average out over signs"),
    ),
    Claim(
        name="K2_centred",
        statement="kappa falls as 1/alpha if h(w_0) = 0.",
        source="section 1.1",
        part="criterion",
        arm="alpha_paired",
        estimator=loglog_slope("kappa", "alpha"),
        region=near(-1.0, 1e-6),
        why="an identity: kappa is linear in the residual, and that in 1/alpha",
        control="alpha_not_paired",
        kind="identity",
        rival=Rival(0.0, "who leaves h(w_0) as it is"),
    ),
    Claim(
        name="K0_closed_form",
        statement="kappa of a two-layer linear network is |X| |h - y*| over the largest eigenvalue "
        "of X (sum_j b_j^2 + A A^T) X^T, up to the scale.",
        source="definition of kappa, section 1.1; closed form ours",
        part="criterion",
        arm="linear",
        estimator=per_seed(lambda rows: rows["over_linear"].mean(), columns=("over_linear",)),
        region=near(1.0, 0.005),
        why="|D^2 h| = |X| whatever the weights; the ascent to it stops within a few thousandths",
        control="inverse_root",
        kind="level",
        rival=Rival(0.5, "who defines kappa by half of the second derivative, as in Taylor's sum"),
    ),
    *(
        Claim(
            name=name,
            statement=f"The change of the tangent kernel is proportional to kappa, over 3 scales "
            f"and 3 numbers of neurons, {which}.",
            source="section 1.1",
            part="laziness",
            arm=arm,
            estimator=per_seed(_slope_on_kappa, columns=("kappa", "kernel_change")),
            region=near(1.0, 0.08),
            why="kappa estimates the relative change of Dh while the residual vanishes. "
            "Correction: relatively kappa, 5 % at alpha = 1 and 32 neurons, + .03 in the slope",
            kind="exponent",
            rival=Rival(1.28, "who computes it for outputs of both signs"),
            control=control,
            tier="laptop",
            expected=expected,
            reason=reason,
        )
        for name, which, arm, control, expected, reason in (
            (
                "K3_kappa_predicts",
                "with read-out weights of one sign",
                "theory",
                "standard",
                "pass",
                "",
            ),
            (
                "K3_popular_kappa_predicts",
                "with read-out weights of both signs too",
                "standard",
                "theory",
                "fail",
                "kappa is a bound: with both signs the first-order change of the kernel averages "
                "out over neurons, and falls faster with m than kappa",
            ),
        )
    ),
    Claim(
        name="F1_rich_neurons_move",
        statement="At scale tau = 0.1 the neurons travel further than their initial length.",
        source="figure 1(a)",
        part="neurons_in_the_plane",
        arm="rich",
        estimator=per_seed("displacement"),
        region=at_least(1.0),
        why="they must grow to the size of the teacher, which is ten times theirs",
        control="lazy",
        rival=Rival(0.5, "who expects small steps from a small start"),
    ),
    Claim(
        name="F1_lazy_neurons_stay",
        statement="At scale tau = 2 the neurons stay where they were.",
        source="figure 1(b)",
        part="neurons_in_the_plane",
        arm="lazy",
        estimator=per_seed("displacement"),
        region=at_most(0.1),
        why="motion of order 1/tau^2 per neuron, divided by the number of neurons",
        control="rich",
        rival=Rival(1.0, "who expects features at any scale"),
    ),
    Claim(
        name="F1_rich_neurons_align",
        statement="At scale tau = 0.1 the neurons end along those of the teacher.",
        source="figure 1(a)",
        part="neurons_in_the_plane",
        arm="rich",
        estimator=per_seed("aligned_mass"),
        region=at_least(0.28),
        why="share of the mass within 10 degrees of a teacher of the same sign; by chance "
        "0.08, and 0.28 is midway to all of it, in the logarithm",
        control="lazy",
        tier="laptop",
        rival=Rival(0.08, "who takes the directions for random"),
    ),
    Claim(
        name="F1_popular_tau_decides",
        statement="At scale tau = 2 the neurons stay where they were, whatever the targets.",
        source="popular summaries of figure 1, in substance: the scale of initialisation decides",
        part="neurons_in_the_plane",
        arm="large_targets",
        estimator=per_seed("displacement"),
        region=at_most(0.1),
        why="the region of F1_lazy_neurons_stay",
        control="lazy",
        expected="fail",
        reason="a relu network is 2-homogeneous: only tau^2 over the scale of the targets matters, "
        "and targets 400 times larger make tau = 2 the same problem as tau = 0.1",
        rival=Rival(3.6, "who scales the targets out"),
    ),
    Claim(
        name="G1_overparameterized",
        statement="Over-parameterized (m = 50, n = 1000, d = 100), the rich network ends below the "
        "test loss of the best affine function, as the lazy one does not.",
        source="figure 1(c)",
        part="overparameterized",
        estimator=per_seed(
            _at_the_smallest("test_over_affine", "tau"),
            columns=("tau", "test_over_affine"),
            center="geometric",
        ),
        region=at_most(1.0),
        why="a kernel of 1000 < N(100, 2) = 5049 points learns the affine part of the teacher, and "
        "the rest is noise to it; control: tau = 1 and 10",
        control="both_lazy",
        tier="laptop",
        rival=Rival(1.9, "who expects of tau = 0.01 what tau = 1 does"),
    ),
    Claim(
        name="G1_best_on_the_way",
        statement="Stopping at the best moment does not help: the least test loss that the lazy "
        "network meets on its way is above that of the best affine function.",
        source="figure 1(c), curve of the best iterate",
        part="overparameterized",
        estimator=per_seed(
            _at_the_smallest("best_over_affine", "tau"),
            columns=("tau", "best_over_affine"),
            center="geometric",
        ),
        region=at_least(1.0),
        why="as for G1_overparameterized: a linear problem of 1000 points does not see degree 2",
        arm="both_lazy",
        control="theory",
        tier="laptop",
        rival=Rival(0.1, "who expects of tau = 1 what tau = 0.01 does"),
    ),
    Claim(
        name="P1_population",
        statement="In the population limit the rich network ends below the least loss of any "
        "linearization.",
        source="figures 1(d) and 2(b, c)",
        part="population",
        arm="rich",
        estimator=per_seed("over_floor", center="geometric"),
        region=at_most(1.0),
        why="loss at tau = 0.01 over the exact least loss of the 2500 linearized features",
        control="lazy",
        tier="laptop",
        rival=Rival(1.1, "who expects of tau = 0.01 what tau = 4 does"),
    ),
    Claim(
        name="P2_lazy_limit",
        statement="In the population limit the lazy network reaches the minimum of the linearized "
        "problem and no more.",
        source="section 3.1",
        part="population",
        arm="lazy",
        estimator=per_seed("over_floor", center="geometric"),
        region=between(1.0, 1.2),
        why="loss at tau = 4 over the exact least loss of the 2500 linearized features; 1 is a "
        "bound. Correction: stochastic descent stays above it, by 9 % after 6000 steps, by 5 % "
        "after 20000: the inverse root of their number",
        control="rich",
        tier="laptop",
        kind="level",
        prediction=1.0,
        rival=Rival(0.005, "who expects of tau = 4 what tau = 0.01 does"),
    ),
    Claim(
        name="M1_scalings",
        statement="With 128 neurons alpha(m) = m^(-1/2) generalises worse than alpha(m) = 1/m.",
        source="figure 2(a)",
        part="widths",
        arm="many",
        estimator=per_seed(
            _largest_over_smallest("test", "exponent"),
            columns=("exponent", "test"),
            center="geometric",
        ),
        region=at_least(1.5),
        why="the first becomes lazy with m, and 1000 points are too few for it to learn the "
        "N(100, 2) = 5049 harmonics of degree 2; the second does not. No theory gives the ratio "
        "at 128 neurons: 1 is the statement, and half as much again what teachers scatter by",
        control="few",
        tier="laptop",
        rival=Rival(1.0, "who holds that the scaling does not matter"),
    ),
    Claim(
        name="N1_convolution_error",
        statement="On the digits a convolutional network does better in the feature regime: its "
        "test error grows with alpha.",
        source="figure 3(a); Geiger et al. 2020, abstract, point (ii), of CIFAR-10",
        part="convolution",
        arm="ends",
        estimator=per_seed(
            _largest_over_smallest("error", "alpha"),
            where={"task": "digits"},
            columns=("alpha", "error"),
            center="geometric",
        ),
        region=at_least(1.1),
        why="error at alpha = 300 over that at alpha = 0.1; 1000 test images know an error of .1 "
        "to a tenth. On 300 images of CIFAR-10 the order is the other one (README)",
        control="both_lazy",
        tier="laptop",
        rival=Rival(1.0, "who holds that the scale does not matter"),
    ),
    Claim(
        name="N1_convolution_error_cifar10",
        statement="On 4000 images of CIFAR-10 a convolutional network does better in the feature "
        "regime: its test error grows with alpha.",
        source="figure 3(a); Geiger et al. 2020, abstract, point (ii), with 10000 images",
        part="convolution",
        arm="cifar10_4000",
        estimator=per_seed(
            _largest_over_smallest("error", "alpha"),
            columns=("alpha", "error"),
            center="geometric",
        ),
        region=at_least(1.05),
        why="error at alpha = 300 over that at alpha = 0.1; 1000 test images know an error of .6 "
        "to .016, a fortieth of it: twice that. 300 images are too few for features to pay "
        "(README)",
        control="cifar10_4000_both_lazy",
        tier="paper",
        rival=Rival(1.0, "who holds that the scale does not matter"),
    ),
    Claim(
        name="N2_convolution_is_linear",
        statement="At alpha = 300 a convolutional network classifies as its linearization does.",
        source="figure 3(a)",
        part="convolution",
        estimator=per_seed(
            lambda rows: rows.sort_values("alpha")["disagreement"].iloc[-1],
            columns=("alpha", "disagreement"),
        ),
        region=at_most(0.02),
        why="share of 1000 test images put into different classes; the outputs differ by "
        "e = alpha^(-1/2), 6 % of their size. A gap between the best two classes with the law of "
        "|N(0, 1)| has the density .8 at 0, and E max(-e, 0) = .4 x .06: .019 change sides",
        control="rich",
        tier="laptop",
        rival=Rival(0.15, "who expects it of alpha = 0.1 too"),
    ),
    Claim(
        name="N3_stability",
        statement="The share of activations that training changes falls as 1/alpha.",
        source="figure 3(a)",
        part="convolution",
        arm="lazy_scales",
        estimator=loglog_slope("unstable", "alpha"),
        region=near(-1.0, 0.1),
        why="weights move by 1/alpha, and preactivations have a density at zero. Correction: "
        "relative order 1/alpha, the curvature of that density over the move",
        control="rich_scales",
        tier="laptop",
        kind="exponent",
        rival=Rival(-0.5, "who takes the law of the outputs' gap"),
    ),
    Claim(
        name="N4_convolution_distance",
        statement="The weights of the convolutional network move by 1/alpha.",
        source="Theorem 2.2",
        part="convolution",
        arm="lazy_scales",
        estimator=loglog_slope("distance", "alpha"),
        region=near(-1.0, 0.05),
        why="z has a limit. Correction: which it misses by 1/alpha: .001 in the exponent from "
        "alpha = 10 on",
        control="rich_scales",
        tier="laptop",
        kind="exponent",
        rival=Rival(-0.5, "who takes the law of the outputs' gap"),
    ),
    Claim(
        name="N5_popular_frozen_gates",
        statement="A network with the trained weights and the gates of w_0, the authors' lazy "
        "accuracy, is the linearized model.",
        source="the authors' program, whose `lazy accuracy` is this, as figure 3(a) is read",
        part="convolution",
        arm="rich",
        estimator=per_seed("gate_disagreement"),
        region=at_most(0.02),
        why="share of test images put into different classes, at alpha = 0.1; the region of N2",
        control="lazy",
        tier="laptop",
        expected="fail",
        reason="with frozen gates the network is still a polynomial in its weights, linear in "
        "them only while they hardly move",
        rival=Rival(0.29, "who counts the images"),
    ),
    *(
        Claim(
            name=f"N4_convolution_gap_{arm}",
            statement=f"The outputs of a {kind} convolutional network approach its linearization "
            f"as alpha^({exponent:g}).",
            source=source,
            part="convolution",
            arm=arm,
            estimator=loglog_slope("output_gap", "alpha", where={"alpha": (10.0, 30.0, 100.0)}),
            region=near(exponent, 0.08 if arm == "smooth" else 0.1),
            why=why,
            control=control,
            tier="laptop",
            kind="exponent",
            rival=Rival(-1.5 - exponent, "who takes the law of the other activation"),
        )
        for arm, control, kind, exponent, source, why in (
            (
                "smooth",
                "theory",
                "softplus",
                -1.0,
                "Theorem 2.2",
                "twice differentiable. Correction: relatively 1/alpha, 10 % at alpha = 10: -.02 in "
                "the exponent",
            ),
            ("theory", "smooth", "relu", -0.5, RELU, FLIPS),
        )
    ),
]
