"""Kernels of a relu network with two hidden layers (VARIANT: right, or with one fault)."""

import numpy as np

VARIANT = globals().get("VARIANT", "right")
architecture = "fully_connected(depth=2, weight_variance=2.0, bias_variance=0.1)"
HIDDEN = 1 if VARIANT == "one_layer_too_few" else 2
S_W, S_B = 2.0, 0.1**2 if VARIANT == "bias_variance_squared" else 0.1


def angles(x1, x2):
    """Between unit vectors, from the lengths of their difference and their sum."""
    minus, plus = (np.linalg.norm(x1[:, None] + sign * x2, axis=2) for sign in (-1, 1))
    return 2 * np.arctan2(minus, plus)


def duals(k, q1, q2, same):
    """E[phi' phi'] and E[phi phi] at covariance k and variances q1, q2; same: equal inputs."""
    size = np.sqrt(q1 * q2)
    k = np.where(same, size, k)  # to the last digit, of which the angle is the root
    angle = 2 * np.arctan2(np.sqrt(np.maximum(size - k, 0)), np.sqrt(np.maximum(size + k, 0)))
    if VARIANT == "arccos_on_the_diagonal":
        k32, q1, q2 = (values.astype(np.float32) for values in (k, q1, q2))
        angle = np.arccos(np.clip(k32 / (np.sqrt(q1) * np.sqrt(q2)), -1, 1)).astype(float)
    kappa_0 = (np.pi - angle) / (np.pi if VARIANT == "kappa0_without_half" else 2 * np.pi)
    return kappa_0, (size * np.sin(angle) + (np.pi - angle) * k) / (2 * np.pi)


def kernel(x1, x2):
    same = (x1[:, None] == x2).all(2)
    d = 1 if VARIANT == "no_input_scaling" else x1.shape[1]
    q1, q2 = ((x**2).sum(1) for x in (x1, x2))
    q1, q2 = q1[:, None], q2[None, :]
    k = np.sqrt(q1 * q2) * np.cos(angles(x1 / np.sqrt(q1), x2 / np.sqrt(q2.T)))
    k, q1, q2 = (S_W * value / d + S_B for value in (k, q1, q2))
    ntk = 0 * k if VARIANT == "first_layer_not_trained" else k
    for layer in range(HIDDEN):
        kappa_0, kappa_1 = duals(k, q1, q2, same)
        k, q1, q2 = S_W * kappa_1 + S_B, S_W * q1 / 2 + S_B, S_W * q2 / 2 + S_B
        if VARIANT == "derivative_of_new_covariance":
            kappa_0, _ = duals(k, q1, q2, same)
        ntk = S_W * kappa_0 * ntk
        if not (VARIANT == "readout_not_trained" and layer == HIDDEN - 1):
            ntk = ntk + k
    return k, ntk
