"""The answer: from the verdicts on U1 to U7 to a diagnosis. Knows tables alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pandas import DataFrame, Series

from replications.your_network.asked_diagnosis import (
    DIVERGED,
    QUESTIONS,
    at_best,
    at_end,
    better,
    worst_at_end,
)

DIAGNOSES = (
    "optimization", "harmful features", "features help", "only faster", "nothing needs features",
    "dead start", "undecided",
)  # fmt: skip
DEAD, FITTED = 0.9, 0.1  # training loss at the end, in that of the best constant on those labels


@dataclass(frozen=True)
class Decision:
    """`diagnosis`: one of DIAGNOSES, None where none was asked; a sentence; `stop_at`: the step to
    stop at, None where training to the end does no harm."""

    diagnosis: str | None
    sentence: str
    stop_at: int | None


def decided(checks: DataFrame, rows: DataFrame) -> Decision:
    """The decision on one subject.

    checks: rows of checks.csv (columns claim, final) of the asked claims; rows: the gathered table
    (columns part, arm, seed, ...). No rows of part `diagnosis`: nothing was asked of it.
    """
    rows = rows[(rows["part"] == "diagnosis") & (rows["arm"] == "theory")]
    if rows.empty:
        return Decision(None, "", None)
    final = checks.set_index("claim")["final"]
    verdicts = {name: str(final.get(name, "inconclusive")) for name in QUESTIONS}
    seeds = [of_seed for _, of_seed in rows.groupby("seed")]
    dead = all(map(_is_dead, seeds))
    found = diagnosis(verdicts, dead, all(map(_is_fitted, seeds)))
    stop = None
    if verdicts["U7_no_need_to_stop"] == "fail" and found not in ("dead start", "optimization"):
        stop = int(np.median([at_best(of_seed, "step") for of_seed in seeds]))
    return Decision(found, _sentence(found, verdicts, seeds, stop), stop)


def diagnosis(verdicts: Mapping[str, str], dead: bool, fitted: bool) -> str:
    """One of DIAGNOSES. verdicts: pass, fail or anything else of U1 to U7; dead: neither the run
    nor its frozen counterparts train; fitted: the run fits its training data."""

    def is_(verdict: str, *claims: str) -> bool:
        names = {name.partition("_")[0]: name for name in verdicts}
        return all(verdicts[names[claim]] == verdict for claim in claims)

    if dead:
        return "dead start"
    if is_("fail", "U1"):
        return "optimization"
    if fitted and (is_("fail", "U4") or is_("fail", "U6")):
        return "harmful features"
    if is_("pass", "U3"):
        return "features help"
    if is_("pass", "U2", "U5"):
        return "only faster"
    if is_("pass", "U4", "U5"):
        return "nothing needs features"
    return "undecided"


def diagnosis_of_seed(rows: DataFrame) -> str:
    """What the values of a single seed say, without an interval."""
    verdicts = {
        name: "pass" if q.region.low <= q.statistic(rows) <= q.region.high else "fail"
        for name, q in QUESTIONS.items()
    }
    return diagnosis(verdicts, _is_dead(rows), _is_fitted(rows))


def _is_dead(rows: DataFrame) -> bool:
    least = min(at_end(rows, "train"), at_end(rows, "least_frozen_train"))
    return least > DEAD * at_end(rows, "constant_train")


def _is_fitted(rows: DataFrame) -> bool:
    return at_end(rows, "train") < FITTED * at_end(rows, "constant_train")


def _sentence(
    found: str, verdicts: Mapping[str, str], seeds: list[DataFrame], stop: int | None
) -> str:
    def mean(value) -> float:
        return float(np.mean([value(of_seed) for of_seed in seeds]))

    own, frozen = mean(lambda r: at_best(r, "score")), mean(better)
    end, others = mean(lambda r: at_end(r, "score")), mean(worst_at_end)
    train, least = (mean(lambda r, c=c: at_end(r, c)) for c in ("train", "least_frozen_train"))
    against = f"test error {own:.2f} against {frozen:.2f} with features frozen"
    harm = verdicts["U4_features_do_no_harm"] == "fail"
    at_end_only = f"test error {end:.2f} against {others:.2f} with features frozen"
    said = {
        "dead start": "Dead start: frozen features cannot train either "
        f"(training loss {min(train, least):.2f} at the end)",
        "optimization": f"Optimization: {_trained(seeds)}, where frozen features reach {least:.2f}",
        "harmful features": f"Harmful features: {against}, even with the best stopping"
        if harm
        else f"Harmful features, at the end of training: {at_end_only}",
        "features help": f"Features help: {against}",
        "only faster": f"Only faster: frozen features get there too, given their own rate and "
        f"time ({against})",
        "nothing needs features": f"Nothing needs features: {against}",
        "undecided": f"Undecided: {against}; {_open(verdicts)}",
    }[found]
    when = "" if stop is None else f"; stop at step {stop}"
    return f"{said}{when}; 1 is the best constant. {_how(seeds[0].iloc[0])}"


def _trained(seeds: list[DataFrame]) -> str:
    """Training loss at the end, of which a run that diverges has none to tell."""
    found = [at_end(of_seed, "train") for of_seed in seeds]
    diverged = sum(loss >= DIVERGED for loss in found)
    if diverged:
        return f"training diverges in {diverged} of {len(found)} seeds"
    return f"training loss {np.mean(found):.2f} at the end"


def _how(row: Series) -> str:
    """How features were frozen."""
    searched = "" if row["bracketed"] else " (the end of the search, another may serve it better)"
    kernel = "beside the kernel's own solution"
    if row["no_kernel"] != "-":
        kernel = f"for up to 16 times the steps, without a kernel's solution: {row['no_kernel']}"
    return f"Frozen {row['frozen_by']}, at {row['rate']:g} times the rate{searched}, {kernel}."


def _open(verdicts: Mapping[str, str]) -> str:
    """What would decide: the claims whose intervals cross the margin."""
    crossing = [name.partition("_")[0] for name, v in verdicts.items() if v == "inconclusive"]
    if crossing:
        return f"more seeds or more held-out points would decide {', '.join(crossing)}"
    return "the verdicts fit none of the diagnoses"
