"""Laws of steps and of decay, held against definitions, other derivations and printed numbers."""

import numpy as np
import pytest

from replications.yang2023_spectral_condition import experiment
from widenets.ntk.updates import (
    equilibrium_memory,
    equilibrium_rms,
    largest_singular_value,
    newton_schulz,
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


@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
def test_iteration_acts_on_singular_values(shape):
    matrix = np.random.default_rng(3).standard_normal(shape)
    values = np.linalg.svd(matrix / np.linalg.norm(matrix))[1]
    found = np.linalg.svd(newton_schulz(matrix, 3))[1]
    expected = np.sort(np.abs(singular_value_map(values, 3)))[::-1]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


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
