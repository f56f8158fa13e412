"""CPU seconds of calls in this process, asked for one by one, and the peak memory of one call."""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from resource import getpagesize


def cpu_seconds(call: Callable, count: int) -> float:
    """CPU time of `call`, a mean over `count` in a row."""
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / count


def fastest(*calls: Callable) -> Callable:
    """The one that takes the least CPU time here: which library multiplies faster depends on the
    processor."""
    times = []
    for call in calls:
        call()
        times.append(min(cpu_seconds(call, 1) for _ in range(5)))
    return calls[times.index(min(times))]


def serve(calls: dict[str, Callable], least: float = 0.25) -> None:
    """Answers each line of stdin, the name of a call, by one line: its CPU seconds.

    The clock counts threads of the process, but those that still run only at every tick of the
    kernel: short calls are therefore timed so many at once that they last `least` seconds. The
    first answer, "ready", comes when all are compiled.
    """
    counts = {}
    for name, call in calls.items():
        call()
        counts[name] = max(1, round(least / max(cpu_seconds(call, 1), 1e-4)))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name = line.strip()
        print(json.dumps(cpu_seconds(calls[name], counts[name])), flush=True)


def answer_first(calls: dict[str, Callable]) -> None:
    """One line: the CPU seconds of the first call of each in this process, compilation included.

    Not what is compiled once on a machine and kept: our loops.
    """
    print(json.dumps({name: cpu_seconds(call, 1) for name, call in calls.items()}), flush=True)


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
