"""Measurements for Bordelon, Canatar & Pehlevan (2020), arXiv 2002.02561.

Kernel regression on the sphere S^(d-1) with the ReLU NTK of L hidden layers (no bias, He scaling),
fit (K + ridge)^-1 y. Targets are random functions of one degree k, of unit power; the average over
them is taken exactly: with A = (K + ridge)^-1, P = P_k(X X^T) and K_2 the kernel of eigenvalues
mu^2, the error of one draw of X is

    E_k = 1 - 2 mu_k sum(A * P) + sum((A P A) * K_2)            (E_k(0) = 1)
    label noise of variance 1 adds sum((A A) * K_2); mode j holds sum((A P A) * N_j mu_j^2 P_j)

Everything is float64 on an absolute scale: nothing is fitted or rescaled. Networks are float32.
"""

from functools import cache

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev
from scipy.linalg import cho_factor, cho_solve
from scipy.ndimage import map_coordinates, spline_filter1d
from scipy.optimize import brentq

from widenets.ntk.architecture import fully_connected
from widenets.ntk.data import digits, flatten_images, gaussian, mnist, normalize_rows, sphere
from widenets.ntk.dynamics import eigensystem
from widenets.ntk.random import generator
from widenets.ntk.spectra import (
    Spectrum,
    fixed_point,
    legendre,
    multiplicity,
    output_errors,
    sphere_spectrum,
    target_errors,
    total_error,
    zonal_kernel,
)

DEGREES = (0, 1, 2, 3, 4)
# Parts whose arms share draws, and why.
PAIRED = {
    "modes": "the same errors are held against other theories: of the next sphere, of other "
    "degrees, of one more layer",
}
# Arms of `modes` that read the draws of another one.
REREAD = {"swapped": "theory", "next_sphere": "theory", "one_layer_more": "unlearned"}


# ------------------------------------------------------------------ kernel regression on spheres


def modes(*, arm: str, dimension: int, depth: int, ridge: float, samples: tuple, seeds):
    """E_k per degree, sample size and draw, beside the theory; samples of one draw are nested.

    x = p mu_k/kappa and collapsed = (1 - gamma) E_k (1 + x)^2 (1 for the theory). Arms: swapped,
    measured degrees 1..4 are read as 4..1; next_sphere, theory of S^d for draws on S^(d-1);
    one_layer_more, theory of depth + 1; anisotropic, normalized inputs that are not uniform.
    """
    spectrum = _spectrum(depth + (arm == "one_layer_more"), dimension + (arm == "next_sphere"))
    points = {p: fixed_point(spectrum, p, ridge) for p in samples}
    read_as = (0, 4, 3, 2, 1) if arm == "swapped" else DEGREES
    drawn = REREAD.get(arm, arm)
    for seed in seeds:
        errors = _mode_errors(seed, drawn, dimension, depth, ridge, tuple(samples))
        for p, measured in zip(samples, errors, strict=True):
            theory = target_errors(points[p], np.ones(spectrum.eigenvalues.size))
            for degree in DEGREES:
                error = measured[read_as[degree]]
                x = p * spectrum.eigenvalues[degree] / points[p].kappa
                yield {
                    "seed": seed,
                    "p": p,
                    "degree": degree,
                    "count": multiplicity(dimension, degree),
                    "error": error,
                    "theory": theory[degree],
                    "ratio": error / theory[degree],
                    "x": x,
                    "collapsed": (1 - points[p].gamma) * error * (1 + x) ** 2,
                }


@cache
def _mode_errors(seed, drawn, dimension, depth, ridge, samples) -> list[dict]:
    """E_k of each degree at each sample size, for one draw."""
    stream = generator(seed, "modes", drawn, dimension, depth)
    cosines = _cosines(stream, max(samples), dimension, drawn == "anisotropic")
    draw = _Draw(cosines, depth, dimension, DEGREES)
    return [draw.errors(p, ridge) for p in samples]


def leakage(*, arm: str, dimension: int, depth: int, samples: int, seeds):
    """Error found in output mode 1 for a target of degree 2 alone, and noise of unit variance.

    Theory: N_1 L_1^2 E_g/p and gamma/(1 - gamma). Arm unamplified: E_g without 1/(1 - gamma).
    """
    spectrum = _spectrum(depth, dimension)
    point = fixed_point(spectrum, samples)
    power = np.zeros(spectrum.eigenvalues.size)
    power[2] = 1.0
    expected = output_errors(point, power, spectrum.multiplicities)[1]
    expected *= 1 - point.gamma if arm == "unamplified" else 1
    for seed in seeds:
        stream = generator(seed, "leakage", arm, dimension, depth)
        draw = _Draw(_cosines(stream, samples, dimension), depth, dimension, (1, 2))
        found, noise = draw.leak(samples), draw.noise(samples, 0.0)
        amplified = point.gamma / (1 - point.gamma)
        yield {
            "seed": seed,
            "leak": found,
            "leak_theory": expected,
            "leak_ratio": found / expected,
            "noise_ratio": noise / amplified,
        }


def teacher(*, arm: str, dimension: int, depth: int, samples: tuple, seeds):
    """E_g of a target made of the kernel, f* = sum_i c_i K(x, x_i) with random c_i and x_i.

    Its power per degree is v_k^2 ~ N mu_k^2, whose average over c and x is taken exactly. Arm
    unamplified: the theory without 1/(1 - gamma), as if degrees were learned one by one.
    """
    spectrum = _spectrum(depth, dimension)
    power = spectrum.multiplicities * spectrum.eigenvalues**2
    power /= power.sum()
    per_function = power / spectrum.multiplicities
    for seed in seeds:
        stream = generator(seed, "teacher", arm, dimension, depth)
        cosines = _cosines(stream, max(samples), dimension)
        draw = _Draw(cosines, depth, dimension, ())
        covariance = _series(spectrum, per_function, dimension)(cosines)
        crossed = _series(spectrum, per_function * spectrum.eigenvalues, dimension)(cosines)
        for p in samples:
            error = draw.mean_error(p, 0.0, 1.0, covariance, crossed)
            point = fixed_point(spectrum, p)
            theory = total_error(point, power)
            theory *= 1 - point.gamma if arm == "unamplified" else 1
            yield {"seed": seed, "p": p, "error": error, "theory": theory, "ratio": error / theory}


def stages(*, arm: str, dimension: int, degree: int, depth: int, draws: int, seeds):
    """p_half, where E_k falls to 1/2, and in theory (arm high_dimension: theory alone).

    A seed has E_k from the mean over `draws` independent draws: one draw scatters by 1/d, so that
    low dimensions need more of them. Arm shuffled holds the measurement against the theory, and
    the number of harmonics, of the degree above.
    """
    spectrum = _spectrum(depth, dimension)
    held_against = degree + 1 if arm == "shuffled" else degree
    theory, count = _half(spectrum, held_against), multiplicity(dimension, held_against)
    center = _half(spectrum, degree)
    samples = np.unique((center * np.geomspace(0.7, 1.4, 6)).round().astype(int))
    for seed in seeds:
        half = theory
        if arm != "high_dimension":
            stream = generator(seed, "stages", arm, dimension, degree)
            errors = np.zeros(len(samples))
            for _ in range(draws):
                draw = _Draw(_cosines(stream, samples[-1], dimension), depth, dimension, (degree,))
                errors += [draw.errors(p, 0.0)[degree] / draws for p in samples]
            # nan, not an end of the grid, where E_k does not pass 1/2 within it
            half = np.exp(np.interp(-0.5, -errors, np.log(samples), left=np.nan, right=np.nan))
        yield {
            "seed": seed,
            "p_half": half,
            "theory": theory,
            "ratio": half / theory,
            "count": count,
            "over_count": half / count,
        }


def stage_formula(*, arm: str, dimension: int, degree: int, depth: int, seeds):
    """Closed form of one learning stage p = a N(d, l), d -> infinity, against the solver.

    l~ = sum_{k>l} B_k / B_l, k~ = ((1+l~-a) + sqrt((1+l~+a)^2 - 4a))/2, g = a/(a+k~)^2,
    E_l = (k~/(k~+a))^2/(1-g), E_{k>l} = 1/(1-g). Arm next_degree takes B_{l+1} for the sum in l~.
    """
    spectrum = _spectrum(depth, dimension)
    block = spectrum.eigenvalues * spectrum.multiplicities
    above = (block[degree + 1 :].sum() + spectrum.tail) / block[degree]
    above = block[degree + 1] / block[degree] if arm == "next_degree" else above
    count = spectrum.multiplicities[degree]
    for a in (0.25, 0.5, 1.5, 3.0, 6.0):
        kappa = ((1 + above - a) + np.sqrt((1 + above + a) ** 2 - 4 * a)) / 2
        gamma = a / (a + kappa) ** 2
        formula = (kappa / (kappa + a)) ** 2 / (1 - gamma) if kappa > 0 else 0.0
        point = fixed_point(spectrum, a * count)
        solver = target_errors(point, np.ones(block.size))[degree]
        for seed in seeds:
            yield {
                "seed": seed,
                "a": a,
                "formula": formula,
                "solver": solver,
                "ratio": solver / formula,
            }


def asymptotics(
    *, arm: str, dimension: int, depth: int, ridge: float, power: float, samples: tuple, seeds
):
    """Errors at large p: degree 1 (power = 0), or E_g for target power rho^-power per function.

    rho ranks the eigenfunctions of positive eigenvalue, rho ~ k^(d-1). The error at p is the mean
    over all disjoint sets of p of the draw's points: each has the law of a draw of p points.
    """
    spectrum = _spectrum(depth, dimension)
    counts = np.where(spectrum.eigenvalues > 0, spectrum.multiplicities, 0.0).astype(int)
    target = np.zeros(counts.size)
    if power == 0:
        target[1] = 1.0
    else:
        ends = np.cumsum(counts)
        sums = np.cumsum(np.arange(1.0, ends[-1] + 1) ** -power)
        target = np.diff(sums[ends - 1], prepend=0.0)
    for seed in seeds:
        stream = generator(seed, "asymptotics", arm, dimension, power)
        cosines = _cosines(stream, max(samples), dimension)
        draw = _Draw(cosines, depth, dimension, ())
        per_function = target / spectrum.multiplicities
        covariance = _series(spectrum, per_function, dimension)(cosines)
        crossed = _series(spectrum, per_function * spectrum.eigenvalues, dimension)(cosines)
        for p in samples:
            error = draw.mean_error(p, ridge, target.sum(), covariance, crossed)
            theory = total_error(fixed_point(spectrum, p, ridge), target)
            yield {"seed": seed, "p": p, "error": error, "theory": theory, "ratio": error / theory}


def noise(*, arm: str, dimension: int, depth: int, ridge: float, samples: tuple, seeds):
    """Error from label noise of unit variance; depth 0 is the linear kernel P_1 of rank d.

    Control arms hold the measurement against another theory: wrong_rank of a linear kernel of
    rank 2d, wrong_depth of one hidden layer.
    """
    spectrum = _spectrum(1 if arm == "wrong_depth" else depth, dimension)
    if arm == "wrong_rank":
        spectrum = Spectrum(np.array([0.5 / dimension]), np.array([2.0 * dimension]))
    for seed in seeds:
        stream = generator(seed, "noise", arm, dimension, depth)
        draw = _Draw(_cosines(stream, max(samples), dimension), depth, dimension, ())
        for p in samples:
            point = fixed_point(spectrum, p, ridge)
            yield {
                "seed": seed,
                "p": p,
                "over_count": p / dimension,
                "noise": draw.noise(p, ridge),
                "theory": point.gamma / (1 - point.gamma),
            }


# ------------------------------------------------------------------ networks and real data


def networks(*, arm: str, width: int, dimension: int, degree: int, samples: int, seeds):
    """Two-layer ReLU networks trained to zero loss on a pure degree, against their kernel.

    The same draw and target for both, errors on 4000 fresh points; f_0 is subtracted. Arm
    duplicated: 64 neurons copied to the full width.
    """
    # torch takes a second to import, which the other parts save
    from replications.bordelon2020_learning_curves.training import train

    spectrum = _spectrum(1, dimension)
    theory = target_errors(fixed_point(spectrum, samples), np.ones(spectrum.eigenvalues.size))
    kernel = _on_cosines(1)
    for seed in seeds:
        stream = generator(seed, "networks", arm, width, degree, samples)
        x = sphere(stream, samples, dimension)
        fresh = sphere(stream, 4000, dimension)
        axis = sphere(stream, 1, dimension)[0]
        scale = np.sqrt(multiplicity(dimension, degree))
        y, truth = (scale * legendre(dimension, degree, z @ axis)[degree] for z in (x, fresh))
        system = eigensystem(kernel(x @ x.T))
        solution = system.vectors @ (system.vectors.T @ y / system.values)
        of_kernel = np.mean((kernel(fresh @ x.T) @ solution - truth) ** 2)
        rate = 1.0 / system.values[-1]
        steps = int(np.ceil(7 * system.values[-1] / system.values[0]))
        outputs, loss = train(
            stream, x, y, fresh, width, rate, min(steps, 6000), 64 if arm == "duplicated" else width
        )
        of_network = np.mean((outputs - truth) ** 2)
        yield {
            "seed": seed,
            "network": of_network,
            "kernel": of_kernel,
            "theory": theory[degree],
            "ratio": of_network / of_kernel,
            "deviation": abs(of_network / of_kernel - 1),
            "train_loss": loss,
        }


def images(*, arm: str, data: str, pool: int, depth: int, samples: tuple, seeds, data_dir=None):
    """NTK regression of one-hot labels on a pool of real images, and theory from the pool's kernel.

    The measure is the pool's: p images are drawn from it without replacement and the error is over
    all of it. Groups are eigenfunctions 1-10, 11-100 and the rest; `output` is the theory of the
    error found there, `target` that of the error due to the target's part there, `held_out` the
    error outside the training images. Arms: permuted, labels shuffled in each draw; teacher, the
    labels are K times Gaussian vectors (v_r^2 ~ lambda_r^2); white, theory for equal eigenvalues.
    """
    kernel, values, vectors, labels = _pool(data, pool, depth, data_dir)
    pool = len(kernel)
    listed = np.full(pool, values.mean()) if arm == "white" else values
    spectrum = Spectrum(listed, np.ones(pool))
    points = {p: fixed_point(spectrum, p) for p in samples}
    edges = (0, 10, 100, pool)
    top = vectors[:, : edges[2]]  # what is not found in these is found in the last group
    y, power = labels, _power(vectors, labels)
    for seed in seeds:
        stream = generator(seed, "images", arm, data)
        if arm == "permuted":
            y = labels[stream.permutation(pool)]
        elif arm == "teacher":
            y = kernel @ stream.standard_normal(labels.shape) / pool
        if y is not labels:
            power = _power(vectors, y)
        total = power.sum()
        for p in samples:
            chosen = stream.choice(pool, p, replace=False)
            factor = cho_factor(kernel[np.ix_(chosen, chosen)] + 1e-10 * np.eye(p))
            residual = y - kernel[:, chosen] @ cho_solve(factor, y[chosen])
            in_all = np.sum(residual**2) / pool
            in_top = np.sum((top.T @ residual) ** 2, axis=1) / pool
            found = np.add.reduceat(in_top, edges[:2])
            found = np.append(found, in_all - found.sum())
            outputs = output_errors(points[p], power, np.ones(pool))
            targets = target_errors(points[p], power)
            unseen = np.delete(residual, chosen, axis=0)
            for group in range(3):
                part = slice(edges[group], edges[group + 1])
                yield {
                    "seed": seed,
                    "p": p,
                    "group": group + 1,
                    "error": found[group] / total,
                    "output": outputs[part].sum() / total,
                    "target": targets[part].sum() / total,
                    "output_ratio": found[group] / outputs[part].sum(),
                    "target_ratio": found[group] / targets[part].sum(),
                    "total": in_all / total,
                    "total_ratio": in_all / targets.sum(),
                    "held_out_ratio": np.mean(np.sum(unseen**2, axis=1)) / targets.sum(),
                }


# ------------------------------------------------------------------ helpers


def _power(vectors, y) -> np.ndarray:
    """Power of the targets y (pool, outputs) in each eigenfunction, summed over outputs."""
    return np.sum((vectors.T @ y) ** 2, axis=1) / len(y)


@cache
def _pool(data: str, count: int, depth: int, data_dir):
    """Kernel of the pool of images, its eigensystem over the pool's measure, one-hot labels."""
    images_ = digits() if data == "digits" else mnist("train", data_dir=data_dir, count=count)
    x = flatten_images(images_.images[:count])
    network = fully_connected(depth=depth, width=1, weight_variance=2.0, readout_weight_variance=1)
    kernel = np.asarray(network.kernel(x).ntk)
    system = eigensystem(kernel / len(x))
    values, vectors = system.values[::-1], system.vectors[:, ::-1]
    return kernel, values, vectors, np.eye(10)[images_.labels[:count]]


class _Draw:
    """Kernel matrices of one draw of inputs; sample size p takes the leading p points."""

    def __init__(self, cosines, depth: int, dimension: int, degrees: tuple):
        self.spectrum = _spectrum(depth, dimension)
        self.kernel = _on_cosines(depth)(cosines)
        self.squared = _squared(depth, dimension)(cosines)
        top = legendre(dimension, max(degrees, default=1), cosines)
        self.polynomials = {k: top[k] for k in degrees}

    def errors(self, p: int, ridge: float) -> dict:
        """E_k of each degree asked for."""
        inverse, weights = self._inverse(slice(p), ridge), self.spectrum.eigenvalues
        return {
            k: self._error(slice(p), inverse, 1.0, P, weights[k] * P)
            for k, P in self.polynomials.items()
        }

    def mean_error(self, p, ridge, total, covariance, crossed) -> float:
        """Mean over the disjoint sets of p points, covariance and crossed as in `_error`."""
        sets = [slice(first, first + p) for first in range(0, len(self.kernel) - p + 1, p)]
        return np.mean(
            [self._error(s, self._inverse(s, ridge), total, covariance, crossed) for s in sets]
        )

    def noise(self, p: int, ridge: float) -> float:
        inverse = self._inverse(slice(p), ridge)
        return float(np.sum((inverse @ inverse) * self.squared[:p, :p]))

    def leak(self, p: int) -> float:
        """Power that a target of degree 2 leaves in output degree 1."""
        inverse, spectrum = self._inverse(slice(p), 0.0), self.spectrum
        spread = inverse @ self.polynomials[2] @ inverse
        weight = spectrum.multiplicities[1] * spectrum.eigenvalues[1] ** 2
        return float(weight * np.sum(spread * self.polynomials[1]))

    def _inverse(self, points: slice, ridge: float) -> np.ndarray:
        """(K + ridge)^-1, or the pseudo-inverse where the kernel has less than p directions."""
        kernel = self.kernel[points, points]
        p, rank = len(kernel), self.spectrum.multiplicities.sum()
        block = kernel + ridge * np.eye(p)
        if ridge == 0 and self.spectrum.tail == 0 and p > rank:
            return np.linalg.pinv(block, rcond=1e-10, hermitian=True)
        return np.linalg.inv(block)

    def _error(self, points: slice, inverse, total, covariance, crossed) -> float:
        """From the target's covariance sum_k v_k^2 P_k, and crossed = sum_k mu_k v_k^2 P_k."""
        block = (points, points)
        spread = inverse @ covariance[block] @ inverse
        fitted = np.sum(spread * self.squared[block])
        return float(total - 2 * np.sum(inverse * crossed[block]) + fitted)


def _cosines(stream, count: int, dimension: int, anisotropic: bool = False) -> np.ndarray:
    raw = gaussian(stream, count, dimension)
    x = normalize_rows(raw * np.geomspace(0.2, 1.0, dimension) if anisotropic else raw, 1.0)
    cosines = np.clip(x @ x.T, -1.0, 1.0)
    np.fill_diagonal(cosines, 1.0)
    return cosines


@cache
def _zonal(depth: int):
    """The NTK of `depth` hidden layers as a function of the angle, trace depth + 1."""
    network = fully_connected(depth=depth, width=1, weight_variance=2.0, readout_weight_variance=1)
    return zonal_kernel(lambda a, b: network.kernel(a, b).ntk)


@cache
def _spectrum(depth: int, dimension: int) -> Spectrum:
    """Up to the degree from which on p mu_k << kappa (400 for d = 3), the rest as the tail."""
    if depth == 0:
        return Spectrum(np.array([0.0, 1.0 / dimension]), np.array([1.0, float(dimension)]))
    degrees = 400 if dimension < 5 else 100 if dimension < 8 else 40
    spectrum = sphere_spectrum(_zonal(depth), dimension, degrees)
    rounding = 1e-13 / np.sqrt(spectrum.multiplicities)  # of the odd degrees that vanish at L = 1
    values = np.where(spectrum.eigenvalues < rounding, 0.0, spectrum.eigenvalues)
    return spectrum._replace(eigenvalues=values)


@cache
def _on_cosines(depth: int):
    """The kernel on a matrix of cosines: its interpolant in the angle, exact to 1e-13."""
    if depth == 0:
        return lambda cosines: cosines
    return _in_angle(_zonal(depth), 40)


@cache
def _squared(depth: int, dimension: int):
    """K_2 = sum_k N mu_k^2 P_k on a matrix of cosines."""
    spectrum = _spectrum(depth, dimension)
    if depth == 0:
        return lambda cosines: cosines / dimension
    return _series(spectrum, spectrum.eigenvalues**2, dimension)


def _series(spectrum: Spectrum, values: np.ndarray, dimension: int):
    """sum_k N values_k P_k as a function of a matrix of cosines."""
    weights = np.trim_zeros(spectrum.multiplicities * values, "b")

    def of_cosine(cosines):
        return np.tensordot(weights, legendre(dimension, weights.size - 1, cosines), axes=1)

    if weights.size < 4:
        return of_cosine
    if weights.size < 80:
        return _in_angle(lambda angles: of_cosine(np.cos(angles)), 80)
    nodes = np.linspace(0, np.pi, 8001)
    return _spline(nodes, of_cosine(np.cos(nodes)))


def _spline(nodes: np.ndarray, values: np.ndarray):
    """The cubic spline of a function of the angle at equidistant nodes, as one of cosines.

    Errors of h^4 = 2e-14. Functions of a cosine are even at both ends, hence "mirror".
    """
    coefficients, spacing = spline_filter1d(values, mode="mirror"), nodes[1]

    def of_cosines(cosines):
        places = np.arccos(cosines)[None] / spacing
        return map_coordinates(coefficients, places, order=3, mode="mirror", prefilter=False)

    return of_cosines


def _in_angle(function, degree: int):
    interpolant = Chebyshev.interpolate(function, degree, domain=[0, np.pi])
    return lambda cosines: interpolant(np.arccos(np.clip(cosines, -1.0, 1.0)))


def _half(spectrum: Spectrum, degree: int) -> float:
    """p at which the theory's E_k/E_k(0) is 1/2."""

    def excess(log_p):
        point = fixed_point(spectrum, float(np.exp(log_p)))
        return target_errors(point, np.ones(spectrum.eigenvalues.size))[degree] - 0.5

    return float(np.exp(brentq(excess, 0.0, np.log(100 * spectrum.multiplicities[degree]))))
