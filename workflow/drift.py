"""Whether an estimate moved between two runs by more than it may: the test behind `compare`."""

import math
from typing import NamedTuple

import numpy as np
from scipy import stats

from shared.evidence.intervals import LEVEL, welch_satterthwaite

ROUNDING = 0.1  # of the half-width of an interval: other processors, amplified by training


class Interval(NamedTuple):
    value: float | None
    low: float
    high: float
    n_seeds: int

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
    chance = welch(gap, halves, (old.n_seeds, new.n_seeds))
    return _kind(chance < level), f"{moved}, p = {chance:.2g} (level {level:.1g})"


def _kind(beyond: bool) -> str:
    return "moved" if beyond else "shifted"


def welch(gap: float, halves: tuple[float, float], n_seeds: tuple[int, int]) -> float:
    """Chance of a gap at least as large, were the two means over seeds the same."""
    degrees = np.maximum(np.array(n_seeds) - 1, 1)
    errors = np.array(halves) / stats.t.ppf((1 + LEVEL) / 2, degrees)
    total = math.sqrt(np.sum(errors**2))
    if total == 0:
        return 1.0 if gap == 0 else 0.0
    return float(2 * stats.t.sf(gap / total, welch_satterthwaite(errors**2, degrees)))
