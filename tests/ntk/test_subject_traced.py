"""A jax subject is the torch subject with the same weights, data and batches."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

from widenets.ntk.subject.contract import Subject, SubjectError
from widenets.ntk.subject.cost import predicted
from widenets.ntk.subject.examination import examined
from widenets.ntk.subject.frozen import LAZY_NETWORK, NETWORK, TANGENT, Run
from widenets.ntk.subject.stands import stand_of

STEPS = 30
RECORD = [0, 1, 10, STEPS]


def data(seed):
    x = np.random.default_rng(seed).standard_normal((60, 4)).astype(np.float32)
    y = x[:, :1] * x[:, 1:2] + x[:, 2:3]
    return (x[:20], y[:20]), (x[20:], y[20:])


def model(width=16):
    def init(key):
        one, other = jax.random.split(key)
        return {
            "0.weight": jax.random.normal(one, (width, 4)) / 2,
            "0.bias": jnp.zeros(width),
            "2.weight": jax.random.normal(other, (1, width)) / 4,
            "2.bias": jnp.zeros(1),
        }

    def apply(params, x):
        hidden = jnp.tanh(x @ params["0.weight"].T + params["0.bias"])
        return hidden @ params["2.weight"].T + params["2.bias"]

    return init, apply


def optimizer(model, rate=0.05, momentum=0.9, decay=0.02):
    def init(params):
        return jax.tree.map(jnp.zeros_like, params)

    def update(gradients, state, params):
        decayed = jax.tree.map(lambda g, p: g + decay * p, gradients, params)
        state = jax.tree.map(lambda u, g: momentum * u + g, state, decayed)
        return jax.tree.map(lambda u: -rate * u, state), state

    return init, update


def loss(outputs, targets):
    return jnp.mean((outputs - targets) ** 2)


def subject(**changes):
    given = {
        "model": model, "data": data, "loss": loss, "optimizer": optimizer, "steps": STEPS,
        "batch": 10, "schedule": lambda step: 1 / (1 + 0.1 * step),
    }  # fmt: skip
    named = ("test", "Test", Path("test.py"), ("diagnosis", "evolution"))
    return Subject(*named, **{**given, **changes})


def in_torch():
    return subject(
        model=lambda: nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1)),
        loss=nn.functional.mse_loss,
        optimizer=lambda module: torch.optim.SGD(
            module.parameters(), lr=0.05, momentum=0.9, weight_decay=0.02
        ),
    )


@pytest.mark.parametrize("form", [NETWORK, TANGENT, LAZY_NETWORK])
def test_curves_are_those_of_torch(form):
    traced, plain = stand_of(subject(), (0, 1)), stand_of(in_torch(), (0, 1))
    drawn = [of.network() for of in traced.problems]
    starts = {
        traced: [{f"['{name}']": p for name, p in params.items()} for params in drawn],
        plain: [{n: torch.tensor(np.array(p)) for n, p in params.items()} for params in drawn],
    }
    found, wanted = (
        stand.curves(
            form,
            [Run(p, factor, factor < 1) for factor in (1.0, 0.5) for p in stand.problems],
            STEPS,
            RECORD,
            starts=2 * starts[stand],
        )
        for stand in (traced, plain)
    )
    np.testing.assert_allclose(found.loss, wanted.loss, rtol=3e-3)


def test_kernels_and_units_are_those_of_torch():
    traced, plain = stand_of(subject(), (0,)), stand_of(in_torch(), (0,))
    one, other = traced.problems[0], plain.problems[0]
    start = {name: torch.tensor(np.array(p)) for name, p in one.network().items()}
    points = slice(0, 20)
    wanted = plain.kernel_at(other, start, points)
    torch.testing.assert_close(traced.tangents[0].kernel[points], wanted, rtol=1e-4, atol=1e-4)
    assert one.unit_of_loss == pytest.approx(other.unit_of_loss, rel=1e-4)
    assert traced.no_kernel == plain.no_kernel == ""


def test_classes_have_the_entropy_of_their_labels():
    def classes(seed):
        x = np.random.default_rng(seed).standard_normal((90, 4)).astype(np.float32)
        y = np.arange(90) % 3
        return (x[:30], y[:30]), (x[30:], y[30:])

    def wide():
        def init(key):
            return jax.random.normal(key, (4, 3))

        return init, lambda params, x: x @ params

    def entropy(outputs, targets):
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(outputs), targets[:, None], axis=1))

    stand = stand_of(subject(model=wide, data=classes, loss=entropy), (0,))
    assert stand.problems[0].unit_of_loss == pytest.approx(np.log(3), rel=1e-3)
    assert stand.problems[0].unit_of_score == pytest.approx(2 / 3)


def test_the_cost_is_predicted():
    cost = predicted(stand_of(subject(), (0, 1)))
    assert 0 < cost.seconds < 60


FLAWS = {
    "widths: .* leave the name out for a network in jax": {"widths": (8, 16, 32)},
    "is the same for two seeds": {"data": lambda seed: data(0)},
    "must be a scalar, found the shape": {"loss": lambda f, y: (f - y) ** 2},
    "must be a mean over examples": {"loss": lambda f, y: jnp.sum((f - y) ** 2)},
    r"must return \(init, update\)": {"optimizer": lambda model: None},
    "the loss at the start is nan": {"loss": lambda f, y: jnp.mean(f - y) * jnp.nan},
    "same weights for two keys": {
        "model": lambda: (lambda key: jnp.ones((4, 1)), lambda params, x: x @ params)
    },
    r"apply\(\): TypeError": {
        "model": lambda: (lambda key: jax.random.normal(key, (5, 1)), lambda params, x: x @ params)
    },
}


@pytest.mark.parametrize("wanted", FLAWS)
def test_what_is_wrong_with_it_is_said(wanted):
    with pytest.raises(SubjectError, match=rf"^test\.py: .*{wanted}") as caught:
        stand_of(subject(**FLAWS[wanted]), (0, 1))
    assert "\n" not in str(caught.value)


def test_widths_alone_are_refused_as_well():
    """A file without steps, whose parameterization alone is asked for."""
    with pytest.raises(SubjectError, match="leave the name out for a network in jax"):
        examined(subject(widths=(8, 16, 32), steps=None, batch=None))
