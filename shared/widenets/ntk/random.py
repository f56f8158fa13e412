"""Named random streams: the same (seed, names) gives the same numbers on every machine.

A stream is named by what it is for, `key(seed, "weights", width)` or `generator(seed, "data")`.
Two arms that name the same stream share its draw on purpose; anything else is independent.
The names are hashed by SHA-256 (Python's own `hash` differs from process to process), the key is
JAX's threefry2x32 and the generator NumPy's PCG64, both stated so that no default can change them.
"""

import hashlib
import json
from collections.abc import Iterable

import jax
import numpy as np

Name = str | int | float | bool


def key(seed: int, *names: Name) -> jax.Array:
    """A JAX key (scalar, threefry2x32) for the stream `names` of `seed`."""
    return jax.random.wrap_key_data(_words(seed, names)[:2], impl="threefry2x32")


def keys(seeds: Iterable[int], *names: Name) -> jax.Array:
    """One key per seed, shape (seeds,): the axis over which experiments are vectorised."""
    words = np.stack([_words(seed, names)[:2] for seed in seeds])
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def generator(seed: int, *names: Name) -> np.random.Generator:
    """A NumPy generator (PCG64) for the stream `names` of `seed`."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(_words(seed, names))))


def _words(seed: int, names: tuple[Name, ...]) -> np.ndarray:
    """The SHA-256 of (seed, names) as eight 32-bit words, big-endian, shape (8,), uint32."""
    # JSON keeps ("ab", "c") apart from ("a", "bc"), and 1 apart from "1" and 1.0.
    text = json.dumps([_plain(seed, int), *(_plain(name, str | int | float) for name in names)])
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return np.frombuffer(digest, dtype=">u4").astype(np.uint32)


def _plain(value, wanted):
    """`value` as a plain Python number or string, so that np.int64(3) names the stream of 3."""
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, wanted):
        raise ValueError(f"a stream needs an int seed and str, int or float names, found {value!r}")
    return value
