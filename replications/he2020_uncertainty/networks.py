"""Ensembles of finite networks, trained for as long as the law that they are held against.

One hidden ReLU layer: then E f_0 f_0' = K and E of the tangent kernel = Theta at every width, and
what a block of networks drew has a known variance, which is taken out of what it became.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from replications.he2020_uncertainty.laws import Joint, Law, kernels_of
from widenets.ntk.architecture import fully_connected, relu
from widenets.ntk.data import sphere
from widenets.ntk.dynamics import ensemble_flow, gradient_descent, squared_error
from widenets.ntk.random import generator, keys

DIMENSION, TRAIN, TEST, TARGET = 3, 6, 10, 0.5
STEPS = 60
KINDS = ("deep", "corrected", "whole_tangent", "prior_function", "readout")


@functools.cache
def network(width: int):
    return fully_connected(
        depth=1, width=width, activation=relu(), weight_variance=2.0, bias_variance=0.1
    )


class Problem(NamedTuple):
    points: np.ndarray  # (TRAIN + TEST, DIMENSION), unit rows, training points first
    targets: np.ndarray  # (TRAIN,)
    nngp: Joint
    ntk: Joint


def problem(seed: int, arm: str) -> Problem:
    """Training points on the sphere with targets +-1/2, and test points."""
    stream = generator(seed, "uncertainty", "problem", arm)
    points = sphere(stream, TRAIN + TEST, DIMENSION)
    targets = np.where(stream.random(TRAIN) < 0.5, -TARGET, TARGET)
    return Problem(points, targets, *kernels_of(network(8), points, TRAIN))


def start_of(kind: str, of: Problem) -> Joint:
    """Covariance of what a member is at the start: f_0, and the untrained function added to it."""
    return {
        "deep": of.nngp,
        "readout": of.nngp,
        "corrected": of.ntk,  # K + (Theta - K): the read-out's part of Theta is K
        "whole_tangent": of.nngp.plus(of.ntk),
        "prior_function": of.nngp.scaled(2.0),
    }[kind]


def law_at(kind: str, start: Joint, of: Problem) -> Law:
    """Of the outputs after STEPS of descent of this kind from a start of this covariance."""
    tangent = tangent_of(kind, of)
    found = ensemble_flow(
        tangent.train,
        start.train,
        of.targets,
        [STEPS],
        ntk_test=tangent.cross,
        nngp_test=start.cross,
        nngp_test_test=start.test,
        normalization="sum",
        learning_rate=rate(tangent),
        method="descent",
    )
    return Law(found.mean[0], found.covariance[0])


def tangent_of(kind: str, of: Problem) -> Joint:
    """The kernel that trains members of this kind: of all layers, or of the read-out alone."""
    return of.nngp if kind == "readout" else of.ntk


def rate(tangent: Joint) -> float:
    return 1.5 / float(np.linalg.eigvalsh(tangent.train)[-1])


class Block(NamedTuple):
    """Networks of one problem, each with its untrained function."""

    trained: np.ndarray  # (S, TRAIN + TEST)
    linear: np.ndarray  # (S, TEST): the start of each, trained with the kernel of the limit


def starts(kind: str, seed: int, width: int, members: int, of: Problem) -> np.ndarray:
    """f_0 + delta of members at all points, (S, TRAIN + TEST)."""
    made = keys((seed,), "uncertainty", "start", kind, width)[0]
    x = jnp.asarray(of.points, jnp.float32)
    params, added = _drawn(width, members, made, x, ADDED[kind])
    return np.asarray(_outputs(width, params, x) + added, np.float64)


def block(kind: str, seed: int, width: int, members: int, of: Problem) -> Block:
    """Members of this kind, trained on y - delta(X), with delta(x) added afterwards."""
    made = keys((seed,), "uncertainty", "trained", kind, width)[0]
    x = jnp.asarray(of.points, jnp.float32)
    params, added = _drawn(width, members, made, x, ADDED[kind])
    step = rate(tangent_of(kind, of))
    rates = jax.tree.map(lambda _: step, params)
    if kind == "readout":
        rates = (*jax.tree.map(lambda _: 0.0, rates[:-1]), rates[-1])
    trained = gradient_descent(
        network(width).apply,
        params,
        jnp.broadcast_to(x[:TRAIN], (members, TRAIN, DIMENSION)),
        jnp.asarray(of.targets, jnp.float32)[None, :, None] - added[:, :TRAIN, None],
        loss=squared_error("sum"),
        learning_rate=rates,
        record=[STEPS],
        seeds=True,
        shared_data=False,
    )
    both = [_outputs(width, p, x) + added for p in (params, trained.params)]
    start, end = (np.asarray(found, np.float64) for found in both)
    return Block(end, linear(kind, start, of))


def linear(kind: str, start: np.ndarray, of: Problem) -> np.ndarray:
    """start - P_t (start on the training points - y), P_t that of the limit's kernel, (S, TEST)."""
    tangent = tangent_of(kind, of)
    step = rate(tangent)
    values, vectors = np.linalg.eigh(tangent.train)
    gain = (tangent.cross @ vectors) * ((1 - (1 - step * values) ** STEPS) / values) @ vectors.T
    return start[:, TRAIN:] - (start[:, :TRAIN] - of.targets) @ gain.T


ADDED = {  # delta: shares of the hidden layers' tangent, the read-out's, a second network
    "deep": (0.0, 0.0, 0.0),
    "readout": (0.0, 0.0, 0.0),
    "prior_function": (0.0, 0.0, 1.0),
    "corrected": (1.0, 0.0, 0.0),
    "whole_tangent": (1.0, 1.0, 0.0),
}


@functools.partial(jax.jit, static_argnums=(0, 1))
def _drawn(width: int, members: int, made: jax.Array, x: jax.Array, shares):
    """Parameters of all members and delta at all points (S, points)."""
    init, apply = network(width).init, network(width).apply
    hidden, readout, function = shares  # traced: one program for all kinds

    def one(made):
        params, other = (init(part, (DIMENSION,)) for part in jax.random.split(made))
        along = (
            *jax.tree.map(lambda leaf: hidden * leaf, other[:-1]),
            jax.tree.map(lambda leaf: readout * leaf, other[-1]),
        )
        tangent = jax.jvp(lambda p: apply(p, x)[:, 0], (params,), (along,))[1]
        return params, tangent + function * apply(other, x)[:, 0]

    return jax.vmap(one)(jax.random.split(made, members))


@functools.partial(jax.jit, static_argnums=0)
def _outputs(width: int, params, x: jax.Array) -> jax.Array:
    return jax.vmap(lambda p: network(width).apply(p, x)[:, 0])(params)
