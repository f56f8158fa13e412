"""A kernel in a file: stopped, killed and resumed; never mixed with another computation."""

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from widenets.ntk.architecture import erf, fully_connected
from widenets.ntk.kernels import kernel_to_file

ROOT = Path(__file__).resolve().parents[2]
NETWORK = fully_connected(depth=1, width=1, activation=erf())
X = np.random.default_rng(0).normal(size=(23, 4))
KERNEL = np.asarray(NETWORK.one_kernel["ntk"](X, None))
OPTIONS = {"block": 7, "save_every": 0.0}  # 6 + 6 + 6 + 5 rows: 10 blocks

KILLED = """
import os, signal, numpy as np
from widenets.ntk.architecture import erf, fully_connected
from widenets.ntk.kernels import kernel_to_file

def progress(done, total):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)

network = fully_connected(depth=1, width=1, activation=erf())
x = np.random.default_rng(0).normal(size=(23, 4))
kernel_to_file(network, x, path="kernel.npy", block=7, save_every=0.0, progress=progress)
"""


def counting(calls):
    """NETWORK, each of whose blocks is noted."""

    def compute(left, right):
        calls.append(1)
        return NETWORK.one_kernel["ntk"](left, right)

    kernels = {"ntk": compute, "nngp": NETWORK.one_kernel["nngp"]}
    return with_kernels(kernels)


def with_kernels(kernels):
    """NETWORK with these instead of its own."""
    checks = {name: getattr(NETWORK, name) for name in ("check_on_inputs", "check_finite")}
    return SimpleNamespace(one_kernel=kernels, steps=None, **checks)


def stop_after(count):
    def progress(done, total):
        if done == count:
            raise KeyboardInterrupt

    return progress


def test_a_killed_call_is_resumed(tmp_path):
    """Killed after 4 of 10 blocks: 6 are left, and one more is computed for comparison."""
    path = tmp_path / "kernel.npy"
    done = subprocess.run(
        [sys.executable, "-c", KILLED.replace("kernel.npy", str(path))],
        cwd=ROOT / "shared",
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()  # under its name a file is always whole
    calls = []
    found = kernel_to_file(counting(calls), X, path=path, **OPTIONS)
    assert len(calls) == 6 + 1
    np.testing.assert_allclose(found, KERNEL, rtol=1e-13)
    assert np.array_equal(found, found.T)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kernel.npy", "kernel.npy.json"]
    kernel_to_file(counting(calls), X, path=path, **OPTIONS)
    assert len(calls) == 7 + 1  # a finished one is only compared


@pytest.mark.parametrize("stops", [(1, 2, 9), (10,)])
def test_stopped_at_any_block(tmp_path, stops):
    """Also after the last block, before the file gets its name; rectangular here."""
    path, calls = tmp_path / "kernel.npy", []
    for stop in stops:
        with pytest.raises(KeyboardInterrupt):
            kernel_to_file(
                counting(calls),
                X,
                X[:11],
                path=path,
                progress=stop_after(stop),
                block=5,
                save_every=0.0,
            )
    found = kernel_to_file(counting(calls), X, X[:11], path=path, block=5, save_every=0.0)
    assert len(calls) == 15 + len(stops)
    np.testing.assert_allclose(found, KERNEL[:, :11], rtol=1e-13)


def test_work_that_was_not_saved_is_repeated(tmp_path):
    path, calls = tmp_path / "kernel.npy", []
    with pytest.raises(KeyboardInterrupt):
        kernel_to_file(counting(calls), X, path=path, block=7, progress=stop_after(4))
    found = kernel_to_file(counting(calls), X, path=path, block=7, save_every=1e9)
    assert len(calls) == 4 + 10
    np.testing.assert_allclose(found, KERNEL, rtol=1e-13)


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize(
    "change, message",
    [
        ({"x1": X + 1e-12}, "another computation: x1 is"),
        ({"x1": X[:20]}, r"another computation: shape is \[23, 23\], asked \[20, 20\]"),
        ({"x2": X}, "another computation: x2 is None"),
        ({"x1": X.astype(np.float32)}, "dtype is float64, asked float32"),
        ({"which": "nngp"}, "which is ntk, asked nngp"),
        ({"block": 8}, "rows per block is 6, asked 8"),
        ({"architecture": "weights"}, "another architecture: its first block differs by"),
    ],
)
def test_another_computation_is_refused(tmp_path, finished, change, message):
    asked = {"architecture": counting([]), "x1": X, "path": tmp_path / "kernel.npy"} | OPTIONS
    if finished:
        kernel_to_file(**asked)
    else:
        with pytest.raises(KeyboardInterrupt):
            kernel_to_file(**asked, progress=stop_after(3))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    if "architecture" in change:
        kernels = {"ntk": lambda *x: (1 + 1e-9) * np.asarray(NETWORK.one_kernel["ntk"](*x))}
        change = {"architecture": with_kernels(kernels)}
    with pytest.raises(ValueError, match=message) as error:
        kernel_to_file(**(asked | change))
    assert "\n" not in str(error.value)
    assert before == {p.name: p.read_bytes() for p in tmp_path.iterdir()}


def test_a_file_of_unknown_origin_is_kept(tmp_path):
    path = tmp_path / "kernel.npy"
    np.save(path, KERNEL)
    with pytest.raises(ValueError, match=r"without kernel\.npy\.json"):
        kernel_to_file(NETWORK, X, path=path)
    np.testing.assert_array_equal(np.load(path), KERNEL)
