"""What is measured: the page's recipes re-run, and the same questions at many seeds.

`printed` and the deterministic parts have one seed that draws nothing: the page fixes its own. All
arrays are float64.
"""

from collections.abc import Iterator

import numpy as np

from replications.popular_blog import closed_forms, networks
from replications.popular_blog.random_features import errors
from widenets.ntk.random import generator

# (widths or depths, what the page prints, what its code prints: recorded when it was run as it is)
PRINTED = {
    "variation": (
        (10, 50, 200, 1000), (0.5823, 0.2741, 0.1284, 0.0594), (0.7243, 0.2934, 0.1976, 0.0991),
    ),
    "drift": (
        (20, 50, 100, 500, 2000), (0.4218, 0.2153, 0.1247, 0.0412, 0.0198),
        (0.0077, 0.0002, 0.0005, 0.0, 0.0),
    ),
}  # fmt: skip


def _circle(points: int, turns: float = 1.0) -> np.ndarray:
    """Equidistant inputs of norm one in the plane, all around or on a part, (points, 2)."""
    angle = np.arange(points) * 2 * np.pi * turns / points
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _target(x: np.ndarray) -> np.ndarray:
    return np.sin(2 * x[:, 0])


def _noisy_target(x: np.ndarray) -> np.ndarray:
    """The labels of the page's training curves, whose noise its code draws from the seed 7."""
    return _target(x) + 0.1 * np.random.RandomState(7).randn(len(x))


def _drawn(
    seeds: tuple[int, ...], part: str, arm: str, count: int, width: int, features: int, readout: str
) -> networks.Networks:
    """The blocks of all seeds one behind another, each of `count` networks from its own stream."""
    blocks = (
        networks.draw(generator(seed, "popular", part, arm, width), count, width, features, readout)
        for seed in seeds
    )
    return networks.Networks(*map(np.concatenate, zip(*blocks, strict=True)))


def _variation_of_two(width: int) -> float:
    """|K_1 - K_0| / |K_0| of the seeds 1 and 0 on 15 points."""
    one, two = (networks.kernel(networks.legacy(seed, width), networks.line(15)) for seed in (0, 1))
    return float(networks.moved(one, two)[0])


def _drift_of_one(width: int) -> float:
    """How far 300 steps of the rate 1/(2m) move the kernel of the seed 42."""
    x, network = networks.line(15), networks.legacy(42, width)
    rate, scale = np.array([0.5 / width]), 1 / np.sqrt(width)
    trained = networks.descend(network, x, _target(x), rate, 300, scale=scale)
    return float(networks.moved(networks.kernel(network, x), networks.kernel(trained, x))[0])


def printed(*, arm: str, table: str, said: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A table of the page: what our code of its recipe prints `here`, beside what it is `said` to.

    said: page, the numbers in the text; recorded, those that the page's own code gave.
    """
    sizes, of_page, recorded = PRINTED[table]
    measure = {"variation": _variation_of_two, "drift": _drift_of_one}[table]
    numbers = {"page": of_page, "recorded": recorded}[said]
    for seed in seeds:
        for size, value in zip(sizes, numbers, strict=True):
            yield {"seed": seed, "size": size, "here": measure(size), "printed": value}


def variation(
    *, arm: str, width: int, pairs: int, seeds: tuple[int, ...], reference: str = "pair",
    readout: str = networks.PAGE,
) -> Iterator[dict]:  # fmt: skip
    """Root mean square of |K_1 - K_2| / |K_limit| over the pairs of a block.

    reference: pair, two draws; text, one draw and the kernel that the page's formula gives.
    """
    x = networks.line(15)
    limit, text = closed_forms.recursion(x, 1, closed_forms.TEXT)
    for seed in seeds:
        stream = generator(seed, "popular", "variation", arm, width)
        one, two = (
            networks.kernel(networks.draw(stream, pairs, width, 1, readout), x) for _ in range(2)
        )
        apart = one - (two if reference == "pair" else text)
        squares = (apart**2).sum(axis=(1, 2)) / (limit**2).sum()
        yield {
            "seed": seed,
            "spread": np.sqrt(squares.mean()),
            "exact": closed_forms.variation(width),
        }


def drift(
    *, arm: str, width: int, bias: bool, networks_per_seed: int, steps: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """How far training on sin 2x at the rate .5 / lambda_max moves the kernel; mean of a block.

    gap: of the residual to that of the frozen kernel at the same step, over the residual at first.
    """
    x, scale = networks.line(15, bias=bias), 1 / np.sqrt(width)
    drawn = _drawn(seeds, "drift", arm, networks_per_seed, width, x.shape[1], networks.PAGE)
    before = networks.kernel(drawn, x)
    rates = 0.5 / np.linalg.eigvalsh(before)[:, -1]
    trained = networks.descend(drawn, x, _target(x), rates, steps, scale=scale)
    first, last = (networks.outputs(n, x, scale) - _target(x) for n in (drawn, trained))
    power = np.linalg.matrix_power(np.eye(len(x)) - rates[:, None, None] * before, steps)
    frozen = (power @ first[:, :, None])[:, :, 0]
    gap = np.linalg.norm(last - frozen, axis=1) / np.linalg.norm(first, axis=1)
    moved = networks.moved(before, networks.kernel(trained, x))
    for seed, of_moved, of_gap in zip(
        seeds, moved.reshape(len(seeds), -1), gap.reshape(len(seeds), -1), strict=True
    ):
        yield {"seed": seed, "drift": of_moved.mean(), "gap": of_gap.mean()}


def growth(
    *, arm: str, width: int, networks_per_seed: int, seeds: tuple[int, ...],
    readout_only: bool = False, mean_field: bool = False,
) -> Iterator[dict]:  # fmt: skip
    """Growth of the kernel once f = 2 x has been learned without a bias, beside its exact law.

    mean_field: a ~ N(0, 1), f divided by m instead of sqrt(m). Rate .005 / lambda_max, 1600 steps:
    the law is that of gradient flow.
    """
    x = networks.line(15)
    y, scale = 2 * x[:, 0], 1 / width if mean_field else 1 / np.sqrt(width)
    readout = networks.UNIT if mean_field else networks.PAGE
    drawn = _drawn(seeds, "growth", arm, networks_per_seed, width, 1, readout)
    before = networks.kernel(drawn, x)
    # `kernel` has the scale m^-1/2; its eigenvalues are those of the gradients.
    rates = 0.005 / (np.linalg.eigvalsh(before)[:, -1] * width * scale**2)
    trained = networks.descend(drawn, x, y, rates, 1600, scale=scale, readout_only=readout_only)
    after = networks.kernel(trained, x)
    strength = before[:, -1, -1] / x[-1, 0] ** 2
    # Where the two signs of x differ much in strength the slower one has not quite arrived.
    start, end = (networks.outputs(n, x[-1:], scale)[:, 0] / x[-1, 0] for n in (drawn, trained))
    of_networks = (
        after[:, -1, -1] / before[:, -1, -1] - 1,
        closed_forms.growth(strength, start, end, width),
        (after[:, -1, -1] ** 2 - before[:, -1, -1] ** 2) / x[-1, 0] ** 4,
    )
    of_seeds = (values.reshape(len(seeds), -1).mean(axis=1) for values in of_networks)
    for seed, found, predicted, square in zip(seeds, *of_seeds, strict=True):
        yield {"seed": seed, "growth": found, "over_law": found / predicted, "square": square}


def spectrum(
    *, arm: str, width: int, networks_per_seed: int, seeds: tuple[int, ...],
    data: str = "circle", readout: str = networks.UNIT, divided: bool = True,
) -> Iterator[dict]:  # fmt: skip
    """Eigenvalues of the kernel on 15 points: means over the networks of a block.

    third: lambda_3 / lambda_1. least: lambda_15 over that of the limit, the kernel of the page's
    formula; not divided by m unless `divided`. share: lambda_15 / lambda_1.
    data: circle, points of norm one in the plane; line, the page's.
    """
    x = _circle(15) if data == "circle" else networks.line(15)
    _, limit = closed_forms.recursion(x, 1, closed_forms.TEXT)
    of_limit = np.linalg.eigvalsh(limit)[0]
    for seed in seeds:
        stream = generator(seed, "popular", "spectrum", arm, width)
        drawn = networks.draw(stream, networks_per_seed, width, x.shape[1], readout)
        values = np.linalg.eigvalsh(networks.kernel(drawn, x, first_layer=2.0))
        row = {
            "seed": seed,
            "third": np.abs(values[:, -3] / values[:, -1]).max(),
            "share": (values[:, 0] / values[:, -1]).mean(),
        }
        if data == "circle":  # on the line the limit is singular
            row["least"] = values[:, 0].mean() / of_limit * (1 if divided else width)
        yield row


def rbf(*, arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Row by row whether the kernel of 15 points falls with the distance, and its third eigenvalue.

    arm: page, the network of width 100 and the seed 42; rbf, exp(-(x - x')^2).
    """
    x = networks.line(15)
    apart = np.abs(x - x.T)
    kernel = np.exp(-(apart**2)) if arm == "rbf" else _page_kernel(x)
    steps = [
        np.diff(row[np.argsort(far, kind="stable")]) for row, far in zip(kernel, apart, strict=True)
    ]
    values = np.linalg.eigvalsh(kernel)
    for seed in seeds:
        yield {
            "seed": seed,
            "falling": np.mean([np.all(step <= 1e-12) for step in steps]),
            "third": abs(values[-3] / values[-1]),
        }


def _page_kernel(x: np.ndarray) -> np.ndarray:
    return networks.kernel(networks.legacy(42, 100), x)[0]


def largest(*, arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Share of the 20 rows of a kernel whose largest entry is on the diagonal, and its bounds.

    arm: page, width 100 and the seed 42; unit_norm, the limit kernel between points of a circle.
    cauchy: max |K_ij| / sqrt(K_ii K_jj); own: max |K_ij| / K_ii.
    """
    if arm == "unit_norm":
        x = _circle(20)
        _, kernel = closed_forms.recursion(x, 1, closed_forms.TEXT)
    else:
        kernel = _page_kernel(networks.line(20))
    diagonal = np.diagonal(kernel)
    bound = diagonal[:, None] if arm == "own_entry" else np.sqrt(np.outer(diagonal, diagonal))
    for seed in seeds:
        yield {
            "seed": seed,
            "share": np.mean(kernel.max(axis=1) <= diagonal * (1 + 1e-12)),
            "ratio": (np.abs(kernel) / bound).max(),
        }


def floor(
    *, arm: str, bias: bool, width: int, steps: int, readout: str, networks_per_seed: int,
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """Loss on the page's noisy labels after `steps` at the rate 1 / lambda_max.

    left: over the loss at first; over_floor: over what a function of the sign of x can reach.
    """
    x, scale = networks.line(15, bias=bias), 1 / np.sqrt(width)
    y = _noisy_target(x)
    lowest = closed_forms.floor(x[:, :1], y)
    drawn = _drawn(seeds, "floor", arm, networks_per_seed, width, x.shape[1], readout)
    rates = 1 / np.linalg.eigvalsh(networks.kernel(drawn, x))[:, -1]
    trained = networks.descend(drawn, x, y, rates, steps, scale=scale)
    first, last = (networks.loss(n, x, y, scale).reshape(len(seeds), -1) for n in (drawn, trained))
    for seed, of_first, of_last in zip(seeds, first, last, strict=True):
        yield {
            "seed": seed,
            "left": (of_last / of_first).max(),
            "over_floor": (of_last / lowest).max(),
        }


def depth(*, arm: str, depths: tuple[int, ...], seeds: tuple[int, ...]) -> Iterator[dict]:
    """Diagonal over mean of the kernel that the page's code computes for 20 points.

    arm: page, the line; covariance, the other kernel of the same recursion; circle, 20 points of
    norm one in the plane; arc, 20 on a quarter of it.
    """
    turns = {"circle": 1.0, "arc": 0.25}.get(arm)
    x = _circle(20, turns) if turns else networks.line(20, 1.5)
    found = {d: closed_forms.recursion(x, d, closed_forms.CODE) for d in depths}
    which = 0 if arm == "covariance" else 1
    for seed in seeds:
        for d in depths:
            ratio = closed_forms.concentration(found[d][which])
            yield {"seed": seed, "depth": d, "ratio": ratio}


def angles(
    *, arm: str, angle: float, depths: tuple[int, ...], seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Kernel between two points of norm one at an angle, over that of a point with itself."""
    x = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    found = {d: closed_forms.recursion(x, d, closed_forms.TEXT) for d in depths}
    which = 0 if arm == "covariance" else 1
    for seed in seeds:
        for d in depths:
            kernel = found[d][which]
            yield {"seed": seed, "depth": d, "share": kernel[0, 1] / kernel[0, 0]}


def limit(
    *, arm: str, width: int, networks_per_seed: int, readout: str, first_layer: float,
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """The mean kernel of a block of networks beside the kernel of the page's formula.

    gap: |K - Theta| / |Theta|; size: trace over trace.
    """
    x = networks.line(15)
    _, text = closed_forms.recursion(x, 1, closed_forms.TEXT)
    for seed in seeds:
        stream = generator(seed, "popular", "limit", arm, width)
        drawn = networks.draw(stream, networks_per_seed, width, 1, readout)
        mean = networks.kernel(drawn, x, first_layer).mean(axis=0)
        gap = np.linalg.norm(mean - text) / np.linalg.norm(text)
        yield {"seed": seed, "gap": gap, "size": np.trace(mean) / np.trace(text)}


def double_descent(
    *, arm: str, points: int, noise: float, ridge: float, widths: tuple[int, ...],
    seeds: tuple[int, ...],
) -> Iterator[dict]:  # fmt: skip
    """Test error of least squares on m random relu features, over the labels' variance."""
    for seed in seeds:
        stream = generator(seed, "popular", "double_descent", arm)
        for width, error in errors(stream, points, noise, ridge, widths).items():
            yield {"seed": seed, "features": width, "error": error}
