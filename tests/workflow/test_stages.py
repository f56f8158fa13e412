"""What one stage hands to the next: every row, every digit, of its own tier."""

import json
import os
import subprocess
import sys

import pandas as pd

from workflow.base.digest import code_digest
from workflow.trust.scratch import environment

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


def test_kept_digests_are_of_the_content_that_lies_there(project):
    """Neither an edit that keeps size and date, nor a damaged memory, nor another Python's."""
    memory = project.path("workflow/base/__pycache__/digests.json")
    claims = project.path(f"{ALPHA}/claims.py")
    said = "from workflow.base.records import claims_digest; print(claims_digest('alpha2000_toy'))"

    def digest():
        done = subprocess.run(
            [sys.executable, "-c", said],
            cwd=project.folder,
            env=environment(project.folder),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    kept = json.loads(memory.read_text(encoding="utf-8"))
    first = digest()
    assert first in kept["found"].values()
    for damaged in ("{", "[]", '{"by": 1}', json.dumps({"by": "another", "found": 1})):
        memory.write_text(damaged, encoding="utf-8")
        assert digest() == first
    wrong = {key: "wrong" for key, found in kept["found"].items() if found == first}
    memory.write_text(json.dumps({**kept, "found": {**kept["found"], **wrong}}), encoding="utf-8")
    assert digest() == "wrong"  # the memory is used

    before, text = claims.stat(), claims.read_text(encoding="utf-8")
    claims.write_text(text.replace("-0.5", "-0.6"), encoding="utf-8")
    os.utime(claims, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert claims.stat().st_size == before.st_size
    assert digest() not in (first, "wrong")
