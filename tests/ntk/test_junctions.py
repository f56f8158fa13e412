"""Empirical kernels without Jacobians: convolutions, attention, tables, against all Jacobians."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from widenets.ntk import empirical
from widenets.ntk.empirical import junctions
from widenets.ntk.empirical import torch as empirical_torch

RANDOM = np.random.default_rng(3)


def array(*shape):
    return jnp.asarray(RANDOM.normal(size=shape))


def convolutional(params, x):
    for kernel, bias in params["layers"]:
        x = jax.lax.conv_general_dilated(
            x,
            kernel,
            (2, 1),
            "SAME",
            rhs_dilation=(1, 2),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        x = jax.nn.relu(x + bias)
    return x.reshape(len(x), -1) @ params["readout"]


def attention(params, tokens):
    x = params["table"][tokens]
    y = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True) * params["gain"]
    q, k, v = (y @ params[name] for name in "qkv")
    x = x + jax.nn.softmax(q @ k.mT) @ v @ params["o"]
    return x @ params["table"].T if "tied" in params else x.mean(1) @ params["readout"]


def sequence(params, x):
    """Weights on the left, a contraction of two axes, and a weight that is read twice."""
    h = jnp.einsum("ec,ntc->net", params["left"], x["signal"])
    h = jnp.tanh(jnp.einsum("net,eto->no", h, params["both"])) + x["shift"][:, None]
    return jnp.tanh(h @ params["twice"]) @ params["twice"]


NETWORKS = {
    "convolutions": (
        convolutional,
        {
            "layers": [(array(3, 2, 2, 4), array(4)), (array(2, 2, 4, 5), array(5))],
            "readout": array(2 * 6 * 5, 3),
        },
        array(5, 7, 6, 2),
    ),
    "attention": (
        attention,
        {"table": array(9, 6), "gain": array(6), "readout": array(6, 3)}
        | {name: array(6, 6) for name in "qkvo"},
        jnp.asarray(RANDOM.integers(0, 9, size=(5, 4))),
    ),
    "tied": (
        attention,
        {"table": array(9, 6), "gain": array(6), "tied": array(1)}
        | {name: array(6, 6) for name in "qkvo"},
        jnp.asarray(RANDOM.integers(0, 9, size=(5, 4))),
    ),
    "dict of inputs": (
        sequence,
        {"left": array(5, 2), "both": array(5, 3, 4), "twice": array(4, 4)},
        {"signal": array(5, 3, 2), "shift": array(5)},
    ),
}
JACOBIANS = {"convolutions": 2, "attention": 1, "tied": 3, "dict of inputs": 1}  # without h, d


@functools.cache
def definition(name):
    """(N, N, O, O) from all Jacobians."""
    apply, params, x = NETWORKS[name]

    def single(params, x):
        return apply(params, jax.tree.map(lambda a: a[None], x))[0].reshape(-1)

    jacobians = jax.jit(jax.vmap(jax.jacrev(single), (None, 0)))(params, x)
    rows = (leaf.reshape(*leaf.shape[:2], -1) for leaf in jax.tree.leaves(jacobians))
    return sum(np.einsum("iok,jpk->ijop", leaf, leaf) for leaf in rows)


KINDS = {
    "full": lambda theta: theta,
    "per_output": lambda theta: np.einsum("ijoo->ijo", theta),
    "trace": lambda theta: np.einsum("ijoo->ij", theta) / theta.shape[-1],
    "diagonal": lambda theta: np.einsum("iioo->io", theta),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_without_jacobians_the_kernel_is_the_same(name, kind):
    """1e-12 of the largest entry; all inputs at once."""
    apply, params, x = NETWORKS[name]
    found = jax.jit(functools.partial(empirical.empirical_ntk, apply, kind=kind))(params, x)
    wanted = KINDS[kind](definition(name))
    assert np.abs(found - wanted).max() < 1e-12 * np.abs(wanted).max()


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_are_recognised(name):
    """Else the kernel is right, but slow: how many parameters are left to their Jacobians."""
    apply, params, x = NETWORKS[name]
    places = junctions.found(apply, params, jax.tree.map(lambda a: a[:1], x))
    assert len(places.rest) == JACOBIANS[name]


def test_blocks_of_two_sets_change_nothing():
    apply, params, x = NETWORKS["attention"]
    places = junctions.found(apply, params, x[:1])
    linear, square = junctions.numbers_of(places, jax.tree.leaves(params), 3, True)
    bound = 8 * (4 * 2 * linear + 4 * square) / 1e6 * 1.001  # two inputs at a time
    found = empirical.empirical_ntk(apply, params, x, x[:3], kind="full", memory_mb=bound)
    wanted = definition("attention")[:, :3]
    assert np.abs(found - wanted).max() < 1e-12 * np.abs(wanted).max()


@pytest.mark.parametrize("positions", [2, 40])
def test_the_cheaper_formula_is_taken(positions):
    """Many positions: Jacobians; few: the Gram formula. Both give one number."""
    h, d = array(3, positions, 9), array(3, 2, positions, 9)
    assert junctions.by_jacobian(*junctions.sizes(h, d), 3, True) == (positions == 40)
    wanted = np.einsum("itf,jsf,iote,jpse->ijop", h, h, d, d, optimize=True)
    found = junctions.contracted(h, d, h, d, True)
    assert np.abs(found - wanted).max() < 1e-12 * np.abs(wanted).max()


# --- torch ----------------------------------------------------------------------------


class Tied(nn.Module):
    """An embedding that is the readout as well, and a linear layer."""

    def __init__(self):
        super().__init__()
        self.table, self.hidden = nn.Embedding(9, 6), nn.Linear(6, 6)

    def forward(self, tokens):
        return torch.relu(self.hidden(self.table(tokens))) @ self.table.weight.T


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True)
        self.table, self.body = nn.Embedding(9, 8), nn.TransformerEncoder(layer, 1)

    def forward(self, tokens, scale):
        return self.body(self.table(tokens)).mean(1) * scale[:, None]


MODULES = {
    "convolutions": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, stride=2, padding=1),
            nn.GroupNorm(2, 4),
            nn.ReLU(),
            nn.Conv2d(4, 3, 2, dilation=2, padding="same"),
            nn.Flatten(),
            nn.Linear(27, 2),
        ),
        lambda: torch.randn(4, 2, 5, 5, dtype=torch.float64),
    ),
    "signals": (
        lambda: nn.Sequential(nn.Conv1d(2, 4, 3), nn.Tanh(), nn.Conv1d(4, 4, 3, groups=2)),
        lambda: torch.randn(4, 2, 9, dtype=torch.float64),
    ),
    "tied": (Tied, lambda: torch.randint(0, 9, (4, 3))),
    "encoder": (
        Encoder,
        lambda: (torch.randint(0, 9, (4, 3)), torch.randn(4, dtype=torch.float64)),
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_torch_modules_without_jacobians(name):
    """All kinds against all Jacobians: 1e-12 of the largest entry."""
    torch.manual_seed(0)
    make, inputs = MODULES[name]
    module, x = make().double().eval(), inputs()
    parts = x if isinstance(x, tuple) else (x,)
    parameters = {name: p.detach() for name, p in module.named_parameters()}

    def single(parameters, *x):
        return functional_call(module, parameters, tuple(a[None] for a in x))[0].reshape(-1)

    with sdpa_kernel(SDPBackend.MATH):
        jacobians = vmap(jacrev(single), (None, *[0] * len(parts)))(parameters, *parts).values()
    theta = sum(torch.einsum("iok,jpk->ijop", j.flatten(2), j.flatten(2)) for j in jacobians)
    for kind, of in KINDS.items():
        wanted = of(theta.numpy())
        found = empirical_torch.empirical_ntk(module, x, kind=kind).numpy()
        assert np.abs(found - wanted).max() < 1e-12 * np.abs(wanted).max()
