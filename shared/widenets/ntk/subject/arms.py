"""The frozen arms of a torch subject: the form that serves, its own rate, the kernel's solution.

A small rate that suits moving features can be hundreds of times too small for fixed ones, or too
large, so that the frozen arm has a rate of its own: rate * 4^k, k bracketed on validation data.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _NormBase

from widenets.ntk.empirical.torch import empirical_ntk
from widenets.ntk.subject.contract import Subject
from widenets.ntk.subject.examination import examined
from widenets.ntk.subject.frozen import (
    DIAL,
    FROZEN,
    TANGENT,
    Curves,
    Form,
    Parameters,
    Run,
    Single,
    Span,
    Stack,
    Tangent,
    optimizer_of,
    outputs_of,
    trained,
)
from widenets.ntk.subject.problem import Problem, problem

SEARCHED_SEEDS, FARTHEST = 2, 10  # seeds that choose the rate; largest |k| of rate * 4^k
LARGEST_KERNEL, MOST_OUTPUTS = 3000, 64  # training points and outputs per point of a kernel
LARGEST_STACKED = 200_000  # parameters; of larger networks stacking costs memory and gains nothing
LONGER = 16  # steps of the frozen arm, in those of the network, where there is no kernel
RIDGES = tuple(10.0**k for k in range(-7, 3))  # in units of the kernel's mean diagonal
NO_RIDGE = RIDGES[3]  # 1e-4: above the rounding of eigenvalues of a kernel in single precision

# Optimizers that act on each number by itself, so that runs can be stacked.
ELEMENTWISE = (
    torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam, torch.optim.RAdam,
    torch.optim.RMSprop, torch.optim.Adagrad, torch.optim.Adadelta, torch.optim.Adamax,
)  # fmt: skip


class Rates(NamedTuple):
    """Factors of the reader's rate: `tuned` (least validation loss), `own` (1, or the largest 4^-k
    at which the frozen arm trains), `steep` (least training loss); whether they were bracketed."""

    tuned: float
    own: float
    steep: float
    bracketed: bool


class Solution(NamedTuple):
    """Score of the kernel's own solution on validation and test points; `end`: on test points if
    the frozen features are trained to the very end."""

    validation: float
    test: float
    end: float


@dataclass(frozen=True, eq=False)
class Stand:
    """A subject with the problems of its seeds, and the ways in which it can be trained."""

    subject: Subject
    problems: tuple[Problem, ...]

    @cached_property
    def stackable(self) -> bool:
        """Whether runs are stacked: a small network without buffers or random numbers, an
        elementwise optimizer, the same shapes for all seeds, and outputs under vmap that are those
        without."""
        first = self.problems[0]
        module = first.network()
        shapes = {(p.inputs.shape, p.targets.shape, p.sizes) for p in self.problems}
        elementwise = type(optimizer_of(first, module)) in ELEMENTWISE
        large = sum(p.numel() for p in module.parameters()) > LARGEST_STACKED
        if len(shapes) > 1 or not elementwise or self.has_buffers or large:
            return False
        parameters = {n: p.detach()[None] for n, p in module.named_parameters()}
        inputs = first.inputs[None, first.of("train")][:, : self.subject.batch]
        targets = first.targets[None, first.of("train")][:, : self.subject.batch]
        with torch.no_grad(), warnings.catch_warnings():
            wanted, again = module(inputs[0]), module(inputs[0])
            warnings.simplefilter("error")  # that vmap falls back to one run after the other
            try:  # vmap says by exceptions of many kinds what it cannot do
                found = vmap(lambda p, x: functional_call(module, p, (x,)))(parameters, inputs)
                loss = vmap(self.subject.loss)(found, targets)
            except Exception:
                return False
        close = torch.allclose(found[0], wanted, rtol=1e-4, atol=1e-5)
        return close and torch.equal(wanted, again) and loss.shape == (1,)

    @cached_property
    def form(self) -> Form | None:
        """The form of f_lin: None for the span of the training gradients."""
        first = self.problems[0]
        module = first.network()
        if self._in_span(optimizer_of(first, module), module):
            return None
        return TANGENT if _forward_mode_passes(first) else DIAL

    @property
    def frozen_by(self) -> str:
        """The form of f_lin in words."""
        if self.form is None:
            return "in the span of the training gradients"
        return "by forward mode" if self.form == TANGENT else f"by the dial, alpha = {FROZEN:g}"

    @cached_property
    def no_kernel(self) -> str:
        """Why the tangent kernel has no solution of its own here; "" where it has."""
        first, module = self.problems[0], self.problems[0].network()
        with torch.no_grad():
            outputs = module.eval()(first.inputs[:2])
        if any(isinstance(part, _NormBase) for part in module.modules()):
            return "batch normalization couples the examples"
        why = no_kernel_of(first, outputs)
        if why:
            return why
        try:  # torch.func says by exceptions of many kinds what it cannot do
            self._kernel_of(module, first.inputs[:2], first.inputs[:2])
        except Exception as error:
            return f"no derivatives by torch.func ({type(error).__name__})"
        return ""

    @cached_property
    def tangents(self) -> dict[int, Tangent]:
        """Kernel and outputs at the start of every seed; the trace kernel over outputs."""
        found = {}
        for of in self.problems:
            module = self._as_trained(of)
            with torch.no_grad():
                start = torch.cat([module(part) for part in of.inputs.split(1024)])
            kernel = self._kernel_of(module, of.inputs, of.inputs[of.of("train")])
            found[of.seed] = Tangent(kernel, start)
        return found

    def kernel_at(self, of: Problem, parameters: Parameters, points: slice) -> Tensor:
        """Trace kernel between some points, (P, P), at other parameters than those of the start."""
        module = self._as_trained(of)
        with torch.no_grad():
            for name, value in module.named_parameters():
                value.copy_(parameters[name])
        return self._kernel_of(module, of.inputs[points], of.inputs[points])

    @cached_property
    def has_buffers(self) -> bool:
        return bool(list(self.problems[0].network().buffers()))

    def curves(
        self, form: Form | None, runs: Sequence[Run], steps: int, record, starts=None, **how
    ) -> Curves:
        """Train all runs, side by side or one after the other; starts: parameters of each run."""
        if form is None:
            return trained(Span(runs, self.tangents), steps, record, **how)
        if self.stackable:
            return trained(Stack(form, runs, starts), steps, record, **how)
        alone = [
            trained(Single(form, run, starts[i] if starts else None), steps, record, **how)
            for i, run in enumerate(runs)
        ]
        loss, score = (np.concatenate([getattr(c, n) for c in alone]) for n in ("loss", "score"))
        kept = {step: [c.kept[step][0] for c in alone] for step in alone[0].kept}
        return Curves(alone[0].steps, loss, score, kept)

    def _as_trained(self, of: Problem) -> nn.Module:
        """The module of a seed, in evaluation mode, where what no step moves needs no gradient."""
        module = of.network()
        groups = optimizer_of(of, module).param_groups
        moved = {id(p) for group in groups for p in group["params"]}
        for parameter in module.parameters():
            parameter.requires_grad_(id(parameter) in moved)
        return module.eval()

    def _in_span(self, optimizer: torch.optim.Optimizer, module: nn.Module) -> bool:
        groups = optimizer.param_groups
        if type(optimizer) is not torch.optim.SGD or any(g["weight_decay"] for g in groups):
            return False
        alike = len({(g["lr"], g["momentum"], g["dampening"], g["nesterov"]) for g in groups}) == 1
        if not (alike and self.stackable and self.no_kernel == ""):
            return False
        with torch.no_grad():
            return module(self.problems[0].inputs[:1])[0].numel() == 1

    def _kernel_of(self, module: nn.Module, x1: Tensor, x2: Tensor) -> Tensor:
        return empirical_ntk(_Flat(module), x1, x2)


class _Flat(nn.Module):
    """The module with outputs (points, O)."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x).reshape(len(x), -1)


def stand(subject: Subject, seeds: Sequence[int]) -> Stand:
    """The stand of a subject that has been `examined`."""
    examined(subject, seeds)
    return Stand(subject, tuple(problem(subject, seed) for seed in seeds))


def own_rates(stand: Stand, steps: int, record: np.ndarray) -> Rates:
    """The frozen arm's rates, searched on the first seeds: k goes up and down by ones until the
    least validation loss lies inside, or |k| reaches FARTHEST."""
    problems = stand.problems[:SEARCHED_SEEDS]
    of_k: dict[int, tuple[float, float, float]] = {}

    def try_out(exponents: Sequence[int]) -> None:
        runs = [Run(p, 4.0**k) for k in exponents for p in problems]
        found = stand.curves(stand.form, runs, steps, record)
        units = np.array([run.problem.unit_of_loss for run in runs])
        loss = np.nan_to_num(found.loss / units[:, None, None], nan=np.inf, posinf=np.inf)
        loss = loss.reshape(len(exponents), len(problems), *loss.shape[1:])
        for k, curves in zip(exponents, loss, strict=True):
            validation = curves[..., 1].min(axis=1).mean()
            of_k[k] = (validation, curves[:, -1, 0].mean(), curves[:, 0, 0].mean())

    try_out([-1, 0, 1])
    while True:
        ks = sorted(of_k)
        best = min(ks, key=lambda k: of_k[k][0])
        if best == ks[-1] and best < FARTHEST:
            try_out([best + 1, best + 2])
        elif best == ks[0] and best > -FARTHEST:
            try_out([best - 1, best - 2])
        else:
            break
    # "Trains": the loss at the end is below that at the start.
    training = [k for k in ks if k <= 0 and of_k[k][1] < of_k[k][2]]
    own = 0 if 0 in training else max(training, default=best)
    steep = min(ks, key=lambda k: of_k[k][1])
    return Rates(4.0**best, 4.0**own, 4.0**steep, ks[0] < best < ks[-1])


def kernel_solution(of: Problem, tangent: Tangent, *, permuted: bool = False) -> Solution:
    """Kernel ridge regression with the tangent kernel at the start.

        f = c f_0 + K(., X) (K(X, X) + r I)^(-1) (Y - c f_0(X)),   c = 0 or 1

    r and c are those of the least squared error on the validation points; classes are one-hot. At
    the end of gradient descent c = 1 and r = 0, that is NO_RIDGE.
    """
    kernel = tangent.kernel.double()
    f_0 = tangent.start.double().reshape(len(kernel), -1)
    train, validation = of.of("train"), of.of("validation")
    targets = of.targets.clone()
    if permuted:
        targets[train] = of.permuted
    wanted = torch.zeros_like(f_0)
    numbers = of.wanted(slice(None), targets).double()
    wanted[:, : numbers.shape[1]] = numbers  # a class that no example has is never wanted
    values, vectors = torch.linalg.eigh(kernel[train])
    unit = float(kernel[train].diagonal().mean())
    best, end, least = None, None, math.inf
    for keep in (0.0, 1.0):
        modes = vectors.T @ (wanted[train] - keep * f_0[train])
        for ridge in RIDGES:
            scaled = modes / (values.clamp_min(0) + ridge * unit)[:, None]
            found = keep * f_0 + kernel @ (vectors @ scaled)
            if (keep, ridge) == (1.0, NO_RIDGE):
                end = found
            error = float(((found - wanted)[validation] ** 2).mean())
            if error < least:
                best, least = found, error

    def score(outputs: Tensor, split: str) -> float:
        outputs = outputs.reshape(tangent.start.shape).to(tangent.start.dtype)
        return of.judged(outputs[of.of(split)], of.targets[of.of(split)])[1]

    return Solution(score(best, "validation"), score(best, "test"), score(end, "test"))


def no_kernel_of(first: Problem, outputs: Tensor) -> str:
    """Why data of this kind have no kernel's solution, or ""; outputs: of two points."""
    if first.sizes[0] > LARGEST_KERNEL:
        return f"{first.sizes[0]} training points are more than {LARGEST_KERNEL}"
    if outputs[0].numel() > MOST_OUTPUTS:
        return f"{outputs[0].numel()} outputs per point are more than {MOST_OUTPUTS}"
    if not first.classes and not _is_squared_error(first, outputs):
        return "the loss is neither a squared error nor that of classes"
    if first.classes and first.targets.ndim != 1:
        return "a point has more than one class"
    return ""


def _forward_mode_passes(of: Problem) -> bool:
    """Whether forward mode, and the gradient behind it, pass the module as it is trained."""
    module = of.network()
    start = {n: p.detach() for n, p in module.named_parameters()}
    moved = {n: (p * 1.01).requires_grad_() for n, p in start.items()}
    buffers = dict(module.named_buffers())
    try:  # torch says by exceptions of many kinds what it cannot do
        outputs = outputs_of(
            TANGENT,
            lambda p, x, _: functional_call(module, (p, buffers), (x,)),
            start,
            moved,
            of.inputs[: of.subject.batch],
        )
        of.subject.loss(outputs, of.targets[: len(outputs)]).backward()
    except Exception:
        return False
    return True


def _is_squared_error(of: Problem, outputs: Tensor) -> bool:
    """Whether the loss is c * mean((f - y)^2)."""
    draws = torch.Generator().manual_seed(0)
    ratios = []
    for _ in range(3):
        f, y = (torch.randn(outputs.shape, generator=draws) for _ in range(2))
        ratios.append(of.judged(f, y)[0] / float(((f - y) ** 2).mean()))
    return max(ratios) - min(ratios) < 1e-4 * max(ratios)
