"""Draws from the exact law of the network and its kernels at initialization: O(n N^2) per layer.

Given the activations A = (a / sqrt(n), beta) of a layer, (n+1, N), the preactivations above it,
H = (W, b) A, are independent Gaussian rows of covariance G = A^T A: no matrix W is needed. On the
way back W^T delta splits into what H already fixes and an independent Gaussian on the complement
of the range of A:

    (W, b)^T delta = A G^+ H^T delta + (1 - A G^+ A^T) xi,    columns of xi ~ N(0, delta^T delta)

Summed over layers, <delta_x, delta_x'> G[x, x'] is Theta (proof of Theorem 1). This is the law of
directly drawn networks at every width, not an approximation for wide ones; all in float64.

Rows of covariance G are standard normals times the symmetric root of G. Any R with R^T R = G has
their law, but sqrt(l) V^T hangs on the signs and bases of eigenvectors, which processors choose
differently; the symmetric root is a continuous function of G.

A sampler of random kernels, and no other way to a kernel that `widenets.ntk` computes: there are no
weights here to differentiate by, and the limit comes from the architecture. Its draws are tested
against the kernels of directly drawn networks (`dense_kernels`) and against that limit.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from replications.jacot2018_frozen_kernel.network import ACTIVATIONS
from replications.jacot2018_frozen_kernel.setting import BETA, HIDDEN_LAYERS

ZERO = 1e-13  # relative eigenvalue of a Gram matrix, from which on it is more than rounding


class Forward(NamedTuple):
    """Networks of one draw each; grams[l] is the covariance of h^(l+1) given the layers below."""

    hidden: tuple[np.ndarray, ...]  # (draws, n, N) each
    features: tuple[np.ndarray, ...]  # sigma(hidden)
    slopes: tuple[np.ndarray, ...]  # sigma'(hidden)
    grams: tuple[np.ndarray, ...]  # (draws, N, N) each
    outputs: np.ndarray  # (draws, outputs, N)


class LayerKernels(NamedTuple):
    """Theta by layers, input layer first; arrays (draws, outputs, N, outputs, N)."""

    weights: list[np.ndarray]  # the part from W^(l)
    biases: list[np.ndarray]  # the part from b^(l)

    @property
    def total(self) -> np.ndarray:
        return sum(self.weights) + sum(self.biases)

    def classical(self, inputs: int, width: int) -> np.ndarray:
        """Theta with derivatives by W/sqrt(n_l) and beta b in place of W and b (Remark 1)."""
        fan_in = [inputs] + [width] * (len(self.weights) - 1)
        weights = sum(n * part for n, part in zip(fan_in, self.weights, strict=True))
        return weights + sum(self.biases) / BETA**2

    def small_readout(self, width: int) -> np.ndarray:
        """Theta if readout weights are ~ N(0, 1/n) besides the factor 1/sqrt(n): what passes
        through them is 1/n as large."""
        below = sum(self.weights[:-1]) + sum(self.biases[:-1])
        return self.weights[-1] + self.biases[-1] + below / width


def draw_networks(
    generator: np.random.Generator,
    x: np.ndarray,
    *,
    activation: str,
    width: int,
    draws: int,
    hidden_layers: int = HIDDEN_LAYERS,
    outputs: int = 1,
) -> Forward:
    """Independent networks at the N inputs x (N, d)."""
    samples, inputs = x.shape
    grams = [np.broadcast_to(x @ x.T / inputs + BETA**2, (draws, samples, samples))]
    layers = []
    for _ in range(hidden_layers):
        h = generator.standard_normal((draws, width, samples)) @ symmetric_power(grams[-1], 0.5)
        a, slope = map(np.asarray, _with_slope(activation)(h))
        layers.append((h, a, slope))
        grams.append(_transpose(a) @ a / width + BETA**2)
    f = generator.standard_normal((draws, outputs, samples)) @ symmetric_power(grams[-1], 0.5)
    return Forward(*zip(*layers, strict=True), tuple(grams), f)


def draw_kernels(
    generator: np.random.Generator, x: np.ndarray, *, width: int, draws: int, **network
) -> Iterator[LayerKernels]:
    """Theta of `draws` networks (arguments as above), in groups that stay small in memory."""
    largest = max(1, 2**16 // width)
    for done in range(0, draws, largest):
        count = min(largest, draws - done)
        drawn = draw_networks(generator, x, width=width, draws=count, **network)
        yield _backward(generator, drawn)


def _backward(generator, drawn: Forward) -> LayerKernels:
    draws, outputs, samples = drawn.outputs.shape
    delta = np.kron(np.eye(outputs), np.ones(samples))[None].repeat(draws, axis=0)
    above, kernels = drawn.outputs, LayerKernels([], [])
    for layer in reversed(range(len(drawn.grams))):
        inner = _transpose(delta) @ delta
        blocks = inner.reshape(draws, outputs, samples, outputs, samples)
        kernels.weights.insert(0, blocks * (drawn.grams[layer] - BETA**2)[:, None, :, None, :])
        kernels.biases.insert(0, blocks * BETA**2)
        if layer > 0:
            below = layer - 1
            width = drawn.hidden[below].shape[1]
            a = drawn.features[below] / np.sqrt(width)
            normals = generator.standard_normal((draws, width + 1, inner.shape[-1]))
            xi = normals @ symmetric_power(inner, 0.5)
            known = _transpose(above) @ delta - _transpose(a) @ xi[:, :-1] - BETA * xi[:, -1:]
            back = xi[:, :-1] + a @ (symmetric_power(drawn.grams[layer], -1.0) @ known)
            delta = np.tile(drawn.slopes[below], (1, 1, outputs)) * back / np.sqrt(width)
            above = drawn.hidden[below]
    return kernels


@cache
def _with_slope(activation: str):
    """h -> (sigma(h), sigma'(h)), of the same layer that the networks are made of."""
    phi = ACTIVATIONS[activation].apply
    return jax.jit(lambda h: jax.jvp(lambda h: phi((), h), (h,), (jnp.ones_like(h),)))


def symmetric_power(gram: np.ndarray, exponent: float) -> np.ndarray:
    """G^exponent = V l^exponent V^T of symmetric G >= 0, (..., N, N): 0.5 its root, -1 its inverse.

    Directions whose eigenvalue is rounding, less than ZERO of the largest, have the power 0
    (pseudo-inverse), so that what is drawn does not hang on the last bit of G.
    """
    values, vectors = np.linalg.eigh(gram)
    kept = values > ZERO * values[..., -1:]
    powers = np.where(kept, np.where(kept, values, 1.0) ** exponent, 0.0)
    return (vectors * powers[..., None, :]) @ _transpose(vectors)


def _transpose(a: np.ndarray) -> np.ndarray:
    return np.swapaxes(a, -1, -2)


def relu_excess_kurtosis(width: int, hidden_layers: int, first: float) -> float:
    """Excess kurtosis of f(x) at finite width, exact for ReLU: 3 (E q^2 / (E q)^2 - 1).

    f given the last hidden layer is N(0, q); q' = <sigma(h), sigma(h)>/n + beta^2 with h ~ N(0, q)
    has E q' = E q/2 + beta^2 and E (q' - beta^2)^2 = (1 + 5/n) E q^2 / 4; first is Sigma^(1)(x, x).
    """
    mean, square, bias = first, first**2, BETA**2
    for _ in range(hidden_layers):
        square = (1 + 5 / width) * square / 4 + bias * mean + bias**2
        mean = mean / 2 + bias
    return 3 * (square / mean**2 - 1)
