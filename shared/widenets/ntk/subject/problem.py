"""One seed of a torch subject: its data in three parts, its network, the units of its losses."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from widenets.ntk.random import generator
from widenets.ntk.subject.contract import Subject

SPLITS = ("train", "validation", "test")


def stream(seed: int, *names: str | int) -> int:
    """A seed for a library's own generator, of the stream `names` of a seed of the run."""
    return int(generator(seed, "subject", *names).integers(2**31 - 1))


@dataclass(frozen=True, eq=False)
class Problem:
    """Data of one seed: training points first, then validation, then test; `sizes` of the three.

    permuted: training targets in another order, with which nothing true can be learned.
    """

    subject: Subject
    seed: int
    inputs: Tensor
    targets: Tensor
    permuted: Tensor
    sizes: tuple[int, int, int]

    def of(self, split: str) -> slice:
        ends = np.cumsum((0, *self.sizes))
        number = SPLITS.index(split)
        return slice(int(ends[number]), int(ends[number + 1]))

    def network(self, **width: int) -> nn.Module:
        """The subject's model with this seed's weights, in training mode."""
        torch.manual_seed(stream(self.seed, "weights"))
        with self.subject.blamed("model()"):
            return self.subject.model(**width).train()

    def start(self) -> dict[str, Any]:
        """Parameters at the start by name."""
        return {name: p.detach() for name, p in self.network().named_parameters()}

    def batches(self) -> Iterator[np.ndarray]:
        """Indices of training points, (batch,), without end; every epoch in another order."""
        draws = generator(self.seed, "subject", "batches")
        samples, size = self.sizes[0], min(self.subject.batch, self.sizes[0])
        while True:
            order = draws.permutation(samples)
            yield from order[: samples // size * size].reshape(-1, size)

    @cached_property
    def classes(self) -> bool:
        """Whether targets are classes: scores are then errors, otherwise losses."""
        return not (self.targets.is_floating_point() or self.targets.is_complex())

    def wanted(self, points: slice, targets: Tensor | None = None) -> Tensor:
        """(points, O): the targets as numbers, classes one-hot."""
        targets = (self.targets if targets is None else targets)[points]
        if not self.classes:
            return targets.reshape(len(targets), -1)
        return nn.functional.one_hot(targets, int(self.targets.max()) + 1).to(
            torch.get_default_dtype()
        )

    def judged(self, outputs: Tensor, targets: Tensor) -> tuple[float, float]:
        """(loss, score): the score is the share of wrong classes, or the loss where there are
        none."""
        with self.subject.blamed("loss()"):
            loss = float(self.subject.loss(outputs, targets))
        if not self.classes:
            return loss, loss
        wrong = outputs.argmax(class_axis(outputs, targets)) != targets
        return loss, float(wrong.double().mean())

    @cached_property
    def unit_of_loss(self) -> float:
        """Loss of the best constant on the test points: variance, or entropy of the labels."""
        unit = self.least_constant("test")
        if not unit > 1e-12:
            raise self.subject.error(
                f"seed {self.seed}: a constant has the loss {unit:.3g} on the test points: nothing "
                "to learn"
            )
        return unit

    def least_constant(self, split: str) -> float:
        """Least loss of outputs that are the same for every point, and place of a sequence."""
        targets = self.targets[self.of(split)]
        with torch.no_grad():
            shape = self.network().eval()(self.inputs[:2]).shape[1:]
        return _least_constant_loss(self, torch.zeros(len(targets), *shape), targets)

    @cached_property
    def unit_of_score(self) -> float:
        """Error of the most frequent class among the test points, or the unit of the loss."""
        if not self.classes:
            return self.unit_of_loss
        labels = self.targets[self.of("test")].flatten()
        return float(1 - torch.bincount(labels).max() / len(labels))


def class_axis(outputs: Tensor, targets: Tensor) -> int:
    """The axis of outputs that counts classes: the last, or the second as torch's losses want."""
    return -1 if outputs.shape[:-1] == targets.shape else 1


def problem(subject: Subject, seed: int) -> Problem:
    """Data of a seed; what is held out is halved into validation and test."""
    number = stream(seed, "data")
    torch.manual_seed(number)  # for data that are drawn without a generator of their own
    with subject.blamed("data()"):
        given = subject.data(number)
    try:
        (inputs, targets), (held_inputs, held_targets) = given
        parts = [_tensor(part) for part in (inputs, targets, held_inputs, held_targets)]
    except (TypeError, ValueError):
        raise subject.error(
            "data(seed) must return (inputs, targets), (held-out inputs, held-out targets)"
        ) from None
    inputs, targets, held_inputs, held_targets = parts
    _check_data(subject, inputs, targets, held_inputs, held_targets)
    half = len(held_inputs) // 2
    sizes = (len(inputs), half, len(held_inputs) - half)
    order = torch.as_tensor(generator(seed, "subject", "permuted").permutation(len(targets)))
    whole = torch.cat([inputs, held_inputs]), torch.cat([targets, held_targets])
    return Problem(subject, seed, *whole, targets[order], sizes)


def _tensor(values: object) -> Tensor:
    """A tensor, or a copy of an array of numpy or jax as one."""
    return values if isinstance(values, Tensor) else torch.from_numpy(np.array(values))


def _check_data(subject, inputs, targets, held_inputs, held_targets) -> None:
    found = {"inputs": inputs, "targets": targets}
    found |= {"held-out inputs": held_inputs, "held-out targets": held_targets}
    for name, values in found.items():
        if values.device.type != "cpu":
            raise subject.error(f"data(seed): {name} lie on {values.device}, wanted the CPU")
        if values.is_floating_point() and not torch.isfinite(values).all():
            raise subject.error(f"data(seed): {name} hold NaN or infinity")
    for one, other in (("inputs", "targets"), ("held-out inputs", "held-out targets")):
        if len(found[one]) != len(found[other]):
            raise subject.error(
                f"data(seed): {len(found[one])} {one} but {len(found[other])} {other}"
            )
    if len(inputs) < 2 or len(held_inputs) < 8:
        raise subject.error(
            f"data(seed): {len(inputs)} training and {len(held_inputs)} held-out points, wanted "
            "at least 2 and 8"
        )


def _least_constant_loss(of: Problem, outputs: Tensor, targets: Tensor) -> float:
    """Least loss over outputs that depend on their last axis, or on that of classes, alone."""
    axis = class_axis(outputs, targets) % outputs.ndim if of.classes else outputs.ndim - 1
    size = [length if k == axis and k > 0 else 1 for k, length in enumerate(outputs.shape)]
    constant = torch.zeros(size, requires_grad=True)
    search = torch.optim.LBFGS([constant], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        search.zero_grad()
        value = of.subject.loss(constant.expand_as(outputs), targets)
        value.backward()
        return value

    with of.subject.blamed("loss()"):
        search.step(closure)
        return float(of.subject.loss(constant.detach().expand_as(outputs), targets))
