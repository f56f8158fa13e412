"""A reader's optimizer: one of torch, several in a list, or one object that holds several.

What a tensor's step is like: known of some of torch's, of a reader's own measured (`kind`):

    parallel      along the gradient (SGD)
    sign          entries of one size (Adam, Lion)
    orthogonal    singular values of one size (Muon, one step of Shampoo)
    other         none of these
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from widenets.ntk.subject.contract import Subject

KNOWN = {"SGD": "parallel", "Adam": "sign", "AdamW": "sign", "Muon": "orthogonal"}
PARALLEL = 0.999  # cosine of gradient and step
EQUAL = 0.05  # relative spread of the sizes of entries
# Mean singular value over the largest: an iteration of Newton and Schulz leaves .68 to 1.20 of 1.
FLAT = 0.55
RANK = (
    3e-3  # singular values of a gradient, in its norm: smaller ones stay small in five iterations
)


class Layer(NamedTuple):
    """A layer's matrix (out x in): logarithms of out/in and of its bare step's norm."""

    tensor: str
    optimizer: str
    ratio: float
    norm: float


class Several:
    """Several optimizers as one: the groups of all, a step of each."""

    def __init__(self, optimizers):
        self.optimizers = tuple(optimizers)

    @property
    def param_groups(self) -> list[dict]:
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()


def optimizer_of(subject: Subject, module: nn.Module) -> Optimizer | Several:
    """What the file's optimizer(model) gives, several as one; a SubjectError says what is none."""
    with subject.blamed("optimizer()"):
        found = subject.optimizer(module)
    if isinstance(found, list | tuple) and found and all(map(_is_optimizer, found)):
        return Several(found)
    if not _is_optimizer(found):
        raise subject.error(
            "optimizer(model) must return a torch optimizer, a list of them, or an object with "
            f"param_groups, step() and zero_grad(), found {found!r}"
        )
    return found


def _is_optimizer(found: object) -> bool:
    """By what is used of it: readers' own need not descend from torch's."""
    return all(hasattr(found, name) for name in ("param_groups", "step", "zero_grad"))


def parts_of(optimizer) -> tuple:
    return optimizer.optimizers if isinstance(optimizer, Several) else (optimizer,)


def labels(optimizer) -> Iterator[tuple[Tensor, dict, str]]:
    """(tensor, its group, what the optimizer of the group is called), Muon with its scale."""
    for part in parts_of(optimizer):
        for group in part.param_groups:
            name = type(part).__name__
            if "adjust_lr_fn" in group:
                name = f"Muon, scale {group['adjust_lr_fn'] or 'original'}"
            for parameter in group["params"]:
                yield parameter, group, name


def kind(step: Tensor, gradient: Tensor) -> str:
    """What a first step without decay is, beside its gradient."""
    along = torch.nn.functional.cosine_similarity(step.flatten(), -gradient.flatten(), dim=0)
    if along > PARALLEL:
        return "parallel"
    sizes = step[step != 0].abs()
    if sizes.std(correction=0) < EQUAL * sizes.mean():
        return "sign"
    if step.ndim == 2:
        of_gradient = torch.linalg.svdvals(gradient)
        rank = int((of_gradient > RANK * gradient.norm()).sum())
        values = torch.linalg.svdvals(step)[:rank]
        if values.mean() > FLAT * values[0]:
            return "orthogonal"
    return "other"


def powers_of_shape(layers: Sequence[Layer]) -> Iterator[tuple[str, float]]:
    """(tensor, power of out/in in the norm of its orthogonal step), by pairs of one optimizer.

    Tall matrices (out > in) are held against wide ones, or where there are none against square
    ones; wide ones against tall ones alone: beside a square one a scale of max(out, in) does to a
    wide matrix what one of in/out does.
    """
    for name in dict.fromkeys(layer.optimizer for layer in layers):
        of_one = [layer for layer in layers if layer.optimizer == name]
        tall, wide = ([la for la in of_one if sign * la.ratio > 0.1] for sign in (1, -1))
        square = [layer for layer in of_one if abs(layer.ratio) <= 0.1]
        for some, others in ((tall, wide or square), (wide, tall)):
            for layer in some if others else ():
                ratio, norm = (sum(la[k] for la in others) / len(others) for k in (2, 3))
                yield layer.tensor, (layer.norm - norm) / (layer.ratio - ratio)
