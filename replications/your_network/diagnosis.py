"""Part `diagnosis`: a network beside its frozen counterparts, from the same start and batches."""

from collections.abc import Iterator


def diagnosis_rows(arm: str, subject: str, seeds: tuple[int, ...]) -> Iterator[dict]:
    """A row per seed and recorded step. Losses are in units of the best constant's on test data.

    arm: theory = the run as it is, lazy = alpha 300, slow = rate / 1024, shuffled = permuted
    training labels beside frozen arms of the true ones, permuted = the run as it is beside a
    kernel that has seen permuted labels.
    """
    raise NotImplementedError(arm, subject, seeds)
