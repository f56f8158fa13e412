"""What claims and figures read."""

import pandas as pd

from widenets.evidence import Claim, judge, loglog_slope, near
from widenets.evidence.rows import rows_of
from workflow.base.records import read_table


def test_a_part_has_numbers_where_another_part_has_lists(tmp_path):
    path = tmp_path / "table.csv"
    pd.DataFrame(
        {
            "part": ["curves", "curves", "modes"],
            "arm": ["theory", "theory", "theory"],
            "samples": [5, 160, "(4, 16)"],
            "error": [1.0, 0.5, None],
        }
    ).to_csv(path, index=False)
    table = read_table(path)
    curves = rows_of(table, "curves")
    assert curves["samples"].tolist() == [5, 160]
    assert curves["arm"].tolist() == ["theory", "theory"]
    modes = rows_of(table, "modes")
    assert modes["samples"].tolist() == ["(4, 16)"]
    assert "error" not in modes


def test_an_arm_named_by_a_number_stays_a_name(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("part,arm,error\ncurves,1,0.5\ncurves,2,0.25\nmodes,1,x\n")
    rows = rows_of(read_table(path), "curves")
    assert rows["arm"].tolist() == ["1", "2"]
    assert rows["error"].tolist() == [0.5, 0.25]


def test_a_claim_reads_numbers_where_another_part_has_lists():
    sizes, lists = [1.0, 2.0, 4.0], ["(1, 2)", "(2, 4)"]
    arms = {"theory": [1.0, 0.5, 0.25], "control": [1.0, 1.0, 1.0]}
    rows = [
        {"part": "curves", "arm": arm, "seed": seed, "samples": str(size), "error": error}
        for arm, errors in arms.items()
        for seed in range(3)
        for size, error in zip(sizes, errors, strict=True)
    ]
    rows += [{"part": "modes", "arm": "theory", "seed": 0, "samples": text} for text in lists]
    claim = Claim(
        name="X1_slope",
        statement="the error falls like 1 / n",
        source="Theorem 1",
        part="curves",
        estimator=loglog_slope("error", "samples"),
        region=near(-1.0, 0.05),
        why="exact",
        control="control",
    )
    assert judge(claim, pd.DataFrame(rows), "smoke").final == "pass"
