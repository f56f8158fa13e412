"""The same cases in neural-tangents 0.6.5; runs in the environment of make_peer_environment.sh.

python benchmarks/peer.py NAME answers "call" (`measure.serve`) by the CPU seconds of the best way
to call it.
"""

import os

# One thread, as in workflow/base/environment.py.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"), "1"))

import sys

import jax
import numpy as np
from measure import serve

SIXTY_FOUR = ("dense_relu_float64", "gradient_flow")
jax.config.update("jax_enable_x64", sys.argv[1] in SIXTY_FOUR)
jax.config.update("jax_cpu_enable_async_dispatch", False)
import neural_tangents as nt  # noqa: E402
from neural_tangents import stax  # noqa: E402

W = 2.0**0.5


def dense_relu(dtype):
    x = np.random.default_rng(0).normal(size=(2000, 784)).astype(dtype)
    layers = [stax.Dense(1, W, 0.1**0.5), stax.Relu()] * 3
    kernel = stax.serial(*layers, stax.Dense(1, W, 0.1**0.5))[2]
    compute = jax.jit(lambda x: kernel(x, None, "ntk"))
    return lambda: compute(x).block_until_ready()


def conv_pool():
    x = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype(np.float32)
    layers = [stax.Conv(1, (3, 3), padding="SAME", W_std=W), stax.Relu()] * 3
    kernel = stax.serial(*layers, stax.GlobalAvgPool(), stax.Dense(1))[2]
    compute = jax.jit(lambda x: kernel(x, None, "ntk"))
    return lambda: compute(x).block_until_ready()


def empirical(outputs, size):
    """`size` inputs instead of 128 by the best implementation that runs as released."""
    layers = [stax.Dense(2048, W), stax.Relu()] * 3
    init, apply, _ = stax.serial(*layers, stax.Dense(outputs, W))
    params = init(jax.random.PRNGKey(0), (size, 784))[1]
    x = jax.random.normal(jax.random.PRNGKey(1), (size, 784))
    method = nt.NtkImplementation.NTK_VECTOR_PRODUCTS
    compute = jax.jit(nt.empirical_ntk_fn(apply, trace_axes=(), vmap_axes=0, implementation=method))
    return lambda: compute(x, None, params).block_until_ready()


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


CASES = {
    "dense_relu_float32": lambda: dense_relu(np.float32),
    "dense_relu_float64": lambda: dense_relu(np.float64),
    "conv_pool_float32": conv_pool,
    "empirical_ntk_1_output": lambda: empirical(1, 8),
    "gradient_flow": gradient_flow,
}


if __name__ == "__main__":
    serve({"call": CASES[sys.argv[1]]()})
