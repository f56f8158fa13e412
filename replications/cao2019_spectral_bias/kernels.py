"""Limit kernels and their eigenvalues, and the kernel of a network at initialization; float64.

kappa(t) = t kappa_0(t) + 2 kappa_1(t),    kappa(1) = 3/2.
"""

from functools import cache

import jax
import numpy as np

from widenets.ntk.architecture import abs_, dense, fully_connected, relu, serial
from widenets.ntk.empirical import dense_kernels
from widenets.ntk.spectra import degree_projector, multiplicity, two_layer_relu_eigenvalues

# Weights of t kappa_0, kappa_1 and (trained bias) kappa_0 in each arm's kernel.
KERNELS = {
    "theory": (1.0, 2.0, 0.0),
    "bias": (1.0, 2.0, 1.0),
    "standard": (2.0, 2.0, 0.0),
    "readout_only": (0.0, 2.0, 0.0),
    "first_only": (1.0, 0.0, 0.0),
}


def eigenvalues_of(arm: str, dimension: int, max_degree: int) -> np.ndarray:
    first_layer, readout, bias = KERNELS[arm]
    return two_layer_relu_eigenvalues(
        dimension, max_degree, first_layer=first_layer, readout=readout, bias=bias
    )


def kernel_of(arm: str, activation: str = "relu"):
    """Matrix of an arm's kernel for inputs with <x, x>/d = 1, from the shared architecture.

    With unit variances NNGP = kappa_1 and NTK = t kappa_0 + kappa_1.
    """
    kernel = _architecture(activation).kernel
    first_layer, readout, bias = KERNELS[arm]
    if bias:
        raise ValueError("a bias that starts at 0 has no architecture: its closed form is s_k^2")

    def matrix(x1, x2):
        nngp, ntk = kernel(x1, x2)
        return np.array(first_layer * (ntk - nngp) + readout * nngp)

    return matrix


@cache
def _architecture(activation: str):
    """One object per activation: its kernel is compiled once per shape."""
    layer = {"relu": relu, "abs": abs_}[activation]()
    return fully_connected(depth=1, width=1, activation=layer)


def limit_kernel(x: np.ndarray, activation: str = "relu") -> np.ndarray:
    """kappa(X, X) for unit vectors."""
    return kernel_of("theory", activation)(scaled(x), scaled(x))


def scaled(x: np.ndarray) -> np.ndarray:
    """Unit vectors in the convention <x, x> = d of the architectures."""
    return np.sqrt(x.shape[1]) * x


def grid_kernel(x, weights, bias: bool) -> np.ndarray:
    """sqrt(q_i q_j) kappa(x_i, x_j), whose eigenvalues on a quadrature are about mu_k."""
    limit = limit_kernel(x)
    if bias:  # + kappa_0, from t kappa_0; kappa_0 = 1/4 at t = 0
        cosines = x @ x.T
        weighted = kernel_of("first_only")(scaled(x), scaled(x))
        far = np.abs(cosines) > 1e-9
        limit = limit + np.divide(weighted, cosines, out=np.full_like(limit, 0.25), where=far)
    return np.sqrt(np.outer(weights, weights)) * limit


def grid_eigenvalues(x, weights, degrees, bias: bool) -> dict:
    """tr(Pi_k kappa)/N_k on a quadrature: mu_k plus what the grid aliases from the tail."""
    limit = grid_kernel(x, weights, bias)
    return {
        k: np.sum(degree_projector(x, weights, k) * limit) / multiplicity(x.shape[1], k)
        for k in degrees
    }


def initial_kernel(x, first, readout, bias: bool, first_layer: float = 1.0) -> np.ndarray:
    """K_0 = first_layer x (gradients of w, and of a bias that starts at 0) + (gradients of v).

    A mean over neurons, in blocks of 256: one compilation for all widths, and bounded memory.
    """
    total = np.zeros((len(x), len(x)))
    for start in range(0, len(readout), 256):
        w, v = first[start : start + 256], readout[start : start + 256]
        hidden = {"weight": w.T, **({"bias": np.zeros(len(w))} if bias else {})}
        kernels = _relu_kernels((hidden, (), {"weight": v[:, None]}), scaled(x), float(bias))
        nngp, ntk = np.asarray(kernels.nngp), np.asarray(kernels.ntk)
        total += (first_layer * (ntk - nngp) + nngp) * (len(v) / len(readout))
    return total


@jax.jit
def _relu_kernels(params, x, bias_variance):
    network = serial(dense(1, 1.0, bias_variance), relu(), dense(1))
    return dense_kernels(network, params, x)


def size_effect(first, readout, arm: str, max_degree: int) -> np.ndarray:
    """By how much the lengths of the weights change the eigenvalue of each degree, relative to it.

    Given the lengths, the expectation of K_0 has mean v^2 times the part of the first layer (and of
    a bias) and mean |w|^2 / 2 D times that of the read-out; both factors have expectation 1.
    """
    dimension = first.shape[1]
    whole = eigenvalues_of("bias" if arm == "bias" else "theory", dimension, max_degree)
    of_readout = eigenvalues_of("readout_only", dimension, max_degree)
    squares, lengths = np.mean(readout**2), np.mean(np.sum(first**2, axis=1)) / (2 * dimension)
    change = (squares - 1) * (whole - of_readout) + (lengths - 1) * of_readout
    return np.divide(change, whole, out=np.zeros_like(whole), where=whole > 1e-12)
