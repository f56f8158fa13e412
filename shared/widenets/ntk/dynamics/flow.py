"""Training of the linearized network in closed form: gradient flow and gradient descent under MSE.

The loss is L = 1/(2c) sum_{i,o} (f_o(x_i) - y_io)^2 and `normalization` says which c is meant:

    "sum"           c = 1       (Lee et al. 2019, Du et al. 2019)
    "mean"          c = N       samples (Jacot et al. 2018)
    "mean_entries"  c = N * O   samples times outputs (the convention of neural-tangents)

Time is counted in steps of gradient descent, so that a mode of eigenvalue l decays as

    flow        e_t = exp(-learning_rate * l * t / c)        any real t >= 0
    descent     e_t = (1 - learning_rate * l / c)^t          integer t >= 0

and outputs follow (Lee et al. 2019, equations 9-11, K Theta matrices written as T)

    f_t(X) = y + E_t (f_0(X) - y)        f_t(x) = f_0(x) - P_t (f_0(X) - y),   P_t = T(x,X) R_t

with R_t = T^{-1} (I - E_t).  In the eigenbasis of T(X,X) this is r_t = (1 - e_t) / l, evaluated
without cancellation, and it has the finite limit learning_rate * t / c at l = 0: singular kernels
(duplicated inputs) need no ridge.

`ridge` = q > 0 trains L + q/(2c) |theta - theta_0|^2. With theta = theta_0 + J(X)^T a that is

    da/dt = -learning_rate / c ((T + q) a - (y - f_0(X)))      a(0) = 0      (descent alike)
    f_t(x) = f_0(x) + T(x,X) a_t,   a_t = R_t (y - f_0(X)),   R_t = (T + q)^{-1} (I - E_t)

with E_t that of T + q, so that a_t -> (T + q)^{-1} (y - f_0(X)): ridge regression around f_0.

Everything is numpy in float64; leading axes are stacks (seeds).

Kernels and covariances must have no negative eigenvalue but rounding: one that is below
-ROUNDING * N * eps * (largest eigenvalue) is refused, eps being that of the dtype the matrix has.
"""

from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.linalg import cho_factor, cho_solve

from widenets.ntk.checks import checked_number

Normalization = Literal["sum", "mean", "mean_entries"]
Method = Literal["flow", "descent"]


class Eigensystem(NamedTuple):
    """T = vectors diag(values) vectors^T with values >= 0, ascending.

    most_negative is the smallest eigenvalue before clipping at zero (0.0 if none was negative).
    """

    values: np.ndarray  # (..., N)
    vectors: np.ndarray  # (..., N, N)
    most_negative: np.ndarray  # (...)


class Flow(NamedTuple):
    """Outputs of one network (or a stack of them) at T times; test is None without test points."""

    train: np.ndarray  # (..., T, N, O)
    test: np.ndarray | None  # (..., T, M, O)
    loss: np.ndarray  # (..., T), L in the stated normalization, without the penalty of a ridge
    most_negative: np.ndarray  # (...), see Eigensystem


class Ensemble(NamedTuple):
    """Gaussian law of the outputs over initialisations; one covariance serves every output."""

    mean: np.ndarray  # (T, M, O)
    covariance: np.ndarray  # (T, M, M)
    train_mean: np.ndarray  # (T, N, O)
    train_covariance: np.ndarray  # (T, N, N)
    most_negative: np.ndarray


class Posterior(NamedTuple):
    mean: np.ndarray  # (M, O)
    covariance: np.ndarray  # (M, M)


def loss_divisor(normalization: Normalization, samples: int, outputs: int) -> int:
    """The c of L = 1/(2c) sum of squares."""
    divisors = {"sum": 1, "mean": samples, "mean_entries": samples * outputs}
    if normalization not in divisors:
        raise ValueError(f"normalization {normalization!r} is none of {sorted(divisors)}")
    return divisors[normalization]


def eigensystem(kernel) -> Eigensystem:
    """Eigendecomposition of a symmetric kernel (..., N, N), rounding noise around zero removed.

    Eigenvalues of modulus at most N * eps * largest (float64) are numerically zero and set to
    exactly 0, other negative ones within the rounding of the input's dtype are clipped to 0; both
    show in most_negative. ValueError: negative beyond that, not symmetric, not finite.
    """
    allowed, kernel = allowed_negative(kernel), _symmetric(kernel, "kernel")
    values, vectors = np.linalg.eigh(kernel)
    _check_positive(values, allowed, "kernel")
    most_negative = np.minimum(values[..., 0], 0.0)
    floor = kernel.shape[-1] * np.finfo(np.float64).eps * np.abs(values).max(-1, keepdims=True)
    return Eigensystem(np.where(values <= floor, 0.0, values), vectors, most_negative)


ROUNDING = 16  # of the entries, which recursions and sums leave with a few eps each


def allowed_negative(matrix) -> float:
    """ROUNDING * N * eps of the matrix's dtype, the share of the largest eigenvalue."""
    dtype = np.asarray(matrix).dtype  # also of jax and torch
    eps = jnp.finfo(dtype).eps if jnp.issubdtype(dtype, jnp.floating) else np.finfo(np.float64).eps
    return ROUNDING * np.shape(matrix)[-1] * float(eps) if np.ndim(matrix) else 0.0


def _symmetric(matrix, name: str) -> np.ndarray:
    """(..., N, N) in float64."""
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2] or matrix.shape[-1] == 0:
        raise ValueError(f"{name} has shape {matrix.shape}, wanted (..., N, N) with N >= 1")
    largest = np.maximum(matrix.max(), -matrix.min())  # nan where there is one
    if not np.isfinite(largest):
        raise ValueError(f"{name} has non-finite entries")
    asymmetry = (matrix - np.swapaxes(matrix, -1, -2)).max()  # as far below 0 as above
    if asymmetry > 1e-5 * largest:
        raise ValueError(f"{name} is not symmetric: |T - T^T| reaches {asymmetry:.3g}")
    return matrix


def _check_positive(values, allowed: float, name: str) -> None:
    """ValueError: eigenvalues (..., N), ascending, below zero beyond rounding."""
    lowest, largest = values[..., 0], np.abs(values).max(-1)
    share = np.max(np.where(lowest < 0, -lowest, 0.0) / np.where(largest > 0, largest, 1.0))
    if share > allowed:
        raise ValueError(
            f"{name} is indefinite: its smallest eigenvalue is {lowest.min():.3g}, {share:.2g} of "
            f"the largest modulus, and rounding explains {allowed:.2g}"
        )


def _check_covariance(blocks, name: str) -> None:
    """ValueError: [[A, B^T], [B, C]] of these blocks A, B, C is negative beyond rounding."""
    corner, below, last = blocks
    allowed = max(allowed_negative(b) for b in blocks)
    allowed *= (len(corner) + len(last)) / max(np.shape(b)[-1] for b in blocks)
    joint = np.block([[np.asarray(corner), np.asarray(below).T], [below, np.asarray(last)]])
    _check_positive(np.linalg.eigvalsh(_symmetric(joint, name)), allowed, name)


def critical_learning_rate(
    kernel, *, normalization: Normalization, outputs: int = 1, momentum: float = 0.0
) -> np.ndarray:
    """2 (1 + momentum) c / l_max: above it the linearized network diverges under descent."""
    values = np.linalg.eigvalsh(_symmetric(kernel, "kernel"))
    _check_positive(values, allowed_negative(kernel), "kernel")
    divisor = loss_divisor(normalization, values.shape[-1], outputs)
    return 2 * (1 + momentum) * divisor / values[..., -1]


def mode_decay(values, times, rate: float, method: Method = "flow", ridge: float = 0.0):
    """(1 - l r_t, r_t), each (..., T, N): what is left of a mode's residual, and the response.

    r_t = (1 - e_t) / (l + ridge), e_t the decay of l + ridge; without ridge what is left is e_t.
    values: (..., N) eigenvalues l >= 0; times: (T,); rate = learning_rate / c.
    At l + ridge = 0 the mode never moves: e_t = 1 and r_t = rate * t.  For t = infinity r_t is
    taken as 0 there (pseudo-inverse): such a mode is orthogonal to every row of a positive kernel.
    """
    ridge = checked_number(ridge, "ridge", least=0)
    values = np.asarray(values, dtype=np.float64)[..., None, :]
    if not (values >= 0).all():  # nan is not either
        raise ValueError(f"values must be eigenvalues >= 0, found {values.min()}")
    times = _checked_times(times, method)[:, None]
    final = np.isinf(times)
    finite_times = np.where(final, 0.0, times)
    shifted = values + ridge
    step = rate * shifted
    if method == "flow":
        left, gone = np.exp(-finite_times * step), -np.expm1(-finite_times * step)
    else:
        left, gone = _power(step, finite_times)
    zero = shifted == 0
    if final.any():
        if method == "descent" and (step >= 2).any():
            raise ValueError(
                f"descent has no limit: rate * largest eigenvalue is {step.max():.6g}, wanted < 2"
            )
        left, gone = np.where(final, zero * 1.0, left), np.where(final, 1.0 - zero, gone)
    response = np.where(zero, rate * finite_times, gone / np.where(zero, 1.0, shifted))
    return (ridge + values * left) / shifted if ridge > 0 else left, response


def coupled_matrix(kernel):
    """(..., N O, M P) from a kernel (..., N, M, O, P), as `empirical_ntk(kind="full")` gives it.

    Rows are (sample, output), the order in which outputs (N, O) are flattened. numpy or jax arrays.
    ValueError: fewer axes.
    """
    if kernel.ndim < 4:
        raise ValueError(f"a kernel that couples outputs is (N, M, O, O), found {kernel.shape}")
    *stack, rows, columns, one, two = kernel.shape
    return kernel.swapaxes(-3, -2).reshape(*stack, rows * one, columns * two)


def kernel_flow(
    kernel,
    targets,
    times,
    *,
    normalization: Normalization,
    learning_rate: float = 1.0,
    method: Method = "flow",
    initial=0.0,
    kernel_test=None,
    initial_test=0.0,
    ridge: float = 0.0,
    coupled: bool = False,
) -> Flow:
    """Outputs of the linearized network on train and test points at all times at once.

    kernel: (..., N, N) array or an Eigensystem (decompose once, use often); targets: (..., N, O) or
    (N,); kernel_test: (..., M, N), rows are test points; initial: f_0 on the training points and
    initial_test on the test points, or 0; times: (T,), np.inf allowed.
    ridge: q of the penalty q/(2c) |theta - theta_0|^2 (the equation stands above); at t = infinity
    f = f_0 + T(., X) (T + q)^{-1} (y - f_0(X)) whatever the normalization.
    coupled=True: kernels that couple outputs, (..., N, N, O, O) and (..., M, N, O, O), of finite
    networks; or the Eigensystem of `coupled_matrix(kernel)`. Else outputs are trained one by one.
    Cost: one eigendecomposition, then O(N) per time for the loss and O(N^2 O) for the outputs;
    coupled with N O in the place of N.
    ValueError: shapes that do not fit, what is not finite, an indefinite kernel, ridge < 0.
    """
    each = np.shape(targets)[-1] if coupled else 1
    if coupled:
        kernel = _as_matrix(kernel, each, "kernel")
        kernel_test = _as_matrix(kernel_test, each, "kernel_test")
    system = kernel if isinstance(kernel, Eigensystem) else eigensystem(kernel)
    rows = system.values.shape[-1]  # of samples, or of samples and outputs
    if rows % each:
        raise ValueError(f"targets have {each} outputs, the kernel couples {rows} rows of them")
    targets = _columns(targets, rows // each)
    samples, outputs = targets.shape[-2:]
    divisor = loss_divisor(normalization, samples, outputs)
    left, response = mode_decay(system.values, times, learning_rate / divisor, method, ridge)
    residual = _initial(initial, samples) - targets
    residual = residual.reshape(*residual.shape[:-2], rows, -1)
    modes = np.swapaxes(system.vectors, -1, -2) @ residual  # (..., N, O)
    loss = (left**2 @ (modes**2).sum(-1)[..., None])[..., 0] / (2 * divisor)
    change = _by_time(system.vectors @ _weighted(left, modes), modes)
    train = targets[..., None, :, :] + change.reshape(*change.shape[:-2], samples, outputs)
    test = None
    if kernel_test is not None:
        kernel_test = _matrix(kernel_test, "kernel_test", None, rows)
        start = _initial(initial_test, kernel_test.shape[-2] // each)
        # a_t first: as many columns as times and outputs, where T(x, X) V has one for each mode.
        weights = system.vectors @ _weighted(response, modes)
        change = _by_time(kernel_test @ weights, modes)
        test = start[..., None, :, :] - change.reshape(*change.shape[:-2], -1, outputs)
    return Flow(train, test, loss, system.most_negative)


def _as_matrix(kernel, outputs: int, name: str):
    """`coupled_matrix` of a kernel that is none yet and couples as many outputs as are wanted."""
    if kernel is None or isinstance(kernel, Eigensystem):
        return kernel
    if np.shape(kernel)[-2:] != (outputs, outputs):
        wanted = f"(..., N, M, {outputs}, {outputs})"
        raise ValueError(f"{name} has shape {np.shape(kernel)}, wanted {wanted} for these targets")
    return coupled_matrix(kernel)


def loss_curve(
    system: Eigensystem,
    residual,
    times,
    *,
    normalization,
    learning_rate=1.0,
    method="flow",
    ridge=0.0,
):
    """The training loss alone, (..., T): O(N) per time after the eigendecomposition."""
    residual = _columns(residual, system.values.shape[-1])
    divisor = loss_divisor(normalization, *residual.shape[-2:])
    left, _ = mode_decay(system.values, times, learning_rate / divisor, method, ridge)
    modes = np.swapaxes(system.vectors, -1, -2) @ residual
    return (left**2 @ (modes**2).sum(-1)[..., None])[..., 0] / (2 * divisor)


def ensemble_flow(
    ntk,
    nngp,
    targets,
    times,
    *,
    ntk_test,
    nngp_test,
    nngp_test_test,
    normalization: Normalization,
    learning_rate: float = 1.0,
    method: Method = "flow",
    ridge: float = 0.0,
) -> Ensemble:
    """Mean and covariance over f_0 ~ GP(0, K) of networks trained with kernel T (Lee, eqs 14-15).

        mean P_t y ;  covariance K_** + P_t K P_t^T - P_t K_d* - K_*d P_t^T ;  on train E_t K E_t^T

    with ridge as in `kernel_flow`: P_t = T_*d R_t, and on train 1 - T R_t in the place of E_t.
    ntk: (N, N) or Eigensystem; nngp: (N, N); ntk_test, nngp_test: (M, N); nngp_test_test: (M, M).
    Training the readout alone is the case T = K (pass the NNGP kernel as ntk): it ends in the
    posterior of the Gaussian process with covariance K. ValueError: T, or K on all points together,
    has negative eigenvalues beyond rounding.
    """
    prior = nngp, nngp_test, nngp_test_test
    system = ntk if isinstance(ntk, Eigensystem) else eigensystem(ntk)
    targets = _columns(targets, system.values.shape[-1])
    samples, ntk_test = len(targets), _matrix(ntk_test, "ntk_test", None, len(targets))
    nngp = _matrix(nngp, "nngp", samples, samples)
    nngp_test = _matrix(nngp_test, "nngp_test", len(ntk_test), samples)
    nngp_test_test = _matrix(nngp_test_test, "nngp_test_test", len(ntk_test), len(ntk_test))
    _check_covariance(prior, "the joint nngp of training and test points")
    divisor = loss_divisor(normalization, *targets.shape[-2:])
    left, response = mode_decay(system.values, times, learning_rate / divisor, method, ridge)
    vectors = system.vectors
    decay = (vectors * left[:, None, :]) @ vectors.T  # E_t, (T, N, N)
    gain = ((ntk_test @ vectors) * response[:, None, :]) @ vectors.T
    cross = gain @ nngp_test.T
    covariance = nngp_test_test + gain @ nngp @ np.swapaxes(gain, 1, 2)
    covariance = covariance - cross - np.swapaxes(cross, 1, 2)
    return Ensemble(
        mean=gain @ targets,
        covariance=covariance,
        train_mean=targets - decay @ targets,
        train_covariance=decay @ nngp @ np.swapaxes(decay, 1, 2),
        most_negative=system.most_negative,
    )


def gaussian_process_posterior(kernel, kernel_test, kernel_test_test, targets, *, noise=0.0):
    """Posterior of a Gaussian process at M test points, noise variance added to the diagonal.

    noise > 0 uses a Cholesky factor; noise = 0 the pseudo-inverse, so that duplicates are allowed
    (the mean then averages their targets). ValueError: the joint covariance of training and test
    points has negative eigenvalues beyond rounding.
    """
    prior = kernel, kernel_test, kernel_test_test
    targets = _columns(targets, np.shape(kernel)[-1])
    kernel = _matrix(kernel, "kernel", len(targets), len(targets))
    kernel_test = _matrix(kernel_test, "kernel_test", None, len(targets))
    tests = len(kernel_test)
    kernel_test_test = _matrix(kernel_test_test, "kernel_test_test", tests, tests)
    if not noise >= 0:
        raise ValueError(f"noise variance is {noise}, wanted >= 0")
    _check_covariance(prior, "the joint kernel of training and test points")
    if noise > 0:
        factor = cho_factor(kernel + noise * np.eye(len(kernel)), lower=True)
        weights = cho_solve(factor, kernel_test.T).T
    else:
        system = eigensystem(kernel)
        _, inverse = mode_decay(system.values, [np.inf], 1.0)
        weights = ((kernel_test @ system.vectors) * inverse) @ system.vectors.T
    return Posterior(weights @ targets, kernel_test_test - weights @ kernel_test.T)


def _power(step, times):
    """((1 - step)^t, 1 - (1 - step)^t), accurate for small steps and for steps above 1."""
    shrinking = step < 1
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        log_modulus = np.where(
            shrinking, np.log1p(-np.where(shrinking, step, 0.0)), np.log(np.abs(1 - step))
        )
        exponent = np.where(times == 0, 0.0, times * log_modulus)
        negative = ~shrinking & (times % 2 == 1)
        left = np.where(negative, -1.0, 1.0) * np.exp(exponent)
        return left, np.where(negative, 1.0 - left, -np.expm1(exponent))


def _weighted(coefficients, modes):
    """(..., N, T O): coefficients[t, k] modes[k, o], the columns of one product for all times."""
    weighted = np.swapaxes(coefficients, -1, -2)[..., None] * modes[..., None, :]  # (..., N, T, O)
    return weighted.reshape(*weighted.shape[:-2], -1)


def _by_time(product, modes):
    """(..., T, rows, O) from (..., rows, T O)."""
    outputs = modes.shape[-1]
    return np.moveaxis(product.reshape(*product.shape[:-1], -1, outputs), -2, -3)


def _checked_times(times, method: Method) -> np.ndarray:
    times = np.asarray(times, dtype=np.float64)
    if times.ndim != 1 or np.isnan(times).any() or (times < 0).any():
        raise ValueError("times must be a vector of numbers >= 0 (infinity allowed)")
    if method not in ("flow", "descent"):
        raise ValueError(f"method {method!r} is neither 'flow' nor 'descent'")
    finite = times[np.isfinite(times)]
    if method == "descent" and (finite != np.round(finite)).any():
        raise ValueError("descent has integer times only")
    return times


def _columns(array, rows: int, name: str = "targets") -> np.ndarray:
    """(..., N, O) from (..., N, O) or from one vector (N,)."""
    array = np.asarray(array, dtype=np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim < 2 or array.shape[-2] != rows:
        raise ValueError(f"{name} have shape {array.shape}, wanted ({rows}, outputs)")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} have non-finite entries")
    return array


def _initial(start, rows: int) -> np.ndarray:
    start = np.asarray(start, dtype=np.float64)
    return start[None, None] if start.ndim == 0 else _columns(start, rows, "initial outputs")


def _matrix(array, name: str, rows: int | None, columns: int) -> np.ndarray:
    """(..., rows, columns) in float64; rows None: any number of them, at least one."""
    array = np.asarray(array, dtype=np.float64)
    found = array.shape[-2:]
    if array.ndim < 2 or 0 in found or found != (found[0] if rows is None else rows, columns):
        wanted = f"({'M' if rows is None else rows}, {columns})"
        raise ValueError(f"{name} has shape {array.shape}, wanted {wanted}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has non-finite entries")
    return array
