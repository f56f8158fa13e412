"""What is measured, all in float64 with NumPy: norms of matrices, first steps, equilibria of decay.

W is out x in, r = out / in, |W| its largest singular value. Gradients are sums over samples of
g h^T with Gaussian g, unless a network is named. Every arm has draws of its own.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq

from widenets.ntk.random import generator
from widenets.ntk.updates import (
    CUBIC,
    QUINTIC,
    equilibrium_memory,
    equilibrium_rms,
    largest_singular_value,
    polar_factor,
    seen_sign_alignment,
    sign_alignment,
    singular_value_map,
    update_rms,
)

INPUTS = 16  # dimension of the data
TOKENS = 256  # of the embedding
SHAPES = {  # name: n -> (out, in)
    "input": lambda n: (n, INPUTS),
    "square": lambda n: (n, n),
    "up": lambda n: (4 * n, n),
    "down": lambda n: (n, 4 * n),
    "read_out": lambda n: (1, n),
    "embedding": lambda n: (n, TOKENS),
}
SCALES = {  # names of public implementations of Muon, of r and the longer side
    "none": lambda out, into: 1.0,
    "shape_scaling": lambda out, into: np.sqrt(max(1.0, out / into)),
    "spectral": lambda out, into: np.sqrt(max(out, into)),
    "unit_rms_norm": lambda out, into: np.sqrt(out / into),
}
SEEN = 32  # of the samples of a gradient of a sign, that many are looked at
FRESH = 256  # inputs for a polar step
ENTRIES, LAG = 400, 20  # of the weights under decay; steps over which their memory is read
SECOND = 0.999  # Adam's beta_2


def rms(values: np.ndarray, axis=None) -> np.ndarray:
    return np.sqrt(np.mean(np.square(values), axis=axis))


def norm(matrix: np.ndarray) -> float:
    return float(np.linalg.norm(matrix, 2))


def norms(
    *, arm: str, rule: str, shape: str, width: int, seeds: tuple[int, ...], law: str = "edge_law"
) -> Iterator[dict]:
    """|W| of Gaussian weights. rule: std in^-1/2 (fan_in), or min(1, sqrt r) of that (spectral).

    predicted: of `law`, the edge with its shift (edge_law) or std (sqrt in + sqrt out) (edge).
    excess: |W| over sqrt r, the norm that keeps features and their changes at 1. excess_law: what
    it tends to for std min(1, sqrt r) in^-1/2; shift: what is left of an edge at this size.
    """
    out, into = SHAPES[shape](width)
    std = into**-0.5 * (min(1.0, np.sqrt(out / into)) if rule == "spectral" else 1.0)
    edge = std * (np.sqrt(into) + np.sqrt(out))
    predicted = largest_singular_value(out, into, std) if law == "edge_law" else edge
    for seed in seeds:
        weights = std * generator(seed, "norms", arm, shape, width).standard_normal((out, into))
        size = norm(weights)
        yield {
            "seed": seed,
            "norm": size,
            "predicted": predicted,
            "excess": size / np.sqrt(out / into),
            "excess_law": 1 + np.sqrt(min(out / into, into / out)),
            "shift": largest_singular_value(out, into, std) / edge,
        }


def _features(kind: str, count: int, width: int, rank: int, draws):
    """Features (count, width) of the gradient, fresh ones (SEEN, width), E h h^T (width, width).

    white; relu (of white ones, so that their mean is not 0); low_rank: U z of `rank` dimensions.
    """
    dimension = rank if kind == "low_rank" else width
    seen, fresh = (draws.standard_normal((size, dimension)) for size in (count, SEEN))
    if kind == "low_rank":
        basis = draws.standard_normal((width, rank)) / np.sqrt(rank)
        return seen @ basis.T, fresh @ basis.T, basis @ basis.T
    if kind == "white":
        return seen, fresh, np.eye(width)
    moments = np.full((width, width), 1 / (2 * np.pi))
    np.fill_diagonal(moments, 0.5)
    return np.maximum(seen, 0), np.maximum(fresh, 0), moments


def alignment(
    *, arm: str, features: str, width: int, seeds: tuple[int, ...], batch: int = 0,
    batch_per_width: float = 0.0, inputs: str = "seen", rank: int = 0, assumed_rank: int = 0,
    assumed: str = "own",
) -> Iterator[dict]:  # fmt: skip
    """The step of a sign (Adam's first) on inputs of its gradient or fresh ones.

    moved: rms(S h) / rms(h); aligned: (rms(S h) / n)^2 over E rms(h)^2, and predicted for it, exact
    for white features that were seen, for very many samples on fresh ones. assumed: `independent`
    predicts as if no two entries of h had anything in common, 1/n; `seen` takes the law of seen
    inputs for fresh ones; assumed_rank takes another rank.
    """
    batch = batch or round(batch_per_width * width)
    for seed in seeds:
        draws = generator(seed, "alignment", arm, width, batch)
        own, fresh, moments = _features(features, batch, width, rank, draws)
        gradient = draws.standard_normal((width, batch)) @ own
        looked_at = own[:SEEN] if inputs == "seen" else fresh
        moves = looked_at @ np.sign(gradient).T
        if assumed == "independent":
            predicted = 1 / width
        elif inputs == "seen" or assumed == "seen":
            predicted = seen_sign_alignment(width, batch)
        elif assumed_rank:
            predicted = seen_sign_alignment(width, assumed_rank)
        else:
            predicted = sign_alignment(moments)
        yield {
            "seed": seed,
            "moved": np.mean(rms(moves, 1) / rms(looked_at, 1)),
            "aligned": np.mean(moves**2) / width**2 / np.mean(np.diag(moments)),
            "predicted": predicted,
        }


def polar(
    *, arm: str, shape: str, width: int, scale: str, seeds: tuple[int, ...], batch: int = 0,
    inputs: str = "seen",
) -> Iterator[dict]:  # fmt: skip
    """Muon's step, scale * (polar factor of the gradient), one step of Shampoo.

    batch: samples of the gradient; 0 takes as many as the matrix has rows and columns, for tokens
    each of them once. moved: rms(dW h) / rms(h). frobenius: |O|_F without the scale. expected: what
    a partial isometry of that rank keeps of a fresh input.
    """
    out, into = SHAPES[shape](width)
    for seed in seeds:
        draws = generator(seed, "polar", arm, shape, width)
        if shape == "embedding":
            own = np.eye(into)
        else:
            own = draws.standard_normal((batch or max(out, into), into))
        gradient = draws.standard_normal((out, len(own))) @ own
        factor = polar_factor(gradient)
        looked_at = own if inputs == "seen" else draws.standard_normal((FRESH, into))
        moves = SCALES[scale](out, into) * looked_at @ factor.T
        yield {
            "seed": seed,
            "moved": rms(moves) / rms(looked_at),
            "frobenius": np.linalg.norm(factor),
            "expected": np.sqrt(min(batch or into, into) / into),
        }


def iteration(*, arm: str, polynomial: str, steps: int, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Where Muon's iteration leaves singular values that start between .75 / 3.4445^steps and 1."""
    coefficients = {"quintic": QUINTIC, "cubic": CUBIC}[polynomial]
    starts = np.geomspace(0.75 / QUINTIC[0] ** steps, 1, 200_001)
    found = singular_value_map(starts, steps, coefficients)
    for seed in seeds:
        yield {"seed": seed, "lowest": found.min(), "highest": found.max()}


def read_out(
    *, arm: str, width: int, seeds: tuple[int, ...], multiplier: int = 1, rate: int = 0,
    eps: float = 0.0, eps_power: int = 0,
) -> Iterator[dict]:  # fmt: skip
    """|df| of one Adam step of the read-out of a ReLU net 16 -> n -> n -> 1, dL/df = 1.

    Mean over 32 inputs, each with a step of its own. change: |df|; moved: over rms(h). f is
    n^-multiplier w . h; the rate is n^-rate, Adam's epsilon eps n^-eps_power.
    """
    for seed in seeds:
        draws = generator(seed, "read_out", arm, width)
        hidden = draws.standard_normal((SEEN, INPUTS))
        hidden /= rms(hidden, 1)[:, None]
        for fan_in in (INPUTS, width):
            weights = draws.standard_normal((width, fan_in)) * np.sqrt(2 / fan_in)
            hidden = np.maximum(hidden @ weights.T, 0)
        gradient = width**-multiplier * hidden
        size = np.abs(gradient) + eps * width**-eps_power
        step = np.divide(gradient, size, out=np.zeros(gradient.shape), where=size > 0)
        changes = width ** -(rate + multiplier) * np.sum(step * hidden, axis=1)
        moved = np.mean(changes / rms(hidden, 1))
        yield {"seed": seed, "moved": moved, "change": np.mean(changes)}


def _adam(gradients: Iterator[np.ndarray], weights, rate, decay, momentum, size, coupled):
    """Weights and updates (…) after each step of Adam with decoupled (AdamW) or coupled (L2) decay.

    `size` is the rms of the gradient, at which the second moment starts: it is at rest.
    """
    first, second = np.zeros_like(weights), np.full_like(weights, size**2)
    kept = 1.0 if coupled else 1 - rate * decay
    for number, gradient in enumerate(gradients, 1):
        gradient = gradient + decay * weights if coupled else gradient
        first += (1 - momentum) * (gradient - first)
        second += (1 - SECOND) * (gradient**2 - second)
        update = first / ((1 - momentum**number) * np.sqrt(second))
        weights = kept * weights - rate * update
        yield weights, update


def decay(
    *, arm: str, momentum: float, seeds: tuple[int, ...], rule: str = "decoupled",
    rate: float = 0.1, decay: float = 0.1, gradient: float = 1.0,
    assumed: str = "exact",
) -> Iterator[dict]:  # fmt: skip
    """Weights under Adam with decay on white noise of rms `gradient`, in their equilibrium.

    weight: rms over sqrt(rate / (2 decay)); turn: |dw| / |w| over sqrt(2 rate decay); update: rms
    of Adam's update; memory: correlation LAG steps later. Predicted beside them, exact in
    rate * decay; assumed: `simple` is what is left for rate * decay -> 0 and without momentum.
    """
    steps = round(4 / (rate * decay))
    exact = assumed == "exact"
    theory = {
        "weight_law": equilibrium_rms(rate, decay, momentum) if exact else 1.0,
        "memory_law": (
            equilibrium_memory(rate, decay, momentum, LAG) if exact else (1 - rate * decay) ** LAG
        ),
        "update_law": update_rms(momentum) if exact else 0.2,
    }
    for seed in seeds:
        draws = generator(seed, "decay", arm, gradient, momentum)
        noise = (gradient * draws.standard_normal(ENTRIES) for _ in range(3 * steps))
        run = _adam(noise, np.zeros(ENTRIES), rate, decay, momentum, gradient, rule == "coupled")
        before, squares, turns, updates, products = None, [], [], [], []
        for number, (weights, update) in enumerate(run):
            if number < steps or number % LAG:
                continue
            squares.append(np.mean(weights**2))
            turns.append(rate * rms(update) / rms(weights))
            updates.append(np.mean(update**2))
            products += [] if before is None else [np.mean(before * weights)]
            before = weights
        yield {
            "seed": seed,
            "weight": np.sqrt(np.mean(squares) * 2 * decay / rate),
            "turn": np.mean(turns) / np.sqrt(2 * rate * decay),
            "update": np.sqrt(np.mean(updates)),
            "memory": np.mean(products) / np.mean(squares),
            **theory,
        }


def matrices(
    *, arm: str, width: int, gradient: str, seeds: tuple[int, ...], power: float = 0.0,
    share: float = 0.0, scaled: bool = True, law: str = "edge",
) -> Iterator[dict]:  # fmt: skip
    """n x n weights under AdamW in their equilibrium, rate .08 (16/n), decay .25 (n/16)^power.

    gradient: noise; signal, the same signs at every step; mixture, noise with a mean of share times
    those signs. scaled=False leaves rate and decay as they are at n = 16. norm: |W|, beside its
    law: 2 sqrt(n) rms, less the shift of the edge (edge; without it: bare_edge), or A n + s^2 / A
    of a signal A and noise s (spike; signal: A n alone). corrected: without the shift of the edge
    and the factor of the momentum in the rms at rest, both of which depend on n here.
    """
    relative = width / 16 if scaled else 1.0
    rate, rest = 0.08 / relative, 0.25 * relative**power
    at_rest = equilibrium_rms(rate, rest, 0.9)
    noise_rms = at_rest * np.sqrt(rate / (2 * rest))
    edge = largest_singular_value(width, width, 1) / (2 * np.sqrt(width))
    mean = share / np.sqrt(1 + share**2) / rest
    predicted = {
        "edge": largest_singular_value(width, width, noise_rms),
        "bare_edge": 2 * noise_rms * np.sqrt(width),
        "spike": mean * width + noise_rms**2 / mean if mean else np.nan,
        "signal": mean * width,
    }[law]
    # A mean is left behind as exp(-rate decay t), noise as the square of that.
    steps = round((4 if gradient == "noise" and not share else 7) / (rate * rest))
    shape = (max(1, 64 // width) ** 2, width, width)  # as many entries of small matrices
    for seed in seeds:
        draws = generator(seed, "matrices", arm, width)
        sides = np.sign(draws.standard_normal((2, *shape[:2])))
        signs = sides[0][:, :, None] * sides[1][:, None, :]
        if gradient == "signal":
            steady = (signs for _ in range(steps))
        else:
            mean_of = share * signs
            steady = (mean_of + draws.standard_normal(shape) for _ in range(steps))
        run = _adam(steady, np.zeros(shape), rate, rest, 0.9, 1.0, False)
        ((weights, update),) = deque(run, maxlen=1)
        largest = np.mean(np.linalg.norm(weights, 2, axis=(1, 2)))
        yield {
            "seed": seed,
            "norm": largest,
            "corrected": largest / at_rest / edge,
            "turn": rate * rms(update) / rms(weights),
            "predicted": predicted,
        }


def relative(
    *, arm: str, update: str, weights: str, width: int, power: float, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """rms(dW h) / rms(W h) of a step at the rate 1/n, decay n^power, at the equilibrium of decay.

    update: aligned, the sign of a gradient of 4 samples on one of them, or noise, of the same size.
    weights: noise of rms sqrt(rate / 2 decay), or the signal 1 / decay that constant signs give.
    The 1/n in the alignment of signs is taken out of those that are signs.
    """
    rate, rest = 1 / width, float(width) ** power
    samples = 4 if "aligned" in (update, weights) else FRESH
    aligned = np.sqrt(seen_sign_alignment(width, samples) * np.pi * samples / 2)
    for seed in seeds:
        draws = generator(seed, "relative", arm, width)
        hidden = draws.standard_normal((samples, width))
        if update == "aligned":
            step = np.sign(draws.standard_normal((width, samples)) @ hidden) / aligned
        else:
            step = draws.standard_normal((width, width))
        if weights == "noise":
            rested = np.sqrt(rate / (2 * rest)) * draws.standard_normal((width, width))
        else:
            rested = np.sign(draws.standard_normal((width, samples)) @ hidden) / rest / aligned
        moved, held = rate * rms(hidden @ step.T), rms(hidden @ rested.T)
        yield {"seed": seed, "change": moved / held}


def _rotations_edge(rate: float, decay: float, width: int) -> float:
    """Norm of sum_k c_k R_k with free rotations R_k and c_k = rate (1 - rate decay)^k.

    The least of 2 s + sum_k (sqrt(s^2 + c_k^2) - s), less the shift of the edge, A^(-2/3) of that
    of a Gaussian matrix of norm 2: near its edge E the density of singular values and their
    opposites is A sqrt(E - x) / pi.
    """
    parts = rate * (1 - rate * decay) ** np.arange(round(20 / (rate * decay)))
    least = brentq(lambda s: 2 + np.sum(s / np.hypot(s, parts) - 1), 1e-9 * rate, 2 / decay)
    edge = 2 * least + np.sum(np.hypot(least, parts) - least)
    bend = np.sum(parts**2 / np.hypot(least, parts) ** 3)
    steepness = np.sqrt(2 / bend) / (2 * least**2)
    gaussian = 2 - largest_singular_value(width, width, width**-0.5)
    return edge - gaussian * steepness ** (-2 / 3)


def muon(
    *, arm: str, width: int, scale: str, seeds: tuple[int, ...], rate: float = 0.1,
    decay: float = 0.2, law: str = "edge",
) -> Iterator[dict]:  # fmt: skip
    """n x n weights under Muon with decoupled decay on white noise, in their equilibrium.

    corrected: norm over sqrt(2 rate / decay) sqrt(1 - rate decay / 2), less the shift of a Gaussian
    edge at this n. law `rotations`: over the edge of a sum of free rotations, less its own shift;
    `first_order`: over sqrt(2 rate / decay).
    """
    shift = largest_singular_value(width, width, 1) / width**0.5 / 2
    size = {
        "edge": np.sqrt(2 * rate / decay * (1 - rate * decay / 2)) * shift,
        "rotations": _rotations_edge(rate, decay, width),
        "first_order": np.sqrt(2 * rate / decay),
    }[law]
    for seed in seeds:
        draws = generator(seed, "muon", arm, width)
        weights = np.zeros((width, width))
        for _ in range(round(4 / (rate * decay))):
            step = SCALES[scale](width, width) * polar_factor(draws.standard_normal(weights.shape))
            weights = (1 - rate * decay) * weights - rate * step
        yield {"seed": seed, "corrected": norm(weights) / size}
