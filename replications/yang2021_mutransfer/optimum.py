"""What widening does to a learning-rate curve, beyond where its minimum is
(`widenets.evidence.optimum`)."""

import math

import numpy as np
from pandas import DataFrame

from widenets.evidence import per_seed
from widenets.evidence.optimum import final_losses, optima, optimal_log2_rate
from widenets.evidence.optimum import rate_exponent as exponent_of_seed

SWEEP = ("width", "log2_rate", "share", "loss")


def rate_exponent(optimizer=""):
    """Of transformers, or of perceptrons under an optimizer: with Adam the median network's. A wide
    one is at times lucky far above its best rate, where the mean loss is twice the least one, and
    its curve then has two minima."""
    return per_seed(
        exponent_of_seed,
        where={"optimizer": optimizer} if optimizer else None,
        columns=SWEEP,
        center="median" if optimizer == "adam" else "mean",
    )


def transfer_penalty(rows: DataFrame) -> float:
    """Loss of the widest network at the narrowest one's optimal rate, minus its best loss (nats).

    The wide curve is interpolated linearly, which can only add to a convex curve.
    """
    table = final_losses(rows)
    narrow, wide = table["width"].min(), table["width"].max()
    curve = table[table["width"] == wide].sort_values("log2_rate")
    found = optima(rows).set_index("width")["log2_rate"]
    if not math.isfinite(found[narrow]):
        return math.nan
    there = np.interp(found[narrow], curve["log2_rate"], curve["loss"])
    return float(there - curve["loss"].min())


def penalty_across_steps(rows: DataFrame) -> float:
    """`transfer_penalty` of the rate that is best for the narrowest network in the first half of
    its steps, for the widest one in the second half (nats)."""
    narrow, wide = (rows["width"] == width for width in (rows["width"].min(), rows["width"].max()))
    early, late = (
        rows[which].groupby("log2_rate")["loss"].mean()
        for which in (narrow & (rows["share"] <= 0.5), wide & (rows["share"] > 0.5))
    )
    place = optimal_log2_rate(early.index, early)
    if not math.isfinite(place):
        return math.nan
    return float(np.interp(place, late.index, late) - late.min())


def worst_trend(rows: DataFrame, log2_rates: tuple[float, ...]) -> float:
    """Largest change of the final loss per doubling of the width over some fixed rates (nats).

    The change is the least-squares slope in log2 width, over all widths.
    """
    table = final_losses(rows).pivot(index="width", columns="log2_rate", values="loss")
    return float(_trend(table[list(log2_rates)]).max())


def worst_trend_in_time(rows: DataFrame, log2_rate: float) -> float:
    """The same at one rate, in each time window of training."""
    rows = rows[rows["log2_rate"] == log2_rate]
    return float(_trend(rows.pivot(index="width", columns="share", values="loss")).max())


def _trend(table: DataFrame) -> np.ndarray:
    return np.polyfit(np.log2(table.index.to_numpy(float)), table.to_numpy(float), 1)[0]


def good_when_slow_bad_when_fast(rows: DataFrame, slow: float, fast: float) -> float:
    """Smaller of: what widening gains at the slow rate, what it costs at the fast one (nats)."""
    table = final_losses(rows).pivot(index="log2_rate", columns="width", values="loss")
    change = table[table.columns.max()] - table[table.columns.min()]
    return float(min(-change[slow], change[fast]))


def decay_exponent(rows: DataFrame) -> float:
    """One seed's exponent of the best weight decay, located as a learning rate is."""
    found = [
        (math.log2(width), optimal_log2_rate(curve["place"], curve["loss"]))
        for width, curve in rows.groupby("width")
    ]
    return float(np.polyfit(*np.transpose(found), 1)[0])


def best_setting(rows: DataFrame) -> dict[int, float]:
    """Place of the best value of a hyperparameter, by width: vertex of the parabola of log loss
    over all values, held inside their range."""
    found = {}
    for width, curve in rows.groupby("width"):
        a, b, _ = np.polyfit(curve["place"], np.log(curve["loss"]), 2)
        vertex = -b / (2 * a) if a > 0 else curve["place"].iloc[curve["loss"].argmin()]
        found[width] = float(np.clip(vertex, curve["place"].min(), curve["place"].max()))
    return found


def setting_penalty(rows: DataFrame) -> float:
    """Loss of the widest network with the narrowest one's best setting, minus its best (nats).

    Of the mean losses of all seeds: two settings of nearly one loss change places from seed to
    seed, and the best of a single one is partly its luck.
    """
    table = rows.groupby(["place", "width"])["loss"].mean().unstack()
    narrow, wide = table[table.columns.min()], table[table.columns.max()]
    return float(wide[narrow.idxmin()] - wide.min())
