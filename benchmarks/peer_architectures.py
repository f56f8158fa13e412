"""Kernels of the architectures of architectures.py in neural-tangents 0.6.5, asked by stdin.

A line {"x": inputs, "layers": [[name, *arguments], ...]} is answered by a line
{"nngp": rows, "ntk": rows}. Runs in the environment of make_peer_environment.sh.
"""

import json
import sys

import jax

jax.config.update("jax_enable_x64", True)
import numpy as np  # noqa: E402
from neural_tangents import stax  # noqa: E402  (the precision must be set first)


def residual(branch):
    both = stax.parallel(serial(branch), stax.Identity())
    return stax.serial(stax.FanOut(2), both, stax.FanInSum())


def concatenate(*branches):
    side_by_side = stax.parallel(*map(serial, branches))
    return stax.serial(stax.FanOut(len(branches)), side_by_side, stax.FanInConcat())


def standard(weight, bias):
    """bias None: one that starts at 0, which here is b_std = 0; 0: none."""
    deviation = 0.0 if bias is None else bias**0.5 or None
    return stax.Dense(WIDTH, weight**0.5, deviation, parameterization="standard")


def attention(scaling, score, weight, bias, code):
    linear = scaling == "1/d"
    encodings = {
        "pos_emb_type": "SUM", "pos_emb_p_norm": 2, "pos_emb_decay_fn": lambda d: np.exp(-d / 2),
        "W_pos_emb_std": code**0.5, "val_pos_emb": True,
    }  # fmt: skip
    return stax.GlobalSelfAttention(
        WIDTH, 1, 1, 1, linear, score**0.5, weight**0.5, 1.0, 1.0, bias**0.5,
        attention_mechanism="SOFTMAX" if linear else "IDENTITY", **(encodings if code else {}),
    )  # fmt: skip


WIDTH = 3  # as architectures.py has it
AXES = 2  # of positions: those of images


def windows(size):
    return (size,) * AXES


def conv(size, stride, padding, weight, bias):
    return stax.Conv(WIDTH, windows(size), windows(stride), padding, weight**0.5, bias**0.5)


BUILD = {
    "dense": lambda weight, bias, width=WIDTH: stax.Dense(width, weight**0.5, bias**0.5),
    "standard": standard,
    "attention": attention,
    "conv": conv,
    "residual": residual,
    "concatenate": concatenate,
    "average_pool": lambda size: stax.AvgPool(windows(size), strides=windows(size)),
    "sum_pool": lambda size: stax.SumPool(windows(size), strides=windows(size)),
    "global_average_pool": stax.GlobalAvgPool,
    "global_sum_pool": stax.GlobalSumPool,
    "flatten": stax.Flatten,
    "identity": stax.Identity,
    "layer_norm": lambda eps=1e-5: stax.LayerNorm(eps=eps),
    "relu": stax.Relu,
    "leaky_relu": stax.LeakyRelu,
    "abs_": stax.Abs,
    "erf": stax.Erf,
    "gelu": stax.Gelu,
    "sign": stax.Sign,
    "sin": stax.Sin,
    "cos": stax.Cos,
    "exp": lambda rate: stax.Exp(1, rate),
    "gabor": stax.Gabor,
    "hermite": stax.Hermite,
    "rectified_monomial": stax.RectifiedMonomial,
    "gaussian": lambda rate: stax.Gaussian(1, -rate),
    "rbf": stax.Rbf,
    "sigmoid_like": stax.Sigmoid_like,
}


def serial(layers):
    return stax.serial(*(BUILD[name](*arguments) for name, *arguments in layers))


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        x = np.array(asked["x"])
        global AXES
        AXES = x.ndim - 2
        found = serial(asked["layers"])[2](x, None, ("nngp", "ntk"))
        answer = {"nngp": np.asarray(found.nngp).tolist(), "ntk": np.asarray(found.ntk).tolist()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
