"""That one run at a time is at work in a folder, also where the file system knows no locks."""

import atexit
import errno
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from workflow.base.files import UserError
from workflow.base.terminal import announce

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
LOCK, OWNER = ".run.lock", ".run.owner"  # below the folder that is held


def hold(folder: Path, said: Path | None = None) -> None:
    """Make this process the only run in `folder`, until it ends in whatever way.

    said: the folder as the user knows it, if it is another.

    The lock belongs to the process, so that a killed run leaves none behind. A folder that two
    checkouts share by a link is held for both: the lock lies in it.
    """
    if sys.platform == "win32":
        raise UserError("Windows is not supported: run this under Linux, macOS or WSL")
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    handle = _opened(folder / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(said or folder, os.read(handle, 200).decode(errors="replace").strip()) from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        os.close(handle)
        announce(f"warning: {folder}: this file system has no locks; {OWNER} stands for one")
        _own(folder)
    else:
        os.ftruncate(handle, 0)
        os.write(handle, _me().encode())


def _own(folder: Path) -> None:
    """Hold `folder` by a file that only one process can create, and that is removed at the end.

    What a killed run on this host left is put aside; of a run on another host only the user knows.
    """
    path = folder / OWNER
    try:
        found = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        found = None
    if found is not None:
        if not _ended(found):
            raise _busy(folder, found.strip(), f"; if it has ended, remove {path}")
        aside = path.with_name(f"{OWNER}.{os.getpid()}")
        os.replace(path, aside)
        taken = aside.read_text(encoding="utf-8", errors="replace")
        if taken != found:  # a third run was quicker, and this is its file
            with suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()
    try:
        handle = _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        raise _busy(folder, path.read_text(encoding="utf-8").strip()) from None
    os.write(handle, _me().encode())
    os.close(handle)
    atexit.register(path.unlink, missing_ok=True)


def _opened(path: Path, flags: int) -> int:
    """Descriptor of a file that is no link: what a link names is never written to."""
    try:
        return os.open(path, flags | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise UserError(f"{path}: is a link, wanted a file; remove it") from None


def _me() -> str:
    return f"process {os.getpid()} on {platform.node()}\n"


def _ended(owner: str) -> bool:
    """Whether the process that wrote `owner` is known to have ended: on this host, and gone."""
    words = owner.split()
    if len(words) != 4 or not words[1].isdecimal():
        return False
    return words[3] == platform.node() and not psutil.pid_exists(int(words[1]))


def _busy(folder: Path, owner: str, way_out: str = "") -> UserError:
    process = owner.removesuffix(f" on {platform.node()}")
    return UserError(f"another run ({process}) is at work in {folder}{way_out}")
