"""The first-order Taylor expansion of a network in its parameters, trained in either space.

f_lin(x; params) = f(x; params_0) + J(x; params_0) (params - params_0)      (Lee et al. 2019, eq. 5)
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.dynamics.flow import coupled_matrix, eigensystem
from widenets.ntk.dynamics.training import Loss, Trajectory, descend

Params = Any


def linearize(apply: Callable, params_0: Params) -> Callable:
    """f_lin(params, x): one forward-mode product, exact at params_0; no Jacobian is built."""
    linear = linearized(apply)
    return lambda params, x: linear((params_0, params), x)


@functools.cache
def linearized(apply: Callable) -> Callable:
    """f_lin((params_0, params), x): `linearize` for many seeds, each trained from its own params_0.

    The gradient with respect to params_0 is zero, so that `gradient_descent` on the pair trains
    params alone: gradient_descent(linearized(apply), (params, params), x, y, ...).
    """

    @functools.wraps(apply)
    def apply_linear(pair, x):
        params_0, params = pair
        params_0 = jax.lax.stop_gradient(params_0)
        shift = jax.tree.map(jnp.subtract, params, params_0)
        value, change = jax.jvp(lambda p: apply(p, x), (params_0,), (shift,))
        return value + change

    return apply_linear


def linearized_outputs(
    kernel,
    initial,
    targets,
    *,
    loss: Loss,
    learning_rate,
    record: Sequence[int],
    momentum: float = 0.0,
) -> Trajectory:
    """Gradient descent on f_lin in the space of outputs, for any loss and momentum.

        f <- f - learning_rate * u,   u <- momentum * u + T(., X) dL/df(X)

    which is exactly what training the parameters of f_lin does to its outputs, at O(M N) per step.
    kernel: (M, N) or (M, N, O, O) with M >= N: the first N rows are the training points, the others
    test points; initial: (M, O) outputs at step 0; targets: as the loss wants them for N points.
    The kernel between the training points must have no negative eigenvalue beyond rounding: checked
    unless it is traced. `params` of the result are the last outputs (M, O) and `observed` all
    recorded ones, (R, M, O).  Traceable: vmap over seeds by jax.vmap.
    """
    steps = np.asarray(record)
    if kernel.ndim not in (2, 4) or kernel.shape[0] < kernel.shape[1]:
        raise ValueError(f"kernel has shape {kernel.shape}, wanted (M, N) or (M, N, O, O), M >= N")
    if initial.ndim != 2 or initial.shape[0] != kernel.shape[0]:
        raise ValueError(f"initial has shape {initial.shape}, wanted ({kernel.shape[0]}, outputs)")
    samples = kernel.shape[1]
    if not isinstance(kernel, jax.core.Tracer):
        square = kernel[:samples]
        eigensystem(square if kernel.ndim == 2 else coupled_matrix(square))
    subscripts = "mn,no->mo" if kernel.ndim == 2 else "mnop,np->mo"

    def objective(outputs):
        return loss(outputs[:samples], targets)

    def direction(outputs):
        slope = jax.grad(lambda train: loss(train, targets))(outputs[:samples])
        return jnp.einsum(subscripts, kernel, slope, precision="highest")

    dtype = initial.dtype
    final, values, observed = descend(
        objective,
        direction,
        initial,
        jnp.asarray(learning_rate, dtype),
        None if momentum == 0.0 else jnp.asarray(momentum, dtype),
        jnp.asarray(steps, jnp.int32),
        lambda outputs, _: outputs,
    )
    return Trajectory(final, steps, values, observed)
