"""Which factor of a parameterization is wrong: from a table of part `scaling` to names. Tables
alone, no torch. Part `depth`: `deep_naming`.

    update off, all else right           learning rate; optimizer scale where the optimizer, without
                                         the rate's own exponent, gives the tensor a wrong step
    start off, all else right            initial scale
    both off by as much                  multiplier
    attention                            attention scale
    epsilon                              eps: the tensor's update says nothing then
    decay                                weight decay
    shape                                optimizer scale

A wrong start of one tensor moves the outputs and attention after it: these are named only where no
tensor before them is. Without a read-out of its own a network's outputs are wrong by a multiplier.
"""

from collections.abc import Iterator

from pandas import DataFrame, Series

from replications.your_network.exponents import HALF_GAP, ORTHOGONAL, QUANTITIES, off, tensors

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
    "shape": "optimizer scale",
}
BY_ENTRIES = ("sign", "parallel")  # kinds of steps without a scale of their own


def parameterization(rows: DataFrame) -> list[dict]:
    """What is wrong: {tensor, quantity, axis, found, wanted, cause}, empty where nothing is.

    rows: part `scaling` of the network as it is (arm theory). tensor: as in named_parameters(), ""
    of the whole network. found, wanted: exponents in width, of epsilon a ratio.
    """
    of_all = {name: tensors(rows, name) for name in QUANTITIES}
    wrong = {name: off(of_all[name], of) for name, of in QUANTITIES.items()}
    wrong["update"] = _wrong_updates(of_all["update"], rates(rows))
    return [
        {
            "tensor": tensor,
            "quantity": quantity,
            "axis": "width",
            "found": round(float(found), 3),
            "wanted": _wanted(of_all[quantity], tensor, quantity),
            "cause": cause,
        }
        for tensor, quantity, found, cause in _named(wrong, of_all, rates(rows))
    ]


def _wrong_updates(found: DataFrame, known: DataFrame) -> DataFrame:
    """Those of orthogonal steps are told more sharply."""
    kinds = known["kind"].reindex(found.index)
    wrong = off(found, QUANTITIES["update"]).index
    sharp = off(found[kinds == "orthogonal"], ORTHOGONAL).index
    return found[found.index.isin(wrong.union(sharp))]


def rates(rows: DataFrame) -> DataFrame:
    """Of every tensor that an optimizer moves: role, optimizer, kind of its step, exponents of its
    rate and of its bare step's norm (NaN where that is no matter)."""
    of_rate = rows[rows["quantity"] == "rate"].groupby("tensor")
    known = (
        of_rate[["role", "optimizer", "kind"]].first().join(of_rate["found"].mean().rename("rate"))
    )
    step = rows[rows["quantity"] == "step"].groupby("tensor")["found"].mean()
    return known.join(step.rename("step"))


def _wanted(found: DataFrame, tensor: str, quantity: str) -> float:
    own = found["wanted"].get(tensor)
    return QUANTITIES[quantity].wanted if own is None or own != own else round(float(own), 3)


def _cause(quantity: str, tensor: str, exponent: float, known: DataFrame) -> str:
    """An update is off by the rate of its group, or by what its optimizer makes of the tensor."""
    if quantity != "update" or tensor not in known.index:
        return CAUSES[quantity]
    about = known.loc[tensor]
    if about["kind"] in BY_ENTRIES:
        return CAUSES[quantity]
    is_scaled = abs(about["rate"]) > HALF_GAP
    right_without = abs(exponent - about["rate"]) <= HALF_GAP
    if is_scaled and (right_without or about["role"] == "hidden"):
        return CAUSES[quantity]
    return "optimizer scale"


def _named(
    wrong: dict[str, DataFrame], found: dict[str, DataFrame], known: DataFrame
) -> Iterator[tuple]:
    """(tensor, quantity, exponent, cause)."""
    follow = ("attention", *OUTPUTS) if any(len(wrong[name]) for name in STARTS) else ()
    multiplied = {}
    for quantity in (*STARTS, *OUTPUTS):
        for tensor, exponent in wrong[quantity]["found"].items():
            shift = exponent - QUANTITIES[quantity].wanted
            if quantity not in follow and _multiplied(found, tensor, shift, known):
                multiplied[tensor] = quantity
                yield tensor, "update", found["update"].loc[tensor, "found"], "multiplier"
    for quantity, table in wrong.items():
        for tensor, exponent in table["found"].items():
            of_multiplier = multiplied.get(tensor) == quantity or (
                quantity == "update" and (tensor in multiplied or tensor in wrong["epsilon"].index)
            )
            if quantity not in follow and not of_multiplier:
                yield tensor, quantity, exponent, _cause(quantity, tensor, exponent, known)


def _multiplied(found: dict[str, DataFrame], tensor: str, shift: float, known: DataFrame) -> bool:
    """Whether a multiplier explains a start that is off by `shift`: the update, judged alone since
    the tensor is known to be off, is off in the same direction, by as much (optimizers that
    normalize) or twice that (SGD, whose gradient knows the multiplier, too); or less, since updates
    of narrow networks fall short of their exponent, but never more than half less."""
    updates, region = found["update"], QUANTITIES["update"].region
    if tensor not in updates.index:
        return False
    update = updates.loc[tensor]
    is_off = update["low"] > region.high if shift > 0 else update["high"] < region.low
    expected = abs(shift) * (2 if known["kind"].get(tensor) == "parallel" else 1)
    return bool(is_off and expected / 2 < abs(update["found"]) <= expected)


def sentences(entries: list[dict], rows: DataFrame) -> list[str]:
    """What is wrong in words, tensors of one fault together; tensors without effect at the end."""
    known, groups = rates(rows), {}
    for entry in entries:
        upwards = entry["found"] > entry["wanted"]
        key = entry["cause"], entry["quantity"], upwards, _remedy(entry, known)
        groups.setdefault(key, []).append(entry)
    found = [sentence(*key, group, "width") for key, group in groups.items()]
    found += [f"{name}: has no effect on the loss" for name in silent(rows)]
    return found


def sentence(
    cause: str, quantity: str, upwards: bool, remedy: str, group: list[dict], axis: str
) -> str:
    """One fault; of several tensors the first is named, and the exponent that is farthest off."""
    worst = max(group, key=lambda entry: abs(entry["found"] - entry["wanted"]))
    names = group[0]["tensor"] or "whole network"
    names += f" and {len(group) - 1} more" if len(group) > 1 else ""
    number = f"{quantity} {worst['found']:+.2f}, wants {worst['wanted']:+g}"
    if quantity == "epsilon":
        return (
            f"{names}: eps of the optimizer is not negligible (first step x {worst['found']:.2f} "
            f"for {LOUDER:g} times the loss, wants 1): {remedy}"
        )
    if quantity == "shape":
        return f"{names}: {cause} falls with out/in (power {number[6:]}): {remedy}"
    power = abs(worst["found"] - worst["wanted"])
    too = "grows too fast" if upwards else "falls too fast"
    size = {"width": "n", "depth": "L"}[axis]
    return f"{names}: {cause} {too} with {axis}, by {size}^{power:.1f} ({number}): {remedy}"


_REMEDIES = {
    "initial scale": "check its factor n/n0",
    "multiplier": "check the multiplier, not the rate",
    "attention scale": "divide q.k by d_head, not by its root",
    "eps": "make it smaller",
}


def _remedy(entry: dict, known: DataFrame) -> str:
    if entry["cause"] in _REMEDIES:
        return _REMEDIES[entry["cause"]]
    if entry["tensor"] not in known.index:
        return "check its factor n/n0"
    about = known.loc[entry["tensor"]]
    if entry["cause"] == "weight decay":
        return _on_decay(entry, about["rate"])
    return (
        _on_scale(entry, about) if entry["cause"] == "optimizer scale" else _on_rate(entry, about)
    )


def halves(exponent: float) -> float:
    """To the next 1/2; no -0."""
    return round(2 * float(exponent)) / 2 + 0.0


def _on_rate(entry: dict, about: Series) -> str:
    """The rate has an exponent, and should have that without what the update is off by."""
    has, wants = halves(about["rate"]), halves(about["rate"] - entry["found"])
    why = ""
    if has and not wants:
        why = "; something else falls with width already: drop the factor" if has < 0 else ""
    elif wants and not has:
        why = ": scale it"
    of_muon = about["kind"] not in BY_ENTRIES and has == -1
    why = "; the factor 1/n is Adam's, its step has a scale of its own" if of_muon else why
    return f"under {about['optimizer']} its rate goes as n^{has:+g} and wants n^{wants:+g}{why}"


def _on_scale(entry: dict, about: Series) -> str:
    name = about["optimizer"]
    if entry["quantity"] == "shape":
        return f"the step of {name} wants a factor sqrt(out/in), it seems to have sqrt(in/out)"
    has = f"the step of {name} has the norm n^{halves(about['step']):+g}"
    if about["role"] == "input":
        return f"{has}, which spreads over a token's n numbers: give an embedding to AdamW"
    if about["role"] == "output":
        return f"{has}, which no multiplier of a read-out is made for: give it to AdamW"
    return f"{has}: take the factor sqrt(out/in), or multiply its rate by n^{-entry['found']:+.1f}"


def _on_decay(entry: dict, rate: float) -> str:
    has, of_rate = halves(entry["found"]), halves(rate)
    if of_rate and has in (2 * of_rate, -of_rate):
        how = "has the rate's factor twice" if has == 2 * of_rate else "is divided by it twice"
        return f"scaled twice: the share that it takes {how}; independent +0, coupled {of_rate:+g}"
    if of_rate and has in (0.0, of_rate):
        is_, other = ("coupled", "independent") if has else ("independent", "coupled")
        how = "divide it by" if has else "do not divide it by"
        return f"it is {is_} and the file says {other}: {how} the factor of the tensor's rate"
    return f"the rate goes as n^{of_rate:+g}: independent decay has +0, coupled {of_rate:+g}"


def summary(entries: list[dict], rows: DataFrame) -> list[str]:
    """The answer in one sentence, and one on weight decay where there is any."""
    if rows.empty:
        return []
    return [told("Parameterization", entries, rows), *_decays(rows)]


def told(what: str, entries: list[dict], rows: DataFrame) -> str:
    """Causes and the first tensors, or of how many nothing is wrong."""
    if not entries:
        judged = rows.loc[rows["quantity"] != "rate", "tensor"]
        count = judged.dropna().replace("", None).nunique()
        return f"{what}: nothing wrong is seen in {count} tensors."
    causes = ", ".join(dict.fromkeys(entry["cause"] for entry in entries))
    names = sorted({entry["tensor"] for entry in entries} - {""})
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{what}: {causes} of {', '.join(names[:2]) or 'the whole network'}{more}."


def _decays(rows: DataFrame) -> list[str]:
    """Which choice weight decay is, of the tensors whose rate has an exponent."""
    found, known = tensors(rows, "decay"), rates(rows)
    if found.empty:
        return []
    found = found.join(known["rate"])
    right = found.drop(off(found, QUANTITIES["decay"]).index)
    scaled = right[right["rate"].abs() > HALF_GAP]
    coupled = scaled[(scaled["found"] - scaled["rate"]).abs() <= HALF_GAP]
    counts = {"independent of the rate": len(scaled) - len(coupled), "coupled to it": len(coupled)}
    said = " and ".join(f"{how} in {count} tensors" for how, count in counts.items() if count)
    return [f"Weight decay: {said}."] if said else []


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
