"""The formulas of one pair of inputs, written once and run by two engines.

`affine` and `piecewise_linear` use + - * and the functions they are given. jax traces them on
arrays: any architecture, inside jit, differentiable. numba compiles them into `stack`, which takes
a row of pairs through all layers of a dense network while it is in the level-1 cache.

numba is imported, and its code read from __pycache__ or compiled, at the first use of `stack`.
All that `stack` calls stays in this file: numba notices edits of the file whose code it keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from shared.ntk.chord import half_angle, safe_ratio, safe_sqrt


class Affine(NamedTuple):
    """K' = weight K + bias, Theta' = weight Theta + slope (surplus - deficit) + constant."""

    weight: Any
    bias: Any
    slope: Any
    constant: Any

    def variance(self, q):
        return jnp.asarray(self.weight, q.dtype) * q + jnp.asarray(self.bias, q.dtype)

    def of_one(self, q):
        """What `affine` needs of each input: (g, h)."""
        weight, bias = (jnp.asarray(v, q.dtype) for v in (self.weight, self.bias))
        return half_angle(safe_sqrt(weight * q), safe_sqrt(bias))


class PiecewiseLinear(NamedTuple):
    """phi(u) = a u + b |u|, by odd = a^2 and even = b^2."""

    odd: float
    even: float

    def variance(self, q):
        return (self.odd + self.even) * q

    def of_one(self, q):
        """What `piecewise_linear` needs of each input: (2 q)^(-1/2)."""
        return (safe_ratio(1, safe_sqrt(2 * q)),)


def affine(deficit, surplus, ntk, g1, h1, g2, h2, weight, bias, slope, constant):
    """`Affine`; (g, h) = half_angle(sqrt(weight q), sqrt(bias)) of each input, see `half_angle`."""
    cross = g1 * h2 - h1 * g2
    gap = cross * cross
    ntk = weight * ntk + slope * (surplus - deficit) + constant
    return weight * deficit + gap, weight * surplus + gap + (bias + bias), ntk


def piecewise_linear(
    deficit, surplus, ntk, inverse1, inverse2, odd, even, angle, sine, polynomial, sqrt, where
):
    """S = odd K + even E|u||v| and D = odd + even E[sign u sign v] (the cross terms are odd).

    inverse = (2 q)^(-1/2) of each input, so that z = min(deficit, surplus) / (2 sqrt(q q')) is
    sin(theta / 2)^2 with theta folded into [0, pi / 2]. With m = sqrt(q q') and the coefficients
    `angle`, `sine` of `chord.arc_polynomials`: m - E|u||v| = small (1 - sqrt(z) sine(z)) and
    |E[sign u sign v]| = 1 - sqrt(z) angle(z).
    """
    near = deficit <= surplus
    small = where(near, deficit, surplus)
    z = small * (inverse1 * inverse2)
    root = sqrt(z)
    rest = small - small * root * polynomial(sine, z)
    bend = even * root * polynomial(angle, z)
    slope = where(near, (odd + even) - bend, (odd - even) + bend)
    deficit, surplus = (
        odd * deficit + even * rest,
        odd * surplus + even * (deficit + (surplus - rest)),
    )
    return deficit, surplus, slope * ntk


def quadratic(a, b, c, z):
    return (a * z + b) * z + c


def nine(c, z):
    """The polynomial with the nine coefficients c, highest first (a loop would not vectorise)."""
    y = z * z * z
    value = quadratic(c[0], c[1], c[2], z)
    value = value * y + quadratic(c[3], c[4], c[5], z)
    return value * y + quadratic(c[6], c[7], c[8], z)


def eighteen(c, z):
    """The polynomial with the eighteen coefficients c, highest first."""
    y = z * z * z
    value = quadratic(c[0], c[1], c[2], z)
    value = value * y + quadratic(c[3], c[4], c[5], z)
    value = value * y + quadratic(c[6], c[7], c[8], z)
    value = value * y + quadratic(c[9], c[10], c[11], z)
    value = value * y + quadratic(c[12], c[13], c[14], z)
    return value * y + quadratic(c[15], c[16], c[17], z)


POLYNOMIAL = {"float32": nine, "float64": eighteen}


def select(condition, one, two):
    return one if condition else two


def half_squares(a, b, sign):
    """|a + sign b|^2 / 2, in sixteen sums side by side."""
    sums = np.zeros(16, a.dtype)
    whole = len(a) // 16 * 16
    for k in range(0, whole, 16):
        for lane in range(16):
            difference = a[k + lane] + sign * b[k + lane]
            sums[lane] += difference * difference
    for k in range(whole, len(a)):
        difference = a[k] + sign * b[k]
        sums[k - whole] += difference * difference
    return sums.sum() * a.dtype.type(0.5)


def stack(
    polynomial, tile, symmetric, close, units, others, roots, fields, layers, angle, sine, kind
):
    """tile: cosines of unit vectors `units` (n1, d) and `others` (n2, d); becomes a kernel.

    symmetric: units is others; what is right of the diagonal is computed and mirrored.
    close: pairs with |cosine| above it are taken from differences instead.
    roots: sqrt(q) of the inputs, (n1,) and (n2,). fields: two numbers per layer and input,
    (layers, 2, n1) and (layers, 2, n2): (g, h) of an affine layer, (inverse, -) of an activation.
    layers (layers, 5): 0 and `Affine`, or 1 and `PiecewiseLinear`. kind: 0 for NNGP, 1 for NTK.
    """
    one, half = tile.dtype.type(1), tile.dtype.type(0.5)
    count = tile.shape[1]
    deficits, surpluses = np.empty(count, tile.dtype), np.empty(count, tile.dtype)
    first, second = fields
    for i in range(tile.shape[0]):
        start = i if symmetric else 0
        d, s, t = deficits[start:], surpluses[start:], tile[i, start:]
        root, columns = roots[0][i], roots[1][start:]
        found = 0
        for j in range(len(t)):
            product = root * columns[j]
            found += abs(t[j]) > close
            d[j] = product - product * t[j]
            s[j] = product + product * t[j]
        if found:
            for j in range(len(t)):
                if abs(t[j]) > close:
                    product = root * columns[j]
                    d[j] = product * half_squares(units[i], others[start + j], -one)
                    s[j] = product * half_squares(units[i], others[start + j], one)
        if symmetric:
            d[0], s[0] = 0, root * root + root * root
        t[:] = 0
        for layer in range(len(layers)):
            a, b, e, f = layers[layer, 1:]
            x1, y1 = first[layer, :, i]
            x2, y2 = second[layer, 0, start:], second[layer, 1, start:]
            if layers[layer, 0] == 0:
                for j in range(len(t)):
                    d[j], s[j], t[j] = affine(d[j], s[j], t[j], x1, y1, x2[j], y2[j], a, b, e, f)
            else:
                for j in range(len(t)):
                    d[j], s[j], t[j] = piecewise_linear(
                        d[j], s[j], t[j], x1, x2[j], a, b, angle, sine, polynomial, np.sqrt, select
                    )
        if kind == 0:
            for j in range(len(t)):
                t[j] = half * (s[j] - d[j])
        if symmetric:
            for j in range(1, len(t)):
                tile[i + j, i] = t[j]


def stack_float32(*arguments):
    stack(nine, *arguments)


def stack_float64(*arguments):
    stack(eighteen, *arguments)


@cache
def compiled(dtype: str) -> Callable:
    """`stack` without its first argument as machine code: one thread, sums in their order."""
    import numba
    from numba.extending import register_jitable

    for function in (
        affine,
        piecewise_linear,
        quadratic,
        select,
        half_squares,
        nine,
        eighteen,
        stack,
    ):
        register_jitable(function)
    whole = {"float32": stack_float32, "float64": stack_float64}[dtype]
    return numba.njit(cache=True, fastmath={"contract"}, error_model="numpy")(whole)
