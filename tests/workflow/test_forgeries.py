"""What was changed by hand after a run is refused by the gate, by the name of its file.

A forger who changes a file also changes the checksum beside it, and the files made from it.
"""

import json
import shutil
import subprocess
import sys

import pytest

from workflow.assemble import write_provenance
from workflow.audit import _differing
from workflow.base.files import sha256
from workflow.base.tree import Results
from workflow.gate import INCOMPLETE
from workflow.trust.scratch import environment

PAPER = "alpha2000_toy"
FOLDER = f"replications/{PAPER}"
RECORD, TABLE, CHECKS = (f"{kind}/{PAPER}" for kind in ("records", "tables", "checks"))
FIGURE = f"figures/{PAPER}/figure_1"


@pytest.fixture
def forger(green, tmp_path):
    """A copy of the results alone; code and grid are those of the green project."""
    shutil.copytree(green.path("results/smoke"), tmp_path / "smoke")
    return Forger(green, tmp_path / "smoke")


class Forger:
    """Someone with an editor and a program for checksums."""

    def __init__(self, project, folder):
        self.project, self.folder = project, folder

    def path(self, name):
        return self.folder / name

    def digit(self, name, after=""):
        """Another digit in a file, the first one behind a text."""
        path = self.path(name)
        content = path.read_bytes()
        start = content.index(after.encode()) + len(after.encode())
        at = next(i for i in range(start, len(content)) if chr(content[i]) in "123456789")
        new = b"1" if content[at : at + 1] != b"1" else b"2"
        path.write_bytes(content[:at] + new + content[at + 1 :])

    def text(self, name, old, new):
        path = self.path(name)
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def json(self, name, **values):
        content = json.loads(self.path(name).read_text(encoding="utf-8"))
        self.path(name).write_text(json.dumps({**content, **values}), encoding="utf-8")

    def join_checks(self):
        """checks.csv from the checks of both papers, as the report does."""
        texts = [self.path(f"checks/{p}.csv").read_text("utf-8") for p in (PAPER, "beta2001_toy")]
        joined = texts[0] + texts[1].partition("\n")[2]
        self.path("checks.csv").write_text(joined, encoding="utf-8")

    def seal_all(self):
        """provenance.json with the checksums and facts of what lies there now."""
        made = json.loads(self.path("provenance.json").read_text(encoding="utf-8"))
        made.pop("sha256")
        made["checksums"] = {name: sha256(self.path(name)) for name in made["checksums"]}
        write_provenance(Results(self.folder), made)

    def gate(self, jobs=1):
        return self.project.call("workflow.gate", str(self.folder), "--jobs", str(jobs))


def forge_checks(forger):
    """A number in checks, with its checksum, in the joined checks, and in the provenance."""
    forger.text(f"{CHECKS}.csv", "-0.5", "-0.6")
    forger.json(f"{CHECKS}.json", checks=sha256(forger.path(f"{CHECKS}.csv")))
    forger.join_checks()


def forge_checks_and_provenance(forger):
    forge_checks(forger)
    forger.seal_all()


def forge_table(forger):
    """A table with its checksum, and the checks told that it is theirs."""
    forger.digit(f"{TABLE}.csv", after="control,16,0,")
    checksum = sha256(forger.path(f"{TABLE}.csv"))
    forger.json(f"{TABLE}.json", **{f"{PAPER}.csv": checksum})
    forger.json(f"{CHECKS}.json", table=checksum)
    forger.seal_all()


def drop_seed(forger):
    """No row of the highest seed in the table, as if gather had dropped it."""
    path = forger.path(f"{TABLE}.csv")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.split(",")[3] != "5"]
    assert len(kept) == len(lines) - 6
    path.write_text("".join(kept), encoding="utf-8")
    checksum = sha256(path)
    forger.json(f"{TABLE}.json", **{f"{PAPER}.csv": checksum})
    forger.json(f"{CHECKS}.json", table=checksum)
    forger.seal_all()


def drop_rows_of_record(forger):
    """A record without one of its (cell, seed) groups, its facts told so."""
    path = forger.path(f"{RECORD}/main.csv")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    forger.json(f"{RECORD}/main.json", sha256=sha256(path), rows=len(lines) - 2)
    forger.seal_all()


def forge_record(forger):
    """A record with its checksum: the provenance knows the old one."""
    forger.digit(f"{RECORD}/main.csv", after="theory,4,0,")
    forger.json(f"{RECORD}/main.json", sha256=sha256(forger.path(f"{RECORD}/main.csv")))


def forge_picture(forger):
    """A figure with its checksum."""
    forger.digit(f"{FIGURE}.svg")
    seal = f"figures/{PAPER}/checksums.json"
    forger.json(seal, **{"figure_1.svg": sha256(forger.path(f"{FIGURE}.svg"))})


def forge_data_of_figure(forger):
    forger.digit(f"{FIGURE}.csv", after="control,16,0,")
    seal = f"figures/{PAPER}/checksums.json"
    forger.json(seal, **{"figure_1.csv": sha256(forger.path(f"{FIGURE}.csv"))})
    forger.seal_all()


def without_a_paper(forger):
    """Provenance of a run that knew one paper of two, correctly sealed."""
    made = json.loads(forger.path("provenance.json").read_text(encoding="utf-8"))
    made.pop("sha256")
    made["settings"]["replications"] = [PAPER]
    write_provenance(Results(forger.folder), made)


def digit(name, after=""):
    def change(forger):
        forger.digit(name, after)

    return change


FORGERIES = [
    (forge_checks, f"{CHECKS}.csv: T1_scatter: region is "),
    (forge_checks_and_provenance, f"{CHECKS}.csv: T1_scatter: region is "),
    (forge_table, f"{TABLE}.csv: column size is not that of its records"),
    (drop_seed, f"{TABLE}.csv: has 30 rows, its records 36"),
    (drop_rows_of_record, f"{RECORD}/main.csv: lacks seed 5 of scatter/control, width 64.0"),
    (forge_record, f"{RECORD}/main.csv: altered since the report was made"),
    (forge_picture, f"{FIGURE}.svg: altered since the report was made"),
    (forge_data_of_figure, f"{FIGURE}.csv: is not cut out of the table"),
    (without_a_paper, "checks.csv: does not agree with the checks"),
    (digit(f"{RECORD}/main.csv"), "does not have its recorded checksum"),
    (digit(f"{RECORD}/main.json", '"cpu_seconds"'), f"{RECORD}/main.json: altered"),
    (digit(f"{TABLE}.csv"), f"{TABLE}.csv is damaged"),
    (digit(f"{CHECKS}.csv"), f"{CHECKS}.csv is damaged"),
    (digit("checks.csv", "\n"), "checks.csv: does not agree with the checks"),
    (digit(f"{FIGURE}.svg"), f"{FIGURE}.svg: damaged"),
    (digit(f"{FIGURE}.pdf"), f"{FIGURE}.pdf: damaged"),
    (digit(f"{FIGURE}.csv"), f"{FIGURE}.csv: damaged"),
    (digit("provenance.json", '"seeds"'), "provenance.json: damaged"),
    (digit("provenance.json", '"checksums"'), "provenance.json: damaged"),
    (digit("provenance.json", '"settings"'), "provenance.json: damaged"),
    (digit("report/report.json", '"estimate"'), "report/report.json: altered"),
    (digit("report/index.html", "<table"), "report/index.html: altered"),
    (digit(f"report/data/{PAPER}/scatter.csv"), "scatter.csv: altered"),
    (digit(f"report/data/{PAPER}/figure_1.svg"), "figure_1.svg: altered"),
]
# The gate in one folder after another, as it would be called in each.
EACH = """
import contextlib, io, json, sys
from workflow.gate import main
from workflow.host.terminal import exit_code
told = []
for folder in sys.argv[1:]:
    sys.argv[1:] = [folder]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        told.append((exit_code(main), said.getvalue()))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def verdicts(green, tmp_path_factory):
    """(exit code, output) of the gate for what each forger left, by one process."""
    folders = []
    for change, _ in FORGERIES:
        folders.append(tmp_path_factory.mktemp("forged") / "smoke")
        shutil.copytree(green.path("results/smoke"), folders[-1])
        change(Forger(green, folders[-1]))
    done = subprocess.run(
        [sys.executable, "-c", EACH, *map(str, folders)],
        cwd=green.folder, env=environment(green.folder), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(FORGERIES)))
def test_a_forged_file_is_refused_by_name(verdicts, number):
    code, output = verdicts[number]
    assert code == INCOMPLETE
    assert FORGERIES[number][1] in output


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_whole_is_accepted(forger, jobs):
    gate = forger.gate(jobs)
    assert gate.code == 0, gate.output


def test_what_one_of_several_processes_finds_is_refused(forger):
    forge_checks(forger)
    alone, together = forger.gate(), forger.gate(jobs=2)
    assert together.code == alone.code == INCOMPLETE
    assert f"{CHECKS}.csv: " in together.output
    assert together.output == alone.output


def test_a_forged_record_is_measured_again_not_built_on(project):
    """Its date is newer than that of all that was made from it."""
    forger = Forger(project, project.path("results/smoke"))
    before = project.tables()
    forge_record(forger)
    forge_checks(forger)
    run = project.snakemake()
    assert run.code == 0, run.output
    assert run.jobs["measure"] == 1
    assert project.tables() == before


def test_judging_again_allows_rounding_alone():
    header = "claim,estimate,final"
    written = f"{header}\nT1,0.123456789012345,pass\n"
    assert _differing(written, written) == ""
    assert _differing(written, f"{header}\nT1,0.123456789012344,pass\n") == ""
    assert "estimate is 0.123456789012345, judged again 0.1234" in _differing(
        written, f"{header}\nT1,0.12345678,pass\n"
    )
    assert "final is pass, judged again fail" in _differing(
        written, f"{header}\nT1,0.123456789012345,fail\n"
    )


REPORT = ("workflow.report", "--results", "results/smoke")


def test_what_was_derived_is_remembered_for_these_very_files(green, tmp_path):
    """The first gate derives, the second need not; another table is derived again all the same."""
    project = green.copy(tmp_path / "again")
    memory = project.path("workflow/__pycache__/derived.json")
    memory.unlink()
    assert project.gate().code == 0
    first = memory.read_text(encoding="utf-8")
    assert project.gate().code == 0
    assert memory.read_text(encoding="utf-8") == first
    table = project.path("results/smoke/tables/alpha2000_toy.csv")
    table.write_text(table.read_text(encoding="utf-8").replace("theory", "control", 1), "utf-8")
    assert project.gate().code == 2


def test_the_gate_need_not_derive_what_the_report_before_it_did(green, tmp_path):
    """Only where the report found nothing wrong."""
    project = green.copy(tmp_path / "again")
    memory = project.path("workflow/__pycache__/derived.json")
    memory.unlink()
    assert project.call(*REPORT).code == 0
    by_report = memory.read_text(encoding="utf-8")
    assert project.gate().code == 0
    assert memory.read_text(encoding="utf-8") == by_report
    figure = project.path(f"results/smoke/{FIGURE}.csv")
    figure.write_text(figure.read_text(encoding="utf-8").replace("1", "2"), encoding="utf-8")
    assert project.call(*REPORT).code == 0
    assert memory.read_text(encoding="utf-8") == by_report
    assert project.gate().code == INCOMPLETE


@pytest.mark.parametrize(
    "words",
    [
        ("workflow.compare", "{}", "results/smoke"),
        ("workflow.page.site", "{}", "--out", "{}/../site"),
    ],
)
@pytest.mark.parametrize("name, after", [("checks.csv", "\n"), ("provenance.json", '"seeds"')])
def test_an_altered_file_is_refused_by_who_shows_it(forger, words, name, after):
    forger.digit(name, after)
    run = forger.project.call(*(word.format(forger.folder) for word in words))
    assert run.code == INCOMPLETE
    assert "altered since the report" in run.output or "provenance.json: damaged" in run.output


def test_a_forged_check_is_no_test_case(forger):
    """Also if provenance says that it was so."""
    forge_checks_and_provenance(forger)
    words = ("pytest", "-p", "workflow.claims_plugin", "-p", "no:cacheprovider", "--claims")
    run = forger.project.call(*words, str(forger.folder))
    assert run.code == 1
    assert f"withheld: {CHECKS}.csv: T1_scatter: region is" in run.output


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_gate_reads_sources_not_the_digests_kept_of_them(project, jobs):
    """Code changed after its record, and the memory of digests told that it is the old code."""
    said = f"from workflow.base.records import experiment_digest as d; print(d({PAPER!r}))"

    def digest():
        command, place = [sys.executable, "-c", said], environment(project.folder)
        done = subprocess.run(
            command, cwd=project.folder, env=place, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    measured = digest()
    project.edit(f"{FOLDER}/experiment.py", '"size": size}', '"size": 2 * size}')
    today = digest()
    memory = project.path("workflow/base/__pycache__/digests.json")
    kept = memory.read_text(encoding="utf-8")
    assert kept.count(today) == 1
    memory.write_text(kept.replace(today, measured), encoding="utf-8")
    assert digest() == measured != today
    gate = project.gate(jobs=jobs)
    assert gate.code == INCOMPLETE
    assert f"{PAPER}: record main is stale: the code it was measured with" in gate.output
    assert digest() == today  # the gate has put right what was kept
