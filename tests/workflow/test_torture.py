"""Two kills and a few other disturbances, and what a trial calls a loss.

(`python -m workflow.trust.torture` makes many more: docs/faults.md.)
"""

import random
import shutil
from base64 import urlsafe_b64encode

import pandas as pd
import pytest

from workflow.base.files import broken
from workflow.base.records import read_sealed, write_sealed
from workflow.base.tree import Results
from workflow.host.revision import git_revision
from workflow.repair import remove_damaged
from workflow.trust.scratch import Run, fresh_project
from workflow.trust.torture import downloads as bad_downloads
from workflow.trust.torture import run as torture
from workflow.trust.torture.disturbances import (
    DAMAGES,
    FILES,
    KILLS,
    OTHERS,
    Fault,
    Scene,
    damage,
    two_runs,
)
from workflow.trust.torture.run import in_time, publish, wrong_verdicts

SHARDS = {"alpha2000_toy": ["main"], "beta2001_toy": ["main"]}


@pytest.fixture(scope="module")
def scene(green, tmp_path_factory):
    fresh = fresh_project(tmp_path_factory.mktemp("fresh") / "project")
    return Scene(fresh, green, green.tables(), 6.0, random.Random(1))


@pytest.mark.parametrize(
    "fault",
    [*KILLS, Fault("two runs at once", "", two_runs, said="error: another run (process")],
    ids=lambda fault: fault.name,
)
def test_nothing_is_lost_nor_half_counted(scene, tmp_path, fault):
    row = in_time(fault, scene, tmp_path / "trial")
    assert row["holds"], row


def test_a_record_whose_job_outlived_its_snakemake_is_not_measured_again(project):
    """Snakemake notes which files it has begun, and when it is gone nothing takes that back."""
    for path in project.path("results/smoke/records/alpha2000_toy").iterdir():
        name = str(path.relative_to(project.folder)).encode()
        note = project.path(".snakemake/incomplete") / urlsafe_b64encode(name).decode()
        note.write_text("{}", encoding="utf-8")
    run = project.snakemake()
    assert (run.code, run.jobs.get("measure", 0)) == (0, 0)


def test_one_core_gives_the_same_bytes_as_two(untouched, green):
    assert untouched.snakemake(cores=1).code == 0
    assert untouched.tables() == green.tables()


def test_a_table_that_lost_a_line_is_not_judged_but_made_again(scene, tmp_path):
    """Its date is newer than what was made from it: dates alone would judge the rest of it."""
    fault = Fault("table", "", damage("table", DAMAGES[1]), "green", "is damaged")
    row = in_time(fault, scene, tmp_path / "trial")
    assert (row["gate"], row["holds"]) == (2, True), row


def test_a_wrong_verdict_is_half_counted(scene, tmp_path):
    def forge(project, scene):
        project.edit("results/smoke/checks.csv", "0.1,", "0.2,")
        assert wrong_verdicts(project, scene)
        yield Run(0, "")

    row = in_time(Fault("forged", "", forge, "green"), scene, tmp_path / "trial")
    assert row["half_counted"]
    assert not row["holds"]


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_what_is_damaged_is_removed_before_a_run(green, tmp_path, file, how):
    name = FILES[file].format(paper="alpha2000_toy", figure="figure_1")
    copy = tmp_path / "smoke"
    shutil.copytree(green.path("results/smoke"), copy)
    remove_damaged(Results(copy), SHARDS)
    assert (copy / name).exists()
    (copy / name).write_bytes(how((copy / name).read_bytes()))
    remove_damaged(Results(copy), SHARDS)
    removed = copy / ("provenance.json" if file == "joined checks" else name)
    assert not removed.exists()


def test_what_no_report_has_seen_is_not_called_damaged(green, tmp_path, capsys):
    """A run that ended before its report leaves whole files that differ from the last report's."""
    copy = tmp_path / "smoke"
    shutil.copytree(green.path("results/smoke"), copy)
    table = Results(copy).table("alpha2000_toy")
    write_sealed(table, read_sealed(table).iloc[::-1])
    remove_damaged(Results(copy), SHARDS)
    said = capsys.readouterr().err.splitlines()
    pair = (table, table.with_suffix(".json"))
    why = "not as the last report saw it; removed, to be made again"
    assert said == [f"{file}: {why}" for file in pair]


def test_a_sealed_table_is_read_as_it_was_written_or_not_at_all(tmp_path):
    path = tmp_path / "table.csv"
    rows = pd.DataFrame({"a": [0.1, 0.2]})
    write_sealed(path, rows)
    assert read_sealed(path).equals(rows)
    assert broken(path.with_suffix(".json")) == []
    path.write_text("a\n0.1\n", encoding="utf-8")
    assert broken(path.with_suffix(".json")) == [path]
    path.with_suffix(".json").write_text("[", encoding="utf-8")
    assert broken(path.with_suffix(".json")) == [path.with_suffix(".json")]


def test_downloads_that_drop_and_lie_come_out_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(bad_downloads, "KILLED", 1)
    rows = list(bad_downloads.trials(tmp_path, 1))
    assert [row["fault"] for row in rows if not row["holds"]] == []


def test_the_table_is_renewed_fault_by_fault(tmp_path):
    def table(**columns):
        base = dict.fromkeys(("what", "message"), "x")
        base |= {"exit_code": 1, "gate": 2, "half_counted": False, "lost": False}
        base |= {"runs_until_green": 1, "same_bytes": True, "leftovers": 0, "holds": True}
        return pd.DataFrame([{**base, **columns}])

    publish(pd.concat([table(fault="a", exit_code=3), table(fault="b")]), tmp_path)
    publish(table(fault="b", exit_code=5), tmp_path)
    kept = pd.read_csv(tmp_path / "results" / "reference" / "faults.csv")
    assert kept[["fault", "exit_code"]].to_numpy().tolist() == [["a", 3], ["b", 5]]
    page = (tmp_path / "docs" / "faults.md").read_text(encoding="utf-8")
    assert "2 of 2 trials hold" in page
    assert kept["commit"].tolist() == [git_revision()] * 2
    assert page.count(git_revision()) == 2
    assert torture.INTRODUCTION in page


def test_names_of_faults_are_unique():
    names = [fault.name for fault in (*KILLS, *OTHERS)]
    assert len(set(names)) == len(names)
