"""An estimate with its interval, drawn against the accepted region, the control below it.

The axis is the same for all claims: u = asinh((x - centre) / scale). Near the region it is linear,
far away logarithmic, so that the region has about the same place and width in every strip and a
control that is off by orders of magnitude still fits. For a one-sided region the centre is its end
and the scale the distance of the estimate's interval from it. A dotted line is the prediction, a
cross its nearest rival.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN, EDGE = 340, 62, 14, 6
FARTHEST = math.asinh(30)  # beyond, an arrow at the edge
NEAREST = math.asinh(2)


class Mark(NamedTuple):
    """One interval of a strip. `points` are the numbers of the single seeds behind it."""

    value: float | None
    low: float | None
    high: float | None
    points: Sequence[float] = ()

    @property
    def drawable(self) -> bool:
        return None not in (self.value, self.low, self.high)


def strip(
    low: float | None,
    high: float | None,
    first: Mark,
    second: Mark,
    label: str = "",
    *,
    prediction: float | None = None,
    rival: float | None = None,
) -> Markup:
    """The strip as inline SVG; `low`, `high`: ends of the region, None where it is open; without a
    label it is for the eye alone, beside numbers that say the same."""
    place = _axis(low, high, first, second)
    left = place(low) if low is not None else 0.0
    right = place(high) if high is not None else float(WIDTH)
    axis = f'<path class="axis" d="M0 {HEIGHT - 16}H{WIDTH}"/>'
    pieces = [
        Markup(axis),
        Markup('<path class="band" d="M{:.1f} 4H{:.1f}V{}H{:.1f}Z"/>').format(
            left, right, HEIGHT - 16, left
        ),
        *_ends(low, high, place),
        *_theories(prediction, rival, place),
        *_interval(first, place, 16, "first"),
        *_interval(second, place, 34, "second"),
    ]
    told = Markup('role="img" aria-label="{}"').format(label) if label else 'aria-hidden="true"'
    return Markup('<svg class="strip" {} viewBox="0 0 {} {}">{}</svg>').format(
        Markup(told), WIDTH, HEIGHT, Markup().join(pieces)
    )


def _axis(low: float | None, high: float | None, first: Mark, second: Mark):
    """The map from numbers to horizontal places."""
    marks = [mark for mark in (first, second) if mark.drawable]
    ends = [end for mark in marks for end in (mark.low, mark.high)]
    if low is not None and high is not None:
        centre, scale = (low + high) / 2, (high - low) / 2
    else:
        centre = low if low is not None else high
        near = first if first.drawable else second
        distances = [abs(near.low - centre), abs(near.high - centre)] if near.drawable else []
        scale = max(distances, default=0.0) or abs(centre) or 1.0

    def bent(number: float) -> float:
        return math.asinh((number - centre) / scale)

    reach = min(FARTHEST, max([NEAREST, *(abs(bent(end)) for end in ends)]))
    half = WIDTH / 2 - MARGIN

    def place(number: float) -> float:
        return max(EDGE, min(WIDTH - EDGE, WIDTH / 2 + half * bent(number) / reach))

    return place


def _ends(low: float | None, high: float | None, place) -> Iterator[Markup]:
    """The ends of the region as lines with their numbers; of close neighbours on either side."""
    for end, anchor in ((low, "end" if high is not None else "middle"), (high, "start")):
        if end is None:
            continue
        x = place(end)
        anchor = (
            "middle" if low is None or high is None or place(high) - place(low) > 70 else anchor
        )
        turned = "" if anchor == "middle" else f' text-anchor="{anchor}"'
        yield Markup(
            '<path class="end" d="M{x:.1f} 4V{y}"/><text x="{x:.1f}" y="{t}"{a}>{n}</text>'
        ).format(x=x, y=HEIGHT - 16, t=HEIGHT - 3, a=Markup(turned), n=short(end))


def _theories(prediction: float | None, rival: float | None, place) -> Iterator[Markup]:
    """What the theory predicts and what its rival does, where they lie on the axis."""
    if prediction is not None:
        yield Markup('<path class="prediction" d="M{:.1f} 4V{}"/>').format(
            place(prediction), HEIGHT - 16
        )
    if rival is not None and EDGE < place(rival) < WIDTH - EDGE:
        x, y = place(rival), HEIGHT - 16
        d = f"M{x - 4:.1f} {y - 4}l8 8M{x - 4:.1f} {y + 4}l8 -8"
        yield Markup('<path class="rival" d="{}"/>').format(d)


def _interval(mark: Mark, place, y: float, kind: str) -> Iterator[Markup]:
    if not mark.drawable:
        return
    places = sorted({round(x) for x in map(place, mark.points) if EDGE < x < WIDTH - EDGE})
    if places:  # dots: lines of no length with round ends, each from where the last one is
        steps = (f"m{b - a} 0h0" for a, b in pairwise(places))
        dots = f"M{places[0]} {y + 7:g}h0{''.join(steps)}"
        yield Markup('<path class="points {}" d="{}"/>').format(kind, dots)
    left, right, middle = place(mark.low), place(mark.high), place(mark.value)
    yield Markup('<path class="interval {}" d="M{:.1f} {y}H{:.1f}"/>').format(
        kind, left, right, y=y
    )
    if not EDGE < middle < WIDTH - EDGE:  # off the axis
        tip, back = (WIDTH - 1, WIDTH - 9) if middle > EDGE else (1, 9)
        d = f"M{back} {y - 5}L{tip} {y}L{back} {y + 5}Z"
        yield Markup('<path class="{} arrow" d="{}"/>').format(kind, d)
    elif kind == "first":
        yield Markup('<circle class="first mark" cx="{:.1f}" cy="{}" r="4.5"/>').format(middle, y)
    else:
        yield Markup('<rect class="second mark" x="{:.1f}" y="{}" width="8" height="8"/>').format(
            middle - 4, y - 4
        )


def short(number: float | None, digits: int = 4) -> str:
    """A number for people: few digits, a true minus sign."""
    return "none" if number is None else f"{number:.{digits}g}".replace("-", "\u2212")
