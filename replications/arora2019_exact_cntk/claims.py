"""What is claimed of the CNTK: identities, finite networks, training, accuracies.

Papers: A, Arora, Du, Hu, Li, Salakhutdinov & Wang 2019; L, Li et al. 2019; S, Arora et al. 2020.
Their full texts were not at hand: numbers of theorems and tables are "reported as". "Ours" is
derived in the README.
"""

from pandas import DataFrame

from widenets.evidence import (
    Claim,
    Rival,
    at_least,
    at_most,
    loglog_slope,
    near,
    per_seed,
    worst,
)

A = "Arora et al. 2019"
L = "Li et al. 2019 (enhanced CNTK)"
S = "Arora et al. 2020 (small data)"
OURS = "ours, derived in the README"


def less(first: str, second: str):
    """Mean over splits of one accuracy less another, both of the same split."""
    return per_seed(
        lambda rows: float((rows[first] - rows[second]).mean()), columns=(first, second)
    )


def _weighted_level(rows: DataFrame) -> float:
    """Mean over networks of c channels, whose variance is 1/c, each with the weight c."""
    return float((rows["channels"] * rows["level"]).sum() / rows["channels"].sum())


def claim(name: str, statement: str, **fields) -> Claim:
    return Claim(name=name, statement=statement, **fields)


IDENTITIES = [
    claim(
        "K1_pooling_averages_over_shifts",
        "With circular padding the kernel of global average pooling (GAP) is the vanilla one (V) "
        "averaged over all shifts of one image",
        formula=r"$K_{GAP}(x,x')=\frac1P\sum_\tau K_V(x,T_\tau x')$",
        source=L,
        part="shifts",
        arm="circular",
        estimator=worst("average"),
        region=at_most(1e-12),
        why="exact, up to the rounding of some hundred sums",
        control="zero",
    ),
    claim(
        "K2_pooling_is_blind_to_shifts",
        "With circular padding the kernel of GAP does not change when one of its images is shifted",
        source=L,
        part="shifts",
        arm="circular",
        estimator=worst("moved"),
        region=at_most(1e-12),
        why="exact, up to rounding",
        control="zero",
    ),
    claim(
        "K3_predictions_under_shifts",
        "Regression with the pooled convolutional kernel and circular padding puts an image "
        "shifted by pixels into the class of the image itself, but for 2 % at most",
        source=OURS,
        part="shifts",
        arm="circular",
        estimator=per_seed("changed", floor=0),
        region=at_most(0.02),
        why="exact but for ties; one image of 16 in every third seed",
        control="zero",
    ),
    claim(
        "K4_popular_pooling_makes_invariant",
        "A convolutional network with global average pooling does not see a shift of its image, "
        "here by (2, 2) around the torus on 5x5 pixels",
        source="popular: said of convolutional networks in general, whose padding is zero",
        part="shifts",
        arm="zero",
        estimator=per_seed("changed", floor=0),
        region=at_most(0.02),
        why="that of K3",
        control="circular",
        expected="fail",
        reason="zero padding cuts what the shift carries over the border (nearly every pattern "
        "here); an object on an empty ground that stays as many pixels off the border as there are "
        "convolutions is not seen to move",
    ),
    claim(
        "K5_dense_kernel_is_blind_to_order",
        "The dense kernel of images does not change when all have their pixels in another order",
        source=OURS,
        part="permutation",
        arm="fc",
        estimator=worst("change"),
        region=at_most(1e-7),
        why="exact; the arc cosine next to 1 has the square root of the rounding",
        control="v",
    ),
]

FINITE = [
    claim(
        f"K6_finite_kernel_{arm}",
        f"The kernel of a finite convolutional network {how} comes to its limit like c^(-1/2) in "
        "its channels c",
        formula=r"$\|\Theta_c-\Theta\|/\|\Theta\|\sim c^{-1/2}$",
        source=f"{A}, section 4 as reported, for the limit; the rate: central limit theorem",
        part="channels",
        arm=arm,
        estimator=loglog_slope("error", "channels", summary="geometric"),
        region=near(-0.5, 0.12),
        why="sums over channels; less than half of the way to the rival",
        control=control,
        kind="exponent",
        rival=Rival(-0.25, "who reads the bound of theorem 3.1, width ~ eps^-4, as a rate"),
        tier="laptop" if arm == "gap" else "smoke",
    )
    for arm, how, control in (
        ("gap", "with GAP", "gap_of_v"),
        ("v", "without pooling", "v_of_gap"),
    )
] + [
    claim(
        "K7_no_bias_without_pooling",
        "Without pooling the mean over networks of Theta(x, x) is its limit, however few channels",
        source=f"{OURS}; Hanin & Nica 2020 for dense networks",
        part="channels",
        arm="v",
        estimator=per_seed(_weighted_level, columns=("channels", "level")),
        region=near(1, 0.03),
        why="gates of ReLU open with chance 1/2, whatever sizes are; half of the way to the rival "
        "is .24. A bias b/c is resolved down to |b| = .7; with GAP, where gates are shared, none "
        "is seen either (b = 0 +- .5)",
        control="torus",
        kind="level",
        rival=Rival(0.5216, "who does not count the zeros at the borders, even light on 4x4"),
    ),
    claim(
        "K8_rate_of_theorem_3_1",
        "The NTK of a dense ReLU network comes to its limit like m^(-1/2), faster than the "
        "m^(-1/4) of theorem 3.1",
        source=f"{A}, theorem 3.1 as reported, for the bound; the rate: central limit theorem",
        part="dense",
        arm="dense",
        estimator=loglog_slope("error", "width", summary="geometric"),
        region=near(-0.5, 0.12),
        why="sums over neurons; less than half of the way to the rival",
        control="one_layer_more",
        kind="exponent",
        rival=Rival(-0.25, "who reads width ~ eps^-4 as a rate"),
    ),
    claim(
        "K9_trained_network_with_kappa",
        "A trained network kappa f with kappa = m^(-1/4) comes to kernel regression like m^(-1/4)",
        source=f"{A}, theorem 3.2 as reported, for the limit; the rate: {OURS}",
        part="trained",
        arm="kappa",
        estimator=loglog_slope("gap", "width"),
        region=near(-0.25, 0.083),
        why="kappa times the network before training; its kernel moves by 1/(kappa m^(1/2)) too; "
        "a third of the way to the rivals 0 and -1/2",
        control="plain",
        kind="exponent",
        rival=Rival(-0.5, "who counts the kernel's own fluctuation alone"),
    ),
    claim(
        "K10_popular_without_kappa",
        "A trained wide network comes to kernel regression as its width grows, whatever its start",
        formula=r"$\kappa=1$",
        source="popular: a wide trained network is kernel regression",
        part="trained",
        arm="plain",
        estimator=loglog_slope("gap", "width"),
        region=at_most(-0.125),
        why="half of the way from 0 to -1/4",
        control="kappa",
        expected="fail",
        reason="what the network was before training stays, f_0(x) - Theta(x,X) Theta(X,X)^-1 "
        "f_0(X), as large as the labels at any width; theorem 3.2 has kappa for that reason",
        rival=Rival(0.0, "who has the start survive (K11)"),
    ),
    claim(
        "K11_what_survives_training",
        "Without kappa the difference to regression with the NTK Theta is "
        "f_0(x) - Theta(x,X) Theta(X,X)^-1 f_0(X)",
        source=f"{OURS}; Lee et al. 2019, equation 9 as reported",
        part="trained",
        arm="start",
        estimator=per_seed("start"),
        region=near(1, 0.03),
        why="linear in f_0 for the limit kernel; its fluctuation, m^(-1/2) = .02 at 2048, has "
        "no mean in first order",
        control="bare_start",
        kind="level",
        rival=Rival(0.0, "who takes the trained network to be kernel regression"),
    ),
]

ACCURACIES = [
    claim(
        "K13_pooling_on_textures",
        "Where the class is a pattern that stands anywhere, GAP is better than no pooling by more "
        "than .2 in accuracy",
        source=f"{A}, table 1 as reported, for CIFAR-10; the images are ours",
        part="accuracies",
        arm="textures",
        estimator=less("gap", "v"),
        region=at_least(0.2),
        why="GAP sees each pattern at all 36 places; .27 of the way from chance, 1/4, to 1",
        control="textures_permuted",
        rival=Rival(0.0, "who has pooling make no difference"),
    ),
    claim(
        "K14_pooling_against_dense",
        "Where the class is a pattern that stands anywhere, GAP is better than a dense kernel by "
        "more than .2 in accuracy",
        source=f"{A}, as reported, for CIFAR-10; the images are ours",
        part="accuracies",
        arm="textures",
        estimator=less("gap", "fc"),
        region=at_least(0.2),
        why="that of K13",
        control="textures_permuted",
        rival=Rival(0.0, "who has convolutions make no difference"),
    ),
    claim(
        "K15_popular_pooling_always_helps",
        "On images the kernel with global average pooling is never less accurate than that without",
        source="popular: table 1, where it holds at every depth, read for all images",
        part="accuracies",
        arm="places",
        estimator=less("gap", "v"),
        region=at_least(0.0),
        why="what it says, of the difference of the accuracies",
        control="textures",
        expected="fail",
        reason="where the class is the place of a pattern, pooling averages over what is asked for",
    ),
    claim(
        "K16_few_random_features",
        "The kernel of one finite network with two channels is worse by .1 in accuracy than the "
        "exact one, on drawn textures",
        source=f"{A}, abstract of the first version: Monte Carlo degrades the performance",
        part="random_features",
        arm="few_channels",
        estimator=less("exact", "random"),
        region=at_least(0.1),
        why=".13 of the way from chance, 1/4, to all right",
        control="many_channels",
        rival=Rival(0.0, "who takes one network for its limit"),
        tier="laptop",
    ),
    claim(
        "K17_many_random_features",
        "The kernel of one finite network with 64 channels comes to within .1 of the exact one's "
        "accuracy, on drawn textures",
        source=OURS,
        part="random_features",
        arm="many_channels",
        estimator=less("exact", "random"),
        region=at_most(0.1),
        why="its relative error (K6) is c^(-1/2) = .125 there",
        control="few_channels",
        tier="laptop",
    ),
    claim(
        "K18_pooling_on_digits",
        "On digits of 8x8 pixels, fifty to learn from, GAP is better than no pooling",
        source=f"{A}, table 1 as reported, for CIFAR-10",
        part="accuracies",
        arm="digits",
        tier="paper",
        estimator=less("gap", "v"),
        region=at_least(0.0),
        why="what it says",
        control="digits_permuted",
    ),
    claim(
        "K19_forests_need_their_axes",
        "On small tables that are rotated the SVM with the dense NTK beats random forests by .02",
        source=f"{S} for the comparison on tables as they are; the rotation: {OURS}",
        part="tables",
        arm="rotated",
        tier="paper",
        estimator=less("ntk", "forest"),
        region=at_least(0.02),
        why="the kernel sees inner products alone, trees cut along axes; .02 is the standard error "
        "of one split of four tables",
        control="tables",
    ),
    claim(
        "K20_pooling_on_cifar10",
        "On CIFAR-10 of 16x16 pixels, a thousand to learn from, GAP is better than no pooling",
        source=f"{A}, table 1 as reported: 51.1 against 42.5 % for 2000 images of 32x32",
        part="accuracies",
        arm="cifar10",
        tier="paper",
        estimator=less("gap", "v"),
        region=at_least(0.0),
        why="what it says",
        control="cifar10_permuted",
    ),
]

CLAIMS = [*IDENTITIES, *FINITE, *ACCURACIES]
