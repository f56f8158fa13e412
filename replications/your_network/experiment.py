"""What is measured of a subject: a built-in one whose answer is known, or a reader's file.

subject: the name of a file in `widenets/ntk/subject/builtin`, or a path. The bodies are in
`diagnosis`, `evolution`, `scaling` and `kernel`, a module each.
"""

from collections.abc import Iterator

from replications.your_network.diagnosis import diagnosis_rows
from replications.your_network.evolution import evolution_rows

PAIRED = {
    "diagnosis": "arms of a seed are one network, its data and its batches: they differ in what is "
    "frozen, slowed or permuted alone",
    "evolution": "the lazy network starts from the weights and sees the batches of the other",
}


def diagnosis(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Losses of a run beside those of its frozen counterparts, a row per recorded step."""
    yield from diagnosis_rows(arm, subject, seeds)


def evolution(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Tangent kernel in training, and what is lost where it is frozen at a step."""
    yield from evolution_rows(arm, subject, seeds)
