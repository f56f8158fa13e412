"""Part `diagnosis`: a network beside its frozen counterparts, from the same start and batches.

Part `evolution`: how the tangent kernel moves, and from when on it may be frozen. After Fort et al.
2020 (arXiv 2010.15110), as reported: kernel distance 1 - cos(K_0, K_t) of the two Gram matrices,
not centred; hybrids, whose features are frozen at the step t and trained on.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from replications.your_network.asked_diagnosis import DIVERGED
from widenets.ntk.similarity import alignment, distance
from widenets.ntk.subject.arms import (
    LONGER,
    Rates,
    Solution,
    Stand,
    kernel_solution,
    own_rates,
)
from widenets.ntk.subject.contract import load
from widenets.ntk.subject.frozen import (
    LAZY_NETWORK,
    NETWORK,
    TANGENT,
    Curves,
    Parameters,
    Run,
    recorded,
)
from widenets.ntk.subject.stands import stand_of

SLOW = 1 / 1024
TRAIN, VALIDATION, TEST = range(3)
POINTS = 100  # held-out points of the kernels
SHARES = (0.0, 1 / 64, 1 / 16, 1 / 4, 1.0)  # of training, at which features are looked at


@dataclass(frozen=True)
class Measured:
    """All trainings of a subject; loss and score in units, (seeds, steps recorded, 3)."""

    stand: Stand
    rates: Rates
    own: dict[str, Curves]  # of the arms theory, lazy, slow, shuffled
    tuned: Curves  # the frozen arm at the rate of least validation loss
    same: Curves  # at the network's own rate, or the largest at which it trains
    steep: Curves  # at the rate of least training loss
    fixed: list[Solution]  # of the kernel, or of the frozen arm after 16 times the steps
    fixed_permuted: list[Solution]
    constants: list[float]  # loss of the best constant on the training labels


def diagnosis_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed and recorded step.

    arm: theory = the run as it is, lazy = alpha 1000, slow = rate / 1024, shuffled = permuted
    training labels beside frozen arms of the true ones, permuted = the run as it is beside the
    fixed counterpart of permuted labels, whose scores all frozen_* and same_* then are; dead =
    theory, of a built-in subject that cannot start.
        train, validation, test    losses of the run
        score, validation_score    on test and validation data: errors of classes, else the loss
        frozen_*                   the same of the frozen arm at its own rate (factor `rate`)
        same_*                     of the frozen arm at the run's rate (factor `same_rate`)
        constant_train             loss of the best constant on the training labels
        least_frozen_train         least training loss at the end of any frozen arm
        steep_score                test score at the end of the frozen arm that trains fastest
        fixed, fixed_validation    score of the kernel's solution, or, where it has none for the
                                   reason `no_kernel` ("-" where it has one), of the frozen arm
                                   at its best in 16 times the steps
        fixed_end                  test score of these without ridge, or after all these steps
        frozen_by                  the form of the frozen arm, in words
    Losses are in units of the best constant's on test data, errors in those of the most frequent
    class; a loss that is not finite, or larger, counts as DIVERGED units.
    """
    found = _measured(subject, seeds)
    own = found.own["theory" if arm in ("permuted", "dead") else arm]
    fixed = found.fixed_permuted if arm == "permuted" else found.fixed
    least = np.minimum.reduce(
        [c.loss[:, -1, TRAIN] for c in (found.tuned, found.same, found.steep)]
    )
    for index, seed in enumerate(seeds):
        of_seed = {
            "seed": seed,
            "rate": found.rates.tuned,
            "same_rate": found.rates.own,
            "bracketed": int(found.rates.bracketed),
            "frozen_by": found.stand.frozen_by,
            "no_kernel": found.stand.no_kernel or "-",
            "constant_train": found.constants[index],
            "least_frozen_train": least[index],
            "steep_score": found.steep.score[index, -1, TEST],
            "fixed": fixed[index].test,
            "fixed_validation": fixed[index].validation,
            "fixed_end": fixed[index].end,
        }
        for column, step in enumerate(own.steps):
            row = {
                **of_seed,
                "step": int(step),
                **_columns("", own, index, column),
                **_columns("frozen_", found.tuned, index, column),
                **_columns("same_", found.same, index, column),
            }
            if arm == "permuted":
                row |= {
                    f"{frozen}_{name}": getattr(fixed[index], split)
                    for frozen in ("frozen", "same")
                    for name, split in (("score", "test"), ("validation_score", "validation"))
                }
            yield row


def _columns(prefix: str, curves: Curves, index: int, column: int) -> dict[str, float]:
    loss, score = curves.loss[index, column], curves.score[index, column]
    return {
        f"{prefix}train": loss[TRAIN],
        f"{prefix}validation": loss[VALIDATION],
        f"{prefix}test": loss[TEST],
        f"{prefix}score": score[TEST],
        f"{prefix}validation_score": score[VALIDATION],
    }


@functools.lru_cache(maxsize=1)  # arms and parts of one subject stand together in a shard
def the_stand(subject: str, seeds: tuple[int, ...]) -> Stand:
    return stand_of(load(subject), seeds)


@functools.cache
def the_rates(subject: str, seeds: tuple[int, ...]) -> Rates:
    of = the_stand(subject, seeds)
    return own_rates(of, of.subject.steps, recorded(of.subject.steps))


@functools.lru_cache(maxsize=1)
def _measured(subject: str, seeds: tuple[int, ...]) -> Measured:
    of, rates = the_stand(subject, seeds), the_rates(subject, seeds)
    steps = of.subject.steps
    record = recorded(steps)
    problems = of.problems
    true = [Run(p) for p in problems]
    slow = [Run(p, SLOW) for p in problems]
    shuffled = [Run(p, permuted=True) for p in problems]
    network = in_units(of, of.curves(NETWORK, true + slow + shuffled, steps, record))
    lazy = of.curves(LAZY_NETWORK, [Run(p, rates.own) for p in problems], steps, record)
    own = dict(zip(("theory", "slow", "shuffled"), _split(network, 3), strict=True))
    factors = (rates.tuned, rates.own, rates.steep)
    frozen = of.curves(of.form, [Run(p, f) for f in factors for p in problems], steps, record)
    frozen = _split(in_units(of, frozen), 3)
    own["lazy"] = in_units(of, lazy)
    fixed, permuted = (_fixed(of, rates.tuned, labels) for labels in (False, True))
    constants = [p.least_constant("train") / p.unit_of_loss for p in problems]
    return Measured(of, rates, own, *frozen, fixed, permuted, constants)


def _fixed(of: Stand, rate: float, permuted: bool) -> list[Solution]:
    """The best that frozen features reach at any time, of every seed; scores in units.

    permuted: of permuted labels, for which no longer time is given.
    """
    if of.no_kernel == "":
        found = [kernel_solution(p, of.tangents[p.seed], permuted=permuted) for p in of.problems]
    else:
        steps = of.subject.steps * (1 if permuted else LONGER)
        runs = [Run(p, rate, permuted) for p in of.problems]
        curves = of.curves(of.form, runs, steps, recorded(steps))
        found = [
            Solution(
                *of_run[np.nanargmin(loss[:, VALIDATION])][[VALIDATION, TEST]], of_run[-1, TEST]
            )
            for loss, of_run in zip(curves.loss, curves.score, strict=True)
        ]
    units = [p.unit_of_score for p in of.problems]
    return [Solution(*_limited(np.array(s) / u)) for s, u in zip(found, units, strict=True)]


def in_units(of: Stand, curves: Curves) -> Curves:
    repeats = len(curves.loss) // len(of.problems)
    loss, score = (
        np.tile([getattr(p, unit) for p in of.problems], repeats)[:, None, None]
        for unit in ("unit_of_loss", "unit_of_score")
    )
    losses, scores = (_limited(of) for of in (curves.loss / loss, curves.score / score))
    return curves._replace(loss=losses, score=scores)


def _limited(values: np.ndarray) -> np.ndarray:
    return np.fmin(np.nan_to_num(values, nan=np.inf), DIVERGED)


def _split(curves: Curves, count: int) -> list[Curves]:
    """The runs in `count` equal groups."""
    groups = (np.split(values, count) for values in (curves.loss, curves.score))
    return [curves._replace(loss=l, score=s) for l, s in zip(*groups, strict=True)]  # noqa: E741


# -- evolution ------------------------------------------------------------------------------------


def evolution_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed and step at which the kernel is looked at.

    arm: theory = the run as it is, lazy = alpha 1000.
        distance      1 - cos(K_0, K_t) on held-out points
        velocity      change of that distance per step since the row before
        alignment     cos of the centred kernels of the features and of the targets
        frozen_test   test loss at the end if features are frozen at this step and the optimizer
                      starts anew, at the run's rate (theory alone); in units of the best constant
    What has no kernel (`Stand.no_kernel`) has no alignment, what has buffers no frozen_test: NaN.
    """
    of = the_stand(subject, seeds)
    steps = of.subject.steps
    looks = sorted({round(share * steps) for share in SHARES})
    lazy = arm == "lazy"
    form, factor = (LAZY_NETWORK, the_rates(subject, seeds).own) if lazy else (NETWORK, 1.0)
    runs = [Run(p, factor) for p in of.problems]
    kept = of.curves(form, runs, steps, [steps], keep=looks).kept
    frozen = {} if lazy or of.has_buffers else _hybrids(of, kept, looks)
    for index, seed in enumerate(seeds):
        at = [kept[step][index] for step in looks]
        moves = _moves(of, index, [_moved(at[0], there, form.alpha) for there in at])
        last = (0, 0.0)
        for step, (moved, aligned) in zip(looks, moves, strict=True):
            velocity = (moved - last[1]) / max(step - last[0], 1)
            last = (step, moved)
            yield {
                "seed": seed,
                "step": step,
                "distance": moved,
                "velocity": velocity,
                "alignment": aligned,
                "frozen_test": frozen[step][index] if frozen else math.nan,
            }


def _hybrids(of: Stand, kept: dict[int, list[Parameters]], looks: Sequence[int]) -> dict:
    """{step: test loss at the end of every seed, in units} with features frozen at that step."""
    steps, runs = of.subject.steps, [Run(p) for p in of.problems]
    form = of.form or TANGENT
    return {
        step: in_units(
            of, of.curves(form, runs, steps, [steps], starts=kept[step], first=step)
        ).loss[:, -1, TEST]
        for step in looks
    }


def _moved(start: Parameters, there: Parameters, alpha: float) -> Parameters:
    """The network's own parameters, of those of f_alpha."""
    return {name: start[name] + (value - start[name]) / alpha for name, value in there.items()}


def _moves(of: Stand, index: int, at: list[Parameters]) -> list[tuple[float, float]]:
    """(distance from the first, alignment with the targets) of the kernels at some parameters."""
    if of.no_kernel:
        return [(math.nan, math.nan)] * len(at)
    problem = of.problems[index]
    points = slice(problem.of("test").start, problem.of("test").start + POINTS)
    kernels = [of.kernel_at(problem, parameters, points).double().numpy() for parameters in at]
    wanted = problem.wanted(points).double().numpy()
    return [(float(distance(kernels[0], k)), float(alignment(k, wanted))) for k in kernels]
