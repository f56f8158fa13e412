"""Gradient descent on both layers, in torch: a few points at a time, float32."""

from collections.abc import Sequence

import numpy as np
import torch

from widenets.ntk.random import generator

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ROWS = 256  # points at a time, so that their activations stay in cache


def draw_weights(seed: int, dimension: int, width: int, name: str):
    """w (width, D) with variance 2 and v (width,) with variance 1."""
    stream = generator(seed, "weights", name, width)
    first = np.sqrt(2.0) * stream.standard_normal((width, dimension))
    return first, stream.standard_normal(width)


def train(
    x, target, weights, first, readout, step_size, steps, *, bias=False, absolute=False,
    first_rate=1.0, probes=None, probe_steps: Sequence[int] = (), dtype=torch.float32,
):  # fmt: skip
    """Gradient descent: residuals target + f_0 - f, (steps+1, n), and f - f_0 on the probes.

    first_rate: step of the first layer in units of the read-out's.
    """

    def tensor(array):
        return torch.tensor(np.asarray(array), dtype=dtype, device=DEVICE)

    def parts_of(points):
        """Columns of points, a few at a time, with a row of ones for the bias."""
        points = np.concatenate([points, np.ones((len(points), 1))], 1) if bias else points
        return [part.T.contiguous() for part in tensor(points).split(ROWS)]

    first = np.concatenate([first, np.zeros((len(first), 1))], 1) if bias else first
    w, v, scale = tensor(first), tensor(readout), len(readout) ** -0.5
    buffer, slope = (w.new_empty(len(v) * ROWS) for _ in "hs")
    residuals = np.empty((steps + 1, len(x)), np.float64 if dtype == torch.float64 else np.float32)
    predictions, wanted = [], set(map(int, probe_steps))

    def hidden_units(points):
        """(width, r): activations of r <= ROWS points, and their derivatives, in two buffers."""
        shape = len(v), points.shape[1]
        place, other = (memory[: shape[0] * shape[1]].view(shape) for memory in (buffer, slope))
        hidden = torch.matmul(w, points, out=place)
        derivative = torch.sign(hidden if absolute else hidden.relu_(), out=other)
        return hidden.abs_() if absolute else hidden, derivative

    def outputs(parts):
        return torch.cat([v @ hidden_units(part)[0] * scale for part in parts])

    inputs, unseen = parts_of(x), None if probes is None else parts_of(probes)
    goals = (tensor(target) + outputs(inputs)).split(ROWS)
    factors = (tensor(weights) * (scale * step_size)).split(ROWS)
    f_0_unseen = None if unseen is None else outputs(unseen)
    # As (D, width): BLAS is several times slower for these thin products in other orders.
    change = w.new_empty(w.T.shape)
    for step in range(steps + 1):
        if step in wanted:
            predictions.append((outputs(unseen) - f_0_unseen).cpu().numpy())
        change.zero_()
        found = []
        for points, goal, factor in zip(inputs, goals, factors, strict=True):
            hidden, derivative = hidden_units(points)
            residual = goal - v @ hidden * scale
            change.addmm_(residual * factor * points, derivative.T)
            found.append(residual)
        residuals[step] = torch.cat(found).cpu().numpy()
        # sigma(z) = sigma'(z) z (Euler), so that sum_i pull_i sigma(w.x_i) = w.change.
        change_of_v = (w.T * change).sum(0)
        w += first_rate * (change * v).T
        v += change_of_v
    return residuals, np.array(predictions, dtype=np.float64)
