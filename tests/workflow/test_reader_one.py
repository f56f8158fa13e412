"""One claim measured alone, and with changes."""

import pytest

from widenets.evidence.claim import Claim, near
from workflow.base.files import UserError
from workflow.base.grid import Seeds
from workflow.base.selection import claim_named, values_of
from workflow.reader import one

PAPER = "arora2019_generalization"


def test_a_claim_alone_has_the_cells_of_its_arms_only():
    claim = claim_named(PAPER, "A7_norm")
    cells = one.cells_of(PAPER, claim, "smoke", Seeds(at_most=2), [])
    assert {cell.arm for cell in cells} == {claim.arm, claim.control}
    assert {cell.part for cell in cells} == {"powers"}
    assert all(len(cell.seeds) <= 2 for cell in cells)


def test_changes_hold_or_sweep_a_parameter():
    changes = one.changes_of(["n=3", "rate=0.1,1.0e-2", "name=[erf]"], "powers")
    read = {change.name: values_of(change.values, "changes") for change in changes}
    assert read == {"n": [3], "rate": [0.1, 0.01], "name": ["erf"]}
    assert {change.part for change in changes} == {"powers"}


@pytest.mark.parametrize("word", ["n", "=3", "n=", "a b=1"])
def test_a_change_that_cannot_be_read_is_one_line(word):
    with pytest.raises(UserError, match="wanted name=value"):
        one.changes_of([word], "powers")


def test_unknown_claims_and_parameters_are_named():
    with pytest.raises(UserError, match="did you mean 'A7_norm'"):
        claim_named(PAPER, "A7_nrm")
    claim = claim_named(PAPER, "A7_norm")
    with pytest.raises(UserError, match="unknown parameter 'widht'"):
        one.cells_of(PAPER, claim, "smoke", Seeds(), one.changes_of(["widht=1"], claim.part))


def test_a_sweep_takes_the_place_of_the_grid():
    claim = claim_named(PAPER, "A7_norm")
    plain = one.cells_of(PAPER, claim, "smoke", Seeds(), [])
    name = next(key for key, value in plain[0].parameters.items() if isinstance(value, int))
    changes = one.changes_of([f"{name}=1,2"], claim.part)
    cells = one.cells_of(PAPER, claim, "smoke", Seeds(), changes)
    assert {cell.parameters[name] for cell in cells} == {1, 2}
    assert len(cells) == len(set(map(repr, cells)))


def test_what_came_out_names_both_arms_and_the_verdict():
    import pandas as pd

    from widenets.evidence.estimators import per_seed

    claim = Claim(
        name="T",
        statement="one is one",
        source="ours",
        part="p",
        estimator=per_seed("y"),
        region=near(1, 0.5),
        why="it is",
        control="other",
    )
    rows = [
        {"part": "p", "arm": arm, "seed": seed, "y": y + 0.01 * seed}
        for arm, y in (("theory", 1), ("other", 3))
        for seed in range(4)
    ]
    lines = list(one.told(claim, pd.DataFrame(rows), "paper"))
    assert "arm theory" in lines[1]
    assert lines[1].endswith("pass")
    assert "control other" in lines[2]
    assert lines[2].endswith("fail")
    assert "in all: pass" in lines[3]
