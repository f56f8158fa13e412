"""Random architectures: our kernels beside those of neural-tangents 0.6.5, in float64.

    python -m benchmarks.architectures --peer PYTHON --inputs vectors --examples 300

Inputs are vectors, sequences or images. hypothesis draws each architecture from the grammar below
(and, where two kernels differ, looks for the smallest that still does); the peer computes its
kernels in its own environment, in a process that is asked line by line. A line of the log (--log)
is one architecture and how far the kernels are apart; what is printed at the end is of the whole
log, so that pieces with different --seed add up.

Ours are computed by `network.kernel`, compiled at the lowest effort: an architecture is a program
of its own, which runs for milliseconds, and XLA's fused loops are two thirds of what compiling it
costs. On vectors, where no compiled loop of ours serves, they are computed operation by operation
(`network.limit`), each of which is compiled once for all architectures. Pairs of different inputs
only: the peer's acos is wrong by 3e-8 between an input and itself. Of networks with `sign` the NNGP
alone is compared, as their Theta is refused here.
"""

import argparse
import csv
import itertools
import json
import math
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from widenets.ntk import architecture as ours
from widenets.ntk import closed_forms
from widenets.ntk.kernels import kernel_in_blocks
from widenets.ntk.positions import positional_encoding

HERE = Path(__file__).parent
INPUTS = {"vectors": (4, 7), "sequences": (3, 8, 3), "images": (3, 4, 4, 3)}
WIDTH = 3  # of all layers but branches side by side
TOLERANCE = 1e-9  # of sqrt(K(x, x) K(x', x')), float64


def attention(scaling, score, weight, bias, code):
    """After encodings of variance `code`, whose covariance falls with the distance."""
    steps = np.subtract.outer(*2 * (np.arange(INPUTS["sequences"][1]),))
    encoding = positional_encoding(np.exp(-(steps**2) / 2), code)
    layer = ours.self_attention(WIDTH, 1, None, scaling, score, weight, bias)
    return ours.serial(encoding, layer) if code else layer


BUILD = {
    "dense": lambda weight, bias, width=WIDTH: ours.dense(width, weight, bias),
    "standard": lambda weight, bias: ours.dense(
        WIDTH, weight, bias or 0.0, "standard", zero_bias=bias is None
    ),
    "attention": attention,
    "concatenate": lambda *branches: ours.concatenate(*map(built, branches)),
    "conv": lambda size, stride, padding, weight, bias: ours.conv(
        WIDTH, size, stride, padding, weight, bias
    ),
    "residual": lambda branch: ours.residual(built(branch)),
    **{
        name: getattr(closed_forms, name)
        for name in (
            "exp", "gabor", "gaussian", "hermite", "rbf", "rectified_monomial", "sigmoid_like",
        )
    },
    **{
        name: getattr(ours, name)
        for name in (
            "abs_", "average_pool", "cos", "erf", "flatten", "gelu", "global_average_pool",
            "global_sum_pool", "identity", "layer_norm", "leaky_relu", "relu", "sign", "sin",
            "sum_pool",
        )
    },
}  # fmt: skip

# -- the grammar: a layer is [name, *arguments], an architecture a list of layers -----------------

VARIANCES = st.sampled_from([0.5, 1.0, 1.7, 2.0])
BIASES = st.sampled_from([0.0, 0.1, 0.5])
ACTIVATIONS = st.one_of(
    st.sampled_from([["relu"], ["abs_"], ["erf"], ["gelu"], ["sin"], ["cos"]]),
    st.sampled_from([["gabor"], ["gaussian", 0.6], ["rbf", 0.4], ["sigmoid_like"]]),
    st.tuples(st.just("leaky_relu"), st.sampled_from([0.1, 0.5])).map(list),
)
# After layer_norm: variances would grow too fast in a chain, and the peer's Hermite is right at 1
# alone. Its RectifiedMonomial is nan between an input and itself, which positions would mix in.
OF_UNIT_VARIANCE = st.sampled_from([["exp", 0.4], ["hermite", 2], ["hermite", 3]])
ON_VECTORS = st.one_of(
    OF_UNIT_VARIANCE, st.sampled_from([["rectified_monomial", 2], ["rectified_monomial", 3]])
)
LAST = st.one_of(ACTIVATIONS, st.sampled_from([["relu"], ["erf"], ["sign"]]))
DENSE = st.tuples(st.just("dense"), VARIANCES, BIASES).map(list)
WIDER = st.tuples(st.just("dense"), VARIANCES, BIASES, st.integers(1, 4)).map(list)
STANDARD = st.tuples(st.just("standard"), VARIANCES, st.sampled_from([None, 0.0, 0.3])).map(list)
ATTENTION = st.tuples(
    st.just("attention"), st.sampled_from(["1/d", "1/sqrt(d)"]), VARIANCES, VARIANCES, BIASES,
    st.sampled_from([0.0, 0.6]),
).map(list)  # fmt: skip


def convolution(strides=(1, 2), paddings=("SAME", "VALID", "CIRCULAR")):
    return st.tuples(
        st.just("conv"), st.just(3), st.sampled_from(strides), st.sampled_from(paddings),
        VARIANCES, BIASES,
    ).map(list)  # fmt: skip


SAME_SIZE = convolution((1,), ("SAME",))


NO_POOL = st.nothing()


def blocks(affine, same_size, pools=NO_POOL, of_unit_variance=OF_UNIT_VARIANCE):
    """Lists of layers that start with an affine one and end with Gaussian units or a pool of them,
    so that whatever follows may follow."""
    normalised = st.sampled_from([[], [["layer_norm"]]])
    plain = st.builds(lambda a, norm, f, b: [a, *norm, f, b], affine, normalised, ACTIVATIONS,
                      same_size)  # fmt: skip
    unit = st.builds(lambda a, f, b: [a, ["layer_norm", 1e-12], f, b], affine, of_unit_variance,
                     same_size)  # fmt: skip
    branch = st.builds(lambda f, a: [f, a], ACTIVATIONS, same_size)
    residual = st.builds(lambda a, inner: [a, ["residual", inner]], affine, branch)
    pooled = st.builds(lambda a, f, pool, b: [a, f, pool, b], affine, ACTIVATIONS, pools, same_size)
    sides = st.one_of(branch, WIDER.map(lambda a: [a]), st.builds(lambda f, a: [f, a], ACTIVATIONS,
                                                                  WIDER))  # fmt: skip
    joined = st.builds(
        lambda a, one, two, b: [a, ["concatenate", one, two], b], affine, sides, sides, same_size
    )
    return st.one_of(plain, unit, residual, pooled, joined)


ENDS = st.sampled_from([["flatten"], ["global_average_pool"], ["global_sum_pool"]])
POOLED = [["average_pool", 2], ["sum_pool", 2]]
POOLS = st.sampled_from(POOLED)


def with_positions(first, more):
    """Blocks on positions, an activation, what takes the positions together, a read-out."""
    return st.builds(
        lambda one, two, last, end, out: [*one, *two, last, end, out],
        first, st.one_of(st.just([]), more), ACTIVATIONS, ENDS, DENSE,
    )  # fmt: skip


def _leaves_positions(layers) -> bool:
    """Of 4 x 4 a VALID window at stride 2 leaves one position, and a pool none of it."""
    return layers[0][2:4] != [2, "VALID"] or not any(layer in POOLED for layer in layers)


def architectures(kind: str):
    """Layers on inputs of this kind: one to three blocks, an activation, a read-out."""
    if kind == "vectors":
        affine = st.one_of(DENSE, STANDARD)
        return st.builds(
            lambda parts, last, out: [*itertools.chain(*parts), last, out],
            st.lists(blocks(affine, affine, of_unit_variance=ON_VECTORS), min_size=1, max_size=3),
            LAST, affine,
        )  # fmt: skip
    later = blocks(SAME_SIZE, SAME_SIZE, POOLS)
    convolutional = with_positions(blocks(convolution(), SAME_SIZE), later)
    if kind == "images":
        return convolutional.filter(_leaves_positions)
    attentive = with_positions(blocks(DENSE, ATTENTION), blocks(ATTENTION, SAME_SIZE))
    return st.one_of(convolutional, attentive)


# -- the comparison -------------------------------------------------------------------------------


def built(layers) -> ours.Architecture:
    """Our network of such a list."""
    return ours.serial(*(BUILD[name](*arguments) for name, *arguments in layers))


def inputs(kind: str) -> np.ndarray:
    """Different inputs, always the same ones."""
    return np.random.default_rng(20200001).normal(size=INPUTS[kind])


def difference(theirs: dict, layers, kind: str) -> float:
    """Largest of |K - K'| and |Theta - Theta'| over the geometric mean of our diagonals."""
    network, x = built(layers), inputs(kind)
    if '"sign"' in json.dumps(layers):
        ours = {"nngp": kernel_in_blocks(network, x, which="nngp")}
    elif x.ndim == 2 and network.steps is None:
        ours = network.limit(jnp.asarray(x), None)._asdict()
    else:
        ours = network.kernel(x)._asdict()
    apart = 0.0
    for name, found in ours.items():
        found = np.asarray(found)
        diagonal = np.diag(found)
        errors = np.abs(found - np.array(theirs[name])) / np.sqrt(np.outer(diagonal, diagonal))
        apart = max(apart, float(errors[~np.eye(len(x), dtype=bool)].max()))
    return apart


@contextmanager
def peer(python: str):
    """A function (kind, layers) -> {"nngp": rows, "ntk": rows} of the peer's process."""
    command = [python, str(HERE / "peer_architectures.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    own = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    with subprocess.Popen(command, env=own, **pipes) as it:

        def ask(kind, layers):
            it.stdin.write(json.dumps({"x": inputs(kind).tolist(), "layers": layers}) + "\n")
            it.stdin.flush()
            answer = it.stdout.readline()
            if not answer:
                raise RuntimeError(f"the peer gave no answer to {json.dumps(layers)}")
            return json.loads(answer)

        yield ask
        it.stdin.close()


COLUMNS = ("inputs", "seed", "apart", "layers")


def compare(python: str, kind: str, examples: int, start: int, log: Path) -> None:
    """Adds `examples` architectures to the log; fails on the first whose kernels differ.

    An architecture whose kernel vanishes or overflows has nothing to compare and is refused by
    `math.isfinite` here, not passed over.
    """
    with peer(python) as ask, log.open("a", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        if file.tell() == 0:
            lines.writerow(COLUMNS)

        @seed(start)
        @settings(max_examples=examples, deadline=None, database=None,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(architectures(kind))
        def check(layers):
            apart = difference(ask(kind, layers), layers, kind)
            assert math.isfinite(apart), layers
            assert apart <= TOLERANCE, (apart, layers)
            lines.writerow((kind, start, f"{apart:.2g}", json.dumps(layers)))
            file.flush()  # a run may be ended at any time

        check()


def told(log: Path) -> None:
    """What the log holds, inputs by inputs."""
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for kind in INPUTS:
        found = {row["layers"]: float(row["apart"]) for row in rows if row["inputs"] == kind}
        if found:
            layers = max(found, key=found.get)
            print(f"{kind}: {len(found)} architectures, farthest apart {found[layers]}: {layers}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", required=True, help="python of the peer's environment")
    parser.add_argument("--inputs", choices=list(INPUTS), required=True)
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, default=Path("results/architectures.csv"))
    arguments = parser.parse_args()
    os.environ["XLA_FLAGS"] = "--xla_cpu_use_fusion_emitters=false"  # read at the first computation
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_disable_most_optimizations", True)
    arguments.log.parent.mkdir(exist_ok=True)
    compare(arguments.peer, arguments.inputs, arguments.examples, arguments.seed, arguments.log)
    told(arguments.log)


if __name__ == "__main__":
    main()
