"""Kernels against ours: right ones pass, each fault is seen where it is and named."""

import numpy as np
import pytest

from widenets.ntk.architecture import dense, flatten, fully_connected, relu, serial
from widenets.ntk.subject.conformance import (
    BLOCKS,
    FAULTS,
    Layers,
    architecture_of,
    differences,
    layers_of,
    reference,
    relu_kernels,
)
from widenets.ntk.subject.contract import load

NETWORK = fully_connected(depth=2, width=1, weight_variance=2.0, bias_variance=0.1)


def wrong(found):
    """{(block, kernel)} that are off."""
    return {(d.block, d.kernel) for d in found if d.error > d.tolerance}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_right_kernel_differs_by_rounding(seed):
    of = load("relu_kernel:right")
    found = differences(of.kernel, architecture_of(of.architecture), seed)
    assert len(found) == 6
    assert max(d.error for d in found) < 1e-14
    assert {d.fault for d in found} == {""}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_fault_is_named_and_nothing_else(fault, seed):
    of = load(f"relu_kernel:{fault}")
    found = differences(of.kernel, architecture_of(of.architecture), seed)
    assert {d.fault for d in found if d.error > d.tolerance} == {fault}


def test_the_place_of_a_wrong_entry_is_told():
    def kernel(x1, x2):
        nngp, ntk = (np.array(values) for values in NETWORK.kernel(x1, x2))
        if len(x1) != len(x2):
            ntk[3, 4] *= 1.5
        return nngp, ntk

    found = differences(kernel, NETWORK, 0)
    assert wrong(found) == {("cross", "ntk")}
    cross = next(d for d in found if (d.block, d.kernel) == ("cross", "ntk"))
    assert (cross.row, cross.column, cross.fault) == (3, 4, "")
    assert cross.found == pytest.approx(1.5 * cross.wanted)


def test_arccos_in_float64_costs_half_of_the_digits_on_the_diagonal_alone():
    layers = layers_of(NETWORK)
    found = differences(lambda a, b: relu_kernels(a, b, layers), NETWORK, 0)
    assert wrong(found) <= {("diagonal", "nngp"), ("diagonal", "ntk")}
    assert ("diagonal", "ntk") in wrong(found)
    assert max(d.error for d in found) < 1e-7
    assert {d.fault for d in found if d.error > d.tolerance} == {"arccos_on_the_diagonal"}


def test_single_precision_has_its_own_tolerance():
    def kernel(x1, x2):
        return tuple(np.asarray(values, np.float32) for values in NETWORK.kernel(x1, x2))

    found = differences(kernel, NETWORK, 0)
    assert not wrong(found)
    assert {d.tolerance for d in found} == {2e-6}
    assert max(d.error for d in found) > 1e-10


def test_images_and_networks_without_known_faults():
    network = serial(flatten(), dense(1), relu(), dense(1))
    assert layers_of(network) is None
    found = differences(lambda a, b: network.kernel(a, b), network, 0)
    assert not wrong(found)
    scaled = differences(
        lambda a, b: [1.01 * np.asarray(k) for k in network.kernel(a, b)], network, 0
    )
    assert wrong(scaled) == {(block, name) for block in BLOCKS for name in ("nngp", "ntk")}
    assert {d.fault for d in scaled} == {""}


def test_layers_are_read_from_an_architecture():
    assert layers_of(NETWORK) == Layers((2.0, 2.0, 2.0), (0.1, 0.1, 0.1))
    other = fully_connected(depth=1, width=1, weight_variance=2.0, readout_weight_variance=1.0)
    assert layers_of(other) == Layers((2.0, 1.0), (0.0, 0.0))
    assert layers_of(serial(dense(1, trained=False), relu(), dense(1))) is None
    assert layers_of(serial(dense(1, zero_bias=True), relu(), dense(1))) is None


def test_faults_of_a_network_without_biases_are_told_apart():
    network = architecture_of("fully_connected(depth=3, weight_variance=2.0)")
    layers = layers_of(network)
    for fault in FAULTS.keys() - {"bias_variance_squared", "arccos_on_the_diagonal"}:
        found = differences(lambda a, b, f=fault: relu_kernels(a, b, layers, f), network, 0)
        assert {d.fault for d in found if d.block == "cross" and d.error > 1e-6} == {fault}


def test_pairs_hold_equal_and_opposite_inputs():
    of = reference(NETWORK, 0)
    same = of.x1[of.row[:35]] == of.x2[of.column[:35]]
    assert same.all(axis=1).sum() == 1
    assert (of.block == "diagonal").sum() == 8
    np.testing.assert_array_equal(of.x2[1], -2 * of.x1[0])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("convolution(3)", "wanted an Architecture or a text"),
        ("fully_connected(", "wanted an Architecture or a text"),
        ("fully_connected(depth=f())", "wanted an Architecture or a text"),
        (3, "architecture: found 3"),
    ],
)
def test_descriptions_that_are_none_are_refused(given, problem):
    with pytest.raises(ValueError, match=problem.replace("(", r"\(")):
        architecture_of(given)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda a, b: a @ b.T, "must return"),
        (lambda a, b: (a @ b.T, (a @ b.T)[:, 0]), r"ntk has the shape \(7,\), wanted \(7, 5\)"),
        (lambda a, b: (a @ b.T, (a @ b.T).astype(int)), "ntk holds int64, wanted float64 or 32"),
        (lambda a, b: (np.nan * (a @ b.T), a @ b.T), "nngp is not finite"),
    ],
)
def test_answers_that_are_no_kernels_are_refused(answer, problem):
    with pytest.raises(ValueError, match=problem):
        differences(answer, NETWORK, 0)
