"""A law that holds by construction: the mean of n draws scatters like n^-1/2."""

import numpy as np

from widenets.ntk.toy import noise


def scatter(*, arm: str, width: int, seeds: tuple[int, ...]):
    for seed in seeds:
        draws = noise(np.random.default_rng([seed, width, arm == "control"]), 64 * width)
        size = 1.0 if arm == "control" else np.sqrt(np.mean(draws**2) / width)
        yield {"seed": seed, "size": size}
