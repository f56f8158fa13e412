"""A figure for the page: its SVG, packed; the page's script unpacks it where it is shown."""

import base64
import gzip
import re

COORDINATES = re.compile(r' (?:d|x|y)="[^"]*"')
DECIMALS = re.compile(r"(\d\.\d\d)\d+(?!e)")
DESCRIPTION = re.compile(r"<dc:description>([^<]*)</dc:description>")
SIZE = re.compile(r'<svg[^>]* width="([\d.]+)pt" height="([\d.]+)pt"')
PIXELS_PER_POINT = 1.7  # a figure of one text column, 3.4 in, is 416 px wide


def description(svg: str) -> str:
    """What a figure says of itself where its tier does not measure all of it; mostly empty."""
    found = DESCRIPTION.search(svg)
    return found[1] if found else ""


def packed(svg: str) -> str:
    """base64 of the gzipped SVG, its coordinates rounded to what a screen shows."""
    rounded = COORDINATES.sub(lambda found: DECIMALS.sub(r"\1", found[0]), svg)
    return base64.b64encode(gzip.compress(rounded.encode(), 9, mtime=0)).decode()


def size(svg: str) -> tuple[int, int]:
    """Width and height in pixels on the page, so that all figures have the same size of letters;
    those of one text column where the SVG does not say them in points."""
    found = SIZE.search(svg)
    points = map(float, found.groups()) if found else (244.8, 187.2)
    width, height = (round(length * PIXELS_PER_POINT) for length in points)
    return width, height
