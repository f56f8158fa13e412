"""What is asked of a parameterization: P1 to P6, of muP (arXiv:2203.03466); of a kernel: K1, K2."""

import functools
from collections.abc import Sequence

from pandas import DataFrame

from replications.your_network.exponents import QUANTITIES, farthest
from widenets.evidence import Claim, Rival, at_most, near, per_seed, select, worst
from widenets.evidence.claim import Estimate, Estimator
from widenets.evidence.optimum import rate_exponent

TP5 = "Yang, Hu et al. 2022, arXiv:2203.03466"
HALF = "half of 1/2, the gap between neighbouring exponents, so that no two are accepted at once"
KERNEL = Rival(-0.5, "who trains by NTK parameterization with a rate for all layers")


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
            "rival": Rival(-0.5, "who trains in NTK parameterization with one rate for all"),
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
            "statement": "Weight decay takes the same share of every tensor at all widths.",
            "source": "independent decay: rate times decay does not know the width",
            "why": HALF,
            "control": "rates",
            "formula": "|w_(t+1) - w_t| / |w_t| ~ n^0 without gradient",
            "rival": Rival(-1.0, "who scales decay by the rate of a hidden matrix, 1/n"),
        },
    ),
}

ASKED_SCALING = [
    *parameterization_claims("asked"),
    *transfer_claims("asked"),
    *kernel_claims("asked"),
]
