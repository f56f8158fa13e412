"""The compiled loops: what they cover against jax, in blocks, in threads, both kernels at once."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.architecture import (
    average_pool,
    conv,
    dense,
    flatten,
    fully_connected,
    global_average_pool,
    relu,
    serial,
    tiles,
)
from widenets.ntk.kernels import kernel_in_blocks, kernel_to_file

IMAGES = np.random.default_rng(8).normal(size=(4, 5, 4, 2))
VECTORS = np.random.default_rng(9).normal(size=(40, 30))


def block():
    return [conv(1, 3, weight_variance=1.7, bias_variance=0.1), relu()]


NETWORKS = {
    "flatten": serial(*block(), *block(), flatten(), dense(1), relu(), dense(1)),
    "flatten after a pool": serial(*block(), average_pool(2), *block(), flatten(), dense(1)),
    "two pools": serial(
        *block(), average_pool((2, 1)), *block(), average_pool((1, 2)), *block(),
        global_average_pool(), dense(1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_loops_give_what_jax_gives(name):
    """1e-12 relative, alone and between two sets of images; 1e-4 neighbours among them."""
    network, x = NETWORKS[name], IMAGES.copy()
    x[1] = x[0] + 1e-4 * x[1]
    assert tiles.engine(network.steps, 4) is tiles.images
    wanted = jax.jit(lambda x: network.limit(x, None))(jnp.asarray(x))
    for x1, x2, part in ((x, None, np.s_[:, :]), (x[:2], x[1:], np.s_[:2, 1:])):
        for found, want in zip(network.kernel(x1, x2), wanted, strict=True):
            np.testing.assert_allclose(found, np.asarray(want)[part], rtol=1e-12)


@pytest.mark.parametrize("name", ["flatten", "two pools"])
def test_single_precision(name):
    """2e-6 of the largest entry."""
    network = NETWORKS[name]
    found, wanted = network.kernel(IMAGES.astype(np.float32)).ntk, network.kernel(IMAGES).ntk
    assert found.dtype == np.float32
    assert np.abs(found - wanted).max() < 2e-6 * np.abs(wanted).max()


def test_both_kernels_in_one_pass_are_those_of_two():
    network = fully_connected(depth=2, width=1, weight_variance=2.0, bias_variance=0.1)
    both = kernel_in_blocks(network, VECTORS, which="both", block=16)
    for name, found in both._asdict().items():
        np.testing.assert_array_equal(
            found, kernel_in_blocks(network, VECTORS, which=name, block=16)
        )
        np.testing.assert_allclose(found, getattr(network.kernel(VECTORS), name), rtol=1e-13)


def test_threads_change_no_bit(tmp_path):
    """In memory and in a file, and blocks are still finished in their order."""
    network = fully_connected(depth=2, width=1, weight_variance=2.0, bias_variance=0.1)
    seen: list[int] = []
    one = kernel_in_blocks(network, VECTORS, block=7)
    two = kernel_in_blocks(
        network, VECTORS, block=7, threads=3, progress=lambda done, _: seen.append(done)
    )
    np.testing.assert_array_equal(one, two)
    assert seen == list(range(1, 22))
    file = kernel_to_file(network, VECTORS, path=tmp_path / "k.npy", block=7, threads=2)
    np.testing.assert_array_equal(one, file)


def test_wrong_arguments_are_named(tmp_path):
    network = fully_connected(depth=1, width=1)
    with pytest.raises(ValueError, match="threads must be a positive integer"):
        kernel_in_blocks(network, VECTORS, threads=0)
    with pytest.raises(ValueError, match="one file each"):
        kernel_to_file(network, VECTORS, which="both", path=tmp_path / "k.npy")


OF_ONE_PROCESS = """
import hashlib
import numpy as np
from widenets.ntk.architecture import fully_connected
x, network = np.random.default_rng(9).normal(size=(300, 20)), fully_connected(depth=3, width=1)
for dtype in (np.float32, np.float64):
    for kernel in network.kernel(x.astype(dtype)):
        print(hashlib.sha256(np.asarray(kernel).tobytes()).hexdigest())
"""


def test_the_process_that_compiles_the_loops_gives_the_bits_of_later_ones(tmp_path):
    """Where numba inlines nothing itself, three of these four kernels differ by rounding."""
    own = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "JAX_ENABLE_X64": "1"}
    own["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", OF_ONE_PROCESS]
    first, later = (subprocess.check_output(command, env=own, text=True) for _ in range(2))
    assert first.count("\n") == 4
    assert any(tmp_path.rglob("*.nbc"))
    assert first == later
