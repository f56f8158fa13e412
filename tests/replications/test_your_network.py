"""The diagnosis: from verdicts to an answer, on tables made by hand and on one small network."""

import functools

import pandas as pd
import pytest

from replications.your_network import figures
from replications.your_network.asked_diagnosis import (
    ASKED_DIAGNOSIS,
    DIVERGED,
    QUESTIONS,
    better,
    worst,
    worst_at_end,
)
from replications.your_network.decide import DIAGNOSES, decided, diagnosis, diagnosis_of_seed
from replications.your_network.diagnosis import diagnosis_rows, evolution_rows
from widenets.ntk.subject.contract import BUILTIN
from workflow.base.tree import ROOT

NAMES = {name.partition("_")[0]: name for name in QUESTIONS}


def verdicts(passing="", failing=""):
    """{claim: verdict}, from "1 3" for U1 and U3; the others are inconclusive."""
    found = dict.fromkeys(QUESTIONS, "inconclusive")
    found |= {NAMES[f"U{k}"]: "pass" for k in passing.split()}
    return found | {NAMES[f"U{k}"]: "fail" for k in failing.split()}


@pytest.mark.parametrize(
    ("passing", "failing", "fitted", "wanted"),
    [
        ("1 2 3 4 6 7", "5", True, "features help"),
        ("1 2 4 5 6 7", "3", True, "only faster"),
        ("1 4 5 6 7", "2 3", True, "nothing needs features"),
        ("2 3 4 6", "1", True, "optimization"),
        ("1 5", "4", True, "harmful features"),
        ("1 4 5", "6 2", True, "harmful features"),
        ("1 4 5", "6 2", False, "nothing needs features"),
        ("1 2 4", "", True, "undecided"),
        ("", "", True, "undecided"),
    ],
)
def test_the_first_diagnosis_that_holds_is_said(passing, failing, fitted, wanted):
    assert diagnosis(verdicts(passing, failing), False, fitted) == wanted
    assert diagnosis(verdicts(passing, failing), True, fitted) == "dead start"


def table(**changes):
    """Two recorded steps of six seeds: features help, by .5 of what there is to explain."""
    row = {
        "part": "diagnosis", "arm": "theory", "subject": "mine", "rate": 4.0, "same_rate": 1.0,
        "bracketed": 1, "no_kernel": "-", "frozen_by": "by forward mode",
        "constant_train": 1.0, "least_frozen_train": 0.0,
        "steep_score": 0.7, "fixed": 0.6, "fixed_validation": 0.6, "fixed_end": 0.7, "train": 0.0,
        "validation": 0.1, "test": 0.1, "score": 0.1, "validation_score": 0.1,
    }  # fmt: skip
    for arm, loss in (("frozen_", 0.65), ("same_", 0.7)):
        row |= {f"{arm}{c}": loss for c in ("validation", "test", "score", "validation_score")}
        row |= {f"{arm}train": 0.0}
    start = {"train": 1.0, "validation": 1.0, "test": 1.0, "score": 1.0, "validation_score": 1.0}
    first = {**row, **start, **{f"{a}_{c}": 1.0 for a in ("frozen", "same") for c in start}}
    rows = [
        {**given, **changes, "seed": seed, "step": step}
        for seed in range(6)
        for step, given in ((0, first), (50, row), (100, {**row, **changes.get("end", {})}))
    ]
    return pd.DataFrame(rows).drop(columns="end", errors="ignore")


def checks(of=None):
    return pd.DataFrame({"claim": list(QUESTIONS), "final": [of[name] for name in QUESTIONS]})


def test_a_decision_says_it_in_a_sentence():
    found = decided(checks(verdicts("1 2 3 4 6 7", "5")), table())
    assert found.diagnosis == "features help"
    assert found.stop_at is None
    assert found.sentence == (
        "Features help: test error 0.10 against 0.60 with features frozen; 1 is the best constant. "
        "Frozen by forward mode, at 4 times the rate, beside the kernel's own solution."
    )


def test_the_step_to_stop_at_is_that_of_the_least_validation_loss():
    late = table(end={"validation": 0.9, "test": 0.9, "score": 0.9})
    found = decided(checks(verdicts("1 2 3 4 6", "5 7")), late)
    assert found.stop_at == 50
    assert "stop at step 50" in found.sentence


@pytest.mark.parametrize("name", DIAGNOSES)
def test_every_diagnosis_has_its_sentence(name):
    of = {
        "optimization": verdicts("", "1"),
        "harmful features": verdicts("1", "4"),
        "features help": verdicts("1 3"),
        "only faster": verdicts("1 2 5"),
        "nothing needs features": verdicts("1 4 5"),
        "dead start": verdicts(),
        "undecided": verdicts("1"),
    }[name]
    rows = table(train=0.95, least_frozen_train=0.95) if name == "dead start" else table()
    found = decided(checks(of), rows)
    assert found.diagnosis == name
    assert found.sentence.lower().startswith(name)
    assert found.sentence.endswith(".")


def test_what_served_less_well_is_said():
    rows = table(bracketed=0, no_kernel="too many outputs", frozen_by="by the dial, alpha = 1000")
    told = decided(checks(verdicts("1 3")), rows).sentence
    assert told.endswith(
        "Frozen by the dial, alpha = 1000, at 4 times the rate (the end of the search, another may "
        "serve it better), for up to 16 times the steps, without a kernel's solution: too many "
        "outputs."
    )


def test_where_no_diagnosis_was_asked_there_is_none():
    found = decided(checks(verdicts()), table(part="scaling"))
    assert (found.diagnosis, found.stop_at) == (None, None)


def test_choices_are_made_on_validation_data():
    """The kernel looks better on test data, the frozen arm was preferred on validation data."""
    rows = table(fixed=0.2, fixed_validation=0.8)
    of_seed = rows[rows["seed"] == 0]
    assert better(of_seed) == 0.65
    assert worst(of_seed) == 0.2


def test_overfitting_that_frozen_features_share_in_the_end_is_no_harm():
    """Frozen arms of as many steps have overfitted less so far; trained to the end as much."""
    rows = table(end={"score": 1.2}, fixed_end=1.3)
    of_seed = rows[rows["seed"] == 0]
    assert worst_at_end(of_seed) == 1.3
    assert QUESTIONS["U6_no_worse_at_the_end"].statistic(of_seed) == pytest.approx(-0.1)
    assert diagnosis_of_seed(of_seed) == "features help"
    rows = table(end={"score": 1.2})
    assert diagnosis_of_seed(rows[rows["seed"] == 0]) == "harmful features"


def test_a_run_that_diverges_is_told_so():
    found = decided(checks(verdicts("", "1")), table(train=DIVERGED))
    assert "Optimization: training diverges in 6 of 6 seeds, where frozen" in found.sentence


def test_a_seed_alone_gives_the_diagnosis_of_its_values():
    def said(**changes):
        rows = table(**changes)
        return diagnosis_of_seed(rows[rows["seed"] == 0])

    assert said() == "features help"
    assert said(train=DIVERGED) == "optimization"
    assert said(fixed=0.05, fixed_validation=0.05) == "only faster"
    same = {"same_validation": 0.1, "same_test": 0.1, "same_score": 0.1}
    same |= {"same_validation_score": 0.1}
    assert said(fixed=0.05, fixed_validation=0.05, **same) == "nothing needs features"
    assert said(train=1.0, least_frozen_train=0.95) == "dead start"
    assert said(train=2.0, least_frozen_train=1.9, constant_train=2.0) == "dead start"


def test_how_badly_a_run_diverges_does_not_widen_the_interval():
    """Runs that diverge, or are worse than a constant, have all learned nothing."""
    u1 = ASKED_DIAGNOSIS[0]
    rows = table()
    rows["train"] = rows["seed"].map({0: 1.1, 1: 4.0, 2: DIVERGED, 3: 1.0, 4: DIVERGED, 5: 2.0})
    found = u1.estimator(rows)
    assert (found.low, found.high) == (1.0, 1.0)


def test_a_seed_in_which_frozen_arms_fare_badly_makes_up_for_no_harm():
    """The harm of a seed is 0 at least, so that luck in one neither hides harm nor widens it."""
    u4 = next(claim for claim in ASKED_DIAGNOSIS if claim.name == "U4_features_do_no_harm")
    rows = table()
    lucky = rows["seed"] == 0
    rows["score"] = rows["test"] = 0.7
    for arm in ("frozen_score", "same_score", "fixed"):
        rows[arm] = rows["seed"].map(lambda seed: 5.0 if seed == 0 else 0.6)
    found = u4.estimator(rows)
    others = u4.estimator(rows[~lucky])
    assert others.value == pytest.approx(0.1)
    assert found.value == pytest.approx(0.1 * 5 / 6)


def test_every_asked_claim_has_a_control_that_the_grid_measures():
    assert [claim.name.partition("_")[0] for claim in ASKED_DIAGNOSIS] == [
        f"U{k}" for k in range(1, 9)
    ]
    assert {claim.control for claim in ASKED_DIAGNOSIS} == {"slow", "lazy", "shuffled", "permuted"}


@functools.cache
def measured():
    """All arms of the quickest subject, which is a linear target at too large a rate."""
    return {
        arm: pd.DataFrame(diagnosis_rows(arm, "large_rate", (0, 1)))
        for arm in ("theory", "lazy", "slow", "shuffled", "permuted")
    }


def test_arms_stand_beside_the_same_frozen_arm():
    first = measured()["theory"]
    for arm in ("lazy", "slow", "shuffled"):
        rows = measured()[arm]
        assert (rows["frozen_test"] == first["frozen_test"]).all()
        assert (rows["fixed"] == first["fixed"]).all()
        assert not (rows["test"] == first["test"]).all()


def test_permuted_differs_in_the_fixed_counterpart_alone():
    first, rows = measured()["theory"], measured()["permuted"]
    assert (rows["test"] == first["test"]).all()
    assert (rows["fixed"] > first["fixed"] + 0.5).all()
    assert (rows["frozen_score"] == rows["fixed"]).all()


def test_a_diverged_run_counts_as_so_many_units():
    end = measured()["theory"].groupby("seed").last()
    assert (end["train"] == DIVERGED).all()
    assert (end["rate"] < 1).all()


def shortened(tmp_path, name, *changes):
    """Statistics of U1 to U7 of an example that is trained for fewer steps: {name: of seeds}."""
    text = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    rows = pd.DataFrame(diagnosis_rows("theory", str(path), (0, 1)))
    of_seeds = [of_seed for _, of_seed in rows.groupby("seed")]
    return {q: [asked.statistic(of) for of in of_seeds] for q, asked in QUESTIONS.items()}


def test_the_digits_example_needs_no_features_however_it_looks_at_its_own_rate(tmp_path):
    """Trained for too short, as its page says: frozen features fit and it does not."""
    found = shortened(tmp_path, "digits_cnn", ("steps, batch = 600", "steps, batch = 90"))
    assert max(found["U2_learns_sooner"]) < -0.3
    assert min(found["U3_features_help"]) > 0.05
    assert min(found["U1_trains"]) > 0.05


def test_the_text_example_needs_no_features(tmp_path):
    changes = ("steps, batch = 400", "steps, batch = 60"), ("[:2900]", "[:1500]")
    found = shortened(tmp_path, "text_transformer", *changes)
    assert min(found["U2_learns_sooner"]) > -0.2
    assert min(found["U3_features_help"]) > -0.05


def test_the_lazy_kernel_of_a_jax_network_stays(tmp_path):
    path = tmp_path / "short.py"
    path.write_text((BUILTIN / "parity_jax.py").read_text().replace("600, 64", "20, 64"))
    rows = list(evolution_rows("lazy", str(path), (0,)))
    assert [row["step"] for row in rows] == [0, 1, 5, 20]
    assert max(abs(row["distance"]) for row in rows) < 1e-4


def test_a_figure_of_several_networks_has_no_panel_to_spare():
    """An empty one would be told as not measured in this tier."""
    rows = pd.DataFrame(
        {"subject": subject, "arm": "theory", "seed": 0, "step": step, "fixed": 0.5,
         "no_kernel": "-", "test": 1 / step, "frozen_test": 1 / step, "same_test": 1 / step}
        for subject in "abcdefg" for step in (1, 10)
    )  # fmt: skip
    assert len(figures.figure_1(rows).axes) == 7
