"""What the papers claim, what is popularly said of them, and how both are checked.

Equation, table and figure numbers are given as reported: the texts of the papers were not at hand.
"The authors' notebook" is `Disentangling_Trainability_and_Generalization.ipynb` of neural-tangents.
Seeds draw where signals start. Fit windows are multiples of the theory's own scale, or the last
doublings of the depth.
"""

import numpy as np

from widenets.evidence import (
    Claim,
    Rival,
    asymptotic,
    at_least,
    at_most,
    exact,
    jackknife,
    loglog_slope,
    near,
    ordering,
    per_seed,
)

SCHOENHOLZ = "Schoenholz et al. 2017"
XIAO = "Xiao et al. 2020"
HAYOU = "Hayou et al. 2019"
YANG = "Yang and Schoenholz 2017"
XIAO_TABLE = f"{XIAO}, reported as Table 1"
CURVES = ("ratio", "steps", "depth", "r2", "xi", "prefactor")  # of `training`
EXACT = 0.002  # of closed recursions: what the start of the signal still changes in the windows


def between(rows, column: str, first: float, last: float, by: str = "depth") -> float:
    """Slope of ln column between the two places that lie nearest to first and last."""
    at = [rows.iloc[(rows[by] - place).abs().argmin()] for place in (first, last)]
    return float(np.log(at[1][column] / at[0][column]) / (at[1][by] - at[0][by]))


def scale_ratio(rows) -> float:
    """Measured over predicted scale, between 10 and 18 scales."""
    own = rows["own"].iloc[0]
    return -1 / between(rows, "distance", 10 * own, 18 * own) / rows["predicted"].iloc[0]


def agreement(rows) -> float:
    """Share of points of the plane where the rule says whether the gap is still open."""
    clear = rows[(rows["chi_1"] - 1).abs() > 0.02]
    return float(((clear["gap"] > 1e-6) == clear["chaotic"].astype(bool)).mean())


def inverse(column: str):
    """1 / column, as a size that grows."""
    return lambda rows: 1 / rows[column]


def layers(rows):
    """l + 1, the number of terms in the sum over layers that Theta is."""
    return rows["depth"] + 1


DOUBLINGS = {"depth": lambda depth: depth >= 8}  # without the start
SMALL_DROPS = {"drop": lambda drop: drop <= 0.01}


def at_the_edge(**fields):
    """Asymptotics in l + 1 with the corrections of the edge of chaos, ln(l) / l and 1 / l."""
    return asymptotic(**{"x": layers, "terms": ((1, 1), (1, 0)), "where": DOUBLINGS, **fields})


def closing(power: float, each: tuple[str, ...] = ()):
    """(1 - c)^-power per layer at l = infinity, over the rate of the law."""
    return at_the_edge(
        y=lambda rows: rows["gap"] ** -power / layers(rows) / rows["rate"],
        columns=("depth", "gap", "rate"),
        each=each,
    )


def growth_of_diagonal(rows) -> float:
    one = rows.iloc[0]
    return between(rows, "diagonal", 120, 240) / float(np.log(one["chi_1"]))


def off_diagonal_at_240(rows) -> float:
    row = rows[rows["depth"] == 240].iloc[0]
    return float(row["off_diagonal"] / row["limit"])


def rate(column: str, first: int, last: int, law):
    """Slope of ln(column / l^prefactor) over that of the law, a function of (chi_1, chi_c)."""

    def statistic(rows) -> float:
        rows = rows.assign(reduced=rows[column] / (rows["depth"] + 1.0) ** rows["prefactor"])
        one = rows.iloc[0]
        return between(rows, "reduced", first, last) / np.log(law(one["chi_1"], one["chi_c"]))

    return statistic


def last_change(rows) -> float:
    """|ln| of what the mean predictor changes by between l = 60 and 120."""
    return abs(60 * between(rows, "predictor", 60, 120))


def exponent_of_predictor(rows) -> float:
    """Local exponent in l + 1, extrapolated to 2 p(l/2..l) - p(l/4..l/2) from the last depths."""
    last = rows.sort_values("depth").iloc[-3:]
    slopes = np.diff(np.log(last["predictor"].to_numpy(float))) / np.diff(np.log(layers(last)))
    return float(2 * slopes[1] - slopes[0])


def thresholds(rows) -> dict[tuple[float, int], float]:
    """Depth at which R^2 falls through 1/2, for each (ratio, steps), between points linearly."""
    found = {}
    for key, curve in rows.groupby(["ratio", "steps"]):
        curve = curve.sort_values("depth")
        r2, depth = curve["r2"].to_numpy(float), curve["depth"].to_numpy(float)
        if not (r2[0] > 0.5 > r2[-1]):
            return {}
        last = int(np.argmax(r2 < 0.5))
        share = (r2[last - 1] - 0.5) / (r2[last - 1] - r2[last])
        found[key] = depth[last - 1] + share * (depth[last] - depth[last - 1])
    return found


def depth_per_log_steps(rows) -> float:
    """Slope of threshold / xi - prefactor x ln(threshold) on ln t, t >= 8^4; mean of all sw2."""
    found, xi = thresholds(rows), rows.groupby("ratio")["xi"].first()
    slopes = []
    for ratio in xi.index:
        of_ratio = [(t, depth) for (r, t), depth in found.items() if r == ratio and t >= 8**4]
        if not of_ratio:
            return float("nan")
        steps, depths = np.array(of_ratio, float).T
        left = depths / xi[ratio] - rows["prefactor"].iloc[0] * np.log(depths)
        slopes.append(np.polyfit(np.log(steps), left, 1)[0])
    return float(np.mean(slopes))


def threshold_in_scale(rows) -> float:
    """Exponent of the threshold at t = 8^7 in the scale, over the values of sw2."""
    found = {ratio: depth for (ratio, t), depth in thresholds(rows).items() if t == 8**7}
    xi = rows.groupby("ratio")["xi"].first()
    if not found:
        return float("nan")
    return float(np.polyfit(np.log(xi.loc[list(found)]), np.log(list(found.values())), 1)[0])


def farthest_from_six(rows) -> float:
    """Largest |threshold / xi_1 - 6| over the numbers of steps, at ratio .7."""
    rows = rows[rows["ratio"] == 0.7]
    found = np.array(list(thresholds(rows).values()))
    return float(np.abs(found / rows["xi"].iloc[0] - 6).max()) if found.size else float("nan")


def log_per_layer(rows) -> float:
    return float(rows["log"].iloc[-1] / rows["depth"].iloc[-1])


def growth_over_law(rows) -> float:
    """ln of the mean over networks, extrapolated linearly in 1 / n, over the law's."""
    means = rows.groupby("width")["growth"].mean()
    terms = np.stack([np.ones(len(means)), 1 / means.index.to_numpy(float)], axis=1)
    fitted = np.linalg.lstsq(terms, np.log(means.to_numpy(float)), rcond=None)[0]
    return float(fitted[0] / rows["predicted"].iloc[0])


def claim(name: str, statement: str, **fields) -> Claim:
    return Claim(name=name, statement=statement, **fields)


DEPTH_SCALES = [
    claim(
        "D1_ordered_scale",
        "In the ordered phase correlations approach 1 exponentially, over the depth scale xi_c",
        formula=r"$|c^l-c^*|\sim e^{-l/\xi_c},\ \xi_c=-1/\ln\chi_1$",
        source=f"{SCHOENHOLZ}, reported as equation (9)",
        part="scales",
        arm="ordered",
        estimator=exact(
            scale_ratio, columns=("depth", "distance", "predicted", "own"), resolution=EXACT
        ),
        region=near(1, 0.01),
        why="the next term of the expansion is exp(-10) of the first at ten scales",
        control="ordered_by_xi_q",
        kind="level",
        rival=Rival(4.775, "one scale for all signals: that of the variance, xi_q"),
    ),
    claim(
        "D2_chaotic_scale",
        "In the chaotic phase correlations approach c* exponentially, over -1 / ln C'(c*)",
        formula=r"$\xi_c=-1/\ln\chi_{c^*}$",
        source=f"{SCHOENHOLZ}, reported as equation (9)",
        part="scales",
        arm="chaotic",
        estimator=exact(
            scale_ratio, columns=("depth", "distance", "predicted", "own"), resolution=EXACT
        ),
        region=near(1, 0.01),
        why="the next term of the expansion is exp(-10) of the first at ten scales",
        control="chaotic_by_xi_1",
        kind="level",
        rival=Rival(1.504, "the gradients' scale 1 / |ln chi_1|, taken for that of correlations"),
    ),
    claim(
        "D3_variance_scale",
        "The variance approaches q* over the scale of dQ/dq, which has two terms",
        formula=r"$\xi_q^{-1}=-\ln(\chi_1+\sigma_w^2E[\phi''\phi])$",
        source=f"{SCHOENHOLZ}, reported as equation (7)",
        part="scales",
        arm="variance",
        estimator=exact(
            scale_ratio, columns=("depth", "distance", "predicted", "own"), resolution=EXACT
        ),
        region=near(1, 0.01),
        why="the next term of the expansion is exp(-10) of the first at ten scales",
        control="variance_first_term",
        kind="level",
        rival=Rival(0.2094, "dQ/dq without its second term, which leaves chi_1"),
    ),
    claim(
        "D4_boundary",
        "Different inputs become fully correlated (c* = 1 is stable) exactly where chi_1 = C'(1) < "
        "1, whatever the bias",
        source="Poole et al. 2016; the authors' notebook",
        part="boundary",
        estimator=exact(agreement, resolution=0),
        region=at_least(1),
        why="c* = 1 is stable if and only if C'(1) < 1; 3000 layers leave exp(-60) at chi_1 = .98",
        control="weights_alone",
        kind="bound",
        rival=Rival(0.656, "the rule of Xavier, sw2 phi'(0)^2 = 1, which forgets the bias"),
    ),
    claim(
        "D5_critical_weights",
        "For erf and sb2 = .18 the edge of chaos is at sw2 = 1.7476, between the neighbours 1.718 "
        "and 1.782 of the notebook's grid, where it writes 1.76",
        formula=r"$\sigma_w^2=\pi r/4,\ q=\frac r2\arcsin\frac{2q}{1+2q}+\sigma_b^2,\ r^2=1+4q$",
        source="ours, from the closed averages of erf; the authors' notebook to its grid",
        part="edge",
        estimator=exact("critical", resolution=1e-6),
        region=near(1.747604, 0.005),
        why="chi_1 = 1 and Q(q) = q are one equation for q; its root is q = .9878. W_critical = "
        "1.76 is typed in the notebook, not computed; the region is under half of the way to it",
        control="other_bias",
        kind="level",
        rival=Rival(1.76, "the notebook's number, which is the edge of tanh at sb2 = .05"),
    ),
    *(
        claim(
            f"D6_divergence_{side}",
            f"The depth scale diverges like 1 / |sw2 - sw2_c| from {side} the edge of chaos",
            formula=r"$\xi_c\sim|\sigma_w^2-\sigma_{w,c}^2|^{-1}$",
            source=f"{SCHOENHOLZ}, reported as section 3; the exponent is ours",
            part="divergence",
            arm=side,
            estimator=asymptotic(
                lambda rows: 1 / rows["scale"],
                inverse("offset"),
                law="power",
                terms=((1, 0),),
                columns=("offset", "scale"),
            ),
            region=near(-1, 0.01),
            why="1 / xi_c against 1 / offset, fitted together with the next order, relative O(1) x "
            "offset. Correction: its square, 1e-5 times O(10) at .002, and rounding in 30000 "
            "layers",
            control="variance",
            kind="exponent",
            rival=Rival(-0.5, "the mean-field exponent of a correlation length"),
        )
        for side in ("below", "above")
    ),
    claim(
        "D7_amplitude_above",
        "Above the edge of chaos xi_c |chi_1 - 1| tends to 1, as it does below",
        formula=r"$\chi_{c^*}=2-\chi_1+O((\chi_1-1)^2)$",
        source="ours, derived in the README",
        part="divergence",
        arm="above",
        estimator=asymptotic(
            lambda rows: rows["scale"] * rows["away"],
            inverse("offset"),
            terms=((1, 0),),
            columns=("offset", "scale", "away"),
        ),
        region=near(1, 0.01),
        why="linear extrapolation in the offset. Correction: its square at .002, times O(10), and "
        "scales measured from 8 on leave exp(-8) = 3e-4 over 4, 1e-4",
        control="above_by_weights",
        kind="level",
        rival=Rival(0.5, "a mean-field susceptibility, half as large on the ordered side"),
    ),
]

CRITICAL = [
    claim(
        "C1_relu_rate",
        "At the edge of chaos correlations of ReLU networks close like 9 pi^2 / (2 l^2)",
        formula=r"$1-c^l\sim 9\pi^2/(2l^2)$",
        source=f"{HAYOU}, as reported",
        part="critical",
        arm="relu",
        estimator=at_the_edge(
            y=lambda rows: layers(rows) ** 2 * rows["gap"], columns=("depth", "gap")
        ),
        region=near(9 * np.pi**2 / 2, 0.2),
        why="extrapolated together with ln(l) / l and 1 / l, of coefficients O(3): left is "
        "(3 ln(l) / l)^2, 1e-4 at 2048",
        control="relu_blocks",
        kind="level",
        rival=Rival(9 * np.pi**2, "theta^2 = (3 pi / l)^2 taken for 1 - cos(theta)"),
    ),
    claim(
        "C2_smooth_rate",
        "At the edge of chaos correlations of erf networks close like 2 / (C''(1) l)",
        formula=r"$1-c^l\sim 2/(C''(1)\,l)$",
        source=f"{HAYOU}, as reported",
        part="critical",
        arm="erf",
        estimator=closing(1),
        region=near(1, 0.005),
        why="extrapolated together with ln(l) / l, whose coefficient is kappa = -2.9, and 1 / l: "
        "left is (3 ln(l) / l)^2, 1e-4 at 2048",
        control="erf_off",
        kind="level",
        rival=Rival(2.0, "the second order of C taken without its factor 1/2"),
    ),
    *(
        claim(
            f"C3_kernel_ratio_{phi}",
            f"At the edge of chaos Theta_ab / Theta_aa of {phi} networks tends to {text}",
            formula=rf"$\chi(c^l)\approx1-{order}/l$",
            source=f"{XIAO_TABLE}; {HAYOU}",
            part="critical",
            arm=phi,
            estimator=at_the_edge(y="share", columns=("depth",)),
            region=near(value, 0.001),
            why="what is left after ln(l) / l and 1 / l is (ln l / l)^2 < 2e-5 with factors O(10)",
            control=other,
            kind="level",
            rival=Rival(other_value, f"the constant of {other}"),
        )
        for phi, text, order, value, other, other_value in (
            ("erf", "1/3", 2, 1 / 3, "relu", 1 / 4),
            ("relu", "1/4", 3, 1 / 4, "erf", 1 / 3),
        )
    ),
    *(
        claim(
            f"C4_logarithm_{phi}",
            f"Theta_ab / Theta_aa of {phi} approaches its limit like {text} ln(l) / l",
            formula=formula,
            source=f"{HAYOU}: rate ln(l) / l, as reported; the coefficient is ours",
            part="critical",
            arm=phi,
            estimator=at_the_edge(
                y=lambda rows: layers(rows) * rows["apart"] / rows["logarithm"],
                columns=("depth", "apart", "logarithm"),
                law="logarithm",
                terms=((1, 2), (1, 1), (1, 0)),
            ),
            region=near(1, 0.01),
            why="B of l x deviation = A + B ln(l), fitted together with (ln l)^2 / l, ln(l) / l "
            "and "
            "1 / l; left is (ln(l) / l)^2 x O(10), 1e-3 at 1024",
            control=f"{phi}_pair",
            kind="level",
            rival=Rival(0.0, "a rate of 1 / l, as between two pairs: no logarithm at all"),
        )
        for phi, text, formula in (
            ("erf", "(1 - 2 C''' / (3 C''^2)) / 3", r"$B=\frac13(1-2C'''/3C''^2)$"),
            ("relu", "3/8", r"$B=3/8$"),
        )
    ),
    claim(
        "C5_data_fade",
        "At the edge of chaos what tells pairs apart in Theta_ab / Theta_aa of ReLU networks dies "
        "like 1 / l",
        source=f"{XIAO}, as reported: the mean predictor at the edge",
        part="critical",
        arm="relu_pair",
        estimator=at_the_edge(
            y=lambda rows: abs(rows["apart"]), columns=("depth", "apart"), law="power"
        ),
        region=near(-1, 0.02),
        why="a pair's start enters the constant of 1 / l alone; its next orders, ln(l) / l^2 and "
        "1 / l^2, are fitted too",
        control="relu",
        kind="exponent",
        rival=Rival(-0.92, "the rate of the whole deviation from 1/4, ln(l) / l, at these depths"),
    ),
]

SPECTRA = [
    *(
        claim(
            f"K1_condition_{phi}",
            f"The condition number of the {phi} kernel of m images at the edge tends to {text}",
            formula=formula,
            source=source,
            part="spectrum",
            arm=phi,
            estimator=at_the_edge(
                y=lambda rows: (rows["condition"] - 1) / rows["samples"],
                columns=("depth", "condition", "samples"),
                terms=((1, 1), (1, 0), (2, 2)),
            ),
            region=near(value, 0.005),
            why="(kappa - 1) / m is r / (1 - r) with r = 1/3 or 1/4; (ln(l) / l)^2 is fitted with "
            "ln(l) / l and 1 / l, what is left is ln(l) / l^2 with factors O(100): .2 % at 512",
            control=control,
            kind="level",
            rival=Rival(other, "the limit of the other nonlinearity"),
        )
        for phi, control, text, formula, value, other, source in (
            ("erf", "relu", "(m + 2) / 2", r"$\kappa\to(m+2)/2$", 1 / 2, 1 / 3, XIAO_TABLE),
            (
                "relu",
                "erf",
                "(m + 3) / 3",
                r"$\kappa\to(m+3)/3$",
                1 / 3,
                1 / 2,
                "ours, from the ratio 1/4",
            ),
        )
    ),
    claim(
        "K2_condition_improves",
        "From l = 8 to 4096 the condition number of the erf kernel at the edge falls from each "
        "depth to the next",
        source=f"{XIAO}, as reported",
        part="spectrum",
        arm="erf",
        estimator=ordering("condition", by="depth", increasing=False),
        region=at_least(0.8),
        why="Theta_ab / Theta_aa falls towards 1/3 for inputs that are alike; thirty draws of "
        "thirty show a share of .84. Not for ever: B < 0 (C4) has it come to 1/3 from below",
        control="erf_below",
        tier="laptop",
        kind="bound",
    ),
    claim(
        "K3_ordered_bulk",
        "In the ordered phase the least eigenvalue falls like l chi_1^l",
        formula=r"$\lambda_{\min}\sim l\,\chi_1^l$",
        source="the authors' notebook",
        part="spectrum",
        arm="ordered",
        estimator=per_seed(
            rate("smallest", 60, 120, lambda chi_1, chi_c: chi_1),
            columns=("depth", "smallest", "prefactor", "chi_1", "chi_c"),
        ),
        region=near(1, 0.02),
        why="the rate of the eigenvalue over the factor l, from l = 60 to 120. Correction: l + l_0 "
        "for l leaves l_0 / (2 x 60^2) of |ln chi_1| = .126, .11 % per unit of l_0, which is of "
        "the order of xi_1 = 8",
        control="ordered_no_prefactor",
        kind="level",
        rival=Rival(0.908, "chi_1^l without the factor l"),
    ),
    claim(
        "K4_chaotic_diagonal",
        "In the chaotic phase Theta_aa grows like chi_1^l",
        source="the authors' notebook",
        part="spectrum",
        arm="chaotic",
        estimator=per_seed(growth_of_diagonal, columns=("depth", "diagonal", "chi_1")),
        region=near(1, 1e-6),
        why="a geometric series: the rest is chi_1^-120 = 1e-8 at l = 120, and a hundredth of it "
        "in the growth per layer",
        control="chaotic_other",
        kind="identity",
        rival=Rival(1.09, "chi_1 of sw2 that is 3 % smaller"),
    ),
    claim(
        "K5_chaotic_off_diagonal",
        "In the chaotic phase Theta_ab tends to q* c* / (1 - chi_c), whatever the inputs",
        formula=r"$\Theta_{ab}\to q^*c^*/(1-\chi_{c^*})$",
        source="the authors' notebook",
        part="spectrum",
        arm="chaotic",
        estimator=per_seed(off_diagonal_at_240, columns=("depth", "off_diagonal", "limit")),
        region=near(1, 1e-6),
        why="what is left at l = 240 is 240 exp(-240 / 9.7) = 5e-9 times O(1)",
        control="chaotic_other",
        kind="identity",
        rival=Rival(0.929, "the same limit for sw2 that is 3 % smaller"),
    ),
    claim(
        "K6_chaotic_condition",
        "In the chaotic phase the condition number tends to 1: every input is learnt alike",
        source=f"{XIAO}, as reported; the authors' notebook",
        part="spectrum",
        arm="chaotic",
        estimator=per_seed("condition", where={"depth": 120}, center="geometric"),
        region=at_most(1.01),
        why="kappa - 1 = m Theta_ab / Theta_aa is 24 x 4.2 / 1e9 at l = 120. Condition numbers of "
        "the control spread over a factor, hence the geometric mean",
        control="ordered",
        kind="bound",
    ),
    claim(
        "M1_chaotic_predictor",
        "In the chaotic phase the mean predictor vanishes like l (chi_c / chi_1)^l",
        formula=r"$|\Theta(x,X)\Theta^{-1}y|\sim l(\chi_{c^*}/\chi_1)^l$",
        source="the authors' notebook",
        part="spectrum",
        arm="chaotic",
        estimator=per_seed(
            rate("predictor", 120, 240, lambda chi_1, chi_c: chi_c / chi_1),
            columns=("depth", "predictor", "prefactor", "chi_1", "chi_c"),
        ),
        region=near(1, 0.01),
        why="the rate of the predictor over the factor l, 120 to 240. Correction: l + l_0 for l "
        "leaves l_0 / (2 x 120^2) of .26 per layer: .1 % for l_0 of the order of xi_c = 10",
        control="chaotic_no_prefactor",
        kind="level",
        rival=Rival(0.978, "(chi_c / chi_1)^l without the factor l"),
    ),
    claim(
        "M2_ordered_predictor",
        "In the ordered phase the mean predictor tends to one that depends on the data",
        source=f"{XIAO}, as reported",
        part="spectrum",
        arm="ordered",
        estimator=per_seed(last_change, columns=("depth", "predictor")),
        region=at_most(0.02),
        why="relative corrections of the kernel's bulk are O(1 / l), so that the last doubling "
        "changes it by O(1 / 120); a law of 1 / l would change it by .69",
        control="chaotic",
        kind="bound",
    ),
    claim(
        "M3_critical_predictor",
        "At the edge of chaos the mean predictor vanishes like 1 / l",
        source=f"{XIAO}, as reported",
        part="spectrum",
        arm="erf",
        estimator=per_seed(exponent_of_predictor, columns=("depth", "predictor")),
        region=near(-1, 0.02),
        why="extrapolated in 1 / l from the last two doublings. Correction: (ln l)^2 / l, 3 % at "
        "2048 and 2 % at 4096, less by the extrapolation",
        control="erf_below",
        kind="exponent",
        rival=Rival(0.0, "a limit that depends on the data, as in the ordered phase"),
    ),
]

TRAINING = [
    claim(
        "T1_depth_for_steps",
        "In the ordered phase the depth l at which the infinite-width kernel fits half of its "
        "labels in t steps obeys l / xi_1 - ln l = ln t + const: one scale for every factor e of "
        "t, once the logarithm of the depth is taken off",
        formula=r"$l/\xi_1=\ln t+\ln l+\mathrm{const}$",
        source="ours, derived in the README from the eigenvalues of the authors' notebook",
        part="training",
        estimator=per_seed(depth_per_log_steps, columns=CURVES),
        region=near(1, 0.03),
        why="the slowest rate is l exp(-l / xi_1). Correction: l + l_0 for l leaves l_0 / l of the "
        "logarithm's slope 1 / (l / xi_1): at l = 10 to 16 scales less than 1 / 10^2 if l_0 is of "
        "the order of xi_1",
        control="no_prefactor",
        kind="level",
        rival=Rival(1.08, "the law without ln l: l / xi_1 = ln t + const, at l = 13 scales"),
    ),
    claim(
        "T2_threshold_in_scale",
        "The depth that trains in a given number of steps is proportional to xi_1",
        source=f"{SCHOENHOLZ}, as reported: trainable up to a multiple of the depth scale",
        part="training",
        estimator=per_seed(threshold_in_scale, columns=CURVES),
        region=near(1, 0.05),
        why="l / xi_1 = ln t + ln(l / xi_1) + O(1), 16 at t = 8^7. Correction: should the "
        "constant change by 2 while xi_1 grows 18-fold, 2 / (15 ln 18) = .046 in the exponent",
        control="other_scale",
        kind="exponent",
        rival=Rival(0.5, "a signal that spreads by diffusion: the root of the scale"),
    ),
    claim(
        "T3_popular_six_scales",
        "Networks train up to six depth scales, however long they are trained",
        source="popular reading of the abstract and Figure 5 of Schoenholz et al. 2017",
        part="training",
        estimator=per_seed(farthest_from_six, columns=CURVES),
        region=at_most(1),
        why="6 +- 1 for every number of steps: a constant to a sixth",
        control="one_budget",
        kind="bound",
        expected="fail",
        reason="the constant is the logarithm of the number of steps: 3.4, 6, 8.5, 11, 13, 15 "
        "scales for t = 8^2 to 8^7; at t = 512 alone it is 6",
    ),
    claim(
        "T4_popular_untrainable",
        "Ordered networks eight scales deep cannot sort their own training images",
        source="last figures of the authors' notebook, where accuracy stands for trainability",
        part="accuracy",
        arm="ordered",
        estimator=per_seed("value"),
        region=at_most(0.5),
        why="near chance, .1 to .2 for ten classes that occur unequally often",
        control="ordered_raw",
        kind="bound",
        expected="fail",
        reason="labels without their mean are sorted at .9 where R^2 is .02: the argmax does not "
        "see the scale of f. With raw one-hot labels the constant mode alone decides",
    ),
    claim(
        "T5_popular_no_generalisation",
        "Deep chaotic networks memorise, so that their mean predictor sorts test images by chance",
        source="popular reading of the last figure of the authors' notebook",
        part="accuracy",
        arm="chaotic",
        estimator=per_seed("value"),
        region=at_most(0.3),
        why="chance is .1 to .2 for ten classes that occur unequally often",
        control="chaotic_r2",
        kind="bound",
        expected="fail",
        reason="the predictor vanishes (R^2 = 1e-8), but its direction survives and so does the "
        "argmax of centred labels",
    ),
]

RESIDUAL = [
    claim(
        "R1_block_rate",
        "Correlations of ReLU blocks h + W relu(h) close like ((1+a)/a)^2 9 pi^2 / (2 l^2)",
        formula=r"$1-c^l\sim((1+a)/a)^2\,9\pi^2/(2l^2),\ a=\sigma_w^2/2$",
        source=f"{YANG}: the exponent, as reported; the constant is ours",
        part="critical",
        arm="blocks",
        estimator=closing(0.5, each=("skip",)),
        region=near(1, 0.005),
        why="extrapolated together with ln(l) / l and 1 / l: left is (3 ln(l) / l)^2, 1e-4 at 2048",
        control="blocks_first_power",
        kind="level",
        rival=Rival(0.817, "1 - c larger by (1 + a) / a, not by its square; a = 2, .58 at a = .5"),
    ),
    claim(
        "R2_popular_skips_separate",
        "Skip connections keep inputs apart at any depth: 1 - c stays above .01",
        source="a popular encyclopedia page: the kernel of residual networks never degenerates",
        part="far",
        arm="blocks",
        estimator=per_seed("gap"),
        region=at_least(0.01),
        why="a hundredth of the right angle from which pairs start, at 4096 layers",
        control="blocks_scaled",
        kind="bound",
        expected="fail",
        reason="the gap closes like 1 / l^2, to 1e-5; branches divided by sqrt(L) keep it",
    ),
    claim(
        "R3_popular_relu_chaos",
        "ReLU networks with sw2 > 2 are chaotic: two inputs stay apart at any depth",
        source="popular phase diagrams that call sw2 < 2 ordered and sw2 > 2 chaotic",
        part="far",
        arm="relu_above",
        estimator=per_seed("gap"),
        region=at_least(0.01),
        why="a chaotic network keeps 1 - c* = .59 here (erf at 1.5 times its critical sw2)",
        control="erf_above",
        kind="bound",
        expected="fail",
        reason="without a bias sw2 changes norms alone: the map of correlations has the slope 1 "
        "at c = 1 for every sw2",
    ),
    claim(
        "R4_stable_limit",
        "With branches divided by sqrt(L) correlations tend, like 1 / L, to the solution of dc/dt "
        "= a (kappa_1(c) - c), a = sw2 / 2",
        formula=r"$|c_L-c(1)|\sim1/L,\ \dot c=a(\kappa_1(c)-c),\ a=\sigma_w^2/2$",
        source="Hayou et al. 2021 (Stable ResNet), as reported; the rate is Euler's",
        part="stable",
        estimator=asymptotic("error", "depth", law="power", terms=((1, 0),)),
        region=near(-1, 0.01),
        why="L blocks are Euler's rule with the step 1 / L; its next order 1 / L is fitted too, "
        "left is O(1 / 128^2)",
        control="other_branches",
        kind="exponent",
        rival=Rival(-0.5, "the scale 1 / sqrt(L) of a single branch"),
    ),
    claim(
        "R5_tanh_exponent",
        "Gradients of tanh blocks grow like exp(const sqrt(l))",
        formula=r"$\ln|g|^2\sim\sqrt{l}$",
        source=f"{YANG}, as reported",
        part="explosion",
        arm="tanh",
        estimator=asymptotic("log", "depth", law="power", terms=((0.5, 1), (0.5, 0))),
        region=near(0.5, 0.01),
        why="fitted together with the next terms, ln l and a constant, ln(l) / sqrt(l) and 1 / "
        "sqrt(l) of the first. Correction: 1 / l times O(10)",
        control="relu",
        kind="exponent",
        rival=Rival(1.0, "exponential growth, as of plain chaotic networks and of ReLU blocks"),
    ),
    claim(
        "R6_tanh_amplitude",
        "The logarithm of tanh blocks' squared gradients grows like (8/3) sw2 sqrt(l) / sqrt(2 pi "
        "(sw2 + sb2))",
        formula=r"$\ln|g|^2\approx\frac83\sigma_w^2\sqrt{l}/\sqrt{2\pi(\sigma_w^2+\sigma_b^2)}$",
        source="ours, derived in the README",
        part="explosion",
        arm="tanh",
        estimator=asymptotic(
            lambda rows: rows["log"] / rows["predicted"] / np.sqrt(rows["depth"]),
            "depth",
            terms=((0.5, 1), (0.5, 0), (1, 1)),
            columns=("depth", "log", "predicted"),
        ),
        region=near(1, 0.01),
        why="fitted together with ln l, a constant and ln(l) / sqrt(l), the next orders of a sum "
        "over 1 / sqrt(q) with q = A l - B sqrt(l) + C ln(l); left is 1 / l times O(10)",
        control="tanh_without_bias",
        kind="level",
        rival=Rival(0.913, "the same without the bias"),
    ),
    claim(
        "R7_popular_no_explosion",
        "Skip connections keep gradients of ReLU networks from exploding",
        source="popular: skip connections cure vanishing and exploding gradients",
        part="explosion",
        arm="relu",
        estimator=exact(log_per_layer, columns=("depth", "log"), resolution=1e-9),
        region=at_most(0.01),
        why="less than a factor e in 100 layers",
        control="relu_scaled",
        kind="bound",
        expected="fail",
        reason="|g|^2 grows by 1 + sw2 / 2 in every block, ln 1.5 = .405 per layer; branches "
        "divided by sqrt(L) stay below sw2 / 2 in all",
    ),
]

DROPOUT = [
    claim(
        "P1_dropout_exponent",
        "Dropout removes the edge of chaos: the largest depth scale grows like (1 / (1 - "
        "keep))^(1/2)",
        formula=r"$\max\xi_c\sim(1/(1-\rho))^{1/2}$",
        source=f"{SCHOENHOLZ}: no critical point, reported as section 5; the exponent is ours",
        part="dropout",
        estimator=asymptotic(
            "deepest",
            inverse("drop"),
            law="power",
            terms=((0.5, 0),),
            where=SMALL_DROPS,
            columns=("drop",),
        ),
        region=near(0.5, 0.02),
        why="fitted together with (1 - keep)^(1/2); left is 1 - keep = .001 times O(10)",
        control="held",
        kind="exponent",
        rival=Rival(1.0, "a depth scale of 1 / (1 - keep): one lost unit of signal"),
    ),
    claim(
        "P2_dropout_amplitude",
        "The largest depth scale under dropout is 1 / sqrt(2 C''(1) (1 - C(1)))",
        formula=r"$\max\xi_c\approx(2C''(1)(1-C(1)))^{-1/2}$",
        source="ours, derived in the README",
        part="dropout",
        estimator=asymptotic(
            lambda rows: rows["deepest"] / rows["predicted"],
            inverse("drop"),
            terms=((0.5, 0), (1, 0)),
            where=SMALL_DROPS,
            columns=("drop", "deepest", "predicted"),
        ),
        region=near(1, 0.02),
        why="extrapolated in (1 - keep)^(1/2) to the second order",
        control="held",
        kind="level",
        rival=Rival(2**0.5, "C'' for C'' / 2, so that the gap is sqrt(d / C'')"),
    ),
]

NETWORKS = [
    claim(
        "N1_wide_networks",
        "Correlations in a random network of width n scatter around the recursion by n^(-1/2)",
        source="Poole et al. 2016, as reported: theory and networks of 1000 units",
        part="wide",
        estimator=loglog_slope("deviation", "width", where={"layer": 5}, summary="rms"),
        region=near(-0.5, 0.1),
        why="a layer is a mean over n units, its bias O(1 / n); 600 networks a width give +-.04",
        control="other_weights",
        kind="exponent",
        rival=Rival(-1.0, "the rate of the bias, taken for that of single networks"),
    ),
    *(
        claim(
            f"N2_gradients_{arm}",
            f"In the {arm} phase the mean |gradient|^2 changes by chi_1 per layer",
            formula=r"$E|g^0|^2/E|g^L|^2=\chi_1^L$",
            source=f"{SCHOENHOLZ}, reported as section 4",
            part="gradients",
            arm=arm,
            estimator=jackknife(growth_over_law, columns=("width", "growth", "predicted")),
            region=near(1, 0.04),
            why="extrapolated in 1 / n from 100 to 400: left is (3 / n)^2 per layer, 1e-3 of "
            "|ln chi_1| = .13 to .16, and the noise of the mean over networks",
            control=f"{arm}_other",
            tier="laptop",
            kind="level",
            rival=rival,
        )
        for arm, rival in (
            ("ordered", Rival(0.21, "the scale xi_q of the variance")),
            ("chaotic", Rival(1.5, "the scale xi_c of correlations, by its modulus")),
        )
    ),
]

CLAIMS = [*DEPTH_SCALES, *CRITICAL, *SPECTRA, *TRAINING, *RESIDUAL, *DROPOUT, *NETWORKS]
