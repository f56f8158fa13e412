"""Kernels of finite networks: of any jax network here, of torch modules in `empirical.torch`."""

from widenets.ntk.empirical.jax import (
    EmpiricalKernels,
    Kind,
    dense_kernels,
    empirical_ntk,
    layer_ntk,
)

__all__ = [
    "EmpiricalKernels", "Kind", "dense_kernels", "empirical_ntk", "layer_ntk",
]  # fmt: skip
