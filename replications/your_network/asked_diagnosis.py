"""What is asked of a reader's network: U1 to U8.

All losses are in units of the best constant's, the margin is 5 % of them: a convention that was
fixed beforehand, not theory. A run is stopped at its own least validation loss (@best) or not
(@end). Every claim but U2 is held against the frozen arm that makes it hardest.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from pandas import DataFrame

from widenets.evidence import Claim, Region, at_least, at_most, per_seed

MARGIN, TURN = 0.05, 0.01
DIVERGED = 10.0  # units of the best constant's loss; a guess has 1, or a few where f_0 is large

MARGIN_WHY = "the margin, 5 % of what there is to explain, is a convention fixed beforehand"

# Columns of every statistic; `fixed` is the kernel's solution or the frozen arm after 16 times the
# steps.
COLUMNS = (
    "step", "train", "validation", "test", "score", "frozen_validation", "frozen_test",
    "frozen_score", "frozen_validation_score", "same_validation", "same_test", "same_score",
    "same_validation_score", "least_frozen_train", "steep_score",
    "constant_train", "fixed", "fixed_validation", "fixed_end",
)  # fmt: skip


def at_best(rows: DataFrame, column: str, prefix: str = "") -> float:
    """A column of one arm at the step of its least validation loss."""
    place = int(np.argmin(rows[f"{prefix}validation"]))
    return float(rows[f"{prefix}{column}"].iloc[place])


def at_end(rows: DataFrame, column: str) -> float:
    return float(rows[column].iloc[int(np.argmax(rows["step"]))])


def _frozen_scores(rows: DataFrame) -> dict[str, tuple[float, float]]:
    """(validation, test) scores of the frozen arms, each at its best."""
    found = {
        arm: (at_best(rows, "validation_score", arm), at_best(rows, "score", arm))
        for arm in ("frozen_", "same_")
    }
    return {**found, "fixed": (at_end(rows, "fixed_validation"), at_end(rows, "fixed"))}


def better(rows: DataFrame) -> float:
    """Test score of the frozen arm that validation data prefer."""
    return min(_frozen_scores(rows).values())[1]


def worst(rows: DataFrame) -> float:
    """Test score of the frozen arm that validation data like least, the run's own rate included."""
    return max(_frozen_scores(rows).values())[1]


def harm(rows: DataFrame) -> float:
    """How much worse than the worst frozen arm it is, stopped at its best; 0 where it is better: a
    seed in which all frozen arms fare badly makes up for no harm in another."""
    return max(at_best(rows, "score") - worst(rows), 0.0)


def learned(rows: DataFrame) -> float:
    """Training loss at the end, at most that of the best constant: a run that is worse has learned
    nothing, and by how much it is worse, tenfold or not, is no measure of that."""
    return min(at_end(rows, "train"), at_end(rows, "constant_train"))


def worst_at_end(rows: DataFrame) -> float:
    """Largest test score of a frozen arm at the end: at its own rate, the run's, the steepest, and
    trained to the very end."""
    ends = ("frozen_score", "same_score", "steep_score", "fixed_end")
    return max(at_end(rows, column) for column in ends)


class Question(NamedTuple):
    """Statistic of one seed, its accepted region, and the arm on which it must come out of it."""

    statistic: Callable[[DataFrame], float]
    region: Region
    control: str
    statement: str
    formula: str
    why: str


QUESTIONS = {
    "U1_trains": Question(
        lambda rows: learned(rows) - at_end(rows, "least_frozen_train"),
        at_most(MARGIN),
        "slow",
        "At the end the training loss is not stuck above that of the frozen counterpart at its own "
        "rate",
        r"$\min(L_{train}(T), L_{constant}) - \min_k L^{frozen,k}_{train}(T)$",
        "the frozen counterpart is one point of what the optimizer could reach; " + MARGIN_WHY,
    ),
    "U2_learns_sooner": Question(
        lambda rows: at_best(rows, "test") - at_best(rows, "test", "same_"),
        at_most(-MARGIN),
        "lazy",
        "At this learning rate and in this number of steps it learns more than with frozen "
        "features (it says nothing of other rates)",
        r"$L_{test}@best - L^{frozen,same\ rate}_{test}@best$",
        "the lazy network is its own frozen counterpart: 0; " + MARGIN_WHY,
    ),
    "U3_features_help": Question(
        lambda rows: at_best(rows, "score") - better(rows),
        at_most(-MARGIN),
        "lazy",
        "The test error is lower than frozen features reach at any time: the better of the frozen "
        "arm at its own rate and the kernel's own solution",
        r"$S_{test}@best - \min(S^{frozen}@best, S^{kernel})$",
        "a lazy network can do no better than the best that its kernel allows; " + MARGIN_WHY,
    ),
    "U4_features_do_no_harm": Question(
        harm,
        at_most(MARGIN),
        "shuffled",
        "Stopped at its best, it is not worse than the worst frozen arm, the one at the run's own "
        "rate included",
        r"$\max(S_{test}@best - \max(S^{frozen}@best, S^{same\ rate}@best, S^{kernel}), 0)$",
        "what a ridge or a smaller rate gains must not be called harm by features; " + MARGIN_WHY,
    ),
    "U5_frozen_suffices": Question(
        lambda rows: better(rows) - at_best(rows, "score"),
        at_most(MARGIN),
        "permuted",
        "The phenomenon survives if the features are frozen",
        r"$\min(S^{frozen}@best, S^{kernel}) - S_{test}@best$",
        "a kernel that saw permuted labels does not suffice unless nothing was learned at all; "
        + MARGIN_WHY,
    ),
    "U6_no_worse_at_the_end": Question(
        lambda rows: at_end(rows, "score") - worst_at_end(rows),
        at_most(MARGIN),
        "shuffled",
        "Trained to the end, it is not worse than the worst of the frozen arms, the one that fits "
        "its training data fastest and the one that is trained to the very end included",
        r"$S_{test}(T) - \max(\max_k S^{frozen,k}_{test}(T), S^{frozen}_{test}(\infty))$",
        "overfitting that frozen features share is not the features' doing; " + MARGIN_WHY,
    ),
    "U7_no_need_to_stop": Question(
        lambda rows: at_end(rows, "test") - at_best(rows, "test"),
        at_most(MARGIN),
        "shuffled",
        "The test loss at the end is that of the best time to stop",
        r"$L_{test}(T) - L_{test}@best$",
        "overfitting in time, whatever its cause; " + MARGIN_WHY,
    ),
}


ASKED_DIAGNOSIS = [
    *(
        Claim(
            name=name,
            statement=asked.statement,
            formula=asked.formula,
            source="asked of this network",
            part="diagnosis",
            estimator=per_seed(asked.statistic, columns=COLUMNS),
            region=asked.region,
            why=asked.why,
            control=asked.control,
            expected="asked",
        )
        for name, asked in QUESTIONS.items()
    ),
    Claim(
        name="U8_features_turn_to_the_target",
        statement="The tangent kernel of held-out points turns to the targets",
        formula=r"$A(K_T, yy^\top) - A(K_0, yy^\top)$, centred",
        source="asked of this network",
        part="evolution",
        estimator=per_seed(
            lambda rows: at_end(rows, "alignment") - float(rows["alignment"].iloc[0]),
            columns=("step", "alignment"),
        ),
        region=at_least(TURN),
        why="a frozen kernel does not move: 0; one hundredth of the scale from 0 to 1 is a "
        "convention fixed beforehand",
        control="lazy",
        expected="asked",
    ),
]
