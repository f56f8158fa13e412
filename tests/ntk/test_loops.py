"""repeat and fully_connected compile one layer whatever the depth, to equal numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from widenets.ntk.architecture import (
    average_pool,
    composition,
    conv,
    dense,
    dropout,
    flatten,
    fully_connected,
    global_average_pool,
    layer_norm,
    relu,
    repeat,
    residual,
    serial,
    tanh,
)

X = np.random.default_rng(1).normal(size=(5, 6))
IMAGES = np.random.default_rng(2).normal(size=(2, 4, 3, 2))
BLOCK = serial(conv(2, 3, bias_variance=0.1), relu())
NETWORKS = {
    "fully connected": (serial(dense(7, 2.0, 0.1), relu()), ()),
    "standard": (serial(dense(7, 2.0, 0.1, "standard"), tanh(), dropout(0.7)), ()),
    "residual": (residual(serial(relu(), dense(7, 1.0, 0.1))), (dense(7),)),
    "normalised": (serial(dense(7, 2.0, 0.1), relu(), layer_norm()), ()),
    "flattened": (BLOCK, (), flatten()),
    "pooled": (BLOCK, (), global_average_pool()),
    "pooled in windows": (BLOCK, (), average_pool(2, 1, "SAME"), flatten()),
    "pooled in each": (serial(conv(2), average_pool((2, 1), 1, "SAME")), (), flatten()),
    "shrinking in each": (serial(conv(2, 2, padding="VALID"), relu()), (), flatten()),
}


@pytest.mark.parametrize(
    "name, other", [*((name, False) for name in NETWORKS), ("residual", True), ("pooled", True)]
)
def test_loops_give_the_numbers_of_layers_written_out(name, other, monkeypatch):
    """1e-13 relative; a layer that pools or changes the image is written out as before."""
    monkeypatch.setattr(composition, "UNROLLED", 1)  # else loops start at five layers
    layer, first, *last = NETWORKS[name]
    images, times = bool(last), 2 if "in each" in name else 3
    x = IMAGES if images else X
    x2 = x[:2] + 0.5 if other else None
    masks = not images
    compact, whole = (
        serial(*first, *layers, *last, dense(1))
        for layers in ([repeat(layer, times)], [layer] * times)
    )
    found, wanted = compact.kernel(x, x2, masks=masks), whole.kernel(x, x2, masks=masks)
    for one, two in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-13)


def equations(jaxpr) -> int:
    """Of a program, its loops' bodies counted once: what there is to compile."""
    inner = 0
    for equation in jaxpr.eqns:
        for value in jax.tree.leaves(equation.params, is_leaf=lambda v: hasattr(v, "eqns")):
            body = getattr(value, "jaxpr", value)
            inner += equations(body) if hasattr(body, "eqns") else 0
    return len(jaxpr.eqns) + inner


@pytest.mark.parametrize(
    "network, x",
    [
        (lambda n: fully_connected(depth=n, width=7, bias_variance=0.1), X),
        (lambda n: serial(dense(7), repeat(residual(serial(relu(), dense(7))), n)), X),
        (lambda n: serial(repeat(BLOCK, n), flatten(), dense(1)), IMAGES),
        (lambda n: serial(repeat(BLOCK, n), global_average_pool(), dense(1)), IMAGES),
    ],
)
def test_the_program_does_not_grow_with_depth(network, x):
    def size(depth):
        return equations(jax.make_jaxpr(lambda x: network(depth).limit(x, None))(x).jaxpr)

    assert size(64) == size(8) < 4 * size(1)


def test_parameters_and_outputs_stay_those_of_the_layers():
    network = fully_connected(depth=64, width=5, weight_variance=2.0)
    params = network.init(jax.random.key(0), (6,))
    assert len(params) == 129
    assert params[128]["weight"].shape == (5, 1)
    x = h = jnp.asarray(X, jnp.float32)
    for layer in params[:-1:2]:
        h = jnp.matmul(h, layer["weight"], precision="highest") * (2 / h.shape[1]) ** 0.5
        h = jax.nn.relu(h)
    h = jnp.matmul(h, params[-1]["weight"], precision="highest") * (2 / 5) ** 0.5
    np.testing.assert_allclose(network.apply(params, x), h, rtol=1e-5)


def test_deep_kernels_are_differentiable():
    """Backwards through the loop: against finite differences."""
    network = fully_connected(depth=6, width=1, weight_variance=2.0, bias_variance=0.1)
    total = jax.jit(lambda s: network.limit(jnp.asarray(X) + s, None).ntk.sum())
    slope = jax.jit(jax.grad(total))(0.0)
    np.testing.assert_allclose(slope, (total(1e-5) - total(-1e-5)) / 2e-5, rtol=1e-6)
