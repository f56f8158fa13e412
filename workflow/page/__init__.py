"""The report: a page for people (`report/index.html`), and the same for machines and for CI.

`content.py` says everything once, as plain values (report.json); the page, report.md, summary.md
and badge.json are views of it. `index.html` holds its figures packed in itself and can be
mailed alone; `report/data/` beside it holds what it offers for download, and what it shows where
JavaScript is off.
"""

import json
import shutil
from pathlib import Path

import jsonschema

from workflow.assemble import Outcome
from workflow.base.files import replacing, write_json, write_text
from workflow.base.records import write_table
from workflow.base.tree import ROOT, Results
from workflow.page import content, texts, view

SCHEMA = ROOT / "workflow" / "schemas" / "report.schema.json"


def write(
    results: Results,
    outcomes: list[Outcome],
    facts: dict[str, list[dict]],
    provenance: dict,
    answer: dict | None = None,
) -> None:
    """Write all forms of the report into the tier's report folder; `answer` to a reader who asked
    about a network of their own."""
    report = content.report(results, outcomes, facts, provenance, answer)
    jsonschema.validate(report, json.loads(SCHEMA.read_text(encoding="utf-8")))
    write_data(results, report, outcomes)
    write_views(results.report, report, ROOT)


def write_views(folder: Path, report: dict, root: Path) -> None:
    """The views of a report whose data lie in `folder/data`."""
    write_json(folder / "report.json", report)
    write_text(folder / "report.md", texts.markdown(report))
    write_text(folder / "summary.md", texts.summary(report))
    write_json(folder / "badge.json", texts.badge(report))
    write_text(folder / "numbers.tex", texts.macros(report))
    write_text(folder / "index.html", view.page(report, folder, root))


def write_data(results: Results, report: dict, outcomes: list[Outcome]) -> None:
    """Copies of what the page shows and offers: figures, their data, the rows of each part, and
    the settings that they were measured with."""
    data = results.report / "data"
    if data.exists():
        shutil.rmtree(data)
    for paper, one in zip(report["papers"], outcomes, strict=True):
        name = paper["name"]
        for part, rows in content.data_of_parts(results, one).items():
            write_table(data / name / f"{part}.csv", rows)
        for figure in paper["figures"]:
            for kind, path in figure["files"].items():
                if kind not in figure["missing"]:
                    _copy(results.figures(name) / f"{figure['name']}.{kind}", results.report / path)
        _copy(ROOT / "replications" / name / "grid.yaml", data / name / "grid.yaml")
    _copy(results.all_checks, data / "checks.csv")
    if (ROOT / "CITATION.cff").exists():  # a copy of parts of the repository may go without
        _copy(ROOT / "CITATION.cff", data / "CITATION.cff")


def _copy(source: Path, target: Path) -> None:
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)
