"""The instrument's own claims on parameterizations and kernels: right ones come out right, and each
of the injected mistakes moves the number that it has to move."""

from typing import NamedTuple

from pandas import DataFrame

from replications.your_network.asked_scaling import kernel_claims, parameterization_claims
from replications.your_network.exponents import QUANTITIES
from widenets.evidence import Claim, Region, at_least, at_most, per_seed, worst

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
    pattern), the exponent that follows, what is wrong in words."""

    variant: str
    quantity: str
    tensors: str
    exponent: float
    statement: str
    tier: str = "smoke"


_HIDDEN = r"\.(?:q|k|v|mix|up|down)\.weight"
_BIAS = r"(?:q|v|mix|up|down|norm\d?)\.bias"
_GAIN = r"norm\d?\.weight"
MISTAKES = (
    Mistake("readout_init", "initial_output", "", 0.0, "a read-out that starts as other matrices"),
    Mistake("readout_multiplier", "update", r"head\.weight", 1.0, "a read-out without 1/n"),
    Mistake("readout_rate", "update", r"head\.weight", -1.0, "a read-out's rate of 1/n"),
    Mistake("attention", "attention", "", 0.0, "attention divided by the root of d"),
    Mistake("tied_multiplier", "initial_tied", "", 1.0, "a tied read-out without 1/n"),
    Mistake("bias_rate", "update", _BIAS, -1.0, "biases' rates of 1/n", "laptop"),
    Mistake("gain_rate", "update", _GAIN, -1.0, "norm gains' rates of 1/n", "laptop"),
    Mistake("gain_init", "initial", _GAIN, 1.0, "norm gains that start at n/n0", "laptop"),
    Mistake("hidden_rate", "update", _HIDDEN, 1.0, "hidden rates without 1/n"),
    Mistake("one_rate", "update", "block1.up.weight", 1.0, "one hidden rate without 1/n", "laptop"),
    Mistake("hidden_init", "initial", _HIDDEN, -0.5, "hidden weights of variance 1/n^2", "laptop"),
    Mistake("embedding_rate", "update", "token|place", -1.0, "embeddings' rates of 1/n", "laptop"),
    Mistake("epsilon", "epsilon", _HIDDEN, 15.0, "an epsilon of 1e-4"),
    Mistake("decay", "decay", _HIDDEN, -1.0, "decay scaled by the layers' rates"),
    Mistake("base_width", "update", _HIDDEN, 1.0, "a base width that is forgotten", "laptop"),
)  # fmt: skip


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
        names = rows["tensor"].fillna("").astype(str)
        return float(rows["found"][names.str.contains(mistake.tensors)].mean())

    return mean


def _seen(mistake: Mistake) -> Claim:
    wanted = QUANTITIES[mistake.quantity].wanted
    unit = "ratio" if mistake.quantity == "epsilon" else "exponent"
    return Claim(
        name=f"P_mistake_{mistake.variant}",
        statement=f"Seen, in the tensors concerned: {mistake.statement}.",
        source=SOURCE,
        part="mistakes",
        arm=mistake.variant,
        estimator=per_seed(_mean(mistake), columns=("tensor", "quantity", "found")),
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
