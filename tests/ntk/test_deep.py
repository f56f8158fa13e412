"""Coordinates in depth: which tensors are those of blocks, exponents that are known, refusals."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from widenets.ntk.subject.coordinates import Trial
from widenets.ntk.subject.deep import DepthError, Name, deep_coordinates, named

DEPTHS = (2, 4, 8, 16)


class Block(nn.Module):
    """h + multiplier W2 gelu(W1 norm(h))."""

    def __init__(self, n, multiplier):
        super().__init__()
        self.norm, self.multiplier = nn.LayerNorm(n), multiplier
        self.up, self.down = nn.Linear(n, n, bias=False), nn.Linear(n, n, bias=False)

    def forward(self, h):
        return h + self.multiplier * self.down(functional.gelu(self.up(self.norm(h))))


class Network(nn.Module):
    def __init__(self, depth, power=0.5, n=24):
        super().__init__()
        self.blocks = nn.ModuleList(Block(n, depth**-power) for _ in range(depth))
        self.first = nn.Linear(6, n, bias=False)  # drawn after the blocks: its own at every depth
        self.last, self.head = nn.LayerNorm(n), nn.Linear(n, 1, bias=False)

    def forward(self, x):
        h = self.first(x)
        for block in self.blocks:
            h = block(h)
        return self.head(self.last(h))


def adam(power=0.0, eps=1e-15):
    """Blocks' rates times L^power."""

    def optimizer(module):
        blocks = list(module.blocks.parameters())
        rest = [p for layer in (module.first, module.last, module.head) for p in layer.parameters()]
        rates = {"params": blocks, "lr": 0.001 * len(module.blocks) ** power}, {"params": rest}
        return torch.optim.Adam(list(rates), lr=0.001, eps=eps)

    return optimizer


def sgd_of_all(module):
    return torch.optim.SGD(module.parameters(), lr=0.01)


def trial(model, optimizer, seed=0):
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(16, 6, generator=draws)

    def seeded(depth):
        torch.manual_seed(seed)
        return model(depth)

    return Trial(seeded, optimizer, functional.mse_loss, x, x[:, :1] * x[:, 1:2])


def found(model, optimizer, control="", declared=None, seeds=3):
    """{(tensor, quantity): mean exponent over seeds}."""
    numbers: dict[tuple[str, str], list[float]] = {}
    for seed in range(seeds):
        for c in deep_coordinates(trial(model, optimizer, seed), DEPTHS, control, declared):
            numbers.setdefault((c.tensor, c.quantity), []).append(c.found)
    return {key: sum(values) / len(values) for key, values in numbers.items()}


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shallow", "deep", "tensor", "wanted"),
    [
        (["e", "b.0.w", "b.1.w"], ["e", "b.0.w", "b.1.w", "b.2.w"], "b.2.w", Name("b.*.w", "b.2")),
        (["a0.1.w", "a1.1.w"], ["a0.1.w", "a1.1.w", "a2.1.w"], "a2.1.w", Name("a*.1.w", "a2")),
        (["0.w", "1.up.w", "2.w"], ["0.w", "1.up.w", "2.up.w", "3.w"], "3.w", Name("2.w", "")),
        (["e.1.w", "h.0.0.w", "h.0.1.w"],
         ["e.1.w", "h.0.0.w", "h.0.1.w", "h.1.0.w", "h.1.1.w"], "h.1.1.w", Name("h.*.1.w", "h.1")),
    ],
)  # fmt: skip
def test_blocks_are_what_has_an_index_that_runs_with_depth(shallow, deep, tensor, wanted):
    names = named({2: shallow, 4: deep})
    assert names[4][tensor] == wanted
    assert {n for n, of in names[2].items() if not of.block} == {
        of.pattern for of in names[4].values() if not of.block
    }


@pytest.mark.parametrize(
    ("shallow", "deep", "said"),
    [
        (["w"], ["w"], "no tensors whose index runs from 2 to 4"),
        (["u.0.w", "d.0.w"], ["u.0.w", "d.0.w", "u.1.w", "d.1.w"], r"lie in d\.\* and u\.\*: keep"),
        (["a", "b.0.w"], ["a", "c", "b.0.w", "b.1.w"], "has other tensors at depth 4: c"),
    ],
)
def test_what_is_no_stack_of_blocks_is_refused(shallow, deep, said):
    with pytest.raises(DepthError, match=said):
        named({2: shallow, 4: deep})


# -- exponents ------------------------------------------------------------------------------------


@pytest.mark.parametrize("a", [0.5, 1.0])
def test_a_right_network_has_the_exponents_of_its_branches_and_nothing_else(a):
    numbers = found(lambda depth: Network(depth, a), adam(a - 1))
    assert numbers["", "exponent"] == pytest.approx(-a, abs=0.06)
    assert numbers["", "growth"] == pytest.approx(0.5 - a, abs=0.1)
    assert numbers["", "movement"] == pytest.approx(0.0, abs=0.15)
    gains = [value for (_, quantity), value in numbers.items() if quantity == "gain"]
    assert len(gains) == 8
    assert gains == pytest.approx([0.0] * 8, abs=0.15)
    assert [tensor for tensor, quantity in numbers if quantity == "eps"] == []


def test_rates_that_are_not_scaled_gain_with_depth():
    numbers = found(Network, adam())
    assert numbers["blocks.*.up.weight", "gain"] == pytest.approx(0.5, abs=0.1)
    assert numbers["blocks.*.norm.weight", "gain"] == pytest.approx(0.5, abs=0.15)
    assert numbers["first.weight", "gain"] == pytest.approx(0.0, abs=0.1)


def test_a_step_along_the_gradient_gains_its_square():
    """SGD at a = 1/2 wants L^(2a-1) = 1: the gain in units of one gradient would have -1/2."""
    numbers = found(Network, sgd_of_all)
    assert numbers["blocks.*.up.weight", "gain"] == pytest.approx(0.0, abs=0.1)


def test_units_take_out_what_reaches_a_block():
    """Without a multiplier the stream grows, and the gradients that reach blocks fall with it."""
    numbers = found(lambda depth: Network(depth, 0.0), sgd_of_all)
    assert numbers["", "exponent"] == pytest.approx(0.0, abs=0.1)
    assert numbers["blocks.*.up.weight", "gain"] == pytest.approx(1.0, abs=0.25)


def test_controls_move_what_they_should():
    plain, branches, rates = (found(Network, adam(-0.5), c) for c in ("", "branches", "rates"))
    for quantity in ("growth", "exponent"):
        added = branches["", quantity] - plain["", quantity]
        assert added == pytest.approx(1.0, abs=0.15)
    for tensor in ("first.weight", "blocks.*.down.weight"):
        assert rates[tensor, "gain"] - plain[tensor, "gain"] == pytest.approx(1.0, abs=0.01)
    epsilon = found(Network, adam(-0.5), "epsilon")
    assert epsilon["blocks.*.up.weight", "eps"] == pytest.approx(-0.5, abs=0.1)
    assert epsilon["first.weight", "eps"] == pytest.approx(0.0, abs=0.01)


def test_an_epsilon_counts_where_it_is_felt():
    assert ("blocks.*.up.weight", "eps") not in found(Network, adam(-0.5, 1e-12))
    felt = found(Network, adam(-0.5, 1e-2))["blocks.*.up.weight", "eps"]
    assert felt == pytest.approx(-0.5, abs=0.1)


def test_a_multiplier_is_judged_where_it_is_declared_or_no_branch_has_a_start():
    def zero(depth):
        module = Network(depth)
        for block in module.blocks:
            nn.init.zeros_(block.down.weight)
        return module

    assert ("", "multiplier") not in found(Network, adam(), seeds=1)
    assert found(Network, adam(), declared=1.0, seeds=1)["", "declared"] == 1.0
    (judged,) = (
        c
        for c in deep_coordinates(trial(Network, adam()), DEPTHS, declared=1.0)
        if c.quantity == "multiplier"
    )
    assert judged.wanted == -1.0
    numbers = found(zero, adam())
    assert ("", "growth") not in numbers
    assert numbers["", "multiplier"] == pytest.approx(-0.5, abs=0.1)


def test_smooth_blocks_are_lazy_like_the_root():
    assert found(Network, adam(-0.5))["", "laziness"] == pytest.approx(-0.5, abs=0.1)
    one = found(lambda depth: Network(depth, 1.0), adam())
    assert one["", "laziness"] == pytest.approx(0.0, abs=0.1)


def test_depths_share_what_lies_outside_of_the_blocks_and_are_left_as_they_were():
    modules = []

    def model(depth):
        modules.append(Network(depth))
        with torch.no_grad():
            modules[-1].first.weight.mul_(depth)
        return modules[-1]

    list(deep_coordinates(trial(model, adam()), DEPTHS))
    first = modules[0].first.weight.detach()
    for module, depth in zip(modules, DEPTHS, strict=True):
        ratio = module.first.weight.detach() / first
        assert ratio.std() < 1e-5
        assert float(ratio.mean()) == pytest.approx(depth / 2, rel=0.1)
        torch.testing.assert_close(module.last.weight.detach(), torch.ones(24))


def test_blocks_keep_the_shape_of_the_stream():
    class Shrinking(nn.Module):
        def __init__(self, depth):
            super().__init__()
            self.blocks = nn.ModuleList(nn.Linear(24 - k, 23 - k) for k in range(depth))
            self.first = nn.Linear(6, 24)

        def forward(self, x):
            h = self.first(x)
            for block in self.blocks:
                h = block(h)
            return h.mean(1, keepdim=True)

    with pytest.raises(
        DepthError, match=r"blocks\.0 takes the shape \(16, 24\) and gives \(16, 23"
    ):
        list(deep_coordinates(trial(Shrinking, sgd_of_all), DEPTHS))


def test_controls_have_names():
    with pytest.raises(ValueError, match="want one of branches, rates, epsilon or ''"):
        list(deep_coordinates(trial(Network, adam()), DEPTHS, "weights"))
    assert math.isfinite(found(Network, adam(), seeds=1)["", "growth"])


def test_an_epsilon_is_not_felt_by_what_has_no_effect():
    """A part of a tensor whose gradient is rounding alone, as the keys' of a joint bias."""

    class Joint(Block):
        def __init__(self, n, multiplier):
            super().__init__(n, multiplier)
            self.bias = nn.Parameter(torch.zeros(2 * n))

        def forward(self, h):
            without, own = self.bias.chunk(2)
            return super().forward(h + own) + 1e-6 * self.multiplier * without

    def model(depth):
        module = Network(depth)
        module.blocks = nn.ModuleList(Joint(24, depth**-0.5) for _ in range(depth))
        return module

    assert ("blocks.*.bias", "eps") not in found(model, adam(-0.5, 1e-7))
