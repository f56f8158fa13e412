"""Whether a torch subject can be measured: what its functions do, each flaw in one line.

`contract.load` has looked at the names, `problem` looks at the data of each seed; here two seeds
are held side by side.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from widenets.ntk.subject.contract import Subject
from widenets.ntk.subject.problem import Problem, problem, stream

FEWEST_PER_CLASS = 2  # held-out points
NO_WIDTHS = (
    "widths: the check of a parameterization takes torch modules: leave the name out for a network "
    "in jax"
)


def examined(subject: Subject, seeds: Sequence[int] = (0, 1)) -> None:
    """Raise a SubjectError that names the first flaw; return if there is none.

    The first two seeds are looked at; of a single one the data and weights have none beside them.
    """
    if subject.model is None:
        return
    first, *others = (problem(subject, seed) for seed in tuple(seeds)[:2])
    _examine_model(subject, first)
    examined_data(subject, first)
    for second in others:
        examined_pair(subject, first, second)
        _examine_seeds(subject, first, second)
    _examine_loss(subject, first)
    _examine_optimizer(subject, first)
    _examine_outputs(subject, first)
    if subject.widths:
        _examine_widths(subject, first)


def _examine_model(subject: Subject, of: Problem) -> None:
    with subject.blamed("model()"):
        torch.manual_seed(0)
        found = subject.model()
    if isinstance(found, tuple) and subject.widths:
        raise subject.error(NO_WIDTHS)
    if not isinstance(found, nn.Module):
        raise subject.error(
            f"model() must return a torch module, or jax's (init, apply), found {type(found)!r}"
        )
    parameters = list(found.parameters())
    if not parameters:
        raise subject.error("model() has no parameters")
    for name, value in [*found.named_parameters(), *found.named_buffers()]:
        if value.device.type != "cpu":
            raise subject.error(f"model(): {name} lies on {value.device}, wanted the CPU")
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise subject.error(f"model(): {name} holds NaN or infinity")
    again = {p.data_ptr() for p in of.network().parameters() if p.numel()}
    shared = [name for name, p in found.named_parameters() if p.data_ptr() in again]
    if shared:
        raise subject.error(
            f"model(): {shared[0]} is the same tensor in two calls: make it inside of model()"
        )


def examined_data(subject: Subject, first: Problem) -> None:
    """Of one seed: drawn by the seed, held-out points apart from training and of every class."""
    again = problem(subject, first.seed)
    if not (torch.equal(first.inputs, again.inputs) and torch.equal(first.targets, again.targets)):
        raise subject.error("data(seed) differs between two calls with the same seed")
    held = torch.cat([first.inputs[first.of(s)] for s in ("validation", "test")]).flatten(1)
    train = {row.numpy().tobytes() for row in first.inputs[first.of("train")].flatten(1)}
    repeated = sum(row.numpy().tobytes() in train for row in held)
    # A handful of equal rows is chance where inputs are few and discrete.
    if repeated > 0.01 * len(held):
        raise subject.error(
            f"data(seed): {repeated} of {len(held)} held-out inputs are training inputs as well"
        )
    if first.classes:
        labels = torch.cat([first.targets[first.of(s)] for s in ("validation", "test")]).flatten()
        counts = torch.bincount(labels - labels.min())
        few = [int(k + labels.min()) for k, n in enumerate(counts) if 0 < n < FEWEST_PER_CLASS]
        if few and first.targets.ndim == 1:
            raise subject.error(
                f"data(seed): class {few[0]} has fewer than {FEWEST_PER_CLASS} held-out points"
            )


def examined_pair(subject: Subject, first: Problem, second: Problem) -> None:
    """Of two seeds: other data, unless that they are the same is said."""
    same = first.inputs.shape == second.inputs.shape and torch.equal(first.inputs, second.inputs)
    if same and torch.equal(first.targets, second.targets) and not subject.data_is_fixed:
        raise subject.error(
            "data(seed) is the same for two seeds: the interval would be over weights alone; draw "
            "by the seed, or say data_is_fixed = True"
        )


def _examine_seeds(subject: Subject, first: Problem, second: Problem) -> None:
    one, other, again = (dict(p.network().named_parameters()) for p in (first, second, first))
    drawn = [name for name, p in one.items() if p.numel() and p.std(correction=0) > 0]
    if drawn and all(torch.equal(one[name], other[name]) for name in drawn):
        raise subject.error(
            "model() has the same weights for two seeds: draw them by torch, which is seeded "
            "before the call (not by numpy or from a file)"
        )
    for name, value in one.items():
        if not torch.equal(value, again[name]):
            raise subject.error(
                f"model(): {name} differs between two calls after the same torch.manual_seed: "
                "draw it by torch"
            )


def _examine_loss(subject: Subject, of: Problem) -> None:
    count = min(subject.batch or 8, of.sizes[0])
    with torch.no_grad(), subject.blamed("model's forward()"):
        outputs = of.network().eval()(of.inputs[:count])
    if not isinstance(outputs, Tensor) or len(outputs) != count:
        raise subject.error(
            f"model's forward() must return a tensor with a row per example, found "
            f"{getattr(outputs, 'shape', type(outputs))} for {count} examples"
        )
    targets = of.targets[:count]
    with torch.no_grad(), subject.blamed("loss()"):
        loss = subject.loss(outputs, targets)
        if not isinstance(loss, Tensor) or loss.numel() != 1 or loss.ndim:
            raise subject.error(
                f"loss(outputs, targets) must be a scalar, found the shape "
                f"{tuple(getattr(loss, 'shape', ()))}"
            )
        doubled = subject.loss(torch.cat([outputs] * 2), torch.cat([targets] * 2))
    if not math.isfinite(loss):
        raise subject.error(f"the loss at the start is {float(loss)}, wanted a finite number")
    if not math.isclose(float(loss), float(doubled), rel_tol=1e-3, abs_tol=1e-6):
        raise subject.error(
            f"loss(outputs, targets) must be a mean over examples: of a doubled batch it is "
            f"{float(doubled):.4g} instead of {float(loss):.4g}"
        )


def _examine_optimizer(subject: Subject, of: Problem) -> None:
    module = of.network()
    with subject.blamed("optimizer()"):
        found = subject.optimizer(module)
    if not isinstance(found, torch.optim.Optimizer):
        raise subject.error(f"optimizer(model) must return a torch optimizer, found {found!r}")
    if isinstance(found, torch.optim.LBFGS):
        raise subject.error("optimizer(model): LBFGS needs a closure, which has no frozen twin")
    own = {id(p) for p in module.parameters()}
    held = [p for group in found.param_groups for p in group["params"]]
    foreign = sum(id(p) not in own for p in held)
    if foreign:
        raise subject.error(
            f"optimizer(model): {foreign} of its tensors are not the model's: take them from the "
            "model that it is given"
        )
    if not any(p.requires_grad for p in held):
        raise subject.error("optimizer(model): none of its tensors requires a gradient")


def _examine_outputs(subject: Subject, of: Problem) -> None:
    module = of.network().eval()
    inputs = of.inputs[: subject.batch or 8]
    with torch.no_grad(), subject.blamed("model's forward()"):
        one, other = module(inputs), module(inputs)
        if not torch.equal(one, other):
            raise subject.error(
                "the model differs between two calls in evaluation mode: draw random numbers in "
                "training mode alone"
            )
        module.train()
        torch.manual_seed(stream(of.seed, "training"))
        one = module(inputs)
        torch.manual_seed(stream(of.seed, "training"))
        other = of.network()(inputs) if _counts(module) else module(inputs)
    if not (_counts(module) or torch.equal(one, other)):
        raise subject.error(
            "the model differs between two calls after the same torch.manual_seed: draw its "
            "random numbers by torch"
        )


def _counts(module: nn.Module) -> bool:
    """Whether calls change the module: running statistics."""
    return bool(list(module.buffers()))


def _examine_widths(subject: Subject, of: Problem) -> None:
    shapes = []
    for width in subject.widths[:2]:
        module = of.network(width=width)
        shapes.append({name: tuple(p.shape) for name, p in module.named_parameters()})
    if shapes[0].keys() != shapes[1].keys():
        different = sorted(shapes[0].keys() ^ shapes[1].keys())
        raise subject.error(f"model(width): {different[0]} is there at one width only")
    if shapes[0] == shapes[1]:
        raise subject.error(
            f"model(width) ignores width: every shape is the same at {subject.widths[0]} and "
            f"{subject.widths[1]}"
        )
