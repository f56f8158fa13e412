"""What the machine has and what a process took of it, in the same units on Linux and macOS."""

import ctypes
import os
import platform
import resource
import sys
from contextlib import suppress
from pathlib import Path

import psutil

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container; "max" where there is none


def peak_memory_mb(system: str = sys.platform) -> float:
    """The most memory that this process held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if system == "darwin" else 2**10), 1)  # bytes there, KiB elsewhere


def give_back_memory() -> None:
    """Freed memory goes back to the system: glibc keeps it for the process, up to a third of a
    job's peak. Other C libraries have no such call and do not keep as much."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def memory_mb(limit: Path = CGROUP_LIMIT) -> int:
    """Memory that the jobs of a run may use together, in MB: the machine's, or the container's."""
    total = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # no container, or one without a limit
        total = min(total, int(limit.read_text(encoding="ascii")))
    return total // 10**6


def host() -> str:
    """Name of this machine; CI publishes its results, and its machines' names are nobody's."""
    return "CI" if os.environ.get("CI") else platform.node()
