"""Kernel distance and alignment against their definitions."""

import numpy as np
import pytest

from widenets.ntk.similarity import alignment, centred, cosine, distance, drift


def kernels(count=2, size=7):
    roots = np.random.default_rng(0).standard_normal((count, size, 4))
    return roots @ np.swapaxes(roots, -1, -2)


def test_the_distance_is_one_less_the_cosine_and_blind_to_a_factor():
    one, other = kernels()
    flat = one.ravel() @ other.ravel() / np.sqrt((one**2).sum() * (other**2).sum())
    np.testing.assert_allclose(cosine(one, other), flat, rtol=1e-14)
    np.testing.assert_allclose(distance(one, 3 * other), 1 - flat, rtol=1e-13)
    assert distance(one, 2 * one) < 1e-30
    np.testing.assert_allclose(drift(one, 2 * one), 1, rtol=1e-14)


def test_the_distance_is_of_second_order_in_what_is_across():
    kernel, change = kernels()
    small = 1e-5 * change
    across = small - kernel * np.sum(kernel * small) / np.sum(kernel**2)
    expected = np.sum(across**2) / np.sum(kernel**2) / 2
    np.testing.assert_allclose(distance(kernel, kernel + small), expected, rtol=1e-4)


def test_the_distance_keeps_its_digits_where_kernels_are_close():
    kernel, change = kernels()
    found = distance(kernel, kernel + 1e-9 * change) / distance(kernel, kernel + 1e-8 * change)
    np.testing.assert_allclose(found, 0.01, rtol=1e-4)


def test_alignment_is_one_for_the_kernel_of_the_labels_and_sees_no_constant():
    labels = np.random.default_rng(1).choice([-1.0, 1.0], (7, 1))
    np.testing.assert_allclose(alignment(5 * labels @ labels.T + 2, labels), 1, rtol=1e-13)
    np.testing.assert_allclose(centred(kernels()).sum(axis=(-2, -1)), 0, atol=1e-12)


def test_leading_axes_broadcast():
    stack = kernels(3)
    expected = [distance(stack[0], kernel) for kernel in stack]
    np.testing.assert_allclose(distance(stack[:1], stack), expected, rtol=1e-14, atol=1e-30)


def test_what_is_no_gram_matrix_is_refused():
    with pytest.raises(ValueError, match=r"kernel has shape \(3, 4\)"):
        distance(np.ones((3, 4)), np.ones((3, 4)))
