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


THREADS = """
import time
from workflow.environment import use_one_thread
if {alone}:
    use_one_thread()
import jax
loop = jax.jit(lambda a: jax.lax.fori_loop(0, 20, lambda i, b: jax.numpy.tanh(b @ b + 1), a))
a = jax.numpy.ones((300, 300), jax.numpy.float32)
loop(a).block_until_ready()
all_threads, this_thread = time.process_time(), time.thread_time()
for _ in range(20):
    loop(a).block_until_ready()
all_threads, this_thread = time.process_time() - all_threads, time.thread_time() - this_thread
print(1 - this_thread / all_threads)
"""


def share_of_other_threads(alone: bool) -> float:
    """Of the CPU time of a compiled program that is called again and again."""
    command = [sys.executable, "-c", THREADS.format(alone=alone)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_xla_computes_in_the_thread_that_calls_it():
    assert share_of_other_threads(alone=True) < 0.02
    assert share_of_other_threads(alone=False) > 0.5
