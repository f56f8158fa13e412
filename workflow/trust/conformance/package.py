"""The package `mup` beside our check: its own coordinate check, and networks that it parameterized.

It is made by `pip install --no-deps --target FOLDER mup==1.0.0`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from replications.your_network.naming import parameterization
from replications.your_network.scaling import trial
from widenets.ntk.subject.contract import load
from widenets.ntk.subject.coordinates import Trial, coordinates
from widenets.ntk.subject.problem import problem
from workflow.base.files import UserError

STEPS, SEEDS, GROWS = 3, 3, 0.25
SAID = """\
The last columns are the coordinate check of the package `mup` 1.0.0 on the same networks,
optimizers and batch: mean |x| of every module's output in three steps, three seeds. It draws a
picture and gives no verdict; here a module counts as flagged if its mean grows by more than
n^0.25 at any step, and a mistake as seen if modules are flagged that are not flagged in the right
network. It sees {seen} of {count}. It cannot tell the tensor nor the cause, and has no eye for what
is too small.
"""


def package(folder: Path):
    """The coordinate check of the package in a folder of its own."""
    if not (folder / "mup" / "coord_check.py").is_file():
        raise UserError(
            f"{folder}: holds no mup; pip install --no-deps --target {folder} mup==1.0.0"
        )
    sys.path.append(str(folder))
    from mup import coord_check

    return coord_check


def flagged(peer, name: str) -> set[str]:
    """Modules whose mean |x| grows by more than n^GROWS at one of the steps."""
    subject = load(name)
    of = trial(problem(subject, 0))
    models = {width: lambda width=width: subject.model(width) for width in subject.widths}
    found = peer._get_coord_data(
        models,
        [(of.inputs, of.targets.flatten())],
        subject.optimizer,
        nsteps=STEPS,
        flatten_output=True,
        cuda=False,
        nseeds=SEEDS,
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


def networks(checks: int, seeds: int) -> Iterator[tuple[str, list[list[dict]]]]:
    """Networks that the package itself has parameterized, with its optimizers, and what is named
    in each check of `seeds` seeds."""
    import mup

    for name, optimizer in (
        ("MuAdam", lambda m: mup.MuAdam(m.parameters(), lr=2.0**-8)),
        ("MuSGD", lambda m: mup.MuSGD(m.parameters(), lr=0.1)),
    ):
        yield (
            f"package mup, {name}",
            [_names(mup, optimizer, seeds, check) for check in range(checks)],
        )


def _names(mup, optimizer, seeds: int, check: int) -> list[dict]:
    widths = (64, 128, 256, 512)
    rows = []
    for seed in range(seeds * check, seeds * (check + 1)):

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
