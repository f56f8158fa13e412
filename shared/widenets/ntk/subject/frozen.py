"""A torch network and its frozen counterpart, trained alike.

    f_alpha(theta; x) = f_0 + alpha (f(theta_0 + (theta - theta_0) / alpha; x) - f_0)

alpha = 1 is the network, alpha -> infinity its linearization f_lin at theta_0. theta are the
parameters of f_alpha itself: the reader's optimizer moves them by gradients of the loss at its own
rate, so that momentum, Adam's epsilon and weight decay are what they are for the network. (In the
parameters phi = theta_0 + (theta - theta_0) / alpha this is Chizat's scaling, the loss / alpha at
rate / alpha, which decay would not survive.) f_lin has three forms that check one another:

    "span"      f_lin = f_0 + K a, theta - theta_0 = J(X)' a: no network at all; for plain SGD with
                momentum and one output, whose steps stay in the span of the training gradients
    "tangent"   f_0 + J (theta - theta_0) by one forward-mode product
    "dial"      alpha = 1000: for what forward mode cannot pass (fused attention, LSTM, batch norm)

Runs are stacked along a leading axis where vmap passes and the optimizer acts on every number by
itself; otherwise they are trained one after the other.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vmap

from widenets.ntk.subject import optimizers
from widenets.ntk.subject.optimizers import Several
from widenets.ntk.subject.problem import SPLITS, Problem, stream

FROZEN = 1000.0  # alpha of the dial as a form of f_lin
# Alpha of the lazy control. Under Adam what is left of features falls as 1 / alpha from a large
# number: at 300 a CNN on digits still gains .03 of its loss by them in 600 steps.
LAZY = 1000.0
AT_ONCE = 2048  # points of one evaluation

Parameters = dict[str, Any]  # name: tensor of torch or array of jax


class Form(NamedTuple):
    """What is trained: f_alpha, or f_lin by forward mode (alpha None)."""

    alpha: float | None = 1.0

    @property
    def is_network(self) -> bool:
        return self.alpha == 1.0


NETWORK, TANGENT, DIAL, LAZY_NETWORK = Form(1.0), Form(None), Form(FROZEN), Form(LAZY)


@dataclass(frozen=True)
class Run:
    """One training: whose data and weights, the factor of every rate, true or permuted labels."""

    problem: Problem
    factor: float = 1.0
    permuted: bool = False

    @property
    def targets(self) -> Tensor:
        of = self.problem
        return of.permuted if self.permuted else of.targets[of.of("train")]


class Curves(NamedTuple):
    """Losses and scores (runs, steps recorded, 3) of training (the labels it saw), validation and
    test, not in units; parameters of each run at the steps asked for; seconds per step and run."""

    steps: np.ndarray
    loss: np.ndarray
    score: np.ndarray
    kept: dict[int, list[Parameters]]


def recorded(steps: int, count: int = 24) -> np.ndarray:
    """Step 0, and about `count` more from 1 to `steps`, geometric."""
    return np.unique([0, *np.geomspace(1, steps, count).round().astype(int)])


def outputs_of(form: Form, call, start: Parameters, parameters: Parameters, inputs) -> Tensor:
    """Outputs of one run; call(parameters, inputs, moved) runs the module once, moved: whether
    these are the trained parameters (then buffers are theirs) or those of the start."""
    if form.is_network:
        return call(parameters, inputs, True)
    shift = {name: value - start[name] for name, value in parameters.items()}
    if form.alpha is None:
        f_0, change = jvp(lambda p: call(p, inputs, True), (start,), (shift,))
        return f_0 + change
    near = {name: start[name] + change / form.alpha for name, change in shift.items()}
    masks = torch.get_rng_state()  # dropout: the same mask in both calls
    with torch.no_grad():
        f_0 = call(start, inputs, False)
    if not torch.equal(masks, torch.get_rng_state()):
        torch.set_rng_state(masks)
    return f_0 + form.alpha * (call(near, inputs, True) - f_0)


class Machine(Protocol):
    """Runs that are trained together; `parameters_of` where `keep` asks for parameters."""

    runs: list[Run]

    def begin(self) -> None: ...
    def step(self, batch: np.ndarray, schedule: float | None) -> None: ...
    def evaluated(self, points: slice) -> list[Tensor]: ...
    def parameters_of(self, index: int) -> Parameters: ...


# -- one run, or many side by side ----------------------------------------------------------------


class Torch:
    """What machines of torch share: `optimizer` moves `parameters` after `gradients(batch)`."""

    optimizer: torch.optim.Optimizer | Several
    parameters: Parameters
    factors: Tensor

    def begin(self) -> None:
        """Before the first step: the generator that dropout draws from, the optimizer's rates."""
        torch.manual_seed(stream(self.runs[0].problem.seed, "training"))
        self._rates = [group["lr"] for group in self.optimizer.param_groups]

    def step(self, batch: np.ndarray, schedule: float | None) -> None:
        """One step of the optimizer on points (runs, batch), its length times each run's factor."""
        if schedule is not None:
            for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * schedule
        self.optimizer.zero_grad()
        self.gradients(batch)
        parameters = list(self.parameters.values())
        scaled = bool((self.factors != 1).any())
        before = [p.detach().clone() for p in parameters] if scaled else []
        self.optimizer.step()
        with torch.no_grad():
            for parameter, old in zip(parameters, before, strict=False):
                parameter.copy_(torch.lerp(old, parameter, self._factors_for(parameter)))

    def _factors_for(self, parameter: Tensor) -> Tensor:
        shape = (-1, *[1] * (parameter.ndim - 1))
        return self.factors.to(parameter.dtype).reshape(shape)


class Single(Torch):
    """One run, whose module, parameters and optimizer are the reader's own objects."""

    def __init__(self, form: Form, run: Run, start: Parameters | None = None):
        self.form, self.runs = form, [run]
        self.module = run.problem.network()
        self.optimizer = optimizer_of(run.problem, self.module)
        self.parameters = dict(self.module.named_parameters())
        with torch.no_grad():
            for name, value in (start or {}).items():
                self.parameters[name].copy_(value)
        self.start = {name: p.detach().clone() for name, p in self.parameters.items()}
        moved = dict(self.module.named_buffers())
        self.buffers = {True: moved, False: {name: b.clone() for name, b in moved.items()}}
        self.factors = torch.tensor([run.factor])

    def gradients(self, batch: np.ndarray) -> None:
        points = torch.as_tensor(batch[0])
        run = self.runs[0]
        outputs = self._outputs(run.problem.inputs[points])
        with run.problem.subject.blamed("loss()"):
            run.problem.subject.loss(outputs, run.targets[points]).backward()

    def evaluated(self, points: slice) -> list[Tensor]:
        self.module.eval()
        parts = self.runs[0].problem.inputs[points].split(AT_ONCE)
        with torch.no_grad():
            found = [torch.cat([self._outputs(part) for part in parts])]
        self.module.train()
        return found

    def parameters_of(self, index: int) -> Parameters:
        return {name: p.detach().clone() for name, p in self.parameters.items()}

    def _factors_for(self, parameter: Tensor) -> Tensor:
        return self.factors[0].to(parameter.dtype)

    def _outputs(self, inputs: Tensor) -> Tensor:
        def call(parameters, x, moved):
            return functional_call(self.module, (parameters, self.buffers[moved]), (x,))

        with self.runs[0].problem.subject.blamed("model's forward()"):
            return outputs_of(self.form, call, self.start, self.parameters, inputs)


class Stack(Torch):
    """Runs side by side: every parameter has a leading axis of runs."""

    def __init__(self, form: Form, runs: Sequence[Run], starts: list[Parameters] | None = None):
        self.form, self.runs, self.subject = form, list(runs), runs[0].problem.subject
        self.module = runs[0].problem.network()
        if starts is None:
            starts = [dict(run.problem.network().named_parameters()) for run in runs]
        self.start = {
            name: torch.stack([start[name].detach() for start in starts]) for name in starts[0]
        }
        self.parameters = {n: p.clone().requires_grad_() for n, p in self.start.items()}
        template = optimizer_of(runs[0].problem, self.module)
        names = {id(parameter): name for name, parameter in self.module.named_parameters()}
        groups = [
            {**group, "params": [self.parameters[names[id(p)]] for p in group["params"]]}
            for group in template.param_groups
        ]
        self.optimizer = type(template)(groups)
        self.factors = torch.tensor([run.factor for run in runs])

    def gradients(self, batch: np.ndarray) -> None:
        points = list(zip(self.runs, torch.as_tensor(batch), strict=True))
        outputs = self._outputs(torch.stack([run.problem.inputs[own] for run, own in points]))
        targets = torch.stack([run.targets[own] for run, own in points])
        vmap(self.subject.loss)(outputs, targets).sum().backward()

    def evaluated(self, points: slice) -> list[Tensor]:
        self.module.eval()
        rows = range(len(self.runs[0].problem.inputs))[points]
        size = max(1, AT_ONCE // len(self.runs))
        parts = [slice(k, min(k + size, rows.stop)) for k in range(rows.start, rows.stop, size)]
        with torch.no_grad():
            found = [
                self._outputs(torch.stack([run.problem.inputs[part] for run in self.runs]))
                for part in parts
            ]
        self.module.train()
        return list(torch.cat(found, dim=1))

    def parameters_of(self, index: int) -> Parameters:
        return {name: p[index].detach().clone() for name, p in self.parameters.items()}

    def _outputs(self, inputs: Tensor) -> Tensor:
        def call(parameters, x, moved):
            return functional_call(self.module, parameters, (x,))

        def single(start, parameters, x):
            return outputs_of(self.form, call, start, parameters, x)

        return vmap(single)(self.start, self.parameters, inputs)


class Span(Torch):
    """f_lin in the span of the training gradients, f_0 + K a: stacked runs of one output.

    The gradient with respect to a training point's output is that with respect to its coefficient,
    and an optimizer that is linear in past gradients does to coefficients what it does to
    parameters.
    """

    def __init__(self, runs: Sequence[Run], tangents: dict[int, "Tangent"]):
        self.runs, self.subject = list(runs), runs[0].problem.subject
        found = [tangents[run.problem.seed] for run in runs]
        self.kernel = torch.stack([tangent.kernel for tangent in found])
        self.f_0 = torch.stack([tangent.start for tangent in found])
        samples = self.kernel.shape[2]
        self.coefficients = torch.zeros(len(runs), samples, dtype=self.kernel.dtype)
        self.coefficients.requires_grad_()
        self.parameters = {"coefficients": self.coefficients}
        template = optimizer_of(runs[0].problem, runs[0].problem.network())
        self.optimizer = type(template)(
            [{**template.param_groups[0], "params": [self.coefficients]}]
        )
        self.targets = torch.stack([run.targets for run in runs])
        self.factors = torch.tensor([run.factor for run in runs])
        self.rows = torch.arange(len(runs))[:, None]

    def gradients(self, batch: np.ndarray) -> None:
        points = torch.as_tensor(batch)
        coefficients = self.coefficients.detach()
        moved = (self.kernel[self.rows, points] @ coefficients[:, :, None])[..., 0]
        f_0 = self.f_0[self.rows, points]
        outputs = (f_0 + moved.reshape(f_0.shape)).requires_grad_()
        loss = vmap(self.subject.loss)(outputs, self.targets[self.rows, points]).sum()
        (slope,) = torch.autograd.grad(loss, outputs)
        gradient = torch.zeros_like(coefficients)
        gradient[self.rows, points] = slope.reshape(moved.shape)
        self.coefficients.grad = gradient

    def evaluated(self, points: slice) -> list[Tensor]:
        moved = (self.kernel[:, points] @ self.coefficients.detach()[:, :, None])[..., 0]
        f_0 = self.f_0[:, points]
        return list(f_0 + moved.reshape(f_0.shape))


class Tangent(NamedTuple):
    """Kernel (points, training points), its trace over outputs, and f_0 (points, ...)."""

    kernel: Tensor
    start: Tensor


def optimizer_of(problem: Problem, module: nn.Module) -> torch.optim.Optimizer | Several:
    return optimizers.optimizer_of(problem.subject, module)


# -- training -------------------------------------------------------------------------------------


def trained(
    machine: Machine,
    steps: int,
    record: Sequence[int],
    *,
    keep: Sequence[int] = (),
    first: int = 0,
) -> Curves:
    """Train the runs of a machine from the step `first` on; curves at the steps of `record`.

    Every run of a seed sees the same batches, and the same dropout masks if runs go one by one.
    keep: steps whose parameters are kept. A run that diverges has losses that are not finite.
    """
    runs = machine.runs
    schedule = runs[0].problem.subject.schedule
    streams = [itertools.islice(run.problem.batches(), first, None) for run in runs]
    losses, scores, kept = [], [], {}
    machine.begin()
    for step in range(first, steps + 1):
        if step in keep:
            kept[step] = [machine.parameters_of(index) for index in range(len(runs))]
        if step in record:
            loss, score = _measured(machine)
            losses.append(loss)
            scores.append(score)
        if step < steps:
            batch = np.stack([next(of_run) for of_run in streams])
            machine.step(batch, None if schedule is None else schedule(step))
    curves = (np.moveaxis(np.array(found), 0, 1) for found in (losses, scores))
    return Curves(np.array(sorted(record)), *curves, kept)


def _measured(machine: Machine) -> tuple[np.ndarray, np.ndarray]:
    """(losses, scores), each (runs, 3)."""
    runs = machine.runs
    found = np.zeros((2, len(runs), len(SPLITS)))
    for column, split in enumerate(SPLITS):
        of_runs = machine.evaluated(runs[0].problem.of(split))
        for row, (run, outputs) in enumerate(zip(runs, of_runs, strict=True)):
            targets = (
                run.targets if split == "train" else run.problem.targets[run.problem.of(split)]
            )
            found[:, row, column] = run.problem.judged(outputs, targets)
    return found[0], found[1]
