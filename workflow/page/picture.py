"""A figure for the page: its SVG, packed; the page's script unpacks it where it is shown.

The letters of all figures are packed once for the page: in each figure they were half of it.
"""

import base64
import gzip
import html
import json
import re

COORDINATES = re.compile(r' (?:d|x|y)="[^"]*"')
DECIMALS = re.compile(r"(\d\.\d\d)\d+(?!e)")
PLACES = re.compile(r"(\d\.\d)\d+(?!e)")
LETTER = r'<path id="([A-Z][\w-]+-[0-9a-f]+)" d="([^"]*)" transform="scale\(0\.015625\)"/>'
NAMED = re.compile(LETTER)
WITHOUT = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*</defs>", re.DOTALL)
GROUP = re.compile(r'<g id="[^"]*"')
BETWEEN = re.compile(r">\s+<")
POLYLINE = re.compile(r' d="(M [^"CQ]*?)"')
VERTEX = re.compile(r"([ML]) (-?[\d.e-]+) (-?[\d.e-]+)")
MARK = re.compile(r'<use xlink:href="#(\w+)" x="([^"]*)" y="([^"]*)" style="([^"]*)"/>')
MARKS = re.compile(
    r'<use xlink:href="#(\w+)" x="[^"]*" y="[^"]*" style="([^"]*)"/>'
    r'(?:<use xlink:href="#\1" x="[^"]*" y="[^"]*" style="\2"/>)+'
)
PANEL = re.compile(r"<rdf:li>(\{.*?\})</rdf:li>", re.DOTALL)
LETTERED = re.compile(r"\(([a-z])\)\s*")
DESCRIPTION = re.compile(r"<dc:description>([^<]*)</dc:description>")
SIZE = re.compile(r'<svg[^>]* width="([\d.]+)pt" height="([\d.]+)pt"')
PIXELS_PER_POINT = 1.7  # a figure of one text column, 3.4 in, is 416 px wide


def description(svg: str) -> str:
    """What a figure says of itself where its tier does not measure all of it; mostly empty."""
    found = DESCRIPTION.search(svg)
    return found[1] if found else ""


def panels(svg: str) -> list[dict]:
    """What a figure says of its panels (`workflow.draw.panels`), each with the letter that it is
    called by: its own, or its place; of a single panel none. Empty where it says nothing.

    Two panels of one letter would be one place on the page: a ValueError.
    """
    found = _said(svg)
    for place, one in enumerate(found):
        own = LETTERED.match(one["title"])
        one["letter"] = own[1] if own else chr(ord("a") + place) if len(found) > 1 else ""
        one["title"] = one["title"][own.end() :] if own else one["title"]
        one["marked"] = bool(own)
        del one["scales"]  # which the picture itself keeps
    called = [one["letter"] for one in found if one["letter"]]
    if len(set(called)) < len(called):
        raise ValueError(f"panels of a figure: found the letters {', '.join(called)}, one twice")
    return found


def _said(svg: str) -> list[dict]:
    return [json.loads(html.unescape(text)) for text in PANEL.findall(svg)]


def scales(svg: str) -> str:
    """How the page reads numbers back from a picture: `widenets.evidence.scales` of each panel that
    shows something, as a JSON list in an element of its own."""
    told = [one["scales"] for one in _said(svg) if not one["empty"]]
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return f"<metadata>{html.escape(text, quote=False)}</metadata>"


def letters(svgs: list[str]) -> str:
    """The letters of figures, packed: a JSON object with the path of each by its name."""
    found = {name: path for svg in svgs for name, path in NAMED.findall(svg)}
    return pack(json.dumps({name: " ".join(found[name].split()) for name in sorted(found)}))


def packed(svg: str) -> str:
    """base64 of the gzipped SVG, its coordinates rounded to what a screen shows: to a tenth of a
    point, those of curves, which may be small marks, to a hundredth.

    Without its letters; polylines have relative coordinates; marks that look the same, which
    follow each other, are written <marks of="name" at="x,y x,y ..."/>, and unfolded by the page.
    Of its metadata the scales alone are kept.
    """
    bare = BETWEEN.sub("><", GROUP.sub("<g", WITHOUT.sub("", NAMED.sub("", svg))))
    bare = bare.replace("</svg>", f"{scales(svg)}</svg>")
    bare = COORDINATES.sub(_rounded, POLYLINE.sub(_relative, bare))
    return pack(MARKS.sub(_together, bare))


def _rounded(found: re.Match) -> str:
    """A coordinate or a path with fewer decimals."""
    return (DECIMALS if "C" in found[0] else PLACES).sub(r"\1", found[0])


def _relative(found: re.Match) -> str:
    """A path of straight lines with the steps between its points, in tenths of a point."""
    pieces, x, y = [], 0, 0
    for letter, *numbers in VERTEX.findall(found[1]):
        right, down = (round(10 * float(number)) for number in numbers)
        pieces.append(f"{letter.lower()}{_tenths(right - x)} {_tenths(down - y)}")
        x, y = right, down
    return f' d="{"".join(pieces)}{"z" if "z" in found[1] else ""}"'


def _tenths(number: int) -> str:
    return f"{number / 10:g}"


def _together(found: re.Match) -> str:
    """A run of equal marks as one element; MARK's groups are name, x, y and style."""
    marks = MARK.findall(found[0])
    places = " ".join(f"{x},{y}" for _, x, y, _ in marks)
    return f'<g style="{marks[0][3]}"><marks of="{marks[0][0]}" at="{places}"/></g>'


def pack(text: str) -> str:
    """base64 of the gzipped text."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def size(svg: str) -> tuple[int, int]:
    """Width and height in pixels on the page, so that all figures have the same size of letters;
    those of one text column where the SVG does not say them in points."""
    found = SIZE.search(svg)
    points = map(float, found.groups()) if found else (244.8, 187.2)
    width, height = (round(length * PIXELS_PER_POINT) for length in points)
    return width, height
