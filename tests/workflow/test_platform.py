"""Folders of any name, other file systems, machines and environments than those we work on."""

import errno
import fcntl
import json
import os
import re
import resource
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from workflow import plan
from workflow.base import files
from workflow.base.config import settings
from workflow.base.files import UserError, replacing
from workflow.base.tree import ROOT, Results
from workflow.host import lock, machine
from workflow.trust.scratch import copy_parts, fresh_project

ODD = "a b'c{d}$e \"q` ü"
GIVEN = {"tier": "smoke", "replications": "all", "seed": 0, "seeds_at_most": 0, "data_dir": ""}
GIVEN["subject"] = ""


# names of folders -----------------------------------------------------------------------------


def test_a_run_in_a_folder_of_any_name(tmp_path):
    project = fresh_project(tmp_path / ODD, ["alpha2000_toy"])
    run = project.snakemake()
    assert run.code == 0, run.output
    project.edit("replications/alpha2000_toy/claims.py", "near(-0.5, 0.1)", "near(-1.0, 0.1)")
    run = project.snakemake()
    assert run.code == 1
    assert "T1_scatter: fail, expected pass" in run.output


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_starts_everything_by_a_relative_path_in_a_folder_of_any_name(tmp_path):
    """With a stand-in for Python that notes how it is called."""
    folder = tmp_path / ODD
    folder.mkdir()
    peer = "benchmarks/make_peer_environment.sh"
    (folder / "benchmarks").mkdir()
    copy_parts(folder, ["Makefile", ".ci", "tests/browser", peer] + [p.name for p in LOCKS])
    made = folder / ".env-neural-tangents" / ".installed"  # 2 GB, not for a test
    made.parent.mkdir()
    made.touch()
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s " "$@" >> calls; echo >> calls\n')
    python.chmod(0o755)
    for target in ("run", "lint", "benchmark"):
        done = subprocess.run(
            ["make", target, "TIER=smoke", "CORES=1"],
            cwd=folder,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    calls = (folder / "calls").read_text().splitlines()
    locks = [call.split()[-1] for call in calls if "--require-hashes" in call]
    assert locks == [f"requirements{kind}.lock" for kind in ("-cpu", "", "-test")]
    assert "-m snakemake --cores 1 --config tier=smoke " in calls
    assert "-m snakefmt --check Snakefile workflow " in calls
    assert str(ROOT) not in " ".join(calls)


LOCKS = sorted(ROOT.glob("requirements*.lock"))


def test_a_folder_that_cannot_stand_in_a_list_of_paths_is_refused(monkeypatch):
    monkeypatch.setattr(plan, "ROOT", Path("/tmp/a:b"))
    with pytest.raises(UserError, match="cannot be searched"):
        plan.prepare_for_jobs()


@pytest.mark.parametrize("name", ["$(touch x)", "`touch x`; touch x", "a 'b\" c", "-x", "{seeds}"])
def test_data_dir_cannot_run_a_command(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    os.mkdir(name)
    given = {**GIVEN, "tier": "paper", "data_dir": name}
    option = plan.Plan(given).data_option("bordelon2020_learning_curves", "images")
    show = shlex.join([sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))"])
    shell = subprocess.run(["bash", "-c", f"{show} {option}"], capture_output=True, check=True)
    assert json.loads(shell.stdout) == [f"--data-dir={name}"]
    assert os.listdir(tmp_path) == [name]


def test_data_dir_reaches_the_job_as_it_is(alone):
    folder = alone.path("data ' $(touch x) {seeds}")
    folder.mkdir()
    experiment = "replications/alpha2000_toy/experiment.py"
    alone.edit(experiment, "seeds: tuple", "data_dir, seeds: tuple")
    asked = "    assert data_dir.is_dir(), data_dir\n    for seed in seeds:"
    alone.edit(experiment, "    for seed in seeds:", asked)
    given = f"data_dir={folder}"
    words = ("--until", "measure", "--config", "tier=smoke", given)
    run = alone.call("snakemake", "--cores", "2", *words)
    assert run.code == 0, run.output
    assert alone.path("results/smoke/records/alpha2000_toy/main.csv").exists()
    assert not alone.path("x").exists()


@pytest.mark.parametrize(
    "key, value",
    [
        ("tier", "smoke; touch x"),
        ("replications", "alpha2000_toy; touch x"),
        ("seed", "1; touch x"),
        ("seeds_at_most", "$(touch x)"),
    ],
)
def test_no_other_setting_can_hold_a_command(key, value):
    with pytest.raises(UserError, match=f"config: {key}"):
        settings({**GIVEN, key: value})


# environments ---------------------------------------------------------------------------------


def test_a_package_of_the_same_name_elsewhere_is_not_imported(alone, tmp_path):
    """Neither from PYTHONPATH nor from the working folder."""
    for folder in (tmp_path / "elsewhere", tmp_path / "working"):
        for name in ("workflow", "replications", "widenets"):
            (folder / name).mkdir(parents=True)
            (folder / name / "__init__.py").write_text("raise RuntimeError('another package')\n")
    script = Path(sys.executable).with_name("snakemake")
    command = [sys.executable, str(script), "--snakefile", str(alone.path("Snakefile"))]
    command += ["--cores", "2", "--config", "tier=smoke"]
    done = subprocess.run(
        command,
        cwd=tmp_path / "working",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "elsewhere")},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


CONDA = """#!/bin/bash
# Answers what snakemake asks; an environment is a python that says that it ran.
case "$*" in
  "info --json") echo '{{"conda_prefix": "{prefix}", "platform": "linux-64"}}' ;;
  "--version") echo "conda 24.7.1" ;;
  "config --get channel_priority --json") echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
  "env create"*)
    while [ "$1" != --prefix ]; do shift; done
    mkdir -p "$2/bin"
    printf '#!/bin/bash\\necho "$3" >> {prefix}/ran\\n' > "$2/bin/python"
    echo 'exec "$(cat {prefix}/python)" "$@"' >> "$2/bin/python"
    chmod +x "$2/bin/python" ;;
  clean*) ;;
  *) exit 1 ;;
esac
"""


def test_under_conda_every_job_has_the_python_of_its_environment(alone, tmp_path, monkeypatch):
    prefix = tmp_path / "conda"
    (prefix / "bin").mkdir(parents=True)
    conda = prefix / "bin" / "conda"
    conda.write_text(CONDA.format(prefix=prefix))
    (prefix / "python").write_text(sys.executable)  # whatever its path is
    conda.chmod(0o755)
    (prefix / "bin" / "activate").write_text('export PATH="$1/bin:$PATH"\n')
    (prefix / "ran").touch()
    monkeypatch.setenv("PATH", f"{prefix / 'bin'}:{os.environ['PATH']}")
    plain = alone.snakemake("--until", "measure")
    assert plain.code == 0, plain.output
    assert (prefix / "ran").read_text() == ""
    run = alone.snakemake("--sdm", "conda", "--forceall")
    assert run.code == 0, run.output
    ran = (prefix / "ran").read_text().split()
    assert set(run.jobs) - {"total"}
    assert len(ran) == sum(run.jobs.values())


# machines -------------------------------------------------------------------------------------


def test_memory_is_shared_out(green, untouched):
    """Two measuring jobs of 1500 MB never run at once where they may use 2000 MB together."""
    (log,) = green.path(".snakemake/log").glob("*.log")
    assert f'Resource("mem_mb", {machine.memory_mb()})' in log.read_text(encoding="utf-8")
    run = untouched.snakemake("--resources", "mem_mb=2000", "--until", "measure", cores=64)
    assert run.code == 0, run.output
    assert "Execute 2 jobs" not in run.output
    assert run.output.count("Execute 1 jobs") == 2


def test_a_containers_memory_is_its_limit(tmp_path):
    limit = tmp_path / "memory.max"
    whole = machine.memory_mb(limit)
    limit.write_text("max\n")
    assert machine.memory_mb(limit) == whole
    limit.write_text("2000000000\n")
    assert machine.memory_mb(limit) == 2000


def test_peak_memory_has_the_same_unit_on_macos(monkeypatch):
    """`ru_maxrss` counts bytes there and KiB elsewhere."""
    used = resource.struct_rusage([0.0, 0.0, 3 * 2**20, *13 * [0]])
    monkeypatch.setattr(machine.resource, "getrusage", lambda who: used)
    assert (machine.peak_memory_mb("linux"), machine.peak_memory_mb("darwin")) == (3072, 3)


def test_ci_publishes_no_name_of_a_host(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    assert machine.host() == os.uname().nodename
    monkeypatch.setenv("CI", "true")
    assert machine.host() == "CI"


def test_windows_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(lock.sys, "platform", "win32")
    with pytest.raises(UserError, match="Windows is not supported"):
        lock.hold(tmp_path)


# file systems ---------------------------------------------------------------------------------

HOLD = "import sys; from pathlib import Path; from workflow.host.lock import hold; {first}; "
HOLD += "hold(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
WITHOUT = "import fcntl; fcntl.flock = lambda *_: (_ for _ in ()).throw(OSError({code}, 'no'))"


def holder(folder, first="pass"):
    """A process that holds `folder` until its input ends."""
    command = [sys.executable, "-c", HOLD.format(first=first), str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)


@pytest.mark.parametrize(
    "first",
    ["pass", WITHOUT.format(code=errno.ENOLCK), WITHOUT.format(code=errno.EOPNOTSUPP)],
    ids=["locks", "ENOLCK", "EOPNOTSUPP"],
)
def test_one_run_at_a_time_with_and_without_locks(tmp_path, first):
    one = holder(tmp_path, first)
    assert one.stdout.readline() == "held\n"
    said = holder(tmp_path, first).communicate()[1]
    assert f"another run (process {one.pid}) is at work in {tmp_path}" in said
    warned = one.communicate("")[1]
    assert warned.count("has no locks") == (first != "pass")
    again = holder(tmp_path, first)
    assert again.stdout.readline() == "held\n"
    again.kill()
    again.communicate()
    after_a_kill = holder(tmp_path, first)
    assert after_a_kill.stdout.readline() == "held\n"
    after_a_kill.communicate("")


def test_without_locks_a_run_on_another_host_is_believed(tmp_path):
    (tmp_path / lock.OWNER).write_text("process 1 on elsewhere\n")
    said = holder(tmp_path, WITHOUT.format(code=errno.ENOLCK)).communicate("")[1]
    assert "another run (process 1 on elsewhere) is at work" in said
    assert f"if it has ended, remove {tmp_path / lock.OWNER}" in said


def test_a_lock_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / lock.LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(UserError, match=r"\.run\.lock: is a link"):
        lock.hold(tmp_path)
    assert (tmp_path / "precious").read_text() == "kept"


def test_two_checkouts_that_share_results_exclude_one_another(untouched, tmp_path):
    shared = tmp_path / "shared"
    (shared / "smoke").mkdir(parents=True)
    untouched.path("results").symlink_to(shared)
    with (shared / "smoke" / lock.LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        run = untouched.snakemake()
    assert run.code == 1
    assert f"is at work in {shared / 'smoke'}" in run.output
    assert "Traceback" not in run.output


def test_free_space_is_looked_for_where_results_lie(tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    asked = []

    def usage(path):
        asked.append(path)
        return shutil._ntuple_diskusage(2**40, 2**40, 2**20)

    monkeypatch.setattr(plan.shutil, "disk_usage", usage)
    with pytest.raises(UserError, match=f"{tmp_path / 'disk'}: 1 MB free, wanted 100"):
        plan._refuse_full_disk(Results(tmp_path / "results" / "smoke"))
    assert asked == [tmp_path / "disk"]


def test_files_keep_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        files.write_text(tmp_path / "private", "x")
        os.umask(0o002)
        with replacing(tmp_path / "of the group") as path:
            path.write_text("x")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in sorted(tmp_path.iterdir())]
    assert modes == [0o664, 0o600]


# words ----------------------------------------------------------------------------------------


def test_after_ctrl_c_one_line_says_how_far_it_came(untouched):
    untouched.edit(
        "replications/alpha2000_toy/experiment.py",
        "    for seed in seeds:",
        "    import pathlib, time\n    pathlib.Path('begun').touch()\n    time.sleep(60)\n"
        "    for seed in seeds:",
    )
    process = untouched.start()
    log, begun = untouched.path("run.log"), untouched.path("begun")
    until = time.monotonic() + 120
    while not begun.exists():
        assert time.monotonic() < until, log.read_text(encoding="utf-8")
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    run = untouched.ended(process)
    assert run.code == 1
    assert re.findall("^interrupted: .*$", run.output, re.MULTILINE) == [
        re.search(r"interrupted: \d of 2 jobs measured.*; the same command again .*", run.output)[0]
    ]
    # A job that is stopped while it imports pandas says so, with names of files of pandas.
    told = run.output.partition("Terminating")[2].replace("missing.pyx", "")
    assert "missing" not in told.replace("Missing output", "")
    assert untouched.path("results/smoke/report/index.html").exists()


def test_one_paper_is_no_plural(green):
    page = (ROOT / "workflow" / "page" / "page.html").read_text(encoding="utf-8")
    assert 'paper{{ "s" if report.papers | length != 1 }}' in page
    shown = green.path("results/smoke/report/index.html").read_text(encoding="utf-8")
    assert "2 papers, revision" in shown


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_freed_memory_goes_back_to_the_system():
    """Of 64 MB in small pieces each second is freed, so that none goes back by itself."""
    own = psutil.Process()
    pieces = [b"x" * 100_000 for _ in range(640)]
    held = own.memory_info().rss
    pieces[:] = pieces[::2]
    machine.give_back_memory()
    assert held - own.memory_info().rss > 16 * 2**20
