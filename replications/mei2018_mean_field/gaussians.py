"""Two centred isotropic Gaussians: in high dimension only the lengths of the weights move.

y = +-1 with probability 1/2 each, x ~ N(0, (1 + y Delta)^2 I_d), f(x) = (1/N) sum_i sigma(w_i.x)
with fixed outputs, loss (y - f)^2 (Mei, Montanari & Nguyen, arXiv:1804.06561). With q(s) = E
sigma(s G) the limit d -> infinity has, for the law rho of r = |w|,

    dr/dt = sum_{y = +-1} (y - int q((1 + y Delta) s) rho(ds)) (1 + y Delta) q'((1 + y Delta) r)

sigma is -2.5 below 1/2, 7.5 above 3/2, and linear between.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf

DELTA = 0.8
LOW, HIGH, FROM, TO = -2.5, 7.5, 0.5, 1.5
SLOPE = (HIGH - LOW) / (TO - FROM)
LENGTH = 0.4  # of the weights at the start


def sigma(z):
    return jnp.clip(LOW + SLOPE * (z - FROM), LOW, HIGH)


def mean_of_sigma(s):
    """q(s) = E sigma(s G) = LOW + SLOPE (E (s G - FROM)_+ - E (s G - TO)_+)."""

    def beyond(place):  # E (s G - place)_+
        ratio = place / s
        density = jnp.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi)
        return s * density - place * (1 - erf(ratio / np.sqrt(2))) / 2

    return LOW + SLOPE * (beyond(FROM) - beyond(TO))


@jax.jit
def reduced(radius, steps: int, step: float):
    """Radii (N,) after `steps` of the reduced dynamics: descent of the limit d = infinity."""
    slope = jax.vmap(jax.grad(mean_of_sigma))

    def update(_, r):
        pull = jnp.zeros_like(r)
        for y in (1.0, -1.0):
            scale = 1 + y * DELTA
            pull += (y - jnp.mean(mean_of_sigma(scale * r))) * scale * slope(scale * r)
        return r + step * pull

    return jax.lax.fori_loop(0, steps, update, radius)


@functools.partial(jax.jit, static_argnames=("batch", "steps"))
def stochastic(weights, key, batch: int, steps: int, step: float):
    """Weights (N, d) after `steps` of stochastic descent with fresh samples, `batch` a step."""

    def update(weights, key):
        signs, normals = jax.random.split(key)
        y = jnp.where(jax.random.bernoulli(signs, shape=(batch,)), 1.0, -1.0)
        scales = (1 + DELTA * y)[:, None]
        x = scales * jax.random.normal(normals, (batch, weights.shape[1]))
        z = x @ weights.T
        residual = y - sigma(z).mean(axis=1)
        active = ((z > FROM) & (z < TO)) * SLOPE
        return weights + 2 * step * (active * residual[:, None]).T @ x / batch, None

    return jax.lax.scan(update, weights, jax.random.split(key, steps))[0]
