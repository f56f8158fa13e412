"""Convolutions and pooling against the naive sums, their finite networks, and hard pairs."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from widenets.ntk.architecture import (
    average_pool,
    conv,
    dense,
    flatten,
    global_average_pool,
    leaky_relu,
    relu,
    serial,
)
from widenets.ntk.kernels import kernel_in_blocks

RANDOM = np.random.default_rng(5)
IMAGES = RANDOM.normal(size=(2, 4, 4, 2))
WEIGHTS, BIAS = 1.7, 0.1


def reads(length, size, stride, padding):
    """For every output position of one axis the input positions read; None outside."""
    if padding == "VALID":
        outputs, low = (length - size) // stride + 1, 0
    else:
        outputs = -(-length // stride)
        low = max((outputs - 1) * stride + size - length, 0) // 2
    places = [[stride * p + a - low for a in range(size)] for p in range(outputs)]
    if padding == "CIRCULAR":
        return [[p % length for p in row] for row in places]
    return [[p if 0 <= p < length else None for p in row] for row in places]


def windows(extent, size, stride, padding):
    """For every output position (y, x) the list of input positions read, None outside."""
    rows, columns = (reads(n, s, t, padding) for n, s, t in zip(extent, size, stride, strict=True))
    return [
        [(y, x) if None not in (y, x) else None for y in row for x in column]
        for row in rows
        for column in columns
    ], (len(rows), len(columns))


class Naive:
    """K and Theta as dictionaries over pairs of positions: the definition, one number at a time."""

    def __init__(self, images):
        n, rows, columns, channels = images.shape
        self.extent = rows, columns
        self.n = n
        places = [(y, x) for y in range(rows) for x in range(columns)]
        products = np.einsum("iyxc,jzwc->ijyxzw", images, images) / channels
        self.k = {(p, q): products[:, :, *p, *q] for p in places for q in places}
        self.theta = {key: np.zeros((n, n)) for key in self.k}

    def _mean(self, size, stride, padding, both):
        taken, extent = windows(self.extent, size, stride, padding)
        places = [(y, x) for y in range(extent[0]) for x in range(extent[1])]
        zero = np.zeros((self.n, self.n))

        def mean(field):
            def total(ones, twos):
                pairs = ((a, b) for a in ones for b in twos) if both else zip(ones, twos)  # noqa: B905
                return sum((field[pair] for pair in pairs if None not in pair), zero)

            count = (size[0] * size[1]) ** (2 if both else 1)
            return {
                (p, q): total(taken[i], taken[j]) / count
                for i, p in enumerate(places)
                for j, q in enumerate(places)
            }

        self.k, self.theta, self.extent = mean(self.k), mean(self.theta), extent

    def conv(self, size, stride, padding):
        self._mean(size, stride, padding, both=False)
        for key in self.k:
            self.k[key] = WEIGHTS * self.k[key] + BIAS
            self.theta[key] = self.k[key] + WEIGHTS * self.theta[key]

    def pool(self, size, stride, padding):
        self._mean(size, stride, padding, both=True)

    def relu(self):
        q = {p: np.diag(self.k[p, p]) for p, other in self.k if p == other}
        for p, r in self.k:
            m = np.sqrt(np.outer(q[p], q[r]))
            angle = np.arccos(np.clip(self.k[p, r] / m, -1, 1))
            after = m * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
            self.k[p, r] = after
            self.theta[p, r] = self.theta[p, r] * (np.pi - angle) / (2 * np.pi)

    def readout(self, pooled):
        keys = list(self.k) if pooled else [(p, q) for p, q in self.k if p == q]
        k, theta = (sum(field[key] for key in keys) / len(keys) for field in (self.k, self.theta))
        return k, k + theta


CASES = [
    (("VALID", (3, 2), (1, 1)), None, False),
    (("CIRCULAR", (3, 3), (1, 1)), None, False),
    (("SAME", (3, 2), (2, 1)), None, True),
    (("SAME", (3, 3), (1, 1)), ("SAME", (2, 2), (2, 1)), False),
    (("VALID", (2, 2), (1, 1)), ("SAME", (2, 2), (2, 1)), False),
]


@pytest.mark.parametrize("window, pool, pooled", CASES)
def test_windows_against_the_definition(window, pool, pooled):
    """Any stride, padding and pooling equals the sums over windows (1e-7: arccos)."""
    images = IMAGES[:, :4, : 2 if pooled else 3, :1]
    naive = Naive(images)
    padding, size, stride = window
    naive.conv(size, stride, padding)
    naive.relu()
    layers = [conv(1, size, stride, padding, WEIGHTS, BIAS), relu()]
    if pool:
        padding, size, stride = pool
        naive.pool(size, stride, padding)
        layers.append(average_pool(size, stride, padding))
    network = serial(*layers, global_average_pool() if pooled else flatten(), dense(1))
    found = network.kernel(images, images if pooled else None)
    for kernel, wanted in zip(found, naive.readout(pooled), strict=True):
        np.testing.assert_allclose(kernel, wanted, rtol=1e-7)


@pytest.mark.parametrize("dtype, bound", [(np.float64, 1e-7), (np.float32, 2e-6)])
@pytest.mark.parametrize("size", [(3, 3), (1, 5)])
def test_compiled_loop_against_the_definition(dtype, bound, size):
    """Blocks of images, symmetric and rectangular, and a layer after pooling."""
    x = IMAGES[:, :3].astype(dtype)
    naive = Naive(x.astype(np.float64))
    for _ in range(2):
        naive.conv(size, (1, 1), "SAME")
        naive.relu()
    k, theta = naive.readout(pooled=True)
    network = serial(
        *[conv(1, size, weight_variance=WEIGHTS, bias_variance=BIAS), relu()] * 2,
        global_average_pool(),
        dense(1),
    )
    for x2, block in ((None, None), (None, 1), (x, 1)):
        for which, wanted in (("nngp", k), ("ntk", theta)):
            found = kernel_in_blocks(network, x, x2, which=which, block=block)
            assert found.dtype == dtype
            np.testing.assert_allclose(found, wanted, rtol=bound)


# --- digits at hard pairs -----------------------------------------------------------------------


def exact_pooled(images, slope, bias):
    """conv 3x1, leaky ReLU, global pooling, dense, leaky ReLU, dense on one column, 40 digits."""
    n, rows = images.shape[:2]
    even, odd = ((1 - slope) / 2) ** 2, ((1 + slope) / 2) ** 2

    def activated(k, q1, q2):
        m = mpmath.sqrt(q1 * q2)
        angle = mpmath.acos(max(min(k / m, mpmath.mpf(1)), mpmath.mpf(-1)))
        right = 1 - 2 * angle / mpmath.pi
        product = m * 2 / mpmath.pi * (mpmath.sin(angle) + (mpmath.pi / 2 - angle) * k / m)
        return odd * k + even * product, odd + even * right

    with mpmath.workdps(40):
        x = [[[mpmath.mpf(float(v)) for v in row[0]] for row in image] for image in images]

        def conv_of(i, j, p, q):
            taps = [a for a in (-1, 0, 1) if 0 <= p + a < rows and 0 <= q + a < rows]
            dots = sum(mpmath.fdot(x[i][p + a], x[j][q + a]) for a in taps)
            return mpmath.mpf(WEIGHTS) * dots / (3 * len(x[0][0])) + mpmath.mpf(bias)

        k, theta = np.empty((n, n), object), np.empty((n, n), object)
        for i in range(n):
            for j in range(n):
                total, tangent = mpmath.mpf(0), mpmath.mpf(0)
                for p in range(rows):
                    for q in range(rows):
                        before = conv_of(i, j, p, q)
                        s, d = activated(before, conv_of(i, i, p, p), conv_of(j, j, q, q))
                        total, tangent = total + s, tangent + d * before
                k[i, j] = 2 * total / rows**2
                theta[i, j] = k[i, j] + 2 * tangent / rows**2
        after_k, after_theta = np.empty((n, n)), np.empty((n, n))
        for i in range(n):
            for j in range(n):
                s, d = activated(k[i, j], k[i, i], k[j, j])
                after_k[i, j], after_theta[i, j] = float(2 * s), float(2 * s + 2 * d * theta[i, j])
        return after_k, after_theta


@pytest.mark.parametrize("bias", [BIAS, 0.0])
@pytest.mark.parametrize("dtype, bound", [(np.float64, 1e-12), (np.float32, 2e-6)])
def test_layers_after_pooling_at_hard_pairs(dtype, bound, bias):
    """Duplicates, antipodes, 1e-4 neighbours and (without bias) collinear images; both engines."""
    x = RANDOM.normal(size=(5, 3, 1, 2)).astype(dtype)
    x[1], x[2], x[3], x[4] = x[0], x[0] + dtype(1e-4) * x[2], -x[0], 3 * x[0]
    network = serial(
        conv(1, (3, 1), weight_variance=WEIGHTS, bias_variance=bias),
        leaky_relu(0.2),
        global_average_pool(),
        dense(1, 2.0),
        leaky_relu(0.2),
        dense(1, 2.0),
    )
    wanted = exact_pooled(x, mpmath.mpf("0.2"), bias)
    kernels = [[kernel_in_blocks(network, x, which=which) for which in ("nngp", "ntk")]]
    if (dtype == np.float32) == (bias == 0):  # two of the four: compiling costs
        kernels.append(network.kernel(x))
    for two in kernels:
        for found, want in zip(two, wanted, strict=True):
            assert found.dtype == dtype
            assert np.abs(found - want).max() < bound * np.abs(want).max()


def test_an_angle_after_pooling_is_known_to_rounding_over_itself():
    """The bound that is stated: a few eps / angle, and 4 sqrt(eps) at worst."""
    x = np.concatenate([RANDOM.normal(size=(1, 3, 1, 2))] * 5)
    x[1:] += np.array([1e-8, 1e-7, 1e-5, 1e-3])[:, None, None, None] * RANDOM.normal(size=(3, 1, 2))
    network = serial(
        conv(1, (3, 1), weight_variance=WEIGHTS, bias_variance=BIAS),
        leaky_relu(0.2),
        global_average_pool(),
        dense(1, 2.0),
        leaky_relu(0.2),
        dense(1, 2.0),
    )
    (_, want), eps = exact_pooled(x, mpmath.mpf("0.2"), BIAS), np.finfo(float).eps
    error = np.abs(kernel_in_blocks(network, x) - want)[0] / want[0, 0]
    assert np.all(error[1:] < 4 * np.sqrt(eps))
    assert np.all(error[2:] < 20 * eps / np.array([1e-7, 1e-5, 1e-3]))


# --- finite networks ----------------------------------------------------------------------------

CHANNELS, SEEDS = 128, 600


def features(first):
    """Two convolutions, their first with this variance of weights, and pooling."""
    return serial(
        conv(CHANNELS, 3, weight_variance=first),
        relu(),
        conv(CHANNELS, 3, weight_variance=2.0),
        relu(),
        global_average_pool(),
    )


def test_finite_networks_average_to_the_kernel():
    """Covariance of pooled features, mean of 600 networks: |z| < 4.5; one layer 3 % off: > 4.5."""
    x = IMAGES[:, :3, :3]
    inputs = jnp.asarray(x, jnp.float32)

    def covariance(key):
        f = features(2.0).apply(features(2.0).init(key, x.shape[1:]), inputs)
        return jnp.matmul(f, f[0], precision="highest") / CHANNELS

    keys = jax.random.split(jax.random.key(3), SEEDS)
    samples = np.asarray(jax.jit(lambda keys: jax.lax.map(covariance, keys))(keys))
    error = samples.std(axis=0, ddof=1) / np.sqrt(SEEDS)

    def z(first):
        wanted = kernel_in_blocks(features(first), x, which="nngp")[0]
        return np.abs((samples.mean(axis=0) - wanted) / error).max()

    assert z(2.0) < 4.5
    assert z(2.06) > 4.5


def test_pooling_is_differentiable_inside_jit():
    """The derivative of a pooled mean by each input is 1 / window^2."""
    x = jnp.asarray(IMAGES[:, :4, :4])
    pool = average_pool(2)
    gradient = jax.jit(jax.grad(lambda x: pool.apply((), x).sum()))(x)
    np.testing.assert_allclose(gradient, 0.25, rtol=1e-15)
