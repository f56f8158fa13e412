"""Naming of mistakes from tables of exponents, the estimator behind P1 to P5, real mistakes."""

import pandas as pd
import pytest

from replications.your_network.asked_diagnosis import DIVERGED
from replications.your_network.asked_scaling import ASKED_SCALING
from replications.your_network.exponents import QUANTITIES, farthest, off, tensors
from replications.your_network.known_scaling import (
    MISTAKES,
    OPTIMIZER_MISTAKES,
    named_rightly,
)
from replications.your_network.naming import (
    kernel_sentences,
    parameterization,
    sentences,
    summary,
)
from replications.your_network.scaling import (
    LOOKS,
    OCTAVES,
    kernel_rows,
    predicted,
    scaling_rows,
    transfer_rows,
    wrong_kernel_rows,
)
from widenets.evidence import Verdict, compare
from widenets.ntk.subject.contract import SubjectError, load

NOISE = (-0.03, 0.01, 0.0, 0.02)  # of four seeds
RIGHT = {
    ("first.weight", "update"): 0.0,
    ("second.weight", "update"): -0.1,
    ("out.weight", "update"): -0.1,
    ("first.weight", "initial"): 0.0,
    ("second.weight", "initial"): 0.0,
    ("out.weight", "initial_output"): -0.5,
    ("", "attention"): -0.5,
    ("second.weight", "epsilon"): 1.0,
    ("out.weight", "epsilon"): 1.0,
    ("second.weight", "decay"): 0.0,
}


ROLES = {"first.weight": "input", "second.weight": "hidden", "out.weight": "output"}


def table(changes=None, noise=NOISE, without=(), optimizer="Adam", kind="sign", wanted=None):
    """Part `scaling` of four seeds: the exponents of RIGHT with some changes; wanted: of decay."""
    numbers = {key: value for key, value in RIGHT.items() if key[1] not in without}
    numbers |= {(tensor, "rate"): -1.0 * (role == "hidden") for tensor, role in ROLES.items()}
    return pd.DataFrame(
        {"seed": seed, "tensor": tensor, "role": ROLES.get(tensor, ""), "quantity": quantity}
        | {"found": value + (quantity != "rate") * shift, "narrow": 1.0, "wide": 1.0}
        | {"wanted": wanted if quantity == "decay" else None}
        | {"optimizer": optimizer, "kind": kind}
        for (tensor, quantity), value in (numbers | (changes or {})).items()
        for seed, shift in enumerate(noise)
    )


def named(changes, **others):
    entries = parameterization(table(changes, **others))
    return {(entry["tensor"], entry["cause"]) for entry in entries}


def test_nothing_is_named_where_nothing_is_wrong():
    assert parameterization(table()) == []


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({("second.weight", "update"): 0.9}, {("second.weight", "learning rate")}),
        ({("out.weight", "update"): -1.1}, {("out.weight", "learning rate")}),
        ({("second.weight", "initial"): -0.5}, {("second.weight", "initial scale")}),
        ({("out.weight", "initial_output"): 0.0}, {("out.weight", "initial scale")}),
        (
            {("out.weight", "initial_output"): 0.5, ("out.weight", "update"): 0.8},
            {("out.weight", "multiplier")},
        ),
        (  # off the same way, but not by as much: two mistakes
            {("out.weight", "initial_output"): 0.0, ("out.weight", "update"): 1.0},
            {("out.weight", "learning rate"), ("out.weight", "initial scale")},
        ),
        (
            {("out.weight", "initial_output"): 0.5, ("out.weight", "update"): -1.0},
            {("out.weight", "learning rate"), ("out.weight", "initial scale")},
        ),
        ({("", "attention"): 0.0}, {("", "attention scale")}),
        ({("", "initial_tied"): 0.8}, {("", "multiplier")}),
        ({("second.weight", "decay"): -1.0}, {("second.weight", "weight decay")}),
        (  # the update says nothing then
            {("second.weight", "epsilon"): 3.0, ("second.weight", "update"): -0.8},
            {("second.weight", "eps")},
        ),
        (  # what comes after a tensor that starts wrong follows it
            {
                ("first.weight", "initial"): 1.0,
                ("", "attention"): 1.5,
                ("out.weight", "initial_output"): 0.5,
            },
            {("first.weight", "initial scale")},
        ),
    ],
)
def test_a_mistake_is_named_by_its_cause(changes, wanted):
    assert named(changes) == wanted


def test_under_sgd_a_multiplier_moves_the_update_twice_as_much():
    changes = {("out.weight", "initial_output"): 0.0, ("out.weight", "update"): 0.9}
    assert named(changes, optimizer="SGD", kind="parallel") == {("out.weight", "multiplier")}


def test_a_rate_is_told_from_the_scale_of_an_orthogonal_step():
    """Beside a rate without exponent the step's scale is wrong; Adam's 1/n on it is the rate's."""
    muon = {"optimizer": "Muon, scale original", "kind": "orthogonal"}
    token, matrix, head = (f"{name}.weight" for name in ("first", "second", "out"))
    assert named({(matrix, "update"): -1.0}, **muon) == {(matrix, "learning rate")}
    assert named({(matrix, "update"): -0.5}, **muon) == {(matrix, "learning rate")}
    grown = {(matrix, "rate"): 0.0, (matrix, "update"): 0.5}
    assert named(grown, **muon) == {(matrix, "optimizer scale")}
    for tensor, power in ((token, -0.5), (head, 0.5), (head, -0.5)):
        assert named({(tensor, "update"): power}, **muon) >= {(tensor, "optimizer scale")}
    twice = {(token, "rate"): -1.0, (token, "update"): -1.0}
    assert (token, "learning rate") in named(twice, **muon)
    assert (token, "optimizer scale") in named({**twice, (token, "update"): -1.5}, **muon)


def test_an_orthogonal_step_is_judged_more_sharply():
    changes = {("first.weight", "update"): -0.2, ("out.weight", "update"): 0.0}
    changes |= {("second.weight", "update"): 0.0}
    assert named(changes) == set()
    muon = {"optimizer": "Muon, scale original", "kind": "orthogonal"}
    assert named(changes, **muon) == {("first.weight", "optimizer scale")}


def test_a_scale_that_is_turned_over_is_named():
    muon = {"optimizer": "Spectral", "kind": "orthogonal", "without": ("update",)}
    assert named({("second.weight", "shape"): 0.0}, **muon) == set()
    rows = table({("second.weight", "shape"): -0.5}, **muon)
    (entry,) = parameterization(rows)
    assert (entry["cause"], entry["wanted"]) == ("optimizer scale", 0.5)
    assert sentences([entry], rows) == [
        "second.weight: optimizer scale falls with out/in (power -0.50, wants +0.5): the step of "
        "Spectral wants a factor sqrt(out/in), it seems to have sqrt(in/out)"
    ]


@pytest.mark.parametrize(
    ("found", "wanted", "said"),
    [
        (0.0, 0.0, ""),
        (-1.0, -1.0, ""),
        (-2.0, -1.0, "scaled twice: the share that it takes has the rate's factor twice"),
        (1.0, 0.0, "scaled twice: the share that it takes is divided by it twice"),
        (-1.0, 0.0, "it is coupled and the file says independent: divide it by the factor"),
        (0.0, -1.0, "it is independent and the file says coupled: do not divide it by the"),
        (0.5, 0.0, "the rate goes as n^-1: independent decay has +0, coupled -1"),
    ],
)
def test_decay_may_be_either_and_is_named_where_it_is_neither_or_declared(found, wanted, said):
    rows = table({("second.weight", "decay"): found}, wanted=wanted)
    entries = parameterization(rows)
    assert [entry["cause"] for entry in entries] == ["weight decay"] * bool(said)
    assert all(entry["wanted"] == wanted for entry in entries)
    told = " ".join(sentences(entries, rows))
    assert said in told
    choice = {0.0: "independent of the rate", -1.0: "coupled to it"}[wanted]
    decays = [] if said else [f"Weight decay: {choice} in 1 tensors."]
    assert summary(entries, rows)[1:] == decays


def test_exponents_that_are_not_decided_are_not_named():
    assert named({("second.weight", "update"): 0.5}, noise=(-0.4, 0.5, 0.3, -0.4)) == set()


def test_tensors_are_named_with_the_intervals_of_all_at_once():
    """An interval of one tensor alone lies outside; of forty at once, four seeds decide nothing."""
    rows = table({(f"t{k}", "update"): 0.0 for k in range(40)} | {("t7", "update"): 0.45})
    shifted = rows["tensor"] == "t7"
    rows.loc[shifted, "found"] += rows[shifted]["seed"].map({0: -0.04, 1: 0.04, 2: -0.02, 3: 0.02})
    found = tensors(rows, "update").loc["t7"]
    assert found["low"] > QUANTITIES["update"].region.high > found["sure_low"]
    assert parameterization(rows) == []


def test_entries_hold_what_the_contract_promises():
    (entry,) = parameterization(table({("", "attention"): 0.0}))
    assert entry == {
        "tensor": "",
        "quantity": "attention",
        "found": 0.0,
        "wanted": -0.5,
        "axis": "width",
        "cause": "attention scale",
    }


def test_sentences_join_tensors_of_one_fault_and_tell_of_silent_ones():
    changes = {("first.weight", "update"): -1.0, ("out.weight", "update"): -1.1}
    rows = table({**changes, ("out.weight", "rate"): -1.0})
    silent = {"seed": 0, "tensor": "k.bias", "quantity": "rounding", "found": 1.2}
    rows = pd.concat([rows, pd.DataFrame([silent])])
    assert sentences(parameterization(rows), rows) == [
        "first.weight: learning rate falls too fast with width, by n^1.0 (update -1.00, wants +0): "
        "under Adam its rate goes as n^+0 and wants n^+1: scale it",
        "out.weight: learning rate falls too fast with width, by n^1.1 (update -1.10, wants +0): "
        "under Adam its rate goes as n^-1 and wants n^+0; something else falls with width already: "
        "drop the factor",
        "k.bias: has no effect on the loss",
    ]


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_estimator_passes_right_tensors_and_fails_for_one_that_is_off(quantity):
    region, wanted = QUANTITIES[quantity].region, QUANTITIES[quantity].wanted
    right = {(f"t{k}", quantity): wanted for k in range(30)}
    estimate = farthest(quantity)(table(right))
    assert compare(estimate, region)[0] == Verdict.PASS
    beyond = region.low - 1 if quantity == "shape" else region.high + 1
    estimate = farthest(quantity)(table({**right, ("t7", quantity): beyond}))
    assert compare(estimate, region)[0] == Verdict.FAIL
    assert estimate.note.endswith(": t7")
    wrong = -9.0 if quantity == "shape" else 9.0
    found = tensors(table({**right, ("t7", quantity): wrong}), quantity)
    assert list(off(found, QUANTITIES[quantity]).index) == ["t7"]


def test_the_estimator_tells_why_there_is_nothing():
    estimate = farthest("attention")(table(without=("attention",)))
    assert estimate.note == "no softmax of attention is seen"
    one = table()
    assert farthest("update")(one[one["seed"] == 0]).note == "a single seed has no interval"


def test_a_tensor_that_a_seed_lacks_is_left_out():
    rows = table()
    rows = rows[~((rows["seed"] == 2) & (rows["tensor"] == "first.weight"))]
    assert "first.weight" not in tensors(rows, "update").index


def test_asked_claims_have_no_expectation_and_their_controls_are_arms():
    assert {claim.expected for claim in ASKED_SCALING} == {"asked"}
    controls = {"rates", "weights", "epsilon", "scaled", "branches"}
    assert {claim.control for claim in ASKED_SCALING} == controls


@pytest.mark.parametrize("variant", ["readout_multiplier", "one_rate", "attention", "base_width"])
def test_mistakes_of_the_built_in_transformer_are_named(variant):
    """All fifteen, and thirty right ones: `python -m workflow.trust.conformance mup`."""
    mistake = next(mistake for mistake in MISTAKES if mistake.variant == variant)
    rows = pd.DataFrame(scaling_rows("theory", f"mup_transformer:{variant}", (100, 101, 102, 103)))
    assert named_rightly(mistake, parameterization(rows))


def test_the_right_transformer_has_no_mistake():
    rows = pd.DataFrame(scaling_rows("theory", "mup_transformer", (100, 101, 102, 103)))
    assert parameterization(rows) == []
    assert sentences([], rows) == [
        "block1.k.bias: has no effect on the loss",
        "block2.k.bias: has no effect on the loss",
    ]


@pytest.mark.parametrize("variant", ["embedding", "adam_rate", "transposed", "decay_twice"])
def test_mistakes_of_optimizers_are_named(variant):
    """All ten, and thirty-two right ones: `python -m workflow.trust.conformance optimizers`."""
    mistake = next(mistake for mistake in OPTIMIZER_MISTAKES if mistake.variant == variant)
    rows = pd.DataFrame(scaling_rows("theory", f"muon_transformer:{variant}", range(100, 104)))
    assert named_rightly(mistake, parameterization(rows))


@pytest.mark.parametrize("variant", ["matched", "own", "coupled"])
def test_right_optimizers_have_no_mistake(variant):
    rows = pd.DataFrame(scaling_rows("theory", f"muon_transformer:{variant}", range(100, 104)))
    assert parameterization(rows) == []
    assert {name.partition(",")[0] for name in rows["optimizer"]} >= {
        "matched": {"Muon"}, "own": {"Spectral", "AdamW"}, "coupled": {"Muon", "AdamW"},
    }[variant]  # fmt: skip


def test_a_readers_model_that_ignores_width_is_told_by_its_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import torch\n"
        "from torch import nn\n"
        "widths = (8, 16, 32)\n"
        "loss = nn.functional.mse_loss\n"
        "def model(width=8): return nn.Linear(3, 1)\n"
        "def optimizer(model): return torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "def data(seed):\n"
        "    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(seed))\n"
        "    return (x[:10], x[:10, :1]), (x[10:], x[10:, :1])\n",
        encoding="utf-8",
    )
    with pytest.raises(SubjectError, match=r"^mine\.py: model\(width\) ignores width"):
        list(scaling_rows("theory", str(path), (0,)))


def test_faults_of_kernels_are_those_of_the_library():
    rows = list(wrong_kernel_rows("first_layer_not_trained", "relu_kernel", (0, 1)))
    assert [row["named"] for row in rows] == [1, 1]
    assert wrong_kernel_rows("right", "relu_kernel", (0,)).__next__()["named"] == 0


def test_kernel_sentences_tell_entry_and_fault():
    rows = pd.DataFrame(kernel_rows("theory", "relu_kernel:first_layer_not_trained", (0,)))
    entry, fault = kernel_sentences(rows)
    assert entry.startswith("kernel: ntk is off by ")
    assert "(cross, self, diagonal; in " in entry
    assert fault == "kernel: the first layer is left out of the tangent kernel"
    assert kernel_sentences(pd.DataFrame(kernel_rows("theory", "relu_kernel", (0,)))) == []


SMALL = """
import torch
from torch import nn

widths = 8, 16, 32

def model(width=8):
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1))

def data(seed):
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(seed))
    y = x[:, :1] * x[:, 1:2]
    return (x[:32], y[:32]), (x[32:], y[32:])

loss = nn.functional.mse_loss

def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)
"""


def test_rates_are_tried_at_every_width(tmp_path):
    """The control's rates are n/n0 times the network's: the same training, an octave further."""
    path = tmp_path / "small.py"
    path.write_text(SMALL)
    theory, rates = (
        pd.DataFrame(transfer_rows(arm, str(path), (0, 1))).set_index(
            ["seed", "width", "log2_rate", "share"]
        )["loss"]
        for arm in ("theory", "rates")
    )
    theory, rates = theory.sort_index(), rates.sort_index()
    assert len(theory) == 2 * 3 * len(OCTAVES) * LOOKS
    assert theory.between(0, DIVERGED).all()
    assert theory.index.get_level_values("share").min() > 0.5
    pd.testing.assert_series_equal(theory.xs(8, level="width"), rates.xs(8, level="width"))
    for seed in (0, 1):
        one, other = theory[seed, 16, 1], rates[seed, 16, 0]
        pd.testing.assert_series_equal(one, other, check_names=False)
    assert theory[0, 16, -6].iloc[-1] > theory[0, 16, 0].iloc[-1]


def test_what_it_will_cost_is_predicted(tmp_path):
    path = tmp_path / "small.py"
    path.write_text(SMALL)
    cost = predicted(load(str(path)), (0, 1), 2)
    assert (cost.trainings, cost.steps) == (len(OCTAVES) * 3 * 2 * 2, 40)
    assert 0 < (cost + cost).seconds == 2 * cost.seconds < 60
