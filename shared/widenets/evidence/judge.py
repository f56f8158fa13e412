"""The rule of judgement: one for all papers.

An interval inside the region passes, one disjoint from it fails, anything else is inconclusive;
and a pass counts only if the control arm, judged by the very same estimator and region, fails.
"""

import math
import warnings
from dataclasses import dataclass

from numpy.exceptions import RankWarning
from pandas import DataFrame

from widenets.evidence.claim import (
    ROUNDING,
    TIERS,
    Claim,
    Estimate,
    Region,
    Verdict,
    no_estimate,
)
from widenets.evidence.rows import rows_of


@dataclass(frozen=True)
class Judgement:
    """One row of checks.csv; the fields are its columns, in order.

    kind            of the statement: level, exponent, identity, bound or unclassified
    rival           the value of the nearest wrong theory (`rival_who` holds it), NaN without one
    resolves_below  smallest shift of the prediction towards smaller values, its region with it, at
    resolves_above  which today's interval would no longer pass, and towards larger ones; in the
                    unit of the estimate; NaN unless the final verdict is an expected pass, and
                    where the region is open
    agrees          whether the interval contains the prediction: yes, no, or "" without either
    interval        what kind of interval it is
    """

    replication: str
    claim: str
    statement: str
    source: str
    region: str
    region_low: float
    region_high: float
    estimate: float
    ci_low: float
    ci_high: float
    n_seeds: int
    verdict: str
    control_arm: str
    control_estimate: float
    control_ci_low: float
    control_ci_high: float
    control_verdict: str
    final: str
    expected: str
    reason: str
    kind: str
    rival: float
    resolves_below: float
    resolves_above: float
    agrees: str
    interval: str
    prediction: float
    scale: float
    rival_who: str
    tier: str
    part: str
    arm: str
    formula: str
    why: str
    note: str
    tags: str
    of_seeds: str
    control_of_seeds: str


def compare(estimate: Estimate, region: Region) -> tuple[Verdict, str]:
    """Hold an estimate against a region: the verdict, and the reason where it is inconclusive."""
    numbers = (estimate.value, estimate.low, estimate.high)
    if not all(math.isfinite(number) for number in numbers):
        return Verdict.INCONCLUSIVE, estimate.note or "the estimate or its interval is not finite"
    if not estimate.low <= estimate.value <= estimate.high:
        raise ValueError(f"estimate {estimate.value} lies outside its interval {numbers[1:]}")
    if estimate.n_seeds == 1:
        return Verdict.INCONCLUSIVE, "a single seed has no interval"
    if region.low <= estimate.low and estimate.high <= region.high:
        return Verdict.PASS, ""
    if estimate.high < region.low or estimate.low > region.high:
        return Verdict.FAIL, ""
    return Verdict.INCONCLUSIVE, "the interval crosses the edge of the accepted region"


def resolution(estimate: Estimate, region: Region) -> tuple[float, float]:
    """(below, above): how far the region of a passing estimate may move until it no longer passes.

    The region moves with the prediction. [low - s, high - s] ends to contain the interval at
    s = high - estimate.high, [low + s, high + s] at s = estimate.low - low; NaN where that end is
    open. The control is left out: it says nothing on the numbers of the arm.
    """
    below = region.high - estimate.high if math.isfinite(region.high) else math.nan
    above = estimate.low - region.low if math.isfinite(region.low) else math.nan
    return below, above


def agreement(estimate: Estimate, claim: Claim) -> str:
    """Whether the interval contains the prediction: "yes" or "no"; "" without one of them.

    An identity is predicted up to rounding, which its region states: any common value will do.
    """
    if claim.predicted is None or not (
        math.isfinite(estimate.low) and math.isfinite(estimate.high)
    ):
        return ""
    slack = ROUNDING * abs(claim.predicted)
    low, high = claim.predicted - slack, claim.predicted + slack
    if claim.kind == "identity":
        low, high = claim.region.low, claim.region.high
    return "yes" if estimate.low <= high and low <= estimate.high else "no"


def judge(claim: Claim, table: DataFrame, tier: str, *, replication: str = "") -> Judgement:
    """Judge one claim on the gathered table of one replication (columns part, arm, seed, ...).

    Missing rows are inconclusive, with the reason. An estimator that asks for a column which no
    table has is a programming error and raises.
    """
    if tier not in TIERS:
        raise ValueError(f"tier: found {tier!r}, wanted one of {', '.join(TIERS)}")
    part = rows_of(table, claim.part)
    empty = set(table.columns) - set(part.columns)
    of_arm = _estimate(claim, part, claim.arm, empty)
    of_control = _estimate(claim, part, claim.control, empty)
    verdict, reason = compare(of_arm, claim.region)
    control_verdict, control_reason = compare(of_control, claim.region)
    if TIERS.index(claim.tier) > TIERS.index(tier):
        verdict = control_verdict = final = Verdict.NOT_JUDGED
        reason = f"needs the {claim.tier} tier"
    else:
        final, remark = _final(claim, verdict, control_verdict, control_reason)
        reason = "; ".join(filter(None, (reason, remark)))
    if claim.expected == Verdict.FAIL:
        reason = "; ".join(filter(None, (claim.reason, reason)))
    passes = final == Verdict.PASS and claim.expected != Verdict.FAIL
    below, above = resolution(of_arm, claim.region) if passes else (math.nan, math.nan)
    return Judgement(
        replication=replication,
        claim=claim.name,
        statement=claim.statement,
        source=claim.source,
        region=claim.region.text,
        region_low=claim.region.low,
        region_high=claim.region.high,
        estimate=of_arm.value,
        ci_low=of_arm.low,
        ci_high=of_arm.high,
        n_seeds=of_arm.n_seeds,
        verdict=str(verdict),
        control_arm=claim.control,
        control_estimate=of_control.value,
        control_ci_low=of_control.low,
        control_ci_high=of_control.high,
        control_verdict=str(control_verdict),
        final=str(final),
        expected=str(claim.expected),
        reason=reason,
        kind=claim.classification,
        rival=claim.rival.value if claim.rival else math.nan,
        resolves_below=below,
        resolves_above=above,
        agrees=agreement(of_arm, claim),
        interval=of_arm.interval,
        prediction=math.nan if claim.predicted is None else claim.predicted,
        scale=math.nan if claim.scale is None else claim.scale,
        rival_who=claim.rival.who if claim.rival else "",
        tier=claim.tier,
        part=claim.part,
        arm=claim.arm,
        formula=claim.formula,
        why=claim.why,
        note=of_arm.note,
        tags=" ".join(claim.tags),
        of_seeds=_joined(of_arm.of_seeds),
        control_of_seeds=_joined(of_control.of_seeds),
    )


def _final(
    claim: Claim, verdict: Verdict, control: Verdict, control_reason: str
) -> tuple[Verdict, str]:
    """What counts once the control has spoken, with a remark where it overrules the arm."""
    refuted = claim.expected == Verdict.FAIL
    if verdict != (Verdict.FAIL if refuted else Verdict.PASS):
        return verdict, ""
    needed = Verdict.PASS if refuted else Verdict.FAIL
    if control == needed:
        return verdict, ""
    because = f" ({control_reason})" if control_reason else ""
    return Verdict.INCONCLUSIVE, (
        f"the check could not have come out as {needed}: "
        f"control {claim.control!r} is {control}{because}"
    )


def _estimate(claim: Claim, part: DataFrame, arm: str, empty: set[str]) -> Estimate:
    """Apply the claim's estimator to one arm of its part; `empty` columns hold nothing there."""
    rows = part[part["arm"] == arm] if len(part) else part
    if rows.empty:
        return no_estimate(f"no rows for arm {arm!r} of part {claim.part!r}")
    try:
        with warnings.catch_warnings():
            # a fit through fewer points than it has parameters is no estimate
            warnings.simplefilter("error", RankWarning)
            estimate = claim.estimator(rows)
    except KeyError as error:
        if error.args and error.args[0] in empty:
            return no_estimate(f"column {error.args[0]!r} holds no value")
        raise KeyError(f"claim {claim.name!r}, arm {arm!r}: no column {error.args[0]!r}") from error
    except Exception as error:
        error.add_note(f"while estimating claim {claim.name!r} on arm {arm!r}")
        raise
    if not isinstance(estimate, Estimate):
        raise TypeError(f"claim {claim.name!r}: the estimator returned {estimate!r}, no Estimate")
    return estimate


def _joined(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.6g}" for value in values)
