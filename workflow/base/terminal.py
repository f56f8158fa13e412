"""What a stage says, and its exit code.

Nothing that computes a number imports this module, so that a change of wording measures nothing
again.
"""

import errno
import os
import sys
from collections.abc import Callable

from workflow.base.files import UserError

CLOSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
INCOMPLETE = 2  # exit code of a stage that met bad input, or something missing, stale or damaged


def exit_code(main: Callable[[], int | None]) -> int:
    """Run a stage; what the user can mend becomes one line instead of a traceback."""
    try:
        return main() or 0
    except (UserError, OSError) as error:
        print(f"error: {explained(error)}", file=sys.stderr)
    return INCOMPLETE


def explained(error: Exception) -> str:
    """What happened, in one line; raised again if it is not the user's to mend."""
    if isinstance(error, UserError):
        return str(error)
    if not isinstance(error, OSError) or error.errno not in CLOSED:
        raise error
    where = f" ({error.filename})" if error.filename else ""
    return (
        f"{os.strerror(error.errno)}{where}: nothing was lost; "
        "make room or permit writing, then run the same command again"
    )


def announce(line: str) -> None:
    """To the job's log and, inside the workflow, to the terminal behind the descriptor it names."""
    print(line, file=sys.stderr, flush=True)
    terminal = os.environ.get("TERMINAL_FD")
    if terminal:
        os.write(int(terminal), f"{line}\n".encode())
