"""Measurements for Cao, Fang, Wu, Zhou & Gu (2019), arXiv 1912.01198.

f(x) = m^-1/2 sum_r v_r relu(<w_r, x>), w_r ~ N(0, 2 I), v_r ~ N(0, 1), both layers trained on
1/2 sum_i q_i (y_i - f(x_i) + f_0(x_i))^2 with sum_i q_i = 1: the paper's network (sqrt(m) W_2
relu(W_1 x), variances 2/m and 1/m, step eta/m) in its own limit kernel

    kappa(t) = t kappa_0(t) + 2 kappa_1(t),    kappa(1) = 3/2.

D is the ambient dimension: the paper's S^d is S^(D-1). Subtracting f_0 keeps the residual at the
start equal to the target. Training is float32 in torch (one preallocated activation buffer);
kernels and spectra are float64.
"""

from collections.abc import Sequence
from functools import cache

import jax
import numpy as np
import torch

from shared.ntk.architecture import abs_, fully_connected, relu
from shared.ntk.data import gaussian, normalize_rows, sphere
from shared.ntk.dynamics import eigensystem, kernel_flow, mode_decay
from shared.ntk.empirical import dense_kernels
from shared.ntk.harmonics import (
    degree_power,
    degree_projector,
    legendre,
    multiplicities,
    multiplicity,
    sphere_grid,
)
from shared.ntk.learning_curve import fixed_point
from shared.ntk.random import generator
from shared.ntk.spectrum import (
    sphere_spectrum,
    two_layer_relu_eigenvalues,
    zonal_eigenvalues,
    zonal_kernel,
)

# Weights of t kappa_0, kappa_1 and (trained bias) kappa_0 in each arm's kernel.
KERNELS = {
    "theory": (1.0, 2.0, 0.0),
    "bias": (1.0, 2.0, 1.0),
    "standard": (2.0, 2.0, 0.0),
    "readout_only": (0.0, 2.0, 0.0),
    "first_only": (1.0, 0.0, 0.0),
}
LEVELS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, float(np.exp(-1)))
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


# ------------------------------------------------------------------ the spectrum, no network


def spectrum(*, arm: str, dimension: int, max_degree: int, seeds):
    """Eigenvalues of an arm's kernel: quadrature of the architecture's kernel, closed form."""
    if arm == "two_hidden_layers":
        deep = fully_connected(depth=2, width=1, weight_variance=2.0, readout_weight_variance=1.0)
        quadrature = zonal_eigenvalues(
            zonal_kernel(lambda a, b: deep.kernel(a, b).ntk), dimension, max_degree
        )
        closed = np.full(max_degree + 1, np.nan)
    else:
        quadrature = zonal_eigenvalues(zonal_kernel(_kernel_of(arm)), dimension, max_degree)
        closed = _eigenvalues(arm, dimension, max_degree)
    paper = _eigenvalues("theory", dimension, max_degree)
    counts = multiplicities(dimension, max_degree)
    for degree in range(max_degree + 1):
        for seed in seeds:
            yield {
                "seed": seed,
                "degree": degree,
                "multiplicity": counts[degree],
                "eigenvalue": quadrature[degree],
                "closed_form": closed[degree],
                "error": abs(quadrature[degree] - paper[degree]),
            }


def decay(*, arm: str, kernel: str, dimension: int, degree: int, seeds):
    """Local slope of log mu_k in log k over even degrees from `degree` to twice that."""
    degrees = np.arange(degree, 2 * degree + 1, 2)
    values = _eigenvalues(kernel, dimension, 2 * degree)[degrees]
    slope = np.polyfit(np.log(degrees), np.log(values), 1)[0]
    for seed in seeds:
        yield {"seed": seed, "slope": slope, "slope_plus_dimension": slope + dimension}


def dimension_order(*, arm: str, degree: int, seeds):
    """mu_k against d = D - 1 at fixed degree; the arm growing_trace multiplies kappa by d."""
    for exponent in range(5, 13):
        d = 2**exponent
        value = _eigenvalues("theory", d + 1, degree)[degree]
        value *= d if arm == "growing_trace" else 1.0
        count = multiplicity(d + 1, degree)
        for seed in seeds:
            yield {"seed": seed, "d": d, "eigenvalue": value, "trace_share": value * count}


# ------------------------------------------------------------------ kernel matrices


def clusters(*, arm: str, points: int, seeds):
    """Eigenvalues of the kernel matrix on S^2, grouped by the predicted multiplicities.

    spread = (largest - smallest)/mean inside the group of degree k, gap = first of the next group
    over the last of this one. Points: a randomly turned product grid, or random points.
    """
    degrees = np.array([0, 1, 2, 4, 6, 8])
    ends = np.cumsum(2 * degrees + 1)
    for seed in seeds:
        stream = generator(seed, "clusters", arm, points)
        if arm == "theory":
            x, weights = sphere_grid(points, 2 * points)
            x = x @ np.linalg.qr(stream.standard_normal((3, 3)))[0]
        else:
            x, weights = sphere(stream, points, 3), np.full(points, 1 / points)
        root = np.sqrt(weights)
        values = np.linalg.eigvalsh(root[:, None] * _limit(x) * root)[::-1]
        for degree, end in zip(degrees, ends, strict=True):
            group = values[end - 2 * degree - 1 : end]
            yield {
                "seed": seed,
                "degree": degree,
                "eigenvalue": group.mean(),
                "spread": np.ptp(group) / group.mean(),
                "gap": values[end] / group[-1],
            }


def sampled(*, arm: str, dimension: int, samples: int, seeds):
    """U-statistic of kappa(t) P_k(t) over pairs of random points, against the paper's mu_k."""
    degrees = (0, 1, 2, 4)
    paper = _eigenvalues("theory", dimension, max(degrees))
    for seed in seeds:
        x = sphere(generator(seed, "sampled", arm, dimension), samples, dimension)
        kernel = _kernel_of(arm)(_scaled(x), _scaled(x))
        np.fill_diagonal(kernel, 0.0)
        polynomials = legendre(dimension, max(degrees), np.clip(x @ x.T, -1, 1))
        for degree in degrees:
            value = float(np.vdot(kernel, polynomials[degree])) / (samples * (samples - 1))
            yield {
                "seed": seed,
                "degree": degree,
                "estimate": value,
                "eigenvalue": paper[degree],
                "ratio": value / paper[degree],
            }


def network(*, arm: str, width: int, latitudes: int, seeds):
    """K_0 of networks at initialization on S^2: traces per degree and spread of the eigenvalues.

    ratio = tr(Pi_k K_0)/tr(Pi_k kappa), both on the grid, whose aliasing of the tail cancels;
    spread = |Pi_k K_0 Pi_k - mean Pi_k|_F / (sqrt(N_k) mu_k).
    Arms: standard, both layers at equal rates, 2 t kappa_0 + 2 kappa_1; duplicated, 256 neurons
    copied to the full width; bias, trained; bias_frozen, untrained and held against its spectrum.
    """
    x, weights = sphere_grid(latitudes, 2 * latitudes)
    bias = arm in ("bias", "bias_frozen")
    degrees = (1, 2, 3, 4, 5, 6, 8) if bias else (1, 2, 4, 6, 8)
    mu = _eigenvalues("bias" if bias else "theory", 3, max(degrees))
    projectors = {degree: degree_projector(x, weights, degree) for degree in degrees}
    root = np.sqrt(weights)
    on_grid = _grid_eigenvalues(x, weights, degrees, bias)
    for seed in seeds:
        first, readout = _weights(seed, 3, width, f"network_{arm}")
        if arm == "duplicated":
            first = np.tile(first[:256], (width // 256, 1))
            readout = np.tile(readout[:256], width // 256)
        kernel = _initial_kernel(
            x, first, readout, arm == "bias", first_layer=2.0 if arm == "standard" else 1.0
        )
        kernel = root[:, None] * kernel * root
        for degree in degrees:
            projector, count = projectors[degree], 2 * degree + 1
            block = projector @ kernel @ projector
            mean = np.trace(block) / count
            ratio = mean / on_grid[degree]
            yield {
                "seed": seed,
                "degree": degree,
                "trace": ratio * mu[degree],
                "eigenvalue": mu[degree],
                "ratio": ratio,
                "spread": np.linalg.norm(block / on_grid[degree] - ratio * projector)
                / np.sqrt(count),
            }


def concentration(*, arm: str, dimension: int, samples: int, seeds):
    """max |V'V - I| for the normalized harmonics of degree <= 2 on random points (Lemma 4.1)."""
    for seed in seeds:
        x = sphere(generator(seed, "concentration", arm, samples), samples, dimension)
        harmonics = _low_harmonics(x)
        if arm == "duplicated":
            harmonics = np.concatenate([harmonics, harmonics[:, 1:2]], axis=1)
        gram = harmonics.T @ harmonics / samples
        yield {"seed": seed, "deviation": np.abs(gram - np.eye(len(gram))).max()}


def samples_needed(*, arm: str, dimension: int, samples: int, seeds):
    """Part of degree k that ridgeless kernel regression leaves unlearned, measured and predicted.

    1 - mu_k sum_ij (K^-1)_ij P_k(<x_i, x_j>) is exact for the average over targets of degree k;
    predicted is 1 - L_k = kap/(kap + n mu_k). Arm degree_blind predicts degree 1 for all.
    """
    kernel = zonal_kernel(_kernel_of("theory"))
    values = sphere_spectrum(kernel, dimension, 30)
    predicted = 1 - fixed_point(values, samples).learnability
    for seed in seeds:
        x = sphere(generator(seed, "samples_needed", arm, samples), samples, dimension)
        inverse = np.linalg.inv(_limit(x))
        polynomials = legendre(dimension, 4, np.clip(x @ x.T, -1, 1))
        for degree in (1, 2, 4):
            learned = values.eigenvalues[degree] * np.sum(inverse * polynomials[degree])
            prediction = predicted[1 if arm == "degree_blind" else degree]
            yield {
                "seed": seed,
                "degree": degree,
                "unlearned": 1 - learned,
                "predicted": prediction,
                "error": abs(1 - learned - prediction),
            }


# ------------------------------------------------------------------ training on S^2


def rates(*, arm: str, width: int, latitudes: int, degrees: tuple, laziness: float, seeds):
    """Decay rates per degree on an exact quadrature of S^2, against K_0-linear dynamics and mu_k.

    The target has equal power in every degree, and laziness = |f*|_H / sqrt(m). Rates are
    (1 - e^slope)/eta, slope of log A_k against steps in the window .9 to .35. Arm limit: the
    limit kernel in the place of a network. mu_k is the one on the grid (aliasing included).
    Rows: one per degree and level, `time` at which A_k first falls to that level; `collapse` is
    1/(mu_k T_1/e), 0 if never reached.
    """
    x, weights = sphere_grid(latitudes, 2 * latitudes)
    bias = arm in ("bias", "bias_frozen")
    mu = _eigenvalues("bias" if bias else "theory", 3, max(degrees))
    root = np.sqrt(weights)
    on_grid = _grid_eigenvalues(x, weights, degrees, bias)
    norm = np.sqrt(np.sum(1 / mu[list(degrees)]))
    steps_of = {k: float(min(0.06 / mu[k], 1.5 / mu[0])) for k in degrees}
    for seed in seeds:
        first, readout = _weights(seed, 3, width, f"rates_{arm}")
        target = _random_harmonics(seed, x, weights, degrees) * laziness * np.sqrt(width) / norm
        kernel = _limit(x) if arm == "limit" else _initial_kernel(x, first, readout, arm == "bias")
        system = eigensystem(root[:, None] * kernel * root)
        for step_size in sorted(set(steps_of.values())):
            group = [k for k in degrees if steps_of[k] == step_size]
            steps = int(np.ceil(1.5 / (step_size * mu[group].min())))
            flow = kernel_flow(
                system, root * target, np.arange(steps + 1), normalization="sum",
                learning_rate=step_size, method="descent",
            )  # fmt: skip
            frozen = target - flow.train[..., 0] / root
            residual = frozen
            if arm != "limit":
                residual, _ = _train(
                    x, target, weights, first, readout, step_size, steps, bias=arm == "bias"
                )
            for degree in group:
                power = np.sqrt(degree_power(residual, x, weights, degree))
                linear = np.sqrt(degree_power(frozen, x, weights, degree))
                rate = _window_rate(power, step_size)
                frozen_rate = _window_rate(linear, step_size)
                fold = _crossing(power, np.exp(-1)) * on_grid[degree] * step_size
                for level in LEVELS:
                    yield {
                        "seed": seed,
                        "degree": degree,
                        "level": level,
                        "eigenvalue": mu[degree],
                        "scaled_time": on_grid[degree] * step_size * _crossing(power, level),
                        "collapse": 0.0 if np.isnan(fold) else 1 / fold,
                        "rate_over_frozen": rate / frozen_rate if frozen_rate > 1e-6 else np.nan,
                        "rate_over_eigenvalue": rate / on_grid[degree],
                    }


def parity(*, arm: str, width: int, latitudes: int, steps: int, seeds):
    """Change of the degree-3 and degree-5 residual by training on an antipodal set, float64.

    relu(z) - relu(-z) = z, so that without a bias no network moves them, at any width and rate.
    """
    x, weights = sphere_grid(latitudes, 2 * latitudes)
    for seed in seeds:
        first, readout = _weights(seed, 3, width, f"parity_{arm}")
        target = _random_harmonics(seed, x, weights, (1, 2, 3, 5))
        residual, _ = _train(
            x, target, weights, first, readout, 1.0, steps, bias=arm == "bias", dtype=torch.float64
        )
        for degree in (2, 3, 5):
            left = np.sqrt(degree_power(residual[[0, -1]], x, weights, degree))
            yield {"seed": seed, "degree": degree, "change": abs(left[1] / left[0] - 1)}


def edge(*, arm: str, width: int, step_size: float, seeds):
    """Largest residual within 60 steps over the one at the start, for one step size on S^2."""
    x, weights = sphere_grid(12, 24)
    for seed in seeds:
        first, readout = _weights(seed, 3, width, "edge")
        target = _random_harmonics(seed, x, weights, (0, 1, 2))
        residual, _ = _train(x, target, weights, first, readout, step_size, 60)
        size = np.sqrt(residual**2 @ weights)
        yield {"seed": seed, "growth": np.nan_to_num(size, nan=1e6).max() / size[0]}


# ------------------------------------------------------------------ training as in section 5


def projections(
    *,
    arm: str,
    dimension: int,
    samples: int,
    width: int,
    target: str,
    degrees: tuple,
    amplitudes: tuple,
    density: str,
    activation: str,
    step_size: float,
    steps: int,
    seeds,
):
    """|v_k' r(t)| on n training points, on fresh points, and for the limit kernel on the sample.

    target: "legendre", sum_k a_k P_k(<z_k, x>) with own directions z_k, or "cosine" and
    "polynomial", even functions of one <z, x>. speed = ln 2 / half-life (0 where that
    is never reached), average = mean of what remains over the whole training, without a threshold.
    """
    for seed in seeds:
        stream = generator(seed, "projections", arm, dimension, samples, density)
        inputs, fresh = (_inputs(stream, count, dimension, density) for count in (samples, 2000))
        one = target != "legendre"
        axes = sphere(stream, 1 if one else len(degrees), dimension)
        cosines, cosines_fresh = ((z @ axes.T) @ np.ones((1, len(degrees))) if one else z @ axes.T
                                  for z in (inputs, fresh))  # fmt: skip
        basis, basis_fresh = (
            np.stack([legendre(dimension, k, t[:, i])[k] for i, k in enumerate(degrees)], axis=1)
            for t in (cosines, cosines_fresh)
        )
        values, values_fresh = (
            _target(target, t[:, 0], b @ np.asarray(amplitudes, float))
            for t, b in ((cosines, basis), (cosines_fresh, basis_fresh))
        )
        first, readout = _weights(seed, dimension, width, f"projections_{arm}")
        record = np.unique(np.geomspace(1, steps, 30).round().astype(int))
        record = np.concatenate([[0], record])
        residual, predictions = _train(
            inputs, values, np.full(samples, 1 / samples), first, readout, step_size, steps,
            absolute=activation == "abs", probes=fresh, probe_steps=record,
        )  # fmt: skip
        system = eigensystem(_limit(inputs, activation))
        linear = _linear_curves(system, values, basis, step_size / samples, steps)
        curves = _remaining(residual, basis)
        unseen = _remaining(values_fresh - predictions, basis_fresh)
        mu = _eigenvalues("theory", dimension, max(degrees))
        for column, degree in enumerate(degrees):
            speed = _speed(curves[:, column], step_size)
            for row, step in enumerate(record):
                yield {
                    "seed": seed,
                    "degree": degree,
                    "time": step * step_size,
                    "remaining": curves[step, column],
                    "fresh": unseen[row, column],
                    "linear": linear[step, column],
                    "eigenvalue": mu[degree],
                    "speed": speed,
                    "average": curves[:, column].mean(),
                    "linear_speed": _speed(linear[:, column], step_size),
                    "last": step == record[-1],
                }


def bound(*, arm: str, dimension: int, samples: int, width: int, degree: int, rate_degree: int,
          step_size: float, steps: int, seeds):  # fmt: skip
    """Theorem 4.2: eps that |V'r_T| <= 2 (1 - eta lambda)^T |V'r_0| + eps needs, over |V'r_0|.

    V: all harmonics of degree <= 2 that are at least `degree`, norms in L2 of the sample; lambda =
    mu of `rate_degree`.
    """
    rate = step_size * _eigenvalues("theory", dimension, rate_degree)[rate_degree]
    for seed in seeds:
        stream = generator(seed, "bound", samples)
        x = sphere(stream, samples, dimension)
        axes = sphere(stream, 3, dimension)
        values = sum(legendre(dimension, k, x @ z)[k] for k, z in zip((1, 2, 4), axes, strict=True))
        first, readout = _weights(seed, dimension, width, f"bound_{arm}")
        weights = np.full(samples, 1 / samples)
        residual, _ = _train(x, values, weights, first, readout, step_size, steps)
        harmonics = _low_harmonics(x)[:, 0 if degree < 2 else 1 + dimension :]
        harmonics = harmonics[:, : 1 + dimension] if degree == 1 else harmonics
        size = np.linalg.norm(residual @ harmonics / samples, axis=1)
        excess = size - 2 * (1 - rate) ** np.arange(steps + 1) * size[0]
        yield {"seed": seed, "epsilon": max(excess.max(), 0.0) / size[0]}


# ------------------------------------------------------------------ helpers


def _eigenvalues(arm: str, dimension: int, max_degree: int) -> np.ndarray:
    first_layer, readout, bias = KERNELS[arm]
    return two_layer_relu_eigenvalues(
        dimension, max_degree, first_layer=first_layer, readout=readout, bias=bias
    )


def _kernel_of(arm: str, activation: str = "relu"):
    """Matrix of an arm's kernel for inputs with <x, x>/d = 1, from the shared architecture.

    With unit variances NNGP = kappa_1 and NTK = t kappa_0 + kappa_1.
    """
    kernel = _architecture(activation).kernel
    first_layer, readout, bias = KERNELS[arm]
    if bias:
        raise ValueError("a bias that starts at 0 has no architecture: its closed form is s_k^2")

    def matrix(x1, x2):
        nngp, ntk = kernel(x1, x2)
        return np.array(first_layer * (ntk - nngp) + readout * nngp)

    return matrix


@cache
def _architecture(activation: str):
    """One object per activation: its kernel is compiled once per shape."""
    layer = {"relu": relu, "abs": abs_}[activation]()
    return fully_connected(depth=1, width=1, activation=layer)


def _limit(x: np.ndarray, activation: str = "relu") -> np.ndarray:
    """kappa(X, X) for unit vectors."""
    return _kernel_of("theory", activation)(_scaled(x), _scaled(x))


def _grid_eigenvalues(x, weights, degrees, bias: bool) -> dict:
    """tr(Pi_k kappa)/N_k on a quadrature: mu_k plus what the grid aliases from the tail."""
    limit = _limit(x)
    if bias:  # + kappa_0, from t kappa_0; kappa_0 = 1/4 at t = 0
        cosines = x @ x.T
        weighted = _kernel_of("first_only")(_scaled(x), _scaled(x))
        far = np.abs(cosines) > 1e-9
        limit = limit + np.divide(weighted, cosines, out=np.full_like(limit, 0.25), where=far)
    return {
        k: np.sum(degree_projector(x, weights, k) * np.sqrt(np.outer(weights, weights)) * limit)
        / multiplicity(x.shape[1], k)
        for k in degrees
    }


def _scaled(x: np.ndarray) -> np.ndarray:
    """Unit vectors in the convention <x, x> = d of the architectures."""
    return np.sqrt(x.shape[1]) * x


def _weights(seed: int, dimension: int, width: int, name: str):
    """w (width, D) with variance 2 and v (width,) with variance 1."""
    stream = generator(seed, "weights", name, width)
    first = np.sqrt(2.0) * stream.standard_normal((width, dimension))
    return first, stream.standard_normal(width)


def _initial_kernel(x, first, readout, bias: bool, first_layer: float = 1.0) -> np.ndarray:
    """K_0 = first_layer x (gradients of w, and of a bias that starts at 0) + (gradients of v).

    A mean over neurons, taken in blocks of 2048 so that memory does not grow with the width.
    """
    total = np.zeros((len(x), len(x)))
    for start in range(0, len(readout), 2048):
        w, v = first[start : start + 2048], readout[start : start + 2048]
        hidden = {"weight": w.T, **({"bias": np.zeros(len(w))} if bias else {})}
        kernels = dense_kernels(
            (hidden, (), {"weight": v[:, None]}),
            _scaled(x),
            activation=jax.nn.relu,
            bias_variance=1.0 if bias else 0.0,
            readout_bias_variance=0.0,
        )
        nngp, ntk = np.asarray(kernels.nngp), np.asarray(kernels.ntk)
        total += (first_layer * (ntk - nngp) + nngp) * (len(v) / len(readout))
    return total


def _train(
    x, target, weights, first, readout, step_size, steps, *, bias=False, absolute=False,
    probes=None, probe_steps: Sequence[int] = (), dtype=torch.float32,
):  # fmt: skip
    """Gradient descent: residuals target + f_0 - f, (steps+1, n), and f - f_0 on the probes."""

    def tensor(array):
        return torch.tensor(np.asarray(array), dtype=dtype, device=DEVICE)

    def with_bias(points):
        return tensor(np.concatenate([points, np.ones((len(points), 1))], 1) if bias else points)

    inputs, y, quadrature = with_bias(x), tensor(target), tensor(weights)
    first = np.concatenate([first, np.zeros((len(first), 1))], 1) if bias else first
    w, v, scale = tensor(first), tensor(readout), len(readout) ** -0.5
    hidden, slope = (torch.empty(len(x), len(readout), dtype=dtype, device=DEVICE) for _ in "hs")
    residuals = np.empty((steps + 1, len(x)), np.float64 if dtype == torch.float64 else np.float32)
    unseen = None if probes is None else with_bias(probes)
    buffer = None if probes is None else torch.empty(len(probes), len(readout), device=DEVICE)
    predictions, wanted = [], set(map(int, probe_steps))

    def outputs(points, out=None):
        out = torch.matmul(points, w.T, out=out)
        return (out.abs_() if absolute else out.relu_()) @ v * scale

    f_0 = outputs(inputs, hidden)
    f_0_unseen = None if unseen is None else outputs(unseen, buffer)
    for step in range(steps + 1):
        torch.matmul(inputs, w.T, out=hidden)
        if absolute:
            torch.sign(hidden, out=slope)
            hidden.abs_()
        else:
            hidden.relu_()
            torch.sign(hidden, out=slope)
        residual = y + f_0 - hidden @ v * scale
        residuals[step] = residual.cpu().numpy()
        if step in wanted:
            predictions.append((outputs(unseen, buffer) - f_0_unseen).cpu().numpy())
        pull = residual * quadrature * (scale * step_size)
        change = (slope.T @ (pull[:, None] * inputs)) * v[:, None]
        v += pull @ hidden
        w += change
    return residuals, np.array(predictions, dtype=np.float64)


def _random_harmonics(seed, x, weights, degrees) -> np.ndarray:
    """One random function of norm 1 in each degree, summed, on the points of a quadrature."""
    root, total = np.sqrt(weights), np.zeros(len(x))
    for degree in degrees:
        noise = generator(seed, "harmonics", degree).standard_normal(len(x))
        part = degree_projector(x, weights, degree) @ noise
        total += part / np.linalg.norm(part) / root
    return total


def _low_harmonics(x: np.ndarray) -> np.ndarray:
    """Orthonormal harmonics of degree 0, 1, 2 at unit vectors, shape (n, 1 + D + (D+2)(D-1)/2)."""
    n, dimension = x.shape
    row, column = np.triu_indices(dimension, 1)
    mixed = np.sqrt(dimension * (dimension + 2)) * x[:, row] * x[:, column]
    contrasts = np.linalg.qr(np.eye(dimension) - 1 / dimension)[0][:, : dimension - 1]
    squares = np.sqrt(dimension * (dimension + 2) / 2) * x**2 @ contrasts
    return np.concatenate([np.ones((n, 1)), np.sqrt(dimension) * x, mixed, squares], axis=1)


def _inputs(stream, count: int, dimension: int, density: str) -> np.ndarray:
    """Unit vectors: uniform, piecewise uniform (9:1 between half-spheres), two normalized laws."""
    raw = gaussian(stream, count, dimension)
    if density == "piecewise":
        raw[:, 0] = np.abs(raw[:, 0]) * np.where(stream.random(count) < 0.9, 1, -1)
    elif density == "anisotropic":
        raw *= np.linspace(0.5, 1.5, dimension)
    elif density == "mixture":
        raw[:, 0] += np.where(stream.random(count) < 0.5, 1.5, -1.5)
        raw[:, 1] += 0.75
    elif density != "uniform":
        raise ValueError(f"density {density!r}: want uniform, piecewise, anisotropic or mixture")
    return normalize_rows(raw, 1.0)


def _target(name: str, cosine: np.ndarray, legendre_sum: np.ndarray) -> np.ndarray:
    if name == "legendre":
        return legendre_sum
    if name == "cosine":
        return 0.2 * (np.cos(4 * cosine) + np.cos(8 * cosine) + np.cos(12 * cosine))
    if name == "polynomial":
        return 0.2 * (cosine**2 + (2 * cosine) ** 4 + (3 * cosine) ** 6)
    raise ValueError(f"target {name!r}: want legendre, cosine or polynomial")


def _remaining(residuals: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """|v_k' r| over its value at the start, (times, degrees)."""
    lengths = np.abs(residuals @ (basis / np.linalg.norm(basis, axis=0)))
    return lengths / lengths[0]


def _linear_curves(system, values, basis, rate, steps) -> np.ndarray:
    """`_remaining` of gradient descent with a fixed kernel, (steps+1, degrees), in blocks."""
    modes = (system.vectors.T @ values)[:, None] * (system.vectors.T @ basis)
    blocks = np.array_split(np.arange(steps + 1), steps // 100 + 1)
    left = [mode_decay(system.values, block, rate, "descent")[0] @ modes for block in blocks]
    lengths = np.abs(np.concatenate(left))
    return lengths / lengths[0]


def _crossing(curve: np.ndarray, level: float) -> float:
    """Steps until a curve first falls to level times its start, log-linear between; else NaN."""
    log = np.log(np.maximum(curve / curve[0], 1e-300)) - np.log(level)
    below = np.flatnonzero(log <= 0)
    if below.size == 0:
        return np.nan
    after = below[0]
    return after - log[after] / (log[after] - log[after - 1])


def _speed(curve: np.ndarray, step_size: float) -> float:
    half = _crossing(curve, 0.5)
    return 0.0 if np.isnan(half) else np.log(2) / (step_size * half)


def _window_rate(curve: np.ndarray, step_size: float) -> float:
    """(1 - e^slope)/eta over .9 >= A/A_0 >= .35; a curve that hardly moves is fitted as a whole."""
    left = curve / curve[0]
    below = np.flatnonzero(left < 0.35)
    end = below[0] if below.size else left.size
    inside = np.flatnonzero(left[:end] <= 0.9)
    start = inside[0] if inside.size and end - inside[0] >= 3 else 0
    slope = np.polyfit(np.arange(start, end), np.log(left[start:end]), 1)[0]
    return (1 - np.exp(slope)) / step_size
