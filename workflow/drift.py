"""Whether an estimate moved between two runs by more than it may: the test behind `compare`."""

import math
import re
from typing import NamedTuple

import numpy as np
from scipy import stats

from widenets.evidence.intervals import LEVEL, around, welch_satterthwaite

# Another processor adds in another order and rounds otherwise. Estimates are dimensionless numbers
# of order one, or differences of such, made in double precision (2e-16): so much of one, or of the
# estimate where it is larger, is what linear algebra of condition 1e4 leaves uncertain.
ROUNDING = 1e-11
SINGLE = 1.2e-7  # of an estimate over seeds: trainings in single precision round so far
# A claim that a number is zero, or no less than zero, states in its region how much rounding it
# allows; edges up to this large are such statements.
RESIDUE = 1e-6
AMPLIFIED = 0.1  # of the half-width of an interval: rounding amplified by training
DIGITS = 1e-6  # relative precision in which the numbers of single seeds are kept


class Interval(NamedTuple):
    """An estimate. `kind` says what its interval is made of, as the note of an estimator does;
    `residue` is the rounding that its claim allows (see `residue_of`); `of_seeds` are the numbers
    of the single seeds, where there are such."""

    value: float | None
    low: float
    high: float
    n_seeds: int
    kind: str = "mean"  # or "share" of seeds, or "range" of the seeds' values
    residue: float = 0.0
    of_seeds: tuple[float, ...] = ()

    def half(self, towards: float) -> float:
        return self.high - self.value if towards > self.value else self.value - self.low


def difference(old: Interval, new: Interval, level: float, same_draws: bool) -> tuple[str, str]:
    """(moved, shifted or same; how far and against what)."""
    if old.value is None or new.value is None:
        if old.value is new.value:
            return "same", ""
        return "moved", "there was no estimate" if old.value is None else "there is no estimate"
    if same_but_for_rounding(old, new):
        return "same", ""
    halves = old.half(new.value), new.half(old.value)
    moved = f"{old.value:.4g} → {new.value:.4g}"
    gap = abs(new.value - old.value)
    if old.n_seeds == 0 and new.n_seeds == 0:
        return _kind(gap > sum(halves)), f"{moved}, resolved to {max(halves):.2g}"
    chance, what = chance_of(old, new), ""
    if same_draws:
        widths = max(old.high - old.low, new.high - new.low) / 2
        share = gap / widths if widths > 0 else math.inf
        if share <= AMPLIFIED:
            return "shifted", f"{moved}, {share:.2g} half-widths with the same draws"
        chance, what = min(chance, chance_of_pairs(old, new)), ", seed by seed"
    return _kind(chance < level), f"{moved}, p = {chance:.2g}{what} (level {level:.1g})"


def same_but_for_rounding(old: Interval, new: Interval) -> bool:
    """Whether the estimate and both ends of its interval agree as far as rounding lets them.

    The interval is no measure for it: it may itself be made of rounding, or be a single point.
    """
    residue, relative = min(old.residue, new.residue), SINGLE if new.n_seeds else 0.0

    def agree(one: float, other: float) -> bool:
        size = max(abs(one), abs(other))
        allowed = max(residue, ROUNDING * max(1, size), relative * size)
        return one == other or abs(one - other) <= allowed

    ends = ((old.value, new.value), (old.low, new.low), (old.high, new.high))
    return all(agree(*pair) for pair in ends)


def residue_of(*edges: float | None) -> float:
    """The rounding that an accepted region allows: its largest edge, if that is a small number
    other than zero; `edges` are None where the region is open."""
    sizes = [abs(edge) for edge in edges if edge]
    return max(sizes) if sizes and max(sizes) <= RESIDUE else 0.0


def _kind(beyond: bool) -> str:
    return "moved" if beyond else "shifted"


def kind_of(note: str) -> str:
    """Kind of an interval from the note of its estimate."""
    if re.fullmatch(r"\d+ of \d+ seeds", note):
        return "share"
    return "range" if "interval = their range" in note else "mean"


def chance_of(old: Interval, new: Interval) -> float:
    """Chance of so large a difference between two independent runs of the same thing.

    Shares: Fisher's exact test. Ranges that overlap: 1. Anything else: Welch's test; of a range
    the middle counts, with range / sqrt(2) as the standard deviation, which it is for two seeds and
    exceeds for more.
    """
    if old.kind == new.kind == "share":
        hits = [round(one.value * one.n_seeds) for one in (old, new)]
        table = [[hit, one.n_seeds - hit] for hit, one in zip(hits, (old, new), strict=True)]
        return float(stats.fisher_exact(table).pvalue)
    if old.kind == new.kind == "range":
        if old.low <= new.high and new.low <= old.high:
            return 1.0
        old, new = _about_the_middle(old), _about_the_middle(new)
    halves = old.half(new.value), new.half(old.value)
    return welch(abs(new.value - old.value), halves, (old.n_seeds, new.n_seeds))


def chance_of_pairs(old: Interval, new: Interval) -> float:
    """Chance of so large a mean change of the single seeds, were it chaos: rounding that training
    has amplified moves each seed by itself, up or down. Student's t-test of the changes; 1 where
    the numbers of the same seeds are not there.
    """
    count = len(old.of_seeds)
    if count < 2 or len(new.of_seeds) != count:
        return 1.0
    changes = np.subtract(new.of_seeds, old.of_seeds)
    kept = DIGITS * np.max(np.abs([old.of_seeds, new.of_seeds]))
    error = max(float(changes.std(ddof=1)) / math.sqrt(count), kept)
    return float(2 * stats.t.sf(abs(changes.mean()) / error, count - 1)) if error > 0 else 1.0


def _about_the_middle(found: Interval) -> Interval:
    error = (found.high - found.low) / math.sqrt(2 * found.n_seeds)
    middle = (found.low + found.high) / 2
    return Interval(*around(middle, error, found.n_seeds - 1), found.n_seeds)


def welch(gap: float, halves: tuple[float, float], n_seeds: tuple[int, int]) -> float:
    """Chance of a gap at least as large, were the two means over seeds the same."""
    degrees = np.maximum(np.array(n_seeds) - 1, 1)
    errors = np.array(halves) / stats.t.ppf((1 + LEVEL) / 2, degrees)
    total = math.sqrt(np.sum(errors**2))
    if total == 0:
        return 1.0 if gap == 0 else 0.0
    return float(2 * stats.t.sf(gap / total, welch_satterthwaite(errors**2, degrees)))
