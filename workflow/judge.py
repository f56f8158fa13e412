"""`python -m workflow.judge`: hold one replication's table against its claims."""

import argparse
import math
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from widenets.evidence.claim import ASKED, Claim, Verdict
from widenets.evidence.judge import Judgement, judge
from workflow.base import selection
from workflow.base.files import UserError, meant, sha256, write_json
from workflow.base.grid import ALL, Seeds, shards
from workflow.base.modules import load
from workflow.base.records import claims_digest, read_sealed, write_table
from workflow.base.subject import expected_of, file_of, parts_of
from workflow.base.tree import TIERS, Results, known, tier_folder
from workflow.host.terminal import exit_code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--results", type=Path, required=True, help="folder results/TIER")
    parser.add_argument("--replication", required=True)
    parser.add_argument("--seeds-at-most", type=int, default=0, help="of a run that judges nothing")
    parser.add_argument("--subject", default="", help="a reader's file, for your_network")
    selection.options(parser)
    arguments = parser.parse_args()
    results, replication = tier_folder(arguments.results), known(arguments.replication)
    seeds = Seeds(
        at_most=arguments.seeds_at_most,
        subject=arguments.subject,
        **selection.given(arguments),
    )
    write_checks(results, replication, seeds)


def write_checks(results: Results, replication: str, seeds: Seeds = ALL) -> None:
    """Judge the table of a replication, and seal the checks."""
    table_path = results.table(replication)
    checks = judged(replication, read_sealed(table_path), results.tier, seeds)
    path = results.checks(replication)
    write_table(path, checks)
    facts = {
        "claims": claims_digest(replication, seeds.subject),
        "table": sha256(table_path),
        "checks": sha256(path),
        "seeds_at_most": seeds.at_most,
    }
    write_json(path.with_suffix(".json"), facts)


def claims_of(replication: str, subject: str = "") -> list[Claim]:
    """The claims of a replication, or what it asks of a subject; an unusable list is one line."""
    name = f"replications/{replication}/claims.py"
    listed = "ASKED" if subject else "CLAIMS"
    claims = getattr(load(replication, "claims"), listed, None)
    if not isinstance(claims, list) or not claims:
        raise UserError(f"{name}: {listed}: found {claims!r}, wanted a list of claims")
    for claim in claims:
        if not isinstance(claim, Claim):
            raise UserError(f"{name}: {listed}: found {claim!r}, wanted a Claim")
    names = [claim.name for claim in claims]
    for repeated in {found for found in names if names.count(found) > 1}:
        raise UserError(f"{name}: two claims are named {repeated!r}")
    return [claim for claim in claims if not subject or claim.part in parts_of(subject)]


def expectations(replication: str, subject: str) -> dict[str, str]:
    """The verdicts that a reader's file names, of claims that are asked of it."""
    found = expected_of(subject) if subject else {}
    asked = [claim.name for claim in claims_of(replication, subject)]
    for name in found:
        if name not in asked:
            where = f"{file_of(subject).name}: expected"
            raise UserError(f"{where}: unknown claim {name!r}{meant(name, asked)}")
    return found


def refuse_unmeasured(replication: str, claims: list[Claim]) -> None:
    """A part or an arm that the grid has in no tier is a slip of the pen, not a missing cell."""
    cells = (cell for tier in TIERS for some in shards(replication, tier).values() for cell in some)
    arms: dict[str, set[str]] = {}
    for cell in cells:
        arms.setdefault(cell.part, set()).add(cell.arm)
    for claim in claims:
        where = f"replications/{replication}/claims.py: {claim.name}"
        if claim.part not in arms:
            raise UserError(f"{where}: part: unknown {claim.part!r}{meant(claim.part, arms)}")
        for key, arm in (("arm", claim.arm), ("control", claim.control)):
            if arm not in arms[claim.part]:
                guess = meant(arm, sorted(arms[claim.part]))
                raise UserError(f"{where}: {key}: the grid has no arm {arm!r}{guess}")


def judged(replication: str, table: pd.DataFrame, tier: str, seeds: Seeds = ALL) -> pd.DataFrame:
    """One row per claim: the columns of checks.csv. A claim about which a reader's file expects
    something is judged as all that are asked; only then is the expectation put beside it."""
    listed = claims_of(replication, seeds.subject)
    refuse_unmeasured(replication, listed)
    claims = selection.taken(replication, listed, seeds.claims, seeds.changes)
    parts = {  # cut out once, not for each claim
        part: table[table["part"] == part] for part in {claim.part for claim in claims}
    }
    try:
        of_tier = TIERS[-1] if seeds.changes else tier  # a variation decides nothing anyway
        rows = [
            judge(claim, parts[claim.part], of_tier, replication=replication) for claim in claims
        ]
    except KeyError as error:  # a column that no row has
        raise UserError(f"replications/{replication}/claims.py: {error.args[0]}") from error
    if seeds.changes:
        rows = [_of_variation(row, seeds.changes) for row in rows]
    if seeds.at_most:
        rows = [unjudged(row, seeds.at_most) for row in rows]
    if seeds.subject:
        named = expectations(replication, seeds.subject)
        rows = [replace(row, expected=named.get(row.claim, row.expected)) for row in rows]
    return pd.DataFrame([asdict(row) for row in rows])


def _of_variation(row: Judgement, changes: tuple[str, ...]) -> Judgement:
    """A claim where the grid is another one: what comes out is an answer; nothing is expected."""
    return replace(row, expected=ASKED, reason=f"variation: {'; '.join(changes)}")


def unjudged(row: Judgement, seeds_at_most: int) -> Judgement:
    """A claim in a run with fewer seeds than its tier has: its estimate, but no verdict."""
    none = str(Verdict.NOT_JUDGED)
    reason = f"reduced run: at most {seeds_at_most} seeds of each block"
    resolves = {"resolves_below": math.nan, "resolves_above": math.nan}
    return replace(row, verdict=none, control_verdict=none, final=none, reason=reason, **resolves)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
