"""`python -m workflow.reference results/TIER`: keep these results as the reference of their tier.

Writes results/reference/TIER, which is committed: checks.csv and provenance.json (without the
host's name), small enough for git and enough for `python -m workflow.compare`. Then it renews the
table of verdicts in README.md between its two markers.
"""

import argparse
import json
import re
from pathlib import Path

import pandas as pd

from widenets.evidence.alarms import as_expected, chances
from workflow.assemble import provenance, refuse_subject, results_folder
from workflow.audit import chosen_seeds
from workflow.base.files import UserError, write_text
from workflow.base.grid import ALL
from workflow.base.records import read_table
from workflow.base.tree import ROOT, TIERS, Results, replications
from workflow.gate import examined
from workflow.host.terminal import announce, exit_code
from workflow.page.content import STATES, readme, told
from workflow.page.texts import WORDS

KEPT = (
    *("replication", "tier", "shard", "code", "cells", "seeds", "rows", "sha256"),
    *("seconds", "cpu_seconds", "max_rss_mb", "git", "python", "machine", "device", "versions"),
    "per_cell",
)
SPLIT = (
    "A pass *agrees* if its interval contains the predicted value, and is another number",
    "*within the margin* if not; a plain *pass* obeys a bound.",
)
# No text of a provenance has a line break: a bracket with one after it opens a list.
NUMBERS = re.compile(r"\[\n[-+.\d\sEe,]*\]")
MARKERS = re.compile(r"(<!-- verdicts: begin[^>]*-->\n).*?(<!-- verdicts: end -->)", re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="results/TIER")
    arguments = parser.parse_args()
    results = results_folder(arguments.folder)
    target = folder_of(results.tier)
    keep(results, target)
    announce(f"{target.relative_to(ROOT)}: written")
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    write_text(page, with_table(text, verdict_table()))


def folder_of(tier: str, root: Path = ROOT) -> Path:
    return root / "results" / "reference" / tier


def keep(results: Results, target: Path) -> None:
    """Copy checks and provenance; refuse results that are not complete or not today's."""
    made = provenance(results)
    names, seeds = made["settings"]["replications"], chosen_seeds(made["settings"])
    refuse_subject(results.folder, made, "no reference")
    if names != replications() or seeds != ALL:
        raise UserError(
            f"{results.folder}: a reference has all replications, all seeds, seed=0 and device=cpu"
        )
    problems = examined(results, made)[1]
    if problems:
        raise UserError(f"{results.folder}: no reference: {'; '.join(problems)}")
    write_text(target / "checks.csv", results.all_checks.read_text(encoding="utf-8"))
    write_text(target / "provenance.json", json_text(redacted(made)))


def json_text(value: object) -> str:
    """As `write_json`, but every list of numbers on one line: git shows a record as a few lines."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
    return NUMBERS.sub(lambda found: " ".join(found[0].split()), text) + "\n"


def redacted(made: dict) -> dict:
    """Provenance without what says where it was made."""
    kept = {key: value for key, value in made.items() if key != "checksums"}
    return {
        **kept,
        "data": {Path(name).name: checksum for name, checksum in made["data"].items()},
        "records": [{key: record[key] for key in KEPT} for record in made["records"]],
    }


def verdict_table(root: Path = ROOT) -> str:
    """Markdown: per paper the verdicts of the largest tier that has a reference."""
    tier = next((t for t in reversed(TIERS) if (folder_of(t, root) / "checks.csv").exists()), None)
    if tier is None:
        return "No reference has been written yet.\n"
    checks = read_table(folder_of(tier, root) / "checks.csv")
    states = [told(row) for row in checks.to_dict("records")]
    present = [name for name in STATES[::-1] if name in states]
    lines = [
        f"`{tier}` tier, {len(checks)} claims. *Fails, as expected*: the statement does not hold",
        "as it is written; the claim says why.",
        *(SPLIT if "within the margin" in states or "agrees" in states else ()),
        f"An unchanged tree is as expected in {as_expected(chances(checks)):.0%} of runs at other",
        "master seeds, by the claims' own scatter and margins ([stability](docs/stability.md)).",
        "",
        f"| paper | {' | '.join(WORDS[name] for name in present)} |",
        f"|-|{'-:|' * len(present)}",
    ]
    for paper, rows in pd.Series(states).groupby(checks["replication"], sort=False):
        counts = " | ".join(str((rows == name).sum()) for name in present)
        lines.append(f"| {_linked(paper, root)} | {counts} |")
    return "\n".join(lines) + "\n"


def with_table(page: str, table: str) -> str:
    """README.md with the table between its markers."""
    if not MARKERS.search(page):
        raise UserError("README.md: wanted the markers <!-- verdicts: begin --> and end")
    return MARKERS.sub(lambda found: found[1] + table + found[2], page)


def _linked(paper: str, root: Path) -> str:
    title = readme(root / "replications" / paper / "README.md")[0] or paper
    return f"[{title}](replications/{paper}/README.md)"


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
