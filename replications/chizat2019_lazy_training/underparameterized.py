"""Theorem 2.5: gradient flow with fewer parameters than data, of a tanh network.

In the lazy limit z tends to the least-squares solution J^+ y, J = Dh(w_0), at the rate of the
smallest eigenvalue sigma_min^2 of J^T J. alpha is counted in units of |J^+ y|: the weights then
move by 1 / relative_alpha. The flow is integrated to 40 / sigma_min^2, which stands for infinity.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from replications.chizat2019_lazy_training.flow import gradient_flow
from replications.chizat2019_lazy_training.lazy_limit import drawn, first_outputs
from replications.chizat2019_lazy_training.model import Frozen, jacobian, scaled_model

TIMES = np.array([6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 40.0])  # times sigma_min^2


def late_flows(centre, relative_alpha, dimension, neurons, points, seeds) -> list[dict]:
    """The columns of the part `underparameterized`, one row per seed."""
    problem = drawn(("underparameterized",), dimension, neurons, points, seeds)
    factor = neurons**-0.5
    derivatives = factor * jacobian("tanh", problem.start, problem.x)
    copies = first_outputs("tanh", problem)[..., None] * (centre == "frozen_copy")
    rows = []
    for index, derivative in enumerate(derivatives):
        left, singular, right = np.linalg.svd(derivative, full_matrices=False)
        solution = right.T @ (left.T @ problem.y[index] / singular)
        alpha = relative_alpha * np.linalg.norm(solution)
        start = jax.tree.map(lambda leaf, i=index: jnp.asarray(leaf[i]), problem.start)
        arrays = map(jnp.asarray, (alpha, factor, copies[index]))
        frozen = Frozen(jnp.asarray(problem.x[index]), start, *arrays)
        flow = gradient_flow(
            _loss,
            jnp.zeros(derivative.shape[1]),
            (frozen, jnp.asarray(problem.y[index])),
            jnp.asarray(TIMES / singular[-1] ** 2),
        )
        late, final = np.asarray(flow.z)[:-1], np.asarray(flow.z)[-1]
        log_distance = np.log(np.linalg.norm(late - final, axis=1))
        rows.append(
            {
                "rate_ratio": float(-np.polyfit(TIMES[:-1], log_distance, 1)[0]),
                "distance": float(np.linalg.norm(final) / alpha),
                "minimum_gap": float(np.linalg.norm(final - solution) / np.linalg.norm(solution)),
                "condition": float(singular[0] / singular[-1]),
                "integration_steps": int(flow.attempts),
            }
        )
    return rows


def _loss(z, problem):
    """|alpha (h(w_0 + z / alpha) - c h(w_0)) - y|^2 / 2 of flat z."""
    frozen, y = problem
    _, unravel = ravel_pytree(frozen.start)
    outputs = scaled_model("tanh")(unravel(z), frozen)
    return 0.5 * jnp.sum((outputs[:, 0] - y) ** 2)
