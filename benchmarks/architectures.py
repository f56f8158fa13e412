"""Random architectures: our kernels beside those of neural-tangents 0.6.5, in float64.

    python -m benchmarks.architectures --peer .env-neural-tangents/bin/python --examples 300

hypothesis draws each architecture from the grammar below (and, where two kernels differ, looks for
the smallest that still does); the peer computes its kernels in its own environment, in a process
that is asked line by line. Different inputs only: the peer's acos is wrong by 3e-8 between an input
and itself.
"""

import argparse
import itertools
import json
import math
import subprocess
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from widenets.ntk import architecture as ours

HERE = Path(__file__).parent
INPUTS = {
    "vectors": ((3, 7), (2, 7)),
    "images": ((2, 8, 8, 3), (1, 8, 8, 3)),
}
TOLERANCE = 1e-9  # of sqrt(K(x, x) K(x', x')), float64
BUILD = {
    "dense": lambda weight, bias: ours.dense(1, weight, bias),
    "conv": lambda size, stride, padding, weight, bias: ours.conv(
        1, size, stride, padding, weight, bias
    ),
    "residual": lambda branch: ours.residual(built(branch)),
    **{
        name: getattr(ours, name)
        for name in (
            "abs_", "average_pool", "cos", "erf", "flatten", "gelu", "global_average_pool",
            "identity", "layer_norm", "leaky_relu", "relu", "sin",
        )
    },
}  # fmt: skip

# -- the grammar: a layer is [name, *arguments], an architecture a list of layers -----------------

VARIANCES = st.sampled_from([0.5, 1.0, 1.7, 2.0])
BIASES = st.sampled_from([0.0, 0.1, 0.5])
ACTIVATIONS = st.one_of(
    st.sampled_from([["relu"], ["abs_"], ["erf"], ["gelu"], ["sin"], ["cos"]]),
    st.tuples(st.just("leaky_relu"), st.sampled_from([0.1, 0.5])).map(list),
)
DENSE = st.tuples(st.just("dense"), VARIANCES, BIASES).map(list)


def convolution(strides=(1, 2), paddings=("SAME", "VALID", "CIRCULAR")):
    return st.tuples(
        st.just("conv"), st.just(3), st.sampled_from(strides), st.sampled_from(paddings),
        VARIANCES, BIASES,
    ).map(list)  # fmt: skip


SAME_SIZE = convolution((1,), ("SAME",))


NO_POOL = st.nothing()


def blocks(affine, same_size, pools=NO_POOL):
    """Lists of layers that start with an affine one and end with Gaussian units or a pool of them,
    so that whatever follows may follow."""
    normalised = st.sampled_from([[], [["layer_norm"]]])
    plain = st.builds(lambda a, norm, f, b: [a, *norm, f, b], affine, normalised, ACTIVATIONS,
                      same_size)  # fmt: skip
    branch = st.builds(lambda f, a: [f, a], ACTIVATIONS, same_size)
    residual = st.builds(lambda a, inner: [a, ["residual", inner]], affine, branch)
    pooled = st.builds(lambda a, f, pool, b: [a, f, pool, b], affine, ACTIVATIONS, pools, same_size)
    return st.one_of(plain, residual, pooled)


def architectures():
    """(kind of inputs, layers): one to three blocks, an activation, a read-out."""
    vectors = st.builds(
        lambda parts, last, out: ("vectors", [*itertools.chain(*parts), last, out]),
        st.lists(blocks(DENSE, DENSE), min_size=1, max_size=3), ACTIVATIONS, DENSE,
    )  # fmt: skip
    first = blocks(convolution(), SAME_SIZE)
    later = blocks(SAME_SIZE, SAME_SIZE, st.just(["average_pool", 2]))
    ends = st.sampled_from([["flatten"], ["global_average_pool"]])
    images = st.builds(
        lambda one, more, last, end, out: ("images", [*one, *more, last, end, out]),
        first, st.one_of(st.just([]), later), ACTIVATIONS, ends, DENSE,
    )  # fmt: skip
    return st.one_of(vectors, images)


# -- the comparison -------------------------------------------------------------------------------


def built(layers) -> ours.Architecture:
    """Our network of such a list."""
    return ours.serial(*(BUILD[name](*arguments) for name, *arguments in layers))


def inputs(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of different inputs, always the same ones."""
    generator = np.random.default_rng(20200001)
    one, two = INPUTS[kind]
    return generator.normal(size=one), generator.normal(size=two)


def difference(theirs: dict, layers, kind: str) -> float:
    """Largest of |K - K'| and |Theta - Theta'| over the geometric mean of our diagonals."""
    one, two = inputs(kind)
    network = built(layers)
    largest = 0.0
    of_one, of_two = network.kernel(one), network.kernel(two)
    for name, found, first, second in zip(
        ("nngp", "ntk"), network.kernel(one, two), of_one, of_two, strict=True
    ):
        scale = np.sqrt(np.outer(np.diag(first), np.diag(second)))
        largest = max(largest, float(np.max(np.abs(found - np.array(theirs[name])) / scale)))
    return largest


@contextmanager
def peer(python: str):
    """A function (kind, layers) -> {"nngp": rows, "ntk": rows} of the peer's process."""
    command = [python, str(HERE / "peer_architectures.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:

        def ask(kind, layers):
            one, two = (x.tolist() for x in inputs(kind))
            it.stdin.write(json.dumps({"one": one, "two": two, "layers": layers}) + "\n")
            it.stdin.flush()
            answer = it.stdout.readline()
            if not answer:
                raise RuntimeError(f"the peer gave no answer to {json.dumps(layers)}")
            return json.loads(answer)

        yield ask
        it.stdin.close()


def compare(python: str, examples: int, start: int) -> None:
    """Print how far kernels of `examples` architectures are apart; fail on the first that differ.

    An architecture whose kernel vanishes or overflows has nothing to compare and is refused by
    `math.isfinite` here, not passed over.
    """
    found = []
    with peer(python) as ask:

        @seed(start)
        @settings(max_examples=examples, deadline=None, database=None,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(architectures())
        def check(drawn):
            kind, layers = drawn
            apart = difference(ask(kind, layers), layers, kind)
            assert math.isfinite(apart), layers
            assert apart <= TOLERANCE, (apart, layers)
            found.append((apart, kind, json.dumps(layers)))
            if len(found) % 25 == 0:
                print(f"{len(found)} of {examples}, farthest apart {max(found)[0]:.2g}", flush=True)

        check()
    different = {text for _, _, text in found}
    print(f"{len(found)} drawn, {len(different)} different architectures")
    for kind in INPUTS:
        of_kind = [row for row in found if row[1] == kind]
        apart, _, text = max(of_kind)
        print(f"{kind}: {len(of_kind)}, farthest apart {apart:.2g}: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", required=True, help="python of the peer's environment")
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    compare(arguments.peer, arguments.examples, arguments.seed)


if __name__ == "__main__":
    main()
