"""The formulas of one pair of inputs, written once and run by two engines.

`affine`, `piecewise_linear` and `pooled_deficit` use + - * and the functions they are given. jax
traces them on arrays: any architecture, inside jit, differentiable. numba compiles them into loops
(`compiled`) that take a row of pairs through all layers while it is in the level-1 cache. A loop is
compiled once for every network, depth and size of images, and holds no lock while it runs.

numba is imported, and its code read from __pycache__ or compiled, at the first use of a loop.
All that loops call stays in this file: numba notices edits of the file whose code it keeps. They
write few arrays in each innermost loop: LLVM compares all of them for overlap before it vectorises,
and gives up beyond eight comparisons.
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


class Means(NamedTuple):
    """Mean over windows of rows x columns side by side; what is left at the far edges: dropped."""

    rows: int
    columns: int
    total: bool = False  # the sum instead


class Pool(NamedTuple):
    """Mean over all pairs of positions."""

    total: bool = False  # the sum instead


class Flat(NamedTuple):
    """Mean over the same positions of both."""


def affine(deficit, surplus, ntk, g1, h1, g2, h2, weight, bias, slope, constant):
    """`Affine`; (g, h) = half_angle(sqrt(weight q), sqrt(bias)) of each input, see `half_angle`."""
    cross = g1 * h2 - h1 * g2
    return sheared(deficit, surplus, ntk, cross * cross, weight, bias, slope, constant)


def sheared(deficit, surplus, ntk, gap, weight, bias, slope, constant):
    """`affine`, its gap known."""
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


SNAPPED = 16  # in units of eps sqrt(q q'): the rounding of sums over pairs of positions


def pooled_chords(covariance, q1, q2):
    """Deficit and surplus where the covariance K is a sum of its own, as after pooling.

    sqrt(q q') - K = (q - K) / 2 + (q' - K) / 2 - (sqrt q - sqrt q')^2 / 2, and 0 where only the
    rounding of q, q' and K is left of it: so for duplicates. An angle then is known to a few
    eps / angle (eps of the dtype), and to SNAPPED^(1/2) at worst.
    """
    roots, one = (safe_sqrt(q1), safe_sqrt(q2)), jnp.ones((), covariance.dtype)
    snapped = SNAPPED * jnp.finfo(covariance.dtype).eps
    deficit = pooled_deficit(covariance, q1, q2, *roots, snapped, 0 * one, one, jnp.where)
    return deficit, 2 * roots[0] * roots[1] - deficit


def pooled_deficit(covariance, q1, q2, root1, root2, snapped, zero, one, where):
    """The deficit of `pooled_chords`."""
    total = root1 + root2
    difference = (q1 - q2) / where(total > zero, total, one)
    deficit = ((q1 - covariance) + (q2 - covariance) - difference * difference) / (one + one)
    product = root1 * root2
    largest = product + product
    deficit = where(deficit < largest, deficit, largest)
    return where(deficit > snapped * product, deficit, zero)


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


def angle_of(a, b, quarter):
    """`chord.half_angle` of two numbers; quarter = 0.5^(1/4)."""
    g = np.sqrt(np.sqrt(a * a + b * b) + a)
    return quarter * g, (quarter * (b / g) if g > 0 else g)


def fields_of(variances, shape, inside, layers, fields):
    """What the layers need of each input: fills fields (inputs, ., positions) and the variances.

    variances (inputs, positions), in the order of `displaced_stack`: of what is read, then of what
    comes out. inside (2 positions,): 1 in the image, else 0, twice.
    """
    count, margin = variances.shape[1], 0
    for layer in range(len(layers)):
        if layers[layer, 0] == 2:
            reach = max(int(layers[layer, 1]) // 2 * shape[1], int(layers[layer, 2]) // 2)
            margin = max(margin, reach)
    one, zero, half = inside.dtype.type(1), inside.dtype.type(0), inside.dtype.type(0.5)
    quarter, before = np.sqrt(np.sqrt(half)), np.zeros(count + 2 * margin, inside.dtype)
    for image in range(len(variances)):
        q, own, at = variances[image], fields[image], 0
        for layer in range(len(layers)):
            a, b = layers[layer, 1], layers[layer, 2]
            if layers[layer, 0] == 0:
                g, h, root = own[at], own[at + 1], np.sqrt(b)
                at += 2
                for p in range(count):
                    g[p], h[p] = angle_of(np.sqrt(a * q[p]), root, quarter)
                for p in range(count):
                    q[p] = (a * q[p] + b) * inside[p]
            elif layers[layer, 0] == 1:
                inverse = own[at]
                at += 1
                for p in range(count):
                    inverse[p] = one / np.sqrt(q[p] + q[p]) if q[p] > 0 else zero
                for p in range(count):
                    q[p] = (a + b) * q[p]
            else:
                for axis in range(2):
                    size = int(layers[layer, 1 + axis])
                    step, factor = shape[1] if axis == 0 else 1, layers[layer, 3 + axis]
                    before[margin : margin + count] = q
                    start = margin - size // 2 * step
                    first = before[start : start + count]
                    for p in range(count):
                        q[p] = factor * first[p]
                    for tap in range(1, size):
                        term = before[start + tap * step : start + tap * step + count]
                        g, h = own[at], own[at + 1]
                        at += 2
                        for p in range(count):
                            new = factor * term[p]
                            g[p], h[p] = angle_of(np.sqrt(q[p]), np.sqrt(new), quarter)
                            q[p] += new
                for p in range(count):
                    q[p] *= inside[p]


def through(polynomial, d, s, t, gap, i, start, first, second, layers, angle, sine):
    """Pairs (i, start), (i, start + 1), ... through all layers, in place; gap is room for one."""
    at = 0
    for layer in range(len(layers)):
        a, b, e, f = layers[layer, 1:]
        if layers[layer, 0] == 0:
            x1, y1 = first[at, i], first[at + 1, i]
            x2, y2 = second[at, start:], second[at + 1, start:]
            at += 2
            for j in range(len(d)):
                cross = x1 * y2[j] - y1 * x2[j]
                gap[j] = cross * cross
            for j in range(len(d)):
                d[j], s[j], t[j] = sheared(d[j], s[j], t[j], gap[j], a, b, e, f)
        else:
            x1, x2 = first[at, i], second[at, start:]
            at += 1
            for j in range(len(d)):
                d[j], s[j], t[j] = piecewise_linear(
                    d[j], s[j], t[j], x1, x2[j], a, b, angle, sine, polynomial, np.sqrt, select
                )


def stack(
    polynomial, tile, tangent, symmetric, close, units, others, roots, fields, layers, angle, sine
):
    """tile: cosines of unit vectors `units` (n1, d) and `others` (n2, d); becomes K, tangent Theta.

    symmetric: units is others; what is right of the diagonal is computed and mirrored.
    close: pairs with |cosine| above it are taken from differences instead.
    roots: sqrt(q) of the inputs, (n1,) and (n2,). fields: what the layers need of each input, in
    the order of use, (., n1) and (., n2): (g, h) of an affine layer, inverse of an activation.
    layers (layers, 5): 0 and `Affine`, or 1 and `PiecewiseLinear`.
    """
    one, half = tile.dtype.type(1), tile.dtype.type(0.5)
    count = tile.shape[1]
    deficits, surpluses, gaps = (
        np.empty(count, tile.dtype),
        np.empty(count, tile.dtype),
        (np.empty(count, tile.dtype)),
    )
    for i in range(tile.shape[0]):
        start = i if symmetric else 0
        d, s, c, t = deficits[start:], surpluses[start:], tile[i, start:], tangent[i, start:]
        root, columns = roots[0][i], roots[1][start:]
        found = 0
        for j in range(len(c)):
            product = root * columns[j]
            found += abs(c[j]) > close
            d[j] = product - product * c[j]
            s[j] = product + product * c[j]
        if found:
            for j in range(len(c)):
                if abs(c[j]) > close:
                    product = root * columns[j]
                    d[j] = product * half_squares(units[i], others[start + j], -one)
                    s[j] = product * half_squares(units[i], others[start + j], one)
        if symmetric:
            d[0], s[0] = 0, root * root + root * root
        t[:] = 0
        through(
            polynomial, d, s, t, gaps[start:], i, start, fields[0], fields[1], layers, angle, sine
        )
        for j in range(len(c)):
            c[j] = half * (s[j] - d[j])
    if symmetric:
        mirror(tile)
        mirror(tangent)


def mirror(tile):
    """The lower triangle becomes the upper one, in squares that stay in the cache."""
    count = len(tile)
    for top in range(0, count, 32):
        for left in range(top, count, 32):
            for i in range(top, min(top + 32, count)):
                for j in range(max(left, i + 1), min(left + 32, count)):
                    tile[j, i] = tile[i, j]


def later_stack(polynomial, deficits, surpluses, tangents, fields, layers, angle, sine):
    """Pairs (n1, n2) through the layers, in place; deficits become K. Otherwise as `stack`."""
    half, gaps = deficits.dtype.type(0.5), np.empty(deficits.shape[1], deficits.dtype)
    for i in range(len(deficits)):
        d, s, t = deficits[i], surpluses[i], tangents[i]
        through(polynomial, d, s, t, gaps, i, 0, fields[0], fields[1], layers, angle, sine)
        for j in range(len(d)):
            d[j] = half * (s[j] - d[j])


def displaced_stack(
    polynomial, pairs, same, shifts, snapped, shape, margin, inside, units, others, before,
    variances, roots, fields, layers, angle, sine, cells, pooled, sums,
):  # fmt: skip
    """Pairs (k, 2) of images through the layers of a part, at all pairs of their positions.

    Positions (rows, columns) = shape are one row of numbers, an image and after each of its rows
    and below it a margin as wide as the largest window reaches, where all is zero. Position p of x
    is paired with p + shift of x', cyclic: shifts = 1 pairs equal positions alone, shifts =
    positions all of them, each pair once; windows never mix different shifts. Arrays of x' hold
    every row twice, so that a shift is where reading starts. same: both are one image, and only
    half of the shifts are computed.
    units, others (n, channels, .): unit vectors, of the first part; else without channels and
    before (k, 2, shift, p): K and Theta. variances q, roots sqrt(q), fields: see `fields_of`; two
    of each. layers: as `stack`, or 2, `Box` and its inverse sizes.
    Adds to sums (k, 3), float64: deficit, surplus and Theta over all pairs of positions; or, where
    cells (2 positions,) say to which position of the next part one belongs (-1: to none), K and
    Theta to pooled (k, 2, shift, p).
    """
    one, zero, count = inside.dtype.type(1), inside.dtype.type(0), shape[0] * shape[1]
    work = np.zeros((2, 3, count + 2 * margin), inside.dtype)
    mask, gap = np.empty(count, inside.dtype), np.empty(count, inside.dtype)
    total = np.zeros((3, count))
    here = slice(margin, margin + count)
    d, s, t = work[0, 0, here], work[0, 1, here], work[0, 2, here]
    for k in range(len(pairs)):
        i, j = pairs[k]
        first, second, own = fields[0][i], fields[1][j], roots[0][i]
        total[:] = 0
        for shift in range(shifts // 2 + 1 if same else shifts):
            twice = 2 if same and shift > 0 and 2 * shift != count else 1
            end = shift + count
            length, both = roots[1][j, shift:end], inside[shift:end]
            for p in range(count):
                mask[p] = inside[p] * both[p]
            if len(before) == 0:
                start_of_images(d, s, t, units[i], others[j], own, length, shift)
            else:
                q1, q2 = variances[0][i], variances[1][j, shift:end]
                covariance, tangent = before[k, 0, shift], before[k, 1, shift]
                for p in range(count):
                    d[p] = pooled_deficit(
                        covariance[p], q1[p], q2[p], own[p], length[p], snapped, zero, one, select
                    )
                for p in range(count):
                    product = own[p] * length[p]
                    s[p] = product + product - d[p]
                    t[p] = tangent[p]
            at = 0
            for layer in range(len(layers)):
                a, b, e, f = layers[layer, 1:]
                if layers[layer, 0] == 0:
                    gap[:] = 0
                    if b > 0:  # else there is none
                        add_gap(gap, first, second, at, shift)
                    at += 2
                    for p in range(count):
                        d[p], s[p], t[p] = sheared(d[p], s[p], t[p], gap[p], a, b, e, f)
                    for p in range(count):
                        d[p] *= mask[p]
                    for p in range(count):
                        s[p] *= mask[p]
                    for p in range(count):
                        t[p] *= mask[p]
                elif layers[layer, 0] == 1:
                    x1, x2 = first[at], second[at, shift:end]
                    at += 1
                    for p in range(count):
                        gap[p] = x1[p] * x2[p]
                    for p in range(count):
                        d[p], s[p], t[p] = piecewise_linear(
                            d[p], s[p], t[p], gap[p], one, a, b, angle, sine, polynomial, np.sqrt,
                            select,
                        )  # fmt: skip
                else:
                    fields_here = gap, first, second, shift
                    at = box(work[0], work[1], margin, shape[1], int(a), e, fields_here, at)
                    at = box(work[1], work[0], margin, 1, int(b), f, fields_here, at)
            if len(cells):
                push(d, s, t, cells, shift, twice == 2, pooled[k])
            else:
                weight = np.float64(twice)
                for p in range(count):
                    total[0, p] += weight * d[p]
                for p in range(count):
                    total[1, p] += weight * s[p]
                for p in range(count):
                    total[2, p] += weight * t[p]
        for n in range(3):
            sums[k, n] += total[n].sum()


def start_of_images(d, s, t, units, others, own, length, shift):
    """Deficit and surplus from the distances of unit vectors; Theta = 0."""
    half = d.dtype.type(0.5)
    d[:], s[:], t[:] = 0, 0, 0
    for c in range(len(units)):
        unit, partner = units[c], others[c, shift : shift + len(d)]
        for p in range(len(d)):
            minus, plus = unit[p] - partner[p], unit[p] + partner[p]
            d[p] += minus * minus
            s[p] += plus * plus
    for p in range(len(d)):
        product = half * own[p] * length[p]
        d[p] *= product
        s[p] *= product


def push(d, s, t, cells, shift, mirrored, pooled):
    """Adds K and Theta to the cells of both positions; mirrored: and to those of (x', x)."""
    half, count = d.dtype.type(0.5), pooled.shape[1]
    for p in range(len(d)):
        one, two = cells[p], cells[p + shift]
        if one >= 0 and two >= 0:
            covariance, away = half * (s[p] - d[p]), (two - one) % count
            pooled[0, away, one] += covariance
            pooled[1, away, one] += t[p]
            if mirrored:
                away = (one - two) % count
                pooled[0, away, two] += covariance
                pooled[1, away, two] += t[p]


def add_gap(gap, first, second, at, shift):
    """gap + (g h' - h g')^2 of one pair of fields."""
    g1, h1, end = first[at], first[at + 1], shift + len(gap)
    g2, h2 = second[at, shift:end], second[at + 1, shift:end]
    for p in range(len(gap)):
        cross = g1[p] * h2[p] - h1[p] * g2[p]
        gap[p] += cross * cross


def box(source, result, margin, step, size, factor, here, at):
    """result <- factor times the sum of source at p + a step, |a| <= size // 2, and the gap."""
    gap, first, second, shift = here
    count = len(gap)
    gap[:] = 0
    for _ in range(size - 1):
        add_gap(gap, first, second, at, shift)
        at += 2
    for k in range(3):
        total = result[k, margin : margin + count]
        start = margin - size // 2 * step
        if size == 3:
            a, b = source[k, start : start + count], source[k, start + step : start + step + count]
            c = source[k, start + 2 * step : start + 2 * step + count]
            for p in range(count):
                total[p] = factor * (a[p] + b[p] + c[p])
        else:
            total[:] = 0
            for tap in range(size):
                term = source[k, start + tap * step : start + tap * step + count]
                for p in range(count):
                    total[p] += factor * term[p]
        if k < 2:
            for p in range(count):
                total[p] += gap[p]
    return at


def stack_float32(*arguments):
    stack(nine, *arguments)


def stack_float64(*arguments):
    stack(eighteen, *arguments)


def later_stack_float32(*arguments):
    later_stack(nine, *arguments)


def later_stack_float64(*arguments):
    later_stack(eighteen, *arguments)


def displaced_stack_float32(*arguments):
    displaced_stack(nine, *arguments)


def displaced_stack_float64(*arguments):
    displaced_stack(eighteen, *arguments)


def fields_of_float32(*arguments):
    fields_of(*arguments)


def fields_of_float64(*arguments):
    fields_of(*arguments)


PARTS = (
    affine, sheared, piecewise_linear, pooled_deficit, quadratic, select, half_squares, nine,
    eighteen, angle_of, fields_of, through, mirror, box, add_gap, push, start_of_images, stack,
    later_stack, displaced_stack,
)  # fmt: skip


@cache
def compiled(name: str, dtype: str) -> Callable:
    """A loop, without its argument `polynomial`, as machine code for this dtype.

    One thread, sums in their order.
    """
    import numba
    from numba.extending import register_jitable

    # Inlined by numba itself. LLVM would take some from the copy that it compiled for another loop,
    # or not, depending on what is read from the disk: other bits in the first process than later.
    for function in PARTS:
        register_jitable(forceinline=True)(function)
    whole = globals()[f"{name}_{dtype}"]
    options = {"cache": True, "nogil": True, "error_model": "numpy"}
    return numba.njit(fastmath={"contract"}, **options)(whole)
