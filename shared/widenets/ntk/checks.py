"""Checks of arguments: one line that names the argument and says what it takes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from numbers import Integral, Real

import jax
import numpy as np

# Words of neural-tangents, and what they are here.
PEER_WORDS = {
    "W_std": "weight_variance = W_std**2",
    "b_std": "bias_variance = b_std**2",
    "out_dim": "width",
    "out_chan": "channels",
    "filter_shape": "kernel_size",
    "strides": "stride",
    "window_shape": "window",
    "do_backprop": "nothing in its place",
}

# Names under which libraries keep variables that no gradient step changes.
NO_PARAMETERS = frozenset(
    {
        "batch_stats",
        "intermediates",
        "moving_mean",
        "moving_variance",
        "num_batches_tracked",
        "running_mean",
        "running_var",
    }
)


def checked_number(value, name: str, *, least: float | None = None, traced: bool = True):
    """value as a float, or as it is if traced; least: the smallest that is allowed.

    traced=False: where the value decides what is built, and a traced one is refused.
    """
    if traced and isinstance(value, jax.core.Tracer):
        return value
    if not _is_number(value):
        raise ValueError(f"{name} must be a number, found {value!r}")
    value = float(value)
    if not np.isfinite(value) or (least is not None and value < least):
        wanted = "finite" if least is None else f"finite and at least {least:g}"
        wanted = "finite and not negative" if least == 0 else wanted
        raise ValueError(f"{name} must be {wanted}, found {value}")
    return value


def checked_count(value, name: str, *, least: int = 1) -> int:
    """An integer of at least 1 (or `least`); a float such as 8.0 is one."""
    whole = _is_number(value) and float(value) == np.floor(float(value)) and value >= least
    if not whole:
        kinds = {0: "a non-negative integer", 1: "a positive integer"}
        wanted = kinds.get(least, f"an integer of at least {least}")
        raise ValueError(f"{name} must be {wanted}, found {value!r}")
    return int(value)


def checked_pair_of_counts(value, name: str) -> tuple[int, int]:
    """(rows, columns) from one positive integer or from two."""
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name} must be a positive integer or two, (rows, columns): {value!r}")
    return checked_count(pair[0], name), checked_count(pair[1], name)


def checked_switch(value, name: str):
    """True or False, a number between 0 and 1, or traced."""
    if isinstance(value, jax.core.Tracer | bool | np.bool_):
        return value
    if not _is_number(value) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name} must be True or False, found {value!r}")
    return value


def checked_shape(input_shape) -> tuple[int, ...]:
    """The shape of one input, without the axis of inputs."""
    if not isinstance(input_shape, tuple | list) or not input_shape:
        example = f"({input_shape},)" if isinstance(input_shape, Integral) else "(784,)"
        raise ValueError(
            f"input_shape must be the shape of one input such as {example}, found {input_shape!r}"
        )
    return tuple(checked_count(size, "input_shape") for size in input_shape)


def checked_key(key):
    """A random key of jax."""
    if not (hasattr(key, "dtype") and jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key)):
        old = hasattr(key, "dtype") and key.dtype == np.uint32 and np.shape(key) == (2,)
        if not old:
            raise ValueError(f"key must be a random key such as jax.random.key(0), found {key!r}")
    return key


def checked_keywords(function: Callable) -> Callable:
    """function, whose complaint about a keyword it does not know says what there is instead."""
    known = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def checked(*arguments, **keywords):
        for name in keywords:
            if name not in known:
                instead = (
                    f"pass {PEER_WORDS[name]}"
                    if name in PEER_WORDS
                    else "it takes " + (", ".join(known))
                )
                raise TypeError(f"{function.__name__} has no argument {name}: {instead}")
        return function(*arguments, **keywords)

    return checked


def checked_parameters(params, name: str = "params") -> list:
    """The leaves of a pytree of floating arrays, all of them parameters.

    ValueError: no leaf at all; a leaf that is no floating array (a function, a counter); variables
    that no gradient step changes, such as running statistics, known by their names.
    """
    if isinstance(params, Mapping) and "params" in params and len(params) > 1:
        others = ", ".join(str(key) for key in params if key != "params")
        raise ValueError(
            f"{name} holds {others} beside params: pass {name}['params'] alone, and let apply "
            "close over the others"
        )
    leaves = jax.tree_util.tree_leaves_with_path(params)
    if not leaves:
        raise ValueError(f"{name} has no arrays")
    for path, leaf in leaves:
        _check_leaf(path, leaf, name)
    return [leaf for _, leaf in leaves]


def _check_leaf(path, leaf, name: str) -> None:
    place = name + jax.tree_util.keystr(path)
    if not (hasattr(leaf, "dtype") and hasattr(leaf, "shape")):
        found = getattr(leaf, "__name__", None) or repr(leaf)
        raise ValueError(
            f"{place} must be an array, found {found}: pass the arrays alone (of a whole model its "
            "trainable part) and let apply close over the rest"
        )
    words = {str(getattr(key, "key", getattr(key, "name", ""))) for key in path}
    for word in sorted(words & NO_PARAMETERS):
        raise ValueError(
            f"{place} is no parameter ({word}): pass what is trained alone and let apply close "
            "over the rest"
        )
    if not jax.dtypes.issubdtype(leaf.dtype, np.inexact):
        raise ValueError(f"{place} must hold floating numbers, found {leaf.dtype}: no parameter")


def _is_number(value) -> bool:
    if isinstance(value, bool | np.bool_ | str | bytes | jax.core.Tracer):
        return False
    if isinstance(value, Real):
        return True
    return np.ndim(value) == 0 and np.dtype(getattr(value, "dtype", object)).kind in "iuf"
