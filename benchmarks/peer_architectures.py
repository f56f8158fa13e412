"""Kernels of the architectures of architectures.py in neural-tangents 0.6.5, asked by stdin.

A line {"one": inputs, "two": inputs, "layers": [[name, *arguments], ...]} is answered by a line
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


def conv(size, stride, padding, weight, bias):
    return stax.Conv(1, (size, size), (stride, stride), padding, weight**0.5, bias**0.5)


BUILD = {
    "dense": lambda weight, bias: stax.Dense(1, weight**0.5, bias**0.5),
    "conv": conv,
    "residual": residual,
    "average_pool": lambda size: stax.AvgPool((size, size), strides=(size, size)),
    "global_average_pool": stax.GlobalAvgPool,
    "flatten": stax.Flatten,
    "identity": stax.Identity,
    "layer_norm": lambda: stax.LayerNorm(eps=1e-5),
    "relu": stax.Relu,
    "leaky_relu": stax.LeakyRelu,
    "abs_": stax.Abs,
    "erf": stax.Erf,
    "gelu": stax.Gelu,
    "sin": stax.Sin,
    "cos": stax.Cos,
}


def serial(layers):
    return stax.serial(*(BUILD[name](*arguments) for name, *arguments in layers))


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        kernel = serial(asked["layers"])[2]
        found = kernel(np.array(asked["one"]), np.array(asked["two"]), ("nngp", "ntk"))
        answer = {"nngp": np.asarray(found.nngp).tolist(), "ntk": np.asarray(found.ntk).tolist()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
