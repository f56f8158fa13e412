"""The figure style: every helper draws what it says, and a file has the same bytes twice."""

import io

import matplotlib
import numpy as np
import pytest
from pandas import DataFrame

from widenets.evidence import style
from widenets.evidence.calibration import power_law
from widenets.evidence.intervals import student_t


@pytest.fixture(autouse=True)
def _own_settings():
    with matplotlib.rc_context():
        yield


def drawn() -> tuple:
    rows = power_law(np.random.default_rng(0), 4)
    figure, axes = style.panels(2)
    left, right = axes[0]
    style.seeds_and_mean(left, rows, x="width", y="value", label="arm", geometric=True)
    style.seeds_and_mean(left, rows, x="width", y="value", label="control", control=True)
    style.theory_line(left, [64, 512], [0.12, 0.04], label="theory")
    style.guide_slope(left, [64, 512], slope=-0.5, through=(64, 0.1), label="slope -1/2")
    style.logarithmic(left, ticks=(64, 128, 256, 512))
    style.accepted_band(left, 0.05, np.inf)
    style.curve_over_seeds(right, rows, x="width", y="value", label="curve")
    return figure, left, right


def svg() -> bytes:
    buffer = io.BytesIO()
    drawn()[0].savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def test_the_bytes_are_the_same_every_time():
    assert svg() == svg()


def test_theory_is_solid_black_and_the_control_dashed_grey():
    _, left, _ = drawn()
    lines = {line.get_label(): line for line in left.get_lines()}
    assert (lines["theory"].get_color(), lines["theory"].get_linestyle()) == (style.THEORY, "-")
    control = next(bar for bar in left.containers if bar.get_label() == "control").lines[0]
    assert (control.get_color(), control.get_linestyle()) == (style.CONTROL, "--")


def test_bars_are_the_student_t_interval_over_seeds():
    rows = power_law(np.random.default_rng(0), 4)
    _, axes = style.panels()
    style.seeds_and_mean(axes[0, 0], rows, x="width", y="value", label="arm")
    container = axes[0, 0].containers[0]
    first = container.lines[2][0].get_segments()[0][:, 1]
    expected = student_t(rows["value"][rows["width"] == 64])
    assert first == pytest.approx([expected.low, expected.high])


def test_a_guide_has_the_slope_it_names():
    _, axes = style.panels()
    style.guide_slope(axes[0, 0], [512, 64], slope=-0.5, through=(64, 0.1), label="")
    x, y = axes[0, 0].get_lines()[0].get_data()
    assert np.diff(np.log(y)) / np.diff(np.log(x)) == pytest.approx(-0.5)


def test_a_single_seed_is_drawn_without_a_bar():
    _, axes = style.panels()
    rows = power_law(np.random.default_rng(0), 1)
    style.seeds_and_mean(axes[0, 0], rows, x="width", y="value", label="one")
    segments = axes[0, 0].containers[0].lines[2][0].get_segments()
    assert all(low == high for low, high in (segment[:, 1] for segment in segments))


def test_arms_differ_in_colour_and_in_marker():
    styles = [style.arm_style(index) for index in range(8)]
    assert len({one["color"] for one in styles}) == len({one["marker"] for one in styles}) == 8


def test_one_panel_fills_a_column_and_more_fill_the_page():
    assert style.panels()[0].get_figwidth() == style.COLUMN_WIDTH
    assert style.panels(3)[0].get_figwidth() == style.PAGE_WIDTH


def test_the_legend_below_names_every_label_once():
    figure, _, right = drawn()
    style.theory_line(right, [64, 512], [0.12, 0.04], label="theory")
    style.legend_below(figure)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels.count("theory") == 1
    assert {"arm", "control", "theory", "curve", "accepted"} <= set(labels)


@pytest.mark.parametrize(
    ("limits", "labels"), [((0.15, 0.55), {"0.2", "0.3", "0.5"}), ((0.05, 20.0), set())]
)
def test_a_logarithmic_axis_within_a_power_of_ten_has_labels(limits, labels):
    figure, ((axis,),) = style.panels(1)
    style.logarithmic(axis, "y")
    axis.set_ylim(*limits)
    figure.draw_without_rendering()
    assert {label.get_text() for label in axis.yaxis.get_minorticklabels()} - {""} == labels


@pytest.mark.parametrize("values", [(63.9, 63.9 * (1 + 1e-14)), (63.9, 64.9)])
def test_numbers_alike_but_for_rounding_stand_within_a_factor_of_two(values):
    figure, ((axis,),) = style.panels(1)
    axis.plot([16, 64], values)
    style.logarithmic(axis, "y")
    before = axis.get_ylim()
    style.open_narrow_axes(figure)
    if values[1] > 64:
        assert axis.get_ylim() == before
    else:
        assert axis.get_ylim() == pytest.approx((63.9 / 2, 63.9 * 2))


def test_arms_against_a_size_are_labelled_the_control_dashed_and_the_claimed_power_dotted():
    rows = DataFrame(
        [
            {"arm": arm, "width": n, "seed": seed, "gap": (1 + 0.1 * seed) * n**power}
            for arm, power in (("theory", -1.0), ("other", 0.0))
            for n in (4, 16, 64)
            for seed in range(3)
        ]
    )
    _, ((axes,),) = style.panels()
    arms = {"theory": "measured", "other": "control", "of_a_larger_tier": "absent"}
    look = {"control": "other", "slope": -1, "law": "1/n"}
    style.arms_against(axes, rows, "width", "gap", arms, **look)
    labels = axes.get_legend_handles_labels()[1]
    assert sorted(labels) == ["1/n", "control", "measured"]
    control = next(bars for bars in axes.containers if bars.get_label() == "control")
    assert control[0].get_linestyle() == "--"
    (guide,) = [line for line in axes.lines if line.get_label() == "1/n"]
    x, y = guide.get_xdata(), guide.get_ydata()
    assert np.allclose(y * x, y[0] * x[0])
    own = rows[(rows["arm"] == "theory") & (rows["width"] == 64)]["gap"]
    assert np.isclose(y[-1], np.exp(np.log(own).mean()))
