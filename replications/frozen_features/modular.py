"""Addition modulo p from a share of its table, and a linear model that groks.

Inputs are two one-hot vectors (a, b), targets the centred one-hot of a + b (Gromov 2023):

    f(x) = (x W)^2 A,    W (2 p, m), A (m, p)

A kernel of one-hot inputs that is a function of their overlap (0, 1 or 2 letters in common) is
c_0 + c_1 overlap + c_2 overlap^2: off the pairs that were seen its regressor is a constant plus a
term of the row plus one of the column. The class a + b stands once in row a and once in column b,
at (a, b) itself, which was not seen; so there the right class has the least score, and a kernel is
right less often than chance: never, for a balanced table.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from widenets.ntk.subject.contract import Subject
from widenets.ntk.subject.frozen import Form, Run, Stack, trained
from widenets.ntk.subject.problem import problem

P = 17
TARGETS = torch.eye(P) - 1 / P
RIDGES = 10.0 ** np.arange(-6.0, 3.1, 1.0)  # in units of the mean diagonal
FITTED, GENERAL = 0.95, 0.9  # accuracies on seen pairs and on others; `experiment.grokking`


class Squares(nn.Module):
    """(x W)^2 A."""

    def __init__(self, width: int, inner: float, outer: float):
        super().__init__()
        self.inner = nn.Parameter(inner * torch.randn(2 * P, width))
        self.outer = nn.Parameter(outer * torch.randn(width, P))

    def forward(self, x):
        return (x @ self.inner) ** 2 @ self.outer


def squared_error(outputs, classes):
    """Mean over pairs of sum_k (f_k - y_k)^2 / p, y the centred one-hot vector."""
    return ((outputs - TARGETS[classes]) ** 2).mean()


def table(draws: np.random.Generator, share: float, shuffled: bool = False):
    """The pairs as inputs (p^2, 2 p) and their sums, in random order; how many are seen."""
    a, b = np.divmod(draws.permutation(P * P), P)
    x = np.concatenate([np.eye(P)[a], np.eye(P)[b]], axis=1)
    y, seen = (a + b) % P, round(share * P * P)
    if shuffled:
        y[:seen] = draws.permutation(y[:seen])
    return x, y, seen


SETTINGS = {  # share of the table, width, W, A, AdamW's rate and decay
    "grokking": (0.7, 128, 0.25, 0.1, 0.01, 1.0),
    "dial": (0.85, 48, 0.02, 0.02, 0.003, 0.0),
}


def subject(setting: str, steps: int, shuffled: bool) -> Subject:
    """As a reader's file would say it; all seen pairs in every step."""
    share, width, inner, outer, rate, decay = SETTINGS[setting]

    def data(seed):
        draws = np.random.Generator(np.random.PCG64(seed))
        x, y, seen = table(draws, share, shuffled)
        x, y = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y)
        return (x[:seen], y[:seen]), (x[seen:], y[seen:])

    return Subject(
        name="modular",
        title="Addition modulo 17 from a part of its table",
        path=Path(__file__),
        parts=("diagnosis",),
        model=lambda: Squares(width, inner, outer),
        data=data,
        loss=squared_error,
        optimizer=lambda model: torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay),
        steps=steps,
        batch=P * P,
    )


def curves(
    form: Form,
    setting: str,
    steps: int,
    record: np.ndarray,
    seeds: tuple[int, ...],
    factor: float = 1.0,
    shuffled: bool = False,
    keep: tuple[int, ...] = (),
):
    """(accuracies on seen pairs and on all others (seeds, records), problems, kept parameters)."""
    of = subject(setting, steps, shuffled)
    runs = [Run(problem(of, seed), factor) for seed in seeds]
    found = trained(Stack(form, runs), steps, record, keep=keep)
    sizes = np.array(runs[0].problem.sizes[1:])
    others = 1 - found.score[..., 1:] @ sizes / sizes.sum()
    return 1 - found.score[..., 0], others, [run.problem for run in runs], found.kept


def first_step(accuracy: np.ndarray, record: np.ndarray, level: float) -> float:
    """First recorded step at which an accuracy (records,) has the level; NaN where none has."""
    reached = np.flatnonzero(accuracy >= level)
    return float(record[reached[0]]) if reached.size else np.nan


# -- kernels, float64 -----------------------------------------------------------------------------


def tangent_kernel(inner: np.ndarray, outer: np.ndarray, x1: np.ndarray, x2: np.ndarray):
    """Trace over the p outputs of the tangent kernel of (x W)^2 A, (P1, P2)."""
    z1, z2 = x1 @ inner, x2 @ inner
    strength = np.sum(outer**2, axis=1)
    return P * (z1**2 @ (z2**2).T) + 4 * (z1 * strength) @ z2.T * (x1 @ x2.T)


def infinite_kernel(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """Its mean over standard normal W and A, over p m: E z^2 z'^2 + 4 (x . x') E z z'."""
    overlap = x1 @ x2.T
    return 4 + 2 * overlap**2 + 4 * overlap**2  # every |x|^2 is 2


def ridge_accuracies(kernel: np.ndarray, across: np.ndarray, y: np.ndarray, held_y: np.ndarray):
    """Accuracy on held-out pairs of ridge regression with each of RIDGES."""
    values, vectors = np.linalg.eigh(kernel)
    modes = vectors.T @ TARGETS.double().numpy()[y]
    unit = values.mean()
    scores = (across @ vectors @ (modes / (values + r * unit)[:, None]) for r in RIDGES)
    # Of equal scores, which symmetry makes, the one that rounding favours is no answer.
    return np.array([np.mean(_margin(score, held_y) > 1e-9) for score in scores])


def _margin(score: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Score of the right class less the largest of the others, in units of all scores."""
    rows, others = np.arange(len(y)), score.copy()
    others[rows, y] = -np.inf
    return (score[rows, y] - others.max(axis=1)) / np.abs(score).max()


# -- a linear model that groks --------------------------------------------------------------------

DIMENSION, STRONG, SAMPLES, WEAK = 800, 5, 100, 0.1
LINEAR_RATE, LINEAR_START = 0.1, 2.0
LINEAR_STEPS = np.unique(np.geomspace(1, 1e6, 1200).round())


def linear_steps(stream: np.random.Generator, decay: float, initial: float) -> tuple[float, float]:
    """Steps until a linear model explains FITTED of its training targets, and GENERAL of others.

    Five directions of variance 1 hold the target, 795 of variance .01 the noise of the start, of
    standard deviation `initial`. Descent on |X w - y|^2 / (2 N) + decay |w|^2 / 2 in closed form:
    each singular direction of X tends at the rate s^2 / N + decay, all others forget at decay.
    Between recorded steps, which are .012 apart in the logarithm, the first that has the level.
    """
    deviations = np.where(np.arange(DIMENSION) < STRONG, 1.0, WEAK)
    x = stream.standard_normal((SAMPLES, DIMENSION)) * deviations
    true = np.where(np.arange(DIMENSION) < STRONG, stream.standard_normal(DIMENSION), 0.0)
    w_0 = initial * stream.standard_normal(DIMENSION)
    _, values, rows = np.linalg.svd(x, full_matrices=False)
    pull = values**2 / SAMPLES + decay
    limit = values**2 / SAMPLES / pull * (rows @ true)
    modes = (1 - LINEAR_RATE * pull) ** LINEAR_STEPS[:, None] * (rows @ w_0 - limit) + limit
    rest = (1 - LINEAR_RATE * decay) ** LINEAR_STEPS[:, None] * (w_0 - rows.T @ (rows @ w_0))
    error = modes @ rows + rest - true
    held = (error**2 @ deviations**2) / np.sum(true**2)
    y = x @ true
    training = np.mean(((modes - rows @ true) * values) ** 2, axis=1) * len(values) / SAMPLES
    fitted = 1 - training / np.mean(y**2)
    return first_step(fitted, LINEAR_STEPS, FITTED), first_step(1 - held, LINEAR_STEPS, GENERAL)
