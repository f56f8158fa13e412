"""`python -m workflow.trust.depth AXIS`: are mistakes of optimizers (AXIS width) and in depth (AXIS
depth) seen, and named?

Right variants of the built-in networks `muon_transformer` and `deep_residual`, and each of their
mistakes, are checked as a reader's network is, at four sizes with six seeds of their own for every
check. What should be named is known. Beside it stands the coordinate check that people do by eye.
`--publish` renews docs/optimizer_conformance.md or docs/depth_conformance.md. Exit code 1: a
mistake was not named, or a right network was said to have one.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from replications.your_network import deep_naming, known_scaling, naming
from replications.your_network.scaling import depth_rows, scaling_rows, trial
from widenets.ntk.subject.contract import load
from widenets.ntk.subject.deep import named
from widenets.ntk.subject.problem import problem
from workflow.base.files import UserError, write_text
from workflow.base.tree import ROOT
from workflow.host.terminal import announce, exit_code
from workflow.trust.document import table

RIGHT_IN_DEPTH = ("half", "base4", "sgd", "muon", "eps_right")  # and the same at a = 1
SEEDS = 6  # of one check
EYE_SEEDS, EYE_STEPS, SEEN = 3, 3, 0.25


class Axis(NamedTuple):
    """What is checked along width, or along depth."""

    subject: str
    right: tuple[str, ...]
    mistakes: tuple
    rows: Callable
    names: Callable
    is_named: Callable
    page: str
    title: str


AXES = {
    "width": Axis(
        "muon_transformer",
        ("original", "matched", "own", "coupled"),
        known_scaling.OPTIMIZER_MISTAKES,
        scaling_rows,
        naming.parameterization,
        known_scaling.named_rightly,
        "optimizer_conformance.md",
        "Are optimizers right in width?",
    ),
    "depth": Axis(
        "deep_residual",
        (*RIGHT_IN_DEPTH, *(f"{variant}_one" for variant in RIGHT_IN_DEPTH)),
        known_scaling.DEEP_MISTAKES,
        depth_rows,
        deep_naming.parameterization,
        known_scaling.deep_named_rightly,
        "depth_conformance.md",
        "Is a parameterization right in depth?",
    ),
}
INTRODUCTION = """\
Made by `python -m workflow.trust.depth {axis} --publish`. A check is four sizes and six seeds of
`shared/widenets/ntk/subject/builtin/{subject}.py`; every check has seeds of its own. *Named*: what
the check says, and nothing else, is the mistake, or nothing where it is none.
"""
EYE = """\
The last columns are the check that people do by eye: mean |x| of what every module gives out (of
the blocks: of the last one) at each of three steps, three seeds. A module is flagged if that goes
with {axis} by a power beyond 0.25 either way at any step, and a mistake is seen if modules are
flagged that are not flagged in the right network. It sees {seen} of {count}, and tells neither
tensor nor cause.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("axis", choices=AXES)
    parser.add_argument("--right", type=int, default=8, help="checks of each right network")
    parser.add_argument("--wrong", type=int, default=2, help="checks of each mistake")
    parser.add_argument("--publish", action="store_true", help="renew the page in docs/")
    arguments = parser.parse_args()
    if min(arguments.right, arguments.wrong) < 1:
        raise UserError("--right, --wrong: wanted at least one check")
    torch.set_num_threads(1)
    of = AXES[arguments.axis]
    right = pd.DataFrame(_right(of, arguments.right))
    wrong = pd.DataFrame(_wrong(of, arguments.axis, arguments.wrong))
    text = page(arguments.axis, right, wrong)
    if arguments.publish:
        write_text(ROOT / "docs" / of.page, text)
    announce(text)
    if right["false names"].sum() or (wrong["named"] < wrong["checks"]).any():
        raise SystemExit(1)


def _names(of: Axis, variant: str, check: int) -> list[dict]:
    """What one check of a variant names; its seeds are those of no other check."""
    seeds = tuple(range(SEEDS * check, SEEDS * (check + 1)))
    return of.names(pd.DataFrame(of.rows("theory", f"{of.subject}:{variant}", seeds)))


def _right(of: Axis, checks: int) -> Iterator[dict]:
    for variant in of.right:
        names = [_names(of, variant, check) for check in range(checks)]
        false = sorted({entry["tensor"] or "whole network" for found in names for entry in found})
        yield {
            "network": variant.replace("_", " "),
            "checks": checks,
            "false names": sum(map(len, names)),
            "of tensors": ", ".join(false) or "none",
        }


def _wrong(of: Axis, axis: str, checks: int) -> Iterator[dict]:
    usual = {variant: _flagged(of, axis, variant) for variant in set(map(_beside, of.mistakes))}
    for mistake in of.mistakes:
        names = [_names(of, mistake.variant, check) for check in range(checks)]
        said = sorted({f"{e['cause']} ({e['quantity']})" for found in names for e in found})
        more = _flagged(of, axis, mistake.variant) - usual[_beside(mistake)]
        yield {
            "mistake": mistake.variant.replace("_", " "),
            "what": mistake.statement,
            "is one": "yes" if mistake.cause else "no",
            "checks": checks,
            "named": sum(of.is_named(mistake, found) for found in names),
            "tensors": " / ".join(str(len(found)) for found in names),
            "causes": ", ".join(said) or "none",
            "the eye sees": "yes" if more else "no",
            "it flags": _few(sorted(more)),
        }


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


# -- the check by eye -----------------------------------------------------------------------------


def _beside(mistake) -> str:
    """The right network beside which a mistake is looked at."""
    if isinstance(mistake, known_scaling.Mistake):
        return "original"
    return "one" if mistake.variant.endswith("_one") else "half"


def _flagged(of: Axis, axis: str, variant: str) -> set[str]:
    """What goes with size in the eye of the beholder."""
    subject = load(f"{of.subject}:{variant}")
    sizes = sorted(getattr(subject, f"{axis}s"))
    found = [
        [_sizes_of_outputs(subject, axis, size, seed) for size in sizes]
        for seed in range(EYE_SEEDS)
    ]
    means = np.mean(found, axis=0)
    x = np.log(sizes) - np.log(sizes).mean()
    slopes = np.einsum("s,stm->tm", x, np.log(np.maximum(means, 1e-30))) / (x @ x)
    names = _modules(subject, axis, sizes)[sizes[0]]
    return {name for k, name in enumerate(names) if np.abs(slopes[:, k]).max() > SEEN}


def _modules(subject, axis: str, sizes: Sequence[int]) -> dict[int, dict[str, str]]:
    """{size: {what a module is called at every size: its own name}}, of blocks the last alone."""
    of = problem(subject, 0)
    found = {size: trial(of, axis).model(size) for size in sizes}
    if axis == "width":
        names = [name for name, _ in next(iter(found.values())).named_modules() if name]
        return {size: dict(zip(names, names, strict=True)) for size in sizes}
    tensors = named({size: [n for n, _ in m.named_parameters()] for size, m in found.items()})
    said = {}
    for size, module in found.items():
        blocks = list(dict.fromkeys(t.block for t in tensors[size].values() if t.block))
        last, container = blocks[-1], blocks[-1].rpartition(".")[0]
        own = [name for name, _ in module.named_modules() if name and name != container]
        said[size] = {
            name.replace(last, f"{container}.*"): name
            for name in own
            if not name.startswith(f"{container}.") or f"{name}.".startswith(f"{last}.")
        }
    return said


def _sizes_of_outputs(subject, axis: str, size: int, seed: int) -> np.ndarray:
    """(steps, modules): mean |x| of what modules give out before each step."""
    sizes = sorted(getattr(subject, f"{axis}s"))
    names = _modules(subject, axis, sizes)[size]
    of = trial(problem(subject, seed), axis)
    module = of.model(size)
    optimizer = of.optimizer(module)
    seen: dict[str, float] = {}

    def hook(name: str):
        def keep(_, args, output: Tensor) -> None:
            seen[name] = float(output.detach().abs().mean())

        return keep

    for name in names.values():
        module.get_submodule(name).register_forward_hook(hook(name))
    found = []
    for _ in range(EYE_STEPS):
        optimizer.zero_grad()
        of.loss(module(of.inputs), of.targets).backward()
        found.append([seen.get(name, 0.0) for name in names.values()])  # 0: never called
        optimizer.step()
    return np.array(found)


def page(axis: str, right: pd.DataFrame, wrong: pd.DataFrame) -> str:
    of, named_, checks = AXES[axis], int(wrong["named"].sum()), int(wrong["checks"].sum())
    real = wrong[wrong["is one"] == "yes"]
    false, count = int(right["false names"].sum()), int(right["checks"].sum())
    seen = int((real["the eye sees"] == "yes").sum())
    return "\n".join(
        [
            f"# {of.title}\n",
            INTRODUCTION.format(axis=axis, subject=of.subject),
            f"Right networks: {false} false names in {count} checks.\n",
            table(right),
            f"Mistakes: {named_} of {checks} checks say exactly what is wrong.\n",
            table(wrong),
            EYE.format(axis=axis, seen=seen, count=len(real)),
        ]
    )


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
