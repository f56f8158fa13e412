"""What was found in a paper: a sentence from its folder, with the numbers of this run.

`finding.yaml` is a list; the first entry is told whose claims are all decided here, and as
expected. {NAME} in a sentence stands for the estimate of that claim, {NAME:.1%} for the same in
Python's format. A sentence is never told where a number in it is not judged, or came out otherwise
than the sentence says.

`replications/findings.yaml` says so of the whole, for the first screen: a title, what holds and
what is refuted, each a list of which the first entry is told whose claims, by their full names
PAPER.CLAIM, came out as it needs: passed (`holds`) or refuted (`refuted`). {PAPER.CLAIM} stands for
an estimate, {PAPER.CLAIM.predicted} for what is predicted.
"""

import re
from pathlib import Path
from typing import Any

import yaml

FILE = "finding.yaml"
FIRST_SCREEN = "findings.yaml"
PLACES = ("title", "holds", "refuted")  # of the first screen
KEYS = {"says", "number", "figure"}
OPTIONAL = {"printed"}  # the number as the paper itself prints it, with where
NAMED = re.compile(r"\{(\w+)(?::([^{}]+))?\}")
FULLY_NAMED = re.compile(r"\{(\w+\.\w+)(?:\.(predicted))?(?::([^{}]+))?\}")
HOLDS = ("agrees", "our derivation", "within the margin", "pass")
TOLD = (*HOLDS, "refuted")  # states in which a sentence stands


def entries(folder: Path) -> list[dict[str, str]]:
    """The sentences of a paper's folder; none where it has no file.

    Raises ValueError that names the file and what was wanted.
    """
    path = folder / FILE
    if not path.exists():
        return []
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    where = f"{folder.name}/{FILE}"
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ValueError(f"{where}: wanted a list of entries with {', '.join(sorted(KEYS))}")
    for entry in found:
        if not set(entry) >= KEYS or set(entry) - KEYS - OPTIONAL:
            raise ValueError(
                f"{where}: found the keys {', '.join(sorted(entry))}, "
                f"wanted {', '.join(sorted(KEYS))} and perhaps {', '.join(OPTIONAL)}"
            )
    return found


def named(entry: dict[str, str]) -> list[str]:
    """The claims that an entry rests on."""
    found = [match[1] for match in NAMED.finditer(entry["says"])]
    return list(dict.fromkeys([*found, entry["number"]]))


def finding(folder: Path, claims: list[dict[str, Any]], figures: set[str]) -> dict | None:
    """{says, number (id of a claim), figure (name or empty), printed}; None if nothing is told."""
    known = {claim["claim"]: claim for claim in claims}
    for entry in entries(folder):
        told = [known.get(name, {"state": "unknown"}) for name in named(entry)]
        if all(claim["state"] in TOLD for claim in told):
            says = NAMED.sub(
                lambda found: _written(known[found[1]]["estimate"], found[2]), entry["says"]
            )
            return {
                "says": says,
                "number": known[entry["number"]]["id"],
                "figure": entry["figure"] if entry["figure"] in figures else "",
                "printed": entry.get("printed", ""),
            }
    return None


def first_screen(folder: Path, claims: list[dict[str, Any]]) -> dict[str, dict | None]:
    """{place: {says, claims (ids)}, or None where no entry is told} of the first screen."""
    known = {claim["id"]: claim for claim in claims}
    found = screen_entries(folder)
    return {place: _first_that_stands(found[place], known) for place in PLACES}


def screen_entries(folder: Path) -> dict[str, list[dict]]:
    """The sentences of the first screen by their places; none where there is no file.

    Raises ValueError where an entry has other keys, or a number of a claim that it does not need.
    """
    path = folder / FIRST_SCREEN
    if not path.exists():
        return {place: [] for place in PLACES}
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or set(found) != set(PLACES):
        raise ValueError(f"{FIRST_SCREEN}: wanted the keys {', '.join(PLACES)}")
    for entry in (entry for place in PLACES for entry in found[place]):
        keys, needed = set(entry), _needed(entry)
        if "says" not in keys or keys - {"says", "holds", "refuted"} or not needed:
            raise ValueError(
                f"{FIRST_SCREEN}: found the keys {', '.join(sorted(keys))}, "
                "wanted says with the claims that it needs in holds or refuted"
            )
        named = {match[1] for match in FULLY_NAMED.finditer(entry["says"])}
        if named - set(needed) or "{" in FULLY_NAMED.sub("", entry["says"]):
            raise ValueError(f"{FIRST_SCREEN}: {entry['says']}: a number of a claim not needed")
    return found


def _needed(entry: dict) -> dict[str, tuple[str, ...]]:
    """{id of a claim: states in which the entry stands}."""
    holds = dict.fromkeys(entry.get("holds", ()), HOLDS)
    return holds | dict.fromkeys(entry.get("refuted", ()), ("refuted",))


def _first_that_stands(entries: list[dict], known: dict[str, dict]) -> dict | None:
    for entry in entries:
        needed = _needed(entry)
        if all(name in known and known[name]["state"] in needed[name] for name in needed):
            says = FULLY_NAMED.sub(lambda found: _number(found, known), entry["says"])
            return {"says": says, "claims": list(needed)}
    return None


def _number(found: re.Match, known: dict[str, dict]) -> str:
    claim = known[found[1]]
    if found[2]:
        return _written(claim["prediction"], found[3])
    return _written(claim["estimate"], found[3])


def _written(number: float, form: str | None) -> str:
    """With a true minus sign."""
    return (format(number, form) if form else rounded(number)).replace("-", "\u2212")


def rounded(number: float) -> str:
    """Two decimals, or three digits of what is not of order one; no zero with a sign."""
    if 0 < abs(number) < 100:
        text = f"{number:.2f}"
        return text.lstrip("-") if float(text) == 0 else text
    return f"{number:.3g}"
