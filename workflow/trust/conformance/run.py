"""`python -m workflow.trust.conformance KIND`: is every mistake seen, and named?

KIND is mup (a parameterization in width), optimizers (Muon and others, in width) or depth. Right
variants of a built-in network and each of its mistakes are checked as a reader's network is, at
four sizes, with seeds of their own for every check. What should be named is known. Beside it stands
the coordinate check that people do by eye; of mup that of the package `mup`, whose own networks are
checked too, with `--peer FOLDER` (made by `pip install --no-deps --target FOLDER mup==1.0.0`).
`--publish` renews the page docs/KIND_conformance.md. Exit code 1: a mistake was not named, or a
right network was said to have one.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from replications.your_network import deep_naming, known_scaling, naming
from replications.your_network.scaling import depth_rows, scaling_rows
from workflow.base.files import UserError, write_text
from workflow.base.tree import ROOT
from workflow.host.terminal import announce
from workflow.trust.conformance import by_eye, package
from workflow.trust.document import table

RIGHT_IN_DEPTH = ("half", "base4", "sgd", "muon", "eps_right")  # and the same at a = 1


class Kind(NamedTuple):
    """What is checked: a network, its right variants and its mistakes, seeds of a check, rows of
    measurements, what is named of them, whether that is right, beside which variant it is seen."""

    title: str
    subject: str
    axis: str
    right: tuple[str, ...]
    mistakes: tuple
    seeds: int
    rows: Callable
    names: Callable
    is_named: Callable
    beside: Callable


def _tied_or_plain(variant: str) -> str:
    return "tied" if variant.startswith("tied") else "plain"


def _one_or_half(variant: str) -> str:
    return "one" if variant.endswith("_one") else "half"


KINDS = {
    "mup": Kind(
        "Is a parameterization right?", "mup_transformer", "width",
        ("plain", "tied", "zero_readout"), known_scaling.MISTAKES, 4,
        scaling_rows, naming.parameterization, known_scaling.named_rightly, _tied_or_plain,
    ),
    "optimizers": Kind(
        "Are optimizers right in width?", "muon_transformer", "width",
        ("original", "matched", "own", "coupled"), known_scaling.OPTIMIZER_MISTAKES, 6,
        scaling_rows, naming.parameterization, known_scaling.named_rightly,
        lambda variant: "original",
    ),
    "depth": Kind(
        "Is a parameterization right in depth?", "deep_residual", "depth",
        (*RIGHT_IN_DEPTH, *(f"{variant}_one" for variant in RIGHT_IN_DEPTH)),
        known_scaling.DEEP_MISTAKES, 6,
        depth_rows, deep_naming.parameterization, known_scaling.deep_named_rightly, _one_or_half,
    ),
}  # fmt: skip
INTRODUCTION = """\
Made by `python -m workflow.trust.conformance {kind} --publish`. A check is four sizes and {seeds}
seeds of `shared/widenets/ntk/subject/builtin/{subject}.py`; every check has seeds of its own.
*Named*: what the check says, and nothing else, is the mistake, or nothing where it is none.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--right", type=int, default=8, help="checks of each right network")
    parser.add_argument("--wrong", type=int, default=2, help="checks of each mistake")
    parser.add_argument("--peer", type=Path, help="of mup: folder that holds the package mup")
    parser.add_argument("--publish", action="store_true", help="renew the page in docs/")
    arguments = parser.parse_args()
    if min(arguments.right, arguments.wrong) < 1:
        raise UserError("--right, --wrong: wanted at least one check")
    if arguments.peer and arguments.kind != "mup":
        raise UserError(f"--peer: not of {arguments.kind}; the package mup checks widths alone")
    torch.set_num_threads(1)
    peer = arguments.peer and package.package(arguments.peer)
    right = list(_right(arguments.kind, arguments.right))
    if peer:
        of_package = package.networks(arguments.right, KINDS["mup"].seeds)
        right += [_counted(name, found) for name, found in of_package]
    right = pd.DataFrame(right)
    wrong = pd.DataFrame(_wrong(arguments.kind, arguments.wrong, peer))
    text = page(arguments.kind, right, wrong, package.SAID if peer else by_eye.SAID)
    if arguments.publish:
        write_text(ROOT / "docs" / f"{arguments.kind}_conformance.md", text)
    announce(text)
    if right["false names"].sum() or (wrong["named"] < wrong["checks"]).any():
        raise SystemExit(1)


def _names(of: Kind, variant: str, check: int) -> list[dict]:
    """What one check of a variant names; its seeds are those of no other check."""
    seeds = tuple(range(of.seeds * check, of.seeds * (check + 1)))
    return of.names(pd.DataFrame(of.rows("theory", f"{of.subject}:{variant}", seeds)))


def _right(kind: str, checks: int) -> Iterator[dict]:
    of = KINDS[kind]
    for variant in of.right:
        names = [_names(of, variant, check) for check in range(checks)]
        yield _counted(variant.replace("_", " "), names)


def _counted(network: str, names: list[list[dict]]) -> dict:
    false = sorted({entry["tensor"] or "whole network" for found in names for entry in found})
    return {
        "network": network,
        "checks": len(names),
        "false names": sum(map(len, names)),
        "of tensors": ", ".join(false) or "none",
    }


def _wrong(kind: str, checks: int, peer) -> Iterator[dict]:
    of = KINDS[kind]

    def flagged(variant: str) -> set[str]:
        name = f"{of.subject}:{variant}"
        return package.flagged(peer, name) if peer else by_eye.flagged(name, of.axis)

    beside = {mistake.variant: of.beside(mistake.variant) for mistake in of.mistakes}
    usual = {variant: flagged(variant) for variant in sorted(set(beside.values()))}
    for mistake in of.mistakes:
        names = [_names(of, mistake.variant, check) for check in range(checks)]
        said = sorted({f"{e['cause']} ({e['quantity']})" for found in names for e in found})
        more = flagged(mistake.variant) - usual[beside[mistake.variant]]
        yield {
            "mistake": mistake.variant.replace("_", " "),
            "what": mistake.statement,
            "is one": "yes" if mistake.cause else "no",
            "checks": checks,
            "named": sum(of.is_named(mistake, found) for found in names),
            "tensors": " / ".join(str(len(found)) for found in names),
            "causes": ", ".join(said) or "none",
            "mup sees" if peer else "the eye sees": "yes" if more else "no",
            "it flags": _few(sorted(more)),
        }


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def page(kind: str, right: pd.DataFrame, wrong: pd.DataFrame, said: str) -> str:
    of, named, checks = KINDS[kind], int(wrong["named"].sum()), int(wrong["checks"].sum())
    real = wrong[wrong["is one"] == "yes"]
    false, count = int(right["false names"].sum()), int(right["checks"].sum())
    seen = int((real.filter(like=" sees") == "yes").to_numpy().sum())
    return "\n".join(
        [
            f"# {of.title}\n",
            INTRODUCTION.format(kind=kind, seeds=of.seeds, subject=of.subject),
            f"Right networks: {false} false names in {count} checks.\n",
            table(right),
            f"Mistakes: {named} of {checks} checks say exactly what is wrong.\n",
            table(wrong),
            said.format(axis=of.axis, seen=seen, count=len(real)),
        ]
    )
