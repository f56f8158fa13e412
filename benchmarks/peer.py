"""The same cases in neural-tangents 0.6.5; runs in the environment of make_peer_environment.sh.

python benchmarks/peer.py NAME answers "call" (`measure.serve`) by the CPU seconds of the best way
to call it; with --first it prints those of the first call.
"""

import os

# One thread, as in workflow/base/environment.py.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"), "1"))

import sys

import jax
import numpy as np
from measure import answer_first, fastest, serve

# Its kernels between all pairs of positions take a third of the time in float64.
IN_FLOAT64 = ("conv_gap", "myrtle5", "flow")
jax.config.update("jax_enable_x64", sys.argv[1].endswith("64") or sys.argv[1] in IN_FLOAT64)
jax.config.update("jax_cpu_enable_async_dispatch", False)
import networks  # noqa: E402
import neural_tangents as nt  # noqa: E402
from jax._src import source_info_util  # noqa: E402
from jax.interpreters import ad  # noqa: E402
from neural_tangents import stax  # noqa: E402

# Names that this jax no longer has where 0.6.5 looks for them: else its fastest way cannot run.
ad.source_info_util, ad.config = source_info_util, jax.config
W = 2.0**0.5


def compiled(kernel, x):
    compute = jax.jit(lambda x: kernel(x, None, "ntk"))
    return lambda: compute(x).block_until_ready()


def dense(dtype, activation=stax.Relu, size=2000):
    x = np.random.default_rng(0).normal(size=(size, 784)).astype(dtype)
    layers = [stax.Dense(1, W, 0.1**0.5), activation()] * 3
    return compiled(stax.serial(*layers, stax.Dense(1, W, 0.1**0.5))[2], x)


def conv(end, dtype=np.float32, images=4, side=32, pools=False):
    x = np.random.default_rng(0).normal(size=(images, side, side, 3)).astype(dtype)
    block = [stax.Conv(1, (3, 3), padding="SAME", W_std=W), stax.Relu()]
    pooled = [*block, stax.AvgPool((2, 2), strides=(2, 2))]
    layers = [*block, *pooled * 3] if pools else block * 3
    return compiled(stax.serial(*layers, end(), stax.Dense(1))[2], x)


METHODS = nt.NtkImplementation
ALL = METHODS.NTK_VECTOR_PRODUCTS, METHODS.STRUCTURED_DERIVATIVES, METHODS.JACOBIAN_CONTRACTION


def empirical(apply, params, x, *methods):
    """The fastest of these of its implementations here, of all three if none is named."""
    calls = []
    for method in methods or ALL:
        theta = nt.empirical_ntk_fn(apply, trace_axes=(), vmap_axes=0, implementation=method)
        compute = jax.jit(theta)
        calls.append(lambda compute=compute: compute(x, None, params).block_until_ready())
    return fastest(*calls)


def mlp(outputs, size=128):
    """By structured derivatives alone: the other two took 13 and 40 times as long on 8 inputs, and
    their costs grow faster."""
    layers = [stax.Dense(2048, W), stax.Relu()] * 3
    init, apply, _ = stax.serial(*layers, stax.Dense(outputs, W))
    params = init(jax.random.PRNGKey(0), (size, 784))[1]
    x = jax.random.normal(jax.random.PRNGKey(1), (size, 784))
    return empirical(apply, params, x, METHODS.STRUCTURED_DERIVATIVES)


def plain(name):
    apply, params, x = networks.of_name(name, np.float32)
    return empirical(lambda params, x: apply(params, x), params, x)


def gradient_flow():
    x = np.random.default_rng(0).normal(size=(1500, 20))
    kernel = stax.serial(stax.Dense(1, W), stax.Relu(), stax.Dense(1, W))[2]
    whole = np.array(kernel(x, None, "ntk"))
    train, cross = whole[:1000, :1000], whole[1000:, :1000]
    targets, times = x[:1000, :1] ** 2, np.logspace(-1, 4, 100)

    def call():
        predict = nt.predict.gradient_descent_mse(train, targets)
        return jax.block_until_ready(predict(times, 0.0, 0.0, cross))

    return call


def wide_networks(activation, rate, steps):
    """Not neural-tangents, which has no such limit: 16 networks of width 512."""
    return networks.descent(activation, rate, steps)


CASES = {
    "dense": lambda: dense(np.float32),
    "dense_float64": lambda: dense(np.float64),
    "dense_call": lambda: dense(np.float32),
    "erf": lambda: dense(np.float32, stax.Erf, 1000),
    "gelu": lambda: dense(np.float32, stax.Gelu, 1000),
    "gelu_float64": lambda: dense(np.float64, stax.Gelu, 1000),
    "conv_flatten": lambda: conv(stax.Flatten),
    "conv_gap": lambda: conv(stax.GlobalAvgPool, np.float64, images=1),
    "conv_gap_float64": lambda: conv(stax.GlobalAvgPool, np.float64, images=1),
    "myrtle5": lambda: conv(stax.GlobalAvgPool, np.float64, side=16, pools=True),
    "empirical_mlp": lambda: mlp(1),
    "empirical_cnn": lambda: plain("cnn"),
    "empirical_transformer": lambda: plain("transformer"),
    "empirical_transformer_torch": lambda: plain("transformer"),
    "flow": gradient_flow,
    "limit_linear": lambda: wide_networks("linear", 0.1, 6),
    "limit_tanh": lambda: wide_networks("tanh", 0.3, 6),
}


if __name__ == "__main__":
    calls = {"call": CASES[sys.argv[1]]()}
    answer_first(calls) if "--first" in sys.argv else serve(calls)
