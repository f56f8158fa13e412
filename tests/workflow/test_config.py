"""Settings that are right, and commands that only look. (Wrong ones: test_bad_inputs.py.)"""

import pytest

from workflow.base.config import settings
from workflow.plan import read_only

GOOD = {"tier": "smoke", "replications": "all", "seed": 0, "seeds_at_most": 0, "data_dir": ""}


def test_good_settings():
    assert settings(GOOD).tier == "smoke"


@pytest.mark.parametrize(
    "words, looks",
    [
        (["--cores", "2"], False),
        (["-n"], True),
        (["-np", "--cores", "1"], True),
        (["--dry-run"], True),
        (["--report", "x.zip"], True),
        (["--config", "tier=smoke", "-c2"], False),
    ],
)
def test_commands_that_only_look_do_not_hold_the_folder(words, looks):
    assert read_only(words) is looks
