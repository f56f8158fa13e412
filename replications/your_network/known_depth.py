"""The instrument's own claims on depth: right networks come out right at both exponents, and each
of the injected mistakes moves the number that it has to move."""

import re
from typing import NamedTuple

from pandas import DataFrame

from replications.your_network.asked_scaling import depth_claims
from replications.your_network.exponents import DEPTHS
from replications.your_network.known_scaling import with_names
from widenets.evidence import Claim, Region, at_least, at_most, per_seed

SOURCE = "ours: the answer is known by construction"


class DeepMistake(NamedTuple):
    """A variant of `deep_residual`: the quantity that it moves, of which tensors (a pattern), the
    exponent that follows, the cause to be named, what is wrong in words. cause "": at this exponent
    of the branches it is no mistake."""

    variant: str
    quantity: str
    tensors: str
    exponent: float
    cause: str
    statement: str
    tier: str = "laptop"


_BLOCK, _GAIN = r"^blocks\.", r"^blocks\.\*\.norm\.weight$"
_BIAS, _LAST, _FIRST = r"^blocks\..*bias$", r"^last\.", r"^first\."
RATE, BRANCH = "learning rate", "branch multiplier"
MISTAKES = (
    DeepMistake("no_multiplier", "growth", "^$", 0.5, BRANCH, "no branch multiplier", "smoke"),
    DeepMistake("no_multiplier_one", "growth", "^$", 0.5, BRANCH, "none, rates of a = 1"),
    DeepMistake("quarter", "growth", "^$", 0.25, BRANCH, "a multiplier L^-1/4"),
    DeepMistake("quarter_one", "growth", "^$", 0.25, BRANCH, "L^-1/4, rates of a = 1"),
    DeepMistake("block_rate", "gain", _BLOCK, 0.5, RATE, "the blocks' rate not scaled"),
    DeepMistake("block_rate_one", "gain", _BLOCK, 0.0, "", "the same at a = 1"),
    DeepMistake("sgd_rule", "gain", _BLOCK, 0.5, RATE, "SGD's L^(2a-1) under Adam"),
    DeepMistake("sgd_rule_one", "gain", _BLOCK, 1.0, RATE, "the same at a = 1"),
    DeepMistake("gain_rate", "gain", _GAIN, 0.5, RATE, "rates of norms' gains not scaled"),
    DeepMistake("gain_rate_one", "gain", _GAIN, 0.0, "", "the same at a = 1"),
    DeepMistake("bias_rate", "gain", _BIAS, 0.5, RATE, "rates of biases not scaled"),
    DeepMistake("bias_rate_one", "gain", _BIAS, 0.0, "", "the same at a = 1"),
    DeepMistake("final_rate", "gain", _LAST, -0.5, RATE, "the final norm's rate as in a block"),
    DeepMistake("final_rate_one", "gain", _LAST, 0.0, "", "the same at a = 1"),
    DeepMistake("embedding_rate", "gain", _FIRST, -0.5, RATE, "the embedding's as in a block"),
    DeepMistake("embedding_rate_one", "gain", _FIRST, 0.0, "", "the same at a = 1"),
    DeepMistake("eps_fixed", "eps", _BLOCK, -0.5, "eps", "a fixed epsilon, felt"),
    DeepMistake("eps_fixed_one", "eps", _BLOCK, -1.0, "eps", "the same at a = 1"),
    DeepMistake("eps_embedding", "eps", _FIRST, 0.5, "eps", "the embedding's epsilon ~ L^-a"),
    DeepMistake("eps_embedding_one", "eps", _FIRST, 1.0, "eps", "the same at a = 1"),
    DeepMistake("no_final", "growth", "^$", 0.0, "", "no final norm"),
    DeepMistake("no_final_one", "growth", "^$", -0.5, "", "the same at a = 1"),
    DeepMistake("bare", "growth", "^$", 0.5, BRANCH, "no final norm, no branch multiplier"),
    DeepMistake("bare_one", "growth", "^$", 0.5, BRANCH, "the same, rates of a = 1"),
)


def named_rightly(mistake: DeepMistake, entries: list[dict]) -> bool:
    """Whether the entries of `deep_naming.parameterization` name the mistake and nothing else."""
    if not mistake.cause:
        return not entries
    return bool(entries) and all(
        entry["cause"] == mistake.cause and re.search(mistake.tensors, entry["tensor"])
        for entry in entries
    )


def _region(mistake: DeepMistake) -> Region:
    """From halfway between the exponents of the right network and of the mistake on."""
    halfway = (DEPTHS[mistake.quantity].wanted + mistake.exponent) / 2
    return at_least(halfway) if mistake.exponent > halfway else at_most(halfway)


def _seen(mistake: DeepMistake) -> Claim:
    def mean(rows: DataFrame) -> float:
        """Mean exponent of the tensors concerned, of one seed."""
        rows = rows[rows["quantity"] == mistake.quantity]
        return float(rows["found"][rows["tensor"].str.contains(mistake.tensors)].mean())

    return Claim(
        name=f"L_mistake_{mistake.variant}",
        statement=f"Seen, in the tensors concerned: {mistake.statement}.",
        source=SOURCE,
        part="deep_mistakes",
        arm=mistake.variant,
        estimator=with_names(per_seed(mean, columns=("tensor", "quantity", "found"))),
        region=_region(mistake),
        why=f"halfway from the exponent of {mistake.quantity} that is right, "
        f"{DEPTHS[mistake.quantity].wanted:g}, to that of the mistake, {mistake.exponent:g}",
        control="right",
        tier=mistake.tier,
    )


JUDGED = (
    "no_multiplier", "quarter", "block_rate", "gain_rate", "final_rate", "embedding_rate",
    "eps_fixed", "eps_embedding",
)  # fmt: skip

KNOWN_DEPTH = [
    *depth_claims("pass", prefix="L_half_", where={"subject": "deep_residual"}),
    *depth_claims("pass", prefix="L_one_", where={"subject": "deep_residual:one"}, tier="laptop"),
    *(_seen(mistake) for mistake in MISTAKES if mistake.variant in JUDGED),
]
