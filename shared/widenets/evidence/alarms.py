"""How often does an unchanged tree turn red, and how often does a wrong theory pass?

Both follow from a judged row alone: from its interval (the scatter of the seeds) and its distance
from the edges of the region (the margin). The scatter that was found is taken for the true one. The
centre is the mean of `draws` runs, which is off by e / sqrt(draws) itself: a fresh run draws from
the normal law about today's centre with the variance e^2 (1 + 1 / draws). Without the second term
a single draw that happens to lie well would speak for all.

Let e be the standard error, t = t_{n-1} the quantile of the 99 % interval m +- t s of n seeds. A
fresh interval lies below the edge h if m' + t s' <= h, that is if (m' - h) / s' <= -t; and
(m' - h) / s' has the noncentral t law with n - 1 degrees of freedom and noncentrality (m - h) / e,
if m is known. So the scatter of the interval's own width counts, which for 4 seeds is larger than
that of m.

Where the interval is the union of several tensors' intervals, each of its ends has a centre of its
own, which the row does not know: the end is taken to be that of a tensor as noisy as the farthest
one, whose half-width is the distance from the estimate to the nearer end, at most.

A share of all seeds, or of none, counts as certain: that one seed in seventy is otherwise is seen
in runs at other master seeds alone (docs/stability.md), as are heavy tails that no seed has shown.

The range of n seeds, by which bounds for every draw are judged, has no such law: how far beyond its
ends a fresh draw may lie is what the bound itself says. There the chance is NaN.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from pandas import DataFrame
from scipy import stats

from widenets.evidence.claim import Verdict
from widenets.evidence.intervals import LEVEL, clopper_pearson

SHARES, RANGE, LOGARITHMS = "Clopper-Pearson", "range of seeds", "t over logarithms of seeds"
UNION = "union of t intervals"  # of `farthest` in replications/your_network, in any continuation


@dataclass(frozen=True)
class Fresh:
    """Laws of the ends of a fresh interval of one arm.

    value, low, high: today's; n: seeds; kind: of the interval, as the estimators name it; draws: of
    how many runs the value is the mean, inf where it is taken for the true one.
    """

    value: float
    low: float
    high: float
    n: int
    kind: str
    draws: float = math.inf

    def below(self, edge: float, shift: float = 0.0) -> float:
        """Chance that a fresh interval ends at or below `edge`, its centre moved by `shift`."""
        if math.isinf(edge):
            return float(edge > 0)
        if self.kind == SHARES:
            return self._share_below(edge, shift)
        ends = (self._middle_of(self.high) + shift, self.high + shift, edge)
        if self.kind == LOGARITHMS and min(ends) > 0:
            return _mean_below(*map(math.log, ends), self.n, self.draws)
        return _mean_below(*ends, self.n, self.draws)

    def above(self, edge: float, shift: float = 0.0) -> float:
        """Chance that a fresh interval begins at or above `edge`, its centre moved by `shift`."""
        if math.isinf(edge):
            return float(edge < 0)
        if self.kind == SHARES:
            mirrored = Fresh(1 - self.value, 1 - self.high, 1 - self.low, self.n, self.kind)
            return mirrored._share_below(1 - edge, -shift)
        ends = (self._middle_of(self.low) + shift, self.low + shift, edge)
        if self.kind == LOGARITHMS and min(ends) > 0:
            return _mean_below(*(-math.log(end) for end in ends), self.n, self.draws)
        return _mean_below(*(-end for end in ends), self.n, self.draws)

    def _middle_of(self, end: float) -> float:
        """The number whose interval ends there: today's value but for a union of intervals."""
        if not self.kind.startswith(UNION):
            return self.value
        half = min(self.high - self.value, self.value - self.low)
        return end - half if end == self.high else end + half

    def _share_below(self, edge: float, shift: float) -> float:
        share = min(max(self.value + shift, 0.0), 1.0)
        counts = np.arange(self.n + 1)
        inside = [clopper_pearson(int(count), self.n).high <= edge for count in counts]
        return float(stats.binom.pmf(counts, self.n, share)[np.array(inside)].sum())


def _mean_below(center: float, high: float, edge: float, n: int, draws: float) -> float:
    """Chance that a fresh t interval of n seeds ends at or below the edge, today's at `high`."""
    if high == center or n < 2:
        return float(high <= edge)
    quantile = stats.t.ppf((1 + LEVEL) / 2, n - 1)
    away = (center - edge) / ((high - center) / quantile)
    nodes, weights = _spreads(n - 1)
    return float(weights @ stats.norm.cdf((-quantile * nodes - away) / math.sqrt(1 + 1 / draws)))


@functools.cache
def _spreads(degrees: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the law of s' / s, root of chi-square over its degrees. The noncentral t
    is the mean of a normal law over it; scipy's own has no value for 10 standard errors."""
    nodes, weights = np.polynomial.legendre.leggauss(300)
    ranks = (nodes + 1) / 2
    return np.sqrt(stats.chi2.ppf(ranks, degrees) / degrees), weights / 2


def chances(checks: DataFrame) -> DataFrame:
    """replication, claim, alarm, false_pass of every claim that is judged and as expected. Column
    `draws`, where there is one: of how many runs the estimates are the mean."""
    judged = checks[checks["final"] == checks["expected"]]
    rows = judged.to_dict("records")
    found = {"alarm": [alarm(row) for row in rows], "false_pass": [false_pass(row) for row in rows]}
    return judged[["replication", "claim"]].assign(**found).reset_index(drop=True)


def as_expected(found: DataFrame) -> float:
    """Chance that all claims are; their chances are taken as independent."""
    return float(np.prod(1 - found["alarm"].dropna()))


def alarm(row: Mapping[str, object]) -> float:
    """Chance that a fresh run of an unchanged tree does not give this judged row (a row of
    checks.csv) its expected verdict. Both arms must come out as they did; they are independent."""
    if row["interval"] == RANGE:
        return math.nan
    draws = float(row.get("draws", math.inf))
    arm, control = (replace(_arm(row, prefix), draws=draws) for prefix in ("", "control_"))
    wanted, other = (_inside, _outside) if row["expected"] == Verdict.PASS else (_outside, _inside)
    return 1 - wanted(arm, row) * other(control, row)


def false_pass(row: Mapping[str, object]) -> float:
    """Chance that a fresh run passes the check of this judged row if the rival is true, the scatter
    being today's: NaN where there is no rival, for a refutation, and for a range of seeds."""
    rival = float(row["rival"])
    refuted = row["expected"] != Verdict.PASS
    if not math.isfinite(rival) or refuted or row["interval"] == RANGE:
        return math.nan
    return _inside(_arm(row), row, shift=rival - float(row["estimate"]))


def _inside(arm: Fresh, row: Mapping[str, object], shift: float = 0.0) -> float:
    """Both ends are inside: less than both chances of one end by what they lack to 1."""
    below = arm.below(float(row["region_high"]), shift)
    above = arm.above(float(row["region_low"]), shift)
    return max(0.0, below + above - 1)


def _outside(arm: Fresh, row: Mapping[str, object]) -> float:
    """The interval is disjoint from the region."""
    return arm.below(float(row["region_low"])) + arm.above(float(row["region_high"]))


def _arm(row: Mapping[str, object], prefix: str = "") -> Fresh:
    ends = (float(row[f"{prefix}{key}"]) for key in ("estimate", "ci_low", "ci_high"))
    of_seeds = row[f"{prefix}of_seeds"]
    seeds = len(of_seeds.split()) if isinstance(of_seeds, str) else 0
    return Fresh(*ends, seeds or int(row["n_seeds"]), str(row["interval"]))
