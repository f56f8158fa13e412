"""Architectures as composition: one description gives the finite network and its limit.

    network = serial(dense(512, 2.0), relu(), dense(1))
    params = network.init(key, (784,))          # NTK parameterization, float32 unless dtype says
    outputs = network.apply(params, x)          # (N, 1)
    nngp, ntk = network.kernel(x)               # infinite width, (N, N) each, dtype of x

Conventions: Lee et al. 2019 (equation 1), h = sqrt(weight_variance / fan_in) W x +
sqrt(bias_variance) b with W, b ~ N(0, 1), all trained; depth counts hidden layers.

Every activation must read Gaussian units, that is, what an affine layer gave, pooled and added up
at most: else its kernel would be wrong, and the composition is refused (`law`). A chain that starts
with an activation is allowed as a branch of `residual` and as a finite network (init, apply); on
inputs as such it has no kernel here.
"""

from widenets.ntk.architecture.activations import (
    abs_,
    cos,
    erf,
    gelu,
    identity,
    leaky_relu,
    monomial,
    pointwise,
    polynomial,
    relu,
    sign,
    sin,
)
from widenets.ntk.architecture.affine import dense
from widenets.ntk.architecture.attention import self_attention
from widenets.ntk.architecture.base import Architecture, Kernels
from widenets.ntk.architecture.composition import (
    concatenate,
    fully_connected,
    repeat,
    residual,
    serial,
)
from widenets.ntk.architecture.convolution import conv
from widenets.ntk.architecture.normalisation import dropout, layer_norm
from widenets.ntk.architecture.pooling import (
    average_pool,
    flatten,
    global_average_pool,
    global_sum_pool,
    sum_pool,
)
from widenets.ntk.architecture.quadrature import silu, smooth, softplus, tanh

__all__ = [
    "Architecture",
    "Kernels",
    "abs_",
    "average_pool",
    "concatenate",
    "conv",
    "cos",
    "dense",
    "dropout",
    "erf",
    "flatten",
    "fully_connected",
    "gelu",
    "global_average_pool",
    "global_sum_pool",
    "identity",
    "layer_norm",
    "leaky_relu",
    "monomial",
    "pointwise",
    "polynomial",
    "relu",
    "repeat",
    "residual",
    "self_attention",
    "serial",
    "sign",
    "silu",
    "sin",
    "smooth",
    "softplus",
    "sum_pool",
    "tanh",
]
