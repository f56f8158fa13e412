"""What is particular to the replication of Cao et al. (2019)."""

import numpy as np
import pandas as pd
import pytest
import torch

from replications.cao2019_spectral_bias import claims, curves, kernels, tasks, training
from widenets.ntk.spectra import degree_projector, legendre, sphere_grid


def test_kernel_is_the_gradient_kernel_of_the_paper_network():
    """Monte Carlo of t kappa_0 + 2 kappa_1 through the initial kernels of one wide network."""
    x, _ = sphere_grid(4, 8)
    first, readout = training.draw_weights(0, 3, 200_000, "test")
    finite = kernels.initial_kernel(x, first, readout, bias=False)
    np.testing.assert_allclose(finite, kernels.limit_kernel(x), atol=0.03)
    np.testing.assert_allclose(np.diag(kernels.limit_kernel(x)), 1.5, rtol=1e-12)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("absolute", [False, True])
def test_one_step_of_training_is_autograd(bias, absolute):
    x, weights = sphere_grid(3, 6)
    first, readout = training.draw_weights(1, 3, 16, "test")
    target = x[:, 0] ** 2
    residuals, _ = training.train(
        x, target, weights, first, readout, 0.3, 1, bias=bias, absolute=absolute,
        dtype=torch.float64,
    )  # fmt: skip
    w, v, b = (
        torch.tensor(p, requires_grad=True) for p in (first, readout, np.zeros(len(readout)))
    )
    inputs, y, q = map(torch.tensor, (x, target, weights))

    def outputs():
        z = inputs @ w.T + b
        return (z.abs() if absolute else z.relu()) @ v / 4.0

    f_0 = outputs().detach()
    gradients = torch.autograd.grad((q * (y + f_0 - outputs()) ** 2).sum() / 2, (w, v, b))
    with torch.no_grad():
        for p, g in zip((w, v, b), gradients, strict=True):
            if p is not b or bias:
                p -= 0.3 * g
        expected = y + f_0 - outputs()
    np.testing.assert_allclose(residuals[0], target, atol=1e-15)
    np.testing.assert_allclose(residuals[1], expected.numpy(), atol=1e-13)


def test_low_harmonics_obey_the_addition_theorem():
    x, _ = sphere_grid(5, 10)
    x = np.concatenate([x, 0 * x], axis=1)[:, [0, 1, 2, 3]]
    harmonics = tasks.low_harmonics(x)
    polynomials = legendre(4, 2, np.clip(x @ x.T, -1, 1))
    np.testing.assert_allclose(
        harmonics @ harmonics.T,
        polynomials[0] + 4 * polynomials[1] + 9 * polynomials[2],
        atol=1e-12,
    )


def test_window_rate_is_the_discrete_rate():
    curve = (1 - 0.1 * 0.4) ** np.arange(60)
    assert curves.window_rate(curve, 0.1) == pytest.approx(0.4, rel=1e-10)
    assert curves.crossing(curve, 0.5) == pytest.approx(np.log(0.5) / np.log(0.96), rel=1e-6)


def test_lengths_of_weights_change_the_trace_by_their_size_effect():
    """Directions fixed, lengths scaled: K_0 changes by the first-order effect, degree by degree."""
    stream = np.random.default_rng(0)
    x, weights = sphere_grid(8, 16)
    first, readout = (
        np.sqrt(2) * stream.standard_normal((20_000, 3)),
        stream.standard_normal(20_000),
    )
    whole = [
        np.sum(degree_projector(x, weights, 2) * np.sqrt(np.outer(weights, weights)) * kernel)
        for kernel in (
            kernels.initial_kernel(x, first, readout, False),
            kernels.initial_kernel(x, 1.1 * first, 1.2 * readout, False),
        )
    ]
    before, after = (
        kernels.size_effect(w, v, "theory", 2)[2]
        for w, v in ((first, readout), (1.1 * first, 1.2 * readout))
    )
    assert whole[1] / whole[0] == pytest.approx((1 + after) / (1 + before), rel=0.02)


@pytest.mark.parametrize("recorded", [(0.0, 300.0, 1500.0), (0.0, 1302.0, 1832.0, 20000.0)])
def test_the_lead_of_degree_2_is_that_at_1500_however_long_training_goes_on(recorded):
    """Each degree left as exp(-rate t): at 20000 degrees 4 and 6 are learned as well."""
    rates = {2: 1 / 100, 4: 1 / 5000, 6: 1 / 6000}
    rows = pd.DataFrame(
        {"time": time, "degree": degree, "remaining": np.exp(-rate * time)}
        for time in recorded
        for degree, rate in rates.items()
    )
    read = claims._lead_of_degree_2(rows)
    nearest = next(time for time in recorded if 1000 < time < 2000)
    assert read == np.exp(-nearest / 5000) - np.exp(-nearest / 100)
    assert read > 0.7
