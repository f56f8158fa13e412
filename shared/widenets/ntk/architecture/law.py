"""What a layer's units are at infinite width, told by the layers alone, before any number.

The dual of an activation is an expectation over Gaussian units that all have one law. Units are
that after an affine layer, and stay it under sums of independent ones and under pooling. They are
not after an activation, after `flatten` (one law for each position), after masks, and the inputs
themselves are not. A sum of branches is exact if the branches are independent and one has mean 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

INPUTS = "the inputs themselves"
REMEDY = "put a dense or conv between them"


class Law(NamedTuple):
    """Units of one layer, as the next one needs to know them."""

    sources: frozenset  # the draws they are functions of: units of disjoint ones are independent
    spoiled: str = ""  # the layer after which they are not Gaussian; "": they are
    between: tuple[str, ...] = ()  # layers since then
    centred: bool = True  # mean 0 over units
    masks: bool = False  # whether dropout draws masks

    @property
    def cause(self) -> str:
        through = f" ({', '.join(self.between)} in between)" if self.between else ""
        return self.spoiled + through


def gaussian(masks: bool = False) -> Law:
    """The best that a network can be given: what is wrong after it is wrong after everything."""
    return Law(frozenset({object()}), masks=masks)


def of_inputs(masks: bool) -> Law:
    """Data: numbers, of which only <x, x'> is known."""
    return Law(frozenset({object()}), INPUTS, centred=False, masks=masks)


def affine(law: Law) -> Law:
    """New weights: Gaussian whatever was read."""
    return gaussian(law.masks)


def linear(name: str) -> Callable[[Law], Law]:
    """A fixed linear map (pooling) of the same units."""
    return lambda law: law._replace(between=(*law.between, name)) if law.spoiled else law


def activation(name: str) -> Callable[[Law], Law]:
    """A function of each unit whose dual is taken over Gaussian ones."""

    def after(law: Law) -> Law:
        if law.spoiled:
            raise ValueError(
                f"{name} after {law.cause}: its input is not Gaussian at infinite width; {REMEDY}"
            )
        return law._replace(spoiled=name, centred=False)

    return after


def spoiling(name: str) -> Callable[[Law], Law]:
    """A linear map after which units no longer share one Gaussian law."""

    def after(law: Law) -> Law:
        return linear(name)(law) if law.spoiled else law._replace(spoiled=name)

    return after


def masking(name: str) -> Callable[[Law], Law]:
    """Dropout: nothing without masks; with them units are 0 or scaled, each by its own draw."""

    def after(law: Law) -> Law:
        if law.masks and law.spoiled == INPUTS:
            raise ValueError(
                f"{name} after {law.cause}: masks of so few units leave a random covariance; "
                f"{REMEDY}, or take the kernel without masks"
            )
        return spoiling(name)(law) if law.masks else law

    return after


def normalising(name: str) -> Callable[[Law], Law]:
    """Mean and variance over the units, which are not random where there are infinitely many."""

    def after(law: Law) -> Law:
        if law.spoiled == INPUTS:
            raise ValueError(
                f"{name} after {law.cause}: their mean over units is not known from <x, x'>; "
                f"{REMEDY}"
            )
        return linear(name)(law)._replace(centred=True)

    return after


def total(name: str, shortcut: Law, branch: Law) -> Law:
    """The sum of two maps of the same input."""
    if shortcut.sources & branch.sources:
        raise ValueError(
            f"{name}: branch and shortcut are functions of the same units and not independent; put "
            "a dense or conv into one of them"
        )
    if not (shortcut.centred or branch.centred):
        raise ValueError(
            f"{name}: branch or shortcut must end in an affine layer, else the two are correlated: "
            f"found {branch.cause or 'units of mean other than 0'} and {shortcut.cause} at the end"
        )
    ranked = sorted((shortcut, branch), key=lambda law: (not law.spoiled, law.spoiled != INPUTS))
    worst = ranked[0] if ranked[0].spoiled else shortcut
    return Law(
        shortcut.sources | branch.sources,
        worst.spoiled,
        (*worst.between, name) if worst.spoiled else (),
        shortcut.centred and branch.centred,
        shortcut.masks,
    )


def side_by_side(name: str, laws: list[Law]) -> Law:
    """Units of several maps of the same input in one layer: each keeps its own law.

    They may depend on each other: a new weight for each leaves no products between them.
    """
    worst = min(laws, key=lambda law: (not law.spoiled, law.spoiled != INPUTS))
    spoiled, between = (worst.spoiled, (*worst.between, name)) if worst.spoiled else (name, ())
    sources = frozenset().union(*(law.sources for law in laws))
    return Law(sources, spoiled, between, all(law.centred for law in laws), worst.masks)


def either(one: Law, two: Law) -> Law:
    """What holds for both: after a number of layers that is not known yet."""
    worst = one if one.spoiled else two
    return worst._replace(sources=one.sources | two.sources, centred=one.centred and two.centred)
