"""Formulas of the attention replication against definitions, `widenets` and other routes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from replications.hron2020_infinite_attention import claims, experiment, heads, networks
from widenets.ntk.architecture import self_attention

TOKENS = np.random.default_rng(5).normal(size=(4, 6))
KERNEL = TOKENS @ TOKENS.T / 6


class Fixed:
    """A stream that gives these arrays in turn."""

    def __init__(self, *arrays):
        self.arrays = list(arrays)

    def standard_normal(self, shape, dtype=None):
        found = self.arrays.pop(0)
        assert found.shape == shape
        return found


@pytest.mark.parametrize("scaling", ["1/d", "1/sqrt(d)"])
def test_conditional_variance_is_that_of_the_library_network(scaling):
    """Outputs through an identity are the mixed values over sqrt(n d H): v is their square."""
    count, d, n_heads = 2, 5, 3
    tied = scaling == "1/d"
    layer = self_attention(n_heads * d, n_heads, d, scaling)
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(3, count, n_heads, 6, d)).astype(np.float32)
    kind = heads.Attention("softmax" if tied else "identity", 1.0 if tied else 0.5, tied)
    order = (drawn[0], drawn[2]) if tied else drawn
    found = heads.conditional_variance(Fixed(*order), kind, TOKENS, n_heads, d, count)
    for index in range(count):
        params = {
            "query": drawn[0 if tied else 1, index],
            "key": drawn[0, index],
            "value": drawn[2, index],
            "output": np.eye(n_heads * d, dtype=np.float32),
        }
        out = layer.apply(params, jnp.asarray(TOKENS[None, None], jnp.float32))
        assert found[index] == pytest.approx(float(jnp.sum(out[0, 0, 0] ** 2)), rel=1e-4)


@pytest.mark.parametrize("d, n_heads", [(6, 1), (12, 1), (6, 4)])
@pytest.mark.parametrize("zeta", ["identity", "softmax"])
def test_laws_at_one_over_root_d_are_those_of_drawn_heads(zeta, d, n_heads):
    law = heads.identity_law if zeta == "identity" else heads.softmax_law
    kind, stream = heads.Attention(zeta, 0.5), np.random.default_rng(d + n_heads)
    found = [
        heads.excess_kurtosis(
            heads.conditional_variance(stream, kind, TOKENS, n_heads, d, 16_384 // n_heads)
        )
        for _ in range(12)
    ]
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    expected = law(KERNEL, d, n_heads)
    assert abs(np.mean(found) - expected) < 4 * error
    assert error < 0.05 * expected


def test_laws_at_infinity_and_for_orthogonal_tokens():
    assert heads.identity_law(KERNEL, np.inf, 1) == pytest.approx(6 * heads.participation(KERNEL))
    assert heads.identity_law(np.eye(5), np.inf, 1) == pytest.approx(6 / 5)
    assert heads.identity_law(np.ones((3, 3)), np.inf, 2) == pytest.approx(3)
    limit = 2 * heads.softmax_law(KERNEL, 256, 1) - heads.softmax_law(KERNEL, 128, 1)
    assert limit == pytest.approx(heads.softmax_law(KERNEL, np.inf, 1), rel=0.02)


def test_constant_of_tied_heads_by_finite_differences():
    def value(scores):
        weights = softmax(scores)
        return weights @ KERNEL @ weights

    steps = 1e-5 * np.eye(4)
    gradient = np.array(
        [(value(KERNEL[0] + step) - value(KERNEL[0] - step)) / 2e-5 for step in steps]
    )
    covariance = KERNEL[0, 0] * KERNEL + np.outer(KERNEL[0], KERNEL[0])
    expected = 6 + 3 * gradient @ covariance @ gradient / value(KERNEL[0]) ** 2
    assert heads.tied_constant(KERNEL) == pytest.approx(expected, rel=1e-6)


def test_excess_kurtosis_of_known_laws():
    """A chi-square with k degrees of freedom over k has 3 * 2 / k."""
    draws = np.random.default_rng(1).chisquare(12, 160_000) / 12
    assert heads.excess_kurtosis(draws) == pytest.approx(0.5, rel=0.03)
    assert heads.excess_kurtosis(np.ones(32)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("scaling", ["1/d", "1/sqrt(d)"])
def test_a_masked_network_is_the_narrow_one_with_its_gradients(scaling):
    """Outputs and |gradient|^2 of every matrix, width 3 inside width 5, two heads."""
    width, widest, n_heads = 3, 5, 2
    wide = networks.attention_network(widest, n_heads, scaling)
    narrow = networks.attention_network(width, n_heads, scaling)
    x = jnp.asarray(TOKENS[None, None], jnp.float32)
    raw = wide.init(jax.random.key(0), x.shape[1:])

    def cut(name, leaf):
        if name == "output":
            blocks = leaf.reshape(n_heads, widest, widest)
            return blocks[:, :width, :width].reshape(-1, width)
        return leaf[:, :width, :width]

    stem, attention, pool, readout = raw
    params = (
        {"weight": stem["weight"][..., :width]},
        {name: cut(name, leaf) for name, leaf in attention.items()},
        pool,
        {"weight": readout["weight"][:width]},
    )

    def masked(p):
        return wide.apply(networks.narrowed(p, width, widest, scaling), x)[0, 0]

    def plain(p):
        return narrow.apply(p, x)[0, 0]

    assert float(masked(raw)) == pytest.approx(float(plain(params)), rel=1e-4)
    for one, two in zip(
        jax.tree.leaves(jax.grad(masked)(raw)), jax.tree.leaves(jax.grad(plain)(params)),
        strict=True,
    ):  # fmt: skip
        assert float(jnp.sum(one**2)) == pytest.approx(float(jnp.sum(two**2)), rel=1e-3)


def test_constant_of_queries_is_the_gradient_of_weights_in_their_limit():
    """E over y of tr[S K S^T K], by draws of y and automatic differentiation of A."""

    def output(scores, y):
        return jnp.mean(jax.nn.softmax(scores, axis=-1) @ y)

    y = np.random.default_rng(3).multivariate_normal(np.zeros(4), KERNEL, 40_000)
    by_scores = jax.vmap(jax.grad(output), (None, 0))(jnp.asarray(KERNEL), jnp.asarray(y))
    felt = np.asarray(by_scores + jnp.swapaxes(by_scores, 1, 2), float)
    found = np.einsum("ypq,qb,yab,ap->y", felt, KERNEL, felt, KERNEL).mean()
    assert networks.query_constant(KERNEL) == pytest.approx(found, rel=0.03)


def _mean_ratios():
    """Means over sequences of what the nearest wrong laws give, over the right ones."""
    rng, found = np.random.default_rng(1), {}
    for _ in range(1500):
        tokens = rng.normal(size=(experiment.TOKENS, experiment.FEATURES))
        kernel = tokens @ tokens.T / experiment.FEATURES
        laws = {"T1_one_head": heads.identity_law, "T1_softmax": heads.softmax_law}
        values = {name: law(kernel, np.inf, 1) / law(kernel, 16, 1) for name, law in laws.items()}
        values["T3_constant"] = 6 / heads.tied_constant(kernel)
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    for _ in range(100):
        x = rng.normal(size=(experiment.TOKENS, experiment.WIDE_FEATURES))
        kernel = x @ x.T / experiment.WIDE_FEATURES
        alone, both = (networks.query_constant(kernel, side) for side in (False, True))
        found.setdefault("T6_what_queries_add", []).append(alone / both)
    means = {name: np.mean(values) for name, values in found.items()}
    means["T1_softmax"] = np.exp(np.mean(np.log(found["T1_softmax"])))  # as its claim takes them
    return means


def test_rivals_are_what_their_theories_give_at_the_sizes_of_the_grid():
    stated = {claim.name: claim.rival.value for claim in claims.CLAIMS if claim.rival}
    for name, value in _mean_ratios().items():
        assert stated[name] == pytest.approx(value, rel=0.03), name


def test_rivals_of_the_kernels_follow_from_what_each_matrix_adds():
    """Two matrices more or less, each of which adds the covariance of outputs."""
    x = np.random.default_rng(2).normal(size=(4, 1, 4, 12))
    stated = {claim.name: claim.rival.value for claim in claims.CLAIMS if claim.rival}
    for name, scaling, added in (
        ("T4_kernel_at_one_over_d", "1/d", 2),
        ("T5_kernel_at_one_over_root_d", "1/sqrt(d)", -2),
    ):
        limit = networks.limit(scaling).kernel(x)
        theta, nngp = np.trace(limit.ntk), np.trace(limit.nngp)
        assert theta / (theta + added * nngp) == pytest.approx(stated[name])


def test_rival_of_the_block_is_the_limit_without_a_skip_over_the_limit():
    ratios = []
    for seed in range(24):
        x = experiment._sequences(seed, "test")
        bare, whole = (networks.limit("block", skip).kernel(x).ntk for skip in (False, True))
        ratios.append(np.trace(bare) / np.trace(whole))
    (claim,) = [claim for claim in claims.CLAIMS if claim.name == "T10_transformer_block"]
    assert claim.rival.value == pytest.approx(np.mean(ratios), rel=0.03)


def test_law_at_large_d_leaves_what_the_claim_says():
    sizes = 1 / np.array([16, 32, 64])
    over = [
        heads.identity_law(KERNEL, 1 / size, 1) / heads.identity_law(KERNEL, np.inf, 1)
        for size in sizes
    ]
    assert np.polyfit(sizes, over, 1)[1] == pytest.approx(0.99, abs=0.005)


def test_what_passes_back_has_its_exact_mean():
    for readout, exact in (("square", 2 + 1 / 8), ("independent", 1 + 2 / 8)):
        rows = list(
            experiment.backward(
                arm="test", readout=readout, width=8, networks_per_seed=4000, seeds=(0, 1, 2)
            )
        )
        assert np.mean([row["ratio"] for row in rows]) == pytest.approx(exact, rel=0.04)
