"""The claims of Geiger et al. 2020, numbered as G1 to G15 by the order of the paper's argument.

A figure is named by its file in the authors' plotting notebook, since the numbers of the printed
figures are not known to us; what is marked "derived here" is not stated in the paper.
"""

from replications.geiger2020_scale_transition.collapse import (
    collapse_exponent,
    crossover_exponent,
    error_crossover_exponent,
    misfit_excess,
    width_exponent,
)
from shared.evidence import (
    Claim,
    at_least,
    at_most,
    jackknife,
    loglog_slope,
    near,
    per_seed,
)

FEATURE_S, LAZY_S = 0.2, 819.2
CROSSOVER = (1.6, 6.4, 12.8, 25.6, 51.2)  # scales around s*: where curves are compared
FIXED_ALPHA, FIXED_S = 102.4, 1638.4


def _between(column: str, low: dict, high: dict):
    """Statistic: mean of `column` where the rows match `high` minus that where they match `low`."""

    def mean(rows, where):
        for name, value in where.items():
            rows = rows[rows[name] == value]
        return rows[column].mean()

    return lambda rows: mean(rows, high) - mean(rows, low)


def _first_minus_last(rows) -> float:
    """Error at the smallest s minus that at the largest, at the largest width."""
    ordered = rows[rows["width"] == rows["width"].max()].sort_values("s")["error"]
    return float(ordered.iloc[0] - ordered.iloc[-1])


def _gap_closed(rows) -> float:
    """Error removed by averaging nets of width 64 minus 0.7 of that removed by width 1024."""
    narrow, wide = (rows[rows["width"] == width] for width in (64, 1024))
    single, averaged = narrow["error"].mean(), narrow["ensemble_error"].mean()
    return (single - averaged) - 0.7 * (single - wide["error"].mean())


def _crossover(level: float, name: str, tier: str = "smoke") -> Claim:
    return Claim(
        name=f"G1_crossover_{name}",
        statement=f"The scale at which the kernel changes by a factor {level:g} of itself falls as "
        "the square root of the width.",
        formula=r"\alpha^\ast \sim h^{-1/2}",
        source="abstract, point (i); figure time_dynamics (a)",
        part="scan",
        estimator=per_seed(crossover_exponent(level), columns=("width", "alpha", "kernel_change")),
        region=near(-0.5, 0.1),
        why="exponent -1/2; widths from 64 shift it by 0.02, levels below 0.2 would measure G8",
        control="alpha_times_root_h",
        tier=tier,
    )


def _feature_kernel(depth: int, control: int) -> Claim:
    exponent = 2 * depth / (depth + 1)
    return Claim(
        name=f"G5_feature_kernel_depth_{depth}",
        statement=f"In the feature regime the kernel of {depth} hidden layer(s) grows as s to the "
        "power -2L/(L+1).",
        formula=r"\|\Delta\Theta\|/\|\Theta_0\| \sim s^{-2L/(L+1)}",
        source="derived here from homogeneity; figure time_dynamics (a) shows a guide",
        part="slopes",
        arm=f"depth_{depth}",
        estimator=loglog_slope("kernel_change", "s"),
        region=near(-exponent, 0.15),
        why="f is homogeneous of degree L+1 and must reach 1/alpha, the kernel is of degree 2L; "
        "softplus is homogeneous only for large weights",
        control=f"depth_{control}",
    )


def _feature_weights(depth: int, control: str) -> Claim:
    return Claim(
        name=f"G6_feature_weights_depth_{depth}",
        statement=f"In the feature regime the weights of {depth} hidden layer(s) move as s to the "
        "power -1/(L+1).",
        formula=r"\|\Delta w\|/\|w_0\| \sim s^{-1/(L+1)}",
        source="derived here from homogeneity; figure weights_scalings (0.23 for L = 3)",
        part="slopes",
        arm=f"depth_{depth}",
        estimator=loglog_slope("weight_change", "s"),
        region=near(-1 / (depth + 1), 0.1),
        why="f is homogeneous of degree L+1 and must reach 1/alpha",
        control=control,
    )


def _fluctuations(name: str, s: float, control: str) -> Claim:
    return Claim(
        name=f"G9_variance_{name}",
        statement=f"The variance of F over initialisations falls as 1/h at fixed s = {s:g}.",
        formula=r"\mathrm{Var} F \sim h^{-1}",
        source="abstract, point (iii); figure var_ens (a, b)",
        part="scan",
        estimator=loglog_slope("variance", "width", where={"s": s}, summary="mean"),
        region=near(-1.0, 0.3),
        why="fluctuations of F of order h^-1/2; corrections are of order P / h at h = 64",
        control=control,
        tier="laptop",
    )


CLAIMS = [
    _crossover(1.0, "level_1"),
    _crossover(0.3, "level_03", tier="laptop"),
    _crossover(10.0, "level_10"),
    Claim(
        name="G2_crossover_error",
        statement="The scale at which the test error passes from one plateau to the other falls "
        "as the square root of the width.",
        formula=r"\alpha^\ast \sim h^{-1/2}",
        source="abstract, point (i); figure test_error (c, d)",
        part="scan",
        estimator=jackknife(error_crossover_exponent, columns=("width", "alpha", "error")),
        region=near(-0.5, 0.15),
        why="exponent -1/2; the noise of the error sets the tolerance",
        control="alpha_times_root_h",
        tier="paper",
    ),
    Claim(
        name="G2_two_plateaus",
        statement="The test error is higher in the lazy than in the feature regime (xnor).",
        source="figure test_error (c)",
        part="scan",
        estimator=per_seed(
            _between("error", {"s": FEATURE_S}, {"s": LAZY_S}),
            where={"width": 256},
            columns=("s", "error"),
        ),
        region=at_least(0.03),
        why="a gap of 3 points is what the crossover of the error can be read from",
        control="readout_only",
        tier="laptop",
    ),
    Claim(
        name="G3_collapse_kernel",
        statement="Curves of the kernel's change against h^kappa alpha agree best at kappa = 1/2.",
        source="figure time_dynamics (a)",
        part="scan",
        estimator=jackknife(
            collapse_exponent("kernel_change"),
            where={"s": CROSSOVER},
            columns=("width", "alpha", "kernel_change"),
        ),
        region=near(0.5, 0.1),
        why="the transition depends on sqrt(h) alpha alone",
        control="alpha_times_root_h",
    ),
    Claim(
        name="G3_collapse_time",
        statement="Curves of the time t1, in units of its lazy limit at the same width, against "
        "h^kappa alpha agree best at kappa = 1/2.",
        source="figure time_dynamics (c)",
        part="scan",
        estimator=jackknife(
            collapse_exponent("t1", of_lazy=True),
            columns=("width", "alpha", "t1"),
        ),
        region=near(0.5, 0.1),
        why="the transition depends on sqrt(h) alpha alone",
        control="alpha_times_root_h",
        tier="paper",
    ),
    Claim(
        name="G3_collapse_error",
        statement="Rescaled test errors against h^kappa alpha agree best at kappa = 1/2.",
        source="figure test_error (d)",
        part="scan",
        estimator=jackknife(
            collapse_exponent("error", log=False, unit=True),
            columns=("width", "alpha", "error"),
        ),
        region=near(0.5, 0.1),
        why="the transition depends on sqrt(h) alpha alone, once each width has its own plateaus",
        control="alpha_times_root_h",
        tier="paper",
    ),
    Claim(
        name="G3_worse_against_alpha",
        statement="Against alpha itself the curves of the kernel's change disagree.",
        source="figure time_dynamics (a)",
        part="scan",
        estimator=jackknife(
            misfit_excess("kernel_change", 0.0),
            where={"s": CROSSOVER},
            columns=("width", "alpha", "kernel_change"),
        ),
        region=at_least(0.1),
        why="the misfit, in units of the spread of the curves, is larger by a tenth of it",
        control="alpha_times_root_h",
    ),
    Claim(
        name="G3_worse_against_h_alpha",
        statement="Against h alpha the curves of the kernel's change disagree.",
        source="figure time_dynamics (a)",
        part="scan",
        estimator=jackknife(
            misfit_excess("kernel_change", 1.0),
            where={"s": CROSSOVER},
            columns=("width", "alpha", "kernel_change"),
        ),
        region=at_least(0.1),
        why="the misfit, in units of the spread of the curves, is larger by a tenth of it",
        control="alpha_over_root_h",
    ),
    Claim(
        name="G4_lazy_kernel",
        statement="Deep in the lazy regime the kernel's change falls as 1/alpha.",
        formula=r"\|\Delta\Theta\|/\|\Theta_0\| \sim \alpha^{-1}",
        source="figure time_dynamics (a), guide of slope -1",
        part="slopes",
        arm="lazy",
        estimator=loglog_slope("kernel_change", "s"),
        region=near(-1.0, 0.1),
        why="first order in the displacement; alpha >= 100 is ten times the scale B/A below which "
        "the second order is felt (G8)",
        control="depth_2",
    ),
    Claim(
        name="G4_lazy_kernel_not_subtracted",
        statement="The kernel's change falls as 1/alpha for F = alpha f too.",
        source="popular form of the model; figure alphaf",
        part="subtraction",
        arm="not_subtracted",
        estimator=loglog_slope("kernel_change", "alpha", where={"s": lambda s: s >= LAZY_S}),
        region=near(-1.0, 0.1),
        why="the same region as for F = alpha (f - f_0)",
        control="subtracted",
        tier="laptop",
        expected="fail",
        reason="the network must first undo alpha f_0, and this moves the weights by an amount "
        "that does not depend on alpha",
    ),
    _feature_kernel(1, 2),
    _feature_kernel(2, 1),
    _feature_kernel(3, 1),
    Claim(
        name="G5_guide_line_depth_3",
        statement="In the feature regime the kernel of three hidden layers grows as s to the "
        "power -4/3.",
        source="figure time_dynamics (a), guide of slope -4/3",
        part="slopes",
        arm="depth_3",
        estimator=loglog_slope("kernel_change", "s"),
        region=near(-4 / 3, 0.1),
        why="the slope of the guide drawn in the paper's figure for L = 3",
        control="depth_2",
        expected="fail",
        reason="homogeneity gives 2L/(L+1) = 3/2 for L = 3, and so do the data; 4/3 is the "
        "exponent of two hidden layers. The guide was drawn by eye",
    ),
    _feature_weights(1, "lazy"),
    _feature_weights(2, "depth_1"),
    _feature_weights(3, "depth_1"),
    Claim(
        name="G6_lazy_weights",
        statement="In the lazy regime the weights move as 1/s.",
        source="figure weights_scalings",
        part="slopes",
        arm="lazy",
        estimator=loglog_slope("weight_change", "s"),
        region=near(-1.0, 0.1),
        why="F moves by an amount of order 1 through alpha times a fixed gradient",
        control="depth_2",
    ),
    Claim(
        name="G7_time_lazy",
        statement="In the lazy regime the time t1 to halve the loss does not depend on alpha.",
        source="abstract, point (iv); figure time_dynamics (c)",
        part="slopes",
        arm="lazy",
        estimator=loglog_slope("t1", "s"),
        region=near(0.0, 0.1),
        why="dF/dt = -Theta_0 l' carries no alpha",
        control="depth_2",
    ),
    Claim(
        name="G7_time_feature_depth_2",
        statement="In the feature regime t1 grows as s (two hidden layers).",
        source="abstract, point (iv); figure time_dynamics (c)",
        part="slopes",
        arm="depth_2",
        estimator=loglog_slope("t1", "s"),
        region=near(1.0, 0.1),
        why="t1 ~ sqrt(h) alpha; the correction vanishes as a power of s for L >= 2",
        control="lazy",
    ),
    Claim(
        name="G7_time_feature_depth_3",
        statement="In the feature regime t1 grows as s (three hidden layers).",
        source="abstract, point (iv); figure time_dynamics (c)",
        part="slopes",
        arm="depth_3",
        estimator=loglog_slope("t1", "s"),
        region=near(1.0, 0.1),
        why="t1 ~ sqrt(h) alpha; the correction vanishes as a power of s for L >= 2",
        control="lazy",
    ),
    Claim(
        name="G7_time_feature_depth_1",
        statement="In the feature regime t1 grows as s (one hidden layer).",
        source="abstract, point (iv), taken for every depth",
        part="slopes",
        arm="depth_1",
        estimator=loglog_slope("t1", "s"),
        region=near(1.0, 0.1),
        why="the region of the deeper networks",
        control="depth_2",
        expected="fail",
        reason="with one hidden layer the flow starts at a saddle that it leaves exponentially: "
        "t1/s = A + B ln(1/s), and the slope in this window is near 0.88",
    ),
    Claim(
        name="G8_kernel_at_fixed_alpha",
        statement="Deep in the lazy regime at fixed alpha the kernel's change falls as 1/h.",
        formula=r"\|\Delta\Theta\|/\|\Theta_0\| = h^{-1}\sqrt{(A/\alpha)^2 + (B/\alpha^2)^2}",
        source="derived here: the motion of the kernel is odd under a sign change of the read-out",
        part="widths",
        arm="kernel_at_fixed_alpha",
        estimator=per_seed(width_exponent("value"), columns=("width", "value")),
        region=near(-1.0, 0.15),
        why="the mean first-order motion vanishes by symmetry; fluctuations and second order "
        "are both of order 1/h",
        control="kernel_at_fixed_s",
        tier="laptop",
    ),
    Claim(
        name="G8_popular_kernel_drift",
        statement="The kernel moves during training by an amount of order h^-1/2.",
        source="popular statement; implied by a function of sqrt(h) alpha alone in figure "
        "time_dynamics (a)",
        part="widths",
        arm="kernel_at_fixed_alpha",
        estimator=per_seed(width_exponent("value"), columns=("width", "value")),
        region=near(-0.5, 0.15),
        why="1/s at fixed alpha",
        control="kernel_at_fixed_s",
        tier="laptop",
        expected="fail",
        reason="h^-1/2 is the size of the initial fluctuation of the kernel; its motion at fixed "
        "alpha is of order 1/h. At fixed s, where alpha itself falls, it is h^-1/2",
    ),
    Claim(
        name="G6_relative_weights",
        statement="At fixed alpha the relative motion of the weights of one hidden layer falls as "
        "h^-1/2.",
        source="figure weights_scalings",
        part="widths",
        arm="weights_relative",
        estimator=per_seed(width_exponent("value"), columns=("width", "value")),
        region=near(-0.5, 0.1),
        why="|w_0| grows as the square root of h, the motion itself does not depend on h",
        control="weights_total",
        tier="laptop",
    ),
    Claim(
        name="G6_popular_weight_drift",
        statement="The weights move by a distance of order h^-1/2.",
        source="popular statement",
        part="widths",
        arm="weights_total",
        estimator=per_seed(width_exponent("value"), columns=("width", "value")),
        region=near(-0.5, 0.1),
        why="the statement as it is often quoted",
        control="weights_relative",
        tier="laptop",
        expected="fail",
        reason="|w - w_0|^2 = y Theta^-1 y / alpha^2 has a limit; only the relative motion (one "
        "hidden layer) and the motion per entry fall as h^-1/2",
    ),
    _fluctuations("feature", 0.8, "data_draws"),
    _fluctuations("crossover", 12.8, "data_draws"),
    _fluctuations("lazy", 204.8, "data_draws"),
    Claim(
        name="G10_ensemble",
        statement="Averaging narrow lazy networks removes at least 0.7 of the excess error that a "
        "16 times larger width removes.",
        source="abstract, point (iii); figure var_ens (c, d)",
        part="scan",
        estimator=per_seed(
            _gap_closed, where={"s": 204.8}, columns=("width", "error", "ensemble_error")
        ),
        region=at_least(0.0),
        why="the excess error of a narrow network is the variance of F, which averaging removes",
        control="copies",
        tier="paper",
    ),
    Claim(
        name="G11_lazy_wins_on_images",
        statement="On images a fully connected network generalises better in the lazy regime.",
        source="abstract, point (ii); figure other",
        part="slopes",
        arm="digits_pca",
        estimator=per_seed(_between("error", {"s": 1000.0}, {"s": 0.01}), columns=("s", "error")),
        region=at_least(0.0),
        why="error(feature) - error(lazy) is positive",
        control="xnor",
        tier="laptop",
    ),
    Claim(
        name="G11_feature_wins_on_xnor",
        statement="Where two hidden directions matter the feature regime generalises better.",
        source="abstract, point (ii): which regime wins depends on data and architecture",
        part="slopes",
        arm="xnor",
        estimator=per_seed(_between("error", {"s": 1000.0}, {"s": 0.01}), columns=("s", "error")),
        region=at_most(0.0),
        why="error(feature) - error(lazy) is negative",
        control="digits_pca",
        tier="laptop",
    ),
    Claim(
        name="G11_popular_small_scale_helps",
        statement="A smaller initialisation scale, that is feature learning, improves the test "
        "error.",
        source="popular statement, here for fully connected networks on images",
        part="slopes",
        arm="digits_pca",
        estimator=per_seed(_between("error", {"s": 1000.0}, {"s": 0.01}), columns=("s", "error")),
        region=at_most(0.0),
        why="error(feature) - error(lazy) is negative",
        control="xnor",
        tier="laptop",
        expected="fail",
        reason="it depends on data and architecture: fully connected networks on images do "
        "better in the lazy regime, as the paper says",
    ),
    Claim(
        name="G12_frozen_initial_kernel",
        statement="A very lazy network gives the predictions of the flow with its initial kernel.",
        source="figure test_error (b), curve of the initial kernel",
        part="frozen",
        arm="lazy",
        estimator=per_seed("deviation"),
        region=at_most(0.02),
        why="the limit alpha to infinity; deviations of order 1/s and of the Euler steps remain",
        control="feature",
    ),
    Claim(
        name="G13_frozen_final_kernel",
        statement="The kernel at the end of feature training, frozen, predicts as well as the "
        "network.",
        source="figure kernel_dyn (c, d)",
        part="frozen",
        arm="final_kernel",
        estimator=per_seed("excess_error"),
        region=at_most(0.02),
        why="the test error of the final kernel is that of the network",
        control="feature",
        tier="laptop",
    ),
    Claim(
        name="G14_step_control",
        statement="A hundred times finer control of the Euler steps does not change the result.",
        source="figure sanity_check",
        part="sanity",
        estimator=per_seed(lambda rows: rows["kernel_shift"].max(), columns=("kernel_shift",)),
        region=at_most(0.05),
        why="half of the smallest tolerance accepted for an exponent, in |ln kernel change|",
        control="coarse",
    ),
    *(
        Claim(
            name=f"G15_preactivation_speed_layer_{layer}",
            statement=f"At the start the preactivations of layer {layer} move at a speed of order "
            "h^-1/2.",
            formula=r"\dot z \sim h^{-1/2}",
            source="figure dot_z",
            part="speed",
            estimator=per_seed(width_exponent("speed"), where={"layer": layer}),
            region=near(-0.5, 0.1),
            why="NTK parameterization: each unit contributes 1/sqrt(h) to f",
            control="fixed_s",
        )
        for layer in (1, 2)
    ),
    Claim(
        name="G1_crossover_fashion",
        statement="At the paper's size (parity of Fashion-MNIST, three hidden layers) the scale at "
        "which the kernel changes by itself falls as the square root of the width.",
        formula=r"\alpha^\ast \sim h^{-1/2}",
        source="abstract, point (i); figure time_dynamics (a)",
        part="scan",
        arm="fashion",
        estimator=per_seed(crossover_exponent(1.0), columns=("width", "alpha", "kernel_change")),
        region=near(-0.5, 0.1),
        why="exponent -1/2",
        control="fashion_alpha_times_root_h",
        tier="paper",
    ),
    *(
        Claim(
            name=f"G11_lazy_wins_on_{images}",
            statement=f"On {images} a fully connected network generalises better in the lazy "
            "regime.",
            source="abstract, point (ii); figure test_error",
            part="scan",
            arm=images,
            estimator=per_seed(_first_minus_last, columns=("width", "s", "error")),
            region=at_least(0.0),
            why="error at the smallest scale minus that at the largest, widest network",
            control="theory",
            tier="paper",
        )
        for images in ("fashion", "mnist")
    ),
]
