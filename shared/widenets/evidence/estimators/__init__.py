"""Estimators: functions from the rows of one arm to an `Estimate`, made by the constructors here.

The seed is the unit: a statistic maps the rows of one seed to one number, and the interval is
taken over seeds. All constructors know

where     {column: value} selects rows; a value may also be a tuple or list (any of them) or a
          function of the column (`lambda width: width >= 256`)
columns   the columns that the statistic reads (default: all). A value among them that is missing
          or not finite, or a seed with fewer rows than the others, gives no estimate and the
          reason: a diverged or missing cell can never be averaged away.

A statistic is the name of a column (one row per seed) or a function rows -> float. Each estimate
says in words what kind its interval is of.

| what is estimated | by |
|-|-|
| one number per seed: its centre, or its worst | `per_seed`, `worst`, `worst_ratio` |
| the same draws under two settings | `paired_difference` |
| one number of all seeds together | `jackknife`, `rms_deviation`, `largest_deviation` |
| a share of seeds | `proportion`, `ordering` |
| an exponent | `loglog_slope` |
| the same less its correction of finite size | `corrected_slope`, `last_doubling` |
| a limit | `extrapolated` |
| a deterministic number | `exact` |
| where a deterministic sequence is going: a limit, an exponent | `asymptotic` |

Statistics of rows that are predictions, for `per_seed` and `jackknife`: `coverage`,
`expected_calibration_error`, `negative_log_likelihood`, `area_under_roc`, `rank_correlation`.
"""

from widenets.evidence.estimators.reading import (
    Statistic,
    Where,
    select,
)
from widenets.evidence.estimators.scaling import (
    asymptotic,
    corrected_slope,
    extrapolated,
    last_doubling,
    loglog_slope,
)
from widenets.evidence.estimators.scores import (
    area_under_roc,
    coverage,
    expected_calibration_error,
    negative_log_likelihood,
    rank_correlation,
)
from widenets.evidence.estimators.seeds import (
    difference,
    exact,
    jackknife,
    largest_deviation,
    paired_difference,
    per_seed,
    ratio,
    rms_deviation,
    worst,
    worst_ratio,
)
from widenets.evidence.estimators.shares import (
    ordering,
    proportion,
)

__all__ = [
    "Statistic",
    "Where",
    "area_under_roc",
    "asymptotic",
    "corrected_slope",
    "coverage",
    "difference",
    "exact",
    "expected_calibration_error",
    "extrapolated",
    "jackknife",
    "largest_deviation",
    "last_doubling",
    "loglog_slope",
    "negative_log_likelihood",
    "ordering",
    "paired_difference",
    "per_seed",
    "proportion",
    "rank_correlation",
    "ratio",
    "rms_deviation",
    "select",
    "worst",
    "worst_ratio",
]
