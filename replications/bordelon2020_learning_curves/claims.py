"""What Bordelon et al. (2020) claim on learning curves, and what popular readings make of it."""

import numpy as np

from widenets.evidence.claim import Claim, Rival, at_least, at_most, near
from widenets.evidence.estimators import (
    corrected_slope,
    exact,
    jackknife,
    loglog_slope,
    per_seed,
    proportion,
    rms_deviation,
)

LEARNED = (1, 2, 3, 4)
MAIN = "main result, reported as Proposition 3"
FIGURES = "figures on varying k, d, depth and on kernel regression"
CELL = ["dimension", "depth", "p", "degree"]


def _tail_slope(rows):
    """Slope of log (1 - gamma) E_k on log(1 + x), x = p mu_k/kappa > 5."""
    rows = rows[rows["x"] > 5]
    if len(rows) < 2:
        return np.nan
    size = np.log(1 + rows["x"])
    return float(np.polyfit(size, np.log(rows["collapsed"]) - 2 * size, 1)[0])


def _ratios_fall(rows):
    """Whether no E_k/E_(k+1) rises by more than 2 % in a step of p."""
    errors = rows.pivot(index="p", columns="degree", values="error").sort_index()
    ratios = np.array([errors[k] / errors[k + 1] for k in LEARNED[:-1]])
    return bool(np.all(ratios[:, 1:] <= 1.02 * ratios[:, :-1]))


def _unlearned(rows):
    """(1 - gamma) E_k/E_k(0), gamma being the theory's."""
    return float((rows["error"] / (rows["theory"] * (1 + rows["x"]) ** 2)).mean())


def _gamma_ratio(rows):
    """gamma from the overshoot E_k (1 + x)^2 = 1/(1 - gamma), measured over theory."""
    measured, theory = (1 - 1 / (rows[c] * (1 + rows["x"]) ** 2) for c in ("error", "theory"))
    return float((measured / theory).mean())


def _highest(rows):
    return float(rows["error"].max())


def _slope_in_p(rows):
    """Of the mean over seeds: that of logarithms depends on how many sets of p a seed has."""
    mean = rows.groupby("p")["error"].mean()
    return float(np.polyfit(np.log(mean.index), np.log(mean), 1)[0])


def _peak(rows, column):
    """Place of the largest mean over seeds, by a parabola in log p."""
    mean = np.log(rows.groupby("p")[column].mean())
    p, values = np.log(mean.index.to_numpy(float)), mean.to_numpy()
    top = int(np.clip(values.argmax(), 1, values.size - 2))
    curve = np.polyfit(p[top - 1 : top + 2], values[top - 1 : top + 2], 2)
    return float(np.exp(-curve[1] / (2 * curve[0])))


def _peak_over_rank(rows):
    """Over N(d, 1) = d."""
    return _peak(rows, "noise") / rows["dimension"].iloc[0]


def _peak_over_theory(rows):
    return _peak(rows, "noise") / _peak(rows, "theory")


def _noise_ratio(rows):
    return float((rows["noise"] / rows["theory"]).mean())


def _mean(column):
    return lambda rows: float(rows[column].mean())


def _limit_of_formula(rows):
    """Largest |solver/formula - 1| over a, extrapolated in 1/d from its two dimensions, d and "
    "2d."""
    ratios = rows.pivot(index="a", columns="dimension", values="ratio")
    low, high = sorted(ratios.columns)
    return float((2 * ratios[high] - ratios[low] - 1).abs().max())


def _modes(**where):
    return {"degree": LEARNED, "p": lambda p: p >= 4, **where}


def _accuracy_claim(dimension, depths, bound, rival, tier):
    return Claim(
        name=f"A1_modes_d{dimension}",
        statement=f"The errors of degrees 1 to 4 follow the theory on an absolute scale from p = 4 "
        "on, "
        f"d = {dimension}, {depths}",
        formula="E_k = (1 - L_k)^2/(1 - gamma)",
        source=f"{MAIN}; {FIGURES}",
        part="modes",
        estimator=rms_deviation("ratio", cells=CELL, target=1.0, where=_modes(dimension=dimension)),
        region=at_most(bound),
        why="root mean square over degrees 1 to 4 and p >= 4; the theory is exact for d -> "
        "infinity, its corrections fall like d^-2 (seen: 2 to 2.5/d^2): 6/d^2, .06, .015 and .007 "
        "at d = 10, 20 and 30",
        control="next_sphere",
        tier=tier,
        rival=Rival(rival, "who takes the sphere S^d for S^(d-1)"),
    )


def _collapse_claim(dimension, bound, tier):
    return Claim(
        name=f"B1_collapse_d{dimension}",
        statement=f"At d = {dimension} the degrees that are being learned fall on one curve: "
        "(1 - gamma) E_k (1 + x)^2 = 1 with x = p mu_k/kappa > .3",
        source=f"consequence of the {MAIN}",
        part="modes",
        estimator=rms_deviation(
            "collapsed",
            cells=CELL,
            target=1.0,
            where=_modes(dimension=dimension, x=lambda x: x > 0.3),
        ),
        region=at_most(bound),
        why="of the cells of A1 those where the curve falls: the others have no deviation to speak "
        "of, which leaves about 12/d^2; .02 at least, for the scatter of 16 to 32 draws",
        control="anisotropic" if dimension == 30 else "next_sphere",
        tier=tier,
        rival=Rival(
            {30: 0.05, 20: 0.1, 10: 0.25}[dimension], "who takes the sphere S^d for S^(d-1)"
        ),
    )


def _stage_claim(degree, smallest, rival):
    return Claim(
        name=f"C1_stage_of_degree_{degree}",
        statement=f"The sample size at which degree {degree} is half learned grows like the "
        "theory's in d",
        source="learning stages, reported for section 3",
        part="stages",
        estimator=loglog_slope(
            "ratio", "dimension", where={"degree": degree, "dimension": lambda d: d >= smallest}
        ),
        region=near(0.0, 0.05),
        why="exponent of the ratio to the theory at the same d. Correction: 2/d^2, 3 % at d = 8 "
        "and 1 % at d = 12, where degree 2 begins, -.02 in the exponent",
        control="shuffled",
        kind="exponent",
        rival=rival,
    )


def _place_claim(degree, smallest, over_count):
    return Claim(
        name=f"C1_place_of_degree_{degree}",
        statement=f"Degree {degree} is half learned at the theory's sample size (d >= {smallest})",
        source="learning stages, reported for section 3",
        part="stages",
        estimator=per_seed(
            _mean("ratio"),
            where={"degree": degree, "dimension": lambda d: d >= smallest},
            columns=("ratio",),
        ),
        region=near(1.0, 0.03),
        why="measured over theory. Correction: + 2/d^2, 1 % at most, on average over d",
        control="shuffled",
        kind="level",
        rival=Rival(over_count, "who takes N(d, k) for the place"),
    )


def _count_claim(degree):
    return Claim(
        name=f"C2_count_of_degree_{degree}",
        statement=f"Degree {degree} is half learned at a sample size proportional to N(d, "
        f"{degree})",
        formula="p_half ~ N(d, k)",
        source="learning stages p = a N(d, k), reported for section 3",
        part="stages",
        estimator=corrected_slope("over_count", "dimension", order=1.0, where={"degree": degree}),
        region=near(0.0, 0.1),
        why="exponent in d of p_half/N, fitted with its first order, 1 + b/d. Correction: "
        "d^-2, -.05 in the exponent for the theory's own p_half of degree 2 at d = 8 to 24",
        control="shuffled",
        tier="laptop",
        kind="exponent",
        rival=Rival(-1.0, "who counts the harmonics of the degree above"),
    )


def _slope_claim(name, statement, value, tolerance, arm, control, why, source, rival, tier):
    return Claim(
        name=name,
        statement=statement,
        source=source,
        part="asymptotics",
        estimator=jackknife(
            _slope_in_p, where={"p": lambda p: p.between(64, 512)}, columns=("p", "error")
        ),
        region=near(value, tolerance),
        why=why,
        arm=arm,
        control=control,
        tier=tier,
        kind="exponent",
        rival=rival,
    )


def _output_claim(name, where, group, tolerance, rival, why):
    return Claim(
        name=name,
        statement=f"On images the residual in the {where} follows the output-mode formula",
        formula="v_r^2 (1 - L_r)^2 + L_r^2 E_g/p",
        source="derived here, for the figure on MNIST",
        part="images",
        estimator=per_seed(
            _mean("output_ratio"),
            where={"group": group, "p": lambda p: (p >= 50) & (p <= 267)},
            columns=("output_ratio",),
        ),
        region=near(1.0, tolerance),
        why=why,
        control="white",
        kind="level",
        rival=rival,
    )


CLAIMS = [
    _accuracy_claim(30, "L = 2", 0.007, 0.018, "smoke"),
    _accuracy_claim(20, "1, 2 and 4 hidden layers", 0.015, 0.049, "laptop"),
    _accuracy_claim(10, "1 and 3 hidden layers", 0.06, 0.141, "laptop"),
    Claim(
        name="A1_modes_d5",
        statement="The theory holds on an absolute scale in five dimensions as it does in ten",
        source="the published figures, as they are read: the authors' notebook rescales each curve "
        "at its last point and shows no dimension below 10 on an absolute scale",
        part="modes",
        estimator=rms_deviation(
            "ratio",
            cells=CELL,
            target=1.0,
            where=_modes(dimension=(5, 30), p=(4, 16, 64, 128, 256)),
        ),
        region=at_most(0.06),
        why="the bound of A1_modes_d10",
        arm="low_dimension",
        control="theory",
        expected="fail",
        reason="the self-averaging that the theory rests on fails at d = 5: true errors are 10 to "
        "40 % above it at all p; rescaling a curve at its last point hides this",
        tier="laptop",
        rival=Rival(0.19, "who measures at d = 5 on an absolute scale"),
    ),
    _collapse_claim(30, 0.02, "smoke"),
    _collapse_claim(20, 0.03, "laptop"),
    _collapse_claim(10, 0.12, "laptop"),
    Claim(
        name="B2_collapse_slope",
        statement="Far beyond its stage a degree's error falls like x^-2, "
        "x = p mu_k/kappa (d = 30)",
        source=f"consequence of the {MAIN}",
        part="modes",
        estimator=per_seed(_tail_slope, where=_modes(dimension=30), columns=("x", "collapsed")),
        region=near(-2.0, 0.05),
        why="(1 + x)^-2 exactly; at d = 30 the theory is low by less than a percent, over a factor "
        "of 5 in x; at d = 20 this makes the exponent .014 flatter",
        control="anisotropic",
        tier="laptop",
        kind="exponent",
        rival=Rival(-1.0, "who takes 1 - L_k for its square"),
    ),
    Claim(
        name="B3_spectral_bias",
        statement="Larger eigenvalues are learned faster: E_k/E_(k+1) falls with p",
        source="reported as the theorem of section 2",
        part="modes",
        estimator=proportion(
            _ratios_fall, where=_modes(dimension=30), columns=("p", "degree", "error")
        ),
        region=at_least(0.5),
        why="a theorem of the theory, for every p: in most draws no ratio rises by more than the 2 "
        "% that one draw scatters by",
        control="swapped",
        rival=Rival(0.125, "who leaves the order of each of the three ratios to chance"),
    ),
    Claim(
        name="B4_zero_eigenvalue",
        statement="A degree of eigenvalue 0 is never learned: degree 3 of one hidden layer rises "
        "like 1/(1 - gamma) and no less",
        formula="(1 - gamma) E_3(p)/E_3(0) = 1",
        source=MAIN,
        part="modes",
        estimator=per_seed(
            _unlearned, where={"p": 512, "degree": 3}, columns=("error", "theory", "x")
        ),
        region=near(1.0, 0.02),
        why="x = 0 exactly; draws scatter by half a percent, corrections of d = 10 are as large",
        arm="never_learned",
        control="deep",
        kind="level",
        rival=Rival(0.816, "who has it stay at its start"),
    ),
    Claim(
        name="B5_overshoot",
        statement="Before it is learned a degree's error rises by 1/(1 - gamma) with the theory's "
        "gamma, the price of learning the others",
        formula="gamma = 1 - E_4(0)/(E_4(p) (1 + x)^2)",
        source=f"consequence of the {MAIN}",
        part="modes",
        estimator=per_seed(
            _gamma_ratio,
            where={"degree": 4, "p": lambda p: p >= 64},
            columns=("error", "theory", "x"),
        ),
        region=near(1.0, 0.025),
        why="measured over theory, d = 20, one hidden layer, degree 4 at p = 64 to 256. "
        "Correction: d^-2 to 1/d of gamma, 1 % as seen from d = 10 on",
        arm="unlearned",
        control="one_layer_more",
        kind="level",
        rival=Rival(1.05, "whose gamma is 5 % off"),
    ),
    Claim(
        name="B5_flat_until_learned",
        statement="The error of a degree stays at its initial value until it is learned",
        source="popular talks and posts on learning stages, in substance: higher modes stay flat "
        "until p reaches their number",
        part="modes",
        estimator=per_seed(_highest, where={"degree": 4}, columns=("error",)),
        region=near(1.0, 0.02),
        why="flat means flat; 2 % is far above the scatter of one draw",
        arm="unlearned",
        control="large_ridge",
        expected="fail",
        reason="the same rows as B5_overshoot, read against flatness: unlearned degrees rise by "
        "1/(1 - gamma), up to 50 %; they stay only where a ridge makes gamma vanish",
        kind="level",
        rival=Rival(1.534, "who computes 1/(1 - gamma)"),
    ),
    Claim(
        name="B6_leakage",
        statement="A target of degree 2 alone leaves N_1 L_1^2 E_g/p in output degree 1",
        source="derived here; the paper's E_1 is the target's part, 0",
        part="leakage",
        estimator=per_seed("leak_ratio"),
        region=near(1.0, 0.05),
        why="corrections at d = 20 are of order 1/d",
        control="unamplified",
        kind="level",
        rival=Rival(0.81, "who takes E_g without 1/(1 - gamma)"),
    ),
    Claim(
        name="A2_kernel_teacher",
        statement="The total error of a target made of the kernel, f* = sum_i c_i K(x, x_i), is "
        "the "
        "theory's, d = 20",
        formula="E_g = sum_k v_k^2 (1 - L_k)^2/(1 - gamma), v_k^2 ~ N mu_k^2",
        source=f"{MAIN}; figure on kernel regression, panel of E_g",
        part="teacher",
        estimator=per_seed(_mean("ratio"), columns=("ratio",)),
        region=near(1.0, 0.03),
        why="measured over theory at p = 64 to 256; corrections of d = 20 are of order d^-2 to "
        "1/d, "
        "and degree 0, a single function, is 2 to 8 % of the error",
        control="unamplified",
        kind="level",
        rival=Rival(0.8, "who learns degrees one by one and forgets 1/(1 - gamma)"),
    ),
    _stage_claim(1, 8, Rival(0.89, "who counts degrees from 1 instead of 0")),
    _stage_claim(2, 12, Rival(0.17, "who takes p ~ d^2 for the theory's 1.83 at d = 12 to 24")),
    _place_claim(1, 16, 0.925),
    _place_claim(2, 12, 0.885),
    _count_claim(1),
    _count_claim(2),
    Claim(
        name="C1_degree_3_needs_d_cubed",
        statement="Degree 3 is learned at p ~ d^3 (d = 7 to 11)",
        source="popular summaries of the learning stages, in substance: degree k needs d^k samples",
        part="stages",
        estimator=loglog_slope("p_half", "dimension", where={"degree": 3}),
        region=near(3.0, 0.2),
        why="the exponent that is quoted, with less than half of the way to the local one",
        control="high_dimension",
        expected="fail",
        reason="the theory's own p_half has the local exponent 2.60 at d = 7 to 11, N(d, 3) has "
        "2.82 there, and p_half/N(d, 3) falls from 2.3 to 2.1; it comes close to 3 only beyond d = "
        "40, where p exceeds 20000",
        tier="laptop",
        kind="exponent",
        rival=Rival(2.6, "who solves the theory at d = 7 to 11"),
    ),
    Claim(
        name="C3_stage_formula",
        statement="One learning stage p = a N(d, l) has a closed form for d -> infinity",
        formula="E_l = (k/(k + a))^2/(1 - g), g = a/(a + k)^2, k = ((1 + m - a) + sqrt((1 + m + "
        "a)^2 - 4a))/2, m = sum_(j > l) N_j mu_j/(N_l mu_l)",
        source="reported for section 3",
        part="stage_formula",
        estimator=exact(
            _limit_of_formula, resolution=1e-7, columns=("a", "dimension", "ratio"), floor=0.0
        ),
        region=at_most(5e-4),
        why="the largest relative deviation over a = 1/4 to 6, extrapolated in 1/d from d = 1000 "
        "and 2000 (4.6/d is taken out); left are terms of 1/d^2, at most a tenth of what was there",
        control="next_degree",
        rival=Rival(0.0046, "who takes d = 1000 for the limit"),
    ),
    _slope_claim(
        "D1_ridge_exponent",
        "With a ridge the error of a degree falls on its way to p^-2, with the theory's local "
        "exponent",
        -1.955,
        0.06,
        "ridge",
        "ridgeless",
        "kappa -> ridge gives x ~ p; over p = 64 to 512 the theory itself has -1.955, and the "
        "factor by which it is low at d = 5 changes by 1 %",
        MAIN,
        Rival(-2.5, "who takes the ridgeless exponent -2b"),
        "smoke",
    ),
    _slope_claim(
        "D2_ridgeless_exponent",
        "Without ridge a degree's error falls with the theory's local exponent, on its way to -2b, "
        "b = d/(d-1)",
        -2.766,
        0.1,
        "ridgeless",
        "ridge",
        "the theory gives -2.77 over p = 64 to 512 at d = 5 (-2.5 for p -> infinity); the factor "
        "by which it is low at d = 5 changes by 4 %, .02 in the exponent",
        MAIN,
        Rival(-2.5, "who takes the exponent of p -> infinity at these p"),
        "smoke",
    ),
    _slope_claim(
        "D3_target_rough",
        "E_g falls with the theory's local exponent for target power rho^-2, on its way to "
        "p^-(a-1) = 1/p (d = 3)",
        -0.96,
        0.08,
        "power_2",
        "power_3",
        "the theory gives -.96 over p = 64 to 512; it is low by a factor 1.2 that changes by 1 %",
        "reported after Proposition 3",
        Rival(-2.0, "who takes p^-a for p^-(a-1)"),
        "laptop",
    ),
    _slope_claim(
        "D3_target_exponent",
        "E_g falls with the theory's local exponent for target power rho^-3, on its way to "
        "p^-(a-1) while a - 1 < 2b (d = 3)",
        -1.8,
        0.08,
        "power_3",
        "power_6",
        "the theory gives -1.80 over p = 64 to 512; it is low by a factor 1.4 that changes by 1 %",
        "reported after Proposition 3",
        Rival(-2.0, "who takes the exponent of p -> infinity at these p"),
        "laptop",
    ),
    _slope_claim(
        "D3_saturation",
        "E_g falls with the theory's local exponent, on its way to p^-2b and no faster, for smooth "
        "targets (a = 6, 2b = 3)",
        -3.12,
        0.15,
        "power_6",
        "power_3",
        "the theory gives -3.12 over p = 64 to 512; tails of single draws are heavy. Correction: "
        "at d = 3 it is low by a factor of order 1, which falls from 2.3 to 2.0: -.06 in the "
        "exponent",
        "reported after Proposition 3",
        Rival(-5.0, "who takes p^-(a-1) for every a"),
        "laptop",
    ),
    Claim(
        name="E1_noise_finite_rank",
        statement="Label noise of unit variance costs gamma/(1 - gamma), linear kernel of rank 65",
        source="supplement, and Canatar et al. (2021)",
        part="noise",
        estimator=per_seed(_noise_ratio, columns=("noise", "theory")),
        region=near(1.0, 0.05),
        why="away from p = rank; corrections are of order 1/|p - 65|: 4, 3 and 1 % at p = 40, 100 "
        "and 160 for Gaussian inputs, and less on the sphere",
        arm="finite_rank",
        control="wrong_rank",
        kind="level",
        rival=Rival(0.7, "whose rank is twice as large"),
    ),
    Claim(
        name="E2_noise_ntk",
        statement="Label noise of unit variance costs gamma/(1 - gamma), NTK of two hidden layers, "
        "d = 40",
        source="supplement, and Canatar et al. (2021)",
        part="noise",
        estimator=per_seed(_noise_ratio, columns=("noise", "theory")),
        region=near(1.0, 0.025),
        why="the theory is of large d. Correction: 1/d = .025 at most; seen are - 1.4 % at p = 28 "
        "to - .3 % at 224",
        control="wrong_depth",
        kind="level",
        rival=Rival(1.06, "whose gamma is 5 % off"),
    ),
    Claim(
        name="E3_peak_of_the_theory",
        statement="The error from noise peaks where the theory has its peak, NTK of two hidden "
        "layers, d = 40",
        source="supplement, and Canatar et al. (2021)",
        part="noise",
        estimator=jackknife(_peak_over_theory, columns=("p", "noise", "theory")),
        region=near(1.0, 0.05),
        why="the same parabola through both, so that the grid cancels; corrections are of order "
        "1/d",
        control="wrong_depth",
        kind="level",
        rival=Rival(0.69, "who takes the peak of one hidden layer"),
    ),
    Claim(
        name="E3_peak_at_rank",
        statement="The error from noise peaks at p = N(d, 1)",
        source="popular accounts of double descent, in substance: test error peaks where the "
        "number "
        "of samples is that of features",
        part="noise",
        estimator=jackknife(_peak_over_rank, columns=("p", "noise", "dimension")),
        region=near(1.0, 0.15),
        why="the parabola through three points of the grid resolves 10 %",
        arm="peak",
        control="finite_peak",
        expected="fail",
        reason="true of finite rank without ridge only; higher degrees act as a ridge, l~ = tail "
        "over block, and put the (finite) peak near (1 + l~) N(d, 1): 1.7 N for d -> infinity, "
        "2 N at d = 40",
        kind="level",
        rival=Rival(2.0, "who solves the theory at d = 40"),
    ),
    Claim(
        name="N1_wide_network",
        statement="A network of 1024 neurons trained to zero loss has the error of its kernel",
        source="figures on neural networks, section 4",
        part="networks",
        estimator=per_seed("ratio", where={"width": (16, 1024)}, center="geometric"),
        region=near(1.0, 0.05),
        why="fluctuations of one network are O(m^-1/2) = 3 %, their mean is smaller by the root "
        "of the seeds. Correction: O(1/m) in the mean, of an error that noise of the kernel can "
        "but raise",
        control="narrow",
        kind="level",
        rival=Rival(1.12, "who takes 256 neurons for a wide network"),
        tier="laptop",
    ),
    Claim(
        name="N2_width_exponent",
        statement="A network's error approaches that of its kernel like m^-1/2",
        source="derived here",
        part="networks",
        estimator=loglog_slope("deviation", "width", summary="mean"),
        region=near(-0.5, 0.25),
        why="fluctuations of the kernel are m^-1/2, so that a tenth in the exponent is not asked. "
        "Correction: 1/m in the mean, 7 % at m = 256: steeper by .1",
        control="duplicated",
        tier="laptop",
        kind="exponent",
        rival=Rival(-1.0, "who takes the order of the mean correction for that of fluctuations"),
    ),
    Claim(
        name="R1_images",
        statement="Theory from the empirical eigendecomposition gives E_g on real images",
        source="figure on MNIST",
        part="images",
        estimator=per_seed(
            _mean("total_ratio"),
            where={"p": lambda p: (p >= 50) & (p <= 267)},
            columns=("total_ratio",),
        ),
        region=near(1.0, 0.06),
        why="a law that takes out that images are drawn without replacement is not known to us, "
        "and smaller p are noisier. Correction: about p/P/2 for that, .033 on average",
        control="white",
        kind="level",
        rival=Rival(1.15, "who takes the error on images outside the training set"),
    ),
    Claim(
        name="R2_permuted_labels",
        statement="With permuted labels nothing is learned, as the theory says",
        source="control of the figure on MNIST",
        part="images",
        estimator=per_seed("total", where={"group": 1, "p": lambda p: (p >= 200) & (p <= 267)}),
        region=at_least(0.9),
        why="the mean label, a tenth of the power, is all that can be learned",
        arm="permuted",
        control="theory",
        rival=Rival(0.8, "who expects another tenth to be memorised to some use"),
    ),
    _output_claim(
        "R3_output_modes",
        "ten top eigenfunctions",
        1,
        0.15,
        Rival(0.33, "who draws E_rho, as the paper does"),
        "ten functions, so that one draw scatters by a third; their mean does not. A level of 5 % "
        "would take four times the draws. Correction: p/P, as for R3_output_tail",
    ),
    _output_claim(
        "R3_output_tail",
        "eigenfunctions beyond the hundredth",
        3,
        0.04,
        Rival(1.2, "who draws E_rho, as the paper does"),
        "1700 functions. Correction: images are drawn without replacement, p/P = .03 to .11 of the "
        "fifth of the error that is learned",
    ),
    Claim(
        name="R3_target_modes",
        statement="On images the residual in the ten top eigenfunctions is E_rho, as drawn in the "
        "paper",
        source="figure on MNIST, groups of eigenfunctions",
        part="images",
        estimator=per_seed(
            _mean("target_ratio"),
            where={"group": 1, "p": lambda p: (p >= 50) & (p <= 267)},
            columns=("target_ratio",),
        ),
        region=near(1.0, 0.15),
        why="the region of R3_output_modes",
        control="teacher",
        expected="fail",
        reason="E_rho is the error caused by the target's mode rho, not that found in mode rho: "
        "unlearned modes leak into the top ones, which hold 2 to 5 times more; the two agree only "
        "for v_r^2 ~ lambda_r^2, a teacher made of the kernel itself",
        kind="level",
        rival=Rival(3.13, "who adds the leakage L_r^2 E_g/p"),
        tier="laptop",
    ),
]
