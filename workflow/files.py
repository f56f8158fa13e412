"""Files that are complete or absent, and errors that a user can act on."""

import errno
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

INCOMPLETE = 2  # exit code of a stage that met bad input, or something missing, stale or damaged


class UserError(Exception):
    """Something the user can mend; its message is one line that names the file and the key."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and move it into place when the block succeeds.

    A killed job therefore leaves nothing under a final name, and a late orphan of a killed run
    can only put the same bytes there again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
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


def exit_code(main: Callable[[], int | None]) -> int:
    """Run a stage; user errors and a full disk become one line instead of a traceback."""
    try:
        return main() or 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"error: {os.strerror(error.errno)}{where}: nothing was lost; "
            "make room or permit writing, then run the same command again",
            file=sys.stderr,
        )
    return INCOMPLETE


def announce(line: str) -> None:
    """To the job's log and, inside the workflow, to the terminal behind the descriptor it names."""
    print(line, file=sys.stderr, flush=True)
    terminal = os.environ.get("TERMINAL_FD")
    if terminal:
        os.write(int(terminal), f"{line}\n".encode())
