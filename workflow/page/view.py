"""The report as one HTML page: styles, script, figures and formulas are all inside."""

import os
import shlex
from functools import partial
from pathlib import Path

import jinja2
from markupsafe import Markup

from workflow.draw import NOTHING
from workflow.page import markdown, picture
from workflow.page.content import EXPECTED, STATES, SURPRISES
from workflow.page.formula import equation, typeset, with_letters
from workflow.page.strip import Mark, short, strip
from workflow.page.texts import (
    besides,
    difference,
    expectations,
    headline,
    interval,
    resolution,
)

FOLDER = Path(__file__).parent
ASSETS = (
    *("page.html", "claim.html", "style.css", "page.js"),
    *("explore.js", "compare.html", "site.html"),
)
# what a comparison tells of a claim, what matters most first
KINDS = {
    "verdict changed": "Verdict changed",
    "moved": "Moved by more than chance, rounding or resolution explain",
    "removed": "Removed",
    "added": "Added",
    "shifted": "Changed by no more than these explain",
    "same": "The same",
}
NAMES = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon"),
    *("phi", "chi", "psi", "omega"),
)
GREEK = {chr(ord("\u03b1") + i): name for i, name in enumerate(NAMES)} | {"\u00b5": "mu"}
# a sign and a word for each state, so that nothing rests on colour alone
SIGNS = {
    "agrees": ("✓", "agrees"),
    "within the margin": ("≈", "within the margin"),
    "pass": ("✓", "pass"),
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


def page(report: dict, folder: Path, root: Path) -> str:
    """index.html of the report; figures are read from `folder`."""
    claims = [claim for paper in report["papers"] for claim in paper["claims"]]
    tags = sorted({tag for claim in claims for tag in claim["tags"]})
    return with_letters(
        environment()
        .get_template("page.html")
        .render(
            report=report,
            headline=headline(report),
            besides=besides(report) if "subject" in report else "",
            expectations=expectations(report),
            all_claims=claims,
            citable=(folder / "data" / "CITATION.cff").exists(),
            surprises=[claim for claim in claims if claim["state"] in SURPRISES],
            tags=tags,
            picture=lambda path: (folder / path).read_text(encoding="utf-8"),
            link=partial(link, report["repository"], relative_root(folder, root)),
        )
    )


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
    said = {"headline": headline(report), "expectations": expectations(report)}
    return _site(report, documents, "", headline(report), **said)


def site_paper(report: dict, paper: dict, documents: list[Path]) -> str:
    """The page of one paper, one folder down."""
    return _site(report, documents, "../", paper["title"], paper=paper)


def site_document(report: dict, text: str, documents: list[Path]) -> str:
    """A document of Markdown, one folder down."""
    title = next((heading for heading, _ in markdown.sections(text) if heading), "document")
    return _site(report, documents, "../", title, body=markdown.html(text, 1))


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
        "searched": searched,
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
        "claim_strip": claim_strip,
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


def searched(text: str) -> str:
    """A text as the search sees it: in lower case, Greek letters by their names in Latin ones."""
    found = text.lower().replace("\u2212", "-").replace("\\", "")
    for letter, name in GREEK.items():
        found = found.replace(letter, name)
    return found


def not_told(paper: dict) -> str:
    """Why there is no sentence on what was found."""
    if paper["problems"]:
        return "Withheld: what this rests on is missing or stale."
    states = [claim["state"] for claim in paper["claims"]]
    waiting = states.count("not judged")
    if waiting == len(states):
        return "Nothing of it is decided in this tier."
    return f"{len(states) - waiting} of {len(states)} claims are decided in this tier; see each."


def claim_strip(claim: dict) -> Markup:
    first = Mark(claim["estimate"], claim["ci_low"], claim["ci_high"], claim["of_seeds"])
    second = Mark(
        claim["control_estimate"],
        claim["control_ci_low"],
        claim["control_ci_high"],
        claim["control_of_seeds"],
    )
    told = {"prediction": claim["prediction"], "rival": claim["rival"]}
    said = "".join(f", {name} {short(value)}" for name, value in told.items() if value is not None)
    label = (
        f"Estimate {interval(claim)}, accepted {claim['region']}, "
        f"control {claim['control_arm']} {interval(claim, 'control_')}{said}"
    )
    return strip(claim["region_low"], claim["region_high"], first, second, label, **told)


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
