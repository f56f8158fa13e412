"""Named streams: frozen numbers, independence of names, agreement of the vectorised form."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from widenets.ntk import random

STREAMS = [(0, "data"), (1, "data"), (0, "weights"), (0, "data", 1), (0, "data", "1"),
           (0, "data", 1.0), (0, "da", "ta"), (0,), (-1, "data")]  # fmt: skip


def test_the_key_of_a_name_is_frozen():
    # SHA-256 of '[3, "weights", 64]' begins with these eight bytes (sha256sum says so too).
    data = jax.random.key_data(random.key(3, "weights", 64))
    assert data.tolist() == [0xD417E43B, 0x498D65C9]


def test_the_generator_of_a_name_is_frozen():
    drawn = random.generator(3, "weights", 64).integers(0, 2**32, size=3)
    assert drawn.tolist() == [1232279063, 250741407, 1911348061]


def test_streams_do_not_depend_on_the_process():
    code = "from widenets.ntk.random import generator; print(generator(5, 'a').integers(2**60))"
    drawn = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "shared"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert drawn == {f"{random.generator(5, 'a').integers(2**60)}\n"}


def test_different_names_give_different_streams():
    keys = {tuple(jax.random.key_data(random.key(*stream)).tolist()) for stream in STREAMS}
    first = {int(random.generator(*stream).integers(2**62)) for stream in STREAMS}
    assert len(keys) == len(first) == len(STREAMS)


def test_keys_are_the_keys_of_each_seed():
    together = jax.random.key_data(random.keys(range(3), "a", 2))
    apart = [jax.random.key_data(random.key(seed, "a", 2)) for seed in range(3)]
    np.testing.assert_array_equal(together, np.stack(apart))


def test_numpy_numbers_name_the_stream_of_plain_ones():
    a, b = random.generator(np.int64(2), "a", np.float64(0.5)), random.generator(2, "a", 0.5)
    assert a.integers(2**60) == b.integers(2**60)


@pytest.mark.parametrize("arguments", [("0", "a"), (0.5, "a"), (0, None), (0, (1, 2))])
def test_other_names_are_refused(arguments):
    with pytest.raises(ValueError, match="a stream needs an int seed"):
        random.generator(*arguments)


def test_neighbouring_seeds_are_uncorrelated():
    draws = np.stack([random.generator(seed, "x").standard_normal(4000) for seed in range(6)])
    correlations = np.corrcoef(draws)[np.triu_indices(6, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)
