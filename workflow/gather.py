"""`python -m workflow.gather`: join the records of a replication to one tidy table."""

import argparse
from pathlib import Path

import pandas as pd

from workflow.base import selection
from workflow.base.files import UserError
from workflow.base.grid import Seeds, shards
from workflow.base.records import problems, read_table, write_sealed
from workflow.base.tree import Results, known, tier_folder
from workflow.host.terminal import exit_code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--results", type=Path, required=True, help="folder results/TIER")
    parser.add_argument("--replication", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds-at-most", type=int, default=0)
    parser.add_argument("--subject", default="", help="a reader's file, for your_network")
    selection.options(parser)
    arguments = parser.parse_args()
    results, replication = tier_folder(arguments.results), known(arguments.replication)
    seeds = Seeds(
        arguments.seed,
        arguments.seeds_at_most,
        arguments.subject,
        **selection.given(arguments),
    )
    gather(results, replication, seeds)


def gather(results: Results, replication: str, seeds: Seeds) -> None:
    found = problems(results, replication, seeds)
    if found:
        raise UserError(f"{results.folder}: {replication}: {'; '.join(found)}")
    names = shards(replication, results.tier, seeds)
    tables = [read_table(results.record(replication, shard)) for shard in names]
    write_sealed(results.table(replication), pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
