"""Which factor of a parameterization is wrong: from a table of part `scaling` to names. Tables
alone, no torch.

    update off, all else right           learning rate
    start off, all else right            initial scale
    both off by as much                  multiplier
    attention                            attention scale
    epsilon                              eps: the tensor's update says nothing then
    decay                                weight decay

A wrong start of one tensor moves the outputs and attention after it: these are named only where no
tensor before them is. Without a read-out of its own a network's outputs are wrong by a multiplier.
"""

from collections.abc import Iterator

from pandas import DataFrame

from replications.your_network.exponents import QUANTITIES, off, tensors

LOUDER = 15.0  # as in widenets.ntk.subject.coordinates, which needs torch
STARTS = ("initial", "initial_bias")
BLOCKS = ("cross", "self", "diagonal")
OUTPUTS = ("initial_output", "initial_tied")
CAUSES = {
    "update": "learning rate",
    **dict.fromkeys((*STARTS, "initial_output"), "initial scale"),
    "initial_tied": "multiplier",
    "attention": "attention scale",
    "epsilon": "eps",
    "decay": "weight decay",
}


def parameterization(rows: DataFrame) -> list[dict]:
    """What is wrong: {tensor, quantity, found, wanted, cause}, empty where nothing is.

    rows: part `scaling` of the network as it is (arm theory). tensor: as in named_parameters(), ""
    of the whole network. found, wanted: exponents in width, of epsilon a ratio.
    """
    of_all = {name: tensors(rows, name) for name in QUANTITIES}
    wrong = {name: off(of_all[name], of.region) for name, of in QUANTITIES.items()}
    return [
        {
            "tensor": tensor,
            "quantity": quantity,
            "found": round(float(found), 3),
            "wanted": QUANTITIES[quantity].wanted,
            "cause": cause,
        }
        for tensor, quantity, found, cause in _named(wrong, of_all)
    ]


def _named(wrong: dict[str, DataFrame], found: dict[str, DataFrame]) -> Iterator[tuple]:
    """(tensor, quantity, exponent, cause)."""
    follow = ("attention", *OUTPUTS) if any(len(wrong[name]) for name in STARTS) else ()
    multiplied = {}
    for quantity in (*STARTS, *OUTPUTS):
        for tensor, exponent in wrong[quantity]["found"].items():
            shift = exponent - QUANTITIES[quantity].wanted
            if quantity not in follow and _multiplied(found, tensor, shift):
                multiplied[tensor] = quantity
                yield tensor, "update", found["update"].loc[tensor, "found"], "multiplier"
    for quantity, table in wrong.items():
        for tensor, exponent in table["found"].items():
            of_multiplier = multiplied.get(tensor) == quantity or (
                quantity == "update" and (tensor in multiplied or tensor in wrong["epsilon"].index)
            )
            if quantity not in follow and not of_multiplier:
                yield tensor, quantity, exponent, CAUSES[quantity]


def _multiplied(found: dict[str, DataFrame], tensor: str, shift: float) -> bool:
    """Whether a multiplier explains a start that is off by `shift`: the update, judged alone since
    the tensor is known to be off, is off in the same direction, by as much (optimizers that
    normalize) or twice that (SGD, whose gradient knows the multiplier, too); or less, since updates
    of narrow networks fall short of their exponent, but never more than half less."""
    updates, region = found["update"], QUANTITIES["update"].region
    if tensor not in updates.index:
        return False
    update = updates.loc[tensor]
    is_off = update["low"] > region.high if shift > 0 else update["high"] < region.low
    expected = abs(shift) * (1 if tensor in found["epsilon"].index else 2)
    return bool(is_off and expected / 2 < abs(update["found"]) <= expected)


def sentences(entries: list[dict], rows: DataFrame) -> list[str]:
    """What is wrong in words, tensors of one fault together; tensors without effect at the end."""
    groups: dict[tuple, list[dict]] = {}
    for entry in entries:
        upwards = entry["found"] > entry["wanted"]
        groups.setdefault((entry["cause"], entry["quantity"], upwards), []).append(entry)
    found = [_sentence(*key, group) for key, group in groups.items()]
    found += [f"{name}: has no effect on the loss" for name in silent(rows)]
    return found


def _sentence(cause: str, quantity: str, upwards: bool, group: list[dict]) -> str:
    """One fault; of several tensors the first is named, and the exponent that is farthest off."""
    worst = max(group, key=lambda entry: abs(entry["found"] - entry["wanted"]))
    names = group[0]["tensor"] or "whole network"
    names += f" and {len(group) - 1} more" if len(group) > 1 else ""
    number = f"{quantity} {worst['found']:+.2f}, wants {worst['wanted']:+g}"
    if cause == "eps":
        return (
            f"{names}: eps of the optimizer is not negligible (first step x {worst['found']:.2f} "
            f"for {LOUDER:g} times the loss, wants 1): make it smaller"
        )
    power = abs(worst["found"] - worst["wanted"])
    too = "grows too fast" if upwards else "falls too fast"
    return f"{names}: {cause} {too} with width, by n^{power:.1f} ({number}): {_REMEDIES[cause]}"


_REMEDIES = {
    "learning rate": "check its factor n/n0",
    "initial scale": "check its factor n/n0",
    "multiplier": "check the multiplier, not the rate",
    "attention scale": "divide q.k by d_head, not by its root",
    "weight decay": "divide it by the factor of the tensor's rate",
}


def silent(rows: DataFrame) -> list[str]:
    """Tensors without any effect on the loss: their gradient is rounding alone."""
    return sorted(rows.loc[rows["quantity"] == "rounding", "tensor"].unique())


def kernel_sentences(rows: DataFrame) -> list[str]:
    """What is wrong with a kernel, empty where nothing is; rows: part `kernel`, arm theory."""
    wrong = rows[rows["ratio"] > 1]
    found = []
    for name, of_name in wrong.groupby("kernel"):
        worst = of_name.loc[of_name["error"].idxmax()]
        blocks = ", ".join(block for block in BLOCKS if block in set(of_name["block"]))
        found.append(
            f"kernel: {name} is off by {worst['error']:.2g} of its size ({blocks}; in "
            f"{worst['block']}, inputs {worst['row']} and {worst['column']}: found "
            f"{worst['found']:.6g}, wanted {worst['wanted']:.6g})"
        )
    faults = wrong["fault"].fillna("").unique() if len(wrong) else []
    return found + [f"kernel: {fault}" for fault in faults if fault]
