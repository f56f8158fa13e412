"""Kernels of finite networks: of any jax network here, of torch modules in `empirical.torch`."""

from widenets.ntk.empirical.jax import (
    EmpiricalKernels,
    Kind,
    dense_kernels,
    empirical_ntk,
    layer_ntk,
)
from widenets.ntk.empirical.monte_carlo import MonteCarloKernels, monte_carlo_kernel
from widenets.ntk.empirical.products import kernel_vector_product

__all__ = [
    "EmpiricalKernels", "Kind", "MonteCarloKernels", "dense_kernels", "empirical_ntk",
    "kernel_vector_product", "layer_ntk", "monte_carlo_kernel",
]  # fmt: skip
