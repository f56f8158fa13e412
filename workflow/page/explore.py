"""Measured tables that a reader moves through with a slider, as `explore.yaml` of a paper says.

An entry names a part, `where` of its rows, the columns of the slider, the curves and both axes,
perhaps `theory` (and in `labels` what it is), and the logarithmic axes. What is shown is the mean
over seeds with its 99 % interval: the same numbers as in the figures, and nothing that was not
measured.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from widenets.evidence.intervals import student_t

FILE = "explore.yaml"
KEYS = {"title", "says", "part", "where", "slider", "curves", "x", "y", "labels"}
OPTIONAL = {"theory", "log", "figure"}
MOST = 2000  # points of one table: the page stays small


def explorables(folder: Path, table: pd.DataFrame | None, figures: set[str]) -> list[dict]:
    """What can be explored of a paper in this tier; entries without rows are left out."""
    path = folder / FILE
    if table is None or not path.exists():
        return []
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    for entry in found:
        if not set(entry) >= KEYS or set(entry) - KEYS - OPTIONAL:
            keys = ", ".join(sorted(KEYS))
            raise ValueError(f"{folder.name}/{FILE}: found {sorted(entry)}, wanted {keys}")
        if ("theory" in entry) != ("theory" in entry["labels"]):
            raise ValueError(f"{folder.name}/{FILE}: {entry['title']}: a theory needs its label")
    made = (_explorable(entry, table, f"{folder.name}/{FILE}") for entry in found)
    told = [one for one in made if one]
    for one in told:
        one["figure"] = one["figure"] if one["figure"] in figures else ""
    return told


def _explorable(entry: dict, table: pd.DataFrame, where: str) -> dict | None:
    rows = table[table["part"] == entry["part"]]
    if rows.empty:  # of a larger tier
        return None
    for column, value in entry["where"].items():
        rows = rows[rows[column].isin(value if isinstance(value, list) else [value])]
    keys = [entry["slider"], entry["curves"], entry["x"]]
    rows = rows.dropna(subset=[*keys, entry["y"]])
    if rows[entry["slider"]].nunique() < 2:
        return None
    of_seed = rows.groupby([*keys, "seed"], as_index=False)[[entry["y"]]].mean()
    theory = rows.groupby(keys)[entry["theory"]].mean() if "theory" in entry else None
    points = []
    for place, values in of_seed.groupby(keys)[entry["y"]]:
        mean = student_t(values.to_numpy(float)) if len(values) > 1 else None
        ends = (mean.value, mean.low, mean.high) if mean else (values.iloc[0],) * 3
        line = theory[place] if theory is not None else np.nan
        points.append([*place, *map(_short, (*ends, line))])
    if len(points) > MOST:
        raise ValueError(f"{where}: {entry['title']}: {len(points)} points, wanted at most {MOST}")
    return {
        **{key: entry[key] for key in ("title", "says", "slider", "labels")},
        "log": entry.get("log", ""),
        "figure": entry.get("figure", ""),
        "points": [[_plain(value) for value in point] for point in points],
    }


def _short(number: float) -> float | None:
    return float(f"{number:.5g}") if np.isfinite(number) else None


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
