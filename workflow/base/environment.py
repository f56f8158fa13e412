"""The settings under which numbers are made: one thread, double precision available.

One thread per job makes every sum run in one order, so that results are byte-identical whatever
`--cores` is and however many cores the machine has: XLA splits loops by the size of its pool.
`JAX_ENABLE_X64` only makes float64 available: every array states its own dtype.

Numbers are made on the processor although a GPU is there, unless a run says `device=cuda`. A GPU's
memory is then taken as it is needed: by default jax takes three quarters of it at the start, so
that nothing else could be on it. TF32 is off: with it a GPU rounds the factors of a float32 product
to 10 bits, 5e-4 of a number, where a float32 has 23.
"""

import ctypes
import os

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "NPROC": "1",  # threads in XLA's pools, by default one for each core
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",  # no TF32 on GPUs: 1e-3 in K is 3e-2 in an angle
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
# What jax and torch see, by the word that a run says.
DEVICES = {
    "cpu": {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""},
    "cuda": {
        "JAX_PLATFORMS": "cuda,cpu",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "NVIDIA_TF32_OVERRIDE": "0",
    },
}
CPU = "cpu"

# Numbers and names of glibc's mallopt(3). By default an array above 32 MB is mapped anew at every
# allocation, and the kernel clears its pages each time: up to a third of a job's time.
KEPT_BY_MALLOC = {-4: 0, -1: 2**31 - 1}  # M_MMAP_MAX, M_TRIM_THRESHOLD in bytes


def use_one_thread(device: str = CPU) -> None:
    """Set the process up; must run before numpy, jax or torch are imported for the first time."""
    os.environ.update({**ONE_THREAD, **DEVICES[device]})
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc alone has it
    for option, value in KEPT_BY_MALLOC.items() if mallopt else ():
        mallopt(option, value)
    import jax

    # A thread of its own for every program costs two changes of context, and there is nothing to
    # do meanwhile.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
