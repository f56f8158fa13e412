"""Coordinates of every tensor in width: roles, exponents that are known, modules of all kinds."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from widenets.ntk.subject.coordinates import LOUDER, Trial, WidthError, coordinates

WIDTHS = (32, 64, 128, 256)


class Network(nn.Module):
    """Two hidden layers on ten numbers, three outputs, times a multiplier."""

    def __init__(self, n, multiplier=1.0):
        super().__init__()
        self.first, self.second = nn.Linear(10, n), nn.Linear(n, n)
        self.out, self.multiplier = nn.Linear(n, 3), multiplier

    def forward(self, x):
        h = torch.relu(self.second(torch.relu(self.first(x))))
        return self.multiplier * self.out(h)


def trial(model, optimizer, seed=0, inputs=None):
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(16, 10, generator=draws) if inputs is None else inputs
    y = torch.randint(3, (len(x),), generator=draws)

    def seeded(width):
        torch.manual_seed(seed)
        return model(width)

    return Trial(seeded, optimizer, functional.cross_entropy, x, y)


def sgd(module):
    return torch.optim.SGD(module.parameters(), lr=0.01)


def adam(module):
    return torch.optim.Adam(module.parameters(), lr=2.0**-8, eps=1e-15)


def found(model, optimizer, control="", widths=WIDTHS, **others):
    """{(tensor, quantity): exponent}."""
    of = coordinates(trial(model, optimizer, **others), widths, control)
    return {(c.tensor, c.quantity): c.found for c in of}


def roles(model, **others):
    found = coordinates(trial(model, sgd, **others), WIDTHS[:3])
    return {c.tensor: c.role for c in found if c.quantity != "rate"}


def test_roles_follow_from_shapes_and_from_what_leaves_the_module():
    assert {k: v for k, v in roles(Network).items() if k} == {
        "first.weight": "input",
        "first.bias": "vector",
        "second.weight": "hidden",
        "second.bias": "vector",
        "out.weight": "output",
    }


def test_roles_of_raw_parameters_and_embeddings():
    class Raw(nn.Module):
        """Everything is read by the largest module itself, matrices the other way round."""

        def __init__(self, n):
            super().__init__()
            self.inner = nn.Embedding(7, n)
            self.place = nn.Parameter(torch.randn(5, n))
            self.hidden = nn.Parameter(torch.randn(n, n) / math.sqrt(n))
            self.out = nn.Parameter(torch.randn(n, 3) / math.sqrt(n))

        def forward(self, tokens):
            h = self.inner(tokens) + self.place
            return torch.tanh(torch.tanh(h) @ self.hidden).mean(1) @ self.out

    tokens = torch.randint(7, (6, 5), generator=torch.Generator().manual_seed(0))
    assert roles(Raw, inputs=tokens) == {
        "inner.weight": "input",
        "place": "input",
        "hidden": "hidden",
        "out": "output",
    }


def test_convolutions_have_roles_and_exponents():
    def model(n):
        layers = nn.Conv2d(3, n, 3, padding=1), nn.ReLU(), nn.Conv2d(n, n, 3, padding=1), nn.ReLU()
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, 3))

    images = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    numbers = found(model, adam, inputs=images, widths=(16, 32, 64))
    assert numbers["2.weight", "update"] == pytest.approx(1.0, abs=0.2)
    assert numbers["0.weight", "update"] == pytest.approx(0.0, abs=0.2)


def test_standard_parameterization_under_adam_has_its_exponents():
    """A hidden matrix moves its output by n (Table 3 wants a rate of 1/n), all else by 1."""
    numbers = found(Network, adam)
    assert numbers["second.weight", "update"] == pytest.approx(1.0, abs=0.2)
    assert numbers["first.weight", "update"] == pytest.approx(0.0, abs=0.2)
    assert numbers["first.bias", "update"] == pytest.approx(0.0, abs=0.2)
    assert numbers["second.weight", "initial"] == pytest.approx(0.0, abs=0.1)
    assert numbers["second.bias", "initial_bias"] == pytest.approx(-0.5, abs=0.1)


def test_standard_parameterization_under_sgd_has_its_exponents():
    """Gradients at hidden layers are n^-1/2, those of the read-out 1."""
    numbers = found(Network, sgd)
    assert numbers["first.weight", "update"] == pytest.approx(-0.5, abs=0.2)
    assert numbers["second.weight", "update"] == pytest.approx(0.5, abs=0.25)
    assert numbers["out.weight", "update"] == pytest.approx(1.0, abs=0.2)


def test_controls_move_what_they_should():
    """Rates times n/n0 add 1 to an Adam update, weights times its root 1/2 to a gain."""

    def slow(module):  # whose gradients keep their signs in three steps at any width
        return torch.optim.Adam(module.parameters(), lr=2.0**-14, eps=1e-15)

    plain, rates, weights = (found(Network, slow, control=c) for c in ("", "rates", "weights"))
    for tensor in ("first.weight", "first.bias"):
        added = rates[tensor, "update"] - plain[tensor, "update"]
        assert added == pytest.approx(1.0, abs=0.15)
    added = weights["second.weight", "initial"] - plain["second.weight", "initial"]
    assert added == pytest.approx(0.5, abs=0.05)
    assert {quantity for _, quantity in weights} == {"initial", "initial_bias", "initial_output"}
    assert {quantity for _, quantity in rates} == {"update"}


def test_a_wrong_rate_of_one_tensor_moves_its_own_number_alone():
    def model(n):
        return Network(n, multiplier=32 / n)

    def right(module, factor=1.0):
        n = module.second.weight.shape[0]
        slow = {"params": [module.second.weight], "lr": 2.0**-8 * 32 / n}
        others = [p for p in module.parameters() if p is not module.second.weight]
        others = [{"params": [p], "lr": 2.0**-8} for p in others]
        others[0]["lr"] *= (32 / n) ** factor
        return torch.optim.Adam([slow, *others], eps=1e-15)

    one, other = (found(model, lambda m, f=f: right(m, f)) for f in (0.0, 1.0))
    moved = {key: other[key] - one[key] for key in one if key[1] == "update"}
    assert moved.pop(("first.weight", "update")) == pytest.approx(-1.0, abs=0.05)
    assert max(map(abs, moved.values())) < 0.1


@pytest.mark.parametrize(("eps", "wanted"), [(1e-15, 1.0), (1e3, LOUDER)])
def test_epsilon_is_the_ratio_of_first_steps(eps, wanted):
    numbers = found(Network, lambda m: torch.optim.Adam(m.parameters(), lr=0.01, eps=eps))
    assert numbers["second.weight", "epsilon"] == pytest.approx(wanted, rel=1e-3)


def test_sgd_has_no_epsilon_and_without_decay_there_is_none():
    assert {q for _, q in found(Network, sgd)} == {
        "update", "initial", "initial_bias", "initial_output", "rate",
    }  # fmt: skip


@pytest.mark.parametrize(("power", "wanted"), [(0.0, -1.0), (1.0, 0.0)])
def test_decay_is_the_share_that_a_step_without_gradient_takes(power, wanted):
    def optimizer(module):
        n = module.second.weight.shape[0]
        decay = 0.1 * (n / 32) ** power
        return torch.optim.AdamW(module.parameters(), lr=2.0**-6 * 32 / n, weight_decay=decay)

    numbers = found(Network, optimizer)
    assert numbers["second.weight", "decay"] == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize(
    ("power", "declared", "wanted"),
    [(0, None, -1), (1, None, 0), (0, "independent", 0), (1, "coupled", -1)],
)
def test_decay_wants_the_nearer_or_the_declared_of_two_choices(power, declared, wanted):
    def optimizer(module):
        n = module.second.weight.shape[0]
        decay = 0.1 * (n / 32) ** power
        return torch.optim.AdamW(module.parameters(), lr=2.0**-6 * 32 / n, weight_decay=decay)

    of = trial(Network, optimizer)._replace(decay=declared)
    found = [c for c in coordinates(of, WIDTHS[:3]) if c.quantity == "decay"]
    assert {round(c.wanted) for c in found} == {wanted}


class Attention(nn.Module):
    """One head over all units, as torch's functions and modules compute it."""

    def __init__(self, n, how):
        super().__init__()
        self.first, self.q, self.k = nn.Linear(10, n), nn.Linear(n, n), nn.Linear(n, n)
        self.how, self.out = how, nn.Linear(n, 3)
        self.module = nn.MultiheadAttention(n, 4, batch_first=True) if how == "module" else None

    def forward(self, x):
        h = torch.relu(self.first(x))[None]
        if self.how == "module":
            h = self.module(h, h, h, need_weights=False)[0]
        elif self.how == "fused":
            scale = 1 / h.shape[-1]
            h = functional.scaled_dot_product_attention(self.q(h), self.k(h), h, scale=scale)
        else:
            logits = self.q(h) @ self.k(h).transpose(1, 2) / h.shape[-1] ** 0.5
            future = torch.full((len(x), len(x)), -math.inf).triu(1)
            h = (logits + future).softmax(-1) @ h
        return self.out(h[0])


@pytest.mark.parametrize(("how", "wanted"), [("fused", -0.5), ("plain", 0.0), ("module", 0.0)])
def test_attention_logits_are_seen_however_they_are_computed(how, wanted):
    numbers = found(lambda n: Attention(n, how), adam)
    assert numbers["", "attention"] == pytest.approx(wanted, abs=0.15)


def test_modules_that_read_their_matrices_themselves_have_a_gain_at_the_start():
    """torch's attention calls neither of its projections."""
    numbers = found(lambda n: Attention(n, "module"), adam)
    for name in ("module.in_proj_weight", "module.out_proj.weight"):
        assert numbers[name, "initial"] == pytest.approx(0.0, abs=0.05)


def test_a_place_that_is_added_before_a_normalization_is_no_readout():
    class Placed(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.first, self.place = nn.Linear(10, n), nn.Parameter(torch.randn(16, n))
            self.norm, self.out = nn.LayerNorm(n), nn.Linear(n, 3)

        def forward(self, x):
            return self.out(self.norm(self.first(x) + self.place))

    assert roles(Placed)["place"] == "input"


def test_a_tensor_without_effect_is_told_and_has_no_other_number():
    """Softmax does not see a shift of all keys."""
    numbers = found(lambda n: Attention(n, "plain"), adam)
    assert {q for tensor, q in numbers if tensor == "k.bias"} == {"rounding"}
    assert {tensor for tensor, q in numbers if q == "rounding"} == {"k.bias"}


def test_a_tied_readout_has_outputs_of_its_own_kind_and_a_zero_one_none():
    class Tied(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.token = nn.Embedding(3, n)

        def forward(self, tokens):
            return functional.linear(torch.tanh(self.token(tokens)), self.token.weight)

    tokens = torch.arange(3).repeat(4)
    numbers = found(Tied, adam, inputs=tokens)
    assert numbers["", "initial_tied"] == pytest.approx(1.0, abs=0.1)

    def zero(n):
        module = Network(n)
        nn.init.zeros_(module.out.weight)
        return module

    assert not any(q.startswith("initial_") and t == "out.weight" for t, q in found(zero, adam))


def test_dropout_is_no_rounding():
    def model(n):
        layers = nn.Linear(10, n), nn.ReLU(), nn.Dropout(0.5), nn.Linear(n, n), nn.ReLU()
        return nn.Sequential(*layers, nn.Linear(n, 3))

    assert not any(quantity == "rounding" for _, quantity in found(model, adam))


def test_models_that_ignore_width_or_change_their_tensors_are_refused():
    with pytest.raises(WidthError, match="ignores width: the same shapes at 32 and 256"):
        found(lambda n: Network(8), sgd)
    with pytest.raises(WidthError, match=r"has other tensors at other widths: 2\.bias"):
        found(lambda n: nn.Sequential(nn.Linear(10, n), nn.ReLU(), nn.Linear(n, 3, n > 32)), sgd)
    with pytest.raises(ValueError, match="want one of rates, weights, epsilon or ''"):
        found(Network, sgd, control="batches")


def test_the_network_is_left_as_training_left_it():
    """Replacing tensors to see their effects must not change what follows."""
    seen = []

    def optimizer(module):
        seen.append(module)
        return sgd(module)

    list(coordinates(trial(Network, optimizer), WIDTHS[:3]))
    module = Network(32)
    torch.manual_seed(0)
    twin = Network(32)
    del module
    of = trial(Network, sgd)
    steps = sgd(twin)
    for _ in range(3):
        steps.zero_grad()
        of.loss(twin(of.inputs), of.targets).backward()
        steps.step()
    for left, wanted in zip(seen[0].parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(left, wanted)
