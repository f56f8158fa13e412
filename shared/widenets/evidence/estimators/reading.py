"""What all estimators share: rows that may be read, one number per seed, reasons for none."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from pandas import DataFrame, Series
from pandas.api.types import infer_dtype, is_numeric_dtype

from widenets.evidence.claim import Estimate, no_estimate
from widenets.evidence.intervals import Interval

Statistic = str | Callable[[DataFrame], float]
Where = Mapping[str, object] | None


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


def read(rows: DataFrame, where: Where, columns: Sequence[str] | None) -> DataFrame:
    """The selected rows with the columns that are read; KeyError(name) where one is not there."""
    rows = select(rows, where)
    if columns is None:
        return rows
    for column in columns:
        if column not in rows.columns:
            raise KeyError(column)
    return rows[["seed", *(column for column in columns if column != "seed")]]


def read_for(
    statistic: Statistic,
    rows: DataFrame,
    where: Where,
    columns: Sequence[str] | None,
    balanced: bool = False,
) -> tuple[DataFrame, str]:
    """The rows that a statistic reads, and why it cannot ('' if it can)."""
    of_statistic = [statistic] if isinstance(statistic, str) else columns
    rows = read(rows, where, of_statistic)
    return rows, problem_of(rows, of_statistic, balanced)


def value_per_seed(
    statistic: Statistic, rows: DataFrame, where: Where, columns: Sequence[str] | None
) -> np.ndarray | Estimate:
    """One finite number for each of at least two seeds, or the reason why there is none."""
    rows, problem = read_for(statistic, rows, where, columns, balanced=True)
    n_seeds = rows["seed"].nunique()
    if problem:
        return no_estimate(problem, n_seeds)
    if n_seeds < 2:
        return no_estimate("a single seed has no interval", n_seeds)
    values = dict(_statistic_per_seed(statistic, rows))
    bad = [seed for seed, value in values.items() if not math.isfinite(value)]
    if bad:
        return no_estimate(f"not finite for seeds {some(bad)}", n_seeds)
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


def problem_of(rows: DataFrame, columns: Sequence[str] | None, balanced: bool = False) -> str:
    """Why these rows cannot be estimated from ('' if they can)."""
    if rows.empty:
        return "no rows selected"
    for column in rows.columns if columns is None else columns:
        bad = _unusable(rows[column], text_is_read=columns is not None)
        if bad.any():
            return f"{column} is not finite for seeds {some(rows['seed'][bad].unique().tolist())}"
    counts = rows.groupby("seed").size()
    short = counts.index[counts < counts.max()].tolist()
    if balanced and short:
        return f"cells missing for seeds {some(short)}"
    return ""


def _unusable(values: Series, text_is_read: bool) -> np.ndarray:
    """Which entries are missing, NaN or infinite; text columns count only if they are read."""
    if is_numeric_dtype(values) or infer_dtype(values, skipna=True) == "boolean":
        return ~np.isfinite(values.to_numpy(dtype=float, na_value=math.nan))
    return values.isna().to_numpy() & text_is_read


def some(seeds: list) -> str:
    return ", ".join(map(str, seeds[:4])) + (", ..." if len(seeds) > 4 else "")


def as_estimate(
    found: Interval,
    of_seeds: np.ndarray,
    interval: str,
    *,
    note: str = "",
    floor: float | None = None,
) -> Estimate:
    """The estimate of numbers of single seeds; `interval` says what kind of interval it is.

    `floor` is a number below which the estimated quantity cannot lie: the interval is cut there,
    which costs no coverage. Where all of it lies below there is no estimate.
    """
    values = np.asarray(of_seeds, dtype=float)
    if floor is not None:
        if found.high < floor:
            return no_estimate(f"the whole interval lies below {floor:g}", values.size)
        found = Interval(*(max(number, floor) for number in found))
    return Estimate(*found, values.size, note, tuple(values.tolist()), interval)
