"""Derivatives of a function along its own gradient: O_1 = f, O_(s+1) = grad O_s . grad f.

Under gradient flow of a loss l(f) at one input every O_s changes by dO_s/dt = -l'(f) O_(s+1):
O_2 is the tangent kernel, O_3 its first derivative, and so on (Huang & Yau 2019; Dyer & Gur-Ari
2019). Along ds = -l'(f) dt the output is the Taylor series f + O_2 s + O_3 s^2 / 2 + ...
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Params = Any


def tower(function: Callable[[Params], jax.Array], orders: int) -> Callable[[Params], jax.Array]:
    """params -> (O_1, .., O_orders), shape (orders,), of a scalar `function` of the parameters.

    Nested forward derivatives along the gradient: the cost grows like 2^orders, so up to about six.
    Derivatives are those of JAX: at a kink they are one-sided, and gates are held.
    """
    if orders < 1:
        raise ValueError(f"orders: found {orders}, wanted at least 1")

    gradient = jax.grad(function)
    levels = [function]
    for _ in range(orders - 1):
        levels.append(_along(levels[-1], gradient))
    return lambda params: jnp.stack([level(params) for level in levels])


def _along(function: Callable, field: Callable) -> Callable:
    """params -> the derivative of `function` along the vector field `field`."""
    return lambda params: jax.jvp(function, (params,), (field(params),))[1]
