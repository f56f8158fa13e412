"""Text with formulas between dollar signs, typeset offline.

matplotlib's mathtext gives the outlines of a formula's letters; it becomes an SVG in the colour of
the text around it, without fonts or scripts.
"""

import re
from functools import cache
from typing import NamedTuple

import numpy as np
from markupsafe import Markup, escape
from matplotlib.path import Path

FORMULA = re.compile(r"(?<![\\$])\$([^$\n]+)\$")
SIZE = 100.0  # path units per em
MOVE, LINE, QUADRATIC, CUBIC = 1, 2, 3, 4
LETTERS = {MOVE: "M", LINE: "L", QUADRATIC: "Q", CUBIC: "C"}
# what TeX knows and mathtext does not, in mathtext's words
SYNONYMS = {
    **dict.fromkeys((r"\tfrac", r"\cfrac"), r"\frac"),
    **dict.fromkeys((r"\lVert", r"\rVert"), r"\Vert"),
    **dict.fromkeys((r"\lvert", r"\rvert"), r"\vert"),
    **dict.fromkeys((r"\big", r"\bigl", r"\bigr", r"\Big", r"\Bigl", r"\Bigr", r"\bigg"), ""),
    **dict.fromkeys((r"\displaystyle", r"\textstyle"), ""),
    **dict.fromkeys((r"\mathsf", r"\textrm"), r"\mathrm"),
    **dict.fromkeys((r"\bm", r"\textbf"), r"\mathbf"),
    **dict.fromkeys((r"\mathds", r"\mathbbm"), r"\mathbb"),
    r"\le": r"\leq",
    r"\ge": r"\geq",
    r"\gets": r"\leftarrow",
    r"\iff": r"\Leftrightarrow",
    r"\implies": r"\Rightarrow",
    r"\land": r"\wedge",
    r"\lor": r"\vee",
    r"\dotsc": r"\ldots",
    r"\coloneqq": ":=",
    r"\stackrel": r"\overset",
    r"\bmod": r"\;\mathrm{mod}\;",
    r"\,": r"\/",
}
# scripts of formulas that are written as plain text: n^{-1/2}, m^(-1/2), Σ^(L), Θ_∞, mu_k, |f|_F
SCRIPTS = re.compile(
    r"\^\{(?P<up>[^{}]*)\}|\^\((?P<number>[-\d/. ]+)\)|\^(?P<layer>\(\w+\))"
    r"|\^(?P<power>-?\d+(?:[./]\d+)?|\w|⊤|\*)(?![\w/(])"
    r"|(?:(?<=[\w|)])_\{(?P<down>[^{}]*)\})"
    r"|(?P<base>(?<![A-Za-z_])[A-Za-z]{1,6}|[Α-ω|)])_(?P<index>[\w∞])(?!\w)"
)
# \frac12 and \sqrt n: TeX spares the braces of a single token, mathtext does not
TOKEN = r"\s*(\\[A-Za-z]+|[^\s{\\\[])"
USED = re.compile(r'<use href="#([\w-]+)"')
FIRST = re.compile(r"(\\(?:d?frac|binom|sqrt))(?![A-Za-z])" + TOKEN)
SECOND = re.compile(r"(\\(?:d?frac|binom)\{[^{}]*\})" + TOKEN)


def typeset(text: str) -> Markup:
    """`text` as HTML: plain where it is plain, an SVG for each formula between dollar signs."""
    pieces = FORMULA.split(text)
    return Markup().join(
        _image(piece) if index % 2 else plain(piece) for index, piece in enumerate(pieces)
    )


def equation(text: str) -> Markup:
    """A text that is one formula: TeX may come without its dollar signs."""
    return typeset(f"${text}$" if "\\" in text and "$" not in text else text)


def plain(text: str) -> Markup:
    """Text with its superscripts and subscripts raised and lowered."""
    result, end = Markup(), 0
    for found in SCRIPTS.finditer(text):
        up = found["up"] or found["number"] or found["layer"] or found["power"]
        tag = "sup" if up else "sub"
        script = (up or found["down"] or found["index"] or "").replace("-", "\u2212")
        result += escape(text[end : found.start()] + (found["base"] or ""))
        result += Markup(f"<{tag}>{{}}</{tag}>").format(script)
        end = found.end()
    return result + escape(text[end:])


@cache
def _image(tex: str) -> Markup:
    """One formula; what mathtext cannot set stays visible as its source."""
    try:
        path = outline(tex)
    except ValueError:
        return Markup('<code class="tex">{}</code>').format(tex)
    return Markup(
        '<svg class="formula" role="img" aria-label="{tex}" viewBox="{box}" style="{style}">'
        "{path}</svg>"
    ).format(tex=tex, **path | {"path": Markup(path["path"])})


def outline(tex: str) -> dict[str, str]:
    """Drawing, view box, and size in em with the depth below the line of text.

    A letter is drawn once per page (`with_letters`) and used from there: as paths of their own the
    formulas of a report are two megabytes. Raises ValueError where mathtext cannot parse it.
    """
    from matplotlib import rc_context  # here: half a second that a page without formulas saves
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    tex = f"${_in_words_of_mathtext(tex)}$"
    with rc_context({"mathtext.fontset": "stix"}):
        placed, outlines, bars = text_to_path.get_glyphs_mathtext(FontProperties(), tex)
    letters = [(_letter(name, outlines), x, y, size) for name, x, y, size in placed]
    boxes = [size * letter.box + (x, y) for letter, x, y, size in letters if letter.path]
    boxes += [Path(*bar).get_extents().get_points() for bar in bars]
    if not boxes:
        raise ValueError("nothing to draw")
    left, low = np.min([(0.0, 0.0), *(corners[0] for corners in boxes)], axis=0)
    right, high = np.max([corners[1] for corners in boxes], axis=0)
    return {
        "path": "".join([*(_use(*one) for one in letters), *map(_bar, bars)]),
        "box": f"{left:.0f} {-high:.0f} {right - left:.0f} {high - low:.0f}",
        "style": f"width:{(right - left) / SIZE:.3f}em;height:{(high - low) / SIZE:.3f}em;"
        f"vertical-align:{low / SIZE:.3f}em",
    }


class _Letter(NamedTuple):
    """SVG path data, empty of a space, and its lower left and upper right corner."""

    identifier: str
    path: str
    box: np.ndarray


_LETTERS: dict[str, _Letter] = {}  # by identifier, each letter that was used


def _letter(name: str, outlines: dict) -> _Letter:
    *font, code = name.removeprefix("STIX").split("-")  # General-Italic-53: gi53
    identifier = "".join(re.findall("[A-Z]", "".join(font))).lower() + code
    if identifier not in _LETTERS:
        path = Path(*outlines[name])
        drawn = _commands(path)
        box = path.get_extents().get_points() if drawn else np.zeros((2, 2))
        _LETTERS[identifier] = _Letter(identifier, drawn, box)
    return _LETTERS[identifier]


def _use(letter: _Letter, x: float, y: float, size: float) -> str:
    across, down = f"{x:.0f}", f"{-y:.0f}".replace("-0", "0") if abs(y) < 0.5 else f"{-y:.0f}"
    plain = (f' {key}="{value}"' for key, value in (("x", across), ("y", down)) if value != "0")
    place = f' transform="translate({across} {down})scale({size:.3g})"'
    return f'<use href="#{letter.identifier}"{"".join(plain) if size == 1 else place}/>'


def _bar(outlined: tuple) -> str:
    return f'<path d="{_commands(Path(*outlined))}"/>'


def with_letters(page: str, packed: str = "") -> str:
    """A page with the letters that its formulas use, before the end of its body; `packed`: what it
    unpacks later."""
    used = sorted(set(USED.findall(page + packed)) & set(_LETTERS))
    if not used:
        return page
    paths = "".join(f'<path id="{name}" d="{_LETTERS[name].path}"/>' for name in used)
    defined = f'<svg width="0" height="0" aria-hidden="true"><defs>{paths}</defs></svg>'
    before, end, after = page.rpartition("</body>")
    return f"{before}{defined}{end}{after}"


def _in_words_of_mathtext(tex: str) -> str:
    for known, said in SYNONYMS.items():
        tex = re.sub(re.escape(known) + r"(?![A-Za-z])", lambda _, said=said: said, tex)
    return SECOND.sub(r"\1{\2}", FIRST.sub(r"\1{\2}", tex))


def _commands(path) -> str:
    """SVG path data; y grows downwards there."""
    found = []
    for vertices, code in path.iter_segments(curves=True, simplify=False):
        if code not in LETTERS:
            found.append("Z")
            continue
        numbers = [f"{-value if i % 2 else value:.0f}" for i, value in enumerate(vertices)]
        found.append(LETTERS[code] + " ".join(numbers))
    return "".join(found)
