"""Scaling rules: the papers' tables, exact equivalences, and runs that must not see them."""

import ast
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widenets.ntk import parameterization as module
from widenets.ntk.parameterization import (
    OPTIMIZERS,
    ROLES,
    Exponents,
    attention_scale,
    equivalent,
    feature_exponent,
    first_step_exponents,
    initial_std,
    maximal_update,
    maximal_update_table,
    mean_field,
    multiplier_free,
    ntk,
    optimal_rate_exponent,
    parameterization,
    regime,
    scales,
    shift,
    standard,
)

NAMES = ("standard", "standard_over_n", "ntk", "maximal_update")
RATIO = 16.0  # width over base width: every power below is exact in binary


def test_module_needs_no_framework():
    nodes = list(ast.walk(ast.parse(Path(module.__file__).read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    of = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert plain | of <= {"math", "dataclasses", "typing"}


# Rows: std in units of 1/sqrt(fan_in), then learning rates, both for (input, hidden, output), as
# powers of width / base width (Table 3 of arXiv:2203.03466 and its standard and NTK counterparts).
FREE_TABLE = [
    ("standard", "sgd", (0, 0, 0), (0, 0, 0)),
    ("standard", "adam", (0, 0, 0), (0, 0, 0)),
    ("standard_over_n", "sgd", (0, 0, 0), (-1, -1, -1)),
    ("ntk", "sgd", (0, 0, 0), (0, -1, -1)),
    ("ntk", "adam", (0, 0, 0), (0, -0.5, -0.5)),
    ("maximal_update", "sgd", (0, 0, -0.5), (1, 0, -1)),
    ("maximal_update", "adam", (0, 0, -0.5), (0, -1, -1)),
]


@pytest.mark.parametrize("name, optimizer, std_powers, rate_powers", FREE_TABLE)
def test_multiplier_free_table(name, optimizer, std_powers, rate_powers):
    rule = multiplier_free(parameterization(name, optimizer))
    base_width, width = 64, int(64 * RATIO)
    for role, std_power, rate_power in zip(ROLES, std_powers, rate_powers, strict=True):
        fan_in = 10 if role == "input" else width
        std = initial_std(rule, role, fan_in, width, base_width)
        assert std * np.sqrt(fan_in) == pytest.approx(RATIO**std_power, rel=1e-14)
        assert scales(rule, role, width, base_width).learning_rate == RATIO**rate_power
        assert scales(rule, role, width, base_width).multiplier == 1.0


@pytest.mark.parametrize("name, optimizer", itertools.product(NAMES, OPTIMIZERS))
def test_all_rules_agree_at_base_width(name, optimizer):
    rule = parameterization(name, optimizer)
    for role in (*ROLES, "scalar"):
        assert scales(rule, role, 128, 128) == (1.0, 1.0, 1.0)
        assert initial_std(rule, role, 100, 128, 128) == 0.1
    assert attention_scale(rule, 16, 16) == 0.25


# Tensor Programs IV, its own exponents: r and the side of the Dynamical Dichotomy.
DICHOTOMY = [
    (standard("sgd"), 2, -1.0, "unstable"),
    (standard("sgd", learning_rate_exponent=1.0), 2, 0.5, "kernel"),
    (standard("sgd", learning_rate_exponent=2.0), 2, 1.5, "trivial"),
    (ntk("sgd"), 2, 0.5, "kernel"),
    (maximal_update("sgd"), 2, 0.0, "feature_learning"),
    (mean_field(), 1, 0.0, "feature_learning"),
    (mean_field(), 2, 0.0, "degenerate"),
    (standard("adam"), 2, -1.0, "unstable"),
    (ntk("adam"), 2, -0.5, "unstable"),
    (maximal_update("adam"), 2, 0.0, "feature_learning"),
]


@pytest.mark.parametrize("rule, depth, r, name", DICHOTOMY)
def test_dynamical_dichotomy(rule, depth, r, name):
    assert feature_exponent(rule, depth=depth) == r
    assert regime(rule, depth=depth) == name


def test_tensor_programs_iv_writes_mup_with_one_rate():
    rows = Exponents(-0.5, 0.5, 0.0), Exponents(0.0, 0.5, 0.0), Exponents(0.5, 0.5, 0.0)
    table = maximal_update_table(9, "sgd")
    assert (table.input, table.hidden, table.output) == rows


FIRST_STEPS = [  # (input, hidden, output): card of the paper, derived from Tensor Programs IV
    ("maximal_update", "sgd", (0, 0, 0)),
    ("standard", "sgd", (-0.5, 0.5, 1)),
    ("standard_over_n", "sgd", (-1.5, -0.5, 0)),
    ("ntk", "sgd", (-0.5, -0.5, 0)),
    ("maximal_update", "adam", (0, 0, 0)),
    ("standard", "adam", (0, 1, 1.5)),
    ("standard_over_n", "adam", (-1, 0, 0.5)),
    ("ntk", "adam", (0, 0.5, 1)),
]


@pytest.mark.parametrize("name, optimizer, expected", FIRST_STEPS)
def test_first_step_exponents(name, optimizer, expected):
    rule = parameterization(name, optimizer)
    assert tuple(first_step_exponents(rule).values()) == expected
    assert optimal_rate_exponent(rule) == -expected[1]


# -- Lemma J.1 --------------------------------------------------------------------------------

eighths = st.integers(-16, 16).map(lambda i: i / 8)  # exact in binary, so == may be asked for
rules = st.builds(parameterization, st.sampled_from(NAMES), st.sampled_from(OPTIMIZERS))


@given(rules, st.sampled_from(ROLES), eighths, eighths)
def test_shifts_form_a_group_and_change_nothing(rule, role, theta, phi):
    moved = shift(rule, role, theta)
    assert shift(moved, role, phi) == shift(rule, role, theta + phi)
    assert shift(moved, role, -theta) == rule
    assert equivalent(rule, moved)
    assert multiplier_free(moved) == multiplier_free(rule)
    assert regime(moved) == regime(rule)
    assert feature_exponent(moved) == feature_exponent(rule)
    assert first_step_exponents(moved) == first_step_exponents(rule)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_distinct_rules_are_not_equivalent(optimizer):
    for left, right in itertools.combinations(NAMES, 2):
        assert not equivalent(
            parameterization(left, optimizer), parameterization(right, optimizer)
        ), (left, right)


def test_mean_field_is_mup_with_one_hidden_layer_only():
    assert equivalent(mean_field(), maximal_update("sgd"), depth=1)
    assert not equivalent(mean_field(), maximal_update("sgd"), depth=2)


def train(rule, *, width=24, base_width=3, steps=6, rate=0.1, momentum=0.9):
    """Outputs of a tanh network of two hidden layers trained under ``rule``; numpy, float64."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 5)), rng.standard_normal((8, 2))
    shapes = {"input": (5, width), "hidden": (width, width), "output": (width, 2)}
    s = {role: scales(rule, role, width, base_width) for role in shapes}
    w = {
        role: rng.standard_normal(shape) * initial_std(rule, role, shape[0], width, base_width)
        for role, shape in shapes.items()
    }
    first, second = ({role: np.zeros(shapes[role]) for role in shapes} for _ in range(2))
    for t in range(1, steps + 1):
        effective = {role: s[role].multiplier * w[role] for role in shapes}
        h = np.tanh(x @ effective["input"])
        k = np.tanh(h @ effective["hidden"])
        error = k @ effective["output"] - y
        back_k = error @ effective["output"].T * (1 - k**2)
        back_h = back_k @ effective["hidden"].T * (1 - h**2)
        gradients = {"input": x.T @ back_h, "hidden": h.T @ back_k, "output": k.T @ error}
        for role, gradient in gradients.items():
            gradient = s[role].multiplier * gradient / len(x)
            first[role] = momentum * first[role] + gradient
            second[role] = 0.99 * second[role] + 0.01 * gradient**2
            # epsilon = 0: with it Adam is scale free exactly, without it only nearly
            root = np.sqrt(second[role] / (1 - 0.99**t)) if rule.optimizer == "adam" else 1.0
            w[role] -= rate * s[role].learning_rate * first[role] / root
    return error + y


@pytest.mark.parametrize("name, optimizer", itertools.product(NAMES, OPTIMIZERS))
def test_shifted_rules_train_the_same_function(name, optimizer):
    rule = parameterization(name, optimizer)
    reference = train(rule)
    for role, theta in itertools.product(ROLES, (-0.5, 1.0)):
        np.testing.assert_allclose(train(shift(rule, role, theta)), reference, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_three_tables_of_mup_train_the_same_function(optimizer):
    reference = train(maximal_update(optimizer))
    for table in (3, 8, 9):
        outputs = train(maximal_update_table(table, optimizer))
        np.testing.assert_allclose(outputs, reference, rtol=1e-9, atol=1e-9)


def test_a_forgotten_factor_is_seen():
    rule = maximal_update("adam")
    wrong = replace(rule, hidden=rule.hidden._replace(c=0.0))
    assert np.abs(train(wrong) - train(rule)).max() > 0.1


def test_attention_logits_of_mup_carry_one_over_head_width():
    rule = maximal_update("adam")
    assert attention_scale(rule, 64, 16) == 0.25 / 4
    assert attention_scale(standard("adam"), 64, 16) == 0.125


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: parameterization("mup", "sgd"), "parameterization 'mup'"),
        (lambda: parameterization("mean_field", "adam"), "mean_field with sgd"),
        (lambda: standard("adagrad"), "optimizer 'adagrad'"),
        (lambda: scales(ntk("sgd"), "read-out", 8), "role 'read-out'"),
        (lambda: scales(ntk("sgd"), "hidden", 0), "width 0"),
        (lambda: maximal_update_table(7, "sgd"), "table 7"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
