"""`python -m workflow.trust.stability`: how often does a final verdict change with the master seed?

Measures and judges a tier with `seed` = 1000, 2000, ... (all weights and data new), each in a
folder of its own, and counts per claim in how many runs its final verdict was the expected one.
One process measures a shard at all master seeds, so that it starts and compiles once. What is
complete in the folder is not measured again.
`--publish` keeps verdicts and estimates at these seeds (`workflow.trust.draws`) and renews
docs/stability.md from all that is kept.
"""

import argparse
import math
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import pandas as pd

from workflow.assemble import outcome
from workflow.base import config
from workflow.base.environment import use_one_thread
from workflow.base.files import UserError, write_text
from workflow.base.grid import Seeds, shards
from workflow.base.records import problem, read_table, write_table
from workflow.base.tree import ROOT, TIERS, Results
from workflow.gather import gather
from workflow.host.revision import git_revision
from workflow.host.terminal import announce, exit_code
from workflow.judge import write_checks
from workflow.measure import measure
from workflow.reference import folder_of, is_kept, with_table
from workflow.trust import alarms, draws
from workflow.trust.document import table as markdown
from workflow.trust.draws import ABOUT, FOUND, FRESH, by_seed, digest_of, with_half_widths

STEP = 1000  # between master seeds: more than any grid has seeds, so that no draw is shared
# The largest master seed by which a grid's seeds were chosen.
LOOKED_AT = {"smoke": 44000, "laptop": 21000}
TABLES = tuple(f"{tier}{kind}" for tier in TIERS for kind in ("", FRESH))

INTRODUCTION = (
    "Each run takes another master seed: all weights, data and trainings are new, the regions are",
    "the same. Counted are the claims that the tier decides. Made by",
    "`python -m workflow.trust.stability --tier TIER --seeds N --folder FOLDER --publish`.",
    "Seeds of the laptop tier's grids were added after a look at its master seeds up to 21000, of",
    "the smoke tier's after one at 20000 to 44000, so that these tables flatter the claims a",
    "little (and estimators of Geiger's G5 and G6, Hron's T15 and muTransfer's M12 were changed",
    "after one at 20000 of the laptop tier); fresh ones stand in tables of their own.",
)
PER_RUN = (
    "Computed from each claim's own scatter and margin (`workflow.trust.alarms`): about the mean",
    "of its estimates in the reference and at all other master seeds kept of the same code, which",
    "is as uncertain as so many draws are, with the half-width of each of them in turn; the",
    "chance is the mean of theirs, and 1 of a draw that gave no number. Papers are taken as",
    "independent, and claims of one within a draw; a share of all seeds or of none as certain; the",
    "counts below see all of this:",
)
STRAYS = "Claims that were not as expected at every seed:"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--tier", choices=TIERS, default="smoke")
    parser.add_argument("--seeds", type=int, default=20, help="how many master seeds")
    parser.add_argument("--first", type=int, default=1, help="number of the first master seed")
    parser.add_argument("--replications", default="all")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=Path, required=True, help="keeps the runs; resumes there")
    parser.add_argument("--publish", action="store_true", help="keep the table as the reference")
    arguments = parser.parse_args()
    for option in ("seeds", "first"):
        if getattr(arguments, option) < 1:
            raise UserError(f"--{option}: found {getattr(arguments, option)}, wanted at least 1")
    chosen = {"tier": arguments.tier, "replications": arguments.replications}
    rest = {"seed": 0, "seeds_at_most": 0, "data_dir": "", "subject": ""}
    names = config.settings({**chosen, **rest}).replications
    seeds = [STEP * (arguments.first + number) for number in range(arguments.seeds)]
    measured(arguments.folder, arguments.tier, names, seeds, arguments.cores)
    runs = [checks_of(arguments.folder, arguments.tier, names, seed) for seed in seeds]
    tables = {column: by_seed(runs, column) for column in ("final", *FOUND)}
    for column, table in tables.items():
        write_table(arguments.folder / f"{column}.csv", table)
    table = tables["final"]
    announce(summary(table))
    for row in strays(table).itertuples():
        announce(f"{row.replication}: {row.claim}: {row.as_expected} of {row.runs}: {row.others}")
    if arguments.publish:
        publish(tables, arguments.tier)
    return 0


def measured(folder: Path, tier: str, names: list[str], seeds: list[int], cores: int) -> None:
    """Records of all shards at all master seeds, a process for each shard."""
    use_one_thread()  # for the processes that start from here
    tasks = [(name, shard) for name in names for shard in shards(name, tier)]
    with ProcessPoolExecutor(
        cores, multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        waiting = [pool.submit(measure_shard, folder, tier, *task, seeds) for task in tasks]
        for done, task in enumerate(as_completed(waiting), start=1):
            announce(f"{task.result()} measured; {done} of {len(tasks)} shards")


def measure_shard(folder: Path, tier: str, name: str, shard: str, seeds: list[int]) -> str:
    use_one_thread()
    for number, seed in enumerate(seeds, start=1):
        results = results_of(folder, tier, seed)
        announce(f"{name}/{shard}: master seed {number} of {len(seeds)}")
        if problem(results, name, shard, Seeds(seed)):
            measure(results, name, shard, Seeds(seed), spent=time.process_time())
    return f"{name}/{shard}"


def checks_of(folder: Path, tier: str, names: list[str], seed: int) -> pd.DataFrame:
    """Checks of one master seed, from its records."""
    results = results_of(folder, tier, seed)
    for name in names:
        gather(results, name, Seeds(seed))
        write_checks(results, name)
    found = [outcome(results, name, Seeds(seed)).checks for name in names]
    every = [rows.assign(digest=digest_of(rows["replication"].iloc[0], tier)) for rows in found]
    return with_half_widths(pd.concat(every).assign(seed=seed, git=git_revision()))


def results_of(folder: Path, tier: str, seed: int) -> Results:
    return Results(folder / str(seed) / "results" / tier)


def strays(table: pd.DataFrame) -> pd.DataFrame:
    """Claims that were not as expected at every seed, with how often, and the other verdicts."""
    counted = counts(table)
    return counted[counted["as_expected"] < counted["runs"]]


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """replication, claim, git, runs that judged it, runs as expected, other verdicts met."""
    rows = []
    for _, row in table.iterrows():
        found = row.drop(ABOUT).dropna()
        others = found[found != row["expected"]].value_counts()
        rows.append(
            {
                **row[["replication", "claim", "git"]],
                "runs": len(found),
                "as_expected": int((found == row["expected"]).sum()),
                "others": ", ".join(f"{count} {final}" for final, count in others.items()),
            }
        )
    return pd.DataFrame(rows)


def summary(table: pd.DataFrame) -> str:
    counted = counts(table)
    pairs = counted["runs"].sum()
    agreed = counted["as_expected"].sum()
    return f"{agreed / pairs:.2%} of {pairs} (claim, seed) pairs are as expected"


def publish(tables: dict[str, pd.DataFrame], tier: str, root: Path = ROOT) -> None:
    """Keep the seeds of these tables (`by_seed` of "final" and FOUND) and renew the page."""
    finals = tables["final"]
    seeds = finals.columns.drop(ABOUT)
    fresh = seeds.map(int) > LOOKED_AT.get(tier, math.inf)
    for kind, chosen in (("", seeds[~fresh]), (FRESH, seeds[fresh])):
        if len(chosen):
            draws.add(finals[[*ABOUT, *chosen]], f"{tier}{kind}", root)
    for column in FOUND:
        draws.add(tables[column], f"{tier}_{column}", root)
    write_page(root)


def write_page(root: Path = ROOT) -> None:
    """docs/stability.md and its lines in README.md, from the seeds and references that are kept."""
    whole = [tier for tier in TIERS if is_kept(tier, root, whole=True)]
    checks = {tier: read_table(folder_of(tier, root) / "checks.csv") for tier in whole}
    runs = {tier: draws.of_a_run(rows, tier, root) for tier, rows in checks.items()}
    tables = {name: draws.kept(name, root) for name in TABLES}
    write_text(root / "docs" / "stability.md", page(tables, runs))
    readme = root / "README.md"
    text = with_table(readme.read_text(encoding="utf-8"), in_readme(runs), "stability")
    write_text(readme, text)


def in_readme(runs: dict[str, draws.OfARun]) -> str:
    """The chance of a run as expected, per tier, and from how many draws it is computed."""
    said = [
        f"{of_run.as_expected:.0%} in the `{tier}` tier ({drawn(of_run.draws)})"
        for tier, of_run in runs.items()
    ]
    return (
        "A run of an unchanged tree at another master seed is as expected in so many runs,\n"
        f"computed from scatter and margins: {', '.join(said)}.\n"
        "What fresh seeds gave is [counted beside it](docs/stability.md).\n"
        "At the default master seed verdicts are always these.\n"
    )


def drawn(count: int) -> str:
    """How sure a chance from so many draws is."""
    if count == 1:
        return "from a single draw, hence too high: seeds were chosen by such draws"
    return f"from {count} draws and more of each paper"


def whole_runs(table: pd.DataFrame) -> tuple[int, int]:
    """Runs of all papers that the seeds make, and those with all as expected. Papers draw apart, so
    that the k-th kept seed of each makes the k-th run, whichever seeds these are."""
    good = []
    for _, claims in table.groupby("replication", sort=False):
        seeds = claims.drop(columns=ABOUT).dropna(axis="columns")
        good.append(seeds.eq(claims["expected"], axis=0).all().tolist())
    runs = min(map(len, good), default=0)
    return runs, sum(all(of_paper[run] for of_paper in good) for run in range(runs))


def page(tables: dict[str, pd.DataFrame], of_runs: dict[str, draws.OfARun]) -> str:
    """docs/stability.md: how often a run of a tier is as expected, computed and counted; per table
    and paper the share of claims as expected, and every stray claim."""
    lines = ["# Stability: does a verdict depend on the master seed?", "", *INTRODUCTION, ""]
    for tier, of_run in of_runs.items():
        lines += [f"## A run of the {tier} tier", "", *PER_RUN, ""]
        lines += [f"Here {drawn(of_run.draws)}.", "", alarms.section(of_run), ""]
        for name in (tier, f"{tier}{FRESH}"):
            runs, good = whole_runs(tables[name])
            if runs:
                kind = "fresh master seeds" if name.endswith(FRESH) else "master seeds"
                papers = tables[name]["replication"].nunique()
                which = f"{kind}: the first kept one of each of {papers} papers, the second, ..."
                said = f"Counted: in {good} of {runs} runs ({which}) all claims were as expected."
                lines += [said, ""]
    for name, table in tables.items():
        if table.empty:
            continue
        title = name.replace(FRESH, ", fresh master seeds")
        lines += [f"## {title}", "", summary(table) + ".", "", _of_papers(table)]
        found = strays(table)
        if len(found):
            lines += [STRAYS, "", _of_strays(found)]
    return "\n".join(lines)


def _of_papers(table: pd.DataFrame) -> str:
    rows = []
    for paper, of_claims in counts(table).groupby("replication", sort=False):
        pairs, agreed = of_claims["runs"].sum(), of_claims["as_expected"].sum()
        rows.append(
            {
                "replication": paper,
                "claims": len(of_claims),
                "master seeds": of_claims["runs"].max(),
                "pairs": pairs,
                "as expected": f"{agreed / pairs:.2%}",
                "measured at": ", ".join(f"`{one[:7]}`" for one in of_claims["git"].unique()),
            }
        )
    return markdown(pd.DataFrame(rows), right=["as expected"])


def _of_strays(found: pd.DataFrame) -> str:
    seen = found["as_expected"].astype(str) + " of " + found["runs"].astype(str)
    shown = found[["replication", "claim"]].assign(**{"as expected": seen})
    return markdown(shown.assign(otherwise=found["others"]), right=["as expected"])


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
