"""Covariances without cancellation: every pair carries its deficit and its surplus.

A pair of Gaussian variables with variances q, q' and covariance K is stored as

    deficit = sqrt(q q') - K = sqrt(q q') (1 - cos theta) >= 0
    surplus = sqrt(q q') + K = sqrt(q q') (1 + cos theta) >= 0

because theta = arccos(K / sqrt(q q')) loses half of the digits of K near theta = 0 and pi, while
tan(theta / 2)^2 = deficit / surplus loses none. Both numbers are non-negative, scale with the
covariance and add up under sums of independent variables (`merge`), so nothing ever cancels.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def safe_sqrt(x):
    """sqrt(x) with derivative 0 (instead of infinity) at x = 0."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1)), 0)


def safe_ratio(numerator, denominator):
    """numerator / denominator, and 0 where the denominator is 0."""
    positive = denominator > 0
    return jnp.where(positive, numerator / jnp.where(positive, denominator, 1), 0)


def half_angle(a, b):
    """(g, h) of non-negative a, b, so that the vectors (a, b) and (a', b') of the plane have

        |(a, b)| |(a', b')| - a a' - b b' = (g h' - h g')^2,

    twice the product of their lengths times the squared sine of half of the angle between them.
    """
    g = safe_sqrt(safe_sqrt(a**2 + b**2) + a)
    return 0.5**0.25 * g, 0.5**0.25 * safe_ratio(b, g)


def half_angles(roots):
    """`half_angle` of (a_1, a_2), (|(a_1, a_2)|, a_3), ...: adds one number at a time."""
    angles, length = [], roots[0]
    for root in roots[1:]:
        angles.append(half_angle(length, root))
        length = safe_sqrt(length**2 + root**2)
    return angles


def gap_between(angles, others):
    """sqrt(sum a_i^2 sum b_i^2) - sum a_i b_i >= 0 from the `half_angles` of a and of b."""
    pairs = zip(angles, others, strict=True)
    return sum((one[0] * two[1] - one[1] * two[0]) ** 2 for one, two in pairs)


def cauchy_gap(roots, others):
    """sqrt(sum a_i^2 sum b_i^2) - sum a_i b_i >= 0 for non-negative a = roots, b = others.

    `roots` and `others` are sequences of arrays that broadcast against each other.
    """
    return gap_between(half_angles(roots), half_angles(others))


@cache
def arc_polynomials(dtype: str) -> tuple[tuple, tuple]:
    """Coefficients (highest first, of this dtype) in z = sin(theta / 2)^2 on [0, 1/2] of

        4 / pi asin(sqrt z) / sqrt z     and     (sin theta - theta cos theta) / (pi sqrt(z)^3),

    so that 2 theta / pi is sqrt(z) times the first. Exact Taylor polynomials, then economised:
    from the highest power down, the multiple of the shifted Chebyshev polynomial with that power
    is taken off. Relative errors 3e-9 (degree 8, float32) and 2e-16 (degree 17, float64).
    """
    degree, terms = (8, 30) if dtype == "float32" else (17, 54)
    arcsine, root, binomial = [], [], Fraction(1)  # binomial = (2n)! / (4^n n!^2)
    for n in range(terms + 1):
        arcsine.append(binomial / (2 * n + 1))
        root.append(-binomial / (2 * n - 1))
        binomial *= Fraction(2 * n + 1, 2 * n + 2)
    # sin theta = 2 sqrt(z) sqrt(1 - z), cos theta = 1 - 2 z, theta = 2 sqrt(z) arcsine(z)
    sine = [2 * root[n] - 2 * arcsine[n] + 4 * arcsine[n - 1] for n in range(1, terms + 1)]
    number = np.dtype(dtype).type
    return tuple(
        tuple(number(factor / np.pi * float(c)) for c in reversed(_economised(series, degree)))
        for factor, series in ((4, arcsine), (1, sine))
    )


def _economised(series: list[Fraction], degree: int) -> list[Fraction]:
    """Coefficients, lowest first, of a polynomial of this degree near the series on [0, 1/2]."""
    for n in range(len(series) - 1, degree, -1):
        chebyshev = [  # of T_n(4 z - 1)
            Fraction(n * (-1) ** (n - k) * 8**k * comb(n + k, 2 * k), n + k) for k in range(n + 1)
        ]
        factor = series[n] / chebyshev[n]
        series = [c - factor * t for c, t in zip(series[:n], chebyshev, strict=False)]
    return series


def _differences(a, b):
    """|a_i - b_j|^2 / 2 and |a_i + b_j|^2 / 2, feature by feature."""
    zero = jnp.zeros((a.shape[0], b.shape[0]), a.dtype)

    def add(sums, rows):
        left, right = rows[0][:, None], rows[1][None, :]
        return (sums[0] + (left - right) ** 2, sums[1] + (left + right) ** 2), None

    (minus, plus), _ = lax.scan(add, (zero, zero), (a.T, b.T), unroll=min(8, a.shape[1]))
    return minus / 2, plus / 2


def _repaired(a, b, minus, plus, close):
    """minus, plus with the few pairs marked in `close` computed from differences."""
    size = min(few_close(a, b), close.size)
    marked, pair = lax.top_k(close.reshape(-1).astype(np.int32), size)  # the marked ones first
    i, j = jnp.where(marked == 1, pair // len(b), len(a)), pair % len(b)  # others: dropped at once
    one, two = a.at[i].get(mode="fill", fill_value=0), b.at[j].get(mode="fill", fill_value=0)
    exact = (jnp.sum((one - two) ** 2, axis=1) / 2, jnp.sum((one + two) ** 2, axis=1) / 2)
    return tuple(
        whole.at[i, j].set(part, mode="drop")
        for whole, part in zip((minus, plus), exact, strict=True)
    )


def few_close(a, b) -> int:
    """As many pairs as are repaired one by one; more of them and all are computed anew."""
    return 4 * (len(a) + len(b))


CLOSE = {"float32": 2e-2, "float64": 1e-6}  # of 1 - |cosine|: rounding would show in the angle


@jax.custom_jvp
def chords(a, b, same):
    """|a_i - b_j|^2 / 2 and |a_i + b_j|^2 / 2 for unit rows a (N1, d) and b (N2, d).

    One matrix product; pairs so close to parallel that the product's rounding would show in
    their angle are computed from differences instead.
    Pairs marked in `same` (None: nowhere) are equal rows: exactly 0 and 2.
    """
    if a.shape[1] <= 16:
        return _exact(*_differences(a, b), same)
    cosine = jnp.matmul(a, b.T, precision=lax.Precision.HIGHEST)
    close = jnp.abs(cosine) > 1 - CLOSE[a.dtype.name]
    close = close if same is None else close & ~same
    count = jnp.sum(close)
    minus, plus = lax.switch(
        (count > 0).astype(int) + (count > few_close(a, b)),
        (
            lambda: (1 - cosine, 1 + cosine),
            lambda: _repaired(a, b, 1 - cosine, 1 + cosine, close),
            lambda: _differences(a, b),
        ),
    )
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
