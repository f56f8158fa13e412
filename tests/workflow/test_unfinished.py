"""A job that is killed between two cells goes on from there, and its record is the same bytes."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from workflow.base.files import UserError
from workflow.base.grid import Cell
from workflow.base.rows import measured as table_of_cells
from workflow.base.tree import Results
from workflow.host import unfinished
from workflow.host.unfinished import Cost, Unfinished, keys_of, unfinished_path
from workflow.measure import progress_of
from workflow.trust.scratch import environment
from workflow.trust.torture.disturbances import jobs_of

EXPERIMENT = "replications/alpha2000_toy/experiment.py"
RECORD = "results/smoke/records/alpha2000_toy/main.csv"
KEPT = "results/smoke/records/alpha2000_toy/main.unfinished"
WORDS = ("workflow.measure", "--results", "results/smoke", "--replication", "alpha2000_toy")
CELLS = 6  # of the toy


@pytest.fixture
def slow(untouched):
    """A project whose cells take a while, say so, and are saved each."""
    untouched.edit("workflow/host/unfinished.py", "EVERY = 30.0", "EVERY = 0.0")
    untouched.edit("workflow/host/unfinished.py", "SHARE = 0.01", "SHARE = 1e9")
    start = (
        "\n    import time\n\n    print('MEASURES', arm, width, flush=True)\n    time.sleep(0.3)"
    )
    untouched.edit(EXPERIMENT, "seeds: tuple[int, ...]):", f"seeds: tuple[int, ...]):{start}")
    return untouched


def killed(project, at_least=2):
    """Start measuring; kill once so many cells are kept; how many they are."""
    process = subprocess.Popen(
        [sys.executable, "-m", *WORDS], cwd=project.folder, env=environment(project.folder)
    )
    wait_for(lambda: len(lines(project)) >= at_least, process)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not project.path(RECORD).exists()
    return len(lines(project))


def wait_for(condition, process, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < until, "never came"
        time.sleep(0.01)


def lines(project):
    path = project.path(KEPT)
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def measured(project, *words):
    """(output, number of cells that were measured) of a job that ends well."""
    run = project.call(*WORDS, *words)
    assert run.code == 0, run.output
    assert not project.path(KEPT).exists()
    return run.output, run.output.count("MEASURES")


def test_a_killed_job_goes_on_and_its_record_is_the_same_bytes(slow, green):
    kept = killed(slow)
    costs = [json.loads(line.partition(" ")[2])["cost"] for line in lines(slow)]
    output, count = measured(slow)
    assert f"alpha2000_toy/main: {kept} of {CELLS} cells taken over" in output
    assert count == CELLS - kept
    assert slow.path(RECORD).read_bytes() == green.path(RECORD).read_bytes()
    facts = json.loads(slow.path(RECORD).with_suffix(".json").read_text(encoding="utf-8"))
    assert facts["taken_over"]["cells"] == kept
    assert facts["seconds"] > 0.3 * CELLS
    assert [len(column) for column in facts["per_cell"].values()] == [CELLS] * 3
    assert facts["per_cell"]["cpu_seconds"][:kept] == [cost[0] for cost in costs]


def test_what_a_killed_job_kept_outlives_snakemakes_cleaning(slow, green):
    process = slow.start()
    wait_for(lambda: len(lines(slow)) >= 2, process)
    for job in jobs_of(process):
        if "alpha2000_toy" in job.cmdline():
            job.send_signal(signal.SIGKILL)
    assert slow.ended(process).code == 1
    assert not slow.path(RECORD).exists()
    kept = len(lines(slow))
    run = slow.snakemake()
    assert run.code == 0, run.output
    assert f"{kept} of {CELLS} cells taken over" in run.output
    assert slow.tables() == green.tables()
    assert not slow.path(KEPT).exists()


def test_a_damaged_line_is_measured_again_alone(slow, green):
    kept = killed(slow, at_least=3)
    path = slow.path(KEPT)
    first, second, *rest = path.read_bytes().splitlines(keepends=True)
    garbled = second[:90] + bytes(255 - byte for byte in second[90:94]) + second[94:]
    path.write_bytes(b"".join([first, garbled, *rest]))
    output, count = measured(slow)
    assert "1 damaged lines in main.unfinished: measured again" in output
    assert count == CELLS - kept + 1
    assert slow.path(RECORD).read_bytes() == green.path(RECORD).read_bytes()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\x00\n\n", b"[]\n" * 7])
def test_a_file_of_something_else_is_as_if_it_were_not_there(slow, green, content):
    slow.path(KEPT).parent.mkdir(parents=True)
    slow.path(KEPT).write_bytes(content)
    assert measured(slow)[1] == CELLS
    assert slow.path(RECORD).read_bytes() == green.path(RECORD).read_bytes()


def test_cells_of_other_code_or_seeds_are_measured_again(slow):
    killed(slow)
    before = slow.path(KEPT).read_bytes()
    assert measured(slow, "--seed", "1000")[1] == CELLS
    slow.path(KEPT).write_bytes(before)
    slow.edit("shared/widenets/ntk/toy.py", "standard_normal(count)", "standard_normal(count) + 0")
    assert measured(slow)[1] == CELLS


def test_cells_that_a_changed_grid_still_has_are_taken_over(slow):
    kept = killed(slow)
    slow.edit("replications/alpha2000_toy/grid.yaml", "[4, 16, 64], seed: 6", "[4], seed: 6")
    output, count = measured(slow)
    assert "1 of 2 cells taken over" in output
    assert (kept, count) == (kept, 1)


def test_two_jobs_of_one_shard_do_not_disturb_each_other(slow, green):
    """As an orphan of a killed snakemake and the job of the next run."""
    orphan = subprocess.Popen(
        [sys.executable, "-m", *WORDS], cwd=slow.folder, env=environment(slow.folder)
    )
    wait_for(lambda: len(lines(slow)) >= 1, orphan)
    second = slow.call(*WORDS)
    assert (orphan.wait(), second.code) == (0, 0), second.output
    assert slow.path(RECORD).read_bytes() == green.path(RECORD).read_bytes()
    assert not slow.path(KEPT).exists()


def test_what_is_left_beside_a_finished_record_is_removed_before_a_run(project):
    results, shards = Results(project.path("results/smoke")), {"alpha2000_toy": ["main"]}
    project.path(KEPT).write_text("left", encoding="utf-8")
    said = "; ".join(
        (
            "from pathlib import Path",
            "from workflow.base.grid import ALL",
            "from workflow.base.tree import Results",
            "from workflow.repair import correct_notes",
            f"correct_notes(Results(Path('results/smoke')), {shards}, ALL, Path('.snakemake'))",
        )
    )

    def repair():
        command = [sys.executable, "-c", said]
        subprocess.run(command, cwd=project.folder, env=environment(project.folder), check=True)

    assert results.record("alpha2000_toy", "main").exists()
    repair()
    assert not project.path(KEPT).exists()
    project.path(KEPT).write_text("of a job that is to go on", encoding="utf-8")
    project.path(RECORD).unlink()
    repair()
    assert project.path(KEPT).exists()


# in this process ------------------------------------------------------------------------------


class Clock:
    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(unfinished.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def shard(folder, count=100):
    keys = [f"key {number}" for number in range(count)]
    return Unfinished(unfinished_path(folder / "main.csv"), keys, Cost)


def test_a_job_of_less_than_thirty_seconds_keeps_nothing(tmp_path, clock):
    known = shard(tmp_path)
    for number in range(100):
        clock.now += 0.29
        known[number] = "[]"
    assert list(tmp_path.iterdir()) == []
    clock.now += 2.0
    known[0] = "[]"
    assert known.path.exists()


def test_saving_takes_no_more_than_its_share(tmp_path, clock, monkeypatch):
    """Of a slow disk: 2 s for a save mean 200 s until the next."""
    saved = []

    def write(path: Path, text: str) -> None:
        saved.append(clock.now)
        clock.now += 2.0

    monkeypatch.setattr(unfinished, "write_text", write)
    known = shard(tmp_path)
    for number in range(100):
        clock.now += 10.0
        known[number] = "[]"
    assert saved[0] == 30.0
    assert all(b - a >= 200.0 for a, b in pairwise(saved))


def test_a_full_disk_leaves_what_was_kept_before(tmp_path, clock, monkeypatch):
    known = shard(tmp_path)
    clock.now = 31.0
    known[0] = '[{"seed": 0}]'

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        clock.now = 90.0
        with pytest.raises(OSError, match="No space left"):
            known[1] = "[]"
    assert [path.name for path in tmp_path.iterdir()] == ["main.unfinished"]
    again = shard(tmp_path)
    assert (dict(again), again.taken, again.damaged) == ({0: '[{"seed": 0}]'}, (0,), 0)


def test_costs_and_data_of_cells_that_were_taken_over_stay_theirs(tmp_path, clock, monkeypatch):
    spent = iter(Cost(*(number * one for one in (3.0, 1.0, 4.0, 100.0))) for number in range(10))
    read = {"digits": "checksum"}
    monkeypatch.setattr(unfinished, "checksums_read", lambda: dict(read))
    first = Unfinished(tmp_path / "main.unfinished", ["a", "b"], lambda: next(spent))
    first.begin()
    clock.now = 40.0
    first[0] = "[]"
    read.clear()
    second = Unfinished(tmp_path / "main.unfinished", ["a", "b"], lambda: next(spent))
    second.begin()
    second[1] = "[]"
    assert second.costs((0, 1)) == [Cost(3.0, 1.0, 4.0, 200.0), Cost(3.0, 1.0, 4.0, 500.0)]
    assert second.data == {"digits": "checksum"}
    assert second.taken == (0,)


def test_a_key_names_all_that_a_cell_rests_on():
    cell = Cell("drift", "theory", {"width": 4}, (0, 1))
    others = [
        cell._replace(part="other"),
        cell._replace(arm="control"),
        cell._replace(parameters={"width": 5}),
        cell._replace(seeds=(0, 2)),
    ]
    rests_on = {"code": "1", "outside": {"jax": "1"}}
    keys = keys_of([cell, *others], rests_on)
    for other in ({**rests_on, "code": "2"}, {**rests_on, "outside": {"jax": "2"}}):
        keys += keys_of([cell], other)
    assert len(set(keys)) == 7
    assert keys_of([cell], dict(reversed(rests_on.items()))) == keys[:1]


def test_time_left_counts_the_cells_of_this_job_alone(monkeypatch):
    now, said = [0.0], []
    monkeypatch.setattr("workflow.measure.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("workflow.measure.announce", said.append)
    report = progress_of("paper/main", 10, (0, 1, 2, 3))
    report(4)
    now[0] = 20.0
    report(6)
    assert said == [
        "paper/main: 4 of 10 cells taken over from a job that did not end",
        "paper/main: cell 7 of 10, 4 taken over, 20 s, about 40 s left",
    ]


def part(*, arm, width, seeds):
    """Rows of every kind of value, whose columns differ from cell to cell."""
    for seed in seeds:
        row = {"seed": np.int64(seed), "third": np.float64(width) / 3, "single": np.float32(0.1)}
        row |= {"none": None, "nan": float("nan"), "inf": -np.inf, "zero": -0.0, "text": "é,\n"}
        row |= {"flag": np.bool_(seed % 2), "list": (1, 2.5), "large": 2**63, "whole": 1.0}
        yield row if width % 2 else {**row, f"only_{width}": 1e-300 * width, "whole": 1}


def test_a_table_does_not_depend_on_which_cells_were_known():
    class Experiment:
        __name__ = "replications.paper.experiment"

    experiment = Experiment()
    experiment.part = part
    cells = [Cell("part", "theory", {"width": width}, (0, 1)) for width in (1, 2, 3, 4)]
    known, heard = {}, []
    whole = table_of_cells(experiment, cells, None, heard.append, known)
    assert (heard, whole[1]) == ([0, 1, 2, 3], 8)
    assert "0.10000000149011612" in whole[0]
    assert "-0.0" in whole[0]
    for there in ((0,), (1, 2), (3,), (0, 1, 2, 3)):
        heard.clear()
        some = {number: known[number] for number in there}
        assert table_of_cells(experiment, cells, None, heard.append, some) == whole
        assert set(heard) == set(range(4)) - set(there)

    def other(**_):
        yield {"seed": 0, "value": 1j}

    experiment.part = other
    wanted = r"part part, column value: found 1j, wanted a number, a text or nothing"
    with pytest.raises(UserError, match=wanted):
        table_of_cells(experiment, cells, None, heard.append, {})
