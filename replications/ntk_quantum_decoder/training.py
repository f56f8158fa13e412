"""Networks trained on all syndromes of a small code, and the flow of their limit's kernel.

The output is (f(theta_1) - f(theta_2)) / sqrt 2 with theta_1 = theta_2 at the start: it starts at 0
and has the tangent kernel of f.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from replications.ntk_quantum_decoder.codes import signs
from replications.ntk_quantum_decoder.decoders import by_distance, distances
from widenets.ntk.architecture import fully_connected, relu
from widenets.ntk.dynamics import gradient_descent, kernel_flow, squared_error
from widenets.ntk.random import keys


@functools.cache
def _functions(width: int):
    one = fully_connected(
        depth=1, width=width, activation=relu(), weight_variance=2.0, bias_variance=0.1
    )

    def apply(params, x):
        """x: (P, n + 1), the last column the root of each row's weight."""
        first, second = (one.apply(part, x[:, :-1]) for part in params)
        return x[:, -1:] * (first - second) / jnp.sqrt(2.0)

    return one, apply, lambda params, initial, x: apply(params, x)


def outputs(
    width: int, seeds: tuple[int, ...], names: tuple, weights: np.ndarray, target: np.ndarray,
    record: np.ndarray, rate: float,
) -> np.ndarray:  # fmt: skip
    """sqrt(weight) f of all syndromes at the recorded steps, (seeds, steps, 2^n).

    Loss sum_s weight_s (f - target)^2 / 2, weights (2^n,) with any sum, target (2^n,).
    """
    checks = int(np.log2(len(weights)))
    one, apply, watch = _functions(width)
    drawn = jax.vmap(lambda key: one.init(key, (checks,)))(keys(seeds, *names, width))
    roots = np.sqrt(weights)
    x = jnp.asarray(np.column_stack([signs(checks), roots]), jnp.float32)
    found = gradient_descent(
        apply,
        (drawn, drawn),
        x,
        jnp.asarray(roots * target, jnp.float32)[:, None],
        loss=squared_error("sum"),
        learning_rate=rate,
        record=record,
        observe=watch,
        context=x,
        seeds=True,
    )
    return np.asarray(found.observed, np.float64)[..., 0]


def limit_kernel(weights: np.ndarray, which: str = "ntk") -> np.ndarray:
    """diag(sqrt w) K diag(sqrt w) on all syndromes."""
    checks = int(np.log2(len(weights)))
    every = np.arange(len(weights))
    values = by_distance(checks)[("ntk", "nngp").index(which)]
    roots = np.sqrt(weights)
    return roots[:, None] * values[distances(checks, every, every)] * roots


def limit_outputs(kernel: np.ndarray, weights, target, record, rate: float) -> np.ndarray:
    """The same of the limit, (steps, 2^n)."""
    found = kernel_flow(
        kernel,
        np.sqrt(weights) * target,
        record,
        normalization="sum",
        learning_rate=rate,
        method="descent",
    )
    return found.train[..., 0]
