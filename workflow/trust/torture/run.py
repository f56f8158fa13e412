"""`python -m workflow.trust.torture`: disturb runs in many ways, and see what is lost.

Each trial disturbs a project of its own in a scratch folder (two toy papers, or `--papers`), as
`disturbances.py` says; then the cause is removed and the same command is given again. It holds if

  * nothing is half counted: after the disturbance no verdict is shown that differs from those of an
    undisturbed run, and the gate does not say 0 while anything differs;
  * nothing is lost: what was measured completely is not measured again;
  * one more run makes tables, verdicts and figures the same bytes as in an undisturbed run.

Then downloads are disturbed (`bad_downloads.py`). `--publish` keeps the table as
results/reference/faults.csv and renews docs/faults.md. Exit code 0 only if every trial holds.
"""

import argparse
import csv
import io
import json
import random
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import psutil

from workflow.base.files import UserError, sha256, write_text
from workflow.base.records import read_table, write_table
from workflow.base.tree import ROOT
from workflow.host.revision import git_revision
from workflow.host.terminal import announce
from workflow.trust.document import table as markdown
from workflow.trust.scratch import TOY_PAPERS, Project, fresh_project
from workflow.trust.torture import downloads as bad_downloads
from workflow.trust.torture.disturbances import KILLS, OTHERS, Fault, Scene, TooLateError

MOST_RUNS = 3  # of the same command after a disturbance
LINES = re.compile(
    r"^(error: .*|.*\bKilled\b.*|.*No space left.*|.*Read-only file system.*|\w*Error: .*|"
    r".*MemoryError.*|\w+Exception: .*)$",
    re.MULTILINE,
)
INTRODUCTION = """# Faults: what a disturbed run loses

Made by `python -m workflow.trust.torture --publish`; every trial is a row of
[`faults.csv`](../results/reference/faults.csv). In each, a project with the real workflow and a toy
paper is disturbed, the cause is removed, and the same command is given again.

* *half counted*: trials after which a verdict was shown that an undisturbed run does not give, or
  the gate said 0 while something differed.
* *lost*: trials after which something that had been measured completely was measured again. (A job
  that ends after its snakemake was killed is: snakemake marks it as incomplete.)
* *same bytes*: trials after whose next run tables, verdicts and figures were those of an
  undisturbed run, byte for byte.
* *hold*: none of these losses, one more run was enough, and the message was the expected one.
* *exit codes* are those of the disturbed command (negative: the signal that ended it); for damaged
  files, the gate's.
* *commit*: the tree that was disturbed, where it was noted. A fault that is tried again replaces
  its rows.

"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--kills", type=int, default=20, help="trials with kill -9, half of jobs")
    parser.add_argument("--repeats", type=int, default=2, help="trials of other random faults")
    parser.add_argument("--papers", default=",".join(TOY_PAPERS), help="names, separated by commas")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--publish", action="store_true", help="keep the table as the reference")
    arguments = parser.parse_args()
    if arguments.kills < 0 or arguments.repeats < 0:
        raise UserError("--kills, --repeats: wanted numbers of trials, found less than 0")
    wanted = [(fault, arguments.kills // 2) for fault in KILLS]
    wanted += [(f, arguments.repeats if f.random else min(1, arguments.repeats)) for f in OTHERS]
    wanted = [(fault, times) for fault, times in wanted if arguments.only in fault.name]
    rows = []
    with tempfile.TemporaryDirectory(prefix="torture-") as scratch:
        if arguments.only in bad_downloads.NAME:
            rows += list(bad_downloads.trials(Path(scratch), arguments.seed))
        for row in trials(wanted, Path(scratch), arguments.papers.split(","), arguments.seed):
            rows.append(row)
            if arguments.publish:  # what was tried is kept, even if the rest is not
                publish(pd.DataFrame(rows))
    found = pd.DataFrame(rows)
    if arguments.publish:
        publish(found)
    announce(markdown(summary(found)))
    broken = found[~found["holds"]]
    for row in broken.itertuples():
        announce(f"DOES NOT HOLD: {row.fault}: {row.message}")
    announce(f"{len(found) - len(broken)} of {len(found)} trials hold")
    return 1 if len(broken) else 0


def trials(
    wanted: Iterable[tuple[Fault, int]], scratch: Path, papers: list[str], seed: int
) -> Iterator[dict]:
    wanted = [(fault, times) for fault, times in wanted if times]
    if not wanted:
        return
    scene = scene_of(scratch, papers, seed)
    for fault, times in wanted:
        for _ in range(times):
            row = in_time(fault, scene, scratch / "trial")
            announce(f"{fault.name}: {'holds' if row['holds'] else row}")
            yield row


def scene_of(scratch: Path, papers: list[str], seed: int) -> Scene:
    fresh = fresh_project(scratch / "fresh", papers)
    green = fresh.copy(scratch / "green")
    started = time.monotonic()
    run = green.snakemake()
    if run.code:
        raise UserError(f"the undisturbed run ended with {run.code}: {run.output[-500:]}")
    seconds = time.monotonic() - started
    return Scene(fresh, green, green.tables(), seconds, random.Random(seed))


def in_time(fault: Fault, scene: Scene, folder: Path) -> dict:
    """A trial whose disturbance met a run that was still going."""
    while True:
        try:
            return trial(fault, scene, folder)
        except TooLateError:
            announce(f"{fault.name}: the run had ended before, once more")
        finally:
            shutil.rmtree(folder)


def trial(fault: Fault, scene: Scene, folder: Path) -> dict:
    project = (scene.green if fault.start == "green" else scene.fresh).copy(folder)
    steps = fault.disturb(project, scene)
    try:
        met = next(steps)
        gate = met if fault.meets_gate else project.gate()
        half_counted = wrong_verdicts(project, scene)
        half_counted |= gate.code == 0 and project.tables() != scene.tables
        complete = complete_records(project)
        next(steps, None)
        runs = again(project)
        wait_for_orphans(project)
        measured = runs[0].jobs.get("measure", 0)
        lost = measured > len(records(scene.green)) - len(complete)
        same = project.tables() == scene.tables
    finally:
        steps.close()
    said = fault.said in met.output + gate.output
    row = {
        "fault": fault.name,
        "what": fault.what,
        "exit_code": met.code,
        "gate": gate.code,
        "half_counted": bool(half_counted),
        "lost": bool(lost),
        "runs_until_green": len(runs) if runs[-1].code == 0 else 0,
        "same_bytes": same,
        "leftovers": len(list(project.path("results").rglob("*.part"))),
        "message": message(met.output + gate.output, fault.said, project),
    }
    held = same and not half_counted and not lost and row["runs_until_green"] == 1 and said
    return {**row, "holds": bool(held)}


def again(project: Project) -> list:
    """The same command until it is green, but not for ever."""
    runs = [project.snakemake()]
    while runs[-1].code and len(runs) < MOST_RUNS:
        runs.append(project.snakemake())
    return runs


def records(project: Project) -> list[Path]:
    return sorted(project.path("results/smoke/records").rglob("*.csv"))


def complete_records(project: Project) -> list[Path]:
    """Records that agree with their own facts."""
    found = []
    for path in records(project):
        try:
            facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # not complete, which is what is counted here
        if facts.get("sha256") == sha256(path):
            found.append(path)
    return found


def wrong_verdicts(project: Project, scene: Scene) -> bool:
    """Whether a judged claim of checks.csv differs from the undisturbed one."""
    try:
        shown = project.path("results/smoke/checks.csv").read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    right = rows_of(scene.tables["checks.csv"].decode())
    return any(row.get("final") in ("pass", "fail") and row not in right for row in rows_of(shown))


def rows_of(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


def wait_for_orphans(project: Project, timeout: float = 60) -> None:
    """Jobs of a killed snakemake may still be at work in the folder."""
    inside = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(project.folder):
                inside.append(process)
        except psutil.Error:
            continue
    psutil.wait_procs(inside, timeout=timeout)


def message(output: str, said: str, project: Project) -> str:
    """The line that tells the user, without this machine's folders."""
    lines = [line for line in output.splitlines() if said and said in line] or LINES.findall(output)
    line = lines[0] if lines else ""
    small = project.folder.with_name("small")  # where `full_at_start` runs it
    for folder, name in ((project.folder, "PROJECT"), (small, "PROJECT"), (ROOT, "ROOT")):
        line = line.replace(str(folder), name)
    return re.sub(r"\b\d{3,}\b", "N", line)[:200]


def publish(found: pd.DataFrame, root: Path = ROOT) -> None:
    """Rows of other faults stay as they are; the page is made anew from all. Each row has the
    commit of the tree that was disturbed (those of before this was noted have none)."""
    found = found.assign(commit=git_revision())
    path = root / "results" / "reference" / "faults.csv"
    if path.exists():
        kept = read_table(path)
        found = pd.concat([kept[~kept["fault"].isin(found["fault"])], found], ignore_index=True)
    write_table(path, found)
    write_text(root / "docs" / "faults.md", page(read_table(path).fillna("")))


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """One row per fault: how often, with what outcome."""
    rows = []
    for name, one in found.groupby("fault", sort=False):
        codes = sorted(one["exit_code"].unique().tolist())
        texts = [text for text in one["message"].unique().tolist() if text]
        rows.append(
            {
                "fault": name,
                "what": one["what"].iloc[0],
                "trials": len(one),
                "exit codes": " ".join(map(str, codes)),
                "half counted": int(one["half_counted"].sum()),
                "lost": int(one["lost"].sum()),
                "same bytes": f"{int(one['same_bytes'].sum())} of {len(one)}",
                "hold": f"{int(one['holds'].sum())} of {len(one)}",
                "commit": " ".join(one["commit"].unique()) if "commit" in one else "",
                "message": texts[0] if texts else "",
            }
        )
    return pd.DataFrame(rows)


def page(found: pd.DataFrame) -> str:
    held = f"{int(found['holds'].sum())} of {len(found)} trials hold.\n\n"
    return INTRODUCTION + held + markdown(summary(found))
