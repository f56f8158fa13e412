"""Files whose content is known beforehand: verified where they lie, or fetched and verified.

Nothing unverified is ever used: a file is read once, and what was read is what is verified. A
download goes to `<name>.part` beside its place, is resumed from there after an interruption, and is
moved into place only when its checksum agrees.
"""

import errno
import hashlib
import os
import urllib.error
import urllib.request
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

CHUNK = 1 << 18
TIMEOUT = 30  # seconds without a byte
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)

checksums_read: dict[str, str] = {}  # path below the data folder: checksum, for the record of a run


class DataError(RuntimeError):
    """A data file is missing, truncated, corrupt or out of reach; one line says what to do."""


@dataclass(frozen=True)
class KnownFile:
    """A file of a data set: its path below the folder of data sets, checksum and addresses.

    `checksum` is "sha256:...", "md5:..." or "git:..." (the blob id); `size` in bytes, or None
    where only the checksum is known.
    """

    path: str
    checksum: str
    size: int | None = None
    urls: tuple[str, ...] = ()


def checksum(content: bytes, algorithm: str) -> str:
    """Hexadecimal checksum: sha256, md5, or git (SHA-1 of "blob <size>\\0" + content)."""
    if algorithm == "git":
        algorithm, content = "sha1", b"blob %d\0" % len(content) + content
    return hashlib.new(algorithm, content).hexdigest()


def read(path: Path, known: KnownFile) -> bytes:
    """The content of `path` if it is the known one, else a `DataError` that names the fault."""
    if not path.is_file():
        raise DataError(f"{path}: missing; {_remedy(known)}")
    content = path.read_bytes()
    found = len(content)
    if known.size is not None and found != known.size:
        fault = "truncated" if found < known.size else "too long"
        raise DataError(f"{path}: {fault}, {found} bytes of {known.size}; {_remedy(known)}")
    algorithm, wanted = known.checksum.split(":")
    if checksum(content, algorithm) != wanted:
        raise DataError(f"{path}: corrupt ({algorithm} is not {wanted}); {_remedy(known)}")
    checksums_read[known.path] = known.checksum
    return content


def fetch(known: KnownFile, folder: Path) -> bytes:
    """The verified content below `folder`, downloaded first from the first address that gives it.

    Safe to interrupt at any time and to call from several processes at once.
    """
    path = folder / known.path
    with _part_alone(path) as part:
        if path.exists():
            return read(path, known)
        failures = []
        for url in known.urls:
            try:
                content = _download(url, part, known)
            except OSError as error:  # includes URLError, HTTPError, timeouts and resets
                failures.append(f"{url}: {getattr(error, 'reason', error)}")
                continue
            os.replace(part, path)
            return content
    raise DataError(
        f"{path}: could not be downloaded ({'; '.join(failures) or 'no address is known'}); "
        "try again when online, or name a folder that holds it as data_dir"
    )


def _download(url: str, part: Path, known: KnownFile) -> bytes:
    """Complete `part` from `url`; a `part` that turns out to be wrong is fetched once more."""
    resumed = part.exists() and part.stat().st_size > 0
    _append(url, part)
    try:
        return read(part, known)
    except DataError as error:
        part.unlink()
        if not resumed:
            raise OSError(f"sent a wrong file ({error})") from error
        return _download(url, part, known)


def _append(url: str, part: Path) -> None:
    """Append to `part` what `url` has beyond it; start anew where the server cannot resume."""
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing beyond `part`: it is complete, or wrong and found to be
            return
        raise
    with response:
        mode = "ab" if response.status == 206 else "wb"
        announced = response.headers.get("Content-Length")
        received = 0
        with open(part, mode, opener=_no_link) as stream:
            while block := response.read(CHUNK):
                stream.write(block)
                received += len(block)
    # http.client ends a broken transfer like a complete one; only the count tells them apart.
    if announced is not None and received != int(announced):
        raise OSError(f"interrupted after {received} of {announced} bytes")


@contextmanager
def _part_alone(path: Path) -> Iterator[Path]:
    """The `.part` of `path`, which no other process writes meanwhile.

    Where the file system knows no locks it is one of this process alone, that ends with it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(path.name + ".lock"), "a", opener=_no_link) as lock:
        if _locked(lock.fileno()):
            yield path.with_name(path.name + ".part")
            return
    warnings.warn(
        f"{path.parent}: this file system has no locks; an interrupted download starts anew",
        stacklevel=3,
    )
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _locked(handle: int) -> bool:
    """Wait for the lock on an open file; False where there are no locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True


def _no_link(name: str, flags: int) -> int:
    """As `os.open`, but an error for a link: what it points to would be written to."""
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _remedy(known: KnownFile) -> str:
    """What a reader can do about a bad copy of `known`."""
    if not known.urls:
        return "replace it by a good copy"
    return f"replace it by the file at {known.urls[0]}"
