"""Least squares on random relu features: double descent without a network in training."""

import numpy as np

FEATURES, TEST = 10, 400  # dimension of the inputs, test points


def errors(
    stream: np.random.Generator, points: int, noise: float, ridge: float, widths: tuple[int, ...]
) -> dict[int, float]:
    """{m: mean squared test error over the variance of the clean labels}.

    x ~ N(0, 1) in 10 dimensions, y = u.x / |u| + noise; the solution of least norm, or with the
    ridge n times `ridge`, on relu(W x) sqrt(2 / m), W's rows on the unit sphere.
    """
    x = stream.standard_normal((points + TEST, FEATURES))
    teacher = stream.standard_normal(FEATURES)
    clean = x @ teacher / np.linalg.norm(teacher)
    labels = clean[:points] + noise * stream.standard_normal(points)
    directions = stream.standard_normal((max(widths), FEATURES))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    found = {}
    for width in widths:
        features = np.maximum(x @ directions[:width].T, 0) * np.sqrt(2 / width)
        left, values, right = np.linalg.svd(features[:points], full_matrices=False)
        kept = values > 1e-10 * values[0]
        inverse = np.where(kept, values / (values**2 + points * ridge), 0)
        weights = right.T @ (inverse * (left.T @ labels))
        found[width] = float(np.mean((features[points:] @ weights - clean[points:]) ** 2))
    return found
