"""Failures stay failures: no second run turns green, no old pass is shown."""

import csv
import errno
import os
import subprocess

import pytest

from workflow.host.terminal import exit_code

ALPHA = "replications/alpha2000_toy"


def finals(project, tier="smoke") -> dict[str, str]:
    with project.path(f"results/{tier}/checks.csv").open(encoding="utf-8") as file:
        return {row["replication"]: row["final"] for row in csv.DictReader(file)}


def test_a_broken_paper_fails_every_time_and_loses_its_old_pass(project):
    assert finals(project) == {"alpha2000_toy": "pass", "beta2001_toy": "pass"}
    project.edit(f"{ALPHA}/experiment.py", "for seed in seeds:", "for seed in seedz:")
    for _ in range(2):
        run = project.snakemake()
        assert run.code != 0
        assert "name 'seedz' is not defined" in run.output
        assert finals(project) == {"alpha2000_toy": "not judged", "beta2001_toy": "pass"}
        assert "alpha2000_toy: record main is missing" in run.output
        gate = project.gate()
        assert gate.code == 2
        errors = [line for line in gate.output.splitlines() if line.startswith("error: ")]
        assert errors == ["error: alpha2000_toy: record main is missing"]  # and no list of figures


def test_a_false_claim_comes_out_fail_after_the_report(project):
    project.edit(f"{ALPHA}/claims.py", "near(-0.5, 0.1)", "near(-1.0, 0.1)")
    run = project.snakemake()
    assert run.code != 0
    assert finals(project)["alpha2000_toy"] == "fail"
    assert "T1_scatter: fail, expected pass" in run.output
    assert project.path("results/smoke/report/index.html").exists()
    assert project.gate().code == 1


def test_a_claim_whose_control_passes_is_inconclusive(project):
    project.edit(f"{ALPHA}/experiment.py", '1.0 if arm == "control" else', "")
    run = project.snakemake()
    assert run.code != 0
    assert finals(project)["alpha2000_toy"] == "inconclusive"
    assert "could not have come out as fail: control 'control' is pass" in run.output
    assert project.gate().code == 3


def test_an_unexpected_pass_is_an_error(project):
    project.edit(
        f"{ALPHA}/claims.py",
        'control="control",',
        'control="control", expected="fail", reason="x",',
    )
    assert project.snakemake().code != 0
    assert finals(project)["alpha2000_toy"] == "pass"
    assert project.gate().code == 1


def test_a_reduced_run_measures_everything_and_judges_nothing(project):
    """Its numbers are shown, but no verdict, no reference; a whole run measures again."""
    run = project.call("snakemake", "--cores", "2", "--config", "tier=smoke", "seeds_at_most=2")
    assert run.code == 0, run.output
    assert run.jobs["measure"] == 2
    assert finals(project) == {"alpha2000_toy": "not judged", "beta2001_toy": "not judged"}
    checks = project.path("results/smoke/checks.csv").read_text(encoding="utf-8")
    assert checks.count("reduced run: at most 2 seeds of each block") == 2
    page = project.path("results/smoke/report/index.html").read_text(encoding="utf-8")
    assert "Reduced run, at most 2 seeds of each block: no verdicts" in page
    gate = project.gate()
    assert gate.code == 0
    assert "reduced run, at most 2 seeds of each block: nothing is judged" in gate.output
    for stage in ("workflow.reference", "workflow.compare"):
        refused = project.call(stage, "results/smoke")
        assert refused.code == 2
        assert "seeds" in refused.output
    assert project.snakemake("-n").jobs["measure"] == 2
    project.edit("results/smoke/provenance.json", '"seeds_at_most": 2', '"seeds_at_most": 0')
    assert project.gate().code == 2


def test_a_damaged_record_has_no_verdict(project):
    path = project.path("results/smoke/records/alpha2000_toy/main.csv")
    path.write_bytes(path.read_bytes()[:-40])
    gate = project.gate()
    assert gate.code == 2
    assert "does not have its recorded checksum" in gate.output
    assert "alpha2000_toy: T1_scatter: inconclusive" in gate.output


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_closed_disk_is_one_line(capsys, code):
    def full():
        raise OSError(code, os.strerror(code), "results/smoke/x.csv")

    assert exit_code(full) == 2
    said = capsys.readouterr().err
    assert os.strerror(code) in said
    assert "results/smoke/x.csv" in said
    assert said.count("\n") == 1


def test_a_really_full_disk_loses_nothing(project, tmp_path):
    """On a file system of 64 kB: the job says so, and after making room the same command works."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs rights that this user does not have")
    try:
        folder = small / "smoke"
        folder.mkdir()
        (small / "filler").write_bytes(b"x" * 60_000)
        words = ("--results", str(folder), "--replication", "alpha2000_toy")
        full = project.call("workflow.measure", *words)
        assert full.code == 2
        assert "No space left on device" in full.output
        assert not list(folder.rglob("*.json"))
        (small / "filler").unlink()
        assert project.call("workflow.measure", *words).code == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)
