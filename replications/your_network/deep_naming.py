"""Which factor of depth is wrong: from a table of part `depth` to names. Tables alone, no torch.

    growth off, or multiplier            branch multiplier
    eps off                              eps: the tensor's gain says nothing then
    gain off                             learning rate
    movement off and nothing else        learning rate, of the blocks together

The exponent a of the branches ~ L^-a is what the file declares, or that of 1/2 and 1 which is
nearer to what is measured; where the multiplier is wrong, that which the rates are made for.
Without it all that belongs to blocks is off by the same power: of a tensor of a block it is said
only where it is off by more.

L branches of one size add up to L^1 at most. A stream that grows faster than that has branches that
multiply, (1 + b m^2)^L of its square, as where neither a norm nor a multiplier holds them: no
exponent of a block is a power then, and none is judged before the multiplier is right.
"""

from collections.abc import Iterator

from pandas import DataFrame

from replications.your_network.exponents import DEPTHS, QUARTER_GAP, Quantity, off, tensors
from replications.your_network.naming import sentence, silent, told
from widenets.evidence import at_most

EXPONENTS = (0.5, 1.0)
ADDED_UP = Quantity(1.0, at_most(1.0 + QUARTER_GAP), "every branch starts at zero")


def parameterization(rows: DataFrame) -> list[dict]:
    """What is wrong: {tensor, quantity, axis, found, wanted, cause}; rows: part `depth`, arm
    theory."""
    if rows.empty:
        return []
    a = exponent(rows)[1]
    return [
        {
            "tensor": tensor,
            "quantity": quantity,
            "axis": "depth",
            "found": round(float(value), 3),
            "wanted": -a if quantity == "multiplier" else DEPTHS[quantity].wanted,
            "cause": cause,
        }
        for tensor, quantity, value, cause in _named(rows)
    ]


def exponent(rows: DataFrame) -> tuple[float, float]:
    """(a as it is measured, a as it is taken)."""
    declared = rows.loc[rows["quantity"] == "declared", "found"]
    measured = -float(rows.loc[rows["quantity"] == "exponent", "found"].mean())
    if len(declared):
        return measured, float(declared.iloc[0])
    nearest = sorted(EXPONENTS, key=lambda known: abs(known - measured))
    if _branches(rows) is not None and not _multiply(rows):
        nearest.sort(key=lambda known: len(_gains(rows, known - measured)))
    return measured, nearest[0]


def _branches(rows: DataFrame) -> tuple[str, float] | None:
    """(quantity, its exponent) by which the branches are wrong."""
    for quantity in ("growth", "multiplier"):
        wrong = off(tensors(rows, quantity), DEPTHS[quantity])
        if len(wrong):
            return quantity, wrong["found"].iloc[0]
    return None


def _multiply(rows: DataFrame) -> bool:
    """Whether the stream grows faster than branches of one size add up to."""
    return len(off(tensors(rows, "growth"), ADDED_UP)) > 0


def _gains(rows: DataFrame, excess: float) -> DataFrame:
    """Tensors whose gain is off, those of blocks by more than `excess`; of those whose epsilon is
    off the gain says nothing."""
    found = tensors(rows, "gain")
    shrunk = off(tensors(rows, "eps"), DEPTHS["eps"]).index
    found = found.drop(shrunk, errors="ignore")
    wanted = excess * (found["role"] == "block")
    return off(found.assign(wanted=wanted), DEPTHS["gain"])


def _named(rows: DataFrame) -> Iterator[tuple]:
    """(tensor, quantity, exponent, cause)."""
    branches = _branches(rows)
    measured, a = exponent(rows)
    if branches:
        yield "", *branches, "branch multiplier"
    shrunk = off(tensors(rows, "eps"), DEPTHS["eps"])
    if branches:
        shrunk = shrunk[shrunk["role"] != "block"]
    gains = _gains(rows, a - measured if branches else 0.0)
    if _multiply(rows):
        gains = gains[gains["role"] != "block"]
    for quantity, wrong, cause in (("eps", shrunk, "eps"), ("gain", gains, "learning rate")):
        for tensor, value in wrong["found"].items():
            yield tensor, quantity, value, cause
    if not (branches or len(shrunk) or len(gains)):
        for tensor, value in off(tensors(rows, "movement"), DEPTHS["movement"])["found"].items():
            yield tensor, "movement", value, "learning rate"


def sentences(entries: list[dict], rows: DataFrame) -> list[str]:
    """What is wrong in words, tensors of one fault together; tensors without effect at the end."""
    groups: dict[tuple, list[dict]] = {}
    for entry in entries:
        upwards = entry["found"] > entry["wanted"]
        key = entry["cause"], entry["quantity"], upwards, _remedy(entry, rows)
        groups.setdefault(key, []).append(entry)
    found = [sentence(*key, group, "depth") for key, group in groups.items()]
    return found + [f"{name}: has no effect on the loss" for name in silent(rows)]


def _remedy(entry: dict, rows: DataFrame) -> str:
    measured, a = exponent(rows)
    of_tensor = rows[rows["tensor"] == entry["tensor"]]
    in_block = (of_tensor["role"] == "block").any()
    if entry["cause"] == "branch multiplier":
        if _multiply(rows):
            return (
                f"faster than L branches of one size add up to, as without norms: give them a "
                f"multiplier L^-{a:g} first; rates in blocks are judged after that"
            )
        if measured > a - DEPTHS["growth"].region.high:
            return f"branches ~ L^{-measured:+.2f} add up with one sign: take their mean out"
        return f"branches ~ L^{-measured:+.2f} want a multiplier L^{-a:g}"
    if entry["cause"] == "eps":
        wants = f"L^{-a:g}, as the gradients of blocks do" if in_block else "no factor of depth"
        return f"eps is felt (a share of the step, which goes with it) and wants {wants}"
    if not in_block and entry["tensor"]:
        return "outside of the blocks the rate wants no factor of depth"
    name = of_tensor["optimizer"].iloc[0] if entry["tensor"] else ""
    power = 2 * a - 1 if name == "SGD" else a - 1
    under = f" under {name}" if name else ""
    return f"with branches ~ L^{-a:g} a rate in blocks{under} wants the factor L^{power:+g}"


def summary(entries: list[dict], rows: DataFrame) -> list[str]:
    """The answer in one sentence, and one on the exponents that are measured."""
    if rows.empty:
        return []
    measured, a = exponent(rows)
    how = "declared" if (rows["quantity"] == "declared").any() else "the nearer of 1/2 and 1"
    if how != "declared" and _branches(rows):
        how = "what the rates are made for"
    if _multiply(rows):
        return [told("Depth", entries, rows)]
    lazy = rows.loc[rows["quantity"] == "laziness", "found"]
    lazy = f", laziness of blocks ~ L^{lazy.mean():+.2f}" if len(lazy) else ""
    return [
        told("Depth", entries, rows),
        f"Branches ~ L^{-measured:+.2f} (a = {a:g}, {how}){lazy}.",
    ]
