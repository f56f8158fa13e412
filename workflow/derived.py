"""Which results were derived again, so that the gate behind a report need not do it once more.

A key is of all files of a folder, by the checksums in its provenance, and of all sources, byte by
byte: other files, or other code, are derived anew. The memory lies beside the code, so that nothing
in a folder of results vouches for it.
"""

import json
from contextlib import suppress
from pathlib import Path

from workflow.assemble import provenance_digest
from workflow.base.files import sha256, sha256_of, write_json
from workflow.base.tree import ROOT

MEMORY = Path(__file__).with_name("__pycache__") / "derived.json"
REMEMBERED = 100  # folders of results
SOURCES = ("workflow", "shared", "replications")


def is_remembered(made: dict) -> bool:
    """Whether results of this provenance were derived by these sources, and nothing was wrong."""
    return _key(made) in _remembered()


def remember(made: dict) -> None:
    """For who found nothing wrong, without trusting a digest that is kept of a source."""
    key = _key(made)
    kept = [*(other for other in _remembered() if other != key), key][-REMEMBERED:]
    with suppress(OSError):  # a tree that cannot be written to has no memory
        write_json(MEMORY, kept)


def _key(made: dict) -> str:
    places = sorted(path for name in SOURCES for path in (ROOT / name).rglob("*"))
    files = [path for path in places if path.suffix in (".py", ".yaml") and path.is_file()]
    read = [f"{path.relative_to(ROOT).as_posix()} {sha256(path)}" for path in files]
    return sha256_of("\n".join([provenance_digest(made), *read]))


def _remembered() -> list[str]:
    """Keys of what was derived before; none where that cannot be read: then all is derived."""
    with suppress(OSError, ValueError, TypeError):
        return list(json.loads(MEMORY.read_text(encoding="utf-8")))
    return []
