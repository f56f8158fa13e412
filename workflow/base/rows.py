"""What a measuring job computes: the rows of its cells, as the text of a table.

Every number passes, between an experiment and its record, through this module and what it imports
and through nothing else. Their digest is therefore part of every record's: keep out of here what
only says how far a job is, what it costs, or where files are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from workflow.base.environment import CPU, use_one_thread
from workflow.base.files import UserError
from workflow.base.modules import load

if TYPE_CHECKING:
    import pandas as pd

    from workflow.base.grid import Cell


def experiment_of(replication: str, device: str = CPU) -> ModuleType:
    """The experiment of a replication, imported under the settings that numbers are made with."""
    use_one_thread(device)
    return load(replication, "experiment")


def measured(
    experiment: ModuleType,
    cells: Iterable[Cell],
    data_dir: Path | None,
    report: Callable[[int], None],
) -> tuple[str, int]:
    """(text of the table of all cells' rows, number of rows); `report` hears of every cell."""
    rows = table_of(measured_rows(experiment, cells, data_dir, report))
    return table_text(rows), len(rows)


def measured_rows(
    experiment: ModuleType,
    cells: Iterable[Cell],
    data_dir: Path | None,
    report: Callable[[int], None],
) -> Iterator[dict]:
    """Rows of all cells: what was varied, then what was measured."""
    for number, cell in enumerate(cells):
        report(number)
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


def table_of(rows: Iterable[dict]) -> pd.DataFrame:
    """A data frame of plain Python values, columns in order of first appearance."""
    import pandas as pd

    plain = [
        {key: _plain(f"part {row['part']}, column {key}", value) for key, value in row.items()}
        for row in rows
    ]
    return pd.DataFrame(plain)


def table_text(rows: pd.DataFrame) -> str:
    """CSV with the shortest decimals that give back the same doubles."""
    return rows.to_csv(index=False, lineterminator="\n")


def _plain(where: str, value: object) -> object:
    """Scalars of numpy, jax and torch as Python numbers; an array is an error."""
    if isinstance(value, list | tuple):
        return str(value)
    if getattr(value, "shape", ()) != ():
        raise UserError(f"{where}: found an array of shape {value.shape}, wanted a number")
    return value.item() if hasattr(value, "item") else value
