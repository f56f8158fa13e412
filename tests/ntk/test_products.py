"""Products of the empirical NTK with vectors, against the kernel itself; jax and torch.

Both sides are the same float64 sums in another order: 1e-10 and 1e-9 leave 1e5 eps and more.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import nn

from widenets.ntk import empirical
from widenets.ntk.architecture import conv, dense, flatten, relu, serial
from widenets.ntk.empirical import kernel_vector_product
from widenets.ntk.empirical import torch as empirical_torch

NETWORK = serial(conv(3), relu(), flatten(), dense(2))
PARAMS = NETWORK.init(jax.random.key(0), (3, 3, 2), jnp.float64)
X1, X2 = (np.random.default_rng(n).normal(size=(n, 3, 3, 2)) for n in (5, 3))


def tokens_to_sequences(params, tokens):
    """Outputs (N, T, C) of integer inputs."""
    h = jnp.tanh(params["table"][tokens["ids"]])
    return h @ params["out"]


def vector(like, seed=0):
    return np.random.default_rng(seed).normal(size=like)


@pytest.mark.parametrize("block", [None, 1, 2, 4, 100])
def test_equals_the_kernel_times_the_vector(block):
    """Blocks that divide 5 and 3 or not; apply never sees more inputs than a block holds."""
    seen = []

    def apply(params, x):
        seen.append(len(x))
        return NETWORK.apply(params, x)

    theta = empirical.empirical_ntk(NETWORK.apply, PARAMS, X1, X2, kind="full")
    v = vector((3, 2))
    product = kernel_vector_product(apply, PARAMS, X1, X2, block=block)
    seen.clear()  # shapes were asked of all inputs at once, without numbers
    found = product(v)
    np.testing.assert_allclose(found, np.einsum("ijop,jp->io", theta, v), rtol=1e-10)
    assert max(seen) == min(block or 5, 5)
    itself = kernel_vector_product(apply, PARAMS, X1, block=block)
    theta = empirical.empirical_ntk(NETWORK.apply, PARAMS, X1, kind="full")
    v = vector((5, 2))
    np.testing.assert_allclose(itself(v), np.einsum("ijop,jp->io", theta, v), rtol=1e-10)


def test_outputs_of_any_shape_and_inputs_of_any_kind():
    random = np.random.default_rng(1)
    params = {"table": random.normal(size=(7, 4)), "out": random.normal(size=(4, 2))}
    params = jax.tree.map(jnp.asarray, params)
    x = {"ids": np.array([[0, 1, 6], [2, 2, 5], [3, 4, 0], [1, 1, 1]])}
    theta = empirical.empirical_ntk(tokens_to_sequences, params, x, kind="full")
    product = kernel_vector_product(tokens_to_sequences, params, x, block=3)
    v = vector((4, 3, 2))
    expected = np.einsum("ijop,jp->io", theta, v.reshape(4, 6)).reshape(4, 3, 2)
    np.testing.assert_allclose(product(v), expected, rtol=1e-10)
    scalar = kernel_vector_product(lambda p, x: tokens_to_sequences(p, x)[:, 0, 0], params, x)
    theta = empirical.empirical_ntk(lambda p, x: tokens_to_sequences(p, x)[:, 0, 0], params, x)
    np.testing.assert_allclose(scalar(v[:, 0, 0]), theta @ v[:, 0, 0], rtol=1e-10)


def test_is_traceable():
    """Many vectors by vmap inside of jit: the identity gives the kernel back."""
    product = kernel_vector_product(NETWORK.apply, PARAMS, X2)
    columns = jax.jit(jax.vmap(product))(np.eye(6).reshape(6, 3, 2))
    theta = np.array(empirical.empirical_ntk(NETWORK.apply, PARAMS, X2, kind="full"))
    matrix = theta.transpose(0, 2, 1, 3).reshape(6, 6)
    np.testing.assert_allclose(columns.reshape(6, 6), matrix, atol=1e-12)


def test_extreme_eigenvalue_by_scipy():
    product = kernel_vector_product(NETWORK.apply, PARAMS, X1)
    operator = LinearOperator(
        (10, 10), matvec=lambda v: np.ravel(product(v.reshape(5, 2))), dtype=float
    )
    theta = np.array(empirical.empirical_ntk(NETWORK.apply, PARAMS, X1, kind="full"))
    values = np.linalg.eigvalsh(theta.transpose(0, 2, 1, 3).reshape(10, 10))
    found = eigsh(operator, 1, return_eigenvectors=False)
    np.testing.assert_allclose(found, values[-1:], rtol=1e-10)


class Classifier(nn.Module):
    """Attention, embedding, layer norm; and a parameter that is not trained."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 8)
        self.mixer = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True)
        self.readout = nn.Linear(8, 2)
        self.readout.bias.requires_grad_(False)

    def forward(self, tokens):
        return self.readout(self.mixer(self.table(tokens)))


@pytest.mark.parametrize("block", [None, 2])
def test_torch_equals_the_kernel_times_the_vector(block):
    """Fused attention has no forward mode: the product goes without, and puts it back."""
    torch.manual_seed(0)
    module = Classifier().double().eval()
    one, two = torch.randint(0, 11, (3, 4)), torch.randint(0, 11, (5, 4))
    theta = empirical_torch.empirical_ntk(module, one, two, kind="full")
    v = torch.randn(5, 4, 2, dtype=torch.float64)
    fused = torch.backends.mha.get_fastpath_enabled()
    product = empirical_torch.kernel_vector_product(module, one, two, block=block)
    expected = torch.einsum("ijop,jp->io", theta, v.flatten(1)).unflatten(1, (4, 2))
    np.testing.assert_allclose(product(v), expected, rtol=1e-9, atol=1e-12)
    assert torch.backends.mha.get_fastpath_enabled() == fused
    itself = empirical_torch.kernel_vector_product(module, two, block=block)(v)
    theta = empirical_torch.empirical_ntk(module, two, kind="full")
    expected = torch.einsum("ijop,jp->io", theta, v.flatten(1)).unflatten(1, (4, 2))
    np.testing.assert_allclose(itself, expected, rtol=1e-9, atol=1e-12)


class Noisy(nn.Module):
    def __init__(self):
        super().__init__()
        self.readout = nn.Linear(4, 1).double()

    def forward(self, x):
        return self.readout(nn.functional.dropout(x, 0.5))


TORCH = nn.Linear(4, 2).double()
INPUTS = torch.ones(3, 4, dtype=torch.float64)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: of_jax()(np.ones((3, 3))), r"v has shape \(3, 3\).*wanted .*\(3, 2\) and float64"),
        (lambda: of_jax()(np.ones((3, 2), np.float32)), "dtype float32, wanted those of the out"),
        (lambda: of_jax()([[1.0, 2.0]] * 3), "dtype None, wanted"),
        (lambda: of_jax(block=0), "block must be a positive integer, found 0"),
        (lambda: of_jax(x2=X1[:, :2]), "cannot pair inputs"),
        (
            lambda: kernel_vector_product(lambda p, x: NETWORK.apply(p, x).sum(0), PARAMS, X1),
            r"apply gives shape \(2,\) for 5 inputs",
        ),
        (lambda: of_torch(TORCH)(torch.ones(3, 2)), "dtype torch.float32, wanted .*float64"),
        (lambda: of_torch(TORCH)(INPUTS), r"v has shape \(3, 4\)"),
        (lambda: of_torch(Noisy()), "draws random numbers in its forward pass"),
        (lambda: of_torch(nn.Sequential(TORCH, nn.Dropout(0.5))), "draws random .*module.eval"),
        (lambda: of_torch(TORCH, block=-1), "block must be a positive integer, found -1"),
        (lambda: of_torch(nn.Sequential(TORCH, nn.Flatten(0))), r"gives shape \(6,\) for 3 inputs"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def of_jax(**options):
    return kernel_vector_product(NETWORK.apply, PARAMS, X2, **options)


def of_torch(module, **options):
    return empirical_torch.kernel_vector_product(module, INPUTS, **options)
