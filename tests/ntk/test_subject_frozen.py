"""The frozen arm: its forms check one another, and the training is the reader's own."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

from widenets.ntk.dynamics import linearized_outputs, squared_error
from widenets.ntk.empirical.torch import empirical_ntk
from widenets.ntk.subject.arms import RIDGES, Stand, kernel_solution, own_rates
from widenets.ntk.subject.contract import Subject
from widenets.ntk.subject.frozen import (
    DIAL,
    LAZY_NETWORK,
    NETWORK,
    TANGENT,
    Form,
    Run,
    Single,
    Span,
    Stack,
    recorded,
    trained,
)
from widenets.ntk.subject.problem import problem

STEPS = 30
RECORD = [0, 1, 10, STEPS]


def net(width=16):
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1))


def data(seed):
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(seed))
    y = x[:, :1] * x[:, 1:2] + x[:, 2:3]
    return (x[:20], y[:20]), (x[20:], y[20:])


def sgd(module):
    return torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)


def adam(module):
    return torch.optim.Adam(module.parameters(), lr=0.01)


def adamw(module):
    return torch.optim.AdamW(module.parameters(), lr=0.01, weight_decay=0.3)


def decayed(module):
    return torch.optim.SGD(module.parameters(), lr=0.05, weight_decay=0.1)


def subject(model=net, optimizer=sgd, **others):
    given = {"loss": nn.functional.mse_loss, "data": data, "steps": STEPS, "batch": 10, **others}
    parts = ("diagnosis", "evolution")
    return Subject(
        "test", "Test", Path("test.py"), parts, model=model, optimizer=optimizer, **given
    )


def stand_of(seeds=(0, 1), **given):
    of = subject(**given)
    return Stand(of, tuple(problem(of, seed) for seed in seeds))


def curves(of, form, **how):
    return of.curves(form, [Run(p) for p in of.problems], STEPS, RECORD, **how)


def largest(one, other):
    return float(np.abs(one.loss - other.loss).max())


def test_the_network_is_a_plain_training_loop():
    """alpha = 1 against the loop that everyone writes."""
    of = subject(optimizer=adamw, schedule=lambda step: 1 / (1 + step))
    one = problem(of, 3)
    module, batches = one.network(), one.batches()
    optimizer, losses = adamw(module), []
    for step in range(STEPS + 1):
        if step in RECORD:
            with torch.no_grad():
                outputs = module(one.inputs[one.of("test")])
            losses.append(float(of.loss(outputs, one.targets[one.of("test")])))
        for group in optimizer.param_groups:
            group["lr"] = 0.01 / (1 + step)
        points = torch.as_tensor(next(batches))
        optimizer.zero_grad()
        of.loss(module(one.inputs[points]), one.targets[points]).backward()
        optimizer.step()
    for machine in (Single(NETWORK, Run(one)), Stack(NETWORK, [Run(one)])):
        found = trained(machine, STEPS, RECORD)
        np.testing.assert_allclose(found.loss[0, :, 2], losses, rtol=1e-5)


@pytest.mark.parametrize("optimizer", [sgd, adam, adamw, decayed])
def test_the_dial_tends_to_the_tangent_as_one_over_alpha(optimizer):
    """Weight decay and Adam's moments included: the dial is turned in f_lin's own parameters."""
    of = stand_of(optimizer=optimizer)
    tangent = curves(of, TANGENT)
    far = [largest(curves(of, Form(alpha)), tangent) for alpha in (10.0, 100.0)]
    assert 5 < far[0] / far[1] < 20
    assert largest(curves(of, DIAL), tangent) < 3e-3
    assert largest(curves(of, NETWORK), tangent) > 3 * far[0]


def test_the_span_is_the_tangent():
    of = stand_of()
    assert of.form is None
    assert largest(curves(of, None), curves(of, TANGENT)) < 1e-5


def test_the_span_is_gradient_descent_on_f_lin_in_jax():
    """Full batches and momentum, against `linearized_outputs`."""
    of = stand_of(batch=20)
    runs = [Run(p) for p in of.problems]
    found = trained(Span(runs, of.tangents), STEPS, RECORD)
    for index, one in enumerate(of.problems):
        kernel, start = of.tangents[one.seed]
        path = linearized_outputs(
            jnp.asarray(kernel.numpy(), jnp.float32),
            jnp.asarray(start.numpy()),
            jnp.asarray(one.targets[one.of("train")].numpy()),
            loss=squared_error("mean"),
            learning_rate=0.1,  # their loss has the factor 1/2
            momentum=0.9,
            record=RECORD,
        )
        outputs = np.asarray(path.observed)[:, one.of("test")]
        wanted = ((outputs - one.targets[one.of("test")].numpy()) ** 2).mean(axis=(1, 2))
        np.testing.assert_allclose(found.loss[index, :, 2], wanted, rtol=1e-4)


@pytest.mark.parametrize("form", [NETWORK, TANGENT, LAZY_NETWORK])
def test_stacked_runs_are_single_runs(form):
    of = stand_of(optimizer=adam)
    runs = [Run(p, factor) for factor in (1.0, 0.5) for p in of.problems]
    stacked = trained(Stack(form, runs), STEPS, RECORD)
    for index, run in enumerate(runs):
        single = trained(Single(form, run), STEPS, RECORD)
        np.testing.assert_allclose(stacked.loss[index], single.loss[0], rtol=2e-3)


def test_a_factor_is_a_factor_of_the_learning_rate():
    def slower(module):
        return torch.optim.AdamW(module.parameters(), lr=0.0025, weight_decay=0.3)

    fast, slow = stand_of(optimizer=adamw), stand_of(optimizer=slower)
    found = fast.curves(NETWORK, [Run(p, 0.25) for p in fast.problems], STEPS, RECORD)
    assert largest(found, curves(slow, NETWORK)) < 1e-5


def test_dropout_has_the_same_mask_in_both_calls():
    """With other masks f(near) - f_0, times alpha, would be hundreds."""

    def model():
        return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, 1))

    of = stand_of(model=model)
    assert not of.stackable
    assert largest(curves(of, DIAL), curves(of, TANGENT)) < 1e-2


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(1, 24), nn.Linear(8, 1)

    def forward(self, x):
        q, k, v = self.qkv(x[..., None])[:, None].chunk(3, dim=-1)
        return self.out(nn.functional.scaled_dot_product_attention(q, k, v)[:, 0].mean(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 1)

    def forward(self, x):
        return self.out(self.lstm(x[..., None])[0][:, -1])


def normalized():
    # No bias before the normalisation: its gradient is rounding, of which Adam makes whole steps.
    first = nn.Linear(4, 16, bias=False)
    return nn.Sequential(first, nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))


@pytest.mark.parametrize("model", [Attention, Recurrent, normalized])
def test_the_dial_takes_what_forward_mode_does_not(model):
    of = stand_of(model=model, optimizer=adam)
    assert of.form == DIAL
    found = curves(of, of.form)
    assert np.isfinite(found.loss).all()
    far, near = (curves(of, Form(alpha)) for alpha in (3e2, 3e3))
    assert largest(far, near) < 0.02
    assert found.loss[:, -1, 0].mean() < found.loss[:, 0, 0].mean()


def test_the_form_is_the_span_for_plain_descent_alone():
    assert stand_of(optimizer=sgd).form is None
    assert stand_of(optimizer=adam).form == TANGENT
    assert stand_of(optimizer=decayed).form == TANGENT

    def two_rates(module):
        groups = [{"params": p, "lr": 0.01 * k} for k, p in enumerate(module.parameters(), 1)]
        return torch.optim.SGD(groups, lr=0.01)

    assert stand_of(optimizer=two_rates).form == TANGENT


def test_what_the_optimizer_does_not_hold_is_fixed_in_the_kernel():
    def last(module):
        return torch.optim.SGD(module[2].parameters(), lr=0.05)

    of = stand_of(optimizer=last)
    module = of.problems[0].network()
    with torch.no_grad():
        features = nn.functional.pad(module[:2](of.problems[0].inputs), (0, 1), value=1.0)
    wanted = features @ features[:20].T
    torch.testing.assert_close(of.tangents[0].kernel, wanted, rtol=1e-4, atol=1e-4)
    assert largest(curves(of, None), curves(of, NETWORK)) < 1e-5


def test_the_kernel_solution_is_ridge_regression():
    of = stand_of(seeds=(0,))
    one, (kernel, start) = of.problems[0], of.tangents[0]
    kernel, start, targets = (v.double().numpy() for v in (kernel, start, one.targets))
    train, errors = kernel[:20], []
    for keep in (0.0, 1.0):
        for ridge in RIDGES:
            unit = ridge * np.trace(train) / 20
            solved = np.linalg.solve(train + unit * np.eye(20), targets[:20] - keep * start[:20])
            error = (keep * start + kernel @ solved - targets) ** 2
            errors.append((error[one.of("validation")].mean(), error[one.of("test")].mean()))
    found = kernel_solution(one, of.tangents[0])
    np.testing.assert_allclose(found[:2], min(errors), rtol=1e-3)
    ridge = 1e-4 * np.trace(train) / 20 * np.eye(20)
    flow = start + kernel @ np.linalg.solve(train + ridge, targets[:20] - start[:20])
    end = ((flow - targets)[one.of("test")] ** 2).mean()
    assert found.end == pytest.approx(end, rel=1e-3)
    permuted = kernel_solution(one, of.tangents[0], permuted=True)
    assert permuted.test > found.test


def test_the_rate_is_bracketed_on_validation_data():
    def small(module):
        return torch.optim.SGD(module.parameters(), lr=1e-4)

    of = stand_of(optimizer=small, steps=100)
    rates = own_rates(of, 100, recorded(100))
    assert rates.bracketed
    assert rates.own == 1
    assert rates.tuned >= 64


def test_a_rate_that_is_too_large_for_frozen_features_is_found():
    def large(module):
        return torch.optim.SGD(module.parameters(), lr=20.0)

    of = stand_of(optimizer=large, steps=60)
    rates = own_rates(of, 60, recorded(60))
    assert rates.bracketed
    assert rates.own <= 1 / 4
    assert rates.tuned <= 1 / 4


def test_hybrids_start_from_the_parameters_they_are_given():
    of = stand_of(optimizer=adam)
    kept = curves(of, NETWORK, keep=[0, 10]).kept
    same = of.curves(TANGENT, [Run(p) for p in of.problems], STEPS, RECORD, starts=kept[0])
    assert largest(same, curves(of, TANGENT)) < 1e-6
    later = of.curves(
        TANGENT, [Run(p) for p in of.problems], STEPS, [10, STEPS], starts=kept[10], first=10
    )
    there = curves(of, NETWORK).loss[:, RECORD.index(10)]
    np.testing.assert_allclose(later.loss[:, 0], there, rtol=1e-5)


def test_no_kernel_says_why():
    assert stand_of().no_kernel == ""
    assert "batch normalization" in stand_of(model=normalized).no_kernel
    assert "squared error" in stand_of(loss=nn.functional.l1_loss).no_kernel
    assert stand_of(loss=lambda f, y: 3 * nn.functional.mse_loss(f, y)).no_kernel == ""


def test_units_are_those_of_the_best_constant():
    one = problem(subject(), 0)
    targets = one.targets[one.of("test")]
    assert one.unit_of_loss == pytest.approx(float(targets.var(correction=0)), rel=1e-4)

    def classes(seed):
        x = torch.randn(90, 4, generator=torch.Generator().manual_seed(seed))
        y = torch.arange(90) % 3
        return (x[:30], y[:30]), (x[30:], y[30:])

    of = subject(model=lambda: nn.Linear(4, 3), data=classes, loss=nn.functional.cross_entropy)
    one = problem(of, 0)
    assert one.unit_of_loss == pytest.approx(np.log(3), rel=1e-3)
    assert one.unit_of_score == pytest.approx(2 / 3)


def test_the_trace_kernel_of_several_outputs():
    def classes(seed):
        (x, y), (held, z) = data(seed)
        return (x, (y[:, 0] > 0).long()), (held, (z[:, 0] > 0).long())

    of = stand_of(
        model=lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)),
        data=classes, loss=nn.functional.cross_entropy, seeds=(0,),
    )  # fmt: skip
    one = of.problems[0]
    wanted = empirical_ntk(one.network(), one.inputs, one.inputs[:20])
    torch.testing.assert_close(of.tangents[0].kernel, wanted)
    assert 0 <= kernel_solution(one, of.tangents[0]).test <= 1
