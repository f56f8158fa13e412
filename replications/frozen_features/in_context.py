"""In-context linear regression by one layer of linear attention, its features moving or frozen.

A prompt is d-dimensional examples (x_i, y_i = w . x_i) and a query x_q, all normal, stacked
as Z (n, d + 1) and q = (x_q, 0). One layer with H heads, written with the products p_h of value and
read-out and Q_h of query and key (Ahn et al. 2023):

    f = sum_h p_h' S Q_h q,   S = Z'Z / n,   p_h (d + 1), Q_h (d + 1, d)

f is linear in S (x) x_q: a one-step predictor is a matrix C (d + 1)^2 x d, and the network's are
C = sum_h p_h (x) Q_h. Frozen at p^0, Q^0 it can move within the span of

    p_h^0 (x) E for every E      and      e_i (x) Q_h^0 for every i

The best one-step predictor is C = c e_y (x) I, whose loss over the variance d of y is
(d + 1) / (n + d + 1), c = n / (n + d + 1) (ours: normal moments). As S is symmetric, features count
up to symmetrization. Wanted modulo W = span p_h^0, of dimension H < d + 1, is a symmetric form on
the other m = d + 1 - H directions for each of the d query coordinates, d m (m + 1) / 2 numbers, of
which the other half of the features has H m: enough iff H >= d. float64.
"""

import jax.numpy as jnp
import numpy as np

from widenets.ntk.dynamics import gradient_descent, squared_error

EXAMPLES, TESTED = 12, 10000  # examples of a prompt, prompts of a test
RATE, STEPS = 0.01, 600


def prompts(stream: np.random.Generator, count: int, dimension: int, examples: int):
    """(S (count, d + 1, d + 1), queries (count, d), targets (count,))."""
    x = stream.standard_normal((count, examples, dimension))
    w = stream.standard_normal((count, dimension))
    query = stream.standard_normal((count, dimension))
    z = np.concatenate([x, np.einsum("cnd,cd->cn", x, w)[..., None]], axis=2)
    return np.swapaxes(z, 1, 2) @ z / examples, query, np.einsum("cd,cd->c", query, w)


def heads(stream: np.random.Generator, count: int, dimension: int):
    """p (H, d + 1) and Q (H, d + 1, d) at the start, standard normal over sqrt(d + 1)."""
    size = dimension + 1
    p = stream.standard_normal((count, size)) / np.sqrt(size)
    return p, stream.standard_normal((count, size, dimension)) / np.sqrt(size)


def frozen_span(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Directions in which a frozen layer can move, (directions, d + 1, d + 1, d)."""
    size, dimension = p.shape[1], q.shape[2]
    units = np.eye(size * dimension).reshape(-1, size, dimension)
    moved_q = np.einsum("hi,kjc->hkijc", p, units).reshape(-1, size, size, dimension)
    moved_p = np.einsum("ai,hjc->ahijc", np.eye(size), q).reshape(-1, size, size, dimension)
    return np.concatenate([moved_q, moved_p])


def wanted(dimension: int) -> np.ndarray:
    """e_y (x) I, the one-step predictor x_q -> sum_i y_i x_i . x_q / n."""
    found = np.zeros((dimension + 1, dimension + 1, dimension))
    found[dimension, :dimension] = np.eye(dimension)
    return found


def symmetrized(forms: np.ndarray) -> np.ndarray:
    """What of a form (.., i, j, c) a symmetric S sees."""
    return (forms + np.swapaxes(forms, -3, -2)) / 2


def distance_from_span(p: np.ndarray, q: np.ndarray) -> float:
    """Relative residual of `wanted` in the symmetrized span."""
    basis = symmetrized(frozen_span(p, q)).reshape(len(p) * q[0].size + p[0].size * len(q), -1)
    target = symmetrized(wanted(q.shape[2])).ravel()
    found = np.linalg.lstsq(basis.T, target, rcond=1e-10)[0]
    return float(np.linalg.norm(basis.T @ found - target) / np.linalg.norm(target))


def one_step(s: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Outputs (count,) of the best one-step predictor after n examples, c y-row of S . x_q."""
    return np.einsum("ck,ck->c", s[:, -1, :-1], query)


def frozen_features(s: np.ndarray, query: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Features (count, H d (d + 1) + d + 1) of a frozen layer: its gradients, up to repeats."""
    count = len(s)
    of_q = (s @ p.T)[..., None] * query[:, None, None, :]  # (count, d + 1, H, d)
    keyed = np.einsum("hjk,ck->chj", q, query)
    of_p = np.einsum("cij,chj->chi", s, keyed)
    return np.concatenate([of_q.reshape(count, -1), of_p.reshape(count, -1)], axis=1)


def excess(
    stream: np.random.Generator, layer: tuple[np.ndarray, np.ndarray], count: int, trained: bool
) -> dict[str, float]:
    """Mean square distance from the best one-step predictor, and that one's loss, over var y = d.

    As the best predictor is the projection of y on all one-step predictors, the distance is the
    excess of the loss on average, and has none of the loss's scatter. trained: the layer after
    descent, else least squares on its frozen features; both on `count` prompts.
    """
    p, q = layer
    dimension = q.shape[2]
    s, query, y = prompts(stream, count, dimension, EXAMPLES)
    new_s, new_query, new_y = prompts(stream, TESTED, dimension, EXAMPLES)
    if trained:
        found = _outputs(_descended(p, q, s, query, y), (new_s, new_query))
    else:
        features = frozen_features(s, query, p, q)
        solved = np.linalg.lstsq(features.T @ features, features.T @ y, rcond=1e-12)[0]
        found = frozen_features(new_s, new_query, p, q) @ solved
    best = EXAMPLES / (EXAMPLES + dimension + 1) * one_step(new_s, new_query)
    return {
        "excess": float(np.mean((np.asarray(found) - best) ** 2) / dimension),
        "best": float(np.mean((best - new_y) ** 2) / dimension),
    }


def _outputs(params, x):
    """sum_h p_h' S Q_h q; x = (S, queries)."""
    s, query = x
    return jnp.einsum("hi,cij,hjk,ck->c", params["p"], s, params["q"], query, optimize="optimal")


def _descended(p, q, s, query, y):
    """The layer after descent with momentum on all prompts; float64."""
    found = gradient_descent(
        _outputs, {"p": jnp.asarray(p), "q": jnp.asarray(q)}, (s, query), y,
        loss=squared_error("mean"), learning_rate=RATE, record=[STEPS], momentum=0.9,
    )  # fmt: skip
    return found.params
