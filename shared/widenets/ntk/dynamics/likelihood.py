"""The evidence of a Gaussian process with noise, differentiable in all that its kernel rests on."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import multivariate_normal

from widenets.ntk.checks import checked_number


def log_marginal_likelihood(kernel, targets, *, noise) -> jax.Array:
    """log p(y | X) of y_o = f_o + noise, f_o ~ GP(0, K) independent for the O outputs.

        sum_o -1/2 y_o^T (K + s)^-1 y_o  - O/2 log det(K + s)  - N O/2 log(2 pi)

    kernel: K (N, N), in whose dtype all is computed; targets (N,) or (N, O); noise: the variance s.
    Traceable and differentiable (jax): let kernel be `network.kernel(x).nngp` of a network that is
    built inside of the differentiated function. Variances, readouts, biases and the noise may then
    be traced, and the kernel is computed by jax: the compiled loops of `kernel_in_blocks` and
    `kernel_to_file` have no derivatives, and refuse. O(N^3 / 3), and about thrice that with
    gradients.
    ValueError: shapes that do not fit, float64 without JAX_ENABLE_X64, what is not finite, noise
    < 0, K + s not positive definite. Inside of a compilation the last is nan, and neither the noise
    nor the numbers of kernel and targets are checked.
    """
    kernel, targets = _checked(kernel, targets)
    noise = checked_number(noise, "noise", least=0)
    covariance = kernel + noise * jnp.eye(len(kernel), dtype=kernel.dtype)
    of_outputs = multivariate_normal.logpdf(
        targets.T, jnp.zeros(len(kernel), kernel.dtype), covariance
    )
    if not isinstance(of_outputs, jax.core.Tracer) and np.isnan(of_outputs).any():
        raise ValueError(f"the kernel is not positive definite with noise {noise}: wanted more")
    return of_outputs.sum()


def _checked(kernel, targets) -> tuple[jax.Array, jax.Array]:
    """K (N, N) and y (N, O) in its dtype."""
    kernel, targets = (x if isinstance(x, jax.Array) else np.asarray(x) for x in (kernel, targets))
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] == 0:
        raise ValueError(f"kernel has shape {kernel.shape}, wanted (N, N) with N >= 1")
    if kernel.dtype not in (np.float32, np.float64):
        raise ValueError(f"kernel must hold float32 or float64 numbers, found {kernel.dtype}")
    if kernel.dtype == np.float64 and not jax.config.jax_enable_x64:
        raise ValueError("kernel is float64, which needs JAX_ENABLE_X64=1 (or pass float32)")
    if targets.ndim not in (1, 2) or len(targets) != len(kernel):
        wanted = f"({len(kernel)},) or ({len(kernel)}, outputs)"
        raise ValueError(f"targets have shape {targets.shape}, wanted {wanted}")
    for name, x in (("kernel", kernel), ("targets", targets)):
        if not isinstance(x, jax.core.Tracer) and not np.isfinite(x).all():
            raise ValueError(f"{name} must be finite, found nan or inf")
    kernel = jnp.asarray(kernel)
    return kernel, jnp.asarray(targets, kernel.dtype).reshape(len(kernel), -1)
