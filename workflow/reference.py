"""`python -m workflow.reference results/TIER`: keep these results as the reference of their tier.

Writes results/reference/TIER, which is committed: checks.csv and provenance.json (without the
host's name), small enough for git and enough for `python -m workflow.compare`. Then it renews the
table of verdicts in README.md between its two markers, and of the laptop tier the estimates in the
tables of the papers' own READMEs.

The paper tier is never measured in one go. With `--partial` what is measured so far is kept, with
the records themselves, packed, so that a run on any machine goes on from there.
"""

import argparse
import json
import math
import re
import shutil
from pathlib import Path

import pandas as pd

from workflow.assemble import provenance, refuse_subject, results_folder
from workflow.audit import chosen_seeds
from workflow.base.files import UserError, replacing, write_text
from workflow.base.grid import ALL, shards
from workflow.base.records import Missing, read_facts, read_table
from workflow.base.tree import ROOT, TIERS, Results, replications
from workflow.gate import bad_provenance, examined
from workflow.host.terminal import announce, exit_code
from workflow.page.content import STATES, readme, told
from workflow.page.texts import WORDS
from workflow.repair import kept_facts, kept_record, unfit
from workflow.report import incomplete

KEPT = (
    *("replication", "tier", "shard", "code", "cells", "seeds", "rows", "sha256"),
    *("seconds", "cpu_seconds", "max_rss_mb", "git", "python", "machine", "device", "versions"),
    "per_cell",
)
SPLIT = (
    "A pass *agrees* if its interval contains the predicted value, its source's or one that we",
    "derived; it is another number *within the margin* if not; a plain *pass* obeys a bound.",
)
LARGEST_MB = 7.0  # of all kept records: they lie in git
# No text of a provenance has a line break: a bracket with one after it opens a list.
NUMBERS = re.compile(r"\[\n[-+.\d\sEe,]*\]")
ESTIMATES_OF = "laptop"  # the tier whose estimates stand in the papers' READMEs
# | claim | estimate | low to high |, the first cells of a row there
ESTIMATE = re.compile(
    r"^\| (\w+)( \(fail\))? \| [-+.\de]+ \| [-+.\de]+ to [-+.\de]+ \|", re.MULTILINE
)
MARKERS = r"(<!-- {}: begin[^>]*-->\n).*?(<!-- {}: end -->)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="results/TIER")
    parser.add_argument("--partial", action="store_true", help="of the paper tier: what is there")
    arguments = parser.parse_args()
    results = results_folder(arguments.folder)
    if arguments.partial and results.tier != TIERS[-1]:
        raise UserError(f"--partial: of the {TIERS[-1]} tier alone, found {results.folder}")
    target = folder_of(results.tier)
    keep(results, target, partial=arguments.partial)
    announce(f"{target.relative_to(ROOT)}: written")
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    write_text(page, with_table(text, verdict_table()))
    if results.tier == ESTIMATES_OF:
        checks = read_table(target / "checks.csv")
        for name in replications():
            page = ROOT / "replications" / name / "README.md"
            write_text(page, with_estimates(page.read_text(encoding="utf-8"), name, checks))


def folder_of(tier: str, root: Path = ROOT) -> Path:
    return root / "results" / "reference" / tier


def keep(results: Results, target: Path, *, partial: bool = False) -> None:
    """Copy checks and provenance, of the paper tier the records too; refuse results that are not
    today's, or not complete unless `partial`."""
    made = provenance(results)
    names, seeds = made["settings"]["replications"], chosen_seeds(made["settings"])
    refuse_subject(results.folder, made, "no reference")
    if names != replications() or seeds != ALL:
        raise UserError(
            f"{results.folder}: a reference has all replications, all seeds, seed=0 and device=cpu"
        )
    problems = partly(results, made) if partial else examined(results, made)[1]
    if problems:
        raise UserError(f"{results.folder}: no reference: {'; '.join(problems)}")
    if results.tier == TIERS[-1]:
        keep_records(results, made, target)
    write_text(target / "checks.csv", results.all_checks.read_text(encoding="utf-8"))
    write_text(target / "provenance.json", json_text(redacted(made)))


def partly(results: Results, made: dict) -> list[str]:
    """What is wrong with results but for records that are missing."""
    outcomes, problems = examined(results, made)
    missing = {
        f"{o.replication}: {text}"
        for o in outcomes
        for text in o.problems
        if isinstance(text, Missing)
    }
    found = [text for text in problems if text not in missing]
    if not found and made.get("incomplete", {}) != incomplete(outcomes).get("incomplete", {}):
        found.append("the report is older than the records; python -m workflow.report renews it")
    return found or bad_provenance(results, made)


def keep_records(results: Results, made: dict, target: Path) -> None:
    """The records that are there, packed, in the place of those that were kept before."""
    import lzma  # a Python can be built without it

    measured = [(record["replication"], record["shard"]) for record in made["records"]]
    _refuse_loss(results, made["settings"]["replications"], set(measured), target)
    files: dict[Path, bytes] = {}
    for name, shard in measured:
        path, packed = results.record(name, shard), kept_record(target, name, shard)
        files[packed] = lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
        files[kept_facts(packed)] = json_text(nowhere(read_facts(path))).encode()
    size = sum(map(len, files.values())) / 1e6
    if size > LARGEST_MB:
        raise UserError(f"{target}: records of {size:.1f} MB, wanted at most {LARGEST_MB:g}")
    shutil.rmtree(target / "records", ignore_errors=True)
    for path, content in files.items():
        with replacing(path) as temporary:
            temporary.write_bytes(content)


def _refuse_loss(
    results: Results, names: list[str], measured: set[tuple[str, str]], target: Path
) -> None:
    """Kept records that are of today's code stay: a run takes them over before it begins."""
    planned = [(name, shard) for name in names for shard in shards(name, results.tier)]
    for name, shard in planned:
        lacks = (name, shard) not in measured and kept_record(target, name, shard).exists()
        if lacks and not unfit(results.tier, name, shard, ALL, target):
            raise UserError(
                f"{results.folder}: lacks the record {name}/{shard}, which is kept in {target}; "
                "run snakemake, which takes it over, then workflow.report"
            )


def nowhere(facts: dict) -> dict:
    """Facts of a record without what says where it was made."""
    taken_over = {**facts["taken_over"], "hosts": []}
    data = {Path(name).name: checksum for name, checksum in facts["data"].items()}
    return {**facts, "host": "", "taken_over": taken_over, "data": data}


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
    """Markdown: per paper the verdicts of the largest tier that has a reference, and how many
    claims the paper tier has judged where that is not complete."""
    tier = next((tier for tier in reversed(TIERS) if is_kept(tier, root, whole=True)), None)
    if tier is None:
        return "No reference has been written yet.\n"
    checks = read_table(folder_of(tier, root) / "checks.csv")
    partly = TIERS[-1] if is_kept(TIERS[-1], root, whole=False) else ""
    so_far = _so_far(read_table(folder_of(partly, root) / "checks.csv")) if partly else {}
    states = [told(row) for row in checks.to_dict("records")]
    present = [name for name in STATES[::-1] if name in states]
    heads = [f"`{partly}` tier so far"] if any(so_far.values()) else []
    lines = [
        f"`{tier}` tier, {len(checks)} claims. *Fails, as expected*: the statement does not hold",
        "as it is written; the claim says why.",
        *(SPLIT if {"within the margin", "agrees", "our derivation"} & set(states) else ()),
        *([f"The `{partly}` tier, of which not all is measured, stands beside."] if heads else ()),
        "",
        f"| paper | {' | '.join([*(WORDS[name] for name in present), *heads])} |",
        f"|-|{'-:|' * (len(present) + len(heads))}",
    ]
    for paper, rows in pd.Series(states).groupby(checks["replication"], sort=False):
        counts = [str((rows == name).sum()) for name in present]
        counts += [so_far.get(paper, "") for _ in heads]
        lines.append(f"| {_linked(paper, root)} | {' | '.join(counts)} |")
    return "\n".join(lines) + "\n"


def is_kept(tier: str, root: Path, *, whole: bool) -> bool:
    """Whether a tier has a reference, and one of a complete run or of an incomplete one."""
    folder = folder_of(tier, root)
    if not (folder / "checks.csv").exists():
        return False
    made = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return ("incomplete" not in made) == whole


def _so_far(checks: pd.DataFrame) -> dict[str, str]:
    """{paper: how many of its claims are judged}; nothing of papers of which none is."""
    found = {}
    for paper, rows in checks.groupby("replication", sort=False):
        judged = rows[rows["final"] != "not judged"]
        other = int((judged["final"] != judged["expected"]).sum())
        said = f"{len(judged)} of {len(rows)} judged" + (f", {other} unexpected" if other else "")
        found[str(paper)] = said if len(judged) else ""
    return found


def with_table(page: str, table: str, block: str = "verdicts") -> str:
    """README.md with the table between the markers of a block."""
    markers = re.compile(MARKERS.format(block, block), re.DOTALL)
    if not markers.search(page):
        raise UserError(f"README.md: wanted the markers <!-- {block}: begin --> and end")
    return markers.sub(lambda found: found[1] + table + found[2], page)


def with_estimates(page: str, paper: str, checks: pd.DataFrame) -> str:
    """A paper's README with the estimates and intervals of `checks` in its rows of claims."""
    of_claims = checks[checks["replication"] == paper].set_index("claim")

    def renewed(row: re.Match) -> str:
        if row[1] not in of_claims.index:
            raise UserError(f"replications/{paper}/README.md: {row[1]}: no claim of this paper")
        found = of_claims.loc[row[1]]
        ends = [float(found[key]) for key in ("estimate", "ci_low", "ci_high")]
        value, low, high = (_written(end, ends[2] - ends[1]) for end in ends)
        return f"| {row[1]}{row[2] or ''} | {value} | {low} to {high} |"

    return ESTIMATE.sub(renewed, page)


def _written(value: float, length: float) -> str:
    """A number to two digits of its interval's length, without the zero before the point."""
    if length > 0 and math.isfinite(length):
        value = round(value, 1 - math.floor(math.log10(length))) + 0.0  # no -0
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.6g}")


def _linked(paper: str, root: Path) -> str:
    title = readme(root / "replications" / paper / "README.md")[0] or paper
    return f"[{title}](replications/{paper}/README.md)"


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
