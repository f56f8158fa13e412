"""Finite networks, one per draw of the weights, whose means stand beside the limits in tests."""

import jax
import jax.numpy as jnp
import numpy as np


def sample(network, x, seeds):
    """Products f(x_0) f(x) and tangent kernels Theta(x_0, x), one row per draw of the weights."""
    x = jnp.asarray(x)

    def one(key):
        params = network.init(key, x.shape[1:], x.dtype)

        def output(p):
            return network.apply(p, x)[:, 0]

        rows = [j.reshape(len(x), -1) for j in jax.tree.leaves(jax.jacrev(output)(params))]
        f = output(params)
        return f[0] * f, sum(jnp.matmul(r, r[0], precision="highest") for r in rows)

    keys = jax.random.split(jax.random.key(11), seeds)
    return [np.asarray(a, float) for a in jax.jit(lambda keys: jax.lax.map(one, keys))(keys)]


def standard_error(samples):
    return samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
