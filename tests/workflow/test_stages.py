"""What one stage hands to the next: every row, every digit, of its own tier."""

import pandas as pd

from workflow.base.digest import code_digest

ALPHA = "replications/alpha2000_toy"
ROWS = 3 * 2 * 6  # widths, arms and seeds of the smoke tier


def table(project, name, tier="smoke"):
    path = project.path(f"results/{tier}/{name}.csv")
    return pd.read_csv(path, float_precision="round_trip")


def test_every_row_and_every_digit_reaches_the_table(project):
    """Rows of all seeds, those without a number as well; doubles as they were measured."""
    columns = '"third": 2 / 3 + seed, "rest": 1.0 if seed % 2 else float("nan"), "size": size}'
    project.edit(f"{ALPHA}/experiment.py", '"size": size}', columns)
    words = ("--results", "results/smoke", "--replication", "alpha2000_toy")
    for stage in ("workflow.measure", "workflow.gather"):
        run = project.call(stage, *words)
        assert run.code == 0, run.output
    record, rows = (
        table(project, "records/alpha2000_toy/main"),
        table(project, "tables/alpha2000_toy"),
    )
    pd.testing.assert_frame_equal(record, rows)
    assert len(rows) == ROWS
    assert set(rows["seed"]) == set(range(6))
    assert (rows["third"] == 2 / 3 + rows["seed"]).all()
    assert rows["rest"].isna().sum() == ROWS / 2


def test_each_tier_is_judged_by_its_own_rows(project):
    run = project.snakemake(tier="laptop")
    assert run.code == 0, run.output
    checks = {tier: table(project, "checks/alpha2000_toy", tier) for tier in ("smoke", "laptop")}
    assert checks["smoke"]["n_seeds"].tolist() == [6]
    assert checks["laptop"]["n_seeds"].tolist() == [8]
    assert set(table(project, "tables/alpha2000_toy", "laptop")["width"]) == {4, 16, 64, 256}


def package(root, init):
    for name, text in {
        "a/__init__.py": init,
        "a/b.py": "import c\n",
        "c/__init__.py": "from c.d import x\n",
        "c/d.py": "x = 1\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return code_digest("a.b", root=root)


def test_a_digest_holds_what_importing_a_module_runs(tmp_path):
    """The parents of the module run with it; comments and docstrings do nothing."""
    first, same, other = (tmp_path / name for name in ("first", "same", "other"))
    digest = package(first, "setting = 1\n")
    assert package(same, '"""Now with words."""\n\nsetting = 1  # as before\n') == digest
    assert package(other, "setting = 2\n") != digest
