"""Gradient descent on both layers, in torch: a few points at a time, float32."""

from collections.abc import Sequence

import numpy as np
import torch

from shared.ntk.random import generator

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ROWS = 128  # points at a time, so that their activations stay in cache


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
    buffer, slope = (torch.empty(ROWS, len(readout), dtype=dtype, device=DEVICE) for _ in "hs")
    residuals = np.empty((steps + 1, len(x)), np.float64 if dtype == torch.float64 else np.float32)
    unseen = None if probes is None else with_bias(probes)
    predictions, wanted = [], set(map(int, probe_steps))

    def hidden_units(points):
        """Activations of at most ROWS points, and their derivatives, which share two buffers."""
        hidden = torch.matmul(points, w.T, out=buffer[: len(points)])
        derivative = torch.sign(hidden if absolute else hidden.relu_(), out=slope[: len(points)])
        return hidden.abs_() if absolute else hidden, derivative

    def outputs(points):
        return torch.cat([hidden_units(part)[0] @ v * scale for part in points.split(ROWS)])

    goal = y + outputs(inputs)
    f_0_unseen = None if unseen is None else outputs(unseen)
    change_of_w, change_of_v = torch.empty_like(w), torch.empty_like(v)
    parts = [part.split(ROWS) for part in (inputs, goal, quadrature * (scale * step_size))]
    for step in range(steps + 1):
        if step in wanted:
            predictions.append((outputs(unseen) - f_0_unseen).cpu().numpy())
        change_of_w.zero_()
        change_of_v.zero_()
        found = []
        for points, values, factors in zip(*parts, strict=True):
            hidden, derivative = hidden_units(points)
            residual = values - hidden @ v * scale
            pull = residual * factors
            change_of_w.addmm_(derivative.T, pull[:, None] * points)
            change_of_v.addmv_(hidden.T, pull)
            found.append(residual)
        residuals[step] = torch.cat(found).cpu().numpy()
        w += change_of_w * v[:, None]
        v += change_of_v
    return residuals, np.array(predictions, dtype=np.float64)
