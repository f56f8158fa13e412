"""CPU seconds and peak memory of one call, in this process."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from resource import getpagesize


def cpu_seconds(call: Callable, repeats: int = 3, least: float = 0.4) -> float:
    """Smallest CPU time of `call` over repeats, each of them at least this many seconds long.

    The clock counts threads of the process, but those that still run only at every tick of the
    kernel: short calls are therefore timed many at once. The first, untimed call compiles.
    """
    call()
    start = time.process_time()
    call()
    once = time.process_time() - start
    count = max(1, round(least / max(once, 1e-4)))
    times = [once] if count == 1 else []
    for _ in range(repeats - len(times)):
        start = time.process_time()
        for _ in range(count):
            call()
        times.append((time.process_time() - start) / count)
    return min(times)


def peak_mb(call: Callable) -> float | None:
    """Growth of resident memory during `call`, result included, looked at every 0.5 ms.

    None where the system has no /proc (not Linux).
    """
    statistics = Path("/proc/self/statm")
    if not statistics.exists():
        return None

    def resident() -> int:
        return int(statistics.read_text().split()[1]) * getpagesize()

    seen, done = [resident()], threading.Event()

    def watch() -> None:
        while not done.wait(0.0005):
            seen.append(resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = call()
    seen.append(resident())
    done.set()
    watcher.join()
    del result
    return (max(seen) - seen[0]) / 2**20
