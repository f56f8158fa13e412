"""`python -m workflow.reader.trial`: can a reader's file be measured, and what will it cost?

The file is run, its functions are tried, a few steps of training are timed. What is wrong, or would
take longer than `minutes`, is said in one line before anything is measured.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from widenets.ntk.subject.contract import Subject, SubjectError, load
from workflow.base.environment import use_one_thread
from workflow.base.files import UserError
from workflow.base.grid import Seeds, shards
from workflow.base.modules import load as load_module
from workflow.base.subject import STAND
from workflow.base.tree import TIERS
from workflow.host.terminal import announce, exit_code
from workflow.judge import expectations

if TYPE_CHECKING:
    from widenets.ntk.subject.cost import Cost

MINUTES = {"smoke": 15, "laptop": 60, "paper": 1440}  # of one core, where the file says nothing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--subject", required=True)
    parser.add_argument("--tier", required=True, choices=TIERS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds-at-most", type=int, default=0)
    arguments = parser.parse_args()
    use_one_thread()
    seeds = Seeds(arguments.seed, arguments.seeds_at_most, arguments.subject)
    try:
        tried(arguments.subject, arguments.tier, seeds)
    except SubjectError as error:
        raise UserError(str(error)) from None


def tried(subject: str, tier: str, seeds: Seeds) -> None:
    """Announce what the measurement will cost; an error says why there is none."""
    found = load(subject)
    expectations(STAND, subject)
    cells = [cell for some in shards(STAND, tier, seeds).values() for cell in some]
    of_part = {cell.part: cell.seeds for cell in cells}
    costs = list(_timed(found, of_part, {(cell.part, cell.arm) for cell in cells}))
    if costs:
        cost = sum(costs[1:], costs[0])
        refusal = cost.refusal(found, found.minutes or MINUTES[tier])
        if refusal:
            raise UserError(refusal)
        announce(cost.told(found))
    announce(f"{found.file}: asked of it: {', '.join(of_part)}")


def _timed(subject: Subject, of_part: dict, arms: set) -> Iterator["Cost"]:
    """Costs of what takes long, once the file is examined; of_part: seeds of every part."""
    if "diagnosis" in of_part:
        from widenets.ntk.subject.cost import predicted  # with torch
        from widenets.ntk.subject.stands import stand_of

        yield predicted(stand_of(subject, of_part["diagnosis"]))
    elif subject.model is not None:
        from widenets.ntk.subject.examination import examined  # with torch

        examined(subject, next(of_part[part] for part in ("scaling", "depth") if part in of_part))
    if "transfer" in of_part:
        count = sum(part == "transfer" for part, _ in arms)
        yield load_module(STAND, "scaling").predicted(subject, of_part["transfer"], count)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
