"""What is claimed of kernels that evolve, and what is popularly said of them.

The paper proves nothing, and its text was not at hand: the abstract is quoted, figures are
"reported as". Regions come from a sentence (a sign, an order, a null model), not from a constant.
"""

import math

import numpy as np
from pandas import DataFrame

from widenets.evidence import (
    Claim,
    Rival,
    at_least,
    at_most,
    difference,
    loglog_slope,
    near,
    per_seed,
)

FORT = "Fort et al. 2020, abstract"
LINE = 0.02  # error barrier below which Frankle et al. 2019 call two networks linearly connected
FIRST, LAST = 3, 16  # epochs


def of_epochs(statistic, *columns: str, center: str = "mean"):
    """Of one seed: statistic(table), a table of `columns` by epoch."""

    def of_seed(rows: DataFrame) -> float:
        return float(statistic(rows.set_index("epoch")))

    return per_seed(of_seed, columns=("epoch", *columns), center=center)


def at_epoch(statistic, epoch: int, *columns: str, center: str = "mean"):
    """Of one seed: the column, or function of the rows, at one epoch."""
    return per_seed(statistic, where={"epoch": epoch}, columns=columns, center=center)


def kernel_gain(epoch: int):
    """Error with the kernel at the start over that with the kernel after an epoch."""
    return of_epochs(
        lambda table: table["kernel"][0] / table["kernel"].get(epoch, math.nan),
        "kernel",
        center="geometric",
    )


def exponent(column: str, next_order: int):
    """Power p of column = c t^p (1 + b t^next_order): least squares of its logarithm."""

    def of_seed(rows: DataFrame) -> float:
        time = rows["time"] / rows["time"].min()
        design = [np.ones_like(time), np.log(time), time**next_order]
        return float(np.linalg.lstsq(np.stack(design, 1), np.log(rows[column]))[0][1])

    return per_seed(of_seed, columns=("time", column))


def _in_units(rows: DataFrame) -> float:
    return float((rows["distance"] / rows["unit"]).iloc[0])


def _against_cosine(rows: DataFrame) -> float:
    return float((rows["drift"] / np.sqrt(2 * rows["distance"])).iloc[0])


def _share(rows: DataFrame) -> float:
    """Of the way from the first kernel's error to the network's."""
    way, made = rows["start"] - rows["network"], rows["start"] - rows["kernel"]
    return float((made / way).iloc[0])


MOVED = at_epoch(_in_units, LAST, "distance", "unit", center="geometric")
UNIT = (
    "1: a kernel that differs from its start by more than the kernels of two initialisations do "
    "has been moved, whatever the size of 1 - cos"
)

CLAIMS = [
    Claim(
        name="F1_early_agreement",
        statement="The relative distance of a network from its linearization vanishes linearly in "
        "time",
        formula=r"$|f_t-f^{lin}_t|/|f_t-f_0|\sim t$",
        source="popular page: kernel learning matches a finite network early in training; Taylor: "
        "f_t - f_lin is of second order in t, f_t - f_0 of first",
        part="early",
        estimator=exponent("apart", -1),
        region=near(1, 0.08),
        why="Taylor's orders; random directions move parameters by the root of t. Correction: "
        "discrete steps, relatively 1/k at step k, of which the fit leaves 1/k^2",
        control="walk",
        kind="exponent",
        rival=Rival(0.5, "who has the parameters diffuse"),
    ),
    Claim(
        name="F1_kernel_distance_is_a_square",
        statement="The kernel distance 1 - cos of full-batch training grows as the square of time "
        "at first",
        formula=r"$1-\cos(K_0,K_t)\sim t^2$",
        source="ours: 1 - cos is half of the squared angle, which grows with t",
        part="early",
        estimator=exponent("distance", 1),
        region=near(2, 0.08),
        why="a smooth path of kernels. Constant velocity of the kernel is no constant velocity of "
        "this distance. Correction: relatively t, of which the fit leaves t^2 and rounding, 1e-7",
        control="walk",
        kind="exponent",
        rival=Rival(1.0, "who takes the distance for a length, or the path for a diffusion"),
    ),
    Claim(
        name="F1_early_agreement_relu",
        statement="The relative distance of a ReLU network from its linearization vanishes "
        "linearly in time",
        formula=r"$|f_t-f^{lin}_t|/|f_t-f_0|\sim t$",
        source="popular page: kernel learning matches a finite network early in training",
        part="early",
        arm="relu",
        estimator=loglog_slope("apart", "time"),
        region=at_least(0.75),
        why="gates that open or close by time t are t in number and each adds t to f: the order "
        "of a smooth network. Few of the 9216 gates have flipped at the first times, which bends "
        "the line",
        control="relu_walk",
        tier="laptop",
        rival=Rival(0.5, "who has the parameters diffuse"),
    ),
    Claim(
        name="F2_later_difference",
        statement="At the end of training the network is far from its linearization at the start",
        formula=r"$|f_T-f^{lin}_T|/|f_T-f_0|$",
        source="popular page: the two diverge later in training",
        part="learning",
        estimator=at_epoch("apart", 0),
        region=at_least(0.15),
        why="a quarter of what the kernel of another initialisation is off by (.55 to .6 in an "
        "independent prototype)",
        control="lazy",
        rival=Rival(0.0, "who has the network stay with its linearization"),
    ),
    Claim(
        name="F3_kernel_moves",
        statement="Training moves the kernel by more than the kernels of two initialisations "
        "differ",
        formula=r"$1-\cos(K_0,K_T)\geq 1-\cos(K_0,K_0^\prime)$",
        source=f"{FORT} (the NTK changes rapidly), reported as Figure 2",
        part="trajectory",
        estimator=MOVED,
        region=at_least(1),
        why=UNIT,
        control="lazy",
        rival=Rival(0.0, "who has the kernel frozen"),
    ),
    Claim(
        name="F3_moves_on_shuffled_labels",
        statement="Training on shuffled labels moves the kernel by more than the kernels of two "
        "initialisations differ",
        formula=r"$1-\cos(K_0,K_T)\geq 1-\cos(K_0,K_0^\prime)$",
        source="ours: what F18 is read against",
        part="trajectory",
        arm="shuffled",
        estimator=MOVED,
        region=at_least(1),
        why=UNIT,
        control="steady",
        rival=Rival(0.0, "who has the kernel move for the sake of the task alone"),
    ),
    Claim(
        name="F4_fast_then_slow",
        statement="The kernel distance 1 - cos over the first three epochs is more than twice that "
        "over the last three",
        formula=r"$\ln S(0,3)/S(13,16)\geq\ln 2$",
        source=f"{FORT} (rapid initial transient; constant velocity after it)",
        part="trajectory",
        estimator=of_epochs(
            lambda table: math.log(table["of_span"][FIRST] / table["of_span"][LAST]), "of_span"
        ),
        region=at_least(math.log(2)),
        why="spans are equal: 0 for a kernel that moves at one velocity as for one that diffuses; "
        "in the angle that is the root of 2",
        control="steady",
        rival=Rival(0.0, "who has the kernel move at one velocity"),
    ),
    Claim(
        name="F5_most_of_the_way",
        statement="More than half of the kernel distance at the end is there after 3 of 16 epochs",
        formula=r"$S(0,3)/S(0,T)\geq 1/2$",
        source=f"{FORT} (rapid initial transient)",
        part="trajectory",
        estimator=of_epochs(
            lambda table: table["distance"][FIRST] / table["distance"][LAST], "distance"
        ),
        region=at_least(0.5),
        why="most means more than half. A steady diffusion of kernels has 3/16, one velocity "
        "9/256, weights that walk at random from layer to layer more, since their kernel grows",
        control="steady",
        rival=Rival(3 / 16, "who has the kernel diffuse"),
    ),
    Claim(
        name="F6_better_kernel",
        statement="Regression with the kernel at the end errs less than two thirds as often as "
        "that at the start",
        formula=r"$err(K_0)/err(K_T)\geq 3/2$",
        source=f"{FORT} (learning useful features)",
        part="learning",
        estimator=kernel_gain(LAST),
        region=at_least(1.5),
        why="half of the factor 3 that the abstract has; 1 for features that are not those of the "
        "task",
        control="shuffled",
        rival=Rival(1.0, "who has the kernel's moves leave its use for the task alone"),
    ),
    Claim(
        name="F7_after_three_epochs",
        statement="After three epochs regression with the kernel errs on at least .05 fewer points "
        "than at the start",
        formula=r"$err(K_0)-err(K_3)\geq .05$",
        source=f"{FORT} (in less than 3 to 4 epochs)",
        part="learning",
        estimator=of_epochs(lambda table: table["kernel"][0] - table["kernel"][FIRST], "kernel"),
        region=at_least(0.05),
        why="a quarter of the .2 by which kernel and network differ (prototype)",
        control="shuffled",
        rival=Rival(0.0, "who has features learned late"),
    ),
    Claim(
        name="F8_factor_of_three",
        statement="With 512 points the kernel errs a third as often after 4 epochs as at the start",
        formula=r"$err(K_0)/err(K_4)\geq 3$",
        source=f"{FORT} (by a factor of 3 in less than 3 to 4 epochs)",
        part="learning",
        estimator=kernel_gain(4),
        region=at_least(3),
        why="the abstract's factor, of ResNet-20 on CIFAR-10; with 2048 points it is there",
        control="larger",
        tier="laptop",
        expected="fail",
        reason="of steps and of data: 4 epochs are 64 steps with 512 points (factor 2.0) and 256 "
        "with 2048 (5.2); 256 steps with 512 points give 2.8 (F6)",
        rival=Rival(2.0, "who counts 16 steps an epoch"),
    ),
    Claim(
        name="F9_network_beats_linearization",
        statement="The network errs on at least .05 fewer points than its linearization at the "
        "start, trained on the same batches",
        formula=r"$err(f^{lin}_T)-err(f_T)\geq .05$",
        source=f"{FORT} (outperform the standard initial NTK)",
        part="learning",
        estimator=of_epochs(
            lambda table: table["linear"][0] - table["network"][LAST], "linear", "network"
        ),
        region=at_least(0.05),
        why="as for F7; a lazy network is its own linearization",
        control="lazy",
        rival=Rival(0.0, "who has wide networks learn as their kernels do"),
    ),
    Claim(
        name="F10_kernel_matches_network",
        statement="Regression with the kernel at the end makes up at least .85 of the gap between "
        "the kernel at the start and the network",
        formula=r"$(err(K_0)-err(K_T))/(err(K_0)-err(f_T))\geq .85$",
        source=f"{FORT} (its performance matches that of full network training), reported as "
        "Figure 5",
        part="frozen",
        estimator=per_seed(_share, columns=("start", "kernel", "network")),
        region=at_least(0.85),
        why="more than midway from the kernel after three epochs (.63 in the prototype) to all of "
        "it",
        control="epoch_3",
        rival=Rival(0.67, "who has all features after the transient"),
    ),
    Claim(
        name="F11_not_before_15_percent",
        statement="Linearized after 12 % of training and trained on, the network ends worse than "
        "it does by itself",
        formula=r"$err(f^{lin,2}_T)-err(f_T)\geq 0$",
        source=f"{FORT} (matches in 15 % to 45 % of training time)",
        part="frozen",
        arm="epoch_2",
        estimator=per_seed(difference("linear", "network"), columns=("linear", "network")),
        region=at_least(0),
        why="the sign of the sentence, below the lower end of its range (2 of 16 epochs)",
        control="epoch_7",
        rival=Rival(-0.02, "who has the transient over at once"),
    ),
    Claim(
        name="F12_by_45_percent",
        statement="Linearized after 44 % of training and trained on, the network ends no worse "
        "than it does by itself",
        formula=r"$err(f^{lin,7}_T)-err(f_T)\leq 0$",
        source=f"{FORT} (matches in 15 % to 45 % of training time); reviews of it (beats)",
        part="frozen",
        arm="epoch_7",
        estimator=per_seed(difference("linear", "network"), columns=("linear", "network")),
        region=at_most(0),
        why="the sign of the sentence, at the upper end of its range (7 of 16 epochs)",
        control="epoch_2",
        rival=Rival(0.03, "who has features learned until the end"),
    ),
    Claim(
        name="F13_aligns_with_labels",
        statement="In training the alignment of the kernel with the labels at least doubles",
        formula=r"$A_T/A_0\geq 2$, $A=\cos(HKH,Hyy^\top H)$",
        source="Baratin et al. 2021, as reported; Fort et al. 2020, abstract (useful features)",
        part="trajectory",
        estimator=of_epochs(
            lambda table: table["alignment"][LAST] / table["alignment"][0],
            "alignment",
            center="geometric",
        ),
        region=at_least(2),
        why="1 for a kernel that moves along other labels, up to the share that any move has in "
        "them",
        control="shuffled",
        rival=Rival(1.0, "who has the kernel move without regard for labels"),
    ),
    Claim(
        name="F14_one_basin",
        statement="Two children of a network of three epochs are linearly connected at the end",
        formula=r"$\max_\alpha err(\alpha\theta_1+(1-\alpha)\theta_2)-chord\leq .02$",
        source=f"{FORT} (the transient determines the final linearly connected basin); Frankle et "
        "al. 2019 (instability below 2 %)",
        part="children",
        estimator=per_seed("barrier"),
        region=at_most(LINE),
        why="Frankle's line for stable. Two initialisations, which differ on as many test points, "
        "are not connected",
        control="independent",
        rival=Rival(0.12, "who has each run of SGD end in a basin of its own (prototype)"),
    ),
    Claim(
        name="F15_chaos_at_the_start",
        statement="Children that are spawned at initialisation are not linearly connected at the "
        "end",
        formula=r"$\max_\alpha err(\alpha\theta_1+(1-\alpha)\theta_2)-chord\geq .02$",
        source=f"{FORT} (highly chaotic initial transient), read for any network",
        part="children",
        arm="at_start",
        estimator=per_seed("barrier"),
        region=at_least(LINE),
        why="the same line; two initialisations are above it",
        control="independent",
        expected="fail",
        reason="small networks on 512 points are connected from the start, though their children "
        "differ on a tenth of the test points: the chaos is one of ResNets on CIFAR, and not "
        "tested here",
        rival=Rival(0.0, "who has the initialisation decide the basin"),
    ),
    Claim(
        name="F17_slower_than_the_bound",
        statement="In NTK parameterization the kernel distance falls at least as fast as 1/n",
        formula=r"$1-\cos(K_0,K_T)=O(1/n)$",
        source="Jacot et al. 2018, Lee et al. 2019 (drift O(n^-1/2)), squared",
        part="width",
        estimator=loglog_slope("distance", "width", reduce="geometric"),
        region=at_most(-1),
        why="the square of a drift that is at most n^-1/2; smooth networks have 1/n, that is -2. "
        "In the mean-field scaling it tends to a limit",
        control="mean_field",
        tier="laptop",
        rival=Rival(-0.5, "who forgets that 1 - cos is the square of the drift"),
    ),
    Claim(
        name="F18_popular_moved_has_learned",
        statement="A kernel that has moved by more than two initialisations differ has learned "
        "features of the task, also where labels were shuffled",
        formula=r"$err(K_0)/err(K_T)\geq 3/2$",
        source="popular reading of kernel distance as feature learning",
        part="learning",
        arm="shuffled",
        estimator=kernel_gain(LAST),
        region=at_least(1.5),
        why="as F6, which passes it on true labels",
        control="theory",
        expected="fail",
        reason="on shuffled labels the kernel moves as far (F3_moves_on_shuffled_labels), and "
        "gets worse for the task",
        rival=Rival(0.87, "who looks at errors instead (prototype)"),
    ),
    Claim(
        name="F19_popular_kernel_stops",
        statement="After the transient the kernel stops",
        formula=r"$S(13,16)\leq .01$",
        source="popular reading of the abstract's transient; its own words are 'constant velocity'",
        part="trajectory",
        estimator=at_epoch("of_span", LAST, "of_span"),
        region=at_most(0.01),
        why="a fortieth of its whole way. At a thirtieth of the rate from epoch 10 on it does stop",
        control="cooled",
        expected="fail",
        reason="the noise of SGD at a constant rate keeps it moving: S(13, 16) is .1",
        rival=Rival(0.09, "who has SGD's noise move it on (prototype)"),
    ),
    Claim(
        name="F20_popular_cosine_is_the_change",
        statement="The kernel distance tells how much the kernel has changed: its relative change "
        "is at most twice the root of 2 (1 - cos)",
        formula=r"$\|K_T-K_0\|/\|K_0\|\leq 2\sqrt{2S(0,T)}$",
        source="popular reading of kernel distance",
        part="trajectory",
        estimator=at_epoch(_against_cosine, LAST, "drift", "distance", center="geometric"),
        region=at_most(2),
        why="for kernels of one size the ratio is 1. 1 - cos is blind to a factor of the kernel",
        control="lazy",
        expected="fail",
        reason="the kernel grows severalfold while the outputs do, and the cosine does not see it",
        rival=Rival(5.0, "who knows that the kernel grows"),
    ),
    Claim(
        name="F21_popular_kernels_are_worse",
        statement="On odd and even digits, over cuts of the 1797 images, regression with the "
        "kernel at the start errs on at least .02 more points than the network",
        formula=r"$err(K_0)-err(f_T)\geq .02$",
        source="popular reading: networks beat kernels",
        part="learning",
        arm="digits",
        estimator=at_epoch(difference("kernel", "last"), 0, "kernel", "last"),
        region=at_least(0.02),
        why="two points in a hundred; xnor passes it by ten times as much. The interval is over "
        "cuts, not over digits",
        control="theory",
        tier="laptop",
        expected="fail",
        reason="on odd and even digits the features of the start are almost enough: .043 against "
        ".029",
        rival=Rival(0.005, "who asks what there is to learn (prototype: .037 against .032)"),
    ),
    Claim(
        name="F22_popular_features_are_distance",
        statement="Weights as far from the start as SGD's, layer by layer, have moved the kernel "
        "as much",
        formula=r"$1-\cos(K_0,K_T)\geq 1-\cos(K_0,K_0^\prime)$",
        source="popular reading: features are learned where weights travel far",
        part="trajectory",
        arm="elsewhere",
        estimator=MOVED,
        region=at_least(1),
        why="as F3, which SGD passes",
        control="theory",
        expected="fail",
        reason="in a random direction the same distance moves the kernel by a fifth as much, in 1 "
        "- cos",
        rival=Rival(0.1, "who has directions matter (prototype: .016 against the .16 of the unit)"),
    ),
]
