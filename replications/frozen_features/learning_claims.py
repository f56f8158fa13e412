"""Claims on learning: few samples, large rates, double descent, noise, completion, frequencies."""

from math import log10, nan

import numpy as np

from widenets.evidence import (
    Claim,
    Rival,
    at_least,
    at_most,
    loglog_slope,
    near,
    paired_difference,
    per_seed,
)

OURS = "ours"
BOUND = (
    "ours, after Ghorbani, Mei, Misiakiewicz & Montanari 2019 (arXiv:1904.12191): n functions "
    "explain n / N of an irreducible family of dimension N at most"
)
POLYGON = 2 / 3
CIRCLE = 6.278  # log2 of t_4 / t_1 by the kernel of infinite width, in the steps of `circle`


def _at_end(column):
    return lambda rows: float(rows.loc[rows["step"].idxmax(), column])


def _needed(rows):
    """Exponent in d of the n at which the error, between sizes by lines in log n, is 1/2."""
    points = []
    for dimension, of in rows.sort_values("samples").groupby("dimension"):
        error = np.minimum.accumulate(of["error"].to_numpy())
        sizes = np.log(of["samples"].to_numpy())
        points.append((np.log(dimension), np.interp(-0.5, -error, sizes)))
    if len(points) < 2:
        return nan  # a tier with one dimension has no exponent
    return float(np.polyfit(*np.array(points).T, 1)[0])


def _peak(column):
    """log10 of the error at p = n over the larger of those at n / 2 and at 4 n."""

    def statistic(rows):
        error = rows.set_index("over")[column]
        return log10(error[1.0] / max(error[0.5], error[4.0]))

    return statistic


def _height(rows):
    at_peak = rows[rows["over"] == 1.0]
    return float(np.log10(at_peak["frozen"] / at_peak["network"]).iloc[0])


def _late(choice, column):
    """Error at the end less that at the step which validation points choose."""

    def statistic(rows):
        chosen = rows.loc[rows[choice].idxmin(), column]
        return float(rows.loc[rows["step"].idxmax(), column] - chosen)

    return statistic


def _apart(column):
    """log2 of the half time of frequency 4 over that of frequency 1."""

    def statistic(rows):
        times = rows.set_index("frequency")[column]
        return float(np.log2(times[4] / times[1]))

    return statistic


def _least_fall(rows):
    return float(-np.diff(rows.sort_values("stretch")["gap"]).max())


def _from_64_on(width):
    """The least width from 64 on: narrower networks do not always fit their labels."""
    return width == width[width >= 64].min()


SAMPLES = [
    Claim(
        name="L1_samples",
        statement="From 16 to 64 dimensions the samples that a network needs for a quadratic "
        "function of one direction grow at most as d^1.5; those of a kernel that was told the "
        "degree grow as d^2",
        formula=r"$n_{1/2}\sim d^p,\ p\leq 1.5$",
        source="ours at these sizes; reported of Ben Arous, Gheissari & Jagannath 2021 "
        "(arXiv:2003.10409): information exponent 2, about d log d samples by online descent",
        part="direction",
        estimator=per_seed(_needed, columns=("dimension", "samples", "error")),
        region=at_most(1.5),
        why="half of the way from the network's 1 + o(1) to the bound's 2. The kernel that was "
        "told the degree sits on the bound",
        control="told",
        tier="laptop",
        rival=Rival(2.0, "who has a network do what the best kernel does"),
    ),
    Claim(
        name="L2_below_every_kernel",
        statement="With 256 samples in 32 dimensions the network's error is, on average over "
        "directions, less than that of any 256 fixed functions",
        formula=r"$\mathbb{E}\,\mathrm{error}<1-n/N,\ N=d(d+1)/2-1$",
        source=BOUND,
        part="direction",
        estimator=per_seed("over", where={"dimension": 32, "samples": 256}),
        region=at_most(0),
        why="1 - 256/527 on average over directions, whatever the kernel, ridge, rate and width: a "
        "rival without knobs",
        control="frozen",
        rival=Rival(0.05, "who has features pay a constant only"),
    ),
    Claim(
        name="L3_too_few",
        statement="With two samples per dimension, in 16 dimensions, the network does not learn a "
        "quadratic function of one direction either",
        source=OURS,
        part="direction",
        arm="few",
        estimator=per_seed("error"),
        region=at_least(0.9),
        why="17 weights of each neuron and 32 samples: less than a tenth is explained, a "
        "convention; the bound for frozen features, .763, allows more",
        control="enough",
        tier="laptop",
        rival=Rival(1 - 32 / 135, "who has every sample pay as for the bound"),
    ),
    Claim(
        name="L4_stairs",
        statement="From 256 samples of x1 + x1 x2 + x1 x2 x3 in 24 dimensions a two-layer "
        "network learns at least half of the coefficient of x1 x2 x3",
        source="reported of Abbe, Boix-Adsera & Misiakiewicz 2022 (arXiv:2202.08658)",
        part="stairs",
        estimator=per_seed("triple"),
        region=at_least(0.5),
        why="half of the true coefficient, a convention; frozen features explain at most (256 - "
        "24) / 276 of the pairs before they come to the 2024 triples",
        control="frozen",
        rival=Rival(0.0, "who has a network learn what its kernel does"),
    ),
    Claim(
        name="L4_stairs_below_every_kernel",
        statement="On x1 + x1 x2 + x1 x2 x3, on average over the coordinates and their signs, the "
        "network's error with 256 samples is less than that of any 256 fixed functions can be",
        source=BOUND,
        part="stairs",
        estimator=per_seed("over"),
        region=at_most(0),
        why="1 - (1 + 232/276) / 3 on average over the coordinates and their signs, which make the "
        "degrees uncorrelated",
        control="frozen",
        rival=Rival(0.05, "who has features pay a constant only"),
    ),
    Claim(
        name="L5_no_stairs",
        statement="Alone, without its stairs, the product of three of 24 coordinates is not found "
        "in most draws with 256 samples",
        source="reported of Abbe, Boix-Adsera & Misiakiewicz 2023 (arXiv:2302.11055): leap 3, "
        "about d^2 = 576 samples; the size is ours",
        part="stairs",
        arm="parity",
        estimator=per_seed("triple", where={"samples": 256}, center="median"),
        region=at_most(0.1),
        why="there are no stairs to it: 1/5 of what L4 asks, a convention",
        control="theory",
        tier="laptop",
        rival=Rival(0.5, "who has features find whatever is sparse"),
    ),
    Claim(
        name="L5_more_samples",
        statement="With 512 samples the network finds the product of three of 24 coordinates "
        "alone, without its stairs",
        source="reported of Barak et al. 2022 (arXiv:2207.08799); the size is ours",
        part="stairs",
        arm="parity",
        estimator=per_seed("triple", where={"samples": 512}),
        region=at_least(0.5),
        why="as in L4_stairs; 512 of 2024 functions would explain .253 of it at most on average",
        control="parity_frozen",
        tier="laptop",
        rival=Rival(512 / 2024, "who has a network find what the best fixed functions do"),
    ),
    Claim(
        name="L6_stretched_along",
        statement="Inputs stretched four times along the direction that matters: frozen features "
        "are as good as the network's, up to a tenth",
        source="reported of Ghorbani et al. 2020 (arXiv:2006.13409): the effective dimension "
        "decides",
        part="stretch",
        estimator=per_seed("gap", where={"stretch": 4.0}),
        region=at_most(0.1),
        why="the effective dimension (d - 1 + s^2) / s^2 is 2.9 and has 5 quadratics, for 256 "
        "samples. Stretched along another one, the gap stays",
        control="across",
        rival=Rival(0.5, "who has features needed for single directions, whatever the inputs"),
    ),
    Claim(
        name="L6_graded",
        statement="The more inputs are stretched along the direction that matters, the smaller is "
        "the network's lead over its frozen features",
        source="reported of Ghorbani et al. 2020 (arXiv:2006.13409)",
        part="stretch",
        estimator=per_seed(_least_fall, columns=("stretch", "gap")),
        region=at_least(0),
        why="from each factor to the next the lead falls: the least of these falls is positive. "
        "The effective dimension (d - 1 + s^2) / s^2 falls with s",
        control="across",
        tier="laptop",
        rival=Rival(-0.05, "who has a stretch along any direction do"),
    ),
    Claim(
        name="L6_stretched_across",
        statement="Where inputs are stretched along a direction that does not matter, the "
        "network's lead over its frozen features does not shrink",
        source=OURS,
        part="stretch",
        arm="across",
        estimator=paired_difference("gap", by="stretch", pair=(4.0, 1.0)),
        region=at_least(-0.1),
        why="kernels see the stretched direction first. A tenth as in L6_stretched_along",
        control="theory",
        rival=Rival(-0.7, "who has a stretch along any direction do"),
    ),
]

DESCENT = [
    Claim(
        name="L7_trains_beyond",
        statement="At 3.5 / lambda_max of the start, beyond what a linear model can bear, a "
        "network trains to a tenth of its loss in most draws",
        formula=r"$\eta\lambda_{\max}=3.5>2$",
        source="Lewkowycz et al. 2020 (arXiv:2003.02218)",
        part="edge",
        estimator=per_seed(
            _at_end("decades"),
            where={"factor": 3.5},
            columns=("step", "decades"),
            center="median",
        ),
        region=at_most(-1),
        why="features move to where the rate is stable; a tenth is a convention. About 4 / "
        "lambda_max is where networks diverge too, a draw in some thirty already here, hence the "
        "median. An optimization claim that does not survive freezing",
        control="frozen",
        rival=Rival(0.0, "who has 2 / lambda_max of the start as the largest rate"),
    ),
    Claim(
        name="L7_frozen_diverges",
        statement="A network with frozen features diverges by more than the factor 10^6 in 100 "
        "steps at 2.5 / lambda_max",
        source="the linear recursion, |1 - 2.5|^200",
        part="edge",
        arm="frozen",
        estimator=per_seed("decades", where={"step": 100, "factor": (2.5, 0.25)}),
        region=at_least(6),
        why="200 log10 1.5 = 35 decades, less those by which the labels miss the first "
        "eigenvector. At .25 / lambda_max it falls",
        control="stable",
        rival=Rival(0.0, "who has 2 / lambda_max as a rule of thumb"),
    ),
    Claim(
        name="L8_ends_stable",
        statement="The product of rate and largest eigenvalue of the kernel, 2.5 or 3.5 at the "
        "start of training, ends at 2 or less in most draws",
        formula=r"$\eta\lambda_{\max}(t)\leq 2$",
        source="Cohen et al. 2021 (arXiv:2103.00065); a minimum above 2 repels",
        part="edge",
        estimator=per_seed(
            lambda rows: float(rows.loc[rows["step"] == rows["step"].max(), "product"].max()),
            columns=("step", "product"),
            where={"factor": lambda factor: factor > 2},
            center="median",
        ),
        region=at_most(2.05),
        why="2 is where a minimum ceases to attract, .05 for what oscillates about it. A draw that "
        "diverges has no minimum, hence the median. Frozen it stays at 2.5 and 3.5",
        control="frozen",
        rival=Rival(2.5, "who has the kernel stay"),
    ),
    Claim(
        name="L9_networks_peak",
        statement="The test error of a trained two-layer network is higher by a fifth where "
        "its parameters are as many as the samples than at half and at four times "
        "as many",
        source="reported of Belkin et al. 2019 (arXiv:1812.11118), Nakkiran et al. 2019 "
        "(1912.02292)",
        part="peaks",
        estimator=per_seed(_peak("network"), columns=("over", "network")),
        region=at_least(log10(1.2)),
        why="higher by a fifth than with half and with four times as many parameters, a "
        "convention; a ridge removes it",
        control="ridge",
        tier="laptop",
        rival=Rival(-0.2, "who has a network's moving features avoid it"),
    ),
    Claim(
        name="L9_frozen_peak",
        statement="The test error of a two-layer network's frozen features is higher by a "
        "fifth where they are as many as the samples than at half and at four times "
        "as many",
        source="reported of Belkin et al. 2019 (arXiv:1812.11118)",
        part="peaks",
        estimator=per_seed(_peak("frozen"), columns=("over", "frozen")),
        region=at_least(log10(1.2)),
        why="the least singular value of p features on n points is smallest at p = n; a fifth as "
        "in L9_networks_peak",
        control="ridge",
        tier="laptop",
        rival=Rival(-0.2, "who has double descent come from features that move"),
    ),
    Claim(
        name="L9b_popular_same_peak",
        statement="Where parameters are as many as samples the peak of a two-layer network's "
        "frozen features is as high as that of the network itself, within a factor "
        "1.5",
        source="popular reading of linear models of double descent",
        part="peaks",
        estimator=per_seed(_height, columns=("over", "network", "frozen")),
        region=at_most(log10(1.5)),
        why="a factor 1.5 is a convention; with a ridge both are as high",
        control="ridge",
        tier="laptop",
        expected="fail",
        reason="the place is the same and the height is not: nothing bounds the frozen one, whose "
        "weights go as far as the least singular value asks, and features that move go elsewhere",
        rival=Rival(2.6, "ours: measured, 10^2.6; nothing bounds frozen weights"),
    ),
    Claim(
        name="L10_random_labels",
        statement="A two-layer network of width 1024 fits 32 random labels in its kernel's time",
        formula=r"$\log_2(t_{frozen}/t_{network})=0$",
        source="reported of Zhang et al. 2017 (arXiv:1611.03530): they are fitted; the time: ours",
        part="labels",
        estimator=per_seed("octaves", where={"width": _from_64_on}),
        region=near(0, 0.25),
        why="a factor 1.19 for width 1024; width 64 fits sooner. Correction: the kernel moves by "
        "the share 1 / sqrt(m) ~ .03 times a number of order sqrt(n) = 6",
        control="narrow",
        kind="level",
        scale=1.0,
        tier="laptop",
        rival=Rival(1.0, "who has moving features fit twice as fast"),
    ),
    Claim(
        name="N1_network_overfits_late",
        statement="Trained on noisy labels to the end the network is worse than stopped early, by "
        "a tenth of the variance at least",
        source="popular advice: stop early",
        part="noise",
        estimator=per_seed(
            _late("validation", "network"), columns=("step", "validation", "network")
        ),
        region=at_least(0.1),
        why="100 points of noise 1 are fitted, which costs of the order of its variance (N3 has "
        "2/3 on "
        "a circle); a tenth is a convention. Without noise it costs nothing",
        control="clean",
        rival=Rival(0.0, "who has overfitting of wide networks benign"),
        tier="laptop",
    ),
    Claim(
        name="N2_frozen_overfits_late",
        statement="A two-layer network's frozen features, trained to the end on 100 labels "
        "with noise of variance 1, have an excess error larger by .1 than when "
        "stopped early",
        source=OURS,
        part="noise",
        estimator=per_seed(
            _late("frozen_validation", "frozen"), columns=("step", "frozen_validation", "frozen")
        ),
        region=at_least(0.1),
        why="the noise is fitted along the kernel's small eigenvalues, late",
        control="clean",
        rival=Rival(0.0, "who has overfitting come from features that move"),
        tier="laptop",
    ),
    Claim(
        name="N3_tempered",
        statement="On a circle the interpolant of relu's kernel through 128 labels of pure "
        "noise, of variance 1, has the mean square 2/3 between them",
        formula=r"$\mathbb{E}((1-u)e_1+ue_2)^2=2/3$",
        source="the kind: Mallinar et al. 2022 (arXiv:2207.06569); the number for a circle: ours",
        part="tempered",
        estimator=per_seed("excess", where={"samples": 128}),
        region=near(POLYGON, 0.02),
        why="the kernel has a kink, so that its interpolant is a polygon but for smooth terms; 3 "
        "%, "
        "under half of the way to what a network of finite width has (N3_frozen_width, .71)",
        control="smooth",
        kind="level",
        rival=Rival(1.0, "who has the nearest neighbour's noise taken over"),
    ),
    Claim(
        name="N3_no_benefit_of_samples",
        statement="On a circle the mean square of relu's kernel interpolant of pure noise "
        "does not depend on the number of samples, 32 to 128: neither benign nor "
        "catastrophic",
        source="the kind: Mallinar et al. 2022 (arXiv:2207.06569)",
        part="tempered",
        estimator=loglog_slope("excess", "samples"),
        region=near(0, 0.05),
        why="a polygon has no scale but that of its points; what a ridge leaves of the noise is "
        "averaged over ever more of them. Correction: the circle bends between points, by a "
        "power between 1/n and 1/n^2, + 1.3 % at 32 and .2 % at 128: -.01 in the slope",
        control="ridge",
        kind="exponent",
        rival=Rival(-1.0, "who has it benign: as noise is averaged"),
    ),
    Claim(
        name="N3_frozen_width",
        statement="On a circle the tangent kernel at the start of a network with 64 neurons "
        "for each of 128 samples interpolates pure noise, of variance 1, with a "
        "mean square below 5/6",
        source=OURS,
        part="tempered",
        arm="frozen",
        estimator=per_seed("excess", where={"samples": 128}, center="median"),
        region=at_most(5 / 6),
        why="half of the way from a polygon, 2/3, to the noise itself, 1. Kinks of a finite "
        "network make steps of random height between two points, which costs more than a polygon",
        control="smooth",
        rival=Rival(1.0, "who has a finite width take the nearest neighbour's noise over"),
    ),
    Claim(
        name="L11_completes",
        statement="Descent on U V' from a small start completes a matrix of rank 1",
        source="reported of Gunasekar et al. 2017 (arXiv:1705.09280)",
        part="completion",
        estimator=per_seed("hidden"),
        region=at_most(0.1),
        why="a tenth of what is hidden, a convention; from a large start it is lazy",
        control="large",
        rival=Rival(1.0, "who has descent find the least norm of the entries"),
    ),
    Claim(
        name="L11_frozen_leaves_hidden",
        statement="U V' with the features frozen at the identity does not move the hidden entries "
        "of a matrix",
        source="ours: the tangent at scale times 1 moves each entry by itself",
        part="completion",
        arm="frozen",
        estimator=per_seed("hidden"),
        region=near(1, 1e-6),
        why="exact but for rounding",
        control="theory",
        kind="identity",
        rival=Rival(0.0, "who has the form U V' prefer low rank, moving or not"),
    ),
]

FREQUENCIES = [
    Claim(
        name="S1_low_frequencies_first",
        statement="The network learns frequency 1 at least four times as fast as frequency 4",
        source="reported of Rahaman et al. 2018 (arXiv:1806.08734): low frequencies first",
        part="frequencies",
        estimator=per_seed(_apart("network"), columns=("frequency", "network")),
        region=at_least(2),
        why="eigenvalues of a kernel with a kink fall as k^-2 or faster: log2 16 = 4; half of it. "
        "Inputs that hold frequency 4 turn it round",
        control="encoded",
        tier="laptop",
        rival=Rival(0.0, "who has frequencies learned alike"),
    ),
    Claim(
        name="S2_frozen_frequencies",
        statement="A two-layer network's frozen features learn half of frequency 4 later than half "
        "of frequency 1 by the ratio of the limit kernel's eigenvalues, about 2^6.3 here",
        formula=r"$t_4/t_1=\ln(1-\eta\lambda_1)/\ln(1-\eta\lambda_4)$",
        source="the kind: Cao et al. 2019 (arXiv:1912.01198); the number for a circle: ours",
        part="frequencies",
        estimator=per_seed(_apart("frozen"), columns=("frequency", "frozen")),
        region=near(CIRCLE, 1.0),
        why="lambda_1 / lambda_4 = .1541 / .00209 = 2^6.20 on 64 points, and discrete steps add "
        ".08. A factor 2 is under half of the way to the rival; draws scatter by .3, since 512 "
        "neurons are not the limit",
        control="encoded",
        kind="level",
        tier="laptop",
        rival=Rival(4.0, "who has eigenvalues fall as k^-2 from the first frequency on"),
    ),
]

LEARNING = [*SAMPLES, *DESCENT, *FREQUENCIES]
