"""The surface code and its decoders: exact facts and brute force."""

import itertools

import numpy as np
import pytest

from replications.ntk_quantum_decoder import codes, decoders, training

CODES = [(3, "bitflip"), (3, "depolarizing"), (3, "independent"), (5, "bitflip")]


@pytest.mark.parametrize("distance", [3, 5, 7])
def test_checks_commute_and_logicals_act(distance):
    (z, x), (logical_z, logical_x) = codes.faces(distance), codes.logicals(distance)
    assert len(z) == len(x) == (distance**2 - 1) // 2
    assert not ((z @ x.T) % 2).any()
    assert not ((z @ logical_x) % 2).any()
    assert not ((x @ logical_z) % 2).any()
    assert (logical_z @ logical_x) % 2 == 1
    assert set(z.sum(axis=1)) == set(x.sum(axis=1)) == {2, 4}


@pytest.mark.parametrize("distance", [3, 5])
def test_the_distance_is_that_of_the_code(distance):
    """Fewest flips without a defect that change the class."""
    weights = codes.least_weights(codes.code(distance, "bitflip"))
    assert (weights[0, 0], weights[0, 1]) == (0, distance)


@pytest.mark.parametrize("distance, noise", CODES)
def test_the_law_sums_to_one(distance, noise):
    assert codes.law(codes.code(distance, noise), 0.07).sum() == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize("noise", ["bitflip", "depolarizing"])
def test_the_law_is_that_of_all_errors(noise):
    of = codes.code(3, noise)
    np.testing.assert_allclose(codes.law(of, 0.13), codes.enumerated_law(of, 0.13), atol=1e-14)


def test_independent_noise_has_the_marginals_of_depolarizing_noise():
    for p in (0.03, 0.2):
        one, other = (codes.chances(noise, p) for noise in ("depolarizing", "independent"))
        assert one.sum() == pytest.approx(1)
        assert other.sum() == pytest.approx(1)
        assert one[1] + one[3] == pytest.approx(other[1] + other[3])


def test_least_weights_are_those_of_all_errors():
    of = codes.code(3, "bitflip")
    found = np.full(32, np.inf)
    for flips in itertools.product((0, 1), repeat=9):
        place = 0
        for flip, mask in zip(flips, of.masks[:, 0], strict=True):
            place ^= int(flip * mask)
        found[place] = min(found[place], sum(flips))
    np.testing.assert_array_equal(codes.least_weights(of).ravel(), found)


@pytest.mark.parametrize("distance, noise", CODES)
def test_nothing_beats_maximum_likelihood(distance, noise):
    of = codes.code(distance, noise)
    for p in (0.01, 0.05, 0.12):
        table = codes.law(of, p)
        best = codes.failure(table, table.argmax(axis=1))
        assert best <= codes.failure(table, codes.matching(distance, noise)) + 1e-14


def test_known_failure_rates():
    """Of an independent prototype."""
    rates = {(3, "bitflip"): 0.083356, (5, "bitflip"): 0.076734, (3, "depolarizing"): 0.068983}
    for (distance, noise), rate in rates.items():
        table = codes.law(codes.code(distance, noise), 0.08)
        assert codes.failure(table, table.argmax(axis=1)) == pytest.approx(rate, abs=5e-7)
    matched = codes.failure(table, codes.matching(3, "depolarizing"))
    assert matched == pytest.approx(0.078052, abs=5e-7)


@pytest.mark.parametrize("depth, bias", [(1, 0.1), (1, 0.0), (3, 0.1)])
def test_the_kernel_is_a_function_of_the_hamming_distance(depth, bias):
    points = codes.signs(5)
    nngp, ntk = decoders.network(depth, bias).kernel(points)
    every = np.arange(32)
    between = decoders.distances(5, every, every)
    values = decoders.by_distance(5, depth, bias)
    np.testing.assert_allclose(values[0][between], ntk, rtol=1e-12)
    np.testing.assert_allclose(values[1][between], nngp, rtol=1e-12)


def test_eigenvalues_are_those_of_the_matrix():
    values = decoders.by_distance(5)[0]
    every = np.arange(32)
    matrix = values[decoders.distances(5, every, every)]
    found = np.repeat(decoders.eigenvalues(5, values), [1, 5, 10, 10, 5, 1])
    np.testing.assert_allclose(np.sort(found), np.linalg.eigvalsh(matrix), atol=1e-9)


def test_walsh_is_the_sum_over_characters():
    values = np.random.default_rng(0).standard_normal((8, 2))
    points = codes.signs(3)
    for subset in range(8):
        chosen = [bit for bit in range(3) if subset >> bit & 1]
        character = np.prod(points[:, chosen], axis=1)
        np.testing.assert_allclose(decoders.walsh(values)[subset], character @ values, atol=1e-12)


def test_gauges_are_their_own_inverse():
    rng = np.random.default_rng(0)
    table, gauge = rng.random((16, 4)), rng.integers(4, size=16)
    turned = decoders.in_gauge(table, gauge)
    np.testing.assert_array_equal(decoders.in_gauge(turned, gauge), table)
    decided = turned.argmax(axis=1) ^ gauge
    np.testing.assert_array_equal(decided, table.argmax(axis=1))


def test_without_ridge_seen_syndromes_are_those_of_the_lookup_table():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(300, np.full(64, 1 / 64)).reshape(16, 4)
    found = decoders.kernel_decisions(4, counts)
    clear = (np.sort(counts, axis=1)[:, -1] > np.sort(counts, axis=1)[:, -2]) & (counts.sum(1) > 0)
    np.testing.assert_array_equal(found[clear], decoders.lookup_decisions(counts)[clear])


def test_hashing_is_the_kernel_of_renamed_syndromes():
    rng = np.random.default_rng(1)
    counts = rng.multinomial(9, np.full(64, 1 / 64)).reshape(16, 4)
    names = rng.permutation(16)
    renamed = np.empty_like(counts)
    renamed[names] = counts
    found = decoders.kernel_decisions(4, counts, names=names, ridge=0.5)
    np.testing.assert_array_equal(found, decoders.kernel_decisions(4, renamed, ridge=0.5)[names])


def test_wide_networks_follow_the_flow_and_start_at_zero():
    weights = np.full(16, 1 / 16)
    target = np.prod(codes.signs(4)[:, :2], axis=1)
    kernel = training.limit_kernel(weights)
    rate = 1 / np.linalg.eigvalsh(kernel)[-1]
    record = np.array([0, 60])
    found = training.outputs(1024, (0, 1), ("test",), weights, target, record, rate)
    limit = training.limit_outputs(kernel, weights, target, record, rate)
    np.testing.assert_allclose(found[:, 0], 0.0, atol=1e-6)
    gap = np.linalg.norm(found[:, 1] - limit[1], axis=1) / np.linalg.norm(limit[1])
    assert gap.max() < 0.15
