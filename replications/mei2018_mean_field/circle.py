"""The main problem: six points on a circle, and what the limit of wide networks predicts there.

Networks are trained in float32, the limit in float64: descent on quadrature nodes of rho_0. tanh is
odd, so that (a, w) and
(-a, -w) are one neuron and a = 1 with w ~ N(0, I_2) is the law of a = +-1.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import RectBivariateSpline

from widenets.ntk.dynamics.particles import (
    Neurons,
    Task,
    descent,
    frozen_outputs,
    gaussian_plane,
    network,
    padded,
    tangent_kernel,
    whole_batch_descent,
    whole_batch_shares,
)

EPS = 0.25  # the step of neurons; time t = EPS * steps
RADII, ANGLES = 32, 128
LEG = 64  # steps that are compiled, and differentiated, at once
FILL = 256  # neurons: widths are filled up to a multiple of it


def _on_circle(angles) -> np.ndarray:
    return np.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)], axis=1)


TASK = Task(_on_circle([0.1, 0.8, 1.3, 1.9, 2.6, 2.95]), 0.8 * np.array([1, -0.6, 0.8, -1, 0.5, 1]))
TEST = _on_circle([0.45, 2.2])
POINTS = np.concatenate([TASK.x, TEST])  # six to train on, two to look at
SAMPLES = len(TASK.y)


def steps_until(time: float, eps: float = EPS) -> int:
    return round(time / eps)


def shares_until(time: float) -> np.ndarray:
    """Full batches until a time, padded so that few lengths are compiled."""
    return padded(whole_batch_shares(steps_until(time), SAMPLES), LEG)


def neurons(generator: np.random.Generator, networks: int, width: int) -> Neurons:
    """a = +-1 and w ~ N(0, I_2) of many networks, (networks, width) and (networks, width, 2)."""
    outputs = generator.choice(np.float32([-1.0, 1.0]), (networks, width))
    return Neurons(outputs, generator.standard_normal((networks, width, 2), np.float32))


def stratified_neurons(generator: np.random.Generator, networks: int, width: int) -> Neurons:
    """The same law, one neuron in each of N = k^2 equally likely cells of (radius, angle).

    The cells' differences vanish like N^-1/2 in the plane, so that averages err by N^-1.
    """
    k = round(np.sqrt(width))
    cell = np.stack(np.meshgrid(np.arange(k), np.arange(k)), axis=-1).reshape(-1, 2)
    u, v = np.moveaxis((cell + generator.random((networks, k * k, 2))) / k, -1, 0)
    radius, turn = np.sqrt(-2 * np.log(u)), 2 * np.pi * v
    inputs = radius[..., None] * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    return Neurons(*map(np.float32, (np.ones((networks, k * k)), inputs)))


def _given(start: Neurons, *numbers):
    """TASK and numbers in the dtype of the networks."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, start.inputs.dtype), (TASK, *numbers))


def _filled(found: Neurons, masses, fill: int = FILL) -> tuple[Neurons, np.ndarray]:
    """The same networks with massless neurons up to a multiple of `fill`: one compilation for all.

    What has no mass adds nothing to f or to the kernel, and moves without being seen.
    """
    more = -found.outputs.shape[1] % fill
    ends = ((0, 0), (0, more))
    outputs = np.pad(np.asarray(found.outputs), ends)
    inputs = np.pad(np.asarray(found.inputs), (*ends, (0, 0)))
    return Neurons(outputs, inputs), np.pad(np.asarray(masses, float), (0, more))


def _cut(found: Neurons, width: int) -> Neurons:
    """numpy arrays of the first `width` neurons."""
    return Neurons(*(np.asarray(leaf)[:, :width] for leaf in found))


@jax.jit
def _train(start: Neurons, masses, rate, steps) -> Neurons:
    task, masses, rate = _given(start, masses, rate)
    axes = (0, None, None, None, None)
    return jax.vmap(whole_batch_descent, in_axes=axes)(start, masses, task, rate, steps)


def train(start: Neurons, masses, rate: float, steps: int, fill: int = FILL) -> Neurons:
    """Full-batch descent of many networks, in their own dtype; many steps need no filling up."""
    width = start.outputs.shape[1]
    return _cut(_train(*_filled(start, masses, fill), float(rate), steps), width)


@jax.jit
def train_stochastic(start: Neurons, masses, rate, shares) -> Neurons:
    """Descent of many networks, each with its own shares (networks, steps, P)."""
    task, masses, rate, shares = _given(start, masses, rate, shares)
    return jax.vmap(descent, in_axes=(0, None, None, None, 0))(start, masses, task, rate, shares)


@jax.jit
def _network_outputs(found: Neurons, masses) -> jax.Array:
    return jax.vmap(network, in_axes=(0, None, None))(found, masses, POINTS)


def outputs(found: Neurons, masses) -> np.ndarray:
    """(networks, points)."""
    return np.asarray(_network_outputs(*_filled(found, masses)))


class Limit(NamedTuple):
    """What N = infinity predicts at one time, at the points.

    outputs f_t (8,); influence D_t (nodes, 8), the derivative of f_t by rho_0; state: the nodes.
    """

    outputs: np.ndarray
    influence: np.ndarray
    state: Neurons
    weights: np.ndarray

    @property
    def clt(self) -> np.ndarray:
        """lim N Var f_t = Var_{rho_0} D_t, (8,)."""
        return _variance(self.weights, self.influence)

    @property
    def independent(self) -> np.ndarray:
        """Var_{rho_t} a phi(w.x), (8,): N Var f_t if neurons were independent draws of rho_t."""
        psi = self.state.outputs[:, None] * np.tanh(self.state.inputs @ POINTS.T)
        return _variance(self.weights, psi)


def _variance(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    return weights @ values**2 - (weights @ values) ** 2


def nodes(radii: int = RADII, angles: int = ANGLES) -> tuple[Neurons, np.ndarray]:
    """Quadrature of rho_0: neurons and their weights."""
    inputs, weights = gaussian_plane(radii, angles)
    return Neurons(np.ones(len(weights)), inputs), weights


_descend_nodes = jax.jit(whole_batch_descent)


def _outputs(weights, start, shares):
    return network(descent(start, weights, TASK, EPS, shares), weights, POINTS)


def _frozen_outputs(weights, start, shares):
    return frozen_outputs(start, weights, TASK, POINTS, EPS, shares)


_tangent_nodes = jax.jit(lambda start, weights, shares: _frozen_outputs(weights, start, shares))


@jax.jit
def _frozen_with_influence(weights, start, shares):
    """f_t (8,) of the linearization and its derivative by the weights, (8, nodes)."""

    def of_weights(p):
        return _frozen_outputs(p, start, shares)

    return of_weights(weights), jax.jacrev(of_weights)(weights)


@jax.jit
def _leg(start: Neurons, weights, shares) -> Neurons:
    return descent(start, weights, TASK, EPS, shares)


@jax.jit
def _back_along_a_leg(start: Neurons, weights, shares, by_end: Neurons):
    """Derivatives by start and weights (8, ...) of what has the derivatives by_end (8, ...)."""
    of_start = functools.partial(_leg.__wrapped__, shares=shares)
    return jax.vmap(jax.vjp(of_start, start, weights)[1])(by_end)


def _with_influence(weights, start: Neurons, shares: np.ndarray):
    """f_t (8,), its derivative by the weights (8, nodes), and the nodes at time t.

    One reverse pass for each point, leg by leg.
    """
    legs = np.split(shares, len(shares) // LEG) if len(shares) else []
    states = [start]
    for leg in legs:
        states.append(_leg(states[-1], weights, leg))
    value, by_end = network(states[-1], weights, POINTS), jax.jacrev(network, argnums=(0, 1))
    by_state, influence = by_end(states[-1], weights, POINTS)
    for state, leg in zip(states[-2::-1], legs[::-1], strict=True):
        by_state, by_weights = _back_along_a_leg(state, weights, leg, by_state)
        influence += by_weights
    return value, influence, states[-1]


@functools.cache
def limit(time: float, frozen: bool = False) -> Limit:
    """The limit at a time; frozen: that of the network's linearization around its start."""
    start, weights = nodes()
    if frozen:
        value, influence = _frozen_with_influence(weights, start, shares_until(time))
        state = start
    else:
        value, influence, state = _with_influence(weights, start, shares_until(time))
    return Limit(
        np.asarray(value), np.asarray(influence).T, Neurons(*map(np.asarray, state)), weights
    )


def first_order(found: Limit, start: Neurons) -> np.ndarray:
    """(networks, points): mean over a network's neurons of D_t - E D_t at where they started.

    f_N - f_inf is this to first order in 1 / sqrt N; D_t is interpolated on its polar grid. Its
    mean is 0 and N times its variance is `clt`, whatever N is: a control variate.
    """
    radius = np.linalg.norm(np.asarray(nodes()[0].inputs).reshape(RADII, ANGLES, 2)[:, 0], axis=1)
    turn = 2 * np.pi * np.arange(-4, ANGLES + 4) / ANGLES
    # (a, w) and (-a, -w) are one neuron: all are brought to a = 1.
    w = np.asarray(start.outputs)[..., None] * np.asarray(start.inputs)
    at = np.linalg.norm(w, axis=-1), np.arctan2(w[..., 1], w[..., 0]) % (2 * np.pi)
    mean = found.weights @ found.influence
    columns = []
    for j in range(len(POINTS)):
        grid = found.influence[:, j].reshape(RADII, ANGLES)
        wrapped = np.concatenate([grid[:, -4:], grid, grid[:, :4]], axis=1)
        spline = RectBivariateSpline(radius, turn, wrapped)
        columns.append(spline.ev(*at).mean(axis=-1) - mean[j])
    return np.stack(columns, axis=-1)


@functools.cache
def bias(time: float, radii: int = 16, angles: int = 48) -> np.ndarray:
    """lim N E (f_N - f_inf) = (sum_i p_i H_ii - p'H p) / 2, (8,), H the second derivative by p.

    The covariance of N independent draws of the nodes is (diag p - p p') / N.
    """
    start, weights = nodes(radii, angles)
    weights = jax.numpy.asarray(weights)
    of_weights = functools.partial(_outputs, start=start, shares=shares_until(time))

    def second(v):
        along = lambda q: jax.jvp(of_weights, (q,), (v,))[1]  # noqa: E731
        return jax.jvp(along, (weights,), (v,))[1]

    diagonal = jax.lax.map(jax.jit(second), jnp.eye(len(weights)), batch_size=16)
    return np.asarray(weights @ diagonal - second(weights)) / 2


def risk_bias(limit: Limit, constant: np.ndarray) -> float:
    """lim N E (R_N - R_inf): half of the fluctuations, and the bias of f along the residual."""
    residual = limit.outputs[:SAMPLES] - TASK.y
    return float(np.mean(limit.clt[:SAMPLES] / 2 + residual * constant[:SAMPLES]))


def risk(values: np.ndarray) -> np.ndarray:
    """Mean of (f - y)^2 / 2 over the training points."""
    return np.mean((values[..., :SAMPLES] - TASK.y) ** 2, axis=-1) / 2


def kernel_change(start: Neurons, found: Neurons, masses) -> np.ndarray:
    """|Theta_t - Theta_0| / |Theta_0| of each network at the points, Frobenius norms."""
    (start, masses), found = _filled(start, masses), _filled(found, masses)[0]
    return np.asarray(_kernel_change(start, found, masses))


@jax.jit
def _kernel_change(start: Neurons, found: Neurons, masses) -> jax.Array:
    before, after = (
        jax.vmap(tangent_kernel, in_axes=(0, None, None))(some, masses, POINTS)
        for some in (start, found)
    )
    norm = functools.partial(jnp.linalg.norm, axis=(1, 2))
    return norm(after - before) / norm(before)


def tangent(start: Neurons, masses, rate: float, shares) -> np.ndarray:
    """Outputs (networks, points) of each network's own linearization."""
    return np.asarray(_tangent(*_filled(start, masses), float(rate), shares))


@jax.jit
def _tangent(start: Neurons, masses, rate, shares) -> jax.Array:
    axes = (0, None, None, None, None, None)
    return jax.vmap(frozen_outputs, in_axes=axes)(start, masses, TASK, POINTS, rate, shares)


@functools.cache
def of_limit(time: float) -> tuple[float, float]:
    """The limit's kernel change, and its distance from its own linearization."""
    start, weights = nodes()
    found = _descend_nodes(start, weights, TASK, EPS, steps_until(time))
    lazy = _tangent_nodes(start, weights, shares_until(time))
    gap = network(found, weights, POINTS) - lazy
    return _change_of_nodes(start, found, weights), float(jnp.sqrt(jnp.mean(gap**2)))


def _change_of_nodes(start: Neurons, found: Neurons, weights: np.ndarray) -> float:
    one, other = (Neurons(*(np.asarray(leaf)[None] for leaf in some)) for some in (start, found))
    return float(kernel_change(one, other, weights)[0])


@functools.cache
def outputs_of_limit(time: float, eps: float) -> np.ndarray:
    """f_t (8,) of the limit in steps of eps."""
    start, weights = nodes()
    found = _descend_nodes(start, weights, TASK, eps, steps_until(time, eps))
    return np.asarray(network(found, weights, POINTS))


def lazy_drift(start: Neurons, weights: np.ndarray, alpha: float, time: float) -> float:
    """Kernel change of the limit when alpha (f - f_0) learns y at the rate 1 / alpha^2."""
    before = network(start, alpha * weights, TASK.x)
    centred = Task(TASK.x, TASK.y + before)
    found = _descend_nodes(start, alpha * weights, centred, EPS / alpha, steps_until(time))
    return _change_of_nodes(start, found, weights)


@jax.jit
def train_own(start: Neurons, masses, rate, samples) -> Neurons:
    """Each neuron descends along a sample of its own; samples (steps, networks, N) of indices."""

    task, masses, rate = _given(start, masses, rate)

    def one(state, chosen):
        hidden = jnp.tanh(state.inputs @ task.x.T)  # (networks, N, P)
        residual = jnp.einsum("n,kn,knp->kp", masses, state.outputs, hidden) - task.y
        share = jax.nn.one_hot(chosen, SAMPLES, dtype=rate.dtype) * residual[:, None]
        along = (state.outputs[..., None] * (1 - hidden**2) * share) @ task.x
        outputs = state.outputs - rate * (hidden * share).sum(axis=-1)
        return Neurons(outputs, state.inputs - rate * along), None

    return jax.lax.scan(one, Neurons(*map(jnp.asarray, start)), samples)[0]
