"""Cells of a shard whose job has not ended: kept, so that a job that is started again goes on.

They lie beside the record that is to be, as `{shard}.unfinished`: a line per measured cell, with
the checksum of the line, the digest of all that the cell rests on, what it cost, and its rows. A
line that is damaged, or of other code, libraries, parameters or seeds, is as if it were not there.
The file is always complete or absent, none of snakemake's outputs, so that it outlives a failed
job, and removed once the record is written.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from workflow.base.digest import cells_digest
from workflow.base.files import sha256_of, write_text
from workflow.base.grid import Cell, shard_digest
from workflow.host.machine import host

EVERY = 30.0  # seconds between two saves, at least: what a killed job may lose of finished cells
SHARE = 0.01  # of a job's time that saving may take


class Cost(NamedTuple):
    """What cells took: CPU seconds, those of them in XLA's compiler, seconds by the clock; and the
    most memory in MB that their process had held by then."""

    cpu_seconds: float = 0.0
    compile_seconds: float = 0.0
    seconds: float = 0.0
    max_rss_mb: float = 0.0

    def since(self, before: "Cost") -> "Cost":
        spent = (round(now - then, 3) for now, then in zip(self[:3], before[:3], strict=True))
        return Cost(*spent, self.max_rss_mb)


class Kept(NamedTuple):
    """One measured cell: its rows, what they cost, on which machine, from which data files."""

    rows: str
    cost: Cost
    host: str
    data: dict[str, str]


def unfinished_path(record: Path) -> Path:
    return record.with_suffix(".unfinished")


def keys_of(cells: Iterable[Cell], rests_on: dict) -> list[str]:
    """Per cell the digest of the cell with its seeds and of what its rows rest on."""
    return [cells_digest([rests_on, shard_digest([cell])]) for cell in cells]


class Unfinished(dict[int, str]):
    """Rows of a shard's cells by their numbers: those that an earlier job kept, then those that
    are put here, which are saved from time to time."""

    def __init__(self, path: Path, keys: list[str], spent: Callable[[], Cost]):
        """path: of the file; keys: of all cells, by number; spent: by this process until now."""
        self.path, self.keys, self.spent = path, keys, spent
        lines, self.damaged = _read(path)
        numbers = {key: number for number, key in enumerate(keys)}
        self.kept = {numbers[key]: one for key, one in lines.items() if key in numbers}
        super().__init__({number: one.rows for number, one in self.kept.items()})
        self.taken = tuple(sorted(self.kept))
        self.begin()
        self._due = time.monotonic() + EVERY

    def begin(self) -> None:
        """A cell is about to be measured."""
        self._before = self.spent()

    def __setitem__(self, number: int, rows: str) -> None:
        super().__setitem__(number, rows)
        cost = self.spent().since(self._before)
        self.kept[number] = Kept(rows, cost, host(), checksums_read())
        if time.monotonic() >= self._due:
            self.save()

    def save(self) -> None:
        started = time.monotonic()
        lines = (_line(self.keys[number], one) for number, one in self.kept.items())
        write_text(self.path, "".join(lines))
        took = time.monotonic() - started
        self._due = started + max(EVERY, took / SHARE)

    def costs(self, numbers: Iterable[int]) -> list[Cost]:
        return [self.kept[number].cost for number in numbers]

    @property
    def data(self) -> dict[str, str]:
        """Checksums of the data files that the rows were made from."""
        return {name: value for one in self.kept.values() for name, value in one.data.items()}


def checksums_read() -> dict[str, str]:
    """Checksums of the data files that this process has read (`widenets.ntk.data` keeps them)."""
    data = sys.modules.get("widenets.ntk.data")
    return dict(getattr(data, "checksums_read", {}))


def _line(key: str, one: Kept) -> str:
    content = json.dumps({"key": key, **one._asdict()})
    return f"{sha256_of(content)} {content}\n"


def _read(path: Path) -> tuple[dict[str, Kept], int]:
    """What an earlier job kept, by key, and how many lines cannot be read as they were written."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}, 0
    lines = [_whole(line) for line in text.removesuffix("\n").split("\n")]
    found = dict(line for line in lines if line)
    return found, lines.count(None)


def _whole(line: str) -> tuple[str, Kept] | None:
    checksum, _, content = line.partition(" ")
    if checksum != sha256_of(content):
        return None
    try:
        said = json.loads(content)
        return said["key"], Kept(said["rows"], Cost(*said["cost"]), said["host"], said["data"])
    except (ValueError, KeyError, TypeError):  # of a version of this module that wrote otherwise
        return None
