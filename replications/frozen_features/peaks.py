"""Double descent in width, of a network and of its frozen counterpart, with and without a ridge.

    f(x) = m^(-1/2) sum_i a_i tanh(w_i . x / sqrt(d)) - f_0(x),   p = m (d + 1) trained parameters

n points of a noisy linear target. The tangent features at the start are p functions: their
interpolant's error peaks at p = n, where the least singular value is smallest. The network is
trained from the same start. The frozen peak has heavy tails: it is judged in decades.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from widenets.ntk.dynamics import descend
from widenets.ntk.random import generator

DIMENSION, SAMPLES, HELD, NOISE = 4, 40, 1000, 0.5
RATE, STEPS, MOMENTUM = 0.3, 20000, 0.9
RIDGE = 0.3  # of n times the penalty over the features' mean square


@functools.partial(jax.jit, static_argnames=("steps",))
def _trained(starts, x, y, held, penalty, steps: int):
    """Held-out outputs and training losses after descent; all arguments have the seeds first."""

    def one(start, x, y, held, penalty):
        def outputs(params, x):
            hidden = jnp.tanh(x @ params["w"] / np.sqrt(DIMENSION))
            return hidden @ params["a"] / np.sqrt(params["a"].size)

        def objective(params):
            residual = outputs(params, x) - outputs(start, x) - y
            moved = sum(jnp.sum((params[k] - start[k]) ** 2) for k in params)
            return (jnp.mean(residual**2) + penalty * moved) / 2

        rates = jax.tree.map(lambda _: jnp.float32(RATE), start)
        found, losses, _ = descend(
            objective,
            jax.grad(objective),
            start,
            rates,
            jnp.float32(MOMENTUM),
            jnp.array([steps]),
            lambda p, q: (),
        )
        return outputs(found, held) - outputs(start, held), losses[-1]

    return jax.vmap(one)(starts, x, y, held, penalty)


def peak_rows(arm: str, width: int, seeds: tuple[int, ...]):
    """Excess errors of the network and of its frozen counterpart; see `experiment.peaks`."""
    made = [_problem(generator(seed, "peaks"), width) for seed in seeds]  # one task for all widths
    tangents = [_features(start, x) for start, x, _, _, _ in made]
    unit = np.array([np.mean(np.sum(f**2, axis=1)) for f in tangents])
    penalty = RIDGE * unit / SAMPLES if arm == "ridge" else np.zeros(len(seeds))
    stacked = {k: np.float32(np.stack([start[k] for start, *_ in made])) for k in ("w", "a")}
    data = (np.float32(np.stack([of[k] for of in made])) for k in (1, 2, 3))
    outputs, losses = _trained(stacked, *data, np.float32(penalty), STEPS)
    for index, seed in enumerate(seeds):
        start, _, y, held, wanted = made[index]
        features, across = tangents[index], _features(start, held)
        gram = features @ features.T + SAMPLES * penalty[index] * np.eye(SAMPLES)
        if arm == "ridge":
            frozen = across @ (features.T @ np.linalg.solve(gram, y))
        else:
            frozen = across @ np.linalg.lstsq(features, y, rcond=None)[0]
        yield {
            "seed": seed,
            "over": width * (DIMENSION + 1) / SAMPLES,
            "network": float(np.mean((np.asarray(outputs[index], float) - wanted) ** 2)),
            "frozen": float(np.mean((frozen - wanted) ** 2)),
            "loss": float(losses[index]),
        }


def _problem(stream: np.random.Generator, width: int):
    """Start, training inputs and noisy targets, held-out inputs and targets of one seed."""
    x = stream.standard_normal((SAMPLES + HELD, DIMENSION))
    direction = stream.standard_normal(DIMENSION)
    y = x @ direction / np.linalg.norm(direction)
    noisy = y[:SAMPLES] + NOISE * stream.standard_normal(SAMPLES)
    start = {"a": stream.standard_normal(width), "w": stream.standard_normal((DIMENSION, width))}
    return start, x[:SAMPLES], noisy, x[SAMPLES:], y[SAMPLES:]


def _features(start: dict, x: np.ndarray) -> np.ndarray:
    """Gradients of f with respect to all parameters, (P, m (d + 1))."""
    width = start["a"].size
    hidden = np.tanh(x @ start["w"] / np.sqrt(DIMENSION))
    inner = (1 - hidden**2) * start["a"] / np.sqrt(DIMENSION)
    of_w = inner[:, None, :] * x[:, :, None]
    return np.concatenate([hidden, of_w.reshape(len(x), -1)], axis=1) / np.sqrt(width)
