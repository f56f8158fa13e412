"""Kernels of a network that has no closed form: means over draws of its parameters."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.checks import checked_count, checked_key
from widenets.ntk.empirical.jax import check_inputs, empirical_ntk


class MonteCarloKernels(NamedTuple):
    """Means over draws and their standard errors, all (N1, N2) in float64."""

    nngp: np.ndarray
    ntk: np.ndarray
    nngp_error: np.ndarray
    ntk_error: np.ndarray


def monte_carlo_kernel(
    init: Callable,
    apply: Callable,
    key,
    x1,
    x2=None,
    *,
    samples: int,
    memory_mb: float = 1000.0,
) -> MonteCarloKernels:
    """E over parameters of both kernels of any network, from `samples` independent draws.

        nngp[i, j] = E[1/O sum_o f_o(x_i) f_o(x'_j)]
        ntk[i, j]  = E[1/O sum_o <df_o(x_i)/dtheta, df_o(x'_j)/dtheta>]
        error      = standard deviation over draws / sqrt(samples)

    init(key) -> params, traceable: `lambda key: network.init(key, (784,))`; apply, x1, x2 and
    memory_mb as in `empirical_ntk`. These are the means at the network's own widths: what is left
    to the infinitely wide limit is of order 1 / width, and no number of samples takes it away.
    Compiled once; one draw at a time is held. ValueError: fewer than 2 samples, inputs as in
    `empirical_ntk`, a draw whose kernels are not finite.
    """
    samples = checked_count(samples, "samples", least=2)
    keys = jax.random.split(checked_key(key), samples)
    check_inputs(jax.eval_shape(init, keys[0]), x1, x2)

    @jax.jit
    def draw(key, x1, x2):
        params = init(key)
        one = _rows(apply(params, x1))
        two = one if x2 is None else _rows(apply(params, x2))
        nngp = jnp.matmul(one, two.T, precision="highest") / one.shape[1]
        return jnp.stack([nngp, empirical_ntk(apply, params, x1, x2, memory_mb=memory_mb)])

    mean, squares = 0.0, 0.0
    for count, one_key in enumerate(keys, start=1):
        found = np.asarray(draw(one_key, x1, x2), np.float64)
        if not np.isfinite(found).all():
            raise ValueError(f"draw {count - 1} of {samples} gives kernels that are not finite")
        change = found - mean  # Welford: no sums of squares that cancel
        mean = mean + change / count
        squares = squares + change * (found - mean)
    errors = np.sqrt(squares / (samples - 1) / samples)
    return MonteCarloKernels(*mean, *errors)


def _rows(outputs):
    return outputs.reshape(len(outputs), math.prod(outputs.shape[1:]))
