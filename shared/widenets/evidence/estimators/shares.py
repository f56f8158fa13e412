"""Estimators of shares of seeds."""

from collections.abc import Callable, Sequence

import numpy as np
from pandas import DataFrame

from widenets.evidence.claim import Estimate, Estimator
from widenets.evidence.estimators.reading import Where, as_estimate, value_per_seed
from widenets.evidence.intervals import clopper_pearson


def proportion(
    success: Callable[[DataFrame], bool],
    *,
    where: Where = None,
    columns: Sequence[str] | None = None,
) -> Estimator:
    """Share of seeds in which `success(rows)` holds, with its exact (Clopper-Pearson) interval.

    What n seeds can show at most: n of n successes give [0.005^(1/n), 1], that is .27, .52, .72
    for n = 4, 8, 16.
    """

    def estimate(rows: DataFrame) -> Estimate:
        values = value_per_seed(lambda rows: bool(success(rows)), rows, where, columns)
        if isinstance(values, Estimate):
            return values
        interval = clopper_pearson(int(values.sum()), values.size)
        note = f"{int(values.sum())} of {values.size} seeds"
        return as_estimate(interval, values, "Clopper-Pearson", note=note)

    return estimate


def ordering(value: str, *, by: str, increasing: bool, where: Where = None) -> Estimator:
    """Share of seeds in which `value` is strictly increasing (or decreasing) in `by`."""

    def ordered(rows: DataFrame) -> bool:
        steps = np.diff(rows.sort_values(by)[value])
        return bool(np.all(steps > 0 if increasing else steps < 0))

    return proportion(ordered, where=where, columns=(by, value))
