"""The learning problems: data, limit kernels and initial networks of every arm."""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from replications.du2018_convergence.descent import Start
from widenets.ntk.architecture import cos, erf, fully_connected, relu
from widenets.ntk.data import linear_teacher, sphere
from widenets.ntk.random import generator
from widenets.ntk.spectra import multiplicities, two_layer_relu_eigenvalues

BLOCK = 64
LIMITS = {
    "relu": fully_connected(depth=1, width=1, activation=relu()),
    "erf": fully_connected(depth=1, width=1, activation=erf()),
    "cos": fully_connected(depth=1, width=1, activation=cos()),
}


def limit_kernels(inputs: np.ndarray, activation: str = "relu") -> tuple[np.ndarray, np.ndarray]:
    """(H_inf of the first layer, kernel of the output weights), both (count, count) float64.

    The paper's preactivations are w.x without 1/sqrt(d), hence the factor; the tangent kernel of
    the whole network is the sum of both. Padded to multiples of BLOCK, so that problems of most
    sizes share one compiled program: more rows are other entries, columns of zeros none.
    """
    count, dimension = inputs.shape
    rows, columns = (BLOCK * math.ceil(size / BLOCK) for size in inputs.shape)
    padded = np.zeros((rows, columns))
    padded[:count, :dimension] = inputs
    padded[count:] = padded[0]
    nngp, ntk = (np.asarray(k) for k in LIMITS[activation].kernel(np.sqrt(columns) * padded))
    return (ntk - nngp)[:count, :count], nngp[:count, :count]


def least_eigenvalue(count: int, dimension: int, degrees: int) -> float:
    """lambda_min of H_inf on the sphere for n, d -> infinity, from its parts of degree 1..degrees.

    The part of degree k is a_k = N_k mu_k times the Gram matrix of N_k features, for random points
    as good as a Wishart matrix of ratio n / N_k and free of the others; what is left is diagonal
    (the part of degree 0 has rank one and does not move the edge). The edge of the free sum is
    max over g < 0 of 1/g + sum_k a_k / (1 - a_k (n / N_k) g) + rest.
    """
    numbers = np.array(multiplicities(dimension, degrees), float)
    eigenvalues = two_layer_relu_eigenvalues(dimension, degrees, first_layer=1.0, readout=0.0)
    parts = (numbers * eigenvalues)[1:]
    rest = 0.5 - eigenvalues[0] - parts.sum()
    loads = parts * count / numbers[1:]

    def minus_inverse(log_g: float) -> float:
        g = -math.exp(log_g)
        return -(1 / g + np.sum(parts / (1 - loads * g)) + rest)

    found = minimize_scalar(minus_inverse, bounds=(-3.0, 14.0), method="bounded")
    return -float(found.fun)


class Setting(NamedTuple):
    """One cell of training: what the arms differ in.

    step: eta in units of 1 / lambda_max of the trained kernel. output_exponent q, factor c: outputs
    c m^-q sum_r a_r sigma(w_r.x). labels: gaussian, linear. conflict: the last two inputs are equal
    and their labels are 1 and -1. mirrored: neurons in pairs of opposite sign, so that f(0) = 0.
    """

    count: int
    dimension: int
    step: float = 0.5
    output_exponent: float = 0.5
    factor: float = 1.0
    activation: str = "relu"
    labels: str = "gaussian"
    label_scale: float = 1.0
    conflict: bool = False
    mirrored: bool = False
    readout: bool = False


class Problem(NamedTuple):
    inputs: np.ndarray
    labels: np.ndarray
    first_layer: np.ndarray  # H_inf
    smallest: float  # lambda_min of H_inf over distinct inputs: the theorem's lambda_0
    both_layers: np.ndarray  # H_inf + E sigma sigma
    rate: float  # eta


def make_problem(setting: Setting, arm: str, seed: int) -> Problem:
    """Inputs on the sphere with labels, and their limit kernels."""
    draw = generator(seed, "du", arm, "data", setting.count, setting.dimension)
    inputs = sphere(draw, setting.count, setting.dimension)
    labels = draw.standard_normal(setting.count)
    if setting.labels == "linear":
        teacher = np.sqrt(setting.dimension) * linear_teacher(draw, setting.dimension)
        labels = inputs @ teacher
    distinct = setting.count
    if setting.conflict:
        inputs[-1], labels[-2:] = inputs[-2], (1.0, -1.0)
        distinct -= 1
    first, second = limit_kernels(inputs, setting.activation)
    smallest = np.linalg.eigvalsh(first[:distinct, :distinct])[0]
    trained = first + second if setting.readout else first
    rate = setting.step / np.linalg.eigvalsh(trained)[-1]
    return Problem(
        inputs, setting.label_scale * labels, first, float(smallest), first + second, float(rate)
    )


def make_start(
    problem: Problem, setting: Setting, arm: str, seed: int, width: int, dtype=np.float64
) -> Start:
    """W ~ N(0, 1), a = +-1 uniform; the step keeps the first-order motion of the outputs."""
    draw = generator(seed, "du", arm, "weights", width)
    pairs = 2 if setting.mirrored else 1
    weights = draw.standard_normal((width // pairs, setting.dimension))
    signs = draw.choice([-1.0, 1.0], size=width // pairs)
    preactivations = np.tile(problem.inputs @ weights.T, (1, pairs))
    signs = np.concatenate([signs, -signs]) if setting.mirrored else signs
    return Start(
        gram=(problem.inputs @ problem.inputs.T).astype(dtype),
        labels=problem.labels.astype(dtype),
        preactivations=preactivations.astype(dtype),
        signs=signs.astype(dtype),
        scale=float(setting.factor * width**-setting.output_exponent),
        learning_rate=float(problem.rate * width ** (2 * setting.output_exponent - 1)),
        activation=setting.activation,
        readout=setting.readout,
    )
