r"""The infinite-width limit of descent with feature learning (dynamical mean-field theory).

A network with L hidden layers of width N, weights N(0, 1), and richness g0 (Bordelon & Pehlevan
2022):

    h^1 = W^0 x / sqrt D,   h^{l+1} = W^l phi(h^l) / sqrt N,   f = w . phi(h^L) / (g0 N),

trained by descent on (1/2) sum (y - f)^2 at the rate eta g0^2 N. For N -> infinity at fixed g0 the
neurons of a layer are independent draws of one process, exactly so in discrete time:

    h^{l+1}(t) = u + sum_{s<t} [A^l(t,s) + eta g0 Phi^l(t,s) Delta(s)] g^{l+1}(s)
    z^l(t)     = r + sum_{s<=t} B^l(t,s) phi(h^l(s))
                   + eta g0 sum_{s<t} G^{l+1}(t,s) Delta(s) phi(h^l(s)),   g^l = phi'(h^l) z^l

with u ~ GP(Phi^l), r ~ GP(G^{l+1}), Phi^l = <phi(h^l)^2>, G^l = <(g^l)^2>, Delta = y - f, the
responses A^l = <d phi(h^l) / d r^l>, B^l = <d g^{l+1} / d u^{l+1}>, A^0 = B^L = 0, and

    f = <z^L phi(h^L)> / g0,   K = sum_{l=0..L} G^{l+1} Phi^l,   Phi^0 = x.x'/D,   G^{L+1} = 1.

In the order h^1 .. h^L, z^L .. z^1, t -> t+1 all right-hand sides are known: one pass solves it,
nothing is iterated. Linear networks are exact algebra, smooth activations are sampled. Arrays over
times and inputs are flattened to rows t P + input inside; float64, Jacobians of samples float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import erf, ndtr, ndtri
from scipy.stats import qmc

from widenets.ntk.checks import checked_count, checked_number

SCRAMBLES = 4  # independent scrambles of the Sobol points, for the standard error
PIVOT = 1e-10  # of a conditional variance: below it a field is a function of the earlier ones


@dataclass(frozen=True)
class Limit:
    """The limit along training; row t is after t steps, row 0 the start, T = steps + 1.

    prediction      (T, P)  f
    features        L arrays (T, P, T, P), Phi^l for l = 1..L
    gradients       L arrays (T, P, T, P), G^l for l = 1..L
    tangent         (T, P, P)  K, of equal times
    standard_error  (T, P) of the prediction; 0 where the algebra is exact
    """

    prediction: np.ndarray
    features: tuple[np.ndarray, ...]
    gradients: tuple[np.ndarray, ...]
    tangent: np.ndarray
    standard_error: np.ndarray


class Smooth(NamedTuple):
    """An activation with its first two derivatives."""

    value: Callable
    slope: Callable
    second: Callable


def _density(x):
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


ACTIVATIONS = {
    "tanh": Smooth(
        np.tanh,
        lambda x: 1 - np.tanh(x) ** 2,
        lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2),
    ),
    "erf": Smooth(
        erf,
        lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2)),
        lambda x: -4 / np.sqrt(np.pi) * x * np.exp(-(x**2)),
    ),
    "gelu": Smooth(
        lambda x: x * ndtr(x),
        lambda x: ndtr(x) + x * _density(x),
        lambda x: _density(x) * (2 - x**2),
    ),
    "relu": Smooth(  # of one hidden layer only, which has no responses and asks for no second
        lambda x: np.maximum(x, 0.0), lambda x: (x > 0).astype(float), np.zeros_like
    ),
}


def feature_learning_limit(
    gram, targets, depth: int, activation: str, richness: float, rate: float, steps: int, *,
    mask=None, schedule=None, samples: int = 4096, seed: int = 0, responses: bool = True,
    follow_kernel: bool | None = None,
) -> Limit:  # fmt: skip
    """The limit of networks of `depth` hidden layers over `steps` steps of gradient descent.

    gram       (P, P) x.x'/D of all inputs, those of no target among them
    targets    (P,); activation: linear (exact), tanh, erf, gelu, or relu (depth 1)
    richness   g0 > 0; g0 -> 0 is the frozen tangent kernel. rate: eta
    mask       (P,) or (steps, P): 1 where the error drives the step, 0 for test points (default: 1)
    schedule   (steps,) factors of the rate
    samples    an even number per scramble (of which there are 4; powers of 2 are best); the error
               falls nearly as 1 / samples. Memory: 16 (L - 1) samples (T P)^2 bytes
    responses  False leaves A and B out (gradient independence), which is wrong for L > 1
    follow_kernel  True: f(t+1) = f(t) + eta K(t) Delta(t), the equation of gradient flow, in the
               place of <z phi> / g0; the default where responses are left out, since without them
               <z phi> / g0 is wrong at first order already

    ValueError: arguments that do not fit; relu of more than one hidden layer.
    """
    problem = _checked(gram, targets, richness, rate, steps, mask, schedule)
    depth = checked_count(depth, "depth")
    follow = not responses if follow_kernel is None else follow_kernel
    if activation == "linear":
        layers = [_Linear(problem.size) for _ in range(depth)]
        found = _causal_pass(problem, layers, responses, follow)
        return Limit(*found, np.zeros_like(found[0]))
    smooth = _checked_activation(activation, depth)
    samples = checked_count(samples, "samples", least=2)
    if samples % 2:
        raise ValueError(f"samples must be even (both signs of r are taken), found {samples}")
    runs = []
    for scramble in range(SCRAMBLES):
        layers = [
            _Sampled(problem.size, smooth, samples, (seed, scramble, index), needed)
            for index, needed in enumerate(_needed_responses(depth, responses))
        ]
        runs.append(_causal_pass(problem, layers, responses, follow))
    predictions = np.array([run[0] for run in runs])
    means = (np.mean(parts, axis=0) for parts in zip(*runs, strict=True))
    prediction, features, gradients, tangent = means
    error = predictions.std(axis=0, ddof=1) / np.sqrt(SCRAMBLES)
    return Limit(prediction, tuple(features), tuple(gradients), tangent, error)


class _Problem(NamedTuple):
    gram: np.ndarray  # (P, P)
    targets: np.ndarray  # (P,)
    richness: float
    rate: float
    weights: np.ndarray  # (T, P): mask times schedule; the last row drives nothing

    @property
    def size(self) -> int:
        return self.weights.size


def _checked(gram, targets, richness, rate, steps, mask, schedule) -> _Problem:
    gram, targets = np.asarray(gram, float), np.asarray(targets, float)
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1] or not np.isfinite(gram).all():
        raise ValueError(f"gram must be finite numbers of shape (P, P), found shape {gram.shape}")
    if np.abs(gram - gram.T).max() > 1e-12 * np.abs(gram).max():
        raise ValueError("gram must be symmetric: the inner products of all pairs of inputs")
    points = len(gram)
    if targets.shape != (points,) or not np.isfinite(targets).all():
        raise ValueError(f"targets must be {points} finite numbers, found shape {targets.shape}")
    richness = checked_number(richness, "richness")
    if richness <= 0:
        raise ValueError(f"richness must be positive (1e-3 is nearly lazy), found {richness}")
    rate, steps = checked_number(rate, "rate"), checked_count(steps, "steps", least=0)
    mask = np.ones(points) if mask is None else np.asarray(mask, float)
    if mask.shape not in ((points,), (steps, points)):
        raise ValueError(
            f"mask must have shape ({points},) or ({steps}, {points}), found {mask.shape}"
        )
    factors = np.ones(steps) if schedule is None else np.asarray(schedule, float)
    if factors.shape != (steps,):
        raise ValueError(f"schedule must be {steps} factors, found shape {factors.shape}")
    weights = np.zeros((steps + 1, points))
    weights[:-1] = factors[:, None] * mask
    return _Problem(gram, targets, richness, rate, weights)


def _checked_activation(activation: str, depth: int) -> Smooth:
    if activation not in ACTIVATIONS:
        known = ", ".join(["linear", *ACTIVATIONS])
        raise ValueError(f"activation must be one of {known}, found {activation!r}")
    if activation == "relu" and depth > 1:
        raise ValueError(
            "activation relu needs depth 1: beyond it responses contain its second derivative, "
            "a delta at 0, which samples cannot see; take gelu or tanh"
        )
    return ACTIVATIONS[activation]


def _needed_responses(depth: int, responses: bool) -> list[tuple[bool, bool]]:
    """Of each layer: whether A^l (to r) and B^{l-1} (to u) are needed; A^L and B^0 never are."""
    return [(responses and i < depth - 1, responses and i > 0) for i in range(depth)]


def _causal_pass(problem: _Problem, layers: list, responses: bool, follow: bool) -> tuple:
    """prediction, features, gradients, tangent: h^1 .. h^L, then z^L .. z^1, time by time."""
    times, points = problem.weights.shape
    size, strength = problem.size, problem.rate * problem.richness
    inputs, ones = np.tile(problem.gram, (times, times)), np.ones((size, size))
    none = np.zeros((size, size))
    features = [inputs, *(layer.features for layer in layers)]  # Phi^0 .. Phi^L
    gradients = [*(layer.gradients for layer in layers), ones]  # G^1 .. G^{L+1}
    to_r = [none, *(layer.to_r for layer in layers)]  # A^0 .. A^{L-1} are used
    to_u = [*(layer.to_u for layer in layers), none]  # B^{l-1} of layer l; B^L = 0
    prediction = np.zeros((times, points))
    tangent = np.zeros((times, points, points))
    error = np.zeros(size)  # Delta times mask and schedule
    for time in range(times):
        past, now = slice(0, time * points), slice(time * points, (time + 1) * points)
        seen = slice(0, now.stop)
        for index, layer in enumerate(layers):
            coupling = strength * features[index][now, past] * error[past]
            coupling += responses * to_r[index][now, past]
            layer.forward(now, features[index], gradients[index + 1], coupling)
        for index, layer in reversed(list(enumerate(layers))):
            coupling = responses * to_u[index + 1][now, seen]
            coupling[:, past] += strength * gradients[index + 1][now, past] * error[past]
            layer.backward(now, features[index], gradients[index + 1], coupling)
        pairs = zip(gradients, features, strict=True)
        tangent[time] = sum(g[now, now] * phi[now, now] for g, phi in pairs)
        if not follow:
            prediction[time] = layers[-1].overlap / problem.richness
        elif time:
            moved = tangent[time - 1] @ error[now.start - points : now.start]
            prediction[time] = prediction[time - 1] + problem.rate * moved
        error[now] = problem.weights[time] * (problem.targets - prediction[time])
    shape = (times, points, times, points)
    unfolded = [[a.reshape(shape) for a in group] for group in (features[1:], gradients[:-1])]
    return prediction, *map(tuple, unfolded), tangent


class _Linear:
    """A layer of a linear network: h and z as coefficients (T P, 2 T P) on (u, r)."""

    def __init__(self, size: int):
        self.h, self.z = np.zeros((2, size, 2 * size))
        self.features, self.gradients = np.zeros((2, size, size))
        self.to_r, self.to_u = self.h[:, size:], self.z[:, :size]

    def forward(self, now: slice, below, above, coupling: np.ndarray) -> None:
        """h = u + coupling g(past), and Phi. No r of `now` is in it, whose variance is unknown."""
        self.h[now] = coupling @ self.z[: now.start]
        self.h[now, now] += np.eye(now.stop - now.start)
        _put(self.features, now, self._covariance(self.h, self.h, now, below, above))

    def backward(self, now: slice, below, above, coupling: np.ndarray) -> None:
        """z = r + coupling h(past and now), and G."""
        size, seen = len(self.h), slice(0, now.stop)
        self.z[now] = coupling @ self.h[seen]
        self.z[now, size + now.start : size + now.stop] += np.eye(now.stop - now.start)
        _put(self.gradients, now, self._covariance(self.z, self.z, now, below, above))
        products = self._covariance(self.z, self.h, now, below, above)
        self.overlap = products[:, now].diagonal()

    @staticmethod
    def _covariance(one, other, now: slice, below, above) -> np.ndarray:
        """<one(now) other(seen)>, (P, seen), with <u u> = below, <r r> = above."""
        size, seen = len(one), slice(0, now.stop)
        of_r = slice(size, size + now.stop)
        found = one[now, seen] @ below[seen, seen] @ other[seen, seen].T
        return found + one[now, of_r] @ above[seen, seen] @ other[seen, of_r].T


def _put(symmetric: np.ndarray, now: slice, rows: np.ndarray) -> None:
    symmetric[now, : now.stop] = rows
    symmetric[: now.stop, now] = rows.T


class _Sampled:
    """A layer of smooth neurons, each a sample of the process; columns are samples.

    Every draw of r stands beside -r: what is odd in it averages to 0 exactly, at any richness.
    needed: whether A^l and B^{l-1} are.
    """

    def __init__(self, size: int, smooth: Smooth, samples: int, seed: tuple, needed: tuple):
        if 2 * size > qmc.Sobol.MAXDIM:
            raise ValueError(
                f"(steps + 1) times inputs must be at most {qmc.Sobol.MAXDIM // 2}, found {size}"
            )
        uniform = qmc.Sobol(2 * size, seed=np.random.default_rng(seed)).random(samples // 2)
        normal = ndtri(uniform.T + 2.0**-32)  # these are multiples of 2^-30 below 1
        signs = np.tile([[1], [-1]], (size, 1))  # of u in even rows, of r in odd ones
        normals = _Normals(np.hstack([normal, signs * normal]))
        self.smooth = smooth
        self.u, self.r = _Field(normals, 0), _Field(normals, 1)  # even rows, odd rows
        self.h, self.z, self.phi, self.g = np.zeros((4, size, samples))
        self.features, self.gradients = np.zeros((2, size, size))
        self.to_r, self.to_u = np.zeros((2, size, size))
        self.by_r, self.by_u = (_Jacobian(size, samples) if need else None for need in needed)

    def forward(self, now: slice, below, above, coupling: np.ndarray) -> None:
        """h = u + coupling g(past), Phi, and A."""
        seen = slice(0, now.stop)
        h = self.u.extended(now, below) + coupling @ self.g[: now.start]
        self.h[now], self.phi[now] = h, self.smooth.value(h)
        _put(self.features, now, self.phi[now] @ self.phi[seen].T / h.shape[1])
        slope = self.smooth.slope(h)
        if self.by_r:
            self.to_r[now, seen] = self.by_r.forward(now, coupling, slope, own=0)
        if self.by_u:
            self.by_u.forward(now, coupling, slope, own=1)

    def backward(self, now: slice, below, above, coupling: np.ndarray) -> None:
        """z = r + coupling phi(past and now), g = phi' z, G, and B of the layer below."""
        seen = slice(0, now.stop)
        z = self.r.extended(now, above) + coupling @ self.phi[seen]
        slope, second = self.smooth.slope(self.h[now]), self.smooth.second(self.h[now])
        self.z[now], self.g[now] = z, slope * z
        _put(self.gradients, now, self.g[now] @ self.g[seen].T / z.shape[1])
        self.overlap = (z * self.phi[now]).mean(axis=1)
        if self.by_u:
            self.to_u[now, seen] = self.by_u.backward(now, coupling, slope, second * z, own=0)
        if self.by_r:
            self.by_r.backward(now, coupling, slope, second * z, own=1)


class _Normals:
    """Normal numbers under the two fields of a layer, (rows, samples), made exact as they are used.

    Rows in use have exactly mean 0, variance 1 and no covariance over the samples: averages of what
    is linear or quadratic in them have no error.
    """

    def __init__(self, rows: np.ndarray):
        self.rows = rows
        self.used: list[int] = []

    def use(self, index: int) -> None:
        samples = self.rows.shape[1]
        if 4 * len(self.used) + 8 > samples:
            raise ValueError(
                f"samples must be more, {4 * len(self.rows) + 8} are enough for so many steps and "
                f"inputs, found {samples}"
            )
        known = self.rows[self.used]
        fresh = self.rows[index] - self.rows[index].mean()
        fresh = fresh - (known @ fresh / samples) @ known
        self.rows[index] = fresh / np.sqrt(np.mean(fresh**2))
        self.used.append(index)


class _Field:
    """Samples of a Gaussian process that is continued row by row; each row has its own numbers."""

    def __init__(self, normals: _Normals, first: int):
        self.normals, self.first = normals, first
        size = len(normals.rows) // 2
        self.factor = np.zeros((size, size))  # of Cholesky; a row that is no pivot has no column
        self.pivots: list[int] = []  # rows that brought something new

    def extended(self, now: slice, covariance: np.ndarray) -> np.ndarray:
        """The rows `now` given all before, (P, samples)."""
        for row in range(now.start, now.stop):
            pivots = list(self.pivots)
            if pivots:
                triangle = self.factor[np.ix_(pivots, pivots)]
                known = solve_triangular(triangle, covariance[row, pivots], lower=True)
                self.factor[row, pivots] = known
            left = covariance[row, row] - self.factor[row] @ self.factor[row]
            if left > PIVOT * covariance[row, row]:
                self.factor[row, row] = np.sqrt(left)
                self.pivots.append(row)
                self.normals.use(self.first + 2 * row)
        rows = self.normals.rows[self.first :: 2]
        return self.factor[now][:, self.pivots] @ rows[self.pivots]


class _Jacobian:
    """d phi(h(t)) and d g(t) by u(s) or r(s) of every sample: (T P, T P x samples), float32."""

    def __init__(self, size: int, samples: int):
        self.phi, self.g = np.zeros((2, size, size * samples), np.float32)
        self.samples = samples

    def forward(self, now: slice, coupling, slope, own: int) -> np.ndarray:
        """d h = own + coupling d g, d phi = phi' d h; the mean of d phi, (P, seen)."""
        before = now.start * self.samples
        self.moved = self._with_own(now, np.float32(coupling) @ self.g[: now.start, :before], own)
        return self._kept(self.phi, now, np.float32(slope)[:, None] * self.moved)

    def backward(self, now: slice, coupling, slope, curved, own: int) -> np.ndarray:
        """d z = own + coupling d phi, d g = phi'' z d h + phi' d z; the mean of d g, (P, seen)."""
        until = now.stop * self.samples
        d_z = self._with_own(now, np.float32(coupling) @ self.phi[: now.stop, :until], own)
        d_g = np.float32(curved)[:, None] * self.moved + np.float32(slope)[:, None] * d_z
        return self._kept(self.g, now, d_g)

    def _with_own(self, now: slice, products, own: int) -> np.ndarray:
        """(P, seen, samples) of coupling times Jacobian, plus `own` for the variable of the row."""
        points = now.stop - now.start
        found = np.zeros((points, now.stop, self.samples), np.float32)
        columns = products.shape[1] // self.samples
        found[:, :columns] = products.reshape(points, columns, self.samples)
        found[range(points), range(now.start, now.stop)] += own
        return found

    def _kept(self, where: np.ndarray, now: slice, found: np.ndarray) -> np.ndarray:
        where[now, : now.stop * self.samples] = found.reshape(len(found), -1)
        return found.mean(axis=2)
