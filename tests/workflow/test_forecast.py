"""What a tier will cost: laws of made-up cells are found, and what is not known is said."""

import numpy as np
import pytest

from workflow.base.files import write_json, write_text
from workflow.base.grid import ALL, Cell, Seeds, shard_digest, shards
from workflow.host.unfinished import Cost
from workflow.trust import forecast
from workflow.trust.forecast import (
    COMPUTING,
    UPPER,
    Measured,
    PowerLaw,
    features,
    forecasts,
    known_cells,
    page,
)

PAPER = "arora2019_generalization"


def cell(width, seeds=4, arm="theory", **others):
    return Cell("train", arm, {"width": width, **others}, tuple(range(seeds)))


def law(cells, seconds):
    return PowerLaw(cells, np.log(seconds), COMPUTING, np.random.default_rng(0))


def test_a_power_that_was_varied_is_found_and_carried_on():
    cells = [cell(2**k, seeds) for k in range(6, 11) for seeds in (2, 4, 8)]
    seconds = [1e-5 * one.parameters["width"] ** 2 * len(one.seeds) for one in cells]
    draws = np.exp(law(cells, seconds).draws(cell(8192, 16)))
    right = 1e-5 * 8192**2 * 16
    assert 0.6 < np.median(draws) / right < 1.6
    assert np.quantile(draws, 0.05) < right < np.quantile(draws, UPPER)


def test_a_size_that_was_never_varied_counts_as_linear_and_is_not_trusted():
    model = law([cell(64) for _ in range(20)], [1.0] * 20)
    near, far = (model.draws(cell(width)) for width in (64, 64 * 100))
    assert abs(np.median(far) - np.median(near) - np.log(100)) < 0.4
    assert np.std(far) > 4 * np.std(near)


def test_rates_and_words_have_no_effect_until_they_were_seen_to():
    known = [cell(64, rate=0.1) for _ in range(20)]
    model = law(known, [1.0] * 20)
    assert abs(np.median(model.draws(cell(64, rate=0.3)))) < 0.3
    other = model.draws(cell(64, arm="other", rate=0.1))
    assert abs(np.median(other)) < 0.3
    assert np.std(other) > 1.3 * np.std(model.draws(known[0]))


def test_dear_arms_are_told_from_cheap_ones():
    cells = [cell(64, arm=arm) for arm in ("cheap", "dear") for _ in range(10)]
    model = law(cells, [0.1] * 10 + [10.0] * 10)
    cheap, dear = (np.median(model.draws(cell(64, arm=arm))) for arm in ("cheap", "dear"))
    assert dear - cheap > np.log(40)


def test_features_are_sizes_scales_and_words():
    found = features(cell(8, 3, rate=0.5, samples=[1, 7], rates=[-1.0, 2.0], off=0, flag=True))
    assert found == {
        "seeds": np.log(3),
        "arm=theory": 1.0,
        "whole width": np.log(8),
        "rate": np.log(0.5),
        "whole samples": np.log(8),
        "whole rates": np.log(2),
        "off=0": 1.0,
        "flag=True": 1.0,
    }


def record(folder, tier, shard, seconds, seeds=ALL, **changes):
    """A record of a real grid whose cells each took so long."""
    cells = shards(PAPER, tier, seeds)[shard]
    facts = {
        "replication": PAPER,
        "shard": shard,
        "seeds": sorted({seed for one in cells for seed in one.seeds}),
        "cells": shard_digest(cells),
        "cpu_seconds": seconds * len(cells),
        "per_cell": {
            "cpu_seconds": [seconds] * len(cells),
            "compile_seconds": [0.0] * len(cells),
            "max_rss_mb": [500.0] * len(cells),
        },
    }
    path = folder / tier / "records" / PAPER / f"{shard}.csv"
    write_text(path, "")
    write_json(path.with_suffix(".json"), {**facts, **changes})
    return len(cells)


@pytest.fixture(autouse=True)
def no_reference(monkeypatch):
    """Only what a test has made is known."""
    of_folder = forecast.records_of
    monkeypatch.setattr(
        forecast, "records_of", lambda tier, folder: of_folder(tier, folder, folder)
    )


def test_only_cells_of_todays_grid_count_and_a_trial_with_few_seeds_does(tmp_path):
    count = record(tmp_path, "smoke", "main", 1.0)
    trial = record(tmp_path, "paper", "main", 1.0, Seeds(at_most=1))
    record(tmp_path, "laptop", "main", 1.0, cells="others")
    found = known_cells(("smoke", "laptop", "paper"), tmp_path, [PAPER])
    assert [len(some[PAPER]) for some in found.values()] == [count, 0, trial]
    assert {len(one.cell.seeds) for one in found["paper"][PAPER]} == {1}


def test_a_part_that_was_never_measured_is_named(tmp_path):
    cells = [one for one in shards(PAPER, "paper")["main"] if one.part != "descent"]
    known = [Measured(one, Cost(1.0, 0.5, 1.0, 400.0)) for one in cells]
    (main,) = (one for one in forecasts(PAPER, "paper", known) if one.shard == "main")
    assert main.unknown == ("descent",)
    assert 0.7 < np.median(main.seconds) / len(cells) < 1.5
    assert 250 < main.memory_mb < 1500


def test_sizes_far_beyond_those_measured_are_named(tmp_path):
    cells = [one for some in shards(PAPER, "paper").values() for one in some]
    sizes = {
        (one.part, name): value
        for one in cells
        for name, value in one.parameters.items()
        if isinstance(value, int) and not isinstance(value, bool) and value > 32
    }
    part, name = min(sizes)
    small = [
        one._replace(parameters={**one.parameters, name: 2}) if one.part == part else one
        for one in cells
    ]
    known = {
        scale: [Measured(one, Cost(1.0, 0.5, 1.0, 400.0)) for one in some]
        for scale, some in (("same", cells), ("small", small))
    }
    beyond = {
        scale: {size for one in forecasts(PAPER, "paper", some) for size in one.beyond}
        for scale, some in known.items()
    }
    assert beyond == {"same": set(), "small": {name}}


@pytest.mark.parametrize(
    "name, ratio, arm, possible",
    [
        ("points", 15, "theory", True),
        ("points", 17, "theory", False),
        ("points", 5, "images", False),  # of which no smaller ones were measured either
        ("points", 3, "images", True),
        ("steps", 100, "theory", True),
        ("steps", 100, "images", True),
    ],
)
def test_what_lies_too_far_is_not_forecast(name, ratio, arm, possible):
    """The 10000 images of Geiger et al. came out at minutes, from 64 points of another task."""
    known = Cell("scan", "theory", {"points": 64, "steps": 10}, (0, 1))
    sizes = {**known.parameters, name: ratio * known.parameters[name]}
    far = known._replace(arm=arm, parameters=sizes)
    beyond, others = forecast._beyond([far], {"scan": [Measured(known, Cost(1.0))]})
    one = forecast.Forecast("p", "s", 1, np.ones(3), 500.0, (), beyond, others)
    assert one.possible == possible
    shown = forecast._row(one)
    assert (shown["CPU"] == "not forecast") != possible
    assert shown["at most"] == ("1 s" if possible else "?")
    assert others == (("arm=images",) if beyond and arm != "theory" else ())


def test_beyond_the_steps_that_were_measured_time_is_linear():
    """Few steps take what a cell takes besides, so that their power is too small."""
    cells = [Cell("descent", "theory", {"steps": steps}, (0, 1)) for steps in (10, 20, 40, 80)]
    known = [Measured(one, Cost(1.0, 0.0, 1.0, 400.0)) for one in cells]
    nearer, times = forecast._within(cells[0]._replace(parameters={"steps": 8000}), known)
    assert (nearer.parameters["steps"], round(times, 6)) == (80, 100.0)
    assert forecast._within(cells[0], known) == (cells[0], 1.0)


def test_the_page_lists_the_worst_first_and_checks_itself_on_the_tier_below(tmp_path):
    record(tmp_path, "smoke", "main", 1.0)
    record(tmp_path, "laptop", "main", 300.0)
    text = page("paper", tmp_path, [PAPER])
    assert "Checked: 1 shards of the laptop tier" in text
    ratio = float(text.partition("\n(median ")[2].split(",")[0])
    assert ratio > 30
    hours = [line.split("|")[4].strip() for line in text.splitlines() if f"| {PAPER}" in line]
    unknown = hours.count("not forecast")
    assert hours[:unknown] == ["not forecast"] * unknown
    hours = hours[unknown:]
    assert hours
    seconds = [float(t.split()[0]) * {"s": 1, "min": 60, "h": 3600}[t.split()[1]] for t in hours]
    assert seconds == sorted(seconds, reverse=True)
    assert " shards with a forecast are expected to take more than\n2 h;\n" in text
    assert f"{unknown} shards are *not forecast* and in no sum" in text


def test_nothing_measured_is_no_estimate(tmp_path):
    text = page("paper", tmp_path, [PAPER])
    assert "what\nno cell took" in text
    assert "It was not checked" in text
    count = len(shards(PAPER, "paper"))
    assert f"{count} of all have parts that were never measured." in text
    assert "| > 0 s | ? |" in text
