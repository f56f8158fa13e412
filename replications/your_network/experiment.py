"""What is measured of a subject: a built-in one whose answer is known, or a reader's file.

subject: the name of a file in `widenets/ntk/subject/builtin`, or a path. The bodies are in
`diagnosis`, `evolution` and `scaling`.
"""

from collections.abc import Iterator

from replications.your_network.diagnosis import diagnosis_rows
from replications.your_network.evolution import evolution_rows
from replications.your_network.scaling import (
    kernel_rows,
    mistake_rows,
    scaling_rows,
    transfer_rows,
    wrong_kernel_rows,
)

PAIRED = {
    "diagnosis": "arms of a seed are one network, its data and its batches: they differ in what is "
    "frozen, slowed or permuted alone",
    "evolution": "the lazy network starts from the weights and sees the batches of the other",
    "scaling": "a control is the same network with other rates, weights or epsilon",
    "transfer": "arms and widths of a seed see the same data and batches",
    "mistakes": "a mistake is the same network, its data and its draws, with one factor wrong",
    "kernel": "the control is the same kernel, scaled",
    "wrong_kernels": "kernels with a fault see the inputs of the right one",
}


def diagnosis(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Losses of a run beside those of its frozen counterparts, a row per recorded step."""
    yield from diagnosis_rows(arm, subject, seeds)


def evolution(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Tangent kernel in training, and what is lost where it is frozen at a step."""
    yield from evolution_rows(arm, subject, seeds)


def scaling(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Exponents in width of what a few steps do to every tensor."""
    yield from scaling_rows(arm, subject, seeds)


def transfer(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Loss at several learning rates, at every width."""
    yield from transfer_rows(arm, subject, seeds)


def mistakes(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """The same of a built-in transformer that is right, or has one mistake."""
    yield from mistake_rows(arm, subject, seeds)


def kernel(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Errors of infinite-width kernels against ours."""
    yield from kernel_rows(arm, subject, seeds)


def wrong_kernels(*, arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """Whether the fault of a built-in kernel is named."""
    yield from wrong_kernel_rows(arm, subject, seeds)
