"""Gradient descent on both layers, in torch: one preallocated buffer of activations, float32."""

from collections.abc import Sequence

import numpy as np
import torch

from shared.ntk.random import generator

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def draw_weights(seed: int, dimension: int, width: int, name: str):
    """w (width, D) with variance 2 and v (width,) with variance 1."""
    stream = generator(seed, "weights", name, width)
    first = np.sqrt(2.0) * stream.standard_normal((width, dimension))
    return first, stream.standard_normal(width)


def train(
    x, target, weights, first, readout, step_size, steps, *, bias=False, absolute=False,
    probes=None, probe_steps: Sequence[int] = (), dtype=torch.float32,
):  # fmt: skip
    """Gradient descent: residuals target + f_0 - f, (steps+1, n), and f - f_0 on the probes."""

    def tensor(array):
        return torch.tensor(np.asarray(array), dtype=dtype, device=DEVICE)

    def with_bias(points):
        return tensor(np.concatenate([points, np.ones((len(points), 1))], 1) if bias else points)

    inputs, y, quadrature = with_bias(x), tensor(target), tensor(weights)
    first = np.concatenate([first, np.zeros((len(first), 1))], 1) if bias else first
    w, v, scale = tensor(first), tensor(readout), len(readout) ** -0.5
    hidden, slope = (torch.empty(len(x), len(readout), dtype=dtype, device=DEVICE) for _ in "hs")
    residuals = np.empty((steps + 1, len(x)), np.float64 if dtype == torch.float64 else np.float32)
    unseen = None if probes is None else with_bias(probes)
    buffer = None if probes is None else torch.empty(len(probes), len(readout), device=DEVICE)
    predictions, wanted = [], set(map(int, probe_steps))

    def outputs(points, out=None):
        out = torch.matmul(points, w.T, out=out)
        return (out.abs_() if absolute else out.relu_()) @ v * scale

    f_0 = outputs(inputs, hidden)
    f_0_unseen = None if unseen is None else outputs(unseen, buffer)
    for step in range(steps + 1):
        torch.matmul(inputs, w.T, out=hidden)
        if absolute:
            torch.sign(hidden, out=slope)
            hidden.abs_()
        else:
            hidden.relu_()
            torch.sign(hidden, out=slope)
        residual = y + f_0 - hidden @ v * scale
        residuals[step] = residual.cpu().numpy()
        if step in wanted:
            predictions.append((outputs(unseen, buffer) - f_0_unseen).cpu().numpy())
        pull = residual * quadrature * (scale * step_size)
        change = (slope.T @ (pull[:, None] * inputs)) * v[:, None]
        v += pull @ hidden
        w += change
    return residuals, np.array(predictions, dtype=np.float64)
