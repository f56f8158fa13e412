"""The settings under which numbers are made."""

import ctypes
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from workflow.environment import use_one_thread
if {keep}:
    use_one_thread()
for _ in range(10):
    bytearray(64 * 2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(keep: bool) -> int:
    """Pages that the kernel had to hand out for ten arrays of 64 MB, one after the other."""
    command = [sys.executable, "-c", PROGRAM.format(keep=keep)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="glibc alone has mallopt")
def test_a_large_array_takes_over_the_memory_of_the_last_one():
    assert faults(keep=True) < 0.3 * faults(keep=False)
