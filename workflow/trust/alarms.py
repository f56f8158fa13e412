"""`python -m workflow.trust.alarms results/TIER`: how often would an unchanged tree turn red?

For each judged claim the chance that another master seed gives it another verdict, from its own
scatter and margin (`widenets.evidence.alarms`), over all master seeds that are kept of today's code
(`workflow.trust.draws`); the chance that all come out as expected; and the chance that a check
passes if its rival is true. Nothing is measured.
"""

import argparse
from pathlib import Path

from workflow.assemble import results_folder
from workflow.base.files import UserError
from workflow.base.records import read_table
from workflow.host.terminal import announce, exit_code
from workflow.trust.document import table as markdown
from workflow.trust.draws import OfARun, of_a_run

SHOWN = 0.002  # claims whose verdict changes in fewer runs are not listed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="results/TIER, or a reference")
    results = results_folder(parser.parse_args().folder)
    if not results.all_checks.exists():
        raise UserError(f"{results.all_checks}: missing; is {results.folder} a folder of results?")
    announce(section(of_a_run(read_table(results.all_checks), results.tier)))


def section(of_run: OfARun) -> str:
    """Markdown: what the chances of all claims together are for a run, and the likely ones."""
    found = of_run.claims
    computed, wrong = found["alarm"].dropna(), found["false_pass"].dropna()
    likely = found[found["alarm"] >= SHOWN].sort_values("alarm", ascending=False, kind="stable")
    lines = [
        f"All of {len(computed)} claims come out as expected in {of_run.as_expected:.1%} of runs "
        f"(on average {computed.sum():.2g} do not). Bounds judged by the range of their seeds, for "
        f"which nothing can be computed: {len(found) - len(computed)}.",
        "",
        f"If the rival were true, {wrong.sum():.1g} of {len(wrong)} claims with a rival would pass "
        f"in a run; the likeliest in {wrong.max():.1g} of runs."
        if len(wrong)
        else "No claim names a rival.",
        "",
    ]
    if len(likely):
        shown = likely[["replication", "claim"]].assign(
            **{"unexpected in": [f"{chance:.1%}" for chance in likely["alarm"]]}
        )
        lines += ["Likeliest to be unexpected:", "", markdown(shown, right=["unexpected in"])]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
