"""Measurements for Cao, Fang, Wu, Zhou & Gu (2019), arXiv 1912.01198.

f(x) = m^-1/2 sum_r v_r relu(<w_r, x>), w_r ~ N(0, 2 I), v_r ~ N(0, 1), both layers trained on
1/2 sum_i q_i (y_i - f(x_i) + f_0(x_i))^2 with sum_i q_i = 1: the paper's network (sqrt(m) W_2
relu(W_1 x), variances 2/m and 1/m, step eta/m) in its own limit kernel

    kappa(t) = t kappa_0(t) + 2 kappa_1(t),    kappa(1) = 3/2.

D is the ambient dimension: the paper's S^d is S^(D-1). Subtracting f_0 keeps the residual at the
start equal to the target. Training is float32 in torch (one preallocated activation buffer);
kernels and spectra are float64.
"""

from math import exp, lgamma, log, pi

import numpy as np
import torch

from replications.cao2019_spectral_bias.curves import (
    crossing,
    linear_curves,
    remaining,
    speed_of,
    window_rate,
)
from replications.cao2019_spectral_bias.kernels import (
    eigenvalues_of,
    grid_eigenvalues,
    grid_kernel,
    initial_kernel,
    kernel_of,
    limit_kernel,
    scaled,
    size_effect,
)
from replications.cao2019_spectral_bias.tasks import (
    draw_samples,
    low_harmonics,
    random_harmonics,
    random_rotation,
)
from replications.cao2019_spectral_bias.training import draw_weights, train
from widenets.ntk.architecture import fully_connected
from widenets.ntk.data import sphere
from widenets.ntk.dynamics import eigensystem, kernel_flow
from widenets.ntk.random import generator
from widenets.ntk.spectra import (
    degree_power,
    degree_projector,
    fixed_point,
    legendre,
    multiplicities,
    multiplicity,
    sphere_grid,
    sphere_spectrum,
    zonal_eigenvalues,
    zonal_kernel,
)

# Parts whose arms share draws, and why.
PAIRED = {
    "rates": "the target of a seed is the same function for all networks; weights are their own",
    "parity": "the same target with and without a bias; weights are their own",
    "edge": "the same networks and targets below and beyond the largest step size",
}
LEVELS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, float(np.exp(-1)))


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
        quadrature = zonal_eigenvalues(zonal_kernel(kernel_of(arm)), dimension, max_degree)
        closed = eigenvalues_of(arm, dimension, max_degree)
    paper = eigenvalues_of("theory", dimension, max_degree)
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
    values = eigenvalues_of(kernel, dimension, 2 * degree)[degrees]
    slope = np.polyfit(np.log(degrees), np.log(values), 1)[0]
    for seed in seeds:
        yield {"seed": seed, "slope": slope, "slope_plus_dimension": slope + dimension}


def dimension_order(*, arm: str, degree: int, seeds):
    """mu_k against d = D - 1 at fixed degree. Arm reported: Funk-Hecke's formula with (d - 1)/2 pi
    for the ratio of the surfaces of S^(d-1) and S^d, in both of its places."""
    for exponent in range(5, 13):
        d = 2**exponent
        value = eigenvalues_of("theory", d + 1, degree)[degree]
        if arm == "reported":
            log_ratio = lgamma((d + 1) / 2) - lgamma(d / 2) - log(pi) / 2
            value *= ((d - 1) / (2 * pi * exp(log_ratio))) ** 2
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
            x = x @ random_rotation(stream, 3)
        else:
            x, weights = sphere(stream, points, 3), np.full(points, 1 / points)
        root = np.sqrt(weights)
        values = np.linalg.eigvalsh(root[:, None] * limit_kernel(x) * root)[::-1]
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
    paper = eigenvalues_of("theory", dimension, max(degrees))
    for seed in seeds:
        x = sphere(generator(seed, "sampled", arm, dimension), samples, dimension)
        kernel = kernel_of(arm)(scaled(x), scaled(x))
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
    spread = |Pi_k (K_0 - ratio kappa) Pi_k|_F / (sqrt(N_k) mu_k): what the grid splits is left out.
    Arms: standard, both layers at equal rates, 2 t kappa_0 + 2 kappa_1; duplicated, 256 neurons
    copied to the full width; bias, trained; bias_frozen, untrained and held against its spectrum.
    """
    x, weights = sphere_grid(latitudes, 2 * latitudes)
    bias = arm in ("bias", "bias_frozen")
    degrees = (1, 2, 3, 4, 5, 6, 8) if bias else (1, 2, 4, 6, 8)
    mu = eigenvalues_of("bias" if bias else "theory", 3, max(degrees))
    projectors = {degree: degree_projector(x, weights, degree) for degree in degrees}
    root = np.sqrt(weights)
    limit = grid_kernel(x, weights, bias)
    blocks = {degree: projectors[degree] @ limit @ projectors[degree] for degree in degrees}
    for seed in seeds:
        first, readout = draw_weights(seed, 3, width, f"network_{arm}")
        if arm == "duplicated":
            first = np.tile(first[:256], (width // 256, 1))
            readout = np.tile(readout[:256], width // 256)
        kernel = initial_kernel(
            x, first, readout, arm == "bias", first_layer=2.0 if arm == "standard" else 1.0
        )
        kernel = root[:, None] * kernel * root
        for degree in degrees:
            projector, count = projectors[degree], 2 * degree + 1
            block = projector @ kernel @ projector
            ratio = np.trace(block) / np.trace(blocks[degree])
            yield {
                "seed": seed,
                "degree": degree,
                "trace": ratio * mu[degree],
                "eigenvalue": mu[degree],
                "ratio": ratio,
                "spread": np.linalg.norm(block - ratio * blocks[degree])
                * np.sqrt(count)
                / np.trace(blocks[degree]),
            }


def concentration(*, arm: str, dimension: int, samples: int, seeds):
    """max |V'V - I| for the normalized harmonics of degree <= 2 on random points (Lemma 4.1)."""
    for seed in seeds:
        x = sphere(generator(seed, "concentration", arm, samples), samples, dimension)
        harmonics = low_harmonics(x)
        if arm == "duplicated":
            harmonics = np.concatenate([harmonics, harmonics[:, 1:2]], axis=1)
        gram = harmonics.T @ harmonics / samples
        yield {"seed": seed, "deviation": np.abs(gram - np.eye(len(gram))).max()}


def samples_needed(*, arm: str, dimension: int, samples: int, seeds):
    """Part of degree k that ridgeless kernel regression leaves unlearned, measured and predicted.

    1 - mu_k sum_ij (K^-1)_ij P_k(<x_i, x_j>) is exact for the average over targets of degree k;
    predicted is 1 - L_k = kap/(kap + n mu_k). Arm standard predicts with the spectrum of 2 t
    kappa_0 + 2 kappa_1, whose layers have equal weight. Up to 600 points are the first of 600, so
    that their kernels share one compilation.
    """
    kernel = zonal_kernel(kernel_of("theory"))
    values = sphere_spectrum(kernel, dimension, 30)
    spectrum_of = kernel if arm != "standard" else zonal_kernel(kernel_of(arm))
    predicted = 1 - fixed_point(sphere_spectrum(spectrum_of, dimension, 30), samples).learnability
    for seed in seeds:
        stream = generator(seed, "samples_needed", arm, samples)
        x = sphere(stream, max(samples, 600), dimension)
        inverse = np.linalg.inv(limit_kernel(x)[:samples, :samples])
        x = x[:samples]
        polynomials = legendre(dimension, 4, np.clip(x @ x.T, -1, 1))
        for degree in (1, 2, 4):
            learned = values.eigenvalues[degree] * np.sum(inverse * polynomials[degree])
            yield {
                "seed": seed,
                "degree": degree,
                "unlearned": 1 - learned,
                "predicted": predicted[degree],
                "deviation": 1 - learned - predicted[degree],
            }


# ------------------------------------------------------------------ training on S^2


def rates(*, arm: str, width: int, latitudes: int, degrees: tuple, laziness: float, seeds):
    """Decay rates per degree on an exact quadrature of S^2, against K_0-linear dynamics and mu_k.

    The target has equal power in every degree, and laziness = |f*|_H / sqrt(m). Rates are (1 -
    e^slope)/eta, slope of log A_k against steps in the window .9 to .35. Arm limit: the limit
    kernel in the place of a network; readout_only: nothing but the read-out is trained. mu_k is
    the one on the grid (aliasing included). What the sizes of the drawn weights do to a rate, of
    mean 0 whatever mu_k is, is subtracted from rate_over_eigenvalue and from collapse
    (`size_effect`).
    Rows: one per degree and level, `time` at which A_k first falls to that level; `collapse` is
    1/(mu_k T_1/e), 0 if never reached.
    """
    x, weights = sphere_grid(latitudes, 2 * latitudes)
    bias = arm in ("bias", "bias_frozen")
    mu = eigenvalues_of("bias" if bias else "theory", 3, max(degrees))
    root = np.sqrt(weights)
    on_grid = grid_eigenvalues(x, weights, degrees, bias)
    norm = np.sqrt(np.sum(1 / mu[list(degrees)]))
    steps_of = {k: float(min(0.06 / mu[k], 1.5 / mu[0])) for k in degrees}
    for seed in seeds:
        first, readout = draw_weights(seed, 3, width, f"rates_{arm}")
        target = random_harmonics(seed, x, weights, degrees) * laziness * np.sqrt(width) / norm
        kernel = (
            limit_kernel(x) if arm == "limit" else initial_kernel(x, first, readout, arm == "bias")
        )
        effect = 0 * mu if arm == "limit" else size_effect(first, readout, arm, max(degrees))
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
                residual, _ = train(
                    x, target, weights, first, readout, step_size, steps, bias=arm == "bias",
                    first_rate=0.0 if arm == "readout_only" else 1.0,
                )  # fmt: skip
            for degree in group:
                power = np.sqrt(degree_power(residual, x, weights, degree))
                linear = np.sqrt(degree_power(frozen, x, weights, degree))
                rate = window_rate(power, step_size)
                frozen_rate = window_rate(linear, step_size)
                fold = crossing(power, np.exp(-1)) * on_grid[degree] * step_size
                for level in LEVELS:
                    yield {
                        "seed": seed,
                        "degree": degree,
                        "level": level,
                        "eigenvalue": mu[degree],
                        "scaled_time": on_grid[degree] * step_size * crossing(power, level),
                        "collapse": 0.0 if np.isnan(fold) else 1 / fold - effect[degree],
                        "rate_over_frozen": rate / frozen_rate if frozen_rate > 1e-6 else np.nan,
                        "rate_over_eigenvalue": rate / on_grid[degree] - effect[degree],
                    }


def parity(*, arm: str, width: int, latitudes: int, steps: int, seeds):
    """Change of the degree-3 and degree-5 residual by training on an antipodal set, float64.

    relu(z) - relu(-z) = z, so that without a bias no network moves them, at any width and rate.
    """
    x, weights = sphere_grid(latitudes, 2 * latitudes)
    for seed in seeds:
        first, readout = draw_weights(seed, 3, width, f"parity_{arm}")
        target = random_harmonics(seed, x, weights, (1, 2, 3, 5))
        residual, _ = train(
            x, target, weights, first, readout, 1.0, steps, bias=arm == "bias", dtype=torch.float64
        )
        for degree in (2, 3, 5):
            left = np.sqrt(degree_power(residual[[0, -1]], x, weights, degree))
            yield {"seed": seed, "degree": degree, "change": abs(left[1] / left[0] - 1)}


def edge(*, arm: str, width: int, step_size: float, seeds):
    """Largest residual within 60 steps over the one at the start, for one step size on S^2."""
    x, weights = sphere_grid(12, 24)
    for seed in seeds:
        first, readout = draw_weights(seed, 3, width, "edge")
        target = random_harmonics(seed, x, weights, (0, 1, 2))
        residual, _ = train(x, target, weights, first, readout, step_size, 60)
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
        seen, fresh = draw_samples(
            stream, (samples, 2000), dimension, density, target, degrees, amplitudes
        )
        first, readout = draw_weights(seed, dimension, width, f"projections_{arm}")
        record = np.append(0, np.unique(np.geomspace(1, steps, 30).round().astype(int)))
        residual, predictions = train(
            seen.inputs, seen.values, np.full(samples, 1 / samples), first, readout, step_size,
            steps, absolute=activation == "abs", probes=fresh.inputs, probe_steps=record,
        )  # fmt: skip
        system = eigensystem(limit_kernel(seen.inputs, activation))
        linear = linear_curves(system, seen.values, seen.basis, step_size / samples, steps)
        curves = remaining(residual, seen.basis)
        unseen = remaining(fresh.values - predictions, fresh.basis)
        mu = eigenvalues_of("theory", dimension, max(degrees))
        effect = size_effect(first, readout, arm, max(degrees))
        for column, degree in enumerate(degrees):
            speed = speed_of(curves[:, column], step_size)
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
                    "linear_speed": speed_of(linear[:, column], step_size),
                    "size_effect": effect[degree],
                    "last": step == record[-1],
                }


def bound(*, arm: str, dimension: int, samples: int, width: int, degree: int,
          step_size: float, steps: int, seeds):  # fmt: skip
    """Theorem 4.2: eps that |V'r_T| <= 2 (1 - eta lambda)^T |V'r_0| + eps needs, over |V'r_0|.

    V: the harmonics of degrees 0 and 1 for degree 1, of degree 2 for degree 2; norms in L2 of the
    sample; lambda = mu of that degree. Arm squared: with (1 - eta lambda)^(2 T), which bounds the
    loss.
    """
    power = 2 if arm == "squared" else 1
    rate = step_size * eigenvalues_of("theory", dimension, degree)[degree]
    for seed in seeds:
        stream = generator(seed, "bound", samples)
        x = sphere(stream, samples, dimension)
        axes = sphere(stream, 3, dimension)
        values = sum(legendre(dimension, k, x @ z)[k] for k, z in zip((1, 2, 4), axes, strict=True))
        first, readout = draw_weights(seed, dimension, width, f"bound_{arm}")
        weights = np.full(samples, 1 / samples)
        residual, _ = train(x, values, weights, first, readout, step_size, steps)
        harmonics = low_harmonics(x)[:, 0 if degree < 2 else 1 + dimension :]
        harmonics = harmonics[:, : 1 + dimension] if degree == 1 else harmonics
        size = np.linalg.norm(residual @ harmonics / samples, axis=1)
        excess = size - 2 * (1 - rate) ** (power * np.arange(steps + 1)) * size[0]
        yield {"seed": seed, "epsilon": max(excess.max(), 0.0) / size[0]}
