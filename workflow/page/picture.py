"""A figure for the page: its SVG, smaller than matplotlib writes it, as the address of an image."""

import base64
import re
from collections.abc import Iterator
from itertools import groupby

COORDINATES = re.compile(r' (?:d|x|y)="[^"]*"')
DECIMALS = re.compile(r"(\d\.\d\d)\d+(?!e)")
MARKER = re.compile(r'\s*<use (.*?) style="([^"]*)"/>')
WIDTH = re.compile(r'<svg[^>]* width="([\d.]+)pt"')
PIXELS_PER_POINT = 1.7  # a figure of one text column, 3.4 in, is 416 px wide


def address(svg: str) -> str:
    """Coordinates rounded to what a screen shows, runs of equal markers styled once."""
    smaller = "\n".join(_styled_once(COORDINATES.sub(_rounded, svg).splitlines()))
    return f"data:image/svg+xml;base64,{base64.b64encode(smaller.encode()).decode()}"


def width(svg: str) -> int:
    """Pixels on the page, so that all figures have the same size of letters; 416 if it is not
    said in points."""
    found = WIDTH.search(svg)
    return round((float(found[1]) if found else 244.8) * PIXELS_PER_POINT)


def _rounded(found: re.Match) -> str:
    return DECIMALS.sub(r"\1", found[0])


def _style(line: str) -> str:
    """Style of a line that is one marker; an opacity of the whole marker cannot be shared."""
    found = MARKER.fullmatch(line)
    return found[2] if found and not re.search(r"(?<!-)opacity", found[2]) else ""


def _styled_once(lines: list[str]) -> Iterator[str]:
    for style, run in groupby(lines, _style):
        if not style:
            yield from run
            continue
        yield f'<g style="{style}">'
        yield from (f"<use {MARKER.fullmatch(line)[1]}/>" for line in run)
        yield "</g>"
