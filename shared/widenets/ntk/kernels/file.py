"""A kernel larger than memory, in a file: a call that was stopped is resumed by the next one."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np

from widenets.ntk.architecture import Architecture, tiles
from widenets.ntk.kernels.blocks import Blocks, Progress, in_blocks


def kernel_to_file(
    architecture: Architecture,
    x1,
    x2=None,
    *,
    path: str | Path,
    which: str = "ntk",
    block: int | None = None,
    progress: Progress | None = None,
    save_every: float = 1.0,
    threads: int = 1,
) -> np.memmap:
    """`kernel_in_blocks` into the file path (.npy), resumed where an earlier call was stopped.

    Until the last block the numbers are in path.part and the count of finished blocks in path.json,
    beside what was asked (shape, dtype, inputs, kernel, block); both reach the disk every
    `save_every` seconds, which is the work a kill can lose. A later call repeats the first block
    alone and compares: that tells another architecture. Returns the file, mapped for reading.
    ValueError: as `kernel_in_blocks`, or files of that name belong to another computation.
    OSError: no room on the disk, found before the first block.
    """
    if which == "both":
        raise ValueError("which must be 'ntk' or 'nngp', one file each, found 'both'")
    blocks = in_blocks(architecture, x1, x2, which, block)
    path, total = Path(path), len(blocks.pairs)
    part, record = (path.with_name(path.name + end) for end in (".part", ".json"))
    asked = {
        "shape": list(blocks.shape),
        "dtype": str(blocks.x1.dtype),
        "which": which,
        "rows per block": blocks.pairs[0][0].stop,
        "x1": _checksum(blocks.x1),
        "x2": None if blocks.x2 is None else _checksum(blocks.x2),
    }
    finished = _finished(record, asked) if record.exists() else 0
    if path.exists() and not record.exists():
        raise ValueError(f"{path} exists without {record.name}, the record of what it holds")
    if finished == 0:
        out = np.lib.format.open_memmap(part, "w+", blocks.x1.dtype, blocks.shape)
        if hasattr(os, "posix_fallocate"):  # writing to a mapped file on a full disk is a crash
            with part.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, part.stat().st_size)
    else:
        out = np.lib.format.open_memmap(path if path.exists() else part, "r+")
        _check_first_block(blocks, out, path)
    saved = time.monotonic()
    for done, (pair, parts) in enumerate(blocks.computed(threads, finished), start=finished + 1):
        tiles.place(out, parts[0], pair, blocks.x2 is None)
        if done == total or time.monotonic() - saved >= save_every:
            out.flush()
            _save(record, {**asked, "finished blocks": done})
            saved = time.monotonic()
        if progress is not None:
            progress(done, total)
    del out
    if part.exists():
        part.replace(path)
    return np.load(path, mmap_mode="r")


def _checksum(x: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(x)).hexdigest()


def _finished(record: Path, asked: dict) -> int:
    """The count of finished blocks, if the record is of the same computation."""
    found = json.loads(record.read_text())
    for name, value in asked.items():
        if found[name] != value:
            raise ValueError(
                f"{record} belongs to another computation: {name} is {found[name]}, asked {value}"
            )
    return found["finished blocks"]


def _check_first_block(blocks: Blocks, out: np.ndarray, path: Path) -> None:
    """The architecture has no name to compare, so its numbers are compared."""
    tile, found = blocks.compute(*blocks.pairs[0])[0], out[blocks.pairs[0]]
    difference = float(np.abs(tile - found).max())
    if not difference <= 1e3 * np.finfo(tile.dtype).eps * np.abs(tile).max():
        raise ValueError(
            f"{path} belongs to another architecture: its first block differs by {difference:.3g}"
        )


def _save(record: Path, content: dict) -> None:
    """All of it or nothing, also if the machine stops meanwhile."""
    new = record.with_name(record.name + ".new")
    with new.open("w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(record)
