"""How a few steps of training move every tensor of a torch network, as its width grows.

The coordinate check of arXiv:2203.03466 (Appendix D.1), one tensor at a time: what each
tensor's own update does to the output of its own module, so that a tensor with a wrong rate does
not move the numbers of its neighbours. Every number is found at several widths of one seed; what
is judged is the exponent p of value ~ width^p. In muP:

    update          rms of a tensor's own effect after `STEPS` steps; of matrices relative to what
                    enters their module; of a read-out at the model's output         p = 0
    initial         rms(out) / rms(in) of a tensor's module at the start; of vectors and of
                    parameters that no module of their own reads: their rms, of hidden
                    matrices times the root of their fan-in                           p = 0
    initial_bias    rms of a bias at the start, which may vanish                      p <= 0
    initial_output  rms of what a read-out adds to the model's outputs at the start   p = -1/2
    initial_tied    rms of the outputs at the start of a model without a read-out of its own, whose
                    outputs know their inputs from the start                          p <= 0
    attention       rms of what enters a softmax of attention at the start            p = -1/2
    decay           relative change by a step without gradient: p = 0 (independent of the rate) or
                    that of the rate (coupled to it), whichever is nearer or declared
    shape           (no exponent in width) power of out/in in the step of an `orthogonal` matrix,
                    against others of its group; a right scale has 1/2, one of in/out -1/2
    rate, step      (not judged) of a tensor's rate, of its bare step's norm where it is orthogonal
    epsilon         (no exponent) first step for `LOUDER` times the loss over that for the loss, at
                    the largest width; of optimizers that normalize: 1
    rounding        (no exponent) relative change of the gradient by other rounding: a tensor where
                    it is of order 1 has no effect on the loss, and its updates are noise
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.overrides import TorchFunctionMode

from widenets.ntk.subject.contract import SubjectError
from widenets.ntk.subject.optimizers import (
    KNOWN,
    Layer,
    Several,
    kind,
    labels,
    powers_of_shape,
)

STEPS = 3
LOUDER = 15.0  # no power of two, so that every rounding differs
SILENT = 1e-2  # gradients that rounding changes by more have no true digits
MASKED = -1e4  # what enters a softmax and is smaller is a mask

# What the suite makes wrong on purpose: rates * n/n0, weights * sqrt(n/n0), a large epsilon.
CONTROLS = ("rates", "weights", "epsilon")


class WidthError(SubjectError):
    """What is wrong with model(width)."""


class Trial(NamedTuple):
    """One seed of a network: model(width), its optimizer, a small batch."""

    model: Callable[[int], nn.Module]
    optimizer: Callable[[nn.Module], Optimizer | Several]
    loss: Callable[[Tensor, Tensor], Tensor]
    inputs: Tensor
    targets: Tensor
    decay: str | None = None  # what the weight decay is meant to be


class Coordinate(NamedTuple):
    """A quantity of one tensor ("" of the whole network); `found` is its exponent in width, or
    its value where it has none; `narrow` and `wide` its values at the ends; `wanted` where that
    depends on the tensor. Of a rate: the `optimizer` that it is of, and the `kind` of its step."""

    tensor: str
    role: str
    quantity: str
    found: float
    narrow: float
    wide: float
    wanted: float = math.nan
    optimizer: str = ""
    kind: str = ""


class Call(NamedTuple):
    """One call of a module."""

    args: tuple
    kwargs: dict
    output: Tensor


class Place(NamedTuple):
    """Where a parameter lives: its module's name, the module, its name there."""

    path: str
    module: nn.Module
    local: str


def coordinates(trial: Trial, widths: Sequence[int], control: str = "") -> Iterator[Coordinate]:
    """All coordinates of one seed; control: "" or one of CONTROLS."""
    if control not in ("", *CONTROLS):
        raise ValueError(f"control {control!r}: want one of {', '.join(CONTROLS)} or ''")
    widths = sorted(widths)
    roles = _roles(trial, widths)
    by_width = {}
    silent: dict[str, float] = {}
    for width in widths:
        run = _Run(trial, width, widths[0], control, roles)
        by_width[width] = {(c.tensor, c.quantity): c.wide for c in run.measured()}
        if width == widths[0]:
            narrowest = run
        if width == widths[-1] and control in ("", "epsilon"):
            yield from (c for c in run.loudness(silent) if c.tensor not in silent)
    for tensor, change in silent.items():
        yield Coordinate(tensor, roles[tensor], "rounding", change, math.nan, change)
    exponents = {}
    for key in by_width[widths[0]]:
        values = [by_width[width].get(key, 0.0) for width in widths]
        if key[0] not in silent and all(values):  # else nothing starts there, or nothing moves
            exponents[key] = slope(widths, values), values[0], values[-1]
    for (tensor, quantity), found in exponents.items():
        about = {}
        if quantity == "decay":
            rate = exponents[tensor, "rate"][0]
            about["wanted"] = _wanted_decay(trial.decay, rate, exponents[tensor, "decay"][0])
        if quantity == "rate":
            about = {"optimizer": narrowest.labels[tensor], "kind": narrowest.kinds[tensor]}
        if quantity != "rate" or control == "":
            yield Coordinate(tensor, roles.get(tensor, ""), quantity, *found, **about)
    for tensor, power in powers_of_shape(list(narrowest.layers())):
        yield Coordinate(tensor, roles[tensor], "shape", power, math.nan, math.nan)


def _wanted_decay(declared: str | None, rate: float, found: float) -> float:
    """The share that decay takes knows nothing of the rate's factor (it is divided out), or has it
    once: a choice, unless the file declares it."""
    choices = {"independent": 0.0, "coupled": rate}
    if declared:
        return choices[declared]
    return min(choices.values(), key=lambda wanted: abs(found - wanted))


def slope(widths: Sequence[int], values: Sequence[float]) -> float:
    x = torch.tensor(widths, dtype=torch.float64).log()
    y = torch.tensor(values, dtype=torch.float64).log()
    x = x - x.mean()
    return float((x @ y) / (x @ x))


# -- one run at one width -------------------------------------------------------------------------


class _Run:
    """A network at one width, before and after its steps."""

    def __init__(self, trial: Trial, width: int, base: int, control: str, roles: dict[str, str]):
        self.trial, self.control, self.roles = trial, control, roles
        self.ratio = width / base
        self.module = trial.model(width)
        self.places = _places(self.module)
        if control == "weights":
            with torch.no_grad():
                for parameter in self.module.parameters():
                    parameter.mul_(self.ratio**0.5)
        self.start = {n: p.detach().clone() for n, p in self.module.named_parameters()}
        self.names = {id(p): n for n, p in self.module.named_parameters()}
        self.labels: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.norms: dict[str, float] = {}

    def measured(self) -> Iterator[Coordinate]:
        """What has an exponent, its value here as `wide`; of a control what it moves."""
        if self.control in ("", "weights"):
            yield from self._initial()
        if self.control in ("", "rates"):
            optimizer = self._optimizer()
            if any(group.get("weight_decay") for group in optimizer.param_groups):
                yield from self._decay()
            yield from self._bare_steps()
            self._train(optimizer)
            yield from self._updates()

    def _value(self, tensor: str, quantity: str, value: float) -> Coordinate:
        return Coordinate(tensor, self.roles.get(tensor, ""), quantity, math.nan, math.nan, value)

    def _optimizer(self, *, decays: bool = True) -> Optimizer | Several:
        optimizer = self.trial.optimizer(self.module)
        for group in optimizer.param_groups:
            if "weight_decay" in group and not decays:
                group["weight_decay"] = 0.0
            if self.control == "rates":
                group["lr"] = group["lr"] * self.ratio
            if self.control == "epsilon" and "eps" in group:
                group["eps"] = 1.0
        return optimizer

    def _train(self, optimizer: Optimizer) -> None:
        for _ in range(STEPS):
            self._gradients(1.0)
            optimizer.step()

    def _gradients(self, factor: float) -> None:
        self.module.zero_grad(set_to_none=True)
        outputs = self.module(self.trial.inputs)
        (factor * self.trial.loss(outputs, self.trial.targets)).backward()

    def _bare_steps(self) -> Iterator[Coordinate]:
        """The first step of a fresh optimizer without decay, in units of each tensor's rate."""
        self._gradients(1.0)
        optimizer = self._optimizer(decays=False)
        optimizer.step()
        raised = self.ratio if self.control == "rates" else 1.0
        for parameter, group, label in labels(optimizer):
            tensor, rate = self.names[id(parameter)], float(group["lr"])
            if not rate:
                continue
            yield self._value(tensor, "rate", rate / raised)
            step = parameter.detach() - self.start[tensor]
            self.labels[tensor] = label
            self.kinds[tensor] = KNOWN.get(label.partition(",")[0]) or (
                kind(step, parameter.grad) if self.ratio == 1 and step.any() else "other"
            )
            if step.ndim == 2 and step.any() and self.kinds[tensor] in ("orthogonal", "other"):
                self.norms[tensor] = float(torch.linalg.matrix_norm(step, 2)) / rate
                yield self._value(tensor, "step", self.norms[tensor])
        self._back_to(self.start)

    def layers(self) -> Iterator[Layer]:
        """Layers whose matrix both of whose sides grow is moved by orthogonal steps."""
        for tensor, norm in self.norms.items():
            is_moved = self.kinds[tensor] == "orthogonal" and self.roles[tensor] == "hidden"
            if is_moved and isinstance(self.places[tensor].module, nn.Linear):
                out, into = self.start[tensor].shape
                yield Layer(tensor, self.labels[tensor], math.log(out / into), math.log(norm))

    def _initial(self) -> Iterator[Coordinate]:
        with AttentionLogits() as attention:
            calls, outputs = _tapped(self.module, self.trial.inputs)
        readouts = [tensor for tensor, role in self.roles.items() if role == "output"]
        for tensor in readouts:
            parameter = self.module.get_parameter(tensor)
            with torch.no_grad(), _replaced(parameter, torch.zeros_like(parameter)):
                without = self.module(self.trial.inputs)
            yield self._value(tensor, "initial_output", _rms(outputs - without))
        if not readouts:
            yield self._value("", "initial_tied", _rms(outputs))
        logits = [found for found in attention.found if found.shape != outputs.shape]
        if logits:
            entering = torch.cat([found[found > MASKED] for found in logits])
            yield self._value("", "attention", _rms(entering))
        for tensor, place in self.places.items():
            own = calls.get(place.path)
            if self.roles[tensor] in ("output", "scalar"):
                continue
            if "bias" in place.local and self.roles[tensor] == "vector":
                yield self._value(tensor, "initial_bias", _rms(self.start[tensor]))
            elif self.roles[tensor] == "vector" or not own or not _is_leaf(place.module):
                fan_in = self.start[tensor].shape[-1] if self.roles[tensor] == "hidden" else 1
                yield self._value(tensor, "initial", fan_in**0.5 * _rms(self.start[tensor]))
            else:
                gain = _rms_of([c.output for c in own]) / _entering(own)
                yield self._value(tensor, "initial", gain)

    def _updates(self) -> Iterator[Coordinate]:
        """The effect of each tensor's own update, all else as it is after the steps."""
        with torch.no_grad():
            calls, outputs = _tapped(self.module, self.trial.inputs)
            for tensor, place in self.places.items():
                if self.roles[tensor] != "scalar":
                    yield self._value(tensor, "update", self._effect(tensor, place, calls, outputs))

    def _effect(self, tensor: str, place: Place, calls: dict, outputs: Tensor) -> float:
        own, role = calls.get(place.path), self.roles[tensor]
        parameter, old = self.module.get_parameter(tensor), self.start[tensor]
        if role == "output":
            with _replaced(parameter, old):
                change = outputs - self.module(self.trial.inputs)
            return _rms(change) / (_entering(own) if own and place.path else 1.0)
        path = place.path
        if role == "hidden":  # a matrix that a larger module reads by itself: at its output
            while path not in calls:
                path = path.rpartition(".")[0]
        elif not (own and _is_leaf(place.module)):
            return _rms(parameter - old)
        with _replaced(parameter, old):
            module = self.module.get_submodule(path)
            before = [_first(module(*call.args, **call.kwargs)) for call in calls[path]]
        changes = [c.output - b for c, b in zip(calls[path], before, strict=True)]
        return _rms_of(changes) / (1.0 if role == "vector" else _entering(calls[path]))

    def _decay(self) -> Iterator[Coordinate]:
        """Relative change by a step of a fresh optimizer without gradient, then undone."""
        for parameter in self.module.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self._optimizer().step()
        for tensor, change in self._changes().items():
            size = _rms(self.start[tensor])
            if size > 0 and change > 0:
                yield self._value(tensor, "decay", change / size)
        self._back_to(self.start)

    def loudness(self, silent: dict[str, float]) -> Iterator[Coordinate]:
        """P4 from where the run stands: first steps of two fresh optimizers, one of them with
        LOUDER times the loss. Fills `silent` with the tensors whose gradient is rounding alone."""
        here = {n: p.detach().clone() for n, p in self.module.named_parameters()}
        generator = torch.get_rng_state()
        steps, gradients = [], []
        for factor in (1.0, LOUDER):
            torch.set_rng_state(generator)
            self._gradients(factor)
            gradients.append(
                {
                    n: p.grad / factor
                    for n, p in self.module.named_parameters()
                    if p.grad is not None
                }
            )
            optimizer = self._optimizer(decays=False)
            optimizer.step()
            steps.append(self._changes(here))
            self._back_to(here)
        quiet, loud = gradients
        for tensor, gradient in quiet.items():
            if (size := _rms(gradient)) > 0:
                change = _rms(loud[tensor] - gradient) / size
                if change > SILENT:
                    silent[tensor] = change
        normalized = {id(p) for g in optimizer.param_groups if "eps" in g for p in g["params"]}
        for tensor, parameter in self.module.named_parameters():
            quiet, loud = (of[tensor] for of in steps)
            if id(parameter) in normalized and quiet > 0:
                role = self.roles[tensor]
                yield Coordinate(tensor, role, "epsilon", loud / quiet, math.nan, loud / quiet)

    def _changes(self, since: dict[str, Tensor] | None = None) -> dict[str, float]:
        since = since or self.start
        return {n: _rms(p.detach() - since[n]) for n, p in self.module.named_parameters()}

    def _back_to(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.module.named_parameters():
                parameter.copy_(values[name])


# -- roles ----------------------------------------------------------------------------------------


def _roles(trial: Trial, widths: Sequence[int]) -> dict[str, str]:
    """input, hidden, output, vector or scalar, from the shapes at two widths.

    Both of two axes grow: hidden. One of them: `output` if what enters its module grows and what
    leaves it does not, else `input`. Of a parameter that a larger module reads by itself, `output`
    if the model's outputs are affine in it. One axis alone: vector.
    """
    narrow, wide = (trial.model(width) for width in (widths[0], widths[-1]))
    small, large = (dict(module.named_parameters()) for module in (narrow, wide))
    if small.keys() != large.keys():
        differing = sorted(small.keys() ^ large.keys())
        raise WidthError(f"model(width) has other tensors at other widths: {differing[0]}")
    places = _places(narrow)
    calls = [_tapped(module, trial.inputs)[0] for module in (narrow, wide)]
    roles = {}
    for tensor, parameter in small.items():
        growing = _growing(parameter, large[tensor])
        if growing == 0:
            roles[tensor] = "scalar"
        elif growing > 1:
            roles[tensor] = "hidden"
        else:
            place = places[tensor]
            ends = [of.get(place.path) for of in calls]
            leaf = _is_leaf(place.module) and all(ends) and place.path
            if leaf and isinstance(place.module, nn.Embedding | nn.EmbeddingBag):
                roles[tensor] = "input"
            elif leaf and parameter.ndim > 1:
                grows = _growing(ends[0][0].output, ends[1][0].output)
                roles[tensor] = "input" if grows else "output"
            elif not leaf and _is_affine(wide, tensor, trial.inputs):
                roles[tensor] = "output"
            else:
                roles[tensor] = "vector" if parameter.ndim == 1 else "input"
    if set(roles.values()) == {"scalar"}:
        raise WidthError(
            f"model(width) ignores width: the same shapes at {widths[0]} and {widths[-1]}"
        )
    return roles


def _growing(one: Tensor, other: Tensor) -> int:
    return sum(a != b for a, b in zip(one.shape, other.shape, strict=True))


def _is_affine(module: nn.Module, tensor: str, inputs: Tensor) -> bool:
    """Whether the outputs are affine in a parameter: f(2 w) - f(w) = f(3 w) - f(2 w)."""
    parameter = module.get_parameter(tensor)
    value = parameter.detach().clone()
    # No two entries alike: a constant would be lost in the first LayerNorm.
    move = (_rms(value) or 1.0) * torch.arange(value.numel()).square().add(1).sin()
    move = move.to(value.dtype).reshape(value.shape)
    state = torch.get_rng_state()
    at = []
    for factor in (0.0, 1.0, 2.0):
        torch.set_rng_state(state)
        with torch.no_grad(), _replaced(parameter, value + factor * move):
            at.append(module(inputs))
    change = at[1] - at[0]
    return _rms(at[2] - at[1] - change) < 1e-3 * _rms(change)


def _places(module: nn.Module) -> dict[str, Place]:
    """Of every tensor the first module that holds it."""
    owners = dict(module.named_modules())
    found = {}
    for name, _ in module.named_parameters():
        path, _, local = name.rpartition(".")
        found[name] = Place(path, owners[path], local)
    return found


@contextmanager
def _replaced(parameter: Tensor, value: Tensor) -> Iterator[None]:
    """Another value in place, for a while: some modules look for attributes of their parameters,
    which a functional call loses. Under no_grad."""
    now = parameter.detach().clone()
    parameter.copy_(value)
    try:
        yield
    finally:
        parameter.copy_(now)


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


# -- what is seen of a forward pass ---------------------------------------------------------------


def _tapped(module: nn.Module, inputs: Tensor) -> tuple[dict[str, list[Call]], Tensor]:
    """Calls of every module in one forward pass, and the outputs."""
    calls: dict[str, list[Call]] = {}

    def hook(path):
        def keep(_, args, kwargs, output):
            calls.setdefault(path, []).append(Call(args, kwargs, _first(output)))

        return keep

    handles = [
        part.register_forward_hook(hook(path), with_kwargs=True)
        for path, part in module.named_modules()
    ]
    try:
        with torch.no_grad():
            outputs = module(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return calls, outputs


def _first(output) -> Tensor:
    return output[0] if isinstance(output, tuple | list) else output


def _entering(calls: Sequence[Call]) -> float:
    """rms of what enters a module, its first argument; 1 of indices."""
    entering = [next(iter((*call.args, *call.kwargs.values()))) for call in calls]
    return _rms_of(entering) if entering[0].is_floating_point() else 1.0


def _rms(values: Tensor) -> float:
    return math.sqrt(float(values.detach().double().square().mean()))


def _rms_of(parts: Sequence[Tensor]) -> float:
    return _rms(torch.cat([part.detach().flatten() for part in parts]))


class AttentionLogits(TorchFunctionMode):
    """Collects what enters the softmax of attention, however the model calls it."""

    def __init__(self):
        super().__init__()
        self.found: list[Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in (functional.softmax, torch.softmax, Tensor.softmax):
            self._keep(args[0] if args else kwargs["input"])
        elif func is functional.scaled_dot_product_attention:
            query, key = (*args, *(kwargs[n] for n in ("query", "key") if n in kwargs))[:2]
            self._keep(_products(query, key, kwargs.get("scale")))
        elif func is functional.multi_head_attention_forward and args[5] is not None:
            self._keep(_of_multi_head(*args[:2], *args[4:7]))
        return func(*args, **kwargs)

    def _keep(self, logits: Tensor) -> None:
        if logits.ndim >= 3:
            self.found.append(logits.detach())


def _products(query: Tensor, key: Tensor, scale: float | None) -> Tensor:
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    return scale * (query.detach() @ key.detach().transpose(-1, -2))


def _of_multi_head(query, key, heads, weight, bias) -> Tensor:
    """Of torch's own module: query and key (time, batch, width), all projections one matrix."""
    weights = weight.detach().chunk(3)
    biases = (None, None) if bias is None else bias.detach().chunk(3)
    query, key = (
        functional.linear(x, weights[i], biases[i]).unflatten(-1, (heads, -1)).movedim(0, -2)
        for i, x in enumerate((query, key))
    )
    return _products(query, key, None)
