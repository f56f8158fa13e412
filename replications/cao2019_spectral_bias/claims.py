"""What Cao et al. (2019) claim on the spectrum of two-layer ReLU networks, and what follows."""

import numpy as np

from widenets.evidence.claim import Claim, Rival, at_least, at_most, near
from widenets.evidence.estimators import (
    exact,
    extrapolated,
    loglog_slope,
    ordering,
    per_seed,
    rms_deviation,
    worst,
)

THEOREM_42 = "reported as Theorem 4.2"
THEOREM_43 = "reported as Theorem 4.3"


def _largest(column):
    return lambda rows: float(rows[column].max())


def _dimension_slope(rows):
    """Exponent of mu_k in d: twice the last local slope less the one before, free of 1/d."""
    rows = rows.sort_values("d")
    slopes = np.diff(np.log(rows["eigenvalue"])) / np.diff(np.log(rows["d"]))
    return float(2 * slopes[-1] - slopes[-2])


def _to_infinity(rows):
    """Twice the last local slope in k less the one before, free of 1/k."""
    before, last = rows.sort_values("degree")["slope"].to_numpy()[-2:]
    return float(2 * last - before)


def _slope_in_degree(rows):
    return float(np.polyfit(np.log(rows["degree"]), np.log(rows["trace"]), 1)[0])


def _deviation(column):
    """Largest distance from 1 over the degrees of one seed."""
    return lambda rows: float(np.abs(rows[column] - 1).max())


def _mean(column):
    return lambda rows: float(rows[column].mean())


def _at_degree(column, degree):
    """NaN where a tier does not measure that degree."""
    return lambda rows: float(rows.loc[rows["degree"] == degree, column].mean())


def _widest(width):
    return width == width.max()


def _high_minus_low(rows):
    return _at_degree("rate_over_eigenvalue", 8)(rows) - _at_degree("rate_over_eigenvalue", 2)(rows)


def _lead_of_degree_2(rows):
    """At the recorded time that is nearest, as a ratio, to eta t = 1500. Not at the end: in the
    paper tier degree 4 is learned by then too."""
    times = rows["time"].unique()
    nearest = min(times[times > 0], key=lambda time: abs(np.log(time / 1500)))
    left = rows[rows["time"] == nearest].set_index("degree")["remaining"]
    return float(min(left[4], left[6]) - left[2])


def _lead_of_degree_4(rows):
    left = rows.set_index("degree")["remaining"]
    return float(left[6] - left[4])


def _amplitude_effect(rows):
    """|log| of the ratio of half-lives at amplitudes (1, 3, 5) and (1, 1, 1), worse of k = 1, 2."""
    groups = [group.set_index("degree")["speed"] for _, group in rows.groupby("amplitudes")]
    if len(groups) != 2:  # a tier that has one amplitude only
        return np.nan
    first, second = groups
    return float(np.abs(np.log(second[[1, 2]] / first[[1, 2]])).max())


def _half_life_over_sample_kernel(rows):
    """Less what the lengths of the weights do, of mean 0."""
    return float((rows["linear_speed"] / rows["speed"] + rows["size_effect"]).mean())


def _memorised(rows):
    """Of the highest degree: left on fresh points."""
    return float(rows.sort_values("degree")["fresh"].iloc[-1])


def _speed_over_eigenvalue(rows):
    return _at_degree("speed", 4)(rows) / _at_degree("eigenvalue", 4)(rows)


LAST = {"last": True}
LAZY = {"laziness": 0.005, "level": 0.9}
ORDER = {
    "part": "projections",
    "estimator": ordering("average", by="degree", increasing=True, where=LAST),
    "region": at_least(0.5),
    "why": "more networks than not, with 99 % (11 of 12 would do: their interval begins at .52); "
    "with |z| in the place of relu degree 1 is never learned, so the order must fail",
    "tier": "laptop",
    "rival": Rival(1 / 6, "who leaves the order of three degrees to chance"),
}

CLAIMS = [
    Claim(
        name="C1_closed_form",
        statement="The kernel's eigenvalues on the sphere are the closed form of the set-up",
        formula="mu_k = mu_k[t kappa_0] + 2 mu_k[kappa_1]",
        source=THEOREM_43,
        part="spectrum",
        estimator=exact(_largest("error"), resolution=1e-13, columns=("error",), floor=0.0),
        region=at_most(1e-12),
        why="both are the same integral; Gauss-Legendre in the angle reaches rounding",
        control="standard",
        rival=Rival(0.083, "who takes the standard kernel, whose layers have equal weight"),
    ),
    Claim(
        name="C1_random_points",
        statement="Sums of kappa(t) P_k(t) over random pairs of points give mu_1 on S^2",
        source=THEOREM_43,
        part="sampled",
        estimator=per_seed("ratio", where={"dimension": 3, "degree": 1}),
        region=near(1.0, 0.02),
        why="an unbiased U-statistic; 2 % is far below the 33 % by which the standard NTK differs",
        control="standard",
        kind="level",
        rival=Rival(1.25, "who trains biases too"),
    ),
    Claim(
        name="C1_random_points_d10",
        statement="Sums of kappa(t) P_2(t) over random pairs of points in ten dimensions give mu_2",
        source=THEOREM_43,
        part="sampled",
        estimator=per_seed("ratio", where={"dimension": 10, "degree": 2}),
        region=near(1.0, 0.02),
        why="an unbiased U-statistic; the standard NTK differs by a third and more",
        control="standard",
        tier="laptop",
        kind="level",
        rival=Rival(1.5, "who takes the standard kernel, whose layers have equal weight"),
    ),
    Claim(
        name="C2_network_trace",
        statement="The NTK of finite networks at initialization has mean eigenvalue mu_k",
        formula="tr(Pi_k K_0) = N_k mu_k",
        source=THEOREM_43,
        part="network",
        estimator=per_seed(_mean("ratio"), where={"width": 16384}, columns=("ratio",)),
        region=near(1.0, 0.02),
        why="unbiased at every width; the norms of the weights leave sqrt(2/m) = 1 % per network",
        control="standard",
        tier="laptop",
        kind="level",
        rival=Rival(1.69, "who takes the standard kernel, whose layers have equal weight"),
    ),
    Claim(
        name="C2_network_spread",
        statement="Within a degree the eigenvalues of K_0 spread like m^(-1/2)",
        source="law of large numbers for Theorem 4.3",
        part="network",
        estimator=loglog_slope("spread", "width", where={"width": (256, 1024, 4096)}),
        region=near(-0.5, 0.08),
        why="K_0 is an average over m independent neurons",
        control="duplicated",
        kind="exponent",
        rival=Rival(-1, "who takes the correction of a mean for fluctuations"),
    ),
    Claim(
        name="C3_multiplicities",
        statement="Eigenvalues of the kernel matrix on S^2 come in clusters of 1, 3, 5, 9, 13",
        source=THEOREM_43,
        part="clusters",
        estimator=worst(
            _largest("spread"),
            where={"degree": (0, 1, 2, 4, 6), "points": (20, 100)},
            columns=("spread",),
        ),
        region=at_most(0.03),
        why="exact degeneracy under rotations; the grid's aliasing of the tail is below 3 %",
        control="random",
        rival=Rival(0.34, "who has a thousand random points do for the sphere"),
    ),
    Claim(
        name="C4_odd_degrees_vanish",
        statement="Without bias all odd degrees from 3 on have eigenvalue 0",
        source=THEOREM_43,
        part="spectrum",
        estimator=exact(
            lambda rows: float(rows["eigenvalue"].abs().max()),
            resolution=1e-13,
            where={"degree": (3, 5, 7, 9, 11)},
            columns=("eigenvalue",),
            floor=0.0,
        ),
        region=at_most(1e-12),
        why="relu(z) - relu(-z) = z; rounding of the quadrature is 1e-15",
        control="two_hidden_layers",
        rival=Rival(0.0186, "who transfers the spectrum of deeper networks"),
    ),
    Claim(
        name="C4_odd_degrees_untrained",
        statement="Without biases, training a two-layer relu network on an antipodal set never "
        "moves degrees 3 and 5, at any width",
        source="derived here: relu(z) - relu(-z) = z",
        part="parity",
        estimator=worst(_largest("change"), where={"degree": (3, 5)}, columns=("change",)),
        region=at_most(1e-12),
        why="the odd part of every bias-free network is linear; float64 rounding over 60 steps",
        control="bias",
        rival=Rival(0.18, "who has a bias trained as well"),
    ),
    Claim(
        name="C5_bias_opens_odd_degrees",
        statement="A trained bias gives the odd degrees from 3 on the eigenvalue s_k^2, s_k the "
        "coefficient of degree k in the step function",
        formula="tr(Pi_3 K_0) = 7 s_3^2",
        source="remark on Basri et al. (2019)",
        part="network",
        estimator=per_seed("ratio", where={"degree": 3, "width": 16384}),
        region=near(1.0, 0.02),
        why="unbiased; the readout's norm alone leaves sqrt(2/m) = 1 % per network",
        arm="bias",
        control="bias_frozen",
        tier="laptop",
        kind="level",
        rival=Rival(0, "who has odd degrees vanish with a bias too"),
    ),
    Claim(
        name="C5_bias_rates",
        statement="With a trained bias degrees 3 and 5, extrapolated to infinite width, decay at "
        "the rate s_k^2, s_k the coefficient of degree k in the step function",
        source="remark on Basri et al. (2019)",
        part="rates",
        estimator=extrapolated("rate_over_eigenvalue", "width", where={**LAZY, "degree": (3, 5)}),
        region=near(1, 0.05),
        why="lengths of weights are taken out, and so is O(N/m), by which the splitting of a "
        "degree biases windows low (2 % at m = 4096); directions leave m^(-1/2) per network",
        arm="bias",
        control="bias_frozen",
        tier="laptop",
        kind="level",
        rival=Rival(
            0.5, "who gives the bias half of its rate, as Cao's first layer has of the standard one"
        ),
    ),
    Claim(
        name="C6_exponent_d3",
        statement="For k >> d the eigenvalues of even degree fall like k^-(d+1) = k^-D (D = 3, the "
        "sphere S^2, d = 2)",
        source=THEOREM_43,
        part="decay",
        estimator=exact(
            _to_infinity, resolution=2e-3, where={"dimension": 3}, columns=("degree", "slope")
        ),
        region=near(-3, 0.03),
        why="local slopes from k to 2 k have corrections O(1/k), which are taken out between the "
        "two "
        "largest k; those in 1/k^2 are below .002",
        control="readout_only",
        kind="exponent",
        rival=Rival(-2, "who counts the dimension of the sphere, k^-d"),
    ),
    Claim(
        name="C6_exponent_d10",
        statement="For k >> d the eigenvalues of even degree fall like k^-(d+1) = k^-D (D = 10, "
        "the sphere S^9, d = 9)",
        source=THEOREM_43,
        part="decay",
        estimator=exact(
            _to_infinity, resolution=2e-3, where={"dimension": 10}, columns=("degree", "slope")
        ),
        region=near(-10, 0.03),
        why="local slopes from k to 2 k have corrections O(1/k), which are taken out between the "
        "two "
        "largest k; those in 1/k^2 are below .002",
        control="readout_only",
        kind="exponent",
        rival=Rival(-9, "who counts the dimension of the sphere, k^-d"),
    ),
    Claim(
        name="C6_learned_degrees",
        statement="In ten dimensions the eigenvalues of degrees 4 to 8 fall more slowly than k^-D "
        "by one power at least",
        source="this replication, on the order that is reported of Theorem 4.3",
        part="decay",
        estimator=exact(
            lambda rows: float(rows.sort_values("degree")["slope_plus_dimension"].iloc[-1]),
            resolution=1e-9,
            where={"dimension": 10},
            columns=("degree", "slope_plus_dimension"),
        ),
        region=at_least(1),
        why="the exponent is that of k >> D^2, from k ~ 100 on, far above the degrees of any "
        "experiment in ten dimensions; at k = 4 .. 8 the closed form has -7.05",
        arm="learned_degrees",
        control="theory",
        rival=Rival(0, "who reads k^-D into the degrees of an experiment"),
    ),
    Claim(
        name="C6_network_exponent",
        statement="The spectrum of finite networks has the local exponent of the closed form, "
        "-3.287 at "
        "k = 4 .. 8 on S^2, and not yet the -3 of high degrees",
        formula="slope of log tr(Pi_k K_0)/N_k on log k",
        source=THEOREM_43,
        part="network",
        estimator=per_seed(
            _slope_in_degree,
            where={"width": _widest, "degree": (4, 6, 8)},
            columns=("degree", "trace"),
        ),
        region=near(-3.287, 0.02),
        why="closed form of the three degrees; lengths of weights drop out of the slope",
        control="standard",
        kind="exponent",
        rival=Rival(-3, "who takes the asymptotic law k^-D"),
    ),
    Claim(
        name="C7_high_dimension",
        statement="For d >> k the eigenvalues fall like d^-k, one power "
        "faster than reported (k = 4)",
        formula="mu_k ~ c_k k! d^-k",
        source="reported of Theorem 4.3 as Omega(d^(-k+1)); trace identity sum_k N mu_k = 3/2 "
        "with N ~ d^k/k!",
        part="dimension_order",
        estimator=exact(
            _dimension_slope, resolution=1e-3, where={"degree": 4}, columns=("d", "eigenvalue")
        ),
        region=near(-4, 0.02),
        why="local slopes at d = 1024 to 4096, their correction O(k^2/d) taken out; the reported "
        "order, "
        "one power more, would need an unbounded trace",
        control="reported",
        kind="exponent",
        rival=Rival(-3, "the order reported of Theorem 4.3, d^(-k+1)"),
    ),
    Claim(
        name="C8_concentration",
        statement="Harmonics on n random points are orthonormal up to n^(-1/2)",
        formula="max |V'V - I| <= C M^2 sqrt(log(r/delta)/n)",
        source="reported as Lemma 4.1",
        part="concentration",
        estimator=loglog_slope("deviation", "samples"),
        region=near(-0.5, 0.06),
        why="-1/2, a little steeper since the tails of V become Gaussian as n grows",
        control="duplicated",
        kind="exponent",
        rival=Rival(-1, "who reads 1/n into the lemma"),
    ),
    Claim(
        name="C9_bound",
        statement="Projections obey 2 (1 - eta mu_k)^T up to a small eps",
        source=THEOREM_42,
        part="bound",
        estimator=worst(_largest("epsilon"), columns=("epsilon",)),
        region=at_most(0.01),
        why="the theorem's eps is O(theta) and the bound has a factor of 2 to spare: 1 % is "
        "small. With "
        "twice the exponent max_x (e^-x - 2 e^(-2 x)) = 1/8 is needed",
        control="squared",
        tier="laptop",
        rival=Rival(0.125, "who bounds the residual by what bounds the loss, (1 - eta mu_k)^(2 T)"),
    ),
    Claim(
        name="C10_lazy_rate",
        statement="Components of a lazy network on S^2 decay at the rates of the kernel at "
        "initialization",
        formula="A_k(T) = (1 - eta lambda_k)^T A_k(0)",
        source=THEOREM_42,
        part="rates",
        estimator=per_seed(
            _deviation("rate_over_frozen"),
            where={**LAZY, "degree": (1, 2, 4, 6)},
            columns=("rate_over_frozen",),
        ),
        region=at_most(0.02),
        why="the kernel moves by O(laziness) = 0.5 %, magnified by coupling to larger components",
        control="readout_only",
        rival=Rival(0.05, "who has the rate off by 5 %"),
    ),
    Claim(
        name="C10_eigenvalue_rate",
        statement="Components of degree 1 to 6 of lazy networks on S^2, extrapolated to infinite "
        "width, decay at the rates eta mu_k",
        source="reported as Theorems 4.2 and 4.3",
        part="rates",
        estimator=extrapolated(
            "rate_over_eigenvalue", "width", where={**LAZY, "degree": (1, 2, 4, 6)}
        ),
        region=near(1, 0.05),
        why="mean over degrees; the splitting of a degree biases windows low by O(N/m), which is "
        "taken "
        "out, and lengths of weights are; directions leave m^(-1/2) per network",
        control="readout_only",
        kind="level",
        rival=Rival(1.63, "who takes the standard kernel, whose layers have equal weight"),
    ),
    Claim(
        name="C10_high_degrees",
        statement="Degrees 4, 6 and 8, up to 830 times slower than degree 1, decay at eta mu_k",
        source="reported as Theorems 4.2 and 4.3",
        part="rates",
        estimator=extrapolated(
            "rate_over_eigenvalue", "width", where={**LAZY, "degree": (4, 6, 8)}
        ),
        region=near(1, 0.05),
        why="splitting biases rates by the order of N_(<=8)/m = 48/m, degree 8 by -3 % at 4096 "
        "neurons and the mean by -2 %: extrapolated in 1/m. Lengths of weights are taken out, "
        "directions leave m^(-1/2) per network, of either sign",
        control="readout_only",
        kind="level",
        rival=Rival(0.88, "who reads it off 512 neurons"),
        tier="laptop",
    ),
    Claim(
        name="C11_collapse",
        statement="The time to fall to 1/e is 1/mu_k (mean over k = 4, 6, 8)",
        source="corollary of Theorem 4.2",
        part="rates",
        estimator=extrapolated("collapse", "width", where={**LAZY, "degree": (4, 6, 8)}),
        region=near(1, 0.05),
        why="as C10_high_degrees, for the time in the place of a rate",
        control="readout_only",
        tier="laptop",
        kind="level",
        rival=Rival(1.86, "who takes the standard kernel, whose layers have equal weight"),
    ),
    Claim(
        name="C12_order",
        statement="Degree 1 is learned before degree 2, and 2 before 4",
        source="Figures 1 and 2",
        part="projections",
        estimator=ordering(
            "speed",
            by="degree",
            increasing=False,
            where={"last": True, "amplitudes": "[1, 1, 1]"},
        ),
        region=at_least(0.5),
        why="mu_1 : mu_2 : mu_4 = 1 : 1/13 : 1/1300; in a few draws lower degrees leak out of the "
        "projection on degree 4 and halve it at once; 17 of 20 seeds bound the share by .55",
        control="abs",
        rival=Rival(1 / 6, "who leaves the order of three degrees to chance"),
    ),
    Claim(
        name="C12_amplitude",
        statement="Half-lives of degrees 1 and 2 are the same at amplitudes (1,1,1) and (1,3,5)",
        source="Figures 1 and 2",
        part="projections",
        estimator=per_seed(
            _amplitude_effect, where=LAST, columns=("degree", "speed", "amplitudes")
        ),
        region=at_most(0.15),
        why="linear dynamics has no scale; leakage between degrees of one sample allows 15 %",
        control="rich",
        tier="laptop",
        rival=Rival(0.7, "who takes a larger amplitude for one that lasts longer"),
    ),
    Claim(
        name="C13_sample_kernel",
        statement="Half-lives of degrees 1, 2 are those of the limit kernel on the sample",
        source="Figure 2",
        part="projections",
        estimator=per_seed(
            _half_life_over_sample_kernel,
            where={"last": True, "degree": (1, 2), "amplitudes": ("[1, 1, 1]", "[20, 20, 20]")},
            columns=("speed", "linear_speed", "size_effect"),
        ),
        region=near(1, 0.05),
        why="1024 neurons: lengths of weights are taken out, directions leave 2 % per degree, "
        "and 1/m "
        "some tenths of a per cent",
        control="rich",
        tier="laptop",
        kind="level",
        rival=Rival(0.635, "who takes networks that are not lazy for linear ones"),
    ),
    Claim(
        name="C13_memorised_degree_4",
        statement="The training projection on degree 4 decays faster than mu_4 by "
        "half at least: the sample is memorised",
        source="this replication, on the slope of degree 4 in Figure 2",
        part="projections",
        estimator=per_seed(
            _speed_over_eigenvalue,
            where={"last": True, "amplitudes": "[1, 3, 5]"},
            columns=("degree", "speed", "eigenvalue"),
            center="median",
        ),
        region=at_least(1.5),
        why="the sample kernel adds the tail of the trace, sum_(k>=4) N mu/n = 1.6 mu_4 at n = "
        "1000, of which a third would do. Amplitudes (1, 3, 5), since at (1, 1, 1) lower degrees "
        "leak into the start of degree 4; the median, because a run may end before a half-life: "
        "speed 0",
        control="three_dimensions",
        tier="laptop",
        rival=Rival(1, "who reads mu_4 off the training curve"),
    ),
    Claim(
        name="C14_cosine",
        statement="For a sum of cosines degree 2 is learned before degrees 4 and 6",
        source="Figure 3",
        part="projections",
        estimator=per_seed(_lead_of_degree_2, columns=("degree", "remaining", "time")),
        region=at_least(0.1),
        why="at eta t = 1500 degree 2 is down to exp(-8.5) and degrees 4, 6 to exp(-0.1) or less "
        "what the sample memorises, several tenths",
        arm="cosine",
        control="cosine_few_samples",
        tier="laptop",
        rival=Rival(0, "who has all degrees learned alike"),
    ),
    Claim(
        name="C14_cosine_high",
        statement="For a sum of cosines degree 4 is learned before degree 6",
        source="Figure 3",
        part="projections",
        estimator=per_seed(_lead_of_degree_4, where=LAST, columns=("degree", "remaining")),
        region=at_least(0.05),
        why="needs a time of the order of 1/mu_4 = 18000",
        arm="cosine",
        control="cosine_few_samples",
        tier="paper",
        rival=Rival(0, "who has all degrees learned alike"),
    ),
    Claim(
        name="C15_piecewise",
        statement="Networks learn low degrees before high ones on inputs that are piecewise "
        "uniform on the sphere too",
        source="reported as Figure 4",
        arm="piecewise",
        control="piecewise_abs",
        **ORDER,
    ),
    Claim(
        name="C15_anisotropic",
        statement="Networks learn low degrees before high ones on normalized non-isotropic "
        "Gaussian inputs too",
        source="reported as Figure 5",
        arm="anisotropic",
        control="anisotropic_abs",
        **ORDER,
    ),
    Claim(
        name="C15_mixture",
        statement="Networks learn low degrees before high ones on inputs from a normalized "
        "Gaussian mixture too",
        source="reported as Figure 6",
        arm="mixture",
        control="mixture_abs",
        **ORDER,
    ),
    Claim(
        name="C16_fresh_points",
        statement="On fresh points degree 4 stays unlearned to the end of a training whose own "
        "projection falls (C13_memorised_degree_4)",
        source="reported as Appendix F",
        part="projections",
        estimator=per_seed(
            _memorised,
            where={"last": True, "amplitudes": ("[1, 3, 5]", "[1, 3]")},
            columns=("degree", "fresh"),
        ),
        region=at_least(0.5),
        why="1 - L_4 = 1/(1 + n mu_4/kappa) = 0.6 even for t = infinity at n = 1000",
        control="low_degrees",
        tier="laptop",
        rival=Rival(0.26, "who has fresh points follow the training points"),
    ),
    Claim(
        name="C17_samples",
        statement="What ridgeless regression with the limit kernel leaves unlearned in degree k "
        "follows the self-consistent implicit ridge",
        formula="1 - L_k = kap/(kap + n mu_k), kap = sum_j N_j mu_j kap/(kap + n mu_j)",
        source="reported as Corollaries 4.6 and 4.7, made quantitative",
        part="samples_needed",
        estimator=rms_deviation("deviation", cells=("samples", "degree")),
        region=at_most(0.005),
        why="rms over sizes and degrees of what is left in the mean over draws: corrections to the "
        "implicit ridge are O(1/n), .005 for degree 1 at n = 20 and less for all others",
        control="standard",
        rival=Rival(0.011, "who takes the standard kernel, whose layers have equal weight"),
    ),
    Claim(
        name="C18_narrow",
        statement="At fixed width the rate falls short of mu_k the more the higher the degree",
        source="remark on Theorem 4.2",
        part="rates",
        estimator=per_seed(
            _high_minus_low,
            where={"degree": (2, 8), "level": 0.9},
            columns=("degree", "rate_over_eigenvalue"),
        ),
        region=at_most(-0.1),
        why="the bias is -O(N_(<=k)/m): 48/256 for degree 8 against 9/256 for degree 2",
        arm="narrow",
        control="limit",
        tier="laptop",
        rival=Rival(0, "who has a rate fall short of mu_k by the same factor at all degrees"),
    ),
    Claim(
        name="C19_step_size",
        statement="Steps of 4.2 are stable on S^2, where 2/mu_0 is 4.57",
        source="condition eta = O(1/(m theta^2)), reported for Theorem 4.2",
        part="edge",
        estimator=worst("growth"),
        region=at_most(1.05),
        why="linear stability below 2/mu_0; 512 neurons move mu_0 by less than 5 %; at 5.4 the "
        "component of degree 0 grows",
        control="beyond",
        rival=Rival(3, "who takes 5.4 for stable"),
    ),
]
