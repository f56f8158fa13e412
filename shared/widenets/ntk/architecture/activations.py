"""Activations: the function on a finite network and its dual on covariances.

(u, v) ~ N(0, [[q, K], [K, q']]);  K <- S = E[phi(u) phi(v)],  Theta <- E[phi'(u) phi'(v)] Theta.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import factorial, pi, sqrt

import jax
import jax.numpy as jnp
from jax.scipy.special import erf as error_function

from widenets.ntk.architecture import law
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs, State, alike, elementwise, remember, scale
from widenets.ntk.checks import checked_count, checked_number
from widenets.ntk.engine.chord import arc_polynomials, safe_sqrt
from widenets.ntk.engine.fused import POLYNOMIAL, PiecewiseLinear, piecewise_linear


def parameter_free(
    name: str, function: Callable, propagate: Callable[[State], State], law_of: Callable
) -> Architecture:
    """Layer without parameters: apply is `function` of the inputs."""
    return Architecture(
        init=lambda key, input_shape, dtype=jnp.float32: (),
        apply=lambda params, x, key=None: function(x),
        propagate=propagate,
        law=law_of,
        name=name,
    )


def activation(
    name: str,
    phi: Callable,
    pairs: Callable,
    variance: Callable,
    mean: Callable,
    of_one: Callable = lambda q: (q,),
) -> Architecture:
    """Activation phi with its dual, which is exact on Gaussian units alone.

    pairs(pairs, *of_one(q), *of_one(q')) -> Pairs after it, variance(q) = E[phi(u)^2],
    mean(q) = E[phi(u)].
    """
    propagate = elementwise(pairs, variance, of_one)

    def with_mean(state: State) -> State:
        return propagate(state)._replace(mean1=mean(state.variance1), mean2=mean(state.variance2))

    layer = parameter_free(name, phi, alike(with_mean), law.activation(name))
    return replace(layer, form=phi)


def pointwise(phi: Callable) -> Architecture:
    """Any function of each unit, for finite networks and their kernels alone: it has no limit.

    `smooth(phi)` has one, if phi is analytic.
    """
    if not callable(phi):
        raise ValueError(f"phi must be a function of arrays such as jax.numpy.tanh, found {phi!r}")

    def propagate(_):
        raise ValueError(
            "pointwise has no infinite-width limit: use smooth(phi) if phi is analytic"
        )

    layer = parameter_free("pointwise", phi, propagate, law.activation("pointwise"))
    return replace(layer, form=phi)


def from_dual(dual: Callable, variance: Callable) -> Callable:
    """Pairs from dual(pairs, q, q') = (S, D) and variance(q) = S on the diagonal."""

    def function(pairs: Pairs, q1, q2) -> Pairs:
        s, d = dual(pairs, q1, q2)
        # A pair of coinciding inputs must stay one: the deficit 0 is exact, S only rounds to it.
        product = safe_sqrt(variance(q1)) * safe_sqrt(variance(q2))
        equal = (pairs.deficit == 0) & (q1 == q2)
        deficit = jnp.where(equal, 0, jnp.maximum(product - s, 0))
        return Pairs(deficit, jnp.maximum(2 * product - deficit, 0), d * pairs.ntk)

    return function


def _piecewise_linear(name, negative: float, positive: float, phi: Callable) -> Architecture:
    """phi(u) = positive max(u, 0) + negative min(u, 0) = a u + b |u|.

    S = a^2 K + b^2 E|u||v| and D = a^2 + b^2 E[sign u sign v] (the cross terms are odd).
    Reference: Cho & Saul 2009, section 2.3 (ReLU: arc-cosine kernels of order 1 and 0).
    """
    step = PiecewiseLinear(((positive + negative) / 2) ** 2, ((positive - negative) / 2) ** 2)

    def pairs(pairs: Pairs, inverse1, inverse2) -> Pairs:
        dtype = pairs.deficit.dtype.name
        polynomials = *arc_polynomials(dtype), POLYNOMIAL[dtype]
        return Pairs(
            *piecewise_linear(*pairs, inverse1, inverse2, *step, *polynomials, safe_sqrt, jnp.where)
        )

    layer = activation(
        name,
        phi,
        pairs,
        variance=step.variance,
        mean=lambda q: (positive - negative) / sqrt(2 * pi) * safe_sqrt(q),
        of_one=step.of_one,
    )
    return replace(layer, steps=(step,))


def relu() -> Architecture:
    """max(u, 0)."""
    return _piecewise_linear("relu", 0.0, 1.0, jax.nn.relu)


def leaky_relu(slope: float = 0.01) -> Architecture:
    """max(u, 0) + slope min(u, 0); with slope 1 it is identity()."""
    slope = checked_number(slope, "slope", traced=False)
    if slope == 1:
        return identity()
    return _piecewise_linear("leaky_relu", slope, 1.0, lambda u: jnp.where(u > 0, u, slope * u))


def abs_() -> Architecture:
    """|u|."""
    return _piecewise_linear("abs_", -1.0, 1.0, jnp.abs)


def identity() -> Architecture:
    """u: the shortcut of a residual block."""
    layer = parameter_free("identity", lambda x: x, lambda state: state, lambda law: law)
    return replace(layer, steps=(), form=lambda x: x)


def _proportional(factor: float) -> Architecture:
    """factor times u, of units of any law."""

    def propagate(state: State) -> State:
        def pairs(displacement):
            return scale(state.pairs(displacement), factor**2)

        return state._replace(
            variance1=factor**2 * state.variance1,
            variance2=factor**2 * state.variance2,
            pairs=remember(pairs),
            mean1=factor * state.mean1,
            mean2=factor * state.mean2,
        )

    layer = parameter_free(
        "polynomial", lambda u: factor * u, alike(propagate), law.linear("polynomial")
    )
    return replace(layer, form=lambda u: factor * u)


def sign() -> Architecture:
    """-1, 0 or 1. S = (2/pi) asin(K / sqrt(q q')) = 1 - 2 theta / pi: `erf(c u)` for c -> infinity.

    No Theta: E[phi'(u) phi'(v)] = (2/pi) / sqrt(q q' - K^2) diverges where x = x', so that layers
    below have no tangent kernel (and no gradient: the slope is 0 almost everywhere). Hence `kernel`
    is refused unless they are not trained, Theta = 0; the NNGP alone is
    `kernel_in_blocks(..., which="nngp")`. neural-tangents puts 0 for Theta instead.
    """

    def pairs(pairs: Pairs, q1, q2) -> Pairs:
        if not isinstance(pairs.ntk, jax.core.Tracer) and jnp.any(pairs.ntk != 0):
            raise ValueError(
                "sign has no tangent kernel, E[phi'(u)^2] diverges: set trained=False in the "
                "layers below it, or take kernel_in_blocks(network, x, which='nngp')"
            )
        angle = 2 * jnp.arctan2(safe_sqrt(pairs.deficit), safe_sqrt(pairs.surplus))
        unit = jnp.sign(q1) * jnp.sign(q2)  # 0 where an input is 0
        deficit = unit * (2 / pi) * angle
        return Pairs(deficit, 2 * unit - deficit, jnp.where(pairs.ntk == 0, 0, jnp.nan))

    return activation("sign", jnp.sign, pairs, jnp.sign, jnp.zeros_like)


def erf() -> Architecture:
    """erf(u). S = (2/pi) asin(2K / s), D = (4/pi) / sqrt(s^2 - 4K^2), s^2 = (1 + 2q)(1 + 2q').

    Reference: Williams 1996, section 3.1.
    """

    def variance(q):
        return (2 / pi) * jnp.arcsin(2 * q / (1 + 2 * q))

    def dual(pairs, q1, q2):
        # s^2 - 4 K^2 = 1 + 2 (q + q') + 4 deficit surplus: no cancellation, and asin by atan2.
        rest = jnp.sqrt(1 + 2 * (q1 + q2) + 4 * pairs.deficit * pairs.surplus)
        return (2 / pi) * jnp.arctan2(2 * pairs.nngp, rest), (4 / pi) / rest

    return activation("erf", error_function, from_dual(dual, variance), variance, jnp.zeros_like)


def gelu() -> Architecture:
    """u Phi(u), Phi the normal distribution function (the exact GELU, not its tanh fit).

    With R^2 = (1 + q) (1 + q') - K^2, A = q q' + K^2 k, k = 1 / (1 + q) + 1 / (1 + q') - 1:

        S = K / 4 + (A / R + K asin(K / sqrt((1 + q) (1 + q')))) / (2 pi)
        D = dS / dK = 1/4 + (asin(...) + K (2 k + 1 + A / R^2) / R) / (2 pi)

    from Phi(u) = 1/2 + erf(u / sqrt 2) / 2, Stein's lemma and the kernel of `erf`.
    """

    def moments(covariance, q1, q2, square):
        rest = jnp.sqrt(square)
        k = (1 - q1 * q2) / ((1 + q1) * (1 + q2))
        angle = jnp.arctan2(covariance, rest)
        first = (q1 * q2 + covariance**2 * k) / rest
        s = covariance / 4 + (first + covariance * angle) / (2 * pi)
        d = 1 / 4 + (angle + covariance * (2 * k + 1 + first / rest) / rest) / (2 * pi)
        return s, d

    def dual(pairs, q1, q2):
        # R^2 = 1 + q + q' + deficit surplus: no cancellation, and asin by atan2.
        square = 1 + q1 + q2 + pairs.deficit * pairs.surplus
        return moments(pairs.nngp, q1, q2, square)

    def variance(q):
        return moments(q, q, q, 1 + 2 * q)[0]

    def mean(q):
        return q / jnp.sqrt(2 * pi * (1 + q))

    def phi(u):
        return jax.nn.gelu(u, approximate=False)

    return activation("gelu", phi, from_dual(dual, variance), variance, mean)


def _exponentials(pairs: Pairs, q1, q2):
    """exp(K - (q + q')/2) and exp(-K - (q + q')/2), written so that they cannot overflow."""
    radial = (safe_sqrt(q1) - safe_sqrt(q2)) ** 2 / 2
    return jnp.exp(-pairs.deficit - radial), jnp.exp(-pairs.surplus - radial)


def sin() -> Architecture:
    """sin(u). S = e^{-(q+q')/2} sinh K, D = e^{-(q+q')/2} cosh K."""

    def dual(pairs, q1, q2):
        plus, minus = _exponentials(pairs, q1, q2)
        return (plus - minus) / 2, (plus + minus) / 2

    def variance(q):
        return -jnp.expm1(-2 * q) / 2

    return activation("sin", jnp.sin, from_dual(dual, variance), variance, jnp.zeros_like)


def cos() -> Architecture:
    """cos(u). S = e^{-(q+q')/2} cosh K, D = e^{-(q+q')/2} sinh K."""

    def dual(pairs, q1, q2):
        plus, minus = _exponentials(pairs, q1, q2)
        return (plus + minus) / 2, (plus - minus) / 2

    def variance(q):
        return (1 + jnp.exp(-2 * q)) / 2

    return activation(
        "cos", jnp.cos, from_dual(dual, variance), variance, lambda q: jnp.exp(-q / 2)
    )


def polynomial(coefficients) -> Architecture:
    """sum_n c_n u^n for coefficients c_0, c_1, ...

    With phi(sqrt(q) z) = sum_j a_j(q) q^{j/2} He_j(z):  S = sum_j j! a_j(q) a_j(q') K^j,
    a_j(q) = sum_i c_{j+2i} q^i (j+2i)! / (2^i i! j!); D is S of the derivative. c_1 u alone is
    exact on units of any law.
    """
    if isinstance(coefficients, str) or not hasattr(coefficients, "__iter__"):
        raise ValueError(f"coefficients must be numbers (c_0, c_1, ...), found {coefficients!r}")
    values = [checked_number(c, "each of the coefficients") for c in coefficients]
    if not values:
        raise ValueError("a polynomial needs at least one coefficient, found none")
    if values[0] == 0 and len(values) == 2:
        return _proportional(values[1])
    slopes = [n * c for n, c in enumerate(values)][1:] or [0.0]

    def expansion(c, q):
        return [
            sum(
                c[n]
                * q ** ((n - j) // 2)
                * (factorial(n) / (2 ** ((n - j) // 2) * factorial((n - j) // 2) * factorial(j)))
                for n in range(j, len(c), 2)
            )
            + 0 * q
            for j in range(len(c))
        ]

    def moment(c, covariance, q1, q2):
        terms = zip(expansion(c, q1), expansion(c, q2), strict=True)
        return sum(factorial(j) * a * b * covariance**j for j, (a, b) in enumerate(terms))

    def dual(pairs, q1, q2):
        return moment(values, pairs.nngp, q1, q2), moment(slopes, pairs.nngp, q1, q2)

    def variance(q):
        return moment(values, q, q, q)

    def phi(u):
        value = jnp.full_like(u, values[-1])
        for c in values[-2::-1]:
            value = value * u + c
        return value

    return activation(
        "polynomial",
        phi,
        from_dual(dual, variance),
        variance,
        lambda q: expansion(values, q)[0],
    )


def monomial(degree: int) -> Architecture:
    """u^degree, degree >= 1; with degree 1 it is identity()."""
    degree = checked_count(degree, "degree")
    return polynomial([0.0] * degree + [1.0]) if degree > 1 else identity()
