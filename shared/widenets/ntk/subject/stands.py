"""The stand of any subject: torch or jax, whichever its model is of."""

from collections.abc import Sequence

from widenets.ntk.subject.arms import Stand, stand
from widenets.ntk.subject.contract import Subject
from widenets.ntk.subject.traced import is_traced, traced_stand


def stand_of(subject: Subject, seeds: Sequence[int]) -> Stand:
    """The examined subject with its problems; a SubjectError names the first flaw."""
    return traced_stand(subject, seeds) if is_traced(subject) else stand(subject, seeds)
