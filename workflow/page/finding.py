"""What was found in a paper: a sentence from its folder, with the numbers of this run.

`finding.yaml` is a list; the first entry is told whose claims are all decided here, and as
expected. {NAME} in a sentence stands for the estimate of that claim, {NAME:.1%} for the same in
Python's format. A sentence is never told where a number in it is not judged, or came out otherwise
than the sentence says.
"""

import re
from pathlib import Path
from typing import Any

import yaml

FILE = "finding.yaml"
KEYS = {"says", "number", "figure"}
OPTIONAL = {"printed"}  # the number as the paper itself prints it, with where
NAMED = re.compile(r"\{(\w+)(?::([^{}]+))?\}")
TOLD = ("agrees", "within the margin", "pass", "refuted")  # states in which a sentence stands


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


def _written(number: float, form: str | None) -> str:
    return format(number, form) if form else rounded(number)


def rounded(number: float) -> str:
    """Two decimals, or three digits of what is not of order one; no zero with a sign."""
    if 0 < abs(number) < 100:
        text = f"{number:.2f}"
        return text.lstrip("-") if float(text) == 0 else text
    return f"{number:.3g}"
