"""Judgement: claims, estimators with honest intervals, one rule for all papers, one figure style.

Knows nothing of networks and never imports jax or torch.
"""

from widenets.evidence.claim import (
    TIERS,
    Claim,
    Estimate,
    Region,
    Rival,
    Verdict,
    at_least,
    at_most,
    between,
    near,
    no_estimate,
)
from widenets.evidence.estimators import (
    difference,
    exact,
    jackknife,
    loglog_slope,
    ordering,
    per_seed,
    proportion,
    ratio,
    select,
    worst,
    worst_ratio,
)
from widenets.evidence.intervals import LEVEL, Interval, clopper_pearson, student_t
from widenets.evidence.judge import Judgement, compare, judge

__all__ = [
    "LEVEL",
    "TIERS",
    "Claim",
    "Estimate",
    "Interval",
    "Judgement",
    "Region",
    "Rival",
    "Verdict",
    "at_least",
    "at_most",
    "between",
    "clopper_pearson",
    "compare",
    "difference",
    "exact",
    "jackknife",
    "judge",
    "loglog_slope",
    "near",
    "no_estimate",
    "ordering",
    "per_seed",
    "proportion",
    "ratio",
    "select",
    "student_t",
    "worst",
    "worst_ratio",
]
