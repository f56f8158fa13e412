"""`python -m workflow.trust.devices`: do a GPU's numbers give the verdicts of a processor's?

For the first machine that has a GPU. It measures a few papers of the smoke tier on the processor
and once more with `device=cuda`, in a scratch project through the real workflow, and holds one run
against the other as `workflow.compare` holds two processors: no verdict may differ, and no estimate
may move by more than it may there. Then it prints what each job took on both. `--publish` keeps the
table as results/reference/devices/{GPU}.csv. Exit code 0: none differs; 1: some do; 2: no GPU.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

import pandas as pd

from workflow.base.environment import CPU, DEVICES
from workflow.base.files import UserError
from workflow.base.records import write_table
from workflow.base.tree import ROOT
from workflow.compare import COUNT, Change, Kept, compare, lines, read
from workflow.host.device import refuse_absent
from workflow.host.terminal import announce, exit_code
from workflow.trust.document import table as markdown
from workflow.trust.scratch import Project, fresh_project

# In jax and in torch, float32 and float64, trainings and closed forms.
PAPERS = (
    "cao2019_spectral_bias",
    "chizat2019_lazy_training",
    "jacot2018_frozen_kernel",
    "lee2019_linearization",
)
RESULTS = Path("results") / "smoke"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--papers", default=",".join(PAPERS), help="separated by commas")
    parser.add_argument("--device", choices=DEVICES, default="cuda", help="beside the processor")
    parser.add_argument("--publish", action="store_true", help="keep the table")
    arguments = parser.parse_args()
    papers = arguments.papers.split(",")
    with tempfile.TemporaryDirectory(prefix="devices-") as scratch:
        project = fresh_project(Path(scratch) / "project", papers)
        refuse_absent(arguments.device, [p for p in papers if (ROOT / "replications" / p).exists()])
        old, new = (run_on(project, device) for device in (CPU, arguments.device))
    changes, remarks = compare(new, old)
    seconds = costs(old, new, changes)
    for line in (*lines(changes, remarks), "", *markdown(seconds).splitlines()):
        announce(line)
    if arguments.publish:
        announce(f"{publish(seconds, new).relative_to(ROOT)}: written")
    return int(any(change.kind in COUNT for change in changes))


def run_on(project: Project, device: str) -> Kept:
    """The smoke tier of a project, measured on a device by one job at a time.

    A run that ends in another verdict is held against the other all the same.
    """
    words = ("--cores", "1", "--forcerun", "measure")
    given = ("tier=smoke", f"device={device}")
    run = project.call("snakemake", *words, "--config", *given, timeout=None)
    folder = project.path(str(RESULTS))
    if run.code and not (folder / "provenance.json").exists():
        raise UserError(f"device={device}: the run ended with {run.code}: {run.output[-500:]}")
    kept = read(folder)
    strange = {facts.get("device", CPU) for facts in kept.records.values()}
    if {name.partition(":")[0] for name in strange} != {device}:
        raise UserError(f"device={device}: measured on {', '.join(sorted(strange))}; {run.output}")
    return kept


def costs(old: Kept, new: Kept, changes: list[Change]) -> pd.DataFrame:
    """Of each job: seconds on both, and how many claims of its paper are the same, and not."""
    kinds = pd.DataFrame([(one.replication, one.kind) for one in changes], columns=["paper", "is"])
    rows = []
    for key in sorted(old.records.keys() & new.records.keys()):
        was, now = old.records[key]["seconds"], new.records[key]["seconds"]
        of_paper = kinds.loc[kinds["paper"] == key[0], "is"]
        rows.append(
            {
                "paper": key[0],
                "job": key[1],
                "seconds on the processor": was,
                f"seconds on {new.records[key].get('device', CPU)}": now,
                "times as fast": round(was / now, 2),
                "claims": len(of_paper),
                "of them differ": int(of_paper.isin(COUNT).sum()),
            }
        )
    return pd.DataFrame(rows)


def publish(seconds: pd.DataFrame, new: Kept, root: Path = ROOT) -> Path:
    """Keep the table under the name of the GPU."""
    (device,) = {facts["device"] for facts in new.records.values()}
    name = re.sub(r"\W+", "_", device.partition(":")[2].strip() or device)
    path = root / "results" / "reference" / "devices" / f"{name}.csv"
    write_table(path, seconds)
    return path


if __name__ == "__main__":
    sys.exit(exit_code(main))
