"""What Tensor Programs IV and V predict, and what is often said of them."""

from functools import partial

from pandas import DataFrame

from replications.yang2021_mutransfer import optimum
from widenets.evidence import Claim, at_least, at_most, loglog_slope, near, per_seed, worst

TP4 = "Yang & Hu 2021, arXiv:2011.14522"
TP5 = "Yang, Hu et al. 2022, arXiv:2203.03466"
MUP, SP, NTP, SP_OVER_N = "maximal_update", "standard", "ntk", "standard_over_n"
NAMES = {MUP: "muP", SP: "SP", NTP: "NTK parameterization", SP_OVER_N: "SP with rate 1/n"}

HALF_STEP = (
    "half of 1/2, the gap between neighbouring predictions, so that no two are accepted at once; "
    "over three doublings less than an octave, which the paper calls a slight shift"
)
FREE_NATS = (
    "0.02 nats is 1 % of the loss, about what other batches change; the penalty of SP is an order "
    "larger"
)

SWEEP = ("width", "log2_rate", "share", "loss")


def rate_exponent(**where):
    return per_seed(optimum.rate_exponent, where=where or None, columns=SWEEP)


def sweep(statistic, floor=None, **options):
    return per_seed(partial(statistic, **options), columns=SWEEP, floor=floor)


# -- M1-M5: the exponent of the optimal learning rate --------------------------------------------

RATES = [
    Claim(
        name="M1_transformer_rate_is_stable",
        statement="In muP the optimal learning rate of a transformer does not depend on width.",
        source=f"{TP5}, Figure 1 right, Definition 4.1",
        part="transformer",
        estimator=rate_exponent(),
        region=near(0.0, 0.25),
        why=HALF_STEP,
        arm=MUP,
        control=SP,
        formula="lr* ~ n^0 (Adam)",
        tier="laptop",
    ),
    Claim(
        name="M2_standard_transformer_rate_shifts",
        statement="In SP with Adam and zero read-out the optimal rate falls as 1/n.",
        source=f"{TP5}, Figure 1 left, Appendix J.3",
        part="transformer",
        estimator=rate_exponent(),
        region=near(-1.0, 0.25),
        why=HALF_STEP,
        arm=SP,
        control=MUP,
        formula="lr* ~ n^-1 (Adam)",
        tier="laptop",
    ),
    *(
        Claim(
            name=f"{name}_{arm}_{optimizer}",
            statement=f"MLP, {optimizer.upper()}: in {NAMES[arm]} the optimal rate goes as "
            f"n^{exponent:g}.",
            source=source,
            part="mlp",
            estimator=rate_exponent(optimizer=optimizer),
            region=near(exponent, 0.25),
            why=HALF_STEP,
            arm=arm,
            control=control,
            formula=f"lr* ~ n^{exponent:g}",
            tier=tier,
        )
        for name, arm, optimizer, exponent, control, tier, source in (
            ("M3", MUP, "sgd", 0.0, SP, "laptop", f"{TP5}, Figure 3 right"),
            ("M3", SP, "sgd", -0.5, MUP, "laptop", f"{TP5}, Figure 3 left; exponent derived here"),
            ("M4", MUP, "adam", 0.0, SP, "laptop", f"{TP5}, Table 3"),
            ("M4", SP, "adam", -1.0, MUP, "paper", f"{TP5}, Table 3 and Appendix J.3"),
            ("M4", NTP, "adam", -0.5, MUP, "laptop", "rates of Table 3; exponent derived here"),
            ("M5", NTP, "sgd", 0.5, MUP, "laptop", f"{TP5}, Appendix J.3; exponent derived here"),
        )
    ),
    Claim(
        name="M5_popular_ntk_rate_is_stable",
        statement="The NTK parameterization has a width-independent learning rate.",
        source="popular statement",
        part="mlp",
        estimator=rate_exponent(optimizer="sgd"),
        region=near(0.0, 0.25),
        why=HALF_STEP,
        arm=NTP,
        control=MUP,
        formula="lr* ~ n^0 (SGD)",
        tier="laptop",
        expected="fail",
        reason="True of its largest stable rate under a squared loss. Under cross-entropy the best "
        "rate grows as n^1/2, until features move after all.",
    ),
]

# -- M6-M8: what the narrow network's rate is worth -----------------------------------------------

FIXED_RATES = (-8.0, -7.0, -6.0, -5.0, -4.0)  # up to twice the optimum at base width
TRANSFER = [
    Claim(
        name="M6_zero_shot_transfer",
        statement="In muP the widest network loses nothing by the narrowest one's optimal rate.",
        source=f"{TP5}, Algorithm 1, Tables 4-7",
        part="transformer",
        estimator=sweep(optimum.transfer_penalty, floor=0.0),
        region=at_most(0.02),
        why=FREE_NATS,
        arm=MUP,
        control=SP,
        formula="L(n_max, lr*(n_min)) - min L(n_max, .) = 0",
        tier="laptop",
    ),
    Claim(
        name="M6_popular_standard_transfers",
        statement="A learning rate tuned on a small standard network suits the wide one.",
        source="popular statement",
        part="transformer",
        estimator=sweep(optimum.transfer_penalty, floor=0.0),
        region=at_most(0.02),
        why=FREE_NATS,
        arm=SP,
        control=MUP,
        tier="laptop",
        expected="fail",
        reason="The optimum of SP falls as 1/n (M2), so the narrow rate is too large.",
    ),
    Claim(
        name="M7_wider_is_better",
        statement="In muP, at every fixed rate up to twice the optimum, the loss falls with width.",
        source=f"{TP5}, Figure 8, Section 8",
        part="transformer",
        estimator=sweep(optimum.worst_trend, log2_rates=FIXED_RATES),
        region=at_most(0.0),
        why="the sign of the statement, at the worst of the rates",
        arm=MUP,
        control=SP,
        formula="max over lr of dL / d log2(n) <= 0",
        tier="laptop",
    ),
    Claim(
        name="M7_wider_is_better_throughout",
        statement="In muP, at the base width's optimal rate, wider is better at every time.",
        source=f"{TP5}, Figure 7 left",
        part="transformer",
        estimator=sweep(optimum.worst_trend_in_time, log2_rate=-5.0),
        region=at_most(0.0),
        why="the sign of the statement, at the worst of six time windows",
        arm=MUP,
        control=SP,
        tier="laptop",
    ),
    Claim(
        name="M7_popular_wider_is_always_better",
        statement="Wider is better at fixed hyperparameters, in any parameterization.",
        source="popular statement",
        part="transformer",
        estimator=sweep(optimum.worst_trend, log2_rates=FIXED_RATES),
        region=at_most(0.0),
        why="the sign of the statement, at the worst of the rates",
        arm=SP,
        control=MUP,
        tier="laptop",
        expected="fail",
        reason="In SP a rate that is right for a narrow network is too large for a wide one.",
    ),
    Claim(
        name="M8_standard_small_and_large_rate",
        statement="In SP widening helps at a small rate and hurts at a large one.",
        source=f"{TP5}, Figure 7 middle and right",
        part="transformer",
        estimator=sweep(optimum.good_when_slow_bad_when_fast, slow=-9.0, fast=-4.0),
        region=at_least(0.0),
        why="both changes have the sign of the figure: 2^-9 is below the optimum of all widths but "
        "the last, 2^-4 is above that of the first",
        arm=SP,
        control=MUP,
        formula="min(L(n_min) - L(n_max) at 2^-9, L(n_max) - L(n_min) at 2^-4) > 0",
        tier="laptop",
    ),
]

# -- M9, M10: coordinate checks -------------------------------------------------------------------

FIRST_STEP = (
    "entries differ by 1/2 between parameterizations; 0.15 leaves room for corrections of "
    "order n^-1/2, which are 0.06 for muP's h2 from 128 on"
)


def change_exponent(layer, optimizer=None, step=1):
    where = {"layer": layer, "step": step} | ({"optimizer": optimizer} if optimizer else {})
    return loglog_slope("change", "width", where=where)


COORDINATES = [
    Claim(
        name=f"M9_{arm}_{optimizer}_{layer}" + ("_step_4" if step == 4 else ""),
        statement=f"Coordinate check, {optimizer.upper()}: after {step} step(s) {layer} has moved "
        f"by n^{exponent:g} in {NAMES[arm]}.",
        source=f"{TP5}, Appendix D.1, Figure 5; exponent from the rules of {TP4}",
        part="coordinates",
        estimator=change_exponent(layer, optimizer, step),
        region=near(exponent, 0.15),
        why=FIRST_STEP,
        arm=arm,
        control=control,
        formula=f"rms({layer}_{step} - {layer}_0) ~ n^{exponent:g}",
    )
    for arm, optimizer, layer, step, exponent, control in (
        (MUP, "sgd", "h1", 1, 0.0, SP),
        (MUP, "sgd", "h2", 1, 0.0, SP),
        (MUP, "sgd", "h2", 4, 0.0, SP),
        (SP, "sgd", "h1", 1, -0.5, MUP),
        (SP, "sgd", "h2", 1, 0.5, MUP),
        (SP_OVER_N, "sgd", "h1", 1, -1.5, SP),
        (NTP, "sgd", "h2", 1, -0.5, MUP),
        (MUP, "adam", "h2", 1, 0.0, SP),
        (MUP, "adam", "h2", 4, 0.0, SP),
        (SP, "adam", "h2", 1, 1.0, MUP),
        (SP_OVER_N, "adam", "h1", 1, -1.0, SP),
        (NTP, "adam", "h2", 1, 0.5, MUP),
    )
] + [
    Claim(
        name=f"M9_{MUP}_{optimizer}_f",
        statement=f"Coordinate check, {optimizer.upper()}: in muP the outputs' first step does not "
        "grow with width.",
        source=f"{TP5}, Figure 5",
        part="coordinates",
        estimator=change_exponent("f", optimizer),
        region=at_most(0.15),
        why="one-sided: the outputs of a narrow network start larger, by n^-1/2, and "
        "the exponent approaches 0 from below",
        arm=MUP,
        control=SP,
    )
    for optimizer in ("sgd", "adam")
]

GROWS, FLAT = at_least(0.25), at_most(0.1)
TRANSFORMER_COORDINATES = [
    Claim(
        name=f"M10_{name}",
        statement=statement,
        source=f"{TP5}, Figure 5",
        part="transformer_coordinates",
        estimator=change_exponent(layer),
        region=region,
        why=why,
        arm=arm,
        control=control,
    )
    for name, statement, layer, region, why, arm, control in (
        ("standard_logits", "In SP the logits' first step grows with width.", "f", GROWS,
         "half of the slowest growth that the rules allow (n^1/2)", SP, MUP),
        ("standard_attention", "In SP the attention logits' first step grows with width.",
         "attention", GROWS, "half of the slowest growth that the rules allow (n^1/2)", SP, MUP),
        ("standard_embedding", "In SP the word embedding moves alike at all widths.", "embedding",
         near(0.0, 0.2), "an Adam step of an input-like weight is n^0", SP, SP_OVER_N),
        ("logits", "In muP the logits' first step does not grow.", "f", FLAT,
         "theory says 0; SP has at least 1/2", MUP, SP),
        ("attention", "In muP the attention logits' first step does not grow.", "attention", FLAT,
         "one-sided: q and k are uncorrelated at first, so that 1/d_head shrinks their product "
         "as d_head^-1/2", MUP, SP),
    )
]  # fmt: skip

# -- M11: one function, several ways to write it ---------------------------------------------------

IDENTITIES = [
    Claim(
        name=f"M11_{form}_{optimizer}",
        statement=statement,
        source=source,
        part="identity",
        estimator=worst("difference", where={"form": form, "optimizer": optimizer}),
        region=at_most(bound),
        why="float64 rounding of logits of order 1 over 8 steps"
        + ("; Adam's epsilon is the only term that scales otherwise" if bound > 1e-12 else ""),
        control="forgotten",
        formula="max |f - f'| = 0",
    )
    for form, optimizer, bound, statement, source in (
        *(
            (f"table_{table}", optimizer, bound,
             f"Tables 3 and {table} of muP are one training run ({optimizer.upper()}).",
             f"{TP5}, Lemma J.1")
            for table in (8, 9)
            for optimizer, bound in (("sgd", 1e-12), ("adam", 1e-7))
        ),
        ("mean_field", "sgd", 1e-12,
         "With one hidden layer muP is the mean-field parameterization.", f"{TP4}, Section 3"),
        ("standard", "adam", 1e-12, "At base width muP is SP.", f"{TP5}, Definition A.2"),
    )
]  # fmt: skip

# -- Tensor Programs IV: which limits learn features -----------------------------------------------

FEATURES = [
    Claim(
        name=f"T4_features_{arm}",
        statement=f"In {NAMES[arm]} the hidden features move by n^{exponent:g} during training.",
        source=f"{TP4}, Dynamical Dichotomy (r)",
        part="features",
        estimator=loglog_slope("feature_change", "width"),
        region=near(exponent, 0.15),
        why="r is 0 or 1/2; 0.15 leaves room for corrections of order n^-1/2",
        arm=arm,
        control=control,
        formula="|h_t - h_0| / |h_0| ~ n^-r",
    )
    for arm, exponent, control in ((MUP, 0.0, NTP), (NTP, -0.5, MUP), (SP_OVER_N, -0.5, MUP))
] + [
    Claim(
        name="T4_kernel_maximal_update",
        statement="In muP the kernel of the last features keeps changing as the width grows.",
        source=f"{TP4}, feature learning limit",
        part="features",
        estimator=loglog_slope("kernel_change", "width"),
        region=at_least(-0.25),
        why="theory says exponent 0, and at most -1/2 in a kernel limit; half-way between",
        arm=MUP,
        control=NTP,
        formula="|K_t - K_0| / |K_0| ~ n^0",
    ),
    Claim(
        name="T4_kernel_ntk",
        statement="In the NTK parameterization the kernel of the last features freezes.",
        source=f"{TP4}, kernel limit",
        part="features",
        estimator=loglog_slope("kernel_change", "width"),
        region=at_most(-0.25),
        why="an upper bound: the kernel moves no more than the features, n^-1/2; half-way to 0",
        arm=NTP,
        control=MUP,
        formula="|K_t - K_0| / |K_0| <= O(n^-1/2)",
    ),
]

# -- M12: other hyperparameters --------------------------------------------------------------------


def best_multiplier_shift(rows: DataFrame) -> float:
    """Octaves by which the best value moves from the narrowest to the widest network."""
    best = optimum.best_setting(rows)
    return best[max(best)] - best[min(best)]


OTHERS = [
    Claim(
        name="M12_output_multiplier",
        statement="In muP the best output multiplier does not depend on width.",
        source=f"{TP5}, Figure 4, Table 2",
        part="hyperparameter",
        estimator=per_seed(best_multiplier_shift, where={"name": "output_multiplier"}),
        region=near(0.0, 1.0),
        why="half a step of the paper's grid of factors of four",
        arm=MUP,
        control=SP,
        formula="alpha*(n_max) / alpha*(n_min) = 1, in octaves",
        tier="laptop",
    ),
    *(
        Claim(
            name=f"M12_{name}",
            statement=f"In muP the best {what} of the narrow network is as good for the wide one.",
            source=f"{TP5}, Figure 4, Table 2",
            part="hyperparameter",
            estimator=per_seed(optimum.setting_penalty, where={"name": name}),
            region=at_most(0.02),
            why=FREE_NATS,
            arm=MUP,
            control=SP,
            tier="laptop",
        )
        for name, what in (("initial_scale", "initial scale"), ("schedule", "schedule"))
    ),
]

DECAYS = [
    Claim(
        name=name,
        statement=statement,
        source=source,
        part="weight_decay",
        estimator=per_seed(optimum.decay_exponent, columns=("width", "place", "loss")),
        region=region,
        why=why,
        arm="scaled",
        control="independent",
        formula="best decay ~ n^e",
        tier="laptop",
        expected=expected,
        reason=reason,
    )
    for name, statement, source, region, why, expected, reason in (
        ("M16_weight_decay_does_not_transfer",
         "Regularization does not transfer: the best weight decay of muP with AdamW grows with n.",
         f"{TP5}, Table 1, Appendix E.1; direction derived here", at_least(0.25),
         "one-sided: the hidden layer's decay per step is its rate times the decay, which falls as "
         "1/n (exponent 1 if only that counted, 0 without it); a quarter excludes 0 as elsewhere",
         "pass", ""),
        ("M16_popular_all_transfers", "Under muP all hyperparameters transfer.",
         "popular statement", at_most(0.25), "the other side of the same bound", "fail",
         "Decoupled decay is multiplied by rates that muP scales by 1/n; the paper itself lists "
         "regularization among what does not transfer."),
    )
]  # fmt: skip

CLAIMS = [
    *DECAYS,
    *RATES, *TRANSFER, *COORDINATES, *TRANSFORMER_COORDINATES, *IDENTITIES, *FEATURES, *OTHERS,
]  # fmt: skip
