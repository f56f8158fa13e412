"""The report as one HTML page: styles, script, figures and formulas are all inside."""

import json
import os
import re
import shlex
from functools import partial
from pathlib import Path

import jinja2
from markupsafe import Markup

from workflow.assemble import is_unmeasured
from workflow.draw import NOTHING
from workflow.page import markdown, picture
from workflow.page.content import EXPECTED, STATES, SURPRISES
from workflow.page.formula import equation, typeset, with_letters
from workflow.page.strip import Mark, short, strip
from workflow.page.texts import (
    besides,
    difference,
    findings,
    headline,
    interval,
    resolution,
    taken,
    title,
)

FOLDER = Path(__file__).parent
ASSETS = (
    *("page.html", "claim.html", "glossary.html", "style.css", "page.js"),
    *("values.js", "explore.js", "compare.html", "site.html"),
)
ROOM = 0.012  # share of a picture around a panel that is shown alone
# what a comparison tells of a claim, what matters most first
KINDS = {
    "verdict changed": "Verdict changed",
    "moved": "Moved by more than chance, rounding or resolution explain",
    "removed": "Removed",
    "added": "Added",
    "shifted": "Changed by no more than these explain",
    "same": "The same",
}
# a sign and words for each state, so that nothing rests on colour alone
SIGNS = {
    "agrees": ("✓", "source's prediction confirmed"),
    "our derivation": ("∴", "our derivation confirmed"),
    "within the margin": ("≈", "within the margin, prediction missed"),
    "pass": ("≤", "bound kept"),
    "refuted": ("✗", "fails as expected"),
    "inconclusive": ("?", "inconclusive"),
    "withheld": ("!", "withheld"),
    "fail": ("✗", "fail"),
    "unexpected pass": ("✓", "passes unexpectedly"),
    "yes": ("✓", "asked: yes"),
    "no": ("✗", "asked: no"),
    "open": ("?", "asked: open"),
    "not judged": ("–", "not judged"),
}
# what the words of a state say, at length
MEANINGS = {
    "agrees": "the 99 % interval contains what the cited source itself predicts: a number, a "
    "formula, or the rate of a bound",
    "our derivation": "the interval contains a prediction that no source prints: it is derived "
    "here, wholly or in part",
    "within the margin": "inside the accepted region, but the interval does not contain the "
    "prediction; what the margin allows for (finite width, step, samples) explains the difference",
    "pass": "the statement is a bound and predicts no number",
    "refuted": "the statement does not hold as it is written; its claim says so, and why",
    "inconclusive": "the interval crosses the edge of the region, or the control does not fail",
    "withheld": "what it rests on is missing or stale",
    "fail": "the interval lies outside the region, against what was expected",
    "unexpected pass": "a statement that was expected to fail holds",
    "yes": "asked of a network, without an expectation: it holds",
    "no": "asked of a network, without an expectation: it does not",
    "open": "asked of a network: not decided",
    "not judged": "this tier is too small to decide it",
}


def page(report: dict, folder: Path, root: Path) -> str:
    """index.html of the report; figures are read from `folder`."""
    claims = [claim for paper in report["papers"] for claim in paper["claims"]]
    unmeasured = [claim for claim in claims if is_unmeasured(claim["reason"])]
    tags = sorted({tag for claim in claims for tag in claim["tags"]})
    pictures = _pictures(report, folder)
    pieces = Pieces()
    made = environment()
    made.filters["piece"] = pieces.add
    text = made.get_template("page.html").render(
        report=report,
        title=title(report),
        headline=headline(report),
        findings=findings(report),
        besides=besides(report) if "subject" in report else "",
        taken=taken(report),
        all_claims=claims,
        waiting=[c for c in claims if c["state"] == "not judged" and c not in unmeasured],
        unmeasured=unmeasured,
        citable=(folder / "data" / "CITATION.cff").exists(),
        surprises=[claim for claim in claims if claim["state"] in SURPRISES],
        tags=tags,
        picture=lambda figure: pictures.get(figure["files"]["svg"], ""),
        letters=Markup(picture.letters(list(pictures.values()))),
        pieces=pieces.packed,
        link=partial(link, report["repository"], relative_root(folder, root)),
    )
    return with_letters(text, pieces.text)


def _pictures(report: dict, folder: Path) -> dict[str, str]:
    """{path: SVG} of the figures that are there."""
    figures = [figure for paper in report["papers"] for figure in paper["figures"]]
    there = (figure["files"]["svg"] for figure in figures if "svg" not in figure["missing"])
    return {path: (folder / path).read_text(encoding="utf-8") for path in there}


class Pieces:
    """Parts of the page that are unpacked where a reader opens them: listings of code and notes.

    They are a third of the text; together, a paper's shrink to a tenth.
    """

    def __init__(self) -> None:
        self.text = ""  # of all, for the letters of their formulas
        self._waiting: list[str] = []

    def add(self, html: str) -> Markup:
        """The place of a piece in the page."""
        self._waiting.append(str(html))
        self.text += str(html)
        return Markup('<div data-piece="{}"></div>').format(len(self._waiting) - 1)

    def packed(self) -> Markup:
        """The pieces since the last call: a JSON list, packed."""
        found, self._waiting = self._waiting, []
        return Markup(picture.pack(json.dumps(found, ensure_ascii=False)))


def comparison(new, old, changes: list, remarks: list[str], summary: str, rule: str) -> str:
    """A page that shows two results side by side (see `workflow.compare`)."""
    return with_letters(
        environment()
        .get_template("compare.html")
        .render(
            new=new,
            old=old,
            changes=changes,
            remarks=remarks,
            summary=summary,
            kinds=KINDS.items(),
            change_strip=change_strip,
            rule=rule.partition("\n\n")[2],
        )
    )


def site_index(report: dict, documents: list[Path]) -> str:
    """The first page of the site: what was found."""
    said = {"headline": headline(report), "findings": findings(report)}
    return _site(report, documents, "", title(report), **said)


def site_paper(report: dict, paper: dict, documents: list[Path]) -> str:
    """The page of one paper, one folder down."""
    return _site(report, documents, "../", paper["title"], paper=paper, others=drawn(paper))


def site_figure(report: dict, paper: dict, figure: dict, documents: list[Path], root: Path) -> str:
    """The page of one figure, one folder down; files that `root`, the site, lacks are not named."""
    title = f"{figure['title']} ({paper['title'].partition(':')[0]})"
    said = {"paper": paper, "figure": figure, "others": drawn(paper), "root": root}
    return _site(report, documents, "../", title, **said)


def drawn(paper: dict) -> list[dict]:
    """The figures of a paper that show something in this tier."""
    there = (figure for figure in paper["figures"] if "svg" not in figure["missing"])
    return [figure for figure in there if figure["remark"] != NOTHING]


def site_document(report: dict, text: str, documents: list[Path]) -> str:
    """A document of Markdown, one folder down."""
    title = next((heading for heading, _ in markdown.sections(text) if heading), "document")
    return _site(report, documents, "../", title, body=markdown.html(text, 1))


def site_history(report: dict, kept: list[dict], documents: list[Path]) -> str:
    """What the kept references of this tier said, commit by commit."""
    title = f"History of the {report['tier']} tier's references"
    return _site(report, documents, "", title, kept=kept)


def _site(report: dict, documents: list[Path], up: str, title: str, **said: object) -> str:
    said |= {"report": report, "documents": documents, "up": up, "title": title}
    return with_letters(environment().get_template("site.html").render(said))


def environment() -> jinja2.Environment:
    """Templates with the filters that they use."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "typeset": typeset,
        "equation": equation,
        "markdown": markdown.html,
        "inline": markdown.inline,
        "short": short,
        "slug": slug,
        "words": words,
        "first_sentence": first_sentence,
        "not_told": not_told,
        "packed": picture.packed,
        "size": picture.size,
        "word": shlex.quote,
    }
    found.globals |= {
        "asset": asset,
        "states": STATES,
        "expected": EXPECTED,
        "NOTHING": NOTHING,
        "signs": SIGNS,
        "meanings": MEANINGS,
        "claim_strip": claim_strip,
        "best_panel": best_panel,
        "crop": crop,
        "interval": interval,
        "difference": difference,
        "resolution": resolution,
    }
    return found


def asset(name: str) -> Markup:
    """A file of this folder as it is; they hold no foreign text."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))


def slug(text: str) -> str:
    return text.replace(" ", "-")


def words(name: str) -> str:
    """A name of the code as words."""
    return name.replace("_", " ")


def first_sentence(text: str) -> str:
    """What a text says first."""
    return re.split(r"(?<=[.;])\s", text, maxsplit=1)[0]


def not_told(paper: dict) -> str:
    """Why there is no sentence on what was found."""
    if paper["problems"]:
        return "Incomplete: what this rests on is missing or stale, or not all of it is measured."
    states = [claim["state"] for claim in paper["claims"]]
    waiting = states.count("not judged")
    if waiting == len(states):
        return "Nothing of it is decided in this tier."
    return f"{len(states) - waiting} of {len(states)} claims are decided in this tier; see each."


def best_panel(figure: dict, claim: str) -> dict | None:
    """The panel that is shown alone where a figure is shown small: the one that draws the claim,
    else the first that draws any; None of a figure with one panel."""
    drawn = [panel for panel in figure["panels"] if panel["letter"] and not panel["empty"]]
    if len(figure["panels"]) < 2 or not drawn:
        return None
    name = claim.partition(".")[2]
    return min(drawn, key=lambda panel: (name not in panel["claims"], not panel["claims"]))


def crop(box: list[float], width: int, height: int) -> str:
    """The style that shows of a picture (its size in pixels) a box (shares of it) alone."""
    left, top = (max(0.0, start - ROOM) for start in box[:2])
    wide = min(1.0, box[0] + box[2] + ROOM) - left
    high = min(1.0, box[1] + box[3] + ROOM) - top
    ratio = wide * width / (high * height)
    return (
        f"--wide:{1 / wide:.3f};--left:{-left / wide:.3f};--top:{-top / high:.3f};"
        f"--ratio:{ratio:.3f}"
    )


def claim_strip(claim: dict) -> Markup:
    first = Mark(claim["estimate"], claim["ci_low"], claim["ci_high"], claim["of_seeds"])
    second = Mark(
        claim["control_estimate"],
        claim["control_ci_low"],
        claim["control_ci_high"],
        claim["control_of_seeds"],
    )
    told = {"prediction": claim["prediction"], "rival": claim["rival"]}
    return strip(claim["region_low"], claim["region_high"], first, second, **told)


def change_strip(change) -> Markup:
    """The new estimate above the old one."""
    row = change.new or change.old
    columns = ("estimate", "ci_low", "ci_high")
    marks = [
        Mark(*(found[column] for column in columns)) if found else Mark(None, None, None)
        for found in (change.new, change.old)
    ]
    said = [interval(found) if found else "none" for found in (change.new, change.old)]
    label = f"New {said[0]}, old {said[1]}, accepted {row['region']}"
    return strip(row["region_low"], row["region_high"], *marks, label)


def link(repository: str, relative: str, code: dict) -> str:
    """Address of lines of code: on the web if the repository is there, else in the tree."""
    if repository:
        return f"{repository}/{code['path']}#L{code['first']}-L{code['last']}"
    return f"{relative}/{code['path']}" if relative else ""


def relative_root(folder: Path, root: Path) -> str:
    """The way from the report to the repository; empty where the report lies outside."""
    folder, root = folder.resolve(), root.resolve()
    return Path(os.path.relpath(root, folder)).as_posix() if folder.is_relative_to(root) else ""
