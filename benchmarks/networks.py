"""Finite networks of the empirical cases in plain jax, run by both sides on their own jax."""

import jax
import jax.numpy as jnp
import numpy as np

OUTPUTS, SAMPLES, TOKENS, WIDTH = 10, 16, 16, 64


def cnn_params(dtype, channels=(3, 64, 128, 256)):
    """Three 3 x 3 convolutions (stride 1, 2, 2) on 16 x 16 images and a readout, 4.1e5 numbers."""
    draw = np.random.default_rng(0)
    return {
        "w": [
            jnp.asarray(draw.normal(size=(3, 3, a, b)) / np.sqrt(9 * a), dtype)
            for a, b in zip(channels, channels[1:])  # noqa: B905, RUF007
        ],
        "b": [jnp.zeros(b, dtype) for b in channels[1:]],
        "v": jnp.asarray(draw.normal(size=(16 * channels[-1], OUTPUTS)) * 0.02, dtype),
    }


def cnn(params, x):
    for weight, bias, stride in zip(params["w"], params["b"], (1, 2, 2)):  # noqa: B905
        layout = ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(
            x, weight, (stride, stride), "SAME", dimension_numbers=layout
        )
        x = jax.nn.relu(x + bias)
    return x.reshape(len(x), -1) @ params["v"]


def transformer_params(dtype, layers=2):
    """Two blocks of width 64 with four heads: 1e5 numbers."""
    draw = np.random.default_rng(0)

    def matrix(rows, columns):
        return jnp.asarray(draw.normal(size=(rows, columns)) / np.sqrt(rows), dtype)

    block = {
        "a": (WIDTH, 4 * WIDTH),
        "b": (4 * WIDTH, WIDTH),
        **dict.fromkeys("qkvo", (WIDTH, WIDTH)),
    }
    return {
        "blocks": [{name: matrix(*shape) for name, shape in block.items()} for _ in range(layers)],
        "u": matrix(WIDTH, OUTPUTS),
    }


def transformer(params, x):
    def normal(x):
        return (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)

    for block in params["blocks"]:
        y = normal(x)
        q, k, v = ((y @ block[name]).reshape(*x.shape[:2], 4, -1) for name in "qkv")
        scores = jax.nn.softmax(jnp.einsum("nthd,nshd->nhts", q, k) / 4, -1)
        x = x + jnp.einsum("nhts,nshd->nthd", scores, v).reshape(x.shape) @ block["o"]
        x = x + jax.nn.gelu(normal(x) @ block["a"]) @ block["b"]
    return x.mean(1) @ params["u"]


def of_name(name: str, dtype):
    """(apply, params, x) of "cnn" or "transformer"."""
    draw = np.random.default_rng(1)
    if name == "cnn":
        x = draw.normal(size=(SAMPLES, 16, 16, 3))
        return cnn, cnn_params(dtype), jnp.asarray(x, dtype)
    x = draw.normal(size=(SAMPLES, TOKENS, WIDTH))
    return transformer, transformer_params(dtype), jnp.asarray(x, dtype)
