"""The instrument's own claims on parameterizations and kernels: right ones come out right, and each
of the injected mistakes moves the number that it has to move."""

import functools
import re
from typing import NamedTuple

from pandas import DataFrame

from replications.your_network.asked_scaling import (
    kernel_claims,
    parameterization_claims,
    transfer_claims,
)
from replications.your_network.exponents import QUANTITIES
from widenets.evidence import Claim, Region, at_least, at_most, per_seed, worst
from widenets.evidence.claim import Estimate, Estimator

SOURCE = "ours: the answer is known by construction"

RIGHT = {  # prefix of the claims: subject, what it has nothing to show of
    "P_plain": ("mup_transformer", ("P2_biases", "P2_tied_outputs"), "smoke"),
    "P_tied": ("mup_transformer:tied", ("P2_biases", "P2_initial_outputs"), "laptop"),
    "P_zero": (
        "mup_transformer:zero_readout",
        ("P2_biases", "P2_tied_outputs", "P2_initial_outputs"),
        "laptop",
    ),
}


class Mistake(NamedTuple):
    """A variant of the built-in transformer: the quantity that it moves, of which tensors (a
    pattern), the exponent that follows, the cause to be named, what is wrong in words."""

    variant: str
    quantity: str
    tensors: str
    exponent: float
    cause: str
    statement: str
    tier: str = "smoke"


_HIDDEN = r"\.(?:q|k|v|mix|up|down)\.weight"
_BIAS = r"(?:q|v|mix|up|down|norm\d?)\.bias"
_GAIN = r"norm\d?\.weight"
_HEAD, _ONE, _EMBEDDING = r"head\.weight", r"block1\.up\.weight", r"token|place"
RATE, START, LATER = "learning rate", "initial scale", "laptop"
MISTAKES = (
    Mistake("readout_init", "initial_output", _HEAD, 0.0, START, "a read-out that starts as usual"),
    Mistake("readout_multiplier", "update", _HEAD, 1.0, "multiplier", "a read-out without 1/n"),
    Mistake("readout_rate", "update", _HEAD, -1.0, RATE, "a read-out's rate of 1/n"),
    Mistake("attention", "attention", "", 0.0, "attention scale", "attention over the root of d"),
    Mistake("tied_multiplier", "initial_tied", "", 1.0, "multiplier", "tied weights without 1/n"),
    Mistake("bias_rate", "update", _BIAS, -1.0, RATE, "biases' rates of 1/n", LATER),
    Mistake("gain_rate", "update", _GAIN, -1.0, RATE, "gains' rates of 1/n", LATER),
    Mistake("gain_init", "initial", _GAIN, 1.0, START, "gains that start at n/n0", LATER),
    Mistake("hidden_rate", "update", _HIDDEN, 1.0, RATE, "hidden rates without 1/n"),
    Mistake("one_rate", "update", _ONE, 1.0, RATE, "one hidden rate without 1/n", LATER),
    Mistake("hidden_init", "initial", _HIDDEN, -0.5, START, "hidden variances of 1/n^2", LATER),
    Mistake("embedding_rate", "update", _EMBEDDING, -1.0, RATE, "embeddings' rates of 1/n", LATER),
    Mistake("epsilon", "epsilon", _HIDDEN, 15.0, "eps", "an epsilon of 1e-4"),
    Mistake("decay", "decay", _HIDDEN, -1.0, "weight decay", "decay scaled by the layers' rates"),
    Mistake("base_width", "update", _HIDDEN, 1.0, RATE, "a forgotten base width", LATER),
)  # fmt: skip


def named_rightly(mistake: Mistake, entries: list[dict]) -> bool:
    """Whether the entries of `naming.parameterization` name the mistake and nothing else."""
    wanted = {mistake.cause: mistake.tensors}
    if mistake.variant == "base_width":  # the multiplier of the read-out knows it, too
        wanted["multiplier"] = _HEAD
    if mistake.variant == "epsilon":
        wanted["eps"] = ""  # of any tensor
    right = [
        entry["cause"] in wanted and re.search(wanted[entry["cause"]], entry["tensor"]) is not None
        for entry in entries
    ]
    return all(right) and {entry["cause"] for entry in entries} == wanted.keys()


def _region(mistake: Mistake) -> Region:
    """From halfway between the exponents of the right network and of the mistake on."""
    if mistake.quantity == "epsilon":
        return at_least(QUANTITIES["epsilon"].region.high)
    wanted = QUANTITIES[mistake.quantity].wanted
    halfway = (wanted + mistake.exponent) / 2
    return at_least(halfway) if mistake.exponent > wanted else at_most(halfway)


def _mean(mistake: Mistake):
    """Mean exponent of the tensors concerned, of one seed."""

    def mean(rows: DataFrame) -> float:
        rows = rows[rows["quantity"] == mistake.quantity]
        return float(rows["found"][rows["tensor"].str.contains(mistake.tensors)].mean())

    return mean


def _with_names(estimator: Estimator) -> Estimator:
    """Of rows read from a table, where the empty name of the whole net is a missing one."""

    @functools.wraps(estimator)
    def of_named(rows: DataFrame) -> Estimate:
        return estimator(rows.assign(tensor=rows["tensor"].fillna("").astype(str)))

    return of_named


def _seen(mistake: Mistake) -> Claim:
    wanted = QUANTITIES[mistake.quantity].wanted
    unit = "ratio" if mistake.quantity == "epsilon" else "exponent"
    return Claim(
        name=f"P_mistake_{mistake.variant}",
        statement=f"Seen, in the tensors concerned: {mistake.statement}.",
        source=SOURCE,
        part="mistakes",
        arm=mistake.variant,
        estimator=_with_names(per_seed(_mean(mistake), columns=("tensor", "quantity", "found"))),
        region=_region(mistake),
        why=f"{unit} of {mistake.quantity}: {wanted:g} if right, up to {mistake.exponent:g} by the "
        "mistake"
        if mistake.quantity == "epsilon"
        else f"halfway from the {unit} of {mistake.quantity} that is right, {wanted:g}, to that of "
        f"the mistake, {mistake.exponent:g}",
        control="tied" if mistake.variant == "tied_multiplier" else "right",
        tier=mistake.tier,
    )


FAULTS = (
    "kappa0_without_half", "bias_variance_squared", "derivative_of_new_covariance",
    "first_layer_not_trained", "readout_not_trained", "one_layer_too_few", "no_input_scaling",
    "arccos_on_the_diagonal",
)  # fmt: skip

KNOWN_SCALING = [
    *(
        claim
        for prefix, (subject, without, tier) in RIGHT.items()
        for claim in parameterization_claims(
            "pass", prefix=f"{prefix}_", where={"subject": subject}, without=without, tier=tier
        )
    ),
    *transfer_claims("pass", prefix="P_plain_", where={"subject": "mup_transformer"}),
    *map(_seen, MISTAKES),
    *kernel_claims("pass", prefix="K_right_"),
    *(
        Claim(
            name=f"K_fault_{fault}",
            statement=f"A kernel with a fault is told apart, and the fault is named: {fault}.",
            source=SOURCE,
            part="wrong_kernels",
            arm=fault,
            estimator=worst(lambda rows: 1.0 - float(rows["named"].iloc[0]), columns=("named",)),
            region=at_most(0),
            why="in every seed it is named, and nothing else; a right kernel has none",
            control="right",
        )
        for fault in FAULTS
    ),
]
