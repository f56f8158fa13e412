"""Exponents of a network's tensors in width, over seeds: what a table of part `scaling` says.

A row holds one seed's exponent of a tensor and quantity (`widenets.ntk.subject.coordinates`). A
tensor is decided to be off only if its interval lies outside the region when all tensors of its
quantity have theirs at once (Bonferroni); all are decided to be right if every single interval lies
inside: for the second, no correction is due, because a wrong statement needs just one of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pandas import DataFrame
from scipy import special

from widenets.evidence import Estimate, Region, at_least, at_most, near, no_estimate
from widenets.evidence.intervals import LEVEL

HALF_GAP = 0.25  # half of 1/2, the gap between neighbouring exponents


@dataclass(frozen=True)
class Quantity:
    """A column of the coordinate check: the exponent that muP wants, what is accepted, and what is
    said where there are no rows."""

    wanted: float
    region: Region
    absent: str


# shape: a step with sqrt(out/in), 1/2, is right; one without, 0, is left alone, for the ratio is
# the same at any width; sqrt(in/out), -1/2, is the mistake. The bound: a quarter of the way to it.
QUANTITIES = {
    "update": Quantity(0.0, near(0.0, HALF_GAP), "no tensor moves"),
    "initial": Quantity(0.0, near(0.0, HALF_GAP), "every tensor starts at zero"),
    "initial_bias": Quantity(0.0, at_most(HALF_GAP), "biases start at zero, or there are none"),
    "initial_output": Quantity(-0.5, at_most(-HALF_GAP), "the outputs start at zero, or the "
                               "read-out is tied"),
    "initial_tied": Quantity(0.0, at_most(HALF_GAP), "the read-out is not tied"),
    "attention": Quantity(-0.5, at_most(-HALF_GAP), "no softmax of attention is seen"),
    "decay": Quantity(0.0, near(0.0, HALF_GAP), "the optimizer has no weight decay"),
    "shape": Quantity(0.5, at_least(-0.125), "no orthogonal step of a tall matrix"),
    "epsilon": Quantity(1.0, at_most(1.1), "the optimizer has no epsilon"),
}  # fmt: skip

# Steps that are made orthogonal are exact on the inputs that they have seen, at every batch: a
# right one has 0 up to corrections of finite width; scales, rates and multipliers go wrong by 1/2
# at least. A fifth of that gap is left to those corrections, where the claims leave half of it.
ORTHOGONAL = Quantity(0.0, near(0.0, 0.1), "no tensor moves")
QUARTER_GAP = 0.125  # so that a multiplier of L^-1/4 is told from none and from L^-1/2
DEPTHS = {
    "growth": Quantity(0.0, at_most(QUARTER_GAP), "every branch starts at zero"),
    "multiplier": Quantity(-0.5, near(-0.5, QUARTER_GAP), "no exponent of the branches is "
                           "declared, and they do not start at zero"),
    "movement": Quantity(0.0, near(0.0, QUARTER_GAP), "no block moves"),
    "gain": Quantity(0.0, near(0.0, QUARTER_GAP), "no tensor moves"),
    "eps": Quantity(0.0, near(0.0, QUARTER_GAP), "no epsilon is felt"),
}  # fmt: skip


def tensors(rows: DataFrame, quantity: str) -> DataFrame:
    """Of one quantity, a line per tensor: role, found, wanted (where it is the tensor's own), low,
    high (99 % alone), sure_low, sure_high (all at once), narrow, wide; nothing of tensors that a
    seed lacks or has as NaN."""
    rows = rows[rows["quantity"] == quantity].fillna({"tensor": "", "role": ""})
    rows = rows.reindex(columns=rows.columns.union(["wanted"]))  # none of a part has its own
    table = rows.pivot(index="tensor", columns="seed", values="found").dropna()
    values = table.to_numpy(float)
    count, seeds = values.shape
    if count == 0 or seeds < 2:
        return DataFrame(
            columns=["role", "found", "wanted", "low", "high", "sure_low", "sure_high"]
        )
    error = values.std(axis=1, ddof=1) / math.sqrt(seeds)
    alone, at_once = (-special.stdtrit(seeds - 1, (1 - LEVEL) / 2 / n) for n in (1, count))
    found = DataFrame({"found": values.mean(axis=1)}, index=table.index)
    for name, factor in (("", alone), ("sure_", at_once)):
        found[f"{name}low"] = found["found"] - factor * error
        found[f"{name}high"] = found["found"] + factor * error
    means = rows.groupby("tensor")[["narrow", "wide", "wanted"]].mean()
    return found.join(rows.groupby("tensor")["role"].first()).join(means)


def shifted(found: DataFrame, of: Quantity) -> DataFrame:
    """The table in terms of the quantity's region: what wants another exponent than the quantity
    does is moved by the difference."""
    moved = found.copy()
    shift = found["wanted"].fillna(of.wanted) - of.wanted
    for end in ("found", "low", "high", "sure_low", "sure_high"):
        moved[end] = found[end] - shift
    return moved


def off(found: DataFrame, of: Quantity) -> DataFrame:
    """The tensors that are decided to lie outside."""
    if found.empty:
        return found
    moved = shifted(found, of)
    outside = (moved["sure_low"] > of.region.high) | (moved["sure_high"] < of.region.low)
    return found[outside]


def farthest(quantity: str) -> Callable[[DataFrame], Estimate]:
    """Estimator: the tensor of a quantity that is farthest from what is wanted.

    Its own interval where it is decided to be off; else the union of the intervals of all tensors.
    """
    of = (QUANTITIES | DEPTHS)[quantity]

    def estimate(rows: DataFrame) -> Estimate:
        n_seeds = rows["seed"].nunique()
        found = tensors(rows, quantity)
        if found.empty:
            return no_estimate("a single seed has no interval" if n_seeds == 1 else of.absent)
        wrong = off(found, of)
        found = shifted(found, of)
        chosen = found if wrong.empty else found.loc[wrong.index]
        beyond = np.abs(chosen["found"] - of.wanted)
        if not of.region.two_sided:
            beyond = chosen["found"]
        name = beyond.idxmax()
        worst = chosen.loc[name]
        note = f"farthest of {len(found)} tensors: {name}" if name else ""
        if wrong.empty:
            ends = found["low"].min(), found["high"].max()
            kind = "union of t intervals of all tensors"
        else:
            ends = worst["sure_low"], worst["sure_high"]
            kind = f"t over seeds, {len(found)} at once (Bonferroni)"
        return Estimate(float(worst["found"]), *map(float, ends), n_seeds, note, interval=kind)

    return estimate
