"""Spectra on the sphere: harmonics, kernels by degree, and the learning curves that follow."""

from widenets.ntk.spectra.harmonics import (
    angular_quadrature,
    degree_power,
    degree_projector,
    legendre,
    multiplicities,
    multiplicity,
    sphere_grid,
)
from widenets.ntk.spectra.learning_curve import (
    FixedPoint,
    fixed_point,
    output_errors,
    target_errors,
    total_error,
)
from widenets.ntk.spectra.spectrum import (
    Spectrum,
    arc_cosine_eigenvalues,
    eigenvalues_from_taylor,
    sphere_spectrum,
    step_coefficients,
    taylor_coefficients,
    two_layer_relu_eigenvalues,
    zonal_eigenvalues,
    zonal_kernel,
)

__all__ = [
    "FixedPoint", "Spectrum", "angular_quadrature", "arc_cosine_eigenvalues", "degree_power",
    "degree_projector", "eigenvalues_from_taylor", "fixed_point", "legendre", "multiplicities",
    "multiplicity", "output_errors", "sphere_grid", "sphere_spectrum", "step_coefficients",
    "target_errors", "taylor_coefficients", "total_error", "two_layer_relu_eigenvalues",
    "zonal_eigenvalues", "zonal_kernel",
]  # fmt: skip
