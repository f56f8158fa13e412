"""|D^2 h(w_0)| for the criterion kappa = |h - y*| |D^2 h| / |Dh|^2 (Chizat et al. 2019, sec. 1).

|D^2 h| is the largest |D^2 h[u, u]| over unit u. For a sum over neurons the second derivative is
block diagonal, so the largest sits in one neuron; it is found for each neuron by the ascent
u <- normalise(sum_i q_i H_i u), q_i = u . H_i u, from several starts. For phi = b sigma(a . x)

    q_i = b sigma''(z_i) (x_i . u_a)^2 + 2 sigma'(z_i) u_b (x_i . u_a),   z_i = a . x_i.
"""

import jax
import jax.numpy as jnp

ITERATIONS, STARTS = 60, 6


def second_derivative_norm(sigma, params, x, key):
    """max over neurons j and unit u of |D^2 phi_j[u, u]|, the norm being that over inputs x."""
    a, b = params[0]["weight"], params[1]["weight"][:, 0]
    slope = lambda z: jax.jvp(sigma, (z,), (jnp.ones_like(z),))[1]  # noqa: E731
    z = x @ a  # (N, m), as all that follows
    first, second = slope(z), jax.jvp(slope, (z,), (jnp.ones_like(z),))[1]

    def form(u_a, u_b):
        """p_i = x_i . u_a and q_i for directions u_a (d, m), u_b (m,)."""
        p = x @ u_a
        return p, b * second * p**2 + 2 * first * u_b * p

    def ascend(_, u):
        u_a, u_b = u
        p, q = form(u_a, u_b)
        return _unit(x.T @ (q * (b * second * p + first * u_b)), jnp.sum(q * first * p, axis=0))

    def from_start(start):
        u = jax.lax.fori_loop(0, ITERATIONS, ascend, _unit(start[:-1], start[-1]))
        return jnp.max(jnp.linalg.norm(form(*u)[1], axis=0))

    starts = jax.random.normal(key, (STARTS, a.shape[0] + 1, a.shape[1]), a.dtype)
    return jnp.max(jax.lax.map(from_start, starts))


def _unit(u_a, u_b):
    """Every neuron's (u_a, u_b) at length one."""
    length = jnp.sqrt(jnp.sum(u_a**2, axis=0) + u_b**2)
    return u_a / length, u_b / length
