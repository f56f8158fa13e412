"""Identities, limits and known values of the self-consistent learning curves."""

import numpy as np
import pytest

from widenets.ntk.spectra import Spectrum, fixed_point, output_errors, target_errors, total_error

POWER_LAW = Spectrum(1.0 / np.arange(1, 401) ** 2.0, np.ones(400))
BLOCKS = Spectrum(np.array([0.5, 0.02, 0.001]), np.array([1.0, 10.0, 300.0]), tail=0.3)


@pytest.mark.parametrize("samples", [1, 7, 40, 300])
@pytest.mark.parametrize("ridge", [0.0, 1e-9, 0.4])
@pytest.mark.parametrize("spectrum", [POWER_LAW, BLOCKS])
def test_fixed_point_solves_the_equation(spectrum, samples, ridge):
    point = fixed_point(spectrum, samples, ridge)
    values, counts, tail = spectrum
    kappa = point.kappa
    back = ridge + tail + kappa * counts @ (values / (samples * values + kappa))
    assert back == pytest.approx(kappa, rel=1e-12)
    learned = counts @ point.learnability
    assert learned == pytest.approx(samples * (kappa - ridge - tail) / kappa, rel=1e-10)


def test_multiplicities_are_repeated_eigenvalues():
    repeated = Spectrum(np.repeat(BLOCKS.eigenvalues, [1, 10, 300]), np.ones(311), BLOCKS.tail)
    one, other = fixed_point(BLOCKS, 50, 0.1), fixed_point(repeated, 50, 0.1)
    assert one.kappa == pytest.approx(other.kappa, rel=1e-12)
    assert one.gamma == pytest.approx(other.gamma, rel=1e-12)


@pytest.mark.parametrize("samples, ridge", [(20, 0.3), (100, 0.3), (500, 0.3), (60, 0.0)])
def test_white_spectrum_is_marchenko_pastur(samples, ridge):
    """All eigenvalues 1: kappa solves kappa^2 - (ridge + N - p) kappa - ridge p = 0."""
    modes = 100
    shift = ridge + modes - samples
    exact = (shift + np.sqrt(shift**2 + 4 * ridge * samples)) / 2
    point = fixed_point(Spectrum(np.ones(1), np.array([float(modes)])), samples, ridge)
    assert point.kappa == pytest.approx(exact, rel=1e-12)


def test_white_spectrum_against_random_features():
    """Ridge regression on Gaussian features is what the theory averages, to O(1/p)."""
    rng = np.random.default_rng(0)
    samples, modes, ridge, noise = 60, 100, 20.0, 0.5
    errors = []
    for _ in range(200):
        design = rng.standard_normal((samples, modes))
        target = rng.standard_normal(modes) / np.sqrt(modes)
        labels = design @ target + np.sqrt(noise) * rng.standard_normal(samples)
        gram = design @ design.T + ridge * np.eye(samples)
        errors.append(np.sum((design.T @ np.linalg.solve(gram, labels) - target) ** 2))
    point = fixed_point(Spectrum(np.ones(1), np.array([float(modes)])), samples, ridge)
    theory = total_error(point, np.array([1.0]), noise)
    z = (np.mean(errors) - theory) / (np.std(errors) / np.sqrt(len(errors)))
    assert abs(z) < 3.5


def test_ridgeless_full_rank_learns_exactly_p_modes():
    point = fixed_point(POWER_LAW, 50)
    assert point.learnability.sum() == pytest.approx(50, rel=1e-12)


def test_more_samples_than_modes_without_ridge():
    point = fixed_point(Spectrum(np.array([1.0, 0.1, 0.0]), np.array([1.0, 9.0, 5.0])), 40)
    assert point.kappa == 0
    assert point.gamma == pytest.approx(10 / 40)
    np.testing.assert_array_equal(point.learnability, [1, 1, 0])
    assert total_error(point, np.array([1.0, 1.0, 0.0]), noise=2.0) == pytest.approx(2 / 3)


def test_one_sample_of_a_zonal_kernel_in_the_limit_of_high_rank():
    """Exact at p = 1, k(x, x) = trace: E_r = v^2 (1 - 2 l/T + sum N l^2 / T^2), v^2 = 1 per mode.

    The theory's first order in 1/rank agrees; the exact formula is for a target with unit power
    in one degree, spread over its harmonics.
    """
    values, counts = np.array([0.02, 0.004]), np.array([20.0, 150.0])
    trace = counts @ values
    point = fixed_point(Spectrum(values, counts), 1)
    exact = 1 - 2 * values / trace + counts @ values**2 / trace**2
    np.testing.assert_allclose(target_errors(point, np.ones(2)), exact, rtol=2e-3)


@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_target_and_output_errors_sum_to_the_same_total(noise):
    power = np.array([1.0, 2.0, 0.5])
    point = fixed_point(BLOCKS, 80, 0.05)
    both = output_errors(point, power, BLOCKS.multiplicities, noise).sum()
    assert both == pytest.approx(total_error(point, power, noise), rel=1e-12)


def test_target_and_output_errors_agree_for_the_kernels_own_teacher():
    """v_r^2 proportional to N lambda^2, no noise, no ridge: both definitions coincide."""
    spectrum = BLOCKS._replace(tail=0.0)
    power = spectrum.multiplicities * spectrum.eigenvalues**2
    point = fixed_point(spectrum, 80)
    np.testing.assert_allclose(
        target_errors(point, power),
        output_errors(point, power, spectrum.multiplicities),
        rtol=1e-10,
    )


def test_error_is_the_target_power_before_any_sample():
    point = fixed_point(POWER_LAW, 1e-9)
    np.testing.assert_allclose(target_errors(point, np.ones(400)), 1.0, rtol=1e-8)


@pytest.mark.parametrize("ridge, exponent", [(3.0, -2.0), (0.0, -4.0)])
def test_asymptotic_exponents_of_a_power_law(ridge, exponent):
    """lambda_r ~ r^-b, b = 2: E_1 ~ p^-2 with a ridge (kappa -> ridge), p^(-2b) without one."""
    spectrum = Spectrum(1.0 / np.arange(1, 200_001) ** 2.0, np.ones(200_000))
    samples = np.array([400.0, 1600.0])
    errors = [target_errors(fixed_point(spectrum, p, ridge), np.ones(1))[0] for p in samples]
    assert np.diff(np.log(errors))[0] / np.log(4) == pytest.approx(exponent, abs=0.1)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="found samples = 0"):
        fixed_point(BLOCKS, 0)
    with pytest.raises(ValueError, match=r"ridge = -0\.7"):
        fixed_point(BLOCKS, 3, -1.0)
    with pytest.raises(ValueError, match="found samples = nan"):
        fixed_point(BLOCKS, np.nan)
    with pytest.raises(ValueError, match="smallest eigenvalue = nan"):
        fixed_point(Spectrum(np.array([1.0, np.nan]), np.ones(2)), 9)
    with pytest.raises(ValueError, match="diverges at p = 9"):
        fixed_point(Spectrum(np.ones(1), np.array([9.0])), 9)
