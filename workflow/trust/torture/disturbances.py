"""Ways to disturb a run of a scratch project, for `python -m workflow.trust.torture`.

Each is a generator: it disturbs and yields the run that met the fault; then it removes the cause,
where a user would have to, and ends (or yields once more, where something must stay until the end
of the trial).
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

from workflow.base.files import UserError
from workflow.trust.scratch import Project, Run


class Scene(NamedTuple):
    """What the trials start from and are compared with."""

    fresh: Project  # nothing has run in it
    green: Project  # after an undisturbed run
    tables: dict[str, bytes]  # of that run
    seconds: float  # that it took
    generator: random.Random


Disturb = Callable[[Project, Scene], Iterator[Run]]
STALE = "stale: the claims have changed"
READ_ONLY = "Read-only file system"


class Fault(NamedTuple):
    """One way to disturb, the project it starts from, and what the user must be told."""

    name: str
    what: str
    disturb: Disturb
    start: str = "fresh"  # or "green"
    said: str = ""  # in the output of the disturbed run or of the gate after it
    random: bool = False  # worth more than one trial
    meets_gate: bool = False  # the disturbed run is the gate


class TooLateError(Exception):
    """The run had ended before it could be disturbed; the trial is made again."""


# kills ----------------------------------------------------------------------------------------


def kill_a_job(project: Project, scene: Scene) -> Iterator[Run]:
    process = project.start()
    somewhere(scene, process)
    while process.poll() is None and not (jobs := jobs_of(process)):
        time.sleep(0.01)
    if process.poll() is not None:
        raise TooLateError
    scene.generator.choice(jobs).send_signal(signal.SIGKILL)
    yield project.ended(process)


def to_snakemake(number: signal.Signals) -> Disturb:
    def disturb(project: Project, scene: Scene) -> Iterator[Run]:
        process = project.start()
        somewhere(scene, process)
        process.send_signal(number)
        yield interrupted(project, process)

    return disturb


def to_all(number: signal.Signals) -> Disturb:
    """As Ctrl-C, a closed terminal or a power cut: every process of the run."""

    def disturb(project: Project, scene: Scene) -> Iterator[Run]:
        process = project.start()
        somewhere(scene, process)
        os.killpg(process.pid, number)
        yield interrupted(project, process)

    return disturb


def two_runs(project: Project, scene: Scene) -> Iterator[Run]:
    process = project.start()
    somewhere(scene, process, least=0.3, most=0.6)
    second = project.snakemake()
    first = project.ended(process)
    if first.code:
        raise UserError(f"the first of two runs ended with {first.code}: {first.output[-300:]}")
    yield second


def somewhere(
    scene: Scene, process: subprocess.Popen, least: float = 0.05, most: float = 0.95
) -> None:
    """Wait for a random share of an undisturbed run, or until the run has ended."""
    until = time.monotonic() + scene.generator.uniform(least, most) * scene.seconds
    while time.monotonic() < until and process.poll() is None:
        time.sleep(0.01)
    if process.poll() is not None:
        raise TooLateError


def interrupted(project: Project, process: subprocess.Popen) -> Run:
    """What a run came to that was sent a signal, if that was in time."""
    run = project.ended(process)
    if run.code == 0:
        raise TooLateError
    return run


def jobs_of(process: subprocess.Popen) -> list[psutil.Process]:
    """The running stages (not their shells) below a snakemake process."""
    try:
        return [p for p in psutil.Process(process.pid).children(recursive=True) if _is_stage(p)]
    except psutil.NoSuchProcess:
        return []


def _is_stage(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return words[1:2] == ["-m"] and words[2].startswith("workflow.")


# the disk -------------------------------------------------------------------------------------


def full_disk(project: Project, scene: Scene) -> Iterator[Run]:
    """Results on a file system of their own that fills up while jobs write to it."""
    whole = sum(path.stat().st_size for path in scene.green.path("results").rglob("*.*"))
    room = int(whole * scene.generator.uniform(0.01, 0.6))
    results = project.path("results")
    results.mkdir()
    with mounted(results, "-t", "tmpfs", "-o", f"size={room // 4096 * 4 + 4}k", "tmpfs"):
        yield project.snakemake()
        mount("-o", "remount,size=64m", str(results))
        yield Run(0, "")


def full_at_start(project: Project, scene: Scene) -> Iterator[Run]:
    """The whole project on a file system with less room than a tier may need."""
    copy = project.folder.with_name("small")
    copy.mkdir()
    with mounted(copy, "-t", "tmpfs", "-o", "size=60m", "tmpfs"):
        shutil.copytree(project.folder, copy, dirs_exist_ok=True)
        yield Project(copy).snakemake()


def closed_results(project: Project, scene: Scene) -> Iterator[Run]:
    """Results that can be read, not written, and code that asks for new ones."""
    results = project.path("results")
    for path in project.path("replications").rglob("claims.py"):
        path.write_text(path.read_text(encoding="utf-8") + "\n_CHANGED = 1\n", encoding="utf-8")
    with mounted(results, "--bind", str(results)):
        mount("-o", "remount,ro,bind", str(results))
        yield project.snakemake()


@contextmanager
def mounted(folder: Path, *words: str) -> Iterator[None]:
    mount(*words, str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"mount {' '.join(words)}: {done.stderr.strip()} (needs root)")


# damaged files --------------------------------------------------------------------------------


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_last_line(content: bytes) -> bytes:
    return content[: content.rstrip(b"\n").rfind(b"\n") + 1]


def garbled(content: bytes) -> bytes:
    middle = len(content) // 2
    wrong = bytes(255 - byte for byte in content[middle : middle + 40])
    return content[:middle] + wrong + content[middle + 40 :]


DAMAGES = (half, without_last_line, garbled)
FILES = {
    "record": "records/{paper}/main.csv",
    "facts of a record": "records/{paper}/main.json",
    "table": "tables/{paper}.csv",
    "checks": "checks/{paper}.csv",
    "facts of checks": "checks/{paper}.json",
    "joined checks": "checks.csv",
    "provenance": "provenance.json",
    "figure": "figures/{paper}/{figure}.svg",
    "data of a figure": "figures/{paper}/{figure}.csv",
}


def damage(name: str, how: Callable[[bytes], bytes]) -> Disturb:
    """One file under a final name is no longer what was written; the gate looks at it."""

    def disturb(project: Project, scene: Scene) -> Iterator[Run]:
        target = project.path(f"results/smoke/{_in(project, FILES[name])}")
        before = target.read_bytes()
        target.write_bytes(how(before))
        if target.read_bytes() == before:
            raise ValueError(f"{target}: {how.__name__} changes nothing")
        yield project.gate()

    return disturb


def damage_plan(project: Project, scene: Scene) -> Iterator[Run]:
    """The list that a running job reads to say how far the run is."""
    words = ("--results", "results/smoke", "--replication", _paper(project))
    project.path("results/smoke/plan.json").write_text("{", encoding="utf-8")
    yield project.call("workflow.measure", *words)


def _in(project: Project, path: str) -> str:
    paper = _paper(project)
    figures = sorted(project.path(f"results/smoke/figures/{paper}").glob("*.svg"))
    return path.format(paper=paper, figure=figures[0].stem)


def _paper(project: Project) -> str:
    return min(p.parent.name for p in project.path("replications").glob("*/experiment.py"))


# clocks, state, memory ------------------------------------------------------------------------


def clock(days: float, share: float) -> Disturb:
    """A share of the results, chosen at random, bear dates so many days away."""

    def disturb(project: Project, scene: Scene) -> Iterator[Run]:
        at = time.time() + 86400 * days
        for path in sorted(project.path("results").rglob("*.*")):
            if scene.generator.random() < share:
                os.utime(path, (at, at))
        yield project.gate()

    return disturb


def dated_edit(days: float) -> Disturb:
    """The claims change while their date says that they are old, or not written yet."""

    def disturb(project: Project, scene: Scene) -> Iterator[Run]:
        path = project.path(f"replications/{_paper(project)}/claims.py")
        before = path.read_text(encoding="utf-8")
        path.write_text(before + "\n_CHANGED = 1\n", encoding="utf-8")
        at = time.time() + 86400 * days
        os.utime(path, (at, at))
        yield project.gate()

    return disturb


def lose_state(project: Project, scene: Scene) -> Iterator[Run]:
    shutil.rmtree(project.path(".snakemake"))
    yield project.gate()


def little_memory(project: Project, scene: Scene) -> Iterator[Run]:
    """No process of the run may address more than a random amount, below what all of it needs."""
    amount = int(scene.generator.uniform(400, 900)) * 2**20
    limit = partial(resource.setrlimit, resource.RLIMIT_AS, (amount, amount))
    yield project.snakemake(preexec_fn=limit)


KILLS = (
    Fault("kill -9 of a job", "a random job at a random moment", kill_a_job, random=True),
    Fault(
        "kill -9 of snakemake",
        "at a random moment; its jobs go on meanwhile",
        to_snakemake(signal.SIGKILL),
        random=True,
    ),
)
OTHERS = (
    Fault("kill -9 of everything", "as a power cut", to_all(signal.SIGKILL), random=True),
    Fault("Ctrl-C", "SIGINT to all processes", to_all(signal.SIGINT), random=True),
    Fault("SIGTERM", "to snakemake alone", to_snakemake(signal.SIGTERM), random=True),
    Fault("two runs at once", "in one folder", two_runs, "fresh", "error: another run", True),
    Fault("disk full", "while jobs write", full_disk, "fresh", "No space left on device", True),
    Fault("disk full at the start", "60 MB in all", full_at_start, said="MB free, wanted 100"),
    Fault("results closed", "read-only, and a claim edited", closed_results, "green", READ_ONLY),
    Fault("little memory", "400 to 900 MB of addresses", little_memory, random=True),
    Fault("plan damaged", "while a job runs", damage_plan, "green", "plan.json is damaged"),
    Fault("snakemake's state lost", ".snakemake deleted", lose_state, "green"),
    Fault("clock back", "half of the results a year old", clock(-365, 0.5), "green"),
    Fault("clock ahead", "half of the results from next year", clock(365, 0.5), "green"),
    Fault("clock at 1980", "all results", clock(-365.25 * 46, 1.0), "green"),
    Fault("edit with an old date", "a claim, dated last year", dated_edit(-365), "green", STALE),
    Fault("edit from the future", "a claim, dated next year", dated_edit(365), "green", STALE),
    *(
        Fault(
            f"{name} {how.__name__.replace('_', ' ')}",
            FILES[name],
            damage(name, how),
            "green",
            "error: ",
            meets_gate=True,
        )
        for name in FILES
        for how in DAMAGES
    ),
)
