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

from widenets.ntk.engine.chord import half_angle, safe_ratio, safe_sqrt


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


class Box(NamedTuple):
    """Mean over a window of rows x columns (odd, zeros outside) at the same places of both."""

    rows: int
    columns: int


class Pool(NamedTuple):
    """Mean over all pairs of positions."""


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


def displaced_stack(
    polynomial, wanted, shape, inside, units, others, lengths, fields, layers, angle, sine, sums
):
    """Adds K and Theta of all pairs of positions of images to sums (n1, n2, 2, positions).

    Positions (rows, columns) = shape lie on a torus, an image and a margin as wide as the largest
    window reaches, where all is zero: what leaves the image is zero, at whatever displacement.
    wanted (n1, n2): which pairs. inside (positions,): 1 in the image, else 0. units, others
    (n, channels, positions): unit vectors; lengths: sqrt(q), fields: as in `stack`, in the order
    of use, (n, ., positions); two of each. layers: as `stack`, or 2, `Box` and its inverse sizes,
    with the fields (g, h) of the `half_angles` along the first axis, then along the second.
    """
    half = units.dtype.type(0.5)
    rows, columns = shape
    count, margin = rows * columns, (rows + 1) * columns
    work = np.zeros((2, 3, count + 2 * margin), units.dtype)
    here = slice(margin, margin + count)
    d, s, t = work[0, 0, here], work[0, 1, here], work[0, 2, here]
    index = np.empty(count, np.int64)
    other, length = np.empty(others.shape[1:], units.dtype), np.empty(count, units.dtype)
    two, mask = np.empty(fields[1].shape[1:], units.dtype), np.empty(count, units.dtype)
    for image in range(wanted.shape[1]):
        for displacement in range(count):
            for row in range(rows):
                for column in range(columns):
                    y = (row + displacement // columns) % rows
                    index[row * columns + column] = (
                        y * columns + (column + displacement % columns) % columns
                    )
            for p in range(count):
                length[p] = lengths[1][image, index[p]]
                mask[p] = inside[p] * inside[index[p]]
            for c in range(len(other)):
                for p in range(count):
                    other[c, p] = others[image, c, index[p]]
            for k in range(len(two)):
                for p in range(count):
                    two[k, p] = fields[1][image, k, index[p]]
            for first in range(wanted.shape[0]):
                if not wanted[first, image]:
                    continue
                d[:], s[:], t[:] = 0, 0, 0
                for c in range(len(other)):
                    unit, partner = units[first, c], other[c]
                    for p in range(count):
                        d[p] += (unit[p] - partner[p]) * (unit[p] - partner[p])
                        s[p] += (unit[p] + partner[p]) * (unit[p] + partner[p])
                own = lengths[0][first]
                for p in range(count):
                    product = half * own[p] * length[p]
                    d[p] *= product
                    s[p] *= product
                one, at = fields[0][first], 0
                for layer in range(len(layers)):
                    a, b, e, f = layers[layer, 1:]
                    if layers[layer, 0] == 0:
                        g1, h1, g2, h2 = one[at], one[at + 1], two[at], two[at + 1]
                        at += 2
                        for p in range(count):
                            x, y, z = affine(
                                d[p], s[p], t[p], g1[p], h1[p], g2[p], h2[p], a, b, e, f
                            )
                            d[p], s[p], t[p] = x * mask[p], y * mask[p], z * mask[p]
                    elif layers[layer, 0] == 1:
                        x1, x2 = one[at], two[at]
                        at += 1
                        for p in range(count):
                            d[p], s[p], t[p] = piecewise_linear(
                                d[p], s[p], t[p], x1[p], x2[p], a, b,
                                angle, sine, polynomial, np.sqrt, select,
                            )  # fmt: skip
                    else:
                        at = box(work, margin, columns, int(a), e, one, two, at)
                        at = box(work, margin, 1, int(b), f, one, two, at)
                for p in range(count):
                    sums[first, image, 0, p] += half * (s[p] - d[p])
                    sums[first, image, 1, p] += t[p]


def box(work, margin, step, size, factor, one, two, at):
    """work[0] <- factor times the sum over positions p + a step, |a| <= size // 2, and the gap."""
    count = work.shape[2] - 2 * margin
    for k in range(3):
        total = work[1, k, margin : margin + count]
        start = margin - size // 2 * step
        first = work[0, k, start : start + count]
        for p in range(count):
            total[p] = factor * first[p]
        for tap in range(1, size):
            term = work[0, k, start + tap * step : start + tap * step + count]
            for p in range(count):
                total[p] += factor * term[p]
    here = slice(margin, margin + count)
    d, s = work[1, 0, here], work[1, 1, here]
    for _ in range(size - 1):
        g1, h1, g2, h2 = one[at], one[at + 1], two[at], two[at + 1]
        at += 2
        for p in range(count):
            cross = g1[p] * h2[p] - h1[p] * g2[p]
            d[p] += cross * cross
            s[p] += cross * cross
    work[0, :, here] = work[1, :, here]
    return at


def stack_float32(*arguments):
    stack(nine, *arguments)


def stack_float64(*arguments):
    stack(eighteen, *arguments)


def displaced_stack_float32(*arguments):
    displaced_stack(nine, *arguments)


def displaced_stack_float64(*arguments):
    displaced_stack(eighteen, *arguments)


@cache
def compiled(name: str, dtype: str) -> Callable:
    """ "stack" or "displaced_stack", without the first argument, as machine code for this dtype.

    One thread, sums in their order.
    """
    import numba
    from numba.extending import register_jitable

    for function in (
        affine, piecewise_linear, quadratic, select, half_squares, nine, eighteen, box, stack,
        displaced_stack,
    ):  # fmt: skip
        register_jitable(function)
    whole = globals()[f"{name}_{dtype}"]
    return numba.njit(cache=True, fastmath={"contract"}, error_model="numpy")(whole)
