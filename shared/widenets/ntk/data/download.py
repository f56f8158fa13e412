"""Files whose content is known beforehand: verified where they lie, or fetched and verified.

Nothing unverified is ever read. A download goes to `<name>.part` beside its place, is resumed from
there after an interruption, and is moved into place only when its checksum agrees.
"""

import fcntl
import hashlib
import os
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 18
TIMEOUT = 30  # seconds without a byte


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


def file_checksum(path: Path, algorithm: str) -> str:
    """Hexadecimal checksum of a file: sha256, md5, or git (SHA-1 of "blob <size>\\0" + content)."""
    digest = hashlib.new("sha1" if algorithm == "git" else algorithm)
    if algorithm == "git":
        digest.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as stream:
        while block := stream.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def verify(path: Path, known: KnownFile) -> Path:
    """`path` if its content is the known one, else a `DataError` that names the fault."""
    if not path.is_file():
        raise DataError(f"{path}: missing; {_remedy(known)}")
    found = path.stat().st_size
    if known.size is not None and found != known.size:
        fault = "truncated" if found < known.size else "too long"
        raise DataError(f"{path}: {fault}, {found} bytes of {known.size}; {_remedy(known)}")
    algorithm, wanted = known.checksum.split(":")
    if file_checksum(path, algorithm) != wanted:
        raise DataError(f"{path}: corrupt ({algorithm} is not {wanted}); {_remedy(known)}")
    checksums_read[known.path] = known.checksum
    return path


def fetch(known: KnownFile, folder: Path) -> Path:
    """The verified file below `folder`, downloaded from the first address that gives it.

    Safe to interrupt at any time and to call from several processes at once.
    """
    path = folder / known.path
    with _alone(path):
        if path.exists():
            return verify(path, known)
        part = path.with_name(path.name + ".part")
        failures = []
        for url in known.urls:
            try:
                _download(url, part, known)
            except OSError as error:  # includes URLError, HTTPError, timeouts and resets
                failures.append(f"{url}: {getattr(error, 'reason', error)}")
                continue
            os.replace(part, path)
            return path
    raise DataError(
        f"{path}: could not be downloaded ({'; '.join(failures) or 'no address is known'}); "
        "try again when online, or name a folder that holds it as data_dir"
    )


def _download(url: str, part: Path, known: KnownFile) -> None:
    """Complete `part` from `url`; a `part` that turns out to be wrong is fetched once more."""
    resumed = part.exists() and part.stat().st_size > 0
    _append(url, part)
    try:
        verify(part, known)
    except DataError as error:
        part.unlink()
        if not resumed:
            raise OSError(f"sent a wrong file ({error})") from error
        _download(url, part, known)


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
        with part.open(mode) as stream:
            while block := response.read(CHUNK):
                stream.write(block)
                received += len(block)
    # http.client ends a broken transfer like a complete one; only the count tells them apart.
    if announced is not None and received != int(announced):
        raise OSError(f"interrupted after {received} of {announced} bytes")


@contextmanager
def _alone(path: Path):
    """Hold a lock beside `path`, so that two jobs do not write one `.part`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remedy(known: KnownFile) -> str:
    """What a reader can do about a bad copy of `known`."""
    if not known.urls:
        return "replace it by a good copy"
    return f"replace it by the file at {known.urls[0]}"
