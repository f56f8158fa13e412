"""What is timed: each case gives its call and the limit of the machine.

`python -m benchmarks.cases NAME` answers "call" and "limit" (`measure.serve`), with --memory or
--first it prints one line of JSON instead. The limit is measured in the same process: the matrix
products, by BLAS or by XLA, whichever is faster here, or the eigendecomposition alone, and one pass
over memory.
"""

from workflow.base.environment import use_one_thread

use_one_thread()

import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from functools import partial  # noqa: E402
from typing import NamedTuple  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from scipy.linalg import blas  # noqa: E402

from benchmarks import networks  # noqa: E402
from benchmarks.measure import answer_first, fastest, peak_mb, serve  # noqa: E402
from widenets.ntk.architecture import (  # noqa: E402
    average_pool,
    conv,
    dense,
    erf,
    flatten,
    fully_connected,
    gelu,
    global_average_pool,
    relu,
    serial,
)
from widenets.ntk.dynamics import kernel_flow  # noqa: E402
from widenets.ntk.empirical import dense_kernels, empirical_ntk  # noqa: E402
from widenets.ntk.feature_learning_limit import SCRAMBLES, feature_learning_limit  # noqa: E402
from widenets.ntk.kernels import kernel_in_blocks  # noqa: E402


class Case(NamedTuple):
    call: Callable
    limit: Callable
    result_mb: float


def dense_case(dtype, activation=relu, call: bool = False, size: int = 2000) -> Case:
    """NTK of three hidden layers of vectors; limit: the symmetric product and writing the result.

    call: the plain `.kernel()`, which gives both kernels.
    """
    x = np.random.default_rng(0).normal(size=(size, 784)).astype(dtype)
    network = fully_connected(
        depth=3, width=1, weight_variance=2.0, bias_variance=0.1, activation=activation()
    )
    syrk = blas.ssyrk if dtype == np.float32 else blas.dsyrk
    transposed, ones = np.asfortranarray(x.T), np.ones((size, size), dtype)
    product, on_device = jax.jit(lambda x: _product(x, x.T)), jnp.asarray(x)

    def by_blas():
        syrk(1.0, transposed, trans=1)
        ones.copy()

    def by_xla():
        product(on_device).block_until_ready()

    def whole():
        return network.kernel(x).ntk.block_until_ready()

    limit = fastest(by_blas, by_xla)
    return Case(whole if call else lambda: kernel_in_blocks(network, x), limit, ones.nbytes / 2**20)


def conv_case(end, dtype=np.float32, images: int = 4, side: int = 32, pools: bool = False) -> Case:
    """NTK of three 3 x 3 conv + ReLU layers and an end, on side x side x 3 images.

    pools: Myrtle-5, that is conv, conv, pool, conv, pool, conv, pool and the end. Limit: one pass
    over K, Theta of every pair of positions (flatten: of equal ones), layer and pair of images.
    """
    x = np.random.default_rng(0).normal(size=(images, side, side, 3)).astype(dtype)

    def block():
        return [conv(1, weight_variance=2.0), relu()]

    layers = block() * 3
    if pools:
        pooled = [*block(), average_pool(2)]
        layers = [*block(), *pooled, *pooled, *pooled]
    network = serial(*layers, end(), dense(1))
    state = np.ones((2, images * (images + 1) // 2, side, side), dtype)

    def limit():
        for _ in range(3 * (1 if end is flatten else side**2)):
            state.copy()

    return Case(lambda: kernel_in_blocks(network, x), limit, 4 * images**2 / 2**20)


def empirical_case(name: str) -> Case:
    """Empirical NTK (N, N, O, O) of a network; limit: forward and backward pass for all outputs."""
    apply, params, x = networks.of_name(name, np.float32)
    compute = jax.jit(lambda p, x: empirical_ntk(apply, p, x, kind="full"))

    @jax.jit
    def passes(params, x):
        outputs, pull = jax.vjp(lambda x: apply(params, x), x)
        eye, each = jnp.eye(outputs.shape[1]), jnp.ones((1, len(x), 1))
        directions = (eye[:, None] * each).astype(outputs.dtype)
        return jax.vmap(pull)(directions)

    return Case(
        lambda: compute(params, x).block_until_ready(),
        lambda: jax.block_until_ready(passes(params, x)),
        4 * (networks.OUTPUTS * len(x)) ** 2 / 2**20,
    )


def torch_transformer() -> Case:
    """The transformer of `empirical_case` as a torch module; the limit is jax's all the same."""
    import torch

    from benchmarks.torch_networks import Transformer
    from widenets.ntk.empirical import torch as empirical_torch

    torch.set_num_threads(1)
    _, params, x = networks.of_name("transformer", np.float32)
    module, inputs = Transformer(params), torch.from_numpy(np.array(x))
    compute = partial(empirical_torch.empirical_ntk, module, inputs, kind="full")
    return empirical_case("transformer")._replace(call=compute)


def empirical(outputs: int, size: int = 128, width: int = 2048) -> Case:
    """Empirical NTK of 784-2048-2048-2048-outputs; limit: its matrix products alone."""
    network = fully_connected(depth=3, width=width, outputs=outputs, weight_variance=2.0)
    params = network.init(jax.random.key(0), (784,))
    x = jax.random.normal(jax.random.key(1), (size, 784), jnp.float32)
    compute = jax.jit(lambda p, x: dense_kernels(network, p, x, kind="full").ntk)
    random = np.random.default_rng(0)

    def matrix(rows, columns):
        return random.normal(size=(rows, columns)).astype(np.float32)

    inputs, hidden, deltas = matrix(size, 784), matrix(size, width), matrix(size * outputs, width)
    first, square, last = matrix(784, width), matrix(width, width), matrix(width, outputs)
    pairs = [
        *[(inputs, first), (hidden, square), (hidden, square), (hidden, last)],  # forward
        *[(deltas, square)] * 2,  # backward
        *[(inputs, inputs.T), *[(hidden, hidden.T)] * 3],  # features
        *[(deltas, deltas.T)] * 3,
    ]
    product, on_device = jax.jit(_product), jax.tree.map(jnp.asarray, pairs)

    def by_blas():
        for one, two in pairs:
            one @ two

    def by_xla():
        for one, two in on_device:
            product(one, two).block_until_ready()

    return Case(
        lambda: compute(params, x).block_until_ready(),
        fastest(by_blas, by_xla),
        4 * (size * outputs) ** 2 / 2**20,
    )


def _product(one, two):
    return jnp.matmul(one, two, precision="highest")


def gradient_flow(size: int = 1000, test: int = 500, times: int = 100) -> Case:
    """Train and test outputs at 100 times; limit: eigh and one product with the test kernel."""
    x = np.random.default_rng(0).normal(size=(size + test, 20))
    network = fully_connected(depth=1, width=1, weight_variance=2.0)
    kernel = np.asarray(network.kernel(x).ntk)
    train, cross = kernel[:size, :size].copy(), kernel[size:, :size].copy()
    targets, grid = x[:size, :1] ** 2, np.logspace(-1, 4, times)

    def call():
        return kernel_flow(train, targets, grid, normalization="mean", kernel_test=cross)

    def limit():
        _, vectors = np.linalg.eigh(train)
        return cross @ vectors

    return Case(call, limit, 8 * times * (size + test) / 2**20)


FEATURES = {"linear": (0.1, 6), "tanh": (0.3, 6)}  # rate, steps; two layers, two samples


def feature_learning(activation: str) -> Case:
    """The limit of descent with feature learning, with an error of 1e-3 in f where it is sampled.

    Limit: the products of one Jacobian of the samples alone, or of the covariances. What stands in
    the peer's place are networks of width 512 (`networks.descent`).
    """
    rate, steps = FEATURES[activation]
    x = np.array([[1.0, 0.0], [0.6, 0.8], [-0.6, 0.8]])
    y, mask, samples = np.array([1.0, -0.5, 0.0]), np.array([1.0, 1.0, 0.0]), 2048

    def call():
        return feature_learning_limit(
            x @ x.T, y, 2, activation, 1.0, rate, steps, mask=mask, samples=samples
        )

    size = 3 * (steps + 1)
    columns = 2 * size if activation == "linear" else samples * size // 2
    kind = np.float64 if activation == "linear" else np.float32
    one, other = np.ones((size, size), kind), np.ones((size, columns), kind)
    repeats = 4 if activation == "linear" else 4 * SCRAMBLES
    return Case(call, lambda: [one @ other for _ in range(repeats)], 4 * 8 * size**2 / 2**20)


CASES = {
    "dense": lambda: dense_case(np.float32),
    "dense_float64": lambda: dense_case(np.float64),
    "dense_call": lambda: dense_case(np.float32, call=True),
    "erf": lambda: dense_case(np.float32, erf, size=1000),
    "gelu": lambda: dense_case(np.float32, gelu, size=1000),
    "gelu_float64": lambda: dense_case(np.float64, gelu, size=1000),
    "conv_flatten": lambda: conv_case(flatten),
    "conv_gap": lambda: conv_case(global_average_pool),
    "conv_gap_float64": lambda: conv_case(global_average_pool, np.float64),
    "myrtle5": lambda: conv_case(global_average_pool, side=16, pools=True),
    "empirical_mlp": lambda: empirical(1),
    "empirical_mlp_10_outputs": lambda: empirical(10),
    "empirical_cnn": lambda: empirical_case("cnn"),
    "empirical_transformer": lambda: empirical_case("transformer"),
    "empirical_transformer_torch": torch_transformer,
    "flow": gradient_flow,
    "limit_linear": lambda: feature_learning("linear"),
    "limit_tanh": lambda: feature_learning("tanh"),
}


def main(name: str, memory: bool, first: bool) -> None:
    case = CASES[name]()
    if first:
        answer_first({"call": case.call, "limit": case.limit})
    elif memory:
        case.call()  # compiles
        peaks = [peak_mb(case.call) for _ in range(3)]  # freed memory may be used again
        peak = None if None in peaks else max(peaks)
        print(json.dumps({"peak_mb": peak, "result_mb": case.result_mb}))
    else:
        serve({"call": case.call, "limit": case.limit})


if __name__ == "__main__":
    main(sys.argv[1], memory="--memory" in sys.argv, first="--first" in sys.argv)
