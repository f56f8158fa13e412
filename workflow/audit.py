"""Whether what lies in a folder is what its records give: everything is derived once more.

A checksum beside a file only says that the file is what somebody wrote. Here the table is compared
with the records value by value, by other code than that which joined them; the plan's cells and
seeds are looked for in it; the claims are judged again; the figures' data are cut out again. What
cannot be derived again within seconds (the records, the pictures) is compared with the checksums of
all files that the report wrote down when it ended, in provenance.json.
"""

import csv
import io
import math
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pandas as pd

from workflow.base.environment import CPU
from workflow.base.files import sha256
from workflow.base.grid import Cell, Seeds, shards
from workflow.base.records import read_facts, read_table
from workflow.base.rows import table_text
from workflow.base.subject import ANSWER
from workflow.base.tree import Results, replications
from workflow.draw import KINDS, data_of, figures
from workflow.judge import judged

# Between processors the last digits of an estimate differ: by a relative amount, and by an absolute
# one where the estimate is nothing but rounding. (The file itself has its checksum.)
ROUNDING, NOTHING = 1e-9, 1e-12
FORMS = ("index.html", "report.json", "report.md", "summary.md", "badge.json", "numbers.tex")


def audit(results: Results, replication: str, seeds: Seeds) -> list[str]:
    """What is wrong with a replication's table, checks and data of figures; its records are whole
    and of today. Only the first stage that is wrong is named, because the others build on it."""
    cells = shards(replication, results.tier, seeds)
    records = {shard: read_table(results.record(replication, shard)) for shard in cells}
    for shard, rows in records.items():
        found = faults_of_record(results, replication, shard, rows, cells[shard])
        if found:
            return found
    table = read_table(results.table(replication))
    found = _unlike(table, list(records.values()))
    if found:
        return [f"tables/{replication}.csv: {found}"]
    again = table_text(judged(replication, table, results.tier, seeds))
    written = results.checks(replication).read_text(encoding="utf-8")
    found = _differing(written, again)
    return [f"checks/{replication}.csv: {found}"] if found else []


def faults_of_record(
    results: Results, replication: str, shard: str, rows: pd.DataFrame, cells: list[Cell]
) -> list[str]:
    """How a record that has its checksum is not that of the shard's cells, or not what it says."""
    found = _unplanned(rows, cells)
    found += _misdescribed(results, replication, shard, rows, cells)
    return [f"records/{replication}/{shard}.csv: {text}" for text in found]


def _unplanned(rows: pd.DataFrame, cells: list[Cell]) -> list[str]:
    """Cells and seeds of today's plan that a record lacks, or has beyond it."""
    wanted = {_key([cell.part, cell.arm], cell.parameters): set(cell.seeds) for cell in cells}
    present: dict[tuple, set[int]] = {}
    for part, some in rows.groupby("part", sort=False):
        keys = sorted({key for cell in cells if cell.part == part for key in cell.parameters})
        columns = [key for key in keys if key in some]
        for values, group in some.groupby(["arm", *columns], sort=False, dropna=False)["seed"]:
            parameters = dict(zip(columns, values[1:], strict=True))
            key = _key([part, values[0]], parameters)
            present[key] = present.get(key, set()) | set(group)
    found = []
    for key in [*wanted, *(present.keys() - wanted.keys())]:
        lacks = wanted.get(key, set()) - present.get(key, set())
        beyond = present.get(key, set()) - wanted.get(key, set())
        found += [f"lacks seed {seed} of {_said(key)}" for seed in sorted(lacks)[:1]]
        found += [f"has seed {seed} of {_said(key)}, unplanned" for seed in sorted(beyond)[:1]]
    return found[:1]


def _key(start: list[str], parameters: dict[str, object]) -> tuple:
    """A cell, however its values are written: numbers as numbers, nothing left out as itself."""
    given = ((name, _plain(value)) for name, value in sorted(parameters.items()))
    return (*map(str, start), *((name, value) for name, value in given if value != ""))


def _plain(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = str(value)
    try:
        return float(text)
    except ValueError:
        return text


def _said(key: tuple) -> str:
    part, arm, *parameters = key
    return ", ".join([f"{part}/{arm}", *(f"{name} {value}" for name, value in parameters)])


def _misdescribed(
    results: Results, replication: str, shard: str, rows: pd.DataFrame, cells: list[Cell]
) -> list[str]:
    """What the facts beside a record say otherwise than its rows."""
    facts = read_facts(results.record(replication, shard))
    true = {
        "replication": replication,
        "tier": results.tier,
        "shard": shard,
        "rows": len(rows),
        "seeds": sorted({seed for cell in cells for seed in cell.seeds}),
    }
    return [
        f"its facts say {key} {facts.get(key)!r}, wanted {value!r}"
        for key, value in true.items()
        if facts.get(key) != value
    ]


def _unlike(table: pd.DataFrame, records: list[pd.DataFrame]) -> str:
    """How a table differs from its records, one below the other; empty where it does not."""
    if len(table) != sum(map(len, records)):
        return f"has {len(table)} rows, its records {sum(map(len, records))}"
    columns = {column for rows in records for column in rows}
    if set(table) != columns:
        return f"has other columns than its records: {', '.join(sorted(set(table) ^ columns))}"
    start = 0
    for rows in records:
        block = table.iloc[start : start + len(rows)]
        start += len(rows)
        for column in table:
            expected = rows[column] if column in rows else pd.Series(math.nan, rows.index)
            if not _same_values(block[column], expected):
                return f"column {column} is not that of its records"
    return ""


def _same_values(found: pd.Series, expected: pd.Series) -> bool:
    left, right = found.reset_index(drop=True), expected.reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(left) and pd.api.types.is_numeric_dtype(right):
        return bool(((left == right) | (left.isna() & right.isna())).all())
    return [_plain(value) for value in left] == [_plain(value) for value in right]


def _differing(written: str, again: str) -> str:
    """Where two texts of checks differ by more than rounding; empty where they do not."""
    if written == again:
        return ""
    tables = [list(csv.reader(io.StringIO(text))) for text in (written, again)]
    (header, *found), (columns, *wanted) = tables
    if header != columns or len(found) != len(wanted):
        return "has other columns or claims than judging again gives"
    for one, other in zip(found, wanted, strict=True):
        for column, is_, was in zip(columns, one, other, strict=True):
            if not _same_text(is_, was):
                return f"{one[columns.index('claim')]}: {column} is {is_}, judged again {was}"
    return ""


def _same_text(one: str, other: str) -> bool:
    """Whether two texts are the same word by word, numbers up to rounding."""
    return all(_same_word(*pair) for pair in zip_longest(one.split(), other.split(), fillvalue=""))


def _same_word(one: str, other: str) -> bool:
    try:
        return one == other or math.isclose(
            float(one), float(other), rel_tol=ROUNDING, abs_tol=NOTHING
        )
    except ValueError:
        return False


def bad_data(results: Results, replication: str, seeds: Seeds) -> Iterator[str]:
    """Data of figures that are not those of the table, which is good."""
    table = read_table(results.table(replication))
    for figure in figures(replication, results.tier, seeds):
        path = results.figures(replication) / f"{figure.name}.csv"
        if path.exists() and path.read_text("utf-8") != table_text(data_of(table, figure)):
            yield f"{path}: is not cut out of the table"


def checksums(results: Results, names: list[str], seeds: Seeds) -> dict[str, str]:
    """Path below the folder -> checksum, of every file of these replications and of the report."""
    files = _files(results, names, seeds)
    return {path.relative_to(results.folder).as_posix(): sha256(path) for path in files}


def altered(results: Results, made: dict) -> list[Path]:
    """Files that are not what they were when the report ended (`made`: its provenance), that are
    gone, or that it never saw."""
    known = {results.folder / name: checksum for name, checksum in made["checksums"].items()}
    changed = [
        path for path, checksum in known.items() if not path.is_file() or sha256(path) != checksum
    ]
    names = [name for name in made["settings"]["replications"] if name in replications()]
    seeds = chosen_seeds(made["settings"])
    return changed + [path for path in _files(results, names, seeds) if path not in known]


def chosen_seeds(settings: dict) -> Seeds:
    """The seeds of a run, and what else it takes, from the settings in its provenance."""
    shift, at_most = settings.get("seed", 0), settings.get("seeds_at_most", 0)
    taken = (tuple(settings.get(key, ())) for key in ("claims", "set"))
    device = settings.get("device", CPU)
    return Seeds(shift, at_most, settings.get("subject", ""), *taken, device)


def _files(results: Results, names: list[str], seeds: Seeds) -> list[Path]:
    """Files that today's plan makes of these replications, and those of the report, if there."""
    files = [results.all_checks, *(results.report / form for form in FORMS)]
    files += [results.folder / ANSWER] if seeds.subject else []
    files += sorted(results.report.glob("data/**/*.*"))
    for name in names:
        tables = [results.record(name, shard) for shard in shards(name, results.tier, seeds)]
        tables += [results.table(name), results.checks(name)]
        files += [file for path in tables for file in (path, path.with_suffix(".json"))]
        drawn = figures(name, results.tier, seeds)
        files += [results.figures(name) / f"{one.name}.{kind}" for one in drawn for kind in KINDS]
        files.append(results.figures_seal(name))
    return [path for path in files if path.is_file()]
