"""What popular pages say that the parts of a network do to its kernel, and what holds instead.

A sentence that is expected to fail is a page's, in substance, with the kind of page that has it;
the right statement stands beside it. "Ours" is derived in the README.
"""

from pandas import DataFrame

from widenets.evidence import (
    Claim,
    Rival,
    asymptotic,
    at_least,
    at_most,
    exact,
    loglog_slope,
    near,
    ordering,
    per_seed,
    worst,
)

PAGE = "a popular encyclopedia page, its part on {}"
OURS = "ours (README, {})"
ROUNDING = 1e-9


def kink_exponent(depth: int):
    """Power of the angle with which the kernel leaves its value at coinciding inputs."""
    return asymptotic(
        lambda rows: 1 / rows["lack"],
        "inverse_angle",
        law="power",
        terms=((1, 0), (2, 0)),
        where={"depth": depth},
        columns=("lack",),
    )


def _least_condition_growth(rows: DataFrame) -> float:
    at = rows.set_index("depth")["condition"]
    return float(at[10] / at[1])


ACTIVATIONS = [
    Claim(
        name="D1_smooth_activation",
        statement="The tangent kernel of erf networks has no kink where inputs coincide: it leaves "
        "the diagonal with the square of the angle",
        source=PAGE.format("activations"),
        part="smoothness",
        arm="erf",
        estimator=kink_exponent(3),
        region=near(2, 0.02),
        why="three hidden layers; a smooth even function of the angle begins with its square, the "
        "next orders are fitted. An exponent of 2 excludes a kink of the slope, not of higher "
        "derivatives",
        control="relu",
        kind="exponent",
        rival=Rival(1, "who expects a kink as with relu"),
    ),
    Claim(
        name="D2_relu_has_a_kink",
        statement="The tangent kernel of relu networks is continuous but has no derivative where "
        "inputs coincide",
        source=PAGE.format("activations"),
        part="smoothness",
        arm="relu",
        estimator=kink_exponent(3),
        region=near(1, 0.02),
        why="the mean of two gates is 1 - t / pi; the next orders are fitted",
        control="nngp",
        kind="exponent",
        rival=Rival(2, "who expects a smooth kernel"),
    ),
    Claim(
        name="D2_size_of_the_kink",
        statement="Each layer adds 1 / (2 pi) to the slope of the kink of the relu kernel",
        formula=r"$1-\Theta(t)/\Theta(0)=Lt/(2\pi)+O(t^2)$",
        source=OURS.format(1),
        part="smoothness",
        arm="relu",
        estimator=asymptotic("slope", "inverse_angle", terms=((1, 0), (2, 0)), where={"depth": 3}),
        region=near(1, 0.01),
        why="slope over L / (2 pi) at L = 3, extrapolated to t = 0",
        control="nngp",
        kind="level",
        rival=Rival(4 / 3, "who counts the read-out as a layer with a kink"),
    ),
    Claim(
        name="D2_popular_both_kernels",
        statement="The kernels of relu networks are not differentiable: that of their outputs at "
        "initialization is not either",
        source=PAGE.format("activations") + ", which does not say which kernel",
        part="smoothness",
        arm="nngp",
        estimator=kink_exponent(1),
        region=near(1, 0.1),
        why="a kink has the exponent one",
        control="relu",
        expected="fail",
        reason="the covariance has one derivative more, (1 - t^2 / 2 + t^3 / (3 pi)): the kink is "
        "in the gates",
        kind="exponent",
        rival=Rival(2, "who expands the arc-cosine kernel of degree one"),
    ),
    Claim(
        name="D3_popular_piecewise_linear",
        statement="In the kernel regime trained relu networks interpolate by straight lines",
        source=PAGE.format("activations"),
        part="interpolant",
        arm="relu",
        estimator=per_seed("curvature", center="geometric"),
        region=at_most(0.01),
        why="largest |f''| midway between six data with random labels; rounding leaves 1e-10",
        control="spline",
        expected="fail",
        reason="the kernel itself is curved away from the diagonal, only its kinks are at the "
        "data; networks of least norm, outside of that regime, do",
        rival=Rival(2, "who differentiates twice"),
    ),
    Claim(
        name="D3_kinks_at_the_data",
        statement="The interpolant of the relu kernel has jumps of slope at the data, together "
        "-2/pi times the coefficients",
        source=OURS.format(1),
        part="interpolant",
        arm="relu",
        estimator=per_seed("kink"),
        region=near(1, 0.01),
        why="one hidden layer on (x, 1): the diagonal 2 (1 + x^2), an angle of dx / (1 + x^2) and "
        "a kink of 1 / (2 pi). Correction: + 1e-8, the square of the step of the difference, 1e-4",
        control="erf",
        kind="level",
        rival=Rival(0, "who has kinks elsewhere, as a finite network has"),
    ),
]

SKIPS = [
    Claim(
        name="D4_popular_adds_inner_product",
        statement="The kernel of a residual block is that of its branch plus x.x', also behind "
        "trained layers",
        source=PAGE.format("residual networks"),
        part="residual",
        estimator=per_seed("over_printed"),
        region=near(1, 0.1),
        why="measured over printed, behind a trained stem; less than half of the way to the "
        "right formula",
        control="cut",
        expected="fail",
        reason="it is so for a block directly on the inputs; behind trained layers the gradient of "
        "what comes before also returns through the branch",
        kind="level",
        rival=Rival(1.231, "the sum of both tangent kernels, at the cosine 1/2"),
    ),
    Claim(
        name="D4_sum_of_kernels",
        statement="The kernel behind a residual block is that in front of it plus that of the "
        "branch with all before it trained",
        source=OURS.format(2),
        part="residual",
        estimator=per_seed("over_sum"),
        region=near(1, 0.05),
        why="mean of finite networks over the sum; without the gradient through the branch .81",
        control="cut",
        kind="level",
        rival=Rival(0.812, "who adds x.x' to the branch's own kernel"),
    ),
    Claim(
        name="D5_popular_lifts_the_spectrum",
        statement="A skip connection from the inputs lifts the whole spectrum of the kernel",
        source=PAGE.format("residual networks"),
        part="skip",
        arm="skip",
        estimator=worst("least"),
        region=at_least(1e-3),
        why="smallest relative gain of an eigenvalue; the same trace added as a multiple of 1 "
        "gives .004 with 200 points and .002 with 400, as the kernel of one hidden layer, which a "
        "later skip adds, .06 and .04",
        control="later",
        expected="fail",
        reason="x.x' has the rank d = 10: the small eigenvalues, which decide how long training "
        "takes, gain some 1e-5; a skip around a later block adds a kernel of full rank and does "
        "lift it",
        rival=Rival(1e-5, "who counts the rank"),
    ),
    Claim(
        name="D5_interlacing",
        statement="Beyond rank d no eigenvalue is lifted above the one d places before it",
        formula=r"$\lambda_{i+d}(K+XX^\top)\leq\lambda_i(K)$",
        source="Weyl's inequalities",
        part="skip",
        arm="skip",
        estimator=worst("interlace"),
        region=at_most(1 + ROUNDING),
        why="largest ratio over the spectrum; a multiple of 1 breaks it in the bulk",
        control="ridge",
        rival=Rival(2, "who adds the trace evenly"),
    ),
    Claim(
        name="D6_popular_degenerates",
        statement="Without skips the relu kernel degenerates with depth: its condition number "
        "grows, on 20 points of a sphere in 10 dimensions",
        source=PAGE.format("residual networks"),
        part="condition",
        arm="relu",
        estimator=worst(_least_condition_growth, columns=("depth", "condition")),
        region=at_least(1.0),
        why="condition number at depth 10 over that at depth one",
        control="ordered",
        expected="fail",
        reason="there it falls; in 50 dimensions or more it first grows by up to twice, and tends "
        "to the same (N + 3) / 3. Erf networks with small weights degenerate, and so does the "
        "covariance of relu networks",
        rival=Rival(0.5, "who computes it"),
    ),
    Claim(
        name="D6_limit",
        statement="The condition number of the tangent kernel of relu networks (He's variance, no "
        "bias) on N points of one norm tends to (N + 3) / 3 with depth",
        source=OURS.format(3),
        part="condition",
        arm="relu",
        estimator=asymptotic(
            "condition", "depth", terms=((1, 1), (1, 0)), where={"depth": lambda d: d >= 100}
        ),
        region=near(1, 0.03),
        why="all directions tend to a quarter of the diagonal: eigenvalues 3/4 + N/4 and 3/4; over "
        "(N + 3) / 3, log(l) / l and 1 / l fitted",
        control="covariance",
        kind="level",
        rival=Rival(1.435, "who takes the third of smooth activations, 1 + N/2, at N = 20"),
    ),
    Claim(
        name="D15_popular_xavier",
        statement="Careful initialization such as Xavier's keeps the kernel of deep relu networks "
        "from vanishing",
        source=PAGE.format("initialization"),
        part="initialization",
        arm="xavier",
        estimator=exact("relative", resolution=1e-12, floor=0),
        region=at_least(0.1),
        why="Theta(x, x) at depth 50 over that at depth one; with He's variance it grows as depth",
        control="he",
        expected="fail",
        reason="the variance one loses a factor of two in each relu layer: 5e-14 is left; "
        "Xavier's is critical for odd activations",
        rival=Rival(4.5e-14, "who counts the factor 1/2 of relu"),
    ),
]

NORMS = [
    Claim(
        name="D7_rows_sum_to_zero",
        statement="Instance normalization centres: the rows of the kernel over positions sum to "
        "zero",
        source=PAGE.format("normalization"),
        part="maps",
        arm="instance",
        estimator=worst("rows"),
        region=at_most(1e-12),
        why="the mean over positions is taken off in each channel; layer normalization takes it "
        "off in each position",
        control="layer",
        rival=Rival(4, "who normalizes over channels"),
    ),
    Claim(
        name="D7_popular_centred_covariance",
        statement="The kernel of instance normalization is that of mean-centred features, up to a "
        "factor",
        source=PAGE.format("normalization"),
        part="instance",
        arm="two_levels",
        estimator=exact("error", resolution=1e-8, where={"positions": 16}),
        region=at_most(0.01),
        why="one percent of the size, at 16 positions, a quarter of the variances four times the "
        "rest",
        control="equal",
        expected="fail",
        reason="each channel is divided by its own deviation, which is random and correlated with "
        "its large directions: they are damped",
        rival=Rival(0.084, "who takes the mean of the ratio, not the ratio of means"),
    ),
    Claim(
        name="D7_one_over_positions",
        statement="The kernel of instance normalization becomes that of mean-centred features with "
        "the number of effective positions, and the error falls as one over it",
        source=OURS.format(4),
        part="instance",
        arm="two_levels",
        estimator=asymptotic("error", "positions", law="power", terms=((1, 0),)),
        region=near(-1, 0.02),
        why="2 |p (1/r - p)| / |p| with r in proportion to the positions; the next order is fitted",
        control="one_strong",
        kind="exponent",
        rival=Rival(-0.5, "who gives the mean the order of a single deviation's fluctuation"),
    ),
    Claim(
        name="D8_popular_shift_invariance",
        statement="Instance normalization makes features invariant to shifts of the image",
        source=PAGE.format("normalization"),
        part="maps",
        arm="translation",
        estimator=worst("moved"),
        region=at_most(ROUNDING),
        why="largest change of a feature",
        control="instance",
        expected="fail",
        reason="features move with the image; it is a constant added to a channel that drops out",
        rival=Rival(4, "who shifts the image by one column"),
    ),
    Claim(
        name="D8_constant_and_scale",
        statement="Features after instance normalization do not change with a constant added to a "
        "channel, nor with its positive scale",
        source=OURS.format(4),
        part="maps",
        arm="instance",
        estimator=worst("moved"),
        region=at_most(ROUNDING),
        why="exact but for rounding",
        control="none",
        rival=Rival(4, "who leaves the norm out"),
    ),
]

DROPOUT = [
    Claim(
        name="D9_popular_square",
        statement="Dropout that keeps a share p multiplies the kernel by p^2, the diagonal with "
        "one mask included",
        source=PAGE.format("dropout"),
        part="dropout",
        arm="diagonal",
        estimator=per_seed("over_square"),
        region=near(1, 0.05),
        why="measured factor of K(x, x) over p^2, masks of 0 and 1 with p = .8",
        control="other",
        expected="fail",
        reason="on one unit with one mask m^2 = m: the factor is p, that of the variance of one "
        "masked output. Between two steps, whose masks differ, it is p^2 on the diagonal as well",
        kind="level",
        rival=Rival(1.25, "p over p^2"),
    ),
    Claim(
        name="D9_diagonal",
        statement="With one mask of 0 and 1, K(x, x) is multiplied by p",
        source=OURS.format(5),
        part="dropout",
        arm="diagonal",
        estimator=per_seed("over_keep"),
        region=near(1, 0.03),
        why="over p: the variance of one masked output. Between two inputs, or two steps, whose "
        "masks differ, the factor is p^2, which is .8 of that",
        control="other",
        kind="level",
        rival=Rival(0.8, "who squares"),
    ),
    Claim(
        name="D9_inverted",
        statement="With one mask of 0 and 1/p, the default of today's libraries, K(x, x) is "
        "multiplied by 1/p",
        source=OURS.format(5),
        part="dropout",
        arm="inverted",
        estimator=per_seed("times_keep"),
        region=near(1, 0.03),
        why="factor times p: the variance of one masked output. Between two inputs, or two steps, "
        "whose masks differ, it is 1",
        control="inverted_other",
        kind="level",
        rival=Rival(0.8, "who says that inverted dropout leaves the kernel alone"),
    ),
    Claim(
        name="D9_shared_mask",
        statement="One mask for both inputs multiplies all of the kernel by p",
        source=OURS.format(5),
        part="dropout",
        arm="shared",
        estimator=per_seed("over_keep"),
        region=near(1, 0.03),
        why="over p, between two inputs; with independent masks .8 of that",
        control="other",
        kind="level",
        rival=Rival(0.8, "who takes independent masks"),
    ),
    Claim(
        name="D10_popular_learning_speed",
        statement="Dropout with new masks at every step multiplies the rates of all modes by one "
        "factor: p^2 for masks of 0 and 1, 1 for masks over p",
        source=PAGE.format("dropout"),
        part="dropout_rates",
        arm="fresh",
        estimator=per_seed("uneven"),
        region=near(1, 0.1),
        why="masks over p, whose factor of the smallest eigenvalue is held against that of the "
        "largest: those of two steps are independent, also on one unit",
        control="kept",
        kind="level",
        rival=Rival(3.8, "who gives each datum one mask for all of training, and so a ridge"),
    ),
    Claim(
        name="D10_ridge",
        statement="If every datum keeps its mask, inverted dropout adds (1/p - 1) K(x, x) to every "
        "eigenvalue (inputs of one norm)",
        source=OURS.format(5),
        part="dropout_rates",
        arm="kept",
        estimator=per_seed("added"),
        region=near(1, 0.03),
        why="what a straight line through the gains of all modes against their eigenvalues has at "
        "0, over (1/p - 1) times the mean of K(x, x); the masks' noise alone is left",
        control="fresh",
        kind="level",
        rival=Rival(0, "who multiplies every eigenvalue, or draws new masks at every step"),
    ),
]

POOLING = [
    Claim(
        name="D11_average_over_shifts",
        statement="The kernel of global average pooling is that of the flattened network, averaged "
        "over all cyclic shifts",
        source=PAGE.format("pooling"),
        part="pooling",
        arm="pooled",
        estimator=worst("misfit"),
        region=at_most(1e-12),
        why="the mean over pairs of positions is the mean over shifts of equal ones",
        control="flattened",
        rival=Rival(0.9, "who averages over every second shift"),
    ),
    Claim(
        name="D11_invariance",
        statement="With global average pooling an image and its cyclic shift have the same kernel",
        source=PAGE.format("pooling"),
        part="pooling",
        arm="pooled",
        estimator=worst("shifted"),
        region=near(1, ROUNDING),
        why="exact for circular convolutions; flattened, a random image has a fifth on average",
        control="flattened",
        kind="identity",
        rival=Rival(0.19, "who flattens"),
    ),
]

COMPONENTS = [
    Claim(
        name="D12_rates_are_eigenvalues",
        statement="A linear model learns each principal component at the eigenvalue of the "
        "covariance, for centred data",
        source=PAGE.format("the learning process"),
        part="components",
        arm="centred",
        estimator=worst("error"),
        region=at_most(ROUNDING),
        why="largest relative error of three rates; exact for least squares",
        control="uncentred",
        rival=Rival(7, "who does not centre"),
    ),
    Claim(
        name="D12_popular_covariance",
        statement="A linear model without a bias learns each principal component at the eigenvalue "
        "of the covariance whether or not the data are centred",
        source=PAGE.format("the learning process") + ", which does not mention centring",
        part="components",
        arm="uncentred",
        estimator=worst("error"),
        region=at_most(ROUNDING),
        why="the same measurement with a mean of 2",
        control="centred",
        expected="fail",
        reason="what counts is the second moment, mean included",
        rival=Rival(7, "who takes the second moment"),
    ),
    Claim(
        name="D12_second_moment",
        statement="A linear model without a bias learns at the eigenvalues of the second moment",
        source=OURS.format(6),
        part="components",
        arm="second_moment",
        estimator=worst("error"),
        region=at_most(ROUNDING),
        why="uncentred data, exact",
        control="uncentred",
        rival=Rival(7, "who takes the covariance"),
    ),
    Claim(
        name="P10_half_time",
        statement="In one layer the half time of a component falls as one over its variance, "
        "whatever its target",
        source=PAGE.format("the learning process"),
        part="order",
        arm="one_layer",
        estimator=loglog_slope("half_time", "variance"),
        region=near(-1, 0.05),
        why="ln 2 over the variance. Correction: discrete steps of .01, which halve sooner by the "
        "share (step x variance) / 2 and round by .02 at most: steeper",
        control="two_layers",
        kind="exponent",
        rival=Rival(-0.5, "who takes the deviation for the variance"),
    ),
    Claim(
        name="P10_popular_order_by_variance",
        statement="Linear networks learn principal components in the order of their variances",
        source=PAGE.format("the learning process"),
        part="order",
        arm="two_layers",
        estimator=ordering("half_time", by="variance", increasing=False),
        region=at_least(0.5),
        why="most draws; two layers from small weights, targets stronger on weaker components",
        control="equal_targets",
        expected="fail",
        reason="it is the correlation of input and output that decides, variance times target; the "
        "order here is the reverse in all draws",
        rival=Rival(0, "who knows Saxe et al."),
    ),
    Claim(
        name="P10_order_by_correlation",
        statement="Deep linear networks with small weights learn in the order of the correlation "
        "of input and output",
        source="reported as section 1 of Saxe, McClelland & Ganguli 2013",
        part="order",
        arm="two_layers",
        estimator=ordering("half_time", by="strength", increasing=False),
        region=at_least(0.5),
        why="as above; one layer has the order of the variances, the reverse",
        control="one_layer",
        rival=Rival(0, "who takes the kernel regime for all linear networks"),
    ),
]

SALIENCY = [
    Claim(
        name="D13_popular_diagonal_is_saliency",
        statement="Inputs with a large Theta(x, x) have large saliency",
        source=PAGE.format("relations to other fields"),
        part="saliency",
        arm="relu",
        estimator=per_seed("correlation"),
        region=at_least(0.3),
        why="Spearman's correlation over 200 inputs of varied norm, below which nobody would "
        "speak of a relation",
        control="norm",
        expected="fail",
        reason="Theta(x, x) grows with |x|^2, the gradient of a relu network without bias does not "
        "change with |x|",
        rival=Rival(0, "who counts the degrees of homogeneity"),
    ),
    Claim(
        name="D13_erf_is_opposite",
        statement="For erf networks the two are opposed: Theta(x, x) grows with |x|, the gradient "
        "falls",
        source=OURS.format(7),
        part="saliency",
        arm="erf",
        estimator=per_seed("correlation"),
        region=at_most(-0.3),
        why="as far from 0 as the popular sentence was granted",
        control="relu",
        rival=Rival(0, "who extends the answer for relu"),
    ),
    Claim(
        name="D13_sensitivity_to_parameters",
        statement="Theta(x, x) is the sensitivity of the output to noise on the parameters",
        formula=r"$\mathrm{Var}\,f(\theta+\epsilon\xi)=\epsilon^2\Theta(x,x)$",
        source="definition of the tangent kernel",
        part="sensitivity",
        arm="parameters",
        estimator=per_seed("ratio"),
        region=near(1, 0.04),
        why="relative size of the noise 1e-4; the square of the saliency is 5/8 of it here",
        control="inputs",
        kind="level",
        rival=Rival(0.625, "who takes noise on the inputs"),
    ),
]

UNIVERSALITY = [
    Claim(
        name="D14_popular_any_target",
        statement="Trained wide networks approximate any continuous target: with one hidden relu "
        "layer cos 3t is learned from 256 points of a circle",
        source=PAGE.format("the learning process"),
        part="universality",
        arm="plain",
        estimator=per_seed("error", center="geometric"),
        region=at_most(0.01),
        why="a hundredth of the target's variance; two hidden layers reach 1e-5",
        control="deeper",
        expected="fail",
        reason="without a bias the kernel of one hidden layer has no odd degree above one: the "
        "proviso that it be universal does not hold",
        rival=Rival(1.9, "measured: the target, 1, and what interpolates labels of both signs"),
    ),
    Claim(
        name="D14_no_odd_degrees",
        statement="The kernel of one hidden relu layer without bias has no component of degree "
        "three",
        source=OURS.format(8),
        part="universality",
        arm="plain",
        estimator=exact("coefficient", resolution=1e-14, floor=0),
        region=at_most(1e-12),
        why="relu(z) is z/2 + |z|/2: products of the even part are even, those of the odd part "
        "have degree one",
        control="deeper",
        rival=Rival(0.045, "who takes two layers"),
    ),
    Claim(
        name="P9_popular_width_is_enough",
        statement="Infinite width is enough: regression with the kernel of a network with two "
        "hidden layers learns cos 5t from 16 points on a circle",
        source=PAGE.format("the learning process"),
        part="universality",
        arm="few",
        estimator=per_seed("error", center="geometric"),
        region=at_most(0.1),
        why="a tenth of the target's variance; from 256 points it is 2e-4",
        control="many",
        expected="fail",
        reason="the number of data is what counts: the width is infinite in both arms",
        rival=Rival(0.8, "measured: no formula for so few points is at hand"),
    ),
]

CLAIMS = [
    *ACTIVATIONS, *SKIPS, *NORMS, *DROPOUT, *POOLING, *COMPONENTS, *SALIENCY, *UNIVERSALITY,
]  # fmt: skip
