"""Runs of some claims alone, and of a grid in which something is changed."""

import json

import pandas as pd
import pytest
import yaml

from workflow.base import config, grid, selection
from workflow.base.files import UserError
from workflow.base.grid import Cell
from workflow.base.tree import ROOT

PAPER = "chizat2019_lazy_training"
GIVEN = yaml.safe_load((ROOT / "workflow" / "config.yaml").read_text(encoding="utf-8"))
CLAIM = "arora2019_generalization.A7_norm"


def settings(**given):
    return config.settings({**GIVEN, "tier": "smoke", **given})


def cells_of(chosen, paper):
    found = grid.shards(paper, chosen.tier, chosen.seeds).values()
    return [cell for cells in found for cell in cells]


def test_a_claim_alone_takes_the_parts_that_it_reads():
    for written in ("A7_norm", CLAIM, [CLAIM], f"A7_norm, {CLAIM}"):
        chosen = settings(claims=written)
        assert (chosen.claims, chosen.replications) == ((CLAIM,), ["arora2019_generalization"])
    read = {cell.part for cell in cells_of(chosen, "arora2019_generalization")}
    assert read == {"powers"}
    whole = grid.parts("arora2019_generalization", "smoke")
    assert read < whole


def test_shards_in_which_no_arm_of_a_claim_lies_are_left_out():
    """CIFAR-10 is in the part that K18 reads, in shards of hours; so its figures are not whole."""
    paper = "arora2019_exact_cntk"
    chosen = settings(claims=f"{paper}.K18_pooling_on_digits", tier="paper")
    assert set(grid.shards(paper, "paper", chosen.seeds)) == {"digits"}
    assert grid.parts(paper, "paper", chosen.seeds) == set()
    whole = settings(claims=CLAIM)
    assert grid.parts("arora2019_generalization", "smoke", whole.seeds) == {"powers"}
    chosen = settings(claims=f"{paper}.K20_pooling_on_cifar10")
    with pytest.raises(UserError, match=r"the smoke tier measures no arm that these claims read"):
        grid.shards(paper, "smoke", chosen.seeds)


def test_such_runs_have_folders_of_their_own():
    folders = {
        str(chosen.folder)
        for chosen in (
            settings(),
            settings(claims=CLAIM),
            settings(claims=f"{CLAIM},A7_powers"),
            settings(set=f"{PAPER}.scaling.alpha=2"),
            settings(set=f"{PAPER}.scaling.alpha=4"),
        )
    }
    assert len(folders) == 5
    assert folders >= {"results/smoke"}
    assert all(folder.endswith("/smoke") for folder in folders)


def test_a_change_holds_or_sweeps_a_parameter_of_a_part():
    chosen = settings(set=f"{PAPER}.scaling.alpha=2,4.0; {PAPER}.rate/below.steps=10")
    cells = cells_of(chosen, PAPER)
    assert {cell.part for cell in cells} == {"scaling", "rate"}
    alphas = [cell.parameters["alpha"] for cell in cells if cell.part == "scaling"]
    assert set(map(repr, alphas)) == {"2.0", "4.0"}  # of a float, however it is written
    steps = {cell.arm: cell.parameters["steps"] for cell in cells if cell.part == "rate"}
    assert steps["below"] == 10
    assert steps["theory"] == 8000


def test_cells_that_become_alike_are_one_with_the_seeds_of_all():
    signatures = {"p": {"n": grid.Parameter("int", True)}}
    found = {"a": [Cell("p", "x", {"n": 1}, (0, 1)), Cell("p", "x", {"n": 2}, (0, 1, 2))]}
    found["b"] = [Cell("p", "x", {"n": 3}, (7,))]
    changes = [selection.Change("", "p", "", "n", "5")]
    joined = grid.changed(found, changes, signatures)
    assert joined == {"a": [Cell("p", "x", {"n": 5}, (0, 1, 2, 7))], "b": []}


def test_the_judged_claims_are_those_that_read_what_is_changed():
    chosen = settings(set=f"{PAPER}.rate.alpha=128.0")
    listed = selection.listed_claims(PAPER)
    taken = selection.taken(PAPER, listed, chosen.claims, chosen.changes)
    assert {claim.part for claim in taken} == {"rate"}
    assert len(taken) < len(listed)
    assert selection.taken(PAPER, listed, (), ()) == list(listed)


def test_options_give_back_the_choice():
    import argparse

    parser = argparse.ArgumentParser()
    selection.options(parser)
    claims, changes = (CLAIM, f"{PAPER}.x"), (f"{PAPER}.a/b.c=1,2", f"{PAPER}.a.d=[[1, 2], [3]]")
    found = parser.parse_args(selection.as_options(claims, changes, "cuda"))
    wanted = {"claims": claims, "changes": changes, "device": "cuda"}
    assert selection.given(found) == wanted
    assert selection.as_options((), ()) == []


def planned(given):
    """As far as a plan goes before anything is measured."""
    chosen = settings(**given)
    return [cells_of(chosen, name) for name in chosen.replications]


@pytest.mark.parametrize(
    "given, said",
    [
        ({"claims": "A7_nrm"}, "claims: unknown 'A7_nrm'; did you mean 'A7_norm'"),
        ({"claims": f"{CLAIM}x"}, "unknown 'A7_normx' of arora2019_generalization; did you mean"),
        ({"claims": "arora.A7_norm"}, "claims: unknown paper 'arora'"),
        ({"claims": "A7_norm", "replications": PAPER}, "claims: unknown 'A7_norm'"),
        ({"set": "scaling"}, "wanted [PAPER.]PART[/ARM].NAME=VALUE"),
        ({"set": "scaling.alpha="}, "wanted [PAPER.]PART[/ARM].NAME=VALUE"),
        ({"set": "scaling.alpha=1"}, f"may be {PAPER}.scaling and your_network.scaling"),
        ({"set": f"{PAPER}.scaling.alpha=[1,"}, "wanted a value or values"),
        ({"set": f"{PAPER}.scalin.alpha=1"}, "unknown part 'scalin'; did you mean 'scaling'"),
        ({"set": f"{PAPER}.scaling.alpa=1"}, "unknown parameter 'alpa'; did you mean 'alpha'"),
        ({"set": f"{PAPER}.scaling.seeds=1"}, "unknown parameter 'seeds'"),
        ({"set": f"{PAPER}.scaling.arm=x"}, "unknown parameter 'arm'"),
        ({"set": f"{PAPER}.scaling.neurons=1.5"}, "neurons: found 1.5, wanted int"),
        ({"set": f"{PAPER}.scaling.alpha=big"}, "alpha: found 'big', wanted float"),
        ({"set": f"{PAPER}.scaling/thory.alpha=1"}, "no arm 'thory'; did you mean 'theory'"),
        ({"set": f"{PAPER}.rate.alpha=1;{PAPER}.rate/below.alpha=2"}, "change the same parameter"),
        ({"set": f"{PAPER}.paths.tau=1", "tier": "laptop"}, "no claim reads part paths"),
        ({"set": "rate.alpha=1", "claims": f"{PAPER}.C1_rate"}, "unknown 'C1_rate'"),
        ({"claims": CLAIM, "subject": "examples/mup_mistake.py"}, "takes neither claims nor set"),
    ],
)
def test_what_cannot_be_chosen_is_one_line(given, said):
    with pytest.raises(UserError) as raised:
        planned(given)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def run_of(project, key, value):
    return project.call("snakemake", "--cores", "2", "--config", "tier=smoke", f"{key}={value}")


def folder_of(project, kind):
    (folder,) = project.path("results").glob(f"{kind}-*/smoke")
    return folder


def test_a_run_of_one_claim_is_judged_and_known_to_be_one(untouched):
    run = run_of(untouched, "claims", "alpha2000_toy.T1_scatter")
    assert run.code == 0, run.output
    folder = folder_of(untouched, "some")
    name = str(folder.relative_to(untouched.folder))
    assert not untouched.path("results/smoke").exists()
    checks = pd.read_csv(folder / "checks.csv")
    assert checks[["replication", "claim", "final"]].values.tolist() == [
        ["alpha2000_toy", "T1_scatter", "pass"]
    ]
    assert (folder / "figures" / "alpha2000_toy" / "figure_1.svg").exists()
    report = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["taken"] == {"claims": ["alpha2000_toy.T1_scatter"]}
    said = "some claims alone: alpha2000_toy.T1_scatter"
    gate = untouched.call("workflow.gate", name)
    assert gate.code == 0
    assert said in gate.output
    for command in ("workflow.compare", "workflow.reference", "workflow.page.site"):
        refused = untouched.call(command, name)
        assert refused.code == 2, refused.output
        assert f"error: {name}: {said}: no" in refused.output
    again = run_of(untouched, "claims", "alpha2000_toy.T1_scatter")
    assert again.code == 0
    assert set(again.jobs) <= {"gate"}


def test_a_variation_is_no_verdict_of_the_suite(untouched):
    change = "alpha2000_toy.scatter/theory.width=8,32,128"
    run = run_of(untouched, "set", change)
    assert run.code == 0, run.output
    folder = folder_of(untouched, "varied")
    name = str(folder.relative_to(untouched.folder))
    rows = pd.read_csv(folder / "tables" / "alpha2000_toy.csv")
    widths = rows.groupby("arm")["width"].unique().map(sorted)
    assert widths.to_dict() == {"theory": [8, 32, 128], "control": [4, 16, 64]}
    checks = pd.read_csv(folder / "checks.csv")
    assert checks["expected"].tolist() == ["asked"]
    assert checks["reason"].tolist() == [f"variation: {change}"]
    assert f"variation: {change}; no verdict of the suite" in run.output
    text = (folder / "report" / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# A variation, no verdicts of the suite: 1 statement holds of 1")
    assert f"Variation: {change}." in text
    assert "Variation:" in (folder / "report" / "index.html").read_text(encoding="utf-8")
    badge = json.loads((folder / "report" / "badge.json").read_text(encoding="utf-8"))
    assert badge["message"] == "variation"
    for command in ("workflow.compare", "workflow.reference", "workflow.page.site"):
        refused = untouched.call(command, name)
        assert refused.code == 2, refused.output
        assert f"error: {name}: variation: {change}: no" in refused.output


def test_a_variation_that_fails_its_check_is_an_answer_and_a_lost_record_is_not(untouched):
    """The control's rows under the statement: the check says no, and the run ends well."""
    untouched.edit(
        "replications/alpha2000_toy/experiment.py", "width: int,", "width: int, flat: bool = False,"
    )
    untouched.edit(
        "replications/alpha2000_toy/experiment.py",
        'if arm == "control"',
        'if flat or arm == "control"',
    )
    change = "alpha2000_toy.scatter.flat=true"
    run = run_of(untouched, "set", change)
    assert run.code == 0, run.output
    folder = folder_of(untouched, "varied")
    assert pd.read_csv(folder / "checks.csv")["verdict"].tolist() == ["fail"]
    (folder / "records" / "alpha2000_toy" / "main.csv").unlink()
    assert untouched.call("workflow.gate", str(folder.relative_to(untouched.folder))).code == 2
