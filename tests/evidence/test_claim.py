"""Claims and regions refuse what cannot be judged."""

import math

import pytest

from widenets.evidence import Claim, Region, at_least, at_most, between, near, per_seed

GOOD = {
    "name": "X1_drift",
    "statement": "the drift vanishes",
    "source": "Theorem 1",
    "part": "drift",
    "estimator": per_seed("drift"),
    "region": near(0.0, 0.1),
    "why": "the limit is zero",
    "control": "mean_field",
}


def test_regions_are_closed_intervals():
    assert (near(-0.5, 0.1).low, near(-0.5, 0.1).high) == (-0.6, -0.4)
    assert (at_most(2).low, at_most(2).high) == (-math.inf, 2)
    assert (at_least(2).low, at_least(2).high) == (2, math.inf)
    assert between(1, 2) == Region(1, 2, "[1, 2]")


@pytest.mark.parametrize("low, high", [(1, 1), (2, 1), (math.nan, 1), (0, math.nan)])
def test_an_empty_region_is_refused(low, high):
    with pytest.raises(ValueError, match="low < high"):
        Region(low, high, "")


@pytest.mark.parametrize("value, tolerance", [(math.nan, 1), (math.inf, 1), (0, 0), (0, math.nan)])
def test_near_needs_a_number_and_a_tolerance(value, tolerance):
    with pytest.raises(ValueError, match="near"):
        near(value, tolerance)


def test_a_good_claim_is_accepted():
    assert Claim(**GOOD).arm == "theory"


@pytest.mark.parametrize(
    "change, message",
    [
        ({"name": "1 drift"}, "name must be letters"),
        ({"name": ""}, "name must not be empty"),
        ({"part": "two words"}, "part must be letters"),
        ({"statement": " "}, "statement must not be empty"),
        ({"source": ""}, "source must not be empty"),
        ({"why": ""}, "why must not be empty"),
        ({"control": ""}, "control must not be empty"),
        ({"control": "theory"}, "control and arm are both 'theory'"),
        ({"estimator": 1.0}, "estimator must be a function"),
        ({"region": (0, 1)}, "region must be near"),
        ({"tier": "tiny"}, "tier must be one of smoke, laptop, paper, found 'tiny'"),
        ({"expected": "maybe"}, "expected must be 'pass' or 'fail'"),
        ({"expected": "fail"}, "needs a reason"),
        ({"tags": "popular"}, "tags must be a tuple"),
    ],
)
def test_a_bad_claim_says_what_is_wrong_in_one_line(change, message):
    with pytest.raises(ValueError, match=message) as raised:
        Claim(**{**GOOD, **change})
    assert "\n" not in str(raised.value)
