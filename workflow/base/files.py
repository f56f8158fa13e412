"""Files that are complete or absent, and what a user is told who names a wrong thing."""

import difflib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class UserError(Exception):
    """Something the user can mend; its message is one line that names the file and the key."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and move it into place when the block succeeds.

    A killed job therefore leaves nothing under a final name, and a late orphan of a killed run
    can only put the same bytes there again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # less the umask
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def write_seal(seal: Path, files: Iterable[Path]) -> None:
    """Checksums of files of one folder, in a file of the same folder."""
    write_json(seal, {file.name: sha256(file) for file in files})


def broken(seal: Path) -> list[Path]:
    """Files that are there but are not what was sealed; without a readable seal, the seal."""
    try:
        sealed = json.loads(seal.read_text(encoding="utf-8"))
        files = {seal.with_name(name): checksum for name, checksum in sealed.items()}
    except FileNotFoundError:
        return []
    except (ValueError, AttributeError):
        return [seal]
    return [file for file, checksum in files.items() if file.exists() and sha256(file) != checksum]


def meant(found: object, allowed: Iterable[object]) -> str:
    """`; did you mean ...? (allowed: ...)`"""
    names = [str(name) for name in allowed]
    near = difflib.get_close_matches(str(found), names, n=1)
    guess = f"; did you mean {near[0]!r}?" if near else ""
    return f"{guess} (allowed: {', '.join(names)})"
