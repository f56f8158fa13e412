"""Product of two coordinates among thirty, in jax."""

import jax
import jax.numpy as jnp
import numpy as np


def model(width=256):
    def init(key):
        one, other = jax.random.split(key)
        hidden = jax.random.normal(one, (30, width)) * 30**-0.5
        return {"w": hidden, "b": jnp.zeros(width), "v": jax.random.normal(other, (width, 1)) / 16}

    def apply(params, x):
        return jax.nn.relu(x @ params["w"] + params["b"]) @ params["v"]

    return init, apply


def data(seed):
    x = np.sign(np.random.default_rng(seed).standard_normal((1000, 30))).astype(np.float32)
    y = x[:, :1] * x[:, 1:2]
    return (x[:400], y[:400]), (x[400:], y[400:])


def loss(outputs, targets):
    return jnp.mean((outputs - targets) ** 2)


def optimizer(model, rate=0.02, momentum=0.9):  # or one of optax
    def init(params):
        return jax.tree.map(jnp.zeros_like, params)

    def update(gradients, state, params):
        state = jax.tree.map(lambda u, g: momentum * u + g, state, gradients)
        return jax.tree.map(lambda u: -rate * u, state), state

    return init, update


steps, batch = 600, 64
