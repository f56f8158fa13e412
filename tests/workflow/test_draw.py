"""What figures are drawn from."""

import pandas as pd

from workflow.draw import rows_of


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
    table = pd.read_csv(path)
    curves = rows_of(table, "curves")
    assert curves["samples"].tolist() == [5, 160]
    assert curves["arm"].tolist() == ["theory", "theory"]
    modes = rows_of(table, "modes")
    assert modes["samples"].tolist() == ["(4, 16)"]
    assert "error" not in modes
