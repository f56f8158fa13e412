"""What is claimed: the accepted `Region`, the measured `Estimate`, the `Claim` that joins them.

The region is fixed by the theory before anything is run; it belongs to the claim and not to the
tier, so the same statement is judged at every scale.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from pandas import DataFrame

TIERS = ("smoke", "laptop", "paper")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Verdict(StrEnum):
    """Outcome of holding one estimate against one region."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Region:
    """The accepted values: the closed interval [low, high], infinite where it is one-sided."""

    low: float
    high: float
    text: str

    def __post_init__(self) -> None:
        if not self.low < self.high:  # also catches NaN
            raise ValueError(f"region: needs low < high, found low={self.low}, high={self.high}")


def near(value: float, tolerance: float) -> Region:
    """An asymptotic law: `value` within +- `tolerance`."""
    if not (math.isfinite(value) and tolerance > 0):
        raise ValueError(f"near: needs a finite value and tolerance > 0, got {value}, {tolerance}")
    return Region(value - tolerance, value + tolerance, f"{value:g} ± {tolerance:g}")


def at_most(high: float) -> Region:
    """An upper bound."""
    return Region(-math.inf, high, f"≤ {high:g}")


def at_least(low: float) -> Region:
    """A lower bound."""
    return Region(low, math.inf, f"≥ {low:g}")


def between(low: float, high: float) -> Region:
    """A two-sided bound that has no natural centre."""
    return Region(low, high, f"[{low:g}, {high:g}]")


@dataclass(frozen=True)
class Estimate:
    """A number with its 99 % interval [low, high].

    `n_seeds` is the number of independent draws behind it; 0 stands for a deterministic number.
    A value of NaN says that there is no estimate, and `note` says why. `of_seeds` are the numbers
    of the single seeds, where the estimate is made of such numbers; they are shown, not judged.
    """

    value: float
    low: float
    high: float
    n_seeds: int
    note: str = ""
    of_seeds: tuple[float, ...] = field(default=(), compare=False)


Estimator = Callable[[DataFrame], Estimate]


def no_estimate(reason: str, n_seeds: int = 0) -> Estimate:
    """The estimate that can never pass nor fail; `reason` is printed beside the verdict."""
    return Estimate(math.nan, math.nan, math.nan, n_seeds, reason)


@dataclass(frozen=True)
class Claim:
    """One statement of a paper and how it is checked.

    name        identifier, starting with the paper card's id (`J2_fluctuation_relu`)
    statement   one sentence; `formula` may give it in the paper's symbols
    source      where the statement comes from (theorem, equation, figure)
    part        which table of the replication holds the measurement
    estimator   rows -> Estimate (see `estimators.py`)
    region      the accepted region, and `why` that region follows from the theory
    arm         the rows that the statement is about
    control     the arm on which the very same check must come out the other way
    tier        the smallest tier that can decide the claim
    expected    "pass", or "fail" for a statement that is refuted here, with its `reason`
    """

    name: str
    statement: str
    source: str
    part: str
    estimator: Estimator
    region: Region
    why: str
    control: str
    arm: str = "theory"
    formula: str = ""
    tier: str = "smoke"
    expected: str = "pass"
    reason: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        def demand(holds: bool, problem: str) -> None:
            if not holds:
                raise ValueError(f"claim {self.name!r}: {problem}")

        for key in ("name", "statement", "source", "part", "why", "control", "arm"):
            value = getattr(self, key)
            demand(isinstance(value, str) and bool(value.strip()), f"{key} must not be empty")
        for key in ("name", "part"):
            value = getattr(self, key)
            demand(
                bool(_NAME.fullmatch(value)),
                f"{key} must be letters, digits and underscores, found {value!r}",
            )
        demand(callable(self.estimator), f"estimator must be a function, found {self.estimator!r}")
        demand(
            isinstance(self.region, Region),
            f"region must be near/at_most/at_least/between, found {self.region!r}",
        )
        demand(self.control != self.arm, f"control and arm are both {self.arm!r}")
        demand(self.tier in TIERS, f"tier must be one of {', '.join(TIERS)}, found {self.tier!r}")
        demand(
            self.expected in (Verdict.PASS, Verdict.FAIL),
            f"expected must be 'pass' or 'fail', found {self.expected!r}",
        )
        demand(
            self.expected == Verdict.PASS or bool(self.reason.strip()),
            "expected='fail' needs a reason: say why the statement does not hold",
        )
        demand(
            isinstance(self.tags, tuple) and all(isinstance(tag, str) for tag in self.tags),
            f"tags must be a tuple of strings, found {self.tags!r}",
        )
