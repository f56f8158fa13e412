"""`python -m workflow.page.site results/TIER`: the static site of a finished run, in `site/`.

What was found, a page per paper, per figure and per document of `docs/`, the history of the kept
references, and the report with its figures.
Nothing in it needs a network or a server; `make site` makes it from the largest tier that has run.
"""

import argparse
import json
import shutil
from pathlib import Path

from workflow.assemble import refuse_altered, refuse_incomplete, refuse_part
from workflow.base.files import UserError, write_text
from workflow.base.tree import ROOT, TIERS
from workflow.host.terminal import announce, exit_code
from workflow.page import history, view

LARGEST_TABLE = 1_000_000  # bytes of a table that is copied; larger ones are a run away


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, nargs="?", help="results/TIER; else the largest")
    parser.add_argument("--out", type=Path, default=Path("site"))
    arguments = parser.parse_args()
    results = arguments.folder or largest(ROOT)
    refuse_altered(results)
    refuse_incomplete(results, "no site of the suite")
    build(results, arguments.out, ROOT)
    announce(f"{arguments.out}/index.html: written")


def largest(root: Path) -> Path:
    """The results of the largest tier that has a report."""
    for tier in reversed(TIERS):
        if (root / "results" / tier / "report" / "report.json").exists():
            return root / "results" / tier
    raise UserError("results: no report of any tier; `make run TIER=smoke` writes one in minutes")


def build(results: Path, out: Path, root: Path) -> None:
    """Write the site; what was in `out` before is gone."""
    path = results / "report" / "report.json"
    if not path.exists():
        raise UserError(f"{path}: is missing; a finished run writes it")
    report = json.loads(path.read_text(encoding="utf-8"))
    refuse_part(results, report.get("taken", {}), "no site of the suite")
    if out.exists():
        if not (out / "index.html").exists():
            raise UserError(f"{out}: exists and is no site; nothing was deleted")
        shutil.rmtree(out)
    _copy_report(results / "report", out / "report")
    documents = sorted((root / "docs").glob("*.md"))
    pages = {"index.html": view.site_index(report, documents)}
    for paper in report["papers"]:
        pages[f"papers/{paper['name']}.html"] = view.site_paper(report, paper, documents)
        for figure in view.drawn(paper):
            text = view.site_figure(report, paper, figure, documents, out)
            pages[f"figures/{paper['name']}.{figure['name']}.html"] = text
    for document in documents:
        text = document.read_text(encoding="utf-8")
        pages[f"docs/{document.stem}.html"] = view.site_document(report, text, documents)
    pages["history.html"] = view.site_history(report, history.kept(root, report["tier"]), documents)
    for name, text in pages.items():
        write_text(out / name, text)


def _copy_report(source: Path, target: Path) -> None:
    """The report with its figures and small tables."""

    def left_out(folder: str, names: list[str]) -> list[str]:
        paths = (Path(folder) / name for name in names)
        return [p.name for p in paths if p.suffix == ".csv" and p.stat().st_size > LARGEST_TABLE]

    shutil.copytree(source, target, ignore=left_out)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
