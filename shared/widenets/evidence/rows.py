"""How the rows of one part are taken from the table of a replication."""

import pandas as pd


def rows_of(table: pd.DataFrame, part: str) -> pd.DataFrame:
    """The rows of a part as if the table held no other: without the columns of others, and with
    numbers where a column is text only because it holds lists in another part."""
    rows = table[table["part"] == part].dropna(axis="columns", how="all").reset_index(drop=True)
    for name in rows.select_dtypes(["object", "string"]).columns.difference(["part", "arm"]):
        numbers = pd.to_numeric(rows[name], errors="coerce")
        if (numbers.notna() == rows[name].notna()).all():
            rows[name] = numbers
    return rows
