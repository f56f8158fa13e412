"""`Architecture`: one description of a network, its finite and its infinitely wide form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.architecture import tiles
from widenets.ntk.architecture.law import Law, gaussian, of_inputs
from widenets.ntk.architecture.state import (
    Array,
    Kernels,
    Pairs,
    State,
    remember,
    shifted,
    widened,
)
from widenets.ntk.engine.chord import chords, safe_ratio, safe_sqrt

Params = Any


class Scales(NamedTuple):
    """What an affine layer makes of its parameters, see `dense`."""

    weight_variance: Any
    bias_variance: Any  # of a bias that starts at 0: the square of its factor, 1
    standard: bool
    trained: Any
    zero_bias: bool = False


@dataclass(frozen=True)
class Architecture:
    """A layer or a network.

    init(key, input_shape, dtype=float32) -> params     input_shape without the batch axis
    apply(params, x, key=None) -> outputs               x (N, *input_shape); key draws dropout masks
    propagate(state) -> state                           the same map at infinite width
    law(law) -> law                                     whether that map is exact, see `law`
    name: how messages call it
    stride: total down-sampling of positions, (1, 1) unless there are strided layers
    steps: the layers as data for `widenets.ntk.engine.fused`, None where one has no such form
    form: what it is to `widenets.ntk.empirical.dense_kernels`: the Scales of a dense layer, the
        function of an elementwise one, the layers of a chain; None: neither
    ValueError at construction: its limit would be wrong even on Gaussian units.
    """

    init: Callable[..., Params]
    apply: Callable[..., Array]
    propagate: Callable[[State], State]
    law: Callable[[Law], Law]
    name: str
    stride: tuple[int, int] = (1, 1)
    steps: tuple | None = None
    form: Scales | Callable | tuple[Architecture, ...] | None = None

    def __post_init__(self):
        self.law(gaussian())

    def check_on_inputs(self, masks: bool = False) -> None:
        """ValueError: an activation reads what is not Gaussian, the inputs themselves included.

        A chain that starts with an activation is a branch for `residual`, and a finite network
        (init, apply) as any other: the refusal comes when its own kernel is asked for.
        """
        self.law(of_inputs(masks))

    def kernel(self, x1, x2=None, *others, masks: bool = False) -> Kernels:
        """Infinite-width kernels of one output: nngp = E[f(x) f(x')], ntk = E[<df/dw, df/dw'>].

        x1 (N1, d), (N1, positions, channels) or (N1, height, width, channels); x2 likewise, None
        stands for x1. numpy or jax arrays of one floating dtype, which is the dtype of the result;
        lists and integers are read as float64. Traceable by jit and differentiable; derivatives at
        coinciding inputs, where the kernels of piecewise linear networks have a kink, are those of
        the smooth part.
        Outside of compilations what `tiles.engine` covers is computed by its loops, block by block.
        masks: with independent dropout masks for every input (training), else without (default).
        Kernels of float32 images are computed in float64 and rounded, where jax has float64: after
        pooling an angle is known to the square root of the precision only.
        ValueError: other ranks, different features or dtypes, empty batches, non-finite values; an
        activation whose input is not Gaussian; kernels that are not finite, with the reason.
        """
        if others:
            raise TypeError(
                f"kernel takes x1 and x2, found a third argument {others[0]!r}: it returns both "
                "kernels, .nngp and .ntk"
            )
        if not isinstance(masks, bool):
            raise TypeError(f"masks must be True or False, found {masks!r}")
        x1 = checked_inputs(x1, "x1")
        x2 = None if x2 is None else checked_pair(x1, checked_inputs(x2, "x2"))
        self.check_on_inputs(masks)
        kernels = self._kernels(x1, x2, masks)
        for name, kernel in kernels._asdict().items():
            self.check_finite(kernel, name, x1, x2)
        return kernels

    def _kernels(self, x1, x2, masks: bool) -> Kernels:
        """`kernel` of checked inputs."""
        traced = isinstance(x1, jax.core.Tracer) or isinstance(x2, jax.core.Tracer)
        loops = not (traced or masks) and jax.default_backend() == "cpu"
        engine = tiles.engine(self.steps, x1.ndim) if loops else None
        if engine is None:
            x2 = None if x2 is None else jnp.asarray(x2)
            return self._compiled(jnp.asarray(x1), x2, masks)
        x1, x2 = np.asarray(x1), None if x2 is None else np.asarray(x2)
        whole = tiles.assembled(engine(self.steps, x1, x2), x1, x2)
        return Kernels(*(jnp.asarray(kernel) for kernel in whole))

    def check_finite(self, kernel, name: str, x1, x2=None) -> None:
        """ValueError: the kernel between these inputs is not finite, with the reason.

        Inside a compilation nan and infinity are what is left of it. Here the first pair is
        computed again, step by step: the layer that gives up says why.
        """
        if isinstance(kernel, jax.core.Tracer) or np.isfinite(kernel).all():
            return
        i, j = np.argwhere(~np.isfinite(kernel))[0]
        with jax.disable_jit():
            for x in (x1[i : i + 1], (x1 if x2 is None else x2)[j : j + 1]):
                self.limit(jnp.asarray(x), None)
        raise ValueError(f"{name} of inputs {i} and {j} is {kernel[i, j]}: the variances overflow")

    @cached_property
    def _compiled(self):
        return jax.jit(self.limit, static_argnums=2)

    @cached_property
    def one_kernel(self) -> dict[str, Callable]:
        """{"nngp": ..., "ntk": ...}: (x1, x2) -> that kernel alone, compiled and unchecked."""
        return {
            name: jax.jit(lambda x1, x2, name=name: getattr(self.limit(x1, x2), name))
            for name in Kernels._fields
        }

    def both_kernels(self, x1, x2) -> Kernels:
        """The same, both of them."""
        return self._compiled(x1, x2, False)

    def limit(self, x1: Array, x2: Array | None, masks: bool = False) -> Kernels:
        """`kernel` of jax arrays, uncompiled and unchecked but for the layers: for use inside other
        compilations. Where `kernel` would refuse because of a number there is nan."""
        self.check_on_inputs(masks)
        dtype = x1.dtype
        if x1.ndim > 2:
            x1, x2 = widened(x1), None if x2 is None else widened(x2)
        state = inputs(x1, x2, self.stride)
        selves = tuple(one._replace(masks=masks) for one in state.selves)
        state = self.propagate(state._replace(masks=masks, selves=selves))
        if state.extent:
            raise ValueError(
                f"{state.shape} are left at the output: end with flatten() or "
                "global_average_pool(), then dense(...)"
            )
        pairs = state.pairs(())
        return Kernels(pairs.nngp.astype(dtype), pairs.ntk.astype(dtype))


def inputs(x1: Array, x2: Array | None, stride: tuple[int, int]) -> State:
    """Covariance <x, x'> / channels of the inputs themselves; no parameters yet, so Theta = 0."""
    if x1.ndim == 2:
        return vector_state(x1, x2)
    if x1.ndim == 3:
        rows = (x if x is None else x[:, None] for x in (x1, x2))
        state = inputs(*rows, (1, stride[1]))
        selves = tuple(one._replace(sequence=True) for one in state.selves)
        return state._replace(sequence=True, selves=selves)
    same = jnp.eye(len(x1), dtype=bool) if x2 is None else None
    height, width = x1.shape[1:3]
    torus = [(-size % step) for size, step in zip((height, width), stride, strict=True)]
    one, two = (
        jnp.pad(jnp.transpose(x, (1, 2, 0, 3)), [(0, torus[0]), (0, torus[1]), (0, 0), (0, 0)])
        for x in (x1, x1 if x2 is None else x2)
    )  # (rows, columns, N, channels)
    one, two = one[:, :, :, None], two[:, :, None, :]
    state = image_state(one, two, same, (height, width))
    if x2 is None:
        return state
    selves = (image_state(x, x, jnp.asarray(True), (height, width)) for x in (one, two))
    return state._replace(selves=tuple(selves))


def image_state(x1: Array, x2: Array, same: Array | None, extent: tuple[int, int]) -> State:
    """State of images x1, x2 (rows, columns, *batch, channels) whose batch axes broadcast."""
    channels = x1.shape[-1]
    norms1, norms2 = (safe_sqrt(jnp.sum(x**2, axis=-1)) for x in (x1, x2))
    units1, units2 = (safe_ratio(x, norms[..., None]) for x, norms in ((x1, norms1), (x2, norms2)))

    def pairs(displacement):
        product = norms1 * shifted(norms2, displacement) / channels
        others = shifted(units2, displacement)
        minus, plus = (
            sum((units1[..., c] + sign * others[..., c]) ** 2 for c in range(channels)) / 2
            for sign in (-1, 1)
        )
        return Pairs(product * minus, product * plus, jnp.zeros_like(product))

    return State(
        variance1=norms1**2 / channels,
        variance2=norms2**2 / channels,
        pairs=remember(pairs),
        same=same,
        fan_in=channels,
        extent=extent,
    )


def vector_state(x1: Array, x2: Array | None) -> State:
    """Covariance <x, x'> / d of the inputs themselves; no parameters yet, so Theta = 0."""
    same = jnp.eye(len(x1), dtype=bool) if x2 is None else None
    features = x1.shape[1]
    (units1, norms1), (units2, norms2) = (directions(x) for x in (x1, x1 if x2 is None else x2))
    minus, plus = chords(units1, units2, same)
    product = norms1 * norms2.T / features
    pairs = Pairs(product * minus, product * plus, jnp.zeros_like(product))
    return State(
        variance1=norms1**2 / features,
        variance2=norms2.T**2 / features,
        pairs=lambda _: pairs,
        same=same,
        fan_in=features,
    )


def directions(x: Array) -> tuple[Array, Array]:
    """Unit rows and their lengths (N, 1); a row of zeros stays one."""
    norms = safe_sqrt(jnp.sum(x**2, axis=1, keepdims=True))
    return safe_ratio(x, norms), norms


def checked_pair(x1: Array, x2: Array) -> Array:
    """x2, if it has the features and the dtype of x1."""
    if x1.shape[1:] != x2.shape[1:]:
        raise ValueError(
            f"x1 and x2 must have the same features, found {x1.shape[1:]} and {x2.shape[1:]}"
        )
    if x1.dtype != x2.dtype:
        raise ValueError(f"x1 and x2 must share a dtype, found {x1.dtype} and {x2.dtype}")
    return x2


def checked_inputs(x, name: str):
    """x as a numpy or jax array of its own floating dtype."""
    if not isinstance(x, jax.Array):
        x = np.asarray(x)
        x = x.astype(np.float64) if x.dtype.kind in "iub" else x
    if x.dtype not in (np.float32, np.float64):
        raise ValueError(f"{name} must hold float32 or float64 numbers, found {x.dtype}")
    if x.dtype == np.float64 and not jax.config.jax_enable_x64:
        raise ValueError(f"{name} is float64, which needs JAX_ENABLE_X64=1 (or pass float32)")
    if x.ndim not in (2, 3, 4):
        raise ValueError(
            f"{name} must be (inputs, features), (inputs, positions, channels) or (inputs, height, "
            f"width, channels), found shape {x.shape}"
        )
    if 0 in x.shape:
        raise ValueError(f"{name} must hold at least one input and one feature, found {x.shape}")
    if not isinstance(x, jax.core.Tracer) and not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite, found nan or inf")
    return x
