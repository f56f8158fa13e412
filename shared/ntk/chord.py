"""Covariances without cancellation: every pair carries its deficit and its surplus.

A pair of Gaussian variables with variances q, q' and covariance K is stored as

    deficit = sqrt(q q') - K = sqrt(q q') (1 - cos theta) >= 0
    surplus = sqrt(q q') + K = sqrt(q q') (1 + cos theta) >= 0

because theta = arccos(K / sqrt(q q')) loses half of the digits of K near theta = 0 and pi, while
tan(theta / 2)^2 = deficit / surplus loses none. Both numbers are non-negative, scale with the
covariance and add up under sums of independent variables (`merge`), so nothing ever cancels.
"""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.polynomial import Chebyshev, Polynomial


def safe_sqrt(x):
    """sqrt(x) with derivative 0 (instead of infinity) at x = 0."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1)), 0)


def safe_ratio(numerator, denominator):
    """numerator / denominator, and 0 where the denominator is 0."""
    positive = denominator > 0
    return jnp.where(positive, numerator / jnp.where(positive, denominator, 1), 0)


def cauchy_gap(roots, others):
    """sqrt(sum a_i^2 sum b_i^2) - sum a_i b_i >= 0 for non-negative a = roots, b = others.

    By Lagrange's identity it is sum_{i<j} (a_i b_j - a_j b_i)^2 / (the sum of both terms).
    `roots` and `others` are sequences of arrays that broadcast against each other.
    """
    squares = 0
    for i in range(len(roots)):
        for j in range(i):
            squares = squares + (roots[i] * others[j] - roots[j] * others[i]) ** 2
    norms = safe_sqrt(sum(a**2 for a in roots)) * safe_sqrt(sum(b**2 for b in others))
    return safe_ratio(squares, norms + sum(a * b for a, b in zip(roots, others, strict=True)))


def _series(terms: int = 120):
    """Taylor coefficients in z of asin(sqrt z) / sqrt z and of sqrt(1 - z)."""
    arcsine, root = np.empty(terms), np.empty(terms)
    binomial, root[0] = 1.0, 1.0  # binomial = (2n)! / (4^n n!^2)
    for n in range(terms):
        arcsine[n] = binomial / (2 * n + 1)
        if n:
            root[n] = -binomial / (2 * n - 1)
        binomial *= (2 * n + 1) / (2 * n + 2)
    return arcsine, root


@cache
def arc_polynomials(dtype) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Coefficients (highest first) of P and Q on z = sin(theta/2)^2 in [0, 1/2].

    P(z) = asin(sqrt z) / sqrt z, that is theta = 2 sqrt(z) P(z);
    Q(z) = (sin theta - theta cos theta) / sqrt(z)^3, analytic with Q(0) = 8/3.
    Chebyshev interpolants; both are singular at z = 1 only, hence errors of 5.8^-degree.
    """
    arcsine, root = _series()
    doubled = np.concatenate([[0.0], arcsine[:-1]])
    third = (2 * root - 2 * arcsine + 4 * doubled)[1:]
    degree = 10 if np.dtype(dtype) == np.float32 else 21
    return tuple(
        tuple(
            float(c)
            for c in Chebyshev.interpolate(Polynomial(series), degree, domain=[0.0, 0.5])
            .convert(kind=Polynomial)
            .coef[::-1]
        )
        for series in (arcsine, third)
    )


def horner(coefficients, z):
    """The polynomial with these coefficients (highest first) at z, in the dtype of z."""
    value = jnp.full_like(z, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * z + coefficient
    return value


def arc(deficit, surplus):
    """(w, t): everything that piecewise linear activations need of a pair.

    With m = sqrt(q q'): w = m - E|u||v| = min(deficit, surplus) (1 - sqrt(z) Q(z) / pi) and
    t = E[sign u sign v] = 1 - 2 theta / pi. Derivatives at theta = 0 and pi, where t has a kink,
    are those of the smooth part.
    """
    near = deficit <= surplus
    small = jnp.where(near, deficit, surplus)
    z = safe_ratio(small, deficit + surplus)
    h = safe_sqrt(z)
    p, q = arc_polynomials(z.dtype.name)
    w = small * (1 - h * horner(q, z) * (1 / np.pi))
    t = 1 - h * horner(p, z) * (4 / np.pi)
    return w, jnp.where(near, t, -t)


def _differences(a, b):
    """|a_i - b_j|^2 / 2 and |a_i + b_j|^2 / 2, feature by feature."""
    zero = jnp.zeros((a.shape[0], b.shape[0]), a.dtype)

    def add(sums, rows):
        left, right = rows[0][:, None], rows[1][None, :]
        return (sums[0] + (left - right) ** 2, sums[1] + (left + right) ** 2), None

    (minus, plus), _ = lax.scan(add, (zero, zero), (a.T, b.T), unroll=min(8, a.shape[1]))
    return minus / 2, plus / 2


@jax.custom_jvp
def chords(a, b, same):
    """|a_i - b_j|^2 / 2 and |a_i + b_j|^2 / 2 for unit rows a (N1, d) and b (N2, d).

    One matrix product; if some pair not marked in `same` (N1, N2) is so close to parallel that
    the product's rounding would show in its angle, all are computed from differences instead.
    Pairs marked in `same` (None: nowhere) are equal rows: exactly 0 and 2.
    """
    few, threshold = 16, 2e-2 if a.dtype == jnp.float32 else 1e-6
    if a.shape[1] <= few:
        return _exact(*_differences(a, b), same)
    cosine = jnp.matmul(a, b.T, precision=lax.Precision.HIGHEST)
    other = cosine if same is None else jnp.where(same, 0, cosine)
    close = jnp.max(jnp.abs(other)) > 1 - threshold
    minus, plus = lax.cond(close, lambda: _differences(a, b), lambda: (1 - cosine, 1 + cosine))
    return _exact(minus, plus, same)


def _exact(minus, plus, same):
    return (minus, plus) if same is None else (jnp.where(same, 0, minus), jnp.where(same, 2, plus))


@chords.defjvp
def _chords_jvp(primals, tangents):
    # |a -+ b|^2 / 2 has the differential <a, da> + <b, db> -+ (<da, b> + <a, db>): two matrix
    # products and no array of N1 x N2 x d numbers, whichever way the value was computed.
    (a, b, same), (da, db, _) = primals, tangents
    product = jnp.matmul(da, b.T, precision=lax.Precision.HIGHEST)
    product = product + jnp.matmul(a, db.T, precision=lax.Precision.HIGHEST)
    norms = jnp.sum(a * da, axis=1)[:, None] + jnp.sum(b * db, axis=1)[None, :]
    minus, plus = norms - product, norms + product
    if same is not None:
        minus, plus = jnp.where(same, 0, minus), jnp.where(same, 0, plus)
    return chords(a, b, same), (minus, plus)
