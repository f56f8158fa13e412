"""Claims and regions refuse what cannot be judged."""

import math

import pytest

from widenets.evidence import Claim, Region, Rival, at_least, at_most, between, near, per_seed

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
        ({"expected": "maybe"}, "expected must be 'pass', 'fail' or 'asked'"),
        ({"expected": "fail"}, "needs a reason"),
        ({"tags": "popular"}, "tags must be a tuple"),
    ],
)
def test_a_bad_claim_says_what_is_wrong_in_one_line(change, message):
    with pytest.raises(ValueError, match=message) as raised:
        Claim(**{**GOOD, **change})
    assert "\n" not in str(raised.value)


SHARP = {
    **GOOD,
    "region": near(-0.5, 0.05),
    "kind": "exponent",
    "rival": Rival(-1 / 3, "who takes the law of three layers"),
}


def test_a_region_remembers_its_centre_and_the_claim_predicts_it():
    assert near(-0.5, 0.1).center == -0.5
    assert between(1, 2).center is None
    assert Claim(**SHARP).predicted == -0.5
    assert Claim(**{**SHARP, "prediction": -0.51}).predicted == -0.51
    assert Claim(**{**GOOD, "region": at_most(1)}).predicted is None


@pytest.mark.parametrize(
    "region, kind, classification",
    [
        (near(0, 1), "", "unclassified"),
        (between(0, 1), "", "unclassified"),
        (at_most(1), "", "bound"),
        (at_least(1), "", "bound"),
        (at_most(1e-12), "identity", "identity"),
        (near(1, 0.1), "level", "level"),
        (between(0, 1), "bound", "bound"),
    ],
)
def test_what_is_not_said_is_a_bound_or_unclassified(region, kind, classification):
    claim = Claim(**{**GOOD, "region": region, "kind": kind})
    assert claim.classification == classification


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kind": "slope"}, "kind must be one of level, exponent, identity, bound, found 'slope'"),
        ({"kind": "level"}, None),
        ({"kind": "level", "region": at_most(1)}, "kind='level' needs a two-sided region"),
        ({"region": between(-0.55, -0.45)}, "needs a prediction"),
        ({"region": between(-0.55, -0.45), "prediction": -0.5}, None),
        ({"prediction": -0.4}, "prediction -0.4 lies outside the region"),
        ({"prediction": math.nan}, "prediction nan lies outside the region"),
        ({"scale": 1.0}, "scale is for levels predicted to be 0 only"),
        ({"kind": "level", "region": near(0, 0.05)}, "a level predicted to be 0 needs a scale"),
        ({"kind": "level", "region": near(0, 0.05), "scale": 0.0}, "scale must be finite and > 0"),
        ({"kind": "level", "region": near(0, 0.05), "scale": 1.0}, None),
        ({"rival": -1 / 3}, "rival must be Rival"),
        ({"rival": Rival(-0.46, "x")}, "the rival -0.46 lies inside the region"),
        ({"rival": Rival(-0.41, "x")}, "reaches 0.05 from -0.5, wanted at most 0.045"),
        ({"rival": Rival(-0.4, "x")}, None),  # exactly half of the way, in decimal numbers
        ({"rival": Rival(-0.6, "x")}, None),
        (
            {"region": between(-0.6, -0.48), "prediction": -0.5, "rival": Rival(-0.4, "x")},
            "reaches 0.1 from -0.5, wanted at most 0.05",
        ),
        ({"kind": "", "region": between(0, 1), "rival": Rival(1.4, "x")}, "from 0.5, wanted at"),
        ({"kind": "", "region": at_most(1), "rival": Rival(1, "x")}, "lies inside the region"),
        ({"kind": "", "region": at_most(1), "rival": Rival(1.01, "x")}, None),
    ],
)
def test_rivals_and_kinds_obey_their_rules_or_say_why_not_in_one_line(change, message):
    if message is None:
        assert Claim(**{**SHARP, **change})
        return
    with pytest.raises(ValueError, match=f"'X1_drift': .*{message}") as raised:
        Claim(**{**SHARP, **change})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("value, who", [(math.nan, "x"), (math.inf, "x"), ("1", "x"), (1, " ")])
def test_a_rival_is_a_number_that_somebody_would_hold(value, who):
    with pytest.raises(ValueError, match="rival: "):
        Rival(value, who)
