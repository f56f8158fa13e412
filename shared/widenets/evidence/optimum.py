"""Where a learning-rate curve has its minimum, and how that place moves with width.

A curve is the rows of one seed and width: log2_rate and loss. Each seed locates its own optimum, so
that the spread over seeds contains the error of locating it.
"""

import math

import numpy as np
from pandas import DataFrame

# Octaves on each side of the best rate that the parabola is fitted to. Within one octave the curve
# of a well-tuned network is flat, and noise in the batches moves its vertex by half an octave.
WINDOW = 2.0


def final_losses(rows: DataFrame) -> DataFrame:
    """Mean loss over the second half of training, per width and rate; columns width, log2_rate,
    loss."""
    rows = rows[rows["share"] > 0.5]
    return rows.groupby(["width", "log2_rate"], as_index=False)["loss"].mean()


def optimal_log2_rate(log2_rates: np.ndarray, losses: np.ndarray) -> float:
    """Vertex of the parabola of log loss within two octaves of the best rate; NaN at a grid end.

    Rates must be no more than an octave apart, so that at least four points lie inside.
    """
    order = np.argsort(log2_rates)
    x, y = np.asarray(log2_rates, float)[order], np.log(np.asarray(losses, float)[order])
    best = int(np.argmin(y))
    if best in (0, len(x) - 1):
        return math.nan
    near = np.abs(x - x[best]) <= WINDOW + 1e-9
    a, b, _ = np.polyfit(x[near] - x[best], y[near], 2)
    if a <= 0:
        return math.nan
    return float(x[best] + np.clip(-b / (2 * a), -WINDOW, WINDOW))


def optima(rows: DataFrame) -> DataFrame:
    """One seed's optimal rate per width; columns width, log2_rate."""
    curves = final_losses(rows).groupby("width")
    found = [(width, optimal_log2_rate(c["log2_rate"], c["loss"])) for width, c in curves]
    return DataFrame(found, columns=["width", "log2_rate"])


def rate_exponent(rows: DataFrame) -> float:
    """One seed's exponent e of the optimal rate ~ width^e: least squares over all widths."""
    table = optima(rows)
    return float(np.polyfit(np.log2(table["width"]), table["log2_rate"], 1)[0])
