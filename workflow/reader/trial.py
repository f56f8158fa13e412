"""`python -m workflow.reader.trial`: can a reader's file be measured, and what will it cost?

The file is run, its functions are tried, a few steps of training are timed. What is wrong, or would
take longer than `minutes`, is said in one line before anything is measured.
"""

import argparse
import math
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
    from widenets.ntk.subject.problem import Problem

PAIRS = 64  # examples by which a loss is asked whose target is whose
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

        stand = stand_of(subject, of_part["diagnosis"])
        _check_pairs(stand.problems[0])
        yield predicted(stand)
    elif subject.model is not None:
        from widenets.ntk.subject.examination import examined  # with torch
        from widenets.ntk.subject.problem import problem

        seeds = next(of_part[part] for part in ("scaling", "depth") if part in of_part)
        examined(subject, seeds)
        _check_pairs(problem(subject, seeds[0]))
    if "transfer" in of_part:
        count = sum(part == "transfer" for part, _ in arms)
        yield load_module(STAND, "scaling").predicted(subject, of_part["transfer"], count)


def _check_pairs(first: "Problem") -> None:
    """A SubjectError if the loss of numbers is the same whichever target is whose: outputs (n, 1)
    and targets (n,) are broadcast to all n^2 pairs, and what is learned is the mean."""
    import torch

    from widenets.ntk.subject.traced import TracedProblem, array

    subject = first.subject
    if first.classes:
        return
    points = slice(0, min(PAIRS, first.sizes[0]))
    targets, inputs = first.targets[points], first.inputs[points]
    with torch.no_grad(), subject.blamed("model's forward()"):
        if isinstance(first, TracedProblem):
            shape = first.functions[1](first.network(), array(inputs)).shape
        else:
            shape = first.network().eval()(inputs).shape
    draws = torch.Generator().manual_seed(0)
    # Of the size of the targets, so that other pairs are felt wherever these lie.
    outputs = targets.mean() + targets.std() * torch.randn(tuple(shape), generator=draws)
    other = targets.flip(0)
    losses = [first.judged(outputs.to(targets.dtype), of)[0] for of in (targets, other)]
    if not torch.equal(targets, other) and math.isclose(*losses, rel_tol=1e-5):
        raise subject.error(
            "loss(outputs, targets) does not see which target is whose: the model's outputs have "
            f"the shape {tuple(shape)}, the targets {tuple(targets.shape)}, wanted the same"
        )


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
