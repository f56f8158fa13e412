"""What is asked of a parameterization: P1 to P6, of muP (arXiv:2203.03466); L1 to L4, of depth
(arXiv:2505.01618); of a kernel: K1, K2."""

import functools
from collections.abc import Sequence

from pandas import DataFrame

from replications.your_network.exponents import DEPTHS, QUANTITIES, farthest
from widenets.evidence import Claim, Rival, at_most, near, per_seed, select, worst
from widenets.evidence.claim import Estimate, Estimator
from widenets.evidence.optimum import rate_exponent

TP5 = "Yang, Hu et al. 2022, arXiv:2203.03466"
TP6 = "Yang, Yu, Zhu, Hayou 2023, arXiv:2310.02244"
COMPLETE = "Dey et al. 2025, arXiv:2505.01618"
QUARTER = "half of 1/4: a quarter of the gap between neighbouring exponents, so that L^-1/4 is seen"
HALF = "half of 1/2, the gap between neighbouring exponents, so that no two are accepted at once"


def parameterization_claims(
    expected: str, *, prefix: str = "", where=None, without: Sequence[str] = (), tier: str = "smoke"
) -> list[Claim]:
    """P1 to P5 but for some; `where` selects a subject of those in the table."""
    return [
        Claim(
            name=f"{prefix}{name}",
            part="scaling",
            estimator=_selected(where, farthest(quantity)),
            region=QUANTITIES[quantity].region,
            expected=expected,
            kind="exponent" if QUANTITIES[quantity].region.two_sided else "",
            tier=tier,
            **words,
        )
        for name, (quantity, words) in _TABLE.items()
        if name not in without
    ]


def depth_claims(
    expected: str, *, prefix: str = "", where=None, felt=None, tier: str = "smoke"
) -> list[Claim]:
    """L1 to L4; `where` selects a subject of those in the table, `felt` that of L4, whose epsilon
    is felt (laptop tier)."""
    return [
        Claim(
            name=f"{prefix}{name}",
            part="depth",
            estimator=_selected(felt if felt and quantity == "eps" else where, farthest(quantity)),
            region=DEPTHS[quantity].region,
            why=QUARTER,
            expected=expected,
            kind="exponent" if DEPTHS[quantity].region.two_sided else "",
            tier="laptop" if felt and quantity == "eps" else tier,
            **words,
        )
        for name, (quantity, words) in _IN_DEPTH.items()
    ]


def transfer_claims(expected: str, *, prefix: str = "", where=None) -> list[Claim]:
    """P6, of a subject of those in the table: it trains at twelve rates and every width."""
    return [
        Claim(
            name=f"{prefix}P6_transfer",
            statement="The best learning rate of the narrowest network is that of the widest.",
            source=f"{TP5}, Figures 1 and 3",
            part="transfer",
            estimator=per_seed(
                rate_exponent, where=where, columns=("width", "log2_rate", "share", "loss")
            ),
            region=near(0.0, 0.25),
            why=HALF,
            control="rates",
            formula="argmin over rates of L ~ n^0",
            rival=Rival(-0.5, "who scales rates as the NTK parameterization does under Adam"),
            kind="exponent",
            tier="paper",
            expected=expected,
        )
    ]


def kernel_claims(expected: str, *, prefix: str = "") -> list[Claim]:
    """K1 and K2: the kernel is ours to rounding."""
    return [
        Claim(
            name=f"{prefix}{name}",
            statement=statement,
            source="closed forms of widenets.ntk.architecture",
            part="kernel",
            estimator=worst(
                lambda rows: float(rows["ratio"].max()),
                where={"block": blocks},
                columns=("ratio",),
            ),
            region=at_most(1),
            why="in units of 1e-10 for float64, 2e-6 for float32: rounding of a few layers",
            control="scaled",
            formula=r"$\max |k - k'| / \sqrt{k'(x, x)\, k'(x', x')} = 0$",
            expected=expected,
        )
        for name, blocks, statement in (
            ("K1_different_inputs", ("cross", "self"),
             "Between different inputs the kernels are those of the architecture."),
            ("K2_diagonal", ("diagonal",),
             "Between an input and itself the kernels are those of the architecture."),
        )
    ]  # fmt: skip


def _selected(where, estimator: Estimator) -> Estimator:
    @functools.wraps(estimator)
    def of_selected(rows: DataFrame) -> Estimate:
        return estimator(select(rows, where))

    return of_selected


_TABLE = {
    "P1_updates": (
        "update",
        {
            "statement": "No tensor's own update changes what its module gives out more, or less, "
            "in a wider network.",
            "source": f"{TP5}, Appendix D.1, Figure 5; one tensor at a time",
            "why": HALF,
            "control": "rates",
            "formula": "rms(h(w_t) - h(w_0)) ~ n^0",
            "rival": Rival(-0.5, "who trains by SGD in NTK parameterization with one rate for all"),
        },
    ),
    "P2_initial_scales": (
        "initial",
        {
            "statement": "At the start every module passes on what enters it with a gain that does "
            "not know the width.",
            "source": f"{TP5}, Table 3",
            "why": HALF,
            "control": "weights",
            "formula": "rms(out) / rms(in) ~ n^0",
            "rival": Rival(0.5, "who draws entries that do not know their fan-in"),
        },
    ),
    "P2_biases": (
        "initial_bias",
        {
            "statement": "At the start biases do not grow with width.",
            "source": f"{TP5}, Table 3",
            "why": "one-sided, because biases may start at zero; " + HALF,
            "control": "weights",
            "formula": "rms(b) ~ n^0 at most",
            "rival": Rival(0.5, "who scales biases as the width's root"),
        },
    ),
    "P2_initial_outputs": (
        "initial_output",
        {
            "statement": "At the start the outputs fall with width.",
            "source": f"{TP5}, Tables 3 and 8",
            "why": "halfway from -1/2 of muP to 0 of a standard read-out",
            "control": "weights",
            "formula": "rms(f_0) ~ n^-1/2",
            "rival": Rival(0.0, "who draws the read-out as every other matrix"),
        },
    ),
    "P2_tied_outputs": (
        "initial_tied",
        {
            "statement": "With a read-out tied to the embedding the outputs do not grow with width "
            "at the start.",
            "source": f"{TP5}, Table 8, whose read-out has the multiplier 1/n; exponent ours",
            "why": "halfway from 0 (the outputs know their own inputs) to 1/2 (they do not, and "
            "the multiplier is missing)",
            "control": "weights",
            "formula": "rms(f_0) ~ n^0 at most",
            "rival": Rival(0.5, "who leaves out the multiplier 1/n"),
        },
    ),
    "P3_attention": (
        "attention",
        {
            "statement": "At the start attention logits fall with width.",
            "source": f"{TP5}, Definition 4.1",
            "why": "halfway from -1/2 (q.k / d) to 0 (q.k / sqrt(d))",
            "control": "weights",
            "formula": "rms(q.k / d) ~ d^-1/2",
            "rival": Rival(0.0, "who divides by the root of d"),
        },
    ),
    "P4_epsilon": (
        "epsilon",
        {
            "statement": "The optimizer's epsilon is negligible at the largest width.",
            "source": f"{TP5}, Appendix B.3",
            "why": "a step may grow by a tenth where the loss is 15 times as large: epsilon is a "
            "tenth of the gradient at most",
            "control": "epsilon",
            "formula": "|first step for 15 L| / |first step for L| = 1",
        },
    ),
    "P5_decay": (
        "decay",
        {
            "statement": "The share that weight decay takes goes with width as its rate does, or "
            "not at all.",
            "source": "independent decay: rate times decay does not know the width; coupled decay: "
            "it goes as the rate. The estimate is what is beyond the nearer, or the declared, one",
            "why": HALF,
            "control": "rates",
            "formula": "|w_(t+1) - w_t| / |w_t| ~ n^0 without gradient, or ~ rate",
            "rival": Rival(-1.0, "who scales it twice by the rate of a hidden matrix, 1/n"),
        },
    ),
}

_IN_DEPTH = {
    "L1_branches": (
        "growth",
        {
            "statement": "At the start all branches together do not grow with depth.",
            "source": f"{TP6}; {COMPLETE}",
            "control": "branches",
            "formula": "rms(h_L - h_0) / rms(h_0) ~ L^0 at most",
            "rival": Rival(0.25, "who gives the branches the multiplier L^-1/4"),
        },
    ),
    "L2_movement": (
        "movement",
        {
            "statement": "One step of all blocks' matrices moves the last features as much at "
            "every depth.",
            "source": f"{TP6}; {COMPLETE}, Table 1",
            "control": "rates",
            "formula": "rms(h_L(w_1) - h_L(w_0)) / rms(h_L) ~ L^0",
            "rival": Rival(0.5, "who takes the same rate at every depth, with branches ~ L^-1/2"),
        },
    ),
    "L3_gains": (
        "gain",
        {
            "statement": "No tensor's own first step gains more, or less, of the loss in a deeper "
            "network.",
            "source": f"{COMPLETE}, Table 1; one tensor of all blocks at a time, to first order",
            "control": "rates",
            "formula": r"$-\langle g, dw\rangle \sim L^0$, all blocks together, in units of the "
            "gradient that reaches them",
            "rival": Rival(0.5, "who takes the same rate at every depth, with branches ~ L^-1/2"),
        },
    ),
    "L4_epsilon": (
        "eps",
        {
            "statement": "Where epsilon is felt, it falls with depth as the gradient does.",
            "source": COMPLETE,
            "control": "epsilon",
            "formula": "rms(g) / epsilon ~ L^0",
            "rival": Rival(
                -0.5, "who takes the same epsilon at every depth, with branches ~ L^-1/2"
            ),
        },
    ),
}

ASKED_SCALING = [
    *parameterization_claims("asked"),
    *depth_claims("asked"),
    *transfer_claims("asked"),
    *kernel_claims("asked"),
]
