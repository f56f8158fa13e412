"""What is measured. A seed is a draw of tokens with a block of networks.

Heads are drawn in float32 and averaged in float64; limits are float64, networks float32.
"""

from collections.abc import Iterator

import numpy as np

from replications.hron2020_infinite_attention import heads as layers
from replications.hron2020_infinite_attention import networks
from widenets.ntk.random import generator

TOKENS, FEATURES = 4, 6  # of a sequence in one layer
SEQUENCES, WIDE_FEATURES = 4, 12  # of networks, whose limit is compiled for this shape
CHUNK = 1024  # networks drawn at once


def heads(
    *, arm: str, zeta: str, power: float, heads: int, d: int, networks_per_seed: int,
    seeds: tuple[int, ...], tied: bool = False, shared: bool = False, hot: bool = False,
    read_as: str = "finite",
) -> Iterator[dict]:  # fmt: skip
    """Excess kurtosis of one output over networks, beside its law at 1/sqrt(d).

    read_as: the law at this d (finite) or at d = infinity (limit); at_infinity is over the latter.
    scaled: d times the excess over the constant of tied heads with softmax (read_as values: over
    6, what values alone bring).
    """
    kind = layers.Attention(zeta, power, tied, shared, hot)
    law = layers.identity_law if zeta == "identity" else layers.softmax_law
    for seed in seeds:
        stream = generator(seed, "hron", "heads", arm, heads, d)
        tokens = generator(seed, "hron", "tokens", arm).standard_normal((TOKENS, FEATURES))
        kernel = tokens @ tokens.T / FEATURES
        variance = _variances(stream, kind, tokens, heads, d, networks_per_seed)
        excess = layers.excess_kurtosis(variance)
        finite, limit = law(kernel, d, heads), law(kernel, np.inf, heads)
        constant = 6.0 if read_as == "values" else layers.tied_constant(kernel)
        yield {
            "seed": seed,
            "excess": excess,
            "over_law": excess / (limit if read_as == "limit" else finite),
            "at_infinity": excess / limit,
            "scaled": d * excess / constant,
        }


def _variances(stream, kind, tokens, heads, d, count) -> np.ndarray:
    sizes = [CHUNK] * (count // CHUNK) + ([count % CHUNK] if count % CHUNK else [])
    return np.concatenate(
        [layers.conditional_variance(stream, kind, tokens, heads, d, size) for size in sizes]
    )


def sequence(
    *, arm: str, tokens: int, d: int, networks_per_seed: int, seeds: tuple[int, ...],
    alike: bool = False,
) -> Iterator[dict]:  # fmt: skip
    """Excess kurtosis of one head at 1/sqrt(d), without softmax, by the number of tokens.

    Tokens are orthogonal and of one length, or all alike. of_scores: what is left of the excess
    once the factor (1 + 2/d)^2 of a finite d is taken out, 6 r.
    """
    kind = layers.Attention("identity", 0.5)
    rows = np.ones((tokens, tokens)) if alike else np.sqrt(tokens) * np.eye(tokens)
    for seed in seeds:
        stream = generator(seed, "hron", "sequence", arm, tokens)
        excess = layers.excess_kurtosis(_variances(stream, kind, rows, 1, d, networks_per_seed))
        yield {"seed": seed, "of_scores": 3 * ((1 + excess / 3) / (1 + 2 / d) ** 2 - 1)}


def mixing(
    *, arm: str, d: int, networks_per_seed: int, seeds: tuple[int, ...], tied: bool = False
) -> Iterator[dict]:
    """How far the weights of softmax attention at 1/d are from 1/T: root mean square."""
    kind = layers.Attention("softmax", 1.0, tied)
    for seed in seeds:
        stream = generator(seed, "hron", "mixing", arm, d)
        tokens = generator(seed, "hron", "tokens", arm).standard_normal((TOKENS, FEATURES))
        weights = layers.attention_weights(
            stream, kind, tokens, 1, d, networks_per_seed, TOKENS
        ).astype(np.float64)
        yield {"seed": seed, "deviation": np.sqrt(np.mean((weights - 1 / TOKENS) ** 2))}


def collapse(
    *, arm: str, zeta: str, spread: float, d: int, networks_per_seed: int,
    seeds: tuple[int, ...], skip: bool = False,
) -> Iterator[dict]:  # fmt: skip
    """Distance of two tokens after one layer of attention, tied, at 1/d.

    Tokens are m + spread z with m, z ~ N(0, 1). before, after: |x_p - x_q|^2 over |x_p| |x_q|,
    root mean square over pairs and networks of its root. kept: after^2 / before^2.
    """
    kind = layers.Attention(zeta, 1.0, tied=True)
    for seed in seeds:
        stream = generator(seed, "hron", "collapse", arm, spread, d)
        drawn = generator(seed, "hron", "tokens", arm).standard_normal((TOKENS + 1, d))
        mean, own = drawn[:1], drawn[1:]
        tokens = mean + spread * own
        before = _distance(tokens[None])
        weights = layers.attention_weights(stream, kind, tokens, 1, d, networks_per_seed, TOKENS)[
            :, 0
        ].astype(np.float64)
        value, output = layers.draw(stream, 2, networks_per_seed, d, d) / np.float32(np.sqrt(d))
        moved = weights @ tokens @ value @ output
        after = _distance(tokens + moved if skip else moved)
        yield {"seed": seed, "before": before, "after": after, "kept": after**2 / before**2}


def _distance(tokens: np.ndarray) -> float:
    """Root mean square over networks and pairs of |x_p - x_q| / sqrt(|x_p| |x_q|)."""
    size = np.linalg.norm(tokens, axis=-1)
    apart = np.square(tokens[:, :, None] - tokens[:, None]).sum(axis=-1)
    off = ~np.eye(tokens.shape[1], dtype=bool)
    return float(np.sqrt((apart / (size[:, :, None] * size[:, None]))[:, off].mean()))


def backward(
    *, arm: str, readout: str, width: int, networks_per_seed: int, seeds: tuple[int, ...]
) -> Iterator[dict]:
    """|W^T g|^2 / |g|^2 with g = df/dh, h = W x, over what W^T independent of W would give.

    readout: f = |h|^2 / 2 (square) or f = v . h^2 / 2 with Gaussian v (independent).
    """
    for seed in seeds:
        stream = generator(seed, "hron", "backward", arm)
        x = stream.standard_normal((networks_per_seed, width, 1))
        x = x / np.linalg.norm(x, axis=1, keepdims=True) * np.sqrt(width)
        w = stream.standard_normal((networks_per_seed, width, width)) / np.sqrt(width)
        hidden = w @ x
        gradient = hidden
        if readout == "independent":
            gradient = stream.standard_normal(hidden.shape) * hidden
        back = np.swapaxes(w, 1, 2) @ gradient
        yield {"seed": seed, "ratio": np.square(back).sum() / np.square(gradient).sum()}


def kernels(
    *, arm: str, scaling: str, heads: int, width: int, widest: int, networks_per_seed: int,
    seeds: tuple[int, ...], added: int = 0, both_sides: bool = True,
) -> Iterator[dict]:  # fmt: skip
    """Theta of networks with attention beside its limit; traces are over four sequences.

    added: that limit and so many times the covariance of outputs, which is what each matrix
    adds. total: mean trace over networks over the limit's. deviation: |Theta_n - Theta| / |Theta|,
    geometric mean over networks. spread: standard deviation of the trace over its mean. share: of
    queries and keys in the mean trace; equal: the same over that of values and outputs. scaled: n
    times what queries add, over its constant at 1/d (both_sides: with queries that are keys).
    """
    names = networks.names(scaling, heads)
    for seed in seeds:
        stream = generator(seed, "hron", "kernels", arm, width)
        x = _sequences(seed, arm)
        limit = networks.limit(scaling).kernel(x)
        theta = np.asarray(limit.ntk) + added * np.asarray(limit.nngp)
        found = networks.kernels_by_matrix(
            stream, scaling, x, width, widest, heads, networks_per_seed
        )
        of_matrix = dict(zip(names, np.trace(found, axis1=2, axis2=3).mean(axis=0), strict=True))
        scores = of_matrix["query"] + of_matrix.get("key", 0.0)
        constant = sum(
            networks.query_constant(row[0] @ row[0].T / WIDE_FEATURES, both_sides) for row in x
        )
        total, deviation, spread = _against(found.sum(axis=1), theta)
        yield {
            "seed": seed,
            "total": total,
            "deviation": deviation,
            "spread": spread,
            **{f"of_{name}": value / np.trace(theta) for name, value in of_matrix.items()},
            "share": scores / sum(of_matrix.values()),
            "equal": scores / (of_matrix["value"] + of_matrix["output"]),
            "scaled": width * of_matrix["query"] / constant,
        }


def _sequences(seed: int, arm: str) -> np.ndarray:
    """Gaussian tokens, (sequences, 1, T, features)."""
    stream = generator(seed, "hron", "sequences", arm)
    return stream.standard_normal((SEQUENCES, 1, TOKENS, WIDE_FEATURES))


def _against(found: np.ndarray, theta: np.ndarray) -> tuple[float, float, float]:
    """total, deviation and spread, as in `kernels`, of kernels (networks, N, N) and their limit."""
    traces = np.trace(found, axis1=1, axis2=2)
    off = np.linalg.norm(found - theta, axis=(1, 2)) / np.linalg.norm(theta)
    return (
        traces.mean() / np.trace(theta),
        np.exp(np.log(off).mean()),
        traces.std() / traces.mean(),
    )


def block(
    *, arm: str, width: int, networks_per_seed: int, seeds: tuple[int, ...], skip: bool = True
) -> Iterator[dict]:
    """Theta of a transformer block beside the limit with or without the skip around attention.

    total, deviation, spread: as in `kernels`.
    """
    for seed in seeds:
        stream = generator(seed, "hron", "block", arm, width)
        x = _sequences(seed, arm)
        theta = np.asarray(networks.limit("block", skip).kernel(x).ntk)
        found = networks.kernels_by_matrix(stream, "block", x, width, width, 1, networks_per_seed)
        total, deviation, spread = _against(found.sum(axis=1), theta)
        yield {"seed": seed, "total": total, "deviation": deviation, "spread": spread}


def positions(*, arm: str, share: float, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Largest change of Theta if the tokens of one sequence are reversed, over the largest Theta.

    Tokens have Gaussian encodings of their position beside them; share: what these have of K.
    """
    for seed in seeds:
        stream = generator(seed, "hron", "positions", arm)
        tokens, encodings = stream.standard_normal((2, SEQUENCES, 1, TOKENS, WIDE_FEATURES // 2))
        tokens[2:] = tokens[:2, :, ::-1]
        encodings[1:] = encodings[:1]
        x = np.concatenate([np.sqrt(1 - share) * tokens, np.sqrt(share) * encodings], axis=-1)
        theta = np.asarray(networks.limit("1/d").kernel(x).ntk)
        change = np.abs(theta[:2, :2] - theta[2:, :2]).max()
        yield {"seed": seed, "change": change / theta.max()}
