"""What is asked of a network's parameterization: P1 to P5, of muP (arXiv:2203.03466)."""

from replications.your_network.exponents import QUANTITIES, farthest
from widenets.evidence import Claim, Rival

TP5 = "Yang, Hu et al. 2022, arXiv:2203.03466"
HALF = "half of 1/2, the gap between neighbouring exponents, so that no two are accepted at once"
KERNEL = Rival(-0.5, "who trains by NTK parameterization with a rate for all layers")


def parameterization_claims(expected: str, prefix: str = "", where=None) -> list[Claim]:
    """P1 to P5; `where` selects a subject of those in the table."""
    return [
        Claim(
            name=f"{prefix}{name}",
            statement=statement,
            source=source,
            part="scaling",
            estimator=_of(where, farthest(quantity)),
            region=QUANTITIES[quantity].region,
            why=why,
            control=control,
            formula=formula,
            expected=expected,
            kind="exponent" if QUANTITIES[quantity].region.two_sided else "",
            rival=rival,
        )
        for name, quantity, statement, source, why, control, formula, rival in _TABLE
    ]


def _of(where, estimator):
    if where is None:
        return estimator
    return lambda rows: estimator(rows[(rows[list(where)] == list(where.values())).all(axis=1)])


_TABLE = (
    (
        "P1_updates",
        "update",
        "No tensor's own update changes what its module gives out more, or less, in a wider "
        "network.",
        f"{TP5}, Appendix D.1, Figure 5; one tensor at a time",
        HALF,
        "rates",
        "rms(h(w_t) - h(w_0)) ~ n^0",
        KERNEL,
    ),
    (
        "P2_initial_scales",
        "initial",
        "At the start every module passes its input on with a gain that does not know the width.",
        f"{TP5}, Table 3",
        HALF,
        "weights",
        "rms(out) / rms(in) ~ n^0",
        Rival(0.5, "who starts matrices with entries that do not know their fan-in"),
    ),
    (
        "P2_initial_outputs",
        "initial_output",
        "At the start the outputs fall with width.",
        f"{TP5}, Tables 3 and 8",
        "halfway from muP's -1/2 to 0, that of a standard read-out",
        "weights",
        "rms(f_0) ~ n^-1/2",
        Rival(0.0, "who starts the read-out as every other matrix"),
    ),
    (
        "P2_tied_outputs",
        "initial_tied",
        "With a read-out tied to the embedding the outputs do not grow with width at the start.",
        f"{TP5}, Appendix B.1, reported as; exponent derived here",
        "halfway from 0 (the outputs know their own inputs) to 1/2",
        "weights",
        "rms(f_0) ~ n^0 at most",
        Rival(0.5, "who leaves out the multiplier 1/n of the tied matrix"),
    ),
    (
        "P3_attention",
        "attention",
        "At the start attention logits fall with width.",
        f"{TP5}, Definition 4.1",
        "halfway from -1/2 (q.k / d) to 0 (q.k / sqrt(d))",
        "weights",
        "rms(q.k / d) ~ d^-1/2",
        Rival(0.0, "who divides by the root of d"),
    ),
    (
        "P4_epsilon",
        "epsilon",
        "The optimizer's epsilon is negligible at the largest width.",
        f"{TP5}, Appendix B.3",
        "epsilon takes a tenth of a tensor's step at most",
        "epsilon",
        "|first step for 15 L| / |first step for L| = 1",
        None,
    ),
    (
        "P5_decay",
        "decay",
        "Weight decay takes the same share of every tensor at all widths.",
        "independent decay: rate times decay does not know the width",
        HALF,
        "rates",
        "|w_(t+1) - w_t| / |w_t| ~ n^0 without gradient",
        Rival(-1.0, "who scales decay by the rate of a hidden matrix, 1/n"),
    ),
)  # fmt: skip

ASKED_SCALING = parameterization_claims("pass")  # TODO asked
