"""Reference numbers of neural-tangents 0.6.5 (Novak et al. 2020) on jax 0.4.30, in float64.

Run in the environment made by benchmarks/make_peer_environment.sh; writes neural_tangents.npz
beside this file. Inputs are written with the results, so that nothing depends on a generator.
"""

import itertools
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


def attention(scaling, code=0.0):
    """Keys and queries of their own only where they learn; encodings shared by keys and values."""
    linear = scaling == "1/d"
    encodings = {
        "pos_emb_type": "SUM",
        "pos_emb_p_norm": 2,
        "pos_emb_decay_fn": lambda distance: np.exp(-distance / 2),
        "W_pos_emb_std": code**0.5,
        "val_pos_emb": True,
    }
    return stax.GlobalSelfAttention(
        8, 1, 1, 1, linear, 1.3**0.5, 1.7**0.5, 1.0, 1.0, 0.2**0.5,
        attention_mechanism="SOFTMAX" if linear else "IDENTITY", **(encodings if code else {}),
    )  # fmt: skip


def later_networks():
    """Layers that came later: name -> network."""
    for name, activation in {
        "exp": stax.Exp(1, 0.4),
        "gabor": stax.Gabor(),
        "gaussian": stax.Gaussian(1, -0.6),
        "rbf": stax.Rbf(0.4),
        "sigmoid_like": stax.Sigmoid_like(),
        "sign": stax.Sign(),
        "rectified_square": stax.RectifiedMonomial(2),
    }.items():
        last = dense(1.3, 0.2)
        yield name, stax.serial(dense(1.7, 0.1), stax.Relu(), dense(1.7, 0.1), activation, last)
    normalised = stax.serial(dense(1.7, 0.1), stax.LayerNorm(), stax.Hermite(3), dense(1.3, 0.2))
    yield "hermite", normalised
    unbiased = stax.Dense(64, 1.7**0.5, 0.0, parameterization="standard")
    yield "zero_bias", stax.serial(unbiased, stax.Relu(), unbiased)
    sides = stax.parallel(stax.serial(stax.Relu(), dense(1.7, 0.1)), dense(1.0, 0.0, width=32))
    joined = stax.serial(stax.FanOut(2), sides, stax.FanInConcat())
    yield (
        "concatenate",
        stax.serial(dense(1.7, 0.1), joined, dense(1.0, 0.0), stax.Erf(), dense(1.3, 0.2)),
    )
    pool, end = stax.SumPool((2, 2), strides=(2, 2)), stax.GlobalSumPool()
    first, second = (stax.serial(conv(1.7, 0.1), stax.Relu()) for _ in range(2))
    yield "image_sum_pool", stax.serial(first, pool, second, end, dense(1.3, 0.2))
    window = stax.Conv(8, (3,), (1,), "SAME", 1.7**0.5, 0.1**0.5)
    yield "sequence_conv", stax.serial(window, stax.Erf(), stax.Flatten(), dense(1.3, 0.2))
    for name, layer in {
        "softmax": attention("1/d"),
        "identity": attention("1/sqrt(d)"),
        "softmax_positions": attention("1/d", 0.6),
        "identity_positions": attention("1/sqrt(d)", 0.6),
    }.items():
        token, ends = dense(1.7, 0.1), (stax.Relu(), stax.GlobalAvgPool(), dense(1.3, 0.2))
        yield f"sequence_{name}", stax.serial(token, layer, dense(1.0, 0.0), *ends)


def main():
    generator = np.random.default_rng(20200001)
    vectors, images = generator.normal(size=(5, 6)), generator.normal(size=(3, 6, 4, 2))
    inputs = {"vectors": vectors, "images": images, "sequences": generator.normal(size=(3, 4, 5))}
    saved = dict(inputs)
    for name, (_, _, kernel) in itertools.chain(networks(), later_networks()):
        kind = name.partition("_")[0] + "s"
        result = kernel(inputs.get(kind, vectors), None, ("nngp", "ntk"))
        saved[f"{name}_nngp"], saved[f"{name}_ntk"] = np.array(result.nngp), np.array(result.ntk)
    np.savez(Path(__file__).with_name("neural_tangents.npz"), **saved)


if __name__ == "__main__":
    main()
