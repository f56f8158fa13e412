"""The same stand for jax: model() gives (init, apply), optimizer(model) gives (init, update).

    init(key) -> params, apply(params, inputs) -> outputs
    init(params) -> state, update(gradients, state, params) -> (updates, state): optax's shape

Data, batches, scores and the kernel's solution are those of torch subjects; runs are always side by
side, f_lin is always the forward-mode product.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from scipy.optimize import minimize

from widenets.ntk.empirical import empirical_ntk
from widenets.ntk.random import key
from widenets.ntk.subject.arms import Stand, no_kernel_of
from widenets.ntk.subject.contract import Subject
from widenets.ntk.subject.examination import NO_WIDTHS, examined_data, examined_pair
from widenets.ntk.subject.frozen import TANGENT, Curves, Form, Parameters, Run, Tangent, trained
from widenets.ntk.subject.problem import Problem, class_axis, problem


def is_traced(subject: Subject) -> bool:
    """Whether model() gives jax's (init, apply)."""
    torch.manual_seed(0)
    with subject.blamed("model()"):
        found = subject.model()
    return isinstance(found, tuple) and len(found) == 2 and all(map(callable, found))


@dataclass(frozen=True, eq=False)
class TracedProblem(Problem):
    """Data of one seed, and its network as a pytree of parameters."""

    def network(self) -> Any:
        init, _ = self.functions
        with self.subject.blamed("model's init()"):
            params = init(key(self.seed, "subject", "weights"))
        # With double precision available, as here, jax draws doubles where readers mean floats.
        dtype = array(self.inputs).dtype
        dtype = dtype if jnp.issubdtype(dtype, jnp.floating) else jnp.float32
        return jax.tree.map(
            lambda p: p.astype(dtype) if jnp.issubdtype(p.dtype, jnp.floating) else p, params
        )

    def start(self) -> Parameters:
        return _named(self.network())

    @cached_property
    def functions(self) -> tuple[Callable, Callable]:
        with self.subject.blamed("model()"):
            return self.subject.model()

    def judged(self, outputs: torch.Tensor, targets: torch.Tensor) -> tuple[float, float]:
        with self.subject.blamed("loss()"):
            loss = float(self.subject.loss(array(outputs), array(targets)))
        if not self.classes:
            return loss, loss
        wrong = outputs.argmax(class_axis(outputs, targets)) != targets
        return loss, float(wrong.double().mean())

    def least_constant(self, split: str) -> float:
        targets = array(self.targets[self.of(split)])
        _, apply = self.functions
        shape = jax.eval_shape(apply, self.network(), array(self.inputs[:2])).shape[1:]
        axis = class_axis(torch.zeros(1, *shape), self.targets[:1]) if self.classes else -1
        axis %= len(shape) + 1
        size = tuple(length if k + 1 == axis else 1 for k, length in enumerate(shape))

        def loss(constant):
            constant = jnp.asarray(constant, jnp.float32).reshape(1, *size)
            return self.subject.loss(jnp.broadcast_to(constant, (len(targets), *shape)), targets)

        slope = jax.jit(jax.value_and_grad(loss))

        def objective(constant):
            value, gradient = slope(constant)
            return float(value), np.asarray(gradient, np.float64)

        with self.subject.blamed("loss()"):
            return float(minimize(objective, np.zeros(int(np.prod(size))), jac=True).fun)


@dataclass(frozen=True, eq=False)
class TracedStand(Stand):
    """A jax subject with the problems of its seeds."""

    stackable = True
    form = TANGENT
    has_buffers = False

    @cached_property
    def no_kernel(self) -> str:
        first = self.problems[0]
        _, apply = first.functions
        outputs = jax.eval_shape(apply, first.network(), array(first.inputs[:2]))
        return no_kernel_of(first, torch.zeros(outputs.shape))

    @cached_property
    def tangents(self) -> dict[int, Tangent]:
        found = {}
        for of in self.problems:
            params, inputs = of.network(), array(of.inputs)
            kernel = empirical_ntk(self._flat, params, inputs, inputs[of.of("train")])
            start = of.functions[1](params, inputs)
            found[of.seed] = Tangent(tensor(kernel), tensor(start))
        return found

    def kernel_at(self, of: Problem, parameters: Parameters, points: slice) -> torch.Tensor:
        params = _tree(of.network(), parameters)
        return tensor(empirical_ntk(self._flat, params, array(of.inputs[points])))

    def curves(
        self, form: Form | None, runs: Sequence[Run], steps: int, record, starts=None, **how
    ) -> Curves:
        return trained(Traced(self, form or TANGENT, runs, starts), steps, record, **how)

    def _flat(self, params, inputs):
        """apply with outputs (points, O)."""
        return self.problems[0].functions[1](params, inputs).reshape(len(inputs), -1)

    @cached_property
    def programs(self) -> dict[Form, tuple[Callable, Callable]]:
        """Compiled (step, outputs) of each form, made once."""
        return {}


class Traced:
    """Runs side by side: every parameter has a leading axis of runs."""

    def __init__(self, stand: TracedStand, form: Form, runs: Sequence[Run], starts=None):
        self.runs = list(runs)
        params = [run.problem.network() for run in runs]
        if starts is not None:
            params = [_tree(one, start) for one, start in zip(params, starts, strict=True)]
        self.start = self.params = jax.tree.map(lambda *leaves: jnp.stack(leaves), *params)
        first = runs[0].problem
        with first.subject.blamed("optimizer()"):
            init, update = first.subject.optimizer(first.functions)
            self.state = jax.vmap(init)(self.params)
        if form not in stand.programs:
            stand.programs[form] = _programs(form, first.functions[1], update, first.subject.loss)
        self._step, self._outputs = stand.programs[form]
        self.inputs = [run.problem.inputs.numpy() for run in runs]
        self.targets = [run.targets.numpy() for run in runs]
        self.factors = jnp.asarray([run.factor for run in runs], jnp.float32)

    def begin(self) -> None:
        """Nothing is drawn, and rates are the optimizer's own."""

    def step(self, batch: np.ndarray, schedule: float | None) -> None:
        inputs, targets = (
            np.stack([values[own] for values, own in zip(all_runs, batch, strict=True)])
            for all_runs in (self.inputs, self.targets)
        )
        factors = self.factors * (1.0 if schedule is None else schedule)
        with self.runs[0].problem.subject.blamed("a training step"):
            self.params, self.state = self._step(
                self.start, self.params, self.state, inputs, targets, factors
            )

    def evaluated(self, points: slice) -> list[torch.Tensor]:
        inputs = np.stack([values[points] for values in self.inputs])
        return list(tensor(self._outputs(self.start, self.params, inputs)))

    def parameters_of(self, index: int) -> Parameters:
        return {name: leaf[index] for name, leaf in _named(self.params).items()}


def _programs(form: Form, apply: Callable, update: Callable, loss: Callable):
    """(step, outputs) of runs side by side, compiled for f_alpha or f_lin."""

    def outputs(start, params, inputs):
        if form.is_network:
            return apply(params, inputs)
        shift = jax.tree.map(jnp.subtract, params, start)
        if form.alpha is None:
            f_0, change = jax.jvp(lambda p: apply(p, inputs), (start,), (shift,))
            return f_0 + change
        near = jax.tree.map(lambda p, s: p + s / form.alpha, start, shift)
        f_0 = apply(start, inputs)
        return f_0 + form.alpha * (apply(near, inputs) - f_0)

    def step(start, params, state, inputs, targets, factor):
        gradients = jax.grad(lambda p: loss(outputs(start, p, inputs), targets))(params)
        updates, state = update(gradients, state, params)
        moved = jax.tree.map(lambda p, u: p + (factor * u).astype(p.dtype), params, updates)
        return moved, state

    return jax.jit(jax.vmap(step)), jax.jit(jax.vmap(outputs))


def traced_stand(subject: Subject, seeds: Sequence[int]) -> TracedStand:
    """The stand of a jax subject, which is examined."""
    problems = []
    for seed in seeds:
        of = problem(subject, seed)
        given = (of.subject, of.seed, of.inputs, of.targets, of.permuted, of.sizes)
        problems.append(TracedProblem(*given))
    _examine(subject, problems)
    return TracedStand(subject, tuple(problems))


def _examine(subject: Subject, problems: Sequence[TracedProblem]) -> None:
    """Raise a SubjectError that names the first flaw."""
    if subject.widths:
        raise subject.error(NO_WIDTHS)
    first, *others = problems[:2]
    examined_data(subject, first)
    for second in others:
        examined_pair(subject, first, second)
    params = first.network()
    if not jax.tree.leaves(params):
        raise subject.error("model's init(key) gives no parameters")
    if others and all(
        np.array_equal(one, other)
        for one, other in zip(
            jax.tree.leaves(params), jax.tree.leaves(others[0].network()), strict=True
        )
    ):
        raise subject.error("model's init(key) gives the same weights for two keys")
    count = min(subject.batch or 8, first.sizes[0])
    inputs, targets = array(first.inputs[:count]), array(first.targets[:count])
    with subject.blamed("model's apply()"):
        outputs = first.functions[1](params, inputs)
    with subject.blamed("loss()"):
        loss = jnp.asarray(subject.loss(outputs, targets))
        doubled = subject.loss(jnp.concatenate([outputs] * 2), jnp.concatenate([targets] * 2))
    if loss.ndim:
        raise subject.error(
            f"loss(outputs, targets) must be a scalar, found the shape {loss.shape}"
        )
    if not np.isfinite(loss):
        raise subject.error(f"the loss at the start is {float(loss)}, wanted a finite number")
    if not np.isclose(loss, doubled, rtol=1e-3, atol=1e-6):
        raise subject.error(
            f"loss(outputs, targets) must be a mean over examples: of a doubled batch it is "
            f"{float(doubled):.4g} instead of {float(loss):.4g}"
        )
    with subject.blamed("optimizer()"):
        found = subject.optimizer(first.functions)
    if not (isinstance(found, tuple) and len(found) == 2 and all(map(callable, found))):
        raise subject.error(f"optimizer(model) must return (init, update), found {found!r}")


def array(values: torch.Tensor) -> jax.Array:
    return jnp.asarray(values.numpy())


def tensor(values) -> torch.Tensor:
    return torch.from_numpy(np.array(values))


def _named(params: Any) -> Parameters:
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


def _tree(like: Any, parameters: Parameters) -> Any:
    """The pytree of `like` with the named leaves."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(like)
    return structure.unflatten([parameters[jax.tree_util.keystr(path)] for path, _ in leaves])
