"""`python -m workflow.report`: join the checks and write the report, whatever state things are in.

It runs at the end of every run, also of a failed one, and by itself at any time: what is complete
is judged; what is missing, stale or damaged is shown without a verdict. Like the gate it derives
all verdicts again; where it finds nothing wrong, the gate behind it need not.
"""

import argparse
from pathlib import Path

import pandas as pd

from workflow import page
from workflow.assemble import (
    Outcome,
    facts_of,
    outcomes_of,
    provenance_of,
    remember_derived,
    write_provenance,
)
from workflow.audit import bad_data, checksums
from workflow.base import selection
from workflow.base.digest import forget
from workflow.base.files import write_json, write_text
from workflow.base.grid import Seeds
from workflow.base.records import write_table
from workflow.base.subject import ANSWER
from workflow.base.tree import Results, known, replications, tier_folder
from workflow.host.revision import git_revision
from workflow.host.terminal import exit_code
from workflow.reader.answer import answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--results", type=Path, required=True, help="folder results/TIER")
    parser.add_argument("--replications", default="", help="names separated by commas; all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds-at-most", type=int, default=0)
    parser.add_argument("--subject", default="", help="a reader's file, for your_network")
    parser.add_argument("--jobs", type=int, default=1, help="processes that audit papers")
    selection.options(parser)
    arguments = parser.parse_args()
    results = tier_folder(arguments.results)
    chosen = arguments.replications
    names = [known(name) for name in chosen.split(",")] if chosen else replications()
    seeds = Seeds(
        arguments.seed,
        arguments.seeds_at_most,
        arguments.subject,
        **selection.given(arguments),
    )
    forget()
    outcomes = outcomes_of(results, names, seeds, jobs=arguments.jobs)
    write_checks(results, outcomes)
    settings = {
        "tier": results.tier,
        "replications": names,
        "seed": seeds.shift,
        "seeds_at_most": seeds.at_most,
        **({"subject": seeds.subject} if seeds.subject else {}),
        **selection.as_settings(*seeds[3:]),
    }
    facts = {name: facts_of(results, name, seeds) for name in names}
    made = {**provenance_of(settings, facts), "git": git_revision(), **incomplete(outcomes)}
    found = answer(results, outcomes[0], seeds) if seeds.subject else None
    if found:
        write_json(results.folder / ANSWER, found)
    page.write(results, outcomes, facts, made, found)
    made["checksums"] = checksums(results, names, seeds)
    write_provenance(results, made)
    if not incomplete(outcomes) and not any(any(bad_data(results, name, seeds)) for name in names):
        remember_derived(made)


def incomplete(outcomes: list[Outcome]) -> dict:
    """What provenance says of replications that are not complete: which part lacks what. Nothing
    where all are."""
    found = {one.replication: one.lacking for one in outcomes if one.problems}
    return {"incomplete": found} if found else {}


def write_checks(results: Results, outcomes: list[Outcome]) -> None:
    """The joined checks.csv: the replications' own lines where they can be trusted."""
    if any(o.problems for o in outcomes):
        write_table(results.all_checks, pd.concat([o.checks for o in outcomes], ignore_index=True))
        return
    texts = [results.checks(o.replication).read_text(encoding="utf-8") for o in outcomes]
    header = texts[0].partition("\n")[0]
    write_text(
        results.all_checks, header + "\n" + "".join(text.partition("\n")[2] for text in texts)
    )


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
