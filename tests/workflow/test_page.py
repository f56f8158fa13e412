"""What the report is made of: formulas, text, drawings, lines of code, states, and its views."""

import base64
import gzip
import json
import math
import re
from functools import partial

import jsonschema
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.browser import gallery
from widenets.evidence.estimators import loglog_slope, per_seed
from workflow.base.tree import ROOT, replications
from workflow.draw import figures as drawn_figures
from workflow.judge import claims_of
from workflow.page import (
    SCHEMA,
    content,
    explore,
    finding,
    formula,
    markdown,
    picture,
    shown,
    sources,
    texts,
)
from workflow.page.strip import WIDTH, Mark, _axis, strip

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))


def test_formulas_become_paths_and_text_stays_text():
    html = str(formula.typeset(r"a < b & $\frac{1}{n}\sum_i \theta_i^2$ for 5\$"))
    assert html.startswith("a &lt; b &amp; <svg")
    assert html.count("<use") == 7
    page = formula.with_letters(f"<body>{html}</body>")
    assert page.count("<path id=") == 6  # i is drawn once and used twice
    assert r'aria-label="\frac{1}{n}\sum_i \theta_i^2"' in html
    assert html.endswith("for 5\\$")


@pytest.mark.parametrize(
    "text, html",
    [
        ("n^{-1/2}", "n<sup>−1/2</sup>"),
        ("m^(-1/2) and n^-2.", "m<sup>−1/2</sup> and n<sup>−2</sup>."),
        ("n^-0.5, 10^6", "n<sup>−0.5</sup>, 10<sup>6</sup>"),
        ("Σ^(L), Θ_∞", "Σ<sup>(L)</sup>, Θ<sub>∞</sub>"),
        ("|f|_F ~ mu_k[kappa_0]", "|f|<sub>F</sub> ~ mu<sub>k</sub>[kappa<sub>0</sub>]"),
        ("s^-2L/(L+1)", "s^-2L/(L+1)"),  # how far the power reaches is not said
        ("weight_variance of figure_12 in a_b_c", "weight_variance of figure_12 in a_b_c"),
        ("x_i < y^2", "x<sub>i</sub> &lt; y<sup>2</sup>"),
    ],
)
def test_scripts_of_plain_text(text, html):
    assert str(formula.plain(text)) == html


def test_a_formula_that_cannot_be_set_stays_visible():
    html = str(formula.typeset(r"$\nosuchcommand{x}$"))
    assert html == r'<code class="tex">\nosuchcommand{x}</code>'


def test_synonyms_replace_whole_commands_only():
    assert formula.outline(r"\tfrac{1}{2}") == formula.outline(r"\frac{1}{2}")
    assert formula.outline(r"\frac12") == formula.outline(r"\frac{1}{2}")
    assert formula.outline(r"\frac1{2\pi}") == formula.outline(r"\frac{1}{2\pi}")
    assert formula.outline(r"\sqrt n\,x") == formula.outline(r"\sqrt{n}\/x")
    assert formula.outline(r"\bigl(x\bigr)") == formula.outline("(x)")
    assert formula.outline(r"a\le b") == formula.outline(r"a\leq b")
    assert formula.outline(r"\left(x\right)")["path"]
    with pytest.raises(ValueError, match="nothing to draw"):
        formula.outline(r"\quad")
    with pytest.raises(ValueError, match=r"Unknown symbol"):
        formula.outline(r"\tfracture{1}{2}")


def test_an_equation_may_come_without_dollar_signs():
    assert formula.equation(r"\frac{1}{2}") == formula.typeset(r"$\frac{1}{2}$")
    assert str(formula.equation("x < y")) == "x &lt; y"


def formulas_of(replication):
    for claim in claims_of(replication):
        for text in (claim.statement, claim.formula, claim.source, claim.why, claim.reason):
            yield from formula.FORMULA.findall(text)
        if "\\" in claim.formula and "$" not in claim.formula:
            yield claim.formula


@pytest.mark.parametrize("replication", replications())
def test_every_formula_of_a_claim_can_be_set(replication):
    for tex in formulas_of(replication):
        assert formula.outline(tex)["path"]


def test_markdown_of_a_readme():
    text = gallery.README.format(title="T & co", name="x")
    html = str(markdown.html(text, 2))
    for piece in (
        "<h2>T &amp; co</h2>",
        "<em>On wide networks</em>",
        '<a href="https://example.org/paper">https://example.org/paper</a>',
        "<strong>nothing</strong>",
        "<code>x</code>",
        "<th>quantity</th>",
        "<td>512</td>",
        '<svg class="formula"',
    ):
        assert piece in html
    assert html.count("<li>") == 2


TABLE = (
    '<div class="wide" tabindex="0"><table><thead><tr><td></td><th>b</th></tr></thead>'
    "<tbody><tr><td>1</td><td>2</td></tr></tbody></table></div>"
)


@pytest.mark.parametrize(
    "text, html",
    [
        ("[x](../a.py)", "<p>x</p>"),
        (
            "arXiv:1806.07572",
            '<p><a href="https://arxiv.org/abs/1806.07572">arXiv:1806.07572</a></p>',
        ),
        ("[x](javascript:alert)", "<p>x</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("1. a\n   b\n2. c", "<ol><li>a b</li><li>c</li></ol>"),
        ("a_b_c and 2*3*4", "<p>a_b_c and 2*3*4</p>"),
        ("```\n# no *heading*\n```", '<pre tabindex="0"># no *heading*</pre>'),
        ("| |b|\n|-|-|\n|1|2|", TABLE),
        ("| a | b\nno table", "<p>| a | b no table</p>"),
    ],
)
def test_markdown_pieces(text, html):
    assert str(markdown.html(text)).strip() == html


def test_a_readme_tells_title_citation_and_deviations(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(gallery.README.format(title="T", name="x"), encoding="utf-8")
    title, citation, deviations, _ = content.readme(path)
    assert title == "T"
    assert citation.startswith("A. Author")
    assert deviations.startswith("Widths stop at 512")
    assert content.readme(tmp_path / "none.md") == ("", "", "", "")


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS, st.lists(NUMBERS, min_size=3, max_size=3), st.sampled_from("both"))
def test_a_mark_is_drawn_inside_the_band_exactly_if_it_is_in_the_region(a, b, three, kind):
    low, high = min(a, b), max(a, b)
    left, value, right = sorted(three)
    if high - low < 1e-3:
        return
    low, high = {"b": (low, high), "o": (low, None), "t": (None, high)}.get(kind, (low, high))
    place = _axis(low, high, Mark(value, left, right), Mark(None, None, None))
    assert place(left) <= place(value) <= place(right)
    for end, inside in ((low, lambda x: x >= low), (high, lambda x: x <= high)):
        if end is not None and abs(value - end) > 1e-3 * max(1, abs(end)):
            drawn = place(value) - place(end)
            assert (drawn >= 0 if end is low else drawn <= 0) == inside(value)


def test_what_is_off_the_axis_is_an_arrow_and_what_is_not_there_is_not_drawn():
    far = str(strip(-1.0, 1.0, Mark(0.0, -0.1, 0.1), Mark(1e9, 1e9, 1e9), "l"))
    assert far.count("arrow") == 1
    none = str(strip(None, 1.0, Mark(None, None, None), Mark(None, None, None), "l"))
    assert "mark" not in none
    assert f'd="M0.0 4H{WIDTH / 2:.1f}' in none


SVG = """<svg width="244.8pt" height="187.2pt"><metadata>
<rdf:li>{"title": "(a) x &lt; 1", "empty": false, "scales": {"x": "d &lt; 1"}}</rdf:li>
<rdf:li>{"title": "gap", "empty": true, "scales": {"x": "n"}}</rdf:li></metadata>
<defs><path id="DejaVuSans-41" d="M 1 2" transform="scale(0.015625)"/></defs>
<g id="line2d_1"><path d="M 1.23456 7.1e-05
L 3.26 4
L 3 5 z" clip-path="url(#p)"/></g>
<path id="m1" d="M 0 1.2345 C 1 1.2 1 1 1 1"/>
<use xlink:href="#m1" x="1.239" y="2" style="fill: red; fill-opacity: 0.555"/>
<use xlink:href="#m1" x="5" y="6.25" style="fill: red; fill-opacity: 0.555"/>
<use xlink:href="#m1" x="7" y="8" style="fill: blue"/>
</svg>"""
SLIM = (
    '<svg width="244.8pt" height="187.2pt"><g><path d="m1.2 0l2.1 4l-0.3 1z" clip-path="url(#p)"/>'
    '</g><path id="m1" d="M 0 1.23 C 1 1.2 1 1 1 1"/><g style="fill: red; fill-opacity: 0.555">'
    '<marks of="m1" at="1.2,2 5,6.2"/></g>'
    '<use xlink:href="#m1" x="7" y="8" style="fill: blue"/>'
    '<metadata>[{"x":"d &lt; 1"}]</metadata></svg>'
)


def unpacked(text):
    return gzip.decompress(base64.b64decode(text)).decode()


def test_a_picture_is_packed_without_letters_and_its_coordinates_rounded():
    assert unpacked(picture.packed(SVG)) == SLIM
    assert picture.packed(SVG) == picture.packed(SVG)
    assert json.loads(unpacked(picture.letters([SVG, SVG]))) == {"DejaVuSans-41": "M 1 2"}
    assert picture.size(SVG) == picture.size("") == (416, 318)
    named = [(one["letter"], one["marked"], one["title"]) for one in picture.panels(SVG)]
    assert named == [("a", True, "x < 1"), ("b", False, "gap")]


CLAIMS = """
def one(name):
    return Claim(name=name)

CLAIMS = [
    Claim(
        name="A_plain",
    ),
    *(Claim(name=f"B_{kind}_law") for kind in ("x", "y")),
    one("C_called"),
    Claim(name="B_z_law"),
]
"""


@pytest.mark.parametrize(
    "name, first, last",
    [
        ("A_plain", 6, 8),
        ("B_x_law", 9, 9),
        ("C_called", 10, 10),
        ("B_z_law", 11, 11),
        ("D_unknown", 1, 12),
    ],
)
def test_the_lines_of_a_claim(tmp_path, name, first, last):
    path = tmp_path / "claims.py"
    path.write_text(CLAIMS, encoding="utf-8")
    found = sources.claim_lines(path, name, tmp_path)
    assert (found["path"], found["first"], found["last"]) == ("claims.py", first, last)
    assert ("" if name == "D_unknown" else name[0]) in found["text"]


@pytest.mark.parametrize(
    "remote, address",
    [
        ("https://user:secret@example.org/a/b.git", "https://example.org/a/b/blob/c0ffee"),
        ("https://example.org/a/b", "https://example.org/a/b/blob/c0ffee"),
        ("git@example.org:a/b.git", "https://example.org/a/b/blob/c0ffee"),
        ("ssh://git@example.org/a/b.git", "https://example.org/a/b/blob/c0ffee"),
        ("/some/folder/repo.git", ""),
        ("", ""),
    ],
)
def test_the_address_of_the_repository(monkeypatch, tmp_path, remote, address):
    answers = {"remote": remote, "rev-parse": "c0ffee"}
    monkeypatch.setattr(sources, "git", lambda root, command, *rest: answers[command])
    assert sources.repository_url(tmp_path) == address


@pytest.mark.parametrize(
    "final, expected, withheld, state",
    [
        ("pass", "pass", False, "pass"),
        ("fail", "pass", False, "fail"),
        ("fail", "fail", False, "refuted"),
        ("pass", "fail", False, "unexpected pass"),
        ("inconclusive", "fail", False, "inconclusive"),
        ("inconclusive", "pass", True, "withheld"),
        ("not judged", "pass", True, "not judged"),
    ],
)
def test_states(final, expected, withheld, state):
    reason = "withheld: record main is stale" if withheld else "of another kind"
    assert content.state({"final": final, "expected": expected, "reason": reason}) == state


@pytest.mark.parametrize(
    "final, agrees, told",
    [
        ("pass", "yes", "agrees"),
        ("pass", "no", "within the margin"),
        ("pass", "", "pass"),
        ("pass", math.nan, "pass"),
        ("fail", "no", "fail"),
        ("inconclusive", "yes", "inconclusive"),
        ("not judged", "yes", "not judged"),
    ],
)
def test_a_pass_is_told_apart_by_its_prediction(final, agrees, told):
    row = {"final": final, "expected": "pass", "agrees": agrees, "source": "Theorem 1"}
    assert content.told(row) == told
    ours = "our derivation" if told == "agrees" else told
    assert content.told({**row, "source": "Theorem 1; the constant: ours"}) == ours


@pytest.mark.parametrize(
    "source, who, derived",
    [
        ("Lee et al. 2019, Theorem 2.1", "paper", False),
        ("reported as Lemma 3.3; Figure 1(c)", "paper", False),
        ("the authors' notebook", "paper", False),
        ("ours, derived in the README", "ours", True),
        ("Theorem 1 (the limit); rate: central limit theorem over neurons", "ours", True),
        ("figure 1(b); derived here for the time", "ours", True),
        ("consequence of Theorem 2.2", "ours", True),
        ("a popular page on tangent kernels", "page", False),
        ("a widely read from-scratch page, section on depth", "page", False),
        ("a popular page on the NTK and quantum error correction; the measure: ours", "page", True),
    ],
)
def test_whose_a_prediction_is(source, who, derived):
    assert (sources.origin(source), sources.is_derived(source)) == (who, derived)


@pytest.mark.parametrize("replication", replications())
def test_what_a_claim_calls_ours_is_told_as_ours(replication):
    said = [claim.source for claim in claims_of(replication)]
    ours = [text for text in said if re.search(r"\bours?\b|derived|this replication", text)]
    assert [text for text in ours if not sources.is_derived(text)] == []
    popular = [text for text in said if re.search(r"popular|thread|page\b", text)]
    assert [text for text in popular if sources.origin(text) != "page"] == []


def sharp(**changes) -> dict:
    known = {"kind": "level", "prediction": -0.5, "scale": math.nan, "estimate": -0.52}
    made = {**known, "resolves_below": 0.02, "resolves_above": 0.005, **changes}
    return {**made, "unit": content.unit(made)}


def test_what_a_pass_resolves_is_told_in_the_own_unit_and_for_levels_in_percent():
    assert texts.difference(sharp()).endswith("different from the prediction −0.5 by −0.02")
    assert texts.resolution(sharp()) == "−0.02 (4 %), +0.005 (1 %)"
    assert texts.resolution(sharp(prediction=0.0, scale=0.1)) == "−0.02 (20 %), +0.005 (5 %)"
    assert texts.resolution(sharp(kind="exponent")) == "−0.02, +0.005"
    assert texts.resolution(sharp(kind="bound", resolves_above=None)) == "−0.02"
    assert texts.resolution(sharp(resolves_below=None, resolves_above=None)) == ""


def test_every_form_of_the_report_counts_the_passes_apart():
    made = gallery_with(["agrees", "our derivation", "within the margin", "pass"])
    for claim in made["papers"][0]["claims"]:
        claim["prediction"] = -0.5
    assert texts.headline(made) == "4 statements hold, none do not"
    assert texts.badge(made)["message"] == "4 pass"
    rows = [line for line in texts.summary(made).splitlines() if line.startswith("|")]
    words = ("within the margin", "agrees with our derivation", "agrees with its source", "pass")
    assert rows[0] == f"| paper | {' | '.join(words)} | CPU s |"
    assert "| 1 | 1 | 1 | 1 |" in rows[2]
    assert texts.markdown(made).count("different from the prediction −0.5 by") == 1


FINDING = """
- says: "The slope is {A_slope} at {B_level}."
  number: A_slope
  figure: figure_1
- says: "At least {B_level}."
  number: B_level
  figure: figure_2
  printed: 2.3 (Table 1)
"""


def found(tmp_path, slope="agrees", level="pass", text=FINDING):
    (tmp_path / "finding.yaml").write_text(text, encoding="utf-8")
    claims = [
        {"claim": "A_slope", "id": "x.A_slope", "state": slope, "estimate": -0.998},
        {"claim": "B_level", "id": "x.B_level", "state": level, "estimate": 1234.5},
    ]
    return finding.finding(tmp_path, claims, ["figure_1"])


def test_a_finding_has_the_numbers_of_this_run_and_is_told_only_where_they_are_decided(tmp_path):
    assert found(tmp_path)["says"] == "The slope is \u22121.00 at 1.23e+03."
    assert found(tmp_path)["figure"] == "figure_1"
    shares = found(tmp_path, text=FINDING.replace("{A_slope}", "{A_slope:.1%}"))
    assert shares["says"] == "The slope is \u221299.8% at 1.23e+03."
    for state in ("not judged", "fail", "inconclusive", "unexpected pass", "withheld"):
        second = found(tmp_path, slope=state)
        assert second["says"] == "At least 1.23e+03."
        assert (second["number"], second["figure"]) == ("x.B_level", "")
        assert second["printed"] == "2.3 (Table 1)"
        assert found(tmp_path, slope=state, level=state) is None
    (tmp_path / "finding.yaml").unlink()
    assert finding.finding(tmp_path, [], []) is None


@pytest.mark.parametrize("text", ["says: x", "- says: x", "- [1]", FINDING + "  more: 1\n"])
def test_a_finding_that_cannot_be_told_names_its_file(tmp_path, text):
    with pytest.raises(ValueError, match=r"finding\.yaml: .*wanted"):
        found(tmp_path, text=text)


@pytest.mark.parametrize(
    "number, text", [(-0.0012, "0.00"), (-1.043, "-1.04"), (0, "0"), (250, "250")]
)
def test_numbers_of_a_finding(number, text):
    assert finding.rounded(number) == text


SCREEN = """
title:
- says: Kernels stay
  holds: [a.A, b.B]
holds:
- says: "The slope is {a.A} (predicted {a.A.predicted:g})."
  holds: [a.A, b.B]
- says: "At least {b.B:.1f}."
  holds: [b.B]
refuted:
- says: "Not {c.C}."
  refuted: [c.C]
"""


def screen(tmp_path, text=SCREEN, **states):
    (tmp_path / "findings.yaml").write_text(text, encoding="utf-8")
    known = {"A": "agrees", "B": "pass", "C": "refuted", **states}
    numbers = {"estimate": -0.998, "prediction": -1.0}
    claims = [{"id": f"{n.lower()}.{n}", "state": state, **numbers} for n, state in known.items()]
    return finding.first_screen(tmp_path, claims)


def test_the_first_screen_says_what_the_verdicts_of_its_claims_allow(tmp_path):
    found = screen(tmp_path)
    assert found["title"] == {"says": "Kernels stay", "claims": ["a.A", "b.B"]}
    assert found["holds"]["says"] == "The slope is \u22121.00 (predicted \u22121)."
    assert found["refuted"] == {"says": "Not \u22121.00.", "claims": ["c.C"]}
    for state in ("not judged", "fail", "inconclusive", "withheld", "refuted"):
        less = screen(tmp_path, A=state)
        assert less["title"] is None
        assert less["holds"]["says"] == "At least \u22121.0."
        assert screen(tmp_path, A=state, B=state)["holds"] is None
    for state in ("not judged", "fail", "agrees", "unexpected pass"):
        assert screen(tmp_path, C=state)["refuted"] is None
    assert screen(tmp_path, A="our derivation")["title"]
    (tmp_path / "findings.yaml").unlink()
    assert set(finding.first_screen(tmp_path, []).values()) == {None}


@pytest.mark.parametrize(
    "old, new",
    [
        ("Not {c.C}.", "Not {a.A}."),  # whatever becomes of a.A
        ("Not {c.C}.", "Not {c.C.low}."),
        ("  refuted: [c.C]", ""),
        ("  refuted: [c.C]", "  fails: [c.C]"),
        ("title:", "heading:"),
    ],
)
def test_a_first_screen_that_could_say_what_is_not_so_is_refused(tmp_path, old, new):
    with pytest.raises(ValueError, match=r"findings\.yaml"):
        screen(tmp_path, text=SCREEN.replace(old, new))


def test_the_first_screen_names_claims_that_are_there_and_no_number_by_hand():
    entries = finding.screen_entries(ROOT / "replications")
    known = {f"{name}.{c.name}": c for name in replications() for c in claims_of(name)}
    for place in finding.PLACES:
        for entry in entries[place]:
            assert set(entry.get("holds", [])) | set(entry.get("refuted", [])) <= set(known)
            assert {known[name].expected for name in entry.get("refuted", [])} <= {"fail"}
            assert {known[name].expected for name in entry.get("holds", [])} <= {"pass"}
            assert not re.search(r"\d", finding.FULLY_NAMED.sub("", entry["says"]))
    smoke = [entries[place][-1] for place in finding.PLACES]  # told in every tier
    names = [name for one in smoke for key in ("holds", "refuted") for name in one.get(key, [])]
    assert {known[name].tier for name in names} == {"smoke"}


def test_findings_count_what_holds_what_does_not_and_who_says_it():
    made = gallery_with(["agrees", "our derivation", "within the margin", "refuted", "not judged"])
    told = dict(zip(("holds", "refuted", "sure"), texts.findings(made), strict=True))
    assert told["holds"][:2] == (
        "What holds",
        "The drift falls as n^(-0.52). In all 3 statements hold: 1 as their source predicts, "
        "1 as we derived and 1 within the margin of a prediction that they miss.",
    )
    assert told["refuted"][1:] == (
        "In all 1 statement fails as written: 1 of papers and their code.",
        [],
    )
    assert "No result is a surprise: 4 verdicts are as expected; 1 wait" in told["sure"][1]
    assert texts.title(made) == "Kernels of wide networks stay"
    made["papers"][0]["claims"][0]["state"] = "fail"
    made["as_expected"] = False
    assert texts.title(made) == texts.headline(made) == "1 verdict is not as expected, of 4"
    for key, value in (("seeds_at_most", 2), ("problems", ["x"]), ("taken", {"claims": ["a"]})):
        assert texts.findings({**made, key: value}) == []


SOURCES = {
    "claims.py": """
WINDOW = {"width": 64}
WHO = "a name"

def slope(y):
    return loglog_slope("width", y, where=WINDOW)

CLAIMS = [
    Claim(name="A", part="drift", estimator=slope("change"), who=WHO),
    Claim(name="B", part="drift", estimator=slope("gap")),
    Claim(name="C", part="other", estimator=own),
]
""",
    "figures.py": """
def one(drift):
    draw(drift, y="change")

def two(drift):
    _draw(drift)

def _draw(rows):
    draw(rows, y="gap", arm="wide")
""",
    "experiment.py": "'''Module. Arm outside is of this.'''\ndef drift():\n"
    "    '''A row is a net. Arm wide has more neurons than it needs; narrow: few.'''\n",
}


def test_claims_and_figures_are_tied_by_the_columns_that_both_use(tmp_path):
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    claims = [
        {"claim": name, "part": part, "arm": "theory", "control_arm": "wide"}
        for name, part in (("A", "drift"), ("B", "drift"), ("C", "other"))
    ]
    figures = [{"name": name, "parts": ["drift"], "panels": []} for name in ("one", "two")]
    told = (("A", "change"), ("B", "gap"))
    reads = {name: shown.Read(frozenset({column})) for name, column in told}
    whole = {"A": [("one", "")], "B": [("two", "")], "C": []}
    assert shown.links(tmp_path, claims, figures, reads) == whole
    used = shown.used_by_claim(tmp_path / "claims.py", "A")
    assert dict(used.constants) == {"WINDOW": "{'width': 64}"}
    assert [found["name"] for found in shown.estimators(used.names)] == ["loglog_slope"]
    assert shown.said_of_arm(tmp_path, "drift", "wide") == "Arm wide has more neurons than it needs"
    assert shown.said_of_arm(tmp_path, "drift", "outside") == "Arm outside is of this"
    assert shown.said_of_arm(tmp_path, "drift", "row_") == ""


@pytest.mark.parametrize(
    ("kind", "widths", "arm", "said"),
    [
        ("level", (64,), "theory", "one number of each seed: "),
        ("identity", (64, 128), "theory", "an identity: "),
        ("level", (64, 128), "theory", "in no figure: 4 rows "),
        ("level", (64, 128), "absent", "in no figure: not measured"),
    ],
)
def test_a_claim_without_a_figure_says_why(kind, widths, arm, said):
    rows = [
        {"part": "drift", "arm": "theory", "seed": s, "width": n} for s in (0, 1) for n in widths
    ]
    claim = {"part": "drift", "arm": arm, "kind": kind, "estimate": 1.0}
    assert shown.unpictured(claim, pd.DataFrame(rows)).startswith(said)
    withheld = claim | {"estimate": None, "arm": "theory"}
    assert shown.unpictured(withheld, pd.DataFrame(rows)) == "in no figure"
    assert shown.unpictured(claim, None).startswith("in no figure: not measured")


def panel(letter, column="", arms=("theory",), **held):
    shows = [{"part": "drift", "column": column, "arms": list(arms), "held": held}]
    return {"letter": letter, "empty": False, "shows": shows if column else []}


def linked(tmp_path, panels, **held):
    """The panels that show claim A of column change at the values `held`."""
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    claims = [{"claim": "A", "part": "drift", "arm": "theory", "control_arm": "wide"}]
    figures = [{"name": "one", "parts": ["drift"], "panels": panels}]
    read = shown.Read(frozenset({"change"}), tuple((key, (v,)) for key, v in held.items()))
    return [letter for _, letter in shown.links(tmp_path, claims, figures, {"A": read})["A"]]


@pytest.mark.parametrize(
    "made",
    [
        lambda: loglog_slope("change", "width", where={"depth": 3}),
        lambda: per_seed(lambda rows: rows["change"] / rows["width"], where={"depth": [3]}),
        lambda: partial(per_seed("change", where={"depth": 3}), unused="width"),
    ],
)
def test_what_an_estimator_reads_is_found_in_what_it_holds(made):
    read = shown.read_by(made(), {"change", "width", "depth", "gap"})
    assert read.words >= {"change", "depth"}
    assert "gap" not in read.words
    assert dict(read.held)["depth"] == (3,)


def test_a_claim_is_shown_by_the_panels_that_draw_its_numbers(tmp_path):
    assert linked(tmp_path, [panel("a", "gap"), panel("b", "change")]) == ["b"]
    both = panel("b", "change", ("theory", "wide"))
    assert linked(tmp_path, [panel("a", "change"), both]) == ["b"]
    of_depth = [panel("a", "change", depth=1), panel("b", "change", depth=3)]
    assert linked(tmp_path, of_depth, depth=3) == ["b"]
    assert linked(tmp_path, of_depth, width=64) == ["a", "b"]
    # what no column holds was derived: by a panel that draws none
    assert linked(tmp_path, [panel("a", "gap"), panel("b")]) == ["b"]
    assert linked(tmp_path, [panel("a", "change", ("wide",))]) == [""]  # of the control alone
    empty = panel("b", "change") | {"empty": True}
    assert linked(tmp_path, [panel("a", "gap"), empty, panel("c")]) == ["c"]


@pytest.mark.parametrize("replication", replications())
def test_every_finding_names_claims_and_a_figure_that_are_there(replication):
    entries = finding.entries(ROOT / "replications" / replication)
    assert entries, f"replications/{replication}/finding.yaml: wanted a sentence on what was found"
    known = {claim.name for claim in claims_of(replication)}
    drawn = {figure.name for figure in drawn_figures(replication, "paper")}
    for entry in entries:
        assert set(finding.named(entry)) <= known
        assert entry["figure"] in drawn
    judged = [{"claim": name, "id": name, "state": "pass", "estimate": 0.5} for name in known]
    assert "{" not in finding.finding(ROOT / "replications" / replication, judged, drawn)["says"]


def test_macros_are_numbers_that_latex_can_read():
    made = gallery.report(papers=1, claims=4)
    text = texts.macros(made)
    assert r"\csname widenets@alpha2018_kernel.K1_law\endcsname{\ensuremath{0.02}}" in text
    assert "\u2212" not in text
    assert texts._tex(-1.234567e-7) == r"\ensuremath{-1.235\times10^{-7}}"


def gallery_with(states):
    made = gallery.report(papers=1, claims=len(states))
    for claim, state in zip(made["papers"][0]["claims"], states, strict=True):
        claim["state"] = state
    made["states"] = {state: states.count(state) for state in content.STATES}
    made["as_expected"] = all(state in content.EXPECTED for state in states)
    return made


@pytest.mark.parametrize(
    "states, headline, message, color",
    [
        (["pass"] * 3, "3 statements hold, none do not", "3 pass", "brightgreen"),
        (["pass", "refuted"], "1 statement holds, 1 does not", "1 pass, 1 refuted", "brightgreen"),
        (["pass", "fail"], "1 verdict is not as expected, of 2", "1 of 2 as expected", "red"),
        (["not judged"], "No claim is decided in this tier", "0 of 0 as expected", "red"),
    ],
)
def test_headline_and_badge(states, headline, message, color):
    made = gallery_with(states)
    badge = texts.badge(made)
    assert texts.headline(made) == headline
    assert (badge["message"], badge["color"]) == (message, color)
    assert badge["schemaVersion"] == 1


def test_the_summary_fits_where_it_is_shown():
    made = gallery_with(["fail"] * 1000)
    assert len(texts.summary(made)) < 65_000
    assert "the report has the rest" in texts.summary(made)


def test_text_tables_keep_their_columns():
    made = gallery_with(["fail"])
    made["papers"][0]["claims"][0]["statement"] = "|f| < 1"
    row = next(line for line in texts.markdown(made).splitlines() if "K0_law" in line)
    assert row.replace("\\|", "").count("|") == len(texts.COLUMNS) + 1


def test_the_made_up_report_obeys_the_schema_and_the_page_escapes_its_texts(tmp_path):
    made = gallery.report()
    jsonschema.validate(made, json.loads(SCHEMA.read_text(encoding="utf-8")))
    page = gallery.write(tmp_path, made).read_text(encoding="utf-8")
    assert "&lt;here&gt; &amp; elsewhere" in page
    assert "<here>" not in page


def strict(text):
    def refuse(name):
        raise ValueError(f"not JSON: {name}")

    return json.loads(text, parse_constant=refuse)


def test_the_report_of_a_run(green):
    folder = green.path("results/smoke/report")
    made = strict((folder / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(made, json.loads(SCHEMA.read_text(encoding="utf-8")))
    paper = made["papers"][0]
    claim, figure = paper["claims"][0], paper["figures"][0]
    assert claim["state"] == "agrees"
    assert len(claim["of_seeds"]) == claim["n_seeds"] == 6
    mean = math.fsum(claim["of_seeds"]) / 6
    assert mean == pytest.approx(claim["estimate"], rel=1e-5)
    assert "T1_scatter" in claim["code"]["text"]
    assert "def scatter" in paper["parts"][0]["code"]["text"]
    page = (folder / "index.html").read_text(encoding="utf-8")
    for path in (claim["rows"], *figure["files"].values(), "data/checks.csv"):
        assert (folder / path).stat().st_size > 0
        assert f'href="{path}"' in page
    svg = (folder / figure["files"]["svg"]).read_text(encoding="utf-8")
    assert picture.packed(svg) in page


def test_the_report_says_nothing_of_the_machine(green):
    for path in green.path("results/smoke/report").rglob("*.*"):
        assert str(green.folder) not in path.read_text(encoding="utf-8", errors="replace")


REPORT = ("workflow.report", "--results", "results/smoke", "--replications")
BOTH = "alpha2000_toy,beta2001_toy"


def test_a_report_is_the_same_whenever_it_is_written(project):
    folder = project.path("results/smoke/report")
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    assert project.call(*REPORT, BOTH).code == 0
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_what_is_stale_or_missing_is_shown_without_its_old_verdict(project):
    project.edit("replications/alpha2000_toy/grid.yaml", "seed: 6", "seed: 7")
    project.path("results/smoke/figures/beta2001_toy/figure_1.svg").unlink()
    assert project.call(*REPORT, BOTH).code == 0
    folder = project.path("results/smoke/report")
    made = strict((folder / "report.json").read_text(encoding="utf-8"))
    alpha, beta = made["papers"]
    assert [claim["state"] for claim in alpha["claims"]] == ["withheld"]
    assert alpha["claims"][0]["estimate"] is None
    assert [claim["state"] for claim in beta["claims"]] == ["agrees"]
    assert beta["figures"][0]["missing"] == ["svg"]
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "This report is incomplete" in page
    assert "Incomplete: 1 of 2 claims have a verdict" in page
    assert "not drawn" in page
    assert "WITHHELD" in (folder / "summary.md").read_text(encoding="utf-8")


EXPLORE = """
- title: T
  says: s
  part: drift
  where: {arm: theory}
  slider: width
  curves: depth
  x: time
  y: change
  labels: {slider: n, curves: L, x: t, y: d}
  figure: figure_1
"""


def rows_to_explore():
    rows = [
        {
            "part": part,
            "arm": arm,
            "seed": s,
            "width": n,
            "depth": 1,
            "time": t,
            "change": t / n + s,
        }
        for part in ("drift", "other")
        for arm in ("theory", "control")
        for s in (0, 1)
        for n in (64, 128)
        for t in (1, 2)
    ]
    return pd.DataFrame(rows)


def test_what_is_explored_are_means_over_seeds_of_the_chosen_rows(tmp_path):
    (tmp_path / "explore.yaml").write_text(EXPLORE, encoding="utf-8")
    (made,) = explore.explorables(tmp_path, rows_to_explore(), {"figure_1"})
    assert len(made["points"]) == 4
    slider, curve, x, mean, low, high, theory = made["points"][0]
    assert (slider, curve, x, theory) == (64, 1, 1, None)
    assert mean == pytest.approx(1 / 64 + 0.5, rel=1e-4)
    assert low < mean < high
    assert made["figure"] == "figure_1"
    one_width = rows_to_explore().query("width == 64")
    assert explore.explorables(tmp_path, one_width, set()) == []
    assert explore.explorables(tmp_path, None, set()) == []
    elsewhere = rows_to_explore().query("part == 'other'").drop(columns="change")
    assert explore.explorables(tmp_path, elsewhere, set()) == []


def test_what_cannot_be_explored_names_its_file(tmp_path):
    (tmp_path / "explore.yaml").write_text(EXPLORE + "  more: 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"explore\.yaml: found .* wanted"):
        explore.explorables(tmp_path, rows_to_explore(), set())
