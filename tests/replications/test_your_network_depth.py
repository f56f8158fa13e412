"""Naming of mistakes in depth: from tables made by hand, and of the built-in network."""

import pandas as pd
import pytest

from replications.your_network import naming
from replications.your_network.deep_naming import exponent, parameterization, sentences, summary
from replications.your_network.exponents import DEPTHS, farthest
from replications.your_network.known_scaling import DEEP_MISTAKES, deep_named_rightly
from replications.your_network.scaling import depth_rows, scaling_rows
from widenets.evidence import Verdict, compare
from widenets.ntk.subject.contract import SubjectError
from workflow.base.tree import ROOT

NOISE = (-0.03, 0.01, 0.0, 0.02)  # of four seeds
BLOCK, EMBEDDING = "blocks.*.up.weight", "first.weight"
RIGHT = {
    ("", "exponent"): -0.5,
    ("", "growth"): 0.0,
    ("", "movement"): 0.0,
    ("", "laziness"): -0.5,
    (BLOCK, "gain"): 0.0,
    (EMBEDDING, "gain"): 0.0,
    (BLOCK, "eps"): 0.0,
    (EMBEDDING, "eps"): 0.0,
}


def table(changes=None, wanted=None):
    numbers = RIGHT | (changes or {})
    return pd.DataFrame(
        {"seed": seed, "tensor": tensor, "role": {BLOCK: "block"}.get(tensor, "before")}
        | {"quantity": quantity, "found": value + shift * (quantity != "declared")}
        | {"narrow": 1.0, "wide": 1.0, "optimizer": "AdamW", "kind": ""}
        | {"wanted": wanted if quantity == "multiplier" else None}
        for (tensor, quantity), value in numbers.items()
        for seed, shift in enumerate(NOISE)
    )


def named(changes, **others):
    return {(e["tensor"], e["cause"]) for e in parameterization(table(changes, **others))}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, set()),
        ({("", "growth"): -0.5, ("", "exponent"): -1.0}, set()),
        ({(BLOCK, "gain"): 0.5, ("", "movement"): 0.5}, {(BLOCK, "learning rate")}),
        ({(EMBEDDING, "gain"): -0.5}, {(EMBEDDING, "learning rate")}),
        ({("", "movement"): 0.5}, {("", "learning rate")}),
        ({(BLOCK, "eps"): -0.5, (BLOCK, "gain"): -0.4}, {(BLOCK, "eps")}),
        ({("", "growth"): 0.25, ("", "exponent"): -0.25, (BLOCK, "gain"): 0.25},
         {("", "branch multiplier")}),
        (  # rates of a = 1 and no multiplier: the blocks gain L
            {("", "growth"): 0.5, ("", "exponent"): 0.0, (BLOCK, "gain"): 1.0},
            {("", "branch multiplier")},
        ),
        (  # L^(2a-1) of SGD and no multiplier, which no a explains
            {("", "growth"): 0.5, ("", "exponent"): 0.0, (BLOCK, "gain"): 1.5},
            {("", "branch multiplier"), (BLOCK, "learning rate")},
        ),
        (  # branches with a mean: their multiplier is right
            {("", "growth"): 0.5}, {("", "branch multiplier")},
        ),
        (  # what is outside of the blocks is not excused
            {("", "growth"): 0.5, ("", "exponent"): 0.0, (EMBEDDING, "gain"): -0.5,
             (BLOCK, "gain"): 0.5},
            {("", "branch multiplier"), (EMBEDDING, "learning rate")},
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_cause(changes, wanted):
    assert named(changes) == wanted


MULTIPLY = {("", "growth"): 7.1, ("", "exponent"): 7.1, ("", "movement"): 1.5}


def test_where_branches_multiply_only_the_multiplier_is_named():
    """Without norms the gains of a matrix and of a bias differ by the stream's growth."""
    bias_and_matrix = MULTIPLY | {(BLOCK, "gain"): 7.6, ("blocks.*.up.bias", "gain"): 1.1}
    rows = table(bias_and_matrix)
    rows.loc[rows["tensor"] == "blocks.*.up.bias", "role"] = "block"
    found = parameterization(rows)
    assert [(e["tensor"], e["cause"]) for e in found] == [("", "branch multiplier")]
    assert "give them a multiplier L^-0.5 first" in sentences(found, rows)[0]
    assert summary(found, rows) == ["Depth: branch multiplier of the whole network."]


def test_where_branches_multiply_what_is_outside_of_blocks_is_judged_all_the_same():
    found = named(MULTIPLY | {(EMBEDDING, "gain"): 0.5})
    assert found == {("", "branch multiplier"), (EMBEDDING, "learning rate")}


@pytest.mark.parametrize("growth", [0.5, 1.0])
def test_branches_that_add_up_do_not_excuse_the_rates_in_blocks(growth):
    changes = {("", "growth"): growth, ("", "exponent"): 0.0, (BLOCK, "gain"): 1.5}
    assert named(changes) == {("", "branch multiplier"), (BLOCK, "learning rate")}


def test_a_declared_exponent_counts():
    declared = {("", "declared"): 1.0, ("", "multiplier"): -0.5, (BLOCK, "gain"): 0.5}
    assert exponent(table(declared))[1] == 1.0
    assert named(declared, wanted=-1.0) == {("", "branch multiplier")}
    (entry,) = parameterization(table(declared, wanted=-1.0))
    assert (entry["wanted"], entry["axis"]) == (-1.0, "depth")
    assert named({("", "multiplier"): -0.5}, wanted=-0.5) == set()


def test_sentences_say_what_a_rate_wants_at_the_measured_exponent():
    rows = table({(BLOCK, "gain"): 0.5})
    entries = parameterization(rows)
    assert sentences(entries, rows) == [
        f"{BLOCK}: learning rate grows too fast with depth, by L^0.5 (gain +0.50, wants +0): with "
        "branches ~ L^-0.5 a rate in blocks under AdamW wants the factor L^-0.5"
    ]
    assert summary(entries, rows) == [
        f"Depth: learning rate of {BLOCK}.",
        "Branches ~ L^-0.50 (a = 0.5, the nearer of 1/2 and 1), laziness of blocks ~ L^-0.50.",
    ]
    right = table().drop(columns="wanted")  # as it is read where no row has its own
    assert summary(parameterization(right), right)[0] == (
        "Depth: nothing wrong is seen in 2 tensors."
    )


@pytest.mark.parametrize("quantity", DEPTHS)
def test_the_estimator_passes_what_is_right_and_fails_for_what_is_off(quantity):
    of = DEPTHS[quantity]
    right = {(f"t{k}", quantity): of.wanted for k in range(8)} | {("", quantity): of.wanted}
    rows = table({**right, (BLOCK, quantity): of.wanted, (EMBEDDING, quantity): of.wanted})
    assert compare(farthest(quantity)(rows), of.region)[0] == Verdict.PASS
    off = table({**right, ("t7", quantity): of.region.high + 0.5})
    assert compare(farthest(quantity)(off), of.region)[0] == Verdict.FAIL


@pytest.mark.parametrize(
    "variant",
    ["no_multiplier_one", "quarter", "block_rate", "block_rate_one", "eps_embedding", "no_final"],
)
def test_mistakes_of_the_built_in_network_are_named(variant):
    """All, and eighty right ones: `python -m workflow.trust.conformance depth`."""
    mistake = next(mistake for mistake in DEEP_MISTAKES if mistake.variant == variant)
    rows = pd.DataFrame(depth_rows("theory", f"deep_residual:{variant}", range(100, 105)))
    assert deep_named_rightly(mistake, parameterization(rows))


@pytest.mark.parametrize("variant", ["base4_one", "muon", "sgd"])
def test_right_networks_have_no_mistake(variant):
    rows = pd.DataFrame(depth_rows("theory", f"deep_residual:{variant}", range(100, 105)))
    assert parameterization(rows) == []


def test_a_readers_blocks_that_are_no_modules_are_told_by_its_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import torch\n"
        "from torch import nn\n"
        "depths = (2, 3, 4)\n"
        "loss = nn.functional.mse_loss\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, depth):\n"
        "        super().__init__()\n"
        "        self.w = nn.ParameterList(torch.randn(3, 3) for _ in range(depth))\n"
        "    def forward(self, x):\n"
        "        for w in self.w: x = x + x @ w\n"
        "        return x\n"
        "def model(depth=2): return Net(depth)\n"
        "def optimizer(model): return torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "def data(seed):\n"
        "    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(seed))\n"
        "    return (x[:10], x[:10]), (x[10:], x[10:])\n",
        encoding="utf-8",
    )
    with pytest.raises(SubjectError, match=r"^mine\.py: model\(depth\): w\.0 is no module: wanted"):
        list(depth_rows("theory", str(path), (0,)))


def test_the_examples_with_muon_and_with_depth_get_the_answers_of_their_page():
    example = str(ROOT / "examples" / "muon_transformer.py")
    assert naming.parameterization(pd.DataFrame(scaling_rows("theory", example, range(4)))) == []
    example = str(ROOT / "examples" / "deep_network.py")
    entries = parameterization(pd.DataFrame(depth_rows("theory", example, range(6))))
    assert {entry["cause"] for entry in entries} == {"learning rate"}
    assert all(entry["tensor"].startswith("blocks.*.") for entry in entries)
