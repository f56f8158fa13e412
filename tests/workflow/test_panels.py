"""What a panel shows is found by its numbers: columns, arms, parameters, and nothing by chance."""

import html
import json

import numpy as np
import pandas as pd
import pytest

from widenets.evidence import style
from workflow.draw import panels
from workflow.page import picture


def table():
    generator = np.random.default_rng(0)
    rows = [
        {"part": "drift", "arm": arm, "width": n, "depth": depth, "seed": seed}
        for arm in ("theory", "control")
        for n in (64, 128, 256)
        for depth in (1, 2)
        for seed in range(8)
    ]
    found = pd.DataFrame(rows)
    for column in ("change", "gap"):
        found[column] = np.exp(generator.normal(size=len(found)))
    return found


def drawn(draw, **settings):
    figure, axes = style.panels(2)
    draw(*axes[0])
    return panels(figure, table(), [False, False], **settings)


def of(rows, arm="theory", depth=2):
    return rows[(rows["arm"] == arm) & (rows["depth"] == depth)]


def test_columns_arms_and_held_parameters_are_those_of_the_rows_drawn():
    def draw(left, right):
        look = {"x": "width", "label": "n"}
        style.seeds_and_mean(left, of(table()), y="change", **look)
        style.seeds_and_mean(right, of(table(), depth=1), y="gap", geometric=True, **look)
        style.seeds_and_mean(right, of(table(), "control", 1), y="gap", control=True, **look)
        left.set_title("(a) drift")

    left, right = drawn(draw)
    told = {"part": "drift", "column": "change", "arms": ["theory"], "held": {"depth": 2}}
    assert (left["title"], left["shows"]) == ("(a) drift", [told])
    told = {"part": "drift", "column": "gap", "arms": ["control", "theory"], "held": {"depth": 1}}
    assert (right["title"], right["shows"]) == ("", [told])
    assert left["box"][0] + left["box"][2] < right["box"][0] + 0.05


def test_means_over_seeds_are_known_and_what_is_derived_is_not():
    def draw(left, right):
        mean = of(table()).groupby("width")["change"].mean()
        left.plot(mean.index, mean, color=style.COLORS[0])
        right.plot([0.5, 0.7], [0.123456, 0.7654321], color=style.COLORS[0])

    left, right = drawn(draw)
    assert [one["column"] for one in left["shows"]] == ["change"]
    assert right["shows"] == []


def test_theory_and_guides_are_nothing_measured():
    def draw(left, right):
        rows = of(table())
        style.theory_line(left, rows["width"], rows["change"], label="theory")
        style.guide_slope(right, [64, 128], slope=0, through=(64, rows["gap"].iloc[0]), label="g")

    assert [one["shows"] for one in drawn(draw)] == [[], []]


@pytest.mark.parametrize("twin", [False, True])
def test_a_second_axis_over_a_panel_belongs_to_it(twin):
    def draw(left, right):
        other = left.twinx() if twin else right
        style.seeds_and_mean(left, of(table()), x="width", y="change", label="n")
        style.seeds_and_mean(other, of(table()), x="width", y="gap", label="n")

    figure, axes = style.panels(2)
    draw(*axes[0])
    found = panels(figure, table(), [False] * len(figure.axes))
    assert len(found) == 2
    assert {one["column"] for one in found[0]["shows"]} == (
        {"change", "gap"} if twin else {"change"}
    )


def test_a_panel_names_the_scales_by_which_its_numbers_are_read_back():
    figure, axes = style.panels(2)
    left, right = axes[0]
    style.seeds_and_mean(left, of(table()), x="width", y="change", label="n", index=1)
    style.guide_slope(left, [64, 256], slope=-1, through=(64, 1.0), label="$n^{-1}$")
    left.set(xscale="log", yscale="symlog", xlim=(10, 1000), ylim=(-0.5, 100), xlabel="width $n$")
    left.set_yscale("symlog", linthresh=1)
    right.plot([0, 1], [2, 3], "o")
    right.set_xticks([0, 1], ["relu", "erf"])
    first, second = (one["scales"] for one in panels(figure, table(), [False, False]))
    log = {"kind": "log", "base": 10}
    assert first["x"] == {"label": "width $n$", **log, "ends": [1, 3], "ticks": [10, 100, 1000]}
    assert first["y"].pop("ends") == pytest.approx([-0.5 / 0.9, 1 / 0.9 + 2])
    assert first["y"].pop("linear") == pytest.approx(1 / 0.9)
    stretched = {"kind": "symlog", "base": 10, "threshold": 1}
    assert first["y"] == {"label": "", **stretched, "ticks": [0, 1, 10, 100]}
    assert first["curves"] == [["#404040", True, "$n^{-1}$"], [style.COLORS[1].lower(), False, "n"]]
    assert second["x"]["names"] == [[0, "relu"], [1, "erf"]]
    assert "names" not in second["y"]
    left, top, width, height = first["place"]
    box = axes[0][0].get_position()
    assert (left, 1 - top - height) == pytest.approx((box.x0, box.y0), abs=1e-4)
    assert (width, height) == pytest.approx((box.width, box.height), abs=1e-4)


def test_scales_of_another_kind_are_not_told():
    figure, axes = style.panels(1)
    axes[0][0].set_xscale("logit")
    assert panels(figure, table(), [True])[0]["scales"]["x"] is None


def test_two_panels_of_one_letter_are_refused():
    def svg(*titles):
        told = [html.escape(json.dumps({"title": title, "scales": {}})) for title in titles]
        return "".join(f"<rdf:li>{one}</rdf:li>" for one in told)

    assert [one["letter"] for one in picture.panels(svg("(a) NTK", "(b) NNGP"))] == ["a", "b"]
    with pytest.raises(ValueError, match="found the letters a, a, one twice"):
        picture.panels(svg("(a) relu", "(a) erf"))
