"""`python -m workflow.trust.mup`: is every mistake in a parameterization seen, and named?

Right networks (plain, tied, zero read-out) and the built-in transformer with each of its mistakes
are checked as a reader's network is, at four widths with four seeds of their own for every check.
What should be named is known. `--peer FOLDER` checks networks of the package `mup`, too, and holds
its own coordinate check against the same mistakes; FOLDER is made by
`pip install --no-deps --target FOLDER mup==1.0.0`.
`--publish` renews docs/mup_conformance.md. Exit code 1: a mistake was not named, or a right network
was said to have one.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from replications.your_network.known_scaling import MISTAKES, named_rightly
from replications.your_network.naming import parameterization
from replications.your_network.scaling import scaling_rows, trial
from widenets.ntk.subject.contract import load
from widenets.ntk.subject.coordinates import Trial, coordinates
from widenets.ntk.subject.problem import problem
from workflow.base.files import UserError, write_text
from workflow.base.tree import ROOT
from workflow.host.terminal import announce, exit_code
from workflow.trust.document import table

RIGHT = ("plain", "tied", "zero_readout")
SEEDS = 4  # of one check
PEER_STEPS, PEER_SEEDS, GROWS = 3, 3, 0.25
INTRODUCTION = """\
Made by `python -m workflow.trust.mup --publish`. A check is four widths and four seeds of a
transformer of two blocks (`shared/widenets/ntk/subject/builtin/mup_transformer.py`); every check
has seeds of its own. *Named*: what the check says, and nothing else, is the mistake; a check that
names what is right fails. `n/n0` is the width in units of the base width.
"""
PEER = """\
The last columns are the coordinate check of the package `mup` 1.0.0 on the same networks,
optimizers and batch: mean |x| of every module's output in three steps, three seeds. It draws a
picture and gives no verdict; here a module counts as flagged if its mean grows by more than
n^0.25 at any step, and a mistake as seen if modules are flagged that are not flagged in the right
network. It cannot tell the tensor nor the cause, and has no eye for what is too small.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--right", type=int, default=10, help="checks of each right network")
    parser.add_argument("--wrong", type=int, default=2, help="checks of each mistake")
    parser.add_argument("--peer", type=Path, help="folder that holds the package mup")
    parser.add_argument("--publish", action="store_true", help="renew docs/mup_conformance.md")
    arguments = parser.parse_args()
    if min(arguments.right, arguments.wrong) < 1:
        raise UserError("--right, --wrong: wanted at least one check")
    torch.set_num_threads(1)
    peer = None if arguments.peer is None else _peer(arguments.peer)
    right, wrong = list(_right(arguments.right)), pd.DataFrame(_wrong(arguments.wrong))
    if peer is not None:
        right += _of_package(arguments.right)
        flags = {
            variant: _flagged(peer, variant) for variant in ("plain", "tied", *wrong["mistake"])
        }
        wrong = _beside(wrong, flags)
    right = pd.DataFrame(right)
    text = page(right, wrong, peer is not None)
    if arguments.publish:
        write_text(ROOT / "docs" / "mup_conformance.md", text)
    announce(text)
    if right["false names"].sum() or (wrong["named"] < wrong["checks"]).any():
        raise SystemExit(1)


def _names(variant: str, check: int) -> list[dict]:
    """What one check of a variant names; its seeds are those of no other check."""
    seeds = tuple(range(SEEDS * check, SEEDS * (check + 1)))
    rows = scaling_rows("theory", f"mup_transformer:{variant}", seeds)
    return parameterization(pd.DataFrame(rows))


def _right(checks: int) -> Iterator[dict]:
    for variant in RIGHT:
        names = [_names(variant, check) for check in range(checks)]
        yield _counted(variant.replace("_", " "), names)


def _counted(network: str, names: list[list[dict]]) -> dict:
    false = sorted({entry["tensor"] for found in names for entry in found})
    return {
        "network": network,
        "checks": len(names),
        "false names": sum(map(len, names)),
        "of tensors": ", ".join(false) or "none",
    }


def _wrong(checks: int) -> Iterator[dict]:
    for mistake in MISTAKES:
        names = [_names(mistake.variant, check) for check in range(checks)]
        said = sorted({_said(entry) for found in names for entry in found})
        yield {
            "mistake": mistake.variant,
            "what": mistake.statement,
            "checks": checks,
            "seen": sum(map(bool, names)),
            "named": sum(named_rightly(mistake, found) for found in names),
            "tensors": " / ".join(str(len(found)) for found in names),
            "causes": ", ".join(said) or "none",
        }


def _said(entry: dict) -> str:
    return f"{entry['cause']} ({entry['quantity']})"


# -- the package ----------------------------------------------------------------------------------


def _peer(folder: Path):
    """The coordinate check of the package in a folder of its own."""
    if not (folder / "mup" / "coord_check.py").is_file():
        raise UserError(
            f"{folder}: holds no mup; pip install --no-deps --target {folder} mup==1.0.0"
        )
    sys.path.append(str(folder))
    from mup import coord_check

    return coord_check


def _flagged(peer, variant: str) -> set[str]:
    """Modules whose mean |x| grows by more than n^GROWS at one of the steps."""
    subject = load(f"mup_transformer:{variant}")
    of = trial(problem(subject, 0))
    models = {width: lambda width=width: subject.model(width) for width in subject.widths}
    found = peer._get_coord_data(
        models,
        [(of.inputs, of.targets.flatten())],
        subject.optimizer,
        nsteps=PEER_STEPS,
        flatten_output=True,
        cuda=False,
        nseeds=PEER_SEEDS,
        show_progress=False,
    )
    means = found.groupby(["module", "t", "width"])["l1"].mean().unstack("width")
    x = np.log(means.columns.to_numpy(float))
    slopes = np.log(means.clip(lower=1e-30)) @ (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    return {module or "whole network" for module in slopes[slopes > GROWS].index.unique("module")}


class _Mlp(nn.Module):
    """Ten numbers, two hidden layers, three classes, with the package's read-out."""

    def __init__(self, readout, n: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(10, n), nn.ReLU(), nn.Linear(n, n), nn.ReLU(), readout(n, 3)
        )

    def forward(self, x):
        return self.layers(x)


def _of_package(checks: int) -> Iterator[dict]:
    """Networks that the package itself has parameterized, with its optimizers."""
    import mup

    for name, optimizer in (
        ("MuAdam", lambda m: mup.MuAdam(m.parameters(), lr=2.0**-8)),
        ("MuSGD", lambda m: mup.MuSGD(m.parameters(), lr=0.1)),
    ):
        names = [_names_of_package(mup, optimizer, check) for check in range(checks)]
        yield _counted(f"package mup, {name}", names)


def _names_of_package(mup, optimizer, check: int) -> list[dict]:
    widths = (64, 128, 256, 512)
    rows = []
    for seed in range(SEEDS * check, SEEDS * (check + 1)):

        def model(n, seed=seed):
            torch.manual_seed(seed)
            base, delta, module = (_Mlp(mup.MuReadout, k) for k in (widths[0], widths[1], n))
            mup.set_base_shapes(module, base, delta=delta)
            for parameter in module.parameters():
                if parameter.ndim == 2:
                    mup.init.kaiming_normal_(parameter, a=1)
            return module

        draws = torch.Generator().manual_seed(seed)
        batch = torch.randn(16, 10, generator=draws), torch.randint(3, (16,), generator=draws)
        found = coordinates(Trial(model, optimizer, functional.cross_entropy, *batch), widths)
        rows += [{"seed": seed, **coordinate._asdict()} for coordinate in found]
    return parameterization(pd.DataFrame(rows))


def _beside(wrong: pd.DataFrame, flags: dict[str, set[str]]) -> pd.DataFrame:
    """The table with what the package's check flags, apart from what it flags without mistake."""
    columns = {"mup sees": [], "mup flags": []}
    for variant in wrong["mistake"]:
        usual = flags["tied" if variant.startswith("tied") else "plain"]
        more = sorted(flags[variant] - usual)
        columns["mup sees"].append("yes" if more else "no")
        columns["mup flags"].append(_few(more))
    return wrong.assign(**columns)


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def page(right: pd.DataFrame, wrong: pd.DataFrame, peer: bool) -> str:
    named, checks = int(wrong["named"].sum()), int(wrong["checks"].sum())
    false = int(right["false names"].sum())
    lines = [
        "# Is a parameterization right?\n",
        INTRODUCTION,
        f"Right networks: {false} false names in {int(right['checks'].sum())} checks.\n",
        table(right),
        f"Mistakes: {named} of {checks} checks name exactly the mistake.\n",
        table(wrong.assign(mistake=wrong["mistake"].str.replace("_", " "))),
    ]
    if peer:
        seen = int((wrong["mup sees"] == "yes").sum())
        lines += [f"The package's check sees {seen} of {len(wrong)}.\n", PEER]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
