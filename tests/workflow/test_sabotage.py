"""The list of faults fits the sources, and the command tells caught faults from missed ones."""

import signal
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from workflow.base.files import UserError, sha256, write_json
from workflow.base.records import write_table
from workflow.base.selection import claim_named
from workflow.base.tree import ROOT, replications
from workflow.host.revision import git
from workflow.trust.sabotage.effects import read
from workflow.trust.sabotage.faults import Fault, faults, sabotaged, selected
from workflow.trust.sabotage.page import page
from workflow.trust.sabotage.reach import are_of, lines_of, read_lines
from workflow.trust.sabotage.run import MATRIX, PAGE, of
from workflow.trust.scratch import run_module

NOISE = "shared/widenets/ntk/toy.py"
TOY_FAULTS = [
    {
        "name": "no_effect",
        "why": "nothing notices it",
        "file": NOISE,
        "old": "return generator",
        "new": "return 1.0 * generator",
    },
    {
        "name": "noise_in_steps",
        "why": "all draws of a mean are one",
        "file": NOISE,
        "old": "return generator.standard_normal(count)",
        "new": "return generator.standard_normal(1).repeat(count)",
        "ci": ["alpha2000_toy.T1_scatter"],
    },
    {
        "name": "broken",
        "why": "the run ends in an error",
        "file": "replications/alpha2000_toy/experiment.py",
        "old": "size = 1.0 if",
        "new": "size = one if",
    },
]


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_every_fault_changes_its_file_in_one_place(fault):
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    changed = sabotaged(text, fault)
    assert changed != text
    if fault.file.endswith(".py"):
        compile(changed, fault.file, "exec")
        assert lines_of(text, fault.old)


def test_no_fault_uses_a_name_that_is_not_there(tmp_path):
    """Where code was renamed around a fault, its own text is wrong, and nothing was noticed."""
    for fault in (one for one in faults() if one.file.endswith(".py")):
        text = (ROOT / fault.file).read_text(encoding="utf-8")
        (tmp_path / f"{fault.name}.py").write_text(sabotaged(text, fault), encoding="utf-8")
    command = ["ruff", "check", "--isolated", "--select", "F821,F823", "--output-format=concise"]
    found = subprocess.run(
        [sys.executable, "-m", *command, str(tmp_path)], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_page_is_of_todays_faults_and_claims():
    """What left the smoke tier, was renamed or said anew: `sabotage --write` tells it there too."""
    every, kept = faults(), read(MATRIX)
    matrix = pd.DataFrame([row for fault in every for row in of(fault, kept)])
    assert page(every, matrix) == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_every_fault_names_what_exists(fault):
    for test in fault.tests:
        file, _, function = test.partition("::")
        assert f"def {function}" in (ROOT / file).read_text(encoding="utf-8")
    for paper, claim in (word.split(".") for word in fault.claims):
        assert claim_named(paper, claim).tier == "smoke"
    assert "tests" not in fault.ci or fault.tests


def test_names_are_unique_and_some_of_most_papers_run_in_ci():
    names = [fault.name for fault in faults()]
    assert len(set(names)) == len(names)
    of_ci = {word.split(".")[0] for fault in selected(faults(), "", ci=True) for word in fault.ci}
    assert len(selected(faults(), "", ci=True)) >= len(names) / 10
    assert "tests" in of_ci
    assert len(of_ci) > len(replications()) / 2


def test_a_fault_that_does_not_fit_is_named():
    with pytest.raises(UserError, match="x: old stands 2 times in"):
        sabotaged("a a", Fault("x", "", "f.py", "a", "b"))
    with pytest.raises(UserError, match="unknown fault 'nothing'"):
        selected(faults(), "nothing")


def test_the_lines_of_a_fault_are_those_of_its_statement():
    text = "def f(x):\n    y = (x +\n         1)\n    if y:\n        return y\n"
    assert lines_of(text, "1)") == {2, 3}
    assert lines_of(text, "    if y") == {4}
    assert lines_of(text, "\n        return y") == {5}


def committed(project):
    """Make the project a repository of its own with all its sources committed."""
    for words in (
        ["init", "-q"],
        ["add", "workflow", "shared", "replications"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "all"],
    ):
        git(project.folder, *words)
    assert git(project.folder, "rev-parse", "HEAD")


def test_rows_are_kept_of_what_has_not_changed_and_was_committed():
    fault = Fault("a", "why", "x.py", "1", "2")
    row = {"fault": "a", "change": fault.change, "commit": "0123456789ab"}
    row |= {"replication": "x", "caught": True, "reached": 2}
    assert of(fault, [row]) == [row]
    assert of(fault._replace(file="moved.py"), [row]) == [row]
    assert of(fault._replace(new="3"), [row]) == []
    assert of(fault._replace(name="b"), [row]) == []
    for commit in ("0123456789ab-dirty", "unknown (not a git checkout)"):
        assert of(fault, [{**row, "commit": commit}]) == []


def test_what_is_not_noticed_yet_is_neither_kept_nor_called_unnoticed(tmp_path):
    fault = Fault("a", "why", "x.py", "1", "2")
    row = {"fault": "a", "change": fault.change, "commit": "0123456789ab", "caught": False}
    tests = {**row, "replication": "tests", "reached": ""}
    assert of(fault, [tests]) == []
    both = [{**tests, "reached": 2}, {**row, "replication": "x", "reached": 2}]
    assert of(fault, both) == []
    both.append({**both[1], "replication": "y"})
    assert of(fault, both) == both
    write_table(tmp_path / "kept.csv", pd.DataFrame([*both, {**row, "fault": "b", "reached": ""}]))
    assert len(of(fault, read(tmp_path / "kept.csv"))) == len(both)


def test_a_digest_of_decimal_digits_alone_is_read_as_it_was_written(tmp_path):
    row = {"fault": "a", "change": "0311627780227601", "commit": "012345678912", "reached": 1}
    write_table(tmp_path / "kept.csv", pd.DataFrame([row]))
    assert read(tmp_path / "kept.csv") == [{**row, "reached": "1"}]


def test_tells_what_is_caught_and_goes_on_where_it_was_stopped(project):
    listed = project.path("workflow/trust/sabotage/faults.yaml")
    listed.write_text(yaml.safe_dump(TOY_FAULTS), encoding="utf-8")
    command = ("workflow.trust.sabotage", "--folder", "sabotage", "--cores", "2")
    run = project.call(*command)
    assert run.code == 1, run.output
    assert "no_effect: NOT NOTICED" in run.output
    assert "noise_in_steps: T1_scatter; about" in run.output
    assert "2 of 3 faults noticed" in run.output
    matrix = pd.concat(pd.read_csv(path) for path in project.path("sabotage").glob("*.csv"))
    # the toy without the changed module is not measured again
    assert set(matrix["replication"]) == {"alpha2000_toy"}
    assert matrix.set_index("fault")["final"]["broken"].startswith("error: NameError")

    record = project.path("sabotage/noise_in_steps/results/smoke/records/alpha2000_toy/main.json")
    before = record.stat().st_mtime_ns
    project.path("sabotage/noise_in_steps.csv").unlink()
    again = project.call(*command)
    assert again.output.splitlines()[-1] == run.output.splitlines()[-1]
    assert record.stat().st_mtime_ns == before

    refused = project.call(*command, "--write").output
    assert "yet: no_effect, noise_in_steps, broken" in refused
    assert "no fault has run there, of a tree that is committed" in refused
    committed(project)
    for path in project.path("sabotage").glob("*.csv"):
        path.unlink()
    assert project.call(*command).code == 1
    assert project.call(*command, "--write").code == 0
    text = project.path("docs/sabotage.md").read_text(encoding="utf-8")
    assert "**3 were run: 1 are caught by claims, 1 only because a run ends in an error" in text
    assert len(pd.read_csv(project.path("results/reference/sabotage.csv"))) == len(matrix)
    kept = project.path("results/reference/sabotage.csv").read_bytes()
    head = git(project.folder, "rev-parse", "--short=12", "HEAD")
    assert f"`T1_scatter` | `{head}` |" in text
    project.path("sabotage/noise_in_steps.csv").unlink()  # as if it had run in another folder
    for words in (["--write"], ["--only", "no_effect", "--write"]):
        assert project.call(*command, *words).code == 0
        assert project.path("results/reference/sabotage.csv").read_bytes() == kept

    only = project.call(*command, "--ci")
    assert only.code == 0, only.output
    assert "1 of 1 faults noticed" in only.output


DIES = """\
import os
from pathlib import Path
import numpy as np
from widenets.ntk.toy import noise
def scatter(*, arm, width, seeds):
    ended = Path(__file__).with_name("died")
    if arm == "control" and not ended.exists():
        ended.touch()
        os.kill(os.getpid(), 9)
    for seed in seeds:
        draws = noise(np.random.default_rng([seed, width, arm == "control"]), 64 * width)
        if arm == "control":
            size = 1.0
        else:
            size = np.sqrt(np.mean(draws**2) / width)
        yield {"seed": seed, "size": size}
"""
OF_THE_FIRST_CELLS = {
    "name": "too_large",
    "why": "grows with the width instead of falling",
    "file": "replications/alpha2000_toy/experiment.py",
    "old": "np.mean(draws**2) / width",
    "new": "np.mean(draws**2) * width",
}


def test_a_job_that_goes_on_after_a_kill_knows_the_lines_of_the_cells_before_it(project):
    project.path("workflow/trust/sabotage/faults.yaml").write_text(
        yaml.safe_dump([OF_THE_FIRST_CELLS]), encoding="utf-8"
    )
    project.path("replications/alpha2000_toy/experiment.py").write_text(DIES, encoding="utf-8")
    project.edit("workflow/host/unfinished.py", "EVERY = 30.0", "EVERY = 0.0")  # every cell is kept
    project.edit("workflow/host/unfinished.py", "SHARE = 0.01", "SHARE = 1e9")
    command = ("workflow.trust.sabotage", "--folder", "sabotage", "--cores", "1")
    killed = project.call(*command)
    assert "without a fault" in killed.output
    left = project.path("sabotage/unchanged/results/smoke/records/alpha2000_toy/main.unfinished")
    assert len(left.read_text(encoding="utf-8").splitlines()) == 3
    project.path("replications/alpha2000_toy/died").touch()
    again = project.call(*command)
    assert again.code == 0, again.output
    assert "too_large: T1_scatter" in again.output


def test_lines_are_those_of_the_files_as_they_lie_there(tmp_path):
    source, lines = tmp_path / "a.py", tmp_path / "lines.json"
    source.write_text("x = 1\n", encoding="utf-8")
    assert not are_of(lines, tmp_path)
    write_json(lines, {"a.py": [sha256(source), [1]]})
    assert are_of(lines, tmp_path)
    assert read_lines(lines) == {"a.py": {1}}
    source.write_text("# a comment moves it\nx = 1\n", encoding="utf-8")
    assert not are_of(lines, tmp_path)


def test_what_computes_for_too_long_is_ended_however_busy_the_machine_is(tmp_path):
    (tmp_path / "endless.py").write_text("while True: pass\n", encoding="utf-8")
    assert run_module(tmp_path, "endless", cpu_seconds=0.5).returncode == -signal.SIGXCPU
    (tmp_path / "waiting.py").write_text("import time; time.sleep(1.5)\n", encoding="utf-8")
    assert run_module(tmp_path, "waiting", cpu_seconds=1).returncode == 0


def test_the_page_says_what_was_not_run():
    some = [
        Fault("a", "why", "shared/widenets/ntk/x.py", "1", "2"),
        Fault("b", "", "f.py", "1", "2"),
    ]
    row = {"fault": "a", "replication": "tests", "claim": "t.py", "final": "fail"}
    matrix = pd.DataFrame(
        [{**row, "expected": "pass", "caught": True, "reached": 0, "commit": "c0ffee"}]
    )
    text = page(some, matrix)
    assert "1 were [not run](#not-run)" in text
    assert text.endswith("* `f.py`: `b`\n")
    assert "| `a` | why | `shared/widenets/ntk/x.py` |  |  |  | `t.py` | `c0ffee` |" in text


def test_the_page_lists_the_claims_that_no_fault_moves():
    matrix = pd.DataFrame(
        {
            "fault": "a",
            "replication": "arora2019_generalization",
            "claim": ["A1_bound_holds", "A4_projections", "A5_random_labels_leave", "renamed"],
            "final": "fail",
            "expected": "pass",
            "caught": [True, False, False, False],
            "reached": 1,
            "commit": "c0ffee",
        }
    )
    text = page([Fault("a", "why", "shared/widenets/ntk/x.py", "1", "2")], matrix)
    assert "Of 2 claims that the smoke tier decides, 1 notice" in text  # one needs the laptop tier
    assert "| arora2019 | `A4_projections` | 1 |" in text
    assert "that `theory` behaves as `nearly_random`" in text
    assert "renamed" not in text.partition("## Claims that none")[2]
