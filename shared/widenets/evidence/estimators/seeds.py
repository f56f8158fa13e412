"""Estimators of one number per seed, or of one number of all seeds together."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from pandas import DataFrame
from scipy import special

from widenets.evidence.claim import Estimate, Estimator, no_estimate
from widenets.evidence.estimators.reading import (
    Statistic,
    Where,
    as_estimate,
    problem_of,
    read,
    read_for,
    select,
    value_per_seed,
)
from widenets.evidence.intervals import LEVEL, Interval, sign_test, student_t


def per_seed(
    statistic: Statistic,
    *,
    where: Where = None,
    columns: Sequence[str] | None = None,
    center: str = "mean",
    floor: float | None = None,
) -> Estimator:
    """Centre of one number per seed.

    center: "mean" (Student-t), "geometric" (Student-t of the logarithms; for positive, skewed
    numbers such as ratios) or "median" (exact order statistics; needs 8 seeds).
    floor: a number below which the statistic cannot lie (0 for a norm); the interval ends there.
    """
    if center not in ("mean", "geometric", "median"):
        raise ValueError(f"center: found {center!r}, wanted mean, geometric or median")

    def estimate(rows: DataFrame) -> Estimate:
        values = value_per_seed(statistic, rows, where, columns)
        if isinstance(values, Estimate):
            return values
        if floor is not None and np.any(values < floor):
            return no_estimate(f"a seed lies below the floor {floor:g}", values.size)
        if center == "geometric" and np.any(values <= 0):
            return no_estimate("a geometric mean needs positive values", values.size)
        interval, kind = _centre(values, center)
        if interval is None:
            return no_estimate("the interval of a median needs 8 seeds", values.size)
        return as_estimate(interval, values, kind, floor=floor)

    return estimate


def _centre(values: np.ndarray, center: str) -> tuple[Interval | None, str]:
    """The interval of one number per seed, and its kind."""
    if center == "median":
        return sign_test(values), "order statistics of seeds"
    if np.ptp(values) == 0:
        return Interval(*[float(values[0])] * 3), "the same number for every seed"
    if center == "mean":
        return student_t(values), "t over seeds"
    return Interval(*map(math.exp, student_t(np.log(values)))), "t over logarithms of seeds"


def worst(
    statistic: Statistic, *, where: Where = None, columns: Sequence[str] | None = None
) -> Estimator:
    """Largest value over all seeds, for upper bounds that hold for every draw.

    The interval is the range [smallest, largest] over seeds, so that "pass" means that every seed
    obeys the bound and "fail" that every seed breaks it.
    """

    def estimate(rows: DataFrame) -> Estimate:
        values = value_per_seed(statistic, rows, where, columns)
        if isinstance(values, Estimate):
            return values
        share = (1 - LEVEL) ** (1 / values.size)
        note = (
            f"largest of {values.size} seeds, interval = their range; "
            f"99 % sure of at least {share:.0%} of all draws"
        )
        low, high = float(values.min()), float(values.max())
        return as_estimate(Interval(high, low, high), values, "range of seeds", note=note)

    return estimate


def worst_ratio(numerator: str, denominator: str, *, where: Where = None) -> Estimator:
    """Largest numerator / denominator over the grid and over seeds: `worst` of a ratio."""

    def largest_ratio(rows: DataFrame) -> float:
        ratios = rows[numerator] / rows[denominator]
        return float(ratios.max()) if (rows[denominator] > 0).all() else math.nan

    return worst(largest_ratio, where=where, columns=(numerator, denominator))


def jackknife(
    statistic: Callable[[DataFrame], float],
    *,
    where: Where = None,
    columns: Sequence[str] | None = None,
    floor: float | None = None,
) -> Estimator:
    """Statistic of all seeds together (a collapse, a crossing point, an argmin of a mean curve).

    Leaves out one seed at a time: pseudo-values n s - (n-1) s_(-i), whose mean is the estimate
    (its bias of order 1/n is gone) and whose Student-t interval is its interval. The statistic
    must be smooth in the seeds' averages: a median of seeds is not, and a root is not where its
    argument may be 0 (`rms_deviation`). floor: a number below which the statistic cannot lie.
    """

    def estimate(rows: DataFrame) -> Estimate:
        rows = read(rows, where, columns)
        problem = problem_of(rows, columns, balanced=True)
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
        return as_estimate(student_t(pseudo_values), pseudo_values, "jackknife", floor=floor)

    return estimate


def exact(
    statistic: Statistic,
    *,
    resolution: float,
    where: Where = None,
    columns: Sequence[str] | None = None,
    floor: float | None = None,
) -> Estimator:
    """A deterministic number (closed form, quadrature): value +- the stated numerical resolution.

    It has no seeds (`n_seeds` is 0). Rows that disagree by more than the resolution give no
    estimate: then the number is not deterministic, or not resolved. floor: a number below which
    it cannot lie.
    """
    if not resolution >= 0:
        raise ValueError(f"resolution: found {resolution}, wanted a number >= 0")

    def estimate(rows: DataFrame) -> Estimate:
        rows, problem = read_for(statistic, rows, where, columns)
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
        ends = (middle, middle - resolution, middle + resolution)
        if floor is not None:
            ends = tuple(max(end, floor) for end in ends)
        note = f"deterministic, resolved to {resolution:.3g}"
        return Estimate(*ends, 0, note, interval="exact (deterministic)")

    return estimate


def rms_deviation(
    column: str, *, cells: Sequence[str], target: float = 0.0, where: Where = None
) -> Estimator:
    """Root mean square, over the cells of a grid, of (mean over seeds - target).

    With X (seeds, cells) the deviations, s = mean over cells of (mean over seeds of X)^2 is
    quadratic in the seeds, so that its jackknife estimate is unbiased: the noise that is left in a
    mean over seeds, which would add var/n to s, is taken out. The interval is Student-t over the
    pseudo-values of s, its upper end s itself at least (at a truth of 0 it would lie below 0 in 2 %
    of cases); its root ends at 0, where the deviations are no larger than their noise.
    Every seed has the same cells, in one row each; seeds are independent, cells need not be.
    """

    def estimate(rows: DataFrame) -> Estimate:
        rows = read(rows, where, [*cells, column])
        problem = problem_of(rows, [column], balanced=True)
        n_seeds = rows["seed"].nunique()
        if problem:
            return no_estimate(problem, n_seeds)
        if n_seeds < 3:
            return no_estimate("the jackknife needs three seeds", n_seeds)
        table = rows.pivot(index="seed", columns=list(cells), values=column).to_numpy(float)
        if not np.isfinite(table).all():
            return no_estimate("the seeds have different cells", n_seeds)
        deviations = table - target
        found = student_t(_pseudo_values_of_square(deviations))
        high = max(found.high, float(np.mean(deviations.mean(axis=0) ** 2)))
        squares = (found.value, found.low, high)
        roots = (math.sqrt(max(square, 0.0)) for square in squares)
        kind = "jackknife of the mean square, its root"
        return Estimate(*roots, n_seeds, interval=kind)

    return estimate


def _pseudo_values_of_square(deviations: np.ndarray) -> np.ndarray:
    """Pseudo-values of the mean over cells of squared means over seeds; (seeds, cells) -> seeds."""
    n = len(deviations)
    means = deviations.mean(axis=0)
    without = (n * means - deviations) / (n - 1)
    return n * np.mean(means**2) - (n - 1) * np.mean(without**2, axis=1)


def largest_deviation(
    column: str, *, cells: Sequence[str], target: str | float = 0.0, where: Where = None
) -> Estimator:
    """Largest |mean over seeds - target| over the cells of a grid; target: a column or a number.

    All cells have Student-t intervals at once, each at a level of 1 - 0.01 / cells (Bonferroni), so
    that the true largest deviation lies between the largest of their lower ends and the largest of
    their upper ends with 99 % at least, however the cells depend on each other. The estimate is the
    largest observed deviation; noise makes it too large, the interval allows for that.
    """

    def estimate(rows: DataFrame) -> Estimate:
        named = [target] if isinstance(target, str) else []
        rows = read(rows, where, [*cells, column, *named])
        problem = problem_of(rows, [column, *named], balanced=True)
        n_seeds = rows["seed"].nunique()
        if problem:
            return no_estimate(problem, n_seeds)
        if n_seeds < 2:
            return no_estimate("a single seed has no interval", n_seeds)
        deviation = rows[column] - (rows[target] if named else target)
        table = rows.assign(deviation=deviation)
        table = table.pivot(index="seed", columns=list(cells), values="deviation").to_numpy(float)
        if not np.isfinite(table).all():
            return no_estimate("the seeds have different cells", n_seeds)
        sizes = np.abs(table.mean(axis=0))
        errors = table.std(axis=0, ddof=1) / math.sqrt(n_seeds)
        half = -errors * special.stdtrit(n_seeds - 1, (1 - LEVEL) / (2 * sizes.size))
        low, high = max(float(np.max(sizes - half)), 0.0), float(np.max(sizes + half))
        kind = f"t over seeds, {sizes.size} at once (Bonferroni)"
        return Estimate(float(sizes.max()), low, high, n_seeds, interval=kind)

    return estimate


def paired_difference(
    y: str, *, by: str, pair: tuple[object, object], where: Where = None
) -> Estimator:
    """Mean over seeds of (y at by = pair[0]) - (y at by = pair[1]), Student-t of the differences.

    A seed must give both from the same draws (weights cut from one array, the same data, the same
    batches): the noise that they share cancels. Independent draws cost nothing but the gain.
    """
    first, second = pair
    if first == second:
        raise ValueError(f"pair: found {first!r} twice, wanted two values of {by}")

    def estimate(rows: DataFrame) -> Estimate:
        rows = read(select(rows, {by: (first, second)}), where, (by, y))
        problem = problem_of(rows, (y,), balanced=True)
        n_seeds = rows["seed"].nunique()
        if problem:
            return no_estimate(problem, n_seeds)
        means = rows.groupby(["seed", by])[y].mean().unstack(by)
        if set(means.columns) != {first, second} or means.isna().any(axis=None):
            return no_estimate(f"not every seed has both {by} = {first} and {second}", n_seeds)
        if n_seeds < 2:
            return no_estimate("a single seed has no interval", n_seeds)
        values = (means[first] - means[second]).to_numpy(float)
        return as_estimate(student_t(values), values, "t over paired seeds")

    return estimate


def ratio(numerator: str, denominator: str) -> Callable[[DataFrame], float]:
    """Statistic for paired columns: mean numerator / mean denominator of one seed."""
    return lambda rows: float(rows[numerator].mean() / rows[denominator].mean())


def difference(first: str, second: str) -> Callable[[DataFrame], float]:
    """Statistic for paired columns: mean of first - second of one seed."""
    return lambda rows: float((rows[first] - rows[second]).mean())
