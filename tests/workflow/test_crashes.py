"""Killed runs resume, and the final tables are the same bytes as those of an undisturbed run."""

import signal
import subprocess
import time

import psutil
import pytest

SLOW = "import time\n\nimport numpy as np"


def start(project) -> subprocess.Popen:
    return subprocess.Popen(
        project.command("snakemake", "--cores", "2", "--config", "tier=smoke"),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def jobs_of(process: subprocess.Popen) -> list[psutil.Process]:
    """The processes that measure the slow paper below a snakemake process, once there are any."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        below = psutil.Process(process.pid).children(recursive=True)
        found = [p for p in below if {"workflow.measure", "alpha2000_toy"} <= set(_words(p))]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("no measuring job was started within a minute")


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture
def slow(untouched):
    """A fresh project whose first paper takes two seconds to measure."""
    experiment = "replications/alpha2000_toy/experiment.py"
    untouched.edit(experiment, "import numpy as np", SLOW)
    untouched.edit(
        experiment, "    for seed in seeds:", "    time.sleep(0.4)\n    for seed in seeds:"
    )
    return untouched


def test_a_killed_job_fails_the_run_and_the_same_command_resumes(slow, green):
    process = start(slow)
    for job in jobs_of(process):
        job.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) != 0
    assert not list(slow.path("results/smoke/records").rglob("alpha*/main.json"))
    assert slow.snakemake().code == 0
    assert slow.tables() == green.tables()


def test_a_killed_snakemake_is_resumed_by_the_same_command(slow, green):
    process = start(slow)
    orphans = jobs_of(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = slow.snakemake()
    assert resumed.code == 0, resumed.output
    psutil.wait_procs(orphans, timeout=30)
    assert slow.tables() == green.tables()
    assert not list(slow.path("results").rglob("*.part"))


def test_a_second_run_in_the_same_folder_says_so_in_one_line(slow):
    process = start(slow)
    jobs_of(process)
    second = slow.snakemake()
    assert second.code != 0
    errors = [line for line in second.output.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert f"another run (process {process.pid}) is at work in" in errors[0]
    assert slow.snakemake("-n").code == 0  # looking is allowed
    assert process.wait(timeout=60) == 0


def test_one_core_gives_the_same_bytes_as_two(untouched, green):
    assert untouched.snakemake(cores=1).code == 0
    assert untouched.tables() == green.tables()
