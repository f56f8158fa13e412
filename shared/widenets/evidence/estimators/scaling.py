"""Estimators of how a quantity y changes with a size x: exponents and limits.

Each is a linear functional of y, or of log y, at the sizes: one number per seed, Student-t over
seeds. Several rows of one seed at one size are first reduced by their mean, median, rms, max or
geometric mean. With `summary` the seeds are nested in x, in any number (at least 2 each): the
functional is that of the summary over seeds at each x, its variance follows from the delta method,
its degrees of freedom from Welch and Satterthwaite. Draws at different x must be independent then.
Numbers without noise, which only have not arrived yet, are extrapolated by `asymptotic`.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from pandas import DataFrame

from widenets.evidence.claim import Estimate, Estimator, no_estimate
from widenets.evidence.estimators.reading import (
    Where,
    as_estimate,
    problem_of,
    read,
    some,
)
from widenets.evidence.intervals import around, student_t, welch_satterthwaite

REDUCTIONS: dict[str, Callable] = {
    "mean": np.mean,
    "median": np.median,
    "rms": lambda values: math.sqrt(np.mean(np.square(values))),
    "max": np.max,
    "geometric": lambda values: math.exp(np.mean(np.log(values))),
}
SUMMARIES = ("mean", "rms", "geometric")
LAWS = ("limit", "power", "logarithm")

Column = str | Callable[[DataFrame], Sequence[float]]


def loglog_slope(
    y: str,
    x: str,
    *,
    where: Where = None,
    reduce: str = "mean",
    summary: str | None = None,
) -> Estimator:
    """Exponent p of y ~ x^p: least squares of log y on log x over at least three values of x."""
    _refuse_unknown(reduce, summary)

    def estimate(rows: DataFrame) -> Estimate:
        found = _cells(rows, where, y, x, reduce, power_law=True, least=3)
        return _functional(found, _slope_weights, summary, power_law=True)

    return estimate


def corrected_slope(
    y: str,
    x: str,
    *,
    order: float,
    where: Where = None,
    reduce: str = "mean",
    summary: str | None = None,
) -> Estimator:
    """Exponent p of y ~ x^p (1 + b x^-order): least squares of log y on 1, log x and x^-order.

    `order` comes from the theory's next term. log(1 + b x^-order) is taken to first order, so what
    is left in p is of the order of b^2 x^(-2 order) and of further terms at the smallest sizes. At
    least four sizes. The price is noise: over 64 to 1024 in doublings the interval is 2.8 times as
    wide as that of `loglog_slope` with order 1, and 5.1 times with order 1/2.
    """
    _refuse_unknown(reduce, summary)
    _refuse_order(order)

    def weights(sizes: np.ndarray) -> np.ndarray:
        relative = sizes / sizes.min()
        design = [np.ones_like(sizes), np.log(relative), relative**-order]
        return np.linalg.pinv(np.stack(design, axis=1))[1]

    def estimate(rows: DataFrame) -> Estimate:
        found = _cells(rows, where, y, x, reduce, power_law=True, least=4)
        return _functional(found, weights, summary, power_law=True)

    return estimate


def last_doubling(
    y: str,
    x: str,
    *,
    sizes: tuple[float, float],
    where: Where = None,
    reduce: str = "mean",
    summary: str | None = None,
) -> Estimator:
    """Local exponent log2 y(2n)/y(n) over one declared doubling, sizes = (n, 2n).

    A correction 1 + b n^-q shifts it by -b n^-q (1 - 2^-q)/log 2: q b n^-q at most, the least that
    any window below 2n leaves.
    """
    _refuse_unknown(reduce, summary)
    if sizes[1] != 2 * sizes[0]:
        raise ValueError(f"sizes: found {sizes}, wanted (n, 2n)")

    def estimate(rows: DataFrame) -> Estimate:
        of_both = rows[rows[x].isin(sizes)]
        found = _cells(of_both, where, y, x, reduce, power_law=True, least=2)
        return _functional(found, _slope_weights, summary, power_law=True)

    return estimate


def extrapolated(
    y: str,
    x: str,
    *,
    orders: Sequence[float] = (1.0,),
    where: Where = None,
    reduce: str = "mean",
    summary: str | None = None,
) -> Estimator:
    """Limit a of y = a + sum_k b_k x^-orders[k] for x -> infinity: least squares, a reported.

    `orders` are those of the theory's expansion, one or two: (1.0,), (0.5, 1.0). There is one size
    more than terms at least. Bias: the next term at the smallest sizes. Noise: where it is the same
    at all sizes, the interval is .86 times as wide as that of y at one size for orders (1,) over
    64 to 512 in doublings, 1.4 times for (0.5,), and 2.7 times for (0.5, 1) over 64 to 1024.
    """
    _refuse_unknown(reduce, summary)
    if summary not in (None, "mean"):
        raise ValueError(f"summary: found {summary!r}, wanted mean or None")
    if not orders:
        raise ValueError("orders: found none, wanted at least one")
    for order in orders:
        _refuse_order(order)

    def weights(sizes: np.ndarray) -> np.ndarray:
        relative = sizes / sizes.min()
        design = [np.ones_like(sizes), *(relative**-order for order in orders)]
        return np.linalg.pinv(np.stack(design, axis=1))[0]

    def estimate(rows: DataFrame) -> Estimate:
        found = _cells(rows, where, y, x, reduce, power_law=False, least=len(orders) + 2)
        return _functional(found, weights, summary, power_law=False)

    return estimate


def asymptotic(
    y: Column,
    x: Column,
    *,
    terms: Sequence[tuple[float, int]],
    law: str = "limit",
    each: Sequence[str] = (),
    where: Where = None,
    columns: Sequence[str] | None = None,
) -> Estimator:
    """Where a deterministic sequence is going, +- its own truncation (Richardson extrapolation).

    law       limit: a of y = a + T(x). power: p of log y = c + p log x + T(x). logarithm: B of
              y = c + B log x + T(x). T(x) = sum_k b_k x^-p_k (log x)^q_k has the (p_k, q_k) of
              `terms`, those that the theory's expansion has next
    y, x      columns, or functions of the rows of one sequence, of `columns` then
    each      columns that tell sequences of one seed apart

    The k unknowns are solved for from the k largest sizes. The interval reaches as far as the same
    from the k sizes before, without the largest, lies off: what is left out and falls at least by
    half from size to size is covered. Each seed is a sequence of its own, from another start; the
    interval holds those of all, and the estimate has no seeds (`n_seeds` is 0), as `exact`.
    """
    _refuse_terms(law, terms)
    names = tuple(column for column in (x, y) if isinstance(column, str))
    if columns is None and len(names) < 2:
        raise ValueError("columns: found none, wanted those that the functions read")
    needed = (*each, *names, *(columns or ()))

    def estimate(rows: DataFrame) -> Estimate:
        rows = read(rows, where, tuple(dict.fromkeys(needed)))
        problem = problem_of(rows, needed, balanced=True)
        if problem:
            return no_estimate(problem)
        found = []
        for _, sequence in rows.groupby(["seed", *each]):
            sizes, values = (
                np.asarray(sequence[column] if isinstance(column, str) else column(sequence), float)
                for column in (x, y)
            )
            problem = _not_a_sequence(sizes, values, law, terms)
            if problem:
                return no_estimate(problem)
            found.append(_truncated(sizes, values, law, terms))
        values, halves = np.array(found).T
        ends = float(np.min(values - halves)), float(np.max(values + halves))
        note = f"deterministic, truncated at {halves.max():.2g}"
        return Estimate(float(np.median(values)), *ends, 0, note, interval="its own truncation")

    return estimate


def _refuse_terms(law: str, terms: Sequence[tuple[float, int]]) -> None:
    if law not in LAWS:
        raise ValueError(f"law: found {law!r}, wanted one of {', '.join(LAWS)}")
    if not terms:
        raise ValueError("terms: found none, wanted at least one")
    for order, logs in terms:
        _refuse_order(order)
        if logs not in (0, 1, 2):
            raise ValueError(f"terms: found the power {logs} of the logarithm, wanted 0, 1 or 2")


def _unknowns(law: str, terms: Sequence[tuple[float, int]]) -> int:
    return len(terms) + (1 if law == "limit" else 2)


def _not_a_sequence(
    sizes: np.ndarray, values: np.ndarray, law: str, terms: Sequence[tuple[float, int]]
) -> str:
    """Why nothing can be extrapolated from these numbers ('' if it can)."""
    if np.unique(sizes).size < sizes.size:
        return "several values at one size: name what tells them apart in each="
    if sizes.size <= _unknowns(law, terms):
        return f"an extrapolation of this order needs {_unknowns(law, terms) + 1} sizes"
    if not (np.isfinite(values).all() and np.isfinite(sizes).all()):
        return "the sequence is not finite"
    if sizes.min() <= 0 or (law == "power" and values.min() <= 0):
        return f"needs positive sizes{' and values' * (law == 'power')}"
    return ""


def _truncated(
    sizes: np.ndarray, values: np.ndarray, law: str, terms: Sequence[tuple[float, int]]
) -> tuple[float, float]:
    """The number that the law asks for, from the largest sizes, and how far off the one before."""
    order, count = np.argsort(sizes), _unknowns(law, terms)
    sizes, values = sizes[order], values[order]
    relative = sizes / sizes[-1]
    design = [np.ones_like(sizes)] + [np.log(relative)] * (law != "limit")
    design += [relative**-power * np.log(sizes) ** logs for power, logs in terms]
    matrix, right = np.stack(design, axis=1), np.log(values) if law == "power" else values
    last, before = (
        np.linalg.solve(matrix[some_of], right[some_of])[0 if law == "limit" else 1]
        for some_of in (slice(-count, None), slice(-count - 1, -1))
    )
    return last, abs(last - before)


def _refuse_unknown(reduce: str, summary: str | None) -> None:
    if reduce not in REDUCTIONS:
        raise ValueError(f"reduce: found {reduce!r}, wanted one of {', '.join(REDUCTIONS)}")
    if summary is not None and summary not in SUMMARIES:
        raise ValueError(f"summary: found {summary!r}, wanted {', '.join(SUMMARIES)} or None")


def _refuse_order(order: float) -> None:
    if not (math.isfinite(order) and order > 0):
        raise ValueError(f"order: found {order}, wanted a finite number > 0")


def _cells(
    rows: DataFrame, where: Where, y: str, x: str, reduce: str, *, power_law: bool, least: int
) -> DataFrame | Estimate:
    """Values (x, seed), NaN where a seed is not run, or the reason why there are none."""
    rows = read(rows, where, (x, y))
    problem = problem_of(rows, (x, y))
    n_seeds = rows["seed"].nunique()
    if problem:
        return no_estimate(problem, n_seeds)
    what = "a power law" if power_law else "an extrapolation"
    positive = (rows[x] > 0).all() and (not power_law or (rows[y] > 0).all())
    if not positive:
        return no_estimate(f"{what} needs positive {x}{f' and {y}' * power_law}", n_seeds)
    if rows[x].nunique() < least:
        count = {2: "two", 3: "three", 4: "four"}.get(least, str(least))
        return no_estimate(f"{what} needs {count} values of {x}", n_seeds)
    return rows.groupby([x, "seed"])[y].apply(REDUCTIONS[reduce]).unstack("seed")


def _functional(
    cells: DataFrame | Estimate,
    weights: Callable[[np.ndarray], np.ndarray],
    summary: str | None,
    *,
    power_law: bool,
) -> Estimate:
    """sum_x weights(x) y(x), of log y for a power law."""
    if isinstance(cells, Estimate):
        return cells
    of_sizes = weights(cells.index.to_numpy(float))
    if summary is not None:
        return _nested(cells, of_sizes, summary, power_law)
    n_seeds = cells.shape[1]
    incomplete = cells.columns[cells.isna().any()].tolist()
    if incomplete:
        return no_estimate(f"cells missing for seeds {some(incomplete)}", n_seeds)
    if n_seeds < 2:
        return no_estimate("a single seed has no interval", n_seeds)
    values = cells.to_numpy(float)
    numbers = of_sizes @ (np.log(values) if power_law else values)
    return as_estimate(student_t(numbers), numbers, "t over seeds")


def _nested(cells: DataFrame, weights: np.ndarray, summary: str, power_law: bool) -> Estimate:
    """The functional of a summary over seeds at each x."""
    n_seeds = cells.shape[1]
    groups = [group[np.isfinite(group)] for group in cells.to_numpy(float)]
    if min(group.size for group in groups) < 2:
        return no_estimate("needs two seeds at every point of the grid", n_seeds)
    found = [_log_summary(group, summary) if power_law else _mean(group) for group in groups]
    variances = weights**2 * np.array([variance for _, variance in found])
    degrees = np.array([group.size - 1 for group in groups])
    value = weights @ np.array([number for number, _ in found])
    error = math.sqrt(variances.sum())
    interval = around(value, error, welch_satterthwaite(variances, degrees))
    note = f"{'slope' if power_law else 'limit'} of the {summary} over seeds"
    return Estimate(*interval, n_seeds, note, interval="delta method, seeds nested in sizes")


def _slope_weights(x: np.ndarray) -> np.ndarray:
    """Least-squares weights c with slope = c . log y."""
    centered = np.log(x) - np.log(x).mean()
    return centered / (centered @ centered)


def _mean(values: np.ndarray) -> tuple[float, float]:
    """The mean and its variance."""
    return values.mean(), values.var(ddof=1) / values.size


def _log_summary(values: np.ndarray, summary: str) -> tuple[float, float]:
    """log of the summary and its delta-method variance."""
    if summary == "geometric":
        return _mean(np.log(values))
    power = {"mean": 1, "rms": 2}[summary]
    powers = values**power
    relative = powers.var(ddof=1) / (values.size * powers.mean() ** 2)
    return math.log(powers.mean()) / power, relative / power**2
