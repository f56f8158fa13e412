"""Reference numbers of neural-tangents 0.6.5 (Novak et al. 2020) on jax 0.4.30, in float64.

Run in the environment made by benchmarks/make_peer_environment.sh; writes neural_tangents.npz
beside this file. Inputs are written with the results, so that nothing depends on a generator.
"""

from pathlib import Path

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
from neural_tangents import stax  # noqa: E402  (the precision must be set first)


def dense(weight, bias, parameterization="ntk", width=64):
    return stax.Dense(width, weight**0.5, bias**0.5, parameterization=parameterization)


def conv(weight, bias, strides=(1, 1), padding="SAME"):
    return stax.Conv(8, (3, 3), strides, padding, weight**0.5, bias**0.5)


def hidden(activation, parameterization="ntk"):
    first = [dense(1.7, 0.1, parameterization), activation] * 2
    return stax.serial(*first, dense(1.3, 0.2, parameterization))


def networks():
    """Name -> network; `tests/ntk/test_kernel_reference.py` builds the same ones."""
    activations = {
        "relu": stax.Relu(),
        "leaky_relu": stax.LeakyRelu(0.3),
        "abs": stax.Abs(),
        "erf": stax.Erf(),
        "gelu": stax.Gelu(),
        "sin": stax.Sin(),
        "cos": stax.Cos(),
        "square": stax.Monomial(2),
    }
    for name, activation in activations.items():
        yield name, hidden(activation)
    yield "standard", hidden(stax.Relu(), "standard")
    branch = stax.serial(stax.Relu(), dense(1.7, 0.1))
    block = stax.serial(stax.FanOut(2), stax.parallel(branch, stax.Identity()), stax.FanInSum())
    yield "residual", stax.serial(dense(1.7, 0.1), block, stax.Relu(), dense(1.3, 0.2))
    for name, (strides, padding) in {
        "same": ((1, 1), "SAME"),
        "stride": ((2, 2), "SAME"),
        "valid": ((1, 1), "VALID"),
        "circular": ((1, 1), "CIRCULAR"),
    }.items():
        for end, readout in (("flatten", stax.Flatten()), ("pool", stax.GlobalAvgPool())):
            yield (
                f"image_{name}_{end}",
                stax.serial(
                    conv(1.7, 0.1, strides, padding),
                    stax.Relu(),
                    conv(1.7, 0.1),
                    stax.Relu(),
                    readout,
                    dense(1.3, 0.2),
                ),
            )
    yield (
        "image_average_pool",
        stax.serial(
            conv(1.7, 0.1),
            stax.Relu(),
            stax.AvgPool((2, 2), strides=(2, 2)),
            conv(1.7, 0.1),
            stax.Relu(),
            stax.Flatten(),
            dense(1.3, 0.2),
        ),
    )


def main():
    generator = np.random.default_rng(20200001)
    vectors, images = generator.normal(size=(5, 6)), generator.normal(size=(3, 6, 4, 2))
    saved = {"vectors": vectors, "images": images}
    for name, (_, _, kernel) in networks():
        result = kernel(images if name.startswith("image") else vectors, None, ("nngp", "ntk"))
        saved[f"{name}_nngp"], saved[f"{name}_ntk"] = np.array(result.nngp), np.array(result.ntk)
    np.savez(Path(__file__).with_name("neural_tangents.npz"), **saved)


if __name__ == "__main__":
    main()
