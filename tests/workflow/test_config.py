"""Settings: one line with the key and what it takes, before any job starts."""

import pytest

from workflow.config import settings
from workflow.files import UserError
from workflow.plan import read_only

GOOD = {"tier": "smoke", "replications": "all", "seed": 0, "seeds_at_most": 0, "data_dir": ""}


def test_good_settings():
    assert settings(GOOD).tier == "smoke"


@pytest.mark.parametrize(
    "change, said",
    [
        ({"sedes": 5}, "unknown key 'sedes'; did you mean 'seed'?"),
        ({"tier": "laptops"}, "tier: 'laptops' is not one of"),
        ({"tier": 3}, "tier: 3 is not one of"),
        ({"seed": "x"}, "seed: 'x' is not of type 'integer'"),
        ({"seed": -1}, "seed: -1 is less than the minimum"),
        ({"seed": 1.5}, "seed: 1.5 is not of type 'integer'"),
        ({"seeds_at_most": -1}, "seeds_at_most: -1 is less than the minimum"),
        ({"seeds_at_most": "two"}, "seeds_at_most: 'two' is not of type 'integer'"),
        ({"replications": "jacot"}, "replications: unknown 'jacot'"),
        ({"replications": 5}, "replications: 5 is not of type"),
        ({"replications": [5]}, "5 is not of type 'string'"),
        ({"replications": ""}, "replications: unknown ''"),
        ({"data_dir": 7}, "data_dir: 7 is not of type 'string'"),
        ({"data_dir": "/no/such/folder"}, "data_dir: '/no/such/folder' is no folder"),
    ],
)
def test_bad_settings_are_one_line(change, said):
    with pytest.raises(UserError) as raised:
        settings({**GOOD, **change})
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


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
