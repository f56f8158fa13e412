"""More activations with closed forms, beyond those of `widenets.ntk.architecture`.

    from widenets.ntk.closed_forms import gaussian, rbf

(u, v) ~ N(0, [[q, K], [K, q']]); S = E[phi(u) phi(v)], D = E[phi'(u) phi'(v)] = dS/dK. Written in
the chords sqrt(q q') - K and sqrt(q q') + K that layers hand on, so that near inputs keep their
digits. A factor in front of phi is the next layer's weight_variance, one inside it the
weight_variance and bias_variance of the layer before.
"""

from __future__ import annotations

from math import factorial, pi, sqrt

import jax.numpy as jnp
from jax.scipy.special import erf as error_function
from numpy.polynomial.hermite_e import herme2poly

from widenets.ntk.architecture.activations import activation, from_dual, polynomial, relu
from widenets.ntk.architecture.base import Architecture
from widenets.ntk.architecture.state import Pairs
from widenets.ntk.checks import checked_count, checked_number
from widenets.ntk.engine.chord import safe_ratio, safe_sqrt

SIGMOID = 2.4020563531719796  # of neural-tangents: least squares to the sigmoid on [-5, 5]


def _positive(value, name: str):
    """A number above 0, or as it is if traced."""
    value = checked_number(value, name)
    if isinstance(value, float) and value <= 0:
        raise ValueError(f"{name} must be positive, found {value}")
    return value


def _distance(pairs: Pairs, q1, q2):
    """(q + q') / 2 - K without cancellation."""
    return pairs.deficit + (safe_sqrt(q1) - safe_sqrt(q2)) ** 2 / 2


def exp(rate=1.0) -> Architecture:
    """exp(rate u). With r = rate^2: S = exp(r ((q + q') / 2 + K)), D = r S.

    Kernels grow by that at every layer: two in a chain overflow soon without `layer_norm`.
    """
    rate = checked_number(rate, "rate")

    def pairs(pairs: Pairs, q1, q2) -> Pairs:
        product = jnp.exp(rate**2 * (q1 + q2))  # sqrt(S(x, x) S(x', x'))
        gap = -(rate**2) * _distance(pairs, q1, q2)
        s = product * jnp.exp(gap)
        return Pairs(-product * jnp.expm1(gap), product + s, rate**2 * s * pairs.ntk)

    return activation(
        "exp",
        lambda u: jnp.exp(rate * u),
        pairs,
        variance=lambda q: jnp.exp(2 * rate**2 * q),
        mean=lambda q: jnp.exp(rate**2 * q / 2),
    )


def rbf(gamma=1.0) -> Architecture:
    """sqrt(2) sin(sqrt(2 gamma) u + pi / 4). S = exp(-gamma (q + q' - 2 K)), D = 2 gamma S.

    On the inputs' own covariance <x, x'> / d this is the Gaussian kernel
    exp(-gamma |x - x'|^2 / d): its random Fourier features (Rahimi & Recht 2007) with one phase.
    """
    gamma = _positive(gamma, "gamma")

    def pairs(pairs: Pairs, q1, q2) -> Pairs:
        gap = -2 * gamma * _distance(pairs, q1, q2)
        s = jnp.exp(gap)
        return Pairs(-jnp.expm1(gap), 1 + s, 2 * gamma * s * pairs.ntk)

    return activation(
        "rbf",
        lambda u: sqrt(2) * jnp.sin(jnp.sqrt(jnp.asarray(2 * gamma, u.dtype)) * u + pi / 4),
        pairs,
        variance=jnp.ones_like,
        mean=lambda q: jnp.exp(-gamma * q),
    )


def gaussian(rate=1.0) -> Architecture:
    """exp(-rate u^2). With R^2 = (1 + 2 rate q) (1 + 2 rate q') - 4 rate^2 K^2:

    S = 1 / R        D = 4 rate^2 K / R^3
    """
    rate = _positive(rate, "rate")

    def pairs(pairs: Pairs, q1, q2) -> Pairs:
        chords = 4 * rate**2 * pairs.deficit * pairs.surplus
        square = 1 + 2 * rate * (q1 + q2) + chords  # R^2
        root1, root2 = (jnp.sqrt(1 + 4 * rate * q) for q in (q1, q2))  # S(x, x) = 1 / root1
        product, s = 1 / jnp.sqrt(root1 * root2), 1 / jnp.sqrt(square)
        # product - s = (R^2 - root1 root2) s^2 product^2 / (product + s)
        above = chords + (root1 - root2) ** 2 / 2
        deficit = above * (s * product) ** 2 / (product + s)
        return Pairs(deficit, product + s, 4 * rate**2 * pairs.nngp * s**3 * pairs.ntk)

    return activation(
        "gaussian",
        lambda u: jnp.exp(-rate * u**2),
        pairs,
        variance=lambda q: 1 / jnp.sqrt(1 + 4 * rate * q),
        mean=lambda q: 1 / jnp.sqrt(1 + 2 * rate * q),
    )


def gabor() -> Architecture:
    """exp(-u^2) sin(u). The weights exp(-u^2 - v^2) leave a Gaussian pair, on which it is `sin`:

    S = R^{-1} e^{-m} sinh c,   R^2 = (1 + 2 q) (1 + 2 q') - 4 K^2,   c = K / R^2,
    m = ((q + q') / 2 + 2 (q q' - K^2)) / R^2
    D = 4 K S / R^2 - m' S + c' R^{-1} e^{-m} cosh c,   m' = 4 K (2 m - 1) / R^2,
    c' = (1 + 8 K c) / R^2
    """

    def moments(covariance, q1, q2, chords):
        """S and D; chords = q q' - K^2."""
        square = 1 + 2 * (q1 + q2) + 4 * chords
        c, m = covariance / square, ((q1 + q2) / 2 + 2 * chords) / square
        plus, minus = (jnp.exp(sign * c - m) / (2 * jnp.sqrt(square)) for sign in (1, -1))
        slope = 4 * covariance / square
        s = plus - minus
        return s, slope * (2 - 2 * m) * s + (1 + 8 * covariance * c) / square * (plus + minus)

    def dual(pairs, q1, q2):
        return moments(pairs.nngp, q1, q2, pairs.deficit * pairs.surplus)

    def variance(q):
        return moments(q, q, q, 0.0)[0]

    return activation(
        "gabor",
        lambda u: jnp.exp(-(u**2)) * jnp.sin(u),
        from_dual(dual, variance),
        variance,
        jnp.zeros_like,
    )


def sigmoid_like() -> Architecture:
    """1/2 + erf(u / 2.402...) / 2, close to the sigmoid.

    With t = 2 / 2.402...^2, R^2 = (1 + t q) (1 + t q') - t^2 K^2:

        S = 1/4 + asin(t K / sqrt((1 + t q) (1 + t q'))) / (2 pi),   D = t / (2 pi R)
    """
    t = 2 / SIGMOID**2

    def dual(pairs, q1, q2):
        rest = jnp.sqrt(1 + t * (q1 + q2) + t**2 * pairs.deficit * pairs.surplus)
        return 1 / 4 + jnp.arctan2(t * pairs.nngp, rest) / (2 * pi), t / (2 * pi * rest)

    def variance(q):
        return 1 / 4 + jnp.arcsin(t * q / (1 + t * q)) / (2 * pi)

    return activation(
        "sigmoid_like",
        lambda u: (1 + error_function(u / SIGMOID)) / 2,
        from_dual(dual, variance),
        variance,
        lambda q: jnp.full_like(q, 0.5),
    )


def hermite(degree: int) -> Architecture:
    """He_n(u) / sqrt(n!), n = degree >= 1: with q = q' = 1 S = K^n and D = n K^{n-1}.

    Exact at every variance, as the `polynomial` it is; neural-tangents assumes variance 1.
    """
    degree = checked_count(degree, "degree")
    return polynomial(herme2poly([0.0] * degree + [1.0]) / sqrt(factorial(degree)))


def rectified_monomial(degree: int) -> Architecture:
    """max(u, 0)^degree, degree >= 1; with degree 1 it is relu().

    S = (q q')^{n/2} M_nn, D = n^2 (q q')^{(n-1)/2} M_{n-1,n-1}, M_ab = E[u_+^a v_+^b] of unit
    variances, which Stein's lemma reduces to the angle (rho its cosine):

        M_ab = (a - 1) M_{a-2,b} + rho b M_{a-1,b-1},  and with a = 1 E[delta(u) v_+^b] instead of
        the first term;  M_00 = (pi - theta) / (2 pi)

    Reference: Cho & Saul 2009, equation 1 (arc-cosine kernel of order n: 2 M_nn).
    """
    degree = checked_count(degree, "degree")
    if degree == 1:
        return relu()

    def dual(pairs, q1, q2):
        root = safe_sqrt(q1) * safe_sqrt(q2)
        upper, lower = _rectified_moments(pairs, degree)
        return root**degree * upper, degree**2 * root ** (degree - 1) * lower

    def variance(q):
        return q**degree * (_half_moment(2 * degree))

    return activation(
        "rectified_monomial",
        lambda u: jnp.maximum(u, 0) ** degree,
        from_dual(dual, variance),
        variance,
        lambda q: safe_sqrt(q) ** degree * _half_moment(degree),
    )


def _half_moment(n: int) -> float:
    """E[u_+^n], u ~ N(0, 1)."""
    if n < 2:
        return (0.5, 1 / sqrt(2 * pi))[n]
    return (n - 1) * _half_moment(n - 2)


def _rectified_moments(pairs: Pairs, degree: int):
    """M_nn and M_{n-1,n-1} for n = degree, see `rectified_monomial`."""
    total = pairs.surplus + pairs.deficit
    rho = safe_ratio(pairs.surplus - pairs.deficit, total)
    sine = safe_ratio(2 * safe_sqrt(pairs.deficit) * safe_sqrt(pairs.surplus), total)
    angle = 2 * jnp.arctan2(safe_sqrt(pairs.deficit), safe_sqrt(pairs.surplus))
    known = {(0, 0): (pi - angle) / (2 * pi), (0, 1): (1 + rho) / (2 * sqrt(2 * pi))}

    def edge(power):
        """E[delta(u) v_+^power]."""
        return sine**power * (_half_moment(power) / sqrt(2 * pi))

    def moment(a, b):
        a, b = min(a, b), max(a, b)
        if (a, b) not in known:
            if a == 0:
                known[a, b] = (b - 1) * moment(0, b - 2) + rho * edge(b - 1)
            elif a == 1:
                known[a, b] = edge(b) + rho * b * moment(0, b - 1)
            else:
                known[a, b] = (a - 1) * moment(a - 2, b) + rho * b * moment(a - 1, b - 1)
        return known[a, b]

    return moment(degree, degree), moment(degree - 1, degree - 1)
