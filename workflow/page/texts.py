"""The report as text: report.md, a summary for a CI job's page, and a badge."""

import re
from collections import Counter

from workflow.base.selection import told
from workflow.page.content import ANSWERS, EXPECTED, PASSES
from workflow.page.strip import short

ROOM = 60_000  # characters of a summary; what shows it takes 64 kB in a comment
COLUMNS = (
    *("claim", "verdict", "estimate", "interval", "accepted", "notices"),
    *("rival", "control", "statement"),
)
WORDS = {
    "agrees": "agrees with its source",
    "our derivation": "agrees with our derivation",
    "within the margin": "within the margin",
    "pass": "pass",
    "fail": "FAIL",
    "refuted": "fails, as expected",
    "unexpected pass": "PASSES, expected to fail",
    "withheld": "WITHHELD",
    "inconclusive": "inconclusive",
    "yes": "asked: yes",
    "no": "asked: no",
    "open": "asked: open",
    "not judged": "not judged",
}


def headline(report: dict) -> str:
    """One sentence on the whole."""
    claims = [claim for paper in report["papers"] for claim in paper["claims"]]
    judged = [claim for claim in claims if claim["state"] != "not judged"]
    differ = sum(claim["state"] not in EXPECTED for claim in judged)
    if report["problems"]:
        known = len(judged) - report["states"]["withheld"]
        return f"Incomplete: {known} of {len(claims)} claims have a verdict"
    if "subject" in report:
        return _sentences(report)[0]
    if report["seeds_at_most"]:
        return f"Reduced run, at most {report['seeds_at_most']} seeds of each block: no verdicts"
    if "set" in report.get("taken", {}):
        hold = sum(claim["state"] == "yes" for claim in judged)
        return f"A variation, no verdicts of the suite: {_statements(hold)} of {len(judged)}"
    if not judged:
        return "No claim is decided in this tier"
    if differ:
        verb = "verdict is" if differ == 1 else "verdicts are"
        return f"{differ} {verb} not as expected, of {len(judged)}"
    if any(claim["state"] in ANSWERS.values() for claim in judged):
        return f"All {len(judged)} verdicts are as expected"
    hold = sum(claim["state"] in PASSES for claim in judged)
    refuted = len(judged) - hold
    return f"{_statements(hold)}, {refuted or 'none'} {'do' if refuted != 1 else 'does'} not"


def taken(report: dict) -> str:
    """Of a run of some claims alone, or of another grid: which; empty of a whole one."""
    found = report.get("taken", {})
    said = told(found.get("claims", ()), found.get("set", ()))
    return said[:1].upper() + said[1:]


def _statements(hold: int) -> str:
    return f"{hold} statement holds" if hold == 1 else f"{hold} statements hold"


def expectations(report: dict) -> str:
    """Whether anything is a surprise, and what waits."""
    claims = [claim for paper in report["papers"] for claim in paper["claims"]]
    waiting = report["states"]["not judged"]
    surprises = sum(claim["state"] not in EXPECTED for claim in claims)
    said = "No result is a surprise" if not surprises else f"{surprises} of them are surprises"
    later = f"; {waiting} wait for a larger tier" if waiting else ""
    return f"{said}: {len(claims) - waiting - surprises} verdicts are as expected{later}."


def findings(report: dict) -> list[tuple[str, str, list[str]]]:
    """(label, sentences, ids of the claims behind them) of the first screen: what holds, what does
    not and who says it, how sure this is. Empty where no verdict of the whole suite is there."""
    judged = [claim for claim in _claims(report) if claim["state"] in (*PASSES, "refuted")]
    apart = {"subject", "taken"} & set(report) or report["problems"] or report["seeds_at_most"]
    if apart or not judged:
        return []
    told = {"holds": ["What holds"], "refuted": ["What does not"]}
    for place, counted in (("holds", _held(judged)), ("refuted", _refuted(judged))):
        found = report["findings"][place] or {"says": "", "claims": []}
        told[place] += [f"{found['says']} {counted}".strip(), found["claims"]]
    return [*map(tuple, told.values()), ("How sure", _sure(report, judged), [])]


def title(report: dict) -> str:
    """The heading of the page: what was found, or what keeps one from saying it."""
    found = report["findings"]["title"]
    good = report["as_expected"] and not report["problems"] and findings(report)
    return found["says"] if found and good else headline(report)


def _claims(report: dict) -> list[dict]:
    return [claim for paper in report["papers"] for claim in paper["claims"]]


def _held(judged: list[dict]) -> str:
    """How many statements hold, and in what sense."""
    counts = Counter(claim["state"] for claim in judged)
    hold = sum(counts[state] for state in PASSES)
    kinds = {
        "agrees": "as their source predicts",
        "our derivation": "as we derived",
        "within the margin": "within the margin of a prediction that they miss",
        "pass": "that are bounds",
    }
    said = [f"{counts[state]} {words}" for state, words in kinds.items() if counts[state]]
    return f"In all {_statements(hold)}: {_listed(said)}." if hold else "No statement holds."


def _refuted(judged: list[dict]) -> str:
    """How many statements fail as they are written, and who says them."""
    found = [claim["origin"] for claim in judged if claim["state"] == "refuted"]
    if not found:
        return "No statement fails."
    who = {"page": "of popular pages and readings", "paper": "of papers and their code"}
    who |= {"ours": "that we read into a paper"}
    said = [f"{found.count(one)} {words}" for one, words in who.items() if one in found]
    statements = "statement fails" if len(found) == 1 else "statements fail"
    return f"In all {len(found)} {statements} as written: {_listed(said)}."


def _sure(report: dict, judged: list[dict]) -> str:
    """What the verdicts rest on, and what is left open."""
    passed = [claim for claim in judged if claim["state"] in PASSES]
    rivals = [claim for claim in passed if claim["rival"] is not None]
    said = [
        "A verdict is given only where a 99 % interval lies wholly on one side of an edge that was "
        "fixed beforehand, and where a control, in which the same check has to come out the other "
        "way, does so."
    ]
    if rivals:
        excluded = sum(not c["ci_low"] <= c["rival"] <= c["ci_high"] for c in rivals)
        said.append(
            f"Of {len(rivals)} statements that hold the nearest theory that contradicts them has a "
            f"number; the interval excludes it for {excluded}."
        )
    return " ".join([*said, expectations(report)])


def _listed(pieces: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(pieces[:-1]), *pieces[-1:]]))


def interval(claim: dict, prefix: str = "") -> str:
    value = short(claim[f"{prefix}estimate"])
    low, high = short(claim[f"{prefix}ci_low"]), short(claim[f"{prefix}ci_high"])
    return value if value == "none" else f"{value} [{low}, {high}]"


def difference(claim: dict) -> str:
    """How far a pass within the margin is from the prediction."""
    by = short(claim["estimate"] - claim["prediction"], 3)
    return f"Within the margin, different from the prediction {short(claim['prediction'])} by {by}"


def resolution(claim: dict) -> str:
    """The smallest shifts of the prediction that the numbers notice; of levels in percent too."""
    parts = []
    for sign, key in (("\u2212", "resolves_below"), ("+", "resolves_above")):
        if claim[key] is None:
            continue
        share = f" ({short(100 * claim[key] / claim['unit'], 2)} %)" if claim["unit"] else ""
        parts.append(f"{sign}{short(claim[key], 2)}{share}")
    return ", ".join(parts)


def _sentences(report: dict) -> list[str]:
    """Of the answer about a reader's own network: the first says what it is."""
    return re.split(r"(?<=\.) (?=[A-Z])", report["subject"]["sentence"])


def besides(report: dict) -> str:
    """What the answer says after its first sentence: how features were frozen, and the rest."""
    return " ".join(_sentences(report)[1:])


def markdown(report: dict) -> str:
    """report.md: every claim in a table per paper."""
    lines = [f"# {headline(report)}", "", f"Tier {report['tier']}, revision {report['git']}.", ""]
    lines += [f"{taken(report)}.", ""] if taken(report) else []
    lines += [f"- **{problem}**" for problem in report["problems"]]
    lines += _on_subject(report)
    for paper in report["papers"]:
        lines += ["", f"## {paper['title']}", "", *_rows(paper["claims"])]
        for figure in paper["figures"]:
            lines += ["", f"Figure ({figure['files']['svg']}): {figure['title']}"]
            lines[-1] += f" {figure['caption']}" if figure["caption"] else ""
    return "\n".join(lines) + "\n"


def summary(report: dict) -> str:
    """What a CI job's page shows: counts per paper, then what is not as expected."""
    lines = [f"## {headline(report)}", "", f"Tier {report['tier']}, revision {report['git']}.", ""]
    lines += [f"{taken(report)}.", ""] if taken(report) else []
    lines += [*(f"- **{problem}**" for problem in report["problems"]), ""]
    lines += _on_subject(report)
    lines += counts(report)
    differing = [
        claim
        for paper in report["papers"]
        for claim in paper["claims"]
        if claim["state"] not in EXPECTED
    ]
    if differing:
        lines += ["", "### Not as expected", "", *_rows(differing)]
    return _within_room("\n".join(lines) + "\n")


def _on_subject(report: dict) -> list[str]:
    """What was asked about, and the faults that were found, of a reader's own network."""
    if "subject" not in report:
        return []
    of = report["subject"]
    said = [f"`{of['file']}`: {of['title']}", "", besides(report), ""]
    return [*said, *(f"- {text}" for text in of["faults"]), ""]


def counts(report: dict) -> list[str]:
    """A Markdown table with a line per paper."""
    states = [state for state, count in report["states"].items() if count]
    lines = [
        f"| paper | {' | '.join(WORDS[state] for state in states)} | CPU s |",
        f"|-|{'-:|' * (len(states) + 1)}",
    ]
    for paper in report["papers"]:
        found = [claim["state"] for claim in paper["claims"]]
        cells = " | ".join(str(found.count(state)) for state in states)
        lines.append(f"| {paper['title']} | {cells} | {paper['cpu_seconds']:.0f} |")
    return lines


def macros(report: dict) -> str:
    """All numbers for a text in LaTeX: \\widenets{PAPER.CLAIM} is the estimate, with .low, .high,
    .predicted and .verdict the rest of it."""
    lines = [
        f"% {headline(report)}. Tier {report['tier']}, revision {report['git']}.",
        r"\newcommand{\widenets}[1]{\ifcsname widenets@#1\endcsname\csname widenets@#1\endcsname"
        r"\else\errmessage{No claim #1}\fi}",
    ]
    for claim in (claim for paper in report["papers"] for claim in paper["claims"]):
        numbers = {"": "estimate", ".low": "ci_low", ".high": "ci_high", ".predicted": "prediction"}
        said = {end: _tex(claim[key]) for end, key in numbers.items() if claim[key] is not None}
        for end, text in {**said, ".verdict": WORDS[claim["state"]]}.items():
            name = f"widenets@{claim['id']}{end}"
            lines.append(rf"\expandafter\def\csname {name}\endcsname{{{text}}}")
    return "\n".join(lines) + "\n"


def _tex(number: float) -> str:
    mantissa, _, power = f"{number:.4g}".partition("e")
    scale = rf"\times10^{{{int(power)}}}" if power else ""
    return rf"\ensuremath{{{mantissa}{scale}}}"


def badge(report: dict) -> dict:
    """An endpoint badge of shields.io."""
    passed = sum(report["states"][state] for state in PASSES)
    refuted = report["states"]["refuted"]
    judged = sum(report["states"].values()) - report["states"]["not judged"]
    good = report["as_expected"] and not report["problems"] and judged
    if "subject" in report and not report["problems"]:
        said = report["subject"]["diagnosis"] or "asked"
        return _badge(report, said, "blue" if report["as_expected"] else "red")
    if report["seeds_at_most"] and not report["problems"]:
        return _badge(report, "reduced run, not judged", "lightgrey")
    if "taken" in report and not report["problems"]:
        return _badge(report, taken(report).partition(":")[0].lower(), "lightgrey")
    message = f"{passed} pass" + (f", {refuted} refuted" if refuted else "")
    if not good:
        message = f"{passed + refuted} of {judged} as expected"
    return _badge(report, message, "brightgreen" if good else "red")


def _badge(report: dict, message: str, color: str) -> dict:
    label = f"claims ({report['tier']})"
    return {"schemaVersion": 1, "label": label, "message": message, "color": color}


def _rows(claims: list[dict]) -> list[str]:
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        f"|{'-|' * len(COLUMNS)}",
    ]
    for claim in claims:
        margin = difference(claim) if claim["state"] == "within the margin" else ""
        reason = "".join(f" ({text})" for text in (margin, claim["reason"]) if text)
        rival = "" if claim["rival"] is None else f"{short(claim['rival'])}: {claim['rival_who']}"
        cells = (
            f"`{claim['claim']}`",
            WORDS[claim["state"]],
            interval(claim),
            claim["interval"],
            claim["region"],
            resolution(claim),
            rival,
            interval(claim, "control_"),
            f"{claim['statement']} ({claim['source']}){reason}",
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return lines


def _within_room(text: str) -> str:
    if len(text) <= ROOM:
        return text
    return text[:ROOM].rpartition("\n")[0] + "\n\nCut here; the report has the rest.\n"
