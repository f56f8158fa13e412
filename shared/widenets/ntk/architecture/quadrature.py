"""Duals of smooth activations without a closed form, by Hermite sums.

With a_k(q) = E[phi(sqrt(q) z) He_k(z)] / sqrt(k!), z ~ N(0, 1), and rho = K / sqrt(q q'):

    E[phi(u) phi(v)] = sum_k a_k(q) a_k(q') rho^k        (Mehler)

The a_k are trapezoid sums, which converge exponentially for analytic integrands; Gauss-Hermite
rules do not resolve the poles of phi near the real axis (tanh: at i pi/2). The a_k of a function
with poles at distance a from the real axis decay as exp(-a sqrt(2 k / q)).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from widenets.ntk.architecture.activations import activation, from_dual
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.engine.chord import safe_ratio, safe_sqrt

REACH, STEP, TERMS = 12.0, 0.05, 1000  # 1e-10 for tanh up to q = 9, and for the others beyond


@cache
def hermite_weights(terms: int = TERMS) -> tuple[np.ndarray, np.ndarray]:
    """Nodes z (n,) and weights (n, terms): a_k(q) = sum_z phi(sqrt(q) z) weights[z, k]."""
    count = round(2 * REACH / STEP) + 1
    z = np.linspace(-REACH, REACH, count)
    half = np.exp(-(z**2) / 4)  # He_k alone would overflow, He_k exp(-z^2/4) is bounded
    functions = [half, z * half]
    for k in range(1, terms - 1):
        functions.append((z * functions[k] - np.sqrt(k) * functions[k - 1]) / np.sqrt(k + 1))
    weights = np.stack(functions[:terms], axis=1) * half[:, None] * (STEP / np.sqrt(2 * np.pi))
    return z, weights


def _expectations(phi: Callable, q, terms: int):
    """a_k(q) for k < terms, with the axis k in front."""
    z, weights = hermite_weights(terms)
    values = phi(safe_sqrt(q)[..., None] * jnp.asarray(z, q.dtype))
    product = jnp.matmul(values, jnp.asarray(weights, q.dtype), precision=lax.Precision.HIGHEST)
    return jnp.moveaxis(product, -1, 0)


def _mehler(rho, one, two):
    """sum_k one_k two_k rho^k by Horner's rule, highest k first."""

    def step(total, coefficients):
        return total * rho + coefficients[0] * coefficients[1], None

    return lax.scan(step, jnp.zeros_like(rho), (one[::-1], two[::-1]))[0]


def smooth(phi: Callable, terms: int = TERMS) -> Architecture:
    """Any analytic activation: phi a jax function of arrays, elementwise.

    Accuracy 1e-10 (absolute, phi of order 1) once exp(-2 a sqrt(2 terms / q)) is below it, a
    being the distance of the poles of phi from the real axis; never for functions with kinks.
    """
    if int(terms) != terms or terms < 2:
        raise ValueError(f"terms must be an integer of at least 2, found {terms}")

    def slope(u):
        return jax.jvp(phi, (u,), (jnp.ones_like(u),))[1]

    def dual(pairs, q1, q2):
        rho = safe_ratio(pairs.surplus - pairs.deficit, pairs.surplus + pairs.deficit)
        return tuple(
            _mehler(rho, _expectations(f, q1, terms), _expectations(f, q2, terms))
            for f in (phi, slope)
        )

    def variance(q):
        return _expectations(lambda u: phi(u) ** 2, q, 2)[0]

    def mean(q):
        return _expectations(phi, q, 2)[0]

    return activation(phi, from_dual(dual, variance), variance, mean)


def tanh() -> Architecture:
    """tanh(u)."""
    return smooth(jnp.tanh)


def gelu() -> Architecture:
    """u Phi(u), Phi the normal distribution function (the exact GELU, not its tanh fit)."""
    return smooth(lambda u: jax.nn.gelu(u, approximate=False))


def silu() -> Architecture:
    """u / (1 + exp(-u))."""
    return smooth(jax.nn.silu)


def softplus() -> Architecture:
    """log(1 + exp(u))."""
    return smooth(jax.nn.softplus)
