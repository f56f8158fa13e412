"""What is claimed: the accepted `Region`, the measured `Estimate`, the `Claim` that joins them.

The region is fixed by the theory before anything is run; it belongs to the claim and not to the
tier, so the same statement is judged at every scale. A claim with a predicted value names its
nearest `Rival`, and its region reaches at most half of the way to it.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from pandas import DataFrame

TIERS = ("smoke", "laptop", "paper")
KINDS = ("level", "exponent", "identity", "bound")
ASKED = "asked"  # expected of a claim about which nothing is: pass and fail are both answers
UNCLASSIFIED = "unclassified"  # a two-sided region whose claim does not say its kind

ROUNDING = 1e-9  # relative, of ends and distances that are written as decimal numbers

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Verdict(StrEnum):
    """Outcome of holding one estimate against one region."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Region:
    """The accepted values: the closed interval [low, high], infinite where it is one-sided.

    `center` is the value that the region was put around, None where there is none.
    """

    low: float
    high: float
    text: str
    center: float | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high:  # also catches NaN
            raise ValueError(f"region: needs low < high, found low={self.low}, high={self.high}")

    @property
    def two_sided(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)


def near(value: float, tolerance: float) -> Region:
    """An asymptotic law: `value` within +- `tolerance`."""
    if not (math.isfinite(value) and tolerance > 0):
        raise ValueError(f"near: needs a finite value and tolerance > 0, got {value}, {tolerance}")
    return Region(value - tolerance, value + tolerance, f"{value:g} ± {tolerance:g}", value)


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
class Rival:
    """The nearest wrong theory: the value that it predicts, and who would hold it."""

    value: float
    who: str

    def __post_init__(self) -> None:
        if not (isinstance(self.value, (int, float)) and math.isfinite(self.value)):
            raise ValueError(f"rival: value: found {self.value!r}, wanted a finite number")
        if not (isinstance(self.who, str) and self.who.strip()):
            raise ValueError(f"rival: who: found {self.who!r}, wanted who would hold it, in words")


@dataclass(frozen=True)
class Estimate:
    """A number with its 99 % interval [low, high].

    `n_seeds` is the number of independent draws behind it; 0 stands for a deterministic number.
    A value of NaN says that there is no estimate, and `note` says why. `of_seeds` are the numbers
    of the single seeds, where the estimate is made of such numbers; they are shown, not judged.
    `interval` says in words what kind of interval it is.
    """

    value: float
    low: float
    high: float
    n_seeds: int
    note: str = ""
    of_seeds: tuple[float, ...] = field(default=(), compare=False)
    interval: str = "not said"


Estimator = Callable[[DataFrame], Estimate]


def no_estimate(reason: str, n_seeds: int = 0) -> Estimate:
    """The estimate that can never pass nor fail; `reason` is printed beside the verdict."""
    return Estimate(math.nan, math.nan, math.nan, n_seeds, reason, interval="")


@dataclass(frozen=True)
class Claim:
    """One statement of a paper and how it is checked.

    name        identifier, starting with the paper card's id (`J2_fluctuation_relu`)
    statement   one sentence; `formula` may give it in the paper's symbols
    source      where the statement comes from (theorem, equation, figure)
    part        which table of the replication holds the measurement
    estimator   rows -> Estimate (see `estimators`)
    region      the accepted region, and `why` that region follows from the theory
    arm         the rows that the statement is about
    control     the arm on which the very same check must come out the other way
    tier        the smallest tier that can decide the claim
    expected    "pass", or "fail" for a statement that is refuted here, with its `reason`, or
                "asked" for a question to a reader's own network: a pass still needs a control that
                fails
    kind        "level" (a number with a scale: 5 % of it mean something), "exponent" (of a power
                law: .1 means something), "identity" (holds exactly, up to rounding), "bound" (one
                sided regions are bounds by themselves); "" = not said yet
    prediction  the value that the theory predicts; the centre of a `near` region by itself
    scale       of a level whose prediction is 0: the size of which 5 % are a shift to be noticed
    rival       the nearest wrong theory. It lies outside the region; and a two-sided region reaches
                from the prediction at most half of the way to it. Of a refuted statement the
                prediction is what it says, and the rival what holds instead
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
    kind: str = ""
    prediction: float | None = None
    scale: float | None = None
    rival: Rival | None = None

    @property
    def predicted(self) -> float | None:
        """The predicted value, None where the statement has none."""
        return self.region.center if self.prediction is None else self.prediction

    @property
    def classification(self) -> str:
        """The kind, also where the claim leaves it to its region."""
        return self.kind or (UNCLASSIFIED if self.region.two_sided else "bound")

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
            self.expected in (Verdict.PASS, Verdict.FAIL, ASKED),
            f"expected must be 'pass', 'fail' or 'asked', found {self.expected!r}",
        )
        demand(
            self.expected != Verdict.FAIL or bool(self.reason.strip()),
            "expected='fail' needs a reason: say why the statement does not hold",
        )
        demand(
            isinstance(self.tags, tuple) and all(isinstance(tag, str) for tag in self.tags),
            f"tags must be a tuple of strings, found {self.tags!r}",
        )
        for checks in (_of_kind, _of_rival):
            for holds, problem in checks(self):
                demand(holds, problem)


def _of_kind(claim: Claim) -> Iterator[tuple[bool, str]]:
    """What kind, prediction and scale must obey, each with the problem where it is not so."""
    kind, region, scale = claim.kind, claim.region, claim.scale
    yield kind in ("", *KINDS), f"kind must be one of {', '.join(KINDS)}, found {kind!r}"
    measured = kind in ("level", "exponent")
    yield (
        not measured or region.two_sided,
        f"kind={kind!r} needs a two-sided region, found {region.text}",
    )
    predicted = claim.predicted
    yield (
        not measured or predicted is not None,
        f"kind={kind!r} needs a prediction: the region {region.text} has no centre",
    )
    yield (
        predicted is None or region.low <= predicted <= region.high,
        f"prediction {predicted} lies outside the region {region.text}",
    )
    of_scale = kind == "level" and predicted == 0
    yield (
        scale is not None or not of_scale,
        "a level predicted to be 0 needs a scale: the size of which 5 % are a shift",
    )
    yield (
        scale is None or of_scale,
        f"scale is for levels predicted to be 0 only, found scale={scale}",
    )
    yield (
        scale is None or (math.isfinite(scale) and scale > 0),
        f"scale must be finite and > 0, found {scale}",
    )


def _of_rival(claim: Claim) -> Iterator[tuple[bool, str]]:
    """The rule of the rival."""
    rival, region = claim.rival, claim.region
    yield (
        rival is None or isinstance(rival, Rival),
        f"rival must be Rival(value, who), found {rival!r}",
    )
    if rival is None:
        return
    yield (
        not region.low <= rival.value <= region.high,
        f"the rival {rival.value:g} lies inside the region {region.text}",
    )
    if not region.two_sided:
        return
    predicted = claim.predicted
    center = (region.low + region.high) / 2 if predicted is None else predicted
    reach, most = max(region.high - center, center - region.low), abs(rival.value - center) / 2
    yield (
        reach <= most * (1 + ROUNDING),
        f"the region {region.text} reaches {reach:.4g} from {center:.4g}, "
        f"wanted at most {most:.4g}, half of the way to the rival {rival.value:g}",
    )
