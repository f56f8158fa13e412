"""What an edit re-runs, exactly, and what the gate says before anything has re-run."""

import os
import shutil

import pytest

ALPHA = "replications/alpha2000_toy"
MEASURED_AGAIN = {
    "measure": 1, "gather": 1, "judge": 1, "draw_alpha2000_toy": 1, "report": 1, "gate": 1,
}  # fmt: skip


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


def nothing(project):
    assert project.path("results").exists()


@pytest.mark.parametrize(
    "change, jobs, gate",
    [
        (nothing, {"gate": 1}, 0),
        (edit_figure, {"draw_alpha2000_toy": 1, "report": 1, "gate": 1}, 0),
        (edit_claim, {"judge": 1, "report": 1, "gate": 1}, 2),
        (edit_statement, {"judge": 1, "report": 1, "gate": 1}, 2),
        (add_comment, {"report": 1, "gate": 1}, 0),  # the page quotes lines by number
        (edit_docstring, {"gate": 1}, 0),
        (edit_module, MEASURED_AGAIN, 2),
        (edit_other_tier, {"gate": 1}, 0),
        (edit_own_tier, MEASURED_AGAIN, 2),
        (touch_everything, {"gate": 1}, 0),
        (delete_snakemake_state, {"gate": 1}, 0),
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


def test_the_other_seed_is_another_measurement(project):
    run = project.call("snakemake", "-n", "--config", "tier=smoke", "seed=1000")
    assert run.jobs["measure"] == 2
