"""Train a start and say what moved, beside the bounds and the first-order theory."""

import math
from collections.abc import Sequence

import numpy as np

from replications.du2018_convergence.descent import (
    Start,
    State,
    descend,
    first_order_norms,
    followed_changes,
    gram_of_gradients,
    pattern_changes,
    weight_norms,
)
from replications.du2018_convergence.problem import Problem
from widenets.ntk.dynamics import eigensystem, loss_curve

LATE = (1e-20, 1e-9)  # relative losses between which the late rate is read
SINGLE = 80  # steps that are followed one by one
FLOOR = 1e-24  # relative loss below which float64 residuals are round-off


def train(start: Start, steps: int, target: float) -> tuple[list[float], State, np.ndarray]:
    """Losses of all steps, the last state and the initial residual; stops at `target` or when
    the loss has grown beyond 10^12 times its start."""
    losses: list[float] = []
    for state in descend(start, steps):
        losses.append(state.loss)
        if state.step == 0:
            initial = state.residual
        if not target * losses[0] < state.loss < 1e12 * losses[0]:
            break
    return losses, state, initial


def worst_margin(losses: Sequence[float], log_bound: float) -> float:
    """max over k >= 1 of log(loss_k / loss_0) - k log_bound: positive where the bound is broken.

    Leaves out steps from divergence on (10^12 times the first loss) and those below round-off.
    """
    relative = np.asarray(losses) / losses[0]
    diverged = np.flatnonzero(~(relative < 1e12))
    relative = relative[: diverged[0]] if diverged.size else relative
    steps = np.arange(len(relative))
    usable = (steps >= 1) & (relative > FLOOR)
    return float(np.max(np.log(relative[usable]) - steps[usable] * log_bound))


def against_bounds(losses: Sequence[float], problem: Problem, residual: np.ndarray) -> dict:
    """Margins log(|r_k|^2 / |r_0|^2) - log(bound), their maximum over k >= 1 (positive: broken).

    bound: (1 - eta lambda_0 / 2)^k (Theorem 4.1); flow: exp(-lambda_0 eta k) (Theorem 3.2).
    share: log of the bound's contraction over that of the loss, late in training. speed: 1 - c over
    eta, c the mean contraction of the residual in the last half of the steps.
    The late rates are log contractions over those of (1 - eta K)^k r_0 in the same steps, for the
    limit kernel K of the first layer and of both layers. These tend to (1 - eta lambda_0)^2 per
    step, but are still 1 to 3 % faster here, and scatter three times as much over the draws. NaN
    where the loss does not get that far, or the descent of K itself diverges.
    """
    relative = np.array(losses) / losses[0]
    shrinking = problem.rate * problem.smallest
    bounds = {"": np.log1p(-shrinking / 2), "_flow": -shrinking}
    found = {f"margin{name}": worst_margin(losses, bound) for name, bound in bounds.items()}
    found |= dict.fromkeys(("late_rate", "late_rate_joint", "share", "share_flow"), np.nan)
    half, last = len(losses) // 2, len(losses) - 1
    mean = (losses[last] / losses[half]) ** (0.5 / (last - half))
    found["speed"] = float((1 - mean) / problem.rate)
    late = np.flatnonzero((relative > LATE[0]) & (relative < LATE[1]))
    if len(late) >= 10 and relative[-1] <= LATE[0]:
        ends = late[[0, -1]]
        contraction = np.log(relative[ends[1]] / relative[ends[0]])
        for name, bound in bounds.items():
            found[f"share{name}"] = float(bound * (ends[1] - ends[0]) / contraction)
        kernels = {"late_rate": problem.first_layer, "late_rate_joint": problem.both_layers}
        for name, kernel in kernels.items():
            system = eigensystem(kernel)
            if problem.rate * system.values[-1] >= 2:
                continue
            limit = loss_curve(
                system, residual, ends, normalization="sum",
                learning_rate=problem.rate, method="descent",
            )  # fmt: skip
            found[name] = float(contraction / np.log(limit[1] / limit[0]))
    return found


def motion(start: Start, last: State, residual: np.ndarray, problem: Problem) -> dict:
    """Weights, patterns and kernel between start and end, beside bound and first-order theory."""
    count, width = start.preactivations.shape
    norms = weight_norms(start, last)
    push = np.linalg.lstsq(problem.first_layer, residual, rcond=1e-12)[0]
    change = gram_of_gradients(start, last.preactivations)
    change -= gram_of_gradients(start, start.preactivations)
    bound = np.sqrt(count) * np.linalg.norm(residual) / (np.sqrt(width) * problem.smallest)
    expected = first_order_norms(start, push)
    moved = {
        "distance": (norms.max(), expected.max()),
        "drift": (np.linalg.norm(norms), np.sqrt(residual @ push)),
        "changes": (
            pattern_changes(start, last), changes_in_the_limit(start, residual, problem)
        ),
    }  # fmt: skip
    return {
        **{name: float(found) for name, (found, _) in moved.items()},
        **{f"{name}_limit": float(limit) for name, (_, limit) in moved.items()},
        **{f"{name}_ratio": float(found / limit) for name, (found, limit) in moved.items()},
        "distance_bound": float(bound),
        "drift_per_residual": float(np.linalg.norm(norms) / np.linalg.norm(residual)),
        "kernel_change": float(np.linalg.norm(change, 2)),
        "kernel_change_diagonal": float(np.abs(np.diag(change)).max()),
    }


def changes_in_the_limit(start: Start, residual: np.ndarray, problem: Problem) -> float:
    """Share of pattern changes to first order, along the residuals (1 - eta H_inf)^k residual.

    One by one at first, since neurons at their kink feel each of them; from SINGLE on by 20 % at a
    time, until the slowest mode is down to 1/1000. The last push takes all that is left. NaN
    where the limit's own descent diverges.
    """
    eigenvalues, basis = np.linalg.eigh(problem.first_layer)
    if problem.rate * eigenvalues[-1] >= 2:
        return math.nan
    end = math.log(1e-3) / math.log1p(-problem.rate * problem.smallest)
    together = SINGLE * 1.2 ** np.arange(1 + max(0, math.log(end / SINGLE, 1.2)))
    steps = np.concatenate([np.arange(SINGLE), together, [np.inf]])
    left = (1 - problem.rate * eigenvalues) ** steps[:, None]
    fitted = np.where(eigenvalues > 1e-12, -np.diff(left, axis=0) / eigenvalues, 0.0)
    per_rate = start.learning_rate / problem.rate
    return followed_changes(start, per_rate * (fitted * (basis.T @ residual)) @ basis.T)
