"""`python -m workflow.report`: join the checks and write the report, whatever state things are in.

It runs at the end of every run, also of a failed one: what is missing, stale or damaged is shown
without a verdict.
"""

import argparse
from pathlib import Path

import pandas as pd

from workflow import page
from workflow.assemble import Outcome, facts_of, outcome
from workflow.base.files import exit_code, write_json, write_text
from workflow.base.grid import Seeds
from workflow.base.records import write_table
from workflow.base.revision import git_revision
from workflow.base.tree import Results, known, tier_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--results", type=Path, required=True, help="folder results/TIER")
    parser.add_argument("--replications", required=True, help="names separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds-at-most", type=int, default=0)
    arguments = parser.parse_args()
    results = tier_folder(arguments.results)
    names = [known(name) for name in arguments.replications.split(",")]
    seeds = Seeds(arguments.seed, arguments.seeds_at_most)
    outcomes = [outcome(results, name, seeds) for name in names]
    write_checks(results, outcomes)
    settings = {
        "tier": results.tier,
        "replications": names,
        "seed": seeds.shift,
        "seeds_at_most": seeds.at_most,
    }
    facts = {name: facts_of(results, name, seeds) for name in names}
    write_json(results.provenance, provenance_of(settings, facts))
    page.write(results, outcomes, facts)


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


def provenance_of(settings: dict, facts: dict[str, list[dict]]) -> dict:
    """Settings of the run; per record its cost, seeds and versions; what the report was made of."""
    records = [record for found in facts.values() for record in found]
    return {
        "settings": settings,
        "git": git_revision(),
        "cpu_seconds": round(sum(record["cpu_seconds"] for record in records), 1),
        "max_rss_mb": max((record["max_rss_mb"] for record in records), default=0),
        "started": min((record["started"] for record in records), default=""),
        "data": {name: value for record in records for name, value in record["data"].items()},
        "records": records,
    }


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
