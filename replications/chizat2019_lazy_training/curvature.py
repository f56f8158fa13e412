"""The criterion kappa = |h - y*| |D^2 h| / |Dh|^2 of section 1 and the threshold of Theorem 2.4.

|D^2 h| is the largest |D^2 h[u, u]| over unit u, which is also the Lipschitz constant of Dh at w_0.
For a sum over neurons the second derivative is block diagonal, so the largest sits in one neuron;
it is found for each neuron, from several starts, by the ascent

    u <- normalise(sum_i q_i H_i u + |q|^2 u),   q_i = u . H_i u.

The second term is a shift, without which the ascent may circle. For phi = b sigma(a . x)

    q_i = b sigma''(z_i) (x_i . u_a)^2 + 2 sigma'(z_i) u_b (x_i . u_a),   z_i = a . x_i.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from replications.chizat2019_lazy_training.model import ACTIVATIONS, jacobian
from widenets.ntk import random

ITERATIONS, STARTS, BLOCK = 60, 6, 32


def criterion(activation, problem, factor, outputs, generators) -> np.ndarray:
    """kappa of factor * h at a problem's weights; outputs: factor * h there; (S,)."""
    first = factor * np.linalg.norm(
        jacobian(activation, problem.start, problem.x), ord=2, axis=(-2, -1)
    )
    second = factor * second_derivative_norm(activation, problem.start, problem.x, generators)
    return np.linalg.norm(outputs - problem.y, axis=-1) * second / first**2


def linear_criterion(problem, factor, outputs) -> np.ndarray:
    """kappa of a linear network, factor * sum_j b_j a_j . x, in closed form; (S,).

    |D^2 h| = factor |X| whatever the weights (2 u_b X u_a at |u_b| = |u_a| = 1/sqrt 2), and |Dh|^2
    is factor^2 times the largest eigenvalue of X (sum_j b_j^2 + A A^T) X^T.
    """
    a, b = (layer["weight"] for layer in problem.start)
    inner = a @ np.swapaxes(a, -1, -2) + np.sum(b**2, axis=(-2, -1))[:, None, None] * np.eye(
        a.shape[1]
    )
    kernel = problem.x @ inner @ np.swapaxes(problem.x, -1, -2)
    second = np.linalg.norm(problem.x, ord=2, axis=(-2, -1))
    first_squared = factor * np.linalg.eigvalsh(kernel)[:, -1]
    return np.linalg.norm(outputs - problem.y, axis=-1) * second / first_squared


def threshold(problem, factor, eigenvalues, generators) -> np.ndarray:
    """The alpha from which Theorem 2.4 speaks for the square loss, |y*| / C_0; (S,).

    C_0 = sigma_min^3 / (32 |Dh| Lip(Dh)); a further power of the condition number of the loss is
    one here. Lip(Dh) is taken at w_0, so that the theorem's own threshold is larger still.
    eigenvalues: of Dh Dh^T, rising.
    """
    lipschitz = factor * second_derivative_norm("softplus", problem.start, problem.x, generators)
    smallest, largest = np.sqrt(eigenvalues[:, 0]), np.sqrt(eigenvalues[:, -1])
    return np.linalg.norm(problem.y, axis=-1) * 32 * largest * lipschitz / smallest**3


def ascent_starts(seeds) -> list[np.random.Generator]:
    return [random.generator(seed, "chizat2019", "ascent") for seed in seeds]


def second_derivative_norm(activation: str, params, x, generators) -> np.ndarray:
    """max over neurons j and unit u of |D^2 phi_j[u, u]|, the norm being that over inputs x; (S,).

    params have a leading axis of seeds, x is (S, N, d); a generator per seed draws the starts.
    Neurons go by in blocks, so that one program serves every number of them.
    """
    a, b = params[0]["weight"], params[1]["weight"][..., 0]
    shape = (STARTS, a.shape[1] + 1, a.shape[2])
    starts = np.stack([generator.standard_normal(shape) for generator in generators])
    padding = -a.shape[2] % BLOCK  # by copies of the last neuron: the largest stays the largest
    blocks = [
        np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, padding)], mode="edge")
        for array in (a, b, starts)
    ]
    found = [
        _of_block(activation, x, *(array[..., first : first + BLOCK] for array in blocks))
        for first in range(0, a.shape[2], BLOCK)
    ]
    return np.max(found, axis=0)


@functools.partial(jax.jit, static_argnums=0)
def _of_block(activation, x, a, b, starts):
    return jax.vmap(functools.partial(_largest_curvature, activation))(x, a, b, starts)


def _largest_curvature(activation, x, a, b, starts):
    sigma = ACTIVATIONS[activation]
    slope = lambda z: jax.jvp(sigma, (z,), (jnp.ones_like(z),))[1]  # noqa: E731
    z = x @ a  # (N, m), as all that follows
    first, second = slope(z), jax.jvp(slope, (z,), (jnp.ones_like(z),))[1]

    def form(u_a, u_b):
        """p_i = x_i . u_a and q_i for directions u_a (d, m), u_b (m,)."""
        p = x @ u_a
        return p, b * second * p**2 + 2 * first * u_b * p

    def ascend(_, state):
        (u_a, u_b), largest = state
        p, q = form(u_a, u_b)
        size = jnp.sum(q**2, axis=0)
        by_a = x.T @ (q * (b * second * p + first * u_b)) + size * u_a
        by_b = jnp.sum(q * first * p, axis=0) + size * u_b
        return _unit(by_a, by_b), jnp.maximum(largest, size)

    def from_start(start):
        state = (_unit(start[:-1], start[-1]), jnp.zeros_like(b))
        return jnp.sqrt(jax.lax.fori_loop(0, ITERATIONS, ascend, state)[1])

    return jnp.max(jax.lax.map(from_start, starts))


def _unit(u_a, u_b):
    """Every neuron's (u_a, u_b) at length one."""
    length = jnp.sqrt(jnp.sum(u_a**2, axis=0) + u_b**2)
    return u_a / length, u_b / length
