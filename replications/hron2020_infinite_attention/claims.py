"""What is claimed of attention at infinite width, and what is popularly said of it.

Papers: HB, Hron, Bahri, Sohl-Dickstein & Novak 2020; TP2, Yang 2020 (Tensor Programs II); SK, Sakai
et al. 2025; DC, Dong, Cordonnier & Loukas 2021. Abstracts and public code were at hand, no paper in
full: numbers of theorems and figures are "reported as". "Ours" is derived in the README.
"""

from pandas import DataFrame

from widenets.evidence import (
    Claim,
    Rival,
    at_most,
    extrapolated,
    last_doubling,
    loglog_slope,
    near,
    per_seed,
    worst,
)

HB = "Hron et al. 2020"
TP2 = "Yang 2020 (Tensor Programs II)"
OURS = "ours, derived in the README"


def _of_all_widths(rows: DataFrame) -> float:
    return float(rows["equal"].mean())


def claim(name: str, statement: str, **fields) -> Claim:
    return Claim(name=name, statement=statement, **fields)


HEADS = [
    claim(
        "T1_one_head",
        "One head of attention at 1/sqrt(d) without softmax has an output of excess kurtosis "
        "3 [(1 + 2/d)^2 (1 + 2 tr K^4/(tr K^2)^2) - 1], exactly at every d: it is not Gaussian. "
        "K = x x^T/n of the tokens, d the size of a head",
        formula=r"$\kappa=3\left[(1+\frac2d)^2\left(1+\frac{2\,\mathrm{tr}K^4}"
        r"{(\mathrm{tr}K^2)^2}\right)-1\right]$",
        source=f"{HB}, abstract and section 3 as reported, that it is not; the law: {OURS}",
        part="heads",
        arm="one_head",
        estimator=per_seed("over_law"),
        region=near(1, 0.05),
        why="measured over the law at d = 16, exact for all networks; blocks of 4096 of them have "
        "a bias below .005; the limit alone is a third below",
        control="one_head_limit",
        kind="level",
        rival=Rival(0.672, "who takes the limit 6 tr K^4/(tr K^2)^2 at d = 16"),
    ),
    claim(
        "T1_large_d",
        "As d grows the excess kurtosis of one attention head's output, at "
        "1/sqrt(d) without softmax, tends to 6 tr K^4/(tr K^2)^2, K = x x^T/n of the tokens, not "
        "to 0",
        formula=r"$\kappa\to6\,\mathrm{tr}K^4/(\mathrm{tr}K^2)^2$",
        source=f"{HB}, abstract; Sakai et al. 2025, abstract; the constant: {OURS}",
        part="heads",
        arm="large_d",
        estimator=extrapolated("at_infinity", "d"),
        region=near(1, 0.15),
        why="measured over that limit, its 1/d fitted; the exact law leaves .01 of 1/d^2 from d = "
        "16 on",
        control="tied_identity",
        kind="level",
        rival=Rival(0.0, "who takes wide attention for a Gaussian process whatever its heads are"),
        tier="laptop",
    ),
    claim(
        "T1_softmax",
        "With softmax one head at 1/sqrt(d) is not Gaussian either: its excess kurtosis is that of "
        "weights whose scores are Gaussian given the query's length",
        formula=r"$\kappa=3[(1+\frac2d)\,E s^2/(E s)^2-1],\ s=a^\top Ka,\ a=\mathrm{softmax}(g),\ "
        r"g\sim N(0,wK_{00}K),\ w\sim\chi^2_d/d$",
        source=f"Sakai et al. 2025, abstract, for the random scores; the law: {OURS}",
        part="heads",
        arm="softmax",
        estimator=per_seed("over_law", center="geometric"),
        region=near(1, 0.05),
        why="measured over a quadrature over the scores at d = 16, which is exact to .002 in "
        "the mean over tokens; geometric, since the law of d = infinity is anything from .01 to .9 "
        "of it, which loses half of the squared scatter, .001. Scores that are Gaussian outright "
        "(w = 1) are 2 % off, below the resolution",
        control="softmax_limit",
        kind="level",
        rival=Rival(0.555, "who takes the law of d = infinity at d = 16"),
    ),
    claim(
        "T1_more_tokens",
        "A head at 1/sqrt(d) without softmax that reads T orthogonal tokens comes nearer to a "
        "Gaussian like 1/T, without a second head, as d -> infinity (measured: what is left once "
        "the factor (1 + 2/d)^2 is taken out)",
        formula=r"$6\,\mathrm{tr}K^4/(\mathrm{tr}K^2)^2=6/T$",
        source=OURS,
        part="sequence",
        arm="orthogonal",
        estimator=loglog_slope("of_scores", "tokens", summary="mean"),
        region=near(-1, 0.1),
        why="exact at every T once the factor (1 + 2/d)^2 is taken out; tokens that are all alike "
        "have 6 throughout",
        control="alike",
        kind="exponent",
        rival=Rival(0.0, "who says that only more heads bring a Gaussian"),
    ),
    claim(
        "T2_many_heads",
        "The excess kurtosis of an output of attention at 1/sqrt(d) falls like 1/H with the number "
        "of independent heads",
        formula=r"$\kappa\sim1/H$",
        source=f"{HB}, abstract: many heads are needed; {OURS}",
        part="heads",
        arm="many",
        estimator=loglog_slope("excess", "heads"),
        region=near(-1, 0.1),
        why="v is the mean over H independent heads: exact at every d; heads that share one matrix "
        "of scores keep it",
        control="shared",
        kind="exponent",
        rival=Rival(-0.5, "who takes the size of a fluctuation of the mean, H^-1/2"),
    ),
    claim(
        "T3_rate",
        "At 1/d, with softmax and queries that are keys, one head becomes Gaussian at the rate 1/d",
        formula=r"$\kappa\sim1/d$",
        source=f"Yang 2019 (Tensor Programs I) and {HB}, section on the scaling 1/d, both as "
        f"reported, for the limit; the rate: {OURS}",
        part="heads",
        arm="tied",
        estimator=loglog_slope("excess", "d"),
        region=near(-1, 0.1),
        why="v is a mean over d values of weights whose scores fluctuate by d^-1/2; the next order "
        "is 1/d of it",
        control="softmax_rate",
        kind="exponent",
        rival=Rival(-0.5, "who takes the size of the fluctuations of v, d^-1/2"),
        tier="laptop",
    ),
    claim(
        "T3_constant",
        "At 1/d, with softmax and queries that are keys, the excess kurtosis of one head is "
        "(6 + 3 c)/d, 6 from the values and 3 c from the scores, 3 c = d 3 Var s/(E s)^2. "
        "K = x x^T/n of the tokens, d the size of a head",
        formula=r"$d\,\kappa\to6+3\,\nabla s^\top\Sigma\nabla s/s^2,\ s=a^\top Ka,\ "
        r"\Sigma_{qr}=K_{00}K_{qr}+K_{0q}K_{0r}$",
        source=OURS,
        part="heads",
        arm="tied",
        estimator=extrapolated("scaled", "d"),
        region=near(1, 0.05),
        why="the delta method in 1/d, the next order fitted",
        control="values_alone",
        tier="laptop",
        kind="level",
        rival=Rival(0.706, "who forgets that the scores fluctuate too"),
    ),
    claim(
        "T8_popular_temperature",
        "Attention with keys that are the queries is attention with independent ones at another "
        "temperature: at 1/d times sqrt(d) it has the law of 1/sqrt(d)",
        source="popular pages on muP call the 1/d one more factor in front of the softmax; read of "
        f"the limit of {HB}, whose keys are the queries: ours",
        part="heads",
        arm="temperature",
        estimator=per_seed("over_law"),
        region=near(1, 0.15),
        why="scores at 1/d times sqrt(d), d = 64: excess kurtosis over that at 1/sqrt(d)",
        control="temperature_untied",
        kind="level",
        expected="fail",
        rival=Rival(0.0, "a Gaussian, once softmax has become a maximum over tokens"),
        reason="it is right of two independent matrices, and then both limits of 1/d are mean "
        "pooling; where queries are keys, the scores of 1/d are not random at any fixed "
        "temperature, and at one that falls like 1/sqrt(d) softmax is a maximum over tokens",
    ),
    claim(
        "T9_mean_pooling",
        "With independent queries and keys 1/d attention becomes a mean over tokens, at the rate "
        "d^-1/2",
        source="documentation of a library of kernels for its layer of attention",
        part="mixing",
        arm="independent",
        estimator=loglog_slope("deviation", "d"),
        region=near(-0.5, 0.05),
        why="scores have the standard deviation K d^-1/2; softmax is linear in them up to 1/d",
        control="tied",
        kind="exponent",
        rival=Rival(-1.0, "who reads the scaling of the scores off their factor 1/d"),
    ),
    claim(
        "T15_popular_closed_form",
        "Popular: one head of softmax attention at 1/sqrt(d) is a Gaussian process once it is "
        "wide, so that its kernel can be computed analytically",
        source="a popular page on tangent kernels: the kernel of attention can be computed "
        "analytically",
        part="heads",
        arm="softmax_rate",
        estimator=per_seed("at_infinity", where={"d": 128}, center="median"),
        region=near(0, 0.3),
        why="excess kurtosis at d = 128 over that at infinity, median over draws of the tokens: "
        "the constant of 1/d has a long tail over them (of 192 draws two have 1.4 and 3.3); a "
        "process that becomes Gaussian at 1/d has .1 here",
        control="tied",
        tier="laptop",
        kind="level",
        scale=1.0,
        expected="fail",
        rival=Rival(1.0, "a mixture of Gaussians over random scores"),
        reason="for finitely many heads no kernel describes it; for infinitely many the kernel is "
        "an average over Gaussian scores, without a closed form",
    ),
]

COLLAPSE = [
    claim(
        "T14_cubic_collapse",
        "One layer of softmax attention cubes the distance of nearby tokens: repeated, they would "
        "collapse doubly exponentially",
        formula=r"$\mathrm{res}(x')\sim\mathrm{res}(x)^3$",
        source="the cube as an upper bound: Dong et al. 2021, as reported; that it is attained, at "
        "1/d with queries that are keys: ours",
        part="collapse",
        arm="attention",
        estimator=loglog_slope("after", "spread"),
        region=near(3, 0.1),
        why="rows of weights differ by the distance squared, and act on values that differ by it; "
        "the next order is the distance squared, .04 at .2",
        control="with_skip",
        kind="exponent",
        rival=Rival(2.0, "who counts the weights or the values alone: squares"),
    ),
    claim(
        "T14_skip_halves",
        "With a skip connection a layer of attention whose branch has the skip's variance halves "
        "the squared distance of nearby tokens relative to their length (lengths grow, differences "
        "stay): 1 - correlation falls by 2 a layer",
        formula=r"$1-\rho\ \to\ \frac12(1-\rho)$",
        source=f"{OURS}; Dong et al. 2021 (abstract: skips stop the degeneration) speak of the "
        "distance itself, which stays",
        part="collapse",
        arm="halves",
        estimator=extrapolated("kept", "d"),
        region=near(0.5, 0.02),
        why="what tokens have in common doubles its variance, their differences stay; 1/d fitted; "
        "spread squared is .001",
        control="alone",
        kind="level",
        rival=Rival(1.0, "who carries Dong et al.'s absolute distance over to the correlation"),
    ),
]

BACKWARD = [
    claim(
        "T11_independent_readout",
        "With an independent read-out the gradient passes W^T as if it were independent of W",
        source=f"{TP2}, the condition of gradient independence, as reported",
        part="backward",
        arm="independent",
        estimator=per_seed("ratio"),
        region=near(1, 0.045),
        why="f = v . h^2 / 2, h = W x. Correction: + 2/n in the mean, 1.008 at n = 256",
        control="square",
        kind="level",
        rival=Rival(2.0, "who distrusts gradient independence for every nonlinear read-out"),
    ),
    claim(
        "T11_where_independence_fails",
        "For f = |h|^2/2 with h = W x, whose read-out is h itself, |W^T h|^2 is twice what an "
        "independent W^T would give",
        formula=r"$|W^\top h|^2/|h|^2\to2$",
        source=f"{TP2}, on its condition, as reported; the example: {OURS}",
        part="backward",
        arm="square",
        estimator=per_seed("ratio"),
        region=near(2, 0.05),
        why="E x^T (W^T W)^2 x / E |W x|^2 = 2 + 1/n, 2.004 at n = 256",
        control="independent",
        kind="level",
        rival=Rival(1.0, "who applies gradient independence without its condition"),
    ),
]

KERNELS = [
    claim(
        "T4_kernel_at_one_over_d",
        "The tangent kernel of softmax attention at 1/d has the closed form "
        "A Theta A^T + 2 A K A^T: the right trace. K = x x^T/n of the tokens, d the size of a head",
        formula=r"$\Theta'=A\Theta A'^\top+2AKA'^\top,\ A=\mathrm{softmax}\,K$",
        source=f"{HB}, their theorem as reported; a library of kernels for its attention",
        part="kernels",
        arm="closed",
        estimator=extrapolated("total", "width"),
        region=near(1, 0.05),
        why="mean trace over networks over the limit's, extrapolated in 1/n from 16 to 64",
        control="with_scores",
        kind="level",
        rival=Rival(2 / 3, "who lets queries and keys add to it, as at 1/sqrt(d)"),
    ),
    claim(
        "T4_share_of_the_stem",
        "At 1/d what passes back through softmax attention is A Theta A^T, once: the layer below, "
        "whose Theta is its K, has a quarter of the tangent kernel",
        formula=r"$\Theta'=A\Theta A'^\top+2AKA'^\top$, with the read-out $4AKA'^\top$",
        source=f"{HB}, their theorem as reported; the share: {OURS}",
        part="kernels",
        arm="closed",
        estimator=extrapolated("of_stem", "width"),
        region=near(0.25, 0.03),
        why="the stem's part of the trace over the limit's, extrapolated in 1/n from 16 to 64. "
        "T4_kernel_at_one_over_d alone, with Theta = K below, holds any a Theta + b K, a + b = 3",
        control="with_scores",
        kind="level",
        rival=Rival(0.5, "who has 2 A Theta A^T + A K A^T"),
    ),
    claim(
        "T4_rate",
        "One head at 1/d suffices for the kernel to concentrate: it is n^-1/2 from its limit",
        source=f"{HB}, as reported; the rate: Tensor Programs II, figure as reported",
        part="kernels",
        arm="closed",
        estimator=loglog_slope("deviation", "width"),
        region=near(-0.5, 0.1),
        why="fluctuations of means over n units; a bias 1/n adds .04 from n = 16 on",
        control="with_scores",
        kind="exponent",
        rival=Rival(-1.0, "who takes the order of the bias for that of the deviation"),
    ),
    claim(
        "T6_what_queries_add",
        "At 1/d queries and keys add to the tangent kernel 1/d times a constant of A and K. "
        "K = x x^T/n of the tokens, d the size of a head",
        formula=r"$d\,\Theta_Q\to\sum_{rs}K_{rs}\,\mathrm{tr}[S_rKS_s^\top K],\ "
        r"S=B+B^\top,\ B_{pq,r}=A_{pq}(\delta_{qr}-A_{pr})/T$",
        source=OURS,
        part="kernels",
        arm="closed",
        estimator=extrapolated("scaled", "width"),
        region=near(1, 0.1),
        why="measured over that constant, extrapolated in 1/n",
        control="with_scores",
        tier="laptop",
        kind="level",
        rival=Rival(0.439, "who lets queries learn and forgets that they are the keys"),
    ),
]

SCALINGS = [
    claim(
        "T5_kernel_at_one_over_root_d",
        "The mean over networks of the tangent kernel of attention at 1/sqrt(d) without softmax, "
        "which is the kernel itself for infinitely many heads, is "
        "2 <K, Theta> K + <K, K> (Theta + 4 K): the right trace. <A, B> is the sum over all pairs "
        "of tokens, K = x x^T/n, d the size of a head",
        formula=r"$\Theta'=2\langle K,\Theta\rangle K+\langle K,K\rangle(\Theta+4K)$",
        source=f"{HB}, their theorem as reported; a library of kernels for its attention",
        part="kernels",
        arm="equal",
        estimator=extrapolated("total", "width", orders=(1.0, 2.0)),
        region=near(1, 0.1),
        why="mean trace over networks over the limit's: the stem brings 1/n and 1/n^2 and no more, "
        "eight heads change the scatter and not the mean",
        control="without_scores",
        tier="laptop",
        kind="level",
        rival=Rival(4 / 3, "who takes queries and keys not to learn, as at 1/d"),
    ),
    claim(
        "T5_share_of_the_stem",
        "At 1/sqrt(d) without softmax what passes back through attention is 2 <K, Theta> K + "
        "<K, K> Theta: the layer below, whose Theta is its K, has 3/8 of the tangent kernel",
        formula=r"$2\langle K,\Theta\rangle K+\langle K,K\rangle\Theta=3\langle K,K\rangle K$ of "
        r"$8\langle K,K\rangle K$",
        source=f"{HB}, their theorem as reported; the share: {OURS}",
        part="kernels",
        arm="equal",
        estimator=extrapolated("of_stem", "width", orders=(1.0, 2.0)),
        region=near(0.375, 0.04),
        why="the stem's part of the trace over the limit's, 1/n and 1/n^2 fitted. "
        "T5_kernel_at_one_over_root_d alone, with Theta = K below, holds any a Theta + b K, "
        "a + b = 7",
        control="without_scores",
        tier="laptop",
        kind="level",
        rival=Rival(0.25, "who has the values and one side of the scores pass it back"),
    ),
    claim(
        "T7_all_matrices_alike",
        "At 1/sqrt(d) without softmax queries and keys add as much to the mean tangent kernel as "
        "values and outputs, at every width and number of heads",
        formula=r"$E\Theta_Q=E\Theta_K=E\Theta_V=E\Theta_O=E f f'$",
        source=OURS,
        part="kernels",
        arm="equal",
        estimator=per_seed(_of_all_widths, columns=("equal",)),
        region=near(1, 0.05),
        why="f is linear in each of these matrices, and E <df/dW, df'/dW> = E f f' for Gaussian W: "
        "exact; ratios of means over a block are biased below .005",
        control="closed",
        tier="laptop",
        kind="level",
        rival=Rival(0.5, "who counts queries and keys as one matrix"),
    ),
    claim(
        "T6_queries_do_not_learn",
        "At 1/d the share of queries and keys in the tangent kernel vanishes like 1/d",
        source=f"{HB}, their theorem as reported, for the limit; the rate: {OURS}",
        part="kernels",
        arm="closed",
        estimator=loglog_slope("share", "width"),
        region=near(-1, 0.1),
        why="the constant over n, and a whole that has a limit. Correction: the bias 1/n of the "
        "stem, 1.10 of the limit at n = 16 and 1.03 at 64: + .05 in the slope",
        control="equal",
        tier="laptop",
        kind="exponent",
        rival=Rival(-0.5, "who takes the share for a fluctuation"),
    ),
    claim(
        "T16_one_head_stays_random",
        "The tangent kernel of one head at 1/sqrt(d) does not concentrate with d",
        source=f"{HB}, abstract, of outputs; of kernels: {OURS}",
        part="kernels",
        arm="one_root",
        estimator=last_doubling("deviation", "width", sizes=(256, 512)),
        region=near(0, 0.15),
        why="its scores stay Gaussian; what concentrates with n is gone like 1/n, .05 from 256 to "
        "512",
        control="one_tied",
        tier="paper",
        kind="exponent",
        rival=Rival(-0.5, "who takes a wide network for deterministic whatever its heads are"),
    ),
]

BLOCK = [
    claim(
        "T10_transformer_block",
        "The tangent kernel of a transformer block (attention at 1/d, layer norm, perceptron, "
        "layer norm, two skips) has the limit of tensor programs",
        source=f"{TP2}, its transformer, with attention of {HB}",
        part="block",
        arm="block",
        estimator=extrapolated("total", "width"),
        region=near(1, 0.05),
        why="mean trace over networks over the limit's, extrapolated in 1/n from 32 to 128; the "
        "limit without the skip around attention is twice as large",
        control="no_skip",
        tier="laptop",
        kind="level",
        rival=Rival(2.15, "who forgets the skip around attention"),
    ),
    claim(
        "T10_rate",
        "The tangent kernel of a transformer block is n^-1/2 from its limit",
        source=f"{TP2}, figure of deviations as reported",
        part="block",
        arm="block",
        estimator=loglog_slope("deviation", "width"),
        region=near(-0.5, 0.1),
        why="fluctuations of means over n units; the bias 1/n adds below .05 from n = 32 on",
        control="no_skip",
        tier="laptop",
        kind="exponent",
        rival=Rival(-1.0, "who takes the order of the bias for that of the deviation"),
    ),
]

CLOSED = [
    claim(
        "T12_order_of_tokens",
        "Without positional encodings the kernel of pooled attention does not see the order of "
        "the tokens",
        source=f"{HB}, section 4 as reported",
        part="positions",
        arm="plain",
        estimator=worst("change"),
        region=at_most(1e-12),
        why="a permutation of tokens permutes K and A alike, and the mean over tokens forgets it",
        control="encoded",
        rival=Rival(0.04, "who has a third of each token be its position's"),
    ),
]

CLAIMS = [*HEADS, *COLLAPSE, *BACKWARD, *KERNELS, *SCALINGS, *BLOCK, *CLOSED]
