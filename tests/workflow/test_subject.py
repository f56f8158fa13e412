"""A reader's own network: what a run with `subject` plans, judges and answers; other runs do not
notice that there are such."""

import json
import re
import shutil
import subprocess
import sys

import markupsafe
import pandas as pd
import pytest

from widenets.evidence.claim import ASKED
from widenets.ntk.subject.contract import SubjectError
from workflow import compare
from workflow.base import digest, grid, records, subject
from workflow.base.digest import cells_digest
from workflow.base.files import UserError
from workflow.base.tree import ROOT, TIERS, replications
from workflow.gate import verdict_code
from workflow.judge import claims_of, expectations
from workflow.page import texts, view
from workflow.page.content import state
from workflow.reader.answer import answered
from workflow.reader.trial import tried
from workflow.trust.scratch import Run, environment, fresh_project

KERNEL = '''"""The kernel of a relu layer."""
import numpy as np

FACTOR = 1.0
architecture = "fully_connected(depth=1, weight_variance=2.0, bias_variance=0.0)"


def kernel(x1, x2):
    size = np.linalg.norm(x1, axis=1)[:, None] * np.linalg.norm(x2, axis=1)
    minus, plus = (
        np.linalg.norm(
            (x1 / np.linalg.norm(x1, axis=1, keepdims=True))[:, None]
            + sign * x2 / np.linalg.norm(x2, axis=1, keepdims=True),
            axis=2,
        )
        for sign in (-1, 1)
    )
    angle = 2 * np.arctan2(minus, plus)
    k = 2 * size * np.cos(angle) / x1.shape[1]
    kappa_0 = (np.pi - angle) / (2 * np.pi)
    size = 2 * size / x1.shape[1]
    nngp = size * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi
    return nngp, FACTOR * 2 * kappa_0 * k + nngp
'''
TRAINED = "model = data = loss = optimizer = print\nsteps, batch = 3, 2\n"


@pytest.fixture
def own(tmp_path):
    """A file that can be asked everything but a kernel."""
    path = tmp_path / "my_model.py"
    path.write_text(f"{TRAINED}widths = 8, 16, 32\n", encoding="utf-8")
    return path


def digests(path):
    for remembered in (subject.digest_of, subject.parts_of, grid.shards):
        remembered.cache_clear()
    for remembered in (
        digest.code_digest,
        *(digest._read, digest._files, digest._content, digest._imports, digest._closure),
    ):
        remembered.cache_clear()
    return subject.digest_of(str(path))


@pytest.mark.parametrize("name", replications())
def test_cells_of_a_run_without_subject_have_the_digest_they_had(name):
    for tier in TIERS:
        for cells in grid.shards(name, tier).values():
            plain = cells_digest([grid.RECORD_FORMAT, *(list(cell) for cell in cells)])
            has_subjects = any("subject" in cell.parameters for cell in cells)
            assert (grid.shard_digest(cells) == plain) is not has_subjects
            assert has_subjects <= (name == subject.STAND)


def test_an_edit_of_a_built_in_file_measures_again_what_uses_it(monkeypatch):
    """Mistakes and wrong kernels too, whose cells name a built-in file and an arm of it."""
    cells = [cell for some in grid.shards(subject.STAND, "laptop").values() for cell in some]
    assert {cell.part for cell in cells if "subject" not in cell.parameters} == set()
    for name, part in (("mup_transformer", "mistakes"), ("relu_kernel", "wrong_kernels")):
        of_part = [cell for cell in cells if cell.part == part]
        before = grid.shard_digest(of_part)
        with monkeypatch.context() as patched:
            patched.setattr(grid, "digest_of", lambda chosen, name=name: chosen == name)
            assert grid.shard_digest(of_part) != before
            assert name in {cell.parameters["subject"] for cell in of_part}


def test_a_file_stands_where_the_first_built_in_subject_stands(own):
    seeds = grid.Seeds(subject=str(own))
    cells = [c for some in grid.shards(subject.STAND, "smoke", seeds).values() for c in some]
    built_in = [c for some in grid.shards(subject.STAND, "smoke").values() for c in some]
    assert {cell.parameters["subject"] for cell in cells} == {str(own)}
    first = {}
    for cell in built_in:
        if "subject" in cell.parameters:
            first.setdefault(cell.part, cell.parameters["subject"])
    wanted = [
        (cell.part, cell.arm, cell.seeds)
        for cell in built_in
        if cell.part in ("diagnosis", "evolution", "scaling")
        and cell.parameters["subject"] == first[cell.part]
    ]
    assert [(cell.part, cell.arm, cell.seeds) for cell in cells] == wanted


def test_what_is_asked_depends_on_the_names_in_the_file(own):
    parts = {claim.part for claim in claims_of(subject.STAND, str(own))}
    assert parts == {"diagnosis", "evolution", "scaling", "transfer"}
    assert {claim.expected for claim in claims_of(subject.STAND, str(own))} == {ASKED}
    own.write_text(KERNEL, encoding="utf-8")
    subject.parts_of.cache_clear()
    assert {claim.part for claim in claims_of(subject.STAND, str(own))} == {"kernel"}


def test_an_edit_counts_and_a_comment_does_not(own):
    first = digests(own)
    text = own.read_text(encoding="utf-8")
    for change, again in (
        (f"# a comment\n{text}", True),
        (f'"""A title."""\n{text}', True),
        (text + 'expected = {"U1_trains": "pass"}\nminutes = 200\n', True),
        (text.replace("3, 2", "4, 2"), False),
        ("import beside\n" + text, False),
    ):
        own.write_text(change, encoding="utf-8")
        assert (digests(own) == first) is again, change
    beside = own.with_name("beside.py")
    beside.write_text("x = 1\n", encoding="utf-8")
    one = digests(own)
    beside.write_text("x = 2\n", encoding="utf-8")
    assert digests(own) != one


def test_what_a_file_expects_is_checked(own):
    text = own.read_text(encoding="utf-8")
    for expected, said in (
        ('{"U3_feature_help": "pass"}', "unknown claim 'U3_feature_help'; did you mean"),
        ('{"U3_features_help": "yes"}', "found 'yes', wanted 'pass' or 'fail'"),
        ('{"K1_different_inputs": "pass"}', "unknown claim 'K1_different_inputs'"),
        ("dict(U1=1)", "expected: wanted values that are written out"),
        ("3", "found 3, wanted {claim"),
    ):
        own.write_text(f"{text}expected = {expected}\n", encoding="utf-8")
        with pytest.raises(UserError, match=r"my_model\.py") as error:
            expectations(subject.STAND, str(own))
        assert said in str(error.value)


def test_an_expectation_judges_again(own):
    digest = records.claims_digest(subject.STAND, str(own))
    own.write_text(own.read_text("utf-8") + 'expected = {"U1_trains": "pass"}\n', "utf-8")
    assert records.claims_digest(subject.STAND, str(own)) != digest


@pytest.mark.parametrize(
    "final, expected, code, told",
    [
        ("pass", ASKED, 0, "yes"),
        ("fail", ASKED, 0, "no"),
        ("inconclusive", ASKED, 0, "open"),
        ("pass", "pass", 0, "pass"),
        ("fail", "fail", 0, "refuted"),
        ("inconclusive", "pass", 3, "inconclusive"),
        ("fail", "pass", 1, "fail"),
        ("pass", "fail", 1, "unexpected pass"),
    ],
)
def test_an_asked_verdict_is_an_answer_whatever_it_is(final, expected, code, told):
    row = {"final": final, "expected": expected}
    assert verdict_code(pd.DataFrame([row])) == code
    assert state(row) == told


def test_the_answer_names_the_fault_of_a_kernel():
    rows = {"part": "kernel", "arm": "theory", "seed": 0, "kernel": "ntk", "block": "cross"}
    rows |= {"row": 3, "column": 4, "found": 1.5, "wanted": 1.0}
    right = pd.DataFrame([{**rows, "error": 1e-16, "ratio": 1e-6, "fault": ""}])
    wrong = pd.DataFrame([{**rows, "error": 0.5, "ratio": 5e9, "fault": "a layer is missing"}])
    checks = pd.DataFrame({"claim": [], "final": []})
    found = answered(checks, right)
    assert found["diagnosis"] is None
    assert found["faults"] == []
    assert found["sentence"] == "Kernel: that of the architecture, to rounding."
    found = answered(checks, wrong)
    assert found["sentence"] == "Kernel: wrong by up to 0.5 of its size (a layer is missing)."
    entry, fault = found["faults"]
    assert entry.endswith("(cross; in cross, inputs 3 and 4: found 1.5, wanted 1)")
    assert fault == "kernel: a layer is missing"


def test_the_report_says_first_what_it_is_and_then_how_it_was_found():
    sentence = "Features help: 0.10 against 0.60; 1 is the best. Frozen by E[phi]. Kernel: ok."
    report = {"papers": [], "problems": [], "subject": {"sentence": sentence}}
    assert texts.headline(report) == "Features help: 0.10 against 0.60; 1 is the best."
    assert texts.besides(report) == "Frozen by E[phi]. Kernel: ok."
    again = view.environment().from_string("{{ 'subject=a b/c.py' | word }}").render()
    assert markupsafe.Markup(again).unescape() == "'subject=a b/c.py'"


SMALL = """
import torch
from torch import nn

widths = 8, 16, 32
minutes = 0.0001

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


def test_rates_at_every_width_are_in_the_cost_where_a_tier_tries_them(tmp_path, capsys):
    path = tmp_path / "small.py"
    path.write_text(SMALL, encoding="utf-8")
    tried(str(path), "smoke", grid.Seeds(subject=str(path)))
    assert capsys.readouterr().err == "small.py: asked of it: scaling\n"
    said = r"small\.py: 576 trainings of 40 steps need about .*, minutes allows 0\.0001"
    with pytest.raises(UserError, match=said):
        tried(str(path), "paper", grid.Seeds(subject=str(path)))


@pytest.mark.parametrize("steps", ["", "steps, batch = 4, 8\n"])
def test_a_loss_that_is_broadcast_over_pairs_is_refused(tmp_path, steps):
    """Outputs (n, 1) and targets (n,): torch only warns, and what is learned is the mean."""
    path = tmp_path / "flat.py"
    flat = SMALL.replace("y = x[:, :1] * x[:, 1:2]", "y = x[:, 0] * x[:, 1]")
    path.write_text(flat + steps, encoding="utf-8")
    said = r"flat\.py: loss\(outputs, targets\) does not see which target is whose: .* \(32, 1\),"
    with pytest.warns(UserWarning, match="target size"), pytest.raises(SubjectError, match=said):
        tried(str(path), "smoke", grid.Seeds(subject=str(path)))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A clone, and beside it a reader's folder with a kernel."""
    made = fresh_project(tmp_path_factory.mktemp("reader") / "project", ["your_network"])
    folder = tmp_path_factory.mktemp("own")
    (folder / "relu.py").write_text(KERNEL, encoding="utf-8")
    return made, folder


def call(project, *words):
    """A command in the reader's folder, with the clone's code."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=project[1],
        env=environment(project[0].folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def run(project, subject="relu.py", *words):
    given = ("-s", str(project[0].path("Snakefile")), "--cores", "1", *words)
    return call(project, "snakemake", *given, "--config", "tier=smoke", f"subject={subject}")


def gate(project):
    return call(project, "workflow.gate", "results/relu/smoke")


def answer_of(folder, stem="relu"):
    return json.loads((folder / f"results/{stem}/smoke/diagnosis.json").read_text(encoding="utf-8"))


def test_the_example_with_a_mistake_gets_the_answer_that_its_page_shows(project):
    done = run(project, ROOT / "examples" / "mup_mistake.py")
    assert done.code == 0, done.output
    answer = answer_of(project[1], "mup_mistake")
    assert answer["diagnosis"] is None
    (entry,) = answer["parameterization"]
    assert (entry["tensor"], entry["cause"]) == ("hidden.weight", "learning rate")
    page = (ROOT / "docs" / "your_network.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    shown = json.loads(shown)
    assert {**entry, "found": round(entry["found"], 1)} == {
        **shown,
        "found": round(shown["found"], 1),
    }


def test_a_kernel_from_any_folder(project):
    """Right, then wrong, then wrong though expected to be right; a comment measures nothing, an
    expectation judges alone, and an answer that was altered is noticed."""
    file = project[1] / "relu.py"
    done = run(project)
    assert done.code == 0, done.output
    assert "Kernel: that of the architecture, to rounding." in done.output
    assert answer_of(project[1])["diagnosis"] is None

    file.write_text("# a comment\n" + file.read_text("utf-8"), encoding="utf-8")
    assert run(project, "relu.py", "-n").jobs == {"report": 1, "gate": 1}  # which quotes the file

    file.write_text(file.read_text("utf-8").replace("FACTOR = 1.0", "FACTOR = 2.0"), "utf-8")
    assert gate(project).code == 2  # stale
    done = run(project)
    assert done.code == 0, done.output
    assert done.jobs["measure"] == 1
    found = answer_of(project[1])
    assert found["sentence"].endswith(
        "(the derivative kernel lacks the factor 1/2 of E[phi' phi'])."
    )

    file.write_text(
        file.read_text("utf-8") + 'expected = {"K1_different_inputs": "pass"}\n', "utf-8"
    )
    done = run(project)
    assert done.code == 1, done.output
    assert "measure" not in done.jobs
    assert done.jobs["judge"] == 1
    assert done.output.count("Kernel: wrong by up to") == 1
    assert done.output.count("K1_different_inputs: fail, expected pass") == 1
    done = run(project, "relu.py", "--workflow-profile", "none")  # which shows no logs of its own
    assert done.code == 1, done.output
    assert done.output.count("Kernel: wrong by up to") == 1

    path = project[1] / "results/relu/smoke/diagnosis.json"
    path.write_text(path.read_text("utf-8").replace("wrong by", "right by"), encoding="utf-8")
    assert gate(project).code == 2


def test_a_network_of_ones_own_is_compared_with_itself_alone(project):
    """After the test above: the folder, an earlier copy of it, and what is of the suite alone."""
    file, folder = project[1] / "relu.py", project[1] / "results/relu/smoke"
    file.write_text(KERNEL, encoding="utf-8")
    assert run(project).code == 0
    before = project[1] / "before/smoke"
    shutil.copytree(folder, before)
    done = call(project, "workflow.compare", folder, before)
    assert (done.code, done.output.splitlines()[0]) == (0, "2 same")
    file.write_text(KERNEL.replace("FACTOR = 1.0", "FACTOR = 1.1"), encoding="utf-8")
    assert run(project).code == 0
    done = call(project, "workflow.compare", folder, before)
    assert done.code == 1
    assert "verdict changed: your_network: K1_different_inputs: yes → no" in done.output
    for words, said in (
        (("workflow.compare", folder), "relu.py, which has no reference: copy the folder"),
        (("workflow.reference", folder), "of a network of your own, relu.py: no reference"),
        (("workflow.trust.cost", folder), "of a network of your own, relu.py: no cost"),
        (
            ("workflow.trust.stability", "--folder", "x", "--subject", "relu.py"),
            "error: unrecognized arguments: --subject relu.py",
        ),
    ):
        done = call(project, *words)
        assert done.code == 2, done.output
        assert said in done.output.splitlines()[-1]


def test_a_network_of_ones_own_is_not_compared_with_the_replications(tmp_path):
    """Kept results of both kinds, of the same tier."""
    for name, of in (("own", {"subject": "x/my_model.py"}), ("suite", {})):
        folder = tmp_path / name
        folder.mkdir()
        made = {"settings": {"tier": "smoke", **of}, "git": "abc", "records": []}
        (folder / "provenance.json").write_text(json.dumps(made), encoding="utf-8")
        pd.DataFrame(columns=list(compare.COLUMNS)).to_csv(folder / "checks.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-m", "workflow.compare", tmp_path / "suite", tmp_path / "own"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"error: {tmp_path / 'own'} is of my_model.py, {tmp_path / 'suite'} of the replications"
    )
