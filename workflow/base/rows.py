"""What a measuring job computes: the rows of its cells, as the text of a table.

Every number passes, between an experiment and its record, through this module and what it imports
and through nothing else. Their digest is therefore part of every record's: keep out of here what
only says how far a job is, what it costs, or where files are.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from workflow.base.environment import CPU, use_one_thread
from workflow.base.files import UserError
from workflow.base.modules import load

if TYPE_CHECKING:
    import pandas as pd

    from workflow.base.grid import Cell

PLAIN = (float, int, str, type(None))  # what a value of a row may be; a bool is an int


def experiment_of(replication: str, device: str = CPU) -> ModuleType:
    """The experiment of a replication, imported under the settings that numbers are made with."""
    use_one_thread(device)
    return load(replication, "experiment")


def measured(
    experiment: ModuleType,
    cells: Iterable[Cell],
    data_dir: Path | None,
    report: Callable[[int], None],
    known: MutableMapping[int, str],
) -> tuple[str, int]:
    """(text of the table of all cells' rows, number of rows); `report` hears of every cell that is
    about to be measured.

    known: texts of cells' rows by the cells' numbers. What is there is not measured, and what is
    measured is put there. All rows of the table are read from these texts, so that it does not
    depend on which were there before.
    """
    rows: list[dict] = []
    for number, cell in enumerate(cells):
        if number not in known:
            report(number)
            known[number] = rows_text(measured_rows(experiment, cell, data_dir))
        rows += json.loads(known[number])
    return table_text(table_of(rows)), len(rows)


def measured_rows(experiment: ModuleType, cell: Cell, data_dir: Path | None) -> Iterator[dict]:
    """Rows of a cell: what was varied, then what was measured."""
    part = getattr(experiment, cell.part)
    extra = {"data_dir": data_dir} if "data_dir" in inspect.signature(part).parameters else {}
    held = {"part": cell.part, "arm": cell.arm, **cell.parameters}
    where = f"{experiment.__name__.replace('.', '/')}.py: {cell.part}"
    counted = set()
    for row in part(arm=cell.arm, **cell.parameters, seeds=cell.seeds, **extra):
        repeated = sorted(set(row) & set(held))
        if repeated or "seed" not in row:
            raise UserError(
                f"{where}: a row must have a seed and must not repeat the cell's keys; "
                f"found {', '.join(sorted(row))}"
            )
        counted.add(row["seed"])
        yield {**held, **row}
    if counted != set(cell.seeds):
        raise UserError(
            f"{where}: measured the seeds {_few(counted)}, wanted {_few(cell.seeds)}; {held}"
        )


def _few(seeds: Iterable[int]) -> str:
    listed = sorted(seeds)
    return ", ".join(map(str, listed[:6])) + (", ..." if len(listed) > 6 else "")


def rows_text(rows: Iterable[dict]) -> str:
    """JSON of plain Python values, every double by the shortest decimals that give it back."""
    return json.dumps(
        [
            {key: _plain(f"part {row['part']}, column {key}", value) for key, value in row.items()}
            for row in rows
        ]
    )


def table_of(rows: list[dict]) -> pd.DataFrame:
    """A data frame of plain rows, columns in order of first appearance."""
    import pandas as pd

    return pd.DataFrame(rows)


def table_text(rows: pd.DataFrame) -> str:
    """CSV with the shortest decimals that give back the same doubles."""
    return rows.to_csv(index=False, lineterminator="\n")


def _plain(where: str, value: object) -> object:
    """Scalars of numpy, jax and torch as Python values; an array is an error."""
    if isinstance(value, list | tuple):
        return str(value)
    if getattr(value, "shape", ()) != ():
        raise UserError(f"{where}: found an array of shape {value.shape}, wanted a number")
    plain = value.item() if hasattr(value, "item") else value
    if not isinstance(plain, PLAIN):
        raise UserError(f"{where}: found {plain!r}, wanted a number, a text or nothing")
    return plain
