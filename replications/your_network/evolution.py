"""Part `evolution`: how the tangent kernel moves, and from when on it may be frozen."""

from collections.abc import Iterator


def evolution_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed and recorded step; arm: theory = the run as it is, lazy = alpha 300."""
    raise NotImplementedError(arm, subject, seeds)
