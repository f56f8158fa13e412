"""The report as a page for people (`report/index.html`) and as text (`report/report.md`)."""

from workflow.assemble import Outcome
from workflow.files import write_text
from workflow.tree import Results


def write(results: Results, outcomes: list[Outcome], facts: dict[str, list[dict]]) -> None:
    """Write both into the tier's report folder."""
    lines = ["# Verdicts", ""]
    for one in outcomes:
        lines += [f"## {one.replication}", ""]
        for row in one.checks.itertuples():
            lines.append(
                f"- {row.claim}: {row.final} (expected {row.expected}): {row.estimate:.4g} "
                f"[{row.ci_low:.4g}, {row.ci_high:.4g}] against {row.region}"
            )
        lines.append("")
    write_text(results.report / "report.md", "\n".join(lines))
    body = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;")
    write_text(results.report / "index.html", f"<!doctype html><title>Report</title><pre>{body}")
