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
from widenets.ntk.checks import checked_count
from widenets.ntk.engine.chord import safe_ratio, safe_sqrt

REACH, STEP, TERMS = 12.0, 0.05, 1000  # 1e-10 for tanh up to q = 9, and for the others beyond
MISSING = 1e-6  # of E[phi^2], the share that the sum may miss


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


def _second_moment(phi: Callable, q, parts: int):
    """E[phi(u)^2], u ~ N(0, q), by the trapezoid rule of step STEP / parts."""
    z = np.linspace(-REACH, REACH, round(2 * REACH / STEP) * parts + 1)
    weights = np.exp(-(z**2) / 2) * (STEP / parts / np.sqrt(2 * np.pi))
    squares = phi(safe_sqrt(q)[..., None] * jnp.asarray(z, q.dtype)) ** 2
    return jnp.matmul(squares, jnp.asarray(weights, q.dtype), precision=lax.Precision.HIGHEST)


def missing_share(phi: Callable, q, terms: int = TERMS):
    """What the sum misses of E[phi(u)^2] = sum_k a_k(q)^2 (Parseval), as a share of it.

    No pair of inputs is worse, by Cauchy-Schwarz. The rule itself is tested by one three times
    finer (not twice: both would then meet a jump at 0 on a node, and at the same share).
    """
    found = jnp.sum(_expectations(phi, q, terms) ** 2, axis=0)
    coarse, fine = (_second_moment(phi, q, parts) for parts in (1, 3))
    gap = jnp.maximum(jnp.abs(found - fine), jnp.abs(coarse - fine))
    return safe_ratio(gap, fine)


def checked_expectations(name: str, phi: Callable, q, terms: int):
    """`_expectations` where they are right within MISSING (float32: 64 eps), else nan.

    ValueError instead of nan where q is a number and not traced.
    """
    share = missing_share(phi, q, terms)
    bound = max(MISSING, 64 * float(jnp.finfo(q.dtype).eps))
    if not isinstance(share, jax.core.Tracer) and jnp.any(~(share <= bound)):
        worst = jnp.argmax(share)
        raise ValueError(
            f"{name}: {terms} Hermite terms miss {float(share.ravel()[worst]):.1e} of E[phi^2] or "
            f"E[phi'^2] at variance {float(q.ravel()[worst]):.3g}, wanted {bound:.0e}: use the "
            "activation's own closed form, smaller variances or smooth(phi, terms=...)"
        )
    return jnp.where(share <= bound, _expectations(phi, q, terms), jnp.nan)


def _mehler(rho, one, two):
    """sum_k one_k two_k rho^k by Horner's rule, highest k first."""

    def step(total, coefficients):
        return total * rho + coefficients[0] * coefficients[1], None

    with jax.disable_jit(False):  # step by step it would take minutes to explain a refusal
        return lax.scan(step, jnp.zeros_like(rho), (one[::-1], two[::-1]))[0]


def smooth(phi: Callable, terms: int = TERMS) -> Architecture:
    """Any analytic activation: phi a jax function of arrays, elementwise.

    Accuracy 1e-10 (absolute, phi of order 1) once exp(-2 a sqrt(2 terms / q)) is below it, a
    being the distance of the poles of phi from the real axis. The sum's share of E[phi^2] and of
    E[phi'^2] is computed: where more than 1e-6 is missing (kinks, jumps, variances too large for
    `terms`), `kernel` refuses, and inside other compilations there is nan. What goes wrong at every
    scale, a kink or a jump at 0, is refused at once.
    """
    return _smooth(getattr(phi, "__name__", "smooth"), phi, terms)


def _smooth(name: str, phi: Callable, terms: int = TERMS) -> Architecture:
    terms = checked_count(terms, "terms", least=2)
    if not callable(phi):
        raise ValueError(f"phi must be a function of arrays such as jax.numpy.tanh, found {phi!r}")

    def slope(u):
        return jax.jvp(phi, (u,), (jnp.ones_like(u),))[1]

    def expectations(function, q):
        return checked_expectations(name, function, q, terms)

    def dual(pairs, q1, q2):
        rho = safe_ratio(pairs.surplus - pairs.deficit, pairs.surplus + pairs.deficit)
        return tuple(_mehler(rho, expectations(f, q1), expectations(f, q2)) for f in (phi, slope))

    def variance(q):
        valid = 0 * expectations(phi, q)[0]  # or nan
        return _expectations(lambda u: phi(u) ** 2, q, 2)[0] + valid

    def mean(q):
        return _expectations(phi, q, 2)[0]

    with jax.ensure_compile_time_eval():
        for function in (phi, slope):
            expectations(function, jnp.full(1, SMALL))
    return activation(name, phi, from_dual(dual, variance), variance, mean)


SMALL = 1e-4  # a variance at which every analytic function is nearly a polynomial


def tanh() -> Architecture:
    """tanh(u)."""
    return _smooth("tanh", jnp.tanh)


def silu() -> Architecture:
    """u / (1 + exp(-u))."""
    return _smooth("silu", jax.nn.silu)


def softplus() -> Architecture:
    """log(1 + exp(u))."""
    return _smooth("softplus", jax.nn.softplus)
