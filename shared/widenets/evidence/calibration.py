"""How often the rule of judgement is right, on synthetic measurements whose truth is known.

Three kinds of noise in one seed's number: normal, skewed (a lognormal of skewness 1.75) and heavy
(a log-logistic, skewed and with an infinite fourth moment). `intervals` draws the 99 % intervals of
an estimator; `rates` holds them against one-sided regions whose edge lies at a chosen distance from
the truth (an edge of a two-sided region cannot be passed more often); `exact_rates` does the same
by enumeration where the outcome is a count of seeds; `whole_rule` runs `judge`, control included.
`python -m workflow.trust.calibration` publishes the tables.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from pandas import DataFrame
from scipy import stats

from widenets.evidence.claim import Claim, Estimate, Estimator, Region, at_least, at_most, near
from widenets.evidence.estimators import (
    corrected_slope,
    extrapolated,
    jackknife,
    largest_deviation,
    last_doubling,
    loglog_slope,
    paired_difference,
    per_seed,
    proportion,
    rms_deviation,
    worst,
)
from widenets.evidence.estimators.scaling import SUMMARIES
from widenets.evidence.intervals import clopper_pearson
from widenets.evidence.judge import compare, judge

WIDTHS = (64, 128, 256, 512)
EXPONENT = -0.5
CORRECTION = 20.0  # of order 1 / width
CELLS, OFFSET = 12, 0.05  # of a table of deviations

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


class Noise(NamedTuple):
    """A positive random factor, its mean and the mean of its logarithm."""

    draw: Draw
    mean: float
    mean_log: float


def _normal_mean_log(deviation: float) -> float:
    """E log(1 + deviation z) for a standard normal z, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(16)
    return float(weights @ np.log(1 + deviation * nodes) / weights.sum())


NOISES = {
    "normal": Noise(
        lambda rng, shape: 1 + 0.1 * rng.standard_normal(shape), 1.0, _normal_mean_log(0.1)
    ),
    "skewed": Noise(
        lambda rng, shape: np.exp(0.5 * rng.standard_normal(shape)), np.exp(0.125), 0.0
    ),
    "heavy": Noise(
        lambda rng, shape: np.exp(rng.logistic(size=shape) / 4),
        (np.pi / 4) / np.sin(np.pi / 4),
        0.0,
    ),
}

MEDIAN = 1.0  # of each of these noises

# Distance of the truth from the edge of the region, in half-widths of the interval.
POSITIONS = {
    "far outside": -3.0,
    "just outside": -1.0,
    "at the edge": 0.0,
    "just inside": 1.0,
    "well inside": 3.0,
}


def power_law(
    rng: np.random.Generator,
    seeds: int | Sequence[int],
    *,
    exponent: float = EXPONENT,
    errors: str = "normal",
    rows: int = 1,
    logarithmic: bool = False,
    correction: float = 0.0,
) -> DataFrame:
    """A measurement width^exponent times noise, in `seeds` draws at each of `WIDTHS`.

    `rows` per seed and width; `logarithmic`: the noise is in the logarithm; `correction` b: times
    exp(b / width), which is 1 + b / width to first order.
    """
    counts = [seeds] * len(WIDTHS) if isinstance(seeds, int) else seeds
    width = np.repeat(WIDTHS, np.array(counts) * rows)
    seed = np.concatenate([np.repeat(np.arange(count), rows) for count in counts])
    noise = NOISES[errors].draw(rng, width.shape)
    factor = np.exp(noise) if logarithmic else noise
    law = width**exponent * np.exp(correction / width)
    return DataFrame({"seed": seed, "width": width, "value": law * factor})


def numbers(rng: np.random.Generator, seeds: int, *, errors: str) -> DataFrame:
    """One number per seed: noise alone."""
    return DataFrame({"seed": range(seeds), "value": NOISES[errors].draw(rng, (seeds,))})


def towards_limit(rng: np.random.Generator, seeds: int, *, errors: str) -> DataFrame:
    """A measurement noise + CORRECTION / width: its limit is the noise's mean."""
    width = np.tile(WIDTHS, seeds)
    value = NOISES[errors].draw(rng, width.shape) + CORRECTION / width
    return DataFrame(
        {"seed": np.repeat(np.arange(seeds), len(WIDTHS)), "width": width, "value": value}
    )


def deviations(
    rng: np.random.Generator, seeds: int, *, errors: str, offset: float = OFFSET
) -> DataFrame:
    """Cells whose means are `offset` times 1, -1, 1, ...; half of the noise is a seed's own."""
    cell = np.tile(np.arange(CELLS), seeds)
    draw = NOISES[errors].draw
    noise = draw(rng, (seeds, CELLS)) + draw(rng, (seeds, 1)) - 2 * NOISES[errors].mean
    value = offset * (-1.0) ** cell + noise.ravel() / 2
    return DataFrame({"seed": np.repeat(np.arange(seeds), CELLS), "cell": cell, "value": value})


def log_ratio(rows: DataFrame) -> float:
    """log of mean over mean at the two ends of the grid: a statistic of all seeds together."""
    means = rows.groupby("width")["value"].mean()
    return float(np.log(means.iloc[-1] / means.iloc[0]))


class Kind(NamedTuple):
    """An estimator, the table of one draw of `seeds` seeds, and the true value under a noise."""

    estimator: Estimator
    table: Callable[..., DataFrame]
    truth: Callable[[str], float]


def _slope(estimator: Estimator, **settings) -> Kind:
    def table(rng, seeds, *, errors):
        return power_law(rng, seeds, errors=errors, **settings)

    return Kind(estimator, table, lambda errors: EXPONENT)


def _doubling(summary: str | None, **settings) -> Kind:
    return _slope(last_doubling("value", "width", sizes=WIDTHS[-2:], summary=summary), **settings)


def _corrected(summary: str | None, **settings) -> Kind:
    slope = corrected_slope("value", "width", order=1, summary=summary)
    return _slope(slope, correction=CORRECTION, **settings)


def _limit(summary: str | None) -> Kind:
    limit = extrapolated("value", "width", summary=summary)
    return Kind(limit, towards_limit, lambda errors: NOISES[errors].mean)


# Named as `workflow.trust.calibration` names the estimators of the claims.
KINDS = {
    "per_seed mean": Kind(per_seed("value"), numbers, lambda errors: NOISES[errors].mean),
    "per_seed geometric": Kind(
        per_seed("value", center="geometric"),
        numbers,
        lambda errors: float(np.exp(NOISES[errors].mean_log)),
    ),
    "per_seed median": Kind(per_seed("value", center="median"), numbers, lambda errors: MEDIAN),
    "loglog_slope mean": _slope(loglog_slope("value", "width"), logarithmic=True),
    "loglog_slope max": _slope(
        loglog_slope("value", "width", reduce="max"), logarithmic=True, rows=3
    ),
    "loglog_slope geometric": _slope(
        loglog_slope("value", "width", reduce="geometric"), logarithmic=True, rows=3
    ),
    "loglog_slope nested mean": _slope(loglog_slope("value", "width", summary="mean")),
    "loglog_slope nested rms": _slope(loglog_slope("value", "width", summary="rms")),
    "loglog_slope nested geometric": _slope(loglog_slope("value", "width", summary="geometric")),
    "jackknife": Kind(
        jackknife(log_ratio), power_law, lambda errors: EXPONENT * np.log(WIDTHS[-1] / WIDTHS[0])
    ),
    "corrected_slope mean": _corrected(None, logarithmic=True),
    "last_doubling mean": _doubling(None, logarithmic=True),
    **{f"corrected_slope nested {name}": _corrected(name) for name in SUMMARIES},
    **{f"last_doubling nested {name}": _doubling(name) for name in SUMMARIES},
    "extrapolated mean": _limit(None),
    "extrapolated nested mean": _limit("mean"),
    "paired_difference": Kind(
        paired_difference("value", by="width", pair=WIDTHS[:2]),
        towards_limit,
        lambda errors: CORRECTION * (1 / WIDTHS[0] - 1 / WIDTHS[1]),
    ),
    "rms_deviation": Kind(
        rms_deviation("value", cells=["cell"]), deviations, lambda errors: OFFSET
    ),
    "largest_deviation": Kind(
        largest_deviation("value", cells=["cell"]), deviations, lambda errors: OFFSET
    ),
}


def intervals(kind: str, *, seeds: int, errors: str, draws: int) -> list[Estimate]:
    """Estimates of independent draws."""
    rng = np.random.default_rng([seeds, *kind.encode(), *errors.encode()])
    one = KINDS[kind]
    return [one.estimator(one.table(rng, seeds, errors=errors)) for _ in range(draws)]


def rates(found: Sequence[Estimate], truth: float) -> Iterator[dict]:
    """Counts of pass, fail and inconclusive at every position, for both directions of a bound."""
    half = float(np.median([(one.high - one.low) / 2 for one in found]))
    for position, offset in POSITIONS.items():
        for bound, edge in (
            ("at most", at_most(truth + offset * half)),
            ("at least", at_least(truth - offset * half)),
        ):
            verdicts = [str(compare(one, edge)[0]) for one in found]
            yield {"position": position, "bound": bound, **_counted(verdicts)}


def _counted(verdicts: Sequence[str]) -> dict[str, int]:
    return {name: verdicts.count(name) for name in ("pass", "fail", "inconclusive")}


def exact_rates(
    estimator: Estimator, region: Region, *, seeds: int, share: float
) -> dict[str, float]:
    """Chances of each verdict where the estimate depends on how many seeds have `success`.

    A seed has it (value 1, else 0) with chance `share`; every count is judged, none is drawn.
    """
    chances = {"pass": 0.0, "fail": 0.0, "inconclusive": 0.0}
    for count in range(seeds + 1):
        rows = DataFrame({"seed": range(seeds), "value": [1.0] * count + [0.0] * (seeds - count)})
        verdict, _ = compare(estimator(rows), region)
        chances[str(verdict)] += float(stats.binom.pmf(count, seeds, share))
    return chances


def proportion_rates(seeds: int, position: str) -> dict[str, float]:
    """A share of seeds against the bound `at least 1/2`."""
    half = np.ptp(clopper_pearson(seeds // 2, seeds)[1:]) / 2
    share = float(np.clip(0.5 + POSITIONS[position] * half, 0.0, 1.0))
    majority = proportion(lambda rows: bool(rows["value"].iloc[0]))
    return exact_rates(majority, at_least(0.5), seeds=seeds, share=share)


def worst_rates(seeds: int, share: float) -> dict[str, float]:
    """The largest of all seeds against a bound that a `share` of all draws obeys."""
    return exact_rates(worst("value"), at_least(0.5), seeds=seeds, share=share)


def whole_rule(
    *, offset: float, seeds: int, noise: float, draws: int, control: float = 0.0
) -> dict[str, int]:
    """Counts of the final verdicts of the claim `exponent = -1/2 +- 0.05`, control included.

    offset   distance of the true exponent from -1/2 in units of the tolerance: 0 is the centre of
             the region, 1 its edge
    noise    standard deviation of one seed's slope in the same unit
    control  true exponent of the control arm
    """
    claim = Claim(
        name="calibration",
        statement="the exponent is -1/2",
        source="synthetic",
        part="synthetic",
        estimator=per_seed("slope"),
        region=near(EXPONENT, 0.05),
        why="chosen",
        control="control",
    )
    rng = np.random.default_rng([seeds, draws])
    finals = []
    for _ in range(draws):
        slopes = 0.05 * noise * rng.standard_normal((2, seeds))
        slopes += np.array([[EXPONENT + 0.05 * offset], [control]])
        table = DataFrame(
            {
                "part": "synthetic",
                "arm": np.repeat(["theory", "control"], seeds),
                "seed": np.tile(np.arange(seeds), 2),
                "slope": slopes.ravel(),
            }
        )
        finals.append(judge(claim, table, "smoke").final)
    return _counted(finals)
