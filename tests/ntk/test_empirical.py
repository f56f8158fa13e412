"""Empirical kernels: definition by naive loops, the Gram formula, torch against JAX, bounds."""

import functools
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

from widenets.ntk import empirical
from widenets.ntk.architecture import (
    dense,
    fully_connected,
    layer_norm,
    pointwise,
    relu,
    serial,
    tanh,
)
from widenets.ntk.dynamics import gradient_descent, squared_error
from widenets.ntk.empirical import junctions
from widenets.ntk.empirical import torch as empirical_torch

# One compilation instead of one for every operation.
empirical_ntk = jax.jit(
    empirical.empirical_ntk, static_argnums=0, static_argnames=("kind", "memory_mb")
)
dense_kernels = jax.jit(
    empirical.dense_kernels, static_argnums=0, static_argnames=("kind", "memory_mb")
)

VARIANCES = {
    "weight_variance": 1.5,
    "bias_variance": 0.2,
    "readout_weight_variance": 0.7,
    "readout_bias_variance": 0.4,
}
NETWORK = fully_connected(depth=2, width=1, activation=tanh(), **VARIANCES)
RELU = fully_connected(depth=2, width=1, **VARIANCES)
STANDARD = fully_connected(
    depth=2, width=1, activation=tanh(), parameterization="standard", **VARIANCES
)
SHAPES = {"full": (5, 3, 2, 2), "per_output": (5, 3, 2), "trace": (5, 3), "diagonal": (5, 2)}


@functools.partial(jax.jit, static_argnames=("widths", "dtype"))
def init(key, widths=(4, 6, 7, 2), dtype=jnp.float64):
    """Dense layers with parameter-free activations between them, as `serial` stores them."""
    layers = []
    for fan_in, width in itertools.pairwise(widths):
        key, first, second = jax.random.split(key, 3)
        weight = jax.random.normal(first, (fan_in, width), dtype)
        layers += [{"weight": weight, "bias": jax.random.normal(second, (width,), dtype)}, ()]
    return tuple(layers[:-1])


def apply(params, x, activation=jnp.tanh):
    """The network that `dense_kernels` describes, written out."""
    layers = [layer for layer in params if layer]
    for layer in layers:
        kind = "readout_" if layer is layers[-1] else ""
        scale = np.sqrt(VARIANCES[kind + "weight_variance"] / layer["weight"].shape[0])
        x = scale * x @ layer["weight"] + np.sqrt(VARIANCES[kind + "bias_variance"]) * layer["bias"]
        x = x if layer is layers[-1] else activation(x)
    return x


@pytest.fixture(scope="module")
def inputs():
    keys = jax.random.split(jax.random.key(1))
    return tuple(jax.random.normal(k, (n, 4), jnp.float64) for k, n in ((keys[0], 5), (keys[1], 3)))


@pytest.fixture(scope="module")
def definition(inputs):
    """The sum over parameters of products of derivatives, point by point and output by output."""
    params = init(jax.random.key(0))
    slope = jax.jit(jax.grad(lambda p, x, output: apply(p, x[None])[0, output]))

    def gradients(points):
        """(N, 2, parameters), one gradient at a time."""
        return [
            [
                np.concatenate(
                    [np.ravel(leaf) for leaf in jax.tree.leaves(slope(params, x, output))]
                )
                for output in range(2)
            ]
            for x in points
        ]

    one, two = (gradients(points) for points in inputs)
    result = np.zeros((5, 3, 2, 2))
    for index in np.ndindex(result.shape):
        i, j, o, p = index
        result[index] = one[i][o] @ two[j][p]
    return {
        "full": result,
        "per_output": np.einsum("ijoo->ijo", result),
        "trace": np.einsum("ijoo->ij", result) / 2,
        "diagonal": np.array([[g @ g for g in gradients_of_one] for gradients_of_one in one]),
    }


def paired(inputs, kind):
    """x1 and x2; x1 alone for the diagonal."""
    return inputs[:1] if kind == "diagonal" else inputs


@pytest.mark.parametrize("kind", SHAPES)
def test_equals_its_definition(inputs, definition, kind):
    params = init(jax.random.key(0))
    x, options = paired(inputs, kind), {"kind": kind}
    general = empirical_ntk(apply, params, *x, kind=kind)
    layerwise = dense_kernels(NETWORK, params, *x, **options)
    assert general.shape == layerwise.ntk.shape == SHAPES[kind]
    assert layerwise.nngp.shape == SHAPES[kind][: 1 if kind == "diagonal" else 2]
    np.testing.assert_allclose(general, definition[kind], atol=1e-12)
    np.testing.assert_allclose(layerwise.ntk, definition[kind], atol=1e-12)


def test_diagonal_is_that_of_the_matrices(inputs):
    """Of both kernels; it pairs every input with itself and takes no x2."""
    params = init(jax.random.key(0))
    diagonal = dense_kernels(NETWORK, params, inputs[0], kind="diagonal")
    whole = dense_kernels(NETWORK, params, inputs[0], kind="per_output")
    np.testing.assert_allclose(diagonal.nngp, jnp.diagonal(whole.nngp), rtol=1e-14)
    np.testing.assert_allclose(diagonal.ntk, jnp.diagonal(whole.ntk).T, rtol=1e-14)
    with pytest.raises(ValueError, match="found an x2"):
        dense_kernels(NETWORK, params, *inputs, kind="diagonal")


def test_derivatives_by_finite_differences(inputs):
    """Theta(x, x) is the squared norm of the gradient: differences along each weight of a layer."""
    params, x = init(jax.random.key(0)), inputs[0][:1]
    network = jax.jit(apply)
    total = np.zeros((2, 2))
    for layer, name in [(i, n) for i, p in enumerate(params) if p for n in p]:
        for index in np.ndindex(params[layer][name].shape):
            ends = []
            for sign in (1, -1):
                changed = [dict(p) if p else p for p in params]
                changed[layer][name] = np.array(changed[layer][name])
                changed[layer][name][index] += sign * 1e-6
                ends.append(np.asarray(network(tuple(changed), x))[0])
            slope = (ends[0] - ends[1]) / 2e-6
            total += np.outer(slope, slope)
    kernels = dense_kernels(NETWORK, params, x, kind="full")
    np.testing.assert_allclose(kernels.ntk[0, 0], total, rtol=1e-7, atol=1e-8)


def test_nngp_is_the_covariance_of_the_output_over_readouts(inputs):
    """Exactly: the sum of f f^T over unit readouts is their covariance, sw^2 phi phi^T/n + sb^2."""
    params, x = init(jax.random.key(0)), inputs[0]
    width = params[-1]["weight"].shape[0]
    total = np.zeros((5, 5))
    for row in range(width + 1):  # one unit readout (or the bias) at a time
        weight = np.zeros((width, 2))
        bias = np.zeros(2)
        if row < width:
            weight[row, 0] = 1.0
        else:
            bias[0] = 1.0
        outputs = np.asarray(apply((*params[:-1], {"weight": weight, "bias": bias}), x))[:, 0]
        total += np.outer(outputs, outputs)
    kernels = dense_kernels(NETWORK, params, x)
    np.testing.assert_allclose(kernels.nngp, total, atol=1e-12)


def test_standard_parameterization(inputs):
    """The variances play no part: h = W x + b as it stands."""

    def plain(params, x):
        for layer in (layer for layer in params[:-1] if layer):
            x = jnp.tanh(x @ layer["weight"] + layer["bias"])
        return x @ params[-1]["weight"] + params[-1]["bias"]

    params = jax.tree.map(lambda leaf: leaf / 2, init(jax.random.key(0)))
    general = empirical_ntk(plain, params, *inputs, kind="full")
    layerwise = dense_kernels(
        STANDARD,
        params,
        *inputs,
        kind="full",
    )
    np.testing.assert_allclose(layerwise.ntk, general, atol=1e-12)


def test_is_symmetric_and_positive(inputs):
    kernels = dense_kernels(NETWORK, init(jax.random.key(0)), inputs[0], kind="full")
    matrix = np.asarray(jnp.transpose(kernels.ntk, (0, 2, 1, 3)).reshape(10, 10))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-13)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-12
    assert np.linalg.eigvalsh(kernels.nngp)[0] > -1e-12


@pytest.mark.parametrize("kind, samples", [("full", 161), ("per_output", 321)])
def test_symmetric_blocks_of_samples_change_nothing(kind, samples):
    """With x2 = x1 left out, large kernels are made of blocks above the diagonal: two here."""
    params = init(jax.random.key(0))
    x = jax.random.normal(jax.random.key(6), (samples, 4), jnp.float64)
    one = dense_kernels(NETWORK, params, x, kind=kind)
    two = dense_kernels(NETWORK, params, x, x, kind=kind)
    np.testing.assert_allclose(one.ntk, two.ntk, atol=1e-13)
    np.testing.assert_allclose(one.nngp, two.nngp, atol=1e-13)


@pytest.mark.parametrize(
    "kind, rows", [("full", 1), ("per_output", 4), ("trace", 2), ("diagonal", 2)]
)
def test_blocks_change_nothing(inputs, definition, kind, rows):
    """Any memory bound, divisors of N or not, one or both arguments in blocks."""
    params, x = init(jax.random.key(0)), paired(inputs, kind)
    places = junctions.found(apply, params, x[0][:1])
    linear, square = junctions.numbers_of(places, jax.tree.leaves(params), 2, kind == "full")
    bound = 8 * (4 * linear * rows + square * rows**2) / 1e6 * 1.001
    blocks = empirical_ntk(apply, params, *x, kind=kind, memory_mb=bound)
    np.testing.assert_allclose(blocks, definition[kind], atol=1e-12)
    with pytest.raises(ValueError, match="memory_mb"):
        empirical.empirical_ntk(apply, params, *x, kind=kind, memory_mb=4 * 8 * linear / 1e6)


@pytest.mark.parametrize("kind", SHAPES)
def test_blocks_of_the_layerwise_formula_change_nothing(inputs, definition, kind):
    """A bound for two inputs at a time of 5 and 3, and one too small for any."""
    options = {"kind": kind}
    params, x = init(jax.random.key(0)), paired(inputs, kind)
    found = dense_kernels(NETWORK, params, *x, memory_mb=0.006, **options)
    np.testing.assert_allclose(found.ntk, definition[kind], atol=1e-12)
    with pytest.raises(ValueError, match="memory_mb is 0"):
        empirical.dense_kernels(NETWORK, params, *x, memory_mb=0.001, **options)


WIDE = (50, 700, 700, 2)


@pytest.mark.parametrize(
    "function, kind, samples, bound",
    [
        ("empirical_ntk", "trace", 2000, 40.0),
        ("empirical_ntk", "diagonal", 20_000, 40.0),
        ("dense_kernels", "full", 2000, 20.0),
        ("dense_kernels", "diagonal", 20_000, 20.0),
    ],
)
def test_memory_stays_within_its_bound(function, kind, samples, bound):
    """What XLA allocates beside arguments and result; without a bound it is several times that
    (all derivatives: 31 and 310 MB)."""
    params = jax.eval_shape(
        functools.partial(init, widths=WIDE, dtype=jnp.float32), jax.random.key(0)
    )
    x, options = jax.ShapeDtypeStruct((samples, 50), jnp.float32), {"kind": kind}
    if function == "empirical_ntk":
        program = empirical_ntk.lower(apply, params, x, memory_mb=bound, **options)
    else:
        program = dense_kernels.lower(NETWORK, params, x, memory_mb=bound, **options)
    used = program.compile().memory_analysis().temp_size_in_bytes / 1e6
    assert bound / 8 < used < bound


def test_vmap_over_seeds_and_gradient(inputs):
    """Differentiable under vmap over seeds: directional derivative against finite differences."""
    many = jax.vmap(init)(jax.random.split(jax.random.key(4), 3))

    def total(params, shift):
        kernels = dense_kernels(NETWORK, params, inputs[0] + shift)
        return (kernels.ntk**2).sum() + kernels.nngp.sum()

    slopes = jax.jit(jax.vmap(jax.grad(total, argnums=1), (0, None)))(many, 0.0)
    for seed, slope in enumerate(slopes):
        params = jax.tree.map(lambda leaf, seed=seed: leaf[seed], many)
        difference = (total(params, 1e-5) - total(params, -1e-5)) / 2e-5
        np.testing.assert_allclose(slope, difference, rtol=1e-6)


def test_relu_with_two_kinds_of_inputs_keeps_float32(inputs):
    params = init(jax.random.key(0), dtype=jnp.float32)
    x = inputs[0].astype(jnp.float32)
    kernels = dense_kernels(RELU, params, x)
    general = empirical_ntk(functools.partial(apply, activation=jax.nn.relu), params, x)
    assert kernels.ntk.dtype == kernels.nngp.dtype == jnp.float32
    np.testing.assert_allclose(kernels.ntk, general, rtol=2e-5)


@pytest.fixture
def module():
    """The torch twin of init(key(0)): same weights, transposed."""
    layers = []
    params = init(jax.random.key(0))
    for index, layer in enumerate(params):
        if not layer:
            layers.append(nn.Tanh())
            continue
        last = "readout_" if index == len(params) - 1 else ""
        dense = empirical_torch.ScaledLinear(
            *layer["weight"].shape,
            weight_variance=VARIANCES[last + "weight_variance"],
            bias_variance=VARIANCES[last + "bias_variance"],
            dtype=torch.float64,
        )
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(np.array(layer["weight"].T)))
            dense.bias.copy_(torch.from_numpy(np.array(layer["bias"])))
        layers.append(dense)
    return nn.Sequential(*layers)


@pytest.mark.parametrize("kind", SHAPES)
def test_torch_equals_jax_on_the_same_weights(inputs, module, kind):
    expected = empirical_ntk(apply, init(jax.random.key(0)), *paired(inputs, kind), kind=kind)
    x = [torch.from_numpy(np.array(x)) for x in paired(inputs, kind)]
    for function, small in (
        (empirical_torch.empirical_ntk, 0.016),
        (empirical_torch.dense_ntk, 0.006),
    ):
        whole = function(module, *x, kind=kind)
        blocks = function(module, *x, kind=kind, memory_mb=small)
        assert whole.shape == expected.shape
        for result in (whole, blocks):
            np.testing.assert_allclose(result.numpy(), expected, atol=1e-10)
        with pytest.raises(ValueError, match="memory_mb is 0"):
            function(module, *x, kind=kind, memory_mb=0.0001)


def test_torch_any_module():
    """A small convolutional network against autograd in plain loops."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).double()
    x = torch.randn(3, 1, 4, 4, dtype=torch.float64)

    def gradient(point, output):
        slopes = torch.autograd.grad(module(point[None])[0, output], module.parameters())
        return torch.cat([slope.flatten() for slope in slopes])

    expected = torch.tensor(
        [
            [[[gradient(a, o) @ gradient(b, p) for p in range(2)] for o in range(2)] for b in x]
            for a in x
        ]
    )
    full = empirical_torch.empirical_ntk(module, x, kind="full")
    torch.testing.assert_close(full, expected, atol=1e-12, rtol=0)
    with pytest.raises(ValueError, match="outside of linear layers"):
        empirical_torch.dense_ntk(module, x)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda x: x[:0], "cannot pair"),
        (lambda x: x[:, :2], "cannot pair|inputs have shape"),
        (lambda x: x[0], "cannot pair"),
        (lambda x: x.astype("float32"), "dtype .*float32.*float64.* wanted one and the same"),
        (lambda x: np.where(x > 0, np.nan, x), "x[12] must be finite"),
    ],
)
def test_bad_input_is_named(inputs, module, change, message):
    """By all four functions, in the first argument or in the second."""
    params, good = init(jax.random.key(0)), np.array(inputs[0])
    bad = change(good)
    calls = (
        lambda *x: empirical.empirical_ntk(apply, params, *x),
        lambda *x: empirical.dense_kernels(NETWORK, params, *x),
        lambda *x: empirical_torch.empirical_ntk(module, *map(torch.from_numpy, x)),
        lambda *x: empirical_torch.dense_ntk(module, *map(torch.from_numpy, x)),
    )
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call(good, bad)
        if bad.ndim == 1 or bad.shape[1] == 4:
            with pytest.raises(ValueError, match=message):
                call(bad)


def test_bad_options_are_named(inputs, module):
    params = init(jax.random.key(0))
    x = torch.from_numpy(np.array(inputs[0]))
    with pytest.raises(ValueError, match="kind 'sum' is none of"):
        empirical.empirical_ntk(apply, params, *inputs, kind="sum")
    with pytest.raises(ValueError, match="kind 'sum' is none of"):
        empirical_torch.dense_ntk(module, x, kind="sum")
    with pytest.raises(ValueError, match="5 entries, found 6"):
        empirical.dense_kernels(NETWORK, (*params, {"scale": x.numpy()}), inputs[0])
    with pytest.raises(ValueError, match="inputs have shape"):
        empirical.dense_kernels(NETWORK, params, inputs[0][:, :3])
    for variances in ((-1.0, 0.0), (1.0, np.nan), (np.inf, 0.0)):
        with pytest.raises(ValueError, match=r"found variances .* wanted >= 0"):
            empirical_torch.ScaledLinear(
                2, 2, weight_variance=variances[0], bias_variance=variances[1]
            )
    shared_layer = nn.Linear(4, 4).double()
    with pytest.raises(ValueError, match="exactly once"):
        empirical_torch.dense_ntk(nn.Sequential(shared_layer, nn.Tanh(), shared_layer), x)


# --- what is a parameter and what is not ---------------------------------------------


def test_variances_are_those_of_the_network(inputs):
    """Every parameterization and layer of its own, frozen layers included: equal to Jacobians."""
    for parameterization in ("ntk", "standard"):
        network = serial(
            serial(dense(5, 1.5, 0.2, parameterization), relu()),
            dense(6, 0.7, 0.0, parameterization, trained=False),
            pointwise(jnp.square),
            dense(2, 2.5, 0.4, parameterization),
        )
        params = network.init(jax.random.key(3), (4,), jnp.float64)
        general = empirical.empirical_ntk(network.apply, params, *inputs, kind="full")
        found = empirical.dense_kernels(network, params, *inputs, kind="full")
        np.testing.assert_allclose(found.ntk, general, rtol=1e-12, atol=1e-12)
        diagonal = empirical.dense_kernels(network, params, inputs[0], kind="diagonal").ntk
        wanted = empirical.empirical_ntk(network.apply, params, inputs[0], kind="diagonal")
        np.testing.assert_allclose(diagonal, wanted, rtol=1e-12)


def test_networks_and_params_that_do_not_fit_are_named(inputs):
    x, params = inputs[0], init(jax.random.key(0))
    cases = [
        (jnp.tanh, params, "network must be an Architecture"),
        (serial(dense(3), layer_norm(), dense(1)), params[:3], "found layer_norm: use empirical"),
        (serial(dense(3), relu()), params[:2], "ends in a dense layer"),
        (NETWORK, params[:3], "5 entries, found 3"),
        (NETWORK, (params[0], *params[:4]), "weight and perhaps bias|no chain"),
        (NETWORK, (*params[:4], params[0]), "no chain: a layer of 7 units before"),
    ]
    for network, own, message in cases:
        with pytest.raises(ValueError, match=message):
            empirical.dense_kernels(network, own, x)


class Whole(NamedTuple):
    """A model as some libraries keep it: one pytree with functions among its leaves."""

    weight: jax.Array
    activation: object


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda p: {"params": p, "batch_stats": p}, "holds batch_stats beside params"),
        (lambda p: {"layer": {"running_mean": p[0]["bias"]}}, "is no parameter .running_mean."),
        (
            lambda p: (*p, {"steps": jnp.arange(3)}),
            "must hold floating numbers, found int",
        ),
        (lambda p: Whole(p[0]["weight"], jax.nn.relu), "activation must be an array, found relu"),
        (lambda p: (), "params has no arrays"),
    ],
)
def test_what_is_no_parameter_is_refused(inputs, change, message):
    """By kernels and by training alike."""
    params = change(init(jax.random.key(0)))
    with pytest.raises(ValueError, match=message):
        empirical.empirical_ntk(lambda p, x: x, params, inputs[0])
    with pytest.raises(ValueError, match=message):
        gradient_descent(
            lambda p, x: x,
            params,
            inputs[0],
            inputs[0],
            loss=squared_error("sum"),
            learning_rate=0.1,
            record=[1],
        )


@pytest.mark.parametrize(
    "layer, message",
    [
        (nn.BatchNorm1d(4), "BatchNorm1d at 1 couples the samples of a batch: call module.eval"),
        (nn.BatchNorm1d(4, track_running_stats=False).eval(), "needs track_running_stats=True"),
        (nn.Dropout(0.5), "Dropout at 1 draws random numbers in training mode: call module.eval"),
        (nn.RReLU(), "RReLU at 1 draws random numbers"),
        (nn.Sequential(nn.Identity(), nn.AlphaDropout(0.1)), "AlphaDropout at 1.1 draws random"),
    ],
)
def test_torch_modules_in_training_mode_are_refused(layer, message):
    """Rows A4 and B15; in evaluation mode they have kernels, and buffers are no parameters."""
    module, x = nn.Sequential(nn.Linear(4, 4), layer, nn.Linear(4, 2)), torch.randn(3, 4)
    for function in (empirical_torch.empirical_ntk, empirical_torch.dense_ntk):
        with pytest.raises(ValueError, match=message) as error:
            function(module, x)
        assert "\n" not in str(error.value)
    if not isinstance(layer, nn.RReLU) and "track" not in message:  # vmap has no rrelu
        assert empirical_torch.empirical_ntk(module.eval(), x).shape == (3, 3)


def test_torch_functional_dropout_is_named():
    class Drops(nn.Linear):
        def forward(self, x):
            return nn.functional.dropout(super().forward(x), 0.5)

    with pytest.raises(ValueError, match=r"draws random numbers in its forward pass"):
        empirical_torch.empirical_ntk(Drops(4, 2), torch.randn(3, 4))
