"""CPU seconds and peak memory of one call, in this process."""

import resource
import time
from collections.abc import Callable
from pathlib import Path


def cpu_seconds(call: Callable, repeats: int = 3, least: float = 0.4) -> float:
    """Smallest CPU time of `call` over repeats, each of them at least this many seconds long.

    The clock counts threads of the process, but those that still run only at every tick of the
    kernel: short calls are therefore timed many at once. The first, untimed call compiles.
    """
    start = time.process_time()
    call()
    call()
    count = max(1, round(least / max((time.process_time() - start) / 2, 1e-4)))
    times = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(count):
            call()
        times.append((time.process_time() - start) / count)
    return min(times)


def peak_mb(call: Callable) -> float | None:
    """Growth of resident memory during `call`, its result included; None where not on Linux."""
    reset = Path("/proc/self/clear_refs")
    if not reset.exists():
        return None
    reset.write_text("5")  # sets the high-water mark to the memory held now
    before = _high_water()
    result = call()
    after = _high_water()
    del result
    return after - before


def _high_water() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
