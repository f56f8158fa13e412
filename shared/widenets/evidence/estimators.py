"""Estimators: functions from the rows of one arm to an `Estimate`, made by the constructors here.

The seed is the unit: a statistic maps the rows of one seed to one number, and the interval is
taken over seeds. All constructors know

where     {column: value} selects rows; a value may also be a tuple or list (any of them) or a
          function of the column (`lambda width: width >= 256`)
columns   the columns that the statistic reads (default: all). A value among them that is missing
          or not finite, or a seed with fewer rows than the others, gives no estimate and the
          reason: a diverged or missing cell can never be averaged away.

A statistic is the name of a column (one row per seed) or a function rows -> float.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from pandas import DataFrame, Series
from pandas.api.types import infer_dtype, is_numeric_dtype

from widenets.evidence.claim import Estimate, Estimator, no_estimate
from widenets.evidence.intervals import (
    LEVEL,
    Interval,
    around,
    clopper_pearson,
    sign_test,
    student_t,
    welch_satterthwaite,
)

Statistic = str | Callable[[DataFrame], float]
Where = Mapping[str, object] | None


def per_seed(
    statistic: Statistic,
    *,
    where: Where = None,
    columns: Sequence[str] | None = None,
    center: str = "mean",
) -> Estimator:
    """Centre of one number per seed.

    center: "mean" (Student-t), "geometric" (Student-t of the logarithms; for positive, skewed
    numbers such as ratios) or "median" (exact order statistics; needs 8 seeds).
    """
    if center not in ("mean", "geometric", "median"):
        raise ValueError(f"center: found {center!r}, wanted mean, geometric or median")

    def estimate(rows: DataFrame) -> Estimate:
        values = _value_per_seed(statistic, rows, where, columns)
        if isinstance(values, Estimate):
            return values
        if center == "mean":
            return _as_estimate(student_t(values), values)
        if center == "median":
            interval = sign_test(values)
            if interval is None:
                return no_estimate("the interval of a median needs 8 seeds", values.size)
            return _as_estimate(interval, values)
        if np.any(values <= 0):
            return no_estimate("a geometric mean needs positive values", values.size)
        return _as_estimate(Interval(*map(math.exp, student_t(np.log(values)))), values)

    return estimate


def worst(
    statistic: Statistic, *, where: Where = None, columns: Sequence[str] | None = None
) -> Estimator:
    """Largest value over all seeds, for upper bounds that hold for every draw.

    The interval is the range [smallest, largest] over seeds, so that "pass" means that every seed
    obeys the bound and "fail" that every seed breaks it.
    """

    def estimate(rows: DataFrame) -> Estimate:
        values = _value_per_seed(statistic, rows, where, columns)
        if isinstance(values, Estimate):
            return values
        share = (1 - LEVEL) ** (1 / values.size)
        note = (
            f"largest of {values.size} seeds, interval = their range; "
            f"99 % sure of at least {share:.0%} of all draws"
        )
        low, high = float(values.min()), float(values.max())
        return Estimate(high, low, high, values.size, note, tuple(values.tolist()))

    return estimate


def worst_ratio(numerator: str, denominator: str, *, where: Where = None) -> Estimator:
    """Largest numerator / denominator over the grid and over seeds: `worst` of a ratio."""

    def largest_ratio(rows: DataFrame) -> float:
        ratios = rows[numerator] / rows[denominator]
        return float(ratios.max()) if (rows[denominator] > 0).all() else math.nan

    return worst(largest_ratio, where=where, columns=(numerator, denominator))


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
        values = _value_per_seed(lambda rows: bool(success(rows)), rows, where, columns)
        if isinstance(values, Estimate):
            return values
        interval = clopper_pearson(int(values.sum()), values.size)
        note = f"{int(values.sum())} of {values.size} seeds"
        return _as_estimate(interval, values, note)

    return estimate


def ordering(value: str, *, by: str, increasing: bool, where: Where = None) -> Estimator:
    """Share of seeds in which `value` is strictly increasing (or decreasing) in `by`."""

    def ordered(rows: DataFrame) -> bool:
        steps = np.diff(rows.sort_values(by)[value])
        return bool(np.all(steps > 0 if increasing else steps < 0))

    return proportion(ordered, where=where, columns=(by, value))


def loglog_slope(
    y: str,
    x: str,
    *,
    where: Where = None,
    reduce: str = "mean",
    summary: str | None = None,
) -> Estimator:
    """Exponent p of y ~ x^p: least squares of log y on log x over at least three values of x.

    summary=None: seeds crossed with x. One slope per seed, Student-t over seeds; several rows of
    one seed at one x are first reduced by their mean, median, rms, max or geometric mean.

    summary="mean", "rms" or "geometric": seeds nested in x, in any number (at least 2 each). The
    slope is that of the summary over seeds at each x; its variance follows from the delta method,
    its degrees of freedom from Welch and Satterthwaite. Draws at different x must be independent.
    """
    if reduce not in _REDUCTIONS:
        raise ValueError(f"reduce: found {reduce!r}, wanted one of {', '.join(_REDUCTIONS)}")
    if summary not in (None, "mean", "rms", "geometric"):
        raise ValueError(f"summary: found {summary!r}, wanted mean, rms, geometric or None")

    def estimate(rows: DataFrame) -> Estimate:
        rows = _read(rows, where, (x, y))
        problem = _problem(rows, (x, y))
        n_seeds = rows["seed"].nunique()
        if problem:
            return no_estimate(problem, n_seeds)
        if (rows[y] <= 0).any() or (rows[x] <= 0).any():
            return no_estimate(f"a power law needs positive {x} and {y}", n_seeds)
        if rows[x].nunique() < 3:
            return no_estimate(f"a power law needs three values of {x}", n_seeds)
        cells = rows.groupby([x, "seed"])[y].apply(_REDUCTIONS[reduce]).unstack("seed")
        if summary is not None:
            return _nested_slope(cells, summary)
        incomplete = cells.columns[cells.isna().any()].tolist()
        if incomplete:
            return no_estimate(f"cells missing for seeds {_some(incomplete)}", n_seeds)
        if n_seeds < 2:
            return no_estimate("a single seed has no interval", n_seeds)
        slopes = _slope_weights(cells.index.to_numpy(float)) @ np.log(cells.to_numpy(float))
        return _as_estimate(student_t(slopes), slopes)

    return estimate


def jackknife(
    statistic: Callable[[DataFrame], float],
    *,
    where: Where = None,
    columns: Sequence[str] | None = None,
) -> Estimator:
    """Statistic of all seeds together (a collapse, a crossing point, an argmin of a mean curve).

    Leaves out one seed at a time: pseudo-values n s - (n-1) s_(-i), whose mean is the estimate
    (its bias of order 1/n is gone) and whose Student-t interval is its interval. The statistic
    must be smooth in the seeds' averages: a median of seeds is not.
    """

    def estimate(rows: DataFrame) -> Estimate:
        rows = _read(rows, where, columns)
        problem = _problem(rows, columns, balanced=True)
        seeds = rows["seed"].unique()
        if problem:
            return no_estimate(problem, seeds.size)
        if seeds.size < 3:
            return no_estimate("the jackknife needs three seeds", seeds.size)
        whole = float(statistic(rows))
        without = np.array([float(statistic(rows[rows["seed"] != seed])) for seed in seeds])
        pseudo_values = seeds.size * whole - (seeds.size - 1) * without
        if not np.isfinite(pseudo_values).all():
            return no_estimate("the statistic is not finite", seeds.size)
        return _as_estimate(student_t(pseudo_values), pseudo_values)

    return estimate


def exact(
    statistic: Statistic,
    *,
    resolution: float,
    where: Where = None,
    columns: Sequence[str] | None = None,
) -> Estimator:
    """A deterministic number (closed form, quadrature): value +- the stated numerical resolution.

    It has no seeds (`n_seeds` is 0). Rows that disagree by more than the resolution give no
    estimate: then the number is not deterministic, or not resolved.
    """
    if not resolution >= 0:
        raise ValueError(f"resolution: found {resolution}, wanted a number >= 0")

    def estimate(rows: DataFrame) -> Estimate:
        read = [statistic] if isinstance(statistic, str) else columns
        rows = _read(rows, where, read)
        problem = _problem(rows, read)
        if problem:
            return no_estimate(problem)
        if isinstance(statistic, str):
            values = rows[statistic].to_numpy(float)
        else:
            values = np.array([float(statistic(of_seed)) for _, of_seed in rows.groupby("seed")])
        if not np.isfinite(values).all():
            return no_estimate("the statistic is not finite")
        spread = np.ptp(values)
        if spread > resolution:
            return no_estimate(f"rows differ by {spread:.3g}, more than {resolution:.3g}")
        middle = float(np.median(values))
        note = f"deterministic, resolved to {resolution:.3g}"
        return Estimate(middle, middle - resolution, middle + resolution, 0, note)

    return estimate


def ratio(numerator: str, denominator: str) -> Callable[[DataFrame], float]:
    """Statistic for paired columns: mean numerator / mean denominator of one seed."""
    return lambda rows: float(rows[numerator].mean() / rows[denominator].mean())


def difference(first: str, second: str) -> Callable[[DataFrame], float]:
    """Statistic for paired columns: mean of first - second of one seed."""
    return lambda rows: float((rows[first] - rows[second]).mean())


def select(rows: DataFrame, where: Where) -> DataFrame:
    """The rows with {column: value}: a scalar, a tuple or list of them, or a function of it."""
    for column, wanted in (where or {}).items():
        if callable(wanted):
            rows = rows[wanted(rows[column])]
        elif isinstance(wanted, (tuple, list)):
            rows = rows[rows[column].isin(wanted)]
        else:
            rows = rows[rows[column] == wanted]
    return rows


def _read(rows: DataFrame, where: Where, columns: Sequence[str] | None) -> DataFrame:
    """The selected rows with the columns that are read; KeyError(name) where one is not there."""
    rows = select(rows, where)
    if columns is None:
        return rows
    for column in columns:
        if column not in rows.columns:
            raise KeyError(column)
    return rows[["seed", *(column for column in columns if column != "seed")]]


_REDUCTIONS: dict[str, Callable] = {
    "mean": np.mean,
    "median": np.median,
    "rms": lambda values: math.sqrt(np.mean(np.square(values))),
    "max": np.max,
    "geometric": lambda values: math.exp(np.mean(np.log(values))),
}


def _value_per_seed(
    statistic: Statistic, rows: DataFrame, where: Where, columns: Sequence[str] | None
) -> np.ndarray | Estimate:
    """One finite number for each of at least two seeds, or the reason why there is none."""
    read = [statistic] if isinstance(statistic, str) else columns
    rows = _read(rows, where, read)
    problem = _problem(rows, read, balanced=True)
    n_seeds = rows["seed"].nunique()
    if problem:
        return no_estimate(problem, n_seeds)
    if n_seeds < 2:
        return no_estimate("a single seed has no interval", n_seeds)
    values = dict(_statistic_per_seed(statistic, rows))
    bad = [seed for seed, value in values.items() if not math.isfinite(value)]
    if bad:
        return no_estimate(f"not finite for seeds {_some(bad)}", n_seeds)
    return np.array(list(values.values()))


def _statistic_per_seed(statistic: Statistic, rows: DataFrame) -> Iterator[tuple[object, float]]:
    for seed, of_seed in rows.groupby("seed"):
        if not isinstance(statistic, str):
            yield seed, float(statistic(of_seed))
        elif len(of_seed) == 1:
            yield seed, float(of_seed[statistic].iloc[0])
        else:
            raise ValueError(
                f"column {statistic!r} has {len(of_seed)} rows for seed {seed}: "
                "select one with where=, or pass a function of the rows"
            )


def _problem(rows: DataFrame, columns: Sequence[str] | None, balanced: bool = False) -> str:
    """Why these rows cannot be estimated from ('' if they can)."""
    if rows.empty:
        return "no rows selected"
    for column in rows.columns if columns is None else columns:
        bad = _unusable(rows[column], text_is_read=columns is not None)
        if bad.any():
            return f"{column} is not finite for seeds {_some(rows['seed'][bad].unique().tolist())}"
    counts = rows.groupby("seed").size()
    short = counts.index[counts < counts.max()].tolist()
    if balanced and short:
        return f"cells missing for seeds {_some(short)}"
    return ""


def _unusable(values: Series, text_is_read: bool) -> np.ndarray:
    """Which entries are missing, NaN or infinite; text columns count only if they are read."""
    if is_numeric_dtype(values) or infer_dtype(values, skipna=True) == "boolean":
        return ~np.isfinite(values.to_numpy(dtype=float, na_value=math.nan))
    return values.isna().to_numpy() & text_is_read


def _some(seeds: list) -> str:
    return ", ".join(map(str, seeds[:4])) + (", ..." if len(seeds) > 4 else "")


def _slope_weights(x: np.ndarray) -> np.ndarray:
    """Least-squares weights c with slope = c . log y."""
    centered = np.log(x) - np.log(x).mean()
    return centered / (centered @ centered)


def _nested_slope(cells: DataFrame, summary: str) -> Estimate:
    """Slope of a summary over seeds at each x; cells: (x, seeds), NaN where a seed is not run."""
    n_seeds = cells.shape[1]
    groups = [group[np.isfinite(group)] for group in cells.to_numpy(float)]
    if min(group.size for group in groups) < 2:
        return no_estimate("needs two seeds at every point of the grid", n_seeds)
    logs = [_log_summary(group, summary) for group in groups]
    weights = _slope_weights(cells.index.to_numpy(float))
    variances = weights**2 * np.array([variance for _, variance in logs])
    degrees = np.array([group.size - 1 for group in groups])
    slope = weights @ np.array([value for value, _ in logs])
    error = math.sqrt(variances.sum())
    interval = around(slope, error, welch_satterthwaite(variances, degrees))
    return Estimate(*interval, n_seeds, f"slope of the {summary} over seeds")


def _log_summary(values: np.ndarray, summary: str) -> tuple[float, float]:
    """log of the summary and its delta-method variance."""
    if summary == "geometric":
        logs = np.log(values)
        return logs.mean(), logs.var(ddof=1) / values.size
    power = {"mean": 1, "rms": 2}[summary]
    powers = values**power
    relative = powers.var(ddof=1) / (values.size * powers.mean() ** 2)
    return math.log(powers.mean()) / power, relative / power**2


def _as_estimate(interval: Interval, of_seeds: np.ndarray, note: str = "") -> Estimate:
    values = tuple(np.asarray(of_seeds, dtype=float).tolist())
    return Estimate(*interval, len(values), note, values)
