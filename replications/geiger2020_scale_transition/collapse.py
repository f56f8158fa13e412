"""Crossovers and collapses of curves against alpha, one curve per width (pandas and numpy only)."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
from pandas import DataFrame

Statistic = Callable[[DataFrame], float]
EXPONENTS = np.arange(-0.5, 1.5001, 0.0025)  # kappa where the collapse is tried
ROUNDING = 1e-9  # of ln alpha: at kappa = 1/2 the ends of the curves are the same scales


def crossover_exponent(level: float) -> Statistic:
    """p of alpha* ~ h^p (1 + b/h), alpha* where the relative change of the kernel passes `level`;
    NaN of less than three widths."""

    def statistic(rows: DataFrame) -> float:
        points = [(width, _passage(of_width, level)) for width, of_width in rows.groupby("width")]
        return _corrected_slope(points)

    return statistic


def halfway_exponent(measure: str) -> Statistic:
    """p of alpha* ~ h^p (1 + b/h), alpha* where `measure` is half-way between its values at the
    smallest and at the largest scale of that width; NaN of less than three widths."""

    def statistic(rows: DataFrame) -> float:
        curves = _curves(rows, measure, log=False, unit=True)
        halves = [(width, np.exp(np.interp(0.5, y, x))) for width, (x, y) in curves.items()]
        return _corrected_slope(halves)

    return statistic


def width_exponent(column: str) -> Statistic:
    """d ln column / d ln h of one seed, over all widths that were run."""
    return lambda rows: _slope(rows[["width", column]].to_numpy())


def growth_exponent(column: str, order: float) -> Statistic:
    """p of column ~ s^-p (1 + b s^order) of one seed, over all scales that were run."""
    return lambda rows: _corrected_slope(rows[["inverse_s", column]].to_numpy(), order)


def mean_exponent(column: str) -> Statistic:
    """d ln (mean of column over nets) / d ln h."""

    def statistic(rows: DataFrame) -> float:
        return _slope(list(rows.groupby("width")[column].mean().items()))

    return statistic


def collapse_exponent(measure: str, **options) -> Statistic:
    """The kappa for which the curves against h^kappa alpha agree best."""

    def statistic(rows: DataFrame) -> float:
        curves = _curves(rows, measure, **options)
        if len(curves) < 2:
            return np.nan
        misfits = _misfits(curves, EXPONENTS)
        best = int(np.argmin(misfits))
        if best in (0, len(EXPONENTS) - 1):
            return np.nan
        # The minimum of the parabola through the three lowest points: smooth in the data.
        a, b, c = misfits[best - 1 : best + 2]
        return float(
            EXPONENTS[best] + (EXPONENTS[1] - EXPONENTS[0]) * (a - c) / (a - 2 * b + c) / 2
        )

    return statistic


def corrected_collapse(measure: str, **options) -> Statistic:
    """kappa of h^kappa (1 + b/h) alpha: of the two pairs of neighbours among the three largest
    widths, less what 1/h turns between them; NaN of less than three widths."""
    of_pair = collapse_exponent(measure, **options)

    def statistic(rows: DataFrame) -> float:
        widths = np.sort(rows["width"].unique())[-3:]
        if widths.size < 3:
            return np.nan
        narrow, wide = (of_pair(rows[rows["width"].isin(widths[i : i + 2])]) for i in (0, 1))
        turned = -np.diff(1 / widths) / np.diff(np.log(widths))
        return float((turned[0] * wide - turned[1] * narrow) / (turned[0] - turned[1]))

    return statistic


def misfit_excess(measure: str, kappa: float, **options) -> Statistic:
    """Misfit against h^kappa alpha minus that against h^(1/2) alpha, in units of the misfit that a
    power law in h^(1/2) alpha, of any exponent, has on the same scales."""

    def statistic(rows: DataFrame) -> float:
        curves = _curves(rows, measure, **options)
        law = {width: (x, x + np.log(width) / 2) for width, (x, _) in curves.items()}
        here, at_half = _misfits(curves, np.array([kappa, 0.5]))
        return float((here - at_half) / _misfits(law, np.array([kappa]))[0])

    return statistic


def logarithm_bend(rows: DataFrame) -> float:
    """Second over first difference of t1 / s at three scales, equally spaced in ln s: 0 if t1 / s
    is linear in ln s, 1/6 or more if it is a power of s that spans a factor 2 or more."""
    first, middle, last = (rows.set_index("s")["t1"].sort_index() / np.sort(rows["s"])).to_numpy()
    return (first - 2 * middle + last) / (first - last)


def _passage(rows: DataFrame, level: float) -> float:
    """alpha where the mean curve passes `level`, by interpolation of logarithms."""
    curve = np.log(rows.groupby("alpha")["kernel_change"].apply(_geometric_mean)).sort_index()
    falling = curve.to_numpy()[::-1]
    if not falling[0] < np.log(level) < falling[-1]:
        return np.nan
    return float(np.exp(np.interp(np.log(level), falling, np.log(curve.index.to_numpy()[::-1]))))


def _slope(points) -> float:
    widths, places = np.log(np.array(points, dtype=float)).T
    centred = widths - widths.mean()
    return float(centred @ places / (centred @ centred))


def _corrected_slope(points, order: float = 1.0) -> float:
    """Least squares of the logarithm on 1, ln x and x^-order; for widths 1/h, the order of P / h.
    NaN of less than three sizes."""
    sizes, places = np.array(points, dtype=float).T
    if sizes.size < 3:
        return np.nan
    design = [np.ones_like(sizes), np.log(sizes), (sizes.min() / sizes) ** order]
    return float(np.linalg.pinv(np.stack(design, axis=1))[1] @ np.log(places))


def _curves(rows: DataFrame, measure: str, *, log=True, unit=False, of_lazy=False) -> dict:
    """{width: (ln alpha, values)}, mean over seeds, of logarithms if `log`.

    unit: each curve runs from 0 to 1; of_lazy: each is in units of its value at the largest alpha.
    """
    curves = {}
    for width, of_width in rows.groupby("width"):
        grouped = of_width.groupby("alpha")[measure]
        mean = (grouped.apply(_geometric_mean) if log else grouped.mean()).sort_index()
        values = np.log(mean.to_numpy()) if log else mean.to_numpy()
        if of_lazy:
            values = values - values[-1]
        if unit:
            values = (values - values.min()) / np.ptp(values)
        curves[width] = (np.log(mean.index.to_numpy()), values)
    return curves


def _misfits(curves: dict, exponents: np.ndarray) -> np.ndarray:
    """Rms distance of each curve against h^kappa alpha from the others, where they overlap, over
    the spread of all values, for each kappa; infinite where no two overlap."""
    squares, points = np.zeros(exponents.size), np.zeros(exponents.size)
    for (width, (x, y)), (other, (other_x, other_y)) in permutations(curves.items(), 2):
        moved = x + exponents[:, None] * np.log(width / other)
        inside = (moved > other_x.min() - ROUNDING) & (moved < other_x.max() + ROUNDING)
        squares += np.sum(inside * (y - np.interp(moved, other_x, other_y)) ** 2, axis=1)
        points += inside.sum(axis=1)
    spread = np.std(np.concatenate([y for _, y in curves.values()]))
    mean = np.divide(squares, points, out=np.full(exponents.size, np.inf), where=points > 0)
    return np.sqrt(mean) / spread


def _geometric_mean(values) -> float:
    return float(np.exp(np.mean(np.log(values))))
