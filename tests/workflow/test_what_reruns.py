"""What an edit re-runs, exactly, and what the gate says before anything has re-run."""

import os
import shutil

import pytest

ALPHA = "replications/alpha2000_toy"
MEASURED_AGAIN = {
    "measure": 1, "gather": 1, "judge": 1, "draw_alpha2000_toy": 1, "report": 1, "gate": 1,
}  # fmt: skip

DRAWN_AGAIN = {"draw_alpha2000_toy": 1, "draw_beta2001_toy": 1}
ALL_GATHERED_AGAIN = {"gather": 2, "judge": 2, "report": 1, "gate": 1} | DRAWN_AGAIN
ALL_MEASURED_AGAIN = {"measure": 2} | ALL_GATHERED_AGAIN


def edit_figure(project):
    project.edit(f"{ALPHA}/figures.py", '"o"', '"s"')


def edit_claim(project):
    project.edit(f"{ALPHA}/claims.py", "near(-0.5, 0.1)", "near(-0.5, 0.09)")


def edit_statement(project):
    project.edit(f"{ALPHA}/claims.py", "square root", "square  root")


def add_comment(project):
    for name in ("experiment.py", "claims.py", "figures.py"):
        path = project.path(f"{ALPHA}/{name}")
        path.write_text("# a comment\n" + path.read_text(encoding="utf-8"), encoding="utf-8")


def edit_docstring(project):
    project.edit("shared/widenets/ntk/toy.py", "Stands for", "Stands in for")


def edit_module(project):
    project.edit("shared/widenets/ntk/toy.py", "return generator", "return 2.0 * generator")


def edit_other_tier(project):
    project.edit(f"{ALPHA}/grid.yaml", "width: [256]", "width: [512]")


def edit_own_tier(project):
    project.edit(f"{ALPHA}/grid.yaml", "seed: 6", "seed: 7")


def touch_everything(project):
    for path in project.folder.rglob("*.*"):
        if "results" not in path.parts and ".snakemake" not in path.parts:
            os.utime(path)


def delete_snakemake_state(project):
    shutil.rmtree(project.path(".snakemake"))


def comment_the_runner(project):
    for name in ("measure.py", "gather.py", "judge.py", "base/rows.py", "base/environment.py"):
        path = project.path(f"workflow/{name}")
        path.write_text(path.read_text(encoding="utf-8") + "# a comment\n", encoding="utf-8")


def edit_rounding(project):
    project.edit("workflow/base/rows.py", "value.item() if", "round(value.item(), 1) if")


def edit_float64(project):
    project.edit("workflow/base/environment.py", '"JAX_ENABLE_X64": "1"', '"JAX_ENABLE_X64": "0"')


def edit_gather(project):
    """It drops all rows of the highest seed."""
    project.edit(
        "workflow/gather.py",
        "pd.concat(tables, ignore_index=True)",
        "pd.concat([t[t['seed'] < t['seed'].max()] for t in tables], ignore_index=True)",
    )


def edit_judge(project):
    project.edit("workflow/judge.py", "reason=reason, ", "reason=str(reason), ")


def edit_draw(project):
    there = '"pdf": {"CreationDate": None}}'
    project.edit("workflow/draw.py", there, f"{there} | {{}}")


def edit_what_is_said(project):
    """Progress, messages, costs, and what tests the suite."""
    for name in ("host/progress.py", "measure.py", "host/clock.py", "trust/scratch.py"):
        path = project.path(f"workflow/{name}")
        path.write_text(path.read_text(encoding="utf-8") + "\nADDED = 1\n", encoding="utf-8")


def edit_gate(project):
    path = project.path("workflow/gate.py")
    path.write_text(path.read_text(encoding="utf-8") + "\nADDED = 1\n", encoding="utf-8")


def edit_what_nothing_rests_on(project):
    """All at once: if one of them re-ran something, or its gate said so, all together would."""
    edit_docstring(project)
    edit_other_tier(project)
    comment_the_runner(project)
    edit_what_is_said(project)
    edit_gate(project)
    touch_everything(project)


@pytest.mark.parametrize(
    "change, jobs, gate",
    [
        (edit_what_nothing_rests_on, {"gate": 1}, 0),
        (edit_figure, {"draw_alpha2000_toy": 1, "report": 1, "gate": 1}, 0),
        (edit_claim, {"judge": 1, "report": 1, "gate": 1}, 2),
        (edit_statement, {"judge": 1, "report": 1, "gate": 1}, 2),
        (add_comment, {"report": 1, "gate": 1}, 0),  # the page quotes lines by number
        (edit_module, MEASURED_AGAIN, 2),
        (edit_own_tier, MEASURED_AGAIN, 2),
        (delete_snakemake_state, {"gate": 1}, 0),
        (edit_rounding, ALL_MEASURED_AGAIN, 2),
        (edit_float64, ALL_MEASURED_AGAIN, 2),
        (edit_gather, ALL_GATHERED_AGAIN, 0),
        (edit_judge, {"judge": 2, "report": 1, "gate": 1}, 2),
        (edit_draw, DRAWN_AGAIN | {"report": 1, "gate": 1}, 0),
    ],
)
def test_an_edit_reruns_exactly_what_it_concerns(project, change, jobs, gate):
    change(project)
    assert project.snakemake("-n").jobs == jobs
    assert project.gate().code == gate


def test_a_changed_module_is_noticed_without_any_snakemake_state(project):
    """Without its state snakemake cannot know; the record tells."""
    delete_snakemake_state(project)
    edit_module(project)
    run = project.snakemake()
    assert run.code == 0
    assert run.jobs["measure"] == 1
    assert "stale: the code it was measured with has changed; removed" in run.output


def test_a_gather_that_drops_a_seed_is_run_and_refused(project):
    edit_gather(project)
    run = project.snakemake()
    assert run.code != 0
    assert "tables/alpha2000_toy.csv: has 30 rows, its records 36" in run.output
    assert project.gate().code == 2


def test_a_question_removes_nothing(project):
    """Nor does an inner process, which runs one job for a run that holds the folder."""
    path = project.path("results/smoke/records/alpha2000_toy/main.csv")
    path.write_bytes(path.read_bytes()[:-40])
    damaged = path.read_bytes()
    for question in ("--list-input-changes", "--detailed-summary", "-n"):
        project.snakemake(question)
        assert path.read_bytes() == damaged, question


def test_another_data_folder_measures_anew_what_reads_data_alone(project, tmp_path):
    given = ("tier=smoke", f"data_dir={tmp_path}")
    assert project.call("snakemake", "-n", "--config", *given).jobs == {"gate": 1}
    project.edit(f"{ALPHA}/experiment.py", "seeds: tuple", "data_dir, seeds: tuple")
    for words in ((), ("--config", *given)):
        assert project.call("snakemake", "--cores", "1", *words).code == 0
        assert project.call("snakemake", "-n", *words).jobs == {"gate": 1}
    assert project.call("snakemake", "-n", "--config", "tier=smoke").jobs == MEASURED_AGAIN


def test_the_other_seed_is_another_measurement(project):
    run = project.call("snakemake", "-n", "--config", "tier=smoke", "seed=1000")
    assert run.jobs["measure"] == 2
