"""The answer: from the verdicts on the asked claims to a diagnosis. Knows tables alone."""

from dataclasses import dataclass

from pandas import DataFrame

DIAGNOSES = (
    "optimization", "harmful features", "features help", "only faster", "nothing needs features",
    "dead start", "undecided",
)  # fmt: skip


@dataclass(frozen=True)
class Decision:
    """`diagnosis`: one of DIAGNOSES, None where none was asked; a sentence; `stop_at`: the step to
    stop at, None where training to the end does no harm."""

    diagnosis: str | None
    sentence: str
    stop_at: int | None


def decided(checks: DataFrame, rows: DataFrame) -> Decision:
    """The decision. checks: rows of checks.csv of the asked claims; rows: the gathered table."""
    raise NotImplementedError(len(checks), len(rows))
