"""What Cao et al. (2019) claim on the spectrum of two-layer ReLU networks, and what follows."""

import numpy as np

from widenets.evidence.claim import Claim, at_least, at_most, between, near
from widenets.evidence.estimators import (
    exact,
    loglog_slope,
    ordering,
    per_seed,
    worst,
)

THEOREM_42 = "reported as Theorem 4.2"
THEOREM_43 = "reported as Theorem 4.3"


def _largest(column):
    return lambda rows: float(rows[column].max())


def _dimension_slope(rows):
    """Exponent of mu_k in d at d = 1024 .. 4096, plus k: 0 for d^-k and 1 for the printed order."""
    rows = rows[rows["d"] >= 1024]
    return float(np.polyfit(np.log(rows["d"]), np.log(rows["eigenvalue"]), 1)[0]) + 4


def _deviation(column):
    """Largest distance from 1 over the degrees of one seed."""
    return lambda rows: float(np.abs(rows[column] - 1).max())


def _farthest(column):
    """The value that is farthest from 1, as a ratio, over the degrees of one seed.

    A component that grows has a rate below 0, and none is farther away.
    """

    def farthest(rows):
        values = rows[column].to_numpy(float)
        distance = np.where(values > 0, np.abs(np.log(np.maximum(values, 1e-300))), np.inf)
        return float(values[distance.argmax()])

    return farthest


def _mean(column):
    return lambda rows: float(rows[column].mean())


def _at_degree(column, degree):
    """NaN where a tier does not measure that degree."""
    return lambda rows: float(rows.loc[rows["degree"] == degree, column].mean())


def _high_minus_low(rows):
    return _at_degree("rate_over_eigenvalue", 8)(rows) - _at_degree("rate_over_eigenvalue", 2)(rows)


def _lead_of_degree_2(rows):
    left = rows.set_index("degree")["remaining"]
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
    return float((rows["linear_speed"] / rows["speed"]).mean())


def _memorised(rows):
    """Of the highest degree: left on fresh points."""
    return float(rows.sort_values("degree")["fresh"].iloc[-1])


def _speed_over_eigenvalue(rows):
    return _at_degree("speed", 4)(rows) / _at_degree("eigenvalue", 4)(rows)


LAST = {"last": True}
# The lazy networks at m = 4096; the rich arm is run at m = 256, where the laziness is 6.
LAZY = {"width": (4096, 256), "laziness": (0.005, 6.0), "level": 0.9}
ORDER = {
    "part": "projections",
    "estimator": ordering("average", by="degree", increasing=True, where=LAST),
    "region": at_least(0.5),
    "why": "more networks than not, with 99 % (11 of 12 would do: their interval begins at .52); "
    "with |z| in the place of relu degree 1 is never learned, so the order must fail",
    "tier": "laptop",
}

CLAIMS = [
    Claim(
        name="C1_closed_form",
        statement="the kernel's eigenvalues on the sphere are the closed form of the set-up",
        formula="mu_k = mu_k[t kappa_0] + 2 mu_k[kappa_1]",
        source=THEOREM_43,
        part="spectrum",
        estimator=exact(_largest("error"), resolution=1e-13, columns=("error",), floor=0.0),
        region=at_most(1e-12),
        why="both are the same integral; Gauss-Legendre in the angle reaches rounding",
        control="standard",
    ),
    Claim(
        name="C1_random_points",
        statement="sums of kappa(t) P_k(t) over random pairs of points give mu_k",
        source=THEOREM_43,
        part="sampled",
        estimator=per_seed("ratio", where={"dimension": 3, "degree": 1}),
        region=near(1.0, 0.02),
        why="an unbiased U-statistic; 2 % is far below the 33 % by which the standard NTK differs",
        control="standard",
    ),
    Claim(
        name="C1_random_points_d10",
        statement="the same in ten dimensions, for degree 2",
        source=THEOREM_43,
        part="sampled",
        estimator=per_seed("ratio", where={"dimension": 10, "degree": 2}),
        region=near(1.0, 0.02),
        why="an unbiased U-statistic; the standard NTK differs by a third and more",
        control="standard",
        tier="laptop",
    ),
    Claim(
        name="C2_network_trace",
        statement="the NTK of finite networks at initialization has mean eigenvalue mu_k",
        formula="tr(Pi_k K_0) = N_k mu_k",
        source=THEOREM_43,
        part="network",
        estimator=per_seed(_mean("ratio"), where={"width": 16384}, columns=("ratio",)),
        region=near(1.0, 0.02),
        why="unbiased at every width; the norms of the weights leave sqrt(2/m) = 1 % per network",
        control="standard",
        tier="laptop",
    ),
    Claim(
        name="C2_network_spread",
        statement="inside a degree the eigenvalues of K_0 spread like m^(-1/2)",
        source="law of large numbers for Theorem 4.3",
        part="network",
        estimator=loglog_slope("spread", "width", where={"width": (256, 1024, 4096)}),
        region=near(-0.5, 0.1),
        why="K_0 is an average over m independent neurons",
        control="duplicated",
    ),
    Claim(
        name="C3_multiplicities",
        statement="eigenvalues of the kernel matrix on S^2 come in clusters of 1, 3, 5, 9, 13",
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
    ),
    Claim(
        name="C4_odd_degrees_vanish",
        statement="without bias all odd degrees from 3 on have eigenvalue 0",
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
    ),
    Claim(
        name="C4_odd_degrees_untrained",
        statement="training on an antipodal set never moves degrees 3 and 5, at any width",
        source=THEOREM_43,
        part="parity",
        estimator=worst(_largest("change"), where={"degree": (3, 5)}, columns=("change",)),
        region=at_most(1e-12),
        why="the odd part of every bias-free network is linear; float64 rounding over 60 steps",
        control="bias",
    ),
    Claim(
        name="C5_bias_opens_odd_degrees",
        statement="a trained bias gives odd degrees the eigenvalue s_k^2",
        formula="tr(Pi_3 K_0) = 7 s_3^2",
        source="remark on Basri et al. (2019)",
        part="network",
        estimator=per_seed("ratio", where={"degree": 3, "width": 16384}),
        region=near(1.0, 0.02),
        why="unbiased; the readout's norm alone leaves sqrt(2/m) = 1 % per network",
        arm="bias",
        control="bias_frozen",
        tier="laptop",
    ),
    Claim(
        name="C5_bias_rates",
        statement="with a trained bias degrees 3 and 5 decay at the rate s_k^2",
        source="remark on Basri et al. (2019)",
        part="rates",
        estimator=per_seed(
            _mean("rate_over_eigenvalue"),
            where={"degree": (3, 5), "level": 0.9},
            columns=("rate_over_eigenvalue",),
        ),
        region=between(0.85, 1.1),
        why="1 + O(m^-1/2), with the splitting of a degree biasing windows low by O(N/m)",
        arm="bias",
        control="bias_frozen",
        tier="laptop",
    ),
    Claim(
        name="C6_exponent_d3",
        statement="for k >> d the eigenvalues fall like k^-(d+1) = k^-D (D = 3)",
        source=THEOREM_43,
        part="decay",
        estimator=exact(
            "slope_plus_dimension", resolution=1e-9, where={"dimension": 3, "degree": 64}
        ),
        region=near(0.0, 0.05),
        why="an asymptotic law with corrections O(D^2/k), here at k = 64 .. 128",
        control="readout_only",
    ),
    Claim(
        name="C6_exponent_d10",
        statement="for k >> d the eigenvalues fall like k^-(d+1) = k^-D (D = 10)",
        source=THEOREM_43,
        part="decay",
        estimator=exact(
            "slope_plus_dimension", resolution=1e-9, where={"dimension": 10, "degree": 1024}
        ),
        region=near(0.0, 0.05),
        why="an asymptotic law with corrections O(D^2/k), here at k = 1024 .. 2048",
        control="readout_only",
    ),
    Claim(
        name="C6_exponent_of_learned_degrees",
        statement="in ten dimensions the degrees that are learned, k = 4 .. 8, follow k^-D",
        source="popular reading of Theorem 4.3",
        part="decay",
        estimator=exact(
            lambda rows: float(rows.sort_values("degree")["slope_plus_dimension"].iloc[-1]),
            resolution=1e-9,
            where={"dimension": 10},
            columns=("degree", "slope_plus_dimension"),
        ),
        region=near(0.0, 0.5),
        why="half a power would still pass for the exponent",
        arm="learned_degrees",
        control="theory",
        expected="fail",
        reason="the local exponent at k = 4 .. 8 is -7.05: k^-10 holds from k ~ 100 on, far above "
        "any degree that is ever learned in ten dimensions",
    ),
    Claim(
        name="C7_high_dimension",
        statement="for d >> k the eigenvalues fall like d^-k",
        formula="mu_k ~ c_k k! d^-k",
        source="trace identity sum_k N mu_k = 3/2 with N ~ d^k/k!",
        part="dimension_order",
        estimator=exact(
            _dimension_slope, resolution=1e-9, where={"degree": 4}, columns=("d", "eigenvalue")
        ),
        region=near(0.0, 0.02),
        why="corrections are O(k^2/d), 1 % at d = 1024 .. 4096",
        control="growing_trace",
    ),
    Claim(
        name="C7_printed_order",
        statement="for d >> k the eigenvalues are at least of the order d^(-k+1) (as printed)",
        formula="mu_k = Omega(d^(-k+1))",
        source=THEOREM_43,
        part="dimension_order",
        estimator=exact(
            _dimension_slope, resolution=1e-9, where={"degree": 4}, columns=("d", "eigenvalue")
        ),
        region=at_least(0.98),
        why="a lower bound of that order needs the slope 1 - k or more, up to O(k^2/d)",
        control="growing_trace",
        expected="fail",
        reason="sum_k N(D,k) mu_k = kappa(1) = 3/2 with positive terms gives mu_k <= 3/(2N), "
        "and N ~ d^k/k!: no kernel of bounded trace can reach d^(1-k), one power is missing",
    ),
    Claim(
        name="C8_concentration",
        statement="harmonics on n random points are orthonormal up to n^(-1/2)",
        formula="max |V'V - I| <= C M^2 sqrt(log(r/delta)/n)",
        source="reported as Lemma 4.1",
        part="concentration",
        estimator=loglog_slope("deviation", "samples"),
        region=between(-0.58, -0.45),
        why="-1/2, a little steeper since the tails of V become Gaussian as n grows",
        control="duplicated",
    ),
    Claim(
        name="C9_bound",
        statement="projections obey 2 (1 - eta mu_k)^T up to a small eps",
        source=THEOREM_42,
        part="bound",
        estimator=worst(_largest("epsilon"), columns=("epsilon",)),
        region=at_most(0.01),
        why="the theorem's eps is O(theta) and the bound has a factor of 2 to spare: 1 % is small",
        control="wrong_rate",
        tier="laptop",
    ),
    Claim(
        name="C10_lazy_rate",
        statement="components decay at the rates of the kernel at initialization",
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
        control="rich",
    ),
    Claim(
        name="C10_eigenvalue_rate",
        statement="components of degree 1 to 6 decay at the rates eta mu_k",
        source="reported as Theorems 4.2 and 4.3",
        part="rates",
        estimator=per_seed(
            _farthest("rate_over_eigenvalue"),
            where={**LAZY, "degree": (1, 2, 4, 6)},
            columns=("rate_over_eigenvalue",),
        ),
        region=between(0.85, 1.1),
        why="1 + O(m^-1/2), with the splitting of a degree biasing windows low by O(N/m)",
        control="rich",
    ),
    Claim(
        name="C10_rate_of_degree_8",
        statement="degree 8, 830 times slower than degree 1, decays at eta mu_8",
        source="reported as Theorems 4.2 and 4.3",
        part="rates",
        estimator=per_seed("rate_over_eigenvalue", where={**LAZY, "degree": 8}),
        region=between(0.85, 1.1),
        why="1 + O(m^-1/2), with the splitting of a degree biasing windows low by O(N/m)",
        control="rich",
        tier="laptop",
    ),
    Claim(
        name="C11_collapse",
        statement="the time to fall to 1/e is 1/mu_k (k = 6; in the smoke tier k = 4)",
        source="corollary of Theorem 4.2",
        part="rates",
        estimator=per_seed(
            lambda rows: float(rows.sort_values("degree")["collapse"].iloc[-1]),
            where={**LAZY, "degree": (1, 2, 4, 6)},
            columns=("degree", "collapse"),
        ),
        region=between(0.87, 1.11),
        why="1 up to O(m^-1/2) and, from the tail of a split degree, O(N/m) later",
        control="rich",
    ),
    Claim(
        name="C12_order",
        statement="degree 1 is learned before degree 2, and 2 before 4",
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
    ),
    Claim(
        name="C12_amplitude",
        statement="half-lives of degrees 1 and 2 are the same at amplitudes (1,1,1) and (1,3,5)",
        source="Figures 1 and 2",
        part="projections",
        estimator=per_seed(
            _amplitude_effect, where=LAST, columns=("degree", "speed", "amplitudes")
        ),
        region=at_most(0.15),
        why="linear dynamics has no scale; leakage between degrees of one sample allows 15 %",
        control="rich",
        tier="laptop",
    ),
    Claim(
        name="C13_sample_kernel",
        statement="half-lives of degrees 1, 2 are those of the limit kernel on the sample",
        source="Figure 2",
        part="projections",
        estimator=per_seed(
            _half_life_over_sample_kernel,
            where={"last": True, "degree": (1, 2), "amplitudes": ("[1, 1, 1]", "[20, 20, 20]")},
            columns=("speed", "linear_speed"),
        ),
        region=between(0.9, 1.12),
        why="width 1024 leaves 3 % per degree and a bias of 1/m",
        control="rich",
        tier="laptop",
    ),
    Claim(
        name="C13_rate_of_degree_4",
        statement="the training projection on degree 4 decays at mu_4 (straight in Figure 2)",
        source="popular reading of Figure 2",
        part="projections",
        estimator=per_seed(
            _speed_over_eigenvalue,
            where={"last": True, "amplitudes": "[1, 3, 5]"},
            columns=("degree", "speed", "eigenvalue"),
            center="median",
        ),
        region=near(1.0, 0.5),
        why="one direction on one sample fluctuates by 25 %, far less than half; amplitudes "
        "(1, 3, 5), since at (1, 1, 1) lower degrees leak visibly into the start of degree 4; the "
        "median, because a run may end before a half-life, which then counts as speed 0",
        control="three_dimensions",
        expected="fail",
        reason="with N(10,4) = 660 of n = 1000 the sample kernel adds the tail of the trace, "
        "sum_(k>=4) N mu/n = 2 mu_4: degree 4 falls several times faster on the training set than "
        "mu_4, by memorising",
        tier="laptop",
    ),
    Claim(
        name="C14_cosine",
        statement="for a sum of cosines degree 2 is learned before degrees 4 and 6",
        source="Figure 3",
        part="projections",
        estimator=per_seed(_lead_of_degree_2, where=LAST, columns=("degree", "remaining")),
        region=at_least(0.1),
        why="at eta t = 1500 degree 2 is down to exp(-8.5) and degrees 4, 6 to exp(-0.1) or less "
        "what the sample memorises, several tenths",
        arm="cosine",
        control="cosine_few_samples",
        tier="laptop",
    ),
    Claim(
        name="C14_cosine_high",
        statement="for a sum of cosines degree 4 is learned before degree 6",
        source="Figure 3",
        part="projections",
        estimator=per_seed(_lead_of_degree_4, where=LAST, columns=("degree", "remaining")),
        region=at_least(0.05),
        why="needs a time of the order of 1/mu_4 = 18000",
        arm="cosine",
        control="cosine_few_samples",
        tier="paper",
    ),
    Claim(
        name="C15_piecewise",
        statement="the order survives inputs that are piecewise uniform on the sphere",
        source="reported as Figure 4",
        arm="piecewise",
        control="piecewise_abs",
        **ORDER,
    ),
    Claim(
        name="C15_anisotropic",
        statement="the order survives normalized non-isotropic Gaussian inputs",
        source="reported as Figure 5",
        arm="anisotropic",
        control="piecewise_abs",
        **ORDER,
    ),
    Claim(
        name="C15_mixture",
        statement="the order survives inputs from a normalized Gaussian mixture",
        source="reported as Figure 6",
        arm="mixture",
        control="piecewise_abs",
        **ORDER,
    ),
    Claim(
        name="C16_fresh_points",
        statement="on fresh points degree 4 stays unlearned while its training projection falls",
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
    ),
    Claim(
        name="C17_samples",
        statement="what is unlearned in degree k follows the self-consistent implicit ridge",
        formula="1 - L_k = kap/(kap + n mu_k), kap = sum_j N_j mu_j kap/(kap + n mu_j)",
        source="reported as Corollaries 4.6 and 4.7, made quantitative",
        part="samples_needed",
        estimator=per_seed(_largest("error"), columns=("error",)),
        region=at_most(0.05),
        why="fluctuations of one draw over N(10,1) = 10 functions are a few percent",
        control="degree_blind",
    ),
    Claim(
        name="C18_narrow",
        statement="at fixed width the rate falls short of mu_k the more the higher the degree",
        source="remark on Theorem 4.2",
        part="rates",
        estimator=per_seed(
            _high_minus_low,
            where={"degree": (2, 8), "level": 0.9},
            columns=("degree", "rate_over_eigenvalue"),
        ),
        region=at_most(-0.1),
        why="the bias is -O(N_(<=k)/m): 45/256 for degree 8 against 4/256 for degree 2",
        arm="narrow",
        control="limit",
        tier="laptop",
    ),
    Claim(
        name="C19_step_size",
        statement="steps up to 2/mu_0 (4.57 on S^2) are stable",
        source="condition eta = O(1/(m theta^2)), reported for Theorem 4.2",
        part="edge",
        estimator=worst("growth"),
        region=at_most(1.05),
        why="linear stability below 2/mu_0; the width moves mu_0 by less than 5 %",
        control="beyond",
    ),
]
