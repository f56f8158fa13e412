"""Somebody's kernel(x1, x2) -> (nngp, ntk) against ours: where it differs, by how much, and which
common fault makes the same numbers.

Generic properties are no check: kernels with such faults are symmetric and positive too. Errors are
relative to the kernel's size, |k - k'| / sqrt(k'(x, x) k'(x', x')), float64 inputs; three blocks:

    cross       inputs of two sets, opposite and near directions among them
    self        different inputs of one set
    diagonal    an input with itself, within a set and across sets

For relu networks of dense layers the wrong kernels are computed, too (`FAULTS`), by

    K_1 = s_w x.x' / d + s_b,       Theta_1 = K_1
    K   <- s_w kappa_1(K) + s_b,    Theta <- K + s_w kappa_0(K before) Theta

with kappa_0 = E[phi' phi'] = (pi - angle) / (2 pi) and kappa_1 = E[phi phi] (Cho & Saul 2009).
"""

import ast
import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import widenets.ntk.architecture as architectures
from widenets.ntk.architecture import Architecture
from widenets.ntk.random import generator
from widenets.ntk.subject.faults import FAULTS

TOLERANCES = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 2e-6}  # of the kernel's answer
KERNELS = ("nngp", "ntk")
BLOCKS = ("cross", "self", "diagonal")
FIRST, SECOND = 7, 5  # inputs
WANTED = "wanted an Architecture or a text such as 'fully_connected(depth=3)'"
FITS = 1e-3  # of the error: what is left of it against the kernel with the fault
ARCCOS_ELSEWHERE = 0.05  # of the error on the diagonal: what arccos may leave elsewhere


class Layers(NamedTuple):
    """Variances of the dense layers of a relu network, first layer first."""

    weight: tuple[float, ...]
    bias: tuple[float, ...]


class Difference(NamedTuple):
    """A kernel's largest relative error in one block, between inputs `row` and `column`; what was
    `found` there and `wanted`; `tolerance` of the kernel's dtype; `fault`: which of FAULTS makes
    the same numbers, "" where none does or nothing is wrong."""

    block: str
    kernel: str
    error: float
    tolerance: float
    row: int
    column: int
    found: float
    wanted: float
    fault: str


@dataclass(frozen=True, eq=False)
class Reference:
    """Our kernels of two sets of inputs; pairs of (x1, x2) first, then those of (x1, x1).

    Vectors over all pairs: `block`, `row`, `column`; `kernels` and `sizes`, that is
    sqrt(k(x, x) k(x', x')), by name ("nngp", "ntk").
    """

    x1: np.ndarray
    x2: np.ndarray
    block: np.ndarray
    row: np.ndarray
    column: np.ndarray
    kernels: dict[str, np.ndarray]
    sizes: dict[str, np.ndarray]

    def of(self, kernel: Callable) -> dict[str, np.ndarray]:
        """The numbers of another function of two sets of inputs, (pairs,) by name."""
        both = [kernel(self.x1, x) for x in (self.x2, self.x1)]
        return {
            name: np.concatenate([np.asarray(found[i]).ravel() for found in both])
            for i, name in enumerate(KERNELS)
        }

    def errors(self, found: dict[str, np.ndarray], wanted=None) -> dict[str, np.ndarray]:
        """Relative errors of numbers, against ours unless others are `wanted`."""
        wanted = wanted or self.kernels
        return {name: np.abs(found[name] - wanted[name]) / self.sizes[name] for name in wanted}


def architecture_of(given) -> Architecture:
    """An architecture of ours, or its description: "fully_connected(depth=3, bias_variance=0.1)".

    width is of no matter at infinite width and may be left out.
    """
    if isinstance(given, Architecture):
        return given
    if not isinstance(given, str):
        raise ValueError(f"architecture: found {given!r}, {WANTED}")
    return _described(given)


@functools.cache
def _described(given: str) -> Architecture:
    """One object for one text, which keeps what it has compiled."""
    try:
        call = ast.parse(given.strip(), mode="eval").body
        name, positional = call.func.id, call.args
        options = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, AttributeError):
        raise ValueError(f"architecture: found {given!r}, {WANTED}") from None
    if name != "fully_connected" or positional:
        raise ValueError(f"architecture: found {given!r}, {WANTED}")
    return architectures.fully_connected(**{"width": 1, **options})


def reference(architecture: Architecture, seed: int) -> Reference:
    """Our kernels of Gaussian inputs, FIRST and SECOND many; the first of the second set are the
    first of the first set, its opposite, and near it. Vectors of 10 numbers, or images of 6 x 6 x 3
    where the architecture wants those."""
    try:
        return _reference(architecture, seed, (10,))
    except ValueError:  # it does not read vectors
        return _reference(architecture, seed, (6, 6, 3))


def _reference(architecture: Architecture, seed: int, shape: tuple[int, ...]) -> Reference:
    x = generator(seed, "kernel", "inputs").standard_normal((FIRST + SECOND, *shape))
    x1, x2 = x[:FIRST], x[FIRST:]
    x2[0], x2[1], x2[2] = x1[0], -2.0 * x1[0], x1[0] + 0.1 * x2[2]
    row, column = np.indices((FIRST, FIRST + SECOND))
    same = (row == column) | ((row == 0) & (column == FIRST))
    block = np.select([same, column < FIRST], ["diagonal", "self"], "cross")

    def flat(values):
        return np.concatenate([values[:FIRST, FIRST:].ravel(), values[:FIRST, :FIRST].ravel()])

    kernels, sizes = {}, {}
    for name, kernel in zip(KERNELS, architecture.kernel(x), strict=True):
        kernels[name] = flat(np.asarray(kernel))
        sizes[name] = flat(np.sqrt(np.outer(np.diagonal(kernel), np.diagonal(kernel))))
    places = flat(row), flat(np.where(column < FIRST, column, column - FIRST))
    return Reference(x1, x2, flat(block), *places, kernels, sizes)


def differences(kernel: Callable, architecture: Architecture, seed: int) -> list[Difference]:
    """The largest difference of every block and kernel. ValueError: no kernels of these inputs."""
    ours = reference(architecture, seed)
    theirs = ours.of(lambda x1, x2: _checked(kernel(x1, x2), len(x1), len(x2)))
    tolerance = max(TOLERANCES[values.dtype] for values in theirs.values())
    errors = ours.errors(theirs)
    fault = _fault(theirs, errors, tolerance, layers_of(architecture), ours)
    found = []
    for block, name in itertools.product(BLOCKS, KERNELS):
        worst = int(np.argmax(np.where(ours.block == block, errors[name], -1.0)))
        error = float(errors[name][worst])
        place = int(ours.row[worst]), int(ours.column[worst])
        values = float(theirs[name][worst]), float(ours.kernels[name][worst])
        named = fault if error > tolerance else ""
        found.append(Difference(block, name, error, tolerance, *place, *values, named))
    return found


def _checked(answer, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Both kernels as arrays, if that is what they are."""
    try:
        nngp, ntk = (np.asarray(values) for values in answer)
    except (TypeError, ValueError):
        raise ValueError(
            f"kernel(x1, x2) must return (nngp, ntk), found {type(answer).__name__}"
        ) from None
    for name, values in (("nngp", nngp), ("ntk", ntk)):
        if values.shape != shape:
            raise ValueError(f"kernel(x1, x2): {name} has the shape {values.shape}, wanted {shape}")
        if values.dtype not in TOLERANCES:
            raise ValueError(f"kernel(x1, x2): {name} holds {values.dtype}, wanted float64 or 32")
        if not np.isfinite(values).all():
            raise ValueError(f"kernel(x1, x2): {name} is not finite")
    return nngp, ntk


# -- common faults --------------------------------------------------------------------------------


def layers_of(architecture: Architecture) -> Layers | None:
    """The dense layers of a relu network, all trained, no bias that starts at 0; else None."""
    chain = architecture.form if isinstance(architecture.form, tuple) else ()
    dense, between = chain[::2], chain[1::2]
    names = {layer.name for layer in dense}, {layer.name for layer in between}
    if names != ({"dense"}, {"relu"}):
        return None
    scales = [layer.form for layer in dense]
    if any(s.standard or not s.trained or s.zero_bias for s in scales):
        return None
    return Layers(tuple(s.weight_variance for s in scales), tuple(s.bias_variance for s in scales))


def _fault(theirs, errors, tolerance: float, layers: Layers | None, ours: Reference) -> str:
    """Which of FAULTS makes these numbers."""
    worst = max(values.max() for values in errors.values())
    if worst <= tolerance:
        return ""
    elsewhere = max(values[ours.block != "diagonal"].max() for values in errors.values())
    if elsewhere < ARCCOS_ELSEWHERE * worst:
        return "arccos_on_the_diagonal"
    for fault in FAULTS if layers else ():
        wrong = ours.of(lambda x1, x2, fault=fault: relu_kernels(x1, x2, layers, fault))
        left = max(values.max() for values in ours.errors(theirs, wrong).values())
        if left <= FITS * worst:
            return fault
    return ""


def relu_kernels(x1, x2, layers: Layers, fault: str = "") -> tuple[np.ndarray, np.ndarray]:
    """(nngp, ntk) of a relu network, with one of FAULTS or none; (N1, d), (N2, d) -> (N1, N2).

    Exact to the root of rounding on the diagonal, which tells faults apart.
    """
    weight, bias = layers
    if fault == "bias_variance_squared":
        bias = tuple(variance**2 for variance in bias)
    if fault == "one_layer_too_few":
        weight, bias = (weight[0], *weight[2:]), (bias[0], *bias[2:])
    scale = weight[0] / (1 if fault == "no_input_scaling" else x1.shape[1])
    k, q1, q2 = (
        scale * product + bias[0]
        for product in (x1 @ x2.T, (x1**2).sum(1)[:, None], (x2**2).sum(1)[None])
    )
    ntk = np.zeros_like(k) if fault == "first_layer_not_trained" else k
    for number, (s_w, s_b) in enumerate(zip(weight[1:], bias[1:], strict=True), start=2):
        kappa_0, kappa_1 = _arc_kernels(k, q1, q2)
        k, q1, q2 = s_w * kappa_1 + s_b, s_w * q1 / 2 + s_b, s_w * q2 / 2 + s_b
        if fault == "derivative_of_new_covariance":
            kappa_0, _ = _arc_kernels(k, q1, q2)
        if fault == "kappa0_without_half":
            kappa_0 = 2.0 * kappa_0
        trained = not (fault == "readout_not_trained" and number == len(weight))
        ntk = s_w * kappa_0 * ntk + (k if trained else 0.0)
    return k, ntk


def _arc_kernels(k, q1, q2) -> tuple[np.ndarray, np.ndarray]:
    """kappa_0 and kappa_1 of relu."""
    size = np.sqrt(q1 * q2)
    angle = np.arccos(np.clip(k / size, -1.0, 1.0))
    kappa_1 = (size * np.sin(angle) + (np.pi - angle) * k) / (2 * np.pi)
    return (np.pi - angle) / (2 * np.pi), kappa_1
