"""What is measured. Failure rates are exact sums; a seed is one draw of shots, or of networks."""

from collections.abc import Iterator

import numpy as np

from replications.ntk_quantum_decoder import codes, decoders, training
from widenets.ntk.dynamics import kernel_flow
from widenets.ntk.random import generator

PAIRED = {
    "shots": "the same shots, decoded by the tangent kernel, by others, and in other gauges",
}


def convolution(*, arm: str, p: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Largest difference between P(syndrome, class) by convolution and by all 4^9 errors (d = 3).

    arms: theory; dropped: the convolution forgets one qubit. No draws.
    """
    of = codes.code(3, "depolarizing")
    shorter = of._replace(masks=of.masks[:-1]) if arm == "dropped" else of
    gap = np.abs(codes.law(shorter, p) - codes.enumerated_law(of, p)).max()
    for seed in seeds:
        yield {"seed": seed, "difference": gap}


def rates(
    *, arm: str, distance: int, noise: str, p: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Exact failure rates of maximum likelihood, matching and no decoding. No draws.

    arms: theory, or another code or noise under that name; trivial: `rate` is that of the trivial
    class for every syndrome.
    """
    table = codes.law(codes.code(distance, noise), p)
    best = codes.failure(table, table.argmax(axis=1))
    matching = codes.failure(table, codes.matching(distance, noise))
    trivial = codes.failure(table, np.zeros(len(table), dtype=int))
    for seed in seeds:
        yield {
            "seed": seed,
            "inverse": 1 / p,
            "rate": trivial if arm == "trivial" else best,
            "likelihood": best,
            "matching": matching,
            "excess": matching / best - 1,
        }


def crossing(*, arm: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The p at which two failure rates of maximum likelihood under bit flips agree. No draws.

    arms: theory, d = 3 and 5; break_even: d = 3 and a bare qubit.
    """

    def rate(distance: int, p: float) -> float:
        return 1 - codes.law(codes.code(distance, "bitflip"), p).max(axis=1).sum()

    low, high = 0.03, 0.2  # the larger code is better below, as is any code against a bare qubit
    for _ in range(40):
        p = (low + high) / 2
        better = rate(3, p) < p if arm == "break_even" else rate(5, p) < rate(3, p)
        low, high = (p, high) if better else (low, p)
    for seed in seeds:
        yield {"seed": seed, "p": (low + high) / 2}


def shots(
    *, arm: str, distance: int, noise: str, p: float, count: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Excess failure over maximum likelihood of a decoder trained on `count` shots.

    arms: theory, the NTK flow at t = infinity in the physical gauge; tenth, from a tenth of the
    shots; hashed, with syndromes under other names; residual and residual_ridge, with classes
    relative to matching; random_gauge; small_code and bitflip_five, which are theory and
    residual_ridge on another code. Beside it on the same shots:
    `raw` (theory), `hashed` (under yet other names), `lookup` (the table in the arm's gauge),
    `matching`.
    """
    arm = {"small_code": "theory", "bitflip_five": "residual_ridge"}.get(arm, arm)
    of = codes.code(distance, noise)
    table = codes.law(of, p)
    best = codes.failure(table, table.argmax(axis=1))
    by_matching = codes.matching(distance, noise)
    names = ("decoder", "shots", distance, noise, p, count)
    for seed in seeds:
        draw = generator(seed, *names)
        counts = draw.multinomial(count, table.ravel() / table.sum()).reshape(table.shape)
        if arm == "tenth":
            fewer = generator(seed, *names, "tenth")
            counts = fewer.multivariate_hypergeometric(counts.ravel(), count // 10)
            counts = counts.reshape(table.shape)
        others = generator(seed, *names, "gauge")
        hashes = [others.permutation(len(table)) for _ in range(2)]
        gauge = {
            "residual": by_matching,
            "residual_ridge": by_matching,
            "random_gauge": others.integers(of.classes, size=len(table)),
        }.get(arm, np.zeros(len(table), dtype=int))

        def excess(decisions: np.ndarray, gauge=gauge) -> float:
            return codes.failure(table, decisions ^ gauge) - best

        local = decoders.in_gauge(counts, gauge)
        ridge = RIDGE if arm == "residual_ridge" else 0.0
        hashing = hashes[1] if arm == "hashed" else None
        own = decoders.kernel_decisions(of.checks, local, names=hashing, ridge=ridge)
        raw = decoders.kernel_decisions(of.checks, counts)
        hashed = decoders.kernel_decisions(of.checks, counts, names=hashes[0])
        yield {
            "seed": seed,
            "likelihood": best,
            "excess": excess(own),
            "relative": excess(own) / best,
            "lookup": excess(decoders.lookup_decisions(local)),
            "raw": codes.failure(table, raw) - best,
            "hashed": codes.failure(table, hashed) - best,
            "matching": codes.failure(table, by_matching) - best,
        }


RIDGE = 1.0  # of K(x, x), over the number of shots of a syndrome


def _class_signs(p: float) -> tuple[np.ndarray, np.ndarray]:
    """P(s) and 1 - 2 P(class 1 | s) of the code with d = 3 under bit flips, (16,) each."""
    table = codes.law(codes.code(3, "bitflip"), p)
    return table.sum(axis=1), (table[:, 0] - table[:, 1]) / table.sum(axis=1)


def widths(*, arm: str, width: int, p: float, steps: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Distance of trained networks from the flow of the limit, relative to the flow's outputs.

    d = 3 under bit flips, syndromes weighted by their chance. arms: theory; readout: against the
    flow of the NNGP kernel, that of training the last layer alone.
    """
    chance, target = _class_signs(p)
    kernel = training.limit_kernel(chance)
    rate = 0.5 / np.linalg.eigvalsh(kernel)[-1]
    record = np.array([steps])
    names = ("decoder", "widths", arm)
    found = training.outputs(width, seeds, names, chance, target, record, rate)[:, 0]
    against = training.limit_kernel(chance, "nngp") if arm == "readout" else kernel
    limit = training.limit_outputs(against, chance, target, record, rate)[0]
    gaps = np.linalg.norm(found - limit, axis=1) / np.linalg.norm(limit)
    for seed, gap in zip(seeds, gaps, strict=True):
        yield {"seed": seed, "gap": gap}


def parities(
    *, arm: str, checks: int, depth: int, bias: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """The NTK on the cube in the basis of parities: what lies off its diagonal, and mu_k. No draws.

    arms: theory, no_bias, deep (as the cell says); zero_one: bits are 0 and 1.
    """
    points = codes.signs(checks)
    points = (1 - points) / 2 if arm == "zero_one" else points
    _, kernel = decoders.network(depth, bias).kernel(points)
    turned = decoders.walsh(decoders.walsh(np.asarray(kernel)).T) / len(points)
    diagonal = np.diag(turned)
    off = np.abs(turned - np.diag(diagonal)).max() / diagonal[0]
    of_degree = decoders.degrees(checks)
    for seed in seeds:
        for degree in range(checks + 1):
            values = diagonal[of_degree == degree]
            yield {
                "seed": seed,
                "degree": degree,
                "eigenvalue": values.mean(),
                "share": abs(values.mean()) / diagonal[0],
                "spread": np.ptp(values) / diagonal[0],
                "off_diagonal": off,
            }


def learning(
    *, arm: str, width: int, degree: int, steps: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """Rate at which networks learn a parity of this degree on all 16 syndromes, over mu_k.

    From the residual's own component after `steps` of descent at rate .5 / (mu_k steps), whose
    exact decay is known. arms: theory; readout: over the eigenvalue of the NNGP kernel.
    """
    checks = 4
    which = int(arm == "readout")
    values = decoders.by_distance(checks)
    mu = decoders.eigenvalues(checks, values[0])[degree]
    claimed = decoders.eigenvalues(checks, values[which])[degree]
    parity = np.prod(codes.signs(checks)[:, :degree], axis=1)
    weights, rate = np.ones(len(parity)), 0.5 / (mu * steps)
    names = ("decoder", "learning", arm, degree)
    found = training.outputs(width, seeds, names, weights, parity, np.array([steps]), rate)[:, 0]
    for seed, output in zip(seeds, found, strict=True):
        left = 1 - output @ parity / len(parity)
        yield {"seed": seed, "ratio": (1 - left ** (1 / steps)) / rate / claimed}


def times(*, arm: str, p: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Time at which half of a syndrome's residual is left, of all 256 syndromes (d = 3). No draws.

    Targets are the likeliest classes, one-hot less 1/4. arms: theory, syndromes weighted by their
    chance; uniform, all alike.
    """
    table = codes.law(codes.code(3, "depolarizing"), p)
    chance = table.sum(axis=1)
    target = np.eye(table.shape[1])[table.argmax(axis=1)] - 1 / table.shape[1]
    weights = np.full(len(chance), 1 / len(chance)) if arm == "uniform" else chance
    roots = np.sqrt(weights)
    steps = np.geomspace(1e-2, 1e8, 800)
    found = kernel_flow(
        training.limit_kernel(weights), roots[:, None] * target, steps, normalization="sum"
    )
    left = np.linalg.norm(found.train / roots[:, None] - target, axis=2)  # (times, syndromes)
    half = (left <= left[0] / 2).argmax(axis=0)
    for seed in seeds:
        for syndrome in range(len(chance)):
            yield {
                "seed": seed,
                "syndrome": syndrome,
                "rarity": -np.log(chance[syndrome]),
                "log_time": np.log(steps[half[syndrome]]),
            }
