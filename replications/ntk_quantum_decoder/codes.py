"""The rotated surface code with perfect syndromes, and the exact law of syndromes and classes.

Qubits lie on a d x d grid, checks on its faces, coloured as a chessboard; of the faces at the edge
those of X type lie above and below, those of Z type left and right. Bit flips (X) are seen by Z
checks. An error's class is the parity of its X part on the first row (logical Z) and of its Z part
on the first column (logical X): the physical gauge. Syndromes and classes together are one integer,
the class in the lowest bits; each qubit's error flips a mask of it.
"""

import functools
from typing import NamedTuple

import numpy as np


class Code(NamedTuple):
    distance: int
    noise: str  # bitflip, depolarizing, independent (X and Z with the latter's marginals)
    checks: int  # bits of a syndrome
    classes: int  # 2 or 4
    masks: np.ndarray  # (d^2, kinds) of the errors other than none, integers


def faces(distance: int) -> tuple[np.ndarray, np.ndarray]:
    """(Z checks, X checks), each ((d^2 - 1) / 2, d^2) of 0 and 1."""
    found = {"z": [], "x": []}
    for i in range(distance + 1):
        for j in range(distance + 1):
            corners = [
                (r, c)
                for r in (i - 1, i)
                for c in (j - 1, j)
                if 0 <= r < distance and 0 <= c < distance
            ]
            kind = "z" if (i + j) % 2 == 0 else "x"
            wanted = "x" if i in (0, distance) else "z"
            if len(corners) == 1 or (len(corners) == 2 and kind != wanted):
                continue
            row = np.zeros(distance**2, dtype=int)
            row[[r * distance + c for r, c in corners]] = 1
            found[kind].append(row)
    return np.array(found["z"]), np.array(found["x"])


def logicals(distance: int) -> tuple[np.ndarray, np.ndarray]:
    """(logical Z, logical X): the first row, the first column of qubits, each (d^2,)."""
    grid = np.zeros((2, distance, distance), dtype=int)
    grid[0, 0], grid[1, :, 0] = 1, 1
    return grid[0].ravel(), grid[1].ravel()


@functools.cache
def code(distance: int, noise: str) -> Code:
    """Rows of the table, class bits first, so that they are the lowest."""
    (z, x), (logical_z, logical_x) = faces(distance), logicals(distance)
    if noise == "bitflip":
        rows = np.concatenate([logical_z[None], z])
        flips = _integers(rows)[:, None]
        return Code(distance, noise, len(z), 2, flips)
    seen_by_x_part = _integers(np.concatenate([logical_z[None], 0 * logical_x[None], z, 0 * x]))
    seen_by_z_part = _integers(np.concatenate([0 * logical_z[None], logical_x[None], 0 * z, x]))
    masks = np.stack([seen_by_x_part, seen_by_z_part, seen_by_x_part ^ seen_by_z_part], axis=1)
    return Code(distance, noise, len(z) + len(x), 4, masks)


def _integers(rows: np.ndarray) -> np.ndarray:
    """Columns of 0 and 1 read as integers, the first row the lowest bit."""
    return (rows * 2 ** np.arange(len(rows))[:, None]).sum(axis=0)


def chances(noise: str, p: float) -> np.ndarray:
    """Of the errors of one qubit, none first: X; or X, Z and both."""
    if noise == "bitflip":
        return np.array([1 - p, p])
    if noise == "depolarizing":
        return np.array([1 - p, p / 3, p / 3, p / 3])
    one = 2 * p / 3
    return np.array([(1 - one) ** 2, one * (1 - one), one * (1 - one), one**2])


def law(of: Code, p: float) -> np.ndarray:
    """P(syndrome, class), (2^checks, classes), by one xor convolution for each qubit."""
    table = np.zeros(2**of.checks * of.classes)
    table[0] = 1.0
    places = np.arange(table.size)
    chance = chances(of.noise, p)
    for masks in of.masks:
        table = chance[0] * table + sum(
            one * table[places ^ mask] for one, mask in zip(chance[1:], masks, strict=True)
        )
    return table.reshape(2**of.checks, of.classes)


def enumerated_law(of: Code, p: float) -> np.ndarray:
    """The same by going through all errors of all qubits."""
    chance = chances(of.noise, p)
    place, weight = np.zeros(1, dtype=int), np.ones(1)
    for masks in of.masks:
        flips = np.concatenate([[0], masks])
        place = (place[:, None] ^ flips).ravel()
        weight = (weight[:, None] * chance).ravel()
    table = np.bincount(place, weights=weight, minlength=2**of.checks * of.classes)
    return table.reshape(2**of.checks, of.classes)


def least_weights(of: Code) -> np.ndarray:
    """Fewest qubits of an error with this syndrome and class, (2^checks, classes)."""
    table = np.full(2**of.checks * of.classes, np.inf)
    table[0] = 0.0
    places = np.arange(table.size)
    for masks in of.masks:
        table = np.minimum(table, 1 + np.min([table[places ^ mask] for mask in masks], axis=0))
    return table.reshape(2**of.checks, of.classes)


@functools.cache
def matching(distance: int, noise: str) -> np.ndarray:
    """Decisions (2^checks,) of minimum weight, X and Z parts apart as in matching.

    Ties go to the smaller class; single codes of odd distance under bit flips have none that
    matter at the order of their failure rate.
    """
    of = code(distance, noise)
    if noise == "bitflip":
        return least_weights(of).argmin(axis=1)
    (z, x), (logical_z, logical_x) = faces(distance), logicals(distance)
    half = len(z)
    parts = []
    for checks, logical in ((z, logical_z), (x, logical_x)):
        masks = _integers(np.concatenate([logical[None], checks]))[:, None]
        parts.append(least_weights(Code(distance, "bitflip", half, 2, masks)).argmin(axis=1))
    syndromes = np.arange(2**of.checks)
    return parts[0][syndromes % 2**half] + 2 * parts[1][syndromes // 2**half]


def failure(table: np.ndarray, decisions: np.ndarray) -> float:
    """Share of errors whose class is not the decided one; table: (syndromes, classes)."""
    return float(1 - table[np.arange(len(table)), decisions].sum())


def signs(checks: int) -> np.ndarray:
    """All syndromes as +-1, (2^checks, checks), bit 0 first; no defect is +1."""
    bits = (np.arange(2**checks)[:, None] >> np.arange(checks)) & 1
    return 1.0 - 2.0 * bits
