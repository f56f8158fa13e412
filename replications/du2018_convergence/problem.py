"""The learning problems: data, limit kernels and initial networks of every arm."""

import math
from typing import NamedTuple

import numpy as np

from replications.du2018_convergence.descent import Start
from widenets.ntk.architecture import cos, erf, fully_connected, relu
from widenets.ntk.data import linear_teacher, sphere
from widenets.ntk.random import generator

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
