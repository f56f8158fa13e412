"""What is measured for each sentence: closed forms, or finite networks in blocks; all float64.

A block's seed draws data and weights; parts without draws have one seed.
"""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from replications.architecture_dictionary import finite, kernels, linear, normalisation
from widenets.ntk.data import sphere
from widenets.ntk.random import generator


def smoothness(
    *, arm: str, activation: str, depth: int, kernel: str, angles: tuple[float, ...],
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """1 - K(t) / K(0) between unit vectors at small angles t; slope: over depth t / (2 pi)."""
    t = np.array(angles)
    if activation == "relu":
        covariance, tangent = kernels.relu_of_angle(t, depth)
        tangent = tangent / (depth + 1)
    else:
        covariance, tangent = kernels.erf_of_angle(t, depth)
    values = covariance if kernel == "nngp" else tangent
    for seed in seeds:
        for angle, lack in zip(t, 1 - values, strict=True):
            yield {
                "seed": seed,
                "inverse_angle": 1 / angle,
                "lack": lack,
                "slope": lack / (depth * angle / (2 * np.pi)),
            }


def interpolant(*, arm: str, points: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Curvature and kinks of the interpolant of random labels on a line.

    arm: relu, one hidden layer on (x, 1); erf, the same; spline, min(s, t) of s, t in [1, 3].
    curvature: largest |f''| midway between neighbours; kink: mean jump of f' at a datum over (2 /
    pi) times its coefficient, both with their signs.
    """
    near, mid = 1e-4, 1e-2
    x = np.linspace(-1, 1, points)
    between = (x[:-1] + x[1:]) / 2
    places = np.concatenate([x, *(x + k * near for k in (-2, -1, 1, 2)),
                             *(between + k * mid for k in (-1, 0, 1))])  # fmt: skip
    kernel = kernels.on_a_line(places, x, arm)
    for seed in seeds:
        labels = generator(seed, "dictionary", "interpolant", arm).standard_normal(points)
        coefficients = np.linalg.solve(kernel[:points], labels)
        f = kernel @ coefficients
        at, (left2, left, right, right2) = f[:points], f[points : 5 * points].reshape(4, points)
        low, middle, high = f[5 * points :].reshape(3, points - 1)
        jumps = (4 * right - right2 + 4 * left - left2 - 6 * at) / (2 * near)
        yield {
            "seed": seed,
            "curvature": np.abs(low - 2 * middle + high).max() / mid**2,
            "kink": -(jumps @ coefficients) / (2 / np.pi * coefficients @ coefficients),
        }


def residual(
    *, arm: str, width: int, networks_per_seed: int, cosine: float, seeds: tuple[int, ...],
    through_branch: bool = True,
) -> Iterator[dict]:  # fmt: skip
    """Kernel of networks with a residual block beside two formulas; the read-out is not trained.

    sum: Theta of the block's input plus that of the branch; printed: the branch's own parameters
    plus x.x'. through_branch: the stem gets the gradient that comes back through the branch too.
    """
    angle = np.arccos(cosine)
    k1 = (np.sin(angle) + (np.pi - angle) * cosine) / np.pi
    k0 = 1 - angle / np.pi
    x = np.sqrt(2) * np.array([[1, 0], [cosine, np.sin(angle)]])
    for seed in seeds:
        stream = generator(seed, "dictionary", "residual", arm)
        found = finite.residual_kernel(stream, networks_per_seed, width, x, through_branch)
        yield {
            "seed": seed,
            "over_sum": found / (cosine + k1 + 2 * k0 * cosine),
            "over_printed": found / (cosine + k1 + k0 * cosine),
        }


def skip(
    *, arm: str, points: int, dimension: int, depth: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """What adding R to the kernel does to its eigenvalues, in descending order.

    arm: skip, R = x.x'; later, R = the tangent kernel of one hidden layer, and ridge, R = 1, of the
    same trace. least: smallest relative gain; interlace: largest lambda_(i + d)(K + R) /
    lambda_i(K), at most 1 for R of rank d.
    """
    for seed in seeds:
        x = sphere(generator(seed, "dictionary", "skip", arm), points, dimension)
        _, kernel = kernels.pair(kernels.relu_network(dimension, depth), x)
        if arm == "later":
            _, added = kernels.pair(kernels.relu_network(dimension, 1), x)
            added = added * (points / np.trace(added))
        else:
            added = x @ x.T if arm == "skip" else np.eye(points)
        before, after = (np.linalg.eigvalsh(k)[::-1] for k in (kernel, kernel + added))
        yield {
            "seed": seed,
            "least": (after / before - 1).min(),
            "interlace": (after[dimension:] / before[:-dimension]).max(),
        }


def condition(
    *, arm: str, points: int, dimension: int, depths: tuple[int, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Condition number of deep kernels over (N + 3) / 3, the limit of relu networks.

    arm: relu; covariance, the other kernel of relu networks; ordered, erf networks with a weight
    variance of 1/2 and a bias variance of 1/2.
    """
    for seed in seeds:
        x = sphere(generator(seed, "dictionary", "condition", arm), points, dimension)
        for depth in depths:
            if arm == "ordered":
                both = kernels.erf_pair(dimension, depth, 0.5, 0.5, x)
            else:
                both = kernels.pair(kernels.relu_network(dimension, depth), x)
            kernel = both[0 if arm == "covariance" else 1]
            yield {
                "seed": seed,
                "depth": depth,
                "condition": kernels.condition(kernel) * 3 / (points + 3),
            }


def initialization(
    *, arm: str, variance: float, depth: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Theta(x, x) of a relu network with this weight variance (2: He, 1: Xavier), over depth "
    "one."""
    q = theta = 1.0
    of_depth = []
    for _ in range(depth):
        q = q * variance / 2
        theta = q + theta * variance / 2
        of_depth.append(theta)
    for seed in seeds:
        yield {"seed": seed, "relative": of_depth[-1] / of_depth[0]}


def instance(
    *, arm: str, spectrum: str, counts: tuple[int, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Distance of the kernel of instance norm from the centred covariance, over their size."""
    for seed in seeds:
        for count in counts:
            eigenvalues = normalisation.SPECTRA[spectrum](count)
            yield {
                "seed": seed,
                "positions": count,
                "error": normalisation.shape_error(eigenvalues),
            }


def maps(*, arm: str, norm: str, change: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Feature maps (16 channels, 8 x 8) under a norm and a change of its input.

    norm: instance, layer, none. change: shift_and_scale, a constant added to each channel after a
    positive factor; translation, by one column. rows: largest |sum of a row| of the kernel between
    positions over its largest entry; moved: largest change of a feature.
    """
    apply = {
        "instance": normalisation.instance_norm,
        "layer": normalisation.layer_norm,
        "none": lambda x: x,
    }[norm]
    for seed in seeds:
        stream = generator(seed, "dictionary", "maps", arm)
        x = stream.standard_normal((16, 8, 8))
        factor, constant = stream.uniform(0.5, 2, (2, 16, 1, 1))
        changed = {
            "shift_and_scale": factor * x + constant, "translation": np.roll(x, 1, axis=2),
        }[change]  # fmt: skip
        before, after = apply(x), apply(changed)
        kernel = normalisation.over_positions(before)
        yield {
            "seed": seed,
            "rows": np.abs(kernel.sum(axis=1)).max() / np.abs(kernel).max(),
            "moved": np.abs(after - before).max(),
        }


def dropout(
    *, arm: str, keep: float, entry: str, masks: str, units: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Factor by which masks multiply the kernel of the read-out, the mean over `units` units.

    entry: diagonal, one input with one mask; other, two inputs. masks: raw (0 or 1), inverted (0 or
    1 / keep), shared (raw, the same for both inputs).
    """
    for seed in seeds:
        stream = generator(seed, "dictionary", "dropout", arm)
        x = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
        one, other = np.maximum(x @ stream.standard_normal((2, units)), 0)
        first, second = (stream.random((2, units)) < keep) / (keep if masks == "inverted" else 1)
        if entry == "diagonal":
            other, second = one, first
        elif masks == "shared":
            second = first
        factor = (first * second * one * other).sum() / (one * other).sum()
        yield {
            "seed": seed,
            "over_square": factor / keep**2,
            "over_keep": factor / keep,
            "times_keep": factor * keep,
        }


def dropout_rates(
    *, arm: str, keep: float, points: int, dimension: int, width: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """What masks over `keep` on the units of a relu network do to the rates of its modes.

    A datum has a mask in the step that is made, and one where its effect is seen. arm: fresh,
    these are two masks; kept, one. Along the eigenvectors of the tangent kernel without masks.
    uneven: factor of the smallest eigenvalue over that of the largest. added: value at 0 of a line
    through gains against eigenvalues, over (1 / keep - 1) times the mean of K(x, x).
    """
    for seed in seeds:
        stream = generator(seed, "dictionary", "dropout_rates", arm)
        x = sphere(stream, points, dimension)
        network = finite.draw(stream, 1, width, dimension)
        values, modes = np.linalg.eigh(finite.masked_kernel(network, x))
        first = (stream.random((points, width)) < keep) / keep
        second = first if arm == "kept" else (stream.random((points, width)) < keep) / keep
        masked = finite.masked_kernel(network, x, first, second)
        masked = ((modes.T @ masked) * modes.T).sum(axis=1)
        ridge = (1 / keep - 1) * values.mean()
        factors = masked / values
        yield {
            "seed": seed,
            "uneven": factors[0] / factors[-1],
            "added": np.polynomial.Polynomial.fit(values, (masked - values) / ridge, 1)(0.0),
        }


def pooling(
    *, arm: str, size: int, pooled: bool, shifts: str, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Tangent kernels of circular convolutions on random images, under cyclic shifts.

    misfit: of global average pooling from the mean of the flattened kernel over the shifts, all of
    them or the even ones. shifted: K(x, T x) / K(x, x) for the shift by one row and one column.
    """
    step = 2 if shifts == "even" else 1
    turns = [(i, j) for i in range(0, size, step) for j in range(0, size, step)]
    for seed in seeds:
        x = generator(seed, "dictionary", "pooling", arm).standard_normal((2, size, size))
        moved = np.concatenate([np.roll(x, turn, axis=(1, 2)) for turn in turns])
        of_flat = kernels.convolution(x, moved, pooled=False).reshape(2, len(turns), 2).mean(axis=1)
        of_pool = kernels.convolution(x, x, pooled=True)
        both = np.concatenate([x[:1], np.roll(x[:1], (1, 1), axis=(1, 2))])
        own = kernels.convolution(both, both, pooled=pooled)
        yield {
            "seed": seed,
            "misfit": np.abs(of_flat - of_pool).max() / np.abs(of_pool).max(),
            "shifted": own[0, 1] / own[0, 0],
        }


def components(
    *, arm: str, mean: float, read_as: str, points: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Rates at which least squares by gradient descent learns, beside eigenvalues; error: relative.

    read_as: covariance, or second_moment, the matrix of x x' without centring.
    """
    for seed in seeds:
        stream = generator(seed, "dictionary", "components", arm)
        turn = stats.ortho_group.rvs(3, random_state=stream)
        x = stream.standard_normal((points, 3)) * np.sqrt([0.1, 1.0, 10.0]) @ turn.T
        x = x - x.mean(axis=0) + mean
        solution = stream.standard_normal(3)
        moment = x.T @ x / points
        values, axes = np.linalg.eigh(moment)
        rate, steps = 0.1 / values[-1], 60
        course = linear.regression(x, x @ solution, rate, steps)
        found = linear.decay_rates(course, solution, axes, rate)
        centred = np.linalg.eigvalsh(np.cov(x.T, bias=True))
        said = centred if read_as == "covariance" else values
        yield {"seed": seed, "error": np.abs(np.sort(found) / said - 1).max()}


def order(
    *, arm: str, layers: int, targets: tuple[float, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Half times of four principal components, of variances 4, 2, 1, 1/2.

    strength: variance times target, the correlation of input and output.
    """
    variances, targets = np.array([4.0, 2.0, 1.0, 0.5]), np.array(targets)
    for seed in seeds:
        times = linear.half_times(
            generator(seed, "dictionary", "order", arm), variances, targets,
            hidden=32, size=1e-3, rate=0.01, steps=12000, layers=layers,
        )  # fmt: skip
        for variance, target, time in zip(variances, targets, times, strict=True):
            yield {
                "seed": seed,
                "variance": variance,
                "strength": variance * target,
                "half_time": time,
            }


def saliency(
    *, arm: str, activation: str, against: str, width: int, inputs: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Spearman's correlation of Theta(x, x) with |df/dx|, or with |x|, over inputs of varied "
    "norm."""
    for seed in seeds:
        stream = generator(seed, "dictionary", "saliency", arm)
        x = stream.standard_normal((inputs, 10)) * stream.uniform(0.5, 2, (inputs, 1))
        network = finite.draw(stream, 1, width, 10)
        theta = finite.diagonal(network, x, activation)[0]
        other = (
            np.linalg.norm(x, axis=1)
            if against == "norm"
            else finite.saliency(network, x, activation)[0]
        )
        yield {"seed": seed, "correlation": stats.spearmanr(theta, other).statistic}


def sensitivity(
    *, arm: str, noise_on: str, width: int, draws: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Variance of f under small noise over size^2 Theta(x, x), the mean over 20 inputs.

    noise_on: parameters, or inputs, whose variance is |df/dx|^2.
    """
    for seed in seeds:
        stream = generator(seed, "dictionary", "sensitivity", arm)
        x = stream.standard_normal((20, 10))
        network = finite.draw(stream, 1, width, 10)
        if noise_on == "parameters":
            found = finite.sensitivity(stream, network, x, "relu", 1e-4, draws)
        else:
            found = finite.saliency(network, x, "relu")[0] ** 2
        yield {"seed": seed, "ratio": np.mean(found / finite.diagonal(network, x, "relu")[0])}


def universality(
    *, arm: str, depth: int, frequency: int, points: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Relative test error of the trained limit on cos(k t), points at random on a circle.

    coefficient: of degree k in the kernel as a function of the angle, over that of degree 0.
    """
    grid = np.arange(512) * 2 * np.pi / 512
    _, profile = kernels.relu_of_angle(np.minimum(grid, 2 * np.pi - grid), depth)
    spectrum = np.fft.rfft(profile).real
    for seed in seeds:
        train = generator(seed, "dictionary", "universality", arm).uniform(0, 2 * np.pi, points)
        angle = np.concatenate([train, grid + 0.01])
        apart = np.abs(angle[:, None] - train) % (2 * np.pi)
        _, kernel = kernels.relu_of_angle(np.minimum(apart, 2 * np.pi - apart), depth)
        target = np.cos(frequency * angle)
        found = kernels.interpolate(kernel, points, target[:points])
        yield {
            "seed": seed,
            "error": np.mean((found - target[points:]) ** 2) / np.mean(target[points:] ** 2),
            "coefficient": abs(spectrum[frequency] / spectrum[0]),
        }
