"""Claims on capabilities: copying, regression in context, addition, grokking, transfer."""

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

POPULAR = "a popular page on the NTK: most capability claims would not hold with frozen features"
OURS = "ours"
UNIGRAM, CHANCE = 7 / 36, 1 / 17
HALF_GAP = (UNIGRAM + 0.9) / 2


def _last(column):
    return lambda rows: float(rows.loc[rows["step"].idxmax(), column])


def _best_at_end(rows):
    return float(rows.loc[rows["step"] == rows["step"].max(), "others"].max())


def _delay(rows):
    """0 where it never generalizes: there is no late generalization then."""
    done = rows["others"].max() >= 0.9
    return float(rows.loc[rows["step"].idxmax(), "delay"]) if done else 0.0


def _largest(column):
    return lambda rows: float(rows[column].max())


def _four_or_one(heads):
    """As many heads as dimensions, or the one of the control."""
    return heads == min(4, heads.max())


COPYING = [
    Claim(
        name="C1_copies",
        statement="Two layers of attention copy the successor of a token that was seen before, in "
        "most draws",
        source="Olsson et al. 2022 (arXiv:2209.11895); the sizes are ours",
        part="copying",
        estimator=per_seed(_last("accuracy"), columns=("step", "accuracy"), center="median"),
        region=at_least(0.9),
        why="1 is possible; .9 is a convention. One layer of one head cannot look for what came "
        "before a token. A draw in some forty does not leave the guess, hence the median",
        control="one_layer",
        rival=Rival(UNIGRAM, "who has it know what was seen, but not the order"),
    ),
    Claim(
        name="C1b_by_an_induction_head",
        statement="A head of the second layer looks from the last token at the one to be copied, "
        "in most draws",
        source="Olsson et al. 2022: prefix matching",
        part="copying",
        estimator=per_seed(
            "prefix", where={"step": lambda step: step == step.max()}, center="median"
        ),
        region=at_least(0.5),
        why="more than on all other tokens together; 1/8 if it is spread evenly. A single layer "
        "does not know what came before a token; it is asked alike, in its only layer. The median, "
        "as in C1_copies",
        control="one_layer",
        rival=Rival(0.125, "who has it copy by another circuit"),
    ),
    Claim(
        name="C1d_frozen",
        statement="The frozen features of two layers of attention with one head each do not copy "
        "the successor of a token that was seen before, neither trained at the best rate nor "
        "solved",
        source=POPULAR,
        part="copying",
        arm="frozen",
        estimator=per_seed(_largest("accuracy"), columns=("accuracy",)),
        region=at_most(HALF_GAP),
        why="half of the way from what is known without the order, 7/36, to .9; the largest of all "
        "rates and the solution. The control is the same solution, linearized after training",
        control="late",
        tier="laptop",
        rival=Rival(0.9, "who has wide enough kernels do all that networks do"),
    ),
    Claim(
        name="C1e_kernel_at_first",
        statement="A two-layer attention network whose features are frozen after 50 of 400 "
        "steps does not learn to copy what followed an earlier token in the steps "
        "that are left",
        source="against Fort et al. 2020 (arXiv:2010.15110) read as: the kernel takes over early",
        part="copying",
        arm="half",
        estimator=per_seed(_last("accuracy"), columns=("step", "accuracy"), where={}),
        region=at_most(HALF_GAP),
        why="features have not formed yet. Frozen after 200 steps, when they have, it goes on to 1",
        control="formed",
        tier="laptop",
        rival=Rival(0.9, "who has the kernel take over after a few steps"),
    ),
]

CONTEXT = [
    Claim(
        name="C2_regression_needs_heads",
        statement="With as many heads as dimensions, frozen features of linear attention attain "
        "the best one-step regression in context",
        formula=r"$\mathbb{E}(f-f^*)^2/\mathrm{Var}\,y\leq .009,\ H=d=4$",
        source="Ahn et al. 2023 (the optimum is one preconditioned step); the count of heads: ours",
        part="regression",
        arm="frozen",
        estimator=per_seed("excess", where={"heads": _four_or_one}),
        region=at_most(0.009),
        why="the optimum lies in the span (C2x); 85 features of 8000 prompts cost 85/8000 of the "
        "noise, .003; half of what three heads leave. One head leaves out 3/4 of the coordinates",
        control="one_head",
        rival=Rival(0.018, "who has three heads do: their excess, measured"),
    ),
    Claim(
        name="C2_popular_needs_features",
        statement="In-context regression needs features at any number of heads: frozen ones miss "
        "the optimum by .05 of the variance with d heads as well",
        source=POPULAR,
        part="regression",
        arm="frozen",
        estimator=per_seed("excess", where={"heads": _four_or_one}),
        region=at_least(0.05),
        why="what would follow; one head does miss it by as much",
        control="one_head",
        expected="fail",
        reason="the optimum is linear in fixed cubic features, and d heads span them. (The same "
        "number as in C2_regression_needs_heads, read against the sentence.)",
        rival=Rival(0.003, "the count of heads: 85 features of 8000 prompts"),
    ),
    Claim(
        name="C2x_span",
        statement="The best one-step predictor lies in the span of frozen features if there are d "
        "heads",
        formula=r"$dm(m+1)/2\leq Hm,\ m=d+1-H\ \Leftrightarrow\ H\geq d$",
        source="ours: a count of dimensions, said after d = 2, 4 had been measured and before 3, "
        "5, 6",
        part="span",
        estimator=worst(_largest("residual"), columns=("residual",)),
        region=at_most(1e-10),
        why="exact but for rounding; with d - 1 heads m = 2, 3 d numbers are wanted and 2 (d - 1) "
        "are there: d + 2 are missing",
        control="fewer",
        rival=Rival(0.1, "who asks for d + 1 heads"),
    ),
    Claim(
        name="C2b_trained",
        statement="One head whose features move attains the best one-step regression in context, "
        "in most draws",
        source="Ahn et al. 2023; Zhang, Frei & Bartlett 2024",
        part="regression",
        estimator=per_seed("excess", where={"heads": 1}, center="median"),
        region=at_most(0.009),
        why="as in C2_regression_needs_heads: the optimum is p = e_y, Q = (1, 0); 24 parameters "
        "of 8000 prompts. Frozen, one head "
        "misses it. A draw in some thirty does not leave the start (excess .53), hence the median",
        control="one_head",
        tier="laptop",
        rival=Rival(0.22, "who has one head do no better than its tangent, measured"),
    ),
]

ADDITION = [
    Claim(
        name="C3_kernel_below_chance",
        statement="The kernel of infinite width is right less often than chance on sums that it "
        "has not seen, at the best of all ridges",
        formula=r"$\mathrm{accuracy}<1/p$",
        source="ours; reported of Mohamadi et al. 2024 (arXiv:2407.12332): kernels need a constant "
        "share of all pairs",
        part="addition",
        estimator=per_seed("best"),
        region=at_most(CHANCE / 2),
        why="the right class has the least score off the pairs that were seen; half of chance "
        "allows for the table's imbalance. The network's kernel after training is right",
        control="trained",
        rival=Rival(CHANCE, "who takes frozen for chance"),
    ),
    Claim(
        name="C3_popular_chance",
        statement="Frozen features do as well as chance on modular addition",
        source=POPULAR,
        part="addition",
        estimator=per_seed("accuracy"),
        region=near(CHANCE, 0.02),
        why="what would follow, and does for sums that are permuted among the seen pairs",
        control="shuffled",
        expected="fail",
        reason="symmetry makes them worse than chance: 0",
        kind="level",
        rival=Rival(0.0, "the count of rows and columns"),
    ),
    Claim(
        name="C3_frozen_arm",
        statement="The network's linearization, trained by the same optimizer, does no better than "
        "chance on sums that it has not seen",
        source=POPULAR,
        part="grokking",
        arm="frozen",
        estimator=per_seed(_best_at_end, columns=("step", "others")),
        region=at_most(CHANCE),
        why="its kernel is that of a finite width, with the same symmetry on average; at the "
        "network's own rate, at the best of three rates in the paper tier",
        control="theory",
        tier="laptop",
        rival=Rival(0.5, "who has it learn later"),
    ),
    Claim(
        name="C3_kernel_after_training",
        statement="The tangent kernel that a network has after 500 steps on addition modulo 17 "
        "is right on sums that it has not seen",
        source="ours; Mallinar et al. 2024 (arXiv:2407.20199) of kernels whose features are "
        "learned",
        part="addition",
        arm="trained",
        estimator=per_seed("best"),
        region=at_least(0.9),
        why="the network does, and its kernel has its features; .9 is a convention",
        control="own",
        rival=Rival(CHANCE, "who has the read-out alone generalize"),
    ),
    Claim(
        name="C3b_groks",
        statement="On addition modulo 17 the network generalizes long after it fits: after "
        "at least three times as many steps",
        formula=r"$\log_{10}(t_{test\ .9}/t_{train\ .95})\geq .5$",
        source="Power et al. 2022 (arXiv:2201.02177); Gromov 2023 (arXiv:2301.02679)",
        part="grokking",
        estimator=per_seed(_delay, where={"factor": 1.0}, columns=("step", "others", "delay")),
        region=at_least(0.5),
        why="a factor 3, a convention; from a small start without decay it is .25. A network that "
        "never generalizes counts as 0",
        control="small_start",
        tier="laptop",
        rival=Rival(0.25, "who has it generalize as soon as from a small start"),
    ),
    Claim(
        name="C3c_scale",
        statement="On addition modulo 17 without weight decay, the time to generalize over that to "
        "fit grows with the scale of the output",
        source="Kumar et al. 2023 (arXiv:2310.06110)",
        part="dial",
        estimator=loglog_slope("delay", "alpha"),
        region=at_least(0.0),
        why="a larger scale is lazier; the sign is the statement. Control: nothing generalizes "
        "there; its delay is 10000 over the time to fit, minus the fit's exponent",
        control="shuffled",
        tier="laptop",
        rival=Rival(-0.1, "who has the scale delay the fit alone, as of permuted sums"),
    ),
]

LINEAR = [
    Claim(
        name="C3d_delay_without_features",
        statement="A linear model that starts away from zero generalizes after a time that grows "
        "like 1 / decay",
        formula=r"$t_{test}\sim\lambda^{-1}$",
        source="Levi, Beck & Bar-Sinai 2023 (arXiv:2310.16441): linear models grok; the law: ours",
        part="forgetting",
        estimator=loglog_slope("general", "decay"),
        region=near(-1, 0.05),
        why="what no example sees is forgotten at the rate eta lambda. Correction: decay over the "
        "eigenvalue of directions that examples see weakly, + .01 in the slope up to decay .01",
        control="zero",
        kind="exponent",
        rival=Rival(0.0, "who takes the delay for a change from lazy to rich"),
    ),
    Claim(
        name="C3d_popular_no_delay",
        statement="A model whose features do not move, here a linear one, generalizes when it "
        "fits: no delay beyond a factor 3",
        formula=r"$\log_{10}(t_{test}/t_{train})\leq .5$",
        source="popular reading of Kumar et al. 2023: grokking is the passage from lazy to rich",
        part="forgetting",
        estimator=per_seed("delay", where={"decay": 0.001}),
        region=at_most(0.5),
        why="what would follow; from a start at zero it is so",
        control="zero",
        expected="fail",
        reason="the start is forgotten at the rate of the decay alone: a factor 60",
        rival=Rival(1.8, "who has the start forgotten by the decay alone"),
    ),
]

TRANSFER = [
    Claim(
        name="C4_transfer",
        statement="Features moved by a first task explain at least 5 % more of a second one than "
        "the best frozen ones, with 80 examples",
        source=POPULAR,
        part="transfer",
        estimator=per_seed("gain", where={"samples": 80}),
        region=at_most(-0.05),
        why="the margin of a reader's own network; both tasks are of the same six coordinates. "
        "Lazy features have not moved",
        control="lazy",
        rival=Rival(0.0, "who has lazy training transfer, by what was learned of the first task"),
        tier="laptop",
    ),
    Claim(
        name="C4_unrelated",
        statement="On 80 samples of a second task, of other coordinates, the kernel of features "
        "that a first task has moved explains no more than the best frozen ones do, to .05 of the "
        "variance",
        source=OURS,
        part="transfer",
        arm="unrelated",
        estimator=per_seed("gain", where={"samples": 80}),
        region=at_least(-0.05),
        why="features of six coordinates say nothing of four others",
        control="theory",
        tier="laptop",
        rival=Rival(-0.5, "who has training help whatever follows"),
    ),
]

CAPABILITIES = [*COPYING, *CONTEXT, *ADDITION, *LINEAR, *TRANSFER]
