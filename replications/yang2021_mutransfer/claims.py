"""What Tensor Programs IV and V predict, and what is often said of them."""

import math
from functools import partial

from pandas import DataFrame

from replications.yang2021_mutransfer import optimum
from widenets.evidence import (
    Claim,
    Rival,
    at_least,
    at_most,
    corrected_slope,
    jackknife,
    loglog_slope,
    near,
    per_seed,
    worst,
)

TP4 = "Yang & Hu 2021, arXiv:2011.14522"
TP5 = "Yang, Hu et al. 2022, arXiv:2203.03466"
MUP, SP, NTP, SP_OVER_N = "maximal_update", "standard", "ntk", "standard_over_n"
HALFWAY = "halfway"
NAMES = {
    MUP: "muP",
    SP: "SP",
    NTP: "NTK parameterization",
    SP_OVER_N: "SP with rate 1/n",
    HALFWAY: "the rule half-way between muP and the NTK parameterization",
}
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}

HALF_STEP = (
    "half of 1/2, the gap between neighbouring predictions, so that no two are accepted at once; "
    "over two or three doublings less than an octave, which the paper calls a slight shift"
)
NO_LAW_OF_OUTPUTS = Rival(
    -0.5, "who scales the read-out's rate as the NTK parameterization does under Adam"
)
NO_LAW = Rival(-0.5, "who scales rates as the NTK parameterization does under Adam")
NO_HARM = Rival(0.01, "who sees width hurt, if by less than a tenth of what SP does")
FREE_NATS = (
    "0.02 nats is 1 % of the loss, about what other batches change; the penalty of SP is an order "
    "larger"
)

LOST = Rival(0.04, "who lets the wide network lose twice what other batches change")


def sweep(statistic, floor=None, **options):
    return per_seed(partial(statistic, **options), columns=optimum.SWEEP, floor=floor)


# -- M1-M5: the exponent of the optimal learning rate --------------------------------------------

RATES = [
    Claim(
        name="M1_transformer_rate_is_stable",
        statement="In muP the optimal learning rate of a transformer does not depend on width.",
        source=f"{TP5}, Figure 1 right, Definition 4.1",
        part="transformer",
        estimator=optimum.rate_exponent(),
        region=near(0.0, 0.25),
        why=HALF_STEP,
        arm=MUP,
        control=SP,
        formula="lr* ~ n^0 (Adam)",
        kind="exponent",
        rival=NO_LAW,
        tier="laptop",
    ),
    Claim(
        name="M2_standard_transformer_rate_shifts",
        statement="In SP with Adam and zero read-out the optimal rate falls as 1/n.",
        source=f"{TP5}, Figure 1 left, Appendix J.3",
        part="transformer",
        estimator=optimum.rate_exponent(),
        region=near(-1.0, 0.25),
        why=HALF_STEP,
        arm=SP,
        control=MUP,
        formula="lr* ~ n^-1 (Adam)",
        kind="exponent",
        rival=NO_LAW,
        tier="laptop",
    ),
    *(
        Claim(
            name=f"{name}_{arm}_{optimizer}",
            statement=f"In {NAMES[arm]} the optimal rate of a perceptron goes as n^{exponent:g} "
            f"under {OPTIMIZERS[optimizer]}.",
            source=source,
            part="mlp",
            estimator=optimum.rate_exponent(optimizer),
            region=near(exponent, 0.25),
            why=f"{HALF_STEP}. Neighbours 1/4 apart are not told apart: that would take widths up "
            "to 4096. Correction: the narrowest widths bend the line by about n^-1/2, +.1 over "
            "two or three doublings, and the place of a minimum is too noisy to take that out",
            arm=arm,
            control=control,
            formula=f"lr* ~ n^{exponent:g}",
            tier=tier,
            kind="exponent",
            rival=Rival(rival, who),
        )
        for name, arm, optimizer, exponent, control, tier, source, rival, who in (
            (
                "M3",
                MUP,
                "sgd",
                0.0,
                SP,
                "laptop",
                f"{TP5}, Figure 3 right",
                0.5,
                "who takes muP for the NTK parameterization",
            ),
            (
                "M3",
                SP,
                "sgd",
                -0.5,
                MUP,
                "laptop",
                f"{TP5}, Figure 3 left; exponent derived here",
                0.0,
                "who tunes once for all widths",
            ),
            (
                "M4",
                MUP,
                "adam",
                0.0,
                SP,
                "laptop",
                f"{TP5}, Table 3",
                -0.5,
                "who scales rates as the NTK parameterization does under Adam",
            ),
            (
                "M4",
                SP,
                "adam",
                -1.0,
                MUP,
                "paper",
                f"{TP5}, Table 3 and Appendix J.3",
                -0.5,
                "who carries the exponent of SGD over to Adam",
            ),
            (
                "M4",
                NTP,
                "adam",
                -0.5,
                MUP,
                "laptop",
                "rates of Table 3; exponent derived here",
                0.0,
                "who calls the NTK parameterization's rate independent of width",
            ),
            (
                "M5",
                NTP,
                "sgd",
                0.5,
                MUP,
                "laptop",
                f"{TP5}, Appendix J.3; exponent derived here",
                0.0,
                "who calls the NTK parameterization's rate independent of width",
            ),
        )
    ),
    Claim(
        name="M5_popular_ntk_rate_is_stable",
        statement="The NTK parameterization has a width-independent learning rate.",
        source="popular introductions to the NTK, which say it of any loss",
        part="mlp",
        estimator=optimum.rate_exponent("sgd"),
        region=near(0.0, 0.25),
        why=HALF_STEP,
        arm=NTP,
        control=MUP,
        formula="lr* ~ n^0 (SGD)",
        tier="laptop",
        kind="exponent",
        rival=Rival(0.5, "the rules: under cross-entropy the best rate grows as n^1/2"),
        expected="fail",
        reason="True of its largest stable rate under a squared loss. Under cross-entropy the best "
        "rate grows as n^1/2, until features move after all. (The number of M5_ntk_sgd, read "
        "against this statement.)",
    ),
]

# -- M6-M8: what the narrow network's rate is worth -----------------------------------------------

FIXED_RATES = (-8.0, -7.0, -6.0, -5.0, -4.0)  # an eighth to twice the optimum at base width
TRANSFER = [
    Claim(
        name="M6_zero_shot_transfer",
        statement="In muP the widest network loses nothing by the narrowest one's optimal rate.",
        source=f"{TP5}, Algorithm 1, Tables 4-7",
        part="transformer",
        estimator=sweep(optimum.transfer_penalty, floor=0.0),
        region=at_most(0.02),
        why=FREE_NATS,
        rival=LOST,
        arm=MUP,
        control=SP,
        formula="L(n_max, lr*(n_min)) - min L(n_max, .) = 0",
        tier="laptop",
    ),
    Claim(
        name="M6_across_steps",
        statement="In muP the rate that is best for the narrowest network in the first half of the "
        "steps loses the widest one nothing in the second: rates transfer across steps too.",
        source=f"{TP5}, reported as Table 1 (across training time: found, not proved)",
        part="transformer",
        estimator=sweep(optimum.penalty_across_steps, floor=0.0),
        region=at_most(0.02),
        why=f"{FREE_NATS}. Across a factor of two in the steps; the best rate itself falls by half "
        "an octave from half to half, at both widths: half an octave of drift costs the widest "
        "network at most .02 nats. The control fails by width, not by steps",
        rival=LOST,
        arm=MUP,
        control=SP,
        tier="laptop",
    ),
    Claim(
        name="M6_popular_standard_transfers",
        statement="A learning rate tuned on a small standard network suits the wide one.",
        source="the usual practice before muP, described so in the paper's introduction; the "
        "number is the control of M6_zero_shot_transfer, read as a statement of its own",
        part="transformer",
        estimator=sweep(optimum.transfer_penalty, floor=0.0),
        region=at_most(0.02),
        why=FREE_NATS,
        rival=LOST,
        arm=SP,
        control=MUP,
        tier="laptop",
        expected="fail",
        reason="The optimum of SP falls as 1/n (M2), so the narrow rate is too large.",
    ),
    Claim(
        name="M7_wider_is_better",
        statement="In muP, at every fixed rate from an eighth of the optimum to twice it, the loss "
        "falls with width.",
        source=f"{TP5}, Figure 8, Section 8",
        part="transformer",
        estimator=sweep(optimum.worst_trend, log2_rates=FIXED_RATES),
        region=at_most(0.0),
        why="the sign of the statement, at the worst of the rates",
        rival=NO_HARM,
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
        rival=NO_HARM,
        arm=MUP,
        control=SP,
        tier="laptop",
    ),
    Claim(
        name="M7_popular_wider_is_always_better",
        statement="Wider is better at fixed hyperparameters, in any parameterization.",
        source="popular reading of scaling laws; the number is the control of M7_wider_is_better, "
        "read as a statement of its own",
        part="transformer",
        estimator=sweep(optimum.worst_trend, log2_rates=FIXED_RATES),
        region=at_most(0.0),
        why="the sign of the statement, at the worst of the rates",
        rival=NO_HARM,
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
        rival=Rival(-0.05, "muP, where a large rate hurts no wide network"),
        arm=SP,
        control=MUP,
        formula="min(L(n_min) - L(n_max) at 2^-9, L(n_max) - L(n_min) at 2^-4) > 0",
        tier="laptop",
    ),
]

# -- M9, M10: coordinate checks -------------------------------------------------------------------

FIRST_STEP = (
    "entries differ by 1/2 between parameterizations. The step of h1 is a sum over inputs, whose "
    "number is fixed (accepted: .08); that of h2 over n terms, to which chance adds (accepted: "
    ".15). Correction: of h1 relatively 1/n, .01 in the slope from 128 on; of h2 n^-1/2, .06"
)
SUM_OVER_NEURONS = (
    "entries differ by 1/2 between parameterizations; a fifth of that. The step is a sum over n "
    "terms of what a draw of weights has: moments of such sums have expansions in 1/n, whose first "
    "term, .05 in the slope from 128 on, is fitted; the next leaves .01"
)
TOLERANCE = {"h1": 0.08, "h2": 0.15}


def change_exponent(layer, optimizer=None, step=1, slope=loglog_slope):
    where = {"layer": layer, "step": step} | ({"optimizer": optimizer} if optimizer else {})
    return slope("change", "width", where=where)


def exponent_of_change(exponent, layer, optimizer, step):
    """Estimator, region, its reason, and the tier that has the widths and seeds for it."""
    if (layer, step) != ("h2", 1):
        return {
            "estimator": change_exponent(layer, optimizer, step),
            "region": near(exponent, TOLERANCE[layer]),
            "why": FIRST_STEP,
        }
    return {
        "estimator": change_exponent(layer, optimizer, 1, partial(corrected_slope, order=1.0)),
        "region": near(exponent, 0.1),
        "why": SUM_OVER_NEURONS,
        "tier": "laptop",
    }


COORDINATES = [
    Claim(
        name=f"M9_{arm}_{optimizer}_{layer}" + ("_step_4" if step == 4 else ""),
        statement=f"After {step} step{'s' * (step > 1)} of {OPTIMIZERS[optimizer]} the "
        f"preactivations {layer} of a perceptron have moved by n^{exponent:g} in {NAMES[arm]}.",
        source=f"{TP5}, Appendix D.1 (coordinate checks); exponent from the rules of {TP4}",
        part="coordinates",
        **exponent_of_change(exponent, layer, optimizer, step),
        arm=arm,
        control=control,
        formula=f"rms({layer}_{step} - {layer}_0) ~ n^{exponent:g}",
        kind="exponent",
        rival=Rival(exponent + 0.5, "who multiplies the rate by one n^1/2 too many"),
    )
    for arm, optimizer, layer, step, exponent, control in (
        (MUP, "sgd", "h1", 1, 0.0, SP),
        (MUP, "sgd", "h1", 4, 0.0, SP),
        (MUP, "sgd", "h2", 1, 0.0, SP),
        (MUP, "sgd", "h2", 4, 0.0, SP),
        (SP, "sgd", "h1", 1, -0.5, MUP),
        (NTP, "sgd", "h1", 4, -0.5, MUP),
        (SP, "sgd", "h2", 1, 0.5, MUP),
        (NTP, "sgd", "h2", 1, -0.5, MUP),
        (MUP, "adam", "h2", 1, 0.0, SP),
        (MUP, "adam", "h2", 4, 0.0, SP),
        (SP, "adam", "h2", 1, 1.0, MUP),
        (NTP, "adam", "h2", 1, 0.5, MUP),
    )
] + [
    Claim(
        name=f"M9_{MUP}_{optimizer}_f",
        statement=f"In muP the first step of {OPTIMIZERS[optimizer]} moves the outputs of a wide "
        "perceptron no more than those of a narrow one.",
        source=f"{TP5}, Appendix D.1 (coordinate checks; Figure 5 shows them for a transformer)",
        part="coordinates",
        estimator=change_exponent("f", optimizer),
        region=at_most(0.15),
        why="one-sided: the outputs of a narrow network start larger, by n^-1/2, and "
        "the exponent approaches 0 from below",
        rival=Rival(0.5, "who multiplies the rate by one n^1/2 too many"),
        arm=MUP,
        control=SP,
    )
    for optimizer in ("sgd", "adam")
]

GROWS, FLAT = at_least(0.75), at_most(0.1)
COHERENT = (
    "a step of Adam's is of one size in every entry and along its input, so that a sum over n "
    "entries grows as n at least; half-way to n^1/2, which a sum of random signs would give. At "
    "32 to 256 the exponent itself is not settled (other products of steps grow faster)"
)
INCOHERENT = Rival(0.5, "who adds the entries of a step as if their signs were random")
STEEP = Rival(0.5, "who multiplies the rate by one n^1/2 too many")
EXACT = Rival(0.5, "who lets the rate of embeddings grow with width")
TRANSFORMER_COORDINATES = [
    Claim(
        name=f"M10_{name}",
        statement=statement,
        source="ours, from Figure 5's argument" if arm == SP_OVER_N else f"{TP5}, Figure 5",
        part="transformer_coordinates",
        estimator=change_exponent(layer),
        region=region,
        why=why,
        rival=rival,
        kind=kind,
        arm=arm,
        control=control,
    )
    for name, statement, layer, region, why, rival, kind, arm, control in (
        ("standard_logits", "In SP the logits' first step grows with width, by nearly n^1 or more.",
         "f", GROWS, COHERENT, INCOHERENT, "bound", SP, SP_OVER_N),
        ("standard_attention",
         "In SP the attention logits' first step grows with width, by nearly n^1 or more.",
         "attention", GROWS, COHERENT, INCOHERENT, "bound", SP, SP_OVER_N),
        ("standard_embedding", "In SP the word embedding moves alike at all widths.", "embedding",
         near(0.0, 1e-3), "Adam's first step of an input-like weight is the rate itself, up to its "
         "epsilon over the gradient", EXACT, "identity", SP, SP_OVER_N),
        ("embedding", "In muP the word embedding's first step is alike at all widths.",
         "embedding", near(0.0, 1e-3), "as in SP: muP leaves the rate of input-like weights alone",
         EXACT, "identity", MUP, SP_OVER_N),
        ("standard_over_n_embedding",
         "SP with the rate 1/n for all weights, which its hidden weights need, freezes the word "
         "embedding: its first step falls as 1/n.", "embedding", near(-1.0, 1e-3),
         "Adam's first step of an input-like weight is the rate itself",
         Rival(0.0, "who takes one rate for all weights to do as well as muP's"), "identity",
         SP_OVER_N, SP),
        ("logits", "In muP the logits' first step does not grow.", "f", FLAT,
         "theory says 0; SP has 1", STEEP, "bound", MUP, SP),
        ("attention", "In muP the attention logits' first step does not grow.", "attention", FLAT,
         "one-sided: q and k are uncorrelated at first, so that 1/d_head shrinks their product "
         "as d_head^-1/2", STEEP, "bound", MUP, SP),
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
        rival=Rival(1e-3, "who has one multiplier off by a thousandth"),
        control="forgotten",
        formula="max |f - f'| = 0",
    )
    for form, optimizer, bound, statement, source in (
        *(
            (f"table_{table}", optimizer, bound,
             f"Tables 3 and {table} of muP are one training run ({OPTIMIZERS[optimizer]}).",
             f"{TP5}, Lemma J.1")
            for table in (8, 9)
            for optimizer, bound in (("sgd", 1e-12), ("adam", 1e-7))
        ),
        ("mean_field", "sgd", 1e-12,
         "With one hidden layer muP is the mean-field parameterization.",
         f"{TP4}, reported as Section 3"),
        ("standard", "adam", 1e-12, "At base width muP is SP (Adam).", f"{TP5}, Definition A.2"),
        ("standard", "sgd", 1e-12, "At base width muP is SP (SGD).", f"{TP5}, Definition A.2"),
    )
]  # fmt: skip

# -- Tensor Programs IV: which limits learn features -----------------------------------------------

BETWEEN = Rival(-0.25, "who takes the half-way rule")
SORTED = Rival(-0.5, "who sorts every r > 0 with the NTK parameterization")
FEATURES = [
    Claim(
        name=f"T4_features_{arm}",
        statement=f"In {NAMES[arm]} the hidden features move by n^{exponent:g} during training.",
        source=f"{TP4}, Dynamical Dichotomy (r)",
        part="features",
        estimator=loglog_slope("feature_change", "width"),
        region=near(exponent, 0.08),
        why="r is 0, 1/4 or 1/2. Correction: relatively n^-1/2, .09 at the narrowest width, which "
        "turns the slope over three doublings by .02 to .03",
        arm=arm,
        control=control,
        formula="|h_t - h_0| / |h_0| ~ n^-r",
        kind="exponent",
        rival=rival,
    )
    for arm, exponent, control, rival in (
        (MUP, 0.0, HALFWAY, BETWEEN),
        (NTP, -0.5, HALFWAY, BETWEEN),
        (SP_OVER_N, -0.5, HALFWAY, BETWEEN),
        (HALFWAY, -0.25, NTP, SORTED),
    )
] + [
    Claim(
        name="T4_limit_exists",
        statement="In muP networks of widths n and 2n, trained on the same batches, come to differ "
        "by n^-1/2: their functions have one limit.",
        source=f"{TP4}, the limit of training in muP; exponent derived here",
        part="limit",
        estimator=loglog_slope("distance", "width"),
        region=near(-0.5, 0.1),
        why="each network leaves the limit by a mean over n neurons with draws of their own, "
        "whose deviation is n^-1/2; half-width: a fifth of the way to the rival. In the NTK "
        "parameterization the outputs start as draws of a Gaussian process, whose difference no "
        "width removes. Correction: relatively n^-1/2, .05 in the slope from 64 on",
        arm=MUP,
        control=NTP,
        formula="rms(f_n - f_2n) ~ n^-1/2",
        kind="exponent",
        rival=Rival(0.0, "who expects the draw to stay visible, as in a kernel limit"),
        tier="laptop",
    ),
    Claim(
        name="T4_kernel_maximal_update",
        statement="In muP the kernel of the last features keeps changing as the width grows.",
        source=f"{TP4}, feature learning limit",
        part="features",
        estimator=loglog_slope("kernel_change", "width"),
        region=at_least(-0.25),
        why="theory says exponent 0, and -1 in a kernel limit; the bound that follows from single "
        "features there is -1/2: half-way to it",
        rival=Rival(-0.5, "who lets the kernel move as a single feature does in the kernel limit"),
        arm=MUP,
        control=NTP,
        formula="|K_t - K_0| / |K_0| ~ n^0",
    ),
    Claim(
        name="T4_kernel_ntk",
        statement="In the NTK parameterization the kernel of the last features freezes as 1/n.",
        source=f"{TP4}, kernel limit; exponent derived here",
        part="features",
        estimator=loglog_slope("kernel_change", "width"),
        region=near(-1.0, 0.2),
        why="a feature moves by n^-1/2 in a direction that is independent of the feature itself, "
        "so that the mean of their product over n features is another n^-1/2 smaller, as is the "
        "square of the move; rival: the bound by single features, n^-1/2",
        arm=NTP,
        control=MUP,
        formula="|K_t - K_0| / |K_0| ~ n^-1",
        kind="exponent",
        rival=Rival(-0.5, "who lets the kernel move as a single feature does"),
    ),
]

# -- M12: other hyperparameters --------------------------------------------------------------------


def best_multiplier_exponent(rows: DataFrame) -> float:
    """Octaves by which the best value moves for each doubling of the width."""
    best = optimum.best_setting(rows)
    narrow, wide = min(best), max(best)
    return (best[wide] - best[narrow]) / math.log2(wide / narrow)


OTHERS = [
    Claim(
        name="M12_output_multiplier",
        statement="In muP the best output multiplier does not depend on width.",
        source=f"{TP5}, Figure 4, Table 2",
        part="hyperparameter",
        estimator=per_seed(best_multiplier_exponent, where={"name": "output_multiplier"}),
        region=near(0.0, 0.25),
        why=HALF_STEP,
        arm=MUP,
        control=SP,
        formula="alpha* ~ n^0",
        kind="exponent",
        rival=NO_LAW_OF_OUTPUTS,
        tier="laptop",
    ),
    *(
        Claim(
            name=f"M12_{name}",
            statement=f"In muP the best {what} of the narrow network is as good for the wide one.",
            source=f"{TP5}, Figure 4, Table 2",
            part="hyperparameter",
            estimator=jackknife(
                optimum.setting_penalty,
                where={"name": name},
                columns=("width", "place", "loss"),
            ),
            region=at_most(0.02),
            why=FREE_NATS,
            rival=LOST,
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
        rival=Rival(*rival),
        arm="scaled",
        control="independent",
        formula="best decay ~ n^e",
        tier="laptop",
        expected=expected,
        reason=reason,
    )
    for name, statement, source, region, why, rival, expected, reason in (
        ("M16_weight_decay_does_not_transfer",
         "AdamW's weight-decay coefficient, which is multiplied by the layer's rate, does not "
         "transfer in muP: its best value grows with n. Decay that is not multiplied by it "
         "transfers (the control)",
         "ours; TP5, Table 1 and Appendix E.1 list regularization among what does not transfer, "
         "for another reason", at_least(0.25),
         "one-sided: the hidden layer's decay per step is its rate times the decay, which falls as "
         "1/n (exponent 1 if only that counted, 0 without it); a quarter excludes 0 as elsewhere",
         (0.0, "who takes the decay to transfer as the rate does"), "pass", ""),
        ("M16_popular_all_transfers", "Under muP all hyperparameters transfer.",
         "popular summaries of muTransfer; the same number as above, read against this statement",
         at_most(0.25), "the other side of the same bound",
         (0.5, "who counts that the hidden layer's decay per step falls as 1/n"), "fail",
         "Decoupled decay is multiplied by rates that muP scales by 1/n; the paper itself lists "
         "regularization among what does not transfer, for another reason."),
    )
]  # fmt: skip

CLAIMS = [
    *DECAYS,
    *RATES, *TRANSFER, *COORDINATES, *TRANSFORMER_COORDINATES, *IDENTITIES, *FEATURES, *OTHERS,
]  # fmt: skip
