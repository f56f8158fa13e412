"""Optimizers of readers: several as one, the kind of a step, powers of out/in."""

import math

import pytest
import torch
from torch import nn

from widenets.ntk.subject.contract import BUILTIN, SubjectError, load
from widenets.ntk.subject.optimizers import (
    Layer,
    Several,
    kind,
    labels,
    optimizer_of,
    powers_of_shape,
)


def step_of(optimizer, shape=(24, 48), samples=12):
    """(step, gradient) of a matrix whose gradient is a sum over samples, each half the last."""
    draws = torch.Generator().manual_seed(0)
    weight = nn.Parameter(torch.randn(shape, generator=draws))
    start = weight.detach().clone()
    out, into = (torch.randn(samples, n, generator=draws) for n in shape)
    weight.grad = (out * 0.5 ** torch.arange(samples)[:, None]).T @ into
    optimizer(weight).step()
    return weight.detach() - start, weight.grad


@pytest.mark.parametrize(
    ("optimizer", "wanted"),
    [
        (lambda w: torch.optim.SGD([w], lr=0.1, momentum=0.9), "parallel"),
        (lambda w: torch.optim.Adam([w], lr=0.1, eps=1e-15), "sign"),
        (lambda w: torch.optim.RMSprop([w], lr=0.1, eps=1e-15), "sign"),
        (lambda w: torch.optim.Muon([w], lr=0.1, weight_decay=0.0), "orthogonal"),
        (lambda w: torch.optim.Adam([w], lr=0.1, eps=30.0), "other"),
    ],
)
def test_the_kind_of_a_step_is_measured(optimizer, wanted):
    assert kind(*step_of(optimizer)) == wanted


def test_several_optimizers_move_as_each_does_alone():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other = nn.Linear(3, 4), nn.Linear(4, 2)

    def moved(optimizer):
        torch.manual_seed(0)
        module = Pair()
        for parameter in module.parameters():
            parameter.grad = torch.ones_like(parameter)
        made = optimizer(module)
        made.step()
        made.zero_grad()
        return [p.detach() for p in module.parameters()], made

    def both(module):
        adam = torch.optim.Adam(module.one.parameters(), lr=0.1)
        return Several([adam, torch.optim.SGD(module.other.parameters(), lr=0.2)])

    values, made = moved(both)
    ones, _ = moved(lambda module: torch.optim.Adam(module.one.parameters(), lr=0.1))
    others, _ = moved(lambda module: torch.optim.SGD(module.other.parameters(), lr=0.2))
    for value, wanted in zip(values, (*ones[:2], *others[2:]), strict=True):
        torch.testing.assert_close(value, wanted)
    assert [group["lr"] for group in made.param_groups] == [0.1, 0.2]
    assert [name for _, _, name in labels(made)] == ["Adam"] * 2 + ["SGD"] * 2


def test_labels_tell_the_scale_of_muon():
    weight = nn.Parameter(torch.ones(2, 2))
    for given, wanted in ((None, "original"), ("match_rms_adamw", "match_rms_adamw")):
        (found,) = labels(torch.optim.Muon([weight], adjust_lr_fn=given))
        assert found[2] == f"Muon, scale {wanted}"


@pytest.mark.parametrize(
    ("scale", "wanted"),
    [
        (lambda r: math.sqrt(r), {"up": 0.5, "down": 0.5}),
        (lambda r: math.sqrt(max(1, r)), {"up": 0.25, "down": 0.25}),
        (lambda r: 1.0, {"up": 0.0, "down": 0.0}),
        (lambda r: math.sqrt(max(r, 1 / r)), {"up": 0.0, "down": 0.0}),
        (lambda r: math.sqrt(1 / r), {"up": -0.5, "down": -0.5}),
        (lambda r: math.sqrt(max(1, 1 / r)), {"up": -0.25, "down": -0.25}),
    ],
)
def test_powers_of_shape_tell_a_scale_that_is_turned_over(scale, wanted):
    layers = [
        Layer(name, "own", math.log(r), math.log(scale(r)))
        for name, r in (("up", 4), ("down", 0.25), ("square", 1))
    ]
    assert dict(powers_of_shape(layers)) == pytest.approx(wanted)
    no_wide = dict(powers_of_shape([layers[0], layers[2]]))
    assert no_wide == pytest.approx({"up": math.log(scale(4)) / math.log(4)})
    assert dict(powers_of_shape(layers[1:])) == {}  # max(out, in) is as 1/r there
    assert dict(powers_of_shape([layers[0], layers[1]._replace(optimizer="another")])) == {}


def test_a_list_and_an_object_are_optimizers_and_a_list_of_others_is_none():
    subject = load(str(BUILTIN / "muon_transformer.py"))
    torch.manual_seed(0)
    assert isinstance(optimizer_of(subject, subject.model()), Several)
    both = load("muon_transformer:matched")
    assert len(optimizer_of(both, both.model()).param_groups) == 2
    for given in ([], [3], {"lr": 1}):
        wrong = type("Wrong", (), {"optimizer": lambda self, m, g=given: g})()
        wrong.blamed, wrong.error = subject.blamed, subject.error
        with pytest.raises(SubjectError, match=r"^muon_transformer\.py: optimizer\(model\) must"):
            optimizer_of(wrong, None)
