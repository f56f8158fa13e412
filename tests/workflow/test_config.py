"""Settings that are right, and commands that only look. (Wrong ones: test_bad_inputs.py.)"""

import pytest
from snakemake.cli import get_argument_parser

from workflow.base.config import settings
from workflow.plan import QUESTIONS, read_only

GOOD = {
    "tier": "smoke",
    "replications": "all",
    "seed": 0,
    "seeds_at_most": 0,
    "data_dir": "",
    "subject": "",
}
# Options of snakemake's group of utilities with which it executes jobs all the same.
EXECUTING = {"skip_script_cleanup", "keep_incomplete", "drop_metadata", "version"}


def test_good_settings():
    assert settings(GOOD).tier == "smoke"


@pytest.mark.parametrize(
    "line, looks",
    [
        ("--cores 2", False),
        ("--config tier=smoke -c2", False),
        ("-c2 --rerun-triggers mtime params -k", False),
        ("-c2 --report x.zip --report-after-run", False),
        ("-c2 --until gather results/smoke/checks.csv", False),
        ("-n", True),
        ("-np --cores 1", True),
        ("--dry-run", True),
        ("--report x.zip", True),
        ("--list-input-changes", True),
        ("--li", True),
        ("--list-changes code", True),
        ("--list-params-changes", True),
        ("--list-untracked", True),
        ("--detailed-summary", True),
        ("-D", True),
        ("--dag mermaid-js", True),
        ("--rulegraph", True),
        ("--filegraph", True),
        ("--list-rules", True),
        ("--lint", True),
        ("--touch", True),
        ("--unlock", True),
        ("--mode subprocess --cores 1", True),
        ("--target-jobs measure:replication=a,shard=main --mode remote --cores 1", True),
    ],
)
def test_commands_that_only_look_do_not_hold_the_folder(line, looks):
    assert read_only(line.split()) is looks


def test_every_question_that_snakemake_knows_is_known_to_be_one():
    parser = get_argument_parser()
    groups = {group.title: group for group in parser._action_groups}
    asked = {action.dest for action in groups["UTILITIES"]._group_actions}
    assert asked - EXECUTING <= QUESTIONS
    assert {action.dest for action in parser._actions} >= QUESTIONS
