"""Claims as pytest items: which outcome each state has, and the JUnit XML of a run."""

from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from workflow.claims_plugin import ClaimItem, NotAsExpected
from workflow.page.content import STATES

WORDS = ("pytest", "-p", "workflow.claims_plugin", "-p", "no:cacheprovider")


def outcome_of(state):
    item = SimpleNamespace(state=state, row={"reason": "why"}, message=lambda: "what")
    try:
        ClaimItem.setup(item)
        ClaimItem.runtest(item)
    except BaseException as error:  # pytest's own outcomes are no Exceptions
        return type(error)
    return None


def test_every_state_has_an_outcome():
    outcomes = {state: outcome_of(state) for state in STATES}
    assert outcomes == {
        "agrees": None,
        "our derivation": None,
        "within the margin": None,
        "pass": None,
        "refuted": pytest.xfail.Exception,
        "not judged": pytest.skip.Exception,
        "fail": NotAsExpected,
        "unexpected pass": NotAsExpected,
        "inconclusive": NotAsExpected,
        "withheld": NotAsExpected,
        "yes": None,
        "no": None,
        "open": pytest.skip.Exception,
    }


def junit(project, tmp_path):
    path = tmp_path / "junit.xml"
    run = project.call(*WORDS, "--claims", "results/smoke", f"--junitxml={path}")
    suite = ElementTree.parse(path).getroot().find("testsuite")
    counts = {key: int(suite.get(key)) for key in ("tests", "errors", "failures")}
    return run, counts, suite


def test_claims_of_a_green_run(green, tmp_path):
    run, counts, suite = junit(green, tmp_path)
    assert run.code == 0, run.output
    assert counts == {"tests": 2, "errors": 0, "failures": 0}
    case = suite.find("testcase")
    assert case.get("classname").endswith("alpha2000_toy")
    assert case.get("name") == "T1_scatter"
    assert case.find("properties/property[@name='region']").get("value") == "-0.5 ± 0.1"


def test_withheld_verdicts_are_errors(project, tmp_path):
    project.edit("replications/alpha2000_toy/grid.yaml", "seed: 6", "seed: 7")
    run, counts, suite = junit(project, tmp_path)
    assert run.code == 1
    assert counts == {"tests": 2, "errors": 1, "failures": 0}
    assert "withheld: record main is stale" in suite.find("testcase/error").text


def test_an_unexpected_verdict_is_a_failure(project, tmp_path):
    project.edit("replications/alpha2000_toy/claims.py", "near(-0.5, 0.1)", "near(-0.9, 0.1)")
    words = ("--results", "results/smoke", "--replication", "alpha2000_toy")
    assert project.call("workflow.judge", *words).code == 0
    run, counts, suite = junit(project, tmp_path)
    assert run.code == 1
    assert counts == {"tests": 2, "errors": 0, "failures": 1}
    assert "accepted -0.9 ± 0.1" in suite.find("testcase/failure").text


def test_a_folder_without_results_is_a_usage_error(project):
    run = project.call(*WORDS, "--claims", "results/laptop")
    assert run.code == 4
    assert "results/laptop: no such folder" in run.output
