"""Whether an estimate moved between two runs by more than it may: the test behind `compare`."""

import math
import re
from typing import NamedTuple

import numpy as np
from scipy import stats

from widenets.evidence.intervals import LEVEL, around, welch_satterthwaite

ROUNDING = 0.1  # of the half-width of an interval: other processors, amplified by training


class Interval(NamedTuple):
    """An estimate; `kind` says what its interval is made of, as the note of an estimator does."""

    value: float | None
    low: float
    high: float
    n_seeds: int
    kind: str = "mean"  # or "share" of seeds, or "range" of the seeds' values

    def half(self, towards: float) -> float:
        return self.high - self.value if towards > self.value else self.value - self.low


def difference(old: Interval, new: Interval, level: float, same_draws: bool) -> tuple[str, str]:
    """(moved, shifted or same; how far and against what)."""
    if old[:3] == new[:3]:
        return "same", ""
    if old.value is None or new.value is None:
        return "moved", "there was no estimate" if old.value is None else "there is no estimate"
    halves = old.half(new.value), new.half(old.value)
    moved = f"{old.value:.4g} → {new.value:.4g}"
    gap = abs(new.value - old.value)
    if old.n_seeds == 0 and new.n_seeds == 0:
        return _kind(gap > sum(halves)), f"{moved}, resolved to {max(halves):.2g}"
    if same_draws:
        widths = max(old.high - old.low, new.high - new.low) / 2
        share = gap / widths if widths > 0 else math.inf
        return _kind(share > ROUNDING), f"{moved}, {share:.2g} half-widths with the same draws"
    chance = chance_of(old, new)
    return _kind(chance < level), f"{moved}, p = {chance:.2g} (level {level:.1g})"


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
