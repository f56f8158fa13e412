"""Laws of steps and of decay, held against definitions, other derivations and printed numbers."""

import numpy as np
import pytest

from replications.yang2023_spectral_condition import claims, experiment
from widenets.ntk.updates import (
    QUINTIC,
    equilibrium_memory,
    equilibrium_rms,
    largest_singular_value,
    polar_factor,
    seen_sign_alignment,
    sign_alignment,
    singular_value_map,
    update_rms,
)


def test_edge_of_gaussian_matrices():
    draws = np.random.default_rng(0).standard_normal((400, 48, 96))
    norms = np.linalg.norm(draws, 2, axis=(1, 2))
    assert largest_singular_value(48, 96, 1.0) == pytest.approx(norms.mean(), rel=2e-3)
    bare = np.sqrt(48) + np.sqrt(96)
    assert abs(norms.mean() / bare - 1) > 0.01


@pytest.mark.parametrize("shape", [(6, 9), (9, 6), (7, 7)])
def test_polar_factor_is_the_nearest_isometry(shape):
    matrix = np.random.default_rng(1).standard_normal(shape)
    factor = polar_factor(matrix)
    np.testing.assert_allclose(np.linalg.svd(factor)[1], 1, atol=1e-12)
    stretch = factor.T @ matrix if shape[0] >= shape[1] else matrix @ factor.T
    np.testing.assert_allclose(stretch, stretch.T, atol=1e-12)


def test_polar_factor_of_low_rank_is_a_partial_isometry():
    draws = np.random.default_rng(2)
    matrix = draws.standard_normal((8, 3)) @ draws.standard_normal((3, 10))
    values = np.linalg.svd(polar_factor(matrix))[1]
    np.testing.assert_allclose(values, [1, 1, 1, 0, 0, 0, 0, 0], atol=1e-12)


def test_the_map_is_that_of_the_matrix_iteration():
    """X <- a X + b X X^T X + c X (X^T X)^2, written out."""
    a, b, c = QUINTIC
    x = np.random.default_rng(3).standard_normal((6, 9))
    x /= np.linalg.norm(x)
    values = np.linalg.svd(x)[1]
    for _ in range(3):
        x = a * x + b * x @ x.T @ x + c * x @ x.T @ x @ x.T @ x
    expected = np.sort(np.abs(singular_value_map(values, 3)))[::-1]
    np.testing.assert_allclose(np.linalg.svd(x)[1], expected, rtol=1e-10)


def test_band_of_the_iteration():
    slope = np.polynomial.Polynomial([3.4445, 0, 3 * -4.775, 0, 5 * 2.0315])
    turning = np.sort(slope.roots().real[slope.roots().real > 0])
    assert singular_value_map(turning, 1) == pytest.approx([1.20236, 0.68183], abs=1e-4)


def test_alignment_of_signs_by_hand():
    assert sign_alignment(np.eye(8)) == pytest.approx(1 / 8)
    assert sign_alignment(np.ones((8, 8))) == pytest.approx(1)  # one direction: rank one
    relu = np.full((512, 512), 1 / (2 * np.pi)) + np.eye(512) * (0.5 - 1 / (2 * np.pi))
    level = 2 / np.pi**2 * np.arcsin(1 / np.pi)
    assert level == pytest.approx(0.0656, abs=1e-4)
    assert sign_alignment(relu) == pytest.approx(level * (1 - 1 / 512) + 1 / 512)
    assert seen_sign_alignment(10**9, 1) == pytest.approx(2 / np.pi)


def _equilibrium(rate, decay, b, lag):
    """Covariances of (w, u) from their linear recursion, by iteration instead of a closed form."""
    # (w, m) <- M (w, m) + noise v: m' = b m + (1-b) g, w' = a w - rate m'.
    a = 1 - rate * decay
    step = np.array([[a, -rate * b], [0, b]])
    noise = np.array([-rate * (1 - b), 1 - b])
    covariance = np.zeros((2, 2))
    for _ in range(20_000):
        covariance = step @ covariance @ step.T + np.outer(noise, noise)
    return covariance, (np.linalg.matrix_power(step, lag) @ covariance)[0, 0]


@pytest.mark.parametrize(
    ("rate", "decay", "b"), [(0.1, 0.1, 0.9), (0.2, 0.5, 0.5), (0.05, 1.0, 0.0)]
)
def test_equilibrium_of_decay_solves_its_recursion(rate, decay, b):
    covariance, ahead = _equilibrium(rate, decay, b, 7)
    expected = equilibrium_rms(rate, decay, b) * np.sqrt(rate / (2 * decay))
    assert np.sqrt(covariance[0, 0]) == pytest.approx(expected, rel=1e-9)
    assert np.sqrt(covariance[1, 1]) == pytest.approx(update_rms(b), rel=1e-9)
    memory = equilibrium_memory(rate, decay, b, 7)
    assert ahead / covariance[0, 0] == pytest.approx(memory, rel=1e-9)


def test_edge_of_a_sum_of_rotations():
    """One rotation has the norm c; many small ones are a Gaussian; a few by draws."""
    assert experiment._rotations_edge(0.3, 3.3, 10**9) == pytest.approx(0.3, rel=0.02)
    small = experiment._rotations_edge(1e-3, 1.0, 48)
    assert small == pytest.approx(largest_singular_value(48, 48, np.sqrt(0.0005 / 48)), rel=1e-3)
    draws, found = np.random.default_rng(5), []
    for _ in range(60):
        steps = [polar_factor(draws.standard_normal((32, 32))) for _ in range(8)]
        found.append(np.linalg.norm(sum(0.5**k * step for k, step in enumerate(steps, 1)), 2))
    assert experiment._rotations_edge(0.5, 1.0, 32) == pytest.approx(np.mean(found), rel=5e-3)


def test_printed_numbers_of_adams_update():
    assert update_rms(0.9) == pytest.approx(0.2294, abs=1e-4)
    assert update_rms(12 / 13) == pytest.approx(0.2, abs=1e-12)


@pytest.mark.parametrize("coupled", [False, True])
def test_adam_step_is_that_of_torch(coupled):
    """torch's second moment starts at 0, ours at rest: ten thousand steps on it is forgotten."""
    torch = pytest.importorskip("torch")
    draws = np.random.default_rng(4)
    start, gradients = draws.standard_normal(3), draws.standard_normal((12_000, 3))
    weights = torch.nn.Parameter(torch.tensor(start))
    kind = torch.optim.Adam if coupled else torch.optim.AdamW
    theirs = kind([weights], lr=0.01, betas=(0.9, 0.999), eps=1e-30, weight_decay=0.3)
    for gradient in gradients:
        weights.grad = torch.tensor(gradient)
        theirs.step()
    run = experiment._adam(iter(gradients), start, 0.01, 0.3, 0.9, 1.0, coupled)
    *_, (found, _) = run
    np.testing.assert_allclose(found, weights.detach().numpy(), rtol=1e-3)


def test_scales_are_those_of_public_implementations():
    into, out = 64, 256
    found = {name: scale(out, into) for name, scale in experiment.SCALES.items()}
    assert found["shape_scaling"] == 2
    assert found["spectral"] == 16
    assert found["unit_rms_norm"] == 2
    assert experiment.SCALES["unit_rms_norm"](into, out) == 0.5
    assert experiment.SCALES["shape_scaling"](into, out) == 1


def _edge_without_its_shift(shapes):
    """Mean over (out, in) of the norm at std in^-1/2 over the bare edge."""
    edges = [(into**-0.5 * (np.sqrt(into) + np.sqrt(out)), out, into) for out, into in shapes]
    return np.mean([largest_singular_value(o, i, i**-0.5) / edge for edge, o, i in edges])


def _spike():
    """A n of A n + s^2 / A at n = 64, rate .08, decay .25, share .035."""
    signal = 0.035 / np.sqrt(1 + 0.035**2) / 0.25
    noise = equilibrium_rms(0.08, 0.25, 0.9) * np.sqrt(0.08 / (2 * 0.25))
    return signal * 64 / (signal * 64 + noise**2 / signal)


RIVALS = {
    "O1_norm_of_gaussian_weights": _edge_without_its_shift([(128, 128), (512, 128), (128, 512)]),
    "O4_sign_step_of_any_batch": np.mean(
        [1 / n / seen_sign_alignment(n, n) for n in (32, 64, 128)]
    ),
    "O6_relu_features_stay_aligned": 2
    / np.pi**2
    * np.arcsin(1 / np.pi)
    / sign_alignment(np.full((128, 128), 1 / (2 * np.pi)) + np.eye(128) * (0.5 - 1 / (2 * np.pi))),
    "O6_low_rank_features_stay_aligned": 2 / np.pi / 16 / seen_sign_alignment(128, 16),
    "O7_polar_step_on_fresh_inputs": np.mean(np.sqrt(16 / np.array([64, 128]))),
    "O14_update_on_noise": np.mean(np.sqrt(1 + np.array([0.5, 0.8, 0.9, 0.95]))),
    "O14_popular_one_fifth": update_rms(0.95),
    "O19_weight_at_rest": equilibrium_rms(0.1, 0.1, 0.9),
    "O20_popular_turn": update_rms(0.9) / equilibrium_rms(0.1, 0.1, 0.9),
    "O20_memory": 0.99**20 / equilibrium_memory(0.1, 0.1, 0.9, 20),
    "O22_level_of_the_norm": _edge_without_its_shift([(32, 32)]),
    "O24_signal_in_noise": _spike(),
    "O29_level_of_muons_norm": 1 / experiment._rotations_edge(0.5, 1.0, 10**9),
}


@pytest.mark.parametrize("name", RIVALS)
def test_rivals_are_what_their_theories_give_at_the_sizes_of_the_grid(name):
    (claim,) = [claim for claim in claims.CLAIMS if claim.name == name]
    assert claim.rival.value == pytest.approx(RIVALS[name], rel=5e-3)
