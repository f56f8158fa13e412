"""Every bad input of the list is tried, and the page shows today's answers."""

import sys

import pytest

from workflow.base.tree import ROOT
from workflow.trust.bad_inputs.cases import AREAS, BAD_INPUTS
from workflow.trust.bad_inputs.run import Answer, answers_in, page

STAGES = ("measure", "gather", "judge", "draw", "report", "gate", "compare", "reference")


@pytest.fixture(scope="module")
def answers(green, tmp_path_factory):
    return answers_in(green.copy(tmp_path_factory.mktemp("bad") / "project"))


@pytest.mark.parametrize(
    "number", range(len(BAD_INPUTS)), ids=lambda number: f"{number}-{BAD_INPUTS[number].area}"
)
def test_the_answer_is_one_line_that_names_what_is_wrong(answers, number):
    problem = answers[number].problem(BAD_INPUTS[number])
    assert problem == "", answers[number].output


def test_the_page_shows_these_answers(answers):
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the page has the words of Python 3.11 for syntax errors")
    shown = (ROOT / "docs" / "bad_inputs.md").read_text(encoding="utf-8")
    assert page(answers) == shown, "renew it: python -m workflow.trust.bad_inputs --publish"


def test_every_area_and_every_stage_has_some():
    assert {bad.area for bad in BAD_INPUTS} == set(AREAS)
    assert {f"workflow.{name}" for name in STAGES} <= {bad.words[0] for bad in BAD_INPUTS}


@pytest.mark.parametrize(
    "answer, problem",
    [
        (Answer(0, "error: key x"), "exit code 0"),
        (Answer(1, "Traceback (most recent call last):\nerror: key x"), "a traceback"),
        (Answer(2, "error: key x\nsomething else"), "not one line that says error, at the end"),
        (Answer(2, "error: key y"), f"does not say {'key x'!r}"),
        (Answer(2, "usage: z\nerror: key x"), ""),
    ],
)
def test_what_counts_as_a_bad_answer(answer, problem):
    assert answer.problem(BAD_INPUTS[0]._replace(said="key x")) == problem
