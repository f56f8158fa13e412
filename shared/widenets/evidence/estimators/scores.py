"""Scores of predictions that say how sure they are: statistics for `per_seed` and `jackknife`.

A row is one prediction. Each score is a function of the rows of a seed; columns are named, or
functions of the rows (a deviation times a scale). They are means or ranks over predictions, so
that seeds, not predictions, carry the interval.
"""

from collections.abc import Callable, Sequence

import numpy as np
from pandas import DataFrame, Series
from scipy import special

Column = str | Callable[[DataFrame], Sequence[float]]
Score = Callable[[DataFrame], float]


def _read(rows: DataFrame, column: Column) -> np.ndarray:
    return np.asarray(rows[column] if isinstance(column, str) else column(rows), dtype=float)


def _ranks(rows: DataFrame, column: Column) -> np.ndarray:
    """From 1 up, ties at their mean; all NaN if one number is."""
    values = _read(rows, column)
    return (
        np.full(values.size, np.nan) if np.isnan(values).any() else Series(values).rank().to_numpy()
    )


def coverage(error: Column, deviation: Column, *, level: float = 0.95) -> Score:
    """Share of predictions whose central Gaussian interval of this level holds the truth:
    |error| <= z deviation with z = Phi^-1((1 + level) / 2). Calibrated: `level` itself.

    Where every seed holds all of its predictions the interval over seeds is the point 1, too
    narrow: the true share may be 1 - 3 / predictions.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: found {level}, wanted a number between 0 and 1")
    z = float(special.ndtri((1 + level) / 2))
    return lambda rows: float(np.mean(np.abs(_read(rows, error)) <= z * _read(rows, deviation)))


def expected_calibration_error(confidence: Column, correct: Column, *, bins: int = 10) -> Score:
    """sum_b n_b / n |mean of correct - mean confidence| over equal bins of the confidence in [0, 1]
    (Naeini et al. 2015). correct: 0 or 1.

    Calibrated predictions have not 0 but about sum_b sqrt(2 n_b p_b (1 - p_b) / pi) / n, because
    each bin's share of hits is noisy; and whoever always says the base rate has as little. Compare
    pairs on the same predictions, and see `negative_log_likelihood`.
    """
    if not bins >= 1:
        raise ValueError(f"bins: found {bins}, wanted an integer >= 1")

    def score(rows: DataFrame) -> float:
        said, hits = _read(rows, confidence), _read(rows, correct)
        if np.any((said < 0) | (said > 1)):
            raise ValueError(f"confidence: found {said.min()} to {said.max()}, wanted 0 to 1")
        place = np.minimum((said * bins).astype(int), bins - 1)
        gaps = np.bincount(place, weights=hits - said, minlength=bins)
        return float(np.abs(gaps).sum() / said.size)

    return score


def negative_log_likelihood(probability: Column) -> Score:
    """Mean of -log p(what happened), in nats. A proper score: least for the true chances."""

    def score(rows: DataFrame) -> float:
        with np.errstate(divide="ignore"):  # p = 0 has an infinite score, which is no estimate
            return float(-np.mean(np.log(_read(rows, probability))))

    return score


def area_under_roc(score: Column, positive: Column) -> Score:
    """P(a positive has the larger score) + P(a tie) / 2, over all pairs of a positive (1) and a
    negative (0): Mann and Whitney's U over their number. No information: 1/2. NaN without one of
    the two kinds."""

    def area(rows: DataFrame) -> float:
        ranks, kind = _ranks(rows, score), _read(rows, positive)
        ones = int(np.sum(kind == 1))
        pairs = ones * (kind.size - ones)
        if pairs == 0:
            return float("nan")
        return float((ranks[kind == 1].sum() - ones * (ones + 1) / 2) / pairs)

    return area


def rank_correlation(first: Column, second: Column) -> Score:
    """Spearman's: the correlation of ranks, ties at their mean. NaN where one is constant."""

    def score(rows: DataFrame) -> float:
        one, other = (_ranks(rows, column) for column in (first, second))
        if np.ptp(one) == 0 or np.ptp(other) == 0:
            return float("nan")
        return float(np.corrcoef(one, other)[0, 1])

    return score
