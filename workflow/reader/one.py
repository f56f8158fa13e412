"""`python -m workflow.reader.one PAPER.CLAIM`: measure and judge a single claim, or a variation.

    python -m workflow.reader.one jacot2018_frozen_kernel.J2_limit_relu --seeds 4 width=32,64,128

measures the arm and the control of the claim alone, with the grid of the tier, and says what comes
out. `name=value` holds a parameter of the part at a value, `name=a,b,c` sweeps it, in place of what
the grid says. Nothing is kept: a variation is no verdict of the suite. (`snakemake --config
set=PART.NAME=VALUE` is the form with records and a report.)
"""

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from widenets.evidence.claim import Claim
from widenets.evidence.judge import judge
from workflow.base.files import UserError
from workflow.base.grid import Cell, Seeds, changed, part_signatures, shards
from workflow.base.rows import experiment_of, measured
from workflow.base.selection import Change, claim_named, values_of
from workflow.base.tree import ROOT, TIERS, known
from workflow.host.terminal import exit_code
from workflow.page.strip import short


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("claim", help="PAPER.CLAIM, as the report names it")
    parser.add_argument("changes", nargs="*", help="name=value or name=a,b,c")
    parser.add_argument("--tier", choices=TIERS, help="whose grid; the claim's own if left out")
    parser.add_argument("--seeds", type=int, default=0, help="at most so many; 0 for all")
    parser.add_argument("--data-dir", type=Path, default=None)
    arguments = parser.parse_args()
    replication, _, name = arguments.claim.partition(".")
    claim = claim_named(known(replication), name)
    changes = changes_of(arguments.changes, claim.part)
    tier = arguments.tier or claim.tier
    cells = cells_of(replication, claim, tier, Seeds(at_most=arguments.seeds), changes)
    experiment = experiment_of(replication)
    text = measured(experiment, cells, arguments.data_dir, lambda done: None, {})[0]
    for line in told(claim, pd.read_csv(io.StringIO(text)), replication):
        print(line.replace("\u2212", "-"))  # numbers that a program reads, too
    if changes or arguments.seeds:
        print("This is a variation of the claim; nothing of it is kept.")


def changes_of(words: list[str], part: str) -> list[Change]:
    """`name=value` and `name=a,b,c`, of a part."""
    found = []
    for word in words:
        name, equals, text = word.partition("=")
        if not (name.isidentifier() and equals and text):
            raise UserError(f"changes: found {word!r}, wanted name=value or name=a,b,c")
        values_of(text, f"changes: {name}")
        found.append(Change("", part, "", name, text))
    return found


def cells_of(
    replication: str, claim: Claim, tier: str, seeds: Seeds, changes: list[Change]
) -> list[Cell]:
    """The cells of the claim's arm and control in a tier, with the changes, each once."""
    every = (cell for some in shards(replication, tier, seeds).values() for cell in some)
    cells = [c for c in every if c.part == claim.part and c.arm in (claim.arm, claim.control)]
    if not cells:
        raise UserError(f"{replication}: {claim.name}: the {tier} tier does not measure it")
    signatures = part_signatures(ROOT / "replications" / replication / "experiment.py")
    return changed({"": cells}, changes, signatures, "changes")[""]


def told(claim: Claim, rows: pd.DataFrame, replication: str) -> Iterator[str]:
    """What came out, line by line."""
    row = judge(claim, rows, TIERS[-1], replication=replication)
    yield f"{replication}.{claim.name}: {claim.statement}"
    of = "" if claim.predicted is None else f", predicted {short(claim.predicted)}"
    for arm, value, low, high, verdict in (
        (claim.arm, row.estimate, row.ci_low, row.ci_high, row.verdict),
        (claim.control, *(getattr(row, f"control_{key}") for key in NUMBERS), row.control_verdict),
    ):
        role = "arm" if arm == claim.arm else "control"
        found = f"{short(value)} [{short(low)}, {short(high)}]"
        yield f"  {role} {arm}: {found}, accepted {row.region}{of}: {verdict}"
    reason = f" ({row.note})" if row.note else ""
    yield f"  in all: {row.final}, expected {row.expected}{reason}"


NUMBERS = ("estimate", "ci_low", "ci_high")

if __name__ == "__main__":
    raise SystemExit(exit_code(main))
