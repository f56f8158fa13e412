"""The axes of a drawn panel as plain values, by which a page reads numbers back from its places.

Only what the page needs: where the panel lies in the picture, how each axis bends numbers, and what
the colours and dashes of its curves are called.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

WORDS = re.compile(r"[A-Za-z×→]")  # of a tick that is a name and not a number
COMMAND = re.compile(r"\\[A-Za-z]+")


def scales(axes: Axes) -> dict:
    """{place, x, y, curves} of a panel.

    place: left, top, width and height of the area between the axes, as shares of the picture; x, y:
    see `_axis`; curves: [colour, whether dashed, label] of each that has a label.
    """
    left, low, width, height = axes.get_position().bounds
    place = [round(float(share), 5) for share in (left, 1 - low - height, width, height)]
    handles, labels = axes.get_legend_handles_labels()
    looks = (_look(handle) for handle in handles)
    curves = [[*look, label] for look, label in zip(looks, labels, strict=True) if look]
    return {"place": place, "x": _axis(axes.xaxis), "y": _axis(axes.yaxis), "curves": curves}


def _axis(axis: Axis) -> dict | None:
    """{label, kind, ends}: `ends` are the numbers at both ends as the scale bends them, that is as
    logarithms of `base` where it is logarithmic; of symlog also `threshold` and `linear`, by which
    numbers near 0 are stretched. `ticks` are the numbers that the axis marks, `names` those of an
    axis of names: [place, name]. None of scales other than linear, log and symlog, whose numbers
    are not told."""
    kind, bend = axis.get_scale(), axis.get_transform()
    if kind not in ("linear", "log", "symlog"):
        return None
    found = {"label": axis.get_label_text(), "kind": kind}
    ends = bend.transform(axis.get_view_interval())
    found["ends"] = [float(f"{end:.8g}") for end in ends]
    if kind == "log":
        found["base"] = bend.base
    if kind == "symlog":
        base = bend.base
        found |= {"base": base, "threshold": bend.linthresh}
        found["linear"] = bend.linscale / (1 - 1 / base)
    places = axis.get_majorticklocs()
    names = [" ".join(name.split()) for name in axis.get_major_formatter().format_ticks(places)]
    if any(WORDS.search(COMMAND.sub("", name)) for name in names):
        pairs = zip(places, names, strict=True)
        found["names"] = [[float(place), name] for place, name in pairs if name]
    else:
        low, high = sorted(ends)
        inside = (low <= place <= high for place in bend.transform(places))
        found["ticks"] = [float(f"{t:.8g}") for t, here in zip(places, inside, strict=True) if here]
    return found


def _look(handle: Artist) -> tuple[str, bool] | None:
    """(colour, whether dashed) of what a legend explains; None of areas and images."""
    from matplotlib.collections import PathCollection
    from matplotlib.colors import to_hex
    from matplotlib.container import ErrorbarContainer
    from matplotlib.lines import Line2D

    if isinstance(handle, ErrorbarContainer):
        handle = handle.lines[0] or handle.lines[2][0]
    if isinstance(handle, Line2D):
        return to_hex(handle.get_color()), handle.get_linestyle() not in ("-", "None")
    if isinstance(handle, PathCollection):
        colors = handle.get_facecolor() if len(handle.get_facecolor()) else handle.get_edgecolor()
        return to_hex(colors[0]), False
    if hasattr(handle, "get_segments"):
        return to_hex(handle.get_color()[0]), False
    return None
