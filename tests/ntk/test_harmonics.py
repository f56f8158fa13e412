"""Definitions, identities and known values of the harmonics on the sphere."""

import numpy as np
import pytest
from scipy.special import eval_chebyt, eval_gegenbauer, eval_legendre

from widenets.ntk.spectra import (
    angular_quadrature,
    degree_power,
    degree_projector,
    legendre,
    multiplicities,
    multiplicity,
    sphere_grid,
)


def test_multiplicity_known_values():
    assert [multiplicity(3, k) for k in range(6)] == [1, 3, 5, 7, 9, 11]
    assert [multiplicity(2, k) for k in range(4)] == [1, 2, 2, 2]
    assert multiplicity(10, 4) == 660
    assert multiplicity(30, 2) == 464


def test_multiplicities_count_the_homogeneous_polynomials():
    """Degree k polynomials restricted to the sphere are the harmonics of degree k, k-2, ..."""
    from math import comb

    counts = multiplicities(7, 9)
    assert counts[9::-2].sum() == comb(9 + 6, 9)


@pytest.mark.parametrize("dimension, reference", [(2, eval_chebyt), (3, eval_legendre)])
def test_legendre_is_the_classical_polynomial(dimension, reference):
    t = np.linspace(-1, 1, 101)
    values = legendre(dimension, 200, t)
    for k in (0, 1, 2, 17, 200):
        np.testing.assert_allclose(values[k], reference(k, t), atol=1e-11)


def test_legendre_is_the_normalised_gegenbauer_polynomial():
    t, dimension = np.linspace(-1, 1, 51), 10
    for k, values in enumerate(legendre(dimension, 12, t)):
        alpha = (dimension - 2) / 2
        reference = eval_gegenbauer(k, alpha, t) / eval_gegenbauer(k, alpha, 1.0)
        np.testing.assert_allclose(values, reference, atol=1e-12)


@pytest.mark.parametrize("dimension", [2, 3, 10, 100])
def test_legendre_is_bounded_at_high_degree(dimension):
    assert np.abs(legendre(dimension, 2000, np.linspace(-1, 1, 501))).max() <= 1 + 1e-10


@pytest.mark.parametrize("dimension", [2, 3, 10, 100])
def test_legendre_is_orthogonal_with_norm_one_over_multiplicity(dimension):
    angles, weights = angular_quadrature(dimension, nodes=400)
    values = legendre(dimension, 8, np.cos(angles))
    scaled = np.sqrt(multiplicities(dimension, 8))[:, None] * values
    np.testing.assert_allclose(scaled * weights @ scaled.T, np.eye(9), atol=1e-11)


def test_projectors_on_the_grid_are_orthogonal_projectors():
    points, weights = sphere_grid(12, 24)
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    two, five = (degree_projector(points, weights, k) for k in (2, 5))
    np.testing.assert_allclose(two @ two, two, atol=1e-13)
    np.testing.assert_allclose(two @ five, 0, atol=1e-13)
    assert np.trace(five) == pytest.approx(11, abs=1e-11)


def test_degree_power_splits_a_polynomial():
    """x^3 on S^2 is 3/5 P_1 + 2/5 P_3, with squared norms (9/25)/3 and (4/25)/7."""
    points, weights = sphere_grid(12, 24)
    power = [degree_power(points[:, 0] ** 3, points, weights, k) for k in range(5)]
    np.testing.assert_allclose(power, [0, 9 / 75, 0, 4 / 175, 0], atol=1e-14)


def test_bad_dimension_and_degree_are_refused():
    with pytest.raises(ValueError, match="at least 2, found 1"):
        multiplicity(1, 2)
    with pytest.raises(ValueError, match="non-negative, found -1"):
        legendre(3, -1, 0.5)
